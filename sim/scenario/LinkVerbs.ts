/** What the verbs that strike links and messages mean, beyond their form: ends that differ, values that can be. */
import type { Delay } from "../network/Delay.ts"
import { type Reading, type Who, each, needsDiscovery, resolveNodes, resolveTargets, valueOf } from "./Names.ts"
import { readPaths } from "./Nodes.ts"
import type { LinkRule, LinkVerb, NetworkSpec, Range, Target, Verb } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { StepDraft } from "./Timeline.ts"
import type { Path } from "./Tree.ts"
import { readCount, readRange, readShare, readSpeed, readTime } from "./Units.ts"

const majority = "a majority without the leader"
/** Of one delay: more than anybody reads. */
const TABLE_MAX = 1_000
const NO_TIME: Range = { min: 0, max: 0 }

/** Whose links are healed; `null`: nobody's, which has been told. */
const healed = (reading: Reading, heal: Draft<Who>, at: Path): "everything" | ReadonlyArray<Target> | null => {
  if (heal === "everything") return heal
  if (typeof heal !== "string" || heal === "everyone" || heal === "leader" || /^(?:any|site) /u.test(heal))
    return resolveTargets(reading, heal, at)
  if (reading.roles.has(heal) || heal.endsWith("*")) return resolveTargets(reading, heal, at)
  const hint = reading.mistakes.hint(heal, ["everything", ...reading.roles.keys()])
  reading.mistakes.add(reading.tree.value(at), `write everything, or the nodes whose links are healed${hint}`)
  return null
}

export const readHeal = (reading: Reading, heal: StepDraft["heal"], at: Path): Verb | null => {
  if (heal === undefined) return null
  if (typeof heal === "string" || Array.isArray(heal)) {
    const what = healed(reading, heal as Draft<Who>, at)
    return what === null ? null : { _tag: "heal", what }
  }
  const { paths, what } = heal as Exclude<typeof heal, ReadonlyArray<unknown>>
  if (what !== "everything" && what !== undefined)
    reading.mistakes.add(reading.tree.value([...at, "what"]), "write what: everything; paths change for all of them")
  const sites = [...reading.sites].map(([name, nodes]) => ({ name, nodes }))
  const usual: NetworkSpec = {
    ...readPaths(reading, paths, [...at, "paths"]),
    links: "everyone",
    ...(sites.length === 0 ? {} : { sites })
  }
  return { _tag: "heal", what: "everything", usual }
}

export const readCut = (reading: Reading, cut: StepDraft["cut"], at: Path): Verb | null => {
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
  const to = resolveTargets(reading, ends.to, toPath, ["everyone", "leader", "half", majority, "the others"])
  const both = from.find((target) => typeof target === "string" && to.includes(target))
  if (both !== undefined && from.length + to.length === 2)
    reading.mistakes.add(reading.tree.value(toPath), "a link has two different ends")
  return { _tag: "cut", from, to, oneWay }
}

export const readPartition = (reading: Reading, partition: StepDraft["partition"], at: Path): Verb | null => {
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
    const targets = resolveTargets(reading, group, [...at, i], ["leader", "half", majority, "the others"])
    for (const target of targets) {
      if (typeof target !== "string") continue
      if (seen.has(target)) reading.mistakes.add(reading.tree.value([...at, i]), `${target} stands in two groups`)
      seen.add(target)
    }
    return targets
  })
  return { _tag: "partition", groups }
}

type SlowDraft = NonNullable<StepDraft["slow"]>

const readSlow = (reading: Reading, slow: SlowDraft, at: Path): LinkRule => {
  const { mistakes, tree } = reading
  const keys = tree.keys(at)
  // A word that there is not has been told already.
  if (keys.every((key) => ["between", "from", "to"].includes(key)))
    mistakes.add(tree.value(at), "slow needs delay:, such as delay: 1s..2s, or loss:, such as loss: 20%")
  return {
    _tag: "slow",
    delay: readDelay(reading, slow.delay, [...at, "delay"]),
    lossPpm: valueOf(reading, [...at, "loss"], slow.loss, readShare)
  }
}

type DelayDraft = SlowDraft["delay"]

const readDelay = (reading: Reading, draft: DelayDraft, at: Path): Delay | null => {
  if (draft === undefined || typeof draft === "string") {
    const ms = valueOf(reading, at, draft, readRange(readTime))
    return ms === null ? null : { _tag: "uniform", ms }
  }
  const times = (key: string, text: string | undefined) =>
    valueOf(reading, [...at, key], text, readRange(readTime)) ?? NO_TIME
  // Of two forms the draft has keys of either.
  const { table } = draft as { readonly table?: ReadonlyArray<string | undefined> }
  if (table !== undefined) {
    const ms = table.flatMap((text, i) => valueOf(reading, [...at, "table", i], text, readTime) ?? [])
    if (table.length === 0 || table.length > TABLE_MAX)
      reading.mistakes.add(reading.tree.value([...at, "table"]), `write from 1 to ${TABLE_MAX} delays`)
    return { _tag: "table", ms }
  }
  const { least, more, most, rarely, share, usual } = draft as { readonly [key: string]: string | undefined }
  if (usual !== undefined) {
    const rarePpm = valueOf(reading, [...at, "share"], share, readShare) ?? 0
    return { _tag: "bimodal", usual: times("usual", usual), rare: times("rarely", rarely), rarePpm }
  }
  const leastMs = times("least", least).min
  const keys = reading.tree.keys(at)
  if (keys.includes("more") === keys.includes("most")) {
    reading.mistakes.add(reading.tree.value(at), "write most:, such as most: 10s, or more:, such as more: 20ms")
    return null
  }
  if (more !== undefined) return { _tag: "exponential", leastMs, moreMs: times("more", more).min }
  const mostMs = times("most", most).min
  if (mostMs < leastMs) reading.mistakes.add(reading.tree.value([...at, "most"]), "most is less than least")
  return { _tag: "heavy-tail", leastMs, mostMs }
}

type EndsDraft = { readonly between?: Who | undefined; readonly from?: Who | undefined; readonly to?: Who | undefined }

/** Of all links among some nodes, or of one direction. */
const readEnds = (reading: Reading, draft: EndsDraft, at: Path) => {
  const { mistakes, tree } = reading
  const keys = tree.keys(at)
  const one = keys.includes("from") || keys.includes("to")
  if (one && keys.includes("between"))
    mistakes.add(tree.key([...at, "between"]), "write between:, or from: and to:, not both")
  else if (one && !(keys.includes("from") && keys.includes("to")))
    mistakes.add(tree.value(at), "one direction has two ends: write from: and to:")
  else if (!one && !keys.includes("between"))
    mistakes.add(tree.value(at), "write the links: between: [laptop, jetson-1], or from: laptop, to: jetson-1")
  if (one) {
    const from = resolveTargets(reading, draft.from, [...at, "from"])
    const to = resolveTargets(reading, draft.to, [...at, "to"], ["everyone", "leader", "half", majority, "the others"])
    if (from.length === 1 && to.length === 1 && typeof from[0] === "string" && from[0] === to[0])
      mistakes.add(tree.value([...at, "to"]), "a link has two different ends")
    return { from, to, oneWay: true }
  }
  const between = resolveTargets(reading, draft.between, [...at, "between"])
  if (between.length === 1 && typeof between[0] === "string" && each(draft.between, at).length === 1)
    mistakes.add(tree.value([...at, "between"]), "a link has two ends: write two nodes or more, or everyone")
  return { from: between, to: between, oneWay: false }
}

export const readLinkVerb = (reading: Reading, step: StepDraft, verb: LinkVerb, at: Path): Verb | null => {
  const draft = step[verb]
  if (draft === undefined) return null
  const times = (key: string, text: string | undefined) => valueOf(reading, [...at, key], text, readRange(readTime))
  const time = (key: string, text: string | undefined) => valueOf(reading, [...at, key], text, readTime)
  const share = (key: string, text: string | undefined) => valueOf(reading, [...at, key], text, readShare)
  const rule = ((): LinkRule => {
    switch (verb) {
      case "slow":
        return readSlow(reading, step.slow ?? {}, at)
      case "detour": {
        const ms = times("adds", step.detour?.adds) ?? NO_TIME
        if (ms.max === 0 && step.detour?.adds !== undefined)
          reading.mistakes.add(reading.tree.value([...at, "adds"]), "this adds nothing; write a longer time")
        return { _tag: "offset", ms }
      }
      case "clog":
        return { _tag: "clog" }
      case "flap":
        return {
          _tag: "flap",
          cutMs: times("down", step.flap?.down) ?? NO_TIME,
          openMs: times("up", step.flap?.up) ?? NO_TIME
        }
      case "swizzle":
        return {
          _tag: "swizzle",
          cutOverMs: time("over", step.swizzle?.over) ?? 0,
          healAfterMs: time("heal-after", step.swizzle?.["heal-after"]) ?? 0,
          healOverMs: time("heal-over", step.swizzle?.["heal-over"]) ?? 0
        }
      case "throttle":
        return {
          _tag: "capacity",
          bytesPerSecond: valueOf(reading, [...at, "down-to"], step.throttle?.["down-to"], readSpeed) ?? 1
        }
      case "burst-loss":
        return {
          _tag: "burst-loss",
          enterPpm: share("begins", step["burst-loss"]?.begins) ?? 0,
          leavePpm: share("ends", step["burst-loss"]?.ends) ?? 0,
          badPpm: share("loss", step["burst-loss"]?.loss) ?? 1_000_000,
          goodPpm: 0
        }
      case "reset":
        return {
          _tag: "reset",
          ends: reading.tree.keys(at).includes("from") && step.reset?.told !== "both" ? "from" : "both"
        }
      case "half-open": {
        const { answer = "reset", "known-to": known } = step["half-open"] ?? {}
        return { _tag: "half-open", told: known !== "nobody", answer }
      }
      case "idle-cut":
        return {
          _tag: "idle-cut",
          idleMs: time("after", step["idle-cut"]?.after) ?? 0,
          answer: step["idle-cut"]?.answer ?? "silence"
        }
      case "duplicate":
        return {
          _tag: "duplicate",
          ppm: share("share", step.duplicate?.share) ?? 0,
          lateMs: times("late", step.duplicate?.late) ?? { min: 0, max: 1_000 },
          anywhere: step.duplicate?.over === "any connection"
        }
      case "reorder": {
        const behind = valueOf(reading, [...at, "behind"], step.reorder?.behind, readCount)
        if (behind !== null && (behind.how !== "at most" || behind.n === 0))
          reading.mistakes.add(
            reading.tree.value([...at, "behind"]),
            "write at most how many, such as behind: at most 3"
          )
        return { _tag: "reorder", ppm: share("share", step.reorder?.share) ?? 0, places: behind?.n ?? 3 }
      }
      case "corrupt":
        return { _tag: "corrupt", ppm: share("share", step.corrupt?.share) ?? 0 }
      case "lie":
        return { _tag: "lies", ppm: share("share", step.lie?.share) ?? 0, kind: step.lie?.with ?? "anything" }
      case "late-close":
        return { _tag: "late-close", lateMs: times("late", step["late-close"]?.late) ?? NO_TIME }
      case "lose-adverts":
        needsDiscovery(reading, reading.tree.key(at), "lose-adverts")
        return { _tag: "datagram-loss", ppm: share("share", step["lose-adverts"]?.share) ?? 1_000_000 }
      case "lossy-close":
        return { _tag: "lossy-close", ppm: share("share", step["lossy-close"]?.share) ?? 0 }
    }
  })()
  return { _tag: verb, ...readEnds(reading, draft as EndsDraft, at), rule }
}

export const readReplay = (reading: Reading, replay: StepDraft["replay"], at: Path): Verb | null => {
  if (replay === undefined) return null
  const [from, to] = (["from", "to"] as const).map((end) =>
    replay[end] === undefined ? undefined : resolveNodes(reading, replay[end], reading.tree.value([...at, end]))[0]
  )
  if (from !== undefined && from === to)
    reading.mistakes.add(reading.tree.value([...at, "to"]), "a link has two different ends")
  return { _tag: "replay", from: from ?? "", to: to ?? "", message: replay.message ?? "last" }
}
