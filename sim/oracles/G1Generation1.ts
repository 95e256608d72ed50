/**
 * G1: what kernel peers do towards a device of generation 1 never harms the link or the mesh (PROTOCOL.md part 11).
 *
 * Watched at the device: it is sent nothing that begins with `mesh.`, no accusation and no goodbye that names an incarnation; as a
 * dialler it is asked nothing; nothing that it is sent is beyond what it reads; and it never has to end a link because no event
 * came, while both ends were attentive and the other end heard from it.
 *
 * Does not judge: what duplicates on the way do to its budget, whatever strangers send to it, and what it is asked in runs in which
 * somebody has lied (`lie`): that may have been the lie.
 */
import { indexOfMember } from "../../kernel/membership/Member.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import { Machine } from "../engine/Machine.ts"
import { isGen1State, type Line } from "../gen1/Gen1.ts"
import type { MakeOracle, Observation } from "./Oracle.ts"

/** Longer than any probe of any profile takes. */
const HEARD_MS = 20_000
/** Whoever has been there for so long has taken up, and said, what was due. */
const ATTENTIVE_MS = 60_000

const wrong = (frame: Frame): string | null => {
  if (frame.type !== "event") return null
  if (frame.event.startsWith("mesh.") || frame.event === "peer.down") return frame.event
  return frame.event === "peer.leaving" && frame.payload.incarnation !== undefined
    ? "a goodbye with an incarnation"
    : null
}

const HANDSHAKE: ReadonlySet<string> = new Set(["mesh.challenge", "mesh.connect"])

/** Both ends were there, and the other end had a sign of life on this very link lately. */
const isAlive = ({ machine, nowMs }: Observation, line: Line, far: Machine): boolean => {
  const attentive = [machine, far].every(({ lastShutMs, running }) => running && nowMs - lastShutMs > ATTENTIVE_MS)
  const state = far.state()
  if (!attentive || state === null || isGen1State(state) || line.peer !== far.config.deviceId) return false
  const member = state.membership.members[indexOfMember(state.membership.members, machine.config.deviceId)]
  if (member?.link == null || far.farEnd(member.link) !== machine) return false
  return far.clock.mono(nowMs) - member.heardAt < HEARD_MS
}

export const generation1: MakeOracle = () => ({
  id: "G1",
  fork: () => generation1(),
  stepped: () => null,
  sent: (sender, receiver, frame) => {
    if (!(receiver instanceof Machine) || receiver.spec.generation !== 1) return null
    const what = wrong(frame)
    return what === null ? null : `${sender.name} sends ${what} to ${receiver.name}, which is of generation 1`
  },
  ofGen1: (seen) => {
    const { after, before, input, machine } = seen
    if (!isGen1State(after) || !isGen1State(before)) return null
    const at = "link" in input ? before.gen1.lines.find(({ link }) => link === input.link) : undefined
    const far = at === undefined ? null : machine.farEnd(at.link)
    if (at !== undefined && far instanceof Machine) {
      const request = input._tag === "Received" && input.frame.type === "req" ? input.frame.method : null
      const { lied } = machine.world.network
      if (!lied && at.dialled && at.stage === "up" && request !== null && !HANDSHAKE.has(request))
        return `${far.name} asks ${machine.name} for ${request}, which dialled it and never answers`
      if (after.gen1.dropped > before.gen1.dropped)
        return `${far.name} sends ${machine.name} more than it reads within a minute`
    }
    if (after.gen1.ended === before.gen1.ended) return null
    for (const line of before.gen1.lines) {
      if (!line.dialled || line.stage !== "up" || after.gen1.lines.some(({ link }) => link === line.link)) continue
      const other = machine.farEnd(line.link)
      if (other instanceof Machine && isAlive(seen, line, other))
        return `${machine.name} ends its link with ${other.name}, which brought no event for ${input.at.mono - line.eventAt} ms`
    }
    return null
  }
})
