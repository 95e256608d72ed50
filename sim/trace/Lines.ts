/** The steps of a run as a trace would hold them, kept in memory. */
import type { Input } from "../../kernel/Input.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import type { InputLine } from "./Format.ts"

export class Lines {
  readonly lines: Array<InputLine> = []
  #world: World | null = null

  readonly onStep = ({ name, world }: Machine, input: Input): void => {
    this.#world = world
    this.lines.push({ atMs: world.nowMs, node: name, input, hash: world.traceHash() })
  }

  readonly nameOf = (deviceId: string): string => this.#world?.nameOf(deviceId) ?? deviceId.slice(0, 8)
}
