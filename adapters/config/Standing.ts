/**
 * What a node was told when it joined its mesh, or founded it: kept in `mesh.json` of the state directory, and read as the last
 * source of settings. It holds for that mesh only: whoever is told another one has nothing of it.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import type { ReadBytes } from "./ConfigFile.ts"
import type { Origin } from "./Origin.ts"
import type { Given, Settles } from "./Source.ts"
import type { Key, NodeFile } from "./NodeFile.ts"

export const MESH = "mesh.json"

export const Standing = Schema.Struct({
  name: Schema.NonEmptyString,
  role: Role,
  peers: Schema.Array(Schema.String),
  electors: Schema.Array(DeviceId),
  manifestVersion: Schema.Natural,
  profile: Schema.Literals(["lan", "wan", "battery"])
})
export type Standing = typeof Standing.Type

/** As much of the file as is looked at here; the rest is `Mesh.ts`'s, which also says when the file is damaged. */
const decode = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ meshId: Schema.String, meshKey: Schema.String, standing: Standing }))
)

/** @param told the mesh that other sources name; `null`: they name none */
export const readStanding = (
  stateDirectory: string,
  told: { readonly meshId: string | null; readonly meshKey: string | null },
  read: ReadBytes
): Settles => {
  const file = join(stateDirectory, MESH)
  const found = read(file)
  if (!("bytes" in found)) return {}
  const decoded = decode(Buffer.from(found.bytes).toString("utf8"))
  if (!Result.isSuccess(decoded)) return {}
  const { meshId, meshKey, standing } = decoded.success
  if ((told.meshId ?? meshId) !== meshId || (told.meshKey ?? meshKey) !== meshKey) return {}
  const origin: Origin = { _tag: "Mesh", file }
  const given = <K extends Key>(value: NonNullable<NodeFile[K]>): Given<K> => ({
    value,
    origin,
    items: Array.isArray(value) ? value.map(() => origin) : []
  })
  return {
    name: given<"name">(standing.name),
    role: given<"role">(standing.role),
    ...(standing.peers.length === 0 ? {} : { peers: given<"peers">(standing.peers) }),
    ...(standing.electors.length === 0 ? {} : { electors: given<"electors">(standing.electors) }),
    "manifest-version": given<"manifest-version">(standing.manifestVersion),
    profile: given<"profile">(standing.profile)
  }
}
