/**
 * From the name of a file, a bundle or a folder to the recording of a node in it, or to a sentence that says why there is none and
 * what to do. Segments that do not read are told, and the others are there.
 */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { isBundle, RECORDINGS, unpack, type Item } from "./Bundle.ts"
import { segmentOf } from "./Format.ts"
import { readSegment, type Segment } from "./Read.ts"
import { livesOf, type Life } from "./Replay.ts"

export interface Recording {
  /** As it was named. */
  readonly source: string
  readonly name: string
  readonly deviceId: string
  /** The oldest first. */
  readonly lives: ReadonlyArray<Life>
  /** What of it does not read, each with its place. */
  readonly problems: ReadonlyArray<string>
}

type Opened = Recording | { readonly problem: string }

const BYTES_MAX = 2_147_483_647

const whyNot = (file: string, error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "ENOENT")
    return `no file ${file}; a node keeps its recording in recording/ of its state directory, and clawmesh bundle packs it`
  if (code === "EACCES") return `${file} may not be read: it belongs to the user that the node runs as`
  return `${file} cannot be read: ${message}`
}

const folder = (path: string, shown: string): ReadonlyArray<Item> => {
  const names = readdirSync(path)
  if (names.includes("recording")) return folder(join(path, "recording"), join(shown, "recording"))
  return names
    .filter((name) => segmentOf(name) !== null)
    .toSorted()
    .map((name) => ({ path: join(shown, name), bytes: readFileSync(join(path, name)) }))
}

const of = (source: string, items: ReadonlyArray<Item>): Opened => {
  const segments: Array<Segment> = []
  const problems: Array<string> = []
  for (const { bytes, path } of items) {
    const read = readSegment(path, bytes)
    if ("problem" in read) problems.push(read.problem)
    else segments.push(read)
  }
  const [first] = segments
  if (first === undefined)
    return {
      problem: problems[0] ?? `there is no recording in ${source}; recording-mb: 0 in node.yaml switches it off`
    }
  const { deviceId } = first.header.config
  const other = segments.find(({ header }) => header.config.deviceId !== deviceId)
  if (other !== undefined)
    return {
      problem: `${source} holds the recordings of two devices: ${first.file} and ${other.file}; name one of them`
    }
  const lives = livesOf(segments)
  const { name } = lives.at(-1)!.segments.at(-1)!.header
  return { source, name, deviceId, lives, problems }
}

const found = (cwd: string, file: string): Effect.Effect<Opened> => {
  try {
    const path = resolve(cwd, file)
    const kind = statSync(path)
    if (kind.isDirectory()) return Effect.succeed(of(file, folder(path, file)))
    if (!kind.isFile()) return Effect.succeed({ problem: `${file} is neither a file nor a folder` })
    if (kind.size > BYTES_MAX) return Effect.succeed({ problem: `${file} is larger than 2 GiB; no recording is` })
    const bytes = readFileSync(path)
    if (!isBundle(bytes)) return Effect.succeed(of(file, [{ path: file, bytes }]))
    return Effect.map(unpack(file, bytes), (read) =>
      "problem" in read
        ? read
        : of(
            file,
            read.items
              .filter(({ path }) => path.startsWith(RECORDINGS) && segmentOf(path.slice(RECORDINGS.length)) !== null)
              .map(({ bytes, path }) => ({ path: `${file}/${path}`, bytes }))
          )
    )
  } catch (error) {
    return Effect.succeed({ problem: whyNot(file, error) })
  }
}

/** Never fails: what is wrong is in what it gives. */
export const openRecording = (cwd: string, file: string): Effect.Effect<Opened> =>
  Effect.suspend(() => found(cwd, file))
