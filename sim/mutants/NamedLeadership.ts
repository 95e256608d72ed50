/** Bugs with a name, of leaders and of who elects them (Named.ts). */
import type { Bug } from "./Mutant.ts"

export const leadership: { readonly [name: string]: Bug } = {
  "forgets-the-term": {
    rule: "S1, S9",
    what: "after a restart it knows neither the term nor for whom it voted",
    file: "leadership/Leadership.ts",
    swaps: [
      [
        "term: durable.term,\n    votedTerm: durable.term,\n    votedFor: durable.votedFor,",
        "term: TERM_ZERO,\n    votedTerm: TERM_ZERO,\n    votedFor: null,"
      ]
    ]
  },
  "votes-twice": {
    rule: "S1",
    what: "it votes for a second candidate of the same term",
    file: "leadership/Voting.ts",
    swaps: [["return leadership.votedFor === candidate\n", "return true\n"]]
  },
  "no-silence-after-boot": {
    rule: "S2",
    what: "after a boot it votes and stands at once, although it may have promised",
    file: "leadership/Leadership.ts",
    swaps: [["silentUntil: turn.at.mono + promiseMs", "silentUntil: turn.at.mono"]]
  },
  "lease-from-the-answer": {
    rule: "S2",
    what: "the lease runs from when the majority answered, not from when the heartbeat was sent",
    file: "leadership/Leading.ts",
    swaps: [["beat.sentAt + config.profile.leaseMs", "turn.at.mono + config.profile.leaseMs"]]
  },
  "half-is-a-majority": {
    rule: "S1, S2",
    what: "half of the electors is enough",
    file: "leadership/Leadership.ts",
    swaps: [["2 * count > config.manifest", "2 * count >= config.manifest"]]
  },
  "breaks-its-promise": {
    rule: "S2",
    what: "it votes for another while its promise to a leader runs",
    file: "leadership/Voting.ts",
    swaps: [["  if (now < leadership.promisedUntil && leadership.promisedTo !== candidate) return false\n", ""]]
  },
  "answers-before-it-is-durable": {
    rule: "S9",
    what: "what is to wait for a record is done while the record is being written",
    file: "Begin.ts",
    swaps: [
      [
        'out.push({ _tag: "Persist", ticket, record, then })',
        'out.push(...then, { _tag: "Persist", ticket, record, then: [] })'
      ]
    ]
  },
  "leads-on-after-a-stall": {
    rule: "S2",
    what: "heartbeats that were sent before a stall of its own renew its lease",
    file: "leadership/Leading.ts",
    swaps: [["if (turn.lateMs > config.profile.stallVoidsLeaseMs) {", "if (false) {"]]
  },
  "follows-a-lower-term": {
    rule: "S1",
    what: "it follows whoever leads a lower term than it knows of",
    file: "leadership/Voting.ts",
    swaps: [["const stale = order < 0 ? !takesAny : order === 0", "const stale = order === 0"]]
  },
  "stays-deaf": {
    rule: "P7.6",
    what: "a viewer that was told a false term follows nobody below it any more",
    file: "leadership/Voting.ts",
    swaps: [["const takesAny = !elector", "const takesAny = false && !elector"]]
  },
  "a-goodbye-frees-nobody": {
    rule: "P7.6",
    what: "voters stay bound to a leader of whose goodbye another told them",
    file: "leadership/Room.ts",
    swaps: [['else if (fact._tag === "Gone" || fact', "else if (fact"]]
  },
  "frees-by-a-goodbye-of-old": {
    rule: "P7.6, S1",
    what: "a goodbye of an earlier life frees a voter from what it promised to a later one",
    file: "leadership/Voting.ts",
    swaps: [[" || incarnation < leadership.leaderIn) return leadership", ") return leadership"]]
  },
  "leads-without-a-planner": {
    rule: "P7.6, B23",
    what: "a planner that works no more goes on leading",
    file: "leadership/Room.ts",
    swaps: [["if (!runs) return Leading.release(next, turn, links)", "if (!runs) return next"]]
  },
  "stands-without-a-planner": {
    rule: "P7.6, B23",
    what: "a node whose planner works no more stands again, and leads",
    file: "leadership/Leadership.ts",
    swaps: [
      [
        "const stands = !leadership.leaving && !leadership.abstains && !leadership.suspended",
        "const stands = !leadership.leaving && !leadership.abstains"
      ]
    ]
  },
  "stands-without-asking": {
    rule: "B23",
    what: "it spends a term without asking first whether anybody would vote for it",
    file: "leadership/Candidacy.ts",
    swaps: [["return isMajority(config, 1) ? campaign", "return isMajority(config, 9) || true ? campaign"]]
  },
  "votes-on-without-its-journal": {
    rule: "S9",
    what: "whoever lost its journal votes as before, under promises that it has forgotten",
    file: "Node.ts",
    swaps: [['[{ _tag: "Forgot", manifest: node.config.manifest.version, incarnation }]', "[]"]]
  },
  "keeps-the-lead-to-itself": {
    rule: "B26",
    what: "whoever leaves while it leads does not tell, and all wait for its lease to end",
    file: "leadership/Leading.ts",
    swaps: [['  for (const link of kernelLinks(links)) send(turn, link, "mesh.release", { term })\n', ""]]
  },
  "acknowledges-while-it-owes": {
    rule: "P7.23, S1",
    what: "an elector acknowledges another list of electors while its promise to a leader runs",
    file: "leadership/Reconfiguration.ts",
    swaps: [["Math.max(next.ackAt, promisedUntil, silentUntil)", "next.ackAt"]]
  },
  "elects-by-both-lists": {
    rule: "P7.23, S9",
    what: "an elector that is to acknowledge another list goes on voting by the old one",
    file: "leadership/Reconfiguring.ts",
    swaps: [["withRoom({ ...free, abstains: true }, {", "withRoom(free, {"]]
  },
  "takes-anybody-for-the-operator": {
    rule: "P7.22, S7",
    what: "who signed a list of electors is not looked at",
    file: "leadership/Reconfiguring.ts",
    swaps: [["if (one.ack === null && !isTrue) {", "if (one.ack === null && !isTrue && one.ticket < 0) {"]]
  },
  "counts-acknowledgements-unseen": {
    rule: "P7.22, S7",
    what: "an acknowledgement counts, whoever signed it",
    file: "leadership/Reconfiguring.ts",
    swaps: [
      ["const good = isTrue && one.ack !== null", "const good = one.ack !== null"],
      ["if (one.ack === null && !isTrue) {", "if (one.ack === null && !isTrue && one.ticket < 0) {"]
    ]
  },
  "readmits-everybody": {
    rule: "P7.24, S9",
    what: "whoever lost its journal has a say by any newer list",
    file: "leadership/Reconfiguring.ts",
    swaps: [["const forgets = forgetful && ", "const forgets = forgetful && version < 0 && "]]
  },
  "forgets-who-elects": {
    rule: "P7.22, S9",
    what: "after a start the list of its configuration counts again",
    file: "leadership/Manifest.ts",
    swaps: [
      ["return version < config.manifest.version ? config :", "return config.manifest.shown === undefined ? config :"]
    ]
  },
  "shows-nobody-who-elects": {
    rule: "P7.22",
    what: "whoever was away when the list changed is not shown the new one",
    file: "leadership/Reconfiguring.ts",
    swaps: [["for (const one of [shown, next ?? undefined])", "for (const one of [next ?? undefined])"]]
  }
}
