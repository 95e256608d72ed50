import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Durable from "../../kernel/Durable.ts"
import { compareTerms } from "../../kernel/leadership/Term.ts"
import type { Term } from "../../kernel/wire/Frame.ts"
import { id } from "./drive.ts"

const fold = (records: ReadonlyArray<Durable.Record>): Durable.Durable => records.reduce(Durable.apply, Durable.empty)
const vote = (manifest: number, counter: number, name: string): Durable.Record => ({
  _tag: "Vote",
  term: { manifest, counter },
  votedFor: id(name)
})
const pin = (name: string, publicKey: string, kernel: boolean): Durable.Record => ({
  _tag: "Pin",
  deviceId: id(name),
  publicKey,
  kernel
})

const term: fc.Arbitrary<Term> = fc.record({ manifest: fc.nat(3), counter: fc.nat(5) })
const device = fc.constantFrom("a", "b", "c")
const record: fc.Arbitrary<Durable.Record> = fc.oneof(
  fc.record({ _tag: fc.constant("Incarnation" as const), incarnation: fc.nat(9) }),
  // One vote a term: whom for follows from the term, as it does at a voter.
  term.map((at): Durable.Record => vote(at.manifest, at.counter, "abc"[(at.manifest + at.counter) % 3]!)),
  fc
    .record({ name: device, key: fc.constantFrom("k1", "k2"), kernel: fc.boolean() })
    .map(({ key, kernel, name }) => pin(name, key, kernel))
)

describe("Durable", () => {
  it("S9: an incarnation never goes backward", () => {
    const first = fold([{ _tag: "Incarnation", incarnation: 4 }])
    assert.strictEqual(Durable.apply(first, { _tag: "Incarnation", incarnation: 3 }), first)
    assert.strictEqual(Durable.apply(first, { _tag: "Incarnation", incarnation: 4 }), first)
    assert.strictEqual(Durable.apply(first, { _tag: "Incarnation", incarnation: 5 }).incarnation, 5)
  })

  it("P7.4: a second vote of one term changes nothing", () => {
    const first = fold([vote(1, 2, "a")])
    assert.strictEqual(Durable.apply(first, vote(1, 2, "b")), first)
  })

  it("terms are ordered by manifest first: a low counter of a new manifest is later", () => {
    assert.deepStrictEqual(fold([vote(1, 9, "a"), vote(2, 1, "b"), vote(1, 10, "c")]).term, { manifest: 2, counter: 1 })
  })

  it("P5.9: the first key stays; P9.5: that it spoke the extension is never forgotten", () => {
    const durable = fold([pin("b", "first", false), pin("b", "second", true), pin("b", "third", false)])
    assert.deepStrictEqual(durable.pins, [{ deviceId: id("b"), publicKey: "first", kernel: true }])
  })

  it("pins are one a device, in order of id", () => {
    const durable = fold([pin("c", "k", true), pin("a", "k", true), pin("b", "k", false), pin("a", "k", false)])
    assert.deepStrictEqual(
      durable.pins.map(({ deviceId }) => deviceId),
      [id("a"), id("b"), id("c")]
    )
  })

  it("S9: whatever record comes, nothing goes backward", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        let durable = Durable.empty
        for (const next of records) {
          const after = Durable.apply(durable, next)
          assert.isAtLeast(after.incarnation, durable.incarnation)
          assert.isAtLeast(compareTerms(after.term, durable.term), 0)
          if (compareTerms(after.term, durable.term) === 0) assert.strictEqual(after.votedFor, durable.votedFor)
          for (const old of durable.pins) {
            const now = after.pins.find(({ deviceId }) => deviceId === old.deviceId)
            assert.strictEqual(now?.publicKey, old.publicKey)
            assert.isTrue(now?.kernel === true || !old.kernel)
          }
          durable = after
        }
      })
    )
  })

  it("S9: in whatever order votes and incarnations are read back, the highest counts", () => {
    const unpinned = record.filter(({ _tag }) => _tag !== "Pin")
    fc.assert(
      fc.property(
        fc
          .array(unpinned, { maxLength: 20 })
          .chain((records) =>
            fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length }))
          ),
        ([records, shuffled]) => assert.deepStrictEqual(fold(shuffled), fold(records))
      )
    )
  })
})
