/**
 * A run step by step: each input that a node took up, with its number, what the node gave for it, and what that changed in what it
 * believes. What befalls the world stands in between.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import type { Machine } from "../engine/Machine.ts"
import { isKernel } from "../engine/Present.ts"
import type { Happening } from "../engine/View.ts"
import { moment } from "../judge/Words.ts"
import type { Fed, Feed } from "../trace/Feed.ts"
import { changes } from "./Changes.ts"
import { commandWords, inputWords, worldWords } from "./FullLog.ts"

const TIME_COLUMNS = 10
const NUMBER_COLUMNS = 9
const BELOW = " ".repeat(TIME_COLUMNS + NUMBER_COLUMNS + 3)

export interface Window {
  readonly fromMs: number
  readonly untilMs: number
}

interface Step {
  readonly atMs: number
  readonly node: string
  readonly input: Input
  readonly commands: ReadonlyArray<Command>
  readonly before: Node.NodeState
  readonly after: Node.NodeState
  /** Whether its state is one of a kernel, and says something. */
  readonly kernel: boolean
  readonly nameOf: (deviceId: string) => string
}

const time = (atMs: number): string => moment(atMs).padStart(TIME_COLUMNS)

export class StepView {
  readonly lines: Array<string> = []
  readonly #window: Window
  readonly #states = new Map<string, Node.NodeState>()
  #events = 0

  constructor(window: Window) {
    this.#window = window
  }

  #seen(atMs: number): boolean {
    return atMs >= this.#window.fromMs && atMs <= this.#window.untilMs
  }

  #step({ after, atMs, before, commands, input, kernel, nameOf, node }: Step): void {
    this.#events++
    if (!this.#seen(atMs)) return
    this.lines.push(
      `${time(atMs)}${`#${this.#events}`.padStart(NUMBER_COLUMNS)}   ${node} ← ${inputWords(input, nameOf)}`,
      ...commands.map((command) => `${BELOW}  → ${commandWords(command, nameOf)}`),
      ...(kernel ? changes(before, after, input.at.mono, nameOf).map((words) => `${BELOW}  ● ${words}`) : [])
    )
  }

  /** In a world. */
  readonly onStep = (machine: Machine, input: Input, commands: ReadonlyArray<Command>): void => {
    const { config, name, world } = machine
    const after = machine.state()
    if (after === null) return
    const before = (input._tag === "Started" ? undefined : this.#states.get(name)) ?? Node.make(config)
    this.#states.set(name, after)
    const nameOf = (id: string): string => world.nameOf(id)
    this.#step({ atMs: world.nowMs, node: name, input, commands, before, after, kernel: isKernel(machine), nameOf })
  }

  /** From a file. */
  readonly onFed = ({ after, before, commands, line: { atMs, input, node } }: Fed, feed: Feed): void => {
    const nameOf = (id: string): string => feed.nameOf(id)
    this.#step({ atMs, node, input, commands, before, after, kernel: feed.isKernel(node), nameOf })
  }

  /** What nodes tell stands among their commands. */
  readonly onHappening = (happening: Happening): void => {
    if (happening.node !== null || !this.#seen(happening.atMs)) return
    this.lines.push(`${time(happening.atMs)}${" ".repeat(NUMBER_COLUMNS)}   ${worldWords(happening)}`)
  }
}
