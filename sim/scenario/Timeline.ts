/**
 * The timeline: each step's moment in ms, its one verb with names resolved, and what only steps together can get wrong (time
 * that runs backwards, an id twice, a step after the end).
 */
import type { Language, VerbName } from "./Language.ts"
import { verbNames } from "./Language.ts"
import { type Moments, isReserved } from "./Moments.ts"
import { type Reading, resolveTargets, valueOf } from "./Names.ts"
import { readCut, readHeal, readLinkVerb, readPartition, readReplay } from "./LinkVerbs.ts"
import {
  readAppoint,
  readAsk,
  readSend,
  readSense,
  readConnect,
  readKeysFail,
  readRevoke,
  readTrust
} from "./IdentityVerbs.ts"
import { readCallOff, readInfer } from "./InferenceWords.ts"
import { readDecide, readPropose } from "./ProposalVerbs.ts"
import { readAdvertise } from "./NearbyVerbs.ts"
import { readCrash, readCrashAtWrite, readDisk, readFreeze, readSkew, readSlowCpu } from "./NodeVerbs.ts"
import { ON_THE_NETWORK } from "./OnTheNetwork.ts"
import type { Step, Verb } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { Path } from "./Tree.ts"
import { baseOf, readTime, showTime } from "./Units.ts"

export type StepDraft = Draft<Language["timeline"][number]>

/** Steps that leave something to undo. A start, a heal, an advert and a replay do not; a restart is the undoing of a crash. */
const undoable: ReadonlySet<VerbName> = new Set<VerbName>([
  "stop",
  "crash",
  "crash-at-write",
  "freeze",
  "suspend",
  "slow-cpu",
  "disk",
  "skew",
  ...ON_THE_NETWORK,
  "move",
  "trust",
  "revoke",
  "keys-fail",
  "ask",
  "sense",
  "hold",
  "jam",
  "uncouple",
  "stop-engine"
])
/** A machine that nothing mends would never get well, and a program that nothing stops never rests. */
const ending: ReadonlySet<VerbName> = new Set(["freeze", "suspend", "slow-cpu", "disk", "unplug", "ask"])

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
    if (ending.has(verb._tag) && !tree.keys(path).includes("for"))
      mistakes.add(tree.key([...path, verb._tag]), `${verb._tag} needs to end: add for:, such as for: 5s`)
    const base = baseOf(step.at)
    resolved.push({
      place: mistakes.placeOf(tree.value(path).offset),
      atMs: atMs ?? 0,
      id: step.id ?? null,
      note: step.note ?? null,
      verb,
      forMs,
      ...(step.key === undefined ? {} : { key: step.key }),
      ...(base === undefined ? {} : { base })
    })
  })
  return resolved
}

/** What a step may hold beside its verb. */
const besides: ReadonlyArray<string> = ["at", "id", "note", "key", "for"]

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
    case "suspend":
    case "isolate":
    case "unplug":
    case "move":
    case "hold":
    case "jam":
    case "uncouple":
    case "stop-engine":
      return { _tag: verb, who: resolveTargets(reading, step[verb], at) }
    case "crash":
      return readCrash(reading, step.crash, at)
    case "crash-at-write":
      return readCrashAtWrite(reading, step[verb], at)
    case "freeze":
      return readFreeze(reading, step.freeze, at)
    case "slow-cpu":
      return readSlowCpu(reading, step[verb], at)
    case "disk":
      return readDisk(reading, step.disk, at)
    case "skew":
      return readSkew(reading, step.skew, at)
    case "cut":
      return readCut(reading, step.cut, at)
    case "partition":
      return readPartition(reading, step.partition, at)
    case "heal":
      return readHeal(reading, step.heal, at)
    case "trust":
      return readTrust(reading, step.trust, at)
    case "revoke":
      return readRevoke(reading, step.revoke, at)
    case "appoint":
      return readAppoint(reading, step.appoint, at)
    case "keys-fail":
      return readKeysFail(reading, step[verb], at)
    case "connect":
      return readConnect(reading, step.connect, at)
    case "ask":
      return readAsk(reading, step.ask, at)
    case "sense":
      return readSense(reading, step.sense, at)
    case "send":
      return readSend(reading, step.send, at)
    case "propose":
      return readPropose(reading, step.propose, at)
    case "infer":
      return readInfer(reading, step.infer, at)
    case "call-off":
      return readCallOff(step[verb])
    case "approve":
      return readDecide(reading, verb, step.approve, at)
    case "reject":
      return readDecide(reading, verb, step.reject, at)
    case "advertise":
      return readAdvertise(reading, step.advertise, at)
    case "replay":
      return readReplay(reading, step.replay, at)
    default:
      return readLinkVerb(reading, step, verb, at)
  }
}
