/**
 * The list of electors as a document (PROTOCOL.md P7.22 to P7.24; mesh protocol, leadership): signed by the operator key of the mesh,
 * naming the list that it replaces, and in force once a majority of those who elected by that one have acknowledged it. Whoever holds it
 * with their acknowledgements can show it to anybody, who needs to know nothing but the operator key.
 *
 * An elector acknowledges at most one list in place of the same one, and not before it owes nobody a vote; from then on it neither votes
 * nor promises by an older one. So no lease by the old list runs when the first vote is given by the new one, without any agreement on
 * when that is.
 */
import type { Config } from "../Config.ts"
import type { Durable } from "../Durable.ts"
import { acknowledgementString, manifestString } from "../identity/Handshake.ts"
import { compareText } from "../Order.ts"
import type { DeviceId, ShownManifest, SignedManifest } from "../wire/Frame.ts"

type Document = Omit<SignedManifest, "signature">

/** What the operator key signs. */
export const payloadOf = ({ meshId, meshKey }: Config, document: Document): string =>
  manifestString({ ...document, meshId, meshKey })

/** What an elector signs who acknowledges it. */
export const ackPayloadOf = ({ meshId, meshKey }: Config, document: Document): string =>
  acknowledgementString({ ...document, meshId, meshKey })

export const isSame = (config: Config, a: SignedManifest, b: SignedManifest): boolean =>
  a.signature === b.signature && payloadOf(config, a) === payloadOf(config, b)

/** In place of a later list. */
export const isLater = (a: SignedManifest, b: SignedManifest): boolean => a.previous.version > b.previous.version

export const isAfter = ({ previous }: SignedManifest, { version }: Config["manifest"]): boolean =>
  previous.version === version

/** A majority of those who elected before have acknowledged it. That their signatures are true is the caller's to know. */
export const isInForce = ({ acks, manifest: { previous } }: ShownManifest): boolean => {
  const electors = new Set(acks.map(({ elector }) => elector).filter((elector) => previous.electors.includes(elector)))
  return 2 * electors.size > previous.electors.length
}

const isAscending = (ids: ReadonlyArray<DeviceId>): boolean =>
  ids.every((id, place) => place === 0 || compareText(ids[place - 1]!, id) < 0)

const without = (ids: ReadonlyArray<DeviceId>, others: ReadonlyArray<DeviceId>): number =>
  ids.filter((id) => !others.includes(id)).length

/** What is wrong with it, whoever signed it; `null`: nothing. */
export const faultOf = ({ electors, previous, readmitted, version }: Document): string | null => {
  if (version <= previous.version) return `it is version ${version}, and replaces version ${previous.version}`
  if (electors.length === 0) return "it names no elector"
  const back = readmitted.map(({ deviceId }) => deviceId)
  if (![electors, previous.electors, back].every(isAscending)) return "its lists are not sorted, or name a device twice"
  if (without(electors, previous.electors) > 1 || without(previous.electors, electors) > 1)
    return "it changes more than one elector; change one after the other"
  return without(back, electors) > 0 ? "it readmits somebody who is no elector" : null
}

/** Whether an elector that lives without its journal since this incarnation may vote again. */
export const readmits = ({ readmitted }: SignedManifest, deviceId: DeviceId, forgotIn: number): boolean =>
  readmitted.some((one) => one.deviceId === deviceId && one.incarnation >= forgotIn)

/** The configuration with the list that is in force: a signed one comes before what the node was configured with, unless that is newer. */
export const restored = (config: Config, { manifest: shown }: Durable): Config => {
  if (shown === undefined || config.manifest.shown === shown) return config
  const { electors, version } = shown.manifest
  return version < config.manifest.version ? config : { ...config, manifest: { version, electors, shown } }
}
