/** What the verbs that strike trust, keys, handshakes and requests mean, beyond their form. */
import { has, metrics, TANK } from "../hardware/Farm.ts"
import { whyNot } from "./Farm.ts"
import { type Reading, type Who, each, nothingMoves, oneNode, resolveTargets, valueOf } from "./Names.ts"
import { readElectors } from "./Nodes.ts"
import type { Lie, Target, Verb } from "./Scenario.ts"
import type { StepDraft } from "./Timeline.ts"
import type { Path } from "./Tree.ts"
import { LASTING_MS, readCount, readSize, readTime } from "./Units.ts"

interface TrustDraft {
  readonly by?: Who | undefined
  readonly whom?: string | undefined
}

/** Of the two ends of trust. */
const readEnds = (
  reading: Reading,
  { by, whom }: TrustDraft,
  at: Path
): { readonly by: ReadonlyArray<Target>; readonly whom: string } => {
  const device = oneNode(reading, whom, [...at, "whom"])
  const selves = each(by, [...at, "by"])
  if (selves.length === 1 && selves[0]!.name === whom)
    reading.mistakes.add(reading.tree.value([...at, "whom"]), "a node needs no trust in itself; write another one")
  return { by: resolveTargets(reading, by, [...at, "by"]), whom: device }
}

export const readTrust = (reading: Reading, trust: StepDraft["trust"], at: Path): Verb | null => {
  if (trust === undefined) return null
  const ends = readEnds(reading, trust, at)
  return { _tag: "trust", ...ends, role: trust.as ?? reading.roles.get(ends.whom) ?? "node" }
}

export const readRevoke = (reading: Reading, revoke: StepDraft["revoke"], at: Path): Verb | null =>
  revoke === undefined ? null : { _tag: "revoke", ...readEnds(reading, revoke, at) }

export const readAppoint = (reading: Reading, appoint: StepDraft["appoint"], at: Path): Verb | null =>
  appoint === undefined
    ? null
    : {
        _tag: "appoint",
        who: resolveTargets(reading, appoint.at, [...at, "at"]),
        electors: readElectors(reading, appoint.electors, [...at, "electors"]),
        readmits: appoint.readmits === undefined ? [] : resolveTargets(reading, appoint.readmits, [...at, "readmits"])
      }

export const readKeysFail = (reading: Reading, keys: StepDraft["keys-fail"], at: Path): Verb | null =>
  keys === undefined
    ? null
    : {
        _tag: "keys-fail",
        who: resolveTargets(reading, keys.who, [...at, "who"]),
        at: keys.at === "checking" ? "check" : "sign"
      }

/** A stranger has no words of a node that it could say wrong, none that a node once said, and none to carry. */
const ofSomebody: ReadonlySet<Lie> = new Set<Lie>(["another key", "an old login", "a relayed login"])

export const readConnect = (reading: Reading, connect: StepDraft["connect"], at: Path): Verb | null => {
  if (connect === undefined) return null
  const { mistakes, tree } = reading
  const as = connect.as === undefined ? null : oneNode(reading, connect.as, [...at, "as"])
  const lie = connect.with ?? "its own key"
  if (connect.as === undefined && ofSomebody.has(lie))
    mistakes.add(tree.value([...at, "with"]), `${lie} than whose? Write as:, such as as: laptop`)
  const to = resolveTargets(reading, connect.to, [...at, "to"])
  if (as !== null && to.length === 1 && to[0] === as)
    mistakes.add(tree.value([...at, "as"]), "nobody logs in at itself; write another node")
  const over = connect.over === undefined ? {} : { over: connect.over }
  const through = connect.through === undefined ? undefined : oneNode(reading, connect.through, [...at, "through"])
  if (lie === "a relayed login" && through === undefined)
    mistakes.add(
      tree.value([...at, "with"]),
      "a relayed login needs through:, the node whose key it has, such as through: kiosk"
    )
  if (lie !== "a relayed login" && through !== undefined)
    mistakes.add(tree.key([...at, "through"]), "through: goes with: a relayed login")
  if (through !== undefined && (through === as || (to.length === 1 && to[0] === through)))
    mistakes.add(tree.value([...at, "through"]), "three nodes have a part in it; write another one")
  return { _tag: "connect", to, as, lie, ...(through === undefined ? {} : { through }), ...over }
}

const PAD = "pad"
/** More than these of one step would only take time. */
const SENSES_MAX = 1_000_000

const checkMeasures = (
  reading: Reading,
  { metric, shows, value }: NonNullable<StepDraft["sense"]>,
  place: string,
  at: Path
): void => {
  const { farm, mistakes, tree } = reading
  for (const [key, other] of [
    ["value", value],
    ["shows", shows]
  ] as const)
    if (other !== undefined) mistakes.add(tree.key([...at, key]), "it measures, or has a value of its own")
  const span = tree.value([...at, "measures"])
  const why = whyNot(reading, place)
  if (farm === null || why !== null) return mistakes.add(span, why ?? "")
  const there = metrics.filter((one) => has(farm, place, one))
  if (!there.some((one) => one === metric))
    mistakes.add(
      metric === undefined ? span : tree.value([...at, "metric"]),
      `what is measured at ${place}? Write metric: ${enumerate(there)}`
    )
}

const enumerate = (words: ReadonlyArray<string>): string =>
  words.length === 1 ? words[0]! : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

export const readSense = (reading: Reading, sense: StepDraft["sense"], at: Path): Verb | null => {
  if (sense === undefined) return null
  const { mistakes, tree } = reading
  const times = valueOf(reading, [...at, "times"], sense.times, readCount)
  if (times !== null && (times.how !== "exactly" || times.n === 0 || times.n > SENSES_MAX))
    mistakes.add(tree.value([...at, "times"]), "write exactly how many, such as times: exactly 600")
  const eachMs = valueOf(reading, [...at, "each"], sense.each, readTime)
  const bytes = valueOf(reading, [...at, "size"], sense.size, readSize)
  const { measures, metric, shows, value } = sense
  const zone = sense.zone ?? shows ?? (measures === TANK ? undefined : measures)
  if (shows !== undefined) {
    if (value !== undefined) mistakes.add(tree.key([...at, "value"]), "it shows an actuator, or has a value of its own")
    if (!reading.moving.has(shows)) mistakes.add(tree.value([...at, "shows"]), nothingMoves(reading, shows))
  }
  if (measures !== undefined) checkMeasures(reading, sense, measures, at)
  return {
    _tag: "sense",
    who: resolveTargets(reading, sense.by, [...at, "by"]),
    frame: sense.frame ?? "",
    kind: sense.kind ?? "observation",
    data: {
      ...(zone === undefined ? {} : { zone }),
      ...(metric === undefined ? {} : { metric }),
      ...(value === undefined ? {} : { value }),
      ...(sense.note === undefined ? {} : { note: sense.note }),
      ...(bytes === null ? {} : { [PAD]: "x".repeat(bytes) })
    },
    ...(shows === undefined ? {} : { shows }),
    ...(measures === undefined ? {} : { measures }),
    times: times?.n ?? 1,
    eachMs: eachMs ?? 1_000,
    ...(sense["follows-from"] === undefined ? {} : { causes: sense["follows-from"] })
  }
}

/** A node by its name, or a capability, which has a colon or is everything. */
export const readSend = (reading: Reading, send: StepDraft["send"], at: Path): Verb | null => {
  if (send === undefined) return null
  const from = oneNode(reading, send.from, [...at, "from"])
  const capability = send.to?.includes(":") === true || send.to === "*"
  const to = capability ? send.to! : oneNode(reading, send.to, [...at, "to"])
  const said = { _tag: "send", from, to, channel: send.channel ?? "notes", key: send.key ?? null } as const
  if (send.holds !== undefined) {
    if (send.sets === undefined) return { ...said, holds: send.holds }
    reading.mistakes.add(reading.tree.key([...at, "holds"]), "it sets something, or holds it: two steps")
  }
  if (send.sets === undefined) return said
  const forMs = valueOf(reading, [...at, "lasting"], send.lasting, readTime) ?? LASTING_MS
  const evidence = (send.evidence ?? ["sensor"]).filter((source) => source !== undefined)
  const underLast = send.lease === "last"
  return { ...said, sets: { actuator: send.sets, state: send.state ?? "open", forMs, evidence, underLast } }
}

export const readAsk = (reading: Reading, ask: StepDraft["ask"], at: Path): Verb | null => {
  if (ask === undefined) return null
  const { mistakes, tree } = reading
  const from = oneNode(reading, ask.from, [...at, "from"])
  const to = oneNode(reading, ask.to, [...at, "to"])
  if (from !== "" && from === to)
    mistakes.add(tree.value([...at, "to"]), "a node has no session with itself; write another one")
  const eachMs = valueOf(reading, [...at, "each"], ask.each, readTime)
  if (eachMs === 0) mistakes.add(tree.value([...at, "each"]), "that would never end; write 1ms at least")
  return { _tag: "ask", from, to, eachMs: Math.max(1, eachMs ?? 1) }
}
