import { createSocket } from "node:dgram"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { afterEach, beforeEach, vi } from "vitest"
import { type Air, type Ears, openAir } from "../../../adapters/mdns/Air.ts"
import { layer } from "../../../adapters/mdns/Discovery.ts"
import { Mdns } from "../../../adapters/mdns/Mdns.ts"
import { Discovery, Inbox } from "../../../kernel/Ports.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { announced, Ether, node } from "./Ether.ts"
import { id } from "./packets.ts"

describe("the Discovery port", () => {
  it.live("offers what it finds to the inbox, and says goodbye when its scope ends", () =>
    Effect.gen(function* () {
      const ether = new Ether()
      const inbox = yield* Queue.bounded<Happened>(16)
      const port = (address: string, self: string) =>
        layer({ self, version: "0.3.0", openAir: ether.at(address) }).pipe(
          Layer.provide(Layer.succeed(Inbox, inbox)),
          Layer.build
        )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const nano = yield* port("192.168.7.1", id("a"))
          const { advertise, running } = yield* Effect.service(Discovery).pipe(Effect.provideContext(nano))
          yield* advertise({ ...announced(id("a"), "nano"), meshId: id("c"), role: "field", incarnation: 3 })
          const laptop = yield* port("192.168.7.2", id("b"))
          const found = yield* Queue.take(inbox)
          assert.include(found, { _tag: "Sighted", deviceId: id("a"), name: "nano", gen: 2 })
          assert.include(found, { meshId: id("c"), role: "field", incarnation: 3 })
          assert.deepStrictEqual(yield* running, { runs: true, why: "" })
          void laptop
        })
      )
      const goodbyes = ether.said.filter(({ answers }) =>
        answers?.some((record) => "ttl" in record && record.ttl === 0)
      )
      assert.strictEqual(goodbyes.length, 2)
      assert.strictEqual(ether.members.size, 0)
    })
  )

  it.live("keeps what it finds while the node boots, which would forget it, until the node is up", () =>
    Effect.gen(function* () {
      const ether = new Ether()
      const inbox = yield* Queue.bounded<Happened>(16)
      let isUp = false
      const port = (address: string, self: string, up: () => boolean) =>
        layer({ self, version: "0.3.0", openAir: ether.at(address) }, up).pipe(
          Layer.provide(Layer.succeed(Inbox, inbox)),
          Layer.build
        )
      const { advertise } = yield* Effect.service(Discovery).pipe(
        Effect.provideContext(yield* port("192.168.7.1", id("a"), () => true))
      )
      yield* advertise(announced(id("a"), "nano"))
      yield* port("192.168.7.2", id("b"), () => isUp)
      const isAnswered = () => {
        const asked = ether.said.findIndex(({ from, type }) => from === "192.168.7.2" && type === "query")
        return (
          asked >= 0 && ether.said.slice(asked).some(({ from, type }) => from === "192.168.7.1" && type === "response")
        )
      }
      while (!isAnswered()) yield* Effect.sleep(20)
      yield* Effect.sleep(50)
      assert.strictEqual(yield* Queue.size(inbox), 0)
      isUp = true
      assert.include(yield* Queue.take(inbox), { _tag: "Sighted", deviceId: id("a"), name: "nano" })
    }).pipe(Effect.scoped)
  )
})

describe("news that nobody takes", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it("wait, one a device, and the last word counts", async () => {
    const ether = new Ether()
    const told: Array<unknown> = []
    let isFull = true
    const laptop = new Mdns({ self: id("b"), version: "0", openAir: ether.at("192.168.7.2") }, (news) => {
      if (!isFull) told.push(news)
      return !isFull
    })
    const { mdns: nano } = node(ether, "192.168.7.1", announced(id("a"), "nano"))
    for (let port = 1; port < 10; port++) {
      nano.advertise(announced(id("a"), "nano", port))
      await vi.advanceTimersByTimeAsync(2_000)
    }
    assert.deepStrictEqual(told, [])
    isFull = false
    await vi.advanceTimersByTimeAsync(1_000)
    assert.strictEqual(told.length, 1)
    assert.include(JSON.stringify(told[0]), ":9")
    const closing = Promise.all([nano.close(), laptop.close()])
    await vi.advanceTimersByTimeAsync(500)
    await closing
  })

  it("a record that cannot be published is said, and the next one heals it", async () => {
    const ether = new Ether()
    const { mdns } = node(ether, "192.168.7.1", announced(id("a"), "nano", 70_000))
    await vi.advanceTimersByTimeAsync(3_000)
    assert.deepStrictEqual(mdns.running, { runs: false, why: "cannot publish: 70000 is no port" })
    mdns.advertise(announced(id("a"), "nano"))
    await vi.advanceTimersByTimeAsync(3_000)
    assert.deepStrictEqual(mdns.running, { runs: true, why: "" })
    const closing = mdns.close()
    await vi.advanceTimersByTimeAsync(500)
    await closing
  })
})

/** Loopback and a port of its own is all that these need. */
describe("the real socket", () => {
  const bound = (port: number) =>
    new Promise<{ port: number; close: () => Promise<void> }>((resolve, reject) => {
      const socket = createSocket("udp4")
      socket.on("error", reject)
      socket.bind(port, "0.0.0.0", () =>
        resolve({ port: socket.address().port, close: () => new Promise((done) => socket.close(() => done())) })
      )
    })
  const opened = (port: number) =>
    new Promise<{ air: Air; how: "open" | "broken" }>((resolve) => {
      const ears: Ears = {
        open: () => resolve({ air, how: "open" }),
        broken: () => resolve({ air, how: "broken" }),
        heard: () => {}
      }
      const air = openAir(ears, port)
    })

  it("says that its port is taken, and opens when it is free", async () => {
    const other = await bound(0)
    const taken = await opened(other.port)
    assert.deepStrictEqual([taken.how, taken.air.trouble()], ["broken", `port ${other.port} in use`])
    await other.close()
    const free = await opened(other.port)
    assert.strictEqual(free.how, "open")
    await free.air.close()
    await free.air.close()
  })

  it("survives interfaces that are not there, and calls after its end", async () => {
    const other = await bound(0)
    await other.close()
    const { air } = await opened(other.port)
    air.join(["192.0.2.77", "nonsense"])
    assert.match(air.trouble() ?? "", /^no multicast: /u)
    air.say(Buffer.from("x"))
    await new Promise((resolve) => setImmediate(resolve))
    assert.match(air.trouble() ?? "", /^no multicast: /u)
    air.join([])
    assert.strictEqual(air.trouble(), "no network: no interface has an IPv4 address")
    await air.close()
    air.join(["127.0.0.1"])
    air.say(Buffer.from("x"))
    await air.close()
  })

  it("is told by a node whose port is taken, which goes on and opens it later", async () => {
    const other = await bound(0)
    const mdns = new Mdns({ self: id("a"), version: "0", port: other.port, interface: "127.0.0.1" }, () => true)
    await vi.waitFor(() => assert.deepStrictEqual(mdns.running, { runs: false, why: `port ${other.port} in use` }))
    mdns.advertise(announced(id("a"), "nano"))
    await other.close()
    await vi.waitFor(() => assert.notInclude(mdns.running.why, "in use"), { timeout: 4_000 })
    await mdns.close()
  })
})
