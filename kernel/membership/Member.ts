/**
 * What a node knows of one other device: its own edge to it, and the verdict.
 *
 * The edge is evidence of our own: good from an end-to-end handshake on, bad after missed probes. The verdict is the word
 * that is shown: `up`, `suspect`, `down`, `left`, or `unknown` for a device never met since this boot.
 */
import type { Budget } from "../Budget.ts"
import { NEVER_MS } from "../Time.ts"
import type { DeviceId, LinkEpoch } from "../wire/Frame.ts"

export type PeerState = "unknown" | "up" | "suspect" | "down" | "left"

export interface Member {
  readonly deviceId: DeviceId
  /** It accuses and clears others. */
  readonly observes: boolean
  readonly state: PeerState
  /** Since when, `mono` ms. */
  readonly since: number
  /** Who has it as bad, while it is `down`: fewer than two do not confirm it. */
  readonly witnesses: ReadonlyArray<DeviceId>
  /** The highest incarnation that it proved to us, or that an observer's row names. */
  readonly incarnation: number

  readonly link: number | null
  /** Since when there is this link. */
  readonly linkedAt: number
  readonly epoch: LinkEpoch | null
  /** It speaks the kernel extensions: only then does it get our events. Probed is everybody. */
  readonly kernel: boolean
  /** Heartbeats sent on this link, and when the last of them was. */
  readonly seq: number
  readonly saidAt: number
  /** Heartbeats of this link that it has sent, as far as they came: one more than the highest number. */
  readonly theirs: number
  /** Heartbeats of ours on this link that it said it had; -1: it says nothing about them. */
  readonly acked: number

  /** Whether our own edge to this incarnation was ever good. */
  readonly wasGood: boolean
  readonly good: boolean
  /** The connection was reset: one refused redial proves that the program is gone. */
  readonly broken: boolean
  readonly misses: number
  /** The last ten probes of this incarnation over links, a bit each, the latest lowest: 1 has had no answer in time. */
  readonly history: number
  /** Heartbeats of it in a row that acknowledged nothing new, though there was something, and no probe was answered meanwhile. */
  readonly deaf: number
  /** When the last of them came: what was held up and comes at once counts as one. */
  readonly deafAt: number
  /** Number of the probe that is out; 0: none. */
  readonly probe: number
  /** Probes sent so far. */
  readonly probes: number
  /** Pings of the probe that is out, after its first. */
  readonly repeats: number
  readonly probedAt: number
  readonly probeDeadline: number
  /** It is probed then, unless a heartbeat of its own says before that all is well (P7.12); NEVER: at our beat. */
  readonly probeAt: number
  readonly heardAt: number
  /** When an answer to whatever probe last came. */
  readonly pongAt: number
  /** Smoothed round trip and its variance, ms * 8 and ms * 4 (RFC 6298 in integers); 0: not measured. */
  readonly srtt8: number
  readonly rttvar4: number
  /** The edge to a device that is down works again, and counts as good from here on; NEVER: no probation runs. */
  readonly probationEnds: number
  /** From then on our good edge to a device that is down outweighs what others say; 0: it does already. */
  readonly sureAt: number
  /** How often it was down, and when last. */
  readonly flaps: number
  readonly flappedAt: number

  /** The last twenty beats, a bit each: whether it missed devices that nobody else does; and whether that has been told. */
  readonly disputes: number
  readonly disputed: boolean
  /** How much of what is handed on at once its rows have used up. */
  readonly rows: Budget

  /** When we last told it that there is a newer row in its name (P3.20). */
  readonly shownAt: number

  /** We report on it although it is none of ours on the rings: without us nobody near us would hear of it. */
  readonly covers: boolean
  /** Since when some of its observers have it as bad, and too few for `down`; NEVER: no doubt. */
  readonly doubtedSince: number
  /** Enough have it as bad and not all: until then the others may find the same; 0: they had the time; NEVER: it is not so. */
  readonly contestedUntil: number
  /** In this doubt it was probed besides the beat, and others were asked. */
  readonly inquired: boolean
  /** Links over which we were asked whether it answers us. */
  readonly askers: ReadonlyArray<number>
  /** When somebody whom we had asked last said that it answers; 0: nobody did. */
  readonly relayedAt: number
}

const UNUSED: Budget = { until: 0, pressing: false }
const NOBODY: ReadonlyArray<DeviceId> = []
const NO_LINKS: ReadonlyArray<number> = []

export const strange = (deviceId: DeviceId, observes: boolean): Member => ({
  deviceId,
  observes,
  state: "unknown",
  since: 0,
  witnesses: NOBODY,
  incarnation: 0,
  link: null,
  linkedAt: 0,
  epoch: null,
  kernel: false,
  seq: 0,
  saidAt: 0,
  theirs: 0,
  acked: -1,
  wasGood: false,
  good: false,
  broken: false,
  misses: 0,
  history: 0,
  deaf: 0,
  deafAt: 0,
  probe: 0,
  probes: 0,
  repeats: 0,
  probedAt: 0,
  probeDeadline: NEVER_MS,
  probeAt: NEVER_MS,
  heardAt: 0,
  pongAt: 0,
  srtt8: 0,
  rttvar4: 0,
  probationEnds: NEVER_MS,
  sureAt: 0,
  flaps: 0,
  flappedAt: 0,
  disputes: 0,
  disputed: false,
  rows: UNUSED,
  shownAt: -NEVER_MS,
  covers: false,
  doubtedSince: NEVER_MS,
  contestedUntil: NEVER_MS,
  inquired: false,
  askers: NO_LINKS,
  relayedAt: 0
})

/** It heard us the last time that it was asked, and says nothing else. */
export const hearsUs = ({ deaf, history, misses }: Member): boolean => misses === 0 && deaf === 0 && (history & 1) === 0

/** How many bits of a history are set. */
export const countOf = (history: number): number => {
  let count = 0
  for (let rest = history; rest !== 0; rest &= rest - 1) count++
  return count
}

/** Position in a list sorted by device id; -1: not there. */
export const indexOfMember = (members: ReadonlyArray<{ readonly deviceId: DeviceId }>, deviceId: DeviceId): number => {
  let low = 0
  let high = members.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const id = members[middle]!.deviceId
    if (id === deviceId) return middle
    if (id < deviceId) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Of the last ten probes: a link that misses so many is no word against two thirds of all that count. */
const SHAKY_MISSES = 3

export const isShaky = (history: number): boolean => countOf(history) >= SHAKY_MISSES

/** Whether anything changed that our row or a verdict rests on. The same devices in both. */
export const edgesChanged = (before: ReadonlyArray<Member>, after: ReadonlyArray<Member>): boolean => {
  if (before === after) return false
  for (let i = 0; i < after.length; i++) {
    const a = before[i]!
    const b = after[i]!
    if (a === b) continue
    if (a.good !== b.good || a.wasGood !== b.wasGood || a.link !== b.link || a.incarnation !== b.incarnation)
      return true
    if (a.covers !== b.covers || a.relayedAt !== b.relayedAt || (a.state === "left") !== (b.state === "left"))
      return true
    if (b.doubtedSince !== NEVER_MS && (a.misses !== b.misses || a.history !== b.history || a.deaf !== b.deaf))
      return true
    // A slow link reaches nobody from its first miss on.
    if ((a.misses === 0) !== (b.misses === 0)) return true
    if (a.history !== b.history && isShaky(a.history) !== isShaky(b.history)) return true
    if (a.sureAt !== b.sureAt || a.contestedUntil !== b.contestedUntil) return true
  }
  return false
}
