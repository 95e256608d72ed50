/** `pnpm sim check`: every mistake of every file, and nothing runs; with `--twice` each runs two times, and nothing is judged. */
import { annotation } from "../report/Annotations.ts"
import { notDeterministic } from "../report/Transcript.ts"
import { type Exit, exits, gravest } from "./Exit.ts"
import type { CheckOrder } from "./Order.ts"
import { checkRecord } from "./Records.ts"
import {
  type Engine,
  lookOf,
  notYours,
  readAll,
  type Ready,
  type Records,
  stackOf,
  type Surroundings
} from "./Surroundings.ts"

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`

/** `✓ scenarios/failover.yaml   Planner failover · 5 nodes, 3 steps, 6 expectations`. */
const line = ({ file, scenario: { expect, nodes, timeline, title } }: Ready, wide: number): string => {
  const size = [plural(nodes.length, "node"), plural(timeline.length, "step"), plural(expect.length, "expectation")]
  return `✓ ${file.padEnd(wide)}   ${title} · ${size.join(", ")}`
}

export const check = async (order: CheckOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const { json, quiet, reporter } = order
  const tell = (text: string): void => {
    if (json !== "stdout") around.out(`${text}\n`)
  }
  const read = await readAll(order.files, around, records)
  if ("exit" in read) return read.exit
  const { engine, failures, ready } = read
  const wide = Math.max(0, ...ready.map(({ file }) => file.length))
  const codes = ready.map((one): Exit => {
    const twice = order.twice ? twoRuns(one, engine, around, records) : null
    if (twice !== null && "exit" in twice) return twice.exit
    const same = twice === null || twice.hashes[0] === twice.hashes[1]
    const exit = same ? exits.passed : exits.notDeterministic
    records.write(checkRecord(one, twice?.hashes ?? null, exit))
    if (!same) {
      tell(twice.told)
      const message = `not deterministic: trace ${twice.hashes[0]} and trace ${twice.hashes[1]}`
      records.annotate(annotation({ level: "error", file: one.file, message }))
    } else if (!quiet && reporter !== "failures")
      tell(`${line(one, wide)}${twice === null ? "" : ` · two runs, the same trace ${twice.hashes[0].slice(0, 8)}`}`)
    return exit
  })
  const passed = codes.filter((code) => code === exits.passed).length
  tell(`scenarios: ${passed} passed, ${codes.length - passed + failures.length} failed`)
  return gravest([...codes, ...failures])
}

const twoRuns = (
  { file, scenario }: Ready,
  engine: Engine,
  around: Surroundings,
  records: Records
): { readonly hashes: readonly [first: string, second: string]; readonly told: string } | { readonly exit: Exit } => {
  try {
    const first = engine.run(scenario, {})
    const second = engine.run(scenario, {})
    return { hashes: [first.hash, second.hash], told: notDeterministic(first, second, lookOf(around)) }
  } catch (error) {
    const message = `the simulator broke on ${file}. ${notYours}\n${stackOf(error)}`
    records.error("DEFECT", exits.defect, message, { file, mistakes: [] })
    return { exit: exits.defect }
  }
}
