import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, writeFileSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { join, resolve } from "node:path"
import { PATH_BYTES_MAX, socketIn } from "../../../adapters/operator/Place.ts"
import { serve } from "../../../adapters/operator/Socket.ts"
import { id } from "../../kernel/drive.ts"
import { FakeDaemon } from "../operator/FakeDaemon.ts"
import { until } from "../operator/Wire.ts"
import { clawmesh, directory, type Said } from "./Terminal.ts"

const fails = (said: Said, exit: number, ...patterns: ReadonlyArray<RegExp>): void => {
  for (const pattern of patterns) assert.match(said.err, pattern)
  assert.strictEqual(said.out, "")
  assert.strictEqual(said.exit, exit)
}

/** Something that is no node, behind a node's socket; the directory in which it is. */
const impostor = (onConnection: (socket: Socket) => void) =>
  Effect.gen(function* () {
    const state = yield* directory
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      onConnection(socket)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(socketIn(state), () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    )
    return state
  })

const answering = (body: string, status = "200 OK") =>
  impostor((socket) => {
    socket.once("data", () =>
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
    )
  })

describe("clawmesh without a node: exit 3, with the socket and the way out", () => {
  it.live("there is no socket", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const said = yield* clawmesh(state, "status")
      fails(
        said,
        3,
        /There is no such socket/u,
        /clawmesh-node run --state /u,
        /clawmesh status --state DIR|sudo clawmesh/u
      )
      assert.include(said.err, `clawmesh: no answer from clawmesh-node (${socketIn(state)})\n`)
      for (const line of [
        "peers",
        "events",
        "events -f",
        "trust list",
        `trust add ${id("e")} --role field`,
        "trust remove x"
      ])
        fails(yield* clawmesh(state, line), 3, /no answer from clawmesh-node/u)
    })
  )

  it.live("--state names another directory, from where one stands", () =>
    Effect.gen(function* () {
      const state = yield* directory
      mkdirSync(join(state, "other"))
      yield* serve(new FakeDaemon(), socketIn(join(state, "other")))
      fails(yield* clawmesh(state, "status"), 3)
      for (const named of [join(state, "other"), "other"])
        assert.strictEqual((yield* clawmesh(state, ["status", "--state", named], { cwd: state })).exit, 0)
    })
  )

  it.live("the node that made the socket was killed", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const left = `require("node:net").createServer().listen(${JSON.stringify(socketIn(state))}, () => process.kill(process.pid, "SIGKILL"))`
      assert.strictEqual(spawnSync(process.execPath, ["-e", left]).signal, "SIGKILL")
      fails(yield* clawmesh(state, "status"), 3, /The node that made this socket is gone\./u, /Start it: /u)
    })
  )

  it.live("the node stopped in good order", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const scope = yield* Scope.make()
      yield* Scope.provide(serve(new FakeDaemon(), socketIn(state)), scope)
      assert.strictEqual((yield* clawmesh(state, "status")).exit, 0)
      yield* Scope.close(scope, Exit.void)
      fails(yield* clawmesh(state, "status"), 3, /There is no such socket/u)
    })
  )

  it.live("a file stands where the socket was to be", () =>
    Effect.gen(function* () {
      const state = yield* directory
      writeFileSync(socketIn(state), "")
      fails(yield* clawmesh(state, "status"), 3, /gone|no socket/u)
    })
  )

  it.live("a path that no socket can have is wrong use", () =>
    Effect.gen(function* () {
      fails(
        yield* clawmesh(`/${"x".repeat(PATH_BYTES_MAX)}`, "status"),
        2,
        /longer than 107 bytes/u,
        /shorter --state/u
      )
    })
  )

  it.live("somebody else's socket: exit 4", () =>
    Effect.gen(function* () {
      const state = yield* directory
      yield* serve(new FakeDaemon(), socketIn(state))
      // Loads what the command needs, while we still may read it.
      assert.strictEqual((yield* clawmesh(state, "status")).exit, 0)
      // Root may open everything, so root becomes nobody for a moment.
      const uid = process.geteuid!()
      if (uid === 0) process.seteuid!(65_534)
      else chmodSync(socketIn(state), 0)
      const said = yield* clawmesh(state, "status").pipe(
        Effect.ensuring(
          Effect.sync(() => {
            if (uid === 0) process.seteuid!(0)
          })
        )
      )
      fails(said, 4, /^clawmesh: not allowed to open /u, /sudo/u)
    })
  )
})

describe("clawmesh and something that is no node", () => {
  const bad: ReadonlyArray<readonly [what: string, body: string]> = [
    ["text", "hello"],
    ["nothing", ""],
    ["a number", "7"],
    ["null", "null"],
    ["another type", '{"$type":"clawmesh.peers/1"}'],
    ["another version", '{"$type":"clawmesh.status/2"}'],
    ["a document with holes", '{"$type":"clawmesh.status/1","at":"x","seenFrom":"y"}'],
    ["deep nesting", "[".repeat(100_000)]
  ]
  for (const [what, body] of bad)
    it.live(`${what} is believed of nobody: exit 3`, () =>
      Effect.gen(function* () {
        const state = yield* answering(body)
        fails(yield* clawmesh(state, "status"), 3, /is not a clawmesh-node of this version/u, /restart the node/u)
      })
    )

  it.live("bytes that are no HTTP: exit 3", () =>
    Effect.gen(function* () {
      const state = yield* impostor((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"))
      fails(yield* clawmesh(state, "status"), 3, /what it says is not HTTP/u)
    })
  )

  it.live("a connection that closes without a word, or in the middle: exit 3", () =>
    Effect.gen(function* () {
      const silent = yield* impostor((socket) => socket.once("data", () => socket.destroy()))
      fails(yield* clawmesh(silent, "status"), 3, /The connection broke/u)
      const half = yield* impostor((socket) =>
        socket.once("data", () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"$type":'))
      )
      fails(yield* clawmesh(half, "status"), 3, /The connection broke/u)
    })
  )

  it.live("an answer that does not end is not held", () =>
    Effect.gen(function* () {
      const state = yield* impostor((socket) => {
        const flood = (): void => {
          while (!socket.destroyed && socket.write("x".repeat(65_536)));
        }
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
          flood()
        })
        socket.on("drain", flood)
      })
      fails(yield* clawmesh(state, "status"), 3, /does not come to an end/u)
      fails(yield* clawmesh(state, "events -f"), 3, /does not come to an end/u)
    })
  )

  it.live("events --about: a device by its name or id, what moves, and a proposal as people say it", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const daemon = new FakeDaemon()
      yield* serve(daemon, socketIn(state))
      const proposal = "4F2KAAAABBBBCCCCDDDDEEEE"
      daemon.tell({ event: "peer.up", about: id("b"), reason: "w1" })
      daemon.tell({ event: "actuator.done", actuator: "actuator:pump-1", reason: "w2" })
      daemon.tell({
        event: "proposal.approved",
        about: id("d"),
        actuator: "actuator:valve-1",
        proposal,
        reason: "w3"
      })
      daemon.tell({ event: "peer.suspect", about: id("d"), witnesses: [id("b")], reason: "w4" })
      const reasons = (out: string) => ["w1", "w2", "w3", "w4"].filter((word) => out.includes(word))
      for (const [about, ...expected] of [
        ["laptop-main", "w1", "w4"],
        [id("b"), "w1", "w4"],
        ["pump-1", "w2"],
        ["actuator:pump-1", "w2"],
        ["valve-1", "w3"],
        ["P-4F2K", "w3"],
        [proposal, "w3"],
        ["4F2K"],
        ["pump"]
      ]) {
        const { exit, out } = yield* clawmesh(state, ["events", "--about", about!])
        assert.deepStrictEqual([exit, reasons(out)], [0, expected], about)
      }
    })
  )

  it.live(
    "a node that is frozen takes the question and says nothing: exit 3 after five seconds, not never",
    () =>
      Effect.gen(function* () {
        const state = yield* impostor(() => {})
        const startedMs = Date.now()
        fails(yield* clawmesh(state, "status"), 3, /says nothing for 5 s: the node is frozen/u)
        assert.isBelow(Date.now() - startedMs, 7_000)
      }),
    15_000
  )

  it.live("words of a false node cannot write to the terminal, and its exit code is a known one", () =>
    Effect.gen(function* () {
      const said = { $type: "clawmesh.error/1", code: "NOT_FOUND", exit: 5, message: "a\u001b[2Jb", hint: "c\u0007" }
      const state = yield* answering(JSON.stringify(said), "404 Not Found")
      const shown = yield* clawmesh(state, "status")
      assert.deepStrictEqual(shown, { out: "", err: "clawmesh: a·[2Jb\n  c·\n", exit: 5 })
      const odd = yield* answering(JSON.stringify({ ...said, exit: 0 }))
      fails(yield* clawmesh(odd, "status"), 3)
    })
  )
})

describe("clawmesh events -f", () => {
  it.live("shows the last ones, tells each new one as it comes, and ends with the node: exit 3", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const daemon = new FakeDaemon()
      const scope = yield* Scope.make()
      yield* Scope.provide(serve(daemon, socketIn(state)), scope)
      for (let n = 0; n < 15; n++) daemon.tell({ event: "peer.dial", about: id("b"), reason: `dial ${n}` })
      let out = ""
      const following = yield* Effect.forkChild(
        clawmesh(state, "events -f --kind peer", {
          out: (text) => {
            out += text
          }
        })
      )
      yield* until("the past was shown", () => out.split("\n").length === 11)
      assert.include(out, "dial 5")
      assert.notInclude(out, "dial 4")
      daemon.tell({ event: "leader.lost", about: id("b"), term: 7 })
      daemon.tell({ event: "peer.suspect", about: id("d"), reason: "silent 1.2 s" })
      yield* until("the new one was told", () => /peer\.suspect +barn-laptop +silent 1\.2 s\n$/u.test(out))
      assert.notInclude(out, "leader.lost")
      yield* Scope.close(scope, Exit.void)
      const said = yield* Fiber.join(following)
      assert.strictEqual(said.exit, 3)
      assert.match(said.err, /clawmesh-node has ended the stream/u)
    })
  )

  it.live("--json: one document a line", () =>
    Effect.gen(function* () {
      const state = yield* directory
      const daemon = new FakeDaemon()
      yield* serve(daemon, socketIn(state))
      daemon.tell({ event: "peer.up", about: id("b") })
      let out = ""
      yield* Effect.forkChild(
        clawmesh(state, "events -f --json", {
          out: (text) => {
            out += text
          }
        })
      )
      yield* until("a line came", () => out.endsWith("\n"))
      assert.deepInclude(JSON.parse(out), { $type: "clawmesh.event/1", event: "peer.up", name: "laptop-main" })
    })
  )
})

describe("the program clawmesh", () => {
  const program = resolve(import.meta.dirname, "../../../adapters/clawmesh.ts")
  const run = (...words: ReadonlyArray<string>) =>
    spawnSync(process.execPath, [program, ...words], { encoding: "utf8" })

  it.live("ends with the exit code of its command", () =>
    Effect.gen(function* () {
      const state = yield* directory
      assert.strictEqual(run("help").status, 0)
      assert.match(run("version").stdout, /^clawmesh \d+\.\d+\.\d+\n$/u)
      assert.strictEqual(run("statsu").status, 2)
      const stopped = run("status", "--state", state, "--json")
      assert.strictEqual(stopped.status, 3)
      assert.deepInclude(JSON.parse(stopped.stdout), { $type: "clawmesh.error/1", code: "NO_ANSWER", exit: 3 })
    })
  )

  it.live(
    "ends when the reader of its pipe does: events -f | head",
    () =>
      Effect.gen(function* () {
        const state = yield* directory
        const daemon = new FakeDaemon()
        yield* serve(daemon, socketIn(state))
        daemon.tell({ event: "peer.up", about: id("b") })
        const child = spawn(process.execPath, [program, "events", "-f", "--state", state], {
          stdio: ["ignore", "pipe", "pipe"]
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
        let ended: number | null = null
        let err = ""
        child.stderr.on("data", (chunk: Buffer) => {
          err += chunk.toString()
        })
        child.on("exit", (code) => {
          ended = code
        })
        yield* Effect.callback<void>((resume) => {
          child.stdout.once("data", () => resume(Effect.void))
        })
        child.stdout.destroy()
        for (let n = 0; n < 300 && ended === null; n++) {
          daemon.tell({ event: "peer.dial", about: id("b") })
          yield* Effect.sleep(10)
        }
        assert.strictEqual(ended, 0)
        assert.strictEqual(err, "")
      }),
    20_000
  )
})
