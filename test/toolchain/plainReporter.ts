/**
 * Ends a run of vitest with the one line that everybody can count: `N passed, N failed, N skipped`.
 *
 * Whatever kept a test from telling counts as failed: a file that throws while it is imported, a hook that throws, an error
 * nobody caught, a test that never came back. A run in which no test ran is a failure too.
 */
import type { Reporter, TestModule } from "vitest/node"

export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      count.failed += module.errors().length
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state === "pending" ? "failed" : state]++
      }
    }
    if (count.passed + count.failed === 0) {
      console.log("No test ran.")
      process.exitCode = 1
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}
