/**
 * The settings of a node out of flags, environment, file and defaults, in this order: the first that names a setting decides
 * it, a list as a whole. Or every mistake of all of them, also of what another source would have overridden.
 */
import { dirname, join, resolve } from "node:path"
import { leadRank } from "../../kernel/Config.ts"
import { isMove } from "../../kernel/planning/Rule.ts"
import * as StaticPeer from "../../kernel/links/StaticPeer.ts"
import { compareText } from "../../kernel/Order.ts"
import {
  findConfigFile,
  type FoundFile,
  noFile,
  type ReadBytes,
  readConfigFile,
  type ReadFile,
  type ReadYaml
} from "./ConfigFile.ts"
import { type Environment, readEnvironment } from "./Environment.ts"
import { meshIdOf } from "../keys/Keys.ts"
import { baseOf, contradictions, type Farm, readFarm } from "./Farm.ts"
import type { CommandLine } from "./Flags.ts"
import { readRelay, renderRelay } from "../relay/Setting.ts"
import type { Mistake } from "./Mistake.ts"
import { type Key, keys, type NodeFile, readPerson } from "./NodeFile.ts"
import { type Origin, originText } from "./Origin.ts"
import type { Settings } from "./Settings.ts"
import type { Given, Settles } from "./Source.ts"
import { readStanding } from "./Standing.ts"

/** What of the machine and the process the defaults follow. */
export interface Surroundings {
  readonly environment: Environment
  /** Absolute. */
  readonly cwd: string
  /** Home of the user; absolute. */
  readonly home: string
  readonly hostName: string
  readonly root: boolean
  readonly read: ReadBytes
}

export type ReadSettings =
  | { readonly settings: Settings; readonly notes: ReadonlyArray<string> }
  | { readonly mistakes: ReadonlyArray<Mistake> }

/** PROTOCOL.md part 1. */
export const PORT = 18_789

const MB = 1_048_576
/** Nothing, as long as it costs what it does (docs/decisions/0030-recordings.md). */
const RECORDING_MB = 0

interface Default<A> {
  readonly value: A
  readonly because: string
}

/**
 * Where state is kept when nobody says where: systemd's `StateDirectory=`, `/var/lib/clawmesh` for root, else in the user's
 * state home (XDG Base Directory Specification).
 */
export const defaultStateDirectory = ({
  environment,
  home,
  root
}: Pick<Surroundings, "environment" | "home" | "root">): Default<string> => {
  // systemd separates several directories by colons; ours is the only one.
  const systemd = environment["STATE_DIRECTORY"]?.split(":")[0] ?? ""
  if (systemd.startsWith("/")) return { value: systemd, because: "STATE_DIRECTORY" }
  if (root) return { value: "/var/lib/clawmesh", because: "" }
  const xdg = environment["XDG_STATE_HOME"] ?? ""
  if (xdg.startsWith("/")) return { value: join(xdg, "clawmesh"), because: "XDG_STATE_HOME" }
  return { value: join(home, ".local/state/clawmesh"), because: "" }
}

/** The first label of the host name, where it is fit to be a name. */
export const defaultName = (hostName: string): Default<string> => {
  const label = hostName.split(".")[0] ?? ""
  return /^[a-z0-9][a-z0-9_-]{0,62}$/iu.test(label)
    ? { value: label, because: "host name" }
    : { value: "node", because: "the host name is none" }
}

/** Each source was checked: what is given reads. */
const readPeer = (text: string): StaticPeer.StaticPeer => {
  const peer = StaticPeer.parse(text)
  if (peer._tag === "Unread") throw new Error(`the peer ${text} was taken for one`)
  return peer
}

/** Whether a file is named, or there, which is YAML. */
export const needsYaml = (line: CommandLine, { environment }: Surroundings, found: FoundFile | null): boolean =>
  (found !== null && "bytes" in found) ||
  line.settles.farm !== undefined ||
  readEnvironment(environment, []).farm !== undefined

/** The file that the settings are read from; `null`: which one it is, is not clear. */
export const findFile = (line: CommandLine, { cwd, environment, read }: Surroundings): FoundFile | null =>
  line.configUnclear ? null : findConfigFile(line.config, environment, cwd, read)

/** @param yaml `null`: there is nothing to read in a file */
export const readSettings = (
  line: CommandLine,
  surroundings: Surroundings,
  found: FoundFile | null,
  yaml: ReadYaml | null
): ReadSettings => {
  const { cwd, environment, hostName } = surroundings
  const mistakes: Array<Mistake> = [...line.mistakes]
  const fromEnvironment = readEnvironment(environment, mistakes)
  const file = found === null ? noFile : readConfigFile(found, yaml, mistakes)
  if (mistakes.length > 0) return { mistakes }
  const ranked: Array<Settles> = [line.settles, fromEnvironment, file.settles]

  const find = <K extends Key>(key: K, among = ranked): Given<K> | undefined =>
    among.find((settles) => settles[key] !== undefined)?.[key]
  const origins: { [K in Key]?: Origin } = {}
  const value = <K extends Key, D>(key: K, otherwise: Default<D>, among = ranked): NonNullable<NodeFile[K]> | D => {
    const given = find(key, among)
    origins[key] = given?.origin ?? { _tag: "Default", because: otherwise.because }
    return given === undefined ? otherwise.value : given.value
  }
  const plain = <A>(of: A): Default<A> => ({ value: of, because: "" })

  // Whoever names the mesh names it whole: an id on the command line is not mixed with a name out of the file.
  const meshAmong = ranked
    .filter((settles) => settles["mesh-name"] !== undefined || settles["mesh-id"] !== undefined)
    .slice(0, 1)
  const state = value("state", defaultStateDirectory(surroundings))
  // A path in a file is seen from that file, wherever the daemon is started.
  const stateDirectory = resolve(origins.state?._tag === "File" && file.path !== null ? dirname(file.path) : cwd, state)
  const meshName = value("mesh-name", plain(null), meshAmong)
  const meshId = value("mesh-id", plain(null), meshAmong)
  const meshKey = value("mesh-key", plain(null))
  // Last, and never what the mesh itself is called: mesh.json is asked for that once the node has the directory to itself.
  const standing = readStanding(
    stateDirectory,
    { meshId: meshName === null ? meshId : meshIdOf(meshName), meshKey },
    surroundings.read
  )
  ranked.push(standing)
  const persons = value("persons", plain([])).map((text) => readPerson(text)!)
  const strangers = file.approvers.filter(({ person }) => !persons.some(({ name }) => name === person))
  if (strangers.length > 0)
    return {
      mistakes: strangers.map(({ at, person }) => ({
        ...at,
        message: `${person} is none of persons: write its key there, as clawmesh person prints it`
      }))
    }
  const farm = farmOf(find("farm"), surroundings, yaml, file, mistakes)
  value("farm", plain(null))
  if (mistakes.length > 0) return { mistakes }
  const tokenFile = value("relay-token-file", plain(null))
  const isPlanner = leadRank(value("role", plain("node" as const))) !== null
  const settings = {
    name: value("name", defaultName(hostName)),
    role: value("role", plain("node" as const)),
    meshName,
    meshId,
    meshKey,
    host: value("host", plain("0.0.0.0")),
    port: value("port", plain(PORT)),
    stateDirectory,
    peers: value("peers", plain([])).map(readPeer),
    relays: value("relays", plain([])).map((text) => readRelay(text)!),
    relayTokenFile: tokenFile === null ? null : resolve(baseOf(origins["relay-token-file"]!, cwd), tokenFile),
    relayGrants: value("relay-grants", plain([])),
    discovery: value("discovery", plain(true)),
    electors: [...value("electors", plain([]))].sort(compareText),
    persons,
    manifestVersion: value("manifest-version", plain(1)),
    profile: value("profile", plain("lan" as const)),
    // What it moves it can do, whether or not it says so twice.
    capabilities: [...new Set([...value("capabilities", plain([])), ...file.actuators.map(({ ref }) => ref)])],
    metricsPort: value("metrics-port", plain(null)),
    watchdog: value("watchdog", plain(false)),
    recordingBytes: value("recording-mb", plain(RECORDING_MB)) * MB,
    logFormat: value("log", plain("readable" as const)),
    actuators: file.actuators,
    sensors: file.sensors,
    model: file.model,
    rules: isPlanner ? [...file.rules, ...(farm?.rules ?? [])] : file.rules,
    farmFile: farm === null ? null : farm.file,
    farm,
    file: file.path,
    peerOrigins: find("peers")?.items ?? []
  }
  if (file.rulesAt !== null && leadRank(settings.role) === null)
    return {
      mistakes: [
        {
          ...file.rulesAt,
          message: `a ${settings.role} proposes nothing: rules are for a planner or a standby-planner`
        }
      ]
    }
  const asks = file.rules.find(({ then }) => !isMove(then))
  if (asks !== undefined && file.model === null && file.rulesAt !== null)
    return { mistakes: [{ ...file.rulesAt, message: `${asks.name} asks a language model: write model: as well` }] }
  if (file.modelAt !== null && leadRank(settings.role) === null)
    return { mistakes: [{ ...file.modelAt, message: `a ${settings.role} asks nobody: model is for a planner` }] }
  const notes = [...file.notes, ...otherRole(standing, settings.role, origins.role)]
  return { settings: { ...settings, origins: origins as Settings["origins"] }, notes }
}

/** The others have it in the role that it joined in, and refuse it in any other. */
const otherRole = ({ role: granted }: Settles, role: string, origin: Origin | undefined): ReadonlyArray<string> =>
  granted === undefined || granted.value === role || origin === undefined
    ? []
    : [
        `${originText(origin)}: it is a ${role} here, and joined as ${granted.value}: the nodes that let it in so refuse it. ` +
          `Take the role out, or on each of them: clawmesh trust add ID --role ${role}`
      ]

/** The farm, if one is named, and what of this node is not as it has it. */
const farmOf = (
  given: Given<"farm"> | undefined,
  { cwd, read }: Surroundings,
  yaml: ReadYaml | null,
  { actuators, moving, rules, rulesAt }: ReadFile,
  mistakes: Array<Mistake>
): Farm | null => {
  if (given === undefined) return null
  const { origin, value: path } = given
  if (yaml === null) throw new Error(`${path} is read without a reader of YAML`)
  const farm = readFarm({ path, origin, base: baseOf(origin, cwd) }, read, yaml, mistakes)
  if (farm === null) return null
  if (moving !== null) contradictions(farm, actuators, moving, mistakes)
  const twice = rules.find(({ name }) => farm.rules.some((other) => other.name === name))
  if (twice !== undefined && rulesAt !== null)
    mistakes.push({ ...rulesAt, message: `${twice.name} is a rule of ${farm.file}, too: call one of them otherwise` })
  return farm
}

/** The value of each setting as `check` shows it; a list has as many lines as items, and none is told by a word in brackets. */
export const shown = (settings: Settings): ReadonlyArray<readonly [Key, ReadonlyArray<string>, Origin]> => {
  const listed = (items: ReadonlyArray<string>, none: string) => (items.length === 0 ? [`(${none})`] : items)
  const meshId = settings.meshName === null ? "(that of the state directory)" : "(follows from mesh-name)"
  const values: { readonly [K in Key]: ReadonlyArray<string> } = {
    name: [settings.name],
    role: [settings.role],
    "mesh-name": [settings.meshName ?? "(none)"],
    "mesh-id": [settings.meshId ?? meshId],
    "mesh-key": [settings.meshKey ?? "(that of the state directory)"],
    host: [settings.host],
    port: [String(settings.port)],
    state: [settings.stateDirectory],
    peers: listed(settings.peers.map(StaticPeer.render), "none"),
    relays: listed(settings.relays.map(renderRelay), "none"),
    "relay-token-file": [settings.relayTokenFile ?? "(none)"],
    "relay-grants": listed(settings.relayGrants, "none"),
    discovery: [String(settings.discovery)],
    electors: listed(settings.electors, "none named: a planner elects itself"),
    persons: listed(
      settings.persons.map(({ name, publicKey }) => `${name}=${publicKey}`),
      "none: anybody at a trusted device"
    ),
    "manifest-version": [String(settings.manifestVersion)],
    profile: [settings.profile],
    capabilities: listed(settings.capabilities, "none"),
    farm: [settings.farmFile ?? "(none)"],
    "metrics-port": [settings.metricsPort === null ? "(none)" : String(settings.metricsPort)],
    watchdog: [String(settings.watchdog)],
    "recording-mb": [String(settings.recordingBytes / MB)],
    log: [settings.logFormat]
  }
  return keys.map((key) => [key, values[key], settings.origins[key]] as const)
}
