/**
 * What recording costs a node: in one mesh of real nodes, half of those that only take part record and half do not. They meet the
 * same traffic in the same minutes; then the halves change places. Processor time is of all threads, to the ns, and by the medians.
 *
 * The node that most of all is asked of is the leader, which is left out: there is only one. How much is written is told as well.
 */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Bound, close, lineOf } from "./node/Bound.ts"
import { build, Farm, processorS } from "./node/Daemon.ts"
import { formMesh } from "./node/Whole.ts"
import { machine, median, rounded } from "./Measure.ts"

export const about =
  "recording: what it costs a node of an idle mesh of ten, beside nodes that do not record (two minutes)"
export const flags = ["--assert"]

const NODES = 10
/** The first two may lead. */
const LEADERS = 2
const CALM_MS = 10_000
const WATCH_MS = 40_000
const COST_PERCENT_MAX = 3

interface Round {
  readonly onS: number
  readonly offS: number
  readonly bytesPerS: number
}

const bytesIn = (farm: Farm, name: string): number => {
  const folder = join(farm.place(name), "recording")
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

const measure = async (round: number): Promise<Round> => {
  const farm = new Farm()
  try {
    const names = Array.from({ length: NODES }, (_, n) => `r${round}-${n}`)
    const records = (n: number): boolean => n % 2 === round % 2
    const children = await formMesh(farm, names, (name) =>
      records(names.indexOf(name)) ? [] : ["--recording-mb", "0"]
    )
    await sleep(CALM_MS)
    const writers = names.filter((_, n) => n >= LEADERS && records(n))
    const written = writers.map((name) => bytesIn(farm, name))
    const before = children.map(processorS)
    await sleep(WATCH_MS)
    const used = children.map((child, n) => processorS(child) - before[n]!)
    const of = (recording: boolean): number => median(used.filter((_, n) => n >= LEADERS && records(n) === recording))
    const grown = writers.map((name, n) => bytesIn(farm, name) - written[n]!)
    if (grown.some((bytes) => bytes <= 0)) throw new Error("a node that was to record did not")
    await Promise.all(children.map((child) => farm.stop(child)))
    return { onS: of(true), offS: of(false), bytesPerS: (1_000 * median(grown)) / WATCH_MS }
  } finally {
    farm.close()
  }
}

export const run = async (given: ReadonlyArray<string>): Promise<void> => {
  console.log(machine())
  build()
  const rounds = [await measure(0), await measure(1)]
  const sum = (of: (round: Round) => number): number => rounds.reduce((all, round) => all + of(round), 0)
  const [onS, offS] = [sum(({ onS }) => onS), sum(({ offS }) => offS)]
  const seconds = (rounds.length * WATCH_MS) / 1_000
  const percent = (s: number): string => `${rounded((100 * s) / seconds)} % of a core`
  for (const { offS, onS } of rounds)
    console.log(`    a half each   ${rounded(1_000 * offS)} ms without, ${rounded(1_000 * onS)} ms with`)
  console.log(`    without recording   ${percent(offS)}`)
  console.log(`    with recording      ${percent(onS)}`)
  console.log(`    written             ${rounded(sum(({ bytesPerS }) => bytesPerS) / rounds.length / 1_024)} KiB/s`)
  const bounds: ReadonlyArray<Bound> = [
    {
      what: "recording, of the processor time without",
      value: (100 * (onS - offS)) / offS,
      atMost: COST_PERCENT_MAX,
      unit: "%"
    }
  ]
  for (const bound of bounds) console.log(lineOf(bound))
  close(bounds, given)
}
