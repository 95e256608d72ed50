/**
 * One member of a gossip mesh: whom it probes, whom it suspects, what it passes on. SWIM, with the parts of memberlist and of
 * Lifeguard where its parameters have them.
 *
 * While it is blocked it can neither send nor take anything up, but its timers go on, as those of a program with many threads
 * of which the ones at the network stand still (Lifeguard's experiments). A probe that cannot be sent holds up the next one.
 *
 * Does not model: joining and leaving; everybody knows everybody from the start.
 */
import { at, belowAt, key, type Key } from "../../../kernel/Draw.ts"
import type { Body, Message } from "./Message.ts"
import { Queue, type News } from "./News.ts"
import { suspicionLastsMs, type Parameters } from "./Parameters.ts"

const ALIVE = 0
const SUSPECT = 1
const DEAD = 2

/** What it waits for. */
export type Timer =
  | { readonly _tag: "period" | "gossip" | "exchange" }
  | { readonly _tag: "timeout" | "deadline"; readonly probe: number }
  /** The asked one gives up. */
  | { readonly _tag: "asked"; readonly probe: number }
  | { readonly _tag: "suspicion"; readonly subject: number; readonly nth: number }

export interface Outside {
  readonly nowMs: () => number
  readonly send: (message: Message) => void
  readonly later: (ms: number, member: number, timer: Timer) => void
  readonly says: (observer: number, subject: number, state: "up" | "suspect" | "down") => void
}

interface Probe {
  readonly number: number
  readonly subject: number
  readonly deadlineMs: number
  /** What it sent last could not leave yet. */
  held: boolean
  /** Others were asked to try. */
  asking: boolean
  asked: number
  nacks: number
}

interface Suspicion {
  readonly sinceMs: number
  readonly leastMs: number
  readonly wanted: number
  readonly by: Set<number>
  /** Of its timer: an earlier one that rings means nothing. */
  nth: number
}

/** A probe that it does for another. */
interface Errand {
  readonly forWhom: number
  readonly theirs: number
}

export class Participant {
  readonly index: number
  alive = true
  blocked = false
  private readonly outside: Outside
  private readonly parameters: Parameters
  private readonly size: number
  private readonly states: Uint8Array
  private readonly incarnations: Int32Array
  private readonly deadSinceMs: Float64Array
  private readonly suspicions = new Map<number, Suspicion>()
  private readonly errands = new Map<number, Errand>()
  private readonly queue = new Queue()
  private readonly limit: number
  private readonly order: Array<number>
  private next = 0
  private probe: Probe | null = null
  private probes = 0
  private timers = 0
  private health = 0
  private gossipHeld = false
  private readonly inbox: Array<Message> = []
  private readonly outbox: Array<Message> = []
  private readonly draws: { readonly order: Key; readonly others: Key }
  private drawn = 0
  private rounds = 0

  constructor(index: number, size: number, seed: number, parameters: Parameters, outside: Outside) {
    this.index = index
    this.size = size
    this.parameters = parameters
    this.outside = outside
    this.limit = parameters.retransmits(size)
    this.states = new Uint8Array(size)
    this.incarnations = new Int32Array(size)
    this.deadSinceMs = new Float64Array(size)
    this.order = Array.from({ length: size }, (_, member) => member).filter((member) => member !== index)
    this.draws = { order: key(seed, "probe-order", String(index)), others: key(seed, "others", String(index)) }
    this.shuffle()
    const phase = key(seed, "phase", String(index))
    const { exchangeMs, gossip, inStep, periodMs } = parameters
    outside.later(inStep ? periodMs : belowAt(phase, 0, periodMs), index, { _tag: "period" })
    if (gossip !== null) outside.later(belowAt(phase, 1, gossip.everyMs), index, { _tag: "gossip" })
    if (exchangeMs !== null) outside.later(belowAt(phase, 2, exchangeMs(size)), index, { _tag: "exchange" })
  }

  // ---------------------------------------------------------------------------------------------- being held up

  open(): void {
    this.blocked = false
    this.gossipHeld = false
    for (const message of this.outbox.splice(0)) this.outside.send(message)
    const probe = this.probe
    // The answer to what left only now cannot have come, and to what left before it is still among what waits to be read.
    if (probe?.held === true && probe.deadlineMs <= this.outside.nowMs()) this.failed(probe)
    else if (probe?.held === true) {
      probe.held = false
      if (!probe.asking)
        this.later(Math.min(this.parameters.timeoutMs, probe.deadlineMs - this.outside.nowMs()), {
          _tag: "timeout",
          probe: probe.number
        })
    }
    for (const message of this.inbox.splice(0)) this.read(message)
  }

  take(message: Message): void {
    if (!this.alive) return
    if (this.blocked) this.inbox.push(message)
    else this.read(message)
  }

  private send(to: number, body: Body, first: News | null = null): void {
    const room = this.parameters.newsMax - (first === null ? 0 : 1)
    const carries = body._tag !== "table" && !("tcp" in body && body.tcp)
    const taken = carries ? this.queue.take(room, this.limit) : NO_NEWS
    const message = { from: this.index, to, body, news: first === null ? taken : [first, ...taken] }
    if (this.blocked) this.outbox.push(message)
    else this.outside.send(message)
  }

  private later(ms: number, timer: Timer): void {
    this.outside.later(ms, this.index, timer)
  }

  // ---------------------------------------------------------------------------------------------- time

  ring(timer: Timer): void {
    if (!this.alive) return
    const { exchangeMs, gossip, periodMs } = this.parameters
    switch (timer._tag) {
      case "period":
        this.later(periodMs, timer)
        if (this.probe === null) this.begin()
        return
      case "gossip":
        this.later(gossip!.everyMs, timer)
        return this.spread()
      case "exchange":
        this.later(exchangeMs!(this.size), timer)
        return this.exchange()
      case "timeout":
        if (this.probe?.number === timer.probe) this.ask(this.probe)
        return
      case "deadline":
        if (this.probe?.number === timer.probe && !this.probe.held) this.failed(this.probe)
        return
      case "asked": {
        const errand = this.errands.get(timer.probe)
        this.errands.delete(timer.probe)
        if (errand !== undefined && this.parameters.healthMax > 1)
          this.send(errand.forWhom, { _tag: "nack", probe: errand.theirs })
        return
      }
      case "suspicion":
        if (this.suspicions.get(timer.subject)?.nth === timer.nth) this.bury(timer.subject)
    }
  }

  // ---------------------------------------------------------------------------------------------- probing

  private shuffle(): void {
    for (let i = this.order.length - 1; i > 0; i--) {
      const j = belowAt(this.draws.order, this.rounds * this.size + i, i + 1)
      const kept = this.order[i]!
      this.order[i] = this.order[j]!
      this.order[j] = kept
    }
    this.rounds++
  }

  private subject(): number | null {
    if (this.parameters.order === "random") return this.others(1, (member) => this.states[member] !== DEAD)[0] ?? null
    for (let tried = 0; tried < this.order.length; tried++) {
      if (this.next >= this.order.length) {
        this.shuffle()
        this.next = 0
      }
      const member = this.order[this.next++]!
      if (this.states[member] !== DEAD) return member
    }
    return null
  }

  private begin(): void {
    const subject = this.subject()
    if (subject === null) return
    const { buddy, periodMs, timeoutMs } = this.parameters
    const lastsMs = periodMs * (this.health + 1)
    const number = ++this.probes
    this.probe = {
      number,
      subject,
      deadlineMs: this.outside.nowMs() + lastsMs,
      held: this.blocked,
      asking: false,
      asked: 0,
      nacks: 0
    }
    const told = buddy && this.states[subject] === SUSPECT ? this.accusation("suspect", subject) : null
    this.send(subject, { _tag: "ping", probe: number, tcp: false }, told)
    if (!this.blocked) this.later(timeoutMs, { _tag: "timeout", probe: number })
    this.later(lastsMs, { _tag: "deadline", probe: number })
  }

  private ask(probe: Probe): void {
    probe.held = this.blocked
    probe.asking = true
    const { subject } = probe
    const helpers = this.others(
      this.parameters.indirect,
      (member) => member !== subject && this.states[member] === ALIVE
    )
    probe.asked = helpers.length
    for (const helper of helpers) this.send(helper, { _tag: "ask", probe: probe.number, subject })
    if (this.parameters.tcpProbe) this.send(subject, { _tag: "ping", probe: probe.number, tcp: true })
  }

  private answered(): void {
    this.probe = null
    this.feels(-1)
  }

  private failed(probe: Probe): void {
    this.probe = null
    // Whoever was asked and does not even say that it got no answer: perhaps it is us who hear nothing.
    this.feels(probe.asked > 0 ? probe.asked - probe.nacks : 1)
    this.suspect(this.accusation("suspect", probe.subject))
  }

  private feels(change: number): void {
    this.health = Math.max(0, Math.min(this.parameters.healthMax - 1, this.health + change))
  }

  /** Some that fit, each once, in the order of drawing. */
  private others(count: number, fits: (member: number) => boolean): ReadonlyArray<number> {
    const found: Array<number> = []
    for (let tries = 0; tries < 3 * this.size && found.length < count; tries++) {
      const member = at(this.draws.others, this.drawn++) % this.size
      if (member !== this.index && !found.includes(member) && fits(member)) found.push(member)
    }
    return found
  }

  // ---------------------------------------------------------------------------------------------- reading

  private read({ body, from, news }: Message): void {
    for (const piece of news) this.learn(piece)
    switch (body._tag) {
      case "ping":
        return this.send(from, { _tag: "ack", probe: body.probe, tcp: body.tcp })
      case "ack":
        return this.onAck(body.probe)
      case "ask": {
        const mine = ++this.probes
        this.errands.set(mine, { forWhom: from, theirs: body.probe })
        this.send(body.subject, { _tag: "ping", probe: mine, tcp: false })
        return this.later(this.parameters.timeoutMs, { _tag: "asked", probe: mine })
      }
      case "nack":
        if (this.probe?.number === body.probe) this.probe.nacks++
        return
      case "gossip":
        return
      case "table": {
        if (!body.answer) this.send(from, { _tag: "table", table: this.table(), answer: true })
        const { incarnations, states } = body.table
        for (let subject = 0; subject < this.size; subject++) {
          const state = states[subject] === ALIVE ? "alive" : "suspect"
          this.learn({ state, subject, incarnation: incarnations[subject]!, from })
        }
      }
    }
  }

  private onAck(probe: number): void {
    const errand = this.errands.get(probe)
    if (errand !== undefined) {
      this.errands.delete(probe)
      return this.send(errand.forWhom, { _tag: "ack", probe: errand.theirs, tcp: false })
    }
    if (this.probe?.number === probe && this.probe.deadlineMs > this.outside.nowMs()) this.answered()
  }

  private spread(): void {
    const { gossip, newsMax } = this.parameters
    if (this.gossipHeld || this.queue.empty) return
    const sinceMs = this.outside.nowMs() - gossip!.toTheDeadMs
    const others = this.others(
      gossip!.members,
      (member) => this.states[member] !== DEAD || this.deadSinceMs[member]! >= sinceMs
    )
    this.gossipHeld = this.blocked
    for (const to of others) {
      const news = this.queue.take(newsMax, this.limit)
      if (news.length === 0) return
      const message: Message = { from: this.index, to, body: { _tag: "gossip" }, news }
      if (this.blocked) this.outbox.push(message)
      else this.outside.send(message)
    }
  }

  private table() {
    return { states: this.states.slice(), incarnations: this.incarnations.slice() }
  }

  private exchange(): void {
    if (this.blocked) return
    const [other] = this.others(1, (member) => this.states[member] === ALIVE)
    if (other !== undefined) this.send(other, { _tag: "table", table: this.table(), answer: false })
  }

  // ---------------------------------------------------------------------------------------------- what it thinks

  private accusation(state: "suspect" | "dead", subject: number): News {
    return { state, subject, incarnation: this.incarnations[subject]!, from: this.index }
  }

  private learn(news: News): void {
    if (news.subject === this.index) return this.defend(news)
    if (news.state === "alive") return this.clear(news)
    if (news.incarnation < this.incarnations[news.subject]!) return
    if (news.state === "suspect") this.suspect(news)
    else this.mourn(news)
  }

  /** Who hears itself accused says that it lives, as a later incarnation of itself. */
  private defend({ incarnation, state }: News): void {
    const mine = this.incarnations[this.index]!
    if (state === "alive" || incarnation < mine) return
    this.incarnations[this.index] = incarnation + 1
    this.feels(1)
    this.queue.add({ state: "alive", subject: this.index, incarnation: incarnation + 1, from: this.index })
  }

  private clear(news: News): void {
    const { incarnation, subject } = news
    if (incarnation <= this.incarnations[subject]!) return
    this.incarnations[subject] = incarnation
    this.suspicions.delete(subject)
    this.queue.add(news)
    if (this.states[subject] === ALIVE) return
    this.states[subject] = ALIVE
    this.outside.says(this.index, subject, "up")
  }

  private suspect(news: News): void {
    const { from, incarnation, subject } = news
    const running = this.suspicions.get(subject)
    if (running !== undefined) {
      if (running.by.size > running.wanted || running.by.has(from)) return
      running.by.add(from)
      this.queue.add(news)
      return this.time(subject, running)
    }
    if (this.states[subject] !== ALIVE) return
    this.states[subject] = SUSPECT
    this.incarnations[subject] = incarnation
    this.queue.add(news)
    this.outside.says(this.index, subject, "suspect")
    const { confirmations, suspicionMs } = this.parameters
    // Where there are not enough others to confirm it, nobody waits for them.
    const wanted = this.size - 2 < confirmations ? 0 : confirmations
    const suspicion: Suspicion = {
      sinceMs: this.outside.nowMs(),
      leastMs: suspicionMs(this.size),
      wanted,
      by: new Set([from]),
      nth: 0
    }
    this.suspicions.set(subject, suspicion)
    this.time(subject, suspicion)
  }

  private time(subject: number, suspicion: Suspicion): void {
    const { by, leastMs, sinceMs, wanted } = suspicion
    const lastsMs = suspicionLastsMs(leastMs, leastMs * this.parameters.suspicionMaxTimes, by.size - 1, wanted)
    suspicion.nth = ++this.timers
    const leftMs = Math.max(0, sinceMs + lastsMs - this.outside.nowMs())
    this.later(leftMs, { _tag: "suspicion", subject, nth: suspicion.nth })
  }

  private bury(subject: number): void {
    this.mourn(this.accusation("dead", subject))
  }

  private mourn(news: News): void {
    const { incarnation, subject } = news
    this.suspicions.delete(subject)
    if (this.states[subject] === DEAD) return
    this.states[subject] = DEAD
    this.deadSinceMs[subject] = this.outside.nowMs()
    this.incarnations[subject] = incarnation
    this.queue.add(news)
    this.outside.says(this.index, subject, "down")
  }
}

const NO_NEWS: ReadonlyArray<News> = []
