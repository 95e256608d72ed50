/**
 * A farm under a simulated mesh: what sensors of a scenario measure, and what the hardware of its nodes changes. It is as things are, and
 * not as anybody believes; nodes learn of it by what their sensors say.
 *
 * It moves on when something of it changes: a valve, or a sensor that looks. In between it is computed in steps of a minute at most. Whoever
 * asks what is so now, such as an expectation, changes nothing. Arithmetic only, and so the same on every machine.
 */
import * as Soil from "./Soil.ts"
import * as Tank from "./Tank.ts"
import { HOUR_MS, rainfall, sunlight, temperature, type Weather } from "./Weather.ts"

export interface Field extends Soil.Soil {
  readonly name: string
  /** %, at the start */
  readonly moisture: number
  /** What a day asks for, mm. */
  readonly dailyMm: number
  readonly areaM2: number
  /** The actuator that waters it, by its name without the prefix; `null`: the rain. */
  readonly valve: string | null
  /** Through it while it is open, litres a minute. */
  readonly flow: number
}

export interface FarmSpec {
  readonly weather: Weather
  readonly fields: ReadonlyArray<Field>
  /** `null`: there is water enough. */
  readonly tank: (Tank.Tank & { readonly litres: number }) | null
}

/** What can be measured there. */
export const metrics = ["moisture", "temperature", "flow", "level"] as const
export type Metric = (typeof metrics)[number]
export const TANK = "tank"
/** Whether there is such a thing at this place. */
export const has = ({ tank }: FarmSpec, place: string, metric: Metric): boolean =>
  place === TANK ? tank !== null && metric === "level" : metric !== "level"

const STEP_MS = 60_000

interface State {
  readonly atMs: number
  /** %, field by field. */
  readonly moistures: ReadonlyArray<number>
  readonly litres: number
}

type IsOpen = (valve: string) => boolean

export class Farm {
  private readonly spec: FarmSpec
  private state: State

  /** `from`: of the world that this one is forked from. */
  constructor(spec: FarmSpec, from?: Farm) {
    this.spec = spec
    const { fields, tank } = spec
    this.state = from?.state ?? {
      atMs: 0,
      moistures: fields.map(({ moisture }) => moisture),
      litres: tank?.litres ?? 0
    }
  }

  /** Time has passed, with these valves open. To be called before one of them is moved. */
  pass(nowMs: number, isOpen: IsOpen): void {
    this.state = this.at(nowMs, isOpen)
  }

  /** What a sensor there shows; `null`: there is nothing to measure. */
  measure(nowMs: number, isOpen: IsOpen, place: string, metric: Metric): number | null {
    const { fields, weather } = this.spec
    if (!has(this.spec, place, metric)) return null
    const { litres, moistures } = this.at(nowMs, isOpen)
    if (place === TANK) return litres
    const index = fields.findIndex(({ name }) => name === place)
    const field = fields[index]
    if (field === undefined) return null
    if (metric === "moisture") return moistures[index]!
    if (metric === "temperature") return temperature(weather, nowMs)
    return flowOf(field, isOpen) * this.shareAt(litres, isOpen)
  }

  /** Of what the open valves would take, what there is. */
  private shareAt(litres: number, isOpen: IsOpen): number {
    const { fields, tank } = this.spec
    const perMinute = fields.reduce((sum, field) => sum + flowOf(field, isOpen), 0)
    return tank === null ? 1 : Tank.drawn(tank, litres, 1 / 60, perMinute).share
  }

  private at(nowMs: number, isOpen: IsOpen): State {
    let { state } = this
    while (state.atMs < nowMs) state = this.step(state, Math.min(nowMs, state.atMs + STEP_MS), isOpen)
    return state
  }

  private step({ atMs, litres, moistures }: State, toMs: number, isOpen: IsOpen): State {
    const { fields, tank, weather } = this.spec
    const hours = (toMs - atMs) / HOUR_MS
    const wanted = fields.map((field) => flowOf(field, isOpen) * 60 * hours)
    const all = wanted.reduce((sum, litresOf) => sum + litresOf, 0)
    const drawn = tank === null ? { litres, share: 1 } : Tank.drawn(tank, litres, hours, all)
    const rainMm = rainfall(weather, atMs, toMs)
    const share = sunlight(weather, (atMs + toMs) / 2) * hours
    return {
      atMs: toMs,
      litres: drawn.litres,
      moistures: fields.map((field, index) => {
        // A litre on a square metre is a millimetre.
        const inMm = rainMm + (wanted[index]! * drawn.share) / field.areaM2
        return Soil.watered(field, moistures[index]!, inMm, field.dailyMm * share)
      })
    }
  }
}

/** Litres a minute that its valve would take. */
const flowOf = ({ flow, valve }: Field, isOpen: IsOpen): number => (valve !== null && isOpen(valve) ? flow : 0)
