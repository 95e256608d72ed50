/** The port of models behind the shell: pieces come in as inputs, in order, then the end; and a stop reaches the provider. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Command } from "../../../kernel/Command.ts"
import * as Durable from "../../../kernel/Durable.ts"
import type { Happened, Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import {
  Advisor,
  Hardware,
  Herald,
  Inbox,
  Inference,
  InferenceFailed,
  Keys,
  Messages,
  Timepiece,
  Transport,
  Vault
} from "../../../kernel/Ports.ts"
import * as Shell from "../../../kernel/Shell.ts"
import { configOf, id, three } from "../drive.ts"

type Infer = Inference["Service"]["infer"]
type Said = Extract<Happened, { readonly _tag: "Inferred" }>["said"]

const prompt = { model: "mock/one", messages: [{ role: "user", content: "?" }] } as const
const INFER: Command = { _tag: "Infer", ticket: 1, from: id("b"), prompt }

/** What comes in of one inference by `infer`; `stopAt`: how many pieces are heard before it is stopped. */
const heard = (infer: Infer, stopAt = -1) =>
  Effect.gen(function* () {
    const inbox = yield* Queue.bounded<Happened>(64)
    const said: Array<Said> = []
    const nothing = Effect.void
    const ports = Context.make(Inbox, inbox).pipe(
      Context.add(Timepiece, { now: Effect.succeed({ mono: 1, wall: 1 }), ringAt: () => () => {} }),
      Context.add(Transport, {
        listen: nothing,
        dial: () => nothing,
        cancelDial: () => nothing,
        send: () => nothing,
        ping: () => nothing,
        hangup: () => nothing,
        halt: nothing
      }),
      Context.add(Vault, {
        load: Effect.succeed(Durable.empty),
        append: () => nothing,
        loadWorld: Effect.succeed(null),
        saveWorld: () => nothing
      }),
      Context.add(Keys, {
        sign: () => Effect.succeed(null),
        check: () => Effect.succeed({ deviceId: null, valid: [] })
      }),
      Context.add(Messages, {
        deliver: () => Effect.succeed({ ok: false }),
        streamed: () => nothing,
        answered: () => nothing
      }),
      Context.add(Hardware, { drive: () => Effect.succeed(false) }),
      Context.add(Advisor, { consult: () => Effect.never }),
      Context.add(Herald, { tell: () => nothing }),
      Context.add(Inference, { infer })
    )
    const step = (node: Node.NodeState, input: Input): Node.Step => {
      if (input._tag === "Started") return [node, [INFER]]
      if (input._tag !== "Inferred") return [node, []]
      said.push(input.said)
      if (!("delta" in input.said)) return [{ ...node, phase: "left" }, []]
      return [node, said.length === stopAt ? [{ _tag: "StopInference", ticket: 1 }] : []]
    }
    yield* Effect.provide(
      Shell.run({ config: configOf(three, "a"), bootId: "b", kernel: { make: Node.make, step } }),
      ports
    )
    return said
  })

describe("the port of models", () => {
  it.effect("pieces, then the end", () =>
    Effect.gen(function* () {
      const usage = { promptTokens: 1, completionTokens: 2 }
      const said = yield* heard(({ messages }, say) =>
        say(messages[0]!.content).pipe(Effect.andThen(say("b")), Effect.as({ finishReason: "length" as const, usage }))
      )
      assert.deepStrictEqual(said, [{ delta: "?" }, { delta: "b" }, { finishReason: "length", usage }])
    })
  )

  it.effect("one that fails says why; one that breaks says nothing of how", () =>
    Effect.gen(function* () {
      const failed = yield* heard(() =>
        Effect.fail(new InferenceFailed({ code: "LLM_MODEL_UNAVAILABLE", why: "it is not there" }))
      )
      assert.deepStrictEqual(failed, [{ failed: "LLM_MODEL_UNAVAILABLE", message: "it is not there" }])
      const broken = yield* heard(() => Effect.die(new Error("key sk-secret")))
      assert.deepStrictEqual(broken, [{ failed: "INTERNAL_ERROR", message: "its provider broke" }])
      assert.deepStrictEqual(yield* heard(Inference.none.infer), [
        { failed: "LLM_MODEL_UNAVAILABLE", message: "this device has no model of its own" }
      ])
    })
  )

  it.effect("a stop reaches its signal, and the end says that the provider is done", () =>
    Effect.gen(function* () {
      let aborted = false
      const said = yield* heard(
        (_, say) =>
          Effect.andThen(
            say("a"),
            Effect.tryPromise({
              try: (signal) =>
                new Promise<never>((_resolve, reject) => {
                  signal.addEventListener("abort", () => {
                    aborted = true
                    reject(new Error("aborted"))
                  })
                }),
              catch: () => new InferenceFailed({ code: "INTERNAL_ERROR", why: "aborted" })
            })
          ),
        1
      )
      assert.isTrue(aborted)
      assert.deepStrictEqual(said, [{ delta: "a" }, { failed: "LLM_CANCELLED", message: "it was stopped" }])
    })
  )

  it.effect("one that ignores the abort keeps nobody from going on, and ends when it ends", () =>
    Effect.gen(function* () {
      const late = yield* Deferred.make<void>()
      const said = yield* heard(
        (_, say) =>
          Effect.uninterruptible(
            say("a").pipe(
              Effect.andThen(Effect.yieldNow),
              Effect.andThen(say("b")),
              Effect.andThen(Deferred.succeed(late, undefined)),
              Effect.as({ finishReason: "stop" as const })
            )
          ),
        1
      )
      assert.isTrue(yield* Deferred.isDone(late))
      // What it said in between came in, for the kernel to leave.
      assert.deepStrictEqual(said.slice(0, 2), [{ delta: "a" }, { delta: "b" }])
      assert.strictEqual(said.length, 3)
    })
  )
})
