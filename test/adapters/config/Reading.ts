/** Reads settings as a node would, in a machine made of values. */
import { readFlags } from "../../../adapters/config/Flags.ts"
import type { Mistake } from "../../../adapters/config/Mistake.ts"
import { originText } from "../../../adapters/config/Origin.ts"
import { findFile, readSettings, type ReadSettings, type Surroundings } from "../../../adapters/config/read.ts"
import { readYaml } from "../../../adapters/config/Yaml.ts"
import type { Settings } from "../../../adapters/config/Settings.ts"

export const FILE = "/etc/clawmesh/node.yaml"

export interface Machine extends Partial<Omit<Surroundings, "read">> {
  readonly flags?: ReadonlyArray<string>
  /** Content of `FILE`. */
  readonly file?: string | Uint8Array
  /** Other files, or the code with which reading them fails. */
  readonly files?: { readonly [path: string]: string | { readonly failed: string } }
}

export const surroundingsOf = ({ file, files = {}, flags: _flags, ...rest }: Machine): Surroundings => ({
  environment: {},
  cwd: "/work",
  home: "/home/asha",
  hostName: "jetson-1.farm.example",
  root: false,
  read: (path) => {
    const content = path === FILE && file !== undefined ? file : Object.hasOwn(files, path) ? files[path]! : undefined
    if (content === undefined) return { failed: "ENOENT" }
    if (typeof content === "string") return { bytes: Buffer.from(content) }
    return "failed" in content ? content : { bytes: content }
  },
  ...rest
})

export const read = (machine: Machine): ReadSettings => {
  const line = readFlags(machine.flags ?? [])
  const surroundings = surroundingsOf(machine)
  return readSettings(line, surroundings, findFile(line, surroundings), readYaml)
}

export const settings = (machine: Machine): Settings => {
  const got = read(machine)
  if ("mistakes" in got) throw new Error(`mistakes where there should be none: ${JSON.stringify(got.mistakes)}`)
  return got.settings
}

export const mistakes = (machine: Machine): ReadonlyArray<Mistake> => {
  const got = read(machine)
  return "mistakes" in got ? got.mistakes : []
}

/** The place, what is underlined there, and the sentence. */
export const told = (machine: Machine): ReadonlyArray<readonly [string, string, string]> =>
  mistakes(machine).map(({ excerpt, message, origin }) => [
    originText(origin).replace(`${FILE}:`, ""),
    excerpt === null ? "" : excerpt.text.slice(excerpt.column - 1, excerpt.column - 1 + excerpt.length),
    message
  ])
