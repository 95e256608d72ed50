/** P20.9: a program of a node asks another node's model, hears the pieces in order, and what came of it, once. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { ANSWER_MS, ASKS_MAX, CANCEL_MS } from "../../../kernel/inference/Asking.ts"
import { Drive, framesTo, id, type World } from "../drive.ts"

const mesh: World = {
  roles: { a: "node", b: "field", c: "planner", v: "viewer" },
  electors: "c",
  dialled: "",
  gen1: ""
}
const MODEL = "ollama/llama3"
const prompt = { model: MODEL, messages: [{ role: "user", content: "how dry?" }] } as const

const ask = (drive: Drive, to: string | null, call = 1) =>
  drive.feed({ _tag: "Prompt", call, to: to === null ? null : id(to), prompt })

const outcomes = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) =>
    command._tag === "Answered"
      ? [[command.call, command.outcome.ok ? command.outcome.result : command.outcome.code]]
      : []
  )
const streamed = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) => (command._tag === "Streamed" ? [[command.call, command.seq, command.delta]] : []))
const asked = (commands: ReadonlyArray<Command>, link: number) =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "req" && frame.method === "llm.infer" ? [{ id: frame.id, ...frame.params }] : []
  )
const cancels = (commands: ReadonlyArray<Command>, link: number) =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "req" && frame.method === "llm.cancel" ? [frame.params.requestId] : []
  )

const one = () => {
  const drive = Drive.up(mesh, "a")
  const { link } = drive.meet("b")
  const [request] = asked(ask(drive, "b"), link)
  const { id: ident, requestId } = request!
  const chunk = (seq: number, delta: string, on = link, of = requestId) =>
    drive.hear(on, "llm.chunk", { requestId: of, seq, delta })
  const answer = (payload: unknown, on = link) => drive.receive(on, { type: "res", id: ident, ok: true, payload })
  return { drive, link, ident, requestId, chunk, answer }
}

describe("a program asks", () => {
  it("P20.9: pieces as they come, then what came of it", () => {
    const { answer, chunk, drive, requestId } = one()
    assert.deepStrictEqual(streamed([...chunk(0, "it is "), ...chunk(1, "dry")]), [
      [1, 0, "it is "],
      [1, 1, "dry"]
    ])
    const usage = { promptTokens: 1, completionTokens: 2 }
    assert.deepStrictEqual(outcomes(answer({ requestId, finishReason: "stop", usage })), [
      [1, { finishReason: "stop", usage }]
    ])
    assert.deepStrictEqual(drive.node.inference.asking.asks, [])
    assert.deepStrictEqual(outcomes(answer({ requestId, finishReason: "stop" })), [])
    assert.deepStrictEqual(streamed(chunk(2, "late")), [])
  })

  it("P20.9: what is refused there is refused here, with the code", () => {
    const { drive, ident, link } = one()
    const error = { code: "LLM_BUSY", message: "one at a time" }
    assert.deepStrictEqual(outcomes(drive.receive(link, { type: "res", id: ident, ok: false, error })), [
      [1, "LLM_BUSY"]
    ])
  })

  it("P20.9: an answer that does not read, or is to another request, is none", () => {
    const read = one()
    assert.deepStrictEqual(outcomes(read.answer({ requestId: read.requestId, finishReason: "tired" })), [
      [1, "DELIVERY_FAILED"]
    ])
    const other = one()
    assert.deepStrictEqual(outcomes(other.answer({ requestId: "another", finishReason: "stop" })), [
      [1, "DELIVERY_FAILED"]
    ])
  })

  it("P20.9: only from the link that was asked", () => {
    const { answer, chunk, drive, requestId } = one()
    const other = drive.meet("c").link
    assert.deepStrictEqual(streamed(chunk(0, "a lie", other)), [])
    assert.deepStrictEqual(outcomes(answer({ requestId, finishReason: "stop" }, other)), [])
    assert.strictEqual(drive.node.inference.asking.asks.length, 1)
  })

  it("P20.2: a piece that comes again is dropped; behind one that is missing it is called off", () => {
    const { chunk, link, requestId } = one()
    assert.strictEqual(streamed([...chunk(0, "a"), ...chunk(0, "a"), ...chunk(1, "b")]).length, 2)
    const commands = chunk(3, "d")
    assert.deepStrictEqual(streamed(commands), [])
    assert.deepStrictEqual(outcomes(commands), [[1, "LLM_CANCELLED"]])
    assert.deepStrictEqual(cancels(commands, link), [requestId])
  })

  it("P20.9: to nobody with whom there is a session: NOT_CONNECTED; to itself, too", () => {
    const drive = Drive.up(mesh, "a")
    assert.deepStrictEqual(outcomes(ask(drive, "b")), [[1, "NOT_CONNECTED"]])
    assert.deepStrictEqual(outcomes(ask(drive, "a")), [[1, "NOT_CONNECTED"]])
    assert.deepStrictEqual(outcomes(ask(drive, null)), [[1, "LLM_MODEL_UNAVAILABLE"]])
  })

  it("P20.9: without a name, whoever serves it and has a session", () => {
    const drive = Drive.up(mesh, "a")
    const { link } = drive.meet("b")
    // As its handshake says.
    const session = drive.node.links.links.find((each) => each.link === link)!
    const proven = { ...(session as never as { proven: object }).proven, capabilities: [`llm:${MODEL}`] }
    const links = drive.node.links.links.map((each) => (each === session ? { ...each, proven } : each))
    drive.node = { ...drive.node, links: { ...drive.node.links, links: links as typeof drive.node.links.links } }
    assert.strictEqual(asked(ask(drive, null), link).length, 1)
  })

  it("P20.1: a viewer's program may not", () => {
    const drive = Drive.up(mesh, "v")
    drive.meet("b")
    assert.deepStrictEqual(outcomes(ask(drive, "b")), [[1, "NOT_AUTHORIZED"]])
  })

  it("S10: no more than so many at once", () => {
    const drive = Drive.up(mesh, "a")
    drive.meet("b")
    for (let call = 1; call <= ASKS_MAX; call++) assert.deepStrictEqual(outcomes(ask(drive, "b", call)), [])
    assert.deepStrictEqual(outcomes(ask(drive, "b", 99)), [[99, "RATE_LIMITED"]])
  })
})

describe("how asking ends", () => {
  it("P20.9: the session ends", () => {
    const { drive, link } = one()
    assert.deepStrictEqual(outcomes(drive.feed({ _tag: "LinkDown", link, reason: "reset" })), [
      [1, "PEER_DISCONNECTED"]
    ])
  })

  it("P20.9: it is trusted no longer", () => {
    const { drive } = one()
    assert.deepStrictEqual(outcomes(drive.feed({ _tag: "Distrust", deviceId: id("b") })), [[1, "PEER_DISCONNECTED"]])
  })

  it("P20.6: the program calls it off, and hears what the other end says to that", () => {
    const { answer, drive, link, requestId } = one()
    const commands = drive.feed({ _tag: "Unprompt", call: 1 })
    assert.deepStrictEqual(cancels(commands, link), [requestId])
    assert.deepStrictEqual(outcomes(commands), [])
    assert.deepStrictEqual(drive.feed({ _tag: "Unprompt", call: 1 }), [])
    assert.deepStrictEqual(outcomes(answer({ requestId, finishReason: "cancelled" })), [
      [1, { finishReason: "cancelled" }]
    ])
  })

  it("P20.6: or LLM_CANCELLED where it says nothing in time", () => {
    const { drive } = one()
    drive.feed({ _tag: "Unprompt", call: 1 })
    const { asks } = drive.node.inference.asking
    assert.strictEqual(asks[0]!.until, drive.mono + CANCEL_MS)
    assert.isBelow(CANCEL_MS, ANSWER_MS)
    const all = drive.pass(CANCEL_MS)
    assert.strictEqual(outcomes(all).length, 1)
  })

  it("P20.9: no answer in time, while the session goes on, is TIMEOUT, and called off there", () => {
    const { drive, link, requestId } = one()
    const began = drive.mono
    const all: Array<Command> = []
    while (drive.node.inference.asking.asks.length > 0 && drive.mono <= began + ANSWER_MS) {
      drive.hear(link, "link.keepalive", { gen: 1, timestamp: 0 })
      const rung = drive.ring()
      all.push(...rung)
      for (const command of rung)
        if (command._tag === "Ping") drive.feed({ _tag: "Ponged", link, probe: command.probe })
    }
    assert.deepStrictEqual(outcomes(all), [[1, "TIMEOUT"]])
    assert.deepStrictEqual(cancels(all, link), [requestId])
    assert.strictEqual(drive.mono, began + ANSWER_MS)
  })

  it("P20.9: the node leaves", () => {
    const { drive } = one()
    assert.deepStrictEqual(outcomes(drive.feed({ _tag: "Leave", reason: "asked to" })), [[1, "PEER_DISCONNECTED"]])
  })
})
