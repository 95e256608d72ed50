/**
 * S8: viewers are passive (B14). A viewer never stands, leads, votes or promises, and says nothing about who is alive, neither
 * in its own name nor in that of others; and nobody counts a viewer's word if it does.
 *
 * Watched at each node: what viewers send and store, and whom the others name, count or keep reports of. A node that the world
 * made a viewer is one, whatever it says.
 *
 * Does not judge: what a viewer asks of others (`mesh.status`), and that it answers probes.
 */
import type { Command } from "../../kernel/Command.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import type { MakeOracle, Oracle } from "./Oracle.ts"

const ACTS: ReadonlySet<string> = new Set([
  "mesh.edges",
  "mesh.probe",
  "mesh.probe.answer",
  "mesh.prevote",
  "mesh.vote",
  "mesh.lead",
  "mesh.release",
  "peer.down",
  "context.frame",
  "mesh.world.have",
  "mesh.world.frames"
])

/** What of a frame is no business of a viewer; `null`: all of it is. */
const act = (frame: Frame): string | null => {
  if (frame.type !== "event") return null
  if (ACTS.has(frame.event)) return frame.event
  const { payload } = frame
  const grants = ("granted" in payload && payload.granted) || ("promised" in payload && payload.promised)
  return grants ? frame.event : null
}

const actOf = (command: Command): string | null => {
  switch (command._tag) {
    case "Send": {
      const what = act(command.frame)
      return what === null ? null : `sent ${what}`
    }
    case "Persist":
      if (command.record._tag === "Vote") return `voted in term ${command.record.term.counter}`
      return command.then.map(actOf).find((what) => what !== null) ?? null
    default:
      return null
  }
}

/** The viewer whose word `node` takes for something. */
const heeded = (node: NodeState, isViewer: (deviceId: string) => boolean): readonly [string, string] | null => {
  const { leader, promisedTo, standing, votedFor } = node.leadership
  const named = [leader, promisedTo, votedFor].find((deviceId) => deviceId !== null && isViewer(deviceId))
  if (named != null) return [named, "as a leader"]
  const counted =
    standing._tag === "Leading"
      ? standing.beats.flatMap(({ promised }) => promised)
      : standing._tag === "Following"
        ? []
        : standing.granted
  const voter = counted.find(isViewer)
  return voter === undefined ? null : [voter, "as a voter"]
}

export const passiveViewers: MakeOracle = () => knowing(null)

/** Viewers by device id, with their names; `null`: not yet asked. */
const knowing = (before: ReadonlyMap<string, string> | null): Oracle => {
  let viewers = before
  const find = (machines: ReadonlyArray<Machine>): ReadonlyMap<string, string> =>
    new Map(
      machines
        .filter(({ spec }) => spec.role === "viewer")
        .map(({ config, name }): [string, string] => [config.deviceId, name])
    )
  return {
    id: "S8",
    fork: () => knowing(viewers),
    stepped: ({ after, before, commands, machine, machines }) => {
      viewers ??= find(machines)
      if (viewers.size === 0) return null
      const known = viewers
      if (machine.spec.role === "viewer") {
        const { standing } = after.leadership
        if (standing._tag !== "Following") return `the viewer ${machine.name} is ${standing._tag.toLowerCase()}`
        for (const command of commands) {
          const what = actOf(command)
          if (what !== null) return `the viewer ${machine.name} ${what}`
        }
      }
      if (after.leadership !== before.leadership) {
        const [viewer, how] = heeded(after, (deviceId) => known.has(deviceId)) ?? [null, ""]
        if (viewer !== null) return `${machine.name} takes the viewer ${known.get(viewer)} ${how}`
      }
      if (after.membership.rows !== before.membership.rows)
        for (const { observer } of after.membership.rows)
          if (known.has(observer))
            return `${machine.name} keeps what the viewer ${known.get(observer)} reports of others`
      return null
    }
  }
}
