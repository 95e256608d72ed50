import { assert, describe, it } from "@effect/vitest"
import { decode } from "../../../kernel/wire/Codec.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { REORDER_LIMIT_MS } from "../../../sim/network/Wire.ts"
import type { Rule } from "../../../sim/network/Rule.ts"
import { Lab, restart } from "./Lab.ts"

const pairs = [["a", "b"]] as const
const words = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => `w${n}`)

const spoken = (rule: Rule, count: number) => {
  const lab = new Lab(["a", "b"])
  const connection = lab.open("a", "b")
  const id = lab.network.apply(rule, "step")
  for (const word of words(count)) {
    lab.say(connection, 0, word)
    lab.run(20)
  }
  lab.run(REORDER_LIMIT_MS + 1_000)
  return { lab, connection, id, heard: lab.words("b") }
}

describe("what a bug behind TLS does to messages (A36, B19)", () => {
  it("duplicates: some come twice, the second so much later, and the rest is as it was", () => {
    const { heard, id, lab } = spoken(
      { _tag: "duplicate", pairs, ppm: 200_000, lateMs: { min: 30, max: 500 }, anywhere: false },
      500
    )
    const twice = words(500).filter((word) => heard.filter((one) => one === word).length === 2)
    assert.isTrue(heard.every((word) => words(500).includes(word)))
    assert.strictEqual(heard.length, 500 + twice.length)
    assert.closeTo(twice.length, 100, 30)
    assert.deepInclude(lab.network.effects(id), { changed: twice.length, delayed: 0 })
    const firsts = heard.filter((word, place) => heard.indexOf(word) === place)
    assert.deepStrictEqual(firsts, words(500))
    for (const word of twice) {
      const [first, second] = lab.log.filter(({ what }) => what === word).map(({ atMs }) => atMs)
      assert.isAtLeast(second! - first!, 30)
      assert.isAtMost(second! - first!, 500)
    }
  })

  it("a late duplicate ends with its connection, or comes out of the next one, also in another process", () => {
    for (const anywhere of [false, true]) {
      const lab = new Lab(["a", "b"])
      const connection = lab.open("a", "b")
      lab.network.apply({ _tag: "duplicate", pairs, ppm: 1_000_000, lateMs: { min: 60_000, max: 60_000 }, anywhere })
      lab.say(connection, 0, "once")
      lab.run(100)
      restart(lab, "b", false)
      lab.run(100)
      lab.network.mendAll()
      const next = lab.network.dial(lab.host("a"), lab.host("b"), 2)
      lab.run(120_000)
      assert.deepStrictEqual(lab.words("b"), anywhere ? ["once", "accepted", "once"] : ["once", "accepted"])
      const { connection: on } = lab.log.at(-1)!
      assert.strictEqual(on, next.id)
    }
  })

  it("a late duplicate for whom there is no connection at all is lost", () => {
    const lab = new Lab(["a", "b"])
    const connection = lab.open("a", "b")
    lab.network.apply({ _tag: "duplicate", pairs, ppm: 1_000_000, lateMs: { min: 900, max: 900 }, anywhere: true })
    lab.say(connection, 0, "once")
    lab.run(100)
    lab.network.close(connection, 0, true)
    lab.run(2_000)
    assert.deepStrictEqual(lab.words("b"), ["once", "reset"])
  })

  it("reorders: nothing is lost, and nobody is overtaken by more than said", () => {
    for (const places of [1, 4]) {
      const { heard, id, lab } = spoken({ _tag: "reorder", pairs, ppm: 200_000, places }, 500)
      assert.sameMembers([...heard], [...words(500)])
      assert.notDeepEqual(heard, words(500))
      let moved = 0
      let furthest = 0
      words(500).forEach((word, place) => {
        const before = heard.slice(0, heard.indexOf(word))
        // Those said later that came earlier.
        const overtook = before.filter((other) => Number(other.slice(1)) > place).length
        if (overtook > 0) moved++
        furthest = Math.max(furthest, overtook)
      })
      assert.strictEqual(furthest, places)
      assert.closeTo(moved, 100, 30)
      // The last ones may have had nobody behind them.
      assert.closeTo(lab.network.effects(id).changed, moved, 1)
    }
  })

  it("what waits for others comes after a second if there are none, before a goodbye, and with the rule's end", () => {
    const alone = new Lab(["a", "b"])
    const connection = alone.open("a", "b")
    const sentMs = alone.nowMs
    const id = alone.network.apply({ _tag: "reorder", pairs, ppm: 1_000_000, places: 3 })
    alone.say(connection, 0, "alone")
    alone.run(5_000)
    assert.strictEqual(alone.whenMs("b", "alone"), sentMs + 10 + REORDER_LIMIT_MS)
    alone.say(connection, 0, "held")
    alone.run(50)
    alone.network.undo(id)
    alone.run(0)
    assert.strictEqual(alone.whenMs("b", "held"), sentMs + 5_050)

    const leaving = new Lab(["a", "b"])
    const last = leaving.open("a", "b")
    leaving.network.apply({ _tag: "reorder", pairs, ppm: 1_000_000, places: 3 })
    leaving.say(last, 0, "last word")
    leaving.network.close(last, 0, false)
    leaving.run(20)
    assert.deepStrictEqual(leaving.words("b"), ["last word", "closed"])
  })

  it("corruption: one character is another, of frames too, and what remains of them passes the real codec", () => {
    const { heard, id, lab } = spoken({ _tag: "corrupt", pairs, ppm: 300_000 }, 500)
    assert.lengthOf(heard, 500)
    const changed = heard.filter((word, n) => word !== `w${n}`)
    assert.closeTo(changed.length, 150, 40)
    assert.strictEqual(lab.network.effects(id).changed, changed.length)
    heard.forEach((word, n) => {
      const before = `w${n}`
      assert.lengthOf(word, before.length)
      assert.isAtMost([...before].filter((char, place) => char !== word[place]).length, 1)
    })

    const frames = new Lab(["a", "b"])
    const connection = frames.open("a", "b")
    frames.network.apply({ _tag: "corrupt", pairs, ppm: 1_000_000 })
    const term = { manifest: 1, counter: 7 }
    const frame: Frame = { type: "event", event: "mesh.lead", payload: { term, beat: 3 } }
    for (let n = 0; n < 200; n++) frames.network.send(connection, 0, { _tag: "frame", frame })
    frames.network.send(connection, 0, { _tag: "ping", probe: 7 })
    frames.run(100)
    const texts = frames.words("b")
    assert.strictEqual(texts.at(-1), "ping 7")
    assert.isAbove(new Set(texts).size, 100)
    for (const text of texts.slice(0, -1)) {
      assert.notStrictEqual(text, JSON.stringify(frame))
      assert.include(["Frame", "Ignored", "Refused"], decode(text)._tag)
    }
  })
})
