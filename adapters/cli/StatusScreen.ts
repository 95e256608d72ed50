/** `clawmesh status`: this node and the mesh on one screen, and what to do next. */
import { printable } from "../config/Printable.ts"
import type { Status } from "../operator/Api.ts"
import { peerTable, warningLines } from "./PeerScreen.ts"
import { called, count, duration, fact, type Look, sides, styled } from "./Text.ts"

const leaderText = ({ electors, leader, leaseMs, term }: Status): string => {
  if (leader === null) {
    return electors.total === 0
      ? "nobody · no electors are configured"
      : `nobody · term ${term} · ${electors.up} of ${electors.total} electors up, ${electors.needed} needed`
  }
  const lease =
    leader.leaseLeftMs === null
      ? `heard ${duration(leader.heardMs ?? 0)} ago`
      : `lease ${duration(leader.leaseLeftMs)} left of ${duration(leaseMs)}`
  return `${called(leader)}${leader.kind === "local" ? " (this node)" : ""} ★ · term ${term} · ${lease}`
}

const peersText = ({ peers, warnings }: Status): string => {
  if (peers.length === 0) return "none trusted yet"
  const up = peers.filter(({ state }) => state === "up").length
  const needy = warnings.filter(({ about }) => about !== null).length
  return sides(
    `${up} of ${peers.length} up`,
    needy === 0 ? "" : `${needy} ${needy === 1 ? "needs" : "need"} a look, below`
  ).trimEnd()
}

const discoveryText = ({ discovery, strangers }: Status, look: Look): string => {
  const state = !discovery.enabled ? "off" : discovery.runs ? "runs" : `does not run: ${printable(discovery.why)}`
  if (strangers.length === 0) return state
  const seen = `${state} · ${count(strangers.length, "stranger")} near`
  return look.quiet ? seen : sides(seen, "clawmesh trust list")
}

const waitingText = ({ waiting }: Status, look: Look): string => {
  const text = `${count(waiting, "proposal")} for a person`
  return look.quiet ? text : sides(text, "clawmesh proposals")
}

/** The last line: what to do. */
const nextStep = ({ node, peers, strangers, warnings }: Status): string | null => {
  if (peers.length === 0) {
    const near = strangers.length > 0 ? "clawmesh trust list shows who is near" : "clawmesh trust add ID --role ROLE"
    return `  This node's id: ${node.id}\n  Let a device in: clawmesh invite --role ROLE\n  Trust a device:  ${near}`
  }
  return warnings.length === 0 ? "  Nothing needs a look." : null
}

export const statusScreen = (status: Status, look: Look): string => {
  const { node, refusals, standby, warnings } = status
  const phase = node.phase === "running" ? `up ${duration(node.uptimeMs)}` : node.phase
  const refused = Object.entries(refusals).map(([code, times]) => `${times} ${printable(code)}`)
  const next = look.quiet ? null : nextStep(status)
  const title = `${printable(node.name)} (${node.role})`
  const lines = [
    `${styled(title, "bold", look)}${" ".repeat(Math.max(2, 50 - title.length))}mesh ${node.meshId.slice(0, 8)}, ${phase}`,
    fact("leader", leaderText(status), look),
    ...(standby.length === 0 ? [] : [fact("standby", standby.map(called).join(", "), look)]),
    fact("peers", peersText(status), look),
    ...(status.suspended ? [fact("planner", "suspended: it votes, and does not lead", look)] : []),
    ...(status.waiting === 0 ? [] : [fact("waiting", waitingText(status, look), look)]),
    fact("listens", printable(node.address), look),
    fact("discovery", discoveryText(status, look), look),
    ...(refused.length === 0 ? [] : [fact("refused", `${refused.join(" · ")} since the start`, look)]),
    ...(status.peers.length === 0 ? [] : ["", ...peerTable(status, look)]),
    ...(warnings.length === 0 ? [] : ["", ...warningLines(warnings, look)]),
    ...(next === null ? [] : ["", next])
  ]
  return `${lines.join("\n")}\n`
}
