/**
 * The operator's socket: HTTP/1.1 with JSON on a Unix socket in the state directory, for `clawmesh` and scripts. Whoever may
 * open the file is the operator: it has mode 0600 from its first moment, and there is no other login.
 *
 * Promises: a stale socket of a dead daemon is replaced, a live one is left alone and `serve` fails; nothing that a client
 * sends or leaves out throws, or holds more than the bounds below; when the scope closes, followers see the end of their
 * stream and the file is gone. Two daemons that start at one moment are kept apart by the lock of the state directory, not
 * here.
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { connect } from "node:net"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Daemon, Told } from "../node/Daemon.ts"
import * as Api from "./Api.ts"
import * as Electing from "./Electing.ts"
import * as ElectorsApi from "./ElectorsApi.ts"
import type { Farm } from "./FarmApi.ts"
import * as InviteApi from "./InviteApi.ts"
import * as Inviting from "./Inviting.ts"
import * as Twin from "./Twin.ts"
import { failure, type Failure, failures, isFailure } from "./Failure.ts"
import { PATH_BYTES_MAX } from "./Place.ts"
import { type Asked, read } from "./Requests.ts"
import * as Acting from "./Acting.ts"
import * as Deciding from "./Deciding.ts"
import * as Trusting from "./Trusting.ts"
import * as Views from "./Views.ts"

/** A `TrustRequest` has a few hundred. */
export const BODY_BYTES_MAX = 16_384
/** People and tools that follow the events at one moment. */
export const FOLLOWERS_MAX = 32
/** Of what is said about a body that does not read. */
const MESSAGE_UNITS_MAX = 500
/** What a follower may leave unread before it is cut off: thousands of events. */
export const FOLLOWER_BACKLOG_BYTES_MAX = 1_048_576
/** Connections at one moment; more are closed at once. */
const CONNECTIONS_MAX = 512
const HEADER_BYTES_MAX = 8_192
/** From a request's first byte to its last; the client is on the same machine. */
const REQUEST_MS_MAX = 5_000
/** Whether somebody lives behind a socket shows at once; a program that is frozen still counts as living. */
const PROBE_MS_MAX = 1_000

export class SocketFailed extends Schema.TaggedError<SocketFailed>()("SocketFailed", {
  path: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `the operator's socket ${this.path} cannot be opened: ${this.why}`
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ""

/** Whether a program listens behind the socket at `path`. */
const isAlive = (path: string): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = connect(path)
    const end = (alive: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resume(Effect.succeed(alive))
    }
    const timer = setTimeout(() => end(true), PROBE_MS_MAX)
    socket.once("connect", () => end(true))
    // Only these two say that nobody is there; a full queue or a missing right says the opposite.
    socket.on("error", (error) => end(!["ECONNREFUSED", "ENOENT"].includes(codeOf(error))))
  })

/** Makes room at `path`, unless something is there that is not ours to remove. */
const clear = Effect.fnUntraced(function* (path: string) {
  const fail = (why: string) => Effect.fail(new SocketFailed({ path, why }))
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    return yield* fail(`its path is longer than ${PATH_BYTES_MAX} bytes; use a shorter --state`)
  const found = yield* Effect.try({
    try: () => lstatSync(path, { throwIfNoEntry: false }),
    catch: (error) => new SocketFailed({ path, why: String(error) })
  })
  if (found === undefined) return
  if (!found.isSocket()) return yield* fail("there is a file of this name that is no socket; move it away")
  if (yield* isAlive(path)) return yield* fail("another clawmesh-node answers there")
  yield* Effect.try({
    try: () => unlinkSync(path),
    catch: (error) => new SocketFailed({ path, why: `the socket of a daemon that is gone stays: ${String(error)}` })
  })
})

/** Binds with no rights for anybody but the owner: `listen` binds at once, so the mask is back before anything else runs. */
const bindPrivately = (server: Server, path: string): void => {
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
}

const listen = (server: Server, path: string): Effect.Effect<void, SocketFailed> =>
  Effect.callback<void, SocketFailed>((resume) => {
    const failed = (error: unknown): void => resume(Effect.fail(new SocketFailed({ path, why: String(error) })))
    server.once("error", failed)
    server.once("listening", () => {
      server.removeListener("error", failed)
      server.on("error", () => {})
      try {
        chmodSync(path, 0o600)
        resume(Effect.void)
      } catch (error) {
        failed(error)
      }
    })
    try {
      bindPrivately(server, path)
    } catch (error) {
      failed(error)
    }
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    // Answers with an error where it never listened, which is as closed as it can be.
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

/** Serves until the scope closes. */
export const serve = Effect.fn("Operator.serve")(function* (daemon: Daemon, path: string) {
  yield* clear(path)
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer({
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: REQUEST_MS_MAX,
        requestTimeout: REQUEST_MS_MAX,
        connectionsCheckingInterval: REQUEST_MS_MAX / 5
      })
    ),
    close
  )
  server.maxConnections = CONNECTIONS_MAX
  const desk: Desk = { daemon, followers: 0, changes: yield* Semaphore.make(1) }
  const run = yield* FiberSet.makeRuntime<never>()
  server.on("request", (request, response) => {
    // A client that goes away in the middle is no news.
    request.on("error", () => {})
    response.on("error", () => {})
    run(answer(desk, request, response))
  })
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    else socket.destroy()
  })
  yield* listen(server, path)
})

interface Desk {
  readonly daemon: Daemon
  followers: number
  /** One change of trust, or of the electors, at a time, so that each answer is about its own. */
  readonly changes: Semaphore.Semaphore
}

type Document =
  | Api.Actuators
  | Api.Command
  | Api.Proposals
  | Api.Decided
  | Api.Token
  | Api.World
  | Api.Trace
  | Api.Echo
  | Api.Status
  | Api.Peers
  | Api.Health
  | Api.Trust
  | Api.TrustChange
  | ElectorsApi.Electors
  | Farm
  | InviteApi.Invited
  | InviteApi.Invites
  | Api.Events
  | Failure

const send = (response: ServerResponse, document: Document): void => {
  if (response.headersSent) return
  const body = `${JSON.stringify(document)}\n`
  response.writeHead(isFailure(document) ? failures[document.code].status : 200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    // What is left of a body that was refused is not read.
    ...(isFailure(document) ? { connection: "close" } : {})
  })
  response.end(body)
}

const answer = (desk: Desk, request: IncomingMessage, response: ServerResponse): Effect.Effect<void> => {
  const asked = read(request.method ?? "", request.url ?? "")
  const reply = isAsked(asked) ? perform(desk, asked, request, response) : Effect.succeed(asked)
  return reply.pipe(
    Effect.catchCause(() =>
      Effect.succeed(failure("INTERNAL_ERROR", "the node could not answer: this is a defect of clawmesh"))
    ),
    Effect.map((document) => {
      if (document !== null) send(response, document)
    })
  )
}

const isAsked = (asked: Asked | Failure): asked is Asked => "_tag" in asked

/** `null`: the answer is a stream, and over. */
const perform = (
  desk: Desk,
  asked: Asked,
  request: IncomingMessage,
  response: ServerResponse
): Effect.Effect<Document | null> => {
  const { changes, daemon } = desk
  switch (asked._tag) {
    case "status":
    case "peers":
    case "health":
    case "trust": {
      const view = Views[asked._tag]
      return Effect.sync(() => view(daemon))
    }
    case "events":
      return Effect.sync(() => Views.events(daemon, asked.question))
    case "world":
      return Effect.sync(() => Views.world(daemon, asked.question))
    case "trace":
      return Effect.sync(
        () =>
          Views.trace(daemon, asked.frameId) ??
          failure("NOT_FOUND", "no such frame is held here", "clawmesh world --json")
      )
    case "echo":
      return Views.echo(daemon, asked.id)
    case "follow":
      return follow(desk, asked.question, response)
    case "remove":
      return changes.withPermits(1)(Trusting.remove(daemon, asked.id))
    case "actuators":
      return Effect.sync(() => Acting.actuators(daemon))
    case "proposals":
      return Effect.sync(() => Deciding.proposals(daemon))
    case "propose":
      return reading(request, "a proposal", decodePropose, (wanted) => Deciding.propose(daemon, wanted))
    case "engine":
      return reading(request, "an engine", decodeEngine, (wanted) => Acting.engine(daemon, wanted))
    case "token":
      return reading(request, "the id of a proposal", decodeToken, (wanted) => Deciding.token(daemon, wanted))
    case "decide":
      return reading(request, "a decision", decodeDecide, (wanted) => Deciding.decide(daemon, wanted))
    case "electors":
      return Effect.sync(() => Electing.electors(daemon))
    case "farm":
      return Effect.sync(() => Twin.farm(daemon))
    case "invites":
      return Effect.sync(() => Inviting.invites(daemon))
    case "shut":
      return Effect.sync(() => Inviting.shut(daemon))
    case "invite":
      return reading(request, "an invite", decodeInvite, (wanted) => Effect.sync(() => Inviting.invite(daemon, wanted)))
    case "elect":
      return reading(request, "a change of the electors", decodeElectors, (wanted) =>
        changes.withPermits(1)(Electing.change(daemon, wanted))
      )
    case "add":
      return reading(request, "trust", decodeTrust, (wanted) => changes.withPermits(1)(Trusting.add(daemon, wanted)))
    case "hold":
      return reading(request, "a hold", decodeHold, (wanted) => changes.withPermits(1)(Acting.hold(daemon, wanted)))
    case "hold-of":
      return reading(request, "a hold", decodeHoldOf, (wanted) => Acting.holdOf(daemon, wanted))
    case "command":
      return reading(request, "a command", decodeCommand, (wanted) => Acting.command(daemon, wanted))
  }
}

const decodeTrust = Schema.decodeUnknownResult(Schema.fromJsonString(Api.TrustRequest))
const decodeElectors = Schema.decodeUnknownResult(Schema.fromJsonString(ElectorsApi.ElectorsRequest))
const decodeInvite = Schema.decodeUnknownResult(Schema.fromJsonString(InviteApi.InviteRequest))
const decodeHold = Schema.decodeUnknownResult(Schema.fromJsonString(Api.HoldRequest))
const decodeHoldOf = Schema.decodeUnknownResult(Schema.fromJsonString(Api.HoldOfRequest))
const decodePropose = Schema.decodeUnknownResult(Schema.fromJsonString(Api.ProposeRequest))
const decodeEngine = Schema.decodeUnknownResult(Schema.fromJsonString(Api.EngineRequest))
const decodeDecide = Schema.decodeUnknownResult(Schema.fromJsonString(Api.DecideRequest))
const decodeToken = Schema.decodeUnknownResult(Schema.fromJsonString(Api.TokenRequest))
const decodeCommand = Schema.decodeUnknownResult(Schema.fromJsonString(Api.CommandRequest))

/** What the body asks for, done; or why it does not read. */
const reading = <Wanted>(
  request: IncomingMessage,
  what: string,
  decode: (body: string) => Result.Result<Wanted, { readonly message: string }>,
  use: (wanted: Wanted) => Effect.Effect<Document>
): Effect.Effect<Document> =>
  Effect.flatMap(bodyOf(request), (body) => {
    if (typeof body !== "string") return Effect.succeed<Document>(body)
    const wanted = decode(body)
    if (Result.isSuccess(wanted)) return use(wanted.success)
    const why = wanted.failure.message.slice(0, MESSAGE_UNITS_MAX)
    return Effect.succeed(failure("WRONG_USE", `this is no request for ${what}: ${why}`))
  })

const bodyOf = (request: IncomingMessage): Effect.Effect<string | Failure> =>
  Effect.callback<string | Failure>((resume) => {
    const chunks: Array<Buffer> = []
    let bytes = 0
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
      else resume(Effect.succeed(failure("WRONG_USE", `a request has at most ${BODY_BYTES_MAX} bytes`)))
    })
    request.on("end", () => resume(Effect.sync(() => Buffer.concat(chunks).toString("utf8"))))
    request.on("close", () => resume(Effect.succeed(failure("WRONG_USE", "the request broke off"))))
  })

/** Streams events as lines of JSON until the client goes, falls behind, or the node stops. */
const follow = (desk: Desk, question: Views.Question, response: ServerResponse): Effect.Effect<Document | null> => {
  const { daemon } = desk
  if (desk.followers >= FOLLOWERS_MAX) {
    const message = `${FOLLOWERS_MAX} already follow the events of this node`
    return Effect.succeed(failure("RATE_LIMITED", message, "end one of them"))
  }
  desk.followers++
  const write = (told: Told): void => {
    if (response.writableLength > FOLLOWER_BACKLOG_BYTES_MAX) response.destroy()
    if (!response.destroyed) response.write(`${JSON.stringify(Views.eventLine(daemon, told))}\n`)
  }
  // What comes while the kept events are written waits, and what stands among them is not told twice.
  let early: Array<Told> | null = []
  const listener = (told: Told): void => {
    if (!Views.answers(daemon.state(), question, told)) return
    if (early === null) write(told)
    else early.push(told)
  }
  const stream = Effect.callback<void>((resume) => {
    response.on("close", () => resume(Effect.void))
    if (response.destroyed) return resume(Effect.void)
    response.writeHead(200, { "content-type": "application/x-ndjson", connection: "close" })
    response.flushHeaders()
    const kept = daemon.events()
    const fitting = kept.filter((told) => Views.answers(daemon.state(), question, told))
    for (const told of fitting.slice(Math.max(0, fitting.length - question.limit))) write(told)
    const stood = new Set(kept)
    for (const told of early ?? []) if (!stood.has(told)) write(told)
    early = null
  })
  const end = Effect.sync(() => {
    response.end()
  })
  return Effect.acquireUseRelease(
    Effect.sync(() => daemon.subscribe(listener)),
    () => stream,
    (unsubscribe) => Effect.andThen(unsubscribe, end)
  ).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        desk.followers--
      })
    ),
    Effect.as(null)
  )
}
