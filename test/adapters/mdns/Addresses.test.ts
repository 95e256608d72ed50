import os from "node:os"
import { afterEach, vi } from "vitest"
import { assert, describe, it } from "@effect/vitest"
import { endpoint, interfacesUp, isNeighbour, ordered, rank } from "../../../adapters/mdns/Addresses.ts"

describe("addresses to dial", () => {
  it("are private IPv4 first, then where the record came from, then the newest", () => {
    const known = [
      { address: "2001:db8::5", since: 9 },
      { address: "fd00::5", since: 9 },
      { address: "203.0.113.5", since: 9 },
      { address: "169.254.3.4", since: 9 },
      { address: "172.17.0.1", since: 5 },
      { address: "10.0.0.5", since: 7 },
      { address: "192.168.1.5", since: 1 }
    ]
    assert.deepStrictEqual(ordered(known, "192.168.1.5"), [
      "192.168.1.5",
      "10.0.0.5",
      "172.17.0.1",
      "169.254.3.4",
      "203.0.113.5",
      "fd00::5",
      "2001:db8::5"
    ])
  })

  it("are never ourselves, nobody, or link-local IPv6, which means nothing without a zone", () => {
    const useless = ["127.0.0.1", "0.0.0.0", "224.0.0.251", "255.255.255.255", "::", "::1", "fe80::1", "ff02::fb"]
    for (const address of [...useless, "::ffff:10.0.0.1", "example.com", "10.0.0", ""])
      assert.isNull(rank(address), address)
    assert.deepStrictEqual(
      ordered(
        useless.map((address) => ({ address, since: 0 })),
        "10.0.0.1"
      ),
      ["10.0.0.1"]
    )
  })

  it("may be loopback when the record came over it", () => {
    assert.deepStrictEqual(ordered([{ address: "192.168.1.5", since: 0 }], "127.0.0.1"), ["127.0.0.1", "192.168.1.5"])
  })

  it("are written with brackets where they are IPv6", () => {
    assert.strictEqual(endpoint("fd00::1", 80), "[fd00::1]:80")
    assert.strictEqual(endpoint("10.0.0.1", 80), "10.0.0.1:80")
  })
})

describe("our interfaces", () => {
  afterEach(() => vi.restoreAllMocks())
  const entry = (address: string, family: "IPv4" | "IPv6", internal = false) =>
    ({
      address,
      family,
      internal,
      netmask: "255.255.255.0",
      mac: "02:00:00:00:00:01",
      cidr: null
    }) as os.NetworkInterfaceInfo

  it("take part when they have an IPv4 address and are not loopback, or when they are named", () => {
    vi.spyOn(os, "networkInterfaces").mockReturnValue({
      lo: [entry("127.0.0.1", "IPv4", true)],
      eth0: [entry("192.0.2.7", "IPv4"), entry("fd00::1", "IPv6")]
    })
    assert.deepStrictEqual(
      interfacesUp().map(({ address }) => address),
      ["192.0.2.7"]
    )
    assert.deepStrictEqual(
      interfacesUp("127.0.0.1").map(({ address }) => address),
      ["127.0.0.1"]
    )
  })

  it("are none when the system does not say", () => {
    vi.spyOn(os, "networkInterfaces").mockImplementation(() => {
      throw new Error("uv_interface_addresses returned Unknown system error 97")
    })
    assert.deepStrictEqual(interfacesUp(), [])
  })

  it("have neighbours: private addresses and those of their own networks, not the Internet (RFC 6762 11)", () => {
    const interfaces = [{ name: "eth0", address: "203.0.113.7", netmask: "255.255.255.192", mac: "" }]
    for (const source of ["192.168.1.1", "169.254.0.9", "127.0.0.1", "100.64.3.2", "203.0.113.63"])
      assert.isTrue(isNeighbour(source, interfaces), source)
    for (const source of ["203.0.113.64", "8.8.8.8", "fe80::1", ""])
      assert.isFalse(isNeighbour(source, interfaces), source)
  })
})
