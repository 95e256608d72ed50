import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import { certificateOf, read } from "../../../kernel/leadership/Certificate.ts"
import * as Leadership from "../../../kernel/leadership/Leadership.ts"
import { profiles } from "../../../kernel/Profile.ts"
import { configOf, Drive, events, id, notes, sentEvents, tags, three, type World } from "../drive.ts"

const { leadMs, leaseMs, promiseMs } = profiles.lan
const term = (counter: number, manifest = 1) => ({ manifest, counter })

interface Candidate {
  readonly drive: Drive
  readonly b: number
  readonly c: number
}

/** `a`, a planner, with sessions to both other electors; nobody else ever stands. */
const candidate = (): Candidate => {
  const drive = Drive.up(three, "a")
  return { drive, b: drive.meet("b").link, c: drive.meet("c").link }
}

/** Rings until `standing`; what it commanded on the way. Everybody's probes are answered by their frames. */
const until = ({ b, c, drive }: Candidate, standing: Drive["standing"]["_tag"]): ReadonlyArray<Command> => {
  const out: Array<Command> = []
  while (drive.standing._tag !== standing) {
    out.push(...drive.ring())
    for (const link of [b, c]) drive.receive(link, { type: "req", id: "1", method: "mesh.peers", params: {} })
  }
  return out
}

const standing = (us: Candidate): Candidate => {
  until(us, "Sounding")
  us.drive.hear(us.b, "mesh.prevote.answer", { term: term(1), granted: true })
  assert.strictEqual(us.drive.standing._tag, "Standing")
  return us
}

const elected = (us: Candidate = candidate()): Candidate & { readonly commands: ReadonlyArray<Command> } => {
  standing(us)
  const commands = us.drive.hear(us.b, "mesh.vote.answer", { term: term(1), granted: true })
  assert.strictEqual(us.drive.standing._tag, "Leading")
  return { ...us, commands }
}

const promise = ({ drive }: Candidate, link: number, beat: number, at = term(1)) =>
  drive.hear(link, "mesh.lead.answer", { term: at, beat, promised: true })

const leaseUntil = ({ drive }: Candidate): number =>
  drive.standing._tag === "Leading" ? drive.standing.leaseUntil : Number.NaN

const activity = ({ drive }: Candidate): string => Leadership.activity(drive.node.leadership, drive.config, drive.mono)

describe("P7.21: whom a voter owes its vote", () => {
  const ask = ({ drive }: Candidate): number => (drive.standing._tag === "Sounding" ? drive.standing.ask : -1)
  /** `link` says no: it owes its vote to `to` for `ms`. */
  const owes = (
    us: Candidate,
    link: number,
    to: string,
    ms: number,
    more: { ask?: number; term?: number } = {}
  ): void => {
    const promised = { to: id(to), ms, ask: more.ask ?? ask(us) }
    us.drive.hear(link, "mesh.prevote.answer", { term: term(more.term ?? 3), granted: false, promised })
  }
  const named = ({ drive }: Candidate) => Leadership.named(drive.node.leadership, drive.config, drive.mono)
  /** Both others may lead. */
  const planners: World = { ...three, roles: { ...three.roles, b: "planner", c: "planner" } }
  const asking = (): Candidate => {
    const drive = Drive.up(planners, "a")
    const us = { drive, b: drive.meet("b").link, c: drive.meet("c").link }
    until(us, "Sounding")
    return us
  }

  it("whoever asked names that leader as long as that is owed, and no longer, and is no provisional planner", () => {
    const us = asking()
    owes(us, us.b, "c", 2_000)
    assert.strictEqual(named(us), id("c"))
    assert.strictEqual(activity(us), "standby")
    us.drive.mono += 1_999
    assert.strictEqual(named(us), id("c"))
    us.drive.mono += 1
    assert.isNull(named(us))
  })

  it("asks again a little before, and once it is over, and not more and more seldom", () => {
    const us = asking()
    const times: Array<number> = []
    for (let n = 0; n < 12; n++) {
      const question = ask(us)
      for (const link of [us.b, us.c]) owes(us, link, "c", 1_500, { ask: question })
      const from = us.drive.mono
      until(us, "Sounding")
      times.push(us.drive.mono - from)
    }
    for (const ms of times) assert.isTrue(ms >= 1_000 && ms <= 1_000 + 3 * 150 + 75, times.join())
    for (const link of [us.b, us.c]) owes(us, link, "c", 300)
    const from = us.drive.mono
    until(us, "Sounding")
    assert.isTrue(us.drive.mono - from >= 300 && us.drive.mono - from <= 300 + 3 * 150 + 75)
  })

  it("is not heeded in answer to another question, without one, of nobody who may lead, or of another term", () => {
    for (const act of [
      (us: Candidate) => owes(us, us.b, "c", 2_000, { ask: ask(us) + 1 }),
      (us: Candidate) => owes(us, us.b, "d", 2_000),
      (us: Candidate) => owes(us, us.b, "a", 2_000),
      (us: Candidate) => us.drive.hear(us.b, "mesh.prevote.answer", { term: term(3), granted: false })
    ]) {
      const us = asking()
      act(us)
      assert.isNull(named(us))
    }
    const idle = candidate()
    idle.drive.hear(idle.b, "mesh.prevote.answer", {
      term: term(3),
      granted: false,
      promised: { to: id("b"), ms: 2_000, ask: 0 }
    })
    assert.isNull(named(idle))
  })

  it("keeps nobody from standing for longer than a promise, whatever is said", () => {
    const us = asking()
    owes(us, us.b, "c", Number.MAX_SAFE_INTEGER)
    owes(us, us.c, "c", Number.MAX_SAFE_INTEGER)
    const from = us.drive.mono
    until(us, "Sounding")
    assert.isAtMost(us.drive.mono - from, promiseMs + 3 * 150 + 75)
  })

  it("is no promise of ours, and no vote", () => {
    const us = asking()
    owes(us, us.b, "c", 2_000)
    const { promisedTo, promisedUntil, votedFor } = us.drive.node.leadership
    assert.deepStrictEqual([promisedTo, promisedUntil, votedFor], [null, 0, null])
  })

  it("a voter says so only where it owes something, to the leader of the term that it knows, and where it is asked by number", () => {
    const us = asking()
    const answer = (payload: object) => {
      const heard = us.drive.hear(us.c, "mesh.prevote", { term: term(9), ...payload })
      const { link: _, ...said } = sentEvents(heard, "mesh.prevote.answer")[0]!
      return said
    }
    us.drive.hear(us.b, "mesh.lead", { term: term(5), beat: 1 })
    assert.deepStrictEqual(answer({ ask: 7 }), {
      term: term(5),
      granted: false,
      promised: { to: id("b"), ms: promiseMs, ask: 7 }
    })
    us.drive.mono += 400
    assert.deepInclude(answer({ ask: 8 }), { promised: { to: id("b"), ms: promiseMs - 400, ask: 8 } })
    assert.notProperty(answer({}), "promised")
    us.drive.mono += promiseMs
    assert.deepStrictEqual(answer({ ask: 9 }), { term: term(9), granted: true })
  })
})

describe("candidacy", () => {
  it("P7.4: nobody stands in its own silence", () => {
    const us = candidate()
    us.drive.passUntil(promiseMs - 1)
    assert.strictEqual(us.drive.standing._tag, "Following")
    until(us, "Sounding")
    assert.isAtMost(us.drive.mono, promiseMs + 75)
  })

  it("sounds out first, in the next term, and spends none", () => {
    const us = candidate()
    const commands = until(us, "Sounding")
    assert.deepStrictEqual(
      sentEvents(commands, "mesh.prevote").map(({ link }) => link),
      [us.b, us.c]
    )
    assert.deepStrictEqual(us.drive.node.leadership.term, term(0, 0))
    assert.deepStrictEqual(us.drive.durable.term, term(0, 0))
  })

  it("S9: its own vote is on stable storage before it asks for others'", () => {
    const us = candidate()
    until(us, "Sounding")
    us.drive.diskWaits = true
    const commands = us.drive.hear(us.b, "mesh.prevote.answer", { term: term(1), granted: true })
    assert.deepStrictEqual(tags(commands), ["Persist"])
    const [persist] = commands
    assert.isTrue(persist?._tag === "Persist" && tags(persist.then).join() === "Send,Send,Sign")
  })

  it("P7.5: others' votes do not make a leader before its own is stored", () => {
    const us = candidate()
    until(us, "Sounding")
    us.drive.diskWaits = true
    us.drive.hear(us.b, "mesh.prevote.answer", { term: term(1), granted: true })
    for (const link of [us.b, us.c]) us.drive.hear(link, "mesh.vote.answer", { term: term(1), granted: true })
    assert.strictEqual(us.drive.standing._tag, "Standing")
    us.drive.feed({ _tag: "Stored", ticket: us.drive.node.tickets })
    assert.strictEqual(us.drive.standing._tag, "Leading")
  })

  it("P7.5: a majority is needed, and one elector counts once", () => {
    const world: World = {
      roles: { a: "planner", b: "field", c: "field", d: "field", e: "field" },
      electors: "abcde"
    }
    const drive = Drive.up(world, "a")
    const us = { drive, b: drive.meet("b").link, c: drive.meet("c").link }
    const prevote = (link: number) => drive.hear(link, "mesh.prevote.answer", { term: term(1), granted: true })
    const vote = (link: number) => drive.hear(link, "mesh.vote.answer", { term: term(1), granted: true })
    until(us, "Sounding")
    prevote(us.b)
    prevote(us.b)
    assert.strictEqual(drive.standing._tag, "Sounding")
    prevote(us.c)
    vote(us.b)
    vote(us.b)
    assert.strictEqual(drive.standing._tag, "Standing")
    vote(us.c)
    assert.strictEqual(drive.standing._tag, "Leading")
  })

  it("an answer about another term does not count", () => {
    const us = standing(candidate())
    us.drive.hear(us.b, "mesh.vote.answer", { term: term(2), granted: true })
    assert.strictEqual(us.drive.standing._tag, "Standing")
  })

  it("a refusal with a higher term ends it", () => {
    const us = standing(candidate())
    us.drive.hear(us.b, "mesh.vote.answer", { term: term(4), granted: false })
    assert.strictEqual(us.drive.standing._tag, "Following")
    assert.deepStrictEqual(us.drive.node.leadership.term, term(4))
  })

  it("S1: an answer after it was given up makes no leader", () => {
    const us = standing(candidate())
    while (us.drive.standing._tag === "Standing") us.drive.ring()
    us.drive.hear(us.b, "mesh.vote.answer", { term: term(1), granted: true })
    assert.notStrictEqual(us.drive.standing._tag, "Leading")
  })

  it("a single elector leads by itself", () => {
    const drive = Drive.up({ roles: { a: "planner", b: "field" }, electors: "a" }, "a")
    const commands = drive.passUntil(promiseMs + 100)
    assert.include(events(commands), "leader.elected")
    assert.isTrue(Leadership.leaseRuns(drive.node.leadership, drive.mono))
    drive.pass(60_000)
    assert.isTrue(Leadership.leaseRuns(drive.node.leadership, drive.mono))
    assert.deepStrictEqual(drive.node.leadership.term, term(1))
  })

  it("no majority, no leader: it tries less and less often, at most each 8 s, and spends no term", () => {
    const drive = Drive.up(three, "a")
    const tries = sentEvents(drive.pass(3_600_000), "mesh.prevote")
    assert.deepStrictEqual(tries, [])
    assert.deepStrictEqual(drive.node.leadership.term, term(0, 0))
    assert.isAbove(drive.node.leadership.rounds, 3_600_000 / 8_600)
    assert.isBelow(drive.node.leadership.rounds, 3_600_000 / 8_000 + 6)
  })
})

describe("lease", () => {
  it("P7.5: a vote alone makes none; the first heartbeat goes out in the turn that won", () => {
    const us = elected()
    assert.strictEqual(leaseUntil(us), 0)
    assert.strictEqual(activity(us), "provisional")
    assert.notInclude(events(us.commands), "leader.elected")
    assert.deepStrictEqual(sentEvents(us.commands, "mesh.lead"), [
      { link: us.b, term: term(1), beat: 1 },
      { link: us.c, term: term(1), beat: 1 }
    ])
  })

  it("P7.5: it counts from the sending of the heartbeat, not from the answer", () => {
    const us = elected()
    const sentAt = us.drive.mono
    us.drive.mono += 300
    assert.deepStrictEqual(events(promise(us, us.b, 1)), ["leader.elected"])
    assert.strictEqual(leaseUntil(us), sentAt + leaseMs)
    assert.strictEqual(activity(us), "active")
  })

  it("an answer that comes after the lease that it makes is worth nothing", () => {
    const us = elected()
    us.drive.mono += leaseMs
    assert.deepStrictEqual(events(promise(us, us.b, 1)), [])
    assert.strictEqual(activity(us), "provisional")
  })

  it("answers out of order do not shorten it", () => {
    const us = elected()
    us.drive.passUntil(us.drive.mono + leadMs)
    promise(us, us.b, 2)
    const before = leaseUntil(us)
    promise(us, us.c, 1)
    assert.strictEqual(leaseUntil(us), before)
  })

  it("answers to heartbeats that were never sent, and of another term, make none", () => {
    const us = elected()
    promise(us, us.b, 2)
    promise(us, us.b, 0)
    promise(us, us.b, 1, term(1, 0))
    promise(us, us.b, 1, term(2))
    assert.strictEqual(leaseUntil(us), 0)
  })

  it("P7.7: promises of those that are no electors do not count", () => {
    const drive = Drive.up({ ...three, roles: { ...three.roles, d: "planner" } }, "a")
    const d = drive.meet("d").link
    const us = elected({ drive, b: drive.meet("b").link, c: drive.meet("c").link })
    promise(us, d, 1)
    assert.strictEqual(leaseUntil(us), 0)
  })

  it("runs out by itself, on time, and says so", () => {
    const us = elected()
    promise(us, us.b, 1)
    const end = leaseUntil(us)
    assert.notInclude(events(us.drive.passUntil(end - 1)), "leader.lost")
    assert.strictEqual(activity(us), "active")
    assert.include(events(us.drive.passUntil(end)), "leader.lost")
    assert.strictEqual(activity(us), "provisional")
  })

  it("a lapsed one is revived by a later heartbeat of the same term", () => {
    const us = elected()
    promise(us, us.b, 1)
    us.drive.pass(leaseMs + 300)
    assert.strictEqual(activity(us), "provisional")
    const beat = us.drive.standing._tag === "Leading" ? us.drive.standing.beat : 0
    assert.include(events(promise(us, us.b, beat)), "leader.elected")
    assert.strictEqual(activity(us), "active")
    assert.deepStrictEqual(us.drive.node.leadership.term, term(1))
  })

  it("but not once a higher term was seen", () => {
    const us = elected()
    promise(us, us.b, 1)
    us.drive.pass(leadMs)
    const [note] = notes(us.drive.hear(us.c, "mesh.lead.answer", { term: term(2), beat: 2, promised: false }))
    assert.deepInclude(note, { event: "leader.stepped-down", about: id("a"), term: 1 })
    promise(us, us.b, 2)
    assert.strictEqual(us.drive.standing._tag, "Following")
    assert.notStrictEqual(activity(us), "active")
  })

  it("another's heartbeat of a higher term ends it; one of a lower term does not", () => {
    const us = elected()
    promise(us, us.b, 1)
    us.drive.hear(us.b, "mesh.lead", { term: term(1, 0), beat: 1 })
    assert.strictEqual(activity(us), "active")
    us.drive.hear(us.b, "mesh.lead", { term: term(2), beat: 1 })
    assert.strictEqual(activity(us), "standby")
  })

  it("S1: while it runs, the leader gives nobody else a vote", () => {
    const us = elected()
    promise(us, us.b, 1)
    const [answer] = sentEvents(us.drive.hear(us.b, "mesh.vote", { term: term(9) }), "mesh.vote.answer")
    assert.deepInclude(answer, { granted: false })
    assert.strictEqual(activity(us), "active")
  })
})

describe("without a lease", () => {
  const beats = (commands: ReadonlyArray<Command>): number => sentEvents(commands, "mesh.lead").length

  it("S11: a leader whose lease nobody renews for a promise steps down, and is no longer heard of", () => {
    const us = elected()
    promise(us, us.b, 1)
    const end = leaseUntil(us) + promiseMs
    assert.notInclude(events(us.drive.passUntil(end - 1)), "leader.stepped-down")
    const commands = us.drive.passUntil(end + leadMs)
    assert.include(events(commands), "leader.stepped-down")
    assert.strictEqual(beats(commands.slice(events(commands).indexOf("leader.stepped-down"))), 0)
    assert.isNull(us.drive.node.leadership.leader)
    // It asks again, and spends no term as long as nobody would follow.
    assert.include(["Following", "Sounding"], us.drive.standing._tag)
    assert.deepStrictEqual(us.drive.node.leadership.term, term(1))
  })

  it("S11: neither does one that never got a lease go on for longer", () => {
    const us = elected()
    const end = us.drive.mono + promiseMs
    assert.include(events(us.drive.passUntil(end + leadMs)), "leader.stepped-down")
  })

  it("S11: promises that come too late for a lease are none to go on for", () => {
    const us = elected()
    promise(us, us.b, 1)
    const end = leaseUntil(us) + promiseMs + leadMs
    const told: Array<string> = []
    while (us.drive.mono < end && us.drive.standing._tag === "Leading") {
      const late = us.drive.standing.beats.findLast(({ sentAt }) => sentAt + leaseMs <= us.drive.mono)
      if (late !== undefined) promise(us, us.b, late.number)
      told.push(...events(us.drive.pass(100)))
    }
    assert.include(told, "leader.stepped-down")
  })

  it("S11: whoever slept through all that steps down when it wakes, before it says a word as a leader", () => {
    const us = elected()
    promise(us, us.b, 1)
    const commands = us.drive.ring(leaseMs + promiseMs)
    assert.include(events(commands), "leader.stepped-down")
    assert.strictEqual(beats(commands), 0)
  })
})

describe("stall", () => {
  it("one over 300 ms voids the lease, and what was sent before it renews nothing", () => {
    const us = elected()
    promise(us, us.b, 1)
    us.drive.passUntil(us.drive.mono + leadMs)
    const before = us.drive.standing._tag === "Leading" ? us.drive.standing.beat : 0
    us.drive.ring(301)
    assert.strictEqual(leaseUntil(us), 0)
    assert.notStrictEqual(activity(us), "active")
    promise(us, us.c, before)
    assert.strictEqual(leaseUntil(us), 0)
    us.drive.pass(leadMs)
    const beat = us.drive.standing._tag === "Leading" ? us.drive.standing.beat : 0
    promise(us, us.b, beat)
    assert.strictEqual(activity(us), "active")
  })

  it("one of 300 ms does not", () => {
    const us = elected()
    promise(us, us.b, 1)
    us.drive.ring(300)
    assert.strictEqual(activity(us), "active")
  })
})

describe("release (P7.6)", () => {
  it("ends the lease first, tells everybody, and the node never acts in that term again", () => {
    const us = elected()
    promise(us, us.b, 1)
    const commands = us.drive.feed({ _tag: "Leave", reason: "asked to" })
    assert.deepStrictEqual(
      sentEvents(commands, "mesh.release").map(({ link, term: released }) => [link, released.counter]),
      [
        [us.b, 1],
        [us.c, 1]
      ]
    )
    const release = commands.findIndex(({ _tag }) => _tag === "Send")
    const goodbye = commands.findIndex((command) => JSON.stringify(command).includes("peer.leaving"))
    assert.isBelow(release, goodbye)
    promise(us, us.c, 1)
    assert.notStrictEqual(activity(us), "active")
    assert.strictEqual(us.drive.standing._tag, "Following")
  })
})

describe("activity gate (B22a, B24)", () => {
  it("who may not lead is ineligible, whoever leads", () => {
    for (const name of ["c", "d"]) {
      const world: World = { roles: { ...three.roles, d: "planner" }, electors: "abc" }
      const { config, node } = Drive.up(world, name)
      assert.strictEqual(Leadership.activity(node.leadership, config, 0), "ineligible")
    }
  })

  it("who may is provisional while nobody leads, standby while another does", () => {
    const us = candidate()
    assert.strictEqual(activity(us), "provisional")
    us.drive.hear(us.b, "mesh.lead", { term: term(1), beat: 1 })
    assert.strictEqual(activity(us), "standby")
    us.drive.mono += promiseMs - 1
    assert.strictEqual(activity(us), "standby")
    us.drive.mono += 1
    assert.strictEqual(activity(us), "provisional")
  })
})

describe("B23: a planner that does not work", () => {
  const suspend = ({ drive }: Candidate, runs = false): ReadonlyArray<Command> => drive.feed({ _tag: "Engine", runs })

  it("hands over at once: first its lease, then the word; and is ineligible", () => {
    const us = elected()
    promise(us, us.b, 1)
    assert.strictEqual(activity(us), "active")
    const commands = suspend(us)
    assert.strictEqual(activity(us), "ineligible")
    assert.deepStrictEqual(
      sentEvents(commands, "mesh.release").map(({ link }) => link),
      [us.b, us.c]
    )
    assert.deepStrictEqual(suspend(us), [], "once")
  })

  it("stands no more, votes for others at once, and takes nothing back when it works again", () => {
    const us = elected()
    suspend(us)
    const granted = us.drive.hear(us.b, "mesh.vote", { term: term(2) })
    assert.isTrue(sentEvents(granted, "mesh.vote.answer")[0]?.granted)
    us.drive.hear(us.b, "mesh.lead", { term: term(2), beat: 1 })
    suspend(us, true)
    for (let beat = 2; beat < 20; beat++) {
      us.drive.pass(leadMs)
      us.drive.hear(us.b, "mesh.lead", { term: term(2), beat })
      assert.strictEqual(us.drive.standing._tag, "Following")
    }
    assert.strictEqual(activity(us), "standby")
  })

  it("does not stand where nobody leads, and does as soon as it works", () => {
    const us = candidate()
    suspend(us)
    us.drive.pass(10 * promiseMs)
    assert.strictEqual(us.drive.standing._tag, "Following")
    suspend(us, true)
    until(us, "Sounding")
  })

  it("said while it boots it counts, and ends with the process", () => {
    const drive = new Drive(configOf(three, "a"))
    drive.diskWaits = true
    drive.start()
    drive.feed({ _tag: "Engine", runs: false })
    drive.diskWaits = false
    drive.feed({ _tag: "Stored", ticket: 1 })
    assert.isTrue(drive.node.leadership.suspended)
    assert.isFalse(Drive.up(three, "a").node.leadership.suspended)
  })
})

describe("the certificate", () => {
  const shown = (us: Candidate) => certificateOf(us.drive.node, us.drive.config, us.drive.mono)
  const proves = ({ drive }: Candidate, link: number, at = term(1)) =>
    drive.hear(link, "mesh.vote.proof", { term: at, publicKey: "key-b", signature: "s" })

  it("P7.19: is there once a majority has shown its signatures, and while the lease runs", () => {
    const us = elected()
    assert.isNull(shown(us))
    proves(us, us.b)
    assert.isNull(shown(us), "nobody has promised yet")
    promise(us, us.b, 1)
    const certificate = shown(us)
    assert.deepInclude(certificate, { meshId: "mesh", term: term(1), leader: id("a"), incarnation: 1 })
    assert.deepStrictEqual(
      certificate?.votes.map(({ elector }) => elector),
      [id("a"), id("b")]
    )
    assert.deepStrictEqual(read(JSON.parse(JSON.stringify(certificate))), certificate)
    us.drive.pass(leaseMs)
    assert.isNull(shown(us))
  })

  it("P7.19: its own vote alone is none; nor is one of another term, one twice, or of who has no vote", () => {
    const us = elected()
    promise(us, us.b, 1)
    assert.isNull(shown(us))
    proves(us, us.b, term(2))
    assert.isNull(shown(us))
    proves(us, us.b)
    proves(us, us.b)
    assert.lengthOf(shown(us)!.votes, 2)
    const others = new Drive({ ...configOf({ ...three, electors: "ab" }, "a") })
    others.start()
    const { link } = others.meet("c")
    others.hear(link, "mesh.vote.proof", { term: term(1), publicKey: "key-c", signature: "s" })
    assert.lengthOf(others.node.leadership.proofs, 0)
  })

  it("P7.19: a new candidacy begins without any", () => {
    const us = elected()
    proves(us, us.b)
    us.drive.hear(us.b, "mesh.vote.answer", { term: term(4), granted: false })
    until(us, "Sounding")
    us.drive.hear(us.b, "mesh.prevote.answer", { term: term(5), granted: true })
    assert.deepStrictEqual(
      us.drive.node.leadership.proofs.map(({ elector }) => elector),
      [id("a")]
    )
  })
})

describe("a leader's disk", () => {
  const leads = (): Candidate => {
    const us = elected()
    promise(us, us.b, 1)
    return us
  }
  /** Half a second of a lead, in which its voters answer. */
  const beats = (us: Candidate, count: number): ReadonlyArray<Command> => {
    const out: Array<Command> = []
    for (let n = 0; n < count; n++) {
      const commands = us.drive.pass(leadMs)
      out.push(...commands)
      for (const { beat, link } of sentEvents(commands, "mesh.lead")) out.push(...promise(us, link, beat))
    }
    return out
  }

  it("P7.20: is written to every second, and changes nothing by that", () => {
    const us = leads()
    const before = us.drive.durable
    const commands = beats(us, 8)
    assert.strictEqual(us.drive.standing._tag, "Leading")
    assert.deepStrictEqual(us.drive.durable, before)
    assert.strictEqual(us.drive.node.leadership.disk.ticket, 0)
    assert.notInclude(events(commands), "leader.stepped-down")
  })

  it("P7.20, A21: does not answer: it hands over within three seconds, and stands again when it has", () => {
    const us = leads()
    us.drive.diskWaits = true
    const commands = beats(us, 6)
    assert.strictEqual(us.drive.standing._tag, "Following")
    assert.isNotEmpty(sentEvents(commands, "mesh.release"))
    const { ticket } = us.drive.node.leadership.disk
    beats(us, 20)
    assert.strictEqual(us.drive.standing._tag, "Following", "it does not stand")
    us.drive.diskWaits = false
    us.drive.feed({ _tag: "Stored", ticket })
    until(us, "Sounding")
  })

  it("P7.20: where nobody else may lead it goes on, whatever its disk does", () => {
    const us = leads()
    us.drive.diskWaits = true
    us.drive.feed({ _tag: "LinkDown", link: us.b, reason: "closed" })
    for (let n = 0; n < 30; n++)
      for (const { beat, link } of sentEvents(us.drive.pass(leadMs), "mesh.lead")) promise(us, link, beat)
    assert.strictEqual(us.drive.standing._tag, "Leading")
  })
})
