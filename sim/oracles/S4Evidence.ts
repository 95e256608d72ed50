/**
 * S4: nothing moves an actuator on a language model's word alone, on less than its owner asks for, whatever the sender claims, or where
 * its owner asks for a person, or nobody has a lease, without a decision of one for exactly that: signed, made under a question to this
 * guardian in this process within two minutes before, and with nobody known to have said no. The rules are said here anew: the
 * kernel's gate and its tokens are what is being judged.
 */
import { isPlain, tiers, type ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import { heldOf } from "../../kernel/world/Trace.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"
import { approvals, doingsOf, Memories, questionIn, standing } from "./Orders.ts"

const DECIDED_WITHIN_MS = 120_000

interface Memory {
  /** The trust that each intent was ever asked for with. */
  readonly asked: Map<string, ReadonlyArray<unknown>>
  /** When who asked what a proposal is about, by boot, proposal and device. */
  readonly questions: Map<string, number>
  /** Begun for a decision, by intent: what was wrong with that; `null`: nothing. */
  readonly decided: Map<string, string | null>
}

export const evidence: MakeOracle = () =>
  remembering(
    new Memories<Memory>(
      () => ({ asked: new Map(), questions: new Map(), decided: new Map() }),
      ({ asked, decided, questions }) => ({
        asked: new Map(asked),
        questions: new Map(questions),
        decided: new Map(decided)
      })
    )
  )

const rests = (trust: unknown, least: number): boolean => {
  if (!isPlain(trust)) return false
  const sources = trust["evidence_sources"]
  const tier = tiers.findIndex((one) => one === trust["evidence_trust_tier"])
  return Array.isArray(sources) && sources.some((source) => source !== "llm") && tier >= least
}

/** Something that it names is held here, signed, and says enough. */
const isFounded = ({ before }: Observation, { data }: ContextFrame, least: number): boolean => {
  const proposal = data["proposal"]
  const body = isPlain(proposal) ? proposal["body"] : null
  const because = isPlain(body) ? body["because"] : null
  if (!Array.isArray(because)) return false
  const byId = heldOf(before.world)
  return because.some((id) => {
    const held = byId.get(String(id))
    return held?.evidence === true && rests(held.frame.trust, least)
  })
}

/** Why this intent should not have begun for a decision that is known here; `null`: it may. */
const unsound = (seen: Observation, memory: Memory, intentId: string): string | null => {
  const { after, before, input } = seen
  const made = standing(after.world, "proposal.approve", intentId)
  const asked = made.flatMap(({ sourceDeviceId }) => {
    const at = memory.questions.get(`${after.bootId}/${intentId}/${sourceDeviceId}`)
    // A guardian that moves asks itself again, for so long, out of sight.
    const unseenMs = sourceDeviceId === after.config.deviceId ? DECIDED_WITHIN_MS : 0
    return at === undefined ? [] : [input.at.mono - at - unseenMs]
  })
  if (asked.length === 0) return "by a decision of somebody who did not ask this guardian"
  if (Math.min(...asked) > DECIDED_WITHIN_MS) return `${Math.min(...asked)} ms after it was asked about`
  const no = standing(before.world, "proposal.reject", intentId)
  return no.length > 0 ? "although somebody had said no" : null
}

const remembering = (memories: Memories<Memory>): Oracle => ({
  id: "S4",
  fork: () => remembering(memories.fork()),
  stepped: (seen) => {
    const memory = memories.of(seen)
    if (memory === null) return null
    const { after, input, machine } = seen
    const { drives, entries, heard } = doingsOf(seen)
    const question = questionIn(seen)
    if (question !== null) memory.questions.set(`${after.bootId}/${question.id}/${question.device}`, input.at.mono)
    if (heard !== null) memory.asked.set(heard.intentId, [...(memory.asked.get(heard.intentId) ?? []), heard.trust])
    for (const { entry } of entries)
      if (entry._tag === "Intended" && !memory.asked.has(entry.intent.intentId))
        memory.decided.set(entry.intent.intentId, unsound(seen, memory, entry.intent.intentId))
    for (const drive of drives) {
      const { actuator, intentId } = drive
      if (intentId === null) continue
      const owned = machine.config.actuators?.find(({ ref }) => ref === actuator)
      const least = owned === undefined ? 0 : tiers.indexOf(owned.demand.minimum)
      const wrong = memory.decided.get(intentId)
      if (wrong === undefined) {
        const founded = memory.asked.get(intentId)?.some((trust) => rests(trust, least)) === true
        if (!founded) return `${machine.name} drives ${actuator} without evidence that its owner takes`
        if (owned !== undefined && owned.demand.verification !== "none")
          return `${machine.name} drives ${actuator} without a person's decision`
        continue
      }
      if (wrong !== null) return `${machine.name} drives ${actuator} ${wrong}`
      if (!approvals(seen, drive).some((frame) => isFounded(seen, frame, least)))
        return `${machine.name} drives ${actuator} on something that nobody approved, or that rests on too little`
    }
    return null
  }
})
