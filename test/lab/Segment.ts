/**
 * A network segment with devices on it that speak mDNS: hosts on one switch, our own nodes and Avahi daemons as processes on
 * them. Everything is gone, by pid, when the segment closes.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Options } from "../../adapters/mdns/Mdns.ts"
import { type Host, Lab, need } from "./Lab.ts"

/** What an Avahi daemon needs, and the Debian package that each tool comes with. */
const packages = { "avahi-daemon": "avahi-daemon", "avahi-browse": "avahi-utils", "dbus-daemon": "dbus" }

/** A line of JSON that a process printed: of `mdnsNode.ts`, of the switch, or of a daemon's log. */
export interface Line {
  readonly _tag?: "Sighted" | "Lost" | "Running"
  readonly deviceId?: string
  readonly name?: string
  readonly addresses?: ReadonlyArray<string>
  readonly runs?: boolean
  readonly why?: string
  readonly [key: string]: unknown
}

export const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

type Found<A> = A | false | null | undefined

/** Waits until `found` gives something; throws with `what` and `said()` when it does not in time. */
export const until = async <A>(
  what: string,
  ms: number,
  found: () => Found<A> | Promise<Found<A>>,
  said: () => string
): Promise<A> => {
  for (const end = performance.now() + ms; ; await delay(25)) {
    const value = await found()
    if (value !== undefined && value !== null && value !== false) return value
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}\n${said()}`)
  }
}

/** A process on a host, and the lines that it printed. */
export class Device {
  readonly process: ChildProcess
  readonly lines: Array<Line> = []
  text = ""
  #from = 0

  constructor(process: ChildProcess) {
    this.process = process
    let rest = ""
    process.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.text += chunk
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) if (line.startsWith("{")) this.lines.push(JSON.parse(line) as Line)
    })
    process.stderr?.setEncoding("utf8").on("data", (chunk: string) => (this.text += chunk))
  }

  /** From now on only what is said later counts. */
  mark(): void {
    this.#from = this.lines.length
  }

  /** What was said since the last mark. */
  get since(): ReadonlyArray<Line> {
    return this.lines.slice(this.#from)
  }

  says(what: string, ms: number, is: (line: Line) => boolean): Promise<Line> {
    return until(
      what,
      ms,
      () => this.since.find(is),
      () => this.text
    )
  }

  finds(name: string, ms = 5_000, address = ""): Promise<Line> {
    return this.says(`finds ${name} ${address}`, ms, (line) => {
      return line._tag === "Sighted" && line.name === name && (line.addresses?.[0] ?? "").startsWith(address)
    })
  }

  loses(deviceId: string, ms: number): Promise<Line> {
    return this.says(`loses ${deviceId[0]}`, ms, (line) => line._tag === "Lost" && line.deviceId === deviceId)
  }

  runs(runs: boolean, ms: number): Promise<Line> {
    return this.says(`runs: ${runs}`, ms, (line) => line._tag === "Running" && line.runs === runs)
  }

  /** Done when the process has ended. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.process.kill(signal)
    const ended = () => this.process.exitCode !== null || this.process.signalCode !== null
    await until(`ends by ${signal}`, 5_000, ended, () => this.text)
  }
}

export class Segment {
  readonly lab = new Lab()
  readonly #directory = mkdtempSync(join(tmpdir(), "clawmesh-mdns-"))
  readonly #devices: Array<Device> = []
  readonly #switches = new Map<string, Host>()
  #ports = 0

  /** Puts a host on a switch, by an interface with this address (such as 10.77.0.1/24). */
  plug(host: Host, address: string, { device = "eth0", mac, on = "switch" }: Plug = {}): void {
    const port = `p${this.#ports++}`
    const bridge = this.#switch(on)
    const own = mac === undefined ? [] : ["address", mac]
    host.ip("link", "add", device, ...own, "type", "veth", "peer", "name", port, "netns", bridge.namespace)
    bridge.ip("link", "set", port, "master", "br0", "up")
    host.ip("address", "add", address, "dev", device)
    host.ip("link", "set", device, "up")
  }

  /** Starts a node of ours. */
  node(host: Host, deviceId: string, name: string, options: Partial<Options> = {}): Device {
    const argument = JSON.stringify({ deviceId, name, port: 18_789, options })
    return this.spawn(host, process.execPath, join(import.meta.dirname, "mdnsNode.ts"), argument)
  }

  spawn(host: Host, ...command: ReadonlyArray<string>): Device {
    const device = new Device(
      spawn("ip", ["netns", "exec", host.namespace, ...command], { stdio: ["ignore", "pipe", "pipe"] })
    )
    return this.own(device)
  }

  /** Ends with the segment. */
  own(device: Device): Device {
    this.#devices.push(device)
    return device
  }

  /** An Avahi daemon on this host, with a bus of its own; returns how to run one of its tools there. */
  async avahi(host: Host, name: string): Promise<(...command: ReadonlyArray<string>) => ReadonlyArray<string>> {
    need(packages)
    const at = (file: string) => join(this.#directory, `${name}-${file}`)
    const bus = `unix:path=${at("bus")}`
    writeFileSync(
      at("bus.conf"),
      `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig><type>system</type><listen>${bus}</listen><auth>EXTERNAL</auth><policy context="default">
      <allow own="*"/><allow user="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`
    )
    writeFileSync(
      at("avahi.conf"),
      `[server]\nhost-name=${name}\nuse-ipv6=no\nallow-interfaces=eth0\n[wide-area]\nenable-wide-area=no\n`
    )
    const withBus = (...command: ReadonlyArray<string>) => ["env", `DBUS_SYSTEM_BUS_ADDRESS=${bus}`, ...command]
    const dbus = this.spawn(host, "dbus-daemon", `--config-file=${at("bus.conf")}`, "--nofork", "--nopidfile")
    await until(
      "D-Bus starts",
      5_000,
      () => host.run("test", "-S", at("bus")).code === 0,
      () => dbus.text
    )
    // `ip netns exec` gives each command mounts of its own: the daemon's socket is in nobody's way.
    const start = "mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon && exec avahi-daemon"
    const daemon = this.spawn(
      host,
      ...withBus("sh", "-c", `${start} -f ${at("avahi.conf")} --no-drop-root --no-chroot --no-rlimits`)
    )
    const answers = () => host.run(...(withBus("avahi-browse", "-at") as [string])).code === 0
    await until("Avahi answers", 10_000, answers, () => daemon.text)
    return withBus
  }

  [Symbol.dispose](): void {
    for (const { process } of this.#devices) process.kill("SIGKILL")
    this.lab[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #switch(name: string): Host {
    const known = this.#switches.get(name)
    if (known !== undefined) return known
    const bridge = this.lab.host(name)
    this.#switches.set(name, bridge)
    // With snooping and nobody who asks for memberships, multicast ends after some minutes.
    bridge.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0", "stp_state", "0")
    bridge.ip("link", "set", "br0", "up")
    return bridge
  }
}

interface Plug {
  readonly device?: string
  readonly mac?: string
  readonly on?: string
}
