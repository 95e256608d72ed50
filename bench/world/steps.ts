/** What one node takes in: frames through `step`, without and with signatures that are really checked, and what it answers about them. */
import { createHash, generateKeyPairSync, sign as signBytes } from "node:crypto"
import type { Command } from "../../kernel/Command.ts"
import type { Config } from "../../kernel/Config.ts"
import type { Input } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import { profiles } from "../../kernel/Profile.ts"
import { signedText, type ContextFrame } from "../../kernel/wire/ContextFrame.ts"
import * as Exchanging from "../../kernel/world/Exchanging.ts"
import * as Holding from "../../kernel/world/Holding.ts"
import { query } from "../../kernel/world/Query.ts"
import { check } from "../../adapters/keys/Keys.ts"
import { quantile } from "../Measure.ts"

const MESH = { meshId: "mesh", meshKey: "key" }
/** The sensor whose frames come, with a key of its own. */
const { privateKey, publicKey } = generateKeyPairSync("ed25519")
const rawKey = publicKey.export({ type: "spki", format: "der" }).subarray(-32)
const KEY = rawKey.toString("base64url")
const SOURCE = createHash("sha256").update(rawKey).digest("hex")
const US = "f".repeat(64)

const config: Config = {
  seed: 1,
  deviceId: US,
  publicKey: "us",
  displayName: "us",
  role: "field",
  capabilities: [],
  ...MESH,
  profile: profiles.lan,
  trusted: [{ deviceId: SOURCE, role: "sensor", gen1: true, publicKey: null, address: null }],
  manifest: { version: 1, electors: [US] }
}

/** One node with a session with the sensor; of generation 1 or a kernel peer, which is all that counts here. */
const meeting = (kernel: boolean): Node.NodeState => {
  const empty = { ...Node.make(config), phase: "running" as const, incarnation: 1 }
  const session = {
    _tag: "Session" as const,
    link: 1,
    counter: 1,
    peer: SOURCE,
    dialledByUs: false,
    proven: {
      peer: SOURCE,
      kernel,
      incarnation: kernel ? 1 : 0,
      bootId: "b",
      linkCounter: 1,
      capabilities: [],
      aheadMs: 0
    },
    path: null,
    epoch: [1, 1, 1, 1] as const,
    since: 0
  }
  return { ...empty, links: { ...empty.links, links: [session] } }
}

const METRICS = 100

const frame = (seq: number, kernel: boolean): ContextFrame => ({
  gen: 1,
  kind: "observation",
  frameId: `frame-${seq}`,
  sourceDeviceId: SOURCE,
  timestamp: seq,
  data: { zone: "zone-1", metric: `metric-${seq % METRICS}`, value: seq, intervalMs: 60_000 },
  trust: { evidence_sources: ["sensor"], evidence_trust_tier: "T2_operational_observation" },
  hops: 0,
  ...(kernel ? { kernel: { incarnation: 1, seq, publicKey: KEY, ageMs: 1, signature: "s" } } : {})
})

const received = (payload: ContextFrame, mono: number): Input => ({
  _tag: "Received",
  at: { mono, wall: mono },
  link: 1,
  frame: { type: "event", event: "context.frame", payload }
})

type Check = Extract<Command, { readonly _tag: "Check" }>

/** Frames a second through `step`, each a message of its own, and the answer of the key store another. */
const live = (count: number, answer: (check: Check) => Extract<Input, { readonly _tag: "Checked" }>): number => {
  const frames = Array.from({ length: count }, (_, i) => {
    const made = frame(i + 1, true)
    const text = signedText(made, MESH.meshId, MESH.meshKey)
    const signature = signBytes(null, Buffer.from(text), privateKey).toString("base64url")
    return { ...made, kernel: { ...made.kernel!, signature } }
  })
  let node = meeting(true)
  const begun = performance.now()
  for (const [i, payload] of frames.entries()) {
    const [asked, commands] = Node.step(node, received(payload, i))
    const found = commands.find((command): command is Check => command._tag === "Check")
    if (found === undefined) throw new Error("nothing is checked")
    ;[node] = Node.step(asked, answer(found))
  }
  const seconds = (performance.now() - begun) / 1_000
  if (node.world.held !== count) throw new Error(`${node.world.held} of ${count} frames are held`)
  return count / seconds
}

const believed = ({ proofs, ticket }: Check): Extract<Input, { readonly _tag: "Checked" }> => ({
  _tag: "Checked",
  at: { mono: 0, wall: 0 },
  ticket,
  deviceId: SOURCE,
  valid: proofs.map(() => true)
})

const checked = ({ proofs, publicKey: key, ticket }: Check): Extract<Input, { readonly _tag: "Checked" }> => {
  const { deviceId, valid } = check(key, proofs)
  return { _tag: "Checked", at: { mono: 0, wall: 0 }, ticket, deviceId, valid }
}

/** Frames a second of generation 1: one step each, and no signature at all. */
const unsigned = (count: number): number => {
  const inputs = Array.from({ length: count }, (_, i) => received(frame(i + 1, false), i))
  let node = meeting(false)
  const begun = performance.now()
  for (const input of inputs) [node] = Node.step(node, input)
  const seconds = (performance.now() - begun) / 1_000
  if (node.world.held !== count) throw new Error(`${node.world.held} of ${count} frames are held`)
  return count / seconds
}

/** The same by messages of what was missing, as anti-entropy brings them: so many frames in each. */
const paged = (count: number, page: number): number => {
  const frames = Array.from({ length: count }, (_, i) => frame(i + 1, true))
  let node = meeting(true)
  const step = (input: object): ReadonlyArray<Command> => {
    const [next, commands] = Node.step(node, { at: { mono: 1, wall: 1 }, ...input } as Input)
    node = next
    return commands
  }
  const hear = (event: string, payload: unknown) =>
    step({ _tag: "Received", link: 1, frame: { type: "event", event, payload } })
  node = { ...node, world: { ...node.world, exchanges: [Exchanging.begun(1, SOURCE)] } }
  hear("mesh.world.have", { streams: [{ origin: SOURCE, incarnation: 1, next: count + 1, floor: 0 }], entries: [] })
  const begun = performance.now()
  for (let from = 1; from <= count; from += page) {
    const part = frames.slice(from - 1, from - 1 + page)
    const through = from + part.length - 1
    const commands = hear("mesh.world.frames", {
      origin: SOURCE,
      incarnation: 1,
      from,
      through,
      last: true,
      frames: part
    })
    const found = commands.find((command): command is Check => command._tag === "Check")
    if (found === undefined) throw new Error("nothing is checked")
    step(believed(found))
  }
  const seconds = (performance.now() - begun) / 1_000
  if (node.world.held !== count) throw new Error(`${node.world.held} of ${count} frames are held`)
  return count / seconds
}

/** Signatures a second, one in a call. */
const signing = (count: number): number => {
  const texts = Array.from({ length: count }, (_, i) => signedText(frame(i + 1, true), MESH.meshId, MESH.meshKey))
  const begun = performance.now()
  for (const text of texts) signBytes(null, Buffer.from(text), privateKey)
  return count / ((performance.now() - begun) / 1_000)
}

/** Checks a second of the key store alone, so many in a call. */
const checking = (count: number, batch: number): number => {
  const proofs = Array.from({ length: count }, (_, i) => {
    const payload = signedText(frame(i + 1, true), MESH.meshId, MESH.meshKey)
    return { payload, signature: signBytes(null, Buffer.from(payload), privateKey).toString("base64url") }
  })
  const begun = performance.now()
  for (let at = 0; at < count; at += batch) {
    const { valid } = check(KEY, proofs.slice(at, at + batch))
    if (!valid.every(Boolean)) throw new Error("a true signature is found false")
  }
  return count / ((performance.now() - begun) / 1_000)
}

export interface Taken {
  readonly unsigned: number
  readonly live: number
  readonly paged: number
  readonly checked: number
  readonly signing: number
  readonly checkingAlone: number
  readonly checkingBatch: number
}

export const taken = (): Taken => {
  // Warm first: a node runs for months.
  unsigned(50_000)
  paged(50_000, 25)
  live(2_000, believed)
  return {
    unsigned: unsigned(200_000),
    live: live(10_000, believed),
    paged: paged(200_000, 25),
    checked: live(10_000, checked),
    signing: signing(10_000),
    checkingAlone: checking(10_000, 1),
    checkingBatch: checking(10_000, 64)
  }
}

export interface Asked {
  readonly p99Ms: number
  readonly megabytes: number
}

const QUERIES = 300
const WARM_UP = 50
const ENTRIES = 10_000
const ENTRIES_OF_ONE = 1_000

/** Ten thousand entries, and what it costs to keep and to ask for them. */
export const asked = (): Asked => {
  const collect = globalThis.gc
  if (collect === undefined) throw new Error("run it by pnpm bench world: it needs --expose-gc")
  collect()
  const before = process.memoryUsage().heapUsed
  let { world } = Node.make(config)
  for (let i = 0; i < ENTRIES; i++) {
    const source = createHash("sha256")
      .update(`source-${Math.floor(i / ENTRIES_OF_ONE)}`)
      .digest("hex")
    const made = JSON.parse(JSON.stringify(frame((i % ENTRIES_OF_ONE) + 1, true))) as ContextFrame
    const data = { ...made.data, metric: `metric-${i % ENTRIES_OF_ONE}` }
    world = Holding.hold(world, { ...made, sourceDeviceId: source, data }, 600, config, i)
  }
  collect()
  const megabytes = (process.memoryUsage().heapUsed - before) / 2 ** 20
  const times: Array<number> = []
  for (let i = -WARM_UP; i < QUERIES; i++) {
    const begun = performance.now()
    const { count } = query(world, { limit: 50 }, { mono: ENTRIES, wall: 0 })
    if (i >= 0) times.push(performance.now() - begun)
    if (count !== ENTRIES) throw new Error(`${count} of ${ENTRIES} entries are there`)
  }
  times.sort((a, b) => a - b)
  return { p99Ms: quantile(times, 0.99), megabytes }
}
