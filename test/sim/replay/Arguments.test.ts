/** The words after `pnpm sim replay` and `pnpm sim diff`: each mistake is one sentence with the way out. */
import { assert, describe, it } from "@effect/vitest"
import { readArguments } from "../../../sim/cli/Arguments.ts"
import type { Order } from "../../../sim/cli/Order.ts"

const read = (line: string): Order => readArguments(line.split(" "))
const refused = (line: string): string => {
  const order = read(line)
  return order._tag === "misuse" ? order.message : `not refused: ${order._tag}`
}

const plain = {
  _tag: "replay",
  seed: null,
  untilMs: null,
  with: { gen1: 0 },
  fuzzed: null,
  fromMs: 0,
  step: false,
  asOf: null,
  json: null
} as const

describe("pnpm sim replay: orders", () => {
  it("of a trace, whatever its name, and of a scenario", () => {
    for (const file of ["out/x.jsonl", "x.jsonl", "x", "/dev/stdin"])
      assert.deepStrictEqual(read(`replay ${file}`), { ...plain, file, isTrace: true })
    assert.deepStrictEqual(read("replay a.yaml"), { ...plain, file: "a.yaml", isTrace: false })
  })

  it("with a window, step by step, of another commit", () => {
    const order = read("replay out/x.jsonl --step --from 20s --until=25s --as-of 4c1e77a --json=out.json")
    const flags = { step: true, fromMs: 20_000, untilMs: 25_000, asOf: "4c1e77a", json: { path: "out.json" } }
    assert.deepStrictEqual(order, { ...plain, file: "out/x.jsonl", isTrace: true, ...flags })
    assert.deepInclude(read("replay out/x.jsonl --from 0s"), { fromMs: 0 })
  })

  it("of any run of a scenario", () => {
    const order = read("replay a.yaml --seed 3 --fuzzed --no-swarm --branch 300:2 --with gen1=1")
    const fuzzed = { swarm: false, points: [{ after: 300, future: 2 }] }
    assert.deepInclude(order, { seed: 3, fuzzed, with: { gen1: 1 }, isTrace: false })
  })

  it("help", () => {
    for (const line of ["replay --help", "replay -h out/x.jsonl", "diff --help"])
      assert.strictEqual(read(line)._tag, "help")
  })
})

describe("pnpm sim replay: wrong use", () => {
  it("nothing, or more than one thing", () => {
    assert.match(refused("replay"), /^nothing to replay; write pnpm sim replay out\/9f31c0d2\.jsonl, or /u)
    assert.strictEqual(
      refused("replay out/x.jsonl out/y.jsonl"),
      "one at a time; did you mean pnpm sim diff out/x.jsonl out/y.jsonl?"
    )
    for (const words of ["out/x.jsonl a.yaml", "a.yaml out/x.jsonl"])
      assert.strictEqual(
        refused(`replay ${words}`),
        "a trace holds its own scenario, whatever a.yaml says by now; write pnpm sim replay out/x.jsonl"
      )
  })

  it("flags of scenarios with a trace, and the other way round", () => {
    for (const flag of ["--seed 7", "--fuzzed", "--no-swarm", "--branch 3:1", "--with gen1=1"])
      assert.match(
        refused(`replay out/x.jsonl ${flag}`),
        /^--[\w-]+ is for scenarios; a trace says by itself which run it is: pnpm sim replay out\/x\.jsonl$/u
      )
    assert.match(refused("replay a.yaml --as-of 4c1e77a"), /^--as-of is for traces/u)
    assert.match(refused("replay a.yaml --fuzzed"), /^--fuzzed needs the seed to draw from/u)
  })

  it("times and commits that are none", () => {
    assert.match(refused("replay x --from 20"), /^--from 20: write a time with a unit/u)
    assert.match(refused("replay x --until 20"), /^--until 20: write a time with a unit/u)
    assert.strictEqual(
      refused("replay x --from 20s --until 10s"),
      "--until 10s is before --from 20s; what is told lies between them"
    )
    for (const commit of ["HEAD", "--upload-pack=x", "4c", "4c1e77a;ls"])
      assert.match(refused(`replay x --as-of=${commit}`), /write a commit in hex digits, such as --as-of 4c1e77a$/u)
    assert.match(refused("replay x --as-of"), /^--as-of needs a commit/u)
  })

  it("what people are told, with JSON on standard output; a flag that there is not", () => {
    for (const line of ["replay x --step --json", "a.yaml --step --json"])
      assert.match(refused(line), /^--step is for people/u)
    assert.match(refused("a.yaml --step --reporter full"), /^--step and --reporter full both tell every input/u)
    assert.strictEqual(refused("replay out.json --json"), "out.json is no trace; did you mean --json=out.json?")
    assert.strictEqual(refused("replay x --untill 3s"), "no flag --untill; did you mean --until?")
  })

  it("records that would be written over what is read", () => {
    const lost = (json: string, file: string): string => `--json=${json} would overwrite ${file}; write --json=out.json`
    assert.strictEqual(refused("replay ./x.jsonl --json=x.jsonl"), lost("x.jsonl", "./x.jsonl"))
    assert.strictEqual(refused("diff a b --json=./b"), lost("./b", "b"))
  })

  it("a trace where a scenario is run", () => {
    assert.strictEqual(refused("out/x.jsonl"), "out/x.jsonl is no scenario; did you mean pnpm sim replay out/x.jsonl?")
    assert.strictEqual(refused("run x.jsonl"), "x.jsonl is no scenario; did you mean pnpm sim replay x.jsonl?")
  })
})

describe("pnpm sim diff: orders and wrong use", () => {
  it("two traces", () => {
    assert.deepStrictEqual(read("diff a b --json"), { _tag: "diff", first: "a", second: "b", json: "stdout" })
    for (const words of ["", " a", " a b c"]) assert.match(refused(`diff${words}`), /^diff compares two traces: /u)
    assert.match(
      refused("diff a.yaml b"),
      /^a\.yaml is a scenario; what is compared are traces: pnpm sim run a\.yaml --record keeps one$/u
    )
  })
})
