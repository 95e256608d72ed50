/**
 * Messages to a device or a capability, over as many others as it takes (`mesh.message.forward`; PROTOCOL.md part 15).
 *
 * The answer is the truth: `ok` comes only from the device that it was for, once a handler of its channel has taken the message.
 * Whoever carries it keeps who asked until the answer comes, the time is up, or the next one on the way is gone, and says so then.
 * The way is in the message: nobody is passed twice. Of one origin and key a handler is called once while the answer is
 * remembered; whoever asks again is told what came of it.
 *
 * Not here yet: commands to actuators. They are refused, whoever asks, until the node that owns the hardware can judge them.
 */
import { carries, roleOf } from "../Config.ts"
import { reply, type Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"
import { WAY_MAX, type DeviceId, type ForwardParams, type Frame, type Request } from "../wire/Frame.ts"
import { NEVER_MS } from "../Time.ts"
import type { Outcome } from "./Outcome.ts"
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
  readonly due: number
}

export const make = (): Routing => ({ pending: [], recent: [], tickets: 0, due: NEVER_MS })

const ID = "forward-"
/** Of what others say, in UTF-16 units. */
const ID_MAX = 128

const failed = (code: Code, message: string): Outcome => ({ ok: false, code, message })

const keyOf = (params: ForwardParams): string => `${params.originGatewayId} ${params.idempotencyKey}`

const tell = (asker: Asker, channel: string, outcome: Outcome, turn: Turn): void => {
  if (asker._tag === "Caller") {
    turn.out.push({ _tag: "Answered", call: asker.call, outcome })
    return
  }
  const { id, link } = asker
  const frame: Frame = outcome.ok
    ? { type: "res", id, ok: true, payload: { messageId: outcome.messageId, channel, by: outcome.by } }
    : { type: "res", id, ok: false, error: { code: outcome.code, message: outcome.message } }
  if (!outcome.ok) turn.facts.push({ _tag: "Refused", code: outcome.code })
  reply(turn, link, frame)
}

/** Our own operator, or a program of ours, has a message. */
export const onAsked = (
  routing: Routing,
  { call, params }: { readonly call: number; readonly params: ForwardParams },
  known: Known,
  turn: Turn
): Routing => take(routing, { _tag: "Caller", call }, params, known, turn)

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
  return take(
    routing,
    asker,
    { ...params, kernel: { deadlineMs: kernel?.deadlineMs ?? FORWARD_MS, path } },
    known,
    turn
  )
}

const refusalOf = (routing: Routing, params: ForwardParams): Outcome | null => {
  if (params.command !== undefined)
    return isEnvelope(params.command)
      ? failed("DELIVERY_FAILED", "commands are not carried out by this version")
      : failed("INVALID_COMMAND_ENVELOPE", "this is no command")
  if (params.message === undefined) return failed("INVALID_PARAMS", "there is no message in it")
  return routing.pending.length >= PENDING_MAX ? failed("RATE_LIMITED", "too many messages are under way here") : null
}

const isEnvelope = (command: unknown): boolean =>
  typeof command === "object" &&
  command !== null &&
  "version" in command &&
  command.version === 1 &&
  "kind" in command &&
  command.kind === "clawmesh.command" &&
  "commandId" in command &&
  typeof command.commandId === "string"

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
  return target === turn.config.deviceId
    ? deliver(routing, asker, params, key, turn)
    : forward(routing, asker, { ...params, to: target }, key, known, turn)
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
  turn: Turn
): Routing => {
  const { config } = turn
  const path = [...(params.kernel?.path ?? []), config.deviceId]
  const deadlineMs = Math.max(HOP_MS, (params.kernel?.deadlineMs ?? FORWARD_MS) - HOP_MS)
  const hop =
    path.length >= WAY_MAX || !(carries(config.role) || path.length === 1) ? null : nextHop(known, params.to, path)
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
  const { by, messageId } = (payload ?? {}) as { readonly by?: unknown; readonly messageId?: unknown }
  return typeof messageId === "string" && messageId.length <= ID_MAX
    ? { ok: true, messageId, by: typeof by === "string" ? by.slice(0, ID_MAX) : "" }
    : failed("DELIVERY_FAILED", "its answer does not read")
}

const CODES: ReadonlySet<string> = new Set<Code>([
  "LOOP_DETECTED",
  "INVALID_PARAMS",
  "INVALID_COMMAND_ENVELOPE",
  "RATE_LIMITED",
  "NOT_AUTHORIZED",
  "DELIVERY_FAILED",
  "TIMEOUT"
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
