/**
 * Amnesia (S9; mesh protocol 1): a device that has its identity and has lost its journal does not know in which incarnation it
 * lived. Before it lives again it asks those whom it trusts for the highest one that they met, and takes the next.
 *
 * It asks by the handshake, as incarnation 0, and listens to nobody meanwhile. Done is it when everybody whom it can ask has
 * answered, or some have and the others did not within two beats. With nobody to ask it waits: for discovery, or for its
 * operator to say whom to trust.
 *
 * Does not model: a device that is only dialled, and can dial nobody; peers that have themselves restarted since, and remember
 * nothing. Where one that was out of reach remembers more than those who answered, its refusal says so, and the device begins
 * once more (Node.ts), once at the word of each whom it trusts.
 */
import { trustedDevice } from "../Config.ts"
import type { Links } from "../links/Link.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** What nobody lives to see: a peer that remembers a higher incarnation lies, or is broken. A boot a second for 136 years. */
export const INCARNATION_MAX = 2 ** 32

/** How long those are waited for who have not answered yet, from the first answer on. Whoever knows more may still say so later. */
const WAIT_BEATS = 2

export interface Recall {
  /** Whoever answered, sorted by nothing, each once. */
  readonly answered: ReadonlyArray<DeviceId>
  /** The highest incarnation that any of them met. */
  readonly incarnation: number
  /** When whoever did not answer is waited for no longer; NEVER: nobody has answered yet. */
  readonly endsAt: number
}

export const begin: Recall = { answered: [], incarnation: 0, endsAt: NEVER_MS }

/** The highest incarnation of ours that peers told of in this turn; -1: none did. */
export const toldIn = ({ facts }: Turn): number => {
  let highest = -1
  for (const fact of facts)
    if (fact._tag === "Remembered" && fact.incarnation <= INCARNATION_MAX) highest = Math.max(highest, fact.incarnation)
  return highest
}

export const onTurn = (recall: Recall, turn: Turn): Recall => {
  const told = toldIn(turn)
  if (told < 0) return recall
  const answered = new Set(recall.answered)
  for (const fact of turn.facts) if (fact._tag === "Remembered") answered.add(fact.peer)
  return {
    answered: [...answered],
    incarnation: Math.max(recall.incarnation, told),
    endsAt: recall.endsAt === NEVER_MS ? turn.at.mono + WAIT_BEATS * turn.config.profile.beatMs : recall.endsAt
  }
}

/** Whether there is nobody left to wait for. */
export const isOver = (recall: Recall, links: Links, turn: Turn): boolean => {
  if (recall.answered.length === 0) return false
  if (turn.at.mono >= recall.endsAt) return true
  return links.contacts.every(({ found, peer }) => {
    const device = trustedDevice(turn.config, peer)
    const isAsked = device?.gen1 === false && (device.address !== null || found.length > 0)
    return !isAsked || recall.answered.includes(peer)
  })
}
