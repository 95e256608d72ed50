/**
 * `pnpm metrics [LOG] [--land]`: prints the project's numbers and fails when the one that must hold does not (Counts.ts).
 *
 * LOG: what a test run printed, so that the tests need not run again; without it they run now. `--land` writes the passed tests
 * into floor.json, upwards only and only when none failed: done when a change lands.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { breaches, metricsOf, testCount } from "./Counts.ts"
import { root, run } from "./Run.ts"

const { positionals, values } = parseArgs({ allowPositionals: true, options: { land: { type: "boolean" } } })
const [log] = positionals

const printed = log === undefined ? (await run("vitest", ["run"])).output : readFileSync(log, "utf8")
const tests = testCount(printed)
if (tests === null) {
  console.log(printed)
  console.log(`metrics: failed: ${log ?? "the test run"} has no line "N passed, N failed, N skipped"`)
  process.exit(1)
}

const git = async (...args: ReadonlyArray<string>): Promise<string | null> => {
  const { code, output } = await run("git", args)
  return code === 0 ? output.trim() : null
}
const tracked = (await git("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.ts")) ?? ""
const sources = [...new Set(tracked.split("\0"))].flatMap((path) => {
  try {
    return path === "" ? [] : [{ path, text: readFileSync(join(root, path), "utf8") }]
  } catch {
    return [] // tracked, and deleted in the working tree
  }
})
const { largestSource, passedTests, sourceModules, testFiles } = metricsOf(sources, tests)
const landedOn = await git("rev-list", "--count", "origin/main..HEAD")
const commits = landedOn ?? (await git("rev-list", "--count", "HEAD"))

const floorFile = join(root, ".ci/floor.json")
const floor = (JSON.parse(readFileSync(floorFile, "utf8")) as { readonly passedTests: number }).passedTests

console.log(
  `passed tests          ${passedTests} (landed: ${floor}; failed: ${tests.failed}, skipped: ${tests.skipped})`
)
console.log(`test files            ${testFiles}`)
console.log(`source modules        ${sourceModules}`)
console.log(`largest source file   ${largestSource?.path} (${largestSource?.lines} lines)`)
console.log(
  `commits ahead         ${commits} ${landedOn === null ? "(in all: there is no origin/main)" : "of origin/main"}`
)

const broken = breaches(tests, floor)
for (const breach of broken) console.log(breach)
if (values.land === true && broken.length === 0 && tests.failed === 0 && passedTests > floor) {
  writeFileSync(floorFile, `${JSON.stringify({ passedTests }, null, 2)}\n`)
  console.log(`landed: .ci/floor.json now says ${passedTests}`)
}
console.log(broken.length === 0 ? "metrics: passed" : `metrics: failed: ${broken.length}`)
process.exitCode = broken.length === 0 ? 0 : 1
