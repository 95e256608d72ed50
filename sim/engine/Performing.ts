/**
 * What a process asks for, done on its machine: frames, pings and dials go to the network, records to the disk, and what keys
 * answer comes back at once, but after what is being done now. A link or dial that is gone is asked nothing.
 */
import * as Hardware from "./Hardware.ts"
import * as Model from "./Model.ts"
import * as Models from "./Models.ts"
import type { Command } from "../../kernel/Command.ts"
import { encode } from "../../kernel/wire/Codec.ts"
import type { Cargo } from "../network/Cargo.ts"
import type { Life } from "./Life.ts"
import type { Machine } from "./Machine.ts"
import { isKernel } from "./Present.ts"

/** `life`: its own. */
export const perform = (machine: Machine, life: Life, command: Command): void => {
  const { network } = machine.world
  switch (command._tag) {
    case "Send": {
      const line = life.links.get(command.link)
      if (line === undefined) return
      machine.world.sent(machine, line.connection, line.side, command.frame)
      // What no kernel says passes the codec, as it would on a wire.
      const cargo: Cargo = isKernel(machine)
        ? { _tag: "frame", frame: command.frame }
        : { _tag: "raw", text: encode(command.frame) }
      return network.send(line.connection, line.side, cargo)
    }
    case "Ping": {
      const line = life.links.get(command.link)
      if (line !== undefined) network.send(line.connection, line.side, { _tag: "ping", probe: command.probe })
      return
    }
    case "SetAlarm":
      return machine.setAlarm(command.at)
    case "Hangup": {
      const line = life.links.get(command.link)
      if (line === undefined) return
      life.links.delete(command.link)
      return network.close(line.connection, line.side, command.abrupt)
    }
    case "Dial": {
      const target = life.nearby.at(command.address)
      if (target === undefined)
        return machine.later({ _tag: "DialFailed", attempt: command.attempt, reason: "unreachable" })
      life.dials.set(command.attempt, network.dial(machine, target, command.attempt))
      return
    }
    case "CancelDial": {
      const dial = life.dials.get(command.attempt)
      if (dial !== undefined) network.cancel(dial)
      life.dials.delete(command.attempt)
      return
    }
    case "Persist":
      return machine.store(command.record, command)
    case "Check":
      return machine.later({
        _tag: "Checked",
        ticket: command.ticket,
        ...machine.check(command.publicKey, command.proofs)
      })
    case "Sign":
      return machine.later({ _tag: "Signed", ticket: command.ticket, signatures: machine.sign(command.payloads) })
    case "Deliver":
      return machine.later({ _tag: "Delivered", ticket: command.ticket, ...machine.handle(command.channel) })
    case "Infer":
      Models.begin(machine, life, command.prompt, command.ticket, null)
      return
    case "StopInference":
      return Models.stopTicket(machine, life, command.ticket)
    case "Streamed":
      return Models.hear(life, command.call)
    case "Answered":
      return machine.answered(command.call, command.outcome)
    case "Drive":
      return Hardware.drive(machine, life, command)
    case "Consult":
      return Model.consult(machine, life, command)
    case "SaveWorld":
      return machine.keepWorld(command.snapshot)
    case "Note":
      return machine.world.noted(machine, command.event)
    case "Listen":
      life.listening = true
      return
    case "Halt":
      return machine.halt()
  }
}
