/** The simulator's network keeps the contract that real sockets keep. */
import { makeSimulatedPair } from "./simulated.ts"
import { transportCompliance } from "./transport.ts"

transportCompliance("the simulated network", makeSimulatedPair)
