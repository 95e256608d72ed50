/**
 * `pnpm bench NAME [FLAG …]`: runs one bench of this folder. Every file with a lower-case name is one, and exports `about`, a
 * line of text, and `run`, which prints what it measured and throws if the work was not really done; one that takes flags names
 * them.
 *
 * Exit 0: measured. 1: the bench failed. 2: no such bench; the list is printed.
 */
import { readdirSync } from "node:fs"

interface Bench {
  readonly about: string
  readonly flags?: ReadonlyArray<string>
  readonly run: (flags: ReadonlyArray<string>) => void | Promise<void>
}

const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z][a-z-]*\.ts$/u.test(file) && file !== "main.ts")
  .map((file) => file.slice(0, -".ts".length))
  .sort()

const load = async (name: string): Promise<Bench> => (await import(`./${name}.ts`)) as Bench

const [wanted, ...flags] = process.argv.slice(2)
const bench = wanted !== undefined && names.includes(wanted) ? await load(wanted) : null
if (bench !== null && flags.every((flag) => bench.flags?.includes(flag))) {
  await bench.run(flags)
} else {
  const lines = await Promise.all(
    names.map(async (name) => {
      const { about, flags = [] } = await load(name)
      return `  ${name.padEnd(14)} ${[about, ...flags].join(", ")}`
    })
  )
  const mistake = wanted === undefined ? [] : [`bench: there is no ${process.argv.slice(2).join(" ")}`]
  console.error([...mistake, "usage: pnpm bench NAME [FLAG …], where NAME is one of", ...lines].join("\n"))
  process.exitCode = 2
}
