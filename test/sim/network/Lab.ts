/** A network between hosts that only write down what reaches them, on an agenda of its own. */
import { Agenda } from "../../../sim/engine/Agenda.ts"
import type { Cargo } from "../../../sim/network/Cargo.ts"
import type { Connection, DialFailure, Ending, Port, Side } from "../../../sim/network/Connection.ts"
import type { NetworkEvent } from "../../../sim/network/Event.ts"
import { Network } from "../../../sim/network/Network.ts"
import type { Usual } from "../../../sim/network/Transit.ts"

interface Heard {
  readonly atMs: number
  readonly host: string
  readonly connection: number
  readonly what: string
}

const wordOf = (cargo: Cargo): string => {
  switch (cargo._tag) {
    case "frame":
      return JSON.stringify(cargo.frame)
    case "raw":
      return cargo.text
    case "ping":
    case "pong":
      return `${cargo._tag} ${cargo.probe}`
    case "fin":
      return "fin"
  }
}

export class Host implements Port {
  readonly name: string
  process = 1
  powered = true
  listening = true
  private readonly lab: Lab

  constructor(lab: Lab, name: string) {
    this.lab = lab
    this.name = name
  }

  holds(): boolean {
    return false
  }

  onOpen({ id }: Connection, side: Side): void {
    this.lab.heard(this.name, id, side === 0 ? "opened" : "accepted")
  }

  onDialFailed(_process: number, attempt: number, reason: DialFailure): void {
    this.lab.heard(this.name, attempt, reason)
  }

  onCargo({ id }: Connection, _side: Side, cargo: Cargo): void {
    this.lab.heard(this.name, id, wordOf(cargo))
  }

  onBacklog(_connection: Connection, _side: Side, bytes: number): void {
    this.lab.backlogs.push({ host: this.name, bytes })
  }

  onClosed({ id }: Connection, _side: Side, reason: Ending): void {
    this.lab.heard(this.name, id, reason)
  }
}

/** As a careful LAN: 10 ms, nothing lost. */
export const PLAIN: Usual = { delayMs: { min: 10, max: 10 }, lossPpm: 0 }

export class Lab {
  nowMs = 0
  readonly log: Array<Heard> = []
  readonly backlogs: Array<{ readonly host: string; readonly bytes: number }> = []
  readonly network: Network
  readonly hosts: ReadonlyMap<string, Host>
  private readonly agenda: Agenda<NetworkEvent>

  constructor(names: ReadonlyArray<string>, usual: Usual = PLAIN, seed = 1, from?: Lab) {
    this.hosts = new Map(names.map((name) => [name, new Host(this, name)]))
    this.agenda = from?.agenda.fork() ?? new Agenda()
    const carrier = {
      nowMs: () => this.nowMs,
      later: (atMs: number, event: NetworkEvent) => {
        if (atMs < this.nowMs) throw new Error(`an event of the past: ${atMs} at ${this.nowMs}`)
        this.agenda.push(atMs, event)
      }
    }
    this.network =
      from?.network.fork(
        carrier,
        ({ name }) => this.host(name),
        (seat) => seat
      ) ?? new Network(carrier, seed, usual, () => true)
    if (from === undefined) return
    this.nowMs = from.nowMs
    for (const [name, { listening, powered, process }] of from.hosts)
      Object.assign(this.host(name), { listening, powered, process })
  }

  /** The same, and independent from now on; what was heard stays here. */
  fork(): Lab {
    return new Lab([...this.hosts.keys()], PLAIN, 0, this)
  }

  host(name: string): Host {
    return this.hosts.get(name)!
  }

  heard(host: string, connection: number, what: string): void {
    this.log.push({ atMs: this.nowMs, host, connection, what })
  }

  /** Runs on for so long; what is due at its end has happened. */
  run(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.agenda.peekMs() <= untilMs) {
      this.agenda.next()
      this.nowMs = this.agenda.atMs
      this.network.onEvent(this.agenda.payload!)
    }
    this.nowMs = untilMs
  }

  /** An open connection; its handshake is left out of the log. */
  open(from: string, to: string): Connection {
    const connection = this.network.dial(this.host(from), this.host(to), 1)
    for (let ms = 0; ms < 10_000 && !connection.open[0]; ms++) this.run(1)
    if (!connection.open[0]) throw new Error(`${from} got no connection to ${to}`)
    this.log.length = 0
    return connection
  }

  say(connection: Connection, side: Side, text: string): void {
    this.network.send(connection, side, { _tag: "raw", text })
  }

  /** What a host heard, in order. */
  words(host: string): ReadonlyArray<string> {
    return this.log.filter((heard) => heard.host === host).map(({ what }) => what)
  }

  /** When a host heard this; -1: never. */
  whenMs(host: string, what: string): number {
    return this.log.find((heard) => heard.host === host && heard.what === what)?.atMs ?? -1
  }
}

/** The power or the process of a host goes, and comes back as another process. */
export const restart = (lab: Lab, name: string, silent: boolean): void => {
  const host = lab.host(name)
  host.process++
  lab.network.drop(host, silent)
}

export const both = (a: string, b: string): ReadonlyArray<readonly [string, string]> => [
  [a, b],
  [b, a]
]
