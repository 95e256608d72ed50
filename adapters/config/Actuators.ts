/**
 * The section `actuators` of node.yaml: what this node moves, on what terms, and by which program. Each mistake is told at its
 * place. It stands in the file only: what may move water is no matter for a flag.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { ACTUATOR, levels, type Actuator, type Readback } from "../../kernel/actuation/Actuator.ts"
import { verifications } from "../../kernel/actuation/Envelope.ts"
import { tiers } from "../../kernel/wire/ContextFrame.ts"
import { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import type { Mistake } from "./Mistake.ts"
import type { Placed } from "./Source.ts"
import { hint } from "./Spelling.ts"

/** As it was read: plain values, and the place of each by its path, as far as that was written down. */
export interface Section {
  readonly value: unknown
  readonly placeOf: (path: ReadonlyArray<PropertyKey>) => Placed
  /** The place of the word before a value. */
  readonly wordAt: (path: ReadonlyArray<PropertyKey>) => Placed
}

/** The program that moves it, and its arguments; `{state}` among them is the state that it is to take. */
export interface Driver {
  readonly command: ReadonlyArray<string>
}

/** An actuator of the kernel's, and what moves it. */
export interface OwnedActuator extends Actuator, Driver {}

const ACTUATORS_MAX = 64
const STATES_MAX = 16
const ARGUMENTS_MAX = 32

const word = (text: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/u.test(text)
const Word = Schema.String.check(Schema.makeFilter(word))

/** `30s`, `20m`, `2h`, in ms; `null`: it is none. */
export const spanOf = (text: string): number | null => {
  const found = /^([1-9]\d{0,5})(s|m|h)$/u.exec(text)
  return found === null ? null : Number(found[1]) * { s: 1_000, m: 60_000, h: 3_600_000 }[found[2] as "s" | "m" | "h"]
}

const DAY_MS = 86_400_000
const isSpan = (text: string): boolean => (spanOf(text) ?? DAY_MS + 1) <= DAY_MS

const Gpio = Schema.Struct({
  chip: Schema.String.check(Schema.makeFilter((text) => /^[\w./-]{1,64}$/u.test(text))),
  line: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_023 })),
  high: Word
})

/** Numbers that are not whole come as they are written. */
const isNumber = (text: string): boolean => /^[+-]?(?:\d+\.?\d*|\.\d+)$/u.test(text)
const Bound = Schema.Union([Schema.Finite, Schema.String.check(Schema.makeFilter(isNumber))])
const Bounds = Schema.Struct({ "at-least": Schema.optionalKey(Bound), "at-most": Schema.optionalKey(Bound) })

const VerifiedBy = Schema.Struct({
  metric: Schema.NonEmptyString,
  zone: Schema.optionalKey(Schema.NonEmptyString),
  from: Schema.optionalKey(DeviceId),
  within: Schema.String.check(Schema.makeFilter(isSpan)),
  shows: Schema.Record(Schema.String, Bounds)
})
type VerifiedBy = typeof VerifiedBy.Type

const One = Schema.Struct({
  name: Word,
  group: Schema.optionalKey(Word),
  states: Schema.optionalKey(Schema.Array(Word).check(Schema.isMinLength(2), Schema.isMaxLength(STATES_MAX))),
  safe: Word,
  "at-most": Schema.String.check(Schema.makeFilter(isSpan)),
  tier: Schema.optionalKey(Schema.Literals(tiers)),
  verification: Schema.optionalKey(Schema.Literals(verifications)),
  "may-ask": Schema.optionalKey(Schema.Array(Role).check(Schema.isMinLength(1))),
  level: Schema.optionalKey(Schema.Literals(levels)),
  approvers: Schema.optionalKey(Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))),
  "verified-by": Schema.optionalKey(VerifiedBy),
  exec: Schema.optionalKey(
    Schema.Array(Schema.String.check(Schema.makeFilter((text) => text !== "" && !text.includes("\0")))).check(
      Schema.isMinLength(1),
      Schema.isMaxLength(ARGUMENTS_MAX)
    )
  ),
  gpio: Schema.optionalKey(Gpio)
})
type One = typeof One.Type

const All = Schema.Array(One).check(Schema.isMaxLength(ACTUATORS_MAX))

/** What a value has to be, by the last word of its path. */
const says: { readonly [key: string]: string } = {
  name: "a name is one word in small letters, such as pump-1",
  group: "a group is one word: the actuators of which one moves at a time",
  states: `states are a list of 2 to ${STATES_MAX} words, such as [open, closed]`,
  safe: "safe is the state that it returns to, such as closed",
  "at-most": "at-most is how long it may be in any other state: 30s, 20m, 2h, a day at most",
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
  metric: "metric is what the sensor that sees it says, such as flow",
  zone: "zone is where that sensor is, such as north",
  from: "from is the device of that sensor, by its whole id: clawmesh peers shows it",
  within: "within is how long it may take until the sensor shows it: 5s, 30s, 2m",
  shows: "shows is a mapping of states: { open: { at-least: 0.5 }, closed: { at-most: 0.1 } }",
  "at-least": "at-least is a number, such as 0.5",
  high: "high is the state in which the line is high, such as open"
}
const ALL = "actuators are a list, each with name, safe, at-most, and exec or gpio"
const KNOWN = Object.keys(One.fields)
const KNOWN_GPIO = Object.keys(Gpio.fields)
const KNOWN_VERIFIED_BY = Object.keys(VerifiedBy.fields)
const KNOWN_BOUNDS = Object.keys(Bounds.fields)

const decode = Schema.decodeUnknownResult(All)
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The last word of a path, and those that may stand in its place. */
const wordOf = (path: ReadonlyArray<PropertyKey>) => {
  const names = path.filter((key) => typeof key === "string")
  const [first, second] = names
  const last = names.at(-1)
  // By state: whatever stands there is none of these words.
  if (first === "verified-by" && second === "shows" && names.length === 3) return { last: second, among: names }
  const among =
    names.length > 3 ? KNOWN_BOUNDS : names.length === 1 ? KNOWN : first === "gpio" ? KNOWN_GPIO : KNOWN_VERIFIED_BY
  return { last, among }
}

const sentence = (path: ReadonlyArray<PropertyKey>, value: unknown): string => {
  const { among, last } = wordOf(path)
  if (last === undefined) return ALL
  if (!among.includes(last)) return `no such word${hint(last, among) || `; there are ${among.join(", ")}`}`
  return value === undefined ? `${last} is missing: ${says[last]!}` : says[last]!
}

const valueAt = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown => {
  let at = value
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key]
  }
  return at
}

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

const ownedOf = (one: One): OwnedActuator => ({
  ref: `${ACTUATOR}${one.name}`,
  group: one.group ?? one.name,
  states: one.states ?? ["open", "closed"],
  safe: one.safe,
  forMsMax: spanOf(one["at-most"])!,
  demand: {
    minimum: one.tier ?? "T2_operational_observation",
    verification: one.verification ?? (one.level === "L3" ? "human" : "none")
  },
  askers: one["may-ask"] ?? ["planner", "standby-planner"],
  ...(one.level === undefined ? {} : { level: one.level }),
  ...(one.approvers === undefined ? {} : { approvers: one.approvers }),
  ...(one["verified-by"] === undefined ? {} : { readback: readbackOf(one["verified-by"]) }),
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

export const check = ({ placeOf, value, wordAt }: Section, mistakes: Array<Mistake>): ReadonlyArray<OwnedActuator> => {
  const add = (path: ReadonlyArray<PropertyKey>, message: string): void =>
    void mistakes.push({ ...placeOf(path), message })
  const decoded = decode(value, { errors: "all", onExcessProperty: "error" })
  if (Result.isFailure(decoded)) {
    const told = new Set<string>()
    for (const { path = [] } of issuesOf(decoded.failure.issue).issues) {
      const plain = path.map((step) => (typeof step === "object" ? step.key : step))
      const key = plain.join("/")
      if (told.has(key)) continue
      told.add(key)
      const { among, last } = wordOf(plain)
      const at = last !== undefined && !among.includes(last) ? wordAt(plain) : placeOf(plain)
      mistakes.push({ ...at, message: sentence(plain, valueAt(value, plain)) })
    }
    return []
  }
  const before = mistakes.length
  const names = new Map<string, number>()
  for (const [place, one] of decoded.success.entries()) {
    const first = names.get(one.name)
    if (first !== undefined) add([place, "name"], `${one.name} stands here a second time`)
    names.set(one.name, place)
    for (const [key, message] of atOdds(one)) add(key === "high" ? [place, "gpio", key] : [place, key], message)
  }
  return mistakes.length > before ? [] : decoded.success.map(ownedOf)
}
