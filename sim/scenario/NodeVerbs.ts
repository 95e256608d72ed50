/** What the verbs that strike nodes mean, beyond their form: whom, and values that can be. */
import { type Reading, resolveTargets, valueOf } from "./Names.ts"
import type { Range, Skew, Verb } from "./Scenario.ts"
import type { StepDraft } from "./Timeline.ts"
import type { Path } from "./Tree.ts"
import { readClockRate, readCount, readRange, readTime } from "./Units.ts"

export const readCrash = (reading: Reading, crash: StepDraft["crash"], at: Path): Verb | null => {
  if (crash === undefined) return null
  if (typeof crash === "string" || Array.isArray(crash))
    return { _tag: "crash", who: resolveTargets(reading, crash, at) }
  const { disk, who } = crash as Exclude<typeof crash, ReadonlyArray<unknown>>
  return {
    _tag: "crash",
    who: resolveTargets(reading, who, [...at, "who"]),
    ...(disk === undefined ? {} : { disk: disk === "kept" ? "keep" : disk })
  }
}

export const readCrashAtWrite = (reading: Reading, crash: StepDraft["crash-at-write"], at: Path): Verb | null => {
  if (crash === undefined) return null
  const after = valueOf(reading, [...at, "after"], crash.after, readCount)
  if (after !== null && after.how !== "exactly")
    reading.mistakes.add(reading.tree.value([...at, "after"]), "write exactly how many, such as after: exactly 3")
  return { _tag: "crash-at-write", who: resolveTargets(reading, crash.who, [...at, "who"]), nth: (after?.n ?? 0) + 1 }
}

export const readFreeze = (reading: Reading, freeze: StepDraft["freeze"], at: Path): Verb | null => {
  if (freeze === undefined) return null
  if (typeof freeze === "string" || Array.isArray(freeze))
    return { _tag: "freeze", who: resolveTargets(reading, freeze, at) }
  const { in: when, who } = freeze as Exclude<typeof freeze, ReadonlyArray<unknown>>
  return {
    _tag: "freeze",
    who: resolveTargets(reading, who, [...at, "who"]),
    ...(when === undefined ? {} : { in: when })
  }
}

export const readSlowCpu = (reading: Reading, cpu: StepDraft["slow-cpu"], at: Path): Verb | null => {
  if (cpu === undefined) return null
  const takesMs = valueOf(reading, [...at, "takes"], cpu.takes, readRange(readTime)) ?? { min: 1, max: 1 }
  if (takesMs.max === 0)
    reading.mistakes.add(reading.tree.value([...at, "takes"]), "an input takes longer than nothing")
  return { _tag: "slow-cpu", who: resolveTargets(reading, cpu.who, [...at, "who"]), takesMs }
}

const harms = { hanging: "hang", failing: "error", full: "full" } as const

export const readDisk = (reading: Reading, disk: StepDraft["disk"], at: Path): Verb | null => {
  if (disk === undefined) return null
  const { mistakes, tree } = reading
  const keys = tree.keys(at)
  // A word that there is not has been told already.
  const told = keys.some((key) => !["who", "is", "slow"].includes(key))
  if (!told && keys.includes("is") === keys.includes("slow"))
    mistakes.add(tree.value(at), "write what is wrong with it: is: full, or slow: 2s..5s")
  const slow: Range | null = valueOf(reading, [...at, "slow"], disk.slow, readRange(readTime))
  const harm = disk.is === undefined ? (slow ?? { min: 0, max: 0 }) : harms[disk.is]
  return { _tag: "disk", who: resolveTargets(reading, disk.who, [...at, "who"]), harm }
}

export const readSkew = (reading: Reading, skew: StepDraft["skew"], at: Path): Verb | null => {
  if (skew === undefined) return null
  const { mistakes, tree } = reading
  const keys = tree.keys(at)
  const hows = ["by", "to", "rate"].filter((key) => keys.includes(key))
  // A word that there is not has been told already.
  const told = keys.some((key) => key !== "who" && !hows.includes(key))
  if (!told && hows.length !== 1)
    mistakes.add(tree.value(at), "write one of by: 1h, to: 1970 and rate: 5%; for several make several steps")
  const byMs = valueOf(reading, [...at, "by"], skew.by, readTime)
  const ppm = valueOf(reading, [...at, "rate"], skew.rate, readClockRate)
  if (byMs === 0) mistakes.add(tree.value([...at, "by"]), "a jump by nothing is none")
  const how: Skew =
    skew.to !== undefined
      ? { _tag: "to", calendar: skew.to === "now" ? "now" : "1970" }
      : ppm !== null
        ? { _tag: "rate", ppm }
        : { _tag: "by", ms: byMs ?? 0 }
  return { _tag: "skew", who: resolveTargets(reading, skew.who, [...at, "who"]), how }
}
