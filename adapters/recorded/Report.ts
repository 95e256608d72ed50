/** What came of replaying a recording, in words and as a record; the same for `clawmesh replay` and `pnpm sim replay`. */
import type { Maker } from "./Format.ts"
import { kernelDigest } from "./Kernel.ts"
import type { Recording } from "./Open.ts"
import { type Fed, type Kernel, type Life, type Replayed, replay } from "./Replay.ts"

export type { Kernel } from "./Replay.ts"

/**
 * `changed`: somebody has changed, dropped or added something since it was written, or it does not read. `kernel`: another kernel
 * recorded it, and this one does otherwise. `not deterministic`: this very kernel recorded it, and does otherwise now.
 */
export type Outcome = "same" | "changed" | "kernel" | "not deterministic"

export interface Told {
  readonly life: Life
  readonly replayed: Replayed
}

export interface Report {
  readonly recording: Recording
  readonly lives: ReadonlyArray<Told>
  readonly outcome: Outcome
  /** Who recorded the newest of it. */
  readonly maker: Maker
  readonly kernel: string
}

const damageOf = ({ lives, problems }: Recording): ReadonlyArray<string> => [
  ...problems,
  ...lives.flatMap(({ segments }) => segments.flatMap(({ damage }) => (damage === null ? [] : [damage])))
]

export const reportOf = (
  recording: Recording,
  kernel?: Kernel,
  onFed?: (fed: Fed, life: Life) => void,
  digest = kernelDigest()
): Report => {
  const lives = recording.lives.map((life): Told => ({
    life,
    replayed: replay(life, kernel, onFed === undefined ? undefined : (fed) => onFed(fed, life))
  }))
  const parted = lives.find(({ replayed }) => replayed.parting !== null)
  const known = parted === undefined || makerOf(parted.life, parted.replayed).kernel === digest
  const outcome =
    parted !== undefined
      ? known
        ? "not deterministic"
        : "kernel"
      : damageOf(recording).length > 0
        ? "changed"
        : "same"
  const { node, program, kernel: made } = recording.lives.at(-1)!.segments.at(-1)!.header
  return { recording, lives, outcome, maker: { node, program, kernel: made }, kernel: digest }
}

/** Who recorded the segment in which it parted. */
const makerOf = ({ segments }: Life, { parting }: Replayed): Maker =>
  (segments.find(({ file }) => file === parting?.file) ?? segments[0]!).header

const stamp = (ms: number): string => {
  const text = new Date(ms).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}`
}

const countOf = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`

const lifeLine = ({ life: { segments }, replayed }: Told): string => {
  const first = segments[0]!
  const last = segments.at(-1)!
  const files = segments.length === 1 ? first.file : `${first.file} and ${countOf(segments.length - 1, "more file")}`
  const from = first.header.state === null ? "from its start" : "from a snapshot"
  const endMs = last.lines.at(-1)?.input.at.wall ?? last.header.at.wall
  const ends = replayed.state?.phase === "left" ? "it took its leave" : "no goodbye: it was killed, or goes on"
  const gap = segments.some(({ header }, i) => i > 0 && header.segment !== segments[i - 1]!.header.segment + 1)
  return [
    `  ${stamp(first.header.at.wall)} to ${stamp(endMs).slice(11)} UTC   ${from}, ${countOf(replayed.inputs, "input")}, hash ${replayed.hash}; ${ends}`,
    `    ${files}${gap ? "; some between them are not there" : ""}`
  ].join("\n")
}

const partingWords = ({ lives, kernel, maker, outcome }: Report): ReadonlyArray<string> => {
  const parted = lives.find(({ replayed }) => replayed.parting !== null)
  if (parted === undefined) return []
  const { at, file, instead, what } = parted.replayed.parting!
  const place = `${file}:${at}`
  const said =
    what === "threw"
      ? `the kernel breaks on this input: ${instead}`
      : what === "state"
        ? instead
        : `recorded was another hash than ${instead}: the kernel does otherwise with this input`
  const by = makerOf(parted.life, parted.replayed)
  return [
    `✗ ${place}: ${said}`,
    outcome === "kernel"
      ? `  It was recorded by kernel ${by.kernel} (clawmesh ${by.program}); this is kernel ${kernel}. Replay it with clawmesh ${maker.program} to see what was`
      : `  The very kernel that recorded it (${by.kernel}) does otherwise now: this is a defect of clawmesh. Please report it with the recording`
  ]
}

export const reportText = (report: Report): string => {
  const { kernel, lives, maker, outcome, recording } = report
  const inputs = lives.reduce((sum, { replayed }) => sum + replayed.inputs, 0)
  const torn = recording.lives.flatMap(({ segments }) => segments.flatMap(({ torn }) => (torn === null ? [] : [torn])))
  const other = maker.kernel === kernel ? "" : `, which is another than this one (${kernel})`
  return [
    `${recording.name} (${recording.deviceId.slice(0, 8)})   recorded by clawmesh ${maker.program}, kernel ${maker.kernel}${other}`,
    ...lives.map(lifeLine),
    ...torn.map((words) => `● ${words}`),
    ...damageOf(recording).map((words) => `✗ ${words}`),
    ...partingWords(report),
    ...(outcome === "same"
      ? [`✓ replayed: ${countOf(inputs, "input")}, the same state and the same hash ${lives.at(-1)!.replayed.hash}`]
      : outcome === "changed"
        ? [`  Everything before, and behind the next beginning of a file, replays to the same state and the same hash`]
        : []),
    ""
  ].join("\n")
}

export const reportRecord = ({ kernel, lives, maker, outcome, recording }: Report) => ({
  $type: "clawmesh.recording-replay/1" as const,
  source: recording.source,
  node: { name: recording.name, id: recording.deviceId },
  outcome,
  recorded: maker,
  kernel,
  lives: lives.map(({ life: { segments }, replayed: { hash, inputs, parting, state } }) => ({
    fromMs: segments[0]!.header.at.wall,
    untilMs: segments.at(-1)!.lines.at(-1)?.input.at.wall ?? segments.at(-1)!.header.at.wall,
    whole: segments[0]!.header.state === null,
    left: state?.phase === "left",
    files: segments.map(({ file }) => file),
    inputs,
    hash,
    parting
  })),
  torn: recording.lives.flatMap(({ segments }) => segments.flatMap(({ torn }) => torn ?? [])),
  damage: damageOf(recording)
})
