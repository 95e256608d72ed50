/** The daemon's log: start-up lines (B16, B17, B18), events with names, one line each. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as StaticPeer from "../../../kernel/links/StaticPeer.ts"
import type { MeshEvent } from "../../../kernel/status/MeshEvent.ts"
import { configuredPeer, make, type Options, phrase, type Start } from "../../../adapters/node/Logging.ts"
import { EventLine } from "../../../adapters/operator/Api.ts"

const [self, jetson, barn, stranger] = ["1", "2", "3", "4"].map((digit) => digit.repeat(64)) as [
  string,
  string,
  string,
  string
]
const names: { readonly [id: string]: string } = { [self]: "laptop", [jetson]: "jetson-1", [barn]: "barn\u001b[31m\nx" }
const known: Options["known"] = { name: (id) => names[id] ?? null }
const atMs = Date.UTC(2026, 10, 22, 7, 58, 31, 204)

const logged = (use: (log: ReturnType<typeof make>) => void, options: Partial<Options> = {}): ReadonlyArray<string> => {
  const lines: Array<string> = []
  use(make({ format: "readable", colour: false, known, write: (line) => void lines.push(line), ...options }))
  return lines
}
const event = (event: MeshEvent, options: Partial<Options> = {}): string =>
  logged((log) => log.event({ atMs, event }), options).join("")

const peer = (text: string, gen1 = false) => {
  const read = StaticPeer.parse(text)
  if (read._tag === "Unread") throw new Error(text)
  return configuredPeer(read, gen1)
}

const start: Start = {
  atMs,
  name: "laptop",
  deviceId: self,
  role: "planner",
  meshName: "bhoomi",
  meshId: "b".repeat(64),
  address: "0.0.0.0:18789",
  stateDirectory: "/var/lib/clawmesh",
  electors: [self, jetson, stranger],
  peers: [peer(`${jetson}=wss://192.168.1.50||lan`), peer(`${stranger}=ws://farm.example:80||relay`)],
  discovery: { enabled: true, runs: false, why: "no network" },
  diagnoses: [{ code: "PRIVILEGED_PORT", severity: "warning", message: "port 80 is kept", hint: "choose another" }]
}

describe("start-up lines", () => {
  it("name, id, role, mesh, address, peers with label and posture (B16, B17), discovery (B15), diagnoses (B20)", () => {
    assert.deepStrictEqual(
      logged((log) => log.start(start)).map((line) => line.replace(/^2026-11-22T07:58:31Z {2}/u, "")),
      [
        `start               laptop is ${self}, planner\n`,
        `start               mesh bhoomi (${"b".repeat(64)})\n`,
        "start               listens on 0.0.0.0:18789, keeps its state in /var/lib/clawmesh\n",
        "start               electors laptop, jetson-1, 44444444\n",
        "start               peer jetson-1 at wss://192.168.1.50:18789, lan, tls-pinned\n",
        `start               peer 44444444 at ws://farm.example:80, relay, insecure: refused, ${start.peers[1]!.refused!.why} (INSECURE_TRANSPORT)\n`,
        "start               discovery does not run: no network\n",
        "warning             port 80 is kept: choose another (PRIVILEGED_PORT)\n"
      ]
    )
  })

  it("B15 discovery switched off is another thing than discovery that fails", () => {
    const last = (discovery: Start["discovery"]) =>
      logged((log) => log.start({ ...start, discovery, diagnoses: [] })).at(-1)
    assert.include(last({ enabled: false, runs: false, why: "" }), "discovery is off: static peers only\n")
    assert.include(last({ enabled: true, runs: true, why: "" }), "discovery runs\n")
  })

  it("B17, B18 posture and refusal of a configured peer depend on what the trust store knows", () => {
    const near = `${jetson}=ws://192.168.1.50||lan`
    assert.deepStrictEqual(
      [peer(near, true), peer(near, false)].map(({ posture, refused }) => [posture, refused?.code ?? null]),
      [
        ["insecure", null],
        ["insecure", "INSECURE_TRANSPORT"]
      ]
    )
    assert.strictEqual(peer(`${jetson}=wss://192.168.1.50||lan`, true).posture, "tls-unpinned")
    assert.strictEqual(peer(`${jetson}=wss://192.168.1.50|${"a".repeat(64)}|lan`, true).posture, "tls-pinned")
  })

  it("as JSON: one object with all of it", () => {
    const lines = logged((log) => log.start(start), { format: "json" })
    assert.strictEqual(lines.length, 1)
    assert.deepStrictEqual(JSON.parse(lines[0]!), {
      $type: "clawmesh.start/1",
      at: "2026-11-22T07:58:31.204Z",
      ...start
    })
  })
})

describe("events", () => {
  it("readable: time, event, name in place of the id, why", () => {
    const time = "2026-11-22T07:58:31Z  "
    assert.strictEqual(
      event({ event: "peer.down.confirmed", about: jetson, incarnation: 3, witnesses: [self, stranger] }),
      `${time}peer.down.confirmed jetson-1         incarnation 3, seen by laptop and 44444444\n`
    )
    assert.strictEqual(
      event({ event: "leader.elected", about: self, term: 7 }),
      `${time}leader.elected      laptop           term 7\n`
    )
    assert.strictEqual(
      event({ event: "connection.refused", code: "INVALID_JSON" }),
      `${time}connection.refused                   INVALID_JSON\n`
    )
  })

  it("B16 connect logs say by what label and posture", () => {
    for (const name of ["peer.connect", "peer.disconnect", "connection.refused"] as const)
      assert.strictEqual(
        phrase({ event: name, about: jetson, reason: "no", code: "X", label: "relay", posture: "tls-pinned" }, known),
        "no (X), relay, tls-pinned",
        name
      )
    assert.strictEqual(
      phrase({ event: "peer.connect", about: jetson, posture: "insecure" }, known),
      "no label, insecure"
    )
    assert.strictEqual(phrase({ event: "peer.up", about: jetson }, known), "")
  })

  it("whatever a device calls itself: one line, nothing that steers a terminal", () => {
    const line = event({ event: "peer.up", about: barn, reason: "a\u2028b\r\nc" })
    assert.match(line, /^[^\p{Cc}\u2028]*\n$/u)
    assert.strictEqual(event({ event: "peer.up", about: barn }, { format: "json" }).split("\n").length, 2)
  })

  it("as JSON: a line of the operator's shape, so that the log and the socket read alike", () => {
    const line = event(
      { event: "peer.down", about: jetson, witnesses: [self, stranger], reason: "x" },
      { format: "json" }
    )
    const read = Schema.decodeUnknownSync(EventLine)(JSON.parse(line), { onExcessProperty: "error" })
    assert.deepStrictEqual(
      [read.at, read.name, read.by],
      [
        "2026-11-22T07:58:31.204Z",
        "jetson-1",
        [
          { id: self, name: "laptop" },
          { id: stranger, name: null }
        ]
      ]
    )
  })

  it("colour only where it was asked for, and never in JSON", () => {
    const down: MeshEvent = { event: "peer.down", about: jetson }
    assert.notInclude(event(down), "\u001b")
    assert.include(event(down, { colour: true }), "\u001b[31mpeer.down")
    assert.notInclude(event(down, { colour: true, format: "json" }), "\u001b")
  })

  it("a note is one line too, in both formats", () => {
    assert.deepStrictEqual(
      logged((log) => log.note(atMs, "info", "made\na key")),
      ["2026-11-22T07:58:31Z  info                made\u00b7a key\n"]
    )
    const [line] = logged((log) => log.note(atMs, "error", "no\nway"), { format: "json" })
    assert.deepStrictEqual(JSON.parse(line!), {
      $type: "clawmesh.note/1",
      at: "2026-11-22T07:58:31.204Z",
      atMs,
      level: "error",
      text: "no\nway"
    })
  })
})
