/** `pnpm sim explain` and `pnpm sim report`, and what a failing run says of them. */
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { draw } from "../../../sim/search/Draw.ts"
import type { Drawn } from "../../../sim/search/Drawn.ts"
import { runDrawn } from "../../../sim/search/OneSeed.ts"
import type { Step } from "../../../sim/scenario/Scenario.ts"
import { Recorder } from "../../../sim/trace/Recorder.ts"
import { scenarioFrom } from "../search/Field.ts"
import { folder, LIMIT_MS, recordsOf, sim, text, write } from "./Workshop.ts"

const deaf = fileURLToPath(new URL("../search/kernels/deaf.ts", import.meta.url))

const refused = async (line: string, message: RegExp, exit = 2): Promise<void> => {
  const ran = await sim(line)
  assert.match(ran.err, message)
  assert.strictEqual(ran.exit, exit)
  assert.strictEqual(ran.out, "")
}

describe("pnpm sim explain", () => {
  it("says what broke and where, what led to it, and from when on it was inevitable", async () => {
    const { err, exit, out } = await sim("explain scenarios/broken.yaml --seed 3")
    assert.strictEqual(exit, 0)
    assert.strictEqual(err, "")
    assert.match(out, /^✗ it does not\n {4}scenarios\/broken\.yaml:10:5\n {4}at 6\.000: .*laptop\n/u)
    assert.match(out, /^ +laptop +jetson$/mu)
    assert.match(out, /\n +2\.\d{3} .*○─*▶.*follows laptop, term 1   ← mesh\.lead of laptop, sent 2\.\d{3}\n/u)
    assert.match(out, /\n {4}█{20,}   from 100 % at 0\.000 /u)
    assert.match(out, /inevitable from the beginning: all \d+ other futures fail in the same way/u)
  })

  it("tries no other futures with --no-futures, and as JSON gives the same as data", async () => {
    assert.notInclude((await sim("explain scenarios/broken.yaml --no-futures")).out, "futures")
    const [record] = recordsOf((await sim("explain scenarios/broken.yaml --no-futures --json")).out)
    assert.strictEqual(record?.["$type"], "clawmesh.explanation/1")
    assert.deepInclude(record?.["broken"], { id: "it does not", kind: "expectation", atMs: 6_000 })
    const slice = record?.["slice"] as ReadonlyArray<{ readonly target: boolean; readonly node: string | null }>
    assert.isTrue(slice.some(({ target }) => target))
    assert.strictEqual(record?.["curve"], null)
  })

  it("says how a node came to what it was in at some moment of a run that passed", async () => {
    const { exit, out } = await sim("explain scenarios/held.yaml --at 6s --node jetson")
    assert.strictEqual(exit, 0)
    assert.match(out, /^\? jetson as it was at 6 s\n/u)
    assert.match(out, /◀ so it was: /u)
    assert.notInclude(out, "broken")
  })

  it("takes a moment as a transcript writes it, and a part of a name for the failure", async () => {
    assert.strictEqual((await sim("explain scenarios/held.yaml --at 6.000")).exit, 0)
    assert.strictEqual((await sim("explain scenarios/broken.yaml --why DOES --no-futures")).exit, 0)
  })

  it(
    "explains a trace that a campaign kept, and refuses one that comes out otherwise",
    { timeout: LIMIT_MS },
    async () => {
      write(
        "field.yaml",
        text("scenarios/held.yaml").replace("at: 6s", "eventually").replace("eventually, that", "eventually")
      )
      const kernelModule = deaf
      const found = await sim("fuzz field.yaml --seeds 1..2 --jobs 1", { kernelModule })
      const [, trace, why, page] =
        /saved {2}(out\/[0-9a-f]{8}\.jsonl)\n {2}again .*\n {2}why {4}(.*)\n {2}see {4}(.*)\n/u.exec(found.out) ?? []
      assert.strictEqual(why, `pnpm sim explain ${trace}`)
      assert.isTrue(existsSync(join(folder, page ?? "none")))
      const told = await sim(`explain ${trace} --no-futures`, { kernelModule })
      assert.strictEqual(told.exit, 0, told.err)
      assert.match(told.out, /^✗ it leads\n/u)
      // With the kernel as it is nothing of that comes out again.
      await refused(
        `explain ${trace}`,
        /^out\/[0-9a-f]{8}\.jsonl, .*does not come out as it was recorded with this version; where it parts: pnpm sim replay out\/[0-9a-f]{8}\.jsonl\n$/u,
        5
      )
      write("cut.jsonl", text(trace!).slice(0, -80))
      const cut = await sim("explain cut.jsonl --no-futures", { kernelModule })
      assert.match(cut.err, /^! cut\.jsonl is cut off: .*this is the run up to there, and how it may have gone on\n$/u)
      assert.strictEqual(cut.exit, 0)
      write("edited.jsonl", text(trace!).replace("eventually", "eventualy"))
      await refused(
        "explain edited.jsonl",
        /^edited\.jsonl:1:1: the scenario in it is another one than was recorded: .*what still stands of it: pnpm sim replay edited\.jsonl\n$/u,
        5
      )
    }
  )

  it("explains a trace of a run as it was written, stopped where that was", async () => {
    const kept = await sim("scenarios/broken.yaml --until 7s --record")
    const trace = /^saved {2}(.*)$/mu.exec(kept.out)?.[1] ?? "none"
    const { err, out } = await sim(`explain ${trace} --no-futures`)
    assert.strictEqual(err, "")
    assert.match(out, /^✗ it does not\n {4}scenarios\/broken\.yaml:10:5\n/u)
  })

  it("of a seed that is drawn otherwise by now explains what was drawn then", async () => {
    const scenario = scenarioFrom(text("scenarios/broken.yaml"), "scenarios/broken.yaml")
    const drawn = draw(scenario, 3, { swarm: false })
    const crash: Step = { ...drawn.scenario.timeline[0]!, atMs: 4_000, verb: { _tag: "crash", who: ["laptop"] } }
    const then: Drawn = {
      ...drawn,
      scenario: { ...drawn.scenario, timeline: [...drawn.scenario.timeline, crash] },
      sources: [...drawn.sources, null]
    }
    const recorder = new Recorder()
    const result = runDrawn(then, { onStep: recorder.onStep })
    const maker = { kernel: null, node: "24.4.0" }
    write("then.jsonl", recorder.text({ scenario, drawn: { drawn: then, swarm: false }, untilMs: null, maker }, result))
    const { err, exit, out } = await sim("explain then.jsonl --no-futures")
    assert.strictEqual(err, "! of seed 3 this simulator makes another run: this is the one that was drawn then\n")
    assert.strictEqual(exit, 0)
    assert.match(out, /4\.000 .*laptop crashes/u)
    const written = await sim("report then.jsonl --no-futures --out then.html")
    assert.strictEqual(written.exit, 0)
    assert.include(text("then.html"), "pnpm sim replay then.jsonl")
  })

  it("refuses what is no run, each with the way out", async () => {
    write("other.jsonl", '{"$type":"other"}\n')
    write("half.jsonl", '{"$type":"clawmesh.trace/1","seed":1}\n')
    await refused("explain", /^no run given; write pnpm sim explain scenarios\/failover\.yaml --seed 7/u)
    await refused(
      "explain broken",
      /^broken is no scenario and no trace; did you mean pnpm sim explain scenarios\/broken\.yaml\?/u
    )
    await refused("explain scenarios/broken.yaml scenarios/held.yaml", /^one run at a time/u)
    await refused("explain scenarios/*.yaml", /^scenarios\/\*\.yaml is more than one scenario/u)
    await refused("explain scenarios/held.yaml", /^nothing failed in this run; .*--at 10s --node NAME/u)
    await refused("explain scenarios/broken.yaml --why S1", /^--why S1: this run has "it does not"/u)
    await refused(
      "explain scenarios/held.yaml --node jetsn",
      /^--node jetsn: there is no such node; did you mean jetson\?/u
    )
    await refused("explain scenarios/held.yaml --at 6x", /^--at 6x: write a time with a unit/u)
    await refused("explain scenarios/held.yaml --at 1ms --node laptop --why x", /^--why names a failure/u)
    await refused("explain scenarios/held.yaml --branch 1:1", /^--branch goes with --fuzzed/u)
    await refused("explain scenarios/held.yaml --fuzzed", /^--fuzzed needs the seed/u)
    await refused(
      "explain other.jsonl --seed 3",
      /^--seed is for scenarios; a trace says by itself which run it is: pnpm sim explain other\.jsonl\n$/u
    )
    await refused("explain other.jsonl", /^other\.jsonl:1:1: this is no trace: it is "other"; a trace begins with/u)
    await refused("explain half.jsonl", /^half\.jsonl:1:1: the first line does not say what ran/u)
    await refused("explain none.jsonl", /^no file none\.jsonl/u)
    mkdirSync(join(folder, "folder.jsonl"))
    await refused("explain folder.jsonl", /^folder\.jsonl is a folder; there is no trace in it/u)
    write(
      "hostile.jsonl",
      `${JSON.stringify({ $type: "clawmesh.trace/1", scenario: "", file: "\u001b[2J", seed: 1 })}\n`
    )
    await refused("explain hostile.jsonl", /^hostile\.jsonl:1:1: the first line does not say what ran: \P{Cc}*\n$/u)
    await refused(
      "explain scenarios/held.yaml --seed 1 --fuzzed --branch 9999999:1",
      /^--branch 9999999:1: the run of seed 1 ends after \d+ inputs and never comes to 9999999:1; write the points as/u
    )
    await refused("explain typos.yaml", /^typos\.yaml does not read/u)
  })
})

describe("a simulator that breaks", () => {
  it("is a defect of ours, with its stack and exit code 70", async () => {
    const kernelModule = fileURLToPath(new URL("../search/kernels/unmakable.ts", import.meta.url))
    const { err, exit } = await sim("explain scenarios/held.yaml", { kernelModule })
    assert.strictEqual(exit, 70)
    assert.match(err, /^the simulator broke on scenarios\/held\.yaml\. This is a defect of clawmesh/u)
    assert.include(err, "a node that cannot be made")
  })
})

describe("pnpm sim report", () => {
  it("writes one page, by its hash or where it is told to", async () => {
    const ran = await sim("report scenarios/broken.yaml")
    assert.strictEqual(ran.exit, 0)
    const [, path] = /^✗ A lost field, seed 1: failed\n {2}see {3}(out\/[0-9a-f]{8}\.html)\n$/u.exec(ran.out) ?? []
    assert.match(
      text(path!),
      /^<!doctype html>[^]*<code>pnpm sim scenarios\/broken\.yaml --seed 1<[^]*From when on it was inevitable/u
    )
    assert.strictEqual((await sim("report scenarios/held.yaml --out held.html")).exit, 0)
    assert.include(text("held.html"), "✓ Everything that was judged held.")
  })

  it("shows it when asked to", async () => {
    const shown: Array<string> = []
    await sim("report scenarios/held.yaml --out held.html --open", { show: (path) => shown.push(path) })
    assert.deepStrictEqual(shown, [join(folder, "held.html")])
  })

  it("overwrites no scenario, and says why it cannot write", async () => {
    await refused(
      "report scenarios/held.yaml --out scenarios/held.yaml",
      /^--out scenarios\/held\.yaml would overwrite it/u
    )
    await refused(
      "report scenarios/held.yaml --out none/held.html",
      /^none\/held\.html cannot be written: there is no such folder; choose another place with --out/u
    )
    write("out", "a file")
    await refused(
      "report scenarios/held.yaml",
      /^out\/[0-9a-f]{8}\.html cannot be written: out is a file, and has to be a folder/u
    )
  })
})

describe("a run that fails", () => {
  it("says last how to run it again, how to make it smaller, why, and where to see it", async () => {
    const { exit, out } = await sim("scenarios/broken.yaml --seed 2")
    assert.strictEqual(exit, 1)
    const [, path] =
      /\n {2}again {3}pnpm sim scenarios\/broken\.yaml --seed 2\n {2}smaller pnpm sim shrink scenarios\/broken\.yaml --seed 2\n {2}why {5}pnpm sim explain scenarios\/broken\.yaml --seed 2\n {2}see {5}(.*)\n\nexpectations: 0 passed, 1 failed\n$/u.exec(
        out
      ) ?? []
    assert.include(text(path ?? "none"), "A lost field")
    assert.match(
      out,
      /\n {4}at 6\.000: .*laptop\n {4}last before it: 2\.\d{3} (?:laptop|jetson) .*term 1, by mesh\.lead/u
    )
  })

  it("names the command where no page can be kept, and keeps none of what nobody reads", async () => {
    await sim("scenarios/broken.yaml --json")
    await sim("scenarios/broken.yaml --quiet")
    await sim("scenarios/held.yaml")
    const pages = (): ReadonlyArray<string> => readdirSync(join(folder, "out")).filter((name) => name.endsWith(".html"))
    assert.deepStrictEqual(pages(), [])
    mkdirSync(join(folder, "elsewhere"))
    write("elsewhere/out", "a file")
    const { out } = await sim("../scenarios/broken.yaml", { cwd: join(folder, "elsewhere") })
    assert.include(out, "  see     pnpm sim report ../scenarios/broken.yaml --seed 1\n")
  })
})
