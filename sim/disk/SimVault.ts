/**
 * The stable storage of one machine, in time: records are written in the order in which they were asked for, each takes a
 * while, and whoever asked is told when it is on the disk or cannot be put there.
 *
 * A disk may be slow, hang (nothing gets through until it goes on), fail or be full. The identity of a machine lies beside its
 * journal; the world keeps the key itself, so a machine that lost both comes up as the same device at its first boot, which on
 * a real one would be another device.
 *
 * What is kept of the world lies beside the journal as a whole file, old or new; a disk that is broken keeps the old one.
 *
 * Does not model: a start that takes time; a power cut between asking for the world to be kept and its being so.
 */
import { between, below as drawBelow } from "../../kernel/Draw.ts"
import { subject, type Durable, type Record } from "../../kernel/Durable.ts"
import type { Birth } from "../../kernel/journal/Journal.ts"
import { StoreFailed } from "../../kernel/Ports.ts"
import type { WorldSnapshot } from "../../kernel/world/Snapshot.ts"
import type { Range } from "../scenario/Scenario.ts"
import { SimDisk, type DiskFault } from "./SimDisk.ts"
import { SimJournal, type Below, type Opened } from "./SimJournal.ts"

/** Of entries between two snapshots: three or four records, where a real node waits for a thousand. */
const COMPACT_AFTER_BYTES = 300

/** A write to stable storage takes this long: an SD card on a good day. */
const USUAL_MS: Range = { min: 1, max: 5 }

/**
 * What a crash leaves on the disk. `keep`: what was synced; what was not is kept, lost or torn as drawn. `torn`: the write under
 * way is left in part. `lost`: nothing, though the machine still has its identity: amnesia. `wiped`: not even that.
 */
export type DiskFate = "keep" | "torn" | "lost" | "wiped"

/** What a vault asks of the world: time, and `through` being called. */
export interface Carrier {
  readonly nowMs: () => number
  readonly later: (atMs: number) => void
}

/** What came of the oldest write. */
export interface Through<Asker> {
  readonly asker: Asker
  /** `null`: it is on the disk. */
  readonly error: StoreFailed | null
}

/** `Asker`: who is to be told of a write, as whoever drives the vault knows it. */
export class SimVault<Asker> {
  /** How often a crash emptied the disk: what was acknowledged before is rightly gone. */
  wipes = 0
  /** Writes and starts that met a disk that was slow, hung, failed or was full. */
  harmed = 0
  private readonly seed: number
  private readonly name: string
  private readonly carrier: Carrier
  private readonly journal: SimJournal
  private latencyMs = USUAL_MS
  /** `null`: the journal is being shortened, and nobody waits for that. */
  private asked: Array<{ readonly record: Record; readonly asker: Asker } | null> = []
  private syncs = 0
  private draws = 0
  /** When the last record asked for is through. */
  private throughMs = 0
  private hangs = false
  /** Writes that would be through if it did not hang. */
  private stalled = 0
  /** There was a first boot, so a journal that is not there is a loss. */
  private hasIdentity = false
  private kept: WorldSnapshot | null = null

  /** `compactAfterBytes`: as the journal's; if not given, so few that each node comes to it several times in a run. */
  constructor(seed: number, name: string, carrier: Carrier, compactAfterBytes?: number, from?: SimVault<Asker>) {
    this.seed = seed
    this.name = name
    this.carrier = carrier
    const below: Below = (what, n) => drawBelow(seed, `disk-${what}`, name, this.draws++, n)
    this.journal =
      from?.journal.fork(below) ?? new SimJournal(below, new SimDisk(), compactAfterBytes ?? COMPACT_AFTER_BYTES)
    if (from === undefined) return
    this.wipes = from.wipes
    this.harmed = from.harmed
    this.latencyMs = from.latencyMs
    this.asked = from.asked.slice()
    this.syncs = from.syncs
    this.draws = from.draws
    this.throughMs = from.throughMs
    this.hangs = from.hangs
    this.stalled = from.stalled
    this.hasIdentity = from.hasIdentity
    this.kept = from.kept
  }

  /** The same disk in another world, which draws from that seed. Whoever waits for a write must be data. */
  fork(seed: number, carrier: Carrier): SimVault<Asker> {
    return new SimVault(seed, this.name, carrier, undefined, this)
  }

  /** What is acknowledged; between two processes, what the next one will find. */
  get durable(): Durable {
    return this.journal.durable
  }

  /** What was last kept of the world. */
  get keptWorld(): WorldSnapshot | null {
    return this.kept
  }

  keepWorld(snapshot: WorldSnapshot): void {
    if (!this.broken) this.kept = snapshot
  }

  /** For people: what the last start found and mended. */
  get notes(): ReadonlyArray<string> {
    return this.journal.notes
  }

  // ---------------------------------------------------------------------------------------------- a process

  open(): Opened {
    if (this.broken) this.harmed++
    const birth: Birth = this.hasIdentity ? "lost" : "first"
    const opened = this.journal.open(birth)
    if (opened._tag === "Opened") this.hasIdentity = true
    return opened
  }

  /** `through` tells what came of it, after all that was asked for before, unless the process ends first. */
  store(record: Record, asker: Asker): void {
    if (this.latencyMs !== USUAL_MS || this.broken) this.harmed++
    this.journal.ask(record)
    this.await({ record, asker })
  }

  private await(asked: { readonly record: Record; readonly asker: Asker } | null): void {
    const { max, min } = this.latencyMs
    const tookMs = between(this.seed, "sync", this.name, this.syncs++, min, max)
    // A journal is written in order: no record is on the disk before the one that was asked for earlier.
    this.throughMs = Math.max(this.carrier.nowMs() + tookMs, this.throughMs)
    this.asked.push(asked)
    this.carrier.later(this.throughMs)
  }

  /** To be called at the times that were asked of the carrier; `null`: it hangs, or nobody waited for this. */
  through(): Through<Asker> | null {
    if (this.hangs) {
      this.stalled++
      return null
    }
    const next = this.asked.shift()!
    if (next === null) {
      this.journal.shorten()
      return null
    }
    const { asker, record } = next
    const why = this.journal.finish()
    // Between two records that are both asked for it is shortened on the way.
    if (this.journal.isShortening && this.asked.length === 0) this.await(null)
    return { asker, error: why === null ? null : new StoreFailed({ what: `${subject(record)} (${why})`, cause: null }) }
  }

  /** The process ends in order. */
  close(): void {
    if (this.hangs) this.journal.crash(false)
    else this.journal.close()
    this.forget()
  }

  /**
   * The process, if there is one, ends in the middle of whatever it does; `powerCut`: and the machine with it. Tells whether the
   * disk suffered what was asked for: there is not always a write to tear.
   */
  crash(powerCut: boolean, fate: DiskFate = "keep"): boolean {
    const torn = this.journal.crash(powerCut, fate === "torn" ? "torn" : "anywhere")
    this.forget()
    if (fate === "keep" || fate === "torn") return fate === "keep" || torn
    this.journal.disk.wipe()
    this.wipes++
    this.kept = null
    if (fate === "wiped") this.hasIdentity = false
    return true
  }

  private forget(): void {
    this.asked = []
    this.throughMs = 0
    this.stalled = 0
  }

  // ---------------------------------------------------------------------------------------------- faults

  private get broken(): boolean {
    return this.hangs || this.journal.disk.fault !== null
  }

  /** `hang`: what is asked for is not done until it goes on. Otherwise it fails whoever asks, and whoever starts. */
  harm(fault: DiskFault | "hang"): void {
    if (fault === "hang") this.hangs = true
    else this.journal.disk.fault = fault
  }

  /** As good as new, with what it holds; what waited for a disk that hung is through now. */
  mend(): void {
    this.latencyMs = USUAL_MS
    this.journal.disk.fault = null
    this.hangs = false
    for (; this.stalled > 0; this.stalled--) this.carrier.later(this.carrier.nowMs())
  }

  /** Writes that are asked for from now on take so long. */
  slow(latencyMs: Range): void {
    this.latencyMs = latencyMs
  }
}
