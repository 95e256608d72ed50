/** What a node owns that moves, and on what terms (PROTOCOL.md part 16; B34, B36). */
import type { Role } from "../wire/Frame.ts"
import type { Demand } from "./Gate.ts"

/** What the capability of one begins with. */
export const ACTUATOR = "actuator:"

export interface Actuator {
  /** As its capability names it: `actuator:pump-1`. */
  readonly ref: string
  /** Interlocked actuators are one group: one of them moves at a time, at the word of one holder. */
  readonly group: string
  /** The states that it can be told to take, all of them absolute; the safe one among them. */
  readonly states: ReadonlyArray<string>
  readonly safe: string
  /** It returns to the safe state by itself after so long at most, ms. */
  readonly forMsMax: number
  readonly demand: Demand
  /** Roles whose word may move it. */
  readonly askers: ReadonlyArray<Role>
}

/** What a guardian does with a command: its one verb. Relative ones do not exist. */
export const SET = "set"
