/**
 * The timeline: each step's moment in ms, its one verb with names resolved, and what only steps together can get wrong (time
 * that runs backwards, an id twice, a step after the end).
 */
import type { Language, VerbName } from "./Language.ts"
import { verbNames } from "./Language.ts"
import { type Moments, isReserved } from "./Moments.ts"
import { type Reading, each, resolveNodes, resolveTargets } from "./Names.ts"
import type { Step, Verb } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { Path } from "./Tree.ts"
import { type Read, baseOf, readRange, readShare, readTime, showTime } from "./Units.ts"
import * as Result from "effect/Result"

type StepDraft = Draft<Language["timeline"][number]>

/** Steps that leave something to undo. A start, a heal and a replay do not; a restart is the undoing of a crash. */
const undoable: ReadonlySet<VerbName> = new Set(["stop", "crash", "freeze", "cut", "partition", "slow"])

/** The value of a text of the right form, or `null` and a mistake at its place. */
export const valueOf = <A>(
  reading: Reading,
  path: Path,
  text: string | undefined,
  read: (text: string) => Read<A>
): A | null => {
  if (text === undefined) return null
  const value = read(text)
  if (Result.isSuccess(value)) return value.success
  reading.mistakes.add(reading.tree.value(path), value.failure)
  return null
}

export const readTimeline = (
  reading: Reading,
  steps: ReadonlyArray<StepDraft | undefined>,
  moments: Moments
): ReadonlyArray<Step> => {
  const { mistakes, tree } = reading
  const firstLineOf = new Map<string, number>()
  steps.forEach((step, i) => {
    if (step?.id === undefined) return
    const span = tree.value(["timeline", i, "id"])
    const first = firstLineOf.get(step.id)
    if (isReserved(step.id)) mistakes.add(span, `"${step.id}" is a word of the language; call the step something else`)
    else if (first !== undefined) mistakes.add(span, `another step is called ${step.id}, in line ${first}`)
    else firstLineOf.set(step.id, mistakes.placeOf(span.offset).line)
  })
  const ids = new Set(firstLineOf.keys())

  const resolved: Array<Step> = []
  let latestMs = 0
  steps.forEach((step, i) => {
    const path: Path = ["timeline", i]
    if (step === undefined) return
    const atMs = moments.resolve(step.at, [...path, "at"], ids)
    if (step.id !== undefined) moments.declare(step.id, atMs)
    if (atMs !== null) {
      const span = tree.value([...path, "at"])
      if (reading.lastsMs !== null && atMs > reading.lastsMs)
        mistakes.add(span, `${step.at} is after the end (${showTime(reading.lastsMs)})`)
      else if (atMs < latestMs) mistakes.add(span, `${step.at} comes after a later step (${showTime(latestMs)})`)
      else latestMs = atMs
    }
    const verb = readVerb(reading, step, path)
    const forMs = valueOf(reading, [...path, "for"], step.for, readTime)
    if (forMs === 0)
      mistakes.add(tree.value([...path, "for"]), "this undoes the step at once; write a longer time, or leave it out")
    if (verb === null) return
    if (step.for !== undefined && !undoable.has(verb._tag))
      mistakes.add(
        tree.key([...path, "for"]),
        `${verb._tag} cannot be undone; for: goes with ${[...undoable].join(", ")}`
      )
    if (verb._tag === "freeze" && !tree.keys(path).includes("for"))
      mistakes.add(tree.key([...path, "freeze"]), "freeze needs to end: add for:, such as for: 5s")
    const base = baseOf(step.at)
    resolved.push({
      place: mistakes.placeOf(tree.value(path).offset),
      atMs: atMs ?? 0,
      id: step.id ?? null,
      note: step.note ?? null,
      verb,
      forMs,
      ...(base === undefined ? {} : { base })
    })
  })
  return resolved
}

/** What a step may hold beside its verb. */
const besides: ReadonlyArray<string> = ["at", "id", "note", "for"]

const readVerb = (reading: Reading, step: StepDraft, path: Path): Verb | null => {
  const { mistakes, tree } = reading
  const keys = tree.keys(path)
  const written = verbNames.filter((verb) => keys.includes(verb))
  const [verb, second] = written
  if (verb === undefined) {
    // A mistyped verb has been told already.
    if (keys.every((key) => besides.includes(key)))
      mistakes.add(tree.value(path), `a step needs a verb: one of ${verbNames.join(", ")}`)
    return null
  }
  if (second !== undefined) {
    const last = written.map((name) => tree.key([...path, name])).reduce((a, b) => (b.offset > a.offset ? b : a))
    mistakes.add(last, `a step has one verb, this one has ${written.join(" and ")}; make them two steps`)
    return null
  }
  const at = [...path, verb]
  switch (verb) {
    case "start":
    case "restart":
    case "stop":
    case "crash":
    case "freeze":
      return { _tag: verb, who: resolveTargets(reading, step[verb], at) }
    case "cut":
      return readCut(reading, step.cut, at)
    case "partition":
      return readPartition(reading, step.partition, at)
    case "slow":
      return readSlow(reading, step.slow, at)
    case "heal":
      return step.heal === undefined
        ? null
        : {
            _tag: "heal",
            what:
              step.heal === "everything" ? "everything" : resolveTargets(reading, healed(reading, step.heal, at), at)
          }
    case "replay":
      return readReplay(reading, step.replay, at)
  }
}

const healed = (reading: Reading, heal: NonNullable<StepDraft["heal"]>, at: Path): typeof heal | undefined => {
  if (typeof heal !== "string" || heal === "everyone" || heal === "leader" || heal.startsWith("any ")) return heal
  if (reading.roles.has(heal) || heal.endsWith("*")) return heal
  const hint = reading.mistakes.hint(heal, ["everything", ...reading.roles.keys()])
  reading.mistakes.add(reading.tree.value(at), `write everything, or the nodes whose links are healed${hint}`)
  return undefined
}

const readCut = (reading: Reading, cut: StepDraft["cut"], at: Path): Verb | null => {
  if (cut === undefined) return null
  const oneWay = !Array.isArray(cut)
  if (!oneWay && cut.length !== 2) {
    reading.mistakes.add(reading.tree.value(at), "write the two ends of the link, such as [laptop, jetson-1]")
    return null
  }
  const ends = oneWay
    ? (cut as { from?: string | ReadonlyArray<string>; to?: string | ReadonlyArray<string> })
    : { from: cut[0], to: cut[1] }
  const toPath = [...at, oneWay ? "to" : 1]
  const from = resolveTargets(reading, ends.from, [...at, oneWay ? "from" : 0])
  const to = resolveTargets(reading, ends.to, toPath)
  const both = from.find((target) => typeof target === "string" && to.includes(target))
  if (both !== undefined && from.length + to.length === 2)
    reading.mistakes.add(reading.tree.value(toPath), "a link has two different ends")
  return { _tag: "cut", from, to, oneWay }
}

const readPartition = (reading: Reading, partition: StepDraft["partition"], at: Path): Verb | null => {
  if (partition === undefined) return null
  if (partition.length < 2) {
    reading.mistakes.add(
      reading.tree.value(at),
      "a partition has two groups or more, such as [[laptop, jetson-1], [jetson-2]]"
    )
    return null
  }
  const seen = new Set<string>()
  const groups = partition.map((group, i) => {
    const targets = resolveTargets(reading, group, [...at, i], ["leader"])
    for (const target of targets) {
      if (typeof target !== "string") continue
      if (seen.has(target)) reading.mistakes.add(reading.tree.value([...at, i]), `${target} stands in two groups`)
      seen.add(target)
    }
    return targets
  })
  return { _tag: "partition", groups }
}

const readSlow = (reading: Reading, slow: StepDraft["slow"], at: Path): Verb | null => {
  if (slow === undefined) return null
  const between = resolveTargets(reading, slow.between, [...at, "between"])
  if (between.length === 1 && typeof between[0] === "string" && each(slow.between, at).length === 1)
    reading.mistakes.add(
      reading.tree.value([...at, "between"]),
      "a link has two ends: write two nodes or more, or everyone"
    )
  if (reading.tree.keys(at).every((key) => key === "between"))
    reading.mistakes.add(
      reading.tree.value(at),
      "slow needs delay:, such as delay: 1s..2s, or loss:, such as loss: 20%"
    )
  return {
    _tag: "slow",
    between,
    delayMs: valueOf(reading, [...at, "delay"], slow.delay, readRange(readTime)),
    lossPpm: valueOf(reading, [...at, "loss"], slow.loss, readShare)
  }
}

const readReplay = (reading: Reading, replay: StepDraft["replay"], at: Path): Verb | null => {
  if (replay === undefined) return null
  const [from, to] = (["from", "to"] as const).map((end) =>
    replay[end] === undefined ? undefined : resolveNodes(reading, replay[end], reading.tree.value([...at, end]))[0]
  )
  if (from !== undefined && from === to)
    reading.mistakes.add(reading.tree.value([...at, "to"]), "a link has two different ends")
  return { _tag: "replay", from: from ?? "", to: to ?? "", message: replay.message ?? "last" }
}
