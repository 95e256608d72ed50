/** `actuators` in node.yaml: what a node moves, and each mistake at its place. */
import { demandOf } from "../../../kernel/actuation/Actuator.ts"
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { commandFor } from "../../../adapters/config/Actuators.ts"
import { fromSeed } from "../../../adapters/keys/Keys.ts"
import { settings, told } from "./Reading.ts"

const PUMP = `actuators:
  - name: pump-1
    group: well
    safe: closed
    at-most: 20m
    tier: T2_operational_observation
    verification: none
    may-ask: [planner, field]
    exec: [/opt/pump, --to, "{state}"]
  - name: valve-1
    group: well
    states: [open, half, closed]
    safe: closed
    at-most: 2h
    exec: [/opt/valve, "{state}"]
`

describe("node.yaml: actuators", () => {
  it("are what the kernel is told, and capabilities of the node", () => {
    const { actuators, capabilities } = settings({ file: `${PUMP}capabilities: [sensor:soil, actuator:pump-1]\n` })
    assert.deepStrictEqual(capabilities, ["sensor:soil", "actuator:pump-1", "actuator:valve-1"])
    assert.deepStrictEqual(actuators[0], {
      ref: "actuator:pump-1",
      group: "well",
      states: ["open", "closed"],
      safe: "closed",
      forMsMax: 1_200_000,
      demand: { minimum: "T2_operational_observation", verification: "none" },
      askers: ["planner", "field"],
      command: ["/opt/pump", "--to", "{state}"]
    })
    assert.deepStrictEqual(actuators[1]!.askers, ["planner", "standby-planner"])
    assert.deepStrictEqual(actuators[1]!.states, ["open", "half", "closed"])
    assert.deepStrictEqual(commandFor(actuators[0]!, "open"), ["/opt/pump", "--to", "open"])
  })

  it("a line of a GPIO chip is set by libgpiod's gpioset", () => {
    const gpio = (high: string) =>
      settings({
        file: `actuators:
  - { name: lamp, states: [on-air, dark], safe: dark, at-most: 1h, gpio: { chip: gpiochip0, line: 17, high: ${high} } }
`
      }).actuators[0]!
    assert.deepStrictEqual(commandFor(gpio("on-air"), "on-air"), ["gpioset", "-t0", "-c", "gpiochip0", "17=1"])
    assert.deepStrictEqual(commandFor(gpio("on-air"), "dark"), ["gpioset", "-t0", "-c", "gpiochip0", "17=0"])
    assert.deepStrictEqual(commandFor(gpio("dark"), "dark"), ["gpioset", "-t0", "-c", "gpiochip0", "17=1"])
  })

  it("docs/how-to/move-something.md: its example reads", () => {
    const page = readFileSync(new URL("../../../docs/how-to/move-something.md", import.meta.url), "utf8")
    const { actuators } = settings({ file: /```yaml\n(.*?)```/su.exec(page)![1]! })
    assert.deepStrictEqual(
      actuators.map(({ group, ref }) => [ref, group]),
      [
        ["actuator:pump-1", "well"],
        ["actuator:valve-1", "well"]
      ]
    )
  })

  it("none, and a node without a file, move nothing", () => {
    assert.deepStrictEqual(settings({ file: "actuators: []\n" }).actuators, [])
    assert.deepStrictEqual(settings({}).actuators, [])
  })

  const SEEN = "verified-by: { metric: flow, zone: north, within: 5s, shows: { open: { at-least: 0.5 } } }"

  it("with levels, and a sensor that sees what they do", () => {
    const read = (line: string) => settings({ file: PUMP.replace("verification: none", line) }).actuators[0]!
    const gate = read(`level: L3\n    ${SEEN}`)
    assert.strictEqual(demandOf(gate).verification, "human")
    assert.deepInclude(gate, {
      level: "L3",
      readback: { metric: "flow", zone: "north", device: null, withinMs: 5_000, reads: { open: { atLeast: 0.5 } } }
    })
    assert.strictEqual(read("level: L1").level, "L1")
    assert.strictEqual(read(`verification: device\n    ${SEEN}`).demand.verification, "device")
    const from = "a1".repeat(32)
    const bound = read(
      `verified-by: { metric: flow, from: ${from}, within: 1m, shows: { open: { at-least: 1, at-most: 9 }, closed: { at-most: 0 } } }`
    )
    assert.deepStrictEqual(bound.readback, {
      metric: "flow",
      zone: null,
      device: from,
      withinMs: 60_000,
      reads: { open: { atLeast: 1, atMost: 9 }, closed: { atMost: 0 } }
    })
  })

  it("with what has to be so while it is moved", () => {
    const from = "a1".repeat(32)
    const needs = `needs:\n      - { metric: level, zone: tank, at-least: 200, within: 10m }\n      - { metric: wind, from: ${from}, at-most: 12.5, within: 30s }`
    assert.deepStrictEqual(settings({ file: PUMP.replace("verification: none", needs) }).actuators[0]!.needs, [
      { metric: "level", zone: "tank", device: null, withinMs: 600_000, atLeast: 200 },
      { metric: "wind", zone: null, device: from, withinMs: 30_000, atMost: 12.5 }
    ])
  })

  it("with those who may approve, who are persons whose keys are known", () => {
    const KEY = fromSeed(new Uint8Array(32).fill(7))!.publicKey
    const file = PUMP.replace("verification: none", "approvers: [asha, ravi]")
    const { actuators, persons } = settings({ file: `${file}persons: [asha=${KEY}, ravi=${KEY}]\n` })
    assert.deepStrictEqual(actuators[0]!.approvers, ["asha", "ravi"])
    assert.deepStrictEqual(persons[0], { name: "asha", publicKey: KEY })
    assert.deepStrictEqual(
      told({ file: `${file}persons: [asha=${KEY}]\n` }).map(([place, what]) => [place, what]),
      [["7:23", "ravi"]]
    )
    for (const [text, word] of [
      ["asha", "clawmesh person prints it"],
      ["asha=x", "clawmesh person prints it"],
      [`=${KEY}`, "clawmesh person prints it"],
      [`a=b=${KEY}`, "clawmesh person prints it"]
    ] as const)
      assert.include(told({ file: `persons: ["${text}"]\n` })[0]![2], word)
  })

  const odds: ReadonlyArray<readonly [string, string, string, ...Array<string>]> = [
    ["level: L3", "7:12", "L3", "a sensor has to see it", "verified-by:"],
    ["verification: device", "7:19", "device", "no device sees it", "verified-by:"],
    ["level: L4", "7:12", "L4", "L1 nobody"],
    [`level: L1\n    verification: human`, "7:12", "L1", "write L2"],
    [`level: L3\n    verification: none\n    ${SEEN}`, "8:19", "none", "leave verification out"],
    [SEEN.replace("open:", "ajar:"), "7:18", "{", "ajar is none of its states"],
    [SEEN.replace("open:", "closed:"), "7:18", "{", "shows says nothing of open"],
    [SEEN.replace("at-least: 0.5", ""), "7:18", "{", "any value would show open"],
    [SEEN.replace("at-least", "atleast"), "7:76", "atleast", "no such word", "did you mean at-least?"],
    [SEEN.replace("0.5", "much"), "7:86", "much", "at-least is a number"],
    [SEEN.replace("within: 5s, ", ""), "7:18", "{", "within is missing"],
    [SEEN.replace("5s", "5"), "7:55", "5", "5s, 30s, 2m"],
    [SEEN.replace("{ at-least: 0.5 }", "5"), "7:74", "5", "shows is a mapping of states"],
    [SEEN.replace("zone: north", "from: north"), "7:40", "north", "its whole id"],
    ["needs: []", "7:12", "[]", "needs are a list of 8 at most"],
    ["needs: [{ metric: level, within: 1m }]", "7:12", "[", "any value would do"],
    ["needs: [{ metric: level, at-least: 5, at-most: 3, within: 1m }]", "7:12", "[", "no value is at least that"],
    ["needs: [{ metric: level, at-least: 5 }]", "7:13", "{", "within is missing"],
    ["needs: [{ metric: level, atleast: 5, within: 1m }]", "7:30", "atleast", "did you mean at-least?"]
  ]
  it.each(odds)("%s", (line, place, underlined, ...words) => {
    const all = told({ file: PUMP.replace("verification: none", line) })
    assert.lengthOf(all, 1, JSON.stringify(all))
    const [at, what, message] = all[0]!
    for (const word of words) assert.include(message, word)
    assert.strictEqual(at, place)
    assert.isTrue(what.startsWith(underlined), what)
  })

  /** One line of the first actuator is another; the place, what is underlined, and what is said. */
  const rows: ReadonlyArray<readonly [string, string, string, string, ...Array<string>]> = [
    ["name: pump-1", "name: Pump 1", "2:11", "Pump 1", "one word in small letters"],
    ["safe: closed", "safe: shut", "4:11", "shut", "none of its states: open, closed"],
    ["safe: closed", "safe: 7", "4:11", "7", "the state that it returns to"],
    ["at-most: 20m", "at-most: 20", "5:14", "20", "30s, 20m, 2h"],
    ["at-most: 20m", "at-most: 2d", "5:14", "2d", "a day at most"],
    ["tier: T2_operational_observation", "tier: T9", "6:11", "T9", "the least evidence"],
    ["verification: none", "verification: maybe", "7:19", "maybe", "one of none, device, human"],
    ["may-ask: [planner, field]", "may-ask: [planer]", "8:15", "planer", "a list of roles"],
    ["group: well", "grup: well", "3:5", "grup", "no such word", "did you mean group?"],
    ["group: well", "group: off", "3:12", "off", "write it in quotes"],
    ["group: well", "group: &a well", "3:15", "well", "anchors"],
    ["group: well", "name: well", "3:5", "name", "stands here a second time"],
    ['exec: [/opt/pump, --to, "{state}"]', "exec: /opt/pump", "9:11", "/opt/pump", "exec is a list"],
    ['exec: [/opt/pump, --to, "{state}"]', "exec: []", "9:11", "[]", "exec is a list"]
  ]
  it.each(rows)("%s as %s", (was, is, place, underlined, ...words) => {
    assert.include(PUMP, was)
    const all = told({ file: PUMP.replace(was, is) })
    assert.lengthOf(all, 1, JSON.stringify(all))
    const [at, what, message] = all[0]!
    assert.deepStrictEqual([at, what], [place, underlined])
    for (const word of words) assert.include(message, word)
  })

  it("what is missing is told where it ought to stand; what is there twice, at the second", () => {
    const [missing] = told({ file: PUMP.replace("    safe: closed\n", "") })
    assert.include(missing![2], "safe is missing")
    const [nothing] = told({ file: PUMP.replace('    exec: [/opt/pump, --to, "{state}"]\n', "") })
    assert.include(nothing![2], "something has to move it")
    const [twice] = told({ file: PUMP.replace("name: valve-1", "name: pump-1") })
    assert.deepStrictEqual([twice![0], twice![2]], ["10:11", "pump-1 stands here a second time"])
  })

  it.each(["actuators: 7\n", "actuators: {}\n", "actuators:\n", "actuators: [a]\n", "actuators: [[[[[[1]]]]]]\n"])(
    "%s is refused, and not thrown",
    (file) => assert.isNotEmpty(told({ file }))
  )
})
