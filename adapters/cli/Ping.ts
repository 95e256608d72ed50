/**
 * `clawmesh ping`: finds a device, dials it, looks at the handshake and has it answer, one line a stage, so that whoever stands
 * in the field sees which of them fails, and what to do. It asks the node, and knocks at the address itself. Where there is no way
 * from here it asks whether others have one.
 *
 * Under `--json` one document a stage.
 */
import { connect } from "node:net"
import * as Effect from "effect/Effect"
import { printable } from "../config/Printable.ts"
import * as Api from "../operator/Api.ts"
import { failure, type Failure } from "../operator/Failure.ts"
import { ask } from "./Client.ts"
import { resolve } from "./Devices.ts"
import type { Errand } from "./Errand.ts"
import { duration, styled } from "./Text.ts"

/** A machine that is there accepts or refuses within milliseconds; on a bad line within seconds. */
const KNOCK_MS = 3_000
/** For how long a session that is on its way is waited for. */
const SESSION_MS = 10_000
const LOOK_MS = 250

type Stage = "find" | "dial" | "handshake" | "echo"

interface Line {
  readonly stage: Stage
  readonly ok: boolean
  readonly text: string
  /** The way out; `null`: none is needed. */
  readonly hint: string | null
  readonly tookMs?: number
}

const say = ({ look, manner, out }: Errand, line: Line): void => {
  if (manner.json) return out(`${JSON.stringify({ $type: "clawmesh.ping/1", ...line })}\n`)
  const mark = line.ok ? styled("✓", "green", look) : styled("✗", "red", look)
  out(`${line.stage.padEnd(10)} ${mark} ${printable(line.text)}\n`)
  if (line.hint !== null && !look.quiet) out(`           ${printable(line.hint)}\n`)
}

/** `host:port`, also out of a URL and with an IPv6 address; `null`: it is neither. */
export const placeOf = (address: string): { readonly host: string; readonly port: number } | null => {
  const url = URL.parse(/^wss?:/u.test(address) ? address.replace(/^ws/u, "http") : `http://${address}`)
  if (url === null) return null
  const port = Number(url.port) || (address.startsWith("wss") ? 443 : 80)
  return { host: url.hostname.replace(/^\[|\]$/gu, ""), port }
}

type Knock = { readonly tookMs: number; readonly error: string | null }

export const knock = (host: string, port: number): Effect.Effect<Knock> =>
  Effect.callback<Knock>((resume) => {
    const begun = performance.now()
    const socket = connect({ host, port, timeout: KNOCK_MS })
    const end = (error: string | null): void => {
      socket.destroy()
      resume(Effect.succeed({ tookMs: Math.round(performance.now() - begun), error }))
    }
    socket.once("connect", () => end(null))
    socket.once("timeout", () => end("ETIMEDOUT"))
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    return Effect.sync(() => socket.destroy())
  })

/** What a knock that failed says of the machine there, and what to do. */
export const knockWords = (error: string, name: string): readonly [text: string, hint: string] => {
  switch (error) {
    case "ECONNREFUSED":
      return [
        "refused",
        `The machine is on, and no clawmesh-node listens there. On ${name}: systemctl status clawmesh-node`
      ]
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return ["no route", `No machine answers at that address: is ${name} on, and in the same network?`]
    case "ETIMEDOUT":
      return [
        `no answer within ${KNOCK_MS / 1_000} s`,
        `The machine is off or away, or a firewall drops what comes to that port.`
      ]
    default:
      return [error, "The address does not lead to a machine: look at it with clawmesh peers."]
  }
}

const statusOf = (socket: string) => ask(socket, { method: "GET", target: "/status" }, Api.Status)

const peerIn = (name: string, { node, peers }: Api.Status): Effect.Effect<Api.Peer, Failure> => {
  if (name === node.name && peers.every((peer) => peer.name !== name))
    return Effect.fail(failure("NOT_FOUND", `${printable(name)} is this node itself`, "clawmesh status"))
  const found = resolve(name, peers, "clawmesh peers")
  return "$type" in found ? Effect.fail(found) : Effect.succeed(found)
}

const find = (errand: Errand, { dialling, link, role }: Api.Peer): boolean => {
  const [address] = dialling.addresses
  const where = link?.address ?? address
  const line: Line =
    where === undefined && link === null
      ? {
          stage: "find",
          ok: false,
          text: `trusted as ${role}; no address known`,
          hint: "Is it on, and in this network? Or give its address: --peer at the node's start."
        }
      : {
          stage: "find",
          ok: true,
          text: `trusted as ${role}, at ${where ?? "the other end of its own dial"}`,
          hint: null
        }
  say(errand, line)
  return line.ok
}

const dial = (errand: Errand, name: string, { dialling, link }: Api.Peer): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const [first] = dialling.addresses
    const address = link?.dialledBy === "us" ? (link.address ?? first) : first
    const place = address === undefined ? null : placeOf(address)
    if (place === null) {
      // It dialled us, from a port that nobody listens at.
      say(errand, { stage: "dial", ok: true, text: "it dials this node; nothing to knock at", hint: null })
      return true
    }
    const { error, tookMs } = yield* knock(place.host, place.port)
    if (error === null) {
      say(errand, { stage: "dial", ok: true, text: `tcp open after ${tookMs} ms`, hint: null, tookMs })
      return true
    }
    const [text, hint] = knockWords(error, name)
    // A session that is there all the same goes another way.
    say(errand, { stage: "dial", ok: false, text: `tcp ${text}`, hint: link === null ? hint : null, tookMs })
    return link !== null
  })

const handshake = (errand: Errand, name: string): Effect.Effect<boolean, Failure> =>
  Effect.gen(function* () {
    const until = errand.nowMs() + SESSION_MS
    for (;;) {
      const peer = yield* peerIn(name, yield* statusOf(errand.socket))
      const { dialling, link, refused } = peer
      if (link !== null) {
        const how = link.security === null ? "" : `, ${link.security}`
        const text = `session for ${duration(link.sinceMs)}, incarnation ${peer.incarnation}${how}`
        say(errand, { stage: "handshake", ok: true, text, hint: null })
        return true
      }
      if (refused !== null || errand.nowMs() >= until) {
        const next = dialling.nextInMs === null ? "" : `, next try in ${duration(dialling.nextInMs)}`
        say(errand, {
          stage: "handshake",
          ok: false,
          text: refused === null ? `no session within ${SESSION_MS / 1_000} s${next}` : `refused: ${refused}`,
          hint: `clawmesh events --kind connection shows why; on ${name}: clawmesh trust list`
        })
        return false
      }
      yield* Effect.sleep(LOOK_MS)
    }
  })

const echo = (errand: Errand, id: string, how = ""): Effect.Effect<boolean, Failure> =>
  Effect.map(ask(errand.socket, { method: "POST", target: `/echo/${id}` }, Api.Echo), ({ code, ok, text, tookMs }) => {
    say(errand, {
      stage: "echo",
      ok,
      text: ok ? `${how}there and back in ${tookMs} ms` : `${code ?? "no"}: ${text}`,
      hint:
        ok || how !== ""
          ? null
          : "It holds a session and does not answer: it is frozen, overloaded, or of another version.",
      tookMs
    })
    return ok
  })

export const ping = (
  errand: Errand,
  { count, name }: { readonly name: string; readonly count: number }
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const peer = yield* peerIn(name, yield* statusOf(errand.socket))
    const failed = (stage: Stage) =>
      Effect.fail(failure("DELIVERY_FAILED", `${printable(name)} does not answer: ${stage} failed`))
    const missed: Stage | null = !find(errand, peer)
      ? "find"
      : !(yield* dial(errand, name, peer))
        ? "dial"
        : (yield* handshake(errand, name))
          ? null
          : "handshake"
    if (missed !== null) {
      // Others may have a link with it.
      if (!(yield* echo(errand, peer.id, "over others, "))) return yield* failed(missed)
      return
    }
    for (let i = 0; i < count; i++) {
      if (i > 0) yield* Effect.sleep(1_000)
      if (!(yield* echo(errand, peer.id))) return yield* failed("echo")
    }
  })
