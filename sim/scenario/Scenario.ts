/**
 * A scenario as the simulator runs it: every name checked, every time in ms, every moment resolved, every place kept.
 * `read.ts` makes it from YAML; the shape of the YAML itself is `Language.ts`.
 */
import type { FarmSpec, Metric } from "../hardware/Farm.ts"
import type { Rule as Threshold } from "../../kernel/planning/Rule.ts"
import type { Level, Need } from "../../kernel/actuation/Actuator.ts"
import type { Verification } from "../../kernel/actuation/Envelope.ts"
import type { Status } from "../../kernel/proposals/Proposal.ts"
import type { EvidenceSource } from "../../kernel/wire/ContextFrame.ts"
import type { Kind, Plain } from "../../kernel/wire/ContextFrame.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import type { DiskFate } from "../disk/SimVault.ts"
import type { PeerWord, TrustWord } from "../engine/View.ts"
import type { FaultName } from "./Language.ts"
import type { Timing } from "./Timing.ts"
import type { Rule } from "../network/Rule.ts"

/** Where something stands in its file; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** An integer drawn uniformly from `min` to `max`, both included. */
export interface Range {
  readonly min: number
  readonly max: number
}

export const modelAnswers = ["drafts", "fails", "refuses", "nothing", "nonsense", "obeys-notes"] as const
export type ModelAnswer = (typeof modelAnswers)[number]

/** A stand-in for a language model. */
export interface AdvisorSpec {
  readonly name: string
  /** To answer, ms. */
  readonly takesMs: Range
  /** What it drafts, where it does. */
  readonly drafts: ReadonlyArray<{ readonly actuator: string; readonly state: Position; readonly forMs: number }>
  /** How it answers, the first time, and so on; the last for all that follow. */
  readonly answers: ReadonlyArray<ModelAnswer>
}

export interface NodeSpec {
  readonly name: string
  readonly role: Role
  readonly capabilities: ReadonlyArray<string>
  /** On what terms it has moved what it moves, by actuator, without the prefix; absent: on the usual ones. */
  readonly policy?: { readonly [actuator: string]: Terms }
  /** The language model of its planner; absent: it has none. */
  readonly model?: AdvisorSpec
  /** The models that it serves, each also among its capabilities; absent: none. */
  readonly serves?: ReadonlyArray<ModelSpec>
  /** How far the calendar clock is off, ms. */
  readonly clockSkewMs: number
  /** How much faster than true time the node's own clocks run, parts per million; negative: slower. */
  readonly clockRatePpm: number
  /** It has no clock that runs on without power: each boot begins at the calendar's zero. */
  readonly bootsIn1970?: boolean
  /** Its adverts name so many addresses at which nobody answers, beside the right one. */
  readonly wrongAddresses?: number
  /** Who trusts it at the start; absent: everyone. */
  readonly trustedBy?: ReadonlyArray<string>
  /** The node whose key it has too: a second process with one identity. */
  readonly sameKeyAs?: string
  /** 1: it runs no kernel, but speaks the original protocol; 2: a kernel that speaks a generation to come. Absent: one of ours. */
  readonly generation?: 1 | 2
  /** It was put beside the scenario: next to everybody, wherever the others have their places. */
  readonly beside?: true
}

/** A model, by what it says to whatever it is asked. */
export interface ModelSpec {
  /** `provider/name`. */
  readonly model: string
  readonly pieces: number
  readonly eachMs: number
  readonly bytes: number
  /** Stopped, it goes on to its end. */
  readonly ignoresAbort: boolean
}

/** What the owner of an actuator asks of those who would have it moved. */
export interface Terms {
  /** What has to be so while it is open, as sensors say. */
  readonly needs?: ReadonlyArray<Omit<Need, "device">>
  readonly level?: Level
  readonly verification?: Verification
  readonly approvers?: ReadonlyArray<string>
  /** What a sensor of it is called, such as flow; in the zone of its name, 1 where it is open and 0 where it is closed. */
  readonly metric?: string
  /** It has to show within so long. */
  readonly withinMs: number
}

/** Nodes that are in one place. Each is in one at most. */
export interface Site {
  readonly name: string
  readonly nodes: ReadonlyArray<string>
}

/** What a path is usually like. */
export interface Quality {
  /** One-way delay of each message, ms. */
  readonly delayMs: Range
  /** Share of packets lost, parts per million. */
  readonly lossPpm: number
}

export interface NetworkSpec extends Quality {
  /** Nodes that are in one place; absent: there are none. */
  readonly sites?: ReadonlyArray<Site>
  /** Between two nodes of one site; absent: as everywhere. */
  readonly withinSites?: Quality
  /** Between nodes of two sites. */
  readonly betweenSites?: Quality
  /** Whether nodes find each other by multicast, and whether they are told addresses all the same; absent: they are told. */
  readonly discovery?: "only" | "beside"
  /** Who can reach whom. */
  readonly links: "everyone" | "star" | "line" | "ring" | "none"
}

/** What a step does. Names are resolved to node names, except the words that are resolved when the step strikes. */
export type Verb =
  | {
      readonly _tag:
        | "start"
        | "restart"
        | "stop"
        | "suspend"
        | "isolate"
        | "unplug"
        | "move"
        | "hold"
        | "jam"
        | "uncouple"
        | "stop-engine"
      readonly who: ReadonlyArray<Target>
    }
  /** What is left on the disk; absent: what was synced. */
  | { readonly _tag: "crash"; readonly who: ReadonlyArray<Target>; readonly disk?: DiskFate }
  /** At once; or each of them when it is next in the middle of a login, if it is before the end of the step. */
  | { readonly _tag: "freeze"; readonly who: ReadonlyArray<Target>; readonly in?: "handshake" }
  /** In the middle of the `nth` record that it stores from then on. */
  | { readonly _tag: "crash-at-write"; readonly who: ReadonlyArray<Target>; readonly nth: number }
  | { readonly _tag: "slow-cpu"; readonly who: ReadonlyArray<Target>; readonly takesMs: Range }
  | { readonly _tag: "disk"; readonly who: ReadonlyArray<Target>; readonly harm: "hang" | "error" | "full" | Range }
  | { readonly _tag: "skew"; readonly who: ReadonlyArray<Target>; readonly how: Skew }
  /** Cuts one direction (`oneWay`) or both of every link between two groups. */
  | {
      readonly _tag: "cut"
      readonly from: ReadonlyArray<Target>
      readonly to: ReadonlyArray<Target>
      readonly oneWay: boolean
    }
  | { readonly _tag: "partition"; readonly groups: ReadonlyArray<ReadonlyArray<Target>> }
  | OnLinks<LinkVerb>
  /** `usual`: what paths are like from now on, where that was something else. */
  | { readonly _tag: "heal"; readonly what: "everything" | ReadonlyArray<Target>; readonly usual?: NetworkSpec }
  /** An operator of `by` trusts a device from now on, in this role; or no longer. */
  | { readonly _tag: "trust"; readonly by: ReadonlyArray<Target>; readonly whom: string; readonly role: Role }
  | { readonly _tag: "revoke"; readonly by: ReadonlyArray<Target>; readonly whom: string }
  /** The operator signs another list of electors, and gives it to these. */
  | {
      readonly _tag: "appoint"
      readonly who: ReadonlyArray<Target>
      readonly electors: ReadonlyArray<string>
      readonly readmits: ReadonlyArray<Target>
    }
  | { readonly _tag: "keys-fail"; readonly who: ReadonlyArray<Target>; readonly at: "sign" | "check" }
  /** Somebody from outside logs in, with one lie. */
  | {
      readonly _tag: "connect"
      readonly to: ReadonlyArray<Target>
      /** Whom it says to be; `null`: somebody whom nobody knows. */
      readonly as: string | null
      readonly lie: Lie
      /** Whose key it has, to have the words of `as` made that it carries; of `a relayed login` only. */
      readonly through?: string
      /** Absent: nothing lies between the two. */
      readonly over?: Over
    }
  /** A program on `from` asks `to` over their session, so often. */
  | { readonly _tag: "ask"; readonly from: string; readonly to: string; readonly eachMs: number }
  /** Each of them says so many frames of one metric. */
  | {
      readonly _tag: "sense"
      readonly who: ReadonlyArray<Target>
      readonly frame: string
      readonly kind: Kind
      readonly data: Plain
      /** An actuator, without the prefix, of which it says whether it is open. */
      readonly shows?: string
      /** A field of the farm, or its tank, of which it says what the metric is there. */
      readonly measures?: string
      readonly times: number
      readonly eachMs: number
      /** The name of frames that it follows from. */
      readonly causes?: string
    }
  /** A program on `from` has a message for a node, or for whoever has a capability. */
  | {
      readonly _tag: "send"
      readonly from: string
      readonly to: string
      readonly channel: string
      readonly key: string | null
      /** In place of a message: a command, for an actuator of the node `to`. */
      readonly sets?: {
        readonly actuator: string
        readonly state: string
        readonly forMs: number
        readonly evidence: ReadonlyArray<EvidenceSource>
        /** Under the lease that it got last, without asking for another. */
        readonly underLast: boolean
      }
      /** In place of a message: the group of this actuator of the node `to` is to be held. */
      readonly holds?: string
    }
  /** A planner would have what somebody owns moved. `alone`: by itself, and not at a person's word. */
  | {
      readonly _tag: "propose"
      readonly who: ReadonlyArray<Target>
      readonly proposal: string
      /** By its name without the prefix. */
      readonly actuator: string
      readonly state: Position
      readonly forMs: number
      /** Names of frames. */
      readonly because: ReadonlyArray<string>
      readonly alone: boolean
      readonly again?: true
    }
  /** A program on `from` asks a model of `to`; absent: of whoever serves it. */
  | {
      readonly _tag: "infer"
      readonly from: string
      readonly request: string
      readonly to?: string
      readonly model: string
    }
  /** The program that asked it does without. */
  | { readonly _tag: "call-off"; readonly request: string }
  /** A person decides, at each of these. */
  | {
      readonly _tag: "approve" | "reject"
      readonly who: ReadonlyArray<Target>
      readonly proposal: string
      readonly by: string
      /** What the person types where its name is asked for. */
      readonly typed?: string
      /** Absent: with the person's own key, where that person has one. */
      readonly signedWith?: "no key" | "another key" | "a forged signature"
    }
  /** A record of discovery that the node did not announce, or not now. */
  | {
      readonly _tag: "advertise"
      readonly node: string
      readonly incarnation: "current" | "old" | "next"
      /** A node at whose address it seems to be; `null`: at one that nobody has; absent: where it is. */
      readonly address?: string | null
      readonly anotherMesh: boolean
      readonly copies: number
      readonly heardBy: ReadonlyArray<Target>
    }
  /** Delivers a message of the past again, on the connection that it was sent on. */
  | { readonly _tag: "replay"; readonly from: string; readonly to: string; readonly message: "first" | "last" | "all" }

export const lies = [
  "its own key",
  "another key",
  "another signature",
  "another nonce",
  "an old login",
  "a relayed login",
  "another mesh",
  "another mesh key",
  "another generation",
  "another role",
  "no extension",
  "silence",
  "chatter"
] as const
export type Lie = (typeof lies)[number]

export const ways = ["no tls", "tls without its key", "tls with another key"] as const
export type Over = (typeof ways)[number]

/** What happens to a node's clocks. */
export type Skew =
  /** The calendar alone. */
  | { readonly _tag: "by"; readonly ms: number }
  | { readonly _tag: "to"; readonly calendar: "1970" | "now" }
  /** All clocks, parts per million off true time. */
  | { readonly _tag: "rate"; readonly ppm: number }

/** Verbs that lay a rule of the network on links. */
export type LinkVerb =
  | "lose-adverts"
  | "slow"
  | "detour"
  | "clog"
  | "flap"
  | "swizzle"
  | "throttle"
  | "burst-loss"
  | "reset"
  | "half-open"
  | "idle-cut"
  | "duplicate"
  | "reorder"
  | "corrupt"
  | "lie"
  | "late-close"
  | "lossy-close"

type WithoutPairs<R> = R extends { readonly pairs: unknown } ? Omit<R, "pairs"> : never

/** A rule of the network that does not yet know where it lies. */
export type LinkRule = WithoutPairs<Rule>

/** What lies on links: of what `from` sends to `to`, which are the same where it lies both ways. */
type OnLinks<V> = V extends LinkVerb
  ? {
      readonly _tag: V
      readonly from: ReadonlyArray<Target>
      readonly to: ReadonlyArray<Target>
      readonly oneWay: boolean
      readonly rule: LinkRule
    }
  : never

/** A node name, or a word that means some nodes at the moment when the step strikes. */
export type Target =
  | string
  | { readonly word: "everyone" | "leader" }
  | { readonly word: "any"; readonly role: Role }
  /** Drawn: half of the nodes, rounded down. */
  | { readonly word: "half" }
  /** Drawn: of the electors as many as decide, without whoever leads. */
  | { readonly word: "majority without the leader" }
  | { readonly word: "everyone but"; readonly but: ReadonlyArray<Target> }
  /** One of these groups, drawn. */
  | { readonly word: "one of"; readonly groups: ReadonlyArray<ReadonlyArray<string>> }
  /** Everyone who is in no other list of the same step. */
  | { readonly word: "the others" }

export interface Step {
  readonly place: Place
  readonly atMs: number
  readonly id: string | null
  readonly note: string | null
  readonly verb: Verb
  /** Undo the step after this long; `null`: never. */
  readonly forMs: number | null
  /** The earlier step that its moment counts from, or `end`; absent: the start. */
  readonly base?: string
  /** What the step's own draws are keyed by; absent: its place in the timeline. */
  readonly key?: string
}

export interface Count {
  readonly how: "exactly" | "at least" | "at most"
  readonly n: number
}

/** One node as another has it; `everyone`: every running node but the subject; `anyone`: at least one of them. */
export interface Pair {
  readonly observer: string | { readonly word: "everyone" | "anyone" }
  readonly subject: string
}

export interface FarmFact {
  /** A field, or the tank. */
  readonly place: string
  readonly metric: Metric
  readonly is: Count
}

/** Without the prefix: `pump-1`. Of several owners runs are summed, and each has to stand so. */
export interface ActuatorFact {
  readonly actuator: string
  /** How often it was driven out of its safe state. */
  readonly runs?: Count
  readonly position?: Position
  /** By whose order it last was: the node that held the lease. */
  readonly lastRunBy?: string
}
export type Position = "open" | "closed"

export interface ProposalFact {
  readonly level?: Level
  readonly proposal: string
  readonly status?: Status
  /** Who looks after it. */
  readonly owner?: string
}

/** What came of what a program asked a model. */
export interface InferenceFact {
  readonly request: string
  readonly outcome: string
}

export const agreedWords = ["leader", "term", "peers", "frames", "proposals"] as const
export type AgreedWord = (typeof agreedWords)[number]

/** All that are there must hold together. */
export interface Facts {
  /**
   * The node that everybody who names a leader names; a list: any of these; `none`: nobody names one. Under `never` it is so
   * as soon as anybody names one of these.
   */
  readonly leader?: "none" | ReadonlyArray<string>
  /** Ask only these nodes, and each of them must name it. */
  readonly seenBy?: ReadonlyArray<string>
  /** How many nodes hold a lease that has not run out by their own clock. */
  readonly leaders?: Count
  readonly leadersBelieved?: Count
  /** The largest number of nodes that ever held one term. */
  readonly leadersPerTerm?: Count
  /** The highest term that any running node knows. */
  readonly term?: Count
  /** `observer` has `subject` as `state`. */
  readonly peers?: ReadonlyArray<Pair & { readonly state: PeerWord }>
  /** `observer` has so many sessions with `subject`. */
  readonly sessions?: ReadonlyArray<Pair & { readonly count: Count }>
  /** `observer` trusts `subject` in this role; `nothing`: not at all. */
  readonly trusts?: ReadonlyArray<Pair & { readonly as: TrustWord }>
  /** Of the heartbeats that `observer` has got from `subject` 99 in 100 took no longer. */
  readonly heartbeats?: ReadonlyArray<Pair & { readonly ms: number }>
  /** What `observer` keeps for `subject` to read, in its lanes, in its transport and on the way, is no more. */
  readonly unread?: ReadonlyArray<Pair & { readonly bytes: number }>
  /** Frames by the name that a step gave them: who has them, and where one of them is the newest of its kind. */
  readonly frames?: ReadonlyArray<{
    readonly frame: string
    readonly at: "reached" | "stands-at"
    readonly who: "everyone" | ReadonlyArray<string>
  }>
  /** Whom every node would ask for a capability; `null`: nobody. */
  readonly routes?: ReadonlyArray<{ readonly capability: string; readonly to: string | null }>
  /** What moves, by what the hardware did, whoever owns it. */
  readonly actuators?: ReadonlyArray<ActuatorFact>
  /** How it is on the farm, whatever anybody knows of it. */
  readonly farm?: ReadonlyArray<FarmFact>
  /** What every running node says of a proposal, by the name that a step gave it. */
  readonly proposals?: ReadonlyArray<ProposalFact>
  /** What programs asked models, by the name that a step gave it. */
  readonly inferences?: ReadonlyArray<InferenceFact>
  readonly agreeOn?: ReadonlyArray<AgreedWord>
  /** Counts of happenings, from `after` (or from the start) to now. */
  readonly events?: ReadonlyArray<{
    readonly event: string
    readonly about: string | null
    readonly from: string | null
    readonly to: string | null
    readonly reason: string | null
    readonly seen: Count
  }>
}

/** Each moment with the step, or `end`, that it counts from; absent: the start. */
export type When =
  | { readonly _tag: "at"; readonly atMs: number; readonly base?: string }
  | { readonly _tag: "within"; readonly afterMs: number; readonly withinMs: number; readonly base?: string }
  | {
      readonly _tag: "always" | "never" | "sometimes"
      readonly fromMs: number
      readonly untilMs: number
      readonly fromBase?: string
      readonly untilBase?: string
    }
  /** At the end of the run. */
  | { readonly _tag: "eventually"; readonly atMs: number }

export interface Expectation {
  readonly place: Place
  /** The author's sentence; where there is none, one made from the facts. */
  readonly name: string
  readonly when: When
  readonly facts: Facts
  readonly judge: "scripted" | "varied" | "everywhere"
}

/** What a campaign over many seeds changes; a plain run uses none of it. */
export interface Fuzz {
  /** First and last seed. */
  readonly seeds: Range | null
  /** How long before the end the faults stop and everything is healed. */
  readonly calmMs: number | null
  /** `path` as in the file, such as `timeline.power-cut.at`; `range` in ms, or in parts per million for loss and clock rates. */
  readonly vary: ReadonlyArray<{ readonly place: Place; readonly path: string; readonly range: Range }>
  readonly faults: ReadonlyArray<{
    readonly place: Place
    readonly what: FaultName
    /** As in the file: a node, a word for some nodes, `any link`, or how to split. */
    readonly target: string
    /** Whom it strikes, where it strikes nodes. */
    readonly who: ReadonlyArray<Target>
    readonly everyMs: Range
    readonly forMs: Range
  }>
}

export interface Scenario {
  readonly file: string
  readonly text: string
  readonly title: string
  readonly seed: number
  readonly lastsMs: number
  readonly profile: "lan" | "wan" | "battery"
  /** What is due in the same millisecond comes in an order drawn from the seed; absent: as it was made. */
  readonly ties?: "drawn"
  /** When it is over, the faults stop in a part of the mesh, and it has to get well (L1, L3, L5, L6). */
  readonly liveness?: true
  /** Constants in place of the profile's. */
  readonly timing?: Timing
  /** Who may vote. Where the file has no `electors:`, every planner and standby planner, and the first field node. */
  readonly electors: ReadonlyArray<string>
  /** Persons with keys of their own, which all nodes know; absent: people decide by the devices at which they are. */
  readonly persons?: ReadonlyArray<string>
  /** What planners propose by themselves; absent: nothing. */
  readonly rules?: ReadonlyArray<Threshold>
  /** What lies under it; absent: nothing that could be measured. */
  readonly farm?: FarmSpec
  readonly nodes: ReadonlyArray<NodeSpec>
  readonly network: NetworkSpec
  /** In order of time. */
  readonly timeline: ReadonlyArray<Step>
  readonly expect: ReadonlyArray<Expectation>
  readonly fuzz?: Fuzz
  /** What was put beside it, in the words of `--with`. */
  readonly with?: string
}
