/** Proposals on a terminal: what waits for a person, one with all that it rests on, and what came of a decision. */
import { printable } from "../config/Printable.ts"
import type { Decided, Proposals } from "../operator/Api.ts"
import { called, type Cell, count, duration, fact, type Look, styled, table } from "./Text.ts"

type One = Proposals["proposals"][number]

const nameOf = ({ actuator }: One): string => printable(actuator.replace(/^actuator:/u, ""))

const whatOf = (one: One): string =>
  `${nameOf(one)} ${printable(one.state)}${one.forMs === 0 ? "" : ` for ${duration(one.forMs)}`}`

/** It waits for somebody who says yes or no; what leaders do by themselves waits for none. */
const waits = ({ status }: One): boolean => status === "awaiting_approval"

const statusCell = ({ code, leftMs, status }: One): Cell => {
  switch (status) {
    case "awaiting_approval":
      return { text: `waits, ${duration(leftMs ?? 0)} left`, style: "yellow" }
    case "completed":
      return { text: status, style: "green" }
    case "proposed":
      return { text: "the leader does it", style: "yellow" }
    case "withdrawn":
      return { text: `withdrawn: ${code ?? "no"}` }
    case "failed":
      return { text: `failed: ${code ?? "no"}`, style: "red" }
    default:
      return { text: status }
  }
}

const ownerText = ({ owner, proposer }: One): string =>
  owner.id === proposer.id ? called(owner) : `${called(owner)}, for ${called(proposer)}`

export const proposalsScreen = ({ proposals }: Proposals, all: boolean, look: Look): string => {
  const waiting = proposals.filter(waits)
  const shown = all ? proposals : waiting
  if (shown.length === 0)
    return all || look.quiet || proposals.length === 0
      ? "Nothing is proposed.\n"
      : `Nothing waits for a person.   clawmesh proposals --all shows the other ${proposals.length}\n`
  const rows = shown.map((one): ReadonlyArray<Cell | string> => [
    one.short,
    whatOf(one),
    one.level ?? "",
    statusCell(one),
    `${duration(one.ageMs)} ago`,
    called(one.guardian),
    ownerText(one)
  ])
  const next =
    look.quiet || waiting.length === 0
      ? ""
      : `${count(waiting.length, "proposal")} for a person.   clawmesh proposals show ${waiting[0]!.short}\n`
  return `${table(["ID", "WHAT", "LEVEL", "STATUS", "ASKED", "AT", "OWNER"], rows, look).join("\n")}\n${next}`
}

const levelText = {
  L1: "L1: whoever leads has it done, and nobody is asked",
  L2: "L2: a person approves it",
  L3: "L3: a person approves it and types its name; a sensor has to show that it moved"
} as const

const typing = ({ level }: One): string => (level === "L3" ? " --confirm (its name)" : "")

const restsOn = ({ because }: One): ReadonlyArray<string> =>
  because.map(({ ageMs, data, frame, kind, source, tier }) => {
    if (source === null || data === null) return `${printable(frame)}, which this node does not have`
    const words = ["zone", "metric", "value", "by"].flatMap((key) => {
      const value = data[key]
      return typeof value === "string" || typeof value === "number" ? [printable(String(value))] : []
    })
    return `${kind} of ${called(source)} (${tier?.slice(0, 2)}), ${duration(ageMs ?? 0)} old: ${words.join(" ")}`
  })

/** One, with all that it rests on. */
export const oneScreen = (one: One, look: Look): string => {
  const status = statusCell(one)
  const text = typeof status === "string" ? status : status.text
  const lines = [
    styled(`${one.short}   ${whatOf(one)}`, "bold", look),
    fact("status", text, look),
    ...(one.level === null ? [] : [fact("level", levelText[one.level], look)]),
    fact("at", called(one.guardian), look),
    ...(one.model === null ? [] : [fact("drafted", `by the language model ${printable(one.model)}`, look)]),
    fact("owner", `${ownerText(one)}, term ${one.term}`, look),
    ...(one.decided === null
      ? []
      : [
          fact(
            "decided",
            `by ${printable(one.decided.by)} at ${called(one.decided.at)} (owner ${called(one.owner)})`,
            look
          )
        ]),
    ...restsOn(one).map((line, n) => fact(n === 0 ? "because" : "", line, look)),
    fact("id", one.id, look),
    ...(look.quiet || !waits(one)
      ? []
      : ["", `  clawmesh proposals approve ${one.short}${typing(one)}, or reject ${one.short}`])
  ]
  return `${lines.join("\n")}\n`
}

export const proposalScreen = ({ proposals }: Proposals, look: Look): string =>
  proposals.map((one) => oneScreen(one, look)).join("\n")

export const decidedScreen = ({ code, ok, short, text, tookMs }: Decided, look: Look): string => {
  const what = short === null ? "" : `${short} `
  return ok
    ? `${styled("✓", "green", look)} ${what}${printable(text)}, after ${tookMs} ms\n`
    : `${styled("✗", "red", look)} ${what}${code ?? "no"}: ${printable(text)}\n`
}
