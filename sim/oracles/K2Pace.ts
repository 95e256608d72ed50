/**
 * K2: a node that has its processor keeps its times. Over each session with a kernel it sends a heartbeat at least at each slow beat
 * (PROTOCOL.md P7.1); a probe that nothing answers is pinged again when its repeats are due (P7.3); and who leads tells each of
 * them so at each `leadMs` (P8).
 *
 * By the node's own clock, and by the constants of the profile that it is to have. Asked where its alarm rings; a node that was
 * frozen, slow, or did nothing for longer than a beat begins anew.
 *
 * Does not judge: what it does too often, nor links with devices of generation 1.
 */
import type { Profile } from "../../kernel/Profile.ts"
import { isMark } from "../../kernel/links/Lanes.ts"
import { DISPLACE_PROBE } from "../../kernel/links/Link.ts"
import type { Member } from "../../kernel/membership/Member.ts"
import { profileOf } from "./Bounds.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** What one link was last used for, in `mono` ms. */
interface Used {
  heartbeatMs: number
  leadMs: number
  probe: number
  pings: number
}

interface Watched {
  /** From then on, in true time, it has taken up at once whatever came. */
  readonly sinceMs: number
  /** The same by its own clock. */
  readonly fromMs: number
  lastMs: number
  /** It leads since then, if it does. */
  leadsMs: number
  links: Map<number, Used>
}

export const pace: MakeOracle = () => remembering(new Map())

const note = ({ commands }: Observation, links: Map<number, Used>, nowMs: number): void => {
  for (const command of commands) {
    if (command._tag !== "Ping" && command._tag !== "Send") continue
    const used = links.get(command.link) ?? { heartbeatMs: nowMs, leadMs: nowMs, probe: 0, pings: 0 }
    links.set(command.link, used)
    if (command._tag === "Ping") {
      // One asks a session whether it makes room for a newer one, the other how far the far end has read.
      if (command.probe === DISPLACE_PROBE || isMark(command.probe)) continue
      used.pings = used.probe === command.probe ? used.pings + 1 : 1
      used.probe = command.probe
    } else if (command.frame.type === "event") {
      if (command.frame.event === "mesh.heartbeat") used.heartbeatMs = nowMs
      else if (command.frame.event === "mesh.lead") used.leadMs = nowMs
    }
  }
}

const repeatsDue = ({ heardAt, probedAt }: Member, { repeatMs, stallMs }: Profile, nowMs: number): number =>
  heardAt >= probedAt ? 0 : repeatMs.filter((ms) => probedAt + ms + stallMs < nowMs).length

const late = (
  member: Member,
  used: Used,
  {
    fromMs,
    leads,
    leadsMs,
    nowMs
  }: { readonly fromMs: number; readonly leads: boolean; readonly leadsMs: number; readonly nowMs: number },
  profile: Profile
): string | null => {
  const { beatMs, slowBeats, stallMs } = profile
  const silentMs = nowMs - used.heartbeatMs
  if (silentMs > (slowBeats + 1) * beatMs + stallMs) return `sent no heartbeat for ${silentMs} ms`
  // Before it led, or met this one, there was nothing to say.
  const muteMs = nowMs - Math.max(used.leadMs, leadsMs, member.linkedAt)
  if (leads && muteMs > profile.leadMs + stallMs) return `leads, and did not say so for ${muteMs} ms`
  if (member.probe === 0 || member.probe !== used.probe || member.probedAt < fromMs) return null
  const due = repeatsDue(member, profile, nowMs)
  return used.pings > due ? null : `pinged a probe ${used.pings} times in ${nowMs - member.probedAt} ms`
}

const remembering = (watched: Map<string, Watched>): Oracle => ({
  id: "K2",
  fork: () =>
    remembering(
      new Map(
        [...watched].map(([name, { links, ...one }]) => [
          name,
          { ...one, links: new Map([...links].map(([link, used]) => [link, { ...used }])) }
        ])
      )
    ),
  stepped: (seen) => {
    const { after, before, commands, input, machine } = seen
    // The alarm rings at each beat.
    if (input._tag !== "Woke" && input._tag !== "Started" && commands.length === 0) return null
    const profile = profileOf(machine)
    const nowMs = input.at.mono
    const known = watched.get(machine.name)
    const there =
      known !== undefined &&
      input._tag !== "Started" &&
      machine.lastShutMs <= known.sinceMs &&
      nowMs - known.lastMs <= profile.beatMs + profile.stallMs
    const mine: Watched = there
      ? known
      : { sinceMs: seen.nowMs, fromMs: nowMs, lastMs: nowMs, leadsMs: nowMs, links: new Map() }
    watched.set(machine.name, mine)
    mine.lastMs = nowMs
    note(seen, mine.links, nowMs)
    if (before.leadership.standing._tag !== "Leading") mine.leadsMs = nowMs
    if (input._tag !== "Woke") return null
    const leads = before.leadership.standing._tag === "Leading" && after.leadership.standing._tag === "Leading"
    const open = new Set<number>()
    for (const member of after.membership.members) {
      const { deviceId, kernel, link } = member
      if (link === null || !kernel) continue
      open.add(link)
      const used = mine.links.get(link)
      if (used === undefined) {
        mine.links.set(link, { heartbeatMs: nowMs, leadMs: nowMs, probe: 0, pings: 0 })
        continue
      }
      const why = late(member, used, { fromMs: mine.fromMs, leads, leadsMs: mine.leadsMs, nowMs }, profile)
      if (why !== null) return `${machine.name} ${why}, towards ${machine.world.nameOf(deviceId)}`
    }
    for (const link of mine.links.keys()) if (!open.has(link)) mine.links.delete(link)
    return null
  }
})
