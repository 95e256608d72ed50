/**
 * Programs that run on a machine beside its node: one asks another device again and again, one has something to say. What each has done
 * so far is in the life of the machine (Life.ts).
 */
import { encode } from "../../kernel/wire/Codec.ts"
import { CAUSES_MAX } from "../../kernel/wire/ContextFrame.ts"
import { frameIdOf, has } from "./Emitted.ts"
import type { Life, Sensing } from "./Life.ts"
import type { Machine } from "./Machine.ts"

/** The number of the program. */
export const ask = (machine: Machine, life: Life, deviceId: string, eachMs: number): number => {
  const asking = life.asks.size + 1
  life.asks.set(asking, { deviceId, eachMs, said: 0, stopped: false })
  askOnce(machine, life, asking)
  return asking
}

/** Past the kernel, which asks nobody: over the session that it has with that device. */
export const askOnce = (machine: Machine, { asks, links, process }: Life, asking: number): void => {
  const program = asks.get(asking)!
  if (program.stopped || !machine.running) return
  const { deviceId, eachMs, said } = program
  const session = machine.state()?.links.links.find((link) => link._tag === "Session" && link.peer === deviceId)
  const line = session === undefined || machine.frozen ? undefined : links.get(session.link)
  const { agenda, network, nowMs } = machine.world
  if (line !== undefined) {
    const text = encode({ type: "req", id: `ask-${said}`, method: "mesh.peers", params: {} })
    asks.set(asking, { ...program, said: said + 1 })
    network.send(line.connection, line.side, { _tag: "raw", text })
  }
  agenda.push(nowMs + eachMs, { _tag: "ask", machine: machine.index, process, asking })
}

/** The number of the program. */
export const sense = (machine: Machine, life: Life, sensing: Omit<Sensing, "said" | "stopped">): number => {
  const number = life.senses.size + 1
  life.senses.set(number, { ...sensing, said: 0, stopped: false })
  senseOnce(machine, life, number)
  return number
}

/** It goes on with the next process, as a sensor does. */
export const senseOnce = (machine: Machine, { process, senses }: Life, sensing: number): void => {
  const program = senses.get(sensing)!
  const { causes, data, eachMs, kind, name, said, stopped, times } = program
  if (stopped || said >= times) return
  if (machine.running) {
    const follows = causes === null ? [] : lately(machine, causes)
    senses.set(sensing, { ...program, said: said + 1 })
    machine.deliver({
      _tag: "Sensed",
      frameId: frameIdOf(name, machine.name, sensing, said + 1),
      kind,
      data,
      ...(follows.length === 0 ? {} : { causes: follows })
    })
  }
  const { agenda, nowMs } = machine.world
  if (said + 1 < times || !machine.running)
    agenda.push(nowMs + Math.max(1, eachMs), { _tag: "sense", machine: machine.index, process, sensing })
}

/** The last frame of that name of each node, as far as it has it. */
const lately = (machine: Machine, name: string): ReadonlyArray<string> => {
  const state = machine.state()
  if (state === null) return []
  const last = new Map<string, string>()
  for (const { last: frame } of machine.world.script.emitted.of(name))
    if (has(state, frame)) last.set(frame.sourceDeviceId, frame.frameId)
  return [...last.values()].slice(0, CAUSES_MAX)
}
