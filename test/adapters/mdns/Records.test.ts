import { assert, describe, it } from "@effect/vitest"
import { decode, encode } from "dns-packet"
import * as fc from "fast-check"
import {
  type Announced,
  askable,
  factsOf,
  hostOf,
  instanceOf,
  labelOf,
  recordsOf,
  SERVICE,
  serviceOf,
  txtOf
} from "../../../adapters/mdns/Records.ts"
import { a, announcement, id, ptr, srv, txt } from "./packets.ts"

const record: Announced = {
  deviceId: id("a"),
  name: "jetson-1",
  meshId: id("b"),
  role: "field",
  incarnation: 12,
  gen: 2,
  port: 18_789
}
const entriesOf = (txt: { readonly [key: string]: string }) =>
  Object.entries(txt).map(([key, value]) => `${key}=${value}`)

describe("what we announce", () => {
  it("reads back as it was written (wire 3)", () => {
    const { port: _, ...facts } = record
    assert.deepStrictEqual(factsOf(entriesOf(txtOf(record, "0.3.0"))), facts)
  })

  it("has an instance name of its own, of one label, and a host under .local", () => {
    assert.strictEqual(instanceOf(record), `${"a".repeat(16)}-jetson-1`)
    assert.strictEqual(serviceOf(record), `${"a".repeat(16)}-jetson-1.${SERVICE}`)
    assert.strictEqual(hostOf(record.deviceId), `${"a".repeat(16)}.local`)
    assert.notInclude(instanceOf({ deviceId: id("a"), name: "nano.lab" }), ".")
  })

  it("can be written whatever the device is called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (name) => {
        const named = { ...record, name }
        assert.isTrue(askable(serviceOf(named)))
        for (const entry of entriesOf(txtOf(named, "0.3.0"))) assert.isAtMost(Buffer.byteLength(entry), 255)
        const packet = encode({
          type: "response",
          answers: [{ type: "TXT", name: serviceOf(named), data: entriesOf(txtOf(named, "0.3.0")) }]
        })
        assert.strictEqual(recordsOf(decode(packet)).services.length, 1)
      })
    )
  })
})

describe("TXT of others", () => {
  it("without a generation is of the first (wire 3)", () => {
    assert.deepStrictEqual(factsOf([`deviceId=${id("a")}`, "version=0.1.0"]), { deviceId: id("a"), gen: 1, name: null })
  })

  it("counts an entry once, by its first value, in any letter case of its key", () => {
    assert.strictEqual(factsOf([`DEVICEID=${id("a")}`, `deviceId=${id("b")}`])?.deviceId, id("a"))
  })

  it("without a readable device, mesh or generation is of nobody", () => {
    const device = `deviceId=${id("a")}`
    for (const entries of [
      [],
      [""],
      ["deviceId"],
      ["deviceId="],
      [`deviceId=${id("A")}`],
      [`deviceId=${"a".repeat(63)}`],
      [device, "gen=two"],
      [device, "gen=0"],
      [device, "gen=-1"],
      [device, "gen="],
      [device, "meshId="],
      [device, "meshId=a\u0000b"],
      [device, `meshId=${"m".repeat(129)}`]
    ])
      assert.isNull(factsOf(entries), JSON.stringify(entries))
  })

  it("with other nonsense is read without it", () => {
    const facts = factsOf([
      `deviceId=${id("a")}`,
      "incarnation=1e9",
      "role=Root!",
      "name=\u001b[2J\nnano\u202e",
      "=",
      "x"
    ])
    assert.deepStrictEqual(facts, { deviceId: id("a"), gen: 1, name: "[2Jnano" })
  })
})

describe("packets of others", () => {
  it("give the records that concern us and no others", () => {
    const { addresses, services } = recordsOf({
      answers: [ptr("nano"), srv("nano"), { ...ptr("tv"), name: "_http._tcp.local" }, a("nano", "192.168.1.5")],
      additionals: [txt("nano", { deviceId: id("a") }), { type: "OPT", name: ".", udpPayloadSize: 4096 }]
    })
    assert.deepStrictEqual(
      services.map(({ type }) => type),
      ["PTR", "SRV", "TXT"]
    )
    assert.deepStrictEqual(
      addresses.map(({ address }) => address),
      ["192.168.1.5"]
    )
  })

  it("may hold a port of 0 or a target of nothing, which is no service", () => {
    assert.deepStrictEqual(recordsOf({ answers: [srv("x", 0), srv("x", 1, { host: "" })] }).services, [])
  })

  it("are read whatever they hold", () => {
    fc.assert(
      fc.property(fc.anything(), fc.array(fc.anything()), (one, many) => {
        recordsOf({ answers: one as never, additionals: many })
        recordsOf({ answers: many.map((data) => ({ name: SERVICE, type: "PTR", ttl: 1, data })) })
        recordsOf({ answers: many.map((data) => ({ name: `x.${SERVICE}`, type: "SRV", ttl: 1, data })) })
        recordsOf({ answers: many.map((data) => ({ name: `x.${SERVICE}`, type: "TXT", ttl: 1, data })) })
        recordsOf({ answers: many.map((ttl) => ({ ...ptr("x"), ttl })) })
      })
    )
  })

  it("name a service by its whole label", () => {
    assert.strictEqual(labelOf(`nano.lab 1.${SERVICE}`), "nano.lab 1")
    assert.strictEqual(labelOf(`Nano.${SERVICE.toUpperCase()}`), "Nano")
    assert.isNull(labelOf(SERVICE))
    assert.isNull(labelOf("printer._ipp._tcp.local"))
  })

  it("are complete: an announcement gives four records", () => {
    const { addresses, services } = recordsOf(announcement("nano", id("a"), ["10.0.0.1"]))
    assert.strictEqual(addresses.length + services.length, 4)
  })
})

it("a question is asked only for names that can be written", () => {
  for (const name of ["", "a..b", `${"x".repeat(64)}.local`, `${"x.".repeat(127)}local`, "a\nb.local"])
    assert.isFalse(askable(name), name)
  assert.isTrue(askable(`nano.${SERVICE}`))
})
