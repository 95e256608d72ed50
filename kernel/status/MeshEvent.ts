/**
 * What a node says about itself: one flat record an event, for the event log, for people, and for scenarios.
 *
 * Words of peers are `up suspect down left retired`, the same everywhere (docs/PROTOCOL.md).
 */
import * as Schema from "effect/Schema"
import { DeviceId } from "../wire/Frame.ts"

export const MeshEvent = Schema.Struct({
  event: Schema.Literals([
    "node.started",
    "node.amnesia",
    "node.leaving",
    "node.stalled",
    "node.isolated",
    "peer.dial",
    "peer.connect",
    "peer.disconnect",
    "peer.up",
    "peer.suspect",
    "peer.down",
    "peer.down.confirmed",
    "peer.left",
    "peer.disputed",
    "connection.refused",
    "frame.refused",
    "leader.elected",
    "leader.followed",
    "leader.lost",
    "leader.stepped-down",
    "manifest.proposed",
    "manifest.acknowledged",
    "manifest.in-force",
    "manifest.refused",
    "world.restored",
    "world.caught-up",
    "world.gap",
    "actuator.lease",
    "actuator.done",
    "actuator.failed",
    "actuator.refused",
    "actuator.recalled",
    "actuator.safe",
    "actuator.hold",
    "actuator.unknown",
    "planner.triggered",
    "planner.asked",
    "planner.advised",
    "planner.failed",
    "proposal.made",
    "proposal.adopted",
    "proposal.approved",
    "proposal.rejected",
    "proposal.result",
    "inference.started",
    "inference.ended"
  ]),
  /** The device that the event is about; of `leader.*` the leader. */
  about: Schema.optionalKey(DeviceId),
  /** A code of wire/Codes.ts. */
  code: Schema.optionalKey(Schema.String),
  /** A short phrase in plain words. */
  reason: Schema.optionalKey(Schema.String),
  /** The counter of the term. */
  term: Schema.optionalKey(Schema.Natural),
  incarnation: Schema.optionalKey(Schema.Natural),
  link: Schema.optionalKey(Schema.Natural),
  /** Of a link, an attempt or a refusal: its transport label (B16), where it has one. */
  label: Schema.optionalKey(Schema.String),
  /** And how it is secured, as negotiated, or as configured where nothing came up (B17). */
  posture: Schema.optionalKey(Schema.Literals(["insecure", "tls-unpinned", "tls-pinned"])),
  witnesses: Schema.optionalKey(Schema.Array(DeviceId)),
  /** Of `actuator.*` and `planner.*`: which one, or which group. */
  actuator: Schema.optionalKey(Schema.String),
  /** Of `actuator.*`: the intent that was carried out, or not; of a proposal its id. */
  intent: Schema.optionalKey(Schema.String),
  /** Of `proposal.*`: its id. */
  proposal: Schema.optionalKey(Schema.String),
  /** Of `world.*`: how many frames; of `actuator.lease`: the epoch; of `manifest.*`: its version. */
  count: Schema.optionalKey(Schema.Natural),
  /** Of a stall: for how long we were not there. */
  ms: Schema.optionalKey(Schema.Natural)
})
export type MeshEvent = typeof MeshEvent.Type
