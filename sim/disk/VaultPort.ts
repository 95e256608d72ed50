/** The `Vault` port on simulated storage. */
import * as Effect from "effect/Effect"
import type { StoreFailed, Vault } from "../../kernel/Ports.ts"
import type { SimVault } from "./SimVault.ts"

/** A fiber that waits for a write, woken by whoever is told that it is through. */
export type Waiting = (error: StoreFailed | null) => void

/** `settle` runs what an answer has set going to its end. */
export const vaultPort = (
  vault: Pick<SimVault<Waiting>, "durable" | "store">,
  settle: () => void
): Vault["Service"] => ({
  load: Effect.sync(() => vault.durable),
  append: (record) =>
    Effect.callback<void, StoreFailed>((resume) =>
      vault.store(record, (error) => {
        resume(error === null ? Effect.void : Effect.fail(error))
        settle()
      })
    )
})
