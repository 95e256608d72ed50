/** What a node joined its mesh with stands behind everything that its operator says, and for that mesh only. */
import { assert, describe, it } from "@effect/vitest"
import { originText } from "../../../adapters/config/Origin.ts"
import { meshIdOf } from "../../../adapters/keys/Keys.ts"
import { keysOf } from "../pairing/Ends.ts"
import { type Machine, read, settings } from "./Reading.ts"

const STATE = "/home/asha/.local/state/clawmesh"
const [a, b] = ["a".repeat(64), "b".repeat(64)]
const standing = {
  name: "jetson-3",
  role: "field",
  peers: [`${a}=wss://192.168.1.41:18789`],
  electors: [a],
  manifestVersion: 4,
  profile: "wan"
}
const kept = { version: 1, meshId: meshIdOf("bhoomi"), meshKey: "key", meshName: "bhoomi", standing }
const joined = (machine: Machine = {}, content: unknown = kept, directory = STATE) =>
  settings({ ...machine, files: { [`${directory}/mesh.json`]: JSON.stringify(content), ...machine.files } })
const shown = ({ electors, manifestVersion, name, peers, profile, role }: ReturnType<typeof joined>) => ({
  name,
  role,
  electors,
  manifestVersion,
  profile,
  peers: peers.length
})
const asJoined = { name: "jetson-3", role: "field", electors: [a], manifestVersion: 4, profile: "wan", peers: 1 }
const asNothing = { name: "node", role: "node", electors: [], manifestVersion: 1, profile: "lan", peers: 0 }

describe("settings of a node that joined", () => {
  it("are those that it joined with, and say so", () => {
    const read = joined()
    assert.deepStrictEqual(shown(read), asJoined as never)
    for (const key of ["name", "role", "peers", "electors", "manifest-version", "profile"] as const)
      assert.strictEqual(originText(read.origins[key]), `${STATE}/mesh.json (as it joined)`)
    assert.strictEqual(read.meshId, null)
  })

  it("give way to flag, environment and file, each by itself", () => {
    assert.strictEqual(joined({ flags: ["run", "--role", "sensor"] }).role, "sensor")
    assert.strictEqual(joined({ environment: { CLAWMESH_NAME: "pi" } }).name, "pi")
    const read = joined({ file: `electors: [${b}]` })
    assert.deepStrictEqual(read.electors, [b])
    assert.strictEqual(read.role, "field")
  })

  it("say so where the operator's word is another role than the one that it joined in", () => {
    const notes = (machine: Machine) => {
      const got = read({ ...machine, files: { [`${STATE}/mesh.json`]: JSON.stringify(kept) } })
      return "notes" in got ? got.notes : ["mistakes"]
    }
    assert.deepStrictEqual(notes({}), [])
    assert.deepStrictEqual(notes({ file: "role: field" }), [])
    assert.match(notes({ file: "role: planner" })[0]!, /node\.yaml:1:7: it is a planner here, and joined as field/u)
  })

  it("are those of the state directory that counts", () => {
    assert.strictEqual(joined({ flags: ["run", "--state", "/data"] }, kept, "/data").name, "jetson-3")
    assert.notStrictEqual(joined({ flags: ["run", "--state", "/data"] }).name, "jetson-3")
  })

  it("hold for that mesh only", () => {
    const nothing = (machine: Machine) =>
      assert.deepStrictEqual(shown({ ...joined(machine), name: "node" }), asNothing as never)
    nothing({ file: "mesh-name: hills" })
    nothing({ flags: ["run", "--mesh-id", b!] })
    nothing({ environment: { CLAWMESH_MESH_KEY: keysOf(2).publicKey } })
    assert.deepStrictEqual(shown(joined({ file: "mesh-name: bhoomi" })), asJoined as never)
  })

  it("are none where the file is none, or says nothing of them", () => {
    for (const content of [
      { ...kept, standing: undefined },
      { ...kept, standing: { ...standing, role: "boss" } },
      "{",
      null
    ])
      assert.deepStrictEqual(shown({ ...joined({}, content), name: "node" }), asNothing as never)
  })
})
