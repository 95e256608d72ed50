/** P20.1, P20.2, P20.6: what a request for inference, a piece of its answer and its end may be; every field is bounded. */
import { assert, describe, it } from "@effect/vitest"
import { decode } from "../../../kernel/wire/Codec.ts"
import {
  DELTA_BYTES_MAX,
  MODEL_UNITS_MAX,
  PROMPT_MESSAGES_MAX,
  PROMPT_UNITS_MAX,
  readEnd,
  TOKENS_MAX
} from "../../../kernel/wire/Inference.ts"
import { ID_UNITS_MAX } from "../../../kernel/wire/Limits.ts"

const good = {
  requestId: "r",
  model: "ollama/llama3.2:3b",
  messages: [{ role: "user", content: "How dry is it?" }]
}

const coded = (method: string, params: unknown): string => {
  const decoded = decode(JSON.stringify({ type: "req", id: "1", method, params }))
  return decoded._tag === "Refused" ? decoded.code : decoded._tag
}
const infer = (more: object): string => coded("llm.infer", { ...good, ...more })

const chunk = (payload: unknown): string => {
  const decoded = decode(JSON.stringify({ type: "event", event: "llm.chunk", payload }))
  return decoded._tag === "Refused" ? decoded.code : decoded._tag
}

describe("llm.infer", () => {
  it("P20.1: what is asked for", () => {
    assert.strictEqual(infer({}), "Frame")
    assert.strictEqual(infer({ maxTokens: 1, temperature: 0.2 }), "Frame")
    assert.strictEqual(infer({ model: "openrouter/meta/llama-3" }), "Frame")
    const roles = ["system", "user", "assistant"]
    assert.strictEqual(infer({ messages: roles.map((role) => ({ role, content: "" })) }), "Frame")
  })

  it("P20.1: each field within its bounds, and INVALID_PARAMS beyond", () => {
    const bad: ReadonlyArray<object> = [
      { requestId: "" },
      { requestId: "x".repeat(ID_UNITS_MAX + 1) },
      { requestId: null },
      { model: "llama" },
      { model: "ollama/" },
      { model: "/llama" },
      { model: "ollama/*" },
      { model: "llm:ollama/llama" },
      { model: "ollama/a b" },
      { model: `ollama/${"x".repeat(MODEL_UNITS_MAX)}` },
      { messages: [] },
      { messages: [{ role: "tool", content: "" }] },
      { messages: [{ role: "user" }] },
      { messages: [{ role: "user", content: [] }] },
      { messages: Array.from({ length: PROMPT_MESSAGES_MAX + 1 }, () => good.messages[0]) },
      { messages: [0, 1].map(() => ({ role: "user", content: "x".repeat(PROMPT_UNITS_MAX / 2 + 1) })) },
      { maxTokens: 0 },
      { maxTokens: 1.5 },
      { maxTokens: TOKENS_MAX + 1 },
      { maxTokens: null },
      { temperature: -0.1 },
      { temperature: 2.1 },
      { temperature: "hot" }
    ]
    for (const more of bad) assert.strictEqual(infer(more), "INVALID_PARAMS", JSON.stringify(more).slice(0, 80))
    assert.strictEqual(infer({ messages: [{ role: "user", content: "x".repeat(PROMPT_UNITS_MAX) }] }), "Frame")
  })

  it("P20.6: llm.cancel names the request", () => {
    assert.strictEqual(coded("llm.cancel", { requestId: "r" }), "Frame")
    for (const requestId of ["", 1, null, "x".repeat(ID_UNITS_MAX + 1)])
      assert.strictEqual(coded("llm.cancel", { requestId }), "INVALID_PARAMS")
  })
})

describe("llm.chunk", () => {
  it("P20.2: a delta has at most 8 KiB of UTF-8", () => {
    assert.strictEqual(chunk({ requestId: "r", seq: 0, delta: "x".repeat(DELTA_BYTES_MAX) }), "Frame")
    for (const more of [{ seq: -1 }, { seq: 0.5 }, { delta: 1 }, { delta: `é${"x".repeat(DELTA_BYTES_MAX - 1)}` }])
      assert.strictEqual(chunk({ requestId: "r", seq: 0, delta: "", ...more }), "INVALID_PARAMS")
  })
})

describe("the end of an inference", () => {
  it("P20.2: reads, or is none", () => {
    const usage = { promptTokens: 3, completionTokens: 4 }
    assert.deepStrictEqual(readEnd({ requestId: "r", finishReason: "stop", usage }), {
      requestId: "r",
      finishReason: "stop",
      usage
    })
    for (const none of [
      null,
      [],
      {},
      { requestId: "r", finishReason: "tired" },
      { requestId: "r", finishReason: "stop", usage: 1 }
    ])
      assert.isNull(readEnd(none))
  })
})
