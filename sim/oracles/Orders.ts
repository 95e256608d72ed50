/**
 * What a guardian was asked and what it did about it, read from its inputs and commands alone, for the oracles of actuation: the
 * kernel's own ledger is what is being judged.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Entry } from "../../kernel/actuation/Ledger.ts"
import { isPlain } from "../../kernel/wire/ContextFrame.ts"
import type { DeviceId, ForwardParams } from "../../kernel/wire/Frame.ts"
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
