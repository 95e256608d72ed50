/**
 * How soon any moment of a long run is there: ten nodes, all linked, ten minutes with crashes, cuts and a new leader now and then.
 * The run is gone through once, with oracles, judge and hash as in every run, and kept at intervals; then drawn moments are come
 * to, each from nothing but that. Beside it what a plain replay of the same run as a trace costs: recorded, read, compared.
 */
import { below } from "../kernel/Draw.ts"
import { kernel } from "../sim/engine/Host.ts"
import { Run, runScenario } from "../sim/run.ts"
import { readScenario } from "../sim/scenario/read.ts"
import type { Scenario } from "../sim/scenario/Scenario.ts"
import { Beside } from "../sim/trace/Beside.ts"
import { refeed } from "../sim/trace/Feed.ts"
import { readTrace } from "../sim/trace/ReadTrace.ts"
import { Recorder } from "../sim/trace/Recorder.ts"
import { Rewind } from "../sim/trace/Rewind.ts"
import { machine, median, rounded, table } from "./Measure.ts"

export const about = "replay: any moment of ten minutes of ten nodes, and a trace of them (half a minute)"

const NODES = 10
const MOMENTS = 1_000
/** Of each moment the one in the middle counts: what else the machine does meanwhile is not what is asked for. */
const ATTEMPTS = 3
const BOUND_MS = 50

const names = Array.from({ length: NODES }, (_, i) => `node-${i}`)
const TEXT = `scenario: Ten minutes of ten nodes
seed: 1
lasts: 10m
electors: [node-0, node-1, node-2]
nodes:
${names.map((name, i) => `  ${name}: { role: ${i === 0 ? "planner" : i === 1 ? "standby-planner" : "field"} }`).join("\n")}
timeline:
  - { at: 0s, start: everyone }
${Array.from({ length: 9 }, (_, i) => `  - { at: ${(i + 1) * 60}s, crash: node-${i}, for: 20s }\n  - { at: ${(i + 1) * 60 + 30}s, cut: { from: node-${i}, to: node-9 }, for: 10s }`).join("\n")}
expect:
  - always: { leaders: at most 1 }
`

const tenMinutes = (): Scenario => {
  const read = readScenario("bench/replay.yaml", Buffer.from(TEXT))
  if (!("scenario" in read)) throw new Error(read.mistakes.map(({ message }) => message).join("\n"))
  return read.scenario
}

/** Of this thread, ms: what else the machine does does not count in it. */
const processorMs = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1_000
}

const took = <A>(work: () => A): readonly [ms: number, made: A] => {
  const startedMs = performance.now()
  const made = work()
  return [performance.now() - startedMs, made]
}

const bench = (): void => {
  console.log(machine())
  const scenario = tenMinutes()
  runScenario({ ...scenario, lastsMs: 60_000 })
  const [plainMs, result] = took(() => runScenario(scenario))
  if (result.violations.length > 0 || result.endedMs !== scenario.lastsMs)
    throw new Error("this is not the run meant here")
  const heap = process.memoryUsage().heapUsed
  const [loadMs, rewind] = took(() => new Rewind(new Run(scenario)))
  const megabytes = (process.memoryUsage().heapUsed - heap) / 1_048_576
  if (rewind.end.finish().hash !== result.hash) throw new Error("kept on its way it is another run")
  let worstProcessorMs = 0
  const attempts = Array.from({ length: MOMENTS }, (_, n) => {
    const event = below(1, "moment", "bench", n, rewind.events + 1)
    return Array.from({ length: ATTEMPTS }, () => {
      const before = processorMs()
      const [ms, { world }] = took(() => rewind.at(event))
      worstProcessorMs = Math.max(worstProcessorMs, processorMs() - before)
      if (world.events < event) throw new Error(`input ${event} was not come to`)
      return ms
    })
  })
  const times = attempts.map(median)
  const worst = Math.max(...times)
  const recorder = new Recorder()
  const [recordMs, text] = took(() => {
    const recorded = runScenario(scenario, { onStep: recorder.onStep })
    const maker = { kernel: null, node: process.versions.node }
    return recorder.text({ scenario, drawn: null, untilMs: null, maker }, recorded)
  })
  const bytes = Buffer.from(text)
  const [readMs, trace] = took(() => readTrace("bench.jsonl", bytes))
  if ("problem" in trace || trace.damage !== null) throw new Error("the trace does not read")
  const [compareMs, beside] = took(() => {
    const one = new Beside(trace.lines, { open: false, verbatim: false })
    runScenario(scenario, { onStep: one.onStep })
    return one
  })
  if (beside.end() !== null) throw new Error("the run parts from its trace")
  const [feedMs, fed] = took(() => refeed(trace.header, trace.lines, kernel))
  if (fed.parted !== null || fed.threw !== null) throw new Error("the kernel parts from the trace")
  const ms = (value: number): string => `${rounded(value)} ms`
  const against = (value: number): string => `${ms(value)} (${rounded(value / plainMs)} ×)`
  console.log(
    table(
      [`${rounded(rewind.events)} inputs, ${rewind.marks} places kept`, "is", "bound", ""],
      [
        ["the run by itself", ms(plainMs), "shown", ""],
        ["loading: the run, kept at intervals", against(loadMs), "shown", ""],
        ["  heap that it takes more", `${rounded(megabytes)} MiB`, "shown", ""],
        [`a moment, of ${rounded(MOMENTS)} drawn ones: the median`, ms(median(times)), "shown", ""],
        ["  the worst", ms(worst), `≤ ${BOUND_MS} ms`, worst <= BOUND_MS ? "held" : "NOT held"],
        ["  the worst of all attempts, by the processor's time", ms(worstProcessorMs), "shown", ""],
        ["  the worst of all attempts", ms(Math.max(...attempts.flat())), "shown", ""],
        [`recording it, ${rounded(bytes.length / 1_048_576)} MiB`, against(recordMs), "shown", ""],
        ["reading the trace", against(readMs), "shown", ""],
        ["the run beside the trace", against(compareMs), "shown", ""],
        ["its inputs to the kernel alone", against(feedMs), "shown", ""]
      ]
    )
  )
}

export { bench as run }
