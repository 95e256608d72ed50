/**
 * The words after `pnpm sim`, understood or refused with the way out.
 *
 * An argument is a file if and only if it contains `/` or ends in `.yaml` or `.yml`; names of commands do neither. So
 * `pnpm sim scenarios/failover.yaml` needs no command, and no command to come can be mistaken for a file.
 *
 * Reads words only: whether files are there is asked by `Files.ts`. Built on node:util's parseArgs and not on a command
 * framework, because starting Node is most of the time that a run takes, and importing one would double it.
 */
import { SEED_MAX } from "../scenario/Seed.ts"
import { type Kind, readFlags } from "./Flags.ts"
import { readExplainArguments, readReportArguments } from "./ExplainArguments.ts"
import { readFuzzArguments } from "./FuzzArguments.ts"
import { isFile, isReporter, type Order, reporterKind, reporterMistake } from "./Order.ts"
import { readDiffArguments, readReplayArguments } from "./ReplayArguments.ts"
import { readShrinkArguments } from "./ShrinkArguments.ts"
import {
  readCheckArguments,
  readFromRecordingArguments,
  readListArguments,
  readNewArguments,
  readSchemaArguments
} from "./ToolArguments.ts"
import { readFuzzed, readValues, whichKinds } from "./Which.ts"

/** Commands that read their own words. */
const readers: { readonly [command: string]: (words: ReadonlyArray<string>) => Order } = {
  fuzz: readFuzzArguments,
  replay: readReplayArguments,
  diff: readDiffArguments,
  shrink: readShrinkArguments,
  check: readCheckArguments,
  list: readListArguments,
  new: readNewArguments,
  "from-recording": readFromRecordingArguments,
  schema: readSchemaArguments,
  explain: readExplainArguments,
  report: readReportArguments
}

export const commands: ReadonlyArray<string> = ["run", ...Object.keys(readers), "help"]

const kinds: { readonly [flag: string]: Kind } = {
  ...whichKinds,
  twice: "nothing",
  reporter: reporterKind,
  quiet: "nothing",
  step: "nothing",
  record: "nothing",
  version: "nothing"
}

export const readArguments = (words: ReadonlyArray<string>): Order => {
  const [command = "", ...rest] = words
  const reader = Object.hasOwn(readers, command) ? readers[command] : undefined
  return reader === undefined ? readRunArguments(words) : reader(rest)
}

const readRunArguments = (words: ReadonlyArray<string>): Order => {
  const flags = readFlags(words, kinds)
  if ("misuse" in flags) return flags.misuse
  const { json, values } = flags
  const misuse = (message: string): Order => ({ _tag: "misuse", message, json })
  const which = readValues(values)
  if ("mistake" in which) return misuse(which.mistake)
  const reporter = values.get("reporter") ?? "story"
  if (!isReporter(reporter)) return misuse(reporterMistake(reporter))

  const [command] = flags.rest
  if (flags.help || command === "help") return { _tag: "help", text: help }
  if (values.has("version")) return { _tag: "version" }
  const named = command === "run" ? flags.rest.slice(1) : flags.rest
  const stranger = named.find((word) => !isFile(word))
  if (stranger !== undefined && commands.includes(stranger))
    return misuse(
      `the command comes first: pnpm sim ${stranger}${takesFiles(stranger) ? " scenarios/failover.yaml" : ""}`
    )
  if (stranger?.endsWith(".json") && json === "stdout")
    return misuse(`${stranger} is no scenario; did you mean --json=${stranger}?`)
  const trace = named.find((word) => word.endsWith(".jsonl"))
  if (trace !== undefined) return misuse(`${trace} is no scenario; did you mean pnpm sim replay ${trace}?`)
  if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
  if (named.length === 0)
    return misuse("no scenario given; write pnpm sim scenarios/failover.yaml, or pnpm sim --help for more")
  const drawn = readFuzzed(values)
  if ("mistake" in drawn) return misuse(drawn.mistake)
  if (values.has("reporter") && json === "stdout")
    return misuse("--reporter is for people; with --json on standard output there is nothing for it to tell")
  const step = values.has("step")
  if (step && json === "stdout") return misuse("--step is for people; with --json there is nothing for it to tell")
  if (step && reporter === "full") return misuse("--step and --reporter full both tell every input; choose one")
  return {
    _tag: "run",
    files: named,
    ...which,
    ...drawn,
    twice: values.has("twice"),
    reporter,
    quiet: values.has("quiet"),
    step,
    record: values.has("record"),
    json
  }
}

const takesFiles = (command: string): boolean =>
  ["run", "fuzz", "shrink", "check", "replay", "explain", "report"].includes(command)

const help = `Runs scenarios of the mesh in a simulated world, and judges what they expect.

  pnpm sim <file.yaml|glob>…           run; the same as sim run
  pnpm sim run <file.yaml|glob>…
  pnpm sim fuzz <file.yaml|glob>…      many seeds, with random faults
  pnpm sim shrink <file.yaml|trace>    make a run that fails small, and keep what broke in it
  pnpm sim explain <file.yaml|trace>   why a run failed, and from when on that was inevitable
  pnpm sim report <file.yaml|trace>    a run as one page of HTML
  pnpm sim replay <trace.jsonl>        a recorded run again, checked against its recording; or a seed, two times; or what a
                                       real node recorded, with the oracles over it
  pnpm sim from-recording <bundle>…    a scenario of what real nodes recorded
  pnpm sim diff <trace> <trace>        the first moment at which two recorded runs part
  pnpm sim check <file.yaml|glob>…     read, tell all mistakes, run nothing
  pnpm sim list                        scenarios, with what came of their last runs
  pnpm sim new <name>                  the skeleton of a scenario
  pnpm sim schema                      write the language for editors

  --seed N         another seed than the scenario's: 0 to ${SEED_MAX}
  --fuzzed         with --seed: as sim fuzz draws it from that seed
  --no-swarm       with --fuzzed: draw only what the file says
  --branch E:N     with --fuzzed: turned off behind input E into future N, as sim fuzz --branching tells it
  --with gen1=N    put N devices of generation 1 beside the scenario: they dial some of its nodes and are dialled by others
  --until T        stop at that moment, such as 62s; what is due later is not judged
  --twice          run two times and compare the traces
  --step           every input with its number, what the node did with it, and what that changed; pnpm sim replay has a
                   window for it
  --record         keep the run as a trace, out/<hash>.jsonl, for pnpm sim replay and pnpm sim diff
  --reporter R     story: what happened, in a few lines; full: every input and command; failures: only runs that did not
                   pass; github: the same, with annotations beside the lines of a pull request
  --quiet          only the closing lines
  --json[=FILE]    one JSON object a run, to stdout or to FILE
  --no-color
  --help, -h       this text; after a command, what that one takes
  --version

Exit codes
  0   everything that was judged held            3   undecided: nothing was judged, a fault touched nothing, or it never came
  1   an expectation or an invariant broke           to what a scenario says comes to pass sometimes
  2   wrong use, or a scenario does not read     4   not deterministic: the same inputs gave two traces
                                                 5   a trace does not come out as it was recorded
                                                 70  the simulator itself broke

  pnpm sim scenarios/failover.yaml --seed 7 --twice
  pnpm -s sim scenarios/failover.yaml --json | jq .verdict
`
