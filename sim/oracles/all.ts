/** Every oracle that watches every run. Later ones are added here and nowhere else. */
import type { Oracle } from "./Oracle.ts"
import { generation1 } from "./G1Generation1.ts"
import { commands } from "./K1Commands.ts"
import { pace } from "./K2Pace.ts"
import { told } from "./K3Told.ts"
import { settled } from "./K4Settled.ts"
import { timers } from "./K5Timers.ts"
import { inference } from "./K10Inference.ts"
import { whole } from "./K6Whole.ts"
import { moves } from "./K7Moves.ts"
import { rules } from "./K8Rules.ts"
import { needs } from "./K9Needs.ts"
import { decisions } from "./L4Decisions.ts"
import { bounds } from "./S10Bounds.ts"
import { hold } from "./S13Hold.ts"
import { truth } from "./S11Truth.ts"
import { oneLeader } from "./S1OneLeader.ts"
import { promises } from "./S1Promises.ts"
import { fence } from "./S2Fence.ts"
import { atMostOnce } from "./S3AtMostOnce.ts"
import { evidence } from "./S4Evidence.ts"
import { provenance } from "./S5Provenance.ts"
import { noGhosts } from "./S6NoGhosts.ts"
import { rows } from "./S6Rows.ts"
import { authentication } from "./S7Authentication.ts"
import { passiveViewers } from "./S8PassiveViewers.ts"
import { durability } from "./S9Durability.ts"

/** Fresh ones, for one run. */
export const everyOracle = (): ReadonlyArray<Oracle> => [
  oneLeader(),
  promises(),
  fence(),
  atMostOnce(),
  evidence(),
  provenance(),
  noGhosts(),
  rows(),
  authentication(),
  passiveViewers(),
  durability(),
  bounds(),
  truth(),
  hold(),
  generation1(),
  commands(),
  pace(),
  told(),
  settled(),
  timers(),
  whole(),
  moves(),
  rules(),
  needs(),
  inference(),
  decisions()
]
