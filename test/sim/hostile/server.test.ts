/** Whom field dials, believing it to be mallory (P5.8, P5.10, P5.11): each lie ends the dial, and is dialled again later. */
import { assert, describe, it } from "@effect/vitest"
import type { ConnectAnswer, ConnectParams, Frame } from "../../../kernel/wire/Frame.ts"
import type { Kernel } from "../../../sim/engine/Host.ts"
import type { Claim } from "../../../sim/network/Credentials.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import { besiege, closedWith, nobodyElseNotices, statusOf, trustingAsGeneration1, type Siege } from "./Siege.ts"

const NONCE = "nonce-of-mallory"

type Serve = (siege: Siege, line: Line, frame: Extract<Frame, { readonly type: "req" }>) => void

const challenge = (line: Line, frame: Frame): boolean => {
  if (frame.type !== "req" || frame.method !== "mesh.challenge") return false
  line.say({ type: "res", id: frame.id, ok: true, payload: { nonce: NONCE } })
  return true
}

const answering =
  (answer: (siege: Siege, params: ConnectParams, line: Line) => unknown): Serve =>
  (siege, line, frame) => {
    if (challenge(line, frame) || frame.method !== "mesh.connect") return
    line.raw(JSON.stringify({ type: "res", id: frame.id, ok: true, payload: answer(siege, frame.params, line) }))
  }

const honest = (
  { field, mallory }: Siege,
  params: ConnectParams,
  lies: Partial<Claim> = {},
  signedAtMs?: number
): ConnectAnswer =>
  mallory.answer(
    { ...mallory.claim(), ...lies },
    field.config.deviceId,
    NONCE,
    params,
    signedAtMs ?? mallory.wallMs("field")
  )

const withoutExtension = ({ kernel: _, ...answer }: ConnectAnswer): ConnectAnswer => answer

const says =
  (text: string): Serve =>
  (_, line) =>
    line.raw(text)
const refusing =
  (code: string): Serve =>
  (_, line, frame) => {
    line.say({ type: "res", id: frame.id, ok: false, error: { code, message: "no" } })
  }

const LEAD = JSON.stringify({
  type: "event",
  event: "mesh.lead",
  payload: { term: { manifest: 1, counter: 9 }, beat: 1 }
})

/** `serve`: to requests; the code is what the dialler counts. */
const cases: ReadonlyArray<readonly [title: string, code: string, serve: Serve, kernel?: Kernel]> = [
  ["garbage instead of a challenge", "INVALID_JSON", says("garbage")],
  ["two megabytes", "TOO_LARGE", says(`"${"x".repeat(2 ** 21)}"`)],
  ["an event before it has proved itself", "NOT_AUTHORIZED", says(LEAD)],
  ["an event that nobody knows", "NOT_AUTHORIZED", says(`{"type":"event","event":"mesh.coup","payload":null}`)],
  ["a request of its own", "NOT_AUTHORIZED", says(`{"type":"req","id":"1","method":"mesh.challenge"}`)],
  ["an answer to something else", "NOT_AUTHORIZED", says(`{"type":"res","id":"1","ok":true,"payload":{"nonce":"n"}}`)],
  [
    "an answer to the login that was not made yet",
    "NOT_AUTHORIZED",
    says(`{"type":"res","id":"connect","ok":true,"payload":{}}`)
  ],
  ["a challenge without a nonce", "INVALID_PARAMS", says(`{"type":"res","id":"challenge","ok":true,"payload":{}}`)],
  ["a challenge of null", "INVALID_PARAMS", says(`{"type":"res","id":"challenge","ok":true,"payload":null}`)],
  ["a nonce that is empty", "INVALID_PARAMS", says(`{"type":"res","id":"challenge","ok":true,"payload":{"nonce":""}}`)],
  ["a refusal with a code of its own", "AUTH_FAILED", refusing("BECAUSE")],
  ["a refusal", "RATE_LIMITED", refusing("RATE_LIMITED")],
  ["an answer of null", "INVALID_PARAMS", answering(() => null)],
  ["an answer that does not read", "INVALID_PARAMS", answering((s, p) => ({ ...honest(s, p), signature: 1 }))],
  ["the client's own words back", "AUTH_FAILED", answering((_, p) => p)],
  ["another device's id", "AUTH_FAILED", answering((s, p) => honest(s, p, { deviceId: s.main.config.deviceId }))],
  [
    "another device's id and key",
    "AUTH_FAILED",
    answering((s, p) => honest(s, p, { deviceId: s.main.config.deviceId, publicKey: s.main.config.publicKey }))
  ],
  [
    "the right id, another's key",
    "AUTH_FAILED",
    answering((s, p) => honest(s, p, { publicKey: s.eve.keys.publicKey }))
  ],
  [
    "an outsider's own identity",
    "AUTH_FAILED",
    answering((s, p) => s.eve.answer(s.eve.claim("mallory"), s.field.config.deviceId, NONCE, p, 0))
  ],
  ["an answer over another nonce", "AUTH_FAILED", answering((s, p) => honest(s, { ...p, clientNonce: "another" }))],
  [
    "an answer that names another nonce than it signed",
    "AUTH_FAILED",
    answering((s, p) => ({ ...honest(s, p), nonce: "another" }))
  ],
  [
    "an answer over our own nonce as the server",
    "AUTH_FAILED",
    answering((s, p) => honest(s, { ...p, clientNonce: NONCE }))
  ],
  ["a wrong signature", "AUTH_FAILED", answering((s, p) => ({ ...honest(s, p), signature: "00" }))],
  [
    "a wrong signature of the extension",
    "AUTH_FAILED",
    answering((s, p) => {
      const answer = honest(s, p)
      return { ...answer, kernel: { ...answer.kernel!, signature: "00" } }
    })
  ],
  [
    "the extension signed as a client",
    "AUTH_FAILED",
    answering((s, p) => {
      const { kernel } = s.mallory.login(s.mallory.claim(), s.field.config.deviceId, NONCE, 0, p.clientNonce)
      return { ...honest(s, p), kernel }
    })
  ],
  [
    "known as generation 1, without the extension, from 1970",
    "AUTH_FAILED",
    answering((s, p) => withoutExtension(honest(s, p, {}, 0))),
    trustingAsGeneration1("mallory")
  ],
  ["without the extension", "AUTH_FAILED", answering((s, p) => withoutExtension(honest(s, p)))],
  ["generations to come", "UNSUPPORTED_GENERATION", answering((s, p) => honest(s, p, { gen: [2, 3] }))],
  ["another mesh", "MESH_ID_MISMATCH", answering((s, p) => honest(s, p, { meshId: "f".repeat(64) }))],
  ["another operator", "MESH_ID_MISMATCH", answering((s, p) => honest(s, p, { meshKey: "another" }))],
  ["another role", "INVALID_PARAMS", answering((s, p) => honest(s, p, { role: "planner" }))]
]

/** The others cannot reach mallory: so that they have nothing to do with it. */
const onlyForField = (siege: Siege): void => {
  for (const name of ["main", "backup"]) siege.world.network.cut(name, "mallory")
}

const serving = (serve: Serve | null, untilMs: number, kernel?: Kernel): Siege =>
  besiege(
    (s) => {
      s.mallory.listening = true
      s.mallory.behaviour = {
        heard: (line, frame) => {
          if (frame.type === "req") serve?.(s, line, frame)
        }
      }
    },
    { untilMs, prepare: onlyForField, ...(kernel === undefined ? {} : { kernel }) }
  )

describe("P5.8, P5.10: a server with a lie in it is left, and nobody else notices", () => {
  const untilMs = 21_000
  for (const [title, code, serve, kernel] of cases)
    it(`${title}: counted as ${code}, closed`, () => {
      const siege = serving(serve, untilMs, kernel)
      const { lines } = siege.mallory
      assert.isAbove(lines.length, 0, "field dialled")
      for (const line of lines) assert.strictEqual(closedWith(siege, line), code === "TOO_LARGE" ? 1009 : 1008)
      const { peers, refusals } = statusOf(siege, siege.field)
      assert.deepStrictEqual(refusals, { [code]: lines.length })
      assert.deepInclude(
        peers.find((peer) => peer.deviceId === siege.mallory.keys.deviceId),
        { state: "unknown", linked: false }
      )
      const lasting = code === "MESH_ID_MISMATCH" || code === "UNSUPPORTED_GENERATION"
      assert.strictEqual(
        peers.find((peer) => peer.deviceId === siege.mallory.keys.deviceId)!.refused,
        lasting ? code : undefined
      )
      if (lasting) assert.strictEqual(lines.length, 1, "P3.10: not dialled again soon")
      nobodyElseNotices(siege, ["field"], { untilMs, prepare: onlyForField })
    })

  it("P5.11: a server that never answers: closed 1008 after ten seconds, counted as TIMEOUT", () => {
    const siege = serving(null, 30_000)
    const [line] = siege.mallory.lines
    assert.strictEqual(closedWith(siege, line!), 1008)
    assert.isAtLeast(statusOf(siege, siege.field).refusals["TIMEOUT"]!, 1)
    nobodyElseNotices(siege, ["field"], { untilMs: 30_000, prepare: onlyForField })
  })

  const truths: ReadonlyArray<readonly [title: string, serve: Serve, kernel?: Kernel]> = [
    ["the plain truth", answering((s, p) => honest(s, p))],
    [
      "P9.5: the truth without the extension, where it is known as generation 1",
      answering((s, p) => withoutExtension(honest(s, p))),
      trustingAsGeneration1("mallory")
    ]
  ]
  for (const [title, serve, kernel] of truths)
    it(`${title} is believed: the refusals above are for their lie alone`, () => {
      const siege = serving(serve, untilMs, kernel)
      const { peers, refusals } = statusOf(siege, siege.field)
      assert.deepStrictEqual(refusals, {})
      assert.deepInclude(
        peers.find((peer) => peer.deviceId === siege.mallory.keys.deviceId),
        { linked: true, state: "up" }
      )
      assert.deepStrictEqual(siege.world.violations, [])
    })
})
