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

const zoneLines = ({ about, actuators, name, sensors }: Zone, look: Look): ReadonlyArray<string> => [
  `${styled(printable(name), "bold", look)}${about === "" ? "" : `   ${printable(about)}`}`,
  ...(sensors.length === 0 && actuators.length === 0 ? ["  nothing measures here, and nothing moves"] : []),
  ...(sensors.length === 0
    ? []
    : table(["SENSOR", "VALUE", "IS", "AGE", "TIER", "SOURCE"], sensors.map(sensorRow), look)),
  ...(actuators.length === 0 ? [] : table(["ACTUATOR", "STATE", "LEASE", "PROPOSAL"], actuators.map(actuatorRow), look))
]

export const farmScreen = ({ seenFrom, site, zones }: FarmApi.Farm, look: Look): string => {
  const head = look.quiet
    ? []
    : [`${site === "" ? "The farm" : printable(site)}, as ${printable(seenFrom)} sees it`, ""]
  const all = zones.flatMap((zone, place) => [...(place === 0 ? [] : [""]), ...zoneLines(zone, look)])
  return `${[...head, ...all].join("\n")}\n`
}

export const showFarm = (errand: Errand, zone: string | null): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const farm = yield* ask(errand.socket, { method: "GET", target: "/farm" }, FarmApi.Farm)
    const zones = zone === null ? farm.zones : farm.zones.filter(({ name }) => name === zone)
    if (zone !== null && zones.length === 0) {
      const names = farm.zones.map(({ name }) => name)
      const wayOut = hint(zone, names) || `; there are ${names.join(" ")}`
      return yield* Effect.fail(failure("NOT_FOUND", `no zone is called ${JSON.stringify(zone)}${wayOut}`))
    }
    told(errand, { ...farm, zones }, (document) => farmScreen(document, errand.look))
  })
