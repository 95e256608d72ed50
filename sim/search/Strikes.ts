/**
 * Random faults as steps of a timeline: each rule strikes again and again, at drawn gaps and for drawn lengths, until the calm.
 *
 * What a rule draws is keyed by the rule and the number of the strike: a rule more or less leaves the others' strikes as they
 * were. Nodes that the rule names in words are looked up when it strikes; links and sides of a split are drawn here.
 */
import type { Place, Range, Scenario, Step, Target, Verb } from "../scenario/Scenario.ts"
import type { Dice } from "./Drawn.ts"

export interface Rule {
  /** Its name in the ledger. */
  readonly name: string
  /** Of its draws: what it is, and not where it stands, so that a fault more before it moves nothing. */
  readonly key: string
  readonly place: Place
  readonly what:
    | {
        readonly _tag: "crash" | "freeze" | "suspend" | "slow cpu" | "disk hangs"
        readonly who: ReadonlyArray<Target> | "any node"
      }
    | { readonly _tag: "cut" | "cut one way" | "slow" | "clog" }
    | { readonly _tag: "partition"; readonly how: "halves" | "one-against-all" | "random" }
  readonly everyMs: Range
  readonly forMs: Range
}

/** Of one rule in one run: more than any run of minutes needs. */
const STRIKES_MAX = 2_000
/** What a slow link is like. */
const SLOW_MS: Range = { min: 100, max: 2_500 }
/** How long an input takes on a busy processor. */
const TAKES_MS: Range = { min: 2, max: 60 }
const SLOW_LOSS_PPM: Range = { min: 0, max: 400_000 }

const pairOf = ({ links }: Scenario["network"], names: ReadonlyArray<string>, dice: Dice, what: string, n: number) => {
  const count = names.length
  const a = links === "star" ? 0 : dice.below(`${what}/from`, n, links === "line" ? count - 1 : count)
  const b =
    links === "line" || links === "ring" ? (a + 1) % count : (a + 1 + dice.below(`${what}/to`, n, count - 1)) % count
  const turned = dice.below(`${what}/way`, n, 2) === 1
  return turned ? [names[b]!, names[a]!] : [names[a]!, names[b]!]
}

const sidesOf = (how: string, names: ReadonlyArray<string>, dice: Dice, what: string, n: number) => {
  const count = names.length
  const lots = names.map((name) => ({ name, lot: dice.below(`${what}/side/${name}`, n, 1_000_000) }))
  const shuffled = lots.sort((a, b) => a.lot - b.lot).map(({ name }) => name)
  const size =
    how === "halves" ? count >> 1 : how === "one-against-all" ? 1 : 1 + dice.below(`${what}/size`, n, count - 1)
  const one = new Set(shuffled.slice(0, size))
  return [names.filter((name) => one.has(name)), names.filter((name) => !one.has(name))]
}

const verbOf = (rule: Rule, scenario: Scenario, dice: Dice, n: number): Verb | null => {
  const names = scenario.nodes.map(({ name }) => name)
  const { key, what } = rule
  if ("who" in what) {
    const who = what.who === "any node" ? [dice.one(`${key}/who`, n, names)] : what.who
    if (what._tag === "slow cpu") {
      const takes = dice.within(`${key}/takes`, n, TAKES_MS)
      return { _tag: "slow-cpu", who, takesMs: { min: takes >> 1, max: takes } }
    }
    return what._tag === "disk hangs" ? { _tag: "disk", who, harm: "hang" } : { _tag: what._tag, who }
  }
  if (names.length < 2 || (scenario.network.links === "none" && what._tag !== "partition")) return null
  if (what._tag === "partition") return { _tag: "partition", groups: sidesOf(what.how, names, dice, key, n) }
  const [a = "", b = ""] = pairOf(scenario.network, names, dice, key, n)
  if (what._tag === "clog") return { _tag: "clog", from: [a], to: [b], oneWay: true, rule: { _tag: "clog" } }
  if (what._tag !== "slow") return { _tag: "cut", from: [a], to: [b], oneWay: what._tag === "cut one way" }
  const delay = dice.within(`${key}/delay`, n, SLOW_MS)
  const both = [a, b]
  return {
    _tag: "slow",
    from: both,
    to: both,
    oneWay: false,
    rule: {
      _tag: "slow",
      delay: { _tag: "uniform", ms: { min: delay >> 1, max: delay } },
      lossPpm: dice.within(`${key}/loss`, n, SLOW_LOSS_PPM)
    }
  }
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
  for (let n = 0; n < STRIKES_MAX; n++) {
    atMs += Math.max(1, dice.within(`${rule.key}/every`, n, rule.everyMs))
    if (atMs >= untilMs - 1) break
    const verb = verbOf(rule, scenario, dice, n)
    if (verb === null) break
    const forMs = Math.max(1, dice.within(`${rule.key}/for`, n, rule.forMs))
    steps.push({
      place: rule.place,
      atMs,
      id: null,
      note: null,
      verb,
      forMs: outlast ? forMs : Math.min(forMs, untilMs - 1 - atMs),
      key: `${rule.key}/${n}`
    })
  }
  return steps
}
