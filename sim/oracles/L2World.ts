/**
 * L2: world models of connected nodes are equal. In a core of nodes that trust each other, whatever one holds that it gives others
 * (who carries, everything; a sensor or an actuator, its own; a viewer, nothing) the others hold as well: they know each log as far,
 * and what stands in the world is the same.
 *
 * Does not judge: frames of generation 1, which have no place in any log and which nobody asks for; devices that not all of the
 * core trust; a mesh in which somebody has lied, where a log may have been passed off as shorter than it is; whether what an end
 * of retention took from one log is still held by another.
 */
import { carries } from "../../kernel/Config.ts"
import * as Log from "../../kernel/world/Log.ts"
import * as Origin from "../../kernel/world/Origin.ts"
import { originOf } from "../../kernel/world/World.ts"
import type { Machine } from "../engine/Machine.ts"
import { isKernel } from "../engine/Present.ts"
import type { Core } from "./Core.ts"

const gives = ({ config }: Machine, deviceId: string): boolean =>
  carries(config.role) || (config.role !== "viewer" && config.deviceId === deviceId)

const trusts = (machine: Machine, deviceId: string): boolean =>
  machine.config.deviceId === deviceId ||
  machine.state()?.config.trusted.some((device) => device.deviceId === deviceId) === true

/** What `taker` lacks of what `giver` gives; `null`: nothing. */
const lacks = (giver: Machine, taker: Machine, common: (deviceId: string) => boolean): string | null => {
  const held = giver.state()?.world
  const has = taker.state()?.world
  if (held === undefined || has === undefined) return null
  const nameOf = (deviceId: string): string => giver.world.nameOf(deviceId)
  for (const origin of held.origins) {
    const { deviceId, logs } = origin
    if (!gives(giver, deviceId) || !common(deviceId)) continue
    const other = originOf(has, deviceId)
    for (const { incarnation, next } of logs) {
      const known = other === undefined ? 1 : (Origin.logOf(other, incarnation)?.next ?? 1)
      if (known < next && incarnation >= (other?.lowest ?? 0))
        return `${taker.name} knows ${known - 1} frames of ${nameOf(deviceId)}, incarnation ${incarnation}, and ${giver.name} ${next - 1}`
    }
    const entries = signed(other)
    // A newer one it may have heard itself: then it is for the others to have that, if it gives it. And what is of a life that
    // it has forgotten, for it holds more of the later ones, it keeps no more.
    const newer = [...signed(origin)].find(([key, given]) => {
      const own = entries.get(key)
      if (given.incarnation < (other?.lowest ?? 0)) return false
      return own === undefined || Log.compareHeld(own, given) < 0
    })
    if (newer !== undefined)
      return `${taker.name} has ${entries.get(newer[0])?.frame.frameId ?? "nothing"} as the newest of ${newer[0]} of ${nameOf(deviceId)}, and ${giver.name} has ${newer[1].frame.frameId}`
  }
  return null
}

const signed = (origin: Origin.Origin | undefined): ReadonlyMap<string, Log.Held> =>
  new Map(
    (origin === undefined ? [] : Origin.entriesOf(origin)).flatMap((held): Array<[string, Log.Held]> => {
      const { data, kernel, kind } = held.frame
      return kernel === undefined
        ? []
        : [[`${kind} ${JSON.stringify(data["zone"])} ${JSON.stringify(data["metric"])}`, held]]
    })
  )

export const world = ({ inside }: Core): ReadonlyArray<string> => {
  const kernels = inside.filter((machine) => isKernel(machine) && machine.state()?.phase === "running")
  if (kernels.length === 0 || kernels[0]!.world.network.lied) return []
  const common = (deviceId: string): boolean => kernels.every((machine) => trusts(machine, deviceId))
  return kernels.flatMap((giver) =>
    kernels.flatMap((taker) => (taker === giver ? [] : (lacks(giver, taker, common) ?? [])))
  )
}
