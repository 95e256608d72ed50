/**
 * Worker threads, and what each of them has to do. Whole runs only: a run never crosses threads, so how many there are changes
 * nothing but the time.
 *
 * A thread that ends by itself, for whatever reason, is told of with the jobs that it had in hand. So many are replaced: the job that
 * it was doing is given up, the one that waited behind it is done by another. A job that nobody will do any more is answered with
 * `null`: nobody waits for ever.
 */
import { Worker } from "node:worker_threads"
import type { Answer, Job, Setup } from "./Job.ts"

/** One that runs, one that waits: a thread is never idle while the other side thinks. */
const IN_HAND_MAX = 2

export interface Done {
  readonly answer: Answer
  /** Which thread did it. */
  readonly by: number
}

interface Waiting {
  readonly job: Job
  /** Rather by another than this one. */
  readonly notBy: number | null
  readonly resolve: (done: Done | null) => void
}

interface Thread {
  readonly worker: Worker
  readonly hand: Map<number, Waiting>
  alive: boolean
}

export interface Death {
  readonly reason: string
  readonly jobs: ReadonlyArray<Job>
  /** It is not replaced. */
  readonly last: boolean
}

export class Pool {
  readonly #threads: Array<Thread>
  readonly #onDeath: (death: Death) => void
  #queue: Array<Waiting> = []
  #ids = 0
  #closing = false
  /** How many more are replaced. */
  #spare: number

  constructor(size: number, setup: Setup, onDeath: (death: Death) => void, spare = 0) {
    this.#onDeath = onDeath
    this.#spare = spare
    this.#threads = Array.from({ length: size }, (_, index) => this.#spawn(index, setup))
  }

  #spawn(index: number, setup: Setup): Thread {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: setup, execArgv: [] })
    const thread: Thread = { worker, hand: new Map(), alive: true }
    let reason: string | null = null
    worker.on("message", ({ answer, id }: { readonly answer: Answer; readonly id: number }) => {
      const waiting = thread.hand.get(id)
      thread.hand.delete(id)
      waiting?.resolve({ answer, by: index })
      this.#deal()
    })
    worker.on("error", (error: unknown) => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    })
    worker.on("exit", (code) => {
      thread.alive = false
      if (this.#closing) return
      const hand = [...thread.hand.values()]
      const last = this.#spare === 0
      // It did one after another: the first was under way.
      const [guilty, ...innocent] = hand
      if (!last) {
        this.#spare--
        this.#threads[index] = this.#spawn(index, setup)
        this.#queue = [...innocent, ...this.#queue]
      }
      this.#onDeath({
        reason: reason ?? `a thread of the simulator ended with code ${code}`,
        jobs: hand.map(({ job }) => job),
        last
      })
      guilty?.resolve(null)
      if (last) for (const { resolve } of innocent) resolve(null)
      if (this.#threads.every(({ alive }) => !alive)) this.drop(() => true)
      else this.#deal()
    })
    return thread
  }

  /** `notBy`: rather by another thread than this. */
  do(job: Job, notBy: number | null = null): Promise<Done | null> {
    return new Promise((resolve) => {
      if (this.#threads.every(({ alive }) => !alive)) return resolve(null)
      this.#queue.push({ job, notBy, resolve })
      this.#deal()
    })
  }

  #deal(): void {
    if (this.#closing) return
    const alone = this.#threads.filter(({ alive }) => alive).length === 1
    const left: Array<Waiting> = []
    for (const waiting of this.#queue) {
      let best: Thread | null = null
      for (const [index, thread] of this.#threads.entries()) {
        if (!thread.alive || thread.hand.size >= IN_HAND_MAX || (index === waiting.notBy && !alone)) continue
        if (best === null || thread.hand.size < best.hand.size) best = thread
      }
      if (best === null) {
        left.push(waiting)
        continue
      }
      const id = ++this.#ids
      best.hand.set(id, waiting)
      best.worker.postMessage({ id, job: waiting.job })
    }
    this.#queue = left
  }

  /** Gives up jobs that no thread has in hand. */
  drop(which: (job: Job) => boolean): void {
    const dropped = this.#queue.filter(({ job }) => which(job))
    this.#queue = this.#queue.filter(({ job }) => !which(job))
    for (const { resolve } of dropped) resolve(null)
  }

  async close(): Promise<void> {
    this.#closing = true
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }
}
