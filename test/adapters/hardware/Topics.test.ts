/** Topics of a broker that are read (aedes, on loopback): what is said, what is not, and a broker that goes and comes back. */
import { writeFileSync } from "node:fs"
import { createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Aedes } from "aedes"
import * as Effect from "effect/Effect"
import type { TopicSensor } from "../../../adapters/config/Sensors.ts"
import { hear, textIn } from "../../../adapters/hardware/Topics.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { directory } from "../cli/Terminal.ts"

const TOPIC = "farm/field-1/soil"

/** A broker on a port of its own, which can be pulled out and put back. */
const broker = Effect.acquireRelease(
  Effect.promise(async () => {
    const aedes = await Aedes.createBroker()
    const sockets = new Set<Socket>()
    let server: Server | null = null
    let port = 0
    const up = (): Promise<void> =>
      new Promise((resolve, reject) => {
        server = createServer((socket) => {
          sockets.add(socket)
          socket.on("close", () => sockets.delete(socket)).on("error", () => {})
          aedes.handle(socket)
        })
        server.once("error", reject)
        server.listen(port, "127.0.0.1", () => {
          port = (server!.address() as AddressInfo).port
          resolve()
        })
      })
    const down = (): Promise<void> =>
      new Promise((resolve) => {
        server?.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
    await up()
    const publish = (payload: string | Buffer, topic = TOPIC, retain = false): Promise<void> =>
      new Promise((resolve, reject) =>
        aedes.publish({ cmd: "publish", topic, payload, qos: 0, retain, dup: false }, (error) =>
          error == null ? resolve() : reject(error)
        )
      )
    return { aedes, up, down, publish, url: () => `mqtt://127.0.0.1:${port}` }
  }),
  ({ aedes, down }) =>
    Effect.promise(async () => {
      await down()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    })
)

const sensorAt = (url: string, more: Partial<TopicSensor> = {}): TopicSensor => ({
  metric: "moisture",
  zone: "field-1",
  unit: "%",
  everyMs: 20,
  atLeast: 0,
  atMost: 100,
  broker: { url, user: null, passwordFile: null },
  topic: TOPIC,
  field: null,
  ...more
})

const WAIT_MS = 20

/** Listens; what it says and notes, and a wait for something to be so. */
const listening = (sensors: ReadonlyArray<TopicSensor>, isUp = () => true) =>
  Effect.gen(function* () {
    const said: Array<Happened> = []
    const noted: Array<string> = []
    yield* Effect.forkScoped(
      hear(sensors, {
        isUp,
        offer: (happened) => Effect.sync(() => void said.push(happened)),
        note: (text) => void noted.push(text)
      })
    )
    const until = (what: string, is: () => boolean) =>
      Effect.gen(function* () {
        for (let waited = 0; !is(); waited++) {
          if (waited > 1_000)
            throw new Error(`${what}: it does not come; said ${said.length}, noted ${noted.join("; ")}`)
          yield* Effect.sleep(WAIT_MS)
        }
      })
    return { said, noted, until }
  })

const valuesOf = (said: ReadonlyArray<Happened>): ReadonlyArray<unknown> =>
  said.flatMap((happened) => (happened._tag === "Sensed" ? [happened.data["value"]] : []))

const subscribed = (aedes: Aedes, count = 1) =>
  new Promise<void>((resolve) => {
    let left = count
    aedes.on("subscribe", () => {
      left--
      if (left === 0) resolve()
    })
  })

describe("a message", () => {
  const at = (field: string | null, payload: string | Buffer) =>
    textIn(sensorAt("mqtt://127.0.0.1", { field }), Buffer.from(payload))
  it("is the number, or has it where the field says", () => {
    assert.deepStrictEqual(at(null, " 17.5\n"), { text: " 17.5\n" })
    assert.deepStrictEqual(at("moisture", '{"moisture":17.5}'), { text: "17.5" })
    assert.deepStrictEqual(at("soil.moisture", '{"soil":{"moisture":"17.5"}}'), { text: "17.5" })
    assert.deepStrictEqual(at("0", "[3]"), { text: "3" })
  })

  const wrong: ReadonlyArray<readonly [string | null, string | Buffer, RegExp]> = [
    [null, Buffer.alloc(65_537, 49), /65537 bytes, which are too many/u],
    ["moisture", "<html>", /no JSON/u],
    ["moisture", '{"moisture":', /no JSON/u],
    ["moisture", "17", /without moisture/u],
    ["moisture", "null", /without moisture/u],
    ["toString", "{}", /without toString/u],
    ["__proto__", "{}", /without __proto__/u],
    ["moisture", '{"moisture":{}}', /whose moisture is no number/u],
    ["moisture", '{"moisture":null}', /whose moisture is no number/u],
    ["moisture", '{"moisture":true}', /whose moisture is no number/u]
  ]
  it.each(wrong)("%s of %s is none", (field, payload, why) => {
    const found = at(field, payload)
    assert.match("why" in found ? found.why : "", why)
  })
})

describe("a topic", () => {
  it.live("is said as an observation of its zone, and what is no number within its bounds is not", () =>
    Effect.gen(function* () {
      const { aedes, publish, url } = yield* broker
      const ready = subscribed(aedes)
      const { noted, said, until } = yield* listening([sensorAt(url())])
      yield* Effect.promise(() => ready)
      yield* Effect.promise(() => publish("17.5"))
      yield* until("the first", () => said.length === 1)
      assert.deepStrictEqual(said[0]?._tag === "Sensed" ? said[0].data : null, {
        zone: "field-1",
        metric: "moisture",
        value: 17.5,
        unit: "%",
        intervalMs: 20
      })
      for (const none of ["NaN", "wet", "101", "-1", "", "1e999"]) yield* Effect.promise(() => publish(none))
      yield* Effect.promise(() => publish("18"))
      yield* until("the next", () => said.length === 2)
      assert.deepStrictEqual(valuesOf(said), [17.5, 18])
      assert.deepStrictEqual(noted, [
        `moisture of field-1: ${TOPIC} says "NaN", which is no number; nothing is said until it reads`,
        "moisture of field-1: it reads again"
      ])
    })
  )

  it.live("that sends more often than it is to be said is said so often, with its last word", () =>
    Effect.gen(function* () {
      const { aedes, publish, url } = yield* broker
      const ready = subscribed(aedes)
      const { said, until } = yield* listening([sensorAt(url(), { everyMs: 400 })])
      yield* Effect.promise(() => ready)
      for (let value = 1; value <= 50; value++) yield* Effect.promise(() => publish(String(value)))
      yield* until("the last word", () => said.length === 2)
      assert.deepStrictEqual(valuesOf(said), [1, 50])
    })
  )

  it.live("retained is not said: how old it is nobody knows", () =>
    Effect.gen(function* () {
      const { aedes, publish, url } = yield* broker
      yield* Effect.promise(() => publish("3", TOPIC, true))
      const ready = subscribed(aedes)
      const { said, until } = yield* listening([sensorAt(url())])
      yield* Effect.promise(() => ready)
      yield* Effect.sleep(300)
      yield* Effect.promise(() => publish("4"))
      yield* until("a live one", () => said.length > 0)
      assert.deepStrictEqual(valuesOf(said), [4])
    })
  )

  it.live("of one broker with others, each by its own; and nothing while the node does not run", () =>
    Effect.gen(function* () {
      const { aedes, publish, url } = yield* broker
      const ready = subscribed(aedes)
      let isUp = false
      const other = sensorAt(url(), { metric: "heat", topic: "farm/heat", field: "t" })
      const { said, until } = yield* listening([sensorAt(url()), other], () => isUp)
      yield* Effect.promise(() => ready)
      assert.strictEqual(aedes.connectedClients, 1)
      yield* Effect.promise(() => publish("9"))
      yield* Effect.sleep(200)
      assert.deepStrictEqual(said, [])
      isUp = true
      yield* Effect.promise(() => publish('{"t":31}', "farm/heat"))
      yield* until("heat", () => said.length === 1)
      assert.strictEqual(said[0]?._tag === "Sensed" && said[0].data["metric"], "heat")
    })
  )
})

describe("a broker", () => {
  it.live(
    "that is gone is told, tried again, and told when it is back",
    () =>
      Effect.gen(function* () {
        const { aedes, down, publish, up, url } = yield* broker
        const first = subscribed(aedes)
        const { noted, said, until } = yield* listening([sensorAt(url())])
        yield* Effect.promise(() => first)
        yield* Effect.promise(down)
        yield* until("that it is gone", () => noted.length === 1)
        assert.match(noted[0]!, /^mqtt:\/\/127\.0\.0\.1:\d+: .+; it is tried again each 5 s$/u)
        const again = subscribed(aedes)
        yield* Effect.promise(up)
        yield* Effect.promise(() => again)
        yield* Effect.promise(() => publish("20"))
        yield* until("a reading", () => said.length === 1)
        assert.match(noted[1]!, /: it is there again$/u)
        assert.strictEqual(noted.length, 2)
      }),
    30_000
  )

  it.live("that asks for a password gets the one of the file; with another nothing is said", () =>
    Effect.gen(function* () {
      const { aedes, publish, url } = yield* broker
      aedes.authenticate = (_client, user, password, done) =>
        done(null, user === "board" && password?.toString() === "s3cret")
      const folder = yield* directory
      const passwordFile = join(folder, "password")
      writeFileSync(passwordFile, "s3cret\n")
      const ready = subscribed(aedes)
      const right = sensorAt(url(), { broker: { url: url(), user: "board", passwordFile } })
      const { said, until } = yield* listening([right])
      yield* Effect.promise(() => ready)
      yield* Effect.promise(() => publish("5"))
      yield* until("a reading", () => said.length === 1)
      const wrong = sensorAt(url(), { broker: { url: url(), user: "stranger", passwordFile } })
      const other = yield* listening([wrong])
      yield* other.until("a refusal", () => other.noted.length > 0)
      assert.match(other.noted[0]!, /Not authorized.*; it is tried again each 5 s$/u)
      // And is: who may not hear today may be allowed to.
      aedes.authenticate = (_client, _user, _password, done) => done(null, true)
      yield* other.until("that it is there", () => other.noted.length > 1)
      assert.match(other.noted[1]!, /it is there again$/u)
      const lost = sensorAt(url(), { broker: { url: url(), user: "board", passwordFile: join(folder, "none") } })
      const without = yield* listening([lost])
      yield* without.until("a word", () => without.noted.length > 0)
      assert.match(without.noted[0]!, /none cannot be read: ENOENT/u)
    })
  )
})
