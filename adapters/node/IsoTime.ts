/**
 * A moment as people and programs read it: `2026-03-28T10:15:00.000Z`.
 *
 * The very text of `toISOString`, made of numbers: asked for a text, V8 looks up what the local time zone is called, needs that
 * for no UTC, and reads half a megabyte of ICU for it, which then stays with the process.
 */

/** 10000-01-01: years beyond are written otherwise. */
const END_MS = 253_402_300_800_000

const padded = (value: number, digits: number): string => String(value).padStart(digits, "0")

/** @param ms since 1970, UTC */
export const isoTime = (ms: number): string => {
  const at = new Date(ms)
  // Also what is no number at all.
  if (!(ms >= 0 && ms < END_MS)) return at.toISOString()
  const date = `${at.getUTCFullYear()}-${padded(at.getUTCMonth() + 1, 2)}-${padded(at.getUTCDate(), 2)}`
  const time = `${padded(at.getUTCHours(), 2)}:${padded(at.getUTCMinutes(), 2)}:${padded(at.getUTCSeconds(), 2)}`
  return `${date}T${time}.${padded(at.getUTCMilliseconds(), 3)}Z`
}
