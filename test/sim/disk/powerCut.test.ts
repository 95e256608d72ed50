/**
 * S9, A32: the power is cut at every byte of every operation of a node's life on disk, with every fate of what was not synced;
 * and cut again while the node recovers.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Durable, Record } from "../../../kernel/Durable.ts"
import type { Operation } from "../../../kernel/journal/Disk.ts"
import * as Journal from "../../../kernel/journal/Journal.ts"
import { bytesOf, FATES, SimDisk } from "../../../sim/disk/SimDisk.ts"
import { life, notBackward, states } from "../../kernel/journal/sample.ts"

/** Small enough for a compaction after every third record or so, so that both slots are written more than once. */
const COMPACT_AFTER_BYTES = 400

/** What a disk may be asked, less honestly than it should be: for the tests of these tests. */
type Bent = (operations: ReadonlyArray<Operation>) => ReadonlyArray<Operation>
const honest: Bent = (operations) => operations

interface Cut {
  /** Records acknowledged when power went. */
  readonly acknowledged: number
  /** Records asked for by then: one more may have reached the disk. */
  readonly asked: number
  readonly disk: SimDisk
}

const recover = (disk: SimDisk): Extract<Journal.Recovered, { readonly _tag: "Recovered" }> => {
  const found = Journal.recover(disk.image(), "first")
  assert.strictEqual(found._tag, "Recovered", JSON.stringify(found))
  return found as Extract<Journal.Recovered, { readonly _tag: "Recovered" }>
}

/** The disk before each operation, and with each part of it. */
const parts = (disk: SimDisk, operation: Operation): ReadonlyArray<SimDisk> =>
  Array.from({ length: bytesOf(operation) + 2 }, (_, written) => {
    const cut = disk.clone()
    // The first is before the operation, not a part of it: nothing made, nothing emptied.
    if (written > 0) cut.perform(operation, written - 1)
    return cut
  })

const appended = (step: Journal.Appended): Extract<Journal.Appended, { readonly _tag: "Appended" }> => {
  assert.strictEqual(step._tag, "Appended")
  return step as Extract<Journal.Appended, { readonly _tag: "Appended" }>
}

/** Lives through `records`, and calls `visit` with every disk that a power cut could stop at. Returns how often it compacted. */
const everyCut = (records: ReadonlyArray<Record>, bent: Bent, visit: (cut: Cut) => void): number => {
  const disk = new SimDisk()
  let acknowledged = 0
  let compactions = 0
  const perform = (operations: ReadonlyArray<Operation>, asked: number): void => {
    for (const operation of bent(operations)) {
      for (const cut of parts(disk, operation)) visit({ acknowledged, asked, disk: cut })
      disk.perform(operation)
    }
  }
  const first = recover(disk)
  let { journal } = first
  perform(first.operations, 0)
  for (const record of records) {
    const next = appended(Journal.append(journal, [record]))
    ;({ journal } = next)
    perform(next.operations, acknowledged + 1)
    acknowledged++
    if (!Journal.isDue(journal, COMPACT_AFTER_BYTES)) continue
    const shorter = appended(Journal.compact(journal))
    ;({ journal } = shorter)
    perform(shorter.operations, acknowledged)
    compactions++
  }
  for (const fate of FATES) visit({ acknowledged, asked: acknowledged, disk: afterCut(disk, fate) })
  return compactions
}

const afterCut = (disk: SimDisk, fate: (typeof FATES)[number]): SimDisk => {
  const cut = disk.clone()
  cut.powerCut(fate)
  return cut
}

/** Cuts that leave the same bytes behind are one: tells whether this one is new. */
const firstTime = (): ((disk: SimDisk, ...of: ReadonlyArray<number>) => boolean) => {
  const seen = new Set<string>()
  return (disk, ...of) => {
    const { journal, snapshots } = disk.image()
    const key = [
      ...of,
      ...[journal, ...snapshots].map((bytes) => bytes && Buffer.from(bytes).toString("latin1"))
    ].join()
    return seen.size < seen.add(key).size
  }
}

/** What was acknowledged is there, and at most what was asked for: the state is that of one of the two. */
const holds = (durable: Durable, { acknowledged, asked }: Cut): void => {
  const possible = states.slice(acknowledged, asked + 1)
  assert.deepInclude(possible, durable)
  notBackward(states[acknowledged]!, durable)
  if (states[acknowledged]!.pins.length > 0 && states[asked]!.pins.length > 0) assert.isNotEmpty(durable.pins)
}

/** Of every cut of `life`, with every fate: what is found by who starts next. */
const search = (bent: Bent): { readonly cuts: number; readonly images: number; readonly compactions: number } => {
  const isNew = firstTime()
  let cuts = 0
  let images = 0
  const compactions = everyCut(life, bent, (cut) => {
    for (const fate of FATES) {
      const disk = afterCut(cut.disk, fate)
      cuts++
      if (!isNew(disk, cut.acknowledged, cut.asked)) continue
      images++
      holds(recover(disk).journal.durable, cut)
    }
  })
  return { cuts, images, compactions }
}

const without =
  (tag: Operation["_tag"]): Bent =>
  (operations) =>
    operations.filter(({ _tag }) => _tag !== tag)

const draftsUnsynced: Bent = (operations) =>
  operations.filter((step) => step._tag !== "Sync" || !step.file.endsWith(".new"))

/** The journal is written over where it stands. */
const inPlace: Bent = (operations) =>
  operations.flatMap((step): ReadonlyArray<Operation> => {
    if (operations.length < 8 || !("file" in step) || step.file !== "journal.new")
      return step._tag === "Rename" && step.to === "journal" && operations.length === 8 ? [] : [step]
    if (step._tag === "Write")
      return [
        { _tag: "Truncate", file: "journal", bytes: 0 },
        { _tag: "Append", file: "journal", bytes: step.bytes }
      ]
    return [{ _tag: "Sync", file: "journal" }]
  })

describe("a power cut at every byte", { timeout: 60_000 }, () => {
  it("S9: loses nothing acknowledged, takes nothing back, and never empties the pins", () => {
    const { compactions, cuts, images } = search(honest)
    assert.isAtLeast(compactions, 3)
    assert.isAtLeast(cuts, 10_000)
    assert.isAtLeast(images, 1_000)
  })

  it("S9: and again in the middle of recovering, which also ends in a journal that can be appended to", () => {
    const isNew = firstTime()
    const isNewPart = firstTime()
    everyCut(life, honest, (cut) => {
      for (const fate of FATES) {
        const disk = afterCut(cut.disk, fate)
        if (!isNew(disk)) continue
        const { journal, operations } = recover(disk)
        for (const operation of operations) {
          for (const part of parts(disk, operation))
            for (const second of FATES) {
              const again = afterCut(part, second)
              if (isNewPart(again)) assert.deepStrictEqual(recover(again).journal.durable, journal.durable)
            }
          disk.perform(operation)
        }
        const next = appended(Journal.append(journal, [{ _tag: "Incarnation", incarnation: 99 }]))
        for (const operation of next.operations) disk.perform(operation)
        assert.strictEqual(recover(afterCut(disk, FATES.at(-1)!)).journal.durable.incarnation, 99)
      }
    })
  })

  it("S9: what a killed process had written and the next one read is synced before it is believed", () => {
    const isNew = firstTime()
    everyCut(life, honest, ({ disk }) => {
      if (!isNew(disk)) return
      const { journal, operations } = recover(disk)
      for (const operation of operations) disk.perform(operation)
      for (const fate of FATES) assert.deepStrictEqual(recover(afterCut(disk, fate)).journal.durable, journal.durable)
    })
  })

  it("the search sees what it looks for: a disk that is asked for less breaks the promise", () => {
    assert.throws(() => search(without("Sync")), /expected/u)
    assert.throws(() => search(without("SyncDirectory")), /expected/u)
    assert.throws(() => search(draftsUnsynced), /expected/u)
    assert.throws(() => search(inPlace), /expected/u)
  })
})
