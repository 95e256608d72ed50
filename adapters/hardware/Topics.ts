/**
 * What others measure and a broker hands on (MQTT 3.1.1): each message of a topic of node.yaml is one number, or has one, and is said to the
 * mesh as an observation of this node, which answers for it.
 *
 * A sensor that sends more often than `every` is said so often: its last word, when the time comes. A retained message is not said: how old
 * it is nobody knows. Neither is what is larger than 64 KiB, or no number within its bounds; the log tells so once, and once more when it
 * reads again. One connection to a broker; while it is gone it is tried again, and the log tells both.
 *
 * Does not do: publish anything, or take any order from there.
 */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { IPublishPacket } from "mqtt"
import mqtt from "mqtt"
import type { Broker, TopicSensor } from "../config/Sensors.ts"
import { nameOf, readingOf, sensed, type Read } from "./Sensors.ts"

const MESSAGE_BYTES_MAX = 65_536
const RECONNECT_MS = 5_000
const CONNECT_MS_MAX = 10_000

/** The text that ought to be a number; or why there is none. */
export const textIn = (
  { field }: TopicSensor,
  payload: Buffer
): { readonly text: string } | { readonly why: string } => {
  if (payload.length > MESSAGE_BYTES_MAX) return { why: `says ${payload.length} bytes, which are too many` }
  const text = payload.toString("utf8")
  if (field === null) return { text }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { why: `says ${JSON.stringify(text.slice(0, 40))}, which is no JSON` }
  }
  for (const key of field.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key))
      return { why: `says a message without ${field}` }
    value = (value as { readonly [key: string]: unknown })[key]
  }
  return typeof value === "number" || typeof value === "string"
    ? { text: String(value) }
    : { why: `says a message whose ${field} is no number` }
}

/** What one sensor says, at most each `everyMs`. */
const speaker = (sensor: TopicSensor, say: (value: number) => void, { note }: Read) => {
  let isSilent = false
  let saidAt = Number.NEGATIVE_INFINITY
  let last: number | null = null
  let timer: NodeJS.Timeout | null = null
  const speak = (): void => {
    timer = null
    if (last === null) return
    saidAt = performance.now()
    say(last)
    last = null
  }
  return {
    hear: (payload: Buffer, { retain }: Pick<IPublishPacket, "retain">): void => {
      if (retain) return
      const found = textIn(sensor, payload)
      const reading = "why" in found ? found.why : readingOf(sensor, found.text)
      if (typeof reading === "number") {
        if (isSilent) note(`${nameOf(sensor)}: it reads again`)
        last = reading
        const leftMs = saidAt + sensor.everyMs - performance.now()
        if (leftMs <= 0) speak()
        else timer ??= setTimeout(speak, leftMs)
      } else if (!isSilent) note(`${nameOf(sensor)}: ${sensor.topic} ${reading}; nothing is said until it reads`)
      isSilent = typeof reading !== "number"
    },
    end: (): void => {
      if (timer !== null) clearTimeout(timer)
    }
  }
}

/** Its parts: mqtt itself would read the address by a function of Node's that warns of itself. */
const endpointOf = ({ url }: Broker) => {
  const { hostname, port, protocol } = new URL(url)
  const isSecure = protocol === "mqtts:"
  return {
    protocol: isSecure ? ("mqtts" as const) : ("mqtt" as const),
    host: hostname.replace(/^\[(.*)\]$/u, "$1"),
    port: port === "" ? (isSecure ? 8_883 : 1_883) : Number(port)
  }
}

const passwordOf = ({ passwordFile }: Broker, note: Read["note"]): string | undefined => {
  if (passwordFile === null) return undefined
  try {
    return readFileSync(passwordFile, "utf8").split("\n")[0] ?? ""
  } catch (error) {
    note(`${passwordFile} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** One broker, until it is interrupted. */
const listen = (broker: Broker, sensors: ReadonlyArray<TopicSensor>, how: Read): Effect.Effect<never> =>
  Effect.callback<never>(() => {
    const { isUp, note, offer } = how
    const speakers = sensors.map((sensor) => ({
      topic: sensor.topic,
      ...speaker(
        sensor,
        (value) => {
          if (isUp()) Effect.runFork(offer(sensed(sensor, value)))
        },
        how
      )
    }))
    const password = passwordOf(broker, note)
    const client = mqtt.connect({
      ...endpointOf(broker),
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      // Who may not hear today may be allowed to while we run.
      reconnectOnConnackError: true,
      connectTimeout: CONNECT_MS_MAX,
      resubscribe: false,
      ...(broker.user === null ? {} : { username: broker.user }),
      ...(password === undefined ? {} : { password })
    })
    let isGone = false
    const gone = (why: string): void => {
      if (!isGone) note(`${broker.url}: ${why}; it is tried again each ${RECONNECT_MS / 1_000} s`)
      isGone = true
    }
    client.on("connect", () => {
      if (isGone) note(`${broker.url}: it is there again`)
      isGone = false
      client.subscribe([...new Set(sensors.map(({ topic }) => topic))], { qos: 0 }, (error, granted = []) => {
        const refused = granted.filter(({ qos }) => (qos as number) === 128).map(({ topic }) => topic)
        if (error !== null) note(`${broker.url}: it does not hand on its topics: ${error.message}`)
        else if (refused.length > 0) note(`${broker.url}: it does not hand on ${refused.join(", ")}`)
      })
    })
    client.on("message", (topic, payload, packet) => {
      for (const one of speakers) if (one.topic === topic) one.hear(payload, packet)
    })
    client.on("error", (error) => gone(error.message === "" ? "it cannot be reached" : error.message))
    client.on("close", () => gone("the connection is closed"))
    return Effect.sync(() => {
      for (const one of speakers) one.end()
      client.removeAllListeners("close").end(true)
    })
  })

/** Each broker by itself, with all that it is asked for. */
export const hear = (sensors: ReadonlyArray<TopicSensor>, how: Read): Effect.Effect<void> => {
  const keyOf = ({ broker }: TopicSensor): string => JSON.stringify(broker)
  const brokers = [...new Map(sensors.map((sensor) => [keyOf(sensor), sensor.broker]))]
  return Effect.forEach(
    brokers,
    ([key, broker]) =>
      listen(
        broker,
        sensors.filter((sensor) => keyOf(sensor) === key),
        how
      ),
    { concurrency: "unbounded", discard: true }
  )
}
