/**
 * Real processes that move something: a planner, boards, and pumps that are a program of their own and write down each movement.
 * Whoever is killed in the middle, each command stands in a pump's log once at most, and none is lost without a reason
 * (B35, B36; S2, S3, S13; A36).
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Command } from "../../adapters/operator/Api.ts"
import { below } from "../../kernel/Draw.ts"
import { Site, sleep } from "./harness.ts"

/** Of ten commands each; `pnpm soak` has twenty. Each is new, since whoever dies again and again is on probation for ever longer. */
const SITES = Number(process.env["CLAWMESH_SOAK"] ?? 1)
const ROUNDS = 2
/** Most of it is waiting: for leases of those that are gone, and for who died twice to be up again. */
const FARM_MS_MAX = 240_000

const PUMP = resolve(import.meta.dirname, "pump.sh")

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

const logOf = (of: Site, pump: string): string => of.file(`${pump}.log`)

/** Each movement: the state, and the intent that it was for, or `-`. */
const movements = (of: Site, pump: string): ReadonlyArray<string> =>
  existsSync(logOf(of, pump)) ? readFileSync(logOf(of, pump), "utf8").trim().split("\n") : []

const config = (of: Site, pump: string): string => `actuators:
  - name: ${pump}
    safe: closed
    at-most: 1h
    exec: [sh, ${PUMP}, "{state}", ${logOf(of, pump)}]
`

/** A board for each pump, and who plans. */
const farm = async (...boards: ReadonlyArray<string>): Promise<Site> => {
  const made = await Site.make({ laptop: "planner", ...Object.fromEntries(boards.map((board) => [board, "field"])) })
  site = made
  for (const board of boards) made.configure(board, config(made, `pump-${board}`))
  await made.start("laptop", ...boards)
  await made.trustEverybody()
  await together(made, boards)
  return made
}

const together = (of: Site, boards: ReadonlyArray<string>): Promise<unknown> =>
  of.until("laptop", "has all boards up", ({ peers }) => boards.every((board) => peers[board] === "up"), 60_000)

const wants = async (of: Site, board: string, intentId: string, forMs = 60_000): Promise<Command | null> => {
  const body = { actuator: `actuator:pump-${board}`, state: "open", forMs, again: true, intentId }
  const text = await of.ask("laptop", "POST", "/command", JSON.stringify(body)).catch(() => null)
  const answer = text === null ? null : (JSON.parse(text) as Command)
  return answer?.$type === "clawmesh.command/1" ? answer : null
}

/** Until it is no longer only for want of a lease, or of somebody who answers. */
const settled = async (of: Site, board: string, intentId: string, forMs?: number): Promise<Command> => {
  for (let tries = 0; tries < 240; tries++) {
    const answer = await wants(of, board, intentId, forMs)
    if (answer !== null && answer.code !== "TARGET_BUSY" && answer.code !== "DELIVERY_FAILED") return answer
    await sleep(250)
  }
  throw new Error(`${intentId} comes to no end`)
}

describe("a pump", () => {
  it(
    "P16.7 to P16.9: moves at an operator's word, not on hold, and closes when its board is killed",
    { timeout: FARM_MS_MAX },
    async () => {
      const one = await farm("b")
      await one.eventually("it is made safe at the start", () => Promise.resolve(movements(one, "pump-b").length === 1))
      assert.strictEqual((await settled(one, "b", "first")).code, null)
      assert.deepStrictEqual(movements(one, "pump-b"), ["closed -", "open first"])
      assert.match(one.clawmesh("b", "actuators"), /pump-b +pump-b +open, 5\d s left +free +laptop, epoch \d+/u)

      assert.match(one.clawmesh("b", "hold"), /on hold/u)
      await one.eventually("it is closed", () => Promise.resolve(movements(one, "pump-b").at(-1) === "closed -"))
      assert.strictEqual((await settled(one, "b", "second")).code, "ON_HOLD")
      assert.match(
        one.clawmesh("b", "audit"),
        /actuator\.done +this node[^]*actuator\.hold[^]*ON_HOLD[^]*the record is whole/u
      )
      assert.match(one.clawmesh("b", "release"), /free/u)
      assert.match(one.clawmesh("laptop", "set", "pump-b", "open", "--for", "20s", "--again"), /is open/u)

      assert.match(one.clawmesh("laptop", "hold", "--of", "pump-b"), /pump-b at b is on hold/u)
      await one.eventually("it is closed", () => Promise.resolve(movements(one, "pump-b").at(-1) === "closed -"))
      assert.match(one.clawmesh("b", "actuators"), /on hold/u)
      assert.match(one.clawmesh("b", "release"), /free/u)
      assert.match(one.clawmesh("laptop", "set", "pump-b", "open", "--for", "4s", "--again"), /is open/u)

      await one.end("b", "SIGTERM")
      await one.eventually("it is closed", () => Promise.resolve(movements(one, "pump-b").at(-1) === "closed -"))
      await one.start("b")
      await together(one, ["b"])
      assert.strictEqual((await settled(one, "b", "third", 4_000)).code, null)

      const before = movements(one, "pump-b").length
      await one.end("b", "SIGKILL")
      await sleep(3_000)
      assert.lengthOf(movements(one, "pump-b"), before, "its time is not over")
      await one.eventually("its own clock closes it", () => Promise.resolve(movements(one, "pump-b").length > before))
      assert.deepStrictEqual(movements(one, "pump-b").slice(before), ["closed -"])
    }
  )

  const BOARDS = ["b", "c", "d", "e", "f"]

  /** Of a log: how often each intent opened it. */
  const opened = (of: Site, board: string, intentId: string): number =>
    movements(of, `pump-${board}`).filter((line) => line === `open ${intentId}`).length

  const killing = (who: "boards" | "planner", farms: number) => async () => {
    const many = await farm(...BOARDS)
    const seen = { done: 0, unknown: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(BOARDS.map((board) => settled(many, board, `warm-up-${board}-${round}`)))
      const asked = BOARDS.map((board) => wants(many, board, `${board}-${round}`))
      const afterMs = (n: number): number => below(farms, "kill", who, round * BOARDS.length + n, 90)
      if (who === "planner") {
        await sleep(afterMs(0))
        await many.end("laptop", "SIGKILL")
        await Promise.all(asked)
        await many.start("laptop")
      } else {
        await Promise.all(
          BOARDS.map(async (board, n) => {
            await sleep(afterMs(n))
            await many.end(board, "SIGKILL")
          })
        )
        await Promise.race([Promise.all(asked), sleep(1_000)])
        await many.start(...BOARDS)
      }
      for (const [n, answer] of (
        await Promise.all(BOARDS.map((board) => settled(many, board, `${board}-${round}`)))
      ).entries()) {
        const board = BOARDS[n]!
        const times = opened(many, board, `${board}-${round}`)
        assert.isAtMost(times, 1, movements(many, `pump-${board}`).join())
        if (answer.code === null) {
          assert.strictEqual(times, 1, `${board} says that it is done`)
          seen.done++
        } else {
          // Nobody knows, and that is what is said: it was begun, and never is again.
          assert.strictEqual(answer.code, "OUTCOME_UNKNOWN")
          seen.unknown++
        }
      }
    }
    assert.strictEqual(seen.done + seen.unknown, ROUNDS * BOARDS.length)
    if (SITES > 1) console.log(`${who} killed: ${seen.done} done once, ${seen.unknown} unknown and at most once`)
  }

  for (let n = 1; n <= SITES; n++) {
    const which = SITES === 1 ? "" : `, farm ${n} of ${SITES}`
    it(
      `S3: ten commands in the middle of which the board is killed: each moves it once at most${which}`,
      { timeout: FARM_MS_MAX },
      killing("boards", n)
    )
    it(
      `S3: ten commands in the middle of which the planner is killed: each moves it once${which}`,
      { timeout: FARM_MS_MAX },
      killing("planner", n)
    )
  }
})
