import { readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { DiskFailed, Files } from "../../../adapters/vault/Files.ts"
import type { StateRefused } from "../../../adapters/vault/StateRefused.ts"
import * as VaultOn from "../../../adapters/vault/Vault.ts"
import type { Record } from "../../../kernel/Durable.ts"
import type { Operation } from "../../../kernel/journal/Disk.ts"
import { Vault } from "../../../kernel/Ports.ts"
import { fold, incarnation, life, pin, states, trust, vote } from "../../kernel/journal/sample.ts"
import { scratch } from "./Scratch.ts"

type Options = Partial<VaultOn.Options>

/** Opens the vault, does something with it, closes it. */
const withVault = <A, E>(
  directory: string,
  use: (vault: Vault["Service"]) => Effect.Effect<A, E>,
  options: Options = {}
): Effect.Effect<A, E | StateRefused> =>
  Effect.provide(Effect.flatMap(Vault, use), VaultOn.layer(directory, { birth: "first", ...options }))

const load = (directory: string, options: Options = {}) => withVault(directory, (vault) => vault.load, options)
const store = (directory: string, records: ReadonlyArray<Record>, options: Options = {}) =>
  withVault(directory, (vault) => Effect.forEach(records, vault.append, { discard: true }), options)
const refusal = (directory: string) =>
  Effect.map(Effect.flip(load(directory)), (error) => {
    assert.strictEqual(error._tag, "StateRefused")
    return error as StateRefused
  })

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
}

/** A disk on which operations of this kind fail. */
const failing = (files: Files, tag: Operation["_tag"], code: string): Files =>
  Object.create(files, {
    perform: {
      value: (operation: Operation) =>
        operation._tag === tag
          ? Effect.fail(
              new DiskFailed({
                path: files.path("journal"),
                doing: "write",
                cause: Object.assign(new Error(), { code })
              })
            )
          : files.perform(operation)
    }
  }) as Files

describe("Vault", () => {
  it.live("S9: what was stored is there again, after compactions too; files are their owner's only (B11)", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const options = { compactAfterBytes: 400 }
      for (const record of life) yield* store(directory, [record], options)
      assert.deepStrictEqual(yield* load(directory, options), states.at(-1))
      assert.deepStrictEqual(readdirSync(directory).sort(), ["journal", "snapshot-a", "snapshot-b"])
      for (const name of readdirSync(directory))
        assert.strictEqual(statSync(join(directory, name)).mode & 0o777, 0o600, name)
    })
  )

  it.live("stores in the order of the calls, many at a time, and all before it is closed", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const acknowledged: Array<number> = []
      const records = Array.from({ length: 40 }, (_, i) => trust("a", `name ${i}`))
      yield* withVault(directory, (vault) =>
        Effect.gen(function* () {
          const fibers: Array<Fiber.Fiber<void, unknown>> = []
          for (const [i, record] of records.entries()) {
            const asked = Effect.andThen(
              vault.append(record),
              Effect.sync(() => void acknowledged.push(i))
            )
            fibers.push(yield* Effect.forkChild(asked, { startImmediately: true }))
          }
          yield* Fiber.join(fibers[20]!)
          yield* Effect.forEach(fibers, Fiber.join)
          // Nobody waits for this one.
          yield* Effect.forkDetach(vault.append(pin("b")), { startImmediately: true })
        })
      )
      assert.deepStrictEqual(
        acknowledged,
        records.map((_, i) => i)
      )
      assert.deepStrictEqual(yield* load(directory), fold([...records, pin("b")]))
      // Forty syncs would have been forty entries.
      const entries = readFileSync(join(directory, "journal")).toString("latin1").split("[{").length - 1
      assert.isBelow(entries, 10)
    })
  )

  it.live("S9: a torn tail is cut off, and the vault goes on behind it", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* store(directory, [incarnation(1), vote(3, "a")])
      const journal = join(directory, "journal")
      truncateSync(journal, statSync(journal).size - 5)
      assert.deepStrictEqual(yield* load(directory), fold([incarnation(1)]))
      yield* store(directory, [vote(4, "b")])
      assert.deepStrictEqual(yield* load(directory), fold([incarnation(1), vote(4, "b")]))
    })
  )

  it.live("B11: a damaged journal stops the node, and is kept aside; starting again does not get past that", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* store(directory, life)
      const before = readFileSync(join(directory, "journal"))
      flip(join(directory, "journal"), 100)
      const first = yield* refusal(directory)
      assert.strictEqual(first.reason, "JournalDamaged")
      assert.include(first.message, join(directory, "journal"))
      assert.include(first.message, "journal.corrupt-1")
      assert.match(first.message, /checksum/u)
      assert.deepStrictEqual(readdirSync(directory), ["journal.corrupt-1"])
      assert.strictEqual((yield* refusal(directory)).reason, "JournalMissing")
      assert.deepStrictEqual(readdirSync(directory), ["journal.corrupt-1"])
      writeFileSync(join(directory, "journal"), before)
      assert.deepStrictEqual(yield* load(directory), states.at(-1))
      flip(join(directory, "journal"), 200)
      assert.include((yield* refusal(directory)).message, "journal.corrupt-2")
    })
  )

  it.live("B11: one bad snapshot costs nothing; two bad ones stop the node and leave the journal be", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const options = { compactAfterBytes: 400 }
      yield* store(directory, life, options)
      flip(join(directory, "snapshot-a"), 50)
      assert.deepStrictEqual(yield* load(directory, options), states.at(-1))
      flip(join(directory, "snapshot-b"), 50)
      const refused = yield* refusal(directory)
      assert.strictEqual(refused.reason, "JournalDamaged")
      assert.sameMembers(readdirSync(directory), ["journal", "snapshot-a.corrupt-1", "snapshot-b.corrupt-1"])
      assert.strictEqual((yield* refusal(directory)).reason, "JournalMissing")
      assert.include(readdirSync(directory), "journal")
    })
  )

  it.live("what cannot be stored says where and why, and after it nothing is stored any more", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const files = failing(yield* Files.open(directory), "Append", "ENOSPC")
      const { vault } = yield* VaultOn.open(files, { birth: "first" })
      const error = yield* Effect.flip(vault.append(vote(7, "a")))
      assert.strictEqual(error._tag, "StoreFailed")
      assert.include(error.message, "the vote of term 7")
      assert.include(error.message, join(directory, "journal"))
      assert.include(error.message, "the disk is full")
      assert.deepStrictEqual(yield* vault.load, fold([]))
      assert.include((yield* Effect.flip(vault.append(pin("a")))).message, "the disk is full")
    })
  )

  it.live("a sync that fails is not tried again: whoever asks later is refused as well", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const real = yield* Files.open(directory)
      const { vault } = yield* VaultOn.open(real, { birth: "first" })
      yield* vault.append(vote(1, "a"))
      let syncs = 0
      const flaky = Object.create(real, {
        perform: {
          value: (operation: Operation) =>
            operation._tag === "Sync" && ++syncs === 2
              ? Effect.fail(
                  new DiskFailed({ path: directory, doing: "sync", cause: Object.assign(new Error(), { code: "EIO" }) })
                )
              : real.perform(operation)
        }
      }) as Files
      const second = (yield* VaultOn.open(flaky, { birth: "first" })).vault
      assert.isTrue(Exit.isFailure(yield* Effect.exit(second.append(vote(2, "a")))))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(second.append(vote(3, "a")))))
      assert.strictEqual(syncs, 2)
      assert.deepStrictEqual(yield* second.load, fold([vote(1, "a")]))
    })
  )

  it.live("a record that is too long is refused alone", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const records = [incarnation(1), trust("a", "x".repeat(5_000)), pin("b")]
      const exits = yield* withVault(directory, (vault) =>
        Effect.forEach(records, (record) => Effect.exit(vault.append(record)), { concurrency: "unbounded" })
      )
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
      assert.deepStrictEqual(yield* load(directory), fold([incarnation(1), pin("b")]))
    })
  )

  it.live("S9: a journal that is removed under the running node is an error, not a sink", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const error = yield* withVault(directory, (vault) =>
        Effect.gen(function* () {
          yield* vault.append(vote(1, "a"))
          unlinkSync(join(directory, "journal"))
          return yield* Effect.flip(vault.append(vote(2, "a")))
        })
      )
      assert.include(error.message, "removed it while the node was running")
    })
  )
})
