/**
 * A campaign as text for a terminal: each scenario with its runs, what was found and how to run it again, what faults came to,
 * where the runs have been. Important lines last; the text is a function of its arguments.
 */
import { styleText } from "node:util"
import { enumerate, exactSpan, margin, moment } from "../judge/Words.ts"
import type { Scenario } from "../scenario/Scenario.ts"
import type { Points } from "../search/Points.ts"
import { neverReached, universe } from "../search/Reach.ts"
import type { Finding, ScenarioTally, Tally } from "../search/Tally.ts"
import type { Look } from "./Transcript.ts"

export interface CampaignTelling {
  readonly tally: Tally
  /** How the user named each file. */
  readonly files: ReadonlyArray<string>
  readonly tookMs: number
  readonly jobs: number
  readonly interrupted: boolean
  readonly verbose: boolean
  /** The command that gives a run of a scenario again. */
  readonly again: (scenario: number, seed: number, points: Points) => string
  /** Pages of first runs, by their hashes. */
  readonly pages?: ReadonlyMap<string, string>
  /** What became of findings that were made small. */
  readonly smaller: ReadonlyMap<Finding, { readonly words: string; readonly saved: string | null }>
}

type Ink = "bold" | "dim" | "red" | "green" | "yellow"
type Pen = (ink: Ink, text: string) => string

const penOf = (look: Look): Pen => (look.colour ? (ink, text) => styleText(ink, text) : (_, text) => text)

/** `1 204 310`, with thin places for the eye. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/gu, " ")

const rate = (n: number, tookMs: number): string => grouped(Math.round((n * 1000) / Math.max(1, tookMs)))

/** What a source of the ledger is, and where it stands; `null`: nothing of the file. */
export const sourceWords = (
  scenario: Scenario,
  source: string
): { readonly words: string; readonly line: number | null } => {
  const [kind = "", place = ""] = source.split("/")
  if (kind === "mix") return { words: `${place} of the mix`, line: null }
  if (kind === "step") {
    const step = scenario.timeline[Number(place)]
    return { words: `${step?.verb._tag} at ${step?.id ?? exactSpan(step?.atMs ?? 0)}`, line: step?.place.line ?? null }
  }
  const fault = scenario.fuzz?.faults[Number(place)]
  return { words: `${fault?.what}: ${fault?.target}`, line: fault?.place.line ?? null }
}

/** Faults that a file declares, and that touched nothing whenever they struck. */
export const vacuous = ({ effects, scenario }: ScenarioTally): ReadonlyArray<string> =>
  [...effects]
    .filter(([source, { struck, touched }]) => !source.startsWith("mix/") && struck > 0 && touched === 0)
    .map(([source]) => sourceWords(scenario, source))
    .map(({ line, words }) => `${words}, line ${line}`)

export const judgedAnything = ({ expectations }: ScenarioTally): boolean =>
  expectations.some(({ broken, held }) => held + broken > 0)

/** What a file says comes to pass sometimes, and did in no run in which it was looked for. */
export const missed = ({ expectations, scenario }: ScenarioTally): ReadonlyArray<string> =>
  expectations.flatMap(({ held, never }, place) => {
    const { name, place: at } = scenario.expect[place]!
    return held === 0 && never > 0 ? [`"${name}", line ${at.line}`] : []
  })

/** Runs that broke nothing and have shown less than the file asks for. */
export const doubtful = (one: ScenarioTally): boolean =>
  !judgedAnything(one) || vacuous(one).length > 0 || missed(one).length > 0

const shortName = (file: string): string => file.replace(/^.*\//u, "").replace(/\.ya?ml$/u, "")

/** Without folder and ending, where that is enough to know it by. */
const nameOf = (file: string, files: ReadonlyArray<string>): string => {
  const name = shortName(file)
  return files.filter((other) => shortName(other) === name).length > 1 ? file : name
}

const scenarioLine = (telling: CampaignTelling, index: number, pen: Pen): string => {
  const { failed, runs, scenario, tightest } = telling.tally.scenarios[index]!
  const wide = Math.max(...telling.files.map((file) => nameOf(file, telling.files).length))
  const counts = failed === 0 ? pen("green", "✓") : `  ${failed} ${pen("red", "✗")}`
  const tight =
    tightest === null
      ? ""
      : `   tightest: "${scenario.expect[tightest.place]!.name}" ${margin(tightest.marginMs, tightest.limitMs)} (seed ${tightest.seed})`
  return ` ${nameOf(telling.files[index]!, telling.files).padEnd(wide)} ${grouped(runs).padStart(9)} ${counts}${pen("dim", tight)}`
}

/** A run that came to an end, and broke something. */
export const hasCause = ({ _tag }: Finding["fault"]): boolean => _tag === "expectation" || _tag === "invariant"

const findingBlock = (telling: CampaignTelling, finding: Finding, pen: Pen): ReadonlyArray<string> => {
  const { fault, hash, otherTrace, points, scenario: index, seed, seeds, trace } = finding
  const page = hash === null ? undefined : telling.pages?.get(hash)
  const { runs, scenario } = telling.tally.scenarios[index]!
  const file = telling.files[index]!
  const title = (what: string) =>
    `${pen("red", "✗")} ${pen("bold", `${nameOf(file, telling.files)} · ${what} · ${grouped(seeds)} of ${grouped(runs)} runs`)}`
  const smaller = telling.smaller.get(finding)
  const footer = [
    ...(smaller === undefined ? [] : [`  shrunk ${smaller.words}`]),
    ...(smaller?.saved == null ? [] : [`  small  pnpm sim ${smaller.saved}`]),
    ...(trace === null ? [] : [`  saved  ${trace}${otherTrace === null ? "" : `     ${otherTrace}`}`]),
    ...(trace === null || otherTrace === null ? [] : [`  diff   pnpm sim diff ${trace} ${otherTrace}`]),
    `  again  ${telling.again(index, seed, points)}`,
    ...(trace === null || !hasCause(fault) ? [] : [`  why    pnpm sim explain ${trace}`]),
    ...(page === undefined ? [] : [`  see    ${page}`]),
    ""
  ]
  switch (fault._tag) {
    case "expectation": {
      const { atMs, place, witness } = fault.judged
      const expectation = scenario.expect[place]!
      return [
        title(expectation.name),
        `    ${file}:${expectation.place.line}`,
        `    at ${moment(atMs ?? 0)}: ${witness}`,
        ...footer
      ]
    }
    case "invariant":
      return [title(`invariant ${fault.oracle}`), `    at ${moment(fault.atMs)}: ${fault.message}`, ...footer]
    case "defect":
      return [title("the simulator broke. This is a defect of clawmesh"), ...indented(fault.stack), ...footer]
    case "death":
      return [
        title("a thread of the simulator died. This is a defect of clawmesh"),
        ...indented(fault.reason),
        ...footer
      ]
    case "parted":
      return [
        `${pen("red", "✗")} ${pen("bold", `not deterministic: seed ${seed} of ${nameOf(file, telling.files)} gave trace ${fault.first} and trace ${fault.second}`)}`,
        ...indented(fault.words.join("\n")),
        "    Common causes: a Map or Set filled in another order, Date.now, Math.random, a promise in the kernel, state that",
        "    outlives a run.",
        ...footer
      ]
  }
}

const indented = (text: string): ReadonlyArray<string> =>
  text === "" ? [] : text.split("\n").map((line) => `    ${line}`)

const faultLines = ({ files, tally, verbose }: CampaignTelling): ReadonlyArray<string> => {
  const all = tally.scenarios.flatMap(({ effects, scenario }) =>
    [...effects].map(([source, effect]) => ({ ...effect, ...sourceWords(scenario, source), file: scenario.file }))
  )
  if (all.length === 0) return []
  const sum = (of: (effect: (typeof all)[number]) => number) => all.reduce((n, effect) => n + of(effect), 0)
  const line =
    `faults: ${all.length} kinds touched something in ${grouped(sum(({ touched }) => touched))} of ` +
    `${grouped(sum(({ struck }) => struck))} runs that they struck; mattered in ${grouped(sum(({ mattered }) => mattered))} of ` +
    `${grouped(sum(({ tried }) => tried))} that were tried without them`
  if (!verbose) return [line]
  return [
    line,
    ...all.map(
      ({ file, line: at, mattered, struck, touched, tried, words }) =>
        `  ${nameOf(file, files)} · ${words}${at === null ? "" : ` (line ${at})`}: struck in ${grouped(struck)} runs, touched ` +
        `something in ${grouped(touched)}, mattered in ${grouped(mattered)} of ${grouped(tried)}`
    )
  ]
}

const reachedLines = ({ tally, verbose }: CampaignTelling): ReadonlyArray<string> => {
  const marks = new Set(tally.reached.keys())
  const never = neverReached(marks)
  const parts = Object.entries(universe).map(([kind, { name, places }]) => {
    const missed = never[kind]?.length ?? 0
    return `${name} ${places.length - missed} of ${places.length}`
  })
  const situations = tally.scenarios.reduce((sum, one) => sum + one.situations.size, 0)
  const line = `reached: ${parts.join(" · ")} · ${grouped(situations)} situations`
  if (!verbose) return [line]
  return [
    line,
    ...Object.entries(universe).flatMap(([kind, { name, places }]) => {
      const found = places.filter((place) => marks.has(`${kind}:${place}`))
      const told = found.map((place) => `${place} ${grouped(tally.reached.get(`${kind}:${place}`) ?? 0)}`)
      const missed = never[kind] ?? []
      return [
        ...(told.length === 0 ? [] : [`  ${name}, with the runs that were there: ${told.join(", ")}`]),
        ...(missed.length === 0 ? [] : [`  ${name}, never: ${missed.join(", ")}`])
      ]
    })
  ]
}

/** How often it came to what comes to pass sometimes. */
const sometimesLines = ({ files, tally }: CampaignTelling): ReadonlyArray<string> =>
  tally.scenarios.flatMap(({ expectations, scenario }, i) =>
    expectations.flatMap(({ held, never }, place) => {
      const { name, when } = scenario.expect[place]!
      return when._tag === "sometimes" && held > 0
        ? [`sometimes: ${nameOf(files[i]!, files)} · ${name}: in ${grouped(held)} of ${grouped(held + never)} runs`]
        : []
    })
  )

/** `scenarios: 3 passed, 0 failed`: plain, alone on the last line. */
const scoreLine = ({ tally }: CampaignTelling): string => {
  const failed = tally.scenarios.filter((_, i) => tally.findings.some(({ scenario }) => scenario === i)).length
  const undecided = tally.scenarios.filter(
    (one, i) => !tally.findings.some(({ scenario }) => scenario === i) && doubtful(one)
  ).length
  const passed = tally.scenarios.length - failed - undecided
  return `scenarios: ${passed} passed, ${failed} failed${undecided === 0 ? "" : `, ${undecided} undecided`}`
}

/** While it runs: one line. */
export const progressLine = (tally: Tally, jobs: number, tookMs: number): string =>
  [
    ` ${grouped(tally.runs)} runs`,
    `${rate(tally.runs, tookMs)} /s`,
    `${grouped(tally.events)} events`,
    `${jobs} jobs`,
    `twice-checked ${grouped(tally.checked)}`,
    tally.findings.length === 0 ? "nothing found" : enumerate([`${tally.findings.length} findings`])
  ].join(" · ")

export const campaignText = (telling: CampaignTelling, look: Look): string => {
  const { interrupted, jobs, tally, tookMs } = telling
  const pen = penOf(look)
  const parted = tally.findings.some(({ fault }) => fault._tag === "parted")
  const twice = `twice-checked ${grouped(tally.checked)}, ${parted ? pen("red", "not all the same") : "all the same"}`
  const head =
    ` ${grouped(tally.runs)} runs, ${grouped(tally.events)} events in ${(tookMs / 1000).toFixed(1)} s · ` +
    `${rate(tally.events, tookMs)} events/s · ${jobs} ${jobs === 1 ? "job" : "jobs"} · ${twice}`
  const doubts = tally.scenarios.flatMap((one, i) => [
    ...(judgedAnything(one) ? [] : [`${nameOf(telling.files[i]!, telling.files)}: nothing was judged in any run`]),
    ...missed(one).map(
      (what) => `${nameOf(telling.files[i]!, telling.files)}: it never came to that in any run: ${what}`
    ),
    ...vacuous(one).map(
      (fault) =>
        `${nameOf(telling.files[i]!, telling.files)}: a fault touched nothing in any run, so none tests it: ${fault}`
    )
  ])
  return [
    head,
    ...tally.scenarios.map((_, i) => scenarioLine(telling, i, pen)),
    "",
    ...tally.findings.flatMap((finding) => findingBlock(telling, finding, pen)),
    ...doubts.map((doubt) => `  ${pen("yellow", "!")} ${doubt}`),
    ...(doubts.length === 0 ? [] : [""]),
    ...faultLines(telling),
    ...sometimesLines(telling),
    ...(tally.branches === 0
      ? []
      : [`branches: ${grouped(tally.branches)} of the runs, with ${grouped(tally.branchEvents)} of the events`]),
    ...reachedLines(telling),
    ...(interrupted ? [`interrupted after ${grouped(tally.runs)} runs`] : []),
    `outcome ${tally.outcome()}`,
    scoreLine(telling)
  ]
    .map((line) => `${line}\n`)
    .join("")
}
