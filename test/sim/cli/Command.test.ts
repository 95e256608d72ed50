import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { command } from "../../../sim/cli/Command.ts"
import type { Engine, Surroundings } from "../../../sim/cli/Surroundings.ts"
import type { Outcome } from "../../../sim/judge/Judge.ts"
import { verdictOf } from "../../../sim/judge/Verdict.ts"
import type { RunOptions, RunResult, Violation } from "../../../sim/run.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { expectation, happening, scenario, step } from "../judge/Stage.ts"

/** 2026-11-24T12:00:00Z. */
const NOW_MS = 1_795_521_600_000

/** The user id that Debian keeps for those who own nothing. */
const NOBODY = 65_534

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clawmesh-cli-"))
  mkdirSync(join(folder, "scenarios"))
  mkdirSync(join(folder, "empty"))
  for (const name of ["failover", "ghost-reconnect"]) writeFileSync(join(folder, "scenarios", `${name}.yaml`), name)
  writeFileSync(join(folder, "broken.yaml"), "mistake")
  writeFileSync(join(folder, "worse.yaml"), "mistake")
  writeFileSync(join(folder, "with space.yaml"), "ok")
  symlinkSync(join(folder, "loop.yaml"), join(folder, "loop.yaml"))
})
afterAll(() => rmSync(folder, { recursive: true }))

const law = expectation(
  { _tag: "always", fromMs: 0, untilMs: 60_000 },
  { leaders: { how: "at most", n: 1 } },
  "never two",
  49
)
const outcome = (status: Outcome["status"]): Outcome => ({
  expectation: law,
  status,
  ...(status === "broken" ? { atMs: 7_000, witness: "now 2: a and b" } : {})
})
const violation: Violation = { oracle: "S1", atMs: 7_000, node: "a", message: "leads beside b" }
const vacuous = step(5_000, "power-cut", { _tag: "crash", who: ["a"] }, 12)

const result = (parts: Partial<RunResult> = {}): RunResult => {
  const made = {
    seed: 42,
    events: 10,
    endedMs: 60_000,
    hash: "77d0a91e00112233",
    expectations: [outcome("held")],
    violations: [],
    effects: [],
    faultsWithoutEffect: [],
    happenings: [happening(0, "world.start", { reason: "everyone" })],
    ...parts
  }
  return { ...made, verdict: verdictOf(made) }
}

interface Stage {
  readonly run?: (options: RunOptions, call: number, scenario: Scenario) => RunResult
  readonly read?: Engine["read"]
  readonly engine?: () => Promise<Engine>
  readonly around?: Partial<Surroundings>
}

const sim = async (line: string | ReadonlyArray<string>, { around, engine, read, run }: Stage = {}) => {
  const seen = { out: "", err: "", options: [] as Array<RunOptions>, swarm: [] as Array<boolean>, loaded: 0 }
  const actors: Engine = {
    read:
      read ??
      ((file, bytes) =>
        new TextDecoder().decode(bytes) === "mistake"
          ? {
              mistakes: [{ place: { line: 3, column: 8 }, length: 2, message: "write a unit", lineText: "lasts: 60" }],
              told: `${file} does not read: 1 thing\n`
            }
          : { scenario: scenario({ timeline: [vacuous], expect: [law] }) }),
    run: (given, options) => {
      seen.options.push(options)
      return (
        run?.(options, seen.options.length, given) ?? result(options.seed === undefined ? {} : { seed: options.seed })
      )
    },
    runFuzzed: (written, seed, { swarm }, options) => {
      seen.options.push({ ...options, seed })
      seen.swarm.push(swarm)
      return { drawn: draw(written, seed, { swarm }), result: result({ seed }) }
    }
  }
  const exit = await command(typeof line === "string" ? line.split(" ") : line, {
    cwd: folder,
    env: {},
    out: (text) => (seen.out += text),
    err: (text) => (seen.err += text),
    terminal: null,
    nowMs: () => 0,
    dateMs: () => NOW_MS,
    engine:
      engine ??
      (async () => {
        seen.loaded++
        return actors
      }),
    ...around
  })
  return { exit, ...seen, last: seen.out.trimEnd().split("\n").at(-1) }
}

describe("pnpm sim: exit codes of a run", () => {
  const file = "scenarios/failover.yaml"
  it("0: everything judged held; the count is alone on the last line", async () => {
    const ran = await sim(file)
    assert.deepInclude(ran, { exit: 0, err: "", last: "expectations: 1 passed, 0 failed" })
  })
  it("1: an expectation broke, or an invariant did", async () => {
    const broke = await sim(file, { run: () => result({ expectations: [outcome("broken"), outcome("not-reached")] }) })
    assert.deepInclude(broke, { exit: 1, last: "expectations: 0 passed, 1 failed, 1 skipped" })
    assert.include(broke.out, "scenarios/failover.yaml:49\n")
    assert.include(broke.out, "again   pnpm sim scenarios/failover.yaml --seed 42\n")
    const unsafe = await sim(file, { run: () => result({ violations: [violation] }) })
    assert.deepInclude(unsafe, { exit: 1, last: "expectations: 1 passed, 1 failed" })
  })
  it("3: nothing judged, nothing reached, or a fault that touched nothing", async () => {
    const of = async (parts: Partial<RunResult>) => (await sim(file, { run: () => result(parts) })).exit
    assert.strictEqual(await of({ expectations: [] }), 3)
    assert.strictEqual(await of({ expectations: [outcome("not-reached")] }), 3)
    assert.strictEqual(await of({ faultsWithoutEffect: [vacuous] }), 3)
  })
  it("4: --twice gave two traces; one trace is printed twice otherwise", async () => {
    const same = await sim(`${file} --twice --seed 7`)
    assert.deepInclude(same, { exit: 0, last: "expectations: 1 passed, 0 failed" })
    assert.deepStrictEqual(same.options, [{ seed: 7 }, { seed: 7 }])
    assert.strictEqual(same.out.split("77d0a91e00112233").length - 1, 2)
    const apart = await sim(`${file} --twice`, { run: (_, call) => result({ hash: `${call}`.repeat(16) }) })
    assert.strictEqual(apart.exit, 4)
    assert.include(apart.out, "not deterministic: seed 42 gave trace 1111111111111111 and trace 2222222222222222")
  })
  it("70: a defect, with its stack, the seed and whose fault it is", async () => {
    const broke = await sim(`${file} --seed 7 --until 2s`, {
      run: () => {
        throw new Error("impossible input")
      }
    })
    assert.strictEqual(broke.exit, 70)
    assert.match(broke.err, /^the simulator broke on scenarios\/failover\.yaml\. This is a defect of clawmesh, not of/u)
    assert.match(broke.err, /Error: impossible input\n +at /u)
    assert.include(broke.err, "again   pnpm sim scenarios/failover.yaml --seed 7 --until 2000ms")
    const reader = await sim(file, {
      read: () => {
        throw new Error("reader")
      }
    })
    assert.strictEqual(reader.exit, 70)
    const missing = await sim(file, { engine: () => Promise.reject(new Error("cannot find module")) })
    assert.strictEqual(missing.exit, 70)
  })
  it("--until and --seed reach the run; a name with spaces is quoted where it is to be typed again", async () => {
    const ran = await sim(["with space.yaml", "--until", "1s", "--seed", "0"], {
      run: () => result({ seed: 0, violations: [violation] })
    })
    assert.deepStrictEqual(ran.options, [{ seed: 0, untilMs: 1_000 }])
    assert.include(ran.out, "pnpm sim 'with space.yaml' --seed 0 --until 1000ms\n")
  })
  it("--with: the run has a node more, and says how it is run again", async () => {
    const ran: Array<ReadonlyArray<string>> = []
    const run: Stage["run"] = (_, _call, given) => {
      ran.push([...given.nodes.map(({ name }) => name), given.with ?? ""])
      return result({ violations: [violation] })
    }
    const told = await sim(`${file} --with gen1=1`, { run })
    await sim(file, { run })
    assert.deepStrictEqual(ran[0], [...ran[1]!.slice(0, -1), "gen1-1", "gen1=1"])
    assert.include(told.out, "pnpm sim scenarios/failover.yaml --seed 42 --with gen1=1\n")
  })
})

describe("pnpm sim: several files", () => {
  it("tells each, and closes with all expectations and all scenarios", async () => {
    const ran = await sim("scenarios/*.yaml")
    assert.strictEqual(ran.exit, 0)
    assert.match(ran.out, /\n\nexpectations: 2 passed, 0 failed\nscenarios: 2 passed, 0 failed\n$/u)
    assert.strictEqual(ran.out.match(/expectations:/gu)?.length, 1)
  })
  it("exits with the gravest code, and still runs the others after a defect", async () => {
    const exits = async (...results: ReadonlyArray<Partial<RunResult> | Error>) => {
      const ran = await sim("scenarios/*.yaml", {
        run: (_, call) => {
          const one = results[call - 1]
          if (one instanceof Error) throw one
          return result(one)
        }
      })
      return `${ran.exit} ${ran.last}`
    }
    const undecided = { expectations: [] }
    const broken = { expectations: [outcome("broken")] }
    assert.strictEqual(await exits(undecided, {}), "3 scenarios: 1 passed, 0 failed, 1 undecided")
    assert.strictEqual(await exits(broken, undecided), "1 scenarios: 0 passed, 1 failed, 1 undecided")
    assert.strictEqual(await exits(new Error("x"), {}), "70 scenarios: 1 passed, 1 failed")
  })
  it("a file named twice runs once", async () => {
    assert.strictEqual(
      (await sim("scenarios/failover.yaml ./scenarios/failover.yaml scenarios/f*.yaml")).options.length,
      1
    )
  })
  it("all mistakes of all files are told, and nothing runs", async () => {
    const ran = await sim("broken.yaml scenarios/failover.yaml scenarios/missing.yaml worse.yaml")
    assert.deepInclude(ran, { exit: 2, out: "", options: [] })
    for (const file of ["broken.yaml does not read", "worse.yaml does not read", "no file scenarios/missing.yaml"]) {
      assert.include(ran.err, file)
    }
  })
})

describe("pnpm sim: wrong use costs exit 2 and one sentence", () => {
  const sentences: ReadonlyArray<readonly [line: string, sentence: string]> = [
    ["failover", 'no command "failover"; did you mean pnpm sim scenarios/failover.yaml?'],
    ["run failovr", 'no command "failovr"; did you mean pnpm sim scenarios/failover.yaml?'],
    ["rum", 'no command "rum"; did you mean pnpm sim run?'],
    ["quux", 'no command "quux"; a scenario is named by its path, such as scenarios/failover.yaml'],
    ["failover.yaml", "no file failover.yaml; did you mean scenarios/failover.yaml?"],
    ["scenarios/failovr.yaml", "no file scenarios/failovr.yaml; did you mean scenarios/failover.yaml?"],
    ["brokn.yaml", "no file brokn.yaml; did you mean broken.yaml?"],
    ["scenarios/quux.yaml", "no file scenarios/quux.yaml; look with ls scenarios"],
    ["scenarios/", 'scenarios/ is a folder; did you mean "scenarios/*.yaml"?'],
    ["broken.yaml/x.yaml", "no file broken.yaml/x.yaml: a part of its path is not a folder"],
    ["empty/*.yaml", "empty/*.yaml matches no scenario; ls empty shows what is there"],
    ["/dev/zero", "/dev/zero is not a file; a scenario is a text file"],
    ["loop.yaml", "loop.yaml is a link that leads back to itself"]
  ]
  for (const [line, sentence] of sentences) {
    it(`pnpm sim ${line}`, async () => {
      const ran = await sim(line)
      assert.deepInclude(ran, { exit: 2, out: "", err: `${sentence}\n`, loaded: 0 })
    })
  }
  it("a file that may not be read", async () => {
    const locked = "locked.yaml"
    writeFileSync(join(folder, locked), "ok", { mode: 0 })
    // Root may read everything, so root has to be somebody else for a moment. Files are read before the first await.
    const root = process.geteuid?.() === 0
    if (root) process.seteuid?.(NOBODY)
    const ran = sim(locked)
    if (root) process.seteuid?.(0)
    assert.deepInclude(await ran, {
      exit: 2,
      out: "",
      err: `${locked} may not be read; ls -ld ${locked} shows who may\n`
    })
  })
  it("a name that is far too long", async () => {
    assert.deepInclude(await sim(`${"x".repeat(5_000)}.yaml`), {
      exit: 2,
      err: "no such file: the name is longer than any can be\n"
    })
  })
})

interface ErrorRecord {
  readonly $type: string
  readonly code: string
  readonly exit: number
  readonly message: string
  readonly file: string | null
  readonly mistakes: ReadonlyArray<object>
}

describe("pnpm sim: --json", () => {
  it("is one record a run on standard output, and no text for people", async () => {
    const ran = await sim("scenarios/failover.yaml scenarios/ghost-reconnect.yaml --json", {
      run: (_, call) =>
        result(
          call === 1
            ? {}
            : { expectations: [outcome("broken")], violations: [violation], faultsWithoutEffect: [vacuous] }
        )
    })
    assert.strictEqual(ran.exit, 1)
    const [first, second, ...rest] = ran.out
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text) as object)
    assert.deepStrictEqual(rest, [])
    const head = {
      $type: "clawmesh.run/1",
      title: "A tale",
      seed: 42,
      hash: "77d0a91e00112233",
      events: 10,
      endedMs: 60_000
    }
    const judged = { name: "never two", line: 49, marginMs: null, limitMs: null }
    assert.deepStrictEqual(first, {
      ...head,
      file: "scenarios/failover.yaml",
      verdict: "passed",
      expectations: [{ ...judged, status: "held", atMs: null, witness: null }],
      violations: [],
      faultsWithoutEffect: [],
      exit: 0
    })
    assert.deepStrictEqual(second, {
      ...head,
      file: "scenarios/ghost-reconnect.yaml",
      verdict: "failed",
      expectations: [{ ...judged, status: "broken", atMs: 7_000, witness: "now 2: a and b" }],
      violations: [violation],
      faultsWithoutEffect: [{ id: "power-cut", verb: "crash", atMs: 5_000, line: 12 }],
      exit: 1
    })
  })
  it("=FILE writes the records there and tells people on standard output", async () => {
    const ran = await sim("scenarios/failover.yaml --twice --json=out.json")
    assert.deepInclude(ran, { exit: 0, last: "expectations: 1 passed, 0 failed" })
    const written = JSON.parse(readFileSync(join(folder, "out.json"), "utf8")) as object
    assert.deepInclude(written, { $type: "clawmesh.run/1", secondHash: "77d0a91e00112233", exit: 0 })
  })
  it("=FILE that cannot be written is wrong use", async () => {
    const err = "--json=no/such/folder/out.json cannot be written: there is no such folder\n"
    const ran = await sim("scenarios/failover.yaml --json=no/such/folder/out.json")
    assert.deepInclude(ran, { exit: 2, err, out: "" })
    const folders = await sim("scenarios/failover.yaml --json=scenarios")
    assert.deepInclude(folders, { exit: 2, err: "--json=scenarios cannot be written: it is a folder\n", out: "" })
  })
  it("gives mistakes as records, one a mistake, with their exit code", async () => {
    const errors = async (line: string, stage: Stage = {}): Promise<ReadonlyArray<ErrorRecord>> => {
      const ran = await sim(line, stage)
      assert.strictEqual(ran.err, "")
      return ran.out
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text) as ErrorRecord)
    }
    assert.deepStrictEqual(await errors("failover --json"), [
      {
        $type: "clawmesh.error/1",
        code: "WRONG_USE",
        exit: 2,
        message: 'no command "failover"; did you mean pnpm sim scenarios/failover.yaml?',
        file: null,
        mistakes: []
      }
    ])
    const two = await errors("missing.yaml broken.yaml --json")
    assert.deepStrictEqual(
      two.map((error) => ({ ...error, message: error.message.slice(0, 24) })),
      [
        {
          $type: "clawmesh.error/1",
          code: "UNREADABLE",
          exit: 2,
          message: "no file missing.yaml; lo",
          file: null,
          mistakes: []
        },
        {
          $type: "clawmesh.error/1",
          code: "DOES_NOT_READ",
          exit: 2,
          message: "broken.yaml does not rea",
          file: "broken.yaml",
          mistakes: [{ line: 3, column: 8, length: 2, message: "write a unit" }]
        }
      ]
    )
    const [defect] = await errors("scenarios/failover.yaml --json", {
      run: () => {
        throw new Error("impossible input")
      }
    })
    assert.deepStrictEqual([defect?.code, defect?.exit], ["DEFECT", 70])
  })
})

describe("pnpm sim: how it looks", () => {
  const coloured = async (around: Partial<Surroundings>) =>
    (await sim("scenarios/failover.yaml", { around })).out.includes("\u001b")
  it("colour is for a terminal, and NO_COLOR and a dumb terminal are respected", async () => {
    const terminal = { columns: 100 }
    assert.isTrue(await coloured({ terminal }))
    assert.isTrue(await coloured({ terminal, env: { NO_COLOR: "" } }))
    assert.isFalse(await coloured({ terminal, env: { NO_COLOR: "1" } }))
    assert.isFalse(await coloured({ terminal, env: { TERM: "dumb" } }))
    assert.isFalse(await coloured({ terminal: null }))
  })
  it("help and version answer without loading the simulator", async () => {
    const helped = await sim("--help")
    assert.deepInclude(helped, { exit: 0, err: "", loaded: 0 })
    assert.include(helped.out, "--twice")
    const versioned = await sim("--version")
    assert.deepInclude(versioned, { exit: 0, loaded: 0 })
    assert.match(versioned.out, /^clawmesh \d+\.\d+\.\d+\n$/u)
  })
})
