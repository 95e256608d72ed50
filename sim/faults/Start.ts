/** Power on: `start`, and `restart` of what may still run. Same key, same disk, the next incarnation. No faults. */
import type { Machine } from "../engine/Machine.ts"
import { DONE, type Fault, type Strike } from "./Fault.ts"

export const start: Fault<"start"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  strike.tellOf("world.start", machines)
  powerOn(strike, machines)
  return DONE
}

export const restart: Fault<"restart"> = ({ who }, strike) => {
  const machines = strike.resolve(who)
  for (const machine of machines) if (machine.running) machine.crash(false)
  strike.tellOf("world.restart", machines, nextIncarnation(machines))
  powerOn(strike, machines)
  return DONE
}

const powerOn = (strike: Strike, machines: ReadonlyArray<Machine>): void => {
  for (const machine of machines) {
    strike.world.script.ends.forget(machine.index)
    machine.start()
  }
  strike.world.visible()
}

/** Told of one machine only. */
export const nextIncarnation = (machines: Parameters<Parameters<typeof restart>[1]["tellOf"]>[1]) =>
  machines.length === 1 && !hasForgotten(machines[0]!) ? { incarnation: machines[0]!.durable.incarnation + 1 } : {}

/** It has to ask which incarnation it had. */
const hasForgotten = ({ durable, vault }: Machine): boolean => vault.wipes > 0 && durable.incarnation === 0
