import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { CHECKING_MAX, LEAVE_TICKET } from "../../../kernel/membership/Goodbyes.ts"
import { allCodes, type Code } from "../../../kernel/wire/Codes.ts"
import type { Goodbye, Role } from "../../../kernel/wire/Frame.ts"
import { Drive, events, hangups, id, nameOf, notes, sentEvents, signedGoodbye, tags, type World } from "../drive.ts"
import { Mesh } from "../mesh.ts"

const five: World = { roles: { a: "field", b: "field", c: "field", d: "field", e: "field" } }
const watched: World = { roles: { ...five.roles, d: "viewer" } }

const met = (others: string, world = five) => {
  const drive = Drive.up(world, "a")
  const link: Record<string, number> = {}
  for (const name of others) link[name] = drive.meet(name).link
  return { drive, link: (name: string) => link[name] as number }
}

const say = (drive: Drive, link: number, ...goodbyes: ReadonlyArray<Goodbye>) =>
  drive.hear(link, "mesh.goodbyes", { goodbyes })

const count = (drive: Drive, code: Code): number => drive.node.refusals[allCodes.indexOf(code)]!

const handedOn = (commands: ReadonlyArray<Command>): string =>
  sentEvents(commands, "mesh.goodbyes")
    .map(({ goodbyes, link }) => `${goodbyes.map(({ deviceId }) => nameOf(deviceId)).join("")} to ${link}`)
    .join(", ")

describe("P7.16: a signed goodbye", () => {
  it("is said before the word that ends the session, to kernel peers only", () => {
    const drive = Drive.up(five, "a")
    const b = drive.meet("b").link
    const c = drive.meet("c", { kernel: false }).link
    const commands = drive.feed({ _tag: "Leave", reason: "asked to" })
    const said = commands.flatMap((command) =>
      command._tag === "Send" && command.frame.type === "event" ? [[command.link, command.frame.event]] : []
    )
    assert.deepStrictEqual(said, [
      [b, "mesh.goodbyes"],
      [b, "peer.leaving"],
      [c, "peer.leaving"]
    ])
    assert.deepStrictEqual(sentEvents(commands, "mesh.goodbyes"), [{ link: b, goodbyes: [signedGoodbye("a")] }])
  })

  it("waits for the key for 0.3 s at most, and nothing else happens meanwhile; then it goes unsigned", () => {
    const { drive, link } = met("bc")
    drive.keysWait = true
    const begun = drive.feed({ _tag: "Leave", reason: "asked to" })
    assert.deepStrictEqual(tags(begun), ["Note"])
    assert.strictEqual(drive.node.phase, "leaving")
    assert.deepStrictEqual(drive.hear(link("b"), "mesh.edges", { rows: [] }), [])
    assert.deepStrictEqual(drive.feed({ _tag: "Signed", ticket: 1, signatures: ["x"] }), [])
    drive.mono += 299
    assert.deepStrictEqual(drive.feed({ _tag: "Woke" }), [])
    drive.mono += 1
    const late = drive.feed({ _tag: "Woke" })
    assert.deepStrictEqual(tags(late), ["Send", "Send", "Halt"])
    assert.lengthOf(sentEvents(late, "peer.leaving"), 2)
    assert.deepStrictEqual(drive.release(), [], "the signature comes too late")
  })

  it("of a key that fails is unsigned", () => {
    const { drive } = met("b")
    drive.keysWait = true
    drive.feed({ _tag: "Leave", reason: "asked to" })
    const commands = drive.feed({ _tag: "Signed", ticket: LEAVE_TICKET, signatures: null })
    assert.deepStrictEqual(tags(commands), ["Send", "Halt"])
  })

  it("that somebody hands on is final for that incarnation, and goes on to all others", () => {
    const { drive, link } = met("bcd")
    const commands = say(drive, link("b"), signedGoodbye("e"))
    assert.deepInclude(notes(commands), {
      event: "peer.left",
      about: id("e"),
      incarnation: 1,
      reason: "it had said goodbye"
    })
    assert.strictEqual(drive.member("e").state, "left")
    assert.strictEqual(drive.contact("e").leftIncarnation, 1)
    assert.strictEqual(handedOn(commands), `e to ${link("c")}, e to ${link("d")}`)
    assert.strictEqual(handedOn(say(drive, link("c"), signedGoodbye("e"))), "", "once")
  })

  it("ends what is left of a session in that incarnation, and the device is not dialled for a minute", () => {
    const { drive, link } = met("be")
    const commands = say(drive, link("b"), signedGoodbye("e"))
    assert.deepStrictEqual(hangups(commands), [{ link: link("e"), code: 1000, reason: "goodbye" }])
    assert.deepStrictEqual(drive.sessions("e"), [])
    const later = drive.pass(50_000)
    assert.isEmpty(later.filter((command) => command._tag === "Dial" && command.to === id("e")))
    assert.strictEqual(drive.member("e").state, "left")
    drive.meet("e")
    assert.strictEqual(count(drive, "IDENTITY_CONFLICT"), 1, "P3.2: nor is it let in")
    drive.meet("e", { incarnation: 2 })
    assert.strictEqual(drive.member("e").state, "up")
  })

  it("of an older life changes nothing for the present one, and is remembered", () => {
    const { drive, link } = met("bc")
    drive.meet("e", { incarnation: 3 })
    const commands = say(drive, link("b"), signedGoodbye("e", { incarnation: 2 }))
    assert.strictEqual(drive.member("e").state, "up")
    assert.lengthOf(drive.sessions("e"), 1)
    assert.notInclude(events(commands), "peer.left")
    assert.deepStrictEqual(
      drive.node.membership.goodbyes.map(({ incarnation }) => incarnation),
      [2]
    )
    say(drive, link("b"), signedGoodbye("e", { incarnation: 1 }))
    assert.lengthOf(drive.node.membership.goodbyes, 1, "an older one than that is not")
  })

  it("makes of one that was taken for dead one that left", () => {
    const { drive, link } = met("bcd")
    drive.hear(link("b"), "mesh.edges", {
      rows: [
        { observer: id("b"), incarnation: 1, version: 9, edges: [{ subject: id("e"), incarnation: 1, good: false }] }
      ]
    })
    assert.strictEqual(drive.member("e").state, "down")
    say(drive, link("b"), signedGoodbye("e"))
    assert.strictEqual(drive.member("e").state, "left")
  })

  it.each([
    ["another signature", signedGoodbye("e", {}, "false")],
    ["another incarnation than the one that was signed", { ...signedGoodbye("e"), incarnation: 2 }],
    ["another reason", { ...signedGoodbye("e"), reason: "none" }],
    ["another device's key", signedGoodbye("e", { by: "b" })]
  ])("with %s is counted, and changes nothing", (_, forged) => {
    const { drive, link } = met("bcd")
    drive.meet("e")
    const before = drive.node.membership
    const commands = say(drive, link("b"), forged)
    assert.strictEqual(count(drive, "AUTH_FAILED"), 1)
    assert.strictEqual(drive.member("e").state, "up")
    assert.deepStrictEqual(commands, [])
    assert.deepStrictEqual(drive.node.membership.goodbyes, before.goodbyes)
    say(drive, link("c"), signedGoodbye("e"))
    assert.strictEqual(drive.member("e").state, "left", "a false one does not keep out the true one")
  })

  it("of somebody whom we do not trust, and of our own present life, is not looked at", () => {
    const { drive, link } = met("b")
    const before = drive.node
    assert.deepStrictEqual(say(drive, link("b"), signedGoodbye("f"), signedGoodbye("a")), [])
    assert.strictEqual(drive.node, before)
  })

  it("B14: by a viewer is its own, or counted", () => {
    const { drive, link } = met("bd", watched)
    say(drive, link("d"), signedGoodbye("e"))
    assert.strictEqual(count(drive, "NOT_AUTHORIZED"), 1)
    assert.notStrictEqual(drive.member("e").state, "left")
    say(drive, link("d"), signedGoodbye("d"))
    assert.strictEqual(drive.member("d").state, "left")
  })

  it("S10: a flood of them is checked a few at a time", () => {
    const { drive, link } = met("b")
    drive.keysWait = true
    const flood = Array.from({ length: 200 }, (_, n) => signedGoodbye("e", { incarnation: n + 1 }, `${n}`))
    const commands = flood.flatMap((goodbye) => say(drive, link("b"), goodbye))
    assert.deepStrictEqual(commands, [])
    assert.lengthOf(drive.node.membership.checking, CHECKING_MAX)
    assert.lengthOf(drive.waiting, CHECKING_MAX)
    drive.release()
    assert.lengthOf(drive.node.membership.checking, 0)
    assert.lengthOf(drive.node.membership.goodbyes, 0)
  })

  it("whose device is not trusted any more when the check is done is forgotten", () => {
    const { drive, link } = met("b")
    drive.keysWait = true
    say(drive, link("b"), signedGoodbye("e"))
    drive.feed({ _tag: "Distrust", deviceId: id("e") })
    drive.release()
    assert.lengthOf(drive.node.membership.goodbyes, 0)
    assert.lengthOf(drive.node.membership.checking, 0)
  })

  it("goes with the trust in its device", () => {
    const { drive, link } = met("b")
    const without = drive.node.membership.fingerprint
    say(drive, link("b"), signedGoodbye("e"))
    assert.notStrictEqual(drive.node.membership.fingerprint, without)
    drive.feed({ _tag: "Distrust", deviceId: id("e") })
    assert.lengthOf(drive.node.membership.goodbyes, 0)
  })
})

const letters = "0123456789abcdef"
const sixteen: World = {
  roles: Object.fromEntries(Array.from(letters, (name): [string, Role] => [name, "field"]))
}

describe.each([
  ["five", five],
  ["sixteen", sixteen]
] as const)("P7.16: among %s", (_, world) => {
  it("who could not hear a goodbye hears of it when the split heals, whoever restarts hears of it, too", () => {
    const mesh = Mesh.settled(world)
    mesh.isolate("ae")
    mesh.pass(20_000)
    mesh.feed("e", { _tag: "Leave", reason: "asked to" })
    mesh.pass(20_000)
    assert.match(mesh.view("a"), /e:left/u)
    assert.match(mesh.view("b"), /e:down/u)
    mesh.rejoin()
    mesh.pass(30_000)
    for (const name of Object.keys(world.roles))
      if (name !== "e") assert.match(mesh.view(name), /e:left/u, `${name} after the split`)
    mesh.crash("b", { silent: false })
    mesh.start("b")
    mesh.pass(15_000)
    assert.match(mesh.view("b"), /e:left/u)
    mesh.start("e")
    mesh.pass(30_000)
    const fingerprints = new Set<number>()
    for (const name of Object.keys(world.roles)) {
      if (name !== "e") assert.match(mesh.view(name), /e:up/u, `${name} after its return`)
      const { fingerprint, goodbyes } = mesh.node(name).node.membership
      fingerprints.add(fingerprint)
      assert.deepStrictEqual(
        goodbyes.map(({ deviceId, incarnation }) => [deviceId, incarnation]),
        [[id("e"), 1]],
        name
      )
    }
    assert.strictEqual(fingerprints.size, 1)
  })
})
