/** Rows said in another's name (P7.2): whom one has a link to speaks for itself. */
import { assert, describe, it } from "@effect/vitest"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import { allIsWell, asMallory, besiege, closedWith, SETTLED_MS, statusOf, type Siege } from "./Siege.ts"

const NODES = ["main", "backup", "field"] as const

/** main's row as somebody else tells it: its two friends are down. */
const forged = (s: Siege, incarnation: number, version: number) => ({
  observer: s.main.config.deviceId,
  incarnation,
  version,
  edges: [s.backup, s.field].map(({ config }) => ({ subject: config.deviceId, incarnation: 1, good: false }))
})

const mainsRowAt = (s: Siege, machine: Machine) =>
  machine.state()!.membership.rows.find((row) => row.observer === s.main.config.deviceId)

/** Messages with rows that a node sent after this time, ms. What main is shown in its own name has no edges (P3.20). */
const rowsSent = (s: Siege, afterMs: number): number => {
  let count = 0
  for (const { name } of s.world.machines)
    for (const step of s.traces.get(name)!) {
      const [atMs, , commands] = JSON.parse(step) as [number, unknown, ReadonlyArray<{ readonly frame?: Frame }>]
      if (atMs <= afterMs) continue
      for (const { frame } of commands)
        if (frame?.type === "event" && frame.event === "mesh.edges")
          count += Number(frame.payload.rows.some(({ edges }) => edges.length > 0))
    }
  return count
}

/** Everybody holds what main itself says of itself, all hold the same rows, and nobody talks about them any more. */
const truthHolds = (s: Siege, quietSinceMs: number): void => {
  const { fingerprint, mine } = s.main.state()!.membership
  for (const machine of [s.backup, s.field]) {
    assert.deepStrictEqual(mainsRowAt(s, machine), mine, `${machine.name} has main's own words`)
    assert.strictEqual(machine.state()!.membership.fingerprint, fingerprint)
  }
  assert.isUndefined(mainsRowAt(s, s.main), "main keeps no second row of its own")
  assert.strictEqual(rowsSent(s, quietSinceMs), 0, "rows sent although all hold the same")
}

describe("P7.2: main's row, forged by a trusted device that has a session with everybody", () => {
  const forgeries = [
    ["in the last of versions", 1, 2 ** 48],
    ["in the last of incarnations", 2 ** 48, 1]
  ] as const
  for (const [title, incarnation, version] of forgeries)
    it(`${title}: everybody keeps main's own row, and nobody talks of rows afterwards`, () => {
      const lines: Array<Line> = []
      const siege = besiege(
        (s) => {
          for (const name of NODES) lines.push(asMallory(s, name))
          s.mallory.at(SETTLED_MS + 2_000, () => {
            for (const line of lines) line.tell("mesh.edges", { rows: [forged(s, incarnation, version)] })
          })
        },
        { untilMs: 20_000 }
      )
      assert.deepStrictEqual(
        lines.map((line) => closedWith(siege, line)),
        [null, null, null]
      )
      truthHolds(siege, SETTLED_MS + 2_000)
      for (const machine of [siege.main, siege.backup, siege.field])
        assert.deepStrictEqual(statusOf(siege, machine).refusals, {}, "a row too many is no offence")
      allIsWell(siege)
    })
})

describe("P7.2: main's row, forged to somebody who has no link to main", () => {
  const MENDED_MS = 9_000
  const cut = ({ world }: Siege): void => {
    world.network.cut("main", "field")
    world.network.cut("field", "main")
  }
  const versions = [
    ["in the last of versions", () => 2 ** 48],
    ["in the very version that main's own row has next", (s: Siege) => s.main.state()!.membership.mine.version + 1]
  ] as const
  for (const [title, version] of versions)
    it(`${title}: believed while they are apart (part 12), replaced by main's own word when they meet`, () => {
      const siege = besiege(
        (s) => {
          asMallory(s, "field", {}, (line) => {
            assert.isUndefined(
              s.field
                .state()!
                .links.links.find((link) => link._tag === "Session" && link.peer === s.main.config.deviceId)
            )
            line.tell("mesh.edges", { rows: [forged(s, 1, version(s))] })
          })
          s.mallory.at(MENDED_MS - 1, () => {
            assert.deepStrictEqual(
              mainsRowAt(s, s.field),
              forged(s, 1, mainsRowAt(s, s.field)!.version),
              "it was believed"
            )
            assert.notDeepEqual(
              mainsRowAt(s, s.backup),
              mainsRowAt(s, s.field),
              "by field only: backup has a link to main"
            )
          })
          s.mallory.at(MENDED_MS, () => {
            s.world.network.restore("main", "field")
            s.world.network.restore("field", "main")
          })
        },
        { prepare: cut, untilMs: 40_000 }
      )
      truthHolds(siege, 30_000)
      allIsWell(siege)
    })
})
