/** A run on its way, beside one that was written down: the first step in which it is another one. */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Machine } from "../engine/Machine.ts"
import type { InputLine } from "./Format.ts"

/** A step of the run that goes by. */
export interface Now {
  readonly atMs: number
  readonly node: string
  readonly input: Input
  readonly commands: ReadonlyArray<Command>
}

export interface Parting {
  /** The number of the input, from 1. */
  readonly event: number
  /** `null`: the one run has nothing more. */
  readonly recorded: InputLine | null
  readonly now: Now | null
  /** The step is the one whose hash was recorded, and what is written beside it is something else. */
  readonly misquoted: boolean
}

/** The same input, at the same time, of the same node. */
export const isSame = (a: Omit<Now, "commands">, b: Omit<Now, "commands">): boolean =>
  a.atMs === b.atMs && a.node === b.node && JSON.stringify(a.input) === JSON.stringify(b.input)

export class Beside {
  parting: Parting | null = null
  /** Steps of the run so far. */
  events = 0
  readonly #lines: ReadonlyArray<InputLine>
  readonly #open: boolean
  readonly #verbatim: boolean

  /** `open`: the run that was written down may have gone on. `verbatim`: its inputs may be others than were hashed. */
  constructor(
    lines: ReadonlyArray<InputLine>,
    { open, verbatim }: { readonly open: boolean; readonly verbatim: boolean }
  ) {
    this.#lines = lines
    this.#open = open
    this.#verbatim = verbatim
  }

  readonly onStep = ({ name, world }: Machine, input: Input, commands: ReadonlyArray<Command>): void => {
    const event = ++this.events
    if (this.parting !== null) return
    const recorded = this.#lines[event - 1] ?? null
    // The hash holds everything that came before as well.
    const now: Now = { atMs: world.nowMs, node: name, input, commands }
    const hashed = recorded !== null && recorded.hash === world.traceHash()
    const misquoted = hashed && this.#verbatim && !isSame(recorded, now)
    if (recorded === null ? this.#open : hashed && !misquoted) return
    this.parting = { event, recorded, now, misquoted }
  }

  /** The run is over. */
  end(): Parting | null {
    const recorded = this.#lines[this.events]
    if (recorded !== undefined) this.parting ??= { event: this.events + 1, recorded, now: null, misquoted: false }
    return this.parting
  }
}
