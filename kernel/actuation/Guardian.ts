/**
 * The node that owns an actuator guards it (PROTOCOL.md part 16; B34 to B36; S2, S3, S13). Safety lives here: it needs no clock of
 * anybody else, no membership and no election.
 *
 * - One holder for each epoch of a group, and epochs only grow; nothing of a lower epoch moves anything.
 * - An intent is in the ledger before it moves anything, and moves it once. What was under way at a crash is never driven again.
 * - Whatever is not safe ends by itself: here, and at the actuator's own clock, which is given the same time.
 * - After a start, a hold, or a drive of which nobody knows what it did: the safe state.
 *
 * One drive is under way in a group at a time. Returns to the safe state wait for nothing but that one, and for no disk.
 *
 * Source of the fencing token: M. Burrows, "The Chubby lock service" (2006), sequencers.
 */
import { type Actuator, SET } from "./Actuator.ts"
import type { Envelope, Fence } from "./Envelope.ts"
import { judge, type Carried } from "./Gate.ts"
import * as Ledger from "./Ledger.ts"
import { NEVER_MS } from "../Time.ts"
import { note, type Order, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import { isPlain } from "../wire/ContextFrame.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** A lease, on the guardian's elapsed time; its holder uses half. And after a start nobody has one for so long. */
export const LEASE_MS = 10_000
/** The same for one actuator is done again only if that is meant. */
export const AGAIN_MS = 600_000
/** An intent is remembered for so long at least while the process runs: if there are more, nothing else is taken. */
export const REMEMBERED_MS = 86_400_000
/** A drive that has not told by then what it did: nobody knows. */
export const DRIVE_MS = 5_000
/** A drive to the safe state that failed is tried again after so long, twice as long after each failure more, and at most so long. */
export const RETRY_MS = 1_000
export const RETRY_MAX_MS = 60_000
/** Older than this by its sender's calendar: a command is not for now. */
const COMMAND_AGE_MAX_MS = 60_000
/** Who wait for what comes of one intent. */
const WAITING_MAX = 4

/** What waits for the disk. */
type Step =
  | { readonly _tag: "Granting"; readonly stored: number; readonly orders: ReadonlyArray<number>; readonly ref: string }
  | {
      readonly _tag: "Intending"
      readonly stored: number
      readonly orders: ReadonlyArray<number>
      readonly intent: Ledger.Intent
      readonly forMs: number
    }
  | {
      readonly _tag: "Effecting"
      readonly stored: number
      readonly orders: ReadonlyArray<number>
      readonly intent: Ledger.Intent
      readonly outcome: "done" | Code
    }

/** The drive that is under way. */
interface Move {
  readonly drive: number
  readonly actuator: string
  readonly state: string
  /** How long it may be so; `null`: it is safe. */
  readonly forMs: number | null
  readonly since: number
  /** `null`: by our own decision. */
  readonly intent: Ledger.Intent | null
  readonly orders: ReadonlyArray<number>
}

interface Place {
  readonly ref: string
  /** `null`: not known. */
  readonly state: string | null
  /** When it has to be safe again. */
  readonly until: number
  /** Why it is to be made safe next; `null`: it is not. */
  readonly recall: string | null
  /** And not before this. */
  readonly recallAt: number
  /** Drives that failed, in a row. */
  readonly failures: number
}

/** The hold, or the release, that is on its way to the disk, and who waits for it. */
interface Holding {
  readonly stored: number
  readonly orders: ReadonlyArray<number>
}

interface Guard {
  readonly group: string
  readonly holding: Holding | null
  readonly leaseUntil: number
  readonly step: Step | null
  readonly move: Move | null
  readonly places: ReadonlyArray<Place>
  /** When intents of the ledger began, as far as this process knows: those of others when it started. */
  readonly began: ReadonlyArray<{ readonly intentId: string; readonly at: number }>
}

/** What a person says of a group, or of all of them (`null`). */
export interface Word {
  readonly group: string | null
  readonly on: boolean
}

export interface Guardian {
  readonly guards: ReadonlyArray<Guard>
  readonly startedAt: number
  /** Drives of this process so far: what becomes of one is told by its number, maybe to a later life. */
  readonly drives: number
  /** Said before there was anything to hold: of each group the last word. */
  readonly words: ReadonlyArray<Word>
  readonly due: number
}

export const make = (): Guardian => ({ guards: [], startedAt: 0, drives: 0, words: [], due: NEVER_MS })

/** In the same process a new life begins: of the old one's drives nothing is waited for. */
export const anew = ({ drives, words }: Guardian): Guardian => ({ ...make(), drives, words })

const actuatorsOf = ({ config }: Turn): ReadonlyArray<Actuator> => config.actuators ?? []

const byRef = (turn: Turn, ref: string): Actuator | undefined => actuatorsOf(turn).find((one) => one.ref === ref)

const put = (turn: Turn, entry: Ledger.Entry): number => turn.persist({ _tag: "Guard", entry }, [])

/** A new process: whoever had a lease has none, whatever was under way is over, and all is made safe. */
export const open = ({ drives, words }: Guardian, turn: Turn, lost: boolean): Guardian => {
  const actuators = actuatorsOf(turn)
  if (actuators.length === 0) return make()
  const begins = turn.ledger() === undefined
  const forgot = begins && lost
  if (begins) put(turn, { _tag: "Guarding", journalId: turn.bootId })
  const groups = [...new Set(actuators.map(({ group }) => group))].sort()
  const guards = groups.map((group): Guard => {
    const { epoch, hold, intents } = Ledger.groupOf(turn.ledger(), group)
    put(turn, { _tag: "Granted", group, epoch: epoch + 1, holder: null })
    // What it did before is forgotten with the journal: a person has to look first.
    if (forgot) put(turn, { _tag: "Held", group, on: true })
    for (const { actuator, intentId, outcome } of intents) {
      if (outcome !== "started") continue
      put(turn, { _tag: "Effected", group, intentId, outcome: "OUTCOME_UNKNOWN" })
      note(turn, { event: "actuator.unknown", actuator, code: "OUTCOME_UNKNOWN", reason: "it stopped in the middle" })
    }
    if (hold || forgot) note(turn, { event: "actuator.hold", actuator: group, reason: "it is on hold" })
    const places = actuators
      .filter((one) => one.group === group)
      .map(({ ref }): Place => ({ ref, state: null, until: NEVER_MS, recall: "a start", recallAt: 0, failures: 0 }))
    const began = intents.map(({ intentId }) => ({ intentId, at: turn.at.mono }))
    return { group, holding: null, leaseUntil: -NEVER_MS, step: null, move: null, places, began }
  })
  const opened: Guardian = { guards, startedAt: turn.at.mono, drives, words: [], due: NEVER_MS }
  let guardian = goOn(opened, turn)
  // Who released it did not know yet that its journal is lost.
  for (const { group, on } of words) if (on || !forgot) guardian = onHold(guardian, group, on, turn)
  return guardian
}

// ------------------------------------------------------------------------------------------------ orders

const no = (turn: Turn, order: number, code: Code, message: string): void => {
  turn.facts.push({ _tag: "Refused", code })
  turn.results.push({ ticket: order, outcome: { ok: false, code, message } })
}

const refuse = (turn: Turn, { from, ticket }: Order, actuator: string, code: Code, message: string): null => {
  no(turn, ticket, code, message)
  note(turn, { event: "actuator.refused", about: from.deviceId, actuator, code, reason: message })
  return null
}

const yes = (turn: Turn, order: number, result: unknown): void => {
  turn.results.push({ ticket: order, outcome: { ok: true, messageId: "", by: turn.config.deviceId, result } })
}

/** Somebody asks for a lease, or a hold, or for a command to be carried out. */
export const onOrder = (guardian: Guardian, order: Order, turn: Turn): Guardian => {
  const { command, message } = order.params
  const holds = command === undefined ? wordIn(message, "hold") : ""
  if (holds !== "") return goOn(heldBy(guardian, holds, order, turn), turn)
  const ref = command === undefined ? wordIn(message, "lease") : ((command as Partial<Envelope>).target?.ref ?? "")
  const actuator = byRef(turn, ref)
  const guard = guardian.guards.find(({ group }) => group === actuator?.group)
  if (actuator === undefined || guard === undefined) {
    no(turn, order.ticket, "DELIVERY_FAILED", "this node owns no such actuator")
    return guardian
  }
  if (!actuator.askers.includes(order.role)) {
    refuse(turn, order, ref, "NOT_ALLOWED", `a ${order.role} may not move it`)
    return guardian
  }
  const next =
    command === undefined ? lease(guardian, guard, actuator, order, turn) : told(guard, actuator, order, turn)
  return next === null ? guardian : { ...guardian, guards: guardian.guards.map((one) => (one === guard ? next : one)) }
}

const wordIn = (message: unknown, key: "hold" | "lease"): string => {
  const word = isPlain(message) ? message[key] : ""
  return typeof word === "string" ? word : ""
}

/**
 * Somebody elsewhere holds the group of an actuator: whoever is trusted may, whatever its role, since nothing but the safe state
 * comes of it. Letting go is for a person at the guardian. Answered once it is stored.
 */
const heldBy = (guardian: Guardian, ref: string, { from, ticket }: Order, turn: Turn): Guardian => {
  const guard = guardian.guards.find(({ group }) => group === byRef(turn, ref)?.group)
  if (guard === undefined) {
    no(turn, ticket, "DELIVERY_FAILED", "this node owns no such actuator")
    return guardian
  }
  const { group, holding } = guard
  const isHeld = Ledger.groupOf(turn.ledger(), group).hold
  if (isHeld && holding === null) {
    yes(turn, ticket, { group })
    return guardian
  }
  const stands = isHeld ? guard : holdingOf(guard, true, turn, from.deviceId)
  const waits = { ...stands, holding: { ...stands.holding!, orders: [...stands.holding!.orders, ticket] } }
  return { ...guardian, guards: guardian.guards.map((one) => (one === guard ? waits : one)) }
}

const holdingOf = (guard: Guard, on: boolean, turn: Turn, by?: DeviceId): Guard => {
  const { group, places } = guard
  const stored = put(turn, { _tag: "Held", group, on })
  const about = by === undefined ? {} : { about: by }
  note(turn, { event: "actuator.hold", actuator: group, reason: on ? "on hold" : "released", ...about })
  const holding: Holding = { stored, orders: guard.holding?.orders ?? [] }
  const held = { ...guard, holding }
  return on ? { ...held, places: places.map((place) => ({ ...place, recall: "a hold", recallAt: 0 })) } : held
}

/** The hold is stored; or somebody at the guardian let go meanwhile. */
const toldHeld = (guard: Guard, { orders }: Holding, turn: Turn): Guard => {
  const { group } = guard
  const { hold } = Ledger.groupOf(turn.ledger(), group)
  for (const order of orders)
    if (hold) yes(turn, order, { group })
    else no(turn, order, "TARGET_CHANGED", "a person at it let go meanwhile")
  return { ...guard, holding: null }
}

const isHolder = (holder: Ledger.Holder | null, from: Ledger.Holder): boolean =>
  holder !== null && holder.deviceId === from.deviceId && holder.incarnation === from.incarnation

/** Free or run out, it is granted; to the same holder it goes on. */
const lease = ({ startedAt }: Guardian, guard: Guard, actuator: Actuator, order: Order, turn: Turn): Guard | null => {
  const { epoch, holder } = Ledger.groupOf(turn.ledger(), guard.group)
  const { mono } = turn.at
  if (mono - startedAt < LEASE_MS)
    return refuse(turn, order, actuator.ref, "TARGET_BUSY", "it has just started: whoever held it may still act")
  if (isHolder(holder, order.from) && guard.step?._tag !== "Granting") {
    yes(turn, order.ticket, leaseResult(guard, actuator.ref, turn))
    return { ...guard, leaseUntil: mono + LEASE_MS }
  }
  if (guard.leaseUntil > mono || guard.step?._tag === "Granting")
    return refuse(turn, order, actuator.ref, "TARGET_BUSY", "another one holds it")
  if (guard.step !== null || guard.move !== null)
    return refuse(turn, order, actuator.ref, "TARGET_BUSY", "it is moving")
  const stored = put(turn, { _tag: "Granted", group: guard.group, epoch: epoch + 1, holder: order.from })
  return {
    ...guard,
    leaseUntil: mono + LEASE_MS,
    step: { _tag: "Granting", stored, orders: [order.ticket], ref: actuator.ref }
  }
}

const leaseResult = ({ group, places }: Guard, ref: string, turn: Turn) => ({
  group,
  epoch: Ledger.groupOf(turn.ledger(), group).epoch,
  journalId: turn.ledger()?.journalId ?? "",
  ttlMs: LEASE_MS,
  state: places.find((one) => one.ref === ref)?.state ?? "unknown"
})

/** In this order: trust, what was done before, hold, journal, epoch and holder, age, again, state. */
const told = (guard: Guard, actuator: Actuator, order: Order, turn: Turn): Guard | null => {
  const { ref } = actuator
  const carried: Carried = order.params
  const judged = judge(carried, actuator.demand)
  if (judged.refused !== null) return refuse(turn, order, ref, judged.refused.code, judged.refused.message)
  const envelope = judged.envelope!
  const fence = envelope.kernel
  if (fence === undefined)
    return refuse(turn, order, ref, "VERIFICATION_REQUIRED", "without a lease only a person's decision moves it")
  const group = Ledger.groupOf(turn.ledger(), guard.group)
  const before = group.intents.find(({ intentId }) => intentId === fence.intentId)
  if (before !== undefined) return again(guard, before, order, turn)
  const state = envelope.operation.params?.["state"]
  if (envelope.operation.name !== SET || typeof state !== "string" || !actuator.states.includes(state))
    return refuse(turn, order, ref, "NOT_ALLOWED", "it can be set to a state of its own, and to nothing else")
  const why = unfit(guard, group, actuator, envelope, fence, state, order, turn)
  if (why !== null) return refuse(turn, order, ref, why[0], why[1])
  const intent: Ledger.Intent = {
    intentId: fence.intentId,
    actuator: ref,
    state,
    epoch: fence.epoch,
    outcome: "started"
  }
  const stored = put(turn, { _tag: "Intended", group: guard.group, intent })
  const began = [...guard.began, { intentId: fence.intentId, at: turn.at.mono }].slice(-Ledger.INTENTS_MAX)
  const step: Step = { _tag: "Intending", stored, orders: [order.ticket], intent, forMs: fence.forMs }
  return { ...guard, began, step }
}

const unfit = (
  guard: Guard,
  group: Ledger.Group,
  actuator: Actuator,
  envelope: Envelope,
  fence: Fence,
  state: string,
  order: Order,
  turn: Turn
): readonly [Code, string] | null => {
  const { mono } = turn.at
  const isSafe = state === actuator.safe
  if (group.hold && !isSafe) return ["ON_HOLD", "a person holds it"]
  if (fence.journalId !== turn.ledger()?.journalId) return ["TARGET_CHANGED", "its journal is another one"]
  if (fence.epoch !== group.epoch || !isHolder(group.holder, order.from) || guard.leaseUntil <= mono)
    return ["STALE_EPOCH", `epoch ${group.epoch} is in force, and not of this sender`]
  if (order.calendarMs !== null && order.calendarMs - envelope.createdAtMs > COMMAND_AGE_MAX_MS)
    return ["EXPIRED_COMMAND", "it was made too long ago"]
  if (!isSafe && (fence.forMs === 0 || fence.forMs > actuator.forMsMax))
    return ["NOT_ALLOWED", `it may be so for ${actuator.forMsMax} ms at most, and for as long as is said`]
  if (!isSafe && fence.again !== true && wasDone(guard, group, actuator.ref, state, mono))
    return ["DUPLICATE_PROPOSAL", "the same was done within ten minutes"]
  const now = guard.places.find(({ ref }) => ref === actuator.ref)
  if (fence.when !== undefined && now?.state !== fence.when)
    return ["PRECONDITION_FAILED", `it is ${now?.state ?? "in an unknown state"}`]
  if (isBusy(guard) || guard.step !== null) return ["TARGET_BUSY", "it is moving"]
  const oldest = guard.began[0]
  if (group.intents.length >= Ledger.INTENTS_MAX && oldest !== undefined && mono - oldest.at < REMEMBERED_MS)
    return ["RATE_LIMITED", "too much was done to it within a day"]
  return null
}

const isBusy = ({ move, places }: Guard): boolean => move !== null || places.some(({ recall }) => recall !== null)

const wasDone = ({ began }: Guard, { intents }: Ledger.Group, ref: string, state: string, now: number): boolean =>
  intents.some(
    (one) =>
      one.actuator === ref &&
      one.state === state &&
      now - (began.find(({ intentId }) => intentId === one.intentId)?.at ?? -NEVER_MS) < AGAIN_MS
  )

/** The same intent as before: what came of it, or, while it is under way, what will. */
const again = (guard: Guard, before: Ledger.Intent, order: Order, turn: Turn): Guard | null => {
  if (before.outcome === "done") {
    yes(turn, order.ticket, { state: before.state })
    return null
  }
  if (before.outcome !== "started")
    return refuse(turn, order, before.actuator, before.outcome, "so it was when it was tried")
  const { move, step } = guard
  const more = (orders: ReadonlyArray<number>) => [...orders, order.ticket].slice(0, WAITING_MAX)
  if (move !== null && move.intent?.intentId === before.intentId && move.orders.length < WAITING_MAX)
    return { ...guard, move: { ...move, orders: more(move.orders) } }
  if (step !== null && step._tag !== "Granting" && step.orders.length < WAITING_MAX)
    return { ...guard, step: { ...step, orders: more(step.orders) } }
  return refuse(turn, order, before.actuator, "TARGET_BUSY", "it is under way")
}

// ------------------------------------------------------------------------------------------------ what happens

/** A person holds a group, or all of them, or lets go. */
export const onHold = (guardian: Guardian, only: string | null, on: boolean, turn: Turn): Guardian => {
  const guards = guardian.guards.map((guard): Guard => {
    if (only !== null && only !== guard.group) return guard
    if (Ledger.groupOf(turn.ledger(), guard.group).hold === on) return guard
    return holdingOf(guard, on, turn)
  })
  return goOn({ ...guardian, guards }, turn)
}

/** The same where it still boots, or asks who it was: it takes effect as soon as there is something to hold. */
export const onWord = (guardian: Guardian, { group, on }: Word, turn: Turn): Guardian => {
  const isOurs = group === null || actuatorsOf(turn).some((one) => one.group === group)
  if (!isOurs) return guardian
  const rest = group === null ? [] : guardian.words.filter((word) => word.group !== group)
  return { ...guardian, words: [...rest, { group, on }] }
}

const each = (guardian: Guardian, change: (guard: Guard) => Guard): Guardian => {
  const guards = guardian.guards.map(change)
  return guards.every((guard, i) => guard === guardian.guards[i]) ? guardian : { ...guardian, guards }
}

/** A record is on the disk. */
export const onStored = (guardian: Guardian, ticket: number, turn: Turn): Guardian => {
  let { drives } = guardian
  const told = each(guardian, (guard) =>
    guard.holding?.stored === ticket ? toldHeld(guard, guard.holding, turn) : guard
  )
  const next = each(told, (guard) => {
    const { step } = guard
    if (step === null || step.stored !== ticket) return guard
    const free: Guard = { ...guard, step: null }
    switch (step._tag) {
      case "Granting": {
        const { epoch, holder } = Ledger.groupOf(turn.ledger(), guard.group)
        for (const order of step.orders) yes(turn, order, leaseResult(guard, step.ref, turn))
        if (holder !== null)
          note(turn, { event: "actuator.lease", about: holder.deviceId, actuator: guard.group, count: epoch })
        return free
      }
      case "Effecting":
        for (const order of step.orders)
          if (step.outcome === "done") yes(turn, order, { state: step.intent.state })
          else no(turn, order, step.outcome, "so it turned out")
        return free
      case "Intending": {
        const { forMs, intent, orders } = step
        const { actuator, epoch, intentId, state } = intent
        const isSafe = state === byRef(turn, actuator)?.safe
        // What came meanwhile, such as a hold, comes first: then it never moves.
        if (Ledger.groupOf(turn.ledger(), guard.group).hold && !isSafe)
          return effect(free, intent, orders, "ON_HOLD", turn)
        if (isBusy(guard)) return effect(free, intent, orders, "TARGET_BUSY", turn)
        drives++
        const drive = { drive: drives, actuator, state, forMs: isSafe ? null : forMs, intentId, epoch }
        return driving(free, drive, intent, orders, turn)
      }
    }
  })
  return goOn(drives === guardian.drives ? next : { ...next, drives }, turn)
}

interface Drive {
  readonly drive: number
  readonly actuator: string
  readonly state: string
  readonly forMs: number | null
  readonly intentId: string | null
  readonly epoch: number | null
}

const driving = (
  guard: Guard,
  { drive, ...what }: Drive,
  intent: Ledger.Intent | null,
  orders: ReadonlyArray<number>,
  turn: Turn
): Guard => {
  turn.out.push({ _tag: "Drive", ticket: drive, ...what })
  const { actuator, forMs, state } = what
  return { ...guard, move: { drive, actuator, state, forMs, since: turn.at.mono, intent, orders } }
}

/** The result goes to the disk, and then to whoever asked. */
const effect = (
  guard: Guard,
  intent: Ledger.Intent,
  orders: ReadonlyArray<number>,
  outcome: "done" | Code,
  turn: Turn
): Guard => {
  const { group } = guard
  const { actuator, intentId, state } = intent
  const stored = put(turn, { _tag: "Effected", group, intentId, outcome })
  note(turn, {
    event: outcome === "done" ? "actuator.done" : "actuator.failed",
    actuator,
    reason: state,
    ...(outcome === "done" ? {} : { code: outcome })
  })
  return { ...guard, step: { _tag: "Effecting", stored, orders, intent, outcome } }
}

const placed = (guard: Guard, ref: string, change: Partial<Place>): Guard => ({
  ...guard,
  places: guard.places.map((place) => (place.ref === ref ? { ...place, ...change } : place))
})

/** The actuator says what it did. */
export const onDriven = (guardian: Guardian, ticket: number, ok: boolean, turn: Turn): Guardian =>
  goOn(
    each(guardian, (guard) => {
      const { move } = guard
      if (move?.drive !== ticket) return guard
      return settled(guard, move, ok ? "done" : "DELIVERY_FAILED", turn)
    }),
    turn
  )

const settled = (guard: Guard, move: Move, outcome: "done" | Code, turn: Turn): Guard => {
  const { actuator, forMs, intent, orders, since, state } = move
  const until = forMs === null ? NEVER_MS : since + forMs
  const place = guard.places.find(({ ref }) => ref === actuator)
  const failures = (place?.failures ?? 0) + 1
  // At once the first time: it may be open now. A program that is not there fails each time, and as fast as it is asked.
  // What came while it moved, such as a hold, waits for nothing else.
  const atOnce = failures === 1 || (place !== undefined && place.recall !== null)
  const waitMs = atOnce ? 0 : Math.min(RETRY_MAX_MS, RETRY_MS << Math.min(6, failures - 2))
  const known =
    outcome === "done"
      ? { state, until, failures: 0 }
      : { state: null, until: NEVER_MS, recall: "a drive that failed", recallAt: turn.at.mono + waitMs, failures }
  const after = placed({ ...guard, move: null }, actuator, known)
  if (intent !== null) return effect(after, intent, orders, outcome, turn)
  if (outcome === "done") note(turn, { event: "actuator.safe", actuator, reason: state })
  else note(turn, { event: "actuator.failed", actuator, code: outcome, reason: state })
  return after
}

/** What is over time. */
export const onTime = (guardian: Guardian, turn: Turn): Guardian => {
  const { mono } = turn.at
  return goOn(
    each(guardian, (guard) => {
      const { move } = guard
      let next = guard
      if (move !== null && move.since + DRIVE_MS <= mono) next = settled(guard, move, "OUTCOME_UNKNOWN", turn)
      for (const { ref, until } of next.places)
        if (until <= mono) next = placed(next, ref, { until: NEVER_MS, recall: "its time", recallAt: 0 })
      return next
    }),
    turn
  )
}

/** Makes safe what is to be, where nothing moves. */
const goOn = (guardian: Guardian, turn: Turn): Guardian => {
  let { drives } = guardian
  const next = each(guardian, (guard) => {
    const isDue = ({ recall, recallAt }: Place): boolean => recall !== null && recallAt <= turn.at.mono
    const place = guard.move === null ? guard.places.find(isDue) : undefined
    const actuator = place === undefined ? undefined : byRef(turn, place.ref)
    if (place === undefined || actuator === undefined) return guard
    drives++
    const { ref, safe } = actuator
    note(turn, { event: "actuator.recalled", actuator: ref, reason: place.recall! })
    const drive = { drive: drives, actuator: ref, state: safe, forMs: null, intentId: null, epoch: null }
    return driving(placed(guard, ref, { recall: null, until: NEVER_MS }), drive, null, [], turn)
  })
  return withDue(drives === guardian.drives ? next : { ...next, drives })
}

/**
 * It leaves, and waits for nothing more: what is open is made safe, but for a group in which something moves. That one's own clock
 * makes it safe: two drives at once might end in the wrong order.
 */
export const leave = ({ drives, guards }: Guardian, turn: Turn): void => {
  let drive = drives
  for (const { move, places } of guards)
    for (const { ref, state } of move === null ? places : []) {
      const actuator = byRef(turn, ref)
      if (actuator === undefined || state === actuator.safe) continue
      note(turn, { event: "actuator.recalled", actuator: ref, reason: "this node leaves" })
      drive++
      turn.out.push({
        _tag: "Drive",
        ticket: drive,
        actuator: ref,
        state: actuator.safe,
        forMs: null,
        intentId: null,
        epoch: null
      })
    }
}

const withDue = (guardian: Guardian): Guardian => {
  let due = NEVER_MS
  for (const { move, places } of guardian.guards) {
    if (move !== null) due = Math.min(due, move.since + DRIVE_MS)
    for (const { recall, recallAt, until } of places) {
      due = Math.min(due, until)
      if (move === null && recall !== null) due = Math.min(due, recallAt)
    }
  }
  return due === guardian.due ? guardian : { ...guardian, due }
}
