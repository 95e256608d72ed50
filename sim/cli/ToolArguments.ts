/** The words after `check`, `list`, `new` and `schema`: the commands that look after scenarios and run none. */
import { type Flags, type Kind, readFlags } from "./Flags.ts"
import { isFile, isReporter, type Order, reporterKind, reporterMistake } from "./Order.ts"

const after = (
  words: ReadonlyArray<string>,
  kinds: { readonly [flag: string]: Kind },
  help: string,
  then: (flags: Flags, misuse: (message: string) => Order) => Order
): Order => {
  const flags = readFlags(words, kinds)
  if ("misuse" in flags) return flags.misuse
  if (flags.help) return { _tag: "help", text: help }
  return then(flags, (message) => ({ _tag: "misuse", message, json: flags.json }))
}

export const readCheckArguments = (words: ReadonlyArray<string>): Order =>
  after(words, { twice: "nothing", quiet: "nothing", reporter: reporterKind }, checkHelp, (flags, misuse) => {
    const { json, rest, values } = flags
    const reporter = values.get("reporter") ?? "story"
    if (!isReporter(reporter)) return misuse(reporterMistake(reporter))
    if (values.has("reporter") && json === "stdout")
      return misuse("--reporter is for people; with --json there is nothing for it to tell")
    const stranger = rest.find((word) => !isFile(word))
    if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
    if (rest.length === 0) return misuse("no scenario given; write pnpm sim check 'scenarios/*.yaml'")
    return { _tag: "check", files: rest, twice: values.has("twice"), quiet: values.has("quiet"), reporter, json }
  })

export const readListArguments = (words: ReadonlyArray<string>): Order =>
  after(words, {}, listHelp, ({ json, rest }) => {
    const stranger = rest.find((word) => !isFile(word))
    if (stranger !== undefined) return { _tag: "no such command", word: stranger, json }
    return { _tag: "list", files: rest, json }
  })

export const readNewArguments = (words: ReadonlyArray<string>): Order =>
  after(words, {}, newHelp, ({ json, rest }, misuse) => {
    const [name, second] = rest
    if (name === undefined) return misuse("a new scenario needs a name, such as pnpm sim new pump-loses-power")
    if (second !== undefined) return misuse(`one name at a time; did you mean pnpm sim new ${rest.join("-")}?`)
    return { _tag: "new", name, json }
  })

export const readFromRecordingArguments = (words: ReadonlyArray<string>): Order =>
  after(
    words,
    { save: { needs: "a name, such as --save the-barn-went-dark" } },
    fromRecordingHelp,
    ({ json, rest, values }, misuse) => {
      const save = values.get("save") ?? null
      if (rest.length === 0)
        return misuse("nothing to read; write pnpm sim from-recording incident.tar.gz, as clawmesh bundle makes it")
      if (save === "") return misuse("--save= names nothing; write --save the-barn-went-dark")
      if (save === null && json === "stdout")
        return misuse("--json and the scenario both want standard output; write --json=out.json, or --save NAME")
      return { _tag: "from-recording", files: rest, save, json }
    }
  )

export const readSchemaArguments = (words: ReadonlyArray<string>): Order =>
  after(
    words,
    { out: { needs: "a file, such as --out scenario.schema.json" } },
    schemaHelp,
    ({ json, rest, values }, misuse) => {
      const [word] = rest
      if (word !== undefined) return misuse(`schema takes no ${JSON.stringify(word)}; did you mean --out ${word}?`)
      const out = values.get("out") ?? null
      if (out === "")
        return misuse("--out= names no file; write --out scenario.schema.json, or --out - for standard output")
      if (out === "-" && json === "stdout") return misuse("--out - and --json both want standard output; choose one")
      return { _tag: "schema", out, json }
    }
  )

const fromRecordingHelp = `Makes a scenario of what real nodes recorded, as far as an incident can be done again.

  pnpm sim from-recording <bundle|recording|state directory>…   those of several nodes, given together, tell more

  --save NAME      as scenarios/NAME.yaml; without it the scenario is printed
  --json=FILE      an object that says what was made
  --no-color
  --help, -h       this text

Who took part and when, who lost power or left and came back, which links were cut, who stood still, how calendars stood; and
what nodes saw of each other and of leaders, as what has to come to be seen again. What is only approximated stands in it.

Exit codes: 0 made, 2 wrong use, nothing to read, or not to be written.

  pnpm sim from-recording barn.tar.gz house.tar.gz --save the-barn-went-dark
`

const checkHelp = `Reads scenarios, tells all their mistakes, and runs nothing.

  pnpm sim check <file.yaml|glob>…

  --twice          run each two times, and compare the traces; nothing is judged
  --reporter R     story, or github: mistakes as annotations of a pull request; failures: no line for what reads
  --quiet          only the count at the end
  --json[=FILE]    a JSON object for each file, mistakes with their lines and columns
  --no-color
  --help, -h       this text

Exit codes: 0 all read, 2 some do not, 4 one gave two traces.

  pnpm sim check 'scenarios/*.yaml'
`

const listHelp = `Lists scenarios: what each is called, what came of its last run, when, and how long it took.

  pnpm sim list [<file.yaml|glob>…]     without any: scenarios/**/*.yaml

  --json[=FILE]    a JSON object for each file
  --no-color
  --help, -h       this text

Last runs are remembered in out/last/, in the folder where they were started: of scenarios in that folder, run as written and
to their end. Exit codes: 0, or 2 when one does not read.
`

const newHelp = `Writes the skeleton of a scenario, which runs as it is, with a first line that tells editors the language.

  pnpm sim new <name>             scenarios/<name>.yaml
  pnpm sim new <path/name.yaml>   somewhere else

  --json[=FILE]    a JSON object that says what was written
  --help, -h       this text

Never overwrites a file. Exit codes: 0, or 2 when it could not be written.
`

const schemaHelp = `Writes the language of scenarios for editors, as a JSON Schema (2020-12), and for people.

  pnpm sim schema                 scenarios/scenario.schema.json and the tables of docs/reference/scenario-language.md
  pnpm sim schema --out FILE      only the JSON Schema, to FILE; - is standard output

  --json[=FILE]    a JSON object that says what was written
  --help, -h       this text

A scenario names it in its first line: # yaml-language-server: $schema=scenario.schema.json
`
