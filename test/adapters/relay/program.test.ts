/** `clawmesh-node relay`: what is wrong with its words and files, and grants (docs/how-to/meet-through-a-relay.md). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { help, program } from "../../../adapters/relay/Program.ts"
import { refusesGrant } from "../../../adapters/relay/Protocol.ts"
import { keysOf } from "./Meeting.ts"

let cwd = ""
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "clawmesh-relay-"))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const run = async (...args: ReadonlyArray<string>) => {
  let [out, err] = ["", ""]
  const exit = await Effect.runPromise(
    program({ args, cwd, out: (text) => void (out += text), err: (text) => void (err += text) })
  )
  return { exit, out, err }
}

const id = keysOf(1).deviceId

describe("clawmesh-node relay", () => {
  it("helps, and says what is wrong with the words", async () => {
    assert.deepStrictEqual(await run("--help"), { exit: 0, out: help, err: "" })
    for (const [words, says] of [
      [[], "--state DIRECTORY is missing"],
      [["--state", "s"], "nobody could come in: give --relay-mesh KEY or --relay-tokens FILE"],
      [["--state", "s", "--relay-mesh", "x"], "that is no public key of a mesh"],
      [["--state", "s", "--port", "65536"], "--port is a whole number"],
      [["--state", "s", "--prot", "1"], "--prot"],
      [["serve", "--state", "s"], "one word too many: serve"],
      [["grant", "--state", "s", "--relay", "x"], "--relay is a device id"],
      [["grant", "--state", "s", "--relay", id], "--device is a device id"],
      [["grant", "--state", "s", "--relay", id, "--device", id, "--days", "-1"], ""]
    ] as const) {
      const { err, exit } = await run(...words)
      assert.strictEqual(exit, 2, words.join(" "))
      assert.include(err, says)
      assert.isTrue(err.endsWith("All flags: clawmesh-node relay --help\n"))
    }
  })

  it("does not start with a file of tokens that does not read", async () => {
    const words = ["--state", "s", "--port", "0", "--relay-tokens", "tokens"]
    for (const text of [null, "", "short\n", "# a comment\n"]) {
      if (text !== null) writeFileSync(join(cwd, "tokens"), text)
      const { err, exit } = await run(...words)
      assert.strictEqual(exit, 78, String(text))
      assert.match(err, /tokens (?:cannot be read|does not read)/u)
    }
  })

  it("signs grants where the key of the mesh was made, and nowhere else", async () => {
    const words = ["grant", "--state", cwd, "--relay", id, "--device", keysOf(2).deviceId, "--days", "1"]
    const none = await run(...words)
    assert.strictEqual(none.exit, 78)
    assert.match(none.err, /holds no secret key of a mesh\n {2}Grants are signed where the mesh was made/u)
    const mesh = { version: 1, meshId: "m", meshKey: keysOf(7).publicKey }
    const meshKeySeed = Buffer.alloc(32, 7).toString("base64url")
    writeFileSync(join(cwd, "mesh.json"), JSON.stringify({ ...mesh, meshKeySeed }))
    const { exit, out } = await run(...words)
    assert.strictEqual(exit, 0)
    const refused = (ms: number) => refusesGrant(out.trim(), id, keysOf(2).deviceId, [mesh.meshKey], Date.now() + ms)
    assert.deepStrictEqual([refused(0), refused(90_000_000)], [null, "GRANT_EXPIRED"])
  })
})
