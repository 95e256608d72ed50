/**
 * What a guardian was asked and what it did about it, read from its inputs and commands alone, for the oracles of actuation: the
 * kernel's own ledger is what is being judged.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Entry } from "../../kernel/actuation/Ledger.ts"
import { DECISIONS } from "../../kernel/routing/Forwarding.ts"
import { isPlain, type ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import type { DeviceId, ForwardParams, Request } from "../../kernel/wire/Frame.ts"
import * as Origin from "../../kernel/world/Origin.ts"
import type { World } from "../../kernel/world/World.ts"
import { Rows } from "../engine/Rows.ts"
import type { Observation } from "./Oracle.ts"

export type Drive = Extract<Command, { readonly _tag: "Drive" }>

/** A command that came, whatever became of it. */
export interface Heard {
  readonly intentId: string
  readonly from: DeviceId
  readonly trust: unknown
}

export interface Doings {
  readonly heard: Heard | null
  readonly drives: ReadonlyArray<Drive>
  /** What was asked to be stored, with the tickets. */
  readonly entries: ReadonlyArray<{ readonly ticket: number; readonly entry: Entry }>
}

const heardIn = ({ command }: ForwardParams, from: DeviceId): Heard | null => {
  if (!isPlain(command)) return null
  const { kernel, trust } = command
  return isPlain(kernel) && typeof kernel["intentId"] === "string"
    ? { intentId: kernel["intentId"], from, trust }
    : null
}

const heardOf = ({ before, input, machine }: Observation): Heard | null => {
  if (input._tag === "Asked") return heardIn(input.params, machine.config.deviceId)
  if (input._tag !== "Received" || input.frame.type !== "req" || input.frame.method !== "mesh.message.forward")
    return null
  const link = before.links.links.find((one) => one.link === input.link)
  return link?._tag === "Session" ? heardIn(input.frame.params, link.peer) : null
}

/** Somebody asks the guardian what a proposal is about, to decide. */
export const questionIn = ({
  input,
  machine
}: Observation): { readonly id: string; readonly device: DeviceId } | null => {
  // At the guardian itself the question is asked in the same step.
  if (input._tag === "Decide") return input.approve ? { id: input.id, device: machine.config.deviceId } : null
  const own = input._tag === "Asked"
  if (!own && (input._tag !== "Received" || input.frame.type !== "req")) return null
  const request = own ? null : input.frame
  if (request !== null && (request.type !== "req" || request.method !== "mesh.message.forward")) return null
  const params = own ? input.params : (request as Extract<Request, { readonly method: "mesh.message.forward" }>).params
  const { channel, message, originGatewayId } = params
  if (channel !== DECISIONS || !isPlain(message) || typeof message["token"] !== "string") return null
  return { id: message["token"], device: own ? machine.config.deviceId : originGatewayId }
}

/** What stands in a world of this metric about this zone: the signed word of each device that said so. */
export const standing = (world: World, metric: string, zone: string): ReadonlyArray<ContextFrame> =>
  world.origins.flatMap((origin) =>
    [...Origin.standing(origin)].flatMap(({ frame }) =>
      frame.kernel !== undefined && frame.data["metric"] === metric && frame.data["zone"] === zone ? [frame] : []
    )
  )

/** The approvals of this intent that say just that. */
export const approvals = (
  { after }: Observation,
  { actuator, forMs, intentId, state }: Drive
): ReadonlyArray<ContextFrame> =>
  standing(after.world, "proposal.approve", intentId ?? "").filter(({ data, kind }) => {
    const proposal = data["proposal"]
    const body = isPlain(proposal) ? proposal["body"] : null
    return (
      kind === "human_input" &&
      isPlain(body) &&
      body["actuator"] === actuator &&
      body["guardian"] === after.config.deviceId &&
      body["state"] === state &&
      (forMs === null || body["forMs"] === forMs)
    )
  })

export const doingsOf = (seen: Observation): Doings => {
  const drives: Array<Drive> = []
  const entries: Array<Doings["entries"][number]> = []
  const collect = (commands: ReadonlyArray<Command>): void => {
    for (const command of commands)
      if (command._tag === "Drive") drives.push(command)
      else if (command._tag === "Persist") {
        const { record, then, ticket } = command
        if (record._tag === "Guard") entries.push({ ticket, entry: record.entry })
        collect(then)
      }
  }
  collect(seen.commands)
  return { heard: heardOf(seen), drives, entries }
}

/** What is kept of each machine that owns something, until its journal is gone. */
export class Memories<A> {
  private readonly fresh: () => A
  private readonly rows: Rows<{ readonly wipes: number; readonly memory: A }>
  private readonly copy: (memory: A) => A

  constructor(fresh: () => A, copy: (memory: A) => A, rows?: Rows<{ readonly wipes: number; readonly memory: A }>) {
    this.fresh = fresh
    this.copy = copy
    this.rows = rows ?? new Rows(({ memory, wipes }) => ({ wipes, memory: copy(memory) }))
  }

  /** `null`: it owns nothing. */
  of({ machine }: Observation): A | null {
    if ((machine.config.actuators ?? []).length === 0) return null
    const row = this.rows.own(machine.index)
    const { wipes } = machine
    return row !== undefined && row.wipes === wipes
      ? row.memory
      : this.rows.set(machine.index, { wipes, memory: this.fresh() }).memory
  }

  fork(): Memories<A> {
    return new Memories(this.fresh, this.copy, this.rows.fork())
  }
}
