/**
 * Token gossip on our event queue beside the virtual clocks that people use in JavaScript: in one process, one after the
 * other, with the same draws. Each engine is warmed up, then timed three times; the slower ones deliver fewer tokens, since
 * their rate is what counts. An engine that did not deliver what it was asked for, or in another order where it keeps time,
 * fails the bench.
 */
import { machine, median, rounded, table, timed } from "./Measure.ts"
import { type Engine, Job } from "./tokenGossip/Job.ts"
import { agenda, effectTestClock, fakeTimers, fastCheckScheduler } from "./tokenGossip/engines.ts"

export const about = "events per second of our agenda beside fake-timers, fast-check's scheduler and Effect's TestClock"

const SEED = 1
const RUNS = 3

/** How many deliveries: enough for some tenths of a second each. */
const plan: ReadonlyArray<{ readonly engine: Engine; readonly deliveries: number }> = [
  { engine: agenda, deliveries: 3_000_000 },
  { engine: fakeTimers, deliveries: 300_000 },
  { engine: fastCheckScheduler, deliveries: 150_000 },
  { engine: effectTestClock, deliveries: 60_000 }
]

const deliver = async (engine: Engine, nodes: number, deliveries: number): Promise<Job> => {
  const job = new Job({ seed: SEED, nodes, deliveries })
  await engine.run(job)
  job.assertDone(engine.name)
  return job
}

const assertSameRun = async (engine: Engine, nodes: number, deliveries: number): Promise<void> => {
  const [theirs, ours] = [await deliver(engine, nodes, deliveries), await deliver(agenda, nodes, deliveries)]
  if (theirs.digest !== ours.digest) throw new Error(`${engine.name}: not the deliveries, in order, of our agenda`)
}

export const run = async (): Promise<void> => {
  console.log(`token gossip: each delivery sends one token to a random node, there after 1 to 100 ms\n${machine()}\n`)
  for (const nodes of [100, 1_000]) {
    const rows: Array<ReadonlyArray<string>> = []
    let ours = Number.NaN
    for (const { engine, deliveries } of plan) {
      // Also the warm-up: long enough for the optimising compiler.
      await assertSameRunWhereTimed(engine, nodes, Math.floor(deliveries / 5))
      const perSecond = (deliveries / median(await timed(RUNS, () => deliver(engine, nodes, deliveries)))) * 1000
      if (engine === agenda) ours = perSecond
      rows.push([
        engine.name,
        rounded(deliveries),
        rounded(perSecond),
        engine === agenda ? "1" : rounded(ours / perSecond),
        engine.keepsTime ? "same as ours" : "no time"
      ])
    }
    console.log(`${nodes} nodes, as many tokens on their way\n`)
    console.log(table(["engine", "deliveries", "deliveries/s", "ours is x times as fast", "order"], rows), "\n")
  }
}

const assertSameRunWhereTimed = (engine: Engine, nodes: number, deliveries: number): Promise<unknown> =>
  engine.keepsTime ? assertSameRun(engine, nodes, deliveries) : deliver(engine, nodes, deliveries)
