/**
 * Nodes that say something to the mesh: frames of their own, once or again and again. The program goes on with the next process, as a
 * sensor on a device does; while none runs it says nothing.
 */
import { inWorld, oneOf, names, tell, type Fault } from "./Fault.ts"

export const sense: Fault<"sense"> = ({ causes, data, eachMs, frame, kind, measures, shows, times, who }, strike) => {
  const machines = strike.resolve(who)
  const often = times === 1 ? "" : ` ${times} times, each ${eachMs} ms`
  const { metric, value, zone } = data
  // What it shows is seen when it says so.
  const what = [metric, value].filter((word) => word !== undefined).join(" ")
  const where = zone === undefined ? "" : ` in ${String(zone)}`
  strike.tell(
    "world.sense",
    oneOf(machines),
    `${words(kind)}${what === "" ? "" : ` ${what}`}${where} (${frame})${often}`
  )
  const sensing = machines.map((machine) =>
    machine.sense({
      name: frame,
      kind,
      data,
      shows: shows ?? null,
      measures: measures ?? null,
      times,
      eachMs,
      causes: causes ?? null
    })
  )
  return {
    touched: (now) => inWorld(now, machines).reduce((sum, machine, i) => sum + machine.said(sensing[i]!), 0),
    undo: (now) => {
      tell(
        now,
        "world.undo",
        oneOf(machines),
        `${names(machines)} ${machines.length === 1 ? "says" : "say"} no more of ${frame}`
      )
      inWorld(now, machines).forEach((machine, i) => machine.stopSensing(sensing[i]!))
    }
  }
}

const words = (kind: string): string => (kind === "observation" ? "senses" : `says ${kind}:`)
