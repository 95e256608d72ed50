/** Trust that changes, keys that fail, two processes with one key, strangers who lie: as words of a scenario. */
import { assert, describe, it } from "@effect/vitest"
import { lies } from "../../../sim/scenario/Scenario.ts"
import * as Node from "../../../kernel/Node.ts"
import { broken, fires, scenarioOf } from "../oracles/Broken.ts"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const NODES = `
  a: { role: planner }
  b: { role: standby-planner }
  c: { role: field }
  d: { role: field }`
const run = (steps: string, nodes = NODES): Bitten => bitten(steps, nodes)

/** Frames other than of the handshake that `to` takes up from `from`. */
const heard = ({ taken }: Bitten, to: string, from: string, fromMs: number, untilMs: number): number =>
  taken.filter(
    (one) =>
      one.name === to &&
      one.from === from &&
      one.input._tag === "Received" &&
      one.input.frame.type === "event" &&
      one.atMs >= fromMs &&
      one.atMs < untilMs
  ).length
/** Who refused whom, with which code, from then on. */
const refusals = ({ result }: Bitten, fromMs: number): ReadonlyArray<string> =>
  result.happenings.flatMap(({ about, atMs, detail, event, node }) =>
    event === "connection.refused" && atMs >= fromMs ? [`${node} ${about ?? "-"} ${detail.code}`] : []
  )

describe("trust and revoke", () => {
  it("C36: a revoked device is out at once, and cannot come back; trusted again, it is met again", () => {
    const bite = run("  - { at: 20s, revoke: { by: a, whom: d }, for: 20s }")
    assert.strictEqual(touchedBy(bite, 1), 1)
    assert.strictEqual(heard(bite, "a", "d", 20_000, 40_000), 0)
    assert.isAbove(heard(bite, "b", "d", 21_000, 40_000), 0)
    assert.include(refusals(bite, 20_000), "a - UNTRUSTED_PEER")
    assert.isAbove(heard(bite, "a", "d", 40_000, 60_000), 0)
    assert.deepStrictEqual(bite.told, ["20000 world.revoke d: a", "40000 world.undo -: a distrust d no longer"])
  })

  it("C16: trusted by nobody at first, and then by all, it joins without a restart", () => {
    const late = NODES.replace("d: { role: field }", "d: { role: field, trusted-by: none }")
    const alone = run("", late)
    assert.strictEqual(heard(alone, "a", "d", 0, 60_000) + heard(alone, "c", "d", 0, 60_000), 0)
    const bite = run("  - { at: 20s, trust: { by: everyone, whom: d } }", late)
    assert.strictEqual(touchedBy(bite, 1), 3, "it needs no trust in itself")
    for (const who of ["a", "b", "c"]) assert.isAbove(heard(bite, who, "d", 20_000, 60_000), 0, who)
    const some = run("", NODES.replace("d: { role: field }", "d: { role: field, trusted-by: [a, b] }"))
    assert.isAbove(heard(some, "b", "d", 0, 60_000), 0)
    assert.strictEqual(heard(some, "c", "d", 0, 60_000), 0)
  })

  it("trust is taken back as well; in another role than its own nobody is let in", () => {
    const late = NODES.replace("d: { role: field }", "d: { role: field, trusted-by: none }")
    const bite = run("  - { at: 10s, trust: { by: a, whom: d }, for: 20s }", late)
    assert.isAbove(heard(bite, "a", "d", 10_000, 30_000), 0)
    assert.strictEqual(heard(bite, "a", "d", 30_001, 60_000), 0)
    const viewer = run("  - { at: 10s, trust: { by: a, whom: d, as: viewer } }", late)
    // What it says right behind its answer comes, and is not believed: there is no session.
    const met = ({ about, event, node }: Bitten["result"]["happenings"][number]) =>
      event === "peer.connect" && node === "a" && about === "d"
    assert.isTrue(bite.result.happenings.some(met))
    assert.isFalse(viewer.result.happenings.some(met))
    assert.isTrue(refusals(viewer, 10_000).some((one) => one.endsWith("INVALID_PARAMS")))
  })

  it("a device of generation 1 is trusted again as what it is", () => {
    const old = NODES.replace("d: { role: field }", "d: { role: field, generation: 1 }")
    const bite = run("  - { at: 10s, revoke: { by: everyone, whom: d }, for: 10s }", old)
    const by = (fromMs: number): ReadonlyArray<string> => refusals(bite, fromMs).filter((one) => one.includes(" d "))
    assert.isEmpty(by(20_001))
    const told = bite.result.happenings.filter(
      ({ about, atMs, event }) => about === "d" && event === "peer.connect" && atMs > 20_000
    )
    assert.isNotEmpty(told)
  })

  it("what takes it back reaches who is down then as soon as it runs, and is the word before all that overlap", () => {
    const down = run("  - { at: 10s, revoke: { by: a, whom: d }, for: 10s }\n  - { at: 15s, crash: a, for: 10s }")
    assert.strictEqual(heard(down, "a", "d", 10_100, 25_000), 0)
    assert.isAbove(heard(down, "a", "d", 26_000, 60_000), 0)
    const overlapping = run(
      "  - { at: 10s, revoke: { by: a, whom: d }, for: 10s }\n  - { at: 15s, revoke: { by: a, whom: d }, for: 10s }"
    )
    assert.isAbove(heard(overlapping, "a", "d", 30_000, 60_000), 0)
    const frozen = run(
      `  - { at: 10s, revoke: { by: a, whom: d }, for: 5s }
  - { at: 14s, freeze: a, for: 10s }
  - { at: 16s, revoke: { by: a, whom: d }, for: 2s }`
    )
    assert.isAbove(heard(frozen, "a", "d", 30_000, 60_000), 0)
  })

  it("who does not run hears nothing of it", () => {
    assert.strictEqual(touchedBy(run("  - { at: 10s, crash: a }\n  - { at: 20s, revoke: { by: a, whom: d } }"), 2), 0)
  })
})

describe("keys-fail", () => {
  for (const at of ["signing", "checking"])
    it(`${at}: sessions go on, no handshake comes to anything, and all is well when it ends`, () => {
      const step = `  - { at: 20s, keys-fail: { who: d, at: ${at} }, for: 20s }`
      const quiet = run(step)
      assert.isAbove(heard(quiet, "a", "d", 21_000, 40_000), 0)
      assert.strictEqual(touchedBy(quiet, 1), 0)
      const bite = run(`${step}\n  - { at: 21s, restart: d }`)
      assert.isAbove(touchedBy(bite, 1), 0)
      assert.strictEqual(heard(bite, "a", "d", 21_100, 40_000), 0)
      assert.isAbove(heard(bite, "a", "d", 40_000, 60_000), 0)
      assert.include(bite.told, "40000 world.undo d: the keys of d work again")
    })
})

describe("same-key-as", () => {
  it("C20, A15: a tool with a node's identity comes and goes; it is refused or given way to, and the node is met again", () => {
    const nodes = `${NODES}\n  tool: { role: field, same-key-as: d }`
    const bite = run("  - { at: 0s, crash: tool }\n  - { at: 20s, start: tool }\n  - { at: 30s, crash: tool }", nodes)
    const conflicts = refusals(bite, 20_000).filter((one) => one.endsWith("IDENTITY_CONFLICT"))
    assert.isNotEmpty(conflicts)
    const firstMs = bite.result.happenings.find(
      ({ atMs, detail, event }) =>
        event === "connection.refused" && detail.code === "IDENTITY_CONFLICT" && atMs > 20_000
    )!.atMs
    assert.isBelow(firstMs, 22_000)
    const met = bite.result.happenings.filter(
      ({ about, atMs, event, node }) => event === "peer.connect" && node === "a" && about === "d" && atMs > 20_000
    )
    assert.isAtMost(met.length, 2, "no churn: twice a minute at most")
    assert.isAbove(heard(bite, "a", "d", 40_000, 60_000), 0)
  })
})

describe("connect", () => {
  const codes: { readonly [lie: string]: string } = {
    "another key": "c d AUTH_FAILED",
    "another signature": "c d AUTH_FAILED",
    "another nonce": "c d AUTH_NONCE_INVALID",
    "an old login": "c d AUTH_NONCE_INVALID",
    "a relayed login": "c d AUTH_FAILED",
    "another mesh": "c d MESH_ID_MISMATCH",
    "another mesh key": "c d MESH_ID_MISMATCH",
    "another generation": "c d UNSUPPORTED_GENERATION",
    "another role": "c d INVALID_PARAMS",
    "no extension": "c d AUTH_FAILED",
    silence: "c - TIMEOUT",
    chatter: "c - NOT_AUTHORIZED"
  }

  it("there is a code for each lie", () => {
    assert.deepStrictEqual(Object.keys(codes).toSorted(), lies.filter((lie) => lie !== "its own key").toSorted())
  })

  for (const [lie, code] of Object.entries(codes).filter(([lie]) => lie !== "a relayed login"))
    it(`as a node, ${lie}: ${code.split(" ").at(-1)}, and nobody else notices`, () => {
      const bite = run(`  - { at: 20s, connect: { to: c, as: d, with: ${lie} } }`)
      assert.strictEqual(touchedBy(bite, 1), 1)
      assert.deepStrictEqual(refusals(bite, 20_000), [code])
      for (const who of ["a", "c"])
        assert.strictEqual(heard(bite, who, "d", 20_000, 60_000), heard(run(""), who, "d", 20_000, 60_000))
      assert.deepStrictEqual(bite.told, [`20000 world.connect d: ${lie}, at c`])
    })

  const relayed = "  - { at: 20s, connect: { to: c, as: d, with: a relayed login, through: b } }"

  it("words that d signs for whoever has b's key, carried to c: AUTH_FAILED; b has its session again at once (C29, P9.2)", () => {
    const bite = run(relayed)
    assert.strictEqual(touchedBy(bite, 1), 1)
    assert.deepStrictEqual(refusals(bite, 20_000), [`${codes["a relayed login"]}`])
    assert.deepStrictEqual(bite.told, ["20000 world.connect d: a relayed login through b, at c"])
    for (const who of ["a", "c"])
      assert.strictEqual(heard(bite, who, "d", 20_000, 60_000), heard(run(""), who, "d", 20_000, 60_000))
    assert.isAbove(heard(bite, "d", "b", 25_000, 60_000), 0)
  })

  it("b may be away; where d is away nothing is signed, and where c is nothing is asked", () => {
    assert.strictEqual(touchedBy(run(`  - { at: 10s, crash: b }\n${relayed}`), 2), 1)
    for (const away of ["c", "d"])
      assert.strictEqual(touchedBy(run(`  - { at: 10s, crash: ${away} }\n${relayed}`), 2), 0, away)
  })

  it("a kernel that finds every signature right lets it in, and S7 fires", () => {
    const credulous = broken((node, input) =>
      Node.step(node, input._tag === "Checked" ? { ...input, valid: input.valid.map(() => true) } : input)
    )
    const scenario = scenarioOf(
      `scenario: Credulous\nseed: 1\nlasts: 40s\nelectors: [a, b, c]\nnodes:${NODES}\ntimeline:\n  - { at: 0s, start: [a, b, c, d] }\n  - { at: 5s, cut: [c, d] }\n${relayed}`
    )
    fires("S7", /^c made a session with a stranger, who does not hold that device's key$/u, scenario, credulous)
  })

  it("a stranger with a key of its own: UNTRUSTED_PEER, everywhere that it tries", () => {
    const bite = run("  - { at: 20s, connect: { to: everyone } }")
    assert.strictEqual(touchedBy(bite, 1), 4)
    assert.deepStrictEqual(
      refusals(bite, 20_000).toSorted(),
      ["a", "b", "c", "d"].map((who) => `${who} - UNTRUSTED_PEER`)
    )
  })

  it("a node's own key, while the node has a session: IDENTITY_CONFLICT", () => {
    const bite = run("  - { at: 20s, connect: { to: c, as: d } }")
    assert.deepStrictEqual(refusals(bite, 20_000), ["c d IDENTITY_CONFLICT"])
  })

  for (const [over, code] of [
    ["no tls", "INSECURE_TRANSPORT"],
    ["tls without its key", "PIN_MISMATCH"],
    ["tls with another key", "PIN_MISMATCH"]
  ])
    it(`over ${over}: ${code}`, () => {
      const bite = run(`  - { at: 20s, connect: { to: c, as: d, over: ${over} } }`)
      assert.deepStrictEqual(refusals(bite, 20_000), [`c d ${code}`])
    })

  it("where nobody runs nothing is said; a login that was never made is not said again", () => {
    assert.strictEqual(touchedBy(run("  - { at: 10s, crash: c }\n  - { at: 20s, connect: { to: c } }"), 2), 0)
    const never = run(
      "  - { at: 20s, connect: { to: c, as: d, with: an old login } }",
      NODES.replace("d: { role: field }", "d: { role: field, trusted-by: none }")
    )
    assert.isAtMost(touchedBy(never, 1), 1)
    assert.strictEqual(
      touchedBy(run("  - { at: 0s, crash: d }\n  - { at: 20s, connect: { to: c, as: d, with: an old login } }"), 2),
      0
    )
  })
})
