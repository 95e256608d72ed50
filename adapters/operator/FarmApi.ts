/** The farm as this node sees it, over the operator's socket: documents as in `Api.ts`. */
import * as Schema from "effect/Schema"
import { levels } from "../../kernel/actuation/Actuator.ts"
import { statuses } from "../../kernel/proposals/Proposal.ts"
import { tiers } from "../../kernel/wire/ContextFrame.ts"
import { freshnesses } from "../../kernel/world/Query.ts"
import * as Api from "./Api.ts"

/** How a reading is, by the bounds of the farm. `unknown`: nobody has said so for three times as long as the farm has it said, or ever. */
export const conditions = ["well", "low", "high", "unknown"] as const

const Sensor = Schema.Struct({
  metric: Schema.String,
  /** The asset that it measures; `null`: the zone. */
  asset: Schema.NullOr(Schema.String),
  unit: Schema.String,
  is: Schema.Literals(conditions),
  /** `null`, as all that follows: nobody has said anything. */
  value: Schema.NullOr(Schema.Finite),
  ageMs: Schema.NullOr(Schema.Natural),
  freshness: Schema.NullOr(Schema.Literals(freshnesses)),
  tier: Schema.NullOr(Schema.Literals(tiers)),
  /** Signed by its source, or heard from its own mouth. */
  evidence: Schema.NullOr(Schema.Boolean),
  source: Schema.NullOr(Api.Device),
  /** Between these it is well; `null`: there is no such bound. */
  atLeast: Schema.NullOr(Schema.Finite),
  atMost: Schema.NullOr(Schema.Finite)
})

const Told = Schema.Struct({
  id: Schema.String,
  short: Schema.String,
  state: Schema.String,
  status: Schema.Literals(statuses),
  owner: Api.Device,
  /** Who decided; `null`: nobody has. */
  by: Schema.NullOr(Schema.String),
  ageMs: Schema.Natural
})

const Actuator = Schema.Struct({
  name: Schema.String,
  asset: Schema.NullOr(Schema.String),
  group: Schema.String,
  safe: Schema.String,
  atMostMs: Schema.Natural,
  level: Schema.Literals(levels),
  /** Who moves it; `null`: nobody says so. */
  guardian: Schema.NullOr(Api.Device),
  up: Schema.Boolean,
  /** As its guardian has it, who alone knows; `null`: that is another device, or it does not know either. */
  state: Schema.NullOr(Schema.String),
  leftMs: Schema.NullOr(Schema.Natural),
  /** Who has its lease, as its guardian has it. */
  drivenBy: Schema.NullOr(Api.Device),
  /** Proposals that are open, and behind them the last one that is not; the newest first. */
  proposals: Schema.Array(Told),
  last: Schema.NullOr(Told)
})

export const Farm = Schema.Struct({
  $type: Schema.Literal("clawmesh.farm/1"),
  ...Api.head,
  site: Schema.String,
  /** The file that describes it. */
  file: Schema.String,
  zones: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      about: Schema.String,
      assets: Schema.Array(Schema.Struct({ name: Schema.String, about: Schema.String })),
      sensors: Schema.Array(Sensor),
      actuators: Schema.Array(Actuator)
    })
  )
})
export type Farm = typeof Farm.Type
