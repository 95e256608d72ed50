/** `clawmesh electors`: who elects, and one change of that, where the operator key is kept. */
import * as Effect from "effect/Effect"
import * as Api from "../operator/Api.ts"
import * as ElectorsApi from "../operator/ElectorsApi.ts"
import type { Failure } from "../operator/Failure.ts"
import type { Order } from "./Arguments.ts"
import { ask } from "./Client.ts"
import { resolve } from "./Devices.ts"
import { told, type Errand } from "./Errand.ts"
import { called, count, type Look, table } from "./Text.ts"

type Changing = Extract<Order, { readonly _tag: "electors change" }>

const rowsOf = (electors: ElectorsApi.Electors["electors"]) =>
  electors.map((elector) => [called(elector), elector.role, elector.up ? "up" : "not up", elector.id])

export const electorsScreen = (document: ElectorsApi.Electors, look: Look): string => {
  const { electors, forgot, needed, next, signs, source, version } = document
  const lines =
    electors.length === 0
      ? ["Nobody elects: this node knows of no electors, and nobody leads by it."]
      : [
          ...table(["NAME", "ROLE", "STATE", "ID"], rowsOf(electors), look),
          "",
          `Version ${version}, ${source === "operator" ? "signed with the operator key" : "from the configuration of this node"}. ${count(needed, "vote")} of ${electors.length} make a leader.`
        ]
  if (next !== null) {
    const done = next.acknowledged.map(called).join(", ")
    lines.push(
      "",
      `Version ${next.version} waits to be in force: ${done === "" ? "nobody" : done} of the above ${next.acknowledged.length === 1 ? "has" : "have"} acknowledged it, ${needed} must.`,
      ...table(["NAME", "ROLE", "STATE", "ID"], rowsOf(next.electors), look)
    )
  }
  if (look.quiet) return `${lines.join("\n")}\n`
  if (forgot)
    lines.push(
      "",
      "This node has lost its journal, and has no say until it is named again, where the operator key is:",
      "  clawmesh electors readmit NAME"
    )
  lines.push(
    "",
    signs
      ? "The operator key is here: clawmesh electors add NAME, remove NAME, or replace OLD NEW."
      : "To change it, on the node that founded the mesh: clawmesh electors add, remove or replace."
  )
  return `${lines.join("\n")}\n`
}

export const showElectors = (errand: Errand): Effect.Effect<void, Failure> =>
  Effect.map(ask(errand.socket, { method: "GET", target: "/electors" }, ElectorsApi.Electors), (electors) =>
    told(errand, electors, (document) => electorsScreen(document, errand.look))
  )

export const changeElectors = (errand: Errand, { change, name, of }: Changing): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { socket } = errand
    const { node, trusted } = yield* ask(socket, { method: "GET", target: "/trust" }, Api.Trust)
    const now = yield* ask(socket, { method: "GET", target: "/electors" }, ElectorsApi.Electors)
    // Of somebody who is trusted no longer only the id is known.
    const others = now.electors.filter(({ id }) => id !== node.id && trusted.every((device) => device.id !== id))
    const known = [node, ...trusted, ...others]
    const meant = resolve(name, known, `clawmesh electors ${change}`)
    if ("$type" in meant) return yield* Effect.fail(meant)
    const instead = of === null ? null : resolve(of, known, `clawmesh electors ${change}`)
    if (instead !== null && "$type" in instead) return yield* Effect.fail(instead)
    const body: ElectorsApi.ElectorsRequest = {
      change,
      id: meant.id,
      ...(instead === null ? {} : { of: instead.id })
    }
    const done = yield* ask(socket, { method: "POST", target: "/electors", body }, ElectorsApi.Electors)
    told(errand, done, (document) => electorsScreen(document, errand.look))
  })
