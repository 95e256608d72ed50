/**
 * What an operator says at a running node: that a device is trusted, or no longer. Who does not run hears nothing of it. Taking it
 * back says the opposite: a trusted device is revoked, a revoked one trusted again in the role that it had there.
 */
import type { Trusted } from "../../kernel/Config.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import { inWorld, names, tell, type Fault, type Strike, type Struck } from "./Fault.ts"

const known = (machine: Machine, deviceId: string): Trusted | undefined =>
  machine.state()?.config.trusted.find((device) => device.deviceId === deviceId)

/** As what it is: whoever is told that a device is of generation 1 does not ask it for more than such devices have. */
const trusting = (machine: Machine, deviceId: string, name: string, role: Trusted["role"]): void => {
  const gen1 = machine.world.machines.some(({ config, spec }) => config.deviceId === deviceId && spec.generation === 1)
  machine.deliver({ _tag: "Trust", device: { deviceId, name, role, gen1, publicKey: null } })
}

const deviceOf = ({ machines }: World, whom: string): string =>
  machines.find(({ name }) => name === whom)?.config.deviceId ?? ""

const said = (
  strike: Strike,
  event: "world.trust" | "world.revoke",
  by: ReadonlyArray<Machine>,
  whom: string,
  say: (machine: Machine, deviceId: string) => void,
  back: (machine: Machine, deviceId: string, place: number) => void
): Struck => {
  const { world } = strike
  const deviceId = deviceOf(world, whom)
  const running = by.filter((machine) => machine.running && machine.config.deviceId !== deviceId)
  strike.tell(event, whom, names(by))
  for (const machine of running) say(machine, deviceId)
  return {
    touched: () => running.length,
    undo: (now) => {
      tell(now, "world.undo", null, `${names(by)} ${event === "world.trust" ? "trust" : "distrust"} ${whom} no longer`)
      inWorld(now, running).forEach((machine, place) => back(machine, deviceOf(now, whom), place))
    }
  }
}

export const trust: Fault<"trust"> = ({ by, role, whom }, strike) =>
  said(
    strike,
    "world.trust",
    strike.resolve(by),
    whom,
    (machine, deviceId) => trusting(machine, deviceId, whom, role),
    (machine, deviceId) => machine.deliver({ _tag: "Distrust", deviceId })
  )

export const revoke: Fault<"revoke"> = ({ by, whom }, strike) => {
  const deviceId = deviceOf(strike.world, whom)
  const machines = strike.resolve(by)
  const roles = new Map(machines.map((machine) => [machine.index, known(machine, deviceId)?.role]))
  return said(
    strike,
    "world.revoke",
    machines,
    whom,
    (machine, device) => machine.deliver({ _tag: "Distrust", deviceId: device }),
    (machine, device) => {
      const role = roles.get(machine.index)
      if (role !== undefined) trusting(machine, device, whom, role)
    }
  )
}
