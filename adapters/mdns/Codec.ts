/**
 * A place for libraries that speak mDNS over a socket: they get something that looks like one, with no network behind it.
 *
 * Promises: whatever a library does with what came in, nothing is thrown at the caller. Whatever it sends is encoded at once,
 * where a failure can be caught, and comes out through `said`; it is told that all went well. So no failure of the network
 * reaches the library, none of its failures reaches the node, and neither do those in timers of its own, for all that they do
 * is to send.
 */
import { EventEmitter } from "node:events"
import { encode, type Packet } from "dns-packet"
import multicastDns, { type MulticastDNS, type Options } from "multicast-dns"

export interface Source {
  readonly address: string
  readonly port: number
}

/** Of a datagram socket, what `multicast-dns` uses when it need neither bind nor join. */
class Outlet extends EventEmitter {
  isClosed = false

  close(done?: () => void): void {
    this.isClosed = true
    this.removeAllListeners()
    done?.()
  }
}

type Done = (error: null) => void

/**
 * What we answer about ourselves is all there is: whoever hears it forgets what was true before (RFC 6762 10.2). The libraries never
 * say so. Of services there are others, a goodbye takes one record back, and a question says only what it knows (RFC 6762 7.1).
 */
const complete = (packet: Packet): Packet => {
  if (packet.type !== "response") return packet
  const marked = (records: Packet["answers"]): Packet["answers"] =>
    records?.map((record) =>
      record.type === "PTR" || (record as { readonly ttl?: number }).ttl === 0 ? record : { ...record, flush: true }
    )
  return { ...packet, answers: marked(packet.answers), additionals: marked(packet.additionals) } as Packet
}

export class Codec {
  readonly #outlet = new Outlet()
  readonly #said: (packet: Buffer) => void
  readonly #failed: (error: unknown) => void

  constructor(said: (packet: Buffer) => void, failed: (error: unknown) => void) {
    this.#said = said
    this.#failed = failed
  }

  /** With these a library leaves socket, binding and joining to us. */
  get options(): Options {
    const socket = this.#outlet as unknown as NonNullable<Options["socket"]>
    return { socket, bind: false, multicast: false }
  }

  /** Takes over the sending of an instance that was made with `options`. */
  adopt(dns: MulticastDNS): MulticastDNS {
    const send = (packet: Packet, to?: unknown, done?: Done): void => {
      this.#say(packet)
      const told = typeof to === "function" ? (to as Done) : done
      told?.(null)
    }
    // `query` and `respond` both go through it; without it, they encode in a later tick, where a failure ends the process.
    dns.on("error", this.#failed)
    return Object.assign(dns, { send })
  }

  make(): MulticastDNS {
    return this.adopt(multicastDns(this.options))
  }

  /** A packet came in. What is no DNS packet is passed over. */
  take(packet: Buffer, source: Source): void {
    try {
      this.#outlet.emit("message", packet, source)
    } catch (error) {
      this.#failed(error)
    }
  }

  close(): void {
    this.#outlet.close()
  }

  #say(packet: Packet): void {
    if (this.#outlet.isClosed) return
    try {
      this.#said(encode(complete(packet)))
    } catch (error) {
      this.#failed(error)
    }
  }
}
