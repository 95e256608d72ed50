/**
 * The certificate of a leader (PROTOCOL.md P7.19): the signed votes by which it came to lead a term, so that anybody who knows the
 * electors can verify it, offline and later. It has no "now": it says who won which term, and orders take-overs at a guardian; whether
 * its leader still leads, it does not say.
 *
 * A vote is signed once it is durable, and its signature follows the answer: an election waits for no key. Who signs a vote for a term
 * signs no other for it (S1), so that there are no two certificates of one term but by a majority that lies.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Config } from "../Config.ts"
import { voteString } from "../identity/Handshake.ts"
import { kernelLink, indexOfContact, type Links } from "../links/Link.ts"
import { send, type Turn } from "../Turn.ts"
import type { Command } from "../Command.ts"
import { Counter, DeviceId, FilledField, Term } from "../wire/Frame.ts"
import { isElector, isMajority, leaseRuns, mayLead, type Leadership } from "./Leadership.ts"
import { compareTerms } from "./Term.ts"

/** Above every ticket of a link or a goodbye. */
const SIGN_FROM = 2 ** 42

/** Of more electors than a list in a configuration may have there is no certificate. */
export const VOTES_MAX = 64

const Vote = Schema.Struct({ elector: DeviceId, publicKey: FilledField, signature: FilledField })
export type Vote = typeof Vote.Type

export const Certificate = Schema.Struct({
  meshId: Schema.String,
  term: Term,
  leader: DeviceId,
  /** Of the leader: a later life of it has to win its own term. */
  incarnation: Counter,
  votes: Schema.Array(Vote).check(Schema.isMaxLength(VOTES_MAX))
})
export type Certificate = typeof Certificate.Type

const decode = Schema.decodeUnknownOption(Certificate)

/** `null`: it is none. */
export const read = (certificate: unknown): Certificate | null => Option.getOrNull(decode(certificate))

/** A vote of ours that is being signed: for whom, in which of its incarnations. */
export interface Signing {
  readonly ticket: number
  readonly candidate: DeviceId
  readonly term: Term
}

/** What an elector signs of its vote. */
export const payloadOf = (
  { meshId, meshKey }: Config,
  { incarnation, leader, term }: Pick<Certificate, "incarnation" | "leader" | "term">
): string => voteString({ meshId, meshKey, manifest: term.manifest, counter: term.counter, leader, incarnation })

/** To be done once the vote is durable. */
export const signing = (
  leadership: Leadership,
  turn: Turn,
  candidate: DeviceId,
  incarnation: number,
  term: Term
): readonly [Leadership, Command] => {
  const ticket = SIGN_FROM + leadership.votes + 1
  const payloads = [payloadOf(turn.config, { leader: candidate, incarnation, term })]
  const next = { ...leadership, votes: leadership.votes + 1, signing: { ticket, candidate, term } }
  return [next, { _tag: "Sign", ticket, payloads }]
}

/** The key has signed, or refused; what it did not sign counts all the same, and is in no certificate. */
export const onSigned = (
  leadership: Leadership,
  ticket: number,
  signatures: ReadonlyArray<string> | null,
  turn: Turn,
  links: Links
): Leadership => {
  const { signing: signed } = leadership
  if (signed?.ticket !== ticket) return leadership
  const next: Leadership = { ...leadership, signing: null }
  const signature = signatures?.[0]
  if (signature === undefined) return next
  const { deviceId: elector, publicKey } = turn.config
  const { candidate, term } = signed
  if (candidate === elector) return proved(next, term, { elector, publicKey, signature })
  const contact = links.contacts[indexOfContact(links.contacts, candidate)]
  const link = contact === undefined ? null : kernelLink(contact)
  if (link !== null) send(turn, link, "mesh.vote.proof", { term, publicKey, signature })
  return next
}

/** An elector shows its signature under the vote that it gave us. Whether it is good, those find out who ask for it. */
export const proved = (leadership: Leadership, term: Term, vote: Vote): Leadership => {
  const { proofs, standing } = leadership
  const isOurs = standing._tag === "Standing" || standing._tag === "Leading"
  if (!isOurs || compareTerms(term, leadership.term) !== 0) return leadership
  return proofs.some(({ elector }) => elector === vote.elector) || proofs.length >= VOTES_MAX
    ? leadership
    : { ...leadership, proofs: [...proofs, vote] }
}

/** Of the term that we lead now; `null`: we do not lead, or too few have shown their signatures yet. */
export const certificateOf = (
  { incarnation, leadership }: { readonly incarnation: number; readonly leadership: Leadership },
  { deviceId, manifest, meshId }: Config,
  mono: number
): Certificate | null => {
  const { proofs, term } = leadership
  if (!leaseRuns(leadership, mono) || 2 * proofs.length <= manifest.electors.length) return null
  return { meshId, term, leader: deviceId, incarnation, votes: proofs }
}

export type Fault = "mesh" | "manifest" | "leader" | "votes"

/** What can be said against it without its signatures; `null`: nothing. */
export const faultOf = (certificate: Certificate, config: Config): Fault | null => {
  const { leader, meshId, term, votes } = certificate
  if (meshId !== config.meshId) return "mesh"
  if (term.manifest !== config.manifest.version) return "manifest"
  if (!mayLead(config, leader)) return "leader"
  const electors = new Set(votes.map(({ elector }) => elector).filter((elector) => isElector(config, elector)))
  return electors.size === votes.length && isMajority(config, electors.size) ? null : "votes"
}
