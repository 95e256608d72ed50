/**
 * Finding devices nearby over mDNS: it announces us, asks who is there, and tells what is new. What it knows of others is the
 * cache's; here is what the cache asks of the world: clock, timer, sockets, our own interfaces.
 *
 * Promises: nothing throws and nothing ends, whatever the network, its libraries or a stranger do; `running` says whether
 * discovery works and why not. A socket that broke is opened again. Work and memory are bounded: packets by address and in
 * all, news by device.
 *
 * There is no worker thread around it. A worker would cost each node some ten megabytes and a second entry in its bundle, to
 * catch what cannot get out: libraries here have no socket and no way to send but ours (`Codec`), and every entry is guarded.
 */
import type { MulticastDNS } from "multicast-dns"
import { type Interface, interfacesUp, isNeighbour } from "./Addresses.ts"
import { type Air, MDNS_PORT, type OpenAir, openAir, STARTING } from "./Air.ts"
import {
  type Cache,
  empty,
  heard,
  knownAnswers,
  type News,
  type Question,
  type Settings,
  SILENT_MAX_MS,
  type Step,
  ticked,
  wakeAt
} from "./Cache.ts"
import { Codec, type Source } from "./Codec.ts"
import { Publisher } from "./Publisher.ts"
import { type Announced, hostOf, type Packet, recordsOf, SERVICE } from "./Records.ts"

export interface Options {
  /** Our own device id. */
  readonly self: string
  /** Of the program; told to gen-1 peers. */
  readonly version: string
  readonly port?: number
  /** Only the interface with this IPv4 address, which may be loopback. */
  readonly interface?: string
  /** How long a device that fell silent stays known at most, ms; 120,000. */
  readonly silentMaxMs?: number
  readonly openAir?: OpenAir
}

const QUERY_GAP_MIN_MS = 500
const QUERY_GAP_MAX_MS = 60_000
const QUESTIONS_PER_PACKET_MAX = 8
/** Node tells nobody when an interface changes. */
const INTERFACES_EVERY_MS = 1_000
/** An interface that was made anew under its old address looks like the same, and has to be joined again. */
const JOIN_EVERY_MS = 5_000
const REOPEN_GAP_MIN_MS = 1_000
const REOPEN_GAP_MAX_MS = 60_000
/** A responder with forty services answers in as many packets; nobody needs more. */
const PACKETS_PER_SECOND_PER_SOURCE_MAX = 100
const PACKETS_PER_SECOND_MAX = 400
const TURN_GAP_MIN_MS = 10

export class Mdns {
  readonly #options: Options
  readonly #port: number
  readonly #settings: Settings
  readonly #tell: (news: News) => boolean
  readonly #publisher: Publisher
  readonly #codec: Codec
  readonly #dns: MulticastDNS
  /** News that wait until they can be told, the last of each device. */
  readonly #outbox = new Map<string, News>()
  readonly #packets = new Map<string, number>()
  #packetsInAll = 0
  #packetsSecond = 0
  #cache: Cache = empty
  #air: Air | null = null
  #current: { readonly packet: Buffer; readonly source: Source } | null = null
  #interfaces: ReadonlyArray<Interface> = []
  #interfacesAt = 0
  #joinAt = 0
  #queryAt = 0
  #queryGapMs = QUERY_GAP_MIN_MS
  #reopenAt = 0
  #reopenGapMs = REOPEN_GAP_MIN_MS
  #brokenBy: string | null = null
  #failure: string | null = null
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** `tell` says whether it took the news; what it did not take is offered again. */
  constructor(options: Options, tell: (news: News) => boolean) {
    this.#options = options
    this.#port = options.port ?? MDNS_PORT
    this.#settings = {
      self: options.self,
      silentMaxMs: options.silentMaxMs ?? SILENT_MAX_MS,
      refreshAt: 0.8 + Math.random() * 0.02
    }
    this.#tell = tell
    const say = (packet: Buffer) => this.#air?.say(packet)
    this.#publisher = new Publisher(options.version, say)
    this.#codec = new Codec(say, this.#failed)
    this.#dns = this.#codec.make()
    this.#dns.on("response", (packet) => this.#responded(packet))
    this.#dns.on("query", (packet) => {
      const { packet: bytes, source } = this.#current!
      this.#publisher.asked(packet, bytes, source, this.#now())
    })
    this.#turn()
  }

  advertise(record: Announced): void {
    if (!this.#isClosed) this.#guard(() => this.#publisher.publish(record))
  }

  get running(): { readonly runs: boolean; readonly why: string } {
    const air = this.#air === null ? this.#brokenBy : this.#air.trouble()
    const why =
      (this.#isClosed ? "stopped" : null) ??
      (air === STARTING ? (this.#brokenBy ?? air) : air) ??
      this.#publisher.trouble ??
      this.#failure
    return { runs: why === null, why: why ?? "" }
  }

  /** Says goodbye and lets go of the network. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#publisher.retire().catch(this.#failed)
    this.#codec.close()
    await this.#air?.close()
    this.#air = null
  }

  /** Everything that is due, and the alarm for what is due next. */
  #turn(): void {
    this.#guard(() => {
      const now = this.#now()
      if (this.#air?.trouble() === null) this.#brokenBy = null
      if (this.#air === null && now >= this.#reopenAt) this.#open(now)
      if (now >= this.#interfacesAt) this.#lookAtInterfaces(now)
      if (now >= this.#joinAt) this.#join(now)
      const step = ticked(this.#cache, this.#settings, now)
      this.#take(step)
      this.#ask(step.questions)
      if (now >= this.#queryAt) this.#query(now)
      this.#flush()
    })
    this.#alarm()
  }

  #alarm(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    const next = Math.min(this.#interfacesAt, this.#queryAt, wakeAt(this.#cache, this.#settings))
    this.#timer = setTimeout(() => this.#turn(), Math.max(next - this.#now(), TURN_GAP_MIN_MS))
  }

  #open(now: number): void {
    this.#reopenAt = now + this.#reopenGapMs
    this.#reopenGapMs = Math.min(this.#reopenGapMs * 2, REOPEN_GAP_MAX_MS)
    const open = this.#options.openAir ?? openAir
    const air: Air = open(
      {
        open: () =>
          this.#guard(() => {
            this.#reopenGapMs = REOPEN_GAP_MIN_MS
            this.#changed(this.#now())
            this.#alarm()
          }),
        heard: (packet, source) => this.#guard(() => this.#heard(packet, source)),
        broken: () =>
          this.#guard(() => {
            if (this.#air !== air) return
            this.#brokenBy = air.trouble()
            this.#air = null
          })
      },
      this.#port
    )
    this.#air = air
  }

  #lookAtInterfaces(now: number): void {
    this.#interfacesAt = now + INTERFACES_EVERY_MS
    const before = this.#interfaces
    this.#interfaces = interfacesUp(this.#options.interface)
    if (JSON.stringify(before) === JSON.stringify(this.#interfaces)) return
    this.#changed(now)
    const kept = new Set(this.#interfaces.map(({ address }) => address))
    const gone = before.flatMap(({ address }) => (kept.has(address) ? [] : [address]))
    if (gone.length > 0 && this.#publisher.service !== null) {
      const name = hostOf(this.#options.self)
      this.#dns.respond(gone.map((data) => ({ name, type: "A" as const, ttl: 0, data })))
    }
  }

  /** The air is another: join it, say who we are, ask who is there. */
  #changed(now: number): void {
    this.#join(now)
    this.#publisher.republish()
    this.#queryGapMs = QUERY_GAP_MIN_MS
    this.#queryAt = now
  }

  #join(now: number): void {
    this.#joinAt = now + JOIN_EVERY_MS
    this.#air?.join(this.#interfaces.map(({ address }) => address))
  }

  #query(now: number): void {
    this.#failure = null
    this.#queryAt = now + this.#queryGapMs
    this.#queryGapMs = Math.min(this.#queryGapMs * 2, QUERY_GAP_MAX_MS)
    this.#dns.query({
      questions: [{ name: SERVICE, type: "PTR" }],
      answers: knownAnswers(this.#cache, now).map(({ service, ttlSeconds }) => ({
        name: SERVICE,
        type: "PTR",
        ttl: ttlSeconds,
        data: service
      }))
    })
  }

  #ask(questions: ReadonlyArray<Question>): void {
    for (let at = 0; at < questions.length; at += QUESTIONS_PER_PACKET_MAX)
      this.#dns.query(questions.slice(at, at + QUESTIONS_PER_PACKET_MAX).map(({ name, type }) => ({ name, type })))
  }

  #heard(packet: Buffer, source: Source): void {
    const now = this.#now()
    if (this.#isClosed || source.port !== this.#port) return
    if (!isNeighbour(source.address, this.#interfaces) || !this.#mayHear(source.address, now)) return
    this.#current = { packet, source }
    this.#codec.take(packet, source)
    this.#current = null
    this.#flush()
    this.#alarm()
  }

  #responded(packet: Packet): void {
    const now = this.#now()
    this.#take(heard(this.#cache, this.#settings, packet, this.#current!.source.address, now))
    for (const { service, ttlMs } of recordsOf(packet).services) if (ttlMs === 0) this.#publisher.deniedBy(service, now)
  }

  #mayHear(source: string, now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#packetsSecond) {
      this.#packetsSecond = second
      this.#packetsInAll = 0
      this.#packets.clear()
    }
    const count = this.#packets.get(source) ?? 0
    if (this.#packetsInAll >= PACKETS_PER_SECOND_MAX || count >= PACKETS_PER_SECOND_PER_SOURCE_MAX) return false
    this.#packetsInAll++
    this.#packets.set(source, count + 1)
    return true
  }

  #take({ cache, news }: Step): void {
    this.#cache = cache
    for (const item of news) {
      this.#outbox.delete(item.deviceId)
      this.#outbox.set(item.deviceId, item)
    }
  }

  #flush(): void {
    for (const [deviceId, news] of this.#outbox) {
      if (!this.#tell(news)) return
      this.#outbox.delete(deviceId)
    }
  }

  #now(): number {
    return Math.floor(performance.now())
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#failed(error)
    }
  }

  readonly #failed = (error: unknown): void => {
    this.#failure = `mdns failed: ${error instanceof Error ? error.message : String(error)}`
  }
}
