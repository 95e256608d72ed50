/** The `Vault` port on simulated storage. */
import * as Effect from "effect/Effect"
import type { StoreFailed, Vault } from "../../kernel/Ports.ts"
import type { WorldSnapshot } from "../../kernel/world/Snapshot.ts"
import type { SimVault } from "./SimVault.ts"

/** A fiber that waits for a write, woken by whoever is told that it is through. */
export type Waiting = (error: StoreFailed | null) => void

/** `settle` runs what an answer has set going to its end. */
export const vaultPort = (
  vault: Pick<SimVault<Waiting>, "durable" | "store"> & {
    readonly keptWorld: WorldSnapshot | null
    readonly keepWorld: (snapshot: WorldSnapshot) => void
  },
  settle: () => void
): Vault["Service"] => ({
  load: Effect.sync(() => vault.durable),
  append: (record) =>
    Effect.callback<void, StoreFailed>((resume) =>
      vault.store(record, (error) => {
        resume(error === null ? Effect.void : Effect.fail(error))
        settle()
      })
    ),
  loadWorld: Effect.sync(() => vault.keptWorld),
  saveWorld: (snapshot) => Effect.sync(() => vault.keepWorld(snapshot))
})
