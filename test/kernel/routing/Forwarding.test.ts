/** P15.2 to P15.7: whom a message goes to, which way, and that its answer is the truth. */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { FORWARD_MS, PENDING_MAX } from "../../../kernel/routing/Forwarding.ts"
import { routes } from "../../../kernel/routing/Routes.ts"
import type { ForwardParams, Frame } from "../../../kernel/wire/Frame.ts"
import { Drive, framesTo, id, type World } from "../drive.ts"
import { read, signed } from "../world/frames.ts"

const mesh: World = {
  roles: { a: "field", b: "field", c: "planner", d: "actuator", s: "sensor", v: "viewer" },
  electors: "c",
  dialled: ""
}

const met = (...peers: ReadonlyArray<string>) => {
  const drive = Drive.up(mesh, "a")
  const links = new Map<string, number>()
  for (const peer of peers) links.set(peer, drive.meet(peer).link)
  return { drive, link: (peer: string) => links.get(peer)! }
}

const params = (to: string, more: Partial<ForwardParams> = {}): ForwardParams => ({
  channel: "notes",
  to,
  originGatewayId: id("a"),
  idempotencyKey: "k",
  message: { text: "x" },
  ...more
})

const outcomes = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) => (command._tag === "Answered" ? [command.outcome] : []))
const codes = (commands: ReadonlyArray<Command>) =>
  outcomes(commands).map((outcome) => (outcome.ok ? "ok" : outcome.code))
const asked = (drive: Drive, to: string, more: Partial<ForwardParams> = {}, call = 1) =>
  read(drive, drive.feed({ _tag: "Asked", call, params: params(to, more) }))
const requestsTo = (commands: ReadonlyArray<Command>, link: number) =>
  framesTo(commands, link).flatMap((frame) =>
    frame.type === "req" && frame.method === "mesh.message.forward" ? [frame] : []
  )
const answersTo = (commands: ReadonlyArray<Command>, link: number) =>
  framesTo(commands, link).flatMap((frame) => (frame.type === "res" ? [frame.ok ? "ok" : frame.error.code] : []))
const request = (drive: Drive, link: number, given: ForwardParams, ident = "1") =>
  read(drive, drive.receive(link, { type: "req", id: ident, method: "mesh.message.forward", params: given } as Frame))
const rowOf = (observer: string, ...good: ReadonlyArray<string>) => ({
  observer: id(observer),
  incarnation: 1,
  version: 1,
  edges: good.map((subject) => ({ subject: id(subject), incarnation: 1, good: true }))
})
const delivered = (commands: ReadonlyArray<Command>) =>
  commands.flatMap((command) => (command._tag === "Deliver" ? [command] : []))

describe("whom a capability leads to", () => {
  it("P15.2: by points, then by id; local first; viewers and those that are not there never", () => {
    const { drive, link } = met("b", "c", "d", "v")
    const update = (by: string, seq: number, ...capabilities: ReadonlyArray<unknown>) =>
      read(
        drive,
        drive.hear(
          link(by),
          "context.frame",
          signed({ by, seq, kind: "capability_update" }, { data: { capabilities } })
        )
      )
    update("b", 1, { id: "actuator:pump-1", health: "degraded" }, "sensor:rain")
    update("c", 1, { id: "actuator:pump-1", health: "healthy" })
    update("d", 1, { id: "actuator:pump-1", health: "healthy" })
    const order = (pattern: string) => routes(drive.node, pattern).map(({ deviceId }) => deviceId[0])
    assert.deepStrictEqual(order("actuator:pump-1"), ["c", "d", "b"])
    assert.deepStrictEqual(order("sensor:*"), ["b"])
    assert.deepStrictEqual(order("sensor:wind"), [])
    update("c", 2, { id: "actuator:pump-1", health: "unhealthy" })
    assert.deepStrictEqual(order("actuator:pump-1"), ["d", "b", "c"])
    drive.feed({ _tag: "LinkDown", link: link("d"), reason: "reset" })
    drive.pass(10_000)
    assert.notInclude(order("actuator:pump-1"), "d")
  })

  it("P19.9: of what moves something only what the device was granted, where anything was", () => {
    const order = (may: ReadonlyArray<string> | null, pattern: string) => {
      const drive = Drive.up(mesh, "a")
      const device = { deviceId: id("b"), role: "field", gen1: false, name: "", publicKey: null } as const
      drive.feed({ _tag: "Trust", device: may === null ? device : { ...device, may } })
      for (const by of ["b", "c"]) {
        const data = { capabilities: ["actuator:pump-1", "actuator:pump-2", "sensor:rain"] }
        const { link } = drive.meet(by)
        read(drive, drive.hear(link, "context.frame", signed({ by, seq: 1, kind: "capability_update" }, { data })))
      }
      return routes(drive.node, pattern).map(({ deviceId }) => deviceId[0])
    }
    assert.deepStrictEqual(order(null, "actuator:pump-1"), ["b", "c"])
    assert.deepStrictEqual(order(["actuator:pump-2"], "actuator:pump-1"), ["c"])
    assert.deepStrictEqual(order(["actuator:pump-2"], "actuator:pump-2"), ["b", "c"])
    assert.deepStrictEqual(order([], "actuator:pump-2"), ["c"])
    assert.deepStrictEqual(order([], "sensor:rain"), ["b", "c"])
  })
})

describe("messages", () => {
  it("P15.4: to ourselves: handed to the handler, and answered as that says", () => {
    const { drive } = met()
    const [deliver] = delivered(asked(drive, id("a")))
    assert.deepStrictEqual([deliver?.channel, deliver?.from, deliver?.message], ["notes", id("a"), { text: "x" }])
    assert.deepStrictEqual(codes(drive.feed({ _tag: "Delivered", ticket: deliver!.ticket, ok: true })), ["ok"])
    const [again] = delivered(asked(drive, id("a"), { idempotencyKey: "other" }))
    assert.deepStrictEqual(codes(drive.feed({ _tag: "Delivered", ticket: again!.ticket, ok: false, reason: "no" })), [
      "DELIVERY_FAILED"
    ])
  })

  it("P15.4: the answer names the key as it was given, blanks and all", () => {
    const { drive } = met("b")
    const [deliver] = delivered(asked(drive, id("a"), { idempotencyKey: "one more try" }))
    const answer = read(drive, drive.feed({ _tag: "Delivered", ticket: deliver!.ticket, ok: true }))
    assert.deepStrictEqual(outcomes(answer), [{ ok: true, messageId: "one more try", by: id("a") }])
  })
  it("P15.5: of one origin and key the handler is called once, while it has it and after", () => {
    const { drive, link } = met("b")
    const given = params(id("a"), { originGatewayId: id("b") })
    const [deliver, ...others] = delivered([
      ...request(drive, link("b"), given, "1"),
      ...request(drive, link("b"), given, "2")
    ])
    assert.deepStrictEqual(others, [])
    const commands = read(drive, drive.feed({ _tag: "Delivered", ticket: deliver!.ticket, ok: true }))
    assert.deepStrictEqual(answersTo(commands, link("b")), ["ok", "ok"])
    const later = request(drive, link("b"), given, "3")
    assert.deepStrictEqual([delivered(later).length, answersTo(later, link("b"))], [0, ["ok"]])
    // What came to nothing may be tried again.
    const other = { ...given, idempotencyKey: "again" }
    const [first] = delivered(request(drive, link("b"), other, "4"))
    drive.feed({ _tag: "Delivered", ticket: first!.ticket, ok: false })
    assert.strictEqual(delivered(request(drive, link("b"), other, "5")).length, 1)
  })

  it("P15.6: everybody answers an echo", () => {
    const { drive, link } = met("b")
    assert.deepStrictEqual(
      answersTo(
        request(drive, link("b"), params(id("a"), { originGatewayId: id("b"), channel: "clawmesh.echo" })),
        link("b")
      ),
      ["ok"]
    )
  })

  it("P15.3, P15.4: over another, with the way in it; the answer goes back, and only that of whom it went to", () => {
    const { drive, link } = met("b", "c")
    drive.hear(link("c"), "mesh.edges", { rows: [rowOf("c", "d", "a")] })
    const [sent] = requestsTo(asked(drive, id("d")), link("c"))
    assert.deepStrictEqual(sent?.params.kernel, { path: [id("a")], deadlineMs: FORWARD_MS - 500 })
    const answer = (ok: boolean): Frame =>
      ok
        ? { type: "res", id: sent!.id, ok: true, payload: { messageId: "k", channel: "notes", by: id("d") } }
        : { type: "res", id: sent!.id, ok: false, error: { code: "DELIVERY_FAILED", message: "no" } }
    assert.deepStrictEqual(codes(drive.receive(link("b"), answer(true))), [])
    assert.deepStrictEqual(outcomes(drive.receive(link("c"), answer(true))), [
      { ok: true, messageId: "k", by: id("d") }
    ])
    assert.deepStrictEqual(codes(drive.receive(link("c"), answer(false))), [])
  })

  it("P15.3: never through a device that carries nothing for others", () => {
    for (const passive of ["s", "v"]) {
      const { drive, link } = met(passive)
      drive.hear(link(passive), "mesh.edges", { rows: [rowOf("c", passive, "d"), rowOf("b", passive, "d")] })
      const commands = asked(drive, id("d"))
      assert.deepStrictEqual([requestsTo(commands, link(passive)), codes(commands)], [[], ["DELIVERY_FAILED"]], passive)
    }
    const { drive, link } = met("b")
    drive.hear(link("b"), "mesh.edges", { rows: [rowOf("b", "s"), rowOf("c", "s", "d")] })
    assert.deepStrictEqual(codes(asked(drive, id("d"))), ["DELIVERY_FAILED"])
  })

  it("P15.4: the next one on the way is gone: told at once; no answer: after half a minute", () => {
    const { drive, link } = met("b", "c")
    asked(drive, id("b"), { idempotencyKey: "one" })
    assert.deepStrictEqual(codes(drive.feed({ _tag: "LinkDown", link: link("b"), reason: "reset" })), [
      "DELIVERY_FAILED"
    ])
    asked(drive, id("c"), { idempotencyKey: "two" }, 2)
    drive.mono += FORWARD_MS
    assert.deepStrictEqual(codes(drive.feed({ _tag: "Woke" })), ["TIMEOUT"])
    assert.deepStrictEqual(drive.node.routing.pending, [])
  })

  it("P15.4: nobody to ask, nobody there, and too many at once", () => {
    const { drive } = met("b")
    assert.deepStrictEqual(codes(asked(drive, "sensor:*")), ["DELIVERY_FAILED"])
    assert.deepStrictEqual(codes(asked(drive, id("d"))), ["DELIVERY_FAILED"])
    for (let i = 0; i < PENDING_MAX; i++)
      drive.step({ _tag: "Asked", call: i, params: params(id("b"), { idempotencyKey: `k${i}` }) })
    assert.deepStrictEqual(codes(asked(drive, id("b"), { idempotencyKey: "more" })), ["RATE_LIMITED"])
  })

  const of = (more: Partial<ForwardParams>): ForwardParams => params(id("a"), { originGatewayId: id("b"), ...more })
  const command = {
    version: 1,
    kind: "clawmesh.command",
    commandId: "c1",
    createdAtMs: 0,
    target: { kind: "device", ref: "lamp" },
    operation: { name: "set" }
  }
  const { message: _, ...silent } = of({})
  const cases: ReadonlyArray<readonly [string, ForwardParams, string]> = [
    ["P15.3: it comes from us", of({ originGatewayId: id("a") }), "LOOP_DETECTED"],
    ["P15.3: it has been here", of({ kernel: { path: [id("a"), id("b")], deadlineMs: 1_000 } }), "LOOP_DETECTED"],
    ["P15.3: its way is another", of({ kernel: { path: [id("b"), id("c")], deadlineMs: 1_000 } }), "INVALID_PARAMS"],
    ["P15.3: its origin is another", of({ kernel: { path: [id("c"), id("b")], deadlineMs: 1_000 } }), "INVALID_PARAMS"],
    ["no message in it", silent, "INVALID_PARAMS"],
    ["P15.7: a command that is none", of({ command: { version: 2 } }), "INVALID_COMMAND_ENVELOPE"],
    ["P16.4: a command for something that we do not own", of({ command }), "DELIVERY_FAILED"],
    ["P16.1: a message to an actuator", of({ to: "actuator:pump" }), "ACTUATION_DECLARATION_REQUIRED"],
    [
      "P16.3: a command that was carried",
      of({ command, originGatewayId: id("c"), kernel: { path: [id("c"), id("b")], deadlineMs: 1_000 } }),
      "NOT_AUTHORIZED"
    ]
  ]
  for (const [what, given, code] of cases)
    it(`refused: ${what}: ${code}`, () => {
      const { drive, link } = met("b")
      const commands = request(drive, link("b"), given)
      assert.deepStrictEqual(answersTo(commands, link("b")), [code])
      assert.deepStrictEqual(delivered(commands), [])
    })

  it("viewers, sensors and actuators may not ask", () => {
    for (const peer of ["v", "s", "d"]) {
      const { drive, link } = met(peer)
      assert.deepStrictEqual(answersTo(request(drive, link(peer), of({ originGatewayId: id(peer) })), link(peer)), [
        "NOT_AUTHORIZED"
      ])
    }
  })
})
