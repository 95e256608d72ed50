/**
 * The text of node.yaml as raw settings, each at its place: one flat mapping of words, numbers and lists of words, and the sections
 * of Section.ts, which alone are nested.
 *
 * YAML 1.2 and less than that: no tags, no anchors, no second document, no word that a YAML 1.1 reader takes
 * for something else (`yes`, `on`, `010`). Never throws, and the work stays proportional to the text.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar
} from "yaml"
import type { Excerpt, Mistake } from "./Mistake.ts"
import { descriptions, type Key } from "./NodeFile.ts"
import type { Section, SectionName } from "./Section.ts"
import { hint } from "./Spelling.ts"
import type { Placed, Raw } from "./Source.ts"

/** More than anybody reads. */
const MISTAKES_MAX = 1_000

const words11 = /^(?:y|yes|n|no|on|off)$/iu
const octal11 = /^[+-]?0[0-9_]+$/u
/** The library's sentences speak of YAML's grammar; these are the ones that people meet. */
const syntaxMessages: { readonly [code: string]: string } = {
  TAB_AS_INDENT: "a tab cannot indent YAML: use spaces",
  MULTIPLE_DOCS: "a second document begins here; the file holds one",
  RESOURCE_EXHAUSTION: "nested too deeply",
  BAD_DIRECTIVE: "lines with % do not belong here"
}

/** Offsets of a text as lines and columns. */
class Places {
  readonly #file: string
  readonly #text: string
  readonly #starts: ReadonlyArray<number>

  constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
    const starts = [0]
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
    this.#starts = starts
  }

  /** Never more than the rest of the line; what is past the last word of the text is shown after that word. */
  at(offset: number, length: number): Placed {
    let from = Math.min(Math.max(0, offset), this.#text.length)
    if (from === this.#text.length) while (from > 0 && /\s/u.test(this.#text[from - 1]!)) from--
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= from) low = middle
      else high = middle - 1
    }
    const end = this.#starts[low + 1]
    const text = this.#text.slice(this.#starts[low], end === undefined ? undefined : end - 1).replace(/\r$/u, "")
    const column = from - this.#starts[low]! + 1
    const underlined = text.slice(column - 1, column - 1 + Math.max(1, length)).trimEnd().length
    const excerpt: Excerpt = { text, column, length: Math.max(1, underlined) }
    return { origin: { _tag: "File", file: this.#file, line: low + 1, column }, excerpt }
  }

  of(node: Node | null): Placed {
    const [from, to] = node?.range ?? [0, 1]
    return this.at(from, to - from)
  }
}

/** What a file says: its settings, and the sections that it has. */
export interface Said {
  readonly raws: ReadonlyMap<Key, Raw>
  readonly sections: ReadonlyMap<SectionName, Section>
}

/** What may stand in it. */
export interface Vocabulary {
  readonly keys: ReadonlyArray<Key>
  readonly sections: ReadonlyArray<SectionName>
  /** What it is, and a line of it. */
  readonly says: string
}

/** What a sensor shows of a state of an actuator is a mapping in a mapping in one in a mapping in a list. */
const DEPTH_MAX = 5

export const readYaml = (
  file: string,
  text: string,
  { keys, says, sections }: Vocabulary,
  mistakes: Array<Mistake>
): Said => {
  const isSection = (word: string): word is SectionName => (sections as ReadonlyArray<string>).includes(word)
  const isKey = (word: string): word is Key => (keys as ReadonlyArray<string>).includes(word)
  const found = new Map<SectionName, Section>()
  const raws = readAll()
  return { raws, sections: found }

  function readAll(): ReadonlyMap<Key, Raw> {
    const places = new Places(file, text)
    const add = (at: Placed, message: string): void => void mistakes.push({ ...at, message })
    const raws = new Map<Key, Raw>()
    let document: Document.Parsed
    try {
      // Keys are compared below and not by the library, whose check is quadratic.
      document = parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: false, prettyErrors: false })
    } catch (error) {
      add(
        places.at(0, 1),
        error instanceof RangeError ? "nested too deeply" : `not YAML: ${String(error).slice(0, 120)}`
      )
      return raws
    }
    // A tag that the library does not know warns; every tag is refused further down.
    const syntax = [...document.errors, ...document.warnings.filter((warning) => warning.code !== "TAG_RESOLVE_FAILED")]
    if (syntax.length > 0) {
      // One slip makes more errors further down; the first is the one to mend.
      const { code, message, pos } = syntax.sort((a, b) => a.pos[0] - b.pos[0])[0]!
      const sentence = (message.split("\n")[0] ?? "").slice(0, 120)
      add(places.at(pos[0], pos[1] - pos[0]), syntaxMessages[code] ?? `not YAML: ${sentence}`)
      return raws
    }
    if (document.directives?.yaml.explicit === true) {
      add(places.at(text.indexOf("%YAML"), 9), "the file is YAML 1.2 without being told: remove this line")
      return raws
    }
    const root: Node | null = document.contents
    // A file of comments only sets nothing.
    if (root === null || (isScalar(root) && root.value === null && (root.source ?? "") === "")) return raws
    if (!isMap(root) || isMarked(root)) {
      add(places.of(root), says)
      return raws
    }
    const firsts = new Map<string, number>()
    for (const pair of root.items as ReadonlyArray<Pair>) {
      // Whatever this file is, it is no configuration.
      if (mistakes.length >= MISTAKES_MAX) break
      readPair(pair)
    }
    return raws

    function readPair({ key, value }: Pair): void {
      const at = places.of(isNode(key) ? key : root)
      if (!isScalar(key) || isMarked(key)) return add(at, "a key is one plain word")
      const word = typeof key.value === "string" ? key.value : (key.source ?? "")
      const first = firsts.get(word)
      if (first !== undefined) return add(at, `${word} stands here a second time; the first is in line ${first}`)
      firsts.set(word, at.origin._tag === "File" ? at.origin.line : 0)
      if (isSection(word)) return readSection(word, isNode(value) ? value : null, at)
      if (!isKey(word)) {
        const known = [...keys, ...sections]
        const meant = hint(word, known)
        return add(at, `no such setting${meant === "" ? `; there are ${known.join(", ")}` : meant}`)
      }
      readValue(word, isNode(value) ? value : null, at)
    }

    /** As plain values; what cannot be one is told here, and the rest is looked at by whoever knows the section. */
    function readSection(name: SectionName, node: Node | null, keyAt: Placed): void {
      const seen = new Map<string, Placed>([["", keyAt]])
      const words = new Map<string, Placed>()
      const before = mistakes.length
      const plain = (inner: Node | null, path: string, depth: number, at: Placed): unknown => {
        if (inner === null) return null
        const own = (inner.range?.[0] ?? 0) === (inner.range?.[1] ?? 0) ? at : places.of(inner)
        seen.set(path, own)
        if (isMarked(inner)) return void add(own, marked)
        if (isScalar(inner)) {
          if (inner.type === "PLAIN" && (words11.test(inner.source ?? "") || octal11.test(inner.source ?? "")))
            return void add(own, `some YAML readers take a bare ${inner.source} for something else: write it in quotes`)
          return isPlainNumber(inner) && !Number.isSafeInteger(inner.value) ? inner.source : inner.value
        }
        if (depth >= DEPTH_MAX) return void add(own, "nested too deeply")
        if (isSeq(inner))
          return inner.items.map((item, place) => plain(isNode(item) ? item : null, `${path}/${place}`, depth + 1, own))
        if (!isMap(inner)) return undefined
        const entries: Array<readonly [string, unknown]> = []
        for (const { key, value } of inner.items as ReadonlyArray<Pair>) {
          const keyPlace = places.of(isNode(key) ? key : inner)
          if (!isScalar(key) || isMarked(key)) {
            add(keyPlace, "a key is one plain word")
            continue
          }
          const word = typeof key.value === "string" ? key.value : (key.source ?? "")
          if (entries.some(([other]) => other === word)) add(keyPlace, `${word} stands here a second time`)
          else if (word !== "__proto__")
            entries.push([word, plain(isNode(value) ? value : null, `${path}/${word}`, depth + 1, keyPlace)])
          words.set(`${path}/${word}`, keyPlace)
          if (!seen.has(`${path}/${word}`)) seen.set(`${path}/${word}`, keyPlace)
        }
        return Object.fromEntries(entries)
      }
      const value = plain(node, "", 0, keyAt)
      if (mistakes.length > before) return
      const placeOf = (path: ReadonlyArray<PropertyKey>): Placed => {
        // What is missing is told where it ought to be.
        for (let length = path.length; length > 0; length--) {
          const place = seen.get(`/${path.slice(0, length).map(String).join("/")}`)
          if (place !== undefined) return place
        }
        return seen.get("")!
      }
      found.set(name, {
        value,
        placeOf,
        wordAt: (path) => words.get(`/${path.map(String).join("/")}`) ?? placeOf(path)
      })
    }

    function readValue(key: Key, node: Node | null, keyAt: Placed): void {
      // Of an empty value there is nothing to underline but its key.
      const empty = node === null || (node.range?.[0] ?? 0) === (node.range?.[1] ?? 0)
      const at = empty ? keyAt : places.of(node)
      if (!isSeq(node)) {
        const read = readScalar(key, node, at)
        if (read !== null) raws.set(key, { value: read.value, at, items: [] })
        return
      }
      if (isMarked(node)) return add(at, marked)
      const values: Array<unknown> = []
      const items: Array<Placed> = []
      for (const item of node.items) {
        const inner = isNode(item) ? item : null
        const innerEmpty = inner === null || (inner.range?.[0] ?? 0) === (inner.range?.[1] ?? 0)
        const innerAt = innerEmpty ? at : places.of(inner)
        const read = readScalar(key, inner, innerAt)
        // The others are still looked at; the list is not used, because there is a mistake.
        if (read === null) continue
        values.push(read.value)
        items.push(innerAt)
      }
      raws.set(key, { value: values, at, items })
    }

    /** `null`: cannot be taken over, and the reason is told. A mapping becomes something that no schema of ours takes. */
    function readScalar(key: Key, node: Node | null, at: Placed): { readonly value: unknown } | null {
      if (node === null) return { value: null }
      if (isMarked(node)) {
        add(at, marked)
        return null
      }
      if (!isScalar(node)) return { value: {} }
      const source = node.source ?? ""
      const elsewhere = node.type === "PLAIN" ? readElsewhere(key, source) : null
      if (elsewhere !== null) {
        add(at, elsewhere)
        return null
      }
      return { value: isText(key) && isPlainNumber(node) ? source : node.value }
    }
  }
}

const marked = "tags (!), anchors (&) and aliases (*) do not belong here"
const isMarked = (node: Node): boolean =>
  isAlias(node) || node.tag !== undefined || ("anchor" in node && node.anchor !== undefined)

const isText = (key: Key): boolean => descriptions[key].kind === "text" || descriptions[key].kind === "list"
/** An id of digits only, or with one e among them, is a number to YAML, and was never meant as one. */
const isPlainNumber = (node: Scalar): boolean => node.type === "PLAIN" && typeof node.value === "number"

/** Why a YAML 1.1 reader, which many tools still are, would read the plain word as something else. */
const readElsewhere = (key: Key, source: string): string | null => {
  const { kind } = descriptions[key]
  if (words11.test(source)) {
    const boolean = /^(?:y|yes|on)$/iu.test(source)
    return kind === "boolean"
      ? `${source} was a boolean in YAML 1.1 and is a word in YAML 1.2: write ${boolean}`
      : `other YAML readers take a bare ${source} for ${boolean}: write "${source}" in quotes`
  }
  if (octal11.test(source) && kind === "number")
    return `some YAML readers take ${source} for an octal number: write it without the leading 0`
  return null
}
