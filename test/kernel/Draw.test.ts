import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Draw from "../../kernel/Draw.ts"
import golden from "./draw.golden.json" with { type: "json" }

const bitsSet = (word: number): number => {
  let count = 0
  for (let x = word >>> 0; x !== 0; x &= x - 1) count++
  return count
}

/** Mean number of the 32 bits that differ, over `pairs` pairs of draws. */
const meanFlips = (pairs: number, draw: (i: number) => readonly [number, number]): number => {
  let flips = 0
  for (let i = 0; i < pairs; i++) {
    const [one, other] = draw(i)
    flips += bitsSet(one ^ other)
  }
  return flips / pairs
}

/** Pearson's statistic against the uniform distribution. */
const chiSquare = (counts: ReadonlyArray<number>): number => {
  const total = counts.reduce((sum, n) => sum + n, 0)
  const expected = total / counts.length
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
}

/**
 * Chi-square with k degrees of freedom has mean k and deviation sqrt(2k). Seeds are fixed, so this cannot flake: five
 * deviations above is a broken draw, three below is one that is too even to be random.
 */
const assertUniform = (counts: ReadonlyArray<number>) => {
  const freedom = counts.length - 1
  const x = chiSquare(counts)
  const deviation = Math.sqrt(2 * freedom)
  assert.isBelow(x, freedom + 5 * deviation)
  assert.isAbove(x, freedom - 3 * deviation)
}

const tally = (buckets: number, draws: number, draw: (i: number) => number) => {
  const counts = new Array<number>(buckets).fill(0)
  for (let i = 0; i < draws; i++) {
    const bucket = draw(i)
    counts[bucket] = counts[bucket]! + 1
  }
  return counts
}

describe("Draw", () => {
  describe("golden vectors: the same draw for ever, on every engine", () => {
    it("u32", () => {
      for (const v of golden.u32) assert.strictEqual(Draw.u32(v.seed, v.stream, v.entity, v.counter), v.value)
    })
    it("below", () => {
      for (const v of golden.below) assert.strictEqual(Draw.below(v.seed, v.stream, v.entity, v.counter, v.n), v.value)
    })
    it("between", () => {
      for (const v of golden.between) {
        assert.strictEqual(Draw.between(v.seed, v.stream, v.entity, v.counter, v.min, v.max), v.value)
      }
    })
    it("base64url", () => {
      for (const v of golden.base64url) {
        assert.strictEqual(Draw.base64url(v.seed, v.stream, v.entity, v.counter, v.length), v.value)
      }
    })
  })

  describe("independence: changing one part of the key changes half of the bits", () => {
    const near16 = (mean: number) => assert.closeTo(mean, 16, 0.15)
    it("neighbouring counters", () =>
      near16(meanFlips(20_000, (i) => [Draw.u32(1, "s", "e", i), Draw.u32(1, "s", "e", i + 1)])))
    it("neighbouring seeds", () =>
      near16(meanFlips(20_000, (i) => [Draw.u32(i, "s", "e", 3), Draw.u32(i + 1, "s", "e", 3)])))
    it("seeds that differ above bit 32", () =>
      near16(meanFlips(20_000, (i) => [Draw.u32(i, "s", "e", 3), Draw.u32(i + 2 ** 32, "s", "e", 3)])))
    it("streams", () =>
      near16(meanFlips(20_000, (i) => [Draw.u32(i, "link-loss", "e", i), Draw.u32(i, "link-lost", "e", i)])))
    it("entities", () =>
      near16(meanFlips(20_000, (i) => [Draw.u32(1, "s", `n${i}`, 0), Draw.u32(1, "s", `n${i + 1}`, 0)])))
    it("stream and entity are not interchangeable and do not run into each other", () => {
      assert.notStrictEqual(Draw.u32(1, "a", "b", 0), Draw.u32(1, "b", "a", 0))
      assert.notStrictEqual(Draw.u32(1, "ab", "c", 0), Draw.u32(1, "a", "bc", 0))
    })
    it("each bit of the counter moves each bit of the draw about half of the time", () => {
      const of = Draw.key(9, "avalanche", "e")
      const samples = 4_000
      for (let input = 0; input < 32; input++) {
        const flips = new Array<number>(32).fill(0)
        for (let i = 0; i < samples; i++) {
          const difference = Draw.at(of, i * 7919) ^ Draw.at(of, (i * 7919) ^ (1 << input))
          for (let output = 0; output < 32; output++) flips[output] = flips[output]! + ((difference >>> output) & 1)
        }
        for (const n of flips) assert.closeTo(n / samples, 0.5, 0.05)
      }
    })
    it("a hundred thousand entities have different keys, lane by lane nearly so", () => {
      const keys = new Set<string>()
      const lanes = new Set<number>()
      for (let i = 0; i < 100_000; i++) {
        const of = Draw.key(1, "link-latency", `node-${i}>node-${i + 1}`)
        keys.add(`${of.a},${of.b}`)
        lanes.add(of.a)
      }
      assert.strictEqual(keys.size, 100_000)
      assert.isAbove(lanes.size, 99_980)
    })
  })

  describe("uniformity", () => {
    it("bytes of the word, over counters", () => {
      const of = Draw.key(3, "chi", "counter")
      for (const shift of [0, 8, 16, 24]) assertUniform(tally(256, 100_000, (i) => (Draw.at(of, i) >>> shift) & 0xff))
    })
    it("first draws of neighbouring entities", () =>
      assertUniform(tally(256, 50_000, (i) => Draw.u32(1, "s", `node-${i}`, 0) >>> 24)))
    it("first draws of neighbouring seeds", () =>
      assertUniform(tally(256, 50_000, (i) => Draw.u32(i, "s", "node", 0) >>> 24)))
    it("pairs of consecutive draws", () => {
      const of = Draw.key(4, "chi", "pairs")
      assertUniform(tally(256, 100_000, (i) => ((Draw.at(of, 2 * i) >>> 28) << 4) | (Draw.at(of, 2 * i + 1) >>> 28)))
    })
    it("below: every value of a range that is no power of two", () => {
      const of = Draw.key(5, "chi", "below")
      assertUniform(tally(97, 100_000, (i) => Draw.belowAt(of, i, 97)))
    })
    it("bytes", () => {
      assertUniform(tally(256, 96_000, (i) => Draw.bytes(6, "nonce", "n", i, 3)[i % 3]!))
    })
    it("chance: an exact ratio", () => {
      const of = Draw.key(7, "loss", "l")
      let hits = 0
      for (let i = 0; i < 100_000; i++) if (Draw.chanceAt(of, i, 2, 100)) hits++
      // Binomial(100000, 0.02): deviation 44.
      assert.closeTo(hits, 2_000, 200)
    })
  })

  describe("bounds", () => {
    const seed = fc.maxSafeInteger()
    const counter = fc.nat({ max: 0xffff_ffff })
    it("below and between stay inside, and agree with exact arithmetic", () =>
      fc.assert(
        fc.property(seed, fc.string(), counter, fc.integer({ min: 1, max: 0xffff_ffff }), (s, entity, c, n) => {
          const value = Draw.below(s, "below", entity, c, n)
          assert.strictEqual(BigInt(value), (BigInt(Draw.u32(s, "below", entity, c)) * BigInt(n)) >> 32n)
          assert.strictEqual(Draw.between(s, "below", entity, c, -5, n - 6), value - 5)
        }),
        { seed: 1 }
      ))
    it("empty ranges and certain chances draw nothing and throw nothing", () => {
      assert.strictEqual(Draw.below(1, "s", "e", 0, 0), 0)
      assert.strictEqual(Draw.below(1, "s", "e", 0, -3), 0)
      assert.strictEqual(Draw.between(1, "s", "e", 0, 9, 3), 9)
      for (let i = 0; i < 100; i++) {
        assert.isFalse(Draw.chance(1, "s", "e", i, 0, 10))
        assert.isTrue(Draw.chance(1, "s", "e", i, 10, 10))
        assert.isFalse(Draw.chance(1, "s", "e", i, 0, 0))
      }
    })
    it("base64url is what Buffer makes of the same bytes, of any length", () => {
      for (let length = 0; length <= 40; length++) {
        const bytes = Draw.bytes(11, "nonce", "n", length, length)
        assert.strictEqual(bytes.length, length)
        assert.strictEqual(Draw.base64url(11, "nonce", "n", length, length), Buffer.from(bytes).toString("base64url"))
      }
    })
    it("the short forms draw what the keyed forms draw", () => {
      const of = Draw.key(21, "s", "e")
      assert.strictEqual(Draw.u32(21, "s", "e", 5), Draw.at(of, 5))
      assert.strictEqual(Draw.below(21, "s", "e", 5, 1000), Draw.belowAt(of, 5, 1000))
      assert.strictEqual(Draw.chance(21, "s", "e", 5, 1, 2), Draw.chanceAt(of, 5, 1, 2))
      assert.deepStrictEqual(Draw.bytes(21, "s", "e", 5, 9), Draw.bytesAt(of, 5, 9))
    })
    it("nonces of ten entities and five thousand counters do not repeat", () => {
      const seen = new Set<string>()
      for (let i = 0; i < 50_000; i++) seen.add(Draw.base64url(1, "nonce", `node-${i % 10}`, Math.floor(i / 10), 24))
      assert.strictEqual(seen.size, 50_000)
    })
  })
})
