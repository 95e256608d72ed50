/** A disk that is full or mounted read-only for a while: what is to be stored waits, in order, and the rest of the node does not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { DiskFailed, Files } from "../../../adapters/vault/Files.ts"
import * as Patient from "../../../adapters/vault/Patient.ts"
import { unusable } from "../../../adapters/vault/Vault.ts"
import { stateFailure } from "../../../adapters/node/StateFailure.ts"
import type { Operation } from "../../../kernel/journal/Disk.ts"
import { fold, incarnation, pin, vote } from "../../kernel/journal/sample.ts"
import { scratch } from "./Scratch.ts"

/** What the disk says to each operation just now; `null`: it does it. `half`: of an append the beginning gets through. */
interface Fault {
  code: string | null
  at: ReadonlyArray<Operation["_tag"]>
  half: boolean
}

const on = (files: Files, fault: Fault): Files =>
  Object.create(files, {
    perform: {
      value: (operation: Operation) => {
        if (fault.code === null || !fault.at.includes(operation._tag)) return files.perform(operation)
        const failed = new DiskFailed({
          path: files.path("journal"),
          doing: "append to",
          cause: Object.assign(new Error("no"), { code: fault.code })
        })
        return fault.half && operation._tag === "Append"
          ? Effect.andThen(files.perform({ ...operation, bytes: operation.bytes.slice(0, 7) }), Effect.fail(failed))
          : Effect.fail(failed)
      }
    }
  }) as Files

const AGAIN_MS = 10

const opened = Effect.gen(function* () {
  const directory = yield* scratch
  const fault: Fault = { code: null, at: ["Append"], half: false }
  const files = Effect.map(Files.open(directory), (real) => on(real, fault))
  const store = yield* Patient.open(yield* files, { birth: "first", againMs: AGAIN_MS, reopen: () => files })
  const told: Array<string | null> = []
  store.disk.watch((refusal) => told.push(refusal))
  return { directory, fault, told, ...store }
})

const until = (is: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (is() ? Effect.void : Effect.andThen(Effect.sleep(2), until(is))))

describe("a disk without room", () => {
  for (const [code, word] of [
    ["ENOSPC", "the disk is full"],
    ["EROFS", "mounted read-only"],
    ["EDQUOT", "quota"]
  ] as const)
    for (const half of [false, true])
      it.live(
        `${code}${half ? ", in the middle of a write" : ""}: says so, keeps what was stored, and stores in order what waited`,
        () =>
          Effect.gen(function* () {
            const { disk, fault, told, vault } = yield* opened
            yield* vault.append(incarnation(1))
            Object.assign(fault, { code, half })
            const wait = yield* Effect.forkChild(
              Effect.forEach([vote(7, "a"), vote(8, "b"), pin("a")], (record) => vault.append(record), {
                concurrency: "unbounded"
              }),
              { startImmediately: true }
            )
            yield* until(() => told.length > 0)
            assert.include(disk.refusal()!, word)
            // Also what is asked for only then.
            const later = yield* Effect.forkChild(vault.append(vote(9, "c")), { startImmediately: true })
            yield* Effect.sleep(5 * AGAIN_MS)
            assert.isUndefined(wait.pollUnsafe())
            assert.isUndefined(later.pollUnsafe())
            assert.deepStrictEqual(yield* vault.load, fold([incarnation(1)]))

            fault.code = null
            yield* Fiber.join(wait)
            yield* Fiber.join(later)
            yield* until(() => disk.refusal() === null)
            assert.strictEqual(told.at(-1), null)
            const all = [incarnation(1), vote(7, "a"), vote(8, "b"), pin("a"), vote(9, "c"), vote(10, "d")]
            yield* vault.append(vote(10, "d"))
            assert.deepStrictEqual(yield* vault.load, fold(all))
            assert.strictEqual(told.length, 2)
          })
      )

  it.live("what was kept though the sync failed is stored once more, which changes nothing", () =>
    Effect.gen(function* () {
      const { fault, vault } = yield* opened
      yield* vault.append(vote(1, "a"))
      Object.assign(fault, { code: "ENOSPC", at: ["Sync"] })
      const wait = yield* Effect.forkChild(vault.append(vote(2, "b")), { startImmediately: true })
      yield* Effect.sleep(5 * AGAIN_MS)
      fault.code = null
      yield* Fiber.join(wait)
      assert.deepStrictEqual(yield* vault.load, fold([vote(1, "a"), vote(2, "b")]))
    })
  )

  it.live("a disk that fails otherwise ends it at once, also while it waits for room", () =>
    Effect.gen(function* () {
      const { fault, vault } = yield* opened
      fault.code = "EIO"
      const error = yield* Effect.flip(vault.append(vote(1, "a")))
      assert.include(error.message, "the disk reports an error")
      const other = yield* opened
      other.fault.code = "ENOSPC"
      const wait = yield* Effect.forkChild(Effect.exit(other.vault.append(vote(1, "a"))), { startImmediately: true })
      yield* until(() => other.disk.refusal() !== null)
      other.fault.code = "EIO"
      assert.isTrue(Exit.isFailure(yield* Fiber.join(wait)))
    })
  )

  it.live("can be closed while something waits", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { fault, disk, vault } = yield* opened
          fault.code = "ENOSPC"
          yield* Effect.forkChild(vault.append(vote(1, "a")), { startImmediately: true })
          yield* until(() => disk.refusal() !== null)
        })
      )
    })
  )

  it.live("a record that is too long is refused alone, as ever", () =>
    Effect.gen(function* () {
      const { vault } = yield* opened
      const long = { ...pin("b"), publicKey: "x".repeat(9_000_000) }
      assert.isTrue(Exit.isFailure(yield* Effect.exit(vault.append(long))))
      yield* vault.append(vote(1, "a"))
    })
  )

  it("at the start it is a reason to try again, and any other failure is not", () => {
    const exitOf = (code: string): number =>
      stateFailure(
        unusable(new DiskFailed({ path: "/x", doing: "write", cause: Object.assign(new Error("no"), { code }) }))
      ).exit
    assert.deepStrictEqual(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"].map(exitOf), [1, 1, 1, 78, 78])
  })
})
