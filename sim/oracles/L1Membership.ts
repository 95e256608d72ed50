/**
 * L1: all live, mutually reachable nodes agree on membership: each has each of the others as `up`, and nobody has anybody as
 * `up`, or still suspects anybody, who is not there; and all of them hold the same words of all observers (PROTOCOL.md P7.2, P7.3).
 *
 * Does not judge: rows of those who are not there where somebody has lied (`lie`): whoever was told a false one keeps it until its
 * observer speaks to it, and a viewer tells nobody that it has it (PROTOCOL.md part 12); whether whoever is not there is called `down`, `left` or, if never met, `unknown`.
 */
import { peerState } from "../../kernel/status/Status.ts"
import { isKernel } from "../engine/Present.ts"
import type { Machine } from "../engine/Machine.ts"
import { observes } from "../../kernel/Config.ts"
import type { Core } from "./Core.ts"
import { whyDown, whyNotUp } from "./Reasons.ts"

export const membership = ({ inside, outside }: Core): ReadonlyArray<string> => {
  const said: Array<string> = []
  // Of two processes with one key, one inside is the device that is meant: it is not out of reach.
  const away = outside.filter(({ config }) => !inside.some((other) => other.config.deviceId === config.deviceId))
  // Devices of generation 1 are talked about, and have nothing to say.
  const kernels = inside.filter(isKernel)
  for (const machine of kernels) {
    const state = machine.state()
    if (state?.phase !== "running") {
      said.push(whyDown(machine))
      continue
    }
    for (const other of inside) {
      const word = other === machine ? "up" : peerState(state, other.config.deviceId)
      if (word !== "up") said.push(`${machine.name} has ${other.name} as ${word}: ${whyNotUp(machine, other)}`)
    }
    for (const other of away) {
      const word = peerState(state, other.config.deviceId)
      if (word === "up" || word === "suspect")
        said.push(`${machine.name} has ${other.name}, which it cannot reach, as ${word}: ${whyNotUp(machine, other)}`)
    }
  }
  return said.length > 0 ? said : differing(kernels)
}

/** Who holds other rows than the first that passes them on. */
const differing = (kernels: Core["inside"]): ReadonlyArray<string> => {
  const [any] = kernels
  // Who does not trust a device keeps no row of it.
  const alike = kernels.every((machine) => whomTrusts(machine) === whomTrusts(any!))
  const first = kernels.find(({ config }) => observes(config.role)) ?? kernels[0]!
  return kernels.flatMap((machine) => {
    // A viewer may be the last one with a row, or the goodbye, of somebody who is gone: it passes none on (PROTOCOL.md part 12).
    const whole = alike && !machine.world.network.lied && observes(machine.config.role) && observes(first.config.role)
    const of = whole ? fingerprint : (each: Machine) => rowsOf(each, kernels)
    return of(machine) === of(first) ? [] : [`${machine.name} and ${first.name} do not hold the same rows of observers`]
  })
}

/** Everybody in its trust store, and itself. */
const whomTrusts = (machine: Machine): string => {
  const { deviceId: own } = machine.config
  const trusted = machine.state()?.config.trusted ?? machine.config.trusted
  return [own, ...trusted.map(({ deviceId }) => deviceId)].toSorted().join()
}

const fingerprint = (machine: Machine): number | undefined => machine.state()?.membership.fingerprint

/** The rows of those that are here, who can tell which are theirs. */
const rowsOf = (machine: Machine, here: Core["inside"]): string | undefined => {
  const membership = machine.state()?.membership
  if (membership === undefined) return undefined
  const ids = here.map(({ config }) => config.deviceId)
  return [membership.mine, ...membership.rows]
    .filter(({ observer, version }) => version > 0 && ids.includes(observer))
    .map(({ incarnation, observer, version }) => `${observer} ${incarnation} ${version}`)
    .toSorted()
    .join()
}
