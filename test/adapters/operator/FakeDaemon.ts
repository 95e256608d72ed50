/**
 * A daemon for the operator's socket, in the process of the test: a real kernel node whose clock, peers and events a test
 * moves. What is offered is taken up a moment later, as by a real node, or never.
 */
import * as Effect from "effect/Effect"
import type { Decision, Wanted } from "../../../adapters/node/Calls.ts"
import type { Daemon, Told } from "../../../adapters/node/Daemon.ts"
import type { Seen } from "../../../adapters/pairing/Host.ts"
import * as Durable from "../../../kernel/Durable.ts"
import type { Happened } from "../../../kernel/Input.ts"
import type { Outcome } from "../../../kernel/routing/Outcome.ts"
import type { MeshEvent } from "../../../kernel/status/MeshEvent.ts"
import { Drive, id, type World } from "../../kernel/drive.ts"

/** `a` is this node. `b` and `d` have names, `c` has none and stands in the configuration only. */
export const farm: World = {
  roles: { a: "field", b: "planner", c: "sensor", d: "standby-planner" },
  electors: "abd"
}

export const entry = (
  name: string,
  called: string,
  role: Durable.TrustEntry["role"] = "field"
): Durable.TrustEntry => ({
  deviceId: id(name),
  role,
  name: called,
  gen1: false,
  publicKey: null
})

const durable: Durable.Durable = {
  ...Durable.empty,
  trusted: [entry("b", "laptop-main", "planner"), entry("d", "barn-laptop", "standby-planner")]
}

/** 2026-11-22, some time in the morning. */
const WALL_AT_ZERO_MS = Date.UTC(2026, 10, 22, 7, 0, 0)
const TAKEN_UP_AFTER_MS = 5

export class FakeDaemon implements Daemon {
  readonly drive: Drive
  readonly offered: Array<Happened> = []
  readonly told: Array<Told> = []
  readonly listeners = new Set<(told: Told) => void>()
  /** The node takes nothing up any more. */
  stuck = false
  found = { enabled: true, runs: true, why: "" }
  /** Signs as the operator of the test's mesh, where it is kept here. */
  operatorKey: Daemon["operatorKey"] = null
  farm: Daemon["farm"] = null
  /** Why nothing is recorded. */
  recordingStopped: string | null = null
  /** Thrown by `state`, in place of an answer. */
  defect: Error | null = null

  constructor(world: World = farm, restored: Durable.Durable = durable) {
    this.drive = Drive.up(world, "a", { mono: 5_000_000, durable: restored })
  }

  readonly unrecorded = () => this.recordingStopped

  readonly state = () => {
    if (this.defect !== null) throw this.defect
    return this.drive.node
  }
  readonly now = () => ({ mono: this.drive.mono, wall: WALL_AT_ZERO_MS + this.drive.mono })
  readonly offer = (happened: Happened) =>
    Effect.sync(() => {
      this.offered.push(happened)
      if (!this.stuck) setTimeout(() => this.drive.feed(happened), TAKEN_UP_AFTER_MS)
    })
  outcome: Outcome = { ok: true, messageId: "m", by: id("b") }
  readonly ask = () => Effect.succeed(this.outcome)
  /** What was proposed, or decided, in order. */
  readonly wanted: Array<Wanted | Decision> = []
  readonly propose = (wanted: Wanted) =>
    Effect.sync(() => {
      this.wanted.push(wanted)
      return this.outcome
    })
  readonly decide = (decision: Decision) =>
    Effect.sync(() => {
      this.wanted.push(decision)
      return this.outcome
    })
  readonly events = () => this.told
  readonly subscribe = (listener: (told: Told) => void) => {
    this.listeners.add(listener)
    return Effect.sync(() => {
      this.listeners.delete(listener)
    })
  }
  readonly discovery = () => this.found
  refusal: string | null = null
  readonly disk = () => this.refusal
  readonly reachedAt = () => ["192.168.1.41:18789"]
  readonly meshName = "bhoomi"
  readonly seen: Array<Seen> = []
  readonly revoked: Array<string> = []
  readonly host: Daemon["host"] = {
    invite: (terms, forMs) => {
      const id = String(this.seen.length + 1)
      const key = Buffer.alloc(32)
      this.seen.push({
        id,
        state: "open",
        takenBy: null,
        terms: { ...terms, key },
        leftMs: forMs,
        name: null,
        address: null,
        problem: null
      })
      return { id, code: "K7QF-2M9X-TR4B-8WNG" }
    },
    shut: () => this.seen.forEach((invite, at) => (this.seen[at] = { ...invite, state: "shut", leftMs: 0 })),
    seen: () => this.seen,
    revoked: (deviceId) => void this.revoked.push(deviceId)
  }
  readonly address = () => "127.0.0.1:18789"

  /** Something happened `agoMs` ago, by the calendar of this daemon. */
  tell(event: MeshEvent, agoMs = 0): void {
    const told = { atMs: this.now().wall - agoMs, event }
    this.told.push(told)
    for (const listener of this.listeners) listener(told)
  }

  /** `b` is up and leads in term 7; a stranger is near. */
  settle(): this {
    const { link } = this.drive.meet("b", { incarnation: 3 })
    this.drive.hear(link, "mesh.lead", { term: { manifest: 1, counter: 7 }, beat: 1 })
    this.drive.feed({ _tag: "Sighted", deviceId: id("e"), name: "new-pi", addresses: ["192.168.1.60:18789"], gen: 1 })
    this.drive.mono += 300
    return this
  }
}
