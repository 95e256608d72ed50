/** S1 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it, assert } from "@effect/vitest"
import type { Config } from "../../../kernel/Config.ts"
import type { Leadership } from "../../../kernel/leadership/Leadership.ts"
import { TERM_ZERO } from "../../../kernel/leadership/Term.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Profile } from "../../../kernel/Profile.ts"
import { broken, brokenAfter, fires, scenarioOf, watch } from "./Broken.ts"

const mesh = (timeline: string, mainClock = ""): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: Two planners and a witness
seed: 3
lasts: 20s
profile: lan
electors: [main, backup, witness]
nodes:
  main:    { role: planner${mainClock} }
  backup:  { role: standby-planner }
  witness: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
${timeline}`)

/** The two planners never hear of each other; both hear the witness. */
const apart = mesh(`
  - { at: 0s, start: [main, witness] }
  - { at: 0s, cut: [main, backup] }
  - { at: 5s, start: [backup] }`)

const forgetting = (what: Partial<Leadership>) =>
  brokenAfter((node, before) =>
    node.config.role === "field" && node.leadership !== before.leadership
      ? { ...node, leadership: { ...node.leadership, ...what } }
      : node
  )

/** Every node believes in another clockwork. */
const withProfile = (change: Partial<Profile>) => ({
  make: (config: Config) => Node.make({ ...config, profile: { ...config.profile, ...change } }),
  step: Node.step
})

const HOUR_MS = 3_600_000
/** A leader who takes the lease for an hour as soon as it has one; voters promise as they should. */
const hourOfLease = brokenAfter((node) => {
  const { standing } = node.leadership
  if (standing._tag !== "Leading" || standing.leaseUntil === 0 || standing.leaseUntil > HOUR_MS * 1_000) return node
  return {
    ...node,
    leadership: { ...node.leadership, standing: { ...standing, leaseUntil: standing.leaseUntil + HOUR_MS * 1_000 } }
  }
})

describe("S1: no two nodes hold one term", () => {
  it("a witness that forgets its vote, its promise and the term gives the same term twice", () => {
    const amnesia = forgetting({
      term: TERM_ZERO,
      votedTerm: TERM_ZERO,
      votedFor: null,
      leader: null,
      promisedTo: null,
      promisedUntil: 0
    })
    fires("S1", /^main and backup both hold term 1$/u, apart, amnesia)
  })

  it("a candidate that leads without being elected", () => {
    const usurper = brokenAfter((node) => {
      const { standing, term } = node.leadership
      if (node.config.role !== "standby-planner" || standing._tag === "Leading" || term.counter === 0) return node
      const leading = {
        _tag: "Leading",
        beat: 1,
        beatAt: 2 ** 50,
        beats: [],
        tryingSince: 0,
        leaseUntil: 0,
        announced: false
      } as const
      return { ...node, leadership: { ...node.leadership, standing: leading } }
    })
    const together = mesh(`
  - { at: 0s, start: everyone }`)
    fires("S1", /^(?:backup and main|main and backup) both hold term 1$/u, together, usurper)
  })
})

describe("S1: no two unexpired leases at one moment of true time", () => {
  it("a witness that forgets its promise to one leader lets another be elected", () => {
    fires(
      "S1",
      /^backup \(term 2\) and main \(term \d+\) both hold an unexpired lease$/u,
      apart,
      forgetting({ promisedTo: null, promisedUntil: 0 })
    )
  })

  const mainFreezes = mesh(`
  - { at: 0s, start: everyone }
  - { at: 6s, freeze: main, for: 10s }`)

  it("a lease of an hour outlasts the promises that it rests on; a frozen holder still holds", () => {
    fires("S1", /^backup \(term 2\) and main \(term 1\) both hold an unexpired lease$/u, mainFreezes, hourOfLease)
  })

  it("a lease of a process that is gone is gone with it", () => {
    const mainCrashes = mesh(`
  - { at: 0s, start: everyone }
  - { at: 6s, crash: main }`)
    const { violations, world } = watch(mainCrashes, hourOfLease, () => {}, "S1")
    assert.deepStrictEqual(violations, [])
    assert.strictEqual(world.view.nodes[1]!.leads, true, "backup was elected in its place")
  })

  it("it is the holder's own clock that counts: a lease that is just safe on a true clock is not on a slow one", () => {
    const asLongAsAPromise = withProfile({ leaseMs: 2_400 })
    fires(
      "S1",
      /^backup \(term 2\) and main \(term 1\) both hold an unexpired lease$/u,
      mesh(
        `
  - { at: 0s, start: [main, witness] }
  - { at: 5s, start: [backup] }
  - { at: 9s, freeze: main, for: 10s }`,
        ", clock-rate: -30%"
      ),
      asLongAsAPromise
    )
    assert.deepStrictEqual(watch(mainFreezes, asLongAsAPromise, () => {}, "S1").violations, [])
  })

  it("a lease that runs from the promises instead of from the heartbeat", () => {
    const late = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const { standing } = after.leadership
      if (standing._tag !== "Leading" || standing.leaseUntil === 0 || input._tag !== "Woke") return [after, commands]
      // It renews whenever it wakes up, whoever promised.
      const leaseUntil = input.at.mono + node.config.profile.leaseMs
      return [
        { ...after, leadership: { ...after.leadership, standing: { ...standing, leaseUntil, announced: true } } },
        commands
      ]
    })
    const mainIsAlone = mesh(`
  - { at: 0s, start: everyone }
  - { at: 6s, partition: [[main], [backup, witness]] }`)
    fires("S1", /^backup \(term 2\) and main \(term 1\) both hold an unexpired lease$/u, mainIsAlone, late)
  })
})
