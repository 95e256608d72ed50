/** A process that stands still is ended by a signal of its own; one that does not is left alone, and leaves no shell behind. */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"

const watchdog = resolve(import.meta.dirname, "../../../adapters/node/Watchdog.ts")

/** Under the watchdog, with a second's patience; then this is done. */
const under = (then: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import * as Effect from "effect/Effect"
       import { watch } from ${JSON.stringify(watchdog)}
       const every = (ms, act) => { const timer = setInterval(act, ms); return () => clearInterval(timer) }
       Effect.runFork(watch(every, 100, 1))
       console.log("runs")
       setTimeout(() => { ${then} }, 300)`
    ],
    { cwd: resolve(import.meta.dirname, "../../.."), stdio: ["ignore", "pipe", "pipe"] }
  )

const endOf = (
  child: ChildProcess
): Promise<{ readonly code: number | null; readonly signal: string | null; readonly said: string }> =>
  new Promise((end) => {
    let said = ""
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text
      })
    child.once("close", (code, signal) => end({ code, signal, said }))
  })

const shellsOf = (pid: number): number =>
  readdirSync("/proc").filter((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0")
      return words.includes("clawmesh-watchdog") && words.includes(String(pid))
    } catch {
      return false
    }
  }).length

describe("the watchdog", () => {
  it("ends a process whose loop stands still, by a signal of its own, and says so", async () => {
    const { said, signal } = await endOf(under("for (;;);"))
    assert.strictEqual(signal, "SIGALRM")
    assert.match(said, /its loop has stood still for 2 s/u)
  })

  it("leaves one alone that goes on, and ends with it", async () => {
    const child = under(`setTimeout(() => process.exit(7), 2_600)`)
    await new Promise((done) => child.stdout!.once("data", done))
    assert.isAbove(shellsOf(child.pid!), 0)
    assert.deepInclude(await endOf(child), { code: 7, signal: null, said: "" })
    for (let i = 0; i < 100 && shellsOf(child.pid!) > 0; i++) await new Promise((done) => setTimeout(done, 20))
    assert.strictEqual(shellsOf(child.pid!), 0)
  })
})
