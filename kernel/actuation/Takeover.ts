/**
 * Take-overs (PROTOCOL.md P16.10): who shows the certificate of a higher term than that of whoever holds a group has its lease at once,
 * and not only when that has run out. The guardian believes the votes in it, which it verifies by the keys of the electors, and asks
 * nobody who leads. What it granted by a term it remembers with the epoch: a certificate of a lower one is worth nothing any more.
 */
import { lease } from "./Lease.ts"
import { byRef, LEASE_MS, refuse, replaced, type Guardian } from "./Guard.ts"
import * as Ledger from "./Ledger.ts"
import * as Certificate from "../leadership/Certificate.ts"
import { isMajority } from "../leadership/Leadership.ts"
import { compareTerms, TERM_ZERO } from "../leadership/Term.ts"
import type { Checked } from "../Input.ts"
import type { Order, Turn } from "../Turn.ts"
import type { Code } from "../wire/Codes.ts"

/** Above every other ticket of a check but those of the world. */
const CHECK_FROM = 2 ** 43
/** Certificates that are being verified at once. */
export const CERTIFYING_MAX = 4

/** A certificate whose signatures are being checked, and who waits for what comes of it. */
export interface Certifying {
  readonly ref: string
  readonly order: Order
  readonly certificate: Certificate.Certificate
  readonly checks: ReadonlyArray<{ readonly ticket: number; readonly elector: string }>
  /** Votes that are true. */
  readonly good: number
  /** Whoever asked waits no longer. */
  readonly until: number
}

/** The last that was found to be true. */
export type Certified = Pick<Certificate.Certificate, "incarnation" | "leader" | "term">

const faults: { readonly [F in Certificate.Fault]: readonly [Code, string] } = {
  mesh: ["MESH_ID_MISMATCH", "its certificate is of another mesh"],
  manifest: ["STALE_TERM", "its certificate is of another list of electors"],
  leader: ["NOT_AUTHORIZED", "its certificate names somebody who may not lead"],
  votes: ["NOT_AUTHORIZED", "its certificate has too few votes, or some that are none"]
}

const same = (a: Certified, b: Certified): boolean =>
  a.leader === b.leader && a.incarnation === b.incarnation && compareTerms(a.term, b.term) === 0

/** Somebody asks for a lease and shows why it should have it. */
export const presented = (guardian: Guardian, ref: string, order: Order, shown: unknown, turn: Turn): Guardian => {
  const certificate = Certificate.read(shown)
  const deny = (code: Code, message: string): Guardian => {
    refuse(turn, order, ref, code, message)
    return guardian
  }
  if (certificate === null) return deny("INVALID_PARAMS", "its certificate does not read")
  const fault = Certificate.faultOf(certificate, turn.config)
  if (fault !== null) return deny(...faults[fault])
  const { incarnation, leader, term, votes } = certificate
  if (leader !== order.from.deviceId || incarnation !== order.from.incarnation)
    return deny("NOT_AUTHORIZED", "its certificate is another's, or of another life of it")
  const actuator = byRef(turn, ref)
  const guard = guardian.guards.find(({ group }) => group === actuator?.group)
  if (actuator === undefined || guard === undefined) return guardian
  if (compareTerms(term, Ledger.groupOf(turn.ledger(), guard.group).term ?? TERM_ZERO) < 0)
    return deny("STALE_TERM", "somebody of a higher term has had it")
  if (guardian.certified !== null && same(guardian.certified, certificate)) {
    const next = lease(guardian, guard, actuator, order, term, turn)
    return next === null ? guardian : replaced(guardian, guard, next)
  }
  const certifying = guardian.certifying.filter(({ until }) => until > turn.at.mono)
  if (certifying.length >= CERTIFYING_MAX) return deny("RATE_LIMITED", "too many certificates are being verified")
  const payload = Certificate.payloadOf(turn.config, certificate)
  const checks = votes.map(({ elector }, n) => ({ ticket: CHECK_FROM + guardian.checks + n + 1, elector }))
  for (const [n, { publicKey, signature }] of votes.entries())
    turn.out.push({ _tag: "Check", ticket: checks[n]!.ticket, publicKey, proofs: [{ payload, signature }] })
  const until = turn.at.mono + LEASE_MS
  return {
    ...guardian,
    checks: guardian.checks + votes.length,
    certifying: [...certifying, { ref, order, certificate, checks, good: 0, until }]
  }
}

/** The key store has looked at one of the votes. */
export const onChecked = (
  guardian: Guardian,
  { deviceId, ticket, valid }: typeof Checked.Type,
  turn: Turn
): Guardian => {
  const one = guardian.certifying.find(({ checks }) => checks.some((check) => check.ticket === ticket))
  if (one === undefined) return guardian
  const { elector } = one.checks.find((check) => check.ticket === ticket)!
  const good = one.good + (deviceId === elector && valid[0] === true ? 1 : 0)
  const checks = one.checks.filter((check) => check.ticket !== ticket)
  const rest: Guardian = { ...guardian, certifying: guardian.certifying.filter((other) => other !== one) }
  const { certificate, order, ref } = one
  if (isMajority(turn.config, good))
    return presented({ ...rest, certified: certificate }, ref, order, certificate, turn)
  if (checks.length > 0) return { ...rest, certifying: [...rest.certifying, { ...one, checks, good }] }
  refuse(turn, order, ref, "AUTH_FAILED", "too few of the votes in its certificate are true")
  return rest
}
