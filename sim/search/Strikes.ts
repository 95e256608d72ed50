/**
 * Random faults as steps of a timeline: each rule strikes again and again, at drawn gaps and for drawn lengths, until the calm.
 *
 * What a rule draws is keyed by the rule and the number of the strike: a rule more or less leaves the others' strikes as they
 * were. Nodes that the rule names in words are looked up when it strikes; links and sides of a split are drawn here.
 */
import type { Place, Range, Scenario, Step, Verb } from "../scenario/Scenario.ts"
import type { Dice } from "./Drawn.ts"
import { linkVerb, nodeVerb, ONCE, type Split, type What } from "./Kinds.ts"

export interface Rule {
  /** Its name in the ledger. */
  readonly name: string
  /** Of its draws: what it is, and not where it stands, so that a fault more before it moves nothing. */
  readonly key: string
  readonly place: Place
  readonly what: What
  readonly everyMs: Range
  readonly forMs: Range
  /** How often at most in one run; absent: as often as it comes to. */
  readonly most?: number
}

/** Of one rule in one run: more than any run of minutes needs. */
const STRIKES_MAX = 2_000

const pairOf = (
  { links }: Scenario["network"],
  names: ReadonlyArray<string>,
  dice: Dice,
  what: string,
  n: number
): readonly [string, string] => {
  const count = names.length
  const a = links === "star" ? 0 : dice.below(`${what}/from`, n, links === "line" ? count - 1 : count)
  const b =
    links === "line" || links === "ring" ? (a + 1) % count : (a + 1 + dice.below(`${what}/to`, n, count - 1)) % count
  const turned = dice.below(`${what}/way`, n, 2) === 1
  return turned ? [names[b]!, names[a]!] : [names[a]!, names[b]!]
}

const sidesOf = (how: Split, names: ReadonlyArray<string>, dice: Dice, what: string, n: number) => {
  const count = names.length
  const lots = names.map((name) => ({ name, lot: dice.below(`${what}/side/${name}`, n, 1_000_000) }))
  const shuffled = lots.sort((a, b) => a.lot - b.lot).map(({ name }) => name)
  const size =
    how === "halves" ? count >> 1 : how === "one-against-all" ? 1 : 1 + dice.below(`${what}/size`, n, count - 1)
  const one = new Set(shuffled.slice(0, size))
  return [names.filter((name) => one.has(name)), names.filter((name) => !one.has(name))]
}

const verbOf = ({ key, what }: Rule, scenario: Scenario, dice: Dice, n: number): Verb | null => {
  const names = scenario.nodes.map(({ name }) => name)
  if ("who" in what) return nodeVerb(what, scenario, { dice, key, n })
  if (names.length < 2 || (scenario.network.links === "none" && what._tag !== "partition")) return null
  if (what._tag === "clone") return null
  if (what._tag === "partition") return { _tag: "partition", groups: sidesOf(what.how, names, dice, key, n) }
  return linkVerb(what._tag, pairOf(scenario.network, names, dice, key, n), { dice, key, n })
}

/** Strikes that begin before `untilMs`, and end before it too unless they may outlast it. */
export const strikes = (
  rule: Rule,
  scenario: Scenario,
  dice: Dice,
  untilMs: number,
  outlast: boolean
): ReadonlyArray<Step> => {
  const steps: Array<Step> = []
  let atMs = 0
  for (let n = 0; n < STRIKES_MAX && steps.length < (rule.most ?? STRIKES_MAX); n++) {
    atMs += Math.max(1, dice.within(`${rule.key}/every`, n, rule.everyMs))
    if (atMs >= untilMs - 1) break
    const verb = verbOf(rule, scenario, dice, n)
    // A domain may be empty this time, and not the next.
    if (verb === null) continue
    const forMs = Math.max(1, dice.within(`${rule.key}/for`, n, rule.forMs))
    steps.push({
      place: rule.place,
      atMs,
      id: null,
      note: null,
      verb,
      forMs: ONCE.has(verb._tag) ? null : outlast ? forMs : Math.min(forMs, untilMs - 1 - atMs),
      key: `${rule.key}/${n}`
    })
  }
  return steps
}
