/** init, invite and join as a person types them: what is said, how it ends, and what is there afterwards. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { drawCode } from "../../../adapters/pairing/Secret.ts"
import * as StateDirectory from "../../../adapters/vault/StateDirectory.ts"
import { id } from "../../kernel/drive.ts"
import { FakeDaemon, farm } from "../operator/FakeDaemon.ts"
import { keysOf, makeHost, mesh, wiretap } from "../pairing/Ends.ts"
import { clawmesh, directory, documentOf, type Said } from "./Terminal.ts"

const fails = (said: Said, exit: number, ...patterns: ReadonlyArray<RegExp>): void => {
  for (const pattern of patterns) assert.match(said.err, pattern)
  assert.strictEqual(said.exit, exit, said.err)
}
const meshOf = (state: string) =>
  JSON.parse(readFileSync(join(state, "mesh.json"), "utf8")) as {
    readonly meshId: string
    readonly meshKeySeed?: string
    readonly standing: { readonly name: string; readonly role: string; readonly peers: ReadonlyArray<string> }
  }
const identityOf = (state: string): string => readFileSync(join(state, "identity.json"), "utf8")
const inNew = Effect.map(directory, (path) => join(path, "state"))

describe("clawmesh init", () => {
  it.live("makes an identity once, and shows it from then on", () =>
    Effect.gen(function* () {
      const state = yield* inNew
      const first = yield* clawmesh(state, "init")
      assert.match(first.out, /has an identity from now on[^]*mesh +none yet[^]*clawmesh join CODE/u)
      const made = identityOf(state)
      const onTerminal = yield* clawmesh(state, "init", { isTerminal: true })
      assert.include(onTerminal.out, "\u001b[2mid")
      const second = yield* clawmesh(state, "init")
      assert.notInclude(second.out, "\u001b")
      assert.match(second.out, /has an identity already; nothing was changed/u)
      assert.strictEqual(second.exit, 0)
      assert.strictEqual(identityOf(state), made)
      assert.isFalse(existsSync(join(state, "mesh.json")))
    })
  )

  it.live("founds a mesh with a name, once, of which it is the planner", () =>
    Effect.gen(function* () {
      const state = yield* inNew
      const said = yield* clawmesh(state, "init --mesh bhoomi --json")
      assert.deepInclude(documentOf(said), { $type: "clawmesh.init/1", madeIdentity: true, madeMesh: true, state })
      const made = meshOf(state)
      assert.deepInclude(made.standing, { name: "jetson-3", role: "planner" })
      assert.isString(made.meshKeySeed)
      const again = yield* clawmesh(state, "init --mesh bhoomi --json")
      assert.deepInclude(documentOf(again), { madeIdentity: false, madeMesh: false })
      assert.deepStrictEqual(meshOf(state), made)
      fails(yield* clawmesh(state, "init --mesh other"), 6, /belongs to the mesh bhoomi already/u)
    })
  )

  it.live("never makes a second identity of a machine silently", () =>
    Effect.gen(function* () {
      const home = yield* directory
      const theUsers = join(home, ".local/state/clawmesh")
      yield* clawmesh(theUsers, "init")
      const state = join(home, "moved")
      fails(
        yield* clawmesh(state, "init", { home }),
        6,
        /has an identity already, in .*\.local\/state\/clawmesh/u,
        /--second/u
      )
      assert.isFalse(existsSync(state))
      const second = yield* clawmesh(state, "init --second", { home })
      assert.strictEqual(second.exit, 0)
      assert.notStrictEqual(identityOf(state), identityOf(theUsers))
    })
  )

  it.live("does not go over a directory in which a node has lost its identity, nor one that runs", () =>
    Effect.gen(function* () {
      const state = yield* inNew
      yield* clawmesh(state, "init --mesh bhoomi")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* StateDirectory.open(state)
          fails(yield* clawmesh(state, "init --mesh bhoomi"), 6, /a clawmesh-node runs here/u)
        })
      )
    })
  )
})

describe("clawmesh join", () => {
  it.live("by code and address: the device is in the mesh, in its role, and trusts who invited it", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      const state = yield* inNew
      const { code } = invite()
      const typed = code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o")
      const said = yield* clawmesh(state, ["join", typed, "--at", `127.0.0.1:${port}`])
      assert.strictEqual(said.err, "")
      assert.match(said.out, /joined bhoomi\n +this node +jetson-3, field, may move pump-3\n/u)
      assert.match(said.out, /trusts +laptop \(planner\) at 127\.0\.0\.1[^]*clawmesh-node run/u)
      const { meshId, standing } = meshOf(state)
      assert.strictEqual(meshId, "the mesh")
      assert.deepInclude(standing, { name: "jetson-3", role: "field" })
      assert.deepStrictEqual(standing.peers, [`${keysOf(1).deviceId}=wss://127.0.0.1:${port}`])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { identity, vault } = yield* StateDirectory.open(state)
          assert.deepStrictEqual(
            admitted.map(({ deviceId }) => deviceId),
            [identity.keys.deviceId]
          )
          const { trusted } = yield* vault.load
          assert.deepStrictEqual(trusted, [
            {
              deviceId: keysOf(1).deviceId,
              name: "laptop",
              role: "planner",
              gen1: false,
              publicKey: keysOf(1).publicKey
            }
          ])
        })
      )
      for (const name of readdirSync(state)) assert.strictEqual(statSync(join(state, name)).mode & 0o077, 0, name)
    })
  )

  it.live("on a device that has a mesh: one more node of it, in the same role; of another mesh never", () =>
    Effect.gen(function* () {
      const { admitted, host, invite, port } = yield* makeHost()
      const state = yield* inNew
      const at = (port: number, code: string) => clawmesh(state, ["join", code, "--at", `127.0.0.1:${port}`])
      assert.strictEqual((yield* at(port, invite().code)).exit, 0)
      const before = meshOf(state)
      const another = yield* makeHost({}, { ...mesh, meshId: "another", meshName: "hills" })
      fails(
        yield* at(another.port, another.invite().code),
        6,
        /belongs to the mesh bhoomi already, and that is hills\n +To leave its mesh/u
      )
      assert.deepStrictEqual(another.admitted, [])
      assert.deepStrictEqual(meshOf(state), before)

      // Its role is what it has in the mesh: the code is not used up by one that says otherwise.
      const wrong = host.invite({ name: null, role: "viewer", may: [] }, 10_000)!
      fails(yield* at(port, wrong.code), 6, /does not let this device in: it is a field, and is invited as viewer/u)
      assert.strictEqual(host.seen().at(-1)?.state, "open")
      const again = yield* at(port, invite().code)
      assert.match(again.out, /laptop and this node trust each other/u)
      assert.lengthOf([...new Set(admitted.map(({ deviceId }) => deviceId))], 1)
      assert.deepStrictEqual(meshOf(state), before)
    })
  )

  it.live("keeps the identity that init made", () =>
    Effect.gen(function* () {
      const { invite, port } = yield* makeHost()
      const state = yield* inNew
      yield* clawmesh(state, "init")
      const made = identityOf(state)
      const said = yield* clawmesh(state, ["join", invite().code, "--at", `127.0.0.1:${port}`, "--json"])
      assert.deepInclude(documentOf(said), { $type: "clawmesh.joined/1", state })
      assert.strictEqual(identityOf(state), made)
    })
  )

  it.live("by a file and by what the QR holds", () =>
    Effect.gen(function* () {
      const { invite, port } = yield* makeHost()
      const state = yield* inNew
      const file = join(yield* directory, "jetson-3.invite")
      const link = (code: string) =>
        `clawmesh:join?m=bhoomi&a=127.0.0.1:${port}&k=${keysOf(1).deviceId.slice(0, 16)}&c=${code}`
      writeFileSync(file, `${link(invite().code)}\n`)
      assert.strictEqual((yield* clawmesh(state, ["join", file])).exit, 0)
      assert.strictEqual((yield* clawmesh(yield* inNew, ["join", link(invite().code)])).exit, 0)
      const another = link(invite().code).replace("m=bhoomi", "m=elsewhere")
      fails(yield* clawmesh(yield* inNew, ["join", another]), 6, /of another mesh than elsewhere/u)
      writeFileSync(file, "no invite")
      fails(yield* clawmesh(yield* inNew, ["join", file]), 2, /this is no invite: it begins with clawmesh:join/u)
    })
  )

  it.live("says what went wrong and how to go on, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { clock, host, invite, port } = yield* makeHost()
      const state = yield* inNew
      const at = (code: string, where = `127.0.0.1:${port}`, more: ReadonlyArray<string> = []) =>
        clawmesh(state, ["join", code, "--at", where, ...more])
      fails(yield* at("K7QF-2M9X"), 2, /a code has 16 letters and digits, and this has 8/u, /Nothing was sent/u)
      const mistyped = [...invite().code]
      mistyped[0] = mistyped[0] === "2" ? "3" : "2"
      fails(yield* at(mistyped.join("")), 2, /does not fit its last letter/u)
      fails(yield* at(drawCode(), "127.0.0.1:70000"), 2, /write an address and a port/u)
      fails(yield* at(drawCode(), "127.0.0.1:1"), 1, /127\.0\.0\.1:1: nobody listens there/u, /clawmesh-node running/u)
      fails(yield* at(drawCode()), 6, /knows no such code\n +Look at it again: 2 more/u)
      yield* at(drawCode())
      fails(yield* at(drawCode()), 6, /third wrong one, and its door is shut\. Make a new one/u)
      fails(yield* at(drawCode()), 6, /nobody is invited now: the code was used/u)

      const used = invite()
      assert.strictEqual((yield* clawmesh(yield* inNew, ["join", used.code, "--at", `127.0.0.1:${port}`])).exit, 0)
      fails(yield* at(used.code), 6, /this code was used, by another device/u, /Make a new one/u)
      const late = invite()
      clock.mono += 300_000
      invite()
      fails(yield* at(late.code), 6, /the time of this code is over/u)
      clock.full = true
      const json = yield* at(invite().code, undefined, ["--json"])
      assert.deepInclude(documentOf(json), { $type: "clawmesh.error/1", code: "REFUSED", exit: 6 })
      assert.match(json.out, /the name is taken/u)
      host.shut()
      assert.isFalse(existsSync(state))
    })
  )

  it.live("uses up no code where it could not keep what it gets", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      const base = yield* directory
      writeFileSync(join(base, "file"), "")
      fails(
        yield* clawmesh(join(base, "file", "state"), ["join", invite().code, "--at", `127.0.0.1:${port}`]),
        4,
        /cannot be made/u
      )
      const state = join(base, "state")
      mkdirSync(state)
      writeFileSync(join(state, "mesh.json"), "{")
      fails(yield* clawmesh(state, ["join", invite().code, "--at", `127.0.0.1:${port}`]), 6, /is damaged/u)
      assert.deepStrictEqual(admitted, [])
    })
  )

  it.live("asks again where the answer was lost on the way, and is let in by the same code", () =>
    Effect.gen(function* () {
      const { admitted, invite, port } = yield* makeHost()
      let lost = 0
      const tap = yield* wiretap(port, () => admitted.length === 1 && lost++ === 0)
      const state = yield* inNew
      const said = yield* clawmesh(state, ["join", invite().code, "--at", `127.0.0.1:${tap.port}`])
      assert.strictEqual(said.exit, 0, said.err)
      assert.lengthOf(admitted, 2)
      assert.lengthOf([...new Set(admitted.map(({ deviceId }) => deviceId))], 1)
    })
  )
})

describe("clawmesh invite", () => {
  const served = (daemon = new FakeDaemon().settle()) =>
    Effect.gen(function* () {
      const state = yield* directory
      yield* serve(daemon, socketIn(state))
      return { daemon, state }
    })

  it.live("shows the code, how to use it, and where", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      const said = yield* clawmesh(state, "invite --role field --may pump-3 --name jetson-3 --no-wait")
      assert.match(
        said.out,
        /^Invite for jetson-3: field, may move pump-3\n\n +K7QF-2M9X-TR4B-8WNG +for 5 min 0 s, once\n/u
      )
      assert.match(said.out, /clawmesh join K7QF-2M9X-TR4B-8WNG --at 192\.168\.1\.41:18789/u)
      assert.notInclude(said.out, "█")
      assert.deepInclude(daemon.seen[0]?.terms, { role: "field", name: "jetson-3", may: ["actuator:pump-3"] })
      const quiet = yield* clawmesh(state, "invite --no-wait --quiet")
      assert.deepStrictEqual(quiet, { out: "K7QF-2M9X-TR4B-8WNG\n", err: "", exit: 0 })
      assert.deepInclude(daemon.seen[1]?.terms, { role: "viewer", name: null, may: [] })
      const pending = yield* clawmesh(state, "trust pending")
      assert.match(pending.out, /jetson-3 +field +pump-3 +5 min/u)
      assert.match(pending.out, /new-pi +192\.168\.1\.60/u)
    })
  )

  it.live("draws the QR on a terminal, in colours that a camera reads, and without colour where none is wanted", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const colour = yield* clawmesh(state, "invite --no-wait", { isTerminal: true })
      assert.include(colour.out, "\u001b[97;40m█")
      assert.match(colour.out, /clawmesh:join\?m=bhoomi&a=192\.168\.1\.41:18789&k=a{16}&c=K7QF/u)
      const plain = yield* clawmesh(state, "invite --no-wait --qr --no-color", { isTerminal: true })
      assert.include(plain.out, "█▀▀")
      assert.notInclude(plain.out, "\u001b")
    })
  )

  it.live("puts it into a file that only its owner reads, and never over another one", () =>
    Effect.gen(function* () {
      const { state } = yield* served()
      const cwd = yield* directory
      const said = yield* clawmesh(state, "invite --no-wait --file jetson-3.invite", { cwd })
      assert.match(said.out, /clawmesh join jetson-3\.invite/u)
      const path = join(cwd, "jetson-3.invite")
      assert.match(readFileSync(path, "utf8"), /^clawmesh:join\?.*c=K7QF-2M9X-TR4B-8WNG\n$/u)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      fails(yield* clawmesh(state, "invite --no-wait --file jetson-3.invite", { cwd }), 2, /is there already/u)
      fails(yield* clawmesh(state, "invite --role boss --file other", { cwd }), 2, /no role "boss"/u)
      fails(
        yield* clawmesh(state, "invite --name laptop-main --file other", { cwd }),
        5,
        /the name laptop-main is taken/u
      )
      assert.deepStrictEqual(readdirSync(cwd), ["jetson-3.invite"])
    })
  )

  it.live("waits for what comes of it, and says so by its exit code", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      const come = (more: object) =>
        Effect.gen(function* () {
          const at = daemon.seen.length
          const waiting = yield* Effect.forkChild(clawmesh(state, "invite --role field"))
          while (daemon.seen.length === at) yield* Effect.sleep(10)
          daemon.seen[at] = { ...daemon.seen[at]!, leftMs: 0, ...more }
          return yield* Fiber.join(waiting)
        })
      const joined = yield* come({ state: "taken", takenBy: id("f"), name: "pi", address: "10.0.0.7:40112" })
      assert.match(joined.out, /pi joined from 10\.0\.0\.7:40112\. The door is shut\./u)
      assert.include(joined.out, `clawmesh trust add ${id("f")} --role field --name pi`)
      assert.strictEqual(joined.exit, 0)
      fails(yield* come({ state: "expired" }), 7, /nobody joined in time/u, /Make a new one/u)
      fails(yield* come({ state: "shut" }), 6, /the door was shut: after three wrong codes/u)
      const problem = {
        state: "taken",
        takenBy: id("f"),
        name: "pi",
        address: "10.0.0.7:1",
        problem: "the name is taken"
      }
      fails(yield* come(problem), 6, /knew the code, and was not let in: the name is taken/u)
    })
  )

  it.live("is shut by hand", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served()
      yield* clawmesh(state, "invite --no-wait")
      assert.match((yield* clawmesh(state, "invite --shut")).out, /The door is shut; one invite was open/u)
      assert.strictEqual(daemon.seen[0]?.state, "shut")
      assert.match((yield* clawmesh(state, "invite --shut")).out, /No invite was open/u)
    })
  )

  it.live("is nothing for a viewer, nor for what moves nothing, nor without a node", () =>
    Effect.gen(function* () {
      const { daemon, state } = yield* served(new FakeDaemon({ ...farm, roles: { ...farm.roles, a: "viewer" } }))
      fails(yield* clawmesh(state, "invite"), 4, /a viewer: it looks on, and invites nobody/u, /another node/u)
      assert.deepStrictEqual(daemon.seen, [])
      const other = yield* served()
      fails(yield* clawmesh(other.state, "invite --may pump-3"), 2, /a viewer moves nothing/u)
      fails(yield* clawmesh(other.state, "invite --role field --may a;b"), 2, /no actuator "actuator:a;b"/u)
      fails(yield* clawmesh(yield* directory, "invite"), 3, /no answer from clawmesh-node/u)
    })
  )
})

describe("clawmesh trust", () => {
  it.live("show and rename", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const daemon = new FakeDaemon().settle()
      yield* serve(daemon, socketIn(state))
      const shown = yield* clawmesh(state, "trust show laptop-main")
      assert.match(shown.out, /^laptop-main\n +id +b{64}\n +role +planner\n[^]*state +up, for/u)
      assert.match((yield* clawmesh(state, "trust rename laptop-main house")).out, /^house is trusted as follows/u)
      fails(yield* clawmesh(state, "trust show laptop-main"), 5, /trusts no device/u)
      fails(yield* clawmesh(state, "trust rename house barn-laptop"), 5, /is taken/u)
    })
  )
})
