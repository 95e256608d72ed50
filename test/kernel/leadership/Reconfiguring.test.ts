/** Another list of electors while the mesh runs (P7.22 to P7.24): in force by a majority of the old one, and never two leaders. */
import { assert, describe, it } from "@effect/vitest"
import { ackPayloadOf, faultOf, payloadOf } from "../../../kernel/leadership/Manifest.ts"
import { TELL_AGAIN_MS } from "../../../kernel/leadership/Reconfiguring.ts"
import { profiles } from "../../../kernel/Profile.ts"
import type { Acknowledgement, SignedManifest } from "../../../kernel/wire/Frame.ts"
import { configOf, id, keyOf, nameOf, sign, three, type World } from "../drive.ts"
import { Mesh } from "../mesh.ts"

const { promiseMs } = profiles.lan
const STEP_MS = 10

/** Three electors, and a fourth node that can take the place of one. */
const four: World = { roles: { ...three.roles, d: "field" }, electors: "abc" }
const config = configOf(four, "a")

interface List {
  readonly version?: number
  readonly electors: string
  readonly previous?: { readonly version: number; readonly electors: string }
  readonly readmitted?: ReadonlyArray<{ readonly name: string; readonly incarnation: number }>
  /** Whose key signs it. */
  readonly by?: string
}

const ids = (names: string) => [...names].sort().map(id)

const list = ({
  by = config.meshKey,
  electors,
  previous = { version: 1, electors: "abc" },
  readmitted = [],
  version = previous.version + 1
}: List): SignedManifest => {
  const document = {
    version,
    electors: ids(electors),
    previous: { version: previous.version, electors: ids(previous.electors) },
    readmitted: readmitted.map(({ incarnation, name }) => ({ deviceId: id(name), incarnation }))
  }
  return { ...document, signature: sign(by, payloadOf(config, document)) }
}

const ackOf = (name: string, manifest: SignedManifest, key = keyOf(name)): Acknowledgement => ({
  elector: id(name),
  publicKey: key,
  signature: sign(key, ackPayloadOf(config, manifest))
})

const give = (mesh: Mesh, name: string, manifest: SignedManifest): void =>
  mesh.feed(name, { _tag: "Reconfigure", manifest })

/** Which version each has in force. */
const versions = (mesh: Mesh): string =>
  Object.keys(mesh.world.roles)
    .map((name) => `${name}:${mesh.node(name).node.config.manifest.version}`)
    .join(" ")

/** At no moment do two lead. */
const watch = (mesh: Mesh, ms: number): void => {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    mesh.pass(STEP_MS)
    const leaders = mesh.leaders()
    assert.isAtMost(leaders.length, 1, `${leaders} lead at ${mesh.now} ms`)
  }
}

const isSay = (name: string, mesh: Mesh): boolean => !mesh.node(name).node.leadership.abstains

describe("P7.22: the operator names another elector", () => {
  it("given to one node, it is in force everywhere within a second, and somebody leads by it", () => {
    const mesh = Mesh.settled(four)
    assert.strictEqual(mesh.leaders(), "a")
    const since = mesh.now
    give(mesh, "c", list({ electors: "abd" }))
    watch(mesh, 1_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
    assert.strictEqual(mesh.leaders(), "a")
    assert.deepStrictEqual(mesh.node("a").node.leadership.term, { manifest: 2, counter: 1 })
    const acknowledged = [..."abcd"].filter((name) => mesh.events(name, since).includes("manifest.acknowledged"))
    // Two of three are a majority: the last one may have it in force before it has signed.
    assert.isAtLeast(acknowledged.length, 2)
    assert.notInclude(acknowledged, "d")
    // The votes of the new list count, and those of the old one no longer.
    mesh.isolate("c")
    mesh.crash("b", { silent: false })
    watch(mesh, 12_000)
    assert.strictEqual(mesh.leaders(), "a")
    mesh.isolate("d")
    watch(mesh, 12_000)
    assert.strictEqual(mesh.leaders(), "")
  })

  it("whoever was away has it with its next session, and a majority of the old list is enough", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("b")
    watch(mesh, 10_000)
    give(mesh, "d", list({ electors: "acd" }))
    watch(mesh, 1_000)
    assert.strictEqual(versions(mesh), "a:2 b:1 c:2 d:2")
    mesh.rejoin()
    watch(mesh, 60_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
    assert.strictEqual(mesh.leaders(), "a")
    // Two changes later it is enough to see the last one.
    mesh.isolate("b")
    watch(mesh, 10_000)
    give(mesh, "a", list({ electors: "ac", previous: { version: 2, electors: "acd" } }))
    watch(mesh, 5_000)
    give(mesh, "a", list({ electors: "abc", previous: { version: 3, electors: "ac" } }))
    watch(mesh, 5_000)
    assert.strictEqual(versions(mesh), "a:4 b:2 c:4 d:4")
    mesh.rejoin()
    watch(mesh, 60_000)
    assert.strictEqual(versions(mesh), "a:4 b:4 c:4 d:4")
  })

  it("without a majority of the old list it waits, and nobody leads where nobody could", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("ad")
    watch(mesh, 10_000)
    assert.strictEqual(mesh.leaders(), "b")
    give(mesh, "a", list({ electors: "abd" }))
    watch(mesh, 30_000)
    // `a` and `d` would be a majority of the new one.
    assert.strictEqual(versions(mesh), "a:1 b:1 c:1 d:1")
    assert.strictEqual(mesh.leaders(), "b")
    mesh.rejoin()
    watch(mesh, 60_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
    assert.strictEqual(mesh.leaders().length, 1)
  })
})

describe("P7.23: who has acknowledged", () => {
  it.each([
    [0.7, 1.3],
    [1.3, 0.7],
    [1, 1]
  ])("a leader (clock %f) that hears nothing of it leads no longer when the others (%f) may", (leader, others) => {
    for (let cutMs = 0; cutMs <= promiseMs; cutMs += 300) {
      const mesh = new Mesh(four, { a: leader, b: others, c: others, d: others })
      for (const name of "acd") mesh.start(name)
      mesh.pass(15_000)
      mesh.start("b")
      mesh.pass(25_000)
      assert.strictEqual(mesh.leaders(), "a")
      mesh.isolate("a")
      watch(mesh, cutMs)
      // `d` never promised anything: with it, who is new, the list would have its leader at once.
      give(mesh, "b", list({ electors: "bcd" }))
      watch(mesh, 10_000)
      assert.strictEqual(mesh.leaders(), "b", `cut off for ${cutMs} ms`)
      mesh.rejoin()
      watch(mesh, 60_000)
      assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
      assert.strictEqual(mesh.leaders(), "b")
    }
  })

  it("owes nobody a vote: no acknowledgement before the promise is over, or given back", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("a")
    const promised = mesh.node("b").node.leadership.promisedUntil
    give(mesh, "b", list({ electors: "bcd" }))
    assert.isFalse(isSay("b", mesh))
    mesh.pass(promised - mesh.node("b").mono - 1)
    assert.notInclude(mesh.events("b"), "manifest.acknowledged")
    mesh.pass(1)
    assert.include(mesh.events("b"), "manifest.acknowledged")
  })

  it("has no say any more by the old list, after a restart either", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("b")
    give(mesh, "b", list({ electors: "abd" }))
    mesh.pass(20_000)
    assert.include(mesh.events("b"), "manifest.acknowledged")
    mesh.crash("b", { silent: false })
    mesh.start("b")
    mesh.pass(20_000)
    assert.isFalse(isSay("b", mesh))
    assert.strictEqual(mesh.node("b").node.leadership.reconfiguration.next?.acks.length, 1)
    mesh.rejoin()
    watch(mesh, 60_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
    assert.isTrue(isSay("b", mesh))
  })

  it("acknowledges no second list in place of the same one", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("b")
    give(mesh, "b", list({ electors: "abd" }))
    mesh.pass(20_000)
    give(mesh, "b", list({ electors: "bcd", version: 3 }))
    mesh.pass(20_000)
    const { next } = mesh.node("b").node.leadership.reconfiguration
    assert.deepStrictEqual(next?.manifest.electors.map(nameOf), ["a", "b", "d"])
    assert.include(mesh.events("b"), "manifest.refused")
  })

  it("a list that replaces another one than ours is passed on, and not acknowledged", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("c")
    give(mesh, "c", list({ electors: "bcd", previous: { version: 1, electors: "bc" } }))
    mesh.pass(10_000)
    assert.notInclude(mesh.events("c"), "manifest.acknowledged")
    assert.isTrue(isSay("c", mesh))
  })
})

describe("P7.24: whom a list readmits", () => {
  /** `b` loses its journal, and lives without. */
  const forgotten = (): { readonly mesh: Mesh; readonly lives: number } => {
    const mesh = Mesh.settled(four)
    const { deviceId } = mesh.node("b").config
    mesh.crash("b", { silent: false })
    const lost = { incarnation: 1, term: { manifest: 0, counter: 0 }, votedFor: null, trusted: [], pins: [] }
    mesh.start("b", { ...lost, forgot: 1, forgotIn: 2 })
    mesh.pass(20_000)
    assert.strictEqual(mesh.node("b").config.deviceId, deviceId)
    assert.isFalse(isSay("b", mesh))
    return { mesh, lives: mesh.node("b").incarnation }
  }

  it("who lost its journal has a say again by a list that names this life of it, and by no other", () => {
    const { lives, mesh } = forgotten()
    give(mesh, "a", list({ electors: "abc" }))
    watch(mesh, 10_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
    assert.isFalse(isSay("b", mesh))
    assert.strictEqual(mesh.node("b").durable.forgot, 2)
    const previous = { version: 2, electors: "abc" }
    give(mesh, "a", list({ electors: "abc", previous, readmitted: [{ name: "b", incarnation: 1 }] }))
    watch(mesh, 10_000)
    assert.isFalse(isSay("b", mesh))
    const third = { version: 3, electors: "abc" }
    give(mesh, "a", list({ electors: "abc", previous: third, readmitted: [{ name: "b", incarnation: lives }] }))
    watch(mesh, 10_000)
    assert.strictEqual(versions(mesh), "a:4 b:4 c:4 d:4")
    assert.isTrue(isSay("b", mesh))
    assert.isUndefined(mesh.node("b").durable.forgot)
    mesh.crash("a", { silent: false })
    watch(mesh, 10_000)
    assert.strictEqual(mesh.leaders(), "b")
  })

  it("and acknowledges none: it may have acknowledged another one", () => {
    const { mesh } = forgotten()
    mesh.crash("a", { silent: false })
    give(mesh, "b", list({ electors: "bcd" }))
    watch(mesh, 20_000)
    assert.notInclude(mesh.events("b"), "manifest.acknowledged")
    assert.strictEqual(mesh.node("b").node.config.manifest.version, 1)
  })
})

describe("P7.25: whoever is behind is shown it", () => {
  const showing = (mesh: Mesh, to: string): void => {
    mesh.lost = (_, far, frame) => far === to && frame.type === "event" && frame.event === "mesh.manifest"
  }

  it("an elector that missed it all, by the leader's next heartbeat", () => {
    const mesh = Mesh.settled(four)
    showing(mesh, "c")
    give(mesh, "a", list({ electors: "abd" }))
    watch(mesh, 20_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:1 d:2")
    mesh.lost = () => false
    mesh.pass(2 * profiles.lan.leadMs)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
  })

  it("and where nobody leads, by who would and asks for votes", () => {
    const mesh = Mesh.settled(four)
    showing(mesh, "c")
    give(mesh, "a", list({ electors: "bcd", previous: { version: 1, electors: "abc" } }))
    watch(mesh, 20_000)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:1 d:2")
    mesh.crash("d", { silent: false })
    watch(mesh, 20_000)
    assert.strictEqual(mesh.leaders(), "")
    mesh.lost = () => false
    watch(mesh, 20_000)
    assert.strictEqual(mesh.node("c").node.config.manifest.version, 2)
    assert.strictEqual(mesh.leaders(), "b")
  })

  it("a list that is to be, again after ten seconds", () => {
    const mesh = Mesh.settled(four)
    mesh.lost = (_, __, frame) => frame.type === "event" && frame.event === "mesh.manifest"
    give(mesh, "b", list({ electors: "abd" }))
    watch(mesh, 5_000)
    assert.strictEqual(versions(mesh), "a:1 b:1 c:1 d:1")
    mesh.lost = () => false
    watch(mesh, TELL_AGAIN_MS)
    assert.strictEqual(versions(mesh), "a:2 b:2 c:2 d:2")
  })

  it("what comes while another comes into force is not lost", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("d")
    const second = list({ electors: "abd" })
    const third = list({ electors: "ab", previous: { version: 2, electors: "abd" } })
    const { link } = mesh.node("d").sessions("a")[0]!
    const d = mesh.node("d")
    d.keysWait = true
    d.hear(link, "mesh.manifest", { manifest: second, acks: ["a", "b"].map((name) => ackOf(name, second)) })
    d.hear(link, "mesh.manifest", { manifest: third, acks: ["a"].map((name) => ackOf(name, third)) })
    d.keysWait = false
    d.release()
    // With its own acknowledgement, as it elects by the second.
    assert.strictEqual(d.node.config.manifest.version, 3)
  })
})

describe("what is not the operator's word", () => {
  const signed = list({ electors: "abd" })
  const cases: ReadonlyArray<readonly [string, SignedManifest, ReadonlyArray<Acknowledgement>]> = [
    [
      "signed by somebody else",
      list({ electors: "abd", by: keyOf("d") }),
      ["a", "b", "c"].map((n) => ackOf(n, signed))
    ],
    ["altered", { ...signed, electors: ids("acd") }, []],
    ["acknowledged with other keys", signed, [ackOf("a", signed, keyOf("d")), ackOf("b", signed, keyOf("d"))]],
    ["acknowledged by who did not elect", signed, [ackOf("d", signed)]],
    ["acknowledged twice by one", signed, [ackOf("c", signed), ackOf("c", signed)]],
    ["acknowledged for another list", signed, ["a", "b"].map((name) => ackOf(name, list({ electors: "acd" })))]
  ]
  it.each(cases)("%s: it is not in force", (_, manifest, acks) => {
    const mesh = Mesh.settled(four)
    // Alone, so that nobody acknowledges it in earnest.
    mesh.isolate("d")
    const { link } = mesh.node("d").sessions("a")[0]!
    mesh.node("d").hear(link, "mesh.manifest", { manifest, acks })
    mesh.pass(10_000)
    assert.strictEqual(mesh.node("d").node.config.manifest.version, 1)
  })

  it("with the true acknowledgements of a majority it is, by whomever they come", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("d")
    const { link } = mesh.node("d").sessions("a")[0]!
    const acks = [ackOf("a", signed, keyOf("d")), ackOf("b", signed), ackOf("c", signed)]
    mesh.node("d").hear(link, "mesh.manifest", { manifest: signed, acks })
    assert.strictEqual(mesh.node("d").node.config.manifest.version, 2)
  })

  it("what waited behind one that is in force meanwhile is looked at all the same", () => {
    const mesh = Mesh.settled(four)
    mesh.isolate("d")
    const d = mesh.node("d")
    const shows = (name: string, manifest: SignedManifest, by: string): void =>
      void d.hear(d.sessions(name)[0]!.link, "mesh.manifest", {
        manifest,
        acks: [...by].map((elector) => ackOf(elector, manifest))
      })
    d.keysWait = true
    shows("a", signed, "ab")
    shows("b", signed, "ac")
    shows("c", list({ electors: "abc", previous: { version: 2, electors: "abd" } }), "ab")
    d.keysWait = false
    d.release()
    assert.strictEqual(d.node.config.manifest.version, 3)
    assert.isEmpty(d.node.leadership.reconfiguration.waiting)
  })

  it("has its fault in words", () => {
    const faults: ReadonlyArray<readonly [string, List | SignedManifest]> = [
      ["replaces version 1", list({ electors: "abd", version: 1 })],
      ["no elector", { ...list({ electors: "" }), previous: { version: 1, electors: [] } }],
      ["more than one elector", list({ electors: "bde" })],
      ["not sorted", { ...signed, electors: [id("b"), id("a"), id("d")] }],
      ["not sorted", { ...signed, electors: [id("a"), id("a"), id("d")] }],
      ["readmits somebody", list({ electors: "abd", readmitted: [{ name: "c", incarnation: 1 }] })]
    ]
    for (const [words, manifest] of faults) assert.include(faultOf(manifest as SignedManifest) ?? "", words)
    assert.isNull(faultOf(signed))
  })
})
