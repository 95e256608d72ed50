/**
 * A run as its whole log: every input that a node took up, every command that it gave, and what befell the world, in order, one
 * line each. For reading the story closely; `--json` and trace files are for machines.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Machine } from "../engine/Machine.ts"
import type { Happening } from "../engine/View.ts"
import { moment } from "../judge/Words.ts"

const TIME_COLUMNS = 10

const deviceId = /\b[0-9a-f]{64}\b/gu

/** Its parts without its tag and its instant, which is the line's, and with names in place of device ids. */
const parts = (
  { _tag, at: _at, ...rest }: { readonly _tag: string; readonly at?: unknown },
  nameOf: (deviceId: string) => string
): string =>
  Object.keys(rest).length === 0 ? _tag : `${_tag} ${JSON.stringify(rest).replaceAll(deviceId, (id) => nameOf(id))}`

/** What a node took up, and what it gave, without the time. */
export const inputWords = parts
export const commandWords = (command: Command, nameOf: (deviceId: string) => string): string =>
  // An alarm's time is all that there is to it.
  command._tag === "SetAlarm" ? `SetAlarm ${command.at}` : parts(command, nameOf)

export const worldWords = ({ about, detail, event }: Happening): string =>
  [event, ...(about === null ? [] : [about]), ...(detail.reason === undefined ? [] : [detail.reason])].join(" ")

export class FullLog {
  readonly lines: Array<string> = []

  readonly onStep = ({ name, world }: Machine, input: Input, commands: ReadonlyArray<Command>): void => {
    const time = moment(world.nowMs).padStart(TIME_COLUMNS)
    const nameOf = (id: string): string => world.nameOf(id)
    this.lines.push(`${time}   ${name} ← ${inputWords(input, nameOf)}`)
    for (const command of commands) this.lines.push(`${time}   ${name} → ${commandWords(command, nameOf)}`)
  }

  /** What nodes tell stands among their commands. */
  readonly onHappening = (happening: Happening): void => {
    if (happening.node !== null) return
    this.lines.push(`${moment(happening.atMs).padStart(TIME_COLUMNS)}   ${worldWords(happening)}`)
  }
}
