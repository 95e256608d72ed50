/** Keeps docs/PROTOCOL.md and the code equal, in both directions, wherever the document says something countable. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Lanes from "../../../kernel/links/Lanes.ts"
import * as Profile from "../../../kernel/Profile.ts"
import { decode } from "../../../kernel/wire/Codec.ts"
import { codes } from "../../../kernel/wire/Codes.ts"
import { contextMembers } from "../../../kernel/wire/ContextFrame.ts"
import { eventSchemas, Role, requestSchemas } from "../../../kernel/wire/Frame.ts"
import * as Limits from "../../../kernel/wire/Limits.ts"

const root = new URL("../../../", import.meta.url)
const protocol = readFileSync(new URL("docs/PROTOCOL.md", root), "utf8")

/** The cells of the table whose header begins with these words; the text of code spans without their marks. */
const tableOf = (...header: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const cellsOf = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/u, "$1"))
  const lines = protocol.split("\n")
  const at = lines.findIndex((line) => line.startsWith("|") && header.every((word, i) => cellsOf(line)[i] === word))
  assert.isAtLeast(at, 0, `no table ${header.join(", ")}`)
  const rest = lines.slice(at + 2)
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith("|"))
    )
    .map(cellsOf)
}

const numberOf = (cell: string | undefined): number => Number(cell?.replaceAll(",", ""))

describe("PROTOCOL.md says what the code does", () => {
  it("P8.2 codes: the same, in the same groups and order", () => {
    assert.deepStrictEqual(
      tableOf("code", "group").map(([code, group, meaning]) => [code, group, meaning !== ""]),
      Object.entries(codes).flatMap(([group, members]) => members.map((code) => [code, group, true]))
    )
  })

  it("P4.1 and P5.7 give codes of the table only", () => {
    const known: ReadonlyArray<string> = Object.values(codes).flat()
    for (const [, code] of tableOf("check", "code")) assert.include(known, code)
    for (const [, , code] of tableOf("", "check", "code")) assert.include(known, code)
  })

  it("part 7: every event, with the members of its payload", () => {
    const documented = tableOf("event", "payload").map(([event, payload]) => [
      event,
      payload!.replace(/:.*$/u, "").split(", ").sort()
    ])
    const implemented = Object.entries(eventSchemas).map(([event, schema]) => [
      event,
      ("fields" in schema ? Object.keys(schema.fields) : [...contextMembers]).sort()
    ])
    assert.deepStrictEqual(documented, implemented)
  })

  it("part 8: every method", () => {
    assert.deepStrictEqual(
      tableOf("method", "who may ask").map(([method]) => method),
      Object.keys(requestSchemas)
    )
  })

  it("parts 5 and 9: every member of the handshake is named, and every role", () => {
    const members = Object.entries(requestSchemas["mesh.connect"].fields)
    const kernel = ["features", "gen", "incarnation", "bootId", "linkCounter", "meshKey", "signature"]
    for (const member of [...members.map(([name]) => name), ...kernel]) assert.include(protocol, `\`${member}\``)
    assert.include(protocol, `\`${Role.literals.join(" ")}\``)
  })

  it("P1.4 limits", () => {
    assert.deepStrictEqual(
      Object.fromEntries(tableOf("limit", "value").map(([name, value]) => [name, numberOf(value)])),
      { ...Limits }
    )
  })

  it("part 10: times", () => {
    for (const [name, ...values] of tableOf("constant", "lan", "wan", "battery")) {
      const profiles = ["lan", "wan", "battery"] as const
      for (const [i, profile] of profiles.entries())
        assert.strictEqual(numberOf(values[i]), Profile.profiles[profile][name as "beatMs"], `${name} of ${profile}`)
    }
    assert.deepStrictEqual(
      Object.fromEntries(tableOf("constant", "value").map(([name, value]) => [name, numberOf(value)])),
      Object.fromEntries(Object.entries(Profile).filter(([, value]) => typeof value === "number"))
    )
  })

  it("part 13: lanes and their bounds", () => {
    assert.deepStrictEqual(
      Object.fromEntries(tableOf("bound", "value").map(([name, value]) => [name, numberOf(value)])),
      Object.fromEntries(Object.entries(Lanes).filter(([, value]) => typeof value === "number"))
    )
    const stops = tableOf("lane", "carries").map(([, , bytes]) => bytes)
    assert.deepStrictEqual(stops.slice(0, 3), ["never", "never", "never"])
    assert.deepStrictEqual(stops.slice(3).map(numberOf).reverse(), [...Lanes.BACKLOG_BYTES])
  })

  it("every sample in JSON is a frame", () => {
    const samples = Array.from(protocol.matchAll(/```json\n([^]*?)```/gu), ([, sample]) => sample!)
    assert.isAtLeast(samples.length, 4)
    // Those of pairing are none of the codec's: test/adapters/pairing/Protocol.test.ts reads them.
    for (const sample of samples.filter((text) => !/"type":\s*"pair\./u.test(text)))
      assert.strictEqual(decode(sample)._tag, "Frame", sample)
  })

  it("rules are numbered without gaps, and a test that names a rule names one that exists", () => {
    const rules = Array.from(protocol.matchAll(/^- \*\*P(\d+)\.(\d+)\*\*/gmu), ([, part, rule]) => [
      Number(part),
      Number(rule)
    ])
    for (const [i, [part, rule]] of rules.entries())
      assert.strictEqual(rule, i > 0 && rules[i - 1]![0] === part ? rules[i - 1]![1]! + 1 : 1, `P${part}.${rule}`)
    const known = new Set(rules.map(([part, rule]) => `P${part}.${rule}`))
    const tests = readdirSync(new URL("test/", root), { recursive: true, encoding: "utf8" })
    for (const file of tests.filter((name) => name.endsWith(".test.ts"))) {
      const text = readFileSync(new URL(`test/${file}`, root), "utf8")
      for (const [cited] of text.matchAll(/\bP\d+\.\d+\b/gu))
        assert.isTrue(known.has(cited), `${cited} in test/${file}`)
    }
  })
})
