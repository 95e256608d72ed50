import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { FATES, SimDisk } from "../../../sim/disk/SimDisk.ts"
import { SimJournal, type Below } from "../../../sim/disk/SimJournal.ts"
import { below as draw } from "../../../kernel/Draw.ts"
import { fold, incarnation, life, notBackward, pin, vote } from "../../kernel/journal/sample.ts"
import * as Durable from "../../../kernel/Durable.ts"

const nothingDone: Below = () => 0
const lost = FATES.findIndex(({ bytes, names }) => bytes === "lost" && names === "lost")

describe("SimJournal", () => {
  it("S9: a fresh disk is a first boot, an emptied one is amnesia until an incarnation is stored", () => {
    const fresh = new SimJournal()
    assert.deepStrictEqual(fresh.open(), { durable: Durable.empty, amnesia: false })
    const journal = new SimJournal()
    assert.deepStrictEqual(journal.open("lost"), { durable: Durable.empty, amnesia: true })
    journal.ask(pin("a"))
    journal.finish()
    assert.isTrue(journal.open().amnesia)
    journal.ask(incarnation(8))
    journal.finish()
    assert.isFalse(journal.open().amnesia)
  })

  it("finishes in the order in which was asked, and a power cut takes what was not finished", () => {
    const journal = new SimJournal()
    journal.open()
    journal.ask(vote(1, "a"))
    journal.ask(vote(2, "b"))
    assert.strictEqual(journal.finish().votedFor, "a".repeat(64))
    // Everything is written, and the sync is not done.
    journal.crash(true, (what, n) => (what === "fate" ? lost : n - 2))
    assert.deepStrictEqual(journal.open().durable, fold([vote(1, "a")]))
  })

  it("a killed process leaves what it had written to the cache", () => {
    const journal = new SimJournal()
    journal.open()
    journal.ask(vote(1, "a"))
    journal.crash(false, (_, n) => n - 1)
    assert.deepStrictEqual(journal.open().durable, fold([vote(1, "a")]))
    journal.ask(vote(2, "a"))
    journal.crash(false, nothingDone)
    assert.deepStrictEqual(journal.open().durable, fold([vote(1, "a")]))
  })

  it("S9: through random lives with kills and power cuts, what was acknowledged stays and nothing goes backward", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...life).map((record) => ({ record })) },
      { weight: 3, arbitrary: fc.constant("finish" as const) },
      { weight: 1, arbitrary: fc.constantFrom("kill" as const, "cut" as const) }
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), fc.nat(), (steps, seed) => {
        const journal = new SimJournal(new SimDisk(), 300)
        let { durable } = journal.open()
        let waiting: Array<Durable.Record> = []
        let drawn = 0
        for (const next of steps) {
          if (next === "finish") {
            const record = waiting.shift()
            if (record === undefined) continue
            durable = Durable.apply(durable, record)
            assert.deepStrictEqual(journal.finish(), durable)
          } else if (next === "kill" || next === "cut") {
            journal.crash(next === "cut", (what, n) => draw(seed, what, next, drawn++, n))
            const found = journal.open().durable
            // What was being written when it ended is there as a whole or not at all.
            assert.deepInclude([durable, waiting.slice(0, 15).reduce(Durable.apply, durable)], found)
            notBackward(durable, found)
            durable = found
            waiting = []
          } else {
            waiting.push(next.record)
            journal.ask(next.record)
          }
        }
      }),
      { numRuns: 200, seed: 20261124 }
    )
  })
})
