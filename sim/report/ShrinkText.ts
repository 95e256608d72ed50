/** What `pnpm sim shrink` tells: what broke, the small schedule, why it is no smaller, and what to do next. */
import { styleText } from "node:util"
import { measuredSpan, moment } from "../judge/Words.ts"
import type { Shrunk } from "../shrink/Shrink.ts"
import { certificateWords, sizeWords } from "../shrink/Regression.ts"
import { failureWords, type Failure } from "../shrink/Failure.ts"
import type { Look } from "./Transcript.ts"

export interface ShrinkTelling {
  readonly title: string
  readonly seed: number
  readonly shrunk: Shrunk
  /** The file, as it is or would be saved. */
  readonly text: string
  readonly tookMs: number
  /** Where it was saved; `null`: nowhere. */
  readonly saved: string | null
  /** The command that runs the saved file, or the one that saves it. */
  readonly next: string
}

export const brokenWords = (failure: Failure): string =>
  `at ${moment(failure.atMs)}: ${failure._tag === "invariant" ? failure.message : failure.witness}`

export const shrinkText = (telling: ShrinkTelling, { colour }: Look): string => {
  const { next, saved, seed, shrunk, text, title, tookMs } = telling
  const ink = (style: "bold" | "dim" | "red", words: string): string => (colour ? styleText(style, words) : words)
  return [
    `${ink("bold", title)}, seed ${seed}`,
    `${ink("red", "✗")} ${ink("bold", failureWords(shrunk.failure))}`,
    `    ${brokenWords(shrunk.failure)}`,
    `  shrunk  ${sizeWords(shrunk.from)}  →  ${sizeWords(shrunk.to)}   (${shrunk.runs} runs, ${measuredSpan(Math.round(tookMs))})`,
    `  ${certificateWords(shrunk)}`,
    "",
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`.trimEnd()),
    "",
    ...(saved === null ? [] : [`  saved   ${saved}`]),
    `  ${saved === null ? "save " : "again"}   ${next}`
  ]
    .map((line) => `${line}\n`)
    .join("")
}
