/** From the name of a trace to the trace, or to a sentence that says why there is none and what to do. */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { nearest } from "../scenario/Spelling.ts"
import { readTrace, type Trace } from "../trace/ReadTrace.ts"
import { whyUnreadable } from "./Files.ts"

/** A week of a large mesh is less. */
const BYTES_MAX = 1_073_741_824

const tracesIn = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .toSorted()
  } catch {
    return []
  }
}

const missing = (cwd: string, file: string): string => {
  const folder = dirname(file)
  const name = file.slice(file.lastIndexOf("/") + 1)
  const beside = tracesIn(resolve(cwd, folder))
  const meant = nearest(name, beside) ?? beside.find((other) => other === `${name}.jsonl`)
  if (meant != null) return `no file ${file}; did you mean ${join(folder, meant)}?`
  return `no file ${file}; traces are kept by pnpm sim fuzz, and by pnpm sim run --record, in out/`
}

export const openTrace = (cwd: string, file: string): Trace | { readonly problem: string } => {
  try {
    const path = resolve(cwd, file)
    const kind = statSync(path)
    if (kind.isDirectory()) {
      const [first] = tracesIn(path)
      return {
        problem: `${file} is a folder; ${first === undefined ? "there is no trace in it" : `did you mean ${join(file, first)}?`}`
      }
    }
    if (!kind.isFile() && !kind.isFIFO()) return { problem: `${file} is not a file; a trace is a text file` }
    if (kind.size > BYTES_MAX) return { problem: `${file} is larger than 1 GiB; no trace is` }
    return readTrace(file, readFileSync(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { problem: code === "ENOENT" ? missing(cwd, file) : whyUnreadable(file, error) }
  }
}
