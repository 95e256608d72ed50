/** The simulator's stand-ins keep the contracts that sockets, directories and multicast keep. */
import { discoveryCompliance } from "./discovery.ts"
import { makeSimulatedPair } from "./simulated.ts"
import { makeSimulatedSegment } from "./simulatedDiscovery.ts"
import { makeSimulatedDevice } from "./simulatedVault.ts"
import { transportCompliance } from "./transport.ts"
import { vaultCompliance } from "./vault.ts"

transportCompliance("the simulated network", makeSimulatedPair)
vaultCompliance("simulated storage on a disk that fails", makeSimulatedDevice("error", 1))
vaultCompliance("simulated storage on a disk that fills up", makeSimulatedDevice("full", 2))
discoveryCompliance("the simulated segment", makeSimulatedSegment)
