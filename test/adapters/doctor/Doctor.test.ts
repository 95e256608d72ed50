/** What the doctor says of a machine, a state directory and a mesh that are not well, and that all of it is well otherwise. */
import { assert, describe, it } from "@effect/vitest"
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { examine, type Question } from "../../../adapters/doctor/Doctor.ts"
import * as Local from "../../../adapters/doctor/Local.ts"
import type { Machine } from "../../../adapters/doctor/Machine.ts"
import { type Check, type CheckId, Doctor, ids, PAGE } from "../../../adapters/doctor/Report.ts"
import type { Status } from "../../../adapters/operator/Api.ts"
import { failure } from "../../../adapters/operator/Failure.ts"
import * as Views from "../../../adapters/operator/Views.ts"
import * as StateDirectory from "../../../adapters/vault/StateDirectory.ts"
import { clawmesh, documentOf } from "../cli/Terminal.ts"
import { settings } from "../config/Reading.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"

/** Made and left by a node, as a stopped one has it. */
const stateOf = Effect.acquireRelease(
  Effect.gen(function* () {
    const path = join(mkdtempSync(join(tmpdir(), "clawmesh-doctor-")), "state")
    yield* Effect.scoped(StateDirectory.open(path))
    return path
  }),
  (path) => Effect.sync(() => rmSync(join(path, ".."), { recursive: true, force: true }))
)

const NOW_MS = Date.UTC(2026, 10, 22, 9, 0, 0)

const machine: Machine = {
  nodeVersion: "24.21.0",
  glibc: "2.36",
  wallMs: () => NOW_MS,
  isRoot: false,
  listen: () => Effect.succeed(null),
  output: () => Effect.succeed(null),
  addresses: () => [{ name: "wlan0", address: "192.168.1.50" }]
}

const stopped = failure(
  "NO_ANSWER",
  "no answer from clawmesh-node (x)\nThere is no such socket: no node runs with this state directory."
)

/** Of a node at which nothing needs a look. */
const healthy = (): Status => {
  const status = Views.status(new FakeDaemon().settle())
  const [peer] = status.peers.filter(({ state }) => state === "up")
  return {
    ...status,
    peers: [peer!],
    electors: { total: 1, up: 1, needed: 1 },
    warnings: [],
    // Nobody listens at the address of this daemon, and so it is none.
    node: { ...status.node, address: "[" }
  }
}

const look = (state: string, question: Partial<Question> = {}) =>
  examine({
    state,
    configuration: { settings: settings({ file: "role: planner\nelectors: []\n" }) },
    machine,
    status: stopped,
    strict: false,
    fix: false,
    ...question
  })

const of = (report: Doctor, id: CheckId): ReadonlyArray<Check> =>
  report.categories.flatMap(({ checks }) => checks.filter((check) => check.id === id))

const only = (report: Doctor, id: CheckId): Check => {
  const [check, ...more] = of(report, id)
  assert.isDefined(check, id)
  assert.deepStrictEqual(more, [])
  return check!
}

describe("clawmesh doctor", () => {
  it.effect("finds nothing wrong with a node that is stopped, and says that it is", () =>
    Effect.gen(function* () {
      const report = yield* look(yield* stateOf)
      assert.deepStrictEqual([report.success, report.running], [true, false])
      assert.deepStrictEqual(
        report.categories.flatMap(({ checks }) => checks.filter(({ result }) => result === "error")),
        []
      )
      assert.strictEqual(only(report, "daemon").result, "warning")
      assert.strictEqual(only(report, "discovery").result, "skipped")
      assert.match(only(report, "journal").description, /is whole/u)
    })
  )

  it.effect("finds nothing wrong with a node that runs", () =>
    Effect.gen(function* () {
      const report = yield* look(yield* stateOf, { status: healthy() })
      const bad = report.categories.flatMap(({ checks }) => checks.filter(({ hint }) => hint !== null))
      assert.deepStrictEqual(bad, [])
      assert.deepStrictEqual([report.success, report.running], [true, true])
    })
  )

  it.effect("leaves no file behind, and changes none", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      const all = (): ReadonlyArray<string> =>
        readdirSync(state).map((name) => `${name} ${statSync(join(state, name)).mtimeMs}`)
      const before = all()
      yield* look(state)
      assert.deepStrictEqual(all(), before)
    })
  )

  it.effect("makes nothing where there is nothing yet", () =>
    Effect.gen(function* () {
      const report = yield* look("/nowhere/at/all")
      assert.strictEqual(only(report, "state-directory").result, "warning")
      assert.deepStrictEqual(of(report, "disk-writes"), [])
      assert.isFalse(existsSync("/nowhere"))
    })
  )

  it.effect("sees a key that others may read, and mends it where that is asked for, with the command", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      const key = join(state, "identity.json")
      chmodSync(key, 0o644)
      const found = only(yield* look(state), "state-directory")
      assert.strictEqual(found.result, "error")
      assert.match(found.description, /mode 644/u)
      assert.strictEqual(found.hint, `chmod 600 ${key}`)
      const mended = yield* look(state, { fix: true })
      assert.isTrue(mended.success)
      assert.deepStrictEqual(mended.fixed, [`chmod 600 ${key}`])
      assert.strictEqual(statSync(key).mode & 0o777, 0o600)
    })
  )

  it.effect("sees a key and a journal that are damaged, and leaves them as they are", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      writeFileSync(join(state, "identity.json"), "{}")
      writeFileSync(join(state, "journal"), "it was a journal once, and a long one")
      writeFileSync(join(state, "mesh.json"), "[")
      const report = yield* look(state)
      assert.strictEqual(only(report, "key").result, "error")
      assert.strictEqual(only(report, "journal").result, "error")
      assert.strictEqual(readFileSync(join(state, "identity.json"), "utf8"), "{}")
    })
  )

  it.effect("sees that a journal is gone, and that a running node stores nothing any more", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      const status = healthy()
      const journal = join(state, "journal")
      const startedS = Date.parse(status.at) / 1_000 - status.node.uptimeMs / 1_000
      utimesSync(journal, startedS, startedS)
      assert.strictEqual(only(yield* look(state, { status }), "journal").result, "success")
      utimesSync(journal, startedS - 60, startedS - 60)
      assert.match(only(yield* look(state, { status }), "journal").description, /nothing has been stored/u)
      rmSync(journal)
      assert.match(only(yield* look(state), "journal").description, /lost its memory/u)
    })
  )

  it.effect("says of a disk that does not write why, and what to do", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      for (const [code, way] of [
        ["ENOSPC", /Make room/u],
        ["EROFS", /remount/u],
        ["EACCES", /sudo clawmesh doctor/u]
      ] as const) {
        const check = yield* Local.diskWrites(state, () => Promise.reject(Object.assign(new Error("no"), { code })))
        assert.strictEqual(check.result, "error")
        assert.include(check.description, `(${code})`)
        assert.match(check.hint!, way)
      }
    })
  )

  it.effect("judges the calendar by itself, by the others, and by the system", () =>
    Effect.gen(function* () {
      const clock = (of: Partial<Machine>, status: Status | null = null) => Local.clock({ ...machine, ...of }, status)
      const apart = (clockOffsetMs: number): Status => {
        const status = healthy()
        return { ...status, peers: status.peers.map((peer) => ({ ...peer, clockOffsetMs })) }
      }
      assert.strictEqual((yield* clock({})).result, "success")
      assert.strictEqual((yield* clock({ wallMs: () => 86_400_000 })).result, "error")
      assert.strictEqual((yield* clock({}, apart(100))).result, "success")
      const behind = yield* clock({}, apart(74_000))
      assert.strictEqual(behind.result, "warning")
      assert.match(behind.description, /1 min 14 s behind laptop-main/u)
      assert.match((yield* clock({}, apart(-400_000))).description, /6 min 40 s ahead of laptop-main/u)
      assert.strictEqual((yield* clock({}, apart(-400_000))).result, "error")
      assert.strictEqual((yield* clock({ output: () => Effect.succeed("no\n") })).result, "warning")
      assert.match((yield* clock({ output: () => Effect.succeed("yes\n") })).description, /; synchronised/u)
    })
  )

  it.effect("knows an old program", () =>
    Effect.sync(() => {
      assert.strictEqual(Local.program({ ...machine, nodeVersion: "22.18.0" }).result, "error")
      assert.strictEqual(Local.program({ ...machine, nodeVersion: "22.19.0" }).result, "success")
      assert.strictEqual(Local.program({ ...machine, glibc: "2.27" }).result, "error")
      const { engines } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"))
      assert.strictEqual(engines.node, `>=${Local.NODE_MIN.join(".")}`)
    })
  )

  it.effect("says who is in the way of a port, and that a node does not listen where it says", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      const taken = yield* look(state, { machine: { ...machine, listen: () => Effect.succeed("EADDRINUSE") } })
      assert.match(only(taken, "port").hint!, /^sudo ss .*sport = :18789/u)
      const status = healthy()
      const deaf = yield* look(state, { status: { ...status, node: { ...status.node, address: "127.0.0.1:1" } } })
      assert.strictEqual(only(deaf, "port").result, "error")
    })
  )

  it.effect("says of a peer that is gone how far one comes, and of one that refuses what it says", () =>
    Effect.gen(function* () {
      const status = healthy()
      const [peer] = status.peers
      const dialling = { ...peer!.dialling, addresses: ["wss://127.0.0.1:1"] }
      const down = { ...peer!, state: "down" as const, link: null, dialling }
      const report = yield* look(yield* stateOf, {
        status: {
          ...status,
          peers: [
            down,
            { ...down, name: "lost", dialling: { ...dialling, addresses: [] } },
            { ...down, name: "proud", refused: "UNTRUSTED_PEER" }
          ]
        }
      })
      const found = of(report, "peer")
      assert.deepStrictEqual(
        found.map(({ result }) => result),
        ["error", "error", "error"]
      )
      assert.match(found[0]!.description, /laptop-main is down; at wss:\/\/127.0.0.1:1: refused/u)
      assert.match(found[0]!.hint!, /On laptop-main: systemctl status clawmesh-node/u)
      assert.match(found[1]!.description, /no address of it is known/u)
      assert.match(found[2]!.description, /UNTRUSTED_PEER/u)
    })
  )

  it.effect("knows a service that failed, and one that does not start with the machine", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      const unit = (active: string, file: string, status: number, of: Partial<Machine> = {}) =>
        look(state, {
          fix: of.isRoot ?? false,
          machine: {
            ...machine,
            output: (program) =>
              Effect.succeed(
                program === "systemctl"
                  ? `LoadState=loaded\nActiveState=${active}\nUnitFileState=${file}\nExecMainStatus=${status}\n`
                  : null
              ),
            ...of
          }
        })
      assert.match(only(yield* unit("failed", "enabled", 78), "unit").hint!, /clawmesh-node check/u)
      assert.match(only(yield* unit("active", "disabled", 0), "unit").hint!, /systemctl enable/u)
      assert.strictEqual(only(yield* unit("active", "enabled", 0), "unit").result, "success")
      assert.deepStrictEqual((yield* unit("active", "disabled", 0, { isRoot: true })).fixed, [
        "systemctl enable clawmesh-node"
      ])
    })
  )

  it.effect("is a document for programs, and says by its exit code whether all is well", () =>
    Effect.gen(function* () {
      const state = yield* stateOf
      const decode = Schema.decodeUnknownSync(Doctor)
      const config = join(state, "..", "node.yaml")
      writeFileSync(config, "port: 0\n")
      const fine = yield* clawmesh(state, `doctor --json --config ${config}`)
      assert.strictEqual(fine.exit, 0)
      const { running, state: looked } = decode(documentOf(fine))
      assert.deepStrictEqual([running, looked], [false, state])
      assert.strictEqual((yield* clawmesh(state, `doctor --strict -q --config ${config}`)).exit, 1)
      writeFileSync(config, "role: plannner\n")
      const bad = yield* clawmesh(state, `doctor --config ${config}`)
      assert.strictEqual(bad.exit, 1)
      assert.match(bad.out, /✗ the configuration is wrong: .*node.yaml:1:7: a role is one of/u)
      assert.match(bad.out, /^1 problem, /mu)
      assert.strictEqual(bad.err, "")
    })
  )

  it("has a heading in the documents for each thing that it looks at", () => {
    const page = readFileSync(new URL(`../../../${PAGE}`, import.meta.url), "utf8")
    const headings = [...page.matchAll(/^### (\S+)$/gmu)].map(([, heading]) => heading)
    assert.deepStrictEqual(headings, [...ids])
  })
})
