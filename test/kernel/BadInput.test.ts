/**
 * Bad input: every field of every message missing, null, of another type, oversized, nested or there twice, in every state of a
 * link and of the node, before and after authentication, from both ends; then several of them at once, at random.
 *
 * What each has to be: read without an exception and within the bounds of the codec; taken up without one, as pure as any
 * input, within the bounds of S10; and where it is refused nothing changes but what counts it. A login or an answer that was
 * altered where it is signed makes no session.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { ok } from "node:assert"
import { isDeepStrictEqual } from "node:util"
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import { decode, type Decoded } from "../../kernel/wire/Codec.ts"
import { eventSchemas, requestSchemas } from "../../kernel/wire/Frame.ts"
import {
  FIELD_CHARS_MAX,
  FIELD_ITEMS_MAX,
  ID_UNITS_MAX,
  MESSAGE_BYTES_MAX,
  MESSAGE_DEPTH_MAX,
  MESSAGE_VALUES_MAX,
  NAME_UNITS_MAX
} from "../../kernel/wire/Limits.ts"
import type { Machine } from "../../sim/engine/Machine.ts"
import { bounds } from "../../sim/oracles/S10Bounds.ts"
import { configOf, Drive, id, type Given, type World } from "./drive.ts"

const INPUTS_MIN = 100_000
const RANDOM_RUNS = 15_000

const world: World = {
  roles: { a: "planner", b: "standby-planner", c: "field", d: "viewer", e: "sensor" },
  electors: "abc",
  gen1: "e"
}

let inputs = 0
const met = new Map<string, number>()
const meet = (what: string): void => {
  met.set(what, (met.get(what) ?? 0) + 1)
}

// ------------------------------------------------------------------------------------------------ a node that is looked after

const frozen = new WeakSet<object>()
/** A step that writes to what it was given throws. */
const freeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || frozen.has(value)) return value
  frozen.add(value)
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
  return value
}

const within = bounds()

class Watched extends Drive {
  /** How many steps were done twice. */
  private steps = 0

  override step(given: Given): ReadonlyArray<Command> {
    const input = { ...given, at: { mono: this.mono, wall: this.mono } } as Input
    const before = this.node
    const [after, commands] = Node.step(before, input)
    if (++this.steps % 16 === 0)
      ok(isDeepStrictEqual([after, commands], Node.step(before, input)), "the same input gives the same")
    const machine = { name: "a" } as Machine
    const told = within.stepped({ machine, before, input, after, commands, nowMs: 0 } as never)
    ok(told === null, told ?? "")
    this.node = after
    return commands
  }

  /** As it is now, to come back to. */
  keep(): () => void {
    const { durable, keysWait, mono } = this
    const node = freeze(this.node)
    const waiting = [...this.waiting]
    return () => {
      this.node = node
      this.mono = mono
      this.durable = durable
      this.keysWait = keysWait
      this.waiting.splice(0, this.waiting.length, ...waiting)
    }
  }

  sessionsNow(): number {
    return this.node.links.links.filter(({ _tag }) => _tag === "Session").length
  }
}

// ------------------------------------------------------------------------------------------------ states

interface Stage {
  readonly name: string
  readonly drive: Watched
  /** The link that bad input comes over; 0: there is none. */
  readonly link: number
  /** Who is at its other end. */
  readonly peer: string
  readonly back: () => void
}

const stage = (name: string, set: (drive: Watched) => readonly [link: number, peer: string]): Stage => {
  const drive = new Watched(configOf(world, "a"))
  const [link, peer] = set(drive)
  return { name, drive, link, peer, back: drive.keep() }
}

const running = (drive: Watched): Watched => {
  drive.start()
  return drive
}

const dialled = (drive: Watched, peer: string): number => {
  while (drive.contact(peer).attempt === null) drive.ring()
  const link = drive.nextLink()
  drive.linkUp(drive.contact(peer).attempt, link)
  return link
}

const offered = (drive: Watched): number => {
  const link = drive.nextLink()
  drive.linkUp(null, link)
  return link
}

/** Its own key and those of others take their time from here on; `answered`: so many of what waits is answered. */
const withSlowKeys = (drive: Watched, act: () => void, answered = 0): void => {
  drive.keysWait = true
  act()
  for (let n = 0; n < answered; n++) drive.feed(drive.waiting.shift()!)
}

const standing = (drive: Watched, until: "Sounding" | "Standing" | "Leading"): readonly [number, string] => {
  const { link } = drive.meet("b")
  drive.meet("c")
  while (drive.standing._tag === "Following") drive.ring()
  if (until === "Sounding") return [link, "b"]
  const { term } = drive.standing as { readonly term: { readonly manifest: number; readonly counter: number } }
  drive.hear(link, "mesh.prevote.answer", { term, granted: true })
  if (until === "Standing") return [link, "b"]
  drive.hear(link, "mesh.vote.answer", { term, granted: true })
  drive.ring()
  return [link, "b"]
}

const stages: ReadonlyArray<Stage> = [
  stage("off", () => [7, "b"]),
  stage("booting", (drive) => {
    drive.diskWaits = true
    drive.start()
    return [7, "b"]
  }),
  stage("recalling", (drive) => {
    drive.feed({ _tag: "Started", bootId: "boot", durable: drive.durable, amnesia: true })
    return [dialled(drive, "b"), "b"]
  }),
  stage("recalling, logged in", (drive) => {
    drive.feed({ _tag: "Started", bootId: "boot", durable: drive.durable, amnesia: true })
    const link = dialled(drive, "b")
    drive.answerChallenge(link)
    return [link, "b"]
  }),
  stage("no link", (drive) => [running(drive).nextLink() + 6, "b"]),
  stage("Offered", (drive) => [offered(running(drive)), "b"]),
  stage("Offered, asked", (drive) => {
    const link = offered(running(drive))
    drive.challenge(link)
    return [link, "b"]
  }),
  stage("CheckingClient", (drive) => {
    const link = offered(running(drive))
    drive.challenge(link)
    withSlowKeys(drive, () => drive.connect(link, "b"))
    return [link, "b"]
  }),
  stage("SigningAnswer", (drive) => {
    const link = offered(running(drive))
    drive.challenge(link)
    withSlowKeys(drive, () => drive.connect(link, "b"), 1)
    return [link, "b"]
  }),
  stage("Held", (drive) => {
    running(drive).meet("b")
    return [drive.meet("b", { incarnation: 2, bootId: "boot-2" }).link, "b"]
  }),
  stage("Asking", (drive) => [dialled(running(drive), "b"), "b"]),
  stage("SigningLogin", (drive) => {
    const link = dialled(running(drive), "b")
    withSlowKeys(drive, () => drive.answerChallenge(link))
    return [link, "b"]
  }),
  stage("Proving", (drive) => {
    const link = dialled(running(drive), "b")
    drive.answerChallenge(link)
    return [link, "b"]
  }),
  stage("CheckingServer", (drive) => {
    const link = dialled(running(drive), "b")
    const login = drive.answerChallenge(link)
    withSlowKeys(drive, () => drive.answerLogin(link, "b", {}, login))
    return [link, "b"]
  }),
  stage("Session, dialled by it", (drive) => [running(drive).meet("b").link, "b"]),
  stage("Session, dialled by us", (drive) => [running(drive).reach("c").link, "c"]),
  stage("Session of a viewer", (drive) => [running(drive).meet("d").link, "d"]),
  stage("Session of generation 1", (drive) => [running(drive).meet("e", { kernel: false }).link, "e"]),
  stage("Session, down", (drive) => {
    const { link } = running(drive).meet("b")
    drive.meet("c")
    drive.pass(2_500)
    return [link, "b"]
  }),
  stage("Sounding", (drive) => standing(running(drive), "Sounding")),
  stage("Standing", (drive) => standing(running(drive), "Standing")),
  stage("Leading", (drive) => standing(running(drive), "Leading")),
  stage("left", (drive) => {
    const { link } = running(drive).meet("b")
    drive.feed({ _tag: "Leave", reason: "enough" })
    return [link, "b"]
  })
]

// ------------------------------------------------------------------------------------------------ what an honest peer would say

type Json = { readonly [key: string]: unknown }

/** Every message there is, as it would be right in this state. */
const messages = ({ drive, link, peer }: Stage): ReadonlyArray<Json> => {
  const found = drive.node.links.links.find((other) => other.link === link)
  const [mine, counter, theirs, theirCounter] = found?._tag === "Session" ? found.epoch : [1, 1, 1, 1]
  const { term: known } = drive.node.leadership
  const term = { manifest: 1, counter: known.counter + 1 }
  const row = {
    observer: id(peer),
    incarnation: 1,
    version: 1,
    edges: [{ subject: id("c"), incarnation: 1, good: false, left: true }]
  }
  const frame = {
    gen: 1,
    kind: "observation",
    frameId: "f",
    sourceDeviceId: id(peer),
    timestamp: 1,
    data: { zone: "z", value: 1 },
    trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
    hops: 0,
    kernel: { incarnation: 1, seq: 1, publicKey: `key-${peer}`, ageMs: 0, signature: "s", causes: ["e"] }
  }
  const inquiry = { subject: id("c"), incarnation: 1 }
  const event = (name: string, payload: Json): Json => ({ type: "event", event: name, payload })
  const granted = { term, granted: true }
  const heard = { manifest: 1, counter: known.counter }
  const login = drive.loginOf(peer, link, { kernel: peer !== "e" })
  const answer = drive.answerOf(peer, link, { kernel: peer !== "e" })
  return [
    { type: "req", id: "1", method: "mesh.challenge", params: {} },
    { type: "req", id: "2", method: "mesh.connect", params: { ...login } },
    { type: "req", id: "3", method: "mesh.status", params: {} },
    { type: "req", id: "4", method: "mesh.peers", params: {} },
    {
      type: "req",
      id: "5",
      method: "mesh.world.query",
      params: { limit: 10, kind: "observation", sourceDeviceId: id("c") }
    },
    { type: "req", id: "6", method: "context.sync", params: { since: 0, limit: 10, kind: "event", zone: "z" } },
    {
      type: "req",
      id: "7",
      method: "mesh.message.forward",
      params: {
        channel: "notes",
        to: id("a"),
        originGatewayId: id(peer),
        idempotencyKey: "k",
        message: { text: "x" },
        kernel: { deadlineMs: 1_000, path: [id(peer)] }
      }
    },
    {
      type: "req",
      id: "8",
      method: "llm.infer",
      params: {
        requestId: "r",
        model: "ollama/llama3",
        messages: [{ role: "user", content: "?" }],
        maxTokens: 10,
        temperature: 0.5
      }
    },
    { type: "req", id: "9", method: "llm.cancel", params: { requestId: "r" } },
    { type: "res", id: "challenge", ok: true, payload: { nonce: `server-${link}` } },
    { type: "res", id: "connect", ok: true, payload: { ...answer } },
    { type: "res", id: "connect", ok: false, error: { code: "UNTRUSTED_PEER", message: "no" } },
    event("peer.leaving", { gen: 1, deviceId: id(peer), timestamp: 1, incarnation: 1 }),
    event("peer.down", { gen: 1, deviceId: id("c"), reportedAtMs: 1 }),
    event("link.keepalive", { gen: 1, timestamp: 1 }),
    event("mesh.heartbeat", { epoch: [theirs, theirCounter, mine, counter], seq: 1, rows: 0 }),
    event("context.frame", frame),
    event("llm.chunk", { requestId: "r", seq: 0, delta: "x" }),
    event("mesh.world.have", {
      streams: [{ origin: id("c"), incarnation: 1, next: 9, floor: 0 }],
      entries: [{ origin: id("c"), print: 7 }]
    }),
    event("mesh.world.want", { origin: id("a"), incarnation: 1, from: 1, bytes: 100 }),
    event("mesh.world.frames", { origin: id("c"), incarnation: 1, from: 1, through: 1, last: true, frames: [frame] }),
    event("mesh.edges", { rows: [row] }),
    event("mesh.rows.sums", { sums: Array.from({ length: 16 }, () => 0) }),
    event("mesh.rows.have", { groups: [1], have: [{ observer: id("c"), incarnation: 1, version: 1 }] }),
    event("mesh.rows.want", { observers: [id("c")] }),
    event("mesh.goodbyes", {
      goodbyes: [{ deviceId: id("c"), incarnation: 1, reason: "", publicKey: "key-c", signature: "x" }]
    }),
    event("mesh.probe", inquiry),
    event("mesh.probe.answer", inquiry),
    event("mesh.prevote", { term }),
    event("mesh.prevote.answer", granted),
    event("mesh.vote", { term }),
    event("mesh.vote.answer", granted),
    event("mesh.vote.proof", { term, publicKey: "key-b", signature: "s" }),
    event("mesh.lead", { term, beat: 1 }),
    event("mesh.lead.answer", { term: heard, beat: 1, promised: true }),
    event("mesh.release", { term: heard }),
    event("mesh.manifest", {
      manifest: {
        version: 2,
        electors: [id("a"), id("b")],
        previous: { version: 1, electors: [id("a"), id("b"), id("c")] },
        readmitted: [{ deviceId: id("b"), incarnation: 1 }],
        signature: "s"
      },
      acks: [{ elector: id("b"), publicKey: "key-b", signature: "s" }]
    })
  ]
}

// ------------------------------------------------------------------------------------------------ what a bad one says

/** Every field of a message, by its path; of a list the first element. */
const pathsOf = (value: unknown, at: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value)
        .slice(0, Array.isArray(value) ? 1 : undefined)
        .flatMap(([key, inner]) => [[...at, key], ...pathsOf(inner, [...at, key])])

/** A place of the text that is replaced when all is text. */
const MARK = "\u0001here\u0001"

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)
const long = (units: number): string => JSON.stringify("x".repeat(units))
const many = (count: number, one: string): string => `[${Array.from({ length: count }, () => one).join(",")}]`

/** What stands in the place of a value, as text; `null`: its key is gone as well. */
const values: { readonly [how: string]: ((value: string) => string) | null } = {
  missing: null,
  null: () => "null",
  "another type: true": () => "true",
  "another type: 0": () => "0",
  "another type: text": () => '"x"',
  "another type: {}": () => "{}",
  "another type: []": () => "[]",
  "empty text": () => '""',
  negative: () => "-1",
  "negative zero": () => "-0",
  "a fraction": () => "1.5",
  "beyond exact integers": () => "9007199254740993",
  "beyond all numbers": () => "1e999",
  "oversized: a field": () => long(FIELD_CHARS_MAX + 1),
  "oversized: a name": () => long(NAME_UNITS_MAX + 1),
  "oversized: a list": () => many(FIELD_ITEMS_MAX + 1, '"x"'),
  "nested once": (value) => `[${value}]`,
  "nested in an object": (value) => `{"value":${value}}`,
  "nested deeply": () => nested(20),
  "nested too deeply": () => nested(MESSAGE_DEPTH_MAX + 1),
  "a prototype": () => '{"__proto__":{"polluted":true},"constructor":1}'
}

/** Larger than the rest, so that it is tried at fewer places. */
const huge: { readonly [how: string]: (value: string) => string } = {
  "oversized: a message": () => long(MESSAGE_BYTES_MAX),
  "oversized: values": () => many(MESSAGE_VALUES_MAX, "0")
}

/** Beyond what is ever parsed, wherever it stands. */
const beyond: ReadonlySet<string> = new Set(["nested too deeply", ...Object.keys(huge)])

const put = (message: Json, path: ReadonlyArray<string>, change: (parent: any, key: string) => void): Json => {
  const copy = structuredClone(message) as Json
  let parent: any = copy
  for (const key of path.slice(0, -1)) parent = parent?.[key]
  if (typeof parent === "object" && parent !== null) change(parent, path.at(-1)!)
  return copy
}

const at = (message: Json, path: ReadonlyArray<string>): unknown =>
  path.reduce<any>((inner, key) => inner?.[key], message)

const textWith = (message: Json, path: ReadonlyArray<string>, text: string): string =>
  JSON.stringify(put(message, path, (parent, key) => void (parent[key] = MARK))).replace(
    JSON.stringify(MARK),
    () => text
  )

/** The same key twice: of two values the last one counts. */
const twice = (message: Json, path: ReadonlyArray<string>, first: string, last: string): string => {
  const key = path.at(-1)!
  const marked = textWith(message, path, MARK)
  return /^\d+$/u.test(key)
    ? marked.replace(MARK, () => last)
    : marked.replace(MARK, () => `${first},${JSON.stringify(key)}:${last}`)
}

const badTexts = (message: Json, path: ReadonlyArray<string>): ReadonlyArray<readonly [how: string, text: string]> => {
  const value = JSON.stringify(at(message, path))
  const single = Object.entries(values).map(([how, make]): readonly [string, string] => [
    how,
    make === null
      ? JSON.stringify(put(message, path, (parent, key) => void delete parent[key]))
      : textWith(message, path, make(value))
  ])
  return [
    ...single,
    ["twice, the last one bad", twice(message, path, value, "null")],
    ["twice, the last one good", twice(message, path, "null", value)]
  ]
}

// ------------------------------------------------------------------------------------------------ what has to hold

const happened = (link: number, decoded: Decoded): Given => {
  switch (decoded._tag) {
    case "Frame":
      return { _tag: "Received", link, frame: decoded.frame }
    case "Ignored":
      return { _tag: "Ignored", link, event: decoded.event }
    case "Refused":
      return { _tag: "Malformed", link, code: decoded.code, id: decoded.id, method: decoded.method }
  }
}

/** Says `text` on the link of this stage. `honest`: what was altered; `null`: nobody knows. */
const say = (where: Stage, text: string, honest: Json | null, how = ""): void => {
  const { back, drive, link } = where
  inputs++
  const decoded = decode(text)
  meet(decoded._tag)
  if (beyond.has(how)) ok(decoded._tag === "Refused", `${how} is refused unread`)
  if (decoded._tag === "Refused") {
    ok(decoded.id === null || decoded.id.length <= ID_UNITS_MAX, "an id within its bound")
    ok(decoded.method === null || decoded.method.length <= NAME_UNITS_MAX, "a name within its bound")
  } else if (decoded._tag === "Frame") freeze(decoded.frame)
  const before = drive.node
  const sessions = drive.sessionsNow()
  drive.feed(happened(link, decoded))
  const after = drive.node
  ok(({} as { polluted?: unknown }).polluted === undefined, "nobody's prototype is touched")
  const known = before.links.links.some((other) => other.link === link) && before.phase === "running"
  const listens = known || before.phase === "recalling"
  if (!listens) ok(after === before, "what comes over no link changes nothing")
  if (decoded._tag === "Refused") {
    assertOnlyCounted(before, after, link)
    const session = before.links.links.some((other) => other.link === link && other._tag === "Session")
    if (session && decoded.code !== "TOO_LARGE") ok(drive.sessionsNow() === sessions, "the session goes on")
  }
  if (honest !== null && drive.sessionsNow() > sessions) {
    // A session began: by what the peer would have said, and nothing else.
    ok(decoded._tag === "Frame" && isDeepStrictEqual(signed(decoded.frame), signed(honest)), `no session by ${text}`)
    meet("session")
  }
  back()
}

/** What a login or an answer means: absent and empty are one (P9.3), and what a request is called is nobody's. */
const signed = (message: unknown): unknown => {
  const { params, payload, type } = message as Record<string, Json | undefined>
  return { type, said: { capabilities: [], ...params, ...payload } }
}

/** A refusal is counted, has used up a budget, or has ended its own link; nothing else is another. */
const assertOnlyCounted = (before: Node.NodeState, after: Node.NodeState, link: number): void => {
  if (after === before) return
  ok(after.refusals !== before.refusals || before.phase === "recalling", "it is counted")
  ok(after.leadership === before.leadership, "leadership is the same")
  ok(after.durable === before.durable, "what is stored is the same")
  ok(after.config === before.config, "trust is the same")
  const others = (node: Node.NodeState) => node.links.links.filter((other) => other.link !== link)
  ok(
    others(after).every((other, n) => other === others(before)[n]) && others(after).length === others(before).length,
    "other links are the same"
  )
  const gone = !after.links.links.some((other) => other.link === link)
  if (!gone) ok(after.membership === before.membership, "membership is the same")
  if (!gone) ok(after.links.contacts === before.links.contacts, "contacts are the same")
}

describe("bad input", () => {
  for (const where of stages)
    it(`each field of each message, one at a time: ${where.name}`, () => {
      for (const message of messages(where)) {
        say(where, JSON.stringify(message), message)
        for (const path of pathsOf(message))
          for (const [how, text] of badTexts(message, path)) say(where, text, message, how)
        for (const [how, make] of Object.entries(huge)) say(where, textWith(message, ["id"], make("")), null, how)
      }
      for (const text of ["", "null", "[]", "0", '"x"', "{}", "{", "\u0000", nested(MESSAGE_DEPTH_MAX)])
        say(where, text, null)
    })

  it("several at once, at random", () => {
    const stagesMessages = stages.map((where) =>
      messages(where).map((message) => ({ message, paths: pathsOf(message) }))
    )
    const how = fc.oneof(
      fc.constantFrom(...Object.values(values)),
      fc.jsonValue({ maxDepth: 3 }).map((value) => () => JSON.stringify(value)),
      fc.string({ unit: "binary", maxLength: 8 }).map((value) => () => JSON.stringify(value))
    )
    const change = fc.record({ place: fc.nat(), how })
    fc.assert(
      fc.property(
        fc.nat({ max: stages.length - 1 }),
        fc.nat(),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(), { freq: 20 }),
        (stageAt, messageAt, changes, cut) => {
          const where = stages[stageAt]!
          const all = stagesMessages[stageAt]!
          const { message, paths } = all[messageAt % all.length]!
          let text = JSON.stringify(message)
          let last: Json = message
          for (const { how: make, place } of changes) {
            const path = paths[place % paths.length]!
            if (at(last, path) === undefined) continue
            text =
              make === null
                ? JSON.stringify(put(last, path, (parent, key) => void delete parent[key]))
                : textWith(last, path, make(JSON.stringify(at(last, path))))
            const parsed: unknown = parsedOrNull(text)
            if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) break
            last = parsed as Json
          }
          say(where, cut === null ? text : text.slice(0, cut % (text.length + 1)), message)
        }
      ),
      { numRuns: RANDOM_RUNS, seed: 5 }
    )
  })

  afterAll(() => {
    assert.isAtLeast(inputs, INPUTS_MIN)
    // Nothing would be shown by what never gets anywhere.
    for (const what of ["Frame", "Refused", "Ignored", "session"]) assert.isAbove(met.get(what) ?? 0, 3, what)
    const kinds = new Set(stages.flatMap((where) => messages(where).map((one) => one["method"] ?? one["event"])))
    for (const name of [...Object.keys(requestSchemas), ...Object.keys(eventSchemas)])
      assert.isTrue(kinds.has(name), name)
    const tags = new Set(stages.map(({ drive, link }) => drive.node.links.links.find((one) => one.link === link)?._tag))
    for (const tag of ["Offered", "CheckingClient", "SigningAnswer", "Held", "Session"] as const)
      assert.isTrue(tags.has(tag), tag)
    for (const tag of ["Asking", "SigningLogin", "Proving", "CheckingServer"] as const)
      assert.isTrue(tags.has(tag), tag)
  })
})

const parsedOrNull = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
