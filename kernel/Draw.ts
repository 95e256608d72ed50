/**
 * Keyed draws: randomness that depends only on what is drawn, never on what was drawn before.
 *
 * A draw is a pure function of `(seed, stream, entity, counter)`. There is no generator that is advanced, so one event more
 * or less leaves every unrelated draw bit-identical; that is what makes runs shrink, fork and compare.
 *
 * Promises: 32-bit integer arithmetic only, the same on every engine, pinned by test/kernel/draw.golden.json. Within one
 * `(seed, stream, entity)` the counter permutes the u32 range, so `u32` does not repeat before 2^32 draws. Total: no argument
 * makes a draw throw.
 *
 * Does not model: secrecy. Whoever knows the seed knows every draw; a node in the field gets its nonces from its driver.
 *
 * Arguments: `seed` is any safe integer. `stream` says what is drawn ("link-latency"), `entity` for whom. `counter` is an
 * integer that the drawing slice counts; it is taken modulo 2^32.
 *
 * Sources: the mixer has the form of lowbias32 (C. Wellons, "Prospecting for hash functions", 2018) with the constants of
 * lowest bias listed by its project, skeeto/hash-prospector; names are hashed with FNV-1a (Fowler, Noll, Vo); 2^32 over the
 * golden ratio is Knuth's multiplier (TAOCP 3, 6.4). Counter-based draws: Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3" (2011).
 */

/** What stands for `(seed, stream, entity)`: 64 bits, so that a million entities of a run do not share a sequence. */
export interface Key {
  /** Signed, as is `b`: so that V8 keeps both unboxed. */
  readonly a: number
  readonly b: number
}

const GOLDEN = 0x9e3779b9
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** The second lane is FNV-1a with another basis and multiplier: names that collide in one lane do not in the other. */
const LANE_B_OFFSET = 0x2b992ddf
const LANE_B_PRIME = 0x5f356495

/** A bijection of the 32-bit integers in which each bit of the input flips each bit of the output about half the time. */
const mix = (word: number): number => {
  let x = word
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0xd35a2d97)
  return x ^ (x >>> 15)
}

/** FNV-1a over UTF-16 code units: a unit above 0xff goes in whole. */
const hashName = (name: string, offset: number, prime: number): number => {
  let h = offset
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), prime)
  return h
}

/** Computed once for a hot path; see `at`. */
export const key = (seed: number, stream: string, entity: string): Key => {
  const low = seed | 0
  const high = Math.floor(seed / 0x1_0000_0000) | 0
  const lane = (salt: number, offset: number, prime: number) =>
    mix(mix(mix(mix(low ^ salt) ^ high) ^ hashName(stream, offset, prime)) ^ hashName(entity, offset, prime))
  return { a: lane(0, FNV_OFFSET, FNV_PRIME), b: lane(GOLDEN, LANE_B_OFFSET, LANE_B_PRIME) }
}

/** A u32. */
export const at = (of: Key, counter: number): number => mix(mix(of.a + Math.imul(counter, GOLDEN)) ^ of.b) >>> 0

/** floor(u * n / 2^32) for u32 `u` and `n`, by halves of 16 bits because the product does not fit a double. */
const scale = (u: number, n: number): number => {
  const uHigh = u >>> 16
  const uLow = u & 0xffff
  const nHigh = n >>> 16
  const nLow = n & 0xffff
  const cross1 = Math.imul(uHigh, nLow) >>> 0
  const cross2 = Math.imul(uLow, nHigh) >>> 0
  const middle = (Math.imul(uLow, nLow) >>> 16) + (cross1 & 0xffff) + (cross2 & 0xffff)
  return (Math.imul(uHigh, nHigh) + (cross1 >>> 16) + (cross2 >>> 16) + (middle >>> 16)) >>> 0
}

/**
 * An integer of `[0, n)`, for `n` up to 2^32 - 1; 0 when `n` is 1 or less.
 *
 * Multiply-and-shift without rejection: each value is hit by either floor or ceil of 2^32 / n words, so no probability is off
 * by more than 2^-32 (a relative error of n / 2^32: one in four million for n = 1,000). In exchange one counter is one draw,
 * and a smaller word never gives a larger value, which a shrinker can use.
 */
export const belowAt = (of: Key, counter: number, n: number): number => (n <= 1 ? 0 : scale(at(of, counter), n))

/** An integer of `[min, max]`, both inclusive and less than 2^32 - 1 apart; `min` when the range is empty. */
export const betweenAt = (of: Key, counter: number, min: number, max: number): number =>
  min + belowAt(of, counter, max - min + 1)

/** True with probability `numerator / denominator`: an exact ratio, never when it is 0 or less, always when 1 or more. */
export const chanceAt = (of: Key, counter: number, numerator: number, denominator: number): boolean =>
  numerator > 0 && (numerator >= denominator || belowAt(of, counter, denominator) < numerator)

/** `length` integers of `[0, 255]`, all of one counter: neighbouring counters share nothing. */
export const bytesAt = (of: Key, counter: number, length: number): ReadonlyArray<number> => {
  const inner: Key = { a: at(of, counter) | 0, b: at({ a: of.b, b: of.a }, counter) | 0 }
  const out: Array<number> = []
  for (let i = 0; i < length; i++) out.push((at(inner, i >>> 2) >>> ((i & 3) << 3)) & 0xff)
  return out
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** `length` bytes as base64url without padding (RFC 4648 part 5); 24 bytes, a nonce's length, give 32 characters. */
export const base64urlAt = (of: Key, counter: number, length: number): string => {
  const bytes = bytesAt(of, counter, length)
  let out = ""
  let bits = 0
  let pending = 0
  for (const byte of bytes) {
    bits = (bits << 8) | byte
    pending += 8
    while (pending >= 6) {
      pending -= 6
      out += BASE64URL.charAt((bits >>> pending) & 63)
    }
    bits &= (1 << pending) - 1
  }
  return pending === 0 ? out : out + BASE64URL.charAt((bits << (6 - pending)) & 63)
}

/** A u32. As all that follow: the same draw as its `…At` form with `key(seed, stream, entity)`. */
export const u32 = (seed: number, stream: string, entity: string, counter: number): number =>
  at(key(seed, stream, entity), counter)

/** See `belowAt`. */
export const below = (seed: number, stream: string, entity: string, counter: number, n: number): number =>
  belowAt(key(seed, stream, entity), counter, n)

/** See `betweenAt`. */
export const between = (
  seed: number,
  stream: string,
  entity: string,
  counter: number,
  min: number,
  max: number
): number => betweenAt(key(seed, stream, entity), counter, min, max)

/** See `chanceAt`. */
export const chance = (
  seed: number,
  stream: string,
  entity: string,
  counter: number,
  numerator: number,
  denominator: number
): boolean => chanceAt(key(seed, stream, entity), counter, numerator, denominator)

/** See `bytesAt`. */
export const bytes = (
  seed: number,
  stream: string,
  entity: string,
  counter: number,
  length: number
): ReadonlyArray<number> => bytesAt(key(seed, stream, entity), counter, length)

/** See `base64urlAt`. */
export const base64url = (seed: number, stream: string, entity: string, counter: number, length: number): string =>
  base64urlAt(key(seed, stream, entity), counter, length)
