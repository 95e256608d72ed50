/** A03, L1: power cuts in meshes of several sizes, by the function that the bench measures many of them with. */
import { assert, describe, it } from "@effect/vitest"
import { detect } from "../../../bench/Detection.ts"

/** The bound of row A03 for all survivors, ms. Few seeds here: a run beyond it is a bug, whatever the share of such runs. */
const cases = [
  { nodes: 2, boundMs: 3_700, seeds: 12 },
  { nodes: 3, boundMs: 3_900, seeds: 12 },
  { nodes: 5, boundMs: 2_800, seeds: 10 },
  { nodes: 10, boundMs: 3_000, seeds: 6 },
  { nodes: 32, boundMs: 3_000, seeds: 2 },
  { nodes: 128, boundMs: 3_000, seeds: 1 }
]

const settleMs = 12_000
const waitMs = 5_000

describe("A03: all survivors know of a power cut", () => {
  it.each(cases)(
    "of $nodes nodes within $boundMs ms, and nobody else is taken for dead",
    ({ boundMs, nodes, seeds }) => {
      for (let seed = 1; seed <= seeds; seed++) {
        const { allMs, falseDowns, firstMs, unsettled } = detect({ nodes, seed, crashes: 1, settleMs, waitMs })
        assert.strictEqual(unsettled, 0, `seed ${seed}: everybody is up for everybody before`)
        assert.isNotNull(allMs, `seed ${seed}: somebody does not know`)
        assert.isAtMost(allMs!, boundMs, `seed ${seed}`)
        assert.isAbove(firstMs, 0)
        assert.strictEqual(falseDowns, 0, `seed ${seed}`)
      }
    }
  )

  it("several at once among 40, of which one may observe another", () => {
    const found = detect({ nodes: 40, seed: 5, crashes: 4, settleMs, waitMs })
    assert.deepInclude(found, { unsettled: 0, falseDowns: 0 })
    assert.isAtMost(found.allMs ?? Number.POSITIVE_INFINITY, 3_500)
  })

  it("a line of 15 and a star of 20, in which observers on the rings cannot see each other", () => {
    for (const [links, nodes] of [
      ["line", 15],
      ["star", 20]
    ] as const) {
      // Verdicts by whoever stands in begin 5 s after a link; the node that is cut is no hub.
      const found = detect({ nodes, seed: 2, crashes: 1, links, settleMs: 15_000, waitMs })
      assert.strictEqual(found.unsettled, 0, links)
    }
  })
})

describe("what a node does while nothing happens does not grow with the mesh", () => {
  it("P7.14: messages, bytes and links a node, 16 nodes against 64", () => {
    const few = detect({ nodes: 16, seed: 1, crashes: 1, settleMs, waitMs: 1 })
    const many = detect({ nodes: 64, seed: 1, crashes: 1, settleMs, waitMs: 1 })
    assert.isAtMost(many.messagesPerNodeSecond, 1.15 * few.messagesPerNodeSecond)
    assert.isAtMost(many.bytesPerNodeSecond, 1.15 * few.bytesPerNodeSecond)
    assert.isAtMost(many.linksMean, few.linksMean + 2)
  })
})
