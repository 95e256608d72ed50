/**
 * farm.yaml: what the farm is, the same file for every node of it. Zones, what sensors say there and between which bounds that is well,
 * what moves there and within which limits, and what planners propose by themselves. Every mistake is told at its place.
 *
 * What a node itself moves stands in its node.yaml, with the program that does so; where farm.yaml knows it too, the two have to agree.
 */
import { dirname, resolve } from "node:path"
import * as Schema from "effect/Schema"
import { ACTUATOR, levels, type Level } from "../../kernel/actuation/Actuator.ts"
import { isMove, type Rule } from "../../kernel/planning/Rule.ts"
import type { OwnedActuator } from "./Actuators.ts"
import { byPlace, type ReadBytes, type ReadYaml, reasons, textOf } from "./ConfigFile.ts"
import type { Mistake } from "./Mistake.ts"
import type { Origin } from "./Origin.ts"
import * as Rules from "./Rules.ts"
import {
  type Add,
  adder,
  Bound,
  decodeSection,
  farmSections,
  listIn,
  Plain,
  repeated,
  Span,
  spanOf,
  type Section,
  type SectionName,
  type Word,
  type Words
} from "./Section.ts"
import { hint } from "./Spelling.ts"

export interface Zone {
  readonly name: string
  /** For people; empty: nothing is said. */
  readonly about: string
}

/** A thing that stands in a zone: a tank, a tunnel, a pump. */
export interface Asset {
  readonly name: string
  readonly zone: string
  /** For people; empty: nothing is said. */
  readonly about: string
}

export interface FarmSensor {
  readonly metric: string
  readonly zone: string
  /** The asset that it measures; `null`: the zone. */
  readonly asset: string | null
  readonly unit: string
  /** How often it is to be heard, ms. */
  readonly everyMs: number
  /** Between these all is well. */
  readonly atLeast: number
  readonly atMost: number
}

export interface FarmActuator {
  /** `actuator:valve-north` */
  readonly ref: string
  readonly name: string
  readonly zone: string
  /** The asset that it belongs to; `null`: the zone. */
  readonly asset: string | null
  /** Of one group one moves at a time. */
  readonly group: string
  readonly states: ReadonlyArray<string>
  readonly safe: string
  /** In any other state, ms. */
  readonly forMsMax: number
  readonly level: Level
}

export interface Farm {
  /** Absolute. */
  readonly file: string
  readonly site: string
  readonly zones: ReadonlyArray<Zone>
  readonly assets: ReadonlyArray<Asset>
  readonly sensors: ReadonlyArray<FarmSensor>
  readonly actuators: ReadonlyArray<FarmActuator>
  readonly rules: ReadonlyArray<Rule>
}

const ZONES_MAX = 1_024
const LIST_MAX = 4_096
const ABOUT_MAX = 200

const Text = (max: number) => Schema.NonEmptyString.check(Schema.isMaxLength(max))

const ZoneWords = Schema.Struct({ name: Plain, about: Schema.optionalKey(Text(ABOUT_MAX)) })
const AssetWords = Schema.Struct({ name: Plain, zone: Plain, about: Schema.optionalKey(Text(ABOUT_MAX)) })
const SensorWords = Schema.Struct({
  metric: Plain,
  zone: Plain,
  asset: Schema.optionalKey(Plain),
  unit: Text(16),
  every: Span,
  "at-least": Schema.optionalKey(Bound),
  "at-most": Schema.optionalKey(Bound)
})
const ActuatorWords = Schema.Struct({
  name: Plain,
  zone: Plain,
  asset: Schema.optionalKey(Plain),
  group: Schema.optionalKey(Plain),
  states: Schema.optionalKey(Schema.Array(Plain).check(Schema.isMinLength(2), Schema.isMaxLength(16))),
  safe: Plain,
  "at-most": Span,
  level: Schema.optionalKey(Schema.Literals(levels))
})

export const One = {
  zones: Schema.Array(ZoneWords).check(Schema.isMinLength(1), Schema.isMaxLength(ZONES_MAX)),
  assets: Schema.Array(AssetWords).check(Schema.isMaxLength(LIST_MAX)),
  sensors: Schema.Array(SensorWords).check(Schema.isMaxLength(LIST_MAX)),
  actuators: Schema.Array(ActuatorWords).check(Schema.isMaxLength(LIST_MAX))
}

const plainWord =
  (among: ReadonlyArray<string>) =>
  (path: ReadonlyArray<PropertyKey>): Word => ({ last: path.filter((key) => typeof key === "string").at(-1), among })

export const words: { readonly [S in keyof typeof One]: Words } = {
  zones: {
    all: `zones are a list of 1 to ${ZONES_MAX}, each with a name`,
    says: {
      name: "a zone is called by one word in small letters, such as north",
      about: `about is a text for people, ${ABOUT_MAX} characters at most`
    },
    wordOf: plainWord(Object.keys(ZoneWords.fields))
  },
  assets: {
    all: `assets are a list of ${LIST_MAX} at most, each with name and zone`,
    says: {
      name: "an asset is called by one word in small letters, such as tank-1",
      zone: "zone is where, one of zones",
      about: `about is a text for people, ${ABOUT_MAX} characters at most`
    },
    wordOf: plainWord(Object.keys(AssetWords.fields))
  },
  sensors: {
    all: `sensors are a list of ${LIST_MAX} at most, each with metric, zone, unit and every`,
    says: {
      metric: "metric is what is read, one word in small letters, such as moisture",
      zone: "zone is where, one of zones",
      asset: "asset is what it measures, one of assets",
      unit: 'unit is what it is counted in, such as "%" or L/min',
      every: "every is how often it is to be heard: 10s, 10m, 1h",
      "at-least": "at-least is a number: below it something is wrong",
      "at-most": "at-most is a number: above it something is wrong"
    },
    wordOf: plainWord(Object.keys(SensorWords.fields))
  },
  actuators: {
    all: `actuators are a list of ${LIST_MAX} at most, each with name, zone, safe and at-most`,
    says: {
      name: "a name is one word in small letters, such as valve-north",
      zone: "zone is where, one of zones",
      asset: "asset is what it belongs to, one of assets",
      group: "a group is one word: the actuators of which one moves at a time",
      states: "states are a list of 2 to 16 words, such as [open, closed]",
      safe: "safe is the state that it returns to, such as closed",
      "at-most": "at-most is how long it may be in any other state: 30s, 20m, 2h, a day at most",
      level: "level is who has to agree to a proposal: L1 nobody, L2 a person, L3 a person who types its name"
    },
    wordOf: plainWord(Object.keys(ActuatorWords.fields))
  }
}

const numberOr = (bound: string | number | undefined, otherwise: number): number =>
  bound === undefined ? otherwise : Number(bound)

/** `null`: the zones do not read themselves. */
const inZone = (zone: string, zones: ReadonlyArray<Zone> | null, place: number, add: Add): void => {
  if (zones === null) return
  const names = zones.map(({ name }) => name)
  if (!names.includes(zone))
    add([place, "zone"], `no zone is called ${zone}${hint(zone, names) || `; there are ${names.join(", ")}`}`)
}

/** What others of a section may name: where things are, and what they are. `null`: that does not read itself. */
interface Places {
  readonly zones: ReadonlyArray<Zone> | null
  readonly assets: ReadonlyArray<Asset> | null
}

const assetsIn = (
  section: Section,
  zones: ReadonlyArray<Zone> | null,
  mistakes: Array<Mistake>
): ReadonlyArray<Asset> | null => {
  const add = adder(section, mistakes)
  const decoded = decodeSection(section, One.assets, words.assets, mistakes)
  if (decoded === null) return null
  const assets = decoded.map(({ about = "", name, zone }): Asset => ({ name, zone, about }))
  repeated(
    assets.map(({ name }) => name),
    "name",
    add
  )
  for (const [place, { name, zone }] of assets.entries()) {
    inZone(zone, zones, place, add)
    if (zones?.some((one) => one.name === name) === true) add([place, "name"], "a zone is called so")
  }
  return assets
}

/** What stands in another zone than its asset belongs to neither. */
const ofAsset = (asset: string | null, zone: string, { assets }: Places, place: number, add: Add): void => {
  if (asset === null || assets === null) return
  const one = assets.find(({ name }) => name === asset)
  const names = assets.map(({ name }) => name)
  if (one === undefined)
    add([place, "asset"], `no asset is called ${asset}${hint(asset, names) || ": write it among assets"}`)
  else if (one.zone !== zone) add([place, "asset"], `${asset} stands in ${one.zone}, and not in ${zone}`)
}

const sensorsIn = (section: Section, places: Places, mistakes: Array<Mistake>): ReadonlyArray<FarmSensor> => {
  const add = adder(section, mistakes)
  const sensors = (decodeSection(section, One.sensors, words.sensors, mistakes) ?? []).map((one): FarmSensor => ({
    metric: one.metric,
    zone: one.zone,
    asset: one.asset ?? null,
    unit: one.unit,
    everyMs: spanOf(one.every)!,
    atLeast: numberOr(one["at-least"], Number.NEGATIVE_INFINITY),
    atMost: numberOr(one["at-most"], Number.POSITIVE_INFINITY)
  }))
  repeated(
    sensors.map(({ metric, zone }) => `${metric} of ${zone}`),
    "metric",
    add
  )
  for (const [place, { asset, atLeast, atMost, zone }] of sensors.entries()) {
    inZone(zone, places.zones, place, add)
    ofAsset(asset, zone, places, place, add)
    if (atLeast > atMost) add([place, "at-most"], "no reading is at least that, and at most this")
  }
  return sensors
}

const actuatorsIn = (section: Section, places: Places, mistakes: Array<Mistake>): ReadonlyArray<FarmActuator> => {
  const add = adder(section, mistakes)
  const actuators = (decodeSection(section, One.actuators, words.actuators, mistakes) ?? []).map(
    (one): FarmActuator => ({
      ref: `${ACTUATOR}${one.name}`,
      name: one.name,
      zone: one.zone,
      asset: one.asset ?? null,
      group: one.group ?? one.name,
      states: one.states ?? ["open", "closed"],
      safe: one.safe,
      forMsMax: spanOf(one["at-most"])!,
      level: one.level ?? "L2"
    })
  )
  repeated(
    actuators.map(({ name }) => name),
    "name",
    add
  )
  for (const [place, { asset, safe, states, zone }] of actuators.entries()) {
    inZone(zone, places.zones, place, add)
    ofAsset(asset, zone, places, place, add)
    if (!states.includes(safe)) add([place, "safe"], `${safe} is none of its states: ${states.join(", ")}`)
    if (new Set(states).size !== states.length) add([place, "states"], "a state stands there a second time")
  }
  return actuators
}

const missing = (name: string, actuators: Farm["actuators"]): string =>
  `nothing here is called ${name}${
    hint(
      name,
      actuators.map((one) => one.name)
    ) || ": write it among actuators"
  }`

/** What a rule asks of sensors and actuators that the farm does not have, or that they do not do. */
const fitting = (
  section: Section,
  rules: ReadonlyArray<Rule>,
  { actuators, sensors, zones }: Omit<Farm, "rules">,
  mistakes: Array<Mistake>
): void => {
  const add = adder(section, mistakes)
  for (const [place, { metric, then, zone }] of rules.entries()) {
    if (zone === null) add([place], "a rule of a farm names its zone: write zone:, one of zones")
    else inZone(zone, zones, place, add)
    const isSaid = sensors.some((one) => one.metric === metric && one.zone === zone)
    if (!isSaid && zones.some(({ name }) => name === zone))
      add([place, "metric"], `no sensor says ${metric} of ${zone}: write it among sensors`)
    if (!isMove(then)) {
      for (const [i, ref] of then.may.entries()) {
        const owned = actuators.find((one) => one.ref === ref)
        const name = ref.slice(ACTUATOR.length)
        if (owned === undefined) add([place, "may", i], missing(name, actuators))
        else if (then.forMaxMs > owned.forMsMax)
          add([place, "for"], `${name} may be moved for ${owned.forMsMax / 1_000} s at most`)
      }
      continue
    }
    const name = then.actuator.slice(ACTUATOR.length)
    const actuator = actuators.find(({ ref }) => ref === then.actuator)
    const at = [place, "propose"]
    if (actuator === undefined) {
      add([...at, "actuator"], missing(name, actuators))
    } else if (!actuator.states.includes(then.state))
      add([...at, "state"], `${then.state} is none of its states: ${actuator.states.join(", ")}`)
    else if (then.state !== actuator.safe && then.forMs === 0)
      add(at, `for how long is ${name} to be ${then.state}? Write for: 20m`)
    else if (then.state !== actuator.safe && then.forMs > actuator.forMsMax)
      add([...at, "for"], `${name} may be ${then.state} for ${actuator.forMsMax / 1_000} s at most`)
  }
}

const siteOf = (section: Section | undefined, mistakes: Array<Mistake>): string => {
  if (section === undefined) return ""
  const { placeOf, value } = section
  if (typeof value === "string" && value.trim() !== "" && value.length <= ABOUT_MAX) return value
  mistakes.push({ ...placeOf([]), message: `site is the name of the farm, ${ABOUT_MAX} characters at most` })
  return ""
}

/** `null`: it does not read, and why is told. */
export const readFarm = (
  named: { readonly path: string; readonly origin: Origin; readonly base: string },
  read: ReadBytes,
  yaml: ReadYaml,
  mistakes: Array<Mistake>
): Farm | null => {
  const file = resolve(named.base, named.path)
  const found = read(file)
  if ("failed" in found) {
    const reason = reasons[found.failed] ?? found.failed
    mistakes.push({ origin: named.origin, excerpt: null, message: `${file} cannot be read: ${reason}` })
    return null
  }
  const text = textOf(file, found.bytes, mistakes)
  if (text === null) return null
  const told: Array<Mistake> = []
  const vocabulary = {
    keys: [],
    sections: farmSections,
    says: "a farm is a mapping: its lines are such as site: North farm"
  }
  const { sections } = yaml(file, text, vocabulary, told)
  const farm = told.length > 0 ? null : farmIn(file, sections, told)
  mistakes.push(...told.sort(byPlace))
  return told.length > 0 ? null : farm
}

const farmIn = (file: string, sections: ReadonlyMap<SectionName, Section>, mistakes: Array<Mistake>): Farm | null => {
  const origin: Origin = { _tag: "File", file, line: 1, column: 1 }
  const zoned = sections.get("zones")
  if (zoned === undefined) {
    mistakes.push({ origin, excerpt: null, message: `a farm has zones: ${words.zones.all}` })
    return null
  }
  const site = siteOf(sections.get("site"), mistakes)
  const decoded = decodeSection(zoned, One.zones, words.zones, mistakes)
  const zones = decoded?.map(({ about = "", name }): Zone => ({ name, about })) ?? null
  repeated(zones?.map(({ name }) => name) ?? [], "name", adder(zoned, mistakes))
  const standing = sections.get("assets")
  const assets = standing === undefined ? [] : assetsIn(standing, zones, mistakes)
  const places = { zones, assets }
  const sensors = listIn(sections, "sensors", (section) => sensorsIn(section, places, mistakes))
  const actuators = listIn(sections, "actuators", (section) => actuatorsIn(section, places, mistakes))
  const isWhole = mistakes.length === 0
  const bare = { file, site, zones: zones ?? [], assets: assets ?? [], sensors, actuators }
  const rules = listIn(sections, "rules", (section) => {
    const all = Rules.check(section, mistakes)
    // What they ask for has to be there, as far as that is known.
    if (isWhole) fitting(section, all, bare, mistakes)
    return all
  })
  return { ...bare, rules }
}

/** Where what this node moves is not as the farm has it, at its place in node.yaml. */
export const contradictions = (
  { actuators, file }: Farm,
  owned: ReadonlyArray<OwnedActuator>,
  moving: Section,
  mistakes: Array<Mistake>
): void => {
  const add = adder(moving, mistakes)
  for (const [place, one] of owned.entries()) {
    const known = actuators.find(({ ref }) => ref === one.ref)
    if (known === undefined) continue
    const says = (key: string, what: string): void => add([place, key], `${what}, as ${file} says`)
    if (one.safe !== known.safe) says("safe", `its safe state is ${known.safe}`)
    if (one.forMsMax > known.forMsMax) says("at-most", `it may be so for ${known.forMsMax / 1_000} s at most`)
    if (one.group !== known.group) says("group", `its group is ${known.group}`)
    if (levels.indexOf(one.level ?? "L2") < levels.indexOf(known.level)) says("level", `its level is ${known.level}`)
    const strange = one.states.find((state) => !known.states.includes(state))
    if (strange !== undefined) says("states", `its states are ${known.states.join(", ")}`)
  }
}

/** Seen from the file that names it, wherever the daemon is started. */
export const baseOf = (origin: Origin, cwd: string): string => (origin._tag === "File" ? dirname(origin.file) : cwd)
