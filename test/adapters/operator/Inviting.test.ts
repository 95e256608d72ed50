/** A device that knows a code is trusted as its invite says, by its key, or not at all (P19.4, P19.8, P19.9). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { admit, invite } from "../../../adapters/operator/Inviting.ts"
import { remove } from "../../../adapters/operator/Trusting.ts"
import { deviceIdOf } from "../../../adapters/keys/Keys.ts"
import { keysOf } from "../pairing/Ends.ts"
import { FakeDaemon } from "./FakeDaemon.ts"

const { deviceId, publicKey } = keysOf(2)
const guest = { deviceId, publicKey, name: "jetson-3", address: "10.0.0.7:40112" }
const terms = { key: Buffer.alloc(32), name: null, role: "field", may: ["actuator:pump-3"] } as const

const trustOf = (daemon: FakeDaemon) => daemon.drive.node.durable.trusted.find((entry) => entry.deviceId === deviceId)

describe("a device that is let in", () => {
  it.live("is trusted in that role, under the key of its certificate, and may move what was granted", () =>
    Effect.gen(function* () {
      const daemon = new FakeDaemon().settle()
      const granted = yield* admit(daemon, guest, terms)
      assert.strictEqual(deviceIdOf(publicKey), deviceId)
      assert.deepStrictEqual(trustOf(daemon), {
        deviceId,
        publicKey,
        role: "field",
        name: "jetson-3",
        gen1: false,
        may: ["actuator:pump-3"]
      })
      const { config } = daemon.drive.node
      assert.deepInclude(granted, {
        device: { id: deviceId, name: "jetson-3", role: "field", may: ["actuator:pump-3"] },
        host: { id: config.deviceId, name: config.displayName, role: config.role, publicKey: config.publicKey },
        mesh: { id: config.meshId, key: config.meshKey, name: "bhoomi" },
        electors: config.manifest.electors,
        manifestVersion: config.manifest.version
      })
    })
  )

  it.live("has the inviter's name for it, not its own", () =>
    Effect.gen(function* () {
      const daemon = new FakeDaemon().settle()
      yield* admit(daemon, { ...guest, name: "a" }, { ...terms, name: "pump house" })
      assert.strictEqual(trustOf(daemon)?.name, "pump house")
    })
  )

  it.live("is not, under a name that another one has, or that is none, or while the node takes no orders", () =>
    Effect.gen(function* () {
      for (const name of ["laptop-main", "a", "", "x\u001b[2J", "b".repeat(64)]) {
        const daemon = new FakeDaemon().settle()
        assert.deepInclude(yield* admit(daemon, { ...guest, name }, terms), { code: "AMBIGUOUS" })
        assert.isUndefined(trustOf(daemon))
      }
      const leaving = new FakeDaemon().settle()
      leaving.drive.feed({ _tag: "Leave", reason: "asked to stop" })
      assert.deepInclude(yield* admit(leaving, guest, terms), { code: "NOT_RUNNING" })
      assert.deepInclude(invite(leaving, { role: "field", name: null, may: [], forMs: 1_000 }), { code: "NOT_RUNNING" })
    })
  )

  it.live("and is trusted no longer after that is not let in again by the same code", () =>
    Effect.gen(function* () {
      const daemon = new FakeDaemon().settle()
      yield* admit(daemon, guest, terms)
      yield* remove(daemon, deviceId)
      assert.deepStrictEqual(daemon.revoked, [deviceId])
      assert.isUndefined(trustOf(daemon))
    })
  )

  it.live("that was let in before stays as it is", () =>
    Effect.gen(function* () {
      const daemon = new FakeDaemon().settle()
      yield* admit(daemon, guest, terms)
      const before = daemon.offered.length
      assert.deepInclude(yield* admit(daemon, guest, terms), { version: 1 })
      assert.lengthOf(daemon.offered, before)
    })
  )
})
