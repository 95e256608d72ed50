/**
 * S4: nothing moves an actuator on a language model's word alone, on less than its owner asks for, whatever the sender claims, or where
 * its owner asks for a person, a language model drafted it, or nobody has a lease, without a decision of one for exactly that: signed, made under a question to this
 * guardian in this process within two minutes before, and with nobody known to have said no; at L3 with the name of what is moved in
 * it; and where keys of persons are known, signed by one of those. And nothing is said to be done where a sensor has to show it before one has, since the drive began. The rules are said here anew:
 * the kernel's gate and its tokens are what is being judged.
 */
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { canonical, isPlain, tiers, type ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import { heldOf } from "../../kernel/world/Trace.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"
import { approvals, doingsOf, Memories, questionIn, standing, type Drive } from "./Orders.ts"

const DECIDED_WITHIN_MS = 120_000

interface Memory {
  /** The trust that each intent was ever asked for with. */
  readonly asked: Map<string, ReadonlyArray<unknown>>
  /** When who asked what a proposal is about, by boot, proposal and device. */
  readonly questions: Map<string, number>
  /** Begun for a decision, by intent: what was wrong with that; `null`: nothing. */
  readonly decided: Map<string, string | null>
  /** The last drive of each intent, and when it began by the clock of its guardian, by boot and intent. */
  readonly driven: Map<string, { readonly drive: Drive; readonly at: number }>
}

export const evidence: MakeOracle = () =>
  remembering(
    new Memories<Memory>(
      () => ({ asked: new Map(), questions: new Map(), decided: new Map(), driven: new Map() }),
      ({ asked, decided, driven, questions }) => ({
        driven: new Map(driven),
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

/** A language model has drafted it. */
const isOfModel = ({ data }: ContextFrame): boolean => {
  const body = isPlain(data["proposal"]) ? data["proposal"]["body"] : null
  return isPlain(body) && body["model"] !== undefined
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

/** The name that a person typed for it. */
const typedIn = ({ data }: ContextFrame): unknown => {
  const proposal = data["proposal"]
  const typed = isPlain(proposal) ? proposal["typed"] : null
  return typeof typed === "string" ? typed.trim() : null
}

/** Where keys of persons are known: one of them, who may approve this, signed just that. */
const isPersons = ({ machine }: Observation, { data }: ContextFrame, actuator: string): boolean => {
  const { actuators = [], meshId, meshKey, persons = [] } = machine.config
  if (persons.length === 0) return true
  const { body, by, person, token, typed = "" } = isPlain(data["proposal"]) ? data["proposal"] : {}
  if (!isPlain(person)) return false
  const known = persons.some(({ name, publicKey }) => name === by && publicKey === person["publicKey"])
  const may = actuators.find(({ ref }) => ref === actuator)?.approvers?.includes(String(by)) !== false
  const words = [meshId, meshKey, data["zone"], canonical(body), token, by, typed]
  const payload = ["clawmesh.decision", "v1", ...words.map((word) => encodeURIComponent(String(word)))].join("|")
  const signature = String(person["signature"])
  const { valid } = machine.world.keys.check(String(person["publicKey"]), [{ payload, signature }])
  return known && may && valid[0] === true
}

/** What a guardian says to have done, and no sensor has shown it; `null`: none has to, or one has. */
const unseen = (seen: Observation, { driven }: Memory, intentId: string): string | null => {
  const { after, machine } = seen
  const last = driven.get(`${after.bootId}/${intentId}`)
  if (last === undefined) return null
  const { actuator, state } = last.drive
  const readback = machine.config.actuators?.find(({ ref }) => ref === actuator)?.readback
  const wanted = readback?.reads[state]
  if (readback === undefined || wanted === undefined) return null
  const { atLeast = -Infinity, atMost = Infinity } = wanted
  for (const held of heldOf(after.world).values()) {
    const { data, kind, kernel, trust } = held.frame
    const value = Number(data["value"])
    const isOfIt = data["metric"] === readback.metric && (readback.zone === null || data["zone"] === readback.zone)
    const isFirm = kernel !== undefined && kind === "observation" && trust.evidence_sources.includes("sensor")
    if (isOfIt && isFirm && value >= atLeast && value <= atMost && held.bornAt >= last.at) return null
  }
  return `${machine.name} says that it set ${actuator} to ${state}, which no sensor has shown`
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
    for (const { entry } of entries) {
      if (entry._tag === "Intended" && !memory.asked.has(entry.intent.intentId))
        memory.decided.set(entry.intent.intentId, unsound(seen, memory, entry.intent.intentId))
      if (entry._tag !== "Effected" || entry.outcome !== "done") continue
      const why = unseen(seen, memory, entry.intentId)
      if (why !== null) return why
    }
    for (const drive of drives) {
      const { actuator, intentId } = drive
      if (intentId === null) continue
      memory.driven.set(`${seen.after.bootId}/${intentId}`, { drive, at: input.at.mono })
      const owned = machine.config.actuators?.find(({ ref }) => ref === actuator)
      const least = owned === undefined ? 0 : tiers.indexOf(owned.demand.minimum)
      const wrong = memory.decided.get(intentId)
      if (wrong === undefined) {
        const founded = memory.asked.get(intentId)?.some((trust) => rests(trust, least)) === true
        if (!founded) return `${machine.name} drives ${actuator} without evidence that its owner takes`
        if (standing(after.world, "proposal.propose", intentId).some(isOfModel))
          return `${machine.name} drives ${actuator}, which a language model drafted, without a person's decision`
        if (owned !== undefined && (owned.demand.verification !== "none" || owned.level === "L3"))
          return `${machine.name} drives ${actuator} without a person's decision`
        continue
      }
      if (wrong !== null) return `${machine.name} drives ${actuator} ${wrong}`
      const said = approvals(seen, drive)
      if (!said.some((frame) => isFounded(seen, frame, least)))
        return `${machine.name} drives ${actuator} on something that nobody approved, or that rests on too little`
      if (owned?.level === "L3" && !said.some((frame) => typedIn(frame) === actuator.slice(ACTUATOR.length)))
        return `${machine.name} drives ${actuator}, whose name nobody typed`
      if (!said.some((frame) => isPersons(seen, frame, actuator)))
        return `${machine.name} drives ${actuator}, and nobody whose key it knows has signed that`
    }
    return null
  }
})
