/** The baselines of `pnpm bench membership`: what they must do to be worth comparing with. */
import { assert, describe, it } from "@effect/vitest"
import { GossipMesh } from "../../bench/membership/gossip/GossipMesh.ts"
import type { Message } from "../../bench/membership/gossip/Message.ts"
import { Queue } from "../../bench/membership/gossip/News.ts"
import {
  memberlist,
  noLifeguard,
  suspicionLastsMs,
  swim,
  type Parameters
} from "../../bench/membership/gossip/Parameters.ts"
import { Participant } from "../../bench/membership/gossip/Participant.ts"
import type { MeshOptions, Word } from "../../bench/membership/Mesh.ts"

const meshOf = (parameters: Parameters, options: Partial<MeshOptions> = {}) => {
  const words: Array<Word> = []
  const mesh = new GossipMesh(parameters, {
    size: 16,
    seed: 1,
    delayMs: { min: 1, max: 2 },
    lossPpm: 0,
    onWord: (word) => words.push(word),
    ...options
  })
  return { mesh, words }
}

const everySet = [swim, memberlist(noLifeguard), memberlist()]

describe("a gossip mesh", () => {
  for (const parameters of everySet) {
    it(`${parameters.name}: a crashed member is declared dead by everybody, and nobody else is`, () => {
      for (const size of [2, 3, 5, 16]) {
        const { mesh, words } = meshOf(parameters, { size })
        mesh.run(5_000)
        mesh.crash(1)
        mesh.run(90_000)
        const down = words.filter(({ state }) => state === "down")
        assert.deepStrictEqual(
          down.map(({ observer }) => observer).sort((a, b) => a - b),
          Array.from({ length: size }, (_, member) => member).filter((member) => member !== 1)
        )
        assert.isTrue(words.every(({ atMs, subject }) => subject === 1 && atMs > 5_000))
      }
    })

    it(`${parameters.name}: nobody suspects anybody where all are healthy and nothing is lost`, () => {
      const { mesh, words } = meshOf(parameters, { size: 64 })
      mesh.run(120_000)
      assert.deepStrictEqual(words, [])
      assert.isAtLeast(mesh.sent().messages, 64 * 119 * 2)
    })

    it(`${parameters.name}: who was accused falsely clears itself`, () => {
      const { mesh, words } = meshOf(parameters)
      mesh.run(5_000)
      mesh.block(3)
      mesh.run(9_000)
      mesh.open(3)
      mesh.run(60_000)
      const aboutIt = words.filter(({ subject }) => subject === 3)
      assert.isTrue(aboutIt.some(({ state }) => state === "suspect"))
      const last = new Map(aboutIt.map(({ observer, state }) => [observer, state]))
      assert.deepStrictEqual(new Set(last.values()), new Set(["up"]))
    })

    it(`${parameters.name}: the same seed gives the same words and messages, another seed others`, () => {
      const lived = (seed: number) => {
        const { mesh, words } = meshOf(parameters, { seed, lossPpm: 300_000 })
        mesh.run(60_000)
        return JSON.stringify([words, mesh.sent()])
      }
      assert.strictEqual(lived(7), lived(7))
      assert.notStrictEqual(lived(7), lived(8))
    })
  }

  it("probes each member once a round: two rounds less one at most between two probes of one pair", () => {
    const { mesh, words } = meshOf({ ...swim, retransmits: () => 0 }, { size: 8 })
    mesh.run(3_000)
    mesh.crash(0)
    mesh.run(3_000 + 2 * 8 * 1_000 + 1_000)
    const suspect = words.filter(({ state }) => state === "suspect")
    assert.strictEqual(suspect.length, 7)
  })

  it("loses what a lossy member sends, or what is sent to it", () => {
    for (const direction of ["egress", "ingress"] as const) {
      const { mesh, words } = meshOf(swim)
      mesh.lose(2, direction, 1_000_000)
      mesh.run(90_000)
      const downBy = (observer: number) =>
        words.filter((word) => word.state === "down" && word.observer === observer).map(({ subject }) => subject)
      assert.deepStrictEqual(downBy(0), [2])
    }
  })
})

describe("Lifeguard's parts", () => {
  it("the timeout of a suspicion shrinks as memberlist documents it", () => {
    // Its own examples: from 2 to 30 s, three confirmations wanted.
    const lasts = [0, 1, 2, 3, 4].map((confirmed) => suspicionLastsMs(2_000, 30_000, confirmed, 3))
    assert.deepStrictEqual(lasts, [30_000, 16_000, 7_810, 2_000, 2_000])
    assert.strictEqual(suspicionLastsMs(4_000, 24_000, 0, 0), 4_000)
  })

  it("who hears nothing itself is slower to accuse with a sense of its own health", () => {
    const accusations = (probe: boolean) => {
      const { mesh, words } = meshOf(memberlist({ suspicion: false, buddy: false, probe }), { size: 32 })
      mesh.run(5_000)
      for (let cycle = 0; cycle < 30; cycle++) {
        mesh.block(0)
        mesh.run(5_000 + cycle * 2_100 + 2_000)
        mesh.open(0)
        mesh.run(5_000 + cycle * 2_100 + 2_100)
      }
      return words.filter(({ observer, state, subject }) => observer === 0 && state === "suspect" && subject !== 0)
        .length
    }
    assert.isBelow(accusations(true), accusations(false))
  })

  it("a probe lasts longer by a period for each of those asked who did not answer at all", () => {
    const lastsMs = (nacks: number) => {
      const deadlines: Array<number> = []
      let nowMs = 0
      const participant = new Participant(0, 8, 1, memberlist(), {
        nowMs: () => nowMs,
        send: () => {},
        later: (ms, _member, { _tag }) => {
          if (_tag === "deadline") deadlines.push(ms)
        },
        says: () => {}
      })
      participant.ring({ _tag: "period" })
      participant.ring({ _tag: "timeout", probe: 1 })
      for (let from = 1; from <= nacks; from++)
        participant.take({ from, to: 0, body: { _tag: "nack", probe: 1 }, news: [] })
      nowMs = 1_000
      participant.ring({ _tag: "deadline", probe: 1 })
      participant.ring({ _tag: "period" })
      assert.strictEqual(deadlines[0], 1_000)
      return deadlines[1]
    }
    assert.deepStrictEqual([lastsMs(0), lastsMs(2), lastsMs(3)], [4_000, 2_000, 1_000])
  })

  it("whoever probes a suspect tells it so, however often that was told already", () => {
    const told = (buddy: boolean) => {
      const sent: Array<Message> = []
      const parameters: Parameters = { ...memberlist({ probe: false, suspicion: false, buddy }), retransmits: () => 1 }
      const participant = new Participant(0, 3, 1, parameters, {
        nowMs: () => 0,
        send: (message) => sent.push(message),
        later: () => {},
        says: () => {}
      })
      const suspicion = { state: "suspect", subject: 1, incarnation: 0, from: 2 } as const
      participant.take({ from: 2, to: 0, body: { _tag: "gossip" }, news: [suspicion] })
      // Told once, to somebody else, and so forgotten.
      participant.take({ from: 2, to: 0, body: { _tag: "ping", probe: 1, tcp: false }, news: [] })
      assert.deepStrictEqual(sent.at(-1)!.news, [suspicion])
      while (sent.at(-1)!.to !== 1 || sent.at(-1)!.body._tag !== "ping") {
        participant.ring({ _tag: "period" })
        const { body, to } = sent.at(-1)!
        if (to === 2 && body._tag === "ping")
          participant.take({ from: 2, to: 0, body: { _tag: "ack", probe: body.probe, tcp: false }, news: [] })
      }
      return sent.at(-1)!.news
    }
    assert.deepStrictEqual(told(true), [{ state: "suspect", subject: 1, incarnation: 0, from: 0 }])
    assert.deepStrictEqual(told(false), [])
  })
})

describe("news to pass on", () => {
  const about = (subject: number) => ({ state: "suspect", subject, incarnation: 0, from: 9 }) as const

  it("goes out least told first, each at most so often, the newest of each subject only", () => {
    const queue = new Queue()
    queue.add(about(1))
    queue.add(about(2))
    assert.deepStrictEqual(queue.take(1, 2), [about(2)])
    assert.deepStrictEqual(queue.take(1, 2), [about(1)])
    queue.add({ ...about(1), state: "dead" })
    assert.deepStrictEqual(queue.take(5, 2), [{ ...about(1), state: "dead" }, about(2)])
    assert.deepStrictEqual(queue.take(5, 2), [{ ...about(1), state: "dead" }])
    assert.isTrue(queue.empty)
  })
})
