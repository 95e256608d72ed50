/**
 * Hosts on a switch that delays, reorders and duplicates their packets: `tapSwitch.c`, compiled here, because the kernel of a
 * CI machine need not have netem. What it did is counted, so that a test can show that its fault took place.
 */
import { spawn, spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { join } from "node:path"
import { type Host, need } from "./Lab.ts"
import { Device, type Line, type Segment } from "./Segment.ts"

export interface Badness {
  /** Each frame is late by so much, give or take up to `jitterMs`. */
  readonly delayMs?: number
  readonly jitterMs?: number
  /** In a thousand: frames that are not late at all, frames that come twice, frames that do not come. */
  readonly reordered?: number
  readonly duplicated?: number
  readonly lost?: number
}

export interface Counts {
  readonly carried: number
  /** Frames that came after one that was sent later. */
  readonly overtaken: number
  readonly duplicated: number
  readonly lost: number
}

const TUN = "/dev/net/tun"

export class TapSwitch {
  readonly #device: Device

  private constructor(device: Device) {
    this.#device = device
  }

  /** `eth0` of these hosts hangs on it; the caller gives addresses. The same seed draws the same fates in the same order. */
  static async make(segment: Segment, directory: string, seed: number, hosts: ReadonlyArray<Host>): Promise<TapSwitch> {
    try {
      accessSync(TUN, constants.R_OK | constants.W_OK)
    } catch {
      throw new Error(
        `${TUN} cannot be opened: the kernel needs TAP devices (CONFIG_TUN), and a container the device file`
      )
    }
    need({ gcc: "gcc libc6-dev" })
    const program = join(directory, "tapSwitch")
    const compiled = spawnSync(
      "gcc",
      ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, join(import.meta.dirname, "tapSwitch.c")],
      { encoding: "utf8", timeout: 30_000 }
    )
    if (compiled.error !== undefined)
      throw new Error("no gcc: apt-get install gcc libc6-dev", { cause: compiled.error })
    if (compiled.status !== 0) throw new Error(`tapSwitch.c does not compile:\n${compiled.stderr}`)
    const names = hosts.map(({ namespace }) => namespace)
    const device = segment.own(new Device(spawn(program, [String(seed), ...names], { stdio: "pipe" })))
    await device.says("the switch is ready", 5_000, (line) => line["ready"] === true)
    return new TapSwitch(device)
  }

  /** From now on; what is left out is not done. */
  async be({ delayMs = 0, duplicated = 0, jitterMs = 0, lost = 0, reordered = 0 }: Badness): Promise<void> {
    const { set } = await this.#ask(`set ${delayMs} ${jitterMs} ${reordered} ${duplicated} ${lost}`)
    if (set !== true) throw new Error("the switch does not take this")
  }

  async count(): Promise<Counts> {
    return (await this.#ask("count")) as unknown as Counts
  }

  #ask(line: string): Promise<Line> {
    this.#device.mark()
    this.#device.process.stdin?.write(`${line}\n`)
    return this.#device.says(`the switch answers ${line}`, 5_000, () => true)
  }
}
