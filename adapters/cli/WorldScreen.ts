/** What the mesh knows, on a terminal: one line an entry, the youngest first; and what led to a frame. */
import { printable } from "../config/Printable.ts"
import { read } from "../../kernel/routing/Capability.ts"
import type { Trace, World, WorldEntry } from "../operator/Api.ts"
import { called, count, duration, type Look, type Style, styled, table } from "./Text.ts"

const freshnessStyles: { readonly [F in WorldEntry["freshness"]]: Style } = {
  fresh: "green",
  aging: "yellow",
  stale: "red",
  expired: "dim"
}

const VALUE_UNITS_MAX = 48

/** The value where there is one, else all data but what has a column of its own. */
const valueText = ({ data }: WorldEntry): string => {
  const { capabilities, intervalMs: _, metric: __, unit, value, zone: ___, ...rest } = data
  const text =
    value === undefined
      ? Array.isArray(capabilities)
        ? read(capabilities)
            .map(({ health, id }) => (health === "healthy" ? id : `${id} (${health})`))
            .join(", ")
        : JSON.stringify(rest)
      : `${typeof value === "object" ? JSON.stringify(value) : String(value)}${typeof unit === "string" ? ` ${unit}` : ""}`
  return printable(text.length > VALUE_UNITS_MAX ? `${text.slice(0, VALUE_UNITS_MAX - 1)}…` : text)
}

/** `T2`, and that nothing may rest on it, where that is so. */
const tierText = ({ evidence, tier }: WorldEntry): string => `${tier.slice(0, 2)}${evidence ? "" : ", hearsay"}`

export const worldScreen = ({ count: all, entries, gaps, held }: World, look: Look): string => {
  if (entries.length === 0)
    return look.quiet ? "" : "Nothing of that is known.   clawmesh world shows all, clawmesh events what happens\n"
  const rows = entries.map((entry) => [
    entry.zone === null ? "nowhere" : printable(entry.zone),
    entry.metric === null ? entry.kind : printable(entry.metric),
    valueText(entry),
    { text: duration(entry.ageMs), style: freshnessStyles[entry.freshness] },
    { text: entry.freshness, style: freshnessStyles[entry.freshness] },
    tierText(entry),
    called(entry.source)
  ])
  const lines = table(["ZONE", "WHAT", "VALUE", "AGE", "IS", "TIER", "SOURCE"], rows, look)
  const missing = gaps.map(
    ({ frames, source }) =>
      `  ${styled("!", "yellow", look)} ${count(frames, "frame")} of ${called(source)} were gone before this node could get them`
  )
  const left = all > entries.length ? `, ${entries.length} shown; --json shows all` : ""
  const foot = look.quiet
    ? []
    : ["", `${all === 1 ? "1 entry" : `${all} entries`}${left}; ${count(held.frames, "frame")} kept.`]
  return `${[...lines, ...missing, ...foot].join("\n")}\n`
}

export const traceScreen = ({ chain, missing }: Trace, look: Look): string => {
  const rows = chain.map(({ data, distance, frame, kind, source, tier }) => [
    distance < 0 ? `${-distance} before` : distance === 0 ? "this" : `${distance} after`,
    kind,
    tier.slice(0, 2),
    called(source),
    printable(frame),
    printable(JSON.stringify(data).slice(0, VALUE_UNITS_MAX))
  ])
  const lines = table(["STEP", "KIND", "TIER", "SOURCE", "FRAME", "DATA"], rows, look)
  const gone = missing.map(
    (frame) => `  ${styled("!", "yellow", look)} ${printable(frame)} is a cause, and is not held here`
  )
  return `${[...lines, ...gone].join("\n")}\n`
}
