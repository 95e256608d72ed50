/**
 * From sockets to the inbox, in order. An inbox that is full is waited for, and whoever reads from sockets stops reading:
 * `onFull` is called when that begins, `onRoom` when everything that waited has been taken.
 *
 * Bounded by what sockets had already handed over when they were paused: one chunk each.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Happened } from "../../kernel/Input.ts"
import { Inbox } from "../../kernel/Ports.ts"

export interface Intake {
  readonly offer: (happened: Happened) => void
  readonly isFull: () => boolean
}

export const make = Effect.fnUntraced(function* (onFull: () => void, onRoom: () => void) {
  const inbox = yield* Inbox
  const waiting = yield* Queue.unbounded<Happened>()
  let waits = 0
  const drain = Effect.gen(function* () {
    const happened = yield* Queue.take(waiting)
    yield* Queue.offer(inbox, happened)
    waits -= 1
    if (waits === 0) onRoom()
  })
  yield* Effect.forkScoped(Effect.forever(drain))
  const intake: Intake = {
    offer: (happened) => {
      if (waits === 0 && Queue.offerUnsafe(inbox, happened)) return
      waits += 1
      Queue.offerUnsafe(waiting, happened)
      if (waits === 1) onFull()
    },
    isFull: () => waits > 0
  }
  return intake
})
