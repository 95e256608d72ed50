/** `clawmesh farm`: the farm as this node sees it, zone by zone. */
import * as Effect from "effect/Effect"
import { hint } from "../config/Spelling.ts"
import { printable } from "../config/Printable.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import * as FarmApi from "../operator/FarmApi.ts"
import { ask } from "./Client.ts"
import { told, type Errand } from "./Errand.ts"
import { called, type Cell, duration, type Look, styled, type Style, table } from "./Text.ts"

type Zone = FarmApi.Farm["zones"][number]
type Sensor = Zone["sensors"][number]
type Actuator = Zone["actuators"][number]

const styles: { readonly [I in Sensor["is"]]: Style } = { well: "green", low: "yellow", high: "yellow", unknown: "red" }

/** A word beside the colour: nobody has to see it. */
const conditionOf = ({ atLeast, atMost, is, unit }: Sensor): Cell => {
  const bound = is === "low" ? `, ${atLeast} ${unit} at least` : is === "high" ? `, ${atMost} ${unit} at most` : ""
  return { text: `${is}${printable(bound)}`, style: styles[is] }
}

const sensorRow = (sensor: Sensor): ReadonlyArray<string | Cell> => {
  const { ageMs, evidence, freshness, metric, source, tier, unit, value } = sensor
  if (value === null) return [printable(metric), "nothing said", conditionOf(sensor)]
  return [
    printable(metric),
    printable(`${value} ${unit}`),
    conditionOf(sensor),
    ageMs === null ? "" : `${duration(ageMs)}, ${freshness ?? ""}`,
    tier === null ? "" : `${tier.slice(0, 2)}${evidence === true ? "" : ", hearsay"}`,
    source === null ? "" : called(source)
  ]
}

const stateOf = ({ guardian, leftMs, safe, state, up }: Actuator): string | Cell => {
  if (guardian === null) return { text: "nobody moves it", style: "red" }
  if (!up) return { text: `${called(guardian)} is not up`, style: "red" }
  if (state === null) return `as ${called(guardian)} has it`
  const left = leftMs === null ? "" : `, ${duration(leftMs)} left`
  return state === safe ? printable(state) : { text: `${printable(state)}${left}`, style: "green" }
}

/** What waits first, and else what was last. */
const proposalOf = ({ last, proposals }: Actuator): string => {
  const [open] = proposals
  const one = open ?? last
  if (one === null || one === undefined) return ""
  const by = one.by === null ? "" : ` by ${printable(one.by)}`
  const more = proposals.length > 1 ? `, and ${proposals.length - 1} more` : ""
  return `${one.short} ${printable(one.state)}: ${one.status.replace("_", " ")}${by}, ${duration(one.ageMs)} ago, of ${called(one.owner)}${more}`
}

const actuatorRow = (actuator: Actuator): ReadonlyArray<string | Cell> => {
  const proposal = proposalOf(actuator)
  return [
    printable(actuator.name),
    stateOf(actuator),
    actuator.drivenBy === null ? "free" : `driven by ${called(actuator.drivenBy)}`,
    ...(proposal === "" ? [] : [proposal])
  ]
}

const headline = ({ about, name }: { readonly about: string; readonly name: string }, look: Look): string =>
  `${styled(printable(name), "bold", look)}${about === "" ? "" : `   ${printable(about)}`}`

/** Of one asset, or, `null`, of the zone itself. */
const tables = ({ actuators, sensors }: Zone, of: string | null, look: Look): ReadonlyArray<string> => {
  const measuring = sensors.filter(({ asset }) => asset === of)
  const moving = actuators.filter(({ asset }) => asset === of)
  return [
    ...(measuring.length === 0
      ? []
      : table(["SENSOR", "VALUE", "IS", "AGE", "TIER", "SOURCE"], measuring.map(sensorRow), look)),
    ...(moving.length === 0 ? [] : table(["ACTUATOR", "STATE", "LEASE", "PROPOSAL"], moving.map(actuatorRow), look))
  ]
}

const NOTHING = "  nothing measures here, and nothing moves"

const zoneLines = (zone: Zone, look: Look): ReadonlyArray<string> => {
  const own = tables(zone, null, look)
  const isEmpty = own.length === 0 && zone.assets.length === 0
  return [
    headline(zone, look),
    ...(isEmpty ? [NOTHING] : own),
    ...zone.assets.flatMap((asset) => {
      const lines = tables(zone, asset.name, look)
      return [`  ${headline(asset, look)}`, ...(lines.length === 0 ? [NOTHING] : lines).map((line) => `  ${line}`)]
    })
  ]
}

export const farmScreen = ({ seenFrom, site, zones }: FarmApi.Farm, look: Look): string => {
  const head = look.quiet
    ? []
    : [`${site === "" ? "The farm" : printable(site)}, as ${printable(seenFrom)} sees it`, ""]
  const all = zones.flatMap((zone, place) => [...(place === 0 ? [] : [""]), ...zoneLines(zone, look)])
  return `${[...head, ...all].join("\n")}\n`
}

/** One asset, in its zone. */
const assetIn = (zones: ReadonlyArray<Zone>, called: string): ReadonlyArray<Zone> =>
  zones.flatMap((zone) => {
    const assets = zone.assets.filter(({ name }) => name === called)
    const isOfIt = ({ asset }: { readonly asset: string | null }): boolean => asset === called
    return assets.length === 0
      ? []
      : [{ ...zone, assets, sensors: zone.sensors.filter(isOfIt), actuators: zone.actuators.filter(isOfIt) }]
  })

/** @param place a zone or an asset; `null`: all of it */
export const showFarm = (errand: Errand, place: string | null): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const farm = yield* ask(errand.socket, { method: "GET", target: "/farm" }, FarmApi.Farm)
    const named = farm.zones.filter(({ name }) => name === place)
    const zones = place === null ? farm.zones : named.length > 0 ? named : assetIn(farm.zones, place)
    if (place !== null && zones.length === 0) {
      const names = farm.zones.flatMap(({ assets, name }) => [name, ...assets.map((asset) => asset.name)])
      const wayOut = hint(place, names) || `; there are ${names.join(" ")}`
      return yield* Effect.fail(failure("NOT_FOUND", `no zone or asset is called ${JSON.stringify(place)}${wayOut}`))
    }
    told(errand, { ...farm, zones }, (document) => farmScreen(document, errand.look))
  })
