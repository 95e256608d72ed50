/** The node's clocks: sleep counts, at once where the calendar shows it; the calendar itself never does. */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { make, portOf, type Clocks } from "../../../adapters/node/Timepiece.ts"

/** A machine whose clocks a test moves. */
class Machine implements Clocks {
  mono = 1_000
  slept = 0
  wall = 1_700_000_000_000
  looks = 0
  readonly monotonicMs = () => this.mono
  readonly wallMs = () => this.wall
  readonly uptimeMs = () => {
    this.looks += 1
    // Hundredths of a second, as /proc/uptime has them.
    return Math.floor((500_000 + this.mono + this.slept) / 10) * 10
  }
  pass(ms: number): void {
    this.mono += ms
    this.wall += ms
  }
  sleep(ms: number, calendarMs = ms): void {
    this.slept += ms
    this.wall += calendarMs
  }
}

describe("the clocks of a node", () => {
  it("sleep counts from the first reading after it, however soon after the last one before it", () => {
    const machine = new Machine()
    const now = make(machine)
    const before = now().mono
    machine.sleep(60_000)
    machine.pass(1)
    assert.isAtLeast(now().mono - before, 59_990)
    assert.isAtMost(now().mono - before, 60_011)
    machine.sleep(5_000)
    assert.isAtLeast(now().mono - before, 64_980)
    // And once.
    for (let i = 0; i < 10; i++) {
      machine.pass(20)
      assert.isAtMost(now().mono - before, 65_031 + 20 * (i + 1))
    }
  })

  it("sleep counts within 200 ms where the calendar does not show it", () => {
    const machine = new Machine()
    const now = make(machine)
    const before = now().mono
    machine.sleep(60_000, 0)
    machine.pass(200)
    assert.isAtLeast(now().mono - before, 59_990)
  })

  it("a calendar that is set, forward or back, moves only the calendar", () => {
    const machine = new Machine()
    const now = make(machine)
    const before = now()
    for (const ms of [3_600_000, -7_200_000]) {
      machine.wall += ms
      machine.pass(1)
      assert.strictEqual(now().wall, machine.wall)
    }
    assert.strictEqual(now().mono - before.mono, 2)
  })

  it("never goes backward, and passes as the machine's clock does", () => {
    const machine = new Machine()
    const now = make(machine)
    const first = now().mono
    let last = first
    for (let i = 0; i < 2_000; i++) {
      machine.pass(i % 7)
      const { mono } = now()
      assert.isAtLeast(mono, last)
      last = mono
    }
    assert.strictEqual(last - first, machine.mono - 1_000)
  })

  it("looks at the uptime at most once in 200 ms while nothing special happens", () => {
    const machine = new Machine()
    const now = make(machine)
    // Nor after the calendar was set: once, and not from then on.
    machine.wall += 3_600_000
    now()
    machine.looks = 0
    for (let i = 0; i < 20_000; i++) {
      machine.pass(0.1)
      now()
    }
    assert.isAtMost(machine.looks, 10)
    assert.isAtLeast(machine.looks, 9)
  })
})

describe("what rings by them", () => {
  const start = 1_000
  afterEach(() => vi.useRealTimers())

  const at = () => {
    const clock = { slowMs: 0 }
    const port = portOf(() => ({ mono: start + Date.now() - clock.slowMs, wall: Date.now() }))
    return { clock, port }
  }

  it("rings once, in its time, and not where it was prevented", () => {
    vi.useFakeTimers({ now: 0 })
    const { port } = at()
    const rang: Array<string> = []
    port.ringAt(start + 50, () => rang.push("one"))
    const prevent = port.ringAt(start + 60, () => rang.push("two"))
    port.ringAt(start - 10, () => rang.push("late"))
    assert.deepStrictEqual(rang, [])
    prevent()
    vi.advanceTimersByTime(49)
    assert.deepStrictEqual(rang, ["late"])
    vi.advanceTimersByTime(1_000)
    assert.deepStrictEqual(rang, ["late", "one"])
  })

  it("looks again where a timer was early, or cannot be set so far ahead", () => {
    vi.useFakeTimers({ now: 0 })
    const { clock, port } = at()
    let rang = 0
    clock.slowMs = 7
    port.ringAt(start + 20, () => rang++)
    vi.advanceTimersByTime(20)
    assert.strictEqual(rang, 0)
    vi.advanceTimersByTime(7)
    assert.strictEqual(rang, 1)
    const days = 30 * 86_400_000
    port.ringAt(start + days, () => rang++)
    vi.advanceTimersByTime(days - 100)
    assert.strictEqual(rang, 1)
    vi.advanceTimersByTime(200)
    assert.strictEqual(rang, 2)
  })
})
