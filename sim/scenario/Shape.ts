/**
 * The data of a file against the schema of the language: each difference becomes a mistake at its place, and what is wrong
 * is taken out, so that the passes after this one see a draft in which every value that is there has the right form.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { Language } from "./Language.ts"
import type { Mistakes } from "./Mistakes.ts"
import type { Path, Tree } from "./Tree.ts"

/** `A` in which anything may be missing, at any depth. */
export type Draft<A> = A extends string | number
  ? A
  : A extends ReadonlyArray<infer Item>
    ? ReadonlyArray<Draft<Item> | undefined>
    : { readonly [K in keyof A]?: Draft<A[K]> | undefined }

const decode = Schema.decodeUnknownResult(Language)

export const readShape = (tree: Tree, mistakes: Mistakes): Draft<Language> => {
  const decoded = decode(tree.data, { errors: "all", onExcessProperty: "error" })
  if (Result.isSuccess(decoded) && mistakes.size === 0) return tree.data as Draft<Language>
  const wrong = new Set<string>()
  if (Result.isFailure(decoded)) new Reporter(tree, mistakes, wrong).report(decoded.failure.issue, [], "")
  return prune(tree.data, [], wrong) as Draft<Language>
}

const pathKey = (path: Path): string => JSON.stringify(path)

const prune = (value: unknown, path: Path, wrong: ReadonlySet<string>): unknown => {
  if (wrong.has(pathKey(path))) return undefined
  if (Array.isArray(value)) return value.map((item, i) => prune(item, [...path, i], wrong))
  if (typeof value !== "object" || value === null) return value
  const kept: Record<string, unknown> = Object.create(null)
  for (const [key, inner] of Object.entries(value)) {
    const pruned = prune(inner, [...path, key], wrong)
    if (pruned !== undefined) kept[key] = pruned
  }
  return kept
}

const note = (ast: SchemaAST.AST, key: string): unknown => {
  const own = ast.annotations?.[key]
  if (own !== undefined) return own
  // An annotation that is made after a check stands on the check.
  for (const check of ast.checks ?? []) if (check.annotations?.[key] !== undefined) return check.annotations[key]
  return undefined
}

const messageOf = (ast: SchemaAST.AST): string => {
  const message = note(ast, "message")
  return typeof message === "string" ? message : ""
}

/** What a union of words can be; `null`: the schema is something else. */
const wordsOf = (ast: SchemaAST.AST): ReadonlyArray<string> | null => {
  if (ast._tag !== "Union") return null
  const words = ast.types.flatMap((type) =>
    type._tag === "Literal" && typeof type.literal === "string" ? [type.literal] : []
  )
  return words.length === ast.types.length && words.length > 0 ? words : null
}

const later = (ast: SchemaAST.AST, written: string): string | null => {
  const words = note(ast, "later")
  if (typeof words !== "object" || words === null) return null
  const found = Object.entries(words).find(
    ([word]) => word === written || (word.endsWith(".") && written.startsWith(word))
  )
  return found === undefined ? null : `"${written}" is not there yet: it comes with ${found[1]}, in a later version`
}

class Reporter {
  readonly #tree: Tree
  readonly #mistakes: Mistakes
  readonly #wrong: Set<string>

  constructor(tree: Tree, mistakes: Mistakes, wrong: Set<string>) {
    this.#tree = tree
    this.#mistakes = mistakes
    this.#wrong = wrong
  }

  /** `message` is what the schema around says, for a check that says nothing itself. */
  report(issue: SchemaIssue.Issue, path: Path, message: string): void {
    switch (issue._tag) {
      case "Pointer":
        return this.report(
          issue.issue,
          [...path, ...issue.path.map((key) => (typeof key === "number" ? key : String(key)))],
          ""
        )
      case "Composite":
        for (const inner of issue.issues) this.report(inner, path, messageOf(issue.ast) || message)
        return
      case "AnyOf":
        if (issue.issues.length === 0) return this.#value(path, this.#notOneOf(issue.ast, path))
        for (const inner of issue.issues) this.report(inner, path, messageOf(issue.ast) || message)
        return
      case "Filter": {
        const own = issue.filter.annotations?.message
        return this.#value(path, typeof own === "string" ? own : message)
      }
      case "InvalidType":
        return this.#value(path, messageOf(issue.ast) || message)
      case "MissingKey": {
        const missing = issue.annotations?.messageMissingKey
        // A key whose value could not be taken over is there, and has its own mistake.
        if (this.#tree.broken(path)) return
        return this.#mistakes.add(this.#tree.value(path), typeof missing === "string" ? missing : message)
      }
      case "UnexpectedKey":
        return this.#unknownKey(issue.ast, path)
      default:
        return this.#value(path, message)
    }
  }

  #value(path: Path, message: string): void {
    this.#wrong.add(pathKey(path))
    if (!this.#tree.broken(path)) this.#mistakes.add(this.#tree.value(path), message || "this does not belong here")
  }

  #notOneOf(ast: SchemaAST.AST, path: Path): string {
    const words = wordsOf(ast)
    if (words === null) return messageOf(ast)
    const written = valueAt(this.#tree.data, path)
    if (typeof written !== "string") return messageOf(ast) || `one of ${words.join(", ")}`
    const coming = later(ast, written)
    if (coming !== null) return coming
    const hint = this.#mistakes.hint(written, words)
    const noun = note(ast, "noun")
    // A long list helps only where there is nothing better to say.
    return hint !== "" && typeof noun === "string"
      ? `no ${noun} is called "${written}"${hint}`
      : `one of ${words.join(", ")}${hint}`
  }

  #unknownKey(ast: SchemaAST.AST, path: Path): void {
    this.#wrong.add(pathKey(path))
    const written = String(path.at(-1))
    const span = this.#tree.key(path)
    if (ast._tag !== "Objects") return this.#mistakes.add(span, "this does not belong here")
    const known = ast.propertySignatures.map((property) => String(property.name))
    const names = ast.indexSignatures[0]
    if (known.length === 0 && names !== undefined) return this.#mistakes.add(span, messageOf(names.parameter))
    const coming = later(ast, written)
    if (coming !== null) return this.#mistakes.add(span, coming)
    const noun = note(ast, "noun")
    const hint = this.#mistakes.hint(written, known)
    this.#mistakes.add(
      span,
      `no such ${typeof noun === "string" ? noun : "word"}${hint === "" ? `; there are ${known.join(", ")}` : hint}`
    )
  }
}

const valueAt = (data: unknown, path: Path): unknown => {
  let value = data
  for (const key of path)
    value = typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined
  return value
}
