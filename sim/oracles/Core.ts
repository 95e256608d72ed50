/**
 * The part of a mesh that has to become well when the faults in it stop, whatever goes on round it: as in TigerBeetle's
 * simulator, a core is picked, everything in it is healed and started, and everything outside of it is as bad as it was, for
 * good, and cut off from it.
 *
 * A core is a set of machines that trust each other, may dial each other directly, and have run; half of all cores are as large
 * as they can be, so that there often is a majority of electors.
 *
 * Does not model: an outside that still reaches a part of the core, for which nobody could say what has to come about; cores
 * whose members meet through others only.
 */
import type { Config } from "../../kernel/Config.ts"
import { below, u32 } from "../../kernel/Draw.ts"
import { restored } from "../../kernel/identity/Trust.ts"
import { GEN1_CLOCK_WINDOW_MS } from "../../kernel/Profile.ts"
import type { Machine } from "../engine/Machine.ts"
import { isGen1State } from "../gen1/Gen1.ts"
import { isKernel } from "../engine/Present.ts"
import type { World } from "../engine/World.ts"
import { pairs, type Pair } from "../faults/Fault.ts"

export interface Core {
  readonly inside: ReadonlyArray<Machine>
  readonly outside: ReadonlyArray<Machine>
}

export const everybody = ({ machines }: World): Core => ({ inside: machines, outside: [] })

const around = (world: World, inside: ReadonlyArray<Machine>): Core => ({
  inside,
  outside: world.machines.filter((machine) => !inside.includes(machine))
})

/** It has run, has not lost its journal since without anybody to ask, and nobody else answers in its place. */
const isReal = (world: World, machine: Machine): boolean =>
  (machine.durable.incarnation > 0 || !isKernel(machine)) && world.byAddress(machine.name) === machine

/**
 * Another process with its key was met in a later life, or in this one: whoever met that one has to refuse this one (P3.2, P3.3)
 * until it has lived long enough, or an operator has given it a new key. No calm changes that.
 */
const isOutlived = (world: World, machine: Machine): boolean => {
  const { config, durable, running } = machine
  if (!world.doubles.has(config.deviceId)) return false
  const lives = running ? durable.incarnation : durable.incarnation + 1
  const bootId = machine.state()?.bootId
  return world.machines.some((other) =>
    (other.state()?.links.contacts ?? []).some(
      (met) =>
        met.peer === config.deviceId &&
        (met.incarnation > lives ||
          met.leftIncarnation >= lives ||
          (met.incarnation === lives && met.bootId !== null && met.bootId !== bootId))
    )
  )
}

/** Whom it trusts now, or will when it runs again and has heard what its operator said meanwhile. */
const trustedBy = (machine: Machine): Config["trusted"] =>
  (machine.state()?.config ?? restored(machine.config, machine.durable)).trusted.filter(
    ({ deviceId }) => machine.world.script.operators.word(machine, deviceId) !== null
  )

const trusts = (machine: Machine, { config }: Machine): boolean =>
  trustedBy(machine).some(({ deviceId }) => deviceId === config.deviceId)

const finds = ({ nearby, world }: Machine, { nearby: other }: Machine, [from, to]: Pair): boolean =>
  nearby.enabled && other.enabled && world.network.reaches(from, to) && world.network.reaches(to, from)

/** It was told where the other is, and that is so still; or it was told nothing, and finds it (PROTOCOL.md P3.13). */
const mayDial = (a: Machine, b: Machine): boolean =>
  trustedBy(a).some(
    ({ address, deviceId }) =>
      deviceId === b.config.deviceId &&
      (address === null ? finds(a, b, [a.name, b.name]) : address === b.name && !b.moved)
  )

/** Clocks of two that have to agree: so far apart at most, and they may run apart for as long as the calm takes. */
const CLOCKS_APART_MAX_MS = GEN1_CLOCK_WINDOW_MS / 2

/** What its calendar shows once the calm has started it. */
const calendar = ({ clock, running, spec, world }: Machine): number =>
  !running && spec.bootsIn1970 === true ? 0 : clock.instant(world.nowMs).wall

const clocksAgree = (a: Machine, b: Machine): boolean => Math.abs(calendar(a) - calendar(b)) <= CLOCKS_APART_MAX_MS

/**
 * A device of generation 1 pings nobody: that one who dialled it and is gone without a word is not there any more it never learns,
 * and while it believes in that session it dials nobody of that name. So it is when a copy of the other's key, which knew its
 * address, stood in for it.
 */
const waitsForTheDead = (device: Machine, { config }: Machine): boolean => {
  const state = device.state()
  return (
    state !== null &&
    isGen1State(state) &&
    state.gen1.lines.some(({ dialled, peer, stage }) => !dialled && stage === "up" && peer === config.deviceId)
  )
}

const dials = (a: Machine, b: Machine): boolean => mayDial(a, b) && !waitsForTheDead(a, b)

/** They can come to a session by themselves: with a device of generation 1 one side dials, and their clocks must agree. */
const areNeighbours = (a: Machine, b: Machine): boolean => {
  if (isKernel(a) && isKernel(b)) return a.spec.generation === b.spec.generation && mayDial(a, b) && mayDial(b, a)
  const trustBoth = trusts(a, b) && trusts(b, a)
  return isKernel(a) !== isKernel(b) && trustBoth && (dials(a, b) || dials(b, a)) && clocksAgree(a, b)
}

export const pickCore = (world: World, seed: number): Core => {
  const all = world.machines.filter((machine) => isReal(world, machine) && !isOutlived(world, machine))
  const order = all.toSorted(
    (a, b) => u32(seed, "core-order", a.name, 0) - u32(seed, "core-order", b.name, 0) || a.index - b.index
  )
  const count =
    below(seed, "core", "whole", 0, 2) === 0 ? order.length : 1 + below(seed, "core", "size", 0, order.length)
  const inside: Array<Machine> = []
  for (const machine of order)
    if (inside.length < count && inside.every((other) => areNeighbours(machine, other))) inside.push(machine)
  return around(
    world,
    inside.sort((a, b) => a.index - b.index)
  )
}

/**
 * Stops the faults: from now on nothing of the script happens. Within the core every link is as it should be, without losses,
 * and every machine runs, at full speed, on a good disk; the rest stays as it is.
 */
export const calm = (world: World, { inside, outside }: Core): void => {
  const { network, script } = world
  script.end()
  for (const machine of inside) {
    machine.vault.mend()
    machine.keysFail = null
    machine.setTrap(0)
    machine.setLoginTrap(0)
    machine.intake.release()
    machine.stopSensing()
    machine.start()
  }
  const within = pairs(inside, inside)
  for (const [from, to] of within) network.restore(from, to)
  network.apply({ _tag: "slow", pairs: within, delay: null, lossPpm: 0 }, "calm")
  network.apply({
    _tag: "cut",
    pairs: [...pairs(inside, outside), ...pairs(outside, inside)]
  })
}
