/** `pnpm sim new`: the skeleton of a scenario. It runs, and what it expects holds, so that one begins from something green. */
import { existsSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { modeline } from "../scenario/Modeline.ts"
import { namePattern } from "../scenario/Units.ts"
import { type Exit, exits } from "./Exit.ts"
import { isFile, type NewOrder } from "./Order.ts"
import { line } from "./Records.ts"
import { type Records, shellWord, type Surroundings } from "./Surroundings.ts"
import { whyUnwritten, writeNew } from "./Writing.ts"

const FOLDER = "scenarios"
const SCHEMA = "scenario.schema.json"

/** `pump-loses-power`: Pump loses power. */
const titleOf = (name: string): string => {
  const words = name.replaceAll("-", " ")
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

const skeleton = (name: string, schema: string): string => `${modeline(schema)}
scenario: ${titleOf(name)}
about: |
  What happens, to whom, and what must hold all the same.

seed: 1
lasts: 60s

nodes:
  laptop:   { role: planner }
  backup:   { role: standby-planner }
  jetson-1: { role: field, can: [actuator:pump-1] }

network:
  delay: 2ms..20ms

timeline:
  - { at: 0s, start: everyone }

  - at: 20s
    id: laptop-dies
    crash: laptop

expect:
  - name: the backup takes over
    within: 5s
    after: laptop-dies
    that: { leader: backup }

  - name: one leader at most
    always: { leaders: at most 1 }

fuzz:
  vary:
    timeline.laptop-dies.at: 10s..30s
    network.loss: 0%..5%
  calm: 15s
`

/** The schema of the folder, where it has one, or this project's, as seen from there. */
export const schemaFrom = (folder: string): string => {
  for (const near of [SCHEMA, join("..", SCHEMA)]) if (existsSync(join(folder, near))) return near
  return relative(folder, fileURLToPath(new URL(`../../${FOLDER}/${SCHEMA}`, import.meta.url)))
}

export const begin = async ({ json, name }: NewOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const file = fileFor(name)
  const problem = write(file, around.cwd, skeleton)
  if (problem !== null) {
    records.error(problem.misuse ? "WRONG_USE" : "UNWRITABLE", exits.wrongUse, problem.message)
    return exits.wrongUse
  }
  records.write(line({ $type: "clawmesh.new/1", file }))
  if (json !== "stdout") around.out(`${file} is there, and runs: pnpm sim ${shellWord(file)}\n`)
  return exits.passed
}

/** A bare name is one of the folder of scenarios. */
export const fileFor = (name: string): string => (isFile(name) ? name : `${FOLDER}/${name}.yaml`)

/** A new file with that text; `null`: it is written. */
export const write = (
  file: string,
  cwd: string,
  text: (name: string, schema: string) => string
): { readonly misuse: boolean; readonly message: string } | null => {
  const name = file.slice(file.lastIndexOf("/") + 1).replace(/\.ya?ml$/u, "")
  if (!/\.ya?ml$/u.test(file))
    return { misuse: true, message: `${file} is no name of a scenario; did you mean ${join(file, "scenario.yaml")}?` }
  if (!namePattern.test(name))
    return {
      misuse: true,
      message: `${JSON.stringify(name)} is no name of a scenario: small letters, digits and hyphens, such as pump-loses-power`
    }
  const folder = dirname(file)
  if (!existsSync(resolve(cwd, folder)))
    return {
      misuse: false,
      message: `no folder ${folder} here; make it first, or write somewhere else: pnpm sim new ./${name}.yaml`
    }
  try {
    writeNew(resolve(cwd, file), text(name, schemaFrom(resolve(cwd, folder))))
    return null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      return { misuse: true, message: `${file} is there already, and stays as it is; choose another name` }
    return { misuse: false, message: `${file} cannot be written: ${whyUnwritten(error)}` }
  }
}
