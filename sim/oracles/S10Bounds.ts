/**
 * S10: every table, queue and set of the kernel has a bound, and no input makes one grow past it; and nothing throws.
 *
 * Bounds are those that the kernel declares, or follow from whom a node trusts: its own word decides how many devices there
 * are, nobody else's. They are asked where a slice changed. That every number in the state is a safe integer is asked of one
 * step in `SAMPLED_STEPS`. An exception out of `step` is caught where the world calls it (`guarded`), and told with its input;
 * the step then has changed nothing.
 *
 * Does not judge: bytes that a process holds, queues outside of the kernel (inbox, sockets, disk), how many devices an
 * operator trusts.
 */
import * as HashMap from "effect/HashMap"
import { CERTIFYING_MAX } from "../../kernel/actuation/Takeover.ts"
import type { Input } from "../../kernel/Input.ts"
import { ASKS_MAX } from "../../kernel/inference/Asking.ts"
import { ABANDONED_MAX } from "../../kernel/inference/Serving.ts"
import { BEATS_MAX } from "../../kernel/leadership/Leading.ts"
import { CHECKING_MAX } from "../../kernel/membership/Goodbyes.ts"
import { ASKERS_MAX } from "../../kernel/membership/Inquiry.ts"
import { LANE_FRAMES_MAX, LINE_BYTES_MAX, WINDOW_MAX_BYTES, type Line } from "../../kernel/links/Lanes.ts"
import { ROW_EDGES_MAX } from "../../kernel/wire/Limits.ts"
import { ADDRESSES_MAX, STRANGERS_MAX } from "../../kernel/links/Sightings.ts"
import type { NodeState } from "../../kernel/Node.ts"
import {
  FRAMES_BEHIND_ANSWER_MAX,
  GEN1_BUDGET_MESSAGES,
  GEN1_WAITING_MAX,
  UNAUTHENTICATED_FRAMES_MAX,
  UNAUTHENTICATED_LINKS_MAX
} from "../../kernel/Profile.ts"
import { DECISIONS_MAX, TOKENS_MAX } from "../../kernel/proposals/Proposals.ts"
import { allCodes } from "../../kernel/wire/Codes.ts"
import { MESSAGE_BYTES_MAX } from "../../kernel/wire/Limits.ts"
import { DRAFTS_MAX } from "../../kernel/world/Emitting.ts"
import { QUOTA_MAX_BYTES } from "../../kernel/world/Exchanging.ts"
import { BYTES_MAX, FRAMES_MAX } from "../../kernel/world/Holding.ts"
import { AHEAD_MAX } from "../../kernel/world/Log.ts"
import { ENTRIES_MAX, INCARNATIONS_MAX, SEEN_MAX, UNSIGNED_MAX } from "../../kernel/world/Origin.ts"
import * as Tail from "../../kernel/world/Tail.ts"
import { CHECKING_MAX as CHECKING_MAX_A_LINK } from "../../kernel/world/Receiving.ts"
import { LANE_FRAME_BYTES_MAX } from "../../kernel/wire/Limits.ts"
import type { Kernel } from "../engine/Host.ts"
import type { MakeOracle, Oracle } from "./Oracle.ts"

/** A walk through a whole state costs as much as a hundred steps. A prime, so that it does not keep step with what nodes repeat. */
const SAMPLED_STEPS = 4_093

/** What one turn may do for each device: probe, heartbeats, rows, votes, a dial, an end, and what it tells about all that. */
const COMMANDS_PER_DEVICE_MAX = 16
/** An end of a handshake: answer, goodbye, note. */
const COMMANDS_PER_HANDSHAKE_MAX = 3
/** The alarm, records, answers to an operator. */
const COMMANDS_BESIDES_MAX = 16

/** Messages of one answer to what was asked for. */
const PAGES_MAX = Math.ceil((2 * QUOTA_MAX_BYTES) / LANE_FRAME_BYTES_MAX)

const INPUT_CHARS_MAX = 400

/** The kernel, so that an exception out of it is told and goes no further. */
export const guarded = (kernel: Kernel, defect: (node: string, message: string) => void): Kernel => ({
  make: kernel.make,
  step: (node, input) => {
    try {
      return kernel.step(node, input)
    } catch (thrown) {
      defect(node.config.displayName, `${node.config.displayName} threw ${String(thrown)} on ${shortly(input)}`)
      return [node, []]
    }
  }
})

const shortly = (input: Input): string => {
  const text = JSON.stringify(input)
  return text.length <= INPUT_CHARS_MAX ? text : `${text.slice(0, INPUT_CHARS_MAX)}…`
}

type Bound = readonly [what: string, size: number, max: number]

const first = (bounds: ReadonlyArray<Bound>): string | null => {
  for (const [what, size, max] of bounds) if (size > max) return `${size} ${what}, at most ${max}`
  return null
}

const longestOf = (sizes: ReadonlyArray<number>): number => sizes.reduce((most, size) => Math.max(most, size), 0)

const fullestLane = ({ waiting }: Line): number =>
  longestOf((["people", "live", "bulk"] as const).map((lane) => waiting.filter((one) => one.lane === lane).length))
const waitingBytes = ({ waiting }: Line): number => waiting.reduce((sum, { bytes }) => sum + bytes, 0)
const underWay = ({ beyond, marked }: Line): number => beyond + marked

const linksWithin = ({ config, links }: NodeState, before: NodeState["links"]): string | null => {
  const devices = config.trusted.length
  if (
    links.links === before.links &&
    links.contacts === before.contacts &&
    links.strangers === before.strangers &&
    links.gen1 === before.gen1 &&
    links.lines === before.lines
  )
    return null
  const found = links.contacts.reduce((longest, contact) => Math.max(longest, contact.found.length), 0)
  let sessions = 0
  let inbound = 0
  let outbound = 0
  let strays = 0
  let behind = 0
  for (const link of links.links) {
    if (link._tag === "Session") sessions++
    else if ("peer" in link) outbound++
    else inbound++
    if (link._tag === "CheckingServer") behind = Math.max(behind, link.behind.length)
    if (link._tag === "Offered") strays = Math.max(strays, link.strays)
  }
  return first([
    ["devices that it keeps in touch with", links.contacts.length, devices],
    ["sessions", sessions, devices],
    ["handshakes of its own", outbound, devices],
    ["handshakes of others", inbound, UNAUTHENTICATED_LINKS_MAX],
    ["frames of a link before its handshake", strays, UNAUTHENTICATED_FRAMES_MAX],
    ["frames behind an answer", behind, FRAMES_BEHIND_ANSWER_MAX],
    ["sessions of generation 1", links.gen1.length, devices],
    ["messages that wait for room", longestOf(links.gen1.map(({ waiting }) => waiting.length)), GEN1_WAITING_MAX],
    ["messages in a budget", longestOf(links.gen1.map(({ sent }) => sent.length)), GEN1_BUDGET_MESSAGES],
    ["lines", links.lines.length, sessions],
    ["messages that wait in one lane", longestOf(links.lines.map(fullestLane)), LANE_FRAMES_MAX],
    ["bytes that wait in the lanes of a link", longestOf(links.lines.map(waitingBytes)), LINE_BYTES_MAX],
    // A single message may be longer than the window.
    ["bytes under way behind control", longestOf(links.lines.map(underWay)), WINDOW_MAX_BYTES + MESSAGE_BYTES_MAX],
    ["strangers", links.strangers.length, STRANGERS_MAX],
    ["addresses of one device", found, ADDRESSES_MAX],
    ["addresses of a stranger", longestOf(links.strangers.map(({ addresses }) => addresses.length)), ADDRESSES_MAX]
  ])
}

const membershipWithin = ({ config, membership }: NodeState, before: NodeState["membership"]): string | null => {
  const devices = config.trusted.length
  const { checking, goodbyes, members, mine, news, rows } = membership
  const asked = members.reduce((most, { askers }) => Math.max(most, askers.length), 0)
  const witnesses = members.reduce((most, member) => Math.max(most, member.witnesses.length), 0)
  if (witnesses > devices + 1) return `${witnesses} witnesses against one device, at most ${devices + 1}`
  if (asked > ASKERS_MAX) return `${asked} who wait for one answer, at most ${ASKERS_MAX}`
  const farewells = first([
    ["goodbyes", goodbyes.length, devices + 1],
    ["goodbyes that are being checked", checking.length, CHECKING_MAX]
  ])
  if (farewells !== null) return farewells
  if (rows === before.rows && mine === before.mine && news === before.news && members.length <= devices) return null
  const longest = membership.rows.reduce((edges, row) => Math.max(edges, row.edges.length), 0)
  return first([
    ["members", membership.members.length, devices],
    ["rows of observers", membership.rows.length, devices],
    ["edges of an observer", longest, ROW_EDGES_MAX],
    ["edges of its own", membership.mine.edges.length, devices],
    ["rows to hand on", news.length, devices + 1]
  ])
}

const leadershipWithin = ({ config, leadership: { standing } }: NodeState): string | null => {
  const electors = config.manifest.electors.length
  if (standing._tag === "Following") return null
  if (standing._tag !== "Leading") return first([["votes", standing.granted.length, electors]])
  const promises = standing.beats.reduce((most, beat) => Math.max(most, beat.promised.length), 0)
  return first([
    ["heartbeats that are out", standing.beats.length, BEATS_MAX],
    ["promises of one heartbeat", promises, electors]
  ])
}

const worldWithin = ({ config, world }: NodeState, before: NodeState["world"], sessions: number): string | null => {
  const devices = config.trusted.length
  const { checking, drafts, exchanges, origins } = world
  const gathered = first([
    ["frames that wait to be signed", drafts.length, DRAFTS_MAX],
    ["links on which logs are compared", exchanges.length, sessions],
    // Pages of one chunk may be under way besides.
    ["messages whose signatures are checked", checking.length, (CHECKING_MAX_A_LINK + PAGES_MAX) * (devices + 1)]
  ])
  if (gathered !== null || origins === before.origins) return gathered
  const logs = origins.flatMap((origin) => origin.logs)
  return first([
    ["devices that said something", origins.length, devices + 1],
    ["incarnations of one device", longestOf(origins.map((origin) => origin.logs.length)), INCARNATIONS_MAX],
    ["entries of one device", longestOf(origins.map(({ entries }) => HashMap.size(entries))), ENTRIES_MAX],
    ["frames ahead of their turn", longestOf(logs.map(({ ahead }) => ahead.length)), AHEAD_MAX],
    ["ids of frames of one device", longestOf(origins.map(({ seen }) => Tail.sizeOf(seen))), SEEN_MAX],
    ["frames without a signature", longestOf(origins.map(({ unsigned }) => Tail.sizeOf(unsigned))), UNSIGNED_MAX],
    ["frames in its logs", world.frames, config.world?.frames ?? FRAMES_MAX],
    ["bytes in its logs", world.bytes, config.world?.bytes ?? BYTES_MAX]
  ])
}

/** Without what people and programs say, in frames and as thresholds: they may have numbers of any kind. */
const counted = (node: NodeState): unknown => ({
  ...node,
  config: { ...node.config, actuators: [], rules: [] },
  guardian: { ...node.guardian, guards: node.guardian.guards.map((guard) => ({ ...guard, seen: [] })) },
  world: {
    ...node.world,
    checking: [],
    drafts: [],
    signing: null,
    origins: node.world.origins.map(({ logs }) => logs.map((log) => ({ ...log, tail: null, ahead: [] })))
  }
})

/** The path of the first number in it that is none to count or tell time with. Without a name for anything until it is needed. */
const unsafe = (value: unknown): string | null => {
  if (typeof value === "number") return Number.isSafeInteger(value) ? null : ` is ${value}`
  if (typeof value !== "object" || value === null) return null
  for (const name in value) {
    // What a program says, wherever its frame waits.
    if (name === "data") continue
    const found = unsafe((value as Record<string, unknown>)[name])
    if (found !== null) return `.${name}${found}`
  }
  return null
}

export const bounds: MakeOracle = () => counting(0)

const counting = (before: number): Oracle => {
  let steps = before
  return {
    id: "S10",
    fork: () => counting(steps),
    stepped: ({ after, before, commands, machine }) => {
      const devices = after.config.trusted.length
      const commandsMax =
        COMMANDS_PER_DEVICE_MAX * devices +
        COMMANDS_PER_HANDSHAKE_MAX * UNAUTHENTICATED_LINKS_MAX +
        COMMANDS_BESIDES_MAX
      if (commands.length > commandsMax)
        return `${machine.name} wants ${commands.length} commands done in one step, at most ${commandsMax}`
      if (after === before) return null
      const {
        config,
        durable,
        guardian,
        inference,
        leadership,
        links,
        membership,
        proposals,
        recall,
        refusals,
        world
      } = after
      let grown: string | null = null
      if (links !== before.links) grown = linksWithin(after, before.links)
      if (grown === null && membership !== before.membership) grown = membershipWithin(after, before.membership)
      if (grown === null && leadership.standing !== before.leadership.standing) grown = leadershipWithin(after)
      if (grown === null && world !== before.world) grown = worldWithin(after, before.world, links.links.length)
      if (grown === null && leadership.proofs !== before.leadership.proofs)
        grown = first([["signed votes for it", leadership.proofs.length, config.manifest.electors.length]])
      if (grown === null && guardian.certifying !== before.guardian.certifying)
        grown = first([["certificates that are being verified", guardian.certifying.length, CERTIFYING_MAX]])
      if (grown === null && proposals !== before.proposals)
        grown = first([
          ["decisions under way", proposals.decisions.length, DECISIONS_MAX],
          ["tokens", proposals.tokens.length, TOKENS_MAX],
          ["approvals under way", proposals.carried.length, (config.actuators ?? []).length]
        ])
      if (grown === null && inference !== before.inference)
        grown = first([
          ["inferences that were stopped", inference.serving.abandoned.length, ABANDONED_MAX],
          ["requests to models", inference.asking.asks.length, ASKS_MAX]
        ])
      if (grown === null && durable !== before.durable)
        grown = first([
          ["keys", durable.pins.length, devices],
          ["devices that it stored as trusted", durable.trusted.length, devices]
        ])
      if (grown === null && recall !== before.recall)
        grown = first([["who told it which incarnation it was", recall.answered.length, devices]])
      if (grown === null && refusals !== before.refusals)
        grown = first([["counters", refusals.length, allCodes.length]])
      if (grown !== null) return `${machine.name} has ${grown}`
      steps++
      const number = steps % SAMPLED_STEPS === 0 ? unsafe(counted(after)) : null
      return number === null ? null : `a number of ${machine.name} is none: ${number.slice(1)}`
    }
  }
}
