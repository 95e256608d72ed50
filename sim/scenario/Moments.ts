/**
 * Moments: `12s`, the id of a step, `start`, `end`, and any of them plus a time, in ms since the start of the run.
 *
 * Steps declare their ids from the first to the last, so that a step can point back only: a timeline runs forward.
 */
import type { Reading } from "./Names.ts"
import type { Path } from "./Tree.ts"
import { readMoment } from "./Units.ts"
import * as Result from "effect/Result"

const reserved: ReadonlySet<string> = new Set(["start", "end"])
export const isReserved = (id: string): boolean => reserved.has(id)

export class Moments {
  readonly #reading: Reading
  /** `null`: the step is there, but its own moment does not read. */
  readonly #steps = new Map<string, number | null>()

  readonly #readable: boolean

  /** `readable`: whether there is a timeline at all; of one that does not read, every step would be unknown. */
  constructor(reading: Reading, readable: boolean) {
    this.#reading = reading
    this.#readable = readable
  }

  declare(id: string, atMs: number | null): void {
    if (!this.#steps.has(id)) this.#steps.set(id, atMs)
  }

  get ids(): Iterable<string> {
    return this.#steps.keys()
  }

  has(id: string): boolean {
    return this.#steps.has(id)
  }

  /**
   * `null` when there is no telling; the reason has been given. `coming`: ids of the whole timeline, for a moment that stands
   * in it, to tell a step that comes later from one that does not exist.
   */
  resolve(text: string | undefined, path: Path, coming: ReadonlySet<string> = new Set()): number | null {
    if (text === undefined) return null
    const { lastsMs, mistakes, tree } = this.#reading
    const read = readMoment(text)
    if (Result.isFailure(read)) {
      mistakes.add(tree.value(path), read.failure)
      return null
    }
    const { base, plusMs } = read.success
    if ("ms" in base) return base.ms + plusMs
    if (base.word === "start") return plusMs
    if (base.word === "end") return lastsMs === null ? null : lastsMs + plusMs
    const atMs = this.#steps.get(base.word)
    if (atMs !== undefined) return atMs === null ? null : atMs + plusMs
    if (!this.#readable) return null
    mistakes.add(
      tree.value(path),
      coming.has(base.word)
        ? `${base.word} is no earlier step; the timeline runs forward`
        : `no step is called "${base.word}"${mistakes.hint(base.word, [...this.ids, ...coming, "start", "end"])}`
    )
    return null
  }
}
