/** The front of the room of what the mesh knows: hands each input to those who take frames in, say them, and compare logs. */
import { roleOf, type Config } from "../Config.ts"
import type { Input } from "../Input.ts"
import type { Links } from "../links/Link.ts"
import type { Membership } from "../membership/Membership.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Turn } from "../Turn.ts"
import { isNeeded } from "../actuation/Needs.ts"
import { concernedBy } from "../planning/Rule.ts"
import { isReserved } from "../proposals/Proposal.ts"
import type { ContextFrame } from "../wire/ContextFrame.ts"
import type { DeviceId } from "../wire/Frame.ts"
import * as Emitting from "./Emitting.ts"
import * as Exchanging from "./Exchanging.ts"
import * as Receiving from "./Receiving.ts"
import type { WorldSnapshot } from "./Snapshot.ts"
import { handOn } from "./Spreading.ts"
import * as Origin from "./Origin.ts"
import * as World from "./World.ts"

/** Between two snapshots, while anything changes. */
export const SAVE_EACH_MS = 60_000

/** And so soon after something was said of a proposal (B29). */
const SAVE_PROPOSALS_MS = 1_000

/** As it was kept, without what its owner does not trust any more. */
export const restored = (snapshot: WorldSnapshot | undefined, turn: Turn): World.World =>
  snapshot === undefined
    ? World.make()
    : World.restored(snapshot, turn.at.mono, (deviceId) => roleOf(turn.config, deviceId) !== undefined)

/** The node is up: what was said during its boot gets its numbers. */
export const open = (world: World.World, turn: Turn): World.World => {
  if (world.held > 0) note(turn, { event: "world.restored", about: turn.config.deviceId, count: world.held })
  const saveAt = turn.at.mono + SAVE_EACH_MS
  return withDue(Emitting.sign({ ...Emitting.announced(world, turn), seq: 0, saveAt }, turn))
}

/** Another life begins: of what was known all stays, but every connection is over, and numbers begin anew. */
export const anew = (world: World.World): World.World => ({
  ...world,
  checking: [],
  exchanges: [],
  seq: 0,
  signing: null,
  saveAt: NEVER_MS,
  due: NEVER_MS
})

/** The operator trusts it no longer, or anew: what it said is forgotten. */
export const onTrust = (world: World.World, deviceId: DeviceId, turn: Turn): World.World => {
  let next = world
  const facts = turn.facts
  for (let i = 0; i < facts.length; i++) next = Exchanging.onFact(next, facts[i]!)
  const at = World.placeOf(next.origins, deviceId)
  if (at < 0 || roleOf(turn.config, deviceId) !== undefined) return withDue(next)
  const gone = next.origins[at]!
  return withDue({
    ...next,
    origins: next.origins.toSpliced(at, 1),
    digest: (next.digest - Origin.digestOf(gone)) >>> 0,
    frames: next.frames - Origin.framesOf(gone),
    bytes: next.bytes - Origin.bytesOf(gone),
    changes: next.changes + 1
  })
}

export const onTurn = (
  world: World.World,
  input: Input,
  woke: boolean,
  turn: Turn,
  links: Links,
  membership: Membership
): World.World => {
  let next = world
  const { facts } = turn
  for (let i = 0; i < facts.length; i++) next = Exchanging.onFact(next, facts[i]!)
  const spread = (frame: ContextFrame, from: number, dwellMs: number): void =>
    handOn(frame, from, dwellMs, links, membership, turn)
  switch (input._tag) {
    case "Sensed":
      next = Emitting.onSensed(next, input, turn)
      break
    case "Signed":
      if (next.signing?.ticket === input.ticket) next = Emitting.onSigned(next, input.signatures, links, turn)
      break
    case "Checked":
      next = onChecked(next, input, turn, spread)
      break
    case "Received":
      next = onAdmitted(next, links, turn, spread)
      break
    default:
  }
  if (woke) next = onTime(next, turn)
  if (next === world) return world
  if (learn(world, next, input, turn))
    next = { ...next, saveAt: Math.min(next.saveAt, turn.at.mono + SAVE_PROPOSALS_MS) }
  return withDue(Emitting.sign(next, turn))
}

/** What a sensor shows of an actuator of ours, or of what it needs. */
const isReadback = ({ actuators = [] }: Config, { data: { metric } }: ContextFrame): boolean =>
  actuators.some((one) => (one.readback !== undefined && one.readback.metric === metric) || isNeeded(one, metric))

/** A rule of ours is about it. */
const isWatched = ({ rules = [] }: Config, frame: ContextFrame): boolean => concernedBy(rules, frame).length > 0

/** What is said of proposals, and readings of what concerns us, go to those who act on it, once it stands. Whether any is of proposals. */
const learn = (before: World.World, after: World.World, input: Input, turn: Turn): boolean => {
  const frames =
    input._tag === "Checked"
      ? (before.checking.find(({ ticket }) => ticket === input.ticket)?.frames ?? [])
      : input._tag === "Signed" && before.signing?.ticket === input.ticket
        ? before.signing.frames
        : []
  let isAny = false
  for (const frame of frames) {
    const isFact = isReserved(frame.data)
    if (!isFact && !isReadback(turn.config, frame) && !isWatched(turn.config, frame)) continue
    const held = Origin.entryOf(World.originOf(after, frame.sourceDeviceId), frame)
    if (held === undefined || held.nth <= before.held || held.frame.frameId !== frame.frameId) continue
    if (isFact) turn.learned.push(held.frame)
    else turn.readings.push(held)
    isAny ||= isFact
  }
  return isAny
}

const onAdmitted = (
  world: World.World,
  links: Links,
  turn: Turn,
  spread: (frame: ContextFrame, from: number, dwellMs: number) => void
): World.World => {
  const frame = turn.admitted?.frame
  if (frame?.type !== "event") return world
  const { link, peer } = turn.admitted!
  switch (frame.event) {
    case "context.frame":
      return Receiving.onFrame(world, frame.payload, peer, link, links, turn, (good, from) => spread(good, from, 0))
    case "mesh.heartbeat":
      return Exchanging.onHeartbeat(world, link, frame.payload.world ?? 0, turn)
    case "mesh.world.have":
      return Exchanging.onHave(world, link, frame.payload, turn)
    case "mesh.world.want":
      return Exchanging.onWant(world, link, frame.payload, turn)
    case "mesh.world.frames":
      return Exchanging.onFrames(world, link, frame.payload, turn)
    default:
      return world
  }
}

const onChecked = (
  world: World.World,
  { deviceId, ticket, valid }: Extract<Input, { readonly _tag: "Checked" }>,
  turn: Turn,
  spread: (frame: ContextFrame, from: number, dwellMs: number) => void
): World.World => {
  const checking = world.checking.find((other) => other.ticket === ticket)
  if (checking === undefined) return world
  const rest = { ...world, checking: world.checking.filter((other) => other !== checking) }
  if (checking.page !== null) return Exchanging.onChecked(rest, checking, deviceId, valid, turn)
  const [isGood] = Receiving.good(checking, deviceId, valid)
  return Receiving.onChecked(rest, checking, isGood === true, turn, (frame, from) =>
    spread(frame, from, turn.at.mono - checking.at)
  )
}

const onTime = (world: World.World, turn: Turn): World.World => {
  const next = Exchanging.onTime(world, turn)
  if (next.saveAt > turn.at.mono) return next
  return { ...save(next, turn), saveAt: turn.at.mono + SAVE_EACH_MS }
}

/** Keeps what is known, if anything changed. */
export const save = (world: World.World, turn: Turn): World.World => {
  if (world.saved === world.held) return world
  turn.out.push({ _tag: "SaveWorld", snapshot: World.snapshotOf(world, turn.at.mono) })
  return { ...world, saved: world.held }
}

/** With the due time that follows from the rest. The same reference: it does, as after every turn. */
export const withDue = (world: World.World): World.World => {
  const due = Math.min(world.held === world.saved ? NEVER_MS : world.saveAt, Exchanging.dueOf(world))
  return due === world.due ? world : { ...world, due }
}
