/**
 * How a mesh comes to another list of electors while it runs (PROTOCOL.md P7.22 to P7.24; Manifest.ts says what such a list is).
 *
 * The operator gives it to any node; each hands it on. An elector of the list in force stores it, lets go of what it leads, and
 * acknowledges once it owes nobody a vote; whoever holds the acknowledgements of a majority has it in force, and shows it to the others,
 * those that were away when they come back.
 *
 * Promises: at most one list waits to be in force; signatures are checked before anything changes, one message at a time, and of each
 * peer at most one waits meanwhile, its last. A list that never finds its majority leaves the mesh without a leader where it could have
 * none under the old one either.
 */
import type { Command } from "../Command.ts"
import type { Checked } from "../Input.ts"
import { kernelLinks, type Links } from "../links/Link.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import type { DeviceId, ShownManifest, SignedManifest } from "../wire/Frame.ts"
import { isElector, standLater, type Leadership } from "./Leadership.ts"
import * as Leading from "./Leading.ts"
import * as Manifest from "./Manifest.ts"
import { acknowledgedAt, type Reconfiguration, type Waiting } from "./Reconfiguration.ts"
import { stepDown } from "./Voting.ts"

/** Above every other ticket of a signature or a check. */
const SIGN_TICKET = 2 ** 47
const CHECK_FROM = SIGN_TICKET
/** How often a list that is not in force yet is shown to all. */
export const TELL_AGAIN_MS = 10_000

const withRoom = (leadership: Leadership, change: Partial<Reconfiguration>): Leadership => ({
  ...leadership,
  reconfiguration: { ...leadership.reconfiguration, ...change }
})

/** To one that we have a session with now: it may know of nothing newer than what it was configured with. */
export const greet = ({ reconfiguration: { next } }: Leadership, link: number, { config, out }: Turn): void => {
  const { shown } = config.manifest
  for (const one of [shown, next ?? undefined]) if (one !== undefined) out.push(showing(one, link))
}

const showing = ({ acks, manifest }: ShownManifest, link: number): Command => ({
  _tag: "Send",
  link,
  frame: { type: "event", event: "mesh.manifest", payload: { manifest, acks } }
})

const toAll = (shown: ShownManifest, links: Links, turn: Turn): void => {
  for (const link of kernelLinks(links)) turn.out.push(showing(shown, link))
}

/** Somebody shows a list of electors; `null`: the operator, here. */
export const shownBy = (
  leadership: Leadership,
  from: DeviceId | null,
  shown: ShownManifest,
  turn: Turn,
  links: Links
): Leadership => {
  const { manifest } = shown
  // It is in force already, or an older one.
  if (manifest.version <= turn.config.manifest.version) return leadership
  const fault = Manifest.faultOf(manifest)
  if (fault !== null) return refused(leadership, manifest, fault, turn)
  const { checking, entering, waiting } = leadership.reconfiguration
  if (checking === null && entering === null) return check(leadership, { from, shown }, turn, links)
  const claims = Manifest.isInForce(shown)
  const others = waiting.filter((other) => other.from !== from || Manifest.isInForce(other.shown) !== claims)
  return withRoom(leadership, { waiting: [...others, { from, shown }] })
}

const refused = (leadership: Leadership, { version }: SignedManifest, reason: string, turn: Turn): Leadership => {
  note(turn, { event: "manifest.refused", count: version, reason })
  turn.facts.push({ _tag: "Refused", code: "INVALID_PARAMS" })
  return leadership
}

const check = (leadership: Leadership, { from, shown }: Waiting, turn: Turn, links: Links): Leadership => {
  const { config } = turn
  const { checks, next } = leadership.reconfiguration
  const { acks, manifest } = shown
  const isKnown = next !== null && Manifest.isSame(config, next.manifest, manifest)
  const known = isKnown ? next.acks : []
  const news = acks.filter(
    ({ elector }, place) =>
      manifest.previous.electors.includes(elector) &&
      !known.some((ack) => ack.elector === elector) &&
      acks.findIndex((ack) => ack.elector === elector) === place
  )
  if (isKnown && news.length === 0) return following(leadership, turn, links)
  const asked = [...(isKnown ? [] : [null]), ...news]
  const open = asked.map((ack, place) => ({ ticket: CHECK_FROM + checks + place + 1, ack }))
  for (const { ack, ticket } of open)
    turn.out.push({
      _tag: "Check",
      ticket,
      publicKey: ack?.publicKey ?? config.meshKey,
      proofs: [
        ack === null
          ? { payload: Manifest.payloadOf(config, manifest), signature: manifest.signature }
          : { payload: Manifest.ackPayloadOf(config, manifest), signature: ack.signature }
      ]
    })
  return withRoom(leadership, { checking: { from, shown, open, good: known }, checks: checks + open.length })
}

/** The next of those that waited that is worth a look; while a list comes into force they wait on, as what they are worth depends on it. */
const following = (leadership: Leadership, turn: Turn, links: Links): Leadership => {
  const idle = withRoom(leadership, { checking: null })
  const { entering, waiting } = idle.reconfiguration
  const [first, ...others] = waiting
  if (entering !== null || first === undefined) return idle
  const next = shownBy(withRoom(idle, { waiting: others }), first.from, first.shown, turn, links)
  // What is in force meanwhile, or nothing new, keeps nobody busy.
  return next.reconfiguration.checking === null ? following(next, turn, links) : next
}

/** The key store has looked at one of the signatures. */
export const onChecked = (
  leadership: Leadership,
  { deviceId, ticket, valid }: typeof Checked.Type,
  turn: Turn,
  links: Links
): Leadership => {
  const { checking } = leadership.reconfiguration
  const one = checking?.open.find((other) => other.ticket === ticket)
  if (checking === null || one === undefined) return leadership
  const isTrue = valid[0] === true && (one.ack === null || one.ack.elector === deviceId)
  if (!isTrue) turn.facts.push({ _tag: "Refused", code: "AUTH_FAILED" })
  // Without the operator's word it is nothing, whoever has acknowledged it.
  if (one.ack === null && !isTrue) {
    const reason = "it is not signed with the key of the mesh"
    note(turn, { event: "manifest.refused", count: checking.shown.manifest.version, reason })
    return following(leadership, turn, links)
  }
  const open = checking.open.filter((other) => other !== one)
  const good = isTrue && one.ack !== null ? [...checking.good, one.ack] : checking.good
  if (open.length > 0) return withRoom(leadership, { checking: { ...checking, open, good } })
  const { manifest } = checking.shown
  return following(taken(leadership, { manifest, acks: good }, turn, links), turn, links)
}

/** It is the operator's, with these acknowledgements. */
const taken = (leadership: Leadership, shown: ShownManifest, turn: Turn, links: Links): Leadership => {
  const { config } = turn
  const { next } = leadership.reconfiguration
  const { manifest } = shown
  if (manifest.version <= config.manifest.version) return leadership
  if (Manifest.isInForce(shown)) return enter(leadership, shown, turn)
  if (next !== null && Manifest.isSame(config, next.manifest, manifest)) {
    if (shown.acks.length <= next.acks.length) return leadership
    const grown = withRoom(leadership, { next: { ...next, acks: shown.acks } })
    toAll(shown, links, turn)
    return grown
  }
  if (!Manifest.isAfter(manifest, config.manifest))
    return refused(leadership, manifest, `it replaces version ${manifest.previous.version}, which we do not have`, turn)
  if (next !== null)
    return refused(leadership, manifest, `version ${next.manifest.version} waits for its majority`, turn)
  return succeed(leadership, shown, turn, links)
}

const isEqual = (a: ReadonlyArray<DeviceId>, b: ReadonlyArray<DeviceId>): boolean =>
  a.length === b.length && a.every((id, place) => id === b[place])

/** It is to replace the one in force; an elector of that one stores it, and has no say from now on until it is. */
const succeed = (leadership: Leadership, shown: ShownManifest, turn: Turn, links: Links): Leadership => {
  const { config, forgetful } = turn
  const { version } = shown.manifest
  note(turn, { event: "manifest.proposed", count: version })
  toAll(shown, links, turn)
  const tellAt = turn.at.mono + TELL_AGAIN_MS
  const agrees = isEqual(shown.manifest.previous.electors, config.manifest.electors)
  // Of what it has forgotten may be that it acknowledged another one.
  if (!agrees || forgetful || !isElector(config, config.deviceId)) {
    if (!agrees) note(turn, { event: "manifest.refused", count: version, reason: "it replaces another list than ours" })
    return withRoom(leadership, { next: { ...shown, ticket: null, ackAt: NEVER_MS, tellAt } })
  }
  const ticket = turn.persist({ _tag: "Manifest", shown, forgets: false }, [])
  const free = Leading.release(leadership, turn, links, "there is a new list of electors")
  return withRoom({ ...free, abstains: true }, { next: { ...shown, ticket, ackAt: turn.at.mono, tellAt } })
}

/** A record is on stable storage: perhaps the list that we will acknowledge, or the one that is in force now. */
export const onStored = (leadership: Leadership, ticket: number, turn: Turn, links: Links): Leadership => {
  const { entering, next } = leadership.reconfiguration
  if (next !== null && next.ticket === ticket) {
    const stored = withRoom(leadership, { next: { ...next, ticket: null } })
    return onTime(stored, turn, links)
  }
  if (entering !== ticket) return leadership
  const { manifest } = turn.config
  if (manifest.shown !== undefined) toAll(manifest.shown, links, turn)
  const entered = withRoom({ ...leadership, abstains: turn.forgetful }, { entering: null })
  const owed = Math.max(entered.promisedUntil, entered.silentUntil)
  return following(standLater(entered, turn, owed - turn.at.mono), turn, links)
}

/** Acknowledges it, where nothing stands against that, and again where the key did not sign; and shows it to all once more. */
export const onTime = (leadership: Leadership, turn: Turn, links: Links): Leadership => {
  const { next } = leadership.reconfiguration
  if (next === null) return leadership
  const now = turn.at.mono
  const acknowledges = acknowledgedAt(leadership) <= now
  const tells = next.tellAt <= now
  if (!acknowledges && !tells) return leadership
  if (acknowledges)
    turn.out.push({ _tag: "Sign", ticket: SIGN_TICKET, payloads: [Manifest.ackPayloadOf(turn.config, next.manifest)] })
  if (tells) toAll(next, links, turn)
  return withRoom(leadership, {
    next: {
      ...next,
      ackAt: acknowledges ? now + turn.config.profile.promiseMs : next.ackAt,
      tellAt: tells ? now + TELL_AGAIN_MS : next.tellAt
    }
  })
}

export const onSigned = (
  leadership: Leadership,
  ticket: number,
  signatures: ReadonlyArray<string> | null,
  turn: Turn,
  links: Links
): Leadership => {
  const { next } = leadership.reconfiguration
  const signature = signatures?.[0]
  if (ticket !== SIGN_TICKET || next === null || signature === undefined) return leadership
  const { deviceId: elector, publicKey } = turn.config
  if (next.acks.some((ack) => ack.elector === elector)) return leadership
  note(turn, { event: "manifest.acknowledged", count: next.manifest.version })
  const acks = [...next.acks, { elector, publicKey, signature }]
  const acknowledged = withRoom(leadership, { next: { ...next, acks, ackAt: NEVER_MS } })
  const shown = { manifest: next.manifest, acks }
  if (Manifest.isInForce(shown)) return enter(acknowledged, shown, turn)
  toAll(shown, links, turn)
  return acknowledged
}

/** It is in force: once it is stored we vote by it. What was promised by the one before still holds. */
const enter = (leadership: Leadership, shown: ShownManifest, turn: Turn): Leadership => {
  const { config, forgetful, forgotIn } = turn
  const { version } = shown.manifest
  const forgets = forgetful && !Manifest.readmits(shown.manifest, config.deviceId, forgotIn)
  const entering = turn.persist({ _tag: "Manifest", shown, forgets }, [])
  note(turn, { event: "manifest.in-force", count: version })
  const follower = stepDown(leadership, turn, "there is a new list of electors")
  const next: Leadership = { ...follower, leader: null, heardAt: 0, standAt: NEVER_MS, rounds: 0, abstains: true }
  return withRoom(next, { next: null, entering })
}
