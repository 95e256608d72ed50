/**
 * Whom the node trusts: what it was configured with, and what its operator said since, which the journal keeps. Every room
 * reads the result from the configuration of the running node.
 */
import type { Config, Trusted } from "../Config.ts"
import type { Durable, TrustEntry } from "../Durable.ts"
import { compareText } from "../Order.ts"
import type { Turn } from "../Turn.ts"

const withAddress = (config: Config, { deviceId, gen1, may, publicKey, role }: TrustEntry): Trusted => {
  const configured = config.peers?.find((peer) => peer.deviceId === deviceId)
  const { address, fingerprint, label } = configured ?? { address: null, fingerprint: null, label: null }
  return { deviceId, role, gen1, publicKey, ...(may === undefined ? {} : { may }), address, fingerprint, label }
}

const replacing = (trusted: ReadonlyArray<Trusted>, device: Trusted): ReadonlyArray<Trusted> =>
  [...trusted.filter(({ deviceId }) => deviceId !== device.deviceId), device].sort((a, b) =>
    compareText(a.deviceId, b.deviceId)
  )

/** The configuration with what the journal remembers of trust. */
export const restored = (config: Config, { trusted }: Durable): Config =>
  trusted.length === 0
    ? config
    : { ...config, trusted: trusted.reduce((all, entry) => replacing(all, withAddress(config, entry)), config.trusted) }

/** With one device more, or in another role. We do not trust ourselves: that is no entry. */
export const trusting = (config: Config, entry: TrustEntry): Config =>
  entry.deviceId === config.deviceId
    ? config
    : { ...config, trusted: replacing(config.trusted, withAddress(config, entry)) }

export const distrusting = (config: Config, deviceId: string): Config =>
  config.trusted.some((device) => device.deviceId === deviceId)
    ? { ...config, trusted: config.trusted.filter((device) => device.deviceId !== deviceId) }
    : config

/** The first key that a trusted device proves is kept, and so is that it ever spoke the kernel extension. */
export const pinProven = (turn: Turn): void => {
  for (const fact of turn.facts) {
    if (fact._tag !== "Proved") continue
    const pin = turn.pins.find((known) => known.deviceId === fact.peer)
    if (pin !== undefined && (pin.kernel || !fact.kernel)) continue
    turn.persist({ _tag: "Pin", deviceId: fact.peer, publicKey: fact.publicKey, kernel: fact.kernel }, [])
  }
}
