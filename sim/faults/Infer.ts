/** A program on a node that asks a model of another one, and may do without again. What came of it is the event world.answer about that node. */
import { DONE, type Fault } from "./Fault.ts"

export const infer: Fault<"infer"> = ({ from, model, request, to }, strike) => {
  const { machines } = strike.world
  const asker = machines.find(({ name }) => name === from)
  const asked = machines.find(({ name }) => name === to)
  if (asker === undefined) return DONE
  strike.tell("world.infer", from, `asks ${model}${to === undefined ? "" : ` of ${to}`} (${request})`)
  asker.infer(request, to === undefined ? null : (asked?.config.deviceId ?? to), model)
  return DONE
}

export const callOff: Fault<"call-off"> = ({ request }, strike) => {
  const asker = strike.world.machines.find((machine) => machine.inquired(request) !== undefined)
  if (asker === undefined) return DONE
  strike.tell("world.call-off", asker.name, `does without ${request}`)
  asker.callOff(request)
  return DONE
}
