/**
 * The settings of a node, each described once: its form (one schema for file, environment and flags alike), its three names,
 * and the sentences that people read about it.
 *
 * A setting is called the same everywhere: `mesh-name` in node.yaml is `--mesh-name` and `CLAWMESH_MESH_NAME`. A list has a
 * plural name in the file and in the environment, and a flag in the singular that may stand several times.
 */
import { isIP } from "node:net"
import * as Schema from "effect/Schema"
import type { Person } from "../../kernel/Config.ts"
import type { profiles } from "../../kernel/Profile.ts"
import { DeviceId, Role } from "../../kernel/wire/Frame.ts"
import { COUNTER_MAX, FIELD_CHARS_MAX, FIELD_ITEMS_MAX } from "../../kernel/wire/Limits.ts"
import { deviceIdOf } from "../keys/Keys.ts"
import { readGrant } from "../relay/Protocol.ts"
import { readRelay } from "../relay/Setting.ts"
import { isPrintable } from "./Printable.ts"
import { fits } from "./Section.ts"

const wholeNumber = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const listOf = <S extends Schema.Constraint>(item: S) => Schema.Array(item).check(Schema.isMaxLength(FIELD_ITEMS_MAX))

/** A DNS label is that long, and a service instance's name is one (RFC 6763, 4.1.1). */
const NAME_BYTES_MAX = 63

/** Two are meant, so that one may fail; each is a connection that is kept. */
const RELAYS_MAX = 4

const clean = (text: string): boolean => text !== "" && text === text.trim() && isPrintable(text)
const isName = (text: string): boolean => clean(text) && Buffer.byteLength(text) <= NAME_BYTES_MAX
const isMeshId = (text: string): boolean => /^(?:[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/u.test(text)
/** Only digits and dots is an address that is none, not a name. */
const isHost = (text: string): boolean =>
  isIP(text) !== 0 || (/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/iu.test(text) && !/^[0-9.]+$/u.test(text))

/** A person and that person's public key, as `clawmesh person` prints them: `asha=3kFv…`; `null`: it is none. */
export const readPerson = (text: string): Person | null => {
  const at = text.lastIndexOf("=")
  const [name, publicKey] = [text.slice(0, at), text.slice(at + 1)]
  return at > 0 && isName(name) && !name.includes("=") && deviceIdOf(publicKey) !== null ? { name, publicKey } : null
}

/** A terabyte: whoever means more means something else. */
const RECORDING_MB_MAX = 1_048_576

const Profile = Schema.Literals(["lan", "wan", "battery"] satisfies ReadonlyArray<keyof typeof profiles>)
const Log = Schema.Literals(["readable", "json"])

/** What node.yaml may say. Nothing in it is required. */
export const NodeFile = Schema.Struct({
  name: Schema.optionalKey(fits(isName)),
  role: Schema.optionalKey(Role),
  "mesh-name": Schema.optionalKey(fits((text) => clean(text) && text.length <= FIELD_CHARS_MAX)),
  "mesh-id": Schema.optionalKey(fits(isMeshId)),
  "mesh-key": Schema.optionalKey(fits((text) => deviceIdOf(text) !== null)),
  host: Schema.optionalKey(fits(isHost)),
  port: Schema.optionalKey(wholeNumber(0, 65_535)),
  state: Schema.optionalKey(fits((text) => text !== "" && !text.includes("\0"))),
  /** What a text must be to be a peer, kernel/links/StaticPeer.ts knows. */
  peers: Schema.optionalKey(listOf(Schema.String)),
  relays: Schema.optionalKey(
    Schema.Array(fits((text) => readRelay(text) !== null)).check(Schema.isMaxLength(RELAYS_MAX))
  ),
  "relay-token-file": Schema.optionalKey(fits((text) => text !== "" && !text.includes("\0"))),
  "relay-grants": Schema.optionalKey(
    Schema.Array(fits((text) => readGrant(text) !== null)).check(Schema.isMaxLength(RELAYS_MAX))
  ),
  discovery: Schema.optionalKey(Schema.Boolean),
  electors: Schema.optionalKey(listOf(DeviceId)),
  /** `asha=` and the key: both are what `readPerson` reads. */
  persons: Schema.optionalKey(listOf(fits((text) => readPerson(text) !== null))),
  "manifest-version": Schema.optionalKey(wholeNumber(1, COUNTER_MAX)),
  profile: Schema.optionalKey(Profile),
  capabilities: Schema.optionalKey(listOf(fits((text) => /^[^\s,\p{Cc}]{1,512}$/u.test(text)))),
  farm: Schema.optionalKey(fits((text) => text !== "" && !text.includes("\0"))),
  "metrics-port": Schema.optionalKey(wholeNumber(0, 65_535)),
  watchdog: Schema.optionalKey(Schema.Boolean),
  "recording-mb": Schema.optionalKey(wholeNumber(0, RECORDING_MB_MAX)),
  log: Schema.optionalKey(Log)
})
export type NodeFile = typeof NodeFile.Type
export type Key = keyof NodeFile

interface Description {
  readonly kind: "text" | "number" | "boolean" | "list"
  /** What the help writes for the value; a boolean has none. */
  readonly value: string
  /** What a value that fits is; completes any mistake. */
  readonly says: string
  /** Of a list: what one of it is. */
  readonly itemSays?: string
  /** The only values there are. */
  readonly words?: ReadonlyArray<string>
  /** Flag in the singular, without dashes, where the key is a plural. */
  readonly one?: string
  readonly about: string
  readonly otherwise: string
}

export const descriptions: { readonly [K in Key]: Description } = {
  name: {
    kind: "text",
    value: "NAME",
    says: `a name is 1 to ${NAME_BYTES_MAX} bytes of text, without spaces around it, all of which prints`,
    about: "what people call this node",
    otherwise: "the host name"
  },
  role: {
    kind: "text",
    value: "ROLE",
    words: Role.literals,
    says: `a role is one of ${Role.literals.join(", ")}`,
    about: `one of ${Role.literals.join(", ")}`,
    otherwise: "node"
  },
  "mesh-name": {
    kind: "text",
    value: "NAME",
    says: `the name of a mesh is 1 to ${FIELD_CHARS_MAX} characters, without spaces around it, all of which prints`,
    about: "the mesh, by its name",
    otherwise: "an id made at the first start"
  },
  "mesh-id": {
    kind: "text",
    value: "ID",
    says: "the id of a mesh is 64 hexadecimal digits or a UUID, in small letters",
    about: "the mesh, by its id; in place of --mesh-name",
    otherwise: "what the name gives"
  },
  "mesh-key": {
    kind: "text",
    value: "KEY",
    says: "the key of a mesh is an Ed25519 public key, 43 characters of base64url",
    about: "join the mesh that this operator key made",
    otherwise: "made at the first start"
  },
  host: {
    kind: "text",
    value: "ADDRESS",
    says: "an address to listen on is an IP address or a host name, without scheme, port and brackets",
    about: "listen on this address",
    otherwise: "0.0.0.0, every IPv4 address"
  },
  port: {
    kind: "number",
    value: "PORT",
    says: "a port is a whole number from 0 (any that is free) to 65535 (INVALID_PORT)",
    about: "listen on this port; 0 takes any that is free",
    otherwise: "18789"
  },
  state: {
    kind: "text",
    value: "DIRECTORY",
    says: "the state directory is a path",
    about: "where identity and journal are kept",
    otherwise: "/var/lib/clawmesh, or ~/.local/state/clawmesh"
  },
  peers: {
    kind: "list",
    value: "PEER",
    one: "peer",
    says: `peers are a list, at most ${FIELD_ITEMS_MAX} of them, each such as <deviceId>=wss://192.168.1.50:18789||lan`,
    itemSays: "a peer is a text such as <deviceId>=wss://192.168.1.50:18789||lan (INVALID_PEER_URL)",
    about: "dial <deviceId>=<url>|<tlsFingerprint>|<label>",
    otherwise: "none"
  },
  relays: {
    kind: "list",
    value: "RELAY",
    one: "relay",
    says: `relays are a list, at most ${RELAYS_MAX} of them, each such as <relay id>=wss://relay.example:18790`,
    itemSays: "a relay is a text such as <relay id>=wss://relay.example:18790: clawmesh-node relay prints it",
    about: "meet devices through <relay id>=<url>",
    otherwise: "none"
  },
  "relay-token-file": {
    kind: "text",
    value: "FILE",
    says: "the token for relays is in a file, whose path is written here",
    about: "its first line is the token for the relays",
    otherwise: "none"
  },
  "relay-grants": {
    kind: "list",
    value: "GRANT",
    one: "relay-grant",
    says: `grants for relays are a list, at most ${RELAYS_MAX} of them`,
    itemSays: "a grant is one word, as clawmesh-node relay grant prints it",
    about: "what the mesh signed for the relays, in place of a token",
    otherwise: "none"
  },
  discovery: {
    kind: "boolean",
    value: "",
    says: "discovery is true or false",
    about: "do not announce and look for devices by mDNS",
    otherwise: "discovery"
  },
  electors: {
    kind: "list",
    value: "ID",
    one: "elector",
    says: `electors are a list of device ids, at most ${FIELD_ITEMS_MAX}`,
    itemSays: "an elector is a device id, 64 hexadecimal digits in small letters: clawmesh-node id prints it",
    about: "votes for a leader; the same on every node",
    otherwise: "a planner elects itself"
  },
  persons: {
    kind: "list",
    value: "NAME=KEY",
    one: "person",
    says: `persons are a list of names and keys, at most ${FIELD_ITEMS_MAX}, each as clawmesh person prints it`,
    itemSays:
      "a person is a name and a public key, such as asha=<43 characters of base64url>: clawmesh person prints it",
    about: "whose decisions this node takes",
    otherwise: "anybody's at a trusted device"
  },
  "manifest-version": {
    kind: "number",
    value: "N",
    says: `the version of the list of electors is a whole number from 1 to ${COUNTER_MAX}`,
    about: "version of the list of electors that the mesh begins with",
    otherwise: "1"
  },
  profile: {
    kind: "text",
    value: "PROFILE",
    words: Profile.literals,
    says: `a profile is one of ${Profile.literals.join(", ")}`,
    about: "how patient the mesh is: lan, wan, battery",
    otherwise: "lan"
  },
  capabilities: {
    kind: "list",
    value: "WORD",
    one: "capability",
    says: `capabilities are a list of words, at most ${FIELD_ITEMS_MAX}`,
    itemSays: "a capability is one word such as actuator:pump-1, without spaces and commas",
    about: "what this node can do, such as actuator:pump-1",
    otherwise: "none"
  },
  farm: {
    kind: "text",
    value: "FILE",
    says: "the description of the farm is a path, such as farm.yaml",
    about: "zones, sensors, actuators and rules of the farm",
    otherwise: "none"
  },
  "metrics-port": {
    kind: "number",
    value: "PORT",
    says: "a port for metrics is a whole number from 0 (any that is free) to 65535",
    about: "tell /metrics and /healthz on this port of 127.0.0.1; 0 takes any",
    otherwise: "none"
  },
  watchdog: {
    kind: "boolean",
    value: "",
    says: "watchdog is true or false",
    about: "end this process where it stands still, to be started again",
    otherwise: "no watchdog"
  },
  "recording-mb": {
    kind: "number",
    value: "N",
    says: `how much is recorded is a whole number of megabytes from 0 (nothing) to ${RECORDING_MB_MAX}`,
    about: "keep what the node took up, in so many MB; 0: nothing",
    otherwise: "0"
  },
  log: {
    kind: "text",
    value: "FORMAT",
    words: Log.literals,
    says: `a log is one of ${Log.literals.join(", ")}`,
    about: "lines for people, or one JSON object a line: readable, json",
    otherwise: "readable"
  }
}

export const keys = Object.keys(descriptions) as ReadonlyArray<Key>

/** Without dashes: `mesh-name`, `peer`. */
export const flagOf = (key: Key): string => descriptions[key].one ?? key
/** As people write it. Discovery is on unless it is turned off. */
export const writtenFlag = (key: Key): string => (key === "discovery" ? "--no-discovery" : `--${flagOf(key)}`)
/** `CLAWMESH_MESH_NAME`, `CLAWMESH_PEERS`. */
export const variableOf = (key: Key): string => `CLAWMESH_${key.toUpperCase().replaceAll("-", "_")}`
