/** Peers on a terminal: the table of all, and everything about one. */
import { printable } from "../config/Printable.ts"
import type { Peer, Status, Warning } from "../operator/Api.ts"
import { called, count, duration, fact, type Look, styled, type Style, table } from "./Text.ts"

const stateStyles: { readonly [state in Peer["state"]]: Style } = {
  up: "green",
  suspect: "yellow",
  down: "red",
  left: "dim",
  unknown: "dim"
}

const remoteWords = { loopback: "loopback", private: "lan", public: "wan" } as const

/** By what way, and how protected; without a session what is done about it. */
const linkCell = ({ dialling, gen1, link, refused }: Peer): string => {
  if (link !== null) {
    const way = link.label ?? (link.remote === null ? "direct" : remoteWords[link.remote])
    return [printable(way), ...(link.security === null ? [] : [link.security]), ...(gen1 ? ["generation 1"] : [])].join(
      ", "
    )
  }
  if (refused !== null) return "refused"
  return dialling.underWay ? "dialling" : "none"
}

/** The node forgets when it heard a device that has left; that is not the same as never. */
const heardCell = ({ heardMs, incarnation }: Peer): string => {
  if (heardMs !== null) return `${duration(heardMs)} ago`
  return incarnation === 0 ? "never" : "not known"
}

const roundTrip = ({ rttMs }: Peer): string => (rttMs === null ? "not timed" : `${rttMs} ms`)

export const peerTable = ({ leader, peers }: Pick<Status, "leader" | "peers">, look: Look): ReadonlyArray<string> =>
  table(
    ["NAME", "ROLE", "STATE", "SINCE", "LINK", "HEARD", "RTT"],
    peers.map((peer) => [
      `${called(peer)}${peer.id === leader?.id ? " ★" : ""}`,
      peer.role,
      { text: peer.state, style: stateStyles[peer.state] },
      duration(peer.sinceMs),
      linkCell(peer),
      heardCell(peer),
      roundTrip(peer)
    ]),
    look
  )

/** What needs a look, each with what to do. */
export const warningLines = (warnings: ReadonlyArray<Warning>, look: Look): ReadonlyArray<string> =>
  warnings.flatMap(({ hint, text }) => [
    `  ${styled("!", "yellow", look)} ${printable(text)}`,
    ...(hint === null || look.quiet ? [] : [`    ${printable(hint)}`])
  ])

export const peersScreen = (status: Status, look: Look): string => {
  const up = status.peers.filter(({ state }) => state === "up").length
  const lines =
    status.peers.length === 0
      ? ["This node trusts no other device yet."]
      : [...peerTable(status, look), "", `${up} of ${count(status.peers.length, "peer")} up.`]
  if (look.quiet) return `${lines.join("\n")}\n`
  const hint =
    status.peers.length > 0
      ? "clawmesh peers NAME shows everything about one"
      : status.strangers.length > 0
        ? "clawmesh trust list shows who is near"
        : "clawmesh trust add ID --role ROLE"
  return `${lines.join("\n")}   ${hint}\n`
}

const dialling = ({ dialling: { addresses, failures, nextInMs, underWay }, link }: Peer): string => {
  const where = addresses.length === 0 ? "no address known" : addresses.map(printable).join(", ")
  if (link !== null) return where
  const next = underWay ? "now" : nextInMs === null ? "waits to be dialled" : `next in ${duration(nextInMs)}`
  return [where, next, ...(failures === 0 ? [] : [`${count(failures, "failure")} in a row`])].join(" · ")
}

const linkText = (peer: Peer): string => {
  const { link } = peer
  if (link === null) return linkCell(peer)
  const whose = link.dialledBy === "us" ? "dialled by this node" : "dialled by the peer"
  const far = link.address === null ? "" : ` · ${printable(link.address)}`
  return `${linkCell(peer)} for ${duration(link.sinceMs)} · ${whose}${far}`
}

/** Its key is what counts; the date is for whoever wonders. */
const certificateText = (until: string, at: string): string =>
  Date.parse(until) < Date.parse(at)
    ? `ran out on ${until.slice(0, 10)}, which does not matter`
    : `until ${until.slice(0, 10)}`

const configuredText = ({ label, security, url }: NonNullable<Peer["configured"]>): string =>
  [printable(url), label === null ? "no label" : printable(label), security].join(", ")

const witnessText = (witnesses: NonNullable<Peer["witnesses"]>): string =>
  witnesses.length === 0
    ? "nobody else: not confirmed"
    : `${witnesses.map(called).join(", ")}${witnesses.length < 2 ? ": not confirmed" : ""}`

export const peerScreen = (status: Status, peer: Peer, look: Look): string => {
  const star = peer.id === status.leader?.id ? ` ★ leads in term ${status.term}` : ""
  const met = peer.incarnation === 0 ? "never met" : `incarnation ${peer.incarnation}`
  const warnings = status.warnings.filter(({ about }) => about?.id === peer.id)
  // A hint that leads to this very screen leads nowhere.
  const shown = warnings.map((warning) =>
    warning.hint?.startsWith("clawmesh peers") ? { ...warning, hint: null } : warning
  )
  const lines = [
    `${styled(called(peer), "bold", look)}${star}   ${peer.role}   ${met}`,
    fact("id", peer.id, look),
    fact("state", `${styled(peer.state, stateStyles[peer.state], look)} for ${duration(peer.sinceMs)}`, look),
    ...(peer.witnesses === null ? [] : [fact("seen by", witnessText(peer.witnesses), look)]),
    fact("link", linkText(peer), look),
    fact("last heard", heardCell(peer), look),
    fact("round trip", roundTrip(peer), look),
    fact("address", dialling(peer), look),
    ...(peer.link?.certificateUntil == null
      ? []
      : [fact("certificate", certificateText(peer.link.certificateUntil, status.at), look)]),
    ...(peer.configured === null ? [] : [fact("configured", configuredText(peer.configured), look)]),
    ...(peer.refused === null ? [] : [fact("refused", printable(peer.refused), look)]),
    ...(shown.length === 0 ? [] : ["", ...warningLines(shown, look)])
  ]
  return `${lines.join("\n")}\n`
}
