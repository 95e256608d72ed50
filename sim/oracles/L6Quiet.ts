/**
 * L6: without a fault nothing happens: no connection begins or ends, nobody is suspected, no edge flaps, leadership stays.
 *
 * Judged by what each node of a core keeps of the past: numbers of links, since when a verdict stands, flaps, terms. All of
 * them move when something happens, and none moves back, so that two looks miss nothing between them.
 */
import { indexOfContact } from "../../kernel/links/Link.ts"
import { indexOfMember } from "../../kernel/membership/Member.ts"
import { isKernel } from "../engine/Present.ts"
import type { Core } from "./Core.ts"

/** What would have to change if anything happened, by what it is. */
export type Mark = ReadonlyMap<string, string>

export const mark = ({ inside }: Core): Mark => {
  const all = new Map<string, string>()
  for (const machine of inside) {
    const state = machine.state()
    all.set(`the process of ${machine.name}`, String(machine.process))
    if (state === null || !isKernel(machine)) continue
    const { leader, standing, term } = state.leadership
    all.set(`the term that ${machine.name} knows`, String(term.counter))
    all.set(`whom ${machine.name} follows`, leader === null ? "nobody" : machine.world.nameOf(leader))
    // Whoever has no majority goes on asking for one: that is nothing that happens.
    all.set(`the lead of ${machine.name}`, standing._tag === "Leading" ? "there" : "none")
    for (const other of inside) {
      if (other === machine) continue
      const { deviceId } = other.config
      const contact = state.links.contacts[indexOfContact(state.links.contacts, deviceId)]
      const member = state.membership.members[indexOfMember(state.membership.members, deviceId)]
      all.set(`the connection of ${machine.name} with ${other.name}`, String(contact?.session ?? "none"))
      all.set(
        `what ${machine.name} says of ${other.name}`,
        `${member?.state} since ${member?.since}, flaps: ${member?.flaps}`
      )
    }
  }
  return all
}

/** What happened between two looks. */
export const changes = (before: Mark, after: Mark): ReadonlyArray<string> =>
  [...after].flatMap(([what, now]) => {
    const was = before.get(what)
    return was === now ? [] : [`${what} was ${was ?? "nothing"}, is ${now}`]
  })
