/** Bugs with a name, of guardians and of what people decide (Named.ts). */
import type { Bug } from "./Mutant.ts"

export const actuation: { readonly [name: string]: Bug } = {
  "waters-at-any-time": {
    rule: "P18.5, K8",
    what: "a rule with times of the day is proposed by as soon as it is breached",
    file: "planning/Planning.ts",
    swaps: [["  if (waits !== 0) return", "  if (waits === null) return"]]
  },
  "believes-any-calendar": {
    rule: "P18.5",
    what: "a planner goes by a calendar that all others contradict",
    file: "planning/Planning.ts",
    swaps: [["  return 2 * contrary > calendars.length", "  return contrary > calendars.length"]]
  },
  "runs-what-a-model-drafts": {
    rule: "P17.11, S4",
    what: "what a language model drafted runs by itself where what a rule proposes does",
    file: "proposals/Carrying.ts",
    swaps: [['  return level === "L1" && bodies', '  return level === "L3" && bodies']]
  },
  "takes-any-draft": {
    rule: "P18.8",
    what: "a language model may draft moves of what it was not asked about",
    file: "planning/Advice.ts",
    swaps: [["  if (!question.may.includes(actuator))", "  if (actuator === '')"]]
  },
  "never-leaves-a-model-alone": {
    rule: "P18.9, B43",
    what: "a language model that fails again and again is asked again and again",
    file: "planning/Advice.ts",
    swaps: [["const ERRORS_MAX = 3", "const ERRORS_MAX = 3_000"]]
  },
  "leads-without-its-model": {
    rule: "P18.9, B43",
    what: "a leader whose language model fails for good goes on leading",
    file: "planning/Planning.ts",
    swaps: [['after.advice.standing === "suspended"', "after.advice.errors < 0"]]
  },
  "moves-by-what-nobody-knows": {
    rule: "P16.12, K9",
    what: "a reading that is too old, or was never there, is as good as one that is right",
    file: "actuation/Needs.ts",
    swaps: [
      [
        "    if (seen === undefined || at.mono - seen.bornAt > need.withinMs)\n      return [",
        "    if (seen === undefined) continue\n    if (at.mono < 0)\n      return ["
      ]
    ]
  },
  "lets-it-run-dry": {
    rule: "P16.12",
    what: "what it needs is asked when it begins, and not while it is moved",
    file: "actuation/Needs.ts",
    swaps: [["    if (why === null) lapses =", "    if (why !== null || why === null) lapses ="]]
  },
  "does-it-again": {
    rule: "P16.5, S3",
    what: "the guardian takes an intent that it knows for a new one",
    file: "actuation/Command.ts",
    swaps: [["if (before !== undefined) return again(guard, before, order, turn)", ""]]
  },
  "gives-the-lease-to-two": {
    rule: "P16.4, S2",
    what: "a lease that somebody holds is granted to another",
    file: "actuation/Lease.ts",
    swaps: [
      [
        'if ((guard.leaseUntil > mono && !takesOver) || guard.step?._tag === "Granting")',
        'if (guard.step?._tag === "Granting")'
      ]
    ]
  },
  "grants-right-after-a-start": {
    rule: "P16.4",
    what: "a guardian that has just started grants leases",
    file: "actuation/Lease.ts",
    swaps: [["if (mono - startedAt < LEASE_MS)", "if (mono < startedAt)"]]
  },
  "forgets-to-close": {
    rule: "P16.7, B36",
    what: "the guardian leaves open what is to be closed when its time is up",
    file: "actuation/Guardian.ts",
    swaps: [
      [
        'if (until <= mono) next = placed(next, ref, { until: NEVER_MS, recall: "its time", recallAt: 0 })',
        "if (until <= mono) next = placed(next, ref, { until: NEVER_MS })"
      ]
    ]
  },
  "opens-what-is-held": {
    rule: "P16.8, S13",
    what: "the guardian heeds no hold",
    file: "actuation/Hold.ts",
    swaps: [["!isSafe && Ledger.groupOf(turn.ledger(), group).hold", '!isSafe && group === ""']]
  },
  "believes-a-language-model": {
    rule: "P16.1, S4",
    what: "the gate lets through what rests on a language model alone",
    file: "actuation/Gate.ts",
    swaps: [['if (sources.every((source) => source === "llm"))', "if (sources.length > 9)"]]
  },
  "grants-the-same-epoch": {
    rule: "P16.4, S2",
    what: "a guardian that starts again begins with the epoch that it had",
    file: "actuation/Guardian.ts",
    swaps: [
      [
        'put(turn, { _tag: "Granted", group, epoch: epoch + 1, holder: null })',
        'put(turn, { _tag: "Granted", group, epoch: Math.max(1, epoch), holder: null })'
      ]
    ]
  },
  "decides-for-ever": {
    rule: "P17.5, S4",
    what: "a token never ends, so that a click opens a valve an hour later",
    file: "proposals/Carrying.ts",
    swaps: [["token.until <= turn.at.mono", "Number.isNaN(token.until)"]]
  },
  "takes-a-token-of-an-earlier-life": {
    rule: "P17.5, S4",
    what: "a guardian that restarted takes decisions about what it showed before",
    file: "proposals/Carrying.ts",
    swaps: [
      [
        "const token = proposals.tokens.find((each) => each.token === fact.token)",
        'const token = { token: fact.token, id, state: "closed", device, until: turn.at.mono + 1 }'
      ]
    ]
  },
  "hears-no-no": {
    rule: "P17.3, S4",
    what: "a yes counts although somebody said no",
    file: "proposals/Proposal.ts",
    swaps: [[": rejections.length > 0\n", ": rejections.length > 99\n"]]
  },
  "believes-a-model-that-a-person-believes": {
    rule: "P17.4, S4",
    what: "what rests on a language model alone moves something once a person approved it",
    file: "proposals/Evidence.ts",
    swaps: [
      ["const refused = judgeEvidence(sources, tier, minimum)", "const refused = null as No | null"],
      ["if (refused !== null) return [refused.code, refused.message]", "if (refused !== null) return refused"],
      ['one.frame.trust.evidence_sources.some((source) => source !== "llm")', "one.bytes > 0"]
    ]
  },
  "decides-under-the-old-lease": {
    rule: "P17.6, S2",
    what: "what a person approved goes under the epoch of whoever holds the lease",
    file: "actuation/Command.ts",
    swaps: [['put(turn, { _tag: "Granted", group: guard.group, epoch, holder: null })\n', ""]]
  },
  "proposes-the-same-again": {
    rule: "P17.2, B30",
    what: "a second proposal for the same is made while the first one waits",
    file: "proposals/Proposing.ts",
    swaps: [["all.find((one) => occupies(one, body))", "all.find((one) => one.ageMs < 0)"]]
  },
  "adopts-nothing": {
    rule: "P17.7, B31",
    what: "nobody looks after what a planner that died has proposed",
    file: "proposals/Proposing.ts",
    swaps: [["if (!isOpen(one) || !isGone(known, one)) return []", "return []"]]
  },
  "tells-nobody-what-came-of-it": {
    rule: "P17.6, L4",
    what: "whoever decided is not told what came of it",
    file: "proposals/Deciding.ts",
    swaps: [
      [
        "    answer(turn, decision.call, outcome)\n    next = without(next, decision)\n  }\n  return next",
        "    next = without(next, decision)\n  }\n  return next"
      ]
    ]
  },
  "leaves-a-blind-decision-to-wait": {
    rule: "P17.5, L4",
    what: "a decision that its guardian never hears waits for ever, and nobody is told",
    file: "proposals/Deciding.ts",
    swaps: [["if (decision.until <= mono || one === null) {", "if (one === null) {"]]
  },
  "does-one-name-for-two": {
    rule: "S3",
    what: "an intent is looked for in the group of its actuator alone",
    file: "actuation/Command.ts",
    swaps: [
      [
        "const before = Ledger.intentOf(turn.ledger(), fence.intentId)",
        "const before = group.intents.find(({ intentId }) => intentId === fence.intentId)"
      ]
    ]
  },
  "looks-at-no-sensor": {
    rule: "P16.11, S4",
    what: "a drive is done as soon as its driver says so",
    file: "actuation/Drives.ts",
    swaps: [["readback?.reads[state] !== undefined)", "readback?.reads[state] !== undefined && since < 0)"]]
  },
  "believes-what-was-seen-before": {
    rule: "P16.11, S4",
    what: "what a sensor showed before the drive began counts for it",
    file: "actuation/Readback.ts",
    swaps: [["bornAt >= since + underWayMs(frame, turn)", "since >= 0"]]
  },
  "leaves-open-what-nobody-saw": {
    rule: "P16.11",
    what: "what no sensor showed in time is left as it is",
    file: "actuation/Readback.ts",
    swaps: [
      [
        "return placed(waits, actuator, { recall, recallAt: turn.at.mono })",
        "return recall === actuator ? guard : waits"
      ]
    ]
  },
  "asks-for-no-name": {
    rule: "P17.9, S4",
    what: "at L3 a guardian carries out what nobody typed the name of",
    file: "proposals/Carrying.ts",
    swaps: [['return actuator !== undefined && levelOf(actuator) === "L3"', "return actuator === undefined"]]
  },
  "takes-anybody-for-a-person": {
    rule: "P17.10, S4",
    what: "a guardian that knows persons' keys asks for none",
    file: "proposals/Carrying.ts",
    swaps: [["(config.persons ?? []).length > 0", "(config.persons ?? []).length > 99"]]
  },
  "reads-no-signature-of-a-person": {
    rule: "P17.10, S4",
    what: "whoever has the public key of a person decides as that person",
    file: "proposals/Carrying.ts",
    swaps: [['valid[0] === true ? "good" : "false"', '"good"']]
  },
  "says-one-void-at-a-time": {
    rule: "P17.5",
    what: "the word that a decision is none undoes that about the one before",
    file: "proposals/Proposal.ts",
    swaps: [["voids: [...earlier, ...now].slice(-VOIDS_MAX)", "voids: [...now, ...earlier].slice(0, now.length)"]]
  },
  "waits-for-somebody-at-L1": {
    rule: "P17.9, L4",
    what: "what needs nobody's word is done by nobody",
    file: "proposals/Running.ts",
    swaps: [['status === "proposed" && bodies', 'status === "failed" && bodies']]
  },
  "lets-a-model-do-what-needs-nobody": {
    rule: "P17.9, C53",
    what: "a leader has done what rests on a language model alone, and says that a sensor saw it",
    file: "proposals/Running.ts",
    swaps: [
      ["next = why === null ? begin", "next = why === null || why[0].length > 0 ? begin"],
      [": withdraw(next, run, why[0], turn)\n", ": withdraw(next, run, why![0], turn)\n"],
      [
        "tier,\n    evidence: sources,",
        'tier: tier === MINIMUM ? tier : MINIMUM,\n    evidence: sources.length > 99 ? sources : ["sensor"],'
      ]
    ]
  },
  "brings-up-what-is-over": {
    rule: "P18.2, B25",
    what: "a rule is followed for a reading of which nobody knows how old it is",
    file: "planning/Planning.ts",
    swaps: [['return freshnessOf(held, mono) === "fresh" ? { held }', "return mono >= 0 ? { held }"]]
  },
  "has-no-hysteresis": {
    rule: "P18.1, B42",
    what: "a rule is no longer breached as soon as a reading is back at the threshold",
    file: "planning/Rule.ts",
    swaps: [
      ["|| (before && value < clear)", ""],
      ["|| (before && value > clear)", ""]
    ]
  },
  "asks-again-at-once": {
    rule: "P18.3, B30",
    what: "a new leader does not look at what was proposed before it led",
    file: "planning/Planning.ts",
    swaps: [["if (leftMs > 0) return", "if (leftMs > rule.cooldownMs) return"]]
  },
  "asks-once-for-all": {
    rule: "P18.3",
    what: "what is breached on and on is proposed once, and never again",
    file: "planning/Planning.ts",
    swaps: [["lookAt: mono + leftMs", "lookAt: NEVER_MS"]]
  },
  "plans-while-standing-by": {
    rule: "B24",
    what: "whoever does not lead proposes by itself as well",
    file: "proposals/Proposing.ts",
    swaps: [
      ["if (wanted.autonomous && !leaseRuns(leadership, turn.at.mono))", "if (wanted.autonomous && turn.at.mono < 0)"]
    ]
  }
}
