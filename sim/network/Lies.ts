/**
 * What a trusted device says that lies, or whose memory is bad: a word of its own beside those that its kernel sends, on the same
 * connection and right behind one of them. The kernel knows nothing of it and goes on telling the truth, so that oracles judge the
 * liar's kernel as they judge those who hear it: what is promised is what an honest kernel makes of such words (PROTOCOL.md part 4,
 * P7.2, P7.7, P7.8, P7.12).
 *
 * `malformed`: no frame of this protocol. `false words`: well-formed, with values that are not so, about links, terms, and the
 * liar itself. `false rows`: about others, who hears whom, and who has said goodbye. `anything`: all of these.
 *
 * Not told, since the protocol believes whoever says it, and promises nothing then (part 12): a vote or a promise that was not
 * given; the beat, and the release, of somebody who may lead; a goodbye in the liar's own name, which is one. Terms are at most a
 * few above a true one, or beyond every bound. What rows make others believe of devices that they have no session with is not
 * judged while there are liars (S11), nor what a file says of peers (Draw.ts).
 *
 * Does not model: liars that plan, or that agree with each other; a liar that holds back what it should say (that is `cut` and
 * `slow`); false answers to pings; lies to and of devices that are not of the mesh (`connect`).
 */
import { at, belowAt, type Key } from "../../kernel/Draw.ts"
import { encode } from "../../kernel/wire/Codec.ts"
import type { ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import type { DeviceId, Event, EventName, Frame } from "../../kernel/wire/Frame.ts"
import { COUNTER_MAX, MESSAGE_BYTES_MAX, MESSAGE_DEPTH_MAX, MESSAGE_VALUES_MAX } from "../../kernel/wire/Limits.ts"

export const lieKinds = ["malformed", "false words", "false rows", "anything"] as const
export type LieKind = (typeof lieKinds)[number]

/** Who lies, as far as it matters for what is a lie. */
export interface Speaker {
  readonly deviceId: DeviceId
  /** Whose beats are believed. */
  readonly mayLead: boolean
  readonly manifest: number
  /** Everybody of the mesh. */
  readonly devices: ReadonlyArray<DeviceId>
}

type Payload<E extends EventName> = Extract<Event, { readonly event: E }>["payload"]
const NOBODY = "f".repeat(64)
type Json = { readonly [key: string]: unknown }

/** One lie's draws: independent of every other's. */
class Lots {
  readonly #of: Key
  #n = 0

  constructor(of: Key) {
    this.#of = of
  }

  below(n: number): number {
    return belowAt(this.#of, this.#n++, n)
  }

  one<A>(list: ReadonlyArray<A>): A {
    return list[this.below(list.length)]!
  }

  /** Of incarnations, versions, beats: small ones, which true ones are, and those at the end of counting. */
  counter(): number {
    return this.one([0, 1, 2, 3, this.below(100), COUNTER_MAX - 1, COUNTER_MAX])
  }
}

/** Rarely: a megabyte costs the most of all lies. */
const LARGE_ONE_IN = 64

// ------------------------------------------------------------------------------------------------ malformed

const member = (payload: string): string => `{"type":"event","event":"mesh.heartbeat","payload":${payload}}`

const large = (lots: Lots): string =>
  lots.below(2) === 0
    ? `"${"x".repeat(MESSAGE_BYTES_MAX)}"`
    : member(`{"epoch":[1,1,1,1],"seq":1,"rows":1,"more":[${"0,".repeat(MESSAGE_VALUES_MAX)}0]}`)

/** A frame of context, but for one member. */
const poison = (instead: Json): string =>
  JSON.stringify({
    kind: "observation",
    frameId: "poison",
    sourceDeviceId: NOBODY,
    timestamp: 0,
    data: {},
    trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
    hops: 0,
    ...instead
  })

/** No frame at all, or none that its type allows. */
const MALFORMED: ReadonlyArray<string> = [
  "",
  "garbage",
  "null",
  "[]",
  "{}",
  "\u0000\ud800",
  '{"type":"bye"}',
  '{"type":"event"}',
  '{"type":"event","event":"mesh.coup","payload":null}',
  '{"type":"event","event":"mesh.edges"}',
  '{"type":"event","event":"mesh.edges","payload":{"rows":null}}',
  '{"type":"event","event":"mesh.edges","payload":{"rows":[null]}}',
  '{"type":"event","event":"mesh.lead","payload":{"term":7,"beat":"1"}}',
  '{"type":"event","event":"mesh.vote","payload":{"term":{"manifest":1,"counter":1.5}}}',
  '{"type":"event","event":"mesh.vote.answer","payload":{"term":{"manifest":1,"counter":1},"granted":"yes"}}',
  '{"type":"event","event":"__proto__","payload":{}}',
  '{"type":"req","id":"1","method":"mesh.takeover","params":{}}',
  '{"type":"req","id":"1","method":"constructor","params":{}}',
  '{"type":"req","method":"mesh.status","params":{}}',
  `{"type":"req","id":"${"i".repeat(1_000)}","method":"mesh.status","params":{}}`,
  '{"type":"req","id":"1","method":"mesh.connect","params":null}',
  '{"type":"res","id":"1"}',
  '{"type":"res","id":"1","ok":"true","payload":{}}',
  '{"type":"res","id":"1","ok":false}',
  member("null"),
  member("{}"),
  member("NaN"),
  member('{"epoch":[1,2,3],"seq":1,"rows":1}'),
  member('{"epoch":[1,1,1,1],"seq":-1,"rows":1}'),
  member('{"epoch":[1,1,1,1],"seq":1e300,"rows":1}'),
  member('{"epoch":[1,1,1,1],"seq":9007199254740993,"rows":1}'),
  member(`${"[".repeat(MESSAGE_DEPTH_MAX)}${"]".repeat(MESSAGE_DEPTH_MAX)}`),
  "[".repeat(10_000),
  ...[
    "null",
    "{}",
    '{"kind":"observation"}',
    poison({ data: null }),
    poison({ data: [] }),
    poison({ trust: null }),
    poison({ trust: { evidence_sources: ["llm"], evidence_trust_tier: "T3_verified_action_evidence" } }),
    poison({ timestamp: "now" }),
    poison({ hops: -1 }),
    poison({ sourceDeviceId: "somebody" }),
    poison({ kernel: null }),
    poison({ kernel: { incarnation: 1, seq: 0 } })
  ].map((payload) => `{"type":"event","event":"context.frame","payload":${payload}}`)
]

const malformed = (heard: string, lots: Lots): string => {
  if (lots.below(LARGE_ONE_IN) === 0) return large(lots)
  // What it just said, but not all of it.
  return lots.below(4) === 0 ? heard.slice(0, lots.below(heard.length)) : lots.one(MALFORMED)
}

// ------------------------------------------------------------------------------------------------ false

const event = <E extends EventName>(name: E, payload: Payload<E>): string =>
  JSON.stringify({ type: "event", event: name, payload })

const request = (method: string, lots: Lots): string =>
  JSON.stringify({ type: "req", id: `lie-${lots.below(3)}`, method, params: {} })

const termIn = (frame: Frame | null): number => {
  if (frame?.type !== "event" || !("term" in frame.payload)) return 1
  return frame.payload.term.counter
}

const term = (speaker: Speaker, near: number, lots: Lots) => ({
  manifest: lots.one([speaker.manifest, speaker.manifest, speaker.manifest, 0, COUNTER_MAX]),
  counter: Math.min(COUNTER_MAX, lots.one([0, near, near + 1, near + 2, COUNTER_MAX]))
})

const others = ({ deviceId, devices }: Speaker): ReadonlyArray<DeviceId> => [
  ...devices.filter((device) => device !== deviceId),
  NOBODY
]

/** Something that nobody said, in the name of this device; signed by nobody. */
const forged = (sourceDeviceId: DeviceId, lots: Lots): ContextFrame => ({
  kind: "observation",
  frameId: `forged-${lots.below(1_000)}`,
  sourceDeviceId,
  timestamp: 0,
  data: { zone: "zone-1", metric: "moisture", value: lots.below(100) },
  trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
  hops: lots.below(5),
  ...(lots.below(3) === 0
    ? {}
    : {
        kernel: {
          incarnation: 1 + lots.below(3),
          seq: 1 + lots.below(50),
          publicKey: sourceDeviceId.slice(0, 43),
          ageMs: 0,
          signature: "A".repeat(86)
        }
      })
})

type False = (speaker: Speaker, said: Frame | null, lots: Lots) => string

const falseWords: ReadonlyArray<False> = [
  (_, __, lots) =>
    event("mesh.heartbeat", { epoch: [1, 9, 9, 9], seq: lots.counter(), rows: lots.counter(), ack: lots.counter() }),
  (_, __, lots) => event("mesh.rows.sums", { sums: Array.from({ length: lots.below(17) }, () => lots.counter()) }),
  (speaker, _, lots) =>
    event("mesh.rows.have", {
      groups: Array.from({ length: 16 }, (__, group) => group),
      have: others(speaker).map((observer) => ({ observer, incarnation: lots.counter(), version: lots.counter() }))
    }),
  (speaker) => event("mesh.rows.want", { observers: others(speaker) }),
  (speaker, _, lots) => event("mesh.probe", { subject: lots.one(speaker.devices), incarnation: lots.counter() }),
  (speaker, _, lots) => event("peer.leaving", { gen: 1, deviceId: lots.one(others(speaker)), timestamp: 0 }),
  (speaker, said, lots) => event("mesh.prevote", { term: term(speaker, termIn(said), lots) }),
  (speaker, said, lots) => event("mesh.vote", { term: term(speaker, termIn(said), lots) }),
  (speaker, said, lots) => event("mesh.prevote.answer", { term: term(speaker, termIn(said), lots), granted: false }),
  (speaker, said, lots) => event("mesh.vote.answer", { term: term(speaker, termIn(said), lots), granted: false }),
  (speaker, said, lots) =>
    event("mesh.lead.answer", { term: term(speaker, termIn(said), lots), beat: lots.counter(), promised: false }),
  (speaker, said, lots) =>
    speaker.mayLead
      ? request("mesh.challenge", lots)
      : event("mesh.lead", { term: term(speaker, termIn(said), lots), beat: lots.counter() }),
  (speaker, said, lots) =>
    speaker.mayLead ? request("mesh.peers", lots) : event("mesh.release", { term: term(speaker, termIn(said), lots) }),
  (speaker, _, lots) => event("context.frame", forged(lots.one([...others(speaker), speaker.deviceId]), lots)),
  (speaker, _, lots) =>
    event("mesh.world.have", {
      streams: others(speaker).map((origin) => ({
        origin,
        incarnation: lots.counter(),
        next: lots.counter(),
        floor: lots.counter()
      })),
      entries: others(speaker).map((origin) => ({ origin, print: lots.below(1_000) }))
    }),
  (speaker, _, lots) =>
    event("mesh.world.want", {
      origin: lots.one(speaker.devices),
      incarnation: lots.below(4),
      from: lots.counter(),
      bytes: lots.counter()
    }),
  (speaker, _, lots) => {
    const origin = lots.one(others(speaker))
    const from = lots.below(20)
    const frames = Array.from({ length: lots.below(3) }, () => forged(origin, lots))
    const through = from + lots.below(10)
    return event("mesh.world.frames", { origin, incarnation: lots.below(3), from, through, last: true, frames })
  },
  ({ deviceId, devices, manifest: version }, _, lots) => {
    // With itself among those who elect, in place of somebody; acknowledged by everybody, as it says.
    const electors = devices.filter(() => lots.below(2) === 0 || devices.length < 3)
    const signed = { publicKey: deviceId.slice(0, 43), signature: "A".repeat(86) }
    return event("mesh.manifest", {
      manifest: {
        version: version + 1 + lots.below(2),
        electors: [...new Set([...electors.slice(1), deviceId])].sort(),
        previous: { version, electors },
        readmitted: [],
        signature: signed.signature
      },
      acks: electors.map((elector) => ({ elector, ...signed }))
    })
  },
  (_, __, lots) => request("mesh.status", lots),
  (_, __, lots) => request("mesh.challenge", lots),
  () => JSON.stringify({ type: "res", id: "1", ok: true, payload: { nonce: "nobody asked" } }),
  (_, said, lots) => twisted(said, lots) ?? request("mesh.status", lots)
]

/** `mood`: what it says of everybody, or, where it says of each something else, `null`. */
const row = (speaker: Speaker, observer: DeviceId, lots: Lots): string => {
  const mood = lots.one([true, false, null])
  const edges = speaker.devices
    .filter((subject) => subject !== observer)
    .map((subject) => {
      const good = mood ?? lots.below(2) === 0
      const left = !good && lots.below(4) === 0
      return { subject, incarnation: lots.counter(), good, ...(left ? { left: true as const } : {}) }
    })
  const more = Array.from({ length: lots.one([0, 0, 0, 1, 40]) }, () => ({
    subject: NOBODY,
    incarnation: 1,
    good: true
  }))
  const heads = { observer, incarnation: lots.counter(), version: lots.counter() }
  return event("mesh.edges", { rows: [{ ...heads, edges: [...edges, ...more] }] })
}

const falseRows: ReadonlyArray<False> = [
  (speaker, _, lots) => row(speaker, speaker.deviceId, lots),
  (speaker, _, lots) => row(speaker, speaker.deviceId, lots),
  (speaker, _, lots) => row(speaker, lots.one(others(speaker)), lots),
  (speaker, _, lots) => event("peer.down", { gen: 1, deviceId: lots.one(speaker.devices), reportedAtMs: 0 }),
  (speaker, _, lots) => event("mesh.probe.answer", { subject: lots.one(speaker.devices), incarnation: lots.counter() }),
  (speaker, _, lots) =>
    event("mesh.goodbyes", {
      goodbyes: others(speaker).map((deviceId) => ({
        deviceId,
        incarnation: lots.counter(),
        reason: "asked to",
        publicKey: deviceId.slice(0, 43),
        signature: "A".repeat(86)
      }))
    })
]

// ------------------------------------------------------------------------------------------------ twisted

/** What is never said otherwise than as it is. */
const TRUE_ONLY: ReadonlySet<string> = new Set([
  "mesh.lead",
  "mesh.release",
  "mesh.edges",
  "mesh.probe.answer",
  "peer.leaving",
  "peer.down"
])

const grants = (payload: object): boolean =>
  ("granted" in payload && payload.granted === true) || ("promised" in payload && payload.promised === true)

/** The frame once more, with one number or text in it another. */
const twisted = (said: Frame | null, lots: Lots): string | null => {
  if (said === null || (said.type === "event" && (TRUE_ONLY.has(said.event) || grants(said.payload)))) return null
  const leaves: Array<ReadonlyArray<string>> = []
  const walk = (value: unknown, path: ReadonlyArray<string>): void => {
    if (typeof value === "object" && value !== null)
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key])
    else if (typeof value === "number" || (typeof value === "string" && path.length > 1)) leaves.push(path)
  }
  walk(said, [])
  if (leaves.length === 0) return null
  const path = lots.one(leaves)
  const change = (value: unknown, [key, ...rest]: ReadonlyArray<string>): unknown => {
    if (key === undefined)
      return typeof value === "number" ? lots.counter() : lots.one(["", "f", NOBODY, `${value as string}x`])
    if (Array.isArray(value))
      return value.map((inner: unknown, place) => (String(place) === key ? change(inner, rest) : inner))
    return { ...(value as Json), [key]: change((value as Json)[key], rest) }
  }
  return JSON.stringify(change(said, path))
}

/**
 * What is told behind `said`; `null` stands for text that is no frame of a kernel's. `of` is the key of this one lie.
 */
export const lie = (speaker: Speaker, said: Frame | null, kind: LieKind, of: Key): string => {
  const lots = new Lots({ a: at(of, 0) | 0, b: at({ a: of.b, b: of.a }, 0) | 0 })
  const told = kind === "anything" ? lots.one(["malformed", "false words", "false rows"] as const) : kind
  switch (told) {
    case "malformed":
      return malformed(said === null ? "garbage" : encode(said), lots)
    case "false words":
      return lots.one(falseWords)(speaker, said, lots)
    case "false rows":
      return lots.one(falseRows)(speaker, said, lots)
  }
}
