/** `clawmesh electors`, against a daemon's socket (P7.22). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Electors } from "../../../adapters/operator/ElectorsApi.ts"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { payloadOf } from "../../../kernel/leadership/Manifest.ts"
import { id, sign } from "../../kernel/drive.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"
import { clawmesh, directory, documentOf } from "./Terminal.ts"

/** `a` is this node, of three that elect; `b` is up and leads. */
const served = (signs: boolean) =>
  Effect.gen(function* () {
    const daemon = new FakeDaemon().settle()
    if (signs) daemon.operatorKey = { sign: (payload) => sign(daemon.drive.config.meshKey, payload) }
    const state = yield* directory
    yield* serve(daemon, socketIn(state))
    return { daemon, state }
  })

const signedBy = ({ offered }: FakeDaemon) =>
  offered.flatMap((one) => (one._tag === "Reconfigure" ? [one.manifest] : []))

describe("clawmesh electors", () => {
  it.live("who elects, by whose word, and whether they are up", () =>
    Effect.gen(function* () {
      const { state } = yield* served(false)
      const { err, exit, out } = yield* clawmesh(state, "electors")
      assert.deepStrictEqual([err, exit], ["", 0])
      assert.match(out, /laptop-main +planner +up/u)
      assert.match(out, /barn-laptop +standby-planner +not up/u)
      assert.match(out, /Version 1, from the configuration of this node\. 2 votes of 3 make a leader\./u)
      assert.match(out, /on the node that founded the mesh/u)
      const document = documentOf(yield* clawmesh(state, "electors list --json")) as Electors
      assert.deepStrictEqual(
        [document.version, document.needed, document.signs, document.next, document.electors.length],
        [1, 2, false, null, 3]
      )
    })
  )

  it.live("a change is signed with the operator key, and waits for a majority of those who elect now", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served(true)
      const { exit, out } = yield* clawmesh(state, `electors replace barn-laptop ${id("c")}`)
      assert.strictEqual(exit, 0)
      const [manifest] = signedBy(daemon)
      assert.deepStrictEqual(manifest?.electors, [id("a"), id("b"), id("c")])
      assert.deepStrictEqual(manifest?.previous, { version: 1, electors: [id("a"), id("b"), id("d")] })
      assert.strictEqual(manifest?.signature, sign("operator", payloadOf(daemon.drive.config, manifest!)))
      // This node still owes its vote to laptop-main, and the others have not answered.
      assert.match(out, /Version 2 waits to be in force: nobody of the above have acknowledged it, 2 must\./u)
      const status = yield* clawmesh(state, "status")
      assert.match(status.out, /version 2 of the electors waits for those who elect now/u)
      const again = yield* clawmesh(state, "electors remove barn-laptop")
      assert.deepStrictEqual([again.exit, again.out], [6, ""])
      assert.match(again.err, /version 2 of the list is signed, and waits/u)
      assert.strictEqual(signedBy(daemon).length, 1)
    })
  )

  it.live("whom it readmits, it names as it lives now; what it readmitted before stays", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served(true)
      yield* clawmesh(state, "electors readmit laptop-main")
      assert.deepStrictEqual(signedBy(daemon)[0]?.readmitted, [{ deviceId: id("b"), incarnation: 3 }])
      assert.deepStrictEqual(signedBy(daemon)[0]?.electors, [id("a"), id("b"), id("d")])
    })
  )

  it.live("what cannot be is refused with the way out, and nothing is signed", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served(true)
      const refused: ReadonlyArray<readonly [string, number, RegExp]> = [
        ["electors add laptop-main", 2, /laptop-main elects already/u],
        [`electors remove ${id("c")}`, 2, /does not elect/u],
        [`electors readmit ${id("c")}`, 2, /does not elect/u],
        ["electors readmit barn-laptop", 6, /was not met yet/u],
        ["electors add nobody", 5, /trusts no device "nobody"/u],
        ["electors replace laptop-main", 2, /needs two/u],
        ["electors swap a b", 2, /no command electors "swap"/u]
      ]
      for (const [words, exit, err] of refused) {
        const said = yield* clawmesh(state, words)
        assert.deepStrictEqual([words, said.exit, said.out], [words, exit, ""])
        assert.match(said.err, err)
      }
      assert.deepStrictEqual(signedBy(daemon), [])
    })
  )

  it.live("without the operator key it says where that is", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served(false)
      const { err, exit, out } = yield* clawmesh(state, "electors remove barn-laptop")
      assert.deepStrictEqual([exit, out], [4, ""])
      assert.match(err, /the operator key of this mesh is not kept here[^]*On the node that founded the mesh/u)
      assert.deepStrictEqual(signedBy(daemon), [])
    })
  )
})
