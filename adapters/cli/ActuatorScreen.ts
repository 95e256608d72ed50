/** What a node moves, on a terminal: one line each, and what came of a command. */
import { printable } from "../config/Printable.ts"
import type { Actuators, Command } from "../operator/Api.ts"
import { called, type Cell, duration, type Look, styled, table } from "./Text.ts"

type One = Actuators["actuators"][number]

const stateCell = ({ leftMs, moving, safe, state }: One): Cell => {
  if (moving !== null) return { text: `moving to ${printable(moving)}`, style: "yellow" }
  if (state === null) return { text: "not known", style: "red" }
  const left = leftMs === null ? "" : `, ${duration(leftMs)} left`
  return state === safe ? { text: printable(state) } : { text: `${printable(state)}${left}`, style: "green" }
}

const leaseText = ({ epoch, holder, leaseLeftMs }: One): string =>
  holder === null ? "nobody" : `${called(holder)}, epoch ${epoch}, ${duration(leaseLeftMs)}`

export const actuatorsScreen = ({ actuators }: Actuators, look: Look): string => {
  if (actuators.length === 0)
    return `This node moves nothing.${look.quiet ? "" : "   What it is to move stands in its node.yaml: docs/how-to/move-something.md"}\n`
  const rows = actuators.map((one) => [
    one.actuator.replace(/^actuator:/u, ""),
    one.group,
    stateCell(one),
    one.hold ? ({ text: "on hold", style: "red" } as const) : "free",
    leaseText(one)
  ])
  return `${table(["NAME", "GROUP", "STATE", "HOLD", "LEASE"], rows, look).join("\n")}\n`
}

export const commandScreen = ({ actuator, by, code, ok, state, text, tookMs }: Command, look: Look): string => {
  const what = `${printable(actuator)} at ${called(by)}`
  return ok
    ? `${styled("✓", "green", look)} ${what} is ${printable(state)}, after ${tookMs} ms\n`
    : `${styled("✗", "red", look)} ${what}: ${code ?? "no"}: ${printable(text)}\n`
}
