/** Sixteen nodes: more than are all linked, and more than observe everybody (docs/decisions/0010). */
import { assert, describe, it } from "@effect/vitest"
import { RING_OBSERVERS, ringsOf } from "../../../kernel/membership/Rings.ts"
import type { DeviceId, EdgeRow } from "../../../kernel/wire/Frame.ts"
import { Drive, id, nameOf, sentEvents, type World } from "../drive.ts"
import { Mesh } from "../mesh.ts"

const NAMES = "0123456789abcdef"
const roles = Object.fromEntries(Array.from(NAMES, (name) => [name, "field" as const]))
const world: World = { roles: { ...roles, a: "planner", b: "standby-planner" }, electors: "abc", gen1: "" }
const withViewer: World = { ...world, roles: { ...world.roles, f: "viewer" } }

const linksOf = (mesh: Mesh, name: string): ReadonlyArray<string> =>
  mesh
    .node(name)
    .node.links.links.flatMap((link) => (link._tag === "Session" ? [nameOf(link.peer)] : []))
    .sort()

const stateOf = (mesh: Mesh, name: string, other: string): string => mesh.node(name).member(other).state
const others = (name: string): ReadonlyArray<string> => Array.from(NAMES).filter((other) => other !== name)

/** Names of those who observe `name`, in everybody's rings. */
const observersOf = (mesh: Mesh, name: string): ReadonlyArray<string> =>
  others(name).filter((other) => {
    const { observed, placeOf } = ringsOf(mesh.node(other).config)
    return observed[placeOf.get(id(name))!] === true
  })

const settled = (of: World = world): Mesh => {
  const mesh = Mesh.settled(of)
  mesh.pass(10_000)
  return mesh
}

describe("a mesh of sixteen", () => {
  it("P7.14: keeps links with neighbours on the rings and electors, and everybody is up for everybody", () => {
    const mesh = settled()
    for (const name of NAMES) {
      const { near } = ringsOf(mesh.node(name).config)
      const wanted = new Set([
        ..."abc",
        ...mesh
          .node(name)
          .config.trusted.flatMap(({ deviceId }, place) => (near[place] === true ? [nameOf(deviceId)] : []))
      ])
      wanted.delete(name)
      const links = linksOf(mesh, name)
      if (!"abc".includes(name)) assert.deepStrictEqual(links, [...wanted].sort(), name)
      for (const other of others(name)) assert.strictEqual(stateOf(mesh, name, other), "up", `${name} of ${other}`)
    }
    assert.isAtMost(linksOf(mesh, "5").length, 11)
    assert.lengthOf(linksOf(mesh, "a"), 15, "an elector has a link with everybody")
  })

  it("P7.12: a row has edges of those that are observed, however many links there are", () => {
    const mesh = settled()
    for (const name of NAMES) {
      const { observed } = ringsOf(mesh.node(name).config)
      assert.lengthOf(mesh.node(name).node.membership.mine.edges, observed.filter((one) => one).length)
    }
  })

  it("P7.13: a power cut is down at every survivor within 3 s, once, witnessed by its six", () => {
    const mesh = settled()
    for (const victim of ["7", "b"]) {
      const six = observersOf(mesh, victim)
      assert.lengthOf(six, RING_OBSERVERS)
      const from = mesh.now
      mesh.crash(victim, { silent: true })
      mesh.pass(3_000)
      for (const name of others(victim)) {
        if (name === "7") continue
        const told = mesh.notes(name, from).filter(({ about }) => about === id(victim))
        const words = told.flatMap(({ event }) => (/^peer\.(?:up|down|left)$/u.test(event) ? [event] : []))
        assert.deepStrictEqual(words, ["peer.down"], `${name} of ${victim}`)
        const { witnesses } = told.find(({ event }) => event === "peer.down")!
        assert.isAtLeast(witnesses!.length, 4)
        for (const witness of witnesses!) assert.include(six, nameOf(witness))
      }
      mesh.pass(10_000)
    }
  })

  it("a killed process is down everywhere as soon as its port refuses four of its six", () => {
    const mesh = settled()
    mesh.crash("9", { silent: false })
    mesh.pass(1_500)
    for (const name of others("9")) assert.strictEqual(stateOf(mesh, name, "9"), "down", name)
  })

  it("P7.12, B1: a goodbye is known to those without a link to it as well, and nobody suspects anything", () => {
    const mesh = settled()
    const from = mesh.now
    mesh.feed("7", { _tag: "Leave", reason: "asked to" })
    mesh.pass(1_000)
    for (const name of others("7")) {
      assert.strictEqual(stateOf(mesh, name, "7"), "left", name)
      const told = mesh.notes(name, from).filter(({ about }) => about === id("7"))
      assert.notInclude(
        told.map(({ event }) => event),
        "peer.suspect"
      )
    }
    mesh.pass(5_000)
    mesh.start("7")
    mesh.pass(15_000)
    for (const name of others("7")) assert.strictEqual(stateOf(mesh, name, "7"), "up", `${name}, after its return`)
  })

  it("P3.11: who heard a goodbye dials that device again once rows name a higher incarnation of it", () => {
    const mesh = settled()
    const gone = mesh.now
    mesh.feed("a", { _tag: "Leave", reason: "asked to" })
    mesh.pass(20_000)
    const dials = (name: string, since: number) =>
      mesh.notes(name, since).filter(({ about, event }) => event === "peer.dial" && about === id("a"))
    for (const name of others("a")) assert.deepStrictEqual(dials(name, gone), [], name)
    const from = mesh.now
    mesh.start("a")
    mesh.pass(5_000)
    const apart = others("a").filter((name) => {
      const { near, placeOf } = ringsOf(mesh.node(name).config)
      return !"bc".includes(name) && near[placeOf.get(id("a"))!] !== true
    })
    assert.isAbove(apart.length, 0, "some are no neighbours of it on the rings")
    for (const name of apart) assert.isAbove(dials(name, from).length, 0, name)
    assert.lengthOf(linksOf(mesh, "a"), 15, "an elector has a link with everybody again")
    // As before: it leads again, and everybody hears it.
    mesh.crash("b", { silent: true })
    mesh.pass(10_000)
    for (const name of apart) assert.strictEqual(mesh.node(name).node.leadership.leader, id("a"), name)
  })

  it("P7.13: whoever has a link of its own goes on saying up, however many of the six do not hear it", () => {
    const mesh = settled()
    const six = observersOf(mesh, "7")
    const linked = linksOf(mesh, "7").filter((name) => !six.includes(name))
    for (const observer of six) mesh.cut(observer, "7")
    mesh.pass(4_000)
    assert.isAbove(linked.length, 0)
    for (const name of linked) assert.strictEqual(stateOf(mesh, name, "7"), "up", name)
    const apart = others("7").filter((name) => !linksOf(mesh, "7").includes(name))
    assert.isAbove(apart.length, 6)
    for (const name of apart) assert.strictEqual(stateOf(mesh, name, "7"), "down", name)
  })

  it("P7.10, B14: a viewer is observed, observes nobody, and knows what the others know", () => {
    const mesh = settled(withViewer)
    for (const name of others("f")) assert.strictEqual(stateOf(mesh, "f", name), "up")
    assert.lengthOf(observersOf(mesh, "f"), RING_OBSERVERS)
    mesh.crash("7", { silent: true })
    mesh.pass(4_000)
    assert.strictEqual(stateOf(mesh, "f", "7"), "down")
    mesh.crash("f", { silent: true })
    mesh.pass(4_000)
    for (const name of others("f")) if (name !== "7") assert.strictEqual(stateOf(mesh, name, "f"), "down")
  })
})

describe("sixteen that cannot all reach each other", () => {
  it("a star: everybody is up for everybody by the hub's word, and a leaf that dies is down, unconfirmed", () => {
    const mesh = settled({ roles, electors: "0", dialled: "0", gen1: "" })
    for (const name of NAMES)
      for (const other of others(name)) assert.strictEqual(stateOf(mesh, name, other), "up", `${name} of ${other}`)
    assert.deepStrictEqual(linksOf(mesh, "9"), ["0"])
    const from = mesh.now
    mesh.crash("9", { silent: true })
    mesh.pass(6_000)
    for (const name of others("9")) assert.strictEqual(stateOf(mesh, name, "9"), "down", name)
    assert.deepInclude(mesh.notes("5", from), {
      event: "peer.down",
      about: id("9"),
      incarnation: 1,
      witnesses: [id("0")],
      reason: "unconfirmed"
    })
  })

  it("P7.14: whoever has fewer than three links seeks others, until it has them", () => {
    const mesh = settled()
    // Of its own ring neighbours and the electors none can be reached any more.
    const near = linksOf(mesh, "5")
    for (const name of near) mesh.cut(name, "5")
    mesh.pass(40_000)
    const links = linksOf(mesh, "5")
    assert.isAtLeast(links.length, 3)
    for (const name of links) assert.notInclude(near, name)
    for (const name of links) assert.strictEqual(stateOf(mesh, name, "5"), "up", `5 at ${name}`)
    // What the others say of those that it does not hear itself keeps these from being down.
    for (const name of others("5"))
      assert.match(stateOf(mesh, "5", name), near.includes(name) ? /^(?:up|suspect)$/u : /^up$/u)
  })
})

describe("rows among sixteen", () => {
  const row = (observer: string, version: number, ...subjects: ReadonlyArray<string>): EdgeRow => ({
    observer: id(observer),
    incarnation: 1,
    version,
    edges: subjects.map((subject) => ({ subject: id(subject), incarnation: 1, good: true }))
  })

  /** Node 0 with a session with every other but `without`. */
  const hub = (without: string): { readonly drive: Drive; readonly linkOf: (name: string) => number } => {
    const drive = Drive.up(world, "0")
    const links = new Map(others("0").flatMap((name) => (name === without ? [] : [[name, drive.meet(name).link]])))
    drive.pass(300)
    return { drive, linkOf: (name) => links.get(name) as number }
  }

  it("P7.13: over a link that is probed now and then a doubt is a probe at once; once that is missed the observers are believed", () => {
    const { drive, linkOf } = hub("")
    const { observersOf, placeOf, watched } = ringsOf(drive.config)
    const subject = others("0").find((name) => watched[placeOf.get(id(name))!] === false)!
    const six = observersOf[placeOf.get(id(subject))!]!.map((place) => nameOf(drive.config.trusted[place]!.deviceId))
    const say = (name: string, version: number, good: boolean) => {
      const edges = [{ subject: id(subject), incarnation: 1, good }]
      return drive.hear(linkOf(name), "mesh.edges", { rows: [{ observer: id(name), incarnation: 1, version, edges }] })
    }
    for (const name of six) say(name, 50, true)
    while (drive.member(subject).probe !== 0) drive.ring()
    const asked = say(six[0]!, 51, false).filter(({ _tag }) => _tag === "Ping")
    assert.deepStrictEqual(asked, [{ _tag: "Ping", link: linkOf(subject), probe: drive.member(subject).probe }])
    for (const name of six) say(name, 52, false)
    assert.strictEqual(drive.member(subject).state, "up", "as long as its answer may come")
    drive.passUntil(drive.member(subject).probeDeadline)
    assert.strictEqual(drive.member(subject).state, "down")
    assert.isFalse(drive.member(subject).good, "and its edge has to hold before it is good again")
  })

  const to = (commands: ReturnType<Drive["pass"]>, observer: string): ReadonlyArray<number> =>
    sentEvents(commands, "mesh.edges")
      .filter(({ rows }) => rows.some((sent) => sent.observer === id(observer)))
      .map(({ link }) => link)

  it("P7.11: a row of another goes to three neighbours at once, and to three more each 100 ms", () => {
    const { drive, linkOf } = hub("9")
    const { near, placeOf } = ringsOf(drive.config)
    const neighbours = others("0").filter((name) => name !== "9" && near[placeOf.get(id(name))!] === true)
    const from = "d"
    const rounds = [to(drive.hear(linkOf(from), "mesh.edges", { rows: [row("9", 3, "d")] }), "9")]
    for (let i = 0; i < 4; i++) rounds.push(to(drive.pass(100), "9"))
    for (const round of rounds) assert.isAtMost(round.length, 3)
    assert.isAbove(rounds[0]!.length, 0)
    const expected = neighbours.filter((name) => name !== from).map(linkOf)
    assert.deepStrictEqual(rounds.flat().sort(), expected.sort())
  })

  it("P7.11: our own row goes to every session, once for all changes within 100 ms", () => {
    const { drive, linkOf } = hub("9")
    const { version } = drive.node.membership.mine
    const observed = others("0").filter((name) => {
      const { observed: all, placeOf } = ringsOf(drive.config)
      return name !== "9" && all[placeOf.get(id(name))!] === true
    })
    const gone = observed.slice(0, 2)
    const commands = gone.flatMap((name) =>
      drive.hear(linkOf(name), "peer.leaving", { gen: 1, deviceId: id(name), timestamp: 0 })
    )
    const later = drive.pass(100)
    const told = [...to(commands, "0"), ...to(later, "0")]
    const left = others("0").filter((name) => name !== "9" && !gone.includes(name))
    assert.strictEqual(drive.node.membership.mine.version, version + 2)
    for (const name of left) assert.include(told, linkOf(name))
    assert.isAtMost(told.length, 2 * left.length + 1)
  })

  it("P7.11: where fingerprints differ only what differs travels, both ways, and comes to rest", () => {
    const mesh = settled()
    const differ = new Set(["2", "7"])
    mesh.lost = (from, to, frame) =>
      (differ.has(from) || differ.has(to)) && frame.type === "event" && frame.event.startsWith("mesh.edges")
    mesh.crash("d", { silent: true })
    mesh.pass(4_000)
    mesh.lost = () => false
    const from = mesh.now
    // A link that is probed now and then only has its heartbeat each five seconds.
    mesh.pass(6_000)
    const prints = others("d").map((name) => mesh.node(name).node.membership.fingerprint)
    assert.strictEqual(new Set(prints).size, 1, "everybody holds the same rows")
    const sent = mesh.said.filter(({ at }) => at >= from).map(({ command }) => command)
    assert.isAbove(sentEvents(sent, "mesh.rows.sums").length, 0)
    const rows = sentEvents(sent, "mesh.edges").flatMap(({ rows: some }) => some)
    assert.isBelow(rows.length, 15 * 15, "no whole tables")
    const rest = mesh.now
    mesh.pass(5_000)
    const after = mesh.said.filter(({ at }) => at >= rest).map(({ command }) => command)
    for (const event of ["mesh.edges", "mesh.rows.sums", "mesh.rows.have", "mesh.rows.want"] as const)
      assert.deepStrictEqual(sentEvents(after, event), [], event)
  })

  it("P7.11, B14: a viewer asks for rows, and sends none", () => {
    const drive = Drive.up({ ...world, roles: { ...world.roles, "0": "viewer" } }, "0")
    const { link } = drive.meet("5")
    const held = { rows: [row("5", 2, "6"), row("6", 3, "5")] }
    drive.hear(link, "mesh.edges", held)
    const observer: DeviceId = id("9")
    const have = drive.hear(link, "mesh.rows.have", {
      groups: [5, 6, 9],
      have: [{ observer, incarnation: 1, version: 1 }]
    })
    assert.deepStrictEqual(sentEvents(have, "mesh.rows.want"), [{ link, observers: [observer] }])
    assert.deepStrictEqual(sentEvents(have, "mesh.edges"), [])
    assert.deepStrictEqual(drive.hear(link, "mesh.rows.want", { observers: [id("6")] }), [])
  })

  it("P7.11: no frame carries more than 128 edges, unless one row has more", () => {
    const { drive, linkOf } = hub("9")
    const long = others("0").slice(0, 12)
    const named = others("0").filter((name) => name !== "9")
    for (const name of named) drive.hear(linkOf(name), "mesh.edges", { rows: [row(name, 50, ...long)] })
    drive.pass(500)
    const asked = drive.hear(linkOf("1"), "mesh.rows.want", { observers: named.map(id) })
    const frames = sentEvents(asked, "mesh.edges").map(({ rows }) => rows.reduce((n, { edges }) => n + edges.length, 0))
    assert.isAbove(frames.length, 1)
    for (const edges of frames) assert.isAtMost(edges, 128)
  })
})
