/** `pnpm sim report`: a run as one page of HTML. */
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { page } from "../report/html/Page.ts"
import { type Exit, exits } from "./Exit.ts"
import { futuresOf } from "./Explain.ts"
import type { ReportOrder } from "./Order.ts"
import { line } from "./Records.ts"
import { find } from "./Subject.ts"
import { keptPath } from "./Keeper.ts"
import { versionOf } from "./KernelVersion.ts"
import type { Records, Surroundings } from "./Surroundings.ts"
import { isNoFolder, whyUnwritten, writeWhole } from "./Writing.ts"

/** What shows a page where nobody has said otherwise. */
const opener: { readonly [platform: string]: readonly [program: string, ...words: ReadonlyArray<string>] } = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""]
}

const showIn = (path: string, around: Surroundings): void => {
  if (around.show !== undefined) return around.show(path)
  const [program, ...words] = opener[process.platform] ?? ["xdg-open"]
  const child = spawn(program, [...words, path], { detached: true, stdio: "ignore" })
  child.on("error", () => around.err(`no browser could be started (${program}); open it by hand\n`))
  child.unref()
}

export const report = async (order: ReportOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const found = await find(order.about, around, records)
  if ("exit" in found) return found.exit
  const { again, examined, file, words } = found
  const [first] = examined.breaks
  const futures = first === undefined || !order.about.futures ? null : await futuresOf(examined, first, around)
  const { hash, seed, verdict } = examined.result
  const path = order.out ?? keptPath(hash, "html")
  const text = page({
    file,
    words,
    examined,
    futures: futures === "too long" ? null : futures,
    commands: [["again", again], ...(first === undefined ? [] : [["why", `pnpm sim explain ${words}`] as const])],
    kernel: versionOf(around)
  })
  try {
    const absolute = resolve(around.cwd, path)
    if (order.out === null) mkdirSync(dirname(absolute), { recursive: true })
    writeWhole(absolute, text)
  } catch (error) {
    const why = isNoFolder(error) ? "out is a file, and has to be a folder" : whyUnwritten(error)
    records.error("UNWRITABLE", exits.wrongUse, `${path} cannot be written: ${why}; choose another place with --out`)
    return exits.wrongUse
  }
  records.write(line({ $type: "clawmesh.report/1", file, seed, hash, verdict, report: path }))
  if (order.json !== "stdout")
    around.out(
      `${{ failed: "✗", passed: "✓", undecided: "–" }[verdict]} ${examined.scenario.title}, seed ${seed}: ${verdict}\n  see   ${path}\n`
    )
  if (order.open) showIn(resolve(around.cwd, path), around)
  return exits.passed
}
