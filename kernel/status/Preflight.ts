/**
 * What is wrong with a configuration before the node starts (B20): a pure look at a few facts. Errors stop the start; warnings
 * name what will not work or is not safe; the rest only informs.
 *
 * Not here: anything that takes a look at the world (is the port free, does the disk write); the shell finds that out by doing.
 */
import * as Address from "../links/Address.ts"
import * as Policy from "../links/Policy.ts"
import type { StaticPeer, Unread } from "../links/StaticPeer.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** How bad each is, in the order in which they are told. */
const severities = {
  NO_IDENTITY: "error",
  INVALID_PORT: "error",
  INVALID_PEER_URL: "error",
  INVALID_MODEL_SPEC: "error",
  PRIVILEGED_PORT: "warning",
  SELF_PEER: "warning",
  /** A second address of one device: only the first is dialled. */
  DUPLICATE_STATIC_PEER: "warning",
  /** Plain text beyond our networks; refused when it is dialled. */
  INSECURE_RELAY_TRANSPORT: "warning",
  /** Plain text to a kernel peer; refused when it is dialled. */
  INSECURE_TRANSPORT: "warning",
  /** TLS to a device of generation 1, and nothing says whose certificate it has to be. */
  MISSING_TLS_FINGERPRINT: "warning",
  /** A fingerprint and `ws://`: nobody will compare it. */
  UNCHECKED_TLS_FINGERPRINT: "warning",
  ISOLATED_NODE: "warning",
  UNLABELED_STATIC_PEER_TRANSPORT: "warning",
  NO_API_KEY: "warning",
  NO_STATIC_PEERS: "info",
  STATIC_PEER_TRANSPORTS: "info",
  NO_CAPABILITIES: "info"
} as const

export type DiagnosisCode = keyof typeof severities

export interface Diagnosis {
  readonly code: DiagnosisCode
  readonly severity: (typeof severities)[DiagnosisCode]
  /** What is so. */
  readonly message: string
  /** What to do, if anything. */
  readonly hint: string
}

export interface Facts {
  /** `null`: there is none, and none could be made. */
  readonly identity: DeviceId | null
  /** To listen on; 0: any that is free. */
  readonly port: number
  readonly discovery: boolean
  /** Whether it has relays through which it dials those whom it trusts; absent: it has none. */
  readonly relays?: boolean
  /** What became of each configured entry. */
  readonly peers: ReadonlyArray<StaticPeer | Unread>
  /** Devices that the trust store knows as generation 1. */
  readonly gen1: ReadonlyArray<DeviceId>
  readonly capabilities: ReadonlyArray<string>
  /** The planner's language model, where it has one: `provider/model`. */
  readonly model: { readonly spec: string; readonly apiKey: "given" | "missing" | "not needed" } | null
}

/** Below, an ordinary user may not listen. */
const PORT_ORDINARY_MIN = 1_024

/** Every diagnosis, errors first. */
export const preflight = (facts: Facts): ReadonlyArray<Diagnosis> => {
  const found: Array<Diagnosis> = []
  const tell = (code: DiagnosisCode, message: string, hint: string): void => {
    found.push({ code, severity: severities[code], message, hint })
  }
  if (facts.identity === null)
    tell(
      "NO_IDENTITY",
      "this node has no identity",
      "give it a state directory that it may write to: --state DIRECTORY"
    )
  ofPort(facts.port, tell)
  ofPeers(facts, tell)
  ofModel(facts.model, tell)
  if (facts.capabilities.length === 0)
    tell("NO_CAPABILITIES", "this node offers no capabilities", "nothing to do, if it is only to plan or to look")
  const order = Object.keys(severities)
  return found.sort((a, b) => order.indexOf(a.code) - order.indexOf(b.code))
}

/** Whether the node must not start. */
export const stopsTheStart = (diagnoses: ReadonlyArray<Diagnosis>): boolean =>
  diagnoses.some(({ severity }) => severity === "error")

type Tell = (code: DiagnosisCode, message: string, hint: string) => void

const ofPort = (port: number, tell: Tell): void => {
  if (!Number.isInteger(port) || port < 0 || port > Address.PORT_MAX)
    tell(
      "INVALID_PORT",
      `${port} is not a port`,
      `choose one from ${PORT_ORDINARY_MIN} to ${Address.PORT_MAX}, or 0 for any that is free`
    )
  else if (port > 0 && port < PORT_ORDINARY_MIN)
    tell(
      "PRIVILEGED_PORT",
      `port ${port} is kept for the system's own services`,
      `choose one from ${PORT_ORDINARY_MIN} on`
    )
}

const ofModel = (model: Facts["model"], tell: Tell): void => {
  if (model === null) return
  if (!/^[^\s/]+(?:\/[^\s/]+)+$/u.test(model.spec))
    tell("INVALID_MODEL_SPEC", `"${model.spec}" names no model`, "write provider/model, such as local/qwen3-8b")
  if (model.apiKey === "missing")
    tell(
      "NO_API_KEY",
      `there is no key for the model "${model.spec}"`,
      "give the planner its provider's key, or a server that needs none"
    )
}

const shortId = (deviceId: DeviceId): string => `${deviceId.slice(0, 12)}…`

const ofPeers = ({ discovery, gen1, identity, peers, relays = false }: Facts, tell: Tell): void => {
  const others: Array<StaticPeer> = []
  for (const peer of peers) {
    if (peer._tag === "Unread") unread(peer, tell)
    else if (peer.deviceId === identity)
      tell("SELF_PEER", `the peer at ${peer.url} is this node itself`, "it is not dialled; remove the entry")
    else if (others.some(({ deviceId }) => deviceId === peer.deviceId))
      tell(
        "DUPLICATE_STATIC_PEER",
        `${shortId(peer.deviceId)} has another address before ${peer.url}`,
        "only the first is dialled; keep one"
      )
    else {
      others.push(peer)
      ofPeer(peer, gen1.includes(peer.deviceId) ? "gen1" : "kernel", tell)
    }
  }
  const labels = new Set(others.flatMap(({ label }) => Policy.normalLabel(label) ?? []))
  if (labels.size > 0)
    tell("STATIC_PEER_TRANSPORTS", `configured peers are reached by ${[...labels].sort().join(", ")}`, "nothing to do")
  if (others.length > 0) return
  if (discovery) tell("NO_STATIC_PEERS", "no peers are configured", "nothing to do: discovery finds those nearby")
  else if (!relays)
    tell(
      "ISOLATED_NODE",
      "discovery is off and no peers are configured: this node dials nobody",
      "add --peer or --relay, or allow discovery"
    )
}

const unread = ({ mistakes, text }: Unread, tell: Tell): void => {
  for (const { hint, message, offset } of mistakes)
    tell("INVALID_PEER_URL", `"${text}" does not read at character ${offset + 1}: ${message}`, hint)
}

const ofPeer = (peer: StaticPeer, kind: "kernel" | "gen1", tell: Tell): void => {
  const address = Address.parse(peer.url)
  // A peer that was not made by StaticPeer.parse may still be told.
  if (address._tag === "Mistake")
    return tell(
      "INVALID_PEER_URL",
      `"${peer.url}" does not read at character ${address.offset + 1}: ${address.message}`,
      address.hint
    )
  const who = `${shortId(peer.deviceId)} at ${peer.url}`
  const link: Policy.LinkFacts = {
    deviceId: peer.deviceId,
    kind,
    direction: "out",
    label: peer.label,
    scheme: address.scheme,
    addressClass: address.class,
    pin: peer.fingerprint !== null ? "fingerprint" : kind === "kernel" ? "device" : "none"
  }
  const verdict = Policy.decide(link)
  if (!verdict.allowed && verdict.code === "INSECURE_TRANSPORT")
    tell(
      Policy.reachOf(link) === "wan" ? "INSECURE_RELAY_TRANSPORT" : "INSECURE_TRANSPORT",
      `${who} will be refused: ${verdict.why}`,
      "write wss://"
    )
  if (verdict.posture === "tls-unpinned")
    tell(
      "MISSING_TLS_FINGERPRINT",
      verdict.allowed ? `anybody on the way may answer for ${who}` : `${who} will be refused: ${verdict.why}`,
      "write the SHA-256 of its certificate behind the address"
    )
  if (address.scheme === "ws" && peer.fingerprint !== null)
    tell(
      "UNCHECKED_TLS_FINGERPRINT",
      `${who} has a fingerprint, and no TLS to compare it in`,
      "write wss://, or leave the fingerprint out"
    )
  // On loopback a label changes nothing that the operator could want to know.
  if (Policy.normalLabel(peer.label) === null && address.class !== "loopback")
    tell(
      "UNLABELED_STATIC_PEER_TRANSPORT",
      `${who} has no transport label`,
      "write one behind the second bar: lan, vpn, relay"
    )
}
