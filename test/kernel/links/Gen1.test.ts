/** Towards generation 1 (PROTOCOL.md part 11): what such a device is sent, how often, signed by whose clock, and when it is dialled. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Gen1 from "../../../kernel/links/Gen1.ts"
import {
  GEN1_ANSWER_MS,
  GEN1_BUDGET_MESSAGES,
  GEN1_BUDGET_MS,
  GEN1_QUIET_MS,
  GEN1_REDIAL_MAX_MS,
  GEN1_WAITING_MAX
} from "../../../kernel/Profile.ts"
import { status } from "../../../kernel/status/Status.ts"
import type { Turn } from "../../../kernel/Turn.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { bareTurn, configOf, Drive, framesTo, hangups, id, sentEvents, type Given, type World } from "../drive.ts"

const GEN1 = { kernel: false }
const pair: World = { roles: { a: "node", b: "node" } }
/** `c` is a kernel peer. */
const mixed: World = { roles: { a: "planner", b: "field", c: "field" }, electors: "ac", gen1: "b" }

/** Time passes, and the device answers every ping. */
const live = (drive: Drive, ms: number): ReadonlyArray<Command> => {
  const out: Array<Command> = []
  let rings = 0
  for (const until = drive.mono + ms; drive.node.alarmAt <= until;) {
    assert.isBelow(++rings, ms + 100, "the alarm rings again and again")
    for (let due: ReadonlyArray<Command> = drive.ring(); due.length > 0;) {
      out.push(...due)
      due = due.flatMap((command) =>
        command._tag === "Ping" ? drive.feed({ _tag: "Ponged", link: command.link, probe: command.probe }) : []
      )
    }
  }
  return out
}

const ask = (drive: Drive, link: number, n: number): ReadonlyArray<Command> =>
  drive.receive(link, { type: "req", id: `ask-${n}`, method: "mesh.status", params: {} })

/** A turn of a room's, with what it has said already. */
const turnOf = (drive: Drive, ...frames: ReadonlyArray<Frame>): Turn => ({
  ...bareTurn(drive.config, drive.mono),
  out: frames.map((frame): Command => ({ _tag: "Send", link: 1, frame }))
})

const event = (name: string): Frame => ({ type: "event", event: name, payload: {} }) as unknown as Frame
const request: Frame = { type: "req", id: "1", method: "mesh.status", params: {} }
const reply = (n: number): Frame => ({ type: "res", id: String(n), ok: true, payload: {} })
const said = ({ out }: Turn) => out.flatMap((command) => (command._tag === "Send" ? [command.frame] : []))

describe("what a device of generation 1 is sent", () => {
  it("P11.1: none of our own events, whichever side dialled, for as long as it lasts", () => {
    for (const dialled of [true, false]) {
      const drive = Drive.up(mixed, "a")
      drive.meet("c")
      const { commands, link } = dialled ? drive.reach("b", GEN1) : drive.meet("b", GEN1)
      const events = framesTo([...commands, ...live(drive, 120_000)], link).filter((frame) => frame.type === "event")
      assert.isAbove(events.length, 3)
      assert.deepStrictEqual(new Set(events.map((frame) => frame.event)), new Set(["link.keepalive"]))
    }
  })

  it("P11.1: and none of them even if a room tried to", () => {
    const drive = Drive.up(mixed, "a")
    const turn = turnOf(drive, event("mesh.edges"), event("peer.down"), reply(1), event("planner.proposal"))
    Gen1.govern([Gen1.begun(1, false, 0)], true, turn)
    assert.deepStrictEqual(said(turn), [reply(1), event("planner.proposal")])
  })

  it("P11.1: our goodbye to it names no incarnation; to a kernel peer it does", () => {
    const drive = Drive.up(mixed, "a")
    const kernel = drive.meet("c").link
    const { link } = drive.meet("b", GEN1)
    const goodbyes = sentEvents(drive.feed({ _tag: "Leave", reason: "test" }), "peer.leaving")
    const timestamp = goodbyes[0]!.timestamp
    const bare = { gen: 1, deviceId: id("a"), timestamp }
    assert.deepStrictEqual(goodbyes, [
      { link: kernel, ...bare, incarnation: 1 },
      { link, ...bare }
    ])
  })

  it("P11.2: no request where it dialled; where we dialled it may be asked", () => {
    const drive = Drive.up(mixed, "a")
    for (const dialledByUs of [true, false]) {
      const turn = turnOf(drive, request)
      Gen1.govern([Gen1.begun(1, dialledByUs, 0)], true, turn)
      assert.deepStrictEqual(said(turn), dialledByUs ? [request] : [])
    }
  })

  it("P11.3: an event each 20 s on a quiet link, and never 30 s without one", () => {
    for (const dialled of [true, false]) {
      const drive = Drive.up(mixed, "a")
      const from = drive.mono
      const { link } = dialled ? drive.reach("b", GEN1) : drive.meet("b", GEN1)
      let last = drive.mono
      while (drive.mono - from < 300_000) {
        if (sentEvents(live(drive, 500), "link.keepalive").some((sent) => sent.link === link)) {
          assert.approximately(drive.mono - last, GEN1_QUIET_MS, 1_000)
          last = drive.mono
        }
        assert.isBelow(drive.mono - last, 30_000)
        drive.mono = Math.max(drive.mono, Math.min(drive.node.alarmAt, drive.mono + 500))
      }
      assert.isAbove(last, from + 270_000)
    }
  })

  it("P11.3, S7: it is sent when the alarm rings, and not at the word of whoever speaks in that very millisecond", () => {
    const drive = Drive.up(mixed, "a")
    const { link } = drive.meet("b", GEN1)
    drive.mono += GEN1_QUIET_MS
    const stranger = drive.nextLink()
    drive.linkUp(null, stranger)
    assert.isEmpty(framesTo(drive.challenge(stranger), link))
    assert.lengthOf(sentEvents(drive.ring(), "link.keepalive"), 1)
  })

  it("P11.3: with the session ends what keeps it alive", () => {
    const drive = Drive.up(mixed, "a")
    const { link } = drive.meet("b", GEN1)
    assert.lengthOf(drive.node.links.gen1, 1)
    const next = drive.meet("b", GEN1).link
    assert.deepStrictEqual(
      drive.node.links.gen1.map((line) => line.link),
      [next]
    )
    drive.feed({ _tag: "LinkDown", link, reason: "closed" }, { _tag: "LinkDown", link: next, reason: "closed" })
    assert.isEmpty(drive.node.links.gen1)
    assert.isEmpty(sentEvents(drive.pass(60_000), "link.keepalive"))
  })
})

describe("its budget, on links that we dialled", () => {
  /** When each message left on `link`, ms. */
  const flood = (drive: Drive, link: number, forMs: number, everyMs: number): ReadonlyArray<number> => {
    const sent: Array<number> = []
    const note = (commands: ReadonlyArray<Command>) => framesTo(commands, link).forEach(() => sent.push(drive.mono))
    for (const until = drive.mono + forMs; drive.mono < until;) {
      note(ask(drive, link, sent.length))
      const next = drive.mono + everyMs
      note(live(drive, everyMs))
      drive.mono = Math.max(drive.mono, next)
    }
    return sent
  }

  it("P11.4: it is asked ten times a second, and never sends more than its share in any window", () => {
    const drive = Drive.up(mixed, "a")
    const { link } = drive.reach("b", GEN1)
    const began = drive.mono
    const sent = [began, began, ...flood(drive, link, 400_000, 100)]
    assert.isAbove(sent.length, 300)
    for (const at of sent)
      assert.isAtMost(sent.filter((other) => other >= at && other < at + GEN1_BUDGET_MS).length, GEN1_BUDGET_MESSAGES)
    const within60 = Math.max(...sent.map((at) => sent.filter((other) => other >= at && other < at + 60_000).length))
    assert.isAtMost(within60, 100)
    assert.isAbove(
      drive.node.refusals.reduce((sum, n) => sum + n),
      1_000,
      "what was dropped is counted"
    )
  })

  it("P11.4: amid the flood the link is kept alive, and the goodbye gets through", () => {
    const drive = Drive.up(mixed, "a")
    const { link } = drive.reach("b", GEN1)
    let keepalives = 0
    for (let n = 0; n < 1_000; n++) {
      keepalives += sentEvents([...ask(drive, link, n), ...live(drive, 200)], "link.keepalive").length
      drive.mono = Math.max(drive.mono, Math.min(drive.mono + 200, drive.node.alarmAt))
    }
    assert.isAtLeast(keepalives, Math.floor(drive.mono / GEN1_QUIET_MS) - 1)
    assert.lengthOf(sentEvents(drive.feed({ _tag: "Leave", reason: "test" }), "peer.leaving"), 1)
  })

  it("P11.4: on links that it dialled there is no budget", () => {
    const drive = Drive.up(mixed, "a")
    const { link } = drive.meet("b", GEN1)
    const answered = Array.from({ length: 300 }, (_, n) => framesTo(ask(drive, link, n), link).length)
    assert.strictEqual(
      answered.reduce((sum, n) => sum + n),
      300
    )
  })

  it("P11.5: what waits is sent the most urgent first, and of those the older", () => {
    const drive = Drive.up(mixed, "a")
    let lines = [Gen1.begun(1, true, 0)] as ReturnType<typeof Gen1.govern>
    const say = (...frames: ReadonlyArray<Frame>): ReadonlyArray<Frame> => {
      const turn = turnOf(drive, ...frames)
      lines = Gen1.govern(lines, true, turn)
      return said(turn)
    }
    assert.lengthOf(say(...Array.from({ length: 68 }, () => event("planner.proposal"))), 68)
    drive.mono = 1_000
    assert.isEmpty(say(event("planner.proposal")), "its share is used up")
    assert.lengthOf(say(...Array.from({ length: 10 }, () => request)), 10)
    assert.isEmpty(say(request))
    assert.lengthOf(say(...Array.from({ length: 10 }, (_, n) => reply(n))), 10)
    assert.isEmpty(say(reply(10), reply(11)))
    assert.deepStrictEqual(say(event("peer.leaving"))[0]?.type, "event", "lifecycle has a share of its own")
    assert.deepStrictEqual(
      lines[0]!.waiting.map(({ frame }) => frame),
      [reply(10), reply(11), request, event("planner.proposal")]
    )
    assert.strictEqual(Gen1.dueOf(lines), 1_000 + GEN1_QUIET_MS)
    drive.mono = GEN1_BUDGET_MS
    assert.deepStrictEqual(
      say().filter((frame) => frame.type !== "event" || frame.event !== "link.keepalive"),
      [request, event("planner.proposal")],
      "nobody waits for the answers any more"
    )
    assert.isBelow(1_000 + GEN1_ANSWER_MS, GEN1_BUDGET_MS)
  })

  it("P11.5: only an answer grows too old: whatever else waits has an alarm for room, and none that rings again and again", () => {
    const drive = Drive.up(mixed, "a")
    const requests = Array.from({ length: 79 }, () => request)
    const lines = Gen1.govern([Gen1.begun(1, true, 0)], true, turnOf(drive, ...requests))
    assert.lengthOf(lines[0]!.waiting, 1)
    drive.mono = GEN1_ANSWER_MS + 1
    const later = Gen1.govern(lines, true, turnOf(drive))
    assert.lengthOf(later[0]!.waiting, 1)
    assert.strictEqual(Gen1.dueOf(later), drive.mono + GEN1_QUIET_MS)
  })

  it("P11.5, S10: no more than so many wait, and what is dropped is counted", () => {
    const drive = Drive.up(mixed, "a")
    const turn = turnOf(drive, ...Array.from({ length: 500 }, (_, n) => reply(n)))
    const [line] = Gen1.govern([Gen1.begun(1, true, 0)], true, turn)
    assert.strictEqual(said(turn).length, 88)
    assert.strictEqual(line!.waiting.length, GEN1_WAITING_MAX)
    assert.strictEqual(turn.facts.length, 500 - 88 - GEN1_WAITING_MAX)
    assert.isAtMost(line!.sent.length, GEN1_BUDGET_MESSAGES)
  })
})

describe("its clock", () => {
  const aheadMs = 240_000
  const theirs = (drive: Drive) => ({ kernel: false, claims: { signedAtMs: 86_400_000 + drive.mono + aheadMs } })
  const signedAt = (commands: ReadonlyArray<Command>, link: number): number | undefined => {
    for (const frame of framesTo(commands, link)) {
      if (frame.type === "req" && frame.method === "mesh.connect") return frame.params.signedAtMs
      if (frame.type === "res" && frame.ok && "signedAtMs" in (frame.payload as object))
        return (frame.payload as { readonly signedAtMs: number }).signedAtMs
    }
    return undefined
  }

  it("P11.6: our answer is signed by the clock of its login", () => {
    const drive = Drive.up(pair, "a")
    const { commands, link } = drive.meet("b", theirs(drive))
    assert.strictEqual(signedAt(commands, link), 86_400_000 + drive.mono + aheadMs)
    assert.strictEqual(status(drive.node, drive.mono).peers[0]?.clockOffsetMs, aheadMs)
  })

  it("P11.6: and so is the next login, though our own calendar jumped meanwhile", () => {
    const drive = Drive.up(pair, "a")
    const { link } = drive.meet("b", theirs(drive))
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    drive.wallOffMs = 3_600_000
    const next = drive.reach("b", theirs(drive))
    assert.strictEqual(signedAt(next.commands, next.link), 86_400_000 + drive.mono + aheadMs)
  })

  it("P11.6: refused, it signs by its own calendar again", () => {
    const drive = Drive.up(pair, "a")
    const { link } = drive.meet("b", theirs(drive))
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    const refuse = (): ReadonlyArray<Command> => {
      while (drive.contact("b").attempt === null) drive.ring()
      const refused = drive.nextLink()
      drive.linkUp(drive.contact("b").attempt, refused)
      const login = drive.answerChallenge(refused)
      const error = { code: "AUTH_FAILED", message: "clock" }
      drive.receive(refused, { type: "res", id: "connect", ok: false, error })
      return login.filter((command) => command._tag === "Send")
    }
    const first = refuse()
    assert.strictEqual(signedAt(first, 2), 86_400_000 + drive.mono + aheadMs)
    assert.strictEqual(signedAt(refuse(), 3), 86_400_000 + drive.mono)
  })

  it("P9.6: a kernel peer is signed to by our own calendar, and its offset is shown", () => {
    const drive = Drive.up({ ...pair, gen1: "" }, "a")
    const face = { claims: { signedAtMs: 86_400_000 + drive.mono + 400_000 } }
    const { commands, link } = drive.meet("b", face)
    assert.strictEqual(signedAt(commands, link), 86_400_000 + drive.mono)
    assert.strictEqual(status(drive.node, drive.mono).peers[0]?.clockOffsetMs, 400_000)
  })
})

describe("dialling it", () => {
  const dials = (commands: ReadonlyArray<Command>) => commands.filter(({ _tag }) => _tag === "Dial").length

  it("P11.7: its backoff goes on to 30 s", () => {
    let longest = 0
    for (let seed = 0; seed < 100; seed++) {
      const drive = Drive.up(pair, "a", { bootId: `boot-${seed}` })
      for (let n = 0; n < 8; n++) {
        while (drive.contact("b").attempt === null) drive.ring()
        drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "unreachable" })
        longest = Math.max(longest, drive.contact("b").nextDialAt - drive.mono)
      }
    }
    assert.isAtMost(longest, GEN1_REDIAL_MAX_MS)
    assert.isAbove(longest, 0.95 * GEN1_REDIAL_MAX_MS)
  })

  it("P11.7: found, it is dialled by the lower id, and by the higher one never", () => {
    const advert = (name: string): Given => ({
      _tag: "Sighted",
      deviceId: id(name),
      name,
      addresses: ["192.168.1.5:18789"],
      gen: 1
    })
    const found = (us: string, them: string): number => {
      const config = configOf({ ...pair, dialled: "" }, us)
      const drive = new Drive(config)
      drive.start()
      const before = dials(drive.feed(advert(them)))
      const { link } = drive.meet(them, GEN1)
      const atOnce = before + dials(drive.pass(1_000))
      drive.feed({ _tag: "LinkDown", link, reason: "closed" })
      return atOnce + dials(drive.pass(600_000))
    }
    assert.isAbove(found("a", "b"), 0)
    assert.strictEqual(found("b", "a"), 0)
  })

  it("P11.8: gone with a goodbye it is left, dialled again after 30 s, and up with its next session", () => {
    const drive = Drive.up(pair, "a")
    const { link } = drive.reach("b", GEN1)
    const commands = drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0 })
    assert.deepStrictEqual(hangups(commands), [{ link, code: 1000, reason: "goodbye" }])
    assert.strictEqual(drive.member("b").state, "left")
    assert.strictEqual(dials(drive.pass(GEN1_REDIAL_MAX_MS - 1)), 0)
    assert.strictEqual(dials(drive.pass(1)), 1)
    drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "refused" })
    assert.strictEqual(drive.member("b").state, "left")
    drive.reach("b", GEN1)
    assert.strictEqual(drive.member("b").state, "up")
  })
})

describe("what it says", () => {
  it("P11.9: its reports change nothing that we say, and no link", () => {
    const drive = Drive.up(mixed, "a")
    drive.meet("c")
    const { link } = drive.meet("b", GEN1)
    const before = drive.node
    for (let n = 0; n < 100; n++) {
      const commands = drive.hear(link, "peer.down", { gen: 1, deviceId: id("c"), reportedAtMs: 0 })
      assert.isEmpty(commands.filter(({ _tag }) => _tag !== "SetAlarm"))
    }
    assert.strictEqual(drive.node.links, before.links)
    assert.strictEqual(drive.member("c").state, "up")
    assert.strictEqual(drive.sessions("c").length, 1)
  })

  it("P11.9: words that only kernel peers have change nothing, and are counted: it is no witness, and no elector", () => {
    const drive = Drive.up({ ...mixed, electors: "abc" }, "a")
    drive.meet("c")
    const { link } = drive.meet("b", GEN1)
    const term = { manifest: 1, counter: 7 }
    const edges = [{ subject: id("c"), incarnation: 1, good: false }]
    const before = drive.node
    const said = [
      drive.hear(link, "mesh.edges", { rows: [{ observer: id("b"), incarnation: 1, version: 9, edges }] }),
      drive.hear(link, "mesh.vote", { term }),
      drive.hear(link, "mesh.lead", { term, beat: 1 }),
      drive.hear(link, "mesh.probe", { subject: id("c"), incarnation: 1 })
    ]
    assert.isEmpty(said.flat())
    assert.strictEqual(drive.node.membership, before.membership)
    assert.strictEqual(drive.node.leadership, before.leadership)
    assert.strictEqual(drive.node.links, before.links)
    assert.deepStrictEqual(status(drive.node, drive.mono).refusals, { NOT_AUTHORIZED: 4 })
  })

  it("P6.3: a report of another generation is counted", () => {
    const drive = Drive.up(mixed, "a")
    const { link } = drive.meet("b", GEN1)
    drive.hear(link, "peer.down", { gen: 2, deviceId: id("c"), reportedAtMs: 0 })
    assert.deepStrictEqual(status(drive.node, drive.mono).refusals, { UNSUPPORTED_GENERATION: 1 })
  })

  it("P11.9: it counts as no observer: few who could outvote us are few with it, too", () => {
    const roles = { a: "node", b: "node", c: "node", d: "node" } as const
    const misses = (gen1: string): number => {
      const drive = Drive.up({ roles, gen1 }, "a")
      const { link } = drive.meet("b")
      drive.feed({ _tag: "Ponged", link, probe: 1 })
      for (let n = 0; n < 10_000 && drive.member("b").good; n++) drive.ring()
      return drive.member("b").misses
    }
    assert.strictEqual(misses("d"), 3)
    assert.strictEqual(misses(""), 2)
  })

  it("P11.9: and where few are left without it, others are asked at each probe that is missed", () => {
    const roles = { a: "node", b: "node", c: "node", d: "node" } as const
    const asked = (gen1: string): boolean => {
      const drive = Drive.up({ roles, gen1 }, "a")
      const { link } = drive.meet("c")
      drive.meet("b")
      for (let n = 0; n < 10_000 && drive.member("b").misses === 0; n++) {
        const said = drive.ring()
        if (sentEvents(said, "mesh.probe").length > 0) return true
        for (const command of said)
          if (command._tag === "Ping" && command.link === link)
            drive.feed({ _tag: "Ponged", link, probe: command.probe })
      }
      return false
    }
    assert.isTrue(asked("d"))
    assert.isFalse(asked(""))
  })
})

describe("other generations", () => {
  it("P6.4: refused, and shown, whichever end dialled", () => {
    const future = { hello: { gen: [2, 2] as const } }
    for (const dialled of [true, false]) {
      const drive = Drive.up({ ...pair, gen1: "" }, "a")
      if (dialled) drive.reach("b", future)
      else drive.meet("b", future)
      assert.strictEqual(status(drive.node, drive.mono).peers[0]?.refused, "UNSUPPORTED_GENERATION")
      drive.meet("b")
      assert.isUndefined(status(drive.node, drive.mono).peers[0]?.refused)
    }
  })
})
