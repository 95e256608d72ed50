/** Campaigns on real threads: the same for any number of them, and nothing that was found is lost. */
import { assert, describe, it } from "@effect/vitest"
import { chance } from "../../../kernel/Draw.ts"
import { Campaign, type CampaignOptions, type CampaignResult } from "../../../sim/search/Campaign.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { WHOLE } from "../../../sim/search/Plan.ts"
import { pointsText } from "../../../sim/search/Points.ts"
import type { Finding } from "../../../sim/search/Tally.ts"
import { FIELD, field, kernelAt, scenarioFrom } from "./Field.ts"

/** Generous: other tests may have all cores. */
const LIMIT_MS = 120_000

const SEEDS = 6

interface Kept {
  readonly hash: string
  readonly text: string
}

interface Ran extends CampaignResult {
  readonly kept: ReadonlyArray<Kept>
}

const campaign = async (
  options: Partial<CampaignOptions>,
  scenarios: ReadonlyArray<Scenario> = [field()],
  act: (campaign: Campaign, runs: number) => void = () => {}
): Promise<Ran> => {
  const kept: Array<Kept> = []
  const made: Campaign = new Campaign({
    scenarios,
    ranges: scenarios.map(() => ({ min: 1, max: SEEDS })),
    shard: WHOLE,
    eventsMax: null,
    forMs: null,
    jobs: 1,
    swarm: true,
    ledger: false,
    branching: false,
    twicePercent: 5,
    keepGoing: false,
    maker: { kernel: "0000000", node: "24" },
    kernelModule: null,
    nowMs: () => performance.now(),
    keep: (hash, text) => {
      kept.push({ hash, text })
      return `out/${hash}.jsonl`
    },
    onRun: (_task, _report, tally) => act(made, tally.runs),
    ...options
  })
  const result = await made.run()
  return { ...result, kept }
}

/** Everything but time and what depends on it. */
const essence = ({ tally }: Ran) => ({
  outcome: tally.outcome(),
  runs: tally.runs,
  events: tally.events,
  checked: tally.checked,
  scenarios: tally.scenarios,
  reached: [...tally.reached].sort(),
  findings: tally.findings,
  branches: [tally.branches, tally.branchEvents]
})

const kinds = (findings: ReadonlyArray<Finding>): ReadonlyArray<string> => findings.map(({ fault }) => fault._tag)

const second = scenarioFrom(FIELD.replace("A small field", "Another").replace("lasts: 40s", "lasts: 50s"))

describe("a campaign", () => {
  it("comes to the same with one thread and with two: outcome, sums, reach", { timeout: LIMIT_MS }, async () => {
    const one = await campaign({ jobs: 1 }, [field(), second])
    const two = await campaign({ jobs: 2 }, [field(), second])
    assert.deepStrictEqual(essence(two), essence(one))
    assert.strictEqual(one.tally.runs, 2 * SEEDS)
    assert.deepStrictEqual(one.tally.findings, [])
    assert.isFalse(one.interrupted)
    const shifted = await campaign({ ranges: [{ min: 2, max: 2 }] })
    const unshifted = await campaign({ ranges: [{ min: 1, max: 1 }] })
    assert.notStrictEqual(shifted.tally.outcome(), unshifted.tally.outcome())
  })

  it("a budget of events buys the same seeds whatever the threads", { timeout: LIMIT_MS }, async () => {
    const ranges = [{ min: 1, max: 1_000_000 }]
    const [one, three] = [
      await campaign({ ranges, eventsMax: 8_000 }),
      await campaign({ ranges, eventsMax: 8_000, jobs: 2 })
    ]
    assert.deepStrictEqual(essence(three), essence(one))
    assert.isAtLeast(one.tally.events, 8_000)
    assert.isBelow(one.tally.runs, 30)
    const last = await campaign({ ranges: [{ min: 1, max: one.tally.runs - 1 }] })
    assert.isBelow(last.tally.events, 8_000, "one run fewer is not enough")
  })

  it("with branches comes to the same whatever the threads", { timeout: LIMIT_MS }, async () => {
    const branching = async (jobs: number, more: Partial<CampaignOptions>) => {
      const told: Array<string> = []
      const onRun: CampaignOptions["onRun"] = (_task, report) =>
        void told.push(`${report?.seed} ${pointsText(report?.points ?? [])}`)
      return { ran: await campaign({ jobs, branching: true, onRun, ...more }), told }
    }
    for (const more of [{}, { ranges: [{ min: 1, max: 1_000_000 }], eventsMax: 12_000 }]) {
      const one = await branching(1, more)
      const three = await branching(3, more)
      assert.deepStrictEqual(essence(three.ran), essence(one.ran))
      assert.deepStrictEqual(three.told, one.told)
      const { branchEvents, branches, events, findings, outcome, runs } = one.ran.tally
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(one.told.filter((line) => !line.endsWith(" ")).length, branches)
      if ("eventsMax" in more) continue
      assert.isAbove(branches, 2)
      assert.strictEqual(runs, SEEDS + branches)
      assert.isTrue(branchEvents > 0 && branchEvents < events)
      const plain = await campaign({})
      assert.notStrictEqual(plain.tally.outcome(), outcome.call(one.ran.tally))
      assert.strictEqual(plain.tally.branches, 0)
    }
  })

  it("a share of runs is done twice, and is the same", { timeout: LIMIT_MS }, async () => {
    const twice = (seed: number) => chance(seed, "fuzz-twice", "0", 0, 5, 100)
    const seed = Array.from({ length: 1_000 }, (_, i) => i + 1).find((n) => twice(n) && !twice(n + 1)) ?? 0
    const { tally } = await campaign({ jobs: 2, ranges: [{ min: seed, max: seed + 1 }] })
    assert.strictEqual(tally.checked, 1)
    assert.deepStrictEqual(tally.findings, [])
    const share = Array.from({ length: 10_000 }, (_, i) => i).filter(twice).length
    assert.isAbove(share, 400)
    assert.isBelow(share, 600)
  })

  it("tells what each fault touched, and with the ledger whether it mattered", { timeout: LIMIT_MS }, async () => {
    const blink = FIELD.replace(
      "  - { at: dies + 10s",
      "  - { at: 13s, freeze: two, for: 1ms }\n  - { at: dies + 10s"
    ).replace(/ {2}faults:\n(?: {4}.*\n)+/u, "")
    const { tally } = await campaign({ ledger: true, swarm: false }, [scenarioFrom(blink)])
    const effects = Object.fromEntries(tally.scenarios[0]!.effects)
    assert.deepStrictEqual(effects["step/1"], { struck: SEEDS, touched: SEEDS, tried: SEEDS, mattered: SEEDS })
    assert.deepInclude(effects["step/2"], { struck: SEEDS, touched: SEEDS, tried: SEEDS })
    assert.isBelow(effects["step/2"]!.mattered, SEEDS)
  })

  it("stop keeps what was found, and ends soon", { timeout: LIMIT_MS }, async () => {
    const ran = await campaign(
      { kernelModule: kernelAt("deaf"), ranges: [{ min: 1, max: 1_000_000 }], jobs: 2 },
      [field()],
      (made, runs) => {
        if (runs === 5) made.stop()
      }
    )
    assert.isTrue(ran.interrupted)
    assert.isBelow(ran.tally.runs, 20)
    assert.include(kinds(ran.tally.findings), "expectation")
    for (const { trace } of ran.tally.findings) assert.match(trace ?? "none", /^out\//u)
  })
})

describe("findings", () => {
  it("a broken kernel: one finding an expectation, with its first seed, kept", { timeout: LIMIT_MS }, async () => {
    const { kept, tally } = await campaign({ kernelModule: kernelAt("deaf"), jobs: 2 })
    const places = tally.findings.flatMap(({ fault }) => (fault._tag === "expectation" ? [fault.judged.place] : []))
    assert.deepStrictEqual(places, [...new Set(places)])
    const inTheEnd = tally.findings.find(({ fault }) => fault._tag === "expectation" && fault.judged.place === 4)
    assert.deepInclude(inTheEnd, { seed: 1, seeds: SEEDS })
    assert.deepStrictEqual(
      tally.findings.map(({ trace }) => trace),
      tally.findings.map(({ hash }) => `out/${hash}.jsonl`)
    )
    assert.includeMembers(
      kept.map(({ hash }) => hash),
      tally.findings.map(({ hash }) => hash!)
    )
    assert.strictEqual(tally.scenarios[0]?.failed, SEEDS)
  })

  it("are the same for any number of threads", { timeout: LIMIT_MS }, async () => {
    const kernelModule = kernelAt("deaf")
    const [one, two] = [await campaign({ kernelModule }), await campaign({ kernelModule, jobs: 2 })]
    assert.deepStrictEqual(essence(two), essence(one))
  })

  it(
    "a kernel that remembers other runs is not deterministic, and it says where they part",
    { timeout: LIMIT_MS },
    async () => {
      const { tally } = await campaign({ kernelModule: kernelAt("restless"), jobs: 2, ranges: [{ min: 1, max: 30 }] })
      const parted = tally.findings.find(({ fault }) => fault._tag === "parted")
      assert.isDefined(parted)
      if (parted?.fault._tag !== "parted") return
      assert.notStrictEqual(parted.fault.first, parted.fault.second)
      assert.match(
        parted.fault.words.join("\n"),
        /^The same until \d+\.\d{3} .*\. Then:\n {2}first {3}.+\n {2}second {2}.+$/u
      )
    }
  )

  it("what throws is a defect of the simulator, told once, and the others go on", { timeout: LIMIT_MS }, async () => {
    const { tally } = await campaign({ kernelModule: kernelAt("unmakable") })
    assert.deepStrictEqual(kinds(tally.findings), ["defect"])
    assert.deepInclude(tally.findings[0], { seeds: SEEDS, seed: 1, hash: null, trace: null })
    assert.strictEqual(tally.runs, SEEDS)
  })

  it(
    "how many runs are done twice is said: none, or each; what it comes to is the same",
    { timeout: LIMIT_MS },
    async () => {
      const [none, all] = [await campaign({ twicePercent: 0 }), await campaign({ twicePercent: 100 })]
      assert.deepStrictEqual([none.tally.checked, all.tally.checked], [0, SEEDS])
      assert.strictEqual(all.tally.outcome(), none.tally.outcome())
    }
  )

  it(
    "told to keep going it puts another thread in the place of one that dies, and does every run but those",
    { timeout: LIMIT_MS },
    async () => {
      for (const jobs of [1, 2]) {
        const ranges = [{ min: 1, max: 30 }]
        const { interrupted, tally } = await campaign({
          kernelModule: kernelAt("deadly"),
          jobs,
          ranges,
          keepGoing: true,
          twicePercent: 0
        })
        const deaths = tally.findings.filter(({ fault }) => fault._tag === "death")
        assert.lengthOf(deaths, 1, "one and the same")
        const { seeds } = deaths[0]!
        assert.isAbove(seeds, 2)
        assert.isFalse(interrupted)
        assert.strictEqual(tally.runs, 30 - seeds)
      }
    }
  )

  it("but not for ever: a kernel that no thread outlives ends it", { timeout: LIMIT_MS }, async () => {
    const { tally } = await campaign({
      kernelModule: kernelAt("stillborn"),
      ranges: [{ min: 1, max: 10_000 }],
      keepGoing: true
    })
    assert.strictEqual(tally.runs, 0)
    assert.isBelow(tally.findings[0]!.seeds, 100)
  })

  it("a thread that dies is a finding, and no hang", { timeout: LIMIT_MS }, async () => {
    for (const jobs of [1, 2]) {
      const { tally } = await campaign({ kernelModule: kernelAt("deadly"), jobs, ranges: [{ min: 1, max: 10_000 }] })
      assert.include(kinds(tally.findings), "death")
      assert.isAbove(tally.runs, 0)
      assert.isBelow(tally.runs, 100)
    }
  })
})
