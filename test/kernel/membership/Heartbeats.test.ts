/** P7.15, P7.17: what heartbeats say of a link where the network, or the node itself, held them up. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { ringsOf } from "../../../kernel/membership/Rings.ts"
import { Drive, id, type World } from "../drive.ts"

const many: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" } }
const HALF_BEAT_MS = 500

/** Answers every probe and says its heartbeats half a beat after those of others, each of the peers of one node. */
class Company {
  readonly drive: Drive
  private readonly seqs = new Map<string, number>()

  constructor(world = many) {
    this.drive = Drive.up(world, "a")
    for (const name of Object.keys(world.roles)) if (name !== "a") this.meet(name)
  }

  meet(name: string): void {
    this.drive.meet(name)
    this.seqs.set(name, 0)
  }

  forget(name: string): void {
    this.seqs.delete(name)
  }

  /** A heartbeat of `name` with this acknowledgement: everything, if left out. */
  says(name: string, ack = this.drive.member(name).seq): ReadonlyArray<Command> {
    const seq = this.seqs.get(name)!
    this.seqs.set(name, seq + 1)
    const [mine, ours, theirs, their] = this.drive.sessions(name)[0]!.epoch
    const { fingerprint } = this.drive.node.membership
    const payload = { epoch: [theirs, their, mine, ours] as const, seq, rows: fingerprint, ack }
    return this.drive.hear(this.drive.member(name).link!, "mesh.heartbeat", payload)
  }

  /** Everybody but `silent` is there, for `ms`. */
  pass(ms: number, silent = ""): void {
    const { drive } = this
    const until = drive.mono + ms
    for (let next = drive.mono + HALF_BEAT_MS; drive.mono < until;) {
      const to = Math.min(next, until)
      while (drive.node.alarmAt <= to) this.answer(drive.ring(), silent)
      drive.mono = to
      if (to < next) continue
      next += 2 * HALF_BEAT_MS
      for (const name of this.seqs.keys()) if (!silent.includes(name)) this.answer(this.says(name), silent)
    }
  }

  answer(commands: ReadonlyArray<Command>, silent = ""): void {
    for (const command of commands) {
      if (command._tag !== "Ping") continue
      const asked = this.drive.node.membership.members.find(({ link }) => link === command.link)
      if (asked === undefined || silent.includes(asked.deviceId.charAt(0))) continue
      this.drive.feed({ _tag: "Ponged", link: command.link, probe: command.probe })
    }
  }

  /** The rows of `observers` say of `b` that it is good, or not. */
  rows(observers: string, good: boolean, version: number): void {
    const edges = [{ subject: id("b"), incarnation: this.drive.member("b").incarnation, good }]
    for (const name of observers)
      this.drive.hear(this.drive.member(name).link!, "mesh.edges", {
        rows: [{ observer: id(name), incarnation: 1, version, edges }]
      })
  }
}

describe("P7.17: heartbeats that were held up", () => {
  it("and come at once say no more than one: a link that stalled both ways for less than two probes stays good", () => {
    const company = new Company()
    const { drive } = company
    company.pass(10_000)
    const { seq } = drive.member("b")
    company.pass(1_900, "b")
    company.says("b", seq)
    company.says("b", seq)
    company.says("b", seq)
    assert.isTrue(drive.member("b").good)
  })

  it("P7.15: nor do they accuse anybody while a stall of our own is made up for", () => {
    const company = new Company()
    const { drive } = company
    company.pass(10_000)
    const { seq } = drive.member("b")
    company.answer(drive.ring(5_000), "b")
    for (let i = 0; i < 2; i++) {
      drive.mono += 600
      company.says("b", seq)
    }
    assert.isAbove(drive.node.membership.attentiveAt, drive.mono)
    assert.isTrue(drive.member("b").good)
  })
})

describe("P7.17: a heartbeat that takes no notice of ours", () => {
  it("is a probe missed, once its link has ended: whoever is deaf to us and lets go is not better off", () => {
    const company = new Company()
    const { drive } = company
    company.pass(10_000)
    const { link, seq } = drive.member("b")
    company.pass(1_100, "b")
    drive.mono += 300
    company.says("b", seq)
    assert.deepInclude(drive.member("b"), { deaf: 1, misses: 0, good: true })
    drive.feed({ _tag: "LinkDown", link: link!, reason: "reset" })
    assert.deepInclude(drive.member("b"), { link: null, misses: 1, good: true })
    company.forget("b")
    company.pass(2_500)
    assert.isFalse(drive.member("b").good)
  })
})

describe("P7.15: a heartbeat that stands for a probe", () => {
  it("says as well that another interface has a carrier: who dies is found in time", () => {
    const company = new Company()
    company.pass(10_000)
    company.drive.feed({ _tag: "Carrier", up: false })
    company.pass(1_500)
    company.pass(3_500, "c")
    assert.isFalse(company.drive.member("c").good)
  })
})

describe("P7.13: a device that is on probation and that all others have as good", () => {
  it("is up as soon as it acknowledges again what it had not", () => {
    const company = new Company()
    const { drive } = company
    company.pass(10_000)
    // Twice down: the second probation takes half a minute.
    for (const version of [2, 4]) {
      company.pass(2_800, "b")
      company.rows("cde", false, version)
      company.pass(1_200, "b")
      assert.strictEqual(drive.member("b").state, "down")
      company.meet("b")
      if (version === 2) company.rows("cde", true, 3)
      company.pass(13_000)
    }
    drive.pass(600)
    drive.feed({ _tag: "Ponged", link: drive.member("b").link!, probe: drive.member("b").probe })
    company.says("b", drive.member("b").acked)
    assert.strictEqual(drive.member("b").deaf, 1)
    company.rows("cde", true, 5)
    assert.strictEqual(drive.member("b").state, "down")
    assert.isAbove(drive.member("b").probationEnds, drive.mono + 10_000)
    company.says("b")
    assert.strictEqual(drive.member("b").state, "up")
  })
})

describe("P7.10: a device that becomes ours on the rings", () => {
  it.each([0, 1, 2, 3, 4])("is probed at each beat from the next one on, %i beats later", (beats) => {
    const roles = Object.fromEntries([..."abcdefghijklmnop"].map((name) => [name, "field" as const]))
    const company = new Company({ roles })
    const { drive } = company
    // Everybody is seen by others, so that it need not stand in for them.
    const edges = [..."bcdefghijklmnop"].map((name) => ({ subject: id(name), incarnation: 1, good: true }))
    for (const name of "bcdefghijklmnop")
      drive.hear(drive.member(name).link!, "mesh.edges", {
        rows: [
          { observer: id(name), incarnation: 1, version: 1, edges: edges.filter(({ subject }) => subject !== id(name)) }
        ]
      })
    company.pass(10_000 + beats * 1_000)
    const watched = () => {
      const { placeOf, watched: all } = ringsOf(drive.node.config)
      return [...placeOf].flatMap(([deviceId, place]) => (all[place] === true ? [deviceId.charAt(0)] : []))
    }
    // Whoever is distrusted leaves its place to another one.
    const before = watched()
    drive.feed({ _tag: "Distrust", deviceId: id(before[0]!) })
    company.forget(before[0]!)
    const ours = watched().find((name) => !before.includes(name))
    assert.isDefined(ours)
    company.pass(4_000, ours)
    assert.isFalse(drive.member(ours!).good)
  })
})
