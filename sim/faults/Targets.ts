/** Whom a step means, at the moment when it strikes. Every draw is keyed by the step, so that one step more moves no other. */
import { below } from "../../kernel/Draw.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import type { Machine } from "../engine/Machine.ts"
import type { World } from "../engine/World.ts"
import type { Target } from "../scenario/Scenario.ts"

/** It holds a lease that runs, by its own clock. */
const leads = (world: World, machine: Machine): boolean => {
  const state = machine.state()
  return state !== null && Leadership.leaseRuns(state.leadership, machine.clock.mono(world.nowMs))
}

const meant = (world: World, target: Target, key: string): ReadonlyArray<Machine> => {
  const { machines, seed } = world
  if (typeof target === "string") return machines.filter((machine) => machine.name === target)
  switch (target.word) {
    case "everyone":
      return machines
    case "leader":
      return machines.filter((machine) => leads(world, machine))
    case "any": {
      const candidates = machines.filter((machine) => machine.running && machine.spec.role === target.role)
      return candidates.length === 0 ? [] : [candidates[below(seed, "target", key, 0, candidates.length)]!]
    }
  }
}

/** In the order of the scenario, each once. */
export const resolve = (world: World, targets: ReadonlyArray<Target>, key: string): ReadonlyArray<Machine> => {
  const found = targets.flatMap((target) => meant(world, target, key))
  return world.machines.filter((machine) => found.includes(machine))
}
