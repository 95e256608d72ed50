/** What the network asks of the world: time, and being called again. Events name connections by number and hold nothing that changes. */
import type { Cargo } from "./Cargo.ts"
import type { DialFailure, Side } from "./Connection.ts"
import type { Hop } from "./Opening.ts"
import type { Path } from "./Path.ts"
import type { FaultId } from "./Rule.ts"

export interface Carrier {
  readonly nowMs: () => number
  readonly later: (atMs: number, event: NetworkEvent) => void
}

export type NetworkEvent =
  | {
      readonly _tag: "arrive"
      readonly connection: number
      readonly from: Side
      /** Number of the packet on its connection, from its side. */
      readonly n: number
      readonly cargo: Cargo
      /** As counted in the sender's `Flow.bytes`; 0: it is not. */
      readonly bytes: number
    }
  | { readonly _tag: "reset"; readonly connection: number; readonly at: Side }
  | { readonly _tag: "hop"; readonly connection: number; readonly hop: Hop; readonly tries: number }
  | { readonly _tag: "failed"; readonly connection: number; readonly reason: DialFailure }
  /** A second copy of what went this way, or a lie beside it. */
  | {
      readonly _tag: "copy"
      readonly connection: number
      readonly from: Side
      readonly cargo: Cargo
      /** Where it may come out if its connection is gone; `null`: nowhere. */
      readonly path: Path | null
    }
  /** What was taken out of its order waits for no more others. */
  | { readonly _tag: "release"; readonly connection: number; readonly from: Side; readonly n: number }
  /** Somebody looks whether a sender got any further since then. */
  | { readonly _tag: "stalled"; readonly connection: number; readonly side: Side; readonly sinceMs: number }
  /** What waits for the far end has passed a bound of those that the kernel asks for. */
  | { readonly _tag: "backlog"; readonly connection: number; readonly side: Side; readonly bytes: number }
  /** A rule that changes by itself does so. */
  | { readonly _tag: "beat"; readonly fault: FaultId; readonly beat: number }
