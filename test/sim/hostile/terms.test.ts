/** What an elector that lies about terms can do, and what it cannot (P7.8; S1): a mesh that can elect goes on electing. */
import { assert, describe, it } from "@effect/vitest"
import { ANSWERED_TERM_LEAP_MAX } from "../../../kernel/Profile.ts"
import { asMallory, besiege, SETTLED_MS, statusOf, type Siege } from "./Siege.ts"

const electors = "main, backup, field, mallory"
const NODES = ["main", "backup", "field"] as const

/** All three follow one of them, in this term. */
const led = (siege: Siege, term: number): void => {
  assert.deepStrictEqual(siege.world.violations, [])
  const three = [siege.main, siege.backup, siege.field]
  const words = three.map((machine) => {
    const status = statusOf(siege, machine)
    return [status.plannerActivity.leader.deviceId, status.term]
  })
  assert.isDefined(words[0]![0])
  assert.deepStrictEqual(words, [words[0], words[0], words[0]])
  assert.strictEqual(words[0]![1], term)
  const leader = three.find((machine) => machine.config.deviceId === words[0]![0])!
  assert.isAbove(statusOf(siege, leader).leaseMs, 0, "its lease runs")
}

describe("P7.8: terms that no mesh could have come to", () => {
  const absurd = [
    ["of manifest 2^48", { manifest: 2 ** 48, counter: 1 }],
    ["with counter 2^48", { manifest: 1, counter: 2 ** 48 }]
  ] as const
  for (const [title, term] of absurd)
    it(`${title}, in answer to every question of an election: it is won in the next term all the same`, () => {
      const lies: Array<string> = []
      const siege = besiege(
        (s) => {
          const lie = (name: string): void => {
            const line = asMallory(s, name)
            const { behaviour } = line
            line.behaviour = {
              ...behaviour,
              heard: (here, frame) => {
                behaviour.heard?.(here, frame)
                if (frame.type !== "event") return
                if (frame.event === "mesh.lead")
                  here.tell("mesh.lead.answer", { term, beat: frame.payload.beat, promised: false })
                else if (frame.event === "mesh.vote" || frame.event === "mesh.prevote")
                  here.tell(`${frame.event}.answer`, { term, granted: false })
                else return
                lies.push(frame.event)
              }
            }
          }
          for (const name of NODES) lie(name)
          s.mallory.at(SETTLED_MS + 2_000, () => {
            s.main.crash(false)
            s.main.start()
          })
          s.mallory.at(SETTLED_MS + 2_500, () => lie("main"))
        },
        { electors, untilMs: 25_000 }
      )
      assert.sameMembers([...new Set(lies)], ["mesh.lead", "mesh.prevote", "mesh.vote"], "it was asked everything")
      const counted = [siege.main, siege.backup, siege.field].map(
        (machine) => statusOf(siege, machine).refusals["INVALID_PARAMS"] ?? 0
      )
      assert.isAbove(Math.max(...counted), 10, "it was heard, and each word counted")
      led(siege, 2)
    })
})

describe("part 12: terms that a mesh could have come to, and has not", () => {
  const lies: ReadonlyArray<readonly [title: string, told: ReadonlyArray<number>]> = [
    ["a plausible one", [9]],
    ["the highest that is plausible", [1 + ANSWERED_TERM_LEAP_MAX]],
    ["three of those, each the highest", [1, 2, 3].map((n) => 1 + n * ANSWERED_TERM_LEAP_MAX)]
  ]
  for (const [title, told] of lies)
    it(`${title}, told to the leader alone: it steps down, and is elected again above it by all`, () => {
      const siege = besiege(
        (s) => {
          asMallory(s, "main", {}, (line) => {
            for (const counter of told)
              line.tell("mesh.vote.answer", { term: { manifest: 1, counter }, granted: false })
          })
          s.mallory.at(SETTLED_MS + 500, () => assert.isNull(s.main.state()!.leadership.leader, "it stepped down"))
        },
        { electors, untilMs: 40_000 }
      )
      led(siege, Math.max(...told) + 1)
      for (const machine of [siege.main, siege.backup, siege.field])
        assert.deepStrictEqual(statusOf(siege, machine).refusals, {})
    })
})
