/** Records of a node's life, and what must be true of what is restored from them. */
import { assert } from "@effect/vitest"
import * as Durable from "../../../kernel/Durable.ts"
import { compareTerms } from "../../../kernel/leadership/Term.ts"
import { id } from "../drive.ts"

export const incarnation = (of: number): Durable.Record => ({ _tag: "Incarnation", incarnation: of })
export const vote = (counter: number, name: string): Durable.Record => ({
  _tag: "Vote",
  term: { manifest: 1, counter },
  votedFor: id(name)
})
export const trust = (name: string, called = ""): Durable.Record => ({
  _tag: "Trust",
  device: { deviceId: id(name), role: "field", name: called, gen1: false, publicKey: null }
})
export const distrust = (name: string): Durable.Record => ({ _tag: "Distrust", deviceId: id(name) })
export const pin = (name: string): Durable.Record => ({
  _tag: "Pin",
  deviceId: id(name),
  publicKey: `key-${name}`,
  kernel: true
})

/** A boot, trust with a change of mind, pins, votes, another boot. */
export const life: ReadonlyArray<Durable.Record> = [
  incarnation(1),
  trust("a", "Växthus 1 🌱"),
  pin("a"),
  vote(1, "a"),
  trust("b"),
  distrust("a"),
  vote(2, "b"),
  pin("b"),
  incarnation(2),
  trust("a"),
  pin("a"),
  vote(5, "c")
]

export const fold = (records: ReadonlyArray<Durable.Record>): Durable.Durable =>
  records.reduce(Durable.apply, Durable.empty)

/** States after 0, 1, 2 … records of `life`. */
export const states: ReadonlyArray<Durable.Durable> = life.map((_, i) => fold(life.slice(0, i))).concat(fold(life))

/** S9: incarnation and vote only rise. */
export const notBackward = (before: Durable.Durable, after: Durable.Durable): void => {
  assert.isAtLeast(after.incarnation, before.incarnation)
  const order = compareTerms(after.term, before.term)
  assert.isAtLeast(order, 0)
  if (order === 0) assert.strictEqual(after.votedFor, before.votedFor)
}
