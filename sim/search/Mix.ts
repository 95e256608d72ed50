/**
 * The default mix of random faults, on top of what a scenario says (C75): power, processes, processors, disks, clocks and keys of
 * nodes; domains that fail together; links in every way that they can be wrong; connections that end or are forgotten; strangers
 * at the door, trusted devices that lie, and copies of devices; frames and messages, of which the faults take their share; where there is discovery, records that lie and addresses that change; and an environment of its own for each seed:
 * loss, delay, calendars and clock rates, a node whose calendar begins in 1970 whenever it starts, and one device more, of
 * generation 1, which is struck as the others are.
 *
 * Swarm testing: each seed draws how broad its mix is, then of every kind whether it is there at all, and then how often and for
 * how long it strikes. A mix of everything all the time hides what only a few kinds together can do.
 *
 * Of disks that lose their journal: one in a run, of whoever elects nobody, or of an elector, which votes no more then (Living.ts).
 *
 * Of trust that is revoked, and given back: where all keep links with all.
 *
 * Not in it, because nothing could be promised then: disks that lose their key as well. Such a node is another device, which nobody
 * trusts.
 *
 * Source: A. Groce et al., "Swarm testing" (ISSTA 2012).
 */
import { ALL_LINKS_MAX } from "../../kernel/links/Keeping.ts"
import { mixed } from "../gen1/Mixed.ts"
import type { Range, Scenario, Target } from "../scenario/Scenario.ts"
import { cloneable } from "./Clone.ts"
import type { Dice } from "./Drawn.ts"
import { ownersIn, type LinkKind, type NodeKind, type Split, type What } from "./Kinds.ts"
import type { Rule } from "./Strikes.ts"

const LEADER: ReadonlyArray<Target> = [{ word: "leader" }]
const MAJORITY: ReadonlyArray<Target> = [{ word: "majority without the leader" }]

const nodeKinds: ReadonlyArray<NodeKind> = [
  "crash",
  "torn-crash",
  "lost-disk",
  "crash-at-write",
  "stop",
  "freeze",
  "freeze-in-handshake",
  "suspend",
  "slow-cpu",
  "disk-hangs",
  "disk-fails",
  "disk-full",
  "disk-slow",
  "skew",
  "clock-rate",
  "keys-fail",
  "isolate",
  "connect",
  "lie",
  "sense",
  "send",
  "stop-engine"
]
/** Of whoever leads as well: what hurts most. */
const leaderKinds: ReadonlyArray<NodeKind> = [
  "crash",
  "stop",
  "freeze",
  "suspend",
  "disk-hangs",
  "isolate",
  "stop-engine"
]
/** Of as many electors as decide. */
const majorityKinds: ReadonlyArray<NodeKind> = ["crash", "freeze", "isolate"]
const linkKinds: ReadonlyArray<LinkKind> = [
  "cut",
  "cut-one-way",
  "slow",
  "detour",
  "clog",
  "flap",
  "swizzle",
  "throttle",
  "burst-loss",
  "reset",
  "half-open",
  "idle-cut",
  "duplicate",
  "reorder",
  "corrupt",
  "late-close",
  "lossy-close"
]
const splits: ReadonlyArray<readonly [name: string, how: Split]> = [
  ["halves", "halves"],
  ["one-against-all", "one-against-all"],
  ["split", "random"]
]

interface Kind {
  readonly name: string
  readonly what: What
}

const kinds: ReadonlyArray<Kind> = [
  ...nodeKinds.map((kind): Kind => ({ name: kind, what: { _tag: kind, who: "any node" } })),
  ...leaderKinds.map((kind): Kind => ({ name: `${kind}-leader`, what: { _tag: kind, who: LEADER } })),
  ...majorityKinds.map((kind): Kind => ({ name: `${kind}-majority`, what: { _tag: kind, who: MAJORITY } })),
  { name: "power-cut", what: { _tag: "crash", who: "a domain" } },
  { name: "access-point", what: { _tag: "isolate", who: "a domain" } },
  ...linkKinds.map((kind): Kind => ({ name: kind, what: { _tag: kind } })),
  ...splits.map(([name, how]): Kind => ({ name, what: { _tag: "partition", how } }))
]

/** Where whoever is trusted again is dialled at once (kernel/links/Keeping.ts): elsewhere the other end tries again after minutes. */
const trustKinds: ReadonlyArray<Kind> = [{ name: "revoke", what: { _tag: "revoke", who: "any node" } }]

/** Where there is somebody whose key a second machine may have. */
const cloneKinds: ReadonlyArray<Kind> = [{ name: "clone", what: { _tag: "clone" } }]

/** Where nodes find each other. */
const nearbyKinds: ReadonlyArray<Kind> = [
  { name: "move", what: { _tag: "move", who: "any node" } },
  { name: "advertise", what: { _tag: "advertise", who: "any node" } },
  { name: "lose-adverts", what: { _tag: "lose-adverts" } }
]

/** Where something moves. */
const actuatorKinds: ReadonlyArray<Kind> = [
  { name: "hold", what: { _tag: "hold", who: "any node" } },
  { name: "jam", what: { _tag: "jam", who: "any node" } },
  { name: "uncouple", what: { _tag: "uncouple", who: "any node" } },
  { name: "propose", what: { _tag: "propose", who: "any node" } }
]

/**
 * Where the script itself names no others. The list is the same each time, under another version: who may lead stays as each scenario
 * has it, and all the rest happens as with any other.
 */
const electorKinds: ReadonlyArray<Kind> = [{ name: "appoint", what: { _tag: "appoint", who: "any node" } }]

const kindsFor = (scenario: Scenario): ReadonlyArray<Kind> => [
  ...kinds,
  ...(scenario.network.links === "everyone" && scenario.nodes.length <= 1 + ALL_LINKS_MAX ? trustKinds : []),
  ...(scenario.timeline.some(({ verb }) => verb._tag === "appoint") ? [] : electorKinds),
  ...(cloneable(scenario).length === 0 ? [] : cloneKinds),
  ...(ownersIn(scenario).length === 0 ? [] : actuatorKinds),
  ...(scenario.network.discovery === undefined ? [] : nearbyKinds)
]

const hasGen1 = ({ nodes }: Scenario): boolean => nodes.some(({ generation }) => generation === 1)

/** Their names in the ledger, without `mix/`. */
export const mixKinds = (scenario: Scenario): ReadonlyArray<string> => [
  ...kindsFor(scenario).map(({ name }) => name),
  ...(hasGen1(scenario) ? [] : ["gen1"])
]

/** Of the kinds that there are, about one in so many. */
const BREADTHS: ReadonlyArray<number> = [16, 8, 4]

/** The mean time from one strike of a kind to its next, drawn from these; how long it lasts likewise. */
const GAPS_MS: ReadonlyArray<number> = [2_000, 5_000, 10_000, 20_000, 40_000]
const LENGTHS_MS: ReadonlyArray<number> = [200, 1_000, 3_000, 8_000, 15_000]

const around = (ms: number): Range => ({ min: ms >> 1, max: ms + (ms >> 1) })

/** The mix has no line in any file. */
const NOWHERE = { line: 0, column: 0 }

export const mixRules = (dice: Dice, scenario: Scenario): ReadonlyArray<Rule> => {
  const oneIn = dice.one("mix/breadth", 0, BREADTHS)
  return kindsFor(scenario).flatMap(({ name, what }): ReadonlyArray<Rule> => {
    const key = `mix/${name}`
    if (!dice.chance(`${key}/on`, 1, oneIn)) return []
    return [
      {
        name: key,
        key,
        place: NOWHERE,
        what,
        everyMs: around(dice.one(`${key}/gap`, 0, GAPS_MS)),
        forMs: around(dice.one(`${key}/length`, 0, LENGTHS_MS)),
        // Whoever loses it again and again may be refused in a life that it cannot know of, and tries again after minutes (P3.17).
        ...(name === "lost-disk" ? { most: 1 } : {})
      }
    ]
  })
}

/** The device of generation 1 and its start, in the ledger. */
export const GEN1 = "mix/gen1"

/** The scenario with one device of generation 1 beside it, where the seed has one and the file has none. */
export const mixMesh = (dice: Dice, scenario: Scenario): Scenario => {
  if (hasGen1(scenario) || !dice.chance(`${GEN1}/on`, 1, 8)) return scenario
  const { with: _, ...both } = mixed(scenario, 1)
  return both
}

/** What a seed may do to clocks and network, as far as nothing else has set it: paths as in `fuzz.vary`, and `boots-in` of a node. */
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
  if (dice.chance("mix/boots-in/on", 1, 4))
    settings.set(`nodes.${dice.one("mix/boots-in/who", 0, nodes).name}.boots-in`, { min: 1970, max: 1970 })
  return settings
}
