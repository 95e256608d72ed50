/** A block that is one session: one shell, typed again until it is as shown, and nothing of it left behind. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { play, type Played } from "../../.ci/Session.ts"
import { commandsOf } from "../../.ci/Shell.ts"

const folder = mkdtempSync(join(tmpdir(), "clawmesh-session-"))
afterAll(() => rmSync(folder, { recursive: true }))

const played = (block: string, limitMs = 60_000, tidyMs?: number): Promise<Played> =>
  play(commandsOf(`\`\`\`console session=60\n${block}\n\`\`\`\n`), limitMs, { ...process.env, folder }, tidyMs)

const codes = ({ typed }: Played) => typed.map(({ code }) => code)
const asShown = ({ typed }: Played) => typed.map(({ differs }) => differs === null)

/** Of a process that is dead its entry may be left. */
const isAlive = (pid: number): boolean => {
  try {
    return !/\) [XZ] /u.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

/** Waits until the process whose id this file holds has ended: what is killed takes a moment. */
const ended = async (file: string): Promise<void> => {
  const pid = Number(readFileSync(join(folder, file), "utf8"))
  assert.isAbove(pid, 1)
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 20) {
    if (!isAlive(pid)) return
    await new Promise((awake) => setTimeout(awake, 20))
  }
  assert.fail(`process ${pid} of ${file} goes on`)
}

describe("a session", () => {
  it("is one shell: variables live on, each command has its own output, in order, and exit code", async () => {
    const got = await played("$ a=1; echo out; echo err >&2; echo out\nout\nerr\nout\n$ echo $a\n1\n$ cat\n$ (exit 3)")
    assert.deepStrictEqual(codes(got), [0, 0, 0, 3])
    assert.deepStrictEqual(asShown(got), [true, true, true, true])
    assert.strictEqual(got.typed[1]!.output, "1\n")
  })

  it("types a command again until it is as shown", async () => {
    const got = await played(
      '$ echo x >> "$folder/times"; [ $(wc -l < "$folder/times") = 3 ] && echo formed\nformed\n$ echo on'
    )
    assert.deepStrictEqual(codes(got), [0, 0])
    assert.strictEqual(readFileSync(join(folder, "times"), "utf8"), "x\nx\nx\n")
  })

  it("gives up when the time is over, says what differs, and types nothing more", async () => {
    const got = await played("$ echo no\nyes\n$ echo never", 1_000)
    assert.deepStrictEqual(codes(got), [0])
    assert.deepStrictEqual(got.typed[0]!.differs, { shown: "yes", printed: "no" })
    assert.isFalse(got.tidy)
  })

  it("does not wait for ever for a command that does not end", async () => {
    const got = await played('$ echo $$ > "$folder/shell"; sleep 1000 & echo $! > "$folder/hung"; wait', 1_000)
    assert.deepStrictEqual(codes(got), [null])
    await ended("hung")
    await ended("shell")
  })

  it("is tidy when the block stops what it started", async () => {
    const got = await played("$ sleep 1000 & pid=$!\n$ kill $pid")
    assert.deepStrictEqual([codes(got), got.tidy], [[0, 0], true])
  })

  it("is not when something goes on; that is killed all the same", async () => {
    const got = await played('$ (sleep 1000 & echo $! > "$folder/left"; wait) &', 60_000, 500)
    assert.deepStrictEqual([codes(got), got.tidy], [[0], false])
    await ended("left")
  })

  it("ends with its shell", async () => {
    const got = await played("$ exit 4\n$ echo never")
    assert.deepStrictEqual([codes(got), got.tidy], [[null], false])
  })
})
