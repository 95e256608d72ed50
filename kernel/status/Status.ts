/**
 * Read-only views of a node: what it would say of itself and of the others (B26, B44). Computed when asked, never stored.
 */
import { ACTUATOR } from "../actuation/Actuator.ts"
import { roleOf, trustedDevice } from "../Config.ts"
import { proposalsOf, shortOf } from "../proposals/Proposal.ts"
import * as Leadership from "../leadership/Leadership.ts"
import type { Posture } from "../links/Policy.ts"
import { isNearby } from "../links/Tunnel.ts"
import * as Way from "../links/Way.ts"
import { indexOfMember, type PeerState } from "../membership/Member.ts"
import { isIsolated } from "../membership/Membership.ts"
import { isConfirmed } from "../membership/Restating.ts"
import type { NodeState } from "../Node.ts"
import type { DeviceId, Role } from "../wire/Frame.ts"
import { allCodes } from "../wire/Codes.ts"

export interface PeerStatus {
  readonly deviceId: DeviceId
  readonly role: Role
  readonly state: PeerState
  /** For how long, ms. */
  readonly sinceMs: number
  readonly incarnation: number
  /** Of a peer that is down: the observers who have it as bad, and whether these are two or more. */
  readonly witnesses?: ReadonlyArray<DeviceId>
  readonly confirmed?: boolean
  /** It misses devices that nobody else does: its network is ill, or its word. */
  readonly disputed?: true
  readonly outbound: boolean
  readonly linked: boolean
  /** Number of that connection. */
  readonly link?: number
  /** How its link is called and secured, as negotiated (B16, B17); without a link, or a label, absent. */
  readonly transportLabel?: string
  readonly transportPosture?: Posture
  /** How far its calendar was ahead of ours at its last handshake, ms; absent: there was none in this boot. */
  readonly clockOffsetMs?: number
  /** The lasting reason for which we do not talk to each other. */
  readonly refused?: string
}

/** As generation 1 knows them. */
export interface PendingProposal {
  /** Whole, so that it can be decided about. */
  readonly taskId: string
  readonly summary: string
  readonly approvalLevel: "L2"
  readonly status: "awaiting_approval"
  readonly plannerDeviceId: DeviceId
  readonly plannerRole: Role
  /** Who looks after it now. */
  readonly plannerOwner: DeviceId
}

/** More would make an answer long, and nobody reads them all. */
export const PENDING_TOLD_MAX = 16

const pending = ({ config, world }: NodeState, mono: number): ReadonlyArray<PendingProposal> =>
  proposalsOf(world, config, mono)
    .filter((one) => one.status === "awaiting_approval")
    .slice(0, PENDING_TOLD_MAX)
    .map(({ body, id, owner, proposer }) => ({
      taskId: id,
      summary: `${shortOf(id)}: ${body.actuator.slice(ACTUATOR.length)} ${body.state}${body.forMs === 0 ? "" : ` for ${Math.round(body.forMs / 1_000)} s`}`,
      approvalLevel: "L2",
      status: "awaiting_approval",
      plannerDeviceId: proposer,
      plannerRole: roleOf(config, proposer) ?? "planner",
      plannerOwner: owner
    }))

export interface NodeStatus {
  readonly localDeviceId: DeviceId
  readonly displayName: string
  readonly role: Role
  readonly incarnation: number
  readonly uptimeMs: number
  readonly connectedPeers: number
  /** Every peer that was met is down: it may well be this node that is cut off. Beside the peers' states, not in their place. */
  readonly isolated: boolean
  /** How often this node itself was not attentive, for how long the last time, and how long ago that was; absent: never. */
  readonly stalls?: { readonly count: number; readonly lastMs: number; readonly agoMs: number }
  readonly peers: ReadonlyArray<PeerStatus>
  readonly plannerActivity: {
    readonly state: Leadership.Activity
    readonly role: Role
    readonly leader: {
      readonly kind: "none" | "local" | "peer"
      readonly deviceId?: DeviceId
      readonly role?: Role
    }
    /** Asked anew at every trigger: autonomous work only while this is so (B24). */
    readonly shouldHandleAutonomous: boolean
  }
  readonly term: number
  /** What is left of our own lease, ms; 0: we hold none. */
  readonly leaseMs: number
  /** Those that wait for a person, the newest first (B32); absent: there are none. */
  readonly pendingProposals?: ReadonlyArray<PendingProposal>
  /** Counts of refusals by code, those that happened. */
  readonly refusals: { readonly [code: string]: number }
}

export const peerState = (node: NodeState, deviceId: DeviceId): PeerState =>
  node.membership.members[indexOfMember(node.membership.members, deviceId)]?.state ?? "unknown"

export const peers = (node: NodeState, mono: number): ReadonlyArray<PeerStatus> =>
  node.membership.members.map((member) => {
    const contact = node.links.contacts.find((other) => other.peer === member.deviceId)
    const session = node.links.links.find((link) => link._tag === "Session" && link.peer === member.deviceId)
    const device = trustedDevice(node.config, member.deviceId)
    const way =
      device === undefined || session?._tag !== "Session"
        ? null
        : Way.negotiated(device, session, isNearby(contact?.found))
    return {
      deviceId: member.deviceId,
      role: device?.role ?? "node",
      state: member.state,
      sinceMs: mono - member.since,
      incarnation: member.incarnation,
      ...(member.state === "down" ? { witnesses: member.witnesses, confirmed: isConfirmed(member.witnesses) } : {}),
      ...(member.disputed ? { disputed: true as const } : {}),
      outbound: session?._tag === "Session" && session.dialledByUs,
      linked: session !== undefined,
      ...(session === undefined ? {} : { link: session.link }),
      ...(way === null ? {} : { transportPosture: way.posture }),
      ...(way?.label == null ? {} : { transportLabel: way.label }),
      ...(contact?.clockOffsetMs == null ? {} : { clockOffsetMs: contact.clockOffsetMs }),
      ...(contact?.refused == null ? {} : { refused: contact.refused })
    }
  })

/** @param mono the node's own time, ms */
export const status = (node: NodeState, mono: number): NodeStatus => {
  const { config, leadership, membership } = node
  const { count, lastAt, lastMs } = membership.stalls
  const state = Leadership.activity(leadership, config, mono)
  const leader = Leadership.named(leadership, config, mono)
  const all = peers(node, mono)
  const waiting = pending(node, mono)
  const refusals: Record<string, number> = {}
  node.refusals.forEach((count, index) => {
    if (count > 0) refusals[allCodes[index]!] = count
  })
  const leaseUntil = leadership.standing._tag === "Leading" ? leadership.standing.leaseUntil : 0
  return {
    localDeviceId: config.deviceId,
    displayName: config.displayName,
    role: config.role,
    incarnation: node.incarnation,
    uptimeMs: mono - node.startedAt,
    connectedPeers: all.filter((peer) => peer.linked).length,
    isolated: isIsolated(membership),
    ...(count === 0 ? {} : { stalls: { count, lastMs, agoMs: mono - lastAt } }),
    peers: all,
    plannerActivity: {
      state,
      role: config.role,
      leader:
        leader === null
          ? { kind: "none" }
          : {
              kind: leader === config.deviceId ? "local" : "peer",
              deviceId: leader,
              role: trustedDevice(config, leader)?.role ?? config.role
            },
      shouldHandleAutonomous: state === "active"
    },
    term: leadership.term.counter,
    leaseMs: Math.max(0, leaseUntil - mono),
    ...(waiting.length === 0 ? {} : { pendingProposals: waiting }),
    refusals
  }
}
