/** P20.1 to P20.7 at whoever serves a model: who may ask, one at a time, its pieces in order, and every way in which it ends. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { Config } from "../../../kernel/Config.ts"
import { ABANDONED_MAX, INFER_MS, WAITING_MAX_BYTES } from "../../../kernel/inference/Serving.ts"
import { DELTA_BYTES_MAX } from "../../../kernel/wire/Inference.ts"
import { LANE_FRAME_BYTES_MAX } from "../../../kernel/wire/Limits.ts"
import { encode } from "../../../kernel/wire/Codec.ts"
import { utf8Bytes } from "../../../kernel/wire/Utf8.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { configOf, Drive, events, framesTo, id, sentEvents, type World } from "../drive.ts"

const mesh: World = {
  roles: { a: "node", b: "field", c: "planner", s: "sensor", v: "viewer" },
  electors: "c",
  dialled: "",
  gen1: ""
}

const MODEL = "ollama/llama3"

const serving = (more: Partial<Config> = {}): Drive => {
  const drive = new Drive({ ...configOf(mesh, "a"), capabilities: [`llm:${MODEL}`], ...more })
  drive.start()
  return drive
}

const prompt = (requestId: string, model = MODEL) =>
  ({ requestId, model, messages: [{ role: "user", content: "how dry?" }] }) as const

const infer = (drive: Drive, link: number, requestId = "r", model = MODEL, ident = `q-${requestId}`) =>
  drive.receive(link, { type: "req", id: ident, method: "llm.infer", params: prompt(requestId, model) })

const cancel = (drive: Drive, link: number, requestId = "r") =>
  drive.receive(link, { type: "req", id: `c-${requestId}`, method: "llm.cancel", params: { requestId } })

const begun = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) => (command._tag === "Infer" ? [command] : []))
const stopped = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) => (command._tag === "StopInference" ? [command.ticket] : []))
const answers = (commands: ReadonlyArray<Command>, link: number) =>
  framesTo(commands, link).flatMap((frame: Frame) =>
    frame.type === "res" ? [[frame.id, frame.ok ? frame.payload : frame.error.code]] : []
  )
const chunks = (commands: ReadonlyArray<Command>) =>
  sentEvents(commands, "llm.chunk").map(({ delta, seq }) => [seq, delta])

const says = (drive: Drive, ticket: number, delta: string) => drive.feed({ _tag: "Inferred", ticket, said: { delta } })
const ends = (drive: Drive, ticket: number, finishReason: "stop" | "length" = "stop") =>
  drive.feed({ _tag: "Inferred", ticket, said: { finishReason } })

/** The far end reads everything that was sent, as long as something is. */
const reads = (drive: Drive, link: number, first: ReadonlyArray<Command>): ReadonlyArray<Command> => {
  const all = [...first]
  let last = first
  for (let i = 0; i < 1_000; i++) {
    const pings = last.flatMap((command) => (command._tag === "Ping" && command.link === link ? [command.probe] : []))
    if (pings.length === 0 && drive.node.alarmAt > drive.mono) return all
    last = pings.flatMap((probe) => drive.feed({ _tag: "Ponged", link, probe }))
    if (drive.node.alarmAt <= drive.mono) last = [...last, ...drive.ring()]
    all.push(...last)
  }
  return all
}

const startOne = (drive = serving(), peer = "b") => {
  const { link } = drive.meet(peer)
  const commands = infer(drive, link)
  return { drive, link, ticket: begun(commands)[0]!.ticket, commands }
}

describe("an inference", () => {
  it("P20.2: pieces in order, then the end, in one lane", () => {
    const { commands, drive, link, ticket } = startOne()
    assert.deepStrictEqual(
      begun(commands).map(({ from, prompt: { messages, model } }) => [from, model, messages.length]),
      [[id("b"), MODEL, 1]]
    )
    assert.deepStrictEqual(events(commands), ["inference.started"])
    assert.deepStrictEqual(answers(commands, link), [])
    const all = reads(drive, link, [
      ...says(drive, ticket, "it is "),
      ...says(drive, ticket, "dry"),
      ...drive.feed({
        _tag: "Inferred",
        ticket,
        said: { finishReason: "stop", usage: { promptTokens: 3, completionTokens: 2 } }
      })
    ])
    assert.strictEqual(
      chunks(all)
        .map(([, delta]) => delta)
        .join(""),
      "it is dry"
    )
    assert.deepStrictEqual(
      chunks(all).map(([seq]) => seq),
      chunks(all).map((_, i) => i)
    )
    const usage = { promptTokens: 3, completionTokens: 2 }
    assert.deepStrictEqual(answers(all, link), [["q-r", { requestId: "r", finishReason: "stop", usage }]])
    assert.strictEqual(framesTo(all, link).at(-1)!.type, "res")
    assert.include(events(all), "inference.ended")
    assert.isNull(drive.node.inference.serving.running)
  })

  it("P20.2: an end without a word has no pieces", () => {
    const { drive, link, ticket } = startOne()
    assert.deepStrictEqual(answers(ends(drive, ticket, "length"), link), [
      ["q-r", { requestId: "r", finishReason: "length" }]
    ])
  })

  it("P20.2: much at once is cut, and no piece is longer than a lane takes, whatever is in it", () => {
    const { drive, link, ticket } = startOne()
    const text = `${"\u0001".repeat(5_000)}${"😀".repeat(9_000)}${"x".repeat(30_000)}`
    const all = reads(drive, link, [...says(drive, ticket, text), ...ends(drive, ticket)])
    const deltas = chunks(all)
    assert.deepStrictEqual(
      deltas.map(([seq]) => seq),
      deltas.map((_, i) => i)
    )
    assert.strictEqual(deltas.map(([, delta]) => delta).join(""), text)
    for (const frame of framesTo(all, link)) assert.isAtMost(utf8Bytes(encode(frame)), LANE_FRAME_BYTES_MAX)
    for (const [, delta] of deltas) {
      assert.isAtMost(utf8Bytes(delta as string), DELTA_BYTES_MAX)
      assert.isTrue((delta as string).isWellFormed())
    }
    assert.strictEqual(answers(all, link).length, 1)
  })

  it("S5: nothing of it comes into the world", () => {
    const drive = serving()
    const before = drive.node.world
    const { link } = drive.meet("b")
    const [{ ticket } = { ticket: 0 }] = begun(infer(drive, link))
    reads(drive, link, [...says(drive, ticket, '{"metric":"moisture","value":17}'), ...ends(drive, ticket)])
    assert.strictEqual(drive.node.world.digest, before.digest)
    assert.deepStrictEqual(
      drive.node.world.origins.map(({ deviceId }) => deviceId),
      before.origins.map(({ deviceId }) => deviceId)
    )
  })
})

describe("who may ask", () => {
  it("P20.1: those who carry for others; a viewer and a sensor are NOT_AUTHORIZED and start nothing", () => {
    for (const [peer, may] of [
      ["b", true],
      ["c", true],
      ["s", false],
      ["v", false]
    ] as const) {
      const drive = serving()
      const { link } = drive.meet(peer)
      const commands = infer(drive, link)
      assert.strictEqual(begun(commands).length, may ? 1 : 0, peer)
      if (!may) assert.deepStrictEqual(answers(commands, link), [["q-r", "NOT_AUTHORIZED"]])
    }
  })

  it("P20.1: only what is among its capabilities, as it stands there, and only if it carries for others", () => {
    const drive = serving()
    const { link } = drive.meet("b")
    for (const model of ["ollama/llama", "ollama/llama3:x", "other/llama3"]) {
      const commands = reads(drive, link, infer(drive, link, "r", model, model))
      assert.deepStrictEqual(answers(commands, link), [[model, "LLM_MODEL_UNAVAILABLE"]])
      assert.deepStrictEqual(begun(commands), [])
    }
    const viewer = serving({ role: "viewer" })
    const met = viewer.meet("b")
    assert.deepStrictEqual(answers(infer(viewer, met.link), met.link), [["q-r", "LLM_MODEL_UNAVAILABLE"]])
  })

  it("P20.8: a device of generation 1 where it dialled, and not where we did", () => {
    const old: World = { ...mesh, gen1: "b", dialled: "b" }
    const asks = (how: "meet" | "reach") => {
      const drive = new Drive({ ...configOf(old, "a"), capabilities: [`llm:${MODEL}`] })
      drive.start()
      const { link } = drive[how]("b", { kernel: false })
      const commands = infer(drive, link)
      return { drive, link, commands }
    }
    const refused = asks("reach")
    assert.deepStrictEqual(answers(refused.commands, refused.link), [["q-r", "NOT_AUTHORIZED"]])
    const { commands, drive, link } = asks("meet")
    const [{ ticket } = { ticket: 0 }] = begun(commands)
    const all = reads(drive, link, [...says(drive, ticket, "x".repeat(100_000)), ...ends(drive, ticket)])
    assert.deepStrictEqual(
      chunks(all).map(([seq]) => seq),
      chunks(all).map((_, i) => i)
    )
    assert.strictEqual(
      chunks(all).reduce((sum, [, delta]) => sum + (delta as string).length, 0),
      100_000
    )
    assert.strictEqual(framesTo(all, link).at(-1)!.type, "res")
  })
})

describe("one at a time", () => {
  it("P20.3: LLM_BUSY for another, also of the same device; the first goes on", () => {
    const { drive, link, ticket } = startOne()
    const other = drive.meet("c").link
    assert.deepStrictEqual(answers(infer(drive, other), other), [["q-r", "LLM_BUSY"]])
    assert.deepStrictEqual(answers(infer(drive, link, "r2"), link), [["q-r2", "LLM_BUSY"]])
    assert.strictEqual(drive.node.inference.serving.running?.ticket, ticket)
    assert.strictEqual(answers(ends(drive, ticket), link).length, 1)
    assert.strictEqual(begun(infer(drive, other, "r3")).length, 1)
  })

  it("P20.3: a request that comes twice asks for nothing, while it runs and after its answer", () => {
    const { drive, link, ticket } = startOne()
    assert.deepStrictEqual(infer(drive, link), [])
    assert.strictEqual(answers(ends(drive, ticket), link).length, 1)
    assert.deepStrictEqual(infer(drive, link), [])
    assert.strictEqual(begun(infer(drive, link, "r", MODEL, "another")).length, 1)
    for (let n = 0; n < 40; n++) infer(drive, link, `b-${n}`)
    assert.strictEqual(drive.node.inference.serving.answered.length, 16)
  })
})

describe("how it ends", () => {
  it("P20.6: llm.cancel by the requester: cancelled, the provider is told, the slot is free", () => {
    const { drive, link, ticket } = startOne()
    const commands = cancel(drive, link)
    assert.deepStrictEqual(stopped(commands), [ticket])
    assert.deepStrictEqual(answers(reads(drive, link, commands), link), [
      ["q-r", { requestId: "r", finishReason: "cancelled" }],
      ["c-r", { requestId: "r" }]
    ])
    assert.strictEqual(begun(infer(drive, link, "r2")).length, 1)
  })

  it("P20.6: by anybody else, or of what does not run: NOT_FOUND, and nothing changes", () => {
    const { drive, link, ticket } = startOne()
    const other = drive.meet("c").link
    const commands = [...cancel(drive, other), ...cancel(drive, link, "another")]
    assert.deepStrictEqual(stopped(commands), [])
    assert.deepStrictEqual(answers(commands, other), [["c-r", "NOT_FOUND"]])
    assert.deepStrictEqual(answers(commands, link), [["c-another", "NOT_FOUND"]])
    assert.strictEqual(drive.node.inference.serving.running?.ticket, ticket)
  })

  it("P20.4: after INFER_MS it is LLM_TIMEOUT", () => {
    const { drive, link, ticket } = startOne()
    const began = drive.mono
    const heard = (): ReadonlyArray<Command> => {
      const seen: Array<Command> = []
      while (drive.mono < began + INFER_MS && drive.node.inference.serving.running !== null) {
        // It is heard, so that nobody takes it for dead.
        drive.hear(link, "link.keepalive", { gen: 1, timestamp: 0 })
        seen.push(...drive.ring())
        for (const command of seen)
          if (command._tag === "Ping") drive.feed({ _tag: "Ponged", link, probe: command.probe })
      }
      return seen
    }
    const commands = heard()
    assert.deepStrictEqual(stopped(commands), [ticket])
    assert.deepStrictEqual(answers(commands, link), [["q-r", "LLM_TIMEOUT"]])
    assert.strictEqual(drive.mono, began + INFER_MS)
  })

  it("P20.5: more than a MiB waits for it to read: LLM_BACKPRESSURE, behind pieces without a gap", () => {
    const { drive, link, ticket } = startOne()
    const all: Array<Command> = []
    for (let i = 0; i < 80 && drive.node.inference.serving.running !== null; i++)
      all.push(...says(drive, ticket, "x".repeat(16_384)))
    assert.deepStrictEqual(stopped(all), [ticket])
    assert.isNull(drive.node.inference.serving.running)
    const read = reads(drive, link, all)
    assert.deepStrictEqual(answers(read, link), [["q-r", "LLM_BACKPRESSURE"]])
    assert.deepStrictEqual(
      chunks(read).map(([seq]) => seq),
      chunks(read).map((_, i) => i)
    )
    assert.isAbove(chunks(read).length, 0)
    assert.strictEqual(framesTo(read, link).at(-1)!.type, "res")
  })

  it("P20.5: as does a MiB that the transport has; less does not", () => {
    const { drive, link, ticket } = startOne()
    assert.deepStrictEqual(stopped(drive.feed({ _tag: "Backlog", link, bytes: WAITING_MAX_BYTES })), [])
    assert.deepStrictEqual(stopped(drive.feed({ _tag: "Backlog", link, bytes: WAITING_MAX_BYTES + 1 })), [ticket])
  })

  it("P20.7: its requester is gone: stopped and free at once, and what comes late changes nothing", () => {
    const { drive, link, ticket } = startOne()
    const commands = drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.deepStrictEqual(stopped(commands), [ticket])
    assert.include(events(commands), "inference.ended")
    assert.isNull(drive.node.inference.serving.running)
    const other = drive.meet("c").link
    const [next] = begun(infer(drive, other))
    assert.isDefined(next)
    const node = drive.node.inference.serving.running
    assert.deepStrictEqual(chunks(says(drive, ticket, "late")), [])
    assert.strictEqual(drive.node.inference.serving.running, node)
    assert.deepStrictEqual(stopped(drive.feed({ _tag: "Distrust", deviceId: id("c") })), [next!.ticket])
    assert.isNull(drive.node.inference.serving.running)
  })

  it("P20.7: providers that ignore the abort are counted until they end, or INFER_MS later", () => {
    const drive = serving()
    const { link } = drive.meet("b")
    const tickets: Array<number> = []
    for (let i = 0; i < ABANDONED_MAX; i++) {
      tickets.push(begun(infer(drive, link, `r${i}`))[0]!.ticket)
      reads(drive, link, cancel(drive, link, `r${i}`))
    }
    const busy = reads(drive, link, infer(drive, link, "one more"))
    assert.deepStrictEqual(answers(busy, link).at(-1), ["q-one more", "LLM_BUSY"])
    drive.feed({ _tag: "Inferred", ticket: tickets[1]!, said: { failed: "LLM_CANCELLED", message: "stopped" } })
    assert.strictEqual(begun(infer(drive, link, "now")).length, 1)
    drive.feed({ _tag: "LinkDown", link, reason: "reset" })
    assert.strictEqual(drive.node.inference.serving.abandoned.length, ABANDONED_MAX)
    drive.pass(INFER_MS)
    assert.strictEqual(drive.node.inference.serving.abandoned.length, 0)
  })

  it("P20.4: the provider fails: with its code, behind what it said", () => {
    const { drive, link, ticket } = startOne()
    const all = reads(drive, link, [
      ...says(drive, ticket, "well"),
      ...drive.feed({ _tag: "Inferred", ticket, said: { failed: "LLM_MODEL_UNAVAILABLE", message: "no such model" } })
    ])
    assert.deepStrictEqual(chunks(all), [[0, "well"]])
    assert.deepStrictEqual(answers(all, link), [["q-r", "LLM_MODEL_UNAVAILABLE"]])
  })

  it("P20.7: the node leaves: stopped, and its requester is told", () => {
    const { drive, link, ticket } = startOne()
    const commands = drive.feed({ _tag: "Leave", reason: "asked to" })
    assert.deepStrictEqual(stopped(commands), [ticket])
    assert.deepStrictEqual(answers(commands, link), [["q-r", "LLM_CANCELLED"]])
  })
})
