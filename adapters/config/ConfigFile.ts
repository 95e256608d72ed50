/**
 * node.yaml: which file it is, its bytes as text, and the text as settings. Bounded by `BYTES_MAX`; never throws, on any bytes.
 *
 * The file is the one of `--config`, else of `CLAWMESH_CONFIG`, and must then be there. Otherwise it is `node.yaml` in systemd's
 * `CONFIGURATION_DIRECTORY` or in `/etc/clawmesh`, where there is one that we may read.
 */
import { isAbsolute, join, resolve } from "node:path"
import type { Rule } from "../../kernel/planning/Rule.ts"
import type { Approver, OwnedActuator } from "./Actuators.ts"
import * as Actuators from "./Actuators.ts"
import { CONFIG_VARIABLE, type Environment } from "./Environment.ts"
import type { Mistake } from "./Mistake.ts"
import type { Origin } from "./Origin.ts"
import { check as checkModel, type Model } from "./Model.ts"
import * as Rules from "./Rules.ts"
import { listIn, type Section, sections } from "./Section.ts"
import type { Sensor } from "./Sensors.ts"
import * as Sensors from "./Sensors.ts"
import { check, type Placed, type Settles } from "./Source.ts"
import { keys } from "./NodeFile.ts"
import type { readYaml, Vocabulary } from "./Yaml.ts"

/** The one of Yaml.ts: whoever has no file need not load a reader of YAML. */
export type ReadYaml = typeof readYaml

/** No configuration is larger; a wrong path may well be. */
export const BYTES_MAX = 1_048_576

/** At most `BYTES_MAX + 1` bytes of a file, or why not: a code such as `ENOENT`. */
export type ReadBytes = (path: string) => { readonly bytes: Uint8Array } | { readonly failed: string }

interface Which {
  readonly path: string
  /** Who named it; `null`: nobody, it is one of ours if it is there. */
  readonly named: Origin | null
}

/** A file that was looked for, with what is in it. */
export type FoundFile = Which & ReturnType<ReadBytes>

export interface ReadFile {
  /** `null`: none is used. */
  readonly path: string | null
  readonly settles: Settles
  readonly actuators: ReadonlyArray<OwnedActuator>
  readonly sensors: ReadonlyArray<Sensor>
  readonly rules: ReadonlyArray<Rule>
  readonly model: Model | null
  /** Where the model begins; `null`: there is none. */
  readonly modelAt: Placed | null
  /** Where the rules begin; `null`: there are none. */
  readonly rulesAt: Placed | null
  /** Where what it moves stands; `null`: it moves nothing. */
  readonly moving: Section | null
  /** Whoever may approve something, and where that stands. */
  readonly approvers: ReadonlyArray<Approver>
  /** What deserves to be said and is no mistake. */
  readonly notes: ReadonlyArray<string>
}

type Read = Omit<ReadFile, "path" | "notes">

const NOTHING: Read = {
  settles: {},
  actuators: [],
  sensors: [],
  rules: [],
  model: null,
  modelAt: null,
  rulesAt: null,
  moving: null,
  approvers: []
}

export const noFile: ReadFile = { ...NOTHING, path: null, notes: [] }

const which = (flag: string | null, environment: Environment, cwd: string): Which => {
  if (flag !== null) return { path: resolve(cwd, flag), named: { _tag: "Flag", flag: "--config" } }
  const variable = environment[CONFIG_VARIABLE]
  if (variable !== undefined && variable.trim() !== "")
    return { path: resolve(cwd, variable), named: { _tag: "Environment", variable: CONFIG_VARIABLE } }
  // systemd separates several directories by colons; ours is the only one.
  const directory = environment["CONFIGURATION_DIRECTORY"]?.split(":")[0] ?? ""
  return { path: join(isAbsolute(directory) ? directory : "/etc/clawmesh", "node.yaml"), named: null }
}

export const reasons: { readonly [code: string]: string } = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "we may not read it",
  EPERM: "we may not read it",
  EISDIR: "it is a folder"
}

/** The one file that may hold settings, read once. */
export const findConfigFile = (
  flag: string | null,
  environment: Environment,
  cwd: string,
  read: ReadBytes
): FoundFile => {
  const file = which(flag, environment, cwd)
  return { ...file, ...read(file.path) }
}

/** @param yaml `null`: there is nothing to read in the file */
export const readConfigFile = (file: FoundFile, yaml: ReadYaml | null, mistakes: Array<Mistake>): ReadFile => {
  const { named, path } = file
  if ("failed" in file) {
    const reason = reasons[file.failed] ?? file.failed
    if (named !== null) mistakes.push({ origin: named, excerpt: null, message: `${path} cannot be read: ${reason}` })
    const there = named === null && file.failed !== "ENOENT" && file.failed !== "ENOTDIR"
    return { ...noFile, notes: there ? [`${path} is not used: ${reason}`] : [] }
  }
  if (yaml === null) throw new Error(`${path} is read without a reader of YAML`)
  return { path, ...readText(path, file.bytes, yaml, mistakes), notes: [] }
}

/** Control characters that no text holds; tab, line feed and carriage return are text. */
// oxlint-disable-next-line no-control-regex
const notText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/u

export const byPlace = ({ origin: a }: Mistake, { origin: b }: Mistake): number =>
  a._tag === "File" && b._tag === "File" ? a.line - b.line || a.column - b.column : 0

/** `null`: it is no text, or too long for one, and why is told. */
export const textOf = (path: string, bytes: Uint8Array, mistakes: Array<Mistake>): string | null => {
  const start: Origin = { _tag: "File", file: path, line: 1, column: 1 }
  if (bytes.length > BYTES_MAX) {
    mistakes.push({ origin: start, excerpt: null, message: "the file is larger than 1 MiB; no configuration is" })
    return null
  }
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    mistakes.push({ origin: start, excerpt: null, message: "this is not a text file in UTF-8" })
    return null
  }
  const control = notText.exec(text)
  if (control !== null) {
    const lines = text.slice(0, control.index).split("\n")
    const origin: Origin = { ...start, line: lines.length, column: lines.at(-1)!.length + 1 }
    mistakes.push({ origin, excerpt: null, message: "a control character: this is not a text file" })
    return null
  }
  return text
}

const vocabulary: Vocabulary = {
  keys,
  sections,
  says: "a configuration is a mapping: its lines are such as name: jetson-1"
}

const readText = (path: string, bytes: Uint8Array, yaml: ReadYaml, mistakes: Array<Mistake>): Read => {
  const text = textOf(path, bytes, mistakes)
  if (text === null) return NOTHING
  const found: Array<Mistake> = []
  const said = yaml(path, text, vocabulary, found)
  const settles = check(said.raws, found)
  const actuators = listIn(said.sections, "actuators", (section) => Actuators.check(section, found))
  const sensors = listIn(said.sections, "sensors", (section) => Sensors.check(section, found))
  const rules = listIn(said.sections, "rules", (section) => Rules.check(section, found))
  const asked = said.sections.get("model")
  const model = asked === undefined ? null : checkModel(asked, found)
  mistakes.push(...found.sort(byPlace))
  const moving = said.sections.get("actuators") ?? null
  const approvers = moving === null || found.length > 0 ? [] : Actuators.approversIn(moving, actuators)
  const rulesAt = rules.length === 0 ? null : said.sections.get("rules")!.wordAt([])
  const modelAt = model === null ? null : asked!.wordAt([])
  return { settles, actuators, sensors, rules, model, modelAt, rulesAt, moving, approvers }
}
