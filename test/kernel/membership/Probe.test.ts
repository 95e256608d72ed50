import { assert, describe, it } from "@effect/vitest"
import { Drive, events, hangups, id, notes, sentEvents, three, type World } from "../drive.ts"

const many: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" } }
const few: World = { roles: { a: "field", b: "field" } }

const pings = (commands: ReadonlyArray<{ readonly _tag: string }>) => commands.filter(({ _tag }) => _tag === "Ping")

/** Until the next beat of `drive`, whose probe goes out then. */
const beat = (drive: Drive) => drive.passUntil(drive.node.membership.beatAt)

/** Everybody but `silent` answers every probe, at once, for `ms`. */
const liveOn = (drive: Drive, ms: number, silent = "") => {
  const until = drive.mono + ms
  const said: Array<ReturnType<Drive["ring"]>[number]> = []
  while (drive.node.alarmAt <= until) {
    const commands = drive.ring()
    said.push(...commands)
    for (const command of commands) {
      if (command._tag !== "Ping") continue
      const peer = drive.node.membership.members.find(({ link }) => link === command.link)
      if (peer === undefined || silent.includes(peer.deviceId.charAt(0))) continue
      said.push(...drive.feed({ _tag: "Ponged", link: command.link, probe: command.probe }))
    }
  }
  drive.mono = until
  return said
}

describe("probes", () => {
  it("each session is pinged and gets a heartbeat with its own epoch each second", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    const { epoch } = drive.sessions("b")[0]!
    const commands = liveOn(drive, 10_000)
    assert.strictEqual(pings(commands).length, 10)
    const heartbeats = sentEvents(commands, "mesh.heartbeat")
    assert.deepStrictEqual(
      heartbeats.map(({ seq }) => seq),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    )
    for (const heartbeat of heartbeats) assert.deepInclude(heartbeat, { link, epoch })
  })

  it("a generation 1 peer is pinged and gets none of our events", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b", { kernel: false })
    const commands = liveOn(drive, 10_000)
    assert.strictEqual(pings(commands).length, 10)
    assert.deepStrictEqual(
      commands.filter(({ _tag }) => _tag === "Send"),
      []
    )
  })

  it("the deadline follows the round trips, between its bounds", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    const deadline = (rttMs: number): number => {
      beat(drive)
      const { probe, probeDeadline, probedAt } = drive.member("b")
      drive.mono += rttMs
      drive.feed({ _tag: "Ponged", link, probe })
      return probeDeadline - probedAt
    }
    assert.strictEqual(deadline(1), 700)
    assert.strictEqual(deadline(1), 400)
    for (let i = 0; i < 40; i++) deadline(600)
    assert.isAbove(deadline(600), 600)
    assert.isBelow(deadline(600), 2_801)
  })
})

describe("misses", () => {
  const badAfter = (world: World, others: string): number => {
    const drive = Drive.up({ ...world, gen1: "" }, "a")
    for (const name of others) drive.meet(name)
    liveOn(drive, 5_000)
    const from = drive.node.membership.beatAt
    liveOn(drive, 8_000, "b")
    const told = drive.member("b")
    assert.isFalse(told.good)
    return Math.ceil((told.since - from) / 1_000)
  }

  it("two in a row make an edge bad where observers are many, three where they are few", () => {
    assert.strictEqual(badAfter(few, "b"), 3)
    assert.strictEqual(badAfter(many, "b"), 2)
  })

  it("one alone makes nothing bad: the next answer restores", () => {
    const drive = Drive.up(many, "a")
    const { link } = drive.meet("b")
    liveOn(drive, 3_000)
    beat(drive)
    drive.pass(900)
    assert.strictEqual(drive.member("b").misses, 1)
    beat(drive)
    drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe })
    assert.strictEqual(drive.member("b").misses, 0)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("any frame since the probe is as good as its answer", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    for (let i = 0; i < 20; i++) {
      beat(drive)
      drive.mono += 100
      drive.receive(link, { type: "req", id: "1", method: "mesh.peers", params: {} })
    }
    assert.strictEqual(drive.member("b").misses, 0)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("the answer to an older probe is a sign of life, and no round trip", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    beat(drive)
    const { probe } = drive.member("b")
    drive.pass(950)
    beat(drive)
    drive.feed({ _tag: "Ponged", link, probe })
    assert.strictEqual(drive.member("b").misses, 0)
    assert.strictEqual(drive.member("b").srtt8, 0)
  })

  it("three end the connection, and it is dialled anew", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    const commands = liveOn(drive, 6_000, "b")
    assert.deepStrictEqual(hangups(commands)[0], { link, code: 1001, reason: "3 probes missed" })
    assert.isAbove(commands.filter(({ _tag }) => _tag === "Dial").length, 0)
    assert.deepStrictEqual(
      events(commands).filter((event) => event.startsWith("peer.d") && event !== "peer.dial"),
      ["peer.down", "peer.disconnect"]
    )
  })

  it("a reset and a refused redial are bad at once", () => {
    const drive = Drive.up(many, "a")
    const { link } = drive.meet("b")
    liveOn(drive, 2_000)
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.isTrue(drive.member("b").good)
    while (drive.contact("b").attempt === null) drive.ring()
    const commands = drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "refused" })
    assert.deepInclude(notes(commands), {
      event: "peer.down",
      about: id("b"),
      incarnation: 1,
      witnesses: [id("a")],
      reason: "unconfirmed"
    })
  })

  it("a refused redial alone is not, nor is a reset with a redial that nobody answered", () => {
    for (const [down, failed] of [
      ["timeout", "refused"],
      ["reset", "timeout"]
    ] as const) {
      const drive = Drive.up(many, "a")
      const { link } = drive.meet("b")
      drive.feed({ _tag: "LinkDown", link, reason: down })
      while (drive.contact("b").attempt === null) drive.ring()
      drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: failed })
      assert.isTrue(drive.member("b").good, `${down}, ${failed}`)
    }
  })
})

describe("B7: a slow observer accuses nobody", () => {
  it("an alarm that rings late voids the probes that are out", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 2_000)
    for (let i = 0; i < 50; i++) {
      drive.ring(151 + i * 100)
      assert.strictEqual(drive.member("b").misses, 0)
    }
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("one that rings 150 ms late is in time", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    for (let i = 0; i < 12; i++) drive.ring(150)
    assert.notStrictEqual(drive.member("b").state, "up")
  })

  it("after a stall nobody is accused before a whole probe of silence more", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 2_000)
    drive.ring(60_000)
    const from = drive.mono
    const commands = drive.passUntil(from + 2_000)
    assert.notInclude(events(commands), "peer.down")
    assert.include(events(drive.passUntil(from + 3_000)), "peer.down")
  })
})

describe("return (8)", () => {
  /** Makes the edge bad and lets a new handshake through; how long until it is good again. */
  const flap = (drive: Drive): number => {
    liveOn(drive, 4_000, "b")
    assert.strictEqual(drive.member("b").state, "down")
    drive.meet("b", { linkCounter: drive.nextLink() })
    const from = drive.mono
    while (drive.member("b").state !== "up") liveOn(drive, 1)
    return drive.mono - from
  }

  it("an edge is good again after 2, 30, 60, 120, 300, 300 s, by number of flaps", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    const waits = [1, 2, 3, 4, 5, 6].map(() => flap(drive))
    assert.deepStrictEqual(waits, [2_000, 30_000, 60_000, 120_000, 300_000, 300_000])
  })

  it("one flap is forgiven for each ten minutes", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    flap(drive)
    flap(drive)
    liveOn(drive, 600_000)
    assert.strictEqual(flap(drive), 30_000)
    liveOn(drive, 1_800_000)
    assert.strictEqual(flap(drive), 2_000)
  })

  it("a miss during the probation ends it: the edge stays bad", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 4_000, "b")
    drive.meet("b", { linkCounter: 50 })
    liveOn(drive, 1_900, "b")
    assert.isAbove(drive.member("b").misses, 0)
    liveOn(drive, 1_000, "b")
    assert.strictEqual(drive.member("b").state, "down")
  })

  it("a new incarnation of a device that was down is on probation too", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 4_000, "b")
    drive.meet("b", { incarnation: 2 })
    assert.strictEqual(drive.member("b").state, "down")
    liveOn(drive, 2_000)
    assert.strictEqual(drive.member("b").state, "up")
  })
})

describe("left", () => {
  it("is not down: a goodbye is told as such, and silence after it says nothing", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    const commands = drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0 })
    assert.deepInclude(notes(commands), { event: "peer.left", about: id("b"), incarnation: 1, reason: "leaving" })
    const later = drive.pass(600_000)
    assert.notInclude(events(later), "peer.down")
    assert.strictEqual(drive.member("b").state, "left")
  })
})
