/** What sensors of the world have said: what each device was given to sense, kept for oracles that ask for a reason (K8, K9). */
import { INTERVAL_MS } from "../../kernel/world/Log.ts"
import type { Observation } from "./Oracle.ts"

/** Readings of one kind of one device that are remembered. */
const SAID_MAX = 256

export interface Said {
  readonly atMs: number
  readonly value: number
  /** How often it is said, as it says. */
  readonly intervalMs: number
}

/** Of one device, metric and zone. */
export interface Sensor {
  readonly deviceId: string
  readonly metric: unknown
  /** `null`: it says none. */
  readonly zone: unknown
  readonly said: ReadonlyArray<Said>
}

export type Sensors = Map<string, Sensor>

/** Entries are replaced, and not changed: a copy of the map is another memory. */
export const hear = (sensors: Sensors, { input, machine, nowMs }: Observation): void => {
  if (input._tag !== "Sensed" || input.kind !== "observation") return
  const { intervalMs: every, metric, value, zone = null } = input.data
  if (typeof value !== "number") return
  const intervalMs = typeof every === "number" && every > 0 ? every : INTERVAL_MS
  const { deviceId } = machine.config
  const key = JSON.stringify([deviceId, metric, zone])
  const said = [...(sensors.get(key)?.said ?? []), { atMs: nowMs, value, intervalMs }].slice(-SAID_MAX)
  sensors.set(key, { deviceId, metric, zone, said })
}
