/**
 * Multicast datagrams for mDNS: one IPv4 socket on 224.0.0.251, heard and sent by every interface.
 *
 * Promises: no call throws and nothing is emitted that nobody hears. What fails is said by `trouble`, in words; a socket that
 * is of no use any more says so by `broken`, once, and the caller opens another.
 *
 * `multicast-dns` could open the socket itself, but joins an interface only once by its address (an interface that is made
 * anew stays deaf), sends by one interface alone, and reads the list of interfaces in a timer where a failure ends the process.
 *
 * Not modelled: IPv6 multicast, unicast answers.
 */
import { createSocket, type Socket } from "node:dgram"
import type { Source } from "./Codec.ts"

export const MDNS_PORT = 5353
/** The trouble of an air that has had none yet, and carried nothing either. */
export const STARTING = "starting"
const GROUP = "224.0.0.251"
const TTL = 255
/** The air's own loop brings back what we say. When that many packets in a row did not come within this time, we are deaf. */
const UNHEARD_MAX = 3
const UNHEARD_MAX_MS = 10_000

export interface Air {
  /** To everybody on every interface that is joined. */
  readonly say: (packet: Uint8Array) => void
  /** Join, and join again, the interfaces with these addresses; send by these and no others. */
  readonly join: (addresses: ReadonlyArray<string>) => void
  /** Why this air carries nothing; `null`: what we said came back to us. */
  readonly trouble: () => string | null
  /** Done when the socket is gone. */
  readonly close: () => Promise<void>
}

export interface Ears {
  readonly open: () => void
  readonly heard: (packet: Buffer, source: Source) => void
  readonly broken: () => void
}

export type OpenAir = (ears: Ears, port: number) => Air

const codeOf = (error: unknown): string => {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  return String(code ?? message ?? error)
}

const bindTrouble = (error: unknown, port: number): string =>
  codeOf(error) === "EADDRINUSE" ? `port ${port} in use` : `no socket on port ${port}: ${codeOf(error)}`

export const openAir: OpenAir = (ears, port) => {
  let trouble: string | null = STARTING
  let isOpen = false
  let isOver = false
  let joined: ReadonlyArray<string> = []
  let said: Uint8Array = new Uint8Array()
  let unheard = 0
  let unheardSince = 0
  let socket: Socket | null = null

  const end = (why: string) => {
    if (isOver) return
    trouble = why
    isOver = true
    isOpen = false
    try {
      socket?.close()
    } catch {
      // It was not open.
    }
    ears.broken()
  }

  const sendBy = (address: string, packet: Uint8Array, done: (error: unknown) => void) => {
    try {
      // Set anew for each packet: what it names is the interface that has the address now.
      socket?.setMulticastInterface(address)
      socket?.send(packet, port, GROUP, done)
    } catch (error) {
      done(error)
    }
  }

  const say = (packet: Uint8Array) => {
    if (!isOpen || joined.length === 0) return
    const to = joined
    let left = to.length
    let failed = 0
    said = packet
    if (unheard++ === 0) unheardSince = performance.now()
    for (const address of to)
      sendBy(address, packet, (error) => {
        left--
        if (error !== null && error !== undefined) failed++
        if (left > 0 || isOver) return
        if (failed === to.length) {
          trouble = `no multicast: ${codeOf(error)}`
          unheard = 0
        } else if (unheard > UNHEARD_MAX && performance.now() - unheardSince > UNHEARD_MAX_MS)
          end("no multicast: what we send does not come back to us")
      })
  }

  const join = (addresses: ReadonlyArray<string>) => {
    if (!isOpen) return
    joined = addresses
    if (addresses.length === 0) trouble = "no network: no interface has an IPv4 address"
    let failed = 0
    for (const address of addresses)
      try {
        socket?.addMembership(GROUP, address)
      } catch (error) {
        const code = codeOf(error)
        // EADDRINUSE: joined already. ENOBUFS: the socket's list is full of interfaces that are gone.
        if (code === "ENOBUFS") return end("no multicast: ENOBUFS")
        // One of many may be a tunnel that knows no multicast.
        if (code !== "EADDRINUSE" && ++failed === addresses.length) trouble = `no multicast: ${code}`
      }
  }

  const open = () => {
    if (isOver) return
    try {
      // Addresses here are literal; answering at once keeps a packet on the interface that was set just before.
      const lookup = (host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
        done(null, host, 4)
      const opened = createSocket({ type: "udp4", reuseAddr: true, lookup: lookup as never })
      socket = opened
      opened.on("error", (error) => end(isOpen ? `no multicast: ${codeOf(error)}` : bindTrouble(error, port)))
      opened.on("message", (packet, { address, port }) => {
        if (isOver) return
        if (packet.equals(said)) {
          unheard = 0
          trouble = null
        }
        ears.heard(packet, { address, port })
      })
      opened.bind({ port, address: "0.0.0.0" }, () => {
        if (isOver) return
        try {
          opened.setMulticastTTL(TTL)
          opened.setMulticastLoopback(true)
        } catch (error) {
          return end(`no multicast: ${codeOf(error)}`)
        }
        isOpen = true
        ears.open()
      })
    } catch (error) {
      end(bindTrouble(error, port))
    }
  }
  // With such a lookup, binding is over before `bind` returns: nobody is told before they have what they are told about.
  queueMicrotask(open)

  return {
    say,
    join,
    trouble: () => trouble,
    close: () =>
      new Promise((resolve) => {
        if (isOver || socket === null) return resolve()
        isOver = true
        isOpen = false
        try {
          socket.close(() => resolve())
        } catch {
          resolve()
        }
      })
  }
}
