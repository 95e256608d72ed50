/**
 * `clawmesh wait`: until something is so at the node, for scripts and for whoever has just started one. A node that does not answer yet is
 * waited for like any other; one that may not be asked, or trusts no such device, is not.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { printable } from "../config/Printable.ts"
import * as Api from "../operator/Api.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import type { Order } from "./Arguments.ts"
import { ask } from "./Client.ts"
import { resolve } from "./Devices.ts"
import type { Errand, Work } from "./Errand.ts"
import { called, duration } from "./Text.ts"

type WaitOrder = Extract<Order, { readonly _tag: "wait" }>

const LOOK_MS = 200

type Seen = { readonly ok: boolean; readonly text: string }

const look = ({ name, what }: WaitOrder, status: Api.Status): Effect.Effect<Seen, Failure> => {
  const { leader, node, peers } = status
  switch (what) {
    case "ready":
      return Effect.succeed({ ok: node.phase === "running", text: `${node.name} is ${node.phase}` })
    case "leader":
      return Effect.succeed({ ok: leader !== null, text: leader === null ? "nobody leads" : `${called(leader)} leads` })
    case "peer": {
      const peer = resolve(name!, peers, "clawmesh wait peer")
      if ("$type" in peer) return Effect.fail(peer)
      const text = peer.state === "unknown" ? "was not met yet" : `is ${peer.state}`
      return Effect.succeed({ ok: peer.state === "up", text: `${called(peer)} ${text}` })
    }
  }
}

export const wait = (errand: Errand, order: WaitOrder): Work =>
  Effect.gen(function* () {
    const { look: style, manner, out, socket } = errand
    const begun = performance.now()
    let instead = "the node was not asked"
    const waiting = Effect.gen(function* () {
      for (;;) {
        const asked = yield* Effect.result(ask(socket, { method: "GET", target: "/status" }, Api.Status))
        if (Result.isSuccess(asked)) {
          const { ok, text } = yield* look(order, asked.success)
          instead = text
          if (ok) return text
        } else if (asked.failure.code === "NO_ANSWER") instead = asked.failure.message.split("\n").at(-1)!
        else return yield* Effect.fail(asked.failure)
        yield* Effect.sleep(LOOK_MS)
      }
    })
    const text = yield* Effect.timeoutOrElse(waiting, {
      duration: order.timeoutMs,
      orElse: () =>
        Effect.fail(
          failure(
            "TIMEOUT",
            `not within ${duration(order.timeoutMs)}: ${printable(instead)}`,
            "clawmesh doctor says what is wrong"
          )
        )
    })
    const tookMs = Math.round(performance.now() - begun)
    if (manner.json)
      out(`${JSON.stringify({ $type: "clawmesh.wait/1", for: order.what, name: order.name, text, tookMs })}\n`)
    else if (!style.quiet) out(`${printable(text)}, after ${duration(tookMs)}\n`)
  })
