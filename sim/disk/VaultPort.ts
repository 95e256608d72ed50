/** The `Vault` port on simulated storage. */
import * as Effect from "effect/Effect"
import type { StoreFailed, Vault } from "../../kernel/Ports.ts"
import type { SimVault } from "./SimVault.ts"

/** `settle` runs what an answer has set going to its end. */
export const vaultPort = (vault: SimVault, settle: () => void): Vault["Service"] => ({
  load: Effect.sync(() => vault.durable),
  append: (record) =>
    Effect.callback<void, StoreFailed>((resume) => {
      const answer = (stored: Effect.Effect<void, StoreFailed>): void => {
        resume(stored)
        settle()
      }
      vault.store(
        record,
        () => answer(Effect.void),
        (error) => answer(Effect.fail(error))
      )
    })
})
