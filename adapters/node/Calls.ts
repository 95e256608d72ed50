/**
 * Messages that the operator sends through this node, what it proposes and decides, what it asks models of other devices, and messages that come for it. What handles a channel on this device comes with
 * its programs; until there are any, nobody has taken a message, and its sender is told so.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { ANSWER_MS as INFERRED_WITHIN_MS } from "../../kernel/inference/Asking.ts"
import type { Happened } from "../../kernel/Input.ts"
import type { Messages } from "../../kernel/Ports.ts"
import { APPROVAL_MS } from "../../kernel/proposals/Proposal.ts"
import { TOKEN_MS } from "../../kernel/proposals/Proposals.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import type { ForwardParams } from "../../kernel/wire/Frame.ts"

/** A little more than the kernel waits itself: a node that boots or leaves answers nothing. */
const ANSWER_MS = 32_000

const INFERRED_MS = INFERRED_WITHIN_MS + 2_000

/** A decision waits for its guardian, and then for what came of it. */
const DECIDED_MS = TOKEN_MS + APPROVAL_MS + 2_000

export type Wanted = Omit<Extract<Happened, { readonly _tag: "Propose" }>, "_tag" | "call">
/** What a model of another device is asked; `to` null: of whoever serves it. */
export type Question = Omit<Extract<Happened, { readonly _tag: "Prompt" }>, "_tag" | "call">
export type Decision = Omit<Extract<Happened, { readonly _tag: "Decide" }>, "_tag" | "call">

export const make = (offer: (happened: Happened) => Effect.Effect<void>) => {
  const waiting = new Map<number, Deferred.Deferred<Outcome>>()
  /** Who hears the pieces of an answer, by the number of the call. */
  const hearing = new Map<number, (delta: string) => void>()
  let calls = 0
  const port: Messages["Service"] = {
    deliver: (channel) => Effect.succeed({ ok: false, reason: `nobody here handles ${channel.slice(0, 64)}` }),
    streamed: (call, delta) => Effect.sync(() => hearing.get(call)?.(delta)),
    answered: (call, outcome) =>
      Effect.suspend(() => {
        const answer = waiting.get(call)
        waiting.delete(call)
        return answer === undefined ? Effect.void : Deferred.succeed(answer, outcome)
      })
  }
  const asking = (of: (call: number) => Happened, withinMs: number): Effect.Effect<Outcome> =>
    Effect.gen(function* () {
      const call = ++calls
      const answer = yield* Deferred.make<Outcome>()
      waiting.set(call, answer)
      yield* offer(of(call))
      return yield* Effect.timeoutOrElse(Deferred.await(answer), {
        duration: withinMs,
        orElse: () =>
          Effect.sync((): Outcome => {
            waiting.delete(call)
            return { ok: false, code: "TIMEOUT", message: "the node does not answer: it starts, or stops" }
          })
      })
    })
  const ask = (params: ForwardParams) => asking((call) => ({ _tag: "Asked", call, params }), ANSWER_MS)
  const propose = (wanted: Wanted) => asking((call) => ({ _tag: "Propose", call, ...wanted }), ANSWER_MS)
  const decide = (decision: Decision) => asking((call) => ({ _tag: "Decide", call, ...decision }), DECIDED_MS)
  /** Whoever gives up has it called off. `hears` gets each piece as it comes, before the outcome. */
  const infer = (question: Question, hears: (delta: string) => void): Effect.Effect<Outcome> => {
    let call = 0
    const asked = asking((number) => {
      call = number
      hearing.set(call, hears)
      return { _tag: "Prompt", call, ...question }
    }, INFERRED_MS)
    return asked.pipe(
      Effect.onInterrupt(() => offer({ _tag: "Unprompt", call })),
      Effect.ensuring(Effect.sync(() => hearing.delete(call)))
    )
  }
  return { port, ask, propose, decide, infer }
}
