/**
 * Invites over the operator's socket, and what becomes of a device that proved to know a code (PROTOCOL.md part 19): it is trusted by the
 * same word as by `clawmesh trust add`, in the role that the inviter gave, under the key of its certificate.
 */
import * as Effect from "effect/Effect"
import type { Grant } from "../../kernel/pairing/Ceremony.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Daemon } from "../node/Daemon.ts"
import type { Guest, Seen, Terms } from "../pairing/Host.ts"
import { renderLink } from "../pairing/Link.ts"
import { failure, type Failure } from "./Failure.ts"
import type { Invited, InviteRequest, Invites } from "./InviteApi.ts"
import { add, nameProblem, notRunning } from "./Trusting.ts"
import * as Views from "./Views.ts"

const viewOf = ({ address, id, leftMs, name, problem, state, takenBy, terms }: Seen): Invites["invites"][number] => ({
  id,
  role: terms.role,
  name: terms.name,
  may: terms.may,
  state,
  leftMs: Math.ceil(leftMs),
  joined: takenBy === null || address === null || problem !== null ? null : { id: takenBy, name, address },
  problem
})

export const invites = (daemon: Daemon): Invites => ({
  $type: "clawmesh.invites/1",
  ...Views.headOf(daemon.state(), daemon.now()),
  invites: daemon.host.seen().map(viewOf)
})

/** Who has this name, other than the device of this id. */
const isTaken = ({ config, durable }: NodeState, name: string, id: string | null): boolean =>
  name === config.displayName || durable.trusted.some((entry) => entry.name === name && entry.deviceId !== id)

const objection = (node: NodeState, { may, name, role }: InviteRequest): Failure | null => {
  const stopped = notRunning(node)
  if (stopped !== null) return stopped
  if (node.config.role === "viewer")
    return failure(
      "NOT_ALLOWED",
      "this node is a viewer: it looks on, and invites nobody",
      "Invite on another node of the mesh"
    )
  const problem = name === null ? null : nameProblem(name)
  if (name !== null && (problem !== null || name === ""))
    return failure("WRONG_USE", `${problem ?? "a name has at least one character"}: ${JSON.stringify(name)}`)
  if (name !== null && isTaken(node, name, null))
    return failure(
      "AMBIGUOUS",
      `the name ${name} is taken`,
      `If that device is gone or made anew: clawmesh trust revoke ${name}. Else choose another with --name`
    )
  const strange = may.find((capability) => !/^actuator:[\w.-]{1,64}$/u.test(capability))
  if (strange !== undefined)
    return failure(
      "WRONG_USE",
      `no actuator ${JSON.stringify(strange)}`,
      "Write its name as node.yaml there has it: --may pump-3"
    )
  if (may.length > 0 && (role === "viewer" || role === "sensor" || role === "planner" || role === "standby-planner"))
    return failure(
      "WRONG_USE",
      `a ${role} moves nothing: --may is for node, field and actuator`,
      "Say --role field, for instance"
    )
  return null
}

export const invite = (daemon: Daemon, request: InviteRequest): Invited | Failure => {
  const node = daemon.state()
  const refused = objection(node, request)
  if (refused !== null) return refused
  const { forMs, may, name, role } = request
  const opened = daemon.host.invite({ name, role, may }, forMs)
  if (opened === null)
    return failure("RATE_LIMITED", "as many invites as there may be are open", "clawmesh invite --shut shuts them")
  const addresses = daemon.reachedAt()
  const meshName = daemon.meshName
  return {
    $type: "clawmesh.invited/1",
    ...Views.headOf(node, daemon.now()),
    invite: viewOf(daemon.host.seen().find(({ id }) => id === opened.id)!),
    code: opened.code,
    link: renderLink({ code: opened.code, meshName, host: node.config.deviceId, addresses }),
    mesh: { id: node.config.meshId, name: meshName },
    addresses
  }
}

export const shut = (daemon: Daemon): Invites => {
  daemon.host.shut()
  return invites(daemon)
}

/** Trusts it; what it is granted, or why it is not. */
export const admit = (daemon: Daemon, guest: Guest, terms: Terms): Effect.Effect<Grant | Failure> =>
  Effect.gen(function* () {
    const { deviceId, publicKey } = guest
    const name = terms.name ?? guest.name
    if (name === "" || nameProblem(name) !== null || isTaken(daemon.state(), name, deviceId))
      return failure(
        "AMBIGUOUS",
        `a device of this mesh is called ${name} already, or none may be`,
        "Invite it with --name"
      )
    const { may, role } = terms
    const done = yield* add(daemon, { id: deviceId, role, name, publicKey, gen1: false, may })
    if (done.$type === "clawmesh.error/1") return done
    const { config } = daemon.state()
    const { electors, version } = config.manifest
    return {
      version: 1,
      device: { id: deviceId, name, role, may },
      host: { id: config.deviceId, name: config.displayName, role: config.role, publicKey: config.publicKey },
      mesh: { id: config.meshId, key: config.meshKey, name: daemon.meshName },
      electors,
      manifestVersion: version,
      profile: config.profile.name
    }
  })
