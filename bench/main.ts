/**
 * `pnpm bench NAME`: runs one bench of this folder. Every file with a lower-case name is one, and exports `about`, a line of
 * text, and `run`, which prints what it measured and throws if the work was not really done.
 *
 * Exit 0: measured. 1: the bench failed. 2: no such bench; the list is printed.
 */
import { readdirSync } from "node:fs"

interface Bench {
  readonly about: string
  readonly run: () => void | Promise<void>
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z][a-z-]*\.ts$/u.test(file) && file !== "main.ts")
  .map((file) => file.slice(0, -".ts".length))
  .sort()

const load = async (name: string): Promise<Bench> => (await import(`./${name}.ts`)) as Bench

const wanted = process.argv[2]
if (process.argv.length === 3 && wanted !== undefined && names.includes(wanted)) {
  await (await load(wanted)).run()
} else {
  const lines = await Promise.all(names.map(async (name) => `  ${name.padEnd(14)} ${(await load(name)).about}`))
  const mistake = wanted === undefined ? [] : [`bench: there is no ${process.argv.slice(2).join(" ")}`]
  console.error([...mistake, "usage: pnpm bench NAME, where NAME is one of", ...lines].join("\n"))
  process.exitCode = 2
}
