/** Addresses of links: what is read, in which one form, of which class, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { classOf, parse, PORT_DEFAULT, render, type Address, type AddressClass } from "../../../kernel/links/Address.ts"

const addressOf = (text: string): Address => {
  const read = parse(text)
  if (read._tag === "Mistake") throw new Error(`${text}: ${read.message}`)
  return read
}

/** Accepted texts with the one form of each, and its class. */
const accepted: ReadonlyArray<readonly [text: string, form: string, of: AddressClass]> = [
  ["ws://127.0.0.1", "ws://127.0.0.1:18789", "loopback"],
  ["WS://127.0.0.1:1", "ws://127.0.0.1:1", "loopback"],
  ["http://10.0.0.1:80", "ws://10.0.0.1:80", "private"],
  ["HTTP://10.0.0.1/", "ws://10.0.0.1:18789", "private"],
  ["wss://Jetson-1.LOCAL", "wss://jetson-1.local:18789", "private"],
  ["Wss://jetson_2.local.:18790", "wss://jetson_2.local:18790", "private"],
  ["https://relay.example.com:443/mesh", "wss://relay.example.com:443/mesh", "public"],
  ["hTTpS://relay.example.com/A%20b/", "wss://relay.example.com:18789/A%20b/", "public"],
  ["ws://localhost:65535", "ws://localhost:65535", "loopback"],
  ["ws://LocalHost.", "ws://localhost:18789", "loopback"],
  ["ws://[::1]:18789", "ws://[::1]:18789", "loopback"],
  ["ws://[0:0:0:0:0:0:0:1]", "ws://[::1]:18789", "loopback"],
  ["wss://[FD00::00:1]:443", "wss://[fd00::1]:443", "private"],
  ["wss://[fe80::1]", "wss://[fe80::1]:18789", "private"],
  ["wss://[2001:DB8:0:0:1:0:0:1]", "wss://[2001:db8::1:0:0:1]:18789", "public"],
  ["wss://[2001:db8:0:1:1:1:1:1]", "wss://[2001:db8:0:1:1:1:1:1]:18789", "public"],
  ["ws://[::ffff:192.168.1.2]", "ws://[::ffff:192.168.1.2]:18789", "private"],
  ["ws://[::FFFF:7f00:1]", "ws://[::ffff:127.0.0.1]:18789", "loopback"],
  ["ws://[::ffff:8.8.8.8]", "ws://[::ffff:8.8.8.8]:18789", "public"],
  ["wss://[1:2:3:4:5:6:7::]", "wss://[1:2:3:4:5:6:7:0]:18789", "public"],
  ["wss://xn--bcher-kva.example", "wss://xn--bcher-kva.example:18789", "public"],
  ["ws://1a", "ws://1a:18789", "public"]
]

/** Refused texts, where, and a word of the sentence. */
const refused: ReadonlyArray<readonly [text: string, offset: number, says: string]> = [
  ["", 0, "no scheme"],
  ["192.168.1.5:18789", 0, "no scheme"],
  ["ws:/127.0.0.1", 0, "no scheme"],
  [" ws://127.0.0.1", 0, "no scheme"],
  ["//127.0.0.1", 0, "no scheme"],
  ["ftp://127.0.0.1", 0, "ftp:// is not a scheme"],
  ["tcp://127.0.0.1", 0, "tcp:// is not a scheme"],
  ["wsss://127.0.0.1", 0, "wsss:// is not a scheme"],
  ["ws://", 5, "no host"],
  ["ws://:18789", 5, "no host"],
  ["ws:///mesh", 5, "no host"],
  ["ws://me:secret@10.0.0.1", 5, "password"],
  ["ws://10.0.0.1@evil.example", 5, "password"],
  ["ws://10.0.0.1:", 13, "not a port"],
  ["ws://10.0.0.1:0", 13, "not a port"],
  ["ws://10.0.0.1:65536", 13, "not a port"],
  ["ws://10.0.0.1:+80", 13, "not a port"],
  ["ws://10.0.0.1:8a", 13, "not a port"],
  ["ws://10.0.0.1:000080", 13, "not a port"],
  ["ws://::1", 5, "more than one colon"],
  ["ws://fd00::1:18789", 5, "more than one colon"],
  ["ws://[::1", 5, "not closed"],
  ["ws://[]", 5, "not an IPv6 address"],
  ["ws://[127.0.0.1]", 5, "not an IPv6 address"],
  ["ws://[1::2::3]", 5, "not an IPv6 address"],
  ["ws://[1:2:3:4:5:6:7]", 5, "not an IPv6 address"],
  ["ws://[1:2:3:4:5:6:7:8:9]", 5, "not an IPv6 address"],
  ["ws://[1:2:3:4:5:6:7:8::]", 5, "not an IPv6 address"],
  ["ws://[12345::]", 5, "not an IPv6 address"],
  ["ws://[::1.2.3.4:5]", 5, "not an IPv6 address"],
  ["ws://[::ffff:1.2.3.256]", 5, "not an IPv6 address"],
  ["ws://[fe80::1%eth0]", 5, "zone"],
  ["ws://[fe80::1%25eth0]", 5, "zone"],
  ["ws://[::1]18789", 10, "not a port"],
  ["ws://0.0.0.0", 5, "listen"],
  ["ws://[::]", 5, "listen"],
  ["ws://127.1", 5, "not an IPv4 address"],
  ["ws://2130706433", 5, "not an IPv4 address"],
  ["ws://0x7f000001", 5, "not an IPv4 address"],
  ["ws://0x7f.0.0.0x1", 5, "not an IPv4 address"],
  ["ws://127.0.0.01", 5, "not an IPv4 address"],
  ["ws://0177.0.0.1", 5, "not an IPv4 address"],
  ["ws://256.0.0.1", 5, "not an IPv4 address"],
  ["ws://1.2.3.4.5", 5, "not an IPv4 address"],
  ["ws://127.0.0.1..", 5, "not a host name"],
  ["ws://a..b", 5, "not a host name"],
  ["ws://-a.local", 5, "not a host name"],
  ["ws://a-.local", 5, "not a host name"],
  ["ws://büro.local", 5, "not a host name"],
  ["ws://１２７.0.0.１", 5, "not a host name"],
  ["ws://127。0。0。1", 5, "not a host name"],
  ["ws://10.0.0.1\\@evil.example", 5, "password"],
  ["ws://10.0.0.1\\evil", 5, "not a host name"],
  ["ws://a b", 5, "not a host name"],
  [`ws://${"a".repeat(64)}.local`, 5, "not a host name"],
  [`ws://${"a.".repeat(127)}local`, 5, "not a host name"],
  ["ws://10.0.0.1/?token=1", 14, `a "?"`],
  ["ws://10.0.0.1?token=1", 13, `a "?"`],
  ["ws://10.0.0.1/#top", 14, `a "#"`],
  ["ws://10.0.0.1/a|b", 15, "cannot stand"],
  ["ws://10.0.0.1/a b", 15, "cannot stand"],
  ["ws://10.0.0.1/%2", 14, "cannot stand"],
  ["ws://10.0.0.1/\u0000", 14, "cannot stand"],
  [`ws://10.0.0.1/${"a".repeat(2_048)}`, 2_048, "longer"]
]

describe("addresses of links (wire part 1, B18)", () => {
  for (const [text, form, of] of accepted)
    it(`reads ${text} as ${form}, ${of}`, () => {
      const address = addressOf(text)
      assert.strictEqual(render(address), form)
      assert.strictEqual(address.class, of)
      assert.deepStrictEqual(parse(form), address)
    })

  for (const [text, offset, says] of refused)
    it(`refuses ${JSON.stringify(text.slice(0, 40))}: ${says}`, () => {
      const read = parse(text)
      if (read._tag === "Address") return assert.fail(`read as ${render(read)}`)
      assert.strictEqual(read.offset, offset)
      assert.include(read.message, says)
      assert.isNotEmpty(read.hint)
    })

  it("a refused scheme is told all that are allowed", () => {
    for (const text of ["ftp://a", "a"]) {
      const read = parse(text)
      if (read._tag === "Address") return assert.fail("it was read")
      for (const scheme of ["ws://", "wss://", "http://", "https://"]) assert.include(read.hint, scheme)
    }
  })

  it("schemes in every letter case: http is ws, https is wss", () => {
    const cases = (word: string): ReadonlyArray<string> =>
      word === "" ? [""] : cases(word.slice(1)).flatMap((rest) => [word[0]! + rest, word[0]!.toUpperCase() + rest])
    for (const [written, scheme] of [
      ["ws", "ws"],
      ["wss", "wss"],
      ["http", "ws"],
      ["https", "wss"]
    ] as const)
      for (const each of cases(written)) assert.strictEqual(addressOf(`${each}://a.local`).scheme, scheme, each)
  })

  it(`the port is ${PORT_DEFAULT} unless one is written, whatever the scheme`, () => {
    for (const scheme of ["ws", "wss", "http", "https"])
      assert.strictEqual(addressOf(`${scheme}://a.local`).port, 18_789)
  })

  it("is total on any text, and a mistake lies inside it", () => {
    const near = fc
      .array(
        fc.constantFrom(
          "ws",
          "https",
          "://",
          ":",
          "/",
          "[",
          "]",
          "::",
          "fe80",
          "127.0.0.1",
          ".",
          "local",
          "@",
          "%",
          "é"
        )
      )
      .map((parts) => parts.join(""))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          near,
          near.map((rest) => `ws://${rest}`)
        ),
        (text) => {
          const read = parse(text)
          if (read._tag === "Address") return assert.deepStrictEqual(parse(render(read)), read)
          assert.isAtLeast(read.offset, 0)
          assert.isAtMost(read.offset, text.length)
          assert.isNotEmpty(read.message)
          assert.isNotEmpty(read.hint)
        }
      ),
      { numRuns: 3_000 }
    )
  })

  it("every URL parser finds the same host and port in what we accept", () => {
    const part = fc.constantFrom(
      "127.0.0.1",
      "1.2.3.4",
      "a.local",
      "A-b.example",
      "[fd00::1:2]",
      "[::ffff:1.2.3.4]",
      "127.1",
      "0x7f",
      "1.08",
      "a_b"
    )
    fc.assert(
      fc.property(part, fc.constantFrom("", ":80", ":18789"), fc.constantFrom("", "/", "/x"), (host, port, path) => {
        const read = parse(`ws://${host}${port}${path}`)
        if (read._tag === "Mistake") return
        const theirs = new URL(render(read))
        // The platform writes a mapped address in hex, and leaves out the port that belongs to the scheme.
        const ours = read.host.includes(":") ? new URL(`ws://[${read.host}]`).hostname : read.host
        assert.strictEqual(theirs.hostname, ours)
        assert.strictEqual(theirs.port === "" ? 80 : Number(theirs.port), read.port)
      })
    )
  })

  it("IPv6 is written as the platform writes it, whatever the groups (RFC 5952)", () => {
    const group = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(0xffff))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const written = groups.map((each) => each.toString(16)).join(":")
        const read = parse(`ws://[${written}]`)
        if (groups.every((each) => each === 0)) return assert.strictEqual(read._tag, "Mistake")
        // The mapped form is ours on purpose: people know the address by its IPv4 numbers.
        if (groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xffff) return
        assert.strictEqual(read._tag === "Address" ? `[${read.host}]` : "", new URL(`ws://[${written}]`).hostname)
      }),
      { numRuns: 1_000 }
    )
  })
})

describe("classes of addresses (B18)", () => {
  /** First and last address of each network, and their neighbours outside. */
  const rows: ReadonlyArray<readonly [of: AddressClass, ...hosts: ReadonlyArray<string>]> = [
    [
      "loopback",
      "127.0.0.0",
      "127.0.0.1",
      "127.255.255.255",
      "::1",
      "::ffff:127.0.0.1",
      "localhost",
      "LOCALHOST",
      "[::1]"
    ],
    ["private", "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
    ["private", "169.254.0.0", "169.254.255.255", "fe80::", "febf:ffff::1", "fe80::1%eth0", "[fe80::1%25eth0]"],
    ["private", "fc00::", "fdff:ffff::1", "::ffff:10.1.2.3", "::ffff:a9fe:1", "jetson.local", "A.B.Local."],
    ["public", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"],
    ["public", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "8.8.8.8", "255.255.255.255"],
    // Shared by a carrier with strangers (RFC 6598): none of ours.
    ["public", "100.64.0.0", "100.64.0.1", "100.127.255.255"],
    ["public", "fbff::1", "fe00::1", "fe7f::1", "fec0::1", "2001:db8::1", "::2", "::ffff:8.8.8.8", "64:ff9b::7f00:1"],
    // Not what they look like, or not anything.
    ["public", "::127.0.0.1", "1::1", "::1:0:0:1", "0.0.0.0", "::", "0:0:0:0:0:fffe:7f00:1"],
    [
      "public",
      "local",
      "jetson",
      "my.localhost",
      "localhost.example",
      "a.local.example",
      "xlocal",
      "127.0.0.1.example"
    ],
    [
      "public",
      "127.1",
      "2130706433",
      "0x7f.1",
      "0177.0.0.1",
      "",
      ".local",
      "a b.local",
      "é.local",
      "[::1",
      "127.0.0.1:80"
    ]
  ]
  for (const [of, ...hosts] of rows)
    for (const host of hosts) it(`${JSON.stringify(host)} is ${of}`, () => assert.strictEqual(classOf(host), of))

  it("is total, and takes nothing unknown for our own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        if (!/^(?:localhost|.*\.local)\.?$|[.:]/iu.test(text)) assert.strictEqual(classOf(text), "public")
        assert.include(["loopback", "private", "public"], classOf(text))
      })
    )
  })
})
