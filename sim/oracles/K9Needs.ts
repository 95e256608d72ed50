/**
 * K9: what needs something to be so is out of its safe state only while a sensor has said so, lately (B42; PROTOCOL.md P16.12).
 *
 * What was said is the world's to know: what each device was given to sense. How old a reading is a guardian judges by clocks that err,
 * and by what it has heard, so that some more is allowed here: of several readings any may be the one that it has. Does not judge: that it
 * is moved where it may be.
 */
import type { Actuator, Need } from "../../kernel/actuation/Actuator.ts"
import type { MakeOracle, Oracle } from "./Oracle.ts"
import { hear, type Sensors } from "./Sensed.ts"

/** A clock that runs 30 % slow, and a while under way. */
const latelyMs = (withinMs: number): number => withinMs / 0.7 + 60_000
export const needs: MakeOracle = () => remembering(new Map())

const remembering = (sensors: Sensors): Oracle => {
  const isSaid = ({ atLeast = -Infinity, atMost = Infinity, metric, withinMs, zone }: Need, nowMs: number): boolean =>
    [...sensors.values()].some(
      (sensor) =>
        sensor.metric === metric &&
        (zone === null || sensor.zone === zone) &&
        sensor.said.some(({ atMs, value }) => nowMs - atMs <= latelyMs(withinMs) && value >= atLeast && value <= atMost)
    )

  const missing = ({ needs: all = [] }: Actuator, nowMs: number): Need | undefined =>
    all.find((need) => !isSaid(need, nowMs))

  return {
    id: "K9",
    fork: () => remembering(new Map(sensors)),
    stepped: (seen) => {
      hear(sensors, seen)
      const { after, commands, machine, nowMs } = seen
      const { actuators = [] } = machine.config
      for (const actuator of actuators) {
        const { needs: all, ref, safe } = actuator
        if (all === undefined) continue
        const place = after.guardian.guards.flatMap(({ places }) => places).find((one) => one.ref === ref)
        const drives = commands.some(
          (command) => command._tag === "Drive" && command.actuator === ref && command.state !== safe
        )
        const isOut = place !== undefined && place.state !== null && place.state !== safe && place.recall === null
        const isEnding = after.guardian.guards.some(({ move }) => move?.actuator === ref && move.state === safe)
        const need = drives || (isOut && !isEnding) ? missing(actuator, nowMs) : undefined
        if (need !== undefined)
          return `${machine.name} ${drives ? "moves" : "leaves open"} ${ref}, and nobody has said lately that ${need.metric} is as it needs to be`
      }
      return null
    }
  }
}
