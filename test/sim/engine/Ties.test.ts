/** Events of one millisecond in a drawn order: every order of what is independent, and no other. */
import { assert, describe, it } from "@effect/vitest"
import { key } from "../../../kernel/Draw.ts"
import { Agenda } from "../../../sim/engine/Agenda.ts"
import { Ties } from "../../../sim/engine/Ties.ts"
import type { WorldEvent } from "../../../sim/engine/World.ts"
import type { Network } from "../../../sim/network/Network.ts"
import { runScenario } from "../../../sim/run.ts"
import { field } from "../search/Field.ts"

describe("the agenda, asked which of the events due goes first", () => {
  it("offers all that is due first, in the order of pushing, and takes what is chosen", () => {
    const agenda = new Agenda<string>()
    for (const [atMs, what] of [
      [5, "b"],
      [3, "x"],
      [5, "c"],
      [3, "y"],
      [20_000, "far"],
      [3, "z"]
    ] as const)
      agenda.push(atMs, what)
    const offered: Array<string> = []
    const taken: Array<string> = []
    const last = (due: ReadonlyArray<string>): number => {
      offered.push(due.join(""))
      return due.length - 1
    }
    while (agenda.nextBy(last)) taken.push(`${agenda.payload}@${agenda.atMs}`)
    assert.deepStrictEqual(offered, ["xyz", "xy", "x", "bc", "b", "far"])
    assert.deepStrictEqual(taken, ["z@3", "y@3", "x@3", "c@5", "b@5", "far@20000"])
    assert.isFalse(agenda.nextBy(last))
  })

  it("offers what was pushed to this instant meanwhile, and nothing that was cancelled", () => {
    const agenda = new Agenda<string>()
    agenda.push(1, "a")
    const gone = agenda.push(1, "b")
    agenda.push(1, "c")
    agenda.nextBy(() => 0)
    agenda.cancel(gone)
    agenda.push(1, "d")
    let offered: ReadonlyArray<string> = []
    agenda.nextBy((due) => {
      offered = due
      return 1
    })
    assert.deepStrictEqual([offered, agenda.payload], [["c", "d"], "d"])
  })
})

/** Three events of one machine, two of another, two packets of a connection and a step of the script, all due at once. */
const crowd = (): ReadonlyArray<{ readonly told: string; readonly event: WorldEvent }> => {
  const events = [
    ["a1", { _tag: "input", machine: 0 }],
    ["p1", { _tag: "arrive", connection: 1, from: 0 }],
    ["b1", { _tag: "alarm", machine: 1 }],
    ["a2", { _tag: "alarm", machine: 0 }],
    ["s1", { _tag: "script", step: 0, undo: false }],
    ["p2", { _tag: "reset", connection: 1, at: 0 }],
    ["a3", { _tag: "synced", machine: 0 }],
    ["b2", { _tag: "input", machine: 1 }]
  ] as const
  return events.map(([told, event]) => ({ told, event: event as unknown as WorldEvent }))
}

/** Of the network the ties ask only which lane a packet is in. */
const network = { tie: () => ({ lane: 1, of: key(1, "transit", "a>b#1") }) } as unknown as Network

const orderOf = (seed: number, of = crowd()): ReadonlyArray<string> => {
  const ties = new Ties(seed, network, (machine) => "ab"[machine]!)
  const due = of.slice()
  const order: Array<string> = []
  while (due.length > 0) order.push(due.splice(ties.choose(due.map(({ event }) => event)), 1)[0]!.told)
  return order
}

describe("ties", () => {
  const orders = Array.from({ length: 500 }, (_, seed) => orderOf(seed))

  it("keep what one machine does by itself, and what one connection carries, in order", () => {
    for (const order of orders)
      for (const lane of ["a", "b", "p", "s"])
        assert.deepStrictEqual(
          order.filter((one) => one.startsWith(lane)),
          order.filter((one) => one.startsWith(lane)).toSorted()
        )
  })

  it("bring everything else in every order: anybody first, anybody last, interleaved", () => {
    assert.deepStrictEqual([...new Set(orders.map((order) => order[0]))].sort(), ["a1", "b1", "p1", "s1"])
    assert.deepStrictEqual([...new Set(orders.map((order) => order.at(-1)))].sort(), ["a3", "b2", "p2", "s1"])
    assert.isAbove(new Set(orders.map((order) => order.join(" "))).size, 100)
  })

  it("of two lanes do not depend on who else is there", () => {
    const few = crowd().filter(({ told }) => "ap".includes(told[0]!))
    for (const [seed, order] of orders.entries())
      assert.deepStrictEqual(
        orderOf(seed, few),
        order.filter((one) => "ap".includes(one[0]!))
      )
  })

  it("of a whole run are drawn from its seed; as they come, the run is as ever", () => {
    const run = (ties: "fifo" | "drawn") => runScenario(field(), { seed: 1, ties })
    assert.strictEqual(run("fifo").hash, runScenario(field(), { seed: 1 }).hash)
    assert.notStrictEqual(run("drawn").hash, run("fifo").hash)
    assert.strictEqual(run("drawn").hash, run("drawn").hash)
  })
})
