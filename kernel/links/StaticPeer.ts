/**
 * A peer as the operator writes it down (B16): `<deviceId>=<url>|<fingerprint>|<label>`.
 *
 * `@` may stand for the first `=`. The fingerprint, SHA-256 of the certificate shown there, may be empty; what is empty at the
 * end may be left out with its bar. Blanks round a part do not count.
 *
 * Promises: total on any text; all mistakes at once, each with its place and a way out; `parse(render(peer))` is the peer.
 * Not here: whether such a link is allowed (Policy.ts), and whether the device is trusted.
 */
import { isDeviceId } from "../identity/MeshId.ts"
import type { DeviceId } from "../wire/Frame.ts"
import * as Address from "./Address.ts"

export interface StaticPeer {
  readonly _tag: "StaticPeer"
  readonly deviceId: DeviceId
  /** In the form of `Address.render`. */
  readonly url: string
  /** 64 lower-case hex digits. */
  readonly fingerprint: string | null
  /** As written, without the blanks round it. */
  readonly label: string | null
}

/** An entry that does not read; at least one mistake, in order of their places in `text`. */
export interface Unread {
  readonly _tag: "Unread"
  readonly text: string
  readonly mistakes: ReadonlyArray<Address.Mistake>
}

/** Room for a few words; it is shown in each line about the link. In UTF-16 units. */
const LABEL_UNITS_MAX = 64

/** Control characters, marks that turn the direction of text, line breaks, halves of surrogate pairs: no part of a word. */
const unprintable = /[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u

const GRAMMAR = "write <deviceId>=<url>|<fingerprint>|<label>"

interface Part {
  readonly text: string
  /** Where it begins in the whole, blanks left out. */
  readonly at: number
}

const partOf = (whole: string, from: number, to: number): Part => {
  const part = whole.slice(from, to)
  const text = part.trim()
  return { text, at: text === "" ? from : from + part.indexOf(text) }
}

export const parse = (text: string): StaticPeer | Unread => {
  const mistakes: Array<Address.Mistake> = []
  const tell = (offset: number, message: string, hint: string): null => {
    mistakes.push({ _tag: "Mistake", offset, message, hint })
    return null
  }
  const unread = (): Unread => ({ _tag: "Unread", text, mistakes: mistakes.sort((a, b) => a.offset - b.offset) })

  const sign = text.search(/[=@]/u)
  if (sign < 0) {
    tell(0, "no = between the device and its address", GRAMMAR)
    return unread()
  }
  const bars = [...text.slice(sign + 1).matchAll(/\|/gu)].map(({ index }) => sign + 1 + index)
  const ends = [...bars, text.length]
  const written = partOf(text, 0, sign)
  const url = partOf(text, sign + 1, ends[0]!)
  const pin = ends.length > 1 ? partOf(text, bars[0]! + 1, ends[1]!) : null
  const name = ends.length > 2 ? partOf(text, bars[1]! + 1, ends[2]!) : null

  const deviceId = written.text.toLowerCase()
  if (!isDeviceId(deviceId))
    tell(written.at, "not a device id", "it has 64 hex digits; on that device: clawmesh-node id")
  const address = Address.parse(url.text)
  if (address._tag === "Mistake") tell(url.at + address.offset, address.message, address.hint)
  const fingerprint = pin === null || pin.text === "" ? null : fingerprintOf(pin.text)
  if (fingerprint === undefined)
    tell(pin!.at, "not a SHA-256 fingerprint", "it has 64 hex digits, with or without colons; leave it empty for none")
  const label = name === null || name.text === "" ? null : name.text
  if (label !== null && label.length > LABEL_UNITS_MAX)
    tell(
      name!.at + LABEL_UNITS_MAX,
      `a label longer than ${LABEL_UNITS_MAX} characters`,
      "write a word or two: relay, vpn, lan"
    )
  const odd = label?.search(unprintable) ?? -1
  if (odd >= 0)
    tell(name!.at + odd, "a character in the label that does not print", "write a word or two: relay, vpn, lan")
  if (bars[2] !== undefined) tell(bars[2], "a third bar", `${GRAMMAR}, with two bars at most`)

  if (mistakes.length > 0 || address._tag === "Mistake") return unread()
  return { _tag: "StaticPeer", deviceId, url: Address.render(address), fingerprint: fingerprint ?? null, label }
}

/** The one text of an entry. */
export const render = ({ deviceId, fingerprint, label, url }: Omit<StaticPeer, "_tag">): string => {
  const tail = label === null ? (fingerprint ?? "") : `${fingerprint ?? ""}|${label}`
  return tail === "" ? `${deviceId}=${url}` : `${deviceId}=${url}|${tail}`
}

/** As tools print it: `AB:CD:…`, `sha256:abcd…`; 64 lower-case hex digits, or `undefined`. */
const fingerprintOf = (text: string): string | undefined => {
  const [, digits] = /^(?:sha-?256:)?((?:[\da-f]{2}:){31}[\da-f]{2}|[\da-f]{64})$/iu.exec(text) ?? []
  return digits?.replaceAll(":", "").toLowerCase()
}
