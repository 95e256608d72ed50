/**
 * Somebody from outside the mesh who logs in with one lie: with a key of its own, or with that of a node which it stole. It dials,
 * asks for the nonce, says its login, and notes what it is told; it says nothing else, and takes every answer for its last.
 *
 * One of them does all visits of a world. Its state is plain data, one entry a connection; `fork` copies it.
 *
 * Does not model: a visitor who is let in and then speaks; words of a node that were said to somebody else under the very nonce
 * (test/sim/hostile/replay.test.ts does).
 */
import type { LinkPath } from "../../kernel/Input.ts"
import { encode } from "../../kernel/wire/Codec.ts"
import type { ConnectParams, Frame } from "../../kernel/wire/Frame.ts"
import type { World } from "../engine/World.ts"
import type { KeyPair } from "../keys/FakeKeys.ts"
import type { Cargo } from "./Cargo.ts"
import type { Connection, DialFailure, Ending, Port, Side } from "./Connection.ts"
import { loginOf, type Claim } from "./Credentials.ts"

export interface Visit {
  /** What it says of itself; `null`: nothing at all, not even a question. */
  readonly claim: Claim | null
  /** Whose key signs. */
  readonly keys: KeyPair
  /** A login of the past, in place of one that is made now. */
  readonly past: ConnectParams | null
  /** After its login is made: what it changes in it. */
  readonly spoiled: "nothing" | "signature" | "nonce" | "extension"
  /** What the connection runs over, as the other end finds it; `null`: nothing lies between. */
  readonly path: LinkPath | null
}

interface Line {
  readonly visit: Visit
  readonly said: boolean
}

/** No node can be called this. */
const NAME = "a stranger"
const CHALLENGE_ID = "c"
const LOGIN_ID = "l"
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
  private visits = 0

  constructor(world: World, from?: Visitor) {
    this.world = world
    this.keys = from?.keys ?? world.keys.make(world.seed, NAME)
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
    for (const { visit } of this.lines.values()) if (visit.keys.deviceId === deviceId) return true
    return false
  }

  path({ id }: Connection): LinkPath | null {
    return this.lines.get(id)?.visit.path ?? null
  }

  onOpen(connection: Connection, side: Side): void {
    const line = this.lines.get(connection.id)
    if (line === undefined) return
    if (line.visit.claim !== null)
      return this.say(connection, side, { type: "req", id: CHALLENGE_ID, method: "mesh.challenge", params: {} })
    this.lines.set(connection.id, { ...line, said: true })
  }

  onDialFailed(_process: number, _attempt: number, _reason: DialFailure): void {}

  onCargo(connection: Connection, side: Side, cargo: Cargo): void {
    if (cargo._tag === "ping") return this.world.network.send(connection, side, { _tag: "pong", probe: cargo.probe })
    if (cargo._tag !== "frame" || cargo.frame.type !== "res") return
    const { frame } = cargo
    const line = this.lines.get(connection.id)
    if (line === undefined || frame.id !== CHALLENGE_ID || !frame.ok || line.said) return
    const params = this.login(connection, side, line.visit, (frame.payload as { readonly nonce: string }).nonce)
    if (params === null) return
    this.lines.set(connection.id, { ...line, said: true })
    this.say(connection, side, { type: "req", id: LOGIN_ID, method: "mesh.connect", params })
  }

  onClosed(_connection: Connection, _side: Side, _reason: Ending): void {}

  private login(connection: Connection, side: Side, { claim, keys, past, spoiled }: Visit, nonce: string) {
    if (past !== null) return past
    const audience = this.world.machines.find(({ name }) => name === connection.ports[side === 0 ? 1 : 0].name)
    if (claim === null || audience === undefined) return null
    const params = loginOf((payload) => this.world.keys.sign(keys, [payload])[0]!, claim, {
      audience: audience.config.deviceId,
      clientNonce: CLIENT_NONCE,
      serverNonce: nonce,
      signedAtMs: audience.clock.instant(this.world.nowMs).wall
    })
    return spoil(params, spoiled)
  }

  private say(connection: Connection, side: Side, frame: Frame): void {
    this.world.network.send(connection, side, { _tag: "raw", text: encode(frame) })
  }
}

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
