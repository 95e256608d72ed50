import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { KNOWN_ANSWERS_MAX, knownAnswers, SERVICES_MAX, wakeAt } from "../../../adapters/mdns/Cache.ts"
import { SERVICE } from "../../../adapters/mdns/Records.ts"
import { Nearby } from "./Nearby.ts"
import { a, announcement, goodbye, id, ptr, srv, txt } from "./packets.ts"

const sighted = (deviceId: string, name: string, addresses: ReadonlyArray<string>) =>
  ({ _tag: "Sighted", deviceId, gen: 1, name, addresses }) as const
const addressesOf = (news: ReadonlyArray<{ readonly _tag: string }>) =>
  news.map((each) => ("addresses" in each ? each.addresses : each._tag))

describe("records become sightings (wire 3)", () => {
  it("from one packet", () => {
    const near = new Nearby()
    assert.deepStrictEqual(near.hear(announcement("nano", id("a"), ["192.168.1.50"])), [
      sighted(id("a"), "nano", ["192.168.1.50:18789"])
    ])
  })

  it("from the same records in any order, in packets of their own", () => {
    const records = [ptr("nano"), srv("nano"), txt("nano", { deviceId: id("a") }), a("nano", "10.0.0.9")]
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: 4 }), (order) => {
        const near = new Nearby()
        for (const record of order) near.hear({ answers: [record] })
        // An address is only kept for a host that is known; one that came before is asked for.
        near.wait(2_000)
        for (const { name, type } of near.asked)
          if (type === "A" && name === "nano.local") near.hear({ answers: [a("nano", "10.0.0.9")] })
        near.wait(2_000)
        assert.deepStrictEqual(addressesOf(near.told.slice(-1)), [["192.168.1.50:18789", "10.0.0.9:18789"]])
      })
    )
  })

  it("ask for what is missing, less and less often, and give up", () => {
    const near = new Nearby()
    near.hear({ answers: [ptr("nano")] })
    near.wait(99)
    assert.deepStrictEqual(near.questions(), [])
    near.wait(1)
    assert.deepStrictEqual(near.questions(), [`SRV nano.${SERVICE}`, `TXT nano.${SERVICE}`])
    near.hear({ answers: [txt("nano", { deviceId: id("a") })] })
    near.wait(120_000)
    const asked = near.asked.splice(0)
    assert.isTrue(asked.every(({ type }) => type === "SRV"))
    assert.deepStrictEqual(
      asked.map(({ at }) => at),
      [1_100, 3_100, 7_100, 15_100, 31_100, 63_100]
    )
    assert.strictEqual(near.cache.services.size, 0)
    assert.strictEqual(wakeAt(near.cache, near.settings), Infinity)
  })

  it("leave out who names no device, and ourselves", () => {
    const near = new Nearby({ self: id("a") })
    near.hear(announcement("us", id("a")))
    near.hear({ answers: [ptr("x"), srv("x"), txt("x", { version: "1" })] })
    near.wait(1_000_000)
    assert.deepStrictEqual(near.told, [])
  })

  it("take a name from TXT before that of the service, which may have dots", () => {
    const near = new Nearby()
    const [first] = near.hear(announcement("nano.lab 1", id("a")))
    assert.include(first, { name: "nano.lab 1" })
    const entries = { deviceId: id("b"), name: "Barn", gen: "2", meshId: "m", role: "field", incarnation: "7" }
    const [second] = near.hear({ answers: [ptr("b"), srv("b"), txt("b", entries)] })
    assert.deepStrictEqual(second, {
      ...sighted(id("b"), "Barn", ["192.168.1.50:18789"]),
      gen: 2,
      meshId: "m",
      role: "field",
      incarnation: 7
    })
  })
})

describe("what is no news", () => {
  it("the same announcement again", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a"), ["10.0.0.1", "10.0.0.2"]))
    for (let times = 0; times < 10; times++) {
      near.wait(5_000)
      assert.deepStrictEqual(near.hear(announcement("nano", id("a"), ["10.0.0.2", "10.0.0.1"])), [])
    }
    assert.strictEqual(near.told.length, 1)
  })

  it("a device on two networks that speaks by turns from both of its addresses", () => {
    const near = new Nearby()
    const packet = announcement("nano", id("a"), ["192.168.1.50", "192.168.2.50"])
    near.hear(packet, "192.168.1.50")
    for (let times = 0; times < 10; times++) {
      near.wait(2_000)
      near.hear(packet, times % 2 === 0 ? "192.168.2.50" : "192.168.1.50")
    }
    assert.strictEqual(near.told.length, 1)
  })
})

describe("a device that moves (A27)", () => {
  it("is told with its new address first, and without the old one when that has run out", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a"), ["10.77.0.1"]), "10.77.0.1")
    near.wait(5_000)
    const moved = near.hear(announcement("nano", id("a"), ["10.77.0.101"]), "10.77.0.101")
    assert.deepStrictEqual(addressesOf(moved), [["10.77.0.101:18789", "10.77.0.1:18789"]])
    assert.deepStrictEqual(addressesOf(near.wait(119_000)), [["10.77.0.101:18789"]])
  })

  it("loses its old address within a second when it takes it back, or says that the new ones are all", () => {
    for (const last of [
      { answers: [a("nano", "10.77.0.1", { ttl: 0 })] },
      { answers: [a("nano", "10.77.0.101", { flush: true })] }
    ]) {
      const near = new Nearby()
      near.hear(announcement("nano", id("a"), ["10.77.0.1"]), "10.77.0.1")
      near.wait(5_000)
      near.hear(announcement("nano", id("a"), ["10.77.0.101"]), "10.77.0.101")
      near.hear(last, "10.77.0.101")
      assert.deepStrictEqual(addressesOf(near.wait(1_000)), [["10.77.0.101:18789"]])
    }
  })

  it("may move its port", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a")))
    near.wait(5_000)
    assert.deepStrictEqual(addressesOf(near.hear({ answers: [srv("nano", 7)] })), [["192.168.1.50:7"]])
  })

  it("is told once a second at most, the last word always", () => {
    const near = new Nearby()
    for (let port = 1; port <= 50; port++) {
      near.hear({ answers: [ptr("nano"), srv("nano", port), txt("nano", { deviceId: id("a") })] })
      near.wait(100)
    }
    near.wait(5_000)
    assert.isAtMost(near.told.length, 6)
    assert.deepStrictEqual(addressesOf(near.told.slice(-1)), [["192.168.1.50:50"]])
  })
})

describe("a record that grows old", () => {
  it("is asked for at 80, 85, 90 and 95 % of its TTL, and is gone at the end", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a"), ["10.0.0.1"]))
    const news = near.wait(120_000)
    const asked = near.asked.filter(({ type }) => type === "SRV")
    assert.deepStrictEqual(
      asked.map(({ at }) => at),
      [96_000, 102_000, 108_000, 114_000]
    )
    assert.deepStrictEqual(news, [{ _tag: "Lost", deviceId: id("a"), at: 120_000 }])
    assert.strictEqual(near.cache.services.size, 0)
    assert.strictEqual(near.cache.hosts.size, 0)
    assert.strictEqual(near.cache.told.size, 0)
  })

  it("stays when its question is answered", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a"), ["10.0.0.1"]))
    for (let hours = 0; hours < 10; hours += 5 / 3600) {
      near.wait(5_000)
      for (const question of near.questions()) {
        if (question.startsWith("SRV")) near.hear({ answers: [srv("nano")] })
        if (question.startsWith("A ")) near.hear({ answers: [a("nano", "10.0.0.1")] })
        if (question.startsWith("TXT")) near.hear({ answers: [txt("nano", { deviceId: id("a") })] })
        if (question.startsWith("PTR")) near.hear({ answers: [ptr("nano")] })
      }
    }
    assert.strictEqual(near.told.length, 1)
  })

  it("does not outlive the bound, whatever TTL a stranger gives it", () => {
    const near = new Nearby({ silentMaxMs: 6_000 })
    near.hear({ answers: [ptr("g", 2 ** 32 - 1), srv("g", 1, { ttl: 2 ** 32 - 1 }), txt("g", { deviceId: id("a") })] })
    assert.deepStrictEqual(near.wait(6_000), [{ _tag: "Lost", deviceId: id("a"), at: 6_000 }])
  })
})

describe("a goodbye", () => {
  it("counts after a second (RFC 6762 10.1)", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a")))
    near.wait(3_000)
    assert.deepStrictEqual(near.hear(goodbye("nano", id("a"))), [])
    assert.deepStrictEqual(near.wait(1_000), [{ _tag: "Lost", deviceId: id("a"), at: 4_000 }])
  })

  it("does not count when the device contradicts it", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a"), ["10.0.0.1"]))
    near.wait(3_000)
    near.hear(goodbye("nano", id("a")))
    near.wait(500)
    near.hear(announcement("nano", id("a"), ["10.0.0.1"]))
    near.wait(60_000)
    assert.strictEqual(near.told.length, 1)
  })

  it("for one of two services of a device leaves the other", () => {
    const near = new Nearby()
    near.hear(announcement("old-name", id("a")), "10.0.0.1")
    near.wait(2_000)
    near.hear(announcement("new-name", id("a")), "10.0.0.2")
    near.wait(2_000)
    near.hear(goodbye("old-name", id("a")), "10.0.0.1")
    near.wait(2_000)
    assert.deepStrictEqual(addressesOf(near.told), [
      ["10.0.0.1:18789"],
      ["10.0.0.2:18789", "10.0.0.1:18789"],
      ["10.0.0.2:18789"]
    ])
  })
})

describe("whoever floods", () => {
  const ghost = (number: number) => {
    const digits = number.toString(16).padStart(64, "0")
    return announcement(
      `ghost-${number}`,
      digits,
      Array.from({ length: 20 }, (_, index) => `10.9.${index}.${number % 250}`)
    )
  }

  it("fills a table of constant size, and pushes out only ghosts of its own address", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a")), "10.0.0.1")
    near.hear({ answers: [ptr("slow")] }, "10.0.0.2")
    for (let number = 0; number < 5_000; number++) {
      near.now++
      near.hear(ghost(number), "10.0.0.66")
      near.hear({ answers: [ptr(`half-${number}`), a(`free-${number}`, "10.3.3.3")] }, "10.0.0.66")
    }
    assert.isAtMost(near.cache.services.size, SERVICES_MAX)
    assert.isAtMost(near.cache.hosts.size, SERVICES_MAX)
    assert.isAtMost(near.cache.told.size, SERVICES_MAX)
    assert.isTrue([...near.cache.hosts.values()].every(({ addresses }) => addresses.length <= 8))
    assert.isTrue(near.cache.services.has(`nano.${SERVICE}`.toLowerCase()))
    assert.isTrue(near.cache.services.has(`slow.${SERVICE}`.toLowerCase()))
    assert.strictEqual(
      near.hear(announcement("late", id("b")), "10.0.0.3").filter(({ _tag }) => _tag === "Sighted").length,
      1
    )
  })

  it("from many addresses does not push out who was here before", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a")), "10.0.0.1")
    for (let number = 0; number < 2_000; number++) {
      near.now++
      near.hear(ghost(number), `10.1.${number >> 8}.${number & 255}`)
    }
    assert.isAtMost(near.cache.services.size, SERVICES_MAX)
    assert.isTrue(near.cache.services.has(`nano.${SERVICE}`))
  })

  it("with one device's id cannot hide where that device really is", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a"), ["10.0.0.1"]), "10.0.0.1")
    near.wait(5_000)
    near.hear(
      announcement("ghost", id("a"), ["10.6.6.1", "10.6.6.2", "10.6.6.3", "10.6.6.4", "10.6.6.5", "10.6.6.6"]),
      "10.6.6.6"
    )
    near.wait(2_000)
    const last = near.told.at(-1)!
    assert.include((last as { addresses: ReadonlyArray<string> }).addresses, "10.0.0.1:18789")
  })
})

describe("known answers (RFC 6762 7.1)", () => {
  it("name complete services with more than half of their TTL left, as many as fit", () => {
    const near = new Nearby()
    for (let number = 0; number < 20; number++)
      near.hear(announcement(`n${number}`, number.toString(16).padStart(64, "0")))
    near.hear({ answers: [ptr("half")] })
    assert.strictEqual(knownAnswers(near.cache, near.now).length, KNOWN_ANSWERS_MAX)
    assert.isTrue(knownAnswers(near.cache, near.now).every(({ ttlSeconds }) => ttlSeconds === 28_800))
    assert.deepStrictEqual(knownAnswers(near.cache, 14_400_000), [])
  })

  it("leave out who said goodbye", () => {
    const near = new Nearby()
    near.hear(announcement("nano", id("a")))
    near.hear(goodbye("nano", id("a")))
    assert.deepStrictEqual(knownAnswers(near.cache, near.now), [])
  })
})
