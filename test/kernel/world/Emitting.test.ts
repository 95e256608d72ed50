/** What a device says itself: numbers without holes, signed in lots, told to all; and what it may not say. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { allCodes, type Code } from "../../../kernel/wire/Codes.ts"
import type { Role } from "../../../kernel/wire/Frame.ts"
import { DRAFTS_MAX, SIGNING_MAX } from "../../../kernel/world/Emitting.ts"
import { logOf } from "../../../kernel/world/World.ts"
import { Drive, framesTo, id, type World } from "../drive.ts"
import { read } from "./frames.ts"

const meshOf = (role: Role): World => ({ roles: { a: role, b: "field" }, electors: "b", dialled: "" })

const sensed = (frameId: string, more: object = {}) =>
  ({ _tag: "Sensed", frameId, kind: "observation", data: { metric: "moisture", value: 1 }, ...more }) as const

const framesOf = (commands: ReadonlyArray<Command>, link: number) =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "event" && frame.event === "context.frame" ? [frame.payload] : []
  )

const countOf = ({ node }: Drive, code: Code): number => node.refusals[allCodes.indexOf(code)]!

describe("what a device says", () => {
  it("is numbered from 1, signed, held and told, its tier by its kind", () => {
    const drive = Drive.up(meshOf("field"), "a")
    const { link } = drive.meet("b")
    for (const [i, [kind, tier]] of (
      [
        ["observation", "T2_operational_observation"],
        ["event", "T2_operational_observation"],
        ["human_input", "T3_verified_action_evidence"],
        ["inference", "T0_planning_inference"],
        ["agent_response", "T0_planning_inference"],
        ["capability_update", "T1_unverified_observation"]
      ] as const
    ).entries()) {
      const [frame] = framesOf(read(drive, drive.feed(sensed(`f${i}`, { kind, causes: ["f0"], note: "n" }))), link)
      assert.deepStrictEqual(
        [
          frame?.kernel?.seq,
          frame?.kernel?.incarnation,
          frame?.trust.evidence_trust_tier,
          frame?.kernel?.causes,
          frame?.note
        ],
        [i + 1, 1, tier, ["f0"], "n"]
      )
    }
    assert.strictEqual(logOf(drive.node.world, id("a"), 1)?.next, 7)
  })

  it("is signed in lots, one lot at a time; a key that refuses loses a lot, and no number", () => {
    const drive = Drive.up(meshOf("field"), "a")
    const { link } = drive.meet("b")
    const asked = (commands: ReadonlyArray<Command>) =>
      commands.flatMap((command) => (command._tag === "Sign" ? [command] : []))
    const first = asked(drive.step(sensed("first")))
    assert.strictEqual(first[0]?.payloads.length, 1)
    for (let i = 0; i < 100; i++) assert.deepStrictEqual(asked(drive.step(sensed(`more-${i}`))), [])
    const lost = drive.step({ _tag: "Signed", ticket: first[0]!.ticket, signatures: null })
    assert.strictEqual(countOf(drive, "INTERNAL_ERROR"), 1)
    assert.isTrue(lost.some((command) => command._tag === "Note" && command.event.event === "frame.refused"))
    const [second] = asked(lost)
    assert.strictEqual(second?.payloads.length, SIGNING_MAX)
    const signatures = second!.payloads.map(() => "s")
    const told = framesOf(read(drive, drive.step({ _tag: "Signed", ticket: second!.ticket, signatures })), link)
    assert.deepStrictEqual(told.map(({ kernel }) => kernel!.seq).slice(0, 2), [1, 2])
    // An answer that comes twice is no second one.
    const before = drive.node
    drive.step({ _tag: "Signed", ticket: second!.ticket, signatures })
    assert.strictEqual(drive.node, before)
  })

  it("in the middle of a boot it waits for its end", () => {
    const drive = new Drive({ ...Drive.up(meshOf("field"), "a").config })
    drive.diskWaits = true
    const [persist] = drive.start()
    drive.feed(sensed("early"))
    assert.strictEqual(drive.node.phase, "booting")
    drive.feed({ _tag: "Stored", ticket: persist?._tag === "Persist" ? persist.ticket : -1 })
    assert.strictEqual(drive.node.world.seq, 1)
  })

  it("what it can do comes first (P14.15)", () => {
    const { config } = Drive.up(meshOf("actuator"), "a")
    const drive = new Drive({ ...config, capabilities: ["actuator:pump-1"] })
    drive.start()
    const log = logOf(drive.node.world, id("a"), 1)
    assert.deepStrictEqual(log?.tail.array[0]?.frame.data, {
      capabilities: [{ id: "actuator:pump-1", health: "healthy" }]
    })
  })

  const refused: ReadonlyArray<readonly [string, Role, object, Code]> = [
    ["a viewer says nothing", "viewer", {}, "NOT_AUTHORIZED"],
    ["a sensor concludes nothing", "sensor", { kind: "inference" }, "NOT_AUTHORIZED"],
    ["an actuator is no person", "actuator", { kind: "human_input" }, "NOT_AUTHORIZED"],
    ["half a megabyte passes no lane", "field", { data: { pad: "x".repeat(524_288) } }, "DATA_TOO_LARGE"],
    ["nine causes", "field", { causes: ["a", "b", "c", "d", "e", "f", "g", "h", "i"] }, "INVALID_PARAMS"],
    ["an endless note", "field", { note: "n".repeat(5_000) }, "INVALID_PARAMS"]
  ]
  for (const [what, role, more, code] of refused)
    it(`refused and told: ${what}: ${code}`, () => {
      const drive = Drive.up(meshOf(role), "a")
      const commands = drive.feed(sensed("f", more))
      assert.strictEqual(countOf(drive, code), 1)
      assert.isTrue(commands.some((command) => command._tag === "Note" && command.event.code === code))
      assert.strictEqual(drive.node.world.seq, 0)
    })

  it("what waits for the key has a bound", () => {
    const drive = Drive.up(meshOf("field"), "a")
    for (let i = 0; i < DRAFTS_MAX + 5; i++) drive.step(sensed(`f${i}`))
    assert.strictEqual(drive.node.world.drafts.length, DRAFTS_MAX)
    assert.strictEqual(countOf(drive, "RATE_LIMITED"), 5)
  })
})
