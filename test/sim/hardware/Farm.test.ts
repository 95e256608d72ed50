/** What sensors of a simulated farm measure (B42): each model against figures worked out by hand. */
import { assert, describe, it } from "@effect/vitest"
import { Farm, type FarmSpec } from "../../../sim/hardware/Farm.ts"
import { uptake, watered } from "../../../sim/hardware/Soil.ts"
import { drawn } from "../../../sim/hardware/Tank.ts"
import { DAY_MS, HOUR_MS, rainfall, sunlight, temperature, type Weather } from "../../../sim/hardware/Weather.ts"

const MINUTE_MS = 60_000
const weather: Weather = { beginsMs: 5 * HOUR_MS, coldest: 12, warmest: 32, rain: [] }
const soil = { wilting: 10, full: 34, rootsMm: 300 }
const spec: FarmSpec = {
  weather,
  fields: [
    { ...soil, name: "north", moisture: 30, dailyMm: 6, areaM2: 200, valve: "valve", flow: 40 },
    { ...soil, name: "south", moisture: 30, dailyMm: 6, areaM2: 200, valve: null, flow: 0 }
  ],
  tank: { holdsL: 1_000, fillsLPerHour: 60, litres: 500 }
}
const open = () => true
const shut = () => false

describe("weather", () => {
  it("is coldest at 05:00, warmest at 15:00, and the same a day later", () => {
    assert.strictEqual(temperature(weather, 0), 12)
    assert.strictEqual(temperature(weather, 10 * HOUR_MS), 32)
    assert.strictEqual(temperature(weather, 5 * HOUR_MS), 22)
    assert.strictEqual(temperature(weather, 17 * HOUR_MS), 22)
    assert.closeTo(temperature(weather, DAY_MS + 3 * HOUR_MS), temperature(weather, 3 * HOUR_MS), 1e-9)
  })

  it("takes all of a day's water between 06:00 and 18:00", () => {
    assert.strictEqual(sunlight(weather, 30 * MINUTE_MS), 0)
    assert.strictEqual(sunlight(weather, 14 * HOUR_MS), 0)
    assert.strictEqual(sunlight(weather, 7 * HOUR_MS), 1.5 / 12)
    let sum = 0
    for (let ms = MINUTE_MS / 2; ms < DAY_MS; ms += MINUTE_MS) sum += sunlight(weather, ms) / 60
    assert.closeTo(sum, 1, 1e-4)
  })

  it("rains as long as it is said to, whoever looks when", () => {
    const rainy = { ...weather, rain: [{ atMs: HOUR_MS, forMs: HOUR_MS, mmPerHour: 4 }] }
    assert.strictEqual(rainfall(rainy, 0, HOUR_MS), 0)
    assert.strictEqual(rainfall(rainy, 0, 1.5 * HOUR_MS), 2)
    assert.strictEqual(rainfall(rainy, 0, DAY_MS), 4)
  })
})

describe("soil", () => {
  it("gives all that is asked for in the upper half of its reach, and less and less below", () => {
    for (const [moisture, share] of [
      [34, 1],
      [22, 1],
      [16, 0.5],
      [10, 0],
      [4, 0]
    ] as const)
      assert.strictEqual(uptake(soil, moisture), share)
  })

  it("has three millimetres to the percent, where roots are 300 mm deep, and keeps no more than it holds", () => {
    assert.strictEqual(watered(soil, 20, 6, 0), 22)
    assert.strictEqual(watered(soil, 25, 0, 6), 23)
    assert.strictEqual(watered(soil, 33, 60, 0), 34)
    assert.strictEqual(watered(soil, 0, 0, 6), 0)
  })
})

describe("a tank", () => {
  const tank = { holdsL: 1_000, fillsLPerHour: 60 }
  it("gives what is in it and what comes in, and holds no more than it can", () => {
    assert.deepStrictEqual(drawn(tank, 500, 1, 400), { litres: 160, share: 1 })
    assert.deepStrictEqual(drawn(tank, 0, 1, 120), { litres: 0, share: 0.5 })
    assert.deepStrictEqual(drawn(tank, 990, 1, 0), { litres: 1_000, share: 1 })
  })
})

describe("a farm", () => {
  it("dries by what the sun takes, and not at night", () => {
    const farm = new Farm(spec)
    assert.strictEqual(farm.measure(HOUR_MS, shut, "north", "moisture"), 30)
    // 6 mm of 300: two percent, where the plants get all that they ask for.
    assert.closeTo(farm.measure(DAY_MS, shut, "north", "moisture")!, 28, 0.001)
  })

  it("is watered where its valve is open, as long as there is water", () => {
    const farm = new Farm(spec)
    assert.strictEqual(farm.measure(0, open, "north", "flow"), 40)
    assert.strictEqual(farm.measure(0, shut, "north", "flow"), 0)
    // 40 litres a minute on 200 m² is 12 mm an hour: in ten minutes two, two thirds of a percent.
    farm.pass(10 * MINUTE_MS, open)
    assert.closeTo(farm.measure(10 * MINUTE_MS, shut, "north", "moisture")!, 30 + 2 / 3, 1e-9)
    assert.strictEqual(farm.measure(10 * MINUTE_MS, shut, "south", "moisture"), 30)
    assert.closeTo(farm.measure(10 * MINUTE_MS, shut, "tank", "level")!, 500 - 400 + 10, 1e-9)
    // Then it is empty, and what the well gives comes through.
    farm.pass(20 * MINUTE_MS, open)
    assert.strictEqual(farm.measure(20 * MINUTE_MS, open, "tank", "level"), 0)
    assert.closeTo(farm.measure(20 * MINUTE_MS, open, "north", "flow")!, 1, 1e-9)
  })

  it("is the same for whoever looks more often, and goes on by itself in a fork", () => {
    const often = new Farm(spec)
    const once = new Farm(spec)
    for (let ms = 0; ms <= 3 * HOUR_MS; ms += 7 * MINUTE_MS) often.measure(ms, shut, "north", "moisture")
    assert.strictEqual(
      often.measure(4 * HOUR_MS, shut, "north", "moisture"),
      once.measure(4 * HOUR_MS, shut, "north", "moisture")
    )
    const fork = new Farm(spec, once)
    fork.pass(HOUR_MS, open)
    assert.strictEqual(once.measure(HOUR_MS, shut, "north", "moisture"), 30)
    // The tank is empty by then: 560 litres of it and of the well.
    assert.closeTo(fork.measure(HOUR_MS, shut, "north", "moisture")!, 30 + 2.8 / 3, 1e-9)
  })

  it("has nothing to measure where nothing is", () => {
    const farm = new Farm(spec)
    assert.isNull(farm.measure(0, shut, "north", "level"))
    assert.isNull(farm.measure(0, shut, "tank", "moisture"))
    assert.isNull(farm.measure(0, shut, "nowhere", "moisture"))
    assert.isNull(new Farm({ ...spec, tank: null }).measure(0, shut, "tank", "level"))
    assert.strictEqual(new Farm({ ...spec, tank: null }).measure(0, open, "north", "flow"), 40)
  })
})
