/** What a person types is a code or none (PROTOCOL.md P19.1). */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { CODE_BYTES, codeOf, readCode } from "../../../kernel/pairing/Code.ts"

const codes = fc.uint8Array({ minLength: CODE_BYTES, maxLength: CODE_BYTES }).map(codeOf)
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

describe("Code", () => {
  it("is of fifteen letters and one that checks them", () => {
    assert.strictEqual(codeOf(new Uint8Array(CODE_BYTES)), "0000-0000-0000-0000")
    assert.match(codeOf(new Uint8Array(CODE_BYTES).fill(255)), /^ZZZZ-ZZZZ-ZZZZ-ZZZ[0-9A-Z]$/u)
    assert.strictEqual(codeOf(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])), "0410-6105-0R3G-G28X")
  })

  it("is the same however a person types it", () => {
    fc.assert(
      fc.property(codes, fc.array(fc.constantFrom("-", " ", "")), fc.boolean(), (code, marks, lower) => {
        const plain = [...code.replaceAll("-", "")].map((letter, i) => letter + (marks[i] ?? "")).join("")
        const likely = plain.replaceAll("0", "o").replaceAll("1", "l")
        for (const typed of [code, plain, likely, lower ? likely.toLowerCase() : likely.toUpperCase()])
          assert.deepStrictEqual(readCode(typed), { _tag: "Code", code })
      })
    )
  })

  it("is none with one letter another, or two exchanged", () => {
    fc.assert(
      fc.property(codes, fc.nat(15), fc.nat(15), fc.nat(30), (code, at, other, by) => {
        const plain = [...code.replaceAll("-", "")]
        const wrong = letters[(letters.indexOf(plain[at]!) + by + 1) % 32]!
        assert.strictEqual(readCode(plain.with(at, wrong).join(""))._tag, "Mistyped")
        if (plain[at] === plain[other]) return
        const exchanged = plain.with(at, plain[other]!).with(other, plain[at]!)
        assert.strictEqual(readCode(exchanged.join(""))._tag, "Mistyped")
      })
    )
  })

  it("says what is wrong, and never ends otherwise", () => {
    assert.deepStrictEqual(readCode("K7QF"), {
      _tag: "Mistyped",
      why: "has 16 letters and digits, and this has 4"
    })
    assert.deepStrictEqual(readCode("U000-0000-0000-0000"), { _tag: "Mistyped", why: 'has no letter "U"' })
    fc.assert(fc.property(fc.string(), (typed) => void readCode(typed)))
  })

  it("keeps all of its 75 bits", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: CODE_BYTES, maxLength: CODE_BYTES }), fc.nat(74), (bytes, bit) => {
        const other = Uint8Array.from(bytes)
        other[Math.floor(bit / 8)]! ^= 0x80 >> (bit % 8)
        assert.notStrictEqual(codeOf(other), codeOf(bytes))
      })
    )
  })
})
