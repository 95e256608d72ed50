/** What a node moves, and what came of a command, on a terminal. */
import { assert, describe, it } from "@effect/vitest"
import { actuatorsScreen, commandScreen } from "../../../adapters/cli/ActuatorScreen.ts"
import type { Actuators, Command } from "../../../adapters/operator/Api.ts"

const look = { colour: false, quiet: false }
const head = { at: "2026-11-27T00:00:00.000Z", seenFrom: "board" }
const id = "a".repeat(64)

const pump: Actuators["actuators"][number] = {
  actuator: "actuator:pump-1",
  group: "well",
  states: ["open", "closed"],
  safe: "closed",
  atMostMs: 60_000,
  state: "closed",
  moving: null,
  leftMs: null,
  hold: false,
  epoch: 3,
  holder: null,
  leaseLeftMs: 0
}

const shown = (...changes: ReadonlyArray<Partial<typeof pump>>): ReadonlyArray<string> =>
  actuatorsScreen(
    { $type: "clawmesh.actuators/1", ...head, actuators: changes.map((change) => ({ ...pump, ...change })) },
    look
  )
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().replaceAll(/ {2,}/gu, " | "))

describe("clawmesh actuators", () => {
  it("one line each: state, hold, and whose lease runs", () => {
    assert.deepStrictEqual(
      shown(
        {},
        { state: "open", leftMs: 59_500, holder: { id, name: "laptop" }, leaseLeftMs: 8_000 },
        { moving: "open", hold: true },
        { state: null }
      ),
      [
        "NAME | GROUP | STATE | HOLD | LEASE",
        "pump-1 | well | closed | free | nobody",
        "pump-1 | well | open, 59 s left | free | laptop, epoch 3, 8.0 s",
        "pump-1 | well | moving to open | on hold | nobody",
        "pump-1 | well | not known | free | nobody"
      ]
    )
  })

  it("a node without any says so, and where they would stand", () => {
    assert.match(shown()[0]!, /^This node moves nothing\. .*node\.yaml/u)
  })

  it("nothing that is said steers the terminal", () => {
    assert.notInclude(shown({ state: "\u001b[31m" }).join(), "\u001b")
  })
})

describe("clawmesh set", () => {
  const done: Command = {
    $type: "clawmesh.command/1",
    ...head,
    actuator: "actuator:pump-1",
    state: "open",
    by: { id, name: "board" },
    intentId: "i",
    ok: true,
    code: null,
    text: "done",
    tookMs: 41
  }

  it("says what it is now, or why it is not", () => {
    assert.strictEqual(commandScreen(done, look), "✓ actuator:pump-1 at board is open, after 41 ms\n")
    const refused: Command = { ...done, ok: false, code: "ON_HOLD", text: "a person holds it" }
    assert.strictEqual(commandScreen(refused, look), "✗ actuator:pump-1 at board: ON_HOLD: a person holds it\n")
  })
})
