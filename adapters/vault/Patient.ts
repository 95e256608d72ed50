/**
 * The `Vault` port on a disk that may be full, or mounted read-only, for a while: what cannot be stored for that reason waits, and the
 * kernel sees a disk that hangs (A21: it hands over, stands for nothing, begins to move nothing, and goes on with the rest).
 *
 * A vault that has failed is not used again: nobody knows what it has kept. Every few seconds the journal is opened anew, as a start of
 * the node would, and what waits is stored behind what is found there, in its order. A record that was kept after all is stored twice,
 * which changes nothing (kernel/Durable.ts). Any other failure of the disk ends the node, as before.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Record } from "../../kernel/Durable.ts"
import { StoreFailed, Vault } from "../../kernel/Ports.ts"
import { DiskFailed, Files, hasNoRoom } from "./Files.ts"
import type { StateRefused } from "./StateRefused.ts"
import * as VaultOn from "./Vault.ts"

/** Between two attempts: what makes room is a person, or a program that rotates logs. */
export const AGAIN_MS = 5_000

interface Asked {
  readonly record: Record
  /** Of this process's monotonic clock, ms. */
  readonly since: number
  readonly stored: Deferred.Deferred<void, StoreFailed>
}

/** Why nothing is stored just now, in words; `null`: it is. */
export type Refusal = string | null

export interface Disk {
  readonly refusal: () => Refusal
  /** For how long the oldest record has waited, ms; 0: none waits. */
  readonly waitingMs: () => number
  /** Told when the refusal changes. One listener. */
  readonly watch: (tell: (refusal: Refusal) => void) => void
}

export interface Options extends VaultOn.Options {
  readonly againMs?: number
  /** In place of a fresh look at the directory. */
  readonly reopen?: () => Effect.Effect<Files, never, Scope.Scope>
}

type Opened = Effect.Success<ReturnType<typeof VaultOn.open>>

/** Why it failed, where that was only for want of room. */
const passing = (exit: Exit.Exit<void, StoreFailed>): DiskFailed | null => {
  const error = Exit.findErrorOption(exit)
  if (error._tag === "None") return null
  const { cause } = error.value
  return cause instanceof DiskFailed && hasNoRoom(cause) ? cause : null
}

/** @param files of the directory, whose lock is held; also what keeps the world */
export const open = Effect.fnUntraced(function* (files: Files, options: Options) {
  const { againMs = AGAIN_MS, reopen = () => Files.open(files.directory) } = options
  /** In the order in which they were asked for; what is stored or refused leaves. */
  const waiting = new Set<Asked>()
  let listener: (refusal: Refusal) => void = () => {}
  let refusal: Refusal = null
  let mending = false
  const tell = (next: Refusal): void => {
    if (next === refusal) return
    refusal = next
    listener(next)
  }

  const openOn = Effect.fnUntraced(function* (
    on: Effect.Effect<Files, never, Scope.Scope>,
    birth: VaultOn.Options["birth"]
  ) {
    const scope = yield* Scope.make()
    const opened = yield* Effect.flatMap(on, (fresh) => VaultOn.open(fresh, { ...options, birth })).pipe(
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return { opened, scope }
  })

  const first = yield* openOn(Effect.succeed(files), options.birth)
  /** What is known to be stored. */
  let latest = first.opened
  let current: { readonly opened: Opened; readonly scope: Scope.Closeable } | null = first
  yield* Effect.addFinalizer((exit) =>
    Effect.suspend(() => (current === null ? Effect.void : Scope.close(current.scope, exit)))
  )

  const settle = (asked: Asked, exit: Exit.Exit<void, StoreFailed>) => {
    waiting.delete(asked)
    return Effect.asVoid(Deferred.done(asked.stored, exit))
  }

  /** All that waits, behind what is there, until nothing waits any more; why not, if there is no room again. */
  const storeAll = Effect.fnUntraced(function* (vault: Vault["Service"]) {
    while (waiting.size > 0)
      for (const asked of waiting) {
        const exit = yield* Effect.exit(vault.append(asked.record))
        const why = passing(exit)
        if (why !== null) return why
        yield* settle(asked, exit)
      }
    return null
  })

  const giveUp = (why: StateRefused) =>
    Effect.forEach(
      [...waiting],
      (asked) => settle(asked, Exit.fail(new StoreFailed({ what: `anything more (${why.message})`, cause: why }))),
      { discard: true }
    )

  const mend = Effect.gen(function* () {
    const failed = current
    current = null
    // Ends once each record that it was given has been refused.
    if (failed !== null) yield* Scope.close(failed.scope, Exit.void)
    while (true) {
      yield* Effect.sleep(againMs)
      const again = yield* Effect.result(openOn(reopen(), "lost"))
      if (again._tag === "Failure") {
        const error = again.failure
        if (error._tag === "StateRefused") return yield* giveUp(error)
        if (!hasNoRoom(error)) return yield* giveUp(VaultOn.unusable(error))
        tell(error.message)
        continue
      }
      const { opened, scope } = again.success
      latest = opened
      const why = yield* Effect.onInterrupt(storeAll(opened.vault), () => Scope.close(scope, Exit.void))
      // Whoever has asked since waits for the next round.
      if (why === null && waiting.size > 0) {
        yield* Scope.close(scope, Exit.void)
        continue
      }
      if (why === null) {
        current = again.success
        mending = false
        return tell(null)
      }
      tell(why.message)
      yield* Scope.close(scope, Exit.void)
    }
  })

  const scope = yield* Scope.Scope
  const startMending = Effect.suspend(() => {
    if (mending) return Effect.void
    mending = true
    return Effect.asVoid(Effect.forkIn(mend, scope))
  })

  const append = (record: Record): Effect.Effect<void, StoreFailed> =>
    Effect.suspend(() => {
      const asked: Asked = { record, since: performance.now(), stored: Deferred.makeUnsafe() }
      waiting.add(asked)
      const vault = mending ? undefined : current?.opened.vault
      // It is stored in its turn.
      if (vault === undefined) return Deferred.await(asked.stored)
      return Effect.flatMap(Effect.exit(vault.append(record)), (exit) => {
        const why = passing(exit)
        if (why === null) return Effect.andThen(settle(asked, exit), Deferred.await(asked.stored))
        tell(why.message)
        return Effect.andThen(startMending, Deferred.await(asked.stored))
      })
    })

  const disk: Disk = {
    refusal: () => refusal,
    waitingMs: () => {
      const [oldest] = waiting
      return oldest === undefined ? 0 : performance.now() - oldest.since
    },
    watch: (listen) => {
      listener = listen
    }
  }
  const { loadWorld, saveWorld } = first.opened.vault
  return {
    vault: Vault.of({
      load: Effect.suspend(() => latest.vault.load),
      append,
      loadWorld,
      saveWorld
    }),
    disk,
    amnesia: first.opened.amnesia,
    notes: first.opened.notes
  }
})
