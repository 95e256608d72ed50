/**
 * The `Vault` port on a directory: the kernel's journal, performed on real files.
 *
 * Promises: `append` returns once the record is synced, in the order in which the calls were made; records that wait for the
 * disk together are synced together. After the first operation that fails nothing more is stored, and every later append says
 * why. What was asked for before the scope closes is written before it is closed. A journal that is damaged is kept aside,
 * never mended, and the vault does not open.
 *
 * One vault a directory: see Lock.ts for who takes care of that.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { type Record, subject } from "../../kernel/Durable.ts"
import { JOURNAL, SNAPSHOTS, type Image } from "../../kernel/journal/Disk.ts"
import { RECORDS_MAX } from "../../kernel/journal/Format.ts"
import * as Journal from "../../kernel/journal/Journal.ts"
import { StoreFailed, Vault } from "../../kernel/Ports.ts"
import { type DiskFailed, Files, hasNoRoom } from "./Files.ts"
import { StateRefused } from "./StateRefused.ts"
import { worldFile } from "./WorldFile.ts"

export interface Options {
  /** What it means that there is no journal. */
  readonly birth: Journal.Birth
  /** See `Journal.COMPACT_AFTER_BYTES`. */
  readonly compactAfterBytes?: number
}

const LOSE =
  "the node then starts as one that has lost its memory, and knows only what its snapshots hold: look at `clawmesh trust list`"

/** A disk that cannot be used is a reason not to start. */
export const unusable = (error: DiskFailed): StateRefused =>
  new StateRefused({
    reason: "Unusable",
    path: error.path,
    problem: `cannot ${error.doing} it: ${error.why}.`,
    wayOut: "Put that right, or name another directory with --state.",
    ...(hasNoRoom(error) ? { passes: true } : {})
  })

export const imageOf = Effect.fnUntraced(function* (files: Files) {
  const [a, b] = SNAPSHOTS
  const image: Image = {
    journal: yield* files.read(JOURNAL),
    snapshots: [yield* files.read(a), yield* files.read(b)]
  }
  return image
})

type Refusal = Extract<Journal.Recovered, { readonly _tag: "Refused" }>

const refuse = Effect.fnUntraced(function* (files: Files, { files: names, reason, why }: Refusal) {
  const path = names.map((name) => files.path(name)).join(", ")
  if (reason === "Unknown")
    return yield* new StateRefused({
      reason: "OtherVersion",
      path,
      problem: `${why}.`,
      wayOut: "It was left as it is. Start the version of clawmesh-node that wrote it, or a newer one."
    })
  if (reason === "Missing")
    return yield* new StateRefused({
      reason: "JournalMissing",
      path,
      problem: `${why}.`,
      wayOut: `Put the missing file back. If it is gone, move ${JOURNAL}, ${SNAPSHOTS.join(" and ")} out of the directory: ${LOSE}.`
    })
  const kept: Array<string> = []
  for (const name of names) kept.push(yield* files.keepAside(name))
  const others = names.includes(JOURNAL) ? "" : ` and ${JOURNAL}`
  return yield* new StateRefused({
    reason: "JournalDamaged",
    path,
    problem: `damaged: ${why}. What this node had promised cannot be read any more. It was kept as ${kept.join(", ")}.`,
    wayOut: `To go on without it, move ${kept.join(" and ")}${others} out of the directory: ${LOSE}. An old copy of the journal is no way out: it would take promises back.`
  })
})

interface Asked {
  readonly record: Record
  readonly stored: Deferred.Deferred<void, StoreFailed>
}

/** Opens or begins the journal in a directory that is there. */
export const open = Effect.fnUntraced(function* (files: Files, options: Options) {
  const image = yield* imageOf(files)
  const kept = image.journal === null ? yield* files.keptAside(JOURNAL) : []
  if (kept.length > 0)
    return yield* new StateRefused({
      reason: "JournalMissing",
      path: files.path(JOURNAL),
      problem: `there is none; a damaged one was kept as ${kept.join(", ")}.`,
      wayOut: `To go on without it, move ${kept.join(" and ")} out of the directory: ${LOSE}.`
    })
  const found = Journal.recover(image, options.birth)
  if (found._tag === "Refused") return yield* refuse(files, found)
  yield* Effect.forEach(found.operations, files.perform, { discard: true })

  let { journal } = found
  let broken: DiskFailed | null = null
  const queue = yield* Queue.make<Asked, Cause.Done>()

  const failed = (record: Record, why: string, cause: unknown): StoreFailed =>
    new StoreFailed({ what: `${subject(record)} in ${files.path(JOURNAL)} (${why})`, cause })

  const perform = Effect.fnUntraced(function* (next: Extract<Journal.Appended, { readonly _tag: "Appended" }>) {
    yield* Effect.forEach(next.operations, files.perform, { discard: true })
    ;({ journal } = next)
  })

  const refuseAll = (batch: ReadonlyArray<Asked>, why: string, cause: unknown) =>
    Effect.forEach(batch, ({ record, stored }) => Deferred.fail(stored, failed(record, why, cause)), { discard: true })

  const write = (batch: ReadonlyArray<Asked>): Effect.Effect<void, DiskFailed> => {
    if (broken !== null) return refuseAll(batch, broken.message, broken)
    const next = Journal.append(
      journal,
      batch.map(({ record }) => record)
    )
    if (next._tag === "Appended")
      return Effect.andThen(
        perform(next),
        Effect.forEach(batch, ({ stored }) => Deferred.succeed(stored, undefined), { discard: true })
      )
    // One that is refused must not take the others with it.
    return batch.length === 1
      ? refuseAll(batch, next.why, null)
      : Effect.forEach(batch, (asked) => write([asked]), { discard: true })
  }

  const compact = Effect.suspend(() => {
    if (broken !== null || !Journal.isDue(journal, options.compactAfterBytes)) return Effect.void
    const next = Journal.compact(journal)
    // Never, below ten thousand devices; the journal goes on growing.
    return next._tag === "Refused" ? Effect.logWarning(`no snapshot: ${next.why}`) : perform(next)
  })

  const writer = Effect.gen(function* () {
    while (true) {
      const batch = yield* Queue.takeBetween(queue, 1, RECORDS_MAX)
      yield* Effect.andThen(write(batch), compact).pipe(
        Effect.catch((error: DiskFailed) => {
          broken = error
          return refuseAll(batch, error.message, error)
        })
      )
    }
  }).pipe(Effect.catchIf(Cause.isDone, () => Effect.void))

  yield* Effect.acquireRelease(Effect.forkDetach(writer), (fiber) =>
    Effect.andThen(Queue.end(queue), Fiber.await(fiber))
  )

  const append = (record: Record): Effect.Effect<void, StoreFailed> =>
    Effect.suspend(() => {
      const stored = Deferred.makeUnsafe<void, StoreFailed>()
      return Queue.offerUnsafe(queue, { record, stored })
        ? Deferred.await(stored)
        : Effect.fail(failed(record, "the vault is closed", null))
    })

  return {
    vault: Vault.of({ load: Effect.sync(() => journal.durable), append, ...worldFile(files) }),
    /** Since this start; see `Journal.amnesia`. */
    amnesia: found.journal.amnesia,
    durable: found.journal.durable,
    /** For people: what was found and mended. */
    notes: found.notes
  }
})

/** The port alone, on a directory that is there and that nobody else uses. Notes go to the log. */
export const layer = (directory: string, options: Options = { birth: "first" }): Layer.Layer<Vault, StateRefused> =>
  Layer.effect(
    Vault,
    Effect.gen(function* () {
      const files = yield* Files.open(directory)
      const { notes, vault } = yield* Effect.catchTag(open(files, options), "DiskFailed", (error) =>
        Effect.fail(unusable(error))
      )
      yield* Effect.forEach(notes, (note) => Effect.logWarning(`${directory}: ${note}`), { discard: true })
      return vault
    })
  )
