/** Facts as a plain sentence: the name of an expectation whose author gave it none. */
import type { Count, Facts } from "./Scenario.ts"
import type { TenseName } from "./Language.ts"

const list = (words: ReadonlyArray<string>, last: "and" | "or"): string =>
  words.length <= 1 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`

const nodes = ({ how, n }: Count, one: string, many: string): string =>
  `${how} ${n} ${n === 1 ? `node ${one}` : `nodes ${many}`}`

const times = ({ how, n }: Count): string => `${how} ${n === 1 ? "once" : `${n} times`}`

export const sentenceOf = (tense: TenseName, facts: Facts): string => {
  const parts: Array<string> = []
  if (facts.leader !== undefined) {
    const by = facts.seenBy === undefined ? "" : ` by ${list(facts.seenBy, "and")}`
    parts.push(`${facts.leader === "none" ? "nobody" : list(facts.leader, "or")} is named as leader${by}`)
  }
  if (facts.leaders !== undefined) parts.push(`${nodes(facts.leaders, "holds", "hold")} a lease`)
  if (facts.leadersBelieved !== undefined)
    parts.push(nodes(facts.leadersBelieved, "believes that it leads", "believe that they lead"))
  if (facts.leadersPerTerm !== undefined) parts.push(`${nodes(facts.leadersPerTerm, "leads", "lead")} in one term`)
  if (facts.term !== undefined) parts.push(`the term is ${facts.term.how} ${facts.term.n}`)
  for (const { observer, state, subject } of facts.peers ?? [])
    parts.push(`${typeof observer === "string" ? observer : observer.word} has ${subject} as ${state}`)
  for (const { count, observer, subject } of facts.sessions ?? []) {
    const who = typeof observer === "string" ? observer : observer.word
    parts.push(`${who} has ${count.how} ${count.n} ${count.n === 1 ? "session" : "sessions"} with ${subject}`)
  }
  for (const { as, observer, subject } of facts.trusts ?? []) {
    const who = typeof observer === "string" ? observer : observer.word
    parts.push(as === "nothing" ? `${who} does not trust ${subject}` : `${who} trusts ${subject} as ${as}`)
  }
  for (const { ms, observer, subject } of facts.heartbeats ?? []) {
    const who = typeof observer === "string" ? observer : observer.word
    parts.push(`heartbeats from ${subject} reach ${who} within ${ms} ms`)
  }
  for (const { bytes, observer, subject } of facts.unread ?? []) {
    const who = typeof observer === "string" ? observer : observer.word
    parts.push(`${who} keeps at most ${bytes} bytes for ${subject}`)
  }
  for (const { at, frame, who } of facts.frames ?? []) {
    const whom = who === "everyone" ? who : list(who, "and")
    parts.push(at === "reached" ? `${frame} has reached ${whom}` : `${frame} stands at ${whom}`)
  }
  for (const { capability, to } of facts.routes ?? [])
    parts.push(to === null ? `nobody knows whom to ask for ${capability}` : `${capability} is at ${to}`)
  for (const { actuator, lastRunBy, position, runs } of facts.actuators ?? []) {
    if (runs !== undefined) parts.push(`${actuator} has run ${times(runs)}`)
    if (position !== undefined) parts.push(`${actuator} is ${position}`)
    if (lastRunBy !== undefined) parts.push(`${actuator} last ran by order of ${lastRunBy}`)
  }
  for (const { is, metric, place } of facts.farm ?? []) parts.push(`${metric} of ${place} is ${is.how} ${is.n}`)
  for (const { level, owner, proposal, status } of facts.proposals ?? []) {
    if (level !== undefined) parts.push(`${proposal} is of ${level}`)
    if (status !== undefined) parts.push(`${proposal} is ${status}`)
    if (owner !== undefined) parts.push(`${owner} looks after ${proposal}`)
  }
  for (const { outcome, request } of facts.inferences ?? []) parts.push(`${request} is ${outcome}`)
  if (facts.agreeOn !== undefined) parts.push(`all agree on ${list(facts.agreeOn, "and")}`)
  for (const { about, event, from, reason, seen, to } of facts.events ?? []) {
    const about1 = about === null ? "" : ` about ${about}`
    const ends = `${from === null ? "" : ` from ${from}`}${to === null ? "" : ` to ${to}`}`
    parts.push(`${event}${about1}${ends}${reason === null ? "" : ` (${reason})`} is seen ${times(seen)}`)
  }
  const prefix = {
    at: "",
    within: "",
    always: "always: ",
    never: "never: ",
    eventually: "in the end: ",
    sometimes: "at some time: "
  }[tense]
  return `${prefix}${list(parts, "and")}`
}
