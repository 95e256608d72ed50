import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import type { Input } from "../../../kernel/Input.ts"
import * as Hash from "../../../adapters/recorded/Hash.ts"

const hashOf = (...values: ReadonlyArray<unknown>): string => {
  const hash = Hash.make()
  for (const [i, value] of values.entries()) Hash.absorb(hash, i, 0, value)
  return Hash.hex(hash)
}

const at = { mono: 1_000, wall: 1_760_000_000_000 }
const ponged: Input = { _tag: "Ponged", at, link: 3, probe: 17 }
const heartbeat: Input = {
  _tag: "Received",
  at,
  link: 3,
  frame: { type: "event", event: "mesh.heartbeat", payload: { epoch: [1, 2, 1, 3], seq: 9, rows: 4_123_456_789 } }
}
const malformed: Input = { _tag: "Malformed", at, link: 1, code: "TOO_LARGE", id: null, method: null }

/** Any plain data of a trace. */
const data = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.boolean(),
    fc.constant(null)
  ),
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie("tree"), { maxKeys: 4, noNullPrototype: true })
  )
})).tree

/** The value's canonical text, by which two values are the same or not. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      : Array.isArray(inner)
        ? ["array", ...inner]
        : inner
  )

const reversedKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversedKeys)
  if (value === null || typeof value !== "object") return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, child]) => [key, reversedKeys(child)])
  )
}

describe("trace hash", () => {
  it("golden: the same for ever, on every engine", () => {
    assert.strictEqual(Hash.hex(Hash.make()), "6a09e6673c6ef372")
    assert.strictEqual(hashOf(ponged), "5d17214f92d5bf00")
    assert.strictEqual(hashOf(ponged, heartbeat, malformed), "1b6cb496bb08d311")
    assert.strictEqual(
      hashOf({ text: "Гейша 😀", deep: [[[-1, 2 ** 40, null, true, false, {}, []]]] }),
      "ac50b6bd1a5f874d"
    )
    assert.strictEqual(hashOf({ value: 17.5, least: 5e-324, most: -1.7976931348623157e308 }), "b7bbe263b3edb945")
  })

  it("does not depend on the order of keys", () => {
    assert.strictEqual(hashOf(heartbeat), hashOf(reversedKeys(heartbeat)))
    fc.assert(
      fc.property(data, (value) => assert.strictEqual(hashOf(value), hashOf(reversedKeys(value)))),
      { seed: 1 }
    )
  })

  it("survives a trip through a trace file, -0 included", () => {
    fc.assert(
      fc.property(data, (value) => assert.strictEqual(hashOf(value), hashOf(JSON.parse(JSON.stringify(value))))),
      { seed: 2 }
    )
    assert.strictEqual(hashOf({ n: -0 }), hashOf({ n: 0 }))
  })

  it("different data, different hash: nothing stands for something else", () => {
    const seen = new Map<string, string>()
    fc.assert(
      fc.property(data, (value) => {
        const hash = hashOf(value)
        const text = canonical(value)
        assert.strictEqual(seen.get(hash) ?? text, text)
        seen.set(hash, text)
      }),
      { seed: 3, numRuns: 5_000 }
    )
    assert.isAbove(seen.size, 2_000)
  })

  it("tells apart what looks alike", () => {
    const alike: ReadonlyArray<unknown> = [
      0,
      1,
      -1,
      2 ** 32 - 1,
      2 ** 32,
      -(2 ** 32),
      2 ** 31,
      -(2 ** 31),
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      "0",
      "1",
      "",
      "null",
      "true",
      true,
      false,
      null,
      [],
      {},
      [0],
      ["0"],
      [[]],
      [null],
      [0, 0],
      [[0], 0],
      [0, [0]],
      [[0, 0]],
      { a: 0 },
      { a: 1 },
      { b: 0 },
      { a: "" },
      { "": "a" },
      { a: null },
      { a: {} },
      { a: [] },
      { a: 0, b: 1 },
      { a: 1, b: 0 },
      { a: "b", b: "a" },
      { a: "a", b: "b" },
      { a: { b: 0 } },
      { b: { a: 0 } },
      { a: { a: 0 }, b: 0 },
      { a: { b: 0 }, b: 0 },
      { 0: 0 },
      { a: [0] },
      { a: [1, 0] },
      { a: [0, 1] }
    ]
    assert.strictEqual(new Set(alike.map((value) => hashOf(value))).size, alike.length)
  })

  it("any single changed, added or missing field changes it", () => {
    const before = hashOf(heartbeat)
    const walk = (value: unknown, rebuild: (changed: unknown) => unknown): number => {
      let changes = 0
      const differs = (changed: unknown) => {
        changes++
        assert.notStrictEqual(hashOf(rebuild(changed)), before)
      }
      if (typeof value === "number") for (let bit = 0; bit < 31; bit++) differs(value + 2 ** bit)
      else if (typeof value === "string") differs(`${value} `)
      else if (Array.isArray(value)) {
        differs([...value, 0])
        differs(value.slice(1))
        for (const [i, child] of value.entries()) changes += walk(child, (changed) => rebuild(value.with(i, changed)))
      } else if (value !== null && typeof value === "object") {
        differs({ ...value, extra: 0 })
        for (const [key, child] of Object.entries(value)) {
          const { [key]: _, ...rest } = value as Record<string, unknown>
          differs(rest)
          changes += walk(child, (changed) => rebuild({ ...value, [key]: changed }))
        }
      }
      return changes
    }
    assert.isAbove(
      walk(heartbeat, (changed) => changed),
      200
    )
  })

  it("time, node and order belong to it", () => {
    const one = (atMs: number, node: number) => {
      const hash = Hash.make()
      Hash.absorb(hash, atMs, node, ponged)
      return Hash.hex(hash)
    }
    const all = [one(0, 0), one(1, 0), one(0, 1), one(1, 1), one(2 ** 32, 0), one(2 ** 32 + 1, 0), one(0, 2 ** 31)]
    assert.strictEqual(new Set(all).size, all.length)
    assert.notStrictEqual(hashOf(ponged, heartbeat), hashOf(heartbeat, ponged))
    assert.notStrictEqual(hashOf(ponged), hashOf(ponged, ponged))
  })

  it("one bit of the input moves half of the hash", () => {
    let flips = 0
    const samples = 2_000
    for (let i = 0; i < samples; i++) {
      const one = BigInt(`0x${hashOf({ ...ponged, probe: i })}`)
      const other = BigInt(`0x${hashOf({ ...ponged, probe: i ^ (1 << (i % 20)) })}`)
      flips += (one ^ other).toString(2).replaceAll("0", "").length
    }
    assert.closeTo(flips / samples, 32, 0.5)
  })

  it("a hundred thousand neighbouring events give as many hashes, in each lane nearly so", () => {
    const whole = new Set<string>()
    const lanes = [new Set<string>(), new Set<string>()] as const
    for (let mono = 0; mono < 100; mono++) {
      for (let link = 0; link < 100; link++) {
        for (let probe = 0; probe < 10; probe++) {
          const hash = hashOf({ _tag: "Ponged", at: { mono, wall: 0 }, link, probe })
          whole.add(hash)
          lanes[0].add(hash.slice(0, 8))
          lanes[1].add(hash.slice(8))
        }
      }
    }
    assert.strictEqual(whole.size, 100_000)
    // By chance 1.2 collisions are to be expected in 32 bits.
    for (const lane of lanes) assert.isAbove(lane.size, 99_990)
  })

  it("does not depend on what was hashed before, nor on how much of it is remembered", () => {
    const expected = hashOf(ponged, heartbeat)
    const busy = Hash.make()
    for (let i = 0; i < 10_000; i++) Hash.absorb(busy, i, 0, { [`key-${i}`]: `text-${i}` })
    const fresh = { ...busy, a: Hash.make().a, b: Hash.make().b }
    Hash.absorb(fresh, 0, 0, ponged)
    Hash.absorb(fresh, 1, 0, heartbeat)
    assert.strictEqual(Hash.hex(fresh), expected)
  })

  it("a fork goes on by itself", () => {
    const hash = Hash.make()
    Hash.absorb(hash, 0, 0, ponged)
    const copy = Hash.fork(hash)
    Hash.absorb(copy, 1, 0, heartbeat)
    assert.strictEqual(Hash.hex(hash), hashOf(ponged))
    assert.strictEqual(Hash.hex(copy), hashOf(ponged, heartbeat))
  })

  describe("what is no data is a defect that names its place, and changes nothing", () => {
    const refusals: ReadonlyArray<readonly [name: string, value: unknown, message: RegExp]> = [
      ["NaN", { _tag: "Ponged", at: { mono: Number.NaN } }, /Ponged\.at\.mono: NaN is no finite number/],
      ["infinity", { n: Number.POSITIVE_INFINITY }, /value\.n: Infinity is no finite number/],
      ["minus infinity", { list: [1, { x: Number.NEGATIVE_INFINITY }] }, /value\.list\[1\]\.x: -Infinity is no finite/],
      ["undefined in a field", { a: 1, b: undefined }, /value\.b: undefined is no data/],
      ["undefined in an array", [1, undefined], /value\[1\]: undefined is no data/],
      ["a hole", Object.assign([1], { 2: 3 }), /value: an array with holes/],
      ["undefined itself", undefined, /value: undefined is no data/],
      ["a function", { f: () => 1 }, /value\.f: function is no data/],
      ["a bigint", { n: 1n }, /value\.n: bigint is no data/],
      ["a symbol", { s: Symbol("s") }, /value\.s: symbol is no data/],
      ["a Map, whose entries are not fields", { m: new Map([[1, 2]]) }, /value\.m: an instance of a class/],
      ["a Date", { d: new Date(0) }, /value\.d: an instance of a class/],
      ["bytes", { b: new Uint8Array(2) }, /value\.b: an instance of a class/],
      ["an Option of Effect", { o: Option.some(1) }, /value\.o: an instance of a class/]
    ]
    for (const [name, value, message] of refusals) {
      it(name, () => {
        const hash = Hash.make()
        Hash.absorb(hash, 0, 0, ponged)
        const before = Hash.hex(hash)
        assert.throws(() => Hash.absorb(hash, 1, 0, value), message)
        assert.strictEqual(Hash.hex(hash), before)
        Hash.absorb(hash, 1, 0, heartbeat)
        assert.strictEqual(Hash.hex(hash), hashOf(ponged, heartbeat))
      })
    }
    it("a cycle", () => {
      const cycle: { self?: unknown } = {}
      cycle.self = cycle
      assert.throws(() => hashOf(cycle), /deeper than 32/)
    })
    it("a time or a node that is no integer", () => {
      assert.throws(() => Hash.absorb(Hash.make(), 0.5, 0, ponged), /safe integers/)
      assert.throws(() => Hash.absorb(Hash.make(), 0, Number.NaN, ponged), /safe integers/)
    })
  })

  it("optional keys that are absent, and objects without a prototype, are fine", () => {
    const bare: Record<string, unknown> = Object.create(null)
    bare["a"] = 1
    assert.strictEqual(hashOf(bare), hashOf({ a: 1 }))
  })
})
