/**
 * What the operator's socket and its clients say to each other: JSON documents, each with its `$type`. The daemon answers with
 * them, `clawmesh` reads them by the same schemas and prints them, as they are, under `--json`.
 *
 * The number after the slash changes only when a field is removed or changes its meaning; fields may be added at any time.
 * Times are ms, or ISO 8601 of the daemon's calendar where a field is named `at`. What is not known is `null`, so that every
 * document of a type has the same keys.
 */
import * as Schema from "effect/Schema"
import { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import { levels } from "../../kernel/actuation/Actuator.ts"
import { isBody, statuses } from "../../kernel/proposals/Proposal.ts"
import { kinds, tiers } from "../../kernel/wire/ContextFrame.ts"
import { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import { freshnesses } from "../../kernel/world/Query.ts"
import { type FailureCode, failures } from "./Failure.ts"

/** Names of devices, in UTF-16 units: longer ones break every table. */
export const NAME_UNITS_MAX = 64

const Known = { id: DeviceId, name: Schema.NullOr(Schema.String) }

/** A device by its id, and by its name where it has one. */
export const Device = Schema.Struct(Known)
export type Device = typeof Device.Type

/** Of every document: when it was true, by the daemon's calendar, and whose view it is. */
export const head = { at: Schema.String, seenFrom: Schema.String }

/** How a connection is protected, as negotiated; TLS is pinned when the far end's key or certificate is the expected one. */
export const Security = Schema.Literals(["insecure", "tls-unpinned", "tls-pinned"])
export type Security = typeof Security.Type

export const Link = Schema.Struct({
  dialledBy: Schema.Literals(["us", "them"]),
  sinceMs: Schema.Natural,
  /** The transport label (B16): the configured one, `mdns` for what discovery found; `null`: it has none. */
  label: Schema.NullOr(Schema.String),
  /** `null`, as the next two: nothing lies between the ends, in a simulation. */
  security: Schema.NullOr(Security),
  /** The class of the far end's address. */
  remote: Schema.NullOr(Schema.Literals(["loopback", "private", "public"])),
  /** The far end's. */
  address: Schema.NullOr(Schema.String),
  /** The last day of the certificate that the far end showed, ISO 8601; `null`: it showed none. A past one is no fault (B19). */
  certificateUntil: Schema.NullOr(Schema.String)
})
export type Link = typeof Link.Type

/** How the operator configured its address, and how a link there is secured by that (B17); `null`: nothing is configured. */
const Configured = Schema.NullOr(
  Schema.Struct({ url: Schema.String, label: Schema.NullOr(Schema.String), security: Security })
)

export const Peer = Schema.Struct({
  ...Known,
  role: Role,
  gen1: Schema.Boolean,
  state: Schema.Literals(["unknown", "up", "suspect", "down", "left"]),
  /** For how long. */
  sinceMs: Schema.Natural,
  /** Of one that is down: who has it as unreachable; fewer than two do not confirm it. `null`: it is not down. */
  witnesses: Schema.NullOr(Schema.Array(Device)),
  /** 0: never met. */
  incarnation: Schema.Natural,
  /** The session with it; `null`: none. */
  link: Schema.NullOr(Link),
  configured: Configured,
  /** How long ago it was last heard, to within a beat; `null`: never since this node started, or it has left. */
  heardMs: Schema.NullOr(Schema.Natural),
  /** Smoothed round trip; `null`: not measured. */
  rttMs: Schema.NullOr(Schema.Natural),
  /** How far its calendar was ahead of this node's at the last handshake; `null`: there was none in this boot. */
  clockOffsetMs: Schema.NullOr(Schema.Int),
  /** The lasting reason for which we do not talk to each other, a code of the protocol. */
  refused: Schema.NullOr(Schema.String),
  dialling: Schema.Struct({
    /** Where it may be dialled: the configured address, or else what discovery found, best first. */
    addresses: Schema.Array(Schema.String),
    underWay: Schema.Boolean,
    /** `null`: no dial is planned. */
    nextInMs: Schema.NullOr(Schema.Natural),
    /** In a row. */
    failures: Schema.Natural
  })
})
export type Peer = typeof Peer.Type

/** A device near us that nobody has told this node to trust. Its name is its own claim. */
export const Stranger = Schema.Struct({
  id: DeviceId,
  name: Schema.String,
  addresses: Schema.Array(Schema.String)
})
export type Stranger = typeof Stranger.Type

export const Warning = Schema.Struct({
  code: Schema.Literals([
    "PEER_DOWN",
    "PEER_SUSPECT",
    "PEER_REFUSED",
    "PEER_NOT_MET",
    "NO_LEADER",
    "NO_QUORUM",
    "ISOLATED",
    "DISCOVERY_FAILED",
    "NOT_RUNNING",
    "AMNESIA",
    "ELECTORS_WAIT",
    "DISK_REFUSES",
    "RECORDING_STOPPED"
  ]),
  about: Schema.NullOr(Device),
  text: Schema.String,
  /** What to do: a command, or a short phrase. */
  hint: Schema.NullOr(Schema.String)
})
export type Warning = typeof Warning.Type

export const Leader = Schema.Struct({
  ...Known,
  role: Role,
  kind: Schema.Literals(["local", "peer"]),
  /** What is left of its lease; only the leader itself knows: `null` when it is a peer. */
  leaseLeftMs: Schema.NullOr(Schema.Natural),
  /** How long ago its heartbeat came; `null` when it is this node. */
  heardMs: Schema.NullOr(Schema.Natural)
})
export type Leader = typeof Leader.Type

export const Status = Schema.Struct({
  $type: Schema.Literal("clawmesh.status/1"),
  ...head,
  node: Schema.Struct({
    id: DeviceId,
    name: Schema.String,
    role: Role,
    phase: Schema.Literals(["off", "recalling", "booting", "running", "leaving", "left"]),
    incarnation: Schema.Natural,
    uptimeMs: Schema.Natural,
    /** Where it listens. */
    address: Schema.String,
    meshId: Schema.String
  }),
  /** `null`: this node would name nobody. */
  leader: Schema.NullOr(Leader),
  /** The counter of the highest term that is known. */
  term: Schema.Natural,
  /** How long a lease is in this mesh. */
  leaseMs: Schema.Natural,
  /** What this node may do by itself: only `active` works autonomously (B24). */
  activity: Schema.Literals(["active", "provisional", "standby", "ineligible"]),
  /** Its planner does not work, or is not to lead, by its operator's word. */
  suspended: Schema.Boolean,
  /** Who is up, could lead and does not; by id, not by rank. */
  standby: Schema.Array(Device),
  electors: Schema.Struct({ total: Schema.Natural, up: Schema.Natural, needed: Schema.Natural }),
  /** Every peer that was met is down: it may well be this node that is cut off. */
  isolated: Schema.Boolean,
  /** How often this node itself stood still, for how long the last time, and how long ago that was; `null`: never. */
  stalls: Schema.NullOr(Schema.Struct({ count: Schema.Natural, lastMs: Schema.Natural, agoMs: Schema.Natural })),
  /** Proposals that wait for a person. */
  waiting: Schema.Natural,
  peers: Schema.Array(Peer),
  strangers: Schema.Array(Stranger),
  /** Counts of refusals by code since the node started, those that happened. */
  refusals: Schema.Record(Schema.String, Schema.Natural),
  discovery: Schema.Struct({ enabled: Schema.Boolean, runs: Schema.Boolean, why: Schema.String }),
  warnings: Schema.Array(Warning)
})
export type Status = typeof Status.Type

export const Peers = Schema.Struct({
  $type: Schema.Literal("clawmesh.peers/1"),
  ...head,
  peers: Schema.Array(Peer)
})
export type Peers = typeof Peers.Type

export const Health = Schema.Struct({
  $type: Schema.Literal("clawmesh.health/1"),
  ...head,
  /** No warning. */
  healthy: Schema.Boolean,
  /** Every trusted device with how it is reached, as configured and as negotiated (B16, B17). */
  links: Schema.Array(Schema.Struct({ ...Known, configured: Configured, link: Schema.NullOr(Link) })),
  warnings: Schema.Array(Warning)
})
export type Health = typeof Health.Type

export const Trusted = Schema.Struct({
  ...Known,
  role: Role,
  gen1: Schema.Boolean,
  /** Raw key as base64url that the operator gave or that it first proved; `null`: it has proved none yet. */
  publicKey: Schema.NullOr(Schema.String),
  /** What it may move, where its invite said so: `actuator:pump-3`; `null`: whatever it says. */
  may: Schema.NullOr(Schema.Array(Schema.String)),
  /** By whose word: the operator's, kept in the journal, or the configuration's, which comes back at each start. */
  source: Schema.Literals(["operator", "configuration"])
})
export type Trusted = typeof Trusted.Type

/** This node, as another one has to trust it. */
const Self = Schema.Struct({ id: DeviceId, name: Schema.String, role: Role })

export const Trust = Schema.Struct({
  $type: Schema.Literal("clawmesh.trust/1"),
  ...head,
  node: Self,
  trusted: Schema.Array(Trusted),
  strangers: Schema.Array(Stranger)
})
export type Trust = typeof Trust.Type

/** Body of `POST /trust`. Of a device that is trusted already, a name or a key that is left out stays. */
export const TrustRequest = Schema.Struct({
  id: DeviceId,
  role: Role,
  gen1: Schema.Boolean,
  /** Empty: none. */
  name: Schema.optionalKey(Schema.String),
  /** Raw key as base64url; `null`: the one that it proves first. */
  publicKey: Schema.optionalKey(Schema.NullOr(Schema.String)),
  /** What it may move; left out: as it stands, or whatever it says. */
  may: Schema.optionalKey(Schema.Array(Schema.String))
})
export type TrustRequest = typeof TrustRequest.Type

/** What became of a change of trust, as the running node now has it. */
export const TrustChange = Schema.Struct({
  $type: Schema.Literal("clawmesh.trust-change/1"),
  ...head,
  node: Self,
  /** `unchanged`: it stood so already. */
  change: Schema.Literals(["added", "changed", "removed", "unchanged"]),
  device: Trusted
})
export type TrustChange = typeof TrustChange.Type

/** What stands in the world: of each device, kind, zone and metric the newest frame. */
export const WorldEntry = Schema.Struct({
  source: Device,
  kind: Schema.Literals(kinds),
  zone: Schema.NullOr(Schema.String),
  metric: Schema.NullOr(Schema.String),
  frame: Schema.String,
  /** Since it was seen at its source, by the clocks of those that held it. */
  ageMs: Schema.Natural,
  freshness: Schema.Literals(freshnesses),
  tier: Schema.Literals(tiers),
  /** Signed by its source, or heard from its own mouth. */
  evidence: Schema.Boolean,
  data: Schema.Record(Schema.String, Schema.Unknown)
})
export type WorldEntry = typeof WorldEntry.Type

export const World = Schema.Struct({
  $type: Schema.Literal("clawmesh.world/1"),
  ...head,
  /** Of all that fitted the question. */
  count: Schema.Natural,
  /** Those shown, the youngest first. */
  entries: Schema.Array(WorldEntry),
  /** Frames that nobody could give this node any more, by whose they were. */
  gaps: Schema.Array(Schema.Struct({ source: Device, frames: Schema.Natural })),
  /** Frames that this node holds, and their bytes. */
  held: Schema.Struct({ frames: Schema.Natural, bytes: Schema.Natural })
})
export type World = typeof World.Type

export const Trace = Schema.Struct({
  $type: Schema.Literal("clawmesh.trace/1"),
  ...head,
  /** Causes first. */
  chain: Schema.Array(
    Schema.Struct({
      /** Below 0: it led to what was asked for, over so many steps; above: it came of it. */
      distance: Schema.Int,
      source: Device,
      kind: Schema.Literals(kinds),
      tier: Schema.Literals(tiers),
      frame: Schema.String,
      timestamp: Schema.Int,
      data: Schema.Record(Schema.String, Schema.Unknown)
    })
  ),
  /** Frames that are named as causes, and are not held here. */
  missing: Schema.Array(Schema.String)
})
export type Trace = typeof Trace.Type

/** What came of a message that the other end was only to answer. */
export const Echo = Schema.Struct({
  $type: Schema.Literal("clawmesh.echo/1"),
  ...head,
  device: Device,
  ok: Schema.Boolean,
  /** There and back, as this node measured it. */
  tookMs: Schema.Natural,
  /** Why not, a code of the protocol; `null`: it answered. */
  code: Schema.NullOr(Schema.String),
  text: Schema.String
})
export type Echo = typeof Echo.Type

/** What this node moves. */
export const Actuators = Schema.Struct({
  $type: Schema.Literal("clawmesh.actuators/1"),
  ...head,
  actuators: Schema.Array(
    Schema.Struct({
      /** As its capability names it: `actuator:pump-1`. */
      actuator: Schema.String,
      /** One of a group moves at a time, at the word of one. */
      group: Schema.String,
      states: Schema.Array(Schema.String),
      safe: Schema.String,
      /** In any other state than the safe one. */
      atMostMs: Schema.Natural,
      /** `null`: not known, as after a drive that failed. */
      state: Schema.NullOr(Schema.String),
      /** The state that it is being brought to; `null`: it is not moving. */
      moving: Schema.NullOr(Schema.String),
      /** Until it is made safe; `null`: it is. */
      leftMs: Schema.NullOr(Schema.Natural),
      hold: Schema.Boolean,
      epoch: Schema.Natural,
      /** Whose lease runs. */
      holder: Schema.NullOr(Device),
      leaseLeftMs: Schema.Natural
    })
  )
})
export type Actuators = typeof Actuators.Type

/** Body of `POST /hold`; `group` `null`: all. */
export const HoldRequest = Schema.Struct({ group: Schema.NullOr(Schema.String), on: Schema.Boolean })
export type HoldRequest = typeof HoldRequest.Type

/** Body of `POST /hold-of`: an actuator of whatever device, such as `actuator:pump-1`. Answered with a `clawmesh.command/1`. */
export const HoldOfRequest = Schema.Struct({ actuator: Schema.NonEmptyString })
export type HoldOfRequest = typeof HoldOfRequest.Type

/** Body of `POST /engine`: whether the planner of this node works. Answered with its status. */
export const EngineRequest = Schema.Struct({ runs: Schema.Boolean })
export type EngineRequest = typeof EngineRequest.Type

/** Body of `POST /command`. */
export const CommandRequest = Schema.Struct({
  /** `actuator:pump-1` */
  actuator: Schema.String,
  state: Schema.String,
  /** It is made safe by itself after so long; 0 for the safe state. */
  forMs: Schema.Natural,
  /** The same within ten minutes, and meant so. */
  again: Schema.Boolean,
  /** The same intent moves hardware once, however often it is asked for; left out: a new one. */
  intentId: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(128)))
})
export type CommandRequest = typeof CommandRequest.Type

/** What came of a command. */
export const Command = Schema.Struct({
  $type: Schema.Literal("clawmesh.command/1"),
  ...head,
  actuator: Schema.String,
  state: Schema.String,
  /** Who owns the actuator. */
  by: Device,
  intentId: Schema.String,
  ok: Schema.Boolean,
  /** Why not, a code of the protocol; `null`: it is done. */
  code: Schema.NullOr(Schema.String),
  text: Schema.String,
  tookMs: Schema.Natural
})
export type Command = typeof Command.Type

/** What planners would have moved, the newest first. */
export const Proposals = Schema.Struct({
  $type: Schema.Literal("clawmesh.proposals/1"),
  ...head,
  proposals: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      /** As people say it: `P-4F2K`. */
      short: Schema.String,
      actuator: Schema.String,
      state: Schema.String,
      /** 0: for good, which only the safe state can be. */
      forMs: Schema.Natural,
      /** Who owns the actuator. */
      guardian: Device,
      status: Schema.Literals(statuses),
      /** Who has to agree, as its owner says; `null`: it has not said so yet. */
      level: Schema.NullOr(Schema.Literals(levels)),
      /** Why it failed, or was withdrawn, a code of the protocol; `null`: it was not. */
      code: Schema.NullOr(Schema.String),
      proposer: Device,
      /** The language model that drafted it; `null`: none did. */
      model: Schema.NullOr(Schema.String),
      /** Who looks after it. */
      owner: Device,
      term: Schema.Natural,
      /** Since it was made. */
      ageMs: Schema.Natural,
      /** Until nobody can decide any more; `null`: it waits for nobody. */
      leftMs: Schema.NullOr(Schema.Natural),
      /** `null`: nobody has. */
      decided: Schema.NullOr(Schema.Struct({ by: Schema.String, at: Device })),
      /** What it rests on. */
      because: Schema.Array(
        Schema.Struct({
          frame: Schema.String,
          /** `null`, as what follows: this node does not have it. */
          source: Schema.NullOr(Device),
          tier: Schema.NullOr(Schema.Literals(tiers)),
          kind: Schema.NullOr(Schema.Literals(kinds)),
          ageMs: Schema.NullOr(Schema.Natural),
          data: Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown))
        })
      ),
      /** The frames that say so: for `clawmesh trace`. */
      frames: Schema.Array(Schema.String)
    })
  )
})
export type Proposals = typeof Proposals.Type

/** Body of `POST /propose`. Without `because` it rests on the word of `by`, which is said to all as a frame. */
export const ProposeRequest = Schema.Struct({
  actuator: Schema.NonEmptyString,
  state: Schema.NonEmptyString,
  forMs: Schema.Natural,
  by: Schema.NonEmptyString.check(Schema.isMaxLength(NAME_UNITS_MAX)),
  because: Schema.Array(Schema.NonEmptyString),
  again: Schema.Boolean
})
export type ProposeRequest = typeof ProposeRequest.Type

/** Body of `POST /decide`; `id`: whole, or as people say it. */
export const DecideRequest = Schema.Struct({
  id: Schema.NonEmptyString,
  approve: Schema.Boolean,
  by: Schema.NonEmptyString.check(Schema.isMaxLength(NAME_UNITS_MAX)),
  /** The state of the actuator that the person saw. */
  shown: Schema.optionalKey(Schema.NonEmptyString),
  /** The name of what is moved, as the person typed it: at L3. */
  typed: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(NAME_UNITS_MAX))),
  /** By the key of the person, for what `POST /token` was answered (PROTOCOL.md P17.10). */
  signed: Schema.optionalKey(
    Schema.Struct({ token: Schema.NonEmptyString, publicKey: Schema.NonEmptyString, signature: Schema.NonEmptyString })
  )
})
export type DecideRequest = typeof DecideRequest.Type

/** Body of `POST /token`: the guardian's word for what a proposal is about, for somebody who signs a decision. */
export const TokenRequest = Schema.Struct({ id: Schema.NonEmptyString })
export type TokenRequest = typeof TokenRequest.Type

export const Token = Schema.Struct({
  $type: Schema.Literal("clawmesh.token/1"),
  ...head,
  id: Schema.String,
  short: Schema.String,
  ok: Schema.Boolean,
  /** Why there is none, a code of the protocol; `null`: there is one. */
  code: Schema.NullOr(Schema.String),
  text: Schema.String,
  /** What is signed besides. */
  meshId: Schema.String,
  meshKey: Schema.String,
  body: Schema.declare(isBody),
  /** Empty: there is none. */
  token: Schema.String,
  /** What the actuator is like, and whether that is its safe state. */
  state: Schema.String,
  safe: Schema.Boolean,
  /** It was out of reach when it was first asked. */
  blind: Schema.Boolean,
  level: Schema.NullOr(Schema.Literals(levels))
})
export type Token = typeof Token.Type

/** What came of a proposal, or of a decision. */
export const Decided = Schema.Struct({
  $type: Schema.Literal("clawmesh.decided/1"),
  ...head,
  /** `null`: there is none. */
  id: Schema.NullOr(Schema.String),
  short: Schema.NullOr(Schema.String),
  ok: Schema.Boolean,
  /** Why not, a code of the protocol; `null`: it is so. */
  code: Schema.NullOr(Schema.String),
  text: Schema.String,
  tookMs: Schema.Natural
})
export type Decided = typeof Decided.Type

/** Entries of the world asked for when nobody says how many, and how many at most. */
export const WORLD_DEFAULT = 200
export const WORLD_MAX = 10_000

const eventFields = {
  at: Schema.String,
  /** ms since 1970, by the daemon's calendar. */
  atMs: Schema.Int,
  ...MeshEvent.fields,
  /** Of the device that the event is about, where it has one. */
  name: Schema.NullOr(Schema.String),
  /** The witnesses, with their names. */
  by: Schema.Array(Device)
}

/** An event as it stands in the list of `clawmesh.events/1`. */
export const Event = Schema.Struct(eventFields)
export type Event = typeof Event.Type

/** One line of `GET /events?follow`. */
export const EventLine = Schema.Struct({ $type: Schema.Literal("clawmesh.event/1"), ...eventFields })
export type EventLine = typeof EventLine.Type

export const Events = Schema.Struct({
  $type: Schema.Literal("clawmesh.events/1"),
  ...head,
  /** Oldest first. */
  events: Schema.Array(Event),
  /** Older ones that fitted the question and are left out. */
  omitted: Schema.Natural
})
export type Events = typeof Events.Type

export const Failure = Schema.Struct({
  $type: Schema.Literal("clawmesh.error/1"),
  code: Schema.Literals(Object.keys(failures) as ReadonlyArray<FailureCode>),
  exit: Schema.Literals(Object.values(failures).map(({ exit }) => exit)),
  message: Schema.String,
  hint: Schema.NullOr(Schema.String)
})

/** Events asked for when nobody says how many, and how many at most. */
export const EVENTS_DEFAULT = 100
export const EVENTS_MAX = 1_000

export const eventNames: ReadonlyArray<MeshEvent["event"]> = MeshEvent.fields.event.literals

/** The words before the dot: a kind is one of these, or a whole name. */
export const eventKinds: ReadonlyArray<string> = [
  ...new Set(eventNames.map((name) => name.slice(0, name.indexOf("."))))
]

/** Whether an event is of this kind: `peer` is of all `peer.…`, `peer.down` of itself and of `peer.down.confirmed`. */
export const isOfKind = (event: string, kind: string): boolean => event === kind || event.startsWith(`${kind}.`)

export const isKind = (kind: string): boolean => eventNames.some((name) => isOfKind(name, kind))
