/** What a trusted liar can do to a device that lost its journal (P3.17; S9): delay it once, and no more. */
import { assert, describe, it } from "@effect/vitest"
import { besiege, SETTLED_MS, statusOf, type Siege } from "./Siege.ts"

const NONCE = "nonce-of-mallory"
const UNTIL_MS = 600_000

/** Says nothing while field asks all of them; then refuses it as too low at each dial, and tells a higher incarnation whenever asked. */
const lying = (siege: Siege, lies: Array<number>): void => {
  const { field, mallory, world } = siege
  mallory.listening = true
  mallory.behaviour = {
    heard: (line, frame) => {
      if (frame.type !== "req" || field.state()?.phase !== "running") return
      if (frame.method === "mesh.challenge")
        line.say({ type: "res", id: frame.id, ok: true, payload: { nonce: NONCE } })
      if (frame.method !== "mesh.connect") return
      if (frame.params.kernel?.incarnation !== 0)
        return line.say({
          type: "res",
          id: frame.id,
          ok: false,
          error: { code: "IDENTITY_CONFLICT", message: "I met a later one" }
        })
      const remembers = field.state()!.incarnation + 10
      lies.push(world.nowMs)
      const claim = { ...mallory.claim(), remembers }
      const answer = mallory.answer(claim, field.config.deviceId, NONCE, frame.params, mallory.wallMs("field"))
      line.say({ type: "res", id: frame.id, ok: true, payload: answer })
    }
  }
}

describe("P3.17: a trusted device that goes on saying that it met a later incarnation", () => {
  it("makes the one that forgot begin again once; then this one lives, and has its friends", () => {
    const lies: Array<number> = []
    const siege = besiege(
      (s) => {
        lying(s, lies)
        s.field.crash(true, "lost")
        s.field.start()
      },
      { untilMs: UNTIL_MS }
    )
    const { field } = siege
    assert.deepStrictEqual(siege.world.violations, [])
    assert.lengthOf(lies, 1, "it was asked, and once")
    assert.isBelow(lies[0]!, SETTLED_MS + 60_000)
    // Main and backup had met its first incarnation; the lie was ten above the second.
    assert.strictEqual(field.state()!.incarnation, 13)
    const friends = statusOf(siege, field).peers.filter(({ linked }) => linked)
    assert.sameMembers(
      friends.map(({ deviceId }) => deviceId),
      [siege.main, siege.backup].map(({ config }) => config.deviceId)
    )
    const begins = siege.traces.get("field")!.filter((step) => step.includes('"event":"node.started"'))
    assert.lengthOf(
      begins,
      3,
      "its first life, the one after its journal was lost, and the one that the lie made it begin"
    )
  })
})
