/** What a node owns that moves, and on what terms (PROTOCOL.md part 16; B34, B36). */
import type { Role } from "../wire/Frame.ts"
import type { DeviceId } from "../wire/Frame.ts"
import type { Demand } from "./Gate.ts"

/** What the capability of one begins with. */
export const ACTUATOR = "actuator:"

/**
 * Who has to agree before what is proposed is done (B27). By the policy of whoever owns it, and by nobody else's word. L1: it is done as
 * soon as a leader has it; L2: one person; L3: one person who types the name of what is moved, and a sensor that shows what came of it.
 */
export const levels = ["L1", "L2", "L3"] as const
export type Level = (typeof levels)[number]

/** A sensor, as far as it matters which. */
export interface Sensing {
  readonly metric: string
  /** `null`: of any zone. */
  readonly zone: string | null
  /** Whose word counts; `null`: any device's that says observations. */
  readonly device: DeviceId | null
}

/** What a sensor says of it, so that one sees what a drive did: a device's verification. */
export interface Readback extends Sensing {
  /** After a drive it has to show within so long, ms. */
  readonly withinMs: number
  /** By state, what it then shows; of a state that is not here nothing is verified. */
  readonly reads: { readonly [state: string]: { readonly atLeast?: number; readonly atMost?: number } }
}

/** What has to be so while it is not in its safe state, as a sensor says; of what nobody says nothing is moved. */
export interface Need extends Sensing {
  /** How old a reading may be, ms. */
  readonly withinMs: number
  readonly atLeast?: number
  readonly atMost?: number
}

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
  /** Absent: L2. */
  readonly level?: Level
  /** Of the persons whose keys its owner knows, those who may approve; absent: all of them. */
  readonly approvers?: ReadonlyArray<string>
  /** Absent: nothing shows what a drive did. */
  readonly readback?: Readback
  /** Absent: nothing. */
  readonly needs?: ReadonlyArray<Need>
}

export const levelOf = ({ level = "L2" }: Actuator): Level => level

/** What a command under a lease has to satisfy. At L3 only a person moves it, whatever else is demanded. */
export const demandOf = (actuator: Actuator): Demand => ({
  ...actuator.demand,
  ...(levelOf(actuator) === "L3" ? { verification: "human" as const } : {}),
  readsBack: actuator.readback !== undefined
})

/** As people say it, and type it. */
export const nameOf = (ref: string): string => (ref.startsWith(ACTUATOR) ? ref.slice(ACTUATOR.length) : ref)

/** What a guardian does with a command: its one verb. Relative ones do not exist. */
export const SET = "set"
