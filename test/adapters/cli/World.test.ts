/** `clawmesh world`, `trace` and `ping`, against a daemon's socket. */
import { createServer, type Server } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { id } from "../../kernel/drive.ts"
import { signed } from "../../kernel/world/frames.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"
import { clawmesh, directory, documentOf } from "./Terminal.ts"

/** A daemon that has heard three frames of laptop-main. */
const served = Effect.gen(function* () {
  const daemon = new FakeDaemon().settle()
  const state = yield* directory
  yield* serve(daemon, socketIn(state))
  const { drive } = daemon
  const link = drive.node.links.links.find((one) => one._tag === "Session")!.link
  const say = (
    seq: number,
    data: object,
    kind: "observation" | "inference" | "capability_update",
    causes?: ReadonlyArray<string>
  ) =>
    drive.hear(
      link,
      "context.frame",
      signed({ by: "b", seq, kind, ...(causes === undefined ? {} : { causes }) }, { data: { ...data } })
    )
  say(1, { zone: "zone-1", metric: "moisture", value: 17, unit: "%", intervalMs: 1_000 }, "observation")
  drive.mono += 5_000
  say(2, { zone: "zone-1", idea: "water it\u001b[2J" }, "inference", ["b-1-1", "lost"])
  say(
    3,
    {
      capabilities: [
        { id: "actuator:pump-1", health: "degraded" },
        { id: "channel:x", health: "healthy" }
      ]
    },
    "capability_update"
  )
  return { daemon, state }
})

describe("clawmesh world", () => {
  it.live("one line an entry, the youngest first: where, what, how old, how far to trust it, and whose word", () =>
    Effect.gen(function* () {
      const { state } = yield* served
      const { err, exit, out } = yield* clawmesh(state, "world")
      assert.deepStrictEqual([err, exit], ["", 0])
      assert.match(out, /^ {2}ZONE +WHAT +VALUE +AGE +IS +TIER +SOURCE$/mu)
      assert.match(
        out,
        /^ {2}nowhere +capability_update +actuator:pump-1 \(degraded\), channel:x +0\.0 s +fresh +T1 +laptop-main$/mu
      )
      assert.match(out, /^ {2}zone-1 +moisture +17 % +5\.0 s +aging +T2 +laptop-main$/mu)
      assert.match(out, /3 entries; 3 frames kept\.\n$/u)
      // What a device says is not to write to the terminal.
      assert.notInclude(out, "\u001b")
      assert.isBelow(out.indexOf("inference"), out.indexOf("moisture"))
    })
  )

  it.live("by zone, kind and source; and as a document", () =>
    Effect.gen(function* () {
      const { state } = yield* served
      const ofZone = yield* clawmesh(state, "world --zone zone-1 --kind inference --source laptop-main -q")
      assert.strictEqual(ofZone.out.trim().split("\n").length, 2)
      const document = documentOf(yield* clawmesh(state, "world --json")) as {
        readonly $type: string
        readonly entries: ReadonlyArray<{ readonly source: { readonly name: string }; readonly freshness: string }>
      }
      assert.strictEqual(document.$type, "clawmesh.world/1")
      assert.deepStrictEqual(
        document.entries.map(({ freshness }) => freshness),
        ["fresh", "fresh", "aging"]
      )
      assert.match((yield* clawmesh(state, "world --zone nowhere-at-all")).out, /^Nothing of that is known\./u)
    })
  )

  it.live("what there is not is told, with the way out", () =>
    Effect.gen(function* () {
      const { state } = yield* served
      const kind = yield* clawmesh(state, "world --kind observaton")
      assert.deepStrictEqual([kind.exit, kind.out], [2, ""])
      assert.match(kind.err, /did you mean observation\?/u)
      assert.strictEqual((yield* clawmesh(state, "world --source nobody")).exit, 5)
      assert.strictEqual((yield* clawmesh(state, "world --kind event,inference")).exit, 2)
    })
  )
})

describe("clawmesh trace", () => {
  it.live("what led to a frame, and which cause is not held", () =>
    Effect.gen(function* () {
      const { state } = yield* served
      const { out } = yield* clawmesh(state, "trace b-1-2")
      assert.match(out, /^ {2}1 before +observation +T2 +laptop-main +b-1-1/mu)
      assert.match(out, /^ {2}this +inference +T0 +laptop-main +b-1-2/mu)
      assert.match(out, /! lost is a cause, and is not held here/u)
      const none = yield* clawmesh(state, "trace nothing")
      assert.deepStrictEqual([none.exit, none.err.split("\n")[0]], [5, "clawmesh: no such frame is held here"])
    })
  )
})

/** Whoever knocks is let in. */
const listening = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<Server>((ready) => {
        const server = createServer((socket) => socket.end())
        server.listen(0, "127.0.0.1", () => ready(server))
      })
  ),
  (server) => Effect.sync(() => server.close())
)

describe("clawmesh ping", () => {
  it.live("a line for each stage, and done", () =>
    Effect.gen(function* () {
      const { state } = yield* served
      const said = yield* clawmesh(state, "ping laptop-main --count 2")
      assert.deepStrictEqual([said.err, said.exit], ["", 0])
      const lines = said.out.trim().split("\n")
      assert.deepStrictEqual(
        lines.map((line) => line.slice(0, 12).trim()),
        ["find       ✓", "dial       ✓", "handshake  ✓", "echo       ✓", "echo       ✓"]
      )
    })
  )

  it.live("somebody listens there, and is no session: it says at which stage, and asks over others", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served
      const server = yield* listening
      const { port } = server.address() as { readonly port: number }
      daemon.drive.feed({ _tag: "Sighted", deviceId: id("d"), name: "barn", addresses: [`127.0.0.1:${port}`], gen: 1 })
      daemon.outcome = { ok: false, code: "DELIVERY_FAILED", message: "nobody" }
      // Time stands still for the daemon, not for whoever waits.
      let now = 0
      const said = yield* clawmesh(state, "ping barn-laptop --json", { nowMs: () => (now += 6_000) })
      const stages = said.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { readonly stage?: string; readonly ok?: boolean; readonly code?: string })
      assert.deepStrictEqual(
        stages.map(({ code, ok, stage }) => stage ?? `${String(ok)} ${String(code)}`),
        ["find", "dial", "handshake", "echo", "undefined DELIVERY_FAILED"]
      )
      assert.deepStrictEqual(
        stages.map(({ ok }) => ok),
        [true, true, false, false, undefined]
      )
      assert.strictEqual(said.exit, 1)
    })
  )

  it.live("nobody listens there: the machine is on, and the program is not", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served
      const port = yield* Effect.scoped(
        Effect.map(listening, (server) => (server.address() as { readonly port: number }).port)
      )
      daemon.drive.feed({ _tag: "Sighted", deviceId: id("d"), name: "barn", addresses: [`127.0.0.1:${port}`], gen: 1 })
      daemon.outcome = { ok: true, messageId: "m", by: id("d") }
      const said = yield* clawmesh(state, "ping barn-laptop")
      assert.match(
        said.out,
        /^dial +✗ tcp refused\n.*no clawmesh-node listens there\. On barn-laptop: systemctl status/mu
      )
      assert.match(said.out, /^echo +✓ over others, there and back/mu)
      assert.strictEqual(said.exit, 0)
    })
  )

  it.live("this node itself, and nobody", () =>
    Effect.gen(function* () {
      const { state } = yield* served
      assert.strictEqual((yield* clawmesh(state, "ping a")).exit, 5)
      assert.strictEqual((yield* clawmesh(state, "ping nobody")).exit, 5)
    })
  )
})
