/**
 * A recording, done again by a kernel: the same inputs, from the same beginning. Says whether the same came of it, and if not, where
 * it first did not, and by whose doing.
 */
import type { Command } from "../../kernel/Command.ts"
import type { NodeState } from "../../kernel/Node.ts"
import * as Node from "../../kernel/Node.ts"
import type { InputLine } from "./Format.ts"
import * as Hash from "./Hash.ts"
import type { Segment } from "./Read.ts"
import { absorb } from "./Scribe.ts"
import * as State from "./State.ts"

/** One process of a node, as far as its segments are there, in their order. */
export interface Life {
  readonly segments: ReadonlyArray<Segment>
}

/** Of a node, the oldest first. Segments that are not there leave a gap: what is behind it begins with a state of its own. */
export const livesOf = (segments: ReadonlyArray<Segment>): ReadonlyArray<Life> => {
  const lives: Array<{ segments: Array<Segment> }> = []
  let before: Segment | null = null
  for (const segment of segments.toSorted((a, b) => a.header.segment - b.header.segment)) {
    const goesOn = before !== null && segment.header.state !== null
    if (goesOn) lives.at(-1)!.segments.push(segment)
    else lives.push({ segments: [segment] })
    before = segment
  }
  return lives
}

export interface Fed {
  readonly file: string
  /** Of the file, from 1. */
  readonly at: number
  readonly line: InputLine
  readonly before: NodeState
  readonly after: NodeState
  readonly commands: ReadonlyArray<Command>
  /** Of everything up to here. */
  readonly hash: string
}

/** Where it came out otherwise: `state` is the one with which a segment begins. */
export interface Parting {
  readonly file: string
  readonly at: number
  readonly what: "hash" | "state" | "threw"
  /** In words, what was there instead; for `threw`, the error. */
  readonly instead: string
}

export interface Replayed {
  readonly inputs: number
  /** Of the end of each life. */
  readonly hash: string
  readonly state: NodeState | null
  readonly parting: Parting | null
}

export interface Kernel {
  readonly make: typeof Node.make
  readonly step: typeof Node.step
}

const beginningOf = ({ header: { config, state } }: Segment, kernel: Kernel): NodeState =>
  state === null ? kernel.make(config) : State.decode(State.unpacked(state))

/** Goes on behind what was changed, or is not there, from the state of the next segment. */
export const replay = (life: Life, kernel: Kernel = Node, onFed?: (fed: Fed) => void): Replayed => {
  let state: NodeState | null = null
  let hash = Hash.make()
  let inputs = 0
  let parting: Parting | null = null
  let before: Segment | null = null
  for (const segment of life.segments) {
    const { file, header, lines } = segment
    const follows: boolean =
      before !== null &&
      before.header.segment + 1 === header.segment &&
      before.damage === null &&
      before.torn === null &&
      before.header.after.inputs + before.lines.length === header.after.inputs
    if (follows && parting === null) {
      if (Hash.hex(hash) !== header.after.hash) parting = { file, at: 1, what: "hash", instead: Hash.hex(hash) }
      else if (State.text(state!) !== State.unpacked(header.state!))
        parting = { file, at: 1, what: "state", instead: "the state up to here is another one than was recorded" }
    }
    // From what was recorded: where the one before it parted, this one may be as it was all the same.
    hash = Hash.resume(header.after.hash)!
    state = beginningOf(segment, kernel)
    before = segment
    for (const [i, line] of lines.entries()) {
      try {
        const [after, commands] = kernel.step(state, line.input)
        absorb(hash, line.input, commands)
        const fed: Fed = { file, at: i + 2, line, before: state, after, commands, hash: Hash.hex(hash) }
        if (fed.hash !== line.hash && parting === null) parting = { file, at: fed.at, what: "hash", instead: fed.hash }
        state = after
        inputs++
        onFed?.(fed)
      } catch (error) {
        parting ??= { file, at: i + 2, what: "threw", instead: String(error) }
        break
      }
    }
  }
  return { inputs, hash: Hash.hex(hash), state, parting }
}
