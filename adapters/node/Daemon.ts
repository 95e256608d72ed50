/**
 * What a running daemon offers to the programs round it: the operator's socket, the log, the signal handlers. Nothing is
 * decided here; reading is reading the kernel's state, and acting is one more input.
 */
import type { Farm } from "../config/Farm.ts"
import type * as Effect from "effect/Effect"
import type { Happened } from "../../kernel/Input.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Outcome } from "../../kernel/routing/Outcome.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Keys } from "../keys/Keys.ts"
import type { Host } from "../pairing/Host.ts"
import type { Instant } from "../../kernel/Time.ts"
import type { Decision, Wanted } from "./Calls.ts"
import type { ForwardParams } from "../../kernel/wire/Frame.ts"

/** An event of the node with the calendar time at which it was told, ms since 1970. */
export interface Told {
  readonly atMs: number
  readonly event: MeshEvent
}

export interface Daemon {
  /** The kernel's state after its last step. */
  readonly state: () => NodeState
  readonly now: () => Instant
  /** Puts an input before the kernel: `Trust`, `Distrust`, `Leave`. */
  readonly offer: (happened: Happened) => Effect.Effect<void>
  /** Sends a message to a device or a capability, and waits for what comes of it. */
  readonly ask: (params: ForwardParams) => Effect.Effect<Outcome>
  /** Proposes that something is moved, and says what came of that. */
  readonly propose: (wanted: Wanted) => Effect.Effect<Outcome>
  /** A person here decides about a proposal; waits for what comes of it, minutes where its guardian is out of reach. */
  readonly decide: (decision: Decision) => Effect.Effect<Outcome>
  /** The last events, oldest first; a bounded ring. */
  readonly events: () => ReadonlyArray<Told>
  /** Calls back with each event from now on; the effect it gives ends that. */
  readonly subscribe: (listener: (told: Told) => void) => Effect.Effect<void>
  /** Whether discovery really runs, and why not. */
  readonly discovery: () => { readonly enabled: boolean; readonly runs: boolean; readonly why: string }
  /** Why the disk takes nothing that is to be stored, in words; `null`: it does. */
  readonly disk: () => string | null
  /** Why nothing is recorded any more; `null`: it is, or was never to be. */
  readonly unrecorded: () => string | null
  /** The operator key of the mesh, where it is kept here; `null`: it is not. */
  readonly operatorKey: Pick<Keys, "sign"> | null
  /** What the farm is, as its configuration says; `null`: nothing is said of one. */
  readonly farm: Farm | null
  /** Where the node listens: `127.0.0.1:18789`. */
  readonly address: () => string
  /** And where others may reach it, the likeliest first: an address that is none of a machine stands for all that this one has. */
  readonly reachedAt: () => ReadonlyArray<string>
  /** What people call the mesh; `null`: nothing. */
  readonly meshName: string | null
  /** Who is invited, and who joined. */
  readonly host: Pick<Host, "invite" | "shut" | "seen" | "revoked">
}
