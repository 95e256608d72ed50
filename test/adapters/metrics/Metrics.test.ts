/** What the port for metrics tells: text that Prometheus reads, as many series whoever is there, and a health that is the node's own. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import * as Effect from "effect/Effect"
import { serve, STORE_MS_MAX } from "../../../adapters/metrics/Metrics.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"

interface Said {
  readonly status: number
  readonly type: string
  readonly text: string
}

const get = (address: string, path: string, host = address): Effect.Effect<Said> =>
  Effect.promise(
    () =>
      new Promise((resolve, reject) => {
        const asked = request(`http://${address}${path}`, { agent: false, headers: { host } }, (answer) => {
          let text = ""
          answer.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk
          })
          answer.on("end", () =>
            resolve({ status: answer.statusCode!, type: answer.headers["content-type"] ?? "", text })
          )
        })
        asked.on("error", reject)
        asked.end()
      })
  )

/** A daemon whose kernel counts its turns, with what a test makes of the rest. */
const started = Effect.gen(function* () {
  const daemon = new FakeDaemon().settle()
  const pulse = { waiting: 0, turns: 0 }
  const { offer } = daemon
  const counting = Object.assign(Object.create(daemon) as FakeDaemon, {
    offer: (happened: Parameters<FakeDaemon["offer"]>[0]) =>
      Effect.andThen(
        offer(happened),
        Effect.sync(() => {
          if (!daemon.stuck) pulse.turns++
        })
      )
  })
  const address = yield* serve(counting, { turns: () => pulse.turns, waitingMs: () => pulse.waiting }, 0)
  return { address, daemon, pulse }
})

/** `name{labels}` with its value. */
const seriesOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))])
  )

describe("/metrics", () => {
  it.live("is what Prometheus reads: each series of a known family, a number each", () =>
    Effect.gen(function* () {
      const { address } = yield* started
      const { status, text, type } = yield* get(address, "/metrics")
      assert.strictEqual(status, 200)
      assert.strictEqual(type, "text/plain; version=0.0.4; charset=utf-8")
      const families = new Set([...text.matchAll(/^# TYPE (\S+) (?:counter|gauge)$/gmu)].map(([, name]) => name!))
      for (const line of text
        .trimEnd()
        .split("\n")
        .filter((one) => !one.startsWith("#"))) {
        const [, name] =
          /^([a-z_]+)(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? -?\d+(?:\.\d+)?(?:e-?\d+)?$/u.exec(line) ?? []
        assert.isTrue(families.has(name ?? ""), line)
      }
      assert.strictEqual(families.size, [...text.matchAll(/^# HELP /gmu)].length)
      // The page has a row for each, with its sentence.
      const page = readFileSync(new URL("../../../docs/reference/metrics.md", import.meta.url), "utf8")
      const rows = [...page.matchAll(/^\| `(\w+)` \| .* \| (.*) \|$/gmu)].map(([, name, about]) => `${name} ${about}.`)
      const helps = [...text.matchAll(/^# HELP (.*)$/gmu)].map(([, help]) => help!)
      assert.sameMembers(rows, helps)
    })
  )

  it.live("says what is so now, and counts what happens", () =>
    Effect.gen(function* () {
      const { address, daemon, pulse } = yield* started
      const before = seriesOf((yield* get(address, "/metrics")).text)
      assert.strictEqual(before.get('clawmesh_peers{state="up"}'), 1)
      assert.strictEqual(before.get("clawmesh_leads"), 0)
      assert.strictEqual(before.get("clawmesh_leader_known"), 1)
      assert.strictEqual(before.get("clawmesh_term"), 7)
      assert.strictEqual(before.get('clawmesh_events_total{event="peer.down"}'), 0)
      assert.strictEqual(before.get("clawmesh_disk_refuses"), 0)
      daemon.tell({ event: "peer.down" })
      daemon.tell({ event: "peer.down" })
      pulse.turns = 41
      daemon.refusal = "full"
      for (let i = 0; i < 2; i++) {
        const after = seriesOf((yield* get(address, "/metrics")).text)
        assert.strictEqual(after.get('clawmesh_events_total{event="peer.down"}'), 2)
        assert.strictEqual(after.get("clawmesh_turns_total"), 41)
        assert.strictEqual(after.get("clawmesh_disk_refuses"), 1)
        assert.strictEqual(after.get('clawmesh_warnings{code="DISK_REFUSES"}'), 1)
        assert.sameMembers([...after.keys()], [...before.keys()])
      }
    })
  )

  it.live("names no device, and has as many series for a thousand of them", () =>
    Effect.gen(function* () {
      const { address, daemon } = yield* started
      const before = seriesOf((yield* get(address, "/metrics")).text)
      const node = daemon.drive.node
      const [member] = node.membership.members
      const members = Array.from({ length: 1_000 }, (_, i) => ({
        ...member!,
        deviceId: i.toString(16).padStart(64, "0")
      }))
      Object.assign(daemon.drive, { node: { ...node, membership: { ...node.membership, members } } })
      const { text } = yield* get(address, "/metrics")
      assert.sameMembers([...seriesOf(text).keys()], [...before.keys()])
      assert.notMatch(text, /laptop|[0-9a-f]{16}/u)
    })
  )
})

describe("/healthz", () => {
  it.live("is well while the kernel makes turns and the disk takes writes", () =>
    Effect.gen(function* () {
      const { address } = yield* started
      assert.deepInclude(yield* get(address, "/healthz"), { status: 200, text: "well\n" })
    })
  )

  it.live("is not where the kernel makes none", () =>
    Effect.gen(function* () {
      const { address, daemon } = yield* started
      daemon.stuck = true
      const { status, text } = yield* get(address, "/healthz")
      assert.strictEqual(status, 503)
      assert.match(text, /no turn for 2 s/u)
    })
  )

  it.live("is not where the disk refuses, or keeps a record waiting", () =>
    Effect.gen(function* () {
      const { address, daemon, pulse } = yield* started
      pulse.waiting = STORE_MS_MAX
      assert.strictEqual((yield* get(address, "/healthz")).status, 200)
      pulse.waiting = STORE_MS_MAX + 1_000
      assert.match((yield* get(address, "/healthz")).text, /has waited for the disk for 6 s/u)
      pulse.waiting = 0
      daemon.refusal = "the disk is full"
      assert.deepInclude(yield* get(address, "/healthz"), { status: 503, text: "the disk is full\n" })
    })
  )
})

describe("the port for metrics", () => {
  it.live("answers by its address only, reads only, and knows nothing else", () =>
    Effect.gen(function* () {
      const { address } = yield* started
      assert.match(address, /^127\.0\.0\.1:\d+$/u)
      assert.strictEqual((yield* get(address, "/metrics", "attacker.example")).status, 421)
      assert.strictEqual((yield* get(address, "/healthz", "localhost:9464")).status, 200)
      assert.strictEqual((yield* get(address, "/status")).status, 404)
    })
  )

  it.live("says why where it is taken", () =>
    Effect.gen(function* () {
      const { address, daemon } = yield* started
      const port = Number(address.split(":")[1])
      const error = yield* Effect.flip(serve(daemon, { turns: () => 0, waitingMs: () => 0 }, port))
      assert.match(error.message, /^port \d+ on 127\.0\.0\.1, which is to tell the metrics, is taken$/u)
    })
  )
})
