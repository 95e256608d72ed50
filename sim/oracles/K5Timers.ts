/**
 * K5: nothing is put off for longer than the constant that it is put off by. Whenever a timer of a node is set anew it ends within
 * what its profile says, as the profile is documented, whatever the node was told; what counts as missed has its consequence; and
 * the alarm that it counts on is set.
 *
 * Does not judge: what comes too early.
 */
import { HUNG_MS, periodMs } from "../../kernel/leadership/Disk.ts"
import { ANSWER_MS } from "../../kernel/inference/Asking.ts"
import { INFER_MS } from "../../kernel/inference/Serving.ts"
import { FORWARD_MS } from "../../kernel/routing/Forwarding.ts"
import { ASK_MS, LIAR_REST_MS } from "../../kernel/world/Exchanging.ts"
import { GEN1_REDIAL_MAX_MS, LEFT_REDIAL_MS, SUPPRESSED_REDIAL_MS, type Profile } from "../../kernel/Profile.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import { type Contact, isGone } from "../../kernel/links/Link.ts"
import type { Member } from "../../kernel/membership/Member.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { profileOf } from "./Bounds.ts"
import type { MakeOracle, Observation } from "./Oracle.ts"

/** Of one that waits for the opening of a connection, as adapters do at most. */
const HURRY_MAX_MS = 10_000
const FIRST_DIAL_MAX_MS = 100

type Timer = readonly [what: string, until: number, maxMs: number]

const late = (timers: ReadonlyArray<Timer>, nowMs: number): string | null => {
  for (const [what, until, maxMs] of timers)
    if (until !== NEVER_MS && until - nowMs > maxMs) return `${what} for ${until - nowMs} ms, at most ${maxMs}`
  return null
}

const redialMs = (contact: Contact, profile: Profile): number => {
  const { asks, dead, kernel, refused } = contact
  const { higherDialsAfterMs, redialMaxMs, redialRefusedMs } = profile
  const usual = Math.max(FIRST_DIAL_MAX_MS, higherDialsAfterMs, redialMaxMs)
  if (asks) return usual + redialRefusedMs
  if (refused !== null) return redialRefusedMs
  if (isGone(contact)) return LEFT_REDIAL_MS
  if (dead) return SUPPRESSED_REDIAL_MS
  return kernel ? usual : Math.max(usual, GEN1_REDIAL_MAX_MS)
}

const ofLinks = ({ links }: NodeState, before: NodeState, profile: Profile, nowMs: number): string | null => {
  if (links === before.links) return null
  const { displaceProbeMs, handshakeMs, probeDeadlineMs } = profile
  if (links.links !== before.links.links)
    for (const link of links.links) {
      if (link._tag === "Session") continue
      const why = late(
        [
          ["waits for a handshake", link.deadline, handshakeMs],
          ["keeps a newer life waiting", link._tag === "Held" ? link.until : 0, displaceProbeMs]
        ],
        nowMs
      )
      if (why !== null) return why
    }
  if (links.contacts === before.links.contacts) return null
  for (const [place, contact] of links.contacts.entries()) {
    const was = before.links.contacts[place]
    if (was === contact) continue
    const why = late(
      [
        ["does not dial", contact.nextDialAt === was?.nextDialAt ? 0 : contact.nextDialAt, redialMs(contact, profile)],
        ["does not try the next address", contact.attempt === null ? 0 : contact.hurryAt, HURRY_MAX_MS],
        ["doubts an address", contact.doubtedUntil, probeDeadlineMs]
      ],
      nowMs
    )
    if (why !== null) return why
  }
  return null
}

const deadlineMs = ({ srtt8 }: Member, { probeDeadlineMaxMs, probeDeadlineMs }: Profile): number =>
  srtt8 === 0 ? probeDeadlineMs : probeDeadlineMaxMs

const probationMs = ({ flaps }: Member, { beatMs, probationMs: spans }: Profile): number =>
  Math.max(beatMs, spans[Math.min(Math.max(0, flaps - 1), spans.length - 1)]!)

const ofMember = (member: Member, was: Member | undefined, profile: Profile, nowMs: number): string | null => {
  const { beatMs, coverAfterMs, missesToBadFewObservers, missesToTerminate, ownWordMs, probeDeadlineMinMs, slowBeats } =
    profile
  const { contestedUntil, good, link, misses, probationEnds, probe, probeAt, probeDeadline, sureAt } = member
  if (misses >= missesToTerminate && link !== null) return `keeps a link over which ${misses} probes were missed`
  if (misses >= missesToBadFewObservers && good) return `has an edge as good after ${misses} misses`
  const isNew = probe !== 0 && (was?.probe !== probe || was.link !== link)
  return late(
    [
      ["waits for a probe", isNew ? probeDeadline : 0, deadlineMs(member, profile)],
      ["does not probe", probeAt, slowBeats * beatMs + probeDeadlineMinMs],
      ["keeps a device on probation", probationEnds, probationMs(member, profile)],
      ["is not sure of its own word", sureAt, ownWordMs],
      ["waits for others to find the same", contestedUntil, coverAfterMs + 2 * beatMs]
    ],
    nowMs
  )
}

const ofMembership = ({ membership }: NodeState, before: NodeState, profile: Profile, nowMs: number): string | null => {
  if (membership === before.membership) return null
  const { attentiveAt, beatAt, members } = membership
  const why = late(
    [
      ["accuses nobody", attentiveAt, profile.drainMs],
      ["sends no heartbeat", beatAt, profile.beatMs]
    ],
    nowMs
  )
  if (why !== null || members === before.membership.members) return why
  for (const [place, member] of members.entries()) {
    const was = before.membership.members[place]
    const found = member === was ? null : ofMember(member, was, profile, nowMs)
    if (found !== null) return found
  }
  return null
}

const ofLeadership = ({ config, leadership }: NodeState, before: NodeState, profile: Profile, nowMs: number) => {
  if (leadership === before.leadership) return null
  const { candidacyMaxMs, candidacyMs, leadMs, leaseMs, promiseMs, rankMs } = profile
  const { disk, promisedUntil, silentUntil, standAt, standing } = leadership
  const rankedMs = config.manifest.electors.length * rankMs
  const timers: ReadonlyArray<Timer> = [
    ["is promised", promisedUntil, promiseMs],
    ["is silent", silentUntil, promiseMs],
    ["does not stand", standAt, Math.max(promiseMs, candidacyMaxMs) + rankedMs],
    ...(standing._tag === "Leading"
      ? [
          ["does not say that it leads", standing.beatAt, leadMs] as const,
          ["leads", standing.leaseUntil, leaseMs] as const,
          ["does not look after its disk", disk.at, Math.max(HUNG_MS, periodMs(profile))] as const
        ]
      : standing._tag === "Following"
        ? []
        : [["asks for votes", standing.endsAt, candidacyMs] as const])
  ]
  return late(timers, nowMs)
}

/** These are the same in every profile. */
const ofWorld = ({ routing, world }: NodeState, before: NodeState, nowMs: number): string | null => {
  if (world === before.world && routing === before.routing) return null
  const asked = world.exchanges.flatMap((exchange) => exchange.asked ?? [])
  return late(
    [
      ...asked.map(({ until }) => ["waits for frames", until, ASK_MS] as const),
      ...world.exchanges.map(({ restUntil }) => ["asks nobody for frames", restUntil, LIAR_REST_MS] as const),
      ...routing.pending.map(({ until }) => ["waits for an answer", until, FORWARD_MS] as const)
    ],
    nowMs
  )
}

const ofInference = ({ inference }: NodeState, before: NodeState, nowMs: number): string | null => {
  if (inference === before.inference) return null
  const { asking, serving } = inference
  return late(
    [
      ["runs an inference", serving.running?.until ?? 0, INFER_MS],
      ...serving.abandoned.map(({ until }) => ["waits for a model that was stopped", until, INFER_MS] as const),
      ...asking.asks.map(({ until }) => ["waits for a model", until, ANSWER_MS] as const)
    ],
    nowMs
  )
}

/** The alarm that it counts on is the one that it asked for. */
const alarm = ({ after, before, commands, input }: Observation): string | null => {
  let at = input._tag === "Woke" ? NEVER_MS : before.alarmAt
  for (const command of commands) if (command._tag === "SetAlarm") at = command.at
  const is = (ms: number): string => (ms === NEVER_MS ? "never" : `at ${ms}`)
  return at === after.alarmAt ? null : `means to be woken ${is(after.alarmAt)}, and asked for it ${is(at)}`
}

export const timers: MakeOracle = () => ({
  id: "K5",
  fork: timers,
  stepped: (seen) => {
    const { after, before, input, machine } = seen
    if (after !== before && after.phase !== "left") {
      const why = alarm(seen)
      if (why !== null) return `${machine.name} ${why}`
    }
    if (after.phase !== "running" || after === before) return null
    const profile = profileOf(machine)
    const nowMs = input.at.mono
    const why =
      ofLinks(after, before, profile, nowMs) ??
      ofMembership(after, before, profile, nowMs) ??
      ofLeadership(after, before, profile, nowMs) ??
      ofWorld(after, before, nowMs) ??
      ofInference(after, before, nowMs)
    return why === null ? null : `${machine.name} ${why}`
  }
})
