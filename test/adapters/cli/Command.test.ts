import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { stripVTControlCharacters } from "node:util"
import * as Api from "../../../adapters/operator/Api.ts"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import * as Durable from "../../../kernel/Durable.ts"
import { id } from "../../kernel/drive.ts"
import { entry, FakeDaemon, farm } from "../operator/FakeDaemon.ts"
import { clawmesh, directory, documentOf, type Said } from "./Terminal.ts"

/** A daemon, and the state directory in which its socket is. */
const served = (daemon = new FakeDaemon().settle()) =>
  Effect.gen(function* () {
    const state = yield* directory
    yield* serve(daemon, socketIn(state))
    return { daemon, state }
  })

const shows = (said: Said, ...patterns: ReadonlyArray<RegExp>): void => {
  for (const pattern of patterns) assert.match(said.out, pattern)
  assert.strictEqual(said.err, "")
  assert.strictEqual(said.exit, 0)
}
const fails = (said: Said, exit: number, ...patterns: ReadonlyArray<RegExp>): void => {
  for (const pattern of patterns) assert.match(said.err, pattern)
  assert.strictEqual(said.out, "")
  assert.strictEqual(said.exit, exit)
}
const noCellIsEmpty = (lines: ReadonlyArray<string>, columns: number): void => {
  for (const line of lines) assert.lengthOf(line.trim().split(/ {2,}/u), columns, line)
}

describe("clawmesh status", () => {
  it.live("one screen: leader, term, peers, strangers, refusals; a word in every cell", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      daemon.drive.meet("f")
      const said = yield* clawmesh(state, "status")
      shows(
        said,
        /^a \(field\) +mesh mesh, up 0\.3 s\n/u,
        /^ {2}leader +laptop-main ★ · term 7 · heard 0\.3 s ago$/mu,
        /^ {2}peers +1 of 3 up$/mu,
        /^ {2}listens +127\.0\.0\.1:18789$/mu,
        /^ {2}discovery +runs · 1 stranger near +clawmesh trust list$/mu,
        /^ {2}refused +1 UNTRUSTED_PEER since the start$/mu,
        /^ {2}laptop-main ★ +planner +up +0\.3 s +direct +0\.3 s ago +not timed$/mu,
        /^ {2}barn-laptop +standby-planner +unknown +0\.3 s +none +never +not timed$/mu,
        /\n {2}Nothing needs a look\.\n$/u
      )
      const from = said.out.split("\n").findIndex((line) => line.includes("NAME"))
      noCellIsEmpty(said.out.split("\n").slice(from, from + 4), 7)
    })
  )

  it.live("what needs a look stands last, each with what to do", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      daemon.drive.mono += 60_000
      const said = yield* clawmesh(state, "status")
      shows(
        said,
        /^ {2}leader +nobody · term 7 · 2 of 3 electors up, 2 needed$/mu,
        /^ {2}peers +1 of 3 up +2 need a look, below$/mu,
        /^ {2}! nobody leads, although enough electors are up\n {4}clawmesh events --kind leader$/mu,
        /^ {2}! barn-laptop was not met since this node started, and no address of it is known$/mu
      )
      const quiet = yield* clawmesh(state, "status --quiet")
      assert.include(quiet.out, "! barn-laptop")
      assert.notInclude(quiet.out, "clawmesh ")
    })
  )

  it.live("of a node that trusts nobody: its id, and how to begin", () =>
    Effect.gen(function* () {
      const { state } = yield* served(new FakeDaemon({ roles: { a: "field" } }, Durable.empty))
      shows(
        yield* clawmesh(state, "status"),
        /^ {2}leader +nobody · no electors are configured$/mu,
        new RegExp(
          `This node's id: ${id("a")}\\n.*clawmesh invite --role ROLE\\n.*clawmesh trust add ID --role ROLE`,
          "u"
        )
      )
    })
  )

  it.live("colour is for terminals only, and never carries a meaning alone", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const plain = yield* clawmesh(state, "status")
      const coloured = yield* clawmesh(state, "status", { isTerminal: true })
      assert.notInclude(plain.out, "\u001b")
      assert.include(coloured.out, "\u001b[")
      assert.strictEqual(stripVTControlCharacters(coloured.out), plain.out)
      const env = { CLAWMESH_STATE: state }
      for (const more of [{ NO_COLOR: "1" }, { TERM: "dumb" }])
        assert.strictEqual(
          (yield* clawmesh(state, "status", { isTerminal: true, env: { ...env, ...more } })).out,
          plain.out
        )
      assert.strictEqual((yield* clawmesh(state, "status --no-color", { isTerminal: true })).out, plain.out)
      const empty = yield* clawmesh(state, "status", { isTerminal: true, env: { ...env, NO_COLOR: "" } })
      assert.strictEqual(empty.out, coloured.out, "an empty NO_COLOR says nothing (no-color.org)")
    })
  )

  it.live("names of strangers and peers cannot write to the terminal", () =>
    Effect.gen(function* () {
      const daemon = new FakeDaemon(farm, {
        ...Durable.empty,
        trusted: [entry("b", "x\u001b]0;owned\u0007\u202e\n!", "planner")]
      })
      daemon.drive.feed({
        _tag: "Sighted",
        deviceId: id("e"),
        name: "\u001b[2J\u009bH",
        addresses: ["\u001b[1m"],
        gen: 1
      })
      daemon.tell({ event: "peer.up", about: id("b"), reason: "\u001b[31mred\r\n" })
      const { state } = yield* served(daemon)
      for (const line of ["status", "peers", `peers ${id("b")}`, "trust list", "events", `trust remove ${id("b")}`]) {
        const said = yield* clawmesh(state, line)
        assert.strictEqual(said.exit, 0, said.err)
        // eslint-disable-next-line no-control-regex
        assert.notMatch(said.out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u, line)
      }
    })
  )
})

describe("clawmesh peers", () => {
  it.live("one line each, with the leader's star", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      shows(
        yield* clawmesh(state, "peers"),
        /^ {2}laptop-main ★ .* up /mu,
        /^ {2}c{8}… +sensor +unknown/mu,
        /\n1 of 3 peers up\./u
      )
      assert.notInclude((yield* clawmesh(state, "peers -q")).out, "clawmesh ")
    })
  )

  it.live("a peer that has left was not never heard", () =>
    Effect.gen(function* () {
      const daemon = new FakeDaemon()
      const { link } = daemon.drive.meet("b", { incarnation: 3 })
      daemon.drive.hear(link, "peer.leaving", { gen: 1, deviceId: id("b"), timestamp: 0 })
      const { state } = yield* served(daemon)
      shows(yield* clawmesh(state, "peers"), /^ {2}laptop-main +planner +left +0\.0 s +none +not known +not timed$/mu)
    })
  )

  it.live("everything about one, by its name or its whole id", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const byName = yield* clawmesh(state, "peers laptop-main")
      shows(
        byName,
        /^laptop-main ★ leads in term 7 {3}planner {3}incarnation 3\n/u,
        new RegExp(`^ {2}id +${id("b")}$`, "mu"),
        /^ {2}state +up for 0\.3 s$/mu,
        /^ {2}link +direct for 0\.3 s · dialled by the peer$/mu,
        /^ {2}last heard +0\.3 s ago$/mu
      )
      assert.strictEqual((yield* clawmesh(state, `peers ${id("b")}`)).out, byName.out)
      assert.strictEqual((yield* clawmesh(state, `peers ${id("b").toUpperCase()}`)).out, byName.out)
    })
  )

  it.live("a name is whole or none: no beginning, no slip of a finger is taken for it", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      fails(
        yield* clawmesh(state, "peers barn-laptpo"),
        5,
        /no device "barn-laptpo"\n {2}Did you mean clawmesh peers barn-laptop\?/u
      )
      fails(yield* clawmesh(state, "peers laptop"), 5, /no device "laptop"\n {2}clawmesh trust list/u)
      fails(yield* clawmesh(state, `peers ${id("b").slice(0, 12)}`), 5, /given whole/u)
      fails(yield* clawmesh(state, "peers a"), 5, /a is this node itself/u)
    })
  )

  it.live("a name that fits several means none of them", () =>
    Effect.gen(function* () {
      const twins = [entry("b", "twin", "planner"), entry("d", "twin")]
      const { daemon, state } = yield* served(new FakeDaemon(farm, { ...Durable.empty, trusted: twins }))
      const both = new RegExp(`2 devices are called twin\\n.*\\n +${id("b")}\\n +${id("d")}\\n`, "u")
      fails(yield* clawmesh(state, "peers twin"), 5, both)
      fails(yield* clawmesh(state, "trust remove twin"), 5, both)
      assert.deepStrictEqual(daemon.offered, [])
    })
  )
})

describe("clawmesh events", () => {
  const past = Effect.gen(function* () {
    const { daemon, state } = yield* served()
    daemon.told.length = 0
    daemon.tell({ event: "node.started", about: id("a"), incarnation: 4 }, 86_400_000)
    daemon.tell({ event: "peer.down.confirmed", about: id("d"), reason: "silent 2.4 s", witnesses: [id("b")] }, 120_000)
    daemon.tell({ event: "connection.refused", code: "UNTRUSTED_PEER", reason: "who is this" }, 60_000)
    daemon.tell({ event: "leader.elected", about: id("b"), term: 7 })
    const around = { nowMs: () => daemon.now().wall }
    return { daemon, state, around }
  })

  it.live("one line each: when, what, who, and why; the day only where it is not today", () =>
    Effect.gen(function* () {
      const { around, state } = yield* past
      const said = yield* clawmesh(state, "events", around)
      shows(
        said,
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}node\.started +a +incarnation 4\n/u,
        /^\d\d:\d\d:\d\d {2}peer\.down\.confirmed +barn-laptop +silent 2\.4 s, said by laptop-main$/mu,
        /^\d\d:\d\d:\d\d {2}connection\.refused +a stranger +who is this, UNTRUSTED_PEER$/mu,
        /^\d\d:\d\d:\d\d {2}leader\.elected +laptop-main +term 7$/mu
      )
    })
  )

  it.live("by kind and by time", () =>
    Effect.gen(function* () {
      const { around, state } = yield* past
      const seen = (line: string) =>
        Effect.map(clawmesh(state, line, around), ({ out }) => out.match(/[a-z]+\.[a-z.]+[a-z]/gu)?.join(" ") ?? out)
      assert.strictEqual(yield* seen("events --kind peer,leader"), "peer.down.confirmed leader.elected")
      assert.strictEqual(yield* seen("events --since 90s"), "connection.refused leader.elected")
      assert.match(yield* seen("events --kind frame"), /^No event of that kind/u)
      fails(yield* clawmesh(state, "events --kind pear", around), 2, /no kind of event "pear"; did you mean peer\?/u)
      fails(yield* clawmesh(state, "events --kind x", around), 2, /there are node peer connection frame leader/u)
    })
  )

  it.live("says how many are left out", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      for (let n = 0; n < 130; n++) daemon.tell({ event: "peer.dial", about: id("b") })
      shows(yield* clawmesh(state, "events"), /^… 30 earlier ones are left out; /u)
    })
  )
})

describe("clawmesh trust", () => {
  it.live("list: who is trusted by whose word, and who else is near", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      shows(
        yield* clawmesh(state, "trust list"),
        new RegExp(`^ {2}laptop-main +planner +known +operator +${id("b")}$`, "mu"),
        new RegExp(`^ {2}c{8}… +sensor \\(generation 1\\) +not shown yet +configuration +${id("c")}$`, "mu"),
        /^3 devices trusted\.$/mu,
        new RegExp(`not trusted.*\\n.*\\n {2}new-pi +192\\.168\\.1\\.60:18789 +${id("e")}$`, "mu"),
        new RegExp(`This node is a \\(field\\), id ${id("a")}\\.`, "u")
      )
    })
  )

  it.live("add: says what it did, and the command for the other side", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      shows(
        yield* clawmesh(state, `trust add ${id("f")} --role sensor --name pump-house`),
        /^pump-house is trusted from now on\.\n/u,
        new RegExp(
          `The other side must do the same\\. On pump-house:\\n +clawmesh trust add ${id("a")} --role field --name a\\n`,
          "u"
        )
      )
      assert.deepInclude(daemon.drive.node.durable.trusted, entry("f", "pump-house", "sensor"))
      shows(yield* clawmesh(state, `trust add ${id("f")} --role sensor`), /in this way already; nothing was changed/u)
      shows(yield* clawmesh(state, `trust add ${id("f")} --role field --gen1`), /^pump-house is trusted as follows/u)
      assert.deepInclude(daemon.drive.node.durable.trusted, { ...entry("f", "pump-house"), gen1: true })
    })
  )

  it.live("add: a stranger's id brings the name that it calls itself by, and says so", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      shows(
        yield* clawmesh(state, `trust add ${id("e").toUpperCase()} --role field`),
        /^new-pi is trusted/u,
        /It calls itself new-pi;/u
      )
      assert.deepInclude(daemon.drive.node.durable.trusted, entry("e", "new-pi"))
    })
  )

  it.live("add: a stranger that calls itself by another's name gets none", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      daemon.drive.feed({ _tag: "Sighted", deviceId: id("f"), name: "laptop-main", addresses: [], gen: 1 })
      shows(yield* clawmesh(state, `trust add ${id("f")} --role field`), /^f{8}… is trusted/u)
      assert.deepInclude(daemon.drive.node.durable.trusted, entry("f", ""))
    })
  )

  it.live("add: a name is never taken for an id, but the id behind it is offered", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      fails(
        yield* clawmesh(state, "trust add new-pi --role field"),
        2,
        /"new-pi" is no id, but a device near calls itself so/u,
        new RegExp(`clawmesh trust add ${id("e")} --role field --name new-pi`, "u")
      )
      fails(
        yield* clawmesh(state, "trust add laptop-main --role field"),
        2,
        new RegExp(`already; its id is ${id("b")}`, "u")
      )
      fails(
        yield* clawmesh(state, "trust add nobody --role field"),
        2,
        /an id has 64 hex digits\n {2}clawmesh-node id/u
      )
      fails(yield* clawmesh(state, `trust add ${id("e").slice(1)} --role field`), 2, /64 hex digits/u)
      fails(yield* clawmesh(state, `trust add ${id("a")} --role field`), 2, /this node itself/u)
      assert.deepStrictEqual(daemon.offered, [])
    })
  )

  it.live("add: a role that there is not, a name that is taken, a key that is none", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      fails(yield* clawmesh(state, `trust add ${id("e")} --role feild`), 2, /no role "feild"; did you mean field\?/u)
      fails(yield* clawmesh(state, `trust add ${id("e")} --role boss`), 2, /there are node planner field/u)
      fails(yield* clawmesh(state, `trust add ${id("e")} --role field --name barn-laptop`), 5, /is taken by d{64}/u)
      fails(yield* clawmesh(state, `trust add ${id("e")} --role field --key AAAA`), 2, /no public key/u)
      assert.deepStrictEqual(daemon.offered, [])
    })
  )

  it.live("remove: ends it, by name or whole id; --quiet says nothing of what was done", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      shows(
        yield* clawmesh(state, "trust remove laptop-main"),
        /^laptop-main is trusted no longer\./u,
        new RegExp(`Other nodes still trust it\\. On each: clawmesh trust revoke ${id("b")}\\n`, "u")
      )
      assert.strictEqual(daemon.drive.sessions("b").length, 0)
      shows(yield* clawmesh(state, `trust remove ${id("c")}`), /The configuration names it too/u)
      assert.deepStrictEqual(yield* clawmesh(state, "trust remove barn-laptop --quiet"), { out: "", err: "", exit: 0 })
      assert.deepStrictEqual(daemon.drive.node.config.trusted, [])
      fails(yield* clawmesh(state, "trust remove laptop-main"), 5, /trusts no device "laptop-main"/u)
    })
  )

  it.live("a node that takes nothing up: exit 7", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      daemon.stuck = true
      fails(yield* clawmesh(state, "trust remove laptop-main"), 7, /has not taken the change up within 2 s/u)
    })
  )
})

describe("clawmesh --json", () => {
  const commands: ReadonlyArray<readonly [line: string, schema: Schema.Codec<unknown, unknown>]> = [
    ["status", Api.Status],
    ["peers", Api.Peers],
    ["peers laptop-main", Api.Peers],
    ["events --kind node,peer", Api.Events],
    ["trust list", Api.Trust],
    [`trust add ${id("f")} --role field`, Api.TrustChange],
    ["trust remove laptop-main", Api.TrustChange]
  ] as never
  for (const [line, schema] of commands)
    it.live(`${line}: one document that its schema reads, key for key`, () =>
      Effect.gen(function* () {
        const { state } = yield* served()
        const said = yield* clawmesh(state, `${line} --json`)
        shows(said, /^\{"\$type":"clawmesh\.[a-z-]+\/1".*\}\n$/u)
        const document = documentOf(said)
        assert.deepStrictEqual(Schema.decodeUnknownSync(schema)(document, { onExcessProperty: "error" }), document)
      })
    )

  it.live("peers NAME holds that one only", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const { peers } = Schema.decodeUnknownSync(Api.Peers)(
        documentOf(yield* clawmesh(state, "peers barn-laptop --json"))
      )
      assert.deepStrictEqual(
        peers.map((peer) => peer.name),
        ["barn-laptop"]
      )
    })
  )

  it.live("every failure is a document on standard output, with its exit code", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const empty = yield* directory
      const cases: ReadonlyArray<readonly [line: string, state: string, code: string]> = [
        ["statsu", state, "WRONG_USE"],
        ["events --kind pear", state, "WRONG_USE"],
        [`trust add ${id("e")} --role boss`, state, "WRONG_USE"],
        [`trust add ${id("e")} --role field --key AAAA`, state, "PUBLIC_KEY_MISMATCH"],
        ["peers nobody", state, "NOT_FOUND"],
        [`trust add ${id("e")} --role field --name barn-laptop`, state, "AMBIGUOUS"],
        ["status", empty, "NO_ANSWER"]
      ]
      for (const [line, where, code] of cases) {
        const said = yield* clawmesh(where, `${line} --json`)
        const document = Schema.decodeUnknownSync(Api.Failure)(documentOf(said))
        assert.deepStrictEqual([document.code, document.exit], [code, said.exit] as never, line)
        assert.strictEqual(said.err, "")
      }
    })
  )
})

describe("clawmesh help and version", () => {
  it.live("answer without a node", () =>
    Effect.gen(function* () {
      shows(yield* clawmesh("/nowhere", "help"), /^Shows and changes/u)
      assert.strictEqual((yield* clawmesh("/nowhere", "version")).out, "clawmesh 1.2.3\n")
      assert.deepStrictEqual(documentOf(yield* clawmesh("/nowhere", "version --json")), {
        $type: "clawmesh.version/1",
        version: "1.2.3"
      })
      fails(
        yield* clawmesh("/nowhere", "statsu"),
        2,
        /^clawmesh: no command "statsu"; did you mean clawmesh status\?\n$/u
      )
    })
  )
})
