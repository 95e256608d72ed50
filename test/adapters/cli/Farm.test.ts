/** `clawmesh farm`: the twin (B42), against a daemon's socket. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Farm } from "../../../adapters/config/Farm.ts"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { idOf, shortOf, type Body } from "../../../kernel/proposals/Proposal.ts"
import { id } from "../../kernel/drive.ts"
import { frameOf } from "../../kernel/proposals/facts.ts"
import { signed } from "../../kernel/world/frames.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"
import { clawmesh, directory, documentOf } from "./Terminal.ts"

const valve = {
  asset: null,
  zone: "north",
  states: ["open", "closed"],
  safe: "closed",
  forMsMax: 60_000,
  level: "L2"
} as const
const described: Farm = {
  file: "/etc/clawmesh/farm.yaml",
  site: "North farm",
  zones: [
    { name: "north", about: "potatoes" },
    { name: "yard", about: "" }
  ],
  assets: [
    { name: "tank-1", zone: "north", about: "4,000 L" },
    { name: "shed", zone: "north", about: "" }
  ],
  sensors: [
    { metric: "level", zone: "north", asset: "tank-1", unit: "L", everyMs: 60_000, atLeast: 200, atMost: 4_000 },
    { metric: "moisture", asset: null, zone: "north", unit: "%", everyMs: 60_000, atLeast: 20, atMost: 35 },
    { metric: "heat", asset: null, zone: "north", unit: "°C", everyMs: 60_000, atLeast: -10, atMost: 40 }
  ],
  actuators: [
    { ...valve, name: "pump-1", ref: "actuator:pump-1", group: "water" },
    { ...valve, name: "valve-9", ref: "actuator:valve-9", group: "water" }
  ],
  rules: []
}

const body: Body = { actuator: "actuator:pump-1", guardian: id("b"), state: "open", forMs: 60_000, because: ["b-1-1"] }

const served = (farm: Farm | null = described) =>
  Effect.gen(function* () {
    const daemon = new FakeDaemon().settle()
    daemon.farm = farm
    const state = yield* directory
    yield* serve(daemon, socketIn(state))
    const { drive } = daemon
    const link = drive.node.links.links.find((one) => one._tag === "Session")!.link
    const proposal = idOf(drive.config.meshId, body)
    const say = (frame: ReturnType<typeof signed>) => drive.hear(link, "context.frame", frame)
    say(signed({ by: "b", seq: 1, zone: "north", metric: "moisture", value: 17 }))
    say(frameOf("b", 2, { fact: "propose", id: proposal, body, term: 1 }))
    say(
      signed(
        { by: "b", seq: 1, incarnation: 3, kind: "capability_update" },
        { data: { capabilities: [{ id: "actuator:pump-1", health: "healthy" }] } }
      )
    )
    return { daemon, state, short: shortOf(proposal) }
  })

describe("clawmesh farm", () => {
  it.live("zone by zone: what is measured and how that is, what moves, and what waits for a person", () =>
    Effect.gen(function* () {
      const { short, state } = yield* served()
      const { err, exit, out } = yield* clawmesh(state, "farm")
      assert.deepStrictEqual([err, exit], ["", 0])
      assert.match(out, /^North farm, as \S+ sees it$/mu)
      assert.match(out, /^north {3}potatoes$/mu)
      assert.match(out, /moisture +17 % +low, 20 % at least +0\.0 s, fresh +T2 +laptop-main$/mu)
      assert.match(out, /heat +nothing said +unknown$/mu)
      assert.match(
        out,
        new RegExp(
          `pump-1 +as laptop-main has it +free +${short} open: awaiting approval, 0\\.0 s ago, of laptop-main$`,
          "mu"
        )
      )
      assert.match(out, /valve-9 +nobody moves it +free$/mu)
      assert.match(out, /^ {2}nothing measures here, and nothing moves$/mu)
    })
  )

  it.live("one thing in a zone, by its name", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const { out } = yield* clawmesh(state, "farm tank-1")
      assert.match(out, /^north {3}potatoes\n {2}tank-1 {3}4,000 L$/mu)
      assert.match(out, /^ {4}level +nothing said +unknown$/mu)
      assert.notMatch(out, /moisture|pump-1|shed/u)
      assert.match((yield* clawmesh(state, "farm")).out, /^ {2}shed\n {4}nothing measures here, and nothing moves$/mu)
    })
  )

  it.live("what was said long ago is not known any more", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      daemon.drive.mono += 3 * 60_000
      assert.match((yield* clawmesh(state, "farm north")).out, /moisture +17 % +low,/u)
      daemon.drive.mono += 1
      assert.match((yield* clawmesh(state, "farm north")).out, /moisture +17 % +unknown +3 min 0 s, aging/u)
      daemon.drive.mono += 58 * 60_000
      const { out } = yield* clawmesh(state, "farm north")
      assert.match(out, /moisture +17 % +unknown +1 h 1 min, expired/u)
      assert.notMatch(out, /^yard/mu)
    })
  )

  it.live("as a document; a zone that is none; a node that knows of no farm", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const document = documentOf(yield* clawmesh(state, "farm --json")) as {
        readonly $type: string
        readonly zones: ReadonlyArray<{ readonly sensors: ReadonlyArray<{ readonly is: string }> }>
      }
      assert.strictEqual(document.$type, "clawmesh.farm/1")
      assert.deepStrictEqual(
        document.zones[0]!.sensors.map(({ is }) => is),
        ["unknown", "low", "unknown"]
      )
      const none = yield* clawmesh(state, "farm nroth")
      assert.include(none.err, 'no zone or asset is called "nroth"; did you mean north?')
      assert.strictEqual(none.exit, 5)
      const without = yield* clawmesh((yield* served(null)).state, "farm")
      assert.include(without.err, "this node knows of no farm")
    })
  )
})
