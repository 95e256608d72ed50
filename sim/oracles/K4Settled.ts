/**
 * K4: what a node derives from the rest of what it knows is up to date after every step: when it is due, its own row, the verdicts on
 * its peers, the fingerprint of all rows. Derived anew by the kernel without a bug, nothing of it changes.
 *
 * Asked of one step in `SMALL_STEPS` of those that changed a running node, and of one in `LARGE_STEPS` where there are many peers.
 *
 * Does not judge: whether what it is derived from is true (S11); verdicts while the doubt about somebody lasts.
 */
import { withDue as leadershipSettled } from "../../kernel/leadership/Leadership.ts"
import { withDue as linksSettled } from "../../kernel/links/Links.ts"
import * as Membership from "../../kernel/membership/Membership.ts"
import * as Rows from "../../kernel/membership/Rows.ts"
import { withDue as routingSettled } from "../../kernel/routing/Forwarding.ts"
import { withDue as worldSettled } from "../../kernel/world/Room.ts"
import { digestOf } from "../../kernel/world/World.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { Turn } from "../../kernel/Turn.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** Primes, so that they do not keep step with what nodes repeat. */
const SMALL_STEPS = 13
const LARGE_STEPS = 211
const LARGE_PEERS = 16

/** A turn in which nothing happened. */
const nothing = ({ after, input }: Observation): Turn => ({
  config: after.config,
  at: input.at,
  incarnation: after.incarnation,
  bootId: after.bootId,
  forgetful: false,
  forgotIn: 0,
  heardOf: () => 0,
  pins: after.durable.pins,
  world: after.world.digest,
  lateMs: 0,
  carrier: null,
  checked: null,
  out: [],
  lower: [],
  facts: [],
  admitted: null,
  orders: [],
  results: [],
  learned: [],
  readings: [],
  told: [],
  said: [],
  ledger: () => undefined,
  behind: [],
  persist: () => 0
})

const stale = (seen: Observation): string | null => {
  const { alarmAt, leadership, links, membership, routing, world } = seen.after
  if (linksSettled(links) !== links) return "has something to do for its links, and is not due"
  if (worldSettled(world) !== world) return "has something to do for what it knows, and is not due"
  if (digestOf(world) !== world.digest) return "says of what it knows of the world what it is not"
  if (routingSettled(routing) !== routing) return "has something to do for its messages, and is not due"
  if (leadershipSettled(leadership) !== leadership) return "has something to do for who leads, and is not due"
  if (Rows.fingerprintOf(membership) !== membership.fingerprint) return "says of its rows what they are not"
  // What is due already waits for the alarm; and a doubt that begins is judged with the next news.
  if (alarmAt <= seen.input.at.mono || membership.members.some(({ doubtedSince }) => doubtedSince !== NEVER_MS))
    return null
  const settled = Membership.settled(membership, nothing(seen))
  if (settled === membership) return null
  if (settled.mine !== membership.mine) return "reports of its edges what they are not"
  const at = settled.members.findIndex((member, place) => member.state !== membership.members[place]!.state)
  const member = settled.members[at]
  if (member === undefined) return "has something to do for its peers, and is not due"
  return `has ${seen.machine.world.nameOf(member.deviceId)} as ${membership.members[at]!.state}, which by what it knows is ${member.state}`
}

export const settled: MakeOracle = () => counting(0)

const counting = (before: number): Oracle => {
  let steps = before
  return {
    id: "K4",
    fork: () => counting(steps),
    stepped: (seen) => {
      const { after, before, machine } = seen
      if (after.phase !== "running" || after === before) return null
      const every = after.membership.members.length > LARGE_PEERS ? LARGE_STEPS : SMALL_STEPS
      if (++steps % every !== 0) return null
      const why = stale(seen)
      return why === null ? null : `${machine.name} ${why}`
    }
  }
}
