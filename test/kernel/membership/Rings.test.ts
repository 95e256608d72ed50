import { assert, describe, it } from "@effect/vitest"
import type { Config } from "../../../kernel/Config.ts"
import { u32 } from "../../../kernel/Draw.ts"
import { ringsOf, RING_OBSERVERS, SELF } from "../../../kernel/membership/Rings.ts"
import type { DeviceId, Role } from "../../../kernel/wire/Frame.ts"
import { configOf } from "../drive.ts"

const base = configOf({ roles: { a: "field" } }, "a")

const idOf = (n: number): DeviceId =>
  Array.from({ length: 8 }, (_, i) => u32(7, "id", String(n), i).toString(16).padStart(8, "0")).join("")

/** Node `self` of a mesh of `count`, of which the last `viewers` are viewers. */
const configIn = (self: number, count: number, viewers = 0, meshKey = "operator"): Config => {
  const roleOf = (n: number): Role => (n >= count - viewers ? "viewer" : "field")
  const trusted = Array.from({ length: count }, (_, n) => ({ ...base.trusted[0]!, deviceId: idOf(n), role: roleOf(n) }))
    .map((device) => ({ ...device, gen1: false, publicKey: null, address: null }))
    .filter((_, n) => n !== self)
    .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1))
  return { ...base, deviceId: idOf(self), role: roleOf(self), meshKey, trusted }
}

/** Ids of those who observe `subject`, as node `self` sees it. */
const observersOf = (config: Config, subject: DeviceId): ReadonlyArray<DeviceId> => {
  const { observersOf: all, placeOf } = ringsOf(config)
  return all[placeOf.get(subject)!]!.map((place) =>
    place === SELF ? config.deviceId : config.trusted[place]!.deviceId
  )
}

describe("who observes whom", () => {
  it.each([2, 3, 7])("of %i observers everyone observes everyone", (count) => {
    const config = configIn(0, count)
    for (const { deviceId } of config.trusted) assert.strictEqual(observersOf(config, deviceId).length, count - 1)
    assert.isTrue(ringsOf(config).observed.every((observed) => observed))
  })

  it.each([8, 10, 33, 128])("P7.10: of %i observers each has six, all different, itself not among them", (count) => {
    const config = configIn(0, count)
    for (const { deviceId } of config.trusted) {
      const observers = observersOf(config, deviceId)
      assert.strictEqual(observers.length, RING_OBSERVERS)
      assert.strictEqual(new Set(observers).size, RING_OBSERVERS)
      assert.notInclude(observers, deviceId)
    }
  })

  it.each([8, 40])("P7.10: all %i nodes of one trust store agree", (count) => {
    const seen = Array.from({ length: count }, (_, self) => configIn(self, count, 2))
    for (const subject of [0, 3, count - 1]) {
      const all = seen
        .filter((_, self) => self !== subject)
        .map((config) => [...observersOf(config, idOf(subject))].sort().join())
      assert.strictEqual(new Set(all).size, 1)
    }
  })

  it("P7.10, B14: viewers are observed, by six as well, and observe nobody", () => {
    const config = configIn(0, 30, 10)
    const viewers = new Set(Array.from({ length: 10 }, (_, n) => idOf(20 + n)))
    for (const { deviceId } of config.trusted) {
      const observers = observersOf(config, deviceId)
      assert.strictEqual(observers.length, RING_OBSERVERS)
      for (const observer of observers) assert.isFalse(viewers.has(observer))
    }
    const viewer = ringsOf(configIn(29, 30, 10))
    assert.isFalse(viewer.observed.includes(true))
    assert.strictEqual(viewer.near.filter((near) => near).length, RING_OBSERVERS)
  })

  it("no node observes many more than it is observed by: the work is spread", () => {
    for (let self = 0; self < 128; self += 9) {
      const { near, observed } = ringsOf(configIn(self, 128))
      assert.isAtLeast(observed.filter((one) => one).length, RING_OBSERVERS - 1)
      assert.isAtMost(near.filter((one) => one).length, RING_OBSERVERS + 3)
    }
  })

  it("P7.10: another mesh key gives other rings", () => {
    const one = configIn(0, 64)
    const other = configIn(0, 64, 0, "another")
    const moved = one.trusted.filter(
      ({ deviceId }) => observersOf(one, deviceId).join() !== observersOf(other, deviceId).join()
    )
    assert.isAbove(moved.length, 55)
  })

  it("one node more moves few of the others' observers", () => {
    const before = configIn(0, 128)
    const after = configIn(0, 129)
    const moved = before.trusted.filter(
      ({ deviceId }) =>
        [...observersOf(before, deviceId)].sort().join() !== [...observersOf(after, deviceId)].sort().join()
    )
    assert.isAtMost(moved.length, 12)
  })
})
