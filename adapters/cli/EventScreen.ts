/** Events on a terminal: one line each, the oldest first. */
import { printable } from "../config/Printable.ts"
import type { Event, Events } from "../operator/Api.ts"
import { called, clock, count, type Look, styled, type Style } from "./Text.ts"

const styleOf = (event: string): Style | null => {
  if (/^peer\.down|^leader\.lost|refused$/u.test(event)) return "red"
  if (/suspect$|^peer\.disconnect|stepped-down$/u.test(event)) return "yellow"
  return event === "peer.up" || event === "leader.elected" ? "green" : null
}

/** Everything else that the event says, in words. */
const words = ({ actuator, by, code, count: frames, incarnation, reason, term }: Event): string => {
  const parts: Array<string> = []
  if (actuator !== undefined) parts.push(actuator)
  if (reason !== undefined) parts.push(reason)
  if (code !== undefined) parts.push(code)
  if (frames !== undefined) parts.push(count(frames, "frame"))
  if (term !== undefined) parts.push(`term ${term}`)
  if (incarnation !== undefined) parts.push(`incarnation ${incarnation}`)
  if (by.length > 0) parts.push(`said by ${by.map(called).join(", ")}`)
  return parts.length === 0 ? "" : printable(parts.join(", "))
}

const EVENT_WIDTH = 20
const NAME_WIDTH = 18

/** @param nowMs of the same calendar as the event's, for leaving out today's date */
export const eventLine = (event: Event, nowMs: number, look: Look): string => {
  const style = styleOf(event.event)
  const word = event.event.padEnd(EVENT_WIDTH)
  const nobody = event.actuator === undefined ? "a stranger" : "this node"
  const who = event.about === undefined ? nobody : called({ id: event.about, name: event.name })
  const shown = style === null ? word : styled(word, style, look)
  return `${clock(event.atMs, nowMs)}  ${shown} ${who.padEnd(NAME_WIDTH)} ${words(event)}`.trimEnd() + "\n"
}

export const eventsScreen = ({ events, omitted }: Events, nowMs: number, look: Look): string => {
  const earlier = omitted > 0 && !look.quiet ? `… ${omitted} earlier ones are left out; --since 1h shows more\n` : ""
  if (events.length > 0) return earlier + events.map((event) => eventLine(event, nowMs, look)).join("")
  return look.quiet
    ? ""
    : "No event of that kind, or none in that time, is kept.   clawmesh events -f waits for the next\n"
}
