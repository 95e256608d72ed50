/**
 * Where a device may be dialled, as text (PROTOCOL.md part 1, B18): read strictly, brought into one form, and put into a class.
 *
 * Promises: pure and total; what is accepted reads the same to every URL parser and every resolver, and two spellings of one
 * address become one text. Therefore the many old spellings of IPv4 (`127.1`, `0x7f.0.0.1`, `2130706433`) are refused: they
 * would be dialled as an address of another class than the one they seem to have.
 *
 * Not modelled: what a name resolves to. A name is judged as it is written, and the connection by what it reached.
 */

/** Devices listen here unless told otherwise. */
export const PORT_DEFAULT = 18_789
export const PORT_MAX = 65_535
/** Far longer than any address; bounds what is shown and logged. In UTF-16 units. */
const URL_UNITS_MAX = 2_048
/** RFC 1035, in characters. */
const NAME_CHARS_MAX = 253

/** What lies between us and an address: nothing, a network of our own, or anything. */
export type AddressClass = "loopback" | "private" | "public"

export interface Address {
  readonly _tag: "Address"
  readonly scheme: "ws" | "wss"
  /** Lower case, without brackets; IPv6 in the form of RFC 5952. */
  readonly host: string
  readonly port: number
  /** Begins with `/`, or is empty. */
  readonly path: string
  readonly class: AddressClass
}

/** What is wrong with a text, where (UTF-16 units from its start), and what to write instead. */
export interface Mistake {
  readonly _tag: "Mistake"
  readonly offset: number
  readonly message: string
  readonly hint: string
}

const mistake = (offset: number, message: string, hint: string): Mistake => ({ _tag: "Mistake", offset, message, hint })

const SCHEMES: ReadonlyMap<string, Address["scheme"]> = new Map([
  ["ws", "ws"],
  ["http", "ws"],
  ["wss", "wss"],
  ["https", "wss"]
])
const SCHEME_HINT = "write ws:// or wss://; http:// and https:// are taken for these; nothing else is allowed"
const HOST_HINT = "write an IPv4 address, an IPv6 address in brackets, or a host name"
const PORT_HINT = `write a number from 1 to ${PORT_MAX} behind the colon, or leave both out for ${PORT_DEFAULT}`
const PATH_HINT =
  "write it as it travels: letters, digits, - . _ ~ ! $ & ' ( ) * + , ; = : @ / and % with two hex digits"

/** `wss://Jetson-1.local` becomes `wss`, `jetson-1.local`, 18789. Letter case does not matter before the path. */
export const parse = (text: string): Address | Mistake => {
  if (text.length > URL_UNITS_MAX)
    return mistake(URL_UNITS_MAX, `longer than ${URL_UNITS_MAX} characters`, "write the host, and a port if it has one")
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//u.exec(text)
  if (scheme === null) return mistake(0, "no scheme", SCHEME_HINT)
  const link = SCHEMES.get(scheme[1]!.toLowerCase())
  if (link === undefined) return mistake(0, `${scheme[1]}:// is not a scheme of a link`, SCHEME_HINT)
  const from = scheme[0].length
  const length = text.slice(from).search(/[/?#]/u)
  const to = length < 0 ? text.length : from + length
  const place = placeOf(text.slice(from, to), from)
  if (place._tag === "Mistake") return place
  const wrong = wrongInPath(text, to)
  if (wrong !== null) return wrong
  const path = text.slice(to)
  return {
    _tag: "Address",
    scheme: link,
    host: place.host,
    port: place.port,
    path: path === "/" ? "" : path,
    class: classOf(place.host)
  }
}

/** The one text of an address: `parse(render(address))` is the address. */
export const render = ({ host, path, port, scheme }: Pick<Address, "scheme" | "host" | "port" | "path">): string =>
  `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`

/**
 * The class of a host: a name, or an address with or without brackets and zone, as a socket names its far end. What is neither
 * is `public`, the class of which nothing is assumed.
 *
 * Private are RFC 1918, link-local (169.254/16, fe80::/10), unique local (fc00::/7) and names under `.local`. The shared
 * space of RFC 6598 (100.64/10) is public: strangers at the same carrier are in it.
 */
export const classOf = (host: string): AddressClass => {
  const bare = host.replace(/^\[(.*)\]$/u, "$1").toLowerCase()
  const v4 = ipv4Of(bare)
  if (v4 !== null) return classOfIpv4(v4)
  const v6 = ipv6Of(bare.replace(/%.+$/u, ""))
  if (v6 !== null) return classOfIpv6(v6)
  const name = bare.replace(/\.$/u, "")
  if (!isName(name)) return "public"
  if (name === "localhost") return "loopback"
  return name.endsWith(".local") ? "private" : "public"
}

// ------------------------------------------------------------------------------------------------ authority and path

interface Place {
  readonly _tag: "Place"
  readonly host: string
  readonly port: number
}

/** @param at where `authority` begins in the text */
const placeOf = (authority: string, at: number): Place | Mistake => {
  const user = authority.indexOf("@")
  if (user >= 0)
    return mistake(
      at,
      "a name or password stands before the host",
      "leave it out: devices know each other by their keys"
    )
  const bracket = authority.startsWith("[")
  const close = authority.indexOf("]")
  if (bracket && close < 0) return mistake(at, "the bracket is not closed", "write an IPv6 address as [fd00::1]")
  const colon = bracket ? close + 1 : authority.indexOf(":")
  const end = colon < 0 ? authority.length : colon
  const rest = authority.slice(end)
  if (!bracket && rest.lastIndexOf(":") > 0)
    return mistake(at, "more than one colon", "write an IPv6 address in brackets: [fd00::1]")
  const host = hostOf(authority.slice(0, end), at)
  if (typeof host !== "string") return host
  if (rest === "") return { _tag: "Place", host, port: PORT_DEFAULT }
  const port = /^:\d{1,5}$/u.test(rest) ? Number(rest.slice(1)) : 0
  if (port < 1 || port > PORT_MAX) return mistake(at + end, `"${rest}" is not a port`, PORT_HINT)
  return { _tag: "Place", host, port }
}

const hostOf = (written: string, at: number): string | Mistake => {
  if (written === "") return mistake(at, "no host", HOST_HINT)
  if (written.startsWith("[")) {
    const inside = written.slice(1, -1)
    if (inside.includes("%"))
      return mistake(
        at,
        "an address with a zone",
        "a zone means something to one machine only: use its name under .local"
      )
    const v6 = ipv6Of(inside)
    if (v6 === null) return mistake(at, `${written} is not an IPv6 address`, "write it as [fd00::1]")
    if (v6.every((group) => group === 0)) return unspecified(written, at)
    return renderIpv6(v6)
  }
  const lower = written.toLowerCase()
  const v4 = ipv4Of(lower)
  if (v4 !== null) return v4 === 0 ? unspecified(written, at) : lower
  const name = lower.replace(/\.$/u, "")
  if (endsInNumber(name))
    return mistake(at, `"${written}" is not an IPv4 address`, "write four numbers from 0 to 255, without leading zeros")
  if (!isName(name)) return mistake(at, `"${written}" is not a host name`, HOST_HINT)
  return name
}

const unspecified = (written: string, at: number): Mistake =>
  mistake(at, `${written} is an address to listen on`, "write the address at which the device is reached")

const wrongInPath = (text: string, at: number): Mistake | null => {
  const good = /^(?:[\w\-.~!$&'()*+,;=:@/]|%[\dA-Fa-f]{2})*/u.exec(text.slice(at))![0].length
  const offset = at + good
  if (offset === text.length) return null
  const sign = text[offset]!
  if (sign === "?" || sign === "#")
    return mistake(
      offset,
      `a "${sign}" behind the path`,
      "leave it out: an address is shown and logged, so it holds no secret"
    )
  return mistake(offset, "a character that cannot stand in a path", PATH_HINT)
}

// ------------------------------------------------------------------------------------------------ names and numbers

/** Letters, digits, hyphens and underscores between dots. International names are written as they resolve: `xn--…`. */
const isName = (name: string): boolean =>
  name.length <= NAME_CHARS_MAX &&
  name.split(".").every((label) => /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/u.test(label))

/** Resolvers take such a name for an IPv4 address in one of its old spellings. */
const endsInNumber = (name: string): boolean => /(?:^|\.)(?:\d+|0x[\da-f]*)$/u.test(name)

/** Four numbers in the one spelling, as 32 bits; `null`: something else. */
const ipv4Of = (text: string): number | null => {
  const parts = text.split(".")
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/u.test(part))) return null
  const bytes = parts.map(Number)
  return bytes.some((byte) => byte > 255) ? null : bytes.reduce((all, byte) => all * 256 + byte, 0)
}

/** Eight groups; `null`: something else. */
const ipv6Of = (text: string): ReadonlyArray<number> | null => {
  const halves = text.split("::")
  if (halves.length > 2) return null
  const [head, tail] = halves.map((half, n) => groupsOf(half, n === halves.length - 1))
  if (head == null || tail === null) return null
  if (tail === undefined) return head.length === 8 ? head : null
  const missing = 8 - head.length - tail.length
  return missing < 1 ? null : [...head, ...new Array<number>(missing).fill(0), ...tail]
}

/** @param last an IPv4 address may stand for the two groups at the end of the whole address */
const groupsOf = (half: string, last: boolean): ReadonlyArray<number> | null => {
  if (half === "") return []
  const groups: Array<number> = []
  const parts = half.split(":")
  for (const [n, part] of parts.entries()) {
    const v4 = last && n === parts.length - 1 ? ipv4Of(part) : null
    if (v4 !== null) groups.push(Math.floor(v4 / 0x1_0000), v4 % 0x1_0000)
    else if (/^[\dA-Fa-f]{1,4}$/u.test(part)) groups.push(Number(`0x${part}`))
    else return null
  }
  return groups
}

const isMapped = (groups: ReadonlyArray<number>): boolean =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff

const lowBits = (groups: ReadonlyArray<number>): number => groups[6]! * 0x1_0000 + groups[7]!

const renderIpv4 = (bits: number): string => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".")

const renderIpv6 = (groups: ReadonlyArray<number>): string => {
  if (isMapped(groups)) return `::ffff:${renderIpv4(lowBits(groups))}`
  // The first of the longest runs of two or more zeros is left out.
  let from = 0
  let length = 1
  for (let start = 0; start < 8; start++) {
    const end = groups.findIndex((group, n) => n >= start && group !== 0)
    const run = (end < 0 ? 8 : end) - start
    if (run > length) [from, length] = [start, run]
  }
  const text = (part: ReadonlyArray<number>): string => part.map((group) => group.toString(16)).join(":")
  return length < 2 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`
}

/** Networks as their bits, and how many of these count. */
const privateIpv4: ReadonlyArray<readonly [network: string, prefixBits: number]> = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16]
]

const isWithin = (bits: number, network: string, prefixBits: number): boolean => {
  const size = 0x1_0000_0000 / (1 << prefixBits)
  return Math.floor(bits / size) === Math.floor(ipv4Of(network)! / size)
}

const classOfIpv4 = (bits: number): AddressClass => {
  if (isWithin(bits, "127.0.0.0", 8)) return "loopback"
  return privateIpv4.some(([network, prefixBits]) => isWithin(bits, network, prefixBits)) ? "private" : "public"
}

const classOfIpv6 = (groups: ReadonlyArray<number>): AddressClass => {
  if (isMapped(groups)) return classOfIpv4(lowBits(groups))
  if (groups[7] === 1 && groups.slice(0, 7).every((group) => group === 0)) return "loopback"
  const uniqueLocal = (groups[0]! & 0xfe00) === 0xfc00
  const linkLocal = (groups[0]! & 0xffc0) === 0xfe80
  return uniqueLocal || linkLocal ? "private" : "public"
}
