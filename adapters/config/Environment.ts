/**
 * Settings out of environment variables: `CLAWMESH_MESH_NAME` is `mesh-name` of the file. A list is separated by spaces or
 * commas, the one of peers by spaces only, because an address may hold a comma. An empty variable is as good as none, because that
 * is how one is taken back in a systemd unit.
 */
import type { Mistake } from "./Mistake.ts"
import { descriptions, type Key, keys, variableOf } from "./NodeFile.ts"
import { check, type Placed, type Raw, type Settles, valueOfText } from "./Source.ts"
import { nearest } from "./Spelling.ts"

export type Environment = { readonly [variable: string]: string | undefined }

export const CONFIG_VARIABLE = "CLAWMESH_CONFIG"
/** Of `clawmesh`: where the key of a person is. It is no slip for `CLAWMESH_PERSONS`. */
export const PERSON_VARIABLE = "CLAWMESH_PERSON"

const placed = (variable: string, value: string, offset: number, length: number): Placed => ({
  origin: { _tag: "Environment", variable },
  excerpt: { text: `${variable}=${value}`, column: variable.length + 2 + offset, length: Math.max(1, length) }
})

export const readEnvironment = (environment: Environment, mistakes: Array<Mistake>): Settles => {
  const raws = new Map<Key, Raw>()
  for (const key of keys) {
    const variable = variableOf(key)
    const text = environment[variable]
    if (text === undefined || text.trim() === "") continue
    const at = placed(variable, text, 0, text.length)
    if (descriptions[key].kind !== "list") {
      raws.set(key, { value: valueOfText(key, text), at, items: [] })
      continue
    }
    const words = [...text.matchAll(key === "peers" ? /\S+/gu : /[^\s,]+/gu)]
    const items = words.map((word) => placed(variable, text, word.index, word[0].length))
    raws.set(key, { value: words.map((word) => word[0]), at, items })
  }
  // Other programs of ours may have variables of their own; one slip away from one of these is a slip.
  const known = [...keys.map(variableOf), CONFIG_VARIABLE, PERSON_VARIABLE]
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith("CLAWMESH_") || text === undefined || text === "") continue
    const meant = nearest(variable, known, 1)
    if (meant === null) continue
    const excerpt = { text: `${variable}=${text}`, column: 1, length: variable.length }
    const message = `no such variable; did you mean ${meant}?`
    mistakes.push({ origin: { _tag: "Environment", variable }, excerpt, message })
  }
  return check(raws, mistakes)
}
