/**
 * A mesh of gossiping members: the datagrams between them, with delay and loss, on the simulator's agenda. Every draw is keyed,
 * so that the run is a function of its options.
 *
 * Full exchanges and probes over TCP get through loss, later: connecting takes a second more for each lost packet, data 200 ms,
 * both doubling. Does not model: the three-way handshake of those connections as messages; they count as two messages.
 */
import { betweenAt, chanceAt, key, type Key } from "../../../kernel/Draw.ts"
import { Agenda } from "../../../sim/engine/Agenda.ts"
import type { Contender, Mesh, MeshOptions, Traffic } from "../Mesh.ts"
import { bytesOf, type Message } from "./Message.ts"
import type { Parameters } from "./Parameters.ts"
import { Participant, type Timer } from "./Participant.ts"

type Event =
  | { readonly _tag: "arrives"; readonly message: Message }
  | { readonly _tag: "rings"; readonly member: number; readonly timer: Timer }

const MILLION = 1_000_000
/** Counters of one message's draws: its crossings and whether each packet of them is lost, repeats among them. */
const DRAWS = 32
/** From there on nothing more is added: whoever waits has given up. */
const REPEATS_MAX = 6
const CONNECT_RTO_MS = 1_000
const DATA_RTO_MS = 200

export class GossipMesh implements Mesh {
  private readonly agenda = new Agenda<Event>()
  private readonly participants: ReadonlyArray<Participant>
  private readonly options: MeshOptions
  private readonly keys: ReadonlyArray<Key>
  private readonly numbers: Array<number>
  private readonly egressPpm: Array<number>
  private readonly ingressPpm: Array<number>
  private nowMs = 0
  private messages = 0
  private bytes = 0

  constructor(parameters: Parameters, options: MeshOptions) {
    const { onWord, seed, size } = options
    const members = Array.from({ length: size }, (_, index) => index)
    this.options = options
    this.keys = members.map((member) => key(seed, "datagram", String(member)))
    this.numbers = members.map(() => 0)
    this.egressPpm = members.map(() => 0)
    this.ingressPpm = members.map(() => 0)
    this.participants = members.map(
      (index) =>
        new Participant(index, size, seed, parameters, {
          nowMs: () => this.nowMs,
          send: (message) => this.send(message),
          later: (ms, member, timer) => {
            this.agenda.push(this.nowMs + Math.max(0, ms), { _tag: "rings", member, timer })
          },
          says: (observer, subject, state) => onWord({ atMs: this.nowMs, observer, subject, state })
        })
    )
  }

  run(untilMs: number): boolean {
    const { agenda, participants } = this
    while (agenda.peekMs() <= untilMs) {
      agenda.next()
      this.nowMs = agenda.atMs
      const event = agenda.payload!
      if (event._tag === "arrives") participants[event.message.to]!.take(event.message)
      else participants[event.member]!.ring(event.timer)
    }
    this.nowMs = untilMs
    return true
  }

  crash(member: number): void {
    this.participants[member]!.alive = false
  }

  block(member: number): void {
    this.participants[member]!.blocked = true
  }

  open(member: number): void {
    this.participants[member]!.open()
  }

  lose(member: number, direction: "egress" | "ingress", ppm: number): void {
    const direct = direction === "egress" ? this.egressPpm : this.ingressPpm
    direct[member] = ppm
  }

  sent(): Traffic {
    return { messages: this.messages, membership: this.messages, bytes: this.bytes }
  }

  // ---------------------------------------------------------------------------------------------- the network

  private send(message: Message): void {
    this.messages++
    this.bytes += bytesOf(message)
    const { body, from, to } = message
    const counter = DRAWS * this.numbers[from]!++
    const connected = body._tag === "table" || ("tcp" in body && body.tcp)
    const answers = body._tag === "ack" || (body._tag === "table" && body.answer)
    const takesMs = !connected
      ? this.datagramMs(from, to, counter)
      : answers
        ? this.dataMs(from, to, counter)
        : this.connectMs(from, to, counter)
    if (takesMs !== null) this.agenda.push(this.nowMs + takesMs, { _tag: "arrives", message })
  }

  private isLost(from: number, to: number, of: Key, counter: number): boolean {
    const { lossPpm } = this.options
    const worst = Math.max(lossPpm, this.egressPpm[from]!, this.ingressPpm[to]!)
    return worst > 0 && chanceAt(of, counter, worst, MILLION)
  }

  private crossingMs(of: Key, counter: number): number {
    const { max, min } = this.options.delayMs
    return betweenAt(of, counter, min, max)
  }

  private datagramMs(from: number, to: number, counter: number): number | null {
    const of = this.keys[from]!
    return this.isLost(from, to, of, counter + 1) ? null : this.crossingMs(of, counter)
  }

  /** A packet that is repeated until it arrives. */
  private repeatedMs(from: number, to: number, of: Key, counter: number, rtoMs: number): number {
    let takesMs = this.crossingMs(of, counter)
    for (let lost = 0; lost < REPEATS_MAX && this.isLost(from, to, of, counter + 1 + lost); lost++)
      takesMs += rtoMs * 2 ** lost
    return takesMs
  }

  private dataMs(from: number, to: number, counter: number): number {
    return this.repeatedMs(from, to, this.keys[from]!, counter, DATA_RTO_MS)
  }

  /** SYN, its answer, and the first data. */
  private connectMs(from: number, to: number, counter: number): number {
    const of = this.keys[from]!
    return (
      this.repeatedMs(from, to, of, counter, CONNECT_RTO_MS) +
      this.repeatedMs(to, from, of, counter + 8, CONNECT_RTO_MS) +
      this.repeatedMs(from, to, of, counter + 16, DATA_RTO_MS)
    )
  }
}

/** As one who takes part in the experiments: nobody has to meet anybody, but gossip and probes have found their pace. */
export const gossip = (parameters: Parameters): Contender => ({
  name: parameters.name,
  make: (options) => new GossipMesh(parameters, options),
  meetsMs: 2_000
})
