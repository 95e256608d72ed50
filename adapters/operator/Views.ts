/**
 * A node's state as the documents of `Api.ts`: reading only, computed when asked (B26, B44). What needs a look is said here
 * once, with what to do about it, so that every screen says the same.
 *
 * Does not know: what other nodes think of the leader.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import { trustedDevice, type Trusted } from "../../kernel/Config.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { Session } from "../../kernel/links/Link.ts"
import { isNearby } from "../../kernel/links/Tunnel.ts"
import * as Way from "../../kernel/links/Way.ts"
import { indexOfMember } from "../../kernel/membership/Member.ts"
import { isIsolated } from "../../kernel/membership/Membership.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { proposalsOf, shortOf } from "../../kernel/proposals/Proposal.ts"
import { ECHO } from "../../kernel/routing/Forwarding.ts"
import * as KernelStatus from "../../kernel/status/Status.ts"
import type { Kind } from "../../kernel/wire/ContextFrame.ts"
import * as Query from "../../kernel/world/Query.ts"
import * as Tracing from "../../kernel/world/Trace.ts"
import { NEVER_MS, type Instant } from "../../kernel/Time.ts"
import type { Daemon, Told } from "../node/Daemon.ts"
import { isoTime } from "../node/IsoTime.ts"
import * as Api from "./Api.ts"

/** After a start, a peer that was not met for so long needs a look: discovery and a first dial take seconds. */
const NOT_MET_AFTER_MS = 30_000

export const nameOf = (node: NodeState, id: string): string | null => {
  if (id === node.config.deviceId) return node.config.displayName
  const name = node.durable.trusted.find(({ deviceId }) => deviceId === id)?.name ?? ""
  return name === "" ? null : name
}

export const deviceOf = (node: NodeState, id: string): Api.Device => ({ id, name: nameOf(node, id) })

/** How a sentence calls a device. */
const called = ({ id, name }: Api.Device): string => name ?? id.slice(0, 8)

/** How a command line calls a device: exactly. */
const named = ({ id, name }: Api.Device): string => (name === null || /[^\w.-]/u.test(name) ? id : name)

export interface WorldQuestion {
  readonly limit: number
  readonly kind: Kind | null
  readonly zone: string | null
  readonly source: string | null
}

export const headOf = (node: NodeState, now: Instant) => ({ at: isoTime(now.wall), seenFrom: node.config.displayName })

const selfOf = ({ config }: NodeState) => ({ id: config.deviceId, name: config.displayName, role: config.role })

const elapsed = (since: number, now: Instant): number => Math.max(0, now.mono - since)

const uptimeOf = (node: NodeState, now: Instant): number => (node.phase === "off" ? 0 : elapsed(node.startedAt, now))

const peersOf = (node: NodeState, now: Instant): ReadonlyArray<Api.Peer> => {
  const uptimeMs = uptimeOf(node, now)
  return KernelStatus.peers(node, now.mono).map((peer): Api.Peer => {
    const member = node.membership.members[indexOfMember(node.membership.members, peer.deviceId)]
    const contact = node.links.contacts.find((other) => other.peer === peer.deviceId)
    const session = node.links.links.find((link) => link._tag === "Session" && link.peer === peer.deviceId)
    const trusted = trustedDevice(node.config, peer.deviceId)
    const nextDialAt = contact?.nextDialAt ?? NEVER_MS
    const configured = trusted?.address ?? null
    return {
      ...deviceOf(node, peer.deviceId),
      role: peer.role,
      gen1: trusted?.gen1 ?? false,
      state: peer.state,
      // What was never met is unknown since the start, not since the origin of the clock.
      sinceMs: Math.min(Math.max(0, peer.sinceMs), uptimeMs),
      witnesses: peer.witnesses?.map((witness) => deviceOf(node, witness)) ?? null,
      incarnation: peer.incarnation,
      link: session?._tag === "Session" ? linkOf(trusted, session, isNearby(contact?.found), now) : null,
      configured: configuredOf(trusted),
      heardMs: member === undefined || member.heardAt === 0 ? null : elapsed(member.heardAt, now),
      rttMs: member === undefined || member.srtt8 === 0 || !peer.linked ? null : Math.round(member.srtt8 / 8),
      clockOffsetMs: peer.clockOffsetMs === undefined ? null : Math.round(peer.clockOffsetMs),
      refused: peer.refused ?? null,
      dialling: {
        addresses: configured === null ? (contact?.found ?? []) : [configured],
        underWay: contact !== undefined && contact.attempt !== null,
        nextInMs: nextDialAt === NEVER_MS ? null : Math.max(0, nextDialAt - now.mono),
        failures: contact?.failures ?? 0
      }
    }
  })
}

const linkOf = (device: Trusted | undefined, session: Session, sighted: boolean, now: Instant): Api.Link => {
  const way = device === undefined ? null : Way.negotiated(device, session, sighted)
  return {
    dialledBy: session.dialledByUs ? "us" : "them",
    sinceMs: elapsed(session.since, now),
    label: way?.label ?? null,
    security: way?.posture ?? null,
    remote: session.path?.remote ?? null,
    address: session.path?.address ?? null,
    certificateUntil: session.path?.certificateUntil === undefined ? null : isoTime(session.path.certificateUntil)
  }
}

const configuredOf = (device: Trusted | undefined): Api.Peer["configured"] => {
  const way = device === undefined ? null : Way.configured(device)
  return way === null ? null : { url: way.url, label: way.label, security: way.posture }
}

const strangersOf = (node: NodeState): ReadonlyArray<Api.Stranger> =>
  node.links.strangers.map(({ addresses, deviceId, name }) => ({ id: deviceId, name, addresses }))

const leaderOf = (node: NodeState, now: Instant): Api.Leader | null => {
  const { config, leadership } = node
  const id = Leadership.named(leadership, config, now.mono)
  if (id === null) return null
  const own = id === config.deviceId
  const { standing } = leadership
  return {
    ...deviceOf(node, id),
    role: own ? config.role : (trustedDevice(config, id)?.role ?? "node"),
    kind: own ? "local" : "peer",
    leaseLeftMs: own && standing._tag === "Leading" ? Math.max(0, standing.leaseUntil - now.mono) : null,
    heardMs: own ? null : elapsed(leadership.heardAt, now)
  }
}

export const isUp = (node: NodeState, id: string): boolean =>
  id === node.config.deviceId || KernelStatus.peerState(node, id) === "up"

export const electorsOf = (node: NodeState) => {
  const { manifest } = node.config
  const total = manifest.electors.length
  const up = manifest.electors.filter((id) => isUp(node, id)).length
  return { total, up, needed: total === 0 ? 0 : Math.floor(total / 2) + 1 }
}

/** Why a trusted device and we do not talk, in words, and who has to do what. */
const refusalOf = (node: NodeState, peer: Api.Peer): { readonly text: string; readonly hint: string } => {
  const who = called(peer)
  const { deviceId, role } = node.config
  switch (peer.refused) {
    case "UNTRUSTED_PEER":
      return {
        text: `${who} does not trust this node (UNTRUSTED_PEER)`,
        hint: `on ${who}: clawmesh trust add ${deviceId} --role ${role}`
      }
    case "MESH_ID_MISMATCH":
      return {
        text: `${who} belongs to another mesh (MESH_ID_MISMATCH)`,
        hint: "both nodes need the same --mesh-name and --mesh-key"
      }
    case "PUBLIC_KEY_MISMATCH":
    case "PIN_MISMATCH":
      return {
        text: `${who} shows another key than the one that is pinned (${peer.refused})`,
        hint: `a new machine, or somebody else: check its id with clawmesh-node id, then clawmesh trust remove ${named(peer)}`
      }
    default:
      return {
        text: `${who} and this node do not talk to each other (${peer.refused})`,
        hint: `clawmesh peers ${named(peer)}`
      }
  }
}

/** Whose word it is. */
const seenBy = ({ witnesses }: Api.Peer): string =>
  witnesses === null || witnesses.length < 2
    ? ", and nobody else confirms that"
    : `, by ${witnesses.map(called).join(" and ")}`

const peerWarning = (node: NodeState, peer: Api.Peer, uptimeMs: number): Api.Warning | null => {
  const about = { id: peer.id, name: peer.name }
  const who = called(peer)
  const hint = `clawmesh peers ${named(peer)}`
  if (peer.refused !== null) return { code: "PEER_REFUSED", about, ...refusalOf(node, peer) }
  switch (peer.state) {
    case "down":
      return { code: "PEER_DOWN", about, text: `${who} is down: nothing is heard of it${seenBy(peer)}`, hint }
    case "suspect":
      return { code: "PEER_SUSPECT", about, text: `${who} is suspect: it has missed probes`, hint }
    case "unknown": {
      if (uptimeMs < NOT_MET_AFTER_MS) return null
      const found = peer.dialling.addresses.length > 0
      const text = found
        ? `${who} was not met since this node started, though its address is known`
        : `${who} was not met since this node started, and no address of it is known`
      return { code: "PEER_NOT_MET", about, text, hint: found ? hint : `is it on, and does it run clawmesh-node?` }
    }
    default:
      return null
  }
}

const warningsOf = (
  node: NodeState,
  now: Instant,
  peers: ReadonlyArray<Api.Peer>,
  daemon: Pick<Daemon, "discovery" | "disk" | "unrecorded">
): ReadonlyArray<Api.Warning> => {
  const warnings: Array<Api.Warning> = []
  const warn = (code: Api.Warning["code"], text: string, hint: string | null): void => {
    warnings.push({ code, about: null, text, hint })
  }
  const uptimeMs = uptimeOf(node, now)
  const refusal = daemon.disk()
  if (refusal !== null)
    warn(
      "DISK_REFUSES",
      `nothing is stored, so that this node votes for nobody and begins to move nothing: ${refusal}`,
      "clawmesh doctor"
    )
  if (node.phase === "recalling")
    warn(
      "AMNESIA",
      "this node has lost its journal, and asks the devices that it trusts which incarnation it had",
      "clawmesh trust add ID --role ROLE, for one that knew it; a device that nobody knew is made anew: docs/reference/state-directory.md"
    )
  else if (node.phase !== "running")
    warn(
      "NOT_RUNNING",
      node.phase === "left" || node.phase === "leaving" ? "this node has left the mesh" : "this node is still starting",
      null
    )
  const { next } = node.leadership.reconfiguration
  if (node.leadership.abstains && next === null)
    warn(
      "AMNESIA",
      `this node has lost its journal: by version ${node.config.manifest.version} of the electors it neither votes nor leads`,
      `where the operator key of the mesh is: clawmesh electors readmit ${node.config.deviceId}`
    )
  if (next !== null) {
    const text = `version ${next.manifest.version} of the electors waits for those who elect now: ${next.acks.length} of ${next.manifest.previous.electors.length} have acknowledged it`
    warn("ELECTORS_WAIT", text, "clawmesh electors shows who has not; bring them up")
  }
  const electors = electorsOf(node)
  if (node.phase === "running" && electors.total > 0 && leaderOf(node, now) === null) {
    if (electors.up < electors.needed) {
      const text = `nobody can lead: ${electors.up} of ${electors.total} electors are up, ${electors.needed} are needed`
      warn("NO_QUORUM", text, "bring the electors that are down back up")
    } else if (uptimeMs >= 2 * node.config.profile.promiseMs + node.config.profile.candidacyMaxMs) {
      warn("NO_LEADER", "nobody leads, although enough electors are up", "clawmesh events --kind leader")
    }
  }
  if (isIsolated(node.membership))
    warn(
      "ISOLATED",
      "every peer that was met is down: it may be this node that is cut off",
      "look at its own cable, Wi-Fi and switch first"
    )
  const discovery = daemon.discovery()
  if (discovery.enabled && !discovery.runs)
    warn("DISCOVERY_FAILED", `discovery does not run: ${discovery.why}`, "devices with a configured address still work")
  const unrecorded = daemon.unrecorded()
  if (unrecorded !== null)
    warn(
      "RECORDING_STOPPED",
      `nothing is recorded since: ${unrecorded}`,
      "all else goes on; it records again from its next start on"
    )
  for (const peer of peers) {
    const warning = peerWarning(node, peer, uptimeMs)
    if (warning !== null) warnings.push(warning)
  }
  return warnings
}

export const status = (daemon: Daemon): Api.Status => {
  const node = daemon.state()
  const now = daemon.now()
  const discovery = daemon.discovery()
  const { config, leadership } = node
  const peers = peersOf(node, now)
  const leader = leaderOf(node, now)
  const { isolated, refusals, stalls } = KernelStatus.status(node, now.mono)
  return {
    $type: "clawmesh.status/1",
    ...headOf(node, now),
    node: {
      id: config.deviceId,
      name: config.displayName,
      role: config.role,
      phase: node.phase,
      incarnation: node.incarnation,
      uptimeMs: uptimeOf(node, now),
      address: daemon.address(),
      meshId: config.meshId
    },
    leader,
    term: leadership.term.counter,
    leaseMs: config.profile.leaseMs,
    activity: Leadership.activity(leadership, config, now.mono),
    suspended: leadership.suspended,
    standby: config.manifest.electors
      .filter((id) => Leadership.mayLead(config, id) && id !== leader?.id && isUp(node, id))
      .map((id) => deviceOf(node, id)),
    electors: electorsOf(node),
    isolated,
    stalls: stalls ?? null,
    waiting: proposalsOf(node.world, config, now.mono).filter((one) => one.status === "awaiting_approval").length,
    peers,
    strangers: strangersOf(node),
    refusals,
    discovery,
    warnings: warningsOf(node, now, peers, daemon)
  }
}

export const peers = (daemon: Daemon): Api.Peers => {
  const node = daemon.state()
  const now = daemon.now()
  return { $type: "clawmesh.peers/1", ...headOf(node, now), peers: peersOf(node, now) }
}

export const health = (daemon: Daemon): Api.Health => {
  const node = daemon.state()
  const now = daemon.now()
  const all = peersOf(node, now)
  const warnings = warningsOf(node, now, all, daemon)
  const links = all.map(({ configured, id, link, name }) => ({ id, name, configured, link }))
  return { $type: "clawmesh.health/1", ...headOf(node, now), healthy: warnings.length === 0, links, warnings }
}

/** A device as the running node trusts it; `null`: it does not. */
export const trusted = (node: NodeState, id: string): Api.Trusted | null => {
  const device = trustedDevice(node.config, id)
  if (device === undefined) return null
  return {
    ...deviceOf(node, id),
    role: device.role,
    gen1: device.gen1,
    publicKey: device.publicKey ?? node.durable.pins.find(({ deviceId }) => deviceId === id)?.publicKey ?? null,
    may: device.may ?? null,
    source: node.durable.trusted.some(({ deviceId }) => deviceId === id) ? "operator" : "configuration"
  }
}

export const trust = (daemon: Daemon): Api.Trust => {
  const node = daemon.state()
  return {
    $type: "clawmesh.trust/1",
    ...headOf(node, daemon.now()),
    node: selfOf(node),
    trusted: node.config.trusted.map(({ deviceId }) => trusted(node, deviceId)!),
    strangers: strangersOf(node)
  }
}

export const trustChange = (
  daemon: Daemon,
  change: Api.TrustChange["change"],
  device: Api.Trusted
): Api.TrustChange => ({
  $type: "clawmesh.trust-change/1",
  ...headOf(daemon.state(), daemon.now()),
  node: selfOf(daemon.state()),
  change,
  device
})

export const eventOf = (node: NodeState, { atMs, event }: Told): Api.Event => ({
  at: isoTime(atMs),
  atMs,
  ...event,
  name: event.about === undefined ? null : nameOf(node, event.about),
  by: (event.witnesses ?? []).map((id) => deviceOf(node, id))
})

export const eventLine = (daemon: Daemon, told: Told): Api.EventLine => ({
  $type: "clawmesh.event/1",
  ...eventOf(daemon.state(), told)
})

/** Which events are asked for. */
export interface Question {
  /** ms since 1970; `null`: all that are kept. */
  readonly sinceMs: number | null
  /** Empty: of every kind. */
  readonly kinds: ReadonlyArray<string>
  /** A device, by its name or its id; what moves; or a proposal, whole or as people say it. `null`: about anything. */
  readonly about: string | null
  readonly limit: number
}

const concerns = (node: NodeState, { event }: Told, about: string): boolean => {
  const devices = [...(event.about === undefined ? [] : [event.about]), ...(event.witnesses ?? [])]
  const { actuator, proposal } = event
  return (
    devices.some((id) => id === about || nameOf(node, id) === about) ||
    (actuator !== undefined && (actuator === about || actuator === `${ACTUATOR}${about}`)) ||
    (proposal !== undefined && (proposal === about || shortOf(proposal) === about))
  )
}

export const answers = (node: NodeState, { about, kinds, sinceMs }: Question, told: Told): boolean =>
  (sinceMs === null || told.atMs >= sinceMs) &&
  (kinds.length === 0 || kinds.some((kind) => Api.isOfKind(told.event.event, kind))) &&
  (about === null || concerns(node, told, about))

export const events = (daemon: Daemon, question: Question): Api.Events => {
  const node = daemon.state()
  const fitting = daemon.events().filter((told) => answers(node, question, told))
  const last = fitting.slice(Math.max(0, fitting.length - question.limit))
  return {
    $type: "clawmesh.events/1",
    ...headOf(node, daemon.now()),
    events: last.map((told) => eventOf(node, told)),
    omitted: fitting.length - last.length
  }
}

export const world = (daemon: Daemon, { kind, limit, source, zone }: WorldQuestion): Api.World => {
  const node = daemon.state()
  const now = daemon.now()
  const entries = Query.standing(node.world, now.mono).filter(
    (entry) =>
      (kind === null || entry.kind === kind) &&
      (zone === null || entry.zone === zone) &&
      (source === null || entry.sourceDeviceId === source)
  )
  return {
    $type: "clawmesh.world/1",
    ...headOf(node, now),
    count: entries.length,
    entries: entries.slice(0, limit).map((entry) => ({
      source: deviceOf(node, entry.sourceDeviceId),
      kind: entry.kind,
      zone: entry.zone ?? null,
      metric: entry.metric ?? null,
      frame: entry.frameId,
      ageMs: entry.ageMs,
      freshness: entry.freshness,
      tier: entry.tier,
      evidence: entry.evidence,
      data: entry.data
    })),
    gaps: Query.gapsOf(node.world.origins).map(({ frames, sourceDeviceId }) => ({
      source: deviceOf(node, sourceDeviceId),
      frames
    })),
    held: { frames: node.world.frames, bytes: node.world.bytes }
  }
}

/** `null`: that frame is not held here. */
export const trace = (daemon: Daemon, frameId: string): Api.Trace | null => {
  const node = daemon.state()
  const found = Tracing.trace(node.world, frameId)
  if (found === null) return null
  return {
    $type: "clawmesh.trace/1",
    ...headOf(node, daemon.now()),
    chain: found.chain.map(({ distance, frame }) => ({
      distance,
      source: deviceOf(node, frame.sourceDeviceId),
      kind: frame.kind,
      tier: frame.trust.evidence_trust_tier,
      frame: frame.frameId,
      timestamp: frame.timestamp,
      data: frame.data
    })),
    missing: found.missing
  }
}

/** Has a device answer, over however many others. */
export const echo = (daemon: Daemon, id: string): Effect.Effect<Api.Echo> =>
  Effect.gen(function* () {
    const node = daemon.state()
    const begun = daemon.now().mono
    const outcome = yield* daemon.ask({
      channel: ECHO,
      to: id,
      originGatewayId: node.config.deviceId,
      idempotencyKey: randomUUID(),
      message: {}
    })
    const now = daemon.now()
    return {
      $type: "clawmesh.echo/1",
      ...headOf(node, now),
      device: deviceOf(node, id),
      ok: outcome.ok,
      tookMs: elapsed(begun, now),
      code: outcome.ok ? null : outcome.code,
      text: outcome.ok ? "it answered" : outcome.message
    }
  })
