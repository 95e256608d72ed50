/** Real processes: an incident is recorded, brought home in bundles, done again, and made a scenario of. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { unpack } from "../../adapters/recorded/Bundle.ts"
import { openRecording, type Recording } from "../../adapters/recorded/Open.ts"
import { reportOf } from "../../adapters/recorded/Report.ts"
import * as State from "../../adapters/recorded/State.ts"
import { incidentOf } from "../../sim/recorded/Incident.ts"
import { judge } from "../../sim/recorded/Judge.ts"
import { scenarioText } from "../../sim/recorded/Scenario.ts"
import { runScenario } from "../../sim/run.ts"
import { readScenario } from "../../sim/scenario/read.ts"
import { Site } from "./harness.ts"

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

const opened = async (path: string): Promise<Recording> => {
  const found = await Effect.runPromise(openRecording("/", path))
  if ("problem" in found) throw new Error(found.problem)
  return found
}

/** Every form in which a key or a secret is written down somewhere. */
const formsOf = (secret: Buffer): ReadonlyArray<string> => {
  // The head of an Ed25519 key in PKCS 8 (RFC 8410), as in PEM.
  const pem = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secret]).toString("base64")
  return [secret.toString("base64"), secret.toString("base64url"), secret.toString("hex"), pem].flatMap((form) => [
    form,
    form.replace(/=+$/u, ""),
    form.toUpperCase()
  ])
}

/** What the state directory and the person's file hold that is nobody else's business. */
const secretsOf = (directory: string, person: string): ReadonlyArray<Buffer> => {
  const texts = ["identity.json", "mesh.json"].map((name) => readFileSync(join(directory, name), "utf8"))
  const seeds = [...texts, readFileSync(person, "utf8")].flatMap((text) =>
    [...text.matchAll(/"[^"]*[sS]eed"\s*:\s*"([^"]+)"/gu)].map(([, seed]) => Buffer.from(seed!, "base64url"))
  )
  return seeds
}

describe("an incident", () => {
  it("is recorded, brought home without a secret, done again, and made a scenario of", async () => {
    const of = await Site.make({ laptop: "planner", backup: "standby-planner", board: "field" })
    site = of
    const all = ["laptop", "backup", "board"]
    of.asPerson("asha", "laptop", "person", "new", "asha")
    await of.start(...all)
    await of.trustEverybody()
    for (const name of all) await of.until(name, "names a leader", ({ leader }) => leader !== null)
    const { leader } = (await of.seen("board"))!
    const other = leader === "laptop" ? "backup" : "laptop"

    // The leader is killed in the middle of whatever it does, and the power cut leaves half a line.
    await of.end(leader!, "SIGKILL")
    await of.until("board", "has it for down", ({ peers }) => peers[leader!] === "down")
    await of.until("board", "names another leader", (seen) => seen.leader === other)
    const folder = join(of.place(leader!).directory, "recording")
    appendFileSync(join(folder, readdirSync(folder).toSorted().at(-1)!), `{"input":{"_tag":"Wo`)
    await of.start(leader!)
    await of.until("board", "has it up again", ({ peers }) => peers[leader!] === "up")

    const bundles = all.map((name) => of.file(`${name}.tar.gz`))
    for (const [n, name] of all.entries())
      assert.match(of.clawmesh(name, "bundle", bundles[n]!), /\.tar\.gz +\d+ KiB: \d+ files, no keys/u)

    // No secret, whatever it is written like, packed or not.
    const secrets = all.flatMap((name) => secretsOf(of.place(name).directory, of.file("asha.json")))
    assert.isAtLeast(secrets.length, 5)
    for (const bundle of bundles) {
      const read = await Effect.runPromise(unpack(bundle, readFileSync(bundle)))
      if ("problem" in read) throw new Error(read.problem)
      assert.includeMembers(
        read.items.map(({ path }) => path),
        ["manifest.json", "status.json", "health.json", "events.json", "configuration.json", "recording/00000001.jsonl"]
      )
      const states = (await opened(bundle)).lives.flatMap(({ segments }) =>
        segments.flatMap(({ header: { state } }) => (state === null ? [] : [Buffer.from(State.unpacked(state))]))
      )
      const bytes = Buffer.concat([...read.items.map(({ bytes }) => bytes), ...states])
      for (const secret of secrets) {
        assert.isFalse(bytes.includes(secret))
        for (const form of formsOf(secret)) assert.isFalse(bytes.includes(form), `${bundle} holds a secret`)
      }
      assert.isFalse(bytes.includes("PRIVATE KEY"))
    }

    // The same comes of it, the torn line told and nothing else lost; and the oracles find nothing.
    const recordings = await Promise.all(bundles.map(opened))
    for (const recording of recordings) {
      const judged = judge(recording)
      assert.strictEqual(judged.report.outcome, "same")
      assert.deepStrictEqual(judged.violations, [])
    }
    const killed = recordings.find(({ name }) => name === leader)!
    assert.strictEqual(killed.lives.length, 2)
    assert.match(killed.lives[0]!.segments.at(-1)!.torn!, /only that line is lost/u)
    const words = of.clawmesh(leader!, "replay", bundles[all.indexOf(leader!)]!)
    assert.include(words, `the same state and the same hash ${reportOf(killed).lives.at(-1)!.replayed.hash}`)

    // The same happens in the simulated world: of all three, and of the board alone.
    for (const known of [recordings, recordings.filter(({ name }) => name === "board")]) {
      const text = scenarioText(incidentOf(known), { schema: "scenario.schema.json", sources: ["x"], title: "x" })
      const read = readScenario("incident.yaml", Buffer.from(text))
      if (!("scenario" in read)) throw new Error(`${text}\n${JSON.stringify(read.mistakes)}`)
      assert.include(text, `crash: ${leader}`)
      const { expectations, happenings, verdict } = runScenario(read.scenario)
      assert.strictEqual(verdict, "passed", text)
      assert.isAbove(expectations.length, 2)
      assert.isTrue(
        happenings.some(({ about, event, node }) => event === "peer.down" && about === leader && node === "board")
      )
      assert.isTrue(happenings.some(({ event, node }) => event === "leader.elected" && node === other))
    }
  }, 60_000)

  it("of a node whose disk takes no recording is told, and the node lives on", async () => {
    const of = await Site.make({ alone: "planner" })
    site = of
    writeFileSync(join(of.place("alone").directory, "recording"), "")
    await of.start("alone")
    await of.until("alone", "leads", ({ leader }) => leader === "alone")
    const { warnings } = await of.status("alone")
    assert.include(
      warnings.map(({ code }) => code),
      "RECORDING_STOPPED"
    )
    assert.match(of.place("alone").output, /nothing is recorded from now on/u)
    assert.match(of.clawmesh("alone", "status"), /nothing is recorded since/u)
  }, 30_000)

  it("is not recorded where its operator wants that", async () => {
    const of = await Site.make({ alone: "planner" })
    site = of
    of.configure("alone", "recording-mb: 0\n")
    await of.start("alone")
    assert.notInclude(readdirSync(of.place("alone").directory), "recording")
    assert.throws(
      () =>
        execFileSync(process.execPath, ["adapters/clawmesh.ts", "replay", of.place("alone").directory], {
          stdio: "pipe"
        }),
      /there is no recording/u
    )
  }, 30_000)
})
