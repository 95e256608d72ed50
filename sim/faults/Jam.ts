/**
 * What a device moves is stuck: it stays as it is, also when its own clock says that it has been so for long enough, and each drive
 * is answered with no. Touched are the drives that failed.
 *
 * Uncoupled it stays as it is as well, and each drive is answered with yes: touched are the drives that were in vain.
 *
 * Does not model: one actuator of several; one that moves by half.
 */
import type { Machine } from "../engine/Machine.ts"
import type { Target } from "../scenario/Scenario.ts"
import { inWorld, names, oneOf, tell, type Fault, type Strike, type Struck } from "./Fault.ts"

interface Harm {
  readonly event: "world.jam" | "world.uncouple"
  /** Of what it moves. */
  readonly begins: string
  readonly ends: string
  readonly set: (machine: Machine, on: boolean) => void
  /** Drives that it touched so far. */
  readonly count: (machine: Machine) => number
}

const harmed = (who: ReadonlyArray<Target>, strike: Strike, { begins, count, ends, event, set }: Harm): Struck => {
  const machines = strike.resolve(who).filter(({ config }) => (config.actuators ?? []).length > 0)
  strike.tell(event, oneOf(machines), `what ${names(machines)} moves ${begins}`)
  const total = (all: ReadonlyArray<Machine>): number => all.reduce((sum, machine) => sum + count(machine), 0)
  const before = total(machines)
  for (const machine of machines) set(machine, true)
  return {
    touched: (world) => total(inWorld(world, machines)) - before,
    undo: (world) => {
      tell(world, "world.undo", oneOf(machines), `what ${names(machines)} moves ${ends}`)
      for (const machine of inWorld(world, machines)) set(machine, false)
    }
  }
}

export const jam: Fault<"jam"> = ({ who }, strike) =>
  harmed(who, strike, {
    event: "world.jam",
    begins: "is stuck",
    ends: "is free again",
    set: (machine, on) => machine.jam(on),
    count: ({ failedDrives }) => failedDrives
  })

export const uncouple: Fault<"uncouple"> = ({ who }, strike) =>
  harmed(who, strike, {
    event: "world.uncouple",
    begins: "does not move any more, and says that it does",
    ends: "is coupled again",
    set: (machine, on) => machine.uncouple(on),
    count: ({ vainDrives }) => vainDrives
  })
