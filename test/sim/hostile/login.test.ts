/** Logins with one lie in them (P5.7, in the order of its table; P9): each has its code, ends the line, and helps nobody. */
import { assert, describe, it } from "@effect/vitest"
import * as Node from "../../../kernel/Node.ts"
import type { ConnectParams } from "../../../kernel/wire/Frame.ts"
import type { Claim } from "../../../sim/network/Credentials.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import {
  asMallory,
  besiege,
  closedWith,
  generation1,
  loggingIn,
  nobodyElseNotices,
  statusOf,
  trustingAsGeneration1,
  type Siege,
  type SiegeOptions
} from "./Siege.ts"

type Lie = (siege: Siege, nonce: string) => ConnectParams | string

const honest = (
  { field, mallory }: Siege,
  nonce: string,
  lies: Partial<Claim> = {},
  signedAtMs?: number
): ConnectParams =>
  mallory.login({ ...mallory.claim(), ...lies }, field.config.deviceId, nonce, signedAtMs ?? mallory.wallMs("field"))

const request = (params: unknown): string => JSON.stringify({ type: "req", id: "l", method: "mesh.connect", params })

/** As if the signature over the changed words did not fit them. */
const unsigned = (params: ConnectParams, kernel: Partial<ConnectParams["kernel"]>): ConnectParams => ({
  ...params,
  kernel: { ...params.kernel!, ...kernel }
})

/** Where this says so, the trust store has mallory as generation 1: the refusal is then for the lie alone. */
const KNOWN: SiegeOptions = { kernel: trustingAsGeneration1("mallory") }

const cases: ReadonlyArray<readonly [title: string, code: string, lie: Lie, options?: SiegeOptions]> = [
  ["1: version 1", "INVALID_PARAMS", (s, n) => request({ ...honest(s, n), version: 1 })],
  ["1: no client nonce", "INVALID_PARAMS", (s, n) => request({ ...honest(s, n), clientNonce: undefined })],
  ["1: null for a signature", "INVALID_PARAMS", (s, n) => request({ ...honest(s, n), signature: null })],
  ["1: null for the extension", "INVALID_PARAMS", (s, n) => request({ ...honest(s, n), kernel: null })],
  ["1: an incarnation without end", "INVALID_PARAMS", (s, n) => honest(s, n, { incarnation: 2 ** 53 - 1 })],
  ["1: an empty boot id", "INVALID_PARAMS", (s, n) => honest(s, n, { bootId: "" })],
  ["2: no nonce", "AUTH_NONCE_REQUIRED", (s, n) => request({ ...honest(s, n), nonce: undefined })],
  ["3: an invented nonce", "AUTH_NONCE_INVALID", (s) => honest(s, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")],
  ["3: an empty nonce", "AUTH_NONCE_INVALID", (s) => honest(s, "")],
  ["4: another's id, our own key", "AUTH_FAILED", (s, n) => honest(s, n, { deviceId: s.main.config.deviceId })],
  ["4: our own id, another's key", "AUTH_FAILED", (s, n) => honest(s, n, { publicKey: s.main.config.publicKey })],
  ["4: a key that is none", "AUTH_FAILED", (s, n) => honest(s, n, { publicKey: "A" })],
  [
    "5: a device that nobody trusts",
    "UNTRUSTED_PEER",
    (s, n) => s.eve.login(s.eve.claim("field"), s.field.config.deviceId, n, s.eve.wallMs("field"))
  ],
  [
    "7: generation 1, five minutes late",
    "AUTH_FAILED",
    (s, n) => generation1(honest(s, n, {}, s.mallory.wallMs("field") - 301_000)),
    KNOWN
  ],
  [
    "7: generation 1, five minutes early",
    "AUTH_FAILED",
    (s, n) => generation1(honest(s, n, {}, s.mallory.wallMs("field") + 301_000)),
    KNOWN
  ],
  ["7: generation 1, from 1970", "AUTH_FAILED", (s, n) => generation1(honest(s, n, {}, 0)), KNOWN],
  [
    "8: generation 1, a wrong signature",
    "AUTH_FAILED",
    (s, n) => ({ ...generation1(honest(s, n)), signature: "0000000000000000" }),
    KNOWN
  ],
  ["9: without the extension, never met before", "AUTH_FAILED", (s, n) => generation1(honest(s, n))],
  [
    "9: without the extension, and generation 1 is another",
    "AUTH_FAILED",
    (s, n) => generation1(honest(s, n)),
    { kernel: trustingAsGeneration1("main") }
  ],
  ["8: a wrong signature", "AUTH_FAILED", (s, n) => ({ ...honest(s, n), signature: "0000000000000000" })],
  [
    "8: the signature of the extension in its place",
    "AUTH_FAILED",
    (s, n) => ({ ...honest(s, n), signature: honest(s, n).kernel!.signature })
  ],
  ["8: a date that was not signed", "AUTH_FAILED", (s, n) => ({ ...honest(s, n), signedAtMs: 1 })],
  ["8: a role that was not signed", "AUTH_FAILED", (s, n) => ({ ...honest(s, n), role: "planner" })],
  [
    "8: another's id and key, our signature",
    "AUTH_FAILED",
    (s, n) => honest(s, n, { deviceId: s.main.config.deviceId, publicKey: s.main.config.publicKey })
  ],
  [
    "10: a wrong signature of the extension",
    "AUTH_FAILED",
    (s, n) => unsigned(honest(s, n), { signature: "0000000000000000" })
  ],
  [
    "10: the plain signature in its place",
    "AUTH_FAILED",
    (s, n) => unsigned(honest(s, n), { signature: honest(s, n).signature })
  ],
  ["10: an incarnation that was not signed", "AUTH_FAILED", (s, n) => unsigned(honest(s, n), { incarnation: 7 })],
  ["10: features that were not signed", "AUTH_FAILED", (s, n) => unsigned(honest(s, n), { features: [] })],
  [
    "10: an extension for another listener",
    "AUTH_FAILED",
    (s, n) => s.mallory.login(s.mallory.claim(), s.main.config.deviceId, n, 0)
  ],
  ["11: generations to come", "UNSUPPORTED_GENERATION", (s, n) => honest(s, n, { gen: [2, 3] })],
  ["11: generations that end before they begin", "UNSUPPORTED_GENERATION", (s, n) => honest(s, n, { gen: [2, 1] })],
  ["12: another mesh", "MESH_ID_MISMATCH", (s, n) => honest(s, n, { meshId: "f".repeat(64) })],
  [
    "12: no mesh",
    "MESH_ID_MISMATCH",
    (s, n) => {
      const { meshId: _, ...claim } = s.mallory.claim()
      return s.mallory.login(claim, s.field.config.deviceId, n, 0)
    }
  ],
  ["13: a mesh of the same name, another operator", "MESH_ID_MISMATCH", (s, n) => honest(s, n, { meshKey: "another" })],
  ["14: a role that it was not given", "INVALID_PARAMS", (s, n) => honest(s, n, { role: "planner" })],
  ["14: a role that there is not", "INVALID_PARAMS", (s, n) => honest(s, n, { role: "king" })]
]

describe("P5.7: a login with a lie in it is refused, and nobody else notices", () => {
  for (const [title, code, lie, options] of cases)
    it(`${title}: ${code}, closed 1008`, () => {
      let line!: Line
      const siege = besiege((s) => {
        line = s.mallory.dial(
          "field",
          loggingIn((nonce) => lie(s, nonce))
        )
      }, options)
      assert.deepStrictEqual(line.errors, [code])
      assert.strictEqual(line.heard.length, 2, "the nonce, and the refusal")
      assert.strictEqual(closedWith(siege, line), 1008)
      assert.strictEqual(line.closed, "closed")
      const { peers, refusals } = statusOf(siege, siege.field)
      assert.deepStrictEqual(refusals, { [code]: 1 })
      assert.deepInclude(
        peers.find((peer) => peer.deviceId === siege.mallory.keys.deviceId),
        { state: "unknown", linked: false }
      )
      nobodyElseNotices(siege, ["field"], options)
    })

  it("6: a trusted device that the operator knows by another key: PUBLIC_KEY_MISMATCH", () => {
    let line!: Line
    const siege = besiege(
      (s) => {
        line = s.mallory.dial(
          "field",
          loggingIn((nonce) => honest(s, nonce))
        )
      },
      {
        kernel: {
          make: (config) =>
            Node.make({
              ...config,
              trusted: config.trusted.map((device) =>
                device.role === "field" && config.role === "field"
                  ? { ...device, publicKey: "the-key-of-the-operator" }
                  : device
              )
            }),
          step: Node.step
        }
      }
    )
    assert.deepStrictEqual(line.errors, ["PUBLIC_KEY_MISMATCH"])
    assert.strictEqual(closedWith(siege, line), 1008)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { PUBLIC_KEY_MISMATCH: 1 })
    nobodyElseNotices(siege, ["field"])
  })
})

/** Who was let in, at field: whether the line became mallory's session. */
const isIn = (siege: Siege, line: Line): boolean =>
  siege.field
    .state()!
    .links.links.some(
      (link) => link._tag === "Session" && link.link === line.link && link.peer === siege.mallory.keys.deviceId
    )

describe("what is no lie is let in: the refusals above are for their lie alone", () => {
  const truths: ReadonlyArray<readonly [title: string, lie: Lie, options?: SiegeOptions]> = [
    ["the plain truth", (s, n) => honest(s, n)],
    ["P9.6: with the extension, a date of 1970", (s, n) => honest(s, n, {}, 0)],
    ["P9.6: with the extension, a date of the far future", (s, n) => honest(s, n, {}, 2 ** 52)],
    [
      "P9.5: generation 1, known as such, 299 s late",
      (s, n) => generation1(honest(s, n, {}, s.mallory.wallMs("field") - 299_000)),
      KNOWN
    ],
    ["P9.5: with the extension, although it is known as generation 1", (s, n) => honest(s, n), KNOWN],
    ["generations of which one is ours", (s, n) => honest(s, n, { gen: [0, 9] })],
    ["members that nobody knows", (s, n) => request({ ...honest(s, n), shoe: { size: 42 } })]
  ]
  for (const [title, truth, options] of truths)
    it(title, () => {
      let line!: Line
      const siege = besiege((s) => {
        line = s.mallory.dial(
          "field",
          loggingIn((nonce) => truth(s, nonce))
        )
      }, options)
      assert.deepStrictEqual(line.errors, [])
      assert.isTrue(isIn(siege, line))
      assert.deepStrictEqual(siege.world.violations, [])
    })
})

describe("P5.1: a nonce is good for one login on its own line", () => {
  it("another line's nonce: AUTH_NONCE_INVALID", () => {
    let second!: Line
    const siege = besiege((s) => {
      s.mallory.dial(
        "field",
        loggingIn((given) => {
          second = s.mallory.dial(
            "field",
            loggingIn(() => honest(s, given))
          )
          return null
        })
      )
    })
    assert.deepStrictEqual(second.errors, ["AUTH_NONCE_INVALID"])
    assert.strictEqual(closedWith(siege, second), 1008)
    nobodyElseNotices(siege, ["field"])
  })

  it("another node's nonce: AUTH_NONCE_INVALID", () => {
    let second!: Line
    const siege = besiege((s) => {
      s.mallory.dial(
        "main",
        loggingIn((given) => {
          second = s.mallory.dial(
            "field",
            loggingIn(() => honest(s, given))
          )
          return null
        })
      )
    })
    assert.deepStrictEqual(second.errors, ["AUTH_NONCE_INVALID"])
    nobodyElseNotices(siege, ["field", "main"])
  })

  it("a used nonce: the line is over with its refusal, and whatever is said behind it is not heard", () => {
    let line!: Line
    const siege = besiege((s) => {
      line = s.mallory.dial(
        "field",
        loggingIn((nonce, here) => {
          here.say({
            type: "req",
            id: "first",
            method: "mesh.connect",
            params: { ...honest(s, nonce), signature: "wrong" }
          })
          here.behaviour = {}
          s.mallory.at(s.world.nowMs + 200, () =>
            here.say({ type: "req", id: "again", method: "mesh.connect", params: honest(s, nonce) })
          )
          return null
        })
      )
    })
    assert.deepStrictEqual(line.errors, ["AUTH_FAILED"])
    assert.isFalse(isIn(siege, line))
    nobodyElseNotices(siege, ["field"])
  })

  it("a login right behind a login, with the same nonce: the line is over, and neither counts", () => {
    for (const first of ["wrong", "right"]) {
      let line!: Line
      const siege = besiege(
        (s) => {
          line = s.mallory.dial(
            "field",
            loggingIn((nonce, here) => {
              const params = honest(s, nonce)
              const said = first === "right" ? params : { ...params, signature: "wrong" }
              here.say({ type: "req", id: "first", method: "mesh.connect", params: said })
              return params
            })
          )
        },
        { prepare: ({ world }) => world.network.shape("mallory", "field", { min: 5, max: 5 }, 0) }
      )
      assert.deepStrictEqual(line.errors, ["NOT_AUTHORIZED"], `the first is ${first}`)
      assert.strictEqual(closedWith(siege, line), 1008)
      assert.isFalse(isIn(siege, line))
      assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { NOT_AUTHORIZED: 1 })
      nobodyElseNotices(siege, ["field"])
    }
  })

  it("P5.12: without having asked for one only the nonce of this very line is good, which is stated as it opens", () => {
    const opened = (stated: boolean) => {
      let line!: Line
      const siege = besiege((s) => {
        line = s.mallory.dial("field", {
          opened: (here) => {
            const held = s.field.state()!.links.links.find((link) => link.link === here.link)!
            assert.strictEqual(held._tag, "Offered")
            if (held._tag === "Offered")
              here.say({
                type: "req",
                id: "l",
                method: "mesh.connect",
                params: honest(s, `${stated ? "" : "x"}${held.nonce}`)
              })
          }
        })
      })
      return { line, siege }
    }
    const guessed = opened(false)
    assert.deepStrictEqual(guessed.line.errors, ["AUTH_NONCE_INVALID"])
    nobodyElseNotices(guessed.siege, ["field"])
    assert.deepStrictEqual(opened(true).line.errors, [])
  })

  it("a nonce of sixty seconds ago, where a line may live so long: AUTH_NONCE_INVALID; a younger one is good", () => {
    const after = (waitMs: number): Line => {
      let line!: Line
      const siege = besiege(
        (s) => {
          line = s.mallory.dial(
            "field",
            loggingIn((nonce, here) => {
              s.mallory.at(s.world.nowMs + waitMs, () =>
                here.say({ type: "req", id: "l", method: "mesh.connect", params: honest(s, nonce) })
              )
              return null
            })
          )
        },
        { timing: { handshakeMs: 120_000 }, untilMs: 70_000 }
      )
      assert.deepStrictEqual(siege.world.violations, [])
      return line
    }
    assert.deepStrictEqual(after(60_001).errors, ["AUTH_NONCE_INVALID"])
    assert.deepStrictEqual(after(59_000).errors, [])
  })
})

describe("P3.2, P3.3, P9.5: a device that was here before", () => {
  /** Logs in, does `next` once it is in, and says what became of the line that `next` opens. */
  const then = (lies: Partial<Claim>, next: (siege: Siege, first: Line) => Line, options?: SiegeOptions) => {
    let second!: Line
    let first!: Line
    const siege = besiege((s) => {
      first = asMallory(s, "field", lies, (line) => {
        second = next(s, line)
      })
    }, options)
    assert.deepStrictEqual(siege.world.violations, [])
    assert.isDefined(second, "the first login was good")
    return { first, second, siege }
  }

  it("P9.5: it showed the extension, and logs in without: AUTH_FAILED, even where it is known as generation 1", () => {
    const { second, siege } = then(
      {},
      (s, first) => {
        first.hangUp()
        return s.mallory.dial(
          "field",
          loggingIn((nonce) => generation1(honest(s, nonce)))
        )
      },
      KNOWN
    )
    assert.deepStrictEqual(second.errors, ["AUTH_FAILED"])
    assert.strictEqual(closedWith(siege, second), 1008)
    assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { AUTH_FAILED: 1 })
  })

  it("P3.2: an older incarnation: IDENTITY_CONFLICT", () => {
    const { second, siege } = then({ incarnation: 5 }, (s, first) => {
      first.hangUp()
      return asMallory(s, "field", { incarnation: 4, bootId: "the-boot-before" })
    })
    assert.deepStrictEqual(second.errors, ["IDENTITY_CONFLICT"])
    assert.strictEqual(closedWith(siege, second), 1008)
  })

  it("P3.2: an older incarnation while the newer one is here: IDENTITY_CONFLICT, and the newer one stays", () => {
    const { first, second, siege } = then({ incarnation: 5 }, (s) => asMallory(s, "field", { incarnation: 4 }))
    assert.deepStrictEqual(second.errors, ["IDENTITY_CONFLICT"])
    assert.isTrue(isIn(siege, first))
  })

  it("P3.3: a clone, of the same incarnation and another boot: IDENTITY_CONFLICT, and the older session stays", () => {
    const { first, second, siege } = then({}, (s) => asMallory(s, "field", { bootId: "another-boot" }))
    assert.deepStrictEqual(second.errors, ["IDENTITY_CONFLICT"])
    assert.strictEqual(closedWith(siege, second), 1008)
    assert.isNull(closedWith(siege, first))
    assert.isTrue(isIn(siege, first))
  })

  it("P3.3: a clone after the first has hung up: IDENTITY_CONFLICT", () => {
    const { second } = then({}, (s, first) => {
      first.hangUp()
      return asMallory(s, "field", { bootId: "another-boot" })
    })
    assert.deepStrictEqual(second.errors, ["IDENTITY_CONFLICT"])
  })

  it("P3.4: a newer incarnation while the session of the older one answers: IDENTITY_CONFLICT", () => {
    const { first, second, siege } = then({}, (s) => asMallory(s, "field", { incarnation: 2 }))
    assert.deepStrictEqual(second.errors, ["IDENTITY_CONFLICT"])
    assert.isTrue(isIn(siege, first))
  })

  it("P3.4: a newer incarnation while the session of the older one is silent: displaced", () => {
    const { first, second, siege } = then({}, (s, line) => {
      line.behaviour = { deaf: true }
      return asMallory(s, "field", { incarnation: 2 })
    })
    assert.deepStrictEqual(second.errors, [])
    assert.isTrue(isIn(siege, second))
    assert.isNotNull(first.closed)
  })

  it("P3.11: after a goodbye, the same incarnation: IDENTITY_CONFLICT; the next one is let in", () => {
    const leaveAnd = (incarnation: number) =>
      then({}, (s, first) => {
        first.tell("peer.leaving", { gen: 1, deviceId: s.mallory.keys.deviceId, timestamp: 0 })
        return s.mallory.dial(
          "field",
          loggingIn((nonce) => honest(s, nonce, { incarnation }))
        )
      })
    assert.deepStrictEqual(leaveAnd(1).second.errors, ["IDENTITY_CONFLICT"])
    const again = leaveAnd(2)
    assert.deepStrictEqual(again.second.errors, [])
    assert.isTrue(isIn(again.siege, again.second))
  })
})
