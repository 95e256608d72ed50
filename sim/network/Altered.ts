/** A message with another character in it: what a bug behind TLS makes of it, since TLS itself lets nothing altered through. */
import { belowAt, type Key } from "../../kernel/Draw.ts"
import { textOf, type Message } from "./Cargo.ts"

/** Printable ASCII: a space, and 94 more. */
const FIRST = 0x20
const COUNT = 95

/** One UTF-16 unit of the text is another, printable one; two draws from `counter` on. */
export const altered = (message: Message, of: Key, counter: number): Message => {
  const text = textOf(message)
  if (text.length === 0) return message
  const place = belowAt(of, counter, text.length)
  const before = text.charCodeAt(place)
  const drawn = FIRST + belowAt(of, counter + 1, COUNT)
  // The next one round, where the draw gave what is there already.
  const after = drawn === before ? FIRST + ((drawn - FIRST + 1) % COUNT) : drawn
  return { _tag: "raw", text: text.slice(0, place) + String.fromCharCode(after) + text.slice(place + 1) }
}
