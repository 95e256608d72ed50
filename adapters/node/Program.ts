/**
 * The command line of `clawmesh-node`: words in, an exit code out. It finds out what is asked and hands it on; what a node is,
 * `Run.ts` composes, and only `run` loads that.
 *
 * What the world holds (arguments, environment, files, streams) comes in as `Host`, so that all of it runs in a test.
 */
import { isMove, type Rule } from "../../kernel/planning/Rule.ts"
import { demandOf, levelOf, type Need } from "../../kernel/actuation/Actuator.ts"
import { isProgram, type TopicSensor } from "../config/Sensors.ts"
import type { OwnedActuator } from "../config/Actuators.ts"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { type CommandLine, readFlags } from "../config/Flags.ts"
import { type Mistake, renderMistakes } from "../config/Mistake.ts"
import { descriptions, type Key, keys, writtenFlag } from "../config/NodeFile.ts"
import { originText } from "../config/Origin.ts"
import { printable } from "../config/Printable.ts"
import { findFile, needsYaml, type ReadSettings, readSettings, shown, type Surroundings } from "../config/read.ts"
import type { Settings } from "../config/Settings.ts"
import { hint } from "../config/Spelling.ts"
import { StartFailure } from "../config/StartFailure.ts"
import { type Diagnosis, preflight } from "../../kernel/status/Preflight.ts"
import * as Identity from "../vault/Identity.ts"
import * as StateDirectory from "../vault/StateDirectory.ts"
import { stateFailure } from "./StateFailure.ts"

/** The table of exit codes; service managers act on it (`RestartPreventExitStatus=78`). */
export const exits = {
  /** Stopped on request; done. */
  stopped: 0,
  /** Failed while running: starting again may help. */
  failed: 1,
  wrongUse: 2,
  /** A defect of clawmesh (EX_SOFTWARE of sysexits.h). */
  defect: 70,
  /** The configuration is wrong, and will be wrong again (EX_CONFIG). */
  configuration: 78
} as const
export type Exit = (typeof exits)[keyof typeof exits]

export interface Host extends Surroundings {
  readonly args: ReadonlyArray<string>
  readonly version: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Loads the node itself, which takes longer than all the rest here. */
  readonly load: () => Promise<{ readonly run: (settings: Settings) => Effect.Effect<void, StartFailure> }>
}

const commands: { readonly [command: string]: string } = {
  run: "run the node until it is told to stop (SIGTERM or Ctrl-C)",
  check: "read the configuration, say what it comes to and where each value is from",
  id: "print the device id and public key of this node; made if there are none",
  schema: "print the JSON Schema of farm.yaml, for editors",
  relay: "run a relay, through which nodes meet that cannot reach each other; see relay --help",
  version: "print the version",
  help: "print this"
}

const helpLine = (left: string, right: string): string => `  ${left.padEnd(30)}${right}`

const flagLine = (key: Key): string => {
  const { about, otherwise, value, kind } = descriptions[key]
  const often = kind === "list" ? "; may be repeated" : ""
  const flag = value === "" ? writtenFlag(key) : `${writtenFlag(key)} ${value}`
  return helpLine(flag, `${about}${often} [${otherwise}]`)
}

export const help: string = [
  "clawmesh-node: a node of a mesh",
  "",
  "usage: clawmesh-node COMMAND [FLAG …]",
  "",
  "commands",
  ...Object.entries(commands).map(([command, about]) => helpLine(command, about)),
  "",
  "settings [default]",
  ...keys.map(flagLine),
  "",
  "other flags",
  helpLine("--config FILE", "read this file [/etc/clawmesh/node.yaml, if it is there]"),
  helpLine("-h, --help", "print this"),
  helpLine("-V, --version", "print the version"),
  "",
  "A setting is taken from its flag, else from its environment variable (CLAWMESH_MESH_NAME is --mesh-name), else from the",
  "file (mesh-name), else from what the node joined with (clawmesh join), else it is the",
  "default. Lists are peers, electors and capabilities in environment and file.",
  "",
  "exit codes",
  helpLine("0", "stopped on request; done"),
  helpLine("1", "failed while running; starting again may help"),
  helpLine("2", "wrong use: the command line does not read"),
  helpLine("70", "a defect of clawmesh"),
  helpLine("78", "the configuration is wrong; do not restart"),
  ""
].join("\n")

/** Never fails: what goes wrong becomes an exit code, what must not happen a defect. */
export const program = (host: Host): Effect.Effect<Exit> =>
  Effect.suspend(() => {
    const { err, out } = host
    if (host.args[0] === "relay")
      return Effect.flatMap(
        Effect.promise(() => import("../relay/Program.ts")),
        ({ program }) => program({ ...host, args: host.args.slice(1) })
      )
    const line = readFlags(host.args)
    if (line.help) return said(out, help)
    if (line.version) return said(out, `${host.version}\n`)
    const [command, ...more] = line.commands
    const wrong: Array<string> = []
    if (command === undefined) wrong.push(`a command is missing: ${Object.keys(commands).join(", ")}`)
    else if (!Object.hasOwn(commands, command))
      wrong.push(`no such command: ${command}${hint(command, Object.keys(commands))}`)
    for (const word of more) wrong.push(`one word too many: ${word}`)
    if (command === undefined || command === "help" || command === "version") {
      if (wrong.length > 0 || line.mistakes.length > 0) return misused(err, wrong, line.mistakes)
      return said(out, command === "help" ? help : `${host.version}\n`)
    }
    if (command === "schema" && wrong.length === 0 && line.mistakes.length === 0)
      return Effect.flatMap(
        Effect.promise(() => import("../config/FarmSchema.ts")),
        ({ farmSchemaText }) => said(out, farmSchemaText())
      )

    const file = findFile(line, host)
    const yaml = needsYaml(line, host, file)
      ? Effect.promise(() => import("../config/Yaml.ts")).pipe(Effect.map(({ readYaml }) => readYaml))
      : Effect.succeed(null)
    return Effect.flatMap(yaml, (reader) => obey(command, wrong, line, readSettings(line, host, file, reader), host))
  })

/** The command, with the settings as they were read. */
const obey = (
  command: string,
  wrong: ReadonlyArray<string>,
  line: CommandLine,
  read: ReadSettings,
  { err, load, out }: Host
): Effect.Effect<Exit> =>
  Effect.suspend(() => {
    // What environment and file have wrong is told with it: nobody should have to try again to hear of the next mistake.
    if (wrong.length > 0 || line.mistakes.length > 0)
      return misused(err, wrong, "mistakes" in read ? read.mistakes : [])
    if ("mistakes" in read) {
      err(`clawmesh-node: the configuration is wrong, ${count(read.mistakes.length)}\n${renderMistakes(read.mistakes)}`)
      return Effect.succeed(exits.configuration)
    }
    for (const note of read.notes) err(`clawmesh-node: ${printable(note)}\n`)
    const { settings } = read
    if (command === "check") return Effect.sync(() => checked(settings, out))
    const work =
      command === "id" ? printId(settings, out) : Effect.flatMap(Effect.promise(load), ({ run }) => run(settings))
    return Effect.match(work, {
      onSuccess: (): Exit => exits.stopped,
      onFailure: ({ exit, hint, message }): Exit => {
        err(`clawmesh-node: ${message}\n${hint === "" ? "" : `  ${hint}\n`}`)
        return exit
      }
    })
  })

const said = (out: (text: string) => void, text: string): Effect.Effect<Exit> =>
  Effect.sync(() => {
    out(text)
    return exits.stopped
  })

/** @param wrong what is not about a setting */
const misused = (
  err: (text: string) => void,
  wrong: ReadonlyArray<string>,
  mistakes: ReadonlyArray<Mistake>
): Effect.Effect<Exit> =>
  Effect.sync(() => {
    for (const mistake of wrong) err(`clawmesh-node: ${printable(mistake)}\n`)
    if (mistakes.length > 0) err(renderMistakes(mistakes))
    err("All commands and flags: clawmesh-node help\n")
    return exits.wrongUse
  })

const count = (mistakes: number): string => (mistakes === 1 ? "in one place" : `in ${mistakes} places`)

// ------------------------------------------------------------------------------------------------------------ check

const needInWords = ({ atLeast, atMost, metric, withinMs, zone }: Need): string => {
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`])
  ]
  return `${metric}${zone === null ? "" : ` of ${zone}`} ${bounds.join(" and ")}, said within ${withinMs / 1_000} s`
}

/** Who has to agree, what has to show it, and what has to be so. */
const whoseWord = (actuator: OwnedActuator): string => {
  const { approvers, needs = [], readback } = actuator
  return [
    `level ${levelOf(actuator)}`,
    `verification ${demandOf(actuator).verification}`,
    ...(approvers === undefined ? [] : [`approved by ${approvers.join(", ")}`]),
    ...(readback === undefined ? [] : [`seen by ${readback.metric} within ${readback.withinMs / 1_000} s`]),
    ...needs.map((need) => `needs ${needInWords(need)}`)
  ].join("; ")
}

/** `moisture of field-1 below 20 until 25: actuator:pump-1 open for 600 s, each 600 s at most` */
const inDay = (ms: number): string => new Date(ms).toISOString().slice(11, 16)

const inWords = ({ clear, cooldownMs, daily, metric, then, when, zone }: Rule): string => {
  const threshold = "below" in when ? `below ${when.below}` : `above ${when.above}`
  const does = isMove(then)
    ? `${then.actuator} ${then.state}${then.forMs === 0 ? "" : ` for ${then.forMs / 1_000} s`}`
    : `asks about ${then.may.join(" and ")}, for ${then.forMaxMs / 1_000} s at most`
  return `${metric}${zone === null ? "" : ` of ${zone}`} ${threshold} until ${clear}: ${does}, each ${cooldownMs / 1_000} s at most${daily === undefined ? "" : `, at ${daily.map(inDay).join(" and ")} UTC`}`
}

const topicInWords = ({ broker: { url, user }, field, topic }: TopicSensor): string =>
  `${topic}${field === null ? "" : `, its ${field},`} from ${url}${user === null ? "" : ` as ${user}`}`

const checked = (settings: Settings, out: (text: string) => void): Exit => {
  const rows = shown(settings).flatMap(([key, values, origin]) =>
    values.map(
      (value, i) => [i === 0 ? key : "", printable(value), i === 0 ? printable(originText(origin)) : ""] as const
    )
  )
  const width = Math.min(48, Math.max(...rows.map(([, value]) => value.length)))
  const lines = rows.map(([key, value, origin]) => `${key.padEnd(18)}${value.padEnd(width)}  ${origin}`.trimEnd())
  for (const [i, actuator] of settings.actuators.entries()) {
    const { command, forMsMax, group, ref, safe, states } = actuator
    const terms = `${ref}, group ${group}: ${states.join(", ")}; safe ${safe}, else ${forMsMax / 1_000} s at most`
    lines.push(
      printable(`${(i === 0 ? "actuators" : "").padEnd(18)}${terms}`),
      printable(`${"".padEnd(20)}${whoseWord(actuator)}`),
      printable(`${"".padEnd(20)}${command.join(" ")}`)
    )
  }
  for (const [i, sensor] of settings.sensors.entries()) {
    const { everyMs, metric, zone } = sensor
    const source = isProgram(sensor) ? sensor.command.join(" ") : topicInWords(sensor)
    lines.push(
      printable(
        `${(i === 0 ? "sensors" : "").padEnd(18)}${metric}${zone === null ? "" : ` of ${zone}`}, every ${everyMs / 1_000} s: ${source}`
      )
    )
  }
  if (settings.model !== null)
    lines.push(printable(`${"model".padEnd(18)}${settings.model.name} at ${settings.model.url}`))
  for (const [i, rule] of settings.rules.entries())
    lines.push(printable(`${(i === 0 ? "rules" : "").padEnd(18)}${rule.name}: ${inWords(rule)}`))
  const file = settings.file === null ? "no configuration file" : printable(settings.file)
  out(`${[...lines, "", `${"file".padEnd(18)}${file}`].join("\n")}\n`)
  // Who we are and whom we trust is in the state directory, which may be in use, and which a check does not make.
  const diagnoses = preflight({
    identity: "",
    port: settings.port,
    discovery: settings.discovery,
    relays: settings.relays.length > 0,
    peers: settings.peers,
    gen1: [],
    capabilities: settings.capabilities,
    model: null
  })
  const told = diagnoses.filter(({ severity }) => severity !== "info")
  if (told.length > 0) out(`\n${told.map(diagnosisLine).join("\n")}\n`)
  return told.some(({ severity }) => severity === "error") ? exits.configuration : exits.stopped
}

const diagnosisLine = ({ code, hint, message, severity }: Diagnosis): string =>
  printable(`${severity}: ${message}: ${hint} (${code})`)

// --------------------------------------------------------------------------------------------------------------- id

const printId = (settings: Settings, out: (text: string) => void): Effect.Effect<void, StartFailure> =>
  Effect.map(identityOf(settings.stateDirectory), ({ deviceId, publicKey }) => {
    out(`device id   ${deviceId}\npublic key  ${publicKey}\n`)
  })

/**
 * Who the node of a state directory is. What is there is read without the lock, because a daemon may hold it; where there is
 * nothing, a first start is made and ended.
 */
const identityOf = Effect.fnUntraced(function* (stateDirectory: string) {
  const path = join(stateDirectory, Identity.IDENTITY)
  const bytes = yield* Effect.tryPromise({
    try: () => readFile(path),
    catch: (error) =>
      (error as NodeJS.ErrnoException).code === "ENOENT"
        ? null
        : new StartFailure({
            message: `${path} cannot be read: ${(error as Error).message}`,
            hint: "Is this the state directory of another user? Name another with --state DIRECTORY.",
            exit: 78
          })
  }).pipe(Effect.catch((failure) => (failure === null ? Effect.succeed(null) : Effect.fail(failure))))
  const decoded = bytes === null ? null : Identity.decode(bytes)
  if (decoded?._tag === "Identity") return decoded.identity.keys
  // What is damaged is kept aside by the one who holds the lock, and told with the way out.
  const { identity } = yield* Effect.scoped(StateDirectory.open(stateDirectory)).pipe(Effect.mapError(stateFailure))
  return identity.keys
})
