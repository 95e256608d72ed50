/**
 * Writes down what a kernel takes up, as lines of text; where they go is not its business. One for each process.
 *
 * `begin` gives the first line of a segment, `take` the line of an input, to be written behind it.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Instant } from "../../kernel/Time.ts"
import { type Header, type Maker, sealed, TYPE } from "./Format.ts"
import * as Hash from "./Hash.ts"

export class Scribe {
  readonly #config: Config
  readonly #maker: Maker
  readonly #hash = Hash.make()
  #inputs = 0
  #sum = 0

  constructor(config: Config, maker: Maker) {
    this.#config = config
    this.#maker = maker
  }

  /** The first line of the segment that begins now, without the state of a node that runs already. */
  begin(segment: number, at: Instant): Header {
    this.#sum = segment
    return {
      $type: TYPE,
      ...this.#maker,
      name: this.#config.displayName,
      segment,
      at,
      after: { inputs: this.#inputs, hash: Hash.hex(this.#hash) },
      config: this.#config,
      state: null
    }
  }

  /** Throws a defect where something in it is no plain data. */
  take(input: Input, commands: ReadonlyArray<Command>): string {
    this.#inputs++
    absorb(this.#hash, input, commands)
    const { line, sum } = sealed(`{"input":${JSON.stringify(input)},"hash":"${Hash.hex(this.#hash)}"}`, this.#sum)
    this.#sum = sum
    return line
  }
}

/** An input and what came of it, into the hash. Their times are in the inputs. */
export const absorb = (hash: Hash.Hash, input: Input, commands: ReadonlyArray<Command>): void => {
  Hash.absorb(hash, 0, 0, input)
  for (const command of commands) Hash.absorb(hash, 0, 0, command)
}
