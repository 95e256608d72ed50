/**
 * Numbers as the scenario language writes them, always with a unit or a word: `6s`, `2ms..20ms`, `5%`, `+300ppm`, `at least 2`.
 *
 * Patterns say what has the right form (they also go into the schema for editors); the readers below turn a text of the
 * right form into integers, in ms, parts per million or plain counts, or say in one phrase why its value is impossible.
 */
import * as Result from "effect/Result"
import type { Count, Range } from "./Scenario.ts"
import { SEED_MAX } from "./Seed.ts"

export type Read<A> = Result.Result<A, string>

const number = String.raw`\d{1,9}(?:\.\d{1,9})?`
const time = `${number}(?:ms|s|m|h)`
const name = "[a-z][a-z0-9-]*"

const whole = (source: string) => new RegExp(`^${source}$`, "u")
const orRange = (source: string) => whole(`${source}(?:\\.\\.${source})?`)

export const namePattern = whole(name)
export const proposalPattern = whole("[A-Za-z][A-Za-z0-9-]*")
export const timePattern = whole(time)
export const timesPattern = orRange(time)
export const signedTimePattern = whole(`[+-]?${time}`)
export const percentPattern = whole(`${number}%`)
export const ratePattern = whole(`[+-]?${number}(?:ppm|%)`)
export const speedPattern = whole(`${number}(?:B|kB|MB)/s`)
export const sizePattern = whole(`${number}(?:B|kB|MB)`)
export const momentPattern = whole(`(?:${time}|${name})(?: *\\+ *${time})?`)
export const countPattern = whole(String.raw`(?:exactly|at least|at most) \d{1,9}`)
export const seedsPattern = whole(String.raw`\d{1,15}\.\.\d{1,15}`)
const varied = `[+-]?${number}(?:ms|s|m|h|%|ppm)`
export const variedPattern = whole(String.raw`(?:${varied}(?:\.\.${varied})?|exactly \d{1,9}(?:\.\.\d{1,9})?)`)

const msPerUnit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const
const ppmPerUnit = { "%": 10_000, ppm: 1 } as const

/** `value × scale` as an integer; decimal texts such as 1.005 are not exact in binary, hence the tolerance. */
const toInteger = (value: number, scale: number, unit: string): Read<number> => {
  const exact = value * scale
  const rounded = Math.round(exact)
  return Math.abs(exact - rounded) < 1e-4 && Number.isSafeInteger(rounded)
    ? Result.succeed(rounded === 0 ? 0 : rounded)
    : Result.fail(`finer than one ${unit}, the smallest step there is`)
}

const parse = (text: string): { readonly value: number; readonly unit: string } => {
  const found = /^([+-]?[\d.]+)([a-z%]+)$/u.exec(text)
  return { value: Number(found?.[1]), unit: found?.[2] ?? "" }
}

/** A time, signed or not, in ms. */
export const readTime = (text: string): Read<number> => {
  const { value, unit } = parse(text)
  return Object.hasOwn(msPerUnit, unit)
    ? toInteger(value, msPerUnit[unit as keyof typeof msPerUnit], "millisecond")
    : Result.fail("write a time with a unit, such as 500ms, 6s, 2m or 1h")
}

/** `5%` or `300ppm`, signed or not, in parts per million. */
const readRate = (text: string): Read<number> => {
  const { value, unit } = parse(text)
  return Object.hasOwn(ppmPerUnit, unit)
    ? toInteger(value, ppmPerUnit[unit as keyof typeof ppmPerUnit], "millionth")
    : Result.fail("write a rate such as +300ppm, -50ppm or 5%")
}

const bytesPerUnit = { "B/s": 1, "kB/s": 1_000, "MB/s": 1_000_000 } as const

/** Bytes a second, one at least. */
export const readSpeed = (text: string): Read<number> => {
  const found = /^([\d.]+)(B\/s|kB\/s|MB\/s)$/u.exec(text)
  if (found === null) return Result.fail("write how much passes in a second, such as 16kB/s")
  const read = toInteger(Number(found[1]), bytesPerUnit[found[2] as keyof typeof bytesPerUnit], "byte")
  return Result.isSuccess(read) && read.success === 0
    ? Result.fail("nothing would ever pass; write cut for that")
    : read
}

/** Bytes. */
export const readSize = (text: string): Read<number> => {
  const found = /^([\d.]+)(B|kB|MB)$/u.exec(text)
  return found === null
    ? Result.fail("write how much, such as 64kB or 5MB")
    : toInteger(Number(found[1]), bytesPerUnit[`${found[2]}/s` as keyof typeof bytesPerUnit], "byte")
}

/** A share of messages, in parts per million, 0 to 1,000,000. */
export const readShare = (text: string): Read<number> => {
  if (!text.endsWith("%")) return Result.fail("write a percentage from 0% to 100%, such as 5%")
  const read = readRate(text)
  if (Result.isFailure(read)) return read
  return read.success >= 0 && read.success <= 1_000_000 ? read : Result.fail("a share lies between 0% and 100%")
}

/** A node's clock may run ten times slower or faster than true time; beyond that no timer makes sense. */
export const readClockRate = (text: string): Read<number> => {
  const read = readRate(text)
  if (Result.isFailure(read)) return read
  return read.success >= -900_000 && read.success <= 9_000_000
    ? read
    : Result.fail("a clock runs between -90% and +900% off true time")
}

/** One value, or `low..high`, each read by `readOne`. */
export const readRange =
  (readOne: (text: string) => Read<number>) =>
  (text: string): Read<Range> => {
    const [low = "", high = low] = text.split("..")
    const min = readOne(low)
    if (Result.isFailure(min)) return Result.fail(min.failure)
    const max = readOne(high)
    if (Result.isFailure(max)) return Result.fail(max.failure)
    return min.success <= max.success
      ? Result.succeed({ min: min.success, max: max.success })
      : Result.fail(`the range runs backwards; did you mean ${high}..${low}?`)
  }

export const readCount = (text: string): Read<Count> => {
  const space = text.lastIndexOf(" ")
  const how = text.slice(0, space)
  const n = Number(text.slice(space + 1))
  return (how === "exactly" || how === "at least" || how === "at most") && Number.isSafeInteger(n)
    ? Result.succeed({ how, n })
    : Result.fail("write a count in words: exactly 1, at least 1 or at most 1")
}

/** `exactly 3` or `exactly 0..9`. */
export const readCounts = (text: string): Read<Range> =>
  readRange((one) =>
    /^\d+$/u.test(one) ? Result.succeed(Number(one)) : Result.fail("write exactly how many, such as exactly 0..9")
  )(text.replace(/^exactly /u, ""))

export const readSeeds = (text: string): Read<Range> =>
  readRange((one) => {
    const seed = Number(one)
    return /^\d+$/u.test(one) && seed <= SEED_MAX
      ? Result.succeed(seed)
      : Result.fail(`a seed is a whole number from 0 to ${SEED_MAX}`)
  })(text)

/** A moment before its step ids are looked up. */
export interface Moment {
  readonly base: { readonly ms: number } | { readonly word: string }
  readonly plusMs: number
}

export const readMoment = (text: string): Read<Moment> => {
  const [base = "", plus = "0ms"] = text.split("+").map((part) => part.trim())
  const plusMs = readTime(plus)
  if (Result.isFailure(plusMs)) return Result.fail(plusMs.failure)
  if (!timePattern.test(base)) return Result.succeed({ base: { word: base }, plusMs: plusMs.success })
  const ms = readTime(base)
  return Result.isFailure(ms)
    ? Result.fail(ms.failure)
    : Result.succeed({ base: { ms: ms.success }, plusMs: plusMs.success })
}

/** The step, or `end`, that a moment counts from; `undefined`: the start. */
export const baseOf = (text: string | undefined): string | undefined => {
  const read = text === undefined ? null : readMoment(text)
  if (read === null || Result.isFailure(read) || "ms" in read.success.base) return undefined
  const { word } = read.success.base
  return word === "start" ? undefined : word
}

/** The way back: 15000 → `15s`, 3500 → `3500ms`. */
export const showTime = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`)

export const showTimes = ({ max, min }: Range): string =>
  min === max ? showTime(min) : `${showTime(min)}..${showTime(max)}`

/** 50,000 → `5%`. */
export const showShare = (ppm: number): string => `${ppm / 10_000}%`

export const showRate = (ppm: number): string => `${ppm < 0 ? "" : "+"}${ppm}ppm`

/** 16,000 → `16kB`. */
export const showSize = (bytes: number): string =>
  bytes % 1_000 === 0 && bytes > 0 ? `${bytes / 1_000}kB` : `${bytes}B`

export const showCount = ({ how, n }: Count): string => `${how} ${n}`

/** How long what is moved stays so, ms, where nobody says how long. */
export const LASTING_MS = 60_000
