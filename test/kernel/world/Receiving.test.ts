/** P14.1 to P14.6: what is taken from whom, what is handed on to whom, and what is refused with which code. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { decode, encode } from "../../../kernel/wire/Codec.ts"
import { allCodes, type Code } from "../../../kernel/wire/Codes.ts"
import type { ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import { originOf } from "../../../kernel/world/World.ts"
import * as Origin from "../../../kernel/world/Origin.ts"
import { Drive, framesTo, id, type World } from "../drive.ts"
import { read, signed, unsigned } from "./frames.ts"

const mesh: World = {
  roles: { a: "field", b: "field", c: "planner", d: "field", s: "sensor", v: "viewer", g: "sensor" },
  electors: "c",
  gen1: "g",
  dialled: ""
}

/** `a`, with sessions with these. */
const met = (...peers: ReadonlyArray<string>) => {
  const drive = Drive.up(mesh, "a")
  const links = new Map<string, number>()
  for (const peer of peers) links.set(peer, drive.meet(peer, { kernel: peer !== "g" }).link)
  return { drive, link: (peer: string) => links.get(peer)! }
}

const said = (commands: ReadonlyArray<Command>, link: number): ReadonlyArray<ContextFrame> =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "event" && frame.event === "context.frame" ? [frame.payload] : []
  )

const countOf = ({ node }: Drive, code: Code): number => node.refusals[allCodes.indexOf(code)]!

const heldOf = ({ node }: Drive, name: string): ReadonlyArray<string> => {
  const origin = originOf(node.world, id(name))
  return origin === undefined ? [] : Origin.entriesOf(origin).map(({ frame }) => frame.frameId)
}

describe("frames that come", () => {
  it("P14.3, P14.5: a signed one is held, and handed on one hop further, but not to where it came from", () => {
    const { drive, link } = met("b", "c", "s")
    drive.mono += 500
    const commands = drive.hear(link("s"), "context.frame", signed({ by: "s", seq: 1, ageMs: 40 }))
    assert.deepStrictEqual(heldOf(drive, "s"), ["s-1-1"])
    for (const peer of ["b", "c"]) {
      const [frame] = said(commands, link(peer))
      assert.strictEqual(frame?.hops, 1)
      assert.strictEqual(frame?.kernel?.ageMs, 40)
    }
    assert.deepStrictEqual(said(commands, link("s")), [])
  })

  it("P14.5: three hops and no more; and once only, whoever brings it", () => {
    const { drive, link } = met("b", "c")
    assert.strictEqual(
      said(drive.hear(link("b"), "context.frame", signed({ by: "s", seq: 1, hops: 2 })), link("c")).length,
      1
    )
    assert.strictEqual(
      said(drive.hear(link("b"), "context.frame", signed({ by: "s", seq: 2, hops: 3 })), link("c")).length,
      0
    )
    assert.strictEqual(
      said(drive.hear(link("c"), "context.frame", signed({ by: "s", seq: 1, hops: 0 })), link("b")).length,
      0
    )
    assert.strictEqual(drive.node.world.frames, 2)
  })

  it("P14.5: a peer that says itself that it hears the source gets it from there", () => {
    const { drive, link } = met("b", "c", "s")
    const edges = [{ subject: id("s"), incarnation: 1, good: true }]
    drive.hear(link("b"), "mesh.edges", { rows: [{ observer: id("b"), incarnation: 1, version: 1, edges }] })
    const commands = drive.hear(link("s"), "context.frame", signed({ by: "s", seq: 1 }))
    assert.deepStrictEqual([said(commands, link("b")).length, said(commands, link("c")).length], [0, 1])
  })

  it("P14.1: members that we do not know go on as they came (C27)", () => {
    const { drive, link } = met("b", "c")
    const more = { colour: { of: ["the", "sky"] }, gen: 1 } as Partial<ContextFrame>
    const sent = signed({ by: "d", seq: 1 }, more)
    const decoded = decode(encode({ type: "event", event: "context.frame", payload: sent }))
    assert.strictEqual(decoded._tag, "Frame")
    const frame = decoded._tag === "Frame" && decoded.frame.type === "event" ? decoded.frame.payload : null
    const [relayed] = said(drive.hear(link("b"), "context.frame", frame as ContextFrame), link("c"))
    assert.deepStrictEqual(relayed, { ...sent, hops: 1 })
  })

  it("P14.6: what it stayed with us makes it older, by our own clock", () => {
    const { drive, link } = met("b", "c")
    drive.keysWait = true
    drive.hear(link("b"), "context.frame", signed({ by: "s", seq: 1, ageMs: 40 }))
    drive.mono += 1_000
    drive.keysWait = false
    assert.strictEqual(said(drive.release(), link("c"))[0]?.kernel?.ageMs, 1_040)
  })

  const good = signed({ by: "s", seq: 1 })
  const cases: ReadonlyArray<readonly [what: string, from: string, frame: ContextFrame, code: Code]> = [
    ["forged: its data is another", "b", { ...good, data: { value: 99 } }, "AUTH_FAILED"],
    [
      "forged: its tier is another",
      "b",
      { ...good, trust: signed({ by: "s", seq: 1, kind: "event" }).trust },
      "AUTH_FAILED"
    ],
    ["forged: its number is another", "b", { ...good, kernel: { ...good.kernel!, seq: 2 } }, "AUTH_FAILED"],
    [
      "signed by another than its source",
      "b",
      { ...signed({ by: "c", seq: 1 }), sourceDeviceId: id("s") },
      "AUTH_FAILED"
    ],
    ["unsigned, in the name of one that can sign", "b", unsigned("s", 1), "AUTH_FAILED"],
    ["of a device that nobody trusts", "b", signed({ by: "x", seq: 1 }), "UNTRUSTED_PEER"],
    ["of a generation to come", "b", signed({ by: "s", seq: 1 }, { gen: 2 }), "UNSUPPORTED_GENERATION"],
    ["of a viewer", "v", signed({ by: "v", seq: 1 }), "NOT_AUTHORIZED"],
    ["of a sensor that concludes", "s", signed({ by: "s", seq: 1, kind: "inference" }), "NOT_AUTHORIZED"],
    ["of a sensor that hands on others'", "s", signed({ by: "b", seq: 1 }), "NOT_AUTHORIZED"],
    ["larger than a lane", "b", signed({ by: "s", seq: 1 }, { data: { pad: "x".repeat(16_000) } }), "DATA_TOO_LARGE"]
  ]
  for (const [what, from, frame, code] of cases)
    it(`refused, counted, told, and handed to nobody: ${what}: ${code}`, () => {
      const { drive, link } = met("b", "c", "s", "v")
      const before = drive.node.world
      const commands = drive.hear(link(from), "context.frame", frame)
      assert.strictEqual(countOf(drive, code), 1)
      assert.isTrue(
        commands.some(
          (command) => command._tag === "Note" && command.event.event === "frame.refused" && command.event.code === code
        )
      )
      for (const peer of ["b", "c", "s", "v"]) assert.deepStrictEqual(said(commands, link(peer)), [])
      assert.deepStrictEqual(drive.node.world.origins, before.origins)
      // And the link stays.
      assert.isTrue(drive.node.links.links.some((one) => one.link === link(from)))
    })

  it("our own come back, and are nothing new", () => {
    const { drive, link } = met("b", "c")
    const before = drive.node.world.origins
    assert.deepStrictEqual(said(drive.hear(link("b"), "context.frame", signed({ by: "a", seq: 1 })), link("c")), [])
    assert.deepStrictEqual(drive.node.world.origins, before)
  })

  it("nothing of it is held, and nothing goes on, before the key store has answered", () => {
    const { drive, link } = met("b", "c")
    drive.keysWait = true
    assert.deepStrictEqual(said(drive.hear(link("b"), "context.frame", signed({ by: "s", seq: 1 })), link("c")), [])
    assert.deepStrictEqual(heldOf(drive, "s"), [])
    drive.keysWait = false
    assert.strictEqual(said(drive.release(), link("c")).length, 1)
  })

  it("a link has at most 256 waiting; what is beyond is counted, and comes again by itself", () => {
    const { drive, link } = met("b", "c")
    drive.keysWait = true
    for (let seq = 1; seq <= 300; seq++) drive.hear(link("b"), "context.frame", signed({ by: "s", seq }))
    assert.strictEqual(drive.node.world.checking.length, 256)
    assert.strictEqual(countOf(drive, "RATE_LIMITED"), 44)
  })
})

describe("frames of generation 1 (P14.4)", () => {
  it("are evidence over their own link, and hearsay over another's; the ids are known for a while", () => {
    const { drive, link } = met("b", "c", "g")
    assert.strictEqual(said(drive.hear(link("g"), "context.frame", unsigned("g", 1)), link("c")).length, 1)
    drive.hear(link("b"), "context.frame", unsigned("g", 2, { data: { metric: "rain" } }))
    const held = Origin.entriesOf(originOf(drive.node.world, id("g"))!)
    assert.deepStrictEqual(
      held.map(({ evidence, frame }) => [frame.frameId, evidence]),
      [
        ["g-1", true],
        ["g-2", false]
      ]
    )
    assert.strictEqual(said(drive.hear(link("b"), "context.frame", unsigned("g", 1)), link("c")).length, 0)
  })

  it("its own link makes true what others handed on before: it is evidence, it stands, and it is said once", () => {
    const { drive, link } = met("b", "c", "g")
    read(drive, drive.hear(link("g"), "context.frame", unsigned("g", 50)))
    // Its clock was set back, and the next one comes by another way first, changed on it.
    const true_ = unsigned("g", 20, { data: { zone: "z", value: 20 } })
    const handedOn = (from: string, frame: ContextFrame): number =>
      said(read(drive, drive.hear(link(from), "context.frame", frame)), link("c")).length
    assert.strictEqual(handedOn("b", { ...true_, data: { zone: "z", value: 99 } }), 1)
    assert.strictEqual(handedOn("g", true_), 0)
    const held = Origin.entriesOf(originOf(drive.node.world, id("g"))!).find(({ frame }) => frame.frameId === "g-20")!
    assert.isTrue(held.evidence)
    assert.deepStrictEqual(held.frame.data, true_.data)
    assert.strictEqual(held.seq, 51)
    const before = drive.node.world
    drive.hear(link("g"), "context.frame", true_)
    drive.hear(link("b"), "context.frame", true_)
    assert.strictEqual(drive.node.world, before, "and that was it")
  })

  it("what was forgotten is not let in again by others, and a clock that was set back is no loss", () => {
    const { drive, link } = met("b", "c", "g")
    for (let n = 1; n <= Origin.SEEN_MAX + 10; n++) drive.hear(link("g"), "context.frame", unsigned("g", n))
    const before = drive.node.world.held
    drive.hear(link("b"), "context.frame", unsigned("g", 5))
    assert.strictEqual(drive.node.world.held, before)
    drive.hear(link("g"), "context.frame", unsigned("g", 3, { frameId: "after the clock was set" }))
    assert.deepStrictEqual(heldOf(drive, "g"), ["after the clock was set"])
  })

  it("from the future they are refused, by the clock that their source showed", () => {
    const { drive, link } = met("g")
    const wall = drive.contact("g").aheadMs! + drive.mono
    drive.hear(link("g"), "context.frame", unsigned("g", wall + 299_000))
    assert.strictEqual(countOf(drive, "INVALID_PARAMS"), 0)
    drive.hear(link("g"), "context.frame", unsigned("g", wall + 301_000))
    assert.strictEqual(countOf(drive, "INVALID_PARAMS"), 1)
  })
})
