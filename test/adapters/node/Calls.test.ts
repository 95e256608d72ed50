/** P20.9: what a program asks a model of another device, by its own node: pieces as they come, then what came of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Calls from "../../../adapters/node/Calls.ts"
import type { Command } from "../../../kernel/Command.ts"
import type { Happened } from "../../../kernel/Input.ts"
import { configOf, Drive, id, type World } from "../../kernel/drive.ts"

const mesh: World = { roles: { a: "node", b: "field" }, electors: "", dialled: "", gen1: "" }
const MODEL = "ollama/llama3"
const question = { to: id("b"), prompt: { model: MODEL, messages: [{ role: "user", content: "how dry?" }] } } as const

/** The program's node, and a kernel that serves the model: what either sends the other gets. */
const both = () => {
  const asker = Drive.up(mesh, "a")
  const serves = new Drive({ ...configOf(mesh, "b"), capabilities: [`llm:${MODEL}`] })
  serves.start()
  const here = asker.meet("b").link
  const there = serves.meet("a").link
  const begun: Array<number> = []
  const stopped: Array<number> = []
  const calls = Calls.make((happened: Happened) => Effect.suspend(() => atAsker(asker.feed(happened))))
  const atAsker = (commands: ReadonlyArray<Command>): Effect.Effect<void> =>
    Effect.forEach(
      commands,
      (command) => {
        if (command._tag === "Send" && command.link === here)
          return Effect.suspend(() => atServer(serves.receive(there, command.frame)))
        if (command._tag === "Ping")
          return Effect.suspend(() => atAsker(asker.feed({ _tag: "Ponged", link: here, probe: command.probe })))
        if (command._tag === "Streamed") return calls.port.streamed(command.call, command.delta)
        return command._tag === "Answered" ? calls.port.answered(command.call, command.outcome) : Effect.void
      },
      { discard: true }
    )
  const atServer = (commands: ReadonlyArray<Command>): Effect.Effect<void> =>
    Effect.forEach(
      commands,
      (command) => {
        if (command._tag === "Infer") begun.push(command.ticket)
        if (command._tag === "StopInference") stopped.push(command.ticket)
        if (command._tag === "Ping")
          return Effect.suspend(() => atServer(serves.feed({ _tag: "Ponged", link: there, probe: command.probe })))
        return command._tag === "Send" && command.link === there && ["res", "event"].includes(command.frame.type)
          ? Effect.suspend(() => atAsker(asker.receive(here, command.frame)))
          : Effect.void
      },
      { discard: true }
    )
  const says = (said: Extract<Happened, { readonly _tag: "Inferred" }>["said"]) =>
    Effect.suspend(() => atServer(serves.feed({ _tag: "Inferred", ticket: begun.at(-1)!, said })))
  return {
    calls,
    begun,
    stopped,
    says,
    settled: Effect.suspend(() => atServer(serves.node.alarmAt <= serves.mono ? serves.ring() : []))
  }
}

describe("a program that asks a model", () => {
  it.effect("hears the pieces, and then how it ended", () =>
    Effect.gen(function* () {
      const { begun, calls, says, settled } = both()
      const heard: Array<string> = []
      const asking = yield* Effect.forkChild(
        calls.infer(question, (delta) => void heard.push(delta)),
        { startImmediately: true }
      )
      assert.strictEqual(begun.length, 1)
      yield* says({ delta: "17 " })
      yield* settled
      yield* says({ delta: "percent" })
      yield* settled
      yield* says({ finishReason: "stop", usage: { promptTokens: 2, completionTokens: 2 } })
      yield* settled
      const outcome = yield* Fiber.join(asking)
      assert.strictEqual(heard.join(""), "17 percent")
      assert.deepInclude(outcome, {
        ok: true,
        by: id("b"),
        result: { finishReason: "stop", usage: { promptTokens: 2, completionTokens: 2 } }
      })
    })
  )

  it.effect("that gives up has it called off at the other end, and hears nothing more", () =>
    Effect.gen(function* () {
      const { calls, says, settled, stopped } = both()
      const heard: Array<string> = []
      const asking = yield* Effect.forkChild(
        calls.infer(question, (delta) => void heard.push(delta)),
        { startImmediately: true }
      )
      yield* says({ delta: "a" })
      yield* Fiber.interrupt(asking)
      yield* settled
      assert.strictEqual(stopped.length, 1)
      yield* says({ delta: "b" })
      assert.deepStrictEqual(heard, ["a"])
    })
  )
})
