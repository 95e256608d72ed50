import { assert, describe, it } from "@effect/vitest"
import { Agenda } from "../../../sim/engine/Agenda.ts"
import type { Connection } from "../../../sim/network/Connection.ts"
import { Network } from "../../../sim/network/Network.ts"
import type { Rule } from "../../../sim/network/Rule.ts"
import type { Due, Seat } from "../../../sim/network/Segment.ts"
import { Lab } from "./Lab.ts"

const pairs = [
  ["a", "b"],
  ["b", "a"],
  ["a", "c"]
] as const

const RULES: ReadonlyArray<Rule> = [
  { _tag: "flap", pairs, cutMs: { min: 100, max: 900 }, openMs: { min: 300, max: 900 } },
  { _tag: "partition", groups: [["a"], ["c"]] },
  { _tag: "clog", pairs: [["b", "c"]] },
  { _tag: "burst-loss", pairs, enterPpm: 200_000, leavePpm: 50_000, badPpm: 300_000, goodPpm: 10_000 },
  { _tag: "capacity", pairs: [["b", "a"]], bytesPerSecond: 400 },
  { _tag: "duplicate", pairs, ppm: 300_000, lateMs: { min: 1, max: 900 }, anywhere: true },
  { _tag: "reorder", pairs: [["c", "b"]], ppm: 300_000, places: 3 },
  { _tag: "idle-cut", pairs: [["c", "a"]], idleMs: 300, answer: "reset" }
]

/** The connection of this number, as it is in that network. */
const inLab = (lab: Lab, connection: Connection): Connection | null => lab.network.connection(connection.id)

const busy = (turns = 60) => {
  const lab = new Lab(["a", "b", "c"], { delayMs: { min: 2, max: 60 }, lossPpm: 50_000 }, 5)
  const connections = [lab.open("a", "b"), lab.open("c", "a"), lab.open("b", "c")]
  const ids = RULES.map((rule, place) => lab.network.apply(rule, String(place)))
  talk(lab, connections, 0, turns)
  lab.network.dial(lab.host("c"), lab.host("b"), 9)
  return { lab, connections, ids }
}

const talk = (lab: Lab, connections: ReadonlyArray<Connection>, from: number, until: number): void => {
  for (let turn = from; turn < until; turn++) {
    for (const connection of connections)
      for (const side of [0, 1] as const) {
        const here = inLab(lab, connection)
        if (here !== null) lab.say(here, side, `${turn}`)
      }
    lab.run(17)
  }
}

/** What comes of it from now on. */
const future = (lab: Lab, connections: ReadonlyArray<Connection>, ids: ReadonlyArray<number>) => {
  lab.log.length = 0
  talk(lab, connections, 60, 120)
  for (const id of ids.slice(0, 3)) lab.network.undo(id)
  talk(lab, connections, 120, 160)
  lab.network.mendAll()
  lab.run(60_000)
  const anew = lab.network.dial(lab.host("c"), lab.host("b"), 10)
  lab.run(10_000)
  lab.say(anew, 0, "anew")
  lab.run(10_000)
  return {
    log: lab.log.map(({ atMs, connection, host, what }) => `${atMs} ${host} #${connection} ${what}`),
    effects: ids.map((id) => lab.network.effects(id))
  }
}

describe("a fork of a network", () => {
  it("has the same future, whatever lies on its paths", () => {
    for (let turns = 20; turns <= 60; turns += 5) {
      const one = busy(turns)
      const copy = one.lab.fork()
      const expected = future(one.lab, one.connections, one.ids)
      assert.isAbove(expected.log.length, 300)
      assert.isTrue(expected.effects.every((effects) => Object.values(effects).some((count) => count > 0)))
      assert.deepStrictEqual(future(copy, one.connections, one.ids), expected)
    }
  })

  it("is independent: what happens in the one is nothing to the other", () => {
    const one = busy()
    const early = one.lab.fork()
    const late = one.lab.fork()
    const before = one.ids.map((id) => ({ ...early.network.effects(id) }))
    const expected = future(one.lab, one.connections, one.ids)
    assert.deepStrictEqual(
      one.ids.map((id) => early.network.effects(id)),
      before
    )
    early.network.cut("a", "b")
    early.network.restore("b", "a")
    early.network.mendAll()
    early.network.drop(early.host("b"), true)
    for (const connection of one.connections) {
      const here = inLab(early, connection)
      if (here !== null) early.network.close(here, 0, true)
    }
    early.run(10_000)
    assert.deepStrictEqual(future(late, one.connections, one.ids), expected)
  })

  it("lets go on both sides of a connection what was held on both", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({
      _tag: "clog",
      pairs: [
        ["a", "b"],
        ["b", "a"]
      ]
    })
    lab.say(connection, 0, "from a")
    lab.say(connection, 1, "from b")
    lab.run(100)
    const copy = lab.fork()
    for (const one of [copy, lab]) {
      one.network.mendAll()
      one.run(1_000)
      assert.deepStrictEqual(one.words("a"), ["from b"])
      assert.deepStrictEqual(one.words("b"), ["from a"])
      one.network.mendAll()
      one.run(1_000)
      assert.deepStrictEqual([one.words("a").length, one.words("b").length], [1, 1])
    }
  })

  it("belongs to its own machines", () => {
    const one = busy()
    const copy = one.lab.fork()
    let seen = 0
    for (const { id } of one.connections) {
      const there = one.lab.network.connection(id)
      const here = copy.network.connection(id)
      assert.strictEqual(here === null, there === null)
      if (here === null || there === null) continue
      seen++
      assert.notStrictEqual(here, there)
      for (const side of [0, 1] as const) assert.strictEqual(here.ports[side], copy.host(there.ports[side].name))
    }
    assert.isAtLeast(seen, 2)
  })

  it("takes its segment along: stations know what they knew, and hear each other only in their own world", () => {
    const alone = new Segments()
    alone.run(301_500)
    const one = new Segments()
    one.run(1_500)
    const copy = one.fork()
    copy.network.segment.at("b")!.sayGoodbye()
    copy.run(300_000)
    one.run(300_000)
    assert.deepStrictEqual(one.told, alone.told)
    assert.deepStrictEqual(one.datagrams, alone.datagrams)
    assert.isAbove(alone.datagrams.length, 20)
    assert.deepStrictEqual(
      alone.told.map((line) => line.slice(-11)),
      ["a Sighted b", "b Sighted a"]
    )
    assert.deepStrictEqual(
      copy.told.map((line) => line.slice(-8)),
      ["a Lost b"]
    )
  })
})

/** Two stations that announce themselves after a second. */
class Segments {
  nowMs = 0
  readonly told: Array<string> = []
  /** When each is heard. */
  readonly datagrams: Array<number> = []
  readonly network: Network
  private readonly agenda: Agenda<readonly [string, Due]>

  constructor(from?: Segments) {
    const carrier = { nowMs: () => this.nowMs, later: () => {} }
    if (from !== undefined) {
      this.nowMs = from.nowMs
      this.agenda = from.agenda.fork()
      this.network = from.network.fork(
        carrier,
        (port) => port,
        ({ name }) => this.seat(name)
      )
      return
    }
    this.agenda = new Agenda()
    this.network = new Network(carrier, 1, { delayMs: { min: 1, max: 40 }, lossPpm: 0 }, () => true)
    const stations = ["a", "b"].map((name) => this.network.segment.join(this.seat(name)))
    this.run(1_000)
    for (const station of stations)
      station.advertise({ deviceId: station.seat.deviceId, name: station.seat.name, gen: 1, port: 1 })
  }

  fork(): Segments {
    return new Segments(this)
  }

  private seat(name: string): Seat {
    return {
      name,
      deviceId: name,
      address: name,
      later: (atMs, due) => {
        if (due._tag === "hear") this.datagrams.push(atMs)
        this.agenda.push(atMs, [name, due])
      },
      tell: ({ _tag, deviceId }) => {
        this.told.push(`${this.nowMs} ${name} ${_tag} ${deviceId}`)
      }
    }
  }

  run(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.agenda.peekMs() <= untilMs) {
      this.agenda.next()
      this.nowMs = this.agenda.atMs
      const [name, due] = this.agenda.payload!
      this.network.segment.at(name)?.on(due)
    }
    this.nowMs = untilMs
  }
}
