/**
 * The farm twin (B42): what the mesh knows, seen through the description of the farm. Reading only, computed when asked; it decides
 * nothing, and nothing rests on it.
 *
 * Does not know: what an actuator of another device is like now, which its guardian alone knows and tells who asks it for a decision.
 */
import { valueOf } from "../../kernel/planning/Rule.ts"
import { isOpen, proposalsOf, shortOf, type Proposal } from "../../kernel/proposals/Proposal.ts"
import { ownersOf } from "../../kernel/proposals/Proposing.ts"
import type { NodeState } from "../../kernel/Node.ts"
import * as Log from "../../kernel/world/Log.ts"
import { freshnessOf, youngestOf } from "../../kernel/world/Query.ts"
import type * as Described from "../config/Farm.ts"
import type { Daemon } from "../node/Daemon.ts"
import * as Acting from "./Acting.ts"
import type * as Api from "./Api.ts"
import { failure, type Failure } from "./Failure.ts"
import type { conditions, Farm } from "./FarmApi.ts"
import * as Views from "./Views.ts"

type Zone = Farm["zones"][number]
type Sensor = Zone["sensors"][number]
type Actuator = Zone["actuators"][number]

const bounded = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** What would not be fresh any more by what the farm says of its sensor nobody knows. */
const conditionOf = (
  { atLeast, atMost, everyMs }: Described.FarmSensor,
  value: number,
  ageMs: number
): (typeof conditions)[number] => {
  if (ageMs > Log.MISSED_MAX[0] * everyMs) return "unknown"
  return value < atLeast ? "low" : value > atMost ? "high" : "well"
}

const sensorOf = (node: NodeState, described: Described.FarmSensor, mono: number): Sensor => {
  const { asset, atLeast, atMost, metric, unit, zone } = described
  const head = { metric, asset, unit, atLeast: bounded(atLeast), atMost: bounded(atMost) }
  const held = youngestOf(node.world, metric, zone, ({ frame }) => valueOf(frame) !== null)
  const value = held === null ? null : valueOf(held.frame)
  if (held === null || value === null)
    return { ...head, is: "unknown", value, ageMs: null, freshness: null, tier: null, evidence: null, source: null }
  const ageMs = Math.round(Log.ageOf(held, mono))
  return {
    ...head,
    is: held.kept ? "unknown" : conditionOf(described, value, ageMs),
    value,
    ageMs,
    freshness: freshnessOf(held, mono),
    tier: held.frame.trust.evidence_trust_tier,
    evidence: held.evidence,
    source: Views.deviceOf(node, held.frame.sourceDeviceId)
  }
}

const toldOf = (node: NodeState, one: Proposal): Actuator["proposals"][number] => ({
  id: one.id,
  short: shortOf(one.id),
  state: one.body.state,
  status: one.status,
  owner: Views.deviceOf(node, one.owner),
  by: one.decided?.by ?? null,
  ageMs: Math.round(one.ageMs)
})

const actuatorOf = (
  node: NodeState,
  { asset, forMsMax, group, level, name, ref, safe }: Described.FarmActuator,
  all: ReadonlyArray<Proposal>,
  own: Api.Actuators["actuators"]
): Actuator => {
  const [guardian] = ownersOf(node, ref)
  const here = own.find(({ actuator }) => actuator === ref)
  const about = all.filter(({ body }) => body.actuator === ref)
  const last = about.find((one) => !isOpen(one))
  return {
    name,
    asset,
    group,
    safe,
    atMostMs: forMsMax,
    level,
    guardian: guardian === undefined ? null : Views.deviceOf(node, guardian),
    up: guardian !== undefined && Views.isUp(node, guardian),
    state: here?.state ?? null,
    leftMs: here?.leftMs ?? null,
    drivenBy: here?.holder ?? null,
    proposals: about.filter(isOpen).map((one) => toldOf(node, one)),
    last: last === undefined ? null : toldOf(node, last)
  }
}

export const farm = (daemon: Daemon): Farm | Failure => {
  const { farm: described } = daemon
  if (described === null)
    return failure(
      "NOT_FOUND",
      "this node knows of no farm",
      "Describe it in a file, and name that in node.yaml: docs/how-to/describe-a-farm.md"
    )
  const node = daemon.state()
  const now = daemon.now()
  const all = proposalsOf(node.world, node.config, now.mono)
  const own = Acting.actuators(daemon).actuators
  return {
    $type: "clawmesh.farm/1",
    ...Views.headOf(node, now),
    site: described.site,
    file: described.file,
    zones: described.zones.map(({ about, name }) => ({
      name,
      about,
      assets: described.assets.filter(({ zone }) => zone === name).map((one) => ({ name: one.name, about: one.about })),
      sensors: described.sensors.filter(({ zone }) => zone === name).map((one) => sensorOf(node, one, now.mono)),
      actuators: described.actuators.filter(({ zone }) => zone === name).map((one) => actuatorOf(node, one, all, own))
    }))
  }
}
