/** What the verbs of proposals mean, beyond their form. */
import { nothingMoves, type Reading, resolveTargets, valueOf } from "./Names.ts"
import type { Verb } from "./Scenario.ts"
import type { StepDraft } from "./Timeline.ts"
import type { Path } from "./Tree.ts"
import { LASTING_MS, readTime } from "./Units.ts"

export const readPropose = (reading: Reading, propose: StepDraft["propose"], at: Path): Verb | null => {
  if (propose === undefined) return null
  const { mistakes, moving, tree } = reading
  const { run } = propose
  if (run !== undefined && !moving.has(run)) mistakes.add(tree.value([...at, "run"]), nothingMoves(reading, run))
  return {
    _tag: "propose",
    who: resolveTargets(reading, propose.by, [...at, "by"]),
    proposal: propose.proposal ?? "",
    actuator: run ?? "",
    state: propose.action ?? "open",
    forMs: valueOf(reading, [...at, "for"], propose.for, readTime) ?? LASTING_MS,
    because: (propose.because ?? []).filter((frame) => frame !== undefined),
    alone: propose.wish === "its own",
    ...(propose.again === undefined ? {} : { again: true as const })
  }
}

export const readDecide = (
  reading: Reading,
  verb: "approve" | "reject",
  decide: StepDraft["approve"],
  at: Path
): Verb | null =>
  decide === undefined
    ? null
    : {
        _tag: verb,
        who: resolveTargets(reading, decide.via, [...at, "via"]),
        proposal: decide.proposal ?? "",
        by: decide.by ?? "",
        ...(decide.types === undefined ? {} : { typed: decide.types }),
        ...(decide.with === undefined || decide.with === "own key" ? {} : { signedWith: decide.with })
      }
