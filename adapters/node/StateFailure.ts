/** A state directory that is refused, as the end of a program: whichever command met it, it says the same and ends alike (B11). */
import { StartFailure } from "../config/StartFailure.ts"
import type { StateRefused } from "../vault/StateRefused.ts"

export const stateFailure = ({ passes, path, problem, reason, wayOut }: StateRefused): StartFailure =>
  new StartFailure({
    message: `${path}: ${problem.replace(/\.$/u, "")}`,
    hint: wayOut,
    // Another daemon may stop by itself, and a disk may have room again; everything else waits for a person.
    exit: reason === "Busy" || passes === true ? 1 : 78
  })
