/**
 * When to dial whom: at the start everybody with an address, afterwards whoever has no session, with doubling backoff and
 * full jitter. A lasting refusal is retried slowly and stays visible; so is a device that left, where an operator said where it is,
 * and else it is not dialled until something tells that it is back.
 */
import { between } from "../Draw.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import { trustedDevice, type Trusted } from "../Config.ts"
import { LEFT_REDIAL_MS, SUPPRESSED_REDIAL_MS } from "../Profile.ts"
import type { Code } from "../wire/Codes.ts"
import { isGone, type Contact } from "./Link.ts"
import * as Gen1 from "./Gen1.ts"
import { decide, postureOf } from "./Policy.ts"
import { isTunnel } from "./Tunnel.ts"
import * as Way from "./Way.ts"

/** At the start dials are spread over this span, so that a site that powers up together does not dial in one instant. */
const FIRST_DIAL_SPREAD_MS = 100
/** No opening takes longer (adapters/ws/Limits.ts). */
const PATIENCE_MAX_MS = 10_000
/** TCP repeats what opens a connection after this, and then twice as late each time (RFC 6298). */
const REPEAT_MS = 1_000
/** The redial after a link that had been stable. */
const PROMPT_REDIAL_SPREAD_MS = 50

const jitter = (turn: Turn, contact: Contact, maxMs: number): number =>
  between(turn.config.seed, "redial", `${turn.bootId}/${contact.peer}`, contact.draws, 0, maxMs)

/** The operator said where it is: always dialled, whatever discovery knows. */
export const isConfigured = (turn: Turn, contact: Contact): boolean =>
  (trustedDevice(turn.config, contact.peer)?.address ?? null) !== null

const hasAddress = (turn: Turn, contact: Contact): boolean =>
  isConfigured(turn, contact) || (contact.found.length > 0 && Gen1.mayDialFound(turn, contact.peer))

const dueIn = (turn: Turn, contact: Contact, ms: number): number => {
  if (!contact.kept || !hasAddress(turn, contact)) return NEVER_MS
  if (!isGone(contact)) return turn.at.mono + ms
  return isConfigured(turn, contact) ? turn.at.mono + Math.max(ms, LEFT_REDIAL_MS) : NEVER_MS
}

const scheduled = (turn: Turn, contact: Contact, inMs: number): Contact => ({
  ...contact,
  draws: contact.draws + 1,
  nextDialAt: dueIn(turn, contact, inMs)
})

export const firstDial = (turn: Turn, contact: Contact): Contact =>
  scheduled(turn, contact, jitter(turn, contact, FIRST_DIAL_SPREAD_MS))

/** After a session that was up for `upMs`. */
export const redialAfterSession = (turn: Turn, contact: Contact, upMs: number): Contact =>
  upMs >= turn.config.profile.redialResetMs
    ? scheduled(turn, { ...contact, failures: 0 }, jitter(turn, contact, PROMPT_REDIAL_SPREAD_MS))
    : redialAfterFailure(turn, contact)

/** It is dead, and every address at which it was found has been tried since: a record that lives on says nothing more. */
const isSuppressed = (turn: Turn, contact: Contact): boolean =>
  contact.dead && contact.tried >= contact.found.length && !isConfigured(turn, contact)

export const redialAfterFailure = (turn: Turn, contact: Contact): Contact => {
  // Not never: of a network that was divided for less than a record lives, nothing tells that it is whole again.
  if (isSuppressed(turn, contact))
    return scheduled(turn, { ...contact, failures: contact.failures + 1 }, SUPPRESSED_REDIAL_MS)
  const longestMs = Gen1.redialMaxMs(turn, contact.peer)
  const capMs = Math.min(longestMs, turn.config.profile.redialMs * (1 << Math.min(contact.failures, 16)))
  return scheduled(turn, { ...contact, failures: contact.failures + 1 }, jitter(turn, contact, capMs))
}

const roundGoesOn = (turn: Turn, contact: Contact): boolean =>
  contact.round > 0 &&
  contact.round < contact.found.length &&
  !isConfigured(turn, contact) &&
  !isSuppressed(turn, contact)

/** An attempt came to nothing: the next address that discovery told of, at once; all of them are one failure. */
export const redialAfterAttempt = (turn: Turn, contact: Contact): Contact =>
  roundGoesOn(turn, contact)
    ? scheduled(turn, contact, jitter(turn, contact, PROMPT_REDIAL_SPREAD_MS))
    : redialAfterFailure(turn, { ...contact, round: 0, refusals: 0 })

/** It may not be dialled there, or somebody else answered. Of several addresses that is lasting only if it is so at each. */
export const redialAfterAddress = (turn: Turn, contact: Contact, code: string): Contact => {
  if (isConfigured(turn, contact) || contact.found.length < 2) return redialAfterRefusal(turn, contact, code)
  const next = { ...contact, refusals: contact.refusals + 1 }
  return next.refusals < next.found.length
    ? redialAfterAttempt(turn, next)
    : redialAfterRefusal(turn, { ...next, round: 0, refusals: 0 }, code)
}

/** When the dial that is out gives way to the next address. */
export const hurriesAt = ({ attempt, hurryAt }: Contact): number => (attempt === null ? NEVER_MS : hurryAt)

export const giveWay = (turn: Turn, contact: Contact): Contact => {
  turn.out.push({ _tag: "CancelDial", attempt: contact.attempt! })
  return redialAfterAttempt(turn, { ...contact, attempt: null })
}

/** How long one address of several is waited for: longer each round, for the line may be slow, or both ends. */
const patienceMs = (turn: Turn, { failures }: Contact): number =>
  Math.min(PATIENCE_MAX_MS, turn.config.profile.probeDeadlineMs * (1 << Math.min(failures, 8)))

/** Rows or a record tell of this incarnation. Of one that said goodbye it is the word to dial it again, if that is wanted. */
export const told = (turn: Turn, contact: Contact, incarnation: number): Contact => {
  if (incarnation <= contact.told) return contact
  const next = { ...contact, told: incarnation }
  const isBack = isGone(contact) && !isGone(next)
  return isBack && contact.session === null && contact.attempt === null ? firstDial(turn, next) : next
}

/**
 * Somebody reaches it whom we do not. What was sent into a cut may be repeated only seconds after its end, and the wait between
 * two dials has grown meanwhile: it is dialled anew, unless it just was.
 */
export const redialReached = (turn: Turn, contact: Contact): Contact => {
  const waits = contact.attempt === null && contact.nextDialAt !== NEVER_MS
  if (isGone(contact) || contact.refused !== null || !(waits || contact.attempt !== null)) return contact
  if (turn.at.mono - contact.dialledAt < REPEAT_MS) return contact
  if (contact.nextDialAt <= turn.at.mono + FIRST_DIAL_SPREAD_MS) return contact
  if (contact.attempt !== null) turn.out.push({ _tag: "CancelDial", attempt: contact.attempt })
  return firstDial(turn, { ...contact, attempt: null })
}

/**
 * It said goodbye. Where an operator said where it is, nothing else may tell that it is back: it is looked for now and then. Whoever
 * is known to be back already is dialled as anybody.
 */
export const redialLeft = (turn: Turn, contact: Contact): Contact =>
  isGone(contact) ? scheduled(turn, contact, LEFT_REDIAL_MS) : firstDial(turn, contact)

/** A device of generation 1 said goodbye: nothing but a session will tell that it is there again. */
export const redialAfterGoodbye = (turn: Turn, contact: Contact): Contact =>
  scheduled(turn, { ...contact, failures: contact.failures + 1 }, Gen1.redialMaxMs(turn, contact.peer))

/**
 * It knows a later incarnation of ours than we do, it says, and is asked which. After lives that began at others' words, `reborn`
 * of them in this process, it has to wait: 1, 2, 4… times `redialResetMs`, five minutes at most.
 */
export const dialToAsk = (turn: Turn, contact: Contact, reborn: number): Contact => {
  const asking = redialAfterFailure(turn, contact)
  if (reborn === 0 || asking.nextDialAt === NEVER_MS) return asking
  const { redialRefusedMs, redialResetMs } = turn.config.profile
  const waitMs = Math.min(redialRefusedMs, redialResetMs * (1 << Math.min(reborn - 1, 16)))
  return { ...asking, nextDialAt: asking.nextDialAt + waitMs }
}

/** After a refusal that trying again soon cannot change. */
export const redialAfterRefusal = (turn: Turn, contact: Contact, code: string): Contact => ({
  ...contact,
  refused: code,
  failures: contact.failures + 1,
  nextDialAt: dueIn(turn, contact, turn.config.profile.redialRefusedMs)
})

/** Why this device may not be dialled at this URL (B18); `null`: it may. In the simulator addresses are names. */
const forbidden = (
  device: Trusted,
  url: string,
  label: string | null
): { readonly code: Code; readonly why: string } | null => {
  if (!url.includes("://") && !isTunnel(url)) return null
  const link = Way.planned(device, url, label)
  if ("message" in link) return { code: "INSECURE_TRANSPORT", why: link.message }
  const verdict = decide(link)
  return verdict.allowed ? null : verdict
}

/** What the last dial of a device is called in events. */
export const shownAttempt = (turn: Turn, contact: Contact) => {
  const device = trustedDevice(turn.config, contact.peer)
  const configured = device?.address ?? null
  const url = configured ?? Way.advertised(device, contact.found[0] ?? "")
  return shownWay(device, url, configured === null ? Way.DISCOVERED : (device?.label ?? null))
}

const shownWay = (device: Trusted | undefined, url: string, label: string | null) => {
  if (device === undefined) return {}
  const link = Way.planned(device, url, label)
  return "message" in link ? {} : Way.shown({ label: link.label, posture: postureOf(link) })
}

/** Where the operator's address came to nothing, each other dial goes through a relay, if there is one. */
const detour = ({ failures, found }: Contact): string | undefined => {
  const tunnels = failures % 2 === 1 ? found.filter(isTunnel) : []
  return tunnels[((failures - 1) / 2) % Math.max(1, tunnels.length)]
}

export const dial = (turn: Turn, contact: Contact, attempt: number): Contact => {
  const device = trustedDevice(turn.config, contact.peer)
  const told = device?.address ?? null
  const configured = told === null ? null : (detour(contact) ?? told)
  const advert = contact.found[contact.tried % Math.max(1, contact.found.length)]
  const address = configured ?? (advert === undefined ? null : Way.advertised(device, advert))
  if (address === null) return { ...contact, nextDialAt: NEVER_MS }
  const label = configured === null ? Way.DISCOVERED : (device?.label ?? null)
  const refused = device === undefined ? null : forbidden(device, address, label)
  const way = shownWay(device, address, label)
  if (refused !== null) {
    turn.facts.push({ _tag: "Refused", code: refused.code })
    note(turn, { event: "connection.refused", about: contact.peer, code: refused.code, reason: refused.why, ...way })
    const { round, tried } = contact
    return redialAfterAddress(turn, { ...contact, tried: tried + 1, round: round + 1 }, refused.code)
  }
  const fingerprint = device?.fingerprint
  turn.out.push({
    _tag: "Dial",
    attempt,
    to: contact.peer,
    address,
    ...(configured === null || configured !== told || fingerprint == null ? {} : { fingerprint })
  })
  const because = contact.failures > 0 ? "retry" : configured === null ? "advert" : "address"
  note(turn, { event: "peer.dial", about: contact.peer, reason: because, ...way })
  const dialled: Contact = { ...contact, attempt, nextDialAt: NEVER_MS, dialledAt: turn.at.mono, hurryAt: NEVER_MS }
  if (configured !== null) return dialled
  const round = contact.round + 1
  const hurryAt = round < contact.found.length ? turn.at.mono + patienceMs(turn, contact) : NEVER_MS
  return { ...dialled, tried: contact.tried + 1, round, hurryAt }
}
