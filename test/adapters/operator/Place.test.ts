import { assert, describe, it } from "@effect/vitest"
import { defaultStateDirectory } from "../../../adapters/config/read.ts"
import { socketIn, stateDirectory, type User } from "../../../adapters/operator/Place.ts"

const user = (env: User["env"], isRoot = false): User => ({ env, cwd: "/work", home: "/home/asha", isRoot })

describe("where the operator's socket is", () => {
  it("what is named comes first, then root's, then the user's state home", () => {
    assert.strictEqual(stateDirectory(user({ CLAWMESH_STATE: "here", XDG_STATE_HOME: "/x" }, true)), "/work/here")
    assert.strictEqual(stateDirectory(user({ XDG_STATE_HOME: "/x" }, true)), "/var/lib/clawmesh")
    assert.strictEqual(stateDirectory(user({ XDG_STATE_HOME: "/x" })), "/x/clawmesh")
    assert.strictEqual(stateDirectory(user({})), "/home/asha/.local/state/clawmesh")
    assert.strictEqual(socketIn("/var/lib/clawmesh"), "/var/lib/clawmesh/node.sock")
  })

  it("empty names name nothing, and a relative state home is ignored (XDG)", () => {
    assert.strictEqual(
      stateDirectory(user({ CLAWMESH_STATE: "", XDG_STATE_HOME: "x" })),
      "/home/asha/.local/state/clawmesh"
    )
  })

  it("clawmesh looks where clawmesh-node of the same user keeps its state", () => {
    for (const env of [{}, { XDG_STATE_HOME: "/x" }, { XDG_STATE_HOME: "x" }, { XDG_STATE_HOME: "" }]) {
      for (const root of [true, false]) {
        const { value } = defaultStateDirectory({ environment: env, home: "/home/asha", root })
        assert.strictEqual(stateDirectory(user(env, root)), value, JSON.stringify({ env, root }))
      }
    }
  })
})
