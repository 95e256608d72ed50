/**
 * Strangers who hold a node's door: each comes half of the way in and no further, and comes again as soon as the node has ended
 * it. What is kept of each: how long the node suffered it, and the close code that it was ended with.
 */
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import type { Insider, Line } from "./Insider.ts"

export interface Life {
  readonly way: Way
  readonly ms: number
  /** `null`: it ended below the WebSocket. */
  readonly code: number | null
}

interface Caller {
  /** Resolves when the node, or the caller itself, has ended it; with the close code. */
  readonly ended: Promise<number | null>
  readonly destroy: () => void
}

/** Before a caller comes again: a siege is to hold the door, not the processor. */
const PAUSE_MS = 500

const quiet = (): void => {}

/** Of a socket that is read, so that its end is seen. */
const endOf = (socket: Socket): Promise<null> =>
  new Promise((end) => {
    socket.on("error", quiet)
    socket.resume()
    socket.once("close", () => end(null))
  })

const raw = (port: number, bytes?: Buffer | string): Caller => {
  const socket = connect(port, "127.0.0.1")
  if (bytes !== undefined) socket.write(bytes)
  return { ended: endOf(socket), destroy: () => socket.destroy() }
}

const overLine = (open: Promise<Line>, then: (line: Line) => Promise<void>): Caller => {
  let line: Line | null = null
  let given = false
  const ended = open.then(
    async (opened) => {
      line = opened
      if (given) opened.hangup()
      await then(opened).catch(quiet)
      return opened.ended
    },
    () => null
  )
  const destroy = (): void => {
    given = true
    line?.hangup()
  }
  return { ended, destroy }
}

/** The beginning of a TLS record of 512 bytes that holds a ClientHello, and no more of it. */
const helloCut = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])
const upgradeCut = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgra"

/** How far they come. All but the last wait there until the node has had enough. */
export const ways = {
  "TCP only": (port: number) => raw(port),
  "TLS hello cut": (port: number) => raw(port, helloCut),
  "upgrade cut": (port: number) => raw(port, upgradeCut),
  "upgrade cut inside TLS": (port: number): Caller => {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
    socket.once("secureConnect", () => socket.write(upgradeCut))
    return { ended: endOf(socket), destroy: () => socket.destroy() }
  },
  "upgraded, silent": (port: number, as: Insider) => overLine(as.dial(port), async () => {}),
  "challenge asked, no login": (port: number, as: Insider) =>
    overLine(as.dial(port), async (line) => void (await line.challenge())),
  // Without TLS, because Node can reset no other socket.
  "login sent, reset": (port: number, as: Insider) =>
    overLine(as.dial(port, "plain"), async (line) => {
      const serverNonce = await line.challenge()
      const hello = as.hello({
        direction: "client",
        audience: "0".repeat(64),
        meshId: "m",
        meshKey: "k",
        clientNonce: serverNonce,
        serverNonce,
        exporter: line.exporter
      })
      line.send({ type: "req", id: "1", method: "mesh.connect", params: hello })
      // Once it has left: behind it comes the RST.
      setTimeout(() => line.socket.resetAndDestroy(), 5)
    })
} as const
export type Way = keyof typeof ways

export class Siege {
  readonly lives: Array<Life> = []
  private readonly port: number
  private readonly as: Insider
  private readonly callers = new Set<Caller>()
  private readonly posts: Array<Promise<void>> = []
  private over = false

  /** @param each so many of each way stand before the port at any time */
  constructor(port: number, as: Insider, each: number, only: ReadonlyArray<Way> = Object.keys(ways) as Array<Way>) {
    this.port = port
    this.as = as
    for (const way of only) for (let n = 0; n < each; n++) this.posts.push(this.post(way))
  }

  private async post(way: Way): Promise<void> {
    while (!this.over) {
      const since = performance.now()
      const caller = ways[way](this.port, this.as)
      this.callers.add(caller)
      const code = await caller.ended
      this.callers.delete(caller)
      this.lives.push({ way, ms: performance.now() - since, code })
      await new Promise((again) => setTimeout(again, PAUSE_MS))
    }
  }

  of(way: Way): ReadonlyArray<Life> {
    return this.lives.filter((life) => life.way === way)
  }

  /** Nobody comes again; resolves when the node has ended the last of those who are still there. */
  async lift(): Promise<void> {
    this.over = true
    await Promise.all(this.posts)
  }

  /** Nobody comes again, and those who are there go. */
  abandon(): void {
    this.over = true
    for (const caller of this.callers) caller.destroy()
  }
}
