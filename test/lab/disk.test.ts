/**
 * A node on a disk that is really full, a small tmpfs: it goes on, says so, hands over, and takes up what it left as soon as there is
 * room. Read-only disks cannot be had so: Linux mounts none read-only while somebody writes there.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { closeSync, cpSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { root } from "../../.ci/Run.ts"
import { Site } from "../real/harness.ts"
import { need } from "./Lab.ts"

/** More than fit into the last page of a journal. */
const RECORDS = 40

const stranger = "5".repeat(64)

let site: Site | null = null
let mounted: string | null = null

beforeAll(() => need({ mount: "mount", umount: "mount" }))
afterEach(async () => {
  const of = site
  site = null
  const disk = mounted
  mounted = null
  for (const { name, process: running } of of?.places.values() ?? [])
    if (running !== null) await of!.end(name, "SIGKILL")
  if (disk !== null) execFileSync("umount", [disk])
  await of?.close()
})

/** Its state directory becomes a disk of its own, with what is in it. */
const small = (of: Site, name: string): string => {
  const { directory } = of.place(name)
  const aside = of.file(`${name}.aside`)
  cpSync(directory, aside, { recursive: true, preserveTimestamps: true })
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", directory])
  mounted = directory
  cpSync(aside, directory, { recursive: true, preserveTimestamps: true })
  return join(directory, "filler")
}

/** To the last byte: what cannot be written as a whole is tried in smaller pieces. */
const fill = (filler: string): void => {
  const file = openSync(filler, "a")
  for (const bytes of [65_536, 4_096, 1])
    try {
      for (;;) writeSync(file, Buffer.alloc(bytes, 1))
    } catch {
      // So much does not fit any more.
    }
  closeSync(file)
}

describe("a node on a disk that is full", () => {
  it("goes on, says so, hands over, and takes it up again", { timeout: 240_000 }, async () => {
    const of = await Site.make({ a: "planner", b: "standby-planner", c: "field" })
    site = of
    const filler = small(of, "a")
    await of.start("a", "b", "c")
    await of.trustEverybody()
    await of.until("c", "names a leader", ({ leader }) => leader !== null)
    // Whoever leads stores each second, and so notices first.
    if ((await of.seen("c"))?.leader === "b") {
      of.clawmesh("b", "suspend")
      await of.until("c", "names a", ({ leader }) => leader === "a", 30_000)
      of.clawmesh("b", "resume")
    }
    const warned = async (): Promise<boolean> =>
      (await of.status("a")).warnings.some(({ code }) => code === "DISK_REFUSES")
    assert.isFalse(await warned())

    fill(filler)
    // Until its last page is full. What it cannot store it does not take up, and says so.
    for (let i = 0; i < RECORDS && !(await warned()); i++)
      await of.ask("a", "POST", "/trust", JSON.stringify({ id: stranger, role: "viewer", gen1: false, name: `s${i}` }))
    await of.eventually("it says that its disk is full", warned)
    for (const name of ["a", "b", "c"]) await of.until(name, "names b", ({ leader }) => leader === "b", 30_000)
    await of.until("c", "has a as up", ({ peers }) => peers["a"] === "up")
    assert.match(of.place("a").output, /the disk is full: make room \(ENOSPC\)/u)
    assert.match(of.clawmesh("a", "status"), /nothing is stored/u)

    rmSync(filler)
    await of.eventually("it stores again", async () => !(await warned()), 30_000)
    assert.match(of.place("a").output, /takes what is to be stored again; nothing was lost/u)

    assert.strictEqual((await of.end("a", "SIGTERM")).code, 0)

    // A first start has to write: it fails, and may be tried again.
    fill(filler)
    const { status, stderr } = spawnSync(
      process.execPath,
      ["adapters/clawmesh-node.ts", "id", "--state", join(of.place("a").directory, "fresh")],
      { cwd: root, encoding: "utf8" }
    )
    assert.match(stderr, /the disk is full: make room \(ENOSPC\)/u)
    assert.strictEqual(status, 1)
  })
})
