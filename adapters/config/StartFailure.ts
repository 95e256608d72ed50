/** Why a node did not start, or could not go on: one sentence, what to do about it, and the exit code that says whether starting again may help. */
import * as Schema from "effect/Schema"

export class StartFailure extends Schema.TaggedError<StartFailure>()("StartFailure", {
  /** One sentence without a full stop: `port 18789 is taken`. */
  message: Schema.String,
  /** What to do about it; empty: nothing is known. */
  hint: Schema.String,
  /** 1: starting again may help. 78: the configuration is wrong, and will be wrong again (EX_CONFIG of sysexits.h). */
  exit: Schema.Literals([1, 78])
}) {}
