/** B27, S4, C53; P16.11, P17.9: who has to agree, by the policy of the owner, and a sensor that shows what came of it. */
import { assert, describe, it } from "@effect/vitest"
import type { Actuator, Level } from "../../../kernel/actuation/Actuator.ts"
import { commandOf } from "../../../kernel/actuation/Asking.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { LEASE_MS } from "../../../kernel/actuation/Guard.ts"
import { DECISIONS, GUARDIAN } from "../../../kernel/routing/Forwarding.ts"
import { id } from "../drive.ts"
import { signed, unsigned } from "../world/frames.ts"
import { approved, intentOf, proposed, PUMP } from "./facts.ts"
import { ready, Well } from "./Well.ts"

const WITHIN_MS = 4_000
/** As long as a frame over one link may have been under way. */
const { probeDeadlineMaxMs: UNDER_WAY_MS } = profiles.lan

const flow: Actuator["readback"] & object = {
  metric: "flow",
  zone: "north",
  device: null,
  withinMs: WITHIN_MS,
  reads: { open: { atLeast: 1 }, closed: { atMost: 0.1 } }
}

const seen = { metric: "flow", zone: "north", value: 5 } as const

const strict: Partial<Actuator> = { level: "L3", readback: flow }

/** One that a person approved, with the name of the pump, and that moves. */
const opening = (actuator: Partial<Actuator> = strict): Well => {
  const well = ready(actuator)
  // Whoever is to be heard later has its session by then.
  for (const name of ["b", "c", "f"]) well.linkOf(name)
  well.says("d", approved(well.token(), undefined, { typed: "pump" }))
  assert.strictEqual(well.opened.length, 1, "it opens")
  return well
}

describe("L3: who approves types the name of what is moved", () => {
  it("and then a sensor has to show that it moved", () => {
    const well = opening()
    well.done()
    assert.strictEqual(well.proposal()?.status, "approved", "done, says its program, and nobody has seen it yet")
    well.pass(UNDER_WAY_MS)
    well.reads("f", seen)
    assert.strictEqual(well.proposal()?.status, "completed")
    well.pass(5_000)
    assert.strictEqual(well.moved.at(-1)?.state, "closed", "its time is over all the same")
  })

  for (const typed of [undefined, "valve", "PUMP", "actuator:pump", ""])
    it(`nothing moves where that is ${typed === undefined ? "not typed" : JSON.stringify(typed)}`, () => {
      const well = ready(strict)
      well.says("d", approved(well.token(), undefined, typed === undefined ? {} : { typed }))
      assert.deepStrictEqual(well.opened, [])
      assert.strictEqual(well.proposal()?.status, "awaiting_approval", "the decision is void, and not the proposal")
      well.says("d", approved(well.token(), undefined, { typed: " pump " }))
      assert.strictEqual(well.opened.length, 1)
    })

  it("no claim and no lease stands for the person", () => {
    const well = ready(strict)
    well.drive.pass(LEASE_MS)
    const { epoch, journalId } = well.ask("b", GUARDIAN, { lease: PUMP }) as { epoch: number; journalId: string }
    const command = commandOf({
      actuator: PUMP,
      state: "open",
      commandId: "x",
      createdAtMs: 86_400_000 + well.drive.mono,
      tier: "T3_verified_action_evidence",
      evidence: ["human"],
      fence: { intentId: intentOf(), epoch, journalId, forMs: 1_000 }
    })
    assert.strictEqual(well.ask("b", "clawmesh.commands", undefined, { command }), "VERIFICATION_REQUIRED")
    assert.deepStrictEqual(well.opened, [])
  })
})

describe("what no sensor showed", () => {
  const says: { readonly [what: string]: (well: Well) => void } = {
    nothing: () => {},
    "another metric": (well) => well.reads("f", { ...seen, metric: "moisture" }),
    "another zone": (well) => well.reads("f", { ...seen, zone: "south" }),
    "too little": (well) => well.reads("f", { ...seen, value: 0.9 }),
    "a guess of a language model": (well) => well.reads("f", { ...seen, kind: "inference" }),
    "a person's word": (well) => well.reads("f", { ...seen, kind: "human_input" }),
    "something of before it moved": (well) => well.reads("f", { ...seen, ageMs: 1_000 }),
    "something that may have been under way when it moved": (well) => well.reads("f", { ...seen, ageMs: 1 }),
    "something that somebody carried, and took as long": (well) => well.reads("f", { ...seen, hops: 1 }),
    "a number that is a word": (well) =>
      well.brings(signed({ by: "f", seq: well.seq("f") }, { data: { metric: "flow", zone: "north", value: "5" } })),
    "what nobody signed, brought by somebody else": (well) =>
      well.brings(unsigned("f", 1, { data: { metric: "flow", zone: "north", value: 5 } }))
  }
  for (const [what, act] of Object.entries(says))
    it(`${what}: it is made safe, and has failed`, () => {
      const well = opening()
      well.done()
      well.pass(UNDER_WAY_MS)
      act(well)
      well.pass(WITHIN_MS - UNDER_WAY_MS - 1)
      assert.strictEqual(well.moved.at(-1)?.state, "open")
      assert.strictEqual(well.proposal()?.status, "approved")
      well.pass(1)
      assert.strictEqual(well.moved.at(-1)?.state, "closed")
      assert.deepInclude(well.proposal(), { status: "failed", code: "VERIFICATION_REQUIRED" })
      well.done()
      well.reads("f", seen)
      assert.deepInclude(
        well.proposal(),
        { status: "failed", code: "VERIFICATION_REQUIRED" },
        "what comes later is late"
      )
    })

  it("another device than the one that is bound to it", () => {
    const well = opening({ ...strict, readback: { ...flow, device: id("c") } })
    well.done()
    well.pass(UNDER_WAY_MS)
    well.reads("f", seen)
    assert.strictEqual(well.proposal()?.status, "approved")
    well.reads("c", seen)
    assert.strictEqual(well.proposal()?.status, "completed")
  })

  it("while it moves: only a drive that is done is looked at", () => {
    const well = opening()
    well.reads("f", seen)
    assert.strictEqual(well.proposal()?.status, "approved")
    well.done()
    assert.strictEqual(well.proposal()?.status, "approved")
    well.pass(UNDER_WAY_MS)
    well.reads("f", seen)
    assert.strictEqual(well.proposal()?.status, "completed")
  })

  it("a hold does not wait for it", () => {
    const well = opening()
    well.done()
    well.feed({ _tag: "Hold", group: "well", on: true })
    assert.strictEqual(well.moved.at(-1)?.state, "closed")
    assert.deepInclude(well.proposal(), { status: "failed", code: "ON_HOLD" })
  })

  it("nor does its time", () => {
    const well = opening({ ...strict, readback: { ...flow, withinMs: 30_000 } })
    well.done()
    well.pass(5_000)
    assert.strictEqual(well.moved.at(-1)?.state, "closed")
    assert.deepInclude(well.proposal(), { status: "failed", code: "VERIFICATION_REQUIRED" })
  })

  it("nobody knows after a crash", () => {
    const well = opening()
    well.done()
    const later = new Well(strict, well.drive.durable)
    later.sees()
    later.says("b", proposed())
    later.reads("f", seen)
    assert.deepInclude(later.proposal(), { status: "failed", code: "OUTCOME_UNKNOWN" })
  })

  it("nothing else is begun before it is known", () => {
    const well = opening()
    well.done()
    assert.strictEqual(well.ask("b", GUARDIAN, { lease: PUMP }), "TARGET_BUSY")
    well.reads("f", seen)
    well.pass(5_000)
    well.done()
    well.pass(LEASE_MS)
    assert.isObject(well.ask("b", GUARDIAN, { lease: PUMP }))
  })
})

describe("a device's verification of a command under a lease", () => {
  const leased = (verification: "device" | "device_or_human", readback: Actuator["readback"]): Well => {
    const demand = { minimum: "T2_operational_observation", verification } as const
    const well = new Well({ demand, ...(readback === undefined ? {} : { readback }) })
    well.drive.pass(LEASE_MS)
    return well
  }
  const command = (well: Well): unknown => {
    const { epoch, journalId } = well.ask("b", GUARDIAN, { lease: PUMP }) as { epoch: number; journalId: string }
    const said = commandOf({
      actuator: PUMP,
      state: "open",
      commandId: "x",
      createdAtMs: 86_400_000 + well.drive.mono,
      tier: "T2_operational_observation",
      evidence: ["sensor"],
      fence: { intentId: "i1", epoch, journalId, forMs: 5_000 }
    })
    return well.ask("b", "clawmesh.commands", undefined, { command: said })
  }

  for (const verification of ["device", "device_or_human"] as const)
    it(`${verification}: without a sensor nothing moves; with one it is done once that shows it`, () => {
      const bare = leased(verification, undefined)
      assert.strictEqual(command(bare), "VERIFICATION_REQUIRED")
      assert.deepStrictEqual(bare.opened, [])
      const well = leased(verification, flow)
      assert.isNull(command(well))
      assert.strictEqual(well.opened.length, 1)
      well.done()
      const outcome = () => well.drive.durable.ledger?.groups[0]?.intents.at(-1)?.outcome
      assert.strictEqual(outcome(), "started")
      well.pass(UNDER_WAY_MS)
      well.reads("f", seen)
      assert.strictEqual(outcome(), "done")
    })
})

describe("who has to agree", () => {
  const levels: ReadonlyArray<Level> = ["L1", "L2", "L3"]
  for (const level of levels)
    it(`${level} is the guardian's word, for all to read`, () => {
      const well = ready({ level })
      assert.strictEqual(well.proposal()?.level, level)
      assert.strictEqual(well.proposal()?.status, level === "L1" ? "proposed" : "awaiting_approval")
    })

  it("is L2 where nothing is said, and nobody else's word counts", () => {
    const well = ready()
    assert.strictEqual(well.proposal()?.level, "L2")
    well.says("b", { fact: "level", id: intentOf(), level: "L1" })
    assert.deepInclude(well.proposal(), { level: "L2", status: "awaiting_approval" })
  })

  it("is said anew where the policy is another after a restart", () => {
    const well = ready({ level: "L1" })
    well.drive.pass(2_000)
    const later = new Well({ level: "L2" }, well.drive.durable)
    later.sees()
    later.says("b", proposed())
    assert.deepInclude(later.proposal(), { level: "L2", status: "awaiting_approval" })
  })

  it("P17.6: what was done under its name, and was something else, is not what was proposed", () => {
    const well = ready({ demand: { minimum: "T2_operational_observation", verification: "none" } })
    well.drive.pass(LEASE_MS)
    const { epoch, journalId } = well.ask("b", GUARDIAN, { lease: PUMP }) as { epoch: number; journalId: string }
    const command = commandOf({
      actuator: PUMP,
      state: "closed",
      commandId: "x",
      createdAtMs: 86_400_000 + well.drive.mono,
      tier: "T2_operational_observation",
      evidence: ["sensor"],
      fence: { intentId: intentOf(), epoch, journalId, forMs: 0 }
    })
    well.ask("b", "clawmesh.commands", undefined, { command })
    well.done()
    assert.deepInclude(well.proposal(), { status: "failed", code: "ALREADY_DECIDED" })
    assert.strictEqual(well.ask("d", DECISIONS, { token: intentOf() }), "ALREADY_DECIDED")
    assert.deepStrictEqual(well.opened, [])
  })

  it("L1 can be approved by a person as well, and moves once", () => {
    const well = ready({ level: "L1", demand: { minimum: "T2_operational_observation", verification: "none" } })
    well.says("d", approved(well.token()))
    well.done()
    assert.strictEqual(well.opened.length, 1)
    assert.strictEqual(well.proposal()?.status, "completed")
    assert.strictEqual(well.ask("d", DECISIONS, { token: intentOf() }), "ALREADY_DECIDED")
  })

  it("P17.9: of what a leader had done under its lease the guardian says what came of it", () => {
    const well = ready({ level: "L1", demand: { minimum: "T2_operational_observation", verification: "none" } })
    well.drive.pass(LEASE_MS)
    const { epoch, journalId } = well.ask("b", GUARDIAN, { lease: PUMP }) as { epoch: number; journalId: string }
    const command = commandOf({
      actuator: PUMP,
      state: "open",
      commandId: "x",
      createdAtMs: 86_400_000 + well.drive.mono,
      tier: "T2_operational_observation",
      evidence: ["sensor"],
      fence: { intentId: intentOf(), epoch, journalId, forMs: 5_000 }
    })
    well.ask("b", "clawmesh.commands", undefined, { command })
    well.done()
    assert.deepInclude(well.proposal(), { status: "completed", code: null })
  })
})
