/**
 * The operator of the mesh signs another list of electors and gives it to some nodes; one that does not run hears nothing of it. As its
 * tool does, it signs none while the last one is not in force at a node that is given it.
 *
 * Does not model: an operator that signs two lists in place of one, or somebody else with its key; a liar may show what it likes.
 */
import type { NodeState } from "../../kernel/Node.ts"
import { payloadOf } from "../../kernel/leadership/Manifest.ts"
import { compareText } from "../../kernel/Order.ts"
import { isKernel } from "../engine/Present.ts"
import type { Machine } from "../engine/Machine.ts"
import { DONE, names, oneOf, type Fault } from "./Fault.ts"

const running = (machine: Machine): ReadonlyArray<readonly [Machine, NodeState]> => {
  const state = isKernel(machine) ? machine.state() : null
  return state === null ? [] : [[machine, state]]
}

const sorted = (machines: ReadonlyArray<Machine>): ReadonlyArray<string> =>
  machines.map(({ config }) => config.deviceId).sort(compareText)

export const appoint: Fault<"appoint"> = ({ electors, readmits, who }, strike) => {
  const { world } = strike
  const back = strike.resolve(readmits)
  const told = strike.resolve(who).flatMap(running)
  const chosen = world.machines.filter(({ name }) => electors.includes(name))
  const [first] = told
  const last = world.script.operators.list
  const inForce = first?.[1].config.manifest
  if (first === undefined || inForce === undefined || (last !== null && last.version !== inForce.version)) {
    strike.tell(
      "world.appoint",
      null,
      "no list of electors is signed: where it would be given the last is not in force"
    )
    return DONE
  }
  const previous = { version: inForce.version, electors: inForce.electors }
  const document = {
    version: previous.version + 1,
    electors: sorted(chosen),
    previous,
    readmitted: sorted(back).flatMap((deviceId) => {
      const { durable } = back.find(({ config }) => config.deviceId === deviceId)!
      return { deviceId, incarnation: durable.incarnation }
    })
  }
  const [signature] = world.keys.sign(world.operator, [payloadOf(first[1].config, document)])
  const manifest = { ...document, signature: signature! }
  world.script.operators.list = manifest
  const machines = told.map(([machine]) => machine)
  const words = `${names(chosen)} are to elect from now on, version ${manifest.version}: told to ${names(machines)}`
  strike.tell("world.appoint", oneOf(machines), words)
  for (const machine of machines) machine.deliver({ _tag: "Reconfigure", manifest })
  return { touched: () => machines.length, undo: null }
}
