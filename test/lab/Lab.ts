/**
 * Hosts of their own on one machine: network namespaces, joined by veth pairs, gone when the lab closes.
 *
 * Nothing is added to the machine's own network, neither address nor route nor rule, and no host has a default route: a stray
 * packet to anywhere else fails at once. A lab whose process was killed is removed by the next one that opens, with all that
 * still runs in it.
 */
import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

/** Tools of a lab, and the Debian package that each comes with. */
const packages: { readonly [tool: string]: string } = { ip: "iproute2", ping: "iputils-ping", nft: "nftables" }

const advice = (tool: string, name: string): string => `${tool} is not on the path: apt-get install ${name}`

/** What is missing for a lab, a sentence each; empty: nothing. */
export const missing = (uid: number | undefined, has: (tool: string) => boolean): ReadonlyArray<string> => [
  ...(uid === 0 ? [] : ["Network namespaces need root: run pnpm test:lab as root."]),
  ...Object.entries(packages).flatMap(([tool, name]) => (has(tool) ? [] : [advice(tool, name)]))
]

const onPath = (tool: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Throws, with what to install, when one of these tools is missing: `{ gcc: "gcc" }`. */
export const need = (tools: { readonly [tool: string]: string }): void => {
  for (const [tool, name] of Object.entries(tools)) if (!onPath(tool)) throw new Error(advice(tool, name))
}

export interface Ended {
  readonly code: number | null
  readonly output: string
}

const spawned = (command: string, args: ReadonlyArray<string>): Ended => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 })
  if (error !== undefined) throw error
  return { code: status, output: `${stdout}${stderr}` }
}

const ip = (...args: ReadonlyArray<string>): string => {
  const { code, output } = spawned("ip", args)
  if (code !== 0) throw new Error(`ip ${args.join(" ")} ended with ${code}: ${output}`)
  return output
}

const namespaces = (): ReadonlyArray<string> =>
  ip("netns", "list")
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => name !== "")

/** Ends what runs in a namespace, by pid, and removes it: a process that stayed would keep the network alive without a name. */
const remove = (name: string): void => {
  for (const pid of ip("netns", "pids", name).split("\n")) {
    try {
      if (pid !== "") process.kill(Number(pid), "SIGKILL")
    } catch {
      // It has ended by itself meanwhile.
    }
  }
  ip("netns", "delete", name)
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export class Host {
  readonly namespace: string

  constructor(namespace: string) {
    this.namespace = namespace
    ip("netns", "add", namespace)
    ip("-n", namespace, "link", "set", "lo", "up")
  }

  /** `ip` on this host; throws when it fails. */
  ip(...args: ReadonlyArray<string>): string {
    return ip("-n", this.namespace, ...args)
  }

  /** Runs a command on this host, for at most 20 s. */
  run(command: string, ...args: ReadonlyArray<string>): Ended {
    return spawned("ip", ["netns", "exec", this.namespace, command, ...args])
  }

  /** Whether one ping to `address` comes back within a second. */
  reaches(address: string): boolean {
    return this.run("ping", "-c", "1", "-W", "1", address).code === 0
  }
}

export class Lab {
  static #labs = 0
  readonly #prefix = `clawmesh-${process.pid}-${Lab.#labs++}-`

  /** Throws, with what to install, when there can be no lab here. */
  constructor() {
    const lacks = missing(process.getuid?.(), onPath)
    if (lacks.length > 0) throw new Error(lacks.join("\n"))
    for (const name of namespaces()) {
      const pid = /^clawmesh-(\d+)-/u.exec(name)?.[1]
      if (pid !== undefined && !isAlive(Number(pid))) remove(name)
    }
  }

  host(name: string): Host {
    return new Host(`${this.#prefix}${name}`)
  }

  /** A cable: `eth0` of both hosts, with these addresses on a network of their own (such as 10.77.0.1/24). */
  join(one: Host, oneAddress: string, other: Host, otherAddress: string): void {
    ip("link", "add", "eth0", "netns", one.namespace, "type", "veth", "peer", "name", "eth0", "netns", other.namespace)
    for (const [host, address] of [
      [one, oneAddress],
      [other, otherAddress]
    ] as const) {
      host.ip("address", "add", address, "dev", "eth0")
      host.ip("link", "set", "eth0", "up")
    }
  }

  /** Names of the namespaces that this lab has now. */
  namespaces(): ReadonlyArray<string> {
    return namespaces().filter((name) => name.startsWith(this.#prefix))
  }

  [Symbol.dispose](): void {
    for (const name of this.namespaces()) remove(name)
  }
}
