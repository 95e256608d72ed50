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

interface Planted extends Otherwise {
  readonly found: readonly [scenario: string, seed: number]
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

const bugs: { readonly [name: string]: Planted } = {
  // ---------------------------------------------------------------------------------------------- what a disk is for
  "forgets its vote when it restarts": {
    found: ["failover", 2],
    input: remembering((started) => ({ ...started, durable: { ...started.durable, term: TERM_ZERO, votedFor: null } }))
  },
  "forgets its incarnation when it restarts": {
    found: ["failover", 2],
    input: remembering((started) => ({ ...started, durable: { ...started.durable, incarnation: 0 } }))
  },
  "forgets that it lost its journal": {
    found: ["lost-journal", 2],
    input: remembering(({ amnesia: _, ...started }) => started)
  },
  "answers before its vote is stored": {
    found: ["failover", 2],
    commands: (commands) =>
      commands.flatMap((command): ReadonlyArray<Command> =>
        command._tag === "Persist" && command.record._tag === "Vote"
          ? [...command.then, { ...command, then: [] }]
          : [command]
      )
  },
  // ---------------------------------------------------------------------------------------------- leases and terms
  "is not silent after a boot": {
    found: ["lost-journal", 2],
    state: (after, before) =>
      before.phase !== "running" && after.phase === "running"
        ? { ...after, leadership: { ...after.leadership, silentUntil: 0 } }
        : after
  },
  "its lease counts from the answer": {
    found: ["failover", 2],
    state: (after, before, input) => {
      const { standing } = after.leadership
      const was = before.leadership.standing
      if (standing._tag !== "Leading" || was._tag !== "Leading" || standing.leaseUntil === was.leaseUntil) return after
      const leaseUntil = input.at.mono + after.config.profile.leaseMs
      return { ...after, leadership: { ...after.leadership, standing: { ...standing, leaseUntil } } }
    }
  },
  "a promise shorter than a lease": {
    found: ["failover", 2],
    config: (config) => timed({ promiseMs: config.profile.leaseMs >> 1 })(config)
  },
  "votes twice in a term": {
    found: ["strangers-at-the-door", 2],
    state: (after) =>
      after.leadership.votedFor === null
        ? after
        : { ...after, leadership: { ...after.leadership, votedTerm: TERM_ZERO, votedFor: null } }
  },
  "does not keep its promise": {
    found: ["failover", 2],
    state: (after) =>
      after.leadership.promisedTo === null || leads(after)
        ? after
        : { ...after, leadership: { ...after.leadership, promisedTo: null, promisedUntil: 0 } }
  },
  "one vote is a majority": {
    found: ["failover", 2],
    config: (config) =>
      config.role === "planner" || config.role === "standby-planner"
        ? { ...config, manifest: { ...config.manifest, electors: [config.deviceId] } }
        : config
  },
  "knows of one elector less": {
    found: ["hard-disconnect", 13],
    config: (config) => ({
      ...config,
      manifest: {
        ...config.manifest,
        electors: config.manifest.electors.filter((elector, place) => place > 0 || elector === config.deviceId)
      }
    })
  },
  "is deaf to leaders after a restart": { found: ["failover", 2], input: ignoresEvent("mesh.lead", bornAgain) },
  "answers no prevote while it leads": {
    found: ["ghost-reconnect", 8],
    commands: never("mesh.prevote.answer", ({ leadership }) => leadership.leader !== null)
  },
  // ---------------------------------------------------------------------------------------------- clocks
  // ---------------------------------------------------------------------------------------------- handshakes and trust
  "takes every signature for good": {
    found: ["three-in-a-barn", 14],
    input: (input) => (input._tag === "Checked" ? { ...input, valid: input.valid.map(() => true) } : input)
  },
  "does not hear that trust is revoked": {
    found: ["trust-comes-and-goes", 4],
    input: ignores(({ _tag }) => _tag === "Distrust")
  },
  "lets an older life in again": {
    found: ["lost-journal", 5],
    state: (after) => ({
      ...after,
      links: {
        ...after.links,
        contacts: after.links.contacts.map((contact) => ({ ...contact, incarnation: 0, leftIncarnation: 0 }))
      }
    })
  },
  "keeps no session with whom it dialled before": {
    found: ["c38-majority-side", 6],
    commands: (commands, after) =>
      commands.filter(
        (command) =>
          !(
            command._tag === "Dial" &&
            after.links.contacts.some(({ failures, peer }) => peer === command.to && failures > 3)
          )
      )
  },
  "gives up a peer that refused": {
    found: ["c38-majority-side", 10],
    input: ignores((input) => input._tag === "DialFailed" && input.reason === "refused")
  },
  "gives up a dial that took too long": {
    found: ["c38-majority-side", 2],
    input: ignores((input) => input._tag === "DialFailed" && input.reason === "timeout")
  },
  "does not notice a reset": {
    found: ["failover", 2],
    input: ignores((input) => input._tag === "LinkDown" && input.reason === "reset")
  },
  "does not notice a polite end": {
    found: ["strangers-at-the-door", 2],
    input: ignores((input) => input._tag === "LinkDown" && input.reason === "closed")
  },
  // ---------------------------------------------------------------------------------------------- membership
  "hears no pong after a restart": {
    found: ["failover", 13],
    input: ignores(({ _tag }) => _tag === "Ponged", bornAgain)
  },
  "convicts on one word": {
    found: ["site-power-cut", 13],
    config: timed({
      missesToBad: 1,
      missesToBadFewObservers: 1,
      missesOfTenToBad: 1,
      probeDeadlineMs: 40,
      probeDeadlineMinMs: 20
    })
  },
  "ends no connection that answers nothing": {
    found: ["failover", 2],
    config: timed({ missesToTerminate: 1_000_000 })
  },
  "tells its edges to nobody": { found: ["failover", 13], commands: never("mesh.edges") },
  "hears no rows after a restart": { found: ["failover", 13], input: ignoresEvent("mesh.edges", bornAgain) },
  // ---------------------------------------------------------------------------------------------- nobody thought of that
  "breaks on a message that does not read": {
    found: ["failover", 7],
    input: throws(({ _tag }) => _tag === "Malformed")
  },
  "breaks on a dial that is refused": {
    found: ["failover", 2],
    input: throws((input, node) => input._tag === "DialFailed" && input.reason === "refused" && leads(node))
  },
  "breaks on a leader of a lower term": {
    found: ["c38-majority-side", 6],
    input: throws(
      (input, { leadership }) =>
        input._tag === "Received" &&
        input.frame.type === "event" &&
        input.frame.event === "mesh.lead" &&
        input.frame.payload.term.counter < leadership.term.counter
    )
  },
  "breaks on a stall while it leads": {
    found: ["c38-majority-side", 7],
    input: throws(({ _tag }, node) => _tag === "Stalled" && leads(node))
  },
  "breaks on a vote that comes late": {
    found: ["failover", 2],
    input: throws(
      (input, node) => eventOf(input) === "mesh.vote.answer" && leads(node) && node.leadership.term.counter > 1
    )
  },
  "breaks on a reset while it stands": {
    found: ["failover", 2],
    input: throws((input, node) => input._tag === "LinkDown" && input.reason === "reset" && stands(node))
  },
  "breaks on the third life of a peer": {
    found: ["failover", 2],
    input: throws(
      (input, { links }) => input._tag === "LinkDown" && links.contacts.some(({ incarnation }) => incarnation > 2)
    )
  },
  "breaks on a dial that took too long": {
    found: ["failover", 2],
    input: throws((input) => input._tag === "DialFailed" && input.reason === "timeout")
  },
  "breaks on a goodbye while nobody leads": {
    found: ["failover", 7],
    input: throws((input, { leadership }) => eventOf(input) === "peer.leaving" && leadership.leader === null)
  },
  "breaks on a candidate while it leads": {
    found: ["c38-majority-side", 2],
    input: throws((input, node) => eventOf(input) === "mesh.prevote" && leads(node))
  },
  "breaks on a stall in its second life": {
    found: ["hard-disconnect", 7],
    input: throws(({ _tag }, node) => _tag === "Stalled" && bornAgain(node))
  },
  "breaks when two are down at once": {
    found: ["failover", 2],
    input: throws(
      ({ _tag }, { membership }) =>
        _tag === "Woke" && membership.members.filter(({ state }) => state === "down").length > 1
    )
  },
  "breaks on a login that is refused": {
    found: ["trust-comes-and-goes", 2],
    input: throws((input) => input._tag === "Received" && input.frame.type === "res" && !input.frame.ok)
  },
  "breaks on a peer that was down before": {
    found: ["failover", 2],
    input: throws(
      (input, { membership }) => eventOf(input) === "mesh.edges" && membership.members.some(({ flaps }) => flaps > 1)
    )
  }
}

export const corpus: ReadonlyArray<Bug> = Object.entries(bugs).map(([name, { found, ...otherwise }]) => ({
  name,
  kernel: kernelThat(otherwise),
  scenario: found[0],
  seed: found[1]
}))
