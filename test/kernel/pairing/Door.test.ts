/** Three wrong codes or the end of its time shut the door, and an invite is taken once (PROTOCOL.md P19.5 to P19.7). */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Door from "../../../kernel/pairing/Door.ts"

const alice = "a".repeat(64)
const bob = "b".repeat(64)

const opened = (...ids: ReadonlyArray<string>): Door.Door<string> =>
  ids.reduce<Door.Door<string>>((door, id) => Door.invited(door, { id, terms: id, forMs: 1_000 }, 0)!, Door.shutDoor)

const stateOf = (door: Door.Door<string>, id: string): string | undefined =>
  door.invites.find((invite) => invite.id === id)?.state

describe("Door", () => {
  it("lets nobody knock where nobody was invited", () => {
    assert.isFalse(Door.letsIn(Door.shutDoor, 0))
    assert.deepStrictEqual(Door.knocked(Door.shutDoor, { fits: null, deviceId: alice }, 0)[1], { _tag: "Shut" })
  })

  it("grants an invite to the first who fits, again to the same one, and to nobody else", () => {
    const [door, verdict] = Door.knocked(opened("x"), { fits: "x", deviceId: alice }, 10)
    assert.strictEqual(verdict._tag, "Granted")
    assert.strictEqual(Door.knocked(door, { fits: "x", deviceId: alice }, 20)[1]._tag, "Granted")
    assert.strictEqual(Door.knocked(door, { fits: "x", deviceId: bob }, 20)[1]._tag, "Used")
    assert.isTrue(Door.letsIn(door, 20))
    const later = 10 + Door.AGAIN_MS
    assert.isFalse(Door.letsIn(door, later))
    assert.strictEqual(Door.knocked(door, { fits: "x", deviceId: alice }, later)[1]._tag, "Used")
  })

  it("grants nothing again to a device that is trusted no longer", () => {
    const [taken] = Door.knocked(opened("x", "y"), { fits: "x", deviceId: alice }, 10)
    const door = Door.revoked(taken, alice)
    assert.strictEqual(Door.knocked(door, { fits: "x", deviceId: alice }, 20)[1]._tag, "Used")
    assert.strictEqual(Door.knocked(door, { fits: "y", deviceId: alice }, 20)[1]._tag, "Granted")
    assert.strictEqual(Door.revoked(taken, bob), taken)
  })

  it("expires at its time, not before", () => {
    assert.isTrue(Door.letsIn(opened("x"), 999))
    assert.isFalse(Door.letsIn(opened("x"), 1_000))
    assert.strictEqual(Door.knocked(opened("x"), { fits: "x", deviceId: alice }, 1_000)[1]._tag, "Expired")
  })

  it("shuts all invites at the third wrong code, also for who then comes with the right one", () => {
    let door = opened("x", "y")
    const left: Array<number> = []
    for (let n = 0; n < Door.WRONG_MAX; n++) {
      const [next, verdict] = Door.knocked(door, { fits: null, deviceId: bob }, n)
      if (verdict._tag === "Wrong") left.push(verdict.left)
      door = next
    }
    assert.deepStrictEqual(left, [2, 1, 0])
    assert.isFalse(Door.letsIn(door, 5))
    assert.strictEqual(Door.knocked(door, { fits: "x", deviceId: alice }, 5)[1]._tag, "Shut")
    // A new invite begins with three.
    const anew = Door.invited(door, { id: "z", terms: "z", forMs: 1_000 }, 6)!
    assert.deepStrictEqual(Door.knocked(anew, { fits: null, deviceId: bob }, 7)[1], { _tag: "Wrong", left: 2 })
  })

  it("holds so many and no more, and forgets what is over", () => {
    let door: Door.Door<string> = Door.shutDoor
    for (let n = 0; n < Door.INVITES_MAX; n++) door = Door.invited(door, { id: `${n}`, terms: "", forMs: 1_000 }, 0)!
    assert.isNull(Door.invited(door, { id: "more", terms: "", forMs: 1_000 }, 0))
    for (let n = 0; n < 1_000; n++) {
      door = Door.shut(door, n)
      door = Door.invited(door, { id: `again ${n}`, terms: "", forMs: 1_000 }, n)!
    }
    assert.isAtMost(door.invites.length, 100)
  })

  it("is open for a day at most, whatever is asked for", () => {
    const door = Door.invited(Door.shutDoor as Door.Door<string>, { id: "x", terms: "", forMs: 1e15 }, 5)!
    assert.isFalse(Door.letsIn(door, 5 + Door.OPEN_MS_MAX))
  })

  const event = fc.oneof(
    fc.record({ _tag: fc.constant("invite" as const), id: fc.constantFrom("x", "y", "z"), forMs: fc.nat(500) }),
    fc.record({
      _tag: fc.constant("knock" as const),
      fits: fc.constantFrom("x", "y", "z", null),
      deviceId: fc.constantFrom(alice, bob)
    }),
    fc.record({ _tag: fc.constant("shut" as const) })
  )

  it("never grants one invite to two, nor after its end, nor after three wrong ones in a row", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(100)), { maxLength: 60 }), (events) => {
        let door: Door.Door<string> = Door.shutDoor
        let mono = 0
        let n = 0
        let wrongSinceOpen = 0
        const newest = new Map<string, string>()
        const until = new Map<string, number>()
        const takers = new Map<string, string>()
        for (const [what, afterMs] of events) {
          mono += afterMs
          if (what._tag === "shut") door = Door.shut(door, mono)
          else if (what._tag === "invite") {
            const id = `${what.id}${n++}`
            newest.set(what.id, id)
            until.set(id, mono + Math.max(1, what.forMs))
            door = Door.invited(door, { id, terms: id, forMs: what.forMs }, mono) ?? door
          } else {
            const fits = what.fits === null ? null : (newest.get(what.fits) ?? null)
            const [next, verdict] = Door.knocked(door, { fits, deviceId: what.deviceId }, mono)
            door = next
            if (verdict._tag === "Wrong") wrongSinceOpen = verdict.left === 0 ? 0 : wrongSinceOpen + 1
            assert.isBelow(wrongSinceOpen, Door.WRONG_MAX)
            if (verdict._tag === "Granted") {
              const { id } = verdict.invite
              assert.strictEqual(id, fits)
              assert.strictEqual(takers.get(id) ?? what.deviceId, what.deviceId)
              if (!takers.has(id)) assert.isBelow(mono, until.get(id)!)
              takers.set(id, what.deviceId)
            }
          }
          if (!door.invites.some((invite) => invite.state === "open" && mono < invite.untilMono)) wrongSinceOpen = 0
        }
        for (const [id, taker] of takers) assert.oneOf(stateOf(door, id), ["taken", undefined], `${id} by ${taker}`)
      })
    )
  })
})
