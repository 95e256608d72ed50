/** How a turn begins: its scratch, and the tickets and records that it gives. */
import type { Command } from "./Command.ts"
import * as Durable from "./Durable.ts"
import type { Input } from "./Input.ts"
import * as Membership from "./membership/Membership.ts"
import type { NodeState } from "./Node.ts"
import { NEVER_MS } from "./Time.ts"
import type { Turn } from "./Turn.ts"
import * as World from "./world/World.ts"

const lateMs = ({ alarmAt }: NodeState, input: Input): number => {
  if (input._tag === "Stalled") return input.ms
  return input._tag === "Woke" && alarmAt !== NEVER_MS ? Math.max(0, input.at.mono - alarmAt) : 0
}

/** The tickets and records of one turn, and the turn itself. */
export const begin = (node: NodeState, input: Input) => {
  const out: Array<Command> = []
  const records: Array<Durable.Record> = []
  const turn: Turn = {
    config: node.config,
    at: input.at,
    incarnation: node.incarnation,
    bootId: node.bootId,
    forgetful: Durable.isForgetful(node.durable, node.config.manifest.version),
    forgotIn: node.durable.forgotIn ?? node.incarnation,
    pins: node.durable.pins,
    world: node.world.digest,
    heardOf: (device) =>
      Math.max(Membership.incarnationOf(node.membership, node.config, device), World.incarnationOf(node.world, device)),
    lateMs: lateMs(node, input),
    carrier: input._tag === "Carrier" ? input.up : null,
    checked: input._tag === "Checked" ? input : null,
    out,
    lower: [],
    facts: [],
    admitted: null,
    orders: [],
    results: [],
    learned: [],
    readings: [],
    told: [],
    said: [],
    ledger: () => records.reduce(Durable.apply, node.durable).ledger,
    behind: [],
    persist: (record, then) => {
      records.push(record)
      const ticket = node.tickets + records.length
      out.push({ _tag: "Persist", ticket, record, then })
      return ticket
    }
  }
  return { turn, records }
}
