/**
 * Anti-entropy (P14.8 to P14.13; B39): the two ends of a link compare what they hold of every log, and whoever lacks something asks
 * for it, oldest first.
 *
 * Each heartbeat brings a fingerprint of all that the other end holds. Where it is not ours, each tells the other of the logs that
 * changed since it last did; whoever holds less of one asks for the rest, one chunk at a time on each link, each log on one
 * link at a time. What is asked for goes behind everything else, in messages of one lane frame, and each frame of it is
 * checked as if it came live. A chunk grows while the line is quick, so that a thin one is not filled for long.
 *
 * Promises: whatever is lost, dropped or answered late is asked for again; where nobody holds a frame any more the log goes on
 * behind it, and the gap is told. Which of several links is asked: the one whose end holds most of the past.
 *
 * Does not guard against a trusted device that claims to hold nothing more of a log while nobody else is linked with us: what it
 * left out stays missing in the log. What stands in the world can still come from others.
 */
import { carries, roleOf } from "../Config.ts"
import { spend, type Rate } from "../Budget.ts"
import { NEVER_MS } from "../Time.ts"
import { note, send, type Fact, type Turn } from "../Turn.ts"
import type { ContextFrame } from "../wire/ContextFrame.ts"
import {
  FRAMES_A_PAGE,
  STREAMS_A_MESSAGE,
  type DeviceId,
  type EntriesPrint,
  type Event,
  type StreamHead
} from "../wire/Frame.ts"
import { LANE_FRAME_BYTES_MAX } from "../wire/Limits.ts"
import { holdEntry, holdPage } from "./Holding.ts"
import * as Log from "./Log.ts"
import * as Origin from "./Origin.ts"
import { check, good, refuse } from "./Receiving.ts"
import { logOf, nextOf, originOf, type Checking, type Exchange, type Page, type World } from "./World.ts"

/** What is asked for at once, at first, at least, and at most. */
const QUOTA_FIRST_BYTES = 8_192
const QUOTA_MIN_BYTES = 2_048
export const QUOTA_MAX_BYTES = 65_536
/** A chunk that was there within this says that the next may be larger; one that took longer than the other, smaller. */
const QUICK_MS = 500
const SLOW_MS = 2_000
/** Nobody waits longer for the next message of a chunk. */
export const ASK_MS = 10_000
/** And asks that end again no sooner. */
const REST_MS = 5_000
/** Nor one that gave us something that its origin did not sign. */
export const LIAR_REST_MS = 60_000
/** So many heartbeats that differ, and nothing new to tell: what was told may have been lost. */
const TELL_AGAIN_BEATS = 8
/** After so many heartbeats that differ, with no log that one end lacks: entries may. */
const ENTRIES_AFTER_BEATS = 4
/** Of one message, besides its frames. */
const PAGE_HEAD_BYTES = 400
/** Signature, age and hops, which the signed text does not have, and a comma. */
const FRAME_REST_BYTES = 160

const WANTS: Rate = { atOnce: 64, eachMs: 20 }

export const begun = (link: number, peer: DeviceId): Exchange => ({
  link,
  peer,
  differs: 0,
  told: -1,
  theirs: [],
  prints: [],
  asked: null,
  quota: QUOTA_FIRST_BYTES,
  restUntil: 0,
  given: 0,
  budget: { until: 0, pressing: false }
})

export const onFact = (world: World, fact: Fact): World => {
  if (fact._tag === "SessionUp" && fact.kernel) {
    const exchanges = [...world.exchanges.filter(({ link }) => link !== fact.link), begun(fact.link, fact.peer)]
    return { ...world, exchanges: exchanges.sort((a, b) => a.link - b.link) }
  }
  if (fact._tag !== "SessionDown") return world
  const exchanges = world.exchanges.filter(({ link }) => link !== fact.link)
  return exchanges.length === world.exchanges.length ? world : { ...world, exchanges }
}

export const withExchange = (world: World, exchange: Exchange): World => {
  const at = world.exchanges.findIndex(({ link }) => link === exchange.link)
  return at < 0 || world.exchanges[at] === exchange
    ? world
    : { ...world, exchanges: world.exchanges.with(at, exchange) }
}

const exchangeOf = (world: World, link: number): Exchange | undefined =>
  world.exchanges.find((exchange) => exchange.link === link)

/** A heartbeat says what the other end holds, all of it in one number. */
export const onHeartbeat = (world: World, link: number, said: number, turn: Turn): World => {
  const exchange = exchangeOf(world, link)
  if (exchange === undefined) return world
  if (said === world.digest) return agreed(world, exchange, turn)
  const differs = exchange.differs + 1
  let next = { ...exchange, differs }
  // What is on its way when the first one comes is there when the second does.
  if (exchange.told < 0 || differs >= 2) next = tell(world, next, turn)
  return ask(withExchange(world, next), next, turn)
}

const agreed = (world: World, exchange: Exchange, turn: Turn): World => {
  if (exchange.given > 0)
    note(turn, { event: "world.caught-up", about: exchange.peer, link: exchange.link, count: exchange.given })
  const { differs, given, prints, theirs } = exchange
  if (differs === 0 && theirs.length === 0 && prints.length === 0 && given === 0) return world
  return withExchange(world, { ...exchange, differs: 0, theirs: [], prints: [], given: 0 })
}

/** What a device in our role gives others: those that carry what they hold, others their own, viewers nothing. */
const gives = (turn: Turn, origin: DeviceId): boolean =>
  carries(turn.config.role) || (origin === turn.config.deviceId && turn.config.role !== "viewer")

const tell = (world: World, exchange: Exchange, turn: Turn): Exchange => {
  const since = exchange.told
  const heads: Array<StreamHead> = []
  const prints: Array<EntriesPrint> = []
  for (const { changed, deviceId, logs, print } of world.origins) {
    if (!gives(turn, deviceId)) continue
    if (changed > since) prints.push({ origin: deviceId, print })
    for (const log of logs) if (log.changed > since && log.next > 1) heads.push(Log.headOf(log))
  }
  const count = Math.max(heads.length, prints.length)
  if (count === 0) return exchange.differs % TELL_AGAIN_BEATS === 0 && since >= 0 ? { ...exchange, told: -1 } : exchange
  for (let at = 0; at < count; at += STREAMS_A_MESSAGE) {
    const until = at + STREAMS_A_MESSAGE
    const payload = { streams: heads.slice(at, until), entries: prints.slice(at, until) }
    turn.lower.push({ lane: "bulk", link: exchange.link, frame: { type: "event", event: "mesh.world.have", payload } })
  }
  return { ...exchange, told: world.changes }
}

type Have = Extract<Event, { readonly event: "mesh.world.have" }>["payload"]

const mayGive = (turn: Turn, peer: DeviceId, origin: DeviceId): boolean => {
  const role = roleOf(turn.config, peer)
  return role !== undefined && (carries(role) || (origin === peer && role !== "viewer"))
}

/** The other end tells what it holds. */
export const onHave = (world: World, link: number, { entries, streams }: Have, turn: Turn): World => {
  const exchange = exchangeOf(world, link)
  if (exchange === undefined) return world
  if (![...streams, ...entries].every(({ origin }) => mayGive(turn, exchange.peer, origin))) {
    refuse(turn, "NOT_AUTHORIZED", exchange.peer, link, "this device gives no frames of others")
    return world
  }
  const theirs = exchange.theirs.filter(
    (head) => !streams.some(({ incarnation, origin }) => incarnation === head.incarnation && origin === head.origin)
  )
  for (const head of streams)
    if (roleOf(turn.config, head.origin) !== undefined && head.next > nextOf(world, head.origin, head.incarnation))
      theirs.push(head)
  const prints = exchange.prints.filter(({ origin }) => !entries.some((other) => other.origin === origin))
  for (const said of entries)
    if (roleOf(turn.config, said.origin) !== undefined && said.print !== printOf(world, said.origin)) prints.push(said)
  const next = { ...exchange, theirs: theirs.slice(0, THEIRS_MAX), prints: prints.slice(0, THEIRS_MAX) }
  return ask(withExchange(world, next), next, turn)
}

/** Logs that one end is known to hold more of; what is beyond is told again later. */
const THEIRS_MAX = 4_096

const printOf = (world: World, deviceId: DeviceId): number => originOf(world, deviceId)?.print ?? 0

/** Asks for what this end holds and we do not, if nothing is asked of it: logs first, and entries where these lead no further. */
const ask = (world: World, exchange: Exchange, turn: Turn): World => {
  const now = turn.at.mono
  if (exchange.asked !== null || exchange.restUntil > now) return world
  const next = exchange.theirs.length === 0 ? world : askForLogs(world, exchange, turn)
  const after = exchangeOf(next, exchange.link)!
  return after.asked !== null || after.theirs.length > 0 ? next : askForEntries(next, after, null, turn)
}

/** Both know the logs as far as each other, and still not the same as the newest: a log has a hole that nobody can fill. */
const askForEntries = (world: World, exchange: Exchange, got: Page | null, turn: Turn): World => {
  if (exchange.differs < ENTRIES_AFTER_BEATS) return world
  const prints = exchange.prints.filter(({ origin, print }) => print !== printOf(world, origin))
  const [first] = prints
  if (first === undefined)
    return prints.length === exchange.prints.length ? world : withExchange(world, { ...exchange, prints })
  const { origin } = first
  const from = got?.origin === origin ? got.through + 1 : 0
  return asking(world, { ...exchange, prints }, { origin, incarnation: 0, from }, turn)
}

const askForLogs = (world: World, exchange: Exchange, turn: Turn): World => {
  const now = turn.at.mono
  const theirs = exchange.theirs.filter((head) => head.next > nextOf(world, head.origin, head.incarnation))
  const head = theirs.find((mine) => isOurs(world, exchange, mine, now))
  if (head === undefined)
    return theirs.length === exchange.theirs.length ? world : withExchange(world, { ...exchange, theirs })
  const { incarnation, origin } = head
  return asking(world, { ...exchange, theirs }, { origin, incarnation, from: nextOf(world, origin, incarnation) }, turn)
}

/** Asks this end for that, from there on. */
const asking = (world: World, exchange: Exchange, what: Omit<Want, "bytes">, turn: Turn): World => {
  const now = turn.at.mono
  send(turn, exchange.link, "mesh.world.want", { ...what, bytes: exchange.quota })
  return withExchange(world, { ...exchange, asked: { ...what, at: now, until: now + ASK_MS } })
}

/** Nobody else is asked for it, and nobody else holds more of its past. */
const isOurs = (world: World, { link }: Exchange, head: StreamHead, now: number): boolean =>
  world.exchanges.every(({ asked, link: other, restUntil, theirs }) => {
    if (other === link) return true
    if (asked !== null && asked.origin === head.origin && asked.incarnation === head.incarnation) return false
    const next = nextOf(world, head.origin, head.incarnation)
    if (head.floor < next || restUntil > now) return true
    return !theirs.some(
      ({ floor, incarnation, next: to, origin }) =>
        origin === head.origin && incarnation === head.incarnation && floor < head.floor && to > next
    )
  })

type Want = Extract<Event, { readonly event: "mesh.world.want" }>["payload"]

/** The other end asks for what it lacks. */
export const onWant = (world: World, link: number, want: Want, turn: Turn): World => {
  const exchange = exchangeOf(world, link)
  if (exchange === undefined) return world
  const { budget, within } = spend(exchange.budget, WANTS, turn.at.mono)
  const next = withExchange(world, { ...exchange, budget })
  if (!within || !gives(turn, want.origin)) {
    refuse(turn, within ? "NOT_AUTHORIZED" : "RATE_LIMITED", exchange.peer, link, "it asks for frames")
    return next
  }
  const origin = originOf(world, want.origin)
  if (want.incarnation === 0) {
    giveEntries(origin, link, want, turn)
    return next
  }
  const log = origin === undefined ? undefined : Origin.logOf(origin, want.incarnation)
  give(origin, log, link, want, turn)
  return next
}

/** Its signed entries, in their order, from that place on. */
const giveEntries = (origin: Origin.Origin | undefined, link: number, want: Want, turn: Turn): void => {
  const all = origin === undefined ? [] : Origin.entriesOf(origin).filter(({ frame }) => frame.kernel !== undefined)
  const rest = all.slice(want.from)
  const { isCutShort, pages } = paged(
    rest.map((held, i) => ({ held, at: want.from + i })),
    want,
    turn
  )
  if (pages.length === 0) pages.push({ from: want.from, through: want.from - 1, frames: [] })
  // An end that is empty says that there are no more.
  else if (!isCutShort) pages.push({ from: want.from + rest.length, through: want.from + rest.length - 1, frames: [] })
  say(pages, link, want, turn)
}

/** What is held of it, from the oldest on, as much as was asked for. */
const give = (
  origin: Origin.Origin | undefined,
  log: Log.Log | undefined,
  link: number,
  want: Want,
  turn: Turn
): void => {
  const { from } = want
  const { isCutShort, pages } = paged(log === undefined ? [] : heldFrom(origin!, log, from), want, turn)
  const last = pages.at(-1)
  // What is gone behind the last one that is held is gone, too.
  if (!isCutShort && log !== undefined && log.next - 1 > (last?.through ?? from - 1)) {
    if (last === undefined) pages.push({ from, through: log.next - 1, frames: [] })
    else last.through = log.next - 1
  }
  if (pages.length === 0) pages.push({ from, through: from - 1, frames: [] })
  say(pages, link, want, turn)
}

interface Given {
  readonly from: number
  through: number
  readonly frames: Array<ContextFrame>
}

interface Placed {
  readonly held: Log.Held
  readonly at: number
}

/** In messages of one lane frame each, as many bytes as were asked for; of the first one there is always room for one. */
const paged = (all: Iterable<Placed>, { bytes, from }: Want, turn: Turn) => {
  const pages: Array<Given> = []
  let left = Math.min(bytes, QUOTA_MAX_BYTES)
  let pageBytes = LANE_FRAME_BYTES_MAX
  let through = from - 1
  for (const { at, held } of all) {
    const size = held.bytes + FRAME_REST_BYTES
    left -= size
    if (left < 0 && pages.length > 0) return { pages, isCutShort: true }
    if (pageBytes + size > LANE_FRAME_BYTES_MAX || pages.at(-1)!.frames.length >= FRAMES_A_PAGE) {
      pages.push({ from: through + 1, through, frames: [] })
      pageBytes = PAGE_HEAD_BYTES
    }
    const page = pages.at(-1)!
    page.frames.push(Log.told(held, turn.at.mono))
    page.through = at
    pageBytes += size
    through = at
  }
  return { pages, isCutShort: false }
}

const say = (pages: ReadonlyArray<Given>, link: number, { incarnation, origin }: Want, turn: Turn): void =>
  pages.forEach((page, i) => {
    const payload = { origin, incarnation, ...page, last: i === pages.length - 1 }
    turn.lower.push({ lane: "bulk", link, frame: { type: "event", event: "mesh.world.frames", payload } })
  })

/** The newest of each kind that came before the log that is held, and then that. */
function* heldFrom(origin: Origin.Origin, log: Log.Log, from: number): Generator<Placed> {
  if (from <= log.floor)
    for (const held of Origin.entriesOf(origin))
      if (held.incarnation === log.incarnation && held.seq >= from && held.seq <= log.floor)
        yield { held, at: held.seq }
  for (let at = Math.max(from, log.floor + 1); at < log.next; at++) yield { held: Log.heldAt(log, at)!, at }
}

type Frames = Extract<Event, { readonly event: "mesh.world.frames" }>["payload"]

/** A part of what we asked for. */
export const onFrames = (world: World, link: number, said: Frames, turn: Turn): World => {
  const exchange = exchangeOf(world, link)
  const asked = exchange?.asked
  if (exchange === undefined || asked == null) return world
  const { frames, from, incarnation, last, origin, through } = said
  // The answer to something that we have given up waiting for.
  if (origin !== asked.origin || incarnation !== asked.incarnation || from !== asked.from) return world
  // Since it was asked for the operator has changed its mind.
  if (roleOf(turn.config, origin) === undefined) return withExchange(world, { ...exchange, asked: null })
  const page = { origin, incarnation, from, through, last }
  if (!isInOrder(said)) {
    refuse(turn, "INVALID_PARAMS", exchange.peer, link, "frames that were not asked for")
    return withExchange(world, rested(exchange, turn, LIAR_REST_MS))
  }
  const waiting = { ...exchange, asked: { ...asked, from: through + 1, until: turn.at.mono + ASK_MS } }
  if (frames.length === 0) return applied(withExchange(world, waiting), waiting, page, [], [], turn)
  const checked = check(world, frames, exchange.peer, link, page, turn)
  if (checked === null) return withExchange(world, rested(exchange, turn, LIAR_REST_MS))
  return withExchange(checked, waiting)
}

const isInOrder = ({ frames, from, incarnation, origin, through }: Frames): boolean => {
  if (incarnation === 0)
    return (
      frames.every(({ kernel, sourceDeviceId }) => sourceDeviceId === origin && kernel !== undefined) &&
      through === from + frames.length - 1
    )
  let before = from - 1
  for (const { kernel, sourceDeviceId } of frames) {
    if (sourceDeviceId !== origin || kernel === undefined || kernel.incarnation !== incarnation) return false
    if (kernel.seq <= before || kernel.seq > through) return false
    before = kernel.seq
  }
  return through >= from - 1
}

const rested = (exchange: Exchange, turn: Turn, ms: number): Exchange => ({
  ...exchange,
  asked: null,
  quota: QUOTA_MIN_BYTES,
  restUntil: turn.at.mono + ms
})

/** The frames of a page were checked. */
export const onChecked = (
  world: World,
  checking: Checking,
  deviceId: DeviceId | null,
  valid: ReadonlyArray<boolean>,
  turn: Turn
): World => {
  const exchange = exchangeOf(world, checking.link)
  const page = checking.page!
  if (roleOf(turn.config, page.origin) === undefined) return world
  if (!good(checking, deviceId, valid).every(Boolean)) {
    refuse(turn, "AUTH_FAILED", checking.peer, checking.link, "it gives frames that their origin did not sign")
    return exchange === undefined ? world : withExchange(world, rested(exchange, turn, LIAR_REST_MS))
  }
  return applied(world, exchange, page, checking.frames, checking.bytes, turn)
}

const applied = (
  world: World,
  exchange: Exchange | undefined,
  page: Page,
  frames: ReadonlyArray<ContextFrame>,
  bytes: ReadonlyArray<number>,
  turn: Turn
): World => {
  const { fresh, next } = (page.incarnation === 0 ? entriesHeld : logHeld)(world, page, frames, bytes, turn)
  if (exchange === undefined) return next
  const given = exchange.given + fresh
  if (!page.last || exchange.asked === null) return withExchange(next, { ...exchange, given })
  const done = { ...exchange, given, asked: null, quota: quotaAfter(exchange, turn.at.mono) }
  if (page.incarnation === 0 && frames.length > 0) return askForEntries(withExchange(next, done), done, page, turn)
  const isEmpty = page.through < page.from
  const after = page.incarnation === 0 ? withoutPrint(done, page) : isEmpty ? withoutLog(done, page) : done
  return ask(withExchange(next, after), after, turn)
}

interface Fresh {
  readonly next: World
  /** How many of them were not known. */
  readonly fresh: number
}

const logHeld = (
  world: World,
  page: Page,
  frames: ReadonlyArray<ContextFrame>,
  bytes: ReadonlyArray<number>,
  turn: Turn
): Fresh => {
  const { incarnation, origin, through } = page
  const before = logOf(world, origin, incarnation)
  const from = Math.max(page.from, before?.next ?? 1)
  const fresh = frames.filter(({ kernel }) => kernel!.seq >= from)
  // Where another page is still missing before this one, that comes again.
  const fits = page.from <= (before?.next ?? 1)
  if (!fits || through < from) return { next: world, fresh: fresh.length }
  const sizes = bytes.slice(bytes.length - fresh.length)
  const next = holdPage(world, { ...page, from }, fresh, sizes, turn.config, turn.at.mono)
  const missed = (logOf(next, origin, incarnation)?.missed ?? 0) - (before?.missed ?? 0)
  if (missed > 0) note(turn, { event: "world.gap", about: origin, incarnation, count: missed })
  return { next, fresh: fresh.length }
}

/** Whatever of them is newer than what stands here. */
const entriesHeld = (
  world: World,
  _: Page,
  frames: ReadonlyArray<ContextFrame>,
  bytes: ReadonlyArray<number>,
  turn: Turn
): Fresh => ({
  next: frames.reduce((all, frame, i) => holdEntry(all, frame, bytes[i]!, turn.config, turn.at.mono), world),
  fresh: frames.length
})

/** It holds no more than this of the log, whatever it told. */
const withoutLog = (exchange: Exchange, { incarnation, origin }: Page): Exchange => ({
  ...exchange,
  theirs: exchange.theirs.filter((head) => head.origin !== origin || head.incarnation !== incarnation)
})

/** It has no more entries; whatever still differs it will hear from us. */
const withoutPrint = (exchange: Exchange, { origin }: Page): Exchange => ({
  ...exchange,
  prints: exchange.prints.filter((said) => said.origin !== origin)
})

const quotaAfter = ({ asked, quota }: Exchange, now: number): number => {
  const tookMs = now - asked!.at
  if (tookMs <= QUICK_MS) return Math.min(QUOTA_MAX_BYTES, quota * 2)
  return tookMs > SLOW_MS ? Math.max(QUOTA_MIN_BYTES, quota / 2) : quota
}

/** Gives up what did not come. */
export const onTime = (world: World, turn: Turn): World => {
  let next = world
  for (const exchange of world.exchanges)
    if (exchange.asked !== null && exchange.asked.until <= turn.at.mono)
      next = withExchange(next, rested(exchange, turn, REST_MS))
  return next
}

export const dueOf = ({ exchanges }: World): number =>
  exchanges.reduce((due, { asked }) => Math.min(due, asked?.until ?? NEVER_MS), NEVER_MS)
