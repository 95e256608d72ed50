/**
 * L4: whoever decides is told what came of it, once, and in time: a decision waits for its guardian for two minutes at most, and for its
 * result for three; whoever proposes is told at once.
 *
 * Does not judge: what came of it (S2 to S4), and processes that end before they could say.
 */
import type { MakeOracle, Oracle } from "./Oracle.ts"
import { Rows } from "../engine/Rows.ts"

const ANSWERED_WITHIN_MS = 120_000 + 180_000

/** Of one process, by the number of the call: when it was made. */
interface Row {
  readonly bootId: string
  readonly open: Map<number, number>
}

export const decisions: MakeOracle = () =>
  remembering(new Rows<Row>(({ bootId, open }) => ({ bootId, open: new Map(open) })))

const remembering = (rows: Rows<Row>): Oracle => ({
  id: "L4",
  fork: () => remembering(rows.fork()),
  stepped: ({ after, before, commands, input, machine }) => {
    const isCall = input._tag === "Decide" || input._tag === "Propose"
    const known = rows.own(machine.index)
    if (known === undefined && !isCall) return null
    const { bootId } = after
    const row = known?.bootId === bootId ? known : rows.set(machine.index, { bootId, open: new Map() })
    // Nobody hears a node that boots, or leaves; and in a new life in one process nobody waits any more.
    if (before.phase !== "running" || after.phase !== "running") {
      row.open.clear()
      return null
    }
    if (isCall) row.open.set(input.call, input.at.mono)
    for (const command of commands) if (command._tag === "Answered") row.open.delete(command.call)
    if (input._tag === "Propose" && row.open.has(input.call))
      return `${machine.name} leaves a proposal without an answer`
    for (const [call, at] of row.open)
      if (input.at.mono - at > ANSWERED_WITHIN_MS)
        return `${machine.name} has left decision ${call} without an answer for ${input.at.mono - at} ms`
    return null
  }
})
