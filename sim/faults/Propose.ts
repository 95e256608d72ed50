/**
 * A planner that would have something moved, and people who decide about it. A planner rests on what its node has of the frames that it
 * names; a person names the proposal as the scenario does. What came of either is the event world.answer about that node.
 */
import { proposalCalled } from "../engine/Called.ts"
import { names, oneOf, type Fault, DONE, type Strike } from "./Fault.ts"

export const propose: Fault<"propose"> = ({ actuator, again, alone, because, forMs, proposal, state, who }, strike) => {
  const machines = strike.resolve(who)
  strike.tell("world.propose", oneOf(machines), `${names(machines)} would have ${actuator} ${state} (${proposal})`)
  for (const machine of machines)
    machine.propose({
      actuator: `actuator:${actuator}`,
      state,
      forMs,
      request: proposal,
      autonomous: alone,
      ...(again === undefined ? {} : { again }),
      because
    })
  return DONE
}

const decide = (
  approve: boolean,
  by: string,
  proposal: string,
  strike: Strike,
  who: Parameters<Strike["resolve"]>[0],
  {
    signedWith,
    typed
  }: {
    readonly typed?: string | undefined
    readonly signedWith?: "no key" | "another key" | "a forged signature" | undefined
  } = {}
) => {
  const machines = strike.resolve(who)
  strike.tell(
    approve ? "world.approve" : "world.reject",
    oneOf(machines),
    `${by} ${approve ? "approves" : "rejects"} ${proposal} at ${names(machines)}`
  )
  for (const machine of machines) {
    const state = machine.state()
    const mono = machine.clock.mono(machine.world.nowMs)
    const id = (state === null ? null : proposalCalled(state, proposal, machine.world.rules, mono))?.id ?? proposal
    const { keys, persons, seed } = machine.world
    const own = persons.get(by)
    const stranger = keys.make(seed, "a stranger's")
    const forged = own === undefined ? undefined : { ...stranger, publicKey: own.publicKey }
    const key = signedWith === "another key" ? stranger : signedWith === "a forged signature" ? forged : own
    if (approve && key !== undefined && signedWith !== "no key")
      machine.approve({ id, by, typed: typed ?? null, keys: key })
    else machine.decide({ id, approve, by, ...(typed === undefined ? {} : { typed }) })
  }
  return DONE
}

export const approve: Fault<"approve"> = ({ by, proposal, signedWith, typed, who }, strike) =>
  decide(true, by, proposal, strike, who, { signedWith, typed })

export const reject: Fault<"reject"> = ({ by, proposal, who }, strike) => decide(false, by, proposal, strike, who)
