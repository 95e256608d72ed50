/**
 * The inviting end of the ceremony, on the port of the mesh (PROTOCOL.md part 19): who connects with the subprotocol of pairing is
 * asked for a proof, and only while an invite is open.
 *
 * Promises: the kernel hears of nobody here but whom an invite has let in, by the same word as an operator's `trust add`. A
 * stranger is read one message of `PAIR_BYTES_MAX` at most, within the time that a connection has to open; `GUESTS_MAX` at once.
 */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { type WebSocket, WebSocketServer } from "ws"
import { type Grant, knockString, type Meeting, SUBPROTOCOL, welcomeString } from "../../kernel/pairing/Ceremony.ts"
import type { Challenge, Refusal } from "../../kernel/pairing/Ceremony.ts"
import * as Door from "../../kernel/pairing/Door.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import type { Failure } from "../operator/Failure.ts"
import { publicKeyOfCertificate } from "../tls/Pin.ts"
import { type Limits, limits as defaults } from "../ws/Limits.ts"
import { survey } from "../ws/Path.ts"
import { pairOptions, readKnock } from "./Messages.ts"
import { drawCode, drawNonce, isProof, keyOf, prove } from "./Secret.ts"

/** At one moment; each has a hash or two to be computed. */
const GUESTS_MAX = 8

/** What whoever takes an invite is granted. */
export interface Terms {
  /** What the code is worth. */
  readonly key: Buffer
  /** `null`: as the device calls itself. */
  readonly name: string | null
  readonly role: Role
  /** What it may move: `actuator:pump-3`. */
  readonly may: ReadonlyArray<string>
}

/** Who has proved that it knows a code, with the key of its certificate. */
export interface Guest {
  readonly deviceId: string
  readonly publicKey: string
  readonly name: string
  /** From where, `192.168.1.53:40112`. */
  readonly address: string
}

export interface Around {
  readonly deviceId: string
  /** What every stranger may know who is let in to knock. */
  readonly shown: () => Pick<Challenge, "meshId" | "meshKey" | "meshName" | "name">
  /** ms, that runs on. */
  readonly mono: () => number
  /** Makes a trusted device of it; what it is granted, or why it is not. */
  readonly admit: (guest: Guest, terms: Terms) => Effect.Effect<Grant | Failure>
  /** For people: what happened at the door. */
  readonly note: (text: string) => void
  readonly limits?: Limits
}

export interface Opened {
  readonly id: string
  readonly code: string
}

/** What became of an invite. */
export interface Seen extends Pick<Door.Invite<Terms>, "id" | "state" | "takenBy" | "terms"> {
  readonly leftMs: number
  /** Of the device that took it. */
  readonly name: string | null
  readonly address: string | null
  /** It proved the code, and could not be made a trusted device. */
  readonly problem: string | null
}

export interface Host {
  /** `null`: too many are open. */
  readonly invite: (terms: Omit<Terms, "key">, forMs: number) => Opened | null
  readonly shut: () => void
  readonly seen: () => ReadonlyArray<Seen>
  /** This device is trusted no longer. */
  readonly revoked: (deviceId: string) => void
  /** An upgrade with the subprotocol. Whatever comes of it, the socket ends. */
  readonly receive: (request: IncomingMessage, socket: Socket, head: Buffer) => void
}

const quiet = (): void => {}

const turnAway = (socket: Socket, why: "403 Forbidden" | "503 Service Unavailable"): void => {
  socket.end(`HTTP/1.1 ${why}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Serves until the scope closes; after that the door is shut. */
export const make = Effect.fnUntraced(function* (around: Around) {
  const { deviceId, mono, note } = around
  const server = new WebSocketServer({
    ...pairOptions(around.limits ?? defaults),
    noServer: true,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL
  })
  const run = yield* FiberSet.makeRuntime<never>()
  let door: Door.Door<Terms> = Door.shutDoor
  let guests = 0
  let given = 0
  const outcomes = new Map<string, Pick<Seen, "name" | "address" | "problem">>()

  const open: Host["invite"] = (terms, forMs) => {
    const code = drawCode()
    const id = String(++given)
    const next = Door.invited(door, { id, terms: { ...terms, key: keyOf(code) }, forMs }, mono())
    if (next === null) return null
    door = next
    for (const known of outcomes.keys()) if (!door.invites.some((other) => other.id === known)) outcomes.delete(known)
    note(`a device is invited as ${terms.role}, for ${Math.ceil(forMs / 1_000)} s`)
    return { id, code }
  }

  const answer = (ws: WebSocket, message: object): void => {
    if (ws.readyState !== ws.OPEN) return
    ws.send(JSON.stringify(message), () => ws.close(1000))
  }
  const refuse = (ws: WebSocket, code: Refusal["code"], message: string, left = 0): void =>
    answer(ws, { type: "pair.refused", code, message: message.slice(0, 512), left } satisfies Refusal)

  const welcome = (ws: WebSocket, guest: Guest, invite: Door.Invite<Terms>, meeting: Meeting): Effect.Effect<void> =>
    Effect.map(around.admit(guest, invite.terms), (granted) => {
      if ("$type" in granted) {
        outcomes.set(invite.id, { name: guest.name, address: guest.address, problem: granted.message })
        note(`a device at ${guest.address} proved its code, and cannot be trusted: ${granted.message}`)
        return refuse(ws, "REFUSED", granted.message)
      }
      outcomes.set(invite.id, { name: granted.device.name, address: guest.address, problem: null })
      note(`${granted.device.name} joined as ${granted.device.role} from ${guest.address}`)
      const grant = JSON.stringify(granted)
      answer(ws, { type: "pair.welcome", grant, proof: prove(invite.terms.key, welcomeString(meeting, grant)) })
    })

  const meet = (ws: WebSocket, socket: TLSSocket): void => {
    const surveyed = survey(socket)
    const certificate = socket.getPeerX509Certificate()
    const publicKey = certificate === undefined ? null : publicKeyOfCertificate(certificate)
    const proved = surveyed?.path.proved ?? null
    if (surveyed?.exporter == null || publicKey === null || proved === null || proved === deviceId)
      return ws.close(1008, "a certificate of an identity key is needed")
    const { exporter, path } = surveyed
    const hostNonce = drawNonce()
    const challenge: Challenge = { type: "pair.challenge", nonce: hostNonce, ...around.shown() }
    ws.once("message", (data: Buffer, isBinary) => {
      const knock = isBinary ? null : readKnock(data.toString("utf8"))
      if (knock === null) return ws.close(1007, "this is no knock")
      const { meshId, meshKey } = challenge
      const meeting: Meeting = {
        hostId: deviceId,
        guestId: proved,
        hostNonce,
        guestNonce: knock.nonce,
        meshId,
        meshKey,
        exporter
      }
      const text = knockString(meeting, knock)
      const invite = door.invites.find(({ terms }) => isProof(terms.key, text, knock.proof))
      // It would be refused at every login (P5.3): the code is not used up by that.
      if (invite?.state === "open" && knock.role !== null && knock.role !== invite.terms.role)
        return refuse(ws, "REFUSED", `it is a ${knock.role}, and is invited as ${invite.terms.role}`)
      const fits = invite?.id ?? null
      const [next, verdict] = Door.knocked(door, { fits, deviceId: proved }, mono())
      door = next
      const guest: Guest = { deviceId: proved, publicKey, name: knock.name, address: path.address }
      switch (verdict._tag) {
        case "Granted":
          return void run(welcome(ws, guest, verdict.invite, meeting))
        case "Wrong":
          note(
            `a wrong code from ${path.address}${verdict.left === 0 ? ": the third, nobody is invited any more" : ""}`
          )
          return refuse(ws, "WRONG_CODE", "no invite that is open here has this code", verdict.left)
        case "Used":
          note(`the code of an invite that was used comes again, from another device, at ${path.address}`)
          return refuse(ws, "USED", "this code was used")
        case "Expired":
          return refuse(ws, "EXPIRED", "the time of this code is over")
        case "Shut":
          return refuse(ws, "SHUT", "the invite was shut")
      }
    })
    ws.send(JSON.stringify(challenge))
  }

  const receive: Host["receive"] = (request, socket, head) => {
    // In plain text there is nothing to bind a proof to.
    if (!(socket instanceof TLSSocket) || !Door.letsIn(door, mono())) return turnAway(socket, "403 Forbidden")
    if (guests >= GUESTS_MAX) return turnAway(socket, "503 Service Unavailable")
    guests++
    socket.once("close", () => {
      guests--
    })
    server.handleUpgrade(request, socket, head, (ws) => {
      ws.on("error", quiet)
      meet(ws, socket)
    })
  }

  const seen: Host["seen"] = () => {
    const now = mono()
    door = Door.at(door, now)
    return door.invites.map(({ id, state, takenBy, terms, untilMono }) => ({
      id,
      state,
      takenBy,
      terms,
      leftMs: state === "open" ? Math.max(0, untilMono - now) : 0,
      ...(outcomes.get(id) ?? { name: null, address: null, problem: null })
    }))
  }
  const shut = (): void => {
    door = Door.shut(door, mono())
  }
  const revoked: Host["revoked"] = (deviceId) => {
    door = Door.revoked(door, deviceId)
  }
  yield* Effect.addFinalizer(() => Effect.sync(shut))
  return { invite: open, shut, seen, revoked, receive } satisfies Host
})
