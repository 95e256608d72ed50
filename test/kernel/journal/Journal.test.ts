import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Record } from "../../../kernel/Durable.ts"
import { isEmpty, type Image, type Operation } from "../../../kernel/journal/Disk.ts"
import * as Entry from "../../../kernel/journal/Entry.ts"
import * as Format from "../../../kernel/journal/Format.ts"
import * as Journal from "../../../kernel/journal/Journal.ts"
import { SimDisk } from "../../../sim/disk/SimDisk.ts"
import { fold, incarnation, life, pin, states, trust, vote } from "./sample.ts"

type Recovered = Extract<Journal.Recovered, { readonly _tag: "Recovered" }>
type Refused = Extract<Journal.Recovered, { readonly _tag: "Refused" }>

const recovered = (image: Image): Recovered => {
  const found = Journal.recover(image, "first")
  assert.strictEqual(found._tag, "Recovered", JSON.stringify(found))
  return found as Recovered
}
const refused = (image: Image, birth: Journal.Birth = "first"): Refused => {
  const found = Journal.recover(image, birth)
  assert.strictEqual(found._tag, "Refused")
  return found as Refused
}

const perform = (disk: SimDisk, operations: ReadonlyArray<Operation>): void => {
  for (const operation of operations) disk.perform(operation)
}

/** The disk of a node that stored these, and compacted after the records of these numbers. */
const lived = (records: ReadonlyArray<Record>, compactAfter: ReadonlyArray<number> = []): SimDisk => {
  const disk = new SimDisk()
  const first = recovered(disk.image())
  perform(disk, first.operations)
  let { journal } = first
  const take = (step: Journal.Appended): void => {
    if (step._tag === "Refused") assert.fail(step.why)
    ;({ journal } = step)
    perform(disk, step.operations)
  }
  records.forEach((record, i) => {
    take(Journal.append(journal, [record]))
    if (compactAfter.includes(i + 1)) take(Journal.compact(journal))
  })
  return disk
}

const withJournal = (image: Image, journal: Uint8Array | null): Image => ({ ...image, journal })
const withSlot = (image: Image, slot: 0 | 1, bytes: Uint8Array | null): Image => ({
  ...image,
  snapshots: slot === 0 ? [bytes, image.snapshots[1]] : [image.snapshots[0], bytes]
})
const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array => {
  const out = bytes.slice()
  out[at]! ^= 1 << bit
  return out
}
/** Where the entries of a journal begin, the head's first. */
const startsOf = (journal: Uint8Array): ReadonlyArray<number> => {
  const starts: Array<number> = []
  for (let at = 0; at < journal.length; at += 12 + new DataView(journal.buffer).getUint32(at, true)) starts.push(at)
  return starts
}

describe("Format", () => {
  it("gives back what it was given, in any script, and writes ASCII", () => {
    const names = ["", "Växthus 1 🌱", "\ud800 alone", 'quote " \\ \n \u0000', "温室"]
    const records = names.map((name) => trust("a", name))
    const encoded = Format.encodeEntry(records)
    if (encoded._tag === "Refused") assert.fail(encoded.why)
    const image = Buffer.concat([Format.encodeHead({ base: 0, amnesia: false }), encoded.bytes])
    const decoded = Format.decodeJournal(image)
    assert.strictEqual(decoded._tag, "Journal")
    if (decoded._tag === "Journal") assert.deepStrictEqual(decoded.entries[0]!.records, records)
    assert.isTrue(encoded.bytes.subarray(12).every((byte) => byte >= 0x20 && byte <= 0x7e))
  })

  it("refuses a record that could not be read back, or that is too long", () => {
    assert.strictEqual(Format.encodeEntry([incarnation(-1)])._tag, "Refused")
    assert.strictEqual(Format.encodeEntry([trust("a", "x".repeat(Format.RECORD_BYTES_MAX))])._tag, "Refused")
  })

  it("has room for as many records as are synced together, all of the longest", () => {
    const longest = trust("a", "x".repeat(Format.RECORD_BYTES_MAX - JSON.stringify(trust("a")).length))
    assert.strictEqual(JSON.stringify(longest).length, Format.RECORD_BYTES_MAX)
    assert.strictEqual(Format.encodeEntry(Array(Format.RECORDS_MAX).fill(longest))._tag, "Encoded")
  })

  it("B12: whatever bytes there are, reading ends in an answer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 60 }), (bytes, tail) => {
        Format.decodeSnapshotFile(bytes)
        Format.decodeJournal(bytes)
        Format.decodeJournal(Buffer.concat([Format.encodeHead({ base: 0, amnesia: false }), tail]))
      })
    )
  })
})

describe("Journal.recover", () => {
  it("begins a journal where there is nothing", () => {
    const { journal, operations } = recovered({ journal: null, snapshots: [null, null] })
    assert.deepStrictEqual([journal.upTo, journal.amnesia], [0, false])
    assert.deepStrictEqual(
      operations.map(({ _tag }) => _tag),
      ["Write", "Sync", "Rename", "SyncDirectory"]
    )
    assert.isTrue(isEmpty(new SimDisk().image()))
    assert.isFalse(isEmpty(lived([]).image()))
  })

  it("S9: a torn tail is cut off, wherever it was torn, and reported", () => {
    const whole = lived(life).image()
    const last = startsOf(whole.journal!).at(-1)!
    for (let end = last + 1; end < whole.journal!.length; end++) {
      const zeros = new Uint8Array(whole.journal!.length)
      zeros.set(whole.journal!.subarray(0, end))
      for (const torn of [whole.journal!.slice(0, end), zeros]) {
        const { journal, notes, operations } = recovered(withJournal(whole, torn))
        assert.deepStrictEqual(journal.durable, states.at(-2))
        assert.deepInclude(operations, { _tag: "Truncate", file: "journal", bytes: last })
        assert.match(notes.join(), /cut short/u)
      }
    }
  })

  it("S9: one bit that flipped anywhere in the journal stops the node: nothing is forgotten in silence", () => {
    const whole = lived(life.slice(0, 5)).image()
    for (let at = 0; at < whole.journal!.length; at++)
      for (let bit = 0; bit < 8; bit++)
        assert.strictEqual(refused(withJournal(whole, flipped(whole.journal!, at, bit))).reason, "Damaged", `${at}`)
  })

  it("S9: a hole of zeros that has something behind it is damage", () => {
    const whole = lived(life).image()
    const starts = startsOf(whole.journal!)
    for (const at of starts.slice(0, -1)) {
      const holed = whole.journal!.slice().fill(0, at, at + 40)
      assert.strictEqual(refused(withJournal(whole, holed)).reason, "Damaged", `${at}`)
    }
  })

  it("a snapshot that went bad costs nothing: the other one and the journal make the same state", () => {
    const image = lived(life, [3, 6, 9]).image()
    for (const slot of [0, 1] as const) {
      const bytes = image.snapshots[slot]!
      for (let at = 0; at < bytes.length; at++) {
        const { journal, notes } = recovered(withSlot(image, slot, flipped(bytes, at, at % 8)))
        assert.deepStrictEqual(journal.durable, states.at(-1))
        assert.match(notes.join(), new RegExp(`snapshot-${"ab"[slot]!} is damaged`, "u"))
      }
      assert.deepStrictEqual(recovered(withSlot(image, slot, null)).journal.durable, states.at(-1))
    }
  })

  it("with both snapshots bad or gone the node stops, unless the journal reaches back to the beginning", () => {
    const bad = new Uint8Array([1, 2, 3])
    const early = lived(life, [3]).image()
    assert.deepStrictEqual(recovered({ ...early, snapshots: [bad, bad] }).journal.durable, states.at(-1))
    const late = lived(life, [3, 6]).image()
    const twice = refused({ ...late, snapshots: [bad, bad] })
    assert.deepStrictEqual([twice.reason, twice.files], ["Damaged", ["snapshot-a", "snapshot-b"]])
    assert.strictEqual(refused({ ...late, snapshots: [null, null] }).reason, "Missing")
  })

  it("a journal that ends before its snapshot, or from another life, is found out", () => {
    const image = lived(life, [9]).image()
    const starts = startsOf(image.journal!)
    const short = refused(withJournal(image, image.journal!.slice(0, starts[5])))
    assert.deepStrictEqual([short.reason, short.files], ["Damaged", ["journal"]])
    assert.strictEqual(refused(withJournal(image, null)).reason, "Missing")
    assert.strictEqual(refused(withJournal(image, new Uint8Array(0))).reason, "Damaged")
  })

  it("what another version wrote is left alone", () => {
    const head = Entry.seal({ version: 2, base: 0, amnesia: false }, 1_000)!
    assert.strictEqual(refused({ journal: head, snapshots: [null, null] }).reason, "Unknown")
    const record = Entry.seal([{ _tag: "Lease", epoch: 1 }], 1_000)!
    const image = lived(life).image()
    assert.strictEqual(refused(withJournal(image, Buffer.concat([image.journal!, record]))).reason, "Unknown")
    assert.strictEqual(refused(withSlot(image, 1, head)).reason, "Unknown")
  })

  it("S9: amnesia lasts until an incarnation is stored, through compactions, and keeps what a snapshot holds", () => {
    const image = withJournal(lived(life, [3, 6]).image(), null)
    const found = Journal.recover(image, "lost")
    if (found._tag === "Refused") assert.fail(found.why)
    assert.isTrue(found.journal.amnesia)
    assert.deepStrictEqual(found.journal.durable, states[6])
    const after = (journal: Journal.Journal, record: Record): Journal.Journal => {
      const appended = Journal.append(journal, [record])
      if (appended._tag === "Refused") assert.fail(appended.why)
      const shorter = Journal.compact(appended.journal)
      if (shorter._tag === "Refused") assert.fail(shorter.why)
      return shorter.journal
    }
    const voted = after(found.journal, vote(9, "a"))
    assert.isTrue(voted.amnesia)
    assert.isFalse(after(voted, incarnation(12)).amnesia)
  })
})

describe("Journal.append", () => {
  it("records synced together are there all or none", () => {
    const disk = lived([])
    const { journal } = recovered(disk.image())
    const batch = [incarnation(1), trust("a"), pin("a")]
    const next = Journal.append(journal, batch)
    if (next._tag === "Refused") assert.fail(next.why)
    perform(disk, next.operations)
    const { journal: bytes, snapshots } = disk.image()
    assert.deepStrictEqual(recovered({ journal: bytes, snapshots }).journal.durable, fold(batch))
    assert.deepStrictEqual(recovered({ journal: bytes!.slice(0, -1), snapshots }).journal.upTo, 0)
  })

  it("the file stays within twice the limit, whatever was stored", () => {
    const disk = lived([])
    let { journal } = recovered(disk.image())
    let largestBytes = 0
    for (let i = 1; i <= 1_000; i++) {
      const next = Journal.append(journal, [vote(i, "a")])
      if (next._tag === "Refused") assert.fail(next.why)
      ;({ journal } = next)
      perform(disk, next.operations)
      if (Journal.isDue(journal, 2_000)) {
        const shorter = Journal.compact(journal)
        if (shorter._tag === "Refused") assert.fail(shorter.why)
        ;({ journal } = shorter)
        perform(disk, shorter.operations)
      }
      largestBytes = Math.max(largestBytes, disk.read("journal")!.length)
    }
    assert.isBelow(largestBytes, 2 * 2_000 + 500)
    assert.strictEqual(recovered(disk.image()).journal.durable.term.counter, 1_000)
  })
})
