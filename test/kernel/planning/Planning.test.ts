/** Planning by rules (PROTOCOL.md part 18; B24, B25, B42, B43): what sets it going, what does not, and how often. */
import { assert, describe, it } from "@effect/vitest"
import type { Actuator } from "../../../kernel/actuation/Actuator.ts"
import type { Command } from "../../../kernel/Command.ts"
import type { Config } from "../../../kernel/Config.ts"
import type { Input } from "../../../kernel/Input.ts"
import { ANSWER_MS, OBSERVING_MS } from "../../../kernel/planning/Advice.ts"
import { breachedBy, concernedBy, waitsMs, type Rule } from "../../../kernel/planning/Rule.ts"
import { TRY_AGAIN_MS } from "../../../kernel/planning/Planning.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { proposalsOf } from "../../../kernel/proposals/Proposal.ts"
import type { ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import { configOf, Drive, id, notes, type World } from "../drive.ts"
import { signed, type Said } from "../world/frames.ts"

const MINUTE = 60_000

const dry: Rule = {
  name: "dry",
  metric: "moisture",
  zone: "zone-1",
  when: { below: 20 },
  clear: 25,
  then: { actuator: "actuator:pump", state: "open", forMs: MINUTE },
  cooldownMs: 10 * MINUTE,
  tier: "T2_operational_observation",
  priority: 0
}
const hot: Rule = {
  ...dry,
  name: "hot",
  metric: "heat",
  when: { above: 35 },
  clear: 30,
  then: { ...dry.then, actuator: "actuator:vent" }
}

const moves = (name: string): Actuator => ({
  ref: `actuator:${name}`,
  group: name,
  states: ["open", "closed"],
  safe: "closed",
  forMsMax: 60 * MINUTE,
  demand: { minimum: "T2_operational_observation", verification: "none" },
  askers: ["planner"]
})

const world: World = { roles: { a: "planner", b: "sensor", c: "sensor" }, electors: "a" }

/** A planner that elects itself, owns what its rules would move, and hears two sensors. */
class Farm {
  readonly drive: Drive
  private readonly seqs = new Map<string, number>()
  readonly triggered: Array<string> = []
  /** Questions to the language model, and its failures. */
  readonly consulted: Array<Extract<Command, { readonly _tag: "Consult" }>> = []
  readonly failures: Array<string> = []

  constructor(rules: ReadonlyArray<Rule>, more: Partial<Config> = {}, others: Farm["others"] = {}) {
    this.others = others
    this.drive = new Drive({
      ...configOf(world, "a"),
      capabilities: ["actuator:pump", "actuator:vent"],
      actuators: [moves("pump"), moves("vent")],
      rules,
      ...more
    })
    this.drive.start()
    this.pass(2 * profiles.lan.promiseMs)
  }

  /** A peer that says nothing for a while is given up, and is met again when it has something to say. */
  /** How far calendars of others are from this one, ms. */
  readonly others: { readonly [name: string]: number }

  private linkOf(name: string): number {
    const { mono, wallOffMs } = this.drive
    const signedAtMs = Date.UTC(1970, 0, 2) + mono + wallOffMs + (this.others[name] ?? 0)
    const { commands, link } = this.drive.linkTo(name, { claims: { signedAtMs } })
    this.heed(commands)
    return link
  }

  private heed(commands: ReadonlyArray<Command>): void {
    this.consulted.push(...commands.filter((command) => command._tag === "Consult"))
    for (const { event, reason } of notes(commands)) {
      if (event === "planner.triggered") this.triggered.push(reason ?? "")
      if (event === "planner.failed") this.failures.push(reason ?? "")
    }
  }

  works(): void {
    this.heed(this.drive.feed({ _tag: "Engine", runs: true }))
  }

  /** Of the language model, to its last question. */
  answers(said: Advised, ticket = this.consulted.at(-1)?.ticket ?? 0): void {
    this.heed(this.drive.feed({ _tag: "Advised", ticket, ...said }))
  }

  pass(ms: number): void {
    this.heed(this.drive.pass(ms))
  }

  says(by: string, said: Omit<Said, "by" | "seq">, instead: Partial<ContextFrame> = {}): void {
    const seq = (this.seqs.get(by) ?? 0) + 1
    this.seqs.set(by, seq)
    this.heed(this.drive.hear(this.linkOf(by), "context.frame", signed({ by, seq, ...said }, instead)))
  }

  get proposed(): ReadonlyArray<string> {
    const { node } = this.drive
    return proposalsOf(node.world, node.config, this.drive.mono).map(
      ({ body }) => `${body.actuator} ${body.because.join(" ")}`
    )
  }
}

const leads = (farm: Farm): boolean => farm.drive.standing._tag === "Leading"

describe("P18.1: a threshold, with hysteresis", () => {
  it("is breached beyond it, and until a reading is clear", () => {
    const steps: ReadonlyArray<readonly [Rule, number, boolean, boolean]> = [
      [dry, 20, false, false],
      [dry, 19.9, false, true],
      [dry, 24, false, false],
      [dry, 24, true, true],
      [dry, 25, true, false],
      [hot, 35, false, false],
      [hot, 36, false, true],
      [hot, 31, true, true],
      [hot, 30, true, false]
    ]
    for (const [rule, value, before, after] of steps)
      assert.strictEqual(breachedBy(rule, value, before), after, `${rule.name} ${value} ${before}`)
  })

  it("concerns readings of its metric and its zone, and no others", () => {
    const rules = [dry, hot, { ...dry, name: "anywhere", zone: null }, { ...dry, name: "same" }]
    assert.deepStrictEqual(concernedBy(rules, { data: { metric: "moisture", zone: "zone-1" } }), [0, 3])
    assert.deepStrictEqual(concernedBy(rules, { data: { metric: "moisture" } }), [2])
    assert.deepStrictEqual(concernedBy(rules, { data: { metric: "moisture", zone: "zone-2" } }), [])
    assert.deepStrictEqual(concernedBy(rules, { data: { zone: "zone-1" } }), [])
  })
})

describe("P18.2: what sets it going", () => {
  it("a reading that breaches it: one proposal, which rests on that reading", () => {
    const farm = new Farm([dry])
    assert.isTrue(leads(farm))
    farm.says("b", { value: 30 })
    assert.deepStrictEqual(farm.triggered, [])
    farm.says("b", { value: 17 })
    assert.deepStrictEqual([farm.triggered, farm.proposed], [["dry"], ["actuator:pump b-1-2"]])
    for (let n = 0; n < 20; n++) farm.says("b", { value: 17 - n })
    assert.deepStrictEqual(farm.triggered, ["dry"])
  })

  const none: ReadonlyArray<readonly [string, Omit<Said, "by" | "seq">, Partial<ContextFrame>]> = [
    ["of another zone", { value: 3, zone: "zone-9" }, {}],
    ["of another metric", { value: 3, metric: "rain" }, {}],
    ["with a text for a number", {}, { data: { zone: "zone-1", metric: "moisture", value: "3" } }],
    ["without a value", {}, { data: { zone: "zone-1", metric: "moisture" } }],
    ["of a language model", { value: 3, kind: "inference" }, {}],
    ["that is old: nobody knows how it is now", { value: 3, ageMs: 4 * MINUTE }, {}]
  ]
  it.each(none)("not one %s", (_, said, instead) => {
    const farm = new Farm([dry])
    farm.says("b", said, instead)
    farm.pass(MINUTE)
    assert.deepStrictEqual(farm.triggered, [])
  })

  it("not one that is trusted less than the rule asks for", () => {
    const farm = new Farm([{ ...dry, tier: "T3_verified_action_evidence" }])
    farm.says("b", { value: 3 })
    assert.deepStrictEqual(farm.triggered, [])
  })

  it("the youngest of several sensors", () => {
    const farm = new Farm([dry])
    farm.says("b", { value: 30 })
    farm.says("c", { value: 3, ageMs: MINUTE })
    assert.deepStrictEqual(farm.triggered, [], "b has said something else since")
    farm.says("c", { value: 3 })
    assert.deepStrictEqual(farm.proposed, ["actuator:pump c-1-2"])
  })

  it("who does not lead proposes nothing, and looks when it does", () => {
    const farm = new Farm([dry])
    farm.drive.feed({ _tag: "Engine", runs: false })
    farm.says("b", { value: 3 })
    farm.pass(2 * MINUTE)
    assert.deepStrictEqual(farm.triggered, [])
    farm.drive.feed({ _tag: "Engine", runs: true })
    farm.pass(30_000)
    assert.deepStrictEqual(farm.triggered, ["dry"])
  })

  it("what was over before it led sets nothing going, however often it was said (C44)", () => {
    const farm = new Farm([dry])
    farm.drive.feed({ _tag: "Engine", runs: false })
    for (let n = 0; n < 50; n++) farm.says("b", { value: 3 })
    farm.says("b", { value: 40 })
    farm.drive.feed({ _tag: "Engine", runs: true })
    farm.pass(30_000)
    assert.deepStrictEqual(farm.triggered, [])
  })
})

describe("P18.3: how often", () => {
  it("again when its time is over, if it is breached by a fresh reading then", () => {
    const farm = new Farm([{ ...dry, cooldownMs: 20 * MINUTE }])
    farm.says("b", { value: 3 })
    for (let minute = 0; minute < 45; minute++) {
      farm.pass(MINUTE)
      farm.says("b", { value: 22 })
    }
    // What was proposed before waits for a person for half an hour, and is the same.
    assert.deepStrictEqual(farm.triggered, ["dry", "dry"])
    farm.pass(60 * MINUTE)
    assert.deepStrictEqual(farm.triggered, ["dry", "dry"], "of a sensor that says nothing any more nothing is known")
  })

  it("the more urgent first, and two rules for one thing are one", () => {
    const farm = new Farm([dry, { ...dry, name: "dire", when: { below: 10 }, clear: 10, priority: 5 }, hot])
    farm.says("b", { value: 3 })
    farm.says("c", { metric: "heat", value: 40 })
    assert.deepStrictEqual(farm.triggered, ["dire", "hot"])
    assert.strictEqual(farm.proposed.length, 2)
  })

  it("where nobody moves it, it is tried again", () => {
    const farm = new Farm([{ ...dry, then: { ...dry.then, actuator: "actuator:lost" } }])
    farm.says("b", { value: 3 })
    assert.deepStrictEqual(farm.triggered, [])
    assert.strictEqual(farm.drive.node.planning.watches[0]!.lookAt, farm.drive.mono + TRY_AGAIN_MS)
  })

  it("a viewer, and a field node, plan nothing", () => {
    const farm = new Farm([dry], { role: "field" })
    farm.says("b", { value: 3 })
    assert.deepStrictEqual([farm.triggered, farm.drive.node.planning.due], [[], Number.MAX_SAFE_INTEGER])
    assert.strictEqual(farm.drive.config.deviceId, id("a"))
  })
})

describe("P18.5: at times of the day", () => {
  const HOUR = 60 * MINUTE
  const SIX = 6 * HOUR
  const daily: Rule = { ...dry, daily: [SIX] }
  /** In 2026, at this time of the day. */
  const at = (time: number): number => Date.UTC(2026, 10, 28) + time

  it("waits for them, five minutes from each of them on it may be, and without a calendar nobody knows", () => {
    const two: Rule = { ...dry, daily: [SIX, 18 * HOUR] }
    const rows: ReadonlyArray<readonly [Rule, number, number | null]> = [
      [dry, 0, 0],
      [daily, at(SIX - 1), 1],
      [daily, at(SIX), 0],
      [daily, at(SIX + 5 * MINUTE - 1), 0],
      [daily, at(SIX + 5 * MINUTE), 24 * HOUR - 5 * MINUTE],
      [two, at(17 * HOUR), HOUR],
      [two, at(23 * HOUR), 7 * HOUR],
      [{ ...dry, daily: [0] }, at(-1), 1],
      [{ ...dry, daily: [23 * HOUR + 59 * MINUTE] }, at(2 * MINUTE), 0],
      [daily, SIX, null]
    ]
    for (const [rule, wall, waits] of rows) assert.strictEqual(waitsMs(rule, wall), waits, `${rule.daily} ${wall}`)
  })

  /** A farm on which it is that time, and that is dry. */
  const begun = (time: number, others: Farm["others"] = {}, wall = at(time)): Farm => {
    const farm = new Farm([daily], {}, others)
    farm.drive.wallOffMs = wall - Date.UTC(1970, 0, 2) - farm.drive.mono
    return farm
  }
  const says = (farm: Farm, by = "b"): void =>
    farm.says(
      by,
      { zone: "zone-1", metric: "moisture", value: 12 },
      { data: { zone: "zone-1", metric: "moisture", value: 12, intervalMs: HOUR } }
    )

  it("what is breached waits for its time, is proposed once then, and again a day later", () => {
    const farm = begun(SIX - 10 * MINUTE)
    says(farm)
    farm.pass(10 * MINUTE - 1_000)
    assert.deepStrictEqual(farm.triggered, [])
    farm.pass(2_000)
    assert.deepStrictEqual(farm.triggered, ["dry"])
    farm.pass(HOUR)
    says(farm)
    farm.pass(22 * HOUR + 30 * MINUTE)
    says(farm)
    assert.deepStrictEqual(farm.triggered, ["dry"])
    farm.pass(HOUR)
    assert.deepStrictEqual(farm.triggered, ["dry", "dry"])
  })

  it("what is breached within the time is proposed at once, and after it waits for the next", () => {
    const within = begun(SIX + 4 * MINUTE)
    says(within)
    assert.deepStrictEqual(within.triggered, ["dry"])
    const after = begun(SIX + 5 * MINUTE)
    says(after)
    after.pass(2 * HOUR)
    assert.deepStrictEqual(after.triggered, [])
  })

  it("nor by what is not so any more, or what nobody knows any more", () => {
    const wet = begun(SIX - 10 * MINUTE)
    says(wet)
    wet.says("b", { zone: "zone-1", metric: "moisture", value: 40 })
    wet.pass(20 * MINUTE)
    const old = begun(SIX - 5 * HOUR)
    says(old)
    old.pass(6 * HOUR)
    assert.deepStrictEqual([wet.triggered, old.triggered], [[], []])
  })

  it("not by the calendar of a device that has none, nor by one that most others contradict", () => {
    const triggered = (farm: Farm): ReadonlyArray<string> => {
      says(farm, "c")
      says(farm)
      // Longer without a word, and they are no more of those that it has sessions with.
      farm.pass(1_000)
      return farm.triggered
    }
    const now = SIX + MINUTE
    assert.deepStrictEqual(triggered(begun(0, {}, now)), [])
    assert.deepStrictEqual(triggered(begun(now, { b: 6 * MINUTE, c: -6 * MINUTE })), [])
    assert.deepStrictEqual(triggered(begun(now, { b: 6 * MINUTE })), ["dry"])
    assert.deepStrictEqual(triggered(begun(now, { b: 4 * MINUTE, c: -4 * MINUTE })), ["dry"])
  })
})

const asking: Rule = {
  ...dry,
  name: "what-now",
  then: { ask: "Is it to be watered?", may: ["actuator:pump"], forMaxMs: 5 * MINUTE }
}

type Advised = Pick<Extract<Input, { readonly _tag: "Advised" }>, "drafts" | "permanent" | "reason">
const open = { actuator: "actuator:pump", state: "open", forMs: MINUTE, because: [] }
const drafts = (...all: NonNullable<Advised["drafts"]>): Advised => ({ drafts: all, permanent: false, reason: "so" })
const fails: Advised = { drafts: null, permanent: false, reason: "overloaded" }

/** Whose pump runs by itself where a rule proposes it, and whose planner has a language model. */
const advised = (rules: ReadonlyArray<Rule> = [asking], more: Partial<Config> = {}): Farm =>
  new Farm(rules, { model: "a-model", actuators: [{ ...moves("pump"), level: "L1" }, moves("vent")], ...more })

const all = ({ drive: { mono, node } }: Farm) => proposalsOf(node.world, node.config, mono)

describe("P18.6: a rule that asks", () => {
  it("asks once for what is breached, and again when its time is over", () => {
    const farm = advised()
    for (let n = 0; n < 5; n++) farm.says("b", { value: 17 })
    assert.deepInclude(farm.consulted, {
      _tag: "Consult",
      ticket: 1,
      rule: "what-now",
      question: asking.then,
      because: "b-1-1"
    })
    assert.strictEqual(farm.consulted.length, 1)
    farm.answers(drafts())
    farm.pass(9 * MINUTE)
    farm.says("b", { value: 16 })
    assert.strictEqual(farm.consulted.length, 1)
    farm.pass(MINUTE)
    assert.deepInclude(farm.consulted[1], { ticket: 2, because: "b-1-6" })
  })

  it("one question at a time: the next waits for the answer", () => {
    const farm = advised([asking, { ...asking, name: "hot", metric: "heat", when: { above: 35 }, clear: 30 }])
    farm.says("b", { value: 17 })
    farm.says("c", { value: 40, metric: "heat" })
    assert.deepStrictEqual(
      farm.consulted.map(({ rule }) => rule),
      ["what-now"]
    )
    farm.answers(drafts())
    assert.deepStrictEqual(
      farm.consulted.map(({ rule }) => rule),
      ["what-now", "hot"]
    )
  })

  it("nobody where there is no model, nor while another one leads", () => {
    const none = new Farm([asking])
    const follower = advised([asking], { role: "standby-planner", manifest: { version: 1, electors: [id("c")] } })
    for (const farm of [none, follower]) {
      farm.says("b", { value: 17 })
      farm.pass(MINUTE)
      assert.deepStrictEqual(farm.consulted, [])
    }
  })
})

describe("P18.7, P17.11: what it drafts", () => {
  it("is proposed with the mark of the model, on the reading it was asked for, and waits for a person", () => {
    const farm = advised()
    farm.says("c", { value: 12, metric: "rain" })
    farm.says("b", { value: 17 })
    farm.answers(drafts({ ...open, because: ["c-1-1", "b-1-1"] }))
    farm.pass(MINUTE)
    const [one, ...more] = all(farm)
    assert.deepStrictEqual(more, [])
    assert.deepInclude(one?.body, {
      actuator: "actuator:pump",
      model: "a-model",
      because: ["b-1-1", "c-1-1"],
      forMs: MINUTE
    })
    assert.deepInclude(one, { level: "L2", status: "awaiting_approval" })
  })

  it("while what a rule proposes of the same runs by itself", () => {
    const farm = advised([dry])
    farm.says("b", { value: 17 })
    farm.pass(1_000)
    assert.deepInclude(all(farm)[0], { level: "L1" })
    assert.isUndefined(all(farm)[0]?.body.model)
  })

  it("is not proposed again within the time of the rule", () => {
    const farm = advised([dry, { ...asking, metric: "heat", when: { above: 35 }, clear: 30 }])
    farm.says("b", { value: 17 })
    farm.says("c", { value: 40, metric: "heat" })
    farm.answers(drafts(open))
    assert.strictEqual(all(farm).length, 1)
    assert.deepStrictEqual(farm.failures, [])
  })
})

describe("P18.8: an answer that is none", () => {
  const wrong: ReadonlyArray<readonly [string, Advised]> = [
    ["about what it was not asked", drafts({ ...open, actuator: "actuator:vent" })],
    ["for longer than it may", drafts({ ...open, forMs: 5 * MINUTE + 1 })],
    ["with too many drafts", drafts(open, open, open, open, open)],
    ["resting on too much", drafts({ ...open, because: Array.from({ length: 100 }, (_, i) => `f-${i}`) })],
    ["none good beside a bad one", drafts(open, { ...open, actuator: "actuator:vent" })]
  ]
  it.each(wrong)("%s: nothing is proposed, and it counts as a failure", (_, said) => {
    const farm = advised()
    farm.says("b", { value: 17 })
    farm.answers(said)
    assert.deepStrictEqual([all(farm).length, farm.failures.length], [0, 1])
  })

  it("to another question, or a second time: changes nothing", () => {
    const farm = advised()
    farm.says("b", { value: 17 })
    const before = farm.drive.node
    farm.answers(drafts(open), 7)
    assert.strictEqual(farm.drive.node.planning, before.planning)
    farm.answers(drafts(open), 1)
    farm.answers(drafts({ ...open, state: "closed" }), 1)
    assert.strictEqual(all(farm).length, 1)
  })

  it("in time: who does not answer has failed", () => {
    const farm = advised()
    farm.says("b", { value: 17 })
    farm.pass(ANSWER_MS - 1_000)
    assert.deepStrictEqual(farm.failures, [])
    farm.pass(1_000)
    assert.strictEqual(farm.failures.length, 1)
    farm.answers(drafts(open), 1)
    assert.deepStrictEqual(all(farm), [])
  })
})

describe("P18.9: a language model that fails", () => {
  const failing = (times: number): Farm => {
    const farm = advised()
    farm.says("b", { value: 17 })
    for (let n = 0; n < times; n++) {
      farm.answers(fails)
      farm.pass(TRY_AGAIN_MS)
    }
    return farm
  }

  it("is asked again after ten seconds, and after three failures in a row after ten minutes", () => {
    assert.strictEqual(failing(2).consulted.length, 3)
    const farm = failing(3)
    assert.strictEqual(farm.consulted.length, 3)
    assert.strictEqual(farm.drive.node.planning.advice.standing, "observing")
    assert.isTrue(leads(farm))
    farm.pass(OBSERVING_MS - TRY_AGAIN_MS - 1_000)
    farm.says("b", { value: 16 })
    assert.strictEqual(farm.consulted.length, 3)
    farm.pass(1_000)
    assert.strictEqual(farm.consulted.length, 4)
    farm.answers(drafts())
    assert.deepInclude(farm.drive.node.planning.advice, { standing: "works", errors: 0 })
  })

  it("for good is not asked again until the operator says that it works; who is alone leads on", () => {
    const farm = advised()
    farm.says("b", { value: 17 })
    farm.answers({ drafts: null, permanent: true, reason: "no such model" })
    assert.strictEqual(farm.drive.node.planning.advice.standing, "suspended")
    farm.pass(60 * MINUTE)
    farm.says("b", { value: 16 })
    assert.deepStrictEqual([farm.consulted.length, leads(farm)], [1, true])
    farm.works()
    assert.deepInclude(farm.consulted[1], { ticket: 2, because: "b-1-2" })
  })
})
