/**
 * What this node reads, read: each program of node.yaml runs once at each time, and what it prints is one number, which is said to the
 * mesh as an observation. What that is worth, and when it was, is the kernel's to say.
 *
 * Total: a program that fails, is not there, takes longer than its time or prints something else than a number within its bounds says
 * nothing; the log tells so once, and once more when it reads again.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Happened } from "../../kernel/Input.ts"
import type { ProgramSensor, Sensor } from "../config/Sensors.ts"
import { run, type Program } from "./Program.ts"

const PROGRAM_MS_MAX = 10_000

/** A number as programs print it, and nothing else on the line. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/iu

/** What was printed, as a reading; a text: why it is none. */
export const readingOf = ({ atLeast, atMost }: Sensor, output: string): number | string => {
  const text = output.trim()
  if (!NUMBER.test(text)) return `says ${JSON.stringify(text.slice(0, 40))}, which is no number`
  const value = Number(text)
  if (!Number.isFinite(value)) return `says ${text.slice(0, 40)}, which is too large`
  return value < atLeast || value > atMost ? `reads ${value}, which is outside its bounds` : value
}

const programOf = ({ command, everyMs, metric, zone }: ProgramSensor): Program => ({
  command,
  environment: { CLAWMESH_METRIC: metric, CLAWMESH_ZONE: zone ?? "" },
  msMax: Math.min(everyMs, PROGRAM_MS_MAX),
  reads: true
})

export interface Read {
  /** Whether anything that is said now is heard. */
  readonly isUp: () => boolean
  readonly offer: (happened: Happened) => Effect.Effect<void>
  /** One line for the log. */
  readonly note: (text: string) => void
}

export const sensed = ({ everyMs, metric, unit, zone }: Sensor, value: number): Happened => ({
  _tag: "Sensed",
  frameId: randomUUID(),
  kind: "observation",
  data: {
    ...(zone === null ? {} : { zone }),
    metric,
    value,
    ...(unit === null ? {} : { unit }),
    intervalMs: everyMs
  }
})

/** For the log. */
export const nameOf = ({ metric, zone }: Sensor): string => (zone === null ? metric : `${metric} of ${zone}`)

/** Reads this one until it is interrupted, from now on. */
const watch = Effect.fnUntraced(function* (sensor: ProgramSensor, { isUp, note, offer }: Read) {
  const name = nameOf(sensor)
  let isSilent = false
  while (true) {
    const startedAt = performance.now()
    if (isUp()) {
      const what = yield* run(programOf(sensor))
      const reading = "why" in what ? what.why : readingOf(sensor, what.out)
      if (typeof reading === "number") {
        yield* offer(sensed(sensor, reading))
        if (isSilent) note(`${name}: it reads again`)
      } else if (!isSilent) note(`${name}: ${sensor.command[0]} ${reading}; nothing is said until it reads`)
      isSilent = typeof reading !== "number"
    }
    yield* Effect.sleep(Math.max(0, sensor.everyMs - (performance.now() - startedAt)))
  }
})

/** Each of them by itself: one that hangs holds up none. */
export const read = (sensors: ReadonlyArray<ProgramSensor>, how: Read): Effect.Effect<never> =>
  Effect.forever(Effect.forEach(sensors, (sensor) => watch(sensor, how), { concurrency: "unbounded", discard: true }))
