/**
 * A campaign: scenarios over many seeds, on several threads, until seeds, events or time run out, or somebody says stop.
 *
 * Promises: what it comes to (findings, sums, the hash over all runs) depends on the plan alone, with seeds or events as its bound,
 * and not on the number of threads. A share of runs is done twice, by another thread where there is one, and must give the same
 * hash. What was found is kept as it is found; `stop` keeps it, and ends after the runs that are under way.
 *
 * With `branching`, runs that came to places or situations that none had been in before are forked there, and go on with other
 * futures (Branching.ts). Their reports are taken up at a place of the plan that is fixed before they begin.
 */
import { chance } from "../../kernel/Draw.ts"
import type { Range, Scenario } from "../scenario/Scenario.ts"
import { pointsText } from "./Points.ts"
import { turnOf, type Turn } from "./Branching.ts"
import type { Job, Setup } from "./Job.ts"
import { partingOf } from "./Parting.ts"
import { plan, type Shard, type Task } from "./Plan.ts"
import { Pool, type Death, type Done } from "./Pool.ts"
import type { SeedReport } from "./OneSeed.ts"
import { Tally, type Finding } from "./Tally.ts"

export interface CampaignOptions extends Omit<Setup, "scenarios"> {
  readonly scenarios: ReadonlyArray<Scenario>
  /** The seeds of each scenario. */
  readonly ranges: ReadonlyArray<Range>
  readonly shard: Shard
  /** Stop after the run with which so many inputs were taken up. */
  readonly eventsMax: number | null
  /** Begin no run after so long. */
  readonly forMs: number | null
  readonly jobs: number
  /** Try every run again without each of its faults, and not only a share. */
  readonly ledger: boolean
  readonly branching: boolean
  /** Of a hundred runs so many are done twice. */
  readonly twicePercent: number
  /** A thread that dies is replaced, and its other jobs are done. */
  readonly keepGoing: boolean
  /** Wall clock, ms. */
  readonly nowMs: () => number
  /** The first run of a finding, to be kept under its hash: where, or `null`. */
  readonly keep: (hash: string, text: string) => string | null
  /** After each run, in the order of the plan. */
  readonly onRun?: (task: Task, report: SeedReport | null, tally: Tally) => void
  readonly onFinding?: (finding: Finding) => void
}

export interface CampaignResult {
  readonly tally: Tally
  readonly interrupted: boolean
  readonly tookMs: number
}

/** One run of so many is tried again without each of its faults. */
const LEDGER_ONE_IN = 64
/** Runs ahead of the oldest that is not done yet, for each thread: they are lost when a budget ends before them. */
const AHEAD = 4

/** Threads that are replaced, if that is asked for: where more die, all do. */
const REPLACED_MAX = 16

/** A budget of events is not waited for in runs in which nothing ever happens. */
const IDLE_RUNS_MAX = 1_000

export class Campaign {
  readonly #options: CampaignOptions
  readonly #tally: Tally
  readonly #pool: Pool
  readonly #tasks: Generator<Task, void>
  readonly #done = new Map<number, { readonly task: Task; readonly done: Done | null }>()
  /** Branches that are to be taken up, in this order. */
  #turns: Array<{ readonly turn: Turn; done: Done | null | undefined }> = []
  /** Everything under way beside plain runs. */
  readonly #after = new Set<Promise<void>>()
  readonly #startedMs: number
  #cursor = 0
  #issued = 0
  /** The plan has no more runs. */
  #exhausted = false
  #over = false
  #stopped = false
  #finish: () => void = () => {}

  constructor(options: CampaignOptions) {
    this.#options = options
    this.#startedMs = options.nowMs()
    this.#tally = new Tally(options.scenarios)
    this.#tasks = plan(options.ranges, options.shard)
    const { jobs, keepGoing, kernelModule, maker, scenarios, swarm } = options
    const setup = { kernelModule, maker, scenarios, swarm }
    this.#pool = new Pool(jobs, setup, (death) => this.#died(death), keepGoing ? REPLACED_MAX : 0)
  }

  async run(): Promise<CampaignResult> {
    await new Promise<void>((resolve) => {
      this.#finish = resolve
      this.#issue()
    })
    while (this.#after.size > 0) await Promise.all(this.#after)
    await this.#pool.close()
    return {
      tally: this.#tally,
      interrupted: this.#stopped,
      tookMs: this.#options.nowMs() - this.#startedMs
    }
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopped = true
    this.#end()
  }

  #end(): void {
    this.#over = true
    this.#pool.drop(({ _tag }) => _tag === "run" || _tag === "branch" || (this.#stopped && _tag === "again"))
    this.#settle()
  }

  /** The time in which something may begin has passed. */
  #late(): boolean {
    const { forMs, nowMs } = this.#options
    return forMs !== null && nowMs() - this.#startedMs >= forMs
  }

  #issue(): void {
    const { jobs } = this.#options
    while (!this.#over && this.#issued - this.#cursor < jobs * AHEAD) {
      const next = this.#late() ? null : this.#tasks.next()
      if (next === null || next.done === true) {
        this.#exhausted = true
        this.#merge()
        break
      }
      const task = next.value
      this.#issued++
      const { n, scenario, seed } = task
      const ledger = this.#options.ledger || chance(seed, "fuzz-ledger", String(scenario), 0, 1, LEDGER_ONE_IN)
      void this.#pool.do({ _tag: "run", scenario, seed, ledger }).then((done) => {
        this.#done.set(n, { task, done })
        this.#merge()
        this.#issue()
        this.#settle()
      })
    }
    this.#settle()
  }

  /** Takes up what is done, in the order of the plan. */
  #merge(): void {
    for (;;) {
      if (!this.#takeTurns()) return
      const next = this.#done.get(this.#cursor)
      if (next === undefined) return
      this.#done.delete(this.#cursor++)
      if (!this.#over) this.#take(next.task, next.done)
      // What was under way when somebody said stop is done, and counts.
      else if (this.#stopped && next.done !== null) this.#take(next.task, next.done)
    }
  }

  /** Takes up branches whose time has come; `false`: one of them is still under way. Behind the last run it is the time of all. */
  #takeTurns(): boolean {
    for (let next = this.#turns[0]; next !== undefined; next = this.#turns[0]) {
      const last = this.#exhausted && this.#issued === this.#cursor
      if (!this.#over && next.turn.before > this.#cursor && !last) return true
      if (next.done === undefined) return false
      this.#turns.shift()
      const { done, turn } = next
      if ((this.#over && !this.#stopped) || done === null) continue
      if (done.answer._tag === "defect")
        for (const finding of this.#tally.addDefect(turn.task, done.answer.stack)) this.#options.onFinding?.(finding)
      if (done.answer._tag !== "branches") continue
      for (const report of done.answer.reports) if (!this.#over || this.#stopped) this.#add(turn.task, report, done.by)
    }
    return true
  }

  #branch(turn: Turn): void {
    const entry: { readonly turn: Turn; done: Done | null | undefined } = { turn, done: undefined }
    this.#turns.push(entry)
    const { after, base, futures, task } = turn
    const { scenario, seed } = task
    void this.#pool.do({ _tag: "branch", scenario, seed, base, after, futures }).then((done) => {
      entry.done = done
      this.#merge()
      this.#issue()
    })
  }

  #take(task: Task, done: Done | null): void {
    if (done === null) return
    const { answer, by } = done
    const { onRun } = this.#options
    if (answer._tag === "defect") {
      for (const finding of this.#tally.addDefect(task, answer.stack)) this.#options.onFinding?.(finding)
      onRun?.(task, null, this.#tally)
    }
    if (answer._tag === "report") this.#add(task, answer.report, by)
  }

  #add(task: Task, report: SeedReport, by: number): void {
    const { branching, eventsMax, onRun, twicePercent } = this.#options
    const turn = branching && !this.#over && !this.#late() ? turnOf(this.#tally, task, report, this.#cursor) : null
    for (const finding of this.#tally.add(task, report)) this.#found(finding)
    onRun?.(task, report, this.#tally)
    if (turn !== null) this.#branch(turn)
    const { scenario, seed } = task
    const which = `${scenario}${report.points.length === 0 ? "" : ` ${pointsText(report.points)}`}`
    if (chance(seed, "fuzz-twice", which, 0, twicePercent, 100)) this.#later(this.#check(task, report, by))
    const { events, runs } = this.#tally
    if (eventsMax !== null && (events >= eventsMax || (events === 0 && runs >= IDLE_RUNS_MAX))) this.#end()
  }

  #later(work: Promise<void>): void {
    this.#after.add(work)
    void work.finally(() => this.#after.delete(work))
  }

  /** Over when nothing is under way and nothing more begins. */
  #settle(): void {
    if (this.#issued === this.#cursor && this.#turns.length === 0) this.#finish()
  }

  #found(finding: Finding): void {
    this.#options.onFinding?.(finding)
    const keep = async (): Promise<void> => {
      finding.trace = await this.#recorded(finding)
    }
    this.#later(keep())
  }

  /** Once by each of two threads: what earlier runs left behind there is what they may part for. */
  #foundParted(finding: Finding, [one, other]: readonly [number, number]): void {
    this.#options.onFinding?.(finding)
    const keep = async (): Promise<void> => {
      const first = await this.#recorded(finding, other)
      const second = await this.#recorded(finding, one)
      finding.trace = first
      finding.otherTrace = second === first ? null : second
    }
    this.#later(keep())
  }

  /** Runs it once more, to be kept: where, or `null`. */
  async #recorded({ points, scenario, seed }: Finding, notBy: number | null = null): Promise<string | null> {
    const done = await this.#pool.do({ _tag: "record", scenario, seed, points }, notBy)
    return done?.answer._tag === "recorded" ? this.#options.keep(done.answer.hash, done.answer.text) : null
  }

  /** Runs it once more. */
  async #check({ scenario, seed }: Task, { hash, points }: SeedReport, by: number): Promise<void> {
    const again = await this.#pool.do({ _tag: "again", scenario, seed, points }, by)
    if (again === null) return
    this.#tally.checked++
    const second =
      again.answer._tag === "hash" ? again.answer.hash : again.answer._tag === "defect" ? "none: it broke" : ""
    if (second === hash) return
    const logs = await Promise.all(
      [by, again.by].map((notBy) => this.#pool.do({ _tag: "log", scenario, seed, points }, notBy))
    )
    const [one, other] = logs.map((done) => (done?.answer._tag === "logged" ? done.answer.log : null))
    const words = one == null || other == null ? [] : partingOf(one, other)
    for (const finding of this.#tally.find(
      scenario,
      seed,
      hash,
      { _tag: "parted", first: hash, second, words },
      points
    ))
      this.#foundParted(finding, [by, again.by])
  }

  #died({ jobs, last, reason }: Death): void {
    const seeds = new Map(jobs.map((job: Job) => [`${job.scenario} ${job.seed}`, job]))
    // Of the jobs in hand it was the first; which others it had does not matter.
    const [first] = seeds.values()
    const scenario = first?.scenario ?? 0
    for (const finding of this.#tally.find(scenario, first?.seed ?? 0, null, { _tag: "death", reason }))
      this.#options.onFinding?.(finding)
    if (last) this.stop()
  }
}
