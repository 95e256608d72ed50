/** Mutants on trial, a thread for each, so many at once. A thread that does not end is ended. */
import { Worker } from "node:worker_threads"
import { Moved, type Mutant } from "./Mutant.ts"
import type { Subject, Trial, TrialOptions } from "./Trial.ts"
import type { Message, Setup } from "./worker.ts"

/** No run of a sound kernel takes a hundredth of it. The one place where a clock has a say: a loop in the kernel takes up no input. */
const HANGS_MS = 120_000

export interface Tried {
  readonly mutant: Mutant
  readonly trial: Trial
}

const ended = (why: string): Trial => ({
  caught: { by: "nothing", why },
  events: 0,
  differ: 0,
  compared: 0,
  known: []
})

/** One trial in a thread of its own. Rejects with `Moved` where the kernel was changed since the mutant was made. */
export const tried = (setup: Setup, hangsMs = HANGS_MS): Promise<Trial> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: setup, execArgv: [] })
    let over = false
    let clock: NodeJS.Timeout
    const end = (trial: Trial): void => {
      if (over) return
      over = true
      clearTimeout(clock)
      void worker.terminate()
      resolve(trial)
    }
    const wait = (): void => {
      clearTimeout(clock)
      clock = setTimeout(() => end(ended(`it hangs: no run is over after ${hangsMs / 1_000} s`)), hangsMs)
    }
    wait()
    worker.on("message", (message: Message) => {
      if (message._tag === "done") end(message.trial)
      else if (message._tag === "moved") {
        over = true
        clearTimeout(clock)
        reject(new Moved(message.why))
      } else if (message._tag === "unloadable") end(ended(`it does not load: ${message.why}`))
      else if (!over) wait()
    })
    worker.on("error", (error: unknown) =>
      end(ended(`it breaks: ${error instanceof Error ? error.message : String(error)}`))
    )
    worker.on("exit", (code) => end(ended(`its thread ended with code ${code}`)))
  })

export interface Work {
  readonly subjects: ReadonlyArray<Subject>
  readonly options: Omit<TrialOptions, "onRun">
  readonly jobs: number
  /** In the order in which they come to an end. */
  readonly onTried: (tried: Tried) => void
}

/** In the order of the mutants. */
export const tryAll = async (mutants: ReadonlyArray<Mutant>, { jobs, onTried, options, subjects }: Work) => {
  const results: Array<Tried> = []
  let next = 0
  const one = async (): Promise<void> => {
    for (let place = next++; place < mutants.length; place = next++) {
      const mutant = mutants[place]!
      results[place] = { mutant, trial: await tried({ mutant, subjects, options }) }
      onTried(results[place]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, mutants.length) }, one))
  return results as ReadonlyArray<Tried>
}
