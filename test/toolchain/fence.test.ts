/**
 * The fence of the folders holds, and `pnpm check` sees it: one violation of each kind, planted in a copy of the kernel, each
 * named by the check that has to see it, with the commands that `pnpm check` runs.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Check, checks } from "../../.ci/checks.ts"
import { type Ran, root } from "../../.ci/Run.ts"
import { Scratch } from "./Scratch.ts"

/**
 * What breaks the fence. `in`: where, `kernel/` unless said. `seenBy`: the checks of `pnpm check` that must name the file, for
 * lint with the rule that must do it.
 */
interface Violation {
  readonly seenBy: ReadonlyArray<string>
  readonly in?: string
  readonly code: string
}

const violations: { readonly [name: string]: Violation } = {
  nodeFs: {
    seenBy: ["kernel", "lint fence(arrows)"],
    code: `import { readFileSync } from "node:fs"\nexport const it = readFileSync`
  },
  nodeCrypto: { seenBy: ["kernel", "lint fence(arrows)"], code: `export * from "node:crypto"` },
  timer: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = () => setTimeout(() => {}, 1)` },
  consoleLog: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = () => console.log("no")` },
  processEnv: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = () => process.env` },
  performanceNow: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = () => performance.now()` },
  webCrypto: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = () => crypto.randomUUID()` },
  fetches: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = () => fetch("http://localhost")` },
  dateNow: { seenBy: ["lint fence(pure)"], code: `export const it = () => Date.now()` },
  newDate: { seenBy: ["lint fence(pure)"], code: `export const it = () => new Date()` },
  dateType: { seenBy: ["lint fence(pure)"], code: `export const it = (date: Date) => date` },
  mathRandom: { seenBy: ["lint fence(pure)"], code: `export const it = () => Math.random()` },
  mathSine: { seenBy: ["lint fence(pure)"], code: `export const it = (x: number) => Math.sin(x)` },
  mathTaken: { seenBy: ["lint fence(pure)"], code: `export const it = (({ random }) => random())(Math)` },
  mathComputed: { seenBy: ["lint fence(pure)"], code: `export const it = () => Math["random"]()` },
  power: { seenBy: ["lint fence(pure)"], code: `export const it = (x: number) => x ** 0.5` },
  promise: { seenBy: ["lint fence(pure)"], code: `export const it = () => Promise.resolve(1)` },
  promiseType: { seenBy: ["lint fence(pure)"], code: `export const it = (a: { readonly b: Promise<number> }) => a.b` },
  asyncFunction: { seenBy: ["lint fence(pure)"], code: `export async function it() {}` },
  asyncArrow: { seenBy: ["lint fence(pure)"], code: `export const it = async () => {}` },
  asyncMethod: { seenBy: ["lint fence(pure)"], code: `export const it = { async go() {} }` },
  awaits: { seenBy: ["lint fence(pure)"], code: `await 1\nexport const it = 1` },
  intl: { seenBy: ["lint fence(pure)"], code: `export const it = () => new Intl.NumberFormat()` },
  weakRef: { seenBy: ["lint fence(pure)"], code: `export const it = () => new WeakRef({})` },
  finalization: { seenBy: ["lint fence(pure)"], code: `export const it = () => new FinalizationRegistry(() => {})` },
  globalObject: { seenBy: ["lint fence(pure)"], code: `export const it = () => globalThis` },
  evaluates: { seenBy: ["lint fence(pure)"], code: `export const it = () => Function("return this")()` },
  localeCompare: {
    seenBy: ["lint fence(pure)"],
    code: `export const it = (a: string, b: string) => a.localeCompare(b)`
  },
  localeString: { seenBy: ["lint fence(pure)"], code: `export const it = (n: number) => n.toLocaleString()` },
  runSync: {
    seenBy: ["lint fence(pure)"],
    code: `import * as Effect from "effect/Effect"\nexport const it = () => Effect.runSync(Effect.void)`
  },
  runRenamed: {
    seenBy: ["lint fence(pure)"],
    code: `import * as Fx from "effect/Effect"\nexport const it = () => Fx.runFork(Fx.void)`
  },
  runTaken: {
    seenBy: ["lint fence(pure)"],
    code: `import * as Effect from "effect/Effect"\nconst { runSync } = Effect\nexport const it = () => runSync(Effect.void)`
  },
  runNamed: {
    seenBy: ["lint fence(pure)"],
    code: `import { runSync, succeed } from "effect/Effect"\nexport const it = () => runSync(succeed(1))`
  },
  dynamicImport: { seenBy: ["lint fence(pure)"], code: `export const it = () => import("effect/Option")` },
  knowsItsPlace: { seenBy: ["kernel", "lint fence(pure)"], code: `export const it = import.meta.dirname` },
  importType: { seenBy: ["lint fence(arrows)"], code: `export type It = import("../sim/clean.ts").Clean` },
  importsSim: { seenBy: ["lint fence(arrows)"], code: `export * from "../sim/clean.ts"` },
  importsAdapters: {
    seenBy: ["lint fence(arrows)"],
    code: `import type { Clean } from "../adapters/clean.ts"\nexport type It = Clean`
  },
  importsTest: { seenBy: ["lint fence(arrows)"], code: `export * from "../test/clean.ts"` },
  effectBarrel: { seenBy: ["lint fence(arrows)"], code: `export { Option } from "effect"` },
  effectHttp: { seenBy: ["lint fence(arrows)"], code: `export * as it from "effect/http/Headers"` },
  effectSocket: { seenBy: ["lint fence(arrows)"], code: `export * as it from "effect/socket/Socket"` },
  effectTesting: { seenBy: ["lint fence(arrows)"], code: `export * as it from "effect/testing/TestClock"` },
  effectRandom: { seenBy: ["lint fence(arrows)"], code: `export * as it from "effect/Random"` },
  effectFiles: { seenBy: ["lint fence(arrows)"], code: `export * as it from "effect/FileSystem"` },
  otherPackage: { seenBy: ["lint fence(arrows)"], code: `export { parse } from "yaml"` },
  deepInARoom: { seenBy: ["lint fence(arrows)"], in: "kernel/wire/", code: `export * from "../../sim/clean.ts"` },
  simToAdapters: { seenBy: ["lint fence(arrows)"], in: "sim/", code: `export * from "../adapters/clean.ts"` },
  simToTest: { seenBy: ["lint fence(arrows)"], in: "sim/", code: `export * from "../test/clean.ts"` },
  adaptersToSim: { seenBy: ["lint fence(arrows)"], in: "adapters/ws/", code: `export * from "../../sim/clean.ts"` },
  benchToTest: { seenBy: ["lint fence(arrows)"], in: "bench/", code: `export * from "../test/clean.ts"` },
  circleOne: {
    seenBy: ["lint import(no-cycle)"],
    code: `import { two } from "./circleTwo.ts"\nexport const one = (): number => two()`
  },
  circleTwo: {
    seenBy: ["lint import(no-cycle)"],
    code: `import { one } from "./circleOne.ts"\nexport const two = (): number => one()`
  },
  tooLong: { seenBy: ["lint eslint(max-lines)"], code: `${"// A line.\n".repeat(500)}export const it = 1` },
  enumeration: { seenBy: ["types", "kernel"], code: `export enum It {\n  One\n}` },
  parameterProperty: {
    seenBy: ["types"],
    in: "sim/",
    code: `export class It {\n  constructor(readonly one: number) {}\n}`
  },
  wrongType: { seenBy: ["types"], in: ".ci/", code: `export const it: number = "one"` },
  lintedInCi: { seenBy: ["lint typescript(no-explicit-any)"], in: ".ci/", code: `export const it = (a: any) => a` },
  unformatted: { seenBy: ["format"], in: "sim/", code: `export const it   = 1;` },
  unformattedInCi: { seenBy: ["format"], in: ".ci/", code: `export const it   = 1;` },
  floatingEffect: {
    seenBy: ["effect"],
    in: "adapters/",
    code: `import * as Effect from "effect/Effect"\nexport const it = () => {\n  Effect.log("nobody runs me")\n}`
  },
  unusedFile: { seenBy: ["unused"], in: "sim/", code: `export const it = 1` },
  unusedInCi: { seenBy: ["unused"], in: ".ci/lint/", code: `export const it = 1` }
}

const fileOf = (name: string): string => `${violations[name]?.in ?? "kernel/"}${name}.ts`

/** What the violations import: allowed code in each folder, importing what it may. */
const clean = {
  "sim/clean.ts": `import type { Instant } from "../kernel/Time.ts"\n\nexport type Clean = Instant\nexport const startMs = Date.now()\n`,
  "adapters/clean.ts": `import type { Instant } from "../kernel/Time.ts"\n\nexport type Clean = Instant\n`,
  "test/clean.ts": `import type { Clean as Adapted } from "../adapters/clean.ts"\nimport type { Clean as Simulated } from "../sim/clean.ts"\n\nexport type Clean = Adapted | Simulated\n`
}

const copy = (): Scratch => {
  const scratch = new Scratch()
  scratch.copy("kernel", ".ci/lint", ".ci/checks.ts", "package.json", "tsconfig.json")
  scratch.copy(".oxlintrc.json", ".oxfmtrc.json", "knip.json")
  for (const [file, code] of Object.entries(clean)) scratch.write(file, code)
  return scratch
}

const runCheck = (scratch: Scratch, { args, tool }: Check): Promise<Ran> => scratch.run(tool, ...args)

const checkCalled = (name: string): Check => {
  const check = checks.find((one) => one.name === name)
  assert.isDefined(check, `pnpm check has no check called ${name}`)
  return check
}

/** Whether a check complains of the file, and not only lists it; oxlint names the rule first (`x rule: …`), then the place. */
const complains = (output: string, file: string, rule: string | undefined): boolean => {
  const lines = output.split("\n")
  return lines.some((line, at) => {
    if (!line.includes(file) || line.endsWith(file)) return false
    const problem = lines.slice(0, at).findLast((before) => /^\s+x /u.test(before))
    return rule === undefined || problem?.includes(` ${rule}: `) === true
  })
}

describe("the fence (architecture: the kernel does no I/O and arrows point inward)", () => {
  const seen = new Map<string, Ran>()

  beforeAll(async () => {
    using scratch = copy()
    for (const [name, { code }] of Object.entries(violations)) scratch.write(fileOf(name), `${code}\n`)
    for (const check of checks) seen.set(check.name, await runCheck(scratch, check))
  }, 120_000)

  for (const [name, violation] of Object.entries(violations)) {
    for (const by of violation.seenBy) {
      it(`${by} sees ${fileOf(name)}`, () => {
        const [check = "", rule] = by.split(" ")
        const ran = seen.get(checkCalled(check).name)
        assert.isTrue(complains(ran?.output ?? "", fileOf(name), rule), ran?.output)
        assert.notStrictEqual(ran?.code, 0)
      })
    }
  }

  it("every check fails on something here, so that none can be green by looking at nothing", () => {
    const used = new Set(Object.values(violations).flatMap(({ seenBy }) => seenBy.map((by) => by.split(" ")[0])))
    assert.deepStrictEqual(
      checks.map((check) => check.name).filter((name) => !used.has(name)),
      []
    )
  })
})

describe("what keeps to the fence passes", () => {
  it("the kernel as it is, and folders that import what they may", { timeout: 60_000 }, async () => {
    using scratch = copy()
    for (const name of ["types", "kernel", "lint"]) {
      const { code, output } = await runCheck(scratch, checkCalled(name))
      assert.strictEqual(code, 0, output)
    }
  })

  it("no file of the kernel turns a check off", () => {
    const files = readdirSync(join(root, "kernel"), { recursive: true, encoding: "utf8" })
    const turnsOff = /(?:ox|es)lint-disable|@ts-(?:ignore|nocheck|expect-error)|@effect-diagnostics/u
    assert.deepStrictEqual(
      files.filter((file) => file.endsWith(".ts") && turnsOff.test(readFileSync(join(root, "kernel", file), "utf8"))),
      []
    )
  })
})
