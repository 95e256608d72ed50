/**
 * Who elects, over the operator's socket (PROTOCOL.md P7.22): looked at on any node, changed where the operator key of the mesh is kept.
 * One elector at a time; a list is signed only when the one before is in force here, so that no two are signed in place of one.
 */
import * as Effect from "effect/Effect"
import { roleOf } from "../../kernel/Config.ts"
import * as Manifest from "../../kernel/leadership/Manifest.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { compareText } from "../../kernel/Order.ts"
import * as KernelStatus from "../../kernel/status/Status.ts"
import { ELECTORS_MAX, type DeviceId, type SignedManifest } from "../../kernel/wire/Frame.ts"
import type { Daemon } from "../node/Daemon.ts"
import type { Electors, ElectorsRequest } from "./ElectorsApi.ts"
import { failure, type Failure } from "./Failure.ts"
import { takenUp } from "./Trusting.ts"
import * as Views from "./Views.ts"

export const electors = (daemon: Daemon): Electors => {
  const node = daemon.state()
  const { config, leadership } = node
  const { manifest } = config
  const { next } = leadership.reconfiguration
  const shown = (ids: ReadonlyArray<DeviceId>): Electors["electors"] =>
    ids.map((id) => ({ ...Views.deviceOf(node, id), role: roleOf(config, id) ?? "node", up: Views.isUp(node, id) }))
  return {
    $type: "clawmesh.electors/1",
    ...Views.headOf(node, daemon.now()),
    version: manifest.version,
    source: manifest.shown === undefined ? "configuration" : "operator",
    electors: shown(manifest.electors),
    needed: Views.electorsOf(node).needed,
    next:
      next === null
        ? null
        : {
            version: next.manifest.version,
            electors: shown(next.manifest.electors),
            acknowledged: next.acks.map(({ elector }) => Views.deviceOf(node, elector))
          },
    forgot: leadership.abstains && next === null,
    signs: daemon.operatorKey !== null
  }
}

/** In which incarnation a device lives, as far as is known here; 0: it was never met. */
const incarnationOf = (node: NodeState, id: DeviceId): number =>
  id === node.config.deviceId
    ? node.incarnation
    : (KernelStatus.peers(node, 0).find(({ deviceId }) => deviceId === id)?.incarnation ?? 0)

const called = (node: NodeState, id: DeviceId): string => Views.nameOf(node, id) ?? id.slice(0, 8)

/** Who elects by the list that is wanted; or what speaks against it. */
const wantedOf = (node: NodeState, { change, id, of }: ElectorsRequest): ReadonlyArray<DeviceId> | Failure => {
  const { electors: now } = node.config.manifest
  const wrong = (message: string): Failure => failure("WRONG_USE", message, "clawmesh electors")
  const gone = change === "replace" ? of : change === "remove" ? id : undefined
  if (change === "replace" && of === undefined)
    return wrong("in whose place? Name both: clawmesh electors replace OLD NEW")
  if (gone !== undefined && !now.includes(gone)) return wrong(`${called(node, gone)} does not elect`)
  const rest = now.filter((elector) => elector !== gone)
  if (change === "remove")
    return rest.length > 0 ? rest : wrong(`${called(node, id)} is the only one who elects: add another one first`)
  if (change === "readmit")
    return now.includes(id) ? now : wrong(`${called(node, id)} does not elect: clawmesh electors add`)
  if (now.includes(id)) return wrong(`${called(node, id)} elects already`)
  if (now.length >= ELECTORS_MAX) return wrong(`a list has at most ${ELECTORS_MAX} electors`)
  const role = roleOf(node.config, id)
  if (role === undefined) return failure("NOT_FOUND", `${id} is not trusted here`, "clawmesh trust list shows who is")
  if (role === "viewer") return wrong(`${called(node, id)} is a viewer, and a viewer never votes`)
  return [...rest, id].sort(compareText)
}

/** Whom it readmits: those that the list before did, as far as they still elect, and whoever is named now, as it lives. */
const readmittedBy = (
  node: NodeState,
  { change, id }: ElectorsRequest,
  wanted: ReadonlyArray<DeviceId>
): SignedManifest["readmitted"] => {
  const before = node.config.manifest.shown?.manifest.readmitted ?? []
  const kept = before.filter(({ deviceId }) => wanted.includes(deviceId) && (change !== "readmit" || deviceId !== id))
  const back = change === "readmit" ? [{ deviceId: id, incarnation: incarnationOf(node, id) }] : []
  return [...kept, ...back].sort((a, b) => compareText(a.deviceId, b.deviceId))
}

const objection = (node: NodeState, { change, id }: ElectorsRequest): Failure | null => {
  if (node.phase !== "running") return failure("NOT_RUNNING", "the node takes no orders now")
  const { next } = node.leadership.reconfiguration
  if (next !== null)
    return failure(
      "REFUSED",
      `version ${next.manifest.version} of the list is signed, and waits for a majority of those who elect now`,
      "Bring those up who have not acknowledged it: clawmesh electors"
    )
  return change === "readmit" && incarnationOf(node, id) === 0
    ? failure("REFUSED", `${called(node, id)} was not met yet, so that nobody knows which life of it is meant`)
    : null
}

/** Signs a list with this change, gives it to the mesh, and shows what has become of it. */
export const change = (daemon: Daemon, request: ElectorsRequest): Effect.Effect<Electors | Failure> =>
  Effect.gen(function* () {
    const node = daemon.state()
    const { operatorKey } = daemon
    if (operatorKey === null)
      return failure(
        "NOT_ALLOWED",
        "the operator key of this mesh is not kept here",
        "On the node that founded the mesh: clawmesh electors"
      )
    const wanted = wantedOf(node, request)
    if ("$type" in wanted) return wanted
    const refused = objection(node, request)
    if (refused !== null) return refused
    const { electors: before, version } = node.config.manifest
    const document = {
      version: version + 1,
      electors: wanted,
      previous: { version, electors: before },
      readmitted: readmittedBy(node, request, wanted)
    }
    const fault = Manifest.faultOf(document)
    if (fault !== null) return failure("WRONG_USE", fault, "clawmesh electors")
    const signature = operatorKey.sign(Manifest.payloadOf(node.config, document))
    yield* daemon.offer({ _tag: "Reconfigure", manifest: { ...document, signature } })
    yield* takenUp(daemon, ({ config }) => config.manifest.version >= document.version)
    const now = daemon.state()
    const isHeld =
      now.config.manifest.version >= document.version ||
      now.leadership.reconfiguration.next?.manifest.version === document.version
    return isHeld
      ? electors(daemon)
      : failure("REFUSED", "the node does not take the list", "clawmesh events --kind manifest tells why")
  })
