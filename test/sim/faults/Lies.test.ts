/** Trusted devices that lie: what the word does, what is never told, and that nobody is the worse for it in the end (A09, C9, C11, C33). */
import { assert, describe, it } from "@effect/vitest"
import type { Key } from "../../../kernel/Draw.ts"
import { decode, encode } from "../../../kernel/wire/Codec.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { lie, lieKinds, type LieKind, type Speaker } from "../../../sim/network/Lies.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, brokenAfter, fires, scenarioOf } from "../oracles/Broken.ts"
import { bitten, touchedBy } from "./Bite.ts"

const ids = ["a", "b", "c"].map((digit) => digit.repeat(64))
const speaker = (mayLead: boolean): Speaker => ({ deviceId: ids[0]!, mayLead, manifest: 1, devices: ids })
const term = { manifest: 1, counter: 7 }
const said: ReadonlyArray<Frame> = [
  { type: "event", event: "mesh.heartbeat", payload: { epoch: [1, 1, 1, 1], seq: 5, rows: 9 } },
  { type: "event", event: "mesh.lead", payload: { term, beat: 3 } },
  { type: "event", event: "mesh.vote.answer", payload: { term, granted: true } },
  { type: "event", event: "mesh.vote.answer", payload: { term, granted: false } },
  { type: "event", event: "mesh.lead.answer", payload: { term, beat: 3, promised: true } },
  { type: "req", id: "1", method: "mesh.challenge", params: {} },
  { type: "res", id: "1", ok: true, payload: { nonce: "n" } }
]
const COUNT = 4_000
const told = (kind: LieKind, mayLead = false): ReadonlyArray<string> =>
  Array.from({ length: COUNT }, (_, n) => {
    const of: Key = { a: Math.imul(n + 1, 0x9e3779b1) | 0, b: Math.imul(n + 7, 0x85ebca6b) | 0 }
    return lie(speaker(mayLead), said[n % said.length]!, kind, of)
  })
const frames = (texts: ReadonlyArray<string>): ReadonlyArray<Frame> =>
  texts.flatMap((text) => {
    const decoded = decode(text)
    return decoded._tag === "Frame" ? [decoded.frame] : []
  })
const eventsOf = (texts: ReadonlyArray<string>): ReadonlySet<string> =>
  new Set(frames(texts).map((frame) => (frame.type === "event" ? frame.event : frame.type)))

describe("what is told", () => {
  it("malformed: nothing of it is a frame, and every code of the codec is reached", () => {
    const texts = told("malformed")
    assert.isEmpty(frames(texts).map(encode))
    const codes = new Set(texts.map((text) => decode(text)).map((it) => (it._tag === "Refused" ? it.code : it._tag)))
    assert.deepStrictEqual([...codes].toSorted(), [
      "INVALID_JSON",
      "INVALID_PARAMS",
      "INVALID_TRUST_POLICY",
      "INVALID_TYPE",
      "Ignored",
      "MISSING_TYPE",
      "TOO_LARGE",
      "TRUST_METADATA_REQUIRED",
      "UNKNOWN_METHOD"
    ])
  })

  it("false words are well-formed but for a few that end behind a bound, and say nothing of others' edges", () => {
    const texts = told("false words")
    assert.isAbove(frames(texts).length, (COUNT * 3) / 4)
    const events = eventsOf(texts)
    for (const event of [
      "mesh.heartbeat",
      "mesh.vote",
      "mesh.vote.answer",
      "mesh.lead",
      "mesh.release",
      "peer.leaving",
      "req",
      "res"
    ])
      assert.isTrue(events.has(event), event)
    for (const event of ["mesh.edges", "mesh.probe.answer", "peer.down"]) assert.isFalse(events.has(event), event)
  })

  it("false rows are well-formed, in its own name and in others'", () => {
    const all = frames(told("false rows"))
    assert.lengthOf(all, COUNT)
    const observers = new Set(
      all.flatMap((frame) =>
        frame.type === "event" && frame.event === "mesh.edges" ? frame.payload.rows.map(({ observer }) => observer) : []
      )
    )
    assert.deepStrictEqual([...observers].toSorted(), [...ids, "f".repeat(64)])
  })

  it("nobody gives a vote or a promise that it did not give, or leaves in its own name; nobody who may lead says so falsely", () => {
    for (const kind of lieKinds)
      for (const frame of [...frames(told(kind)), ...frames(told(kind, true))]) {
        if (frame.type !== "event") continue
        const { event, payload } = frame
        if ("granted" in payload) assert.isFalse(payload.granted)
        if ("promised" in payload) assert.isFalse(payload.promised)
        if (event === "peer.leaving") assert.notStrictEqual(payload.deviceId, ids[0])
      }
    const leaders = eventsOf([...told("anything", true), ...told("false words", true)])
    assert.isFalse(leaders.has("mesh.lead"))
    assert.isFalse(leaders.has("mesh.release"))
  })
})

describe("oracles judge those who hear lies", () => {
  const scenario = scenarioOf(`
scenario: A viewer that lies
seed: 1
lasts: 30s
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  field:  { role: field }
  kiosk:  { role: viewer }
timeline:
  - { at: 0s, start: everyone }
  - { at: 5s, lie: { from: kiosk, to: everyone, share: 50%, with: false rows } }`)

  it("a kernel that takes up what a viewer says of others: S8", () => {
    const credulous = brokenAfter((after, before, input) => {
      if (input._tag !== "Received" || input.frame.type !== "event" || input.frame.event !== "mesh.edges") return after
      const { link } = input
      const session = before.links.links.find((one) => one.link === link)
      const rows =
        session?._tag === "Session" ? input.frame.payload.rows.filter((row) => row.observer === session.peer) : []
      const known = after.membership.rows.filter(({ observer }) => !rows.some((row) => row.observer === observer))
      return { ...after, membership: { ...after.membership, rows: [...known, ...rows] } }
    })
    fires("S8", /keeps what the viewer kiosk reports of others$/u, scenario, credulous)
  })

  it("a leader that goes on in spite of an elector's refusal, true or not: S1-promises", () => {
    const words = scenarioOf(
      scenario.text
        .replace("false rows", "false words")
        .replace("lasts: 30s", "lasts: 10m")
        .replace(/expect:[^]*$/u, "")
    )
    const deaf = broken((node, input) => {
      const refused =
        input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.lead.answer"
      // Takes nothing from anybody who refuses.
      return refused && !input.frame.payload.promised && node.config.role === "planner"
        ? [node, []]
        : Node.step(node, input)
    })
    const electorLies = {
      ...words,
      timeline: words.timeline.map((step) =>
        step.verb._tag === "lie" ? { ...step, verb: { ...step.verb, from: ["backup"] } } : step
      )
    }
    fires("S1-promises", /^main is told of term \d+, and goes on leading in term \d+$/u, electorLies, deaf)
  })
})

describe("lie", () => {
  for (const kind of lieKinds)
    it(`${kind}: bites, and the mesh is well when it is over; no oracle has anything to say`, () => {
      const bite = bitten(`  - { at: 20s, lie: { from: d, to: everyone, share: 30%, with: ${kind} }, for: 15s }`)
      assert.isAbove(touchedBy(bite, 1), 10)
      assert.include(bite.told, "20000 world.lie -: d → a, b, c, d, e")
      assert.match(bite.told.at(-1)!, /^35000 world\.undo -: d → .* lying no more$/u)
      const late = bite.result.happenings.filter(({ atMs, node }) => node !== null && atMs > 50_000)
      assert.isEmpty(late)
    })

  it("leaders, electors and everybody at once may lie, for as long as they like", () => {
    const bite = bitten(`  - { at: 20s, lie: { between: everyone, share: 20% }, for: 20s }`)
    assert.isAbove(touchedBy(bite, 1), 100)
  })

  it("a run is the same once more, another share another", () => {
    const run = (share: string) =>
      bitten(`  - { at: 20s, lie: { from: d, to: everyone, share: ${share} }, for: 15s }`).result.hash
    assert.strictEqual(run("30%"), run("30%"))
    assert.notStrictEqual(run("30%"), run("20%"))
  })
})
