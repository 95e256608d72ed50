/** Lanes and budgets (PROTOCOL.md part 13): what goes behind control, how far ahead of a far end, and what is asked too often. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Lanes from "../../../kernel/links/Lanes.ts"
import type { Links } from "../../../kernel/links/Link.ts"
import type { Said, Turn } from "../../../kernel/Turn.ts"
import { allCodes, type Code } from "../../../kernel/wire/Codes.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { LANE_FRAME_BYTES_MAX } from "../../../kernel/wire/Limits.ts"
import { bareTurn, Drive, framesTo, notes, refusals, sentEvents, type World } from "../drive.ts"

const trio: World = { roles: { a: "planner", b: "field", c: "viewer" }, electors: "a" }

const counted = (drive: Drive, code: Code): number => drive.node.refusals[allCodes.indexOf(code)] ?? 0
const pings = (commands: ReadonlyArray<Command>, link: number): ReadonlyArray<number> =>
  commands.flatMap((command) =>
    command._tag === "Ping" && command.link === link && Lanes.isMark(command.probe) ? [command.probe] : []
  )
const answers = (commands: ReadonlyArray<Command>, link: number): ReadonlyArray<string> =>
  framesTo(commands, link).flatMap((frame) => (frame.type === "res" ? [frame.id] : []))

let asked = 0
const ask = (drive: Drive, link: number): ReadonlyArray<Command> =>
  drive.receive(link, { type: "req", id: `ask-${++asked}`, method: "mesh.status", params: {} })
const line = (drive: Drive, link: number): Lanes.Line => drive.node.links.lines.find((one) => one.link === link)!

/** A node that `c`, a viewer, has asked once, and whose mark is out. */
const askedOnce = () => {
  const drive = Drive.up(trio, "a")
  const { link } = drive.meet("c")
  const commands = ask(drive, link)
  return { commands, drive, link, mark: pings(commands, link)[0]! }
}

/** Its next heartbeat on this link, and what left with it; meanwhile it is answered. */
const beaten = (drive: Drive, link: number): ReadonlyArray<Command> => {
  for (;;) {
    const commands = drive.ring()
    for (const probe of pings(commands, link)) drive.feed({ _tag: "Ponged", link, probe })
    if (sentEvents(commands, "mesh.heartbeat").some((sent) => sent.link === link)) return commands
  }
}

describe("what goes behind control", () => {
  it("P13.3: is followed by a mark, and the next waits until that was answered", () => {
    const { commands, drive, link, mark } = askedOnce()
    assert.lengthOf(answers(commands, link), 1)
    assert.deepStrictEqual(pings(commands, link), [mark])
    const second = ask(drive, link)
    assert.deepStrictEqual(framesTo(second, link), [])
    assert.deepStrictEqual(pings(second, link), [])
    const after = drive.feed({ _tag: "Ponged", link, probe: mark })
    assert.deepStrictEqual(answers(after, link), [`ask-${asked}`])
    assert.deepStrictEqual(pings(after, link), [mark + 1])
  })

  it("P13.3: on a line that takes long for the least, it goes right behind a heartbeat", () => {
    const { drive, link, mark } = askedOnce()
    ask(drive, link)
    ask(drive, link)
    const late = (probe: number): ReadonlyArray<Command> => {
      drive.mono += 501
      return drive.feed({ _tag: "Ponged", link, probe })
    }
    assert.lengthOf(answers(late(mark), link), 1, "either end may have had no time for it")
    assert.deepStrictEqual(answers(late(mark + 1), link), [])
    assert.deepStrictEqual(answers(ask(drive, link), link), [])
    const words = framesTo(beaten(drive, link), link).map((frame) =>
      frame.type === "event" ? frame.event : frame.type
    )
    assert.deepStrictEqual(words, ["mesh.heartbeat", "res"])
    assert.strictEqual(line(drive, link).slow, 0, "it was read quickly: a line like others again")
  })

  it("P13.1: never holds control up, however little the far end reads", () => {
    const { drive, link } = askedOnce()
    for (let n = 0; n < 70; n++) ask(drive, link)
    const heartbeats = sentEvents(drive.pass(2_500), "mesh.heartbeat").filter((sent) => sent.link === link)
    assert.isAtLeast(heartbeats.length, 2)
    assert.isAbove(line(drive, link).waiting.length, 0)
  })

  it("P13.3: a mark that is not answered for ten seconds is made anew, and an answer to the old one is none", () => {
    const { drive, link, mark } = askedOnce()
    drive.mono += 9_999
    assert.deepStrictEqual(pings(ask(drive, link), link), [])
    drive.mono += 1
    const again = ask(drive, link)
    assert.deepStrictEqual(pings(again, link), [mark + 1])
    assert.deepStrictEqual(framesTo(again, link), [])
    assert.deepStrictEqual(framesTo(drive.feed({ _tag: "Ponged", link, probe: mark }), link), [])
    assert.lengthOf(answers(drive.feed({ _tag: "Ponged", link, probe: mark + 1 }), link), 1)
  })

  it("P13.4: an answer that has waited for 30 s is dropped and counted", () => {
    const { drive, link, mark } = askedOnce()
    ask(drive, link)
    drive.mono += 30_000
    const said = [...drive.feed({ _tag: "Ponged", link, probe: mark }), ...beaten(drive, link)]
    assert.deepStrictEqual(answers(said, link), [])
    assert.strictEqual(counted(drive, "RATE_LIMITED"), 1)
    assert.lengthOf(line(drive, link).waiting, 0)
  })

  it("an answered mark is a sign of life, and changes nothing where it is none of ours", () => {
    const { drive, link, mark } = askedOnce()
    // A probe is out, or nobody asks for one.
    while (drive.member("c").probe === 0) drive.ring()
    drive.feed({ _tag: "Ponged", link, probe: mark + 7 })
    assert.strictEqual(line(drive, link).mark, mark)
    assert.isAbove(line(drive, link).marked, 0)
    assert.strictEqual(drive.member("c").heardAt, drive.mono)
  })

  it("nothing of it outlives the session", () => {
    const { drive, link } = askedOnce()
    ask(drive, link)
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.deepStrictEqual(drive.node.links.lines, [])
    const again = drive.meet("c", { linkCounter: 2 }).link
    assert.lengthOf(answers(ask(drive, again), again), 1)
    // And where a second link displaces it.
    const newer = drive.meet("c", { linkCounter: 3 }).link
    assert.deepStrictEqual(drive.node.links.lines, [])
    assert.strictEqual(drive.sessions("c")[0]?.link, newer)
  })
})

describe("what is asked", () => {
  it("P13.6: beyond the budget it is answered RATE_LIMITED, counted each time and told once", () => {
    const drive = Drive.up(trio, "a")
    const { link } = drive.meet("c")
    let codes: ReadonlyArray<string> = []
    let told = 0
    for (let n = 0; n < Lanes.REQUESTS_AT_ONCE + 5; n++) {
      const commands = ask(drive, link)
      told += notes(commands).filter(({ code }) => code === "RATE_LIMITED").length
      for (let due = commands; due.length > 0;) {
        codes = [...codes, ...refusals(due)]
        due = pings(due, link).flatMap((probe) => drive.feed({ _tag: "Ponged", link, probe }))
      }
    }
    assert.deepStrictEqual(
      codes,
      Array.from({ length: 5 }, () => "RATE_LIMITED")
    )
    assert.strictEqual(counted(drive, "RATE_LIMITED"), 5)
    assert.strictEqual(told, 1)
    drive.mono += Lanes.REQUEST_EACH_MS
    assert.deepStrictEqual(refusals(ask(drive, link)), [])
    drive.pass(1_200)
    for (let n = 0; n < 100; n++) ask(drive, link)
    while (drive.member("c").heardAt >= drive.member("c").probedAt) drive.ring()
    const before = counted(drive, "RATE_LIMITED")
    for (let n = 0; n < 30; n++) ask(drive, link)
    assert.isAbove(counted(drive, "RATE_LIMITED"), before)
    assert.strictEqual(drive.member("c").heardAt, drive.mono, "it is a sign of life all the same")
  })

  it("P13.6, C66: of three hundred a minute none is refused, and each link has a budget of its own", () => {
    const drive = Drive.up(trio, "a")
    const { link } = drive.meet("c")
    const { link: other } = drive.meet("b")
    for (let n = 0; n < 300; n++) {
      drive.mono += 200
      const commands = ask(drive, link)
      assert.lengthOf(answers(commands, link), 1)
      for (const probe of pings(commands, link)) drive.feed({ _tag: "Ponged", link, probe })
    }
    assert.strictEqual(counted(drive, "RATE_LIMITED"), 0)
    for (let n = 0; n < 200; n++) ask(drive, link)
    assert.isAbove(counted(drive, "RATE_LIMITED"), 100)
    assert.deepStrictEqual(answers(ask(drive, other), other), [`ask-${asked}`])
  })

  it("P13.6: requests that do not read, or that its role may not make, use up the same budget", () => {
    const drive = Drive.up(trio, "a")
    const { link } = drive.meet("c")
    for (let n = 0; n < Lanes.REQUESTS_AT_ONCE; n++)
      if (n % 2 === 0) drive.feed({ _tag: "Malformed", link, code: "UNKNOWN_METHOD", id: "x", method: "y" })
      else drive.receive(link, { type: "req", id: "c", method: "mesh.challenge", params: {} })
    assert.strictEqual(counted(drive, "RATE_LIMITED"), 0)
    assert.strictEqual(counted(drive, "NOT_AUTHORIZED"), Lanes.REQUESTS_AT_ONCE / 2)
    drive.feed({ _tag: "Malformed", link, code: "UNKNOWN_METHOD", id: "x", method: "y" })
    ask(drive, link)
    assert.isAtLeast(counted(drive, "RATE_LIMITED"), 2)
  })

  it("P13.4: what finds no credit is answered RATE_LIMITED, and beyond that left out and counted", () => {
    const { drive, link } = askedOnce()
    let codes: ReadonlyArray<string> = []
    for (let n = 0; n < 500; n++) {
      drive.mono += Lanes.REQUEST_EACH_MS
      codes = [...codes, ...refusals(ask(drive, link))]
      // Never so long that its mark is lost, and nothing is answered.
      if (n % 100 === 99) drive.mono -= 100 * Lanes.REQUEST_EACH_MS
    }
    assert.lengthOf(line(drive, link).waiting, Lanes.LANE_FRAMES_MAX)
    assert.deepStrictEqual(codes, [])
    assert.isAtLeast(counted(drive, "RATE_LIMITED"), 500 - Lanes.LANE_FRAMES_MAX)
  })
})

// ------------------------------------------------------------------------------------------------ lanes by themselves

const turnAt = (mono: number, ...lower: ReadonlyArray<Said>): Turn => ({
  ...bareTurn(Drive.up(trio, "a").config, mono),
  lower: [...lower]
})

const reply = (id: string, units = 0): Frame => ({ type: "res", id, ok: true, payload: { text: "x".repeat(units) } })
const said = (link: number, lane: Lanes.Lane, id: string, units = 0): Said => ({ lane, link, frame: reply(id, units) })
const sent = (turn: Turn, link: number): ReadonlyArray<string> => answers(turn.out, link)

/** The links of a node with one session, and its number. */
const linked = (): { readonly links: Links; readonly link: number } => {
  const drive = Drive.up(trio, "a")
  const { link } = drive.meet("c")
  return { links: drive.node.links, link }
}

/** The far end reads everything, at once, until nothing more comes. */
const readAll = (from: Links, link: number): readonly [Links, ReadonlyArray<string>] => {
  let links = from
  const out: Array<string> = []
  for (let i = 0; i < 1_000; i++) {
    const turn = turnAt(10)
    const next = Lanes.onRead(links, link, links.lines[0]!.mark, turn)
    if (next === links) return [links, out]
    links = next
    out.push(...sent(turn, link))
  }
  return assert.fail("it never ends")
}

describe("lanes", () => {
  it("P13.2: people before live before bulk, and of one lane in its order", () => {
    const { link, links } = linked()
    const turn = turnAt(
      0,
      said(link, "bulk", "b1"),
      said(link, "live", "l1"),
      said(link, "people", "p1", 2_000),
      said(link, "bulk", "b2", 2_000),
      said(link, "people", "p2"),
      said(link, "live", "l2")
    )
    const after = Lanes.govern(links, turn)
    const first = sent(turn, link)
    const [, rest] = readAll(after, link)
    assert.deepStrictEqual(first, ["b1", "l1"])
    assert.deepStrictEqual(rest, ["p1", "p2", "l2", "b2"])
  })

  it("P13.3: twice as much goes ahead of a far end that reads quickly, up to 256 KiB, and one frame of one that does not", () => {
    const { link, links } = linked()
    const many = (mono: number) =>
      turnAt(mono, ...Array.from({ length: 60 }, (_, n) => said(link, "people", String(n), 4_000)))
    const underWay = (at: Links) => at.lines[0]!.marked + at.lines[0]!.beyond
    let now = Lanes.govern(links, many(0))
    let most = underWay(now)
    for (let mono = 5; mono < 200; mono += 5) {
      const before = now.lines[0]!.window
      now = Lanes.onRead(now, link, now.lines[0]!.mark, turnAt(mono))
      now = Lanes.govern(now, many(mono))
      assert.isAtMost(now.lines[0]!.window, 2 * before)
      most = Math.max(most, underWay(now))
    }
    assert.isAbove(most, Lanes.WINDOW_MAX_BYTES - 5_000)
    assert.isAtMost(most, Lanes.WINDOW_MAX_BYTES)
    // Neither quick nor slow: as before.
    now = Lanes.onRead(now, link, now.lines[0]!.mark, turnAt(500))
    assert.strictEqual(now.lines[0]!.window, Lanes.WINDOW_MAX_BYTES)
    now = Lanes.govern(now, many(500))
    now = Lanes.onRead(now, link, now.lines[0]!.mark, turnAt(1_500))
    now = Lanes.onRead(now, link, now.lines[0]!.mark, turnAt(3_000))
    assert.isAbove(now.lines[0]!.waiting.length, 0)
    assert.isAtMost(underWay(now), 4_100)
  })

  it("P13.3: a far end that was not asked to read much has not shown that it can", () => {
    const { link, links } = linked()
    let now = links
    for (let mono = 0; mono < 100; mono += 5) {
      now = Lanes.govern(now, turnAt(mono, said(link, "people", "small", 10)))
      now = Lanes.onRead(now, link, now.lines[0]!.mark, turnAt(mono + 1))
    }
    assert.strictEqual(now.lines[0]!.window, 256)
  })

  it("P13.5: much that waits stops bulk first, then live, never people, and they go on when it is gone", () => {
    const { link, links } = linked()
    const [bulkStops, liveStops] = Lanes.BACKLOG_BYTES
    let now = Lanes.onBacklog(links, link, bulkStops + 1, turnAt(0))
    const some = turnAt(0, said(link, "bulk", "b"), said(link, "live", "l"))
    now = Lanes.govern(now, some)
    assert.deepStrictEqual(sent(some, link), ["l"])
    now = Lanes.onBacklog(now, link, liveStops + 1, turnAt(0))
    const much = turnAt(0, said(link, "live", "l2"), said(link, "people", "p"))
    now = Lanes.govern(now, much)
    assert.deepStrictEqual(sent(much, link), ["p"])
    const [read, nothing] = readAll(now, link)
    assert.deepStrictEqual(nothing, [])
    const less = turnAt(0)
    now = Lanes.onBacklog(read, link, 0, less)
    assert.deepStrictEqual(sent(less, link), ["l2", "b"])
    assert.strictEqual(Lanes.onBacklog(now, link, 0, turnAt(0)), now)
  })

  it("P13.5: of a link that is no session it is not heard", () => {
    const { link, links } = linked()
    assert.strictEqual(Lanes.onBacklog(links, link + 1, 1, turnAt(0)), links)
    assert.strictEqual(Lanes.govern(links, turnAt(0, said(link + 1, "people", "p"))), links)
  })

  it("P13.2: a frame of live or bulk that is longer than 16 KiB is left out", () => {
    const { link, links } = linked()
    const envelope = JSON.stringify(reply("x")).length
    for (const lane of ["live", "bulk"] as const)
      for (const [over, goes] of [
        [0, true],
        [1, false]
      ] as const) {
        const turn = turnAt(0, said(link, lane, "x", LANE_FRAME_BYTES_MAX - envelope + over))
        Lanes.govern(links, turn)
        const whole = turn.out.some(
          (command) => command._tag === "Send" && command.frame.type === "res" && command.frame.ok
        )
        assert.strictEqual(whole, goes)
        assert.strictEqual(turn.facts.length, goes ? 0 : 1)
      }
  })

  it("P13.4: a lane waits with 64 frames and 256 KiB at most, a link with 1 MiB; a larger answer waits alone", () => {
    const { link, links } = linked()
    const lineAfter = (...lower: ReadonlyArray<Said>) =>
      Lanes.govern(links, turnAt(0, said(link, "people", "first"), ...lower)).lines[0]!
    const bytes = ({ waiting }: Lanes.Line) => waiting.reduce((sum, one) => sum + one.bytes, 0)
    const many = lineAfter(...Array.from({ length: 200 }, (_, n) => said(link, "people", String(n), 900)))
    assert.lengthOf(many.waiting, Lanes.LANE_FRAMES_MAX)
    const large = lineAfter(...Array.from({ length: 200 }, (_, n) => said(link, "people", String(n), 10_000)))
    assert.isAtMost(bytes(large), Lanes.LANE_BYTES_MAX)
    assert.isAbove(bytes(large), Lanes.LANE_BYTES_MAX - 11_000)
    // What found no room says so, as long as that is small enough.
    const error = large.waiting.find(({ frame }) => frame.type === "res" && !frame.ok)?.frame
    assert.strictEqual(error?.type === "res" && !error.ok ? error.error.code : "", "RATE_LIMITED")
    const alone = lineAfter(said(link, "people", "whole", 900_000), said(link, "people", "next", 900_000))
    assert.deepStrictEqual(
      alone.waiting.map(({ frame }) => (frame.type === "res" ? `${frame.id} ${frame.ok}` : "")),
      ["whole true"]
    )
    const full = lineAfter(
      said(link, "people", "whole", 1_000_000),
      ...Array.from({ length: 20 }, (_, n) => said(link, "live", String(n), 16_000)),
      ...Array.from({ length: 20 }, (_, n) => said(link, "bulk", String(n), 16_000))
    )
    assert.isAtMost(bytes(full), Lanes.LINE_BYTES_MAX)
  })
})
