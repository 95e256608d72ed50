/** Shrinking: what comes out fails in the same way, is 1-minimal, and is read from its own text. */
import { globSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Node from "../../../kernel/Node.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import { runScenario } from "../../../sim/run.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario, Step } from "../../../sim/scenario/Scenario.ts"
import { writeScenario } from "../../../sim/scenario/write.ts"
import { type Failure, failureOf, sameIn } from "../../../sim/shrink/Failure.ts"
import { freeze } from "../../../sim/shrink/Freeze.ts"
import { once } from "../../../sim/shrink/Once.ts"
import type { Subject } from "../../../sim/search/Subject.ts"
import { decisionsOf, removable, withoutNode, withoutSteps } from "../../../sim/shrink/Parts.ts"
import { regression } from "../../../sim/shrink/Regression.ts"
import { shrink, type ShrinkOptions } from "../../../sim/shrink/Shrink.ts"
import { field, scenarioFrom } from "../search/Field.ts"

const TERM_ZERO = { manifest: 0, counter: 0 }
/** Whoever restarts has forgotten for whom it voted. */
const forgetful: Kernel = {
  make: Node.make,
  step: (node, input) =>
    Node.step(
      node,
      input._tag === "Started" ? { ...input, durable: { ...input.durable, term: TERM_ZERO, votedFor: null } } : input
    )
}

const FOUND = { again: "pnpm sim field.yaml --seed 1", kernel: "abc1234", schema: "../scenario.schema.json" }

const failing = (wanted: Subject, kernel: Kernel = forgetful) => {
  const ran = once(wanted, { kernel })
  const failure = failureOf(ran.result)
  if (failure === null) throw new Error(`seed ${wanted.seed} does not fail`)
  return { ran, failure }
}

/** The first seeds of the small field that break an oracle, as a campaign draws them. */
const SEEDS: Array<number> = []
for (let seed = 1; SEEDS.length < 3; seed++) {
  const { result } = once({ scenario: field(), seed, fuzzed: { swarm: true, points: [] } }, { kernel: forgetful })
  if (failureOf(result)?._tag === "invariant") SEEDS.push(seed)
}
const drawn = (seed: number): Subject => ({ scenario: field(), seed, fuzzed: { swarm: true, points: [] } })

const small = (wanted: Subject, options: ShrinkOptions = {}) => {
  const { failure, ran } = failing(wanted)
  const shrunk = shrink(ran, failure, { kernel: forgetful, ...options })
  if (shrunk === null) throw new Error(`seed ${wanted.seed} does not freeze`)
  return { failure, shrunk }
}

/** Of a seed as it is drawn, shrunk once for all tests that look at it. */
const shrunkOf = new Map<number, ReturnType<typeof small>>()
const smallOf = (seed: number): ReturnType<typeof small> => {
  const known = shrunkOf.get(seed) ?? small(drawn(seed))
  shrunkOf.set(seed, known)
  return known
}

const fails = (scenario: Scenario, failure: NonNullable<ReturnType<typeof failureOf>>): boolean =>
  sameIn(failure, runScenario(scenario, { kernel: forgetful })) !== null

describe("freeze", () => {
  it("a drawn run as a schedule is the same run, input for input, with ties in either order", () => {
    const ties = new Set<string>()
    for (let seed = 1; seed <= 12; seed++) {
      const ran = once(drawn(seed))
      // As if an oracle had broken at the very end.
      const { endedMs: atMs } = ran.result
      const [schedule] = freeze(ran, { _tag: "invariant", oracle: "S0", message: "", atMs, afterwards: false })
      assert.strictEqual(runScenario(schedule!).hash, ran.result.hash, `seed ${seed}`)
      ties.add(ran.ties)
    }
    assert.strictEqual(ties.size, 2)
  })

  it("words for nodes are the nodes that they meant", () => {
    const scenario = scenarioFrom(`scenario: Words
seed: 1
lasts: 20s
nodes: { main: { role: planner }, backup: { role: standby-planner }, one: { role: field }, two: { role: field } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 6s, freeze: leader, for: 1s }
  - { at: 10s, partition: [[half], [the others]], for: 2s }
  - { at: 11s, cut: { from: any field node, to: everyone }, for: 1s }
  - { at: 19s, crash: leader }
expect:
  - { name: nobody leads, at: 15s, that: { leader: none } }
`)
    const { failure, ran } = failing({ scenario, seed: 1, fuzzed: null })
    const [{ timeline }] = freeze(ran, failure) as [Scenario]
    assert.strictEqual(timeline.length, 4)
    assert.deepInclude(timeline[1]!.verb, { who: ["main"] })
    const names = timeline[2]!.verb._tag === "partition" ? timeline[2]!.verb.groups.flat() : []
    assert.deepStrictEqual(names.toSorted(), ["backup", "main", "one", "two"])
    assert.notInclude(JSON.stringify(timeline.slice(2)), 'word":"half')
  })
})

describe("without a node, or with something as usual", () => {
  const files = globSync("scenarios/*.yaml")

  it.each(files)("%s still reads", (file) => {
    const whole = scenarioFrom(readFileSync(file, "utf8"))
    // A frozen run has names in place of such words.
    const scenario: Scenario = {
      ...whole,
      timeline: whole.timeline.map((step): Step => {
        const { verb } = step
        const [who] = verb._tag === "start" ? verb.who : []
        if (verb._tag !== "start" || typeof who !== "object" || who.word !== "everyone but") return step
        const names = whole.nodes.map(({ name }) => name).filter((name) => !who.but.includes(name))
        return { ...step, verb: { ...verb, who: names } }
      })
    }
    const law: Failure = { _tag: "invariant", oracle: "S1-leaders", message: "", atMs: 0, afterwards: false }
    const smaller = [
      ...scenario.nodes.map(({ name }) => [name, withoutNode(scenario, name, law)] as const),
      ...decisionsOf(scenario).map(({ name, usual }) => [name, usual(scenario)] as const)
    ]
    for (const [name, less] of smaller) {
      if (less === null) continue
      const { fuzz: _, ...bare } = less
      const text = writeScenario({ ...bare, expect: [] }, { schema: "scenario.schema.json", comment: [] })
      const read = readScenario(file, text)
      assert.deepStrictEqual("mistakes" in read ? read.mistakes.map(({ message }) => message) : [], [], name)
    }
  })
})

describe("shrink", () => {
  it("what comes out fails in the same way, and nothing single can be taken out of it", () => {
    for (const seed of SEEDS.slice(0, 2)) {
      const { failure, shrunk } = smallOf(seed)
      const { certificate, from, scenario, to } = shrunk
      assert.isTrue(fails(scenario, failure), `seed ${seed}`)
      assert.isTrue(certificate.complete)
      assert.isBelow(to.faults, from.faults)
      assert.isAtMost(to.faults, 6)
      // The same again, by other means than the shrinker's own certificate.
      for (const place of removable(scenario, failure)) {
        const keyed = {
          ...scenario,
          timeline: scenario.timeline.map((step, i) => ({ ...step, key: step.key ?? String(i) }))
        }
        assert.isFalse(fails(withoutSteps(keyed, new Set([place])), failure), `seed ${seed}, step ${place}`)
      }
      for (const { name } of scenario.nodes) {
        const less = withoutNode(scenario, name, failure)
        assert.isFalse(less !== null && fails(less, failure), `seed ${seed}, ${name}`)
      }
      // The right kernel stands it: what was shrunk is the bug, and not the scenario.
      assert.isNull(failureOf(runScenario(scenario)))
    }
  })

  it("its text reads, fails in the same way, and says where it comes from", () => {
    const [seed = 0] = SEEDS
    const { failure, shrunk } = smallOf(seed)
    const made = regression(shrunk, FOUND, "field.yaml", forgetful)
    if ("problem" in made) throw new Error(made.problem)
    const read = readScenario("field-1.yaml", made.text)
    assert.isTrue("scenario" in read && fails(read.scenario, failure), made.text)
    assert.match(
      made.text,
      /^# yaml-language-server: \$schema=\.\.\/scenario\.schema\.json\n# Found by {3}pnpm sim field\.yaml --seed 1\n/u
    )
    assert.include(made.text, "1-minimal: of ")
    // Once the bug is gone it judges something, and passes.
    assert.strictEqual("scenario" in read ? runScenario(read.scenario).verdict : "", "passed")
  })

  it("is a function of its arguments", () => {
    const [seed = 0] = SEEDS
    const [one, other] = [smallOf(seed), small(drawn(seed))]
    assert.deepStrictEqual(one.shrunk, other.shrunk)
  })

  it("with too few runs it says that its certificate is not complete, and what it has fails all the same", () => {
    const [seed = 0] = SEEDS
    const { failure, shrunk } = small(drawn(seed), { runsMax: 5 })
    assert.isFalse(shrunk.certificate.complete)
    assert.strictEqual(shrunk.runs, 5)
    assert.isTrue(fails(shrunk.scenario, failure))
  })

  it("the step that an expectation counts from stays, and so does what repairs", () => {
    const scenario = scenarioFrom(`scenario: A claim about a crash
seed: 1
lasts: 40s
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  one:    { role: field }
  two:    { role: field }
timeline:
  - { at: 0s, start: everyone }
  - { at: 3s, skew: { who: two, by: 10s } }
  - { at: 5s, cut: [main, two], for: 1s }
  - { at: 8s, id: dies, crash: main }
  - { at: 9s, cut: [backup, one] }
  - { at: 12s, heal: everything }
expect:
  - { name: nobody takes over, within: 10s, after: dies, that: { leader: none } }
`)
    const { shrunk } = small({ scenario, seed: 1, fuzzed: null })
    const verbs = shrunk.scenario.timeline.map(({ id, verb }) => id ?? verb._tag)
    assert.deepStrictEqual(verbs, ["start", "dies"])
    assert.deepStrictEqual(shrunk.certificate.steps, [])
    assert.notInclude(shrunk.certificate.nodes, "main")
  })

  it("a crash that loses the disk becomes what is enough", () => {
    const scenario = scenarioFrom(`scenario: A claim about one node
seed: 1
lasts: 30s
nodes: { main: { role: planner }, one: { role: field } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 10s, crash: { who: one, disk: wiped } }
expect:
  - { name: nobody is ever suspected, never: { events: [{ event: peer.down, seen: at least 1 }] } }
`)
    const { shrunk } = small({ scenario, seed: 1, fuzzed: null })
    assert.strictEqual(shrunk.to.faults, 1)
    assert.include(["freeze", "slow-cpu"], shrunk.scenario.timeline[1]!.verb._tag)
  })
})
