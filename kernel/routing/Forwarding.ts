/**
 * Messages to a device or a capability, over as many others as it takes (`mesh.message.forward`; PROTOCOL.md part 15).
 *
 * The answer is the truth: `ok` comes only from the device that it was for, once a handler of its channel has taken the message.
 * Whoever carries it keeps who asked until the answer comes, the time is up, or the next one on the way is gone, and says so then.
 * The way is in the message: nobody is passed twice. Of one origin and key a handler is called once while the answer is
 * remembered; whoever asks again is told what came of it.
 *
 * Commands to actuators, and questions for leases, go to the guardian of this node (actuation/Guardian.ts), over one session at most.
 */
import { carries, roleOf } from "../Config.ts"
import { reply, type Turn } from "../Turn.ts"
import { judge } from "../actuation/Gate.ts"
import { CALLS_FROM } from "../proposals/Proposals.ts"
import type { Contact, Session } from "../links/Link.ts"
import { codes, type Code } from "../wire/Codes.ts"
import { isPlain } from "../wire/ContextFrame.ts"
import { WAY_MAX, type DeviceId, type ForwardParams, type Frame, type Request } from "../wire/Frame.ts"
import { NEVER_MS } from "../Time.ts"
import { failed, type Outcome } from "./Outcome.ts"
import { nextHop, routes, type Known } from "./Routes.ts"

/** How long whoever asks waits for the answer, and what is left of it at least for it to be handed on. */
export const FORWARD_MS = 30_000
/** Messages that are under way over us, and answers that are remembered. */
export const PENDING_MAX = 256
export const RECENT_MAX = 512
/** Who wait for the answer to one message. */
const ASKERS_MAX = 4
/** So much sooner each further device gives up, so that the one before it can still tell. */
const HOP_MS = 500
/** Who owns an actuator grants leases on it here, and no handler of the machine's hears of it. */
export const GUARDIAN = "clawmesh.guardian"
/** And here it says what a proposal's actuator is like to whoever is about to decide (proposals/Carrying.ts). */
export const DECISIONS = "clawmesh.decisions"
/** Served by the kernel itself: whoever can be reached answers. */
export const ECHO = "clawmesh.echo"

/** Where the answer goes: to the link that asked, or to a caller of our own. */
type Asker =
  | { readonly _tag: "Link"; readonly link: number; readonly id: string }
  | { readonly _tag: "Caller"; readonly call: number }

interface Pending {
  readonly ticket: number
  /** Whoever asked, and asked again. */
  readonly askers: ReadonlyArray<Asker>
  readonly channel: string
  /** The link that it went out on; `null`: a handler of ours has it. */
  readonly link: number | null
  /** Of the origin and its key. */
  readonly key: string
  readonly until: number
}

export interface Routing {
  readonly pending: ReadonlyArray<Pending>
  readonly recent: ReadonlyArray<{ readonly key: string; readonly outcome: Outcome }>
  readonly tickets: number
  /** Said by our own programs so far. */
  readonly commands: number
  readonly due: number
}

export const make = (): Routing => ({ pending: [], recent: [], tickets: 0, commands: 0, due: NEVER_MS })

const ID = "forward-"
/** Of what others say, in UTF-16 units. */
const ID_MAX = 128

const keyOf = (params: ForwardParams): string => `${params.originGatewayId} ${params.idempotencyKey}`

const tell = (asker: Asker, channel: string, outcome: Outcome, turn: Turn): void => {
  if (asker._tag === "Caller" && asker.call >= CALLS_FROM) {
    turn.told.push({ call: asker.call, outcome })
    return
  }
  if (asker._tag === "Caller") {
    turn.out.push({ _tag: "Answered", call: asker.call, outcome })
    return
  }
  const { id, link } = asker
  const frame: Frame = outcome.ok
    ? { type: "res", id, ok: true, payload: { ...saidOf(outcome), channel } }
    : { type: "res", id, ok: false, error: { code: outcome.code, message: outcome.message } }
  if (!outcome.ok) turn.facts.push({ _tag: "Refused", code: outcome.code })
  reply(turn, link, frame)
}

const saidOf = ({ by, messageId, result }: Extract<Outcome, { readonly ok: true }>) =>
  result === undefined ? { messageId, by } : { messageId, by, result }

/** Our own operator, or a program of ours, has a message. */
export const onAsked = (
  routing: Routing,
  { call, params }: { readonly call: number; readonly params: ForwardParams },
  known: Known,
  turn: Turn
): Routing => {
  const commands = routing.commands + 1
  return take({ ...routing, commands }, { _tag: "Caller", call }, numbered(params, commands), known, turn)
}

/** Whichever program of ours said it: in the order in which they came, which is the one that their guardian keeps (P16.5). */
const numbered = (params: ForwardParams, n: number): ForwardParams => {
  const { command } = params
  const fence = isPlain(command) ? command["kernel"] : undefined
  return isPlain(command) && isPlain(fence) && fence["n"] === undefined
    ? { ...params, command: { ...command, kernel: { ...fence, n } } }
    : params
}

/** A peer has one, its own or another's. */
export const onRequest = (
  routing: Routing,
  request: Extract<Request, { readonly method: "mesh.message.forward" }>,
  peer: DeviceId,
  link: number,
  known: Known,
  turn: Turn
): Routing => {
  const { id, params } = request
  const asker: Asker = { _tag: "Link", link, id }
  const { config } = turn
  const { kernel, originGatewayId } = params
  const path = kernel?.path ?? [originGatewayId]
  if (originGatewayId === config.deviceId || path.includes(config.deviceId)) {
    tell(asker, params.channel, failed("LOOP_DETECTED", "it has been here before"), turn)
    return routing
  }
  // Whoever carries for others says so by the way; without one it speaks for itself.
  if (kernel === undefined ? false : path.at(-1) !== peer || path[0] !== originGatewayId) {
    tell(asker, params.channel, failed("INVALID_PARAMS", "the way that it names is not the way that it came"), turn)
    return routing
  }
  if (isOrder(params) && !isDirect(request, peer)) {
    tell(asker, params.channel, failed("NOT_AUTHORIZED", "a command comes over a session with its sender"), turn)
    return routing
  }
  return take(
    routing,
    asker,
    { ...params, kernel: { deadlineMs: kernel?.deadlineMs ?? FORWARD_MS, path } },
    known,
    turn
  )
}

/** Whoever sends it proved itself on the session that it came over, and nobody in between can have changed a word. */
const isDirect = ({ params }: { readonly params: ForwardParams }, peer: DeviceId): boolean =>
  params.originGatewayId === peer && (params.kernel?.path.length ?? 1) === 1

const refusalOf = (routing: Routing, params: ForwardParams): Outcome | null => {
  const { command, message } = params
  const { refused } = judge(params)
  if (refused !== null) return { ok: false, ...refused }
  if (command === undefined && message === undefined) return failed("INVALID_PARAMS", "there is no message in it")
  return routing.pending.length >= PENDING_MAX ? failed("RATE_LIMITED", "too many messages are under way here") : null
}

/** It is for whoever guards an actuator: a command, or the question for a lease. */
const isOrder = ({ channel, command }: ForwardParams): boolean => command !== undefined || channel === GUARDIAN

/** A question to the guardian that binds nobody: others may carry it. What is decided then is signed by whoever decided. */
const isQuestion = ({ channel, command }: ForwardParams): boolean => command === undefined && channel === DECISIONS

const take = (routing: Routing, asker: Asker, params: ForwardParams, known: Known, turn: Turn): Routing => {
  const { channel, to } = params
  const refused = refusalOf(routing, params)
  if (refused !== null) {
    tell(asker, channel, refused, turn)
    return routing
  }
  const key = keyOf(params)
  const before = routing.recent.find((one) => one.key === key)
  if (before !== undefined) {
    tell(asker, channel, before.outcome, turn)
    return routing
  }
  const underWay = routing.pending.find((one) => one.key === key)
  if (underWay !== undefined) return alsoFor(routing, underWay, asker, turn)
  const path = params.kernel?.path ?? []
  const target = isDevice(known, to) ? to : routes(known, to).find(({ deviceId }) => !path.includes(deviceId))?.deviceId
  if (target === undefined) return answered(routing, asker, channel, key, nobody(to), turn)
  if (target === turn.config.deviceId)
    return isOrder(params) || isQuestion(params)
      ? order(routing, asker, params, key, known, turn)
      : deliver(routing, asker, params, key, turn)
  if (isOrder(params) && sessionOf(known, target) === undefined)
    return answered(routing, asker, channel, key, failed("DELIVERY_FAILED", "there is no session with it"), turn)
  return forward(routing, asker, isOrder(params) ? params : { ...params, to: target }, key, known, turn, target)
}

/** The same has been asked before, and has no answer yet: it is for both. */
const alsoFor = (routing: Routing, pending: Pending, asker: Asker, turn: Turn): Routing => {
  if (pending.askers.length >= ASKERS_MAX) {
    tell(asker, pending.channel, failed("RATE_LIMITED", "it is asked too often"), turn)
    return routing
  }
  const more = { ...pending, askers: [...pending.askers, asker] }
  return { ...routing, pending: routing.pending.map((one) => (one === pending ? more : one)) }
}

const nobody = (to: string): Outcome =>
  failed("DELIVERY_FAILED", `nobody who is there can be reached as ${to.slice(0, 64)}`)

const isDevice = ({ config }: Known, to: string): boolean => roleOf(config, to) !== undefined

/** Nothing is remembered of what did not get anywhere: it may be tried again. */
const answered = (
  routing: Routing,
  asker: Asker,
  channel: string,
  key: string,
  outcome: Outcome,
  turn: Turn
): Routing => {
  tell(asker, channel, outcome, turn)
  if (!outcome.ok) return routing
  return { ...routing, recent: [...routing.recent.slice(-RECENT_MAX + 1), { key, outcome }] }
}

const deliver = (routing: Routing, asker: Asker, params: ForwardParams, key: string, turn: Turn): Routing => {
  const { channel, message, originGatewayId } = params
  if (channel === ECHO) {
    const outcome: Outcome = { ok: true, messageId: params.idempotencyKey, by: turn.config.deviceId }
    return answered(routing, asker, channel, key, outcome, turn)
  }
  const ticket = routing.tickets + 1
  turn.out.push({ _tag: "Deliver", ticket, channel, from: originGatewayId, message })
  return waiting(routing, { ticket, askers: [asker], channel, link: null, key, until: untilOf(params, turn) })
}

const sessionOf = ({ links }: Known, device: DeviceId): Session | undefined =>
  links.links.find((link): link is Session => link._tag === "Session" && link.peer === device)

/** To the guardian of this node. Only whoever has a session of its own, or calls here, gives orders. */
const order = (
  routing: Routing,
  asker: Asker,
  params: ForwardParams,
  key: string,
  known: Known,
  turn: Turn
): Routing => {
  const { config, incarnation } = turn
  const { originGatewayId } = params
  const own = asker._tag === "Caller"
  const deviceId = own ? config.deviceId : originGatewayId
  const session = own ? undefined : sessionOf(known, deviceId)
  const role = roleOf(config, deviceId)
  if (role === undefined || (!own && session === undefined && !isQuestion(params))) {
    const gone = failed("DELIVERY_FAILED", "its session is gone")
    return answered(routing, asker, params.channel, key, gone, turn)
  }
  const aheadMs = own ? turn.at.wall - turn.at.mono : (contactOf(known, deviceId)?.aheadMs ?? null)
  const ticket = routing.tickets + 1
  turn.orders.push({
    ticket,
    from: { deviceId, incarnation: session?.proven.incarnation ?? incarnation },
    role,
    params,
    calendarMs: aheadMs === null ? null : turn.at.mono + aheadMs
  })
  const until = untilOf(params, turn)
  return waiting(routing, { ticket, askers: [asker], channel: params.channel, link: null, key, until })
}

const contactOf = ({ links }: Known, device: DeviceId): Contact | undefined =>
  links.contacts.find(({ peer }) => peer === device)

/** The guardian has answered. */
export const onResult = (routing: Routing, ticket: number, outcome: Outcome, turn: Turn): Routing =>
  settle(routing, ticket, outcome.ok ? { ...outcome, messageId: messageIdOf(routing, ticket) } : outcome, turn)

const untilOf = ({ kernel }: ForwardParams, turn: Turn): number =>
  turn.at.mono + Math.min(FORWARD_MS, kernel?.deadlineMs ?? FORWARD_MS)

const waiting = (routing: Routing, pending: Pending): Routing => ({
  ...routing,
  tickets: pending.ticket,
  pending: [...routing.pending, pending]
})

const forward = (
  routing: Routing,
  asker: Asker,
  params: ForwardParams,
  key: string,
  known: Known,
  turn: Turn,
  target: DeviceId
): Routing => {
  const { config } = turn
  const path = [...(params.kernel?.path ?? []), config.deviceId]
  const deadlineMs = Math.max(HOP_MS, (params.kernel?.deadlineMs ?? FORWARD_MS) - HOP_MS)
  const hop =
    path.length >= WAY_MAX || !(carries(config.role) || path.length === 1) ? null : nextHop(known, target, path)
  if (hop === null) return answered(routing, asker, params.channel, key, nobody(params.to), turn)
  const ticket = routing.tickets + 1
  const frame: Frame = {
    type: "req",
    id: `${ID}${ticket}`,
    method: "mesh.message.forward",
    params: { ...params, kernel: { path, deadlineMs } }
  }
  turn.lower.push({ lane: "people", link: hop.link, frame })
  return waiting(routing, {
    ticket,
    askers: [asker],
    channel: params.channel,
    link: hop.link,
    key,
    until: untilOf(params, turn)
  })
}

const settle = (routing: Routing, ticket: number, outcome: Outcome, turn: Turn): Routing => {
  const pending = routing.pending.find((one) => one.ticket === ticket)
  if (pending === undefined) return routing
  const rest = { ...routing, pending: routing.pending.filter((one) => one !== pending) }
  const [first, ...others] = pending.askers
  for (const asker of others) tell(asker, pending.channel, outcome, turn)
  return first === undefined ? rest : answered(rest, first, pending.channel, pending.key, outcome, turn)
}

/** The next one on the way answers. */
export const onResponse = (
  routing: Routing,
  frame: Extract<Frame, { readonly type: "res" }>,
  link: number,
  turn: Turn
): Routing => {
  if (!frame.id.startsWith(ID)) return routing
  const ticket = Number(frame.id.slice(ID.length))
  if (routing.pending.find((one) => one.ticket === ticket)?.link !== link) return routing
  return settle(routing, ticket, frame.ok ? taken(frame.payload) : refused(frame.error), turn)
}

const taken = (payload: unknown): Outcome => {
  const { by, messageId, result } = (payload ?? {}) as { readonly [key: string]: unknown }
  return typeof messageId === "string" && messageId.length <= ID_MAX
    ? {
        ok: true,
        messageId,
        by: typeof by === "string" ? by.slice(0, ID_MAX) : "",
        ...(result === undefined ? {} : { result })
      }
    : failed("DELIVERY_FAILED", "its answer does not read")
}

const CODES: ReadonlySet<string> = new Set<Code>([
  "INVALID_PARAMS",
  "RATE_LIMITED",
  "NOT_AUTHORIZED",
  "TIMEOUT",
  "NOT_FOUND",
  ...codes.trust,
  ...codes.actuation
])

const refused = ({ code, message }: { readonly code: string; readonly message: string }): Outcome =>
  failed(CODES.has(code) ? (code as Code) : "DELIVERY_FAILED", message.slice(0, ID_MAX))

/** A handler of ours says whether it took it. */
export const onDelivered = (
  routing: Routing,
  { ok, reason, ticket }: { readonly ticket: number; readonly ok: boolean; readonly reason?: string },
  turn: Turn
): Routing => {
  const outcome: Outcome = ok
    ? { ok: true, messageId: messageIdOf(routing, ticket), by: turn.config.deviceId }
    : failed("DELIVERY_FAILED", (reason ?? "no handler took it").slice(0, ID_MAX))
  return settle(routing, ticket, outcome, turn)
}

/** Its key, which may have blanks; the id of its origin before it has none. */
const messageIdOf = ({ pending }: Routing, ticket: number): string => {
  const key = pending.find((one) => one.ticket === ticket)?.key ?? ""
  return key.slice(key.indexOf(" ") + 1)
}

/** Links that are gone, and time that is up. */
export const onTurn = (routing: Routing, woke: boolean, turn: Turn): Routing => {
  let next = routing
  for (let i = 0; i < turn.facts.length; i++) {
    const fact = turn.facts[i]!
    if (fact._tag !== "SessionDown") continue
    for (const { link, ticket } of next.pending)
      if (link === fact.link)
        next = settle(next, ticket, failed("DELIVERY_FAILED", "the next device on the way is gone"), turn)
  }
  if (woke)
    for (const { ticket, until } of next.pending)
      if (until <= turn.at.mono) next = settle(next, ticket, failed("TIMEOUT", "no answer in time"), turn)
  return next
}

export const withDue = (routing: Routing): Routing => {
  const due = routing.pending.reduce((first, { until }) => Math.min(first, until), NEVER_MS)
  return due === routing.due ? routing : { ...routing, due }
}
