/** Simulated storage as a device of the vault's suite: time runs on while somebody waits for the disk. */
import * as Effect from "effect/Effect"
import type * as Durable from "../../kernel/Durable.ts"
import type { DiskFault } from "../../sim/disk/SimDisk.ts"
import { SimVault } from "../../sim/disk/SimVault.ts"
import { vaultPort, type Waiting } from "../../sim/disk/VaultPort.ts"
import { Agenda } from "../../sim/engine/Agenda.ts"
import type { MakeDevice } from "./vault.ts"

/** On a disk that will break in this way. */
export const makeSimulatedDevice =
  (fault: DiskFault, seed: number): MakeDevice =>
  ({ compactAfterBytes }) =>
    Effect.sync(() => {
      const agenda = new Agenda<number>()
      let nowMs = 0
      /** Number of the running process. */
      let process = 0
      let turns = false
      const turn = (): void => {
        turns = agenda.next()
        if (!turns) return
        nowMs = agenda.atMs
        if (agenda.payload === process) {
          const through = vault.through()
          through?.asker(through.error)
        }
        setImmediate(turn)
      }
      const carrier = {
        nowMs: () => nowMs,
        later: (atMs: number) => {
          agenda.push(atMs, process)
          if (!turns) setImmediate(turn)
          turns = true
        }
      }
      const vault = new SimVault<Waiting>(seed, "device", carrier, compactAfterBytes)
      const end = (how: () => void): void => {
        process++
        how()
      }
      const start = Effect.gen(function* () {
        const opened = vault.open()
        if (opened._tag === "Unusable") return yield* Effect.die(new Error(opened.why))
        const mine = ++process
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            if (process === mine) end(() => vault.close())
          })
        )
        return { vault: vaultPort(vault, () => {}), amnesia: opened.amnesia, notes: vault.notes }
      })
      return {
        start,
        kill: Effect.sync(() => end(() => vault.crash(false))),
        tear: (record: Durable.Record) =>
          Effect.sync(() => {
            vault.open()
            vault.store(record, () => {})
            end(() => {
              if (!vault.crash(true, "torn")) throw new Error("there was nothing to tear")
            })
          }),
        harm: Effect.sync(() => vault.harm(fault)),
        mend: Effect.sync(() => vault.mend()),
        lose: Effect.sync(() => end(() => vault.crash(true, "lost")))
      }
    })
