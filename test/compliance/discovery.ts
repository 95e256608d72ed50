/**
 * What every `Discovery` must do (kernel/Ports.ts), whatever it runs over. mDNS and the simulated segment pass the same suite,
 * so that what the simulator shows of being found and lost holds for real neighbours.
 *
 * Bounds are those of the rules, with room: a goodbye counts after a second, a record of a device that fell silent runs out
 * after two minutes, questions are at most a minute apart.
 */
import { assert, describe, it } from "vitest"
import * as Effect from "effect/Effect"
import type { Happened } from "../../kernel/Input.ts"
import type { Discovery } from "../../kernel/Ports.ts"

type News = Extract<Happened, { readonly _tag: "Sighted" | "Lost" }>
type Announced = Parameters<Discovery["Service"]["advertise"]>[0]

/** A process on a device of the segment. */
export interface Member {
  readonly discovery: Discovery["Service"]
  /** Where the others may dial it, at this port. */
  readonly at: (port: number) => string
  /** What its inbox was offered, in order. */
  readonly told: ReadonlyArray<News>
  /** It ends in order. */
  readonly stop: () => Promise<void>
  /** It is gone from one moment to the next. */
  readonly kill: () => void
}

export interface Segment {
  /** A process starts on the device of this id. */
  readonly join: (deviceId: string) => Promise<Member>
  /** What these two say does not reach each other any more. */
  readonly cut: (a: string, b: string) => void
  readonly heal: (a: string, b: string) => void
  /** Time goes by. */
  readonly wait: (ms: number) => Promise<void>
  /** Everything ends. */
  readonly close: () => Promise<void>
}

const id = (digit: string): string => digit.repeat(64)
const NANO = id("a")
const LAPTOP = id("b")
const LATE = id("c")
const MESH = id("d")

const nano: Announced = {
  deviceId: NANO,
  name: "nano",
  meshId: MESH,
  role: "field",
  incarnation: 3,
  gen: 2,
  port: 18_789
}
const laptop: Announced = { deviceId: LAPTOP, name: "laptop", gen: 1, port: 4_000 }

const advertise = (member: Member, record: Announced): void => Effect.runSync(member.discovery.advertise(record))
const tags = ({ told }: Member): ReadonlyArray<string> => told.map(({ _tag, deviceId }) => `${_tag} ${deviceId[0]}`)
const sighted = (member: Member, record: Announced, at: Member): News => {
  const { port, ...rest } = record
  const last = member.told.findLast(({ deviceId }) => deviceId === record.deviceId)
  // Addresses behind the first are what else the device claims.
  const addresses = last?._tag === "Sighted" ? last.addresses : []
  assert.strictEqual(addresses[0], at.at(port))
  return { _tag: "Sighted", ...rest, addresses }
}

export const discoveryCompliance = (name: string, makeSegment: () => Segment): void => {
  const rule = (title: string, body: (segment: Segment) => Promise<void>): void => {
    it(
      title,
      async () => {
        const segment = makeSegment()
        try {
          await body(segment)
        } finally {
          await segment.close()
        }
      },
      20_000
    )
  }
  const pair = async (segment: Segment): Promise<readonly [Member, Member]> => {
    const one = await segment.join(NANO)
    const other = await segment.join(LAPTOP)
    advertise(one, nano)
    advertise(other, laptop)
    await segment.wait(2_000)
    return [one, other]
  }

  describe(`${name} is discovery`, () => {
    rule(
      "two devices find each other, with all that they say of themselves, once, and not themselves",
      async (segment) => {
        const [one, other] = await pair(segment)
        assert.deepStrictEqual(one.told, [sighted(one, laptop, other)])
        assert.deepStrictEqual(other.told, [sighted(other, nano, one)])
        for (const { discovery } of [one, other])
          assert.deepStrictEqual(Effect.runSync(discovery.running), { runs: true, why: "" })
      }
    )

    rule("who announces nothing finds others, and is not found", async (segment) => {
      const one = await segment.join(NANO)
      const other = await segment.join(LAPTOP)
      advertise(one, nano)
      await segment.wait(10_000)
      assert.deepStrictEqual(tags(one), [])
      assert.deepStrictEqual(tags(other), ["Sighted a"])
    })

    rule("whoever comes later finds those who have long been there", async (segment) => {
      const [one, other] = await pair(segment)
      await segment.wait(1_800_000)
      const late = await segment.join(LATE)
      await segment.wait(2_000)
      assert.deepStrictEqual(tags(late).toSorted(), ["Sighted a", "Sighted b"])
      assert.deepStrictEqual(
        late.told.find(({ deviceId }) => deviceId === NANO),
        sighted(late, nano, one)
      )
      assert.deepStrictEqual([tags(one), tags(other)], [["Sighted b"], ["Sighted a"]])
    })

    rule("who is there stays known, however long, and the same record again is no news", async (segment) => {
      const [one, other] = await pair(segment)
      for (let minutes = 0; minutes < 60; minutes++) {
        if (minutes % 7 === 0) advertise(one, nano)
        await segment.wait(60_000)
      }
      assert.deepStrictEqual([tags(one), tags(other)], [["Sighted b"], ["Sighted a"]])
    })

    rule("who stops in order says goodbye, which counts after a second", async (segment) => {
      const [one, other] = await pair(segment)
      const stopped = one.stop()
      await segment.wait(500)
      assert.deepStrictEqual(tags(other), ["Sighted a"])
      await segment.wait(1_000)
      await stopped
      assert.deepStrictEqual(other.told.slice(1), [{ _tag: "Lost", deviceId: NANO }])
      await segment.wait(300_000)
      assert.deepStrictEqual(tags(other), ["Sighted a", "Lost a"])
      assert.deepStrictEqual(tags(one), ["Sighted b"], "nothing is told to who has stopped")
    })

    rule("who is killed stays known until its record runs out, and is then lost, once", async (segment) => {
      const [one, other] = await pair(segment)
      await segment.wait(10_000)
      one.kill()
      await segment.wait(60_000)
      assert.deepStrictEqual(tags(other), ["Sighted a"])
      await segment.wait(62_000)
      assert.deepStrictEqual(tags(other), ["Sighted a", "Lost a"])
      await segment.wait(300_000)
      assert.deepStrictEqual(tags(other), ["Sighted a", "Lost a"])
    })

    rule(
      "who comes back before its record ran out was never lost, and its new incarnation is told",
      async (segment) => {
        const [one, other] = await pair(segment)
        one.kill()
        await segment.wait(5_000)
        const again = await segment.join(NANO)
        advertise(again, { ...nano, incarnation: 4 })
        await segment.wait(5_000)
        assert.deepStrictEqual(tags(other), ["Sighted a", "Sighted a"])
        assert.deepStrictEqual(other.told[1], sighted(other, { ...nano, incarnation: 4 }, again))
        assert.deepStrictEqual(tags(again), ["Sighted b"])
        await segment.wait(300_000)
        assert.isFalse(tags(other).includes("Lost a"))
      }
    )

    rule("who was lost and comes back is found again", async (segment) => {
      const [one, other] = await pair(segment)
      const stopped = one.stop()
      await segment.wait(5_000)
      await stopped
      const again = await segment.join(NANO)
      advertise(again, { ...nano, incarnation: 4 })
      await segment.wait(5_000)
      assert.deepStrictEqual(tags(other), ["Sighted a", "Lost a", "Sighted a"])
      assert.deepStrictEqual(other.told[2], sighted(other, { ...nano, incarnation: 4 }, again))
    })

    rule("what changes is told, at most once a second, and the last word counts", async (segment) => {
      const [one, other] = await pair(segment)
      await segment.wait(5_000)
      for (let port = 1; port <= 20; port++) {
        advertise(one, { ...nano, port })
        await segment.wait(100)
      }
      await segment.wait(3_000)
      assert.deepStrictEqual(other.told.at(-1), sighted(other, { ...nano, port: 20 }, one))
      assert.isTrue(tags(other).every((tag) => tag === "Sighted a"))
      assert.isAtMost(other.told.length, 1 + 4)
      assert.isAtLeast(other.told.length, 1 + 2)
    })

    rule(
      "a device of another mesh is told as what it says it is: who may be dialled is decided elsewhere",
      async (segment) => {
        const one = await segment.join(NANO)
        const other = await segment.join(LAPTOP)
        const foreign = { ...nano, meshId: id("e") }
        advertise(one, foreign)
        advertise(other, { ...laptop, meshId: MESH })
        await segment.wait(2_000)
        assert.deepStrictEqual(other.told, [sighted(other, foreign, one)])
        assert.deepStrictEqual(one.told, [sighted(one, { ...laptop, meshId: MESH }, other)])
      }
    )

    rule(
      "who cannot be heard is lost when its record runs out, and found within a minute or so when it can",
      async (segment) => {
        const [one, other] = await pair(segment)
        await segment.wait(10_000)
        segment.cut(NANO, LAPTOP)
        await segment.wait(122_000)
        assert.deepStrictEqual(
          [tags(one), tags(other)],
          [
            ["Sighted b", "Lost b"],
            ["Sighted a", "Lost a"]
          ]
        )
        segment.heal(NANO, LAPTOP)
        await segment.wait(65_000)
        assert.deepStrictEqual(tags(one), ["Sighted b", "Lost b", "Sighted b"])
        assert.deepStrictEqual(tags(other), ["Sighted a", "Lost a", "Sighted a"])
      }
    )

    rule("a first announcement that nobody heard is made again, before anybody asks", async (segment) => {
      const other = await segment.join(LAPTOP)
      // By now it asks once a minute, and did so a few seconds ago.
      await segment.wait(130_000)
      segment.cut(NANO, LAPTOP)
      const one = await segment.join(NANO)
      advertise(one, nano)
      await segment.wait(500)
      segment.heal(NANO, LAPTOP)
      await segment.wait(10_000)
      assert.deepStrictEqual(tags(other), ["Sighted a"])
    })

    rule("a first question that nobody heard is asked again within a second", async (segment) => {
      const one = await segment.join(NANO)
      advertise(one, nano)
      await segment.wait(600_000)
      segment.cut(NANO, LATE)
      const late = await segment.join(LATE)
      await segment.wait(200)
      assert.deepStrictEqual(tags(late), [])
      segment.heal(NANO, LATE)
      await segment.wait(1_500)
      assert.deepStrictEqual(tags(late), ["Sighted a"])
    })
  })
}
