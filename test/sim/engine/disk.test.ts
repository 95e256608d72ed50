/** What a machine's disk does to its node: what is stored, what a crash leaves, and what broken disks end (S9, B11). */
import { assert, describe, it } from "@effect/vitest"
import * as Durable from "../../../kernel/Durable.ts"
import type { Machine } from "../../../sim/engine/Machine.ts"
import { shellHost } from "../../../sim/engine/ShellHost.ts"
import type { DiskFate } from "../../../sim/disk/SimVault.ts"
import { notBackward } from "../../kernel/journal/sample.ts"
import { farm, SETTLED_MS, type Farm } from "./Farm.ts"

const drivers = [
  ["the fast driver", {}],
  ["the shell", { makeHost: shellHost }]
] as const

const incarnationOf = (machine: Machine): number => machine.state()?.incarnation ?? 0
/** What the last process of this machine found on its disk. */
const foundBy = ({ log }: Farm, machine: Machine): Durable.Durable | undefined => {
  const last = log.findLast(({ input, name }) => name === machine.name && input._tag === "Started")
  return last?.input._tag === "Started" ? last.input.durable : undefined
}
const up = (...machines: ReadonlyArray<Machine>): void => {
  for (const machine of machines) assert.strictEqual(machine.state()?.phase, "running", machine.name)
}

for (const [driver, options] of drivers) {
  describe(`a machine and its disk, under ${driver}`, () => {
    it("S9: what was stored is found by the next process, after a kill and after a power cut", () => {
      for (const silent of [false, true]) {
        const it = farm(options)
        const { field, runTo } = it
        runTo(SETTLED_MS)
        const before = field.durable
        assert.strictEqual(before.incarnation, 1)
        assert.strictEqual(before.pins.length, 2)
        assert.isAbove(before.term.counter, 0)
        field.crash(silent)
        assert.deepStrictEqual(field.durable, before)
        field.start()
        assert.deepStrictEqual(foundBy(it, field), before)
        runTo(2 * SETTLED_MS)
        assert.strictEqual(incarnationOf(field), 2)
        assert.deepStrictEqual(field.state()?.durable.pins, before.pins)
      }
    })

    it("a disk that fails ends the process at its next record, with resets for its peers; no start until it is mended", () => {
      const { at, backup, field, log, main, runTo, told } = farm(options)
      runTo(SETTLED_MS)
      // Somebody has to be elected anew, which field votes for.
      field.vault.harm("error")
      at(SETTLED_MS, () => main.crash(true))
      runTo(2 * SETTLED_MS)
      assert.isFalse(field.running)
      assert.isTrue(field.powered)
      const [[failedMs, event, reason]] = told(field) as [ReturnType<typeof told>[number]]
      assert.strictEqual(event, "world.failed")
      assert.match(reason ?? "", /^cannot store the vote of term 2 \(the disk reports an error\)/u)
      const resets = log.filter(({ input, name }) => name === "backup" && input._tag === "LinkDown")
      assert.isTrue(resets.some(({ input }) => input._tag === "LinkDown" && input.reason === "reset"))
      assert.isAbove(failedMs, SETTLED_MS)

      field.start()
      assert.isFalse(field.running)
      assert.deepStrictEqual(told(field).at(-1), [10_000, "world.refused", "the disk reports an error"])
      field.vault.mend()
      field.start()
      main.start()
      runTo(4 * SETTLED_MS)
      up(main, backup, field)
      assert.strictEqual(incarnationOf(field), 2)
    })

    it("S9: on a full disk a process starts, and ends before it has said a word", () => {
      const { field, log, runTo, told } = farm(options)
      runTo(SETTLED_MS)
      const before = field.durable
      field.crash(false)
      field.vault.harm("full")
      const from = log.length
      field.start()
      assert.isTrue(field.running)
      runTo(2 * SETTLED_MS)
      assert.isFalse(field.running)
      assert.match(told(field).at(-1)?.[2] ?? "", /^cannot store incarnation 2 \(the disk is full\)/u)
      const commands = log.slice(from).flatMap((line) => (line.name === "field" ? line.commands : []))
      assert.includeMembers(
        commands.map(({ _tag }) => _tag),
        ["Persist"]
      )
      for (const tag of ["Send", "Dial", "Listen"])
        assert.isFalse(
          commands.some(({ _tag }) => _tag === tag),
          tag
        )
      assert.deepStrictEqual(field.durable, before)
      field.vault.mend()
      field.start()
      runTo(3 * SETTLED_MS)
      up(field)
      assert.strictEqual(incarnationOf(field), 2)
    })

    it("a disk that hangs holds back whatever waits for it, until it goes on", () => {
      const { field, log, runTo, world } = farm(options)
      runTo(SETTLED_MS)
      field.crash(false)
      field.vault.harm("hang")
      const from = log.length
      field.start()
      runTo(60_000)
      assert.isTrue(field.running)
      assert.strictEqual(field.state()?.phase, "booting")
      assert.isFalse(field.listening)
      assert.isFalse(log.slice(from).some(({ input, name }) => name === "field" && input._tag === "Stored"))
      field.vault.mend()
      runTo(60_001)
      up(field)
      runTo(70_000)
      assert.strictEqual(field.durable.incarnation, 2)
      assert.strictEqual(world.view.nodes[0]!.peer("field"), "up")
    })

    it("S9: what waits for a disk that hangs is not stored when the power goes", () => {
      const { field, runTo } = farm(options)
      runTo(SETTLED_MS)
      const before = field.durable
      field.crash(false)
      field.vault.harm("hang")
      field.start()
      runTo(2 * SETTLED_MS)
      field.crash(true)
      notBackward(before, field.durable)
      assert.isAtMost(field.durable.incarnation, 2)
      field.vault.mend()
      field.start()
      runTo(3 * SETTLED_MS)
      up(field)
    })

    it("a slow disk takes as long as it is told to, and goes on writing in order when it is fast again", () => {
      const { field, log, runTo } = farm(options)
      field.vault.slow({ min: 700, max: 700 })
      runTo(699)
      assert.strictEqual(field.durable.incarnation, 0)
      assert.strictEqual(field.state()?.phase, "booting")
      runTo(700)
      assert.strictEqual(field.durable.incarnation, 1)
      up(field)
      const asked: Array<number> = []
      runTo(1_000)
      field.vault.mend()
      runTo(2 * SETTLED_MS)
      const answered: Array<number> = []
      for (const { commands, input, name } of log) {
        if (name !== "field") continue
        if (input._tag === "Stored") answered.push(input.ticket)
        for (const command of commands) if (command._tag === "Persist") asked.push(command.ticket)
      }
      assert.deepStrictEqual(answered, asked)
      assert.isAtLeast(asked.length, 3)
    })

    it("a machine that was wiped with its identity boots for the first time", () => {
      const it = farm(options)
      const { field, runTo } = it
      runTo(SETTLED_MS)
      field.crash(true, "wiped")
      assert.deepStrictEqual(field.durable, Durable.empty)
      field.start()
      assert.deepStrictEqual(foundBy(it, field), Durable.empty)
      runTo(2 * SETTLED_MS)
      assert.strictEqual(field.durable.incarnation, 1)
    })

    it("S9: a disk can be lost while its machine is off", () => {
      const { field, runTo } = farm(options)
      runTo(SETTLED_MS)
      field.crash(true)
      assert.isTrue(field.crash(true, "lost"))
      field.start()
      assert.strictEqual(field.state()?.phase, "recalling")
    })

    it("a write that is asked for on a fast disk waits for the one before it, from when it was slow", () => {
      const { field, runTo } = farm(options)
      runTo(SETTLED_MS)
      const through: Array<readonly [atMs: number, incarnation: number]> = []
      const store = (incarnation: number): void =>
        field.vault.store({ _tag: "Incarnation", incarnation }, () => {
          through.push([field.world.nowMs - SETTLED_MS, incarnation])
        })
      field.vault.slow({ min: 700, max: 700 })
      store(5)
      field.vault.mend()
      store(6)
      runTo(SETTLED_MS + 699)
      assert.strictEqual(field.durable.incarnation, 1)
      runTo(2 * SETTLED_MS)
      assert.deepStrictEqual(through, [
        [700, 5],
        [700, 6]
      ])
    })

    it("who leaves in order has stored what it was asked to", () => {
      for (const seed of [1, 2, 3, 4, 5]) {
        const { field, runTo } = farm({ ...options, seed })
        runTo(SETTLED_MS)
        field.vault.slow({ min: 60_000, max: 60_000 })
        let done = 0
        field.vault.store({ _tag: "Incarnation", incarnation: 9 }, () => done++)
        field.leave()
        runTo(2 * SETTLED_MS)
        assert.isFalse(field.running)
        assert.strictEqual(field.durable.incarnation, 9)
        assert.strictEqual(done, 0)
      }
    })
  })
}

describe("disks and determinism", () => {
  /** Faults of every kind, at times at which something is being stored. */
  const troubled = (options: Parameters<typeof farm>[0]): Farm => {
    const it = farm(options)
    const { at, backup, field, main, runTo } = it
    at(3, () => field.crash(true))
    at(500, () => field.start())
    at(503, () => field.crash(true, "torn"))
    at(900, () => field.vault.slow({ min: 0, max: 400 }))
    at(901, () => field.start())
    at(5_000, () => main.vault.harm("hang"))
    at(9_000, () => main.vault.mend())
    at(10_000, () => backup.vault.harm("full"))
    at(10_001, () => main.crash(true))
    at(20_000, () => backup.vault.mend())
    at(20_000, () => backup.start())
    at(25_000, () => main.start())
    at(30_000, () => field.vault.harm("error"))
    at(30_001, () => backup.crash(false))
    at(30_002, () => main.crash(false))
    at(31_000, () => main.start())
    at(31_000, () => backup.start())
    at(40_000, () => field.vault.mend())
    at(40_001, () => field.start())
    runTo(60_000)
    return it
  }

  it("S12: the same faults give the same run, and the shell the same log as the fast driver", () => {
    const fast = troubled({})
    const again = troubled({})
    const shell = troubled({ makeHost: shellHost })
    assert.strictEqual(again.world.traceHash(), fast.world.traceHash())
    for (let i = 0; i < Math.max(fast.log.length, shell.log.length); i++)
      assert.deepStrictEqual(shell.log[i], fast.log[i], `input ${i}`)
    assert.strictEqual(shell.world.traceHash(), fast.world.traceHash())
    assert.deepStrictEqual(shell.happenings, fast.happenings)
    const events = fast.happenings.map(({ event }) => event)
    assert.isAtLeast(events.filter((event) => event === "world.failed").length, 2)
    up(fast.main, fast.backup, fast.field)
  })
})

describe("C74: a crash at every moment at which something is being stored", () => {
  interface Asked {
    readonly record: Durable.Record
    acknowledged: boolean
  }
  const ways: ReadonlyArray<readonly [name: string, silent: boolean, disk: DiskFate]> = [
    ["killed", false, "keep"],
    ["power cut", true, "keep"],
    ["torn", true, "torn"]
  ]

  /** A farm in which everything that this machine asks its disk for is kept. */
  const watched = (seed: number, name: "main" | "field") => {
    const it = farm({ seed })
    const asked: Array<Asked> = []
    const moments = new Set<number>()
    const { vault } = it[name]
    const store = vault.store.bind(vault)
    const through = vault.through.bind(vault)
    const since: Array<number> = []
    vault.store = (record, asker) => {
      asked.push({ record, acknowledged: false })
      since.push(it.world.nowMs)
      store(record, asker)
    }
    vault.through = () => {
      const done = through()
      // A journal that is shortened stores nothing new, and can be interrupted all the same.
      if (done === null) moments.add(it.world.nowMs)
      else {
        asked.find(({ acknowledged }) => !acknowledged)!.acknowledged = true
        for (let ms = since.shift()!; ms <= it.world.nowMs; ms++) moments.add(ms)
      }
      return done
    }
    return { ...it, machine: it[name], asked, moments }
  }

  it("S9: what was acknowledged is there, in order, and nothing goes backward", () => {
    let torn = 0
    const survived = { some: 0, none: 0 }
    let runs = 0
    for (const seed of [1, 2, 3, 4])
      for (const name of ["main", "field"] as const) {
        const whole = watched(seed, name)
        whole.runTo(SETTLED_MS)
        assert.isAtLeast(whole.asked.length, 4)
        for (const atMs of whole.moments)
          for (const [way, silent, disk] of ways) {
            const it = watched(seed, name)
            const { asked, at, machine, runTo } = it
            let struck = false
            at(atMs, () => {
              struck = machine.crash(silent, disk)
            })
            runTo(atMs)
            runs++
            if (way === "torn" && struck) torn++
            const safe = asked.filter(({ acknowledged }) => acknowledged)
            const held = safe.map(({ record }) => record).reduce(Durable.apply, Durable.empty)
            const all = asked.map(({ record }) => record).reduce(Durable.apply, Durable.empty)
            const found = machine.durable
            const context = `seed ${seed}, ${name} ${way} at ${atMs} ms`
            assert.deepInclude([held, all], found, context)
            if (way === "torn" && struck) assert.deepStrictEqual(found, held, context)
            notBackward(held, found)
            const kept = JSON.stringify(found) !== JSON.stringify(held)
            if (safe.length < asked.length) survived[kept ? "some" : "none"]++
            machine.start()
            assert.deepStrictEqual(foundBy(it, machine), found, context)
            runTo(atMs + 2_000)
            up(machine)
            assert.strictEqual(machine.durable.incarnation, found.incarnation + 1, context)
          }
      }
    assert.isAtLeast(runs, 100)
    assert.isAtLeast(torn, 20)
    assert.isAtLeast(survived.some, 10)
    assert.isAtLeast(survived.none, 10)
  })
})
