/**
 * Generation 1: whatever this node does differently towards a device of the original protocol, in one place (PROTOCOL.md
 * part 11). What is special in the handshake (no extension, a clock that counts) is in Authenticate.ts.
 *
 * Promises: pure. Whatever any room sends to such a device passes `govern`: it hears nothing that it would not understand,
 * nothing that makes it drop healthy links, no request where it never answers, and never more messages than it reads. A message
 * that finds no room waits, the most urgent first, within a bound; an answer that has waited too long is dropped and counted.
 *
 * Does not model: several messages made into one, since nothing that may wait today can be.
 */
import { trustedDevice, type Trusted } from "../Config.ts"
import type { Pin } from "../Durable.ts"
import {
  GEN1_ANSWER_MS,
  GEN1_BUDGET_MESSAGES,
  GEN1_BUDGET_MS,
  GEN1_QUIET_MS,
  GEN1_REDIAL_MAX_MS,
  GEN1_WAITING_MAX
} from "../Profile.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { DeviceId, Event, Frame } from "../wire/Frame.ts"

interface Waiting {
  readonly frame: Frame
  readonly since: number
}

/** A session with a device of generation 1. */
export interface Gen1Line {
  readonly link: number
  readonly dialledByUs: boolean
  /** When each message of the last `GEN1_BUDGET_MS` left, oldest first; kept where there is a budget: on links that we dialled. */
  readonly sent: ReadonlyArray<number>
  /** In the order in which they will be sent. */
  readonly waiting: ReadonlyArray<Waiting>
  /** When the last event left: only events count to a dialler that asks itself whether we are alive. */
  readonly eventAt: number
}

/** The operator calls it one, and it never showed otherwise. */
export const speaksGen1 = (pins: ReadonlyArray<Pin>, { deviceId, gen1 }: Trusted): boolean =>
  gen1 && !pins.some((pin) => pin.deviceId === deviceId && pin.kernel)

const isGen1 = ({ config, pins }: Turn, peer: DeviceId): boolean => {
  const device = trustedDevice(config, peer)
  return device !== undefined && speaksGen1(pins, device)
}

// ------------------------------------------------------------------------------------------------ dialling

/** Of two that only discovery brought together the lower id dials; of kernel peers the higher one may later. */
export const mayDialFound = (turn: Turn, peer: DeviceId): boolean => turn.config.deviceId < peer || !isGen1(turn, peer)

export const redialMaxMs = (turn: Turn, peer: DeviceId): number =>
  isGen1(turn, peer) ? GEN1_REDIAL_MAX_MS : turn.config.profile.redialMaxMs

// ------------------------------------------------------------------------------------------------ what is said

/** The calendar of a device, as `aheadMs` of its last handshake tells it; ours where that is `null`, or it is no such device. */
export const calendarOf = (turn: Turn, peer: DeviceId, aheadMs: number | null): number =>
  aheadMs !== null && isGen1(turn, peer) ? turn.at.mono + aheadMs : turn.at.wall

/** Handshake of ours, counted as it is by the acceptor: challenge and login. */
const HANDSHAKE_MESSAGES = 2

export const begun = (link: number, dialledByUs: boolean, now: number): Gen1Line => ({
  link,
  dialledByUs,
  sent: dialledByUs ? Array.from({ length: HANDSHAKE_MESSAGES }, () => now) : [],
  waiting: [],
  eventAt: now
})

/**
 * How many messages may be in the window for one more of this kind to be sent: lifecycle, replies, commands, everything else.
 * What each leaves is there for those before it.
 */
const ROOM = [GEN1_BUDGET_MESSAGES, 90, 80, 70] as const
type Urgency = 0 | 1 | 2 | 3

const LIFECYCLE: ReadonlySet<string> = new Set<Event["event"]>(["peer.leaving", "link.keepalive"])

const urgencyOf = (frame: Frame): Urgency =>
  frame.type === "res" ? 1 : frame.type === "req" ? 2 : LIFECYCLE.has(frame.event) ? 0 : 3

/** An accusation makes it drop and suppress a healthy peer; of our own events it knows none; as a dialler it answers nothing. */
const mayHear = (frame: Frame, { dialledByUs }: Gen1Line): boolean =>
  frame.type === "event"
    ? frame.event !== "peer.down" && !frame.event.startsWith("mesh.")
    : frame.type === "res" || dialledByUs

/** As it was on the wire before we came: which incarnation leaves is between kernel peers. */
const worded = (frame: Frame): Frame => {
  if (frame.type !== "event" || frame.event !== "peer.leaving") return frame
  const { deviceId, gen, timestamp } = frame.payload
  return { ...frame, payload: { gen, deviceId, timestamp } }
}

const keepalive = (turn: Turn): Frame => ({
  type: "event",
  event: "link.keepalive",
  payload: { gen: 1, timestamp: turn.at.wall }
})

/**
 * Everything of `turn.out` that goes to a device of generation 1, as it may be: left out, put off, or sent; and where the alarm rang
 * (`woke`), and at nobody's word, what had to wait and what keeps a link alive.
 */
export const govern = (lines: ReadonlyArray<Gen1Line>, woke: boolean, turn: Turn): ReadonlyArray<Gen1Line> => {
  if (lines.length === 0) return lines
  let changed = false
  const next = lines.map((line) => {
    const after = governLine(line, woke, turn)
    if (after !== line) changed = true
    return after
  })
  return changed ? next : lines
}

const governLine = (line: Gen1Line, woke: boolean, turn: Turn): Gen1Line => {
  const said = turn.out.some((command) => command._tag === "Send" && command.link === line.link)
  const due = woke && (line.waiting.length > 0 || turn.at.mono - line.eventAt >= GEN1_QUIET_MS)
  if (!said && !due) return line
  const mouth = new Mouth(line, turn)
  if (said) {
    const rest = turn.out.splice(0)
    for (const command of rest) {
      if (command._tag !== "Send" || command.link !== line.link) turn.out.push(command)
      else if (mayHear(command.frame, line)) mouth.say(worded(command.frame))
    }
  }
  if (due) mouth.saySome()
  if (due && mouth.isQuiet()) mouth.say(keepalive(turn))
  return mouth.line()
}

/** What one turn says on one line. */
class Mouth {
  private readonly before: Gen1Line
  private readonly turn: Turn
  private sent: Array<number>
  private readonly waiting: Array<Waiting>
  private eventAt: number

  constructor(line: Gen1Line, turn: Turn) {
    this.before = line
    this.turn = turn
    this.sent = line.sent.filter((at) => at > turn.at.mono - GEN1_BUDGET_MS)
    this.waiting = [...line.waiting]
    this.eventAt = line.eventAt
  }

  say(frame: Frame): void {
    const urgency = urgencyOf(frame)
    if (this.hasRoom(urgency) && !this.waiting.some((other) => urgencyOf(other.frame) <= urgency))
      return this.send(frame)
    // Behind everybody who is as urgent.
    const at = this.waiting.findIndex((other) => urgencyOf(other.frame) > urgency)
    this.waiting.splice(at < 0 ? this.waiting.length : at, 0, { frame, since: this.turn.at.mono })
    if (this.waiting.length > GEN1_WAITING_MAX) this.drop(this.waiting.length - 1)
  }

  /** Of what waits, as much as there is room for. */
  saySome(): void {
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      const late = first.frame.type === "res" && this.turn.at.mono - first.since >= GEN1_ANSWER_MS
      if (late) this.drop(0)
      else if (this.hasRoom(urgencyOf(first.frame))) {
        this.waiting.shift()
        this.send(first.frame)
      } else return
    }
  }

  isQuiet(): boolean {
    return this.turn.at.mono - this.eventAt >= GEN1_QUIET_MS
  }

  line(): Gen1Line {
    const { eventAt, sent, waiting } = this
    return { ...this.before, sent, waiting, eventAt }
  }

  private hasRoom(urgency: Urgency): boolean {
    return !this.before.dialledByUs || this.sent.length < ROOM[urgency]
  }

  private send(frame: Frame): void {
    this.turn.out.push({ _tag: "Send", link: this.before.link, frame })
    if (this.before.dialledByUs) this.sent.push(this.turn.at.mono)
    if (frame.type === "event") this.eventAt = this.turn.at.mono
  }

  private drop(at: number): void {
    this.waiting.splice(at, 1)
    this.turn.facts.push({ _tag: "Refused", code: "RATE_LIMITED" })
  }
}

/** When there is something to say or to give up on some line next. */
export const dueOf = (lines: ReadonlyArray<Gen1Line>): number => {
  let due = NEVER_MS
  for (const { eventAt, sent, waiting } of lines) {
    due = Math.min(due, eventAt + GEN1_QUIET_MS)
    const [first] = waiting
    if (first === undefined) continue
    // Room is there once so many of the oldest have left the window.
    const leaving = sent[sent.length - ROOM[urgencyOf(first.frame)]]
    due = Math.min(due, leaving === undefined ? NEVER_MS : leaving + GEN1_BUDGET_MS)
    if (first.frame.type === "res") due = Math.min(due, first.since + GEN1_ANSWER_MS)
  }
  return due
}
