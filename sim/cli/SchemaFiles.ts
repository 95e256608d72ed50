/** `pnpm sim schema`: what is made of the schema of the language, written where it belongs, or where somebody wants it. */
import { readFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { type Exit, exits } from "./Exit.ts"
import type { SchemaOrder } from "./Order.ts"
import { line } from "./Records.ts"
import type { Records, Surroundings } from "./Surroundings.ts"
import { whyUnwritten, writeWhole } from "./Writing.ts"

const SCHEMA = join("scenarios", "scenario.schema.json")
const PAGE = join("docs", "reference", "scenario-language.md")

export const writeSchema = async (
  { json, out }: SchemaOrder,
  around: Surroundings,
  records: Records
): Promise<Exit> => {
  const { editorSchema, editorSchemaText } = await import("../scenario/EditorSchema.ts")
  if (out === "-") {
    around.out(editorSchemaText())
    return exits.passed
  }
  const written: Array<string> = []
  const problems: Array<string> = []
  const attempt = (path: string, text: () => string | null): void => {
    const shown = relative(around.cwd, path) || path
    try {
      const made = text()
      if (made === null) problems.push(`${shown} has no generated part to renew; git restore ${shown} brings it back`)
      else {
        writeWhole(path, made)
        written.push(shown)
      }
    } catch (error) {
      problems.push(`${shown} cannot be written: ${whyUnwritten(error)}`)
    }
  }
  if (out === null) {
    const project = around.project ?? fileURLToPath(new URL("../../", import.meta.url))
    const { renewed } = await import("../scenario/Reference.ts")
    attempt(join(project, SCHEMA), editorSchemaText)
    attempt(join(project, PAGE), () => renewed(readFileSync(join(project, PAGE), "utf8"), editorSchema()))
  } else attempt(resolve(around.cwd, out), editorSchemaText)
  for (const problem of problems) records.error("UNWRITABLE", exits.wrongUse, problem)
  records.write(line({ $type: "clawmesh.schema/1", files: written }))
  if (json !== "stdout") for (const file of written) around.out(`${file} is written\n`)
  return problems.length === 0 ? exits.passed : exits.wrongUse
}
