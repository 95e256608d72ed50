/** A relay and its devices: who is let in, what is refused with which code, what passes and what bounds it (PROTOCOL.md part 21). */
import { randomBytes } from "node:crypto"
import * as tls from "node:tls"
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import { grant, readGrant, refusesGrant, refusals } from "../../../adapters/relay/Protocol.ts"
import { credentialsOf } from "../../../adapters/tls/Certificate.ts"
import { deviceOf, endAll, eventually, keysOf, onEnd, relayOf, seedOf, strangerOf, TOKEN } from "./Meeting.ts"

afterEach(endAll)

const mesh = keysOf(77)

/** A request of our own, as this device; the code with which it is refused, or `open`. */
const asked = async (port: number, path: string, byte: number | null, headers = {}): Promise<string> => {
  const credentials = byte === null ? null : await Effect.runPromise(credentialsOf(seedOf(byte)))
  return new Promise((done, failed) => {
    const ws = new WebSocket(`wss://127.0.0.1:${port}${path}`, {
      headers,
      rejectUnauthorized: false,
      ...(credentials === null ? {} : { key: credentials.key, cert: credentials.certificate })
    })
    onEnd(() => ws.terminate())
    ws.once("open", () => done("open"))
    ws.once("unexpected-response", (_, response) => {
      let text = ""
      response.on("data", (chunk) => (text += chunk))
      response.on("end", () => {
        const code = String(response.headers["clawmesh-relay-code"])
        assert.include(text, refusals[code as keyof typeof refusals])
        done(code)
      })
    })
    ws.on("error", failed)
  })
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe("a grant", () => {
  const [relay, device] = [keysOf(1).deviceId, keysOf(2).deviceId]
  const good = grant(mesh, relay, device, 1_000)
  const refused = (text: string, at = 1_000, by = [mesh.publicKey]) => refusesGrant(text, relay, device, by, at)

  it("is good for one device at one relay until its time, from a mesh that is served", () => {
    assert.isNull(refused(good))
    assert.strictEqual(refused(good, 1_001), "GRANT_EXPIRED")
    assert.strictEqual(refused(good, 0, []), "GRANT_WRONG")
    assert.strictEqual(refused(good, 0, [keysOf(78).publicKey]), "GRANT_WRONG")
    assert.strictEqual(refused(grant(mesh, device, device, 1_000)), "GRANT_WRONG")
    assert.strictEqual(refused(grant(mesh, relay, relay, 1_000)), "GRANT_WRONG")
    assert.strictEqual(refused(good.replace(".1000.", ".9000.")), "GRANT_WRONG", "its time was altered")
    for (const text of ["", "x", `${good}.`, good.slice(1)]) assert.isNull(readGrant(text), text)
  })
})

describe("admission", () => {
  it("by token or grant, of a device that shows its key; each refusal has its code and a way out", async () => {
    const { port, relayId } = await relayOf(1, { meshKeys: [mesh.publicKey], limits: { devicesMax: 2 } })
    const device = keysOf(2).deviceId
    const granted = (untilMs: number) => ({ "clawmesh-grant": grant(mesh, relayId, device, untilMs) })
    assert.strictEqual(await asked(port, "/v1/control", null, bearer(TOKEN)), "NO_CERTIFICATE")
    assert.strictEqual(await asked(port, "/v1/control", 2), "CREDENTIAL_MISSING")
    assert.strictEqual(await asked(port, "/v1/control", 2, bearer("another-token")), "TOKEN_WRONG")
    assert.strictEqual(await asked(port, "/v1/control", 2, granted(Date.now() - 1)), "GRANT_EXPIRED")
    assert.strictEqual(await asked(port, "/v1/control", 3, granted(Date.now() + 60_000)), "GRANT_WRONG")
    assert.strictEqual(await asked(port, "/elsewhere", 2), "NO_SUCH_PATH")
    assert.strictEqual(await asked(port, `/v1/to/${device}`, 3), "NOT_REGISTERED")
    assert.strictEqual(await asked(port, "/v1/control", 2, granted(Date.now() + 60_000)), "open")
    assert.strictEqual(await asked(port, "/v1/control", 3, bearer(TOKEN)), "open")
    assert.strictEqual(await asked(port, "/v1/control", 4, bearer(TOKEN)), "RELAY_FULL")
    assert.strictEqual(await asked(port, "/v1/control", 3, bearer(TOKEN)), "open", "it has its place already")
    assert.strictEqual(await asked(port, `/v1/to/${keysOf(3).deviceId}`, 3), "TUNNEL_TO_ITSELF")
    assert.strictEqual(await asked(port, `/v1/to/${keysOf(9).deviceId}`, 3), "PEER_UNKNOWN")
    assert.strictEqual(await asked(port, "/v1/accept/nothing", 3), "TUNNEL_UNKNOWN")
  })

  it("is told to people once, with the way out, by the device that was refused", async () => {
    const place = await relayOf(1)
    const wrong = await deviceOf(2, [place], { token: "another-token-altogether" })
    await eventually("it is told", () => wrong.notes.length > 0)
    assert.match(wrong.notes[0]!, /TOKEN_WRONG: .*relay-token-file/u)
    assert.deepStrictEqual([wrong.notes.length, wrong.live()], [1, []])
  })

  it("a relay with another key is not spoken to: it sees no token, no path", async () => {
    const place = await relayOf(1)
    const said: Array<string> = []
    const { certificate, key } = await Effect.runPromise(credentialsOf(seedOf(5)))
    const impostor = tls.createServer({ key, cert: certificate, minVersion: "TLSv1.3" }, (socket) => {
      socket.on("error", () => {})
      socket.on("data", (chunk) => said.push(chunk.toString("latin1")))
    })
    await new Promise<void>((done) => impostor.listen(0, "127.0.0.1", done))
    onEnd(() => impostor.close())
    const { port } = impostor.address() as { port: number }
    const device = await deviceOf(2, [{ ...place, port }])
    await eventually("it is told", () => device.notes.length > 0)
    assert.match(device.notes[0]!, /PIN_MISMATCH: .*relay id/u)
    assert.deepStrictEqual(said, [])
  })

  it("what speaks something else is told as that, and nobody there as that", async () => {
    const { port } = await strangerOf((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"))
    const place = { relayId: keysOf(1).deviceId, host: "127.0.0.1" }
    const other = await deviceOf(2, [{ ...place, port }])
    await eventually("it is told", () => other.notes.length > 0)
    assert.match(other.notes[0]!, /NOT_A_RELAY: .*address and port/u)
    const gone = await relayOf(1)
    await gone.relay.close()
    const nobody = await deviceOf(3, [gone])
    await eventually("it is told", () => nobody.notes.length > 0)
    assert.match(nobody.notes[0]!, /UNREACHABLE: /u)
  })
})

describe("a tunnel", () => {
  const pair = async (limits = {}) => {
    const place = await relayOf(1, { limits })
    const [a, b] = [await deviceOf(2, [place]), await deviceOf(3, [place])]
    await eventually("both are registered", () => a.live().length === 1 && b.live().length === 1)
    return { place, a, b }
  }

  it("carries bytes both ways, in order, however slowly they are read, and ends at both ends", async () => {
    const { a, b } = await pair({ waitingBytesMax: 65_536 })
    const near = (await a.open(3))!
    await eventually("the other end came", () => b.taken.length === 1)
    const far = b.taken[0]!
    const sent = randomBytes(3_000_000)
    const got: Array<Buffer> = []
    far.on("data", (chunk: Buffer) => {
      got.push(chunk)
      if (got.length % 40 === 0) {
        far.pause()
        setTimeout(() => far.resume(), 5)
      }
    })
    for (let at = 0; at < sent.length; at += 16_384) near.write(sent.subarray(at, at + 16_384))
    await eventually("all came", () => got.reduce((sum, { length }) => sum + length, 0) === sent.length, 10_000)
    assert.isTrue(Buffer.concat(got).equals(sent))
    let back = ""
    near.on("data", (chunk: Buffer) => (back += chunk.toString()))
    far.write("there and back")
    await eventually("and back", () => back === "there and back")
    let ended = false
    far.once("close", () => (ended = true))
    near.destroy()
    await eventually("the end is known", () => ended)
  })

  it("one who does not read stops the sender, and is given up", async () => {
    const { a, b } = await pair({ waitingBytesMax: 65_536, drainMs: 200 })
    const near = (await a.open(3))!
    await eventually("the other end came", () => b.taken.length === 1)
    let ended = false
    near.once("close", () => (ended = true))
    near.resume()
    const piece = Buffer.alloc(65_536)
    for (let n = 0; n < 800; n++) near.write(piece)
    await eventually("it is given up", () => ended)
  })

  it("tunnels are counted, at both ends, and so are those that are opened", async () => {
    const { a, b } = await pair({ tunnelsMax: 2, openingsMax: 4 })
    const first = await a.open(3)
    assert.isNotNull(first)
    assert.isNotNull(await a.open(3))
    assert.isNull(await a.open(3))
    assert.isNull(await b.open(2))
    for (const tunnel of b.taken) tunnel.resume()
    first!.destroy()
    await eventually("one ended", () => b.taken.some(({ destroyed }) => destroyed))
    assert.isNotNull(await a.open(3))
    assert.isNull(await a.open(3), "five within a minute")
  })

  it("to nobody, to itself, or through a relay that is not there, is none", async () => {
    const { a, place } = await pair()
    assert.isNull(await a.open(9))
    assert.isNull(await a.open(2))
    await place.relay.close()
    await eventually("it is known", () => a.live().length === 0)
    assert.isNull(await a.open(3))
    assert.match(a.notes.at(-1)!, /CLOSED|UNREACHABLE/u)
  })
})
