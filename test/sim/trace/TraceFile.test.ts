/** A trace file holds the run itself: the kernel, fed with its inputs, gives the same hash. */
import { assert, describe, it } from "@effect/vitest"
import type { Input } from "../../../kernel/Input.ts"
import { kernel } from "../../../sim/engine/Host.ts"
import { gen1 } from "../../../sim/gen1/Gen1.ts"
import { populate } from "../../../sim/engine/Population.ts"
import { FakeKeys } from "../../../sim/keys/FakeKeys.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { runDrawn } from "../../../sim/search/OneSeed.ts"
import { pointsText } from "../../../sim/search/Points.ts"
import { partingOf } from "../../../sim/search/Parting.ts"
import * as Hash from "../../../adapters/recorded/Hash.ts"
import { log, record } from "../../../sim/trace/TraceFile.ts"
import { FIELD, field, scenarioFrom } from "../search/Field.ts"

const MAKER = { kernel: "4c1e77a", node: "24.4.0" }

interface Header {
  readonly ran: object
  readonly $type: string
  readonly scenario: string
  readonly scenarioHash: string
  readonly seed: number
  readonly drawn: { readonly class: string; readonly sources: ReadonlyArray<string | null>; readonly branch?: string }
  readonly kernel: string
}
interface Line {
  readonly atMs: number
  readonly node: string
  readonly input: Input
}

/** What somebody who has nothing but the file can do. */
const replay = (text: string) => {
  const [first = "", ...rest] = text.trimEnd().split("\n")
  const header = JSON.parse(first) as Header
  const { end } = JSON.parse(rest.pop() ?? "") as { end: { hash: string; verdict: string } }
  const { scenario } = draw(scenarioFrom(header.scenario), header.seed, { swarm: true })
  const { configs } = populate(scenario, header.seed, new FakeKeys())
  // One in eight drawn runs has a device of generation 1 beside the file's, which runs a program of its own.
  const programs = configs.map(({ spec }) => (spec.generation === 1 ? gen1() : kernel))
  const nodes = configs.map(({ config }, index) => programs[index]!.make(config))
  const hash = Hash.make()
  for (const line of rest) {
    const { atMs, input, node } = JSON.parse(line) as Line
    const index = configs.findIndex(({ spec }) => spec.name === node)
    const { make, step } = programs[index]!
    if (input._tag === "Started") nodes[index] = make(configs[index]!.config)
    const [after, commands] = step(nodes[index]!, input)
    nodes[index] = after
    for (const absorbed of [input, ...commands]) Hash.absorb(hash, atMs, index, absorbed)
  }
  return { header, end, hash: Hash.hex(hash), inputs: rest.length }
}

describe("a trace file", () => {
  it("replays to the hash at its end, with crashes, restarts and drawn ties in between", () => {
    for (const seed of [1, 2, 3, 4]) {
      const drawn = draw(field(), seed, { swarm: true })
      const { result, text } = record(field(), { seed, points: [] }, true, MAKER)
      const replayed = replay(text)
      assert.strictEqual(replayed.hash, result.hash)
      assert.deepInclude(replayed.end, { hash: result.hash, verdict: result.verdict })
      assert.strictEqual(replayed.inputs, result.events)
      assert.strictEqual(runDrawn(drawn).hash, result.hash, "writing it down changes nothing")
    }
  })

  it("holds a branch as well, of a branch too", () => {
    const hashes = new Set<string>()
    for (const points of [
      [],
      [{ after: 300, future: 2 }],
      [
        { after: 300, future: 2 },
        { after: 700, future: 1 }
      ]
    ]) {
      const { result, text } = record(field(), { seed: 3, points }, true, MAKER)
      const replayed = replay(text)
      assert.strictEqual(replayed.hash, result.hash)
      assert.strictEqual(replayed.inputs, result.events)
      assert.strictEqual(replayed.header.drawn.branch, points.length === 0 ? undefined : pointsText(points))
      hashes.add(result.hash)
    }
    assert.strictEqual(hashes.size, 3)
  })

  it("one input changed, or left out, is another run", () => {
    const { result, text } = record(field(), { seed: 1, points: [] }, true, MAKER)
    const lines = text.split("\n")
    const at = lines.findIndex((line) => line.includes('"Received"'))
    assert.notStrictEqual(replay(lines.toSpliced(at, 1).join("\n")).hash, result.hash)
    assert.notStrictEqual(
      replay(lines.with(at, lines[at]!.replace('"mono":', '"mono":1')).join("\n")).hash,
      result.hash
    )
  })

  it("says in its header what ran", () => {
    const drawn = draw(field(), 2, { swarm: true })
    const { header } = replay(record(field(), { seed: 2, points: [] }, true, MAKER).text)
    assert.deepInclude(header, { $type: "clawmesh.trace/1", scenario: FIELD, seed: 2, ...MAKER })
    assert.match(header.scenarioHash, /^[0-9a-f]{16}$/u)
    assert.strictEqual(header.drawn.class, drawn.class)
    assert.deepStrictEqual(header.drawn.sources, drawn.sources)
    const { text: _, ...ran } = drawn.scenario
    assert.deepStrictEqual(header.ran, ran)
  })
})

describe("where two runs part", () => {
  const of = (seed: number) => log(field(), { seed, points: [] }, false)

  it("is the first step that differs, with what both do there", () => {
    const first = of(1)
    const whole = first.whole.with(100, "[something else]")
    const words = partingOf(first, { hash: "", told: first.told.with(100, "else"), whole })
    assert.deepStrictEqual(words, [
      `The same until ${first.told[99]}. Then:`,
      `  first   ${first.told[100]}`,
      "  second  else"
    ])
    assert.match(first.told[99]!, /^\d+\.\d{3} {2}\w+ {2}\w+/u)
  })

  it("shows the whole step where its line is the same, and the end of the shorter run", () => {
    const first = of(1)
    const quiet = partingOf(first, { ...first, whole: first.whole.with(0, "[else]") })
    assert.deepStrictEqual(quiet, ["From the first event on:", `  first   ${first.whole[0]}`, "  second  [else]"])
    const shorter = { hash: "", told: first.told.slice(0, 5), whole: first.whole.slice(0, 5) }
    assert.include(partingOf(first, shorter)[2], "nothing more")
    assert.match(partingOf(first, first)[0]!, /^Run once more, both gave the same/u)
  })
})
