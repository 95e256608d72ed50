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
import { readPoints } from "../search/Points.ts"
import { type Kind, readFlags } from "./Flags.ts"
import { readExplainArguments, readReportArguments } from "./ExplainArguments.ts"
import { readFuzzArguments } from "./FuzzArguments.ts"
import {
  isFile,
  isReporter,
  type Order,
  readTime,
  readWith,
  reporterKind,
  reporterMistake,
  withKind,
  withMistake
} from "./Order.ts"
import { readCheckArguments, readListArguments, readNewArguments, readSchemaArguments } from "./ToolArguments.ts"

/** Commands that read their own words. */
const readers: { readonly [command: string]: (words: ReadonlyArray<string>) => Order } = {
  fuzz: readFuzzArguments,
  check: readCheckArguments,
  list: readListArguments,
  new: readNewArguments,
  schema: readSchemaArguments,
  explain: readExplainArguments,
  report: readReportArguments
}

export const commands: ReadonlyArray<string> = ["run", ...Object.keys(readers), "help"]

const kinds: { readonly [flag: string]: Kind } = {
  seed: { needs: "a number, such as --seed 7" },
  until: { needs: "a time with a unit, such as --until 62s" },
  fuzzed: "nothing",
  "no-swarm": "nothing",
  branch: { needs: "where it turns off, such as --branch 12345:3" },
  with: withKind,
  twice: "nothing",
  reporter: reporterKind,
  quiet: "nothing",
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
  const seed = values.get("seed")
  if (seed !== undefined && (!/^\d{1,10}$/u.test(seed) || Number(seed) > SEED_MAX))
    return misuse(`--seed ${seed}: a seed is a whole number from 0 to ${SEED_MAX}`)
  const until = values.get("until")
  const untilMs = until === undefined ? null : readTime(until)
  if (until !== undefined && untilMs === null)
    return misuse(`--until ${until}: write a time with a unit, such as 500ms, 6s, 2m or 1h`)
  const besides = values.get("with")
  const others = besides === undefined ? { gen1: 0 } : readWith(besides)
  if (others === null) return misuse(withMistake(besides ?? ""))
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
  if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
  if (named.length === 0)
    return misuse("no scenario given; write pnpm sim scenarios/failover.yaml, or pnpm sim --help for more")
  const swarm = !values.has("no-swarm")
  const fuzzed = values.has("fuzzed")
  if (!swarm && !fuzzed) return misuse("--no-swarm goes with --fuzzed, or with pnpm sim fuzz")
  if (fuzzed && seed === undefined)
    return misuse("--fuzzed needs the seed to draw from: --seed 7 --fuzzed; for many seeds there is pnpm sim fuzz")
  const branch = values.get("branch")
  const points = branch === undefined ? [] : readPoints(branch)
  if (points === null)
    return misuse(
      `--branch ${branch}: write after how many inputs and which future, such as --branch 12345:3; several in order, with commas`
    )
  if (points.length > 0 && !fuzzed) return misuse("--branch goes with --fuzzed: it is a future of a run that was drawn")
  if (values.has("reporter") && json === "stdout")
    return misuse("--reporter is for people; with --json on standard output there is nothing for it to tell")
  return {
    _tag: "run",
    files: named,
    seed: seed === undefined ? null : Number(seed),
    untilMs,
    twice: values.has("twice"),
    fuzzed: fuzzed ? { swarm, points } : null,
    reporter,
    quiet: values.has("quiet"),
    with: others,
    json
  }
}

const takesFiles = (command: string): boolean => ["run", "fuzz", "check", "explain", "report"].includes(command)

const help = `Runs scenarios of the mesh in a simulated world, and judges what they expect.

  pnpm sim <file.yaml|glob>…           run; the same as sim run
  pnpm sim run <file.yaml|glob>…
  pnpm sim fuzz <file.yaml|glob>…      many seeds, with random faults
  pnpm sim explain <file.yaml|trace>   why a run failed, and from when on that was inevitable
  pnpm sim report <file.yaml|trace>    a run as one page of HTML
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
