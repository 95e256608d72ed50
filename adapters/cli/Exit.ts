/** What `clawmesh` tells its caller by its exit code, beside those of `adapters/operator/Failure.ts`. */
export const exits = {
  done: 0,
  /** Done; the answer is no, and told. */
  no: 1,
  wrongUse: 2,
  /** A defect of clawmesh (EX_SOFTWARE of sysexits.h). */
  defect: 70
} as const

export type Exit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 70
