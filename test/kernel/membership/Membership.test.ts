import { assert, describe, it } from "@effect/vitest"
import { ROW_EDGES_MAX } from "../../../kernel/wire/Limits.ts"
import { allCodes } from "../../../kernel/wire/Codes.ts"
import type { EdgeRow } from "../../../kernel/wire/Frame.ts"
import { Drive, events, id, notes, sentEvents, type World } from "../drive.ts"
import { Mesh } from "../mesh.ts"

const four: World = { roles: { a: "field", b: "field", c: "field", d: "viewer" } }
const five: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" } }
const two: World = { roles: { a: "field", b: "field" } }

const row = (observer: string, version: number, edges: string, incarnation = 1): EdgeRow => ({
  observer: id(observer),
  incarnation,
  version,
  edges: edges
    .split(" ")
    .filter((edge) => edge !== "")
    .map((edge) => ({ subject: id(edge[0]!), good: edge[1] === "+", incarnation: Number(edge[2] ?? 1) }))
})

const met = (
  world: World,
  others: string
): { readonly drive: Drive; readonly link: { readonly [name: string]: number } } => {
  const drive = Drive.up(world, "a")
  const link: Record<string, number> = {}
  for (const name of others) link[name] = drive.meet(name).link
  return { drive, link }
}

describe("A09, C11: an observer whose word nobody bears out", () => {
  /** `e` says this of others, again at each beat; what `a` tells of it within half a minute. */
  const told = (says: string, elsewhere = "", truth = says): ReadonlyArray<string> => {
    const mesh = Mesh.settled(five)
    const link = mesh.node("a").member("e").link!
    const other = mesh.node("a").member("b").link!
    const from = mesh.now
    const hears = (over: number, rows: ReadonlyArray<EdgeRow>): void =>
      mesh.feed("a", { _tag: "Received", link: over, frame: { type: "event", event: "mesh.edges", payload: { rows } } })
    // What they really say does not come.
    mesh.lost = (_, to, frame) => to === "a" && frame.type === "event" && frame.event === "mesh.edges"
    for (let beat = 0; beat < 30; beat++) {
      hears(link, [row("e", 1_000 + beat, beat % 2 === 0 ? says : truth)])
      if (elsewhere !== "") hears(other, [row("b", 1_000 + beat, elsewhere)])
      mesh.pass(1_000)
    }
    return mesh.events("a", from).filter((event) => event === "peer.disputed")
  }

  it("is told about once, within half a minute, also if it says so every other time", () => {
    assert.deepStrictEqual(told("b- c- d-"), ["peer.disputed"])
    assert.deepStrictEqual(told("a- b-"), ["peer.disputed"])
    assert.deepStrictEqual(told("b- c- d-", "", "b+ c+ d+"), ["peer.disputed"])
  })

  it("is not where it misses one, or somebody else misses them too", () => {
    assert.deepStrictEqual(told("b-"), [])
    assert.deepStrictEqual(told("c- d-", "a+ c- d- e+"), [])
  })
})

describe("rows", () => {
  it("P7.2: our own row grows by one version with each change, and goes out at once to everybody", () => {
    const drive = Drive.up(four, "a")
    const first = drive.meet("b")
    assert.deepStrictEqual(sentEvents(first.commands, "mesh.edges"), [{ link: first.link, rows: [row("a", 1, "b+")] }])
    const second = drive.meet("c")
    assert.deepStrictEqual(sentEvents(second.commands, "mesh.edges"), [
      { link: first.link, rows: [row("a", 2, "b+ c+")] },
      { link: second.link, rows: [row("a", 2, "b+ c+")] }
    ])
  })

  it("C11: of an observer whose row changes all the time the latest is handed on now and then, and it is told about once", () => {
    const { drive, link } = met(five, "bcde")
    const handed: Array<number> = []
    let told = 0
    for (let version = 100; version < 300; version++) {
      const commands = [
        ...drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", version, version % 2 === 0 ? "c-" : "c+")] }),
        ...drive.pass(5)
      ]
      const toC = sentEvents(commands, "mesh.edges").filter((sent) => sent.link === link["c"])
      handed.push(
        ...toC.flatMap(({ rows }) => rows.filter(({ observer }) => observer === id("b")).map((each) => each.version))
      )
      told += notes(commands).filter(({ code }) => code === "RATE_LIMITED").length
    }
    assert.isAtLeast(handed.length, 20)
    assert.isAtMost(handed.length, 40)
    assert.strictEqual(told, 1)
    const last = sentEvents(drive.pass(500), "mesh.edges").filter((sent) => sent.link === link["c"])
    assert.deepStrictEqual(
      last.flatMap(({ rows }) => rows.filter(({ observer }) => observer === id("b")).map((each) => each.version)),
      [299]
    )
  })

  it("P7.2, B14: a viewer passes nothing on, neither at once nor when fingerprints differ", () => {
    const viewer: World = { roles: { a: "viewer", b: "field", c: "field" } }
    const { drive, link } = met(viewer, "bc")
    const rows = [row("b", 4, "c+")]
    assert.deepStrictEqual(sentEvents(drive.hear(link["b"]!, "mesh.edges", { rows }), "mesh.edges"), [])
    assert.deepStrictEqual(drive.node.membership.rows, rows)
    const { epoch } = drive.node.membership.members.find(({ deviceId }) => deviceId === id("c"))!
    const [mine, myCounter, theirs, theirCounter] = epoch!
    const said = { epoch: [theirs, theirCounter, mine, myCounter] as const, seq: 0, rows: 7 }
    assert.deepStrictEqual(sentEvents(drive.hear(link["c"]!, "mesh.heartbeat", said), "mesh.edges"), [])
  })

  it("P7.2, B14: what a viewer passes on is counted, and changes nothing", () => {
    const { drive, link } = met(four, "bd")
    const before = drive.node.membership
    drive.hear(link["d"]!, "mesh.edges", { rows: [row("c", 4, "b-")] })
    assert.deepStrictEqual(drive.node.membership.rows, before.rows)
    assert.strictEqual(drive.node.refusals[allCodes.indexOf("NOT_AUTHORIZED")], 1)
  })

  it("P7.2: a newer row is passed on once, to everybody but its sender", () => {
    const { drive, link } = met(five, "cde")
    const rows = [row("b", 4, "a+ c+")]
    const told = sentEvents(drive.hear(link["c"]!, "mesh.edges", { rows }), "mesh.edges")
    assert.deepStrictEqual(told, [
      { link: link["d"]!, rows },
      { link: link["e"]!, rows }
    ])
    for (const from of "cde") assert.deepStrictEqual(drive.hear(link[from]!, "mesh.edges", { rows }), [])
  })

  it("P7.2: an observer's own word is passed on to all others", () => {
    const { drive, link } = met(five, "bcde")
    const rows = [row("b", 4, "a+ c+")]
    const told = sentEvents(drive.hear(link["b"]!, "mesh.edges", { rows }), "mesh.edges")
    assert.deepStrictEqual(
      told.map((each) => each.link),
      [link["c"]!, link["d"]!, link["e"]!]
    )
  })

  it("P7.2: an older version, and any of an older incarnation, changes nothing", () => {
    const { drive, link } = met(five, "cd")
    drive.hear(link["c"]!, "mesh.edges", { rows: [row("b", 4, "a+ c+", 2)] })
    const before = drive.node
    for (const stale of [row("b", 3, "a-", 2), row("b", 4, "a-", 2), row("b", 99, "a-", 1)])
      assert.deepStrictEqual(drive.hear(link["d"]!, "mesh.edges", { rows: [stale] }), [])
    assert.strictEqual(drive.node, before)
    drive.hear(link["d"]!, "mesh.edges", { rows: [row("b", 1, "a-", 3)] })
    assert.deepStrictEqual(drive.node.membership.rows, [row("b", 1, "a-", 3)])
  })

  it("P3.20: an observer that we have a link with is told that others hold a newer row of it, once a beat", () => {
    const { drive, link } = met(five, "bcd")
    drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", 3, "a+")] })
    const told = (version: number, incarnation = 1) => {
      const rows = [row("b", version, "e+", incarnation)]
      return sentEvents(drive.hear(link["c"]!, "mesh.edges", { rows }), "mesh.edges")
    }
    assert.deepStrictEqual(told(3), [])
    assert.deepStrictEqual(told(4), [{ link: link["b"]!, rows: [row("b", 4, "")] }])
    assert.deepStrictEqual(told(1, 2), [])
    drive.pass(drive.config.profile.beatMs)
    assert.deepStrictEqual(told(1, 2), [{ link: link["b"]!, rows: [row("b", 1, "", 2)] }])
    assert.deepStrictEqual(drive.node.membership.rows, [row("b", 3, "a+")])
    drive.pass(drive.config.profile.beatMs)
    const have = [{ observer: id("b"), incarnation: 1, version: 9 }]
    const compared = drive.hear(link["d"]!, "mesh.rows.have", { groups: [11], have })
    assert.deepStrictEqual(sentEvents(compared, "mesh.edges"), [{ link: link["b"]!, rows: [row("b", 9, "")] }])
  })

  it("K4: once others have a device back that had left, our own row says so in the same turn", () => {
    const { drive, link } = met(five, "cde")
    let version = 100
    const say = (edge: Partial<EdgeRow["edges"][number]>): void => {
      for (const from of "cde")
        drive.hear(link[from]!, "mesh.edges", {
          rows: [
            {
              observer: id(from),
              incarnation: 1,
              version: ++version,
              edges: [{ subject: id("b"), incarnation: 0, good: false, ...edge }]
            }
          ]
        })
    }
    const leftInOurs = (): boolean | undefined =>
      drive.node.membership.mine.edges.find(({ subject }) => subject === id("b"))?.left
    say({})
    drive.pass(drive.config.profile.beatMs)
    say({})
    assert.strictEqual(drive.member("b").state, "down")
    drive.meet("b", { kernel: false })
    say({ left: true })
    assert.strictEqual(drive.member("b").state, "left")
    assert.isTrue(leftInOurs())
    say({ good: true })
    assert.strictEqual(drive.member("b").state, "up")
    assert.isUndefined(leftInOurs())
  })

  it("S8, S10: rows of viewers, of strangers, about ourselves by others, and over-long ones are not kept", () => {
    const { drive, link } = met(four, "bcd")
    const edges = Array.from({ length: ROW_EDGES_MAX + 1 }, (_, n) => ({
      subject: n.toString(16).padStart(64, "0"),
      incarnation: 1,
      good: true
    }))
    const long = { ...row("b", 9, ""), edges }
    const rows = [row("d", 1, "b-"), row("f", 1, "b-"), row("a", 99, "b-"), long]
    assert.deepStrictEqual(drive.hear(link["b"]!, "mesh.edges", { rows }), [])
    assert.deepStrictEqual(drive.node.membership.rows, [])
    assert.strictEqual(drive.node.membership.mine.version, 3)
  })

  it("P7.2: with whom we have a session speaks for itself: what others hand on in its name changes nothing", () => {
    const { drive, link } = met(five, "bc")
    const forged = [row("b", 99, "c-"), row("b", 1, "c-", 7)]
    const { rows } = drive.node.membership
    const told = sentEvents(drive.hear(link["c"]!, "mesh.edges", { rows: forged }), "mesh.edges")
    const shown = { observer: id("b"), incarnation: 1, version: 99, edges: [] }
    assert.deepStrictEqual(told, [{ link: link["b"]!, rows: [shown] }], "only the observer hears of it (P3.20)")
    assert.strictEqual(drive.node.membership.rows, rows)
    const own = row("b", 2, "a+ c+")
    drive.hear(link["b"]!, "mesh.edges", { rows: [own] })
    assert.deepStrictEqual(drive.hear(link["c"]!, "mesh.edges", { rows: forged }), [])
    assert.deepStrictEqual(drive.node.membership.rows, [own])
    drive.feed({ _tag: "LinkDown", link: link["b"]!, reason: "reset" })
    drive.hear(link["c"]!, "mesh.edges", { rows: forged })
    assert.deepStrictEqual(drive.node.membership.rows, [forged[1]!], "without one there is nobody better to ask")
  })

  it("P3.2: a row raises the incarnation of whom we have no session with, by a good edge alone", () => {
    const { drive, link } = met(five, "bc")
    drive.hear(link["c"]!, "mesh.edges", { rows: [row("c", 5, "b+9 d-9 e+9")] })
    assert.deepStrictEqual(
      drive.node.membership.members.map(({ incarnation }) => incarnation),
      [1, 1, 0, 9]
    )
  })

  it("P7.2: its own word replaces whatever others said in its name, under whatever version, and once", () => {
    const { drive, link } = met(five, "c")
    drive.hear(link["c"]!, "mesh.edges", { rows: [row("b", 99, "c-", 7)] })
    const b = drive.meet("b").link
    for (const own of [row("b", 2, "a+ c+"), row("b", 3, "a+"), row("b", 3, "a+ c+")]) {
      const passed = sentEvents(drive.hear(b, "mesh.edges", { rows: [own] }), "mesh.edges")
      assert.deepStrictEqual(passed, [{ link: link["c"]!, rows: [own] }])
      assert.deepStrictEqual(drive.node.membership.rows, [own])
      const { node } = drive
      assert.deepStrictEqual(drive.hear(b, "mesh.edges", { rows: [own] }), [], "said again, it is no news")
      assert.strictEqual(drive.node.membership.rows, node.membership.rows)
    }
  })

  it("P7.2: whom its observer trusts besides is no reason to pass a row by: it is kept and passed on whole", () => {
    const { drive, link } = met(four, "bc")
    const others = Array.from({ length: ROW_EDGES_MAX - 2 }, (_, n) => ({
      subject: n.toString(16).padStart(64, "0"),
      incarnation: 1,
      good: n % 2 === 0
    }))
    const known = row("b", 4, "a+ c+")
    const whole = { ...known, edges: [...known.edges, ...others] }
    const passed = sentEvents(drive.hear(link["b"]!, "mesh.edges", { rows: [whole] }), "mesh.edges")
    assert.deepStrictEqual(drive.node.membership.rows, [whole])
    assert.deepStrictEqual(passed, [{ link: link["c"]!, rows: [whole] }])
    // Nobody whom we do not trust is anybody's witness, nor judged.
    assert.lengthOf(drive.node.membership.members, 3)
  })

  it("C36: an edge about a device that is trusted no longer stays in its row, and is about nobody", () => {
    const { drive, link } = met(four, "bc")
    drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", 4, "a+ c+ d+")] })
    const { fingerprint } = drive.node.membership
    drive.feed({ _tag: "Distrust", deviceId: id("d") })
    assert.deepStrictEqual(drive.node.membership.rows, [row("b", 4, "a+ c+ d+")])
    assert.strictEqual(drive.node.membership.fingerprint, fingerprint, "whoever trusts it holds the same row")
    assert.deepStrictEqual(
      drive.node.membership.members.map(({ deviceId }) => deviceId),
      [id("b"), id("c")]
    )
  })

  it("P7.12: a row that names a device twice is none: nobody is two witnesses", () => {
    const { drive, link } = met(four, "bc")
    drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", 4, "c- c-"), row("b", 3, "c+ a+ c+")] })
    assert.deepStrictEqual(drive.node.membership.rows, [])
  })

  it("P7.3: two nodes that hold the same rows, whoever wrote them, have the same fingerprint", () => {
    const mesh = Mesh.settled(five)
    const prints = ["a", "b", "c", "d", "e"].map((name) => mesh.node(name).node.membership.fingerprint)
    assert.strictEqual(new Set(prints).size, 1)
    assert.notStrictEqual(prints[0], 0)
  })

  it("P7.2: another fingerprint is answered with every row, ours among them", () => {
    const { drive, link } = met(four, "bc")
    drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", 4, "a+")] })
    const [mine, ours, theirs, their] = drive.sessions("c")[0]!.epoch
    const { fingerprint } = drive.node.membership
    const heartbeat = (rows: number) =>
      drive.hear(link["c"]!, "mesh.heartbeat", { epoch: [theirs, their, mine, ours], seq: 1, rows })
    assert.deepStrictEqual(heartbeat(fingerprint), [])
    assert.deepStrictEqual(sentEvents(heartbeat(fingerprint + 1), "mesh.edges"), [
      { link: link["c"]!, rows: [row("a", 2, "b+ c+"), row("b", 4, "a+")] }
    ])
  })

  it("P7.2: a row that was lost on the way is there a heartbeat later", () => {
    const mesh = Mesh.settled(five)
    mesh.lost = (_, to, frame) => to === "c" && frame.type === "event" && frame.event === "mesh.edges"
    mesh.crash("e", { silent: true })
    mesh.pass(6_000)
    mesh.lost = () => false
    assert.notStrictEqual(mesh.node("c").node.membership.fingerprint, mesh.node("a").node.membership.fingerprint)
    mesh.pass(1_100)
    assert.strictEqual(mesh.node("c").node.membership.fingerprint, mesh.node("a").node.membership.fingerprint)
  })
})

describe("verdicts of a mesh", () => {
  it("L1: a power cut is down at every survivor within 3 s, confirmed, and told once", () => {
    const mesh = Mesh.settled(five)
    const from = mesh.now
    mesh.crash("e", { silent: true })
    mesh.pass(3_000)
    for (const name of "abcd") {
      assert.include(mesh.view(name), "e:down")
      const told = mesh.notes(name, from).filter(({ event }) => event === "peer.down")
      assert.strictEqual(told.length, 1)
      assert.isAtLeast(told[0]?.witnesses?.length ?? 0, 2)
    }
  })

  it("L1: of two nodes each is down for the other within 4 s, unconfirmed", () => {
    const mesh = Mesh.settled(two)
    const from = mesh.now
    mesh.cut("a", "b")
    mesh.pass(4_000)
    assert.strictEqual(mesh.view("a"), "b:down")
    assert.strictEqual(mesh.view("b"), "a:down")
    assert.notInclude(mesh.events("a", from), "peer.down.confirmed")
  })

  it("a killed process is down as soon as its port refuses", () => {
    const mesh = Mesh.settled(five)
    const from = mesh.now
    mesh.crash("e", { silent: false })
    mesh.pass(1_100)
    assert.include(mesh.view("a"), "e:down")
    assert.strictEqual(mesh.notes("a", from).filter(({ event }) => event === "peer.down").length, 1)
  })

  it("both halves of a split reach their verdicts, and a healed split returns without a reboot", () => {
    const mesh = Mesh.settled(five)
    mesh.isolate("ab")
    mesh.pass(5_000)
    assert.strictEqual(mesh.view("a"), "b:up c:down d:down e:down")
    assert.strictEqual(mesh.view("c"), "a:down b:down d:up e:up")
    mesh.rejoin()
    mesh.pass(15_000)
    for (const name of "abcde") assert.notInclude(mesh.view(name), "down")
  })

  it("one broken cable between two makes nobody down", () => {
    const mesh = Mesh.settled(five)
    const from = mesh.now
    mesh.cut("a", "b")
    mesh.pass(20_000)
    for (const name of "abcde") assert.notInclude(mesh.events(name, from), "peer.down")
    assert.include(mesh.view("a"), "b:suspect")
  })

  it.each([600, 2_500, 60_000])("B7: a node that was frozen for %i ms accuses nobody when it thaws", (ms) => {
    const mesh = Mesh.settled(five)
    mesh.freeze("a")
    mesh.pass(ms)
    const from = mesh.now
    mesh.thaw("a")
    mesh.pass(10_000)
    assert.notInclude(mesh.events("a", from), "peer.down")
    const told = mesh.said.filter(({ at, name }) => at >= from && name === "a").map(({ command }) => command)
    const ours = sentEvents(told, "mesh.edges").flatMap(({ rows }) =>
      rows.filter(({ observer }) => observer === id("a"))
    )
    assert.isTrue(ours.every(({ edges }) => edges.every(({ good }) => good)))
  })

  it("B1: a node that leaves is left, not down, at everybody", () => {
    const mesh = Mesh.settled(five)
    const from = mesh.now
    mesh.feed("e", { _tag: "Leave", reason: "asked to" })
    mesh.pass(10_000)
    for (const name of "abcd") {
      assert.include(mesh.view(name), "e:left")
      assert.deepStrictEqual(
        mesh.events(name, from).filter((event) => event.startsWith("peer.down")),
        []
      )
    }
  })

  it("B1, L1: the next incarnation of one that left is up for who has no link to it, once an observer has met it", () => {
    const { drive, link } = met(four, "bc")
    drive.hear(link["c"]!, "peer.leaving", { gen: 1, deviceId: id("c"), timestamp: 0 })
    assert.strictEqual(drive.member("c").state, "left")
    drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", 5, "a+1 c+1")] })
    assert.strictEqual(drive.member("c").state, "left", "the incarnation that left does not come back")
    const commands = drive.hear(link["b"]!, "mesh.edges", { rows: [row("b", 6, "a+1 c+2")] })
    assert.strictEqual(drive.member("c").state, "up")
    assert.deepInclude(notes(commands), { event: "peer.up", about: id("c"), incarnation: 2 })
  })
  it("S8: a viewer sees and is seen, and its row goes nowhere", () => {
    const mesh = Mesh.settled(four)
    assert.strictEqual(mesh.view("d"), "a:up b:up c:up")
    assert.strictEqual(mesh.node("d").node.membership.mine.version, 0)
    mesh.crash("c", { silent: true })
    mesh.pass(5_000)
    assert.strictEqual(mesh.view("d"), "a:up b:up c:down")
  })

  it("0014: enough against it but not all: the others have a beat to find the same", () => {
    const { drive, link } = met(five, "bcd")
    const say = (name: string, version: number, edges: string) =>
      drive.hear(link[name]!, "mesh.edges", { rows: [row(name, version, edges)] })
    for (const name of "bcd") say(name, 2, "e+")
    say("b", 3, "e-")
    say("c", 3, "e-")
    assert.strictEqual(drive.member("e").state, "suspect")
    say("c", 4, "e+")
    drive.pass(1)
    say("c", 5, "e-")
    const from = drive.mono
    while (drive.member("e").state === "suspect") drive.pass(1)
    assert.strictEqual(drive.member("e").state, "down")
    assert.strictEqual(drive.mono - from, 1_000, "counted from when it was so again")
    const again = met(five, "bcd")
    for (const name of "bcd") again.drive.hear(again.link[name]!, "mesh.edges", { rows: [row(name, 2, "e+")] })
    for (const name of "bcd") again.drive.hear(again.link[name]!, "mesh.edges", { rows: [row(name, 3, "e-")] })
    assert.strictEqual(again.drive.member("e").state, "down", "all of them: at once")
  })

  it("0014: links that stall one after another do not add up to a death", () => {
    const mesh = Mesh.settled(five)
    const from = mesh.now
    for (let n = 0; n < 8; n++) {
      const other = "abcd"[n % 4]!
      mesh.cut(other, "e")
      mesh.pass(6_000)
      mesh.mend(other, "e")
      mesh.pass(14_000)
    }
    for (const name of "abcde") assert.notInclude(mesh.events(name, from), "peer.down")
    assert.strictEqual(mesh.view("a"), "b:up c:up d:up e:up")
  })

  it("down is never softened to suspect: it takes a good edge to come back", () => {
    const { drive, link } = met(five, "bcd")
    const say = (name: string, version: number, edges: string) =>
      drive.hear(link[name]!, "mesh.edges", { rows: [row(name, version, edges)] })
    say("b", 1, "e-")
    const down = say("c", 1, "e-")
    assert.strictEqual(drive.member("e").state, "down")
    assert.notInclude(events(down), "peer.down")
    say("d", 1, "e+")
    say("c", 2, "e+")
    assert.strictEqual(drive.member("e").state, "down")
    const back = say("b", 2, "e+")
    assert.deepStrictEqual(notes(back), [{ event: "peer.up", about: id("e"), incarnation: 1 }])
  })

  it("K4: whoever falls is no way to others any more, and that counts in the same step", () => {
    const { drive, link } = met(five, "bcd")
    const say = (name: string, edges: string) => drive.hear(link[name]!, "mesh.edges", { rows: [row(name, 2, edges)] })
    say("b", "e+")
    const { membership } = drive.node
    const members = membership.members.map((member) =>
      member.deviceId === id("b") ? { ...member, history: 0b111_0 } : member
    )
    drive.node = { ...drive.node, membership: { ...membership, members } }
    say("c", "b- e-")
    say("d", "b-")
    assert.deepStrictEqual([drive.member("b").state, drive.member("e").state], ["suspect", "suspect"])
    while (drive.member("b").state === "suspect") drive.ring()
    assert.deepStrictEqual([drive.member("b").state, drive.member("e").state], ["down", "down"])
  })
})
