/** B24, B27, C53; P17.9: a leader has done what needs nobody's word, and nobody else does. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { proposalsOf, type Body, type Fact, type Proposal } from "../../../kernel/proposals/Proposal.ts"
import { ADOPT_EACH_MS, ASK_AGAIN_MS, DECISIONS_MAX } from "../../../kernel/proposals/Proposals.ts"
import { EVIDENCE_MS } from "../../../kernel/proposals/Evidence.ts"
import { isPlain } from "../../../kernel/wire/ContextFrame.ts"
import type { Code } from "../../../kernel/wire/Codes.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { Drive, framesTo, id, type Given, type World } from "../drive.ts"
import { read, signed } from "../world/frames.ts"
import { body, frameOf, intentOf, PUMP } from "./facts.ts"

/** `b` elects itself; `a` guards, and says what the test makes it say. */
const alone: World = { roles: { a: "field", b: "planner", f: "field" }, dialled: "", electors: "b" }
const led: World = { ...alone, roles: { ...alone.roles, c: "planner" }, electors: "bcf" }

const BEAT_MS = 500

type Asked = Extract<Frame, { readonly type: "req"; readonly method: "mesh.message.forward" }>

class Planner {
  readonly drive: Drive
  private readonly link: number
  private readonly seqs = new Map<string, number>()
  private readonly sent: Array<Frame> = []
  private calls = 0
  private beats = 0

  constructor(world = alone) {
    this.drive = Drive.up(world, "b")
    read(this.drive, this.drive.pass(10_000))
    const { commands, link } = this.drive.meet("a")
    this.link = link
    read(this.drive, commands)
    const data = { capabilities: [{ id: PUMP, health: "healthy" }] }
    this.brings(signed({ by: "a", seq: this.seq("a") }))
    this.brings(signed({ by: "a", seq: this.seq("a"), kind: "capability_update" }, { data }))
    this.brings(signed({ by: "f", seq: this.seq("f"), kind: "inference" }))
    this.sent.splice(0)
  }

  private seq(by: string): number {
    const seq = (this.seqs.get(by) ?? 0) + 1
    this.seqs.set(by, seq)
    return seq
  }

  private took(commands: ReadonlyArray<Command>): void {
    this.sent.push(...framesTo(read(this.drive, commands), this.link))
  }

  feed(input: Given): void {
    this.took(this.drive.feed(input))
  }

  /** The guardian is there all the time. */
  pass(ms: number): void {
    const until = this.drive.mono + ms
    while (this.drive.mono < until) {
      this.took(this.drive.pass(Math.min(BEAT_MS, until - this.drive.mono)))
      this.beat()
    }
  }

  private beat(): void {
    const { fingerprint, members } = this.drive.node.membership
    const session = this.drive.sessions("a")[0]
    if (session === undefined) return
    const [mine, ours, theirs, their] = session.epoch
    const payload = {
      epoch: [theirs, their, mine, ours] as const,
      seq: this.beats++,
      rows: fingerprint,
      ack: this.drive.member("a").seq
    }
    this.took(this.drive.hear(this.link, "mesh.heartbeat", payload))
    for (const { link, probe } of members) if (link !== null && probe !== 0) this.feed({ _tag: "Ponged", link, probe })
  }

  brings(payload: ReturnType<typeof signed>): void {
    this.feed({ _tag: "Received", link: this.link, frame: { type: "event", event: "context.frame", payload } })
  }

  proposes({ actuator, because, forMs, state, ...more }: Body, autonomous = true): void {
    const { again, request } = more
    this.feed({
      _tag: "Propose",
      call: ++this.calls,
      actuator,
      state,
      forMs,
      because,
      autonomous,
      ...(request === undefined ? {} : { request }),
      ...(again === undefined ? {} : { again })
    })
  }

  says(by: string, fact: Fact): void {
    this.brings(frameOf(by, this.seq(by), fact))
  }

  /** What went to the guardian and has no answer. */
  asked(): ReadonlyArray<Asked> {
    return this.sent
      .splice(0)
      .filter((frame): frame is Asked => frame.type === "req" && frame.method === "mesh.message.forward")
  }

  answers({ id: asked, params }: Asked, outcome: Code | object): void {
    const { channel } = params
    this.feed({
      _tag: "Received",
      link: this.link,
      frame:
        typeof outcome === "string"
          ? { type: "res", id: asked, ok: false, error: { code: outcome, message: "so it is" } }
          : { type: "res", id: asked, ok: true, payload: { messageId: "m", by: id("a"), result: outcome, channel } }
    } as Given)
  }

  proposal(of = body): Proposal | undefined {
    const { config, world } = this.drive.node
    return proposalsOf(world, config, this.drive.mono).find((one) => one.id === intentOf(of))
  }
}

const wished = { ...body, because: ["a-1-1"] }
const guessed = { ...body, because: ["f-1-1"] }

/** It leads, and knows of a proposal that needs nobody's word. */
const ready = (of = wished, level: "L1" | "L2" = "L1", world = alone): Planner => {
  const planner = new Planner(world)
  planner.proposes(of, world === alone)
  planner.says("a", { fact: "level", id: intentOf(of), level })
  planner.asked()
  planner.pass(ADOPT_EACH_MS)
  return planner
}

const granted = { group: "well", epoch: 7, journalId: "j", ttlMs: 10_000, state: "closed" }
const leaseIn = ({ params: { message } }: Asked): unknown => (isPlain(message) ? message["lease"] : undefined)
const fenceIn = ({ params: { command } }: Asked) => (isPlain(command) ? command["kernel"] : undefined)

describe("what needs nobody's word", () => {
  it("a leader asks for a lease with its certificate, and then has it done under that, once", () => {
    const planner = ready()
    const [first, ...others] = planner.asked()
    assert.isDefined(first)
    assert.lengthOf(others, 0)
    assert.strictEqual(leaseIn(first), body.actuator)
    planner.answers(first, granted)
    const [second] = planner.asked()
    assert.isDefined(second)
    const { n, ...fence } = fenceIn(second) as { readonly n: number }
    assert.isAbove(n, 0)
    assert.deepStrictEqual(fence, { intentId: intentOf(wished), forMs: 5_000, epoch: 7, journalId: "j" })
    const { trust } = second.params.command as { readonly trust: object }
    assert.deepInclude(trust, { evidence_trust_tier: "T2_operational_observation", evidence_sources: ["sensor"] })
    planner.answers(second, { state: "open" })
    planner.pass(10 * ASK_AGAIN_MS)
    assert.lengthOf(planner.asked(), 0, "what came of it is for its guardian to say")
    planner.says("a", { fact: "result", id: intentOf(wished), outcome: "done" })
    assert.strictEqual(planner.proposal(wished)?.status, "completed")
  })

  it("is asked for again where that may help, with a new lease", () => {
    for (const code of ["TARGET_BUSY", "STALE_EPOCH", "RATE_LIMITED", "TIMEOUT", "DELIVERY_FAILED"] as const) {
      const planner = ready()
      planner.answers(planner.asked()[0]!, granted)
      planner.answers(planner.asked()[0]!, code)
      assert.lengthOf(planner.asked(), 0)
      planner.pass(ASK_AGAIN_MS + ADOPT_EACH_MS)
      const [again] = planner.asked()
      assert.strictEqual(again === undefined ? null : leaseIn(again), body.actuator, code)
    }
  })

  it("is withdrawn where its guardian does not take it, and why is told to all", () => {
    for (const code of ["NOT_ALLOWED", "INSUFFICIENT_TRUST_TIER", "VERIFICATION_REQUIRED", "ON_HOLD"] as const) {
      const planner = ready()
      planner.answers(planner.asked()[0]!, granted)
      planner.answers(planner.asked()[0]!, code)
      assert.deepInclude(planner.proposal(wished), { status: "withdrawn", code })
      planner.pass(10 * ASK_AGAIN_MS)
      assert.lengthOf(planner.asked(), 0, "and nothing more is asked")
    }
  })

  it("C53: is withdrawn unasked where it rests on a language model, or on what is old", () => {
    const planner = ready(guessed)
    assert.lengthOf(planner.asked(), 0)
    assert.deepInclude(planner.proposal(guessed), { status: "withdrawn", code: "LLM_ONLY_ACTUATION_BLOCKED" })
    const later = new Planner()
    later.pass(EVIDENCE_MS + 1)
    later.proposes(wished)
    later.says("a", { fact: "level", id: intentOf(wished), level: "L1" })
    later.asked()
    later.pass(ADOPT_EACH_MS)
    assert.lengthOf(later.asked(), 0)
    assert.deepInclude(later.proposal(wished), { status: "withdrawn", code: "EVIDENCE_TOO_OLD" })
  })

  it("a person's no stops it", () => {
    const planner = ready()
    const [first] = planner.asked()
    planner.feed({ _tag: "Decide", call: 9, id: intentOf(wished), approve: false, by: "asha" })
    planner.answers(first!, granted)
    assert.lengthOf(planner.asked(), 0)
    assert.strictEqual(planner.proposal(wished)?.status, "rejected")
  })

  it("is nobody's to do who does not lead, or where a person has to agree", () => {
    for (const [level, world] of [
      ["L1", led],
      ["L2", alone]
    ] as const) {
      const planner = ready(wished, level, world)
      planner.pass(60_000)
      assert.lengthOf(planner.asked(), 0)
    }
  })

  it("B24: whoever leads no more when the lease comes does nothing with it", () => {
    const planner = ready()
    const [first] = planner.asked()
    planner.feed({ _tag: "Engine", runs: false })
    planner.answers(first!, granted)
    assert.lengthOf(planner.asked(), 0)
  })

  it("of many, so many at once", () => {
    const planner = new Planner()
    for (let n = 0; n < DECISIONS_MAX + 4; n++) {
      const of = { ...wished, request: `r${n}`, again: true as const }
      planner.proposes(of)
      planner.says("a", { fact: "level", id: intentOf(of), level: "L1" })
    }
    planner.asked()
    planner.pass(ADOPT_EACH_MS)
    assert.isAtMost(planner.asked().length, DECISIONS_MAX)
    assert.isAtMost(planner.drive.node.proposals.runs.length, DECISIONS_MAX)
  })
})
