/**
 * Proposals over the operator's socket (PROTOCOL.md part 17): what there is, a wish of the person here, and what that person decides.
 * Who that is says the client that asks: whoever may open the socket is the operator, and the device signs for its people.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type { NodeState } from "../../kernel/Node.ts"
import { levels } from "../../kernel/actuation/Actuator.ts"
import { ASK_AGAIN_MS, isOutOfReach, mayPass, TOKEN_MS } from "../../kernel/proposals/Proposals.ts"
import { DECISIONS } from "../../kernel/routing/Forwarding.ts"
import { isUndecided, PROPOSAL_MS, proposalsOf, shortOf, type Proposal } from "../../kernel/proposals/Proposal.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import { isPlain } from "../../kernel/wire/ContextFrame.ts"
import * as Log from "../../kernel/world/Log.ts"
import { heldOf } from "../../kernel/world/Trace.ts"
import type { Daemon } from "../node/Daemon.ts"
import type * as Api from "./Api.ts"
import { failure, type Failure } from "./Failure.ts"
import { deviceOf, headOf } from "./Views.ts"

export const proposals = (daemon: Daemon): Api.Proposals => {
  const node = daemon.state()
  const now = daemon.now()
  const all = proposalsOf(node.world, node.config, now.mono)
  const byId = all.length === 0 ? new Map<string, Log.Held>() : heldOf(node.world)
  return {
    $type: "clawmesh.proposals/1",
    ...headOf(node, now),
    proposals: all.map((one) => ({
      id: one.id,
      short: shortOf(one.id),
      actuator: one.body.actuator,
      state: one.body.state,
      forMs: one.body.forMs,
      guardian: deviceOf(node, one.body.guardian),
      status: one.status,
      level: one.level,
      code: one.code,
      proposer: deviceOf(node, one.proposer),
      model: one.bodies.find(({ model }) => model !== undefined)?.model ?? null,
      owner: deviceOf(node, one.owner),
      term: one.term,
      ageMs: Math.round(one.ageMs),
      leftMs: isUndecided(one) ? Math.max(0, PROPOSAL_MS - one.ageMs) : null,
      decided: one.decided === null ? null : { by: one.decided.by, at: deviceOf(node, one.decided.at) },
      because: one.body.because.map((frame) => {
        const held = byId.get(frame)
        return {
          frame,
          source: held === undefined ? null : deviceOf(node, held.frame.sourceDeviceId),
          tier: held?.frame.trust.evidence_trust_tier ?? null,
          kind: held?.frame.kind ?? null,
          ageMs: held === undefined ? null : Log.ageOf(held, now.mono),
          data: held?.frame.data ?? null
        }
      }),
      frames: one.frameIds
    }))
  }
}

const toldOf = (daemon: Daemon, id: string | null, begun: number, outcome: Outcome): Api.Decided => {
  const node = daemon.state()
  const now = daemon.now()
  return {
    $type: "clawmesh.decided/1",
    ...headOf(node, now),
    id,
    short: id === null ? null : shortOf(id),
    ok: outcome.ok,
    code: outcome.ok ? null : outcome.code,
    text: outcome.ok ? wordOf(outcome.result) : outcome.message,
    tookMs: Math.max(0, now.mono - begun)
  }
}

const wordOf = (result: unknown): string => {
  if (!isPlain(result)) return "done"
  if (result["merged"] === true) return "proposed before"
  return typeof result["status"] === "string" ? result["status"] : "proposed"
}

/** The frame that says that a person wishes it. */
const WISH = "wish"

export const propose = (daemon: Daemon, wanted: Api.ProposeRequest): Effect.Effect<Api.Decided | Failure> =>
  Effect.gen(function* () {
    const { actuator, again, by, forMs, state } = wanted
    const begun = daemon.now().mono
    let because = wanted.because
    if (because.length === 0) {
      const frameId = randomUUID()
      const data = { metric: WISH, zone: actuator, actuator, state, forMs, by }
      yield* daemon.offer({ _tag: "Sensed", frameId, kind: "human_input", data })
      because = [frameId]
    }
    const outcome = yield* daemon.propose({
      actuator,
      state,
      forMs,
      because,
      autonomous: false,
      ...(again ? { again: true as const } : {})
    })
    const result = outcome.ok && isPlain(outcome.result) ? outcome.result["id"] : null
    return toldOf(daemon, typeof result === "string" ? result : null, begun, outcome)
  })

/** By its whole id, or as people say it, which may fit more than one. */
const meant = (node: NodeState, mono: number, id: string): ReadonlyArray<Proposal> => {
  const all = proposalsOf(node.world, node.config, mono)
  const whole = all.filter((one) => one.id === id)
  if (whole.length > 0) return whole
  const short = all.filter((one) => shortOf(one.id) === id)
  const open = short.filter(isUndecided)
  return open.length === 1 ? open : short
}

const theOne = (daemon: Daemon, id: string): Proposal | Failure => {
  const [one, other] = meant(daemon.state(), daemon.now().mono, id)
  if (one === undefined)
    return failure("NOT_FOUND", `no proposal ${JSON.stringify(id.slice(0, 64))}`, "clawmesh proposals --all")
  return other === undefined
    ? one
    : failure("AMBIGUOUS", `${id} fits several`, "clawmesh proposals --all --json shows whole ids")
}

/** Asks the guardian what it is about, for somebody who signs. Waits for it where it is out of reach, as long as a decision may (B33a). */
export const token = (daemon: Daemon, { id }: Api.TokenRequest): Effect.Effect<Api.Token | Failure> =>
  Effect.gen(function* () {
    const one = theOne(daemon, id)
    if ("exit" in one) return one
    const until = daemon.now().mono + TOKEN_MS
    const { deviceId, meshId, meshKey } = daemon.state().config
    let blind = false
    for (;;) {
      const outcome = yield* daemon.ask({
        channel: DECISIONS,
        to: one.body.guardian,
        originGatewayId: deviceId,
        idempotencyKey: randomUUID(),
        message: { token: one.id }
      })
      const said = outcome.ok && isPlain(outcome.result) ? outcome.result : {}
      const { level, safe, state, token: given } = said
      const again = !outcome.ok && mayPass(outcome.code) && daemon.now().mono + ASK_AGAIN_MS < until
      if (!again) {
        const isToken = typeof given === "string" && typeof state === "string" && typeof safe === "boolean"
        const code = outcome.ok ? (isToken ? null : "DELIVERY_FAILED") : outcome.code
        return {
          $type: "clawmesh.token/1",
          ...headOf(daemon.state(), daemon.now()),
          id: one.id,
          short: shortOf(one.id),
          ok: code === null,
          code,
          text: outcome.ok ? (isToken ? "" : "its guardian answers without a token") : outcome.message,
          meshId,
          meshKey,
          body: one.body,
          token: isToken ? given : "",
          state: isToken ? state : "",
          safe: isToken && safe,
          blind,
          level: levels.find((word) => word === level) ?? null
        }
      }
      blind ||= isOutOfReach(outcome.code)
      yield* Effect.sleep(ASK_AGAIN_MS)
    }
  })

export const decide = (daemon: Daemon, wanted: Api.DecideRequest): Effect.Effect<Api.Decided | Failure> =>
  Effect.gen(function* () {
    const begun = daemon.now().mono
    const one = theOne(daemon, wanted.id)
    if ("exit" in one) return one
    const { approve, by, shown, signed, typed } = wanted
    const outcome = yield* daemon.decide({
      id: one.id,
      approve,
      by,
      ...(shown === undefined ? {} : { shown }),
      ...(typed === undefined ? {} : { typed }),
      ...(signed === undefined ? {} : { signed })
    })
    return toldOf(daemon, one.id, begun, outcome)
  })
