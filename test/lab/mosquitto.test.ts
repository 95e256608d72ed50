/** Topics of Debian's mosquitto, on loopback, as a node hears them: B42's sensors by MQTT, with a broker that is killed and comes back. */
import { spawn, type ChildProcess } from "node:child_process"
import { writeFileSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import mqtt from "mqtt"
import type { TopicSensor } from "../../adapters/config/Sensors.ts"
import { hear } from "../../adapters/hardware/Topics.ts"
import type { Happened } from "../../kernel/Input.ts"
import { directory } from "../adapters/cli/Terminal.ts"

const TOPIC = "farm/field-1/soil"

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Debian's, without a disk; whatever it cannot do fails the test. */
const start = (file: string): Promise<ChildProcess> =>
  new Promise((resolve, reject) => {
    const child = spawn("/usr/sbin/mosquitto", ["-c", file], { stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`mosquitto ended with ${code}: ${said}`)))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text
      if (/running/u.test(said)) resolve(child)
    })
  })

describe("a topic of mosquitto", () => {
  it.live("is heard, also after the broker was killed and has come back", () =>
    Effect.gen(function* () {
      const folder = yield* directory
      const port = yield* Effect.promise(freePort)
      const file = join(folder, "mosquitto.conf")
      writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\n`)
      const url = `mqtt://127.0.0.1:${port}`
      let broker = yield* Effect.promise(() => start(file))
      yield* Effect.addFinalizer(() => Effect.sync(() => void broker.kill("SIGKILL")))
      const said: Array<Happened> = []
      const noted: Array<string> = []
      const sensor: TopicSensor = {
        metric: "moisture",
        zone: "field-1",
        unit: "%",
        everyMs: 20,
        atLeast: 0,
        atMost: 100,
        broker: { url, user: null, passwordFile: null },
        topic: TOPIC,
        field: "soil"
      }
      yield* Effect.forkScoped(
        hear([sensor], {
          isUp: () => true,
          offer: (happened) => Effect.sync(() => void said.push(happened)),
          note: (text) => void noted.push(text)
        })
      )
      const publisher = yield* Effect.promise(() => mqtt.connectAsync(url, { reconnectPeriod: 200 }))
      yield* Effect.addFinalizer(() => Effect.promise(() => publisher.endAsync(true)))
      /** Until one of them is heard: nobody says when a subscription is in force. */
      const speak = (value: number) =>
        Effect.gen(function* () {
          const before = said.length
          for (let tries = 0; said.length === before; tries++) {
            if (tries > 200) throw new Error(`${value} is not heard; noted: ${noted.join("; ")}`)
            if (publisher.connected) publisher.publish(TOPIC, JSON.stringify({ soil: value }))
            yield* Effect.sleep(100)
          }
        })
      yield* speak(17)
      assert.deepStrictEqual(said[0]?._tag === "Sensed" ? said[0].data["value"] : null, 17)
      broker.removeAllListeners("exit")
      broker.kill("SIGKILL")
      while (noted.length === 0) yield* Effect.sleep(20)
      assert.match(noted[0]!, /it is tried again each 5 s$/u)
      const known = said.length
      broker = yield* Effect.promise(() => start(file))
      yield* speak(18)
      assert.isAbove(said.length, known)
      const last = said.at(-1)
      assert.deepStrictEqual(last?._tag === "Sensed" ? last.data["value"] : null, 18)
      assert.match(noted[1]!, /it is there again$/u)
    })
  )
})
