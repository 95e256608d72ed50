/**
 * A shrunk run as a file to commit: `scenarios/regressions/<name>.yaml`, in the language, with where it comes from in a comment.
 * It is read again and run before anybody gets it, and has to fail as the run did.
 */
import type { Kernel } from "../engine/Host.ts"
import { exactSpan, moment } from "../judge/Words.ts"
import { runScenario } from "../run.ts"
import { readScenario } from "../scenario/read.ts"
import type { Expectation, Scenario } from "../scenario/Scenario.ts"
import { Unwritable } from "../scenario/WriteSteps.ts"
import { writeScenario } from "../scenario/write.ts"
import { failureWords, sameIn, type Failure } from "./Failure.ts"
import type { Shrunk, Size } from "./Shrink.ts"

export interface Found {
  /** The command that gives the whole run again. */
  readonly again: string
  /** The commit of the kernel; `null`: not known. */
  readonly kernel: string | null
  /** The schema, as seen from the file's folder. */
  readonly schema: string
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

export const sizeWords = ({ faults, lastsMs, nodes }: Size): string =>
  `${counted(faults, "fault")}, ${counted(nodes, "node")}, ${exactSpan(lastsMs)}`

/** In one line of a comment. */
const oneLine = (text: string): string => text.replaceAll(/\s+/gu, " ").trim()

export const certificateWords = ({ certificate: { complete, decisions, nodes, steps } }: Shrunk): string => {
  const taken = [
    ...(steps.length === 0 ? [] : [counted(steps.length, "step")]),
    ...(nodes.length === 0 ? [] : [counted(nodes.length, "node")]),
    ...(decisions.length === 0 ? [] : [counted(decisions.length, "setting")])
  ]
  if (!complete) return "not known to be 1-minimal: the runs allowed were over before each single removal was tried"
  if (taken.length === 0) return "1-minimal: there is nothing in it that could be taken out"
  const runs = steps.length + nodes.length + decisions.length
  return `1-minimal: of ${taken.join(", ")} each was taken out by itself, and ${runs === 1 ? "the run" : `all ${runs} runs`} passed`
}

/** Holds in any run, so that a file about an oracle judges something once the bug is gone. */
const lawOf = (oracle: string): Expectation => ({
  place: { line: 0, column: 0 },
  name: `one leader at most in each term; and ${oracle}, as everywhere`,
  when: { _tag: "always", fromMs: 0, untilMs: 0, untilBase: "end" },
  facts: { leadersPerTerm: { how: "at most", n: 1 } },
  judge: "everywhere"
})

const judging = (scenario: Scenario, failure: Failure): Scenario => {
  if (failure._tag === "expectation") return scenario
  const law = lawOf(failure.oracle)
  return { ...scenario, expect: [{ ...law, when: { ...law.when, untilMs: scenario.lastsMs } as Expectation["when"] }] }
}

export const regressionText = (shrunk: Shrunk, { again, kernel, schema }: Found): string => {
  const { failure, from, runs, scenario, to } = shrunk
  const words = failure._tag === "invariant" ? failure.message : failure.witness
  return writeScenario(
    { ...judging(scenario, failure), title: `${scenario.title}, seed ${scenario.seed}, shrunk` },
    {
      schema,
      comment: [
        `Found by   ${oneLine(again)}`,
        `Shrunk     in ${runs} runs from ${sizeWords(from)} to ${sizeWords(to)}`,
        `It broke   ${oneLine(failureWords(failure))}`,
        `           at ${moment(failure.atMs)}${kernel === null ? "" : `, kernel ${kernel}`}: ${oneLine(words)}`,
        `It is      ${certificateWords(shrunk)}`
      ]
    }
  )
}

/** The text, once it is known to fail as the run did; or why it does not. */
export const regression = (
  shrunk: Shrunk,
  found: Found,
  file: string,
  kernel?: Kernel
): { readonly text: string } | { readonly problem: string } => {
  try {
    const text = regressionText(shrunk, found)
    const read = readScenario(file, text)
    if ("mistakes" in read) return { problem: `what was written does not read: ${read.mistakes[0]?.message ?? ""}` }
    const result = runScenario(read.scenario, kernel === undefined ? {} : { kernel })
    return sameIn(shrunk.failure, result) === null ? { problem: "read back from its file, it does not fail" } : { text }
  } catch (error) {
    if (error instanceof Unwritable) return { problem: `the language has no words for ${error.message}` }
    throw error
  }
}
