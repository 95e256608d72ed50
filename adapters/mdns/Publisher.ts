/**
 * What we announce, through `bonjour-service`: publishing alone, and with its faults kept away from the mesh.
 *
 * Each publication is an instance of its own, because stopping one of two services of an instance unregisters both, and
 * because an instance keeps the addresses that it found when it was made. The one before is dropped without a goodbye: the
 * records that follow take the place of its own.
 *
 * Our names are unique, so there is no probing: a probe that found the name would say goodbye for its rightful owner. Who says
 * goodbye for us is contradicted within the second that others must wait.
 *
 * Promises: no call throws. Questions that are not for us, that know our answer already (RFC 6762 7.1) or come too fast are not
 * answered; shared answers wait 20 to 120 ms (RFC 6762 6).
 */
import { Bonjour } from "bonjour-service"
import type { MulticastDNS } from "multicast-dns"
import { Codec, type Source } from "./Codec.ts"
import { type Announced, hostOf, instanceOf, sameName, SERVICE, serviceOf, txtOf } from "./Records.ts"

const ALL_SERVICES = "_services._dns-sd._udp.local"
/** As bonjour-service sets it. */
const PTR_TTL_S = 28_800
const SHARED_DELAY_MIN_MS = 20
const SHARED_DELAY_MAX_MS = 120
/** Ten nodes that start at once ask some thirty questions in a second; beyond that nobody is helped by an answer. */
const ANSWERS_PER_SECOND_MAX = 50
const CONTRADICTION_GAP_MS = 1_000
/** Between the two goodbyes. */
const GOODBYE_GAP_MS = 60

interface Asked {
  readonly questions?: ReadonlyArray<{ readonly name: string; readonly type: string }> | undefined
  readonly answers?: ReadonlyArray<unknown> | undefined
}

/** Whether a query is to be answered for this service: not at all, at once, or after a moment because others answer too. */
export const answerFor = (query: Asked, service: string, host: string): "no" | "now" | "soon" => {
  const questions = query.questions ?? []
  const isShared = questions.some(({ name }) => sameName(name, SERVICE) || sameName(name, ALL_SERVICES))
  const isOurs = questions.some(({ name }) => sameName(name, service) || sameName(name, host))
  if (isOurs) return "now"
  if (!isShared) return "no"
  const knows = (query.answers ?? []).some((answer) => {
    const { data, name, ttl, type } = answer as { readonly [key: string]: unknown }
    return (
      type === "PTR" &&
      typeof name === "string" &&
      sameName(name, SERVICE) &&
      typeof data === "string" &&
      sameName(data, service) &&
      typeof ttl === "number" &&
      ttl >= PTR_TTL_S / 2
    )
  })
  const asksOnlyForService = questions.every(({ name }) => sameName(name, SERVICE))
  return knows && asksOnlyForService ? "no" : "soon"
}

interface Publication {
  readonly record: Announced
  readonly bonjour: Bonjour
  readonly codec: Codec
}

export class Publisher {
  readonly #say: (packet: Buffer) => void
  readonly #version: string
  #now: Publication | null = null
  #last: Buffer | null = null
  #trouble: string | null = null
  #second = 0
  #answers = 0
  #contradictedAt = -Infinity

  constructor(version: string, say: (packet: Buffer) => void) {
    this.#version = version
    this.#say = say
  }

  /** Why nothing is published although something should be. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** The full name of what is published. */
  get service(): string | null {
    return this.#now === null ? null : serviceOf(this.#now.record)
  }

  publish(record: Announced): void {
    const before = this.#now
    this.#now = null
    if (before !== null) this.#drop(before, instanceOf(before.record) !== instanceOf(record))
    this.#attempt(() => {
      const { port } = record
      if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${port} is no port`)
      this.#trouble = null
      const codec = new Codec(this.#send, this.#failed)
      const bonjour = new Bonjour(codec.options as object, this.#failed)
      codec.adopt((bonjour as unknown as { readonly server: { readonly mdns: MulticastDNS } }).server.mdns)
      this.#now = { record, bonjour, codec }
      bonjour.publish({
        name: instanceOf(record),
        type: "clawmesh",
        port,
        host: hostOf(record.deviceId),
        txt: txtOf(record, this.#version),
        probe: false,
        // The socket is an IPv4 one, and it would announce link-local IPv6 addresses.
        disableIPv6: true
      })
    })
  }

  /** The same again, with the addresses that we have now. */
  republish(): void {
    if (this.#now !== null) this.publish(this.#now.record)
  }

  /** A query came in. */
  asked(query: Asked, packet: Buffer, source: Source, now: number): void {
    const to = this.#now
    if (to === null) return
    const when = answerFor(query, serviceOf(to.record), hostOf(to.record.deviceId))
    if (when === "no" || !this.#mayAnswer(now)) return
    const answer = () => {
      if (this.#now === to) to.codec.take(packet, source)
    }
    if (when === "now") return answer()
    const delayMs = SHARED_DELAY_MIN_MS + Math.random() * (SHARED_DELAY_MAX_MS - SHARED_DELAY_MIN_MS)
    setTimeout(answer, delayMs).unref()
  }

  /** Somebody said goodbye for this service. */
  deniedBy(service: string, now: number): void {
    const own = this.service
    if (own === null || !sameName(own, service) || now < this.#contradictedAt + CONTRADICTION_GAP_MS) return
    this.#contradictedAt = now
    this.republish()
  }

  /** Says goodbye, twice. */
  async retire(): Promise<void> {
    const last = this.#now
    this.#now = null
    if (last === null) return
    this.#last = null
    this.#drop(last, true)
    const goodbye = this.#last
    await new Promise((resolve) => setTimeout(resolve, GOODBYE_GAP_MS))
    if (goodbye !== null) this.#say(goodbye)
  }

  #drop({ bonjour, codec }: Publication, withGoodbye: boolean): void {
    this.#attempt(() => {
      if (withGoodbye) bonjour.unpublishAll(() => {})
    })
    this.#attempt(() => bonjour.destroy(() => {}))
    codec.close()
  }

  #mayAnswer(now: number): boolean {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#answers = 0
    }
    return ++this.#answers <= ANSWERS_PER_SECOND_MAX
  }

  #attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#failed(error)
    }
  }

  readonly #send = (packet: Buffer): void => {
    this.#last = packet
    this.#say(packet)
    this.#trouble = null
  }

  readonly #failed = (error: unknown): void => {
    this.#trouble = `cannot publish: ${error instanceof Error ? error.message : String(error)}`
  }
}
