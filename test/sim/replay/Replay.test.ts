/** `pnpm sim replay` of traces: what came of it, what is said, and with which exit code. */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Kernel } from "../../../sim/engine/Host.ts"
import type { Engine } from "../../../sim/cli/Surroundings.ts"
import { runScenario } from "../../../sim/run.ts"
import { Recorder } from "../../../sim/trace/Recorder.ts"
import { scenarioFrom } from "../search/Field.ts"
import { kernelAt } from "../search/Field.ts"
import { drawnTrace, engine, FIELD, folder, sim, traceOf, VERSION, write } from "./Stage.ts"

const TEXT = traceOf()
const LINES = TEXT.trimEnd().split("\n")
const withLine = (n: number, line: string): string => `${LINES.with(n - 1, line).join("\n")}\n`
write("out/whole.jsonl", TEXT)
const INPUTS = LINES.length - 2
const HASH = (JSON.parse(LINES.at(-1)!) as { readonly end: { readonly hash: string } }).end.hash

const recordsOf = (out: string) =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly [key: string]: unknown })
const another = () => VERSION.replace("4", "5")

describe("a run that comes again", () => {
  it("has the exit code of its verdict, the whole story, and says that it is the same", async () => {
    const ran = await sim("replay out/whole.jsonl")
    assert.deepInclude(ran, { exit: 1, err: "" })
    assert.match(ran.out, /^A small field .* seed 7 · 14 s in 0 ms · trace [0-9a-f]{8}\n/u)
    assert.include(ran.out, "main leads, term 1")
    assert.match(ran.out, /✗ main leads for ever\n    scenarios\/field\.yaml:13\n/u)
    assert.include(ran.out, `✓ replayed, step by step the same: ${INPUTS} inputs of out/whole.jsonl, trace ${HASH}\n`)
    assert.isTrue(ran.out.endsWith("expectations: 1 passed, 1 failed\n"))
    assert.notInclude(ran.out, "!")
  })

  it("also one that a campaign drew, and a branch of one, whatever else it drew by now", async () => {
    write("out/drawn.jsonl", drawnTrace())
    write("out/branch.jsonl", drawnTrace(undefined, 3, [{ after: 300, future: 2 }]))
    for (const name of ["drawn", "branch"]) {
      const { out } = await sim(`replay out/${name}.jsonl`)
      assert.match(out, /\ndrawn: /u)
      assert.match(out, /✓ replayed, step by step the same: /u)
    }
  })

  it("as JSON: the run, and what came of the replay", async () => {
    const { exit, out } = await sim("replay out/whole.jsonl --json")
    const [run, replayed] = recordsOf(out)
    assert.deepInclude(run!, { $type: "clawmesh.run/1", hash: HASH, verdict: "failed", exit: 1 })
    assert.deepStrictEqual(replayed, {
      $type: "clawmesh.replay/1",
      trace: "out/whole.jsonl",
      file: "scenarios/field.yaml",
      outcome: "same",
      event: null,
      atMs: null,
      node: null,
      damage: null,
      inputs: INPUTS,
      hash: HASH,
      recordedBy: VERSION,
      kernel: VERSION,
      exit: 1
    })
    assert.strictEqual(exit, 1)
  })

  it("up to a moment, and told from a moment on", async () => {
    const { exit, out } = await sim("replay out/whole.jsonl --from 1s --until 5500ms")
    assert.strictEqual(exit, 0, "what broke is due later")
    assert.match(out, /seed 7 · stopped at 5\.5 s/u)
    assert.notInclude(out, "everyone starts")
    assert.match(out, /\n +1\.000 {3}…\n/u)
    assert.match(out, /the same: \d+ inputs/u)
    assert.isTrue(out.endsWith("expectations: 1 passed, 0 failed, 1 skipped\n"))
  })

  it("was stopped when it was recorded, and is stopped there again", async () => {
    const recorded = await sim("run scenarios/field.yaml --until 5500ms --record")
    const path = /^saved {2}(out\/[0-9a-f]{8}\.jsonl)$/mu.exec(recorded.out)?.[1] ?? "no trace"
    const { exit, out } = await sim(`replay ${path}`)
    assert.deepStrictEqual([exit, recorded.exit], [0, 0])
    assert.match(out, /stopped at 5\.5 s/u)
    assert.match(out, /✓ replayed, step by step the same/u)
  })

  it("step by step: each input with its number, what was given for it, and what it changed", async () => {
    const { out } = await sim("replay out/whole.jsonl --step")
    const numbers = [...out.matchAll(/^ +[\d.]+ +#(\d+) {3}/gmu)].map(([, n]) => Number(n))
    assert.deepStrictEqual(
      numbers,
      Array.from({ length: INPUTS }, (_, i) => i + 1)
    )
    assert.match(out, /#1 {3}main ← Started \{"bootId":/u)
    for (const words of [
      "off → booting",
      "booting → running",
      "Standing → Leading",
      "votes for main in term 1",
      "main: up → suspect",
      "a session with one, link "
    ])
      assert.include(out, `● ${words}`)
    assert.match(out, /● its lease runs 1\.\d+ s more/u)
    assert.match(out, /● a promise to main, for 2\.4 s/u)
    assert.match(out, /\n {5}6\.000 {12}world\.crash main\b/u)
    const { out: window } = await sim("replay out/whole.jsonl --step --from 5s --until 5200ms")
    assert.isAbove([...window.matchAll(/#\d+ {3}/gu)].length, 3)
    for (const [, time] of window.matchAll(/^ +([\d.]+) +#\d+/gmu))
      assert.isTrue(Number(time) >= 5 && Number(time) <= 5.2)
  })
})

describe("another kernel", () => {
  it("that does the same is named, and changes nothing else", async () => {
    const { exit, out } = await sim("replay out/whole.jsonl", { kernelVersion: another })
    assert.include(out, "! this recording was made by kernel 4c1e77a; you run 5c1e77a\n")
    assert.include(out, "✓ replayed, step by step the same")
    assert.strictEqual(exit, 1)
  })

  it("that does otherwise: exit 5, from which input on, what it does there, and how to see the old one", async () => {
    const { exit, out } = await sim("replay out/whole.jsonl", {
      kernelVersion: another,
      kernelModule: kernelAt("deaf")
    })
    assert.strictEqual(exit, 5)
    assert.include(out, "! this recording was made by kernel 4c1e77a; you run 5c1e77a\n")
    assert.match(
      out,
      /  The inputs replayed as recorded: what nodes do with them is the same until \d\.\d{3}, input \d+ of \d+:\n {4}\d\.\d{3} {2}\w+ ← Woke\n/u
    )
    assert.match(out, /  That is answered otherwise than was recorded, now by\n {4}→ nothing\n/u)
    assert.match(out, /  Recorded was: failed, at 14\.000, trace [0-9a-f]{16}\n/u)
    assert.include(out, "pnpm sim replay out/whole.jsonl --as-of 4c1e77a\n")
    assert.include(out, "pnpm sim scenarios/field.yaml --seed 7\n")
    const [replayed] = recordsOf(
      (await sim("replay out/whole.jsonl --json", { kernelVersion: another, kernelModule: kernelAt("deaf") })).out
    )
    assert.deepInclude(replayed!, { outcome: "kernel", exit: 5, recordedBy: "4c1e77a", kernel: "5c1e77a" })
    const first = LINES.findIndex((line) => line.includes('"_tag":"Woke"'))
    assert.strictEqual(replayed!["event"], first, "the first alarm, of a node that runs")
  })

  it("that no commit holds is said to be in none", async () => {
    write("out/dirty.jsonl", TEXT.replace('"kernel":"4c1e77a"', '"kernel":"4c1e77a-dirty.51aa0c3e"'))
    const { out } = await sim("replay out/dirty.jsonl", { kernelModule: kernelAt("deaf") })
    assert.include(out, "made by kernel 4c1e77a-dirty.51aa0c3e; you run 4c1e77a\n")
  })

  it("that nobody can name is told as such", async () => {
    const { exit, out } = await sim("replay out/whole.jsonl", {
      kernelModule: kernelAt("deaf"),
      kernelVersion: () => null
    })
    assert.strictEqual(exit, 5)
    assert.include(out, "made by kernel 4c1e77a; you run one that no commit names\n")
  })
})

describe("a finding of a campaign", () => {
  it(
    "comes again with the kernel that broke it, and parts where another one is right",
    { timeout: 60_000 },
    async () => {
      write(
        "scenarios/leads.yaml",
        FIELD.replace("at: 12s, that: { leader: main }", "eventually: { leaders: exactly 1 }")
      )
      const deaf = { kernelModule: kernelAt("deaf"), kernelVersion: () => "0dea100" }
      const found = await sim("fuzz scenarios/leads.yaml --seeds 7 --jobs 1 --no-swarm --twice 0%", deaf)
      assert.strictEqual(found.exit, 1)
      const path = /^ +saved {2}(out\/[0-9a-f]{8}\.jsonl)$/mu.exec(found.out)?.[1] ?? "no trace"
      const again = await sim(`replay ${path}`, deaf)
      assert.strictEqual(again.exit, 1)
      assert.match(again.out, /✗ main leads for ever\n/u)
      assert.include(again.out, "✓ replayed, step by step the same")
      const mended = await sim(`replay ${path}`)
      assert.strictEqual(mended.exit, 5)
      assert.match(mended.out, /That is answered otherwise than was recorded, now by\n(?: {4}→ .*\n)+/u)
    }
  )
})

describe("a seed of a campaign that gives two runs", () => {
  it("is kept as both of them, with the command that compares them", { timeout: 60_000 }, async () => {
    const found = await sim("fuzz scenarios/field.yaml --seeds 1..2 --jobs 2 --twice 100%", {
      kernelModule: kernelAt("parochial")
    })
    assert.strictEqual(found.exit, 4)
    const [, one, other] = /^ {2}diff {3}pnpm sim diff (out\/\w+\.jsonl) (out\/\w+\.jsonl)$/mu.exec(found.out) ?? []
    const { exit, out } = await sim(`diff ${one} ${other}`)
    assert.strictEqual(exit, 1)
    assert.match(out, /\n✗ they part\n$/u)
  })
})

describe("the same kernel, and another run: a bug of the simulator", () => {
  it("is exit 4, with the first event that differs", async () => {
    // As if something outside the arguments had an influence.
    const other = {
      ...engine,
      run: (...[scenario, options]: Parameters<typeof engine.run>) => engine.run(scenario, { ...options, seed: 8 })
    }
    const { exit, out } = await sim("replay out/whole.jsonl", { engine: async () => other })
    assert.strictEqual(exit, 4)
    assert.include(out, "✗ the run does not come again: kernel 4c1e77a recorded it, and makes another one of seed 7\n")
    assert.match(
      out,
      /  From the first input on:\n {4}recorded {2}0\.000 {2}main ← Started .*\n {4}now {7}0\.000 {2}main ← Started /u
    )
    assert.match(out, /\n {4}input\.bootId: recorded "[\w-]+", now "[\w-]+"\n/u)
    assert.match(out, /  The inputs replayed as recorded: nodes do the same with all \d+ of them\n/u)
    const [replayed] = recordsOf((await sim("replay out/whole.jsonl --json", { engine: async () => other })).out)
    assert.deepInclude(replayed!, { outcome: "not deterministic", event: 1, atMs: 0, node: "main", exit: 4 })
  })

  it("in the middle of it, after what came before", async () => {
    let steps = 0
    const drops = {
      ...engine,
      run: (...[scenario, options]: Parameters<typeof engine.run>) => {
        const { make, step } = options.kernel!
        const deafSince100: Kernel = {
          make,
          step: (node, input) => (++steps > 100 && input._tag === "Woke" ? [node, []] : step(node, input))
        }
        return engine.run(scenario, { ...options, kernel: deafSince100 })
      }
    }
    const { exit, out } = await sim("replay out/whole.jsonl", { engine: async () => drops })
    assert.strictEqual(exit, 4)
    const [, event] =
      /  The same until \d\.\d{3}, before input (\d+) of \d+\. Then:\n {4}both take up {2}\d\.\d{3} {2}\w+ ← Woke\n {4}and the node does not give what it gave when it was recorded; now:\n {6}→ nothing\n/u.exec(
        out
      ) ?? []
    assert.isAbove(Number(event), 100)
    assert.match(LINES[Number(event)]!, /"_tag":"Woke"/u)
  })

  it("the same run with another verdict is one, too", async () => {
    const kinder = {
      ...engine,
      run: (...[scenario, options]: Parameters<typeof engine.run>) => ({
        ...engine.run(scenario, options),
        verdict: "passed" as const
      })
    }
    const same = await sim("replay out/whole.jsonl", { engine: async () => kinder })
    assert.strictEqual(same.exit, 4)
    assert.include(
      same.out,
      "✗ replayed, step by step the same, and judged otherwise: recorded was failed, now it is passed\n"
    )
    assert.strictEqual(
      (await sim("replay out/whole.jsonl", { engine: async () => kinder, kernelVersion: another })).exit,
      5
    )
  })
})

describe("another simulator", () => {
  /** As one whose fuzzer draws other faults from a seed. */
  const drawsOtherwise: Engine = {
    ...engine,
    run: (scenario, options) => engine.run(scenario, options),
    runFuzzed: (scenario, seed, how, options) => engine.runFuzzed(scenario, seed + 1, how, options)
  }

  it("that draws another run from the seed: replayed is what was drawn then, also in a branch", async () => {
    write("out/drawn.jsonl", drawnTrace())
    write(
      "out/branch.jsonl",
      drawnTrace(undefined, 3, [
        { after: 300, future: 2 },
        { after: 400, future: 1 }
      ])
    )
    for (const name of ["drawn", "branch"]) {
      const around = { engine: async () => drawsOtherwise, kernelVersion: another }
      const { exit, out } = await sim(`replay out/${name}.jsonl`, around)
      assert.include(out, "! of seed 3 this simulator makes another run: replayed is what was drawn then\n")
      assert.match(out, /✓ replayed, step by step the same: [\d ]+ inputs of /u)
      assert.match(out, /\n  The seed as it runs now {4}pnpm sim scenarios\/field\.yaml --seed 3 --fuzzed/u)
      assert.strictEqual(exit, (await sim(`replay out/${name}.jsonl`)).exit, "judged as ever")
    }
    const { exit } = await sim("replay out/drawn.jsonl", { engine: async () => drawsOtherwise })
    assert.strictEqual(exit, 4, "the very same simulator may not")
  })

  it("whose world is another one: exit 5, what nodes told then, and where the run parts that it makes now", async () => {
    // Recorded in a world with other delays than its seed gives in this one.
    const recorder = new Recorder()
    const scenario = scenarioFrom(FIELD, "scenarios/field.yaml")
    const result = runScenario(
      { ...scenario, network: { ...scenario.network, delayMs: { min: 30, max: 40 } } },
      { seed: 7, onStep: recorder.onStep }
    )
    const maker = { kernel: VERSION, node: "24.4.0" }
    write("out/slow.jsonl", recorder.text({ scenario, drawn: null, untilMs: null, maker }, result))
    const { exit, out } = await sim("replay out/slow.jsonl", { kernelVersion: another })
    assert.strictEqual(exit, 5)
    assert.match(out, /^What nodes told, as it was recorded:\n\n +\d\.\d{3} {3}main leads, term 1\n/u)
    assert.include(out, "! the simulator makes another run of seed 7 by now\n")
    assert.match(
      out,
      /  The same until 0\.\d{3}, before input \d+ of \d+\. Then:\n {4}recorded  0\.\d{3}  .*\n {4}now       0\.\d{3}  /u
    )
    assert.match(out, /  The inputs replayed as recorded: nodes do the same with all \d+ of them\n/u)
    assert.match(out, /\n  To see the old behaviour   pnpm sim replay out\/slow\.jsonl --as-of 4c1e77a\n/u)
    assert.strictEqual((await sim("replay out/slow.jsonl")).exit, 4)
  })

  it("to which the text of the scenario says nothing any more: replayed is what was read then", async () => {
    const stranger = { ...engine, read: () => ({ mistakes: [], told: "" }) }
    const { exit, out } = await sim("replay out/whole.jsonl", { engine: async () => stranger, kernelVersion: another })
    assert.strictEqual(exit, 1)
    assert.include(
      out,
      "! the text of its scenario is none that this simulator reads: replayed is what was read then\n"
    )
    assert.match(out, /✓ replayed, step by step the same/u)
  })

  it("to which what was read then says nothing either: its inputs are replayed", async () => {
    const lost: Engine = {
      ...engine,
      read: () => ({ mistakes: [], told: "" }),
      run: () => {
        throw new Error("no such verb")
      }
    }
    const { exit, out } = await sim("replay out/whole.jsonl", { engine: async () => lost, kernelVersion: another })
    assert.strictEqual(exit, 5)
    assert.include(out, "! the scenario in it is none that this simulator reads: only its inputs are replayed\n")
    assert.match(out, /nodes do the same with all \d+ of them\n/u)
  })
})

describe("a trace with something wrong", () => {
  it("cut off: it is replayed up to there, and that is exit 5", async () => {
    write("out/cut.jsonl", LINES.slice(0, 200).join("\n"))
    const { exit, out } = await sim("replay out/cut.jsonl")
    assert.strictEqual(exit, 5)
    assert.include(out, "! out/cut.jsonl is cut off: it ends after 199 inputs, and no line says how it ended\n")
    assert.match(out, /✓ replayed, step by step the same: 199 inputs of out\/cut\.jsonl/u)
  })

  it("edited: from which line on it is another run, and what was there", async () => {
    const n = LINES.findIndex((line) => line.includes('"_tag":"Ponged"')) + 1
    write("out/edited.jsonl", withLine(n, LINES[n - 1]!.replace(/"probe":(\d+)/u, '"probe":99')))
    const { exit, out } = await sim("replay out/edited.jsonl")
    assert.strictEqual(exit, 5)
    assert.include(out, "! out/edited.jsonl was edited since it was written: the sum at its end is another one\n")
    assert.include(out, `  It is another run from out/edited.jsonl:${n} on\n`)
    assert.match(out, /\n {4}input\.probe: written 99, run \d+\n/u)
    assert.notInclude(out, "--as-of", "no other kernel would do otherwise")
  })

  it("edited where nothing of the run hangs on it: said, and exit 5", async () => {
    write("out/end.jsonl", withLine(LINES.length, LINES.at(-1)!.replace("failed", "passed")))
    const { exit, out } = await sim("replay out/end.jsonl")
    assert.strictEqual(exit, 5)
    assert.include(out, "was edited since it was written")
    assert.include(out, "✓ replayed, step by step the same")
  })

  it("lines left out, put in, or changed in order are found", async () => {
    const variants = {
      out: LINES.toSpliced(150, 1),
      in: LINES.toSpliced(150, 0, LINES[150]!),
      order: [...LINES.slice(0, 150), LINES[151]!, LINES[150]!, ...LINES.slice(152)]
    }
    for (const [name, lines] of Object.entries(variants)) {
      write(`out/${name}.jsonl`, `${lines.join("\n")}\n`)
      const { exit, out } = await sim(`replay out/${name}.jsonl`)
      assert.strictEqual(exit, 5, name)
      assert.match(out, /  It is another run from out\/\w+\.jsonl:15[12] on\n/u)
    }
  })

  it("of another scenario: what was read then is replayed, and that is exit 5", async () => {
    write("out/other.jsonl", withLine(1, LINES[0]!.replace("A small field", "A large field")))
    const { exit, out } = await sim("replay out/other.jsonl")
    assert.strictEqual(exit, 5)
    assert.include(out, "! out/other.jsonl:1:1: the scenario in it is another one than was recorded")
    assert.match(out, /✓ replayed, step by step the same/u)
  })

  it("of a file that has changed: the recorded one is replayed, and the command for the new one is told", async () => {
    write("out/changed.jsonl", traceOf(FIELD.replace("lasts: 14s", "lasts: 13s")))
    const { exit, out } = await sim("replay out/changed.jsonl")
    assert.strictEqual(exit, 5)
    assert.match(out, /seed 7 · 13 s/u)
    assert.include(
      out,
      "! scenarios/field.yaml has changed since: what is replayed is the scenario as it was recorded\n  The file as it is now   pnpm sim scenarios/field.yaml --seed 7\n"
    )
  })

  it("of a file that is gone: it needs none", async () => {
    const away = join(folder, "away")
    mkdirSync(away)
    writeFileSync(join(away, "x.jsonl"), TEXT)
    const { exit, out } = await sim("replay x.jsonl", { cwd: away })
    assert.strictEqual(exit, 1)
    assert.notInclude(out, "!")
  })
})

describe("no trace", () => {
  it("is exit 2, with the reason and the way out", async () => {
    mkdirSync(join(folder, "bare"))
    const said = async (file: string) => {
      const { err, exit, out } = await sim(`replay ${file}`)
      assert.deepStrictEqual([exit, out], [2, ""])
      return err
    }
    assert.match(await said("out"), /^out is a folder; did you mean out\/\w+\.jsonl\?\n$/u)
    assert.strictEqual(await said("bare"), "bare is a folder; there is no trace in it\n")
    assert.strictEqual(await said("out/whoel.jsonl"), "no file out/whoel.jsonl; did you mean out/whole.jsonl?\n")
    assert.strictEqual(await said("out/whole"), "no file out/whole; did you mean out/whole.jsonl?\n")
    assert.strictEqual(
      await said("nowhere/x.jsonl"),
      "no file nowhere/x.jsonl; traces are kept by pnpm sim fuzz, and by pnpm sim run --record, in out/\n"
    )
    assert.strictEqual(
      await said("out/whole.jsonl/x"),
      "no file out/whole.jsonl/x: a part of its path is not a folder\n"
    )
    assert.strictEqual(await said("/dev/null"), "/dev/null is not a file; a trace is a text file\n")
    write("out/empty.jsonl", "")
    assert.match(await said("out/empty.jsonl"), /^out\/empty\.jsonl is empty; /u)
    const { out } = await sim("replay out/empty.jsonl --json")
    assert.deepInclude(recordsOf(out)[0]!, { $type: "clawmesh.error/1", code: "UNREADABLE", exit: 2 })
  })
})

describe("a seed", () => {
  it("is run two times, compared step by step", async () => {
    const { exit, out } = await sim("replay scenarios/field.yaml --seed 7 --until 5500ms")
    assert.strictEqual(exit, 0)
    assert.match(
      out,
      /\n✓ two runs, step by step the same: trace [0-9a-f]{16}\nexpectations: 1 passed, 0 failed, 1 skipped\n$/u
    )
  })

  it("as a campaign draws it, with --step as well", async () => {
    const { out } = await sim("replay scenarios/field.yaml --seed 3 --fuzzed --branch 200:2 --step --until 12s")
    assert.match(out, /\ndrawn: /u)
    assert.match(out, /#1 {3}main ← Started/u)
    const { err, exit } = await sim("replay scenarios/field.yaml --seed 3 --fuzzed --branch 99999999:1")
    assert.strictEqual(exit, 2)
    assert.match(err, /never comes to 99999999:1; write the points as/u)
  })

  it("that gives two runs: exit 4, with the first step in which they part", async () => {
    const { exit, out } = await sim("replay scenarios/field.yaml --seed 7", { kernelModule: kernelAt("restless") })
    assert.strictEqual(exit, 4)
    assert.match(
      out,
      /✗ not deterministic: seed 7 gave trace [0-9a-f]{16} and trace [0-9a-f]{16}\n  The same until \d+\.\d{3}, before input [\d ]+ of [\d ]+\. Then:\n/u
    )
    assert.match(out, /\n  Common causes: a Map or Set filled in another order/u)
  })

  it("of a file that does not read is told as ever", async () => {
    write("scenarios/typo.yaml", FIELD.replace("lasts: 14s", "lasts: 14"))
    const { err, exit } = await sim("replay scenarios/typo.yaml --seed 7")
    assert.strictEqual(exit, 2)
    assert.match(err, /^scenarios\/typo\.yaml does not read: one thing|^scenarios\/typo\.yaml does not read/u)
  })
})

describe("pnpm sim run --step", () => {
  it("tells every step in place of the story, of each run anew", async () => {
    const { exit, out } = await sim("run scenarios/field.yaml scenarios/field.yaml --step --until 5500ms")
    assert.strictEqual(exit, 0)
    const replayed = await sim("replay scenarios/field.yaml --step --until 5500ms")
    const steps = (text: string) => text.split("\n").filter((line) => /#\d+ {3}|● /u.test(line))
    assert.deepStrictEqual(steps(out), steps(replayed.out))
    assert.notInclude((await sim("run scenarios/field.yaml --step --quiet")).out, "#1 ")
  })
})

describe("pnpm sim run --record", () => {
  it("keeps the run, as written and as drawn", async () => {
    for (const flags of ["--seed 7", "--seed 3 --fuzzed", "--seed 3 --fuzzed --no-swarm --with gen1=1"]) {
      const { out } = await sim(`run scenarios/field.yaml ${flags} --record`)
      const path = /^saved {2}(out\/[0-9a-f]{8}\.jsonl)$/mu.exec(out)?.[1] ?? "no trace"
      assert.match((await sim(`replay ${path}`)).out, /✓ replayed, step by step the same/u)
    }
    const seven = await sim("run scenarios/field.yaml --seed 7 --record --quiet")
    assert.notInclude(seven.out, "saved")
    assert.strictEqual(
      readFileSync(join(folder, `out/${HASH.slice(0, 8)}.jsonl`), "utf8").split("\n").length,
      LINES.length + 1
    )
  })

  it("that cannot be written is told, and is exit 2", async () => {
    const bare = join(folder, "bare2")
    mkdirSync(bare)
    writeFileSync(join(bare, "out"), "")
    writeFileSync(join(bare, "field.yaml"), FIELD)
    const { err, exit } = await sim("run field.yaml --record", { cwd: bare })
    assert.strictEqual(exit, 2)
    assert.match(err, /^out\/[0-9a-f]{8}\.jsonl cannot be written: out is a file, and has to be a folder\n$/u)
  })
})
