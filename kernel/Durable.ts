/**
 * What must survive a crash: records appended to the node's journal, and the state that they add up to.
 *
 * The vault only appends and reads back; what a record means is decided here, by `apply`, so that the simulator's disk and
 * the real one restore the same node. Nothing here ever goes backward (S9): `apply` takes the higher of what it holds and
 * what it is given.
 */
import * as Schema from "effect/Schema"
import { DeviceId, Term } from "./wire/Frame.ts"
import { compareTerms, TERM_ZERO } from "./leadership/Term.ts"

export const Record = Schema.TaggedUnion({
  /** Written before the first frame of a boot. */
  Incarnation: { incarnation: Schema.Natural },
  /** Written before a vote is answered. */
  Vote: { term: Term, votedFor: DeviceId },
  /** The key that a trusted device first proved, and whether it ever showed the kernel extension. */
  Pin: { deviceId: DeviceId, publicKey: Schema.String, kernel: Schema.Boolean }
})
export type Record = typeof Record.Type

export const Pin = Schema.Struct({ deviceId: DeviceId, publicKey: Schema.String, kernel: Schema.Boolean })
export type Pin = typeof Pin.Type

export const Durable = Schema.Struct({
  incarnation: Schema.Natural,
  term: Term,
  votedFor: Schema.NullOr(DeviceId),
  pins: Schema.Array(Pin)
})
export type Durable = typeof Durable.Type

export const empty: Durable = { incarnation: 0, term: TERM_ZERO, votedFor: null, pins: [] }

export const apply = (durable: Durable, record: Record): Durable => {
  switch (record._tag) {
    case "Incarnation":
      return record.incarnation > durable.incarnation ? { ...durable, incarnation: record.incarnation } : durable
    case "Vote":
      return compareTerms(record.term, durable.term) > 0
        ? { ...durable, term: record.term, votedFor: record.votedFor }
        : durable
    case "Pin": {
      const { deviceId, kernel, publicKey } = record
      const old = durable.pins.find((pin) => pin.deviceId === deviceId)
      const pin: Pin = { deviceId, publicKey: old?.publicKey ?? publicKey, kernel: kernel || old?.kernel === true }
      const rest = durable.pins.filter((other) => other.deviceId !== deviceId)
      return { ...durable, pins: [...rest, pin].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1)) }
    }
  }
}
