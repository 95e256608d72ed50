/**
 * A device's own words carried to a third (P9): mallory is trusted by all, holds one key, and has two ways to make main sign
 * over a nonce of field's: dial main with that nonce as its own, or be dialled by main and hand that nonce out.
 */
import { assert, describe, it } from "@effect/vitest"
import type { ConnectAnswer, ConnectParams, Frame } from "../../../kernel/wire/Frame.ts"
import type { Line } from "../../../sim/network/Stranger.ts"
import {
  besiege,
  closedWith,
  generation1,
  loggingIn,
  nobodyElseNotices,
  SETTLED_MS,
  statusOf,
  trustingAsGeneration1,
  type Siege,
  type SiegeOptions
} from "./Siege.ts"

/** main's words over field's nonce, as an answer or as a login, made into a login at field. */
type Forge = (words: ConnectAnswer | ConnectParams, nonce: string) => ConnectParams

const withKernel: Forge = (words, nonce) => ({
  ...words,
  version: 2,
  nonce,
  clientNonce: "clientNonce" in words ? words.clientNonce : nonce
})
const withoutKernel: Forge = (words, nonce) => generation1(withKernel(words, nonce))

interface Forgery {
  readonly line: Line
  readonly words: () => ConnectAnswer | ConnectParams
}

const present = (line: Line, words: ConnectParams): void =>
  line.say({ type: "req", id: "l", method: "mesh.connect", params: words })

/** mallory dials main, with field's nonce as its client nonce: main's answer is signed over it. */
const byDialling = (siege: Siege, forge: Forge): Forgery => {
  const { main, mallory } = siege
  let words!: ConnectAnswer
  const line = mallory.dial(
    "field",
    loggingIn((nonce, atField) => {
      mallory.dial(
        "main",
        loggingIn(
          (mains) => mallory.login(mallory.claim(), main.config.deviceId, mains, mallory.wallMs("main"), nonce),
          {
            heard: (_, frame) => {
              if (frame.type !== "res" || frame.id !== "l" || !frame.ok) return
              words = frame.payload as ConnectAnswer
              present(atField, forge(words, nonce))
            }
          }
        )
      )
      return null
    })
  )
  return { line, words: () => words }
}

/** main dials mallory, who hands out field's nonce as its own: main's login is signed over it. */
const byBeingDialled = (siege: Siege, forge: Forge): Forgery => {
  const { mallory } = siege
  let words!: ConnectParams
  let given: string | null = null
  const line = mallory.dial(
    "field",
    loggingIn((nonce) => {
      given = nonce
      return null
    })
  )
  mallory.listening = true
  mallory.behaviour = {
    heard: (atMain, frame: Frame) => {
      if (atMain.far !== "main" || frame.type !== "req") return
      if (frame.method === "mesh.challenge")
        atMain.say({ type: "res", id: frame.id, ok: true, payload: { nonce: given ?? "too-early" } })
      if (frame.method !== "mesh.connect" || frame.params.nonce !== given) return
      words = frame.params
      present(line, forge(words, given!))
    }
  }
  return { line, words: () => words }
}

/** backup has nothing to do with mallory. */
const notForBackup = ({ world }: Siege): void => {
  world.network.cut("backup", "mallory")
}

const ways = [
  { title: "main's answer to mallory", way: byDialling },
  { title: "main's login at mallory", way: byBeingDialled }
]
interface Form {
  readonly title: string
  readonly forge: Forge
  readonly options?: SiegeOptions
}

const forms: ReadonlyArray<Form> = [
  { title: "as it is, with the extension", forge: withKernel },
  { title: "without the extension, as generation 1 would", forge: withoutKernel },
  {
    title: "without the extension, where main is known as generation 1 but showed the extension once",
    forge: withoutKernel,
    options: { kernel: trustingAsGeneration1("main") }
  }
]

describe("P9.2, P9.4, P9.5: what main signed for mallory opens no door at field", () => {
  for (const { title: whose, way } of ways)
    for (const { forge, options: more, title } of forms)
      it(`${whose}, carried to field ${title}: AUTH_FAILED, closed 1008`, () => {
        let forgery!: Forgery
        const options = { untilMs: SETTLED_MS + 12_000, prepare: notForBackup }
        const siege = besiege(
          (s) => {
            forgery = way(s, forge)
          },
          { ...options, ...more }
        )
        const { line, words } = forgery
        assert.strictEqual(words().deviceId, siege.main.config.deviceId, "mallory has main's own words")
        assert.deepStrictEqual(line.errors, ["AUTH_FAILED"])
        assert.strictEqual(closedWith(siege, line), 1008)
        assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { AUTH_FAILED: 1 })
        assert.deepStrictEqual(siege.world.violations, [])
        const mains = siege.field
          .state()!
          .links.links.filter((link) => link._tag === "Session" && link.peer === siege.main.config.deviceId)
        assert.strictEqual(mains.length, 1, "field has its one session with the true main")
        assert.notStrictEqual(mains[0]!.link, line.link)
        // Mallory's own session with main is honest, and heard of by all.
        if (way !== byDialling) nobodyElseNotices(siege, ["main", "field"], options)
      })

  it("main's answer to one login of mallory's, presented to mallory's next dial by a server: over another nonce", () => {
    // A server that answers with the words that main once said to it, to whoever dials it next.
    const siege = besiege(
      (s) => {
        const forgery = byDialling(s, withKernel)
        s.mallory.listening = true
        s.mallory.behaviour = {
          heard: (line, frame) => {
            if (frame.type !== "req") return
            if (frame.method === "mesh.challenge")
              line.say({ type: "res", id: frame.id, ok: true, payload: { nonce: "mine" } })
            if (frame.method === "mesh.connect")
              line.say({ type: "res", id: frame.id, ok: true, payload: forgery.words() })
          }
        }
      },
      { untilMs: SETTLED_MS + 12_000 }
    )
    const { refusals } = statusOf(siege, siege.backup)
    assert.deepStrictEqual(Object.keys(refusals), ["AUTH_FAILED"])
    assert.deepStrictEqual(siege.world.violations, [])
  })
})

/** field and main never meet: neither knows more of the other than what its trust store says. */
const neverMet = (siege: Siege): void => {
  notForBackup(siege)
  siege.world.network.cut("main", "field")
  siege.world.network.cut("field", "main")
}

describe("P9.5: what main signed for mallory, carried to field, which never met main", () => {
  const meeting = (way: (siege: Siege, forge: Forge) => Forgery, forge: Forge, options: SiegeOptions = {}) => {
    let forgery!: Forgery
    const siege = besiege(
      (s) => {
        assert.isFalse(isWithMain(s))
        assert.isUndefined(
          s.field.durable.pins.find((pin) => pin.deviceId === s.main.config.deviceId),
          "no key, no fact"
        )
        forgery = way(s, forge)
      },
      { untilMs: SETTLED_MS + 12_000, prepare: neverMet, ...options }
    )
    assert.strictEqual(forgery.words().deviceId, siege.main.config.deviceId, "mallory has main's own words")
    return { line: forgery.line, siege }
  }
  const isWithMain = (siege: Siege): boolean =>
    siege.field.state()!.links.links.some((link) => link._tag === "Session" && link.peer === siege.main.config.deviceId)

  for (const { title: whose, way } of ways) {
    for (const { forge, title } of forms.slice(0, 2))
      it(`${whose}, ${title}: AUTH_FAILED, closed 1008, and S7 is silent`, () => {
        const { line, siege } = meeting(way, forge)
        assert.deepStrictEqual(line.errors, ["AUTH_FAILED"])
        assert.strictEqual(closedWith(siege, line), 1008)
        assert.deepStrictEqual(statusOf(siege, siege.field).refusals, { AUTH_FAILED: 1 })
        assert.isFalse(isWithMain(siege))
        assert.deepStrictEqual(
          siege.field.durable.pins.filter((pin) => pin.deviceId === siege.main.config.deviceId),
          []
        )
        assert.deepStrictEqual(siege.world.violations, [])
      })

    it(`part 12: ${whose}, without the extension, where main is known as generation 1: believed, and S7 fires`, () => {
      // It is the trust store's word that keeps it out above, and nothing else: the original protocol cannot.
      const { line, siege } = meeting(way, withoutKernel, { kernel: trustingAsGeneration1("main") })
      assert.deepStrictEqual(line.errors, [])
      assert.deepStrictEqual(
        siege.world.violations.map(({ message, oracle }) => `${oracle}: ${message}`),
        ["S7: field made a session with mallory, who does not hold that device's key"]
      )
    })
  }
})
