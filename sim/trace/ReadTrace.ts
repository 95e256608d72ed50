/**
 * A trace file, read. Whatever the bytes are: a trace, or a sentence that says why there is none. Of a file that was cut off or
 * edited what still stands is taken over, with a sentence that says so.
 *
 * Does not judge whether the inputs are ones that a kernel could have got: of a whole file the sum at its end says that it is as
 * it was written, and of any other the frames pass the kernel's codec again.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Input } from "../../kernel/Input.ts"
import { decode, encode } from "../../kernel/wire/Codec.ts"
import { pointsText, readPoints, type Points } from "../search/Points.ts"
import { hashOf, sumOf, TYPE, type End, type Header, type InputLine } from "./Format.ts"

export interface Trace {
  readonly file: string
  readonly header: Header
  readonly points: Points
  readonly lines: ReadonlyArray<InputLine>
  /** `null`: the file ends before. */
  readonly end: End | null
  /** Whether the text of the scenario is the one that was recorded. */
  readonly scenarioIntact: boolean
  /** What is wrong with it, in a sentence, and whether it ends too soon or is another one than was written; `null`: nothing. */
  readonly damage: { readonly _tag: "cut off" | "edited"; readonly words: string } | null
}

const integer = Schema.Int
const text = Schema.String
/** What a terminal shows as it is: a file of strangers may hold anything. */
const name = text.check(Schema.isPattern(/^[^\p{Cc}\p{Cf}]*$/u))
const object = Schema.Record(Schema.String, Schema.Unknown)

const ConfigShape = Schema.Struct({
  seed: integer,
  deviceId: text,
  publicKey: text,
  displayName: text,
  role: text,
  capabilities: Schema.Array(text),
  meshId: text,
  meshKey: text,
  profile: object,
  peers: Schema.optionalKey(Schema.Array(object)),
  trusted: Schema.Array(object),
  manifest: Schema.Struct({ version: integer, electors: Schema.Array(text) })
})

const HeaderShape = Schema.Struct({
  $type: Schema.Literal(TYPE),
  scenario: text,
  scenarioHash: text,
  file: name,
  seed: Schema.Natural,
  with: Schema.optionalKey(text.check(Schema.isPattern(/^gen1=\d{1,2}$/u))),
  untilMs: Schema.NullOr(Schema.Natural),
  drawn: Schema.NullOr(
    Schema.Struct({
      class: Schema.Literals(["scripted", "varied", "everywhere"]),
      swarm: Schema.Boolean,
      ties: Schema.Literals(["fifo", "drawn"]),
      liveness: Schema.Boolean,
      settings: Schema.Array(object),
      expectations: Schema.Array(Schema.Natural),
      sources: Schema.Array(Schema.NullOr(text)),
      calmMs: Schema.Int,
      turns: Schema.Array(object),
      branch: Schema.optionalKey(text)
    })
  ),
  ran: object,
  nodes: Schema.Array(
    Schema.Struct({
      name,
      generation: Schema.optionalKey(Schema.Literals([1, 2])),
      config: ConfigShape
    })
  ),
  kernel: Schema.NullOr(name),
  node: name
})

const LineShape = Schema.Struct({ atMs: Schema.Natural, node: text, input: Input, hash: text })

const EndShape = Schema.Struct({
  end: Schema.Struct({
    hash: text,
    verdict: Schema.Literals(["passed", "failed", "undecided"]),
    atMs: Schema.Natural,
    events: Schema.Natural,
    sum: text
  })
})

const readHeader = Schema.decodeUnknownResult(HeaderShape)
const readLine = Schema.decodeUnknownResult(LineShape)
const readEnd = Schema.decodeUnknownResult(EndShape)

/** What is wrong with a value, in one line. */
const why = ({ message }: { readonly message: string }): string =>
  message
    .split("\n")
    .map((part) => part.trim())
    .join(" ")

/** `unfinished`: it could still become JSON. */
type Json =
  | { readonly value: unknown }
  | { readonly problem: string; readonly column: number; readonly unfinished: boolean }

const messageOf = (source: string): string | null => {
  try {
    JSON.parse(source)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

const isUnfinished = (source: string, message: string): boolean =>
  /end of JSON|Unterminated/u.test(message) || message.includes(`at position ${source.length} `)

/** Beyond this a place is not worth the time that it takes to find. */
const PLACED_MAX = 4_194_304

/** How much of it could still become JSON. */
const soundLength = (source: string): number => {
  if (source.length > PLACED_MAX) return 0
  let low = 0
  let high = source.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const part = source.slice(0, middle)
    const message = messageOf(part)
    if (message === null || isUnfinished(part, message)) low = middle
    else high = middle - 1
  }
  return low
}

const parse = (source: string): Json => {
  const message = messageOf(source)
  if (message === null) return { value: JSON.parse(source) as unknown }
  const problem = message.replace(/ (?:in|after) JSON at position.*$/u, "").replace(/, .* is not valid JSON$/su, "")
  return { problem, column: soundLength(source) + 1, unfinished: isUnfinished(source, message) }
}

const NEWLINE = 0x0a

/** Where the line that begins at `from` ends, its line break left out. */
const endOf = (bytes: Uint8Array, from: number): number => {
  const at = bytes.indexOf(NEWLINE, from)
  return at === -1 ? bytes.length : at
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false })

const decoded = (bytes: Uint8Array): string | null => {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

const typeOf = (value: unknown): string | null => {
  const type = (value as { readonly $type?: unknown } | null)?.$type
  return typeof type === "string" ? type : null
}

const headerOf = (
  file: string,
  first: string | null,
  whole: boolean
): { readonly header: Header } | { readonly problem: string } => {
  // oxlint-disable-next-line no-control-regex
  if (first === null || /\u0000/u.test(first))
    return { problem: `${file} is not a text file; a trace is JSON Lines, as pnpm sim fuzz keeps them in out/` }
  const json = parse(first)
  if (!("value" in json)) {
    if (first.startsWith(`{"$type":"clawmesh.trace/`) && !whole)
      return {
        problem: `${file}:1:${json.column}: it is cut off within its first line, which says what ran: nothing of it can be replayed`
      }
    const meant = /^\s*(#|scenario:)/u.test(first)
      ? `a scenario is named *.yaml: pnpm sim replay <file.yaml> --seed N`
      : "a trace is JSON Lines, as pnpm sim fuzz keeps them in out/"
    return { problem: `${file}:1:${json.column}: this is no trace: ${json.problem}; ${meant}` }
  }
  const type = typeOf(json.value)
  if (type !== TYPE) {
    if (type?.startsWith("clawmesh.trace/") === true)
      return {
        problem: `${file}:1:1: a trace of the format ${type}; this simulator reads ${TYPE}. Replay it with the simulator that wrote it`
      }
    const what = type === null ? "its first line has no $type" : `it is ${JSON.stringify(type)}`
    return { problem: `${file}:1:1: this is no trace: ${what}; a trace begins with {"$type":"${TYPE}"` }
  }
  const header = readHeader(json.value)
  return Result.isSuccess(header)
    ? { header: json.value as Header }
    : { problem: `${file}:1:1: the first line does not say what ran: ${why(header.failure)}` }
}

/** A frame that the codec would not let in is none that a node ever got. */
const foreign = ({ input }: InputLine): boolean =>
  input._tag === "Received" && decode(encode(input.frame))._tag !== "Frame"

class Reader {
  readonly lines: Array<InputLine> = []
  end: End | null = null
  damage: Trace["damage"]
  readonly #file: string
  readonly #bytes: Uint8Array
  readonly #names: ReadonlySet<string>
  /** The line that is read. */
  #n = 1

  constructor(file: string, bytes: Uint8Array, { nodes }: Header, damage: Trace["damage"]) {
    this.#file = file
    this.#bytes = bytes
    this.#names = new Set(nodes.map(({ name }) => name))
    this.damage = damage
  }

  /** Takes over what stands from there on, up to what does not read. */
  read(from: number): void {
    const whole = this.#whole(from)
    for (let at = from; at < this.#bytes.length;) {
      const ends = endOf(this.#bytes, at)
      this.#n++
      if (this.end !== null) return this.#edited(1, "something stands behind the line that ends the trace")
      const source = decoded(this.#bytes.subarray(at, ends))
      if (!(whole ? this.#known(source!) : this.#line(source, ends === this.#bytes.length))) return
      at = ends + 1
    }
    if (this.end === null) this.#cut(`it ends after ${this.lines.length} inputs`)
    else if (!whole)
      this.damage ??= edited(`${this.#file} was edited since it was written: the sum at its end is another one`)
  }

  /** Whether the last line says how it ended, and its sum fits. */
  #whole(from: number): boolean {
    const bytes = this.#bytes
    const last = bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1
    if (last < from) return false
    const json = parse(decoded(bytes.subarray(last)) ?? "")
    const read = readEnd("value" in json ? json.value : null)
    return Result.isSuccess(read) && sumOf(bytes.subarray(0, last), read.success.end) === read.success.end.sum
  }

  /** A line that is as it was written. */
  #known(source: string): boolean {
    const value = JSON.parse(source) as InputLine | { readonly end: End }
    if ("end" in value) this.end = value.end
    else this.lines.push(value)
    return true
  }

  #cut(words: string): void {
    this.damage ??= {
      _tag: "cut off",
      words: `${this.#file} is cut off: ${words}, and no line says how it ended`
    }
  }

  #edited(column: number, words: string): void {
    this.damage ??= edited(`${this.#file}:${this.#n}:${column}: ${words}; this is not what was written`)
  }

  /** Any line; `false`: from here on nothing is taken over. */
  #line(source: string | null, last: boolean): boolean {
    if (source === null && !last) this.#edited(1, "this is no text")
    else if (source === null) this.#cut(`it breaks off in line ${this.#n}, after ${this.lines.length} inputs`)
    else {
      const json = parse(source)
      if ("value" in json) return this.#value(json.value)
      if (last && json.unfinished) this.#cut(`it breaks off in line ${this.#n}, after ${this.lines.length} inputs`)
      else this.#edited(json.column, json.problem)
    }
    return false
  }

  #value(value: unknown): boolean {
    if (value !== null && typeof value === "object" && "end" in value) {
      const read = readEnd(value)
      if (Result.isSuccess(read)) this.end = read.success.end
      else this.#edited(1, `this is no end of a trace: ${why(read.failure)}`)
      return Result.isSuccess(read)
    }
    const read = readLine(value)
    const problem = Result.isFailure(read)
      ? `this is no input: ${why(read.failure)}`
      : !this.#names.has(read.success.node)
        ? `no node ${JSON.stringify(read.success.node)} took part`
        : foreign(value as InputLine)
          ? "no node lets in a frame like this one"
          : null
    if (problem === null) this.lines.push(value as InputLine)
    else this.#edited(1, problem)
    return problem === null
  }
}

const edited = (words: string): NonNullable<Trace["damage"]> => ({ _tag: "edited", words })

/** `file` is only for what is told. */
export const readTrace = (file: string, bytes: Uint8Array): Trace | { readonly problem: string } => {
  if (bytes.length === 0) return { problem: `${file} is empty; a trace begins with a line that says what ran` }
  const ends = endOf(bytes, 0)
  const read = headerOf(file, decoded(bytes.subarray(0, ends)), ends < bytes.length)
  if ("problem" in read) return read
  const { header } = read
  const branch = header.drawn?.branch
  const points = branch === undefined ? [] : readPoints(branch)
  if (points === null || (branch !== undefined && pointsText(points) !== branch))
    return {
      problem: `${file}:1:1: the first line does not say what ran: ${JSON.stringify(branch)} are no points of a branch`
    }
  const intact = hashOf(header.scenario) === header.scenarioHash
  const other = `${file}:1:1: the scenario in it is another one than was recorded: the hash of its text is not ${header.scenarioHash}`
  const reader = new Reader(file, bytes, header, intact ? null : edited(other))
  reader.read(ends + 1)
  const { damage, end, lines } = reader
  return { file, header, points, lines, end, damage, scenarioIntact: intact }
}
