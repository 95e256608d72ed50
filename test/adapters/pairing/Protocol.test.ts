/** The samples of PROTOCOL.md part 19 are what is said on the wire, and their proofs hold. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { readAnswer, readChallenge, readGrant, readKnock } from "../../../adapters/pairing/Messages.ts"
import { isProof, keyOf } from "../../../adapters/pairing/Secret.ts"
import { knockString, type Meeting, welcomeString } from "../../../kernel/pairing/Ceremony.ts"
import { keysOf } from "./Ends.ts"

const protocol = readFileSync(new URL("../../../docs/PROTOCOL.md", import.meta.url), "utf8")

describe("PROTOCOL.md part 19", () => {
  it("its three messages read, and prove what they say", () => {
    const samples = Array.from(
      protocol.matchAll(/```json\n(\{\s*"type":\s*"pair\.[^]*?)```/gu),
      ([, sample]) => sample!
    )
    const [first, second, third] = samples
    assert.lengthOf(samples, 3)
    const challenge = readChallenge(first!)!
    const knock = readKnock(second!)!
    const welcome = readAnswer(third!)
    if (welcome?.type !== "pair.welcome") return assert.fail("the third is a welcome")
    const { meshId, meshKey } = challenge
    const meeting: Meeting = {
      hostId: keysOf(1).deviceId,
      guestId: keysOf(2).deviceId,
      hostNonce: challenge.nonce,
      guestNonce: knock.nonce,
      meshId,
      meshKey,
      exporter: "exporter"
    }
    const key = keyOf("0410-6105-0R3G-G28X")
    assert.isTrue(isProof(key, knockString(meeting, knock), knock.proof))
    assert.isTrue(isProof(key, welcomeString(meeting, welcome.grant), welcome.proof))
    assert.strictEqual(readGrant(welcome.grant)?.device.id, keysOf(2).deviceId)
  })
})
