/** Preflight (B20): each code by the smallest change of a configuration that has nothing to tell, and only that code. */
import { assert, describe, it } from "@effect/vitest"
import { parse } from "../../../kernel/links/StaticPeer.ts"
import { preflight, stopsTheStart, type Facts } from "../../../kernel/status/Preflight.ts"

const SELF = "a".repeat(64)
const PEER = "b".repeat(64)
const OLD = "c".repeat(64)
const PIN = "ab".repeat(32)

const peers = (...texts: ReadonlyArray<string>): Pick<Facts, "peers"> => ({ peers: texts.map(parse) })
const GOOD = `${PEER}=wss://192.168.1.5||lan`

/** It tells one thing, the labels of its peers, and no configuration with a labelled peer tells less. */
const quiet: Facts = {
  identity: SELF,
  port: 18_789,
  discovery: true,
  ...peers(GOOD),
  gen1: [OLD],
  capabilities: ["actuator:pump-1"],
  model: null
}
const LABELS = "STATIC_PEER_TRANSPORTS info"

const told = (facts: Partial<Facts>): ReadonlyArray<string> =>
  preflight({ ...quiet, ...facts }).map(({ code, severity }) => `${code} ${severity}`)

const rows: ReadonlyArray<readonly [name: string, facts: Partial<Facts>, codes: ReadonlyArray<string>]> = [
  ["nothing but the labels", {}, [LABELS]],
  ["no identity", { identity: null }, ["NO_IDENTITY error", LABELS]],
  ["port -1", { port: -1 }, ["INVALID_PORT error", LABELS]],
  ["port 65536", { port: 65_536 }, ["INVALID_PORT error", LABELS]],
  ["port 80.5", { port: 80.5 }, ["INVALID_PORT error", LABELS]],
  ["port NaN", { port: Number.NaN }, ["INVALID_PORT error", LABELS]],
  ["port 0: any that is free", { port: 0 }, [LABELS]],
  ["port 65535", { port: 65_535 }, [LABELS]],
  ["port 1", { port: 1 }, ["PRIVILEGED_PORT warning", LABELS]],
  ["port 1023", { port: 1_023 }, ["PRIVILEGED_PORT warning", LABELS]],
  ["port 1024", { port: 1_024 }, [LABELS]],
  ["a peer by ftp", peers(GOOD, `${OLD}=ftp://a.local`), ["INVALID_PEER_URL error", LABELS]],
  ["a peer without an address", peers(GOOD, OLD), ["INVALID_PEER_URL error", LABELS]],
  [
    "two mistakes in one entry",
    peers(GOOD, "me=nowhere"),
    ["INVALID_PEER_URL error", "INVALID_PEER_URL error", LABELS]
  ],
  ["a model without its provider", { model: { spec: "qwen3", apiKey: "given" } }, ["INVALID_MODEL_SPEC error", LABELS]],
  ["a model without its name", { model: { spec: "local/", apiKey: "given" } }, ["INVALID_MODEL_SPEC error", LABELS]],
  ["a model with a blank", { model: { spec: "local/a b", apiKey: "given" } }, ["INVALID_MODEL_SPEC error", LABELS]],
  ["a model by two providers", { model: { spec: "router/qwen/qwen3-8b:q4", apiKey: "given" } }, [LABELS]],
  ["a model, its key missing", { model: { spec: "openai/gpt", apiKey: "missing" } }, ["NO_API_KEY warning", LABELS]],
  ["a model that needs no key", { model: { spec: "local/qwen3", apiKey: "not needed" } }, [LABELS]],
  ["itself among its peers", peers(GOOD, `${SELF}=wss://10.0.0.1||lan`), ["SELF_PEER warning", LABELS]],
  ["one peer twice", peers(GOOD, `${PEER}=wss://10.0.0.2||lan`), ["DUPLICATE_STATIC_PEER warning", LABELS]],
  [
    "a kernel peer, plain, by a relay",
    peers(`${PEER}=ws://relay.example||relay`),
    ["INSECURE_RELAY_TRANSPORT warning", LABELS]
  ],
  ["generation 1, plain, by a VPN", peers(`${OLD}=ws://10.8.0.2||VPN`), ["INSECURE_RELAY_TRANSPORT warning", LABELS]],
  [
    "generation 1, plain, far away as lan",
    peers(`${OLD}=ws://8.8.8.8||lan`),
    ["INSECURE_RELAY_TRANSPORT warning", LABELS]
  ],
  ["a kernel peer, plain, near", peers(`${PEER}=ws://10.0.0.2||lan`), ["INSECURE_TRANSPORT warning", LABELS]],
  ["a kernel peer, plain, on loopback", peers(`${PEER}=ws://127.0.0.1||local`), [LABELS]],
  ["generation 1, plain, near", peers(`${OLD}=ws://10.0.0.2||lan`), [LABELS]],
  [
    "generation 1, TLS, no fingerprint, far",
    peers(`${OLD}=wss://r.example||relay`),
    ["MISSING_TLS_FINGERPRINT warning", LABELS]
  ],
  [
    "generation 1, TLS, no fingerprint, near",
    peers(`${OLD}=wss://10.0.0.2||lan`),
    ["MISSING_TLS_FINGERPRINT warning", LABELS]
  ],
  ["generation 1, TLS, pinned", peers(`${OLD}=wss://r.example|${PIN}|relay`), [LABELS]],
  ["a kernel peer far away: its id is the pin", peers(`${PEER}=wss://r.example||relay`), [LABELS]],
  [
    "a fingerprint without TLS",
    peers(`${OLD}=ws://10.0.0.2|${PIN}|lan`),
    ["UNCHECKED_TLS_FINGERPRINT warning", LABELS]
  ],
  ["no label", peers(`${PEER}=wss://10.0.0.2`), ["UNLABELED_STATIC_PEER_TRANSPORT warning"]],
  ["no label, on loopback", peers(`${PEER}=ws://127.0.0.1`), []],
  ["no peers, and discovery", { peers: [] }, ["NO_STATIC_PEERS info"]],
  ["no peers, and no discovery", { peers: [], discovery: false }, ["ISOLATED_NODE warning"]],
  ["no peers, no discovery, and a relay", { peers: [], discovery: false, relays: true }, []],
  [
    "itself alone, and no discovery",
    { ...peers(`${SELF}=ws://127.0.0.1`), discovery: false },
    ["SELF_PEER warning", "ISOLATED_NODE warning"]
  ],
  ["a peer, and no discovery", { discovery: false }, [LABELS]],
  ["no capabilities", { capabilities: [] }, [LABELS, "NO_CAPABILITIES info"]]
]

describe("preflight (B20)", () => {
  for (const [name, facts, codes] of rows) it(name, () => assert.deepStrictEqual(told(facts), codes))

  it("every code of B20 is told by some row, with the severity that B20 gives it", () => {
    const seen = new Set(rows.flatMap(([, facts]) => told(facts)))
    const of = (severity: string, codes: string) => codes.split(" ").map((code) => `${code} ${severity}`)
    const named = [
      ...of("error", "NO_IDENTITY INVALID_PORT INVALID_PEER_URL INVALID_MODEL_SPEC"),
      ...of("warning", "PRIVILEGED_PORT SELF_PEER INSECURE_RELAY_TRANSPORT MISSING_TLS_FINGERPRINT ISOLATED_NODE"),
      ...of("warning", "UNLABELED_STATIC_PEER_TRANSPORT NO_API_KEY"),
      ...of("info", "NO_STATIC_PEERS STATIC_PEER_TRANSPORTS NO_CAPABILITIES")
    ]
    const ours = of("warning", "DUPLICATE_STATIC_PEER INSECURE_TRANSPORT UNCHECKED_TLS_FINGERPRINT")
    assert.sameMembers([...seen], [...named, ...ours])
  })

  it("errors come first and stop the start; nothing else does", () => {
    const bad: Facts = {
      ...quiet,
      identity: null,
      port: 80,
      ...peers("x"),
      capabilities: [],
      model: { spec: "x", apiKey: "missing" }
    }
    const severities = preflight(bad).map(({ severity }) => severity)
    const rank = ["error", "warning", "info"]
    assert.deepStrictEqual(
      severities,
      severities.toSorted((a, b) => rank.indexOf(a) - rank.indexOf(b))
    )
    assert.deepStrictEqual([...new Set(severities)], ["error", "warning", "info"])
    assert.isTrue(stopsTheStart(preflight(bad)))
    for (const [, facts, codes] of rows)
      assert.strictEqual(
        stopsTheStart(preflight({ ...quiet, ...facts })),
        codes.some((code) => code.endsWith(" error"))
      )
  })

  it("each one says what is so and what to do, and names the peer, the place and the labels", () => {
    const every = rows.flatMap(([, facts]) => preflight({ ...quiet, ...facts }))
    for (const { code, hint, message } of every) {
      assert.isNotEmpty(message, code)
      assert.isNotEmpty(hint, code)
    }
    const [place] = preflight({ ...quiet, ...peers(GOOD, `${OLD}=ftp://a.local`) })
    assert.include(place!.message, "character 66: ftp://")
    const [labels] = preflight({
      ...quiet,
      ...peers(GOOD, `${OLD}=ws://10.0.0.2||LAN`, `${"d".repeat(64)}=wss://a.example||Relay`)
    })
    assert.include(labels!.message, "lan, relay")
    const [refused] = preflight({ ...quiet, ...peers(`${OLD}=ws://10.8.0.2||vpn`) })
    assert.include(refused!.message, `${OLD.slice(0, 12)}…`)
    assert.include(refused!.message, "ws://10.8.0.2:18789")
    assert.include(refused!.message, `"vpn"`)
  })
})
