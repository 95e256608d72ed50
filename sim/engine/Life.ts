/**
 * What of a machine changes while its world runs. A fork of the world shares it with the world that it came from; whichever of
 * them changes it first takes a copy. `owner` is the token of the one world that may change it in place.
 */
import type { Moved } from "./Hardware.ts"
import type { Asked, Inquiry } from "./Models.ts"
import type { Decided, Leased, Wanted } from "./Programs.ts"
import type { Kind, Plain } from "../../kernel/wire/ContextFrame.ts"
import type { Happened } from "../../kernel/Input.ts"
import type { Command } from "../../kernel/Command.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { SimVault, Through } from "../disk/SimVault.ts"
import type { Waiting } from "../disk/VaultPort.ts"
import type { Cargo } from "../network/Cargo.ts"
import type { Connection, Ending, Side } from "../network/Connection.ts"
import type { Due } from "../network/Segment.ts"
import type { Handle } from "./Agenda.ts"
import type { Host } from "./Host.ts"
import type { Intake } from "./Intake.ts"
import type { Nearby } from "./Nearby.ts"
import type { NodeClock } from "./NodeClock.ts"

type Persist = Extract<Command, { readonly _tag: "Persist" }>

/** Who waits for a record: a kernel's command, or a fiber of its shell. */
export type Asker = Persist | Waiting

/** What a process waits for: a fiber of its shell, or something that its station has to do. */
export type Awaited = (() => void) | Due

/** What a process takes up, now or later. Links by their numbers. */
export type Work =
  | { readonly _tag: "happened"; readonly happened: Happened }
  | { readonly _tag: "cargo"; readonly link: number; readonly cargo: Cargo }
  | { readonly _tag: "closed"; readonly link: number; readonly reason: Ending }
  | { readonly _tag: "through"; readonly through: Through<Asker> }
  | { readonly _tag: "awaited"; readonly run: Awaited }

/** A machine's end of a connection, which may be as it was before a fork: the network knows what became of it. */
export interface Line {
  readonly connection: Connection
  readonly side: Side
}

/** A fiber of the shell that sleeps. */
export interface Wake {
  readonly mono: number
  readonly run: () => void
  handle: Handle
}

/** A program that asks a device, until it is stopped. */
export interface Asking {
  readonly deviceId: string
  readonly eachMs: number
  readonly said: number
  readonly stopped: boolean
}

/** A program that says so many frames. */
export interface Sensing {
  readonly name: string
  readonly kind: Kind
  readonly data: Plain
  /** Its value is whether this is open, by its name without the prefix; `null`: as it stands there. */
  readonly shows: string | null
  /** Its value is what its metric is here; `null`: as above. */
  readonly measures: string | null
  readonly times: number
  readonly eachMs: number
  readonly causes: string | null
  readonly said: number
  readonly stopped: boolean
}

/** What is made for one machine, and anew for its fork. */
export interface Parts {
  readonly intake: Intake<Work>
  readonly vault: SimVault<Asker>
  readonly nearby: Nearby
  readonly host: Host | null
}

export class Life {
  readonly owner: object
  /** `sign`: the key refuses; `check`: every check comes back negative. */
  keysFail: "sign" | "check" | null = null
  /** How often its keys failed. */
  keyFailures = 0
  powered = false
  listening = false
  /** Number of the running process; 0: none. */
  process = 0
  clock: NodeClock
  /** Instants that its processes read. */
  readings = 0
  readonly intake: Intake<Work>
  /** How often the power went in the middle of a write because of a trap. */
  trapsSprung = 0
  host: Host | null
  /** Its disk; broken and mended there. */
  readonly vault: SimVault<Asker>
  readonly nearby: Nearby
  /** Counted from 1. */
  processes = 0
  linksGiven = 0
  readonly links: Map<number, Line>
  readonly dials: Map<number, Connection>
  alarm: Handle | null = null
  alarmAt = NEVER_MS
  /** In how many records from now the power goes; 0: in none. */
  trap = 0
  /** After how many steps of logins from now it stands still, in the middle of one; 0: after none. */
  loginTrap = 0
  /** How often it stood still because of that. */
  loginsFrozen = 0
  /** Its own monotonic clock when it was frozen. */
  frozenMono = 0
  readonly wakes = new Set<Wake>()
  /** Programs that ask others, by their numbers; entries are replaced, not changed. */
  readonly asks: Map<number, Asking>
  readonly senses: Map<number, Sensing>
  /** What it moves, by capability. */
  readonly hardware: Map<string, Moved>
  /** How many steps have it stuck, and the drives that failed for that. */
  jams = 0
  failedDrives = 0
  /** How many steps have it uncoupled, and the drives that were in vain for that. */
  uncoupled = 0
  vainDrives = 0
  /** How many steps keep its planner from working. */
  enginesOff = 0
  /** Questions that its language model was asked. */
  consulted = 0
  /** Commands of its programs that wait for a lease, or for what comes of them, by the number of the call. */
  readonly wanted: Map<number, Wanted>
  /** Yeses of people with keys, that wait for what the guardian says, by the number of the call. */
  readonly decided: Map<number, Decided>
  /** What its program was last granted, by actuator. */
  readonly leases: Map<string, Leased>
  /** Models of its that were asked and are not done, by their numbers; and how many were asked so far. */
  readonly models: Map<number, Asked>
  modelsAsked = 0
  /** What its programs asked models of others, as the scenario calls it. */
  readonly inquiries: Map<string, Inquiry>
  /** Messages that its programs gave so far. */
  calls: number

  constructor(owner: object, clock: NodeClock, { host, intake, nearby, vault }: Parts, from?: Life) {
    this.owner = owner
    this.clock = clock
    this.intake = intake
    this.host = host
    this.vault = vault
    this.nearby = nearby
    this.links = new Map(from?.links)
    this.dials = new Map(from?.dials)
    this.asks = new Map(from?.asks)
    this.senses = new Map(from?.senses)
    this.hardware = new Map(from?.hardware)
    this.jams = from?.jams ?? 0
    this.enginesOff = from?.enginesOff ?? 0
    this.consulted = from?.consulted ?? 0
    this.failedDrives = from?.failedDrives ?? 0
    this.uncoupled = from?.uncoupled ?? 0
    this.vainDrives = from?.vainDrives ?? 0
    this.wanted = new Map(from?.wanted)
    this.decided = new Map(from?.decided)
    this.leases = new Map(from?.leases)
    this.models = new Map(from?.models)
    this.modelsAsked = from?.modelsAsked ?? 0
    this.inquiries = new Map(from?.inquiries)
    this.calls = from?.calls ?? 0
    if (from === undefined) return
    this.keysFail = from.keysFail
    this.keyFailures = from.keyFailures
    this.powered = from.powered
    this.listening = from.listening
    this.process = from.process
    this.readings = from.readings
    this.trapsSprung = from.trapsSprung
    this.processes = from.processes
    this.linksGiven = from.linksGiven
    this.alarm = from.alarm
    this.alarmAt = from.alarmAt
    this.trap = from.trap
    this.loginTrap = from.loginTrap
    this.loginsFrozen = from.loginsFrozen
    this.frozenMono = from.frozenMono
  }
}
