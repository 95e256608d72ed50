/** The unit for systemd says what the program does: its exit codes, its limits, its directories. `test/lab` has systemd read it. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "../../../.ci/Run.ts"
import { STOP_MS_MAX } from "../../../adapters/node/Launch.ts"
import { exits } from "../../../adapters/node/Program.ts"
import { SERVICE_STATE, stateDirectory } from "../../../adapters/operator/Place.ts"

const unit = readFileSync(join(root, "adapters/node/clawmesh-node.service"), "utf8")

/** What the unit says under this name, in its order. */
const said = (name: string): ReadonlyArray<string> =>
  unit.split("\n").flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []))

/** systemd's words for its directories, of a service of the system. */
const expanded = (text: string): string => text.replaceAll("%S", "/var/lib").replaceAll("%C", "/var/cache")

const environment = Object.fromEntries(
  said("Environment")
    .flatMap((pairs) => pairs.split(" "))
    .map((pair) => [pair.slice(0, pair.indexOf("=")), expanded(pair.slice(pair.indexOf("=") + 1))])
)

describe("the unit of clawmesh-node", () => {
  it("is started again after what may pass, and not after what waits for a person", () => {
    assert.deepStrictEqual(said("Restart"), ["on-failure"])
    const final = said("RestartPreventExitStatus").flatMap((codes) => codes.split(" ").map(Number))
    assert.sameMembers(final, [exits.wrongUse, exits.configuration])
    assert.notInclude(final, exits.failed)
    assert.notInclude(final, exits.defect)
  })

  it("gives the node longer to stop than the node gives itself (B46)", () => {
    const [stop] = said("TimeoutStopSec")
    assert.match(stop!, /^\d+s$/u)
    assert.isAbove(Number.parseInt(stop!, 10) * 1_000, STOP_MS_MAX)
  })

  it("keeps its state where the operator's tool looks for it as root, for its owner only", () => {
    assert.deepStrictEqual(said("StateDirectory"), ["clawmesh"])
    assert.strictEqual(environment["CLAWMESH_STATE"], SERVICE_STATE)
    const user = { cwd: "/", home: "/root", isRoot: true }
    assert.strictEqual(stateDirectory({ ...user, env: {} }), environment["CLAWMESH_STATE"])
    assert.deepStrictEqual(said("StateDirectoryMode"), ["0700"])
  })

  it("keeps no compiled code (decision 8): half a megabyte for a start that is a thirtieth of a second sooner", () =>
    assert.notProperty(environment, "NODE_COMPILE_CACHE"))
})
