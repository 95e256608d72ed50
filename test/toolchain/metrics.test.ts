/** B47: the numbers are counted from what is there, and a fall below what has landed, is told. */
import { assert, describe, it } from "@effect/vitest"
import { breaches, metricsOf, testCount } from "../../.ci/Counts.ts"

const file = (path: string, lines: number) => ({ path, text: "// a line\n".repeat(lines) })
const tests = { passed: 10, failed: 0, skipped: 0 }

describe("B47 metrics", () => {
  it("reads the last closing line of a test run", () => {
    const nested = "prints 1 passed, 0 failed, 0 skipped of its own\n1 passed, 0 failed, 0 skipped\n"
    assert.deepStrictEqual(testCount(`${nested}312 passed, 2 failed, 1 skipped\n[ELIFECYCLE] Command failed\n`), {
      passed: 312,
      failed: 2,
      skipped: 1
    })
    assert.isNull(testCount("      Tests  312 passed (312)\n"))
  })

  it("counts test files and source modules, and finds the largest of these", () => {
    const sources = [
      file("kernel/Node.ts", 20),
      file("sim/run.ts", 30),
      file("test/kernel/Node.test.ts", 900),
      file("test/kernel/drive.ts", 40),
      file(".ci/check.ts", 50)
    ]
    assert.deepStrictEqual(metricsOf(sources, tests), {
      passedTests: 10,
      testFiles: 1,
      sourceModules: 2,
      largestSource: { path: "sim/run.ts", lines: 30 }
    })
  })

  it("is content with as many passed tests as have landed, and not with one less", () => {
    assert.deepStrictEqual(breaches(tests, 10), [])
    assert.deepStrictEqual(breaches(tests, 11), ["10 tests passed; 11 did when the last change landed"])
  })
})
