/** Which run a command is about, looked into: of a scenario with its flags, or of a trace, which says all of that itself. */
import { examine, type Examined } from "../explain/Examine.ts"
import { type Exit, exits } from "./Exit.ts"
import { type AboutRun, isTrace, withOthers } from "./Order.ts"
import { astray, runWords } from "./RunWords.ts"
import { kernelOf, notYours, readAll, type Records, stackOf, type Surroundings } from "./Surroundings.ts"
import { findTraced } from "./TracedRun.ts"

export interface Told {
  /** As the user named it; of a trace, the file of its scenario. */
  readonly file: string
  readonly examined: Examined
  /** The words after `pnpm sim COMMAND` that name this run. */
  readonly words: string
  /** The command that makes it again. */
  readonly again: string
}

export type Found = Told | { readonly exit: Exit }

const ofScenario = async (order: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  const read = await readAll([order.file], around, records)
  if ("exit" in read) return read
  const [ready, another] = read.ready
  if (ready === undefined) return { exit: read.failures[0] ?? exits.wrongUse }
  if (another !== undefined) {
    const message = `${order.file} is more than one scenario; name the one whose run is meant`
    records.error("WRONG_USE", exits.wrongUse, message)
    return { exit: exits.wrongUse }
  }
  const scenario = withOthers(ready.scenario, order.with)
  const subject = { scenario, seed: order.seed ?? scenario.seed, fuzzed: order.fuzzed }
  const kernel = await kernelOf(around)
  const examined = examine(subject, kernel === undefined ? {} : { kernel })
  const lost = astray(subject, examined.drawn?.points.length ?? 0, examined.result)
  if (lost !== null) {
    records.error("WRONG_USE", exits.wrongUse, lost)
    return { exit: exits.wrongUse }
  }
  const words = runWords(ready.file, subject, order.with)
  return { file: ready.file, examined, words, again: `pnpm sim ${words}` }
}

const ofTrace = async ({ file: trace }: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  const found = await findTraced(trace, around, records)
  if ("exit" in found) return found
  const { again, file, subject, untilMs, words } = found
  const kernel = await kernelOf(around)
  const examined = examine(subject, {
    ...(kernel === undefined ? {} : { kernel }),
    ...(untilMs === null ? {} : { untilMs })
  })
  return { file, examined, words, again }
}

export const find = async (order: AboutRun, around: Surroundings, records: Records): Promise<Found> => {
  try {
    return await (isTrace(order.file) ? ofTrace : ofScenario)(order, around, records)
  } catch (error) {
    const message = `the simulator broke on ${order.file}. ${notYours}\n${stackOf(error)}`
    records.error("DEFECT", exits.defect, message)
    return { exit: exits.defect }
  }
}
