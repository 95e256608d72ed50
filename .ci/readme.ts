/**
 * `node .ci/readme.ts [PAGE]`: runs the commands of README.md that a newcomer types, and fails when one of them no longer does
 * what the page shows.
 * Runs those that begin with pnpm (or `npx -y pnpm@12`); the others are named as not run.
 */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { root, run, seconds } from "./Run.ts"
import { type Command, commandsOf, difference, outputLines } from "./Shell.ts"

const RUNNER = "npx -y pnpm@12"

/** The command as it runs where pnpm itself is not installed; `null`: it is none of pnpm's. */
const runnable = ({ text }: Command): string | null => {
  if (text.startsWith(`${RUNNER} `)) return text
  return text.startsWith("pnpm ") ? `${RUNNER} ${text.slice("pnpm ".length)}` : null
}

let passed = 0
let failed = 0
const page = process.argv[2] ?? "README.md"
const commands = commandsOf(readFileSync(resolve(root, page), "utf8"))
for (const command of commands) {
  const at = `${page}:${command.line}  $ ${command.text}`
  const text = runnable(command)
  if (text === null || !command.inCi) {
    console.log(`${at}\n  not run: ${text === null ? "only pnpm's commands run here" : "marked no-ci"}`)
    continue
  }
  const { code, output, tookMs } = await run("bash", ["-c", text])
  const differs = command.shown.length === 0 ? null : difference(command.shown, outputLines(output))
  if (code === command.exitCode && differs === null) {
    passed++
    console.log(`${at}\n  as the page shows, ${seconds(tookMs)}`)
    continue
  }
  failed++
  console.log(`${at}\n  failed, ${seconds(tookMs)}`)
  if (code !== command.exitCode) console.log(`  exit code ${code}, not ${command.exitCode}`)
  if (differs !== null) {
    console.log(`  the page shows   ${differs.shown ?? "nothing more"}`)
    console.log(`  it prints        ${differs.printed ?? "nothing more"}`)
  }
  console.log(output.replaceAll(/^/gmu, "  | "))
}
if (passed + failed === 0) {
  console.log(`${page} shows no command that runs here: that is no check`)
  failed++
}
console.log(`README: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
