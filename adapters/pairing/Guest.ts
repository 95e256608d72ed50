/**
 * The joining end of the ceremony (PROTOCOL.md part 19): one connection to one address, and what came of it. It keeps nothing and
 * writes nothing.
 *
 * Promises: what it gives is believed by the proof of the code alone, and only for this very TLS connection; it ends within the
 * limit, whatever answers there.
 */
import * as tls from "node:tls"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import {
  type Challenge,
  type Grant,
  type Knock,
  knockString,
  type Meeting,
  type Refusal,
  SUBPROTOCOL,
  welcomeString
} from "../../kernel/pairing/Ceremony.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import { isPrintable } from "../config/Printable.ts"
import type { Credentials } from "../tls/Certificate.ts"
import { deviceIdOfCertificate, NO_AUTHORITIES, publicKeyOfCertificate } from "../tls/Pin.ts"
import { HEADER_BYTES_MAX, limits } from "../ws/Limits.ts"
import { survey } from "../ws/Path.ts"
import { pairOptions, readAnswer, readChallenge, readGrant } from "./Messages.ts"
import { drawNonce, isProof, keyOf, prove } from "./Secret.ts"

/** From the first packet to the welcome; the far end cuts off after 10 s. */
const PAIR_MS_MAX = 12_000

export interface Joining {
  readonly deviceId: string
  readonly credentials: Credentials
  /** What it calls itself. */
  readonly name: string
  /** In the mesh that it is in already; `null`: it is new. */
  readonly role: Role | null
  /** In its one spelling. */
  readonly code: string
  /** Where the far end has to be this device, by the beginning of its id, or of this mesh; `null`: the code alone says. */
  readonly expects: { readonly host: string | null; readonly meshName: string | null }
  /** Looks at who answers before the code is shown to it; a sentence where it does not want that mesh. */
  readonly objects: (challenge: Challenge) => string | null
}

export interface Address {
  readonly host: string
  readonly port: number
}

export type Came =
  | { readonly _tag: "Joined"; readonly grant: Grant }
  | { readonly _tag: "Refused"; readonly refusal: Refusal }
  /** Nobody is invited there now. */
  | { readonly _tag: "NoInvite" }
  /** Another device than was meant answers, another mesh, or one that does not know the code. */
  | { readonly _tag: "Stranger"; readonly why: string }
  /** It does not want that mesh. */
  | { readonly _tag: "Objected"; readonly why: string }
  /** `knocked`: it may have been let in, and not heard of it. */
  | { readonly _tag: "Unreachable"; readonly why: string; readonly knocked: boolean }

const whyOf = (error: Error): string => {
  const { code = "" } = error as NodeJS.ErrnoException
  switch (code) {
    case "ECONNREFUSED":
      return "nobody listens there"
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no way there"
    case "ETIMEDOUT":
      return "nobody answers there"
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "no such host is known"
    default:
      return code === "" ? error.message : code
  }
}

/** Tries once. */
export const join = (joining: Joining, { host, port }: Address): Effect.Effect<Came> =>
  Effect.callback<Came>((resume) => {
    const { credentials, deviceId, expects } = joining
    const key = keyOf(joining.code)
    let knocked = false
    let over = false
    let ws: WebSocket | null = null
    const socket = tls.connect({
      host,
      port,
      key: credentials.key,
      cert: credentials.certificate,
      ca: NO_AUTHORITIES,
      minVersion: "TLSv1.3",
      rejectUnauthorized: false
    })
    const end = (came: Came): void => {
      if (over) return
      over = true
      clearTimeout(limit)
      ws?.terminate()
      socket.destroy()
      resume(Effect.succeed(came))
    }
    const lost = (why: string): void => end({ _tag: "Unreachable", why, knocked })
    const limit = setTimeout(() => lost("it does not answer in time"), PAIR_MS_MAX)
    socket.on("error", (error) => lost(whyOf(error)))
    socket.once("close", () => lost("it ended the connection"))
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate()
      const hostId = certificate === undefined ? null : deviceIdOfCertificate(certificate)
      const publicKey = certificate === undefined ? null : publicKeyOfCertificate(certificate)
      const exporter = survey(socket, certificate)?.exporter ?? null
      if (hostId === null || publicKey === null || exporter === null)
        return end({ _tag: "Stranger", why: "what answers there is no node of a mesh" })
      if (expects.host !== null && !hostId.startsWith(expects.host))
        return end({ _tag: "Stranger", why: "another device answers there than the one that invited" })

      const guestNonce = drawNonce()
      let meeting: Meeting | null = null
      const challenged = (text: string): void => {
        const challenge = readChallenge(text)
        if (challenge === null) return end({ _tag: "Stranger", why: "what answers there does not pair" })
        const { meshId, meshKey, meshName, nonce: hostNonce } = challenge
        if (expects.meshName !== null && meshName !== expects.meshName)
          return end({ _tag: "Stranger", why: `what answers there is of another mesh than ${expects.meshName}` })
        const objection = joining.objects(challenge)
        if (objection !== null) return end({ _tag: "Objected", why: objection })
        meeting = { hostId, guestId: deviceId, hostNonce, guestNonce, meshId, meshKey, exporter }
        knocked = true
        const { name, role } = joining
        const proof = prove(key, knockString(meeting, { name, role }))
        ws?.send(JSON.stringify({ type: "pair.knock", nonce: guestNonce, name, role, proof } satisfies Knock))
      }
      const answered = (met: Meeting, text: string): void => {
        const said = readAnswer(text)
        if (said === null) return end({ _tag: "Stranger", why: "what answers there does not pair" })
        if (said.type === "pair.refused") return end({ _tag: "Refused", refusal: said })
        if (!isProof(key, welcomeString(met, said.grant), said.proof))
          return end({ _tag: "Stranger", why: "what answers there does not know the code" })
        const grant = readGrant(said.grant)
        const isOurs =
          grant !== null &&
          grant.device.id === deviceId &&
          grant.host.id === hostId &&
          grant.host.publicKey === publicKey &&
          grant.mesh.id === met.meshId &&
          grant.mesh.key === met.meshKey &&
          // They are written down, and printed.
          [grant.device.name, grant.host.name, grant.mesh.name ?? ""].every(isPrintable) &&
          grant.device.name !== ""
        end(isOurs ? { _tag: "Joined", grant } : { _tag: "Stranger", why: "what it grants does not read" })
      }
      ws = new WebSocket(`wss://${host.includes(":") ? `[${host}]` : host}:${port}/`, [SUBPROTOCOL], {
        ...pairOptions(limits),
        maxHeaderSize: HEADER_BYTES_MAX,
        createConnection: () => socket
      })
      ws.on("error", (error) => lost(whyOf(error)))
      ws.once("unexpected-response", (_, { statusCode }) => {
        if (statusCode === 403) return end({ _tag: "NoInvite" })
        if (statusCode === 503) return lost("others are at its door: try again in ten seconds")
        end({ _tag: "Stranger", why: "what answers there does not pair" })
      })
      ws.on("message", (data: Buffer) => {
        const text = data.toString("utf8")
        if (meeting === null) challenged(text)
        else answered(meeting, text)
      })
    })
    return Effect.sync(() => end({ _tag: "Unreachable", why: "it was called off", knocked }))
  })
