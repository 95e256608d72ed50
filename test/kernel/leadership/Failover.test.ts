/** Elections among real nodes on perfect links, with clocks whose rates err by up to 30 %. */
import { assert, describe, it } from "@effect/vitest"
import { profiles } from "../../../kernel/Profile.ts"
import { three, type World } from "../drive.ts"
import { Mesh } from "../mesh.ts"

const { leaseMs, promiseMs } = profiles.lan
const RATES = [0.7, 0.85, 1, 1.15, 1.3]
const STEP_MS = 10

/** `a` leads: `b` starts only then, and leadership is sticky. */
const ledByA = (rates: { readonly [name: string]: number }): Mesh => {
  const mesh = new Mesh(three, rates)
  mesh.start("a")
  mesh.start("c")
  mesh.pass(15_000)
  mesh.start("b")
  mesh.pass(15_000)
  assert.strictEqual(mesh.leaders(), "a")
  return mesh
}

/** Passes time in small steps; at none of them may two leases run. The longest time without any. */
const watch = (mesh: Mesh, ms: number): { readonly idleMs: number } => {
  let idleMs = 0
  let longest = 0
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    mesh.pass(STEP_MS)
    const leaders = mesh.leaders()
    assert.isAtMost(leaders.length, 1, `${leaders} lead at ${mesh.now} ms`)
    idleMs = leaders === "" ? idleMs + STEP_MS : 0
    longest = Math.max(longest, idleMs)
  }
  return { idleMs: longest }
}

describe("S1: one lease at a time, whatever the clocks' rates", () => {
  it.each(Object.values(profiles))(
    "$name: a lease that a heartbeat made ends before the promise that it made",
    (profile) => {
      const mesh = Mesh.settled({ ...three, profile })
      const leader = mesh.node("a")
      const voter = mesh.node("b")
      mesh.isolate("a")
      const { standing } = leader
      assert.isTrue(standing._tag === "Leading" && standing.leaseUntil > leader.mono)
      if (standing._tag !== "Leading") return
      // Sent and heard at one moment, the earliest at which a promise can be given; both clocks agree on it here.
      const leaseMs = standing.leaseUntil - leader.mono
      const promiseMs = voter.node.leadership.promisedUntil - voter.mono
      assert.strictEqual(promiseMs - leaseMs, profile.promiseMs - profile.leaseMs)
      for (const a of RATES)
        for (const b of RATES) assert.isBelow(profile.leaseMs / a, profile.promiseMs / b, `clocks ${a} and ${b}`)
    }
  )

  it.each([
    [0.7, 1.3],
    [1.3, 0.7],
    [0.7, 0.7],
    [1.3, 1.3],
    [1, 1]
  ])("a leader (clock %f) is cut off from its voters (clock %f)", (leader, voters) => {
    const mesh = ledByA({ a: leader, b: voters, c: voters })
    mesh.isolate("a")
    watch(mesh, 12_000)
    assert.strictEqual(mesh.leaders(), "b")
    mesh.rejoin()
    watch(mesh, 12_000)
    assert.strictEqual(mesh.leaders(), "b")
  })

  it.each([0.7, 1, 1.3])("a leader is frozen, and thaws at any moment (its clock %f)", (rate) => {
    for (let frozenMs = 200; frozenMs < 6_000; frozenMs += 390) {
      const mesh = ledByA({ a: rate, b: 1.3, c: 0.7 })
      mesh.freeze("a")
      watch(mesh, frozenMs)
      mesh.thaw("a")
      assert.isAtMost(mesh.leaders().length, 1)
      watch(mesh, 4_000)
    }
  })

  it("voters restart at any moment, and have forgotten their promise", () => {
    for (let afterMs = 0; afterMs < 3_000; afterMs += 290) {
      const mesh = ledByA({ a: 0.7, b: 1.3, c: 1.3 })
      mesh.isolate("a")
      watch(mesh, afterMs)
      mesh.crash("c", { silent: true })
      mesh.start("c")
      watch(mesh, 8_000)
      assert.strictEqual(mesh.leaders(), "b")
    }
  })
})

describe("L3: failover", () => {
  it("the planner leads, and the standby after a power cut within 3.5 s; the planner that returns does not displace it", () => {
    const mesh = Mesh.settled(three)
    assert.strictEqual(mesh.leaders(), "a")
    mesh.crash("a", { silent: true })
    const { idleMs } = watch(mesh, 6_000)
    assert.strictEqual(mesh.leaders(), "b")
    assert.isAtMost(idleMs, 3_500)
    mesh.start("a")
    watch(mesh, 30_000)
    assert.strictEqual(mesh.leaders(), "b")
  })

  it("a planner that leaves hands over in less than 0.5 s", () => {
    const mesh = Mesh.settled(three)
    mesh.feed("a", { _tag: "Leave", reason: "asked to" })
    watch(mesh, 500)
    assert.strictEqual(mesh.leaders(), "b")
  })

  it("no two nodes hold one term, over sixty crashes", () => {
    const mesh = Mesh.settled({ roles: { a: "planner", b: "planner", c: "planner" }, electors: "abc" })
    for (let i = 0; i < 60; i++) {
      const name = "abc"[(i * 7) % 3]!
      mesh.crash(name, { silent: i % 2 === 0 })
      mesh.pass(1_000 + 137 * (i % 11))
      mesh.start(name)
      mesh.pass(1_000 + 211 * (i % 13))
    }
    mesh.pass(20_000)
    const holders = new Map<number, Set<string>>()
    for (const { command, name } of mesh.said)
      if (command._tag === "Note" && command.event.event === "leader.elected") {
        const counter = command.event.term!
        holders.set(counter, (holders.get(counter) ?? new Set()).add(name))
      }
    assert.isAbove(holders.size, 10)
    for (const [counter, names] of holders) assert.strictEqual(names.size, 1, `term ${counter}`)
    assert.strictEqual(mesh.leaders().length, 1)
  })

  it("two of two electors: no majority when one is gone, and none is pretended", () => {
    const two: World = { roles: { a: "planner", b: "planner", c: "field" }, electors: "ab" }
    const mesh = Mesh.settled(two)
    assert.strictEqual(mesh.leaders().length, 1)
    mesh.crash("a", { silent: true })
    mesh.pass(leaseMs + promiseMs)
    mesh.pass(30_000)
    assert.strictEqual(mesh.leaders(), "")
    assert.isBelow(mesh.node("b").node.leadership.term.counter, 3)
  })

  it("L6: without a fault a leader leads one term for ten minutes", () => {
    const mesh = ledByA({ a: 0.7, b: 1.3 })
    const { term } = mesh.node("a").node.leadership
    mesh.pass(600_000)
    assert.deepStrictEqual(mesh.node("a").node.leadership.term, term)
    assert.strictEqual(mesh.leaders(), "a")
  })
})
