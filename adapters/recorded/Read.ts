/**
 * Segments of recordings, read. What does not read is told with its place, and everything before it is there: a power cut leaves
 * a last line that breaks off, which is no damage; anything else that does not fit its checksum was changed.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Input } from "../../kernel/Input.ts"
import { type Header, type InputLine, TYPE, sumOf, unsealed } from "./Format.ts"
import * as Hash from "./Hash.ts"

export interface Segment {
  /** As it is told. */
  readonly file: string
  readonly header: Header
  readonly lines: ReadonlyArray<InputLine>
  /** What breaks off at its end; `null`: nothing. No more than one line is lost by it. */
  readonly torn: string | null
  /** The first line that was changed since it was written, in words with its place; nothing behind it was read. */
  readonly damage: string | null
}

export interface Unread {
  readonly problem: string
}

const NEWLINE = 0x0a
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const decoded = (bytes: Uint8Array): string | null => {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

const readInput = Schema.decodeUnknownResult(Input)

/** Whether it is a recording, or is to be told as a damaged one. */
export const isRecording = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, 64)).toString("latin1").startsWith(`{"$type":"clawmesh.recording/`)

const NO_RECORDING = `a recording begins with {"$type":"${TYPE}"; clawmesh-node keeps them in recording/ of its state directory`

const headerOf = (file: string, line: string | null, whole: boolean): { readonly header: Header } | Unread => {
  if (line === null || !line.startsWith(`{"$type":"`)) return { problem: `${file} is no recording: ${NO_RECORDING}` }
  const type = /^\{"\$type":"([^"]*)"/u.exec(line)?.[1] ?? ""
  if (!type.startsWith("clawmesh.recording/"))
    return { problem: `${file}:1:1: this is no recording but ${JSON.stringify(type)}; ${NO_RECORDING}` }
  if (type !== TYPE)
    return {
      problem: `${file}:1:1: a recording of the format ${type}; this program reads ${TYPE}. Replay it with the version that wrote it`
    }
  if (!whole)
    return {
      problem: `${file}:1:${line.length + 1}: it breaks off within its first line, which says what to start from: nothing of it can be replayed`
    }
  const found = unsealed(line)
  if (found === null || sumOf(found.body, 0) !== found.sum)
    return {
      problem: `${file}:1: this line was changed since it was written: its checksum is another one. It says what to start from: nothing of it can be replayed`
    }
  return { header: JSON.parse(found.body) as Header }
}

/** A line behind the first; a text: what is wrong with it. */
const lineOf = (
  source: string | null,
  before: number
): { readonly line: InputLine; readonly sum: number } | { readonly wrong: string } => {
  if (source === null) return { wrong: "this is no text" }
  const found = unsealed(source)
  if (found === null) return { wrong: "it does not end with a checksum" }
  if (sumOf(found.body, before) !== found.sum)
    return { wrong: "it does not fit its checksum, or a line before it is gone" }
  const { hash, input } = JSON.parse(found.body) as InputLine
  const read = readInput(input)
  if (Result.isFailure(read)) return { wrong: "this is no input of a kernel that this program knows" }
  return { line: { input, hash }, sum: found.sum }
}

/** `file` is only for what is told. */
export const readSegment = (file: string, bytes: Uint8Array): Segment | Unread => {
  if (bytes.length === 0) return { problem: `${file} is empty: power was cut before anything of it was stored` }
  const endOf = (from: number): number => {
    const at = bytes.indexOf(NEWLINE, from)
    return at === -1 ? bytes.length : at
  }
  let ends = endOf(0)
  const first = headerOf(file, decoded(bytes.subarray(0, ends)), ends < bytes.length)
  if ("problem" in first) return first
  if (Hash.resume(first.header.after.hash) === null)
    return { problem: `${file}:1: the hash to go on from is none: ${first.header.after.hash}` }
  const lines: Array<InputLine> = []
  let sum = first.header.segment
  let n = 1
  for (let at = ends + 1; at < bytes.length; at = ends + 1) {
    ends = endOf(at)
    n++
    const read = lineOf(decoded(bytes.subarray(at, ends)), sum)
    if ("wrong" in read) {
      const last = ends === bytes.length
      const inputs = lines.length === 1 ? "1 input" : `${lines.length} inputs`
      return {
        file,
        header: first.header,
        lines,
        torn: last ? `${file}:${n}: it breaks off in this line, behind ${inputs}; only that line is lost` : null,
        damage: last ? null : `${file}:${n}: this line was changed since it was written: ${read.wrong}`
      }
    }
    lines.push(read.line)
    ;({ sum } = read)
  }
  return { file, header: first.header, lines, torn: null, damage: null }
}
