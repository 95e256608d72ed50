/**
 * S9: what a node acknowledged as stored is there after any crash, and none of it goes backward.
 *
 * Acknowledged is what the node was told is stored, and what it let others build on: no frame leaves before its incarnation
 * is stored, no vote before it is, and nobody is voted for twice in one term. Whatever the next process of the device starts
 * from has to hold all of it: incarnation, term and vote, keys and words of trust, and of a guardian its epochs, holds, intents and
 * what came of each. A word that was asked for and not yet acknowledged may be there or not. What a process started from counts as
 * acknowledged.
 *
 * Whoever makes a session keeps, or asks to keep, the key that the far end proved, and that it spoke the kernel extension
 * (PROTOCOL.md P5.9, P9.5).
 *
 * Only a disk that the world itself emptied (`Machine.wipes`) may have forgotten. Whoever lost its journal neither votes nor
 * promises, until a list of electors is in force that names it in a life without (PROTOCOL.md P7.24).
 *
 * A list of electors that an elector acknowledges is stored by then, it acknowledges no other one in place of the same, and votes by
 * none that it replaces any more (P7.23); one that is in force stays so.
 */
import type { Entry } from "../../kernel/actuation/Ledger.ts"
import type { Durable, Pin, Record, TrustEntry } from "../../kernel/Durable.ts"
import { indexOfLink } from "../../kernel/links/Link.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { DeviceId, Frame, ShownManifest, Term } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import type { Port } from "../network/Connection.ts"
import { Rows } from "../engine/Rows.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** Of one group of a guardian. */
interface Guarded {
  readonly epoch: number
  readonly hold: boolean
  /** What came of each intent. */
  readonly intents: ReadonlyMap<string, string>
}

/** A guardian may forget the oldest beyond so many of one group (PROTOCOL.md P16.6). */
const INTENTS_MAX = 1_024
const NOT_GUARDED: Guarded = { epoch: 0, hold: false, intents: new Map() }

/** `null`: trusted no longer. */
type Word = TrustEntry | null

interface Memory {
  readonly wipes: number
  incarnation: number
  term: Term
  votedFor: DeviceId | null
  readonly trusted: Map<DeviceId, Word>
  readonly pins: Map<DeviceId, Pin>
  readonly guarded: Map<string, Guarded>
  /** It was told that it had lost its journal: what it promised under its manifest is known to nobody. */
  forgets: boolean
  /** The first incarnation in which it lives without; `null`: it has stored none since. */
  forgetsIn: number | null
  /** The version of the list of electors that is in force. */
  manifest: number
  /** The list that it acknowledged last, and which one that replaces. */
  acknowledged: { readonly version: number; readonly previous: number; readonly signature: string } | null
  /** Asked for and not acknowledged, in order. */
  asked: Array<{ readonly ticket: number; readonly record: Record }>
}

const fresh = (wipes: number): Memory => ({
  wipes,
  incarnation: 0,
  term: { manifest: 0, counter: 0 },
  votedFor: null,
  trusted: new Map(),
  pins: new Map(),
  guarded: new Map(),
  forgets: false,
  forgetsIn: null,
  manifest: 0,
  acknowledged: null,
  asked: []
})

const copyOf = (memory: Memory): Memory => ({
  ...memory,
  trusted: new Map(memory.trusted),
  pins: new Map(memory.pins),
  guarded: new Map(memory.guarded),
  asked: memory.asked.slice()
})

// Order and merging are said here anew: the kernel's own are what is being judged.
const isBefore = (a: Term, b: Term): boolean =>
  a.manifest < b.manifest || (a.manifest === b.manifest && a.counter < b.counter)
const isSame = (a: Term, b: Term): boolean => a.manifest === b.manifest && a.counter === b.counter

const show = (word: Word | undefined): string =>
  word == null
    ? "none"
    : [word.role, word.gen1 ? "gen1" : "", word.publicKey ?? ""].filter((part) => part !== "").join(" ")

/** Of those that elected by the list before a majority has acknowledged it. */
const isInForce = ({ acks, manifest: { previous } }: ShownManifest): boolean =>
  2 * previous.electors.filter((elector) => acks.some((ack) => ack.elector === elector)).length >
  previous.electors.length

const acknowledge = (memory: Memory, record: Record, deviceId: DeviceId): void => {
  switch (record._tag) {
    case "Incarnation":
      memory.incarnation = Math.max(memory.incarnation, record.incarnation)
      if (memory.forgets) memory.forgetsIn ??= record.incarnation
      return
    case "Manifest": {
      const { manifest } = record.shown
      if (!isInForce(record.shown)) return
      memory.manifest = Math.max(memory.manifest, manifest.version)
      const named = manifest.readmitted.find((one) => one.deviceId === deviceId)
      if (memory.forgetsIn === null || named === undefined || named.incarnation < memory.forgetsIn) return
      memory.forgets = false
      memory.forgetsIn = null
      return
    }
    case "Vote":
      if (!isBefore(memory.term, record.term)) return
      memory.term = record.term
      memory.votedFor = record.votedFor
      return
    case "Trust":
      memory.trusted.set(record.device.deviceId, record.device)
      return
    case "Distrust":
      memory.trusted.set(record.deviceId, null)
      memory.pins.delete(record.deviceId)
      return
    case "Pin": {
      const { deviceId, kernel, publicKey } = record
      const old = memory.pins.get(deviceId)
      memory.pins.set(deviceId, {
        deviceId,
        publicKey: old?.publicKey ?? publicKey,
        kernel: kernel || old?.kernel === true
      })
      return
    }
    case "Guard":
      guard(memory, record.entry)
  }
}

const guard = ({ guarded }: Memory, entry: Entry): void => {
  if (entry._tag === "Guarding") return
  const { group } = entry
  const of = guarded.get(group) ?? NOT_GUARDED
  switch (entry._tag) {
    case "Granted":
      guarded.set(group, { ...of, epoch: Math.max(of.epoch, entry.epoch) })
      return
    case "Held":
      guarded.set(group, { ...of, hold: entry.on })
      return
    case "Intended": {
      const { intentId, outcome } = entry.intent
      if (!of.intents.has(intentId)) guarded.set(group, { ...of, intents: new Map(of.intents).set(intentId, outcome) })
      return
    }
    case "Effected": {
      const { intentId, outcome } = entry
      if (of.intents.get(intentId) === "started")
        guarded.set(group, { ...of, intents: new Map(of.intents).set(intentId, outcome) })
    }
  }
}

/** What a guardian that starts from `found` does not know any more. */
const unguarded = ({ asked, guarded }: Memory, found: Durable): string | null => {
  for (const [group, { epoch, hold, intents }] of guarded) {
    const now = found.ledger?.groups.find((one) => one.group === group)
    if (now === undefined) return `nothing of ${group}`
    if (now.epoch < epoch) return `epoch ${now.epoch} of ${group} instead of ${epoch}`
    const entries = asked.flatMap(({ record }) =>
      record._tag === "Guard" && record.entry._tag !== "Guarding" && record.entry.group === group ? [record.entry] : []
    )
    if (now.hold !== hold && !entries.some((entry) => entry._tag === "Held" && entry.on === now.hold))
      return `${group} ${now.hold ? "on hold" : "released"}, and it was not`
    if (now.intents.length >= INTENTS_MAX) continue
    for (const [intentId, outcome] of intents) {
      const there = now.intents.find((one) => one.intentId === intentId)?.outcome
      const possible = [
        outcome,
        ...entries.flatMap((entry) => (entry._tag === "Effected" && entry.intentId === intentId ? [entry.outcome] : []))
      ]
      if (there === undefined || !possible.includes(there))
        return `${intentId} of ${group}: ${there ?? "nothing"} instead of ${outcome}`
    }
  }
  return null
}

/** Whether that version of the list of electors is stored, as the one in force, as one before it or as the next. */
const stands = (version: number, { manifest, successor }: Durable): boolean =>
  (manifest?.manifest.version ?? 0) >= version || successor?.manifest.version === version

/** What is missing in `found`, or went backward. */
const forgotten = (memory: Memory, found: Durable): string | null => {
  const { incarnation, term, votedFor } = memory
  if (found.incarnation < incarnation) return `incarnation ${found.incarnation} instead of ${incarnation}`
  if (isBefore(found.term, term)) return `term ${found.term.counter} instead of ${term.counter}`
  const manifest = found.manifest?.manifest.version ?? 0
  if (manifest < memory.manifest) return `version ${manifest} of the electors instead of ${memory.manifest}`
  const { acknowledged } = memory
  if (acknowledged !== null && !stands(acknowledged.version, found))
    return `no word of version ${acknowledged.version} of the electors, which it has acknowledged`
  if (isSame(found.term, term) && found.votedFor !== votedFor) return `another vote in term ${term.counter}`
  for (const [deviceId, word] of memory.trusted) {
    const words = [word, ...memory.asked.map(({ record }) => wordOf(record, deviceId))]
    const now = found.trusted.find((entry) => entry.deviceId === deviceId)
    if (!words.some((possible) => possible !== undefined && show(possible) === show(now)))
      return `trust in ${deviceId.slice(0, 8)}: ${show(now)} instead of ${show(word)}`
  }
  for (const [deviceId, { kernel, publicKey }] of memory.pins) {
    if (memory.asked.some(({ record }) => record._tag === "Distrust" && record.deviceId === deviceId)) continue
    const now = found.pins.find((pin) => pin.deviceId === deviceId)
    if (now?.publicKey !== publicKey || (kernel && !now.kernel)) return `the key of ${deviceId.slice(0, 8)} is another`
  }
  return unguarded(memory, found)
}

const wordOf = (record: Record, deviceId: DeviceId): Word | undefined =>
  record._tag === "Trust" && record.device.deviceId === deviceId
    ? record.device
    : record._tag === "Distrust" && record.deviceId === deviceId
      ? null
      : undefined

const started = (memory: Memory, found: Durable): void => {
  memory.incarnation = found.incarnation
  memory.term = found.term
  memory.votedFor = found.votedFor
  memory.manifest = found.manifest?.manifest.version ?? 0
  for (const deviceId of memory.trusted.keys()) memory.trusted.set(deviceId, null)
  for (const entry of found.trusted) memory.trusted.set(entry.deviceId, entry)
  memory.pins.clear()
  for (const pin of found.pins) memory.pins.set(pin.deviceId, pin)
  memory.guarded.clear()
  for (const { epoch, group, hold, intents } of found.ledger?.groups ?? [])
    memory.guarded.set(group, {
      epoch,
      hold,
      intents: new Map(intents.map(({ intentId, outcome }) => [intentId, outcome]))
    })
  memory.asked = []
}

/** What a node that has just made a session does not keep of the far end; `null`: nothing. */
const unpinned = (before: NodeState, after: NodeState): string | null => {
  for (const link of after.links.links) {
    if (link._tag !== "Session" || before.links.links[indexOfLink(before.links.links, link.link)]?._tag === "Session")
      continue
    const pin = after.durable.pins.find(({ deviceId }) => deviceId === link.peer)
    const who = `made a session with ${link.peer.slice(0, 8)}, and does not keep`
    if (pin === undefined) return `${who} its key`
    if (link.proven.kernel && !pin.kernel) return `${who} that it speaks the kernel extension`
  }
  return null
}

/** The term that a frame says we voted in; `null`: it says nothing of that. */
const votedIn = (frame: Frame): Term | null => {
  if (frame.type !== "event") return null
  if (frame.event === "mesh.vote" || frame.event === "mesh.vote.proof" || frame.event === "mesh.lead")
    return frame.payload.term
  return frame.event === "mesh.vote.answer" && frame.payload.granted ? frame.payload.term : null
}

const promises = (frame: Frame): boolean =>
  frame.type === "event" && frame.event === "mesh.lead.answer" && frame.payload.promised

export const durability: MakeOracle = () => remembering(new Rows(copyOf))

const remembering = (memories: Rows<Memory>): Oracle => {
  const of = ({ index, wipes }: Machine): Memory => {
    const memory = memories.own(index)
    return memory?.wipes === wipes ? memory : memories.set(index, fresh(wipes))
  }

  const stepped = ({ after, before, commands, input, machine }: Observation): string | null => {
    if (input._tag === "Started") {
      const memory = of(machine)
      const lost = forgotten(memory, input.durable)
      if (lost !== null) return `${machine.name} starts from ${lost}`
      started(memory, input.durable)
      if (input.amnesia === true && !memory.forgets) memory.forgetsIn = null
      memory.forgets = input.amnesia === true || memory.forgets
    }
    if (input._tag === "Stored") {
      const memory = of(machine)
      const index = memory.asked.findIndex(({ ticket }) => ticket === input.ticket)
      if (index >= 0) acknowledge(memory, memory.asked.splice(index, 1)[0]!.record, machine.config.deviceId)
    }
    if (after.links.links !== before.links.links) {
      const unkept = unpinned(before, after)
      if (unkept !== null) return `${machine.name} ${unkept}`
    }
    for (let i = 0; i < commands.length; i++) {
      const command = commands[i]!
      if (command._tag !== "Persist") continue
      const { record, ticket } = command
      const memory = of(machine)
      if (record._tag === "Incarnation" && record.incarnation <= memory.incarnation)
        return `${machine.name} takes incarnation ${record.incarnation}, and has had ${memory.incarnation}`
      memory.asked.push({ ticket, record })
    }
    return null
  }

  /** Whom it votes for, where that is being said. */
  const vote = (machine: Machine, receiver: Port, frame: Frame, term: Term): string | null => {
    const memory = of(machine)
    const counter = `term ${term.counter}`
    if (isBefore(machine.durable.term, term))
      return `${machine.name} speaks of its vote in ${counter}, which is not stored`
    if (isBefore(term, memory.term))
      return `${machine.name} votes in ${counter}, and has voted in term ${memory.term.counter}`
    const answers = frame.type === "event" && (frame.event === "mesh.vote.answer" || frame.event === "mesh.vote.proof")
    const record = memory.asked.find((asked) => asked.record._tag === "Vote" && isSame(asked.record.term, term))?.record
    const votedFor = isSame(memory.term, term) ? memory.votedFor : record?._tag === "Vote" ? record.votedFor : null
    const holder = answers ? receiver : machine
    if (votedFor === null || !holder.holds(votedFor))
      return `${machine.name} tells ${holder.name} that it has its vote in ${counter}, which another has`
    const { acknowledged } = memory
    if (acknowledged !== null && term.manifest < acknowledged.version)
      return `${machine.name} votes by version ${term.manifest} of the electors, and has acknowledged ${acknowledged.version}`
    memory.term = term
    memory.votedFor = votedFor
    return null
  }

  /** That it acknowledges a list of electors, where it says so. */
  const acknowledges = (machine: Machine, frame: Frame): string | null => {
    if (frame.type !== "event" || frame.event !== "mesh.manifest") return null
    const { acks, manifest } = frame.payload
    if (!acks.some(({ elector }) => elector === machine.config.deviceId)) return null
    const { previous, signature, version } = manifest
    const memory = of(machine)
    // One that is in force already is everybody's to show.
    if (!isInForce(frame.payload) && !stands(version, machine.durable))
      return `${machine.name} acknowledges version ${version} of the electors, which it has not stored`
    const last = memory.acknowledged
    if (last !== null && last.previous === previous.version && last.signature !== signature)
      return `${machine.name} acknowledges two lists of electors in place of version ${previous.version}`
    if (last === null || last.version < version)
      memory.acknowledged = { version, previous: previous.version, signature }
    return null
  }

  return {
    id: "S9",
    fork: () => remembering(memories.fork()),
    stepped,
    sent: (machine, receiver, frame) => {
      const { incarnation } = machine.state() ?? { incarnation: 0 }
      if (machine.durable.incarnation < incarnation)
        return `${machine.name} speaks as incarnation ${incarnation}, which is not stored`
      const term = votedIn(frame)
      if (of(machine).forgets && frame.type === "event" && (term !== null || promises(frame)))
        return `${machine.name} has lost its journal, and says ${frame.event} all the same`
      return term === null ? acknowledges(machine, frame) : vote(machine, receiver, frame, term)
    }
  }
}
