/**
 * A mutant: the kernel with one bug in it. Text in place of other text in one file of `kernel/`, put there while the file is loaded
 * (Hooks.ts) and nowhere else: no bug is in any file that is shipped.
 */

export interface Edit {
  /** Offset in the source, in UTF-16 units. */
  readonly from: number
  readonly was: string
  readonly is: string
}

export interface Mutant {
  /** What `--only` takes. */
  readonly name: string
  readonly kind: "named" | "mechanical"
  /** Below `kernel/`, such as `links/Login.ts`. */
  readonly file: string
  /** The rule that it breaks; of a mechanical one, what was done. */
  readonly rule: string
  /** The bug, in a sentence. */
  readonly what: string
  readonly edits: ReadonlyArray<Edit>
  /** 1-based, of the first edit. */
  readonly line: number
}

/** The file is another one than it was when the mutant was made. */
export class Moved extends Error {}

export const applied = (source: string, edits: ReadonlyArray<Edit>): string =>
  edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, is, was }) => {
      if (!text.startsWith(was, from)) throw new Moved("the kernel was changed while bugs were put into it; try again")
      return text.slice(0, from) + is + text.slice(from + was.length)
    }, source)

export const lineOf = (source: string, offset: number): number => source.slice(0, offset).split("\n").length

/** `links`, of `links/Login.ts`; `kernel`, of what stands at the top. */
export const moduleOf = ({ file }: Pick<Mutant, "file">): string =>
  file.includes("/") ? file.slice(0, file.indexOf("/")) : "kernel"

/** A bug, as the difference that it makes in a file of the kernel. */
export interface Bug {
  readonly rule: string
  readonly what: string
  readonly file: string
  /** Each stands in the file exactly once. */
  readonly swaps: ReadonlyArray<readonly [was: string, is: string]>
}
