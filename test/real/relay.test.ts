/**
 * Somebody in the middle of real daemons: a wrong key where a peer should be, TLS taken apart on the way, a trusted device that
 * carries the handshakes of others, a recorded login (B5, B10, B16 to B19; S7; PROTOCOL.md parts 1, 5 and 9).
 */
import { X509Certificate } from "node:crypto"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { fingerprintOf } from "../../adapters/tls/Pin.ts"
import { blindWire, countingServer, manInTheMiddle } from "../adapters/ws/Wire.ts"
import { Insider, type Line, nonce } from "./Insider.ts"
import { Site } from "./harness.ts"

const url = (port: number): string => `wss://127.0.0.1:${port}`

let scope: Scope.Closeable
let insiders: Array<Insider> = []
let site: Site | null = null
beforeEach(() => {
  scope = Scope.makeUnsafe()
})
afterEach(async () => {
  await site?.close()
  site = null
  for (const insider of insiders) insider.close()
  insiders = []
  await Effect.runPromise(Scope.close(scope, Exit.void))
})

/** Until the test ends. */
const held = <A>(effect: Effect.Effect<A, never, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Scope.provide(effect, scope))

const insider = async (): Promise<Insider> => {
  const made = await Insider.make()
  insiders.push(made)
  return made
}

/** a and b, neither of whom has an address of the other. */
const strangers = async (): Promise<Site> => {
  site = await Site.make({ a: "planner", b: "field" })
  site.reach("a", "b", null)
  site.reach("b", "a", null)
  return site
}

const refusedAt = async (at: Site, name: string, peer: string): Promise<string | null> =>
  (await at.status(name)).peers.find(({ id }) => id === peer)?.refused ?? null

/** What an operator of `name` finds of a peer that is refused: in `clawmesh peers`, in the warnings, and in the log. */
const showsRefusal = async (at: Site, name: string, peer: string, code: string): Promise<void> => {
  await at.eventually(`${name} shows ${code}`, async () => (await refusedAt(at, name, peer)) === code)
  const { peers } = JSON.parse(at.clawmesh(name, "peers", "--json")) as {
    readonly peers: ReadonlyArray<{ readonly id: string; readonly refused: string | null; readonly link: unknown }>
  }
  const shown = peers.find(({ id }) => id === peer)!
  assert.deepStrictEqual([shown.refused, shown.link], [code, null])
  const { refusals, warnings } = await at.status(name)
  assert.isAtLeast(refusals[code] ?? 0, 1)
  assert.include(warnings.find(({ about }) => about?.id === peer)?.text ?? "", code)
  const log = at.place(name).output.split("\n")
  assert.isTrue(
    log.some((line) => line.includes("connection.refused") && line.includes(code)),
    `no line of the log says ${code}:\n${log.join("\n")}`
  )
}

/** It never had a session with it. */
const neverMet = async (at: Site, name: string, peer: string): Promise<void> => {
  const found = (await at.status(name)).peers.find(({ id }) => id === peer)!
  assert.deepStrictEqual([found.state, found.link, found.incarnation], ["unknown", null, 0])
  const met = (await at.events(name, "peer.connect")).filter(({ about }) => about === peer)
  assert.deepStrictEqual(met, [])
}

describe("a pin that does not fit", () => {
  it("another key answers where a kernel peer should: its server sees not one byte, and the operator is told (B19)", async () => {
    const two = await strangers()
    const mallory = await insider()
    const { port, seen } = await held(
      countingServer(
        { key: mallory.credentials.key, cert: mallory.credentials.certificate, minVersion: "TLSv1.3" },
        () => {}
      )
    )
    two.reach("a", "b", url(port))
    await two.start("a", "b")
    await two.trustEverybody()
    await showsRefusal(two, "a", two.place("b").deviceId, "PIN_MISMATCH")
    assert.isAtLeast(seen.connections, 1)
    assert.strictEqual(seen.bytes, 0)
    await neverMet(two, "a", two.place("b").deviceId)
  }, 60_000)

  it("another certificate than the fingerprint of a generation 1 peer: the same; with its own, it is spoken to (B16, B19)", async () => {
    site = await Site.make({ a: "planner" })
    const [wrong, right] = [await insider(), await insider()]
    const certificateOf = ({ credentials }: Insider) => ({ key: credentials.key, cert: credentials.certificate })
    const lied = await held(countingServer(certificateOf(wrong), () => {}))
    const spoke = await held(countingServer(certificateOf(right), () => {}))
    const fingerprint = fingerprintOf(new X509Certificate(right.credentials.certificate))
    // Generation 1 certificates have keys of their own: the ids of the peers are those of neither server.
    const [one, other] = ["1".repeat(64), "2".repeat(64)]
    site.knows("a", `${one}=${url(lied.port)}|${fingerprint}|lan`)
    site.knows("a", `${other}=${url(spoke.port)}|${fingerprint}|lan`)
    await site.start("a")
    for (const id of [one, other]) await site.trust("a", { id, role: "field", gen1: true })
    await showsRefusal(site, "a", one, "PIN_MISMATCH")
    assert.isAtLeast(lied.seen.connections, 1)
    assert.strictEqual(lied.seen.bytes, 0)
    // The count counts: behind the right certificate the upgrade arrives.
    await site.eventually("the right server is spoken to", async () => spoke.seen.bytes > 0)
    assert.strictEqual(await refusedAt(site, "a", other), null)
  }, 60_000)
})

describe("a wire between two daemons", () => {
  it("taken apart with a key of its own: refused from either side, zero bytes both ways (B19)", async () => {
    const two = await strangers()
    const mallory = await insider()
    const towardsB = await held(manInTheMiddle(mallory.credentials, two.place("b").port, () => {}))
    const towardsA = await held(manInTheMiddle(mallory.credentials, two.place("a").port, () => {}))
    two.reach("a", "b", url(towardsB.port))
    two.reach("b", "a", url(towardsA.port))
    await two.start("a", "b")
    await two.trustEverybody()
    for (const [name, peer] of [
      ["a", "b"],
      ["b", "a"]
    ] as const) {
      await showsRefusal(two, name, two.place(peer).deviceId, "PIN_MISMATCH")
      await neverMet(two, name, two.place(peer).deviceId)
    }
    for (const { seen } of [towardsA, towardsB]) {
      assert.isAtLeast(seen.connections, 1)
      assert.strictEqual(seen.bytes, 0)
    }
  }, 60_000)

  it("that only carries bytes is a wire: the daemons meet over it, pinned, and it reads none of it (B16, B17)", async () => {
    const two = await strangers()
    const wire = await held(blindWire(two.place("b").port))
    two.reach("a", "b", url(wire.port))
    await two.start("a", "b")
    await two.trustEverybody()
    for (const [name, peer] of [
      ["a", "b"],
      ["b", "a"]
    ] as const) {
      await two.until(name, `has ${peer} up`, ({ peers }) => peers[peer] === "up")
      const { link } = (await two.status(name)).peers[0]!
      assert.strictEqual(link?.security, "tls-pinned")
    }
    const carried = wire.carried()
    assert.isAbove(carried.length, 2_000)
    for (const word of ["mesh.", "Upgrade", two.place("a").deviceId]) assert.notInclude(carried, word)
  }, 60_000)
})

/** a, b, and m, whose key the test holds: both trust it, and a dials it. */
const withInsider = async (onLine: (line: Line) => void) => {
  const two = await strangers()
  const m = await insider()
  const port = await m.listen(onLine)
  two.knows("a", `${m.deviceId}=${url(port)}`)
  await two.start("a", "b")
  await two.trustEverybody()
  for (const name of ["a", "b"]) await two.trust(name, { id: m.deviceId, role: "field", name: "m" })
  const { deviceId: a } = two.place("a")
  const { deviceId: b, port: portOfB } = two.place("b")
  const exchange = { direction: "client", audience: b, exporter: "", clientNonce: nonce(), ...two.mesh() } as const
  return { two, m, a, b, portOfB, exchange }
}

/** Lines as they come, each taken once. */
const lines = () => {
  const come: Array<Line> = []
  const waiting: Array<(line: Line) => void> = []
  return {
    onLine: (line: Line): void => {
      const taker = waiting.shift()
      if (taker === undefined) come.push(line)
      else taker(line)
    },
    next: (): Promise<Line> => {
      const line = come.shift()
      return line === undefined ? new Promise((take) => waiting.push(take)) : Promise.resolve(line)
    }
  }
}

const codeOf = (answer: Awaited<ReturnType<Line["ask"]>>): string => (answer.ok ? "ok" : answer.error.code)

describe("a trusted device that carries handshakes", () => {
  it("the login of a that m got a to sign is no login of a's at b, however m dresses (B10, S7, P9.2)", async () => {
    const dials = lines()
    const { a, b, m, portOfB, two, exchange } = await withInsider(dials.onLine)
    const outcomes: Array<readonly [string, string, number]> = []
    for (const how of ["dressed", "bare", "plain"] as const) {
      // a dials m, as it should; m has b's nonce signed, and carries what a says to b, byte for byte.
      const fromA = await dials.next()
      const challenge = await fromA.request("mesh.challenge")
      const toB = await m.dial(portOfB, how)
      fromA.send({ type: "res", id: challenge.id, ok: true, payload: { nonce: await toB.challenge() } })
      const login = await fromA.request("mesh.connect")
      assert.strictEqual((login.params as { readonly deviceId: string }).deviceId, a)
      const answer = await toB.ask("mesh.connect", login.params)
      outcomes.push([how, codeOf(answer), await toB.end()])
      fromA.hangup()
    }
    assert.deepStrictEqual(outcomes, [
      // In TLS the key of the certificate has to be that of the login: only who has it gets as far as the signatures.
      ["dressed", "PIN_MISMATCH", 1008],
      ["bare", "PIN_MISMATCH", 1008],
      // Without TLS nothing is proved by it; the login names m as its audience, and the exporter of another connection.
      ["plain", "AUTH_FAILED", 1008]
    ])
    const told = (await two.events("b", "connection.refused")).filter(({ about }) => about === a)
    assert.deepStrictEqual(
      told.map(({ code }) => code),
      ["PIN_MISMATCH", "PIN_MISMATCH", "AUTH_FAILED"]
    )
    await neverMet(two, "b", a)
    await neverMet(two, "a", b)
    // m's own login is good in every dress: it was not the way in that was refused.
    for (const how of ["dressed", "plain"] as const) {
      const line = await m.dial(portOfB, how)
      const { exporter } = line
      const own = m.hello({ ...exchange, exporter, serverNonce: await line.challenge() })
      assert.strictEqual(codeOf(await line.ask("mesh.connect", own)), "ok", how)
    }
  }, 60_000)

  it("a login is good on the TLS connection that it was signed for, and on no other (P9.2)", async () => {
    const { a, m, portOfB, exchange } = await withInsider(() => {})
    const attempt = async (
      sign: (line: Line, other: Line) => { readonly exporter?: string; readonly audience?: string }
    ) => {
      const [line, other] = [await m.dial(portOfB), await m.dial(portOfB)]
      const serverNonce = await line.challenge()
      const answer = await line.ask("mesh.connect", m.hello({ ...exchange, serverNonce, ...sign(line, other) }))
      other.hangup()
      return [codeOf(answer), answer.ok ? null : await line.end()]
    }
    // Everything fits but the one thing.
    assert.deepStrictEqual(await attempt((_, other) => ({ exporter: other.exporter })), ["AUTH_FAILED", 1008])
    assert.deepStrictEqual(await attempt(() => ({ exporter: "" })), ["AUTH_FAILED", 1008])
    assert.deepStrictEqual(await attempt(({ exporter }) => ({ exporter, audience: a })), ["AUTH_FAILED", 1008])
    assert.deepStrictEqual(await attempt(({ exporter }) => ({ exporter })), ["ok", null])
  }, 60_000)

  it("the answer that b gave to m makes no b of m: a refuses it (P5.8)", async () => {
    const dials = lines()
    const { b, m, portOfB, two, exchange } = await withInsider(dials.onLine)
    const fromA = await dials.next()
    const challenge = await fromA.request("mesh.challenge")
    fromA.send({ type: "res", id: challenge.id, ok: true, payload: { nonce: nonce() } })
    const login = await fromA.request("mesh.connect")
    // m logs in at b as itself, with the nonce of a, so that b signs for that.
    const toB = await m.dial(portOfB)
    const { exporter } = toB
    const { clientNonce } = login.params as { readonly clientNonce: string }
    const own = m.hello({ ...exchange, exporter, clientNonce, serverNonce: await toB.challenge() })
    const answer = await toB.ask("mesh.connect", own)
    assert.isTrue(answer.ok)
    fromA.send({ ...answer, id: login.id })
    assert.strictEqual(await fromA.end(), 1008)
    const refused = (await two.events("a", "connection.refused")).filter(({ about }) => about === m.deviceId)
    assert.deepStrictEqual([refused[0]?.code, refused[0]?.reason], ["AUTH_FAILED", "another device answered"])
    await neverMet(two, "a", b)
    await neverMet(two, "a", m.deviceId)
  }, 60_000)
})

describe("a recorded login", () => {
  it("sent again, on its own connection or another, is refused with its code (P5.1, P8.1)", async () => {
    const dials = lines()
    const { a, m, portOfB, two, exchange } = await withInsider(dials.onLine)
    const first = await m.dial(portOfB)
    const { exporter } = first
    const recorded = m.hello({ ...exchange, exporter, serverNonce: await first.challenge() })
    assert.strictEqual(codeOf(await first.ask("mesh.connect", recorded)), "ok")
    assert.strictEqual(codeOf(await first.ask("mesh.connect", recorded)), "NOT_AUTHORIZED")
    for (const asks of [true, false]) {
      const line = await m.dial(portOfB)
      if (asks) await line.challenge()
      assert.strictEqual(codeOf(await line.ask("mesh.connect", recorded)), "AUTH_NONCE_INVALID", `asks: ${asks}`)
      assert.strictEqual(await line.end(), 1008)
    }
    // The session that the recording was taken from is untouched.
    assert.isTrue((await first.ask("mesh.status", {})).ok)

    // What a said to m, said to a itself: it trusts others, not itself.
    const fromA = await dials.next()
    const challenge = await fromA.request("mesh.challenge")
    const back = await m.dial(two.place("a").port)
    fromA.send({ type: "res", id: challenge.id, ok: true, payload: { nonce: await back.challenge() } })
    const login = await fromA.request("mesh.connect")
    assert.strictEqual(codeOf(await back.ask("mesh.connect", login.params)), "UNTRUSTED_PEER")
    assert.strictEqual(await back.end(), 1008)
    await neverMet(two, "b", a)
  }, 60_000)
})
