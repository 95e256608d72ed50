/**
 * Which run a trace that a campaign kept is. Its scenario and seed stand in its first line; that they give the same run today is
 * seen by the hash in its last one.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import type { Kernel } from "../engine/Host.ts"
import { readPoints } from "../search/Points.ts"
import { once, type Wanted } from "../shrink/Once.ts"
import { readWith, type With, withOthers } from "./Order.ts"
import type { Surroundings } from "./Surroundings.ts"

interface Header {
  readonly scenario: string
  readonly file: string
  readonly seed: number
  readonly with?: string
  readonly kernel?: string | null
  readonly drawn?: { readonly branch?: string }
}

interface Traced {
  readonly file: string
  readonly wanted: Wanted
  readonly with: With
}

const lineOf = (text: string, which: "first" | "last"): unknown => {
  const whole = text.trimEnd()
  return JSON.parse(which === "first" ? whole.slice(0, whole.indexOf("\n")) : whole.slice(whole.lastIndexOf("\n") + 1))
}

const isHeader = (value: unknown): value is Header => {
  const header = value as { readonly [key: string]: unknown }
  return (
    header["$type"] === "clawmesh.trace/1" &&
    typeof header["scenario"] === "string" &&
    typeof header["seed"] === "number" &&
    typeof header["file"] === "string"
  )
}

export const ofTrace = async (
  trace: string,
  around: Surroundings,
  kernel: Kernel | undefined
): Promise<Traced | { readonly problem: string }> => {
  let text: string
  try {
    text = readFileSync(resolve(around.cwd, trace), "utf8")
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { problem: code === "ENOENT" ? `no file ${trace}; look with ls out` : `${trace} cannot be read: ${code}` }
  }
  let header: Header
  let hash: string
  try {
    const first = lineOf(text, "first")
    const last = lineOf(text, "last") as { readonly end?: { readonly hash?: string } }
    if (!isHeader(first)) return { problem: `${trace} is no trace of pnpm sim fuzz: its first line names no run` }
    if (last.end?.hash === undefined) return { problem: `${trace} is cut off: its last line does not say how it ended` }
    header = first
    hash = last.end.hash
  } catch {
    return { problem: `${trace} is no trace of pnpm sim fuzz, or is cut off; shrink its run by its seed` }
  }
  const { read } = await around.engine()
  const found = read(header.file, Buffer.from(header.scenario))
  if ("mistakes" in found) return { problem: `the scenario in ${trace} does not read any more:\n${found.told}` }
  const others = header.with === undefined ? { gen1: 0 } : readWith(header.with)
  const branch = header.drawn?.branch
  const points = branch === undefined ? [] : readPoints(branch)
  if (others === null || points === null) return { problem: `${trace} was edited: its first line does not read` }
  const scenario = withOthers(found.scenario, others)
  for (const swarm of [true, false]) {
    const wanted: Wanted = { scenario, seed: header.seed, fuzzed: { swarm, points } }
    const { result } = once(wanted, kernel === undefined ? {} : { kernel })
    if (result.hash === hash) return { file: header.file, wanted, with: others }
  }
  const made = header.kernel == null ? "" : ` by kernel ${header.kernel}`
  return {
    problem:
      `${trace} was made${made}, and its seed gives another run with this one, or as it is drawn today; ` +
      "check that kernel out, or shrink what the seed gives now: " +
      `pnpm sim shrink ${header.file} --seed ${header.seed} --fuzzed`
  }
}
