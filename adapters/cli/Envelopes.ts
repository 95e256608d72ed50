/** Each document that `clawmesh --json` prints, by its `$type`, with the schema by which it is read: for the documents, and for programs. */
import * as Schema from "effect/Schema"
import { Doctor } from "../doctor/Report.ts"
import * as Api from "../operator/Api.ts"
import { Electors } from "../operator/ElectorsApi.ts"
import { Farm } from "../operator/FarmApi.ts"
import { awaited } from "./Arguments.ts"

const Ping = Schema.Struct({
  $type: Schema.Literal("clawmesh.ping/1"),
  stage: Schema.Literals(["find", "dial", "handshake", "echo"]),
  ok: Schema.Boolean,
  text: Schema.String,
  hint: Schema.NullOr(Schema.String),
  /** Of stages that take time. */
  tookMs: Schema.optionalKey(Schema.Natural)
})

const Wait = Schema.Struct({
  $type: Schema.Literal("clawmesh.wait/1"),
  for: Schema.Literals(awaited),
  name: Schema.NullOr(Schema.String),
  text: Schema.String,
  tookMs: Schema.Natural
})

const Audit = Schema.Struct({
  $type: Schema.Literal("clawmesh.audit/1"),
  /** Events, each with the hash of the line before it. */
  records: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)),
  faults: Schema.Array(
    Schema.Struct({ file: Schema.String, line: Schema.Natural, what: Schema.Literals(["broken", "unfinished"]) })
  ),
  last: Schema.NullOr(Schema.String)
})

const Person = Schema.Struct({
  $type: Schema.Literal("clawmesh.person/1"),
  name: Schema.String,
  publicKey: Schema.String
})

const Version = Schema.Struct({ $type: Schema.Literal("clawmesh.version/1"), version: Schema.String })

export const envelopes: { readonly [type: string]: Schema.Codec<unknown, unknown> } = Object.fromEntries(
  [
    Api.Status,
    Api.Peers,
    Api.World,
    Api.Trace,
    Farm,
    Api.Events,
    Api.EventLine,
    Api.Proposals,
    Api.Decided,
    Api.Actuators,
    Api.Command,
    Audit,
    Api.Trust,
    Api.TrustChange,
    Electors,
    Ping,
    Doctor,
    Wait,
    Person,
    Version,
    Api.Failure
  ].map((schema) => [schema.fields.$type.literal, schema])
)
