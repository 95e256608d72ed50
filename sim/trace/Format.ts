/**
 * What stands in a trace file, JSON Lines in UTF-8: a header that says what ran, a line for each input that a node took up, in
 * order, and a last line that says how it ended.
 *
 * A seed is only a recipe: what the fuzzer draws from it changes when the fuzzer does. The inputs are the run itself. Outputs
 * are not kept: the kernel makes them again from the inputs, and the rolling hash of each line says whether they are the same.
 * With what each node was told when it was made, a trace needs neither the fuzzer nor the simulated network to be replayed.
 */
import { createHash } from "node:crypto"
import type { Config } from "../../kernel/Config.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Verdict } from "../judge/Verdict.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Drawn } from "../search/Drawn.ts"
import * as Hash from "../../adapters/recorded/Hash.ts"

export const TYPE = "clawmesh.trace/1"

export interface Maker {
  /** The commit of the kernel, with `-dirty` where files differ from it; `null`: not known. */
  readonly kernel: string | null
  readonly node: string
}

/** Who took part, in the order of their indices. */
export interface Told {
  readonly name: string
  /** As in the scenario: 1, or 2 for the kernel of tomorrow; absent: ours. */
  readonly generation?: 1 | 2
  readonly config: Config
}

export interface DrawnHeader extends Pick<
  Drawn,
  "class" | "ties" | "liveness" | "settings" | "expectations" | "sources" | "calmMs" | "turns"
> {
  readonly swarm: boolean
  /** Where it turned off, as `Points.pointsText` writes it. */
  readonly branch?: string
}

export interface Header extends Maker {
  readonly $type: typeof TYPE
  /** The text of the file. */
  readonly scenario: string
  readonly scenarioHash: string
  readonly file: string
  readonly seed: number
  /** What was put beside the scenario. */
  readonly with?: string
  /** True time at which it was stopped; `null`: it ran to its end. */
  readonly untilMs: number | null
  /** What a campaign drew for it; `null`: it ran as written. */
  readonly drawn: DrawnHeader | null
  /** The scenario as it ran, with everything that was drawn for it, read and as plain data. */
  readonly ran: Omit<Scenario, "text">
  readonly nodes: ReadonlyArray<Told>
}

/** One line of the middle. `atMs`: true time; the node's own is in the input. */
export interface InputLine {
  readonly atMs: number
  readonly node: string
  readonly input: Input
  /** The hash of the run up to here, with what the node did. */
  readonly hash: string
}

export interface End {
  readonly hash: string
  readonly verdict: Verdict
  readonly atMs: number
  /** How many inputs there are. */
  readonly events: number
}

/** One line. */
export const line = (value: unknown): string => `${JSON.stringify(value)}\n`

export const hashOf = (text: string): string => {
  const hash = Hash.make()
  Hash.absorb(hash, 0, 0, text)
  return Hash.hex(hash)
}

/** Of everything before the last line, and of what that one says: an edited file is told from a kernel that does otherwise. */
export const sumOf = (before: string | Uint8Array, { atMs, events, hash, verdict }: End): string =>
  createHash("sha256")
    .update(before)
    .update(line([hash, verdict, atMs, events]))
    .digest("hex")
