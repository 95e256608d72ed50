import { assert, describe, it } from "@effect/vitest"
import type { Connection } from "../../../sim/network/Connection.ts"
import type { Rule } from "../../../sim/network/Rule.ts"
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
  { _tag: "burst-loss", pairs, enterPpm: 200_000, leavePpm: 200_000, badPpm: 900_000, goodPpm: 10_000 },
  { _tag: "capacity", pairs: [["b", "a"]], bytesPerSecond: 400 },
  { _tag: "duplicate", pairs, ppm: 300_000, lateMs: { min: 1, max: 900 }, anywhere: true },
  { _tag: "reorder", pairs: [["c", "b"]], ppm: 300_000, places: 3 },
  { _tag: "idle-cut", pairs: [["c", "a"]], idleMs: 300, answer: "reset" }
]

/** The connection of this number, as it is in that network. */
const inLab = (lab: Lab, connection: Connection): Connection | null => lab.network.connection(connection.id)

const busy = () => {
  const lab = new Lab(["a", "b", "c"], { delayMs: { min: 2, max: 60 }, lossPpm: 50_000 }, 5)
  const connections = [lab.open("a", "b"), lab.open("c", "a"), lab.open("b", "c")]
  const ids = RULES.map((rule, place) => lab.network.apply(rule, String(place)))
  talk(lab, connections, 0, 60)
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
  return {
    log: lab.log.map(({ atMs, connection, host, what }) => `${atMs} ${host} #${connection} ${what}`),
    effects: ids.map((id) => lab.network.effects(id))
  }
}

describe("a fork of a network", () => {
  it("has the same future, whatever lies on its paths", () => {
    const one = busy()
    const copy = one.lab.fork()
    const expected = future(one.lab, one.connections, one.ids)
    assert.isAbove(expected.log.length, 300)
    assert.isTrue(expected.effects.every((effects) => Object.values(effects).some((count) => count > 0)))
    assert.deepStrictEqual(future(copy, one.connections, one.ids), expected)
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
    early.network.mendAll()
    early.network.drop(early.host("b"), true)
    for (const connection of one.connections) {
      const here = inLab(early, connection)
      if (here !== null) early.network.close(here, 0, true)
    }
    early.run(10_000)
    assert.deepStrictEqual(future(late, one.connections, one.ids), expected)
  })

  it("belongs to its own machines", () => {
    const one = busy()
    const copy = one.lab.fork()
    for (const connection of one.connections) {
      const here = inLab(copy, connection)!
      assert.notStrictEqual(here, connection)
      for (const side of [0, 1] as const) assert.strictEqual(here.ports[side], copy.host(connection.ports[side].name))
    }
  })
})
