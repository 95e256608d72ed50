/**
 * Which links are allowed, and what each is called (B16 to B19): one table, from whose peer it is, how far the link reaches and
 * how it is secured, to a verdict. docs/reference/link-policy.md is the same table for people.
 *
 * Promises: pure and total. A link may be judged twice: as configured, before anything is dialled, and as negotiated, before
 * anything of ours is sent. The second judgement counts the worse of what was configured and what was found, so that nothing
 * found on the way makes a link more allowed than its configuration, but for a device that proved its own identity key.
 *
 * Not modelled: whether the device is trusted (identity), and the comparison of a fingerprint, which the transport makes while
 * it dials: a link with another certificate never comes up.
 */
import type { LinkPath } from "../Input.ts"
import type { Code } from "../wire/Codes.ts"
import type { DeviceId } from "../wire/Frame.ts"
import type { AddressClass } from "./Address.ts"

export type Posture = "insecure" | "tls-unpinned" | "tls-pinned"

/** How far a link reaches: within the machine, within a network of ours, or beyond it. */
export type Reach = "loopback" | "near" | "wan"

export interface LinkFacts {
  /** Whose link it is, or who it says that it is. */
  readonly deviceId: DeviceId
  /** `gen1`: the trust store knows it as generation 1. Everybody else counts as a kernel peer. */
  readonly kind: "kernel" | "gen1"
  readonly direction: "out" | "in"
  /** As configured; `null`: none. `mdns` for what discovery found. */
  readonly label: string | null
  readonly scheme: "ws" | "wss"
  /** Of the address that is dialled, or that it came from. */
  readonly addressClass: AddressClass
  /**
   * What has to be shown before anything is sent: the identity key of the device, the certificate with the configured
   * fingerprint, or nothing in particular. A kernel peer that we dial is pinned by its device id.
   */
  readonly pin: "device" | "fingerprint" | "none"
  /** What the transport found; absent: judge what is configured. */
  readonly negotiated?: LinkPath
}

export type TransportCode = Extract<Code, "INSECURE_TRANSPORT" | "UNPINNED_TRANSPORT" | "PIN_MISMATCH">

export type Verdict =
  | { readonly allowed: true; readonly posture: Posture }
  | { readonly allowed: false; readonly posture: Posture; readonly code: TransportCode; readonly why: string }

const OK = "allowed"
const PLAIN = "INSECURE_TRANSPORT"
const UNPINNED = "UNPINNED_TRANSPORT"

/** The table. On loopback nobody is in between; near us generation 1 is met as it is; beyond, nothing passes without a pin. */
const table: {
  readonly [K in LinkFacts["kind"]]: {
    readonly [R in Reach]: { readonly [P in Posture]: typeof OK | typeof PLAIN | typeof UNPINNED }
  }
} = {
  kernel: {
    loopback: { insecure: OK, "tls-unpinned": OK, "tls-pinned": OK },
    near: { insecure: PLAIN, "tls-unpinned": UNPINNED, "tls-pinned": OK },
    wan: { insecure: PLAIN, "tls-unpinned": UNPINNED, "tls-pinned": OK }
  },
  gen1: {
    loopback: { insecure: OK, "tls-unpinned": OK, "tls-pinned": OK },
    near: { insecure: OK, "tls-unpinned": OK, "tls-pinned": OK },
    wan: { insecure: PLAIN, "tls-unpinned": UNPINNED, "tls-pinned": OK }
  }
}

/** B18: these, in any case, and no others, ever (docs/decisions/0007). */
const LOCAL_LABELS: ReadonlyArray<string> = ["lan", "mdns", "local"]

/** As labels are compared: without blanks round it, in lower case; an empty one is none. */
export const normalLabel = (label: string | null): string | null => {
  const normal = label?.trim().toLowerCase() ?? ""
  return normal === "" ? null : normal
}

const RANK: ReadonlyArray<AddressClass> = ["loopback", "private", "public"]
const farther = (a: AddressClass, b: AddressClass): AddressClass => (RANK.indexOf(a) < RANK.indexOf(b) ? b : a)

/** A label that is not local makes any address WAN, also one of ours: what it names is where the link leads to. */
export const reachOf = ({ addressClass, label, negotiated }: LinkFacts): Reach => {
  const normal = normalLabel(label)
  if (normal !== null && !LOCAL_LABELS.includes(normal)) return "wan"
  const farthest = negotiated === undefined ? addressClass : farther(addressClass, negotiated.remote)
  return farthest === "public" ? "wan" : farthest === "private" ? "near" : "loopback"
}

/** B17: as negotiated where that is known, else as configured. */
export const postureOf = ({ deviceId, direction, negotiated, pin, scheme }: LinkFacts): Posture => {
  if (scheme === "ws" || negotiated?.security === "plain") return "insecure"
  // Whoever dials us shows no certificate of a server: its fingerprint is compared on our own dials only.
  const certificate = pin === "fingerprint" && direction === "out"
  const device = negotiated === undefined ? pin === "device" : negotiated.proved === deviceId
  return certificate || device ? "tls-pinned" : "tls-unpinned"
}

export const decide = (link: LinkFacts): Verdict => {
  const posture = postureOf(link)
  const refuse = (code: TransportCode, why: string): Verdict => ({ allowed: false, posture, code, why })
  if (link.negotiated !== undefined) {
    if (link.scheme === "wss" && link.negotiated.security === "plain")
      return refuse(PLAIN, "TLS was asked for, and the far end speaks without it")
    const mismatch = mismatchOf(link, link.negotiated)
    if (mismatch !== null) return refuse("PIN_MISMATCH", mismatch)
  }
  const reach = reachOf(link)
  const verdict = table[link.kind][reach][posture]
  return verdict === OK ? { allowed: true, posture } : refuse(verdict, explain(link, reach, verdict))
}

/** B19: what the far end's key says against it. */
const mismatchOf = ({ deviceId, kind, pin }: LinkFacts, { proved, security }: LinkPath): string | null => {
  if (security === "plain" || proved === deviceId) return null
  if (proved !== null)
    return "the certificate is that of another device: if this device was given a new key, it has to be paired again"
  if (kind === "kernel") return "its certificate is not made from its identity key: something else answers in its place"
  return pin === "device" ? "its certificate does not show the identity key that was asked for" : null
}

/** Why, and the way out. */
const explain = (link: LinkFacts, reach: Reach, code: typeof PLAIN | typeof UNPINNED): string => {
  const lacks = code === PLAIN ? "it is not encrypted" : "nothing says whose certificate it has to be"
  if (link.kind === "kernel" && reach === "near")
    return `${lacks}: kernel peers use TLS pinned to the identity key, except on loopback; a device of generation 1 has to be trusted as one`
  return `${lacks}, and ${whyWan(link)}, which needs pinned TLS: ${wayOut(link)}`
}

const whyWan = ({ label }: LinkFacts): string => {
  const normal = normalLabel(label)
  if (normal === null) return "an address that is not local, without a label, counts as WAN"
  return LOCAL_LABELS.includes(normal)
    ? `the label "${normal}" does not make an address local that is none, so the link counts as WAN`
    : `the label "${normal}" is none of ${LOCAL_LABELS.join(", ")}, so the link counts as WAN`
}

const wayOut = ({ direction, kind }: LinkFacts): string => {
  if (kind === "kernel")
    return direction === "out" ? "dial it by wss://" : "it has to dial by wss://, with its identity key"
  return direction === "out"
    ? "dial it by wss://, with the fingerprint of its certificate"
    : "dial it from here, by wss:// with the fingerprint of its certificate"
}
