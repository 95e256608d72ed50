/**
 * How long a packet takes from one end to the other, as distributions of integers.
 *
 * Everything is integer arithmetic over keyed draws: no logarithm and no power, which engines may compute differently. The two
 * with a tail go by octaves: half of the packets lie in the first, half of the rest in the second, and so on; within an octave
 * they are spread evenly.
 *
 * Does not model: delays that depend on one another. Neighbouring packets share nothing but TCP's order.
 */
import { at, belowAt, betweenAt, chanceAt, type Key } from "../../kernel/Draw.ts"
import type { Range } from "../scenario/Scenario.ts"

export type Delay =
  | { readonly _tag: "constant"; readonly ms: number }
  | { readonly _tag: "uniform"; readonly ms: Range }
  /** `leastMs`, and on top something of the mean `moreMs` with an exponential tail. */
  | { readonly _tag: "exponential"; readonly leastMs: number; readonly moreMs: number }
  /** Usually this, and with `rarePpm` that: a link that sometimes repeats on the radio, a route by satellite. */
  | { readonly _tag: "bimodal"; readonly usual: Range; readonly rare: Range; readonly rarePpm: number }
  /** From `leastMs` on, as Pareto's law of exponent 1.5 has it: half below 1.6 times, one in 1,000 above 100 times; cut at `mostMs`. */
  | { readonly _tag: "heavy-tail"; readonly leastMs: number; readonly mostMs: number }
  /** One of these, each as likely as any other: delays that somebody measured. */
  | { readonly _tag: "table"; readonly ms: ReadonlyArray<number> }

const MILLION = 1_000_000
/** Octaves of a u32. */
const OCTAVES = 32
/** Thousandths. */
const UNIT = 1_000

/** 2^(2k/3), the quantiles of Pareto's law at survivals of 2^-k: exact by threes, where it is 4^(k/3), and rounded between. */
const PARETO: ReadonlyArray<number> = Array.from({ length: OCTAVES + 1 }, (_, k) => {
  const between = [1_000, 1_587, 2_520][k % 3]!
  return between * 4 ** Math.floor(k / 3)
})

/**
 * k * 2/3. An exponential law of mean 1 has k * ln 2 = k * 0.693 here; with even spreading within octaves its mean would be 1.04,
 * and so it is 1.
 */
const EXPONENTIAL: ReadonlyArray<number> = Array.from({ length: OCTAVES + 1 }, (_, k) => Math.floor((2 * UNIT * k) / 3))

/** Where the word falls, in thousandths. Small words are rare and lie far out. */
const quantile = (table: ReadonlyArray<number>, word: number): number => {
  const octave = Math.clz32(word)
  if (octave >= OCTAVES) return table[OCTAVES]!
  // The ten bits behind the leading one: from 1,023, where the octave begins, down to 0.
  const within = octave + 10 < OCTAVES ? (word >>> (OCTAVES - 11 - octave)) & 1_023 : 0
  const low = table[octave]!
  const high = table[octave + 1]!
  return low + Math.floor(((high - low) * (1_023 - within)) / 1_023)
}

/** Integer ms. */
export const delayAt = (delay: Delay, of: Key, counter: number): number => {
  switch (delay._tag) {
    case "constant":
      return delay.ms
    case "uniform":
      return betweenAt(of, counter, delay.ms.min, delay.ms.max)
    case "exponential":
      return delay.leastMs + Math.floor((delay.moreMs * quantile(EXPONENTIAL, at(of, counter))) / UNIT)
    case "bimodal": {
      // The same key the other way round, for a second draw of the same counter.
      const { max, min } = chanceAt({ a: of.b, b: of.a }, counter, delay.rarePpm, MILLION) ? delay.rare : delay.usual
      return betweenAt(of, counter, min, max)
    }
    case "table":
      return delay.ms[belowAt(of, counter, delay.ms.length)] ?? 0
    case "heavy-tail":
      return Math.min(delay.mostMs, Math.floor((delay.leastMs * quantile(PARETO, at(of, counter))) / UNIT))
  }
}
