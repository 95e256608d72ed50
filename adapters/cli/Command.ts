/**
 * `clawmesh`: from words to an exit code. Everything that it does to the world outside goes through `Surroundings`, so that a
 * test can be the terminal.
 */
import { resolve } from "node:path"
import { printable } from "../config/Printable.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { socketIn, stateDirectory, type User } from "../operator/Place.ts"
import { completionFor, type Manner, type Order, readArguments } from "./Arguments.ts"
import { help } from "./Help.ts"
import { type Exit, exits } from "./Exit.ts"
import type { Errand } from "./Errand.ts"
import { placeOf } from "./Person.ts"
import type { Look } from "./Text.ts"

export interface Surroundings extends User {
  readonly version: string
  /** Of this machine, whole. */
  readonly hostName: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Asks whoever sits at the terminal, for a line; `null`: nobody does. */
  readonly ask: ((question: string) => Promise<string>) | null
  /** Standard output is a terminal. */
  readonly isTerminal: boolean
  /** Runs a program of the system at this terminal; its exit code, `null`: it is not there. */
  readonly run: (command: ReadonlyArray<string>) => Promise<number | null>
  /** The calendar, ms since 1970. */
  readonly nowMs: () => number
}

const lookOf = ({ colour, quiet }: Manner, { env, isTerminal }: Surroundings): Look => ({
  // https://no-color.org: set and not empty.
  colour: colour && isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
  quiet
})

/** With `--json` a document on standard output, for whoever reads that; else a sentence, its first word the program's name. */
const report = ({ json }: Manner, { err, out }: Surroundings, said: Failure | Exit): Exit => {
  if (typeof said === "number") return said
  if (json) out(`${JSON.stringify(said)}\n`)
  else {
    // What the node or a mistyped word says is not to write to the terminal either.
    const lines = `${said.message}${said.hint === null ? "" : `\n${said.hint}`}`.split("\n").map(printable)
    err(`clawmesh: ${lines.join("\n  ")}\n`)
  }
  return said.exit
}

export const command = async (words: ReadonlyArray<string>, around: Surroundings): Promise<Exit> => {
  const read = readArguments(words)
  const { manner } = read
  if ("misuse" in read) return report(manner, around, failure("WRONG_USE", read.misuse))
  const { order } = read
  switch (order._tag) {
    case "help":
      around.out(help)
      return exits.done
    case "version": {
      const record = { $type: "clawmesh.version/1", version: around.version }
      around.out(manner.json ? `${JSON.stringify(record)}\n` : `clawmesh ${around.version}\n`)
      return exits.done
    }
    case "completion":
      around.out(completionFor(order.shell))
      return exits.done
    case "logs":
      return report(manner, around, await logs(order, manner, around))
    default:
      return report(manner, around, await ask(order, manner, around))
  }
}

/** Without a time. */
const LOG_LINES = 100

/** By the unit's name, in the node's own words, which have their time. */
const logs = async (
  { follow, sinceMs }: Extract<Order, { readonly _tag: "logs" }>,
  { json }: Manner,
  { nowMs, run }: Surroundings
): Promise<Failure | Exit> => {
  const code = await run([
    "journalctl",
    "--unit=clawmesh-node",
    `--output=${json ? "json" : "cat"}`,
    sinceMs === null ? `--lines=${LOG_LINES}` : `--since=@${Math.floor((nowMs() - sinceMs) / 1_000)}`,
    ...(follow ? ["--follow"] : [])
  ])
  if (code === 0) return exits.done
  return code === null
    ? failure("NOT_FOUND", "there is no journalctl on this machine", "The node says what it does where it was started")
    : failure(
        "DELIVERY_FAILED",
        `journalctl ended with ${code}`,
        "Whoever may read the journal is root, or in the group adm: sudo clawmesh logs"
      )
}

/** What came of a command that needs the node; an exit code: all is told. */
const ask = async (order: Errand["order"], manner: Manner, around: Surroundings): Promise<Failure | Exit> => {
  const state = manner.state === null ? stateDirectory(around) : resolve(around.cwd, manner.state)
  const { ask: question, cwd, env, home, isRoot, nowMs, out, version } = around
  const look = lookOf(manner, around)
  const errand: Errand = {
    order,
    manner,
    socket: socketIn(state),
    state,
    around,
    version,
    look,
    nowMs,
    out,
    ask: question,
    person: placeOf(env, home),
    user: { cwd, env, home, isRoot }
  }
  try {
    const { perform } = await import("./Perform.ts")
    return await perform(errand)
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return failure("INTERNAL_ERROR", `this is a defect of clawmesh\n${stack}`)
  }
}
