/**
 * Real daemons that can reach nothing but relays: they meet, lose one relay and meet at the other; and relays that record, alter,
 * replay, cut and cross-connect what passes (B21; PROTOCOL.md part 21).
 */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { freePort } from "../../bench/node/Ports.ts"
import { endAll, onEnd, relayOf, TOKEN } from "../adapters/relay/Meeting.ts"
import { Meddler } from "../adapters/relay/Meddler.ts"
import { Site } from "./harness.ts"

const program = join(resolve(import.meta.dirname, "../.."), "adapters/clawmesh-node.ts")

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
  await endAll()
})

/** a and b, which have no address of each other, at these relays. */
const apart = async (relays: ReadonlyArray<{ readonly relayId: string; readonly port: number }>): Promise<Site> => {
  site = await Site.make({ a: "planner", b: "field" })
  site.reach("a", "b", null)
  site.reach("b", "a", null)
  writeFileSync(site.file("token"), `${TOKEN}\n`)
  const list = relays.map(({ port, relayId }) => `${relayId}=wss://127.0.0.1:${port}`)
  for (const name of ["a", "b"])
    site.configure(name, `relays: ${JSON.stringify(list)}\nrelay-token-file: ${site.file("token")}\n`)
  await site.start("a", "b")
  await site.trustEverybody()
  return site
}

const up = (at: Site, name: string, other: string, limitMs?: number) =>
  at.until(name, `sees ${other} up`, ({ peers }) => peers[other] === "up", limitMs)

const linkOf = async (at: Site, name: string) => (await at.status(name)).peers[0]!.link

/** `clawmesh-node relay`, as an operator starts it. */
const started = async (directory: string, port: number): Promise<{ child: ChildProcess; relayId: string }> => {
  writeFileSync(`${directory}-tokens`, `# of the test\n${TOKEN}\n`)
  const words = ["relay", "--state", directory, "--host", "127.0.0.1", "--port", String(port)]
  const child = spawn(process.execPath, [program, ...words, "--relay-tokens", `${directory}-tokens`])
  onEnd(() => child.kill("SIGKILL"))
  let output = ""
  const relayId = await new Promise<string>((done, failed) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      const id = /--relay ([0-9a-f]{64})=/u.exec(output)?.[1]
      if (id !== undefined) done(id)
    })
    child.once("exit", () => failed(new Error(`the relay ended: ${output}`)))
  })
  return { child, relayId }
}

describe("B21: two nodes that reach nothing but relays", () => {
  it("meet, show by which relay, and meet at the other one when that is killed", async () => {
    const other = await relayOf(200)
    const place = await Site.make({})
    onEnd(() => place.close())
    const port = await freePort()
    const { child, relayId } = await started(place.file("relay"), port)
    const at = await apart([{ relayId, port }, other])
    await up(at, "a", "b")
    await up(at, "b", "a")
    const incarnations = async () => (await at.status("a")).peers.map(({ incarnation }) => incarnation)
    const before = await incarnations()
    for (const name of ["a", "b"]) {
      const link = (await linkOf(at, name))!
      assert.deepStrictEqual([link.label, link.security, link.remote], ["relay", "tls-pinned", "public"])
      assert.include([`relay:${relayId}`, `relay:${other.relayId}`], link.address)
    }
    const first = (await linkOf(at, "a"))!.address
    const through = `relay:${first === `relay:${relayId}` ? other.relayId : relayId}`
    if (first === `relay:${relayId}`) child.kill("SIGKILL")
    else await other.relay.close()
    for (const [name, peer] of [
      ["a", "b"],
      ["b", "a"]
    ] as const) {
      await at.eventually(`${name} is linked by the other relay`, async () => {
        return (await linkOf(at, name))?.address === through
      })
      await up(at, name, peer)
    }
    assert.deepStrictEqual(await incarnations(), before)
    const events = await at.events("a", "peer")
    assert.deepStrictEqual(
      events.filter((event) => JSON.stringify(event).includes('"down"')),
      []
    )
  }, 40_000)
})

describe("a relay that means ill", () => {
  it("reads nothing, though it records all", async () => {
    const meddler = await Meddler.make(201)
    const at = await apart([meddler])
    await up(at, "a", "b")
    await up(at, "b", "a")
    const recorded = Buffer.concat(meddler.recorded).toString("latin1")
    assert.isAbove(recorded.length, 2_000)
    for (const known of [
      "mesh.",
      "clawmesh",
      "type",
      "HTTP",
      "Upgrade",
      "deviceId",
      at.mesh().meshId,
      at.place("a").deviceId
    ])
      assert.notInclude(recorded, known)
  }, 20_000)

  it("that alters, cuts or replays gets nobody in, and each such tunnel ends; honest again, it serves", async () => {
    const meddler = await Meddler.make(202)
    const at = await apart([meddler])
    await up(at, "a", "b")
    for (const way of ["alter", "cut", "replay"] as const) {
      meddler.meddle(way)
      await at.eventually(`${way}: a tunnel ended`, async () => meddler.ended[way] >= 1)
    }
    for (const name of ["a", "b"]) {
      assert.deepStrictEqual((await at.status(name)).refusals, {})
      assert.include(
        (await at.events(name)).map(({ event }) => event),
        "peer.disconnect"
      )
    }
    meddler.meddle(null)
    await up(at, "a", "b", 20_000)
    await up(at, "b", "a", 20_000)
  }, 60_000)

  it("that connects a device to another one than it asked for is shown as that", async () => {
    const meddler = await Meddler.make(203)
    meddler.meddle("cross")
    const at = await apart([meddler])
    await at.eventually("one of them shows it", async () => {
      const all = [...(await at.status("a")).peers, ...(await at.status("b")).peers]
      assert.isTrue(all.every(({ link }) => link === null))
      return all.some(({ refused }) => refused === "PIN_MISMATCH")
    })
  }, 20_000)
})
