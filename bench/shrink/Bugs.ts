/**
 * Forty bugs, planted round the kernel: each is the kernel with one thing about it wrong, as somebody could have built it. Every
 * bug says in which scenario and with which seed of a campaign it is found.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Profile } from "../../kernel/Profile.ts"
import type { EventName, Frame } from "../../kernel/wire/Frame.ts"
import type { Kernel } from "../../sim/engine/Host.ts"

export interface Bug {
  readonly name: string
  readonly kernel: Kernel
  /** Of `scenarios/`. */
  readonly scenario: string
  readonly seed: number
}

/** What one of these does otherwise than the kernel; absent: the same. */
interface Otherwise {
  readonly config?: (config: Config) => Config
  /** What it takes an input for; `null`: it does not take it up. */
  readonly input?: (input: Input, node: NodeState) => Input | null
  readonly state?: (after: NodeState, before: NodeState, input: Input) => NodeState
  readonly commands?: (commands: ReadonlyArray<Command>, after: NodeState, input: Input) => ReadonlyArray<Command>
}

const NOTHING: ReadonlyArray<Command> = []

const kernelThat = ({ commands, config, input: taken, state }: Otherwise): Kernel => ({
  make: (own) => Node.make(config === undefined ? own : config(own)),
  step: (node, input) => {
    const seen = taken === undefined ? input : taken(input, node)
    if (seen === null) return [node, NOTHING]
    const [after, out] = Node.step(node, seen)
    const next = state === undefined || after === node ? after : state(after, node, input)
    return [next, commands === undefined || out.length === 0 ? out : commands(out, next, input)]
  }
})

const eventOf = (input: Input): EventName | null =>
  input._tag === "Received" && input.frame.type === "event" ? input.frame.event : null

/** It hears nothing of that kind, always or in some states. */
const ignores =
  (what: (input: Input) => boolean, when: (node: NodeState) => boolean = () => true): NonNullable<Otherwise["input"]> =>
  (input, node) =>
    node.phase === "running" && what(input) && when(node) ? null : input

const ignoresEvent = (event: EventName, when?: (node: NodeState) => boolean) =>
  ignores((input) => eventOf(input) === event, when)

/** It is at a loss, in one state. */
const throws =
  (what: (input: Input, node: NodeState) => boolean): NonNullable<Otherwise["input"]> =>
  (input, node) => {
    if (node.phase === "running" && what(input, node)) throw new Error(`nobody thought of ${input._tag} here`)
    return input
  }

const timed =
  (patch: Partial<Profile>): NonNullable<Otherwise["config"]> =>
  (config) => ({
    ...config,
    profile: { ...config.profile, ...patch }
  })

/** Frames that it sends, altered; `null`: not sent. */
const sends =
  (alter: (frame: Frame, after: NodeState) => Frame | null): NonNullable<Otherwise["commands"]> =>
  (commands, after) =>
    commands.flatMap((command): ReadonlyArray<Command> => {
      if (command._tag !== "Send") return [command]
      const frame = alter(command.frame, after)
      return frame === null ? [] : [{ ...command, frame }]
    })

const never = (
  event: EventName,
  when: (after: NodeState) => boolean = () => true
): NonNullable<Otherwise["commands"]> =>
  sends((frame, after) => (frame.type === "event" && frame.event === event && when(after) ? null : frame))

const leads = ({ leadership }: NodeState): boolean => leadership.standing._tag === "Leading"
const stands = ({ leadership }: NodeState): boolean => leadership.standing._tag === "Standing"
const bornAgain = ({ incarnation }: NodeState): boolean => incarnation > 1

/** A field of a started process's memory. */
const remembering =
  (change: (started: Extract<Input, { readonly _tag: "Started" }>) => Input): NonNullable<Otherwise["input"]> =>
  (input) =>
    input._tag === "Started" ? change(input) : input

const TERM_ZERO = { manifest: 0, counter: 0 }

const bugs: { readonly [name: string]: Otherwise } = {
  // ---------------------------------------------------------------------------------------------- what a disk is for
  "forgets its vote when it restarts": {
    input: remembering((started) => ({ ...started, durable: { ...started.durable, term: TERM_ZERO, votedFor: null } }))
  },
  "forgets its incarnation when it restarts": {
    input: remembering((started) => ({ ...started, durable: { ...started.durable, incarnation: 0 } }))
  },
  "forgets that it lost its journal": {
    input: remembering(({ amnesia: _, ...started }) => started)
  },
  "answers before its vote is stored": {
    commands: (commands) =>
      commands.flatMap((command): ReadonlyArray<Command> =>
        command._tag === "Persist" && command.record._tag === "Vote"
          ? [...command.then, { ...command, then: [] }]
          : [command]
      )
  },
  "does not store its vote": {
    commands: (commands) =>
      commands.map((command): Command =>
        command._tag === "Persist" && command.record._tag === "Vote"
          ? { ...command, record: { _tag: "Vote", term: TERM_ZERO, votedFor: command.record.votedFor } }
          : command
      )
  },
  "speaks before its incarnation is stored": {
    commands: (commands) =>
      commands.flatMap((command): ReadonlyArray<Command> =>
        command._tag === "Persist" && command.record._tag === "Incarnation" ? [...command.then, command] : [command]
      )
  },
  // ---------------------------------------------------------------------------------------------- leases and terms
  "is not silent after a boot": {
    state: (after, before) =>
      before.phase !== "running" && after.phase === "running"
        ? { ...after, leadership: { ...after.leadership, silentUntil: 0 } }
        : after
  },
  "its lease counts from the answer": {
    state: (after, before, input) => {
      const { standing } = after.leadership
      const was = before.leadership.standing
      if (standing._tag !== "Leading" || was._tag !== "Leading" || standing.leaseUntil === was.leaseUntil) return after
      const leaseUntil = input.at.mono + after.config.profile.leaseMs
      return { ...after, leadership: { ...after.leadership, standing: { ...standing, leaseUntil } } }
    }
  },
  "a lease as long as two promises": { config: (config) => timed({ leaseMs: 2 * config.profile.promiseMs })(config) },
  "a promise shorter than a lease": {
    config: (config) => timed({ promiseMs: config.profile.leaseMs >> 1 })(config)
  },
  "a stall voids no lease": { config: timed({ stallVoidsLeaseMs: 3_600_000 }) },
  "votes twice in a term": {
    state: (after) =>
      after.leadership.votedFor === null
        ? after
        : { ...after, leadership: { ...after.leadership, votedTerm: TERM_ZERO, votedFor: null } }
  },
  "does not keep its promise": {
    state: (after) =>
      after.leadership.promisedTo === null || leads(after)
        ? after
        : { ...after, leadership: { ...after.leadership, promisedTo: null, promisedUntil: 0 } }
  },
  "takes a refusal for a vote": {
    input: (input, { leadership }) =>
      input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.vote.answer"
        ? { ...input, frame: { ...input.frame, payload: { term: leadership.term, granted: true } } }
        : input
  },
  "takes a refusal for a promise": {
    input: (input, { leadership }) =>
      input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.lead.answer"
        ? {
            ...input,
            frame: { ...input.frame, payload: { ...input.frame.payload, term: leadership.term, promised: true } }
          }
        : input
  },
  "leads on when there is a higher term": {
    state: (after, before) =>
      leads(before) && !leads(after) && after.phase === "running" && !after.leadership.leaving
        ? { ...after, leadership: { ...after.leadership, standing: before.leadership.standing } }
        : after
  },
  "grants every prevote": {
    commands: sends((frame) =>
      frame.type === "event" && frame.event === "mesh.prevote.answer"
        ? { ...frame, payload: { ...frame.payload, granted: true } }
        : frame
    )
  },
  "one vote is a majority": {
    config: (config) =>
      config.role === "planner" || config.role === "standby-planner"
        ? { ...config, manifest: { ...config.manifest, electors: [config.deviceId] } }
        : config
  },
  "knows of one elector less": {
    config: (config) => ({
      ...config,
      manifest: {
        ...config.manifest,
        electors: config.manifest.electors.filter((elector, place) => place > 0 || elector === config.deviceId)
      }
    })
  },
  "is deaf to leaders after a restart": { input: ignoresEvent("mesh.lead", bornAgain) },
  "asks for no votes after a restart": { commands: never("mesh.vote", bornAgain) },
  "answers no prevote while it leads": {
    commands: never("mesh.prevote.answer", ({ leadership }) => leadership.leader !== null)
  },
  "hears no vote while it stands": {
    input: ignoresEvent("mesh.vote.answer", (node) => stands(node) && node.leadership.rounds > 0)
  },
  // ---------------------------------------------------------------------------------------------- clocks
  "runs its timers on the calendar": {
    input: (input) => ({ ...input, at: { ...input.at, mono: Math.max(0, input.at.wall - 1_790_000_000_000) } }) as Input
  },
  // ---------------------------------------------------------------------------------------------- handshakes and trust
  "takes every signature for good": {
    input: (input) => (input._tag === "Checked" ? { ...input, valid: input.valid.map(() => true) } : input)
  },
  "takes a stolen login's key for the right one": {
    input: (input, node) => {
      if (input._tag !== "Checked" || input.valid.every((valid) => valid)) return input
      const other = node.config.trusted.find(({ deviceId }) => deviceId !== input.deviceId)
      return { ...input, deviceId: other?.deviceId ?? input.deviceId, valid: input.valid.map(() => true) }
    }
  },
  "does not hear that trust is revoked": { input: ignores(({ _tag }) => _tag === "Distrust") },
  "lets an older life in again": {
    state: (after) => ({
      ...after,
      links: {
        ...after.links,
        contacts: after.links.contacts.map((contact) => ({ ...contact, incarnation: 0, leftIncarnation: 0 }))
      }
    })
  },
  "keeps no session with whom it dialled before": {
    commands: (commands, after) =>
      commands.filter(
        (command) =>
          !(
            command._tag === "Dial" &&
            after.links.contacts.some(({ failures, peer }) => peer === command.to && failures > 3)
          )
      )
  },
  "does not listen after a restart": {
    commands: (commands, after) => commands.filter(({ _tag }) => _tag !== "Listen" || after.incarnation < 2)
  },
  "gives up a peer that refused": {
    input: ignores((input) => input._tag === "DialFailed" && input.reason === "refused")
  },
  "gives up a dial that took too long": {
    input: ignores((input) => input._tag === "DialFailed" && input.reason === "timeout")
  },
  "does not notice a reset": { input: ignores((input) => input._tag === "LinkDown" && input.reason === "reset") },
  "does not notice a polite end": { input: ignores((input) => input._tag === "LinkDown" && input.reason === "closed") },
  "does not notice a timeout": { input: ignores((input) => input._tag === "LinkDown" && input.reason === "timeout") },
  // ---------------------------------------------------------------------------------------------- membership
  "hears no pong after a restart": { input: ignores(({ _tag }) => _tag === "Ponged", bornAgain) },
  "convicts on one word": {
    config: timed({
      missesToBad: 1,
      missesToBadFewObservers: 1,
      missesOfTenToBad: 1,
      probeDeadlineMs: 40,
      probeDeadlineMinMs: 20
    })
  },
  "ends no connection that answers nothing": { config: timed({ missesToTerminate: 1_000_000 }) },
  "takes a goodbye for nothing": {
    input: ignores((input) => eventOf(input) === "peer.leaving" || eventOf(input) === "mesh.goodbyes")
  },
  "tells its edges to nobody": { commands: never("mesh.edges") },
  "hears no rows after a restart": { input: ignoresEvent("mesh.edges", bornAgain) },
  "sends no heartbeat after a restart": { commands: never("mesh.heartbeat", bornAgain) },
  "an alarm that was missed is never set again": {
    commands: (commands, after, input) =>
      commands.filter(({ _tag }) => _tag !== "SetAlarm" || input._tag !== "Stalled" || after.phase !== "running")
  },
  // ---------------------------------------------------------------------------------------------- nobody thought of that
  "breaks on a message that does not read": { input: throws(({ _tag }) => _tag === "Malformed") },
  "breaks on a dial that is refused": {
    input: throws((input, node) => input._tag === "DialFailed" && input.reason === "refused" && leads(node))
  },
  "breaks on a release that it did not expect": {
    input: throws((input, { leadership }) => eventOf(input) === "mesh.release" && leadership.leader === null)
  },
  "breaks on a leader of a lower term": {
    input: throws(
      (input, { leadership }) =>
        input._tag === "Received" &&
        input.frame.type === "event" &&
        input.frame.event === "mesh.lead" &&
        input.frame.payload.term.counter < leadership.term.counter
    )
  },
  "breaks on a stall while it leads": { input: throws(({ _tag }, node) => _tag === "Stalled" && leads(node)) },
  "breaks on a key that refuses": { input: throws((input) => input._tag === "Signed" && input.signatures === null) },
  "breaks on a vote that comes late": {
    input: throws(
      (input, node) => eventOf(input) === "mesh.vote.answer" && leads(node) && node.leadership.term.counter > 1
    )
  },
  "breaks on a reset while it stands": {
    input: throws((input, node) => input._tag === "LinkDown" && input.reason === "reset" && stands(node))
  },
  "breaks on the third life of a peer": {
    input: throws(
      (input, { links }) => input._tag === "LinkDown" && links.contacts.some(({ incarnation }) => incarnation > 2)
    )
  },
  "breaks on a second session": {
    input: throws(
      (input, { links }) =>
        input._tag === "LinkUp" && links.contacts.filter(({ session }) => session === null).length > 2
    )
  },
  "rings its alarm again and again": {
    commands: (commands, after, input) =>
      input._tag === "DialFailed" && after.links.contacts.some(({ failures }) => failures > 4)
        ? [...commands, { _tag: "SetAlarm", at: input.at.mono }]
        : commands
  }
}

export const all: ReadonlyArray<readonly [string, Kernel]> = Object.entries(bugs).map(([name, otherwise]) => [
  name,
  kernelThat(otherwise)
])
