/** What `pnpm sim` tells its caller by its exit code. */
import type { Verdict } from "../judge/Verdict.ts"

export const exits = {
  /** Every judged expectation held, and something was judged. */
  passed: 0,
  /** An expectation or an invariant broke. */
  failed: 1,
  /** Wrong use, or a scenario that does not read. */
  wrongUse: 2,
  /** Nothing was judged, or a declared fault touched nothing. */
  undecided: 3,
  /** The same inputs gave two traces. */
  notDeterministic: 4,
  /** A replay parted from its recording. */
  parted: 5,
  /** The simulator itself broke (EX_SOFTWARE of sysexits.h). */
  defect: 70
} as const

export type Exit = (typeof exits)[keyof typeof exits]

export const exitOf = (verdict: Verdict): Exit => exits[verdict]

/** The gravest first: what one exit code says of several runs. */
const gravity: ReadonlyArray<Exit> = [70, 2, 4, 5, 1, 3, 0]

export const gravest = (codes: ReadonlyArray<Exit>): Exit =>
  gravity.find((exit) => codes.includes(exit)) ?? exits.passed
