/**
 * A fork of a running world: scenarios and seeds of every kind, forked after a drawn number of inputs. The fork and its origin,
 * in whichever order they go on, have the run that the unforked one has.
 */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { below } from "../../../kernel/Draw.ts"
import { shellHost } from "../../../sim/engine/ShellHost.ts"
import type { World } from "../../../sim/engine/World.ts"
import { Stranger } from "../../../sim/network/Stranger.ts"
import { Run, type RunOptions, type RunResult } from "../../../sim/run.ts"
import { readScenario } from "../../../sim/scenario/read.ts"
import type { Scenario } from "../../../sim/scenario/Scenario.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { Reach } from "../../../sim/search/Reach.ts"
import { chaos } from "../Chaos.ts"
import { farm } from "./Farm.ts"

const written = (file: string, text: string | Buffer): Scenario => {
  const read = readScenario(file, Buffer.from(text))
  if ("mistakes" in read) throw new Error(`${file} does not read: ${JSON.stringify(read.mistakes)}`)
  return read.scenario
}

interface Subject {
  readonly name: string
  readonly scenario: Scenario
  readonly options: RunOptions
}

/** Whatever leaves something behind: rules on links, queues, traps, broken disks, clocks, kept frames. */
const EVERYTHING = `
scenario: Everything at once
seed: 5
lasts: 40s
electors: [a, b, e]
nodes: { a: { role: planner }, b: { role: standby-planner }, c: { role: field }, d: { role: viewer }, e: { role: planner } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 4s, throttle: { between: [a, b], down-to: 2kB/s }, for: 9s }
  - { at: 4s, idle-cut: { between: [c, d], after: 400ms, answer: reset }, for: 20s }
  - { at: 5s, duplicate: { between: [a, c], share: 30%, late: 5ms..900ms, over: any connection }, for: 12s }
  - { at: 5s, reorder: { between: [b, d], share: 30% }, for: 12s }
  - { at: 5s, burst-loss: { between: [c, e], begins: 10%, ends: 30% }, for: 12s }
  - { at: 6s, flap: { between: [a, e], down: 300ms..900ms, up: 500ms..2s }, for: 14s }
  - { at: 6s, crash-at-write: { who: b, after: exactly 1 }, for: 20s }
  - { at: 7s, slow-cpu: { who: c, takes: 20ms..90ms }, for: 8s }
  - { at: 7s, ask: { from: d, to: c, each: 30ms }, for: 9s }
  - { at: 8s, clog: { between: [d, e] }, for: 3s }
  - { at: 9s, skew: { who: b, rate: +20% }, for: 9s }
  - { at: 10s, freeze: a, for: 4s }
  - { at: 11s, freeze: { who: [c, d], in: handshake }, for: 14s }
  - { at: 11s, disk: { who: e, is: hanging }, for: 5s }
  - { at: 12s, reset: { between: [b, e] } }
  - { at: 13s, replay: { from: a, to: c, message: all } }
  - { at: 15s, crash: leader, for: 3s }
  - { at: 17s, crash: { who: e, disk: torn }, for: 2s }
  - { at: 19s, suspend: d, for: 3s }
  - { at: 22s, partition: [[a, b], [c, d, e]], for: 4s }
  - { at: 25s, replay: { from: a, to: c, message: all } }
  - { at: 30s, restart: b }
expect:
  - always: { leaders: at most 1 }
  - { within: 8s, after: 30s, that: { agree-on: [leader] } }
  - sometimes: { leader: none }
  - { at: 35s, that: { events: [{ event: leader.elected, seen: at least 2 }] } }
  - eventually: { agree-on: [leader] }
`

const root = resolve(import.meta.dirname, "../../..")
const files = globSync("scenarios/*.yaml", { cwd: root }).toSorted()

/** Longer or larger ones take a minute under random faults, and show nothing that the others do not. */
const DRAWN_NODE_MS_MAX = 600_000

/** As they are written; and as campaigns draw them: varied, under random faults, ties drawn, some that end amid their faults. */
const subjects: ReadonlyArray<Subject> = [
  ...[1, 2, 3, 4].map((seed): Subject => ({
    name: "everything",
    scenario: written("all.yaml", EVERYTHING),
    options: { seed }
  })),
  ...files.flatMap((file, place) => {
    const scenario = written(file, readFileSync(join(root, file)))
    const drawn = draw(scenario, 20 + place, { swarm: true })
    const { liveness, ties } = drawn
    const asWritten = { name: file, scenario, options: { seed: place } }
    if (scenario.nodes.length * scenario.lastsMs > DRAWN_NODE_MS_MAX) return [asWritten]
    return [
      asWritten,
      { name: `${file} drawn`, scenario: drawn.scenario, options: { seed: drawn.seed, ties, liveness } }
    ]
  }),
  { name: "chaos", scenario: { ...chaos(3), lastsMs: 120_000 }, options: { seed: 3, ties: "drawn", liveness: true } }
]

/** The result, and the places that were reached. */
const ended = (run: Run, reach: Reach): { readonly result: RunResult; readonly marks: ReadonlyArray<string> } => {
  run.go()
  return { result: run.finish(), marks: reach.marks() }
}

const begun = ({ options, scenario }: Subject) => {
  const reach = new Reach()
  const run = new Run(scenario, {
    ...options,
    watchers: [reach],
    onHappening: (happening) => reach.happened(happening)
  })
  return { run, reach }
}
type Begun = ReturnType<typeof begun>

const forked = ({ reach, run }: Begun, seed?: number): Begun => {
  const copy = reach.fork()
  return {
    reach: copy,
    run: run.fork({
      watchers: [copy],
      onHappening: (happening) => copy.happened(happening),
      ...(seed === undefined ? {} : { seed })
    })
  }
}

/** Until nodes have taken up so many inputs in all. */
const upTo = (run: Run, events: number): void => void run.go(() => run.world.events >= events)

/** The rest of both, each in turn for some inputs. */
const inTurns = (one: Run, other: Run): void => {
  for (let at = one.world.events; ; at += 97) {
    const over = [one, other].map((run) => run.go(() => run.world.events >= at))
    if (over.every((state) => state === "over")) return
  }
}

describe("a fork of a running world", () => {
  for (const [place, subject] of subjects.entries()) {
    it(`is the run that it would have been, and leaves its origin as it was: ${subject.name}, seed ${subject.options.seed}`, () => {
      const plain = begun(subject)
      const whole = ended(plain.run, plain.reach)
      assert.isAbove(whole.result.events, 200)
      // Once in a scenario, each in one of three orders; there are a hundred of them.
      const orders = subject.name === "everything" ? [0, 1, 2] : [place % 3]
      for (const n of orders) {
        const origin = begun(subject)
        upTo(origin.run, below(place, "fork", subject.name, n, whole.result.events))
        const fork = forked(origin)
        assert.strictEqual(fork.run.world.traceHash(), origin.run.world.traceHash())
        if (n === 0) inTurns(origin.run, fork.run)
        const [first, second] = n === 1 ? [origin, fork] : [fork, origin]
        const one = ended(first.run, first.reach)
        assert.deepStrictEqual(one, whole)
        assert.deepStrictEqual(ended(second.run, second.reach), whole)
      }
    })
  }

  it("can be forked again and again, each time from the fork", () => {
    for (const seed of [6, 7]) {
      const subject: Subject = { ...subjects[0]!, options: { seed, ties: "drawn", liveness: true } }
      const plain = begun(subject)
      const whole = ended(plain.run, plain.reach)
      const line = [begun(subject)]
      for (let at = 50; at < whole.result.events; at += below(seed, "chain", "fork", at, 900)) {
        const last = line.at(-1)!
        upTo(last.run, at)
        line.push(forked(last))
      }
      assert.isAbove(line.length, 4)
      for (const { reach, run } of line) assert.deepStrictEqual(ended(run, reach), whole)
    }
  })

  it("may have another future, which is nothing to its origin", () => {
    const [subject] = subjects
    const plain = begun(subject!)
    const whole = ended(plain.run, plain.reach)
    const futures = new Set<string>()
    for (const seed of [101, 102, 103]) {
      const origin = begun(subject!)
      upTo(origin.run, 900)
      const before = origin.run.world.traceHash()
      const { nowMs } = origin.run.world
      const [one, again] = [forked(origin, seed), forked(origin, seed)]
      const first = ended(one.run, one.reach)
      assert.strictEqual(origin.run.world.traceHash(), before)
      const again_ = ended(again.run, again.reach)
      assert.deepStrictEqual(again_, first)
      assert.deepStrictEqual(ended(origin.run, origin.reach), whole)
      const upToFork = first.result.happenings.filter(({ atMs }) => atMs < nowMs)
      assert.isAbove(upToFork.length, 10)
      assert.deepStrictEqual(upToFork, whole.result.happenings.slice(0, upToFork.length))
      futures.add(first.result.hash)
    }
    assert.strictEqual(futures.size, 3)
    assert.isFalse(futures.has(whole.result.hash))
  })

  it("and whoever is in it has the keys that it had: nodes, and strangers", () => {
    const { world } = begun(subjects[0]!).run
    const another = world.fork({ seed: 101 })
    assert.strictEqual(another.nameOf(another.visitor.keys.deviceId), another.visitor.name)
    assert.deepStrictEqual(another.visitor.keys, world.visitor.keys)
  })

  it("takes discovery along: stations, and what they know", () => {
    const alone = withDiscovery()
    alone.run(60_000)
    assert.isAbove(alone.events, 500)
    for (const atMs of [40, 90, 400, 2_000, 9_000, 31_000]) {
      const origin = withDiscovery()
      origin.run(atMs)
      const [one, spoilt] = [origin.fork(), origin.fork()]
      for (const machine of spoilt.machines) machine.nearby.claims = { name: "another" }
      spoilt.machines[0]!.leave()
      spoilt.run(60_000)
      one.run(60_000)
      origin.run(60_000)
      assert.deepStrictEqual([one.traceHash(), origin.traceHash()], [alone.traceHash(), alone.traceHash()])
      assert.notStrictEqual(spoilt.traceHash(), alone.traceHash())
    }
  })

  it("may be spoilt in every way: its origin and another fork do not notice", () => {
    for (const seed of [1, 2]) {
      const subject: Subject = { ...subjects[0]!, options: { seed } }
      const plain = begun(subject)
      const whole = ended(plain.run, plain.reach)
      const origin = begun(subject)
      upTo(origin.run, whole.result.events >> 2)
      const [spoilt, other] = [forked(origin), forked(origin)]
      const { world } = spoilt.run
      world.network.mendAll()
      world.network.cut("a", "b")
      for (const machine of world.machines) {
        machine.vault.slow({ min: 500, max: 900 })
        machine.keysFail = "sign"
        machine.setTrap(1)
        machine.setLoginTrap(1)
        machine.freeze()
        machine.intake.paceAt({ min: 3, max: 9 })
        machine.thaw()
        machine.reclock(machine.clock.rated(world.nowMs, 50_000))
        machine.crash(machine.index % 2 === 0, "lost")
      }
      world.script.end()
      spoilt.run.go()
      assert.notStrictEqual(world.traceHash(), whole.result.hash)
      assert.deepStrictEqual(ended(other.run, other.reach), whole)
      assert.deepStrictEqual(ended(origin.run, origin.reach), whole)
    }
  })
})

const withDiscovery = (): World => {
  const { world } = farm()
  for (const machine of world.machines) machine.nearby.enabled = true
  return world
}

describe("a world that cannot be forked says so", () => {
  const refused = (world: World, why: RegExp): void => {
    assert.match(world.whyNoFork() ?? "", why)
    assert.throws(() => world.fork(), why)
    world.run(6_000)
    assert.isTrue(world.view.nodes.some(({ leads }) => leads))
  }

  it("of whole shells", () => {
    const { world } = farm({ makeHost: shellHost })
    assert.isNull(world.whyNoFork())
    world.run(2_000)
    refused(world, /main runs on a host that cannot be copied.*fastHost/u)
  })

  it("of strangers", () => {
    const { world } = farm()
    const stranger = new Stranger(world, "mallory")
    assert.strictEqual(world.byAddress("mallory"), stranger)
    refused(world, /mallory is played by test code/u)
  })

  it("of calls of test code that are still to come", () => {
    const { at, world } = farm()
    let called = 0
    at(3_000, () => called++)
    refused(world, /a call of test code is still to come/u)
    assert.deepStrictEqual([called, world.whyNoFork()], [1, null])
  })
})
