/**
 * S6, of rows: what an observer once said takes the place of nothing that it said later (PROTOCOL.md part 7). Of the rows that are
 * handed on by others only a newer one is kept; what comes from the observer itself is believed as it is.
 *
 * Does not judge: what a row says (L1: in the end all hold the same); rows of a device that the operator has the node forget.
 */
import type { EdgeRow } from "../../kernel/wire/Frame.ts"
import { sessionOf } from "./Demands.ts"
import type { MakeOracle } from "./Oracle.ts"

const isOlder = (a: EdgeRow, b: EdgeRow): boolean =>
  a.incarnation < b.incarnation || (a.incarnation === b.incarnation && a.version < b.version)

const head = ({ incarnation, version }: EdgeRow): string => `version ${version} of incarnation ${incarnation}`

export const rows: MakeOracle = () => ({
  id: "S6-rows",
  fork: () => rows(),
  stepped: ({ after, before, input, machine }) => {
    if (after.membership.rows === before.membership.rows || input._tag !== "Received") return null
    const from = sessionOf(before, input)?.peer
    const now = new Map(after.membership.rows.map((row) => [row.observer, row]))
    for (const was of before.membership.rows) {
      const is = now.get(was.observer)
      if (is === undefined || is === was || was.observer === from || !isOlder(is, was)) continue
      const { world } = machine
      const whose = `the row of ${world.nameOf(was.observer)}`
      const by = from === undefined ? "somebody" : world.nameOf(from)
      return `${machine.name} has ${whose} in ${head(was)}, and goes back to ${head(is)} at the word of ${by}`
    }
    return null
  }
})
