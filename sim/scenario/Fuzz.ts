/**
 * The `fuzz:` part: checked in full, kept in numbers. A plain run uses none of it.
 *
 * What may vary is the moment of a step, the record of a crash-at-write, the network's delay and loss, and the clocks of nodes.
 */
import { type Language, faultNames, strikesNodes } from "./Language.ts"
import type { Moments } from "./Moments.ts"
import { type Reading, resolveTargets, valueOf } from "./Names.ts"
import type { Fuzz, Range } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { Path } from "./Tree.ts"
import { type Read, readClockRate, readCounts, readRange, readSeeds, readShare, readTime, showTime } from "./Units.ts"
import * as Result from "effect/Result"

type FuzzDraft = NonNullable<Draft<Language["fuzz"]>>

export const readFuzz = (reading: Reading, draft: FuzzDraft, moments: Moments): Fuzz => {
  const { lastsMs, mistakes, tree } = reading
  const calmMs = valueOf(reading, ["fuzz", "calm"], draft.calm, readTime)
  if (calmMs !== null && lastsMs !== null && calmMs >= lastsMs)
    mistakes.add(
      tree.value(["fuzz", "calm"]),
      `calm is the end of the run, and has to be shorter than all of it (${showTime(lastsMs)})`
    )
  return {
    seeds: valueOf(reading, ["fuzz", "seeds"], draft.seeds, readSeeds),
    calmMs,
    vary: Object.entries(draft.vary ?? {}).flatMap(([path, text]) => {
      const read = varies(reading, path, moments)
      const range = read === null ? null : valueOf(reading, ["fuzz", "vary", path], text, read)
      return range === null ? [] : [{ place: mistakes.placeOf(tree.key(["fuzz", "vary", path]).offset), path, range }]
    }),
    faults: (draft.faults ?? []).flatMap((fault, i) =>
      fault === undefined ? [] : readFault(reading, fault, ["fuzz", "faults", i])
    )
  }
}

/** How the values of a dotted path are read; `null`: nothing of that name can vary. */
const varies = (reading: Reading, path: string, moments: Moments): ((text: string) => Read<Range>) | null => {
  const { lastsMs, mistakes, tree } = reading
  const span = tree.key(["fuzz", "vary", path])
  const [heading = "", name = "", word = "", ...more] = path.split(".")
  if (heading === "network" && word === "") {
    if (name === "delay") return readRange(readPositive)
    if (name === "loss") return readRange(readShare)
  }
  if (heading === "network" && (name === "within-sites" || name === "between-sites") && more.length === 0) {
    if (tree.keys(["network"]).includes(name)) {
      if (word === "delay") return readRange(readPositive)
      if (word === "loss") return readRange(readShare)
    } else if (word === "delay" || word === "loss") {
      mistakes.add(span, `there is no ${name}: in this network; write it before it varies`)
      return null
    }
  }
  if (heading === "timeline" && (word === "at" || word === "after") && more.length === 0) {
    if (!moments.has(name)) {
      mistakes.add(span, `no step is called "${name}"${mistakes.hint(name, moments.ids)}`)
      return null
    }
    if (word === "after") {
      if (writesBefore(reading, name)) return readCounts
      mistakes.add(span, `${name} is no crash-at-write, and has no after: that could vary`)
      return null
    }
    return readRange((text) => {
      const ms = readPositive(text)
      return Result.isSuccess(ms) && lastsMs !== null && ms.success > lastsMs
        ? Result.fail(`${text} is after the end (${showTime(lastsMs)})`)
        : ms
    })
  }
  if (heading === "nodes" && more.length === 0 && (word === "clock-skew" || word === "clock-rate")) {
    const known =
      reading.roles.has(name) ||
      (name.endsWith("*") && [...reading.roles.keys()].some((node) => node.startsWith(name.slice(0, -1))))
    if (!known && reading.roles.size > 0) {
      mistakes.add(span, `unknown node "${name}"${mistakes.hint(name, reading.roles.keys())}`)
      return null
    }
    return readRange(word === "clock-skew" ? readTime : readClockRate)
  }
  const paths = [
    "network.delay",
    "network.loss",
    ...["within-sites", "between-sites"].flatMap((on) => [`network.${on}.delay`, `network.${on}.loss`]),
    "nodes.*.clock-skew",
    "nodes.*.clock-rate",
    ...Array.from(moments.ids, (id) => `timeline.${id}.at`)
  ]
  const hint = mistakes.hint(path, paths)
  mistakes.add(
    span,
    `nothing of this name can vary${hint === "" ? "; there are timeline.<id>.at, network.delay, network.loss, nodes.*.clock-skew and nodes.*.clock-rate" : hint}`
  )
  return null
}

/** Whether the step of this id is a crash in the middle of a write. */
const writesBefore = ({ tree }: Reading, id: string): boolean => {
  const { timeline } = tree.data as { readonly timeline?: ReadonlyArray<{ readonly id?: unknown } | null> }
  const step = timeline?.find((one) => one?.id === id) ?? {}
  return "crash-at-write" in step
}

const readPositive = (text: string): Read<number> => {
  const ms = readTime(text)
  return Result.isSuccess(ms) && ms.success < 0 ? Result.fail("a time from 0 up") : ms
}

type FaultDraft = NonNullable<NonNullable<FuzzDraft["faults"]>[number]>

const readFault = (reading: Reading, fault: FaultDraft, path: Path): Fuzz["faults"] => {
  const { mistakes, tree } = reading
  const written = tree.keys(path)
  const kinds = faultNames.filter((name) => written.includes(name))
  const [what, second] = kinds
  if (what === undefined) {
    if (written.every((key) => key === "every" || key === "for"))
      mistakes.add(tree.value(path), `a fault is one of ${faultNames.join(", ")}`)
    return []
  }
  if (second !== undefined) {
    mistakes.add(
      tree.key([...path, second]),
      `a fault is of one kind, this one is ${kinds.join(" and ")}; make them two`
    )
    return []
  }
  const everyMs = valueOf(reading, [...path, "every"], fault.every, readRange(readTime))
  const forMs = valueOf(reading, [...path, "for"], fault.for, readRange(readTime))
  if (everyMs?.max === 0) mistakes.add(tree.value([...path, "every"]), "every 0s would never end; write a longer time")
  const target = fault[what]
  const who = target !== undefined && strikesNodes(what) ? resolveTargets(reading, target, [...path, what]) : []
  return target === undefined || everyMs === null || forMs === null
    ? []
    : [{ place: mistakes.placeOf(tree.value(path).offset), what, target, who, everyMs, forMs }]
}
