/**
 * Real processes: a planner proposes and dies, people decide at other devices, and a board whose pump is a program of its own carries
 * it out, once, whoever is killed in the middle (B28, B29, B33, B35; S3, S4, C46, C48; L4).
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Decided, Proposals } from "../../adapters/operator/Api.ts"
import { below } from "../../kernel/Draw.ts"
import { Site, sleep } from "./harness.ts"

const PUMP = resolve(import.meta.dirname, "pump.sh")
const MS_MAX = 240_000
/** Approvals in the middle of which the board is killed. */
const KILLS = Number(process.env["CLAWMESH_SOAK"] ?? 1) * 10
const KILLED_WITHIN_MS = 120

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

const movements = (of: Site): ReadonlyArray<string> =>
  existsSync(of.file("pump.log")) ? readFileSync(of.file("pump.log"), "utf8").trim().split("\n") : []

const openings = (of: Site, id: string): number => movements(of).filter((line) => line === `open ${id}`).length

const farm = async (more: (made: Site) => string = () => ""): Promise<Site> => {
  const made = await Site.make({ laptop: "planner", backup: "standby-planner", phone: "node", board: "field" })
  site = made
  made.configure(
    "board",
    `actuators:
  - name: pump
    safe: closed
    at-most: 1h
    verification: human
    exec: [sh, ${PUMP}, "{state}", ${made.file("pump.log")}]
${more(made)}`
  )
  await made.start("laptop", "backup", "phone", "board")
  await made.trustEverybody()
  await made.until("laptop", "sees all", ({ peers }) => Object.values(peers).every((state) => state === "up"), 60_000)
  return made
}

const proposals = async (of: Site, at: string): Promise<Proposals["proposals"]> =>
  (JSON.parse((await of.ask(at, "GET", "/proposals")) ?? "{}") as Proposals).proposals

const one = async (of: Site, at: string, id: string) => (await proposals(of, at)).find((each) => each.id === id)

const post = async (of: Site, at: string, path: string, body: object): Promise<Decided | null> => {
  const text = await of.ask(at, "POST", path, JSON.stringify(body)).catch(() => null)
  const answer = text === null ? null : (JSON.parse(text) as Decided)
  return answer?.$type === "clawmesh.decided/1" ? answer : null
}

const propose = async (of: Site, at: string): Promise<string> => {
  const body = { actuator: "actuator:pump", state: "open", forMs: 60_000, by: "asha", because: [], again: true }
  let id: string | null = null
  // Who moves what is heard of a little after the session begins.
  await of.eventually(`${at} can propose it`, async () => {
    const made = await post(of, at, "/propose", body)
    id = made?.id ?? null
    return made?.ok === true
  })
  return id!
}

const knows = (of: Site, at: string, id: string, status = "awaiting_approval") =>
  of.eventually(`${at} has it as ${status}`, async () => (await one(of, at, id))?.status === status)

describe("people decide", () => {
  it(
    "B29, C46: what a planner proposed outlives it, a person approves it elsewhere, and the pump opens once",
    { timeout: MS_MAX },
    async () => {
      const of = await farm()
      const command = JSON.stringify({ actuator: "actuator:pump", state: "open", forMs: 20_000, again: false })
      await of.eventually("a command is refused for want of a person", async () =>
        (await of.ask("laptop", "POST", "/command", command))!.includes("VERIFICATION_REQUIRED")
      )
      assert.match(
        of.clawmesh("laptop", "propose", "pump", "open", "--for", "60s", "--by", "asha"),
        /^✓ P-\w{4} proposed/u
      )
      const [made] = await proposals(of, "laptop")
      const { id, short } = made!
      await knows(of, "phone", id)
      await knows(of, "board", id)
      await of.end("laptop", "SIGKILL")
      assert.match(
        of.clawmesh("phone", "proposals"),
        new RegExp(`${short} +pump open for 1 min 0 s +(?:L2 +)?waits`, "u")
      )
      assert.match(of.clawmesh("phone", "status"), /waiting +1 proposal for a person/u)

      assert.match(of.clawmesh("phone", "proposals", "approve", short, "--by", "asha"), /completed/u)
      assert.strictEqual(openings(of, id), 1)
      assert.match(of.clawmesh("phone", "proposals", "show", short), /decided +by asha at phone/u)
      await knows(of, "backup", id, "completed")
      assert.throws(() => of.clawmesh("backup", "proposals", "approve", short), "is not approved")
      assert.strictEqual(openings(of, id), 1)
      assert.match(of.clawmesh("phone", "events", "--kind", "proposal"), /proposal\.approved[^]*proposal\.result/u)
      assert.match(
        of.clawmesh("board", "audit"),
        /proposal\.approved[^]*asha[^]*actuator\.done[^]*the record is whole/u
      )
    }
  )

  it(
    "B33, P17.10: with persons' keys only what one of them signed moves the pump, at whatever device",
    { timeout: MS_MAX },
    async () => {
      const of = await farm((made) => {
        const keyOf = (person: string) => made.asPerson(person, "phone", "person", "new", person).split("\n")[0]!
        return `    approvers: [asha]\npersons: ["${keyOf("asha")}", "${keyOf("ravi")}"]\n`
      })
      const id = await propose(of, "backup")
      await knows(of, "phone", id)
      await knows(of, "board", id)
      const refused = (act: () => string): void => assert.throws(act, "is not approved")
      refused(() => of.clawmesh("phone", "proposals", "approve", id, "--by", "asha"))
      refused(() => of.clawmesh("board", "proposals", "approve", id, "--by", "asha"))
      refused(() => of.asPerson("ravi", "phone", "proposals", "approve", id))
      of.asPerson("mallory", "phone", "person", "new", "asha")
      refused(() => of.asPerson("mallory", "phone", "proposals", "approve", id))
      assert.strictEqual(openings(of, id), 0)
      assert.strictEqual((await one(of, "board", id))?.status, "awaiting_approval")
      assert.match(of.asPerson("asha", "phone", "proposals", "approve", id), /completed/u)
      assert.strictEqual(openings(of, id), 1)
      assert.match(of.clawmesh("board", "events", "--about", "pump"), /NOT_AUTHORIZED[^]*actuator\.done/u)
    }
  )

  it(
    "P16.11, P17.9: L1 is done by the leader alone; at L3 a name is typed, and what no sensor shows is made safe again",
    { timeout: MS_MAX },
    async () => {
      const log = (of: Site, name: string) =>
        existsSync(of.file(name)) ? readFileSync(of.file(name), "utf8").trim().split("\n") : []
      const of = await farm(
        (made) => `  - name: vent
    safe: closed
    at-most: 1h
    level: L1
    exec: [sh, ${PUMP}, "{state}", ${made.file("vent.log")}]
  - name: gate
    safe: closed
    at-most: 1h
    level: L3
    verified-by: { metric: flow, within: 2s, shows: { open: { at-least: 0.5 } } }
    exec: [sh, ${PUMP}, "{state}", ${made.file("gate.log")}]
`
      )
      await of.until("laptop", "knows who leads", ({ leader }) => leader !== null, 60_000)
      assert.match(of.clawmesh("laptop", "propose", "vent", "open", "--for", "60s"), /^✓ P-\w{4} proposed/u)
      await of.eventually("the leader has it done", async () =>
        (await proposals(of, "phone")).some(
          ({ actuator, status }) => actuator === "actuator:vent" && status === "completed"
        )
      )
      assert.lengthOf(
        log(of, "vent.log").filter((line) => line.startsWith("open")),
        1
      )

      of.clawmesh("laptop", "propose", "gate", "open", "--for", "60s")
      const gate = async () => (await proposals(of, "phone")).find(({ actuator }) => actuator === "actuator:gate")
      await of.eventually("all know who has to agree", async () => (await gate())?.level === "L3")
      const { short } = (await gate())!
      assert.throws(() => of.clawmesh("phone", "proposals", "approve", short), "--confirm")
      assert.throws(() => of.clawmesh("phone", "proposals", "approve", short, "--confirm", "gat"), "Is that its name")
      assert.lengthOf(
        log(of, "gate.log").filter((line) => line.startsWith("open")),
        0
      )
      assert.throws(() => of.clawmesh("phone", "proposals", "approve", short, "--confirm", "gate"), "no sensor showed")
      await of.eventually("it has failed", async () => (await gate())?.code === "VERIFICATION_REQUIRED")
      const moved = log(of, "gate.log").map((line) => line.split(" ")[0])
      assert.deepStrictEqual(moved.slice(-2), ["open", "closed"])
    }
  )

  it("C48: two at once are one, and a no is a no", { timeout: MS_MAX }, async () => {
    const of = await farm()
    const id = await propose(of, "backup")
    for (const at of ["laptop", "phone", "board"]) await knows(of, at, id)
    const answers = await Promise.all(
      ["laptop", "phone", "backup"].map((at) => post(of, at, "/decide", { id, approve: true, by: at }))
    )
    assert.isTrue(answers.some((answer) => answer?.ok === true))
    for (const answer of answers) if (answer?.ok !== true) assert.strictEqual(answer?.code, "ALREADY_DECIDED")
    assert.strictEqual(openings(of, id), 1)

    const other = await propose(of, "backup")
    await knows(of, "phone", other)
    await knows(of, "laptop", other)
    assert.isTrue((await post(of, "phone", "/decide", { id: other, approve: false, by: "ravi" }))?.ok)
    await knows(of, "laptop", other, "rejected")
    assert.strictEqual(
      (await post(of, "laptop", "/decide", { id: other, approve: true, by: "asha" }))?.code,
      "ALREADY_DECIDED"
    )
    assert.strictEqual(openings(of, other), 0)
  })

  it(
    `S3, L4: ${KILLS} approvals in the middle of which the board is killed`,
    { timeout: MS_MAX * (KILLS / 10) },
    async () => {
      const of = await farm()
      const seen = { completed: 0, failed: 0, again: 0 }
      for (let n = 0; n < KILLS; n++) {
        const id = await propose(of, "laptop")
        await knows(of, "phone", id)
        await knows(of, "board", id)
        const answer = post(of, "phone", "/decide", { id, approve: true, by: "asha" })
        await sleep(below(1, "kill", "board", n, KILLED_WITHIN_MS))
        await of.end("board", "SIGKILL")
        await of.start("board")
        await answer
        // Whatever it came to, everybody comes to have one word for it, and it opened at most once.
        await of.eventually("the phone knows what came of it", async () => {
          const status = (await one(of, "phone", id))?.status
          return status !== undefined && status !== "approved"
        })
        const { status } = (await one(of, "phone", id))!
        const times = openings(of, id)
        assert.isAtMost(times, 1)
        if (status === "completed") assert.strictEqual(times, 1, movements(of).join())
        if (status === "awaiting_approval") {
          // The board had not begun: it can be decided again, or is given up here.
          assert.strictEqual(times, 0, movements(of).join())
          seen.again++
          await post(of, "phone", "/decide", { id, approve: false, by: "asha" })
        } else if (status === "completed") seen.completed++
        else seen.failed++
      }
      assert.strictEqual(seen.completed + seen.failed + seen.again, KILLS)
      if (KILLS > 10) console.log(`killed: ${JSON.stringify(seen)}`)
    }
  )
})
