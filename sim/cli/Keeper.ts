/** Keeps traces in `out/`, by the first digits of their hash; remembers once why it could not. */
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { isNoFolder, whyUnwritten, writeWhole } from "./Writing.ts"

const FOLDER = "out"
/** As many digits as a transcript shows. */
const HASH_SHOWN = 8

/** Where something of a run of that hash is kept. */
export const keptPath = (hash: string, ending: "jsonl" | "html"): string =>
  join(FOLDER, `${hash.slice(0, HASH_SHOWN)}.${ending}`)

export class Keeper {
  readonly #cwd: string
  readonly problems = new Set<string>()

  constructor(cwd: string) {
    this.#cwd = cwd
  }

  keep(hash: string, text: string): string | null {
    const path = keptPath(hash, "jsonl")
    try {
      mkdirSync(resolve(this.#cwd, FOLDER), { recursive: true })
      writeWhole(resolve(this.#cwd, path), text)
      return path
    } catch (error) {
      const why = isNoFolder(error) ? `${FOLDER} is a file, and has to be a folder` : whyUnwritten(error)
      this.problems.add(`${path} cannot be written: ${why}`)
      return null
    }
  }
}
