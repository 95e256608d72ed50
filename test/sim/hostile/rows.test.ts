/** Rows said in another's name (P7.2): whom one has a link to speaks for itself. */
import { assert, describe, it } from "@effect/vitest"
import type { EdgeRow, Frame } from "../../../kernel/wire/Frame.ts"
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

/** Rows that nodes sent after this time, ms. */
const rowsSent = (s: Siege, afterMs: number): ReadonlyArray<EdgeRow> =>
  s.world.machines.flatMap(({ name }) =>
    s.traces.get(name)!.flatMap((step) => {
      const [atMs, , commands] = JSON.parse(step) as [number, unknown, ReadonlyArray<{ readonly frame?: Frame }>]
      if (atMs <= afterMs) return []
      return commands.flatMap(({ frame }) =>
        frame?.type === "event" && frame.event === "mesh.edges" ? frame.payload.rows : []
      )
    })
  )

/**
 * Everybody holds what main itself says of itself, all hold the same rows, and nobody talks about them any more.
 *
 * @param shown what main was shown in its own name (P3.20)
 */
const truthHolds = (s: Siege, quietSinceMs: number, shown: ReadonlyArray<EdgeRow>): void => {
  const { fingerprint, mine } = s.main.state()!.membership
  for (const machine of [s.backup, s.field]) {
    assert.deepStrictEqual(mainsRowAt(s, machine), mine, `${machine.name} has main's own words`)
    assert.strictEqual(machine.state()!.membership.fingerprint, fingerprint)
  }
  assert.isUndefined(mainsRowAt(s, s.main), "main keeps no second row of its own")
  assert.deepStrictEqual(rowsSent(s, quietSinceMs), shown, "no rows are sent where all hold the same")
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
      const shown = { ...forged(siege, incarnation, version), edges: [] }
      truthHolds(siege, SETTLED_MS + 2_000, [shown, shown])
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
      truthHolds(siege, 30_000, [])
      allIsWell(siege)
    })
})
