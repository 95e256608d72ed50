/** What people propose and decide, and with whose key (PROTOCOL.md part 17). */
import { userInfo } from "node:os"
import * as Effect from "effect/Effect"
import { hasChanged } from "../../kernel/proposals/Proposals.ts"
import { decisionOf, idOf } from "../../kernel/proposals/Proposal.ts"
import { printable } from "../config/Printable.ts"
import * as Api from "../operator/Api.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import type { Order } from "./Arguments.ts"
import { ask } from "./Client.ts"
import { COMMAND_MS_MAX, type Errand, refOf, refused, told, wayOutOf, type Work } from "./Errand.ts"
import * as Person from "./Person.ts"
import { decidedScreen, oneScreen, proposalScreen, proposalsScreen } from "./ProposalScreen.ts"

/** The user of this machine, where no other person is named. */
const person = (by: string | null): string => by ?? userInfo().username

export const propose = (errand: Errand, order: Extract<Order, { readonly _tag: "propose" }>): Work =>
  Effect.gen(function* () {
    const { again, because, by, forMs, state } = order
    const actuator = refOf(order.actuator)
    const body: Api.ProposeRequest = { actuator, state, forMs: forMs ?? 0, by: person(by), because, again }
    const done = yield* ask(errand.socket, { method: "POST", target: "/propose", body }, Api.Decided, COMMAND_MS_MAX)
    told(errand, done, (document) => decidedScreen(document, errand.look))
    if (!done.ok) return yield* refused(done.code, `${printable(actuator)} is not proposed`)
  })

const readProposals = (errand: Errand) => ask(errand.socket, { method: "GET", target: "/proposals" }, Api.Proposals)

export const showProposals = (errand: Errand, all: boolean): Work =>
  Effect.map(readProposals(errand), (proposals) =>
    told(errand, proposals, (document) => proposalsScreen(document, all, errand.look))
  )

export const showProposal = (errand: Errand, id: string): Work =>
  Effect.gen(function* () {
    const document = yield* readProposals(errand)
    const found = document.proposals.filter((one) => one.id === id || one.short === id)
    if (found.length === 0) {
      const gone = failure("NOT_FOUND", `no proposal ${JSON.stringify(id)}`, "clawmesh proposals --all")
      return yield* Effect.fail(gone)
    }
    told(errand, { ...document, proposals: found }, (those) => proposalScreen(those, errand.look))
  })

/** Two minutes where the guardian is out of reach, and what its last answer takes. */
const TOKEN_MS_MAX = 160_000
/** The mesh may take two minutes to find its guardian, and three more to hear from it. */
const DECIDE_MS_MAX = 310_000

/** At level L3, the name of what is moved, from whoever sits here; `null`: none is needed, or nobody does. */
const asked = (errand: Errand, id: string): Effect.Effect<string | null, Failure> =>
  Effect.gen(function* () {
    const { ask: question, manner } = errand
    if (question === null || manner.json) return null
    const { proposals } = yield* readProposals(errand)
    const [one, other] = proposals.filter(
      (proposal) => proposal.status === "awaiting_approval" && (proposal.id === id || proposal.short === id)
    )
    if (one?.level !== "L3" || other !== undefined) return null
    errand.out(oneScreen(one, { ...errand.look, quiet: true }))
    const said = yield* Effect.promise(() => question("Type the name of what is moved, to have it done: "))
    return said.trim() === "" ? null : said.trim()
  })

/** The key of this account, where its owner is who decides. */
const signerOf = (errand: Errand, by: string | null): Effect.Effect<Person.Signer | null, Failure> => {
  const signer = Person.read(errand.person)
  if (signer === null) return Effect.succeed(null)
  if ("exit" in signer) return Effect.fail(signer)
  return Effect.succeed(by === null || by === signer.name ? signer : null)
}

/** What the person signs: the guardian's word for what it is about, and all that is to be done. */
const sign = (
  errand: Errand,
  { keys, name }: Person.Signer,
  id: string,
  { shown, typed }: { readonly shown: string | null; readonly typed: string | null }
): Effect.Effect<NonNullable<Api.DecideRequest["signed"]>, Failure> =>
  Effect.gen(function* () {
    const said = yield* ask(errand.socket, { method: "POST", target: "/token", body: { id } }, Api.Token, TOKEN_MS_MAX)
    const { blind, body, code, meshId, meshKey, ok, safe, short, state, text, token } = said
    const none = (why: string, what: string): Effect.Effect<never, Failure> =>
      refused(why, `${printable(short)} is not approved: ${printable(what)}`)
    if (!ok) return yield* none(code ?? "DELIVERY_FAILED", `${code ?? ""} ${text}`)
    if (idOf(meshId, body) !== said.id)
      return yield* none("INTERNAL_ERROR", "the node shows something else than was meant")
    // It was out of reach, and nobody looked: then it is only for what is safe now.
    if (hasChanged({ blind, shown }, { safe, state }))
      return yield* none("PRECONDITION_FAILED", `it is ${state} now, which is not what was seen`)
    const decision = { id: said.id, body, token, by: name, ...(typed === null ? {} : { typed }) }
    const signature = keys.sign(decisionOf({ meshId, meshKey }, decision))
    return { token, publicKey: keys.publicKey, signature }
  })

export const showPerson = (errand: Errand, make: string | null): Work =>
  Effect.suspend(() => {
    const signer = make === null ? Person.read(errand.person) : Person.make(errand.person, make)
    if (signer === null)
      return Effect.fail(
        failure("NOT_FOUND", "this account has no key of a person", "clawmesh person new NAME makes one")
      )
    if ("exit" in signer) return Effect.fail(signer)
    const line = `${signer.name}=${signer.keys.publicKey}`
    const document = { $type: "clawmesh.person/1" as const, name: signer.name, publicKey: signer.keys.publicKey }
    told(errand, document, () =>
      errand.look.quiet
        ? `${line}\n`
        : `${line}\n\nTo persons: in the node.yaml of each device whose decisions this key is for. The key is in ${printable(errand.person)}.\n`
    )
    return Effect.void
  })

export const decide = (
  errand: Errand,
  { _tag, by, id, shown, typed }: Extract<Order, { readonly _tag: "proposals approve" | "proposals reject" }>
): Work =>
  Effect.gen(function* () {
    const approve = _tag === "proposals approve"
    const confirmed = approve && typed === null ? yield* asked(errand, id) : typed
    const signer = approve ? yield* signerOf(errand, by) : null
    const signed = signer === null ? null : yield* sign(errand, signer, id, { shown, typed: confirmed })
    const body: Api.DecideRequest = {
      id,
      approve,
      by: signer?.name ?? person(by),
      ...(signed === null ? {} : { signed }),
      ...(shown === null ? {} : { shown }),
      ...(confirmed === null ? {} : { typed: confirmed })
    }
    const done = yield* ask(errand.socket, { method: "POST", target: "/decide", body }, Api.Decided, DECIDE_MS_MAX)
    told(errand, done, (document) => decidedScreen(document, errand.look))
    if (!done.ok)
      return yield* refused(
        done.code,
        `${done.short ?? printable(id)} is not ${approve ? "approved" : "rejected"}`,
        done.code === "VERIFICATION_REQUIRED" ? unverified(confirmed) : wayOutOf(done.code)
      )
  })

const unverified = (typed: string | null): string =>
  typed === null
    ? "At level L3 the name of what is moved is typed: --confirm NAME"
    : "Is that its name? If it is, no sensor showed that it moved: look at it"
