/** `pnpm sim replay` of what a real node recorded: the same state and hash, and the oracles that one node is enough for. */
import * as Effect from "effect/Effect"
import { kernelDigest } from "../../adapters/recorded/Kernel.ts"
import { openRecording } from "../../adapters/recorded/Open.ts"
import { reportRecord, reportText } from "../../adapters/recorded/Report.ts"
import { withPoison } from "../engine/Poison.ts"
import { type Judged, judge, unjudged } from "../recorded/Judge.ts"
import { type Exit, exits } from "./Exit.ts"
import type { ReplayOrder } from "./Order.ts"
import { line } from "./Records.ts"
import { kernelOf, type Records, type Surroundings } from "./Surroundings.ts"

const exitFor = ({ report: { outcome }, violations }: Judged): Exit => {
  if (outcome === "not deterministic") return exits.notDeterministic
  if (outcome !== "same") return exits.parted
  return violations.length > 0 ? exits.failed : exits.passed
}

const SHOWN_MAX = 20

const textOf = (judged: Judged): string => {
  const { judged: ids, partly, report, violations } = judged
  return [
    reportText(report).trimEnd(),
    ...violations
      .slice(0, SHOWN_MAX)
      .map(
        ({ at, file, message, oracle, wallMs }) =>
          `✗ ${oracle}: ${message}\n    ${file}:${at}, ${new Date(wallMs).toISOString()}`
      ),
    ...(violations.length > SHOWN_MAX ? [`  and ${violations.length - SHOWN_MAX} more`] : []),
    `${violations.length === 0 ? "✓" : "✗"} judged from this node alone: ${ids.join(", ")}`,
    ...(partly.length === 0
      ? []
      : [`● of what begins without its start only steps in themselves are judged, not ${partly.join(", ")}`]),
    "  One node does not show:",
    ...unjudged.map(([ids, why]) => `    ${ids.padEnd(3)} ${why}`),
    ""
  ].join("\n")
}

export const replayRecording = async (order: ReplayOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const { file, fromMs, step, untilMs } = order
  const wrong = (message: string): Exit => {
    records.error("WRONG_USE", exits.wrongUse, message)
    return exits.wrongUse
  }
  if (step || untilMs !== null || fromMs !== 0)
    return wrong("--step, --from and --until are for traces; a recording is replayed whole")
  const opened = await Effect.runPromise(openRecording(around.cwd, file))
  if ("problem" in opened) return wrong(opened.problem)
  const kernel = await kernelOf(around)
  const digest = kernelDigest()
  const judged = withPoison(() => judge(opened, kernel, digest))
  const exit = exitFor(judged)
  const { judged: ids, partly, report, violations } = judged
  records.write(line({ ...reportRecord(report), violations, judged: ids, partly, exit }))
  if (order.json !== "stdout") around.out(textOf(judged))
  return exit
}
