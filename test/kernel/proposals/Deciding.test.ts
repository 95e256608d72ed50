/** B24, B28, B30, B33a: a planner that proposes, and a person who decides at its device. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Outcome } from "../../../kernel/routing/Outcome.ts"
import { DECISIONS } from "../../../kernel/routing/Forwarding.ts"
import { proposalsOf, type Fact } from "../../../kernel/proposals/Proposal.ts"
import { ASK_AGAIN_MS, DECISIONS_MAX, TOKEN_MS } from "../../../kernel/proposals/Proposals.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { Drive, framesTo, id, type Given, type World } from "../drive.ts"
import { read, signed } from "../world/frames.ts"
import { approved, body, frameOf, intentOf, proposed, PUMP } from "./facts.ts"

const farm: World = { roles: { a: "field", b: "planner", d: "node", f: "field" }, dialled: "" }

/** A node, with a session with the guardian `a`, which says what the test makes it say. */
class Desk {
  readonly drive: Drive
  link: number
  private calls = 0
  private readonly seqs = new Map<string, number>()
  readonly answers = new Map<number, Outcome>()
  readonly sent: Array<Frame> = []

  constructor(name: string) {
    this.drive = Drive.up(farm, name)
    this.link = this.meet()
  }

  meet(): number {
    const { commands, link } = this.drive.meet("a")
    this.took(commands)
    this.link = link
    const data = { capabilities: [{ id: PUMP, health: "healthy" }] }
    this.brings(signed({ by: "a", seq: this.seq("a"), kind: "capability_update" }, { data }))
    return link
  }

  private took(commands: ReadonlyArray<Command>): void {
    for (const command of read(this.drive, commands))
      if (command._tag === "Answered") this.answers.set(command.call, command.outcome)
  }

  feed(input: Given): void {
    const commands = read(this.drive, this.drive.feed(input))
    this.sent.push(...framesTo(commands, this.link))
    this.took(commands)
  }

  pass(ms: number): void {
    const commands = read(this.drive, this.drive.pass(ms))
    this.sent.push(...framesTo(commands, this.link))
    this.took(commands)
  }

  brings(payload: ReturnType<typeof signed>): void {
    this.feed({ _tag: "Received", link: this.link, frame: { type: "event", event: "context.frame", payload } })
  }

  seq(by: string): number {
    const seq = (this.seqs.get(by) ?? 0) + 1
    this.seqs.set(by, seq)
    return seq
  }

  says(by: string, fact: Fact): void {
    this.brings(frameOf(by, this.seq(by), fact))
  }

  propose(more: Partial<Extract<Given, { readonly _tag: "Propose" }>> = {}): Outcome {
    const call = ++this.calls
    this.feed({
      _tag: "Propose",
      call,
      actuator: PUMP,
      state: "open",
      forMs: 5_000,
      because: body.because,
      autonomous: false,
      ...more
    })
    return this.answers.get(call)!
  }

  decide(more: Partial<Extract<Given, { readonly _tag: "Decide" }>> = {}): number {
    const call = ++this.calls
    this.feed({ _tag: "Decide", call, id: intentOf(), approve: true, by: "asha", ...more })
    return call
  }

  /** The questions for a token that went out and have no answer yet. */
  questions(): ReadonlyArray<Extract<Frame, { readonly type: "req" }>> {
    return this.sent
      .splice(0)
      .flatMap((frame) =>
        frame.type === "req" && frame.method === "mesh.message.forward" && frame.params.channel === DECISIONS
          ? [frame]
          : []
      )
  }

  grants(more: { readonly state?: string; readonly safe?: boolean } = {}): void {
    const [question] = this.questions()
    assert.isDefined(question, "it asks for a token")
    const result = { token: "t-1", state: "closed", safe: true, validMs: TOKEN_MS, ...more }
    this.feed({
      _tag: "Received",
      link: this.link,
      frame: {
        type: "res",
        id: question.id,
        ok: true,
        payload: { messageId: "m", by: id("a"), channel: DECISIONS, result }
      }
    })
  }

  refuses(code: string): void {
    const [question] = this.questions()
    assert.isDefined(question, "it asks for a token")
    this.feed({
      _tag: "Received",
      link: this.link,
      frame: { type: "res", id: question.id, ok: false, error: { code, message: "no" } }
    })
  }

  get proposal() {
    const { config, world } = this.drive.node
    return proposalsOf(world, config, this.drive.mono)[0]!
  }

  code(call: number): string | undefined {
    const outcome = this.answers.get(call)
    return outcome === undefined ? undefined : outcome.ok ? "ok" : outcome.code
  }
}

const codeOf = (outcome: Outcome): string => (outcome.ok ? "ok" : outcome.code)

describe("a planner proposes", () => {
  it("what somebody moves, once", () => {
    const desk = new Desk("b")
    assert.deepInclude(desk.propose(), { ok: true })
    const again = desk.propose()
    assert.deepInclude(again.ok ? again.result : {}, { id: intentOf(), merged: true })
    assert.strictEqual(codeOf(desk.propose({ because: ["b-1-9"] })), "DUPLICATE_PROPOSAL")
    assert.strictEqual(codeOf(desk.propose({ because: ["b-1-9"], again: true })), "ok")
  })

  it("nothing by itself unless it leads, nothing without a reason, nothing that nobody moves", () => {
    const desk = new Desk("b")
    assert.strictEqual(codeOf(desk.propose({ autonomous: true })), "NO_PLANNER")
    assert.strictEqual(codeOf(desk.propose({ because: [] })), "LLM_ONLY_ACTUATION_BLOCKED")
    assert.strictEqual(
      codeOf(desk.propose({ because: Array.from({ length: 9 }, (_, n) => `f${n}`) })),
      "INVALID_PARAMS"
    )
    assert.strictEqual(codeOf(desk.propose({ actuator: "actuator:valve" })), "TARGET_DOWN")
    assert.strictEqual(codeOf(new Desk("d").propose()), "NOT_AUTHORIZED")
  })

  it("what was decided is not proposed again for the same reason", () => {
    const desk = new Desk("b")
    desk.propose()
    desk.says("f", { fact: "reject", id: intentOf(), by: "ravi" })
    assert.strictEqual(codeOf(desk.propose()), "ALREADY_DECIDED")
  })
})

const ready = (): Desk => {
  const desk = new Desk("d")
  desk.says("b", proposed())
  return desk
}

describe("a person decides", () => {
  it("yes: under a token of the guardian, and is told what came of it", () => {
    const desk = ready()
    const call = desk.decide()
    desk.grants()
    assert.isUndefined(desk.code(call), "nothing has come of it yet")
    assert.deepInclude(desk.proposal, { status: "approved", decided: { by: "asha", at: id("d") } })
    desk.says("a", { fact: "result", id: intentOf(), outcome: "done" })
    assert.strictEqual(desk.code(call), "ok")
  })

  it("yes, and it fails", () => {
    const desk = ready()
    const call = desk.decide()
    desk.grants()
    desk.says("a", { fact: "result", id: intentOf(), outcome: "TARGET_BUSY" })
    assert.strictEqual(desk.code(call), "TARGET_BUSY")
  })

  it("no: at once", () => {
    const desk = ready()
    assert.strictEqual(desk.code(desk.decide({ approve: false })), "ok")
    assert.strictEqual(desk.code(desk.decide()), "ALREADY_DECIDED")
  })

  it("about nothing that is not there, or was decided", () => {
    const desk = new Desk("d")
    assert.strictEqual(desk.code(desk.decide()), "NOT_FOUND")
    desk.says("b", proposed())
    desk.says("f", approved("t"))
    assert.strictEqual(desk.code(desk.decide()), "ALREADY_DECIDED")
  })

  it("for as many things at once as it can remember", () => {
    const desk = ready()
    for (let n = 0; n < DECISIONS_MAX; n++) desk.decide()
    assert.strictEqual(desk.code(desk.decide()), "RATE_LIMITED")
  })

  it("about what it saw, and nothing else", () => {
    const desk = ready()
    const call = desk.decide({ shown: "closed" })
    desk.grants({ state: "open", safe: false })
    assert.strictEqual(desk.code(call), "PRECONDITION_FAILED")
  })

  it("somebody says no while the guardian is asked", () => {
    const desk = ready()
    const call = desk.decide()
    desk.says("f", { fact: "reject", id: intentOf(), by: "ravi" })
    assert.strictEqual(desk.code(call), "ALREADY_DECIDED")
  })

  for (const code of ["LLM_ONLY_ACTUATION_BLOCKED", "VERIFICATION_REQUIRED", "EXPIRED_COMMAND", "NOT_ALLOWED"])
    it(`the guardian says ${code}`, () => {
      const desk = ready()
      const call = desk.decide()
      desk.refuses(code)
      assert.strictEqual(desk.code(call), code)
    })

  it("blindly: the guardian is asked again and again, and two minutes later it is void", () => {
    const desk = ready()
    desk.feed({ _tag: "LinkDown", link: desk.link, reason: "closed" })
    const call = desk.decide()
    desk.pass(TOKEN_MS - 1)
    assert.isUndefined(desk.code(call))
    desk.pass(1)
    assert.strictEqual(desk.code(call), "EXPIRED_COMMAND")
  })

  it("blindly, and the guardian comes back: carried out only where it is safe, or as it was seen", () => {
    for (const [shown, state, safe, expected] of [
      [undefined, "closed", true, undefined],
      [undefined, "open", false, "PRECONDITION_FAILED"],
      ["open", "open", false, undefined],
      ["closed", "open", false, "PRECONDITION_FAILED"]
    ] as const) {
      const desk = ready()
      desk.feed({ _tag: "LinkDown", link: desk.link, reason: "closed" })
      const call = desk.decide(shown === undefined ? {} : { shown })
      desk.pass(ASK_AGAIN_MS)
      desk.meet()
      desk.questions()
      desk.pass(ASK_AGAIN_MS)
      desk.grants({ state, safe })
      assert.strictEqual(desk.code(call), expected, `${shown} ${state}`)
    }
  })

  it("and never learns what came of it", () => {
    const desk = ready()
    const call = desk.decide()
    desk.grants()
    desk.pass(200_000)
    assert.strictEqual(desk.code(call), "OUTCOME_UNKNOWN")
    assert.strictEqual(desk.proposal.status, "awaiting_approval", "it takes its word back")
  })
})
