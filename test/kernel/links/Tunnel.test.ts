/** Ways through a relay, as the kernel knows them (PROTOCOL.md part 21; B16, B18, B21). */
import { assert, describe, it } from "@effect/vitest"
import * as Tunnel from "../../../kernel/links/Tunnel.ts"
import * as Way from "../../../kernel/links/Way.ts"
import { decide } from "../../../kernel/links/Policy.ts"
import type { Trusted } from "../../../kernel/Config.ts"
import { configOf, Drive, id, type World } from "../drive.ts"

const two: World = { roles: { a: "field", b: "field" } }
const RELAY_ID = "ef".repeat(32)
const via = Tunnel.tunnelOf(RELAY_ID)
const device: Trusted = {
  deviceId: id("b"),
  role: "field",
  gen1: false,
  publicKey: null,
  address: null,
  label: "lan"
}

const looking = (address: string | null): Drive => {
  const config = configOf(two, "a")
  const drive = new Drive({
    ...config,
    trusted: config.trusted.map((one) => ({ ...one, gen1: false, address, fingerprint: address && "ab".repeat(32) }))
  })
  drive.start()
  return drive
}

const sight = (drive: Drive, ...addresses: ReadonlyArray<string>) =>
  drive.feed({ _tag: "Sighted", deviceId: id("b"), name: "b", addresses, gen: 1 })

const nextDial = (drive: Drive) => {
  for (let n = 0; n < 50; n++) for (const command of drive.ring()) if (command._tag === "Dial") return command
  return undefined
}

const fail = (drive: Drive) =>
  drive.feed({ _tag: "DialFailed", attempt: drive.contact("b").attempt!, reason: "unreachable" })

describe("a way through a relay", () => {
  it("is `relay:` and a device id, and nothing else", () => {
    assert.strictEqual(Tunnel.relayOf(via), RELAY_ID)
    for (const text of ["relay:", `relay:${RELAY_ID}0`, RELAY_ID, "wss://relay:1", `RELAY:${RELAY_ID}`])
      assert.isFalse(Tunnel.isTunnel(text), text)
  })

  it("is tried after every direct address, also where it was told first", () => {
    const drive = looking(null)
    sight(drive, via)
    assert.strictEqual(nextDial(drive)?.address, via)
    fail(drive)
    sight(drive, "10.0.0.2:1", via)
    assert.deepStrictEqual(drive.contact("b").found, ["10.0.0.2:1", via])
    assert.strictEqual(nextDial(drive)?.address, "wss://10.0.0.2:1")
    fail(drive)
    assert.strictEqual(nextDial(drive)?.address, via)
  })

  it("takes turns with an address that the operator wrote, and the fingerprint is of that address only", () => {
    const drive = looking("wss://10.0.0.2:1")
    sight(drive, via)
    const dials = [0, 1, 2, 3].map(() => {
      const dial = nextDial(drive)
      fail(drive)
      return [dial?.address, dial?.fingerprint !== undefined]
    })
    assert.deepStrictEqual(dials, [
      ["wss://10.0.0.2:1", true],
      [via, false],
      ["wss://10.0.0.2:1", true],
      [via, false]
    ])
  })

  it("is called relay and judged as WAN, in both directions, whatever the device's own label says", () => {
    const path = { security: "tls", proved: id("b"), remote: "public", address: via } as const
    for (const dialledByUs of [true, false]) {
      assert.deepStrictEqual(Way.negotiated(device, { dialledByUs, path }, true), {
        label: "relay",
        posture: "tls-pinned"
      })
      const plain = Way.found(device, dialledByUs ? "out" : "in", { ...path, security: "plain", proved: null })
      assert.isFalse(decide(plain).allowed)
    }
    const planned = Way.planned({ ...device, gen1: true }, via, "lan")
    assert.isTrue("label" in planned && !decide(planned).allowed, "a device of generation 1 proves nothing there")
  })

  it("is no neighbourhood", () => {
    assert.isFalse(Tunnel.isNearby([via]))
    assert.isTrue(Tunnel.isNearby(["10.0.0.2:1", via]))
  })
})
