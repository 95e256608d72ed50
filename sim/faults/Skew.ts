/**
 * Clocks that are set or change their rate while they run. A calendar that jumps moves no timer and no lease: those run on the
 * monotonic clock, which never jumps. Another rate moves both, from the moment on at which it changes.
 *
 * Taking it back moves the calendar back as far as it was moved, and gives the clock its own rate. Of two rates on one clock the
 * later counts, and its end is the end of both. A calendar keeps what it was set to over a restart, except with `boots-in: 1970`.
 *
 * Does not model: NTP that slews, leap seconds.
 */
import type { Machine } from "../engine/Machine.ts"
import { EPOCH_MS } from "../engine/NodeClock.ts"
import type { Skew } from "../scenario/Scenario.ts"
import { inWorld, names, tell, type Fault } from "./Fault.ts"

/** How far the calendar moves. */
const jumpMs = ({ clock, world }: Machine, how: Exclude<Skew, { readonly _tag: "rate" }>): number => {
  if (how._tag === "by") return how.ms
  const { wall } = clock.instant(world.nowMs)
  return (how.calendar === "1970" ? 0 : EPOCH_MS + world.nowMs) - wall
}

const words = (how: Skew): string => {
  switch (how._tag) {
    case "by":
      return `jumps by ${how.ms / 1_000} s`
    case "to":
      return how.calendar === "1970" ? "is set to 1970" : "is set right"
    case "rate":
      return `runs ${Math.abs(how.ppm) / 10_000} % ${how.ppm < 0 ? "slow" : "fast"}`
  }
}

export const skew: Fault<"skew"> = ({ how, who }, strike) => {
  const machines = strike.resolve(who)
  const readings = machines.reduce((sum, machine) => sum + machine.readings, 0)
  strike.tell("world.skew", null, `${names(machines)} ${words(how)}`)
  const jumps = how._tag === "rate" ? [] : machines.map((machine) => jumpMs(machine, how))
  machines.forEach((machine, place) => {
    const { clock, world } = machine
    machine.reclock(how._tag === "rate" ? clock.rated(world.nowMs, how.ppm) : clock.jumped(jumps[place]!))
  })
  return {
    touched: (world) => inWorld(world, machines).reduce((sum, machine) => sum + machine.readings, 0) - readings,
    whileInForce: true,
    undo: (world) => {
      tell(world, "world.undo", null, `the clock of ${names(machines)} as before`)
      inWorld(world, machines).forEach((machine, place) => {
        const { clock, spec } = machine
        if (how._tag !== "rate") machine.reclock(clock.jumped(-jumps[place]!))
        else if (clock.ratePpm === how.ppm) machine.reclock(clock.rated(world.nowMs, spec.clockRatePpm))
      })
    }
  }
}
