/** L1, L3, L5 and L6 fire on kernels that are broken on purpose, and say why; never with the real one in the same world. */
import { assert, describe, it } from "@effect/vitest"
import type { Link, Session } from "../../../kernel/links/Link.ts"
import * as Node from "../../../kernel/Node.ts"
import { NEVER_MS } from "../../../kernel/Time.ts"
import { kernel as realKernel, type Kernel } from "../../../sim/engine/Host.ts"
import { World, type Violation } from "../../../sim/engine/World.ts"
import { everyOracle } from "../../../sim/oracles/all.ts"
import { calm, pickCore } from "../../../sim/oracles/Core.ts"
import { changes, mark } from "../../../sim/oracles/L6Quiet.ts"
import { judgeLiveness, whyNot } from "../../../sim/oracles/Liveness.ts"
import { runScenario } from "../../../sim/run.ts"
import { broken, brokenAfter, scenarioOf } from "./Broken.ts"

const mesh = (timeline: string, links = "everyone"): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: Two planners, two witnesses
seed: 3
lasts: 20s
profile: lan
electors: [main, backup, witness]
nodes:
  main:    { role: planner }
  backup:  { role: standby-planner }
  witness: { role: field }
  shed:    { role: field }
network: { delay: 2ms..20ms, links: ${links} }
timeline:
  - { at: 0s, start: everyone }
${timeline}`)

type Mesh = ReturnType<typeof mesh>

const worldOf = (scenario: Mesh, kernel: Kernel = realKernel): World => {
  const world = new World({ scenario, seed: scenario.seed, kernel })
  world.run(scenario.lastsMs)
  return world
}

/** The first seed whose core is this. */
const seedFor = (scenario: Mesh, names: ReadonlyArray<string>): number => {
  const world = worldOf(scenario)
  for (let seed = 1; seed < 1_000; seed++)
    if (
      pickCore(world, seed)
        .inside.map(({ name }) => name)
        .join() === names.join()
    )
      return seed
  throw new Error(`no core is ${names.join()}`)
}

const ALL = ["main", "backup", "witness", "shed"]

/** The core does not get well with this kernel; it does with the real one. */
const stays = (
  oracle: Violation["oracle"],
  message: RegExp,
  scenario: Mesh,
  kernel: Kernel,
  names: ReadonlyArray<string> = ALL
): void => {
  const seed = seedFor(scenario, names)
  const violation = judgeLiveness(worldOf(scenario, kernel), seed)
  assert.strictEqual(violation?.oracle, oracle, violation?.message)
  assert.match(violation!.message, message)
  assert.isNull(judgeLiveness(worldOf(scenario), seed), "the real kernel gets well")
}

const apart = mesh(`
  - { at: 8s, partition: [[main, backup], [witness, shed]] }`)
const quiet = mesh("")

/** An edge that was bad once never becomes good again. */
const grudge = brokenAfter((after) => {
  if (after.membership.members.every(({ probationEnds }) => probationEnds === NEVER_MS)) return after
  const members = after.membership.members.map((member) => ({ ...member, probationEnds: NEVER_MS }))
  return { ...after, membership: { ...after.membership, members } }
})

describe("calm", () => {
  it("starts and thaws the core, mends its disks and links, and cuts off the rest for good", () => {
    const world = worldOf(
      mesh(`
  - { at: 5s, crash: main }
  - { at: 18s, freeze: [backup, witness], for: 1h }
  - { at: 18s, slow-cpu: { who: witness, takes: 2s }, for: 1h }
  - { at: 18s, crash-at-write: { who: witness, after: exactly 1 }, for: 1h }
  - { at: 18s, freeze: { who: [main, witness], in: handshake }, for: 1h }
  - { at: 19s, freeze: backup, for: 1h }
  - { at: 19s, partition: [[main], [backup], [witness], [shed]] }
  - { at: 19s, crash: shed, for: 30s }`)
    )
    const [main, backup, witness, shed] = world.machines
    main!.vault.harm("hang")
    witness!.keysFail = "sign"
    const core = { inside: [main!, backup!, witness!], outside: [shed!] }
    calm(world, core)
    assert.isTrue(main!.running)
    assert.isTrue(backup!.intake.open, "whoever was frozen twice, too")
    assert.isTrue(witness!.intake.open, "and nobody is slow")
    assert.isNull(witness!.keysFail)
    world.run(world.nowMs + 60_000)
    assert.deepStrictEqual(whyNot(world, core), [])
    assert.strictEqual(witness!.trapsSprung, 0, "a trap for a write is no more")
    assert.deepStrictEqual(
      [main!, witness!].map(({ loginsFrozen }) => loginsFrozen),
      [0, 0],
      "nor one for a login"
    )
    assert.isFalse(shed!.running, "what the script still had to undo is not undone")
    shed!.start()
    world.run(world.nowMs + 60_000)
    assert.deepStrictEqual(whyNot(world, core), [], "whoever is outside stays out of reach")
    assert.deepStrictEqual(shed!.state()!.links.links, [])
  })

  it("whoever has lost its journal and nobody to ask is no core; whoever was told is one, without a vote", () => {
    const world = worldOf(quiet)
    const [main, , , shed] = world.machines
    shed!.crash(true, "lost")
    for (let seed = 0; seed < 50; seed++) assert.notInclude(pickCore(world, seed).inside, shed)
    main!.crash(true, "lost")
    for (const machine of [main!, shed!]) machine.start()
    world.run(world.nowMs + 60_000)
    const core = { inside: world.machines, outside: [] }
    assert.deepStrictEqual(whyNot(world, core), [], "backup and witness are a majority")
    world.machines[2]!.crash(true)
    world.run(world.nowMs + 60_000)
    assert.deepStrictEqual(
      whyNot(world, { inside: [main!, world.machines[1]!, shed!], outside: [world.machines[2]!] }),
      []
    )
  })
})

describe("a core", () => {
  it("is the same for the same seed; half are everybody, the others of every size", () => {
    const world = worldOf(quiet)
    const sizes = Array.from({ length: 400 }, (_, seed) => pickCore(world, seed).inside.length)
    assert.deepStrictEqual(
      Array.from({ length: 400 }, (_, seed) => pickCore(world, seed).inside.length),
      sizes
    )
    const count = (size: number): number => sizes.filter((each) => each === size).length
    assert.isAbove(count(4), 180)
    for (const size of [1, 2, 3]) assert.isAbove(count(size), 20)
  })

  it("has only members that may dial each other", () => {
    const world = worldOf(mesh("", "line"))
    for (let seed = 0; seed < 100; seed++) {
      const [a, b, ...more] = pickCore(world, seed).inside
      assert.deepStrictEqual(more, [])
      if (b !== undefined) assert.strictEqual(b.index - a!.index, 1)
    }
  })

  it("never has a machine while others remember a later life of a second process with its key (P3.2, P3.3)", () => {
    const twins = scenarioOf(`
scenario: Two with one key
seed: 3
lasts: 30s
electors: [main, backup]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  shed:   { role: field }
  copy:   { role: field, same-key-as: shed }
timeline:
  - { at: 0s,  start: everyone but copy }
  - { at: 2s,  start: copy }
  - { at: 3s,  crash: copy }
  - { at: 5s,  crash: shed }
  - { at: 10s, start: copy }
  - { at: 15s, crash: copy }
  - { at: 16s, restart: shed }`)
    const world = worldOf(twins)
    const [main, backup, shed] = world.machines
    const cores = (): ReadonlyArray<boolean> =>
      Array.from({ length: 50 }, (_, seed) => pickCore(world, seed).inside.includes(shed!))
    assert.notInclude(cores(), true, "the copy was met in the second life, in which the shed is now")
    assert.isNotEmpty(whyNot(world, { inside: [main!, backup!, shed!], outside: [world.machines[3]!] }))
    shed!.crash(true)
    assert.include(cores(), true, "its next life is later")
    const seed = cores().indexOf(true)
    assert.isNull(judgeLiveness(world, seed))
  })

  it("never has a device of generation 1 beside a board that the calm starts in 1970", () => {
    const barn = scenarioOf(`
scenario: A board without a battery
seed: 3
lasts: 30s
electors: [main]
nodes:
  main:  { role: planner }
  board: { role: field, boots-in: 1970 }
  old:   { role: sensor, generation: 1 }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 10s, id: set, skew: { who: board, to: now } }`)
    const world = worldOf(barn)
    const [, board, old] = world.machines
    const together = (): boolean =>
      Array.from({ length: 50 }, (_, seed) => pickCore(world, seed).inside).some(
        (inside) => inside.includes(board!) && inside.includes(old!)
      )
    assert.isTrue(together(), "its clock was set")
    board!.crash(true)
    assert.isFalse(together(), "and is not once it boots again")
    for (let seed = 0; seed < 4; seed++) {
      const other = worldOf(barn)
      other.machines[1]!.crash(true)
      assert.isNull(judgeLiveness(other, seed))
    }
  })

  it("never has a device of generation 1 beside whoever has revoked it, though it would still dial", () => {
    const barn = (timeline: string) =>
      worldOf(
        scenarioOf(`
scenario: An old device that one does not trust any more
seed: 2976
lasts: 5s
electors: [main]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  old:    { role: sensor, generation: 1, placed: beside }
timeline:
  - { at: 0s, start: everyone }
${timeline}`)
      )
    const together = (world: World): boolean =>
      Array.from({ length: 50 }, (_, seed) => pickCore(world, seed).inside.map(({ name }) => name)).some(
        (inside) => inside.includes("backup") && inside.includes("old")
      )
    assert.isTrue(together(barn("")), "with this seed it knows where the backup is")
    assert.isFalse(together(barn("  - { at: 1s, revoke: { by: backup, whom: old } }")))
  })

  it("never has a device of generation 1 that waits for a copy of the other's key, which is gone without a word", () => {
    // With this seed the old device knows where main is, main does not know where that is, and the copy does.
    const core = (copy: string): boolean => {
      const world = worldOf(
        scenarioOf(`
scenario: An old device that a copy dialled
seed: 4
lasts: 20s
electors: [boss]
nodes:
  boss: { role: planner }
  main: { role: field }
  copy: { role: field, same-key-as: main }
  old:  { role: sensor, generation: 1 }
timeline:
  - { at: 0s, start: [boss, main, old] }
${copy}`)
      )
      return Array.from({ length: 50 }, (_, each) => pickCore(world, each).inside.map(({ name }) => name)).some(
        (inside) => inside.includes("main") && inside.includes("old")
      )
    }
    assert.isTrue(core(""))
    assert.isFalse(core("  - { at: 5s, start: copy }\n  - { at: 12s, crash: copy }"))
  })

  it("never has a machine that has not run, or that a test plays", () => {
    const world = new World({ scenario: quiet, seed: 3 })
    assert.deepStrictEqual(pickCore(world, 1).inside, [])
    assert.isNull(judgeLiveness(world, 1))
  })
})

describe("L1: agreement on membership", () => {
  it("an edge that was bad once never becomes good again", () => {
    stays(
      "L1",
      /: main has witness as down: linked, 0 probes missed, not on probation; .* and \d+ more$/u,
      apart,
      grudge
    )
  })

  it("whoever is gone is up for ever", () => {
    const optimist = brokenAfter((after) => {
      const members = after.membership.members.map((member) =>
        member.state === "down" || member.state === "suspect" ? { ...member, state: "up" as const } : member
      )
      return { ...after, membership: { ...after.membership, members } }
    })
    const without = ["main", "backup", "witness"]
    stays(
      "L1",
      / of calm among main, backup, witness \(shed cut off\): main has shed, which it cannot reach, as up: (redial due at|dial \d+ is out)/u,
      quiet,
      optimist,
      without
    )
  })
})

describe("L1: the same words of all observers", () => {
  it("somebody misses one, and nobody tells it again", () => {
    // The shed takes no rows; heartbeats say that it has others, and it is not told.
    const deaf = broken((node, input) =>
      node.config.displayName === "shed" &&
      input._tag === "Received" &&
      input.frame.type === "event" &&
      input.frame.event === "mesh.edges"
        ? [node, []]
        : Node.step(node, input)
    )
    stays("L1", /: shed and main do not hold the same rows of observers$/u, quiet, deaf)
  })
})

describe("L3: one active planner", () => {
  it("nobody stands", () => {
    const modest = brokenAfter((after) =>
      after.leadership.standAt === NEVER_MS
        ? after
        : { ...after, leadership: { ...after.leadership, standAt: NEVER_MS, due: NEVER_MS } }
    )
    stays(
      "L3",
      /: nobody leads, and 3 of 3 electors are there: main is following in term 0; backup is /u,
      quiet,
      modest
    )
  })

  it("whoever leads goes on without a majority", () => {
    const obstinate = brokenAfter((after) => {
      const { standing } = after.leadership
      if (standing._tag !== "Leading" || standing.leaseUntil === 0) return after
      return { ...after, leadership: { ...after.leadership, standing: { ...standing, leaseUntil: 2 ** 50 } } }
    })
    stays("L3", /: main leads with 1 of 3 electors$/u, quiet, obstinate, ["main", "shed"])
  })

  it("somebody does not hear who leads", () => {
    const deaf = broken((node, input) =>
      node.config.displayName === "shed" &&
      input._tag === "Received" &&
      input.frame.type === "event" &&
      input.frame.event === "mesh.lead"
        ? [node, []]
        : Node.step(node, input)
    )
    stays("L3", /: shed names nobody, and main leads: shed is following in term 0$/u, quiet, deaf)
  })
})

describe("L5: one session a pair", () => {
  it("nobody dials again", () => {
    const proud = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const old = input.at.mono > node.startedAt + 5_000
      return [after, old ? commands.filter(({ _tag }) => _tag !== "Dial") : commands]
    })
    stays("L1", /: main has witness as down: dial \d+ is out; .* and \d+ more$/u, apart, proud)
    const world = worldOf(apart, proud)
    judgeLiveness(world, seedFor(apart, ALL))
    assert.include(whyNot(world).join("\n"), "main has no session with witness: dial")
  })

  it("one end holds on to what the other has let go", () => {
    const world = worldOf(quiet)
    const [, backup] = world.machines
    assert.deepStrictEqual(whyNot(world), [])
    backup!.crash(true)
    backup!.start()
    world.run(world.nowMs + 10)
    const said = whyNot(world).filter((what) => what.includes("session"))
    assert.lengthOf(said, 3, said.join("\n"))
    for (const what of said) assert.match(what, /^backup has no session with (main|witness|shed): /u)
  })

  it("the two ends have sessions that are not the same, or connections besides", () => {
    const world = worldOf(quiet)
    const [main, backup] = world.machines
    const { host } = main!
    const state = host!.state()
    const isTheirs = (link: Link): link is Session => link._tag === "Session" && link.peer === backup!.config.deviceId
    const seen = (links: (theirs: Session) => ReadonlyArray<Link>): ReadonlyArray<string> => {
      const open = state.links.links.flatMap((link) => (isTheirs(link) ? links(link) : [link]))
      main!.host = { ...host!, state: () => ({ ...state, links: { ...state.links, links: open } }) }
      return whyNot(world)
    }
    const other = ({ epoch: [a, b, c, d], ...session }: Session): Session => ({ ...session, epoch: [a, b + 1, c, d] })
    assert.deepStrictEqual(
      seen((session) => [session]),
      []
    )
    assert.deepStrictEqual(
      seen((session) => [other(session)]),
      ["main and backup do not have the same session", "backup and main do not have the same session"]
    )
    assert.deepStrictEqual(
      seen((session) => [session, { ...session, link: 99 }]),
      ["main has 2 connections with backup"]
    )
  })
})

describe("L6: nothing happens", () => {
  it("a session that ends now and then, and is back at once", () => {
    let last = 0
    const restless = broken((node, input) => {
      const session = node.links.links.find((link) => link._tag === "Session")
      const due = node.config.displayName === "main" && input._tag === "Woke" && input.at.mono - last > 8_000
      if (!due || session === undefined) return Node.step(node, input)
      last = input.at.mono
      const [after, commands] = Node.step(node, {
        _tag: "LinkDown",
        at: input.at,
        link: session.link,
        reason: "closed"
      })
      const hangup = { _tag: "Hangup", link: session.link, code: 1000, reason: "restless", abrupt: false } as const
      const alarm = { _tag: "SetAlarm", at: after.alarmAt } as const
      return [after, [hangup, ...commands, alarm]]
    })
    const seed = seedFor(quiet, ALL)
    const violation = judgeLiveness(worldOf(quiet, restless), seed)
    assert.isNotNull(violation)
    assert.match(violation!.message, / of calm among main, backup, witness, shed: /u)
    assert.include(["L1", "L5", "L6"], violation!.oracle)
    assert.isNull(judgeLiveness(worldOf(quiet), seed))
  })

  it("an edge that flaps between two looks", () => {
    let last = 0
    const nervous = brokenAfter((after, _before, input) => {
      if (after.config.displayName !== "main" || input._tag !== "Woke" || input.at.mono - last < 8_000) return after
      last = input.at.mono
      const members = after.membership.members.map((member) => ({ ...member, flaps: member.flaps + 1 }))
      return { ...after, membership: { ...after.membership, members } }
    })
    stays(
      "L6",
      /: what main says of backup was up since \d+, flaps: \d+, is up since \d+, flaps: \d+; /u,
      quiet,
      nervous
    )
  })
})

describe("what is seen at one look", () => {
  type Leadership = Node.NodeState["leadership"]
  /** The node says so from now on, whatever it does. */
  const says = (
    machine: World["machines"][number],
    change: (state: Node.NodeState) => Partial<Node.NodeState>
  ): void => {
    const { host } = machine
    const state = host!.state()
    machine.host = { ...host!, state: () => ({ ...state, ...change(state) }) }
  }
  const leads = ({ leadership }: Node.NodeState): { readonly leadership: Leadership } => ({
    leadership: {
      ...leadership,
      standing: {
        _tag: "Leading",
        beat: 1,
        beatAt: 2 ** 50,
        beats: [],
        tryingSince: 2 ** 50,
        leaseUntil: 2 ** 50,
        announced: true
      }
    }
  })

  it("L3: two lead, or somebody where nobody may", () => {
    const world = worldOf(quiet)
    const [, backup, witness, shed] = world.machines
    assert.deepStrictEqual(whyNot(world), [])
    says(backup!, leads)
    assert.deepStrictEqual(whyNot(world), ["main, backup all lead"])
    says(witness!, leads)
    assert.deepStrictEqual(whyNot(world, { inside: [witness!, shed!], outside: [] }), [
      "witness leads with nobody who may lead"
    ])
  })

  it("L3: electors that say that they have lost their journals, and have not, excuse nobody", () => {
    const forgets: Kernel = {
      make: realKernel.make,
      step: (node, input) => {
        const [after, commands] = realKernel.step(node, input)
        if (after.phase !== "running" || node.phase === "running") return [after, commands]
        const record = { _tag: "Forgot", manifest: 1 } as const
        return [
          { ...after, leadership: { ...after.leadership, abstains: true } },
          [...commands, { _tag: "Persist", ticket: 2 ** 40, record, then: [] }]
        ]
      }
    }
    const [first] = whyNot(worldOf(quiet, forgets))
    assert.match(first!, /^nobody leads, and 3 of 3 electors are there/u)
  })

  it("L1: whoever does not run, or suspects somebody who is out of reach", () => {
    const world = worldOf(quiet)
    const [main, backup, witness, shed] = world.machines
    says(backup!, () => ({ phase: "booting" }))
    assert.include(whyNot(world), "backup is booting")
    says(main!, ({ membership }) => ({
      membership: {
        ...membership,
        members: membership.members.map((member) =>
          member.deviceId === shed!.config.deviceId ? { ...member, state: "suspect" } : member
        )
      }
    }))
    assert.include(
      whyNot(world, { inside: [main!, witness!], outside: [shed!] }),
      "main has shed, which it cannot reach, as suspect: linked, and well"
    )
  })

  it("L6: a connection, a term, a leader, a lead or a process that is another one", () => {
    const changed = (change: (state: Node.NodeState) => Partial<Node.NodeState>): ReadonlyArray<string> => {
      const world = worldOf(quiet)
      const core = { inside: world.machines.slice(0, 2), outside: world.machines.slice(2) }
      const before = mark(core)
      assert.deepStrictEqual(changes(before, mark(core)), [])
      says(core.inside[0]!, change)
      return changes(before, mark(core))
    }
    const inLeadership = (what: Partial<Leadership>) =>
      changed(({ leadership }) => ({ leadership: { ...leadership, ...what } }))
    assert.deepStrictEqual(inLeadership({ term: { manifest: 1, counter: 9 } }), [
      "the term that main knows was 1, is 9"
    ])
    assert.deepStrictEqual(inLeadership({ leader: null }), ["whom main follows was main, is nobody"])
    assert.deepStrictEqual(inLeadership({ standing: { _tag: "Following" } }), ["the lead of main was there, is none"])
    const redialled = changed(({ links }) => ({
      links: { ...links, contacts: links.contacts.map((contact) => ({ ...contact, session: 99 })) }
    }))
    assert.lengthOf(redialled, 1)
    assert.match(redialled[0]!, /^the connection of main with backup was \d+, is 99$/u)
    const world = worldOf(quiet)
    const core = { inside: world.machines, outside: [] }
    const before = mark(core)
    world.machines[1]!.crash(true)
    world.machines[1]!.start()
    assert.match(changes(before, mark(core)).join("\n"), /^the process of backup was \d+, is \d+$/mu)
  })
})

describe("the calm at the end of a run", () => {
  it("is no part of it, and fails it", () => {
    const healing = mesh(`
  - { at: 8s, partition: [[main, backup], [witness, shed]], for: 5s }
  - { at: 19s, crash: backup }`)
    const plain = runScenario(healing, { kernel: grudge })
    const judged = runScenario(healing, { kernel: grudge, liveness: true, seed: healing.seed })
    assert.deepStrictEqual(plain.violations, [])
    assert.lengthOf(judged.violations, 1)
    assert.strictEqual(judged.verdict, "failed")
    const rest = ({ events, happenings, hash }: typeof plain) => ({ events, happenings, hash })
    assert.deepStrictEqual(rest(judged), rest(plain))
    assert.deepStrictEqual(runScenario(healing, { liveness: true }).violations, [])
  })

  it("what breaks safety meanwhile is told in its place", () => {
    const world = new World({
      scenario: quiet,
      seed: 3,
      oracles: everyOracle(),
      kernel: broken((node, input) => {
        if (input.at.mono > node.startedAt + 25_000 && node.phase === "running") throw new Error("late")
        return Node.step(node, input)
      })
    })
    world.run(quiet.lastsMs)
    assert.deepStrictEqual(world.violations, [])
    assert.strictEqual(judgeLiveness(world, 1)?.oracle, "S10")
  })
})
