import { afterEach, assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { open as openFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open, type Options, RECORDING, type Recorder } from "../../../adapters/recording/Recorder.ts"
import type { Command } from "../../../kernel/Command.ts"
import type { Config } from "../../../kernel/Config.ts"
import type { Input } from "../../../kernel/Input.ts"
import * as Node from "../../../kernel/Node.ts"
import { readSegment, type Segment } from "../../../adapters/recorded/Read.ts"
import { livesOf, replay } from "../../../adapters/recorded/Replay.ts"
import * as State from "../../../adapters/recorded/State.ts"
import { runScenario } from "../../../sim/run.ts"
import { maker, scenarioOf } from "../recorded/Simulated.ts"

interface Step {
  readonly before: Node.NodeState
  readonly input: Input
  readonly after: Node.NodeState
  readonly commands: ReadonlyArray<Command>
}

/** What one node of a simulated mesh took up in its first life. */
const life = ((): { readonly config: Config; readonly steps: ReadonlyArray<Step> } => {
  const steps: Array<Step> = []
  let config: Config | null = null
  runScenario(scenarioOf("ten-on-a-farm"), {
    liveness: false,
    untilMs: 40_000,
    onStep: (machine, input) => {
      config ??= machine.config
      if (machine.config !== config || (input._tag === "Started" && steps.length > 0)) return
      const before = steps.at(-1)?.after ?? Node.make(config)
      const [after, commands] = Node.step(before, input)
      steps.push({ before, input, after, commands })
    }
  })
  return { config: config!, steps }
})()

const made: Array<string> = []
const place = (): string => {
  const directory = mkdtempSync(join(tmpdir(), "clawmesh-recorder-"))
  made.push(directory)
  return directory
}
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
})

const recorder = (directory: string, more: Partial<Options> = {}) => {
  const said: Array<string> = []
  const opened = open({
    directory,
    bytesMax: 1_048_576,
    config: life.config,
    maker,
    fail: (why) => said.push(why),
    ...more
  })
  return { opened, said }
}

const feed = async (to: Recorder, steps = life.steps): Promise<void> => {
  for (const [n, { before, commands, input }] of steps.entries()) {
    to.take(before, input, commands)
    if (n % 20 === 0) {
      to.flush()
      await new Promise((done) => setImmediate(done))
    }
  }
}

const filesOf = (directory: string): ReadonlyArray<string> =>
  readdirSync(join(directory, RECORDING))
    .toSorted()
    .map((name) => join(directory, RECORDING, name))

const segmentsOf = (directory: string): ReadonlyArray<Segment> =>
  filesOf(directory).map((file) => {
    const read = readSegment(file, readFileSync(file))
    if ("problem" in read) throw new Error(read.problem)
    return read
  })

const last = life.steps.at(-1)!.after

describe("the recording of a node", () => {
  it("comes to the same state, and is for its owner only", async () => {
    const directory = place()
    const { opened, said } = recorder(directory)
    await feed(opened)
    await opened.close()
    const lives = livesOf(segmentsOf(directory))
    assert.strictEqual(lives.length, 1)
    const { inputs, parting, state } = replay(lives[0]!)
    assert.isNull(parting)
    assert.strictEqual(inputs, life.steps.length)
    assert.strictEqual(State.text(state!), State.text(last))
    assert.strictEqual(statSync(filesOf(directory)[0]!).mode & 0o777, 0o600)
    assert.strictEqual(statSync(join(directory, RECORDING)).mode & 0o777, 0o700)
    assert.deepEqual(said, [])
  })

  it("is no larger than it may be, and can be begun at its oldest file", async () => {
    const directory = place()
    const bytesMax = 262_144
    const { opened } = recorder(directory, { bytesMax })
    await feed(opened)
    await opened.close()
    const bytes = filesOf(directory).reduce((sum, file) => sum + statSync(file).size, 0)
    assert.isAtMost(bytes, bytesMax)
    assert.isAbove(bytes, bytesMax / 2)
    const segments = segmentsOf(directory)
    assert.isAbove(segments[0]!.header.segment, 1)
    assert.isNotNull(segments[0]!.header.state)
    const { parting, state } = replay({ segments })
    assert.isNull(parting)
    assert.strictEqual(State.text(state!), State.text(last))
  })

  it("goes on behind that of the process before", async () => {
    const directory = place()
    for (const many of [300, 200]) {
      const { opened } = recorder(directory)
      await feed(opened, life.steps.slice(0, many))
      await opened.close()
    }
    const lives = livesOf(segmentsOf(directory))
    assert.deepEqual(
      lives.map((one) => replay(one).inputs),
      [300, 200]
    )
  })

  it("is written to the last line where the process ends by itself", async () => {
    const directory = place()
    const { opened } = recorder(directory)
    await feed(opened, life.steps.slice(0, 100))
    opened.flush()
    await new Promise((done) => setTimeout(done, 20))
    for (const { before, commands, input } of life.steps.slice(100, 150)) opened.take(before, input, commands)
    opened.flushSync()
    assert.strictEqual(segmentsOf(directory).at(-1)!.lines.length, 150)
    await opened.close()
  })

  it("stops where the disk is full, says so once, and what was written is whole", async () => {
    const directory = place()
    let files = 0
    const { opened, said } = recorder(directory, {
      bytesMax: 262_144,
      make: (path) => openFile(files++ === 0 ? path : "/dev/full", "w", 0o600)
    })
    await feed(opened)
    await opened.close()
    assert.strictEqual(said.length, 1)
    assert.match(said[0]!, /cannot write .*recording\/00000002\.jsonl: the disk is full.*ENOSPC/u)
    assert.strictEqual(opened.stopped(), said[0])
    const [first] = segmentsOf(directory)
    assert.isNull(replay({ segments: [first!] }).parting)
  })

  it("does not begin where its folder cannot be", async () => {
    const directory = place()
    writeFileSync(join(directory, RECORDING), "")
    const { opened, said } = recorder(directory)
    await feed(opened, life.steps.slice(0, 50))
    await opened.close()
    assert.match(said[0]!, /recording/u)
    assert.strictEqual(opened.stopped(), said[0])
  })

  it("stops where the state alone would fill it", async () => {
    const directory = place()
    const { opened, said } = recorder(directory, { bytesMax: 4_096 })
    await feed(opened)
    await opened.close()
    assert.match(said[0]!, /more than a quarter of recording-mb/u)
  })
})
