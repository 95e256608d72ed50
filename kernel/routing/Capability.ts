/**
 * What a device can do: ids `kind:name[:sub…]`, patterns over them, and how well one fits (PROTOCOL.md part 15; B41).
 *
 * In a pattern `*` stands for its segment and all after it; otherwise as many segments have to be there on both sides.
 */
export const healths = ["healthy", "degraded", "unknown", "unhealthy"] as const
export type Health = (typeof healths)[number]

export interface Capability {
  readonly id: string
  readonly health: Health
}

const POINTS: { readonly [H in Health]: number } = { healthy: 10, degraded: 5, unknown: 3, unhealthy: 0 }
/** On top, for an id that was asked for as it stands. */
const EXACT_POINTS = 5

/** Capabilities of one device that are looked at. */
export const CAPABILITIES_MAX = 256

export const matches = (pattern: string, id: string): boolean => {
  const wanted = pattern.split(":")
  const there = id.split(":")
  for (const [i, segment] of wanted.entries()) {
    if (segment === "*") return i <= there.length
    if (there[i] !== segment) return false
  }
  return wanted.length === there.length
}

/** How well a capability serves a pattern that it matches. */
export const score = (pattern: string, { health, id }: Capability): number =>
  POINTS[health] + (pattern === id ? EXACT_POINTS : 0)

/** The `capabilities` of a `capability_update`: ids, or ids with their health. What does not read is left out. */
export const read = (list: unknown): ReadonlyArray<Capability> => {
  if (!Array.isArray(list)) return []
  return list.slice(0, CAPABILITIES_MAX).flatMap((one: unknown): ReadonlyArray<Capability> => {
    if (typeof one === "string") return [{ id: one, health: "unknown" }]
    if (typeof one !== "object" || one === null) return []
    const { health, id } = one as { readonly id?: unknown; readonly health?: unknown }
    if (typeof id !== "string") return []
    return [{ id, health: healths.find((known) => known === health) ?? "unknown" }]
  })
}
