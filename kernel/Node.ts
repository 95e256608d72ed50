/**
 * The front door: a node is a value, and `step` maps it and one input to the next value and the commands it wants done.
 *
 * `step` is pure, total and never throws: what does not fit the state it meets changes nothing. When nothing changed, the same
 * reference comes back. The rooms see each input in this order, and tell the later ones by facts:
 * links → membership → leadership → links again (connections given up) → world → routing → actuation → planning → proposals → routing
 * again (what came of orders) → proposals again → inference → links (lanes, what generation 1 may hear) → counters → alarm.
 */
import { begin } from "./Begin.ts"
import type { Command } from "./Command.ts"
import type { Config } from "./Config.ts"
import * as Durable from "./Durable.ts"
import type { Input } from "./Input.ts"
import * as Leadership from "./leadership/Leadership.ts"
import * as Manifest from "./leadership/Manifest.ts"
import * as LeadershipRoom from "./leadership/Room.ts"
import type { Links as LinksState } from "./links/Link.ts"
import * as Recall from "./identity/Recall.ts"
import * as Trust from "./identity/Trust.ts"
import * as InferenceRoom from "./inference/Room.ts"
import * as Links from "./links/Links.ts"
import { LEAVE_TICKET, payloadOf } from "./membership/Goodbyes.ts"
import * as Membership from "./membership/Membership.ts"
import { answer } from "./status/Answer.ts"
import { NEVER_MS } from "./Time.ts"
import { LEAVE_MS } from "./Profile.ts"
import { note, type Fact, type Turn } from "./Turn.ts"
import { allCodes } from "./wire/Codes.ts"
import * as Forwarding from "./routing/Forwarding.ts"
import { leave as leaveActuators } from "./actuation/Drives.ts"
import * as Guard from "./actuation/Guard.ts"
import { open as openGuardian } from "./actuation/Guardian.ts"
import { onWord } from "./actuation/Hold.ts"
import * as ActuationRoom from "./actuation/Room.ts"
import * as Planning from "./planning/Planning.ts"
import * as Proposals from "./proposals/Proposals.ts"
import * as ProposalsRoom from "./proposals/Room.ts"
import * as RoutingRoom from "./routing/Room.ts"
import * as Emitting from "./world/Emitting.ts"
import * as WorldRoom from "./world/Room.ts"
import * as World from "./world/World.ts"
import { FIELD_CHARS_MAX } from "./wire/Limits.ts"

export interface NodeState {
  readonly config: Config
  /**
   * `recalling`: the journal is lost, and the device asks its peers which incarnation it had. `booting`: the incarnation is not
   * durable yet, and not one frame leaves before it is. `leaving`: it has given up what it was, and its goodbye is being signed.
   */
  readonly phase: "off" | "recalling" | "booting" | "running" | "leaving" | "left"
  readonly bootId: string
  readonly incarnation: number
  readonly startedAt: number
  readonly recall: Recall.Recall
  /** What is durable, or on its way there. */
  readonly durable: Durable.Durable
  /** Tickets of `Persist` given so far. */
  readonly tickets: number
  /** The one of the record of this incarnation. */
  readonly bootTicket: number
  readonly links: LinksState
  readonly membership: Membership.Membership
  readonly leadership: Leadership.Leadership
  readonly world: World.World
  readonly routing: Forwarding.Routing
  readonly guardian: Guard.Guardian
  readonly planning: Planning.Planning
  readonly proposals: Proposals.Proposals
  readonly inference: InferenceRoom.Inference
  /** How often each code of `allCodes` was given, at its index. */
  readonly refusals: ReadonlyArray<number>
  /** Why it leaves, while it does. */
  readonly farewell: string
  /** When the alarm is to ring; NEVER: it is not set. */
  readonly alarmAt: number
}

export type Step = readonly [node: NodeState, commands: ReadonlyArray<Command>]

const NOTHING: ReadonlyArray<Command> = []

export const make = (config: Config): NodeState => ({
  config,
  phase: "off",
  bootId: "",
  incarnation: 0,
  startedAt: 0,
  recall: Recall.begin,
  durable: Durable.empty,
  tickets: 0,
  bootTicket: 0,
  links: Links.make(config),
  membership: Membership.make(config),
  leadership: Leadership.make(),
  world: World.make(),
  routing: Forwarding.make(),
  guardian: Guard.make(),
  planning: Planning.make(config.rules),
  proposals: Proposals.make(),
  inference: InferenceRoom.make(),
  refusals: allCodes.map(() => 0),
  farewell: "",
  alarmAt: NEVER_MS
})

export const step = (node: NodeState, input: Input): Step => {
  switch (node.phase) {
    case "running":
      return run(node, input)
    case "off":
      return input._tag === "Started" ? boot(node, input) : [node, NOTHING]
    case "recalling":
      return recall(node, input)
    case "booting":
      return wait(node, input)
    case "leaving":
      return farewell(node, input)
    case "left":
      return [node, NOTHING]
  }
}

const boot = (node: NodeState, input: Extract<Input, { readonly _tag: "Started" }>): Step => {
  const config = Manifest.restored(Trust.restored(node.config, input.durable), input.durable)
  const started: NodeState = {
    ...node,
    config,
    links: Links.make(config),
    bootId: input.bootId,
    startedAt: input.at.mono,
    durable: input.durable
  }
  const { turn } = begin(started, input)
  const informed: NodeState = { ...started, world: WorldRoom.restored(input.world, turn) }
  if (input.amnesia !== true) return live(informed, turn, started.durable.incarnation + 1, [])
  note(turn, {
    event: "node.amnesia",
    about: config.deviceId,
    reason: "the journal is lost: asking which incarnation it was"
  })
  const asking: NodeState = { ...informed, phase: "recalling", links: Links.open(started.links, turn) }
  return [withAlarm(asking, turn), turn.out]
}

/** The next incarnation goes to stable storage before anything else happens. */
const live = (node: NodeState, turn: Turn, incarnation: number, before: ReadonlyArray<Durable.Record>): Step => {
  const last: Durable.Record = { _tag: "Incarnation", incarnation }
  for (const record of before) turn.persist(record, [])
  const ticket = turn.persist(last, [{ _tag: "Listen" }])
  return [
    {
      ...node,
      phase: "booting",
      incarnation,
      recall: Recall.begin,
      membership: Membership.make(node.config),
      leadership: { ...Leadership.make(), suspended: node.leadership.suspended },
      durable: [...before, last].reduce(Durable.apply, node.durable),
      tickets: ticket,
      bootTicket: ticket
    },
    turn.out
  ]
}

/** Its incarnation is not stored yet. What it hears of others and of its operator meanwhile it keeps, and acts on nothing. */
const wait = (node: NodeState, input: Input): Step => {
  switch (input._tag) {
    case "Stored":
      return input.ticket === node.bootTicket ? open(node, input) : [node, NOTHING]
    case "Trust":
    case "Distrust":
      return changeTrust(node, input)
    case "Sighted":
    case "Lost": {
      const links = Links.onInput(node.links, input, begin(node, input).turn)
      return [links === node.links ? node : { ...node, links }, NOTHING]
    }
    case "Carrier": {
      const membership = Membership.onTurn(node.membership, false, begin(node, input).turn)
      return [membership === node.membership ? node : { ...node, membership }, NOTHING]
    }
    case "Hold":
      return hear(node, input)
    case "Engine":
      return [suspend(node, !input.runs), NOTHING]
    case "Sensed": {
      const { turn } = begin(node, input)
      const world = Emitting.onSensed(node.world, input, turn)
      return [{ ...node, world, refusals: counted(node.refusals, turn.facts) }, turn.out]
    }
    default:
      return [node, NOTHING]
  }
}

/** What a person says of the actuators, before it guards them. */
const hear = (node: NodeState, input: Extract<Input, { readonly _tag: "Hold" }>): Step => {
  const guardian = onWord(node.guardian, input, begin(node, input).turn)
  return [guardian === node.guardian ? node : { ...node, guardian }, NOTHING]
}

/** What its operator says of its planner, before it takes part. */
const suspend = (node: NodeState, suspended: boolean): NodeState =>
  node.leadership.suspended === suspended ? node : { ...node, leadership: { ...node.leadership, suspended } }

/** Asks, as nobody, and lives in the incarnation after the last one that anybody remembers. */
const recall = (node: NodeState, input: Input): Step => {
  if (input._tag === "Leave") return [{ ...node, phase: "left" }, [{ _tag: "Halt" }]]
  if (input._tag === "Trust" || input._tag === "Distrust") return changeTrust(node, input)
  if (input._tag === "Hold") return hear(node, input)
  if (input._tag === "Engine") return [suspend(node, !input.runs), NOTHING]
  const { turn } = begin(node, input)
  if (input._tag === "LinkUp" && input.attempt === null)
    return [node, [{ _tag: "Hangup", link: input.link, code: 1001, reason: "not yet", abrupt: true }]]
  const links = Links.onInput(node.links, input, turn)
  const told = Recall.onTurn(node.recall, turn)
  const woke = input._tag === "Woke"
  if (links === node.links && told === node.recall && !woke) return [node, turn.out]
  const next: NodeState = {
    ...node,
    links,
    recall: told,
    refusals: counted(node.refusals, turn.facts),
    alarmAt: woke ? NEVER_MS : node.alarmAt
  }
  // Never at the word of somebody who has not proved itself.
  const asked = told !== node.recall || woke
  if (!asked || !Recall.isOver(told, links, turn)) return [withAlarm(next, turn), turn.out]
  // A snapshot may have outlived the journal, and know of more.
  const known = Math.max(told.incarnation, node.durable.incarnation, turn.heardOf(node.config.deviceId))
  return rebirth(next, turn, known + 1)
}

/** What it was is over, and what it promised under this manifest is forgotten, which outlives the next crash as well. */
const rebirth = (node: NodeState, turn: Turn, incarnation: number): Step => {
  silence(turn.out)
  const links = Links.anew(node.links, node.phase === "running", turn)
  const reborn: NodeState = {
    ...node,
    links,
    world: WorldRoom.anew(node.world),
    routing: Forwarding.make(),
    guardian: Guard.anew(node.guardian),
    planning: Planning.make(node.config.rules),
    proposals: Proposals.make(),
    inference: InferenceRoom.anew(node.inference, turn),
    alarmAt: NEVER_MS
  }
  turn.out.push({ _tag: "SetAlarm", at: NEVER_MS })
  return live(reborn, turn, incarnation, [{ _tag: "Forgot", manifest: node.config.manifest.version, incarnation }])
}

/** What an old life still had to say may speak of what is not stored, and nobody is there to read it. */
const silence = (out: Array<Command>): void => {
  const rest = out.filter(({ _tag }) => _tag !== "Send")
  out.splice(0, out.length, ...rest)
}

const open = (node: NodeState, input: Input): Step => {
  const { records, turn } = begin(node, input)
  note(turn, { event: "node.started", about: node.config.deviceId, incarnation: node.incarnation })
  const links = Links.open(node.links, turn)
  const membership = Membership.open(node.membership, turn)
  const leadership = Leadership.open(node.leadership, turn, node.durable)
  const held = WorldRoom.open(node.world, turn)
  const guardian = openGuardian(node.guardian, turn, node.durable.forgot !== undefined)
  const known = { config: node.config, links, membership, world: held }
  const [proposals, world] = ProposalsRoom.open(node.proposals, known, turn)
  const opened: NodeState = {
    ...node,
    phase: "running",
    links,
    membership,
    leadership,
    world,
    guardian,
    proposals,
    durable: records.reduce(Durable.apply, node.durable),
    tickets: node.tickets + records.length
  }
  return [withAlarm(opened, turn), turn.out]
}

const run = (node: NodeState, input: Input): Step => {
  const { records, turn } = begin(node, input)
  if (input._tag === "Leave") return leave(node, input.reason, turn)
  if (input._tag === "Trust" || input._tag === "Distrust") return changeTrust(node, input)
  const rang = input._tag === "Woke"
  // After a stall all that is due is done at once, whether or not the alarm has come through.
  const woke = rang || input._tag === "Stalled"
  let links = Links.onInput(node.links, input, turn)
  const membership = Membership.onTurn(node.membership, woke, turn)
  let leadership =
    input._tag === "Stored"
      ? LeadershipRoom.onStored(node.leadership, input.ticket, turn, links)
      : LeadershipRoom.onTurn(node.leadership, input, woke, turn, links)
  if (turn.facts.length > 0) {
    links = Links.settle(links, turn)
    Trust.pinProven(turn)
  }
  // After all that may have ended a session.
  const heard = WorldRoom.onTurn(node.world, input, woke, turn, links, membership)
  const known = { config: node.config, links, membership, world: heard }
  let routing = RoutingRoom.onTurn(node.routing, input, woke, known, turn)
  let guardian = ActuationRoom.onTurn(node.guardian, input, woke, turn)
  const planning = Planning.onTurn(node.planning, input, woke, known, leadership, turn)
  if (Planning.gaveUp(node.planning, planning))
    leadership = LeadershipRoom.moveOn(leadership, turn, links, "its language model fails for good")
  let { proposals } = node
  let world = heard
  const proposed = ProposalsRoom.concerns(proposals, input, leadership, turn)
  if (proposed) [proposals, guardian] = ProposalsRoom.asGuardian(proposals, guardian, known, turn)
  routing = RoutingRoom.onResults(routing, turn)
  if (proposed) [proposals, world] = ProposalsRoom.onTurn(proposals, input, woke, known, leadership, turn)
  if (turn.admitted?.frame?.type === "req") answer(node, turn)
  const inference = InferenceRoom.onTurn(node.inference, input, known, turn)
  links = Links.behindControl(links, turn)
  links = Links.towardsGen1(links, woke, turn)
  const refusals = turn.facts.length > 0 ? counted(node.refusals, turn.facts) : node.refusals
  // It came back too low, or as what it had been before, because whoever knew better was out of reach.
  const told = turn.forgetful ? Recall.toldIn(turn) : -1
  if (told >= node.incarnation)
    return rebirth(
      { ...node, links, inference, refusals, durable: records.reduce(Durable.apply, node.durable) },
      turn,
      told + 1
    )
  const same =
    links === node.links &&
    membership === node.membership &&
    leadership === node.leadership &&
    world === node.world &&
    routing === node.routing &&
    guardian === node.guardian &&
    planning === node.planning &&
    proposals === node.proposals &&
    inference === node.inference &&
    refusals === node.refusals &&
    records.length === 0
  if (same && !rang) return [node, turn.out]
  const durable = records.length === 0 ? node.durable : records.reduce(Durable.apply, node.durable)
  const next: NodeState = {
    config: Manifest.restored(node.config, durable),
    phase: node.phase,
    bootId: node.bootId,
    incarnation: node.incarnation,
    startedAt: node.startedAt,
    recall: node.recall,
    durable,
    tickets: node.tickets + records.length,
    bootTicket: node.bootTicket,
    links,
    membership,
    leadership,
    world,
    routing,
    guardian,
    planning,
    proposals,
    inference,
    refusals,
    farewell: node.farewell,
    alarmAt: rang ? NEVER_MS : node.alarmAt
  }
  return withRest(withAlarm(next, turn), turn)
}

/** And what waited for this turn, each in one of its own. */
const withRest = (node: NodeState, { behind, out }: Turn): Step => {
  let next = node
  for (const input of behind) {
    const [after, commands] = step(next, input)
    if (next.phase === "running" && after.phase === "booting") silence(out)
    next = after
    out.push(...commands)
  }
  return [next, out]
}

/** What the operator says of a device is kept, and takes effect at once. */
const changeTrust = (node: NodeState, input: Extract<Input, { readonly _tag: "Trust" | "Distrust" }>): Step => {
  const deviceId = input._tag === "Trust" ? input.device.deviceId : input.deviceId
  const config =
    input._tag === "Trust" ? Trust.trusting(node.config, input.device) : Trust.distrusting(node.config, deviceId)
  if (config === node.config) return [node, NOTHING]
  const { records, turn } = begin({ ...node, config }, input)
  turn.persist(input._tag === "Trust" ? { _tag: "Trust", device: input.device } : { _tag: "Distrust", deviceId }, [])
  const next: NodeState = {
    ...node,
    config,
    durable: records.reduce(Durable.apply, node.durable),
    tickets: node.tickets + records.length,
    links: Links.onTrust(node.links, deviceId, turn),
    membership: Membership.onTrust(node.membership, deviceId, turn),
    world: WorldRoom.onTrust(node.world, deviceId, turn),
    inference: InferenceRoom.onTrust(node.inference, turn)
  }
  // While it boots nothing is due: once it runs it sets its alarm.
  return [node.phase === "booting" ? next : withAlarm(next, turn), turn.out]
}

/**
 * Goodbye: authority first, and what is open is made safe; then the word, then silence (B1, B36). The word is signed, so that
 * others can hand it on.
 */
const leave = (node: NodeState, reason: string, turn: Turn): Step => {
  note(turn, { event: "node.leaving", about: node.config.deviceId, incarnation: node.incarnation })
  const leadership = LeadershipRoom.leave(node.leadership, turn, node.links)
  leaveActuators(node.guardian, turn)
  const inference = InferenceRoom.leave(node.inference, turn)
  const why = reason.slice(0, FIELD_CHARS_MAX)
  const alarmAt = turn.at.mono + LEAVE_MS
  turn.out.push({ _tag: "Sign", ticket: LEAVE_TICKET, payloads: [payloadOf(turn, goodbyeOf(node, why))] })
  turn.out.push({ _tag: "SetAlarm", at: alarmAt })
  return [{ ...node, phase: "leaving", leadership, inference, farewell: why, alarmAt }, turn.out]
}

const goodbyeOf = ({ config, incarnation }: NodeState, reason: string) => ({
  deviceId: config.deviceId,
  incarnation,
  reason
})

/** It is signed, or the key does not answer: then it goes unsigned, and counts for those who hear it themselves. */
const farewell = (node: NodeState, input: Input): Step => {
  const signed = input._tag === "Signed" && input.ticket === LEAVE_TICKET
  const late = input._tag === "Woke" && input.at.mono >= node.alarmAt
  if (!signed && !late) return [node, NOTHING]
  const { turn } = begin(node, input)
  const signature = signed ? input.signatures?.[0] : undefined
  const { publicKey } = node.config
  Links.leave(
    node.links,
    signature === undefined ? null : { ...goodbyeOf(node, node.farewell), publicKey, signature },
    turn
  )
  WorldRoom.save(node.world, turn)
  turn.out.push({ _tag: "Halt" })
  return [{ ...node, phase: "left", alarmAt: NEVER_MS }, turn.out]
}

const counted = (refusals: ReadonlyArray<number>, facts: ReadonlyArray<Fact>): ReadonlyArray<number> => {
  let next = refusals
  for (const fact of facts) {
    if (fact._tag !== "Refused") continue
    next = next.map((count, index) => (allCodes[index] === fact.code ? count + 1 : count))
  }
  return next
}

const withAlarm = (node: NodeState, turn: Turn): NodeState => {
  const due = Math.min(
    node.links.due,
    node.membership.due,
    node.leadership.due,
    node.world.due,
    node.routing.due,
    node.guardian.due,
    node.planning.due,
    node.proposals.due,
    node.inference.due,
    node.recall.endsAt
  )
  if (due === node.alarmAt) return node
  turn.out.push({ _tag: "SetAlarm", at: due })
  return { ...node, alarmAt: due }
}
