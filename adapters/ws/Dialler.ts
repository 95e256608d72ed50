/**
 * Opening connections: TCP, with `wss:` TLS 1.3 and the pin, then the WebSocket upgrade, all within one limit.
 *
 * Promises: over `wss:` no application data is written before the far end's certificate has shown who it is. Each dial ends in
 * one `LinkUp` or one `DialFailed`; a cancelled one in neither. `refused` is said only where nobody listens on the port, because
 * the kernel takes it as proof that a program is gone; whoever accepts and then hangs up is `unreachable`.
 *
 * Through a relay (`relay:<relay id>`) the same runs inside a tunnel, which somebody else opens.
 *
 * Does not hide who dials: in TLS 1.3 the client's certificate goes out, encrypted, before its owner may look at the server's.
 */
import type { X509Certificate } from "node:crypto"
import * as net from "node:net"
import type { Duplex } from "node:stream"
import * as tls from "node:tls"
import { WebSocket } from "ws"
import type { Happened } from "../../kernel/Input.ts"
import { parse, render } from "../../kernel/links/Address.ts"
import { relayOf } from "../../kernel/links/Tunnel.ts"
import type { Credentials } from "../tls/Certificate.ts"
import { isPinned, NO_AUTHORITIES } from "../tls/Pin.ts"
import { CHALLENGE_HEADER, nonce, webSocketOptions, type Connections } from "./Connections.ts"
import type { Intake } from "./Intake.ts"
import { HEADER_BYTES_MAX, type Limits } from "./Limits.ts"
import { survey } from "./Path.ts"

type FailReason = Extract<Happened, { readonly _tag: "DialFailed" }>["reason"]

/**
 * Opens a tunnel through a relay to a device, and calls back once, later: with the tunnel, or `null` where there will be none.
 * Gives how to give up, after which it does not call back.
 */
export type OpenTunnel = (relay: string, to: string, done: (tunnel: Duplex | null) => void) => () => void

/** A name for HTTP's sake: inside a tunnel there is nobody else to tell apart. */
const INSIDE = "wss://tunnel.invalid/"

interface Dial {
  readonly attempt: number
  readonly destroy: () => void
  readonly limit: NodeJS.Timeout
}

/** Every code in an error: a name with several addresses fails with one for each. */
const codesOf = (error: unknown): ReadonlyArray<string> => {
  if (error instanceof AggregateError) return error.errors.flatMap(codesOf)
  return error instanceof Error && "code" in error && typeof error.code === "string" ? [error.code] : []
}

/** @param stage how far the dial had come */
const reasonOf = (error: unknown, stage: "tcp" | "tls" | "upgrade"): FailReason => {
  const codes = codesOf(error)
  if (codes.includes("ECONNREFUSED")) return "refused"
  if (codes.includes("ETIMEDOUT")) return "timeout"
  if (stage === "tls" && codes.some((code) => code.startsWith("ERR_SSL_"))) return "no tls"
  return "unreachable"
}

export class Dialler {
  private readonly dials = new Map<number, Dial>()
  private readonly context: tls.SecureContext
  private readonly connections: Connections
  private readonly intake: Intake
  private readonly limits: Limits
  private readonly openTunnel: OpenTunnel | undefined
  private stopped = false

  constructor(
    credentials: Credentials,
    connections: Connections,
    intake: Intake,
    limits: Limits,
    openTunnel: OpenTunnel | undefined
  ) {
    const { certificate, key } = credentials
    this.context = tls.createSecureContext({ key, cert: certificate, ca: NO_AUTHORITIES, minVersion: "TLSv1.3" })
    this.connections = connections
    this.intake = intake
    this.limits = limits
    this.openTunnel = openTunnel
  }

  dial(attempt: number, to: string, url: string, fingerprint: string | undefined): void {
    if (this.stopped) return
    const relay = relayOf(url)
    if (relay !== null) return this.dialThrough(relay, url, attempt, to)
    const address = parse(url)
    if (address._tag === "Mistake") return this.intake.offer({ _tag: "DialFailed", attempt, reason: "unreachable" })
    const { host, port, scheme } = address
    const socket =
      scheme === "ws"
        ? net.connect({ host, port, noDelay: true })
        : tls.connect({ host, port, secureContext: this.context, minVersion: "TLSv1.3", rejectUnauthorized: false })
    const limit = setTimeout(() => this.fail(dial, "timeout"), this.limits.openingMs)
    const dial: Dial = { attempt, destroy: () => socket.destroy(), limit }
    this.dials.set(attempt, dial)
    let stage: "tcp" | "tls" | "upgrade" = "tcp"
    // For as long as the socket lives: an error without a listener would end the process.
    socket.on("error", (error) => this.fail(dial, reasonOf(error, stage)))
    socket.once("close", () => this.fail(dial, "unreachable"))
    socket.once("connect", () => {
      stage = scheme === "ws" ? "upgrade" : "tls"
      if (scheme === "ws") this.upgrade(dial, socket, render(address))
    })
    if (!(socket instanceof tls.TLSSocket)) return
    socket.setNoDelay(true)
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined || !isPinned(certificate, to, fingerprint)) return this.fail(dial, "pin mismatch")
      stage = "upgrade"
      this.upgrade(dial, socket, render(address), certificate)
    })
  }

  private dialThrough(relay: string, via: string, attempt: number, to: string): void {
    const { openTunnel } = this
    if (openTunnel === undefined) return this.intake.offer({ _tag: "DialFailed", attempt, reason: "unreachable" })
    let destroy = openTunnel(relay, to, (tunnel) => {
      if (tunnel === null) return this.fail(dial, "unreachable")
      const socket = tls.connect({
        socket: tunnel,
        secureContext: this.context,
        minVersion: "TLSv1.3",
        rejectUnauthorized: false
      })
      destroy = () => {
        socket.destroy()
        tunnel.destroy()
      }
      // Whatever breaks in here the relay may have done: it says nothing of the device, also not that it speaks no TLS.
      socket.on("error", () => {
        this.fail(dial, "unreachable")
        tunnel.destroy()
      })
      tunnel.on("error", () => socket.destroy())
      tunnel.once("close", () => {
        this.fail(dial, "unreachable")
        socket.destroy()
      })
      socket.once("close", () => tunnel.destroy())
      socket.once("secureConnect", () => {
        const certificate = socket.getPeerX509Certificate()
        if (certificate === undefined || !isPinned(certificate, to, undefined)) return this.fail(dial, "pin mismatch")
        this.upgrade(dial, socket, INSIDE, certificate, via)
      })
    })
    const limit = setTimeout(() => this.fail(dial, "timeout"), this.limits.openingMs)
    const dial: Dial = { attempt, destroy: () => destroy(), limit }
    this.dials.set(attempt, dial)
  }

  private upgrade(dial: Dial, socket: net.Socket, url: string, certificate?: X509Certificate, via?: string): void {
    const { attempt } = dial
    if (this.dials.get(attempt) !== dial) return
    const ws = new WebSocket(url, {
      ...webSocketOptions(this.limits),
      maxHeaderSize: HEADER_BYTES_MAX,
      createConnection: () => socket
    })
    ws.on("error", (error) => this.fail(dial, reasonOf(error, "upgrade")))
    let challenge: string | undefined
    ws.once("upgrade", ({ headers }) => {
      const stated = headers[CHALLENGE_HEADER]
      if (typeof stated === "string") challenge = stated
    })
    ws.once("open", () => {
      const surveyed = survey(socket, certificate, via)
      if (surveyed === null || !this.settle(dial)) return ws.terminate()
      const opened = { attempt, nonce: nonce(), ...(challenge === undefined ? {} : { challenge }) }
      this.connections.open(ws, socket, surveyed, opened)
    })
  }

  /** Whether it was still under way. */
  private settle(dial: Dial): boolean {
    if (this.dials.get(dial.attempt) !== dial) return false
    clearTimeout(dial.limit)
    return this.dials.delete(dial.attempt)
  }

  private fail(dial: Dial, reason: FailReason): void {
    if (!this.settle(dial)) return
    dial.destroy()
    this.intake.offer({ _tag: "DialFailed", attempt: dial.attempt, reason })
  }

  cancel(attempt: number): void {
    const dial = this.dials.get(attempt)
    if (dial !== undefined && this.settle(dial)) dial.destroy()
  }

  /** Gives up every dial, unseen, and begins no other. */
  stop(): void {
    this.stopped = true
    for (const attempt of this.dials.keys()) this.cancel(attempt)
  }
}
