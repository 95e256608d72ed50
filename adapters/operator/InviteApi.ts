/** What is said of invites over the operator's socket (PROTOCOL.md part 19): documents and requests as in `Api.ts`. */
import * as Schema from "effect/Schema"
import { OPEN_MS_MAX } from "../../kernel/pairing/Door.ts"
import { Role } from "../../kernel/wire/Frame.ts"
import * as Api from "./Api.ts"

const Invite = Schema.Struct({
  id: Schema.String,
  role: Role,
  /** `null`: as the device calls itself. */
  name: Schema.NullOr(Schema.String),
  /** What it may move: `actuator:pump-3`. */
  may: Schema.Array(Schema.String),
  /** `shut`: by the operator, or by three wrong codes. */
  state: Schema.Literals(["open", "taken", "expired", "shut"]),
  /** 0: it is not open. */
  leftMs: Schema.Natural,
  /** Who joined by it, from where; `null`: nobody has. */
  joined: Schema.NullOr(Schema.Struct({ ...Api.Device.fields, address: Schema.String })),
  /** It knew the code, and could not be trusted for this reason. */
  problem: Schema.NullOr(Schema.String)
})

export const Invites = Schema.Struct({
  $type: Schema.Literal("clawmesh.invites/1"),
  ...Api.head,
  /** Oldest first; those that are over as well, as far as they are remembered. */
  invites: Schema.Array(Invite)
})
export type Invites = typeof Invites.Type

/** An invite that was just made, with its code, which is told only once. */
export const Invited = Schema.Struct({
  $type: Schema.Literal("clawmesh.invited/1"),
  ...Api.head,
  invite: Invite,
  /** `K7QF-2M9X-TR4B-8WN3` */
  code: Schema.String,
  /** The same with all that is needed where nothing is found by mDNS: `clawmesh:join?…` */
  link: Schema.String,
  mesh: Schema.Struct({ id: Schema.String, name: Schema.NullOr(Schema.String) }),
  /** Where this node listens, as others may reach it: `192.168.1.41:18789`. */
  addresses: Schema.Array(Schema.String)
})
export type Invited = typeof Invited.Type

/** Body of `POST /invites`. Answered with `clawmesh.invited/1`; `GET` and `DELETE /invites` with `clawmesh.invites/1`. */
export const InviteRequest = Schema.Struct({
  role: Role,
  name: Schema.NullOr(Schema.String),
  may: Schema.Array(Schema.String).check(Schema.isMaxLength(64)),
  forMs: Schema.Natural.check(Schema.isLessThanOrEqualTo(OPEN_MS_MAX))
})
export type InviteRequest = typeof InviteRequest.Type
