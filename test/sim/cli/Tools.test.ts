/** `pnpm sim check`, `list`, `new` and `schema`: exit codes, words, records and files. */
import { assert, describe, it } from "@effect/vitest"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Engine } from "../../../sim/cli/Surroundings.ts"
import { runScenario } from "../../../sim/run.ts"
import { editorSchema, editorSchemaText } from "../../../sim/scenario/EditorSchema.ts"
import { renewed } from "../../../sim/scenario/Reference.ts"
import {
  another,
  type AnyRecord,
  engine,
  folder,
  held,
  LIMIT_MS,
  NOW_MS,
  recordsOf,
  sim,
  text,
  typos,
  write
} from "./Workshop.ts"

const project = fileURLToPath(new URL("../../../", import.meta.url))
/** The user id that Debian keeps for those who own nothing. */
const NOBODY = 65_534

describe("pnpm sim check", { timeout: LIMIT_MS }, () => {
  it("tells what reads, runs nothing, and counts", async () => {
    const idle: Engine = { ...engine, run: () => assert.fail("it ran") }
    assert.deepStrictEqual(await sim("check scenarios/*.yaml", { engine: async () => idle }), {
      exit: 0,
      err: "",
      out: [
        "✓ scenarios/broken.yaml   A lost field · 2 nodes, 1 step, 1 expectation",
        "✓ scenarios/held.yaml     A small field · 2 nodes, 1 step, 1 expectation",
        "scenarios: 2 passed, 0 failed\n"
      ].join("\n")
    })
  })
  it("tells every mistake of every file, and goes on", async () => {
    const ran = await sim("check typos.yaml missing.yaml scenarios/held.yaml")
    assert.strictEqual(ran.exit, 2)
    assert.include(ran.err, "typos.yaml does not read: 2 things\n\n   3:8")
    assert.include(ran.err, "did you mean start?")
    assert.include(ran.err, "no file missing.yaml")
    assert.match(ran.out, /^✓ scenarios\/held\.yaml .*\nscenarios: 1 passed, 2 failed\n$/u)
  })
  it("--json gives mistakes with their lines and columns", async () => {
    const ran = await sim("check typos.yaml scenarios/held.yaml --json")
    assert.deepStrictEqual([ran.exit, ran.err], [2, ""])
    const [wrong, right] = recordsOf(ran.out)
    assert.deepInclude(wrong, { $type: "clawmesh.error/1", code: "DOES_NOT_READ", file: "typos.yaml" })
    assert.deepStrictEqual(
      (wrong!["mistakes"] as ReadonlyArray<AnyRecord>).map(({ column, length, line }) => [line, column, length]),
      [
        [3, 8, 1],
        [8, 15, 5]
      ]
    )
    assert.deepStrictEqual(right, {
      $type: "clawmesh.check/1",
      file: "scenarios/held.yaml",
      title: "A small field",
      lastsMs: 8_000,
      nodes: 2,
      steps: 1,
      expectations: 1,
      hash: null,
      secondHash: null,
      exit: 0
    })
  })
  it("--twice runs each two times and judges nothing: 4 when the traces differ", async () => {
    const same = await sim("check scenarios/broken.yaml --twice")
    assert.strictEqual(same.exit, 0)
    assert.match(same.out, / · two runs, the same trace [0-9a-f]{8}\nscenarios: 1 passed, 0 failed\n$/u)
    let call = 0
    const forgetful: Engine = { ...engine, run: (scenario) => runScenario(scenario, { seed: ++call }) }
    const apart = await sim("check scenarios/held.yaml --twice --reporter github", { engine: async () => forgetful })
    assert.strictEqual(apart.exit, 4)
    assert.match(apart.out, /not deterministic: seed 1 gave trace [0-9a-f]{16} and trace [0-9a-f]{16}\n/u)
    assert.match(apart.out, /\n::error file=scenarios\/held\.yaml::not deterministic: /u)
    assert.match(apart.out, /\nscenarios: 0 passed, 1 failed\n$/u)
  })
  it("--twice with a simulator that breaks is 70, for that file", async () => {
    const brittle: Engine = {
      ...engine,
      run: (scenario, options) =>
        scenario.title === "A lost field" ? assert.fail("impossible") : runScenario(scenario, options)
    }
    const ran = await sim("check scenarios/*.yaml --twice", { engine: async () => brittle })
    assert.strictEqual(ran.exit, 70)
    assert.match(ran.err, /^the simulator broke on scenarios\/broken\.yaml\. This is a defect of clawmesh/u)
    assert.match(ran.out, /scenarios: 1 passed, 1 failed\n$/u)
  })
  it("--reporter github annotates each mistake at its place; --quiet and failures leave out what reads", async () => {
    const ran = await sim("check typos.yaml scenarios/held.yaml --reporter github")
    assert.include(
      ran.out,
      "::error file=typos.yaml,line=3,col=8::write a time with a unit, such as 500ms, 6s, 2m or 1h\n"
    )
    assert.strictEqual((await sim("check scenarios/held.yaml --quiet")).out, "scenarios: 1 passed, 0 failed\n")
    assert.strictEqual(
      (await sim("check scenarios/held.yaml --reporter failures")).out,
      "scenarios: 1 passed, 0 failed\n"
    )
  })
  it("files that cannot be: not UTF-8, too large, a folder, a name of no file", async () => {
    write("latin.yaml", new Uint8Array([0x61, 0x3a, 0x20, 0xe9]))
    write("large.yaml", `# ${"x".repeat(2_000_000)}`)
    symlinkSync("round.yaml", join(folder, "round.yaml"))
    for (const [word, sentence] of [
      ["latin.yaml", /this is not a text file: a scenario is YAML in UTF-8/u],
      ["large.yaml", /the file is larger than 1 MiB/u],
      ["./scenarios", /^\.\/scenarios is a folder; did you mean "scenarios\/\*\.yaml"\?$/mu],
      ["round.yaml", /is a link that leads back to itself/u],
      ["scenarios/*.yml", /^scenarios\/\*\.yml matches no scenario; ls scenarios shows what is there$/mu],
      ["fields/*.yaml", /^fields\/\*\.yaml matches no scenario: there is no folder fields$/mu],
      ["held.yaml/*.yaml", /^no file held\.yaml|there is no folder held\.yaml$/mu]
    ] as const) {
      const ran = await sim(`check ${word}`)
      assert.strictEqual(ran.exit, 2, word)
      assert.match(ran.err, sentence)
      assert.notMatch(ran.err, /\n +at /u)
    }
  })
  it("a folder that may not be read is said to be one", async () => {
    mkdirSync(join(folder, "locked"), { mode: 0 })
    const root = process.geteuid?.() === 0
    // Root may read everything, so root has to be somebody else for a moment. Files are looked for before the first await.
    if (root) process.seteuid?.(NOBODY)
    const ran = sim("locked/*.yaml")
    if (root) process.seteuid?.(0)
    assert.deepInclude(await ran, { exit: 2, err: "locked may not be read; ls -ld locked shows who may\n" })
  })
  it("nor is one left out of a pattern without a word, beside others that may be read", async () => {
    mkdirSync(join(folder, "locked"), { mode: 0 })
    chmodSync(folder, 0o755)
    const root = process.geteuid?.() === 0
    if (root) process.seteuid?.(NOBODY)
    const ran = ["*/held.yaml", "**/held.yaml", "scenarios/*.yaml"].map((words) => sim(`${words} --quiet`))
    if (root) process.seteuid?.(0)
    const [one, deep, beside] = await Promise.all(ran)
    const err = "locked may not be read; ls -ld locked shows who may\n"
    assert.deepInclude(one, { exit: 2, out: "", err })
    assert.deepInclude(deep, { exit: 2, out: "", err })
    assert.deepInclude(beside, { exit: 1, err: "" }, "a folder that the pattern does not lead into is nobody's concern")
  })
})

describe("pnpm sim list", { timeout: LIMIT_MS }, () => {
  const lines = async (words = "list"): Promise<ReadonlyArray<string>> => (await sim(words)).out.trimEnd().split("\n")
  it("knows the last run of each: verdict, when, with which seed, and whether it changed since", async () => {
    assert.deepStrictEqual(await lines(), [
      "scenarios/broken.yaml   A lost field    not run yet",
      "scenarios/held.yaml     A small field   not run yet"
    ])
    await sim("scenarios/*.yaml")
    assert.deepStrictEqual(await lines(), [
      "scenarios/broken.yaml   A lost field    failed in 0 ms, just now",
      "scenarios/held.yaml     A small field   passed in 0 ms, just now"
    ])
    await sim("./scenarios/held.yaml --seed 7", { dateMs: () => NOW_MS - 7_200_000 })
    write("scenarios/held.yaml", held.replace("seed: 1", "seed: 2"))
    assert.deepStrictEqual(await lines("list scenarios/held.yaml"), [
      "scenarios/held.yaml   A small field   passed in 0 ms, 2 hours ago, with seed 7, changed since"
    ])
  })
  it("remembers neither half a run, nor a drawn one, nor a file from elsewhere", async () => {
    const outside = another()
    writeFileSync(join(outside, "x.yaml"), held)
    await sim("scenarios/held.yaml --until 7s")
    await sim("scenarios/held.yaml --seed 3 --fuzzed --no-swarm")
    await sim(`${outside}/x.yaml`)
    assert.isFalse(existsSync(join(folder, "out")))
    assert.match((await lines("list scenarios/held.yaml"))[0]!, /not run yet$/u)
  })
  it("--json gives the same as records", async () => {
    await sim("scenarios/held.yaml")
    const [lost, small] = recordsOf((await sim("list --json")).out)
    assert.deepInclude(lost, { file: "scenarios/broken.yaml", verdict: null, ranAt: null, changed: null })
    assert.deepStrictEqual(small, {
      $type: "clawmesh.list/1",
      file: "scenarios/held.yaml",
      title: "A small field",
      verdict: "passed",
      seed: 1,
      wallMs: 0,
      ranAt: "2026-11-24T12:00:00.000Z",
      changed: false
    })
  })
  it("a cache that is damaged, or cannot be written, is as if it were not there", async () => {
    await sim("scenarios/held.yaml")
    for (const name of readdirSync(join(folder, "out/last"))) write(`out/last/${name}`, "{")
    assert.match((await lines("list scenarios/held.yaml"))[0]!, /not run yet$/u)
    rmSync(join(folder, "out"), { recursive: true })
    write("out", "a file")
    assert.strictEqual((await sim("scenarios/held.yaml")).exit, 0)
    assert.strictEqual(text("out"), "a file")
  })
  it("a scenario that does not read is told, beside the others; no folder at all is a sentence", async () => {
    write("scenarios/typos.yaml", typos)
    const ran = await sim("list")
    assert.strictEqual(ran.exit, 2)
    assert.include(ran.err, "scenarios/typos.yaml does not read: 2 things")
    assert.strictEqual(ran.out.trimEnd().split("\n").length, 2)
    rmSync(join(folder, "scenarios"), { recursive: true })
    assert.deepStrictEqual(await sim("list"), {
      exit: 2,
      out: "",
      err: "no folder scenarios here; go where it is, or name files: pnpm sim list 'path/*.yaml'\n"
    })
  })
})

describe("pnpm sim new", { timeout: LIMIT_MS }, () => {
  it("writes a scenario that reads, runs and passes, and knows its schema", async () => {
    const ran = await sim("new pump-loses-power")
    assert.deepStrictEqual(ran, {
      exit: 0,
      err: "",
      out: "scenarios/pump-loses-power.yaml is there, and runs: pnpm sim scenarios/pump-loses-power.yaml\n"
    })
    assert.match(
      text("scenarios/pump-loses-power.yaml"),
      /^# yaml-language-server: \$schema=\S*scenarios\/scenario\.schema\.json\nscenario: Pump loses power\n/u
    )
    const passed = await sim("scenarios/pump-loses-power.yaml --quiet")
    assert.deepInclude(passed, { exit: 0, out: "expectations: 2 passed, 0 failed\n" })
    for (const seed of [1, 2, 3])
      assert.strictEqual((await sim(`scenarios/pump-loses-power.yaml --seed ${seed} --fuzzed --quiet`)).exit, 0)
  })
  it("names the schema that lies beside it, or above it", async () => {
    write("scenarios/scenario.schema.json", "{}")
    mkdirSync(join(folder, "scenarios/regressions"))
    await sim("new a")
    await sim("new scenarios/regressions/b.yaml")
    const first = (name: string) => text(name).split("\n")[0]
    assert.strictEqual(first("scenarios/a.yaml"), "# yaml-language-server: $schema=scenario.schema.json")
    assert.strictEqual(first("scenarios/regressions/b.yaml"), "# yaml-language-server: $schema=../scenario.schema.json")
  })
  it("never overwrites, and says what is wrong with a name or a place", async () => {
    for (const [line, sentence] of [
      ["new held", "scenarios/held.yaml is there already, and stays as it is; choose another name"],
      ["new", "a new scenario needs a name, such as pnpm sim new pump-loses-power"],
      ["new pump fails", "one name at a time; did you mean pnpm sim new pump-fails?"],
      ["new Pump", '"Pump" is no name of a scenario: small letters, digits and hyphens, such as pump-loses-power'],
      ["new nowhere/x.yaml", "no folder nowhere here; make it first, or write somewhere else: pnpm sim new ./x.yaml"],
      ["new typos.yaml/x.yaml", "typos.yaml/x.yaml cannot be written: a part of its path is not a folder"],
      ["new scenarios/x", "scenarios/x is no name of a scenario; did you mean scenarios/x/scenario.yaml?"]
    ] as const) {
      assert.deepStrictEqual(await sim(line), { exit: 2, out: "", err: `${sentence}\n` }, line)
    }
    assert.strictEqual(text("scenarios/held.yaml"), held)
    assert.deepStrictEqual(recordsOf((await sim("new b --json")).out), [
      { $type: "clawmesh.new/1", file: "scenarios/b.yaml" }
    ])
  })
})

describe("pnpm sim schema", { timeout: LIMIT_MS }, () => {
  it("renews the schema and the page of the project, wherever it is started", async () => {
    const copy = another()
    mkdirSync(join(copy, "scenarios"))
    const page = "docs/reference/scenario-language.md"
    cpSync(join(project, page), join(copy, page))
    const kept = renewed(readFileSync(join(copy, page), "utf8"), editorSchema())!
    writeFileSync(join(copy, page), kept.replace("| `profile` |", "| `porfile` |"))
    const ran = await sim("schema --json", { project: copy })
    assert.strictEqual(ran.exit, 0)
    assert.deepInclude(recordsOf(ran.out)[0], { $type: "clawmesh.schema/1" })
    assert.strictEqual(readFileSync(join(copy, page), "utf8"), kept)
    assert.strictEqual(readFileSync(join(copy, "scenarios/scenario.schema.json"), "utf8"), editorSchemaText())
  })
  it("--out writes it there; - is standard output", async () => {
    assert.deepStrictEqual(await sim("schema --out language.json"), {
      exit: 0,
      err: "",
      out: "language.json is written\n"
    })
    assert.strictEqual(text("language.json"), editorSchemaText())
    assert.deepStrictEqual(await sim("schema --out -"), { exit: 0, err: "", out: editorSchemaText() })
  })
  it("what cannot be written, and a page without the part to renew, cost exit 2", async () => {
    const nowhere = await sim("schema --out no/such/folder/x.json")
    assert.strictEqual(nowhere.exit, 2)
    assert.match(nowhere.err, /^no\/such\/folder\/x\.json cannot be written: there is no such folder\n$/u)
    mkdirSync(join(folder, "docs/reference"), { recursive: true })
    write("docs/reference/scenario-language.md", "# The scenario language\n")
    const empty = await sim("schema", { project: folder })
    assert.strictEqual(empty.exit, 2)
    assert.match(empty.err, /^docs\/reference\/scenario-language\.md has no generated part to renew/u)
    assert.strictEqual((await sim("schema scenarios")).exit, 2)
  })
})
