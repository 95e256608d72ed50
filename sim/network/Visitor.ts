/**
 * Somebody from outside the mesh who logs in with one lie: with a key of its own, or with that of a node which it stole. It dials,
 * asks for the nonce, says its login, and notes what it is told; it says nothing else, and takes every answer for its last.
 *
 * One of them does all visits of a world. Its state is plain data, one entry a connection; `fork` copies it.
 *
 * Where it carries words of a node to another one, it has two connections for a visit: at the second it is whoever lets it have them.
 *
 * Does not model: a visitor who is let in and then speaks; words that a node says when it dials, over a nonce that it is given by
 * somebody who stands in a third one's place (test/sim/hostile/replay.test.ts does).
 */
import type { LinkPath } from "../../kernel/Input.ts"
import { encode } from "../../kernel/wire/Codec.ts"
import type { ConnectAnswer, ConnectParams, Frame } from "../../kernel/wire/Frame.ts"
import type { World } from "../engine/World.ts"
import type { KeyPair } from "../keys/FakeKeys.ts"
import type { Cargo } from "./Cargo.ts"
import type { Connection, DialFailure, Ending, Port, Side } from "./Connection.ts"
import { loginOf, type Claim } from "./Credentials.ts"

export interface Visit {
  /** What it says of itself; `null`: nothing at all, not even a question. */
  readonly claim: Claim | null
  /** In place of that: what only a session may say, and what nobody may. */
  readonly chatters: boolean
  /** Whose key signs. */
  readonly keys: KeyPair
  /** A login of the past, in place of one that is made now. */
  readonly past: ConnectParams | null
  /** Where it has words made over the nonce that it is given, as whom; `null`: it makes its own. */
  readonly relay: { readonly at: string; readonly claim: Claim; readonly keys: KeyPair } | null
  /** After its login is made: what it changes in it. */
  readonly spoiled: "nothing" | "signature" | "nonce" | "extension"
  /** What the connection runs over, as the other end finds it; `null`: nothing lies between. */
  readonly path: LinkPath | null
}

interface Line {
  readonly visit: Visit
  readonly said: boolean
  /** The connection that waits for words that are made on this one, and the nonce that it was given. */
  readonly waiting?: { readonly connection: number; readonly nonce: string }
}

/** No node can be called this. */
const NAME = "a stranger"
const CHALLENGE_ID = "c"
const LOGIN_ID = "l"
/** Said one after another until it is shown out. */
const CHATTER: ReadonlyArray<string> = [
  '{"type":"req","id":"s","method":"mesh.status","params":{}}',
  '{"type":"event","event":"mesh.heartbeat","payload":{"epoch":[1,1,1,1],"seq":0,"rows":0}}',
  '{"type":"event","event":"mesh.gossip","payload":{}}',
  '{"type":"res","id":"c","ok":true,"payload":{"nonce":"nobody asked"}}',
  '{"type":"req","id":"t","method":"mesh.takeover"}',
  "good morning"
]
const CHATTERS = 20

const CLIENT_NONCE = "nonce-of-a-stranger"

export class Visitor implements Port {
  readonly name = NAME
  readonly process = 1
  readonly powered = true
  readonly listening = false
  /** Its own key: the same in every fork. */
  readonly keys: KeyPair
  private readonly world: World
  private readonly lines = new Map<number, Line>()
  /** Devices in whose name it was let in: it is them for others from then on. */
  private readonly letIn: Set<string>
  private visits = 0

  constructor(world: World, from?: Visitor) {
    this.world = world
    this.keys = from?.keys ?? world.keys.make(world.seed, NAME)
    this.letIn = new Set(from?.letIn)
    if (from === undefined) return
    for (const [connection, line] of from.lines) this.lines.set(connection, line)
    this.visits = from.visits
  }

  fork(world: World): Visitor {
    return new Visitor(world, this)
  }

  /** How many of these visits have said their login, or have been waited for in vain. */
  said(visits: ReadonlyArray<number>): number {
    return visits.filter((connection) => this.lines.get(connection)?.said === true).length
  }

  /** The number of the connection. */
  visit(to: Port, visit: Visit): number {
    const { id } = this.world.network.dial(this, to, ++this.visits)
    this.lines.set(id, { visit, said: false })
    return id
  }

  holds(deviceId: string): boolean {
    for (const { visit, waiting } of this.lines.values()) if (keysOn(visit, waiting).deviceId === deviceId) return true
    return false
  }

  /** Whether somebody ever took it for this device. */
  wasTakenFor(deviceId: string): boolean {
    return this.letIn.has(deviceId)
  }

  path({ id }: Connection): LinkPath | null {
    return this.lines.get(id)?.visit.path ?? null
  }

  onOpen(connection: Connection, side: Side): void {
    const line = this.lines.get(connection.id)
    if (line === undefined) return
    if (line.visit.chatters) for (let n = 0; n < CHATTERS; n++) this.put(connection, side, CHATTER[n % CHATTER.length]!)
    else if (line.visit.claim !== null)
      return this.say(connection, side, { type: "req", id: CHALLENGE_ID, method: "mesh.challenge", params: {} })
    this.lines.set(connection.id, { ...line, said: true })
  }

  onDialFailed(_process: number, _attempt: number, _reason: DialFailure): void {}

  onCargo(connection: Connection, side: Side, cargo: Cargo): void {
    if (cargo._tag === "ping") return this.world.network.send(connection, side, { _tag: "pong", probe: cargo.probe })
    if (cargo._tag !== "frame" || cargo.frame.type !== "res") return
    const { frame } = cargo
    const line = this.lines.get(connection.id)
    if (line === undefined || !frame.ok) return
    if (frame.id === LOGIN_ID) this.letIn.add(keysOn(line.visit, line.waiting).deviceId)
    if (frame.id === LOGIN_ID && line.waiting !== undefined)
      return this.carry(connection, side, line.waiting, frame.payload as ConnectAnswer)
    if (frame.id !== CHALLENGE_ID || line.said) return
    const { nonce } = frame.payload as { readonly nonce: string }
    if (line.visit.relay !== null && line.waiting === undefined) return this.ask(connection, line, nonce)
    const params = this.login(connection, side, line, nonce)
    if (params === null) return
    this.lines.set(connection.id, { ...line, said: true })
    this.say(connection, side, { type: "req", id: LOGIN_ID, method: "mesh.connect", params })
  }

  /** Has somebody sign over the nonce that it was given here. */
  private ask({ id }: Connection, { visit }: Line, nonce: string): void {
    const to = this.world.byAddress(visit.relay?.at ?? "")
    if (to === undefined) return
    const asking = this.world.network.dial(this, to, ++this.visits)
    this.lines.set(asking.id, { visit: { ...visit, path: null }, said: false, waiting: { connection: id, nonce } })
  }

  /** What was signed there is presented where it was wanted. */
  private carry(
    from: Connection,
    side: Side,
    { connection, nonce }: NonNullable<Line["waiting"]>,
    words: ConnectAnswer
  ): void {
    this.world.network.close(from, side, false)
    const line = this.lines.get(connection)
    const to = this.world.network.connection(connection)
    if (line === undefined || to === null) return
    this.lines.set(connection, { ...line, said: true })
    const params: ConnectParams = { ...words, version: 2, nonce, clientNonce: nonce }
    this.say(to, 0, { type: "req", id: LOGIN_ID, method: "mesh.connect", params })
  }

  onClosed(_connection: Connection, _side: Side, _reason: Ending): void {}

  private login(connection: Connection, side: Side, { visit, waiting }: Line, nonce: string) {
    const { past, spoiled } = visit
    const claim = waiting === undefined ? visit.claim : (visit.relay?.claim ?? null)
    if (past !== null) return past
    const audience = this.world.machines.find(({ name }) => name === connection.ports[side === 0 ? 1 : 0].name)
    if (claim === null || audience === undefined) return null
    const params = loginOf((payload) => this.world.keys.sign(keysOn(visit, waiting), [payload])[0]!, claim, {
      audience: audience.config.deviceId,
      clientNonce: waiting?.nonce ?? CLIENT_NONCE,
      serverNonce: nonce,
      signedAtMs: audience.clock.instant(this.world.nowMs).wall
    })
    return spoil(params, spoiled)
  }

  private say(connection: Connection, side: Side, frame: Frame): void {
    this.put(connection, side, encode(frame))
  }

  private put(connection: Connection, side: Side, text: string): void {
    this.world.network.send(connection, side, { _tag: "raw", text })
  }
}

/** Whose key signs on a connection of the visit. */
const keysOn = ({ keys, relay }: Visit, waiting: Line["waiting"]): KeyPair =>
  waiting === undefined || relay === null ? keys : relay.keys

const spoil = (params: ConnectParams, how: Visit["spoiled"]): ConnectParams => {
  const { kernel, ...plain } = params
  switch (how) {
    case "nothing":
      return params
    case "signature":
      return { ...params, signature: params.signature.split("").reverse().join("") }
    case "nonce":
      return { ...params, nonce: "a-nonce-of-its-own" }
    case "extension":
      return kernel === undefined ? params : plain
  }
}
