/**
 * The rolling hash of a run: two runs are the same run when their hashes are equal at the end.
 *
 * Every input and command that the world takes up is absorbed with its true time and its node. 64 bits, in two lanes of
 * integer arithmetic, so the hash is the same on every engine and machine.
 *
 * Promises: the value's structure is hashed, not its history. The order of an object's keys does not matter (each field is
 * mixed on its own and the fields are summed), the order of an array's elements and of the absorbed events does, and values
 * of different types never stand for one another. 0 and -0 are one value, as they are in a trace file. What a trace file could
 * not hold is a defect that names its path: numbers that are not finite, undefined, functions, bigints, symbols,
 * instances of classes, and what is deeper than `MAX_DEPTH`, so also cycles.
 *
 * Does not promise: resistance against somebody who searches for collisions. By chance, two different runs share a hash once
 * in 2^64.
 *
 * Source of the idea: the auditor of commonware's deterministic runtime; summing the fields: set hashing as in D. Clarke et
 * al., "Incremental multiset hash functions" (2003), AdHash.
 */

/** Deeper than any input or command; bounds the stack. */
const MAX_DEPTH = 32

/** Hashes of short strings are remembered: keys and names come again and again. Forgetting them changes no result. */
const MAX_REMEMBERED = 4096
const MAX_REMEMBERED_LENGTH = 80

// What a type starts from, so that 1, "1", true and [1] differ. Arbitrary odd constants: digits of pi.
const NULL = 0x243f6a89
const TRUE = 0x13198a2f
const FALSE = 0x03707345
const INTEGER = 0x299f31d1
const DOUBLE = 0x082efa99
const STRING = 0x2eef4c89
const ARRAY = 0x452821e7
const OBJECT = 0x38d01377
const EVENT = 0x0bd1310b

interface Name {
  readonly text: string
  readonly a: number
  readonly b: number
  /** What came after it the last time: the same shape often follows, and comparing is cheaper than looking up. */
  follower: Name | undefined
}

export interface Hash {
  /** Both lanes, signed. */
  a: number
  b: number
  /** The lanes of the value that was digested last. */
  outA: number
  outB: number
  names: Map<string, Name>
  lastName: Name
}

export const make = (): Hash => ({
  a: 0x6a09e667,
  b: 0x3c6ef372,
  outA: 0,
  outB: 0,
  names: new Map(),
  lastName: hashString("")
})

/** Goes on from there: from what `hex` gave; `null`: it is no hash. */
export const resume = (text: string): Hash | null => {
  if (!/^[0-9a-f]{16}$/u.test(text)) return null
  return { ...make(), a: Number.parseInt(text.slice(0, 8), 16) | 0, b: Number.parseInt(text.slice(8), 16) | 0 }
}

/** A copy that goes on by itself. What it remembers of strings is shared. */
export const fork = (hash: Hash): Hash => ({
  a: hash.a,
  b: hash.b,
  outA: 0,
  outB: 0,
  names: hash.names,
  lastName: hash.lastName
})

const word = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0")

/** 16 lower-case hex characters. */
export const hex = (hash: Hash): string => word(hash.a) + word(hash.b)

/** Finalizer of MurmurHash3 (A. Appleby): a bijection in which each bit of the input moves half of the output's. */
const scramble = (lane: number): number => {
  let x = lane
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/**
 * Takes `(valueA, valueB)` into `(a, b)`, leaving the result in `outA` and `outB`. For a fixed value a bijection of the state,
 * and for a fixed state one of the value: nothing that was absorbed is ever lost again.
 */
const take = (hash: Hash, a: number, b: number, valueA: number, valueB: number): void => {
  const x = scramble(a ^ valueA)
  const y = Math.imul(b ^ valueB, 0x9e3779b1)
  const z = (y ^ (y >>> 15)) | 0
  const sum = (x + z) | 0
  hash.outA = sum
  hash.outB = z ^ ((sum << 13) | (sum >>> 19))
}

const hashString = (text: string): Name => {
  // FNV-1a over UTF-16 units, and a second lane of the same form with another basis and multiplier.
  let a = 0x811c9dc5 ^ STRING
  let b = 0x2b992ddf ^ text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x5f356495)
  }
  return { text, a: scramble(a), b: scramble(b), follower: undefined }
}

const ofString = (hash: Hash, text: string): Name => {
  const guess = hash.lastName.follower
  if (guess !== undefined && guess.text === text) {
    hash.lastName = guess
    return guess
  }
  let name = hash.names.get(text)
  if (name === undefined) {
    name = hashString(text)
    if (text.length > MAX_REMEMBERED_LENGTH) return name
    if (hash.names.size >= MAX_REMEMBERED) hash.names.clear()
    hash.names.set(text, name)
  }
  hash.lastName.follower = name
  hash.lastName = name
  return name
}

/** Thrown inside only; `absorb` turns it into a defect with the path. */
const REFUSED = Symbol("refused")

const bits = new DataView(new ArrayBuffer(8))

/** What devices say of the world is no whole number, as a rule. */
const digestDouble = (hash: Hash, n: number): void => {
  if (!Number.isFinite(n)) throw REFUSED
  bits.setFloat64(0, n)
  hash.outA = scramble(bits.getInt32(0) ^ DOUBLE)
  hash.outB = Math.imul(bits.getInt32(4), 0x9e3779b1) ^ bits.getInt32(0)
}

const digestNumber = (hash: Hash, n: number): void => {
  if (n === (n | 0)) {
    hash.outA = n ^ INTEGER
    hash.outB = Math.imul(n, 0x9e3779b1) ^ (n >> 31)
    return
  }
  if (!Number.isSafeInteger(n)) return digestDouble(hash, n)
  const low = n | 0
  hash.outA = low ^ INTEGER
  hash.outB = Math.imul(low, 0x9e3779b1) ^ Math.floor(n / 0x1_0000_0000)
}

const hasPlainPrototype = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const digestArray = (hash: Hash, values: ReadonlyArray<unknown>, depth: number): void => {
  let a = ARRAY
  let b = values.length
  for (let i = 0; i < values.length; i++) {
    digest(hash, values[i], depth + 1)
    take(hash, a, b, hash.outA, hash.outB)
    a = hash.outA
    b = hash.outB
  }
  hash.outA = scramble(a)
  hash.outB = b
}

const digestObject = (hash: Hash, value: Readonly<Record<string, unknown>>, depth: number): void => {
  // The first is nearly always true, and three times faster than the second. A prototype that inherits it (Effect's data
  // types have such) is seen by its methods below.
  if (value.constructor !== Object && !hasPlainPrototype(value)) throw REFUSED
  let a = OBJECT
  let b = 0
  // Faster than Object.keys, since the engine keeps the keys of a shape; plain objects inherit nothing enumerable.
  for (const key in value) {
    digest(hash, value[key], depth + 1)
    const name = ofString(hash, key)
    // Multiplied, because a name and an equal text as its value would cancel each other.
    take(hash, Math.imul(name.a, 0x21f0aaad), Math.imul(name.b, 0xd35a2d97), hash.outA, hash.outB)
    // A sum keeps no order, so each term has to be thoroughly mixed before it.
    const crossed = scramble(hash.outB)
    a = (a + scramble(hash.outA + crossed)) | 0
    b = (b + crossed) | 0
  }
  hash.outA = a
  hash.outB = b
}

const digest = (hash: Hash, value: unknown, depth: number): void => {
  if (typeof value === "number") digestNumber(hash, value)
  else if (typeof value === "string") {
    const name = ofString(hash, value)
    hash.outA = name.a
    hash.outB = name.b
  } else if (typeof value === "boolean") {
    hash.outA = value ? TRUE : FALSE
    hash.outB = 0
  } else if (value === null) {
    hash.outA = NULL
    hash.outB = 0
  } else if (typeof value !== "object" || depth >= MAX_DEPTH) throw REFUSED
  else if (Array.isArray(value)) digestArray(hash, value, depth)
  else digestObject(hash, value as Readonly<Record<string, unknown>>, depth)
}

/** Why a value is refused, and where: the walk again, slowly, since it happens at most once a run. */
const explain = (value: unknown, path: string, depth: number): string | undefined => {
  if (value === null || typeof value === "boolean" || typeof value === "string") return undefined
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : `${path}: ${value} is no finite number`
  }
  if (typeof value !== "object") return `${path}: ${typeof value} is no data`
  if (depth >= MAX_DEPTH) return `${path}: deeper than ${MAX_DEPTH}`
  if (!Array.isArray(value) && !hasPlainPrototype(value)) return `${path}: an instance of a class is no plain data`
  for (const [key, child] of Object.entries(value)) {
    const found = explain(child, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, depth + 1)
    if (found !== undefined) return found
  }
  return Array.isArray(value) && Object.keys(value).length < value.length ? `${path}: an array with holes` : undefined
}

const refuse = (value: unknown): never => {
  const named = value as { readonly _tag?: unknown } | null | undefined
  const root = typeof value === "object" && typeof named?._tag === "string" ? named._tag : "value"
  throw new TypeError(`trace: ${explain(value, root, 0) ?? `${root}: refused`}`)
}

/**
 * One thing that happened at true time `atMs` to the node of this index: an input, a command, or any other plain data. Throws
 * a defect that names the path of what is no data; the hash is then unchanged.
 */
export const absorb = (hash: Hash, atMs: number, nodeIndex: number, value: unknown): void => {
  if (!Number.isSafeInteger(atMs) || !Number.isSafeInteger(nodeIndex)) {
    throw new TypeError(`trace: time ${atMs} and node ${nodeIndex} must be safe integers`)
  }
  try {
    digest(hash, value, 0)
  } catch (cause) {
    if (cause === REFUSED) refuse(value)
    throw cause
  }
  const valueA = hash.outA
  const valueB = hash.outB
  take(hash, hash.a, hash.b, atMs ^ EVENT, Math.floor(atMs / 0x1_0000_0000) ^ Math.imul(nodeIndex, 0x85ebca6b))
  take(hash, hash.outA, hash.outB, valueA, valueB)
  hash.a = hash.outA
  hash.b = hash.outB
}
