/**
 * Whether the machine has an interface of its own that carries anything: up, running and with an address, the loopback left out.
 * Told to the kernel as `Carrier` when the last one goes and when one is back, so that a node whose cable is out accuses nobody
 * of its own deafness (P7.15).
 *
 * A machine on which no such interface was ever seen says nothing: there nobody knows. Does not tell a cable that leads nowhere,
 * nor an access point that is cut off itself.
 */
import * as Effect from "effect/Effect"
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os"
import type { Happened } from "../../kernel/Input.ts"

/** Less than the 0.7 s after which a probe counts as missed. */
const LOOK_MS = 500

type Interfaces = Partial<Record<string, ReadonlyArray<Pick<NetworkInterfaceInfo, "internal">>>>

const carries = (interfaces: Interfaces): boolean =>
  Object.values(interfaces).some((addresses) => addresses?.some(({ internal }) => !internal) === true)

/** Calls back each so many ms until it is stopped. */
export type Every = (ms: number, look: () => void) => () => void

/** Runs until it is interrupted. */
export const watch = (
  offer: (happened: Happened) => Effect.Effect<void>,
  every: Every,
  interfaces: () => Interfaces = networkInterfaces
): Effect.Effect<never> =>
  Effect.callback<never>(() => {
    let seen = false
    let up = true
    const stop = every(LOOK_MS, () => {
      const now = carries(interfaces())
      seen ||= now
      if (seen && now !== up) Effect.runFork(offer({ _tag: "Carrier", up: now }))
      if (seen) up = now
    })
    return Effect.sync(stop)
  })
