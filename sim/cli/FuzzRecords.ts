/** What `pnpm sim fuzz --json` writes: one object a line, each with its `$type`. Times in ms of true time. */
import type { SeedReport } from "../search/OneSeed.ts"
import type { Task } from "../search/Plan.ts"
import { pointsText } from "../search/Points.ts"
import { neverReached } from "../search/Reach.ts"
import { doubtful } from "../report/CampaignText.ts"
import type { Finding, ScenarioTally, Tally } from "../search/Tally.ts"
import type { Exit } from "./Exit.ts"
import { line } from "./Records.ts"
import type { Smaller } from "./Smaller.ts"

export const seedRecord = (file: string, { seed }: Task, report: SeedReport | null): string =>
  line({
    $type: "clawmesh.fuzz.seed/1",
    file,
    seed,
    branch: report === null || report.points.length === 0 ? null : pointsText(report.points),
    class: report?.class ?? null,
    hash: report?.hash ?? null,
    events: report?.events ?? 0,
    broken:
      report === null
        ? null
        : report.judged.filter(({ status }) => status === "broken").length + report.violations.length
  })

const faultOf = ({ fault }: Finding, tally: Tally, scenario: number) => {
  switch (fault._tag) {
    case "expectation": {
      const { name, place } = tally.scenarios[scenario]!.scenario.expect[fault.judged.place]!
      return {
        kind: "expectation",
        what: name,
        line: place.line,
        atMs: fault.judged.atMs ?? null,
        words: fault.judged.witness ?? null
      }
    }
    case "invariant":
      return { kind: "invariant", what: fault.oracle, line: null, atMs: fault.atMs, words: fault.message }
    case "parted":
      return {
        kind: "not deterministic",
        what: `${fault.first} ${fault.second}`,
        line: null,
        atMs: null,
        words: fault.words.join("\n")
      }
    case "defect":
      return { kind: "defect", what: "the simulator broke", line: null, atMs: null, words: fault.stack }
    case "death":
      return { kind: "defect", what: "a thread died", line: null, atMs: null, words: fault.reason }
  }
}

export const findingRecord = (
  file: string,
  finding: Finding,
  tally: Tally,
  { again, smaller }: { readonly again: string; readonly smaller: Smaller | null }
): string =>
  line({
    $type: "clawmesh.fuzz.finding/1",
    file,
    seed: finding.seed,
    branch: finding.points.length === 0 ? null : pointsText(finding.points),
    hash: finding.hash,
    seeds: finding.seeds,
    ...faultOf(finding, tally, finding.scenario),
    trace: finding.trace,
    otherTrace: finding.otherTrace,
    shrunk:
      smaller?.shrunk == null
        ? null
        : {
            from: smaller.shrunk.from,
            to: smaller.shrunk.to,
            runs: smaller.shrunk.runs,
            certificate: smaller.shrunk.certificate,
            saved: smaller.saved
          },
    again
  })

const scenarioRecord = (file: string | undefined, one: ScenarioTally) => {
  const { classes, effects, events, expectations, failed, runs, scenario, seeds } = one
  return {
    file,
    runs,
    failed,
    /** It broke nothing, and has shown less than the file asks for: with more seeds it may. */
    undecided: failed === 0 && doubtful(one),
    events,
    seeds,
    classes,
    expectations: expectations.map((counts, place) => ({
      name: scenario.expect[place]!.name,
      line: scenario.expect[place]!.place.line,
      ...counts
    })),
    faults: [...effects].map(([source, counts]) => ({ source, ...counts }))
  }
}

export const endRecord = (
  files: ReadonlyArray<string>,
  tally: Tally,
  end: { readonly tookMs: number; readonly jobs: number; readonly interrupted: boolean; readonly exit: Exit }
): string => {
  const { jobs, tookMs, ...rest } = end
  return line({
    $type: "clawmesh.fuzz.end/1",
    runs: tally.runs,
    events: tally.events,
    branches: { runs: tally.branches, events: tally.branchEvents },
    situations: tally.scenarios.reduce((sum, { situations }) => sum + situations.size, 0),
    checked: tally.checked,
    findings: tally.findings.length,
    outcome: tally.outcome(),
    tookMs: Math.round(tookMs),
    jobs,
    scenarios: tally.scenarios.map((one, i) => scenarioRecord(files[i], one)),
    reached: Object.fromEntries([...tally.reached].sort(([a], [b]) => (a < b ? -1 : 1))),
    neverReached: neverReached(new Set(tally.reached.keys())),
    ...rest
  })
}
