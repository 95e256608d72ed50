/**
 * What random faults do, kind by kind: each with numbers of its own, drawn anew for each strike. Kinds that files may ask for by
 * name are among them, and kinds of the default mix.
 *
 * Every draw is keyed by the rule and the number of its strike.
 */
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import type { EvidenceSource } from "../../kernel/wire/ContextFrame.ts"
import { lieKinds, type LieKind } from "../network/Lies.ts"
import type { LinkRule, LinkVerb, Range, Scenario, Target, Verb } from "../scenario/Scenario.ts"
import type { Delay } from "../network/Delay.ts"
import { lies, ways } from "../scenario/Scenario.ts"
import type { Dice } from "./Drawn.ts"
import { expendable } from "./Living.ts"

/** Kinds that strike nodes. */
export type NodeKind =
  | "crash"
  | "torn-crash"
  | "lost-disk"
  | "crash-at-write"
  | "stop"
  | "freeze"
  | "freeze-in-handshake"
  | "suspend"
  | "slow-cpu"
  | "disk-hangs"
  | "disk-fails"
  | "disk-full"
  | "disk-slow"
  | "skew"
  | "clock-rate"
  | "keys-fail"
  | "isolate"
  | "move"
  | "advertise"
  | "connect"
  | "lie"
  | "revoke"
  | "sense"
  | "send"
  | "hold"
  | "jam"
  | "uncouple"
  | "propose"
  | "appoint"
  | "stop-engine"

/** Kinds that strike one link, or one direction of it. */
export type LinkKind = "cut" | "cut-one-way" | Exclude<LinkVerb, "lie">

export type Split = "halves" | "one-against-all" | "random"

export type What =
  | { readonly _tag: NodeKind; readonly who: ReadonlyArray<Target> | "any node" | "a domain" }
  | { readonly _tag: LinkKind }
  | { readonly _tag: "partition"; readonly how: Split }
  /** A second machine with the key of one of them (Clone.ts). */
  | { readonly _tag: "clone" }

/** What a slow link is like. */
const SLOW_MS: Range = { min: 100, max: 2_500 }
/** Of a link that is slow at times: a radio that repeats. */
const RARE_PPM = 50_000
const SLOW_LOSS_PPM: Range = { min: 0, max: 400_000 }
/** How long an input takes on a busy processor. */
const TAKES_MS: Range = { min: 2, max: 60 }
const WRITE_MS: Range = { min: 5, max: 3_000 }
const WRITES_MAX = 6
/** How far a calendar jumps. */
const JUMP_MS: Range = { min: -3_600_000, max: 3_600_000 }
/** Lease and promise are made for clocks whose rates err by no more (kernel/Profile.ts). */
const RATE_PPM: Range = { min: -300_000, max: 300_000 }
/** A share of messages that a bug behind TLS touches. */
const SHARE_PPM: Range = { min: 1_000, max: 200_000 }
/** Of a link that comes and goes. */
const FLAP_MS: Range = { min: 50, max: 4_000 }
const SWIZZLE_MS: Range = { min: 200, max: 4_000 }
const NARROW: Range = { min: 2_000, max: 64_000 }
const BURST_PPM: Range = { min: 5_000, max: 100_000 }
const BURST_ENDS_PPM: Range = { min: 50_000, max: 500_000 }
const IDLE_MS: Range = { min: 300, max: 5_000 }
/** Of what nodes say to the mesh, and programs to each other: mostly a few things, one in eight so many that windows fill. */
const FEW: Range = { min: 1, max: 24 }
const SAID_TIMES: ReadonlyArray<Range> = [FEW, FEW, FEW, FEW, FEW, FEW, FEW, { min: 1, max: 300 }]
const SAID_EACH_MS: Range = { min: 5, max: 300 }
const SAID_BYTES: Range = { min: 0, max: 2_000 }
const ZONES = ["zone-1", "zone-2"] as const
const METRICS = ["moisture", "rain", "battery"] as const
const LASTING_MS: Range = { min: 500, max: 60_000 }
/** Few, so that people decide about what somebody proposed. */
const PROPOSALS: ReadonlyArray<string> = ["M1", "M2", "M3"]
const PEOPLE: ReadonlyArray<string> = ["asha", "ravi"]
const UNDER_LAST = [false, false, true] as const
const EVIDENCE: ReadonlyArray<ReadonlyArray<EvidenceSource>> = [["sensor"], ["sensor", "llm"], ["llm"]]
const LATE_MS: Range = { min: 10, max: 5_000 }
/** Nobody's domain has more; with fewer nodes there are fewer. */
const DOMAINS_MAX = 3
const PLACES_MAX = 5
/** In a mesh of so many a row goes to everybody at once (kernel/membership/Rows.ts). */
const LINKED_WITH_ALL_MAX = 8

/** Whoever has a node's key and tells no lie is that node to all others, and the node itself has to wait. */
const refused = lies.filter((lie) => lie !== "its own key")
/** Nor is it a lie of a device of generation 1 to leave the extension out; and what it signs for one it signs for all (part 12). */
const refusedOfGen1 = refused.filter((lie) => lie !== "no extension" && lie !== "a relayed login")

/** Where not everybody is linked with everybody, a false row outlives its author's true ones (PROTOCOL.md part 12). */
const wordsOnly: ReadonlyArray<LieKind> = ["malformed", "false words"]
const heardByAll = ({ network, nodes }: Scenario): boolean =>
  network.links === "everyone" && nodes.length <= LINKED_WITH_ALL_MAX

/** Whether this step makes nodes believe what is not so of devices that they have no session with. */
export const isAboutOthers = (verb: Verb): boolean =>
  verb._tag === "lie" && verb.rule._tag === "lies" && !wordsOnly.includes(verb.rule.kind)

const upTo = (max: number): Range => ({ min: max >> 1, max })

/** Nobody lets go of it again but a person at it: one in sixteen. */
const HOLDS: ReadonlyArray<boolean> = Array.from({ length: 16 }, (_, n) => n === 0)

/** Who owns what moves. */
export const ownersIn = ({ nodes }: Scenario): ReadonlyArray<{ readonly name: string; readonly actuator: string }> =>
  nodes.flatMap(({ capabilities, name }) =>
    capabilities.filter((each) => each.startsWith(ACTUATOR)).map((actuator) => ({ name, actuator }))
  )

/** One strike of a rule: where its draws come from. */
export interface Lot {
  readonly dice: Dice
  readonly key: string
  readonly n: number
}

const within = ({ dice, key, n }: Lot, what: string, range: Range): number => dice.within(`${key}/${what}`, n, range)
const one = <A>({ dice, key, n }: Lot, what: string, list: ReadonlyArray<A>): A => dice.one(`${key}/${what}`, n, list)

/** Nodes that fail together: those of a site, or, in a file without sites, of one of two or three groups, drawn for the seed. */
const domainOf = ({ network, nodes }: Scenario, lot: Lot): ReadonlyArray<string> => {
  const { dice } = lot
  const { sites = [] } = network
  if (sites.length > 0) return one(lot, "domain", sites).nodes
  const count = Math.min(nodes.length, 2 + dice.below("domains", 0, DOMAINS_MAX - 1))
  const nth = dice.below(`${lot.key}/domain`, lot.n, count)
  return nodes.map(({ name }) => name).filter((name) => dice.below(`domain/${name}`, 0, count) === nth)
}

export const nodeVerb = (what: Extract<What, { readonly who: unknown }>, scenario: Scenario, lot: Lot): Verb | null => {
  const { network, nodes } = scenario
  const names = nodes.map(({ name }) => name)
  const able = what._tag === "lost-disk" ? expendable(scenario, (n) => lot.dice.below("expendable", 0, n)) : names
  const who: ReadonlyArray<Target> =
    what.who === "any node"
      ? able.length === 0
        ? []
        : [one(lot, "who", able)]
      : what.who === "a domain"
        ? domainOf(scenario, lot)
        : what.who
  if (who.length === 0) return null
  const other = (): string | null => {
    const others = names.filter((name) => name !== who[0])
    return others.length === 0 ? null : one(lot, "other", others)
  }
  switch (what._tag) {
    case "torn-crash":
      return { _tag: "crash", who, disk: "torn" }
    case "lost-disk":
      return { _tag: "crash", who, disk: "lost" }
    case "crash-at-write":
      return { _tag: "crash-at-write", who, nth: 1 + lot.dice.below(`${lot.key}/nth`, lot.n, WRITES_MAX) }
    case "freeze-in-handshake":
      return { _tag: "freeze", who, in: "handshake" }
    case "slow-cpu":
      return { _tag: "slow-cpu", who, takesMs: upTo(within(lot, "takes", TAKES_MS)) }
    case "disk-hangs":
      return { _tag: "disk", who, harm: "hang" }
    case "disk-fails":
      return { _tag: "disk", who, harm: "error" }
    case "disk-full":
      return { _tag: "disk", who, harm: "full" }
    case "disk-slow":
      return { _tag: "disk", who, harm: upTo(within(lot, "write", WRITE_MS)) }
    case "skew":
      return { _tag: "skew", who, how: { _tag: "by", ms: within(lot, "jump", JUMP_MS) } }
    case "clock-rate":
      return { _tag: "skew", who, how: { _tag: "rate", ppm: within(lot, "rate", RATE_PPM) } }
    case "keys-fail":
      return { _tag: "keys-fail", who, at: one(lot, "at", ["sign", "check"] as const) }
    case "connect": {
      const as = other()
      if (as === null) return null
      const isOld = nodes.some(({ generation, name }) => name === as && generation === 1)
      // A wrong pin, or none: nobody is asked for more, true or not.
      const over = one(lot, "over", [null, null, null, ...ways])
      if (over !== null) return { _tag: "connect", to: who, as, lie: "its own key", over }
      const lie = one(lot, "lie", isOld ? refusedOfGen1 : refused)
      if (lie !== "a relayed login") return { _tag: "connect", to: who, as, lie }
      const third = nodes.filter(({ generation, name }) => generation === undefined && name !== as && name !== who[0])
      if (third.length === 0) return null
      return { _tag: "connect", to: who, as, lie, through: one(lot, "through", third).name }
    }
    case "revoke": {
      const whom = other()
      return whom === null ? null : { _tag: "revoke", by: who, whom }
    }
    case "lie": {
      const kind = one(lot, "lies", heardByAll(scenario) ? lieKinds : wordsOnly)
      const rule = { _tag: "lies", ppm: within(lot, "share", SHARE_PPM), kind } as const
      return { _tag: "lie", from: who, to: EVERYONE, oneWay: true, rule }
    }
    case "sense": {
      const bytes = within(lot, "size", SAID_BYTES)
      const data = { zone: one(lot, "zone", ZONES), metric: one(lot, "metric", METRICS), value: lot.n }
      return {
        _tag: "sense",
        who,
        frame: `mix-${lot.n}`,
        kind: one(lot, "kind", ["observation", "observation", "event", "inference", "human_input"] as const),
        data: bytes % 4 === 0 ? { ...data, pad: "x".repeat(bytes) } : data,
        times: within(lot, "times", one(lot, "often", SAID_TIMES)),
        eachMs: within(lot, "each", SAID_EACH_MS)
      }
    }
    case "send": {
      const [from] = who
      const to = one(lot, "to", [other(), other(), "sensor:*", "channel:*"])
      if (to === null || typeof from !== "string") return null
      const channel = one(lot, "channel", ["notes", "notes", "nobody", "clawmesh.echo"] as const)
      const said = { _tag: "send", from, to, channel, key: one(lot, "again", [null, "the same"]) } as const
      const owner = one(lot, "owner", [null, ...ownersIn(scenario)])
      if (owner === null) return said
      if (one(lot, "holds", HOLDS)) return { ...said, to: owner.name, holds: owner.actuator }
      const state = one(lot, "state", ["open", "open", "closed"] as const)
      const forMs = within(lot, "lasting", LASTING_MS)
      const evidence = one(lot, "evidence", EVIDENCE)
      const underLast = one(lot, "under-last", UNDER_LAST)
      return { ...said, to: owner.name, sets: { actuator: owner.actuator, state, forMs, evidence, underLast } }
    }
    case "propose": {
      const owner = one(lot, "owner", [null, ...ownersIn(scenario)])
      if (owner === null) return null
      const proposal = one(lot, "proposal", PROPOSALS)
      const by = one(lot, "by", PEOPLE)
      const does = one(lot, "does", ["propose", "propose", "approve", "approve", "approve", "reject"] as const)
      if (does !== "propose") return { _tag: does, who, proposal, by }
      return {
        _tag: "propose",
        who: one(lot, "planner", [who, [{ word: "leader" }] as const, [{ word: "any", role: "planner" }] as const]),
        proposal,
        actuator: owner.actuator.slice(ACTUATOR.length),
        state: one(lot, "state", ["open", "open", "closed"] as const),
        forMs: within(lot, "lasting", LASTING_MS),
        because: [],
        alone: one(lot, "alone", [true, false])
      }
    }
    case "appoint":
      return {
        _tag: "appoint",
        who,
        electors: scenario.electors,
        readmits: one(lot, "readmits", [[], scenario.electors])
      }
    case "move":
      return { _tag: "move", who }
    case "advertise": {
      const [node] = who
      if (network.discovery === undefined || typeof node !== "string") return null
      const address = one(lot, "address", [null, undefined, other()])
      return {
        _tag: "advertise",
        node,
        incarnation: one(lot, "incarnation", ["old", "current", "next"] as const),
        ...(address === undefined ? {} : { address }),
        anotherMesh: one(lot, "mesh", [true, false, false]),
        copies: 1,
        heardBy: [{ word: "everyone" }]
      }
    }
    default:
      return { _tag: what._tag, who }
  }
}

/** In each of the ways that delays are spread; `ms`: how slow. */
const slowDelay = (ms: number, lot: Lot): Delay =>
  one(lot, "spread", [
    { _tag: "uniform", ms: upTo(ms) },
    { _tag: "bimodal", usual: { min: 1, max: 1 + (ms >> 4) }, rare: upTo(2 * ms), rarePpm: RARE_PPM },
    { _tag: "exponential", leastMs: 1, moreMs: ms },
    { _tag: "heavy-tail", leastMs: 1 + (ms >> 4), mostMs: 4 * ms },
    { _tag: "table", ms: [1, 2, 2, 3, 5, ms >> 2, ms] }
  ] as const)

/** The rule of a kind, with its numbers; `null`: it lies on no link. */
const ruleOf = (kind: Exclude<LinkKind, "cut" | "cut-one-way">, lot: Lot): LinkRule => {
  switch (kind) {
    case "slow":
      return {
        _tag: "slow",
        delay: slowDelay(within(lot, "delay", SLOW_MS), lot),
        lossPpm: within(lot, "loss", SLOW_LOSS_PPM)
      }
    case "detour":
      return { _tag: "offset", ms: upTo(within(lot, "adds", SLOW_MS)) }
    case "clog":
      return { _tag: "clog" }
    case "flap":
      return { _tag: "flap", cutMs: upTo(within(lot, "down", FLAP_MS)), openMs: upTo(within(lot, "up", FLAP_MS)) }
    case "swizzle":
      return {
        _tag: "swizzle",
        cutOverMs: within(lot, "over", SWIZZLE_MS),
        healAfterMs: within(lot, "heal-after", SWIZZLE_MS),
        healOverMs: within(lot, "heal-over", SWIZZLE_MS)
      }
    case "throttle":
      return { _tag: "capacity", bytesPerSecond: within(lot, "speed", NARROW) }
    case "burst-loss":
      return {
        _tag: "burst-loss",
        enterPpm: within(lot, "begins", BURST_PPM),
        leavePpm: within(lot, "ends", BURST_ENDS_PPM),
        badPpm: 1_000_000,
        goodPpm: 0
      }
    case "reset":
      return { _tag: "reset", ends: one(lot, "ends", ["from", "both"] as const) }
    case "half-open":
      return { _tag: "half-open", told: one(lot, "told", [true, false]), answer: one(lot, "answer", answers) }
    case "idle-cut":
      return { _tag: "idle-cut", idleMs: within(lot, "idle", IDLE_MS), answer: one(lot, "answer", answers) }
    case "duplicate":
      return {
        _tag: "duplicate",
        ppm: within(lot, "share", SHARE_PPM),
        lateMs: { min: 0, max: within(lot, "late", LATE_MS) },
        anywhere: one(lot, "anywhere", [true, false])
      }
    case "reorder":
      return {
        _tag: "reorder",
        ppm: within(lot, "share", SHARE_PPM),
        places: 1 + lot.dice.below(`${lot.key}/places`, lot.n, PLACES_MAX)
      }
    case "corrupt":
      return { _tag: "corrupt", ppm: within(lot, "share", SHARE_PPM) }
    case "late-close":
      return { _tag: "late-close", lateMs: upTo(within(lot, "late", LATE_MS)) }
    case "lossy-close":
      return { _tag: "lossy-close", ppm: within(lot, "share", { min: 100_000, max: 1_000_000 }) }
    case "lose-adverts":
      return { _tag: "datagram-loss", ppm: within(lot, "share", { min: 100_000, max: 1_000_000 }) }
  }
}

const EVERYONE: ReadonlyArray<Target> = [{ word: "everyone" }]
const answers = ["reset", "silence"] as const

/** Those that strike one direction when they strike. */
const oneWay: ReadonlySet<LinkKind> = new Set<LinkKind>(["clog", "reset", "half-open", "detour"])

export const linkVerb = (kind: LinkKind, [a, b]: readonly [string, string], lot: Lot): Verb => {
  if (kind === "cut" || kind === "cut-one-way")
    return { _tag: "cut", from: [a], to: [b], oneWay: kind === "cut-one-way" }
  const rule = ruleOf(kind, lot)
  // Links that are cut and heal in another order have to be many.
  if (kind === "swizzle") return { _tag: kind, from: EVERYONE, to: EVERYONE, oneWay: false, rule }
  return oneWay.has(kind)
    ? { _tag: kind, from: [a], to: [b], oneWay: true, rule }
    : { _tag: kind, from: [a, b], to: [a, b], oneWay: false, rule }
}

/** What happens once, and has no end. */
export const ONCE: ReadonlySet<Verb["_tag"]> = new Set<Verb["_tag"]>([
  "reset",
  "half-open",
  "advertise",
  "connect",
  "send",
  "propose",
  "approve",
  "reject",
  "appoint"
])
