/**
 * Who can do something, and over whom it is reached (B41): computed when asked, from handshakes, `capability_update` frames, what is
 * known of who is alive, and the edges that observers report. Viewers are in no route.
 */
import { carries, mayHave, observes, roleOf, type Config } from "../Config.ts"
import { compareText } from "../Order.ts"
import type { Links } from "../links/Link.ts"
import { indexOfMember } from "../membership/Member.ts"
import type { Membership } from "../membership/Membership.ts"
import { WAY_MAX, type DeviceId } from "../wire/Frame.ts"
import * as Origin from "../world/Origin.ts"
import { originOf, type World } from "../world/World.ts"
import { matches, read, score, type Capability } from "./Capability.ts"

/** What a route depends on. */
export interface Known {
  readonly config: Config
  readonly links: Links
  readonly membership: Membership
  readonly world: World
}

export interface Route {
  readonly deviceId: DeviceId
  readonly capability: string
  readonly local: boolean
  readonly score: number
}

/** What a device last said that it can do, as far as we believe that. */
export const capabilitiesOf = (known: Known, deviceId: DeviceId): ReadonlyArray<Capability> =>
  saidBy(known, deviceId).filter(({ id }) => mayHave(known.config, deviceId, id))

/** By its newest frame, or by its handshake if that is of a later life. */
const saidBy = ({ links, world }: Known, deviceId: DeviceId): ReadonlyArray<Capability> => {
  const session = links.links.find((link) => link._tag === "Session" && link.peer === deviceId)
  const origin = originOf(world, deviceId)
  const said = origin === undefined ? undefined : newestUpdate(origin)
  const met = session?._tag === "Session" ? session.proven : undefined
  if (said !== undefined && (met === undefined || said.incarnation >= met.incarnation))
    return read(said.frame.data["capabilities"])
  return read(met?.capabilities)
}

const newestUpdate = (origin: Origin.Origin) =>
  Origin.entriesOf(origin).findLast(({ evidence, frame }) => frame.kind === "capability_update" && evidence)

/** It is there, as far as we know. */
const isThere = ({ membership }: Known, deviceId: DeviceId): boolean => {
  const state = membership.members[indexOfMember(membership.members, deviceId)]?.state
  return state === "up" || state === "suspect"
}

/** Every device that can do it, the best first: ourselves, then by score, then by id. */
export const routes = (known: Known, pattern: string): ReadonlyArray<Route> => {
  const { config } = known
  const found: Array<Route> = []
  const add = (deviceId: DeviceId, capabilities: ReadonlyArray<Capability>, local: boolean): void => {
    let best: Route | null = null
    for (const capability of capabilities) {
      if (!matches(pattern, capability.id)) continue
      const points = score(pattern, capability)
      if (best === null || points > best.score) best = { deviceId, capability: capability.id, local, score: points }
    }
    if (best !== null) found.push(best)
  }
  if (observes(config.role))
    add(
      config.deviceId,
      config.capabilities.map((id) => ({ id, health: "healthy" })),
      true
    )
  for (const { deviceId, role } of config.trusted)
    if (observes(role) && isThere(known, deviceId)) add(deviceId, capabilitiesOf(known, deviceId), false)
  return found.sort(
    (a, b) => Number(b.local) - Number(a.local) || b.score - a.score || compareText(a.deviceId, b.deviceId)
  )
}

/**
 * The session over which to reach a device without passing anybody of `avoided`: the shortest way over edges that their observers
 * call good; `null`: there is none. Between ways of one length the lower id decides.
 */
export const nextHop = (
  { config, links, membership }: Known,
  target: DeviceId,
  avoided: ReadonlyArray<DeviceId>
): { readonly peer: DeviceId; readonly link: number } | null => {
  const sessions = links.links.flatMap((link) => (link._tag === "Session" ? [link] : []))
  const direct = sessions.find(({ peer }) => peer === target)
  // A device of generation 1 answers nobody whom it dialled.
  if (direct !== undefined)
    return direct.proven.kernel || direct.dialledByUs ? { peer: target, link: direct.link } : null
  const neighbours = neighboursOf(membership)
  const seen = new Set([config.deviceId, ...avoided])
  // Whom we reach, and over which of our own sessions; all of one distance.
  let edge = sessions
    .filter(({ peer, proven }) => proven.kernel && !seen.has(peer) && mayCarry(config, peer))
    .map(({ link, peer }) => ({ at: peer, by: { peer, link } }))
    .sort((a, b) => compareText(a.at, b.at))
  for (const { at } of edge) seen.add(at)
  for (let length = 2; length < WAY_MAX && edge.length > 0; length++) {
    const further: typeof edge = []
    for (const { at, by } of edge)
      for (const next of neighbours.get(at) ?? []) {
        if (next === target) return by
        if (seen.has(next) || !mayCarry(config, next)) continue
        seen.add(next)
        further.push({ at: next, by })
      }
    edge = further
  }
  return null
}

const mayCarry = (config: Config, deviceId: DeviceId): boolean => {
  const role = roleOf(config, deviceId)
  return role !== undefined && carries(role)
}

/** By the word of either end. */
const neighboursOf = ({ mine, rows }: Membership): ReadonlyMap<DeviceId, ReadonlyArray<DeviceId>> => {
  const all = new Map<DeviceId, Set<DeviceId>>()
  const join = (a: DeviceId, b: DeviceId): void => void (all.get(a) ?? all.set(a, new Set()).get(a)!).add(b)
  for (const { edges, observer } of [mine, ...rows])
    for (const { good, subject } of edges)
      if (good) {
        join(observer, subject)
        join(subject, observer)
      }
  return new Map([...all].map(([at, those]) => [at, [...those].sort(compareText)]))
}
