/** Scenarios drawn from a number: faults of every kind on clocks whose rates err by up to 30 %, then a long calm. */
import { below, between } from "../../kernel/Draw.ts"
import type { NodeSpec, Scenario, Step, Target, Verb } from "../../sim/scenario/Scenario.ts"

const CHAOS_MS = 90_000
/** The longest probation, 300 s on a clock that runs 30 % slow, then redial backoff and an election: all over by then. */
const CALM_MS = 470_000

export const chaos = (seed: number): Scenario => {
  let n = 0
  const draw = (min: number, max: number): number => between(seed, "chaos", "step", n++, min, max)
  const count = draw(3, 6)
  const roles = ["planner", "standby-planner", "field", "field", "planner", "viewer"] as const
  const nodes = Array.from({ length: count }, (_, index): NodeSpec => ({
    name: `n${index}`,
    role: roles[index]!,
    capabilities: [],
    clockSkewMs: draw(-10_000, 10_000),
    clockRatePpm: draw(-300_000, 300_000)
  }))
  const names = nodes.map(({ name }) => name)
  const some = (): string => names[draw(0, count - 1)]!
  const two = (): [string, string] => {
    const a = draw(0, count - 1)
    return [names[a]!, names[(a + draw(1, count - 1)) % count]!]
  }
  const verb = (): Verb => {
    const [a, b] = two()
    switch (below(seed, "chaos", "verb", n++, 8)) {
      case 0:
        return { _tag: "crash", who: [some()] }
      case 1:
        return { _tag: "crash", who: [{ word: "leader" }] }
      case 2:
        return { _tag: "freeze", who: [draw(0, 1) === 0 ? some() : { word: "leader" }] }
      case 3:
        return { _tag: "cut", from: [a], to: [b], oneWay: draw(0, 1) === 0 }
      case 4: {
        const at = draw(1, count - 1)
        const groups: ReadonlyArray<ReadonlyArray<Target>> = [names.slice(0, at), names.slice(at)]
        return { _tag: "partition", groups }
      }
      case 5:
        return {
          _tag: "slow",
          from: [a, b],
          to: [a, b],
          oneWay: false,
          rule: { _tag: "slow", delay: { _tag: "uniform", ms: { min: 200, max: 2_500 } }, lossPpm: draw(0, 400_000) }
        }
      case 6:
        return { _tag: "stop", who: [some()] }
      default:
        return { _tag: "restart", who: [some()] }
    }
  }
  const place = { line: 1, column: 1 }
  const step = (atMs: number, what: Verb, forMs: number | null): Step => ({
    place,
    atMs,
    id: null,
    note: null,
    verb: what,
    forMs
  })
  const steps: Array<Step> = [step(0, { _tag: "start", who: names }, null)]
  for (let at = draw(1_000, 5_000); at < CHAOS_MS; at += draw(100, 6_000)) {
    const what = verb()
    steps.push(step(at, what, what._tag === "restart" ? null : draw(200, 15_000)))
  }
  const endMs = CHAOS_MS + 15_001
  // What was stopped while it was frozen leaves only after its own restart was due.
  steps.push(step(endMs, { _tag: "heal", what: "everything" }, null), step(endMs, { _tag: "start", who: names }, null))
  return {
    file: "chaos",
    text: "",
    title: "chaos",
    seed,
    lastsMs: endMs + CALM_MS,
    profile: "lan",
    electors: names.filter((_, index) => roles[index] !== "viewer").slice(0, count >= 5 ? 5 : 3),
    nodes,
    network: { delayMs: { min: 1, max: 30 }, lossPpm: draw(0, 10_000), links: "everyone" },
    timeline: steps,
    expect: []
  }
}
