/** The simulator's stand-ins keep the contracts that sockets, directories and multicast keep. */
import { makeSimulatedPair } from "./simulated.ts"
import { makeSimulatedDevice } from "./simulatedVault.ts"
import { transportCompliance } from "./transport.ts"
import { vaultCompliance } from "./vault.ts"

transportCompliance("the simulated network", makeSimulatedPair)
vaultCompliance("simulated storage on a disk that fails", makeSimulatedDevice("error", 1))
vaultCompliance("simulated storage on a disk that fills up", makeSimulatedDevice("full", 2))
