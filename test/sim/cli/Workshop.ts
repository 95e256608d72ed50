/** A stage for tests of commands: a folder with scenarios, and the simulator itself behind a terminal that is none. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeEach } from "vitest"
import type { Engine, Surroundings } from "../../../sim/cli/Surroundings.ts"
import { runScenario } from "../../../sim/run.ts"
import { draw } from "../../../sim/search/Draw.ts"
import { runDrawn } from "../../../sim/search/OneSeed.ts"
import { read, simIn } from "./terminal.ts"

/** For a machine that has much else to do. */
export const LIMIT_MS = 120_000
/** 2026-11-24T12:00:00Z. */
export const NOW_MS = 1_795_521_600_000

export const engine: Engine = {
  read,
  run: runScenario,
  runFuzzed: (scenario, seed, how, options) => {
    const drawn = draw(scenario, seed, how)
    return { drawn, result: runDrawn(drawn, options) }
  }
}

export const field = (expect: string, title = "A small field"): string => `scenario: ${title}
seed: 1
lasts: 8s
nodes:
  laptop: { role: planner }
  jetson: { role: field }
timeline:
  - { at: 0s, start: everyone }
expect:
${expect}
`
export const held = field("  - { name: it leads, at: 6s, that: { leader: laptop } }")
export const broken = field("  - { name: it does not, at: 6s, that: { leader: jetson } }", "A lost field")
export const typos = held.replace("lasts: 8s", "lasts: 8").replace("start: everyone", "strat: everyone")

const folders: Array<string> = []
/** A folder more, gone after the tests. */
export const another = (): string => {
  const made = mkdtempSync(join(tmpdir(), "clawmesh-tools-"))
  folders.push(made)
  return made
}

/** The working directory, a new one for each test. */
export let folder = ""
beforeEach(() => {
  folder = another()
  mkdirSync(join(folder, "scenarios"))
  write("scenarios/held.yaml", held)
  write("scenarios/broken.yaml", broken)
  write("typos.yaml", typos)
})
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true })
})
export const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
export const text = (name: string): string => readFileSync(join(folder, name), "utf8")

export const sim = (line: string, around: Partial<Surroundings> = {}) =>
  simIn(folder, line, { dateMs: () => NOW_MS, engine: async () => engine, ...around })

export type AnyRecord = { readonly [key: string]: unknown }
export const recordsOf = (out: string): ReadonlyArray<AnyRecord> =>
  out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AnyRecord)
