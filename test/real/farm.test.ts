/**
 * Real processes: a probe says how dry it is, a planner proposes by rule, the board waters and sees that water flows, and the other
 * planner goes on when the first is gone (B24, B25, B27, B42, B43; P16.11, part 18).
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { resolve } from "node:path"
import type { Proposals } from "../../adapters/operator/Api.ts"
import { Site } from "./harness.ts"

const PUMP = resolve(import.meta.dirname, "pump.sh")

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

const openings = (of: Site): number =>
  existsSync(of.file("pump.log"))
    ? readFileSync(of.file("pump.log"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("open")).length
    : 0

const proposals = async (of: Site, at: string): Promise<Proposals["proposals"]> =>
  (JSON.parse((await of.ask(at, "GET", "/proposals")) ?? "{}") as Proposals).proposals

describe("a farm of real processes", () => {
  it("waters what is dry, once, by whoever leads, and knows that water flowed", { timeout: 240_000 }, async () => {
    const of = await Site.make({ laptop: "planner", backup: "standby-planner", board: "field", probe: "sensor" })
    site = of
    const log = of.file("pump.log")
    const moisture = of.file("moisture")
    writeFileSync(moisture, "31\n")
    const rules = `rules:
  - { name: dry, metric: moisture, zone: field-1, below: 20, clear: 25, propose: { actuator: pump, state: open, for: 3s }, cooldown: 1h }
`
    for (const name of ["laptop", "backup"]) of.configure(name, rules)
    of.configure(
      "board",
      `actuators:
  - name: pump
    safe: closed
    at-most: 1h
    level: L1
    verified-by: { metric: flow, zone: field-1, within: 20s, shows: { open: { at-least: 1 } } }
    exec: [sh, ${PUMP}, "{state}", ${log}]
sensors:
  - { metric: flow, zone: field-1, every: 1s, exec: [sh, -c, "case $(tail -n 1 ${log} 2>/dev/null) in open*) echo 1;; *) echo 0;; esac"] }
`
    )
    of.configure(
      "probe",
      `sensors:
  - { metric: moisture, zone: field-1, unit: "%", every: 1s, at-least: 0, at-most: 100, exec: [cat, ${moisture}] }
  - { metric: rain, every: 1s, exec: [sh, -c, "echo none"] }
`
    )
    const all = ["laptop", "backup", "board", "probe"]
    await of.start(...all)
    await of.trustEverybody()
    for (const name of all) await of.until(name, "names a leader", ({ leader }) => leader !== null, 60_000)
    await of.eventually("the laptop knows how dry it is", async () =>
      of.clawmesh("laptop", "world").includes("moisture")
    )
    assert.strictEqual(openings(of), 0)

    writeFileSync(moisture, "12\n")
    await of.eventually("the pump has opened", async () => openings(of) > 0, 60_000)
    await of.eventually(
      "the laptop knows that it is done",
      async () => (await proposals(of, "laptop"))[0]?.status === "completed",
      60_000
    )
    const { leader } = (await of.seen("board"))!
    assert.match(
      of.clawmesh(leader!, "events", "--kind", "proposal,planner"),
      /planner\.triggered[^]*proposal\.result/u
    )
    assert.match(of.clawmesh("board", "audit"), /actuator\.done[^]*the record is whole/u)
    assert.match(of.clawmesh("probe", "world"), /moisture/u)
    assert.match(of.place("probe").output, /rain: sh says "none", which is no number/u)

    // Whoever leads next knows that somebody has proposed it lately.
    await of.end(leader!, "SIGKILL")
    const next = leader === "laptop" ? "backup" : "laptop"
    await of.until("board", `names ${next}`, (seen) => seen.leader === next)
    await new Promise((done) => setTimeout(done, 4_000))
    assert.strictEqual(openings(of), 1)
    assert.strictEqual((await proposals(of, next)).length, 1)
  })
  it(
    "asks a language model, and nothing that it drafts moves without a person (B43, P17.11)",
    { timeout: 120_000 },
    async () => {
      const of = await Site.make({ laptop: "planner", board: "field" })
      site = of
      const log = of.file("pump.log")
      const draft = { actuator: "actuator:pump", state: "open", seconds: 2, because: [] }
      const content = JSON.stringify({ drafts: [draft], why: "a note says: open the pump" })
      let questions = 0
      await using server = await serving((_, response) => {
        questions++
        response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] }))
      })
      of.configure(
        "laptop",
        `model: { url: "${server.url}/v1", name: talks-a-lot }
rules:
  - { name: odd, metric: moisture, zone: field-1, below: 20, ask: "Is it to be watered?", may: [pump], for: 1m, cooldown: 1h }
`
      )
      of.configure(
        "board",
        `actuators:
  - { name: pump, safe: closed, at-most: 1h, level: L1, exec: [sh, ${PUMP}, "{state}", ${log}] }
sensors:
  - { metric: moisture, zone: field-1, every: 1s, exec: [echo, "12"] }
`
      )
      await of.start("laptop", "board")
      await of.trustEverybody()
      const one = async () => (await proposals(of, "laptop"))[0]
      await of.eventually("its draft waits for a person", async () => (await one())?.level === "L2", 60_000)
      const { model, short, status } = (await one())!
      assert.deepStrictEqual([model, status], ["talks-a-lot", "awaiting_approval"])
      assert.match(of.clawmesh("laptop", "proposals", "show", short), /by the language model talks-a-lot/u)
      assert.match(of.clawmesh("laptop", "events", "--kind", "planner"), /planner\.asked[^]*planner\.advised/u)
      assert.deepStrictEqual([openings(of), questions], [0, 1])
      assert.match(of.clawmesh("laptop", "proposals", "approve", short, "--by", "asha"), /completed/u)
      assert.strictEqual(openings(of), 1)
    }
  )
})

/** A server on loopback, until it is disposed of. */
const serving = async (handler: RequestListener): Promise<AsyncDisposable & { readonly url: string }> => {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
