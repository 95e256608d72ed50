/**
 * S7: nothing but the two handshake methods is processed from a link that has not proved its identity and its mesh; and who elects
 * changes at the word of the operator key alone, which a majority of those who elected before have acknowledged with theirs
 * (PROTOCOL.md P7.22).
 *
 * Watched at each node: a session with a device is only ever made with somebody who holds that device's key and is of the
 * same mesh; and before a link is a session, what it sends reaches no room but that of links, makes the node say nothing to
 * anybody else, and to itself nothing but errors and the nonce that it asked for.
 */
import type { Command } from "../../kernel/Command.ts"
import { ackPayloadOf, payloadOf } from "../../kernel/leadership/Manifest.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Input } from "../../kernel/Input.ts"
import { Machine } from "../engine/Machine.ts"
import { indexOfLink, type Link } from "../../kernel/links/Link.ts"
import type { MakeOracle, Observation } from "./Oracle.ts"

export const authentication: MakeOracle = () => ({
  id: "S7",
  fork: authentication,
  stepped: (seen) => {
    const { after, before, input, machine } = seen
    if (after.links.links !== before.links.links) {
      for (const link of after.links.links) {
        if (link._tag !== "Session") continue
        const was = before.links.links[indexOfLink(before.links.links, link.link)]
        if (was?._tag === "Session") continue
        const far = machine.farEnd(link.link)
        if (far === null || !far.holds(link.peer))
          return `${machine.name} made a session with ${far?.name ?? "nobody"}, who does not hold that device's key`
        if (far instanceof Machine && !sameMesh(machine, far))
          return `${machine.name} made a session with ${far.name}, who is of another mesh`
      }
    }
    if (after.config.manifest !== before.config.manifest) {
      const why = unsigned(machine, after)
      if (why !== null) return `${machine.name} ${why}`
    }
    if (!("link" in input) || !SAID.has(input._tag)) return null
    const link = before.links.links[indexOfLink(before.links.links, input.link)]
    return link === undefined || link._tag === "Session" ? null : reached(seen, link)
  }
})

/** What is wrong with the list of electors that is in force now; `null`: it is what the operator and a majority signed. */
const unsigned = ({ world: { keys, operator } }: Machine, { config }: NodeState): string | null => {
  const { shown, version } = config.manifest
  const what = `has version ${version} of the electors in force`
  if (shown === undefined) return `${what}, and nothing to show for it`
  const { acks, manifest } = shown
  const signed = [{ payload: payloadOf(config, manifest), signature: manifest.signature }]
  if (keys.check(operator.publicKey, signed).valid[0] !== true) return `${what}, which the operator did not sign`
  const payload = ackPayloadOf(config, manifest)
  const { electors } = manifest.previous
  const acknowledging = electors.filter((elector) =>
    acks.some(({ elector: who, publicKey, signature }) => {
      const checked = keys.check(publicKey, [{ payload, signature }])
      return who === elector && checked.deviceId === elector && checked.valid[0] === true
    })
  )
  return 2 * acknowledging.length > electors.length
    ? null
    : `${what}, which ${acknowledging.length} of ${electors.length} electors have acknowledged`
}

/** What the far end of a link has a hand in. */
const SAID: ReadonlySet<string> = new Set(["Received", "Malformed", "Ignored", "Ponged"])

type Handshake = Exclude<Link, { readonly _tag: "Session" }>

const sameMesh = (a: Machine, b: Machine): boolean =>
  a.config.meshId === b.config.meshId && a.config.meshKey === b.config.meshKey

/** What may be said to an unproven link at its word: errors, and the nonce that it asked for. */
const mayAnswer = (command: Command, input: Input, { nonce }: Handshake): boolean => {
  if (command._tag === "Hangup") return true
  if (command._tag !== "Send" || command.frame.type !== "res") return false
  if (!command.frame.ok) return true
  if (input._tag !== "Received" || input.frame.type !== "req" || input.frame.method !== "mesh.challenge") return false
  const [[member, value] = [], ...more] = Object.entries(command.frame.payload as object)
  return member === "nonce" && value === nonce && more.length === 0
}

const reached = ({ after, before, commands, input, machine }: Observation, link: Handshake): string | null => {
  if (after.membership !== before.membership)
    return `${machine.name} let an unproven link change what it knows of peers`
  if (after.leadership !== before.leadership) return `${machine.name} let an unproven link change leadership`
  for (const command of commands) {
    const own = "link" in command && command.link === link.link
    const quiet =
      command._tag === "Check" || command._tag === "Sign" || command._tag === "Note" || command._tag === "SetAlarm"
    if (own && mayAnswer(command, input, link)) continue
    if (!quiet) return `${machine.name} did ${command._tag} at the word of an unproven link`
  }
  return null
}
