/**
 * What a node keeps of the world, beside its journal: one file, old or new, with a checksum. No promise rests on it (B40): one that
 * does not read is kept aside and told of, and the node starts without; a disk that refuses it ends nothing.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { crc32c } from "../../kernel/journal/Crc32c.ts"
import { WorldSnapshot } from "../../kernel/world/Snapshot.ts"
import type { Files } from "./Files.ts"

export const WORLD = "world.json"

const Kept = Schema.Struct({ crc32c: Schema.Natural, world: Schema.String })
const decodeKept = Schema.decodeUnknownResult(Schema.fromJsonString(Kept))
const decodeWorld = Schema.decodeUnknownResult(Schema.fromJsonString(WorldSnapshot))

const encoder = new TextEncoder()
const sumOf = (text: string): number => crc32c(encoder.encode(text))

const serialised = (snapshot: WorldSnapshot): Uint8Array => {
  const world = JSON.stringify(snapshot)
  return encoder.encode(JSON.stringify({ crc32c: sumOf(world), world }))
}

/** `null`: it does not read. */
const parsed = (bytes: Uint8Array): WorldSnapshot | null => {
  const kept = decodeKept(new TextDecoder().decode(bytes))
  if (!Result.isSuccess(kept) || sumOf(kept.success.world) !== kept.success.crc32c) return null
  const world = decodeWorld(kept.success.world)
  return Result.isSuccess(world) ? world.success : null
}

export const worldFile = (files: Files) => {
  let told = false
  const load = Effect.gen(function* () {
    const bytes = yield* files.read(WORLD)
    if (bytes === null) return null
    const world = parsed(bytes)
    if (world !== null) return world
    const kept = yield* files.keepAside(WORLD)
    yield* Effect.logWarning(
      `${files.path(WORLD)} does not read, and was kept as ${kept}: the node starts without what it knew of the world, and asks the others.`
    )
    return null
  }).pipe(Effect.catch((error) => Effect.as(Effect.logWarning(`${error.message}: the node starts without it`), null)))

  /** Told once, until it works again. */
  const save = (snapshot: WorldSnapshot) =>
    Effect.suspend(() => files.put(WORLD, serialised(snapshot))).pipe(
      Effect.andThen(Effect.sync(() => void (told = false))),
      Effect.catch((error) => {
        if (told) return Effect.void
        told = true
        return Effect.logWarning(`${error.message}: what is known of the world does not outlast the next stop`)
      }),
      // The node may stop meanwhile, and this is what it stops with.
      Effect.uninterruptible
    )
  return { loadWorld: load, saveWorld: save }
}
