/** The lab itself: two hosts on a cable, on a machine that stays as it was. Every other lab test stands on this one. */
import { assert, describe, it } from "@effect/vitest"
import { Lab } from "./Lab.ts"

describe("two hosts on a cable", () => {
  const one = "10.77.0.1"
  const other = "10.77.0.2"

  const cabled = (lab: Lab) => {
    const hosts = { nano: lab.host("nano"), laptop: lab.host("laptop") }
    lab.join(hosts.nano, `${one}/24`, hosts.laptop, `${other}/24`)
    return hosts
  }

  it("reach each other", () => {
    using lab = new Lab()
    const { laptop, nano } = cabled(lab)
    assert.isTrue(nano.reaches(other))
    assert.isTrue(laptop.reaches(one))
  })

  it("do not reach each other once the link is down, and do again when it is up", () => {
    using lab = new Lab()
    const { laptop, nano } = cabled(lab)
    nano.ip("link", "set", "eth0", "down")
    assert.isFalse(nano.reaches(other))
    assert.isFalse(laptop.reaches(one))
    nano.ip("link", "set", "eth0", "up")
    assert.isTrue(nano.reaches(other))
  })

  it("know no way out", () => {
    using lab = new Lab()
    const { laptop, nano } = cabled(lab)
    assert.strictEqual(nano.ip("route", "show", "default"), "")
    assert.strictEqual(laptop.ip("route", "show", "default"), "")
  })

  it("are gone when the lab closes, also when a test fails", () => {
    let lab: Lab | undefined
    try {
      using failing = new Lab()
      lab = failing
      cabled(failing)
      assert.strictEqual(failing.namespaces().length, 2)
      throw new Error("a test fails")
    } catch (error) {
      assert.strictEqual((error as Error).message, "a test fails")
    }
    assert.deepStrictEqual(lab?.namespaces(), [])
  })
})
