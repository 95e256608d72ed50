/**
 * Asks the operator's socket. Whatever can go wrong on the way is a `Failure` with the way out; nothing is believed that the
 * schemas of `Api.ts` do not read, and no answer is waited for, or held, without bound.
 */
import { existsSync } from "node:fs"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Api from "../operator/Api.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { PATH_BYTES_MAX, SERVICE_STATE, socketIn } from "../operator/Place.ts"

export interface Request {
  readonly method: "GET" | "POST" | "DELETE"
  /** `/events?type=peer` */
  readonly target: string
  readonly body?: unknown
}

/** A node answers within milliseconds; a change of trust may take it two seconds. One that is frozen answers never. */
const ANSWER_MS_MAX = 5_000
/** A status of some hundred peers has 100 kB. */
const ANSWER_BYTES_MAX = 8_388_608
/** One event has some hundred bytes. */
const LINE_UNITS_MAX = 65_536

const noAnswer = (socket: string, why: string, hint: string): Failure =>
  failure("NO_ANSWER", `no answer from clawmesh-node (${socket})\n${why}`, hint)

/** A node that runs as a service is not found in the user's own state directory. */
const elsewhere = (socket: string): string => {
  const service = socketIn(SERVICE_STATE)
  return socket !== service && existsSync(SERVICE_STATE)
    ? `A node of this machine may run as a service: sudo clawmesh status --state ${SERVICE_STATE}`
    : "If a node runs with another state directory, name it: clawmesh status --state DIR"
}

const NO_SOCKET = "There is no such socket: no node runs with this state directory."
const GONE = "The node that made this socket is gone."

/** No node runs there, which is another thing than one that does not answer. */
export const isStopped = ({ message }: Failure): boolean => [NO_SOCKET, GONE].some((why) => message.endsWith(why))

const unreachable = (socket: string, error: NodeJS.ErrnoException): Failure => {
  const start = `Start it: clawmesh-node run --state ${dirname(socket)}`
  switch (error.code) {
    case "ENOENT":
    case "ENOTDIR":
      return noAnswer(socket, NO_SOCKET, `${start}\n${elsewhere(socket)}`)
    case "ECONNREFUSED":
      return noAnswer(socket, GONE, start)
    case "ENOTSOCK":
      return noAnswer(socket, "This is no socket.", elsewhere(socket))
    case "EAGAIN":
      return noAnswer(socket, "More programs ask it than it takes in.", "Try again in a moment.")
    case "EACCES":
    case "EPERM":
      return failure(
        "NOT_ALLOWED",
        `not allowed to open ${socket}`,
        "Only the user that the node runs as may: try again with sudo."
      )
    default:
      return error.code?.startsWith("HPE_") === true
        ? foreign(socket, "what it says is not HTTP")
        : noAnswer(socket, `The connection broke: ${error.code ?? error.message}.`, start)
  }
}

const foreign = (socket: string, why: string): Failure =>
  failure(
    "BAD_ANSWER",
    `whatever answers at ${socket} is not a clawmesh-node of this version: ${why}`,
    "If clawmesh was just updated, restart the node: it still runs the old version."
  )

const decodeJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const decodeFailure = Schema.decodeUnknownResult(Api.Failure)

const WHY_UNITS_MAX = 200

const reading = <S extends Schema.Codec<unknown, unknown>>(
  socket: string,
  schema: S,
  text: string
): Effect.Effect<S["Type"], Failure> => {
  const json = decodeJson(text)
  if (!Result.isSuccess(json)) return Effect.fail(foreign(socket, "what it says is not JSON"))
  const said = decodeFailure(json.success)
  if (Result.isSuccess(said)) return Effect.fail(said.success)
  const document = Schema.decodeUnknownResult(schema)(json.success)
  return Result.isSuccess(document)
    ? Effect.succeed(document.success)
    : Effect.fail(foreign(socket, document.failure.message.slice(0, WHY_UNITS_MAX)))
}

type Resume = (outcome: Effect.Effect<string, Failure>) => void

/**
 * One exchange: `onResponse` resumes with what came of it. The connection ends with the effect, however that ends.
 */
const exchange = (
  socket: string,
  { body, method, target }: Request,
  onResponse: (response: IncomingMessage, resume: Resume) => void
): Effect.Effect<string, Failure> => {
  if (Buffer.byteLength(socket) > PATH_BYTES_MAX) {
    const message = `the path of the socket is longer than ${PATH_BYTES_MAX} bytes: ${socket}`
    return Effect.fail(failure("WRONG_USE", message, "Unix sockets have no longer ones: use a shorter --state"))
  }
  return Effect.callback<string, Failure>((resume) => {
    const text = body === undefined ? null : JSON.stringify(body)
    const request = httpRequest({
      socketPath: socket,
      method,
      path: target,
      agent: false,
      headers: text === null ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }
    })
    request.on("error", (error) => resume(Effect.fail(unreachable(socket, error))))
    request.on("response", (response) => {
      response.setEncoding("utf8")
      response.on("error", (error) => resume(Effect.fail(unreachable(socket, error))))
      onResponse(response, resume)
    })
    if (text === null) request.end()
    else request.end(text)
    return Effect.sync(() => {
      request.destroy()
    })
  })
}

const whole = (socket: string) => (response: IncomingMessage, resume: Resume) => {
  let text = ""
  response.on("data", (chunk: string) => {
    if (text.length + chunk.length > ANSWER_BYTES_MAX)
      resume(Effect.fail(foreign(socket, "it does not come to an end")))
    else text += chunk
  })
  response.on("end", () => resume(Effect.succeed(text)))
}

/** Asks, and reads the answer by `schema`. */
export const ask = <S extends Schema.Codec<unknown, unknown>>(
  socket: string,
  request: Request,
  schema: S,
  withinMs = ANSWER_MS_MAX
): Effect.Effect<S["Type"], Failure> =>
  exchange(socket, request, whole(socket)).pipe(
    Effect.timeoutOrElse({
      duration: withinMs,
      orElse: () => {
        const why = `It takes the question and says nothing for ${withinMs / 1_000} s: the node is frozen or overloaded.`
        return Effect.fail(noAnswer(socket, why, "Look at it with: ps -o pid,stat,cmd -C node"))
      }
    }),
    Effect.flatMap((text) => reading(socket, schema, text))
  )

/** Reads a stream of events and gives each to `tell`, until the node ends it, which is a failure: it was to go on. */
export const follow = (
  socket: string,
  target: string,
  tell: (line: Api.EventLine) => void
): Effect.Effect<never, Failure> =>
  exchange(socket, { method: "GET", target }, (response, resume) => {
    if (response.statusCode !== 200) return whole(socket)(response, resume)
    let rest = ""
    response.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop()!
      if (rest.length > LINE_UNITS_MAX) return resume(Effect.fail(foreign(socket, "a line does not come to an end")))
      for (const line of lines) {
        const read = decodeLine(line)
        if (Result.isSuccess(read)) tell(read.success)
        else return resume(Effect.fail(foreign(socket, read.failure.message.slice(0, WHY_UNITS_MAX))))
      }
    })
    const over = (): void =>
      resume(
        Effect.fail(
          failure("NO_ANSWER", `clawmesh-node has ended the stream (${socket})`, "It has stopped: clawmesh status")
        )
      )
    response.on("close", over)
  }).pipe(
    // Only a refusal comes as a whole answer.
    Effect.flatMap((text) => reading(socket, Schema.Never, text))
  )

const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Api.EventLine))
