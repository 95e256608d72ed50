/** The project's numbers (B47), and the one that must hold: passed tests do not fall. */

export interface Source {
  /** From the top folder, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface TestCount {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const closing = /^(\d+) passed, (\d+) failed, (\d+) skipped$/gmu

/** The last closing line in what a test run printed; `null`: there is none. */
export const testCount = (output: string): TestCount | null => {
  const [, passed, failed, skipped] = [...output.matchAll(closing)].at(-1) ?? []
  return passed === undefined ? null : { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
}

const lines = ({ text }: Source): number => text.split("\n").length - (text.endsWith("\n") ? 1 : 0)
const isTest = ({ path }: Source): boolean => path.startsWith("test/") && path.endsWith(".test.ts")
const isModule = ({ path }: Source): boolean => /^(?:kernel|recording|sim|adapters|bench)\/.*\.ts$/u.test(path)

export interface Metrics {
  readonly passedTests: number
  readonly testFiles: number
  readonly sourceModules: number
  readonly largestSource: { readonly path: string; readonly lines: number } | null
}

export const metricsOf = (sources: ReadonlyArray<Source>, tests: TestCount): Metrics => {
  const modules = sources.filter(isModule)
  const [largest] = modules.toSorted((a, b) => lines(b) - lines(a))
  return {
    passedTests: tests.passed,
    testFiles: sources.filter(isTest).length,
    sourceModules: modules.length,
    largestSource: largest === undefined ? null : { path: largest.path, lines: lines(largest) }
  }
}

/** What does not hold, a sentence each. `floor`: tests that passed when the last change landed. */
export const breaches = (tests: TestCount, floor: number): ReadonlyArray<string> =>
  tests.passed < floor ? [`${tests.passed} tests passed; ${floor} did when the last change landed`] : []
