/**
 * The section `actuators` of node.yaml: what this node moves, on what terms, and by which program. Each mistake is told at its
 * place. It stands in the file only: what may move water is no matter for a flag.
 */
import * as Schema from "effect/Schema"
import { ACTUATOR, levels, type Actuator, type Need, type Readback } from "../../kernel/actuation/Actuator.ts"
import { verifications } from "../../kernel/actuation/Envelope.ts"
import { tiers } from "../../kernel/wire/ContextFrame.ts"
import { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import type { Mistake } from "./Mistake.ts"
import {
  adder,
  Bound,
  decodeSection,
  Plain,
  Program,
  repeated,
  Span,
  spanOf,
  type Section,
  type Word,
  type Words
} from "./Section.ts"
import type { Placed } from "./Source.ts"

/** The program that moves it, and its arguments; `{state}` among them is the state that it is to take. */
export interface Driver {
  readonly command: ReadonlyArray<string>
}

/** An actuator of the kernel's, and what moves it. */
export interface OwnedActuator extends Actuator, Driver {}

const ACTUATORS_MAX = 64
const STATES_MAX = 16
const Gpio = Schema.Struct({
  chip: Schema.String.check(Schema.makeFilter((text) => /^[\w./-]{1,64}$/u.test(text))),
  line: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_023 })),
  high: Plain
})

const Bounds = Schema.Struct({ "at-least": Schema.optionalKey(Bound), "at-most": Schema.optionalKey(Bound) })

const VerifiedBy = Schema.Struct({
  metric: Schema.NonEmptyString,
  zone: Schema.optionalKey(Schema.NonEmptyString),
  from: Schema.optionalKey(DeviceId),
  within: Span,
  shows: Schema.Record(Schema.String, Bounds)
})
type VerifiedBy = typeof VerifiedBy.Type

const NeedWords = Schema.Struct({
  metric: Schema.NonEmptyString,
  zone: Schema.optionalKey(Schema.NonEmptyString),
  from: Schema.optionalKey(DeviceId),
  within: Span,
  "at-least": Schema.optionalKey(Bound),
  "at-most": Schema.optionalKey(Bound)
})
const NEEDS_MAX = 8

const One = Schema.Struct({
  name: Plain,
  group: Schema.optionalKey(Plain),
  states: Schema.optionalKey(Schema.Array(Plain).check(Schema.isMinLength(2), Schema.isMaxLength(STATES_MAX))),
  safe: Plain,
  "at-most": Span,
  tier: Schema.optionalKey(Schema.Literals(tiers)),
  verification: Schema.optionalKey(Schema.Literals(verifications)),
  "may-ask": Schema.optionalKey(Schema.Array(Role).check(Schema.isMinLength(1))),
  level: Schema.optionalKey(Schema.Literals(levels)),
  approvers: Schema.optionalKey(Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))),
  "verified-by": Schema.optionalKey(VerifiedBy),
  needs: Schema.optionalKey(Schema.Array(NeedWords).check(Schema.isMinLength(1), Schema.isMaxLength(NEEDS_MAX))),
  exec: Schema.optionalKey(Program),
  gpio: Schema.optionalKey(Gpio)
})
type One = typeof One.Type

const All = Schema.Array(One).check(Schema.isMaxLength(ACTUATORS_MAX))

const says: Words["says"] = {
  name: "a name is one word in small letters, such as pump-1",
  group: "a group is one word: the actuators of which one moves at a time",
  states: `states are a list of 2 to ${STATES_MAX} words, such as [open, closed]`,
  safe: "safe is the state that it returns to, such as closed",
  "at-most":
    "at-most is how long it may be in any other state: 30s, 20m, 2h, a day at most; of what a sensor says it is a number",
  tier: `tier is the least evidence that moves it: ${tiers.join(", ")}`,
  verification: `verification is one of ${verifications.join(", ")}`,
  "may-ask": `may-ask is a list of roles: ${Role.literals.join(", ")}`,
  exec: "exec is a list: the program that moves it and its arguments, {state} among them",
  gpio: "gpio is a mapping of chip, line and high: { chip: gpiochip0, line: 17, high: open }",
  chip: "a chip is a name such as gpiochip0",
  line: "a line is a whole number, as gpioinfo shows it",
  level: "level is who has to agree to a proposal: L1 nobody, L2 a person, L3 a person who types its name",
  approvers: "approvers are a list of names out of persons: whose decisions count for it",
  "verified-by":
    "verified-by is a mapping: { metric: flow, zone: north, within: 30s, shows: { open: { at-least: 0.5 } } }",
  needs: `needs are a list of ${NEEDS_MAX} at most: what has to be so while it moves, such as { metric: level, zone: tank, at-least: 200, within: 1h }`,
  metric: "metric is what the sensor says, such as flow",
  zone: "zone is where that sensor is, such as north",
  from: "from is the device of that sensor, by its whole id: clawmesh peers shows it",
  within: "within is how long it may take until the sensor shows it, or how old what it says may be: 5s, 30s, 2m",
  shows: "shows is a mapping of states: { open: { at-least: 0.5 }, closed: { at-most: 0.1 } }",
  "at-least": "at-least is a number, such as 0.5",
  high: "high is the state in which the line is high, such as open"
}
const ALL = "actuators are a list, each with name, safe, at-most, and exec or gpio"
const KNOWN = Object.keys(One.fields)
const KNOWN_GPIO = Object.keys(Gpio.fields)
const KNOWN_VERIFIED_BY = Object.keys(VerifiedBy.fields)
const KNOWN_NEED = Object.keys(NeedWords.fields)
const KNOWN_BOUNDS = Object.keys(Bounds.fields)

/** The last word of a path, and those that may stand in its place. */
const wordOf = (path: ReadonlyArray<PropertyKey>): Word => {
  const names = path.filter((key) => typeof key === "string")
  const [first, second] = names
  const last = names.at(-1)
  // By state: whatever stands there is none of these words.
  if (first === "verified-by" && second === "shows" && names.length === 3) return { last: second, among: names }
  if (first === "needs" && names.length > 1) return { last, among: KNOWN_NEED }
  const among =
    names.length > 3 ? KNOWN_BOUNDS : names.length === 1 ? KNOWN : first === "gpio" ? KNOWN_GPIO : KNOWN_VERIFIED_BY
  return { last, among }
}

const words: Words = { says, all: ALL, wordOf }

const GPIOSET = "gpioset"

const driverOf = ({ exec, gpio }: One): Driver =>
  gpio === undefined
    ? { command: exec ?? [] }
    : { command: [GPIOSET, "-t0", "-c", gpio.chip, `${gpio.line}={${gpio.high}?1:0}`] }

/** Of a command, for that state. */
export const commandFor = ({ command }: Driver, state: string): ReadonlyArray<string> =>
  command.map((part) =>
    part
      .replaceAll("{state}", state)
      .replaceAll(/\{([a-z0-9._-]+)\?1:0\}/gu, (_, high: string) => (high === state ? "1" : "0"))
  )

const readbackOf = ({ from, metric, shows, within, zone }: VerifiedBy): Readback => ({
  metric,
  zone: zone ?? null,
  device: from ?? null,
  withinMs: spanOf(within)!,
  reads: Object.fromEntries(
    Object.entries(shows).map(([state, { "at-least": atLeast, "at-most": atMost }]) => [
      state,
      {
        ...(atLeast === undefined ? {} : { atLeast: Number(atLeast) }),
        ...(atMost === undefined ? {} : { atMost: Number(atMost) })
      }
    ])
  )
})

const needOf = (need: typeof NeedWords.Type): Need => ({
  metric: need.metric,
  zone: need.zone ?? null,
  device: need.from ?? null,
  withinMs: spanOf(need.within)!,
  ...(need["at-least"] === undefined ? {} : { atLeast: Number(need["at-least"]) }),
  ...(need["at-most"] === undefined ? {} : { atMost: Number(need["at-most"]) })
})

const ownedOf = (one: One): OwnedActuator => ({
  ref: `${ACTUATOR}${one.name}`,
  group: one.group ?? one.name,
  states: one.states ?? ["open", "closed"],
  safe: one.safe,
  forMsMax: spanOf(one["at-most"])!,
  demand: {
    minimum: one.tier ?? "T2_operational_observation",
    verification: one.verification ?? "none"
  },
  askers: one["may-ask"] ?? ["planner", "standby-planner"],
  ...(one.level === undefined ? {} : { level: one.level }),
  ...(one.approvers === undefined ? {} : { approvers: one.approvers }),
  ...(one["verified-by"] === undefined ? {} : { readback: readbackOf(one["verified-by"]) }),
  ...(one.needs === undefined ? {} : { needs: one.needs.map(needOf) }),
  ...driverOf(one)
})

type Odds = readonly [key: string, message: string]

/** Where a sensor has to see it, and none does. */
const unverified = (one: One, states: ReadonlyArray<string>): ReadonlyArray<Odds> => {
  const { level, verification } = one
  const by = one["verified-by"]
  const found: Array<Odds> = []
  if (by === undefined) {
    const way = "bind a sensor to it: verified-by: { metric: flow, within: 30s, shows: { open: { at-least: 0.5 } } }"
    if (level === "L3") found.push(["level", `at L3 a sensor has to see it; ${way}`])
    if (verification === "device") found.push(["verification", `no device sees it; ${way}`])
  } else {
    const wrong = Object.keys(by.shows).find((state) => !states.includes(state))
    const missing = states.find((state) => state !== one.safe && by.shows[state] === undefined)
    const empty = Object.entries(by.shows).find(
      ([, bounds]) => bounds["at-least"] === undefined && bounds["at-most"] === undefined
    )
    if (wrong !== undefined) found.push(["verified-by", `${wrong} is none of its states: ${states.join(", ")}`])
    else if (missing !== undefined)
      found.push(["verified-by", `shows says nothing of ${missing}: at-least, or at-most`])
    else if (empty !== undefined)
      found.push(["verified-by", `any value would show ${empty[0]}: write at-least, or at-most`])
  }
  if (level === "L3" && verification !== undefined && verification !== "human")
    found.push(["verification", "at L3 a person approves it: leave verification out"])
  if (level === "L1" && verification === "human")
    found.push(["level", "L1 asks nobody, and its verification asks for a person: write L2, or another verification"])
  return found
}

/** What does not fit together, though each of it reads. */
const atOdds = (one: One): ReadonlyArray<Odds> => {
  const states = one.states ?? ["open", "closed"]
  const found: Array<Odds> = [...unverified(one, states)]
  for (const { "at-least": atLeast, "at-most": atMost } of one.needs ?? [])
    if (atLeast === undefined && atMost === undefined)
      found.push(["needs", "any value would do: write at-least, or at-most"])
    else if (Number(atLeast ?? -Infinity) > Number(atMost ?? Infinity))
      found.push(["needs", "no value is at least that, and at most this"])
  const isState = (key: string, state: string): void => {
    if (!states.includes(state)) found.push([key, `${state} is none of its states: ${states.join(", ")}`])
  }
  isState("safe", one.safe)
  if (one.gpio !== undefined) {
    isState("high", one.gpio.high)
    if (states.length !== 2) found.push(["gpio", "a line has two states, and this actuator has more"])
  }
  if (new Set(states).size !== states.length) found.push(["states", "a state stands there a second time"])
  if ((one.exec === undefined) === (one.gpio === undefined))
    found.push(["name", "something has to move it: write exec or gpio, and not both"])
  return found
}

/** Whoever may approve something, and where that stands. */
export interface Approver {
  readonly person: string
  readonly at: Placed
}

export const approversIn = ({ placeOf }: Section, actuators: ReadonlyArray<OwnedActuator>): ReadonlyArray<Approver> =>
  actuators.flatMap(({ approvers = [] }, place) =>
    approvers.map((person, nth) => ({ person, at: placeOf([place, "approvers", nth]) }))
  )

export const check = (section: Section, mistakes: Array<Mistake>): ReadonlyArray<OwnedActuator> => {
  const add = adder(section, mistakes)
  const decoded = decodeSection(section, All, words, mistakes)
  if (decoded === null) return []
  const before = mistakes.length
  repeated(
    decoded.map(({ name }) => name),
    "name",
    add
  )
  for (const [place, one] of decoded.entries())
    for (const [key, message] of atOdds(one)) add(key === "high" ? [place, "gpio", key] : [place, key], message)
  return mistakes.length > before ? [] : decoded.map(ownedOf)
}
