/**
 * C76, with real processes on loopback: our nodes and a strict device of generation 1 (peer.ts), which dials one of them and is
 * dialled by the other. Everything is ended by its pid.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Site, sleep } from "../real/harness.ts"
import { freePort } from "../../bench/node/Ports.ts"
import { deviceIdOf, type Orders, type Told } from "./peer.ts"

const program = join(import.meta.dirname, "peer.ts")
/** Our nodes say something each 20 s; such a device would wait for 90. */
const QUIET_MS = 30_000

/** The device: what it is told, the process that runs it, and what it has said since it was made. */
class Old {
  readonly seed = randomBytes(32).toString("hex")
  readonly deviceId = deviceIdOf(this.seed)
  readonly told: Array<Told> = []
  port = 0
  private child: ChildProcess | null = null
  private errors = ""

  start(orders: Omit<Orders, "seed" | "role" | "lookMs" | "port">): void {
    const all: Orders = { seed: this.seed, role: "sensor", lookMs: 500, port: this.port, ...orders }
    const child = spawn(process.execPath, [program, JSON.stringify(all)], { stdio: ["ignore", "pipe", "pipe"] })
    this.child = child
    let rest = ""
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString("utf8")}`.split("\n")
      rest = lines.pop() ?? ""
      this.told.push(...lines.map((line) => JSON.parse(line) as Told))
    })
    child.stderr.on("data", (chunk: Buffer) => {
      this.errors += chunk.toString("utf8")
    })
  }

  /** Ends its process, and gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    const { child } = this
    this.child = null
    if (child === null) return Promise.resolve(null)
    return new Promise((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done(child.exitCode)
      child.once("exit", (code) => done(code))
      child.kill(signal)
    })
  }

  /** It runs, and has found nothing to object to. */
  assertContent(): void {
    const objections = this.told.filter(({ is }) => is === "violation")
    assert.deepStrictEqual(objections, [], this.errors)
    assert.strictEqual(this.child?.exitCode ?? null, null, this.errors)
  }

  /** Sessions that it has now: `a dialled`, or `b`, by the names that are given to their ids. */
  sessions(names: { readonly [deviceId: string]: string }): ReadonlyArray<string> {
    const open = new Set<string>()
    for (const told of this.told) {
      if (told.is === "ready") open.clear()
      if (told.is !== "up" && told.is !== "down") continue
      const session = `${names[told.peer]}${told.dialled ? " dialled" : ""}`
      if (told.is === "up") open.add(session)
      else open.delete(session)
    }
    return [...open].sort()
  }

  events(peer: string, from = 0): ReadonlyArray<string> {
    return this.told.slice(from).flatMap((told) => (told.is === "event" && told.peer === peer ? [told.name] : []))
  }
}

let site: Site | null = null
let old: Old | null = null
afterEach(async () => {
  await old?.end("SIGKILL")
  await site?.close()
  site = null
  old = null
})

/** `a` plans, `b` is a field node; the old device dials `a`, and `b` dials it. */
const farm = async (quietMs = QUIET_MS) => {
  const two = await Site.make({ a: "planner", b: "field" })
  site = two
  const device = new Old()
  old = device
  device.port = await freePort()
  two.knows("b", `${device.deviceId}=ws://127.0.0.1:${device.port}`)
  await two.start("a", "b")
  await two.trustEverybody()
  for (const name of ["a", "b"]) await two.trust(name, { id: device.deviceId, role: "sensor", gen1: true, name: "old" })
  const [a, b] = [two.place("a"), two.place("b")]
  const names = { [a.deviceId]: "a", [b.deviceId]: "b" }
  const start = (): void =>
    device.start({
      meshId: two.mesh().meshId,
      quietMs,
      dials: [{ deviceId: a.deviceId, url: `ws://127.0.0.1:${a.port}` }],
      trusted: { [a.deviceId]: "planner", [b.deviceId]: "field" }
    })
  const bothUp = async (): Promise<void> => {
    for (const name of ["a", "b"])
      await two.until(name, "has the old device up", ({ peers }) => peers[device.deviceId] === "up", 40_000)
    await two.eventually(
      "the old device has a session with each",
      async () => device.sessions(names).join() === "a dialled,b",
      40_000,
      () => `${device.sessions(names).join()}\n${JSON.stringify(device.told.slice(-8))}`
    )
    device.assertContent()
  }
  return { two, device, names, start, bothUp, a, b }
}

const linksOf = async (two: Site, name: string, deviceId: string) => {
  const { peers } = await two.status(name)
  return peers.find(({ id }) => id === deviceId)
}

describe("C76: a device of generation 1 and our nodes", () => {
  it("connects in both directions, is shown the leader that we show, and nothing happens while it is idle", async () => {
    const { a, b, bothUp, device, start, two } = await farm()
    await two.until("b", "follows a", ({ leader }) => leader === "a")
    start()
    await bothUp()
    for (const name of ["a", "b"]) {
      const peer = await linksOf(two, name, device.deviceId)
      assert.deepInclude(peer, { gen1: true, state: "up", refused: null })
    }
    await two.eventually(
      "it has asked both who leads",
      async () => device.told.filter(({ is }) => is === "status").length >= 2
    )
    for (const told of device.told) if (told.is === "status") assert.strictEqual(told.leader, a.deviceId)
    const before = device.told.length
    // Longer than it bears without an event, and long enough for one of ours.
    await sleep(QUIET_MS + 3_000)
    device.assertContent()
    const since = device.told.slice(before)
    assert.isEmpty(
      since.filter(({ is }) => is === "up" || is === "down"),
      "not one session began or ended"
    )
    for (const { deviceId } of [a, b])
      assert.isAtLeast(device.events(deviceId, before).filter((name) => name === "link.keepalive").length, 1)
    for (const name of ["a", "b"]) {
      const said = (await two.events(name, "peer")).filter(({ about }) => about === device.deviceId)
      assert.deepStrictEqual(
        said.filter(({ event }) => /disconnect|suspect|down|left/u.test(event)),
        [],
        name
      )
    }
  }, 180_000)

  it("killed it is down, started again it is up; and so with ours", async () => {
    const { bothUp, device, names, start, two } = await farm()
    start()
    await bothUp()
    await device.end("SIGKILL")
    for (const name of ["a", "b"])
      await two.until(name, "has it as down", ({ peers }) => peers[device.deviceId] === "down")
    start()
    await bothUp()
    for (const name of ["a", "b"]) {
      await two.end(name, "SIGKILL")
      await two.eventually(`it has lost ${name}`, async () => device.sessions(names).length === 1)
      await two.start(name)
      await bothUp()
    }
  }, 180_000)

  it("a goodbye is one in both directions: it leaves, comes back, and a of ours leaves", async () => {
    const { a, device, names, start, two, bothUp } = await farm()
    start()
    await bothUp()
    assert.strictEqual(await device.end("SIGTERM"), 0)
    for (const name of ["a", "b"])
      await two.until(name, "has it as left", ({ peers }) => peers[device.deviceId] === "left")
    const peer = await linksOf(two, "b", device.deviceId)
    assert.isAbove(peer!.dialling.nextInMs ?? 0, 20_000, "it is not dialled again at once")
    start()
    await two.until("a", "has it up again", ({ peers }) => peers[device.deviceId] === "up")
    await two.end("a", "SIGTERM")
    await two.eventually("it heard the goodbye", async () => device.events(a.deviceId).includes("peer.leaving"))
    await two.eventually("and let go", async () => !device.sessions(names).includes("a dialled"))
    device.assertContent()
  }, 180_000)

  it("its own rule bites: a link without events is ended by it, and comes back", async () => {
    const { a, device, start, two } = await farm(2_000)
    start()
    await two.eventually(
      "it ends a link that brings no event",
      async () =>
        device.told.some((told) => told.is === "down" && told.peer === a.deviceId && told.why === "no events"),
      20_000
    )
    await two.eventually(
      "and dials again",
      async () => device.told.filter((told) => told.is === "up" && told.peer === a.deviceId).length >= 2,
      20_000
    )
    assert.isEmpty(device.told.filter(({ is }) => is === "violation"))
  }, 180_000)
})
