import { assert, describe, it } from "@effect/vitest"
import { NEVER_MS } from "../../../kernel/Time.ts"
import type { Command } from "../../../kernel/Command.ts"
import type { Code } from "../../../kernel/wire/Codes.ts"
import { configOf, Drive, hangups, id, notes, sentEvents, three, type World } from "../drive.ts"

const pair: World = { roles: { a: "field", b: "field" } }

/** Rings until `a` dials `b`; how long that took. */
const untilDial = (drive: Drive): number => {
  const from = drive.mono
  while (drive.contact("b").attempt === null) drive.ring()
  return drive.mono - from
}

const fail = (drive: Drive): void => {
  drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "unreachable" })
}

describe("dialling", () => {
  it("P3.8: at the start everybody with an address is dialled, within the spread", () => {
    const drive = Drive.up(three, "a")
    const dials = drive.pass(100).filter(({ _tag }) => _tag === "Dial")
    assert.sameMembers(
      dials.map((dial) => (dial._tag === "Dial" ? dial.to : "")),
      [id("b"), id("c")]
    )
  })

  it("P3.8: who has no address is waited for", () => {
    const drive = Drive.up({ ...three, dialled: "c" }, "a")
    const dials = drive.pass(600_000).filter(({ _tag }) => _tag === "Dial")
    assert.deepStrictEqual(
      dials.map((dial) => (dial._tag === "Dial" ? dial.to : "")),
      [id("c")]
    )
    assert.strictEqual(drive.contact("b").nextDialAt, NEVER_MS)
  })

  it("P3.8: waits are drawn below 1, 2, 4, 8, 8 s, and spread over all of that", () => {
    const waits: Array<Array<number>> = [[], [], [], [], [], []]
    for (let seed = 0; seed < 200; seed++) {
      const drive = Drive.up({ ...pair, gen1: "" }, "a", { bootId: `boot-${seed}` })
      untilDial(drive)
      for (const column of waits) {
        fail(drive)
        column.push(untilDial(drive))
      }
    }
    for (const [index, boundMs] of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000].entries()) {
      const column = waits[index]!
      assert.isAtMost(Math.max(...column), boundMs)
      assert.isAbove(Math.max(...column), 0.95 * boundMs)
      assert.isBelow(Math.min(...column), 0.05 * boundMs)
      const mean = column.reduce((sum, wait) => sum + wait, 0) / column.length
      assert.approximately(mean, boundMs / 2, boundMs / 10)
    }
  })

  it("P3.9: a session of 30 s starts the backoff anew, with a prompt attempt", () => {
    const drive = Drive.up(pair, "a")
    for (let i = 0; i < 5; i++) {
      untilDial(drive)
      fail(drive)
    }
    const { link } = drive.reach("b")
    drive.mono += 30_000
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    assert.strictEqual(drive.contact("b").failures, 0)
    assert.isAtMost(drive.contact("b").nextDialAt, drive.mono + 50)
  })

  it("P3.9: a shorter session is one failure more", () => {
    const drive = Drive.up(pair, "a")
    const { link } = drive.reach("b")
    drive.mono += 29_999
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    assert.strictEqual(drive.contact("b").failures, 1)
    assert.isAtMost(drive.contact("b").nextDialAt, drive.mono + 1_000)
  })

  const lasting: ReadonlyArray<Code> = [
    "UNTRUSTED_PEER",
    "MESH_ID_MISMATCH",
    "PUBLIC_KEY_MISMATCH",
    "UNSUPPORTED_GENERATION",
    "IDENTITY_CONFLICT",
    "INSECURE_TRANSPORT",
    "UNPINNED_TRANSPORT",
    "PIN_MISMATCH"
  ]
  it.each(lasting)("P3.10: refused with %s, it waits five minutes and shows the code", (code) => {
    const drive = Drive.up(pair, "a")
    untilDial(drive)
    const link = drive.nextLink()
    drive.linkUp(drive.contact("b").attempt, link)
    const commands = [
      ...drive.answerChallenge(link),
      ...drive.receive(link, { type: "res", id: "connect", ok: false, error: { code, message: "no" } })
    ]
    assert.strictEqual(drive.contact("b").refused, code)
    assert.strictEqual(drive.contact("b").nextDialAt, drive.mono + 300_000)
    assert.deepInclude(
      notes(commands).find(({ event }) => event === "connection.refused"),
      { about: id("b"), code }
    )
    assert.deepStrictEqual(hangups(commands), [{ link, code: 1008, reason: code }])
  })

  it.each([
    ["pin mismatch", "PIN_MISMATCH"],
    ["no tls", "INSECURE_TRANSPORT"]
  ] as const)("P3.10: a dial that found %s there waits as long, and shows %s", (reason, code) => {
    const drive = Drive.up(pair, "a")
    untilDial(drive)
    drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason })
    assert.strictEqual(drive.contact("b").refused, code)
    assert.strictEqual(drive.contact("b").nextDialAt, drive.mono + 300_000)
  })

  it("P3.10: so does one that may not be made at all", () => {
    const config = configOf(pair, "a")
    const trusted = config.trusted.map((device) => ({ ...device, gen1: false, address: "ws://203.0.113.5:18789" }))
    const drive = new Drive({ ...config, trusted })
    drive.start()
    drive.ring()
    assert.strictEqual(drive.contact("b").refused, "INSECURE_TRANSPORT")
    assert.strictEqual(drive.contact("b").nextDialAt, drive.mono + 300_000)
  })

  it("P3.10, P6.4: a session ends what was shown", () => {
    const drive = Drive.up(pair, "a")
    untilDial(drive)
    drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "pin mismatch" })
    drive.meet("b")
    assert.strictEqual(drive.contact("b").refused, null)
  })

  it("P3.10: nor is one that is not kept sought before that, however few links there are", () => {
    const roles = Object.fromEntries(Array.from("0123456789abcdef", (name) => [name, "field" as const]))
    const drive = Drive.up({ roles, gen1: "" }, "0")
    const refusedAt: { [name: string]: number } = {}
    const until = drive.mono + 250_000
    while (drive.mono < until)
      for (const command of drive.ring()) {
        if (command._tag !== "Dial") continue
        const name = command.to.charAt(0)
        const { kept } = drive.contact(name)
        assert.isUndefined(refusedAt[name], name)
        if (!kept) refusedAt[name] = drive.mono
        drive.feed({ _tag: "DialFailed", attempt: command.attempt, reason: kept ? "unreachable" : "pin mismatch" })
      }
    assert.isAbove(Object.keys(refusedAt).length, 0, "those that are not kept were sought, once each")
  })

  it("P3.10: any other refusal is a failure like any other", () => {
    const drive = Drive.up(pair, "a")
    untilDial(drive)
    const link = drive.nextLink()
    drive.linkUp(drive.contact("b").attempt, link)
    drive.answerChallenge(link)
    drive.receive(link, { type: "res", id: "connect", ok: false, error: { code: "AUTH_FAILED", message: "no" } })
    assert.strictEqual(drive.contact("b").refused, null)
    assert.isAtMost(drive.contact("b").nextDialAt, drive.mono + 1_000)
  })

  it("a session cancels the dial that is out, and what comes of it changes nothing", () => {
    const drive = Drive.up(pair, "a")
    untilDial(drive)
    const attempt = drive.contact("b").attempt!
    const { commands } = drive.meet("b")
    assert.deepInclude(commands, { _tag: "CancelDial", attempt })
    const before = drive.node
    drive.feed({ _tag: "DialFailed", attempt, reason: "refused" })
    assert.strictEqual(drive.node, before)
    const late = drive.linkUp(attempt, 77)
    assert.deepStrictEqual(hangups(late), [{ link: 77, code: 1000, reason: "no longer wanted" }])
    assert.strictEqual(drive.node, before)
  })

  it("a device with a session is not dialled", () => {
    const drive = Drive.up(pair, "a")
    const { link } = drive.meet("b")
    const commands: Array<unknown> = []
    for (let i = 0; i < 120; i++) {
      // It is alive: its heartbeat arrives each second.
      const [mine, ours, theirs, their] = drive.sessions("b")[0]!.epoch
      commands.push(...drive.pass(500))
      drive.hear(link, "mesh.heartbeat", { epoch: [theirs, their, mine, ours], seq: i, rows: 0 })
    }
    assert.deepStrictEqual(
      commands.filter((command) => (command as { _tag: string })._tag === "Dial"),
      []
    )
  })

  it("P3.11, C18: who said goodbye is looked for each minute where the operator said that it is", () => {
    const drive = Drive.up(pair, "a")
    const { link } = drive.reach("b")
    drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0 })
    const before = drive.mono
    assert.deepStrictEqual(sentEvents(drive.pass(10_000), "mesh.heartbeat"), [])
    const dialledAfter = (): number => {
      for (;;) {
        const dial = drive.pass(100).find((command) => command._tag === "Dial")
        if (dial?._tag !== "Dial") continue
        const tookMs = drive.mono - before
        drive.feed({ _tag: "DialFailed", attempt: dial.attempt, reason: "refused" })
        return tookMs
      }
    }
    const minutes = Array.from({ length: 20 }, dialledAfter).map((ms) => Math.round(ms / 1_000))
    assert.deepStrictEqual(
      minutes,
      minutes.map((_, n) => 60 * (n + 1))
    )
    drive.reach("b", { incarnation: 2 })
    assert.lengthOf(drive.sessions("b"), 1, "it is back, in its next life")
  })
})

describe("P3.21: somebody reaches it whom we have as down", () => {
  const five: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" } }

  /** `b` is down by the word of the others; `says` is what one of them says of it from then on. */
  const lost = () => {
    const drive = Drive.up(five, "a")
    const link = Object.fromEntries([..."cde"].map((name) => [name, drive.meet(name).link]))
    let version = 0
    const says = (from: string, good: boolean) =>
      drive.hear(link[from]!, "mesh.edges", {
        rows: [
          {
            observer: id(from),
            incarnation: 1,
            version: ++version,
            edges: [{ subject: id("b"), incarnation: 1, good }]
          }
        ]
      })
    for (const from of "cde") says(from, false)
    drive.pass(1_200)
    for (const from of "cde") says(from, false)
    assert.strictEqual(drive.member("b").state, "down")
    return { drive, says }
  }

  const dials = (commands: ReadonlyArray<Command>) =>
    commands.filter((command) => command._tag === "Dial" && command.to === id("b")).length

  it("a dial that has been under way for a second is begun anew, and then not again so soon", () => {
    const { drive, says } = lost()
    const attempt = drive.contact("b").attempt!
    assert.deepInclude(says("c", true), { _tag: "CancelDial", attempt })
    assert.strictEqual(dials(drive.pass(100)), 1)
    assert.notInclude(
      says("d", true).map(({ _tag }) => _tag),
      "CancelDial"
    )
  })

  it("the wait between two dials is over", () => {
    const { drive, says } = lost()
    fail(drive)
    assert.isAbove(drive.contact("b").nextDialAt, drive.mono + 100)
    says("c", true)
    assert.isAtMost(drive.contact("b").nextDialAt, drive.mono + 100)
  })

  it("one that others reached before, and one that refuses us, are dialled as before", () => {
    const { drive, says } = lost()
    says("c", true)
    drive.pass(1_200)
    const { attempt, nextDialAt } = drive.contact("b")
    says("c", true)
    assert.deepStrictEqual([drive.contact("b").attempt, drive.contact("b").nextDialAt], [attempt, nextDialAt])
    const link = drive.nextLink()
    drive.linkUp(attempt, link)
    drive.answerChallenge(link)
    drive.receive(link, { type: "res", id: "connect", ok: false, error: { code: "UNTRUSTED_PEER", message: "no" } })
    const refusedUntil = drive.contact("b").nextDialAt
    says("d", true)
    assert.strictEqual(drive.contact("b").nextDialAt, refusedUntil)
  })
})
