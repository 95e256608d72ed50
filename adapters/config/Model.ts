/** The section `model` of node.yaml: which language model rules of this planner may ask (B43). */
import * as Schema from "effect/Schema"
import type { Mistake } from "./Mistake.ts"
import { AbsolutePath, decodeSection, fits, isPlace, type Section, type Word, type Words } from "./Section.ts"

export interface Model {
  /** Of an OpenAI-compatible server: `http://10.0.0.20:11434/v1`, to which `/chat/completions` is added. */
  readonly url: string
  readonly name: string
  /** Its first line is sent as a bearer token; `null`: none is. */
  readonly tokenFile: string | null
}

const One = Schema.Struct({
  url: fits((text) => isPlace(text, ["http:", "https:"])),
  name: fits((text) => /^[\w.:/@-]{1,128}$/u.test(text)),
  "token-file": Schema.optionalKey(AbsolutePath)
})
const KNOWN = Object.keys(One.fields)

const words: Words = {
  says: {
    url: "url is the server, http:// or https://, without name and password: http://10.0.0.20:11434/v1",
    name: "name is the model, as its server calls it, such as llama3.1:8b",
    "token-file": "token-file is the whole path of a file whose first line is the token"
  },
  all: "model is a mapping: { url: http://10.0.0.20:11434/v1, name: llama3.1:8b }",
  wordOf: (path): Word => ({ last: path.filter((key) => typeof key === "string").at(-1), among: KNOWN })
}

export const check = (section: Section, mistakes: Array<Mistake>): Model | null => {
  const decoded = decodeSection(section, One, words, mistakes)
  if (decoded === null) return null
  const { name, "token-file": tokenFile = null, url } = decoded
  return { url: url.replace(/\/+$/u, ""), name, tokenFile }
}
