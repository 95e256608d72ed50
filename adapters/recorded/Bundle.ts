/**
 * A bundle: what one node can show of an incident, as a gzipped tar that any tool opens. Read here, by whoever replays one; written
 * by `clawmesh bundle`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Tar from "effect/encoding/Tar"
import { gunzipSync, gzipSync } from "node:zlib"

/** The folder in it that holds the recording. */
export const RECORDINGS = "recording/"

/** More than a ring may be. */
const BYTES_MAX = 2_147_483_647

export interface Item {
  /** With slashes, without a first one. */
  readonly path: string
  readonly bytes: Uint8Array
}

export const isBundle = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** `atMs` is the time that every file in it has. */
export const pack = (items: ReadonlyArray<Item>, atMs: number): Effect.Effect<Uint8Array, Tar.TarError> =>
  Stream.fromIterable(
    items.map(({ bytes, path }) => Tar.file(path, bytes, { mode: 0o600, mtime: new Date(atMs) }))
  ).pipe(
    Stream.pipeThroughChannel(Tar.encode()),
    Stream.runCollect,
    Effect.map((chunks) => gzipSync(Buffer.concat([...chunks])))
  )

/** What is in it; what breaks off is told, with what is there before. */
export const unpack = (
  file: string,
  bytes: Uint8Array
): Effect.Effect<{ readonly items: ReadonlyArray<Item> } | { readonly problem: string }> =>
  Effect.suspend(() => {
    let plain: Uint8Array
    try {
      plain = gunzipSync(bytes, { maxOutputLength: BYTES_MAX })
    } catch (error) {
      return Effect.succeed({ problem: `${file} is no bundle, or is damaged: ${(error as Error).message}` })
    }
    return Stream.make(plain).pipe(
      Stream.pipeThroughChannel(Tar.decode()),
      Stream.mapEffect(({ body, header }) =>
        Effect.map(Stream.runCollect(body), (chunks): Item => ({
          path: header.path,
          bytes: Buffer.concat([...chunks])
        }))
      ),
      Stream.runCollect,
      Effect.match({
        onSuccess: (items) => ({ items }),
        onFailure: ({ message }) => ({ problem: `${file} is no bundle: ${message}` })
      })
    )
  })
