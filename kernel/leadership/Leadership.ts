/**
 * Who leads (B22 to B26; mesh protocol, leadership). Leadership is a term and a lease, never an opinion: it saves work and
 * carries no safety of actuators, which live at their guardian.
 *
 * What this room promises under crash, omission, freeze and clocks whose rate errs by up to 30 %:
 * - no two nodes hold the same term: a vote is durable before it is answered, and nobody votes twice in one term;
 * - no two nodes hold an unexpired lease at one moment: a lease runs from the *sending* of a heartbeat that a majority
 *   acknowledged, and each who acknowledged votes for nobody else for longer than that lease can last on any clock;
 * - a voter that booted keeps silent for one promise, which it may have given and forgotten;
 * - one that lost its journal takes no part until a newer manifest readmits it;
 * - who elects changes while the mesh runs, and nobody leads by the old list once somebody can by the new one (Reconfiguring.ts).
 */
import { leadRank, roleOf, type Config } from "../Config.ts"
import { between } from "../Draw.ts"
import type { Durable } from "../Durable.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { DeviceId, Term } from "../wire/Frame.ts"
import type { Signing, Vote } from "./Certificate.ts"
import * as Disk from "./Disk.ts"
import { isAfter } from "./Manifest.ts"
import { dueAt, none, restored, type Reconfiguration } from "./Reconfiguration.ts"
import { TERM_ZERO } from "./Term.ts"

/** A heartbeat of ours that is still out. */
export interface Beat {
  readonly number: number
  readonly sentAt: number
  readonly promised: ReadonlyArray<DeviceId>
}

export type Standing =
  | { readonly _tag: "Following" }
  /** Asking whether a vote would be won, so that a term is not spent in vain. */
  | {
      readonly _tag: "Sounding"
      readonly term: Term
      readonly granted: ReadonlyArray<DeviceId>
      /** Others that were asked; the number of the question, and when. */
      readonly asked: number
      readonly ask: number
      readonly askedAt: number
      readonly refused: ReadonlyArray<DeviceId>
      /** Until when one of these owes its vote to a leader, as it says; 0: none says so. */
      readonly owedUntil: number
      readonly endsAt: number
    }
  | {
      readonly _tag: "Standing"
      readonly term: Term
      readonly granted: ReadonlyArray<DeviceId>
      readonly endsAt: number
      /** Of the `Persist` of our vote for ourselves. */
      readonly ticket: number
    }
  | {
      readonly _tag: "Leading"
      readonly beat: number
      readonly beatAt: number
      readonly beats: ReadonlyArray<Beat>
      /** Since when it has tried to get a lease, or to get it back after a stall. */
      readonly tryingSince: number
      /** The lease, on our own clock; 0: none. */
      readonly leaseUntil: number
      /** It was announced that the lease runs. */
      readonly announced: boolean
    }

export interface Leadership {
  /** The highest term that we know of; votes and promises are about it. */
  readonly term: Term
  /** The highest term that is durable with a vote of ours, and for whom. */
  readonly votedTerm: Term
  readonly votedFor: DeviceId | null
  /** Who leads `term`, as its own heartbeat said. */
  readonly leader: DeviceId | null
  readonly heardAt: number
  /** In which life whoever leads was when we heard it last. */
  readonly leaderIn: number
  /** We vote for nobody but `promisedTo` until then. */
  readonly promisedTo: DeviceId | null
  readonly promisedUntil: number
  /** Neither vote nor stand before then: the silence after a boot. */
  readonly silentUntil: number
  readonly standing: Standing
  /** When to stand next, if nothing is heard of a leader by then. */
  readonly standAt: number
  /** Candidacies in a row that won nothing. */
  readonly rounds: number
  /** Draws made so far. */
  readonly draws: number
  /** Votes given in this life. */
  readonly votes: number
  /** The last of them, while it is being signed (Certificate.ts). */
  readonly signing: Signing | null
  /** Signed votes for us in `term`. */
  readonly proofs: ReadonlyArray<Vote>
  readonly disk: Disk.Disk
  readonly leaving: boolean
  /** Its planner does not work, or its operator will not have it lead: it votes, and does not stand (B23). */
  readonly suspended: boolean
  /**
   * What it promised under this manifest is forgotten (S9), or it is to acknowledge the next one: it promises nothing, votes for nobody
   * and leads not.
   */
  readonly abstains: boolean
  readonly reconfiguration: Reconfiguration
  readonly due: number
}

export const FOLLOWING: Standing = { _tag: "Following" }

export const make = (): Leadership => ({
  term: TERM_ZERO,
  votedTerm: TERM_ZERO,
  votedFor: null,
  leader: null,
  heardAt: 0,
  leaderIn: 0,
  promisedTo: null,
  promisedUntil: 0,
  silentUntil: NEVER_MS,
  standing: FOLLOWING,
  standAt: NEVER_MS,
  rounds: 0,
  draws: 0,
  votes: 0,
  signing: null,
  proofs: [],
  disk: Disk.make(),
  leaving: false,
  suspended: false,
  abstains: false,
  reconfiguration: none,
  due: NEVER_MS
})

export const isElector = (config: Config, deviceId: DeviceId): boolean => config.manifest.electors.includes(deviceId)

/** Planners and standby planners among the electors may lead (B22). */
export const mayLead = (config: Config, deviceId: DeviceId): boolean => {
  const role = roleOf(config, deviceId)
  return role !== undefined && leadRank(role) !== null && isElector(config, deviceId)
}

export const isMajority = (config: Config, count: number): boolean => 2 * count > config.manifest.electors.length

/** Place among those who may lead, 0 first: by role, then by device id. */
const rankOf = (config: Config, deviceId: DeviceId): number => {
  const before = (a: DeviceId, b: DeviceId): boolean => {
    const rankA = leadRank(roleOf(config, a) ?? "node") ?? 9
    const rankB = leadRank(roleOf(config, b) ?? "node") ?? 9
    return rankA < rankB || (rankA === rankB && a < b)
  }
  return config.manifest.electors.filter((other) => mayLead(config, other) && before(other, deviceId)).length
}

/**
 * Stand `afterMs` from now, plus the wait of our rank and a draw. Ranks differ, so the draw only has to part nodes whose
 * clocks do not: half a rank's wait leaves the other half for the better one's requests to arrive first.
 */
export const standLater = (leadership: Leadership, turn: Turn, afterMs: number): Leadership => {
  const { config } = turn
  const stands = !leadership.leaving && !leadership.abstains && !leadership.suspended && !leadership.disk.slow
  if (!stands || !mayLead(config, config.deviceId)) return { ...leadership, standAt: NEVER_MS }
  const { rankMs } = config.profile
  const draw = between(config.seed, "stand", turn.bootId, leadership.draws, 0, Math.floor(rankMs / 2))
  const standAt = turn.at.mono + Math.max(0, afterMs) + rankOf(config, config.deviceId) * rankMs + draw
  return { ...leadership, standAt, draws: leadership.draws + 1 }
}

/** The node is up: what it once voted stands, and it keeps silent for one promise. */
export const open = (leadership: Leadership, turn: Turn, durable: Durable): Leadership => {
  const { promiseMs } = turn.config.profile
  const { successor } = durable
  const acknowledged =
    successor !== undefined && isAfter(successor.manifest, turn.config.manifest) ? successor : undefined
  const opened: Leadership = {
    ...leadership,
    abstains: turn.forgetful || acknowledged !== undefined,
    reconfiguration: restored(acknowledged),
    term: durable.term,
    votedTerm: durable.term,
    votedFor: durable.votedFor,
    silentUntil: turn.at.mono + promiseMs
  }
  return withDue(standLater(opened, turn, promiseMs))
}

export const leaseRuns = (leadership: Leadership, mono: number): boolean =>
  leadership.standing._tag === "Leading" && leadership.standing.leaseUntil > mono

/** The leader that we would name: ourselves under a running lease, or whose heartbeat is within a promise; `null`: none. */
export const named = (leadership: Leadership, config: Config, mono: number): DeviceId | null => {
  if (leaseRuns(leadership, mono)) return config.deviceId
  const { heardAt, leader } = leadership
  return leader !== null && leader !== config.deviceId && heardAt + config.profile.promiseMs > mono ? leader : null
}

export type Activity = "active" | "provisional" | "standby" | "ineligible"

/**
 * The activity gate (B22a, B24): autonomous work only while `active`. Asked when a trigger is taken, when a proposal is made
 * and at the actuator; never remembered.
 */
export const activity = (leadership: Leadership, config: Config, mono: number): Activity => {
  if (!mayLead(config, config.deviceId) || leadership.abstains || leadership.suspended) return "ineligible"
  if (leaseRuns(leadership, mono)) return "active"
  return named(leadership, config, mono) === null ? "provisional" : "standby"
}

export const withDue = (leadership: Leadership): Leadership => {
  const { standing } = leadership
  let due = Math.min(leadership.standAt, dueAt(leadership))
  if (standing._tag === "Sounding" || standing._tag === "Standing") due = Math.min(due, standing.endsAt)
  if (standing._tag === "Leading") {
    due = Math.min(due, standing.beatAt, Disk.dueAt(leadership.disk))
    // So that the end of a lease is noticed, and told, when it comes.
    if (standing.announced) due = Math.min(due, standing.leaseUntil)
  }
  return due === leadership.due ? leadership : { ...leadership, due }
}
