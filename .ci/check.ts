/** `pnpm check`: every check, each with its heading and its own outcome, whether or not the one before it failed. */
import { checks, withoutListing } from "./checks.ts"
import { run, seconds } from "./Run.ts"

const failed: Array<string> = []
for (const { args, lookedAt, name, tool } of checks) {
  console.log(`── ${name}: ${[tool, ...args].join(" ")}`)
  const { code, output, tookMs } = await run(tool, args)
  const files = lookedAt?.(output)
  const passed = code === 0 && files !== 0
  if (!passed) {
    failed.push(name)
    console.log(withoutListing(output))
    if (files === 0) console.log(`${tool} looked at no file: that is no check`)
  }
  const looked = files === undefined ? "" : `, ${files} files`
  console.log(`${name}: ${passed ? "passed" : `failed with exit code ${code}`}${looked}, ${seconds(tookMs)}\n`)
}

const outcome = `${checks.length - failed.length} passed, ${failed.length} failed`
console.log(failed.length === 0 ? `check: ${outcome}` : `check: ${outcome}: ${failed.join(", ")}`)
process.exitCode = failed.length === 0 ? 0 : 1
