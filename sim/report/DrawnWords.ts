/** What a campaign drew for a seed, in a line or two for people: values first, then the random faults. */
import { measuredSpan } from "../judge/Words.ts"
import type { Target, Verb } from "../scenario/Scenario.ts"
import type { Drawn, Setting } from "../search/Drawn.ts"

/** More would hide the rest; the trace file has them all. */
const FAULTS_TOLD_MAX = 8

const share = (ppm: number): string => `${ppm / 10_000} %`
const signed = (words: string): string => (words.startsWith("-") ? `−${words.slice(1)}` : words)

const settingWords = ({ path, value }: Setting): string => {
  const [heading, name = "", word = ""] = path.split(".")
  if (heading === "timeline" && word === "after") return `${name} after ${value} records`
  if (heading === "timeline") return `${name} at ${measuredSpan(value)}`
  if (heading === "network") {
    const where = word === "" ? "" : ` ${name.replace("-", " ")}`
    return (word || name) === "loss" ? `loss ${share(value)}${where}` : `delay up to ${measuredSpan(value)}${where}`
  }
  if (word === "boots-in") return `${name} boots in ${value}`
  return signed(
    word === "clock-rate" ? `${word} ${name} ${value} ppm` : `${word} ${name} ${signed(`${value / 1000}`)} s`
  )
}

const who = (targets: ReadonlyArray<Target>): string =>
  targets.map((target) => (typeof target === "string" ? target : target.word)).join(", ")

const verbWords = (verb: Verb): string => {
  switch (verb._tag) {
    case "cut":
      return `cut ${who(verb.from)} ${verb.oneWay ? "→" : "–"} ${who(verb.to)}`
    case "partition":
      return `split ${verb.groups.map(who).join(" | ")}`
    case "heal":
      return `heal ${verb.what === "everything" ? verb.what : who(verb.what)}`
    case "trust":
    case "revoke":
      return `${verb._tag} ${verb.whom} by ${who(verb.by)}`
    case "appoint":
      return `appoint ${verb.electors.join(", ")} at ${who(verb.who)}`
    case "connect":
      return `connect to ${who(verb.to)} with ${verb.lie}`
    case "advertise":
      return `advertise ${verb.node}`
    case "ask":
      return `ask ${verb.from} → ${verb.to}`
    case "infer":
      return `infer ${verb.from} → ${verb.to ?? verb.model}`
    case "call-off":
      return `call off ${verb.request}`
    case "send":
      return `send ${verb.from} → ${verb.to}`
    case "sense":
      return `sense ${verb.frame} by ${who(verb.who)}`
    case "freeze":
      return `freeze ${who(verb.who)}${verb.in === undefined ? "" : " in a handshake"}`
    case "replay":
      return `replay ${verb.from} → ${verb.to}`
    default:
      return "who" in verb
        ? `${verb._tag} ${who(verb.who)}`
        : `${verb._tag} ${who(verb.from)}${verb.oneWay ? ` → ${who(verb.to)}` : ""}`
  }
}

export const drawnWords = (drawn: Drawn): string => {
  const { liveness, scenario, settings, sources, ties } = drawn
  const struck = scenario.timeline
    .filter((_, step) => sources[step]?.startsWith("step/") === false)
    .toSorted((a, b) => a.atMs - b.atMs)
  const told = struck
    .slice(0, FAULTS_TOLD_MAX)
    .map(
      ({ atMs, forMs, verb }) =>
        `${verbWords(verb)} ${measuredSpan(atMs)}${forMs === null ? "" : ` for ${measuredSpan(forMs)}`}`
    )
  const more = struck.length > told.length ? [`${struck.length - told.length} more`] : []
  const parts = [
    ...settings.map(settingWords),
    ...(ties === "drawn" ? ["ties in drawn order"] : []),
    ...(liveness ? ["ends amid faults, then a part has to get well"] : []),
    ...(told.length === 0 ? [] : [`faults: ${[...told, ...more].join(", ")}`])
  ]
  return parts.length === 0 ? "nothing: as written" : parts.join(" · ")
}
