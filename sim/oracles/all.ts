/** Every oracle that watches every run. Later ones are added here and nowhere else. */
import type { Oracle } from "./Oracle.ts"
import { oneLeader } from "./S1OneLeader.ts"
import { noGhosts } from "./S6NoGhosts.ts"
import { authentication } from "./S7Authentication.ts"

/** Fresh ones, for one run. */
export const everyOracle = (): ReadonlyArray<Oracle> => [oneLeader(), noGhosts(), authentication()]
