import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import { nearest } from "../../../sim/scenario/Spelling.ts"
import { readClockRate, readMoment, readRange, readTime, showTime } from "../../../sim/scenario/Units.ts"
import { stories, storyOf } from "../Stories.ts"
import { expectWith, scenarioWith, timelineWith } from "./marked.ts"

const read = (text: string, file = "test.yaml"): Scenario => {
  const result = readScenario(file, text)
  if ("scenario" in result) return result.scenario
  throw new Error(result.mistakes.map(({ message, place }) => `${place.line}:${place.column} ${message}`).join("\n"))
}

describe("the scenarios of this repository", () => {
  it("there are some", () => {
    assert.includeMembers(
      stories.map(({ file }) => file),
      ["failover.yaml", "ghost-reconnect.yaml", "hard-disconnect.yaml", "long/half-an-hour-of-nothing.yaml"]
    )
  })

  for (const { bytes, file, text } of stories)
    it(`${file} reads, from bytes and from text alike`, () => {
      assert.deepStrictEqual(readScenario(file, bytes), { scenario: read(text, file) })
    })

  it("failover, word by word", () => {
    const scenario = read(storyOf("failover.yaml").text, "failover.yaml")
    assert.strictEqual(scenario.title, "Planner failover")
    assert.strictEqual(scenario.lastsMs, 120_000)
    assert.deepStrictEqual(scenario.electors, ["laptop-main", "laptop-backup", "jetson-1"])
    assert.deepStrictEqual(
      scenario.timeline.map(({ atMs, id, verb }) => [atMs, id, verb]),
      [
        [0, null, { _tag: "start", who: [{ word: "everyone" }] }],
        [
          12_000,
          null,
          {
            _tag: "sense",
            who: ["jetson-1"],
            frame: "dry-1",
            kind: "observation",
            data: { zone: "zone-1", metric: "moisture", value: 17 },
            times: 1,
            eachMs: 1_000
          }
        ],
        [
          13_000,
          "proposed",
          {
            _tag: "propose",
            who: [{ word: "leader" }],
            proposal: "P1",
            actuator: "pump-1",
            state: "open",
            forMs: 600_000,
            because: ["dry-1"],
            alone: true
          }
        ],
        [20_000, "main-dies", { _tag: "crash", who: ["laptop-main"] }],
        [45_000, "approved", { _tag: "approve", who: ["laptop-backup"], proposal: "P1", by: "asha" }],
        [60_000, "main-returns", { _tag: "restart", who: ["laptop-main"] }]
      ]
    )
    const takesOver = scenario.expect[1]!
    assert.deepStrictEqual(takesOver.when, { _tag: "within", afterMs: 20_000, withinMs: 3_500, base: "main-dies" })
    assert.deepStrictEqual(takesOver.facts, { leader: ["laptop-backup"], term: { how: "at least", n: 2 } })
    assert.strictEqual(takesOver.judge, "scripted")
    const line = scenario.text.split("\n")[takesOver.place.line - 1]!
    assert.match(line, /the standby leads within three and a half seconds/u)
    assert.deepStrictEqual(
      scenario.fuzz?.vary.map(({ path, range }) => [path, range]),
      [
        ["timeline.main-dies.at", { min: 5_000, max: 50_000 }],
        ["timeline.main-returns.at", { min: 51_000, max: 80_000 }],
        ["network.loss", { min: 0, max: 200_000 }],
        ["nodes.*.clock-skew", { min: -10_000, max: 10_000 }]
      ]
    )
    assert.deepStrictEqual(scenario.fuzz?.seeds, { min: 1, max: 1_000 })
    assert.strictEqual(scenario.fuzz?.calmMs, 20_000)
    assert.deepStrictEqual(
      scenario.fuzz?.faults.map(({ everyMs, forMs, target, what }) => [what, target, everyMs, forMs]),
      [
        ["crash", "any planner", { min: 10_000, max: 40_000 }, { min: 1_000, max: 20_000 }],
        ["cut", "any link", { min: 5_000, max: 20_000 }, { min: 1_000, max: 10_000 }]
      ]
    )
  })
})

describe("what is not written", () => {
  it("profile, network, electors, clocks", () => {
    const scenario = read(scenarioWith({}))
    assert.strictEqual(scenario.profile, "lan")
    assert.deepStrictEqual(scenario.network, { delayMs: { min: 2, max: 20 }, lossPpm: 0, links: "everyone" })
    assert.deepStrictEqual(scenario.electors, ["laptop", "backup", "jetson-1"])
    assert.deepStrictEqual(scenario.nodes[0], {
      name: "laptop",
      role: "planner",
      capabilities: [],
      clockSkewMs: 0,
      clockRatePpm: 0
    })
    assert.isUndefined(scenario.fuzz)
  })

  it("judge, by tense", () => {
    const facts = "{ leaders: at most 1 }"
    const scenario = read(
      expectWith(`  - { at: 5s, that: ${facts} }
  - { within: 5s, after: power-cut, that: ${facts} }
  - { always: ${facts} }
  - { never: ${facts} }
  - { eventually: ${facts} }
  - { never: ${facts}, judge: scripted }`)
    )
    assert.deepStrictEqual(
      scenario.expect.map(({ judge }) => judge),
      ["scripted", "varied", "everywhere", "everywhere", "everywhere", "scripted"]
    )
  })

  it("names, made from the facts", () => {
    const scenario = read(
      expectWith(`  - { within: 4s, after: power-cut, that: { peers: { everyone: { jetson-1: down } } } }
  - { never: { leader: [kiosk, jetson-2], seen-by: [laptop, backup] } }
  - { always: { leaders: at most 1, leaders-per-term: at most 1 }, name: one at a time }
  - { eventually: { leaders: exactly 1, leaders-believed: at least 2, term: exactly 3, agree-on: [leader, term] } }
  - { at: end, that: { leader: none, events: [{ event: peer.down, about: jetson-1, seen: at least 2 }] } }`)
    )
    assert.deepStrictEqual(
      scenario.expect.map(({ name }) => name),
      [
        "everyone has jetson-1 as down",
        "never: kiosk or jetson-2 is named as leader by laptop and backup",
        "one at a time",
        "in the end: exactly 1 node holds a lease, at least 2 nodes believe that they lead, the term is exactly 3 and all agree on leader and term",
        "nobody is named as leader and peer.down about jetson-1 is seen at least 2 times"
      ]
    )
  })
})

describe("moments", () => {
  it("times, steps, start and end, each with a time more", () => {
    const at = (moment: string) =>
      read(expectWith(`  - { at: ${moment}, that: { leader: laptop } }`)).expect.map(({ when }) =>
        when._tag === "at" ? when.atMs : null
      )[0]
    assert.deepStrictEqual(
      ["12s", "1.5s + 500ms", "power-cut", "power-cut + 4s", "start", "start + 1s", "end"].map(at),
      [12_000, 2_000, 10_000, 14_000, 0, 1_000, 60_000]
    )
  })

  it("a step at the moment of an earlier step", () => {
    const { timeline } = read(
      timelineWith(
        "  - { at: 1s, id: a, crash: laptop }\n  - { at: a, id: b, crash: backup }\n  - { at: b + 2s, restart: backup }"
      )
    )
    assert.deepStrictEqual(
      timeline.map(({ atMs }) => atMs),
      [1_000, 1_000, 3_000]
    )
  })

  it("always and never, from start to end where nothing else is written", () => {
    const { expect } = read(
      expectWith(
        "  - { always: { leaders: at most 1 } }\n  - { never: { leader: none }, from: power-cut + 4s, until: 20s }"
      )
    )
    assert.deepStrictEqual(
      expect.map(({ when }) => when),
      [
        { _tag: "always", fromMs: 0, untilMs: 60_000, untilBase: "end" },
        { _tag: "never", fromMs: 14_000, fromBase: "power-cut", untilMs: 20_000 }
      ]
    )
  })
})

describe("verbs and groups of nodes", () => {
  const verb = (words: string) => read(timelineWith(`  - { at: 1s, ${words} }`)).timeline[0]!.verb

  it("patterns are expanded, words stay words", () => {
    assert.deepStrictEqual(verb("crash: jetson-*"), { _tag: "crash", who: ["jetson-1", "jetson-2"] })
    assert.deepStrictEqual(verb("stop: leader"), { _tag: "stop", who: [{ word: "leader" }] })
    assert.deepStrictEqual(verb("crash: [any field node, laptop]"), {
      _tag: "crash",
      who: [{ word: "any", role: "field" }, "laptop"]
    })
    assert.deepStrictEqual(verb("freeze: { who: laptop, in: handshake }, for: 3s"), {
      _tag: "freeze",
      who: ["laptop"],
      in: "handshake"
    })
    assert.deepStrictEqual(verb("freeze: any standby-planner, for: 3s"), {
      _tag: "freeze",
      who: [{ word: "any", role: "standby-planner" }]
    })
  })

  it("cut, both ways and one way", () => {
    assert.deepStrictEqual(verb("cut: [laptop, jetson-*]"), {
      _tag: "cut",
      from: ["laptop"],
      to: ["jetson-1", "jetson-2"],
      oneWay: false
    })
    assert.deepStrictEqual(verb("cut: { from: laptop, to: [backup, kiosk] }"), {
      _tag: "cut",
      from: ["laptop"],
      to: ["backup", "kiosk"],
      oneWay: true
    })
  })

  it("partition, slow, heal, replay", () => {
    assert.deepStrictEqual(verb("partition: [[laptop, jetson-1], [backup]]"), {
      _tag: "partition",
      groups: [["laptop", "jetson-1"], ["backup"]]
    })
    assert.deepStrictEqual(verb("slow: { between: [laptop, backup], delay: 1s..2s, loss: 12.5% }, for: 1m"), {
      _tag: "slow",
      from: ["laptop", "backup"],
      to: ["laptop", "backup"],
      oneWay: false,
      rule: { _tag: "slow", delay: { _tag: "uniform", ms: { min: 1_000, max: 2_000 } }, lossPpm: 125_000 }
    })
    assert.deepStrictEqual(verb("heal: everything"), { _tag: "heal", what: "everything" })
    assert.deepStrictEqual(verb("heal: [laptop, backup]"), { _tag: "heal", what: ["laptop", "backup"] })
    assert.deepStrictEqual(verb("replay: { from: laptop, to: backup, message: all }"), {
      _tag: "replay",
      from: "laptop",
      to: "backup",
      message: "all"
    })
  })

  it("groups in facts", () => {
    const { facts } = read(
      expectWith(
        '  - { at: 5s, that: { leader: any planner, seen-by: "jetson-*", peers: { anyone: { "jetson-*": up }, "jetson-*": { jetson-1: up } } } }'
      )
    ).expect[0]!
    assert.deepStrictEqual(facts.leader, ["laptop"])
    assert.deepStrictEqual(facts.seenBy, ["jetson-1", "jetson-2"])
    assert.deepStrictEqual(facts.peers, [
      { observer: { word: "anyone" }, subject: "jetson-1", state: "up" },
      { observer: { word: "anyone" }, subject: "jetson-2", state: "up" },
      { observer: "jetson-2", subject: "jetson-1", state: "up" }
    ])
  })

  it("sessions, and a name for the expectation that has none", () => {
    const { facts, name, when } = read(
      expectWith(
        '  - { sometimes: { sessions: { everyone: { laptop: exactly 1 }, laptop: { "jetson-*": at most 2 } } }, from: power-cut }'
      )
    ).expect[0]!
    const two = { how: "at most", n: 2 } as const
    assert.deepStrictEqual(facts.sessions, [
      { observer: { word: "everyone" }, subject: "laptop", count: { how: "exactly", n: 1 } },
      { observer: "laptop", subject: "jetson-1", count: two },
      { observer: "laptop", subject: "jetson-2", count: two }
    ])
    assert.deepStrictEqual(when, {
      _tag: "sometimes",
      fromMs: 10_000,
      untilMs: 60_000,
      fromBase: "power-cut",
      untilBase: "end"
    })
    assert.strictEqual(
      name,
      "at some time: everyone has exactly 1 session with laptop, laptop has at most 2 sessions with jetson-1 and laptop has at most 2 sessions with jetson-2"
    )
  })

  it("clocks of nodes", () => {
    const { nodes } = read(
      scenarioWith({
        nodes:
          " { laptop: { role: planner, clock-skew: -1.5s, clock-rate: +300ppm }, jetson-1: { role: field, clock-skew: 200ms, clock-rate: 5% } }"
      })
    )
    assert.deepStrictEqual(
      nodes.map(({ clockRatePpm, clockSkewMs }) => [clockSkewMs, clockRatePpm]),
      [
        [-1_500, 300],
        [200, 50_000]
      ]
    )
  })
})

describe("units", () => {
  it("decimals are exact where they are whole milliseconds", () => {
    assert.deepStrictEqual(
      ["0.29s", "1.005s", "2m", "1h", "-10s"].map(readTime),
      [290, 1_005, 120_000, 3_600_000, -10_000].map((ms) => Result.succeed(ms))
    )
    assert.isTrue(Result.isFailure(readTime("0.5ms")))
    assert.deepStrictEqual(readClockRate("-20ppm"), Result.succeed(-20))
    assert.deepStrictEqual(readRange(readTime)("5s"), Result.succeed({ min: 5_000, max: 5_000 }))
    assert.deepStrictEqual(readMoment("died+4s"), Result.succeed({ base: { word: "died" }, plusMs: 4_000 }))
  })

  it("a time is shown in seconds where it is whole seconds", () => {
    assert.deepStrictEqual([0, 1, 3_500, 15_000, 120_000, 7_200_000].map(showTime), [
      "0s",
      "1ms",
      "3500ms",
      "15s",
      "120s",
      "7200s"
    ])
  })
})

describe("did you mean", () => {
  it("one slip in a short word, two in a longer one, the nearest first", () => {
    assert.strictEqual(nearest("heel", ["start", "heal", "help"]), "heal")
    assert.strictEqual(nearest("dwon", ["up", "down"]), "down")
    assert.strictEqual(nearest("JETSON-1", ["jetson-1"]), "jetson-1")
    assert.strictEqual(nearest("lam", ["lan", "wan"]), "lan")
    assert.strictEqual(nearest("cat", ["up", "at least", "cup"]), null)
    assert.strictEqual(nearest("x".repeat(1_000), ["x".repeat(999)]), null)
  })
})
