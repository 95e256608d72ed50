/**
 * What the operator has moved, and holds, and whether this node leads, over the operator's socket (PROTOCOL.md part 16). Whoever asks here stands at this node:
 * the evidence is a person's, and the guardian of the actuator, here or on another device, judges it by its own policy.
 *
 * One command is one intent: it is asked for once, and what came of it is told. Where its answer is lost nobody knows what became of
 * it, and that is what is said.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { commandOf, COMMANDS, leaseOf } from "../../kernel/actuation/Asking.ts"
import { isLease } from "../../kernel/actuation/Envelope.ts"
import * as Ledger from "../../kernel/actuation/Ledger.ts"
import { mayLead } from "../../kernel/leadership/Leadership.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { GUARDIAN } from "../../kernel/routing/Forwarding.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import { capabilitiesOf, routes } from "../../kernel/routing/Routes.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { Daemon } from "../node/Daemon.ts"
import type * as Api from "./Api.ts"
import { failure, type Failure } from "./Failure.ts"
import { takenUp } from "./Trusting.ts"
import { deviceOf, headOf, status } from "./Views.ts"

export const actuators = (daemon: Daemon): Api.Actuators => {
  const node = daemon.state()
  const now = daemon.now()
  const { config, durable, guardian } = node
  return {
    $type: "clawmesh.actuators/1",
    ...headOf(node, now),
    actuators: (config.actuators ?? []).map(({ forMsMax, group, ref, safe, states }) => {
      const { epoch, hold, holder } = Ledger.groupOf(durable.ledger, group)
      const guard = guardian.guards.find((one) => one.group === group)
      const place = guard?.places.find((one) => one.ref === ref)
      const leaseLeftMs = Math.max(0, (guard?.leaseUntil ?? -NEVER_MS) - now.mono)
      const until = place?.until ?? NEVER_MS
      return {
        actuator: ref,
        group,
        states,
        safe,
        atMostMs: forMsMax,
        state: place?.state ?? null,
        moving: guard?.move?.actuator === ref ? guard.move.state : null,
        leftMs: until === NEVER_MS ? null : Math.max(0, until - now.mono),
        hold,
        epoch,
        holder: holder === null || leaseLeftMs === 0 ? null : deviceOf(node, holder.deviceId),
        leaseLeftMs
      }
    })
  }
}

const noActuators = failure(
  "NOT_FOUND",
  "this node moves nothing",
  "Actuators stand in its node.yaml; what another device moves: clawmesh hold --of pump-1"
)

/** Holds a group, or all, or lets go. Answers once the kernel has it, and with what moves then. */
export const hold = (daemon: Daemon, { group, on }: Api.HoldRequest): Effect.Effect<Api.Actuators | Failure> =>
  Effect.gen(function* () {
    const owned = daemon.state().config.actuators ?? []
    if (owned.length === 0) return noActuators
    const groups = [...new Set(owned.map((one) => one.group))]
    if (group !== null && !groups.includes(group))
      return failure("NOT_FOUND", `no group ${JSON.stringify(group)} here`, `There are ${groups.join(", ")}`)
    const wanted = group === null ? groups : [group]
    const stands = ({ durable, phase }: NodeState): boolean =>
      phase === "running" && wanted.every((one) => Ledger.groupOf(durable.ledger, one).hold === on)
    yield* daemon.offer({ _tag: "Hold", group, on })
    if (yield* takenUp(daemon, stands)) return actuators(daemon)
    return failure("TIMEOUT", "the node has not taken it up yet; it may still do so", "clawmesh actuators")
  })

/** Its planner hands over and does not lead, or may again (B23). Answers once the kernel has it. */
export const engine = (daemon: Daemon, { runs }: Api.EngineRequest): Effect.Effect<Api.Status | Failure> =>
  Effect.gen(function* () {
    const { config } = daemon.state()
    if (!mayLead(config, config.deviceId))
      return failure("NOT_FOUND", "this node never leads: planners among the electors do", "clawmesh status")
    yield* daemon.offer({ _tag: "Engine", runs })
    const stands = ({ leadership, phase }: NodeState): boolean => phase === "running" && leadership.suspended === !runs
    if (yield* takenUp(daemon, stands)) return status(daemon)
    return failure("TIMEOUT", "the node has not taken it up yet; it may still do so", "clawmesh status")
  })

/** By their ids. A device that is on probation is `down` to the mesh; a person who has a session with it may use it. */
const ownersOf = (node: NodeState, actuator: string): ReadonlyArray<string> => {
  const found = routes(node, actuator).map(({ deviceId }) => deviceId)
  if (found.length > 0) return found
  return node.links.links.flatMap((link) =>
    link._tag === "Session" && capabilitiesOf(node, link.peer).some(({ id }) => id === actuator) ? [link.peer] : []
  )
}

const ownerOf = (daemon: Daemon, actuator: string): string | Failure => {
  const [owner, other] = ownersOf(daemon.state(), actuator)
  if (owner === undefined)
    return failure("NOT_FOUND", `nobody within reach moves ${actuator}`, "clawmesh status shows who is there")
  return other === undefined
    ? owner
    : failure("AMBIGUOUS", `more than one device says that it moves ${actuator}`, "rename one in its node.yaml")
}

/** What came of it, told since `begun` on the clock of this node. */
const toldOf = (
  daemon: Daemon,
  what: Pick<Api.Command, "actuator" | "state" | "intentId"> & { readonly owner: string; readonly begun: number },
  outcome: Outcome
): Api.Command => {
  const node = daemon.state()
  const now = daemon.now()
  const { begun, owner, ...rest } = what
  return {
    $type: "clawmesh.command/1",
    ...headOf(node, now),
    ...rest,
    by: deviceOf(node, owner),
    ok: outcome.ok,
    code: outcome.ok ? null : outcome.code,
    text: outcome.ok ? "done" : outcome.message,
    tookMs: Math.max(0, now.mono - begun)
  }
}

/** Has whoever owns it hold it, and what is interlocked with it. */
export const holdOf = (daemon: Daemon, { actuator }: Api.HoldOfRequest): Effect.Effect<Api.Command | Failure> =>
  Effect.gen(function* () {
    const owner = ownerOf(daemon, actuator)
    if (typeof owner !== "string") return owner
    const begun = daemon.now().mono
    const intentId = randomUUID()
    const outcome = yield* daemon.ask({
      channel: GUARDIAN,
      to: owner,
      originGatewayId: daemon.state().config.deviceId,
      idempotencyKey: intentId,
      message: { hold: actuator }
    })
    return toldOf(daemon, { actuator, state: "on hold", intentId, owner, begun }, outcome)
  })

/** Has it moved: first a lease, then the command under its epoch. */
export const command = (daemon: Daemon, wanted: Api.CommandRequest): Effect.Effect<Api.Command | Failure> =>
  Effect.gen(function* () {
    const { actuator, again, forMs, intentId = randomUUID(), state } = wanted
    const node = daemon.state()
    const { deviceId } = node.config
    const owner = ownerOf(daemon, actuator)
    if (typeof owner !== "string") return owner
    const begun = daemon.now().mono
    const told = (outcome: Outcome): Api.Command => toldOf(daemon, { actuator, state, intentId, owner, begun }, outcome)
    const common = { to: owner, originGatewayId: deviceId }
    const lease = yield* daemon.ask({
      ...common,
      channel: GUARDIAN,
      idempotencyKey: randomUUID(),
      message: leaseOf(node, actuator, daemon.now())
    })
    if (!lease.ok) return told(lease)
    if (!isLease(lease.result))
      return failure("BAD_ANSWER", "the guardian answers without a lease: it is of another version")
    const { epoch, journalId } = lease.result
    return told(
      yield* daemon.ask({
        ...common,
        channel: COMMANDS,
        idempotencyKey: randomUUID(),
        command: commandOf({
          actuator,
          state,
          commandId: intentId,
          createdAtMs: daemon.now().wall,
          source: { nodeId: deviceId, role: node.config.role },
          // A person's word, said at this node.
          tier: "T3_verified_action_evidence",
          evidence: ["human"],
          fence: { intentId, journalId, epoch, forMs, ...(again ? { again: true as const } : {}) }
        })
      })
    )
  })
