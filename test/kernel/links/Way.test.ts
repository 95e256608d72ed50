/** Label and posture of a link, as configured and as negotiated, wherever they show (B16, B17), and the policy on both ways in (C35). */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Trusted } from "../../../kernel/Config.ts"
import type { LinkPath } from "../../../kernel/Input.ts"
import * as Way from "../../../kernel/links/Way.ts"
import { peers } from "../../../kernel/status/Status.ts"
import { configOf, Drive, id, notes, type World } from "../drive.ts"

const two: World = { roles: { a: "field", b: "field" } }
const near: LinkPath = { security: "tls", proved: id("b"), remote: "private", address: "192.168.1.9:40000" }
const plain: LinkPath = { ...near, security: "plain", proved: null }
const fingerprint = "ab".repeat(32)

const trusting = (how: Partial<Trusted>): Drive => {
  const config = configOf(two, "a")
  const drive = new Drive({ ...config, trusted: config.trusted.map((device) => ({ ...device, gen1: false, ...how })) })
  drive.start()
  return drive
}
const sight = (drive: Drive) =>
  drive.feed({ _tag: "Sighted", deviceId: id("b"), name: "b", addresses: ["192.168.1.9:18789"], gen: 1 })

/** b dials a over `path`; the events about links that a tells, each with its label and posture. */
const comesIn = (drive: Drive, path: LinkPath, kernel = true) => {
  const link = drive.nextLink()
  const opened = drive.feed({ _tag: "LinkUp", link, attempt: null, nonce: `nonce-${link}`, exporter: null, path })
  drive.challenge(link)
  return { link, told: told([...opened, ...drive.connect(link, "b", { kernel })]) }
}
/** a dials b, which answers over `path`. */
const goesOut = (drive: Drive, path: LinkPath) => {
  const before: Array<Command> = []
  while (drive.contact("b").attempt === null) before.push(...drive.ring())
  const link = drive.nextLink()
  const attempt = drive.contact("b").attempt
  const up = drive.feed({ _tag: "LinkUp", link, attempt, nonce: `nonce-${link}`, exporter: null, path })
  const login = drive.answerChallenge(link)
  return { link, told: told([...before, ...up, ...drive.answerLogin(link, "b", {}, login)]) }
}
const told = (commands: Parameters<typeof notes>[0]): ReadonlyArray<string> =>
  notes(commands)
    .filter(({ event }) => /^(?:peer\.dial|peer\.connect|peer\.disconnect|connection\.refused)$/u.test(event))
    .map(({ code, event, label, posture }) => [event, code, label ?? "-", posture ?? "-"].filter(Boolean).join(" "))
const shown = (drive: Drive) => {
  const { transportLabel, transportPosture } = peers(drive.node, drive.mono)[0]!
  return [transportLabel, transportPosture]
}

describe("B16, B17: what a link is called", () => {
  it("a dial of a configured address: by its label, as configured; the session as negotiated; its end as well", () => {
    const drive = trusting({ address: "wss://192.168.1.9:18789", label: "Barn" })
    const { link, told: events } = goesOut(drive, near)
    assert.deepStrictEqual(events, ["peer.dial Barn tls-pinned", "peer.connect Barn tls-pinned"])
    assert.deepStrictEqual(shown(drive), ["Barn", "tls-pinned"])
    const gone = drive.feed({ _tag: "LinkDown", link, reason: "closed" })
    assert.include(told(gone), "peer.disconnect Barn tls-pinned")
    assert.deepStrictEqual(shown(drive), [undefined, undefined])
  })
  it("what discovery found is mdns, whoever dialled", () => {
    const out = trusting({ address: null })
    sight(out)
    assert.deepStrictEqual(goesOut(out, near).told, ["peer.dial mdns tls-pinned", "peer.connect mdns tls-pinned"])
    const into = trusting({ address: null })
    sight(into)
    assert.deepStrictEqual(comesIn(into, near).told, ["peer.connect mdns tls-pinned"])
    assert.deepStrictEqual(shown(into), ["mdns", "tls-pinned"])
  })
  it("a link from outside that nobody knows a label of has none; that of a configured device has its label", () => {
    assert.deepStrictEqual(comesIn(trusting({ address: null }), near).told, ["peer.connect - tls-pinned"])
    const labelled = trusting({ address: "wss://192.168.1.9:18789", label: "barn" })
    assert.deepStrictEqual(comesIn(labelled, near).told, ["peer.connect barn tls-pinned"])
  })
  it("in the simulator, where nothing lies between the two ends, there is nothing to call it by", () => {
    const drive = Drive.up(two, "a")
    drive.meet("b")
    assert.deepStrictEqual(shown(drive), [undefined, undefined])
  })
  it("as configured: label and posture, before anything is dialled", () => {
    const device = (how: Partial<Trusted>): Trusted => ({
      ...configOf(two, "a").trusted[0]!,
      gen1: true,
      address: "wss://farm.example",
      ...how
    })
    assert.isNull(Way.configured(device({ address: null })))
    assert.deepInclude(Way.configured(device({ label: "relay" })), { label: "relay", posture: "tls-unpinned" })
    assert.deepInclude(Way.configured(device({ fingerprint })), { label: null, posture: "tls-pinned" })
    assert.deepInclude(Way.configured(device({ address: "ws://10.0.0.1" })), { posture: "insecure" })
    assert.deepInclude(Way.configured(device({ gen1: false })), { posture: "tls-pinned" })
  })
  it("a refusal names the way that it was on", () => {
    const drive = trusting({ address: "wss://192.168.1.9:18789", label: "barn" })
    while (drive.contact("b").attempt === null) drive.ring()
    const failed = drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "pin mismatch" })
    assert.deepStrictEqual(told(failed), ["connection.refused PIN_MISMATCH barn tls-pinned"])
    assert.deepStrictEqual(comesIn(trusting({}), plain).told, ["connection.refused INSECURE_TRANSPORT - insecure"])
  })
})

describe("C35: the policy holds on both ways in", () => {
  it("a label that is not local makes a link WAN also when the device dials us", () => {
    const gen1 = { gen1: true, address: "wss://10.0.0.9:18789", fingerprint }
    assert.deepStrictEqual(comesIn(trusting({ ...gen1, label: "lan" }), plain, false).told, [
      "peer.connect lan insecure"
    ])
    assert.deepStrictEqual(comesIn(trusting({ ...gen1, label: " Relay" }), plain, false).told, [
      "connection.refused INSECURE_TRANSPORT  Relay insecure"
    ])
    assert.deepStrictEqual(comesIn(trusting({ ...gen1, label: "relay" }), { ...near, proved: null }, false).told, [
      "connection.refused UNPINNED_TRANSPORT relay tls-unpinned"
    ])
  })
  it("TLS that was asked for and not given is refused, whatever the transport says of it", () => {
    const drive = trusting({ address: "wss://127.0.0.1:18789" })
    const { told: events } = goesOut(drive, { ...plain, remote: "loopback" })
    assert.strictEqual(events.at(-1), "connection.refused INSECURE_TRANSPORT - insecure")
    assert.strictEqual(drive.contact("b").refused, "INSECURE_TRANSPORT")
  })
  it("P3.10: a refusal by the policy is a lasting one: shown, and dialled again after five minutes", () => {
    const drive = trusting({ address: "wss://192.168.1.9:18789" })
    const { told: events } = goesOut(drive, { ...near, proved: id("c") })
    assert.strictEqual(events.at(-1), "connection.refused PIN_MISMATCH - tls-unpinned")
    assert.strictEqual(drive.contact("b").refused, "PIN_MISMATCH")
    assert.isFalse(drive.pass(299_000).some(({ _tag }) => _tag === "Dial"))
    assert.isTrue(drive.pass(2_000).some(({ _tag }) => _tag === "Dial"))
  })
})
