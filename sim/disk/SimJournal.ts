/**
 * The kernel's journal on a simulated disk, for one machine: the same code and the same operations as on a real directory.
 *
 * Takes no time of its own: whoever drives it says when a write begins (`ask`), when the oldest one is through (`finish`), and
 * when the process ends in the middle of one (`crash`). Writes are done in the order in which they were asked for, one at a
 * time. After the first that fails nothing more is stored until it is opened again.
 */
import { empty, type Durable, type Record } from "../../kernel/Durable.ts"
import { RECORDS_MAX } from "../../kernel/journal/Format.ts"
import * as Journal from "../../kernel/journal/Journal.ts"
import type { Operation } from "../../kernel/journal/Disk.ts"
import { bytesOf, FATES, SimDisk } from "./SimDisk.ts"

/** An integer of `[0, n)`: a keyed draw of the world's. */
export type Below = (what: "progress" | "part" | "fate", n: number) => number

/** `torn`: cut off within the bytes of a write, so that a part of it or its zeros are left, where one is under way. */
export type Ending = "anywhere" | "torn"

export type Opened =
  | { readonly _tag: "Opened"; readonly durable: Durable; readonly amnesia: boolean }
  /** The disk cannot be used, in words. */
  | { readonly _tag: "Unusable"; readonly why: string }

/** Fates in which what is left of a torn write can be seen. */
const TORN_FATES = FATES.filter(({ bytes, names }) => bytes !== "lost" && names === "kept")

const never = (what: string): never => {
  throw new Error(`SimJournal: ${what}`)
}

export class SimJournal {
  readonly disk: SimDisk
  /** Notes of the last start, for people. */
  notes: ReadonlyArray<string> = []
  private readonly below: Below
  private readonly compactAfterBytes: number
  private journal: Journal.Journal | null = null
  private asked: Array<Record> = []
  /** A compaction that began after the last acknowledgement, and is through before the next. */
  private underWay: Extract<Journal.Appended, { readonly _tag: "Appended" }> | null = null
  private broken: string | null = null

  constructor(below: Below, disk = new SimDisk(), compactAfterBytes = Journal.COMPACT_AFTER_BYTES) {
    this.below = below
    this.disk = disk
    this.compactAfterBytes = compactAfterBytes
  }

  /** The same on a disk of its own. */
  fork(below: Below): SimJournal {
    const copy = new SimJournal(below, this.disk.clone(), this.compactAfterBytes)
    copy.notes = this.notes
    copy.journal = this.journal
    copy.asked = this.asked.slice()
    copy.underWay = this.underWay
    copy.broken = this.broken
    return copy
  }

  /** What is acknowledged; of a journal that is not open, what the next start will find. */
  get durable(): Durable {
    if (this.journal !== null) return this.journal.durable
    const found = Journal.recover(this.disk.image(), "lost")
    return found._tag === "Recovered" ? found.journal.durable : empty
  }

  /**
   * A process starts: what it finds, made durable. A journal that cannot be recovered is a defect: this disk keeps its word.
   * `birth` is "lost" for a machine that kept its identity on a disk that was emptied.
   */
  open(birth: Journal.Birth = "first"): Opened {
    this.end()
    const found = Journal.recover(this.disk.image(), birth)
    if (found._tag === "Refused") return never(`${found.files.join(", ")}: ${found.why}`)
    const why = this.perform(found.operations)
    if (why !== null) return { _tag: "Unusable", why }
    this.journal = found.journal
    this.notes = found.notes
    return { _tag: "Opened", durable: found.journal.durable, amnesia: found.journal.amnesia }
  }

  /** A record is to be made durable, after all that were asked for before it. */
  ask(record: Record): void {
    this.asked.push(record)
  }

  /** The oldest record asked for is durable from now on, and may be acknowledged (`null`); or why it is not, in words. */
  finish(): string | null {
    const record = this.asked.shift() ?? never("nothing was asked for")
    this.shorten()
    if (this.broken !== null) return this.broken
    const next = Journal.append(this.opened(), [record])
    if (next._tag === "Refused") return next.why
    this.broken = this.perform(next.operations)
    if (this.broken !== null) return this.broken
    this.journal = next.journal
    if (Journal.isDue(next.journal, this.compactAfterBytes)) this.underWay = this.shorter(next.journal)
    return null
  }

  /** The process ends in order: what was asked for is written, as far as it can be. */
  close(): void {
    while (this.asked.length > 0) this.finish()
    this.end()
  }

  /**
   * The process, if there is one, ends in the middle of what was asked for; `powerCut`: the machine as well, and with it what
   * was not synced. Tells whether a write was torn on purpose.
   */
  crash(powerCut: boolean, ending: Ending = "anywhere"): boolean {
    const operations = this.next()
    const torn = ending === "torn" && this.tear(operations)
    if (!torn) this.doPart(operations)
    if (powerCut) {
      const fates = torn ? TORN_FATES : FATES
      this.disk.powerCut(fates[this.below("fate", fates.length)]!)
    }
    this.end()
    return torn
  }

  /** What the process was doing, or was about to do. */
  private next(): ReadonlyArray<Operation> {
    if (this.journal === null || this.broken !== null) return []
    const { asked, underWay } = this
    const next =
      asked.length === 0 ? null : Journal.append(underWay?.journal ?? this.journal, asked.slice(0, RECORDS_MAX))
    return [...(underWay?.operations ?? []), ...(next?._tag === "Appended" ? next.operations : [])]
  }

  /** Performs some operations, each number of them as likely as the others, and of the next one some of its bytes. */
  private doPart(operations: ReadonlyArray<Operation>): void {
    if (operations.length === 0) return
    const whole = this.below("progress", operations.length + 1)
    if (this.perform(operations.slice(0, whole)) !== null) return
    const next = operations[whole]
    if (next === undefined || bytesOf(next) === 0 || this.disk.trouble(next) !== null) return
    this.disk.perform(next, this.below("part", bytesOf(next) + 1))
  }

  /** Performs everything before the last operation that writes, and of that one some bytes but not all. */
  private tear(operations: ReadonlyArray<Operation>): boolean {
    const last = operations.findLastIndex((operation) => bytesOf(operation) > 1)
    if (last === -1 || this.disk.fault !== null) return false
    this.perform(operations.slice(0, last))
    this.disk.perform(operations[last]!, 1 + this.below("part", bytesOf(operations[last]!) - 1))
    return true
  }

  /** Until one cannot be done; why. A full disk may have taken a part of what did not fit. */
  private perform(operations: ReadonlyArray<Operation>): string | null {
    for (const operation of operations) {
      const why = this.disk.trouble(operation)
      if (why !== null) {
        if (this.disk.fault === "full") this.disk.perform(operation, this.below("part", bytesOf(operation)))
        return why
      }
      this.disk.perform(operation)
    }
    return null
  }

  private shorter(journal: Journal.Journal): Extract<Journal.Appended, { readonly _tag: "Appended" }> {
    const next = Journal.compact(journal)
    return next._tag === "Refused" ? never(next.why) : next
  }

  /** A compaction is under way: it is through with `shorten`, or before the next record is. */
  get isShortening(): boolean {
    return this.underWay !== null
  }

  /** Does the compaction that is under way, if there is one; a disk that cannot do it is broken from then on. */
  shorten(): void {
    const { underWay } = this
    this.underWay = null
    if (underWay === null || this.broken !== null) return
    this.broken = this.perform(underWay.operations)
    if (this.broken === null) this.journal = underWay.journal
  }

  private end(): void {
    this.journal = null
    this.asked = []
    this.underWay = null
    this.broken = null
  }

  private opened(): Journal.Journal {
    return this.journal ?? never("it is not open")
  }
}
