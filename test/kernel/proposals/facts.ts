/** Facts about proposals for tests: as the frames that say them, signed by whoever is named. */
import { idOf, said, type Body, type Fact } from "../../../kernel/proposals/Proposal.ts"
import { trustOf, type ContextFrame } from "../../../kernel/wire/ContextFrame.ts"
import { id } from "../drive.ts"
import { signed } from "../world/frames.ts"

export const PUMP = "actuator:pump"

/** The pump of `a`, open for five seconds, because of the frame that `b` said first. */
export const body: Body = { actuator: PUMP, guardian: id("a"), state: "open", forMs: 5_000, because: ["b-1-1"] }

export const intentOf = (of: Body = body): string => idOf("mesh", of)

export const frameOf = (by: string, seq: number, fact: Fact, ageMs = 0, incarnation = 1): ContextFrame => {
  const { data, kind } = said(fact)
  return signed({ by, seq, kind, ageMs, incarnation }, { data, trust: trustOf(kind) })
}

export const proposed = (of: Body = body, term = 1): Fact => ({ fact: "propose", id: intentOf(of), body: of, term })

export const approved = (
  token: string,
  of: Body = body,
  more: Partial<Extract<Fact, { fact: "approve" }>> = {}
): Fact => ({
  fact: "approve",
  id: intentOf(of),
  body: of,
  token,
  by: "asha",
  ...more
})
