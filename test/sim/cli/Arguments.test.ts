import { assert, describe, it } from "@effect/vitest"
import { readArguments } from "../../../sim/cli/Arguments.ts"
import { isFile, type Order } from "../../../sim/cli/Order.ts"

const read = (line: string): Order => readArguments(line === "" ? [] : line.split(" "))
const refused = (line: string): string => {
  const order = read(line)
  return order._tag === "misuse" ? order.message : `not refused: ${order._tag}`
}

const plainRun = {
  _tag: "run",
  seed: null,
  untilMs: null,
  twice: false,
  fuzzed: null,
  reporter: "story",
  quiet: false,
  step: false,
  record: false,
  with: { gen1: 0 },
  json: null
} as const

describe("pnpm sim: what is a file", () => {
  it("an argument is a file if and only if it contains / or ends in .yaml or .yml", () => {
    const words = ["a/b", "/a", "./a", "a.yaml", "a.yml", "*.yaml", "scenarios/*"]
    assert.deepStrictEqual(words.filter(isFile), words)
    assert.deepStrictEqual(["failover", "run", "a.yam", "a.yaml.bak", ".", "yaml", "*"].filter(isFile), [])
  })
})

describe("pnpm sim: orders", () => {
  it("the bare-file form is sim run", () => {
    const order = { ...plainRun, files: ["a.yaml", "b/c"] }
    assert.deepStrictEqual(read("a.yaml b/c"), order)
    assert.deepStrictEqual(read("run a.yaml b/c"), order)
  })
  it("flags may stand anywhere, with or without =", () => {
    const order = { ...plainRun, files: ["a.yaml"], seed: 7, untilMs: 61_200, twice: true }
    assert.deepStrictEqual(read("a.yaml --seed 7 --until 61.2s --twice"), order)
    assert.deepStrictEqual(read("--twice --until=61.2s run --seed=7 a.yaml"), order)
  })
  it("what follows -- is a file whatever it looks like", () => {
    assert.deepStrictEqual(read("-- --seed.yaml"), { ...plainRun, files: ["--seed.yaml"] })
  })
  it("--json goes to stdout, --json=FILE to a file, and neither eats the scenario", () => {
    assert.deepInclude(read("--json a.yaml"), { files: ["a.yaml"], json: "stdout" })
    assert.deepInclude(read("a.yaml --json=out/x.json"), { files: ["a.yaml"], json: { path: "out/x.json" } })
  })
  it("times have a unit", () => {
    const ms = ["500ms", "6s", "2m", "1h", "0.5s"].map((time) => {
      const order = read(`a.yaml --until ${time}`)
      return order._tag === "run" ? order.untilMs : null
    })
    assert.deepStrictEqual(ms, [500, 6_000, 120_000, 3_600_000, 500])
  })
  it("seeds reach from 0 to 2^32 - 1", () => {
    assert.deepInclude(read("a.yaml --seed 0"), { seed: 0 })
    assert.deepInclude(read("a.yaml --seed 4294967295"), { seed: 4_294_967_295 })
  })
  it("help and version win over everything that is right", () => {
    for (const line of ["--help", "-h", "help", "a.yaml --help", "run -h"]) assert.strictEqual(read(line)._tag, "help")
    assert.strictEqual(read("--version")._tag, "version")
  })
})

describe("pnpm sim: wrong use, with the way out", () => {
  it("nothing to run", () => {
    for (const line of ["", "run", "--seed 7"]) assert.match(refused(line), /^no scenario given; write pnpm sim /u)
  })
  it("a seed that is none", () => {
    for (const seed of ["-1", "1.5", "4294967296", "0x10", "seven", "1e3", "99999999999999999999"]) {
      assert.strictEqual(
        refused(`a.yaml --seed=${seed}`),
        `--seed ${seed}: a seed is a whole number from 0 to 4294967295`
      )
    }
    assert.match(refused("a.yaml --seed= "), /^--seed : a seed is/u)
    assert.match(refused("a.yaml --seed"), /^--seed needs a number/u)
    assert.match(refused("a.yaml --seed -1"), /^--seed -1: a seed is|^--seed needs a number/u)
  })
  it("a time that is none", () => {
    for (const time of ["60", "6 s", "0s", "-5s", "0.0001s", "6sec", ""]) {
      assert.strictEqual(
        refusedWords(["a.yaml", `--until=${time}`]),
        `--until ${time}: write a time with a unit, such as 500ms, 6s, 2m or 1h`
      )
    }
  })
  it("what is to come along, and is not understood", () => {
    for (const word of ["gen1", "gen1=", "gen1=x", "gen1=-1", "gen1=17", "gen2=1", ""]) {
      const message = `--with ${word}: write how many devices of generation 1 come along, from 0 to 16, such as --with gen1=1`
      assert.strictEqual(refusedWords(["a.yaml", `--with=${word}`]), message)
      assert.strictEqual(refusedWords(["fuzz", "a.yaml", `--with=${word}`]), message)
    }
    assert.match(refused("a.yaml --with"), /^--with needs what to put beside the scenario/u)
    assert.match(refused("fuzz a.yaml --with"), /^--with needs what to put beside the scenario/u)
    assert.deepInclude(read("a.yaml --with gen1=2"), { with: { gen1: 2 } })
    assert.deepInclude(read("fuzz a.yaml --with gen1=2"), { with: { gen1: 2 } })
  })
  it("an unknown flag", () => {
    assert.strictEqual(refused("a.yaml --sed 3"), "no flag --sed; did you mean --seed?")
    assert.strictEqual(refused("a.yaml --twcie"), "no flag --twcie; did you mean --twice?")
    assert.match(
      refused("a.yaml --frobnicate"),
      /^no flag --frobnicate; there are --seed --until --fuzzed --no-swarm --branch --with --twice --reporter --quiet --step --record --version --json --help --no-color$/u
    )
    assert.match(refused("a.yaml -x"), /^no flag -x; there are /u)
  })
  it("a flag with a value that it does not take", () => {
    assert.match(refused("a.yaml --twice=2"), /^--twice takes no value/u)
  })
  it("--json that would overwrite a scenario, names nothing, or forgot its =", () => {
    assert.match(refused("--json=a.yaml"), /^--json=a\.yaml would overwrite a scenario/u)
    assert.match(refused("a.yaml --json="), /^--json= names no file/u)
    assert.strictEqual(refused("a.yaml --json out.json"), "out.json is no scenario; did you mean --json=out.json?")
  })
  it("a command after the files, and words that are neither", () => {
    assert.match(refused("a.yaml run"), /^the command comes first/u)
    assert.deepInclude(read("failover"), { _tag: "no such command", word: "failover" })
    assert.deepInclude(read("run failover"), { _tag: "no such command", word: "failover" })
    assert.deepInclude(read("a.yaml fuz --json"), { _tag: "no such command", word: "fuz", json: "stdout" })
  })
})

const refusedWords = (words: ReadonlyArray<string>): string => {
  const order = readArguments(words)
  return order._tag === "misuse" ? order.message : `not refused: ${order._tag}`
}
