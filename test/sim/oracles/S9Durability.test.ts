/** S9 fires on each of its clauses, with a kernel or a disk that is broken on purpose; never with real ones in the same world. */
import { assert, describe, it } from "@effect/vitest"
import type { Group, Ledger } from "../../../kernel/actuation/Ledger.ts"
import type { Durable } from "../../../kernel/Durable.ts"
import * as DurableState from "../../../kernel/Durable.ts"
import { TERM_ZERO } from "../../../kernel/leadership/Term.ts"
import * as Node from "../../../kernel/Node.ts"
import type { World } from "../../../sim/engine/World.ts"
import { broken, brokenAfter, fires, scenarioOf, watch } from "./Broken.ts"

const mesh = (timeline: string): ReturnType<typeof scenarioOf> =>
  scenarioOf(`
scenario: Two planners and a witness
seed: 3
lasts: 20s
profile: lan
electors: [main, backup, witness]
nodes:
  main:    { role: planner }
  backup:  { role: standby-planner }
  witness: { role: field }
network: { delay: 2ms..20ms, links: everyone }
timeline:
${timeline}`)

const together = mesh(`
  - { at: 0s, start: everyone }`)

/** The two planners never hear of each other; both hear the witness, and main leads before backup starts. */
const apart = mesh(`
  - { at: 0s, start: [main, witness] }
  - { at: 0s, cut: [main, backup] }
  - { at: 5s, start: [backup] }`)

const at = (world: World, ms: number, run: () => void): void => {
  world.agenda.push(ms, { _tag: "call", run })
}

const slowDisks = (world: World): void => {
  for (const { vault } of world.machines) vault.slow({ min: 4_000, max: 4_000 })
}

describe("S9: nothing is said before what it rests on is stored", () => {
  it("a vote is answered at once, and stored later", () => {
    const hasty = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const eager = commands.flatMap((command) =>
        command._tag === "Persist" && command.record._tag === "Vote"
          ? [...command.then, { ...command, then: [] }]
          : [command]
      )
      return [after, eager]
    })
    fires("S9", /^(main|backup|witness) speaks of its vote in term 1, which is not stored$/u, together, hasty)
  })

  it("a node speaks before its incarnation is stored", () => {
    const hasty = broken((node, input) => {
      const [booting, stores] = Node.step(node, input)
      if (input._tag !== "Started") return [booting, stores]
      const [running, commands] = Node.step(booting, { _tag: "Stored", at: input.at, ticket: 1 })
      return [running, [{ _tag: "Listen" }, ...stores, ...commands]]
    })
    fires("S9", /^[a-z]+ speaks as incarnation 1, which is not stored$/u, together, hasty, slowDisks)
  })
})

describe("S9: one vote a term", () => {
  it("a witness that forgets its vote gives it twice", () => {
    const forgetful = brokenAfter((after, before) =>
      after.config.role === "field" && after.leadership !== before.leadership
        ? {
            ...after,
            leadership: {
              ...after.leadership,
              term: TERM_ZERO,
              votedTerm: TERM_ZERO,
              votedFor: null,
              leader: null,
              promisedTo: null,
              promisedUntil: 0
            }
          }
        : after
    )
    fires("S9", /^witness tells backup that it has its vote in term 1, which another has$/u, apart, forgetful)
  })

  it("a witness that has voted in a higher term votes in a lower one", () => {
    const backward = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const lower = commands.map((command) =>
        command._tag === "Send" &&
        command.frame.type === "event" &&
        command.frame.event === "mesh.prevote.answer" &&
        node.leadership.votedTerm.counter > 0
          ? {
              ...command,
              frame: {
                type: "event" as const,
                event: "mesh.vote.answer" as const,
                payload: { term: { manifest: 0, counter: 9 }, granted: true }
              }
            }
          : command
      )
      return [after, lower]
    })
    const again = mesh(`
  - { at: 0s, start: everyone }
  - { at: 6s, crash: main }`)
    fires("S9", /^(backup|witness) votes in term 9, and has voted in term 1$/u, again, backward)
  })
})

describe("S9: what was acknowledged is what the next process starts from", () => {
  const restart = mesh(`
  - { at: 0s, start: everyone }
  - { at: 8s, restart: witness }
  - { at: 12s, restart: witness }`)

  /** The witness finds something else on its disk than what is there, from its third start on. */
  const finding = (spoil: (durable: Durable) => Durable) => (world: World) => {
    const { vault } = world.machines[2]!
    const open = vault.open.bind(vault)
    vault.open = () => {
      const opened = open()
      return opened._tag === "Opened" && opened.durable.incarnation >= 2
        ? { ...opened, durable: spoil(opened.durable) }
        : opened
    }
  }
  const lost = (
    message: RegExp,
    spoil: (durable: Durable) => Durable,
    before: (world: World) => void = () => {}
  ): void => {
    const run = (act: (world: World) => void) =>
      watch(
        restart,
        undefined,
        (world) => {
          before(world)
          act(world)
        },
        "S9"
      ).violations
    const violations = run(finding(spoil))
    assert.strictEqual(violations[0]?.oracle, "S9")
    assert.match(violations[0]!.message, message)
    assert.deepStrictEqual(run(finding((durable) => durable)), [], "with what is really there nothing fires")
  }
  const trusts = (world: World): void =>
    at(world, 5_000, () => {
      const deviceId = "e".repeat(64)
      world.machines[2]!.deliver({
        _tag: "Trust",
        device: { deviceId, role: "sensor", name: "", gen1: false, publicKey: null }
      })
    })

  it("an older incarnation", () => {
    lost(/^witness starts from incarnation 1 instead of 2$/u, (durable) => ({ ...durable, incarnation: 1 }))
  })

  it("an older term", () => {
    lost(/^witness starts from term 0 instead of 1$/u, (durable) => ({ ...durable, term: TERM_ZERO, votedFor: null }))
  })

  it("another vote in the same term", () => {
    lost(/^witness starts from another vote in term 1$/u, (durable) => ({ ...durable, votedFor: "f".repeat(64) }))
  })

  it("a word of trust less, or another one", () => {
    lost(
      /^witness starts from trust in e{8}: none instead of sensor$/u,
      (durable) => ({ ...durable, trusted: [] }),
      trusts
    )
    const promoted = (durable: Durable): Durable => ({
      ...durable,
      trusted: durable.trusted.map((entry) => ({ ...entry, role: "planner" }))
    })
    lost(/^witness starts from trust in e{8}: planner instead of sensor$/u, promoted, trusts)
  })

  it("a word of trust that was taken back", () => {
    const takesBack = (world: World): void => {
      trusts(world)
      at(world, 6_000, () => world.machines[2]!.deliver({ _tag: "Distrust", deviceId: "e".repeat(64) }))
    }
    const entry = { deviceId: "e".repeat(64), role: "sensor", name: "", gen1: false, publicKey: null } as const
    lost(
      /^witness starts from trust in e{8}: sensor instead of none$/u,
      (durable) => ({ ...durable, trusted: [entry] }),
      takesBack
    )
  })

  it("a key less, or another one", () => {
    lost(/^witness starts from the key of [0-9a-f]{8} is another$/u, (durable) => ({ ...durable, pins: [] }))
  })

  it("a node that takes an incarnation again", () => {
    const again = broken((node, input) =>
      Node.step(
        node,
        input._tag === "Started" && input.durable.incarnation >= 2 ? { ...input, durable: DurableState.empty } : input
      )
    )
    fires("S9", /^witness takes incarnation 1, and has had 2$/u, restart, again)
  })

  it("a record that was never acknowledged may be there or not", () => {
    const dies = mesh(`
  - { at: 0s, start: everyone }
  - { at: 5001ms, crash: witness, for: 2s }`)
    assert.deepStrictEqual(watch(dies, undefined, trusts).violations, [])
  })

  it("a disk that the world emptied may have forgotten, and no other", () => {
    const wipe = (forgive: boolean) =>
      watch(
        together,
        undefined,
        (world) =>
          at(world, 8_000, () => {
            const machine = world.machines[2]!
            machine.crash(true, "wiped")
            if (!forgive) machine.vault.wipes = 0
            machine.start()
          }),
        "S9"
      ).violations
    assert.deepStrictEqual(wipe(true), [])
    assert.match(wipe(false)[0]?.message ?? "", /^witness starts from incarnation 0 instead of 1$/u)
  })
})

describe("S9: what a guardian did is what its next process knows", () => {
  const farm = scenarioOf(`
scenario: A pump whose board restarts
seed: 5
lasts: 40s
electors: [laptop]
nodes:
  laptop: { role: planner }
  board:  { role: field, can: ["actuator:pump-1"] }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s,  start: everyone }
  - { at: 15s, send: { from: laptop, to: board, sets: "actuator:pump-1", key: wet, lasting: 2s } }
  - { at: 20s, hold: board, for: 15s }
  - { at: 25s, restart: board }`)

  const lost = (message: RegExp, spoil: (ledger: Ledger) => Ledger | undefined): void => {
    const run = (change: (ledger: Ledger) => Ledger | undefined) =>
      watch(
        farm,
        undefined,
        (world) => {
          const { vault } = world.machines[1]!
          const open = vault.open.bind(vault)
          vault.open = () => {
            const opened = open()
            if (opened._tag !== "Opened" || opened.durable.ledger === undefined) return opened
            const { ledger, ...rest } = opened.durable
            const changed = change(ledger)
            return { ...opened, durable: changed === undefined ? rest : { ...rest, ledger: changed } }
          }
        },
        "S9"
      ).violations
    assert.match(run(spoil)[0]?.message ?? "", message)
    assert.deepStrictEqual(
      run((ledger) => ledger),
      [],
      "with what is really there nothing fires"
    )
  }
  const groups = (change: (group: Group) => Group) => (ledger: Ledger) => ({
    ...ledger,
    groups: ledger.groups.map(change)
  })

  it("the whole ledger, an epoch, a hold, an intent, or what came of it", () => {
    lost(/^board starts from nothing of pump-1$/u, () => undefined)
    lost(
      /^board starts from epoch 0 of pump-1 instead of 2$/u,
      groups((group) => ({ ...group, epoch: 0 }))
    )
    lost(
      /^board starts from pump-1 released, and it was not$/u,
      groups((group) => ({ ...group, hold: false }))
    )
    lost(
      /^board starts from [^ ]+ of pump-1: nothing instead of done$/u,
      groups((group) => ({ ...group, intents: [] }))
    )
    lost(
      /^board starts from [^ ]+ of pump-1: started instead of done$/u,
      groups((group) => ({ ...group, intents: group.intents.map((one) => ({ ...one, outcome: "started" })) }))
    )
  })
})

describe("S9: the first key that a device proves is kept", () => {
  const keeping = (pins: (durable: Durable) => Durable["pins"]) =>
    brokenAfter((after, before) =>
      after.durable.pins === before.durable.pins
        ? after
        : { ...after, durable: { ...after.durable, pins: pins(after.durable) } }
    )

  it("a node that does not keep it", () => {
    const forgetful = keeping(() => [])
    fires("S9", /^[a-z]+ made a session with [0-9a-f]{8}, and does not keep its key$/u, together, forgetful)
  })

  it("nor that the device spoke the kernel extension", () => {
    const vague = keeping(({ pins }) => pins.map((pin) => ({ ...pin, kernel: false })))
    const told = /^[a-z]+ made a session with [0-9a-f]{8}, and does not keep that it speaks the kernel extension$/u
    fires("S9", told, together, vague)
  })
})
