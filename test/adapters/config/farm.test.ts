/** farm.yaml (B42): what reads, and each mistake at its place. */
import { assert, describe, it } from "@effect/vitest"
import { originText } from "../../../adapters/config/Origin.ts"
import { mistakes, settings } from "./Reading.ts"

const FARM = "/etc/clawmesh/farm.yaml"

const whole = `site: North farm
zones:
  - { name: north, about: "potatoes, 2 ha" }
  - { name: yard }
sensors:
  - { metric: moisture, zone: north, unit: "%", every: 10m, at-least: 15, at-most: 34.5 }
  - { metric: level, zone: yard, unit: L, every: 1h }
actuators:
  - { name: valve-north, zone: north, group: water, safe: closed, at-most: 30m, level: L3 }
  - { name: lamp, zone: yard, states: ["on", "off"], safe: "off", at-most: 8h }
rules:
  - { name: dry, metric: moisture, zone: north, below: 20, propose: { actuator: valve-north, state: open, for: 20m } }
`

const node = (more = "", role = "planner"): string => `role: ${role}\nfarm: farm.yaml\n${more}`
const read = (farm: string, more?: string, role?: string) => ({ file: node(more, role), files: { [FARM]: farm } })

/** Place and sentence of each mistake. */
const told = (farm: string, more?: string, role?: string) =>
  mistakes(read(farm, more, role)).map(
    ({ message, origin }) => [originText(origin).replace(`${FARM}:`, ""), message] as const
  )

describe("farm.yaml", () => {
  it("is zones, what is measured and what moves there, and rules", () => {
    const { farm, rules } = settings(read(whole))
    assert.deepStrictEqual(farm?.zones, [
      { name: "north", about: "potatoes, 2 ha" },
      { name: "yard", about: "" }
    ])
    assert.strictEqual(farm?.site, "North farm")
    assert.deepStrictEqual(farm?.sensors[0], {
      metric: "moisture",
      zone: "north",
      asset: null,
      unit: "%",
      everyMs: 600_000,
      atLeast: 15,
      atMost: 34.5
    })
    assert.deepStrictEqual(farm?.actuators, [
      {
        ref: "actuator:valve-north",
        name: "valve-north",
        zone: "north",
        asset: null,
        group: "water",
        states: ["open", "closed"],
        safe: "closed",
        forMsMax: 1_800_000,
        level: "L3"
      },
      {
        ref: "actuator:lamp",
        name: "lamp",
        zone: "yard",
        asset: null,
        group: "lamp",
        states: ["on", "off"],
        safe: "off",
        forMsMax: 28_800_000,
        level: "L2"
      }
    ])
    assert.deepStrictEqual(
      rules.map(({ name }) => name),
      ["dry"]
    )
  })

  it("has the same for every node, and its rules for planners: with those of its node.yaml", () => {
    assert.deepStrictEqual(settings(read(whole, "", "field")).rules, [])
    const own =
      "rules:\n  - { name: wet, metric: moisture, zone: north, above: 33, propose: { actuator: lamp, state: lit, for: 1m } }\n"
    assert.deepStrictEqual(
      settings(read(whole, own)).rules.map(({ name }) => name),
      ["wet", "dry"]
    )
  })

  it("is seen from the file that names it, and not there is told where it is named", () => {
    assert.strictEqual(settings(read(whole)).farm?.file, FARM)
    const [missing] = mistakes({ file: node() })
    assert.strictEqual(originText(missing!.origin), "/etc/clawmesh/node.yaml:2:7")
    assert.include(missing!.message, "/etc/clawmesh/farm.yaml cannot be read: there is no such file")
  })

  const one = (from: string, to: string): string => {
    assert.include(whole, from)
    return whole.replace(from, to)
  }
  const wrong: ReadonlyArray<readonly [string, string, string, RegExp]> = [
    ["a word that is none", one("site:", "sit:"), "1:1", /no such setting; did you mean site\?/u],
    ["a setting of a node", `${whole}port: 1\n`, "13:1", /no such setting; there are site, zones/u],
    ["no name of the site", one("North farm", "[a]"), "1:7", /site is the name of the farm/u],
    ["no zones", "site: a\n", "1:1", /a farm has zones/u],
    ["an empty list of zones", "zones: []\n", "1:8", /zones are a list of 1 to 1024/u],
    ["a list that is none", "- a\n", "1:1", /a farm is a mapping/u],
    ["a zone twice", one("name: yard", "name: north"), "4:13", /north stands here a second time/u],
    ["a zone that nobody knows", one("zone: yard, unit", "zone: yrad, unit"), "7:28", /did you mean yard\?/u],
    ["a unit that is missing", one("unit: L, ", ""), "7:5", /unit is missing/u],
    ["no time between readings", one("every: 1h", "every: 1"), "7:50", /every is how often/u],
    ["bounds the wrong way round", one("at-most: 34.5", "at-most: 3"), "6:84", /no reading is at least that/u],
    ["a sensor twice", one("metric: level, zone: yard", "metric: moisture, zone: north"), "7:15", /second time/u],
    ["an actuator twice", one("name: lamp", "name: valve-north"), "10:13", /second time/u],
    [
      "a safe state that is none",
      one('safe: "off"', "safe: closed"),
      "10:60",
      /closed is none of its states: on, off/u
    ],
    ["an actuator nowhere", one("lamp, zone: yard", "lamp, zone: moon"), "10:25", /no zone is called moon; there are/u],
    ["a rule without a zone", one("moisture, zone: north, below", "moisture, below"), "12:5", /names its zone/u],
    [
      "a rule about what nobody says",
      one("metric: moisture, zone: north, below", "metric: heat, zone: north, below"),
      "12:26",
      /no sensor says heat of north/u
    ],
    [
      "a rule about what does not move",
      one("actuator: valve-north", "actuator: valve-nroth"),
      "12:81",
      /did you mean valve-north\?/u
    ],
    [
      "a state that it does not have",
      one("state: open", "state: half"),
      "12:101",
      /half is none of its states: open, closed/u
    ],
    [
      "for no time at all",
      one("state: open, for: 20m", "state: open"),
      "12:69",
      /for how long is valve-north to be open/u
    ],
    ["longer than it may", one("for: 20m", "for: 31m"), "12:112", /valve-north may be open for 1800 s at most/u]
  ]
  it.each(wrong)("%s", (_, farm, place, message) => {
    const found = told(farm)
    const fits = found.find(([, sentence]) => message.test(sentence))
    assert.isDefined(fits, JSON.stringify(found))
    assert.strictEqual(fits![0], place)
  })

  const assets = `assets:
  - { name: tank-1, zone: yard, about: "4,000 L" }
`
  const tank = `${whole.replace("zone: yard, unit: L", "zone: yard, asset: tank-1, unit: L")}${assets}`

  it("things that stand in a zone, and what measures and moves there", () => {
    const { farm } = settings(read(tank))
    assert.deepStrictEqual(farm?.assets, [{ name: "tank-1", zone: "yard", about: "4,000 L" }])
    assert.deepStrictEqual(
      farm?.sensors.map(({ asset }) => asset),
      [null, "tank-1"]
    )
  })

  it.each([
    ["one that nobody knows", "asset: tank-1, unit", "asset: tnak-1, unit", "7:41", /did you mean tank-1\?/u],
    [
      "one of another zone",
      "tank-1, zone: yard",
      "tank-1, zone: north",
      "7:41",
      /tank-1 stands in north, and not in yard/u
    ],
    ["one in no zone", "tank-1, zone: yard", "tank-1, zone: moon", "14:27", /no zone is called moon/u],
    ["one called as a zone", "name: tank-1, zone", "name: north, zone", "14:13", /a zone is called so/u],
    ["one without a place", "tank-1, zone: yard", "tank-1", "14:5", /zone is missing/u]
  ])("an asset: %s", (_, from, to, place, message) => {
    assert.include(tank, from)
    const found = told(tank.replace(from, to))
    assert.strictEqual(found.find(([, sentence]) => message.test(sentence))?.[0], place, JSON.stringify(found))
  })

  it("all of them are told at once", () => {
    const farm = one("name: yard", "name: Yard").replace("unit: L, ", "").replace("safe: closed", "safe: shut")
    assert.deepStrictEqual(
      told(farm.replace("below: 20", "below: x")).map(([place]) => place),
      ["4:13", "7:5", "9:59", "12:56"]
    )
  })

  it("a node that moves something otherwise is told where that stands", () => {
    const own = (words: string) => `actuators:\n  - { name: valve-north, ${words}, exec: [a] }\n`
    const rows: ReadonlyArray<readonly [string, string, RegExp]> = [
      [
        "group: water, safe: closed, at-most: 40m, level: L3, verified-by: { metric: f, within: 1s, shows: { open: { at-least: 1 } } }",
        "at-most",
        /it may be so for 1800 s at most, as .*farm\.yaml says/u
      ],
      ["group: water, safe: closed, at-most: 20m", "", /its level is L3/u],
      ["safe: closed, at-most: 20m, level: L2", "level", /its level is L3/u],
      ["group: other, safe: closed, at-most: 20m", "group", /its group is water/u],
      ["group: water, safe: open, at-most: 20m", "safe", /its safe state is closed/u]
    ]
    for (const [words, key, message] of rows) {
      const text = own(words)
      const found = mistakes(read(whole, text)).find((mistake) => message.test(mistake.message))
      assert.isDefined(found, words)
      // A value that is not written is told at its actuator.
      const before = found!.excerpt!.text.slice(0, found!.excerpt!.column - 1)
      assert.isTrue(before.trimEnd().endsWith(key === "" ? "-" : `${key}:`), before)
    }
  })

  it("a name that two rules have is told", () => {
    const own = "rules:\n  - { name: dry, metric: x, above: 33, propose: { actuator: lamp, state: lit, for: 1m } }\n"
    assert.match(told(whole, own)[0]![1], /^dry is a rule of .*farm\.yaml, too/u)
  })
})
