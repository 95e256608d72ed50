/** The `Discovery` port over mDNS (wire.md part 3): what `Mdns` tells goes to the inbox; it ends with the scope, with a goodbye. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type { Happened } from "../../kernel/Input.ts"
import { Discovery, Inbox } from "../../kernel/Ports.ts"
import { Mdns, type Options } from "./Mdns.ts"

/**
 * Needs the inbox; never fails to build, for a node works without its neighbours' adverts.
 *
 * @param isUp whether the node is up. One that boots forgets what it is told, and nothing is told twice: it waits until then.
 * @param told what the kernel is told of it
 */
export const layer = (
  options: Options,
  isUp: () => boolean = () => true,
  told: (news: Happened) => Happened = (news) => news
): Layer.Layer<Discovery, never, Inbox> =>
  Layer.effect(
    Discovery,
    Effect.gen(function* () {
      const inbox = yield* Inbox
      const mdns = yield* Effect.acquireRelease(
        Effect.sync(() => new Mdns(options, (news) => isUp() && Queue.offerUnsafe(inbox, told(news)))),
        (mdns) => Effect.promise(() => mdns.close())
      )
      return {
        advertise: (record) => Effect.sync(() => mdns.advertise(record)),
        running: Effect.sync(() => mdns.running)
      }
    })
  )
