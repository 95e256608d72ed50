/** What is said of who elects, over the operator's socket: documents and requests as in `Api.ts`. */
import * as Schema from "effect/Schema"
import { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import * as Api from "./Api.ts"

const Elector = Schema.Struct({ ...Api.Device.fields, role: Role, up: Schema.Boolean })

export const Electors = Schema.Struct({
  $type: Schema.Literal("clawmesh.electors/1"),
  ...Api.head,
  /** Of the list that is in force. */
  version: Schema.Natural,
  /** By whose word: the operator key's, which all nodes were shown, or the configuration's of each. */
  source: Schema.Literals(["operator", "configuration"]),
  electors: Schema.Array(Elector),
  /** How many of them have to agree. */
  needed: Schema.Natural,
  /** The list that waits to be in force, and who of those above has acknowledged it; `null`: none does. */
  next: Schema.NullOr(
    Schema.Struct({
      version: Schema.Natural,
      electors: Schema.Array(Elector),
      acknowledged: Schema.Array(Api.Device)
    })
  ),
  /** This node has no say: it has lost its journal, and no list since has named it. */
  forgot: Schema.Boolean,
  /** The operator key is at this node: lists are signed here. */
  signs: Schema.Boolean
})
export type Electors = typeof Electors.Type

/** Body of `POST /electors`: one change. `replace`: `id` takes the place of `of`. Answered with `clawmesh.electors/1`. */
export const ElectorsRequest = Schema.Struct({
  change: Schema.Literals(["add", "remove", "replace", "readmit"]),
  id: DeviceId,
  of: Schema.optionalKey(DeviceId)
})
export type ElectorsRequest = typeof ElectorsRequest.Type
