/**
 * S11: what a node says of peers, leader, lease and links agrees with the world's own truth, within the profile's bound, or
 * says that it does not know.
 *
 * Judged is what `kernel/status` answers at that moment:
 * - a peer is not `up` when it has answered nobody for longer than the bound, counted from the last that was heard of it and
 *   from the last time that the speaker itself was not attentive; and not by hearsay for three times as long;
 * - a peer is `linked` only over a connection that is there, and not beyond the bound after the far process ended;
 * - the leader that is named held a lease no longer ago than it may go on trying to renew one, and the named be believed;
 * - a lease of one's own rests on a heartbeat that a majority of electors acknowledged, and ends `leaseMs` after it was sent.
 *
 * Leases are judged at every step that changes one; the rest once each `LOOK_MS` of true time, at one node in turn: a lie that
 * lasts is found, one that is over within seconds may not be.
 *
 * Does not judge: words other than `up` (that a peer which can be reached comes back is L1), whatever a node says while it is
 * frozen, devices that are played by a stranger, and what is said by hearsay where strangers speak or somebody has lied (`lie`):
 * they may say anything.
 */
import type { Input } from "../../kernel/Input.ts"
import type { NodeState } from "../../kernel/Node.ts"
import * as Status from "../../kernel/status/Status.ts"
import { compareTerms } from "../../kernel/leadership/Term.ts"
import type { DeviceId, Frame, Term } from "../../kernel/wire/Frame.ts"
import { Machine } from "../engine/Machine.ts"
import { Rows } from "../engine/Rows.ts"
import { detectionMs, inTrueTime, leaderKnownMs } from "./Bounds.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** With ten nodes each is looked at once in 2.5 s; the bounds are longer. */
const LOOK_MS = 250
/** Hearsay: the witness has to notice, or the speaker that its witness is gone; and word has to come round. */
const HEARSAY_TIMES = 3
/** Heartbeats of a leader that are remembered; the kernel waits for fewer. */
const BEATS_KEPT_MAX = 16

interface Beat {
  readonly term: Term
  readonly number: number
  readonly sentMs: number
  readonly electors: Set<DeviceId>
}

/** What the world knows of one machine. */
interface Truth {
  /** True time since which it takes nothing up; `null`: it does. */
  silentSinceMs: number | null
  /** When anybody last heard anything of it. */
  heardMs: number
  /** When it was last not attentive: at its start, after a freeze, at an alarm that rang late. */
  distractedMs: number
  /** Until when it held a lease, or began to lead. */
  leaseMs: number
  /** When something last came over each of its links. */
  readonly linkHeardMs: Array<number>
  /** The far process of each session when it was first looked at, and since when it is gone. */
  readonly sessions: Map<number, { readonly process: number; goneSinceMs: number | null }>
  /** Links that it believed in without having them. */
  readonly missing: Set<number>
  /** How old the last heartbeat of a leader was when it was taken up. */
  leadAgeMs: number
  beats: Array<Beat>
}

const copyOf = (truth: Truth): Truth => ({
  ...truth,
  linkHeardMs: truth.linkHeardMs.slice(),
  sessions: new Map([...truth.sessions].map(([link, session]) => [link, { ...session }])),
  missing: new Set(truth.missing),
  beats: truth.beats.map((beat) => ({ ...beat, electors: new Set(beat.electors) }))
})

/** All that it remembers. */
interface Memory {
  readonly truths: Rows<Truth>
  /** Places of machines by device id; empty before the first step. */
  byDevice: ReadonlyMap<DeviceId, number>
  /** When each heartbeat of a leader was sent. One that was made after a fork is on one side of it only. */
  readonly sentMs: WeakMap<Frame, number>
  strangers: boolean
  lookMs: number
  next: number
}

const unknown = (): Truth => ({
  silentSinceMs: 0,
  heardMs: 0,
  distractedMs: 0,
  leaseMs: 0,
  linkHeardMs: [],
  sessions: new Map(),
  missing: new Set(),
  leadAgeMs: 0,
  beats: []
})

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

export const truth: MakeOracle = () =>
  remembering({
    truths: new Rows(copyOf),
    byDevice: new Map(),
    sentMs: new WeakMap(),
    strangers: false,
    lookMs: 0,
    next: 0
  })

const remembering = (memory: Memory): Oracle => {
  const { sentMs, truths } = memory

  // ---------------------------------------------------------------------------------------------- what is true

  const begin = (machines: ReadonlyArray<Machine>): void => {
    memory.byDevice = new Map(machines.map(({ config, index }): [DeviceId, number] => [config.deviceId, index]))
    for (const { index } of machines) truths.set(index, unknown())
  }

  const took = (own: Truth, machine: Machine, input: Input, before: NodeState, nowMs: number): void => {
    switch (input._tag) {
      case "Started":
        own.distractedMs = nowMs
        own.sessions.clear()
        own.missing.clear()
        return
      case "Woke":
        if (input.at.mono - before.alarmAt > before.config.profile.stallMs) own.distractedMs = nowMs
        return
      case "Received":
      case "Ponged":
      case "Malformed":
      case "Ignored": {
        own.linkHeardMs[input.link] = nowMs
        const far = machine.farEnd(input.link)
        if (far instanceof Machine) truths.own(far.index)!.heardMs = nowMs
        if (input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.lead")
          // One that was changed on the way is not known: of such a heartbeat nothing is asked.
          own.leadAgeMs = nowMs - (sentMs.get(input.frame) ?? Number.NEGATIVE_INFINITY)
        // By an elector's word (P7.21) no later than that elector itself.
        if (input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.prevote.answer")
          if (input.frame.payload.promised !== undefined)
            own.leadAgeMs =
              far instanceof Machine && !machine.world.network.lied
                ? truths.at(far.index)!.leadAgeMs
                : Number.POSITIVE_INFINITY
      }
    }
  }

  /** The state of the world since the last look; what changed in between counts from now. */
  const survey = (machines: ReadonlyArray<Machine>, nowMs: number): void => {
    for (const machine of machines) {
      const one = truths.own(machine.index)!
      // There may have been no look while it stood still: when nobody steps, nobody looks.
      one.distractedMs = Math.max(one.distractedMs, machine.lastShutMs)
      if (machine.running && !machine.frozen) one.silentSinceMs = null
      else one.silentSinceMs ??= nowMs
      const standing = machine.state()?.leadership.standing
      if (standing?._tag === "Leading" && machine.clock.trueMs(standing.leaseUntil) > nowMs) one.leaseMs = nowMs
      for (const [link, session] of one.sessions) {
        const far = machine.farEnd(link)
        if (far !== null && far.process !== session.process) session.goneSinceMs ??= nowMs
      }
    }
  }

  // ---------------------------------------------------------------------------------------------- what is said

  const lease = (own: Truth, { after, before, commands, input, machine, nowMs }: Observation): string | null => {
    const { config, leadership } = after
    const { standing } = leadership
    if (standing._tag !== "Leading") return null
    const { term } = leadership
    const { deviceId, manifest } = config
    // The world's own word, not the node's.
    const { profile } = machine.config
    const was = before.leadership.standing
    if (was._tag !== "Leading" || was.beat !== standing.beat) {
      const electors = new Set(manifest.electors.includes(deviceId) ? [deviceId] : [])
      own.beats = [...own.beats.slice(1 - BEATS_KEPT_MAX), { term, number: standing.beat, sentMs: nowMs, electors }]
      own.leaseMs = Math.max(own.leaseMs, was._tag === "Leading" ? 0 : nowMs)
      for (const command of commands) if (command._tag === "Send") sentMs.set(command.frame, nowMs)
    }
    if (input._tag === "Received" && input.frame.type === "event" && input.frame.event === "mesh.lead.answer") {
      const { beat, promised, term: answeredTerm } = input.frame.payload
      const link = before.links.links.find((open) => open.link === input.link)
      const answered = own.beats.find((sent) => sent.number === beat && compareTerms(sent.term, answeredTerm) === 0)
      if (promised && link?._tag === "Session" && manifest.electors.includes(link.peer))
        answered?.electors.add(link.peer)
    }
    if (standing.leaseUntil === 0 || (was._tag === "Leading" && was.leaseUntil === standing.leaseUntil)) return null
    // It may be over before the next look: an answer that comes late renews a lease for the rest of its time only.
    if (standing.leaseUntil > input.at.mono) own.leaseMs = Math.max(own.leaseMs, nowMs)
    let until = 0
    for (const { electors, sentMs: sent, term: led } of own.beats)
      if (compareTerms(led, term) === 0 && 2 * electors.size > manifest.electors.length)
        until = Math.max(until, machine.clock.mono(sent) + profile.leaseMs)
    return standing.leaseUntil <= until
      ? null
      : `${machine.name} says that it holds a lease of term ${term.counter} for ${standing.leaseUntil - until} ms more than a majority gave it`
  }

  const linked = (own: Truth, machine: Machine, node: NodeState, boundMs: number, nowMs: number): string | null => {
    for (const link of node.links.links) {
      if (link._tag !== "Session") continue
      const far = machine.farEnd(link.link)
      if (far === null) {
        // Not at the first look: somebody who thaws takes up what has happened one after another.
        if (own.missing.has(link.link))
          return `${machine.name} says that it is linked over connection ${link.link}, which is gone`
        own.missing.add(link.link)
        continue
      }
      if (!(far instanceof Machine)) {
        memory.strangers = true
        continue
      }
      const session = own.sessions.get(link.link)
      if (session === undefined) {
        own.sessions.set(link.link, { process: far.process, goneSinceMs: null })
        continue
      }
      if (session.goneSinceMs === null) continue
      const sinceMs = Math.max(session.goneSinceMs, own.linkHeardMs[link.link] ?? 0, own.distractedMs)
      if (nowMs - sinceMs > boundMs)
        return `${machine.name} says that it is linked with ${far.name}, whose process ended ${seconds(nowMs - sinceMs)} ago`
    }
    return null
  }

  const peers = (
    machines: ReadonlyArray<Machine>,
    machine: Machine,
    said: ReadonlyArray<Status.PeerStatus>,
    boundMs: number,
    nowMs: number
  ): string | null => {
    const own = truths.at(machine.index)!
    for (const { deviceId, linked: direct, state } of said) {
      const peer = machines[memory.byDevice.get(deviceId) ?? -1]
      if (state !== "up" || peer === undefined || impersonated(peer)) continue
      const { heardMs, silentSinceMs } = truths.at(peer.index)!
      if (silentSinceMs === null || (!direct && (memory.strangers || machine.world.network.lied))) continue
      const distractedMs = direct ? own.distractedMs : witnessesDistractedMs(machines, peer)
      const sinceMs = Math.max(silentSinceMs, heardMs, distractedMs)
      if (nowMs - sinceMs > (direct ? boundMs : HEARSAY_TIMES * boundMs))
        return `${machine.name} says that ${peer.name} is up, which has been silent for ${seconds(nowMs - sinceMs)}`
    }
    return null
  }

  /** When any of those who may have told of it was last not attentive. */
  const witnessesDistractedMs = (machines: ReadonlyArray<Machine>, peer: Machine): number =>
    machines.reduce(
      (last, witness) => (witness === peer ? last : Math.max(last, truths.at(witness.index)!.distractedMs)),
      0
    )

  const leader = (
    machines: ReadonlyArray<Machine>,
    machine: Machine,
    named: DeviceId | undefined,
    boundMs: number,
    nowMs: number
  ): string | null => {
    const other = named === undefined ? undefined : machines[memory.byDevice.get(named) ?? -1]
    if (other === undefined || other === machine || impersonated(other)) return null
    const own = truths.at(machine.index)!
    const agoMs = nowMs - truths.at(other.index)!.leaseMs
    return agoMs > boundMs + own.leadAgeMs
      ? `${machine.name} names ${other.name} as leader, whose lease ended ${seconds(agoMs)} ago`
      : null
  }

  /** A stranger that a test put in its place answers under its name, or another machine or a visitor has its key too. */
  const impersonated = (machine: Machine): boolean => {
    const { config, name, world } = machine
    if (world.byAddress(name) !== machine || world.doubles.has(config.deviceId)) return true
    return world.visitor.wasTakenFor(config.deviceId)
  }

  /** Clocks of others may be slower than the speaker's: the slowest counts. */
  const slowestPpm = (machines: ReadonlyArray<Machine>): number =>
    machines.reduce((slowest, { clock }) => Math.min(slowest, clock.slowestPpm), 0)

  const look = (machines: ReadonlyArray<Machine>, nowMs: number): string | null => {
    survey(machines, nowMs)
    const machine = machines[memory.next++ % machines.length]!
    const node = machine.state()
    if (node?.phase !== "running" || !machine.open) return null
    const { profile } = machine.config
    const ppm = slowestPpm(machines)
    const boundMs = inTrueTime(detectionMs(profile), ppm) + LOOK_MS
    const { peers: said, plannerActivity } = Status.status(node, machine.clock.mono(nowMs))
    return (
      linked(truths.own(machine.index)!, machine, node, boundMs, nowMs) ??
      peers(machines, machine, said, boundMs, nowMs) ??
      leader(
        machines,
        machine,
        plannerActivity.leader.deviceId,
        inTrueTime(leaderKnownMs(profile), ppm) + LOOK_MS,
        nowMs
      )
    )
  }

  return {
    id: "S11",
    fork: () => remembering({ ...memory, truths: truths.fork() }),
    stepped: (seen) => {
      const { after, before, input, machine, machines, nowMs } = seen
      if (memory.byDevice.size === 0) begin(machines)
      const own = truths.own(machine.index)!
      took(own, machine, input, before, nowMs)
      const overdrawn = after.leadership === before.leadership ? null : lease(own, seen)
      if (overdrawn !== null) return overdrawn
      if (nowMs < memory.lookMs) return null
      memory.lookMs = nowMs + LOOK_MS
      return look(machines, nowMs)
    }
  }
}
