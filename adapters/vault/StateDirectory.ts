/**
 * A node's state directory: its lock, its identity and its journal, opened in the order that makes every accident visible
 * (B11, S9).
 *
 * Promises: a new identity is made only where there was none and nothing that belongs to one. It takes its name after the
 * journal has, so that an identity without a journal means that the journal was lost (`amnesia`), never a first boot that was
 * cut short. Nothing damaged is used, mended or written over; it is kept aside, and the node does not start until a person has
 * said how to go on. They say it by what they put into the directory or take out of it.
 *
 * What belongs where is told to people in docs/reference/state-directory.md.
 */
import { randomBytes } from "node:crypto"
import { chmod, mkdir, stat } from "node:fs/promises"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { isEmpty } from "../../kernel/journal/Disk.ts"
import * as Journal from "../../kernel/journal/Journal.ts"
import type { Vault } from "../../kernel/Ports.ts"
import { generate } from "../keys/Keys.ts"
import { attempt, type DiskFailed, Files, makeDurable } from "./Files.ts"
import * as Identity from "./Identity.ts"
import * as Lock from "./Lock.ts"
import { StateRefused } from "./StateRefused.ts"
import * as Patient from "./Patient.ts"
import * as VaultOn from "./Vault.ts"

const DIRECTORY_MODE = 0o700
const OTHERS = 0o077
const BOOT_ID_BYTES = 12

export interface StateDirectory {
  readonly path: string
  readonly identity: Identity.Identity
  /** Random, of this opening only. */
  readonly bootId: string
  /** It made a new identity. */
  readonly created: boolean
  /** This device had an identity, but has lost what it knew, and has stored no incarnation since. */
  readonly amnesia: boolean
  readonly vault: Vault["Service"]
  /** Whether it takes what is to be stored. */
  readonly disk: Patient.Disk
  /** For people: what was found and mended. */
  readonly notes: ReadonlyArray<string>
}

export interface Options {
  /** See `Journal.COMPACT_AFTER_BYTES`. */
  readonly compactAfterBytes?: number
  /** The one that a new directory gets; absent: a new one is drawn. */
  readonly identity?: Identity.Identity
}

/** The directory, for its owner only; what had to be changed. */
const prepare = Effect.fnUntraced(function* (path: string) {
  const made = yield* attempt("make", path, () =>
    // With `recursive`, Node says ENOENT whatever is wrong; without, it says what (EROFS).
    mkdir(path, { recursive: true, mode: DIRECTORY_MODE }).catch(() => mkdir(path, DIRECTORY_MODE).then(() => path))
  )
  if (made !== undefined) yield* makeDurable(dirname(made))
  const { mode } = yield* attempt("look at", path, () => stat(path))
  if ((mode & OTHERS) === 0) return []
  yield* attempt("keep others out of", path, () => chmod(path, DIRECTORY_MODE))
  return [`others than its owner could look into ${path}: its mode was changed to 0700`]
})

const readIdentity = Effect.fnUntraced(function* (files: Files) {
  const path = files.path(Identity.IDENTITY)
  const bytes = yield* files.read(Identity.IDENTITY)
  if (bytes === null) return null
  const decoded = Identity.decode(bytes)
  if (decoded._tag === "Identity") return decoded.identity
  if (decoded._tag === "OtherVersion")
    return yield* new StateRefused({
      reason: "OtherVersion",
      path,
      problem: `it is of version ${decoded.version}, which this program does not know.`,
      wayOut: "It was left as it is. Start the version of clawmesh-node that wrote it, or a newer one."
    })
  const kept = yield* files.keepAside(Identity.IDENTITY)
  return yield* new StateRefused({
    reason: "IdentityDamaged",
    path,
    problem: `damaged: ${decoded.why}. It was kept as ${kept}.`,
    wayOut: newIdentity
  })
})

const newIdentity =
  `Put ${Identity.IDENTITY} back from a copy: it never changes, so any copy is good. Without one this device is lost; ` +
  "to make a new one of it, which the others must trust anew, move everything out of the directory."

/** Refuses where there is anything that an identity must have belonged to. */
const firstBoot = Effect.fnUntraced(function* (files: Files) {
  const missing = (problem: string): StateRefused =>
    new StateRefused({
      reason: "IdentityMissing",
      path: files.path(Identity.IDENTITY),
      problem,
      wayOut: newIdentity
    })
  const kept = yield* files.keptAside(Identity.IDENTITY)
  if (kept.length > 0) return yield* missing(`there is none; a damaged one was kept as ${kept.join(", ")}.`)
  const image = yield* VaultOn.imageOf(files)
  if (isEmpty(image)) return
  // A journal that nothing was ever stored in is what a first boot leaves when it is cut short.
  const found = Journal.recover(image, "first")
  if (found._tag === "Refused" || found.journal.upTo > 0 || found.journal.amnesia)
    return yield* missing("there is none, but there is a journal that belongs to one.")
})

const drawn = (): Identity.Identity => {
  const { keys, seed } = generate()
  return { keys, seed: Redacted.make(seed) }
}

const makeIdentity = Effect.fnUntraced(function* (files: Files, { identity = drawn() }: Options) {
  yield* files.put(Identity.IDENTITY, Identity.encode(identity))
  return identity
})

/** So that a seed that others could read is known as such. */
const closeToOthers = Effect.fnUntraced(function* (files: Files) {
  const path = files.path(Identity.IDENTITY)
  const { mode } = yield* attempt("look at", path, () => stat(path))
  if ((mode & OTHERS) === 0) return []
  yield* attempt("keep others out of", path, () => chmod(path, 0o600))
  return [`others than its owner could read ${path}, the secret of this device: its mode was changed to 0600`]
})

const opened = Effect.fnUntraced(function* (path: string, options: Options) {
  const notes: Array<string> = []
  notes.push(...(yield* prepare(path)))
  yield* Lock.acquire(path)
  const files = yield* Files.open(path)
  const found = yield* readIdentity(files)
  if (found === null) yield* firstBoot(files)
  const store = yield* Patient.open(files, { ...options, birth: found === null ? "first" : "lost" })
  const identity = found ?? (yield* makeIdentity(files, options))
  notes.push(...(yield* closeToOthers(files)), ...store.notes)
  return {
    path,
    identity,
    bootId: randomBytes(BOOT_ID_BYTES).toString("base64url"),
    created: found === null,
    amnesia: store.amnesia,
    vault: store.vault,
    disk: store.disk,
    notes
  }
})

/** Opens or makes the directory, and holds it until the scope closes. */
export const open = (path: string, options: Options = {}): Effect.Effect<StateDirectory, StateRefused, Scope.Scope> =>
  Effect.catchTag(opened(path, options), "DiskFailed", (error: DiskFailed) => Effect.fail(VaultOn.unusable(error)))
