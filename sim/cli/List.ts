/** `pnpm sim list`: scenarios, what they are called, and what came of their last runs. Runs nothing. */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { styleText } from "node:util"
import { type Exit, exits, gravest } from "./Exit.ts"
import { type LastRun, lastRun } from "./LastRuns.ts"
import type { ListOrder } from "./Order.ts"
import { line } from "./Records.ts"
import { lookOf, readAll, type Ready, type Records, type Surroundings } from "./Surroundings.ts"

const FOLDER = "scenarios"

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000]
] as const

/** `3 minutes ago`, in the largest unit that fits. */
const ago = (ms: number): string => {
  for (const [unit, length] of units) {
    const n = Math.floor(ms / length)
    if (n > 0) return `${n} ${unit}${n === 1 ? "" : "s"} ago`
  }
  return "just now"
}

const inks = { passed: "green", failed: "red", undecided: "yellow", "not deterministic": "red" } as const

interface Row {
  readonly ready: Ready
  readonly last: { readonly run: LastRun; readonly changed: boolean } | null
}

const rowLine = (
  { last, ready: { file, scenario } }: Row,
  wide: ReadonlyArray<number>,
  around: Surroundings
): string => {
  const [fileWide = 0, titleWide = 0] = wide
  const head = `${file.padEnd(fileWide)}   ${scenario.title.padEnd(titleWide)}   `
  if (last === null) return `${head}not run yet`
  const { changed, run } = last
  const verdict = lookOf(around).colour
    ? styleText(inks[run.verdict], run.verdict, { validateStream: false })
    : run.verdict
  const rest = [
    `${verdict} in ${run.wallMs} ms`,
    ago(around.dateMs() - run.dateMs),
    ...(run.seed === scenario.seed ? [] : [`with seed ${run.seed}`]),
    ...(changed ? ["changed since"] : [])
  ]
  return head + rest.join(", ")
}

export const list = async (order: ListOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const { cwd } = around
  if (order.files.length === 0 && !existsSync(resolve(cwd, FOLDER))) {
    const message = `no folder ${FOLDER} here; go where it is, or name files: pnpm sim list 'path/*.yaml'`
    records.error("UNREADABLE", exits.wrongUse, message)
    return exits.wrongUse
  }
  const read = await readAll(order.files.length === 0 ? [`${FOLDER}/**/*.yaml`] : order.files, around, records)
  if ("exit" in read) return read.exit
  const rows = read.ready.map((ready): Row => ({ ready, last: lastRun(cwd, ready.file, ready.scenario.text) }))
  const wide = [
    Math.max(0, ...rows.map(({ ready }) => ready.file.length)),
    Math.max(0, ...rows.map(({ ready }) => ready.scenario.title.length))
  ]
  for (const row of rows) {
    const { last, ready } = row
    records.write(
      line({
        $type: "clawmesh.list/1",
        file: ready.file,
        title: ready.scenario.title,
        verdict: last?.run.verdict ?? null,
        seed: last?.run.seed ?? null,
        wallMs: last?.run.wallMs ?? null,
        ranAt: last === null ? null : new Date(last.run.dateMs).toISOString(),
        changed: last?.changed ?? null
      })
    )
    if (order.json !== "stdout") around.out(`${rowLine(row, wide, around)}\n`)
  }
  return gravest(read.failures)
}
