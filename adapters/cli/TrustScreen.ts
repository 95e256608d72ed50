/** Trust on a terminal: who is trusted, who else is near, and what a change has done. */
import { printable } from "../config/Printable.ts"
import type { Peer, Trust, TrustChange, Trusted } from "../operator/Api.ts"
import type { Invites } from "../operator/InviteApi.ts"
import { called, count, duration, fact, type Look, shellWord, styled, table } from "./Text.ts"

const roleCell = ({ gen1, role }: Trusted): string => (gen1 ? `${role} (generation 1)` : role)

export const trustScreen = ({ node, strangers, trusted }: Trust, look: Look): string => {
  const lines: Array<string> = []
  if (trusted.length === 0) lines.push("This node trusts no other device yet.")
  else {
    const rows = trusted.map((device) => [
      called(device),
      roleCell(device),
      device.publicKey === null ? "not shown yet" : "known",
      device.source,
      device.id
    ])
    lines.push(
      ...table(["NAME", "ROLE", "KEY", "BY", "ID"], rows, look),
      "",
      `${count(trusted.length, "device")} trusted.`
    )
  }
  if (strangers.length > 0) {
    const rows = strangers.map(({ addresses, id, name }) => [
      called({ id, name }),
      addresses[0] === undefined ? "none" : printable(addresses[0]),
      id
    ])
    lines.push("", "Near, and not trusted. Names are what they call themselves.")
    lines.push(...table(["NAME", "ADDRESS", "ID"], rows, look))
  }
  if (!look.quiet) {
    lines.push("", `This node is ${printable(node.name)} (${node.role}), id ${node.id}.`)
    if (strangers.length > 0)
      lines.push(
        "To trust one, compare its id with what clawmesh-node id prints there, then: clawmesh trust add ID --role ROLE"
      )
  }
  return `${lines.join("\n")}\n`
}

const movesWords = (may: ReadonlyArray<string>): string =>
  may.length === 0 ? "nothing" : printable(may.map((ref) => ref.replace(/^actuator:/u, "")).join(" "))

/** Said by whoever revokes an elector: that is another list, of another key. */
export const stillElects = (device: Trusted): string =>
  `It elects, and does so at nodes that trust it: clawmesh electors remove ${device.id}\n`

export const trustedScreen = (
  { device, peer }: { readonly device: Trusted; readonly peer: Peer | null },
  look: Look
): string => {
  const lines = [
    styled(called(device), "bold", look),
    ...facts(device, look),
    fact("by", device.source === "operator" ? "the operator's word" : "the configuration", look),
    fact("state", peer === null ? "unknown" : `${peer.state}, for ${duration(peer.sinceMs)}`, look)
  ]
  if (!look.quiet)
    lines.push(
      "",
      `To trust it no longer: clawmesh trust revoke ${shellWord(called(device).endsWith("…") ? device.id : called(device))}`
    )
  return `${lines.join("\n")}\n`
}

export const pendingScreen = (
  { invites, strangers }: { readonly invites: Invites["invites"]; readonly strangers: Trust["strangers"] },
  look: Look
): string => {
  const lines: Array<string> = []
  if (invites.length > 0) {
    const rows = invites.map(({ leftMs, may, name, role }) => [
      name === null ? "any" : printable(name),
      role,
      movesWords(may),
      duration(leftMs)
    ])
    lines.push("Invited, and not here yet.", ...table(["NAME", "ROLE", "MAY MOVE", "LEFT"], rows, look))
  }
  if (strangers.length > 0) {
    const rows = strangers.map(({ addresses, id, name }) => [
      called({ id, name }),
      addresses[0] === undefined ? "none" : printable(addresses[0]),
      id
    ])
    if (lines.length > 0) lines.push("")
    lines.push(
      "Near, and not trusted. Names are what they call themselves.",
      ...table(["NAME", "ADDRESS", "ID"], rows, look)
    )
  }
  if (lines.length === 0) lines.push("Nobody is invited, and nobody near is not trusted.")
  if (!look.quiet) lines.push("", "To let one in: clawmesh invite")
  return `${lines.join("\n")}\n`
}

/** The command that the people at the other device have to give. */
const otherSide = ({ node }: TrustChange): string =>
  `clawmesh trust add ${node.id} --role ${node.role} --name ${shellWord(printable(node.name))}`

const facts = (device: Trusted, look: Look): ReadonlyArray<string> => [
  fact("id", device.id, look),
  fact("role", roleCell(device), look),
  ...(device.may === null ? [] : [fact("may move", movesWords(device.may), look)]),
  fact("key", device.publicKey ?? "the one that it proves first is kept", look)
]

/** @param selfNamed the name was not given, but is what the device calls itself */
export const changeScreen = (done: TrustChange, selfNamed: boolean, look: Look): string => {
  const { change, device } = done
  const who = called(device)
  if (look.quiet) return ""
  const lines: Array<string> = []
  switch (change) {
    case "added":
      lines.push(`${styled(who, "bold", look)} is trusted from now on.`, ...facts(device, look))
      if (selfNamed) lines.push(`  It calls itself ${who}; trust add again with --name gives it another name.`)
      lines.push("", "You vouch that this id is the device's own: clawmesh-node id prints it there.")
      lines.push(`The other side must do the same. On ${who}:`, `  ${otherSide(done)}`)
      break
    case "changed":
      lines.push(`${styled(who, "bold", look)} is trusted as follows from now on; a connection with it begins anew.`)
      lines.push(...facts(device, look))
      break
    case "unchanged":
      lines.push(`${who} is trusted in this way already; nothing was changed.`, ...facts(device, look))
      lines.push("", `If they do not meet, the other side must do the same. On ${who}:`, `  ${otherSide(done)}`)
      break
    case "removed":
      lines.push(`${styled(who, "bold", look)} is trusted no longer. Its connection to this node has ended.`)
      lines.push(
        fact("id", device.id, look),
        "",
        "It gets nothing from this node any more, and nothing of what it says counts here: neither readings nor decisions.",
        `Other nodes still trust it. On each: clawmesh trust revoke ${device.id}`
      )
      if (device.source === "configuration")
        lines.push(
          "The configuration names it too: it is trusted again after the next start, until it is taken out there."
        )
      break
  }
  return `${lines.join("\n")}\n`
}
