/**
 * What `pnpm check` runs. `test/toolchain/fence.test.ts` runs the same commands on planted violations, because a tool that looks
 * at nothing is green too: tsc skips a folder that begins with a dot unless a pattern names it, effect-tsgo looks at no file
 * without its plugin in tsconfig.json.
 */
export interface Check {
  readonly name: string
  readonly tool: string
  readonly args: ReadonlyArray<string>
  /** How many of the project's own files the tool says that it looked at; knip does not say. */
  readonly lookedAt?: (output: string) => number
}

const count =
  (pattern: RegExp) =>
  (output: string): number =>
    Number(pattern.exec(output)?.[1] ?? 0)

/** `--listFiles` names each file on a line of its own, by its absolute path. */
const listed = /^\/.+\.(?:[cm]?ts|json)$/gmu
const ownListed = (output: string): number =>
  (output.match(listed) ?? []).filter((file) => !file.includes("/node_modules/")).length

/** The output without what was asked for only to count. */
export const withoutListing = (output: string): string =>
  output
    .replaceAll(listed, "")
    .replaceAll(/\n{2,}/gu, "\n")
    .trim()

export const checks: ReadonlyArray<Check> = [
  { name: "types", tool: "tsc", args: ["-p", ".", "--listFiles"], lookedAt: ownListed },
  { name: "kernel", tool: "tsc", args: ["-p", "kernel", "--listFiles"], lookedAt: ownListed },
  { name: "lint", tool: "oxlint", args: [], lookedAt: count(/on (\d+) files?/u) },
  { name: "format", tool: "oxfmt", args: ["--check", ".", ".ci"], lookedAt: count(/on (\d+) files?/u) },
  {
    name: "effect",
    tool: "effect-tsgo",
    args: ["diagnostics", "--project", "tsconfig.json", "--severity", "error,warning", "--strict", "--format", "text"],
    lookedAt: count(/^Checked (\d+) files/mu)
  },
  { name: "unused", tool: "knip", args: ["--no-progress", "--treat-config-hints-as-errors"] }
]
