/** Three real processes over WebSockets and TLS on loopback do what the simulated ones do (issue "Three real nodes"). */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { execFileSync, spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { Site, sleep, type Seen } from "./harness.ts"
import { freePort } from "../../bench/node/Ports.ts"

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

interface Mesh {
  readonly three: Site
  /** Whichever of the two planners was elected: they come to trust each other at different moments. */
  readonly leader: string
  readonly standby: string
}

/** a plans, b stands by, c is a field node; all know and trust each other, and one leads. */
const mesh = async (): Promise<Mesh> => {
  site = await Site.make({ a: "planner", b: "standby-planner", c: "field" })
  await site.start("a", "b", "c")
  await site.trustEverybody()
  let leader = ""
  await site.until("c", "names a leader", (seen) => {
    leader = seen.leader ?? ""
    return leader !== ""
  })
  for (const name of ["a", "b", "c"])
    await site.until(name, `has everybody up and names ${leader}`, wellUnder(leader, name))
  return { three: site, leader, standby: leader === "a" ? "b" : "a" }
}

const wellUnder =
  (leader: string, self: string) =>
  ({ leader: named, peers }: Seen): boolean =>
    named === leader && ["a", "b", "c"].every((name) => name === self || peers[name] === "up")

describe("three processes", () => {
  it("kill -9 of the planner: the standby leads in a higher term; restarted it follows (L1, L3, B22, B25)", async () => {
    const { leader, standby, three } = await mesh()
    const before = (await three.seen("c"))!.term
    await three.end(leader, "SIGKILL")
    for (const name of [standby, "c"])
      await three.until(name, `has ${leader} as down`, ({ peers }) => peers[leader] === "down")
    await three.until("c", `names ${standby} in a higher term`, (seen) => seen.leader === standby && seen.term > before)
    await three.start(leader)
    for (const name of ["a", "b", "c"]) await three.until(name, `is well under ${standby}`, wellUnder(standby, name))
  }, 60_000)

  it("clawmesh events -f shows what happens from now on", async () => {
    const { leader, three } = await mesh()
    const printed = three.follow("c", "events", "-f", "--no-color")
    await three.eventually("the past is printed", async () => printed().includes("peer.up"))
    assert.notInclude(printed(), "peer.left")
    await three.end(leader, "SIGTERM")
    await three.eventually("the goodbye is printed", async () => printed().includes("peer.left"), 10_000, printed)
  }, 60_000)

  it("SIGTERM: goodbye is said, the term handed over, exit 0 within 15 s (B1, B46)", async () => {
    const { leader, standby, three } = await mesh()
    const started = performance.now()
    const ended = await three.end(leader, "SIGTERM")
    assert.deepStrictEqual([ended.code, ended.signal], [0, null], ended.output)
    assert.isBelow(performance.now() - started, 15_000)
    for (const name of [standby, "c"])
      await three.until(name, `has ${leader} as left`, ({ peers }) => peers[leader] === "left")
    await three.until("c", `names ${standby}`, (seen) => seen.leader === standby)
    assert.include(three.clawmesh("c", "events", "--no-color"), "peer.left")
  }, 60_000)

  it("SIGSTOP: the frozen node is down for the others, and back by itself (B7)", async () => {
    const { leader, three } = await mesh()
    three.signal("c", "SIGSTOP")
    await three.until("a", "has c as down", ({ peers }) => peers["c"] === "down")
    three.signal("c", "SIGCONT")
    for (const name of ["a", "b", "c"]) await three.until(name, "has everybody up", wellUnder(leader, name))
    assert.notInclude(three.clawmesh("c", "events", "--no-color"), "peer.down", "the frozen node accused nobody")
  }, 60_000)

  it("whom the operator trusts no longer is out at once, and stays out (C36)", async () => {
    const { three } = await mesh()
    three.clawmesh("a", "trust", "remove", three.place("c").deviceId)
    await three.until("c", "has lost a", ({ peers }) => peers["a"] !== "up")
    await sleep(1_500)
    assert.isUndefined((await three.seen("a"))!.peers["c"], "a lists c no more")
    assert.include(three.clawmesh("a", "events", "--no-color"), "UNTRUSTED_PEER")
  }, 60_000)
})

describe("starts that are refused", () => {
  it("a port that is taken: said with the port, exit 1", async () => {
    const { three } = await mesh()
    const other = await Site.make({ d: "field" })
    try {
      const args = other
        .args("d")
        .map((arg) => (arg === String(other.place("d").port) ? String(three.place("a").port) : arg))
      const ended = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 })
      assert.strictEqual(ended.status, 1, ended.stdout + ended.stderr)
      assert.include(ended.stderr + ended.stdout, String(three.place("a").port))
    } finally {
      await other.close()
    }
  }, 60_000)

  it("S9: a journal that is lost: the node asks those it is told to trust, lives in the next incarnation, and abstains", async () => {
    const { leader, standby, three } = await mesh()
    const { incarnation } = (await three.status("c")).node
    await three.end("c", "SIGKILL")
    for (const file of ["journal", "snapshot-a", "snapshot-b"])
      rmSync(join(three.place("c").directory, file), { force: true })
    await three.begin("c", "recalling")
    const asking = await three.status("c")
    assert.deepStrictEqual([asking.node.phase, asking.warnings.map(({ code }) => code)], ["recalling", ["AMNESIA"]])
    assert.include(three.clawmesh("c", "events", "--no-color"), "node.amnesia")
    for (const name of [leader, standby])
      await three.trust("c", { id: three.place(name).deviceId, role: three.place(name).role })
    await three.until("c", `is well under ${leader}`, wellUnder(leader, "c"))
    const back = await three.status("c")
    assert.strictEqual(back.node.incarnation, incarnation + 1)
    assert.include(
      back.warnings.map(({ code }) => code),
      "AMNESIA"
    )
    assert.notInclude(three.clawmesh("c", "events", "--no-color"), "IDENTITY_CONFLICT")
    for (const name of [leader, standby]) await three.until(name, "is well", wellUnder(leader, name))
  }, 60_000)

  it("a second daemon on one state directory: refused, the first goes on (B11)", async () => {
    const { leader, three } = await mesh()
    const port = String(await freePort())
    const args = three.args("a").map((arg) => (arg === String(three.place("a").port) ? port : arg))
    const ended = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 })
    assert.strictEqual(ended.status, 1, ended.stdout + ended.stderr)
    assert.include(ended.stderr + ended.stdout, three.place("a").directory)
    await three.until("b", "is well", wellUnder(leader, "b"))
  }, 60_000)

  it("a daemon that does not run: clawmesh says so, exit 3", async () => {
    site = await Site.make({ a: "planner" })
    const asked = spawnSync(
      process.execPath,
      ["adapters/clawmesh.ts", "status", "--state", site.place("a").directory],
      {
        encoding: "utf8"
      }
    )
    assert.strictEqual(asked.status, 3, asked.stdout + asked.stderr)
    assert.include(asked.stderr, "node.sock")
    assert.include(execFileSync(process.execPath, ["adapters/clawmesh.ts", "version"], { encoding: "utf8" }), "0.3.0")
  }, 30_000)
})
