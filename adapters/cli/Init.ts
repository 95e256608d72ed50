/**
 * `clawmesh init`: makes the identity of this device, once, and with `--mesh` a mesh that it founds. It asks nothing; what is there
 * already it shows and leaves as it is.
 */
import * as Effect from "effect/Effect"
import { Role } from "../../kernel/wire/Frame.ts"
import { defaultName } from "../config/read.ts"
import { printable } from "../config/Printable.ts"
import { hint } from "../config/Spelling.ts"
import * as Mesh from "../node/Mesh.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { nameProblem } from "../operator/Trusting.ts"
import { Files } from "../vault/Files.ts"
import * as StateDirectory from "../vault/StateDirectory.ts"
import { unusable } from "../vault/Vault.ts"
import type { Order } from "./Arguments.ts"
import { type Errand, told, type Work } from "./Errand.ts"
import { canMake, elsewhere, isEmpty, meshIn, meshWords, refusedState } from "./Place.ts"
import { fact, shellWord, styled } from "./Text.ts"

interface Done {
  readonly $type: "clawmesh.init/1"
  /** `null`: it belongs to none yet. */
  readonly mesh: { readonly id: string; readonly name: string | null } | null
  readonly id: string
  readonly publicKey: string
  readonly state: string
  /** It was made just now. */
  readonly madeIdentity: boolean
  readonly madeMesh: boolean
}

const screen = (errand: Errand, done: Done): string => {
  const { look, manner } = errand
  if (look.quiet) return ""
  const { id, madeIdentity, madeMesh, mesh, publicKey, state } = done
  const where = manner.state === null ? "" : ` --state ${shellWord(printable(manner.state))}`
  const lines = [
    styled(
      madeIdentity
        ? "This device has an identity from now on."
        : `This device has an identity already; ${madeMesh ? "it stays as it is" : "nothing was changed"}.`,
      "bold",
      look
    ),
    fact("id", id, look),
    fact("key", publicKey, look),
    fact("kept in", printable(state), look),
    fact(
      "mesh",
      mesh === null ? "none yet" : `${printable(mesh.name ?? mesh.id)}${madeMesh ? ", made just now" : ""}`,
      look
    ),
    "",
    ...(mesh === null
      ? ["Next, with the code that clawmesh invite shows on a node of the mesh:", `  clawmesh join CODE${where}`]
      : ["Next:", `  clawmesh-node run${where}`, "and, for each further device:", `  clawmesh invite${where}`])
  ]
  return `${lines.join("\n")}\n`
}

const objection = (order: Extract<Order, { readonly _tag: "init" }>, name: string): Failure | null => {
  const { role } = order
  if (!(Role.literals as ReadonlyArray<string>).includes(role))
    return failure(
      "WRONG_USE",
      `no role ${JSON.stringify(role)}${hint(role, Role.literals) || `; there are ${Role.literals.join(" ")}`}`
    )
  for (const word of [name, ...(order.mesh === null ? [] : [order.mesh])]) {
    const problem = nameProblem(word)
    if (problem !== null) return failure("WRONG_USE", `${problem}: ${JSON.stringify(word)}`)
  }
  return null
}

export const init = (errand: Errand, order: Extract<Order, { readonly _tag: "init" }>): Work =>
  Effect.gen(function* () {
    const { around, state } = errand
    const name = order.name ?? defaultName(around.hostName).value
    const wrong = objection(order, name)
    if (wrong !== null) return yield* Effect.fail(wrong)
    const isNew = isEmpty(state)
    const [other] = isNew && !order.second ? elsewhere(errand, state) : []
    if (other !== undefined)
      return yield* Effect.fail(
        failure(
          "REFUSED",
          `this machine has an identity already, in ${other}; with a second one it is a stranger to its mesh`,
          `To go on as it is: --state ${shellWord(other)}\nIf another device is meant: clawmesh init --second`
        )
      )
    const kept = yield* meshIn(state)
    if (kept !== null && order.mesh !== null && kept.meshName !== order.mesh)
      return yield* Effect.fail(
        failure(
          "REFUSED",
          `this device belongs to the mesh ${meshWords(kept)} already`,
          `It can leave it while its node does not run: move mesh.json out of ${state}`
        )
      )
    if (isNew) yield* canMake(state)
    const done = yield* Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* StateDirectory.open(state)
        const files = yield* Files.open(state)
        const made =
          order.mesh === null || kept !== null
            ? null
            : Mesh.founding(order.mesh, {
                name,
                role: order.role as (typeof Role)["Type"],
                peers: [],
                electors: [],
                manifestVersion: 1,
                profile: "lan"
              })
        if (made !== null) yield* Effect.mapError(Mesh.put(files, made), unusable)
        const mesh = made ?? kept
        const { deviceId, publicKey } = directory.identity.keys
        return {
          $type: "clawmesh.init/1",
          mesh: mesh === null ? null : { id: mesh.meshId, name: mesh.meshName ?? null },
          id: deviceId,
          publicKey,
          state,
          madeIdentity: directory.created,
          madeMesh: made !== null
        } satisfies Done
      })
    ).pipe(Effect.mapError((error) => refusedState(error)))
    told(errand, done, (document) => screen(errand, document))
  })
