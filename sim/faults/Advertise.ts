/**
 * A record of discovery in a node's name that it did not announce, or not now: out of a cache that somebody still answers from, or
 * a lie. It takes the paths of the node itself, and lives as long as any record.
 *
 * Does not model: names that collide, and answers that are split over packets.
 */
import { hex } from "../keys/FakeKeys.ts"
import { bytes } from "../../kernel/Draw.ts"
import type { Fault } from "./Fault.ts"

/** In no simulated network. */
const NOWHERE = "192.0.2.1"

export const advertise: Fault<"advertise"> = (verb, strike) => {
  const { address, anotherMesh, copies, incarnation, node } = verb
  const { key, world } = strike
  const machine = world.machines.find(({ name }) => name === node)
  const at = address === null ? null : world.machines.find(({ name }) => name === (address ?? node))
  if (machine === undefined || at === undefined) return { touched: () => 0, undo: null }
  const latest = machine.durable.incarnation
  const spoken = { current: latest, next: latest + 1, old: Math.max(0, machine.running ? latest - 1 : latest) }[
    incarnation
  ]
  const record = machine.nearby.record(spoken)
  const heardBy = strike.resolve(verb.heardBy).map(({ name }) => name)
  const heard = world.network.segment.plant({
    name: key,
    from: node,
    record: anotherMesh ? { ...record, meshId: hex(bytes(world.seed, "another-mesh", key, 0, 32)) } : record,
    hosts: [at === null ? NOWHERE : at.nearby.address],
    heardBy,
    copies
  })
  const words = [
    `incarnation ${spoken}`,
    ...(address === undefined ? [] : [address === null ? "nowhere" : `at ${address}`]),
    ...(anotherMesh ? ["of another mesh"] : [])
  ]
  strike.tell("world.advertise", node, words.join(", "))
  return { touched: () => heard, undo: null }
}
