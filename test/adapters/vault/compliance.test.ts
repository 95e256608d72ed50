/** The state directory keeps the contract that simulated storage keeps. */
import { cpSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as StateDirectory from "../../../adapters/vault/StateDirectory.ts"
import { vaultCompliance, type Device, type MakeDevice } from "../../compliance/vault.ts"
import { scratch } from "./Scratch.ts"

const JOURNAL = "journal"

const makeRealDevice: MakeDevice = (options) =>
  Effect.gen(function* () {
    const root = yield* scratch
    let lives = 0
    let path = join(root, "0")
    let good = new Uint8Array()
    const journal = (): string => join(path, JOURNAL)
    const start = Effect.map(
      Effect.orDie(Effect.suspend(() => StateDirectory.open(path, options))),
      ({ amnesia, notes, vault }) => ({ vault, amnesia, notes })
    )
    const device: Device = {
      start,
      // What the operating system has of its files at this moment is what a killed process leaves. The process itself goes on
      // with its own directory, where nobody looks any more.
      kill: Effect.sync(() => {
        const next = join(root, String(++lives))
        cpSync(path, next, { recursive: true, preserveTimestamps: true })
        path = next
      }),
      tear: (record) =>
        Effect.gen(function* () {
          yield* Effect.scoped(Effect.flatMap(start, ({ vault }) => Effect.orDie(vault.append(record))))
          truncateSync(journal(), statSync(journal()).size - 5)
        }),
      // Whoever syncs a file that was removed learns of it.
      harm: Effect.sync(() => {
        good = readFileSync(journal())
        unlinkSync(journal())
      }),
      mend: Effect.sync(() => writeFileSync(journal(), good, { mode: 0o600 })),
      lose: Effect.sync(() => {
        for (const name of [JOURNAL, "snapshot-a", "snapshot-b"]) rmSync(join(path, name), { force: true })
      })
    }
    return device
  })

vaultCompliance("the state directory", makeRealDevice)
