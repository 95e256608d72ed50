/**
 * One turn of a node: the scratch that `step` hands from room to room in a fixed order, and throws away.
 *
 * Rooms append commands to `out`, and tell the rooms after them what happened by `facts`. Nothing of a turn outlives it, so
 * that `step` stays pure to whoever calls it.
 */
import type { Command } from "./Command.ts"
import type { Config } from "./Config.ts"
import type { Pin, Record } from "./Durable.ts"
import type { Checked, Input } from "./Input.ts"
import type { MeshEvent } from "./status/MeshEvent.ts"
import type { Instant } from "./Time.ts"
import type { Code } from "./wire/Codes.ts"
import type { Holder, Ledger } from "./actuation/Ledger.ts"
import type { Fact as ProposalFact } from "./proposals/Proposal.ts"
import type { Outcome } from "./routing/Outcome.ts"
import type { ContextFrame } from "./wire/ContextFrame.ts"
import type { DeviceId, Event, ForwardParams, Frame, LinkEpoch, Role } from "./wire/Frame.ts"
import type { Held } from "./world/Log.ts"
import type { Lane } from "./links/Lanes.ts"

export type Fact =
  /** An authenticated session with `peer` begins. */
  | {
      readonly _tag: "SessionUp"
      readonly peer: DeviceId
      readonly link: number
      readonly incarnation: number
      readonly epoch: LinkEpoch
      /** It speaks the kernel extensions. */
      readonly kernel: boolean
    }
  | { readonly _tag: "SessionDown"; readonly peer: DeviceId; readonly link: number; readonly reason: string }
  /** A dial was refused at once: the machine is there, the program is not. */
  | { readonly _tag: "DialRefused"; readonly peer: DeviceId }
  /** The device said goodbye on its own session. */
  | { readonly _tag: "Left"; readonly peer: DeviceId; readonly incarnation: number }
  /** It left in this incarnation, by its own signed word, whoever showed us that. */
  | { readonly _tag: "Gone"; readonly peer: DeviceId; readonly incarnation: number }
  /** Something of a peer was refused with this code; counted. */
  | { readonly _tag: "Refused"; readonly code: Code }
  /** A trusted device proved its key for the first time, or its kernel extension. */
  | { readonly _tag: "Proved"; readonly peer: DeviceId; readonly publicKey: string; readonly kernel: boolean }
  /** Asked by us, a peer told the highest incarnation of ours that it met. */
  | { readonly _tag: "Remembered"; readonly peer: DeviceId; readonly incarnation: number }
  /** By a row that is new to us somebody reaches a device that we have as down (P3.21). */
  | { readonly _tag: "Reached"; readonly peer: DeviceId }
  /** A peer holds a row in our name that no life of ours wrote of which we know: another had this incarnation (P3.20). */
  | { readonly _tag: "Shown"; readonly peer: DeviceId; readonly incarnation: number }
  /** How many sessions with kernel peers there are at a beat: too few, and others have to be sought. */
  | { readonly _tag: "Linked"; readonly links: number }
  /** A row names a higher incarnation of a device that we have no link with. */
  | { readonly _tag: "Told"; readonly peer: DeviceId; readonly incarnation: number }
  /** A device is dead by the word of several, or not any more (B4). */
  | { readonly _tag: "Dead"; readonly peer: DeviceId; readonly dead: boolean }
  /** Membership gives a connection up: end it and dial anew. */
  | { readonly _tag: "Terminate"; readonly peer: DeviceId; readonly link: number; readonly reason: string }

/** A frame or a pong that came over the current session of `peer`. */
export interface Admitted {
  readonly peer: DeviceId
  readonly link: number
  readonly frame: Frame | null
  readonly probe: number
}

/** Something that goes behind control (links/Lanes.ts). */
export interface Said {
  readonly lane: Lane
  readonly link: number
  readonly frame: Frame
}

/** Somebody with a session of its own, or a caller of ours, wants a lease, or a command carried out. */
export interface Order {
  /** Of the message (routing/Forwarding.ts). */
  readonly ticket: number
  readonly from: Holder
  readonly role: Role
  readonly params: ForwardParams
  /** What its sender's calendar shows now, as far as we know; `null`: we do not. */
  readonly calendarMs: number | null
}

export interface Turn {
  readonly config: Config
  readonly at: Instant
  readonly incarnation: number
  readonly bootId: string
  /** What this device promised under its manifest is forgotten, and so may be which incarnation it had. */
  readonly forgetful: boolean
  /** Since which of its incarnations, if it does. */
  readonly forgotIn: number
  /** Keys that trusted devices have proved so far. */
  readonly pins: ReadonlyArray<Pin>
  /** Fingerprint of what was held of the world when this turn began; 0: nothing. */
  readonly world: number
  /** The highest incarnation of a device that rows and frames of it name, as of when this turn began; 0: none does. */
  readonly heardOf: (device: DeviceId) => number
  /** How late the alarm rang, or how long the driver found itself stalled, ms; 0 for other inputs. */
  readonly lateMs: number
  /** Whether our own interface has a carrier; `null`: nothing was said of it. */
  readonly carrier: boolean | null
  /** What the key store answered; `null`: this is about something else. */
  readonly checked: typeof Checked.Type | null
  readonly out: Array<Command>
  /** What is said to sessions besides control: it goes when its lane has room. */
  readonly lower: Array<Said>
  readonly facts: Array<Fact>
  admitted: Admitted | null
  /** Leases and commands for actuators of ours. */
  readonly orders: Array<Order>
  /** What came of them. */
  readonly results: Array<{ readonly ticket: number; readonly outcome: Outcome }>
  /** The ledger of the guardian, with what this turn has given to be stored. */
  readonly ledger: () => Ledger | undefined
  /** What is said of proposals and became what stands in the world in this turn. */
  readonly learned: Array<ContextFrame>
  /** And readings, as far as they are about actuators of ours, or rules. */
  readonly readings: Array<Held>
  /** What came of messages that the room of proposals sent. */
  readonly told: Array<{ readonly call: number; readonly outcome: Outcome }>
  /** What this node has to say of proposals. */
  readonly said: Array<ProposalFact>
  /** What is to be taken up as if it came right after this input. */
  readonly behind: Array<Input>
  /** Appends `Persist` to `out`: the record first, `then` only once it is durable. Returns the ticket. */
  readonly persist: (record: Record, then: ReadonlyArray<Command>) => number
}

export const note = (turn: Turn, event: MeshEvent): void => {
  turn.out.push({ _tag: "Note", event })
}

export const send = (turn: Turn, link: number, event: Event["event"], payload: Event["payload"]): void => {
  turn.out.push({ _tag: "Send", link, frame: { type: "event", event, payload } as Event })
}

/** An answer to a request on a session. */
export const reply = (turn: Turn, link: number, frame: Frame): void => {
  turn.lower.push({ lane: "people", link, frame })
}
