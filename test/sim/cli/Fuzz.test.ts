/** `pnpm sim fuzz`: exit codes, words and records, and what bad input costs. Campaigns here are real, and small. */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { command } from "../../../sim/cli/Command.ts"
import { readArguments } from "../../../sim/cli/Arguments.ts"
import type { Engine, Surroundings } from "../../../sim/cli/Surroundings.ts"
import { runScenario } from "../../../sim/run.ts"
import { readScenario, renderMistakes } from "../../../sim/scenario/read.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { runBranch, runDrawn } from "../../../sim/search/OneSeed.ts"
import { FIELD, kernelAt } from "../search/Field.ts"

const LIMIT_MS = 120_000

const engine: Engine = {
  read: (file, bytes) => {
    const read = readScenario(file, bytes)
    return "scenario" in read ? read : { ...read, told: renderMistakes(file, read.mistakes) }
  },
  run: runScenario,
  runFuzzed: (scenario, seed, how, options) => {
    const drawn = draw(scenario, seed, how)
    return { drawn, result: runDrawn(drawn, options) }
  }
}

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clawmesh-fuzz-"))
  writeFileSync(join(folder, "field.yaml"), FIELD)
  writeFileSync(join(folder, "other.yaml"), FIELD.replace("A small field", "Another"))
  writeFileSync(join(folder, "broken.yaml"), "scenario: Broken\n")
})
afterAll(() => rmSync(folder, { recursive: true }))

const sim = async (line: string, around: Partial<Surroundings> = {}) => {
  const seen = { out: "", err: "", progress: [] as Array<string | null> }
  const exit = await command(line.split(" "), {
    cwd: folder,
    env: {},
    out: (text) => (seen.out += text),
    err: (text) => (seen.err += text),
    terminal: null,
    nowMs: () => performance.now(),
    dateMs: () => 0,
    engine: async () => engine,
    progress: (text) => seen.progress.push(text),
    ...around
  })
  return { exit, ...seen, last: seen.out.trimEnd().split("\n").at(-1) }
}

const recordsOf = (out: string): ReadonlyArray<{ readonly [key: string]: unknown }> =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly [key: string]: unknown })

describe("pnpm sim fuzz", () => {
  it(
    "nothing found: exit 0; the count is alone on the last line, where it has been above it",
    { timeout: LIMIT_MS },
    async () => {
      const ran = await sim("fuzz field.yaml other.yaml --seeds 1..4 --jobs 2")
      assert.deepInclude(ran, { exit: 0, err: "", last: "scenarios: 2 passed, 0 failed" })
      assert.match(
        ran.out,
        /^ 8 runs, [\d ]+ events in \d+\.\d s · [\d ]+ events\/s · 2 jobs · twice-checked \d+, all the same\n/u
      )
      assert.match(ran.out, /\n field +4 ✓/u)
      assert.match(
        ran.out,
        /\nfaults: \d+ kinds touched something in \d+ of \d+ runs that they struck; mattered in \d+ of \d+ /u
      )
      assert.match(
        ran.out,
        /\nreached: peer states \d of 5 · .* · recoveries \d of 7 · [\d ]+ situations\noutcome [0-9a-f]{16}\nscenarios: /u
      )
      assert.strictEqual(ran.progress.at(-1), null, "the line of progress is gone in the end")
    }
  )

  it(
    "found: exit 1, the author's sentence, the trace that was kept, and a command that shows it",
    { timeout: LIMIT_MS },
    async () => {
      const ran = await sim("fuzz field.yaml --seeds 3..5 --jobs 1", { kernelModule: kernelAt("deaf") })
      assert.deepInclude(ran, { exit: 1, err: "", last: "scenarios: 0 passed, 1 failed" })
      assert.match(
        ran.out,
        /\n✗ field · in the end there is one · 3 of 3 runs\n {4}field\.yaml:18\n {4}at \d+\.\d{3}: .+\n/u
      )
      const saved = /saved {2}(out\/[0-9a-f]{8}\.jsonl)\n {2}again {2}pnpm sim (field\.yaml --seed 3 --fuzzed)\n/u.exec(
        ran.out
      )
      assert.isNotNull(saved)
      const lines = readFileSync(join(folder, saved![1]!), "utf8").trimEnd().split("\n")
      assert.deepInclude(JSON.parse(lines[0]!) as object, { $type: "clawmesh.trace/1", seed: 3 })
      assert.deepInclude(JSON.parse(lines.at(-1)!) as { end: object }, {})
      const again = await sim(saved![2]!, {
        engine: async () => ({
          ...engine,
          runFuzzed: (scenario, seed, how) => {
            const drawn = draw(scenario, seed, how)
            return { drawn, result: runDrawn(drawn) }
          }
        })
      })
      // What it was made to is a file of its own; here there is no scenarios/.
      const small =
        /\n {2}shrunk \d+ faults, \d nodes, .+ → 0 faults, 1 node, .+; 1-minimal: .+\n {2}small {2}pnpm sim (out\/field-3\.yaml)\n/u.exec(
          ran.out
        )
      assert.isNotNull(small, ran.out)
      assert.include(
        readFileSync(join(folder, small![1]!), "utf8"),
        "# Found by   pnpm sim field.yaml --seed 3 --fuzzed"
      )
      const unshrunk = await sim("fuzz field.yaml --seeds 3..3 --jobs 1 --no-shrink", {
        kernelModule: kernelAt("deaf")
      })
      assert.notInclude(unshrunk.out, "shrunk")
      // The whole kernel holds in this very run: same draw, same world.
      assert.strictEqual(again.exit, 0, again.out)
      assert.match(again.out, /\ndrawn: .+\n/u)
    }
  )

  it(
    "--json: a record for each finding, one at the end, and with --verbose one for each run",
    { timeout: LIMIT_MS },
    async () => {
      const quiet = recordsOf(
        (await sim("fuzz field.yaml --seeds 1..2 --jobs 1 --json", { kernelModule: kernelAt("deaf") })).out
      )
      assert.deepStrictEqual(
        [...new Set(quiet.map(({ $type }) => $type))],
        ["clawmesh.fuzz.finding/1", "clawmesh.fuzz.end/1"]
      )
      assert.deepInclude(quiet[0], {
        file: "field.yaml",
        kind: "expectation",
        again: `pnpm sim field.yaml --seed ${quiet[0]!["seed"] as number} --fuzzed`
      })
      const loud = recordsOf((await sim("fuzz field.yaml --seeds 1..2 --jobs 1 --json --verbose --no-swarm")).out)
      assert.deepStrictEqual(
        loud.map(({ $type, seed }) => [$type, seed]),
        [
          ["clawmesh.fuzz.seed/1", 1],
          ["clawmesh.fuzz.seed/1", 2],
          ["clawmesh.fuzz.end/1", undefined]
        ]
      )
      const end = loud.at(-1)!
      assert.deepInclude(end, { runs: 2, findings: 0, exit: 0, interrupted: false })
      assert.deepInclude((end["scenarios"] as ReadonlyArray<object>)[0], {
        runs: 2,
        seeds: { first: 1, last: 2 },
        classes: { scripted: 0, varied: 0, everywhere: 2 }
      })
      assert.isAbove((end["neverReached"] as { code: ReadonlyArray<string> }).code.length, 10)
      assert.strictEqual(
        loud.slice(0, 2).reduce((n, { events }) => n + (events as number), 0),
        end["events"]
      )
    }
  )

  it("two files of one name are told apart by their folders", { timeout: LIMIT_MS }, async () => {
    mkdirSync(join(folder, "twin"))
    writeFileSync(join(folder, "twin/field.yaml"), FIELD)
    const ran = await sim("fuzz field.yaml twin/field.yaml other.yaml --seeds 3..3 --jobs 1", {
      kernelModule: kernelAt("deaf")
    })
    assert.match(ran.out, /\n field\.yaml +1 .*\n twin\/field\.yaml +1 .*\n other +1 /u)
    assert.match(ran.out, /\n✗ twin\/field\.yaml · in the end there is one · 1 of 1 runs\n/u)
  })

  it("the seeds are those of the file, of the order, or of a part", { timeout: LIMIT_MS }, async () => {
    const seedsOf = async (line: string) =>
      recordsOf((await sim(`fuzz field.yaml --jobs 2 --json --verbose ${line}`)).out).flatMap(({ seed }) =>
        seed === undefined ? [] : [seed]
      )
    assert.deepStrictEqual(await seedsOf("--shard 1/7"), [5, 12, 19])
    assert.deepStrictEqual(await seedsOf("--seeds 100..103 --shard 2/2"), [101, 103])
    const some = await seedsOf("--events 3000")
    assert.deepStrictEqual(some.slice(0, 1), [5])
    assert.isBelow(some.length, 15)
  })

  it("3: a fault of the file touched nothing in any run, or nothing was judged", { timeout: LIMIT_MS }, async () => {
    const idle = FIELD.replace("  - { at: dies + 10s", "  - { at: 13s, crash: main, for: 1s }\n  - { at: dies + 10s")
      .replace(/ {2}faults:\n(?: {4}.*\n)+/u, "")
      .replace("6s..12s", "6s..8s")
    writeFileSync(join(folder, "idle.yaml"), idle)
    const ran = await sim("fuzz idle.yaml --seeds 1..2 --jobs 1 --no-swarm")
    assert.deepInclude(ran, { exit: 3, last: "scenarios: 0 passed, 0 failed, 1 undecided" })
    assert.include(ran.out, "  ! idle: a fault touched nothing in any run, so none tests it: crash at 13 s, line 12\n")
    writeFileSync(join(folder, "mute.yaml"), FIELD.replace(/expect:\n(?: {2}- .*\n)+/u, "expect: []\n"))
    const mute = await sim("fuzz mute.yaml --seeds 1..2 --jobs 1")
    assert.strictEqual(mute.exit, 3)
    assert.include(mute.out, "  ! mute: nothing was judged in any run\n")
  })

  it(
    "4: two runs of a seed parted; 70: the simulator broke, or a thread of it died",
    { timeout: LIMIT_MS },
    async () => {
      const restless = await sim("fuzz field.yaml --seeds 1..30 --jobs 2 --no-swarm", {
        kernelModule: kernelAt("restless")
      })
      assert.strictEqual(restless.exit, 4)
      assert.match(
        restless.out,
        /✗ not deterministic: seed \d+ of field gave trace [0-9a-f]{16} and trace [0-9a-f]{16}\n {4}/u
      )
      assert.include(restless.out, "not all the same\n")
      const broke = await sim("fuzz field.yaml --seeds 1..2 --jobs 1", { kernelModule: kernelAt("unmakable") })
      assert.strictEqual(broke.exit, 70)
      assert.match(
        broke.out,
        /the simulator broke\. This is a defect of clawmesh · 2 of 2 runs\n {4}Error: a node that cannot be made\n/u
      )
      const died = await sim("fuzz field.yaml --seeds 1..900 --jobs 1", { kernelModule: kernelAt("deadly") })
      assert.strictEqual(died.exit, 70)
      assert.include(died.out, "a thread of the simulator died")
    }
  )

  it("Ctrl-C ends it and keeps what was found", { timeout: LIMIT_MS }, async () => {
    let interrupt: () => void = () => {}
    let undone = 0
    const ran = await sim("fuzz field.yaml --events 999999999 --jobs 1", {
      kernelModule: kernelAt("deaf"),
      onInterrupt: (stop) => {
        interrupt = stop
        return () => void undone++
      },
      progress: (text) => {
        if (text !== null) interrupt()
      }
    })
    assert.deepInclude(ran, { exit: 1, last: "scenarios: 0 passed, 1 failed" })
    assert.match(ran.out, /\ninterrupted after \d+ runs\n/u)
    assert.match(ran.out, /\n {2}saved {2}out\//u)
    assert.strictEqual(undone, 1)
  })
})

describe("pnpm sim fuzz: bad input is a sentence and exit 2", () => {
  const sentences: ReadonlyArray<readonly [line: string, sentence: RegExp]> = [
    ["field.yaml --jobs 0", /^--jobs 0: a whole number from 1 to 256, such as --jobs 2/u],
    ["field.yaml --jobs two", /^--jobs two: a whole number/u],
    ["field.yaml --seeds 9..1", /^--seeds 9\.\.1: the range runs backwards; did you mean --seeds 1\.\.9\?$/u],
    ["field.yaml --seeds 1..x", /^--seeds 1\.\.x: write a first and a last seed from 0 to 4294967295/u],
    ["field.yaml --seeds 1..4294967296", /^--seeds 1\.\.4294967296: write a first/u],
    ["field.yaml --seeds", /^--seeds needs a range, such as --seeds 1\.\.1000$/u],
    ["field.yaml --events 0", /^--events 0: a whole number from 1/u],
    ["field.yaml --events 1e6", /^--events 1e6: a whole number/u],
    ["field.yaml --for 60", /^--for 60: write a time with a unit, such as --for 60s$/u],
    ["field.yaml --shard 9/8", /^--shard 9\/8: write which part of how many, such as --shard 3\/8$/u],
    ["field.yaml --shard 0/8", /^--shard 0\/8/u],
    ["field.yaml --shard 1/2/3", /^--shard 1\/2\/3/u],
    ["field.yaml --seed 7", /^no flag --seed; did you mean --seeds 7\.\.7\?/u],
    ["field.yaml --sedes 1..2", /^no flag --sedes; did you mean --seeds\?$/u],
    ["field.yaml --ledger=yes", /^--ledger takes no value/u],
    ["", /^no scenario given; write pnpm sim fuzz 'scenarios\/\*\.yaml'$/u],
    ["missing.yaml", /^no file missing\.yaml/u],
    ["fields/*.yaml", /^fields\/\*\.yaml matches no scenario/u],
    ["broken.yaml", /^broken\.yaml does not read/u]
  ]
  for (const [line, sentence] of sentences)
    it(`pnpm sim fuzz ${line}`, async () => {
      const ran = await sim(`fuzz ${line}`.trim())
      assert.deepInclude(ran, { exit: 2, out: "" })
      assert.match(ran.err.trimEnd(), sentence)
    })

  it("a seed that the fuzzer drew needs its seed", async () => {
    assert.match((await sim("field.yaml --fuzzed")).err, /^--fuzzed needs the seed to draw from: --seed 7 --fuzzed/u)
    assert.match((await sim("field.yaml --seed 7 --no-swarm")).err, /^--no-swarm goes with --fuzzed/u)
    assert.deepInclude(readArguments(["field.yaml", "--seed", "7", "--fuzzed", "--no-swarm"]), {
      fuzzed: { swarm: false, points: [] }
    })
  })

  it("--twice says how many of a hundred runs are done twice", async () => {
    const twice = (word: string) => readArguments(["fuzz", "field.yaml", "--twice", word])
    assert.deepInclude(readArguments(["fuzz", "field.yaml"]), { twicePercent: 5, keepGoing: false })
    assert.deepInclude(twice("0%"), { twicePercent: 0 })
    assert.deepInclude(twice("100%"), { twicePercent: 100 })
    for (const wrong of ["5", "101%", "-1%", "half", "2.5%"])
      assert.match(
        (await sim(`fuzz field.yaml --twice ${wrong}`)).err,
        /^--twice .*: write how many of a hundred runs are done twice, such as --twice 5%\n$/u
      )
    assert.match((await sim("fuzz field.yaml --twice")).err, /^--twice needs a share, such as --twice 5%\n$/u)
    assert.strictEqual((await sim("fuzz field.yaml --twice 5")).exit, 2)
  })

  it(
    "--keep-going: what does not read is told and left out, and the exit code says so",
    { timeout: LIMIT_MS },
    async () => {
      const stopped = await sim("fuzz field.yaml broken.yaml no.yaml --seeds 1..2 --jobs 1")
      assert.deepInclude(stopped, { exit: 2, out: "" })
      const ran = await sim("fuzz field.yaml broken.yaml no.yaml --seeds 1..2 --jobs 1 --keep-going")
      assert.deepInclude(ran, { exit: 2, last: "scenarios: 1 passed, 0 failed" })
      assert.match(ran.err, /no file no\.yaml/u)
      assert.match(ran.err, /broken\.yaml does not read/u)
      assert.strictEqual((await sim("fuzz broken.yaml --keep-going")).exit, 2)
    }
  )

  it(
    "a branch that the run of the seed never comes to is wrong use, and no other run",
    { timeout: LIMIT_MS },
    async () => {
      const real: Partial<Surroundings> = {
        engine: async () => ({
          ...engine,
          runFuzzed: (scenario, seed, { points, swarm }, options) => runBranch(scenario, seed, swarm, points, options)
        })
      }
      const ran = await sim("field.yaml --seed 7 --fuzzed --branch 300:1,900000:2", real)
      assert.deepInclude(ran, { exit: 2, out: "" })
      assert.match(
        ran.err,
        /^--branch 300:1,900000:2: the run of seed 7 ends after [\d ]+ inputs and never comes to 900000:2; .*\n$/u
      )
      const there = await sim("field.yaml --seed 7 --fuzzed --branch 300:1", real)
      assert.notStrictEqual(there.exit, 2)
      const json = await sim("field.yaml --seed 7 --fuzzed --branch 900000:2 --json", real)
      assert.deepInclude(recordsOf(json.out)[0], { code: "WRONG_USE", exit: 2 })
    }
  )

  it("a branch is a future of a run that was drawn", async () => {
    const points = [
      { after: 300, future: 2 },
      { after: 700, future: 1 }
    ]
    assert.deepInclude(readArguments(["field.yaml", "--seed", "7", "--fuzzed", "--branch", "300:2,700:1"]), {
      fuzzed: { swarm: true, points }
    })
    for (const wrong of ["300", "300:0", "x:1", "700:1,300:1", "300:1,"])
      assert.match(
        (await sim(`field.yaml --seed 7 --fuzzed --branch ${wrong}`)).err,
        /^--branch .*: write after how many inputs and which future, such as --branch 12345:3/u
      )
    assert.match((await sim("field.yaml --seed 7 --branch 300:2")).err, /^--branch goes with --fuzzed/u)
  })

  it("what cannot be kept is told, and nothing that was found is lost", { timeout: LIMIT_MS }, async () => {
    const cwd = mkdtempSync(join(tmpdir(), "clawmesh-fuzz-full-"))
    try {
      writeFileSync(join(cwd, "field.yaml"), FIELD)
      const line = "fuzz field.yaml --seeds 1..3 --jobs 1"
      writeFileSync(join(cwd, "out"), "a file")
      const file = await sim(line, { cwd, kernelModule: kernelAt("deaf") })
      assert.strictEqual(file.exit, 2)
      assert.match(file.err, /^out\/[0-9a-f]{8}\.jsonl cannot be written: out is a file, and has to be a folder; /u)
      assert.match(file.out, /✗ field · in the end there is one · 3 of 3 runs\n/u)
      assert.include(file.out, "again  pnpm sim field.yaml --seed 1 --fuzzed")
    } finally {
      rmSync(cwd, { recursive: true })
    }
  })
})
