/** Which run a trace file is of, and how it ended: its first and its last line. What is between them is the run itself, which is made again. */
import { readFileSync } from "node:fs"

export interface TraceHead {
  /** The text of the scenario. */
  readonly scenario: string
  readonly file: string
  readonly seed: number
  readonly with: string | null
  /** True time at which it was stopped; `null`: it ran to its end. */
  readonly untilMs: number | null
  /** It ran as written, nothing was drawn. */
  readonly written: boolean
  readonly branch: string | null
  readonly kernel: string | null
  /** Of its end; `null`: it was cut off. */
  readonly hash: string | null
}

type Json = { readonly [key: string]: unknown }

const json = (line: string): Json | null => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null
  } catch {
    return null
  }
}

const isText = (value: unknown): value is string => typeof value === "string"
/** A name that a terminal shows as it is. */
const isName = (value: unknown): value is string => isText(value) && !/[\p{Cc}\p{Cf}]/u.test(value)

const reasons: { readonly [code: string]: string } = {
  EACCES: "it may not be read",
  EISDIR: "it is a folder",
  ENOENT: "there is no such file",
  ENOTDIR: "a part of its path is not a folder",
  ERR_FS_FILE_TOO_LARGE: "it is too large",
  ERR_STRING_TOO_LONG: "it is too large"
}

/** A sentence about the file, where it is no trace. */
export const readTraceHead = (file: string, path: string): TraceHead | string => {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException
    return `${file} cannot be read: ${reasons[code] ?? message}`
  }
  const first = text.slice(0, Math.max(0, text.indexOf("\n")))
  const whole = text.trimEnd()
  const head = json(first)
  if (head === null || head["$type"] !== "clawmesh.trace/1")
    return `${file} is no trace: its first line does not say clawmesh.trace/1`
  const { drawn, kernel, scenario, seed, untilMs, with: besides } = head
  const name = head["file"]
  if (!isText(scenario) || !isName(name) || !Number.isSafeInteger(seed))
    return `${file} is no whole trace: its first line lacks the scenario, its file or the seed`
  const end = json(whole.slice(whole.lastIndexOf("\n") + 1))?.["end"] as Json | null | undefined
  const branch = (drawn as Json | null | undefined)?.["branch"]
  const hash = end?.["hash"]
  return {
    scenario,
    file: name,
    seed: seed as number,
    with: isText(besides) ? besides : null,
    untilMs: Number.isSafeInteger(untilMs) ? (untilMs as number) : null,
    written: drawn === null,
    branch: isText(branch) ? branch : null,
    kernel: isName(kernel) ? kernel : null,
    hash: isText(hash) ? hash : null
  }
}
