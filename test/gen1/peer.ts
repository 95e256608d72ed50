/**
 * A device of generation 1 as a program, on `ws` and node:crypto alone: nothing of our protocol code is in it, so that both can be
 * wrong in different ways. It dials and is dialled, and is strict: the first thing that it is sent and that the original would not
 * understand, or that breaks a rule of the wire, it prints as a violation, and ends with exit code 3.
 *
 * `node test/gen1/peer.ts '<Orders as JSON>'`; what happens is one JSON object a line on standard output. SIGTERM: it says
 * goodbye and ends. Its 90 s without an event are `quietMs`, so that a test need not wait for them.
 *
 * Does not model: what the original does with context frames and proposals, for nobody sends it any yet.
 */
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from "node:crypto"
import { WebSocket, WebSocketServer } from "ws"

export interface Orders {
  /** 32 bytes, hex. */
  readonly seed: string
  readonly role: string
  readonly meshId: string
  readonly port: number
  readonly dials: ReadonlyArray<{ readonly deviceId: string; readonly url: string }>
  /** Role by device id. */
  readonly trusted: { readonly [deviceId: string]: string }
  readonly quietMs: number
  readonly lookMs: number
}

export type Told =
  | { readonly is: "ready"; readonly deviceId: string }
  | { readonly is: "up" | "down"; readonly peer: string; readonly dialled: boolean; readonly why?: string }
  | { readonly is: "event"; readonly peer: string; readonly dialled: boolean; readonly name: string }
  | { readonly is: "status"; readonly peer: string; readonly leader: string | null }
  | { readonly is: "violation"; readonly what: string }

type Json = { readonly [key: string]: unknown }

const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex")
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex")
const KEY_BYTES = 32
const NONCE_BYTES = 24
const CLOCK_WINDOW_MS = 300_000
const BUDGET = 100
const BUDGET_MS = 60_000
const BYTES_MAX = 1_048_576
const REDIAL_MS = 300

const privateKeyOf = (seed: string): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, Buffer.from(seed, "hex")]), format: "der", type: "pkcs8" })

const rawKeyOf = (key: KeyObject): Buffer =>
  createPublicKey(key).export({ format: "der", type: "spki" }).subarray(SPKI_PREFIX.length)

const hashOf = (raw: Buffer): string => createHash("sha256").update(raw).digest("hex")

/** The id of the device with this seed. */
export const deviceIdOf = (seed: string): string => hashOf(rawKeyOf(privateKeyOf(seed)))

const tell = (told: Told): void => void process.stdout.write(`${JSON.stringify(told)}\n`)

const violation = (what: string): never => {
  // Before the end, and whole: the test reads it from a pipe.
  process.stdout.write(`${JSON.stringify({ is: "violation", what } satisfies Told)}\n`, () => process.exit(3))
  throw new Error(what)
}

const must = (holds: boolean, what: string): void => {
  if (!holds) violation(what)
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Absent is absent, never null, anywhere. */
const withoutNull = (value: unknown, path: string): void => {
  must(value !== null, `null at ${path}`)
  if (typeof value !== "object" || value === null) return
  for (const [key, inner] of Object.entries(value)) withoutNull(inner, `${path}.${key}`)
}

const keysAre = (value: Json, required: ReadonlyArray<string>, what: string): void =>
  must(
    Object.keys(value).sort().join() === [...required].sort().join(),
    `${what} has the members ${Object.keys(value).join()}`
  )

const text = (value: unknown, what: string): string => {
  must(typeof value === "string" && value !== "", `${what} is no text: ${JSON.stringify(value)}`)
  return value as string
}

/** Raw bytes as base64url without padding, in their one form. */
const bytes = (value: unknown, length: number, what: string): Buffer => {
  const raw = Buffer.from(text(value, what), "base64url")
  must(raw.length === length && raw.toString("base64url") === value, `${what} is not ${length} bytes of base64url`)
  return raw
}

class Device {
  readonly orders: Orders
  readonly key: KeyObject
  readonly raw: Buffer
  readonly deviceId: string
  readonly lines = new Set<Line>()
  leaving = false

  constructor(orders: Orders) {
    this.orders = orders
    this.key = privateKeyOf(orders.seed)
    this.raw = rawKeyOf(this.key)
    this.deviceId = hashOf(this.raw)
  }

  listen(): void {
    const server = new WebSocketServer({ host: "127.0.0.1", port: this.orders.port, perMessageDeflate: false })
    server.on("connection", (ws) => this.lines.add(new Line(this, ws, null)))
    server.on("listening", () => tell({ is: "ready", deviceId: this.deviceId }))
  }

  dial(target: Orders["dials"][number]): void {
    if (this.leaving) return
    const ws = new WebSocket(target.url, { perMessageDeflate: false })
    const again = (): void => void setTimeout(() => this.dial(target), REDIAL_MS)
    ws.on("error", () => {})
    ws.once("close", again)
    ws.once("open", () => {
      const line = new Line(this, ws, target.deviceId)
      this.lines.add(line)
      line.ask("mesh.challenge", {})
    })
  }

  /** What it says of itself, signed over the nonce of the other end. */
  words(nonce: string) {
    const { meshId, role } = this.orders
    const signedAtMs = Date.now()
    const payload = ["mesh.connect", "v2", this.deviceId, String(signedAtMs), nonce, meshId, role]
      .map((part, place) => (place < 2 ? part : encodeURIComponent(part)))
      .join("|")
    const signature = sign(null, Buffer.from(payload), this.key).toString("base64url")
    const publicKey = this.raw.toString("base64url")
    return {
      deviceId: this.deviceId,
      publicKey,
      signature,
      signedAtMs,
      displayName: "old",
      capabilities: [],
      meshId,
      role
    }
  }

  /** What the other end says of itself, checked as the original does, and more strictly. */
  check(said: Json, nonce: string): string {
    const raw = bytes(said["publicKey"], KEY_BYTES, "publicKey")
    const deviceId = text(said["deviceId"], "deviceId")
    must(hashOf(raw) === deviceId, "deviceId is not the hash of the key")
    const { [deviceId]: role } = this.orders.trusted
    must(role !== undefined, `${deviceId} is nobody that it trusts`)
    const signedAtMs = said["signedAtMs"]
    must(Number.isSafeInteger(signedAtMs), "signedAtMs is no whole number")
    must(Math.abs(Date.now() - (signedAtMs as number)) <= CLOCK_WINDOW_MS, "signedAtMs is too far off")
    const parts = [deviceId, String(signedAtMs), nonce, said["meshId"] ?? "", said["role"] ?? ""]
    const payload = ["mesh.connect", "v2", ...parts.map((part) => encodeURIComponent(String(part)))].join("|")
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" })
    const signature = bytes(said["signature"], 64, "signature")
    must(verify(null, Buffer.from(payload), key, signature), "the signature does not fit")
    must(said["meshId"] === this.orders.meshId, `meshId is ${String(said["meshId"])}`)
    must((said["role"] ?? "node") === role, `role is ${String(said["role"])}`)
    return deviceId
  }

  look(): void {
    for (const line of this.lines) line.look()
  }

  leave(): void {
    this.leaving = true
    for (const line of this.lines) line.leave()
    setTimeout(() => process.exit(0), 100)
  }
}

class Line {
  private readonly device: Device
  private readonly ws: WebSocket
  private readonly expected: string | null
  private readonly nonce = randomBytes(NONCE_BYTES).toString("base64url")
  private peer: string | null = null
  private theirNonce = ""
  private asked = 0
  private knowsLeader = false
  private eventAt = Date.now()
  private readonly awaited = new Map<string, string>()
  /** When the messages of the last minute came. */
  private came: Array<number> = []

  constructor(device: Device, ws: WebSocket, expected: string | null) {
    this.device = device
    this.ws = ws
    this.expected = expected
    must(ws.extensions === "", `extensions of the WebSocket: ${ws.extensions}`)
    ws.on("message", (data, isBinary) => this.message(data as Buffer, isBinary))
    ws.on("error", () => {})
    ws.on("close", (code) => this.over(`closed ${code}`))
  }

  private get dialled(): boolean {
    return this.expected !== null
  }

  private send(value: unknown): void {
    this.ws.send(JSON.stringify(value))
  }

  ask(method: string, params: unknown): void {
    const id = String(++this.asked)
    this.awaited.set(id, method)
    this.send({ type: "req", id, method, params })
  }

  private over(why: string): void {
    if (!this.device.lines.delete(this) || this.peer === null) return
    tell({ is: "down", peer: this.peer, dialled: this.dialled, why })
  }

  private end(why: string): void {
    this.over(why)
    this.ws.close(1000)
  }

  private up(peer: string): void {
    this.peer = peer
    this.eventAt = Date.now()
    // The newest session wins.
    for (const other of this.device.lines) if (other !== this && other.peer === peer) other.end("a newer session")
    tell({ is: "up", peer, dialled: this.dialled })
    if (this.dialled) this.ask("context.sync", { since: 0, limit: 100 })
  }

  /**
   * It asks who leads until it is told: what comes right behind its own answer to a login may find that answer still unchecked, and
   * is not looked at then (P5.10). As a dialler it gives a link up on which it sees no events.
   */
  look(): void {
    if (this.peer === null) return
    if (!this.knowsLeader) this.ask("mesh.status", {})
    if (!this.dialled) return
    if (Date.now() - this.eventAt >= this.device.orders.quietMs) this.end("no events")
  }

  leave(): void {
    const { deviceId } = this.device
    if (this.peer !== null)
      this.send({ type: "event", event: "peer.leaving", payload: { gen: 1, deviceId, timestamp: Date.now() } })
    this.ws.close(1000)
  }

  private message(data: Buffer, isBinary: boolean): void {
    const now = Date.now()
    must(!isBinary, "a binary message")
    must(data.length <= BYTES_MAX, `a message of ${data.length} bytes`)
    let value: unknown
    try {
      value = JSON.parse(data.toString("utf8"))
    } catch {
      violation(`no JSON: ${data.toString("utf8").slice(0, 100)}`)
    }
    if (!isObject(value)) return violation("a message that is no object")
    withoutNull(value, "message")
    if (!this.dialled) {
      this.came = [...this.came.filter((at) => at > now - BUDGET_MS), now]
      must(this.came.length <= BUDGET, `more than ${BUDGET} messages within a minute`)
    }
    switch (value["type"]) {
      case "req":
        return this.request(value)
      case "res":
        return this.answer(value)
      case "event":
        return this.event(value)
      default:
        violation(`a message of the type ${String(value["type"])}`)
    }
  }

  private request(value: Json): void {
    keysAre(value, ["type", "id", "method", "params"], "a request")
    const id = text(value["id"], "id")
    const method = text(value["method"], "method")
    must(!this.dialled, `asked for ${method}, where it dialled`)
    const { params } = value
    if (!isObject(params)) return violation("params are no object")
    if (this.peer !== null) return violation(`asked for ${method} on a session`)
    if (method === "mesh.challenge") return this.send({ type: "res", id, ok: true, payload: { nonce: this.nonce } })
    must(method === "mesh.connect", `asked for ${method} before the handshake`)
    must(params["version"] === 2, "version is not 2")
    must(params["nonce"] === this.nonce, "its nonce is another")
    bytes(params["clientNonce"], NONCE_BYTES, "clientNonce")
    const peer = this.device.check(params, this.nonce)
    const payload = { ...this.device.words(text(params["clientNonce"], "clientNonce")), nonce: params["clientNonce"] }
    this.send({ type: "res", id, ok: true, payload })
    this.up(peer)
  }

  private answer(value: Json): void {
    const id = text(value["id"], "id")
    const method = this.awaited.get(id)
    if (method === undefined) return violation(`an answer to ${id}, which it did not ask`)
    this.awaited.delete(id)
    if (value["ok"] === false) {
      keysAre(value, ["type", "id", "ok", "error"], "a refusal")
      const error = value["error"]
      if (!isObject(error)) return violation("an error that is no object")
      keysAre(error, ["code", "message"], "an error")
      // Whoever does not trust it yet, or does not serve a method, says so; anything else would be wrong.
      const code = text(error["code"], "code")
      const codes = ["UNTRUSTED_PEER", "UNKNOWN_METHOD", "RATE_LIMITED"]
      // A sensor or an actuator gives what it has to say, and gets nothing of others.
      if (method === "context.sync") codes.push("NOT_AUTHORIZED")
      must(codes.includes(code), `${method} was refused: ${code}`)
      return
    }
    keysAre(value, ["type", "id", "ok", "payload"], "an answer")
    const { payload } = value
    if (!isObject(payload)) return violation("a payload that is no object")
    if (method === "mesh.challenge") {
      bytes(payload["nonce"], NONCE_BYTES, "nonce")
      this.theirNonce = text(payload["nonce"], "nonce")
      return this.ask("mesh.connect", {
        version: 2,
        ...this.device.words(this.theirNonce),
        nonce: this.theirNonce,
        clientNonce: this.nonce
      })
    }
    if (method === "mesh.connect") {
      must(payload["nonce"] === this.nonce, "the answer is over another nonce")
      const peer = this.device.check(payload, this.nonce)
      must(peer === this.expected, "another device answered")
      return this.up(peer)
    }
    if (method !== "mesh.status") return
    const activity = payload["plannerActivity"]
    const leader = isObject(activity) && isObject(activity["leader"]) ? activity["leader"] : null
    if (leader === null) return violation("a status without a leader")
    this.knowsLeader = true
    tell({
      is: "status",
      peer: this.peer ?? "",
      leader: typeof leader["deviceId"] === "string" ? leader["deviceId"] : null
    })
  }

  private event(value: Json): void {
    keysAre(value, ["type", "event", "payload"], "an event")
    const name = text(value["event"], "event")
    const { payload } = value
    if (!isObject(payload)) return violation(`the payload of ${name} is no object`)
    if (this.peer === null) return violation(`${name} before the handshake`)
    must(!name.startsWith("mesh."), `${name}, which is between kernel peers`)
    must(name !== "peer.down", "peer.down, which would make it drop a healthy peer")
    must((payload["gen"] ?? 1) === 1, `${name} of generation ${String(payload["gen"])}`)
    this.eventAt = Date.now()
    tell({ is: "event", peer: this.peer, dialled: this.dialled, name })
    if (name !== "peer.leaving") return
    keysAre(payload, ["gen", "deviceId", "timestamp"], "peer.leaving")
    if (this.dialled && payload["deviceId"] === this.peer) this.end("leaving")
  }
}

const [, program, orders] = process.argv
if (program === import.meta.filename && orders !== undefined) {
  const device = new Device(JSON.parse(orders) as Orders)
  process.on("SIGTERM", () => device.leave())
  device.listen()
  for (const target of device.orders.dials) device.dial(target)
  setInterval(() => device.look(), device.orders.lookMs)
}
