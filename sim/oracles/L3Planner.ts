/**
 * L3: exactly one active planner, named by everybody, where a majority of electors that remember and somebody who may lead, and whose
 * planner works, reach each other; and none where they do not.
 *
 * Does not judge: who it is (leadership is sticky), and planners that reach each other through others only.
 */
import { leadRank } from "../../kernel/Config.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { Machine } from "../engine/Machine.ts"
import { isKernel, manifestAmong } from "../engine/Present.ts"
import type { Core } from "./Core.ts"
import { whyNoLeader } from "./Reasons.ts"

const leads = (machine: Machine): boolean => {
  const state = machine.state()
  return state !== null && Leadership.leaseRuns(state.leadership, machine.clock.mono(machine.world.nowMs))
}

const named = (machine: Machine): string | null => {
  const state = machine.state()
  if (state === null) return null
  const { mono } = machine.clock.instant(machine.world.nowMs)
  const deviceId = Leadership.named(state.leadership, state.config, mono)
  return deviceId === null ? null : machine.world.nameOf(deviceId)
}

const list = (machines: ReadonlyArray<Machine>): string => machines.map(({ name }) => name).join(", ")

/**
 * Whoever lost its journal takes no part, until a newer manifest readmits it. That it has lost it is believed of nobody whose disk the
 * world never emptied.
 */
const remembers = ({ durable, wipes }: Machine): boolean => wipes === 0 || durable.forgot === undefined

export const planner = (core: Core): ReadonlyArray<string> => {
  const inside = core.inside.filter(isKernel)
  const [any] = inside
  if (any === undefined) return []
  const { electors } = manifestAmong(inside)
  const remembering = inside.filter(remembers)
  const voters = remembering.filter(({ config }) => electors.includes(config.deviceId))
  const eligible = remembering.filter(
    ({ config, plans }) => plans && electors.includes(config.deviceId) && leadRank(config.role) !== null
  )
  const leaders = inside.filter(leads)
  const [leader] = leaders
  if (2 * voters.length <= electors.length || eligible.length === 0) {
    const lacks = eligible.length === 0 ? "nobody who may lead" : `${voters.length} of ${electors.length} electors`
    return leader === undefined ? [] : [`${list(leaders)} leads with ${lacks}`]
  }
  if (leader === undefined) {
    const quorum = `${voters.length} of ${electors.length} electors are there`
    return [`nobody leads, and ${quorum}: ${voters.map(whyNoLeader).join("; ")}`]
  }
  if (leaders.length > 1) return [`${list(leaders)} all lead`]
  return inside
    .filter((machine) => named(machine) !== leader.name)
    .map(
      (machine) =>
        `${machine.name} names ${named(machine) ?? "nobody"}, and ${leader.name} leads: ${whyNoLeader(machine)}`
    )
}
