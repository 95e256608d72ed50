/**
 * Which mesh this node belongs to (B8): its id by name or as given, else one made once and kept; and the operator key of the
 * mesh, made by its first node and given to the others (`--mesh-key`). Kept in `mesh.json` of the state directory.
 *
 * The secret half of an operator key that was made here is kept too: lists of electors are signed with it (PROTOCOL.md P7.22).
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import type { Settings } from "../config/Settings.ts"
import { MESH, Standing } from "../config/Standing.ts"
import { StartFailure } from "../config/StartFailure.ts"
import { fromSeed, generate, type Keys, meshIdOf } from "../keys/Keys.ts"
import type { Files } from "../vault/Files.ts"

const VERSION = 1

const Kept = Schema.Struct({
  version: Schema.Literal(VERSION),
  meshId: Schema.NonEmptyString,
  meshKey: Schema.NonEmptyString,
  /** Raw Ed25519 seed, base64url; absent where the key was given to us. */
  meshKeySeed: Schema.optionalKey(Schema.String),
  /** What people call it; absent: nothing, or its id follows from the `mesh-name` of the settings. */
  meshName: Schema.optionalKey(Schema.String),
  /** What the node joined or founded it with; absent: its operator says all that in settings. */
  standing: Schema.optionalKey(Standing)
})
export type Kept = typeof Kept.Type

export interface Mesh {
  readonly meshId: string
  readonly meshKey: string
  readonly meshName: string | null
  /** It made the operator key just now. */
  readonly founded: boolean
  /** The operator key, where it was made here; `null`: it is somebody else's. */
  readonly operatorKey: Keys | null
}

const decodeVersion = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({ version: Schema.Natural })))
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Kept))

/** `null`: the directory belongs to no mesh. */
export const read = Effect.fnUntraced(function* (files: Files) {
  const bytes = yield* files.read(MESH)
  if (bytes === null) {
    const aside = yield* files.keptAside(MESH)
    if (aside.length === 0) return null
    return yield* new StartFailure({
      message: `there is no ${files.path(MESH)}; a damaged one was kept as ${aside.join(", ")}`,
      hint: `Put it back from a copy. To join the mesh anew, move ${aside.join(", ")} away and start with its --mesh-name and --mesh-key.`,
      exit: 78
    })
  }
  const text = Buffer.from(bytes).toString("utf8")
  const decoded = decode(text)
  if (decoded._tag === "Success") return decoded.success
  const versioned = decodeVersion(text)
  if (versioned._tag === "Success" && versioned.success.version !== VERSION)
    return yield* new StartFailure({
      message: `${files.path(MESH)}: it is of version ${versioned.success.version}, which this program does not know`,
      hint: "It was left as it is. Start the version of clawmesh-node that wrote it, or a newer one.",
      exit: 78
    })
  const kept = yield* files.keepAside(MESH)
  return yield* new StartFailure({
    message: `${files.path(MESH)} is damaged, and was kept as ${kept}`,
    hint: "Put it back from a copy, or start again with the --mesh-name and --mesh-key of the mesh: any other node shows them.",
    exit: 78
  })
})

/** The operator key that was made here, read only; `null`: there is none. */
export const operatorKeyIn = (files: Files) => Effect.map(read(files), (kept) => (kept === null ? null : keyOf(kept)))

/** As a whole or not at all. */
export const put = (files: Files, kept: Kept) => files.put(MESH, Buffer.from(`${JSON.stringify(kept, null, 2)}\n`))

/** A mesh of its own, with the key that makes its lists of electors. */
export const founding = (meshName: string | null, standing: Standing): Kept => {
  const { keys, seed } = generate()
  return {
    version: VERSION,
    meshId: meshName === null ? randomUUID() : meshIdOf(meshName),
    meshKey: keys.publicKey,
    meshKeySeed: Buffer.from(seed).toString("base64url"),
    ...(meshName === null ? {} : { meshName }),
    standing
  }
}

/** That of somebody else. */
export const joining = (
  { id, key, name }: { readonly id: string; readonly key: string; readonly name: string | null },
  standing: Standing
): Kept => ({
  version: VERSION,
  meshId: id,
  meshKey: key,
  ...(name === null ? {} : { meshName: name }),
  standing
})

/** What was told comes before what was kept; what was told is kept. */
export const open = Effect.fnUntraced(function* (settings: Settings, files: Files) {
  const kept = yield* read(files)
  const told = settings.meshName === null ? settings.meshId : meshIdOf(settings.meshName)
  const made = settings.meshKey === null && kept === null ? generate() : null
  const meshId = told ?? kept?.meshId ?? randomUUID()
  const meshKey = settings.meshKey ?? kept?.meshKey ?? made!.keys.publicKey
  const isSame = kept?.meshId === meshId && kept.meshKey === meshKey
  const next: Kept = {
    version: VERSION,
    meshId,
    meshKey,
    ...seedOf(settings, kept, made),
    ...(isSame && kept.meshName !== undefined ? { meshName: kept.meshName } : {}),
    ...(isSame && kept.standing !== undefined ? { standing: kept.standing } : {})
  }
  if (kept === null || JSON.stringify(kept) !== JSON.stringify(next)) yield* put(files, next)
  const mesh: Mesh = {
    meshId: next.meshId,
    meshKey: next.meshKey,
    meshName: settings.meshName ?? next.meshName ?? null,
    founded: made !== null,
    operatorKey: keyOf(next)
  }
  return mesh
})

/** A seed that is not that of the key is none of ours to sign with. */
const keyOf = ({ meshKey, meshKeySeed }: Kept): Keys | null => {
  const keys = meshKeySeed === undefined ? null : fromSeed(Buffer.from(meshKeySeed, "base64url"))
  return keys?.publicKey === meshKey ? keys : null
}

const seedOf = (
  settings: Settings,
  kept: Kept | null,
  made: ReturnType<typeof generate> | null
): { readonly meshKeySeed?: string } => {
  if (made !== null) return { meshKeySeed: Buffer.from(made.seed).toString("base64url") }
  const same = settings.meshKey === null || settings.meshKey === kept?.meshKey
  return same && kept?.meshKeySeed !== undefined ? { meshKeySeed: kept.meshKeySeed } : {}
}
