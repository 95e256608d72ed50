/**
 * One schedule under all rules at once: each has planners of its own on the same machines, and a valve of its own, so that the same
 * strikes at the same moment. What a planner's program sends goes through its node, over the mesh, as any message does.
 *
 * A job comes up every few seconds, and both planners see it. Whoever may act by its rule thinks for a while, and orders the valve open,
 * and closed again; what is not answered is ordered again, and a job of which nobody has heard for too long is left. Whoever begins to
 * have authority takes up what is still fresh. Nobody asks again whether it still may between thinking and sending; the lease is looked
 * at when the order is sent.
 */
import { commandOf, COMMANDS, leaseOf } from "../../kernel/actuation/Asking.ts"
import { isLease, type Fence } from "../../kernel/actuation/Envelope.ts"
import { LEASE_MS } from "../../kernel/actuation/Guard.ts"
import type { Entry } from "../../kernel/actuation/Ledger.ts"
import { between } from "../../kernel/Draw.ts"
import type { Input } from "../../kernel/Input.ts"
import { GUARDIAN as GUARDIAN_CHANNEL } from "../../kernel/routing/Forwarding.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import { isPlain } from "../../kernel/wire/ContextFrame.ts"
import type { ForwardParams } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../../sim/engine/Machine.ts"
import { World } from "../../sim/engine/World.ts"
import type { Scenario } from "../../sim/scenario/Scenario.ts"
import { GUARDIAN, PLANNERS, VALVE } from "./Schedule.ts"
import { Guarded, rules, type Rule } from "./Rules.ts"
import { faultsOf, type Effect, type Faults, type Order } from "./Valve.ts"

/** A job is for now, or for nothing. */
const FRESH_MS = 20_000
/** Whoever could act for so long in one piece while a job was fresh could have done it. */
const REACHED_MS = 3_000
/** An order that nobody answers is given up, and given again. */
const ANSWER_MS = 6_000
const AGAIN_MS = 1_000
const OPEN_MS = 1_500

export interface Jobs {
  readonly fromMs: number
  readonly untilMs: number
  readonly eachMs: number
  /** How long a planner thinks about one, at most. */
  readonly thinksMs: number
  /** How often it looks whether there is something to do. */
  readonly tickMs: number
}

export interface Result extends Faults {
  readonly rule: string
  /** Jobs whose first order moved the valve. */
  readonly executed: number
  /** Of those that could be done: how many were, and how many could. */
  readonly executedOfReached: number
  readonly reached: number
  readonly orders: number
  readonly effects: ReadonlyArray<Effect>
}

interface Job {
  readonly name: string
  readonly atMs: number
}

/** One planner's work on one job. */
interface Work {
  readonly job: Job
  stage: "open" | "close" | "done"
  /** Not before this. */
  nextMs: number
  /** An order is out until then; 0: none is. */
  waitsUntilMs: number
  /** Number of the call that it waits for. */
  call: number
}

class Planner {
  readonly machine: Machine
  readonly rule: Rule
  readonly works = new Map<string, Work>()
  acted = false
  tenure = 0
  bootId = ""
  /** Of the guardian of ours: used for half of its time. */
  lease: (Pick<Fence, "epoch" | "journalId"> & { readonly untilMs: number }) | null = null
  /** It asks for one, and has nothing else to ask until then. */
  asksUntilMs = 0

  constructor(machine: Machine, rule: Rule) {
    this.machine = machine
    this.rule = rule
  }
}

export class Authority {
  private readonly world: World
  private readonly seed: number
  private readonly jobs: ReadonlyArray<Job>
  private readonly thinksMs: number
  private readonly tickMs: number
  private readonly planners: ReadonlyArray<Planner>
  private readonly effects = new Map<string, Array<Effect>>(rules.map(({ name }) => [name, []]))
  private readonly valves = new Map<string, Guarded>(rules.map((rule) => [rule.name, new Guarded(rule)]))
  private readonly orders = new Map<string, number>()
  /** Of ours: as they were sent, by command; and as its guardian took them, by intent. */
  private readonly sent = new Map<string, Order>()
  private readonly taken = new Map<string, Order>()
  private asked = 0
  private readonly waiting = new Map<string, (outcome: Outcome) => void>()
  /** Since when somebody could act, by job: the longest piece. */
  private reachedSinceMs = Number.POSITIVE_INFINITY
  private readonly reached = new Map<string, number>()

  constructor(scenario: Scenario, seed: number, { eachMs, fromMs, thinksMs, tickMs, untilMs }: Jobs) {
    this.seed = seed
    this.thinksMs = thinksMs
    this.tickMs = tickMs
    this.jobs = Array.from({ length: Math.floor((untilMs - fromMs) / eachMs) }, (_, n) => ({
      name: `job-${n}`,
      atMs: fromMs + n * eachMs
    }))
    this.world = new World({
      scenario,
      seed,
      withoutHash: true,
      onStep: (machine, input, commands) => {
        for (const command of commands) {
          if (command._tag === "Answered") this.answered(machine, command.call, command.outcome)
          if (command._tag === "Deliver" && machine.name === GUARDIAN) this.arrived(command.channel, command.message)
          if (command._tag === "Drive" && command.intentId !== null) this.drove(command.intentId)
          if (command._tag === "Persist" && command.record._tag === "Guard") this.begun(input, command.record.entry)
        }
      }
    })
    this.planners = rules.flatMap((rule) =>
      PLANNERS.map(
        (name) =>
          new Planner(
            this.world.machines.find((machine) => machine.name === name)!,
            rule
          )
      )
    )
    this.tick(fromMs)
  }

  private get guardian(): Machine {
    return this.world.machines.find(({ name }) => name === GUARDIAN)!
  }

  private tick(atMs: number): void {
    this.world.agenda.push(atMs, {
      _tag: "call",
      run: () => {
        this.look()
        for (const planner of this.planners) this.plan(planner)
        this.tick(atMs + this.tickMs)
      }
    })
  }

  /** Whether a leader and the guardian can reach each other now, and neither stands still. */
  private look(): void {
    const { guardian } = this
    const { nowMs } = this.world
    const can =
      guardian.running &&
      !guardian.frozen &&
      PLANNERS.some((name) => {
        const machine = this.world.machines.find((one) => one.name === name)!
        const state = machine.state()
        if (state === null || !machine.running || machine.frozen) return false
        const there = (node: NonNullable<typeof state>, deviceId: string): boolean =>
          node.membership.members.some((one) => one.deviceId === deviceId && one.good && one.link !== null)
        const far = guardian.state()
        return (
          rules.at(-1)!.mayAct(state, machine.clock.mono(nowMs)) &&
          there(state, guardian.config.deviceId) &&
          far !== null &&
          there(far, machine.config.deviceId)
        )
      })
    if (!can) {
      this.reachedSinceMs = Number.POSITIVE_INFINITY
      return
    }
    this.reachedSinceMs = Math.min(this.reachedSinceMs, nowMs)
    for (const { atMs, name } of this.jobs)
      if (atMs <= nowMs && nowMs < atMs + FRESH_MS) {
        const forMs = nowMs - Math.max(atMs, this.reachedSinceMs)
        this.reached.set(name, Math.max(this.reached.get(name) ?? 0, forMs))
      }
  }

  private plan(planner: Planner): void {
    const { machine, rule } = planner
    const state = machine.state()
    if (state === null || !machine.running || machine.frozen || state.phase !== "running") return
    // What a program knew is gone with its process.
    if (planner.bootId !== state.bootId) {
      planner.works.clear()
      planner.lease = null
      planner.asksUntilMs = 0
    }
    planner.bootId = state.bootId
    const { nowMs } = this.world
    const mayAct = rule.mayAct(state, machine.clock.mono(nowMs))
    if (mayAct && !planner.acted) planner.tenure++
    planner.acted = mayAct
    if (!mayAct) return
    for (const job of this.jobs) {
      if (job.atMs > nowMs || nowMs >= job.atMs + FRESH_MS) continue
      const work = planner.works.get(job.name) ?? this.begin(planner, job)
      if (work.stage === "done" || work.nextMs > nowMs || work.waitsUntilMs > nowMs) continue
      this.order(planner, work)
    }
  }

  /** A planner thinks before it acts. */
  private begin({ machine, rule, works }: Planner, job: Job): Work {
    const thinksMs = between(this.seed, "thinks", `${machine.name} ${rule.name} ${job.name}`, 0, 0, this.thinksMs)
    const work: Work = { job, stage: "open", nextMs: this.world.nowMs + thinksMs, waitsUntilMs: 0, call: 0 }
    works.set(job.name, work)
    return work
  }

  private order(planner: Planner, work: Work): void {
    const { rule } = planner
    const intent = `${work.job.name}/${work.stage}`
    work.waitsUntilMs = this.world.nowMs + ANSWER_MS
    const told = (outcome: Outcome): void => {
      work.waitsUntilMs = 0
      const isOver = outcome.ok || outcome.code === "ALREADY_DECIDED"
      if (!isOver) work.nextMs = this.world.nowMs + AGAIN_MS
      else if (work.stage === "open") {
        work.stage = "close"
        work.nextMs = this.world.nowMs + OPEN_MS
      } else work.stage = "done"
    }
    if (rule.refuses === "ours") this.command(planner, work, intent, told)
    else {
      const said = this.said(planner, intent, rule.tenureOf?.(planner.machine.state()!) ?? planner.tenure)
      this.ask(planner, work, { channel: `valve ${rules.indexOf(rule)}`, message: { ...said } }, told)
    }
  }

  private said({ machine, rule }: Planner, intent: string, tenure: number): Order {
    this.orders.set(rule.name, (this.orders.get(rule.name) ?? 0) + 1)
    return { intent, planner: machine.name, tenure, saidMs: this.world.nowMs }
  }

  /** Under a lease of the guardian, which whoever leads has by its certificate. */
  private command(planner: Planner, work: Work, intent: string, told: (outcome: Outcome) => void): void {
    const { lease, machine } = planner
    if (lease === null || lease.untilMs <= this.world.nowMs) {
      if (planner.asksUntilMs <= this.world.nowMs) return this.lease(planner, work, intent, told)
      work.waitsUntilMs = 0
      return
    }
    const { epoch, journalId } = lease
    const order = this.said(planner, intent, epoch)
    const commandId = `${intent}#${this.sent.size}`
    this.sent.set(commandId, order)
    const command = commandOf({
      actuator: VALVE,
      state: intent.endsWith("/open") ? "open" : "closed",
      commandId,
      createdAtMs: machine.clock.instant(this.world.nowMs).wall,
      tier: "T2_operational_observation",
      evidence: ["sensor"],
      // Each job means it, though the same was done just now.
      fence: { intentId: intent, journalId, epoch, forMs: 10_000, n: this.sent.size, again: true }
    })
    this.ask(planner, work, { channel: COMMANDS, command }, (outcome) => {
      if (!outcome.ok && outcome.code !== "TARGET_BUSY" && planner.lease === lease) planner.lease = null
      told(outcome)
    })
  }

  private lease(planner: Planner, work: Work, intent: string, told: (outcome: Outcome) => void): void {
    const { machine } = planner
    const state = machine.state()!
    const message = leaseOf(state, VALVE, machine.clock.instant(this.world.nowMs))
    planner.asksUntilMs = this.world.nowMs + ANSWER_MS
    this.ask(planner, work, { channel: GUARDIAN_CHANNEL, message }, (outcome) => {
      planner.asksUntilMs = 0
      if (!outcome.ok || !isLease(outcome.result)) return told(outcome)
      planner.lease = { ...outcome.result, untilMs: this.world.nowMs + LEASE_MS / 2 }
      this.command(planner, work, intent, told)
    })
  }

  private ask(
    { machine }: Planner,
    work: Work,
    what: Pick<ForwardParams, "channel" | "message" | "command">,
    then: (outcome: Outcome) => void
  ): void {
    if (!machine.running) return
    const { deviceId } = machine.config
    const to = this.guardian.config.deviceId
    const idempotencyKey = `${machine.name} ${++this.asked}`
    const call = machine.askNode({ to, originGatewayId: deviceId, idempotencyKey, ...what })
    work.call = call
    // Unless a later order has taken its place.
    this.waiting.set(`${machine.name} ${call}`, (outcome) => (work.call === call ? then(outcome) : undefined))
  }

  /** After this step, not in the middle of it. */
  private answered({ name }: Machine, call: number, outcome: Outcome): void {
    this.world.agenda.push(this.world.nowMs, {
      _tag: "call",
      run: () => {
        const then = this.waiting.get(`${name} ${call}`)
        this.waiting.delete(`${name} ${call}`)
        then?.(outcome)
      }
    })
  }

  /** An order of another rule than ours reaches its valve. */
  private arrived(channel: string, message: unknown): void {
    const rule = channel.startsWith("valve ") ? rules[Number(channel.slice("valve ".length))] : undefined
    if (rule === undefined || !isPlain(message)) return
    const order = message as unknown as Order
    if (this.valves.get(rule.name)!.takes(order))
      this.effects.get(rule.name)!.push({ ...order, atMs: this.world.nowMs })
  }

  /** The guardian of ours takes an order: the one that it has just heard. */
  private begun(input: Input, entry: Entry): void {
    if (entry._tag !== "Intended") return
    const { frame } = input._tag === "Received" ? input : { frame: null }
    const heard =
      frame?.type === "req" && frame.method === "mesh.message.forward" && isPlain(frame.params.command)
        ? this.sent.get(String(frame.params.command["commandId"]))
        : undefined
    if (heard === undefined) throw new Error(`${entry.intent.intentId} begins, and nobody asks for it`)
    this.taken.set(entry.intent.intentId, heard)
  }

  private drove(intent: string): void {
    const order = this.taken.get(intent)
    if (order === undefined) throw new Error(`the valve moves for ${intent}, which was not written down before`)
    this.effects.get(rules.at(-1)!.name)!.push({ ...order, atMs: this.world.nowMs })
  }

  run(untilMs: number): ReadonlyArray<Result> {
    this.world.run(untilMs)
    return rules.map(({ name }): Result => {
      const effects = this.effects.get(name)!
      const executed = new Set(effects.flatMap(({ intent }) => (intent.endsWith("/open") ? [intent] : [])))
      const reached = this.jobs.filter((job) => (this.reached.get(job.name) ?? 0) >= REACHED_MS)
      return {
        rule: name,
        ...faultsOf(effects),
        executed: executed.size,
        reached: reached.length,
        executedOfReached: reached.filter((job) => executed.has(`${job.name}/open`)).length,
        orders: this.orders.get(name) ?? 0,
        effects
      }
    })
  }
}
