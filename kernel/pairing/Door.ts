/**
 * The door of a node: which invites are open, and what becomes of who knocks (PROTOCOL.md part 19).
 *
 * Promises: an invite is open until its time is over, it is taken, or `WRONG_MAX` knocks fitted none; the last shuts every
 * invite that was open then. It is taken by one device, and by nobody else after: that device may knock again until
 * `AGAIN_MS` later, because what it was answered may have been lost on the way. Time is `mono`; nothing here lasts over a restart.
 *
 * Does not look at codes: who knocks with which is found out by whoever holds the keys.
 */
import type { DeviceId } from "../wire/Frame.ts"

/** Knocks that fit no open invite, until all are shut. With 75 random bits it is no matter of guessing: it is one of noticing. */
export const WRONG_MAX = 3
/** Open at one moment: a box of devices. */
export const INVITES_MAX = 16
/** How long an invite is open where nobody says how long, and at most, ms. */
export const OPEN_MS = 300_000
export const OPEN_MS_MAX = 86_400_000
/** For how long who took an invite may be answered again, ms. */
export const AGAIN_MS = 60_000

/** `open` until it is one of the others; then it stays so. */
export type InviteState = "open" | "taken" | "expired" | "shut"

export interface Invite<Terms> {
  readonly id: string
  /** What whoever takes it is granted. */
  readonly terms: Terms
  readonly untilMono: number
  readonly state: InviteState
  readonly takenBy: DeviceId | null
  readonly takenAtMono: number
}

export interface Door<Terms> {
  /** Oldest first; also those that are over, the last `KEPT_MAX` of them, so that who asks is told what became of one. */
  readonly invites: ReadonlyArray<Invite<Terms>>
  /** Wrong knocks since the first of the invites that are open now was made. */
  readonly wrong: number
}

const KEPT_MAX = 64

export const shutDoor: Door<never> = { invites: [], wrong: 0 }

const isOpen = ({ state }: Invite<unknown>): boolean => state === "open"

const settled = <Terms>(door: Door<Terms>): Door<Terms> => {
  const over = door.invites.filter((invite) => !isOpen(invite))
  const forgotten = new Set(over.slice(0, Math.max(0, over.length - KEPT_MAX)))
  const invites = forgotten.size === 0 ? door.invites : door.invites.filter((invite) => !forgotten.has(invite))
  const wrong = invites.some(isOpen) ? door.wrong : 0
  return invites === door.invites && wrong === door.wrong ? door : { invites, wrong }
}

/** The door at this moment: what is too old is expired. The same reference where nothing has changed. */
export const at = <Terms>(door: Door<Terms>, mono: number): Door<Terms> =>
  door.invites.some((invite) => isOpen(invite) && mono >= invite.untilMono)
    ? settled({
        ...door,
        invites: door.invites.map((invite) =>
          isOpen(invite) && mono >= invite.untilMono ? { ...invite, state: "expired" as const } : invite
        )
      })
    : door

/** Whether anybody is let in to knock: an invite is open, or who took one may not have heard the answer yet. */
export const letsIn = (door: Door<unknown>, mono: number): boolean =>
  at(door, mono).invites.some(
    (invite) => isOpen(invite) || (invite.state === "taken" && mono < invite.takenAtMono + AGAIN_MS)
  )

/** `null`: there are `INVITES_MAX` open already. */
export const invited = <Terms>(
  door: Door<Terms>,
  { forMs, id, terms }: { readonly id: string; readonly terms: Terms; readonly forMs: number },
  mono: number
): Door<Terms> | null => {
  const now = at(door, mono)
  if (now.invites.filter(isOpen).length >= INVITES_MAX) return null
  const untilMono = mono + Math.min(Math.max(1, forMs), OPEN_MS_MAX)
  const invite: Invite<Terms> = { id, terms, untilMono, state: "open", takenBy: null, takenAtMono: 0 }
  return { ...now, invites: [...now.invites, invite] }
}

/** A device is trusted no longer: what it took before is answered no more, lest its code undo that. */
export const revoked = <Terms>(door: Door<Terms>, deviceId: DeviceId): Door<Terms> =>
  door.invites.some(({ takenBy }) => takenBy === deviceId)
    ? {
        ...door,
        invites: door.invites.map((invite) =>
          invite.takenBy === deviceId ? { ...invite, takenAtMono: -AGAIN_MS } : invite
        )
      }
    : door

/** Shuts all that are open. */
export const shut = <Terms>(door: Door<Terms>, mono: number): Door<Terms> => {
  const now = at(door, mono)
  return now.invites.some(isOpen)
    ? settled({
        ...now,
        invites: now.invites.map((invite) => (isOpen(invite) ? { ...invite, state: "shut" as const } : invite))
      })
    : now
}

export type Verdict<Terms> =
  /** It is this device's invite, now or from before. */
  | { readonly _tag: "Granted"; readonly invite: Invite<Terms> }
  /** It fits none; `left` further ones are let be. */
  | { readonly _tag: "Wrong"; readonly left: number }
  | { readonly _tag: "Used" | "Expired" | "Shut" }

/**
 * A device has knocked. It changes nothing but the door: whom the node trusts is another matter.
 *
 * @param fits the invite whose code it has proved to know; `null`: it has proved none
 */
export const knocked = <Terms>(
  door: Door<Terms>,
  { deviceId, fits }: { readonly fits: string | null; readonly deviceId: DeviceId },
  mono: number
): readonly [Door<Terms>, Verdict<Terms>] => {
  const now = at(door, mono)
  const invite = fits === null ? undefined : now.invites.find(({ id }) => id === fits)
  switch (invite?.state) {
    case "open": {
      const taken: Invite<Terms> = { ...invite, state: "taken", takenBy: deviceId, takenAtMono: mono }
      const invites = now.invites.map((other) => (other === invite ? taken : other))
      return [settled({ ...now, invites }), { _tag: "Granted", invite: taken }]
    }
    case "taken":
      return invite.takenBy === deviceId && mono < invite.takenAtMono + AGAIN_MS
        ? [now, { _tag: "Granted", invite }]
        : [now, { _tag: "Used" }]
    case "expired":
      return [now, { _tag: "Expired" }]
    case "shut":
      return [now, { _tag: "Shut" }]
    default: {
      if (!now.invites.some(isOpen)) return [now, { _tag: "Shut" }]
      const wrong = now.wrong + 1
      return wrong < WRONG_MAX
        ? [
            { ...now, wrong },
            { _tag: "Wrong", left: WRONG_MAX - wrong }
          ]
        : [shut(now, mono), { _tag: "Wrong", left: 0 }]
    }
  }
}
