import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import * as Durable from "../../../kernel/Durable.ts"
import { voteString } from "../../../kernel/identity/Handshake.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { Drive, events, id, sentEvents, sign, signedGoodbye, tags, type DriveOptions, type World } from "../drive.ts"

/** `a` and `b` may lead; we are `c`, an elector that may not: it never stands by itself. */
const world: World = {
  roles: { a: "planner", b: "standby-planner", c: "field", d: "planner", e: "viewer" },
  electors: "abc"
}
const { promiseMs } = profiles.lan
const term = (counter: number, manifest = 1) => ({ manifest, counter })

/** What `c` signs of its vote. */
const voteFor = (name: string, counter: number): string =>
  voteString({ meshId: "mesh", meshKey: "operator", manifest: 1, counter, leader: id(name), incarnation: 1 })

interface Voter {
  readonly drive: Drive
  readonly a: number
  readonly b: number
}

/** A voter with sessions to both candidates, past its silence unless told otherwise. */
const voter = ({ silent = false, ...options }: DriveOptions & { readonly silent?: boolean } = {}): Voter => {
  const drive = Drive.up(world, "c", options)
  if (!silent) drive.mono += promiseMs
  return { drive, a: drive.meet("a").link, b: drive.meet("b").link }
}

const answersTo = (commands: ReadonlyArray<Command>) =>
  sentEvents(commands, "mesh.vote.answer").map(({ granted }) => granted)

const asks = ({ drive }: Voter, link: number, counter: number, manifest = 1): ReadonlyArray<boolean> =>
  answersTo(drive.hear(link, "mesh.vote", { term: term(counter, manifest) }))

const sounds = ({ drive }: Voter, link: number, counter: number): ReadonlyArray<boolean> =>
  sentEvents(drive.hear(link, "mesh.prevote", { term: term(counter) }), "mesh.prevote.answer").map(
    ({ granted }) => granted
  )

describe("vote", () => {
  it("S9: it is on stable storage before it is answered: the answer waits inside the Persist", () => {
    const { a, drive } = voter()
    drive.diskWaits = true
    assert.deepStrictEqual(drive.hear(a, "mesh.vote", { term: term(1) }), [
      {
        _tag: "Persist",
        ticket: drive.node.tickets,
        record: { _tag: "Vote", term: term(1), votedFor: id("a") },
        then: [
          {
            _tag: "Send",
            link: a,
            frame: { type: "event", event: "mesh.vote.answer", payload: { term: term(1), granted: true } }
          },
          { _tag: "Sign", ticket: 2 ** 42 + 1, payloads: [voteFor("a", 1)] }
        ]
      } satisfies Command
    ])
  })

  it("P7.19: its signature follows the answer, for the certificate of the candidate's", () => {
    const { a, drive } = voter()
    const commands = drive.hear(a, "mesh.vote", { term: term(1) })
    const signature = sign(drive.config.publicKey, voteFor("a", 1))
    assert.deepStrictEqual(sentEvents(commands, "mesh.vote.proof"), [
      { link: a, term: term(1), publicKey: drive.config.publicKey, signature }
    ])
  })

  it("P7.19: a key that refuses takes nothing from the vote", () => {
    const us = voter()
    us.drive.keysWait = true
    assert.deepStrictEqual(asks(us, us.a, 1), [true])
    const commands = us.drive.feed({ _tag: "Signed", ticket: 2 ** 42 + 1, signatures: null })
    assert.deepStrictEqual(sentEvents(commands, "mesh.vote.proof"), [])
    assert.isNull(us.drive.node.leadership.signing)
  })

  it("P7.4: one a term; asked again by the same candidate it is the same vote", () => {
    const us = voter()
    assert.deepStrictEqual(asks(us, us.a, 1), [true])
    assert.deepStrictEqual(asks(us, us.b, 1), [false])
    assert.deepStrictEqual(asks(us, us.a, 1), [true])
    assert.deepStrictEqual(asks(us, us.b, 2), [true])
    assert.deepStrictEqual(asks(us, us.a, 2), [false])
  })

  it("P7.4: even while the first vote is still being stored", () => {
    const us = voter()
    us.drive.diskWaits = true
    us.drive.hear(us.a, "mesh.vote", { term: term(1) })
    assert.deepStrictEqual(asks(us, us.b, 1), [false])
  })

  it("S1, S9: one a term across a restart, too", () => {
    const before = voter()
    assert.deepStrictEqual(asks(before, before.a, 5), [true])
    const after = voter({ durable: before.drive.durable })
    assert.deepStrictEqual(asks(after, after.b, 5), [false])
    assert.deepStrictEqual(asks(after, after.a, 5), [true])
    assert.deepStrictEqual(asks(after, after.b, 4), [false])
    assert.deepStrictEqual(asks(after, after.b, 6), [true])
  })

  it("an old term is refused, with the highest that we know", () => {
    const us = voter()
    asks(us, us.a, 7)
    const [answer] = sentEvents(us.drive.hear(us.b, "mesh.vote", { term: term(3) }), "mesh.vote.answer")
    assert.deepInclude(answer, { granted: false, term: term(7) })
  })

  it("no vote in a term of an older manifest, however high its counter", () => {
    const us = voter()
    assert.deepStrictEqual(asks(us, us.a, 9), [true])
    assert.notInclude(asks(us, us.b, 10, 0), true)
    assert.deepStrictEqual(us.drive.durable.term, term(9))
  })

  it("P7.7: who is no elector, or may not lead, gets none, and its wish is counted as not authorised", () => {
    const { drive } = voter()
    const d = drive.meet("d").link
    const e = drive.meet("e").link
    const before = drive.node.leadership
    for (const link of [d, e]) {
      assert.deepStrictEqual(answersTo(drive.hear(link, "mesh.vote", { term: term(1) })), [])
      assert.deepStrictEqual(drive.hear(link, "mesh.lead", { term: term(1), beat: 1 }), [])
    }
    assert.strictEqual(drive.node.leadership, before)
    assert.deepStrictEqual(
      drive.node.refusals.filter((count) => count > 0),
      [4]
    )
  })
})

describe("silence after a boot (P7.4)", () => {
  it("lasts one promise, for votes and for soundings", () => {
    const us = voter({ silent: true })
    for (const ms of [0, promiseMs - 1]) {
      us.drive.mono = ms
      assert.deepStrictEqual([...asks(us, us.a, 1), ...sounds(us, us.a, 1)], [false, false])
    }
    us.drive.mono = promiseMs
    assert.deepStrictEqual([...sounds(us, us.a, 1), ...asks(us, us.a, 1)], [true, true])
  })

  it("begins when the node runs, not when it was asked to start", () => {
    const drive = new Drive(voter().drive.config)
    drive.diskWaits = true
    drive.start()
    drive.mono = 5_000
    drive.feed({ _tag: "Stored", ticket: 1 })
    assert.strictEqual(drive.node.leadership.silentUntil, 5_000 + promiseMs)
  })

  it("a leader is heard and promised to all the same", () => {
    const us = voter({ silent: true })
    const [answer] = sentEvents(us.drive.hear(us.a, "mesh.lead", { term: term(1), beat: 3 }), "mesh.lead.answer")
    assert.deepInclude(answer, { promised: true, beat: 3, term: term(1) })
  })
})

describe("promise", () => {
  const promised = (): Voter => {
    const us = voter()
    us.drive.hear(us.a, "mesh.lead", { term: term(1), beat: 1 })
    return us
  }

  it("P7.4: nobody else gets a vote or an encouragement for one promise since the last heartbeat", () => {
    const us = promised()
    us.drive.mono += promiseMs - 1
    assert.deepStrictEqual([...asks(us, us.b, 2), ...sounds(us, us.b, 2)], [false, false])
    us.drive.mono += 1
    assert.deepStrictEqual([...sounds(us, us.b, 2), ...asks(us, us.b, 2)], [true, true])
  })

  it("P7.4: each heartbeat begins it anew", () => {
    const us = promised()
    us.drive.mono += 1_000
    us.drive.hear(us.a, "mesh.lead", { term: term(1), beat: 2 })
    us.drive.mono += promiseMs - 1
    assert.deepStrictEqual(asks(us, us.b, 2), [false])
  })

  it("the leader itself may have a vote in a new term", () => {
    const us = promised()
    assert.deepStrictEqual(asks(us, us.a, 2), [true])
  })

  it("S1: a heartbeat of another leader in the same term gets none", () => {
    const us = promised()
    const [answer] = sentEvents(us.drive.hear(us.b, "mesh.lead", { term: term(1), beat: 1 }), "mesh.lead.answer")
    assert.deepInclude(answer, { promised: false })
    assert.strictEqual(us.drive.node.leadership.promisedTo, id("a"))
  })

  it("S1: a heartbeat of an older term gets none, and is told the newer", () => {
    const us = voter()
    us.drive.hear(us.b, "mesh.lead", { term: term(3), beat: 1 })
    const [answer] = sentEvents(us.drive.hear(us.a, "mesh.lead", { term: term(2), beat: 9 }), "mesh.lead.answer")
    assert.deepInclude(answer, { promised: false, term: term(3), beat: 9 })
    assert.strictEqual(us.drive.node.leadership.leader, id("b"))
  })

  it("S1: a term that somebody leads is taken: nobody else gets a vote in it, ever", () => {
    const us = promised()
    us.drive.mono += 10 * promiseMs
    assert.deepStrictEqual(asks(us, us.b, 1), [false])
  })

  it("P7.6: a release frees it at once, in its own term and from its own leader only", () => {
    const us = promised()
    us.drive.hear(us.b, "mesh.release", { term: term(1) })
    us.drive.hear(us.a, "mesh.release", { term: term(2) })
    assert.deepStrictEqual(asks(us, us.b, 2), [false])
    const told = us.drive.hear(us.a, "mesh.release", { term: term(1) })
    assert.deepStrictEqual(events(told), ["leader.lost"])
    assert.deepStrictEqual(asks(us, us.b, 2), [true])
  })

  it("P7.6: and so does a goodbye of the leader, which another may bring before the release comes", () => {
    const us = promised()
    us.drive.hear(us.b, "mesh.goodbyes", { goodbyes: [signedGoodbye("d")] })
    assert.deepStrictEqual(asks(us, us.b, 2), [false], "somebody else's frees nobody")
    const told = us.drive.hear(us.b, "mesh.goodbyes", { goodbyes: [signedGoodbye("a")] })
    assert.include(events(told), "leader.lost")
    assert.isNull(us.drive.node.leadership.leader)
    assert.deepStrictEqual(asks(us, us.b, 2), [true])
  })
})

describe("refusals (P7.6, P7.7)", () => {
  const refusals = [
    ["mesh.vote.answer", { granted: false }],
    ["mesh.prevote.answer", { granted: false }],
    ["mesh.lead.answer", { beat: 1, promised: false }]
  ] as const
  /** `c` is told by an elector that it knows term 9, and hears the leader of term 3 then. */
  const told = (name: "a" | "c" | "e", durable?: Durable.Durable) => {
    const drive = Drive.up(world, name, durable === undefined ? {} : { durable })
    drive.mono += promiseMs
    const leader = drive.meet(name === "a" ? "b" : "a").link
    drive.hear(leader, "mesh.lead", { term: term(3), beat: 1 })
    for (const [event, said] of refusals) {
      drive.hear(leader, event, { ...said, term: term(9) } as never)
      drive.hear(leader, "mesh.lead", { term: term(3), beat: 2 })
    }
    return drive.node.leadership
  }

  it("tell nothing to whoever may not lead: it asked nothing, and would never hear of the leader below again", () => {
    for (const name of ["c", "e"] as const) assert.deepInclude(told(name), { leader: id("a"), term: term(3) }, name)
  })

  it("P7.6: nor is a node without a say deaf for good, to whom alone a false term was told", () => {
    const lied = (name: "c" | "e", options: DriveOptions = {}) => {
      const drive = Drive.up(world, name, options)
      drive.mono += promiseMs
      const [a, b] = [drive.meet("a").link, drive.meet("b").link]
      drive.hear(a, "mesh.lead", { term: term(3), beat: 1 })
      drive.hear(b, "mesh.lead", { term: term(9), beat: 1 })
      const leads = (beat: number) => {
        drive.hear(a, "mesh.lead", { term: term(3), beat })
        return drive.node.leadership
      }
      drive.mono += promiseMs - 1
      const before = leads(2)
      drive.mono += 1
      return { before, after: leads(3) }
    }
    const viewer = lied("e")
    assert.deepInclude(viewer.before, { leader: id("b"), term: term(9) }, "as long as it follows somebody")
    assert.deepInclude(viewer.after, { leader: id("a"), term: term(3) })
    assert.deepInclude(lied("c").after, { leader: id("b"), term: term(9) }, "an elector tells the leader")
  })

  it("tell whoever may lead of the higher term", () => {
    assert.deepInclude(told("a"), { leader: null, term: term(9) })
  })
})

describe("sounding out", () => {
  it("raises no term, stores nothing, promises nothing", () => {
    const us = voter()
    const before = us.drive.node
    us.drive.diskWaits = true
    const commands = us.drive.hear(us.a, "mesh.prevote", { term: term(8) })
    assert.deepStrictEqual(tags(commands), ["Send"])
    assert.strictEqual(us.drive.node, before)
    assert.deepStrictEqual(sounds(us, us.b, 8), [true])
  })

  it("is refused with the highest term that we know", () => {
    const us = voter({ durable: { ...Durable.empty, term: term(6), votedFor: id("b") } })
    const [answer] = sentEvents(us.drive.hear(us.a, "mesh.prevote", { term: term(6) }), "mesh.prevote.answer")
    assert.deepInclude(answer, { granted: false, term: term(6) })
  })
})
