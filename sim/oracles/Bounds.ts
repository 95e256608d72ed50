/**
 * How long a mesh of a profile may take, at the worst that its constants allow, in ms of a node's own clock: the bounds within
 * which surfaces have to be true (S11) and a healed mesh well (L1, L3, L5).
 *
 * Worst cases, not goals: what a healthy mesh reaches is in the scenarios. `inTrueTime` turns them into true time.
 */
import { profiles, type Profile } from "../../kernel/Profile.ts"
import type { Machine } from "../engine/Machine.ts"
import { OPENING_LIMIT_MS } from "../network/Opening.ts"
import { QUERY_GAP_MAX_MS, TTL_MS } from "../network/Segment.ts"

const MILLION = 1_000_000

/** What a machine's node is to go by: its profile as documented, and what the scenario has in place of that. */
export const profileOf = ({ config, world }: Machine): Profile => ({
  ...profiles[config.profile.name],
  ...world.timing
})

/** So much of the own clock of a node takes at most so long. */
export const inTrueTime = (ms: number, ratePpm: number): number => Math.ceil((ms * MILLION) / (MILLION + ratePpm)) + 1

/**
 * From the last sign of life of a device to the end of the connection with it. A probe that was out then is answered for
 * until its deadline, the next one goes out at the beat after that, and each of those that are missed takes a deadline and
 * the wait for a beat.
 */
export const detectionMs = (profile: Profile): number => {
  const { beatMs, missesToTerminate, probeDeadlineMaxMs } = profile
  return (missesToTerminate + 1) * (probeDeadlineMaxMs + beatMs)
}

/**
 * From the end of a lease to the last moment at which anybody names its holder: the holder goes on trying to renew it for a
 * promise, and its last heartbeat is believed for another.
 */
export const leaderKnownMs = ({ leadMs, promiseMs }: Profile): number => 2 * promiseMs + leadMs

/** An election among `electors`: old promises and the silence after a boot, every rank's wait, some candidacies in vain. */
const electionMs = ({ candidacyMaxMs, promiseMs, rankMs }: Profile, electors: number): number =>
  2 * promiseMs + (electors + 1) * rankMs + 4 * candidacyMaxMs

/**
 * From the end of the last fault until everybody has everybody's true record: one that is wrong or a ghost is forgotten, or
 * outshone by the device's own, which is asked for once a minute at least.
 */
export const FOUND_MS = TTL_MS + QUERY_GAP_MAX_MS

/** Dials that may come to nothing (they cross, or meet what is left of an older session) before one makes a session. */
const DIALS_MAX = 4

/**
 * From the end of the last fault until everybody has met and elected: old connections are found dead, a lasting refusal is
 * waited out, dials cross, the longest probation passes and then the time of one's own word, and there is an election.
 */
export const convergenceMs = (profile: Profile, electors: number): number => {
  const { handshakeMs, higherDialsAfterMs, ownWordMs, probationMs, redialMaxMs, redialRefusedMs } = profile
  const dialsMs = DIALS_MAX * (OPENING_LIMIT_MS + handshakeMs + redialMaxMs) + higherDialsAfterMs
  const longestProbationMs = probationMs.reduce((longest, ms) => Math.max(longest, ms), 0)
  const backMs = longestProbationMs + ownWordMs
  return detectionMs(profile) + redialRefusedMs + dialsMs + backMs + electionMs(profile, electors)
}
