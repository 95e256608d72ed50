/**
 * The inputs of a trace, given to a kernel once more: no network, no fuzzer, no world. What the kernel does with them is hashed as
 * it was when they were recorded, so that the first input with which it does otherwise is known.
 *
 * Does not model: what the simulated world itself told (crashes, cuts), which no node gets as an input.
 */
import type { Command } from "../../kernel/Command.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Kernel } from "../engine/Host.ts"
import { programOf } from "../engine/Machine.ts"
import { withPoison } from "../engine/Poison.ts"
import type { Happening } from "../engine/View.ts"
import { noted } from "../engine/Noted.ts"
import type { Header, InputLine } from "./Format.ts"
import * as Hash from "../../adapters/recorded/Hash.ts"

export interface Fed {
  readonly line: InputLine
  readonly before: NodeState
  readonly after: NodeState
  readonly commands: ReadonlyArray<Command>
  /** Of everything up to here. */
  readonly hash: string
}

export class Feed {
  /** What nodes told, as the world would have heard it. */
  readonly happenings: Array<Happening> = []
  readonly #programs: ReadonlyArray<Kernel>
  readonly #header: Header
  readonly #nodes: Array<NodeState>
  readonly #places: ReadonlyMap<string, number>
  readonly #names: ReadonlyMap<string, string>
  readonly #hash = Hash.make()

  constructor(header: Header, kernel: Kernel) {
    const { nodes } = header
    this.#header = header
    this.#programs = nodes.map(({ generation }) => programOf(generation, kernel))
    this.#nodes = nodes.map(({ config }, i) => this.#programs[i]!.make(config))
    this.#places = new Map(nodes.map(({ name }, i) => [name, i]))
    // Of two with one key the first is whom people mean.
    this.#names = new Map(nodes.map(({ config, name }) => [config.deviceId, name] as const).toReversed())
  }

  nameOf(deviceId: string): string {
    return this.#names.get(deviceId) ?? deviceId.slice(0, 8)
  }

  /** Whether what it runs is a kernel, and no program of generation 1. */
  isKernel(node: string): boolean {
    return this.#header.nodes[this.#places.get(node)!]!.generation !== 1
  }

  /** Throws what the kernel throws. */
  take(line: InputLine): Fed {
    const { atMs, input, node } = line
    const i = this.#places.get(node)!
    // A process begins with it, and knows nothing of the one before.
    const before = input._tag === "Started" ? this.#programs[i]!.make(this.#header.nodes[i]!.config) : this.#nodes[i]!
    const [after, commands] = this.#programs[i]!.step(before, input)
    this.#nodes[i] = after
    for (const absorbed of [input, ...commands]) Hash.absorb(this.#hash, atMs, i, absorbed)
    for (const command of commands)
      if (command._tag === "Note") this.happenings.push(noted(atMs, node, command.event, (id) => this.nameOf(id)))
    return { line, before, after, commands, hash: Hash.hex(this.#hash) }
  }
}

/** What came of feeding all inputs of a trace. */
export interface Refed {
  /** The first input with which the kernel does otherwise than was recorded, from 1; `null`: it never does. */
  readonly parted: { readonly event: number; readonly fed: Fed } | null
  /** The kernel threw at the input of this number; nothing behind it was fed. */
  readonly threw: { readonly event: number; readonly error: unknown } | null
  readonly happenings: ReadonlyArray<Happening>
}

export const refeed = (
  header: Header,
  lines: ReadonlyArray<InputLine>,
  kernel: Kernel,
  onFed?: (fed: Fed, feed: Feed) => void
): Refed =>
  withPoison(() => {
    const feed = new Feed(header, kernel)
    let parted: Refed["parted"] = null
    for (let i = 0; i < lines.length; i++) {
      try {
        const fed = feed.take(lines[i]!)
        if (parted === null && fed.hash !== fed.line.hash) parted = { event: i + 1, fed }
        onFed?.(fed, feed)
      } catch (error) {
        return { parted, threw: { event: i + 1, error }, happenings: feed.happenings }
      }
    }
    return { parted, threw: null, happenings: feed.happenings }
  })
