/**
 * What a daemon writes while it runs: one line for each event, each line of the start, each thing that a person should know.
 * For people, or as JSON Lines in the shapes that the operator's socket has (`clawmesh.event/1`).
 *
 * Promises: whatever a peer calls itself, an entry is one line, and nothing in it steers a terminal. Times are UTC, so that the
 * logs of two nodes can be laid side by side.
 */
import type { StaticPeer } from "../../kernel/links/StaticPeer.ts"
import * as Address from "../../kernel/links/Address.ts"
import * as Policy from "../../kernel/links/Policy.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Diagnosis } from "../../kernel/status/Preflight.ts"
import type { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import type { EventLine } from "../operator/Api.ts"
import { printable } from "../config/Printable.ts"
import type { Told } from "./Daemon.ts"
import { isoTime } from "./IsoTime.ts"

/** What a line can say of a device beyond its id. */
export interface Known {
  /** `null`: it has none that we know. */
  readonly name: (deviceId: DeviceId) => string | null
}

export interface Options {
  readonly format: "json" | "readable"
  readonly colour: boolean
  readonly known: Known
  /** Takes a line with its line break. */
  readonly write: (line: string) => void
}

/** A configured peer with what the policy makes of it before it is dialled (B17, B18). */
export interface ConfiguredPeer {
  readonly deviceId: DeviceId
  readonly url: string
  readonly label: string | null
  readonly posture: Policy.Posture
  /** `null`: it will be dialled. */
  readonly refused: { readonly code: string; readonly why: string } | null
}

export interface Start {
  readonly atMs: number
  readonly name: string
  readonly deviceId: DeviceId
  readonly role: Role
  readonly meshName: string | null
  readonly meshId: string
  /** Where it listens: `0.0.0.0:18789`. */
  readonly address: string
  readonly stateDirectory: string
  readonly electors: ReadonlyArray<DeviceId>
  readonly peers: ReadonlyArray<ConfiguredPeer>
  readonly discovery: { readonly enabled: boolean; readonly runs: boolean; readonly why: string }
  readonly diagnoses: ReadonlyArray<Diagnosis>
}

export interface Log {
  readonly start: (start: Start) => void
  readonly event: (told: Told) => void
  /** A thing that a person should know and that is no event of the mesh. */
  readonly note: (atMs: number, level: "info" | "warning" | "error", text: string) => void
}

/** @param gen1 whether the trust store knows it as generation 1 */
export const configuredPeer = (peer: StaticPeer, gen1: boolean): ConfiguredPeer => {
  const { deviceId, fingerprint, label, url } = peer
  const address = Address.parse(url)
  if (address._tag === "Mistake")
    return { deviceId, url, label, posture: "insecure", refused: { code: "INVALID_PEER_URL", why: address.message } }
  const verdict = Policy.decide({
    deviceId,
    kind: gen1 ? "gen1" : "kernel",
    direction: "out",
    label,
    scheme: address.scheme,
    addressClass: address.class,
    pin: fingerprint !== null ? "fingerprint" : gen1 ? "none" : "device"
  })
  const refused = verdict.allowed ? null : { code: verdict.code, why: verdict.why }
  return { deviceId, url, label, posture: verdict.posture, refused }
}

/** Eight digits tell the devices of a farm apart. */
const ID_DIGITS_SHOWN = 8

const called = (known: Known, deviceId: DeviceId): string => known.name(deviceId) ?? deviceId.slice(0, ID_DIGITS_SHOWN)

const red = "31"
const green = "32"
const yellow = "33"

const colours: { readonly [E in MeshEvent["event"]]?: string } = {
  "peer.up": green,
  "leader.elected": green,
  "peer.suspect": yellow,
  "peer.disputed": yellow,
  "node.stalled": yellow,
  "node.isolated": red,
  "leader.lost": yellow,
  "leader.stepped-down": yellow,
  "peer.down": red,
  "peer.down.confirmed": red,
  "connection.refused": red,
  "frame.refused": red
}

/** What an event says beyond its name and its device: `silent 2.4 s (TIMEOUT), incarnation 3, seen by jetson-2`. */
export const phrase = (event: MeshEvent, known: Known): string => {
  const { code, incarnation, label, ms, posture, reason, term, witnesses } = event
  const why = [reason, code === undefined ? undefined : reason === undefined ? code : `(${code})`]
  return [
    why.filter((part) => part !== undefined).join(" "),
    ms === undefined ? "" : `for ${(ms / 1_000).toFixed(1)} s`,
    term === undefined ? "" : `term ${term}`,
    incarnation === undefined ? "" : `incarnation ${incarnation}`,
    // B16, B17: an unlabelled link is one by its address alone, which is worth knowing.
    posture === undefined ? "" : `${label ?? "no label"}, ${posture}`,
    (witnesses ?? []).length === 0 ? "" : `seen by ${witnesses!.map((id) => called(known, id)).join(" and ")}`
  ]
    .filter((part) => part !== "")
    .join(", ")
}

const eventLine = ({ atMs, event }: Told, known: Known): EventLine => ({
  $type: "clawmesh.event/1",
  at: isoTime(atMs),
  atMs,
  ...event,
  name: event.about === undefined ? null : known.name(event.about),
  by: (event.witnesses ?? []).map((id) => ({ id, name: known.name(id) }))
})

const WORD_COLUMNS = 20
const NAME_COLUMNS = 16

const readableStart = (start: Start, known: Known): ReadonlyArray<string> => {
  const { discovery, electors, meshId, meshName, peers } = start
  return [
    `${start.name} is ${start.deviceId}, ${start.role}`,
    meshName === null ? `mesh ${meshId}` : `mesh ${meshName} (${meshId})`,
    `listens on ${start.address}, keeps its state in ${start.stateDirectory}`,
    electors.length === 0
      ? "no electors: nobody leads"
      : `electors ${electors.map((id) => (id === start.deviceId ? start.name : called(known, id))).join(", ")}`,
    ...peers.map((peer) => {
      const line = `peer ${called(known, peer.deviceId)} at ${peer.url}, ${peer.label ?? "no label"}, ${peer.posture}`
      return peer.refused === null ? line : `${line}: refused, ${peer.refused.why} (${peer.refused.code})`
    }),
    !discovery.enabled
      ? "discovery is off: static peers only"
      : discovery.runs
        ? "discovery runs"
        : `discovery does not run: ${discovery.why}`
  ]
}

export const make = ({ colour, format, known, write }: Options): Log => {
  const painted = (code: string | undefined, text: string): string =>
    colour && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text
  const readable = (atMs: number, word: string, paint: string | undefined, text: string): void => {
    const time = `${isoTime(atMs).slice(0, 19)}Z`
    write(`${time}  ${painted(paint, word.padEnd(WORD_COLUMNS))}${printable(text)}`.trimEnd() + "\n")
  }
  const json = (document: { readonly $type: string; readonly [field: string]: unknown }): void =>
    write(`${JSON.stringify(document)}\n`)
  return {
    start: (start) => {
      if (format === "json") return json({ $type: "clawmesh.start/1", at: isoTime(start.atMs), ...start })
      for (const line of readableStart(start, known)) readable(start.atMs, "start", undefined, line)
      for (const { code, hint, message, severity } of start.diagnoses)
        readable(start.atMs, severity, paints[severity], `${message}: ${hint} (${code})`)
    },
    event: (told) => {
      if (format === "json") return json({ ...eventLine(told, known) })
      const { about, event } = told.event
      // Names are padded once what does not print is gone, or the columns would lie.
      const who = printable(about === undefined ? "" : called(known, about)).padEnd(NAME_COLUMNS)
      readable(told.atMs, event, colours[event], `${who} ${phrase(told.event, known)}`)
    },
    note: (atMs, level, text) => {
      if (format === "json") return json({ $type: "clawmesh.note/1", at: isoTime(atMs), atMs, level, text })
      readable(atMs, level, paints[level], text)
    }
  }
}

const paints = { info: undefined, warning: yellow, error: red } as const
