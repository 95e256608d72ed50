/**
 * Bugs that nobody thought of: at each place of the kernel's code where it can be done, a condition negated, a command dropped, a
 * constant shifted.
 *
 * A constant up to 16 is one more, a larger one twice as much: whether a lease lasts for 3000 ms or 3001 nobody can tell, and nobody
 * has to. Nor is a 0 or 1 within an expression touched: a counter that begins elsewhere, or goes up by two, is no bug, and most of
 * these are such. Commands are what a room puts into `turn.out`, what it sends or notes, and the facts that it tells other rooms.
 *
 * Not touched: types, strings, loops' own conditions (most of these would only never end), and what no simulated node runs: the
 * shell and its ports, the checks before a start, addresses as URLs (in the simulator they are names).
 */
import { below } from "../../kernel/Draw.ts"
import { compareText } from "../../kernel/Order.ts"
import { parseAst } from "rolldown/parseAst"
import { lineOf, type Edit, type Mutant } from "./Mutant.ts"

/**
 * Files below `kernel/` of which no simulated node runs anything, or that only describe; and how draws are mixed: with another
 * constant they are other draws, as good as these, which only golden vectors can mind (test/kernel/Draw.test.ts).
 */
export const LEFT_OUT: ReadonlyArray<string> = [
  "Draw.ts",
  "Ports.ts",
  "Shell.ts",
  "links/Address.ts",
  "links/StaticPeer.ts",
  "status/Preflight.ts"
]

const SMALL_MAX = 16
/** More than any number of places, so that two rarely draw the same. */
const LOTS = 1_000_000_000

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"

interface Place {
  readonly operator: string
  readonly edit: Edit
}

/** What may be done to this node itself. */
const placesAt = (node: Node, source: string): ReadonlyArray<Place> => {
  const text = ({ end, start }: Node): string => source.slice(start, end)
  const replaced = (operator: string, { end, start }: Node, by: string): Place => ({
    operator,
    edit: { from: start, was: source.slice(start, end), is: by }
  })
  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression": {
      const test = node["test"] as Node
      return [replaced("negate", test, `!(${text(test)})`)]
    }
    case "ExpressionStatement": {
      const call = node["expression"] as Node
      return call.type === "CallExpression" && isCommand(text(call["callee"] as Node))
        ? [replaced("drop", node, ";")]
        : []
    }
    case "Literal": {
      const { value } = node
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 2) return []
      return [replaced("shift", node, String(value <= SMALL_MAX ? value + 1 : 2 * value))]
    }
    default:
      return []
  }
}

/** By what is called: `turn.out.push`, `turn.facts.push`, `send`, `note`, `reply`. */
const isCommand = (callee: string): boolean => /(?:^|\.)(?:out|facts)\.push$|^(?:send|note|reply)$/u.test(callee)

/** Types, and what stands where only types do. */
const isOfTypes = ({ type }: Node): boolean =>
  type.startsWith("TS") &&
  type !== "TSNonNullExpression" &&
  type !== "TSAsExpression" &&
  type !== "TSSatisfiesExpression"

const walk = (value: unknown, visit: (node: Node) => void): void => {
  if (Array.isArray(value)) for (const one of value) walk(one, visit)
  else if (isNode(value)) {
    if (isOfTypes(value) || value.type === "ImportDeclaration") return
    visit(value)
    for (const key in value)
      // The type of an `as` is one, the rest of it is not.
      if (key !== "typeAnnotation" && key !== "typeArguments" && key !== "returnType") walk(value[key], visit)
  }
}

const words: { readonly [operator: string]: string } = { negate: "negated", drop: "dropped", shift: "shifted" }

/** Of one file, in the order in which they stand there. */
export const mutantsOf = (file: string, source: string): ReadonlyArray<Mutant> => {
  const places: Array<Place> = []
  walk(parseAst(source, { lang: "ts" }), (node) => places.push(...placesAt(node, source)))
  return places
    .toSorted((a, b) => a.edit.from - b.edit.from || a.edit.was.length - b.edit.was.length)
    .map(({ edit, operator }) => {
      const line = lineOf(source, edit.from)
      const column = edit.from - source.lastIndexOf("\n", edit.from - 1)
      const was = edit.was.replaceAll(/\s+/gu, " ")
      const short = was.length > 60 ? `${was.slice(0, 57)}…` : was
      return {
        name: `${file}:${line}:${column}:${operator}`,
        kind: "mechanical",
        file,
        rule: operator,
        what: operator === "shift" ? `${was} is ${edit.is}` : `${words[operator]}: ${short}`,
        edits: [edit],
        line
      }
    })
}

/** So many of them, each as likely as any other, drawn by the seed; in the order of the files. */
export const sampled = (mutants: ReadonlyArray<Mutant>, count: number, seed: number): ReadonlyArray<Mutant> =>
  mutants
    .map((mutant) => ({ mutant, lot: below(seed, "mutant", mutant.name, 0, LOTS) }))
    .toSorted((a, b) => a.lot - b.lot || compareText(a.mutant.name, b.mutant.name))
    .slice(0, count)
    .map(({ mutant }) => mutant)
    .toSorted((a, b) => compareText(a.file, b.file) || a.line - b.line || compareText(a.name, b.name))
