/** Static peers as the operator writes them: B16. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { parse, render, type StaticPeer } from "../../../kernel/links/StaticPeer.ts"

const ID = "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"
const PIN = "ab".repeat(32)
const COLONS = new Array(32).fill("AB").join(":")
const URL_TEXT = "wss://relay.example.com:443/mesh"

const peer = (fields: Partial<StaticPeer> = {}): StaticPeer => ({
  _tag: "StaticPeer",
  deviceId: ID,
  url: URL_TEXT,
  fingerprint: null,
  label: null,
  ...fields
})

describe("B16 static peer grammar: what reads", () => {
  const rows: ReadonlyArray<readonly [name: string, text: string, peer: StaticPeer]> = [
    ["all three parts", `${ID}=${URL_TEXT}|${PIN}|relay`, peer({ fingerprint: PIN, label: "relay" })],
    ["@ for the first =", `${ID}@${URL_TEXT}|${PIN}|relay`, peer({ fingerprint: PIN, label: "relay" })],
    ["no label", `${ID}=${URL_TEXT}|${PIN}`, peer({ fingerprint: PIN })],
    ["an empty label", `${ID}=${URL_TEXT}|${PIN}|`, peer({ fingerprint: PIN })],
    ["an empty middle", `${ID}=${URL_TEXT}||relay`, peer({ label: "relay" })],
    ["the address only", `${ID}=${URL_TEXT}`, peer()],
    ["the address and bars", `${ID}=${URL_TEXT}||`, peer()],
    ["one bar", `${ID}=${URL_TEXT}|`, peer()],
    ["capitals in the id", `${ID.toUpperCase()}=${URL_TEXT}`, peer()],
    ["a fingerprint with colons", `${ID}=${URL_TEXT}|${COLONS}`, peer({ fingerprint: PIN })],
    ["a fingerprint with its kind", `${ID}=${URL_TEXT}|SHA256:${COLONS}`, peer({ fingerprint: PIN })],
    ["a fingerprint with its kind, written apart", `${ID}=${URL_TEXT}|sha-256:${PIN}`, peer({ fingerprint: PIN })],
    ["blanks", `  ${ID} =  HTTPS://relay.example.com:443/mesh |  | My  VPN `, peer({ label: "My  VPN" })],
    ["= and @ in a label", `${ID}=${URL_TEXT}||a=b@c`, peer({ label: "a=b@c" })],
    ["@ then = in the path", `${ID}@wss://a.local/x=y`, peer({ url: "wss://a.local:18789/x=y" })],
    ["a label in Telugu", `${ID}=${URL_TEXT}||పొలం`, peer({ label: "పొలం" })],
    ["IPv6", `${ID}=ws://[FD00::1]||lan`, peer({ url: "ws://[fd00::1]:18789", label: "lan" })]
  ]
  for (const [name, text, expected] of rows) it(name, () => assert.deepStrictEqual(parse(text), expected))
})

describe("B16 static peer grammar: mistakes, at their places", () => {
  /** Each mistake as [offset, a word of its sentence]. */
  const rows: ReadonlyArray<readonly [text: string, ...mistakes: ReadonlyArray<readonly [number, string]>]> = [
    ["", [0, "no ="]],
    [ID, [0, "no ="]],
    [`=${URL_TEXT}`, [0, "device id"]],
    [`abc=${URL_TEXT}`, [0, "device id"]],
    [`  ${ID}0=${URL_TEXT}`, [2, "device id"]],
    [`${ID}=`, [65, "no scheme"]],
    [`${ID}= relay.example.com`, [66, "no scheme"]],
    [`${ID}=ftp://a.local`, [65, "ftp://"]],
    [`${ID}=ws://me:secret@a.local`, [70, "password"]],
    [`${ID}=ws://a.local:99999`, [77, "not a port"]],
    [`${ID}==ws://a.local`, [65, "no scheme"]],
    [`${ID}=ws://a.local|zz|lan`, [78, "fingerprint"]],
    [`${ID}=ws://a.local| ${PIN.slice(1)}|lan`, [79, "fingerprint"]],
    [`${ID}=ws://a.local|sha1:${PIN}|lan`, [78, "fingerprint"]],
    [`${ID}=ws://a.local|${COLONS.slice(0, -3)}`, [78, "fingerprint"]],
    [`${ID}=ws://a.local|relay`, [78, "fingerprint"]],
    [`${ID}=ws://a.local||a\nb`, [80, "does not print"]],
    [`${ID}=ws://a.local||la\u202en`, [81, "does not print"]],
    [`${ID}=ws://a.local||${"x".repeat(65)}`, [143, "longer"]],
    [`${ID}=ws://a.local||\u0007${"x".repeat(65)}`, [79, "does not print"], [143, "longer"]],
    [`${ID}=ws://a.local||lan|`, [82, "third bar"]],
    [`${ID}=ws://a.local||lan|vpn|x`, [82, "third bar"]],
    ["me=a|b|\u0007|", [0, "device id"], [3, "no scheme"], [5, "fingerprint"], [7, "does not print"], [8, "third bar"]]
  ]
  for (const [text, ...mistakes] of rows)
    it(JSON.stringify(text.replace(ID, "ID").slice(0, 50)), () => {
      const read = parse(text)
      if (read._tag === "StaticPeer") return assert.fail("it was read")
      assert.strictEqual(read.text, text)
      assert.deepStrictEqual(
        read.mistakes.map(({ offset }) => offset),
        mistakes.map(([offset]) => offset)
      )
      read.mistakes.forEach(({ hint, message }, n) => {
        assert.include(message, mistakes[n]![1])
        assert.isNotEmpty(hint)
      })
    })
})

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })

const anyPeer: fc.Arbitrary<StaticPeer> = fc.record({
  _tag: fc.constant("StaticPeer" as const),
  deviceId: hex(64),
  url: fc
    .tuple(
      fc.constantFrom("ws", "wss"),
      fc.constantFrom("127.0.0.1", "[fd00::1]", "a-b.local", "relay.example.com"),
      fc.integer({ min: 1, max: 65_535 }),
      fc.constantFrom("", "/mesh", "/a=b@c/%7c")
    )
    .map(([scheme, host, port, path]) => `${scheme}://${host}:${port}${path}`),
  fingerprint: fc.option(hex(64)),
  label: fc.option(
    fc
      .string({ unit: fc.constantFrom(..."abcXYZ019 -_.=@:/%é田"), minLength: 1, maxLength: 20 })
      .filter((label) => label.trim() === label)
  )
})

describe("B16 static peer grammar: properties", () => {
  it("what is rendered reads as what it was", () => {
    fc.assert(fc.property(anyPeer, (each) => assert.deepStrictEqual(parse(render(each)), each)))
  })

  it("what reads has one text, and that text reads the same", () => {
    const blanks = fc.constantFrom("", " ", "\t ")
    fc.assert(
      fc.property(anyPeer, fc.constantFrom("=", "@"), blanks, fc.boolean(), (each, sign, blank, capitals) => {
        const parts = [each.url, each.fingerprint ?? "", each.label ?? ""].map((part) => blank + part + blank)
        const id = capitals ? each.deviceId.toUpperCase() : each.deviceId
        assert.deepStrictEqual(parse(`${blank}${id}${sign}${parts.join("|")}`), each)
      })
    )
  })

  it("is total on any text, and tells each mistake inside it, in order", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(ID, PIN, "=", "@", "|", "||", "ws://", "wss://a.local", "lan", " ", "\u0000", "\ud800")
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("")
        const read = parse(text)
        if (read._tag === "StaticPeer") return assert.deepStrictEqual(parse(render(read)), read)
        assert.isNotEmpty(read.mistakes)
        let before = 0
        for (const { hint, message, offset } of read.mistakes) {
          assert.isAtLeast(offset, before)
          assert.isAtMost(offset, text.length)
          assert.isNotEmpty(message)
          assert.isNotEmpty(hint)
          before = offset
        }
      }),
      { numRuns: 4_000 }
    )
  })
})
