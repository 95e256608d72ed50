/** The experiments of `pnpm bench membership`: what they count, on meshes of which every word is known, and ours on small ones. */
import { assert, describe, it } from "@effect/vitest"
import { falseDeaths } from "../../bench/membership/falseDeaths.ts"
import { interval } from "../../bench/membership/interval.ts"
import { ours } from "../../bench/membership/KernelMesh.ts"
import { lossy } from "../../bench/membership/lossy.ts"
import { isUndone, type Contender, type Undone, type Word } from "../../bench/membership/Mesh.ts"
import { quantile } from "../../bench/Measure.ts"
import { powerCut } from "../../bench/membership/powerCut.ts"
import { traffic } from "../../bench/membership/traffic.ts"

const ANY = Number.POSITIVE_INFINITY

const done = <A extends object>(result: A | Undone): A => {
  if (isUndone(result)) throw new Error(result.undone)
  return result
}

/** Says these words, each so long after the fault; without a fault, after it has met. */
const scripted = (words: ReadonlyArray<Word>, asked: Array<string> = []): Contender => ({
  name: "scripted",
  meetsMs: 1_000,
  make: ({ onWord }) => {
    let faultMs = 0
    let nowMs = 0
    let left = words
    const fault = (what: string) => {
      asked.push(`${what} at ${nowMs}`)
      if (faultMs === 0) faultMs = nowMs
    }
    return {
      run: (untilMs) => {
        nowMs = untilMs
        if (faultMs === 0) return true
        const due = (word: Word) => faultMs + word.atMs <= untilMs
        for (const word of left.filter(due)) onWord({ ...word, atMs: faultMs + word.atMs })
        left = left.filter((word) => !due(word))
        return true
      },
      crash: (member) => fault(`crash ${member}`),
      block: (member) => fault(`block ${member}`),
      open: (member) => fault(`open ${member}`),
      lose: (member, direction, ppm) => fault(`lose ${member} ${direction} ${ppm}`),
      sent: () => ({ messages: 10 * nowMs, membership: 5 * nowMs, bytes: 100 * nowMs })
    }
  }
})

const down = (atMs: number, observer: number, subject: number): Word => ({ atMs, observer, subject, state: "down" })
const up = (atMs: number, observer: number, subject: number): Word => ({
  ...down(atMs, observer, subject),
  state: "up"
})

/** Whom the only seed strikes, of three. */
const victimOf = (): number => {
  const asked: Array<string> = []
  powerCut(scripted([], asked), { size: 3, victims: 1, seeds: 1, secondsMost: ANY })
  return Number(/^crash (\d)/u.exec(asked[0]!)![1])
}

describe("the power cut", () => {
  const victim = victimOf()
  const [one, other] = [0, 1, 2].filter((member) => member !== victim)
  const of = (words: ReadonlyArray<Word>) =>
    done(powerCut(scripted(words), { size: 3, victims: 1, seeds: 1, secondsMost: ANY }))

  it("is known first when the first survivor has it down, and to all when the last one has", () => {
    const result = of([
      { ...down(100, one!, victim), state: "suspect" },
      down(700, one!, victim),
      down(2_300, other!, victim)
    ])
    assert.deepStrictEqual(result, { firstMs: [700], allMs: [2_300], unknown: 0, falsely: 0 })
  })

  it("counts a survivor who took it back as one who does not know, and healthy ones declared down", () => {
    const back = of([
      down(700, one!, victim),
      up(900, one!, victim),
      down(2_300, other!, victim),
      down(9, one!, other!)
    ])
    assert.deepStrictEqual(back, { firstMs: [], allMs: [], unknown: 1, falsely: 1 })
    const again = of([down(1, one!, victim), up(2, one!, victim), down(3, other!, victim), down(4_000, one!, victim)])
    assert.deepStrictEqual(again.allMs, [4_000])
  })

  it("quantiles are values that were measured", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    assert.deepStrictEqual(
      [0.5, 0.99, 1].map((share) => quantile(hundred, share)),
      [50, 99, 100]
    )
    assert.isNaN(quantile([], 0.5))
  })
})

describe("the interval experiment", () => {
  it("blocks and opens some together for two minutes, and counts only what is said about the others", () => {
    const asked: Array<string> = []
    const words = [down(10, 1, 2), down(20, 0, 3), down(30, 1, 0), down(40, 1, 2), up(50, 1, 2)]
    const contender = scripted(words, asked)
    const result = interval(contender, 8, { blocked: 2, blockedMs: 40_000, openMs: 30_000 }, 1, ANY)
    assert.deepStrictEqual(result, { aboutHealthy: 3, byHealthy: 2 })
    assert.deepStrictEqual(
      asked,
      ["block 0 at 1000", "block 4 at 1000", "open 0 at 41000", "open 4 at 41000"].concat([
        "block 0 at 71000",
        "block 4 at 71000",
        "open 0 at 111000",
        "open 4 at 111000"
      ])
    )
  })
})

describe("the lossy members", () => {
  const what = { size: 4, faulty: 1, direction: "egress", ppm: 800_000, seed: 1, secondsMost: ANY } as const

  it("are removed when all others have them down at once; what is taken back or wrong is counted", () => {
    const asked: Array<string> = []
    const words = [down(1_000, 0, 3), up(2_000, 0, 3), down(3_000, 1, 3), down(4_000, 2, 3), down(5_000, 0, 3)]
    const wrong = [down(6_000, 0, 1), down(7_000, 3, 1)]
    const result = lossy(scripted([...words, ...wrong], asked), what)
    assert.deepStrictEqual(result, { removedMs: 5_000, disagreedMs: 4_000, takenBack: 1, healthyRemoved: 1 })
    assert.deepStrictEqual(asked, ["lose 3 egress 800000 at 1000"])
  })

  it("may never be removed", () => {
    assert.deepStrictEqual(lossy(scripted([down(1, 0, 3), down(2, 1, 3)]), what), {
      removedMs: null,
      disagreedMs: null,
      takenBack: 0,
      healthyRemoved: 0
    })
  })
})

describe("false deaths", () => {
  it("count once the members have met, over as many edge-seconds as were asked for", () => {
    const silent = scripted([])
    const telling: Contender = {
      ...silent,
      make: (options) => ({
        ...silent.make(options),
        run: (untilMs) => {
          options.onWord({ ...down(untilMs, 0, 1), state: "suspect" })
          if (untilMs > 1_000) options.onWord(down(untilMs, 0, 1))
          return true
        }
      })
    }
    // Two edges: 3,000 s, in two meshes.
    assert.deepStrictEqual(falseDeaths(telling, { size: 2, lossPpm: 0, edgeSeconds: 6_000, secondsMost: ANY }), {
      edgeSeconds: 6_000,
      suspected: 2,
      died: 2
    })
  })
})

describe("traffic", () => {
  it("is what each member sends a second once they have met", () => {
    assert.deepStrictEqual(traffic(scripted([]), 10, ANY), { messages: 1_000, membership: 500, bytes: 10_000 })
  })
})

describe("a mesh of ours", () => {
  it("is too much where it does not meet in the time given", () => {
    assert.isTrue(isUndone(traffic(ours, 5, 0)))
  })

  it("knows of a power cut everywhere within 2.8 s at N=5, and accuses nobody else", () => {
    const { allMs, falsely, firstMs, unknown } = done(
      powerCut(ours, { size: 5, victims: 1, seeds: 5, secondsMost: ANY })
    )
    assert.strictEqual(allMs.length, 5)
    assert.deepStrictEqual([unknown, falsely], [0, 0])
    assert.isAtMost(allMs.at(-1)!, 2_800)
    assert.isAtLeast(firstMs[0]!, 500)
  })

  it("declares nobody down where all are well, and says so in numbers", () => {
    const result = done(falseDeaths(ours, { size: 3, lossPpm: 0, edgeSeconds: 600, secondsMost: ANY }))
    assert.deepStrictEqual(result, { edgeSeconds: 600, suspected: 0, died: 0 })
  })

  it("a blocked observer accuses nobody; who is blocked is seen to be gone", () => {
    const cell = { blocked: 1, blockedMs: 20_000, openMs: 5_000 }
    assert.deepStrictEqual(interval(ours, 5, cell, 1, ANY), { aboutHealthy: 0, byHealthy: 0 })
    const seen: Array<Word> = []
    const make = (options: Parameters<typeof ours.make>[0]) =>
      ours.make({
        ...options,
        onWord: (word) => {
          seen.push(word)
          options.onWord(word)
        }
      })
    interval({ ...ours, make }, 5, cell, 1, ANY)
    assert.isTrue(seen.some(({ state, subject }) => state === "down" && subject === 0))
  })

  it("loses what a member sends, or what is sent to it: who hears nothing is the first to accuse", () => {
    const firstDown = (direction: "egress" | "ingress") => {
      const words: Array<Word> = []
      const mesh = ours.make({
        size: 5,
        seed: 1,
        delayMs: { min: 1, max: 2 },
        lossPpm: 0,
        onWord: (word) => words.push(word)
      })
      mesh.run(15_000)
      mesh.lose(2, direction, 1_000_000)
      mesh.run(25_000)
      return words.find(({ state }) => state === "down")
    }
    assert.strictEqual(firstDown("egress")?.subject, 2)
    assert.strictEqual(firstDown("ingress")?.observer, 2)
  })

  it("0014: removes for good, and within twelve seconds, a member that loses four of five packets either way", () => {
    for (const direction of ["egress", "ingress"] as const)
      for (const seed of [1, 2, 3]) {
        const what = { size: 10, faulty: 1, direction, ppm: 800_000, seed, secondsMost: ANY } as const
        const { disagreedMs, removedMs, ...others } = done(lossy(ours, what))
        assert.deepStrictEqual(others, { takenBack: 0, healthyRemoved: 0 }, `${direction}, seed ${seed}`)
        assert.isAtMost(removedMs ?? ANY, 12_000, `${direction}, seed ${seed}`)
        assert.isAtMost(disagreedMs ?? ANY, 4_000, `${direction}, seed ${seed}`)
      }
  })

  it("0014: takes nobody for dead whose links lose 15 % of their packets", () => {
    for (const size of [5, 10]) {
      const what = { size, lossPpm: 150_000, edgeSeconds: 40_000, secondsMost: ANY }
      const { died, suspected } = done(falseDeaths(ours, what))
      assert.strictEqual(died, 0, `N=${size}`)
      assert.isAbove(suspected, 0, "links do stall")
    }
  })

  it("removes a member of which nothing arrives, and sends more messages than elections need", () => {
    const what = { size: 5, faulty: 1, direction: "egress", ppm: 1_000_000, seed: 1, secondsMost: ANY } as const
    const { healthyRemoved, removedMs } = done(lossy(ours, what))
    assert.strictEqual(healthyRemoved, 0)
    assert.isNotNull(removedMs)
    const { bytes, membership, messages } = done(traffic(ours, 5, ANY))
    // A heartbeat to each of four, and a probe with its answer once a minute.
    assert.isAtLeast(membership, 4)
    assert.isBelow(membership, 4 * 1.1)
    assert.isAbove(messages, membership)
    assert.isAbove(bytes, 20 * messages)
  })
})
