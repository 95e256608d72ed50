import { assert, describe, it } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import { readSegment, type Segment } from "../../../adapters/recorded/Read.ts"
import { type Life, livesOf, replay } from "../../../adapters/recorded/Replay.ts"
import * as State from "../../../adapters/recorded/State.ts"
import { type Recorded, recordRun, scenarioOf } from "./Simulated.ts"

const bytes = (text: string): Uint8Array => Buffer.from(text)

const segmentsOf = ({ files }: Recorded): ReadonlyArray<Segment> =>
  [...files].map(([file, text]) => {
    const read = readSegment(file, bytes(text))
    if ("problem" in read) throw new Error(read.problem)
    return read
  })

const whole = (life: Life): void => {
  for (const { damage, torn } of life.segments) {
    assert.isNull(damage)
    assert.isNull(torn)
  }
}

// Votes, worlds, actuators, generation 1, discovery, amnesia, proposals: every room of the kernel has something to keep.
const names = [
  "failover",
  "farm-day",
  "c76-gen1-interop",
  "lost-journal",
  "split-brain-actuation",
  "who-says-yes",
  "another-elector",
  "first-contact",
  "frames-down-a-line"
]

describe("a recording", () => {
  for (const name of names)
    it(`of ${name} comes to the same state and the same hash from any of its segments on`, () => {
      const recorded = recordRun(scenarioOf(name), 97, { untilMs: 120_000 })
      assert.isAbove(recorded.size, 0)
      for (const [node, kept] of recorded) {
        const lives = livesOf(segmentsOf(kept))
        for (const life of lives) {
          whole(life)
          const all = replay(life)
          assert.isNull(all.parting, `${node}: ${JSON.stringify(all.parting)}`)
          // The ring has dropped its beginning.
          for (let from = 1; from < life.segments.length; from += 3) {
            const rest = replay({ segments: life.segments.slice(from) })
            assert.isNull(rest.parting, `${node} from ${from}: ${JSON.stringify(rest.parting)}`)
            assert.strictEqual(rest.hash, all.hash)
            assert.strictEqual(State.text(rest.state!), State.text(all.state!))
          }
        }
        assert.strictEqual(State.text(replay(lives.at(-1)!).state!), State.text(kept.state))
      }
    })

  const [, one] = [...recordRun(scenarioOf("failover"), 40, { untilMs: 12_000 })][0]!
  const file = [...one.files.keys()][1]!
  const text = one.files.get(file)!

  it("with any one byte changed is told to be so, in its line", () => {
    for (let at = 0; at < text.length; at += 131) {
      const changed = bytes(text)
      changed[at] = changed[at] === 0x37 ? 0x38 : 0x37
      const line = text.slice(0, at).split("\n").length
      const read = readSegment("x.jsonl", changed)
      const said = "problem" in read ? read.problem : (read.damage ?? read.torn)
      const first = line === 1 && at < 30
      assert.match(said ?? "nothing", first ? /x\.jsonl/u : new RegExp(`x\\.jsonl:${line}\\b`, "u"))
    }
  })

  it("that breaks off anywhere loses that line alone", () => {
    const lines = text.split("\n").length - 2
    const header = text.indexOf("\n") + 1
    for (let at = header; at < text.length; at += 173) {
      const read = readSegment("x.jsonl", bytes(text.slice(0, at)))
      if ("problem" in read) throw new Error(read.problem)
      // A line to which only its end is missing is whole.
      const isWhole = text[at - 1] === "\n" || text[at] === "\n"
      const kept = text.slice(0, at).split("\n").length - (text[at] === "\n" ? 1 : 2)
      assert.strictEqual(read.lines.length, kept)
      assert.isNull(read.damage)
      assert.strictEqual(read.torn === null, isWhole)
      assert.isNull(replay({ segments: [read] }).parting)
    }
    assert.isAbove(lines, 20)
  })

  it("without one of its lines, or with two of them exchanged, is told to be changed", () => {
    const lines = text.split("\n")
    const without = lines.toSpliced(4, 1).join("\n")
    const exchanged = lines.with(4, lines[5]!).with(5, lines[4]!).join("\n")
    for (const changed of [without, exchanged]) {
      const read = readSegment("x.jsonl", bytes(changed))
      assert.match("problem" in read ? read.problem : read.damage!, /x\.jsonl:5: .*changed/u)
    }
  })

  it("of a kernel that does otherwise parts from it at the first input of which that is so", () => {
    const life = livesOf(segmentsOf(one))[0]!
    const kernel = {
      make: Node.make,
      step: (node: Node.NodeState, input: Input): Node.Step => {
        const [after, commands] = Node.step(node, input)
        return [after, input._tag === "Woke" ? commands.slice(1) : commands]
      }
    }
    const { parting } = replay(life, kernel)
    const first = life.segments[0]!.lines.findIndex(({ input }) => input._tag === "Woke")
    assert.deepInclude(parting, { file: life.segments[0]!.file, at: first + 2, what: "hash" })
  })

  it("whose segment begins with another state than the one before it ended in parts there", () => {
    const life = livesOf(segmentsOf(one))[0]!
    const [first, second, ...rest] = life.segments
    const other = State.decode(State.unpacked(second!.header.state!))
    const state = State.packed(gzipSync(State.text({ ...other, farewell: "another" })))
    const forged = { ...second!, header: { ...second!.header, state } }
    const { parting } = replay({ segments: [first!, forged, ...rest] })
    assert.deepInclude(parting, { file: second!.file, at: 1, what: "state" })
  })

  it("of which a segment is gone is replayed from the next one on", () => {
    const life = livesOf(segmentsOf(one))[0]!
    const { parting, state } = replay({ segments: life.segments.toSpliced(1, 1) })
    assert.isNull(parting)
    assert.strictEqual(State.text(state!), State.text(replay(life).state!))
  })

  const others: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["nothing", "", /is empty/u],
    ["a scenario", "scenario: x\n", /is no recording/u],
    ["a trace", `{"$type":"clawmesh.trace/1"}\n`, /no recording but "clawmesh.trace\/1"/u],
    [
      "one of a format to come",
      `{"$type":"clawmesh.recording/2"}\n`,
      /format clawmesh\.recording\/2; this program reads/u
    ],
    ["half a first line", text.slice(0, 200), /breaks off within its first line/u]
  ]
  for (const [what, given, says] of others)
    it(`${what} is told apart`, () => {
      const read = readSegment("x.jsonl", bytes(given))
      assert.match("problem" in read ? read.problem : "", says)
    })
})
