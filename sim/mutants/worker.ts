/** A thread for one mutant: loads the kernel with the bug, puts it on trial, answers, and ends. */
import { parentPort, workerData } from "node:worker_threads"
import type { Kernel } from "../engine/Host.ts"
import { FRONT_DOOR, mutate } from "./Hooks.ts"
import { Moved, type Mutant } from "./Mutant.ts"
import type { Subject, Trial, TrialOptions } from "./Trial.ts"

export interface Setup {
  /** `null`: the kernel as it is. */
  readonly mutant: Mutant | null
  readonly subjects: ReadonlyArray<Subject>
  readonly options: Omit<TrialOptions, "onRun">
}

export type Message =
  /** Another run is over. */
  | { readonly _tag: "run" }
  | { readonly _tag: "done"; readonly trial: Trial }
  /** The kernel does not even load. */
  | { readonly _tag: "unloadable"; readonly why: string }
  /** The bug has lost its place since it was made. */
  | { readonly _tag: "moved"; readonly why: string }

const { mutant, options, subjects } = workerData as Setup
const say = (message: Message): void => parentPort?.postMessage(message)

/** Words, where there is no kernel. */
const loaded = async (): Promise<Kernel | Message> => {
  try {
    mutate(mutant)
    return (await import(FRONT_DOOR)) as Kernel
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { _tag: error instanceof Moved ? "moved" : "unloadable", why }
  }
}

const kernel = await loaded()
if ("_tag" in kernel) say(kernel)
else {
  // Only now: what it imports of the kernel has to meet the hooks.
  const { trial } = await import("./Trial.ts")
  say({ _tag: "done", trial: trial(subjects, kernel, { ...options, onRun: () => say({ _tag: "run" }) }) })
}
