/** The section `sensors` of node.yaml: which programs and which topics this node reads, how often, and what a reading may be. */
import * as Schema from "effect/Schema"
import type { Mistake } from "./Mistake.ts"
import {
  AbsolutePath,
  Bound,
  decodeSection,
  fits,
  isPlace,
  Plain,
  Program,
  Span,
  spanOf,
  type Section,
  type Word,
  type Words
} from "./Section.ts"

interface Read {
  readonly metric: string
  readonly zone: string | null
  readonly unit: string | null
  readonly everyMs: number
  /** A reading outside is none. */
  readonly atLeast: number
  readonly atMost: number
}

/** A program whose output is one number. */
export interface ProgramSensor extends Read {
  readonly command: ReadonlyArray<string>
}

/** Where messages come from, and as whom one hears them. */
export interface Broker {
  /** `mqtt://…` or `mqtts://…` */
  readonly url: string
  readonly user: string | null
  /** Its first line is the password. */
  readonly passwordFile: string | null
}

/** The messages of one topic. */
export interface TopicSensor extends Read {
  readonly broker: Broker
  readonly topic: string
  /** Where the number is in a message of JSON, such as `soil.moisture`; `null`: the message is the number. */
  readonly field: string | null
}

export type Sensor = ProgramSensor | TopicSensor

export const isProgram = (sensor: Sensor): sensor is ProgramSensor => "command" in sensor
export const isTopic = (sensor: Sensor): sensor is TopicSensor => "topic" in sensor

const SENSORS_MAX = 256

/** MQTT 3.1.1, 4.7.3; one topic and no pattern of them. */
const isTopicName = (text: string): boolean => text.length <= 512 && /^[^+#\p{Cc}]+$/u.test(text)

const Mqtt = Schema.Struct({
  url: fits((text) => isPlace(text, ["mqtt:", "mqtts:"])),
  topic: fits(isTopicName),
  field: Schema.optionalKey(fits((text) => /^[^.\s]+(?:\.[^.\s]+){0,7}$/u.test(text))),
  user: Schema.optionalKey(Schema.NonEmptyString),
  "password-file": Schema.optionalKey(AbsolutePath)
})

const One = Schema.Struct({
  metric: Plain,
  zone: Schema.optionalKey(Plain),
  unit: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(16))),
  every: Span,
  "at-least": Schema.optionalKey(Bound),
  "at-most": Schema.optionalKey(Bound),
  exec: Schema.optionalKey(Program),
  mqtt: Schema.optionalKey(Mqtt)
})
const All = Schema.Array(One).check(Schema.isMaxLength(SENSORS_MAX))

const says: Words["says"] = {
  metric: "metric is what is read, one word in small letters, such as moisture",
  zone: "zone is where, one word in small letters, such as field-1",
  unit: "unit is a short text for people, such as %",
  every: "every is how often it is read: 10s, 1m, 1h",
  "at-least": "at-least is a number: a reading below it is none",
  "at-most": "at-most is a number: a reading above it is none",
  exec: "exec is a list: the program whose output is one number, and its arguments",
  mqtt: "mqtt is a mapping: { url: mqtt://127.0.0.1:1883, topic: farm/field-1/soil }",
  url: "url is the broker, mqtt:// or mqtts://, without name and password",
  topic: "topic is one topic, without + and #",
  field: "field is where the number is in a message of JSON, such as soil.moisture",
  user: "user is as whom the broker is asked",
  "password-file": "password-file is the whole path of a file whose first line is the password"
}
const ALL = `sensors are a list of ${SENSORS_MAX} at most, each with metric, every, and exec or mqtt`
const KNOWN = Object.keys(One.fields)

const KNOWN_MQTT = Object.keys(Mqtt.fields)

const wordOf = (path: ReadonlyArray<PropertyKey>): Word => {
  const names = path.filter((key) => typeof key === "string")
  return { last: names.at(-1), among: names.length > 1 ? KNOWN_MQTT : KNOWN }
}

const words: Words = { says, all: ALL, wordOf }

const sourceOf = ({ exec, mqtt }: typeof One.Type) =>
  mqtt === undefined
    ? { command: exec ?? [] }
    : {
        broker: { url: mqtt.url, user: mqtt.user ?? null, passwordFile: mqtt["password-file"] ?? null },
        topic: mqtt.topic,
        field: mqtt.field ?? null
      }

export const check = (section: Section, mistakes: Array<Mistake>): ReadonlyArray<Sensor> => {
  const decoded = decodeSection(section, All, words, mistakes)
  if (decoded === null) return []
  const before = mistakes.length
  const sensors = decoded.map((one): Sensor => ({
    ...sourceOf(one),
    metric: one.metric,
    zone: one.zone ?? null,
    unit: one.unit ?? null,
    everyMs: spanOf(one.every)!,
    atLeast: one["at-least"] === undefined ? Number.NEGATIVE_INFINITY : Number(one["at-least"]),
    atMost: one["at-most"] === undefined ? Number.POSITIVE_INFINITY : Number(one["at-most"])
  }))
  for (const [place, { exec, mqtt }] of decoded.entries())
    if ((exec === undefined) === (mqtt === undefined))
      mistakes.push({
        ...section.placeOf([place, "metric"]),
        message: "something has to be read: write exec or mqtt, and not both"
      })
  for (const [place, { atLeast, atMost, metric, zone }] of sensors.entries()) {
    const add = (key: string, message: string): void =>
      void mistakes.push({ ...section.placeOf([place, key]), message })
    if (atLeast > atMost) add("at-most", "no reading is at least that, and at most this")
    if (sensors.findIndex((other) => other.metric === metric && other.zone === zone) < place)
      add("metric", `${metric} of ${zone ?? "no zone"} stands here a second time: each would hide the other's readings`)
  }
  return mistakes.length > before ? [] : sensors
}
