/** A program on a node that has one message for somebody. */
import { GUARDIAN } from "../../kernel/routing/Forwarding.ts"
import { DONE, type Fault } from "./Fault.ts"

export const send: Fault<"send"> = ({ channel, from, holds, key, sets, to }, strike) => {
  const { machines } = strike.world
  const sender = machines.find(({ name }) => name === from)
  if (sender === undefined) return DONE
  const target = machines.find(({ name }) => name === to)
  if (sets !== undefined) {
    const { actuator, evidence, forMs, state, underLast } = sets
    strike.tell("world.send", from, `wants ${actuator} of ${to} ${state}`)
    const intentId = key ?? `intent/${strike.key}`
    const owner = target?.config.deviceId ?? to
    sender.command({ owner, actuator, state, forMs, evidence, intentId, underLast })
    return DONE
  }
  if (holds !== undefined) {
    strike.tell("world.send", from, `holds ${holds} of ${to}`)
    sender.say(target?.config.deviceId ?? to, GUARDIAN, key ?? `hold/${strike.key}`, { hold: holds })
    return DONE
  }
  strike.tell("world.send", from, `sends a message to ${to} on ${channel}`)
  sender.say(target?.config.deviceId ?? to, channel, key ?? `message/${strike.key}`)
  return DONE
}
