/**
 * What can be wrong with a network, as plain data. Each rule lies on directions, by the names of their ends; several may lie on
 * one at once, and each is taken back by itself.
 *
 * The first group is weather: it delays, holds and loses packets, and TCP makes of that what it does. The second ends or
 * forgets connections. The third is what TLS forbids to a network and a bug or a broken relay behind it does not: one message
 * twice, messages in another order, a message with another character in it; and what a trusted device says that lies. Kernels
 * have to stand it.
 */
import type { Range } from "../scenario/Scenario.ts"
import type { Delay } from "./Delay.ts"
import type { LieKind } from "./Lies.ts"

/** One direction, by the names of its ends. */
export type Pair = readonly [from: string, to: string]
type Pairs = { readonly pairs: ReadonlyArray<Pair> }

/** What whoever speaks into a forgotten connection gets: a RST, or nothing ever. */
export type Answer = "reset" | "silence"

export type Rule =
  /** Nothing leaves: what is sent waits for TCP's next repeat after the heal; resets and datagrams are lost. */
  | ({ readonly _tag: "cut" } & Pairs)
  /** As a cut between any two that are in different groups. Whoever is in none keeps all its paths; in several, the first counts. */
  | { readonly _tag: "partition"; readonly groups: ReadonlyArray<ReadonlyArray<string>> }
  /** Cut and open in turns, all pairs together, beginning with a cut. */
  | ({ readonly _tag: "flap"; readonly cutMs: Range; readonly openMs: Range } & Pairs)
  /** Each link is cut at a time of its own within `cutOverMs`, and heals, in another order, within `healOverMs` after `healAfterMs`. */
  | ({
      readonly _tag: "swizzle"
      readonly cutOverMs: number
      /** From the beginning. */
      readonly healAfterMs: number
      readonly healOverMs: number
    } & Pairs)
  /** Everything stays in the network, and comes out in one burst and in order when this is taken back. */
  | ({ readonly _tag: "clog" } & Pairs)
  /** Another delay or loss than usual; `null`: that as before. Of two the later counts for what it sets. */
  | ({ readonly _tag: "slow"; readonly delay: Delay | null; readonly lossPpm: number | null } & Pairs)
  /** So much more for every packet, drawn once for each direction. */
  | ({ readonly _tag: "offset"; readonly ms: Range } & Pairs)
  /** Gilbert–Elliott: a chain with a good and a bad state, moved by each packet; what is lost comes on top of the usual loss. */
  | ({
      readonly _tag: "burst-loss"
      /** From good to bad, and back. */
      readonly enterPpm: number
      readonly leavePpm: number
      /** Lost in the bad state, and in the good one. */
      readonly badPpm: number
      readonly goodPpm: number
    } & Pairs)
  /** So many bytes a second, and a queue without an end before it. Of several the narrowest counts. */
  | ({ readonly _tag: "capacity"; readonly bytesPerSecond: number } & Pairs)
  /** The FIN of a polite goodbye arrives so much later than the data. */
  | ({ readonly _tag: "late-close"; readonly lateMs: Range } & Pairs)
  /** Datagrams are lost with this chance, on top of the usual loss; connections notice nothing. */
  | ({ readonly _tag: "datagram-loss"; readonly ppm: number } & Pairs)
  /** With this chance an abrupt end takes everything with it that is still under way, and otherwise nothing. */
  | ({ readonly _tag: "lossy-close"; readonly ppm: number } & Pairs)
  // ------------------------------------------------------------------------------------------------ connections
  /** Once: connections between the two are reset; `from` and, for `both`, the other end is told. Openings are refused. */
  | ({ readonly _tag: "reset"; readonly ends: "from" | "both" } & Pairs)
  /**
   * Once: `from` has the connection no more, without a word to the other end. Where `told` is false neither end knows:
   * something in between has forgotten it.
   */
  | ({ readonly _tag: "half-open"; readonly told: boolean; readonly answer: Answer } & Pairs)
  /** Something in between forgets each connection on which nothing has arrived for so long. */
  | ({ readonly _tag: "idle-cut"; readonly idleMs: number; readonly answer: Answer } & Pairs)
  // ------------------------------------------------------------------------------------------------ messages
  /**
   * A second time, so much later, on the same connection; where that is gone, on another between the same two if `anywhere`, as
   * a relay that stores and forwards would. A connection's end is the end of its copies otherwise.
   */
  | ({ readonly _tag: "duplicate"; readonly ppm: number; readonly lateMs: Range; readonly anywhere: boolean } & Pairs)
  /** Behind one to `places` later messages of its connection, or after `REORDER_LIMIT_MS` if no more come. */
  | ({ readonly _tag: "reorder"; readonly ppm: number; readonly places: number } & Pairs)
  /** One character of the text is another one. */
  | ({ readonly _tag: "corrupt"; readonly ppm: number } & Pairs)
  /** Behind a message comes another one that its sender's kernel never said (Lies.ts). */
  | ({ readonly _tag: "lies"; readonly ppm: number; readonly kind: LieKind } & Pairs)

/** Names one rule that was applied, in its network and in forks made after that; 0 is none. */
export type FaultId = number

/** What a rule altered so far. */
export interface Effects {
  /** Messages that came later than they would have, for whatever reason. */
  delayed: number
  /** Resets, datagrams, and whatever was sent into a forgotten connection or discarded with one. */
  dropped: number
  /** Messages that came twice, in another order, with another text, or that were lies. */
  changed: number
  /** Packets of connections that were being opened. */
  openings: number
  /** Connections that it ended or made somebody forget. */
  connections: number
}
