/** What the kernel is told of devices, where discovery and relays both say where they are. */
import { assert, describe, it } from "@effect/vitest"
import { Offers } from "../../../adapters/relay/Offers.ts"
import { tunnelOf } from "../../../kernel/links/Tunnel.ts"

const [a, b, old] = ["aa".repeat(32), "bb".repeat(32), "cc".repeat(32)]
const [r, s] = ["01".repeat(32), "02".repeat(32)]
const record = (...addresses: ReadonlyArray<string>) =>
  ({ _tag: "Sighted", deviceId: a, name: "a", addresses, incarnation: 3, gen: 1 }) as const
const tunnels = (deviceId: string, ...relays: ReadonlyArray<string>) =>
  ({ _tag: "Sighted", deviceId, name: "", addresses: relays.map(tunnelOf), gen: 1 }) as const
const trusted = [
  { deviceId: a, gen1: false },
  { deviceId: b, gen1: false },
  { deviceId: old, gen1: true }
]

describe("where devices are", () => {
  it("tunnels stand behind what discovery says, and stay when that is lost; what discovery says stays without relays", () => {
    const offers = new Offers()
    assert.deepStrictEqual(offers.trust(trusted), [])
    assert.deepStrictEqual(offers.heard(record("10.0.0.1:1")), record("10.0.0.1:1"))
    assert.deepStrictEqual(offers.relays([r, s]), [record("10.0.0.1:1", tunnelOf(r), tunnelOf(s)), tunnels(b, r, s)])
    assert.deepStrictEqual(offers.heard({ _tag: "Lost", deviceId: a }), tunnels(a, r, s))
    assert.deepStrictEqual(offers.heard(record("10.0.0.2:1")), record("10.0.0.2:1", tunnelOf(r), tunnelOf(s)))
    assert.deepStrictEqual(offers.relays([]), [record("10.0.0.2:1"), { _tag: "Lost", deviceId: b }])
  })

  it("there are none to strangers, and a device that is trusted later keeps the addresses that were found before", () => {
    const offers = new Offers()
    assert.deepStrictEqual(offers.relays([r]), [])
    assert.deepStrictEqual(offers.heard(record("10.0.0.1:1")), record("10.0.0.1:1"))
    assert.deepStrictEqual(offers.trust(trusted), [record("10.0.0.1:1", tunnelOf(r)), tunnels(b, r)])
    assert.deepStrictEqual(offers.trust(trusted), [], "nothing is told twice")
  })

  it("a tunnel has room behind any number of addresses", () => {
    const offers = new Offers()
    offers.trust(trusted)
    offers.relays([r])
    const told = offers.heard(record(...Array.from({ length: 20 }, (_, n) => `10.0.0.${n}:1`)))
    assert.isTrue(told._tag === "Sighted" && told.addresses.length === 8 && told.addresses.at(-1) === tunnelOf(r))
  })
})
