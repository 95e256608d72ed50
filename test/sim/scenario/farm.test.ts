/** `farm:`, what sensors measure of it, and facts about it: every mistake at its place, and one whole farm. */
import { assert, describe, it } from "@effect/vitest"
import { readScenario } from "../../../sim/scenario/read.ts"
import { assertMistakes, scenarioWith } from "./marked.ts"

const NODES = ` { laptop: { role: planner }, board: { role: field, can: ["actuator:valve"] } }`

const farm = (words: string): string => scenarioWith({ nodes: NODES, timeline: " []", farm: ` ${words}` })
const field = (words: string): string => farm(`{ fields: { north: ${words} } }`)

const USUAL =
  " { tank: { holds: 10, has: 5 }, fields: { north: { moisture: 20, dries: 5, valve: valve }, south: { moisture: 20, dries: 5 } } }"
const sense = (words: string, on: string | null = USUAL): string =>
  scenarioWith({
    nodes: NODES,
    timeline: `\n  - { at: 1s, sense: { frame: f, by: board, ${words} } }`,
    ...(on === null ? {} : { farm: on })
  })
const fact = (words: string): string =>
  scenarioWith({ nodes: NODES, timeline: " []", farm: USUAL, expect: `\n  - { at: end, that: { farm: ${words} } }` })

describe("a farm that does not read", () => {
  it("fields: none, words that are none, numbers that cannot be", () => {
    assertMistakes(farm("«{}»"), /^write a farm/u)
    assertMistakes(farm("«{ fields: {} }»"), /^write a farm/u)
    assertMistakes(field("«{ dries: 5 }»"), /^write a field/u)
    assertMistakes(field("{ moisture: 20, «drys»: 5, dries: 5 }"), /did you mean dries\?/u)
    assertMistakes(field("{ moisture: «20%», dries: 5 }"), "write a number of percent, such as 27")
    assertMistakes(field("{ moisture: «.nan», dries: 5 }"), "write a number of percent, such as 27")
    assertMistakes(field("{ moisture: «120», dries: 5 }"), "write a number of percent, such as 27")
    assertMistakes(field("{ moisture: 20, dries: «-1» }"), "write a number of 0 and above, such as 40")
    assertMistakes(field("{ moisture: «40», dries: 5 }"), "it holds 35 % at most")
    assertMistakes(field("{ moisture: 20, dries: 5, wilting: 30, full: «30» }"), "full is more than wilting")
    assertMistakes(field("{ moisture: 20, dries: 5, wilting: «50» }"), "full is more than wilting")
    assertMistakes(field("{ moisture: 20, dries: 5, area: «0» }"), "write a number of 1 and above, such as 200")
    assertMistakes(farm("{ fields: { «tank»: { moisture: 20, dries: 5 } } }"), /^tank is what valves draw from/u)
  })

  it("valves that nobody has, or that nothing flows through", () => {
    assertMistakes(
      field("{ moisture: 20, dries: 5, valve: «valv» }"),
      /^no node can actuator:valv; did you mean valve/u
    )
    assertMistakes(field("{ moisture: 20, dries: 5, «flow»: 40 }"), /^through which valve\?/u)
  })

  it("weather and tank", () => {
    const and = (words: string): string => farm(`{ ${words}, fields: { north: { moisture: 20, dries: 5 } } }`)
    assertMistakes(and("coldest: 20, warmest: «10»"), "the warmest is colder than the coldest")
    assertMistakes(and("coldest: «31»"), "the warmest is colder than the coldest")
    assertMistakes(and("begins: «25h»"), "a day has 24 hours; write 5h, or 13h")
    assertMistakes(and("begins: «5»"), /^write a time with a unit/u)
    assertMistakes(and("rain: [«{ at: 1h, for: 1m }»]"), /^write a shower/u)
    assertMistakes(and("tank: { holds: 10, has: «20» }"), "it has more than it holds")
    assertMistakes(and("tank: «{ holds: 10 }»"), "write { holds: 4000, has: 2500, fills: 120 }")
  })
})

describe("a sensor that cannot measure", () => {
  it("is told what there is", () => {
    assertMistakes(sense("measures: «north», metric: moisture", null), /^there is nothing to measure: write a farm:/u)
    assertMistakes(sense("measures: «nroth», metric: moisture"), /^no nroth on this farm; did you mean north\?/u)
    assertMistakes(sense("measures: «north»"), "what is measured at north? Write metric: moisture, temperature or flow")
    assertMistakes(sense("measures: north, metric: «level»"), /^what is measured at north\?/u)
    assertMistakes(sense("measures: tank, metric: «moisture»"), "what is measured at tank? Write metric: level")
    assertMistakes(sense("measures: north, metric: moisture, «value»: 3"), "it measures, or has a value of its own")
    assertMistakes(sense("measures: north, metric: moisture, «shows»: valve"), "it measures, or has a value of its own")
  })
})

describe("a fact about the farm that cannot be", () => {
  it("is told what there is", () => {
    assertMistakes(fact("«{}»"), /^no field here/u)
    assertMistakes(fact("{ «west»: { moisture: at least 2 } }"), /^no west on this farm; there are north, south, tank/u)
    assertMistakes(fact("{ north: «{}» }"), /^write how it is there/u)
    assertMistakes(fact("{ tank: { «moisture»: at least 2 } }"), "nobody measures moisture at tank")
    assertMistakes(fact("{ north: { moisture: «20» } }"), /^write a count in words/u)
  })
})

describe("needs that cannot be", () => {
  const needs = (words: string): string =>
    scenarioWith({
      nodes: ` { laptop: { role: planner }, board: { role: field, can: ["actuator:valve"], policy: { valve: { needs: ${words} } } } }`,
      timeline: " []"
    })
  it("are told what to write", () => {
    assertMistakes(needs("«[]»"), "the list is empty; leave it out")
    assertMistakes(needs("[«{ metric: level, within: 1m }»]"), /^any value would do/u)
    assertMistakes(needs("[«{ metric: level, at-least: 1 }»]"), /^write what it needs/u)
    assertMistakes(needs("[{ metric: level, at-least: 5, at-most: «3», within: 1m }]"), /^no value is at least that/u)
    assertMistakes(needs("[{ metric: level, at-least: 5, within: «1» }]"), /^write a time with a unit/u)
    assertMistakes(needs("[{ metric: level, at-least: 5, within: 1m }]"))
  })
})

describe("a farm", () => {
  it("has usual values where the file has none", () => {
    const read = readScenario("farm.yaml", fact("{ north: { moisture: at most 20 }, tank: { level: at least 1 } }"))
    assert.isTrue("scenario" in read)
    if (!("scenario" in read)) return
    const usual = { moisture: 20, dailyMm: 5, areaM2: 200, wilting: 10, full: 35, rootsMm: 300 }
    assert.deepStrictEqual(read.scenario.farm, {
      weather: { beginsMs: 0, coldest: 12, warmest: 30, rain: [] },
      fields: [
        { name: "north", ...usual, valve: "valve", flow: 40 },
        { name: "south", ...usual, valve: null, flow: 0 }
      ],
      tank: { holdsL: 10, litres: 5, fillsLPerHour: 0 }
    })
    assert.strictEqual(read.scenario.expect[0]!.name, "moisture of north is at most 20 and level of tank is at least 1")
  })
})
