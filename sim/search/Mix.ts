/**
 * The default mix of random faults, on top of what a scenario says (C75): nodes that lose their power, stand still, sleep or
 * are slow, disks that hang, links cut one way or both, clogged or slow, splits, and an environment of its own for each seed: loss, delay, calendars and clock rates.
 *
 * Swarm testing: of every kind each seed draws first whether it is there at all, and then how often and for how long it strikes.
 * A mix of everything all the time hides what only a few kinds together can do.
 *
 * Does not hold yet: disks that lose or tear, and adversarial frames.
 *
 * Source: A. Groce et al., "Swarm testing" (ISSTA 2012).
 */
import type { Range, Scenario } from "../scenario/Scenario.ts"
import type { Dice } from "./Drawn.ts"
import type { Rule } from "./Strikes.ts"

const kinds: ReadonlyArray<{ readonly name: string; readonly what: Rule["what"] }> = [
  { name: "crash", what: { _tag: "crash", who: "any node" } },
  { name: "crash-leader", what: { _tag: "crash", who: [{ word: "leader" }] } },
  { name: "freeze", what: { _tag: "freeze", who: "any node" } },
  { name: "freeze-leader", what: { _tag: "freeze", who: [{ word: "leader" }] } },
  { name: "cut", what: { _tag: "cut" } },
  { name: "cut-one-way", what: { _tag: "cut one way" } },
  { name: "halves", what: { _tag: "partition", how: "halves" } },
  { name: "one-against-all", what: { _tag: "partition", how: "one-against-all" } },
  { name: "split", what: { _tag: "partition", how: "random" } },
  { name: "slow", what: { _tag: "slow" } },
  { name: "clog", what: { _tag: "clog" } },
  { name: "suspend", what: { _tag: "suspend", who: "any node" } },
  { name: "suspend-leader", what: { _tag: "suspend", who: [{ word: "leader" }] } },
  { name: "slow-cpu", what: { _tag: "slow cpu", who: "any node" } },
  { name: "disk-hangs", what: { _tag: "disk hangs", who: "any node" } }
]

/** The mean time from one strike of a kind to its next, drawn from these; how long it lasts likewise. */
const GAPS_MS: ReadonlyArray<number> = [2_000, 5_000, 10_000, 20_000, 40_000]
const LENGTHS_MS: ReadonlyArray<number> = [200, 1_000, 3_000, 8_000, 15_000]

const around = (ms: number): Range => ({ min: ms >> 1, max: ms + (ms >> 1) })

/** The mix has no line in any file. */
const NOWHERE = { line: 0, column: 0 }

export const mixRules = (dice: Dice): ReadonlyArray<Rule> =>
  kinds.flatMap(({ name, what }): ReadonlyArray<Rule> => {
    const key = `mix/${name}`
    if (!dice.chance(`${key}/on`, 1, 3)) return []
    return [
      {
        name: key,
        key,
        place: NOWHERE,
        what,
        everyMs: around(dice.one(`${key}/gap`, 0, GAPS_MS)),
        forMs: around(dice.one(`${key}/length`, 0, LENGTHS_MS))
      }
    ]
  })

/** What a seed may do to clocks and network, as far as nothing else has set it: paths as in `fuzz.vary`. */
export const mixSettings = (dice: Dice, { network, nodes }: Scenario): ReadonlyMap<string, Range> => {
  const settings = new Map<string, Range>()
  const most = (what: string, list: ReadonlyArray<number>): number => dice.one(`mix/${what}/most`, 0, list)
  if (dice.chance("mix/loss/on", 1, 3)) {
    const loss = { min: 0, max: most("loss", [1_000, 10_000, 50_000]) }
    settings.set("network.loss", loss)
    if (network.betweenSites !== undefined) settings.set("network.between-sites.loss", loss)
  }
  if (dice.chance("mix/delay/on", 1, 3)) settings.set("network.delay", { min: 1, max: most("delay", [5, 50, 200]) })
  if (dice.chance("mix/skew/on", 1, 3)) {
    const skew = most("skew", [100, 10_000, 1_000_000_000])
    for (const { name } of nodes) settings.set(`nodes.${name}.clock-skew`, { min: -skew, max: skew })
  }
  if (dice.chance("mix/rate/on", 1, 3)) {
    // Lease and promise are made for clocks whose rates err by no more (kernel/Profile.ts).
    const rate = most("rate", [100, 10_000, 300_000])
    for (const { name } of nodes) settings.set(`nodes.${name}.clock-rate`, { min: -rate, max: rate })
  }
  return settings
}
