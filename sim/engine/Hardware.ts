/**
 * What a machine moves: an actuator for each of its capabilities that begins with `actuator:`, open or closed. It keeps the time
 * of a drive by a clock of its own, whatever becomes of the process that asked for it, and of the power of the machine.
 *
 * A stuck one stays as it is, and says so; one that is uncoupled stays as it is, and says that it moved. A drive takes effect at once, and is answered a little later: a process that dies in between never learns of it.
 */
import { proposalsOf } from "../../kernel/proposals/Proposal.ts"
import type { NodeSpec } from "../scenario/Scenario.ts"
import { ACTUATOR, nameOf, type Actuator } from "../../kernel/actuation/Actuator.ts"
import { groupOf } from "../../kernel/actuation/Ledger.ts"
import type { Command } from "../../kernel/Command.ts"
import { between } from "../../kernel/Draw.ts"
import type { Life } from "./Life.ts"
import type { Machine } from "./Machine.ts"
import type { ActuatorView } from "./View.ts"

const OPEN = "open"
const CLOSED = "closed"
const DRIVE_MS = { min: 5, max: 80 }
/** Its own clock comes behind the one of its node, so that one sees which of the two it was. */
const LATE_MS = 1_000
/** A farm's longest watering. */
const OPEN_MS_MAX = 3_600_000

/** What stands in a machine's place for one actuator; entries are replaced, not changed. */
export interface Moved {
  readonly state: string
  /** How often it was set, by whomever. */
  readonly drives: number
  /** How often it was driven out of its safe state; when, and by whose order, last. */
  readonly runs: number
  readonly ranAtMs: number
  readonly ranBy: string | null
}

const UNMOVED: Moved = { state: CLOSED, drives: 0, runs: 0, ranAtMs: -1, ranBy: null }

/** What a node is told about the actuators that it names among its capabilities. */
export const actuatorsOf = ({ capabilities, policy }: NodeSpec): ReadonlyArray<Actuator> =>
  capabilities
    .filter((capability) => capability.startsWith(ACTUATOR))
    .map((ref) => {
      const { approvers, level, metric, needs, verification, withinMs } = policy?.[nameOf(ref)] ?? { withinMs: 0 }
      return {
        ref,
        group: nameOf(ref),
        states: [OPEN, CLOSED],
        safe: CLOSED,
        forMsMax: OPEN_MS_MAX,
        demand: {
          minimum: "T2_operational_observation",
          verification: verification ?? "none"
        },
        askers: ["planner", "standby-planner"],
        ...(level === undefined ? {} : { level }),
        ...(approvers === undefined ? {} : { approvers }),
        ...(needs === undefined ? {} : { needs: needs.map((need) => ({ ...need, device: null })) }),
        ...(metric === undefined
          ? {}
          : { readback: { metric, zone: nameOf(ref), device: null, withinMs, reads: READS } })
      }
    })

const READS = { [OPEN]: { atLeast: 1 }, [CLOSED]: { atMost: 0 } }

/** Whoever owns it. */
export const isOpen = (machines: ReadonlyArray<Machine>, name: string): boolean =>
  seen(machines, `${ACTUATOR}${name}`).positions.includes(OPEN)

/** What a sensor says that looks at an actuator. */
export const shown = (machines: ReadonlyArray<Machine>, name: string): number => (isOpen(machines, name) ? 1 : 0)

const movedOf = ({ hardware }: Life, actuator: string): Moved => hardware.get(actuator) ?? UNMOVED

const set = (machine: Machine, life: Life, actuator: string, state: string, why: string): number => {
  const was = movedOf(life, actuator)
  const drives = was.drives + 1
  if (was.state !== state) machine.world.farmPasses()
  life.hardware.set(actuator, { ...was, state, drives })
  if (was.state !== state) machine.tellMoved(`${actuator.slice(ACTUATOR.length)} is ${state}${why}`)
  machine.world.visible()
  return drives
}

/** It runs: by order of whoever holds the lease, as its guardian has it, or at the device where a person approved it. */
const runs = (machine: Machine, life: Life, actuator: string, intentId: string | null): void => {
  const moved = movedOf(life, actuator)
  const state = machine.state()
  const holder = groupOf(state?.durable.ledger, actuator.slice(ACTUATOR.length)).holder
  const all = state === null || holder !== null ? [] : proposalsOf(state.world, state.config, state.startedAt)
  const by = holder?.deviceId ?? all.find(({ id }) => id === intentId)?.decided?.at
  const ranBy = by === undefined ? null : machine.world.nameOf(by)
  life.hardware.set(actuator, { ...moved, runs: moved.runs + 1, ranAtMs: machine.world.nowMs, ranBy })
}

/** What an observer sees of an actuator, whoever owns it. */
export const seen = (machines: ReadonlyArray<Machine>, actuator: string): ActuatorView => {
  const all = machines
    .filter(({ spec }) => spec.capabilities.includes(actuator))
    .map((machine) => machine.hardware(actuator) ?? UNMOVED)
  const latest = all.reduce((last, one) => (one.ranAtMs > last.ranAtMs ? one : last), UNMOVED)
  return {
    runs: all.reduce((sum, one) => sum + one.runs, 0),
    positions: all.map(({ state }) => state),
    lastRunBy: latest.ranBy
  }
}

export const drive = (machine: Machine, life: Life, command: Extract<Command, { readonly _tag: "Drive" }>): void => {
  const { actuator, forMs, intentId, state, ticket } = command
  const { agenda, nowMs, seed } = machine.world
  const stuck = life.jams > 0
  const vain = !stuck && life.uncoupled > 0 && movedOf(life, actuator).state !== state
  if (stuck) life.failedDrives++
  if (vain) life.vainDrives++
  const moves = !stuck && life.uncoupled === 0
  const nth = set(machine, life, actuator, moves ? state : movedOf(life, actuator).state, "")
  if (moves && state !== CLOSED) runs(machine, life, actuator, intentId)
  const tookMs = between(seed, "drive", `${machine.name}/${actuator}`, nth, DRIVE_MS.min, DRIVE_MS.max)
  const { process } = life
  const happened = { _tag: "Driven", ticket, ok: !stuck } as const
  agenda.push(nowMs + tookMs, { _tag: "input", machine: machine.index, process, happened })
  if (forMs !== null && moves)
    agenda.push(nowMs + forMs + LATE_MS, { _tag: "hardware", machine: machine.index, process, actuator, nth })
}

/** Its own clock says that it has been so for long enough, unless it was set since. */
export const ends = (machine: Machine, life: Life, actuator: string, nth: number): void => {
  if (life.jams === 0 && life.uncoupled === 0 && life.hardware.get(actuator)?.drives === nth)
    set(machine, life, actuator, CLOSED, ", by its own clock")
}
