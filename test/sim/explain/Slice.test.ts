/** What led to a failure: causes as they are known, walked back from where it broke, in a diagram that fits a screen. */
import { assert, describe, it } from "@effect/vitest"
import { examine, type Examined } from "../../../sim/explain/Examine.ts"
import { explained, sliceOfBreak } from "../../../sim/explain/Screen.ts"
import { runScenario } from "../../../sim/run.ts"
import { runBranch } from "../../../sim/search/OneSeed.ts"
import { scenarioFrom } from "../search/Field.ts"
import * as Planted from "./Planted.ts"

const scenarioOf = (timeline: string, expect: string) => {
  const text = `scenario: A field that loses its laptop
seed: 42
lasts: 40s
electors: [main, backup, jetson]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  jetson: { role: field }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s, start: everyone }
${timeline}
expect:
${expect}
`
  return scenarioFrom(text)
}

const crashed = scenarioOf(
  "  - { at: 20s, id: main-dies, crash: main }",
  `  - { name: jetson keeps it, at: 30s, that: { peers: { jetson: { main: up } } } }
  - { name: main leads on, at: 35s, that: { leader: main } }`
)
const examinedOf = (scenario = crashed): Examined => examine({ scenario, seed: scenario.seed, fuzzed: null })

describe("a recorded run", () => {
  it("is the run that it would be without", () => {
    assert.strictEqual(examinedOf().result.hash, runScenario(crashed).hash)
  })

  it("is that also of a run that a campaign drew, and turned off", () => {
    const fuzzed = { swarm: true, points: [{ after: 300, future: 2 }] }
    const examined = examine({ scenario: crashed, seed: 7, fuzzed })
    const { drawn, result } = runBranch(crashed, 7, true, fuzzed.points)
    assert.strictEqual(examined.result.hash, result.hash)
    assert.deepStrictEqual(examined.drawn, drawn)
    assert.strictEqual(examined.recording.entries.filter(({ node }) => node !== null).length, result.events)
  })

  it("knows for every frame who sent it, for every alarm who set it, and for every answer who asked", () => {
    const { entries } = examinedOf().recording
    const by = new Map<string, Set<string>>()
    for (const { atMs, cause, kind, node } of entries) {
      if (["Received", "Woke", "Stored", "Checked", "Signed", "Ponged", "Started", "LinkUp"].includes(kind)) {
        assert.isNotNull(cause, `${kind} of ${node} at ${atMs}`)
        by.set(kind, (by.get(kind) ?? new Set()).add(cause.by))
        const from = entries[cause.entry]!
        assert.isAtMost(from.atMs, atMs)
        if (kind === "Received") assert.isTrue(from.node !== null && from.node !== node)
        if (["Woke", "Stored", "Checked", "Signed", "Ponged"].includes(kind)) assert.strictEqual(from.node, node)
      }
    }
    assert.deepStrictEqual([...by].map(([kind, those]) => `${kind}: ${[...those].join(" ")}`).toSorted(), [
      "Checked: answer",
      "LinkUp: dial",
      "Ponged: answer",
      "Received: message",
      "Signed: answer",
      "Started: script",
      "Stored: answer",
      "Woke: alarm"
    ])
  })
})

describe("the slice of an expectation", () => {
  const examined = examinedOf()
  const [broken] = examined.breaks
  const { shown } = sliceOfBreak(examined, broken!)

  it("ends with the step that made it so, and names the fault behind it", () => {
    const last = shown.findLast(({ node }) => node !== null)!
    assert.strictEqual(last.node, "jetson")
    assert.isTrue(last.target)
    assert.isTrue(last.changes.some(({ text }) => text === "has main as down"))
    const fault = shown.find(({ happening }) => happening?.event === "world.crash")
    assert.strictEqual(fault?.atMs, 20_000)
  })

  it("has no more than fifteen events, in order, and none that had nothing to do with it", () => {
    assert.isAtMost(shown.length, 15)
    assert.isAtLeast(shown.length, 4)
    assert.deepStrictEqual(
      shown.map(({ id }) => id),
      shown.map(({ id }) => id).toSorted((a, b) => a - b)
    )
    for (const { changes, node } of shown)
      assert.isTrue(node === null || !changes.every(({ aspect }) => aspect === "peer:backup"))
  })

  it("is drawn with lanes, and says place, witness and fault", () => {
    const text = explained(examined, broken!, null, "inline.yaml")
    assert.include(text, "inline.yaml:14:5")
    assert.match(text, /^ +main .*jetson$/mu)
    assert.match(text, /20\.000 +!.*main crashes$/mu)
    assert.match(text, /2\d\.\d{3} .*✗ .*has main as down/u)
    assert.match(text, /30\.000.*◀ broken here: jetson has main as down$/mu)
  })

  it("draws messages from their senders, and asks nobody who is gone", () => {
    const of = examined.breaks.find(({ id }) => id === "main leads on")!
    const text = explained(examined, of, null, "inline.yaml")
    assert.match(text, /^ +main +backup +jetson$/mu)
    assert.match(text, /○─+▶✗ +follows backup, term 2   ← mesh\.lead of backup, sent 2\d\.\d{3}$/mu)
    assert.match(text, /●◀─+○ .*wins term 2   ← mesh\.vote\.answer of jetson, sent/u)
    const targets = sliceOfBreak(examined, of).shown.flatMap(({ node, target }) => (target ? [node] : []))
    assert.sameMembers(targets, ["backup", "jetson"])
  })
})

describe("a failure with a long history", () => {
  it("is told in fifteen events, the faults among them, and says how many more there were", () => {
    const scenario = scenarioOf(
      ["crash: main", "restart: main", "crash: backup", "restart: backup"]
        .map((verb, i) => `  - { at: ${8 * (i + 1)}s, ${verb} }`)
        .join("\n"),
      "  - { name: jetson leads, eventually: { leader: jetson } }"
    )
    const examined = examinedOf(scenario)
    const { more, shown } = sliceOfBreak(examined, examined.breaks[0]!)
    assert.strictEqual(shown.length, 15)
    assert.isAbove(more, 0)
    const faults = shown.flatMap(({ happening }) => (happening === undefined ? [] : [happening.event]))
    assert.includeMembers(faults, ["world.crash", "world.restart"])
    assert.include(explained(examined, examined.breaks[0]!, null, "inline.yaml"), `(${more} more led here)`)
  })
})

describe("the slice of an invariant", () => {
  it("ends in the step that broke it, with the message that it took up, from its sender", () => {
    const { kernel, scenario } = Planted
    const examined = examine({ scenario, seed: Planted.FAILING_SEED, fuzzed: null }, { kernel })
    const [broken] = examined.breaks
    const { shown } = sliceOfBreak(examined, broken!)
    const last = shown.at(-1)!
    assert.strictEqual(last.node, "jetson")
    assert.strictEqual(last.atMs, broken!.atMs)
    assert.strictEqual(last.sender?.node, "laptop")
    assert.isTrue(shown.some(({ node }) => node === "laptop"))
  })
})
