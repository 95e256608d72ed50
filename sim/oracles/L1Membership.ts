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

/** Who holds other rows than the first. */
const differing = (kernels: Core["inside"]): ReadonlyArray<string> => {
  const [first, ...others] = kernels
  return others.flatMap((machine) =>
    held(machine, kernels) === held(first!, kernels)
      ? []
      : [`${machine.name} and ${first?.name} do not hold the same rows of observers`]
  )
}

/** Where somebody lied: the rows of those that are here and can tell which are theirs. */
const held = (machine: Machine, here: Core["inside"]): number | string | undefined => {
  const membership = machine.state()?.membership
  if (membership === undefined || !machine.world.network.lied) return membership?.fingerprint
  const ids = here.map(({ config }) => config.deviceId)
  return [membership.mine, ...membership.rows]
    .filter(({ observer, version }) => version > 0 && ids.includes(observer))
    .map(({ incarnation, observer, version }) => `${observer} ${incarnation} ${version}`)
    .toSorted()
    .join()
}
