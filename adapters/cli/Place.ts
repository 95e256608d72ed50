/** The state directory of a node that does not run yet, as `clawmesh init` and `clawmesh join` find and leave it. */
import { existsSync, readdirSync } from "node:fs"
import { access, constants } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import type { StartFailure } from "../config/StartFailure.ts"
import * as Mesh from "../node/Mesh.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { SERVICE_STATE, stateDirectory } from "../operator/Place.ts"
import { Files } from "../vault/Files.ts"
import { IDENTITY } from "../vault/Identity.ts"
import type { StateRefused } from "../vault/StateRefused.ts"
import type { Errand } from "./Errand.ts"

export const refusedState = ({ path, problem, reason, wayOut }: StateRefused): Failure =>
  reason === "Busy"
    ? failure("REFUSED", `${path}: a clawmesh-node runs here, and belongs to a mesh already`, "clawmesh status")
    : failure(reason === "Unusable" ? "NOT_ALLOWED" : "REFUSED", `${path}: ${problem}`, wayOut)

export const refusedStart = ({ hint, message }: StartFailure): Failure => failure("REFUSED", message, hint)

/** Nothing of a node is there. */
export const isEmpty = (path: string): boolean => {
  try {
    return readdirSync(path).length === 0
  } catch {
    return !existsSync(path)
  }
}

/** Whether a directory could be made there; found out before a code is used up. */
export const canMake = (path: string): Effect.Effect<void, Failure> => {
  let nearest = path
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest)
  return Effect.tryPromise({
    try: () => access(nearest, constants.W_OK | constants.X_OK),
    catch: () =>
      failure(
        "NOT_ALLOWED",
        `${path} cannot be made: ${nearest} is not writable`,
        "Try again with sudo, or with --state DIR"
      )
  })
}

/** Which mesh the directory belongs to; `null`: none. */
export const meshIn = (path: string): Effect.Effect<Mesh.Kept | null, Failure> =>
  isEmpty(path) ? Effect.succeed(null) : meshOf(path)

const meshOf = (path: string): Effect.Effect<Mesh.Kept | null, Failure> =>
  Effect.scoped(
    Effect.gen(function* () {
      const files = yield* Files.open(path)
      return yield* Mesh.read(files).pipe(
        Effect.catchTag("DiskFailed", (error) =>
          Effect.fail(failure("NOT_ALLOWED", error.message, "Try again with sudo, or with --state DIR"))
        ),
        Effect.catchTag("StartFailure", (error) => Effect.fail(refusedStart(error)))
      )
    })
  )

/** What people call it, or the beginning of its id. */
export const meshWords = ({ meshId, meshName }: Pick<Mesh.Kept, "meshId" | "meshName">): string =>
  meshName ?? `${meshId.slice(0, 8)}…`

/** State directories of this machine that hold an identity, other than this one. */
export const elsewhere = ({ around }: Errand, path: string): ReadonlyArray<string> =>
  [SERVICE_STATE, stateDirectory(around), stateDirectory({ ...around, env: {}, isRoot: false })]
    .filter((other, place, all) => other !== path && all.indexOf(other) === place)
    .filter((other) => existsSync(join(other, IDENTITY)))
