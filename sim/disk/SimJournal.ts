/**
 * The kernel's journal on a simulated disk, for one machine: the same code and the same operations as on a real directory.
 *
 * Takes no time of its own: whoever drives it says when a write begins (`ask`), when the oldest one is through (`finish`), and
 * what a crash finds half done. Writes are done in the order in which they were asked for, one at a time.
 */
import type { Durable, Record } from "../../kernel/Durable.ts"
import { RECORDS_MAX } from "../../kernel/journal/Format.ts"
import * as Journal from "../../kernel/journal/Journal.ts"
import type { Operation } from "../../kernel/journal/Disk.ts"
import { bytesOf, FATES, SimDisk } from "./SimDisk.ts"

/** An integer of `[0, n)`: a keyed draw of the world's. */
export type Below = (what: "progress" | "fate", n: number) => number

const never = (what: string): never => {
  throw new Error(`SimJournal: ${what}`)
}

export class SimJournal {
  readonly disk: SimDisk
  /** Notes of the last start, for people. */
  notes: ReadonlyArray<string> = []
  private readonly compactAfterBytes: number
  private journal: Journal.Journal | null = null
  private asked: Array<Record> = []
  /** A compaction that began after the last acknowledgement, and is through before the next. */
  private underWay: ReadonlyArray<Operation> = []

  constructor(disk = new SimDisk(), compactAfterBytes = Journal.COMPACT_AFTER_BYTES) {
    this.disk = disk
    this.compactAfterBytes = compactAfterBytes
  }

  /**
   * A process starts: what it finds, made durable. A journal that cannot be recovered is a defect: this disk keeps its word.
   * `birth` is "lost" for a machine that kept its identity on a disk that was emptied.
   */
  open(birth: Journal.Birth = "first"): { readonly durable: Durable; readonly amnesia: boolean } {
    const found = Journal.recover(this.disk.image(), birth)
    if (found._tag === "Refused") return never(`${found.files.join(", ")}: ${found.why}`)
    for (const operation of found.operations) this.disk.perform(operation)
    this.journal = found.journal
    this.notes = found.notes
    return { durable: found.journal.durable, amnesia: found.journal.amnesia }
  }

  /** A record is to be made durable, after all that were asked for before it. */
  ask(record: Record): void {
    this.asked.push(record)
  }

  /** The oldest record asked for is durable from now on, and may be acknowledged. */
  finish(): Durable {
    const record = this.asked.shift() ?? never("nothing was asked for")
    for (const operation of [...this.underWay, ...this.write([record])]) this.disk.perform(operation)
    this.underWay = Journal.isDue(this.opened(), this.compactAfterBytes) ? this.shorten() : []
    return this.opened().durable
  }

  /**
   * The process ends in the middle of what was asked for; `powerCut`: the machine as well, and with it what was not synced.
   * Nothing is done when the journal is not open.
   */
  crash(powerCut: boolean, below: Below): void {
    if (this.journal === null) return
    const next = this.asked.length > 0 ? this.write(this.asked.slice(0, RECORDS_MAX)) : []
    this.doPart([...this.underWay, ...next], below)
    if (powerCut) this.disk.powerCut(FATES[below("fate", FATES.length)]!)
    this.journal = null
    this.asked = []
    this.underWay = []
  }

  /** Performs up to some byte of some operation. */
  private doPart(operations: ReadonlyArray<Operation>, below: Below): void {
    const steps = operations.reduce((sum, operation) => sum + bytesOf(operation) + 1, 0)
    let left = below("progress", steps + 1)
    for (const operation of operations) {
      if (left === 0) return
      this.disk.perform(operation, left)
      left = Math.max(0, left - bytesOf(operation) - 1)
    }
  }

  private write(records: ReadonlyArray<Record>): ReadonlyArray<Operation> {
    const next = Journal.append(this.opened(), records)
    if (next._tag === "Refused") return never(next.why)
    this.journal = next.journal
    return next.operations
  }

  private shorten(): ReadonlyArray<Operation> {
    const next = Journal.compact(this.opened())
    if (next._tag === "Refused") return never(next.why)
    this.journal = next.journal
    return next.operations
  }

  private opened(): Journal.Journal {
    return this.journal ?? never("it is not open")
  }
}
