import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { FATES, SimDisk } from "../../../sim/disk/SimDisk.ts"
import { SimJournal, type Below, type Opened } from "../../../sim/disk/SimJournal.ts"
import { below as draw } from "../../../kernel/Draw.ts"
import { fold, incarnation, life, notBackward, pin, states, trust, vote } from "../../kernel/journal/sample.ts"
import * as Durable from "../../../kernel/Durable.ts"

const nothingDone: Below = () => 0
const lost = FATES.findIndex(({ bytes, names }) => bytes === "lost" && names === "lost")

const opened = (found: Opened): Extract<Opened, { readonly _tag: "Opened" }> => {
  if (found._tag !== "Opened") assert.fail(found.why)
  return found
}

/** A journal whose draws a test changes as it goes. */
const drawn = (disk = new SimDisk(), compactAfterBytes?: number) => {
  const how = { below: nothingDone }
  const journal = new SimJournal((what, n) => how.below(what, n), disk, compactAfterBytes)
  opened(journal.open())
  return { how, journal }
}

const stored = (journal: SimJournal, ...records: ReadonlyArray<Durable.Record>): void => {
  for (const record of records) {
    journal.ask(record)
    assert.isNull(journal.finish())
  }
}

describe("SimJournal", () => {
  it("S9: a fresh disk is a first boot, an emptied one is amnesia until an incarnation is stored", () => {
    const fresh = new SimJournal(nothingDone)
    assert.deepStrictEqual(fresh.open(), { _tag: "Opened", durable: Durable.empty, amnesia: false })
    const journal = new SimJournal(nothingDone)
    assert.deepStrictEqual(journal.open("lost"), { _tag: "Opened", durable: Durable.empty, amnesia: true })
    stored(journal, pin("a"))
    assert.isTrue(opened(journal.open()).amnesia)
    stored(journal, incarnation(8))
    assert.isFalse(opened(journal.open()).amnesia)
  })

  it("finishes in the order in which was asked, and a power cut takes what was not finished", () => {
    const { how, journal } = drawn()
    journal.ask(vote(1, "a"))
    journal.ask(vote(2, "b"))
    assert.isNull(journal.finish())
    assert.strictEqual(journal.durable.votedFor, "a".repeat(64))
    // Everything is written, and the sync is not done.
    how.below = (what, n) => (what === "fate" ? lost : n - 2)
    assert.isFalse(journal.crash(true))
    assert.deepStrictEqual(opened(journal.open()).durable, fold([vote(1, "a")]))
  })

  it("a killed process leaves what it had written to the cache", () => {
    const { how, journal } = drawn()
    journal.ask(vote(1, "a"))
    how.below = (_, n) => n - 1
    journal.crash(false)
    assert.deepStrictEqual(journal.durable, fold([vote(1, "a")]))
    assert.deepStrictEqual(opened(journal.open()).durable, fold([vote(1, "a")]))
    journal.ask(vote(2, "a"))
    how.below = nothingDone
    journal.crash(false)
    assert.deepStrictEqual(opened(journal.open()).durable, fold([vote(1, "a")]))
  })

  it("one that ends in order has written what it was asked for", () => {
    const { journal } = drawn()
    journal.ask(vote(1, "a"))
    journal.ask(pin("a"))
    journal.close()
    assert.deepStrictEqual(opened(journal.open()).durable, fold([vote(1, "a"), pin("a")]))
  })

  it("torn on purpose: a part of the write is left, which the next start cuts off", () => {
    const { how, journal } = drawn()
    stored(journal, incarnation(1))
    const whole = journal.disk.image().journal!.length
    for (const powerCut of [false, true])
      for (const part of [0, 0.5, 1])
        for (const fate of [0, 0.5, 1]) {
          journal.ask(vote(1, "a"))
          how.below = (what, n) => Math.floor((what === "fate" ? fate : part) * (n - 1))
          assert.isTrue(journal.crash(powerCut, "torn"))
          assert.isAbove(journal.disk.image().journal!.length, whole)
          assert.deepStrictEqual(opened(journal.open()).durable, fold([incarnation(1)]))
          assert.match(journal.notes.join(), /a write was cut short/u)
          assert.strictEqual(journal.disk.image().journal!.length, whole)
        }
    assert.isFalse(journal.crash(true, "torn"), "nothing was being written")
    opened(journal.open())
    assert.deepStrictEqual(journal.notes, [])
  })

  it("torn on purpose behind a snapshot that is due: the snapshot is there", () => {
    const { journal } = drawn(new SimDisk(), 100)
    stored(journal, incarnation(1), vote(1, "a"))
    assert.isNull(journal.disk.read("snapshot-a"))
    journal.ask(vote(2, "a"))
    assert.isTrue(journal.crash(true, "torn"))
    assert.isNotNull(journal.disk.read("snapshot-a"))
    assert.deepStrictEqual(opened(journal.open()).durable, fold([incarnation(1), vote(1, "a")]))
  })

  it("S9: a disk that fails takes nothing, a full one perhaps a part; neither loses what was acknowledged", () => {
    for (const fault of ["error", "full"] as const) {
      const { how, journal } = drawn()
      stored(journal, incarnation(1), vote(1, "a"))
      how.below = (_, n) => n - 1
      journal.disk.fault = fault
      journal.ask(vote(2, "b"))
      journal.ask(vote(3, "b"))
      assert.strictEqual(journal.finish(), fault === "full" ? "the disk is full" : "the disk reports an error")
      journal.disk.fault = null
      assert.isString(journal.finish(), "whose disk has failed once does not trust it again")
      assert.deepStrictEqual(journal.durable, fold([incarnation(1), vote(1, "a")]))
      journal.crash(false)
      assert.deepStrictEqual(opened(journal.open()).durable, fold([incarnation(1), vote(1, "a")]))
      stored(journal, vote(4, "c"))
    }
  })

  it("a disk that fails cannot be opened; a full one can, and can be cut, but not begun", () => {
    const { how, journal } = drawn()
    stored(journal, incarnation(1))
    journal.disk.fault = "error"
    assert.deepStrictEqual(journal.open(), { _tag: "Unusable", why: "the disk reports an error" })
    journal.disk.fault = "full"
    assert.strictEqual(opened(journal.open()).durable.incarnation, 1)
    journal.disk.wipe()
    how.below = (_, n) => n - 1
    assert.deepStrictEqual(journal.open(), { _tag: "Unusable", why: "the disk is full" })
    journal.disk.fault = null
    assert.deepStrictEqual(opened(journal.open()).durable, Durable.empty)
  })

  it("a compaction that fails costs no acknowledged record, and ends the use of the journal", () => {
    const { how, journal } = drawn(new SimDisk(), 300)
    const records = Array.from({ length: 10 }, (_, i) => vote(i + 1, "a"))
    const head = journal.disk.image().journal!.length
    how.below = (_, n) => n >>> 1
    let acknowledged = 0
    for (const record of records) {
      // As much as makes the next snapshot due.
      if (journal.disk.image().journal!.length - head >= 300) journal.disk.fault = "full"
      journal.ask(record)
      if (journal.finish() !== null) break
      acknowledged++
    }
    assert.isAbove(acknowledged, 1)
    assert.isNotNull(journal.disk.read("snapshot-a.new"), "the snapshot was begun")
    assert.isNull(journal.disk.read("snapshot-a"))
    journal.crash(false)
    journal.disk.fault = null
    assert.deepStrictEqual(opened(journal.open()).durable, fold(records.slice(0, acknowledged)))
  })

  it("a record that is too long is refused alone", () => {
    const { journal } = drawn()
    journal.ask(incarnation(1))
    journal.ask(trust("a", "x".repeat(5_000)))
    journal.ask(pin("b"))
    assert.deepStrictEqual(
      [journal.finish(), journal.finish(), journal.finish()].map((why) => why === null),
      [true, false, true]
    )
    assert.deepStrictEqual(opened(journal.open()).durable, fold([incarnation(1), pin("b")]))
  })

  it("A32 C74 S9: a crash at every boundary of every write, in every length class of a torn one, with every fate", () => {
    /** Where a write of `n - 1` bytes may stop: around its header of twelve bytes, within its payload, at its end. */
    const parts = (n: number): ReadonlyArray<number> => [0, 1, 11, 12, 13, n >>> 1, n - 2, n - 1]
    let crashes = 0
    let survivors = 0
    let compacting = 0
    /** The life up to record `at`, ended in the middle of it. `null`: there is no such boundary. */
    const crashAt = (at: number, progress: number, part: number, fate: number | null): void | null => {
      const { how, journal } = drawn(new SimDisk(), 400)
      stored(journal, ...life.slice(0, at))
      const found: Array<number> = []
      how.below = (what, n) => {
        if (what === "progress") found.push(n)
        return Math.min(n - 1, what === "progress" ? progress : what === "fate" ? (fate ?? 0) : parts(n)[part]!)
      }
      journal.ask(life[at]!)
      journal.crash(fate !== null)
      if (progress >= found[0]!) return null
      if (found[0]! > 3) compacting++
      crashes++
      const { durable } = opened(journal.open())
      if (JSON.stringify(durable) !== JSON.stringify(states[at])) {
        assert.deepStrictEqual(durable, states[at + 1])
        survivors++
      }
      notBackward(states[at]!, durable)
      stored(journal, ...life.slice(at))
      assert.deepStrictEqual(opened(journal.open()).durable, life.slice(at).reduce(Durable.apply, durable))
    }
    for (let at = 0; at < life.length; at++)
      for (let progress = 0; crashAt(at, progress, 0, null) !== null; progress++)
        for (let part = 0; part < parts(1).length; part++)
          for (let fate = -1; fate < FATES.length; fate++) crashAt(at, progress, part, fate === -1 ? null : fate)
    assert.isAtLeast(crashes, 2_000)
    assert.isAtLeast(compacting, 500)
    assert.isAtLeast(survivors, 100)
  })

  it("S9: through random lives with kills and power cuts, what was acknowledged stays and nothing goes backward", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...life).map((record) => ({ record })) },
      { weight: 3, arbitrary: fc.constant("finish" as const) },
      { weight: 1, arbitrary: fc.constantFrom("kill" as const, "cut" as const, "tear" as const) }
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), fc.nat(), (steps, seed) => {
        let drawn = 0
        const journal = new SimJournal((what, n) => draw(seed, what, "life", drawn++, n), new SimDisk(), 300)
        let { durable } = opened(journal.open())
        let waiting: Array<Durable.Record> = []
        for (const next of steps) {
          if (next === "finish") {
            const record = waiting.shift()
            if (record === undefined) continue
            durable = Durable.apply(durable, record)
            assert.isNull(journal.finish())
            assert.deepStrictEqual(journal.durable, durable)
          } else if (next === "kill" || next === "cut" || next === "tear") {
            journal.crash(next !== "kill", next === "tear" ? "torn" : "anywhere")
            const foretold = journal.durable
            const found = opened(journal.open()).durable
            assert.deepStrictEqual(foretold, found)
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
