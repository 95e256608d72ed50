/** B37: what is in the audit log stays as it was, or shows. */
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Audit from "../../../adapters/audit/Audit.ts"
import { clawmesh } from "../cli/Terminal.ts"

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "clawmesh-audit-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const file = (): string => join(directory, "audit.jsonl")
const lines = (): ReadonlyArray<string> => readFileSync(file(), "utf8").trimEnd().split("\n")
const open = (): Audit.Auditor => Audit.open(directory, (why) => assert.fail(why))
const event = (n: number) => ({ event: "actuator.done", atMs: n, at: "x", name: null, by: [], actuator: `pump-${n}` })
const write = (from: number, to: number): void => {
  const auditor = open()
  for (let n = from; n <= to; n++) auditor.tell(event(n))
}

describe("the audit log", () => {
  it("is a chain over restarts, of what moves and of what people say, and of nothing else", () => {
    write(1, 3)
    open().tell({ event: "peer.up" })
    write(4, 5)
    const { faults, last, records } = Audit.read(directory)
    assert.deepStrictEqual(
      records.map(({ atMs }) => atMs),
      [1, 2, 3, 4, 5]
    )
    assert.deepStrictEqual(faults, [])
    assert.strictEqual(records[0]!["prev"], Audit.NOTHING)
    assert.strictEqual(last, Audit.hashOf(lines().at(-1)!))
    assert.strictEqual(statSync(file()).mode & 0o777, 0o600)
  })

  it("shows each line that was changed, dropped, added or moved, wherever it stood", () => {
    write(1, 6)
    const whole = lines()
    for (let n = 0; n < whole.length - 1; n++) {
      const ways: ReadonlyArray<ReadonlyArray<string>> = [
        whole.with(n, whole[n]!.replace("pump-", "valve-")),
        ...(n === 0 ? [] : [whole.toSpliced(n, 1), whole.toSpliced(n, 0, whole[n - 1]!)]),
        whole.with(n, whole[n + 1]!).with(n + 1, whole[n]!)
      ]
      for (const [way, changed] of ways.entries()) {
        writeFileSync(file(), `${changed.join("\n")}\n`)
        assert.isNotEmpty(Audit.read(directory).faults, `${way} at ${n}`)
      }
    }
  })

  it("goes on behind a line that a power cut left unfinished, which is told and stays", () => {
    write(1, 2)
    appendFileSync(file(), '{"event":"actuator.do')
    write(3, 3)
    const { faults, records } = Audit.read(directory)
    assert.deepStrictEqual(faults, [{ file: "audit.jsonl", line: 3, what: "unfinished" }])
    assert.strictEqual(records.length, 3)
    assert.strictEqual(lines()[2], '{"event":"actuator.do')
  })

  it("puts a long file aside, and the chain goes on", () => {
    write(1, 2)
    const auditor = open()
    const long = { ...event(3), reason: "x".repeat(60_000) }
    const each = Math.ceil(Audit.FILE_BYTES_MAX / 60_000)
    for (let n = 0; n < each * (Audit.FILES_MAX + 2); n++) auditor.tell(long)
    const { faults, records } = Audit.read(directory)
    assert.deepStrictEqual(faults, [])
    assert.isAbove(records.length, each * Audit.FILES_MAX)
    assert.isBelow(records.length, each * (Audit.FILES_MAX + 2))
    write(4, 4)
    assert.deepStrictEqual(Audit.read(directory).faults, [])
  })

  it("a disk that refuses is told of once, and ends nothing", () => {
    const told: Array<string> = []
    const auditor = Audit.open(join(directory, "nowhere"), (why) => told.push(why))
    auditor.tell(event(1))
    auditor.tell(event(2))
    assert.strictEqual(told.length, 1)
  })

  it.effect("clawmesh audit says whether it is whole, without a node: exit 6 where it is not", () =>
    Effect.gen(function* () {
      assert.match((yield* clawmesh(directory, "audit")).out, /^Nothing is recorded\./u)
      write(1, 3)
      const whole = yield* clawmesh(directory, "audit")
      assert.deepStrictEqual([whole.err, whole.exit], ["", 0])
      assert.match(whole.out, /pump-1[^]*pump-3[^]*3 lines; the record is whole; it ends with [0-9a-f]{64}\n$/u)
      writeFileSync(file(), `${lines().with(1, lines()[0]!).join("\n")}\n`)
      const broken = yield* clawmesh(directory, "audit")
      assert.strictEqual(broken.exit, 6)
      assert.match(broken.err, /audit\.jsonl:2, audit\.jsonl:3 does not follow/u)
      chmodSync(file(), 0o600)
    })
  )
})
