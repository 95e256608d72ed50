/** What a seed makes of a scenario (C75; issue: varied values, random faults, swarm, calm). */
import { assert, describe, it } from "@effect/vitest"
import { faultNames, strikesNodes } from "../../../sim/scenario/Language.ts"
import type { Scenario, Step, Verb } from "../../../sim/scenario/Scenario.ts"
import { draw } from "../../../sim/search/Draw.ts"
import type { Drawn, RunClass } from "../../../sim/search/Drawn.ts"
import { mixKinds } from "../../../sim/search/Mix.ts"
import { FIELD, field, scenarioFrom } from "./Field.ts"

const SEEDS = Array.from({ length: 300 }, (_, i) => i)
const CALM_FROM_MS = 25_000

const many = (swarm: boolean, scenario = field()): ReadonlyArray<Drawn> =>
  SEEDS.map((seed) => draw(scenario, seed, { swarm }))
const ofClass = (run: RunClass, drawn = many(true)): ReadonlyArray<Drawn> => drawn.filter((one) => one.class === run)
const names = ({ scenario }: Drawn): ReadonlyArray<string> => scenario.expect.map(({ name }) => name)
const from = (drawn: Drawn, prefix: string): ReadonlyArray<Step> =>
  drawn.scenario.timeline.filter((_, step) => drawn.sources[step]?.startsWith(prefix) === true)
const valueOf = ({ settings }: Drawn, path: string): number | undefined =>
  settings.find((setting) => setting.path === path)?.value

describe("a drawn scenario", () => {
  it("is a function of scenario and seed", () => {
    assert.deepStrictEqual(many(true), many(true))
    assert.isAbove(new Set(many(true).map((drawn) => JSON.stringify(drawn))).size, 290)
  })

  it("runs as written in some seeds of a swarm, but for the seed", () => {
    const written = ofClass("scripted")
    assert.isAbove(written.length, 5)
    for (const { scenario, settings } of written) {
      assert.deepStrictEqual(scenario, field())
      assert.deepStrictEqual(settings, [])
    }
  })

  it("judges `scripted` only as written, `varied` only without random faults, `everywhere` always", () => {
    const all = field().expect.map(({ name }) => name)
    for (const drawn of ofClass("scripted")) assert.deepStrictEqual(names(drawn), all)
    for (const drawn of ofClass("varied")) assert.deepStrictEqual(names(drawn), all.slice(1))
    for (const drawn of ofClass("everywhere")) {
      assert.deepStrictEqual(names(drawn), all.slice(2, drawn.liveness ? 4 : 5))
      assert.deepStrictEqual(drawn.expectations, drawn.liveness ? [2, 3] : [2, 3, 4])
    }
    assert.isAbove(ofClass("varied").length, 30)
  })

  it("is within the ranges of the file, and reaches all of them", () => {
    const drawn = many(false)
    const spread = (path: string) => {
      const values = drawn.map((one) => valueOf(one, path)!)
      return [Math.min(...values), Math.max(...values)] as const
    }
    const within = ([low, high]: readonly [number, number], min: number, max: number) => {
      assert.isAtLeast(low, min)
      assert.isAtMost(high, max)
      assert.isBelow(low, min + (max - min) / 10)
      assert.isAbove(high, max - (max - min) / 10)
    }
    within(spread("timeline.dies.at"), 6_000, 12_000)
    within(spread("network.loss"), 0, 50_000)
    for (const node of ["main", "backup", "one", "two"]) within(spread(`nodes.${node}.clock-skew`), -3_000, 3_000)
    within(spread("nodes.one.clock-rate"), -10_000, 10_000)
    const [first] = drawn
    assert.strictEqual(first?.scenario.network.lossPpm, valueOf(first!, "network.loss"))
    assert.strictEqual(first?.scenario.nodes[2]?.clockRatePpm, valueOf(first!, "nodes.one.clock-rate"))
    assert.strictEqual(first?.scenario.nodes[3]?.clockSkewMs, valueOf(first!, "nodes.two.clock-skew"))
  })

  it("moves what counts from a step along with it: later steps, and the moments of expectations", () => {
    for (const drawn of many(false)) {
      const atMs = valueOf(drawn, "timeline.dies.at")!
      const [, dies, returns] = drawn.scenario.timeline
      assert.deepStrictEqual([dies?.atMs, returns?.atMs], [atMs, atMs + 10_000])
      const [oneAtMost, fromThen] = drawn.scenario.expect
      assert.deepInclude(oneAtMost?.when, { fromMs: 0, untilMs: 40_000 })
      assert.deepInclude(fromThen?.when, { fromMs: atMs + 10_000, untilMs: 40_000 })
    }
    for (const drawn of ofClass("varied")) {
      const atMs = valueOf(drawn, "timeline.dies.at") ?? 8_000
      assert.deepInclude(drawn.scenario.expect[0]?.when, { _tag: "within", afterMs: atMs })
    }
  })

  it("without swarm, only the faults of the file strike, again and again, and ties are as they come", () => {
    for (const drawn of many(false)) {
      assert.strictEqual(drawn.class, "everywhere")
      assert.strictEqual(drawn.ties, "fifo")
      assert.deepStrictEqual(
        [...new Set(drawn.sources)].filter((source) => source !== null && !source.startsWith("step/")).sort(),
        ["fault/0", "fault/1"]
      )
      for (const { forMs, verb } of from(drawn, "fault/0")) {
        assert.deepStrictEqual(verb, { _tag: "crash", who: [{ word: "any", role: "field" }] })
        assert.isAtMost(forMs!, 4_000)
      }
      const cuts = from(drawn, "fault/1")
      assert.isAtLeast(cuts.length, 4)
      for (const [i, { atMs }] of cuts.entries()) {
        const gapMs = atMs - (cuts[i - 1]?.atMs ?? 0)
        assert.isAtLeast(gapMs, 2_000)
        assert.isAtMost(gapMs, 6_000)
      }
    }
  })

  it("a swarm leaves kinds out and brings others in: no kind is in all seeds, every kind is in some", () => {
    const seen = new Map<string, number>()
    const drawn = ofClass("everywhere")
    for (const { sources } of drawn)
      for (const source of new Set(sources)) if (source !== null) seen.set(source, (seen.get(source) ?? 0) + 1)
    const kinds = [...seen].filter(([source]) => !source.startsWith("step/"))
    assert.deepStrictEqual(
      kinds.map(([source]) => source).sort(),
      ["fault/0", "fault/1", ...mixKinds(field()).map((kind) => `mix/${kind}`)].sort()
    )
    // Of one kind in sixteen, eight or four, as the seed draws.
    for (const [source, seeds] of kinds) {
      const share = source.startsWith("mix/") ? 7 / 48 : 3 / 4
      assert.approximately(seeds / drawn.length, share, 0.1, source)
    }
    assert.deepStrictEqual([...new Set(drawn.map(({ ties }) => ties))].sort(), ["drawn", "fifo"])
  })

  it("is calm at the end: nothing strikes, everything is healed and started, the network is the file's", () => {
    for (const drawn of many(true)) {
      const { scenario, sources } = drawn
      if (drawn.class === "scripted" || drawn.liveness) continue
      scenario.timeline.forEach(({ atMs, forMs }, step) => {
        if (sources[step] === null) return
        assert.isBelow(atMs, CALM_FROM_MS)
        if (forMs !== null) assert.isBelow(atMs + forMs, CALM_FROM_MS)
      })
      const calm = scenario.timeline.filter((_, step) => sources[step] === null)
      assert.isTrue(calm.every(({ atMs }) => atMs === CALM_FROM_MS))
      const tags = calm.map(({ verb }) => verb._tag)
      assert.deepStrictEqual([tags[0], tags.at(-1)], ["heal", "start"])
      const { usual } = calm[0]!.verb as Extract<Verb, { readonly _tag: "heal" }>
      if (usual === undefined) assert.deepStrictEqual(scenario.network, field().network)
      else assert.deepStrictEqual(usual, field().network)
    }
  })

  it("what varies between sites varies there, and is the file's again in the calm", () => {
    const sites = scenarioFrom(
      FIELD.replace(
        "timeline:",
        `sites: { farm: [one, two], office: [main, backup] }
network: { within-sites: { delay: 1ms..2ms }, between-sites: { delay: 80ms..100ms, loss: 1% } }
timeline:`
      ).replace("network.loss: 0%..5%", "network.between-sites.loss: 3%..5%")
    )
    const varied = ofClass("varied", many(true, sites)).filter(
      (drawn) => valueOf(drawn, "network.between-sites.loss") !== undefined
    )
    assert.isNotEmpty(varied)
    for (const { scenario, sources } of varied) {
      const { betweenSites, lossPpm, withinSites } = scenario.network
      assert.isAtLeast(betweenSites!.lossPpm, 30_000)
      assert.deepStrictEqual([lossPpm, withinSites], [0, { delayMs: { min: 1, max: 2 }, lossPpm: 0 }])
      const heal = scenario.timeline[sources.indexOf(null)]!.verb
      assert.deepInclude(heal, { usual: sites.network })
    }
  })

  it("goes on for longer where the mix may have struck, and what counts from the end moves along", () => {
    for (const { liveness, scenario } of ofClass("everywhere")) {
      if (liveness) continue
      assert.strictEqual(scenario.lastsMs, CALM_FROM_MS + 60_000)
      const [oneAtMost, , inTheEnd] = scenario.expect
      assert.deepInclude(oneAtMost?.when, { untilMs: scenario.lastsMs })
      assert.deepInclude(inTheEnd?.when, { atMs: scenario.lastsMs })
    }
    for (const { scenario } of ofClass("varied")) assert.strictEqual(scenario.lastsMs, 40_000)
  })

  it("some end amid their faults, for the oracles of liveness: no calm, nothing `eventually`", () => {
    const amid = many(true).filter(({ liveness }) => liveness)
    const random = ofClass("everywhere").length
    assert.isAbove(amid.length, random / 64)
    assert.isBelow(amid.length, random / 16)
    for (const drawn of amid) {
      assert.strictEqual(drawn.class, "everywhere")
      assert.strictEqual(drawn.scenario.lastsMs, CALM_FROM_MS)
      assert.notInclude(drawn.sources, null)
      assert.isTrue(drawn.scenario.timeline.every(({ atMs }) => atMs < CALM_FROM_MS))
    }
    const outlasting = amid.filter(({ scenario }) =>
      scenario.timeline.some(({ atMs, forMs }) => forMs !== null && atMs + forMs > CALM_FROM_MS)
    )
    assert.isAbove(outlasting.length, amid.length / 2)
    assert.isEmpty(many(false).filter(({ liveness }) => liveness))
  })

  it("whoever the file stops politely and for good is not started in the calm", () => {
    const stopped = scenarioFrom(
      FIELD.replace("timeline.dies.at", "timeline.leaves.at")
        .replace("id: dies, crash: main", "id: leaves, stop: main")
        .replace("  - { at: dies + 10s, id: returns, restart: main }\n", "")
        .replaceAll("dies", "leaves")
        .replace("from: returns, until: end", "from: 20s")
    )
    const drawn = draw(stopped, 3, { swarm: false })
    assert.deepInclude(drawn.scenario.timeline.at(-1)?.verb, { _tag: "start", who: ["backup", "one", "two"] })
  })
})

/** Keyed: a fault added in one place leaves all else as it was. */
describe("draws are keyed", () => {
  const withoutCut = scenarioFrom(FIELD.replace(/ {4}- \{ cut: any link.*\n/u, ""))
  const more = scenarioFrom(
    FIELD.replace("  faults:\n", "  faults:\n    - { freeze: any planner, every: 4s..5s, for: 1s }\n")
  )
  const strikesOf = (scenario: Scenario, source: string): ReadonlyArray<ReadonlyArray<Step>> =>
    many(false, scenario).map((drawn) =>
      from(drawn, source).map((step) => ({ ...step, place: { line: 0, column: 0 } }))
    )

  it("one fault more or less moves neither the strikes of another nor any value", () => {
    const crashes = strikesOf(field(), "fault/0")
    assert.isAbove(crashes.flat().length, 600)
    assert.deepStrictEqual(strikesOf(withoutCut, "fault/0"), crashes)
    // There it stands before them.
    assert.deepStrictEqual(strikesOf(more, "fault/1"), crashes)
    assert.deepStrictEqual(strikesOf(more, "fault/2"), strikesOf(field(), "fault/1"))
    assert.deepStrictEqual(
      many(false, more).map(({ settings }) => settings),
      many(false).map(({ settings }) => settings)
    )
  })

  it("two faults alike strike each at its own times", () => {
    const line = "    - { cut: any link,      every: 2s..6s, for: 500ms..3s }\n"
    const alike = scenarioFrom(
      FIELD.replace(/ {4}- \{ c(?:rash|ut): any.*\n/gu, "").replace("  faults:\n", `  faults:\n${line}${line}`)
    )
    const times = (source: string) => strikesOf(alike, source).map((steps) => steps.map(({ atMs }) => atMs))
    const [first, second] = [times("fault/0"), times("fault/1")]
    assert.isAbove(first.flat().length, 1_000)
    assert.isEmpty(first.filter((one, seed) => String(one) === String(second[seed])))
  })

  it("a scenario without fuzz: gets the default mix, and is judged by what holds everywhere", () => {
    const plain = scenarioFrom(FIELD.slice(0, FIELD.indexOf("fuzz:")))
    const drawn = many(true, plain)
    assert.isAbove(drawn.filter(({ sources }) => sources.some((source) => source?.startsWith("mix/"))).length, 150)
    assert.isEmpty(drawn.filter((one) => one.class === "varied"))
    for (const one of many(false, plain)) assert.strictEqual(one.class, "scripted")
  })
})

describe("crash at every write", () => {
  it("C74: the record in whose middle the power goes is swept", () => {
    const swept = scenarioFrom(
      FIELD.replace("crash: main }", "crash-at-write: { who: main, after: exactly 0 }, for: 5s }").replace(
        "network.loss: 0%..5%",
        "timeline.dies.after: exactly 0..4"
      )
    )
    const records = new Set(
      many(false, swept).flatMap(({ scenario }) =>
        scenario.timeline.flatMap(({ verb }) => (verb._tag === "crash-at-write" ? [verb.nth] : []))
      )
    )
    assert.deepStrictEqual([...records].toSorted(), [1, 2, 3, 4, 5])
  })
})

describe("random faults by name", () => {
  it("each kind that a file may name strikes, with what it does, until the calm; what happens once has no end", () => {
    for (const fault of faultNames) {
      const target = fault === "partition" ? "halves" : strikesNodes(fault) ? "any node" : "any link"
      const named = scenarioFrom(
        FIELD.replace(/ {4}- \{ c(?:rash|ut): any.*\n/gu, "").replace(
          "  faults:\n",
          `  faults:\n    - { ${fault}: ${target}, every: 2s..4s, for: 1s..2s }\n`
        )
      )
      const steps = [1, 2, 3].flatMap((seed) => from(draw(named, seed, { swarm: false }), "fault/0"))
      assert.isAbove(steps.length, 9, fault)
      for (const { atMs, forMs, verb } of steps) {
        assert.isBelow(atMs + (forMs ?? 0), CALM_FROM_MS)
        assert.strictEqual(forMs === null, fault === "reset" || fault === "half-open", fault)
        if ("who" in verb) assert.isNotEmpty(verb.who)
      }
    }
  })

  it("domains: those of the file's sites, or two or three that the seed draws; each node is in one", () => {
    const domains = (scenario: Scenario): ReadonlyArray<string> => [
      ...new Set(
        many(true, scenario).flatMap((drawn) =>
          from(drawn, "mix/power-cut").map(({ verb }) => ("who" in verb ? `${drawn.seed} ${verb.who.join(",")}` : ""))
        )
      )
    ]
    const sites = scenarioFrom(
      FIELD.replace("timeline:", "sites: { farm: [one, two], office: [main, backup] }\ntimeline:")
    )
    assert.deepStrictEqual([...new Set(domains(sites).map((domain) => domain.split(" ")[1]))].toSorted(), [
      "main,backup",
      "one,two"
    ])
    const bySeed = Map.groupBy(domains(field()), (domain) => domain.split(" ")[0]!)
    assert.isAbove(bySeed.size, 20)
    for (const groups of bySeed.values()) {
      const all = groups.flatMap((group) => group.split(" ")[1]!.split(","))
      assert.strictEqual(new Set(all).size, all.length)
      assert.isAtMost(groups.length, 3)
    }
  })

  it("nobody logs in as a device of generation 1 with its key and without a lie: the extension is none that it has", () => {
    const old = scenarioFrom(FIELD.replace("two:    { role: field }", "two:    { role: field, generation: 1 }"))
    const liars = many(true, old).flatMap(({ scenario }) =>
      scenario.timeline.flatMap(({ verb }) => (verb._tag === "connect" ? [`${verb.as}: ${verb.lie}`] : []))
    )
    assert.include(liars, "one: no extension")
    assert.include(liars, "two: another signature")
    assert.notInclude(liars, "two: no extension")
  })

  it("of electors one at most loses its journal in a seed, and only where the others can elect and lead", () => {
    const strucks = (scenario: Scenario): ReadonlyArray<ReadonlySet<string>> =>
      many(true, scenario).map(
        (drawn) =>
          new Set(
            from(drawn, "mix/lost-disk").flatMap(({ verb }) =>
              verb._tag === "crash" && verb.disk === "lost" ? verb.who.map(String) : ["?"]
            )
          )
      )
    const three = strucks(field())
    const all = new Set(three.flatMap((names) => [...names]))
    assert.deepStrictEqual([...all].toSorted(), ["backup", "main", "one", "two"])
    for (const names of three) assert.isAtMost([...names].filter((name) => name !== "two").length, 1)
    // Two electors cannot spare one; nor can three of whom one leaves for good, but that one.
    const pair = scenarioFrom(FIELD.replace("nodes:", "electors: [main, backup]\nnodes:"))
    assert.deepStrictEqual([...new Set(strucks(pair).flatMap((names) => [...names]))].toSorted(), ["one", "two"])
    const left = scenarioFrom(FIELD.replace("  - { at: dies", "  - { at: 9s, stop: one }\n  - { at: dies"))
    for (const names of strucks(left)) for (const name of names) assert.include(["one", "two"], name)
  })

  it("a copy of one that elects nobody comes once, goes before the calm, and leaves it another life to begin with", () => {
    const drawn = many(true)
    const cloned = drawn.filter(({ sources }) => sources.includes("mix/clone"))
    assert.isAbove(cloned.length, 10)
    for (const one of cloned) {
      const { liveness, scenario, sources } = one
      const [start, crash, ...more] = from(one, "mix/clone")
      assert.isEmpty(more)
      assert.deepStrictEqual(
        [start!.verb, crash!.verb],
        [
          { _tag: "start", who: ["copy-of.two"] },
          { _tag: "crash", who: ["copy-of.two"] }
        ]
      )
      assert.isTrue(start!.atMs < crash!.atMs && crash!.atMs < CALM_FROM_MS)
      assert.deepInclude(scenario.nodes.at(-1), { sameKeyAs: "two", beside: true, role: "field" })
      const calm = scenario.timeline.filter((_, step) => sources[step] === null).map(({ verb }) => verb)
      if (!liveness) assert.deepInclude(calm[1], { _tag: "restart", who: ["two"] })
    }
    for (const one of drawn)
      assert.lengthOf(
        one.scenario.nodes.filter(({ generation }) => generation === undefined),
        cloned.includes(one) ? 5 : 4
      )
    // All elect, or will.
    const all = scenarioFrom(FIELD.replace("nodes:", "electors: [main, backup, one, two]\nnodes:"))
    const appoint = "  - { at: 9s, appoint: { at: main, electors: [main, backup, two] } }\n"
    const later = scenarioFrom(FIELD.replace("  - { at: dies", `${appoint}  - { at: dies`))
    for (const field of [all, later])
      assert.isEmpty(many(true, field).filter(({ sources }) => sources.includes("mix/clone")))
  })

  it("one device more, of generation 1, is in the mesh of some seeds, struck like others, and runs in the calm", () => {
    const drawn = many(true)
    const beside = drawn.filter(({ sources }) => sources.includes("mix/gen1"))
    const everywhere = ofClass("everywhere", drawn)
    assert.approximately(beside.length / everywhere.length, 1 / 8, 0.04)
    assert.includeMembers([...everywhere], [...beside])
    for (const { scenario, sources, liveness } of beside) {
      assert.deepInclude(
        scenario.nodes.find(({ name }) => name === "gen1-1"),
        { generation: 1, beside: true }
      )
      const start = scenario.timeline[sources.indexOf("mix/gen1")]
      assert.deepInclude(start, { atMs: 0, verb: { _tag: "start", who: ["gen1-1"] } })
      assert.deepEqual(
        sources.filter((source) => source?.startsWith("step/") === true),
        field().timeline.map((_, place) => `step/${place}`)
      )
      const calm = scenario.timeline.filter((_, step) => sources[step] === null).at(-1)?.verb
      if (!liveness) assert.deepEqual(calm, { _tag: "start", who: ["main", "backup", "one", "two", "gen1-1"] })
    }
    const struck = beside.flatMap(({ scenario }) =>
      scenario.timeline.filter(({ atMs, verb }) => atMs > 0 && "who" in verb && verb.who.includes("gen1-1"))
    )
    assert.isNotEmpty(struck)
    const old = scenarioFrom(FIELD.replace("one:    {", "one:    { generation: 1,"))
    assert.strictEqual(old.nodes[2]?.generation, 1)
    assert.isEmpty(many(true, old).filter(({ sources }) => sources.includes("mix/gen1")))
  })

  it("the calendar of one node begins in 1970 in some seeds, whichever node it is", () => {
    const drawn = ofClass("everywhere")
    const old = drawn.map(({ scenario }) => scenario.nodes.filter(({ bootsIn1970 }) => bootsIn1970 === true))
    for (const [place, nodes] of old.entries())
      assert.strictEqual(nodes.length, drawn[place]!.settings.filter(({ path }) => path.endsWith(".boots-in")).length)
    const names = old.flatMap((nodes) => nodes.map(({ name }) => name))
    assert.approximately(names.length / drawn.length, 1 / 4, 0.06)
    assert.includeMembers(names, ["main", "backup", "one", "two"])
  })

  it("wrong pins, every spread of delay, swizzles of all links, majorities: each is in the mix", () => {
    const verbs = many(true).flatMap(({ scenario }) => scenario.timeline.map(({ verb }) => verb))
    const overs = new Set(verbs.flatMap((verb) => (verb._tag === "connect" ? [verb.over ?? "-"] : [])))
    assert.deepStrictEqual([...overs].toSorted(), ["-", "no tls", "tls with another key", "tls without its key"])
    const spreads = new Set(
      verbs.flatMap((verb) => (verb._tag === "slow" && verb.rule._tag === "slow" ? [verb.rule.delay?._tag] : []))
    )
    assert.deepStrictEqual([...spreads].toSorted(), ["bimodal", "exponential", "heavy-tail", "table", "uniform"])
    for (const verb of verbs) if (verb._tag === "swizzle") assert.deepStrictEqual(verb.from, [{ word: "everyone" }])
    const drawn = many(true)
    for (const kind of ["crash", "freeze", "isolate"])
      assert.isNotEmpty(
        drawn.filter(({ sources }) => sources.includes(`mix/${kind}-majority`)),
        kind
      )
    const relayed = verbs.filter((verb) => verb._tag === "connect" && verb.lie === "a relayed login")
    for (const verb of relayed)
      if (verb._tag === "connect") assert.strictEqual(new Set([verb.to[0], verb.as, verb.through]).size, 3)
    assert.isNotEmpty(relayed)
  })

  it("lies about others are told where all are linked with all only, and the run is not asked of peers then", () => {
    const kindsIn = (drawn: Drawn): ReadonlyArray<string> =>
      drawn.scenario.timeline.flatMap(({ verb }) =>
        verb._tag === "lie" && verb.rule._tag === "lies" ? [verb.rule.kind] : []
      )
    const asking = (yaml: string): Scenario =>
      scenarioFrom(yaml.replace("expect:\n", "expect:\n  - { never: { peers: { anyone: { one: left } } } }\n"))
    const drawn = many(true, asking(FIELD))
    assert.includeMembers(drawn.flatMap(kindsIn), ["malformed", "false words", "false rows", "anything"])
    for (const one of ofClass("everywhere", drawn)) {
      const liars = kindsIn(one).some((kind) => kind === "false rows" || kind === "anything")
      assert.strictEqual(one.expectations.includes(0), !liars)
    }
    const line = asking(FIELD.replace("timeline:", "network: { links: line }\ntimeline:"))
    assert.sameMembers([...new Set(many(true, line).flatMap(kindsIn))], ["malformed", "false words"])
  })

  it("records and addresses are in the mix where there is discovery only", () => {
    const nearby = scenarioFrom(FIELD.replace("timeline:", "network: { discovery: mdns }\ntimeline:"))
    const kinds = (scenario: Scenario) => new Set(many(true, scenario).flatMap(({ sources }) => sources))
    for (const kind of ["mix/move", "mix/advertise", "mix/lose-adverts"]) {
      assert.isTrue(kinds(nearby).has(kind), kind)
      assert.isFalse(kinds(field()).has(kind), kind)
    }
  })
})
