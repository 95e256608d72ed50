import { assert, describe, it } from "@effect/vitest"
import * as Views from "../../../adapters/operator/Views.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { id, three } from "../../kernel/drive.ts"
import { Mesh } from "../../kernel/mesh.ts"
import { FakeDaemon } from "./FakeDaemon.ts"

const warnings = (daemon: FakeDaemon) =>
  Views.status(daemon).warnings.map(({ about, code }) =>
    about === null ? code : `${code} ${about.name ?? about.id[0]}`
  )
const peer = (daemon: FakeDaemon, name: string) => Views.peers(daemon).peers.find((each) => each.id === id(name))!

describe("status (B26, B44)", () => {
  it("names the leader that was heard, the term, and who stands by; the lease of another is not ours to know", () => {
    const status = Views.status(new FakeDaemon().settle())
    assert.deepInclude(status.leader, {
      id: id("b"),
      name: "laptop-main",
      kind: "peer",
      leaseLeftMs: null,
      heardMs: 300
    })
    assert.strictEqual(status.term, 7)
    assert.deepStrictEqual(status.standby, [], "barn-laptop could lead, but is not up")
    assert.deepStrictEqual(status.electors, { total: 3, up: 2, needed: 2 })
    assert.strictEqual(status.activity, "ineligible")
  })

  it("of the leader itself: what is left of its lease", () => {
    const mesh = Mesh.settled(three)
    const drive = mesh.node("a")
    const daemon = new FakeDaemon(three)
    drive.mono += 100
    const { activity, leader, leaseMs, standby } = Views.status({
      ...daemon,
      state: () => drive.node,
      now: () => ({ mono: drive.mono, wall: 0 }),
      events: daemon.events
    })
    assert.deepInclude(leader, { id: id("a"), kind: "local", heardMs: null })
    assert.isAbove(leader!.leaseLeftMs!, 0)
    assert.isAtMost(leader!.leaseLeftMs!, leaseMs)
    assert.strictEqual(activity, "active")
    assert.deepStrictEqual(
      standby.map((device) => device.id),
      [id("b")]
    )
  })

  it("B2, B3: who has a peer as down, that nobody else confirms it, and that it may be this node itself", () => {
    const mesh = Mesh.settled({ roles: { a: "field", b: "field", c: "field" } })
    const from = mesh.node("a")
    const fake = new FakeDaemon({ roles: { a: "field", b: "field", c: "field" } })
    const daemon = {
      ...fake,
      state: () => from.node,
      now: () => ({ mono: from.mono, wall: 0 }),
      events: fake.events,
      discovery: () => ({ enabled: false, runs: false, why: "" }),
      address: () => "127.0.0.1:1"
    }
    mesh.crash("c", { silent: true })
    mesh.pass(5_000)
    const [down] = Views.peers(daemon).peers.filter((each) => each.state === "down")
    assert.deepStrictEqual(
      down!.witnesses!.map((witness) => witness.id),
      [id("a"), id("b")]
    )
    assert.deepInclude(Views.status(daemon), { isolated: false, stalls: null })
    mesh.cut("a", "b")
    mesh.pass(5_000)
    const status = Views.status(daemon)
    assert.isTrue(status.isolated)
    const texts = status.warnings.map(({ code, text }) => `${code} ${text}`)
    assert.include(texts, "ISOLATED every peer that was met is down: it may be this node that is cut off")
    assert.include(texts, "PEER_DOWN bbbbbbbb is down: nothing is heard of it, and nobody else confirms that")
    from.feed({ _tag: "Stalled", ms: 700 })
    assert.deepStrictEqual(Views.status(daemon).stalls, { count: 1, lastMs: 700, agoMs: 0 })
  })

  it("nobody is named once the leader was silent for one promise", () => {
    const daemon = new FakeDaemon().settle()
    daemon.drive.mono += profiles.lan.promiseMs
    assert.isNull(Views.status(daemon).leader)
  })

  it("a peer that was never met is unknown since this node started, not since the machine did", () => {
    const daemon = new FakeDaemon()
    daemon.drive.mono += 1_500
    assert.deepInclude(peer(daemon, "d"), {
      state: "unknown",
      sinceMs: 1_500,
      incarnation: 0,
      heardMs: null,
      link: null
    })
    assert.strictEqual(Views.status(daemon).node.uptimeMs, 1_500)
  })

  it("strangers are listed by what they call themselves, and refusals are counted by code", () => {
    const daemon = new FakeDaemon().settle()
    daemon.drive.meet("f")
    const status = Views.status(daemon)
    assert.deepStrictEqual(status.strangers, [{ id: id("e"), name: "new-pi", addresses: ["192.168.1.60:18789"] }])
    assert.deepStrictEqual(status.refusals, { UNTRUSTED_PEER: 1 })
  })
})

describe("peers: links and their protection (B18)", () => {
  const over = (security: "plain" | "tls", proved: string | null, remote: "loopback" | "private") => {
    const daemon = new FakeDaemon()
    const { drive } = daemon
    const link = drive.nextLink()
    const path = { security, proved, remote, address: "192.168.1.52:40000" }
    drive.feed({ _tag: "LinkUp", link, attempt: null, nonce: `nonce-${link}`, exporter: null, path })
    drive.challenge(link)
    drive.connect(link, "b")
    return peer(daemon, "b").link
  }
  it("the key that TLS proved is the peer's: pinned", () => {
    assert.deepInclude(over("tls", id("b"), "private"), {
      security: "tls-pinned",
      remote: "private",
      dialledBy: "them",
      address: "192.168.1.52:40000"
    })
  })
  it("B16, B17: the link's label, and what was configured, in peers and in health", () => {
    const daemon = new FakeDaemon()
    const url = "wss://192.168.1.9:18789"
    const trusted = daemon.drive.node.config.trusted.map((device) => ({ ...device, address: url, label: "barn" }))
    daemon.drive.node = { ...daemon.drive.node, config: { ...daemon.drive.node.config, trusted } }
    const { drive } = daemon
    const link = drive.nextLink()
    const path = {
      security: "tls",
      proved: id("b"),
      remote: "private",
      address: "192.168.1.9:4000",
      certificateUntil: Date.UTC(2001, 0, 1)
    } as const
    drive.feed({ _tag: "LinkUp", link, attempt: null, nonce: `nonce-${link}`, exporter: null, path })
    drive.challenge(link)
    drive.connect(link, "b")
    for (const shown of [peer(daemon, "b"), Views.health(daemon).links.find((each) => each.id === id("b"))!]) {
      const certificateUntil = "2001-01-01T00:00:00.000Z"
      assert.deepInclude(shown.link, { label: "barn", security: "tls-pinned", certificateUntil })
      assert.deepInclude(shown.configured, { url, label: "barn" })
    }
    assert.isNull(Views.health(daemon).links.find((each) => each.id === id("d"))!.link)
  })
  it("plain on loopback is said to be insecure", () => {
    assert.deepInclude(over("plain", null, "loopback"), { security: "insecure", remote: "loopback" })
  })
})

describe("what needs a look", () => {
  it("of a mesh that has just started: nothing", () => {
    const daemon = new FakeDaemon().settle()
    assert.deepStrictEqual(warnings(daemon), [])
    assert.isTrue(Views.health(daemon).healthy)
  })

  it("peers that were not met in half a minute, by whether there was anything to dial", () => {
    const daemon = new FakeDaemon().settle()
    daemon.drive.mono += 29_000
    assert.notInclude(warnings(daemon), "PEER_NOT_MET barn-laptop")
    daemon.drive.mono += 1_000
    assert.includeMembers(warnings(daemon), ["PEER_NOT_MET barn-laptop", "PEER_NOT_MET c"])
    assert.isFalse(Views.health(daemon).healthy)
  })

  it("a peer that does not trust us: with the command to give there", () => {
    const daemon = new FakeDaemon()
    const { drive } = daemon
    while (drive.contact("c").attempt === null) drive.ring()
    const link = drive.nextLink()
    drive.linkUp(drive.contact("c").attempt, link)
    drive.answerChallenge(link)
    const error = { code: "UNTRUSTED_PEER", message: "no" }
    drive.receive(link, { type: "res", id: "connect", ok: false, error })
    const warning = Views.status(daemon).warnings.find(({ code }) => code === "PEER_REFUSED")!
    assert.strictEqual(warning.about?.id, id("c"))
    assert.include(warning.hint, `clawmesh trust add ${id("a")} --role field`)
  })

  it("too few electors, and enough electors without a leader, are two things", () => {
    const alone = new FakeDaemon()
    assert.deepStrictEqual(warnings(alone), ["NO_QUORUM"])
    const leaderless = new FakeDaemon().settle()
    const { candidacyMaxMs, promiseMs } = profiles.lan
    leaderless.drive.mono += promiseMs
    assert.deepStrictEqual(warnings(leaderless), [], "an election takes its time")
    leaderless.drive.mono += promiseMs + candidacyMaxMs
    assert.include(warnings(leaderless), "NO_LEADER")
  })

  it("without electors nobody is to lead: no warning", () => {
    assert.deepStrictEqual(warnings(new FakeDaemon({ ...three, electors: "" })), [])
  })

  it("a recording that stopped, with why", () => {
    const daemon = new FakeDaemon().settle()
    daemon.recordingStopped = "cannot write recording/00000002.jsonl: the disk is full"
    assert.deepStrictEqual(warnings(daemon), ["RECORDING_STOPPED"])
    assert.match(Views.status(daemon).warnings[0]!.text, /nothing is recorded since: cannot write .*the disk is full/u)
  })

  it("discovery that was to run and does not; not one that is switched off", () => {
    const daemon = new FakeDaemon().settle()
    daemon.found = { enabled: true, runs: false, why: "no network" }
    assert.deepStrictEqual(warnings(daemon), ["DISCOVERY_FAILED"])
    daemon.refusal = "cannot append to /x/journal: the disk is full: make room (ENOSPC)"
    assert.deepStrictEqual(warnings(daemon), ["DISK_REFUSES", "DISCOVERY_FAILED"])
    assert.isFalse(Views.health(daemon).healthy)
    daemon.refusal = null
    daemon.found = { enabled: false, runs: false, why: "switched off" }
    assert.deepStrictEqual(warnings(daemon), [])
  })
})
