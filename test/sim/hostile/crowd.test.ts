/** More handshakes at once than a node holds (P5.11): who is silent gives way, who speaks does not. */
import { assert, describe, it } from "@effect/vitest"
import { UNAUTHENTICATED_LINKS_MAX } from "../../../kernel/Profile.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import { allIsWell, asMallory, besiege, closedWith, nobodyElseNotices, statusOf, type Siege } from "./Siege.ts"

/** Handshakes that field holds now. */
const held = ({ field }: Siege): ReadonlyArray<number> =>
  field.state()!.links.links.flatMap(({ _tag, link }) => (_tag === "Session" ? [] : [link]))

const isSession = ({ field }: Siege, line: Line): boolean =>
  field.state()!.links.links.some(({ _tag, link }) => _tag === "Session" && link === line.link)

const dial = ({ eve }: Siege, count: number, speaks: boolean): ReadonlyArray<Line> =>
  Array.from({ length: count }, () =>
    eve.dial("field", { opened: (line) => (speaks ? line.ask("c", "mesh.challenge") : undefined) })
  )

const byLink = (a: Line, b: Line): number => a.link - b.link

describe(`P5.11: a node holds ${UNAUTHENTICATED_LINKS_MAX} handshakes`, () => {
  it("of 200 silent connections the oldest are closed, the newest held, and none for longer than ten seconds", () => {
    let lines: ReadonlyArray<Line> = []
    let heldMax = 0
    let last: ReadonlyArray<number> = []
    const options = { untilMs: 15_500 }
    const siege = besiege((s) => {
      lines = dial(s, 200, false)
      for (let ms = 0; ms < 10_000; ms += 20)
        s.eve.at(s.world.nowMs + ms, () => {
          heldMax = Math.max(heldMax, held(s).length)
        })
      s.eve.at(s.world.nowMs + 5_000, () => {
        last = held(s)
      })
    }, options)
    assert.strictEqual(heldMax, UNAUTHENTICATED_LINKS_MAX)
    const newest = [...lines].sort(byLink).slice(-UNAUTHENTICATED_LINKS_MAX)
    assert.deepStrictEqual(
      last,
      newest.map(({ link }) => link)
    )
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, {
      RATE_LIMITED: 200 - UNAUTHENTICATED_LINKS_MAX,
      TIMEOUT: UNAUTHENTICATED_LINKS_MAX
    })
    assert.isTrue(lines.every((line) => closedWith(siege, line) === 1008))
    assert.deepStrictEqual(held(siege), [])
    nobodyElseNotices(siege, ["field"], options)
  })

  it("whoever has asked for its nonce does not give way: the newcomer is closed unheard", () => {
    let spoke: ReadonlyArray<Line> = []
    let late!: Line
    const options = { untilMs: 12_000 }
    const siege = besiege((s) => {
      spoke = dial(s, UNAUTHENTICATED_LINKS_MAX, true)
      s.eve.at(s.world.nowMs + 1_000, () => {
        ;[late] = dial(s, 1, true) as readonly [Line]
      })
    }, options)
    assert.strictEqual(closedWith(siege, late), 1008)
    assert.deepStrictEqual(late.heard, [])
    for (const line of spoke) assert.strictEqual(line.heard.length, 1, "each has its nonce")
    for (const line of spoke) assert.isNull(closedWith(siege, line))
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { RATE_LIMITED: 1 })
    nobodyElseNotices(siege, ["field"], options)
  })

  it("of many that have asked and one that has not, the one gives way, though it is not the oldest", () => {
    let silent!: Line
    let late!: Line
    const siege = besiege((s) => {
      dial(s, UNAUTHENTICATED_LINKS_MAX - 1, true)
      s.eve.at(s.world.nowMs + 500, () => {
        ;[silent] = dial(s, 1, false) as readonly [Line]
      })
      s.eve.at(s.world.nowMs + 1_000, () => {
        ;[late] = dial(s, 1, true) as readonly [Line]
      })
    })
    assert.strictEqual(closedWith(siege, silent), 1008)
    assert.strictEqual(late.heard.length, 1, "it has its nonce")
    assert.isNull(closedWith(siege, late))
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { RATE_LIMITED: 1 })
    nobodyElseNotices(siege, ["field"])
  })

  it("silent lines do not keep an honest dialler out", () => {
    let line!: Line
    const siege = besiege((s) => {
      dial(s, UNAUTHENTICATED_LINKS_MAX, false)
      s.mallory.at(s.world.nowMs + 1_000, () => {
        assert.strictEqual(held(s).length, UNAUTHENTICATED_LINKS_MAX)
        line = asMallory(s, "field")
      })
    })
    assert.isTrue(isSession(siege, line))
    assert.deepStrictEqual(line.errors, [])
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { RATE_LIMITED: 1 })
    allIsWell(siege)
  })
})
