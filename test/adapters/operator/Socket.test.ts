import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http"
import { connect } from "node:net"
import { join } from "node:path"
import * as Api from "../../../adapters/operator/Api.ts"
import { PATH_BYTES_MAX, socketIn } from "../../../adapters/operator/Place.ts"
import { BODY_BYTES_MAX, FOLLOWER_BACKLOG_BYTES_MAX, FOLLOWERS_MAX, serve } from "../../../adapters/operator/Socket.ts"
import { id } from "../../kernel/drive.ts"
import { directory } from "../cli/Terminal.ts"
import { entry, FakeDaemon } from "./FakeDaemon.ts"
import { ask, bytes, until } from "./Wire.ts"

/** A daemon behind its socket. */
const served = Effect.gen(function* () {
  const path = socketIn(yield* directory)
  const daemon = new FakeDaemon().settle()
  yield* serve(daemon, path)
  return { daemon, path }
})

const why = (exit: Exit.Exit<unknown, { readonly message: string }>): string =>
  Exit.match(exit, {
    onSuccess: () => "it did not fail",
    onFailure: (cause) => String(cause.reasons[0]?._tag === "Fail" ? cause.reasons[0].error.message : cause)
  })

interface Follower {
  readonly request: ClientRequest
  readonly response: IncomingMessage
  readonly lines: Array<{ readonly event: string }>
  ended: boolean
}

const followed = (path: string, parameters = ""): Effect.Effect<Follower> =>
  Effect.promise(
    () =>
      new Promise<Follower>((resolve, reject) => {
        const target = `/events?follow${parameters}`
        const request = httpRequest({ socketPath: path, path: target, agent: false }, (response) => {
          const follower: Follower = { request, response, lines: [], ended: false }
          let rest = ""
          response.setEncoding("utf8")
          response.on("data", (chunk: string) => {
            const lines = (rest + chunk).split("\n")
            rest = lines.pop()!
            for (const line of lines)
              follower.lines.push(Schema.decodeUnknownSync(Schema.fromJsonString(Api.EventLine))(line))
          })
          response.on("error", () => {})
          response.on("end", () => {
            follower.ended = true
          })
          resolve(follower)
        })
        request.on("error", reject)
        request.end()
      })
  )

const trustBody = (more: object = {}): string => JSON.stringify({ id: id("e"), role: "field", gen1: false, ...more })

describe("the operator's socket: who may open it", () => {
  it.live("only its owner: mode 0600, whatever the mask of the process", () =>
    Effect.gen(function* () {
      const mask = process.umask(0)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(mask)))
      const path = socketIn(yield* directory)
      const starting = yield* Effect.forkScoped(serve(new FakeDaemon(), path), { startImmediately: true })
      assert.strictEqual(lstatSync(path).mode & 0o777, 0o600, "from its first moment")
      yield* Fiber.join(starting)
      assert.isTrue(lstatSync(path).isSocket())
      assert.strictEqual(lstatSync(path).mode & 0o777, 0o600)
      assert.strictEqual(process.umask(), 0, "the mask is back")
    })
  )

  it.live("the file is gone when the scope closes, and nobody answers any more", () =>
    Effect.gen(function* () {
      const path = socketIn(yield* directory)
      const scope = yield* Scope.make()
      yield* Scope.provide(serve(new FakeDaemon(), path), scope)
      assert.isTrue(existsSync(path))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(existsSync(path))
    })
  )

  it.live("whoever is in the middle of a question does not hold up the end", () =>
    Effect.gen(function* () {
      const path = socketIn(yield* directory)
      const scope = yield* Scope.make()
      yield* Scope.provide(serve(new FakeDaemon(), path), scope)
      const socket = connect(path)
      socket.on("error", () => {})
      socket.write("POST /trust HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
      yield* Effect.sleep(50)
      const startedMs = Date.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(Date.now() - startedMs, 1_000)
      socket.destroy()
    })
  )

  it.live("a socket that a killed daemon left behind is replaced", () =>
    Effect.gen(function* () {
      const path = socketIn(yield* directory)
      const left = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`
      assert.strictEqual(spawnSync(process.execPath, ["-e", left]).signal, "SIGKILL")
      assert.isTrue(lstatSync(path).isSocket(), "the dead daemon's socket is there")
      yield* serve(new FakeDaemon(), path)
      assert.strictEqual((yield* ask(path, "GET", "/status")).status, 200)
    })
  )

  it.live("a living daemon keeps its socket, and the second one is refused", () =>
    Effect.gen(function* () {
      const { path } = yield* served
      const second = yield* Effect.exit(Effect.scoped(serve(new FakeDaemon(), path)))
      assert.match(why(second), /another clawmesh-node answers there/u)
      assert.strictEqual((yield* ask(path, "GET", "/status")).status, 200, "the first one still answers")
    })
  )

  it.live("a daemon that is frozen, with its queue full, still counts as living", () =>
    Effect.gen(function* () {
      const path = socketIn(yield* directory)
      const listens = `require("node:net").createServer().listen({ path: ${JSON.stringify(path)}, backlog: 1 })`
      const frozen = spawn(process.execPath, ["-e", listens], { stdio: "ignore" })
      yield* Effect.addFinalizer(() => Effect.sync(() => frozen.kill("SIGKILL")))
      yield* until("it listens", () => existsSync(path))
      yield* Effect.sleep(50)
      frozen.kill("SIGSTOP")
      let refused = ""
      const queue = Array.from({ length: 8 }, () =>
        connect(path).on("error", (error: NodeJS.ErrnoException) => {
          refused = error.code ?? ""
        })
      )
      yield* Effect.addFinalizer(() => Effect.sync(() => queue.forEach((socket) => socket.destroy())))
      yield* until("its queue is full", () => refused !== "")
      assert.strictEqual(refused, "EAGAIN")
      const second = yield* Effect.exit(Effect.scoped(serve(new FakeDaemon(), path)))
      assert.match(why(second), /another clawmesh-node answers there/u)
    })
  )

  it.live("what is no socket is not touched: neither a file nor a link", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const path = socketIn(state)
      writeFileSync(path, "precious")
      assert.match(why(yield* Effect.exit(Effect.scoped(serve(new FakeDaemon(), path)))), /no socket/u)
      assert.strictEqual(readFileSync(path, "utf8"), "precious")
      const link = join(state, "link.sock")
      symlinkSync(path, link)
      assert.match(why(yield* Effect.exit(Effect.scoped(serve(new FakeDaemon(), link)))), /no socket/u)
      assert.isTrue(lstatSync(link).isSymbolicLink())
    })
  )

  it.live("a directory that is not there, and a path that is too long, are said", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const absent = yield* Effect.exit(Effect.scoped(serve(new FakeDaemon(), join(state, "none", "node.sock"))))
      assert.match(why(absent), /cannot be opened: .*(EACCES|ENOENT)/u)
      const long = join(state, "x".repeat(PATH_BYTES_MAX))
      assert.match(why(yield* Effect.exit(Effect.scoped(serve(new FakeDaemon(), long)))), /longer than 107 bytes/u)
    })
  )
})

describe("the operator's socket: what it answers (B44)", () => {
  const documents = {
    "/status": Api.Status,
    "/peers": Api.Peers,
    "/health": Api.Health,
    "/trust": Api.Trust,
    "/events": Api.Events
  } as const
  for (const [target, schema] of Object.entries(documents)) {
    it.live(`GET ${target} reads by its schema, key for key`, () =>
      Effect.gen(function* () {
        const { daemon, path } = yield* served
        daemon.tell({ event: "peer.down.confirmed", about: id("d"), witnesses: [id("b"), id("c")], reason: "silent" })
        const { document, status, type } = yield* ask(path, "GET", target)
        assert.strictEqual(status, 200)
        assert.strictEqual(type, "application/json")
        assert.strictEqual(document.$type, `clawmesh.${target.slice(1)}/1`)
        const decode = Schema.decodeUnknownSync(schema as Schema.Codec<unknown, unknown>)
        assert.deepStrictEqual(decode(document, { onExcessProperty: "error" }), document)
      })
    )
  }

  it.live("100 requests at once all get their whole answer", () =>
    Effect.gen(function* () {
      const { path } = yield* served
      const targets = ["/status", "/peers", "/health", "/trust", "/events"]
      const asked = Array.from({ length: 100 }, (_, at) => ask(path, "GET", targets[at % targets.length]!))
      const answers = yield* Effect.all(asked, { concurrency: "unbounded" })
      assert.deepStrictEqual(
        answers.map(({ document, status }) => `${status} ${document.$type}`),
        answers.map((_, at) => `200 clawmesh${targets[at % targets.length]!.replace("/", ".")}/1`)
      )
    })
  )

  it.live("events by kind, time and number: the newest of those that fit, and how many are left out", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      daemon.told.length = 0
      for (let n = 0; n < 5; n++) daemon.tell({ event: "peer.up", about: id("b"), incarnation: n }, 1_000 * (5 - n))
      daemon.tell({ event: "leader.elected", about: id("b"), term: 7 })
      const read = (parameters: string) =>
        Effect.map(ask(path, "GET", `/events${parameters}`), ({ document }) => {
          const { events, omitted } = Schema.decodeUnknownSync(Api.Events)(document)
          return `${events.map(({ incarnation, term }) => incarnation ?? `t${term}`).join(" ")} -${omitted}`
        })
      assert.strictEqual(yield* read(""), "0 1 2 3 4 t7 -0")
      assert.strictEqual(yield* read("?type=peer"), "0 1 2 3 4 -0")
      assert.strictEqual(yield* read("?type=peer.up,leader&limit=2"), "4 t7 -4")
      assert.strictEqual(yield* read(`?since=${daemon.now().wall - 2_000}`), "3 4 t7 -0")
      assert.strictEqual(yield* read("?type=node"), " -0")
      assert.strictEqual(yield* read("?limit=0"), " -6")
    })
  )

  it.live("a defect of a view is answered, and the next question too", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      daemon.defect = new Error("planted")
      const broken = yield* ask(path, "GET", "/status")
      assert.strictEqual(broken.status, 500)
      assert.deepInclude(broken.document, { $type: "clawmesh.error/1", code: "INTERNAL_ERROR", exit: 70 })
      daemon.defect = null
      assert.strictEqual((yield* ask(path, "GET", "/status")).status, 200)
    })
  )
})

describe("the operator's socket: trust (B10, B13, C36)", () => {
  it.live("adds, changes and removes, and answers with what the node has made of it", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      const change = (method: string, target: string, body?: string) =>
        Effect.map(ask(path, method, target, body), ({ document }) => {
          const { change, device } = Schema.decodeUnknownSync(Api.TrustChange)(document)
          return `${change} ${device.name} ${device.role}`
        })
      assert.strictEqual(yield* change("POST", "/trust", trustBody({ name: "pi" })), "added pi field")
      assert.deepInclude(daemon.drive.node.durable.trusted, entry("e", "pi"))
      assert.strictEqual(yield* change("POST", "/trust", trustBody({ role: "sensor" })), "changed pi sensor")
      assert.strictEqual(yield* change("DELETE", `/trust/${id("e")}`), "removed pi sensor")
      assert.isFalse(daemon.drive.node.config.trusted.some(({ deviceId }) => deviceId === id("e")))
      assert.deepStrictEqual(
        daemon.offered.map(({ _tag }) => _tag),
        ["Trust", "Trust", "Distrust"]
      )
    })
  )

  it.live("what stands so already is not put before the kernel again: that would end the session", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      const body = JSON.stringify({ id: id("b"), role: "planner", gen1: false })
      const { document } = yield* ask(path, "POST", "/trust", body)
      assert.strictEqual(document["change"], "unchanged")
      assert.deepStrictEqual(daemon.offered, [])
      assert.strictEqual(daemon.drive.sessions("b").length, 1)
    })
  )

  const refusals: ReadonlyArray<readonly [what: string, body: string, code: string, says: RegExp]> = [
    ["no JSON", "{", "WRONG_USE", /no request for trust/u],
    ["no id", trustBody({ id: "e" }), "WRONG_USE", /at \["id"\]/u],
    ["a role that there is not", trustBody({ role: "boss" }), "WRONG_USE", /at \["role"\]/u],
    ["our own id", trustBody({ id: id("a") }), "WRONG_USE", /this node itself/u],
    ["a name that moves the cursor", trustBody({ name: "x\u001b[2J" }), "WRONG_USE", /control characters/u],
    ["a name that looks like an id", trustBody({ name: id("f") }), "WRONG_USE", /look like an id/u],
    ["a name too long", trustBody({ name: "n".repeat(65) }), "WRONG_USE", /at most 64/u],
    ["a name of somebody else", trustBody({ name: "laptop-main" }), "AMBIGUOUS", /is taken by b{64}/u],
    ["our own name", trustBody({ name: "a" }), "AMBIGUOUS", /is taken by a{64}/u],
    ["a key that is none", trustBody({ publicKey: "AAAA" }), "PUBLIC_KEY_MISMATCH", /no public key/u],
    [
      "another device's key",
      trustBody({ publicKey: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }),
      "PUBLIC_KEY_MISMATCH",
      /another device/u
    ],
    ["too much", trustBody({ name: "n".repeat(BODY_BYTES_MAX) }), "WRONG_USE", /at most 16384 bytes/u]
  ]
  for (const [what, body, code, says] of refusals) {
    it.live(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const { daemon, path } = yield* served
        const { document } = yield* ask(path, "POST", "/trust", body)
        const said = Schema.decodeUnknownSync(Api.Failure)(document)
        assert.strictEqual(said.code, code)
        assert.match(said.message, says)
        assert.deepStrictEqual(daemon.offered, [])
      })
    )
  }

  it.live("of a device that is not trusted nothing is removed", () =>
    Effect.gen(function* () {
      const { path } = yield* served
      const { document, status } = yield* ask(path, "DELETE", `/trust/${id("f")}`)
      assert.strictEqual(status, 404)
      assert.deepInclude(document, { code: "NOT_FOUND", exit: 5 })
    })
  )

  it.live("a node that takes nothing up is said to be stuck, not to have done it", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      daemon.stuck = true
      const { document, status } = yield* ask(path, "POST", "/trust", trustBody())
      assert.strictEqual(status, 504)
      assert.deepInclude(document, { code: "TIMEOUT", exit: 7 })
    })
  )

  it.live("a node that has left takes no orders", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      daemon.drive.feed({ _tag: "Leave", reason: "test" })
      const { document } = yield* ask(path, "POST", "/trust", trustBody())
      assert.deepInclude(document, { code: "NOT_RUNNING", exit: 3 })
      assert.deepStrictEqual(daemon.offered, [])
    })
  )

  it.live("contradicting changes that come at once are each answered for themselves", () =>
    Effect.gen(function* () {
      const { path } = yield* served
      const roles = ["field", "sensor", "viewer", "actuator"]
      const answers = yield* Effect.all(
        roles.map((role) => ask(path, "POST", "/trust", trustBody({ role }))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        answers.map(({ document }) => (document["device"] as { readonly role: string }).role),
        roles
      )
    })
  )
})

describe("the operator's socket: followers", () => {
  it.live("hear the kept events that they ask for, then each new one, and none twice", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      daemon.told.length = 0
      for (const term of [1, 2, 3]) daemon.tell({ event: "leader.elected", about: id("b"), term })
      daemon.tell({ event: "peer.up", about: id("b") })
      const follower = yield* followed(path, "&type=leader&limit=2")
      yield* until("the follower listens", () => daemon.listeners.size === 1)
      daemon.tell({ event: "peer.down", about: id("b") })
      daemon.tell({ event: "leader.lost", about: id("b"), term: 3 })
      yield* until("three lines came", () => follower.lines.length === 3)
      assert.deepStrictEqual(
        follower.lines.map((line) => ({ ...line }).event),
        ["leader.elected", "leader.elected", "leader.lost"]
      )
      follower.request.destroy()
    })
  )

  it.live("one that goes away is forgotten, and the others hear on", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      const gone = yield* followed(path)
      const stays = yield* followed(path)
      yield* until("both listen", () => daemon.listeners.size === 2)
      gone.request.destroy()
      yield* until("one is forgotten", () => daemon.listeners.size === 1)
      daemon.tell({ event: "peer.up", about: id("b") })
      yield* until("the other hears", () => stays.lines.length === 1)
      stays.request.destroy()
      yield* until("both are forgotten", () => daemon.listeners.size === 0)
    })
  )

  it.live("are no more than the bound; whoever leaves makes room", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      const all = yield* Effect.all(Array.from({ length: FOLLOWERS_MAX }, () => followed(path)))
      const { document, status } = yield* ask(path, "GET", "/events?follow")
      assert.strictEqual(status, 429)
      assert.deepInclude(document, { code: "RATE_LIMITED" })
      all[0]!.request.destroy()
      yield* until("one is forgotten", () => daemon.listeners.size === FOLLOWERS_MAX - 1)
      const next = yield* followed(path)
      assert.strictEqual(next.response.statusCode, 200)
      for (const { request } of [...all, next]) request.destroy()
    })
  )

  it.live("one that reads nothing is cut off before it costs more than its backlog", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      const socket = connect(path)
      yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
      socket.on("error", () => {})
      socket.pause()
      socket.write("GET /events?follow HTTP/1.1\r\nHost: x\r\n\r\n")
      yield* until("it listens", () => daemon.listeners.size === 1)
      const reason = "x".repeat(10_000)
      // What the system itself holds of a Unix socket comes on top of our own bound.
      const most = Math.ceil((4 * FOLLOWER_BACKLOG_BYTES_MAX) / reason.length)
      let told = 0
      while (daemon.listeners.size === 1 && told < most) {
        for (let n = 0; n < 10; n++) daemon.tell({ event: "peer.dial", about: id("b"), reason })
        told += 10
        yield* Effect.sleep(1)
      }
      assert.strictEqual(daemon.listeners.size, 0)
      assert.strictEqual((yield* ask(path, "GET", "/health")).status, 200)
    })
  )

  it.live("see the end of their stream when the node stops, not a broken connection", () =>
    Effect.gen(function* () {
      const path = socketIn(yield* directory)
      const daemon = new FakeDaemon()
      const scope = yield* Scope.make()
      yield* Scope.provide(serve(daemon, path), scope)
      const follower = yield* followed(path)
      yield* until("it listens", () => daemon.listeners.size === 1)
      yield* Scope.close(scope, Exit.void)
      yield* until("its stream ends", () => follower.ended)
      assert.strictEqual(daemon.listeners.size, 0)
    })
  )
})

describe("the operator's socket: garbage", () => {
  const garbage: ReadonlyArray<readonly [what: string, sent: string | Buffer]> = [
    [
      "bytes that are no HTTP",
      Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x0a, 0x0d, 0x0a, 0x0d])
    ],
    ["a header without end", `GET /status HTTP/1.1\r\nHost: x\r\nX-Long: ${"y".repeat(20_000)}`],
    ["a length that is none", "POST /trust HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"],
    ["two lengths", "POST /trust HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    ["a chunk that is none", "POST /trust HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
  ]
  for (const [what, sent] of garbage) {
    it.live(`${what}: refused, and the next one is served`, () =>
      Effect.gen(function* () {
        const { daemon, path } = yield* served
        assert.match(yield* bytes(path, sent), /^HTTP\/1\.1 (400|431) /u)
        assert.deepStrictEqual(daemon.offered, [])
        assert.strictEqual((yield* ask(path, "GET", "/status")).status, 200)
      })
    )
  }

  it.live("a client that breaks off in the middle of its body changes nothing", () =>
    Effect.gen(function* () {
      const { daemon, path } = yield* served
      const socket = connect(path)
      socket.on("error", () => {})
      socket.write("POST /trust HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
      yield* Effect.sleep(20)
      socket.destroy()
      yield* Effect.sleep(20)
      assert.deepStrictEqual(daemon.offered, [])
      assert.strictEqual((yield* ask(path, "GET", "/status")).status, 200)
    })
  )
})
