/** `pnpm test` ends with a line that tells the truth, whatever a test file does, and exits with 1 unless all is well. */
import { assert, describe, it } from "@effect/vitest"
import type { Ran } from "../../.ci/Run.ts"
import { Scratch } from "./Scratch.ts"

const config = `import { defineConfig } from "vitest/config"
export default defineConfig({ test: { include: ["*.test.ts"], reporters: ["default", "./test/toolchain/plainReporter.ts"] } })
`

/** Runs vitest on these files; each begins with the import that it needs. */
const vitest = async (files: { readonly [name: string]: string }, ...args: ReadonlyArray<string>): Promise<Ran> => {
  using scratch = new Scratch()
  scratch.copy("test/toolchain/plainReporter.ts")
  scratch.write("package.json", `{ "type": "module" }`)
  scratch.write("vitest.config.ts", config)
  for (const [name, body] of Object.entries(files)) {
    scratch.write(`${name}.test.ts`, `import { beforeAll, describe, it } from "vitest"\n${body}\n`)
  }
  return await scratch.run("vitest", "run", ...args)
}

const lastLine = ({ output }: Ran): string | undefined => output.trimEnd().split("\n").at(-1)

const endsWith = (ran: Ran, line: string, code: number): void => {
  assert.strictEqual(lastLine(ran), line, ran.output)
  assert.strictEqual(ran.code, code, ran.output)
}

const passing = `it("holds", () => {})`

describe.concurrent("the closing line of pnpm test", { timeout: 60_000 }, () => {
  it("counts a file that throws at import as failed", async () => {
    endsWith(await vitest({ broken: `throw new Error("no")`, passing }), "1 passed, 1 failed, 0 skipped", 1)
  })

  it("counts passed, failed and skipped tests", async () => {
    const files = { mixed: `${passing}; it("fails", () => { throw new Error("no") }); it.skip("rests", () => {})` }
    endsWith(await vitest(files), "1 passed, 1 failed, 1 skipped", 1)
  })

  it("is green when tests pass and none fails", async () => {
    endsWith(
      await vitest({ passing, more: `${passing}; it.skip("rests", () => {})` }),
      "2 passed, 0 failed, 1 skipped",
      0
    )
  })

  it("counts an error that nobody caught as failed", async () => {
    const files = { loose: `it("holds", () => { void Promise.reject(new Error("no")) })` }
    endsWith(await vitest(files), "1 passed, 1 failed, 0 skipped", 1)
  })

  it("counts a hook that throws as failed, of a file and of a suite", async () => {
    const hook = `beforeAll(() => { throw new Error("no") })`
    const files = { file: `${hook}; ${passing}`, suite: `describe("suite", () => { ${hook}; ${passing} }); ${passing}` }
    endsWith(await vitest(files), "1 passed, 2 failed, 2 skipped", 1)
  })

  it("counts a test that ends the process as failed", async () => {
    const files = { quits: `${passing}; it("quits", () => process.exit(0))` }
    endsWith(await vitest(files), "1 passed, 1 failed, 0 skipped", 1)
  })

  it("fails when there is no test", async () => {
    endsWith(await vitest({}), "0 passed, 0 failed, 0 skipped", 1)
  })

  it("fails when no test ran", async () => {
    endsWith(await vitest({ passing }, "-t", "nothing is called that"), "0 passed, 0 failed, 1 skipped", 1)
  })
})
