/**
 * Text into HTML, with nothing taken on trust: whatever is put into the template is escaped, unless it was made by the template
 * itself. Names of nodes, files and scenarios, and what frames say, are written by strangers.
 */

/** Made by `markup`, or known to be safe where it was made. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Also what a browser would not show, or would turn round: control characters, and marks of direction. */
const SPECIAL = /[&<>"']/gu
const UNSHOWN = /[\p{Cc}\p{Cf}]/gu

export const shown = (text: string): string =>
  text.replace(UNSHOWN, (c) => (c === "\n" || c === "\t" ? c : `\\u{${c.codePointAt(0)!.toString(16)}}`))

export const escaped = (text: string): string => shown(text).replace(SPECIAL, (character) => entities[character]!)

type Part = string | number | Markup | ReadonlyArray<Markup>

const written = (part: Part): string => {
  if (part instanceof Markup) return part.text
  return Array.isArray(part) ? part.map(({ text }: Markup) => text).join("") : escaped(String(part))
}

export const markup = (pieces: TemplateStringsArray, ...parts: ReadonlyArray<Part>): Markup =>
  new Markup(pieces.map((piece, i) => piece + (i < parts.length ? written(parts[i]!) : "")).join(""))

/** Data for a script of the page: JSON in which no tag can begin or end, and no line can break where JavaScript would. */
export const embedded = (value: unknown): Markup =>
  new Markup(
    JSON.stringify(value).replace(/[<>&\u2028\u2029]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)
  )

export const NOTHING = new Markup("")
