/** A trace file is read whatever it holds: what still stands is taken over, and what is wrong is said with its place. */
import { assert, describe, it } from "@effect/vitest"
import { readTrace, type Trace } from "../../../sim/trace/ReadTrace.ts"
import { below } from "../../../kernel/Draw.ts"
import { drawnTrace, traceOf } from "./Stage.ts"

const TEXT = traceOf()
const LINES = TEXT.trimEnd().split("\n")

const read = (content: string | Uint8Array) => readTrace("out/x.jsonl", Buffer.from(content))
const trace = (content: string | Uint8Array): Trace => {
  const found = read(content)
  if ("problem" in found) throw new Error(found.problem)
  return found
}
const problem = (content: string | Uint8Array): string => {
  const found = read(content)
  return "problem" in found ? found.problem : "it reads"
}
const damage = (content: string | Uint8Array): string => {
  const { damage } = trace(content)
  return damage === null ? "none" : `${damage._tag}: ${damage.words}`
}
/** The line of that number, from 1, is this one. */
const withLine = (n: number, line: string): string => `${LINES.with(n - 1, line).join("\n")}\n`
const header = JSON.parse(LINES[0]!) as { readonly [key: string]: unknown }
const withHeader = (change: object): string => withLine(1, JSON.stringify({ ...header, ...change }))

describe("a trace as it was written", () => {
  it("holds the run: who took part, each input with its hash, and the end", () => {
    const { damage, end, header, lines, points, scenarioIntact } = trace(TEXT)
    assert.deepStrictEqual({ damage, points, scenarioIntact }, { damage: null, points: [], scenarioIntact: true })
    assert.deepInclude(header, { seed: 7, file: "scenarios/field.yaml", kernel: "4c1e77a", drawn: null, untilMs: null })
    assert.deepStrictEqual(
      header.nodes.map(({ name }) => name),
      ["main", "backup", "one"]
    )
    assert.strictEqual(lines.length, LINES.length - 2)
    assert.deepInclude(end!, { events: lines.length, hash: lines.at(-1)!.hash, verdict: "failed" })
  })

  it("says where a branch turned off", () => {
    const { header, points } = trace(drawnTrace(undefined, 3, [{ after: 300, future: 2 }]))
    assert.deepStrictEqual(points, [{ after: 300, future: 2 }])
    assert.deepInclude(header.drawn!, { swarm: true, branch: "300:2" })
  })
})

describe("what is no trace", () => {
  it("has no names that a terminal would not show as they are", () => {
    const hostile = traceOf().replace('"file":"scenarios/field.yaml"', '"file":"\\u001b[2J"')
    assert.match(problem(hostile), /^out\/x\.jsonl:1:1: the first line does not say what ran: \P{Cc}*\["file"\]$/u)
  })

  it("is told by what it is instead", () => {
    assert.strictEqual(problem(""), "out/x.jsonl is empty; a trace begins with a line that says what ran")
    for (const bytes of [Uint8Array.of(0x1f, 0x8b, 8, 0), Uint8Array.of(0, 1, 2), Uint8Array.of(0xff, 0xfe, 0x7b)])
      assert.match(problem(bytes), /^out\/x\.jsonl is not a text file; a trace is JSON Lines/u)
    assert.strictEqual(
      problem("# a comment\nscenario: A field\n"),
      "out/x.jsonl:1:1: this is no trace: Unexpected token '#'; a scenario is named *.yaml: pnpm sim replay <file.yaml> --seed N"
    )
    assert.match(problem('{"a": nope}\n'), /^out\/x\.jsonl:1:8: this is no trace: Unexpected token 'o';/u)
    assert.match(problem("[1,2\n"), /^out\/x\.jsonl:1:5: this is no trace: /u)
    assert.match(problem("42\n"), /^out\/x\.jsonl:1:1: this is no trace: its first line has no \$type;/u)
    assert.match(
      problem('{"$type":"clawmesh.run/1"}\n'),
      /^out\/x\.jsonl:1:1: this is no trace: it is "clawmesh\.run\/1";/u
    )
  })

  it("is a trace of a format to come", () => {
    assert.match(
      problem(withHeader({ $type: "clawmesh.trace/2" })),
      /^out\/x\.jsonl:1:1: a trace of the format clawmesh\.trace\/2; this simulator reads clawmesh\.trace\/1\. Replay it with the simulator that wrote it$/u
    )
  })

  it("is one whose first line does not say what ran, with what is missing", () => {
    const { nodes: _, ...without } = header
    assert.match(
      problem(withLine(1, JSON.stringify(without))),
      /^out\/x\.jsonl:1:1: the first line does not say what ran: Missing key at \["nodes"\]$/u
    )
    for (const change of [{ seed: -1 }, { seed: "7" }, { drawn: 3 }, { nodes: [{ name: "main" }] }, { with: "gen9=1" }])
      assert.match(problem(withHeader(change)), /^out\/x\.jsonl:1:1: the first line does not say what ran: /u)
    const lists = { settings: [], expectations: [], sources: [], turns: [] }
    const drawn = { class: "everywhere", swarm: true, ties: "fifo", liveness: false, calmMs: 0, ...lists }
    assert.match(problem(withHeader({ drawn: { ...drawn, branch: "7:0" } })), /"7:0" are no points of a branch$/u)
  })

  it("is one that ends within its first line", () => {
    assert.match(
      problem(TEXT.slice(0, 500)),
      /^out\/x\.jsonl:1:501: it is cut off within its first line, which says what ran: nothing of it can be replayed$/u
    )
  })
})

describe("a trace that is cut off", () => {
  it("keeps what stands before", () => {
    const at = TEXT.indexOf(LINES[50]!)
    assert.strictEqual(trace(TEXT.slice(0, at + 40)).lines.length, 49)
    assert.strictEqual(
      damage(TEXT.slice(0, at + 40)),
      "cut off: out/x.jsonl is cut off: it breaks off in line 51, after 49 inputs, and no line says how it ended"
    )
    assert.match(damage(TEXT.slice(0, at)), /^cut off: .*: it ends after 49 inputs, and no line says how it ended$/u)
    assert.match(damage(`${LINES[0]}\n`), /^cut off: .*: it ends after 0 inputs/u)
  })

  it("wherever that is", () => {
    const bytes = Buffer.from(TEXT)
    const { lines } = trace(TEXT)
    for (let n = 0; n < 150; n++) {
      const found = read(bytes.subarray(0, below(1, "cut", "test", n, bytes.length)))
      if ("problem" in found) continue
      assert.strictEqual(found.damage?._tag, "cut off")
      assert.deepStrictEqual(found.lines, lines.slice(0, found.lines.length))
    }
    // Only the last line break: then nothing is lost.
    assert.strictEqual(damage(TEXT.trimEnd()), "none")
  })
})

describe("a trace that was edited", () => {
  it("is told with the place, where the place cannot have been written", () => {
    assert.match(
      damage(withLine(9, `${LINES[8]}x`)),
      /^edited: out\/x\.jsonl:9:\d+: Unexpected non-whitespace character; this is not what was written$/u
    )
    assert.match(damage(withLine(9, '{"atMs":1}')), /^edited: out\/x\.jsonl:9:1: this is no input: Missing key/u)
    assert.match(
      damage(withLine(9, LINES[8]!.replace(/"node":"\w+"/u, '"node":"nobody"'))),
      /^edited: out\/x\.jsonl:9:1: no node "nobody" took part/u
    )
    assert.match(
      damage(withLine(9, LINES[8]!.replace(/"_tag":"\w+"/u, '"_tag":"Guessed"'))),
      /^edited: out\/x\.jsonl:9:1: this is no input/u
    )
    assert.match(damage(withLine(9, "")), /^edited: out\/x\.jsonl:9:1: Unexpected end of JSON input/u)
    assert.match(
      damage(`${TEXT}${LINES[3]}\n`),
      /^edited: out\/x\.jsonl:\d+:1: something stands behind the line that ends the trace/u
    )
    assert.strictEqual(trace(withLine(9, "?")).lines.length, 7)
  })

  it("with a frame that no codec lets in", () => {
    const n = LINES.findIndex((line) => line.includes('"mesh.heartbeat"')) + 1
    const forged = LINES[n - 1]!.replace(/"seq":\d+/u, '"seq":"many"')
    assert.match(damage(withLine(n, forged)), /^edited: out\/x\.jsonl:\d+:1: no node lets in a frame like this one/u)
  })

  it("with another scenario in it", () => {
    const other = trace(withHeader({ scenario: "scenario: Another\n" }))
    assert.isFalse(other.scenarioIntact)
    assert.match(other.damage!.words, /^out\/x\.jsonl:1:1: the scenario in it is another one than was recorded/u)
  })

  it("anywhere: no byte is another one unseen", () => {
    const bytes = Buffer.from(TEXT)
    for (let n = 0; n < 150; n++) {
      const changed = Buffer.from(bytes)
      const at = below(2, "edit", "test", n, bytes.length - 1)
      changed[at] = changed[at]! ^ (1 << below(3, "bit", "test", n, 8))
      const found = read(changed)
      if ("lines" in found) assert.isNotNull(found.damage, `byte ${at}`)
    }
  })

  it("its line breaks too", () => {
    assert.match(damage(TEXT.replaceAll("\n", "\r\n")), /^edited: .* the sum at its end is another one$/u)
  })
})
