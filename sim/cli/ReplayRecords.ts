/** What `pnpm sim replay --json` and `pnpm sim diff --json` write. */
import type { Parting } from "../trace/Beside.ts"
import type { Exit } from "./Exit.ts"
import { line } from "./Records.ts"

/**
 * `same`: to the end of what there is. `judged otherwise`: the same run, with another verdict. `kernel`: it does otherwise with the
 * recorded inputs. `edited`: the trace is not what was written, and parts from the run for that. `simulator`: the kernel does the same with them, and the world makes another run. `not deterministic`: nothing
 * says why it should be another one.
 */
export type Outcome = "same" | "judged otherwise" | "edited" | "kernel" | "simulator" | "not deterministic"

export interface ReplayRecord {
  /** `null`: what was replayed is a seed. */
  readonly trace: string | null
  readonly file: string
  readonly outcome: Outcome
  readonly parting: (Pick<Parting, "event"> & { readonly recorded: At | null; readonly now: At | null }) | null
  /** By which kernel it was recorded, and which one this is. */
  readonly recorded: string | null
  readonly kernel: string | null
  readonly damage: string | null
  readonly inputs: number
  /** Of the run that the simulator makes now; `null`: it makes none. */
  readonly hash: string | null
  readonly exit: Exit
}

interface At {
  readonly atMs: number
  readonly node: string
}

export const replayRecord = ({
  damage,
  exit,
  file,
  hash,
  inputs,
  kernel,
  outcome,
  parting,
  recorded,
  trace
}: ReplayRecord): string =>
  line({
    $type: "clawmesh.replay/1",
    trace,
    file,
    outcome,
    event: parting?.event ?? null,
    atMs: parting?.recorded?.atMs ?? parting?.now?.atMs ?? null,
    node: parting?.recorded?.node ?? parting?.now?.node ?? null,
    damage,
    inputs,
    hash,
    recordedBy: recorded,
    kernel,
    exit
  })

export const diffRecord = (
  [first, second]: readonly [string, string],
  parting: { readonly event: number; readonly atMs: number | null } | null,
  inputs: readonly [number, number],
  exit: Exit
): string =>
  line({
    $type: "clawmesh.diff/1",
    first,
    second,
    same: parting === null,
    event: parting?.event ?? null,
    atMs: parting?.atMs ?? null,
    inputs,
    exit
  })
