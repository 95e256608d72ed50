/**
 * The audit log of a node (B37): every refusal, every execution and every decision about what it moves, a line of JSON each, in the
 * state directory. Each line names the SHA-256 of the one before it, so that whoever changes, drops or adds one in the middle shows.
 *
 * Promises: nothing that is there is ever changed; a line that a power cut left unfinished stays, and the chain goes on behind it; a
 * disk that refuses is told of once, and ends nothing: what must not be forgotten is in the journal.
 *
 * Does not promise: that nothing is missing at the end, or that all of it is as it was: whoever can write the directory can write the
 * whole of it anew. Copy the last hash elsewhere for that.
 */
import { createHash } from "node:crypto"
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync
} from "node:fs"
import { join } from "node:path"

/** A file that is longer is put aside, and so many of these are kept. */
export const FILE_BYTES_MAX = 8_388_608
export const FILES_MAX = 8
/** A line is shorter than this. */
const LINE_BYTES_MAX = 65_536

const CURRENT = "audit.jsonl"
const aside = (n: number): string => `audit-${n}.jsonl`

/** What the first line of all follows. */
export const NOTHING = "0".repeat(64)

export const hashOf = (line: string): string => createHash("sha256").update(line).digest("hex")

/** What is written of: what moves, and what people and planners say about that. */
export const isAudited = (event: string): boolean => event.startsWith("actuator.") || event.startsWith("proposal.")

export interface Auditor {
  /** One more line, with the hash of the line before it. */
  readonly tell: (record: { readonly event: string }) => void
}

/** Its last line, and whether that is whole. */
const endOf = (path: string): { readonly line: string; readonly whole: boolean; readonly bytes: number } | null => {
  if (!existsSync(path)) return null
  const file = openSync(path, "r")
  try {
    const { size } = fstatSync(file)
    if (size === 0) return null
    const tail = Buffer.alloc(Math.min(size, LINE_BYTES_MAX))
    readSync(file, tail, 0, tail.length, size - tail.length)
    const text = tail.toString("utf8")
    const whole = text.endsWith("\n")
    const lines = (whole ? text.slice(0, -1) : text).split("\n")
    return { line: lines.at(-1)!, whole, bytes: size }
  } finally {
    closeSync(file)
  }
}

/** @param fail told once, where the disk refuses */
export const open = (directory: string, fail: (why: string) => void): Auditor => {
  const path = join(directory, CURRENT)
  let failed = false
  const guarded = (act: () => void): void => {
    try {
      act()
      failed = false
    } catch (error) {
      if (!failed) fail(String(error))
      failed = true
    }
  }
  let prev = NOTHING
  let bytes = 0
  guarded(() => {
    const here = endOf(path)
    const end = here ?? endOf(join(directory, aside(1)))
    if (end !== null) prev = hashOf(end.line)
    bytes = here?.bytes ?? 0
    if (here?.whole === false) appendFileSync(path, "\n")
  })
  const rotate = (): void => {
    rmSync(join(directory, aside(FILES_MAX)), { force: true })
    for (let n = FILES_MAX - 1; n >= 1; n--)
      if (existsSync(join(directory, aside(n)))) renameSync(join(directory, aside(n)), join(directory, aside(n + 1)))
    renameSync(path, join(directory, aside(1)))
    bytes = 0
  }
  return {
    tell: (record) =>
      guarded(() => {
        if (!isAudited(record.event)) return
        if (bytes >= FILE_BYTES_MAX) rotate()
        const line = JSON.stringify({ ...record, prev })
        appendFileSync(path, `${line}\n`, { mode: 0o600 })
        bytes += Buffer.byteLength(line) + 1
        prev = hashOf(line)
      })
  }
}

export interface Fault {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly what: "broken" | "unfinished"
}

export interface Audited {
  /** The oldest first. */
  readonly records: ReadonlyArray<{ readonly [key: string]: unknown }>
  readonly faults: ReadonlyArray<Fault>
  /** Of the last line: what one copies elsewhere. `null`: there is none. */
  readonly last: string | null
}

/** All that is kept, and where the chain does not hold. The first line of all that is kept is taken as it is. */
export const read = (directory: string): Audited => {
  const records: Array<{ readonly [key: string]: unknown }> = []
  const faults: Array<Fault> = []
  let prev: string | null = null
  const names = [...Array.from({ length: FILES_MAX }, (_, n) => aside(FILES_MAX - n)), CURRENT]
  for (const name of names) {
    const path = join(directory, name)
    if (!existsSync(path)) continue
    const lines = readFileSync(path, "utf8").split("\n")
    if (lines.at(-1) === "") lines.pop()
    for (const [n, line] of lines.entries()) {
      const record = parsed(line)
      if (record === null) faults.push({ file: name, line: n + 1, what: "unfinished" })
      else {
        if (prev !== null && record["prev"] !== prev) faults.push({ file: name, line: n + 1, what: "broken" })
        records.push(record)
      }
      prev = hashOf(line)
    }
  }
  return { records, faults, last: prev }
}

const parsed = (line: string): { readonly [key: string]: unknown } | null => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as { readonly [key: string]: unknown })
      : null
  } catch {
    return null
  }
}
