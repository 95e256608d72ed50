/**
 * Programs that run on a machine beside its node: one asks another device again and again, one has something to say. What each has done
 * so far is in the life of the machine (Life.ts).
 */
import { commandOf, COMMANDS, leaseOf } from "../../kernel/actuation/Asking.ts"
import { isLease, type Fence } from "../../kernel/actuation/Envelope.ts"
import { DECISIONS, GUARDIAN } from "../../kernel/routing/Forwarding.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import { encode } from "../../kernel/wire/Codec.ts"
import { CAUSES_MAX, isPlain, type Plain } from "../../kernel/wire/ContextFrame.ts"
import { decisionOf, isReserved, proposalOf } from "../../kernel/proposals/Proposal.ts"
import type { KeyPair } from "../keys/FakeKeys.ts"
import * as Origin from "../../kernel/world/Origin.ts"
import { frameIdOf, has } from "./Emitted.ts"
import { type Metric, metrics } from "../hardware/Farm.ts"
import { shown } from "./Hardware.ts"
import type { Life, Sensing } from "./Life.ts"
import type { Machine } from "./Machine.ts"

/** The number of the program. */
export const ask = (machine: Machine, life: Life, deviceId: string, eachMs: number): number => {
  const asking = life.asks.size + 1
  life.asks.set(asking, { deviceId, eachMs, said: 0, stopped: false })
  askOnce(machine, life, asking)
  return asking
}

/** Past the kernel, which asks nobody: over the session that it has with that device. */
export const askOnce = (machine: Machine, { asks, links, process }: Life, asking: number): void => {
  const program = asks.get(asking)!
  if (program.stopped || !machine.running) return
  const { deviceId, eachMs, said } = program
  const session = machine.state()?.links.links.find((link) => link._tag === "Session" && link.peer === deviceId)
  const line = session === undefined || machine.frozen ? undefined : links.get(session.link)
  const { agenda, network, nowMs } = machine.world
  if (line !== undefined) {
    const text = encode({ type: "req", id: `ask-${said}`, method: "mesh.peers", params: {} })
    asks.set(asking, { ...program, said: said + 1 })
    network.send(line.connection, line.side, { _tag: "raw", text })
  }
  agenda.push(nowMs + eachMs, { _tag: "ask", machine: machine.index, process, asking })
}

/** Something that a program wants moved. */
export interface Wanted {
  /** The device that owns it. */
  readonly owner: string
  readonly actuator: string
  readonly state: string
  readonly forMs: number
  readonly evidence: ReadonlyArray<string>
  readonly intentId: string
  /** Under the lease that it got last, where it got one. */
  readonly underLast: boolean
}

/** Of an actuator, what a program needs of it. */
export type Leased = Pick<Fence, "epoch" | "journalId">

/** First a lease, then the command under its epoch. */
export const command = (machine: Machine, life: Life, want: Wanted): void => {
  const { leases, wanted } = life
  const { actuator, intentId, owner, underLast } = want
  const last = underLast ? leases.get(actuator) : undefined
  if (last !== undefined) return under(machine, want, last)
  const state = machine.state()
  const { clock, config, world } = machine
  const call = machine.askNode({
    channel: GUARDIAN,
    to: owner,
    originGatewayId: config.deviceId,
    idempotencyKey: `${intentId}/lease/${world.nowMs}`,
    message: state === null ? { lease: actuator } : leaseOf(state, actuator, clock.instant(world.nowMs))
  })
  wanted.set(call, want)
}

/** A yes, and the key with which the person signs it. */
export interface Decided {
  readonly id: string
  readonly by: string
  readonly typed: string | null
  readonly keys: KeyPair
}

/** First the guardian's word for what it is about, then what the person signs. */
export const approve = (machine: Machine, life: Life, want: Decided): void => {
  const state = machine.state()
  const mono = machine.clock.mono(machine.world.nowMs)
  const one = state === null ? null : proposalOf(state.world, state.config, want.id, mono)
  const call = machine.askNode({
    channel: DECISIONS,
    // Of what nobody knows it asks itself, and is told so.
    to: one?.body.guardian ?? machine.config.deviceId,
    originGatewayId: machine.config.deviceId,
    idempotencyKey: `${want.by}/${want.id}/${machine.world.nowMs}`,
    message: { token: want.id }
  })
  life.decided.set(call, want)
}

/** Whether it was the token for a yes, which is on its way now. */
const signs = (machine: Machine, { by, id, keys, typed }: Decided, outcome: Outcome): boolean => {
  const state = machine.state()
  const mono = machine.clock.mono(machine.world.nowMs)
  const one = state === null ? null : proposalOf(state.world, state.config, id, mono)
  if (one === null || !outcome.ok || !isPlain(outcome.result)) return false
  const { token } = outcome.result
  if (typeof token !== "string") return false
  const said = typed === null ? {} : { typed }
  const payload = decisionOf(machine.config, { id, body: one.body, token, by, ...said })
  const [signature] = machine.world.keys.sign(keys, [payload])
  const signed = { token, publicKey: keys.publicKey, signature: signature! }
  machine.decide({ id, approve: true, by, ...said, signed })
  return true
}

/** Whether it was the lease of a command, or the token for a yes, either of which is on its way now. */
export const answered = (machine: Machine, life: Life, call: number, outcome: Outcome): boolean => {
  const yes = life.decided.get(call)
  life.decided.delete(call)
  if (yes !== undefined) return signs(machine, yes, outcome)
  const { leases, wanted } = life
  const want = wanted.get(call)
  wanted.delete(call)
  if (want === undefined || !outcome.ok || !isLease(outcome.result)) return false
  const { epoch, journalId } = outcome.result
  leases.set(want.actuator, { epoch, journalId })
  under(machine, want, { epoch, journalId })
  return true
}

const under = (machine: Machine, want: Wanted, { epoch, journalId }: Leased): void => {
  const { actuator, evidence, forMs, intentId, owner, state } = want
  const { deviceId } = machine.config
  machine.askNode({
    channel: COMMANDS,
    to: owner,
    originGatewayId: deviceId,
    idempotencyKey: `${intentId}/${epoch}`,
    command: commandOf({
      actuator,
      state,
      commandId: intentId,
      createdAtMs: machine.clock.instant(machine.world.nowMs).wall,
      source: { nodeId: deviceId, role: machine.config.role },
      tier: "T2_operational_observation",
      evidence,
      fence: { intentId, journalId, epoch, forMs }
    })
  })
}

/** The number of the program. */
export const sense = (machine: Machine, life: Life, sensing: Omit<Sensing, "said" | "stopped">): number => {
  const number = life.senses.size + 1
  life.senses.set(number, { ...sensing, said: 0, stopped: false })
  senseOnce(machine, life, number)
  return number
}

/** As an instrument prints it. */
const DIGITS = 1

const sensed = ({ world }: Machine, { data, eachMs, measures, shows, times }: Sensing): Plain => {
  if (shows !== null) return { ...data, value: shown(world.machines, shows) }
  const { metric } = data
  if (measures === null || !isMetric(metric)) return data
  world.farmPasses()
  world.visible()
  const value = world.measured(measures, metric)
  const interval = times === 1 ? {} : { intervalMs: eachMs }
  return { ...data, ...interval, ...(value === null ? {} : { value: Number(value.toFixed(DIGITS)) }) }
}

const isMetric = (word: unknown): word is Metric => metrics.some((metric) => metric === word)

/** It goes on with the next process, as a sensor does. */
export const senseOnce = (machine: Machine, { process, senses }: Life, sensing: number): void => {
  const program = senses.get(sensing)!
  const { causes, eachMs, kind, name, said, stopped, times } = program
  if (stopped || said >= times) return
  if (machine.running) {
    const follows = causes === null ? [] : lately(machine, causes)
    senses.set(sensing, { ...program, said: said + 1 })
    machine.deliver({
      _tag: "Sensed",
      frameId: frameIdOf(name, machine.name, sensing, said + 1),
      kind,
      data: sensed(machine, program),
      ...(follows.length === 0 ? {} : { causes: follows })
    })
  }
  const { agenda, nowMs } = machine.world
  if (said + 1 < times || !machine.running)
    agenda.push(nowMs + Math.max(1, eachMs), { _tag: "sense", machine: machine.index, process, sensing })
}

/** What a planner rests on that was not told. */
const NEWEST = 2

/** What came last of what it knows of the world, but for what devices can do and what was proposed. */
export const newest = (machine: Machine): ReadonlyArray<string> =>
  (machine.state()?.world.origins ?? [])
    .flatMap((origin) => [...Origin.standing(origin)])
    .filter(({ frame: { data, kind } }) => kind !== "capability_update" && !isReserved(data))
    .sort((a, b) => b.nth - a.nth)
    .slice(0, NEWEST)
    .map(({ frame }) => frame.frameId)

/** The last frame of that name of each node, as far as it has it. */
export const lately = (machine: Machine, name: string): ReadonlyArray<string> => {
  const state = machine.state()
  if (state === null) return []
  const last = new Map<string, string>()
  for (const { last: frame } of machine.world.script.emitted.of(name))
    if (has(state, frame)) last.set(frame.sourceDeviceId, frame.frameId)
  return [...last.values()].slice(0, CAUSES_MAX)
}
