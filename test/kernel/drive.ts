/**
 * Holds one kernel node, feeds it inputs at given instants and collects what it commands, so that a test reads: input,
 * input → commands, or → a fact of the state.
 *
 * Keys and disk answer at once, unless a test holds them back. Peers are scripted: they say what a test makes them say, signed
 * with their own keys. Device ids are one hex digit, repeated, so that their order is in their names: `a` < `b` < `c`.
 * Several real nodes together are in mesh.ts. Does not model: anything of a network.
 */
import { assert } from "@effect/vitest"
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import { u32 } from "../../kernel/Draw.ts"
import * as Durable from "../../kernel/Durable.ts"
import { connectString, goodbyeString, kernelString } from "../../kernel/identity/Handshake.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Session } from "../../kernel/links/Link.ts"
import type { Member } from "../../kernel/membership/Member.ts"
import * as Node from "../../kernel/Node.ts"
import { profiles, type Profile } from "../../kernel/Profile.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { Turn } from "../../kernel/Turn.ts"
import type { ConnectAnswer, ConnectParams, Event, Frame, Goodbye, Role } from "../../kernel/wire/Frame.ts"

/** An input without its instant: the drive stamps it. */
export type Given = Input extends infer I ? (I extends Input ? Omit<I, "at"> : never) : never

export const id = (name: string): string => name.repeat(64)
export const nameOf = (deviceId: string): string => deviceId.charAt(0)
export const keyOf = (name: string): string => `key-${name}`
export const sign = (publicKey: string, payload: string): string => u32(0, publicKey, payload, 0).toString(16)

/** Unix epoch + 1 day: what every calendar says at mono 0. */
const WALL_AT_ZERO = 86_400_000

export interface World {
  /** By name, who is in the mesh and in which role. */
  readonly roles: { readonly [name: string]: Role }
  readonly electors?: string
  readonly profile?: Profile
  /** Names of those whom it is told to be of generation 1, and who may do without the extension; everybody, if left out. */
  readonly gen1?: string
  /** Names of those who may be dialled; everybody, if left out. */
  readonly dialled?: string
}

/** Three planners' worth of a mesh: `a` and `b` may lead, `c` is a witness. */
export const three: World = { roles: { a: "planner", b: "standby-planner", c: "field" }, electors: "abc" }

export const configOf = (world: World, name: string): Config => ({
  seed: u32(1, "drive", name, 0),
  deviceId: id(name),
  publicKey: keyOf(name),
  displayName: name,
  role: world.roles[name] ?? "node",
  capabilities: [],
  meshId: "mesh",
  meshKey: "operator",
  profile: world.profile ?? profiles.lan,
  trusted: Object.keys(world.roles)
    .filter((other) => other !== name)
    .sort()
    .map((other) => ({
      deviceId: id(other),
      role: world.roles[other] ?? "node",
      gen1: (world.gen1 ?? other).includes(other),
      publicKey: null,
      address: (world.dialled ?? other).includes(other) ? other : null
    })),
  manifest: { version: 1, electors: [...(world.electors ?? "")].sort().map(id) }
})

/** A turn in which nothing has happened yet, for a room that is tested by itself. */
export const bareTurn = (config: Config, mono: number): Turn => ({
  config,
  at: { mono, wall: 0 },
  incarnation: 1,
  bootId: "boot",
  forgetful: false,
  forgotIn: 0,
  heardOf: () => 0,
  pins: [],
  world: 0,
  lateMs: 0,
  carrier: null,
  checked: null,
  out: [],
  lower: [],
  facts: [],
  admitted: null,
  orders: [],
  results: [],
  learned: [],
  readings: [],
  told: [],
  said: [],
  ledger: () => undefined,
  behind: [],
  persist: () => 0
})

/** What a scripted peer claims to be. */
export interface Face {
  readonly incarnation?: number
  readonly bootId?: string
  readonly linkCounter?: number
  /** false: it speaks generation 1 only. */
  readonly kernel?: boolean
  /** What it says, and signs, in place of what is expected. */
  readonly claims?: { readonly meshId?: string; readonly role?: string; readonly signedAtMs?: number }
  readonly hello?: { readonly meshKey?: string; readonly gen?: readonly [number, number]; readonly remembers?: number }
  /** Members of its login or answer that it replaces after signing. */
  readonly instead?: Partial<ConnectParams>
}

const bootOf = (name: string, incarnation: number): string => `boot-${name}-${incarnation}`

export class Drive {
  readonly config: Config
  readonly bootId: string
  node: Node.NodeState
  mono: number
  /** What calendars say differs by so much from everybody else's. */
  wallOffMs = 0
  /** What is on the disk. */
  durable: Durable.Durable
  /** Held back answers of the disk and of the keys, in order. */
  diskWaits = false
  keysWait = false
  readonly waiting: Array<Given> = []
  private links = 0

  constructor(config: Config, { bootId, durable = Durable.empty, mono = 0 }: DriveOptions = {}) {
    this.config = config
    this.node = Node.make(config)
    this.durable = durable
    this.mono = mono
    this.bootId = bootId ?? bootOf(nameOf(config.deviceId), durable.incarnation + 1)
  }

  /** A node that has started: its incarnation is durable, it has dialled nobody yet. */
  static up(world: World, name: string, options: DriveOptions = {}): Drive {
    const drive = new Drive(configOf(world, name), options)
    drive.start()
    return drive
  }

  start(): ReadonlyArray<Command> {
    return this.feed({ _tag: "Started", bootId: this.bootId, durable: this.durable })
  }

  get incarnation(): number {
    return this.node.incarnation
  }

  /** One step; nothing is answered. */
  step(input: Given): ReadonlyArray<Command> {
    const wall = WALL_AT_ZERO + this.mono + this.wallOffMs
    const [node, commands] = Node.step(this.node, { ...input, at: { mono: this.mono, wall } } as Input)
    this.node = node
    return commands
  }

  /** Steps, with what keys and disk answer to them; the commands that are left for the world, alarms left out. */
  feed(...inputs: ReadonlyArray<Given>): ReadonlyArray<Command> {
    const queue = [...inputs]
    const out: Array<Command> = []
    for (let input = queue.shift(); input !== undefined; input = queue.shift())
      for (const command of this.step(input)) this.perform(command, out, queue)
    return out
  }

  /** Disk and keys answer what they held back. */
  release(): ReadonlyArray<Command> {
    return this.feed(...this.waiting.splice(0))
  }

  private perform(command: Command, out: Array<Command>, queue: Array<Given>): void {
    const { publicKey } = this.config
    switch (command._tag) {
      case "SetAlarm":
        return
      case "Sign": {
        const signatures = command.payloads.map((payload) => sign(publicKey, payload))
        ;(this.keysWait ? this.waiting : queue).push({ _tag: "Signed", ticket: command.ticket, signatures })
        return
      }
      case "Check": {
        const valid = command.proofs.map((proof) => proof.signature === sign(command.publicKey, proof.payload))
        const deviceId = id(command.publicKey.slice(-1))
        ;(this.keysWait ? this.waiting : queue).push({ _tag: "Checked", ticket: command.ticket, deviceId, valid })
        return
      }
      case "Persist": {
        if (this.diskWaits) {
          out.push(command)
          return
        }
        this.durable = Durable.apply(this.durable, command.record)
        for (const then of command.then) this.perform(then, out, queue)
        queue.push({ _tag: "Stored", ticket: command.ticket })
        return
      }
      default:
        out.push(command)
    }
  }

  /** The alarm rings, `lateMs` after it was due. */
  ring(lateMs = 0): ReadonlyArray<Command> {
    assert.notStrictEqual(this.node.alarmAt, NEVER_MS, "no alarm is set")
    this.mono = Math.max(this.mono, this.node.alarmAt + lateMs)
    return this.feed({ _tag: "Woke" })
  }

  /** Time passes; every alarm until then rings in time. Dials are answered by nobody. */
  passUntil(mono: number): ReadonlyArray<Command> {
    const out: Array<Command> = []
    while (this.node.alarmAt <= mono) out.push(...this.ring())
    this.mono = mono
    return out
  }

  pass(ms: number): ReadonlyArray<Command> {
    return this.passUntil(this.mono + ms)
  }

  // ---------------------------------------------------------------------------------------------- scripted peers

  nextLink(): number {
    return ++this.links
  }

  linkUp(attempt: number | null = null, link = this.nextLink()): ReadonlyArray<Command> {
    this.links = Math.max(this.links, link)
    return this.feed({ _tag: "LinkUp", link, attempt, nonce: `nonce-${link}`, exporter: null })
  }

  /** Our dial of `peer` opens, within so long; the link. */
  dialled(peer: string, withinMs: number): number | null {
    const until = this.mono + withinMs
    while (this.contact(peer).attempt === null && this.node.alarmAt <= until) this.ring()
    const { attempt } = this.contact(peer)
    if (attempt === null) return null
    const link = this.nextLink()
    this.linkUp(attempt, link)
    return link
  }

  receive(link: number, frame: Frame): ReadonlyArray<Command> {
    return this.feed({ _tag: "Received", link, frame })
  }

  hear<E extends Event["event"]>(
    link: number,
    event: E,
    payload: Extract<Event, { readonly event: E }>["payload"]
  ): ReadonlyArray<Command> {
    return this.receive(link, { type: "event", event, payload } as Frame)
  }

  challenge(link: number): ReadonlyArray<Command> {
    return this.receive(link, { type: "req", id: "1", method: "mesh.challenge", params: {} })
  }

  connect(link: number, peer: string, face: Face = {}): ReadonlyArray<Command> {
    return this.receive(link, { type: "req", id: "2", method: "mesh.connect", params: this.loginOf(peer, link, face) })
  }

  /** `peer` dials us and logs in; the link, and what we did about it. */
  meet(peer: string, face: Face = {}): { readonly link: number; readonly commands: ReadonlyArray<Command> } {
    const link = this.nextLink()
    return { link, commands: [...this.linkUp(null, link), ...this.challenge(link), ...this.connect(link, peer, face)] }
  }

  /** Over the session with `peer` that is there, or else over a new one. */
  linkTo(peer: string, face: Face = {}): { readonly link: number; readonly commands: ReadonlyArray<Command> } {
    const [session] = this.sessions(peer)
    return session === undefined ? this.meet(peer, face) : { link: session.link, commands: [] }
  }

  /** Our dial of `peer` opens, and it logs us in; time passes until we dial. */
  reach(peer: string, face: Face = {}): { readonly link: number; readonly commands: ReadonlyArray<Command> } {
    const contact = () => this.contact(peer)
    while (contact().attempt === null) this.ring()
    const link = this.nextLink()
    const commands = [...this.linkUp(contact().attempt, link), ...this.answerChallenge(link)]
    return { link, commands: [...commands, ...this.answerLogin(link, peer, face, commands)] }
  }

  answerChallenge(link: number): ReadonlyArray<Command> {
    return this.receive(link, { type: "res", id: "challenge", ok: true, payload: { nonce: `server-${link}` } })
  }

  answerLogin(link: number, peer: string, face: Face, login: ReadonlyArray<Command>): ReadonlyArray<Command> {
    const sent = framesTo(login, link).find((frame) => frame.type === "req" && frame.method === "mesh.connect")
    assert.isDefined(sent, "we had sent our login")
    return this.receive(link, { type: "res", id: "connect", ok: true, payload: this.answerOf(peer, link, face) })
  }

  private said(peer: string, direction: "client" | "server", nonce: string, link: number, face: Face) {
    const { bootId, incarnation = 1, linkCounter = link, kernel = true } = face
    const role = this.config.trusted.find((device) => device.deviceId === id(peer))?.role ?? "node"
    const base = {
      deviceId: id(peer),
      publicKey: keyOf(peer),
      signedAtMs: WALL_AT_ZERO + this.mono,
      displayName: peer,
      capabilities: [],
      meshId: "mesh",
      role: role as string,
      ...face.claims
    }
    const hello = {
      features: [],
      gen: [1, 1] as const,
      incarnation,
      bootId: bootId ?? bootOf(peer, incarnation),
      linkCounter,
      meshKey: "operator",
      ...face.hello
    }
    const weDialled = direction === "server"
    const payload = kernelString({
      ...base,
      ...hello,
      direction,
      clientDeviceId: weDialled ? this.config.deviceId : id(peer),
      serverDeviceId: weDialled ? id(peer) : this.config.deviceId,
      clientNonce: weDialled ? `nonce-${link}` : `client-${link}`,
      serverNonce: weDialled ? `server-${link}` : `nonce-${link}`,
      exporter: ""
    })
    const signed = {
      ...base,
      signature: sign(base.publicKey, connectString({ ...base, nonce })),
      ...(kernel ? { kernel: { ...hello, signature: sign(base.publicKey, payload) } } : {})
    }
    return signed
  }

  loginOf(peer: string, link: number, face: Face = {}): ConnectParams {
    const nonce = `nonce-${link}`
    const said = this.said(peer, "client", nonce, link, face)
    return { version: 2, ...said, nonce, clientNonce: `client-${link}`, ...face.instead }
  }

  answerOf(peer: string, link: number, face: Face = {}): ConnectAnswer {
    const nonce = `nonce-${link}`
    return { ...this.said(peer, "server", nonce, link, face), nonce, ...(face.instead as Partial<ConnectAnswer>) }
  }

  // ---------------------------------------------------------------------------------------------- facts

  contact(peer: string): Node.NodeState["links"]["contacts"][number] {
    return this.node.links.contacts.find((contact) => contact.peer === id(peer))!
  }

  /** Links that are sessions with `peer`. */
  sessions(peer: string): ReadonlyArray<Session> {
    return this.node.links.links.filter((link) => link._tag === "Session").filter((link) => link.peer === id(peer))
  }

  member(peer: string): Member {
    return this.node.membership.members.find((member) => member.deviceId === id(peer))!
  }

  get standing(): Node.NodeState["leadership"]["standing"] {
    return this.node.leadership.standing
  }
}

export interface DriveOptions {
  readonly durable?: Durable.Durable
  readonly mono?: number
  readonly bootId?: string
}

/** What `name` says when it leaves; signed by somebody else's key, or not at all, where a test says so. */
export const signedGoodbye = (
  name: string,
  {
    by = name,
    incarnation = 1,
    reason = "asked to"
  }: { readonly by?: string; readonly incarnation?: number; readonly reason?: string } = {},
  signature?: string
): Goodbye => {
  const said = { deviceId: id(name), incarnation, reason }
  const payload = goodbyeString({ meshId: "mesh", meshKey: "operator", ...said })
  return { ...said, publicKey: keyOf(by), signature: signature ?? sign(keyOf(by), payload) }
}

// ------------------------------------------------------------------------------------------------ reading commands

export const framesTo = (commands: ReadonlyArray<Command>, link: number): ReadonlyArray<Frame> =>
  commands
    .filter((command) => command._tag === "Send")
    .filter((command) => command.link === link)
    .map(({ frame }) => frame)

/** The payloads of one kind of event, each with the link that it was sent on. */
export const sentEvents = <E extends Event["event"]>(commands: ReadonlyArray<Command>, event: E) =>
  commands.flatMap((command) =>
    command._tag === "Send" && command.frame.type === "event" && command.frame.event === event
      ? [{ link: command.link, ...(command.frame.payload as Extract<Event, { readonly event: E }>["payload"]) }]
      : []
  )

export const notes = (commands: ReadonlyArray<Command>): ReadonlyArray<MeshEvent> =>
  commands.flatMap((command) => (command._tag === "Note" ? [command.event] : []))

export const events = (commands: ReadonlyArray<Command>): ReadonlyArray<string> =>
  notes(commands).map(({ event }) => event)

export const hangups = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) =>
    command._tag === "Hangup" ? [{ link: command.link, code: command.code, reason: command.reason }] : []
  )

/** The codes that were answered to requests. */
export const refusals = (commands: ReadonlyArray<Command>): ReadonlyArray<string> =>
  commands.flatMap((command) =>
    command._tag === "Send" && command.frame.type === "res" && !command.frame.ok ? [command.frame.error.code] : []
  )

export const tags = (commands: ReadonlyArray<Command>): ReadonlyArray<string> => commands.map(({ _tag }) => _tag)
