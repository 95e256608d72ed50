/** systemd reads the unit without a word, and would have had some. It is read, not run: that needs a machine of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { root, run } from "../../.ci/Run.ts"
import { need } from "./Lab.ts"

const unit = readFileSync(join(root, "adapters/node/clawmesh-node.service"), "utf8")

describe("clawmesh-node.service", () => {
  let directory = ""
  beforeAll(() => {
    need({ "systemd-analyze": "systemd" })
    directory = mkdtempSync(join(tmpdir(), "clawmesh-unit-"))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  /** Without manual pages and colours; its own log level, so that a warning is said. */
  const verify = (text: string) => {
    const file = join(directory, "clawmesh-node.service")
    writeFileSync(file, text)
    return run("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", file])
  }

  it("is a unit that systemd takes as it is", async () => {
    const { code, output } = await verify(unit)
    assert.strictEqual(output, "")
    assert.strictEqual(code, 0)
  })

  it("would not be with a word that systemd does not know, nor with a program that is not there", async () => {
    for (const [word, other, complaint] of [
      ["ProtectHome=", "ProtectHom=", /Unknown key/u],
      ["Restart=on-failure", "Restart=onfailure", /Failed to parse/u],
      ["SystemCallFilter=@system-service", "SystemCallFilter=@no-such-set", /no-such-set/u],
      ["/usr/bin/env", "/usr/bin/no-such-program", /not executable/u]
    ] as const) {
      const changed = unit.replace(word, other)
      assert.notStrictEqual(changed, unit)
      assert.match((await verify(changed)).output, complaint)
    }
  })
})
