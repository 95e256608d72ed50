/**
 * The states of one transport connection, from opening to session; each holds only what is legal in it.
 *
 * Outbound: Asking → Signing → Proving → Checking → Session. Inbound: Offered → Checking → Signing → Session. A newer
 * incarnation that meets a live session waits in Held until that session has answered a probe or failed to.
 */
import type { LinkPath } from "../Input.ts"
import type { ConnectAnswer, ConnectParams, DeviceId, Frame, LinkEpoch } from "../wire/Frame.ts"
import type { Gen1Line } from "./Gen1.ts"
import { NEVER_MS } from "../Time.ts"
import type { Line } from "./Lanes.ts"

/** What the far end proved to be. */
export interface Proven {
  readonly peer: DeviceId
  /** It showed and signed the kernel extension. */
  readonly kernel: boolean
  readonly incarnation: number
  readonly bootId: string
  readonly linkCounter: number
  readonly capabilities: ReadonlyArray<string>
  /** Its calendar when it signed, less our monotonic clock then. */
  readonly aheadMs: number
}

export interface Open {
  /** Number of the connection, given by the driver. */
  readonly link: number
  /** Our counter for this link: the n-th of this incarnation. */
  readonly counter: number
  /** 24 random bytes, base64url: the challenge of an acceptor, the client nonce of a dialler. */
  readonly nonce: string
  readonly exporter: string | null
  /** What it runs over; `null`: a simulated link, with nothing between the two ends. */
  readonly path: LinkPath | null
  /** When it must be a session, in `mono` ms; then it is closed 1008. */
  readonly deadline: number
}

interface Outbound extends Open {
  readonly peer: DeviceId
}

export type Link =
  | (Outbound & { readonly _tag: "Asking" })
  | (Outbound & { readonly _tag: "SigningLogin"; readonly serverNonce: string; readonly signedAtMs: number })
  | (Outbound & { readonly _tag: "Proving"; readonly serverNonce: string })
  /** `behind`: what came right behind the answer, to be taken up if that is good; at most `FRAMES_BEHIND_ANSWER_MAX`. */
  | (Outbound & {
      readonly _tag: "CheckingServer"
      readonly serverNonce: string
      readonly answer: ConnectAnswer
      readonly behind: ReadonlyArray<Frame>
    })
  /** Inbound; `asked` is when the nonce was asked for (`null`: it was not), `strays` counts what it may not send. */
  | (Open & { readonly _tag: "Offered"; readonly asked: number | null; readonly strays: number })
  | (Open & { readonly _tag: "CheckingClient"; readonly id: string; readonly params: ConnectParams })
  | (Open & {
      readonly _tag: "SigningAnswer"
      readonly id: string
      readonly params: ConnectParams
      readonly proven: Proven
      readonly signedAtMs: number
      /** All that the answer is about: a device that asks which incarnation it had; absent for a session. */
      readonly told: { readonly remembers?: number }
    })
  /** A newer incarnation, waiting whether the session of the older one answers the displacement probe until `until`. */
  | (Open & {
      readonly _tag: "Held"
      readonly id: string
      readonly params: ConnectParams
      readonly proven: Proven
      readonly against: number
      readonly until: number
    })
  | Session

export interface Session {
  readonly _tag: "Session"
  readonly link: number
  readonly counter: number
  readonly peer: DeviceId
  readonly dialledByUs: boolean
  readonly proven: Proven
  readonly path: LinkPath | null
  /** As we see it: (our incarnation, our counter, theirs, their counter). */
  readonly epoch: LinkEpoch
  readonly since: number
}

/** A trusted device and our efforts to reach it. */
export interface Contact {
  readonly peer: DeviceId
  /** It is dialled whenever there is no session with it (Keeping.ts). */
  readonly kept: boolean
  /** The dial that has not opened yet. */
  readonly attempt: number | null
  readonly nextDialAt: number
  /** When it was last dialled. */
  readonly dialledAt: number
  /** Failures in a row, for the backoff. */
  readonly failures: number
  /** Draws made so far for the jitter. */
  readonly draws: number
  /** Link number of the one session. */
  readonly session: number | null
  /** That session speaks the kernel extensions. */
  readonly kernel: boolean
  /** The highest incarnation that ever proved itself; a lower one is never let in again (S6). */
  readonly incarnation: number
  readonly bootId: string | null
  /** It left in this incarnation, for good. */
  readonly leftIncarnation: number
  /** The highest incarnation that rows or records name. It proves nothing and shuts nobody out; a higher one ends a goodbye. */
  readonly told: number
  /** It knows a later incarnation of ours than we do: the next dial asks it which. */
  readonly asks: boolean
  /** It said which incarnation of ours it met, and a life of ours began after that: who tells the truth cannot know of more (P3.17). */
  readonly believed: boolean
  /** It held a row in our name that is not of a life of ours of which we know, and a life began after that (P3.20). */
  readonly shown: boolean
  /** The lasting reason for which it refuses us, or we it. */
  readonly refused: string | null
  /** Its calendar less our monotonic clock, from its last handshake; `null`: it is not known, or no good. */
  readonly aheadMs: number | null
  /** How far its calendar was ahead of ours then; for showing. */
  readonly clockOffsetMs: number | null
  /** `host:port` where discovery saw it, best first. */
  readonly found: ReadonlyArray<string>
  /** The name that its record gives. */
  readonly seenAs: string
  /** Dials by `found` so far, since it was found or its device died: the next one takes the next address. */
  readonly tried: number
  /** How many of them since the last failure: each address once is one failure. */
  readonly round: number
  /** How many of these are not allowed, or showed another key. */
  readonly refusals: number
  /** While a dial is out: when it gives way to the next address. */
  readonly hurryAt: number
  /** Its record names another address than before: when the session is over unless it answers; `NEVER_MS`: it is not in doubt. */
  readonly doubtedUntil: number
  /** Several have it as down, and it has not proved itself since: what was found of it is no sign of life (B4). */
  readonly dead: boolean
}

/** It said goodbye, and nothing tells of it in a higher incarnation yet: it is hardly dialled (P3.11). */
export const isGone = ({ incarnation, leftIncarnation, told }: Contact): boolean =>
  leftIncarnation > 0 && leftIncarnation >= Math.max(incarnation, told)

/** A device near us that nobody has told us to trust: shown, never dialled. */
export interface Stranger {
  readonly deviceId: DeviceId
  readonly name: string
  readonly addresses: ReadonlyArray<string>
}

/** The slice of this room. */
export interface Links {
  /** Every trusted device, sorted by device id. */
  readonly contacts: ReadonlyArray<Contact>
  /** Every open connection, sorted by link number. */
  readonly links: ReadonlyArray<Link>
  /** Sessions with devices of generation 1, in the order in which they began. */
  readonly gen1: ReadonlyArray<Gen1Line>
  /** Sessions on which something was asked, or said behind control, sorted by link number. */
  readonly lines: ReadonlyArray<Line>
  /** Untrusted devices that discovery saw, sorted by device id. */
  readonly strangers: ReadonlyArray<Stranger>
  /** Links opened in this incarnation. */
  readonly counter: number
  /** Dials made in this incarnation. */
  readonly attempts: number
  /** How often another's word made this process live in a later incarnation than it had begun with (P3.17). */
  readonly reborn: number
  /** When this room next has something to do, `mono` ms. */
  readonly due: number
}

/** A displacement probe; membership numbers its own from 1. */
export const DISPLACE_PROBE = 0

/** Where to send our own events to; `null`: no session, or one of generation 1. */
export const kernelLink = (contact: Contact): number | null => (contact.kernel ? contact.session : null)

/** Of everybody that we have a session with and that speaks kernel. */
export const kernelLinks = ({ contacts }: Links): ReadonlyArray<number> =>
  contacts.flatMap((contact) => kernelLink(contact) ?? [])

/** Position of `link` in a list sorted by link number; -1: not there. */
export const indexOfLink = (links: ReadonlyArray<Link>, link: number): number => {
  for (let i = 0; i < links.length; i++) if (links[i]!.link === link) return i
  return -1
}

/** In which life whoever has a session over it is; 0: nobody has, or a device of generation 1. */
export const incarnationAt = ({ links }: Links, link: number): number => {
  const session = links[indexOfLink(links, link)]
  return session?._tag === "Session" ? session.proven.incarnation : 0
}

/** Binary search in a list sorted by `peer`; -1: not there. */
export const indexOfContact = (contacts: ReadonlyArray<Contact>, peer: DeviceId): number => {
  let low = 0
  let high = contacts.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const id = contacts[middle]!.peer
    if (id === peer) return middle
    if (id < peer) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** A copy of `list` with `value` at `index`. */
export const replaced = <A>(list: ReadonlyArray<A>, index: number, value: A): ReadonlyArray<A> => {
  const copy = list.slice()
  copy[index] = value
  return copy
}

/** A copy of `list` without `index`. */
export const without = <A>(list: ReadonlyArray<A>, index: number): ReadonlyArray<A> => {
  const copy = list.slice()
  copy.splice(index, 1)
  return copy
}

/** A trusted device that nobody has tried to reach yet. */
export const stranger = (peer: string, kept: boolean): Contact => ({
  peer,
  kept,
  attempt: null,
  dialledAt: -NEVER_MS,
  nextDialAt: NEVER_MS,
  failures: 0,
  draws: 0,
  session: null,
  kernel: false,
  incarnation: 0,
  bootId: null,
  leftIncarnation: 0,
  told: 0,
  asks: false,
  believed: false,
  shown: false,
  refused: null,
  aheadMs: null,
  clockOffsetMs: null,
  found: [],
  seenAs: "",
  tried: 0,
  round: 0,
  refusals: 0,
  hurryAt: NEVER_MS,
  doubtedUntil: NEVER_MS,
  dead: false
})
