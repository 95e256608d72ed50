/** How runs are told: reporters, colours, what goes with nothing, and what a scenario has to come to sometimes. */
import { assert, describe, it } from "@effect/vitest"
import { runScenario } from "../../../sim/run.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import { field, held, LIMIT_MS, recordsOf, sim, write } from "./Workshop.ts"

describe("pnpm sim: how runs are told", { timeout: LIMIT_MS }, () => {
  it("--reporter failures tells only what did not pass; --quiet only counts; both count the same", async () => {
    const closing = "expectations: 1 passed, 1 failed\nscenarios: 1 passed, 1 failed\n"
    const failures = await sim("scenarios/*.yaml --reporter failures")
    assert.strictEqual(failures.exit, 1)
    assert.notInclude(failures.out, "A small field")
    assert.include(failures.out, "✗ it does not\n    scenarios/broken.yaml:10\n")
    assert.isTrue(failures.out.endsWith(`\n${closing}`))
    assert.deepInclude(await sim("scenarios/*.yaml --quiet"), { exit: 1, out: closing, err: "" })
    assert.strictEqual((await sim("scenarios/held.yaml --twice --quiet")).out, "expectations: 1 passed, 0 failed\n")
  })
  it("--reporter github annotates what broke with file and line, and what is in doubt as a warning", async () => {
    const ran = await sim("scenarios/*.yaml --reporter github")
    assert.include(ran.out, "::error file=scenarios/broken.yaml,line=10::it does not: at 6.000: ")
    write("doubt.yaml", field('  - { name: "it, too: 100%", sometimes: { leader: jetson } }'))
    const doubt = await sim("doubt.yaml --reporter github --quiet")
    assert.strictEqual(doubt.exit, 3)
    assert.strictEqual(
      doubt.out,
      [
        '::warning file=doubt.yaml::it never came to "it, too: 100%25", so this run does not test what follows from it: doubt.yaml:10',
        "expectations: 0 passed, 0 failed, 1 skipped\n"
      ].join("\n")
    )
  })
  it("--reporter full is every input and command, with names in place of device ids, before the same verdicts", async () => {
    const { out } = await sim("scenarios/held.yaml --reporter full")
    assert.match(out, /^ {5}0\.000 {3}world\.start everyone$/mu)
    assert.match(out, /^ +\d+\.\d{3} {3}jetson ← Received \{/mu)
    assert.match(out, /^ +\d+\.\d{3} {3}jetson → Dial \{"attempt":1,"to":"laptop"/mu)
    assert.notMatch(out, /[0-9a-f]{64}/u)
    const received = out.split("\n").filter((line) => line.includes(" ← Received "))
    let counted = 0
    const read = readScenario("held.yaml", held)
    if ("scenario" in read)
      runScenario(read.scenario, { onStep: (_, input) => (counted += input._tag === "Received" ? 1 : 0) })
    assert.strictEqual(received.length, counted)
    assert.match(out, /✓ it leads +at 6 s\n\nexpectations: 1 passed, 0 failed\n$/u)
  })
  it("--no-color, for every command, also on a terminal", async () => {
    const terminal = { columns: 100 }
    assert.include((await sim("scenarios/held.yaml", { terminal })).out, "\u001b")
    for (const line of ["scenarios/held.yaml", "--no-color list", "fuzz scenarios/held.yaml --seeds 1..2 --jobs 1"])
      assert.notInclude((await sim(`${line} --no-color`, { terminal })).out, "\u001b", line)
    assert.include((await sim("list", { terminal })).out, "\u001b")
  })
  it("what goes with nothing is said", async () => {
    for (const [line, sentence] of [
      ["a.yaml --reporter loud", "--reporter loud: there are story, full, failures, github"],
      ["a.yaml --reporter", "--reporter needs one of story, full, failures, github, such as --reporter github"],
      ["check a.yaml --twice=2", '--twice takes no value; leave out "=2"'],
      ["a.yaml --no-colour", "no flag --no-colour; did you mean --no-color?"],
      ["list --twice", "no flag --twice; there are --json --help --no-color"],
      ["check", "no scenario given; write pnpm sim check 'scenarios/*.yaml'"],
      ["check held", 'no command "held"; did you mean pnpm sim scenarios/held.yaml?'],
      ["--json=x.json list", "the command comes first: pnpm sim list"],
      ["chekc", 'no command "chekc"; did you mean pnpm sim check?']
    ] as const)
      assert.deepStrictEqual(await sim(line), { exit: 2, out: "", err: `${sentence}\n` }, line)
  })
  it("a reporter beside --json on standard output would have nothing to tell", async () => {
    for (const line of ["a.yaml --json --reporter github", "check a.yaml --json --reporter failures"]) {
      const ran = await sim(line)
      assert.strictEqual(ran.exit, 2)
      assert.match(String(recordsOf(ran.out)[0]?.["message"]), /^--reporter is for people; with --json/u)
    }
  })
  it("--help of each command is its own, and names its flags", async () => {
    for (const [name, flag] of [
      ["check", "--twice"],
      ["list", "out/last/"],
      ["new", "skeleton"],
      ["schema", "--out FILE"],
      ["fuzz", "--seeds"],
      ["run", "--reporter"]
    ] as const) {
      const ran = await sim(`${name} --help`)
      assert.deepInclude(ran, { exit: 0, err: "" })
      assert.include(ran.out, flag)
    }
  })
})

describe("sometimes: what a scenario has to come to", { timeout: LIMIT_MS }, () => {
  const never = field(
    "  - { always: { leaders: at most 1 } }\n  - { name: the jetson leads, sometimes: { leader: jetson } }"
  )
  const once = field("  - { name: nobody leads at first, sometimes: { leader: none } }")
  it("a run that comes to it passes and says when; one that does not is undecided, 3", async () => {
    write("once.yaml", once)
    const came = await sim("once.yaml")
    assert.strictEqual(came.exit, 0)
    assert.match(came.out, /✓ nobody leads at first +first at 0 s\n/u)
    write("never.yaml", never)
    const missed = await sim("never.yaml")
    assert.strictEqual(missed.exit, 3)
    assert.match(missed.out, /– the jetson leads +never so\n/u)
    assert.include(missed.out, '! it never came to "the jetson leads"')
    assert.match(missed.out, /\nexpectations: 1 passed, 0 failed, 1 skipped\n$/u)
    assert.strictEqual((await sim("never.yaml --until 7s")).exit, 0)
  })
  it("a campaign has to come to it in one run; a drawn run alone need not", async () => {
    write("never.yaml", never)
    const missed = await sim("fuzz never.yaml --seeds 1..4 --jobs 1")
    assert.strictEqual(missed.exit, 3)
    assert.include(missed.out, '! never: it never came to that in any run: "the jetson leads", line 11')
    assert.match(missed.out, /\nscenarios: 0 passed, 0 failed, 1 undecided\n$/u)
    assert.strictEqual((await sim("never.yaml --seed 1 --fuzzed")).exit, 0)
    write("once.yaml", once)
    const came = await sim("fuzz once.yaml --seeds 1..4 --jobs 1")
    assert.strictEqual(came.exit, 0)
    assert.include(came.out, "\nsometimes: once · nobody leads at first: in 4 of 4 runs\n")
  })
})

describe("sessions, seen in a run", { timeout: LIMIT_MS }, () => {
  it("each has one with the other, and after a crash none", async () => {
    write(
      "sessions.yaml",
      field(`  - { at: 6s, that: { sessions: { everyone: { laptop: exactly 1, jetson: exactly 1 } } } }
  - { sometimes: { sessions: { laptop: { jetson: exactly 1 } } } }
  - { never: { sessions: { anyone: { laptop: at least 2 } } } }
  - { at: end, that: { sessions: { laptop: { jetson: exactly 0 } } } }`)
        .replace("timeline:", "  kiosk: { role: viewer }\ntimeline:")
        .replace("expect:", "  - { at: 6500ms, crash: jetson }\nexpect:")
        .replace("lasts: 8s", "lasts: 30s")
    )
    const ran = await sim("sessions.yaml")
    assert.deepInclude(ran, { exit: 0, err: "" })
    assert.match(ran.out, /\nexpectations: 4 passed, 0 failed\n$/u)
  })
})
