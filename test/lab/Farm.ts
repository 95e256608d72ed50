/**
 * A farm on one machine: `clawmesh-node` as an operator would start it, a daemon on each host, which know each other by mDNS
 * alone. All hosts hang on one switch; everything is ended and removed when the farm closes, whatever became of it.
 *
 * What the tests look at: `status`, by the operator's socket, which is a file and so in nobody's namespace, and the events that
 * the daemons logged (`Diary.ts`).
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { ask } from "../../adapters/cli/Client.ts"
import * as Api from "../../adapters/operator/Api.ts"
import { socketIn } from "../../adapters/operator/Place.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import { type Event, type EventName, eventsOf, type Reign, reignsOf } from "./Diary.ts"
import type { Ended, Host } from "./Lab.ts"
import { type Device, Segment, until } from "./Segment.ts"
import { type Badness, TapSwitch } from "./TapSwitch.ts"

const root = resolve(import.meta.dirname, "../..")
const nodeProgram = join(root, "adapters/clawmesh-node.ts")
const handTool = join(root, "adapters/clawmesh.ts")
const faketime = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`
/** Long for a healthy mesh, so that a busy machine fails no test. */
const LIMIT_MS = 30_000
const QUIET_MS = 500

export interface Member {
  readonly name: string
  readonly role: Role
  readonly host: Host
  /** Of `eth0` when the farm was made. */
  readonly address: string
  readonly deviceId: string
  readonly home: string
  /** Every process that ran here, the last one last. */
  readonly lives: Array<Device>
  /** Events of before do not count. */
  mark: number
}

interface Conditions {
  /** How the switch treats packets; without it, it is a good one. */
  readonly badness?: Badness
  /** What `faketime` is told of everybody's calendar; without it, nobody's is faked. */
  readonly clock?: string
}

export class Farm {
  readonly segment = new Segment()
  readonly members = new Map<string, Member>()
  readonly #directory = mkdtempSync(join(tmpdir(), "clawmesh-farm-"))
  #tap: TapSwitch | null = null
  #meshKey: string | null = null

  private constructor() {}

  /** Hosts and identities; no daemon runs yet. With `badness` the switch is one that treats packets so. */
  static async make(roles: { readonly [name: string]: Role }, badness?: Badness): Promise<Farm> {
    const farm = new Farm()
    try {
      let number = 0
      for (const [name, role] of Object.entries(roles)) {
        const home = join(farm.#directory, name)
        const said = execFileSync(process.execPath, [nodeProgram, "id", "--state", home], { encoding: "utf8" })
        const deviceId = /[0-9a-f]{64}/u.exec(said)?.[0]
        if (deviceId === undefined) throw new Error(`clawmesh-node id said: ${said}`)
        const host = farm.segment.lab.host(name)
        const address = `10.77.0.${++number}`
        farm.members.set(name, { name, role, host, address, deviceId, home, lives: [], mark: 0 })
      }
      await farm.#plug(badness)
    } catch (error) {
      await farm.close()
      throw error
    }
    return farm
  }

  /** Daemons that trust each other and are well, on a farm of their own. Only what happens from now on counts. */
  static async formed(roles: { readonly [name: string]: Role }, { badness, clock }: Conditions = {}): Promise<Farm> {
    const farm = await Farm.make(roles, badness)
    try {
      if (clock !== undefined) for (const name of farm.names) farm.setClock(name, clock)
      await farm.start(...farm.names)
      for (const by of farm.names) for (const name of farm.names) if (name !== by) await farm.#trust(by, name)
      await farm.well(...farm.names)
      await farm.mark()
    } catch (error) {
      await farm.close()
      throw error
    }
    return farm
  }

  member(name: string): Member {
    const member = this.members.get(name)
    if (member === undefined) throw new Error(`no member is called ${name}`)
    return member
  }

  get names(): ReadonlyArray<string> {
    return [...this.members.keys()]
  }

  /** The switch that treats packets badly. */
  get tap(): TapSwitch {
    if (this.#tap === null) throw new Error("this farm hangs on a good switch")
    return this.#tap
  }

  /** The calendar of a member's next start: what `faketime` is told (`+0`, `@1970-01-01 00:00:10`), and may be told again. */
  setClock(name: string, says: string): void {
    if (!existsSync(faketime)) throw new Error(`no ${faketime}: apt-get install libfaketime`)
    writeFileSync(this.#clock(name), `${says}\n`)
  }

  /** Starts daemons that do not run, and waits until their operators' sockets answer. */
  async start(...names: ReadonlyArray<string>): Promise<void> {
    for (const name of names) {
      const member = this.member(name)
      const clock = this.#clock(name)
      const faked = existsSync(clock)
        ? [
            `LD_PRELOAD=${faketime}`,
            `FAKETIME_TIMESTAMP_FILE=${clock}`,
            "FAKETIME_NO_CACHE=1",
            // Only the calendar errs: nothing can set the monotonic clock of a running system.
            "FAKETIME_DONT_FAKE_MONOTONIC=1"
          ]
        : []
      const device = this.segment.spawn(member.host, "env", ...faked, process.execPath, ...this.#args(member))
      member.lives.push(device)
      await until(
        `${name} answers its operator`,
        LIMIT_MS,
        () => this.status(name),
        () => device.text
      )
      // The first of them made the key of the mesh; the others join it. It may begin with a hyphen.
      this.#meshKey ??= (
        JSON.parse(readFileSync(join(member.home, "mesh.json"), "utf8")) as { meshKey: string }
      ).meshKey
    }
  }

  clawmesh(name: string, ...args: ReadonlyArray<string>): string {
    const { home } = this.member(name)
    return execFileSync(process.execPath, [handTool, ...args, "--state", home], { encoding: "utf8" })
  }

  /** Ends a daemon, and waits until it has ended. */
  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    await this.member(name).lives.at(-1)?.kill(signal)
  }

  /** What the daemon says of itself; `null`: nobody answers. */
  status(name: string): Promise<Api.Status | null> {
    const asked = ask(socketIn(this.member(name).home), { method: "GET", target: "/status" }, Api.Status)
    return Effect.runPromise(Effect.match(asked, { onFailure: () => null, onSuccess: (status) => status }))
  }

  peer(status: Api.Status, name: string): Api.Peer | undefined {
    return status.peers.find(({ id }) => id === this.member(name).deviceId)
  }

  /** Waits until a member's status is so. */
  async until(name: string, what: string, is: (status: Api.Status) => boolean, ms = LIMIT_MS): Promise<Api.Status> {
    let last: Api.Status | null = null
    const found = async () => {
      last = await this.status(name)
      return last !== null && is(last) && last
    }
    const said = () => `${JSON.stringify(last)}\n${this.#said()}`
    return until(`${name}: ${what}`, ms, found, said)
  }

  /** Waits until all of these are linked with each other and up, and name the same leader, whom this gives. */
  async well(...names: ReadonlyArray<string>): Promise<string> {
    const agree = async () => {
      const seen = await Promise.all(names.map((name) => this.status(name)))
      const isWell = names.every((name) =>
        seen.every((status) => {
          if (status === null) return false
          const peer = this.peer(status, name)
          return status.seenFrom === name || (peer?.state === "up" && peer.link !== null)
        })
      )
      const leaders = new Set(seen.map((status) => status?.leader?.name ?? ""))
      const [leader = ""] = leaders
      return isWell && leaders.size === 1 && leader !== "" && leader
    }
    return until(`${names.join(", ")} are all up under one leader`, LIMIT_MS, agree, () => this.#said())
  }

  /** Waits until nobody has logged anything for a while: what a status shows is logged a moment later. */
  async quiet(): Promise<void> {
    let last = -1
    let quietFrom = 0
    const isQuiet = () => {
      const events = [...this.members.values()].reduce((sum, member) => sum + this.#events(member).length, 0)
      if (events !== last) quietFrom = performance.now()
      last = events
      return performance.now() - quietFrom > QUIET_MS
    }
    await until("nothing happens", LIMIT_MS, isQuiet, () => this.#said())
  }

  /** From now on, when it is quiet, only later events count, of everybody. */
  async mark(): Promise<void> {
    await this.quiet()
    for (const member of this.members.values()) member.mark = this.#events(member).length
  }

  /** What these members, or all, logged since the last mark of these kinds, or of all; in the order of its times. */
  events({
    by = this.names,
    of
  }: { by?: ReadonlyArray<string>; of?: ReadonlyArray<EventName> } = {}): ReadonlyArray<Event> {
    return by
      .flatMap((name) => this.#events(this.member(name)).slice(this.member(name).mark))
      .filter(({ event }) => of === undefined || of.includes(event))
      .sort((one, other) => one.atMs - other.atMs)
  }

  /** The same as words: `a peer.down c`; without an order, each once. */
  told(...of: ReadonlyArray<EventName>): ReadonlyArray<string> {
    return [...new Set(this.events({ of }).map(({ about, by, event }) => `${by} ${event} ${about}`))].sort()
  }

  /** Who led when, from the first start on. */
  reigns(): ReadonlyArray<Reign> {
    return reignsOf([...this.members.values()].map((member) => this.#events(member)))
  }

  /** Drops what `rule` (of nftables) matches of what this member receives; `null`: nothing any more. */
  drop(name: string, rule: string | null): void {
    const { host } = this.member(name)
    host.run("nft", "delete table inet farm")
    if (rule === null) return
    const chain = "add table inet farm; add chain inet farm in { type filter hook input priority 0; }"
    must(host.run("nft", `${chain}; add rule inet farm in iifname eth0 ${rule} counter drop`))
  }

  /** Packets that the rule of `drop` has taken so far. */
  dropped(name: string): number {
    const { output } = must(this.member(name).host.run("nft", "list table inet farm"))
    return Number(/counter packets (\d+)/u.exec(output)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async close(): Promise<void> {
    const devices = [...this.members.values()].flatMap(({ lives }) => lives)
    await Promise.allSettled(devices.map((device) => device.kill("SIGKILL")))
    this.segment[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #plug(badness: Badness | undefined): Promise<void> {
    const all = [...this.members.values()]
    if (badness === undefined) {
      for (const { address, host } of all) this.segment.plug(host, `${address}/24`)
      return
    }
    const hosts = all.map(({ host }) => host)
    this.#tap = await TapSwitch.make(this.segment, this.#directory, 1, hosts)
    await this.#tap.be(badness)
    for (const { address, host } of all) {
      host.ip("address", "add", `${address}/24`, "dev", "eth0")
      host.ip("link", "set", "eth0", "up")
    }
  }

  #args({ home, name, role }: Member): ReadonlyArray<string> {
    const electors = [...this.members.values()].filter((member) => member.role !== "viewer")
    const self = ["--name", name, "--role", role, "--state", home]
    return [
      nodeProgram,
      "run",
      ...self,
      "--mesh-name=lab",
      "--log=json",
      ...(this.#meshKey === null ? [] : [`--mesh-key=${this.#meshKey}`]),
      ...electors.flatMap(({ deviceId }) => ["--elector", deviceId])
    ]
  }

  #events({ lives, name }: Member): ReadonlyArray<Event> {
    const nameOf = (id: string) => [...this.members.values()].find(({ deviceId }) => deviceId === id)?.name ?? id
    return eventsOf(
      name,
      lives.flatMap(({ lines }) => lines),
      nameOf
    )
  }

  /** What `clawmesh trust add` says, without a process for it. */
  async #trust(by: string, name: string): Promise<void> {
    const { deviceId, role } = this.member(name)
    const body = { id: deviceId, role, name, gen1: false }
    await Effect.runPromise(
      ask(socketIn(this.member(by).home), { method: "POST", target: "/trust", body }, Api.TrustChange)
    )
  }

  #clock(name: string): string {
    return join(this.#directory, `${name}.clock`)
  }

  #said(): string {
    const all = [...this.members.values()]
    return all.map(({ lives, name }) => `--- ${name}\n${lives.at(-1)?.text.slice(-3_000) ?? "never ran"}`).join("\n")
  }
}

const must = (ended: Ended): Ended => {
  if (ended.code !== 0) throw new Error(`ended with ${ended.code}: ${ended.output}`)
  return ended
}
