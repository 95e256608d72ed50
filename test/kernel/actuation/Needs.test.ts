/** P16.12 (B42): what has to be known, and so, before something moves and while it does. */
import { assert, describe, it } from "@effect/vitest"
import type { Code } from "../../../kernel/wire/Codes.ts"
import type { Actuator, Need } from "../../../kernel/actuation/Actuator.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { id } from "../drive.ts"
import { Well } from "../proposals/Well.ts"
import { approved, body, proposed } from "../proposals/facts.ts"
import { signed, unsigned, type Said } from "../world/frames.ts"

const WITHIN_MS = 60_000
/** As long as a frame may be under way over one link. */
const UNDER_WAY_MS = profiles.lan.probeDeadlineMaxMs
const FOR_MS = 40_000

const level: Need = { metric: "level", zone: "tank", device: null, withinMs: WITHIN_MS, atLeast: 200 }
const full: Partial<Said> = { metric: "level", zone: "tank", value: 500 }
const longer = { ...body, forMs: FOR_MS }

/** A well that needs water in its tank, with a proposal that waits for a person. */
const waiting = (needs: ReadonlyArray<Need> = [level], more: Partial<Actuator> = {}): Well => {
  const well = new Well({ needs, ...more })
  well.sees()
  for (const name of ["b", "c", "f"]) well.linkOf(name)
  well.says("b", proposed(longer))
  return well
}

const approves = (well: Well): void => well.says("d", approved(well.token(longer), longer))

const isOpen = (well: Well): boolean => well.moved.at(-1)?.state === "open"

describe("P16.12: before it moves", () => {
  it("what it needs is known, and so: it moves", () => {
    const well = waiting()
    well.reads("f", full)
    approves(well)
    assert.isTrue(isOpen(well))
  })

  const says: { readonly [what: string]: readonly [(well: Well) => void, Code] } = {
    "nobody has said anything": [() => {}, "EVIDENCE_TOO_OLD"],
    "too little": [(well) => well.reads("f", { ...full, value: 199.9 }), "PRECONDITION_FAILED"],
    "of another zone": [(well) => well.reads("f", { ...full, zone: "yard" }), "EVIDENCE_TOO_OLD"],
    "another metric": [(well) => well.reads("f", { ...full, metric: "depth" }), "EVIDENCE_TOO_OLD"],
    "a guess of a language model": [(well) => well.reads("f", { ...full, kind: "inference" }), "EVIDENCE_TOO_OLD"],
    "what nobody signed, brought by somebody else": [
      (well) => well.brings(unsigned("f", 1, { data: { metric: "level", zone: "tank", value: 500 } })),
      "EVIDENCE_TOO_OLD"
    ],
    "a number that is a word": [
      (well) =>
        well.brings(signed({ by: "f", seq: well.seq("f") }, { data: { metric: "level", zone: "tank", value: "500" } })),
      "EVIDENCE_TOO_OLD"
    ],
    "what was so, and is not any more": [
      (well) => {
        well.reads("f", full)
        well.reads("f", { ...full, value: 12 })
      },
      "PRECONDITION_FAILED"
    ],
    "what was said too long ago": [
      (well) => {
        well.reads("f", full)
        well.pass(WITHIN_MS)
      },
      "EVIDENCE_TOO_OLD"
    ],
    "what was old when it came": [(well) => well.reads("f", { ...full, ageMs: WITHIN_MS }), "EVIDENCE_TOO_OLD"]
  }
  for (const [what, [act, code]] of Object.entries(says))
    it(`${what}: it does not`, () => {
      const well = waiting()
      act(well)
      approves(well)
      assert.strictEqual(well.opened.length, 0)
      assert.deepInclude(well.proposal(longer), { status: "failed", code })
    })

  it("all of them, at most as well as at least, and of the device that is named", () => {
    const needs: ReadonlyArray<Need> = [
      level,
      { metric: "wind", zone: null, device: id("c"), withinMs: WITHIN_MS, atMost: 40 }
    ]
    const windy = (by: string, value: number): boolean => {
      const well = waiting(needs)
      well.reads("f", full)
      well.reads(by, { metric: "wind", zone: "anywhere", value })
      approves(well)
      return isOpen(well)
    }
    assert.deepStrictEqual([windy("c", 40), windy("c", 41), windy("f", 10)], [true, false, false])
  })

  it("what comes while it is written down counts", () => {
    for (const [value, opens] of [
      [0, 0],
      [500, 1]
    ] as const) {
      const well = waiting()
      well.reads("f", full)
      well.drive.diskWaits = true
      approves(well)
      well.reads("f", { ...full, value })
      well.drive.diskWaits = false
      const { step } = well.drive.node.guardian.guards[0]!
      assert.strictEqual(step?._tag, "Intending")
      well.feed({ _tag: "Stored", ticket: step!.stored })
      assert.strictEqual(well.opened.length, opens)
    }
  })

  it("it is made safe whatever is known", () => {
    const well = waiting()
    well.reads("f", full)
    approves(well)
    well.done()
    well.feed({ _tag: "Hold", group: "well", on: true })
    assert.isFalse(isOpen(well))
  })
})

describe("P16.12: while it is moved", () => {
  const running = (): Well => {
    const well = waiting()
    well.reads("f", full)
    approves(well)
    well.done()
    assert.isTrue(isOpen(well))
    return well
  }

  it("what is not so any more makes it safe at once", () => {
    const well = running()
    well.pass(5_000)
    well.reads("f", { ...full, value: 150 })
    assert.isFalse(isOpen(well))
    assert.strictEqual(well.proposal(longer)?.status, "completed", "it was done, and ended early")
  })

  it("what nobody says any more does, too, when its time is over", () => {
    const well = waiting([{ ...level, withinMs: 10_000 }])
    well.reads("f", full)
    approves(well)
    well.done()
    // At the earliest it was seen when a frame may have left.
    well.pass(10_000 - UNDER_WAY_MS)
    assert.isTrue(isOpen(well))
    well.pass(1)
    assert.isFalse(isOpen(well))
  })

  it("and not while somebody goes on saying it", () => {
    const well = waiting([{ ...level, withinMs: 10_000 }])
    well.reads("f", full)
    approves(well)
    well.done()
    for (let s = 0; s < 35; s += 5) {
      well.pass(5_000)
      well.reads("f", full)
      assert.isTrue(isOpen(well), `${s} s`)
    }
  })

  it("what came while it moved makes it safe as soon as it has", () => {
    const well = waiting()
    well.reads("f", full)
    approves(well)
    well.reads("f", { ...full, value: 0 })
    assert.isTrue(isOpen(well), "a drive is not broken off")
    well.done()
    assert.isFalse(isOpen(well))
  })
})
