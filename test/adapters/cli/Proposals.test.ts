/** `clawmesh propose` and `clawmesh proposals`, against a daemon's socket. */
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { userInfo } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readPerson } from "../../../adapters/config/NodeFile.ts"
import { check } from "../../../adapters/keys/Keys.ts"
import { decisionOf, idOf, shortOf, type Body, type Fact } from "../../../kernel/proposals/Proposal.ts"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { id } from "../../kernel/drive.ts"
import { frameOf } from "../../kernel/proposals/facts.ts"
import { signed } from "../../kernel/world/frames.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"
import { clawmesh, directory, documentOf } from "./Terminal.ts"

const pump: Body = {
  actuator: "actuator:pump-1",
  guardian: id("c"),
  state: "open",
  forMs: 600_000,
  because: ["b-1-1", "lost"]
}
const valve: Body = { ...pump, actuator: "actuator:valve-1", forMs: 5_000, because: ["b-1-1"] }

/** A daemon that has heard of two proposals of laptop-main, one of which somebody said no to. */
const served = Effect.gen(function* () {
  const daemon = new FakeDaemon().settle()
  const state = yield* directory
  yield* serve(daemon, socketIn(state))
  const { drive } = daemon
  const { meshId } = drive.config
  const link = drive.node.links.links.find((one) => one._tag === "Session")!.link
  const ids = [idOf(meshId, pump), idOf(meshId, valve)] as const
  const facts: ReadonlyArray<Fact> = [
    { fact: "propose", id: ids[0], body: pump, term: 7 },
    { fact: "propose", id: ids[1], body: valve, term: 7 },
    { fact: "reject", id: ids[1], by: "ravi" }
  ]
  drive.hear(link, "context.frame", signed({ by: "b", seq: 1, zone: "zone-1", metric: "moisture", value: 17 }))
  drive.mono += 60_000
  for (const [n, fact] of facts.entries()) drive.hear(link, "context.frame", frameOf("b", n + 2, fact))
  return { daemon, state, ids, shorts: ids.map(shortOf) as unknown as readonly [string, string] }
})

describe("clawmesh proposals", () => {
  it.live("what waits for a person, and with --all what became of the rest", () =>
    Effect.gen(function* () {
      const { shorts, state } = yield* served
      const open = yield* clawmesh(state, "proposals")
      assert.deepStrictEqual([open.err, open.exit], ["", 0])
      assert.match(
        open.out,
        new RegExp(
          `^ {2}${shorts[0]} +pump-1 open for 10 min 0 s +waits, 30 min 0 s left +0\\.0 s ago +\\S+ +laptop-main$`,
          "mu"
        )
      )
      assert.notInclude(open.out, shorts[1])
      assert.match(open.out, new RegExp(`1 proposal for a person\\. +clawmesh proposals show ${shorts[0]}`, "u"))
      assert.match(
        (yield* clawmesh(state, "proposals list --all")).out,
        new RegExp(`${shorts[1]} +valve-1 open for 5\\.0 s +rejected`, "u")
      )
      assert.match((yield* clawmesh(state, "status")).out, /waiting +1 proposal for a person +clawmesh proposals/u)
    })
  )

  it.live("one with all that it rests on, as far as this node has it; and as a document", () =>
    Effect.gen(function* () {
      const { ids, shorts, state } = yield* served
      const { exit, out } = yield* clawmesh(state, `proposals show ${shorts[0]}`)
      assert.strictEqual(exit, 0)
      assert.match(out, /because +observation of laptop-main \(T2\), 1 min 0 s old: zone-1 moisture 17/u)
      assert.match(out, /lost, which this node does not have/u)
      assert.match(out, new RegExp(`proposals approve ${shorts[0]}`, "u"))
      assert.match((yield* clawmesh(state, `proposals show ${ids[1]}`)).out, /decided +by ravi at laptop-main/u)
      const document = documentOf(yield* clawmesh(state, "proposals --json")) as {
        readonly $type: string
        readonly proposals: ReadonlyArray<{ readonly id: string; readonly status: string }>
      }
      assert.strictEqual(document.$type, "clawmesh.proposals/1")
      assert.deepStrictEqual(
        document.proposals.map((one) => [one.id, one.status]).toSorted(),
        [
          [ids[0], "awaiting_approval"],
          [ids[1], "rejected"]
        ].toSorted()
      )
      const none = yield* clawmesh(state, "proposals show P-0000")
      assert.deepStrictEqual([none.exit, none.out], [5, ""])
    })
  )

  it.live("decides as the user of this machine, or as whom one says, by the id as people say it", () =>
    Effect.gen(function* () {
      const { daemon, ids, shorts, state } = yield* served
      daemon.outcome = { ok: true, messageId: "", by: id("a"), result: { id: ids[0], status: "completed" } }
      const yes = yield* clawmesh(state, `proposals approve ${shorts[0]}`)
      assert.deepStrictEqual([yes.err, yes.exit], ["", 0])
      assert.match(yes.out, new RegExp(`^✓ ${shorts[0]} completed, after \\d+ ms\\n$`, "u"))
      yield* clawmesh(state, `proposals reject ${ids[0]} --by asha`)
      yield* clawmesh(state, `proposals approve ${ids[0]} --by asha --shown closed`)
      yield* clawmesh(state, `proposals approve ${ids[0]} --by asha --confirm pump-1`)
      assert.deepStrictEqual(daemon.wanted, [
        { id: ids[0], approve: true, by: userInfo().username },
        { id: ids[0], approve: false, by: "asha" },
        { id: ids[0], approve: true, by: "asha", shown: "closed" },
        { id: ids[0], approve: true, by: "asha", typed: "pump-1" }
      ])
    })
  )

  it.live("L3 is shown, how it is approved too, and what was wrong with how somebody did", () =>
    Effect.gen(function* () {
      const { daemon, ids, shorts, state } = yield* served
      const link = daemon.drive.node.links.links.find((one) => one._tag === "Session")!.link
      const level = frameOf("c", 1, { fact: "level", id: ids[0], level: "L3" })
      daemon.drive.hear(link, "context.frame", level)
      assert.match((yield* clawmesh(state, "proposals")).out, /pump-1 open for 10 min 0 s +L3 +waits/u)
      const { out } = yield* clawmesh(state, `proposals show ${shorts[0]}`)
      assert.match(out, /level +L3: a person approves it and types its name; a sensor has to show that it moved/u)
      assert.match(out, new RegExp(`approve ${shorts[0]} --confirm \\(its name\\)`, "u"))
      daemon.outcome = { ok: false, code: "VERIFICATION_REQUIRED", message: "so it is" }
      const untyped = yield* clawmesh(state, `proposals approve ${shorts[0]}`)
      assert.deepStrictEqual(untyped.exit, 6)
      assert.match(untyped.err, /is typed: --confirm/u)
      assert.match((yield* clawmesh(state, `proposals approve ${shorts[0]} --confirm pump-1`)).err, /look at it/u)
      // Whoever sits at a terminal is asked, and sees what it is about.
      const questions: Array<string> = []
      const typing = (answer: string) => ({
        ask: (question: string) => {
          questions.push(question)
          return Promise.resolve(answer)
        }
      })
      const before = daemon.wanted.length
      const sees = yield* clawmesh(state, `proposals approve ${shorts[0]} --by asha`, typing(" pump-1 "))
      assert.match(sees.out, /pump-1 open for 10 min 0 s/u)
      yield* clawmesh(state, `proposals approve ${shorts[0]} --by asha`, typing(""))
      yield* clawmesh(state, `proposals reject ${shorts[0]} --by asha`, typing("pump-1"))
      yield* clawmesh(state, `proposals approve ${shorts[0]} --by asha --json`, typing("pump-1"))
      assert.lengthOf(questions, 2)
      assert.deepStrictEqual(daemon.wanted.slice(before), [
        { id: ids[0], approve: true, by: "asha", typed: "pump-1" },
        { id: ids[0], approve: true, by: "asha" },
        { id: ids[0], approve: false, by: "asha" },
        { id: ids[0], approve: true, by: "asha" }
      ])
    })
  )

  it.live("a no of the mesh is told with its reason, the way out, and exit code 6", () =>
    Effect.gen(function* () {
      const { daemon, shorts, state } = yield* served
      daemon.outcome = { ok: false, code: "TARGET_CHANGED", message: "it is open now" }
      const no = yield* clawmesh(state, `proposals approve ${shorts[0]}`)
      assert.strictEqual(no.exit, 6)
      assert.match(no.out, /TARGET_CHANGED: it is open now/u)
      assert.match(no.err, new RegExp(`${shorts[0]} is not approved[^]*clawmesh proposals show`, "u"))
      const { out } = yield* clawmesh(state, `proposals approve ${shorts[0]} --json`)
      const codes = out
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { readonly code: string }).code)
      assert.deepStrictEqual(codes, ["TARGET_CHANGED", "REFUSED"])
    })
  )

  it.live("no part of an id is an id, and nothing is approved by mistake", () =>
    Effect.gen(function* () {
      const { daemon, ids, state } = yield* served
      for (const word of [ids[0].slice(0, 8), ids[0].slice(0, 4), "P-", shortOf(ids[0]).toLowerCase()])
        assert.strictEqual((yield* clawmesh(state, ["proposals", "approve", word])).exit, 5, word)
      assert.strictEqual((yield* clawmesh(state, "proposals aprove P-0000")).exit, 2)
      assert.strictEqual((yield* clawmesh(state, "proposals approve")).exit, 2)
      assert.deepStrictEqual(daemon.wanted, [])
    })
  )
})

describe("clawmesh person", () => {
  const at = (state: string) => ({ env: { CLAWMESH_STATE: state, CLAWMESH_PERSON: `${state}/me/person.json` } })

  it.live("makes a key once, for its owner's eyes, and shows it as node.yaml has it", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const none = yield* clawmesh(state, "person", at(state))
      assert.deepStrictEqual([none.exit, none.out], [5, ""])
      assert.include(none.err, "clawmesh person new NAME")
      for (const name of ["a=b", " ", "x".repeat(64), "a\u0007"])
        assert.strictEqual((yield* clawmesh(state, ["person", "new", name], at(state))).exit, 2, name)
      const made = yield* clawmesh(state, "person new asha", at(state))
      assert.deepStrictEqual([made.exit, made.err], [0, ""])
      const [line] = made.out.split("\n")
      assert.isNotNull(readPerson(line!), line)
      assert.strictEqual(statSync(`${state}/me/person.json`).mode & 0o777, 0o600)
      assert.notInclude(readFileSync(`${state}/me/person.json`, "utf8"), line!.split("=")[1]!)
      assert.strictEqual((yield* clawmesh(state, "person -q", at(state))).out, `${line}\n`)
      const again = yield* clawmesh(state, "person new asha", at(state))
      assert.deepStrictEqual([again.exit, again.out], [2, ""])
      assert.strictEqual((yield* clawmesh(state, "person -q", at(state))).out, `${line}\n`, "it is the same as before")
      writeFileSync(`${state}/me/person.json`, "{}")
      assert.match((yield* clawmesh(state, "person", at(state))).err, /holds no key of a person/u)
    })
  )

  it.live("what it approves is signed with it, for the guardian's word about just that", () =>
    Effect.gen(function* () {
      const { daemon, ids, shorts, state } = yield* served
      yield* clawmesh(state, "person new asha", at(state))
      const { publicKey } = readPerson((yield* clawmesh(state, "person -q", at(state))).out.trim())!
      const result = { id: ids[0], status: "completed", token: "t-1", state: "closed", safe: true, level: "L2" }
      daemon.outcome = { ok: true, messageId: "", by: id("a"), result }
      const yes = yield* clawmesh(state, `proposals approve ${shorts[0]}`, at(state))
      assert.deepStrictEqual([yes.err, yes.exit], ["", 0])
      const [wanted] = daemon.wanted.splice(0)
      const { meshId, meshKey } = daemon.drive.config
      const payload = decisionOf({ meshId, meshKey }, { id: ids[0], body: pump, token: "t-1", by: "asha" })
      assert.deepInclude(wanted, { id: ids[0], approve: true, by: "asha" })
      const { signature } = (wanted as { readonly signed: { readonly signature: string } }).signed
      assert.deepStrictEqual(check(publicKey, [{ payload, signature }]).valid, [true])
      yield* clawmesh(state, `proposals approve ${shorts[0]} --confirm pump-1`, at(state))
      const typed = daemon.wanted.splice(0)[0] as { readonly signed: { readonly signature: string } }
      assert.deepStrictEqual(
        check(publicKey, [
          {
            payload: decisionOf(
              { meshId, meshKey },
              { id: ids[0], body: pump, token: "t-1", by: "asha", typed: "pump-1" }
            ),
            signature: typed.signed.signature
          }
        ]).valid,
        [true]
      )
      // As somebody else, and a no, are not this person's to sign.
      yield* clawmesh(state, `proposals approve ${shorts[0]} --by ravi`, at(state))
      yield* clawmesh(state, `proposals reject ${shorts[0]}`, at(state))
      assert.isTrue(daemon.wanted.splice(0).every((one) => !("signed" in one)))
    })
  )

  it.live("signs nothing where it is not as it was seen, or where the guardian says no", () =>
    Effect.gen(function* () {
      const { daemon, ids, shorts, state } = yield* served
      yield* clawmesh(state, "person new asha", at(state))
      const result = { id: ids[0], status: "completed", token: "t-1", state: "open", safe: false, level: "L2" }
      daemon.outcome = { ok: true, messageId: "", by: id("a"), result }
      const changed = yield* clawmesh(state, `proposals approve ${shorts[0]} --shown closed`, at(state))
      assert.deepStrictEqual([changed.exit, daemon.wanted.length], [6, 0])
      assert.match(changed.err, /it is open now/u)
      daemon.outcome = { ok: false, code: "ON_HOLD", message: "a person holds it" }
      const held = yield* clawmesh(state, `proposals approve ${shorts[0]}`, at(state))
      assert.deepStrictEqual([held.exit, daemon.wanted.length], [6, 0])
      assert.match(held.err, /ON_HOLD a person holds it[^]*clawmesh release/u)
    })
  )
})

describe("clawmesh suspend", () => {
  it.live("hands over and says so, until it may lead again; who never leads is told", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served
      const never = yield* clawmesh(state, "suspend")
      assert.deepStrictEqual([never.exit, daemon.offered.length], [5, 0])
      const planner = new FakeDaemon({ roles: { a: "planner", b: "planner", d: "standby-planner" }, electors: "abd" })
      const other = yield* directory
      yield* serve(planner, socketIn(other))
      const off = yield* clawmesh(other, "suspend")
      assert.deepStrictEqual([off.err, off.exit], ["", 0])
      assert.match(off.out, /planner +suspended: it votes, and does not lead/u)
      assert.notMatch((yield* clawmesh(other, "resume")).out, /suspended/u)
      assert.deepStrictEqual(planner.offered, [
        { _tag: "Engine", runs: false },
        { _tag: "Engine", runs: true }
      ])
    })
  )
})

describe("clawmesh propose", () => {
  it.live("rests on the word of whoever says so, or on the frames that are named", () =>
    Effect.gen(function* () {
      const { daemon, ids, state } = yield* served
      daemon.outcome = { ok: true, messageId: "", by: id("a"), result: { id: ids[0] } }
      const done = yield* clawmesh(state, "propose pump-1 open --for 10m --by asha")
      assert.deepStrictEqual([done.err, done.exit], ["", 0])
      const [wish] = daemon.offered
      assert.deepInclude(wish, { _tag: "Sensed", kind: "human_input" })
      const frameId = wish?._tag === "Sensed" ? wish.frameId : ""
      yield* clawmesh(state, "propose pump-1 open --for 10m --because b-1-1,b-1-2 --again")
      const common = { actuator: "actuator:pump-1", state: "open", forMs: 600_000, autonomous: false }
      assert.deepStrictEqual(daemon.wanted, [
        { ...common, because: [frameId] },
        { ...common, because: ["b-1-1", "b-1-2"], again: true }
      ])
      assert.strictEqual(daemon.offered.length, 1)
    })
  )

  it.live("wrong words are told, and nothing is proposed", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served
      for (const line of ["propose pump-1", "propose pump-1 open --for 10", "propose pump-1 open --count 3"])
        assert.strictEqual((yield* clawmesh(state, line)).exit, 2, line)
      assert.deepStrictEqual(daemon.wanted, [])
    })
  )
})
