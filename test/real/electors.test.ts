/** Real processes: who elects changes while they run, by the operator key of whoever founded the mesh (P7.22 to P7.24; B22). */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { Electors } from "../../adapters/operator/ElectorsApi.ts"
import { Site } from "./harness.ts"

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

const electors = async (of: Site, at: string): Promise<Electors> =>
  JSON.parse((await of.ask(at, "GET", "/electors")) ?? "{}") as Electors

const inForce = (of: Site, at: string, version: number) =>
  of.eventually(`${at} has version ${version} of the electors`, async () => {
    const found = await electors(of, at)
    return found.version === version && found.next === null
  })

describe("another elector", () => {
  it("takes part at once, stays over a restart, and whoever lost its journal is readmitted by name", async () => {
    const of = await Site.make({ laptop: "planner", backup: "standby-planner", board: "field" })
    site = of
    const all = ["laptop", "backup", "board"]
    await of.start(...all)
    await of.trustEverybody()
    for (const name of all) await of.until(name, "names a leader", ({ leader }) => leader !== null)

    assert.throws(() => of.clawmesh("board", "electors", "remove", "board"), "operator key")
    assert.match(of.clawmesh("laptop", "electors", "remove", "board"), /Version 2, signed with the operator key/u)
    for (const name of all) await inForce(of, name, 2)
    await of.until("board", "names a leader again", ({ leader }) => leader !== null)

    // Two elect now, and the board has no vote to give.
    await of.end("backup", "SIGKILL")
    await of.until("laptop", "leads no longer", ({ leader }) => leader === null)
    await of.start("backup")
    await inForce(of, "backup", 2)
    // The command waits a while; the backup owes its silence first, and may take longer.
    assert.match(of.clawmesh("laptop", "electors", "add", "board"), /Version [23], signed/u)
    for (const name of all) await inForce(of, name, 3)

    // The journal of the board is gone: it has no say, and says so, until the operator names it.
    await of.end("board", "SIGTERM")
    for (const file of ["journal", "snapshot-a", "snapshot-b"])
      rmSync(join(of.place("board").directory, file), { recursive: true, force: true })
    await of.begin("board", "recalling")
    await of.trustIn("board", "laptop")
    await of.trustIn("board", "backup")
    await inForce(of, "board", 3)
    assert.strictEqual((await electors(of, "board")).forgot, true)
    assert.match(of.clawmesh("board", "status"), /lost its journal[^]*clawmesh electors readmit/u)
    await of.eventually("laptop has met the board as it lives now", async () =>
      of.clawmesh("laptop", "peers", "board").includes("up")
    )
    of.clawmesh("laptop", "electors", "readmit", "board")
    for (const name of all) await inForce(of, name, 4)
    assert.strictEqual((await electors(of, "board")).forgot, false)

    // Its vote makes a leader again.
    await of.end("laptop", "SIGKILL")
    await of.until("board", "names the backup", ({ leader }) => leader === "backup")
  }, 120_000)
})
