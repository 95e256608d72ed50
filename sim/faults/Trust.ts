/**
 * What an operator says at a running node: that a device is trusted, or no longer. Who does not run hears nothing of it. Taking it
 * back says the opposite: a trusted device is revoked, a revoked one trusted again in the role that it had there; where the node
 * is down by then, as soon as it runs.
 *
 * Does not model: an operator whose word arrives at some nodes late by itself; say a step for each.
 */
import type { Trusted } from "../../kernel/Config.ts"
import type { SignedManifest } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import { inWorld, names, tell, type Fault, type Strike, type Struck } from "./Fault.ts"

/** The role in which it is trusted; `null`: not at all. */
type Word = Trusted["role"] | null

interface Said {
  readonly deviceId: string
  readonly name: string
  readonly word: Word
}

/** What operators have said last, whether their daemons have taken it up yet or not; and what waits for a daemon that is down. */
export class Operators {
  private readonly words: Map<string, Word>
  private readonly owed: Map<number, ReadonlyArray<Said>>
  /** The last list of electors that was signed; `null`: none was. */
  list: SignedManifest | null

  constructor(from?: Operators) {
    this.list = from?.list ?? null
    this.words = new Map(from?.words)
    this.owed = new Map(from?.owed)
  }

  word({ config, index }: Machine, deviceId: string): Word {
    const last = this.words.get(`${index} ${deviceId}`)
    return last === undefined ? (config.trusted.find((device) => device.deviceId === deviceId)?.role ?? null) : last
  }

  /** Whether it can be said now; otherwise it will be when the machine runs. */
  said({ index, running }: Machine, said: Said): boolean {
    this.words.set(`${index} ${said.deviceId}`, said.word)
    if (!running) this.owed.set(index, [...(this.owed.get(index) ?? []), said])
    return running
  }

  /** It runs again. */
  started(machine: Machine): void {
    const owed = this.owed.get(machine.index) ?? []
    this.owed.delete(machine.index)
    for (const said of owed) deliver(machine, said)
  }
}

const say = (machine: Machine, said: Said): void => {
  if (machine.world.script.operators.said(machine, said)) deliver(machine, said)
}

/** As what it is: whoever is told that a device is of generation 1 does not ask it for more than such devices have. */
const deliver = (machine: Machine, { deviceId, name, word: role }: Said): void => {
  if (role === null) return machine.deliver({ _tag: "Distrust", deviceId })
  const gen1 = machine.world.machines.some(({ config, spec }) => config.deviceId === deviceId && spec.generation === 1)
  machine.deliver({ _tag: "Trust", device: { deviceId, name, role, gen1, publicKey: null } })
}

const deviceOf = ({ machines }: World, whom: string): string =>
  machines.find(({ name }) => name === whom)?.config.deviceId ?? ""

const said = (
  strike: Strike,
  event: "world.trust" | "world.revoke",
  by: ReadonlyArray<Machine>,
  whom: string,
  word: Word
): Struck => {
  const { world } = strike
  const deviceId = deviceOf(world, whom)
  const running = by.filter((machine) => machine.running && machine.config.deviceId !== deviceId)
  strike.tell(event, whom, names(by))
  const before = running.map((machine) => world.script.operators.word(machine, deviceId))
  for (const machine of running) say(machine, { deviceId, name: whom, word })
  return {
    touched: () => running.length,
    undo: (now) => {
      tell(now, "world.undo", null, `${names(by)} ${event === "world.trust" ? "trust" : "distrust"} ${whom} no longer`)
      inWorld(now, running).forEach((machine, place) => {
        const back = before[place]!
        // Of two that revoke it, the one that found it trusted gives it back.
        if (event === "world.trust") say(machine, { deviceId, name: whom, word: null })
        else if (back !== null) say(machine, { deviceId, name: whom, word: back })
      })
    }
  }
}

export const trust: Fault<"trust"> = ({ by, role, whom }, strike) =>
  said(strike, "world.trust", strike.resolve(by), whom, role)

export const revoke: Fault<"revoke"> = ({ by, whom }, strike) =>
  said(strike, "world.revoke", strike.resolve(by), whom, null)
