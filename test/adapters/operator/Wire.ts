/** Speaks to the operator's socket as it comes: bytes, or one request. */
import * as Effect from "effect/Effect"
import { request as httpRequest } from "node:http"
import { connect } from "node:net"

export interface Answered {
  readonly status: number
  readonly type: string
  readonly document: { readonly $type: string; readonly [field: string]: unknown }
}

export const ask = (path: string, method: string, target: string, body?: string): Effect.Effect<Answered> =>
  Effect.promise(
    () =>
      new Promise<Answered>((resolve, reject) => {
        const request = httpRequest({ socketPath: path, method, path: target, agent: false }, (response) => {
          let text = ""
          response.setEncoding("utf8")
          response.on("data", (chunk: string) => {
            text += chunk
          })
          response.on("error", reject)
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              type: response.headers["content-type"] ?? "",
              document: JSON.parse(text) as Answered["document"]
            })
          )
        })
        request.on("error", reject)
        request.end(body)
      })
  )

/** Sends these bytes and gives back what came until the far end closed. */
export const bytes = (path: string, sent: string | Buffer): Effect.Effect<string> =>
  Effect.promise(
    () =>
      new Promise<string>((resolve) => {
        const socket = connect(path)
        let got = ""
        socket.on("data", (chunk) => {
          got += chunk.toString("latin1")
        })
        socket.on("error", () => {})
        socket.on("close", () => resolve(got))
        socket.write(sent)
      })
  )

/** Comes back once `holds`; fails the test where that takes longer than a second or two. */
export const until = (what: string, holds: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 400; tries++) {
      if (holds()) return
      yield* Effect.sleep(5)
    }
    return yield* Effect.die(new Error(`it never came to be: ${what}`))
  })
