/**
 * An oracle watches every step of every node, knowing the whole truth of the world, and says in words what must never be.
 * One invariant a file, named as in docs/explanation/invariants.md. It keeps no more memory than its invariant needs.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import type { Port } from "../network/Connection.ts"

export interface Observation {
  readonly nowMs: number
  readonly machines: ReadonlyArray<Machine>
  readonly machine: Machine
  readonly before: NodeState
  readonly input: Input
  readonly after: NodeState
  readonly commands: ReadonlyArray<Command>
}

export interface Oracle {
  /** The id of the invariant, such as `S1`. */
  readonly id: string
  /**
   * After each step that changed a node, made it do something, or had to (Demands.ts); before its commands are performed. What
   * is broken, with names and terms; `null`: nothing.
   */
  readonly stepped: (seen: Observation) => string | null
  /** The same of devices of generation 1, which run no kernel. */
  readonly ofGen1?: (seen: Observation) => string | null
  /** A frame leaves its sender, a kernel: whatever it had to wait for is over. */
  readonly sent?: (sender: Machine, receiver: Port, frame: Frame, nowMs: number) => string | null
  /** Another one that remembers the same, for a fork of the world. The two share nothing that changes. */
  readonly fork: () => Oracle
}

/** A fresh set for one run. */
export type MakeOracle = () => Oracle
