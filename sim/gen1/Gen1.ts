/**
 * A device of generation 1, as the mesh meets it: the program that a machine with `generation: 1` runs in place of the kernel.
 * A small machine of its own, written from what such devices do on the wire (PROTOCOL.md part 11), with their weaknesses:
 *
 * - As a dialler it answers no request, believes `peer.leaving` and `peer.down` at once, ends a link on which it saw no event for
 *   90 s (it looks each 30 s), and asks once for what it missed (`context.sync`).
 * - As an acceptor it answers requests before anybody has logged in, ignores every event but `context.frame`, and drops what is
 *   beyond 100 messages within 60 s on one link.
 * - It hands on every frame of context that it did not see yet, whatever it says, to all others, as often as its hops allow.
 * - It pings nobody, keeps the newest of two sessions, stores nothing, and refuses whose date is five minutes off its own clock.
 *
 * Each of these can be switched off. Promises: pure and plain data, as the kernel; it believes nothing without a proof of the key.
 *
 * Does not model: links between two such devices, what it does with frames that it asked for, and the original's handshake that hangs
 * for ever when the acceptor freezes in the middle of it: here it gives up after ten seconds.
 */
import type { Command } from "../../kernel/Command.ts"
import { trustedDevice, type Config } from "../../kernel/Config.ts"
import { between } from "../../kernel/Draw.ts"
import { connectString } from "../../kernel/identity/Handshake.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import { decodeAnswer } from "../../kernel/wire/Codec.ts"
import { HOPS_MAX, trustOf, type ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import type { ConnectAnswer, ConnectParams, DeviceId, Frame } from "../../kernel/wire/Frame.ts"
import type { Kernel } from "../engine/Host.ts"

export interface Switches {
  readonly answersAsDialler: boolean
  readonly honoursLeaving: boolean
  readonly honoursDown: boolean
  /** It ends a link without events after so long; `null`: never. */
  readonly quietMs: number | null
  readonly syncs: boolean
  readonly answersStrangers: boolean
  /** Messages that it reads of one link that others dialled, in a minute; `null`: all. */
  readonly budget: number | null
  readonly clockWindowMs: number
}

export const ORIGINAL: Switches = {
  answersAsDialler: false,
  honoursLeaving: true,
  honoursDown: true,
  quietMs: 90_000,
  syncs: true,
  answersStrangers: true,
  budget: 100,
  clockWindowMs: 300_000
}

const LOOK_MS = 30_000
const BUDGET_WINDOW_MS = 60_000
const HANDSHAKE_MS = 10_000
const REDIAL_MS = 1_000
const REDIAL_MAX_MS = 30_000
const REDIAL_RESET_MS = 30_000

/** Of frames that it remembers; the original keeps five thousand. */
const SEEN_MAX = 5_000

type Stage = "asking" | "signing" | "proving" | "checking" | "offered" | "judging" | "answering" | "up"

export interface Line {
  readonly link: number
  readonly dialled: boolean
  /** Whom it dialled, or who logged in. */
  readonly peer: DeviceId | null
  readonly stage: Stage
  readonly nonce: string
  readonly said: ConnectParams | ConnectAnswer | null
  /** Of the login that it answers. */
  readonly request: string
  readonly signedAtMs: number
  readonly openedAt: number
  readonly upAt: number
  readonly eventAt: number
  /** When it read the messages of the last minute. */
  readonly read: ReadonlyArray<number>
}

interface Peer {
  readonly deviceId: DeviceId
  /** Where it dials it, as it was told or found it; `null`: it waits for it. */
  readonly address: string | null
  /** It was found there. */
  readonly found: boolean
  readonly dialAt: number
  readonly attempt: number | null
  readonly failures: number
  /** Somebody said that it is gone: not dialled until it logs in itself. */
  readonly suppressed: boolean
}

interface Device {
  readonly lines: ReadonlyArray<Line>
  readonly peers: ReadonlyArray<Peer>
  readonly lookAt: number
  readonly attempts: number
  /** Messages beyond its budget. */
  readonly dropped: number
  /** Links that it ended because they brought no events. */
  readonly ended: number
  readonly draws: number
  /** Frames of context that it has seen, by their ids, the last ones. */
  readonly seen: ReadonlyArray<string>
}

export interface Gen1State extends Node.NodeState {
  readonly gen1: Device
}

export const isGen1State = (node: Node.NodeState): node is Gen1State => "gen1" in node

const make = (config: Config): Gen1State => ({
  ...Node.make(config),
  gen1: {
    lines: [],
    peers: config.trusted.map(({ address, deviceId }) => ({
      deviceId,
      address,
      found: false,
      dialAt: NEVER_MS,
      attempt: null,
      failures: 0,
      suppressed: false
    })),
    lookAt: NEVER_MS,
    attempts: 0,
    dropped: 0,
    ended: 0,
    draws: 0,
    seen: []
  }
})

/** One step of the device: a draft of its state, and what it does. */
class Turn {
  readonly out: Array<Command> = []
  lines: Array<Line>
  peers: Array<Peer>
  lookAt: number
  attempts: number
  dropped: number
  ended: number
  draws: number
  private seen: ReadonlyArray<string>
  private readonly config: Config
  private readonly at: Input["at"]
  private readonly switches: Switches

  constructor({ config, gen1 }: Gen1State, at: Input["at"], switches: Switches) {
    this.config = config
    this.at = at
    this.switches = switches
    this.lines = [...gen1.lines]
    this.peers = [...gen1.peers]
    this.lookAt = gen1.lookAt
    this.attempts = gen1.attempts
    this.dropped = gen1.dropped
    this.ended = gen1.ended
    this.draws = gen1.draws
    this.seen = gen1.seen
  }

  // ---------------------------------------------------------------------------------------------- state

  device(): Device {
    const { attempts, draws, dropped, ended, lines, lookAt, peers, seen } = this
    return { lines, peers, lookAt, attempts, dropped, ended, draws, seen }
  }

  due(): number {
    let due = this.lookAt
    for (const { dialAt } of this.peers) due = Math.min(due, dialAt)
    for (const { openedAt, stage } of this.lines) if (stage !== "up") due = Math.min(due, openedAt + HANDSHAKE_MS)
    return due
  }

  private line(link: number): Line | undefined {
    return this.lines.find((line) => line.link === link)
  }

  private put(line: Line): void {
    this.lines = this.lines.map((other) => (other.link === line.link ? line : other))
  }

  private putPeer(peer: Peer): void {
    this.peers = this.peers.map((other) => (other.deviceId === peer.deviceId ? peer : other))
  }

  private send(link: number, frame: unknown): void {
    // Also requests that the kernel does not know: they pass its codec as text.
    this.out.push({ _tag: "Send", link, frame: frame as Frame })
  }

  private refuse(link: number, id: string, code: string): void {
    this.send(link, { type: "res", id, ok: false, error: { code, message: code } })
  }

  /** From its own side. */
  private hangUp(line: Line, code: number, reason: string): void {
    this.out.push({ _tag: "Hangup", link: line.link, code, reason, abrupt: false })
    this.over(line)
  }

  private over(line: Line): void {
    this.lines = this.lines.filter((other) => other.link !== line.link)
    const peer = this.peers.find(({ deviceId }) => deviceId === line.peer)
    if (peer === undefined || this.hasSession(peer.deviceId)) return
    const lasted = line.stage === "up" && this.at.mono - line.upAt >= REDIAL_RESET_MS
    this.redial(lasted ? { ...peer, failures: 0 } : peer)
  }

  private hasSession(deviceId: DeviceId): boolean {
    return this.lines.some(({ peer, stage }) => peer === deviceId && stage === "up")
  }

  private redial(peer: Peer): void {
    if (peer.address === null || peer.suppressed || peer.attempt !== null) return this.putPeer(peer)
    const capMs = Math.min(REDIAL_MAX_MS, REDIAL_MS * (1 << Math.min(peer.failures, 16)))
    const waitMs = between(this.config.seed, "gen1-redial", peer.deviceId, this.draws++, 0, capMs)
    this.putPeer({ ...peer, failures: peer.failures + 1, dialAt: this.at.mono + waitMs })
  }

  // ---------------------------------------------------------------------------------------------- what happens

  started(): void {
    this.out.push({ _tag: "Listen" })
    this.lookAt = this.at.mono + LOOK_MS
    for (const peer of this.peers) this.redial(peer)
  }

  /** Of two that find each other the one with the lower id dials, and the other one never does (wire: the tie-break of dials). */
  sighted({ addresses, deviceId }: Extract<Input, { readonly _tag: "Sighted" }>): void {
    const peer = this.peers.find((one) => one.deviceId === deviceId)
    const [address] = addresses
    if (peer === undefined || address === undefined || this.config.deviceId > deviceId) return
    if (peer.address !== null && !peer.found) return
    const next: Peer = { ...peer, address: `ws://${address}`, found: true }
    if (this.hasSession(deviceId) || next.address === peer.address) this.putPeer(next)
    else this.redial({ ...next, failures: 0 })
  }

  lost(deviceId: DeviceId): void {
    const peer = this.peers.find((one) => one.deviceId === deviceId)
    if (peer?.found === true) this.putPeer({ ...peer, address: null, found: false, dialAt: NEVER_MS })
  }

  woke(): void {
    const { mono } = this.at
    if (this.lookAt <= mono) {
      this.lookAt = mono + LOOK_MS
      const { quietMs } = this.switches
      for (const line of this.lines)
        if (quietMs !== null && line.dialled && line.stage === "up" && mono - line.eventAt >= quietMs) {
          this.ended++
          this.hangUp(line, 1000, "no events")
        }
    }
    for (const line of this.lines)
      if (line.stage !== "up" && line.openedAt + HANDSHAKE_MS <= mono) this.hangUp(line, 1008, "no handshake")
    for (const peer of this.peers) {
      if (peer.dialAt > mono) continue
      const { address, deviceId } = peer
      if (address === null || this.hasSession(deviceId)) this.putPeer({ ...peer, dialAt: NEVER_MS })
      else {
        const attempt = ++this.attempts
        this.putPeer({ ...peer, dialAt: NEVER_MS, attempt })
        this.out.push({ _tag: "Dial", attempt, to: deviceId, address })
      }
    }
  }

  opened({ attempt, link, nonce }: Extract<Input, { readonly _tag: "LinkUp" }>): void {
    const peer = attempt === null ? undefined : this.peers.find((other) => other.attempt === attempt)
    if (peer !== undefined) this.putPeer({ ...peer, attempt: null })
    const dialled = attempt !== null
    if (dialled && (peer === undefined || this.hasSession(peer.deviceId))) {
      this.out.push({ _tag: "Hangup", link, code: 1000, reason: "no longer wanted", abrupt: false })
      return
    }
    const { mono } = this.at
    this.lines.push({
      link,
      dialled,
      peer: peer?.deviceId ?? null,
      stage: dialled ? "asking" : "offered",
      nonce,
      said: null,
      request: "",
      signedAtMs: 0,
      openedAt: mono,
      upAt: 0,
      eventAt: mono,
      read: []
    })
    if (dialled) this.send(link, { type: "req", id: "1", method: "mesh.challenge", params: {} })
  }

  failed(attempt: number): void {
    const peer = this.peers.find((other) => other.attempt === attempt)
    if (peer !== undefined) this.redial({ ...peer, attempt: null })
  }

  closed(link: number): void {
    const line = this.line(link)
    if (line !== undefined) this.over(line)
  }

  /** A message of whatever kind came: whether it is read. */
  private reads(line: Line): Line | null {
    const { mono } = this.at
    if (line.dialled) return line
    const lately = line.read.filter((at) => at > mono - BUDGET_WINDOW_MS)
    if (this.switches.budget !== null && lately.length >= this.switches.budget) {
      this.dropped++
      return null
    }
    const read = { ...line, read: [...lately, mono] }
    this.put(read)
    return read
  }

  received(link: number, frame: Frame | null): void {
    const found = this.line(link)
    const line = found === undefined ? null : this.reads(found)
    if (line === null) return
    // An event that it does not know is an event.
    if (frame === null || frame.type === "event") {
      this.put({ ...line, eventAt: this.at.mono })
      if (frame === null || line.stage !== "up") return
      if (frame.event === "context.frame") this.heard(frame.payload, line)
      else if (line.dialled) this.event(line, frame)
      return
    }
    if (frame.type === "res") return this.answered(line, frame)
    if (frame.method === "mesh.challenge" && !line.dialled)
      return this.send(link, { type: "res", id: frame.id, ok: true, payload: { nonce: line.nonce } })
    if (frame.method === "mesh.connect" && line.stage === "offered") return this.login(line, frame.id, frame.params)
    if (line.dialled ? !this.switches.answersAsDialler : line.stage !== "up" && !this.switches.answersStrangers) return
    this.send(link, { type: "res", id: frame.id, ok: true, payload: {} })
  }

  /** It hands on whatever it did not see yet, as it came: it judges nothing. */
  private heard(frame: ContextFrame, from: Line): void {
    if (frame.sourceDeviceId === this.config.deviceId || this.seen.includes(frame.frameId)) return
    this.saw(frame.frameId)
    if (frame.hops >= HOPS_MAX) return
    for (const { link, stage } of this.lines)
      if (stage === "up" && link !== from.link) this.say(link, { ...frame, hops: frame.hops + 1 })
  }

  private saw(frameId: string): void {
    this.seen = [...this.seen.slice(-SEEN_MAX + 1), frameId]
  }

  private say(link: number, payload: ContextFrame): void {
    this.send(link, { type: "event", event: "context.frame", payload })
  }

  /** Something of its own, unsigned. */
  sensed({ data, frameId, kind }: Extract<Input, { readonly _tag: "Sensed" }>): void {
    const { deviceId, displayName } = this.config
    this.saw(frameId)
    for (const { link, stage } of this.lines)
      if (stage === "up")
        this.say(link, {
          gen: 1,
          kind,
          frameId,
          sourceDeviceId: deviceId,
          sourceDisplayName: displayName,
          timestamp: this.at.wall,
          data,
          trust: trustOf(kind),
          hops: 0
        })
  }

  private event(line: Line, frame: Extract<Frame, { readonly type: "event" }>): void {
    if (frame.event === "peer.leaving" && this.switches.honoursLeaving) this.lose(frame.payload.deviceId, "leaving")
    if (frame.event !== "peer.down" || !this.switches.honoursDown) return
    const accused = this.peers.find(({ deviceId }) => deviceId === frame.payload.deviceId)
    if (accused === undefined || accused.deviceId === line.peer) return
    this.putPeer({ ...accused, suppressed: true, dialAt: NEVER_MS })
    this.lose(accused.deviceId, "said to be down")
  }

  private lose(deviceId: DeviceId, reason: string): void {
    for (const line of this.lines) if (line.peer === deviceId && line.stage === "up") this.hangUp(line, 1000, reason)
  }

  // ---------------------------------------------------------------------------------------------- handshake

  private answered(line: Line, frame: Extract<Frame, { readonly type: "res" }>): void {
    const awaited = line.stage === "asking" || line.stage === "proving"
    if (!awaited) return
    if (!frame.ok) return this.hangUp(line, 1008, frame.error.code)
    if (line.stage === "asking") {
      const challenge = decodeAnswer("mesh.challenge", frame.payload)
      if (challenge === null) return this.hangUp(line, 1008, "no challenge")
      return this.sign({ ...line, stage: "signing" }, challenge.nonce)
    }
    const answer = decodeAnswer("mesh.connect", frame.payload)
    if (answer === null || answer.nonce !== line.nonce || answer.deviceId !== line.peer)
      return this.hangUp(line, 1008, "no answer")
    this.check({ ...line, stage: "checking", said: answer }, answer, line.nonce)
  }

  private login(line: Line, id: string, params: ConnectParams): void {
    if (params.nonce !== line.nonce) {
      this.refuse(line.link, id, params.nonce === undefined ? "AUTH_NONCE_REQUIRED" : "AUTH_NONCE_INVALID")
      return this.hangUp(line, 1008, "nonce")
    }
    this.check({ ...line, stage: "judging", said: params, request: id }, params, line.nonce)
  }

  private check(line: Line, said: ConnectParams | ConnectAnswer, nonce: string): void {
    const payload = connectString({
      deviceId: said.deviceId,
      signedAtMs: said.signedAtMs,
      nonce,
      ...(said.meshId === undefined ? {} : { meshId: said.meshId }),
      ...(said.role === undefined ? {} : { role: said.role })
    })
    this.put(line)
    this.out.push({
      _tag: "Check",
      ticket: line.link,
      publicKey: said.publicKey,
      proofs: [{ payload, signature: said.signature }]
    })
  }

  private sign(line: Line, nonce: string): void {
    const { deviceId, meshId, role } = this.config
    const signedAtMs = this.at.wall
    // What the other end gave for us to sign is kept where the login is: nothing of theirs is needed before it.
    this.put({ ...line, signedAtMs, request: line.dialled ? nonce : line.request })
    const payload = connectString({ deviceId, signedAtMs, nonce, meshId, role })
    this.out.push({ _tag: "Sign", ticket: line.link, payloads: [payload] })
  }

  checked({ deviceId, ticket, valid }: Extract<Input, { readonly _tag: "Checked" }>): void {
    const line = this.line(ticket)
    if (line?.said == null || (line.stage !== "checking" && line.stage !== "judging")) return
    const code = this.judge(line.said, deviceId, valid[0] === true)
    if (code !== null) {
      if (!line.dialled) this.refuse(line.link, line.request, code)
      return this.hangUp(line, 1008, code)
    }
    const known = { ...line, peer: line.said.deviceId }
    if (line.dialled) this.up(known)
    else this.sign({ ...known, stage: "answering" }, (line.said as ConnectParams).clientNonce)
  }

  private judge(said: ConnectParams | ConnectAnswer, keyOf: DeviceId | null, signed: boolean): string | null {
    if (keyOf !== said.deviceId) return "AUTH_FAILED"
    const trusted = trustedDevice(this.config, said.deviceId)
    if (trusted === undefined) return "UNTRUSTED_PEER"
    if (!signed || Math.abs(this.at.wall - said.signedAtMs) > this.switches.clockWindowMs) return "AUTH_FAILED"
    if (said.meshId !== this.config.meshId) return "MESH_ID_MISMATCH"
    return (said.role ?? "node") === trusted.role ? null : "INVALID_PARAMS"
  }

  signed(link: number, signatures: ReadonlyArray<string> | null): void {
    const line = this.line(link)
    if (line === undefined || (line.stage !== "signing" && line.stage !== "answering")) return
    if (signatures === null) return this.hangUp(line, 1011, "no key")
    const { capabilities, deviceId, displayName, meshId, publicKey, role } = this.config
    const { signedAtMs } = line
    const self = { deviceId, publicKey, signature: signatures[0], signedAtMs, displayName, capabilities, meshId, role }
    if (line.dialled) {
      const params = { version: 2, ...self, nonce: line.request, clientNonce: line.nonce }
      this.put({ ...line, stage: "proving" })
      return this.send(link, { type: "req", id: "2", method: "mesh.connect", params })
    }
    const payload = { ...self, nonce: (line.said as ConnectParams).clientNonce }
    this.send(link, { type: "res", id: line.request, ok: true, payload })
    this.up(line)
  }

  /** The newest session wins. */
  private up(line: Line): void {
    const { mono } = this.at
    for (const other of this.lines)
      if (other.link !== line.link && other.peer === line.peer && other.stage === "up") {
        this.lines = this.lines.filter(({ link }) => link !== other.link)
        this.out.push({ _tag: "Hangup", link: other.link, code: 1000, reason: "a newer session", abrupt: false })
      }
    this.put({ ...line, stage: "up", said: null, upAt: mono, eventAt: mono })
    const peer = this.peers.find(({ deviceId }) => deviceId === line.peer)
    if (peer !== undefined) this.putPeer({ ...peer, suppressed: peer.suppressed && line.dialled, dialAt: NEVER_MS })
    if (!line.dialled || !this.switches.syncs) return
    this.send(line.link, { type: "req", id: "sync", method: "context.sync", params: { since: 0, limit: 100 } })
  }

  leave(): void {
    const { deviceId } = this.config
    for (const { link, stage } of this.lines)
      if (stage === "up")
        this.send(link, {
          type: "event",
          event: "peer.leaving",
          payload: { gen: 1, deviceId, timestamp: this.at.wall }
        })
    this.out.push({ _tag: "Halt" })
  }
}

const take = (turn: Turn, input: Input): void => {
  switch (input._tag) {
    case "Started":
      return turn.started()
    case "Woke":
      return turn.woke()
    case "Sighted":
      return turn.sighted(input)
    case "Lost":
      return turn.lost(input.deviceId)
    case "LinkUp":
      return turn.opened(input)
    case "LinkDown":
      return turn.closed(input.link)
    case "DialFailed":
      return turn.failed(input.attempt)
    case "Received":
      return turn.received(input.link, input.frame)
    case "Ignored":
      return turn.received(input.link, null)
    case "Checked":
      return turn.checked(input)
    case "Signed":
      return turn.signed(input.ticket, input.signatures)
    case "Sensed":
      return turn.sensed(input)
    case "Leave":
      return turn.leave()
    default:
  }
}

/** The program, as a machine runs it. */
export const gen1 = (switches: Switches = ORIGINAL): Kernel => ({
  make,
  step: (node, input) => {
    if (!isGen1State(node) || (node.phase !== "running" && input._tag !== "Started")) return [node, []]
    const turn = new Turn(node, input.at, switches)
    take(turn, input)
    const due = turn.due()
    const rings = input._tag === "Woke" ? NEVER_MS : node.alarmAt
    if (due !== rings) turn.out.push({ _tag: "SetAlarm", at: due })
    const phase = input._tag === "Leave" ? "left" : "running"
    const next: Gen1State = { ...node, phase, alarmAt: due, gen1: turn.device() }
    return [next, turn.out]
  }
})
