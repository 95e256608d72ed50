/**
 * Changes of trust that come over the operator's socket: checked, put before the kernel as `Trust` and `Distrust`, and answered
 * with what the running node has made of them (B10, B13, C36).
 *
 * What stands so already is not put before the kernel again: to trust anew ends the sessions with that device. Does not wait
 * for the disk: the kernel has handed the record to the journal when this answers, and the shell stops if that fails.
 */
import * as Effect from "effect/Effect"
import { isPrintable } from "../config/Printable.ts"
import { deviceIdOf } from "../keys/Keys.ts"
import type { Daemon } from "../node/Daemon.ts"
import { isDeviceId } from "../../kernel/identity/MeshId.ts"
import type { TrustEntry } from "../../kernel/Durable.ts"
import type { NodeState } from "../../kernel/Node.ts"
import * as Api from "./Api.ts"
import { failure, type Failure } from "./Failure.ts"
import * as Views from "./Views.ts"

/** The kernel takes an input up within milliseconds; a node that does not is stuck. */
const TAKEN_UP_MS_MAX = 2_000
const POLL_MS = 10

type Answer = Api.TrustChange | Failure

export const nameProblem = (name: string): string | null => {
  if (name.length > Api.NAME_UNITS_MAX) return `a name has at most ${Api.NAME_UNITS_MAX} characters`
  if (!isPrintable(name)) return "a name has no control characters"
  if (name !== name.trim()) return "a name neither begins nor ends with a blank"
  return isDeviceId(name) ? "a name does not look like an id" : null
}

/** What is wrong with a request, before the kernel sees it. */
const objection = (node: NodeState, wanted: TrustEntry): Failure | null => {
  const { deviceId: id, name, publicKey } = wanted
  if (id === node.config.deviceId)
    return failure("WRONG_USE", "this is the id of this node itself", "clawmesh-node id prints it on each device")
  const problem = nameProblem(name)
  if (problem !== null) return failure("WRONG_USE", `${problem}: ${JSON.stringify(name)}`)
  if (publicKey !== null && deviceIdOf(publicKey) !== id) {
    const message =
      deviceIdOf(publicKey) === null
        ? "--key is no public key: 32 bytes of Ed25519 as base64url, 43 characters"
        : "--key is the key of another device: its SHA-256 is not this id"
    return failure("PUBLIC_KEY_MISMATCH", message, "clawmesh-node id prints both on the device")
  }
  if (name === "") return null
  const other =
    name === node.config.displayName
      ? node.config.deviceId
      : node.durable.trusted.find((entry) => entry.name === name && entry.deviceId !== id)?.deviceId
  return other === undefined
    ? null
    : failure("AMBIGUOUS", `the name ${name} is taken by ${other}`, "choose another with --name")
}

export const notRunning = (node: NodeState): Failure | null =>
  node.phase === "running" || node.phase === "recalling"
    ? null
    : failure(
        "NOT_RUNNING",
        `the node is ${node.phase === "left" || node.phase === "leaving" ? "stopping" : "starting"} and takes no orders now`
      )

/** Waits until the kernel has taken a change up; whether it has. */
export const takenUp = (daemon: Daemon, holds: (node: NodeState) => boolean): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    for (let waitedMs = 0; waitedMs <= TAKEN_UP_MS_MAX; waitedMs += POLL_MS) {
      if (holds(daemon.state())) return true
      yield* Effect.sleep(POLL_MS)
    }
    return false
  })

const stuck = failure(
  "TIMEOUT",
  `the node has not taken the change up within ${TAKEN_UP_MS_MAX / 1_000} s; it may still do so`,
  "clawmesh trust list"
)

/** What the journal is to hold: a name, a key or a grant that the operator left out stays. */
const wantedOf = (node: NodeState, { gen1, id, may, name, publicKey, role }: Api.TrustRequest): TrustEntry => {
  const old = node.durable.trusted.find(({ deviceId }) => deviceId === id)
  const granted = may ?? old?.may
  return {
    ...(granted === undefined ? {} : { may: granted }),
    deviceId: id,
    role,
    gen1,
    name: name ?? old?.name ?? "",
    publicKey: publicKey === undefined ? (old?.publicKey ?? null) : publicKey
  }
}

const stands = (node: NodeState, wanted: TrustEntry): boolean => {
  const entry = node.durable.trusted.find(({ deviceId }) => deviceId === wanted.deviceId)
  return (
    entry !== undefined &&
    Views.trusted(node, wanted.deviceId) !== null &&
    entry.role === wanted.role &&
    entry.name === wanted.name &&
    entry.gen1 === wanted.gen1 &&
    entry.publicKey === wanted.publicKey &&
    JSON.stringify(entry.may) === JSON.stringify(wanted.may)
  )
}

export const add = (daemon: Daemon, request: Api.TrustRequest): Effect.Effect<Answer> =>
  Effect.gen(function* () {
    const before = daemon.state()
    const wanted = wantedOf(before, request)
    const refused = notRunning(before) ?? objection(before, wanted)
    if (refused !== null) return refused
    const known = Views.trusted(before, request.id)
    if (known !== null && stands(before, wanted)) return Views.trustChange(daemon, "unchanged", known)
    yield* daemon.offer({ _tag: "Trust", device: wanted })
    const taken = yield* takenUp(daemon, (node) => stands(node, wanted))
    const now = Views.trusted(daemon.state(), request.id)
    return taken && now !== null ? Views.trustChange(daemon, known === null ? "added" : "changed", now) : stuck
  })

/** The answer shows the device as it was trusted. */
export const remove = (daemon: Daemon, id: string): Effect.Effect<Answer> =>
  Effect.gen(function* () {
    const before = daemon.state()
    const refused = notRunning(before)
    if (refused !== null) return refused
    const known = Views.trusted(before, id)
    if (known === null) return failure("NOT_FOUND", `${id} is not trusted`, "clawmesh trust list shows who is")
    daemon.host.revoked(id)
    yield* daemon.offer({ _tag: "Distrust", deviceId: id })
    const taken = yield* takenUp(daemon, (node) => Views.trusted(node, id) === null)
    return taken ? Views.trustChange(daemon, "removed", known) : stuck
  })
