/**
 * Token gossip on the agenda, in a thread of its own: a heap and compiled code that nothing else has had its hands in. Tells its
 * parent the median of deliveries a second.
 */
import { parentPort } from "node:worker_threads"
import { median, timed } from "../Measure.ts"
import { agenda } from "../tokenGossip/engines.ts"
import { Job } from "../tokenGossip/Job.ts"

const TOKENS = 1_000
const DELIVERIES = 8_000_000
const RUNS = 7

const once = () => {
  const job = new Job({ seed: 1, nodes: TOKENS, deliveries: DELIVERIES })
  void agenda.run(job)
  job.assertDone(agenda.name)
}

once()
parentPort!.postMessage((DELIVERIES / median(await timed(RUNS, once))) * 1_000)
