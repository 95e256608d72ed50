/**
 * Every constant of the mesh's clockwork, by profile, in one place. `lan` is a local network; `wan` links cross the internet
 * or a relay; `battery` trades seconds for fewer radio wake-ups. Times are in ms of the node's own monotonic clock.
 *
 * Two inequalities carry safety, and test/kernel/Profile.test.ts checks both for every profile with clocks whose rate errs by
 * up to 30 %: a leader's lease ends on its own clock before any voter's promise can end on another's, and a heartbeat round
 * fits into a lease.
 */
export interface Profile {
  readonly name: "lan" | "wan" | "battery"
  /** How often each node probes its links and sends its heartbeat. */
  readonly beatMs: number
  /** A probe is missed when nothing was heard for so long, until the round trip is known. */
  readonly probeDeadlineMs: number
  /** Once it is known, the deadline is srtt + 4 * rttvar, held between these two. */
  readonly probeDeadlineMinMs: number
  readonly probeDeadlineMaxMs: number
  /** A probe that was not answered is pinged again so long after its first ping: what follows a lost segment hurries its repeat. */
  readonly repeatMs: ReadonlyArray<number>
  /** Misses in a row that make an edge bad; three where few observers could outvote an unlucky one. */
  readonly missesToBad: number
  readonly missesToBadFewObservers: number
  /** Fewer observers than this are few. */
  readonly fewObservers: number
  /** An edge is bad as well after so many misses among the last ten probes, in whatever order. */
  readonly missesOfTenToBad: number
  /** After so many the connection is ended and dialled anew: a new handshake is quicker than waiting for TCP. */
  readonly missesToTerminate: number
  /** A link that neither end needs as evidence is probed, and gets a heartbeat, on each so-manieth beat only. */
  readonly slowBeats: number
  /** Some observers have a device as bad, and too few for `down`, for so long: those that can probe it do, besides their beat. */
  readonly doubtMs: number
  /** A link that was there for so long is reported on where others would not hear of that device otherwise. */
  readonly coverAfterMs: number
  /** Rows go out to three peers each so often, where there are more than eight nodes. */
  readonly spreadMs: number
  /** An alarm that rings later than this says that we ourselves were not attentive: pending probes prove nothing. */
  readonly stallMs: number
  /** A stall beyond this also voids our lease, until a heartbeat sent after it is acknowledged. */
  readonly stallVoidsLeaseMs: number
  /** After a stall nobody is accused for so long: what came meanwhile has to be taken up first. */
  readonly drainMs: number
  /** Without a carrier of our own nobody is accused for so long; after that they are out of reach, whoever is to blame. */
  readonly deafMs: number
  /** How long an edge to a device that is down must stay well before it counts as good, by how often it was down so far. */
  readonly probationMs: ReadonlyArray<number>
  /** One flap is forgiven for each such span without another. */
  readonly flapForgivenMs: number
  /** An edge that has been good for so long brings back a device that is down, though most others have it as bad. */
  readonly ownWordMs: number

  /** The leader's heartbeat. */
  readonly leadMs: number
  /** The leader's lease, from the sending of the last heartbeat that a majority acknowledged. */
  readonly leaseMs: number
  /** A voter votes for nobody else for so long after each heartbeat that it acknowledged; also its silence after a boot. */
  readonly promiseMs: number
  /** Candidates wait rank * this, plus a draw of up to this, so that the first in rank is usually alone. */
  readonly rankMs: number
  /** A candidacy that won nothing is tried again after this, doubling up to the next. */
  readonly candidacyMs: number
  readonly candidacyMaxMs: number

  /** Of two that found each other the higher id dials only when the link has been missing for so long. */
  readonly higherDialsAfterMs: number
  /** First redial after a failure, doubling up to the next, with full jitter. */
  readonly redialMs: number
  readonly redialMaxMs: number
  /** Between attempts at a peer that refuses us for a lasting reason. */
  readonly redialRefusedMs: number
  /** A link that has been up for so long starts its backoff anew. */
  readonly redialResetMs: number
  /** From an open connection to an authenticated session; then it is closed 1008. */
  readonly handshakeMs: number
  /** A server's nonce is good for so long. */
  readonly nonceMs: number
  /** A session that is challenged by a newer incarnation must answer a probe within this, or it is displaced. */
  readonly displaceProbeMs: number
}

/** Clock error towards peers of generation 1, either way (PROTOCOL.md part 5). */
export const GEN1_CLOCK_WINDOW_MS = 300_000
/** Between two attempts at a device of generation 1 at most, and after its goodbye, which no higher incarnation will end. */
export const GEN1_REDIAL_MAX_MS = 30_000
/**
 * A link with a device of generation 1 on which no event left for so long gets one that says nothing. Thirty seconds are promised;
 * this leaves them to a clock that runs 30 % slow, and the device itself waits for ninety.
 */
export const GEN1_QUIET_MS = 20_000
/**
 * What we send on a link that we dialled to it: so many messages in so long. It drops whatever is beyond as many in a minute; the
 * rest is for our clock, and for messages that are held up on the way and come together.
 */
export const GEN1_BUDGET_MESSAGES = 100
export const GEN1_BUDGET_MS = 90_000
/** Messages that wait for room on one such link. */
export const GEN1_WAITING_MAX = 64
/** Nobody waits longer for an answer: it is not sent any more. */
export const GEN1_ANSWER_MS = 30_000
/** Between two dials of a dead device whose record lives on: four in the life of a record. */
export const SUPPRESSED_REDIAL_MS = 30_000

/** A device that said goodbye is looked for at the address that an operator gave, once in so long, ms. */
export const LEFT_REDIAL_MS = 60_000
/** A goodbye whose signature takes longer is said without one. */
export const LEAVE_MS = 300
/** Frames other than the handshake that an unauthenticated link may send before it is closed. */
export const UNAUTHENTICATED_FRAMES_MAX = 16
/** Frames that are kept which a dialled device says right behind its answer, until that is checked. */
export const FRAMES_BEHIND_ANSWER_MAX = 8
/** Connections that may be shaking hands at once; beyond, the oldest that said nothing gives way. */
export const UNAUTHENTICATED_LINKS_MAX = 64
/**
 * How far above ours a term may be that somebody tells us in its answer. No mesh holds so many elections while one of its
 * nodes is away; a liar cannot wear the counter out in one go.
 */
export const ANSWERED_TERM_LEAP_MAX = 1_000_000
/**
 * And one that whoever stands or leads says of itself. It may have been told a false term that the others never heard of:
 * were this no more than the above, one lie to one candidate would put it out of the reach of all its voters, for good.
 */
export const STANDING_TERM_LEAP_MAX = 10_000_000_000

const lan: Profile = {
  name: "lan",
  beatMs: 1_000,
  probeDeadlineMs: 700,
  probeDeadlineMinMs: 400,
  probeDeadlineMaxMs: 2_800,
  repeatMs: [230, 460],
  missesToBad: 2,
  missesToBadFewObservers: 3,
  fewObservers: 3,
  missesOfTenToBad: 6,
  missesToTerminate: 3,
  stallMs: 150,
  stallVoidsLeaseMs: 300,
  slowBeats: 5,
  doubtMs: 1_000,
  coverAfterMs: 5_000,
  spreadMs: 100,
  drainMs: 1_500,
  deafMs: 10_000,
  probationMs: [2_000, 30_000, 60_000, 120_000, 300_000],
  flapForgivenMs: 600_000,
  ownWordMs: 30_000,
  leadMs: 500,
  leaseMs: 1_200,
  promiseMs: 2_400,
  rankMs: 150,
  candidacyMs: 1_000,
  candidacyMaxMs: 8_000,
  higherDialsAfterMs: 5_000,
  redialMs: 1_000,
  redialMaxMs: 8_000,
  redialRefusedMs: 300_000,
  redialResetMs: 30_000,
  handshakeMs: 10_000,
  nonceMs: 60_000,
  displaceProbeMs: 700
}

const wan: Profile = {
  ...lan,
  name: "wan",
  beatMs: 3_000,
  slowBeats: 3,
  leadMs: 2_000,
  leaseMs: 5_000,
  promiseMs: 10_000,
  rankMs: 1_000,
  displaceProbeMs: 2_800
}

const battery: Profile = {
  ...wan,
  name: "battery",
  beatMs: 5_000,
  slowBeats: 2,
  leadMs: 5_000,
  leaseMs: 12_000,
  promiseMs: 24_000
}

export const profiles: { readonly [name in Profile["name"]]: Profile } = { lan, wan, battery }
