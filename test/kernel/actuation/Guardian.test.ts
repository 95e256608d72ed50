/** P16.3 to P16.8; S2, S3, S13: the guardian of one pump, as whoever asks it sees it. */
import { assert, describe, it } from "@effect/vitest"
import type { Actuator } from "../../../kernel/actuation/Actuator.ts"
import { AGAIN_MS, anew, DRIVE_MS, LEASE_MS, RETRY_MAX_MS, RETRY_MS } from "../../../kernel/actuation/Guard.ts"
import { COMMAND_AGE_MAX_MS } from "../../../kernel/actuation/Command.ts"
import { onDriven, open } from "../../../kernel/actuation/Guardian.ts"
import { CERTIFYING_MAX } from "../../../kernel/actuation/Takeover.ts"
import type { Command } from "../../../kernel/Command.ts"
import * as Durable from "../../../kernel/Durable.ts"
import { voteString } from "../../../kernel/identity/Handshake.ts"
import { GUARDIAN } from "../../../kernel/routing/Forwarding.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import {
  bareTurn,
  configOf,
  Drive,
  framesTo,
  id,
  keyOf,
  sign,
  signedGoodbye,
  type Given,
  type World
} from "../drive.ts"
import { read } from "../world/frames.ts"

const farm: World = { roles: { a: "planner", b: "planner", c: "standby-planner", f: "field" }, dialled: "" }

const pump: Actuator = {
  ref: "actuator:pump",
  group: "well",
  states: ["open", "closed"],
  safe: "closed",
  forMsMax: 60_000,
  demand: { minimum: "T2_operational_observation", verification: "none" },
  askers: ["planner", "standby-planner"]
}

const TRUST = {
  action_type: "actuation",
  evidence_trust_tier: "T2_operational_observation",
  minimum_trust_tier: "T2_operational_observation",
  verification_required: "none",
  evidence_sources: ["sensor"]
}

interface Lease {
  readonly epoch: number
  readonly journalId: string
  readonly state: string
}

type Moved = Extract<Command, { readonly _tag: "Drive" }>

interface Wanted {
  readonly state?: string
  readonly forMs?: number
  readonly more?: object
  readonly trust?: object
  readonly name?: string
  readonly createdAtMs?: number
}

class Well {
  readonly drive: Drive
  private requests = 0
  /** Everything that moved anything. */
  readonly moved: Array<Moved> = []

  constructor(durable = Durable.empty, rested = true, world = farm) {
    this.drive = new Drive({ ...configOf(world, "a"), actuators: [pump] }, { durable })
    this.note(this.drive.start())
    this.done()
    if (rested) this.pass(LEASE_MS)
  }

  private note(commands: ReadonlyArray<Command>): ReadonlyArray<Command> {
    for (const command of commands) if (command._tag === "Drive") this.moved.push(command)
    return commands
  }

  feed(input: Given): ReadonlyArray<Command> {
    return this.note(read(this.drive, this.drive.feed(input)))
  }

  pass(ms: number): void {
    this.note(this.drive.pass(ms))
  }

  /** The last drive is done, or came to nothing. */
  done(ok = true): ReadonlyArray<Command> {
    return this.feed({ _tag: "Driven", ticket: this.moved.at(-1)!.ticket, ok })
  }

  /** What `from` is answered: what it has to say, or a code; `null`: nothing yet. */
  ask(from: string, more: object): unknown {
    const key = `k${++this.requests}`
    const params = { channel: GUARDIAN, to: id("a"), originGatewayId: id(from), idempotencyKey: key, ...more }
    if (from === "a") {
      for (const command of this.feed({ _tag: "Asked", call: this.requests, params }))
        if (command._tag === "Answered") return command.outcome.ok ? command.outcome.result : command.outcome.code
      return null
    }
    const { link } = this.drive.meet(from)
    const frame = { type: "req", id: key, method: "mesh.message.forward", params } as Frame
    for (const answer of framesTo(this.note(read(this.drive, this.drive.receive(link, frame))), link))
      if (answer.type === "res" && answer.id === key)
        return answer.ok ? (answer.payload as { readonly result?: unknown }).result : answer.error.code
    return null
  }

  lease(from = "a", calendarMs?: number): Lease {
    const lease = this.ask(from, { message: { lease: pump.ref, ...(calendarMs === undefined ? {} : { calendarMs }) } })
    assert.isObject(lease, `${from} gets a lease, and not ${String(lease)}`)
    return lease as Lease
  }

  wants(lease: Pick<Lease, "epoch" | "journalId">, intentId: string, wanted: Wanted = {}, from = "a"): unknown {
    const {
      createdAtMs = 86_400_000 + this.drive.mono,
      forMs = 5_000,
      more = {},
      name = "set",
      state = "open"
    } = wanted
    const { epoch, journalId } = lease
    return this.ask(from, {
      command: {
        version: 1,
        kind: "clawmesh.command",
        commandId: intentId,
        createdAtMs,
        target: { kind: "capability", ref: pump.ref },
        operation: { name, params: { state } },
        trust: wanted.trust ?? TRUST,
        kernel: { intentId, journalId, epoch, forMs, ...more }
      }
    })
  }

  /** It opens, and is open. */
  opens(lease: Lease, intentId: string, forMs = 5_000): void {
    const before = this.moved.length
    assert.isNull(this.wants(lease, intentId, { forMs }))
    assert.lengthOf(this.moved, before + 1)
    this.done()
  }

  get states(): ReadonlyArray<string> {
    return this.moved.map(({ state }) => state)
  }
}

describe("a lease", () => {
  it("P16.4: is nobody's for ten seconds after a start; then one has it, under the next epoch, and renews it", () => {
    const well = new Well(Durable.empty, false)
    assert.strictEqual(well.ask("b", { message: { lease: pump.ref } }), "TARGET_BUSY")
    well.pass(LEASE_MS)
    const first = well.lease("b")
    assert.deepInclude(first, { epoch: 2, state: "closed" })
    assert.strictEqual(well.ask("c", { message: { lease: pump.ref } }), "TARGET_BUSY")
    assert.deepStrictEqual(well.lease("b"), first)
    well.pass(LEASE_MS - 1)
    assert.strictEqual(well.ask("c", { message: { lease: pump.ref } }), "TARGET_BUSY")
    well.pass(1)
    assert.deepInclude(well.lease("c"), { epoch: 3 })
  })

  it("P16.3: is for those roles that the actuator names, and for what this node owns", () => {
    const well = new Well()
    assert.strictEqual(well.ask("f", { message: { lease: pump.ref } }), "NOT_ALLOWED")
    assert.strictEqual(well.ask("b", { message: { lease: "actuator:other" } }), "DELIVERY_FAILED")
    assert.strictEqual(well.ask("b", { message: "lease" }), "DELIVERY_FAILED")
  })

  it("P16.4: a later life of its holder is another holder", () => {
    const well = new Well()
    well.lease("b")
    well.drive.meet("b", { incarnation: 2 })
    const params = {
      channel: GUARDIAN,
      to: id("a"),
      originGatewayId: id("b"),
      idempotencyKey: "x",
      message: { lease: pump.ref }
    }
    const { link } = well.drive.meet("b", { incarnation: 2 })
    const frame = { type: "req", id: "x", method: "mesh.message.forward", params } as Frame
    const [answer] = framesTo(read(well.drive, well.drive.receive(link, frame)), link)
    assert.deepInclude(answer, { type: "res", ok: false })
  })
})

/** Guarded by `a`, which elects nobody itself. */
const elects: World = { ...farm, electors: "bcf" }

const certificate = (
  leader: string,
  counter: number,
  {
    by = "bf",
    incarnation = 1,
    manifest = 1,
    meshId = "mesh",
    signs = (name: string): string => name
  }: {
    readonly by?: string
    readonly incarnation?: number
    readonly manifest?: number
    readonly meshId?: string
    readonly signs?: (name: string) => string
  } = {}
) => {
  const payload = voteString({ meshId, meshKey: "operator", manifest, counter, leader: id(leader), incarnation })
  return {
    meshId,
    term: { manifest, counter },
    leader: id(leader),
    incarnation,
    votes: [...by].map((name) => ({
      elector: id(name),
      publicKey: keyOf(name),
      signature: sign(keyOf(signs(name)), payload)
    }))
  }
}

const asks = (shown: unknown) => ({ message: { lease: pump.ref, certificate: shown } })

describe("a holder that takes its leave", () => {
  const session = ({ drive }: Well, name: string): number => drive.contact(name).session!

  it("P16.4: has its lease no more, by its own word or by another's", () => {
    for (const tell of [
      (well: Well) =>
        well.drive.hear(session(well, "b"), "peer.leaving", {
          gen: 1,
          deviceId: id("b"),
          timestamp: 0,
          incarnation: 1
        }),
      (well: Well) => well.drive.hear(session(well, "c"), "mesh.goodbyes", { goodbyes: [signedGoodbye("b")] })
    ]) {
      const well = new Well()
      const { epoch } = well.lease("b")
      assert.strictEqual(well.ask("c", { message: { lease: pump.ref } }), "TARGET_BUSY")
      tell(well)
      assert.deepInclude(well.lease("c"), { epoch: epoch + 1 })
    }
  })

  it("P16.4: a goodbye of an earlier life takes nothing from a later one", () => {
    const well = new Well()
    const { epoch } = well.lease("b")
    well.drive.hear(session(well, "b"), "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0, incarnation: 0 })
    well.drive.meet("c")
    well.drive.hear(session(well, "c"), "mesh.goodbyes", { goodbyes: [signedGoodbye("b", { incarnation: 0 })] })
    assert.strictEqual(well.ask("c", { message: { lease: pump.ref } }), "TARGET_BUSY")
    assert.deepInclude(well.lease("b"), { epoch })
  })
})

describe("a take-over", () => {
  it("P16.10: who shows the votes of a higher term has the lease at once, under the next epoch; the one before has it no more", () => {
    const well = new Well(Durable.empty, true, elects)
    const old = well.lease("b")
    well.drive.meet("c")
    assert.strictEqual(well.ask("c", { message: { lease: pump.ref } }), "TARGET_BUSY")
    assert.deepInclude(well.ask("c", asks(certificate("c", 7))), { epoch: old.epoch + 1, state: "closed" })
    assert.strictEqual(well.wants(old, "late", {}, "b"), "STALE_EPOCH")
    assert.deepStrictEqual(well.drive.durable.ledger!.groups[0]!.term, { manifest: 1, counter: 7 })
    // It goes on, and is verified once.
    assert.deepInclude(well.ask("c", asks(certificate("c", 7))), { epoch: old.epoch + 1 })
    assert.deepInclude(well.ask("c", { message: { lease: pump.ref } }), { epoch: old.epoch + 1 })
  })

  it("P16.10: of a lower term, and of one that another had, nobody has it; not even once it is free, nor after a restart", () => {
    const well = new Well(Durable.empty, true, elects)
    well.ask("c", asks(certificate("c", 7)))
    assert.strictEqual(well.ask("b", asks(certificate("b", 6))), "STALE_TERM")
    assert.strictEqual(well.ask("b", asks(certificate("b", 7))), "TARGET_BUSY", "no two win one term but by lies")
    well.pass(LEASE_MS)
    assert.strictEqual(well.ask("b", asks(certificate("b", 6))), "STALE_TERM")
    const again = new Well(well.drive.durable, true, elects)
    assert.strictEqual(again.ask("b", asks(certificate("b", 6))), "STALE_TERM")
    assert.deepInclude(again.ask("b", asks(certificate("b", 8))), { state: "closed" })
  })

  const faults: ReadonlyArray<readonly [what: string, shown: unknown, code: string]> = [
    ["that does not read", { leader: id("c") }, "INVALID_PARAMS"],
    ["that is no object", "c", "INVALID_PARAMS"],
    ["of another mesh", certificate("c", 7, { meshId: "other" }), "MESH_ID_MISMATCH"],
    ["of an old list of electors", certificate("c", 7, { manifest: 0 }), "STALE_TERM"],
    ["with too few votes", certificate("c", 7, { by: "b" }), "NOT_AUTHORIZED"],
    ["with one vote twice", certificate("c", 7, { by: "bb" }), "NOT_AUTHORIZED"],
    ["with the vote of who has none", certificate("c", 7, { by: "ba" }), "NOT_AUTHORIZED"],
    ["for somebody else", certificate("b", 7), "NOT_AUTHORIZED"],
    ["for another life", certificate("c", 7, { incarnation: 2 }), "NOT_AUTHORIZED"],
    ["with a forged vote", certificate("c", 7, { signs: (name) => (name === "f" ? "c" : name) }), "AUTH_FAILED"],
    ["with votes for another term", { ...certificate("c", 7), votes: certificate("c", 6).votes }, "AUTH_FAILED"],
    [
      "with the keys of others",
      { ...certificate("c", 7), votes: certificate("c", 7).votes.map((vote) => ({ ...vote, publicKey: keyOf("c") })) },
      "AUTH_FAILED"
    ]
  ]
  for (const [what, shown, code] of faults)
    it(`P16.10: a certificate ${what} is ${code}, and takes nothing from anybody`, () => {
      const well = new Well(Durable.empty, true, elects)
      const { epoch } = well.lease("b")
      assert.strictEqual(well.ask("c", asks(shown)), code)
      assert.deepInclude(well.lease("b"), { epoch })
    })

  it("P16.10: one forged vote more takes nothing from those that are true", () => {
    const well = new Well(Durable.empty, true, elects)
    well.lease("b")
    const shown = certificate("c", 7, { by: "fcb", signs: (name) => (name === "f" ? "c" : name) })
    assert.deepInclude(well.ask("c", asks(shown)), { state: "closed" })
  })

  it("P16.10: while keys do not answer nobody has it by that, and no more than four wait", () => {
    const well = new Well(Durable.empty, true, { ...farm, electors: "abf" })
    const { epoch } = well.lease("b")
    well.drive.keysWait = true
    for (let counter = 1; counter <= CERTIFYING_MAX; counter++)
      assert.isNull(well.ask("a", asks(certificate("a", counter))))
    assert.lengthOf(well.drive.node.guardian.certifying, CERTIFYING_MAX)
    assert.strictEqual(well.ask("a", asks(certificate("a", 9))), "RATE_LIMITED")
    assert.strictEqual(well.drive.durable.ledger!.groups[0]!.epoch, epoch)
    well.pass(LEASE_MS)
    assert.isNull(well.ask("a", asks(certificate("a", 9))))
    assert.lengthOf(well.drive.node.guardian.certifying, 1, "who asked too long ago waits no longer")
    well.drive.keysWait = false
    const answers = read(well.drive, well.drive.release()).filter(({ _tag }) => _tag === "Answered")
    assert.lengthOf(answers, 1)
    assert.deepInclude(well.drive.durable.ledger!.groups[0], { epoch: epoch + 1, term: { manifest: 1, counter: 9 } })
  })

  it("P16.4: right after a start no certificate helps", () => {
    const well = new Well(Durable.empty, false, elects)
    assert.strictEqual(well.ask("c", asks(certificate("c", 7))), "TARGET_BUSY")
  })
})

describe("a command", () => {
  it("P16.6, S3: moves the pump once, is answered when it has, and again as before", () => {
    const well = new Well()
    const lease = well.lease()
    const before = well.moved.length
    assert.isNull(well.wants(lease, "i1"))
    assert.strictEqual(well.wants(lease, "i1"), null, "under way: it waits as well")
    const answers = well.done().filter(({ _tag }) => _tag === "Answered")
    assert.lengthOf(answers, 2)
    assert.deepStrictEqual(well.wants(lease, "i1"), { state: "open" })
    assert.deepStrictEqual(
      well.moved.slice(before).map(({ epoch, forMs, intentId, state }) => [state, intentId, forMs, epoch]),
      [["open", "i1", 5_000, lease.epoch]]
    )
  })

  it("P16.5, C52: is not carried out after a newer one of the same lease, whatever became of that one", () => {
    const well = new Well()
    const lease = well.lease()
    const says = (intentId: string, n: number, more: object = {}) =>
      well.wants(lease, intentId, { more: { n, ...more } })
    assert.isNull(says("i2", 2))
    assert.strictEqual(says("i3", 3, { again: true }), "TARGET_BUSY")
    well.done()
    assert.strictEqual(says("i1", 1, { again: true }), "STALE_EPOCH")
    assert.strictEqual(says("i3", 3, { again: true }), "STALE_EPOCH", "refused is refused: it has to be said anew")
    assert.deepStrictEqual(says("i2", 2), { state: "open" }, "what was done is answered as before")
    assert.isNull(says("i3", 4, { again: true }))
    well.done()
    well.pass(LEASE_MS)
    well.done()
    const next = well.lease("b")
    assert.isNull(well.wants(next, "i5", { more: { n: 1, again: true } }, "b"), "another lease counts anew")
  })

  it("P16.6: moves nothing before its intent is on the disk", () => {
    const well = new Well()
    const lease = well.lease()
    well.drive.diskWaits = true
    const before = well.moved.length
    well.wants(lease, "i1")
    assert.lengthOf(well.moved, before)
    assert.strictEqual(well.drive.durable.ledger!.groups[0]!.intents.length, 0)
    well.feed({ _tag: "Stored", ticket: well.drive.node.tickets })
    assert.lengthOf(well.moved, before + 1)
  })

  it("P16.7: what is open is closed when its time is up", () => {
    const well = new Well()
    well.opens(well.lease(), "i1", 5_000)
    well.pass(4_999)
    assert.strictEqual(well.states.at(-1), "open")
    well.pass(1)
    assert.strictEqual(well.states.at(-1), "closed")
  })

  it("P16.7, B36: what is open is closed before it says goodbye; what moves then is left to its own clock", () => {
    const well = new Well()
    well.opens(well.lease(), "i1")
    well.feed({ _tag: "Leave", reason: "asked to" })
    assert.deepStrictEqual(well.states.slice(-2), ["open", "closed"])
    assert.strictEqual(well.drive.node.phase, "left")

    const moving = new Well()
    moving.wants(moving.lease(), "i1")
    moving.feed({ _tag: "Leave", reason: "asked to" })
    assert.deepStrictEqual(moving.states, ["closed", "open"])

    const closed = new Well()
    closed.feed({ _tag: "Leave", reason: "asked to" })
    assert.deepStrictEqual(closed.states, ["closed"], "the one of its start")
  })

  it("P16.6: a drive that does not answer is of unknown outcome, and made safe", () => {
    const well = new Well()
    const lease = well.lease()
    well.wants(lease, "i1")
    well.pass(DRIVE_MS)
    assert.strictEqual(well.states.at(-1), "closed")
    well.done()
    assert.strictEqual(well.wants(lease, "i1"), "OUTCOME_UNKNOWN")
  })

  it("P16.7: a drive that failed is made safe, and says so", () => {
    const well = new Well()
    const lease = well.lease()
    well.wants(lease, "i1")
    well.done(false)
    assert.strictEqual(well.states.at(-1), "closed")
    assert.strictEqual(well.wants(lease, "i1"), "DELIVERY_FAILED")
  })

  it("P16.7: what fails is tried again at once, and then ever more seldom; what works counts anew", () => {
    const well = new Well()
    well.wants(well.lease(), "i1")
    const tries = (): number => well.moved.length
    const before = tries()
    well.done(false)
    assert.strictEqual(tries(), before + 1, "it may be open")
    for (const waitMs of [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]) {
      well.done(false)
      const n = tries()
      well.pass(waitMs - 1)
      assert.strictEqual(tries(), n)
      assert.strictEqual(well.wants(well.lease(), `i-${waitMs}`, { more: { again: true } }), "TARGET_BUSY")
      well.pass(1)
      assert.strictEqual(tries(), n + 1)
    }
    for (let n = 0; n < 20; n++) {
      well.done(false)
      well.pass(RETRY_MAX_MS)
    }
    const n = tries()
    well.done(true)
    well.pass(RETRY_MAX_MS)
    assert.strictEqual(tries(), n, "it is safe")
    assert.isNull(well.wants(well.lease(), "i2", { more: { again: true } }))
  })

  it("P16.6: what was begun before a crash is unknown after it, and never driven", () => {
    const well = new Well()
    well.wants(well.lease(), "i1")
    const next = new Well(well.drive.durable)
    assert.deepStrictEqual(next.states, ["closed"])
    assert.strictEqual(next.wants(next.lease(), "i1"), "OUTCOME_UNKNOWN")
    assert.deepStrictEqual(next.states, ["closed"])
  })

  const cases: ReadonlyArray<readonly [string, string, Wanted, Partial<Lease>]> = [
    ["a lower epoch", "STALE_EPOCH", {}, { epoch: 1 }],
    ["a higher epoch", "STALE_EPOCH", {}, { epoch: 9 }],
    ["another journal", "TARGET_CHANGED", {}, { journalId: "another" }],
    ["a state that it does not have", "NOT_ALLOWED", { state: "half" }, {}],
    ["a relative verb", "NOT_ALLOWED", { name: "toggle" }, {}],
    ["longer than it may", "NOT_ALLOWED", { forMs: 60_001 }, {}],
    ["without an end", "NOT_ALLOWED", { forMs: 0 }, {}],
    ["made too long ago", "EXPIRED_COMMAND", { createdAtMs: 0 }, {}],
    ["another state than it is in", "PRECONDITION_FAILED", { more: { when: "open" } }, {}],
    ["a language model alone", "LLM_ONLY_ACTUATION_BLOCKED", { trust: { ...TRUST, evidence_sources: ["llm"] } }, {}],
    [
      "less than its owner asks for",
      "INSUFFICIENT_TRUST_TIER",
      {
        trust: {
          ...TRUST,
          evidence_trust_tier: "T1_unverified_observation",
          minimum_trust_tier: "T0_planning_inference"
        }
      },
      {}
    ]
  ]
  it.each(cases)("P16.5: refused: %s", (_, code, wanted, lease) => {
    const well = new Well()
    const before = well.moved.length
    assert.strictEqual(well.wants({ ...well.lease(), ...lease }, "i1", wanted), code)
    assert.lengthOf(well.moved, before)
  })

  it("P16.5: how old a command is follows from the calendar that its sender had when it asked for the lease", () => {
    const well = new Well()
    const handshake = 86_400_000 + well.drive.mono
    for (const [n, ahead] of [-3_600_000, 0, 3_600_000].entries()) {
      const now = handshake + ahead
      const lease = well.lease("b", now)
      const late = { createdAtMs: now - COMMAND_AGE_MAX_MS - 1_000 }
      assert.strictEqual(well.wants(lease, `old-${n}`, late, "b"), "EXPIRED_COMMAND", `${ahead} ms`)
      assert.isNull(well.wants(lease, `i-${n}`, { createdAtMs: now, more: { again: true } }, "b"), `${ahead} ms`)
      well.done()
      well.pass(5_000)
      well.done()
    }
    // What is no time is as if nothing had been said.
    const lease = well.lease("b", Number.MAX_VALUE)
    assert.isNull(well.wants(lease, "i-9", { more: { again: true } }, "b"))
  })

  it("P16.5, S2: of one who has no lease, or had one", () => {
    const well = new Well()
    const lease = well.lease("b")
    assert.strictEqual(well.wants(lease, "i1", {}, "c"), "STALE_EPOCH")
    well.pass(LEASE_MS)
    assert.strictEqual(well.wants(lease, "i1", {}, "b"), "STALE_EPOCH")
  })

  it("P16.5: the same within ten minutes only if that is meant; closing always", () => {
    const well = new Well()
    well.opens(well.lease(), "i1", 1_000)
    well.pass(1_000)
    well.done()
    assert.strictEqual(well.wants(well.lease(), "i2"), "DUPLICATE_PROPOSAL")
    for (const intentId of ["i3", "i4"]) {
      assert.isNull(well.wants(well.lease(), intentId, { state: "closed" }))
      well.done()
    }
    assert.isNull(well.wants(well.lease(), "i5", { more: { again: true }, forMs: 1_000 }))
    well.done()
    well.pass(1_000)
    well.done()
    well.pass(AGAIN_MS)
    assert.isNull(well.wants(well.lease(), "i6"))
  })
})

describe("a hold", () => {
  const hold = (well: Well, on: boolean) => well.feed({ _tag: "Hold", group: null, on })

  it("P16.8, S13: makes safe at once; nothing opens until it is released, over restarts; closing is allowed", () => {
    const well = new Well()
    well.opens(well.lease(), "i1")
    hold(well, true)
    assert.strictEqual(well.states.at(-1), "closed")
    well.done()
    assert.strictEqual(well.wants(well.lease(), "i2"), "ON_HOLD")
    assert.isNull(well.wants(well.lease(), "i3", { state: "closed" }))
    const next = new Well(well.drive.durable)
    assert.strictEqual(next.wants(next.lease(), "i4", { more: { again: true } }), "ON_HOLD")
    hold(next, false)
    assert.isNull(next.wants(next.lease(), "i5", { more: { again: true } }))
  })

  it("P16.8: that comes while an intent is on its way to the disk comes first", () => {
    const well = new Well()
    const lease = well.lease()
    well.drive.diskWaits = true
    well.wants(lease, "i1")
    const intended = well.drive.node.tickets
    hold(well, true)
    well.feed({ _tag: "Stored", ticket: intended })
    assert.notInclude(well.states, "open")
  })

  it("P16.8: is heeded at once also where drives fail, and are tried ever more seldom", () => {
    const well = new Well()
    well.wants(well.lease(), "i1")
    for (let n = 0; n < 6; n++) {
      const { length } = well.moved
      well.done(false)
      while (well.moved.length === length) well.pass(100)
    }
    const before = well.moved.length
    hold(well, true)
    assert.lengthOf(well.moved, before, "one is under way")
    well.done(false)
    assert.lengthOf(well.moved, before + 1)
    well.done(false)
    assert.lengthOf(well.moved, before + 1)
  })

  const asked = (well: Well, from: string, hold: unknown = pump.ref) => well.ask(from, { message: { hold } })

  it("P16.9: whoever is trusted may hold from elsewhere, whatever may move it; it is answered once it is stored", () => {
    const well = new Well()
    well.opens(well.lease(), "i1")
    assert.strictEqual(well.ask("f", { message: { lease: pump.ref } }), "NOT_ALLOWED")
    assert.deepStrictEqual(asked(well, "f"), { group: "well" })
    assert.strictEqual(well.states.at(-1), "closed")
    well.done()
    assert.deepStrictEqual(asked(well, "b"), { group: "well" }, "it is held already")
    const next = new Well(well.drive.durable)
    assert.strictEqual(next.wants(next.lease(), "i2"), "ON_HOLD", "over a restart")
    assert.strictEqual(well.wants(well.lease(), "i2"), "ON_HOLD")
    hold(well, false)
    assert.isNull(well.wants(well.lease(), "i3", { more: { again: true } }), "a person at it lets go")
  })

  it("P16.9: not before: several wait for one record, and learn it if a person lets go meanwhile", () => {
    const well = new Well()
    well.drive.diskWaits = true
    const { length } = well.drive.node.durable.ledger!.groups
    assert.deepStrictEqual([asked(well, "f"), asked(well, "a"), length], [null, null, 1])
    const { tickets } = well.drive.node
    const answers = (commands: ReadonlyArray<Command>) =>
      commands.flatMap((command) =>
        command._tag === "Answered" ? [command.outcome.ok ? command.outcome.result : command.outcome.code] : []
      )
    assert.deepStrictEqual(answers(well.feed({ _tag: "Stored", ticket: tickets })), [{ group: "well" }])
    hold(well, false)
    assert.deepStrictEqual([asked(well, "f"), asked(well, "a")], [null, null])
    hold(well, false)
    assert.deepStrictEqual(answers(well.feed({ _tag: "Stored", ticket: well.drive.node.tickets })), ["TARGET_CHANGED"])
  })

  it("P16.9: of nothing, of what is not here, and of no name holds nothing", () => {
    const well = new Well()
    assert.strictEqual(asked(well, "f", "actuator:another"), "DELIVERY_FAILED")
    assert.strictEqual(asked(well, "f", 7), "DELIVERY_FAILED")
    assert.strictEqual(asked(well, "f", ""), "DELIVERY_FAILED")
    assert.isFalse(well.drive.durable.ledger!.groups[0]!.hold)
  })

  it("P16.8: whoever lost its journal begins with one", () => {
    const lost = Durable.apply(Durable.empty, { _tag: "Forgot", manifest: 1 })
    const well = new Well(lost)
    assert.strictEqual(well.wants(well.lease(), "i1"), "ON_HOLD")
  })

  it("P16.8: said while it boots, it is on hold before anything opens; of another group it is nothing to it", () => {
    const board = new Drive({ ...configOf(farm, "a"), actuators: [pump] })
    const [persist] = board.step({ _tag: "Started", bootId: board.bootId, durable: Durable.empty })
    assert.strictEqual(board.node.phase, "booting")
    const before = board.node
    board.step({ _tag: "Hold", group: "another", on: true })
    assert.strictEqual(board.node, before)
    board.step({ _tag: "Hold", group: "well", on: true })
    board.feed({ _tag: "Stored", ticket: persist?._tag === "Persist" ? persist.ticket : -1 })
    assert.isTrue(board.durable.ledger!.groups[0]!.hold)
  })

  it("P16.8: said while it asks who it was, it holds; a release cannot know yet that the journal is lost", () => {
    for (const on of [true, false]) {
      const board = new Drive({ ...configOf({ roles: farm.roles, gen1: "" }, "a"), actuators: [pump] })
      board.feed({ _tag: "Started", bootId: board.bootId, durable: Durable.empty, amnesia: true })
      assert.strictEqual(board.node.phase, "recalling")
      board.feed({ _tag: "Hold", group: null, on })
      for (const peer of "bcf") {
        const asking = board.dialled(peer, 1_000)!
        board.answerLogin(asking, peer, { hello: { remembers: 6 } }, board.answerChallenge(asking))
      }
      assert.strictEqual(board.node.phase, "running")
      assert.isTrue(board.durable.ledger!.groups[0]!.hold)
    }
  })
})

describe("P3.17: a new life of the same process", () => {
  it("counts its drives on, so that what an old one comes to is not taken for its own", () => {
    const well = new Well()
    const { guardian } = well.drive.node
    assert.strictEqual(guardian.drives, 1)
    const turn = { ...bareTurn(well.drive.config, 0), ledger: () => well.drive.durable.ledger }
    const next = open(anew(guardian), turn, false)
    assert.deepStrictEqual(
      turn.out.flatMap((command) => (command._tag === "Drive" ? [command.ticket] : [])),
      [2]
    )
    assert.strictEqual(onDriven(next, 1, true, turn), next)
  })
})
