/** A device joins by a code; nobody else does, whatever is said on the way (PROTOCOL.md part 19). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as fc from "fast-check"
import * as net from "node:net"
import { codeOf } from "../../../kernel/pairing/Code.ts"
import { drawCode, isProof, keyOf, prove } from "../../../adapters/pairing/Secret.ts"
import { impostor, joinAt, keysOf, makeHost, mesh, strangerAt, wiretap } from "./Ends.ts"

const heardByKernel = (inbox: Parameters<typeof Queue.size>[0]) => Queue.size(inbox)

const challengeText = (nonce = "n".repeat(43)): string =>
  JSON.stringify({ type: "pair.challenge", nonce, ...mesh, name: "laptop" })
const wrongKnock = JSON.stringify({
  type: "pair.knock",
  nonce: "n".repeat(43),
  name: "x",
  role: null,
  proof: "p".repeat(43)
})

describe("a code", () => {
  it("is worth a key that no other code is worth, and a proof is of one text", () => {
    const code = drawCode()
    assert.notStrictEqual(code, drawCode())
    const key = keyOf(code)
    assert.isTrue(isProof(key, "a", prove(key, "a")))
    assert.isFalse(isProof(key, "b", prove(key, "a")))
    assert.isFalse(isProof(keyOf(drawCode()), "a", prove(key, "a")))
    assert.isFalse(isProof(key, "a", ""))
    assert.strictEqual(
      keyOf(codeOf(new Uint8Array(10))).toString("hex"),
      "263d0c9c1f6cc8a3dcb358f6ea6d4a3733ddfd4cdc361e07763a6251a1082a60"
    )
  })
})

describe("a device that joins", () => {
  it.effect("is trusted in the role of its invite, by the key of its certificate, and trusts the inviter's", () =>
    Effect.gen(function* () {
      const { admitted, host, inbox, invite, port } = yield* makeHost()
      const { code, id } = invite()
      const came = yield* joinAt(port, 2, code)
      assert.strictEqual(came._tag, "Joined")
      if (came._tag !== "Joined") return
      assert.deepStrictEqual(came.grant.device, {
        id: keysOf(2).deviceId,
        name: "device-2",
        role: "field",
        may: ["actuator:pump-3"]
      })
      assert.strictEqual(came.grant.host.publicKey, keysOf(1).publicKey)
      assert.deepStrictEqual(
        admitted.map(({ deviceId, publicKey, role }) => ({ deviceId, publicKey, role })),
        [{ deviceId: keysOf(2).deviceId, publicKey: keysOf(2).publicKey, role: "field" }]
      )
      const [seen] = host.seen()
      assert.deepInclude(seen, { id, state: "taken", takenBy: keysOf(2).deviceId, name: "device-2", problem: null })
      assert.strictEqual(yield* heardByKernel(inbox), 0)
    })
  )

  it.effect("uses its code up: another device is told so, the same one is answered again", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      const { code } = invite()
      assert.strictEqual((yield* joinAt(port, 2, code))._tag, "Joined")
      assert.deepInclude(yield* joinAt(port, 3, code), { _tag: "Refused" })
      assert.strictEqual((yield* joinAt(port, 2, code))._tag, "Joined")
      assert.deepStrictEqual([...new Set(admitted.map(({ deviceId }) => deviceId))], [keysOf(2).deviceId])
    })
  )

  it.effect("is not answered again once it is trusted no longer", () =>
    Effect.gen(function* () {
      const { admitted, host, invite, port } = yield* makeHost()
      const { code } = invite()
      yield* joinAt(port, 2, code)
      host.revoked(keysOf(2).deviceId)
      assert.strictEqual((yield* joinAt(port, 2, code))._tag, "NoInvite")
      invite()
      const came = yield* joinAt(port, 2, code)
      assert.deepInclude(came, { _tag: "Refused" })
      if (came._tag === "Refused") assert.strictEqual(came.refusal.code, "USED")
      assert.lengthOf(admitted, 1)
    })
  )

  it.effect("finds nobody to ask before an invite, after its time, and after it was shut", () =>
    Effect.gen(function* () {
      const { admitted, clock, host, invite, port } = yield* makeHost()
      assert.strictEqual((yield* joinAt(port, 2, drawCode()))._tag, "NoInvite")
      const first = invite()
      clock.mono += 300_000
      assert.strictEqual((yield* joinAt(port, 2, first.code))._tag, "NoInvite")
      const second = invite()
      const late = yield* joinAt(port, 2, first.code)
      assert.deepInclude(late, { _tag: "Refused" })
      if (late._tag === "Refused") assert.strictEqual(late.refusal.code, "EXPIRED")
      host.shut()
      assert.strictEqual((yield* joinAt(port, 2, second.code))._tag, "NoInvite")
      assert.deepStrictEqual(admitted, [])
    })
  )

  it.effect("shows its code to nobody but the device and the mesh that it was told", () =>
    Effect.gen(function* () {
      const { admitted, invite, notes, port } = yield* makeHost()
      const { code } = invite()
      assert.strictEqual((yield* joinAt(port, 2, code, { host: "00" }))._tag, "Stranger")
      assert.strictEqual((yield* joinAt(port, 2, code, { meshName: "another" }))._tag, "Stranger")
      assert.deepStrictEqual(admitted, [])
      assert.lengthOf(notes, 1)
    })
  )

  it.effect("is told when it cannot be trusted, and is not", () =>
    Effect.gen(function* () {
      const { clock, host, invite, port } = yield* makeHost()
      clock.full = true
      const came = yield* joinAt(port, 2, invite().code)
      assert.deepInclude(came, { _tag: "Refused" })
      assert.strictEqual(host.seen()[0]?.problem, "the name is taken")
    })
  )

  it.effect("is told what does not answer", () =>
    Effect.gen(function* () {
      const { port } = yield* makeHost()
      const nobody = yield* joinAt(1, 2, drawCode())
      assert.deepStrictEqual(nobody, { _tag: "Unreachable", why: "nobody listens there", knocked: false })
      const { port: silent } = yield* impostor(9, () => () => {})
      assert.notStrictEqual(silent, port)
    })
  )
})

describe("somebody in between", () => {
  it.effect("who carries bytes learns neither the code nor a key that is worth anything", () =>
    Effect.gen(function* () {
      const { invite, port } = yield* makeHost()
      const { code } = invite()
      const tap = yield* wiretap(port)
      assert.strictEqual((yield* joinAt(tap.port, 2, code))._tag, "Joined")
      const seen = tap.seen()
      for (const secret of [code, code.replaceAll("-", ""), keyOf(code), "pair.knock", "actuator:pump-3"])
        assert.isFalse(seen.includes(secret), String(secret))
    })
  )

  it.effect("who relays what both say, with keys of its own, is believed by neither", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      const { code } = invite()
      const towardsHost = yield* strangerAt(port, 9)
      const man = yield* impostor(9, (say) => {
        void towardsHost.message(1).then((challenge) => challenge !== null && say(challenge))
        return (knock) => {
          towardsHost.say(knock)
          void towardsHost.message(2).then((answer) => answer !== null && say(answer))
        }
      })
      const came = yield* joinAt(man.port, 2, code)
      assert.strictEqual(came._tag, "Refused")
      assert.deepStrictEqual(admitted, [])
      assert.lengthOf(man.heard, 1)
      // It spent one of three, and the device joins by the same code where nobody stands in between.
      assert.strictEqual((yield* joinAt(port, 2, code))._tag, "Joined")
      assert.deepStrictEqual(
        admitted.map(({ deviceId }) => deviceId),
        [keysOf(2).deviceId]
      )
    })
  )

  it.effect("who lets nobody in makes up no welcome", () =>
    Effect.gen(function* () {
      const { host } = yield* makeHost()
      const { code } = host.invite({ name: null, role: "field", may: [] }, 1_000)!
      const man = keysOf(9)
      const grant = JSON.stringify({
        version: 1,
        device: { id: keysOf(2).deviceId, name: "x", role: "field", may: [] },
        host: { id: man.deviceId, name: "x", role: "planner", publicKey: man.publicKey },
        mesh: { id: mesh.meshId, key: mesh.meshKey, name: null },
        electors: [],
        manifestVersion: 1,
        profile: "lan"
      })
      for (const proof of ["p".repeat(43), prove(keyOf(drawCode()), grant)]) {
        const { port } = yield* impostor(9, (say) => {
          say(challengeText())
          return () => say(JSON.stringify({ type: "pair.welcome", grant, proof }))
        })
        assert.strictEqual((yield* joinAt(port, 2, code))._tag, "Stranger")
      }
      // Nor does it give the device its own proof back.
      const { port } = yield* impostor(9, (say) => {
        say(challengeText())
        return (knock) =>
          say(JSON.stringify({ type: "pair.welcome", grant, proof: (JSON.parse(knock) as { proof: string }).proof }))
      })
      assert.strictEqual((yield* joinAt(port, 2, code))._tag, "Stranger")
    })
  )

  it.effect("who replays a knock that it heard is wrong, at the same host and with the same nonces", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      const { code } = invite()
      const first = yield* strangerAt(port, 9)
      const challenge = yield* Effect.promise(() => first.message(1))
      const man = yield* impostor(9, (say) => {
        say(challenge!)
        return () => {}
      })
      yield* Effect.forkChild(joinAt(man.port, 2, code))
      yield* Effect.promise(async () => {
        while (man.heard.length === 0) await new Promise((done) => setTimeout(done, 5))
      })
      first.say(man.heard[0]!)
      assert.include(yield* Effect.promise(() => first.message(2)), "WRONG_CODE")
      assert.deepStrictEqual(admitted, [])
    })
  )

  it.effect("who alters what it carries only ends the connection", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      const { code } = invite()
      const server = net.createServer((socket) => {
        const on = net.connect({ host: "127.0.0.1", port })
        socket.on("error", () => on.destroy())
        on.on("error", () => socket.destroy())
        let carried = 0
        socket.on("data", (chunk: Buffer) => {
          carried += chunk.length
          if (carried > 1_200) chunk[chunk.length - 1]! ^= 1
          on.write(chunk)
        })
        on.pipe(socket)
        socket.on("close", () => on.destroy())
        on.on("close", () => socket.destroy())
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))),
        () => Effect.sync(() => void server.close())
      )
      const came = yield* joinAt((server.address() as net.AddressInfo).port, 2, code)
      assert.strictEqual(came._tag, "Unreachable")
      assert.deepStrictEqual(admitted, [])
    })
  )
})

describe("a guesser", () => {
  it.effect("is shut out at the third guess, and with it everybody, the right code included", () =>
    Effect.gen(function* () {
      const { admitted, host, invite, notes, port } = yield* makeHost()
      const { code } = invite()
      const left: Array<number> = []
      for (let n = 0; n < 3; n++) {
        const came = yield* joinAt(port, 9, drawCode())
        if (came._tag === "Refused") left.push(came.refusal.left)
      }
      assert.deepStrictEqual(left, [2, 1, 0])
      assert.strictEqual((yield* joinAt(port, 9, drawCode()))._tag, "NoInvite")
      assert.strictEqual((yield* joinAt(port, 2, code))._tag, "NoInvite")
      assert.strictEqual(host.seen()[0]?.state, "shut")
      assert.include(notes.at(-1), "the third")
      assert.deepStrictEqual(admitted, [])
    })
  )

  it.effect("gets one guess a connection", () =>
    Effect.gen(function* () {
      const { invite, port } = yield* makeHost()
      invite()
      const stranger = yield* strangerAt(port, 9)
      yield* Effect.promise(() => stranger.message(1))
      for (let n = 0; n < 5; n++) stranger.say(wrongKnock)
      assert.strictEqual(yield* Effect.promise(() => stranger.ended), "1000")
      assert.lengthOf(stranger.heard, 2)
      assert.include(stranger.heard[1], '"left":2')
    })
  )
})

describe("a stranger", () => {
  it.effect("is turned away where nobody is invited, and the kernel hears nothing of it", () =>
    Effect.gen(function* () {
      const { inbox, port } = yield* makeHost()
      const stranger = yield* strangerAt(port, 9)
      assert.strictEqual(yield* Effect.promise(() => stranger.ended), "403")
      assert.strictEqual(yield* heardByKernel(inbox), 0)
    })
  )

  it.effect("without a certificate, with no knock, or with too much of it is told nothing", () =>
    Effect.gen(function* () {
      const { host, inbox, invite, port } = yield* makeHost()
      invite()
      const nobody = yield* strangerAt(port, null)
      assert.strictEqual(yield* Effect.promise(() => nobody.ended), "1008")
      assert.lengthOf(nobody.heard, 0)
      for (const [text, code] of [
        ["{", "1007"],
        ["{}", "1007"],
        [JSON.stringify({ type: "req", id: "1", method: "mesh.status", params: {} }), "1007"],
        [" ".repeat(40_000), "1009"]
      ] as const) {
        const stranger = yield* strangerAt(port, 9)
        yield* Effect.promise(() => stranger.message(1))
        stranger.say(text)
        assert.strictEqual(yield* Effect.promise(() => stranger.ended), code)
        assert.lengthOf(stranger.heard, 1)
      }
      // Nothing of this was a guess.
      assert.strictEqual(host.seen()[0]?.state, "open")
      assert.strictEqual(yield* heardByKernel(inbox), 0)
    })
  )

  it.effect("is let in by nothing that it makes up, whatever that is", () =>
    Effect.gen(function* () {
      const { admitted, host, invite, port } = yield* makeHost()
      const text = fc.oneof(fc.string({ maxLength: 50 }), fc.constantFrom("n".repeat(43), "field", "pair.knock"))
      const knocks = fc.oneof(
        fc.json(),
        fc.record(
          {
            type: fc.constantFrom("pair.knock", "pair.welcome", "pair.challenge"),
            nonce: fc.oneof(text, fc.constant("n".repeat(43))),
            name: text,
            role: fc.oneof(text, fc.constantFrom(null, "field")),
            proof: fc.oneof(text, fc.stringMatching(/^[\w-]{43}$/), fc.constant("p".repeat(43)))
          },
          { requiredKeys: ["type"] }
        )
      )
      for (const said of fc.sample(knocks, 60)) {
        host.shut()
        invite()
        const stranger = yield* strangerAt(port, 9)
        yield* Effect.promise(() => stranger.message(1))
        stranger.say(typeof said === "string" ? said : JSON.stringify(said))
        assert.oneOf(yield* Effect.promise(() => stranger.ended), ["1000", "1007"])
        assert.notInclude(stranger.heard[1] ?? "", "pair.welcome")
      }
      assert.deepStrictEqual(admitted, [])
    })
  )

  it.effect("who says nothing is cut off in time, and eight of them keep a ninth waiting for no longer", () =>
    Effect.gen(function* () {
      const { counts, invite, port } = yield* makeHost({ openingMs: 400 })
      invite()
      const silent = yield* Effect.forEach(Array.from({ length: 8 }), () => strangerAt(port, 9))
      yield* Effect.promise(() => Promise.all(silent.map((stranger) => stranger.message(1))))
      const ninth = yield* strangerAt(port, 9)
      assert.strictEqual(yield* Effect.promise(() => ninth.ended), "503")
      yield* Effect.promise(() => Promise.all(silent.map(({ ended }) => ended)))
      assert.strictEqual(counts().late, 8)
      const tenth = yield* strangerAt(port, 9)
      assert.isNotNull(yield* Effect.promise(() => tenth.message(1)))
    })
  )
})
