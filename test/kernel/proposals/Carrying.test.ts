/** S2, S3, S4, S13; B28, B33, B33a, B34: decisions at the guardian, and all that looks like one. */
import { assert, describe, it } from "@effect/vitest"
import { LEASE_MS } from "../../../kernel/actuation/Guard.ts"
import { PROPOSAL_MS, type Body } from "../../../kernel/proposals/Proposal.ts"
import { TOKEN_MS } from "../../../kernel/proposals/Proposals.ts"
import { DECISIONS, GUARDIAN } from "../../../kernel/routing/Forwarding.ts"
import { id } from "../drive.ts"
import { signed } from "../world/frames.ts"
import { approved, body, frameOf, intentOf, proposed, PUMP } from "./facts.ts"
import { ready, Well } from "./Well.ts"

describe("a decision at the guardian", () => {
  it("is carried out once it comes, under the next epoch, and what came of it is said to all", () => {
    const well = ready()
    const { epoch } = well.drive.durable.ledger!.groups[0]!
    well.says("d", approved(well.token()))
    assert.deepStrictEqual(
      well.opened.map(({ actuator, epoch: under, forMs, intentId }) => [actuator, under, forMs, intentId]),
      [[PUMP, epoch + 1, 5_000, intentOf()]]
    )
    assert.strictEqual(well.proposal()?.status, "approved")
    well.done()
    assert.strictEqual(well.proposal()?.status, "completed")
    assert.deepStrictEqual(well.proposal()?.decided, { by: "asha", at: id("d") })
  })

  it("needs no session with whoever decided, and no lease is held against it", () => {
    const well = ready({ demand: { minimum: "T2_operational_observation", verification: "none" } })
    well.drive.pass(LEASE_MS)
    const lease = well.ask("b", GUARDIAN, { lease: PUMP }) as { readonly epoch: number }
    const way = { originGatewayId: id("d"), kernel: { deadlineMs: 5_000, path: [id("d"), id("c")] } }
    const answer = well.ask("c", DECISIONS, { token: intentOf() }, way) as { readonly token: string }
    well.says("d", approved(answer.token))
    assert.strictEqual(well.opened[0]?.epoch, lease.epoch + 1)
    well.done()
    assert.strictEqual(well.drive.durable.ledger!.groups[0]!.holder, null, "who had the lease has to ask anew")
  })

  it("of two persons at once is one effect", () => {
    const well = ready()
    const [first, second] = [well.token(body, "d"), well.token(body, "f")]
    well.says("d", approved(first))
    well.says("f", approved(second, body, { by: "ravi" }))
    well.done()
    well.says("f", approved(second, body, { by: "ravi" }))
    assert.strictEqual(well.opened.length, 1)
    assert.strictEqual(well.proposal()?.status, "completed")
  })

  it("says again what came of it, where that was lost", () => {
    const well = ready()
    well.says("d", approved(well.token()))
    well.done()
    const later = new Well({}, well.drive.durable)
    later.sees()
    later.says("b", proposed())
    assert.strictEqual(later.ask("d", DECISIONS, { token: intentOf() }), "ALREADY_DECIDED")
    assert.strictEqual(later.proposal()?.status, "completed")
    assert.strictEqual(later.opened.length, 0)
  })
})

describe("a guardian that lost what it had heard", () => {
  it("says what came of a decision, though it hears of that before it hears what it was about", () => {
    const well = ready()
    const decision = approved(well.token())
    well.says("d", decision)
    assert.strictEqual(well.opened.length, 1, "and it falls before it is done")
    const later = new Well({}, well.drive.durable)
    later.says("d", decision)
    later.sees()
    later.says("b", proposed())
    assert.deepInclude(later.proposal(), { status: "failed", code: "OUTCOME_UNKNOWN" })
    assert.deepStrictEqual(later.opened, [])
  })

  it("does not take a decision of which it hears first", () => {
    const later = new Well()
    later.says("d", approved("boot-a-0-1"))
    later.sees()
    later.says("b", proposed())
    assert.strictEqual(later.proposal()?.status, "awaiting_approval")
    assert.deepStrictEqual(later.opened, [])
  })
})

describe("what is no decision moves nothing", () => {
  const other: Body = { ...body, request: "another" }

  const refused: { readonly [what: string]: (well: Well) => void } = {
    "signed by somebody else": (well) => {
      const frame = frameOf("d", 1, approved(well.token()))
      well.brings({ ...frame, kernel: { ...frame.kernel!, signature: "forged" } })
    },
    "for another proposal": (well) => {
      well.says("b", proposed(other))
      well.says("d", approved(well.token(), other))
    },
    "by a viewer": (well) => well.says("e", approved(well.token())),
    "too late": (well) => {
      const token = well.token()
      well.drive.pass(TOKEN_MS)
      well.says("d", approved(token))
    },
    "with other parameters": (well) => well.says("d", approved(well.token(), { ...body, forMs: 60_000 })),
    "under another's token": (well) => well.says("d", approved(well.token(body, "f"))),
    "under a token of nobody": (well) => {
      well.token()
      well.says("d", approved("boot-a-1-99"))
    },
    "under a token of an earlier life": (well) => {
      const token = well.token()
      const { bootId } = well.drive
      assert.include(token, bootId)
      well.says("d", approved(token.replace(bootId, "boot-a-0")))
    },
    "of one that somebody said no to": (well) => {
      const token = well.token()
      well.says("f", { fact: "reject", id: intentOf(), by: "ravi" })
      well.says("d", approved(token))
    },
    "of one that nobody proposed": (well) => well.says("d", approved("boot-a-1-1", other)),
    "as a device's word": (well) => {
      const frame = frameOf("d", 1, approved(well.token()))
      well.brings(signed({ by: "d", seq: 1, kind: "event" }, { data: frame.data }))
    }
  }

  for (const [what, act] of Object.entries(refused))
    it(what, () => {
      const well = ready()
      act(well)
      well.drive.pass(1_000)
      assert.deepStrictEqual(well.opened, [])
    })

  it("twice, the second time after a restart in between", () => {
    const well = ready()
    const decision = approved(well.token())
    well.says("d", decision)
    well.done()
    const later = new Well({}, well.drive.durable)
    later.sees()
    later.says("b", proposed())
    later.says("d", decision)
    assert.deepStrictEqual(later.opened, [])
    assert.strictEqual(later.proposal()?.status, "completed")
  })
})

describe("nobody gets a token", () => {
  const codes: { readonly [what: string]: readonly [code: string, prepare: () => Well] } = {
    "of what is not known": ["NOT_FOUND", () => new Well()],
    "of what rests on nothing that is known": [
      "EVIDENCE_CHANGED",
      () => {
        const well = new Well()
        well.seq("b")
        well.says("b", proposed())
        return well
      }
    ],
    "of what rests on a language model alone": [
      "LLM_ONLY_ACTUATION_BLOCKED",
      () => {
        const well = new Well()
        well.sees("b", "inference")
        well.says("b", proposed())
        return well
      }
    ],
    "of what rests on too little": [
      "INSUFFICIENT_TRUST_TIER",
      () => ready({ demand: { minimum: "T3_verified_action_evidence", verification: "human" } })
    ],
    "of what rests on something old": [
      "EVIDENCE_TOO_OLD",
      () => {
        const well = new Well()
        well.sees("b", "observation", 3_700_000)
        well.says("b", proposed())
        return well
      }
    ],
    "where a device has to verify it": [
      "VERIFICATION_REQUIRED",
      () => ready({ demand: { minimum: "T2_operational_observation", verification: "device" } })
    ],
    "of what its planner may not have moved": ["NOT_ALLOWED", () => ready({ askers: ["standby-planner"] })],
    "of a state that it has not": ["NOT_ALLOWED", () => ready({ states: ["closed"] })],
    "of what nobody decided in time": [
      "EXPIRED_COMMAND",
      () => {
        const well = ready()
        well.drive.pass(PROPOSAL_MS)
        return well
      }
    ],
    "of what somebody said no to": [
      "ALREADY_DECIDED",
      () => {
        const well = ready()
        well.says("f", { fact: "reject", id: intentOf(), by: "ravi" })
        return well
      }
    ]
  }
  for (const [what, [code, prepare]] of Object.entries(codes))
    it(what, () => {
      assert.strictEqual(prepare().ask("d", DECISIONS, { token: intentOf() }), code)
    })

  it("while it moves", () => {
    const well = ready()
    well.feed({ _tag: "Hold", group: "well", on: true })
    assert.strictEqual(well.ask("d", DECISIONS, { token: intentOf() }), "TARGET_BUSY")
  })
})

describe("what a guardian cannot do any more it says", () => {
  it("on hold", () => {
    const well = ready()
    const token = well.token()
    well.feed({ _tag: "Hold", group: "well", on: true })
    well.done()
    well.says("d", approved(token))
    assert.deepStrictEqual(well.opened, [])
    assert.deepInclude(well.proposal(), { status: "failed", code: "ON_HOLD" })
  })

  it("too late", () => {
    const well = ready()
    const token = well.token()
    well.drive.pass(TOKEN_MS)
    well.says("d", approved(token))
    assert.strictEqual(well.proposal()?.status, "awaiting_approval", "the decision is void, and not the proposal")
    well.says("d", approved(well.token()))
    assert.strictEqual(well.opened.length, 1)
  })

  it("it is not as it was when somebody looked", () => {
    const other: Body = { ...body, request: "another", again: true }
    const well = ready()
    well.says("b", proposed(other))
    const [first, second] = [well.token(), well.token(other)]
    well.says("d", approved(first))
    well.done()
    well.says("d", approved(second, other))
    assert.deepInclude(well.proposal(other), { status: "failed", code: "PRECONDITION_FAILED" })
  })

  it("the drive failed", () => {
    const well = ready()
    well.says("d", approved(well.token()))
    well.done(false)
    assert.deepInclude(well.proposal(), { status: "failed", code: "DELIVERY_FAILED" })
  })

  it("a decision that is none is void, and can be made again", () => {
    const well = ready()
    well.says("d", approved("boot-a-0-1"))
    assert.strictEqual(well.proposal()?.status, "awaiting_approval")
    well.says("d", approved(well.token()))
    assert.strictEqual(well.opened.length, 1)
  })
})

describe("without a decision", () => {
  it("a lease moves nothing where a person has to decide", () => {
    const well = ready()
    well.drive.pass(LEASE_MS)
    const lease = well.ask("b", GUARDIAN, { lease: PUMP }) as { readonly epoch: number; readonly journalId: string }
    const command = {
      version: 1,
      kind: "clawmesh.command",
      commandId: "i1",
      createdAtMs: 86_400_000 + well.drive.mono,
      target: { kind: "capability", ref: PUMP },
      operation: { name: "set", params: { state: "open" } },
      trust: {
        action_type: "actuation",
        evidence_trust_tier: "T3_verified_action_evidence",
        minimum_trust_tier: "T2_operational_observation",
        verification_required: "none",
        verification_satisfied: true,
        evidence_sources: ["human"],
        approved_by: ["asha"]
      },
      kernel: { intentId: "i1", journalId: lease.journalId, epoch: lease.epoch, forMs: 5_000 }
    }
    assert.strictEqual(well.ask("b", "clawmesh.commands", undefined, { command }), "VERIFICATION_REQUIRED")
    assert.deepStrictEqual(well.opened, [])
  })

  it("no program says facts of proposals as if they were its own", () => {
    const well = ready()
    const { data, kind } = frameOf("a", 1, approved(well.token()))
    const commands = well.feed({ _tag: "Sensed", frameId: "mine", kind, data })
    assert.isTrue(
      commands.some((command) => command._tag === "Note" && command.event.event === "frame.refused"),
      "it is refused"
    )
    assert.deepStrictEqual(well.opened, [])
  })
})
