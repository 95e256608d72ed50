/**
 * What a session carries besides control, and how much of it (PROTOCOL.md part 13).
 *
 * Control (heartbeats, rows, probes, votes, goodbyes) goes as it is said and never waits in here. What is said by `turn.lower`
 * goes behind it: answers to people first, then live frames, then bulk. It goes no further ahead of the far end than that has
 * shown to read quickly, so that what control finds before it is one frame on a thin line, and a quarter of a megabyte at most
 * on a wide one. What finds no room waits, within a credit; beyond it, it is dropped and counted.
 *
 * How it is seen that the far end reads: by a transport ping behind what was sent, its mark. The answer says that all before it
 * was read, and how long that took. Besides, the transport tells when much waits for the far end (`Backlog`), whoever said it.
 *
 * Promises: pure; a line is there only for sessions on which something was asked or said in here, and is bounded.
 * Does not judge: a far end that does not read at all, which the transport gives up (P1.9); what devices of generation 1 are
 * sent, which is Gen1.ts's.
 */
import { type Rate, spend } from "../Budget.ts"
import { note, type Said, type Turn } from "../Turn.ts"
import { encode } from "../wire/Codec.ts"
import type { Frame } from "../wire/Frame.ts"
import { LANE_FRAME_BYTES_MAX, MESSAGE_BYTES_MAX } from "../wire/Limits.ts"
import { utf8Bytes } from "../wire/Utf8.ts"
import { indexOfLink, replaced, without, type Links, type Session } from "./Link.ts"

/** Of those that wait: the lanes below control and actuation, in the order in which they go. */
export type Lane = "people" | "live" | "bulk"

interface Rule {
  readonly rank: number
  /** Nothing of it goes out while more than this waits for the far end to read. */
  readonly stopsAboveBytes: number
  readonly frameBytesMax: number
}

/** The transport tells when what waits for the far end passes these. */
export const BACKLOG_BYTES = [262_144, 1_048_576] as const

/** How many of these are passed, where `before` were: each from when it is passed until half of it is left. */
export const passedOf = (bytes: number, before: number): number => {
  let passed = 0
  while (passed < BACKLOG_BYTES.length && bytes > BACKLOG_BYTES[passed]! / (passed < before ? 2 : 1)) passed++
  return passed
}

const rules: { readonly [L in Lane]: Rule } = {
  people: { rank: 2, stopsAboveBytes: Number.MAX_SAFE_INTEGER, frameBytesMax: MESSAGE_BYTES_MAX },
  live: { rank: 3, stopsAboveBytes: BACKLOG_BYTES[1], frameBytesMax: LANE_FRAME_BYTES_MAX },
  bulk: { rank: 4, stopsAboveBytes: BACKLOG_BYTES[0], frameBytesMax: LANE_FRAME_BYTES_MAX }
}

/** What waits in one lane of a link: messages, and their bytes. A single larger one may wait alone. */
export const LANE_FRAMES_MAX = 64
export const LANE_BYTES_MAX = 262_144
/** And in all of them. With the 4 MiB that a transport keeps at most (P1.9) a link has no more than 5 MiB. */
export const LINE_BYTES_MAX = 1_048_576

/** How far ahead of the far end: one frame, or as many bytes as it read quickly before, doubling. */
const WINDOW_MIN_BYTES = 256
export const WINDOW_MAX_BYTES = 262_144
/** A mark that was answered within this says that more may be under way; one that took longer than the other, that less may. */
const QUICK_MS = 250
const SLOW_MS = 500
/** One may be slow because either end had no time for it. */
const SLOW_MARKS = 2
/** On a line that takes that long for the least, nothing goes later than this before a heartbeat, unless right behind the last one. */
const CLEAR_MS = 1_500
/** A mark that was not answered for so long is made anew: transports forget pings when many are out. */
const MARK_LOST_MS = 10_000
/** Nobody waits longer for an answer: it is not sent any more. */
const ANSWER_MS = 30_000

/** Marks are numbered from here; membership numbers its probes from 1. */
const MARKS_FROM = 2 ** 40
export const isMark = (probe: number): boolean => probe >= MARKS_FROM

/** Requests on one session: so many at once, and one more each so often. */
export const REQUESTS_AT_ONCE = 64
export const REQUEST_EACH_MS = 50
const REQUESTS: Rate = { atOnce: REQUESTS_AT_ONCE, eachMs: REQUEST_EACH_MS }

interface Waiting {
  readonly lane: Lane
  readonly frame: Frame
  readonly bytes: number
  readonly since: number
}

/** What is known of one session besides its handshake. */
export interface Line {
  readonly link: number
  /** Until when the requests so far use up the budget, had they come evenly; `mono` ms. */
  readonly askedUntil: number
  /** It asked beyond its budget, which has been told; until the whole budget is there again. */
  readonly pressing: boolean
  /** In the order in which it will be sent. */
  readonly waiting: ReadonlyArray<Waiting>
  /** Bytes sent before the mark that is out, and after it; nothing is out where both are 0. */
  readonly marked: number
  readonly beyond: number
  /** The mark that is out, or the last one, and when it left. */
  readonly mark: number
  readonly markedAt: number
  readonly window: number
  /**
   * So many marks in a row took long for the least that can be sent. From the second on what goes behind control goes right behind
   * a heartbeat, or long before one, which finds the line free.
   */
  readonly slow: number
  /** When the last heartbeat left, and how long after the one before it; 0: there was none. */
  readonly beatAt: number
  readonly beatEachMs: number
  /** What the transport last told. */
  readonly backlog: number
}

const fresh = (link: number): Line => ({
  link,
  askedUntil: 0,
  pressing: false,
  waiting: [],
  marked: 0,
  beyond: 0,
  mark: MARKS_FROM,
  markedAt: 0,
  window: WINDOW_MIN_BYTES,
  slow: 0,
  beatAt: 0,
  beatEachMs: 0,
  backlog: 0
})

const positionOf = (lines: ReadonlyArray<Line>, link: number): number => lines.findIndex((line) => line.link === link)

const lineOf = (links: Links, link: number): Line => links.lines[positionOf(links.lines, link)] ?? fresh(link)

const withLine = (links: Links, line: Line): Links => {
  const at = positionOf(links.lines, line.link)
  if (at >= 0) return links.lines[at] === line ? links : { ...links, lines: replaced(links.lines, at, line) }
  const lines = [...links.lines, line].sort((one, other) => one.link - other.link)
  return { ...links, lines }
}

/** The session is over. */
export const ended = (lines: ReadonlyArray<Line>, link: number): ReadonlyArray<Line> => {
  const at = positionOf(lines, link)
  return at < 0 ? lines : without(lines, at)
}

/**
 * What waits for the far end of a link: messages and bytes of one lane, bytes of all lanes, and bytes that went out, which it has not
 * shown to have read, as marks and the transport tell.
 */
export const waitsFor = ({ lines }: Links, link: number, lane: Lane) => {
  const { backlog, beyond, marked, waiting } = lines[positionOf(lines, link)] ?? fresh(link)
  let frames = 0
  let bytes = 0
  let allBytes = 0
  for (const one of waiting) {
    allBytes += one.bytes
    if (one.lane !== lane) continue
    frames++
    bytes += one.bytes
  }
  return { frames, bytes, allBytes, unreadBytes: Math.max(backlog, marked + beyond) }
}

// ------------------------------------------------------------------------------------------------ what is asked

/** Whether a request of this session may be looked at now (P13.6). Told once, counted each time. */
export const admits = (links: Links, session: Session, turn: Turn): readonly [links: Links, admitted: boolean] => {
  const { link, peer } = session
  const line = lineOf(links, link)
  const { budget, tells, within } = spend({ until: line.askedUntil, pressing: line.pressing }, REQUESTS, turn.at.mono)
  if (!within) turn.facts.push({ _tag: "Refused", code: "RATE_LIMITED" })
  if (tells)
    note(turn, { event: "frame.refused", code: "RATE_LIMITED", about: peer, link, reason: "it asks too often" })
  // Of one that has been told already there is nothing to remember.
  if (!within && !tells) return [links, false]
  return [withLine(links, { ...line, askedUntil: budget.until, pressing: budget.pressing }), within]
}

// ------------------------------------------------------------------------------------------------ what is said

/** Everything of `turn.lower`, as it may go. After every room has said what it had to say. */
export const govern = (links: Links, turn: Turn): Links => {
  let next = links
  for (const said of turn.lower) {
    const session = next.links[indexOfLink(next.links, said.link)]
    if (session?._tag !== "Session") continue
    if (session.proven.kernel) next = say(next, said, turn)
    else turn.out.push({ _tag: "Send", link: said.link, frame: said.frame })
  }
  for (const line of next.lines) if (isAfterHeartbeat(line, turn)) next = goOn(next, beaten(line, turn), turn)
  return next
}

const beaten = (line: Line, { at: { mono } }: Turn): Line => ({
  ...line,
  beatAt: mono,
  beatEachMs: line.beatAt === 0 ? 0 : mono - line.beatAt
})

const isAfterHeartbeat = ({ link }: Line, { out }: Turn): boolean =>
  out.some(
    (command) =>
      command._tag === "Send" &&
      command.link === link &&
      command.frame.type === "event" &&
      command.frame.event === "mesh.heartbeat"
  )

const goOn = (links: Links, line: Line, turn: Turn): Links => {
  const mouth = new Mouth(line, turn)
  mouth.go()
  return withLine(links, mouth.line())
}

const say = (links: Links, { frame, lane, link }: Said, turn: Turn): Links => {
  const mouth = new Mouth(lineOf(links, link), turn)
  mouth.take(lane, frame)
  mouth.go()
  return withLine(links, mouth.line())
}

/** The far end has read everything before this mark. */
export const onRead = (links: Links, link: number, mark: number, turn: Turn): Links => {
  const line = lineOf(links, link)
  if (line.mark !== mark || line.marked === 0) return links
  const mouth = new Mouth(line, turn)
  mouth.read()
  mouth.go()
  return withLine(links, mouth.line())
}

/** So much waits at the transport for the far end to read. */
export const onBacklog = (links: Links, link: number, bytes: number, turn: Turn): Links => {
  if (links.links[indexOfLink(links.links, link)]?._tag !== "Session") return links
  const line = lineOf(links, link)
  if (line.backlog === bytes) return links
  return goOn(links, { ...line, backlog: bytes }, turn)
}

/** What one turn says on one line. */
class Mouth {
  private readonly before: Line
  private readonly turn: Turn
  private readonly waiting: Array<Waiting>
  private marked: number
  private beyond: number
  private mark: number
  private markedAt: number
  private window: number
  private slow: number

  constructor(line: Line, turn: Turn) {
    this.before = line
    this.turn = turn
    this.waiting = [...line.waiting]
    this.marked = line.marked
    this.beyond = line.beyond
    this.mark = line.mark
    this.markedAt = line.markedAt
    this.window = line.window
    this.slow = line.slow
  }

  /** What finds no credit is answered so, as long as there is room for that; else it is left out. */
  take(lane: Lane, frame: Frame): void {
    if (this.put(lane, frame)) return
    this.drop()
    if (frame.type !== "res" || !frame.ok) return
    const error = { code: "RATE_LIMITED", message: "too much waits for this device to read" }
    this.put(lane, { type: "res", id: frame.id, ok: false, error })
  }

  private put(lane: Lane, frame: Frame): boolean {
    const { frameBytesMax, rank } = rules[lane]
    const bytes = utf8Bytes(encode(frame))
    let inLane = 0
    let laneBytes = 0
    let allBytes = 0
    for (const other of this.waiting) {
      allBytes += other.bytes
      if (other.lane !== lane) continue
      inLane++
      laneBytes += other.bytes
    }
    const alone = inLane === 0 || laneBytes + bytes <= LANE_BYTES_MAX
    if (bytes > frameBytesMax || inLane >= LANE_FRAMES_MAX || !alone || allBytes + bytes > LINE_BYTES_MAX) return false
    const at = this.waiting.findIndex((other) => rules[other.lane].rank > rank)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, { lane, frame, bytes, since: this.turn.at.mono })
    return true
  }

  read(): void {
    const tookMs = this.turn.at.mono - this.markedAt
    // One that was too far ahead may be quick: it shows with the least that can be sent.
    this.slow = tookMs > SLOW_MS && this.window === WINDOW_MIN_BYTES ? Math.min(SLOW_MARKS, this.slow + 1) : 0
    if (tookMs > SLOW_MS) this.window = WINDOW_MIN_BYTES
    // Only what was used has shown that it may grow.
    else if (tookMs <= QUICK_MS && 2 * this.marked >= this.window)
      this.window = Math.min(WINDOW_MAX_BYTES, 2 * this.window)
    this.marked = 0
  }

  /** As much as may be under way, and a mark behind it. */
  go(): void {
    for (let at = this.nextAt(); at >= 0; at = this.nextAt()) {
      const [next] = this.waiting.splice(at, 1)
      const { bytes, frame, since } = next!
      if (frame.type === "res" && this.turn.at.mono - since >= ANSWER_MS) {
        this.drop()
        continue
      }
      this.turn.out.push({ _tag: "Send", link: this.before.link, frame })
      this.beyond += bytes
    }
    const lost = this.marked > 0 && this.turn.at.mono - this.markedAt >= MARK_LOST_MS
    if ((this.marked > 0 && !lost) || this.marked + this.beyond === 0) return
    this.marked += this.beyond
    this.beyond = 0
    this.mark++
    this.markedAt = this.turn.at.mono
    this.turn.out.push({ _tag: "Ping", link: this.before.link, probe: this.mark })
  }

  /** Where in what waits the next one stands that may go now; -1: none may. */
  private nextAt(): number {
    if (this.slow >= SLOW_MARKS && !this.clearsTheLine()) return -1
    const at = this.waiting.findIndex(({ lane }) => this.before.backlog <= rules[lane].stopsAboveBytes)
    const under = this.marked + this.beyond
    return at < 0 || under === 0 || under + this.waiting[at]!.bytes <= this.window ? at : -1
  }

  /** Before the next heartbeat leaves there is time for it. */
  private clearsTheLine(): boolean {
    const { beatAt, beatEachMs } = this.before
    return isAfterHeartbeat(this.before, this.turn) || this.turn.at.mono + CLEAR_MS <= beatAt + beatEachMs
  }

  private drop(): void {
    this.turn.facts.push({ _tag: "Refused", code: "RATE_LIMITED" })
  }

  line(): Line {
    const { beyond, mark, marked, markedAt, slow, waiting, window } = this
    return { ...this.before, waiting, marked, beyond, mark, markedAt, window, slow }
  }
}
