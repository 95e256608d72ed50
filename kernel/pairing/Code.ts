/**
 * The code that a person reads at one device and types at another: 75 random bits as 15 letters of Crockford's base 32, and a
 * sixteenth that checks them, in four groups: `K7QF-2M9X-TR4B-8WN3`.
 *
 * Promises: one wrong letter, or two neighbours in each other's place, is never taken for a code; whatever a person types
 * gives the same code or none: case, dashes and blanks do not matter, and O is 0, I and L are 1. Nothing is drawn here.
 */

/** https://www.crockford.com/base32.html: no I, L, O, U. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
const DATA_LETTERS = 15
const ALL_LETTERS = DATA_LETTERS + 1
/** Bytes that a code is made of; of their 80 bits the last five are not used. */
export const CODE_BYTES = 10

/** x^5 + x^2 + 1: of the field with 32 elements, in which x has the order 31. */
const POLYNOMIAL = 0b100101

const timesX = (symbol: number): number => {
  const shifted = symbol << 1
  return shifted & 32 ? shifted ^ POLYNOMIAL : shifted
}

/**
 * The value at x of the polynomial whose coefficients the symbols are; a code has the value 0. Since no two of the places have
 * the same power of x, neither a wrong symbol nor an exchange of two that differ leaves it what it was.
 */
const valueOf = (symbols: ReadonlyArray<number>): number => symbols.reduce((value, symbol) => timesX(value) ^ symbol, 0)

const grouped = (letters: string): string => letters.match(/.{4}/gu)!.join("-")

/** The code of these bytes, for people. @param bytes `CODE_BYTES` of them, random; what is beyond is not looked at */
export const codeOf = (bytes: Uint8Array): string => {
  let bits = 0n
  for (let at = 0; at < CODE_BYTES; at++) bits = (bits << 8n) | BigInt(bytes[at] ?? 0)
  bits >>= 5n
  const symbols: Array<number> = []
  for (let at = DATA_LETTERS - 1; at >= 0; at--) symbols.push(Number((bits >> BigInt(5 * at)) & 31n))
  const check = timesX(valueOf(symbols))
  return grouped([...symbols, check].map((symbol) => LETTERS[symbol]!).join(""))
}

export type ReadCode =
  | { readonly _tag: "Code"; readonly code: string }
  /** A sentence without a subject: "has 15 letters". */
  | { readonly _tag: "Mistyped"; readonly why: string }

const mistyped = (why: string): ReadCode => ({ _tag: "Mistyped", why })

/** What a person typed, as a code in its one spelling. */
export const readCode = (typed: string): ReadCode => {
  const letters = typed
    .toUpperCase()
    .replaceAll(/[\s\-‐‑–—]/gu, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/gu, "1")
  const strange = [...letters].find((letter) => !LETTERS.includes(letter))
  if (strange !== undefined) return mistyped(`has no letter ${JSON.stringify(strange)}`)
  if (letters.length !== ALL_LETTERS)
    return mistyped(`has ${ALL_LETTERS} letters and digits, and this has ${letters.length}`)
  if (valueOf([...letters].map((letter) => LETTERS.indexOf(letter))) !== 0)
    return mistyped("does not fit its last letter: one of them is mistyped")
  return { _tag: "Code", code: grouped(letters) }
}
