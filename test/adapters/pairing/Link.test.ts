/** An invite as a line: what is written reads, and whatever else is typed ends in a sentence. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isLink, readAddress, readLink, renderLink } from "../../../adapters/pairing/Link.ts"
import { CODE_BYTES, codeOf } from "../../../kernel/pairing/Code.ts"

const codes = fc.uint8Array({ minLength: CODE_BYTES, maxLength: CODE_BYTES }).map(codeOf)
const addresses = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `[${host}]:${port}`)
)

describe("the line of an invite", () => {
  it("is as documented", () => {
    const link = renderLink({
      code: codeOf(new Uint8Array(CODE_BYTES)),
      meshName: "bhoomi & co",
      host: "ab".repeat(32),
      addresses: ["192.168.1.41:18789"]
    })
    assert.strictEqual(
      link,
      "clawmesh:join?m=bhoomi%20%26%20co&a=192.168.1.41:18789&k=abababababababab&c=0000-0000-0000-0000"
    )
  })

  it("reads as it was written", () => {
    const names = fc.option(fc.string({ maxLength: 40 }))
    fc.assert(
      fc.property(codes, names, fc.array(addresses, { maxLength: 8 }), (code, meshName, where) => {
        const link = renderLink({ code, meshName, host: "ab".repeat(32), addresses: where })
        assert.isTrue(isLink(link))
        assert.deepStrictEqual(readLink(link), { code, meshName, host: "ab".repeat(8), addresses: where })
      })
    )
  })

  it("is refused with a sentence where it does not read", () => {
    const problem = (text: string): string => {
      const read = readLink(text)
      return "problem" in read ? read.problem : "none"
    }
    const code = codeOf(new Uint8Array(CODE_BYTES))
    assert.match(problem("https://example.org"), /^it begins with clawmesh:join/u)
    assert.match(problem("clawmesh:join?m=bhoomi"), /^its code has 16 letters/u)
    assert.match(problem(`clawmesh:join?c=${code}&a=there`), /an address in it/u)
    assert.match(problem(`clawmesh:join?c=${code}&k=zz`), /the id in it/u)
    assert.match(problem(`clawmesh:join?c=${code}&m=${"x".repeat(3_000)}`), /characters at most/u)
    fc.assert(fc.property(fc.string(), (text) => void readLink(`clawmesh:join?${text}`)))
  })

  it("an address has a port, or gets the one that is usual", () => {
    assert.deepStrictEqual(readAddress("laptop.local", 18_789), { host: "laptop.local", port: 18_789 })
    assert.deepStrictEqual(readAddress("[fd00::1]:7"), { host: "fd00::1", port: 7 })
    for (const text of ["laptop.local", ":7", "a:0", "a:65536", "a b:7", "[fd00::1", ""])
      assert.isNull(readAddress(text))
  })
})
