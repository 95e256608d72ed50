/** P14.8 to P14.11: what two ends of a link tell and ask each other, and what is believed of that. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import { allCodes, type Code } from "../../../kernel/wire/Codes.ts"
import type { Event } from "../../../kernel/wire/Frame.ts"
import { ASK_MS, LIAR_REST_MS } from "../../../kernel/world/Exchanging.ts"
import * as Origin from "../../../kernel/world/Origin.ts"
import { logOf, originOf } from "../../../kernel/world/World.ts"
import { Drive, framesTo, id, type World } from "../drive.ts"
import { read, signed } from "./frames.ts"

const mesh: World = {
  roles: { a: "field", b: "field", c: "planner", s: "sensor", v: "viewer" },
  electors: "c",
  dialled: ""
}

const met = (...peers: ReadonlyArray<string>) => {
  const drive = Drive.up(mesh, "a")
  const links = new Map<string, number>()
  for (const peer of peers) links.set(peer, drive.meet(peer).link)
  return { drive, link: (peer: string) => links.get(peer)! }
}

type Payload<E extends Event["event"]> = Extract<Event, { readonly event: E }>["payload"]

const eventsTo = <E extends Event["event"]>(
  commands: ReadonlyArray<Command>,
  link: number,
  event: E
): ReadonlyArray<Payload<E>> =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "event" && frame.event === event ? [frame.payload as Payload<E>] : []
  )

const beat = (drive: Drive, link: number, seq: number, world: number): ReadonlyArray<Command> => {
  const session = drive.node.links.links.find((one) => one.link === link)
  const [mine, counter, theirs, theirCounter] = session?._tag === "Session" ? session.epoch : [0, 0, 0, 0]
  return read(
    drive,
    drive.hear(link, "mesh.heartbeat", { epoch: [theirs, theirCounter, mine, counter], seq, rows: 0, world })
  )
}

const have = (incarnation: number, next: number, floor = 0) => ({
  streams: [{ origin: id("s"), incarnation, next, floor }],
  entries: []
})

const page = (from: number, through: number, frames: ReadonlyArray<ContextFrame>, last = true) => ({
  origin: id("s"),
  incarnation: 1,
  from,
  through,
  last,
  frames
})

const series = (from: number, to: number): ReadonlyArray<ContextFrame> =>
  Array.from({ length: to - from + 1 }, (_, i) => signed({ by: "s", seq: from + i }))

const nextOf = ({ node }: Drive): number => logOf(node.world, id("s"), 1)?.next ?? 1
const countOf = ({ node }: Drive, code: Code): number => node.refusals[allCodes.indexOf(code)]!

describe("two ends of a link", () => {
  it("P14.8: at the first heartbeat that differs all is told, then at every second one what changed", () => {
    const { drive, link } = met("b", "s")
    read(drive, drive.hear(link("s"), "context.frame", signed({ by: "s", seq: 1 })))
    const [first] = eventsTo(beat(drive, link("b"), 1, 7), link("b"), "mesh.world.have")
    assert.deepStrictEqual(first?.streams, have(1, 2).streams)
    assert.deepStrictEqual(
      first?.entries.map(({ origin }) => origin),
      [id("s")]
    )
    read(drive, drive.hear(link("s"), "context.frame", signed({ by: "s", seq: 2 })))
    const [second] = eventsTo(beat(drive, link("b"), 2, 7), link("b"), "mesh.world.have")
    assert.deepStrictEqual(second?.streams, have(1, 3).streams)
    for (let n = 3; n <= 8; n++)
      assert.deepStrictEqual(eventsTo(beat(drive, link("b"), n, 7), link("b"), "mesh.world.have"), [], `beat ${n}`)
    assert.strictEqual(eventsTo(beat(drive, link("b"), 9, 7), link("b"), "mesh.world.have").length, 1)
    // And whoever holds the same is told nothing.
    assert.deepStrictEqual(
      eventsTo(beat(drive, link("b"), 10, drive.node.world.digest), link("b"), "mesh.world.have"),
      []
    )
  })

  it("P14.9, P14.10: what is missing is asked for, chunk by chunk, each twice as large, and not handed on", () => {
    const { drive, link } = met("b", "c")
    let [want] = eventsTo(drive.hear(link("b"), "mesh.world.have", have(1, 31)), link("b"), "mesh.world.want")
    assert.deepStrictEqual(want, { origin: id("s"), incarnation: 1, from: 1, bytes: 8_192 })
    const sizes = [want!.bytes]
    for (const [from, to] of [
      [1, 10],
      [11, 20],
      [21, 30]
    ] as const) {
      const commands = drive.hear(link("b"), "mesh.world.frames", page(from, to, series(from, to)))
      assert.deepStrictEqual(eventsTo(commands, link("c"), "context.frame"), [])
      ;[want] = eventsTo(commands, link("b"), "mesh.world.want")
      if (want !== undefined) sizes.push(want.bytes)
    }
    assert.deepStrictEqual(sizes, [8_192, 16_384, 32_768])
    assert.strictEqual(nextOf(drive), 31)
  })

  it("P14.9, P14.10: a page whose page before it was not good jumps over nothing", () => {
    const { drive, link } = met("b")
    drive.hear(link("b"), "mesh.world.have", have(1, 21))
    drive.keysWait = true
    const [first, ...others] = series(1, 10)
    const false1 = { ...first!, data: { value: "another" } }
    drive.hear(link("b"), "mesh.world.frames", page(1, 10, [false1, ...others], false))
    drive.hear(link("b"), "mesh.world.frames", page(11, 20, series(15, 20)))
    assert.strictEqual(drive.waiting.length, 2)
    drive.keysWait = false
    drive.feed(...drive.waiting.splice(0))
    assert.strictEqual(nextOf(drive), 1)
    assert.strictEqual(drive.node.world.frames, 0)
  })

  it("P14.9: one log is asked for on one link at a time, and on another when that one says nothing", () => {
    const { drive, link } = met("b", "c")
    drive.hear(link("b"), "mesh.world.have", have(1, 31))
    assert.deepStrictEqual(
      eventsTo(drive.hear(link("c"), "mesh.world.have", have(1, 31)), link("c"), "mesh.world.want"),
      []
    )
    drive.mono += ASK_MS
    drive.feed({ _tag: "Woke" })
    assert.strictEqual(eventsTo(beat(drive, link("c"), 1, 7), link("c"), "mesh.world.want").length, 1)
  })

  it("P14.9: the one that holds more of the past is asked, where the other has let go of what is missing", () => {
    const { drive, link } = met("b", "c")
    drive.keysWait = true
    drive.hear(link("c"), "mesh.world.have", {
      streams: [{ origin: id("s"), incarnation: 2, next: 9, floor: 0 }],
      entries: []
    })
    drive.hear(link("c"), "mesh.world.have", have(1, 31, 0))
    const commands = drive.hear(link("b"), "mesh.world.have", have(1, 31, 20))
    assert.deepStrictEqual(eventsTo(commands, link("b"), "mesh.world.want"), [])
  })

  it("P14.10: what nobody holds any more is told, and the log goes on behind it; its newest entries are there", () => {
    const { drive, link } = met("b", "c")
    drive.hear(link("b"), "mesh.world.have", have(1, 31, 20))
    const old = signed({ by: "s", seq: 5, metric: "rain" })
    const commands = drive.hear(link("b"), "mesh.world.frames", page(1, 30, [old, ...series(21, 30)]))
    const gap = commands.find((command) => command._tag === "Note" && command.event.event === "world.gap")
    assert.strictEqual(gap?._tag === "Note" ? gap.event.count : 0, 19)
    const log = logOf(drive.node.world, id("s"), 1)!
    assert.deepStrictEqual([log.next, log.floor, log.missed], [31, 20, 19])
    const entries = Origin.entriesOf(originOf(drive.node.world, id("s"))!).map(({ frame }) => frame.frameId)
    assert.deepStrictEqual(entries, ["s-1-5", "s-1-30"])
  })

  const lies: ReadonlyArray<readonly [string, Payload<"mesh.world.frames">, Code]> = [
    [
      "a frame that its origin did not sign",
      page(1, 2, [series(1, 1)[0]!, { ...series(2, 2)[0]!, data: {} }]),
      "AUTH_FAILED"
    ],
    ["frames of another log", page(1, 1, [signed({ by: "s", seq: 1, incarnation: 2 })]), "INVALID_PARAMS"],
    ["frames in another order", page(1, 2, series(1, 2).toReversed()), "INVALID_PARAMS"],
    ["frames beyond what it says", page(1, 1, series(1, 2)), "INVALID_PARAMS"]
  ]
  for (const [what, payload, code] of lies)
    it(`P14.10: ${what}: refused whole, and that end rests for a minute`, () => {
      const { drive, link } = met("b", "c")
      drive.hear(link("b"), "mesh.world.have", have(1, 31))
      drive.hear(link("b"), "mesh.world.frames", payload)
      assert.strictEqual(countOf(drive, code), 1)
      assert.strictEqual(nextOf(drive), 1)
      assert.deepStrictEqual(eventsTo(beat(drive, link("b"), 1, 7), link("b"), "mesh.world.want"), [])
      drive.mono += LIAR_REST_MS
      assert.strictEqual(eventsTo(beat(drive, link("b"), 2, 7), link("b"), "mesh.world.want").length, 1)
    })

  it("P14.10: what was not asked for changes nothing", () => {
    const { drive, link } = met("b")
    const before = drive.node.world
    drive.hear(link("b"), "mesh.world.frames", page(1, 2, series(1, 2)))
    assert.strictEqual(drive.node.world, before)
  })

  it("P14.8: a viewer tells nothing and is not asked, and a sensor only of its own", () => {
    const { drive, link } = met("v", "s")
    for (const [peer, refused] of [
      ["v", 1],
      ["s", 1]
    ] as const) {
      const commands = drive.hear(link(peer), "mesh.world.have", have(1, 31))
      assert.strictEqual(eventsTo(commands, link(peer), "mesh.world.want").length, peer === "s" ? 1 : 0)
      assert.strictEqual(countOf(drive, "NOT_AUTHORIZED"), refused)
    }
  })

  it("P14.10: gives what is asked for, oldest first, in messages that a lane carries", () => {
    const { drive, link } = met("b", "s")
    for (const frame of series(1, 100)) read(drive, drive.hear(link("s"), "context.frame", frame))
    const commands = read(
      drive,
      drive.hear(link("b"), "mesh.world.want", {
        origin: id("s"),
        incarnation: 1,
        from: 41,
        bytes: 16_000
      })
    )
    const pages = [...eventsTo(commands, link("b"), "mesh.world.frames")]
    assert.strictEqual(pages[0]?.from, 41)
    const seqs = pages.flatMap(({ frames }) => frames.map(({ kernel }) => kernel!.seq))
    assert.deepStrictEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, i) => 41 + i)
    )
    assert.isAbove(seqs.length, 10)
    for (const command of commands)
      if (command._tag === "Send") assert.isAtMost(JSON.stringify(command.frame).length, 16_384)
  })

  it("P14.11: entries are exchanged where logs lead no further", () => {
    const { drive, link } = met("b")
    // Of a life that began with what nobody has.
    const lost = signed({ by: "s", seq: 9, incarnation: 4, metric: "rain" })
    drive.hear(link("b"), "mesh.world.have", { streams: [], entries: [{ origin: id("s"), print: 12 }] })
    for (let n = 1; n < 4; n++)
      assert.deepStrictEqual(eventsTo(beat(drive, link("b"), n, 7), link("b"), "mesh.world.want"), [])
    const [want] = eventsTo(beat(drive, link("b"), 4, 7), link("b"), "mesh.world.want")
    assert.deepStrictEqual(want, { origin: id("s"), incarnation: 0, from: 0, bytes: 8_192 })
    const entries = (from: number, frames: ReadonlyArray<ContextFrame>) => ({
      origin: id("s"),
      incarnation: 0,
      from,
      through: from + frames.length - 1,
      last: true,
      frames
    })
    const more = drive.hear(link("b"), "mesh.world.frames", entries(0, [lost]))
    assert.strictEqual(eventsTo(more, link("b"), "mesh.world.want")[0]?.from, 1)
    drive.hear(link("b"), "mesh.world.frames", entries(1, []))
    assert.deepStrictEqual(
      Origin.entriesOf(originOf(drive.node.world, id("s"))!).map(({ frame }) => frame.frameId),
      ["s-4-9"]
    )
    // And gives its own in turn.
    const given = read(
      drive,
      drive.hear(link("b"), "mesh.world.want", { origin: id("s"), incarnation: 0, from: 0, bytes: 8_192 })
    )
    assert.deepStrictEqual(
      eventsTo(given, link("b"), "mesh.world.frames").map(({ frames }) => frames.map(({ frameId }) => frameId)),
      [["s-4-9"], []]
    )
  })

  it("C36: what was asked for of a device that is trusted no longer is not taken, and neither is that there is none", () => {
    for (const frames of [series(1, 2), []]) {
      const { drive, link } = met("b")
      const asked = read(drive, drive.hear(link("b"), "mesh.world.have", have(1, 5)))
      assert.strictEqual(eventsTo(asked, link("b"), "mesh.world.want").length, 1)
      drive.feed({ _tag: "Distrust", deviceId: id("s") })
      drive.hear(link("b"), "mesh.world.frames", page(1, 4, frames))
      assert.isUndefined(originOf(drive.node.world, id("s")))
    }
  })
})
