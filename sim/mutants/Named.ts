/**
 * Bugs with a name: what somebody could well write, or has written elsewhere, and what a mesh must not do. Each stands for a rule of
 * the protocol or an invariant, and some scenario or oracle has to find it.
 *
 * Whatever is added to the kernel brings some of its own: a line of the source as it stands there, and what it would be with the bug.
 * A line that is not there any more, or twice, is told as a mistake of this list (`namedMutants`).
 */
import { actuation } from "./NamedActuation.ts"
import { inference } from "./NamedInference.ts"
import { leadership } from "./NamedLeadership.ts"
import { lineOf, type Bug, type Edit, type Mutant } from "./Mutant.ts"

const bugs: { readonly [name: string]: Bug } = {
  ...leadership,
  // ---------------------------------------------------------------------------------------------- incarnations, journal
  "same-incarnation-again": {
    rule: "S9",
    what: "after a restart it lives in the incarnation that it had before",
    file: "Node.ts",
    swaps: [
      [
        "live(informed, turn, started.durable.incarnation + 1, [])",
        "live(informed, turn, Math.max(1, started.durable.incarnation), [])"
      ]
    ]
  },
  "takes-the-lower-record": {
    rule: "S9",
    what: "an older vote in the journal outweighs a later one",
    file: "Durable.ts",
    swaps: [
      [
        "return compareTerms(record.term, durable.term) > 0",
        "return compareTerms(record.term, durable.term) < 0 || durable.term.counter === 0"
      ]
    ]
  },
  "acknowledges-unsynced-bytes": {
    rule: "S9",
    what: "a record counts as stored when it is written, and not when it is synced",
    file: "journal/Journal.ts",
    swaps: [
      [
        '      { _tag: "Append", file: JOURNAL, bytes },\n      { _tag: "Sync", file: JOURNAL }\n',
        '      { _tag: "Append", file: JOURNAL, bytes }\n'
      ]
    ]
  },
  "believes-the-first-answer": {
    rule: "S9, P3.16",
    what: "whoever lost its journal lives again at the word of the first who answers",
    file: "identity/Recall.ts",
    swaps: [
      [
        "  return links.contacts.every(({ found, peer }) => {",
        "  return true || links.contacts.every(({ found, peer }) => {"
      ]
    ]
  },
  // ---------------------------------------------------------------------------------------------- sessions
  "accepts-an-older-incarnation": {
    rule: "S6",
    what: "a process of a life before is let in",
    file: "links/Sessions.ts",
    swaps: [["if (proven.incarnation < contact.incarnation)", "if (proven.incarnation < 0)"]]
  },
  "takes-a-clone-for-the-device": {
    rule: "S6, A15",
    what: "a second process in the same incarnation is let in",
    file: "links/Sessions.ts",
    swaps: [["contact.bootId !== null && contact.bootId !== proven.bootId)", "false)"]]
  },
  "lets-in-who-has-left": {
    rule: "S6",
    what: "a goodbye is not final for its incarnation",
    file: "links/Sessions.ts",
    swaps: [["contact.leftIncarnation >= proven.incarnation && contact.leftIncarnation > 0)", "false)"]]
  },
  "hears-an-old-goodbye": {
    rule: "C7",
    what: "a goodbye of an older life ends the present one",
    file: "links/Links.ts",
    swaps: [["  if (said.incarnation !== undefined && said.incarnation !== incarnation) return links\n", ""]]
  },
  "handshake-without-an-end": {
    rule: "C4",
    what: "a login with somebody who stands still is waited for for ever",
    file: "links/Links.ts",
    swaps: [["deadline: turn.at.mono + turn.config.profile.handshakeMs", "deadline: NEVER_MS"]]
  },
  "keeps-neither-of-two": {
    rule: "C17",
    what: "of two dials that cross, each end keeps its own",
    file: "links/Sessions.ts",
    swaps: [["const weAreLower = turn.config.deviceId < proven.peer", "const weAreLower = true"]]
  },
  "dials-without-a-pause": {
    rule: "L6",
    what: "failed dials are repeated without waiting any longer each time",
    file: "links/Dialling.ts",
    swaps: [
      [
        "  return scheduled(turn, { ...contact, failures: contact.failures + 1 }, jitter(turn, contact, capMs))",
        "  return scheduled(turn, { ...contact, failures: contact.failures + 1 }, Math.min(capMs, 1))"
      ]
    ]
  },
  "asked-without-a-budget": {
    rule: "P13.6",
    what: "whoever asks too often is answered each time",
    file: "Budget.ts",
    swaps: [["const within = until - now <= (atOnce - 1) * eachMs", "const within = until >= now"]]
  },
  // ---------------------------------------------------------------------------------------------- authentication
  "trusts-the-wall-clock": {
    rule: "A29",
    what: "a kernel peer whose calendar is wrong is refused",
    file: "links/Authenticate.ts",
    swaps: [["if (hello === undefined && driftMs > GEN1_CLOCK_WINDOW_MS)", "if (driftMs > GEN1_CLOCK_WINDOW_MS)"]]
  },
  "takes-any-signature": {
    rule: "S7",
    what: "the signature of the kernel extension is not looked at",
    file: "links/Authenticate.ts",
    swaps: [
      [
        "if (hello !== undefined && checked.valid[1] !== true)",
        "if (hello !== undefined && checked.valid.length === 0)"
      ]
    ]
  },
  "takes-another-mesh": {
    rule: "S7",
    what: "a device of a mesh of the same name and another operator is let in",
    file: "links/Authenticate.ts",
    swaps: [
      [
        "if (hello !== undefined && hello.meshKey !== config.meshKey)",
        'if (hello !== undefined && hello.meshKey === "")'
      ]
    ]
  },
  "takes-a-borrowed-name": {
    rule: "S7",
    what: "a login may name another device than the one whose key signs it",
    file: "links/Authenticate.ts",
    swaps: [["if (checked.deviceId !== said.deviceId)", "if (checked.deviceId === null)"]]
  },
  "goodbye-on-anybodys-word": {
    rule: "P7.16",
    what: "a goodbye that is handed on is believed without its signature",
    file: "membership/Goodbyes.ts",
    swaps: [["if (deviceId !== goodbye.deviceId || valid[0] !== true) {", 'if (goodbye.signature === "") {']]
  },
  // ---------------------------------------------------------------------------------------------- membership
  "convicts-on-hearsay": {
    rule: "B3",
    what: "the words of observers count whom it cannot reach itself",
    file: "membership/Verdict.ts",
    swaps: [
      [
        "const edge = reached[observer] === true ? edgeTo(rowOf[observer], subject) : undefined",
        "const edge = edgeTo(rowOf[observer], subject)"
      ]
    ]
  },
  "does-not-trust-its-eyes": {
    rule: "B3",
    what: "whom it hears itself is down when others say so",
    file: "membership/Verdict.ts",
    swaps: [
      [
        "if (ownWord(evidence, place, outvoted, against > 0)) return against",
        "if (!outvoted && ownWord(evidence, place, outvoted, against > 0)) return against"
      ]
    ]
  },
  "one-witness-is-enough": {
    rule: "B4",
    what: "a death that one alone has seen counts as confirmed",
    file: "membership/Restating.ts",
    swaps: [["witnesses.length >= 2", "witnesses.length >= 1"]]
  },
  "accuses-after-a-stall": {
    rule: "S11",
    what: "whoever stood still takes the silence meanwhile for that of the others",
    file: "membership/Membership.ts",
    swaps: [["if (turn.lateMs > profile.stallMs) next", "if (turn.lateMs > NEVER_MS) next"]]
  },
  "back-at-the-first-word": {
    rule: "A14",
    what: "a device that was down is up at its first word, without a probation",
    file: "membership/Probe.ts",
    swaps: [
      [
        '  if (member.state === "down") return member.probationEnds === NEVER_MS ? onProbation(member, turn) : member\n',
        ""
      ]
    ]
  },
  "never-misses-a-probe": {
    rule: "L1",
    what: "a probe that is not answered is forgotten",
    file: "membership/Probe.ts",
    swaps: [["const misses = member.misses + 1\n", "const misses = 0\n"]]
  },
  "viewers-pass-things-on": {
    rule: "S8",
    what: "a viewer hands on rows of others",
    file: "membership/Rows.ts",
    swaps: [
      [
        "  const next = { ...holder, members, rows, fingerprint }\n  if (!observes(turn.config.role)) return next\n",
        "  const next = { ...holder, members, rows, fingerprint }\n"
      ]
    ]
  },
  "silent-towards-generation-1": {
    rule: "G1",
    what: "devices of generation 1 get something that keeps a link alive too seldom for them",
    file: "Profile.ts",
    swaps: [["GEN1_QUIET_MS = 20_000", "GEN1_QUIET_MS = 200_000"]]
  },
  "says-too-much-to-generation-1": {
    rule: "G1",
    what: "a goodbye goes to devices of generation 1 as it goes to the others",
    file: "links/Gen1.ts",
    swaps: [['if (frame.type !== "event" || frame.event !== "peer.leaving") return frame', "if (true) return frame"]]
  },
  "rows-go-backward": {
    rule: "L1",
    what: "an older row that comes late takes the place of a newer one",
    file: "membership/Rows.ts",
    swaps: [["(itself ? isSame(row, old) : !isNewer(row, old))", "isSame(row, old)"]]
  },
  // ---------------------------------------------------------------------------------------------- world and messages
  "newest-by-arrival": {
    rule: "L2, C63",
    what: "what came last stands in the world, whatever its origin says of its order",
    file: "world/Origin.ts",
    swaps: [["Log.compareHeld(old, held) >= 0", "old === held"]]
  },
  "believes-every-signature": {
    rule: "S5",
    what: "a frame that its origin did not sign is kept as one that it did",
    file: "world/Receiving.ts",
    swaps: [["frame.sourceDeviceId === deviceId && valid[i] === true", "true"]]
  },
  "believes-whoever-does-not-sign": {
    rule: "S5",
    what: "a frame without a signature is taken from anybody in the name of everybody",
    file: "world/Receiving.ts",
    swaps: [["if (device === undefined || !speaksGen1(turn.pins, device)) {", "if (device === undefined) {"]]
  },
  "never-compares-entries": {
    rule: "L2",
    what: "where a log has a hole that nobody can fill, what came behind it is asked of nobody",
    file: "world/Exchanging.ts",
    swaps: [["if (exchange.differs < ENTRIES_AFTER_BEATS) return world", "if (exchange.differs >= 0) return world"]]
  },
  "numbers-from-one-again": {
    rule: "S5, L2",
    what: "each lot of its own frames is numbered from 1",
    file: "world/Emitting.ts",
    swaps: [["seq: world.seq + i + 1,", "seq: i + 1,"]]
  },
  "waits-for-lost-dials": {
    rule: "P3.21, A39",
    what: "whom others reach again is waited for as before",
    file: "links/Keeping.ts",
    swaps: [["const next = Dialling.redialReached(turn, contact)", "const next = contact"]]
  },
  "keeps-what-is-its-own-to-itself": {
    rule: "P3.20, S11",
    what: "a device that lost its journal is not told of the row that it wrote before",
    file: "membership/Rows.ts",
    swaps: [["if (old === undefined || isNewer(row, old)) members = shown(members, place, row, turn)", ""]]
  },
  "leads-without-a-disk": {
    rule: "P7.20, A21",
    what: "a leader whose disk hangs goes on leading",
    file: "leadership/DiskWatch.ts",
    swaps: [["|| (dueAt(disk) <= mono && !othersMayLead(turn, links))", "|| dueAt(disk) <= mono"]]
  },
  "signs-before-it-is-stored": {
    rule: "P7.19, S9",
    what: "a vote is signed, and its signature sent, before it is on stable storage",
    file: "leadership/Voting.ts",
    swaps: [
      [
        'const ticket = turn.persist({ _tag: "Vote", term, votedFor: candidate }, [...then, sign])',
        'turn.out.push(sign)\n  const ticket = turn.persist({ _tag: "Vote", term, votedFor: candidate }, then)'
      ]
    ]
  },
  "asks-from-one-too-far": {
    rule: "L2",
    what: "of what it lacks of a log it leaves out the oldest frame",
    file: "world/Exchanging.ts",
    swaps: [["from: nextOf(world, origin, incarnation) }", "from: nextOf(world, origin, incarnation) + 1 }"]]
  },
  "a-viewer-gives": {
    rule: "S8",
    what: "a viewer tells others what it holds",
    file: "world/Exchanging.ts",
    swaps: [["carries(turn.config.role) || (origin", "true || (origin"]]
  },
  "says-taken-before-it-is": {
    rule: "P15.4",
    what: "it answers that a message was taken when it hands it to the handler",
    file: "routing/Forwarding.ts",
    swaps: [
      [
        '  const ticket = routing.tickets + 1\n  turn.out.push({ _tag: "Deliver"',
        '  tell(asker, channel, { ok: true, messageId: params.idempotencyKey, by: turn.config.deviceId }, turn)\n  const ticket = routing.tickets + 1\n  turn.out.push({ _tag: "Deliver"'
      ]
    ]
  },
  "hands-it-over-twice": {
    rule: "P15.5",
    what: "a message that comes again goes to the handler again",
    file: "routing/Forwarding.ts",
    swaps: [["  if (before !== undefined) {", '  if (before !== undefined && before.key === "") {']]
  },
  "a-slow-link-vouches": {
    rule: "P7.14",
    what: "an elector counts on its own slow link while the observers have the device as bad, though it missed its probe",
    file: "membership/Verdict.ts",
    swaps: [["covers || !doubted) return true", "covers || true) return true"]]
  },
  oversleeps: {
    rule: "L1",
    what: "the alarm is set a second late",
    file: "Node.ts",
    swaps: [
      [
        'turn.out.push({ _tag: "SetAlarm", at: due })\n  return { ...node, alarmAt: due }',
        'turn.out.push({ _tag: "SetAlarm", at: due + 1_000 })\n  return { ...node, alarmAt: due }'
      ]
    ]
  },
  ...actuation,
  ...inference
}

/** A bug whose line is not in the kernel any more. */
export class LostPlace extends Error {}

const editsOf = (name: string, { file, swaps }: Bug, source: string): ReadonlyArray<Edit> =>
  swaps.map(([was, is]) => {
    const from = source.indexOf(was)
    const times = from < 0 ? 0 : source.includes(was, from + 1) ? 2 : 1
    if (times === 1) return { from, was, is }
    const [line = ""] = was.trim().split("\n")
    throw new LostPlace(
      `the mutant ${name} has lost its place: "${line}" stands in kernel/${file} ${times === 0 ? "no more" : "more than once"}. ` +
        "Write it anew in sim/mutants, or take it out with the rule that it breaks"
    )
  })

/** `read`: the source of a file below `kernel/`. Throws where a bug has lost its place in it. */
export const namedMutants = (read: (file: string) => string): ReadonlyArray<Mutant> =>
  Object.entries(bugs).map(([name, bug]) => {
    const source = read(bug.file)
    const edits = editsOf(name, bug, source)
    const { file, rule, what } = bug
    return { name, kind: "named", file, rule, what, edits, line: lineOf(source, edits[0]!.from) }
  })
