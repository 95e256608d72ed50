/** Discovery as words of a scenario: who finds whom, records that lie or are old, multicast that is lost, addresses that change. */
import { assert, describe, it } from "@effect/vitest"
import type { Input } from "../../../kernel/Input.ts"
import { bitten, touchedBy, type Bitten } from "./Bite.ts"

const NODES = `
  a: { role: planner }
  b: { role: standby-planner }
  c: { role: field }
  d: { role: field }`
const withDiscovery = (words: string): string => `${NODES}\nnetwork: { discovery: ${words} }`
const nearby = (steps: string, nodes = withDiscovery("mdns")): Bitten => bitten(steps, nodes)

type Sighted = Extract<Input, { readonly _tag: "Sighted" }>

/** What `who` was told of `whom` by discovery from then on. */
const sightings = ({ taken }: Bitten, who: string, whom: string, fromMs: number): ReadonlyArray<Sighted | "lost"> =>
  taken.flatMap(({ atMs, input, machine, name }) => {
    if (name !== who || atMs < fromMs || (input._tag !== "Sighted" && input._tag !== "Lost")) return []
    if (machine.world.nameOf(input.deviceId) !== whom) return []
    return [input._tag === "Lost" ? "lost" : input]
  })
const dials = ({ result }: Bitten, who: string, whom: string, fromMs: number): ReadonlyArray<string | undefined> =>
  result.happenings.flatMap(({ about, atMs, detail, event, node }) =>
    event === "peer.dial" && node === who && about === whom && atMs >= fromMs ? [detail.reason] : []
  )
/** When `who` next takes up a frame of `whom`; -1: never. */
const hearsAtMs = ({ taken }: Bitten, who: string, whom: string, fromMs: number): number =>
  taken.find(
    ({ atMs, from, input, name }) => name === who && atMs >= fromMs && input._tag === "Received" && from === whom
  )?.atMs ?? -1
const pairs = ["ab", "ac", "ad", "bc", "bd", "cd", "ba", "ca", "da", "cb", "db", "dc"]

describe("network.discovery", () => {
  it("mdns: nobody is told an address, and all meet", () => {
    const run = nearby("")
    for (const [who = "", whom = ""] of pairs) assert.isAbove(hearsAtMs(run, who, whom, 0), 0, `${who} hears ${whom}`)
    const reasons = run.result.happenings.flatMap(({ detail, event }) => (event === "peer.dial" ? [detail.reason] : []))
    assert.include(reasons, "advert")
    assert.notInclude(reasons, "address")
  })

  it("mdns and addresses: both; none: no records", () => {
    const both = nearby("", withDiscovery("mdns and addresses"))
    assert.include(dials(both, "a", "c", 0), "address")
    assert.isNotEmpty(sightings(both, "a", "c", 0))
    const none = nearby("", withDiscovery("none"))
    assert.isEmpty(sightings(none, "a", "c", 0))
    assert.strictEqual(none.result.hash, nearby("", NODES).result.hash)
  })
})

describe("advertise", () => {
  it("an old record, heard by one: told to it alone, and dialled by nobody", () => {
    const steps = `  - { at: 15s, restart: d }
  - { at: 20s, restart: d }
  - { at: 30s, advertise: { node: d, incarnation: old, heard-by: [a] } }`
    const run = nearby(steps)
    assert.strictEqual(touchedBy(run, 3), 1)
    assert.deepInclude(sightings(run, "a", "d", 30_000)[0], { incarnation: 2, addresses: ["10.0.0.3:18789"] })
    assert.isEmpty(sightings(run, "b", "d", 30_000))
    assert.include(run.told, "30000 world.advertise d: incarnation 2")
    assert.isEmpty(dials(run, "a", "d", 30_000), "it is met, and this is of a process before")
    const down = nearby(steps.replace("20s, restart: d", "20s, crash: d"))
    assert.include(down.told, "30000 world.advertise d: incarnation 2", "of a node that is down: of its last one")
  })

  it("nowhere, and at another node's: dialled in vain, and the device's own record mends it", () => {
    for (const [address, host] of [
      ["nowhere", "192.0.2.1"],
      ["b", "10.0.0.1"]
    ]) {
      const run = nearby(`  - { at: 20s, crash: d, for: 15s }
  - { at: 22s, advertise: { node: d, address: ${address} } }`)
      assert.strictEqual(touchedBy(run, 2), 3)
      assert.deepInclude(sightings(run, "a", "d", 22_000)[0], { addresses: [`${host}:18789`] })
      const met = hearsAtMs(run, "a", "d", 35_000)
      assert.isAbove(met, 0, address)
      assert.isBelow(met, 45_000, address)
    }
  })

  it("of another mesh: told, and dialled by nobody", () => {
    const step = (mesh: string) => `  - { at: 20s, crash: d }
  - { at: 40s, advertise: { node: d, incarnation: next, mesh: ${mesh} } }`
    const another = sightings(nearby(step("another")), "a", "d", 40_000)[0] as Sighted
    const own = sightings(nearby(step("its own")), "a", "d", 40_000)[0] as Sighted
    assert.notStrictEqual(another.meshId, own.meshId)
    assert.match(another.meshId!, /^[\da-f]{64}$/u)
  })

  it("copies: each is heard; a cut between keeps all of them away", () => {
    assert.strictEqual(touchedBy(nearby("  - { at: 20s, advertise: { node: d, copies: exactly 3 } }"), 1), 9)
    const cut = nearby("  - { at: 19s, isolate: d }\n  - { at: 20s, advertise: { node: d, copies: exactly 3 } }")
    assert.strictEqual(touchedBy(cut, 2), 0)
  })
})

describe("lose-adverts", () => {
  it("a goodbye is not heard, and connections notice nothing; heard again when it is over", () => {
    const leaves = "  - { at: 30s, stop: d }"
    assert.include(sightings(nearby(leaves), "a", "d", 30_000), "lost")
    const run = nearby(`  - { at: 20s, lose-adverts: { from: d, to: the others }, for: 20s }\n${leaves}
  - { at: 45s, start: d }
  - { at: 50s, stop: d }`)
    assert.isAbove(touchedBy(run, 1), 0)
    const untilMs = run.taken.find(({ atMs, input }) => atMs > 30_000 && input._tag === "Lost")?.atMs ?? -1
    assert.isAbove(untilMs, 50_000)
    const without = nearby("")
    const quiet = nearby("  - { at: 20s, lose-adverts: { between: everyone }, for: 20s }")
    for (const [who = "", whom = ""] of pairs)
      assert.strictEqual(hearsAtMs(quiet, who, whom, 20_000), hearsAtMs(without, who, whom, 20_000))
    assert.strictEqual(run.told[2], "40000 world.undo -: d → a, b, c heard by multicast again")
  })

  it("a share of them", () => {
    const run = nearby("  - { at: 1s, lose-adverts: { between: everyone, share: 50% }, for: 50s }")
    const all = nearby("  - { at: 1s, lose-adverts: { between: everyone }, for: 50s }")
    assert.isAbove(touchedBy(run, 1), 0)
    assert.isBelow(touchedBy(run, 1), touchedBy(all, 1))
  })
})

describe("move", () => {
  it("A27, C23: dead without a word, and met again by the new record", () => {
    const run = nearby("  - { at: 20s, move: d, for: 20s }")
    assert.deepStrictEqual(run.told, ["20000 world.move d: d", "40000 world.undo -: d at the address before"])
    assert.isAbove(touchedBy(run, 1), 0)
    for (const [movedMs, host] of [
      [20_000, "10.1.0.3"],
      [40_000, "10.0.0.3"]
    ] as const) {
      assert.deepInclude(sightings(run, "a", "d", movedMs)[0], { addresses: [`${host}:18789`] })
      const silentMs = hearsAtMs(run, "a", "d", movedMs + 100)
      assert.isAbove(silentMs, movedMs + 500, "what was there is dead")
      assert.isBelow(silentMs, movedMs + 15_000)
    }
  })

  it("where addresses are told, they lead nowhere until it is back", () => {
    // It cannot dial anybody itself while it stands still.
    const steps = `  - { at: 19s, crash: d, for: 1s }
  - { at: 20s, freeze: d, for: 15s }
  - { at: 20s, move: d, for: 20s }`
    const run = nearby(steps, NODES)
    const failed = run.taken.filter(
      ({ atMs, input, name }) => name === "a" && atMs > 20_000 && atMs < 40_000 && input._tag === "DialFailed"
    )
    assert.isNotEmpty(failed)
    assert.isAbove(touchedBy(run, 3), 1)
    // It dials others as before.
    assert.isAbove(hearsAtMs(run, "a", "d", 35_000), 0)
    assert.isAbove(hearsAtMs(run, "a", "d", 45_000), 0)
  })
})

describe("wrong-addresses", () => {
  it("A28: among addresses that lead nowhere the right one is found", () => {
    const run = nearby(
      "",
      `${NODES.replaceAll("role: field", "role: field, wrong-addresses: exactly 3")}\nnetwork: { discovery: mdns }`
    )
    const [first] = sightings(run, "a", "d", 0)
    assert.deepInclude(first, {
      addresses: ["172.17.0.3:18789", "172.18.0.3:18789", "10.0.0.3:18789", "172.19.0.3:18789"]
    })
    for (const [who = "", whom = ""] of pairs) assert.isAbove(hearsAtMs(run, who, whom, 0), 0, `${who} hears ${whom}`)
  })
})
