/**
 * Expectations: one tense each, its moments in ms, its facts with names resolved, where it is judged, and a name.
 */
import { readInferences } from "./InferenceWords.ts"
import { codes } from "../../kernel/wire/Codes.ts"
import { has, metrics } from "../hardware/Farm.ts"
import { whyNot } from "./Farm.ts"
import { type Language, type TenseName, tenseNames } from "./Language.ts"
import type { Moments } from "./Moments.ts"
import { nothingMoves, type Reading, resolveFactNodes, resolveNodes, tooMuchExpansion, valueOf } from "./Names.ts"
import type { ActuatorFact, FarmFact, ProposalFact, Count, Expectation, Facts, Pair, When } from "./Scenario.ts"
import { sentenceOf } from "./Sentence.ts"
import type { Draft } from "./Shape.ts"
import type { Path } from "./Tree.ts"
import { baseOf, readCount, readSize, readTime, showTime } from "./Units.ts"

type ExpectationDraft = Draft<Language["expect"][number]>
type FactsDraft = NonNullable<ExpectationDraft["that"]>

/** A fact is about the run, a law about every run: see the table of tenses in docs/reference/scenario-language.md. */
export const defaultJudge = {
  at: "scripted",
  within: "varied",
  always: "everywhere",
  never: "everywhere",
  eventually: "everywhere",
  sometimes: "everywhere"
} as const

/** What an expectation may hold beside its tense. */
const besides: ReadonlyArray<string> = ["name", "after", "that", "from", "until", "judge"]

export const readExpectations = (
  reading: Reading,
  expectations: ReadonlyArray<ExpectationDraft | undefined>,
  moments: Moments
): ReadonlyArray<Expectation> =>
  expectations.flatMap((expectation, i) => {
    const read = expectation === undefined ? null : readExpectation(reading, expectation, ["expect", i], moments)
    return read === null ? [] : [read]
  })

const readExpectation = (
  reading: Reading,
  draft: ExpectationDraft,
  path: Path,
  moments: Moments
): Expectation | null => {
  const { mistakes, tree } = reading
  const written = tree.keys(path)
  const has = (key: string) => written.includes(key)
  const tenses = tenseNames.filter(has)
  const [tense, second] = tenses
  if (tense === undefined) {
    // A mistyped tense, and one that comes later, have been told already.
    if (written.every((key) => besides.includes(key)))
      mistakes.add(tree.value(path), `an expectation needs a tense: one of ${tenseNames.join(", ")}`)
    return null
  }
  if (second !== undefined) {
    const last = tenses.map((name) => tree.key([...path, name])).reduce((a, b) => (b.offset > a.offset ? b : a))
    mistakes.add(last, `an expectation has one tense, this one has ${tenses.join(" and ")}; make them two`)
    return null
  }
  const allowed: ReadonlyArray<string> = {
    at: ["that"],
    within: ["after", "that"],
    always: ["from", "until"],
    never: ["from", "until"],
    eventually: [],
    sometimes: ["from", "until"]
  }[tense]
  for (const key of ["after", "that", "from", "until"])
    if (has(key) && !allowed.includes(key)) mistakes.add(tree.key([...path, key]), `${key}: does not go with ${tense}:`)
  for (const [key, example] of [
    ["after", "power-cut"],
    ["that", "{ leader: laptop }"]
  ] as const)
    if (allowed.includes(key) && !has(key))
      mistakes.add(tree.key([...path, tense]), `${tense}: needs ${key}:, such as ${key}: ${example}`)

  const when = readWhen(reading, draft, tense, path, moments)
  const key = tense === "at" || tense === "within" ? "that" : tense
  const drafted = draft[key]
  if (drafted === undefined) return null
  const facts = readFacts(reading, drafted, [...path, key])
  if (when === null) return null
  return {
    place: mistakes.placeOf(tree.value(path).offset),
    name: draft.name ?? sentenceOf(tense, facts),
    when,
    facts,
    judge: draft.judge ?? defaultJudge[tense]
  }
}

const readWhen = (
  reading: Reading,
  draft: ExpectationDraft,
  tense: TenseName,
  path: Path,
  moments: Moments
): When | null => {
  const { lastsMs, mistakes, tree } = reading
  const endMs = lastsMs ?? 0
  /** A moment of an expectation lies within the run. */
  const moment = (key: "at" | "after" | "from" | "until", absentMs: number | null): number | null => {
    if (!tree.keys(path).includes(key)) return absentMs
    const ms = moments.resolve(draft[key], [...path, key])
    if (ms !== null && lastsMs !== null && ms > lastsMs) {
      mistakes.add(tree.value([...path, key]), `${draft[key]} is after the end (${showTime(lastsMs)})`)
      return null
    }
    return ms
  }
  const based = <K extends string>(key: "at" | "after" | "from" | "until", as: K): { readonly [_ in K]?: string } => {
    const base = baseOf(draft[key])
    return base === undefined ? {} : ({ [as]: base } as { readonly [_ in K]?: string })
  }
  switch (tense) {
    case "at": {
      const atMs = moment("at", null)
      return atMs === null ? null : { _tag: "at", atMs, ...based("at", "base") }
    }
    case "within": {
      const afterMs = moment("after", null)
      const withinMs = valueOf(reading, [...path, "within"], draft.within, readTime)
      if (afterMs === null || withinMs === null) return null
      if (lastsMs !== null && afterMs + withinMs > lastsMs)
        mistakes.add(
          tree.value([...path, "within"]),
          `this waits until ${showTime(afterMs + withinMs)}, after the end (${showTime(lastsMs)})`
        )
      return { _tag: "within", afterMs, withinMs, ...based("after", "base") }
    }
    case "always":
    case "never":
    case "sometimes": {
      const fromMs = moment("from", 0)
      const untilMs = moment("until", endMs)
      if (fromMs === null || untilMs === null) return null
      if (lastsMs !== null && fromMs > untilMs) {
        const key = tree.keys(path).includes("until") ? "until" : "from"
        mistakes.add(tree.value([...path, key]), `from (${showTime(fromMs)}) is after until (${showTime(untilMs)})`)
      }
      const open = tree.keys(path).includes("until") ? {} : { untilBase: "end" }
      return { _tag: tense, fromMs, untilMs, ...based("from", "fromBase"), ...based("until", "untilBase"), ...open }
    }
    case "eventually":
      return { _tag: "eventually", atMs: endMs }
  }
}

const readFacts = (reading: Reading, draft: FactsDraft, path: Path): Facts => {
  const { mistakes, tree } = reading
  const at = (key: string): Path => [...path, key]
  if (tree.keys(path).length === 0)
    mistakes.add(tree.value(path), "no facts; write what must be so, such as { leaders: at most 1 }")
  const facts: { -readonly [K in keyof Facts]: Facts[K] } = {}
  const count = (key: "leaders" | "leaders-believed" | "leaders-per-term" | "term"): Count | null =>
    valueOf(reading, at(key), draft[key], readCount)
  if (draft.leader !== undefined)
    facts.leader = draft.leader === "none" ? "none" : resolveFactNodes(reading, draft.leader, at("leader"))
  if (Array.isArray(draft.leader) && draft.leader.length === 0)
    mistakes.add(tree.value(at("leader")), "the list is empty; write a node, or none")
  if (draft["seen-by"] !== undefined) {
    if (!tree.keys(path).includes("leader"))
      mistakes.add(tree.key(at("seen-by")), "seen-by: asks these nodes who leads; it needs leader: beside it")
    facts.seenBy =
      draft["seen-by"] === "everyone"
        ? [...reading.roles.keys()]
        : resolveFactNodes(reading, draft["seen-by"], at("seen-by"))
    if (Array.isArray(draft["seen-by"]) && draft["seen-by"].length === 0)
      mistakes.add(tree.value(at("seen-by")), "the list is empty; write a node")
  }
  const leaders = count("leaders")
  if (leaders !== null) facts.leaders = leaders
  const believed = count("leaders-believed")
  if (believed !== null) facts.leadersBelieved = believed
  const perTerm = count("leaders-per-term")
  if (perTerm !== null) facts.leadersPerTerm = perTerm
  const term = count("term")
  if (term !== null) facts.term = term
  if (draft.peers !== undefined)
    facts.peers = readPairs(reading, draft.peers, at("peers"), "down", (state) => state).map(
      ({ said: state, ...pair }) => ({ ...pair, state })
    )
  if (draft.sessions !== undefined)
    facts.sessions = readPairs(reading, draft.sessions, at("sessions"), "exactly 1", (text, place) =>
      valueOf(reading, place, text, readCount)
    ).map(({ said: count, ...pair }) => ({ ...pair, count }))
  if (draft.trusts !== undefined)
    facts.trusts = readPairs(reading, draft.trusts, at("trusts"), "planner", (role) => role).map(
      ({ said: as, ...pair }) => ({ ...pair, as })
    )
  if (draft.heartbeats !== undefined)
    facts.heartbeats = readPairs(reading, draft.heartbeats, at("heartbeats"), "1s", (text, place) =>
      valueOf(reading, place, text, readTime)
    ).map(({ said: ms, ...pair }) => ({ ...pair, ms }))
  if (draft.unread !== undefined)
    facts.unread = readPairs(reading, draft.unread, at("unread"), "5MB", (text, place) =>
      valueOf(reading, place, text, readSize)
    ).map(({ said: bytes, ...pair }) => ({ ...pair, bytes }))
  if (draft.frames !== undefined) facts.frames = readFrames(reading, draft.frames, at("frames"))
  if (draft.routes !== undefined) {
    if (tree.keys(at("routes")).length === 0)
      mistakes.add(tree.value(at("routes")), "no capability here; write { actuator:pump-1: jetson-1 }")
    facts.routes = Object.entries(draft.routes).flatMap(([capability, to]): NonNullable<Facts["routes"]> => {
      if (to === undefined) return []
      if (to === "none") return [{ capability, to: null }]
      const [name] = resolveNodes(reading, to, tree.value([...at("routes"), capability]))
      return name === undefined ? [] : [{ capability, to: name }]
    })
  }
  if (draft.actuators !== undefined) facts.actuators = readActuators(reading, draft.actuators, at("actuators"))
  if (draft.farm !== undefined) facts.farm = readFarmFacts(reading, draft.farm, at("farm"))
  if (draft.proposals !== undefined) facts.proposals = readProposals(reading, draft.proposals, at("proposals"))
  if (draft.inferences !== undefined) facts.inferences = readInferences(reading, draft.inferences, at("inferences"))
  if (draft["agree-on"] !== undefined) {
    const words = draft["agree-on"].filter((word) => word !== undefined)
    words.forEach((word, i) => {
      if (words.indexOf(word) < i) mistakes.add(tree.value([...at("agree-on"), i]), `${word} stands twice in this list`)
    })
    if (draft["agree-on"].length === 0)
      mistakes.add(tree.value(at("agree-on")), "the list is empty; write what all agree on, such as [leader, term]")
    facts.agreeOn = words
  }
  if (draft.events !== undefined) {
    if (draft.events.length === 0)
      mistakes.add(tree.value(at("events")), "the list is empty; write { event: peer.down, seen: at least 1 }")
    facts.events = draft.events.flatMap((event, i) => readEvent(reading, event, [...at("events"), i]))
  }
  return facts
}

type FrameFacts = NonNullable<Facts["frames"]>

const readFrames = (reading: Reading, draft: NonNullable<FactsDraft["frames"]>, path: Path): FrameFacts => {
  const { mistakes, tree } = reading
  if (tree.keys(path).length === 0)
    mistakes.add(tree.value(path), "no frame here; write { dry-1: { reached: everyone } }")
  return Object.entries(draft).flatMap(([frame, where]): FrameFacts => {
    const at = [...path, frame]
    if (tree.keys(at).length === 0) mistakes.add(tree.value(at), "write whom it reached: { reached: everyone }")
    return (["reached", "stands-at"] as const).flatMap((how): FrameFacts => {
      const who = where?.[how]
      if (who === undefined) return []
      const names = who === "everyone" ? who : resolveFactNodes(reading, who, [...at, how])
      if (Array.isArray(who) && who.length === 0)
        mistakes.add(tree.value([...at, how]), "the list is empty; write a node, or everyone")
      return [{ frame, at: how, who: names }]
    })
  })
}

const readActuators = (
  reading: Reading,
  draft: NonNullable<FactsDraft["actuators"]>,
  path: Path
): ReadonlyArray<ActuatorFact> => {
  const { mistakes, moving, tree } = reading
  if (tree.keys(path).length === 0)
    mistakes.add(tree.value(path), "no actuator here; write { pump-1: { runs: at most 1 } }")
  return Object.entries(draft).flatMap(([actuator, said]): ReadonlyArray<ActuatorFact> => {
    const at = [...path, actuator]
    if (!moving.has(actuator)) mistakes.add(tree.key(at), nothingMoves(reading, actuator))
    if (said === undefined) return []
    if (tree.keys(at).length === 0) mistakes.add(tree.value(at), "write what it did: { runs: at most 1 }")
    const runs = valueOf(reading, [...at, "runs"], said.runs, readCount)
    const by = said["last-run-by"]
    const [lastRunBy] = by === undefined ? [] : resolveNodes(reading, by, tree.value([...at, "last-run-by"]))
    const { position } = said
    return [
      {
        actuator,
        ...(runs === null ? {} : { runs }),
        ...(position === undefined ? {} : { position }),
        ...(lastRunBy === undefined ? {} : { lastRunBy })
      }
    ]
  })
}

const readFarmFacts = (
  reading: Reading,
  draft: NonNullable<FactsDraft["farm"]>,
  path: Path
): ReadonlyArray<FarmFact> => {
  const { farm, mistakes, tree } = reading
  if (tree.keys(path).length === 0)
    mistakes.add(tree.value(path), "no field here; write { field-1: { moisture: at least 20 } }")
  return Object.entries(draft).flatMap(([place, said]): ReadonlyArray<FarmFact> => {
    const at = [...path, place]
    const why = whyNot(reading, place)
    if (why !== null) mistakes.add(tree.key(at), why)
    if (said === undefined) return []
    if (tree.keys(at).length === 0) mistakes.add(tree.value(at), "write how it is there: { moisture: at least 20 }")
    return metrics.flatMap((metric): ReadonlyArray<FarmFact> => {
      const is = valueOf(reading, [...at, metric], said[metric], readCount)
      if (is === null) return []
      if (farm !== null && why === null && !has(farm, place, metric))
        mistakes.add(tree.key([...at, metric]), `nobody measures ${metric} at ${place}`)
      return [{ place, metric, is }]
    })
  })
}

const readProposals = (
  reading: Reading,
  draft: NonNullable<FactsDraft["proposals"]>,
  path: Path
): ReadonlyArray<ProposalFact> => {
  const { mistakes, tree } = reading
  if (tree.keys(path).length === 0)
    mistakes.add(tree.value(path), "no proposal here; write { P1: { status: completed } }")
  return Object.entries(draft).flatMap(([proposal, said]): ReadonlyArray<ProposalFact> => {
    const at = [...path, proposal]
    if (said === undefined) return []
    if (tree.keys(at).length === 0) mistakes.add(tree.value(at), "write what becomes of it: { status: completed }")
    const [owner] = said.owner === undefined ? [] : resolveNodes(reading, said.owner, tree.value([...at, "owner"]))
    const { level, status } = said
    return [
      {
        proposal,
        ...(status === undefined ? {} : { status }),
        ...(owner === undefined ? {} : { owner }),
        ...(level === undefined ? {} : { level })
      }
    ]
  })
}

/** Who, of whom, what: `{ jetson-1: { laptop: down } }`. `read`: what is said of a pair; `null` where it does not read. */
const readPairs = <A, B>(
  reading: Reading,
  draft: { readonly [observer: string]: { readonly [subject: string]: A | undefined } | undefined },
  path: Path,
  example: string,
  read: (said: A, path: Path) => B | null
): ReadonlyArray<Pair & { readonly said: B }> => {
  const { mistakes, tree } = reading
  const pairs: Array<Pair & { readonly said: B }> = []
  if (tree.keys(path).length === 0)
    mistakes.add(tree.value(path), `nobody here; write who and whom, such as { jetson-1: { laptop: ${example} } }`)
  for (const [observer, subjects] of Object.entries(draft)) {
    const at = [...path, observer]
    const observers: ReadonlyArray<Pair["observer"]> =
      observer === "everyone" || observer === "anyone"
        ? [{ word: observer }]
        : resolveNodes(reading, observer, tree.key(at), ["everyone", "anyone"])
    for (const one of observers)
      if (typeof one === "string" && reading.mute.has(one))
        mistakes.add(tree.key(at), `${one} is of generation 1: others can be asked about it, it says nothing itself`)
    if (subjects === undefined) continue
    if (tree.keys(at).length === 0)
      mistakes.add(tree.value(at), `nobody here; write whom, such as { laptop: ${example} }`)
    for (const [subject, written] of Object.entries(subjects)) {
      const span = tree.key([...at, subject])
      const found = resolveNodes(reading, subject, span)
      if (observer === subject && reading.roles.has(subject)) mistakes.add(span, `${subject} is no peer of itself`)
      const said = written === undefined ? null : read(written, [...at, subject])
      if (said === null) continue
      if (!reading.expansion.allows(observers.length * found.length)) {
        mistakes.add(span, tooMuchExpansion)
        return pairs
      }
      for (const one of observers)
        for (const name of found) if (one !== name) pairs.push({ observer: one, subject: name, said })
    }
  }
  return pairs
}

type EventFact = NonNullable<Facts["events"]>[number]

const codeLike = /^[A-Z][A-Z0-9_]*$/u
const allCodes: ReadonlyArray<string> = Object.values(codes).flat()

const readEvent = (
  reading: Reading,
  draft: Draft<NonNullable<FactsDraft["events"]>[number]> | undefined,
  path: Path
): ReadonlyArray<EventFact> => {
  if (draft === undefined) return []
  const { mistakes, tree } = reading
  const { event, reason } = draft
  if (reason !== undefined && codeLike.test(reason) && !allCodes.includes(reason))
    mistakes.add(tree.value([...path, "reason"]), `no code is called ${reason}${mistakes.hint(reason, allCodes)}`)
  const node = (key: "about" | "from" | "to"): string | null =>
    draft[key] === undefined ? null : (resolveNodes(reading, draft[key], tree.value([...path, key]))[0] ?? null)
  const seen = valueOf(reading, [...path, "seen"], draft.seen, readCount)
  const ends = { about: node("about"), from: node("from"), to: node("to") }
  return event === undefined || seen === null ? [] : [{ event, ...ends, reason: reason ?? null, seen }]
}
