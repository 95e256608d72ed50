/**
 * This machine and the state directory, whether or not a node runs on it. Nothing is mended, and nothing that a node needs is written:
 * whether the disk writes is tried with a file of the doctor's own.
 */
import { constants, statfs } from "node:fs"
import { chmod, open, rm, stat, access } from "node:fs/promises"
import { X509Certificate } from "node:crypto"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { JOURNAL } from "../../kernel/journal/Disk.ts"
import * as Journal from "../../kernel/journal/Journal.ts"
import type { Status } from "../operator/Api.ts"
import { CERTIFICATE } from "../tls/Kept.ts"
import { deviceIdOfCertificate } from "../tls/Pin.ts"
import { attempt, type DiskFailed, Files } from "../vault/Files.ts"
import * as Identity from "../vault/Identity.ts"
import { imageOf } from "../vault/Vault.ts"
import { MESH } from "../config/Standing.ts"
import { duration } from "../cli/Text.ts"
import type { Machine } from "./Machine.ts"
import { type Check, unseen, wary, well, wrong } from "./Report.ts"

/** What package.json asks for: older ones do not run what is shipped. */
export const NODE_MIN: readonly [number, number] = [22, 19]
/** What Node itself is built against, from 18 on. */
const GLIBC_MIN: readonly [number, number] = [2, 28]
/** Before 2023 a calendar is that of a device that has none (kernel/planning/Rule.ts). */
const CALENDAR_FROM_MS = Date.UTC(2023, 0, 1)
/** Handshakes take no calendar that is further away (PROTOCOL.md part 3). */
const APART_MS_MAX = 300_000
/** Ages that people read are off by it. */
const APART_MS_NOTED = 2_000
/** A card that takes longer for one record keeps a lease waiting. */
const SYNC_MS_MAX = 250
/** The journal, its two snapshots, the world and the audit log of a busy node take less. */
const FREE_BYTES_MIN = 32 * 1_048_576
const FREE_BYTES_WARN = 256 * 1_048_576
const OTHERS = 0o077

const atLeast = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const [a = 0, b = 0] = version.split(".").map(Number)
  return a > major || (a === major && b >= minor)
}

export const program = ({ glibc, nodeVersion }: Machine): Check => {
  if (!atLeast(nodeVersion, NODE_MIN))
    return wrong("program", `Node ${nodeVersion} is too old`, `Install Node ${NODE_MIN.join(".")} or later`)
  if (glibc !== null && !atLeast(glibc, GLIBC_MIN))
    return wrong("program", `glibc ${glibc} is too old for this Node`, "Ubuntu 20.04, Debian 11 and later have it")
  return well("program", `Node ${nodeVersion}${glibc === null ? "" : `, glibc ${glibc}`}`)
}

/** @param status of the running node, which has compared its calendar with others'; `null`: none runs */
export const clock = (machine: Machine, status: Status | null): Effect.Effect<Check> =>
  Effect.gen(function* () {
    const nowMs = machine.wallMs()
    const setIt = "sudo timedatectl set-ntp true; without a network: sudo date --set '2026-03-28 10:15'"
    if (nowMs < CALENDAR_FROM_MS)
      return wrong("clock", `the calendar says ${new Date(nowMs).getUTCFullYear()}: nobody has set it`, setIt)
    const offsets = (status?.peers ?? []).flatMap(({ clockOffsetMs, name, id }) =>
      clockOffsetMs === null ? [] : [{ ms: clockOffsetMs, who: name ?? id.slice(0, 8) }]
    )
    const apart = offsets.filter(({ ms }) => Math.abs(ms) > APART_MS_NOTED)
    const said = apart.map(({ ms, who }) => `${duration(Math.abs(ms))} ${ms > 0 ? "behind" : "ahead of"} ${who}`)
    if (offsets.some(({ ms }) => Math.abs(ms) > APART_MS_MAX))
      return wrong("clock", `this calendar is ${said.join(", ")}`, setIt)
    const synchronised = yield* machine.output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    const others = offsets.length === 0 ? "compared with nobody's" : `as ${offsets.length} others have it`
    if (apart.length > 0) return wary("clock", `this calendar is ${said.join(", ")}`, setIt)
    if (synchronised?.trim() === "no")
      return wary("clock", `the calendar is not synchronised, and ${others}`, "sudo timedatectl set-ntp true")
    const by = synchronised?.trim() === "yes" ? "synchronised" : "no timedatectl says whether it is synchronised"
    return well(
      "clock",
      `calendar ${new Date(nowMs).toISOString().slice(0, 16).replace("T", " ")} UTC, ${others}; ${by}`
    )
  })

export interface Mended {
  readonly checks: ReadonlyArray<Check>
  /** The commands that would mend what is wrong, in place of which `--fix` has done so. */
  readonly fixed: ReadonlyArray<string>
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)

const modeOf = (path: string): Effect.Effect<number | null> =>
  Effect.promise(() =>
    stat(path).then(
      ({ mode }) => mode,
      () => null
    )
  )

/** What others can look into; mended where that is asked for. */
const secret = (path: string, mode: 0o600 | 0o700, what: string, fix: boolean) =>
  Effect.gen(function* () {
    const found = yield* modeOf(path)
    const remedy = `chmod ${mode.toString(8)} ${path}`
    if (found === null || (found & OTHERS) === 0) return null
    const is = `${what} ${path} may be opened by others than its owner (mode ${(found & 0o777).toString(8)})`
    if (!fix) return { check: wrong("state-directory", is, remedy), fixed: null }
    const failed = yield* Effect.promise(() => chmod(path, mode).then(() => null, codeOf))
    return failed === null
      ? { check: well("state-directory", `${path} is its owner's alone again`), fixed: remedy }
      : { check: wrong("state-directory", `${is}; chmod: ${failed}`, `sudo ${remedy}`), fixed: null }
  })

/** Whether there is one, whether it is ours, and whether it is closed to others. */
export const stateDirectory = (path: string, fix: boolean): Effect.Effect<Mended & { readonly there: boolean }> =>
  Effect.gen(function* () {
    const found = yield* Effect.promise(() => stat(path).then((it) => it, codeOf))
    if (typeof found === "string") {
      const checks =
        found === "ENOENT"
          ? [wary("state-directory", `there is no ${path} yet`, "The first start of clawmesh-node makes it")]
          : [
              wrong(
                "state-directory",
                `${path} cannot be looked at: ${found}`,
                "As its owner, or as root: sudo clawmesh doctor"
              )
            ]
      return { checks, fixed: [], there: false }
    }
    if (!found.isDirectory())
      return {
        checks: [wrong("state-directory", `${path} is no directory`, "Move it away, or name another with --state")],
        fixed: [],
        there: false
      }
    const denied = yield* Effect.promise(() => access(path, constants.R_OK | constants.X_OK).then(() => null, codeOf))
    if (denied !== null)
      return {
        checks: [wrong("state-directory", `${path} is not ours to look into`, "sudo clawmesh doctor")],
        fixed: [],
        there: false
      }
    const open = [
      yield* secret(path, 0o700, "the state directory", fix),
      yield* secret(join(path, Identity.IDENTITY), 0o600, "the secret key", fix),
      yield* secret(join(path, MESH), 0o600, "the key of the mesh", fix)
    ].filter((one) => one !== null)
    const checks =
      open.length > 0
        ? open.map(({ check }) => check)
        : [well("state-directory", `the state directory ${path} is its owner's alone`)]
    return { checks, fixed: open.flatMap(({ fixed }) => (fixed === null ? [] : [fixed])), there: true }
  })

const TRIAL = "doctor.new"

const trial = async (file: string): Promise<void> => {
  const handle = await open(file, "w", 0o600)
  try {
    await handle.writeFile("whether this disk writes\n")
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Writes, syncs and removes a file there, as the journal does, and says for how long. */
export const diskWrites = (path: string, write = trial): Effect.Effect<Check> => {
  const file = join(path, TRIAL)
  return Effect.gen(function* () {
    const begun = performance.now()
    yield* attempt("write", file, () => write(file))
    const tookMs = Math.round(10 * (performance.now() - begun)) / 10
    return tookMs > SYNC_MS_MAX
      ? wary(
          "disk-writes",
          `a write takes ${tookMs} ms until it is safe`,
          "A worn card, or another program that writes: iostat -x 1"
        )
      : well("disk-writes", `a write takes ${tookMs} ms until it is safe`)
  }).pipe(
    Effect.catch((error: DiskFailed) =>
      Effect.succeed(wrong("disk-writes", `this disk does not write: ${error.why}`, remedyOf(error)))
    ),
    Effect.ensuring(Effect.promise(() => rm(file, { force: true }).catch(() => undefined)))
  )
}

const remedyOf = ({ cause, path }: DiskFailed): string => {
  switch (codeOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return "Make room: journalctl --vacuum-size=200M, apt clean; du -xh / | sort -h | tail shows what is large"
    case "EROFS":
      return "dmesg tells why; after that: sudo mount -o remount,rw /, or another card"
    case "EACCES":
    case "EPERM":
      return "As the user of the node, or as root: sudo clawmesh doctor"
    default:
      return `Look at the disk of ${path}: dmesg`
  }
}

const mib = (bytes: number): string =>
  bytes >= 1_073_741_824 ? `${(bytes / 1_073_741_824).toFixed(1)} GiB` : `${Math.floor(bytes / 1_048_576)} MiB`

export const diskSpace = (path: string): Effect.Effect<Check> =>
  Effect.callback<Check>((resume) =>
    statfs(path, (error, { bavail, blocks, bsize } = { bavail: 0, blocks: 0, bsize: 0 } as never) => {
      const free = bavail * bsize
      const used = blocks === 0 ? 0 : Math.floor(100 * (1 - bavail / blocks))
      const text = `${used} % of the disk is used, ${mib(free)} are free`
      const room = "sudo apt clean; sudo journalctl --vacuum-size=200M"
      const check =
        error !== null
          ? unseen("disk-space", `the disk does not say how full it is: ${codeOf(error)}`)
          : free < FREE_BYTES_MIN
            ? wrong("disk-space", text, room)
            : free < FREE_BYTES_WARN
              ? wary("disk-space", text, room)
              : well("disk-space", text)
      resume(Effect.succeed(check))
    })
  )

const readIn = (path: string, name: string) =>
  Effect.scoped(Effect.flatMap(Files.open(path), (files) => files.read(name)))

/** Who this device is, by its files; and whether what belongs to that is whole. */
export const identity = (path: string): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const bytes = yield* readIn(path, Identity.IDENTITY)
    if (bytes === null)
      return [
        wary("key", "this device has no key yet", "The first start of clawmesh-node makes it, or clawmesh-node id")
      ]
    const decoded = Identity.decode(bytes)
    if (decoded._tag !== "Identity")
      return [
        wrong(
          "key",
          decoded._tag === "Damaged"
            ? `${Identity.IDENTITY} is damaged: ${decoded.why}`
            : `${Identity.IDENTITY} is of version ${decoded.version}`,
          "Put it back from a copy: it never changes. docs/reference/state-directory.md"
        )
      ]
    const { deviceId } = decoded.identity.keys
    return [
      well("key", `the key reads; this device is ${deviceId.slice(0, 8)}…`),
      yield* meshFile(path),
      yield* certificate(path, deviceId)
    ]
  }).pipe(Effect.catch((error: DiskFailed) => Effect.succeed([wrong("key", error.message, "sudo clawmesh doctor")])))

const meshFile = (path: string): Effect.Effect<Check, DiskFailed> =>
  Effect.map(readIn(path, MESH), (bytes) => {
    if (bytes === null) return unseen("mesh-file", "this device has not joined a mesh yet")
    try {
      const { meshId } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly meshId?: unknown }
      if (typeof meshId === "string") return well("mesh-file", `this device belongs to mesh ${meshId.slice(0, 8)}`)
    } catch {
      // Told as the rest.
    }
    return wrong(
      "mesh-file",
      `${MESH} does not read`,
      "Put it back from a copy, or start with --mesh-name and --mesh-key of the mesh"
    )
  })

const certificate = (path: string, deviceId: string): Effect.Effect<Check, DiskFailed> =>
  Effect.map(readIn(path, CERTIFICATE), (bytes) => {
    if (bytes === null) return unseen("certificate", "no certificate is kept yet; the next start makes it")
    try {
      const read = new X509Certificate(bytes)
      if (deviceIdOfCertificate(read) === deviceId) return well("certificate", "the certificate is of this key")
      return wary(
        "certificate",
        "the certificate is of another key",
        `The next start makes another: rm ${join(path, CERTIFICATE)}`
      )
    } catch {
      return wary(
        "certificate",
        "the certificate does not read",
        `The next start makes another: rm ${join(path, CERTIFICATE)}`
      )
    }
  })

/**
 * When it was last written, and whether it is whole. Of a running node only the time is looked at: what it writes just now looks
 * unfinished.
 */
export const journal = (path: string, machine: Machine, status: Status | null): Effect.Effect<Check> =>
  Effect.gen(function* () {
    const wroteMs = yield* Effect.promise(() =>
      stat(join(path, JOURNAL)).then(
        ({ mtimeMs }) => mtimeMs,
        () => null
      )
    )
    if (wroteMs === null) {
      const has = yield* readIn(path, Identity.IDENTITY)
      return has === null
        ? unseen("journal", "there is no journal yet")
        : wrong(
            "journal",
            "this device has a key, and no journal: it has lost its memory",
            "docs/reference/state-directory.md, Amnesia"
          )
    }
    const ago = duration(Math.max(0, machine.wallMs() - wroteMs))
    if (status !== null) {
      const startedMs = Date.parse(status.at) - status.node.uptimeMs
      // Each start stores its incarnation.
      return status.node.phase === "running" && wroteMs < startedMs - 5_000
        ? wrong(
            "journal",
            `nothing has been stored since the node started; last ${ago} ago`,
            "journalctl --unit clawmesh-node; then start it again"
          )
        : well("journal", `the journal was last written ${ago} ago`)
    }
    const image = yield* Effect.scoped(Effect.flatMap(Files.open(path), imageOf))
    const found = Journal.recover(image, "lost")
    return found._tag === "Refused"
      ? wrong(
          "journal",
          `the journal does not read: ${found.why}`,
          "clawmesh-node run says how to go on; docs/reference/state-directory.md"
        )
      : well("journal", `the journal is whole, and was last written ${ago} ago`)
  }).pipe(Effect.catch((error: DiskFailed) => Effect.succeed(wrong("journal", error.message, "sudo clawmesh doctor"))))
