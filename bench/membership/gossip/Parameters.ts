/**
 * SWIM and its children as one protocol with parameters, and the two sets of them that we compare with.
 *
 * `swim`: Das, Gupta, Motivala, "SWIM: scalable weakly-consistent infection-style process group membership protocol" (DSN
 * 2002): probes in random round-robin order, indirect probes, suspicion, gossip on probes and answers only. Its period is set
 * to memberlist's second (the paper's is two), so that the two differ by what they do and not by how fast they tick.
 *
 * `memberlist`: hashicorp/memberlist with its LAN defaults, that is SWIM with gossip of its own, full exchanges, a probe over
 * TCP when the datagram went unanswered, and the three parts of Lifeguard (Dadgar, Phillips, Currey, "Lifeguard: local health
 * awareness for more accurate failure detection", DSN 2018), each of which can be left out.
 */
export interface Parameters {
  readonly name: string
  readonly periodMs: number
  /** A probe unanswered for so long is repeated through others. */
  readonly timeoutMs: number
  /** How many others. */
  readonly indirect: number
  readonly order: "round-robin" | "random"
  /** From suspicion to death at the soonest, in a mesh of so many. */
  readonly suspicionMs: (size: number) => number
  /** While nobody confirms it, so many times as long. */
  readonly suspicionMaxTimes: number
  /** So many others who suspect the same bring it down to the least. */
  readonly confirmations: number
  /** How often a member sends each piece of news on. */
  readonly retransmits: (size: number) => number
  /** Pieces of news in one datagram. */
  readonly newsMax: number
  /** Datagrams with nothing but news. */
  readonly gossip: { readonly everyMs: number; readonly members: number; readonly toTheDeadMs: number } | null
  /** Both tables whole, with one other member, over TCP. */
  readonly exchangeMs: ((size: number) => number) | null
  readonly tcpProbe: boolean
  /** Local health runs from 0 to one less than this; 1: there is none (LHA-Probe). */
  readonly healthMax: number
  /** Whoever probes a suspect tells it so first (the buddy system). */
  readonly buddy: boolean
  /** Everybody begins its periods at the same time, as the paper's analysis has it. */
  readonly inStep: boolean
}

export interface Lifeguard {
  readonly probe: boolean
  readonly suspicion: boolean
  readonly buddy: boolean
}

export const wholeLifeguard: Lifeguard = { probe: true, suspicion: true, buddy: true }
export const noLifeguard: Lifeguard = { probe: false, suspicion: false, buddy: false }

/** SWIM's λ: so many times the logarithm of the size, for news and for suspicion alike. */
const SWIM_LAMBDA = 3
const PERIOD_MS = 1_000
const TIMEOUT_MS = 500
const INDIRECT = 3

/** What it takes for news to reach everybody grows with the logarithm. */
const swimPeriods = (size: number): number => Math.ceil(SWIM_LAMBDA * Math.log(size + 1))

export const swim: Parameters = {
  name: "SWIM",
  periodMs: PERIOD_MS,
  timeoutMs: TIMEOUT_MS,
  indirect: INDIRECT,
  order: "round-robin",
  suspicionMs: (size) => PERIOD_MS * swimPeriods(size),
  suspicionMaxTimes: 1,
  confirmations: 0,
  retransmits: swimPeriods,
  newsMax: 6,
  gossip: null,
  exchangeMs: null,
  tcpProbe: false,
  healthMax: 1,
  buddy: false,
  inStep: false
}

/** Of its LAN defaults; the paper's experiments had 5 for the first. */
const SUSPICION_MULT = 4
const SUSPICION_MAX_MULT = 6
const RETRANSMIT_MULT = 4
const EXCHANGE_MS = 30_000
/** Up to so many members full exchanges keep their pace; each doubling from there makes them rarer. */
const EXCHANGE_SCALES_FROM = 32

export const memberlist = (
  { buddy, probe, suspicion }: Lifeguard = wholeLifeguard,
  suspicionMult = SUSPICION_MULT
): Parameters => ({
  name: `memberlist${buddy && probe && suspicion ? "" : " without Lifeguard"}`,
  periodMs: PERIOD_MS,
  timeoutMs: TIMEOUT_MS,
  indirect: INDIRECT,
  order: "round-robin",
  suspicionMs: (size) => Math.floor(suspicionMult * Math.max(1, Math.log10(size)) * PERIOD_MS),
  suspicionMaxTimes: suspicion ? SUSPICION_MAX_MULT : 1,
  confirmations: suspicion ? suspicionMult - 2 : 0,
  retransmits: (size) => RETRANSMIT_MULT * Math.ceil(Math.log10(size + 1)),
  newsMax: 30,
  gossip: { everyMs: 200, members: 3, toTheDeadMs: 30_000 },
  exchangeMs: (size) =>
    size <= EXCHANGE_SCALES_FROM
      ? EXCHANGE_MS
      : EXCHANGE_MS * (1 + Math.ceil(Math.log2(size) - Math.log2(EXCHANGE_SCALES_FROM))),
  tcpProbe: true,
  healthMax: probe ? 8 : 1,
  buddy,
  inStep: false
})

/**
 * How long a suspicion lasts in all once `confirmed` of the `wanted` others have suspected the same: it shrinks from the longest
 * to the least with the logarithm (Lifeguard, section IV-B).
 */
export const suspicionLastsMs = (leastMs: number, longestMs: number, confirmed: number, wanted: number): number => {
  if (wanted < 1) return leastMs
  const share = Math.log(confirmed + 1) / Math.log(wanted + 1)
  return Math.max(leastMs, Math.floor(longestMs - share * (longestMs - leastMs)))
}
