/**
 * What must survive a crash: records appended to the node's journal, and the state that they add up to.
 *
 * The vault only appends and reads back; what a record means is decided here, by `apply`, so that the simulator's disk and
 * the real one restore the same node. Nothing here ever goes backward (S9): `apply` takes the higher of what it holds and
 * what it is given.
 */
import * as Schema from "effect/Schema"
import { DeviceId, Role, ShownManifest, Term } from "./wire/Frame.ts"
import * as Ledger from "./actuation/Ledger.ts"
import { compareText } from "./Order.ts"
import { isInForce, isLater } from "./leadership/Manifest.ts"
import { compareTerms, TERM_ZERO } from "./leadership/Term.ts"

/** A device that the operator trusts (B10, B13). */
export const TrustEntry = Schema.Struct({
  deviceId: DeviceId,
  role: Role,
  /** What people call it; empty: by its id. */
  name: Schema.String,
  /** It is a device of generation 1, and may log in without the kernel extension. */
  gen1: Schema.Boolean,
  /** Raw key as base64url, where the operator gave it; `null`: pinned at first use. */
  publicKey: Schema.NullOr(Schema.String),
  /** What it may move (P19.9); absent: whatever it says. */
  may: Schema.optionalKey(Schema.Array(Schema.String))
})
export type TrustEntry = typeof TrustEntry.Type

export const Record = Schema.TaggedUnion({
  /** Written before the first frame of a boot. */
  Incarnation: { incarnation: Schema.Natural },
  /** Written before a vote is answered. */
  Vote: { term: Term, votedFor: DeviceId },
  /** The operator trusts a device, in this role; the latest word counts. */
  Trust: { device: TrustEntry },
  /** The operator trusts it no longer. */
  Distrust: { deviceId: DeviceId },
  /**
   * It lost its journal while this manifest was in force: whatever it promised under it, or an older one, is forgotten. From this
   * incarnation on it lives without.
   */
  Forgot: { manifest: Schema.Natural, incarnation: Schema.optionalKey(Schema.Natural) },
  /**
   * A list of electors that is in force, or that is to be and that this elector of the one before will acknowledge. `forgets`: it
   * had lost its journal, and this list does not readmit it.
   */
  Manifest: { shown: ShownManifest, forgets: Schema.Boolean },
  /** The key that a trusted device first proved, and whether it ever showed the kernel extension. */
  Pin: { deviceId: DeviceId, publicKey: Schema.String, kernel: Schema.Boolean },
  /** Of the guardian of this device's actuators. */
  Guard: { entry: Ledger.Entry }
})
export type Record = typeof Record.Type

export const Pin = Schema.Struct({ deviceId: DeviceId, publicKey: Schema.String, kernel: Schema.Boolean })
export type Pin = typeof Pin.Type

export const Durable = Schema.Struct({
  incarnation: Schema.Natural,
  term: Term,
  votedFor: Schema.NullOr(DeviceId),
  /** Sorted by device id. */
  trusted: Schema.Array(TrustEntry),
  pins: Schema.Array(Pin),
  /** The newest manifest under which it lost its journal; absent: it never did. Until a newer one it promises nothing. */
  forgot: Schema.optionalKey(Schema.Natural),
  /** Since which of its incarnations. */
  forgotIn: Schema.optionalKey(Schema.Natural),
  /** The newest signed manifest that is in force; absent: there was none. */
  manifest: Schema.optionalKey(ShownManifest),
  /** The one that it has acknowledged, or will, in place of the one in force. */
  successor: Schema.optionalKey(ShownManifest),
  /** Absent: it never guarded an actuator. */
  ledger: Schema.optionalKey(Ledger.Ledger)
})
export type Durable = typeof Durable.Type

export const empty: Durable = { incarnation: 0, term: TERM_ZERO, votedFor: null, trusted: [], pins: [] }

export const apply = (durable: Durable, record: Record): Durable => {
  switch (record._tag) {
    case "Incarnation":
      return record.incarnation > durable.incarnation ? { ...durable, incarnation: record.incarnation } : durable
    case "Vote":
      return compareTerms(record.term, durable.term) > 0
        ? { ...durable, term: record.term, votedFor: record.votedFor }
        : durable
    case "Trust": {
      const rest = durable.trusted.filter((other) => other.deviceId !== record.device.deviceId)
      const trusted = [...rest, record.device].sort((a, b) => compareText(a.deviceId, b.deviceId))
      return { ...durable, trusted }
    }
    case "Distrust":
      // Whoever is trusted anew has to prove its key anew.
      return {
        ...durable,
        trusted: durable.trusted.filter((other) => other.deviceId !== record.deviceId),
        pins: durable.pins.filter((other) => other.deviceId !== record.deviceId)
      }
    case "Forgot":
      return record.manifest > (durable.forgot ?? -1)
        ? {
            ...durable,
            forgot: record.manifest,
            ...(record.incarnation === undefined ? {} : { forgotIn: record.incarnation })
          }
        : durable
    case "Manifest":
      return isInForce(record.shown) ? inForce(durable, record) : succeeding(durable, record.shown)
    case "Pin": {
      const { deviceId, kernel, publicKey } = record
      const old = durable.pins.find((pin) => pin.deviceId === deviceId)
      const pin: Pin = { deviceId, publicKey: old?.publicKey ?? publicKey, kernel: kernel || old?.kernel === true }
      const rest = durable.pins.filter((other) => other.deviceId !== deviceId)
      return { ...durable, pins: [...rest, pin].sort((a, b) => compareText(a.deviceId, b.deviceId)) }
    }
    case "Guard": {
      const ledger = Ledger.apply(durable.ledger, record.entry)
      return ledger === undefined || ledger === durable.ledger ? durable : { ...durable, ledger }
    }
  }
}

/** A newer list is in force: what was to replace an older one is void, and so is what was forgotten, where it says so. */
const inForce = (durable: Durable, { forgets, shown }: Extract<Record, { readonly _tag: "Manifest" }>): Durable => {
  const { version } = shown.manifest
  if (version <= (durable.manifest?.manifest.version ?? 0)) return durable
  const { forgot, forgotIn, successor, ...rest } = durable
  return {
    ...rest,
    manifest: shown,
    ...(forgot !== undefined && forgets ? { forgot: version, ...(forgotIn === undefined ? {} : { forgotIn }) } : {}),
    ...(successor?.manifest.previous.version === version ? { successor } : {})
  }
}

/** Nobody acknowledges two that replace the same one. */
const succeeding = (durable: Durable, shown: ShownManifest): Durable =>
  durable.successor === undefined || isLater(shown.manifest, durable.successor.manifest)
    ? { ...durable, successor: shown }
    : durable

/** Whether what it promised under this manifest is forgotten. */
export const isForgetful = ({ forgot }: Durable, manifest: number): boolean =>
  forgot !== undefined && forgot >= manifest

/** What a record is, for a sentence. */
export const subject = (record: Record): string => {
  switch (record._tag) {
    case "Incarnation":
      return `incarnation ${record.incarnation}`
    case "Vote":
      return `the vote of term ${record.term.counter}`
    case "Trust":
      return `the trust in ${record.device.deviceId.slice(0, 12)}`
    case "Distrust":
      return `the end of trust in ${record.deviceId.slice(0, 12)}`
    case "Forgot":
      return `that what was promised up to manifest ${record.manifest} is forgotten`
    case "Manifest":
      return `version ${record.shown.manifest.version} of the list of electors`
    case "Pin":
      return `the key of ${record.deviceId.slice(0, 12)}`
    case "Guard":
      return Ledger.subject(record.entry)
  }
}
