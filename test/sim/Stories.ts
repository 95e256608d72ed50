/** The scenarios of this repository, in all folders, in order of their paths. */
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../../scenarios/", import.meta.url))

export interface Story {
  /** From `scenarios/` on. */
  readonly file: string
  readonly bytes: Uint8Array
  readonly text: string
}

export const stories: ReadonlyArray<Story> = globSync("**/*.yaml", { cwd: folder })
  .toSorted()
  .map((file) => {
    const bytes = readFileSync(folder + file)
    return { file, bytes, text: bytes.toString("utf8") }
  })

export const storyOf = (file: string): Story => {
  const story = stories.find((other) => other.file === file)
  if (story === undefined) throw new Error(`there is no scenarios/${file}`)
  return story
}
