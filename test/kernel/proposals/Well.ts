/** The guardian `a` of one pump, as whoever asks it, and whoever tells it something, sees it. */
import { assert } from "@effect/vitest"
import type { Actuator } from "../../../kernel/actuation/Actuator.ts"
import type { Person } from "../../../kernel/Config.ts"
import type { Command } from "../../../kernel/Command.ts"
import * as Durable from "../../../kernel/Durable.ts"
import { proposalsOf, type Body, type Fact, type Proposal } from "../../../kernel/proposals/Proposal.ts"
import { DECISIONS } from "../../../kernel/routing/Forwarding.ts"
import type { ContextFrame, Kind } from "../../../kernel/wire/ContextFrame.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { configOf, Drive, framesTo, id, type Given, type World } from "../drive.ts"
import { read, signed, type Said } from "../world/frames.ts"
import { body, frameOf, intentOf, proposed, PUMP } from "./facts.ts"

const farm: World = {
  roles: { a: "field", b: "planner", c: "standby-planner", d: "node", e: "viewer", f: "field" },
  dialled: ""
}

const pump: Actuator = {
  ref: PUMP,
  group: "well",
  states: ["open", "closed"],
  safe: "closed",
  forMsMax: 60_000,
  demand: { minimum: "T2_operational_observation", verification: "human" },
  askers: ["planner", "standby-planner"]
}

export class Well {
  readonly drive: Drive
  readonly moved: Array<Extract<Command, { readonly _tag: "Drive" }>> = []
  private readonly seqs = new Map<string, number>()
  private requests = 0

  constructor(actuator: Partial<Actuator> = {}, durable = Durable.empty, persons: ReadonlyArray<Person> = []) {
    const config = { ...configOf(farm, "a"), actuators: [{ ...pump, ...actuator }], persons }
    this.drive = new Drive(config, { durable })
    this.note(this.drive.start())
    this.done()
  }

  private note(commands: ReadonlyArray<Command>): ReadonlyArray<Command> {
    for (const command of commands) if (command._tag === "Drive") this.moved.push(command)
    return commands
  }

  feed(...inputs: ReadonlyArray<Given>): ReadonlyArray<Command> {
    return this.note(read(this.drive, this.drive.feed(...inputs)))
  }

  done(ok = true): void {
    this.feed({ _tag: "Driven", ticket: this.moved.at(-1)!.ticket, ok })
  }

  /** Over a session of `over`, as a frame of whoever said it. */
  brings(frame: ContextFrame, over = "c"): void {
    this.note(read(this.drive, this.drive.hear(this.linkOf(over), "context.frame", frame)))
  }

  linkOf(peer: string): number {
    const { commands, link } = this.drive.linkTo(peer)
    this.note(commands)
    return link
  }

  seq(by: string): number {
    const seq = (this.seqs.get(by) ?? 0) + 1
    this.seqs.set(by, seq)
    return seq
  }

  sees(by = "b", kind: Kind = "observation", ageMs = 0): void {
    this.brings(signed({ by, seq: this.seq(by), kind, ageMs }))
  }

  /** A sensor of `by`. */
  reads(by: string, said: Partial<Said>): void {
    this.brings(signed({ by, seq: this.seq(by), ...said }))
  }

  pass(ms: number): void {
    this.note(read(this.drive, this.drive.pass(ms)))
  }

  says(by: string, fact: Fact, ageMs = 0): void {
    this.brings(frameOf(by, this.seq(by), fact, ageMs))
  }

  /** What `from` is answered: what it has to say, or a code. */
  ask(from: string, channel: string, message: unknown, more: object = {}): unknown {
    const key = `k${++this.requests}`
    const params = { channel, to: id("a"), originGatewayId: id(from), idempotencyKey: key, message, ...more }
    const link = this.linkOf(from)
    const frame = { type: "req", id: key, method: "mesh.message.forward", params } as Frame
    for (const answer of framesTo(this.note(read(this.drive, this.drive.receive(link, frame))), link))
      if (answer.type === "res" && answer.id === key)
        return answer.ok ? (answer.payload as { readonly result?: unknown }).result : answer.error.code
    return null
  }

  token(of: Body = body, from = "d"): string {
    const answer = this.ask(from, DECISIONS, { token: intentOf(of) }) as { readonly token: string }
    assert.isObject(answer, `${from} gets a token, and not ${String(answer)}`)
    return answer.token
  }

  proposal(of: Body = body): Proposal | undefined {
    const { config, world } = this.drive.node
    return proposalsOf(world, config, this.drive.mono).find((one) => one.id === intentOf(of))
  }

  /** How it opened. */
  get opened(): ReadonlyArray<Extract<Command, { readonly _tag: "Drive" }>> {
    return this.moved.filter(({ state }) => state === "open")
  }
}

export const ready = (actuator: Partial<Actuator> = {}, persons: ReadonlyArray<Person> = []): Well => {
  const well = new Well(actuator, Durable.empty, persons)
  well.sees()
  well.says("b", proposed())
  return well
}
