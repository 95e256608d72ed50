/** What a connection runs over decides who may come in by it, and where we dial (B16 to B19, C34, C36, A34); trust and adverts. */
import { assert, describe, it } from "@effect/vitest"
import type { Trusted } from "../../../kernel/Config.ts"
import type { LinkPath } from "../../../kernel/Input.ts"
import { configOf, Drive, id, notes, type World } from "../drive.ts"

const two: World = { roles: { a: "field", b: "field" } }
const TLS_OF_B: LinkPath = { security: "tls", proved: id("b"), remote: "public", address: "203.0.113.9:18789" }

/** Node a, trusting b as `how` says; started, nobody dialled yet. */
const trusting = (how: Partial<Trusted>): Drive => {
  const config = configOf(two, "a")
  const drive = new Drive({ ...config, trusted: config.trusted.map((device) => ({ ...device, gen1: false, ...how })) })
  drive.start()
  return drive
}

/** b dials a over `path`: whether it got a session, and the code if not. */
const comesIn = (drive: Drive, path: LinkPath, kernel: boolean): string => {
  const link = drive.nextLink()
  drive.feed({ _tag: "LinkUp", link, attempt: null, nonce: `nonce-${link}`, exporter: null, path })
  drive.challenge(link)
  const commands = drive.connect(link, "b", { kernel })
  const refused = notes(commands).find(({ event }) => event === "connection.refused")
  return refused?.code ?? (drive.sessions("b").length === 1 ? "session" : "nothing")
}

describe("who may come in by which path", () => {
  const cases: ReadonlyArray<
    readonly [title: string, how: Partial<Trusted>, path: LinkPath, kernel: boolean, what: string]
  > = [
    ["a kernel peer in its own TLS", {}, TLS_OF_B, true, "session"],
    ["a kernel peer in somebody else's TLS (A34)", {}, { ...TLS_OF_B, proved: id("c") }, true, "PIN_MISMATCH"],
    ["a kernel peer in TLS without an identity key", {}, { ...TLS_OF_B, proved: null }, true, "PIN_MISMATCH"],
    [
      "a kernel peer in plain on the LAN",
      {},
      { ...TLS_OF_B, security: "plain", proved: null, remote: "private" },
      true,
      "INSECURE_TRANSPORT"
    ],
    [
      "a kernel peer in plain on loopback",
      {},
      { ...TLS_OF_B, security: "plain", proved: null, remote: "loopback" },
      true,
      "session"
    ],
    [
      "generation 1 in plain on the LAN",
      { gen1: true },
      { ...TLS_OF_B, security: "plain", proved: null, remote: "private" },
      false,
      "session"
    ],
    [
      "generation 1 in plain from afar",
      { gen1: true },
      { ...TLS_OF_B, security: "plain", proved: null },
      false,
      "INSECURE_TRANSPORT"
    ],
    [
      "a kernel device that leaves the extension out",
      {},
      { ...TLS_OF_B, security: "plain", proved: null, remote: "loopback" },
      false,
      "AUTH_FAILED"
    ]
  ]
  for (const [title, how, path, kernel, what] of cases)
    it(`${title}: ${what}`, () => {
      assert.strictEqual(comesIn(trusting(how), path, kernel), what)
    })
})

/** What a does about b's configured address within a second. */
const dialsAt = (how: Partial<Trusted>) => {
  const drive = trusting(how)
  const commands = drive.pass(1_000)
  const dial = commands.find((command) => command._tag === "Dial")
  const refused = notes(commands).find(({ event }) => event === "connection.refused")
  return dial === undefined ? refused?.code : dial
}

describe("B18, B19: before a byte of ours is sent", () => {
  it("a kernel peer beyond loopback is dialled over pinned TLS only", () => {
    assert.strictEqual(dialsAt({ address: "ws://192.168.1.5:18789" }), "INSECURE_TRANSPORT")
    assert.deepInclude(dialsAt({ address: "wss://192.168.1.5:18789" }), { _tag: "Dial", to: id("b") })
    assert.deepInclude(dialsAt({ address: "ws://127.0.0.1:18789" }), { _tag: "Dial" })
  })
  it("C35: generation 1 with a WAN label needs its certificate's fingerprint, and gets it compared", () => {
    const gen1 = { gen1: true, address: "wss://farm.example:18789", label: "relay" }
    assert.strictEqual(dialsAt(gen1), "UNPINNED_TRANSPORT")
    assert.deepInclude(dialsAt({ ...gen1, fingerprint: "ab".repeat(32) }), {
      _tag: "Dial",
      fingerprint: "ab".repeat(32)
    })
  })
  it("C34: another key at the address is a lasting refusal that shows, and is dialled no more for five minutes", () => {
    const drive = trusting({ address: "wss://192.168.1.5:18789" })
    while (drive.contact("b").attempt === null) drive.ring()
    const commands = drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "pin mismatch" })
    assert.deepInclude(notes(commands)[0], { event: "connection.refused", about: id("b"), code: "PIN_MISMATCH" })
    assert.strictEqual(drive.contact("b").refused, "PIN_MISMATCH")
    assert.isFalse(drive.pass(299_000).some(({ _tag }) => _tag === "Dial"))
    assert.isTrue(drive.pass(2_000).some(({ _tag }) => _tag === "Dial"))
  })
})

describe("trust that changes while the node runs", () => {
  const entry = { deviceId: id("b"), role: "field", name: "b", gen1: true, publicKey: null } as const

  it("C36: a device that is trusted no longer loses its session at once, and does not come back", () => {
    const drive = trusting({ gen1: true })
    const { link } = drive.meet("b")
    const commands = drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.isTrue(
      commands.some((command) => command._tag === "Hangup" && command.link === link && command.code === 1008)
    )
    assert.deepStrictEqual(drive.node.links.contacts, [])
    assert.deepStrictEqual(drive.node.membership.members, [])
    const again = drive.meet("b")
    assert.strictEqual(
      notes(again.commands).find(({ event }) => event === "connection.refused")?.code,
      "UNTRUSTED_PEER"
    )
  })

  it("C36: no alarm is left over of it: a probe that was out rings for nobody, again and again", () => {
    const drive = trusting({ gen1: true })
    drive.meet("b")
    drive.passUntil(drive.node.membership.beatAt)
    const deadline = drive.member("b").probeDeadline
    // What is due first of a probe is its next ping.
    assert.strictEqual(drive.node.membership.due, drive.mono + 230)
    drive.feed({ _tag: "Distrust", deviceId: id("b") })
    assert.isAbove(drive.node.alarmAt, deadline)
    drive.ring()
    assert.isAbove(drive.node.alarmAt, drive.mono)
  })

  it("C16: a stranger that was seen is listed and not dialled; once trusted it is dialled without a restart", () => {
    const config = configOf(two, "a")
    const drive = new Drive({ ...config, trusted: [] })
    drive.start()
    const sighted = { _tag: "Sighted", deviceId: id("b"), name: "b", addresses: ["192.168.1.5:18789"], gen: 1 } as const
    drive.feed(sighted)
    assert.deepStrictEqual(
      drive.node.links.strangers.map(({ name }) => name),
      ["b"]
    )
    assert.isFalse(drive.pass(60_000).some(({ _tag }) => _tag === "Dial"))
    drive.feed({ _tag: "Trust", device: { ...entry, gen1: false } })
    assert.deepStrictEqual(drive.node.links.strangers, [])
    const dial = drive.pass(6_000).find((command) => command._tag === "Dial")
    assert.deepInclude(dial, { to: id("b"), address: "wss://192.168.1.5:18789" })
  })
  it("S9: what the operator said is durable, and restored", () => {
    const drive = trusting({ gen1: true })
    drive.feed({ _tag: "Trust", device: { ...entry, role: "viewer" } })
    const later = new Drive({ ...configOf(two, "a"), trusted: [] }, { durable: drive.durable })
    later.start()
    assert.deepStrictEqual(
      later.node.config.trusted.map(({ deviceId, role }) => [deviceId, role]),
      [[id("b"), "viewer"]]
    )
  })
  it("trusting ourselves, or distrusting a stranger, changes nothing", () => {
    const drive = trusting({})
    const before = drive.node
    drive.feed({ _tag: "Distrust", deviceId: id("c") }, { _tag: "Trust", device: { ...entry, deviceId: id("a") } })
    assert.strictEqual(drive.node, before)
  })
})

describe("adverts", () => {
  const advert = (address: string, incarnation = 1) =>
    ({ _tag: "Sighted", deviceId: id("b"), name: "b", addresses: [address], incarnation, gen: 1 }) as const

  it("C23: a device that moved is dialled where it is now; a record that ran out earns no dial", () => {
    const drive = trusting({ address: null })
    drive.feed(advert("192.168.1.5:18789"))
    while (drive.contact("b").attempt === null) drive.ring()
    drive.feed(
      { _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "unreachable" },
      advert("192.168.1.77:18789")
    )
    const dial = drive.pass(10_000).find((command) => command._tag === "Dial")
    assert.deepInclude(dial, { address: "wss://192.168.1.77:18789" })
    drive.feed(
      { _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "unreachable" },
      { _tag: "Lost", deviceId: id("b") }
    )
    assert.isFalse(drive.pass(60_000).some(({ _tag }) => _tag === "Dial"))
  })
  it("B4: a record of an older incarnation than we have met earns nothing", () => {
    const drive = trusting({ address: null, gen1: true })
    const { link } = drive.meet("b", { incarnation: 3 })
    drive.feed({ _tag: "LinkDown", link, reason: "reset" }, advert("192.168.1.5:18789", 2))
    assert.isFalse(drive.pass(60_000).some(({ _tag }) => _tag === "Dial"))
  })
  it("of two that find each other the lower id dials at once, the higher after five seconds", () => {
    const higher = new Drive({
      ...configOf(two, "b"),
      trusted: [{ ...configOf(two, "b").trusted[0]!, gen1: false, address: null }]
    })
    higher.start()
    higher.feed({ ...advert("192.168.1.5:18789"), deviceId: id("a"), name: "a" })
    assert.isFalse(higher.pass(4_900).some(({ _tag }) => _tag === "Dial"))
    assert.isTrue(higher.pass(300).some(({ _tag }) => _tag === "Dial"))
  })
  it("records of ourselves, of another mesh, and of no device id are ignored", () => {
    const drive = trusting({ address: null })
    const before = drive.node
    for (const strange of [{ deviceId: id("a") }, { meshId: "another" }, { deviceId: "shoe" }])
      drive.feed({ ...advert("192.168.1.5:18789"), ...strange })
    assert.strictEqual(drive.node, before)
  })
})
