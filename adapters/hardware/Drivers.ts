/**
 * What this node moves, moved: for each drive the program of node.yaml runs once, and has set the state when it ends with 0.
 *
 * The dead man is a process of its own (`sh`, `sleep`): it is started before the drive, outlives this program whatever becomes of
 * it, and puts the actuator into its safe state a little after its time, unless somebody has set it since. Which drive is the last
 * one stands in a file for each actuator (`drives/NAME` in the state directory), so that one of an older process does nothing.
 *
 * Total: a program that fails, is not there, or takes longer than `DRIVE_MS` is told as `false`; the guardian makes safe then.
 */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { DRIVE_MS } from "../../kernel/actuation/Guard.ts"
import type { Command } from "../../kernel/Command.ts"
import type { Hardware } from "../../kernel/Ports.ts"
import { commandFor, type OwnedActuator } from "../config/Actuators.ts"
import { run, surroundings, type Program } from "./Program.ts"

type Drive = Extract<Command, { readonly _tag: "Drive" }>

/** The guardian's own clock comes first. */
const AFTER_MS = 2_000
/** A little less than the guardian waits. */
const PROGRAM_MS_MAX = DRIVE_MS - 500

/** After so many seconds, if the drive is still the last one: the program that makes it safe. */
const DEAD_MAN = 'sleep "$1"; [ "$(cat "$2" 2>/dev/null)" = "$3" ] || exit 0; shift 3; exec "$@"'

const environmentOf = ({ actuator, forMs, intentId, state }: Drive): Program["environment"] => ({
  CLAWMESH_ACTUATOR: actuator,
  CLAWMESH_STATE: state,
  CLAWMESH_FOR_MS: String(forMs ?? 0),
  CLAWMESH_INTENT: intentId ?? ""
})

export interface Told {
  /** One line for the log. */
  readonly note: (text: string) => void
}

/** @param directory the state directory */
export const make = (
  actuators: ReadonlyArray<OwnedActuator>,
  directory: string,
  { note }: Told
): Hardware["Service"] => {
  const drives = join(directory, "drives")

  /** The word by which this drive is the last one, from now on. */
  const marked = (name: string): { readonly file: string; readonly mark: string } => {
    mkdirSync(drives, { recursive: true, mode: 0o700 })
    const file = join(drives, name)
    const mark = randomUUID()
    writeFileSync(`${file}.new`, mark, { mode: 0o600 })
    renameSync(`${file}.new`, file)
    return { file, mark }
  }

  const watch = (drive: Drive, forMs: number, actuator: OwnedActuator, file: string, mark: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const seconds = String(Math.ceil((forMs + AFTER_MS) / 1_000))
      const safe = commandFor(actuator, actuator.safe)
      const child = spawn("sh", ["-c", DEAD_MAN, "clawmesh-dead-man", seconds, file, mark, ...safe], {
        ...surroundings(environmentOf({ ...drive, state: actuator.safe, forMs: null, intentId: null })),
        stdio: "ignore"
      })
      child.once("error", reject)
      child.once("spawn", () => {
        child.unref()
        resolve()
      })
    })

  const moved = async (drive: Drive, actuator: OwnedActuator): Promise<boolean> => {
    const command = commandFor(actuator, drive.state)
    // By itself: what moves is not ended because this program is.
    const outcome = await Effect.runPromise(
      run({ command, environment: environmentOf(drive), msMax: PROGRAM_MS_MAX, reads: false })
    )
    if ("why" in outcome) note(`${drive.actuator}: ${command[0]} ${outcome.why}`)
    return !("why" in outcome)
  }

  const driven = async (drive: Drive): Promise<boolean> => {
    const actuator = actuators.find(({ ref }) => ref === drive.actuator)
    if (actuator === undefined) return false
    try {
      const { file, mark } = marked(actuator.ref.slice(ACTUATOR.length))
      if (drive.forMs !== null) await watch(drive, drive.forMs, actuator, file, mark)
    } catch (error) {
      note(`${drive.actuator}: no dead man, and so no drive: ${error instanceof Error ? error.message : String(error)}`)
      // Safe is safe without one.
      if (drive.forMs !== null) return false
    }
    return moved(drive, actuator)
  }

  return { drive: (drive) => Effect.promise(() => driven(drive)) }
}
