/**
 * A hostile end of the network, for tests: a port without a kernel, which says whatever it is told to, to whom it likes.
 *
 * Everything that it says is text and passes the real codec of whoever hears it. It keeps what it hears, line by line. It
 * holds one key and can sign anything with it; other keys it has only if a test hands them over. Admitted to a world under
 * the name of a node that is never started (`world.admit`), it is dialled in that node's place.
 *
 * Does not model: a stranger within the network itself, who reads, delays or changes what others say to each other.
 */
import { encode } from "../../kernel/wire/Codec.ts"
import type { ConnectAnswer, ConnectParams, Event, Frame } from "../../kernel/wire/Frame.ts"
import type { World } from "../engine/World.ts"
import type { KeyPair } from "../keys/FakeKeys.ts"
import type { Cargo } from "./Cargo.ts"
import { answerOf, claimOf, loginOf, type Claim } from "./Credentials.ts"
import type { Connection, DialFailure, Ending, Port, Side } from "./Connection.ts"

/** What a stranger does on a line; what is left out, it does not react to. */
export interface Behaviour {
  readonly opened?: (line: Line) => void
  readonly heard?: (line: Line, frame: Frame) => void
  readonly closed?: (line: Line) => void
  /** Answer transport pings, as any WebSocket library does by itself. */
  readonly deaf?: boolean
}

/** One connection, from the stranger's end. */
export class Line {
  readonly heard: Array<Frame> = []
  pings = 0
  /** How the other end let go; `null`: it has not. */
  closed: Ending | DialFailure | null = null
  opened = false
  behaviour: Behaviour
  connection: Connection
  private readonly world: World
  private readonly side: Side

  constructor(world: World, connection: Connection, side: Side, behaviour: Behaviour) {
    this.world = world
    this.connection = connection
    this.side = side
    this.behaviour = behaviour
  }

  /** The number that the other end gave this connection; 0: none yet. */
  get link(): number {
    return this.connection.links[this.side === 0 ? 1 : 0]
  }

  /** Whose line it is on. */
  get far(): string {
    return this.connection.ports[this.side === 0 ? 1 : 0].name
  }

  /** Codes of the errors that were answered, in order. */
  get errors(): ReadonlyArray<string> {
    return this.heard.flatMap((frame) => (frame.type === "res" && !frame.ok ? [frame.error.code] : []))
  }

  raw(text: string): void {
    this.world.network.send(this.connection, this.side, { _tag: "raw", text })
  }

  say(frame: Frame): void {
    this.raw(encode(frame))
  }

  tell(event: Event["event"], payload: unknown): void {
    this.raw(JSON.stringify({ type: "event", event, payload }))
  }

  ask(id: string, method: string, params: unknown = {}): void {
    this.raw(JSON.stringify({ type: "req", id, method, params }))
  }

  hangUp(abrupt = false): void {
    this.world.network.close(this.connection, this.side, abrupt)
  }

  hear(cargo: Cargo): void {
    if (cargo._tag === "ping") {
      this.pings++
      if (this.behaviour.deaf !== true)
        this.world.network.send(this.connection, this.side, { _tag: "pong", probe: cargo.probe })
    }
    if (cargo._tag !== "frame") return
    this.heard.push(cargo.frame)
    this.behaviour.heard?.(this, cargo.frame)
  }
}

export class Stranger implements Port {
  readonly name: string
  readonly keys: KeyPair
  readonly lines: Array<Line> = []
  /** On lines that others dial. */
  behaviour: Behaviour = {}
  readonly process = 1
  readonly powered = true
  listening = false
  private readonly world: World
  private readonly dials = new Map<Connection, Line>()
  private readonly byConnection = new Map<Connection, Line>()

  /** Is admitted to the world under `name`, as whoever has the key of that name there. */
  constructor(world: World, name: string) {
    this.world = world
    this.name = name
    this.keys = world.keys.make(world.seed, name)
    world.admit(this, this.keys.deviceId)
  }

  holds(deviceId: string): boolean {
    return deviceId === this.keys.deviceId
  }

  /** Runs something at this true time, ms. */
  at(atMs: number, run: () => void): void {
    this.world.agenda.push(atMs, { _tag: "call", run })
  }

  dial(name: string, behaviour: Behaviour): Line {
    const target = this.world.byAddress(name)
    if (target === undefined) throw new Error(`nobody is called ${name}`)
    const connection = this.world.network.dial(this, target, this.lines.length + 1)
    const line = new Line(this.world, connection, 0, behaviour)
    this.lines.push(line)
    this.dials.set(connection, line)
    return line
  }

  /** The honest words of the node in whose place it stands, or of an outsider who knows the mesh of `like`. */
  claim(like: string = this.name): Claim {
    const { config } = this.world.machines.find((machine) => machine.name === like)!
    return {
      ...claimOf(config, this.keys),
      displayName: this.name,
      bootId: `boot-of-${this.name}`,
      linkCounter: this.lines.length
    }
  }

  sign(payload: string): string {
    return this.world.keys.sign(this.keys, [payload])[0]!
  }

  /** The wall clock of whoever asks, give or take the network. */
  wallMs(name: string): number {
    return this.world.machines.find((machine) => machine.name === name)!.clock.instant(this.world.nowMs).wall
  }

  /** A login at `audience`, well signed by our key whatever it claims. */
  login(
    claim: Claim,
    audience: string,
    serverNonce: string,
    signedAtMs: number,
    clientNonce = "nonce-of-a-stranger"
  ): ConnectParams {
    return loginOf((payload) => this.sign(payload), claim, { audience, clientNonce, serverNonce, signedAtMs })
  }

  /** The answer to a login by `audience`. */
  answer(
    claim: Claim,
    audience: string,
    serverNonce: string,
    params: ConnectParams,
    signedAtMs: number
  ): ConnectAnswer {
    return answerOf((payload) => this.sign(payload), claim, {
      audience,
      clientNonce: params.clientNonce,
      serverNonce,
      signedAtMs
    })
  }

  onOpen(connection: Connection, side: Side): void {
    const line = this.dials.get(connection) ?? new Line(this.world, connection, side, this.behaviour)
    if (side === 1) this.lines.push(line)
    this.byConnection.set(connection, line)
    line.opened = true
    line.behaviour.opened?.(line)
  }

  onDialFailed(_process: number, attempt: number, reason: DialFailure): void {
    for (const line of this.dials.values()) if (line.connection.attempt === attempt) line.closed = reason
  }

  onCargo(connection: Connection, _side: Side, cargo: Cargo): void {
    this.byConnection.get(connection)?.hear(cargo)
  }

  onClosed(connection: Connection, _side: Side, reason: Ending): void {
    const line = this.byConnection.get(connection)
    if (line === undefined) return
    line.closed = reason
    line.behaviour.closed?.(line)
  }
}
