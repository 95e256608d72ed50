/** `pnpm sim diff`: two traces at their first parting. */
import { kernel as ours } from "../engine/Host.ts"
import { diffText, type Compared } from "../report/DiffText.ts"
import { partOf } from "../trace/Parts.ts"
import type { Trace } from "../trace/ReadTrace.ts"
import { type Exit, exits } from "./Exit.ts"
import type { DiffOrder } from "./Order.ts"
import { diffRecord } from "./ReplayRecords.ts"
import type { Records, Surroundings } from "./Surroundings.ts"
import { openTrace } from "./Traces.ts"

export const diff = (order: DiffOrder, around: Surroundings, records: Records): Exit => {
  const opened = [order.first, order.second].map((file) => openTrace(around.cwd, file))
  for (const trace of opened) if ("problem" in trace) records.error("UNREADABLE", exits.wrongUse, trace.problem)
  const [first, second] = opened.filter((trace): trace is Trace => !("problem" in trace))
  if (first === undefined || second === undefined) return exits.wrongUse
  const parts = partOf(first, second, ours)
  const compared: Compared = { first, second, parts }
  const exit = parts === null ? exits.passed : exits.failed
  const at = parts === null ? null : (parts.first ?? parts.second)
  records.write(
    diffRecord(
      [order.first, order.second],
      parts === null ? null : { event: parts.event, atMs: at?.atMs ?? null },
      [first.lines.length, second.lines.length],
      exit
    )
  )
  if (order.json !== "stdout") around.out(diffText(compared))
  return exit
}
