/** What lies under the mesh of a scenario (`farm:`): form, meaning, and words. What it does is in sim/hardware. */
import * as Schema from "effect/Schema"
import { type FarmSpec, type Field, TANK } from "../hardware/Farm.ts"
import { DAY_MS, type Shower } from "../hardware/Weather.ts"
import type { Flow } from "./Flow.ts"
import { nothingMoves, type Reading, valueOf } from "./Names.ts"
import type { Draft } from "./Shape.ts"
import { readTime, showTime } from "./Units.ts"
import { list, may, must, Name, Time } from "./Values.ts"

const FARM = "write a farm, such as { fields: { field-1: { moisture: 27, dries: 6, valve: valve-1, flow: 40 } } }"
const FIELD = "write a field, such as { moisture: 27, dries: 6, valve: valve-1, flow: 40 }"
const RAIN = "write a shower, such as { at: 14h, for: 30m, mm-per-hour: 8 }"
const FIELDS_MAX = 1_000

const percent = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 })).annotate({
  message: "write a number of percent, such as 27"
})
const degrees = Schema.Finite.check(Schema.isBetween({ minimum: -60, maximum: 60 })).annotate({
  message: "write degrees Celsius, such as 31"
})
const amount = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })).annotate({
  message: "write a number of 0 and above, such as 40"
})
const size = Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })).annotate({
  message: "write a number of 1 and above, such as 200"
})

export const FarmWords = Schema.Struct({
  begins: may(Time, "The time of day when the run begins, such as 5h. Default midnight."),
  coldest: may(degrees, "Of the air at five in the morning, in degrees Celsius. Default 12."),
  warmest: may(degrees, "Of the air at three in the afternoon. Default 30."),
  rain: may(
    list(
      Schema.Struct({
        at: must(Time, "When it begins, since the start of the run.", RAIN),
        for: must(Time, "How long it rains.", RAIN),
        "mm-per-hour": must(amount, "How much.", RAIN)
      }).annotate({ noun: "word of a shower", message: RAIN }),
      "write a list of showers, such as [{ at: 14h, for: 30m, mm-per-hour: 8 }]"
    ),
    "Rain on all fields. Default none."
  ),
  tank: may(
    Schema.Struct({
      holds: must(size, "Litres that it holds.", "write { holds: 4000, has: 2500, fills: 120 }"),
      has: must(amount, "Litres that are in it at the start.", "write { holds: 4000, has: 2500, fills: 120 }"),
      fills: may(amount, "Litres an hour that a well puts into it. Default 0.")
    }).annotate({ noun: "word of a tank", message: "write { holds: 4000, has: 2500, fills: 120 }" }),
    "What all valves draw from, together. Default water enough."
  ),
  fields: must(
    Schema.Record(
      Name,
      Schema.Struct({
        moisture: must(percent, "Percent of water in the soil at the start.", FIELD),
        dries: must(amount, "Millimetres of water that a day takes from it, where there is enough.", FIELD),
        valve: may(Name, "The actuator that waters it, as its owner's actuator:valve-1 without the first word."),
        flow: may(size, "Litres a minute through it while it is open. Default 40."),
        area: may(size, "Square metres. Default 200."),
        wilting: may(percent, "Percent at which plants find nothing any more. Default 10."),
        full: may(percent, "Percent from which on water runs off. Default 35."),
        roots: may(size, "How deep roots reach, millimetres. Default 300.")
      }).annotate({ noun: "word of a field", message: FIELD })
    ).annotate({ message: FARM }),
    "Fields, by name.",
    FARM
  )
}).annotate({ identifier: "Farm", noun: "word of a farm", message: FARM })
type Words = typeof FarmWords.Type

const USUAL = { flow: 40, area: 200, wilting: 10, full: 35, roots: 300, coldest: 12, warmest: 30, fills: 0 }

export const readFarm = (reading: Reading, draft: Draft<Words> | undefined): { readonly farm?: FarmSpec } => {
  if (draft === undefined) return {}
  const { mistakes, tree } = reading
  const { coldest = USUAL.coldest, rain = [], tank, warmest = USUAL.warmest } = draft
  if (coldest > warmest)
    mistakes.add(
      tree.value(["farm", draft.warmest === undefined ? "coldest" : "warmest"]),
      "the warmest is colder than the coldest"
    )
  const beginsMs = valueOf(reading, ["farm", "begins"], draft.begins, readTime) ?? 0
  if (beginsMs >= DAY_MS) mistakes.add(tree.value(["farm", "begins"]), "a day has 24 hours; write 5h, or 13h")
  const showers = rain.flatMap((shower, index): ReadonlyArray<Shower> => {
    const at = ["farm", "rain", index]
    const atMs = valueOf(reading, [...at, "at"], shower?.at, readTime)
    const forMs = valueOf(reading, [...at, "for"], shower?.for, readTime)
    const mmPerHour = shower?.["mm-per-hour"]
    return atMs === null || forMs === null || mmPerHour === undefined ? [] : [{ atMs, forMs, mmPerHour }]
  })
  const holdsL = tank?.holds ?? 1
  const litres = tank?.has ?? 0
  if (tank?.holds !== undefined && litres > holdsL)
    mistakes.add(tree.value(["farm", "tank", "has"]), "it has more than it holds")
  return {
    farm: {
      weather: { beginsMs, coldest, warmest, rain: showers },
      fields: readFields(reading, draft.fields ?? {}),
      tank: tank === undefined ? null : { holdsL, litres, fillsLPerHour: tank.fills ?? USUAL.fills }
    }
  }
}

const readFields = (reading: Reading, draft: Draft<Words["fields"]>): ReadonlyArray<Field> => {
  const { mistakes, moving, tree } = reading
  const names = tree.keys(["farm", "fields"])
  if (names.length === 0) mistakes.add(tree.value(["farm"]), FARM)
  if (names.length > FIELDS_MAX) mistakes.add(tree.value(["farm", "fields"]), `a farm has at most ${FIELDS_MAX} fields`)
  return Object.entries(draft).map(([name, field]): Field => {
    const at = ["farm", "fields", name]
    if (name === TANK) mistakes.add(tree.key(at), `${TANK} is what valves draw from; call the field otherwise`)
    const { dries = 0, full = USUAL.full, moisture = 0, valve, wilting = USUAL.wilting } = field ?? {}
    if (wilting >= full)
      mistakes.add(tree.value([...at, field?.full === undefined ? "wilting" : "full"]), "full is more than wilting")
    else if (moisture > full) mistakes.add(tree.value([...at, "moisture"]), `it holds ${full} % at most`)
    if (valve !== undefined && !moving.has(valve))
      mistakes.add(tree.value([...at, "valve"]), nothingMoves(reading, valve))
    if (valve === undefined && field?.flow !== undefined)
      mistakes.add(tree.key([...at, "flow"]), "through which valve? Write valve:, such as valve: valve-1")
    return {
      name,
      moisture,
      dailyMm: dries,
      valve: valve ?? null,
      flow: valve === undefined ? 0 : (field?.flow ?? USUAL.flow),
      areaM2: field?.area ?? USUAL.area,
      wilting,
      full,
      rootsMm: field?.roots ?? USUAL.roots
    }
  })
}

/** Why nothing can be measured there; `null`: it can. */
export const whyNot = ({ farm, mistakes }: Reading, place: string): string | null => {
  if (farm === null) return "there is nothing to measure: write a farm:, with fields"
  const places = [...farm.fields.map(({ name }) => name), ...(farm.tank === null ? [] : [TANK])]
  if (places.includes(place)) return null
  return `no ${place} on this farm${mistakes.hint(place, places) || `; there are ${places.join(", ")}`}`
}

export const farmWords = ({ fields, tank, weather }: FarmSpec): { readonly [key: string]: Flow | undefined } => ({
  begins: showTime(weather.beginsMs),
  coldest: weather.coldest,
  warmest: weather.warmest,
  rain:
    weather.rain.length === 0
      ? undefined
      : weather.rain.map(({ atMs, forMs, mmPerHour }) => ({
          at: showTime(atMs),
          for: showTime(forMs),
          "mm-per-hour": mmPerHour
        })),
  tank: tank === null ? undefined : { holds: tank.holdsL, has: tank.litres, fills: tank.fillsLPerHour },
  fields: Object.fromEntries(
    fields.map(({ areaM2, dailyMm, flow, full, moisture, name, rootsMm, valve, wilting }) => [
      name,
      {
        moisture,
        dries: dailyMm,
        ...(valve === null ? {} : { valve, flow }),
        area: areaM2,
        wilting,
        full,
        roots: rootsMm
      }
    ])
  )
})
