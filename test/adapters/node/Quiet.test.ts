/** Strangers cannot fill the log: B12, and what is left out is counted. */
import { assert, describe, it } from "@effect/vitest"
import { make, REFUSALS_TOLD_MAX, WINDOW_MS } from "../../../adapters/node/Quiet.ts"
import type { Told } from "../../../adapters/node/Daemon.ts"

const refused = (atMs: number): Told => ({ atMs, event: { event: "frame.refused", code: "INVALID_JSON", link: atMs } })
const up = (atMs: number): Told => ({ atMs, event: { event: "peer.up", about: "a".repeat(64) } })
const more = (count: number) => `${count} more of them within a minute, not listed`

describe("refusals in the log", () => {
  it("are told one by one up to a bound, then counted, and the count is told when the minute is over", () => {
    const quiet = make()
    const told = Array.from({ length: 1_000 }, (_, ms) => quiet.hear(refused(ms), ms)).flat()
    assert.deepStrictEqual(
      told,
      Array.from({ length: REFUSALS_TOLD_MAX }, (_, ms) => refused(ms))
    )
    assert.deepStrictEqual(quiet.due(5, WINDOW_MS - 1), [])
    assert.deepStrictEqual(quiet.due(7, WINDOW_MS), [
      { atMs: 7, event: { event: "frame.refused", reason: more(1_000 - REFUSALS_TOLD_MAX) } }
    ])
    assert.deepStrictEqual(quiet.due(8, 10 * WINDOW_MS), [], "once")
  })
  it("the count comes before the next one that is told, also when nobody asked in between", () => {
    const quiet = make()
    for (let ms = 0; ms <= REFUSALS_TOLD_MAX; ms++) quiet.hear(refused(ms), ms)
    const next = quiet.hear(refused(90_000), 90_000)
    assert.deepStrictEqual(
      next.map(({ event }) => event.reason ?? event.code),
      [more(1), "INVALID_JSON"]
    )
  })
  it("do not silence each other's kind, nor anything else", () => {
    const quiet = make()
    for (let ms = 0; ms < 1_000; ms++) quiet.hear(refused(ms), ms)
    const other: Told = { atMs: 1, event: { event: "connection.refused", code: "TIMEOUT" } }
    assert.deepStrictEqual(quiet.hear(other, 1_000), [other])
    assert.deepStrictEqual(Array.from({ length: 1_000 }, () => quiet.hear(up(1), 1_000)).flat().length, 1_000)
  })
  it("a quiet minute says nothing", () => {
    const quiet = make()
    quiet.hear(refused(1), 1)
    assert.deepStrictEqual(quiet.due(2, WINDOW_MS + 1), [])
  })
})
