/**
 * Workflow commands of GitHub: lines in the output of a job that it shows beside the lines of a pull request.
 *
 * A message is one line there, so what would end it, or the command's own fields, is escaped as GitHub asks for it.
 */
import { moment } from "../judge/Words.ts"
import type { RunResult } from "../run.ts"
import type { Mistake } from "../scenario/Mistakes.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import { doubts } from "./Transcript.ts"

interface Annotation {
  readonly level: "error" | "warning"
  readonly file: string | null
  readonly line?: number
  readonly column?: number
  readonly message: string
}

const escaped = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")
const field = (text: string): string => escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C")

export const annotation = ({ column, file, level, line, message }: Annotation): string => {
  const fields = [
    ...(file === null ? [] : [`file=${field(file)}`]),
    ...(line === undefined ? [] : [`line=${line}`]),
    ...(column === undefined ? [] : [`col=${column}`])
  ].join(",")
  return `::${level}${fields === "" ? "" : ` ${fields}`}::${escaped(message)}\n`
}

/** Of a file that does not read. */
export const mistakeAnnotations = (file: string, mistakes: ReadonlyArray<Mistake>): string =>
  mistakes
    .map(({ message, place: { column, line } }) => annotation({ level: "error", file, line, column, message }))
    .join("")

/** Of a run: what broke, and why one that broke nothing has shown nothing all the same. */
export const runAnnotations = (file: string, scenario: Scenario, result: RunResult): string => {
  const broken = result.expectations.flatMap(({ atMs, expectation: { name, place }, status, witness }) =>
    status === "broken"
      ? [
          annotation({
            level: "error",
            file,
            line: place.line,
            message: `${name}: ${atMs === undefined ? "" : `at ${moment(atMs)}: `}${witness ?? "not so"}`
          })
        ]
      : []
  )
  const violated = result.violations.map(({ atMs, message, node, oracle }) =>
    annotation({ level: "error", file, message: `invariant ${oracle}: at ${moment(atMs)}, ${node}: ${message}` })
  )
  const doubted = doubts(file, scenario, result).map((message) => annotation({ level: "warning", file, message }))
  return [...broken, ...violated, ...doubted].join("")
}
