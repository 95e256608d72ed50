/** `clawmesh replay`: a recording, done again by this kernel. Asks no node. */
import * as Effect from "effect/Effect"
import { openRecording } from "../recorded/Open.ts"
import { type Report, reportOf, reportRecord, reportText } from "../recorded/Report.ts"
import { printable } from "../config/Printable.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { type Errand, told, type Work } from "./Errand.ts"

const said = ({ kernel, outcome, recording: { source }, maker }: Report): Failure | null => {
  switch (outcome) {
    case "same":
      return null
    case "changed":
      return failure(
        "PARTED",
        `${source} is not as it was written`,
        "Copy it anew from the node: clawmesh bundle, there"
      )
    case "kernel":
      return failure(
        "PARTED",
        `${source} was recorded by another kernel, which did otherwise`,
        `Replay it with clawmesh ${maker.program}, whose kernel is ${maker.kernel}; this one is ${kernel}`
      )
    case "not deterministic":
      return failure("INTERNAL_ERROR", `${source}: the kernel that recorded it does otherwise now`, "Please report it")
  }
}

const linesOf = (report: Report): string =>
  reportText(report)
    .split("\n")
    .map((line) => printable(line))
    .join("\n")

export const replayRecording = (errand: Errand, file: string): Work =>
  Effect.gen(function* () {
    const opened = yield* openRecording(errand.around.cwd, file)
    if ("problem" in opened) return yield* Effect.fail(failure("WRONG_USE", opened.problem))
    const report = reportOf(opened)
    told(errand, reportRecord(report), () => linesOf(report))
    const wrong = said(report)
    if (wrong !== null) return yield* Effect.fail(wrong)
  })
