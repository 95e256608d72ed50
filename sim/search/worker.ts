/** A thread of a campaign: takes jobs one after another, answers each, and never ends by itself. */
import { parentPort, workerData } from "node:worker_threads"
import type { Kernel } from "../engine/Host.ts"
import { log, record } from "../trace/TraceFile.ts"
import type { Answer, Job, Setup } from "./Job.ts"
import { runBranch, runFutures, runSeed } from "./OneSeed.ts"

const { kernelModule, maker, scenarios, swarm } = workerData as Setup
const kernel = kernelModule === null ? undefined : ((await import(kernelModule)) as { readonly kernel: Kernel }).kernel
const ours = kernel === undefined ? {} : { kernel }

const answer = (job: Job): Answer => {
  const scenario = scenarios[job.scenario]!
  try {
    switch (job._tag) {
      case "run":
        return { _tag: "report", report: runSeed(scenario, job.seed, { swarm, ledger: job.ledger, ...ours }) }
      case "again":
        return {
          _tag: "hash",
          hash: runBranch(scenario, job.seed, swarm, job.points, { ...ours, liveness: false }).result.hash
        }
      case "branch":
        return { _tag: "branches", reports: runFutures(scenario, job.seed, job, { swarm, ...ours }) }
      case "record": {
        const { result, text } = record(scenario, job, swarm, maker, kernel)
        return { _tag: "recorded", text, hash: result.hash }
      }
      case "log":
        return { _tag: "logged", log: log(scenario, job, swarm, kernel) }
    }
  } catch (error) {
    return { _tag: "defect", stack: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

parentPort?.on("message", ({ id, job }: { readonly id: number; readonly job: Job }) =>
  parentPort?.postMessage({ id, answer: answer(job) })
)
