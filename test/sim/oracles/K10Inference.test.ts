/** K10 fires on each of its clauses, with a kernel that is broken on purpose; never with the real one in the same world. */
import { describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { broken, brokenAfter, fires, scenarioOf } from "./Broken.ts"

const mesh = scenarioOf(`
scenario: Two ask a third
seed: 5
lasts: 20s
nodes:
  main:  { role: planner }
  other: { role: node }
  board: { role: field, serves: { ollama/deaf: { pieces: exactly 60, each: 100ms, stop: ignored } } }
timeline:
  - { at: 0s, start: everyone }
  - { at: 8s, infer: { request: q1, from: main, to: board, model: ollama/deaf } }
  - { at: 9s, infer: { request: q2, from: other, to: board, model: ollama/deaf } }
  - { at: 10s, crash: main }`)

/** What `board` says, changed. */
const says = (change: (frame: Frame) => ReadonlyArray<Frame>) =>
  broken((node, input) => {
    const [after, commands] = Node.step(node, input)
    if (node.config.displayName !== "board") return [after, commands]
    return [
      after,
      commands.flatMap((command): ReadonlyArray<Command> =>
        command._tag === "Send" ? change(command.frame).map((frame) => ({ ...command, frame })) : [command]
      )
    ]
  })

const isChunk = (frame: Frame) => frame.type === "event" && frame.event === "llm.chunk"

const heard = (input: Input): boolean =>
  input._tag === "Received" && input.frame.type === "event" && input.frame.event === "llm.chunk"

type Serving = Node.NodeState["inference"]["serving"]

/** What `board` is left with. */
const serving = (change: (is: Serving, was: Serving) => Serving) =>
  brokenAfter((after, before) => {
    if (after.config.displayName !== "board") return after
    const is = change(after.inference.serving, before.inference.serving)
    return is === after.inference.serving ? after : { ...after, inference: { ...after.inference, serving: is } }
  })

describe("K10: a model answers whoever asked it, one at a time, in order, and the world hears nothing of it", () => {
  it("two at once", () => {
    const forgets = broken((node, input) => {
      const { inference } = node
      const asked = input._tag === "Received" && input.frame.type === "req" && input.frame.method === "llm.infer"
      const free = { ...node, inference: { ...inference, serving: { ...inference.serving, running: null } } }
      return Node.step(asked ? free : node, input)
    })
    fires("K10", /^board runs two inferences at once$/u, mesh, forgets)
  })

  it("one goes on whose requester is gone", () => {
    const keeps = serving((is, was) =>
      is.running === null && was.running !== null ? { ...is, running: was.running } : is
    )
    fires("K10", /^board goes on with an inference whose requester is gone$/u, mesh, keeps)
  })

  it("more do not end than may", () => {
    const many = Array.from({ length: 5 }, (_, ticket) => ({ ticket, until: Number.MAX_SAFE_INTEGER }))
    const counts = serving((is) => (is.running === null ? is : { ...is, abandoned: many }))
    fires("K10", /^board has 5 inferences that do not end$/u, mesh, counts)
  })

  it("more waits than may, or less is counted than there is", () => {
    const put = (textBytes: number, text: string) =>
      serving((is) => (is.running === null ? is : { ...is, running: { ...is.running, textBytes, text } }))
    fires("K10", /^board has 2000000 bytes that a model said$/u, mesh, put(2_000_000, ""))
    fires("K10", /^board counts less of what a model said than there is$/u, mesh, put(0, "x"))
  })

  it("a piece is missing, or comes twice, or behind the end, or unasked", () => {
    const later = says((frame) =>
      frame.type === "event" && frame.event === "llm.chunk"
        ? [{ ...frame, payload: { ...frame.payload, seq: frame.payload.seq + 1 } }]
        : [frame]
    )
    fires("K10", /^board sends piece 1 after 0 pieces$/u, mesh, later)
    fires(
      "K10",
      /^board sends piece 0 after 1 pieces$/u,
      mesh,
      says((frame) => (isChunk(frame) ? [frame, frame] : [frame]))
    )
    const unasked = says((frame) =>
      frame.type === "event" && frame.event === "llm.chunk"
        ? [{ ...frame, payload: { ...frame.payload, requestId: "another" } }]
        : [frame]
    )
    fires("K10", /^board tells main what it did not ask$/u, mesh, unasked)
    const early = says((frame) => {
      if (frame.type !== "event" || frame.event !== "llm.chunk") return [frame]
      const { requestId } = frame.payload
      return [{ type: "res", id: requestId, ok: true, payload: { requestId, finishReason: "stop" } }, frame]
    })
    fires("K10", /^board tells main more behind the end$/u, mesh, early)
  })

  it("a program hears pieces with a gap", () => {
    const skips = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      return [after, commands.map((one) => (one._tag === "Streamed" ? { ...one, seq: one.seq + 1 } : one))]
    })
    fires("K10", /^main hands on piece 1 of an answer after 0 pieces$/u, mesh, skips)
  })

  it("what a model says is taken into the world, or acted on", () => {
    const believes = brokenAfter((after, _before, input) =>
      heard(input) ? { ...after, world: { ...after.world, origins: [...after.world.origins] } } : after
    )
    fires("K10", /^main takes what a model says into the world$/u, mesh, believes)
    const obeys = broken((node, input) => {
      const [after, commands] = Node.step(node, input)
      const drive: Command = {
        _tag: "Drive",
        ticket: 99,
        actuator: "actuator:pump-1",
        state: "open",
        forMs: 1,
        intentId: null,
        epoch: null
      }
      return [after, heard(input) ? [...commands, drive] : commands]
    })
    fires("K10", /^main does Drive at the word of a model$/u, mesh, obeys)
  })
})
