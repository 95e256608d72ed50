/** The real transport keeps the contract that the simulated network keeps, plain and with TLS. */
import { transportCompliance } from "../../compliance/transport.ts"
import { makeRealPair } from "./Ends.ts"

transportCompliance("ws", makeRealPair("ws"))
transportCompliance("wss", makeRealPair("wss"))
