/**
 * Two ends that a transport joins, as the compliance suite sees them: what each may be asked to do, and what each is told.
 * A real pair waits for sockets; a simulated one runs its world on until something happens.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { Happened } from "../../kernel/Input.ts"
import type { Transport } from "../../kernel/Ports.ts"

export interface End {
  readonly transport: Transport["Service"]
  readonly deviceId: string
  /** Where the other end may dial it. */
  readonly address: string
  /** What happens next at this end. Dies where nothing does. */
  readonly next: Effect.Effect<Happened>
}

export interface Pair {
  readonly a: End
  readonly b: End
  /** An address at which nobody listens. */
  readonly nowhere: string
}

export type MakePair = Effect.Effect<Pair, never, Scope>

export type Of<Tag extends Happened["_tag"]> = Extract<Happened, { readonly _tag: Tag }>

/** The next thing at this end, which has to be of this kind. */
export const expect = <Tag extends Happened["_tag"]>(end: End, tag: Tag): Effect.Effect<Of<Tag>> =>
  Effect.flatMap(end.next, (happened) =>
    happened._tag === tag
      ? Effect.succeed(happened as Of<Tag>)
      : Effect.die(new Error(`${tag} was to come, and not ${JSON.stringify(happened)}`))
  )
