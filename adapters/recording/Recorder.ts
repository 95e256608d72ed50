/**
 * The recording of a running node: what its kernel takes up, in a ring of files in its state directory, from which the same can be
 * done again (recording/Format.ts).
 *
 * Promises: the files together are no larger than they may be, but for what is being written; each begins with what is needed to
 * start from it; the kernel never waits for the disk. What the disk refuses, or does not take in time, ends the recording and
 * nothing else: what is there stays, and why is told. A process that breaks still writes what it had taken up.
 *
 * Does not promise: that the last quarter of a second before a `kill -9` is there, or more of it before a power cut than the
 * operating system had written by itself: nothing is synced, and no promise of the node rests on it.
 */
import { mkdirSync, readdirSync, statSync, writeSync } from "node:fs"
import { type FileHandle, open as openFile, unlink } from "node:fs/promises"
import { join } from "node:path"
import { createGzip } from "node:zlib"
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import type { Input } from "../../kernel/Input.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { fileOf, type Header, headerLine, type Maker, segmentOf } from "../recorded/Format.ts"
import { Scribe } from "../recorded/Scribe.ts"
import * as State from "../recorded/State.ts"
import { DiskFailed } from "../vault/Files.ts"

export const RECORDING = "recording"

/** How often what was taken up goes to the disk. */
export const FLUSH_MS = 250
/** A ring has this many segments or more: as much of it goes at once when it is full. */
const SEGMENTS = 8
/** A node that starts again and again makes small ones. */
const FILES_MAX = 1_000
/** What may wait for the disk; a minute of a busy node. */
const WAITING_UNITS_MAX = 8_388_608
/** What is written before its time. */
const WRITE_UNITS = 131_072
/** A state that takes more of the ring than this leaves no room for what came of it. */
const STATE_SHARE_MAX = 4

export interface Options {
  /** The state directory. */
  readonly directory: string
  readonly bytesMax: number
  readonly config: Config
  readonly maker: Maker
  /** Called once, with why nothing is recorded from now on. */
  readonly fail: (why: string) => void
  /** In place of the real one, for tests: a file that is not there yet. */
  readonly make?: (path: string) => Promise<FileHandle>
}

export interface Recorder {
  /** Before the commands of the step are performed. */
  readonly take: (before: NodeState, input: Input, commands: ReadonlyArray<Command>) => void
  readonly flush: () => void
  /** What waits, now and without waiting: the process ends. */
  readonly flushSync: () => void
  readonly close: () => Promise<void>
  /** `null`: it records. */
  readonly stopped: () => string | null
}

/** What goes to the disk, in this order: the beginning of a segment, or lines of it. */
type Job =
  | { readonly _tag: "segment"; readonly header: Header; readonly state: NodeState | null }
  | { readonly _tag: "lines"; text: string }

interface Kept {
  readonly segment: number
  bytes: number
}

const make = (path: string): Promise<FileHandle> => openFile(path, "wx", 0o600)

const packed = async (state: NodeState): Promise<string> => {
  const gzip = createGzip({ level: 3 })
  const chunks: Array<Buffer> = []
  gzip.on("data", (chunk: Buffer) => chunks.push(chunk))
  const ended = new Promise<void>((done, fail) => gzip.once("end", done).once("error", fail))
  for (const piece of State.encode(state))
    if (!gzip.write(piece)) await new Promise<void>((done) => gzip.once("drain", done))
  gzip.end()
  await ended
  return State.packed(Buffer.concat(chunks))
}

class Ring implements Recorder {
  readonly #options: Options
  readonly #folder: string
  readonly #scribe: Scribe
  readonly #kept: Array<Kept>
  #segment: number
  /** Of the lines of the segment that is being filled. */
  #filled = 0
  #began = false
  #segmentBytes: number
  #jobs: Array<Job> = []
  #waiting = 0
  #pumping: Promise<void> | null = null
  /** The file that is written to, and what of it was asked to be written last, from where on. */
  #file: FileHandle | null = null
  #position = 0
  #underWay: Buffer | null = null
  /** The lines that wait belong to another file than the one that is open. */
  #between = false
  #stopped: string | null = null

  constructor(options: Options, folder: string, kept: Array<Kept>) {
    this.#options = options
    this.#folder = folder
    this.#kept = kept
    this.#segment = kept.at(-1)?.segment ?? 0
    this.#scribe = new Scribe(options.config, options.maker)
    this.#segmentBytes = options.bytesMax / SEGMENTS
  }

  readonly stopped = (): string | null => this.#stopped

  readonly take = (before: NodeState, input: Input, commands: ReadonlyArray<Command>): void => {
    if (this.#stopped !== null) return
    try {
      if (!this.#began || this.#filled >= this.#segmentBytes) {
        this.#segment++
        const state = this.#began ? before : null
        this.#jobs.push({ _tag: "segment", header: this.#scribe.begin(this.#segment, input.at), state })
        this.#began = true
        this.#filled = 0
      }
      const line = this.#scribe.take(input, commands)
      const last = this.#jobs.at(-1)
      if (last?._tag === "lines") last.text += line
      else this.#jobs.push({ _tag: "lines", text: line })
      this.#filled += line.length
      this.#waiting += line.length
    } catch (error) {
      return this.#stop(`this is a defect of clawmesh: ${String(error)}`)
    }
    if (this.#waiting > WAITING_UNITS_MAX) this.#stop("the disk does not take what is written to it")
    else if (this.#waiting > WRITE_UNITS) this.flush()
  }

  readonly flush = (): void => {
    if (this.#pumping !== null || this.#jobs.length === 0 || this.#stopped !== null) return
    this.#pumping = this.#pump().then(
      () => void (this.#pumping = null),
      (cause: unknown) => {
        this.#pumping = null
        this.#stop(cause instanceof DiskFailed ? cause.message : String(cause))
      }
    )
  }

  readonly close = async (): Promise<void> => {
    while (this.#pumping !== null || (this.#jobs.length > 0 && this.#stopped === null)) {
      this.flush()
      await this.#pumping
    }
    await this.#file?.close().catch(() => {})
    this.#file = null
  }

  readonly flushSync = (): void => {
    if (this.#file === null || this.#between || this.#stopped !== null) return
    // What is under way may or may not get there: where it was to stand it is written again.
    const lines = this.#jobs.findIndex(({ _tag }) => _tag === "segment")
    const rest = (lines === -1 ? this.#jobs : this.#jobs.slice(0, lines)).map((job) =>
      job._tag === "lines" ? job.text : ""
    )
    const bytes = Buffer.concat([this.#underWay ?? Buffer.alloc(0), Buffer.from(rest.join(""))])
    try {
      for (let at = 0; at < bytes.length;)
        at += writeSync(this.#file.fd, bytes, at, bytes.length - at, this.#position + at)
    } catch {
      // The process ends for another reason, which is the one to tell.
    }
  }

  #stop(why: string): void {
    if (this.#stopped !== null) return
    this.#stopped = why
    this.#jobs = []
    this.#waiting = 0
    this.#options.fail(why)
  }

  async #pump(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      if (job._tag === "lines") {
        this.#waiting -= job.text.length
        await this.#write(Buffer.from(job.text))
      } else await this.#begin(job)
    }
  }

  async #begin({ header, state }: Extract<Job, { readonly _tag: "segment" }>): Promise<void> {
    this.#between = true
    const line = headerLine(state === null ? header : { ...header, state: await packed(state) })
    if (line.length > this.#options.bytesMax / STATE_SHARE_MAX)
      throw new Error(
        `what the node knows takes ${Math.ceil(line.length / 1_048_576)} MB, which is more than a quarter of recording-mb`
      )
    this.#segmentBytes = Math.max(this.#options.bytesMax / SEGMENTS, line.length)
    const path = join(this.#folder, fileOf(header.segment))
    await this.#file?.close()
    this.#file = null
    this.#file = await doing("make", path, () => (this.#options.make ?? make)(path))
    this.#position = 0
    this.#between = false
    this.#kept.push({ segment: header.segment, bytes: 0 })
    await this.#write(Buffer.from(line))
  }

  async #write(bytes: Buffer): Promise<void> {
    const now = this.#kept.at(-1)!
    await this.#makeRoom(bytes.length)
    this.#underWay = bytes
    await doing("write", join(this.#folder, fileOf(now.segment)), async () => {
      for (let at = 0; at < bytes.length;)
        at += (await this.#file!.write(bytes, at, bytes.length - at, this.#position + at)).bytesWritten
    })
    this.#underWay = null
    this.#position += bytes.length
    now.bytes += bytes.length
  }

  async #makeRoom(bytes: number): Promise<void> {
    let all = bytes
    for (const kept of this.#kept) all += kept.bytes
    while (this.#kept.length > 1 && (all > this.#options.bytesMax || this.#kept.length > FILES_MAX)) {
      const oldest = this.#kept.shift()!
      all -= oldest.bytes
      const path = join(this.#folder, fileOf(oldest.segment))
      await doing("remove", path, () => unlink(path).catch(goneAlready))
    }
  }
}

const goneAlready = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "ENOENT") throw error
}

const doing = async <A>(verb: string, path: string, work: () => Promise<A>): Promise<A> => {
  try {
    return await work()
  } catch (cause) {
    throw new DiskFailed({ path, doing: verb, cause })
  }
}

/** Goes on behind what is there. Where that cannot be, it is stopped from the first moment. */
export const open = (options: Options): Recorder => {
  const folder = join(options.directory, RECORDING)
  const kept: Array<Kept> = []
  let why: string | null = null
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(folder).toSorted()) {
      const segment = segmentOf(name)
      if (segment !== null) kept.push({ segment, bytes: statSync(join(folder, name)).size })
    }
  } catch (cause) {
    why = new DiskFailed({ path: folder, doing: "use", cause }).message
  }
  if (why === null) return new Ring(options, folder, kept)
  options.fail(why)
  const stopped = why
  return { take: () => {}, flush: () => {}, flushSync: () => {}, close: async () => {}, stopped: () => stopped }
}
