/** `pnpm sim shrink`: exit codes, words and records, what it saves, and what bad input costs. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { kernelAt } from "../search/Field.ts"
import { folder, LIMIT_MS, sim, write } from "./Workshop.ts"

const CLAIM = `scenario: A false claim
seed: 1
lasts: 30s
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  one:    { role: field }
timeline:
  - { at: 0s, start: everyone }
  - { at: 4s, cut: [backup, one], for: 3s }
  - { at: 8s, crash: leader }
expect:
  - { name: nobody is ever down, never: { events: [{ event: peer.down, seen: at least 1 }] } }
`

describe("pnpm sim shrink", { timeout: LIMIT_MS }, () => {
  it("1: what broke, the small scenario with its certificate, and the command that saves it", async () => {
    write("scenarios/claim.yaml", CLAIM)
    const ran = await sim("shrink scenarios/claim.yaml")
    assert.deepInclude(ran, { exit: 1, err: "" })
    assert.match(
      ran.out,
      /^A false claim, seed 1\n✗ nobody is ever down\n {4}at \d+\.\d{3}: .+\n {2}shrunk {2}2 faults, 3 nodes, .+ → {2}1 fault, \d nodes, /u
    )
    assert.match(
      ran.out,
      /\n {2}1-minimal: of 1 step, \d nodes each was taken out by itself, and all \d runs passed\n/u
    )
    assert.include(ran.out, "  save    pnpm sim shrink scenarios/claim.yaml --seed 1 --save\n")
    assert.isFalse(existsSync(join(folder, "scenarios/regressions")))
  })

  it("--save: a file of its own, that fails in the same way; never over another one", async () => {
    write("scenarios/claim.yaml", CLAIM)
    const saved = "scenarios/regressions/claim-1.yaml"
    assert.include((await sim("shrink scenarios/claim.yaml --save")).out, `saved   ${saved}\n`)
    const ran = await sim(saved)
    assert.strictEqual(ran.exit, 1)
    assert.include(ran.out, "✗ nobody is ever down")
    // The very same once more is that file; another one gets another name.
    assert.include((await sim("shrink scenarios/claim.yaml --save")).out, `saved   ${saved}\n`)
    writeFileSync(join(folder, saved), "mine")
    assert.include(
      (await sim("shrink scenarios/claim.yaml --save")).out,
      "saved   scenarios/regressions/claim-1-2.yaml\n"
    )
    assert.strictEqual(readFileSync(join(folder, saved), "utf8"), "mine")
  })

  it("--json: one record with the text and the certificate", async () => {
    write("scenarios/claim.yaml", CLAIM)
    const ran = await sim("shrink scenarios/claim.yaml --json")
    const record = JSON.parse(ran.out) as { readonly [key: string]: unknown }
    assert.deepInclude(record, {
      $type: "clawmesh.shrink/1",
      file: "scenarios/claim.yaml",
      seed: 1,
      saved: null,
      exit: 1
    })
    assert.deepInclude(record["to"] as object, { faults: 1 })
    assert.include(record["text"] as string, "event: peer.down")
  })

  it("0: nothing broke, so there is nothing to shrink", async () => {
    const ran = await sim("shrink scenarios/held.yaml --seed 5")
    assert.deepInclude(ran, { exit: 0, err: "" })
    assert.match(ran.out, /^nothing broke in scenarios\/held\.yaml with seed 5, so there is nothing to shrink; /u)
  })

  it("4: the same run gave two traces; the first step at which they part is told", async () => {
    write("scenarios/claim.yaml", CLAIM)
    const ran = await sim("shrink scenarios/claim.yaml", { kernelModule: kernelAt("restless") })
    assert.strictEqual(ran.exit, 4)
    assert.match(ran.err, /^not deterministic: seed 1 gave trace [0-9a-f]{16} and trace [0-9a-f]{16}, /u)
    assert.match(ran.err, /\n {2}The same until .+\. Then:\n {4}first {3}.+\n {4}second {2}.+\n/u)
  })

  it("2: it cannot be saved", async () => {
    write("scenarios/claim.yaml", CLAIM)
    mkdirSync(join(folder, "scenarios"), { recursive: true })
    writeFileSync(join(folder, "scenarios/regressions"), "a file")
    const ran = await sim("shrink scenarios/claim.yaml --save")
    rmSync(join(folder, "scenarios/regressions"))
    assert.strictEqual(ran.exit, 2)
    assert.match(
      ran.err,
      /^scenarios\/regressions\/claim-1\.yaml cannot be written: scenarios\/regressions has to be a folder, and is none\n/u
    )
    assert.include(ran.out, "event: peer.down")
  })

  it("a run that a campaign kept is shrunk from its trace; one that is no such run is told", async () => {
    write("scenarios/claim.yaml", CLAIM)
    const fuzzed = await sim("fuzz scenarios/claim.yaml --seeds 1..1 --jobs 1 --no-shrink --no-swarm")
    const trace = /saved {2}(\S+)/u.exec(fuzzed.out)?.[1] ?? ""
    const ran = await sim(`shrink ${trace}`)
    assert.strictEqual(ran.exit, 1, ran.err)
    assert.include(ran.out, `pnpm sim shrink ${trace} --save`)
    const text = readFileSync(join(folder, trace), "utf8")
    const cases: ReadonlyArray<readonly [text: string, says: RegExp, exit: number]> = [
      [text.slice(0, text.length >> 1), /^! out\/other\.jsonl is cut off: /u, 1],
      [text.replace(/"seed":1,/u, '"seed":2,'), /^out\/other\.jsonl was edited .*: pnpm sim replay /u, 5],
      [text.replace("clawmesh.trace/1", "clawmesh.trace/9"), /a trace of the format clawmesh\.trace\/9; /u, 2],
      [text.replace("role: planner", "role: planer"), /the scenario in it is another one than was recorded/u, 5],
      ["", /^out\/other\.jsonl is empty/u, 2]
    ]
    for (const [other, says, exit] of cases) {
      write("out/other.jsonl", other)
      const refused = await sim("shrink out/other.jsonl --runs 1")
      assert.strictEqual(refused.exit, exit)
      assert.match(refused.err, says)
    }
  })

  for (const [line, says] of [
    ["shrink", /no run given/u],
    ["shrink scenarios/held.yaml scenarios/broken.yaml", /one run at a time/u],
    ["shrink scenarios/held.yaml --seed x", /--seed x: a seed is a whole number/u],
    ["shrink scenarios/held.yaml --fuzzed", /--fuzzed needs the seed/u],
    ["shrink scenarios/held.yaml --runs 0", /--runs 0: a whole number/u],
    [
      "shrink out/x.jsonl --seed 1",
      /^--seed is for scenarios; a trace says by itself which run it is: pnpm sim shrink out\/x\.jsonl\n$/u
    ],
    ["shrink out/x.jsonl", /no file out\/x\.jsonl/u],
    ["shrink scenarios/*.yaml", /one run at a time/u],
    ["shrink held", /no command "held"/u],
    ["shrink typos.yaml", /does not read/u]
  ] as const)
    it(`2: ${line}`, async () => {
      const ran = await sim(line)
      assert.strictEqual(ran.exit, 2, ran.out)
      assert.match(ran.err, says)
    })
})
