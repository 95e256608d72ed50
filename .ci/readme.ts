/**
 * `node .ci/readme.ts [PAGE …]`: runs the commands that README.md and the pages of docs/how-to for working on the project show, and
 * fails when one of them no longer does what its page shows.
 * Runs those that begin with pnpm (or `npx -y pnpm@12`), each in a shell of its own, and every command of a block that is a
 * session (Session.ts), with pnpm on its path; the others are named as not run.
 */
import { readFileSync } from "node:fs"
import { delimiter, dirname, resolve } from "node:path"
import { root, run, seconds } from "./Run.ts"
import { play, type Typed } from "./Session.ts"
import { type Command, commandsOf, difference, outputLines } from "./Shell.ts"

const RUNNER = "npx -y pnpm@12"

/** The command as it runs where pnpm itself is not installed; `null`: it is none of pnpm's. */
const runnable = ({ text }: Command): string | null => {
  if (text.startsWith(`${RUNNER} `)) return text
  return text.startsWith("pnpm ") ? `${RUNNER} ${text.slice("pnpm ".length)}` : null
}

const PAGES = [
  "README.md",
  "docs/how-to/bring-an-incident-home.md",
  "docs/how-to/find-a-failing-seed.md",
  "docs/how-to/pair-a-jetson.md",
  "docs/how-to/try-the-demo.md",
  "docs/how-to/when-something-is-wrong.md"
]
const given = process.argv.slice(2)

let page = ""
let passed = 0
let failed = 0

const tell = ({ code, command, differs, output, tookMs }: Typed): void => {
  const at = `${page}:${command.line}  $ ${command.text}`
  if (code === command.exitCode && differs === null) {
    passed++
    console.log(`${at}\n  as the page shows, ${seconds(tookMs)}`)
    return
  }
  failed++
  console.log(`${at}\n  failed, ${seconds(tookMs)}`)
  if (code === null) console.log("  it did not end in time")
  else if (code !== command.exitCode) console.log(`  exit code ${code}, not ${command.exitCode}`)
  if (differs !== null) {
    console.log(`  the page shows   ${differs.shown ?? "nothing more"}`)
    console.log(`  it prints        ${differs.printed ?? "nothing more"}`)
  }
  console.log(output.replaceAll(/^/gmu, "  | "))
}

const runAlone = async (command: Command): Promise<void> => {
  const text = runnable(command)
  if (text === null || !command.inCi) {
    const why = text === null ? "only pnpm's commands run here" : "marked no-ci"
    console.log(`${page}:${command.line}  $ ${command.text}\n  not run: ${why}`)
    return
  }
  const { code, output, tookMs } = await run("bash", ["-c", text])
  const differs = command.shown.length === 0 ? null : difference(command.shown, outputLines(output))
  tell({ command, code, output, differs, tookMs })
}

/** An environment in which `pnpm` is the one that npx runs. */
const withPnpm = async (): Promise<NodeJS.ProcessEnv> => {
  const { output } = await run("npx", ["-y", "-p", "pnpm@12", "sh", "-c", "command -v pnpm"])
  const path = output.trim().split("\n").at(-1)!
  return { ...process.env, NO_COLOR: "1", PATH: `${dirname(path)}${delimiter}${process.env["PATH"]}` }
}

const runSession = async (commands: ReadonlyArray<Command>, line: number, limitMs: number): Promise<void> => {
  const { tidy, typed } = await play(commands, limitMs, await withPnpm())
  for (const one of typed) tell(one)
  for (const { line: at, text } of commands.slice(typed.length))
    console.log(`${page}:${at}  $ ${text}\n  not run: the session failed before`)
  if (tidy || typed.length < commands.length) return
  failed++
  console.log(`${page}:${line}  the session leaves programs running; they were killed`)
}

for (page of given.length > 0 ? given : PAGES) {
  const before = passed + failed
  const commands = commandsOf(readFileSync(resolve(root, page), "utf8"))
  for (const command of commands) {
    const { session } = command
    if (session === null) await runAlone(command)
    else if (commands.find((other) => other.session === session) === command) {
      const all = commands.filter((other) => other.session === session)
      await runSession(all, session.line, session.limitMs)
    }
  }
  if (passed + failed === before) {
    console.log(`${page} shows no command that runs here: that is no check`)
    failed++
  }
}
console.log(`README: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
