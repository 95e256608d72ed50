/** What `clawmesh peers NAME` says of the link: label, posture as configured and negotiated, the certificate's date (B16, B17, B19). */
import { assert, describe, it } from "@effect/vitest"
import { peerScreen } from "../../../adapters/cli/PeerScreen.ts"
import type { Peer } from "../../../adapters/operator/Api.ts"
import * as Views from "../../../adapters/operator/Views.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"

const look = { colour: false, quiet: false, columns: 100 }

const shownWith = (how: Partial<Peer>): string => {
  const status = Views.status(new FakeDaemon().settle())
  return peerScreen(status, { ...status.peers.find(({ link }) => link !== null)!, ...how }, look)
}
const link = {
  dialledBy: "us",
  sinceMs: 60_000,
  label: "relay",
  security: "tls-pinned",
  remote: "public",
  address: "203.0.113.9:443",
  certificateUntil: "2001-01-01T00:00:00.000Z"
} as const

describe("one peer on a screen", () => {
  it("the link by its label, what was configured, and a date that does not matter (A35)", () => {
    const url = "wss://farm.example:443"
    const text = shownWith({ link, configured: { url, label: "relay", security: "tls-unpinned" } })
    assert.match(text, /link +relay, tls-pinned for 1 min/u)
    assert.match(text, /configured +wss:\/\/farm\.example:443, relay, tls-unpinned\n/u)
    assert.match(text, /certificate +ran out on 2001-01-01, which does not matter\n/u)
  })
  it("without a label by how far away it is; a date to come; nothing that is not there", () => {
    const text = shownWith({ link: { ...link, label: null, certificateUntil: "2999-01-01T00:00:00.000Z" } })
    assert.match(text, /link +wan, tls-pinned/u)
    assert.match(text, /certificate +until 2999-01-01\n/u)
    assert.notMatch(shownWith({ link: { ...link, certificateUntil: null } }), /certificate|configured/u)
  })
  it("a label of a peer's cannot steer the terminal", () => {
    assert.notInclude(shownWith({ link: { ...link, label: "a\u001b[31mb" } }), "\u001b")
  })
})
