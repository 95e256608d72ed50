/**
 * Several real kernel nodes on perfect links without delay, under a clock that a test moves: what one says, the others have
 * heard before anything else happens. For rules that need more than one node and no network to speak of.
 *
 * A test may drop chosen frames, cut pairs, crash, restart and freeze nodes, and let clocks run at another rate. Does not
 * model: delay, order of delivery across links, TCP. The simulator does that.
 */
import { assert } from "@effect/vitest"
import type { Command } from "../../kernel/Command.ts"
import { NEVER_MS } from "../../kernel/Time.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import { configOf, Drive, events, nameOf, notes, type Given, type World } from "./drive.ts"

interface End {
  readonly name: string
  readonly drive: Drive
  readonly link: number
}

/** Enough for every test here; more means that two nodes answer each other for ever. */
const STEPS_MAX = 200_000

export class Mesh {
  readonly world: World
  /** True time, ms since the mesh was made. */
  now = 0
  readonly said: Array<{ readonly at: number; readonly name: string; readonly command: Command }> = []
  /** Frames for which this says so are lost on the way. */
  lost: (from: string, to: string, frame: Frame) => boolean = () => false
  private readonly drives = new Map<string, { drive: Drive; bornAt: number; frozen: boolean; backlog: Array<Given> }>()
  private readonly rates: { readonly [name: string]: number }
  private readonly pairs: Array<readonly [End, End]> = []
  private readonly cuts = new Set<string>()
  private readonly work: Array<() => void> = []
  private steps = 0

  constructor(world: World, rates: { readonly [name: string]: number } = {}) {
    this.world = world
    this.rates = rates
  }

  /** All nodes up, connected, and past the silence after a boot. */
  static settled(world: World, rates: { readonly [name: string]: number } = {}): Mesh {
    const mesh = new Mesh(world, rates)
    for (const name of Object.keys(world.roles)) mesh.start(name)
    const { promiseMs, redialMaxMs } = configOf(world, "a").profile
    mesh.pass(2 * promiseMs + redialMaxMs)
    return mesh
  }

  node(name: string): Drive {
    return this.drives.get(name)!.drive
  }

  start(name: string, durable = this.drives.get(name)?.drive.durable): void {
    const drive = new Drive(configOf(this.world, name), {
      mono: 1_000,
      ...(durable === undefined ? {} : { durable })
    })
    this.drives.set(name, { drive, bornAt: this.now, frozen: false, backlog: [] })
    this.give(drive, name, { _tag: "Started", bootId: drive.bootId, durable: drive.durable })
    this.drain()
  }

  /** `silent`: a power cut, of which nobody hears; otherwise the connections are reset. */
  crash(name: string, { silent }: { readonly silent: boolean }): void {
    const gone = this.node(name)
    this.gone.add(gone)
    if (!silent) this.reset((end) => end.drive === gone)
    this.drain()
  }
  private readonly gone = new Set<Drive>()

  freeze(name: string): void {
    this.drives.get(name)!.frozen = true
  }

  thaw(name: string): void {
    const held = this.drives.get(name)!
    held.frozen = false
    this.setClock(name)
    if (held.drive.node.alarmAt <= held.drive.mono) held.backlog.unshift({ _tag: "Woke" })
    for (const input of held.backlog.splice(0)) this.give(held.drive, name, input)
    this.drain()
  }

  /** Nothing passes between these two from now on, and nobody is told. */
  cut(a: string, b: string): void {
    this.cuts.add(a + b).add(b + a)
  }

  mend(a: string, b: string): void {
    this.cuts.delete(a + b)
    this.cuts.delete(b + a)
  }

  /** Parts `group` from everybody else. */
  isolate(group: string): void {
    for (const a of group) for (const b of this.drives.keys()) if (!group.includes(b)) this.cut(a, b)
  }

  rejoin(): void {
    this.cuts.clear()
  }

  feed(name: string, input: Given): void {
    this.give(this.node(name), name, input)
    this.drain()
  }

  pass(ms: number): void {
    const until = this.now + ms
    for (;;) {
      let next: string | null = null
      let at = until
      for (const [name, { drive, frozen }] of this.drives) {
        if (frozen || this.gone.has(drive) || drive.node.alarmAt === NEVER_MS) continue
        const due = Math.max(this.now, this.trueTime(name, drive.node.alarmAt))
        if (due < at || (due === at && next === null && due <= until)) {
          at = due
          next = name
        }
      }
      if (next === null) break
      this.now = at
      this.setClock(next)
      this.give(this.node(next), next, { _tag: "Woke" })
      this.drain()
    }
    this.now = until
    for (const name of this.drives.keys()) this.setClock(name)
  }

  // ---------------------------------------------------------------------------------------------- facts

  /** Names of the nodes whose lease runs. */
  leaders(): string {
    return [...this.drives]
      .filter(([, { drive }]) => !this.gone.has(drive))
      .filter(([name, { drive }]) => {
        this.setClock(name)
        return drive.standing._tag === "Leading" && drive.standing.leaseUntil > drive.mono
      })
      .map(([name]) => name)
      .join("")
  }

  /** How `name` sees the others, as in "b:up c:down". */
  view(name: string): string {
    return this.node(name)
      .node.membership.members.map((member) => `${nameOf(member.deviceId)}:${member.state}`)
      .join(" ")
  }

  /** What `name` noted since `since`. */
  events(name: string, since = 0): ReadonlyArray<string> {
    return events(this.said.filter((each) => each.name === name && each.at >= since).map(({ command }) => command))
  }

  notes(name: string, since = 0) {
    return notes(this.said.filter((each) => each.name === name && each.at >= since).map(({ command }) => command))
  }

  /** True when both ends hold one session, over the same connection. */
  paired(a: string, b: string): boolean {
    const [ours, ...more] = this.node(a).sessions(b)
    const [theirs, ...others] = this.node(b).sessions(a)
    if (ours === undefined || theirs === undefined || more.length > 0 || others.length > 0) return false
    return this.farEnd(this.node(a), ours.link)?.link === theirs.link
  }

  // ---------------------------------------------------------------------------------------------- inside

  private setClock(name: string): void {
    const { bornAt, drive } = this.drives.get(name)!
    drive.mono = Math.max(drive.mono, 1_000 + Math.floor(((this.now - bornAt) * this.percent(name)) / 100))
  }

  private trueTime(name: string, mono: number): number {
    const { bornAt } = this.drives.get(name)!
    return bornAt + Math.ceil(((mono - 1_000) * 100) / this.percent(name))
  }

  /** Of a clock's rate: whole, so that an alarm never rings a rounding error too early. */
  private percent(name: string): number {
    return Math.round(100 * (this.rates[name] ?? 1))
  }

  private give(drive: Drive, name: string, input: Given): void {
    if (this.gone.has(drive)) return
    const held = this.drives.get(name)!
    if (held.frozen) {
      if (input._tag !== "Woke") held.backlog.push(input)
      return
    }
    this.setClock(name)
    assert.isBelow(this.steps++, STEPS_MAX, "the nodes do not come to rest")
    for (const command of drive.feed(input)) {
      this.said.push({ at: this.now, name, command })
      this.work.push(() => this.perform(drive, name, command))
    }
  }

  private drain(): void {
    for (let job = this.work.shift(); job !== undefined; job = this.work.shift()) job()
  }

  private farEnd(drive: Drive, link: number): End | undefined {
    for (const [a, b] of this.pairs) {
      if (a.drive === drive && a.link === link) return b
      if (b.drive === drive && b.link === link) return a
    }
    return undefined
  }

  private forget(drive: Drive, link: number): void {
    const at = this.pairs.findIndex((pair) => pair.some((end) => end.drive === drive && end.link === link))
    if (at >= 0) this.pairs.splice(at, 1)
  }

  private reset(which: (end: End) => boolean): void {
    for (const pair of this.pairs.filter((each) => each.some(which)))
      for (const end of pair) {
        this.forget(end.drive, end.link)
        this.give(end.drive, end.name, { _tag: "LinkDown", link: end.link, reason: "reset" })
      }
  }

  private perform(drive: Drive, name: string, command: Command): void {
    switch (command._tag) {
      case "Dial":
        return this.dial(drive, name, command.attempt, command.address)
      case "Send": {
        const far = this.farEnd(drive, command.link)
        if (far === undefined || this.cuts.has(name + far.name) || this.lost(name, far.name, command.frame)) return
        return this.give(far.drive, far.name, { _tag: "Received", link: far.link, frame: command.frame })
      }
      case "Ping": {
        const far = this.farEnd(drive, command.link)
        if (far === undefined || this.cuts.has(name + far.name) || this.gone.has(far.drive)) return
        if (this.drives.get(far.name)!.frozen) return
        return this.give(drive, name, { _tag: "Ponged", link: command.link, probe: command.probe })
      }
      case "Hangup": {
        const far = this.farEnd(drive, command.link)
        this.forget(drive, command.link)
        if (far === undefined || this.cuts.has(name + far.name)) return
        return this.give(far.drive, far.name, {
          _tag: "LinkDown",
          link: far.link,
          reason: command.abrupt ? "reset" : "closed"
        })
      }
      case "Halt":
        this.gone.add(drive)
        return this.reset((end) => end.drive === drive)
      default:
    }
  }

  private dial(drive: Drive, name: string, attempt: number, address: string): void {
    const target = this.drives.get(address)
    const dead = target === undefined || this.gone.has(target.drive)
    if (dead || this.cuts.has(name + address) || target.frozen)
      return this.give(drive, name, { _tag: "DialFailed", attempt, reason: dead ? "refused" : "timeout" })
    const here = { name, drive, link: drive.nextLink() }
    const there = { name: address, drive: target.drive, link: target.drive.nextLink() }
    this.pairs.push([here, there])
    const up = (end: End, of: number | null): void =>
      this.give(end.drive, end.name, {
        _tag: "LinkUp",
        link: end.link,
        attempt: of,
        nonce: `${end.name}-${this.steps}`,
        exporter: null
      })
    up(there, null)
    up(here, attempt)
  }
}
