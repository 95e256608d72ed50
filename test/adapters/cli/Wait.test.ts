/** `clawmesh wait` and `clawmesh logs`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { farm, FakeDaemon } from "../operator/FakeDaemon.ts"
import { clawmesh, directory, documentOf } from "./Terminal.ts"

describe("clawmesh wait", () => {
  it.live("ends as soon as it is so", () =>
    Effect.gen(function* () {
      const state = yield* directory
      yield* serve(new FakeDaemon().settle(), socketIn(state))
      assert.deepInclude(yield* clawmesh(state, "wait ready -q"), { exit: 0, out: "" })
      assert.match((yield* clawmesh(state, "wait leader")).out, /^laptop-main leads, after /u)
      const peer = yield* clawmesh(state, "wait peer laptop-main --json")
      assert.deepInclude(documentOf(peer), { $type: "clawmesh.wait/1", for: "peer", name: "laptop-main" })
    })
  )

  it.live("waits for a node that does not run yet", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const waiting = yield* Effect.forkChild(clawmesh(state, "wait ready"), { startImmediately: true })
      yield* Effect.sleep(300)
      assert.isUndefined(waiting.pollUnsafe())
      yield* serve(new FakeDaemon(), socketIn(state))
      assert.strictEqual((yield* Fiber.join(waiting)).exit, 0)
    })
  )

  it.live("gives up in time, with 7, and says what is so instead", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const nobody = yield* clawmesh(state, "wait ready --timeout 0.3s")
      assert.strictEqual(nobody.exit, 7)
      assert.match(nobody.err, /not within 0.3 s: There is no such socket/u)
      yield* serve(new FakeDaemon(farm), socketIn(state))
      const leaderless = yield* clawmesh(state, "wait leader --timeout 0.3s")
      assert.deepInclude(leaderless, { exit: 7, out: "" })
      assert.match(leaderless.err, /nobody leads/u)
    })
  )

  it.live("does not wait for a device that nobody trusts", () =>
    Effect.gen(function* () {
      const state = yield* directory
      yield* serve(new FakeDaemon(), socketIn(state))
      assert.strictEqual((yield* clawmesh(state, "wait peer laptop-mian")).exit, 5)
    })
  )

  it.effect("reads its words", () =>
    Effect.gen(function* () {
      for (const [line, says] of [
        ["wait", /wait ready, leader, peer NAME/u],
        ["wait raedy", /did you mean ready/u],
        ["wait peer", /needs a name/u],
        ["wait leader x", /does not take "x"/u],
        ["wait ready --timeout 5", /with a unit/u]
      ] as const) {
        const { err, exit } = yield* clawmesh("/nowhere", line)
        assert.strictEqual(exit, 2, line)
        assert.match(err, says)
      }
    })
  )
})

describe("clawmesh logs", () => {
  const logs = (line: string, code: number | null = 0) =>
    Effect.gen(function* () {
      const ran: Array<ReadonlyArray<string>> = []
      const said = yield* clawmesh("/nowhere", line, {
        nowMs: () => 7_200_000,
        run: (command) => {
          ran.push(command)
          return Promise.resolve(code)
        }
      })
      return { ...said, ran }
    })

  it.effect("asks the journal of the machine for the unit, in the node's own words", () =>
    Effect.gen(function* () {
      const { exit, ran } = yield* logs("logs")
      assert.strictEqual(exit, 0)
      assert.deepStrictEqual(ran, [["journalctl", "--unit=clawmesh-node", "--output=cat", "--lines=100"]])
      assert.deepStrictEqual((yield* logs("logs -f --since 1h --json")).ran, [
        ["journalctl", "--unit=clawmesh-node", "--output=json", "--since=@3600", "--follow"]
      ])
    })
  )

  it.effect("says where else to look, where there is none, and who may read it", () =>
    Effect.gen(function* () {
      const none = yield* logs("logs", null)
      assert.strictEqual(none.exit, 5)
      assert.match(none.err, /no journalctl/u)
      const denied = yield* logs("logs", 1)
      assert.strictEqual(denied.exit, 1)
      assert.match(denied.err, /sudo clawmesh logs/u)
    })
  )
})
