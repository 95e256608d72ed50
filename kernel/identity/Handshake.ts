/**
 * The strings that both ends of a handshake sign (PROTOCOL.md parts 5 and 9). Pure; signing and checking are commands.
 *
 * Two different handshakes never give the same string: places are fixed and divided by `|`, which an encoded field cannot
 * contain. Only absent and empty are one. The two forms begin differently, so that a signature under one is worth nothing
 * under the other.
 */

/**
 * `encodeURIComponent`, made total: it throws on a lone surrogate, which becomes `%u` and its four upper-case hex digits here.
 * Nothing else encodes to that, so no two texts encode alike. A peer of generation 1 cannot have signed such a text.
 */
const field = (text: string): string =>
  text.isWellFormed()
    ? encodeURIComponent(text)
    : Array.from(text, (point) =>
        point.isWellFormed() ? encodeURIComponent(point) : `%u${point.charCodeAt(0).toString(16).toUpperCase()}`
      ).join("")

/** Each element ends with a comma, so that no elements and one empty element differ. */
const list = (texts: ReadonlyArray<string>): string => texts.map((text) => `${field(text)},`).join("")

export interface ConnectFields {
  readonly deviceId: string
  readonly signedAtMs: number
  /** The nonce of the other end. */
  readonly nonce: string
  readonly meshId?: string
  readonly role?: string
}

/** What generation 1 signs, in both directions alike. */
export const connectString = ({ deviceId, meshId = "", nonce, role = "", signedAtMs }: ConnectFields): string =>
  ["mesh.connect", "v2", field(deviceId), String(signedAtMs), field(nonce), field(meshId), field(role)].join("|")

export interface GoodbyeFields {
  readonly meshId: string
  readonly meshKey: string
  readonly deviceId: string
  readonly incarnation: number
  readonly reason: string
}

/** What a device signs when it leaves (P7.16): good for one incarnation of it in one mesh, whoever shows it. */
export const goodbyeString = ({ deviceId, incarnation, meshId, meshKey, reason }: GoodbyeFields): string =>
  ["clawmesh.leave", "v1", field(meshId), field(meshKey), field(deviceId), String(incarnation), field(reason)].join("|")

export interface VoteFields {
  readonly meshId: string
  readonly meshKey: string
  readonly manifest: number
  readonly counter: number
  /** For whom, in which of its incarnations. */
  readonly leader: string
  readonly incarnation: number
}

/** What an elector signs of its vote (P7.19). */
export const voteString = ({ counter, incarnation, leader, manifest, meshId, meshKey }: VoteFields): string =>
  ["clawmesh.vote", "v1", field(meshId), field(meshKey), manifest, counter, field(leader), incarnation].join("|")

export interface ManifestFields {
  readonly meshId: string
  readonly meshKey: string
  readonly version: number
  readonly electors: ReadonlyArray<string>
  readonly previous: { readonly version: number; readonly electors: ReadonlyArray<string> }
  readonly readmitted: ReadonlyArray<{ readonly deviceId: string; readonly incarnation: number }>
}

const manifestFields = (fields: ManifestFields): ReadonlyArray<string> => [
  "v1",
  field(fields.meshId),
  field(fields.meshKey),
  String(fields.version),
  list(fields.electors),
  String(fields.previous.version),
  list(fields.previous.electors),
  list(fields.readmitted.map(({ deviceId, incarnation }) => `${deviceId} ${incarnation}`))
]

/** What the operator key signs of a list of electors (P7.22). */
export const manifestString = (fields: ManifestFields): string =>
  ["clawmesh.manifest", ...manifestFields(fields)].join("|")

/** And an elector of the list before, who acknowledges it. */
export const acknowledgementString = (fields: ManifestFields): string =>
  ["clawmesh.manifest.ack", ...manifestFields(fields)].join("|")

export interface DecisionFields {
  readonly meshId: string
  readonly meshKey: string
  readonly id: string
  /** Canonical. */
  readonly body: string
  readonly token: string
  readonly by: string
  /** Empty: nothing was typed. */
  readonly typed: string
}

/** What a person signs who approves (P17.10). */
export const decisionString = ({ body, by, id, meshId, meshKey, token, typed }: DecisionFields): string =>
  ["clawmesh.decision", "v1", ...[meshId, meshKey, id, body, token, by, typed].map(field)].join("|")

export interface KernelFields {
  /** Who signs: the end that dialled, or the one that accepted. */
  readonly direction: "client" | "server"
  readonly clientDeviceId: string
  readonly serverDeviceId: string
  readonly clientNonce: string
  readonly serverNonce: string
  readonly meshId: string
  readonly meshKey: string
  /** From here on, the signer's own. */
  readonly incarnation: number
  readonly bootId: string
  readonly linkCounter: number
  readonly gen: readonly [number, number]
  readonly features: ReadonlyArray<string>
  readonly capabilities: ReadonlyArray<string>
  readonly displayName: string
  /** The exporter value of the TLS connection; empty where there is none. */
  readonly exporter: string
  /** The highest incarnation of the other end that was met, where it asked for it. */
  readonly remembers?: number
}

/** What kernel peers sign besides: it names direction and audience, so that it is good for one listener on one link only. */
export const kernelString = (fields: KernelFields): string =>
  [
    "clawmesh.kernel",
    "v1",
    fields.direction,
    field(fields.clientDeviceId),
    field(fields.serverDeviceId),
    field(fields.clientNonce),
    field(fields.serverNonce),
    field(fields.meshId),
    field(fields.meshKey),
    String(fields.incarnation),
    field(fields.bootId),
    String(fields.linkCounter),
    fields.gen.join("-"),
    list(fields.features),
    list(fields.capabilities),
    field(fields.displayName),
    field(fields.exporter),
    ...(fields.remembers === undefined ? [] : [String(fields.remembers)])
  ].join("|")
