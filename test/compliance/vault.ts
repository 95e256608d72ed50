/**
 * What every `Vault` must do (kernel/Ports.ts), on whatever disk. The state directory and the simulated storage pass the same
 * suite, so that what a crash does to a simulated node is what it does to a real one.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Scope } from "effect/Scope"
import * as Durable from "../../kernel/Durable.ts"
import type { Vault } from "../../kernel/Ports.ts"
import { fold, incarnation, life, notBackward, pin, states, trust, vote } from "../kernel/journal/sample.ts"

/** A process that runs on a device. */
export interface Process {
  readonly vault: Vault["Service"]
  /** The device had an identity, but has lost what it knew. */
  readonly amnesia: boolean
  /** For people: what was found and mended. */
  readonly notes: ReadonlyArray<string>
}

/** Stable storage through several processes, one at a time. */
export interface Device {
  /** Ends in order with the scope. Dies where it cannot start. */
  readonly start: Effect.Effect<Process, never, Scope>
  /** The running process is no more, from one moment to the next. */
  readonly kill: Effect.Effect<void>
  /** Between two processes: as if one had been stopped in the middle of writing this record. */
  readonly tear: (record: Durable.Record) => Effect.Effect<void>
  /** From now on nothing can be stored. */
  readonly harm: Effect.Effect<void>
  /** Between two processes: as it was before it was harmed. */
  readonly mend: Effect.Effect<void>
  /** Between two processes: the identity is all that is left. */
  readonly lose: Effect.Effect<void>
}

export interface Options {
  /** See `Journal.COMPACT_AFTER_BYTES`. */
  readonly compactAfterBytes?: number
}

export type MakeDevice = (options: Options) => Effect.Effect<Device, never, Scope>

const SMALL = { compactAfterBytes: 400 }
const MANY = 40

export const vaultCompliance = (name: string, makeDevice: MakeDevice): void => {
  const rule = (title: string, body: (device: Device) => Effect.Effect<void, unknown>, options: Options = {}): void => {
    it.live(title, () => Effect.scoped(Effect.flatMap(makeDevice(options), body)), 20_000)
  }

  describe(`${name} is a vault`, () => {
    /** Starts a process, does something with it, ends it in order. */
    const during = <A, E>(device: Device, use: (process: Process) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.scoped(Effect.flatMap(device.start, use))
    const store = (device: Device, records: ReadonlyArray<Durable.Record>) =>
      during(device, ({ vault }) => Effect.forEach(records, vault.append, { discard: true }))
    const load = (device: Device) => during(device, ({ vault }) => vault.load)

    for (const [when, options] of [
      ["", {}],
      [", also when snapshots are taken", SMALL]
    ] as const) {
      rule(
        `S9: what was stored is there in every process after it${when}`,
        (device) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* load(device), Durable.empty)
            for (const [i, record] of life.entries()) {
              yield* store(device, [record])
              assert.deepStrictEqual(yield* load(device), states[i + 1])
            }
          }),
        options
      )
    }

    rule("what is acknowledged is loaded at once, and what is not is not", (device) =>
      during(device, ({ vault }) =>
        Effect.gen(function* () {
          const asked = yield* Effect.forkChild(vault.append(incarnation(1)), { startImmediately: true })
          assert.deepStrictEqual(yield* vault.load, Durable.empty)
          yield* Fiber.join(asked)
          assert.deepStrictEqual(yield* vault.load, fold([incarnation(1)]))
        })
      )
    )

    rule(
      "records are stored and acknowledged in the order of the calls",
      (device) =>
        Effect.gen(function* () {
          const records = Array.from({ length: MANY }, (_, i) => trust("a", `name ${i}`))
          const acknowledged: Array<number> = []
          yield* during(device, ({ vault }) =>
            Effect.gen(function* () {
              const fibers = yield* Effect.forEach(records, (record, i) =>
                Effect.forkChild(
                  Effect.andThen(
                    vault.append(record),
                    Effect.sync(() => void acknowledged.push(i))
                  ),
                  { startImmediately: true }
                )
              )
              yield* Effect.forEach(fibers, Fiber.join, { discard: true })
            })
          )
          assert.deepStrictEqual(
            acknowledged,
            records.map((_, i) => i)
          )
          assert.deepStrictEqual(yield* load(device), fold(records))
        }),
      SMALL
    )

    rule("a process that ends in order has stored what it was asked to, though nobody waits for it", (device) =>
      Effect.gen(function* () {
        yield* during(device, ({ vault }) =>
          Effect.gen(function* () {
            yield* vault.append(incarnation(1))
            const asked = yield* Effect.forkDetach(vault.append(pin("b")), { startImmediately: true })
            yield* Effect.forkDetach(vault.append(vote(1, "b")), { startImmediately: true })
            yield* Fiber.interrupt(asked)
          })
        )
        assert.deepStrictEqual(yield* load(device), fold([incarnation(1), pin("b"), vote(1, "b")]))
      })
    )

    rule("S9: a process that is killed leaves everything acknowledged, and of the rest a beginning", (device) =>
      Effect.gen(function* () {
        for (const acknowledged of [0, 1, 5, 11]) {
          const before = yield* load(device)
          const records = life.slice(0, acknowledged)
          const rest = life.slice(acknowledged)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { vault } = yield* device.start
              yield* Effect.forEach(records, vault.append, { discard: true })
              for (const record of rest) yield* Effect.forkDetach(vault.append(record), { startImmediately: true })
              yield* device.kill
            })
          )
          const found = yield* load(device)
          const possible = rest.map((_, i) => i).concat(rest.length)
          const held = possible.map((n) => [...records, ...rest.slice(0, n)].reduce(Durable.apply, before))
          assert.deepInclude(held, found)
          notBackward(held[0]!, found)
        }
      })
    )

    rule("S9: a write that was cut short is cut off, said, and written behind", (device) =>
      Effect.gen(function* () {
        yield* store(device, [incarnation(1)])
        yield* device.tear(vote(3, "a"))
        yield* during(device, ({ notes, vault }) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* vault.load, fold([incarnation(1)]))
            assert.match(notes.join(), /a write was cut short/u)
            yield* vault.append(vote(4, "b"))
          })
        )
        yield* during(device, ({ notes, vault }) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* vault.load, fold([incarnation(1), vote(4, "b")]))
            assert.deepStrictEqual(notes, [])
          })
        )
      })
    )

    rule(
      "S9: what cannot be stored fails, in words, and so does everything after it; nothing acknowledged is lost",
      (device) =>
        Effect.gen(function* () {
          yield* during(device, ({ vault }) =>
            Effect.gen(function* () {
              yield* vault.append(incarnation(1))
              yield* vault.append(vote(1, "a"))
              yield* device.harm
              const error = yield* Effect.flip(vault.append(vote(7, "b")))
              assert.strictEqual(error._tag, "StoreFailed")
              assert.include(error.message, "the vote of term 7")
              const later = yield* Effect.flip(vault.append(pin("a")))
              assert.include(later.message, "the key of aaaa")
              assert.deepStrictEqual(yield* vault.load, fold([incarnation(1), vote(1, "a")]))
            })
          )
          yield* device.mend
          assert.deepStrictEqual(yield* load(device), fold([incarnation(1), vote(1, "a")]))
          yield* store(device, [vote(8, "c")])
          assert.deepStrictEqual(yield* load(device), fold([incarnation(1), vote(1, "a"), vote(8, "c")]))
        })
    )

    rule("a disk that is mended under a process which it has failed is not trusted again by that process", (device) =>
      Effect.gen(function* () {
        yield* during(device, ({ vault }) =>
          Effect.gen(function* () {
            yield* vault.append(incarnation(1))
            yield* device.harm
            yield* Effect.flip(vault.append(vote(7, "b")))
            yield* device.mend
            assert.isTrue(Exit.isFailure(yield* Effect.exit(vault.append(vote(8, "b")))))
          })
        )
        assert.strictEqual((yield* load(device)).incarnation, 1)
      })
    )

    rule("a record that is too long is refused alone", (device) =>
      Effect.gen(function* () {
        const records = [incarnation(1), trust("a", "x".repeat(5_000)), pin("b")]
        const exits = yield* during(device, ({ vault }) =>
          Effect.forEach(records, (record) => Effect.exit(vault.append(record)), { concurrency: "unbounded" })
        )
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
        assert.deepStrictEqual(yield* load(device), fold([incarnation(1), pin("b")]))
      })
    )

    rule("S9: a lost journal is amnesia, never a first boot, until an incarnation is stored", (device) =>
      Effect.gen(function* () {
        const amnesia = during(device, (process) => Effect.succeed(process.amnesia))
        assert.isFalse(yield* amnesia)
        yield* store(device, [incarnation(3), pin("a")])
        assert.isFalse(yield* amnesia)
        yield* device.lose
        assert.isTrue(yield* amnesia)
        assert.deepStrictEqual(yield* load(device), Durable.empty)
        yield* store(device, [pin("a")])
        assert.isTrue(yield* amnesia)
        yield* store(device, [incarnation(4)])
        assert.isFalse(yield* amnesia)
      })
    )
  })
}
