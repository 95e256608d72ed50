/**
 * Proposals: what a planner would have moved, and what people say to it (PROTOCOL.md part 17; B27 to B33). Whatever is said of one is a
 * fact: a signed frame of whoever says it, kept and replicated as all that the mesh knows. What becomes of it follows from the facts
 * that are held, in whichever order they came.
 *
 * Nothing here is stored twice: the facts are entries of the world, and a proposal is read from them when somebody asks.
 */
import { bytes } from "../Draw.ts"
import { leadRank, roleOf, type Config } from "../Config.ts"
import { ACTUATOR, levels, nameOf, type Level } from "../actuation/Actuator.ts"
import { AGAIN_MS } from "../actuation/Guard.ts"
import { decisionString } from "../identity/Handshake.ts"
import { isDeviceId } from "../identity/MeshId.ts"
import { compareText } from "../Order.ts"
import { allCodes, type Code } from "../wire/Codes.ts"
import { canonical, isCauses, isPlain, keyOf, type ContextFrame, type Kind, type Plain } from "../wire/ContextFrame.ts"
import { FIELD_CHARS_MAX } from "../wire/Limits.ts"
import type { DeviceId } from "../wire/Frame.ts"
import * as Log from "../world/Log.ts"
import * as Origin from "../world/Origin.ts"
import type { World } from "../world/World.ts"

/** A proposal that nobody decided is over after so long (B28). */
export const PROPOSAL_MS = 1_800_000
/** Whoever approved waits for what came of it for so long: its token is over then, with time for the word of that to come (B33a). */
export const APPROVAL_MS = 180_000

/** What would be done. An approval carries all of it, so that it can stand for nothing else (B33). */
export interface Body {
  readonly actuator: string
  /** The device that owns it. */
  readonly guardian: DeviceId
  readonly state: string
  /** How long it is to be so, ms; 0: for good, which only the safe state can be. */
  readonly forMs: number
  /** Frames that it rests on. */
  readonly because: ReadonlyArray<string>
  /** What it was asked for as; absent: it is for what it rests on, so that two planners that see the same propose the same. */
  readonly request?: string
  /** It is meant though the same was done just now. */
  readonly again?: true
  /** The language model that drafted it, by its name: a person has to agree (P17.11). */
  readonly model?: string
}

/** An approval that is none, by the frame that said it. */
export interface Void {
  readonly approval: string
  readonly code: Code
}

/** Each device has one approval of a proposal that stands. */
const VOIDS_MAX = 64

const isVoid = (value: unknown): value is Void => isPlain(value) && isText(value["approval"]) && isCode(value["code"])

export interface Signed {
  readonly publicKey: string
  readonly signature: string
}

const isSignature = (value: unknown): value is Signed =>
  isPlain(value) && isText(value["publicKey"]) && isText(value["signature"])

/** What the person signs who approves it so. */
export const decisionOf = (
  { meshId, meshKey }: Pick<Config, "meshId" | "meshKey">,
  { body, by, id, token, typed = "" }: Omit<Extract<Fact, { readonly fact: "approve" }>, "fact" | "person">
): string => decisionString({ meshId, meshKey, id, body: canonical(body), token, by, typed })

export type Fact =
  | { readonly fact: "propose"; readonly id: string; readonly body: Body; readonly term: number }
  /** By its guardian: who has to agree. */
  | { readonly fact: "level"; readonly id: string; readonly level: Level }
  /** Another planner looks after it from now on. */
  | { readonly fact: "adopt"; readonly id: string; readonly term: number }
  | {
      readonly fact: "approve"
      readonly id: string
      readonly body: Body
      /** Of its guardian, for this decision. */
      readonly token: string
      readonly by: string
      /** The name of what is moved, as the person typed it: L3 asks for that. */
      readonly typed?: string
      /** By the key of the person (P17.10). */
      readonly person?: Signed
    }
  | { readonly fact: "reject"; readonly id: string; readonly by: string }
  /** By a planner: it is over, by its age, because the same was done for another reason, or because its guardian does not take it. */
  | { readonly fact: "close"; readonly id: string; readonly as: "expired" | "superseded" }
  | { readonly fact: "close"; readonly id: string; readonly as: "withdrawn"; readonly code: Code }
  /** By its guardian, or by whoever said them: the approvals in these frames are none, and the proposal waits for one as before. */
  | { readonly fact: "void"; readonly id: string; readonly voids: ReadonlyArray<Void> }
  | { readonly fact: "result"; readonly id: string; readonly outcome: "done" | Code }

/** What kind of frame each is: a person's word, or a device's. */
const kindOf: { readonly [F in Fact["fact"]]: Kind } = {
  propose: "event",
  level: "event",
  adopt: "event",
  approve: "human_input",
  reject: "human_input",
  close: "event",
  void: "event",
  result: "event"
}

const facts = Object.keys(kindOf) as ReadonlyArray<Fact["fact"]>

/** The metric of a fact begins so; what a program of a device says must not. */
export const METRIC = "proposal."

/** The frame that says it: one entry for each fact of each proposal (B38). */
export const said = (fact: Fact): { readonly kind: Kind; readonly data: Plain } => {
  const { fact: what, id, ...rest } = fact
  return { kind: kindOf[what], data: { metric: `${METRIC}${what}`, zone: id, proposal: rest } }
}

/** What a device says of it, by its place. */
const entryOf = (origin: Origin.Origin, fact: Fact["fact"], id: string): Log.Held | undefined =>
  Origin.entryAt(origin, keyOf({ kind: kindOf[fact], data: { metric: `${METRIC}${fact}`, zone: id } }))

export const isReserved = (data: Plain): boolean =>
  typeof data["metric"] === "string" && data["metric"].startsWith(METRIC)

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const ID_CHARS = 24

/**
 * The intent: the same wherever the same is wanted of the same for the same reason. No two bodies that differ in what is moved, or why,
 * share one but by chance; and an approval holds for the body that it carries in any case.
 */
export const idOf = (meshId: string, { actuator, because, guardian, request, state }: Body): string => {
  const why = request === undefined ? { because: [...because].sort(compareText) } : { request }
  const text = canonical({ actuator, guardian, meshId, state, ...why })
  return bytes(0, "proposal", text, 0, ID_CHARS)
    .map((byte) => ALPHABET[byte & 31])
    .join("")
}

/** As people say it: `P-4F2K`. */
export const shortOf = (id: string): string => `P-${id.slice(0, 4)}`

const isId = (value: unknown): value is string =>
  typeof value === "string" && value.length === ID_CHARS && /^[0-9A-Z]+$/u.test(value)
const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= FIELD_CHARS_MAX
const isMs = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isCode = (value: unknown): value is Code => allCodes.includes(value as Code)

export const isBody = (body: unknown): body is Body =>
  isPlain(body) &&
  isText(body["actuator"]) &&
  body["actuator"].startsWith(ACTUATOR) &&
  typeof body["guardian"] === "string" &&
  isDeviceId(body["guardian"]) &&
  isText(body["state"]) &&
  isMs(body["forMs"]) &&
  isCauses(body["because"]) &&
  (body["request"] === undefined || isText(body["request"])) &&
  (body["again"] === undefined || body["again"] === true) &&
  (body["model"] === undefined || isText(body["model"]))

/** What the data of a frame propose; `null`: they propose nothing. */
export const wantedIn = ({ metric, proposal }: Plain): Body | null => {
  if (metric !== `${METRIC}propose` || !isPlain(proposal)) return null
  const { body } = proposal
  return isBody(body) ? body : null
}

/** What a frame says of a proposal; `null`: nothing, or nothing that reads. */
export const factOf = (frame: ContextFrame, meshId: string): Fact | null => {
  const { data } = frame
  const { metric, proposal: rest, zone: id } = data
  if (typeof metric !== "string" || !metric.startsWith(METRIC) || !isId(id) || !isPlain(rest)) return null
  const fact = metric.slice(METRIC.length)
  if (!Object.hasOwn(kindOf, fact) || kindOf[fact as Fact["fact"]] !== frame.kind) return null
  const { as, body, by, code, level, outcome, person, term, token, typed, voids } = rest
  switch (fact as Fact["fact"]) {
    case "propose":
      return isBody(body) && isMs(term) && idOf(meshId, body) === id ? { fact: "propose", id, body, term } : null
    case "level":
      return levels.includes(level as Level) ? { fact: "level", id, level: level as Level } : null
    case "adopt":
      return isMs(term) ? { fact: "adopt", id, term } : null
    case "approve":
      return isBody(body) &&
        idOf(meshId, body) === id &&
        isText(token) &&
        isText(by) &&
        (typed === undefined || isText(typed)) &&
        (person === undefined || isSignature(person))
        ? {
            fact: "approve",
            id,
            body,
            token,
            by,
            ...(typed === undefined ? {} : { typed }),
            ...(person === undefined ? {} : { person })
          }
        : null
    case "reject":
      return isText(by) ? { fact: "reject", id, by } : null
    case "close":
      if (as === "withdrawn") return isCode(code) ? { fact: "close", id, as, code } : null
      return as === "expired" || as === "superseded" ? { fact: "close", id, as } : null
    case "void":
      return Array.isArray(voids) && voids.length <= VOIDS_MAX && voids.every(isVoid)
        ? { fact: "void", id, voids: voids.map(({ approval, code: why }) => ({ approval, code: why })) }
        : null
    case "result":
      return outcome === "done" || isCode(outcome) ? { fact: "result", id, outcome } : null
  }
}

export const statuses = [
  "proposed",
  "awaiting_approval",
  "approved",
  "completed",
  "failed",
  "rejected",
  "withdrawn",
  "expired",
  "superseded"
] as const
export type Status = (typeof statuses)[number]

export interface Proposal {
  readonly id: string
  readonly body: Body
  /** All that were proposed of it: an approval means one of these. */
  readonly bodies: ReadonlyArray<Body>
  readonly status: Status
  /** Who has to agree; `null`: its guardian has not said so yet. */
  readonly level: Level | null
  /** Why it failed, or was withdrawn; `null`: it was not. */
  readonly code: Code | null
  /** Who made it, and who looks after it. */
  readonly proposer: DeviceId
  readonly owner: DeviceId
  readonly term: number
  /** Who decided, and at which device; `null`: nobody has. */
  readonly decided: { readonly by: string; readonly at: DeviceId } | null
  /** Since it was made, ms, as far as is known here. */
  readonly ageMs: number
  /** Approvals that are none, by the frames that said them. */
  readonly voids: ReadonlyArray<Void>
  /** The frames of the facts that decided what became of it. */
  readonly frameIds: ReadonlyArray<string>
}

/** Of which only the age is left to say. */
interface Timeless extends Omit<Proposal, "ageMs"> {
  readonly made: ReadonlyArray<Log.Held>
}

interface Told {
  readonly fact: Fact
  readonly source: DeviceId
  readonly held: Log.Held
}

/** What a frame said when it was last read: frames do not change, and are read whenever somebody asks. */
const factsRead = new WeakMap<ContextFrame, { readonly meshId: string; readonly fact: Fact | null }>()

const factIn = (frame: ContextFrame, meshId: string): Fact | null => {
  const before = factsRead.get(frame)
  if (before?.meshId === meshId) return before.fact
  const fact = factOf(frame, meshId)
  factsRead.set(frame, { meshId, fact })
  return fact
}

const toldBy = ({ deviceId: source }: Origin.Origin, held: Log.Held, { meshId }: Config): Told | null => {
  const fact = held.frame.kernel === undefined ? null : factIn(held.frame, meshId)
  return fact === null ? null : { fact, source, held }
}

/** Of each, by id. Only what is signed. */
const toldOf = (world: World, config: Config): ReadonlyMap<string, ReadonlyArray<Told>> => {
  const byId = new Map<string, Array<Told>>()
  for (const origin of world.origins)
    for (const held of Origin.standing(origin)) {
      const told = toldBy(origin, held, config)
      if (told === null) continue
      const those = byId.get(told.fact.id)
      if (those === undefined) byId.set(told.fact.id, [told])
      else those.push(told)
    }
  return byId
}

const plans = (config: Config, deviceId: DeviceId): boolean => {
  const role = roleOf(config, deviceId)
  return role !== undefined && leadRank(role) !== null
}

type Of<F extends Fact["fact"]> = Told & { readonly fact: Extract<Fact, { readonly fact: F }> }

const of = <F extends Fact["fact"]>(told: ReadonlyArray<Told>, fact: F): ReadonlyArray<Of<F>> =>
  told.filter((one): one is Of<F> => one.fact.fact === fact)

export const isAmong = (body: Body, bodies: ReadonlyArray<Body>): boolean =>
  bodies.some((one) => canonical(one) === canonical(body))

/**
 * What becomes of it: a result before a no, and a no before a yes. Two planners may have said different things of one intent: the lower
 * text stands, unless a person approved another. By the facts alone, and not by the time: how old something is, each
 * node knows as well as it can.
 */
const read = (id: string, told: ReadonlyArray<Told>, config: Config): Timeless | null => {
  const made = of(told, "propose").filter(({ source }) => plans(config, source))
  const first = made.toSorted(
    (a, b) =>
      compareText(canonical(a.fact.body), canonical(b.fact.body)) ||
      b.fact.term - a.fact.term ||
      compareText(a.source, b.source)
  )[0]
  if (first === undefined) return null
  const bodies = made.map(({ fact }) => fact.body)
  const ofGuardian = ({ source }: Told): boolean => source === first.fact.body.guardian
  const said = of(told, "approve").filter(({ fact }) => isAmong(fact.body, bodies))
  const voids = of(told, "void").flatMap((one) =>
    one.fact.voids.filter(({ approval }) => {
      const about = said.find(({ held }) => held.frame.frameId === approval)
      return ofGuardian(one) || about?.source === one.source
    })
  )
  const approvals = said
    .filter(({ held }) => !voids.some(({ approval }) => approval === held.frame.frameId))
    .toSorted((a, b) => compareText(a.source, b.source))
  const closed = of(told, "close")
    .filter(({ source }) => plans(config, source))
    .toSorted((a, b) => compareText(a.fact.as, b.fact.as) || compareText(a.source, b.source))[0]
  const level = of(told, "level").find(ofGuardian)?.fact.level ?? null
  const results = of(told, "result").filter(ofGuardian)
  const rejections = of(told, "reject").toSorted((a, b) => compareText(a.source, b.source))
  const adopted = of(told, "adopt")
    .filter(({ source }) => plans(config, source))
    .toSorted((a, b) => b.fact.term - a.fact.term || compareText(a.source, b.source))[0]
  const [result] = results
  const outcome = result?.fact.outcome
  const decision =
    outcome === undefined && rejections[0] !== undefined ? rejections[0] : (approvals[0] ?? rejections[0])
  const status: Status =
    outcome === "done"
      ? "completed"
      : outcome !== undefined
        ? "failed"
        : rejections.length > 0
          ? "rejected"
          : closed !== undefined
            ? closed.fact.as
            : approvals.length > 0
              ? "approved"
              : level === "L1"
                ? "proposed"
                : "awaiting_approval"
  return {
    id,
    made: made.map(({ held }) => held),
    body: approvals[0]?.fact.body ?? first.fact.body,
    bodies,
    status,
    level,
    code: codeOf(outcome, status, closed?.fact),
    proposer: first.source,
    owner: adopted?.source ?? first.source,
    term: adopted?.fact.term ?? first.fact.term,
    decided: decision === undefined ? null : { by: decision.fact.by, at: decision.source },
    voids,
    frameIds: [first, decision, result].flatMap((one) => (one === undefined ? [] : [one.held.frame.frameId]))
  }
}

const codeOf = (
  outcome: "done" | Code | undefined,
  status: Status,
  closed: Extract<Fact, { readonly fact: "close" }> | undefined
): Code | null => {
  if (outcome !== undefined) return outcome === "done" ? null : outcome
  return status === "withdrawn" && closed?.as === "withdrawn" ? closed.code : null
}

const agedAt = ({ made, ...rest }: Timeless, mono: number): Proposal => ({
  ...rest,
  ageMs: Math.max(...made.map((held) => Log.ageOf(held, mono)))
})

/** What was last read of the same frames, by the same roles: most turns change neither. */
const lastRead = new WeakMap<World["origins"], { readonly config: Config; readonly all: ReadonlyArray<Timeless> }>()

const allOf = (world: World, config: Config): ReadonlyArray<Timeless> => {
  const before = lastRead.get(world.origins)
  if (before?.config === config) return before.all
  const all = [...toldOf(world, config)].flatMap(([id, told]) => read(id, told, config) ?? [])
  lastRead.set(world.origins, { config, all })
  return all
}

/** All that are known, the newest first. */
export const proposalsOf = (world: World, config: Config, mono: number): ReadonlyArray<Proposal> =>
  allOf(world, config)
    .map((one) => agedAt(one, mono))
    .sort((a, b) => a.ageMs - b.ageMs || compareText(a.id, b.id))

/** One alone, which costs as much as it has facts. */
export const proposalOf = (world: World, config: Config, id: string, mono: number): Proposal | null => {
  const told: Array<Told> = []
  for (const origin of world.origins)
    for (const fact of facts) {
      const held = entryOf(origin, fact, id)
      const one = held === undefined ? null : toldBy(origin, held, config)
      if (one !== null) told.push(one)
    }
  const one = told.length === 0 ? null : read(id, told, config)
  return one === null ? null : agedAt(one, mono)
}

const isSame = (a: Body, b: Body): boolean =>
  a.actuator === b.actuator && a.guardian === b.guardian && a.state === b.state

/** The same was done, for another reason, at about the time when this was proposed (B30). */
export const supersedes = (other: Proposal, one: Proposal): boolean =>
  other.status === "completed" &&
  one.body.again !== true &&
  isSame(other.body, one.body) &&
  Math.abs(other.ageMs - one.ageMs) < AGAIN_MS

/** The frames that say yes to it, as far as they are held. */
export const approvalsOf = ({ origins }: World, id: string): ReadonlyArray<ContextFrame> =>
  origins.flatMap((origin) => {
    const held = entryOf(origin, "approve", id)
    return held?.frame.kernel === undefined ? [] : [held.frame]
  })

/** A person may say yes to it, or no. */
export const isUndecided = ({ status }: Pick<Proposal, "status">): boolean =>
  status === "proposed" || status === "awaiting_approval"

export const isOpen = (one: Proposal): boolean => isUndecided(one) || one.status === "approved"

/** Whether this is the name that has to be typed for it. */
export const isTyped = ({ actuator }: Body, typed: string | undefined): boolean => typed?.trim() === nameOf(actuator)

/**
 * What is to be said of one proposal in one turn, as facts of which each stands for all before it: of voids there is one entry, and
 * those that it named before it goes on naming, for as long as their approvals stand.
 */
export const together = (world: World, deviceId: DeviceId, facts: ReadonlyArray<Fact>): ReadonlyArray<Fact> => {
  const isOne = (fact: Fact): fact is Extract<Fact, { readonly fact: "void" }> => fact.fact === "void"
  const voids = facts.filter(isOne)
  if (voids.length === 0) return facts
  const rest = facts.filter((fact) => !isOne(fact))
  return [
    ...rest,
    ...[...new Set(voids.map(({ id }) => id))].map((id): Fact => {
      const standing = approvalsOf(world, id).map(({ frameId }) => frameId)
      const before = voidsSaid(world, deviceId, id).filter(({ approval }) => standing.includes(approval))
      const now = voids.flatMap((fact) => (fact.id === id ? fact.voids : []))
      const earlier = before.filter(({ approval }) => !now.some((one) => one.approval === approval))
      return { fact: "void", id, voids: [...earlier, ...now].slice(-VOIDS_MAX) }
    })
  ]
}

/** What this device said last, be it signed already or not. */
const saidOf = ({ drafts, origins }: World, deviceId: DeviceId, fact: Fact["fact"], id: string): Plain => {
  const draft = drafts.findLast(({ data }) => data["metric"] === `${METRIC}${fact}` && data["zone"] === id)
  const origin = origins.find((one) => one.deviceId === deviceId)
  const data = draft?.data ?? (origin === undefined ? undefined : entryOf(origin, fact, id)?.frame.data)
  return isPlain(data?.["proposal"]) ? data["proposal"] : {}
}

const voidsSaid = (world: World, deviceId: DeviceId, id: string): ReadonlyArray<Void> => {
  const { voids } = saidOf(world, deviceId, "void", id)
  return Array.isArray(voids) ? voids.filter(isVoid) : []
}

/** What this device has said of who has to agree; `null`: nothing. */
export const levelSaid = (world: World, deviceId: DeviceId, id: string): Level | null => {
  const { level } = saidOf(world, deviceId, "level", id)
  return levels.includes(level as Level) ? (level as Level) : null
}

/** It keeps others for the same from being made: open, or done so recently. */
export const occupies = (one: Proposal, body: Body): boolean =>
  isSame(one.body, body) && (isOpen(one) || (one.status === "completed" && one.ageMs < AGAIN_MS))
