/** No two ceremonies prove the same string (PROTOCOL.md P19.3, P19.4). */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { knockString, welcomeString, type Meeting } from "../../../kernel/pairing/Ceremony.ts"

const text = fc.string({ maxLength: 8 })
const meetings: fc.Arbitrary<Meeting> = fc.record({
  hostId: text,
  guestId: text,
  hostNonce: text,
  guestNonce: text,
  meshId: text,
  meshKey: text,
  exporter: text
})

describe("what is proved", () => {
  it("differs where anything of the meeting differs", () => {
    fc.assert(
      fc.property(meetings, meetings, text, text, (one, other, said, saidThere) => {
        const same = JSON.stringify([one, said]) === JSON.stringify([other, saidThere])
        assert.strictEqual(
          knockString(one, { name: said, role: null }) === knockString(other, { name: saidThere, role: null }),
          same
        )
        assert.strictEqual(welcomeString(one, said) === welcomeString(other, saidThere), same)
      })
    )
  })

  it("of one end is never what the other proves", () => {
    fc.assert(
      fc.property(meetings, text, text, (meeting, name, grant) => {
        assert.notStrictEqual(knockString(meeting, { name, role: null }), welcomeString(meeting, grant))
      })
    )
  })

  it("is total, and reads as documented", () => {
    const meeting = {
      hostId: "h",
      guestId: "g",
      hostNonce: "1",
      guestNonce: "2",
      meshId: "m|",
      meshKey: "k",
      exporter: "e"
    }
    assert.strictEqual(
      knockString(meeting, { name: "jetson 3", role: null }),
      "clawmesh.pair|v1|knock|h|g|1|2|m%7C|k|e|jetson%203|"
    )
    assert.strictEqual(welcomeString(meeting, "{}"), "clawmesh.pair|v1|welcome|h|g|1|2|m%7C|k|e|%7B%7D")
    assert.strictEqual(
      knockString(meeting, { name: "\ud800", role: "field" }),
      knockString(meeting, { name: "\ufffd", role: "field" })
    )
    assert.match(knockString(meeting, { name: "", role: "field" }), /\|\|field$/u)
  })
})
