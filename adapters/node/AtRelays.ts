/** A node at its relays, composed: token, client, and what the kernel is told of both. Loaded by those who have one. */
import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Happened } from "../../kernel/Input.ts"
import type { Settings } from "../config/Settings.ts"
import { StartFailure } from "../config/StartFailure.ts"
import type { Options, Relays } from "../relay/Client.ts"
import { Offers } from "../relay/Offers.ts"
import type { Credentials } from "../tls/Certificate.ts"

/** Of the first line; any that is longer is no token. */
const TOKEN_CHARS_MAX = 512

const tokenIn = (path: string): Effect.Effect<string, StartFailure> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (error) =>
      new StartFailure({
        message: `${path} cannot be read: ${(error as Error).message}`,
        hint: "It is to hold the token for the relays: see relay-token-file.",
        exit: 78
      })
  }).pipe(
    Effect.flatMap((text) => {
      const token = text.split("\n")[0]!.trim()
      return /^[\x21-\x7e]+$/u.test(token) && token.length <= TOKEN_CHARS_MAX
        ? Effect.succeed(token)
        : Effect.fail(
            new StartFailure({
              message: `${path} holds no token`,
              hint: `Its first line is to be one word of at most ${TOKEN_CHARS_MAX} letters, digits and signs.`,
              exit: 78
            })
          )
    })
  )

/**
 * Closed with the scope. `know` is called after each step with whom the node trusts, once it runs; what is to be told goes to the
 * inbox as soon as that has room.
 */
export const open = Effect.fnUntraced(function* (
  { relayGrants, relayTokenFile, relays: places }: Settings,
  credentials: Credentials,
  note: Options["note"]
) {
  const token = relayTokenFile === null ? null : yield* tokenIn(relayTokenFile)
  const { Relays } = yield* Effect.promise(() => import("../relay/Client.ts"))
  const offers = new Offers()
  let relays: Relays | null = null
  let inbox: Queue.Queue<Happened> | null = null
  let trusted: Parameters<Offers["trust"]>[0] | null = null
  /** Known before the node runs. */
  let live: ReadonlyArray<string> = []
  let waiting: Array<Happened> = []
  const flush = (): void => {
    if (inbox === null || trusted === null) return
    while (waiting.length > 0 && Queue.offerUnsafe(inbox, waiting[0]!)) waiting.shift()
  }
  yield* Effect.addFinalizer(() => Effect.sync(() => relays?.close()))
  return {
    offers,
    openTunnel: ((relay, to, done) =>
      relays === null ? () => {} : relays.openTunnel(relay, to, done)) as Relays["openTunnel"],
    know: (devices: NonNullable<typeof trusted>): void => {
      if (devices !== trusted) {
        const first = trusted === null
        trusted = devices
        waiting.push(...offers.trust(devices))
        if (first) waiting.push(...offers.relays(live))
      }
      flush()
    },
    start: (to: Queue.Queue<Happened>, accept: Options["accept"]): void => {
      inbox = to
      relays = new Relays({
        relays: places,
        credentials,
        token,
        grants: relayGrants,
        accept,
        note,
        changed: (relayIds) => {
          live = relayIds
          if (trusted === null) return
          // The newest word on each is the one that counts.
          waiting = [...offers.relays(live)]
          flush()
        }
      })
      relays.start()
    }
  }
})
