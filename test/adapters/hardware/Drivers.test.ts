/** What moves is a program; whatever it does, a drive ends, and what is not safe is made safe (P16.6, P16.7). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach } from "vitest"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { OwnedActuator } from "../../../adapters/config/Actuators.ts"
import { make } from "../../../adapters/hardware/Drivers.ts"

let folder = ""
let path = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "clawmesh-drivers-"))
  path = process.env["PATH"] ?? ""
})
afterEach(() => {
  process.env["PATH"] = path
  rmSync(folder, { recursive: true, force: true })
})

const log = (): ReadonlyArray<string> =>
  existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8").trim().split("\n") : []

const valve = (...command: ReadonlyArray<string>): OwnedActuator => ({
  ref: "actuator:valve",
  group: "valve",
  states: ["open", "closed"],
  safe: "closed",
  forMsMax: 60_000,
  demand: { minimum: "T2_operational_observation", verification: "none" },
  askers: ["planner"],
  command
})

const writes = (): OwnedActuator =>
  valve(
    "sh",
    "-c",
    `echo "$1 $CLAWMESH_ACTUATOR $CLAWMESH_INTENT $CLAWMESH_FOR_MS" >> ${join(folder, "log")}`,
    "x",
    "{state}"
  )

const driving = (actuator: OwnedActuator, notes: Array<string> = []) => {
  const hardware = make([actuator], folder, { note: (text) => notes.push(text) })
  return (state: string, forMs: number | null, ref = actuator.ref) =>
    Effect.runPromise(
      hardware.drive({ _tag: "Drive", ticket: 1, actuator: ref, state, forMs, intentId: "i-1", epoch: 2 })
    )
}

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

describe("a drive", () => {
  it("is the program, run once, told what for", async () => {
    const drive = driving(writes())
    assert.isTrue(await drive("open", 30_000))
    assert.isTrue(await drive("closed", null))
    assert.deepStrictEqual(log(), ["open actuator:valve i-1 30000", "closed actuator:valve i-1 0"])
  })

  it("of what this node does not own, or whose program fails, is not there, or hangs, is none", async () => {
    const notes: Array<string> = []
    assert.isFalse(await driving(writes(), notes)("open", 1_000, "actuator:other"))
    assert.isFalse(await driving(valve("sh", "-c", "echo no water >&2; exit 3"), notes)("closed", null))
    assert.isFalse(await driving(valve("/no/such/program"), notes)("closed", null))
    assert.isFalse(await driving(valve("sleep", "60"), notes)("closed", null))
    assert.lengthOf(notes, 3)
    assert.include(notes[0], "ended with 3: no water")
    assert.include(notes[1], "does not run")
    assert.include(notes[2], "took longer than 4500 ms")
  })

  it("is over when its program is, whatever that has started and left behind", async () => {
    const notes: Array<string> = []
    const pidFile = join(folder, "pid")
    assert.isTrue(
      await driving(valve("sh", "-c", `sleep 60 2>/dev/null & echo $! > ${pidFile}`), notes)("closed", null)
    )
    assert.isEmpty(notes)
    process.kill(Number(readFileSync(pidFile, "utf8")))
  })

  it("P16.7: that is not safe ends by a clock of its own, unless it was set since", async () => {
    const drive = driving(writes())
    await drive("open", 500)
    await sleep(1_500)
    assert.lengthOf(log(), 1)
    await sleep(3_000)
    assert.deepStrictEqual(log().slice(1), ["closed actuator:valve  0"])
    await drive("open", 500)
    await drive("closed", null)
    await sleep(4_000)
    assert.lengthOf(log(), 4, "the one that was set since is left alone")
  })

  it("without a dead man nothing opens; what is safe does", async () => {
    const notes: Array<string> = []
    const actuator = writes()
    writeFileSync(join(folder, "drives"), "a file in its place")
    const drive = driving(actuator, notes)
    assert.isFalse(await drive("open", 1_000))
    assert.isTrue(await drive("closed", null))
    assert.include(notes[0], "no dead man, and so no drive")
    assert.deepStrictEqual(log(), ["closed actuator:valve i-1 0"])
  })

  it("gpioset of libgpiod gets the line and its level (a fake of it)", async () => {
    const fake = join(folder, "gpioset")
    writeFileSync(fake, `#!/bin/sh\necho "$@" >> ${join(folder, "log")}\n`)
    chmodSync(fake, 0o755)
    process.env["PATH"] = `${folder}:${path}`
    const drive = driving(valve("gpioset", "-t0", "-c", "gpiochip0", "17={open?1:0}"))
    assert.isTrue(await drive("open", 5_000))
    assert.isTrue(await drive("closed", null))
    assert.deepStrictEqual(log(), ["-t0 -c gpiochip0 17=1", "-t0 -c gpiochip0 17=0"])
  })
})
