/** Programs that are read: what a reading is, and what is said where there is none. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ProgramSensor } from "../../../adapters/config/Sensors.ts"
import { read, readingOf } from "../../../adapters/hardware/Sensors.ts"
import type { Happened } from "../../../kernel/Input.ts"

const sensor = (script: string, more: Partial<ProgramSensor> = {}): ProgramSensor => ({
  metric: "moisture",
  zone: "field-1",
  unit: "%",
  everyMs: 100,
  atLeast: 0,
  atMost: 100,
  command: ["sh", "-c", script],
  ...more
})

/** What is said and noted until there are so many of both. */
const heard = (sensors: ReadonlyArray<ProgramSensor>, enough: number) =>
  Effect.gen(function* () {
    const said: Array<Happened> = []
    const noted: Array<string> = []
    const fiber = yield* Effect.forkChild(
      read(sensors, {
        isUp: () => true,
        offer: (happened) => Effect.sync(() => void said.push(happened)),
        note: (text) => void noted.push(text)
      })
    )
    for (let waited = 0; said.length + noted.length < enough && waited < 400; waited++) yield* Effect.sleep(50)
    yield* Fiber.interrupt(fiber)
    return { said, noted }
  })

describe("a reading", () => {
  it.each([
    ["17", 17],
    [" 17.5\n", 17.5],
    ["1e1", 10],
    ["+.5", 0.5]
  ])("%j", (output, value) => assert.strictEqual(readingOf(sensor(""), output), value))

  it.each([
    ["", /no number/u],
    ["NaN", /no number/u],
    ["Infinity", /no number/u],
    ["17 %", /no number/u],
    ["17\n18", /no number/u],
    ["0x10", /no number/u],
    ["1e999", /too large/u],
    ["-1", /outside its bounds/u],
    ["101", /outside its bounds/u]
  ])("%j is none", (output, why) => assert.match(String(readingOf(sensor(""), output)), why))
})

describe("reading", () => {
  it.live("is said as an observation of its zone, again and again", () =>
    Effect.gen(function* () {
      const { noted, said } = yield* heard([sensor("echo 17")], 3)
      assert.deepStrictEqual(noted, [])
      const [first, second] = said
      assert.strictEqual(first?._tag === "Sensed" && first.kind, "observation")
      assert.deepStrictEqual(first?._tag === "Sensed" && first.data, {
        zone: "field-1",
        metric: "moisture",
        value: 17,
        unit: "%",
        intervalMs: 100
      })
      assert.notStrictEqual(first?._tag === "Sensed" && first.frameId, second?._tag === "Sensed" && second.frameId)
    })
  )

  it.live("a program that is still running when the node stops is ended", () =>
    Effect.gen(function* () {
      const file = join(mkdtempSync(join(tmpdir(), "clawmesh-sensor-")), "pid")
      const fiber = yield* Effect.forkChild(
        read([sensor(`echo $$ >${file}; exec sleep 60`, { everyMs: 60_000 })], {
          isUp: () => true,
          offer: () => Effect.void,
          note: () => {}
        })
      )
      const pidOf = (): number => Number(existsSync(file) ? readFileSync(file, "utf8") : 0)
      for (let waited = 0; pidOf() === 0 && waited < 100; waited++) yield* Effect.sleep(50)
      const pid = pidOf()
      const runs = (): boolean => {
        try {
          return process.kill(pid, 0)
        } catch {
          return false
        }
      }
      assert.isTrue(pid > 0 && runs())
      yield* Fiber.interrupt(fiber)
      for (let waited = 0; runs() && waited < 100; waited++) yield* Effect.sleep(50)
      assert.isFalse(runs())
      rmSync(dirname(file), { recursive: true })
    })
  )

  const bad: ReadonlyArray<readonly [string, ProgramSensor, RegExp]> = [
    ["fails", sensor("exit 3"), /ended with 3/u],
    ["is not there", sensor("", { command: ["/no/such/program"] }), /does not run/u],
    ["hangs", sensor("sleep 30"), /took longer than 100 ms/u],
    ["prints words", sensor("echo fine"), /no number/u],
    ["prints for ever", sensor("yes"), /took longer|no number/u]
  ]
  it.live.each(bad)("a program that %s says nothing, and the log tells once", ([, one, why]) =>
    Effect.gen(function* () {
      const { noted, said } = yield* heard([one, sensor("echo 5", { metric: "heat" })], 6)
      assert.strictEqual(noted.length, 1)
      assert.match(noted[0]!, why)
      // The other one is not held up.
      for (const happened of said) assert.strictEqual(happened._tag === "Sensed" && happened.data["metric"], "heat")
      assert.isAtLeast(said.length, 2)
    })
  )
})
