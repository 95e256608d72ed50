/** The simulator's command itself in a folder, behind a terminal that is none, and what it writes there. */
import { command } from "../../../sim/cli/Command.ts"
import type { Engine, Surroundings } from "../../../sim/cli/Surroundings.ts"
import { readScenario, renderMistakes } from "../../../sim/scenario/read.ts"

/** As the real one reads. */
export const read: Engine["read"] = (file, bytes) => {
  const read = readScenario(file, bytes)
  return "scenario" in read ? read : { ...read, told: renderMistakes(file, read.mistakes) }
}

/** It stands at the beginning of time, unless `around` says another. */
export const simIn = async (
  cwd: string,
  line: string,
  around: Pick<Surroundings, "engine"> & Partial<Surroundings>
) => {
  const seen = { out: "", err: "" }
  const exit = await command(line.split(" "), {
    cwd,
    env: {},
    out: (words) => (seen.out += words),
    err: (words) => (seen.err += words),
    terminal: null,
    nowMs: () => 0,
    dateMs: () => 0,
    ...around
  })
  return { exit, ...seen }
}
