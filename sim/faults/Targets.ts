/** Whom a step means, at the moment when it strikes. Every draw is keyed by the step, so that one step more moves no other. */
import { below } from "../../kernel/Draw.ts"
import * as Leadership from "../../kernel/leadership/Leadership.ts"
import { manifestAmong } from "../engine/Present.ts"
import type { Machine } from "../engine/Machine.ts"
import { isCopy } from "../engine/Present.ts"
import type { World } from "../engine/World.ts"
import type { Target } from "../scenario/Scenario.ts"

/** More than any number of nodes, so that two rarely draw the same. */
const LOTS = 1_000_000_000

/** It holds a lease that runs, by its own clock. */
const leads = (world: World, machine: Machine): boolean => {
  const state = machine.state()
  return state !== null && Leadership.leaseRuns(state.leadership, machine.clock.mono(world.nowMs))
}

/** So many of them, each as likely as any other: by a lot of its own. */
const drawn = ({ seed }: World, from: ReadonlyArray<Machine>, count: number, key: string): ReadonlyArray<Machine> =>
  from
    .map((machine) => ({ machine, lot: below(seed, "target", `${key}/${machine.name}`, 0, LOTS) }))
    .toSorted((a, b) => a.lot - b.lot)
    .slice(0, count)
    .map(({ machine }) => machine)

/** Of the electors as many as decide; fewer where the leader would be needed for it. */
const majority = (world: World, key: string): ReadonlyArray<Machine> => {
  const { electors } = manifestAmong(world.machines)
  const others = world.machines.filter(
    (machine) => electors.includes(machine.config.deviceId) && !leads(world, machine)
  )
  return drawn(world, others, Math.floor(electors.length / 2) + 1, key)
}

/** Those of the scenario, and not somebody's copy beside it. */
const inMesh = ({ machines }: World): ReadonlyArray<Machine> => machines.filter((machine) => !isCopy(machine))

const meant = (world: World, target: Target, key: string): ReadonlyArray<Machine> => {
  const { seed } = world
  if (typeof target === "string") return world.machines.filter((machine) => machine.name === target)
  const machines = inMesh(world)
  switch (target.word) {
    case "everyone":
      return machines
    case "leader":
      return machines.filter((machine) => leads(world, machine))
    case "half":
      return drawn(world, machines, machines.length >> 1, key)
    case "majority without the leader":
      return majority(world, key)
    case "everyone but": {
      const but = target.but.flatMap((one) => meant(world, one, key))
      return machines.filter((machine) => !but.includes(machine))
    }
    case "one of": {
      const group = target.groups[below(seed, "target", key, 0, Math.max(1, target.groups.length))] ?? []
      return machines.filter(({ name }) => group.includes(name))
    }
    case "the others":
      return []
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

/** Several lists of one step, in which `the others` are those who are in no other of them. */
export const resolveApart = (
  world: World,
  lists: ReadonlyArray<ReadonlyArray<Target>>,
  key: string
): ReadonlyArray<ReadonlyArray<Machine>> => {
  const named = lists.map((targets) => resolve(world, targets, key))
  return lists.map((targets, place) => {
    if (!targets.some((target) => typeof target !== "string" && target.word === "the others")) return named[place]!
    const elsewhere = named.flatMap((machines, other) => (other === place ? [] : machines))
    return inMesh(world).filter((machine) => !elsewhere.includes(machine))
  })
}
