/** Where shrunk runs are saved, and under which name: never over another file. */
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { basename, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { isNoFolder, whyUnwritten, writeNew } from "./Writing.ts"

const SCENARIOS = "scenarios"
const FOLDER = join(SCENARIOS, "regressions")
/** Where there are no scenarios. */
const ELSEWHERE = "out"
const SCHEMA = "scenario.schema.json"
/** Of one seed of one file. */
const NAMES_MAX = 100

const folderIn = (cwd: string): string => (existsSync(resolve(cwd, SCENARIOS)) ? FOLDER : ELSEWHERE)

/** The schema as seen from where a regression is saved. */
export const schemaFor = (cwd: string): string => {
  const folder = resolve(cwd, folderIn(cwd))
  const near = join(folder, "..", SCHEMA)
  return existsSync(near)
    ? join("..", SCHEMA)
    : relative(folder, fileURLToPath(new URL(`../../${SCENARIOS}/${SCHEMA}`, import.meta.url)))
}

/** Names of files may be anything, those of scenarios are small letters. */
const stemOf = (file: string): string => {
  const stem = basename(file)
    .replace(/\.[a-z]+$/u, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, "-")
    .replaceAll(/^[^a-z]+|-+$/gu, "")
  return stem === "" ? "run" : stem
}

/** Saves it; under the same name where that very text is there already. */
export const saveRegression = (
  cwd: string,
  file: string,
  seed: number,
  text: string
): { readonly path: string } | { readonly problem: string } => {
  const folder = folderIn(cwd)
  const name = `${stemOf(file)}-${seed}`
  let path = join(folder, `${name}.yaml`)
  try {
    mkdirSync(resolve(cwd, folder), { recursive: true })
    for (let n = 2; n <= NAMES_MAX; n++) {
      if (!existsSync(resolve(cwd, path))) {
        writeNew(resolve(cwd, path), text)
        return { path }
      }
      if (readFileSync(resolve(cwd, path), "utf8") === text) return { path }
      path = join(folder, `${name}-${n}.yaml`)
    }
    return { problem: `${folder} has ${NAMES_MAX} files called ${name} already; delete what is fixed` }
  } catch (error) {
    const why = isNoFolder(error) ? `${folder} has to be a folder, and is none` : whyUnwritten(error)
    return { problem: `${path} cannot be written: ${why}` }
  }
}
