import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import type { Edge } from "../../../kernel/wire/Frame.ts"
import { Mesh } from "../mesh.ts"
import { Drive, events, hangups, id, notes, sentEvents, three, type World } from "../drive.ts"

const many: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" } }
const few: World = { roles: { a: "field", b: "field" } }

const pings = (commands: ReadonlyArray<Command>) => commands.filter((command) => command._tag === "Ping")

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

describe("P7.12: a probe that is not answered", () => {
  it("is pinged again after 230 and 460 ms, by the same number, and no more", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    beat(drive)
    const { probe, probedAt } = drive.member("b")
    const times: Array<number> = []
    while (drive.node.alarmAt < probedAt + 700)
      for (const ping of pings(drive.ring())) {
        assert.deepInclude(ping, { link, probe })
        times.push(drive.mono - probedAt)
      }
    assert.deepStrictEqual(times, [230, 460])
  })

  it("is not pinged again once anything came", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    beat(drive)
    drive.mono += 100
    drive.receive(link, { type: "req", id: "1", method: "mesh.peers", params: {} })
    assert.deepStrictEqual(pings(drive.pass(590)), [])
  })

  it("is no measure of the round trip when it was pinged more than once", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    beat(drive)
    drive.pass(300)
    drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe })
    assert.strictEqual(drive.member("b").srtt8, 0)
    assert.strictEqual(drive.member("b").misses, 0)
  })
})

describe("P7.17: a heartbeat that acknowledges ours", () => {
  /** A node whose first probe was answered, the link to its peer, and what the peer says over it. */
  const linked = (world = few) => {
    const drive = Drive.up(world, "a")
    // Whom it has not met may be of generation 1, and its observers few.
    for (const name of Object.keys(world.roles)) if (name > "b") drive.meet(name)
    const { link } = drive.meet("b")
    const [mine, ours, theirs, their] = drive.sessions("b")[0]!.epoch
    let seq = 0
    const says = (ack?: number) => {
      const payload = {
        epoch: [theirs, their, mine, ours] as const,
        seq: seq++,
        rows: drive.node.membership.fingerprint
      }
      return pings(drive.hear(link, "mesh.heartbeat", ack === undefined ? payload : { ...payload, ack }))
    }
    // The first beats of a link measure it.
    for (let beats = 0; beats < 11; beats++) {
      if (beats > 0) liveOn(drive, 500)
      says(drive.member("b").seq)
      beat(drive)
      for (const { link: over, probe } of drive.node.membership.members)
        if (over !== null && probe !== 0) drive.feed({ _tag: "Ponged", link: over, probe })
    }
    return { drive, link, says }
  }

  it("stands for a probe and its answer; without one each beat has its probe", () => {
    for (const [acks, expected] of [
      [true, 0],
      [false, 20]
    ] as const) {
      const { drive, says } = linked()
      let sent = 0
      for (let beats = 0; beats < 20; beats++) {
        sent += pings(liveOn(drive, 500)).length
        says(acks ? drive.member("b").seq : undefined)
        sent += pings(liveOn(drive, 500)).length
      }
      assert.strictEqual(sent, expected)
      assert.strictEqual(drive.member("b").state, "up")
    }
  })

  it("is late after a beat and what a node may be late by itself: then it is probed, and again a beat later", () => {
    const { drive, says } = linked()
    drive.pass(500)
    says(drive.member("b").seq)
    const heardAt = drive.mono
    const late = 1_150 + drive.member("b").rttvar4
    assert.deepStrictEqual(pings(drive.pass(late - 1)), [])
    assert.strictEqual(pings(drive.pass(1)).length, 1)
    drive.pass(1_000)
    assert.strictEqual(drive.member("b").probedAt, heardAt + late + 1_000)
    assert.strictEqual(drive.member("b").misses, 1)
  })

  it("and one that does not, though ours had the time to arrive, is answered by a probe at once", () => {
    const { drive, says } = linked()
    assert.deepStrictEqual(says(drive.member("b").seq - 1), [], "the last one may be under way")
    drive.pass(500)
    assert.strictEqual(says(drive.member("b").seq - 1).length, 1)
    const more = linked()
    assert.strictEqual(more.says(more.drive.member("b").seq + 1).length, 1, "what was never sent")
  })

  it("two in a row that acknowledge nothing new make an edge bad; it is good again once one does", () => {
    const { drive, link, says } = linked(many)
    const { incarnation, seq } = drive.member("b")
    const edges = [{ subject: id("b"), incarnation, good: true }]
    drive.hear(drive.member("c").link!, "mesh.edges", {
      rows: [{ observer: id("c"), incarnation: 1, version: 2, edges }]
    })
    liveOn(drive, 500, "b")
    says(seq)
    liveOn(drive, 1_000, "b")
    says(seq)
    assert.isTrue(drive.member("b").good, "one may be late")
    liveOn(drive, 1_000, "b")
    says(seq)
    assert.isFalse(drive.member("b").good)
    drive.hear(link, "link.keepalive", { gen: 2, timestamp: 0 })
    assert.isFalse(drive.member("b").good, "that it speaks is known")
    liveOn(drive, 600, "b")
    says(drive.member("b").seq)
    assert.isTrue(drive.member("b").good)
  })

  it("an answered probe between two of them says that it hears us, and so does a new link", () => {
    const { drive, link, says } = linked(many)
    const { seq } = drive.member("b")
    drive.pass(500)
    says(seq)
    drive.pass(1_000)
    assert.strictEqual(says(seq).length, 1)
    drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe })
    assert.strictEqual(drive.member("b").deaf, 0)
    drive.pass(1_000)
    says(seq)
    assert.isTrue(drive.member("b").good)
    assert.strictEqual(drive.member("b").deaf, 1)
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    drive.meet("b")
    assert.strictEqual(drive.member("b").deaf, 0)
  })

  it("puts off no probe of a device that is doubted, or whose last probe was missed", () => {
    const { drive, says } = linked(many)
    const other = drive.member("c").link!
    says(drive.member("b").seq)
    const { probeAt } = drive.member("b")
    assert.isAbove(probeAt, drive.mono + 1_000)
    const edges = [{ subject: id("b"), incarnation: drive.member("b").incarnation, good: false }]
    drive.hear(other, "mesh.edges", {
      rows: [{ observer: id("c"), incarnation: drive.member("c").incarnation, version: 2, edges }]
    })
    drive.pass(600)
    says(drive.member("b").seq)
    assert.strictEqual(drive.member("b").probeAt, probeAt)
  })
})

describe("in a mesh of five in which nothing happens", () => {
  it("P7.17: links are probed once a minute, to know their round trips", () => {
    const mesh = Mesh.settled(many)
    const from = mesh.now
    mesh.pass(60_000)
    const sent = mesh.said.filter(({ at }) => at >= from).map(({ command }) => command)
    assert.strictEqual(pings(sent).length, 5 * 4)
    assert.strictEqual(sentEvents(sent, "mesh.heartbeat").length, 5 * 4 * 60)
  })
})

describe("P7.12: six missed of the last ten", () => {
  // Where two in a row are enough, six of ten cannot come without; where observers are few it takes three in a row.
  const probes = (pattern: string, drive = Drive.up(few, "a"), link = drive.meet("b").link): Drive => {
    for (const probe of pattern) {
      beat(drive)
      if (probe === "x") drive.pass(750)
      else drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe })
    }
    return drive
  }

  it("make an edge bad, though never three in a row", () => {
    assert.isTrue(probes("xx.xx.x.").member("b").good)
    assert.isTrue(probes("xx.xx......x").member("b").good, "the first are no longer among the ten")
    assert.isFalse(probes("xx.xx.xx").member("b").good)
    assert.isFalse(probes("xx.x..xx.x").member("b").good)
  })

  it("and it is not good again before they are fewer", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    probes("xx.xx.xx..", drive, link)
    const { probationEnds } = drive.member("b")
    drive.passUntil(probationEnds)
    assert.isFalse(drive.member("b").good, "its probation is over, and six of the last ten are missed")
    drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe })
    probes("..", drive, link)
    assert.isTrue(drive.member("b").good)
  })
})

describe("P7.13: asking others", () => {
  const asked = (commands: ReadonlyArray<Command>) =>
    sentEvents(commands, "mesh.probe").map(({ link, subject }) => ({ link, subject }))

  it("where observers are few, each probe that is missed is put to the others", () => {
    const drive = Drive.up(three, "a")
    const link = drive.meet("b").link
    drive.meet("c")
    liveOn(drive, 3_000)
    const commands = liveOn(drive, 1_900, "c")
    assert.deepStrictEqual(asked(commands), [
      { link, subject: id("c") },
      { link, subject: id("c") }
    ])
  })

  it("who is asked probes at once, and answers when it is answered, not before", () => {
    const drive = Drive.up(many, "a")
    const from = drive.meet("b").link
    const to = drive.meet("c").link
    liveOn(drive, 2_000)
    const inquiry = { subject: id("c"), incarnation: 1 }
    const at = drive.hear(from, "mesh.probe", inquiry)
    assert.deepStrictEqual(pings(at), [{ _tag: "Ping", link: to, probe: drive.member("c").probe }])
    assert.deepStrictEqual(sentEvents(at, "mesh.probe.answer"), [])
    const then = drive.feed({ _tag: "Ponged", link: to, probe: drive.member("c").probe })
    assert.deepStrictEqual(sentEvents(then, "mesh.probe.answer"), [{ link: from, ...inquiry }])
    assert.deepStrictEqual(sentEvents(drive.hear(to, "mesh.edges", { rows: [] }), "mesh.probe.answer"), [])
  })

  it("nobody is answered for a device that does not answer, or is of another incarnation", () => {
    const drive = Drive.up(many, "a")
    const from = drive.meet("b").link
    drive.meet("c")
    liveOn(drive, 2_000)
    assert.deepStrictEqual(drive.hear(from, "mesh.probe", { subject: id("c"), incarnation: 2 }), [])
    drive.hear(from, "mesh.probe", { subject: id("c"), incarnation: 1 })
    assert.deepStrictEqual(sentEvents(liveOn(drive, 800, "c"), "mesh.probe.answer"), [])
    assert.deepStrictEqual(drive.member("c").askers, [])
  })

  it("whose link ends before the answer is forgotten: nothing is sent to a link that is gone", () => {
    const drive = Drive.up(many, "a")
    const from = drive.meet("b").link
    const to = drive.meet("c").link
    liveOn(drive, 2_000)
    drive.hear(from, "mesh.probe", { subject: id("c"), incarnation: 1 })
    drive.feed({ _tag: "LinkDown", link: from, reason: "reset" })
    assert.deepStrictEqual(drive.member("c").askers, [])
    const then = drive.feed({ _tag: "Ponged", link: to, probe: drive.member("c").probe })
    assert.deepStrictEqual(sentEvents(then, "mesh.probe.answer"), [])
  })

  it("an answer outweighs two witnesses for two beats, and is asked for anew", () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    drive.meet("c")
    liveOn(drive, 3_000)
    const bad = { subject: id("c"), incarnation: 1, good: false }
    drive.hear(link, "mesh.edges", { rows: [{ observer: id("b"), incarnation: 1, version: 9, edges: [bad] }] })
    liveOn(drive, 1_800, "c")
    drive.hear(link, "mesh.probe.answer", { subject: id("c"), incarnation: 1 })
    liveOn(drive, 1_500, "c")
    assert.isFalse(drive.member("c").good)
    assert.strictEqual(drive.member("c").state, "suspect")
    liveOn(drive, 1_000, "c")
    assert.strictEqual(drive.member("c").state, "down")
  })

  it("C12: of a device that somebody else hears, one deaf ear is a suspicion and no more", () => {
    const mesh = Mesh.settled({ roles: { a: "field", b: "field", c: "field" } })
    const from = mesh.now
    mesh.cut("a", "c")
    mesh.pass(60_000)
    for (const name of "abc") assert.notInclude(mesh.events(name, from), "peer.down")
    assert.strictEqual(mesh.view("a"), "b:up c:suspect")
    assert.strictEqual(mesh.view("b"), "a:up c:up")
  })

  it("WAN: after a second of doubt a device is probed besides the beat", () => {
    const drive = Drive.up({ ...many, profile: profiles.wan }, "a")
    const { link } = drive.meet("b")
    const to = drive.meet("c").link
    for (const name of "de") drive.meet(name)
    liveOn(drive, 10_000)
    while (drive.node.membership.beatAt - drive.mono < 2_500) liveOn(drive, 100)
    const bad = { subject: id("c"), incarnation: 1, good: false }
    drive.hear(link, "mesh.edges", { rows: [{ observer: id("b"), incarnation: 1, version: 9, edges: [bad] }] })
    assert.deepStrictEqual(pings(drive.pass(990)), [])
    assert.deepStrictEqual(pings(drive.pass(20)), [{ _tag: "Ping", link: to, probe: drive.member("c").probe }])
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

  /** So many beats: something is heard of `b` in each, and it answers the probe in those marked with a dot. */
  const heard = (drive: Drive, link: number, answers: string): void => {
    for (const answer of answers) {
      beat(drive)
      drive.mono += 100
      drive.receive(link, { type: "req", id: "1", method: "mesh.peers", params: {} })
      if (answer === ".") drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe })
    }
  }

  it("any frame since the probe is as good as its answer", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    heard(drive, link, "x.xx.x.x.x".repeat(3).replaceAll("xx", "x."))
    assert.strictEqual(drive.member("b").misses, 0)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("C12: whoever is heard and leaves six probes of ten without an answer does not hear us: the edge is bad", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    heard(drive, link, "..........xx.xx.x")
    assert.isTrue(drive.member("b").good)
    heard(drive, link, "x.")
    assert.isFalse(drive.member("b").good)
    assert.strictEqual(drive.member("b").misses, 0, "it was never missed")
  })

  it("an answer that is late, and comes before the next probe, is an answer", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    for (let i = 0; i < 20; i++) {
      beat(drive)
      const { probe } = drive.member("b")
      drive.mono += 100
      drive.receive(link, { type: "req", id: "1", method: "mesh.peers", params: {} })
      drive.pass(700)
      assert.strictEqual(drive.member("b").history & 1, 1)
      drive.feed({ _tag: "Ponged", link, probe })
    }
    assert.strictEqual(drive.member("b").history, 0)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("a late answer to another probe is an answer, too: the way there and back works", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    for (let i = 0; i < 20; i++) {
      beat(drive)
      drive.mono += 100
      drive.feed({ _tag: "Ponged", link, probe: drive.member("b").probe - 1 })
    }
    assert.strictEqual(drive.member("b").history, 0)
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

  it("P7.15: a stall that no alarm fell into is told by the driver, and voids them as well", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 2_000)
    let missed = 0
    for (let i = 0; i < 20; i++) {
      beat(drive)
      drive.mono += 395
      drive.feed({ _tag: "Stalled", ms: 200 })
      drive.passUntil(drive.node.membership.beatAt - 1)
      missed += drive.member("b").misses
    }
    assert.strictEqual(missed, 0)
    assert.strictEqual(drive.member("b").state, "up")
  })

  it("P7.15: what others say against a device waits as well, until what is behind it has been taken up", () => {
    const drive = Drive.up(many, "a")
    const { link } = drive.meet("b")
    const said = (good: boolean, version: number) => {
      const edges = [{ subject: id("e"), incarnation: 1, good }]
      return drive.hear(link, "mesh.edges", { rows: [{ observer: id("b"), incarnation: 1, version, edges }] })
    }
    said(true, 5)
    assert.strictEqual(drive.member("e").state, "up")
    drive.feed({ _tag: "Stalled", ms: 200 })
    said(false, 6)
    assert.strictEqual(drive.member("e").state, "up")
    said(true, 7)
    liveOn(drive, 1_600)
    assert.strictEqual(drive.member("e").state, "up")
    drive.feed({ _tag: "Stalled", ms: 200 })
    said(false, 8)
    assert.include(events(liveOn(drive, 1_600)), "peer.down", "and is said then, if nothing came")
  })

  it("S1: a stall that the driver tells voids a lease as a late alarm does", () => {
    const mesh = Mesh.settled(three)
    assert.strictEqual(mesh.leaders(), "a")
    mesh.node("a").feed({ _tag: "Stalled", ms: 301 })
    assert.strictEqual(mesh.leaders(), "")
  })

  it("P7.15: without a carrier of our own nobody is accused for ten seconds, and then everybody is out of reach", () => {
    const drive = Drive.up(many, "a")
    for (const name of "bcde") drive.meet(name)
    liveOn(drive, 2_000)
    drive.feed({ _tag: "Carrier", up: false })
    const quiet = drive.pass(9_900)
    assert.deepStrictEqual(
      events(quiet).filter((event) => event === "peer.suspect" || event === "peer.down"),
      []
    )
    assert.include(events(drive.pass(5_000)), "peer.down")
  })

  it("P7.15: with a carrier back in time nobody was ever accused", () => {
    const drive = Drive.up(many, "a")
    for (const name of "bcde") drive.meet(name)
    liveOn(drive, 2_000)
    drive.feed({ _tag: "Carrier", up: false })
    const commands = [...drive.pass(8_000), ...drive.feed({ _tag: "Carrier", up: true }), ...liveOn(drive, 20_000)]
    for (const event of ["peer.suspect", "peer.down"]) assert.notInclude(events(commands), event)
  })

  it("P7.15: whoever still hears something is not deaf", () => {
    const drive = Drive.up(many, "a")
    for (const name of "bcde") drive.meet(name)
    liveOn(drive, 2_000)
    drive.feed({ _tag: "Carrier", up: false })
    liveOn(drive, 4_000, "b")
    assert.isFalse(drive.member("b").good)
  })

  it("one that rings 150 ms late is in time", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    for (let i = 0; i < 12; i++) drive.ring(150)
    assert.notStrictEqual(drive.member("b").state, "up")
  })

  it("P7.15: after a stall nobody is accused before what came meanwhile could be taken up, and a whole edge of silence more", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 2_000)
    drive.ring(60_000)
    const from = drive.mono
    const commands = drive.passUntil(from + 3_400)
    assert.notInclude(events(commands), "peer.down")
    assert.include(events(drive.passUntil(from + 4_500)), "peer.down")
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

  it("0014: an edge that was bad is good again with the next handshake, as long as the device is not down", () => {
    const drive = Drive.up(many, "a")
    const links = { b: drive.meet("b").link, c: drive.meet("c").link, d: drive.meet("d").link }
    liveOn(drive, 2_000)
    const edges = [{ subject: id("b"), incarnation: 1, good: true }]
    for (const name of ["c", "d"] as const)
      drive.hear(links[name], "mesh.edges", { rows: [{ observer: id(name), incarnation: 1, version: 9, edges }] })
    for (let n = 1; n <= 6; n++) {
      liveOn(drive, 4_000, "b")
      assert.isFalse(drive.member("b").good, `flap ${n}`)
      assert.strictEqual(drive.member("b").state, "suspect")
      drive.meet("b", { linkCounter: drive.nextLink() })
      assert.isTrue(drive.member("b").good, `flap ${n}`)
      liveOn(drive, 8_000)
    }
    assert.strictEqual(drive.member("b").flaps, 0)
  })

  it("0014: what it left unanswered before a new handshake counts all the same", () => {
    const drive = Drive.up(few, "a")
    const { link } = drive.meet("b")
    liveOn(drive, 2_000)
    for (let i = 0; i < 5; i++) heardUnanswered(drive, link)
    assert.isTrue(drive.member("b").good)
    drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    const again = drive.meet("b", { linkCounter: drive.nextLink() })
    assert.isTrue(drive.member("b").good)
    heardUnanswered(drive, again.link)
    assert.isFalse(drive.member("b").good)
  })

  const heardUnanswered = (drive: Drive, link: number): void => {
    beat(drive)
    drive.mono += 100
    drive.receive(link, { type: "req", id: "1", method: "mesh.peers", params: {} })
    drive.pass(750)
  }

  describe("of a device that two thirds have as bad", () => {
    /** `a` and three others have `b` as down, and it answers `a` again. */
    const outvoted = (): Drive => {
      const drive = Drive.up(many, "a")
      const links = new Map(["b", "c", "d", "e"].map((name) => [name, drive.meet(name).link]))
      liveOn(drive, 2_000)
      for (const name of ["c", "d", "e"]) {
        const edges = [{ subject: id("b"), incarnation: 1, good: false }]
        const rows = [{ observer: id(name), incarnation: 1, version: 9, edges }]
        drive.hear(links.get(name)!, "mesh.edges", { rows })
      }
      liveOn(drive, 4_000, "b")
      assert.strictEqual(drive.member("b").state, "down")
      drive.meet("b", { linkCounter: drive.nextLink() })
      return drive
    }

    it("0014: a good edge of one's own is not enough, until it has held for 30 s more", () => {
      const drive = outvoted()
      const from = drive.mono
      liveOn(drive, 2_100)
      assert.isTrue(drive.member("b").good)
      assert.strictEqual(drive.member("b").state, "down")
      while (drive.member("b").state !== "up") liveOn(drive, 10)
      assert.strictEqual(drive.mono - from, 32_000)
    })

    it("0014: nor then, if a probe was missed meanwhile", () => {
      const drive = outvoted()
      liveOn(drive, 20_000)
      beat(drive)
      drive.pass(750)
      const from = drive.mono
      while (drive.member("b").state !== "up") liveOn(drive, 10)
      assert.isAbove(drive.mono - from, 29_000)
    })

    it("0014: fewer against it than that, and it is back", () => {
      const drive = outvoted()
      liveOn(drive, 2_100)
      const edges = [{ subject: id("b"), incarnation: 1, good: true }]
      const { link } = drive.member("c")
      const back = drive.hear(link!, "mesh.edges", {
        rows: [{ observer: id("c"), incarnation: 1, version: 10, edges }]
      })
      assert.deepInclude(notes(back), { event: "peer.up", about: id("b"), incarnation: 1 })
    })

    it("0014: a link that is lost ends it all: the next one begins its probation anew", () => {
      const drive = outvoted()
      liveOn(drive, 20_000)
      drive.feed({ _tag: "LinkDown", link: drive.member("b").link!, reason: "closed" })
      assert.isFalse(drive.member("b").good)
      liveOn(drive, 60_000, "b")
      drive.meet("b", { linkCounter: drive.nextLink() })
      liveOn(drive, 1_000)
      assert.strictEqual(drive.member("b").state, "down")
      assert.isFalse(drive.member("b").good)
    })
  })

  it("a probation ends only with an answer to the last probe", () => {
    const drive = Drive.up(few, "a")
    drive.meet("b")
    liveOn(drive, 4_000, "b")
    const { link } = drive.meet("b", { linkCounter: drive.nextLink() })
    const first = drive.member("b").probationEnds
    while (drive.member("b").probationEnds === first) heardUnanswered(drive, link)
    assert.isFalse(drive.member("b").good)
    liveOn(drive, 12_000)
    assert.isTrue(drive.member("b").good)
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

describe("P7.13: whom nobody says anything of any more", () => {
  /** c is known to a by the word of b only, which then comes back in another life and has met nobody yet. */
  const unseen = () => {
    const drive = Drive.up(three, "a")
    const { link } = drive.meet("b")
    const row = (incarnation: number, edges: ReadonlyArray<Edge>) => ({
      rows: [{ observer: id("b"), incarnation, version: 9, edges }]
    })
    const good = { subject: id("c"), incarnation: 1, good: true }
    drive.hear(link, "mesh.edges", row(1, [good]))
    assert.strictEqual(drive.member("c").state, "up")
    drive.hear(link, "mesh.edges", row(2, []))
    return { drive, link, met: row(2, [good]) }
  }

  it("is suspected for as long as whoever is back takes to report on it, and down after that", () => {
    const { drive } = unseen()
    assert.strictEqual(drive.member("c").state, "suspect")
    liveOn(drive, 6_900)
    assert.strictEqual(drive.member("c").state, "suspect")
    liveOn(drive, 200)
    assert.strictEqual(drive.member("c").state, "down")
  })

  it("is up again once it is reported on, and never was down", () => {
    const { drive, link, met } = unseen()
    const said = [...liveOn(drive, 5_000), ...drive.hear(link, "mesh.edges", met)]
    assert.strictEqual(drive.member("c").state, "up")
    assert.notInclude(events(said), "peer.down")
    assert.strictEqual(drive.member("c").contestedUntil, NEVER_MS)
  })
})
