/**
 * What stands in the recording of a node: JSON Lines in UTF-8, in segments. Each begins with a line from which everything behind it
 * can be done again: what the node was told, and its state where it was running already. Each further line is one input, in the
 * order in which the kernel took them up, with the rolling hash of all that this process took up and did so far.
 *
 * Commands are not kept: a kernel makes them again, and the hash says whether they are the same. Each line ends with a checksum of
 * itself and of the lines before it in its segment, so that what was changed is told from a kernel that does otherwise.
 *
 * Holds no secret: `Config` knows public keys only, and the kernel never sees another (docs/decisions/0030-recordings.md).
 */
import { crc32 } from "node:zlib"
import type { Config } from "../../kernel/Config.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Instant } from "../../kernel/Time.ts"

export const TYPE = "clawmesh.recording/1"

export interface Maker {
  /** Of the package. */
  readonly program: string
  /** See `kernelDigest`. */
  readonly kernel: string
  /** Of Node, with its `v`. */
  readonly node: string
}

export interface Header extends Maker {
  readonly $type: typeof TYPE
  readonly name: string
  /** Counts on over all processes of a state directory, from 1. */
  readonly segment: number
  /** When it was begun, by the clocks of the node. */
  readonly at: Instant
  /** What this process took up before, and the hash of that. */
  readonly after: { readonly inputs: number; readonly hash: string }
  /** What the kernel was made with. */
  readonly config: Config
  /** As `packed` of State.ts gives it; `null`: the process began here, and its first input is `Started`. */
  readonly state: string | null
}

export interface InputLine {
  readonly input: Input
  readonly hash: string
}

/** Segments are named so that their names sort as they were written. */
export const fileOf = (segment: number): string => `${String(segment).padStart(8, "0")}.jsonl`
export const segmentOf = (file: string): number | null => {
  const found = /^(\d{8})\.jsonl$/u.exec(file)
  return found === null ? null : Number(found[1])
}

/** Of a text, behind another one. */
export const sumOf = (text: string, before: number): number => crc32(text, before)

const END = `,"sum":"`
const HEX_DIGITS = 8

/** The first line, whose checksum is its own; those of the others go on from the number of the segment. */
export const headerLine = (header: Header): string => sealed(JSON.stringify(header), 0).line

/** One line with its checksum: `body` is an object as JSON. The checksum goes into that of the next line. */
export const sealed = (body: string, before: number): { readonly line: string; readonly sum: number } => {
  const sum = sumOf(body, before)
  return { line: `${body.slice(0, -1)}${END}${sum.toString(16).padStart(HEX_DIGITS, "0")}"}\n`, sum }
}

/** What was sealed, and with which checksum; `null`: this line was not. */
export const unsealed = (line: string): { readonly body: string; readonly sum: number } | null => {
  const at = line.length - END.length - HEX_DIGITS - 2
  if (at < 1 || !line.startsWith(END, at) || !line.endsWith('"}')) return null
  const digits = line.slice(at + END.length, -2)
  return /^[0-9a-f]{8}$/u.test(digits) ? { body: `${line.slice(0, at)}}`, sum: Number.parseInt(digits, 16) } : null
}
