/**
 * Which device a word means. A name is whole or it is none: the first that begins so, or the nearest one, is never taken. A
 * name that several have means none of them.
 */
import { printable } from "../config/Printable.ts"
import { nearest } from "../config/Spelling.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { shellWord } from "./Text.ts"

interface Named {
  readonly id: string
  readonly name: string | null
}

/** An id as somebody may have copied it: in either case. */
export const idIn = (word: string): string | null => (/^[0-9a-f]{64}$/iu.test(word) ? word.toLowerCase() : null)

const wayOut = (word: string, devices: ReadonlyArray<Named>, command: string): string => {
  if (/^[0-9a-f]{8,}…?$/iu.test(word))
    return "An id has 64 hex digits, and is given whole: clawmesh trust list shows them"
  const names = devices.flatMap(({ name }) => (name === null ? [] : [name]))
  const meant = nearest(word, names)
  return meant === null
    ? "clawmesh trust list shows names and ids"
    : `Did you mean ${command} ${shellWord(printable(meant))}?`
}

/** @param command what to write before the name, for the way out: `clawmesh peers` */
export const resolve = <D extends Named>(word: string, devices: ReadonlyArray<D>, command: string): D | Failure => {
  const id = idIn(word)
  const fitting = devices.filter((device) => (id === null ? device.name === word : device.id === id))
  const [only, ...others] = fitting
  if (only !== undefined && others.length === 0) return only
  if (only === undefined)
    return failure("NOT_FOUND", `this node trusts no device ${JSON.stringify(word)}`, wayOut(word, devices, command))
  const ids = fitting.map((device) => `  ${device.id}`).join("\n")
  const name = printable(word)
  return failure("AMBIGUOUS", `${fitting.length} devices are called ${name}`, `Name one by its id:\n${ids}`)
}
