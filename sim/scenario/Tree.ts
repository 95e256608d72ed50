/**
 * A YAML text as plain data, with the place of every key and value.
 *
 * YAML 1.2, core types, and less than that: no tags, no `%YAML` line, no key that is not one word, no word that a YAML 1.1
 * reader takes for something else (`on`, `yes`, `010`), nothing nested deeper than `DEPTH_MAX`, no aliases that expand past
 * `VALUES_MAX` values. Each of these is a mistake at its place, and what it stood on is left out of the data (`Tree.broken`
 * tells where), so that later passes can go on with the rest.
 *
 * Data has no prototype: a key such as `__proto__` is a key like any other.
 */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from "yaml"
import type { Mistakes, Span } from "./Mistakes.ts"

const DEPTH_MAX = 32
const VALUES_MAX = 200_000
const tooManyValues = `more than ${VALUES_MAX} values, what aliases stand for included`

export type Path = ReadonlyArray<string | number>

/** The places of one value and of everything in it. */
interface Branch {
  readonly span: Span
  readonly keys: Map<string, Span>
  readonly children: Map<string | number, Branch>
  /** The value could not be taken over; the reason has been given. */
  readonly broken: boolean
  /** How many values it holds, itself included, aliases expanded. */
  readonly size: number
}

export interface Tree {
  readonly data: unknown
  /** Place of the value at `path`; where there is none, of the nearest value around it. */
  readonly value: (path: Path) => Span
  /** Place of the key at the end of `path`; of a value that has no key, the value itself. */
  readonly key: (path: Path) => Span
  /** The keys of the mapping at `path` as written, also those that could not be taken over. */
  readonly keys: (path: Path) => ReadonlyArray<string>
  /** Whether something was written at `path` that could not be taken over and has been reported. */
  readonly broken: (path: Path) => boolean
}

const words11 = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/u
const octal11 = /^[+-]?0[0-9]+$/u

/** Why a YAML 1.1 reader, which many tools still are, would read the plain word as something else. */
const readElsewhere = (source: string): string | null => {
  if (words11.test(source))
    return `other YAML readers take a bare ${source} for ${/^(?:y|on)/iu.test(source) ? "true" : "false"}: write "${source}" in quotes, or choose another word`
  if (octal11.test(source))
    return `some YAML readers take ${source} for an octal number: write it without the leading 0`
  return null
}

/** The library's sentences speak of YAML's grammar; these are the ones that people meet. */
const syntaxMessages: { readonly [code: string]: string } = {
  TAB_AS_INDENT: "a tab cannot indent YAML: use spaces",
  MULTIPLE_DOCS: "a second document begins here; a scenario file holds one",
  RESOURCE_EXHAUSTION: "nested too deeply",
  BAD_DIRECTIVE: "lines with % are not part of the language"
}

/** `null`: the text is not YAML, or holds no mapping; the reasons are in `mistakes`. */
export const readTree = (text: string, mistakes: Mistakes): Tree | null => {
  let document: Document.Parsed
  try {
    // Keys are compared here and not by the library, whose check is quadratic.
    document = parseDocument(text, { version: "1.2", schema: "core", uniqueKeys: false, prettyErrors: false })
  } catch (error) {
    const reason = error instanceof RangeError ? "nested too deeply" : `not YAML: ${String(error).slice(0, 200)}`
    mistakes.add({ offset: 0, length: 1 }, reason)
    return null
  }
  if (document.directives?.yaml.explicit === true) {
    mistakes.add({ offset: text.indexOf("%YAML"), length: 9 }, "the language is YAML 1.2 as it is: remove this line")
    return null
  }
  // A tag that nobody knows is a warning of the library; every tag is a mistake of ours, further down.
  const syntax = [...document.errors, ...document.warnings.filter((warning) => warning.code !== "TAG_RESOLVE_FAILED")]
  if (syntax.length > 0) {
    // One slip makes several errors further down its line; the first is the one to mend.
    const lines = new Set<number>()
    for (const error of syntax.sort((a, b) => a.pos[0] - b.pos[0])) {
      const [from, to] = error.pos
      const line = mistakes.placeOf(from).line
      if (lines.has(line)) continue
      lines.add(line)
      const sentence = (error.message.split("\n")[0] ?? "").slice(0, 120)
      mistakes.add({ offset: from, length: to - from }, syntaxMessages[error.code] ?? `not YAML: ${sentence}`)
    }
    return null
  }
  const root = new Grower(text, mistakes).grow(document.contents, 0, { offset: 0, length: 1 })
  if (typeof root.data !== "object" || root.data === null || Array.isArray(root.data)) {
    if (!root.branch.broken)
      mistakes.add(
        root.branch.span,
        text.trim() === "" || root.data === null
          ? "the file is empty; a scenario begins with a line such as: scenario: Planner failover"
          : "a scenario is a mapping: its first line is such as: scenario: Planner failover"
      )
    return null
  }
  const at = (path: Path): Branch | undefined => {
    let branch: Branch | undefined = root.branch
    for (const key of path) branch = branch?.children.get(key)
    return branch
  }
  const value = (path: Path): Span => {
    for (let n = path.length; n > 0; n--) {
      const span = at(path.slice(0, n))?.span
      if (span !== undefined) return span
    }
    return root.branch.span
  }
  return {
    data: root.data,
    value,
    key: (path) => {
      const last = path.at(-1)
      return (typeof last === "string" ? at(path.slice(0, -1))?.keys.get(last) : undefined) ?? value(path)
    },
    keys: (path) => [...(at(path)?.keys.keys() ?? [])],
    broken: (path) => at(path)?.broken === true
  }
}

interface Grown {
  readonly data: unknown
  readonly branch: Branch
}

/** A value that could not be taken over, for a reason that has been told. */
const noted = (span: Span): Grown => ({
  data: undefined,
  branch: { span, keys: new Map(), children: new Map(), broken: true, size: 1 }
})

class Grower {
  readonly #text: string
  readonly #mistakes: Mistakes
  /** `null` while the anchored value is still growing: an alias to it would be a circle. */
  readonly #anchors = new Map<string, Grown | null>()
  #told = false

  constructor(text: string, mistakes: Mistakes) {
    this.#text = text
    this.#mistakes = mistakes
  }

  grow(node: unknown, depth: number, around: Span): Grown {
    const span = this.#span(node, around)
    if (isAlias(node)) return this.#alias(node.source, span)
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, null)
    const grown = this.#growPlain(node, depth, span)
    if (anchor !== undefined) this.#anchors.set(anchor, grown)
    return grown
  }

  #growPlain(node: unknown, depth: number, span: Span): Grown {
    if (isScalar(node)) {
      if (node.tag !== undefined) return this.#broken(span, "tags (!) are not part of the language")
      const elsewhere = node.type === "PLAIN" ? readElsewhere(node.source ?? "") : null
      if (elsewhere !== null) return this.#broken(span, elsewhere)
      return { data: node.value, branch: { span, keys: new Map(), children: new Map(), broken: false, size: 1 } }
    }
    if (!isMap(node) && !isSeq(node))
      return { data: null, branch: { span, keys: new Map(), children: new Map(), broken: false, size: 1 } }
    if (depth >= DEPTH_MAX) return this.#broken(span, "nested too deeply")
    if (node.tag !== undefined) return this.#broken(span, "tags (!) are not part of the language")
    return isMap(node) ? this.#growMap(node.items, depth, span) : this.#growList(node.items, depth, span)
  }

  #growList(items: ReadonlyArray<unknown>, depth: number, span: Span): Grown {
    const data: Array<unknown> = []
    const children = new Map<string | number, Branch>()
    let size = 1
    for (const item of items) {
      const grown = this.grow(item, depth + 1, span)
      size += grown.branch.size
      if (size > VALUES_MAX) return this.#tooMany(this.#span(item, span))
      children.set(data.length, grown.branch)
      data.push(grown.data)
    }
    return { data, branch: { span, keys: new Map(), children, broken: false, size } }
  }

  #growMap(items: ReadonlyArray<unknown>, depth: number, span: Span): Grown {
    const data: Record<string, unknown> = Object.create(null)
    const keys = new Map<string, Span>()
    const children = new Map<string | number, Branch>()
    let size = 1
    for (const pair of items) {
      if (!isPair(pair)) continue
      const keySpan = this.#span(pair.key, span)
      const key = this.#keyOf(pair.key, keySpan)
      if (key === null) {
        // It is not taken over, but somebody who looks for a verb here should know that there is something.
        if (isScalar(pair.key) && pair.key.source) keys.set(pair.key.source, keySpan)
        continue
      }
      const first = keys.get(key)
      if (first !== undefined) {
        const line = this.#mistakes.placeOf(first.offset).line
        this.#mistakes.add(keySpan, `${key} stands here a second time; the first is in line ${line}`)
        continue
      }
      const grown = this.grow(pair.value, depth + 1, keySpan)
      size += grown.branch.size
      if (size > VALUES_MAX) return this.#tooMany(keySpan)
      // Of an empty value there is nothing to underline but its key.
      const empty = grown.data === null && grown.branch.span.length === 0
      keys.set(key, keySpan)
      children.set(key, empty ? { ...grown.branch, span: keySpan } : grown.branch)
      if (!grown.branch.broken) data[key] = grown.data
    }
    return { data, branch: { span, keys, children, broken: false, size } }
  }

  #keyOf(key: unknown, span: Span): string | null {
    if (!isScalar(key) || key.tag !== undefined || key.anchor !== undefined) {
      this.#mistakes.add(span, "a key is one plain word")
      return null
    }
    const source = key.source ?? ""
    const elsewhere = key.type === "PLAIN" ? readElsewhere(source) : null
    if (elsewhere !== null) this.#mistakes.add(span, elsewhere)
    else if (source === "" && key.type === "PLAIN") this.#mistakes.add(span, "a key is missing before the colon")
    return elsewhere !== null || (source === "" && key.type === "PLAIN") ? null : source
  }

  #alias(name: string, span: Span): Grown {
    const target = this.#anchors.get(name)
    if (target === undefined) return this.#broken(span, `nothing above is marked &${name}`)
    if (target === null) return this.#broken(span, `*${name} stands inside what it stands for`)
    return target
  }

  /** Told once: what is too large is often used again. */
  #tooMany(span: Span): Grown {
    const grown = this.#told ? noted(span) : this.#broken(span, tooManyValues)
    this.#told = true
    return grown
  }

  #broken(span: Span, message: string): Grown {
    this.#mistakes.add(span, message)
    return noted(span)
  }

  /** A collection is underlined up to the end of its first line. */
  #span(node: unknown, around: Span): Span {
    const range = isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range : undefined
    if (range === undefined || range === null) return { offset: around.offset, length: Math.max(0, around.length) }
    const line = this.#text.indexOf("\n", range[0])
    return { offset: range[0], length: (line === -1 ? range[1] : Math.min(line, range[1])) - range[0] }
  }
}
