/** The section `sensors` of node.yaml: which programs this node reads, how often, and what a reading may be. */
import * as Schema from "effect/Schema"
import type { Mistake } from "./Mistake.ts"
import { Bound, decodeSection, Plain, Program, Span, spanOf, type Section, type Word, type Words } from "./Section.ts"

/** What is read: a program whose output is one number. */
export interface Sensor {
  readonly metric: string
  readonly zone: string | null
  readonly unit: string | null
  readonly everyMs: number
  /** A reading outside is none. */
  readonly atLeast: number
  readonly atMost: number
  readonly command: ReadonlyArray<string>
}

const SENSORS_MAX = 256

const One = Schema.Struct({
  metric: Plain,
  zone: Schema.optionalKey(Plain),
  unit: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(16))),
  every: Span,
  "at-least": Schema.optionalKey(Bound),
  "at-most": Schema.optionalKey(Bound),
  exec: Program
})
const All = Schema.Array(One).check(Schema.isMaxLength(SENSORS_MAX))

const says: Words["says"] = {
  metric: "metric is what is read, one word in small letters, such as moisture",
  zone: "zone is where, one word in small letters, such as field-1",
  unit: "unit is a short text for people, such as %",
  every: "every is how often it is read: 10s, 1m, 1h",
  "at-least": "at-least is a number: a reading below it is none",
  "at-most": "at-most is a number: a reading above it is none",
  exec: "exec is a list: the program whose output is one number, and its arguments"
}
const ALL = `sensors are a list of ${SENSORS_MAX} at most, each with metric, every and exec`
const KNOWN = Object.keys(One.fields)

const wordOf = (path: ReadonlyArray<PropertyKey>): Word => ({
  last: path.filter((key) => typeof key === "string").at(-1),
  among: KNOWN
})

const words: Words = { says, all: ALL, wordOf }

export const check = (section: Section, mistakes: Array<Mistake>): ReadonlyArray<Sensor> => {
  const decoded = decodeSection(section, All, words, mistakes)
  if (decoded === null) return []
  const before = mistakes.length
  const sensors = decoded.map((one): Sensor => ({
    metric: one.metric,
    zone: one.zone ?? null,
    unit: one.unit ?? null,
    everyMs: spanOf(one.every)!,
    atLeast: one["at-least"] === undefined ? Number.NEGATIVE_INFINITY : Number(one["at-least"]),
    atMost: one["at-most"] === undefined ? Number.POSITIVE_INFINITY : Number(one["at-most"]),
    command: one.exec
  }))
  for (const [place, { atLeast, atMost, metric, zone }] of sensors.entries()) {
    const add = (key: string, message: string): void =>
      void mistakes.push({ ...section.placeOf([place, key]), message })
    if (atLeast > atMost) add("at-most", "no reading is at least that, and at most this")
    if (sensors.findIndex((other) => other.metric === metric && other.zone === zone) < place)
      add("metric", `${metric} of ${zone ?? "no zone"} stands here a second time: each would hide the other's readings`)
  }
  return mistakes.length > before ? [] : sensors
}
