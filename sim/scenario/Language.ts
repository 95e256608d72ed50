/**
 * The scenario language: the shape of a scenario file as one Effect Schema. The verbs of its steps are in VerbWords.ts.
 *
 * It says which words there are, what form each value has, and, in annotations, what to tell an author: `description` for
 * editors, `message` for a value of the wrong form, `noun` for what the keys of a mapping, or the words of a list, are called,
 * `later` for words of the language that this version does not have; one that ends in a dot stands for all that begin with it. What depends on other parts of the file (names, moments, time that runs
 * forward) is checked in the passes after it, not here.
 *
 * One flat struct with an optional key for each verb, not a union of structs: editors complete it better, and a typo gives
 * one message, not one for each verb. Texts of a key stand on the key, because a new annotation on a schema that has an
 * identifier makes a copy of it.
 */
import { levels } from "../../kernel/actuation/Actuator.ts"
import { verifications } from "../../kernel/actuation/Envelope.ts"
import * as Schema from "effect/Schema"
import { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import { codes } from "../../kernel/wire/Codes.ts"
import { finishReasons } from "../../kernel/wire/Inference.ts"
import { Role } from "../../kernel/wire/Frame.ts"
import { statuses } from "../../kernel/proposals/Proposal.ts"
import { agreedWords, modelAnswers } from "./Scenario.ts"
import { worldEvents } from "../engine/View.ts"
import { seedsPattern, variedPattern } from "./Units.ts"
import {
  ClockRate,
  CountWords,
  list,
  may,
  Moment,
  must,
  Name,
  Percent,
  ProposalName,
  SignedTime,
  Size,
  text,
  Time,
  Times,
  Who,
  word
} from "./Values.ts"
import { FarmWords } from "./Farm.ts"
import { Rules } from "./Rules.ts"
import { onSites, verbs } from "./VerbWords.ts"

/** More than any mesh of this kind has; they keep one bad file from costing minutes. */
export const NODES_MAX = 1_000
const STEPS_MAX = 10_000
const EXPECTATIONS_MAX = 1_000

const NEED = "write what it needs, such as { metric: level, at-least: 200, within: 1h }"

const Terms = Schema.Struct({
  level: may(
    word(levels, "L1: a leader has done what is proposed; L2: a person approves; L3: and types its name."),
    "Who has to agree to what is proposed. L3 needs verified-by:. Default L2."
  ),
  verification: may(
    word(verifications, "Who has to verify a command under a lease."),
    "Who has to verify a command under a lease: at all but none and device that takes a person. Default none, and human at L3."
  ),
  approvers: may(
    list(Name, "write a list of people, such as [asha]"),
    "Who of persons: may approve. Default all of them."
  ),
  "verified-by": may(
    Schema.NonEmptyString.annotate({ message: "write a metric, such as flow" }),
    "What a sensor of it is called, in the zone of its name: it shows at least 1 where it is open, and 0 where it is closed. What no sensor shows in time is made safe, and has failed."
  ),
  within: may(Time, "How long after a drive the sensor has to show it. Default 10s."),
  needs: may(
    list(
      Schema.Struct({
        metric: must(
          Schema.NonEmptyString.annotate({ message: "write a metric, such as level" }),
          "What a sensor says, of whichever device.",
          NEED
        ),
        zone: may(
          Schema.NonEmptyString.annotate({ message: "write a zone, such as tank" }),
          "Where. Default anywhere."
        ),
        within: must(Time, "How old that may be.", NEED),
        "at-least": may(Schema.Finite.annotate({ message: "write a number, such as 200" }), "No less than this."),
        "at-most": may(Schema.Finite.annotate({ message: "write a number, such as 200" }), "No more than this.")
      }).annotate({ noun: "word of a need", message: NEED }),
      "write a list of needs, such as [{ metric: level, at-least: 200, within: 1h }]"
    ),
    "What has to be so, as sensors say, before it opens and while it is open; what nobody has said lately is not so."
  )
}).annotate({ identifier: "Terms", noun: "word of a policy", message: "write terms, such as { level: L1 }" })

const DRAFT = "write { run: pump-1, for: 5m }"
const MODEL = "write a model, such as { drafts: [{ run: pump-1, for: 5m }] }"

const Model = Schema.Struct({
  name: may(Name, "What it is called. Default a-model."),
  takes: may(Times, "How long it takes to answer. Default 2s..20s."),
  drafts: may(
    list(
      Schema.Struct({
        run: must(Name, "What it would have moved.", DRAFT),
        action: may(word(["open", "closed"], "What it is to be."), "Default open."),
        for: may(Time, "For so long. Default 60s.")
      }).annotate({ noun: "word of a draft", message: DRAFT }),
      "write a list of drafts, such as [{ run: pump-1, for: 5m }]"
    ),
    "What it drafts, where it does. Default nothing."
  ),
  answers: may(
    list(word(modelAnswers, "How a language model answers."), "write a list, such as [drafts, fails]"),
    "How it answers the first time, the second, and so on, the last for all that follow: with its drafts; with an error that may pass (fails) or will not (refuses); never (nothing); with what it was not asked for (nonsense); with whatever the notes that its node knows of tell it to open (obeys-notes). Default drafts."
  )
}).annotate({ identifier: "Model", noun: "word of a model", message: MODEL })

const Node = Schema.Struct({
  role: must(
    Role.annotate({ description: "What the node is in the mesh. Only a planner or a standby-planner can lead." }),
    "What the node is in the mesh.",
    "a node needs a role, such as: { role: field }"
  ),
  can: may(
    list(
      Schema.NonEmptyString.annotate({ message: "write a capability, such as actuator:pump-1" }),
      "write a list of capabilities, such as [actuator:pump-1]"
    ),
    "Capabilities that the node offers."
  ),
  policy: may(
    Schema.Record(Schema.String, Terms).annotate({
      message: "write the terms of what, such as { pump-1: { level: L3, verified-by: flow } }"
    }),
    "On what terms the node has moved what it moves, by actuator: { pump-1: { level: L3, verified-by: flow } }."
  ),
  model: may(Model, "The language model of its planner, for rules that ask: { drafts: [{ run: pump-1, for: 5m }] }."),
  serves: may(
    Schema.Record(
      Schema.String,
      Schema.Struct({
        pieces: may(CountWords, "How many pieces it says. Default exactly 10."),
        each: may(Time, "How long it takes to each. Default 100ms."),
        size: may(Size, "How long each is. Default 16B."),
        stop: may(word(["heeded", "ignored"], "ignored: stopped, it goes on to its end."), "Default heeded.")
      }).annotate({
        noun: "word of a model",
        message: "write what it says, such as { pieces: exactly 10, each: 100ms }"
      })
    ).annotate({ message: "write what models it serves, such as { ollama/llama3: { pieces: exactly 10 } }" }),
    "Language models that the node serves, by provider and name: { ollama/llama3: { pieces: exactly 10, each: 100ms } }. Each is among its capabilities, as llm:ollama/llama3."
  ),
  "clock-skew": may(SignedTime, "How far the node's calendar clock is off; the clock that timers run on is not."),
  "clock-rate": may(ClockRate, "How much faster than true time all clocks of the node run."),
  "boots-in": may(
    Schema.Literals([1970]).annotate({ message: "write 1970, or leave it out" }),
    "1970: the node has no clock that runs on without power; its calendar begins at zero at each boot."
  ),
  "trusted-by": may(Who, "Who trusts it at the start; none: nobody. Default everyone."),
  placed: may(
    word(
      ["inside", "beside"],
      "beside: it was put beside the mesh, next to everybody; a copy (same-key-as) there is meant by no word, and nobody is asked about it."
    ),
    "Whether it has a place among the others. Default inside."
  ),
  "same-key-as": may(
    Name,
    "The node whose key it has too: a second process with the identity of that one, which others take for it."
  ),
  "wrong-addresses": may(
    CountWords,
    "How many addresses its adverts name at which nobody answers, round the right one (a bridge, a VPN). Default none."
  ),
  generation: may(
    Schema.Literals([1, 2]).annotate({ message: "write 1 or 2, or leave it out for a node of ours" }),
    "1: a device that runs no kernel and speaks the original protocol; it has no say in expectations. 2: a kernel that speaks only a generation to come, which nobody else understands."
  )
}).annotate({ identifier: "Node", noun: "word of a node", message: "write what the node is, such as { role: field }" })

/** What comes of asking a model, as its program is told. */
const inferred = [
  "running",
  ...finishReasons,
  "gone",
  "NOT_AUTHORIZED",
  "RATE_LIMITED",
  ...codes.llm,
  ...codes.local
] as const

const relays = "relays"
const Network = Schema.Struct({
  delay: may(Times, "One-way delay of each message. Default 2ms..20ms."),
  loss: may(Percent, "Share of packets lost. Default 0%."),
  links: may(
    word(
      ["everyone", "star", "line", "ring", "none"],
      "everyone: one LAN; star: round the first node; line and ring: in the order of the file."
    ),
    "Who can reach whom. Default everyone."
  ),
  discovery: may(
    word(
      ["none", "mdns", "mdns and addresses"],
      "none: nodes are told each other's addresses; mdns: they have to find each other; mdns and addresses: both."
    ),
    "Whether nodes announce themselves and look round. Default none."
  ),
  "within-sites": may(onSites("within-sites"), "Between two nodes of one site, in place of the above."),
  "between-sites": may(onSites("between-sites"), "Between nodes of two sites, in place of the above.")
}).annotate({
  identifier: "Network",
  noun: "word of the network",
  message: "write a mapping, such as { delay: 2ms..20ms, links: everyone }",
  later: { relays }
})

export const verbNames = Object.keys(verbs) as ReadonlyArray<keyof typeof verbs>
export type VerbName = (typeof verbNames)[number]

const Step = Schema.Struct({
  at: must(Moment, "When.", "a step needs a moment, such as at: 10s"),
  id: may(Name, "A name for the step, for `after:`, `from:` and `fuzz:` to point at."),
  note: may(Schema.String.annotate({ message: "write a sentence" }), "Said in the transcript when the step strikes."),
  ...verbs,
  key: may(
    Schema.NonEmptyString.annotate({ message: "write any words, such as cut/1" }),
    "What the step's own draws (losses, delays, whom a word means) are keyed by, with the seed. Default its place in the timeline."
  ),
  for: may(Time, "Undo the step after this long, where there is something to undo.")
}).annotate({
  identifier: "Step",
  noun: "verb",
  description: "One thing that happens: a moment, and exactly one verb.",
  message: "write a step, such as { at: 10s, crash: jetson-1 }"
})

/** Everything that can happen: what nodes tell, and what the world does. */
const eventNames = [...MeshEvent.fields.event.literals, ...worldEvents] as const

const EventFact = Schema.Struct({
  event: must(
    word(eventNames, "What happened: told by a node, or done by the world (`world.…`).", {
      "actuation.": "actuation"
    }).annotate({ noun: "event", message: "write the name of an event, such as peer.down" }),
    "What happened: told by a node, or done by the world (`world.…`).",
    "write which event: { event: peer.down, seen: at least 1 }"
  ),
  about: may(Name, "The node that it is about."),
  from: may(Name, "The node that says so."),
  to: may(Name, "The node at the other end."),
  reason: may(
    Schema.NonEmptyString.annotate({ message: "write a code, such as AUTH_FAILED, or the words of the reason" }),
    "The code, or the reason in words."
  ),
  seen: must(CountWords, "How often.", "write how often it is seen, such as seen: exactly 1")
}).annotate({
  identifier: "EventFact",
  noun: "word of an event",
  message: "write { event: peer.down, seen: at least 1 }"
})

const PeerState = word(
  ["up", "suspect", "down", "left", "unknown"],
  "up: heard lately; suspect: silent, not confirmed; down: confirmed by others; left: said goodbye; unknown: never met."
)

const Trust = word([...Role.literals, "nothing"], "The role in which it is trusted; nothing: it is not.")

/** By observer, and by whom it is about. */
const ofPairs = <S extends Schema.Top>(value: S, ofOne: string, ofAll: string) =>
  Schema.Record(Schema.String, Schema.Record(Schema.String, value).annotate({ message: ofOne })).annotate({
    message: ofAll
  })

const facts = {
  leader: may(Who, "Everybody who names a leader names this node; a list: one of these; `none`: nobody names one."),
  "seen-by": may(Who, "With `leader`: ask only these nodes, and each must name it."),
  leaders: may(CountWords, "How many nodes hold a lease that has not run out by their own clock."),
  "leaders-believed": may(CountWords, "How many nodes believe that they lead, rightly or not."),
  "leaders-per-term": may(CountWords, "The most nodes that ever held one term."),
  term: may(CountWords, "The highest term that a running node knows."),
  peers: may(
    ofPairs(
      PeerState,
      "write whom it sees how, such as { laptop: down }",
      "write who sees whom how, such as { jetson-1: { laptop: down } }"
    ),
    "{ jetson-1: { laptop: down } } reads: jetson-1 has laptop as down. `everyone` and `anyone` may stand for jetson-1."
  ),
  sessions: may(
    ofPairs(
      CountWords,
      "write how many it has with whom, such as { laptop: exactly 1 }",
      "write who has how many with whom, such as { jetson-1: { laptop: exactly 1 } }"
    ),
    "{ jetson-1: { laptop: exactly 1 } } reads: jetson-1 has exactly one session with laptop. Observers as with `peers`."
  ),
  trusts: may(
    ofPairs(
      Trust,
      "write whom it trusts as what, such as { laptop: field }",
      "write who trusts whom as what, such as { jetson-1: { laptop: planner } }"
    ),
    "{ jetson-1: { laptop: planner } } reads: jetson-1 trusts laptop as a planner; `nothing`: not at all. Observers as with `peers`."
  ),
  heartbeats: may(
    ofPairs(
      Time,
      "write how long whose heartbeats take at most, such as { laptop: 1s }",
      "write who hears whom within what, such as { kiosk: { laptop: 1s } }"
    ),
    "{ kiosk: { laptop: 1s } } reads: of the heartbeats that kiosk has got from laptop, 99 in 100 were under way for one second at most. Observers as with `peers`."
  ),
  unread: may(
    ofPairs(
      Size,
      "write how much it keeps for whom at most, such as { kiosk: 5MB }",
      "write who keeps how much for whom, such as { laptop: { kiosk: 5MB } }"
    ),
    "{ laptop: { kiosk: 5MB } } reads: what laptop keeps for kiosk to read, in its lanes, in its transport and on the way, is 5 MB at most. What is under way on a path that is as it usually is does not count. Observers as with `peers`."
  ),
  frames: may(
    Schema.Record(
      Name,
      Schema.Struct({
        reached: may(Who, "Each of these has it, or has had it; of several frames of that name, all."),
        "stands-at": may(Who, "At each of these it is the newest of its kind; of several frames of that name, one.")
      }).annotate({ noun: "word of a frame", message: "write whom it reached, such as { reached: everyone }" })
    ).annotate({ message: "write which frame is where, such as { dry-1: { reached: everyone } }" }),
    "{ dry-1: { reached: everyone } } reads: every running node has the frame that a `sense` step calls dry-1."
  ),
  routes: may(
    Schema.Record(Schema.String, Schema.String.annotate({ message: "write a node, or none" })).annotate({
      message: "write which capability leads where, such as { actuator:pump-1: jetson-1 }"
    }),
    "{ actuator:pump-1: jetson-1 } reads: every running node would ask jetson-1 for that; none: nobody knows anybody to ask. Capabilities may be patterns."
  ),
  actuators: may(
    Schema.Record(
      Name,
      Schema.Struct({
        runs: may(CountWords, "How often it was driven out of its safe state, by whatever order."),
        position: may(word(["open", "closed"], "How it stands."), "How it stands."),
        "last-run-by": may(Name, "The node by whose order it last was.")
      }).annotate({ noun: "word of an actuator", message: "write how often it ran, such as { runs: exactly 1 }" })
    ).annotate({ message: "write what did what, such as { pump-1: { runs: at most 1 } }" }),
    "{ pump-1: { runs: exactly 1, last-run-by: laptop } } reads: what a node owns as actuator:pump-1 was driven out of its safe state once, by order of laptop. What the hardware did counts, and not what anybody says of it."
  ),
  farm: may(
    Schema.Record(
      Name,
      Schema.Struct({
        moisture: may(CountWords, "Of a field, percent."),
        temperature: may(CountWords, "Of the air, degrees Celsius."),
        flow: may(CountWords, "Through its valve, litres a minute."),
        level: may(CountWords, "Of the tank, litres.")
      }).annotate({ noun: "word of a farm", message: "write how it is there, such as { moisture: at least 20 }" })
    ).annotate({ message: "write how it is where, such as { field-1: { moisture: at least 20 } }" }),
    "{ field-1: { moisture: at least 20 }, tank: { level: at least 1 } } reads: so it is, whatever anybody knows of it. Looked at whenever a sensor measures or something moves."
  ),
  proposals: may(
    Schema.Record(
      ProposalName,
      Schema.Struct({
        status: may(word(statuses, "What becomes of it."), "What becomes of it."),
        owner: may(Name, "The node that looks after it."),
        level: may(word(levels, "Who has to agree."), "Who has to agree, as its guardian says.")
      }).annotate({ noun: "word of a proposal", message: "write what becomes of it, such as { status: completed }" })
    ).annotate({ message: "write which proposal is how, such as { P1: { status: completed } }" }),
    "{ P1: { status: awaiting_approval, owner: laptop } } reads: every running node says so of the proposal that a step calls P1."
  ),
  inferences: may(
    Schema.Record(Name, word(inferred, "What came of it.")).annotate({
      message: "write what came of which request, such as { q1: stop }"
    }),
    "{ q1: stop, q2: LLM_BUSY } reads: what the program that asked q1 was told at last is that it ended by itself, and of q2 that code. running: it was told nothing yet; gone: its process ended before."
  ),
  "agree-on": may(
    list(word(agreedWords, "What all running nodes hold alike."), "write a list, such as [leader, term]"),
    "What all running nodes hold alike."
  ),
  events: may(
    list(EventFact, "write a list, such as [{ event: peer.down, seen: at least 1 }]"),
    "How often things happened."
  )
} as const

const Facts = Schema.Struct(facts).annotate({
  identifier: "Facts",
  noun: "fact",
  description: "What must be so. All facts of one expectation must hold together.",
  message: "write facts, such as { leaders: at most 1 }"
})

/** Each expectation has exactly one of them. */
export const tenseNames = ["at", "within", "always", "never", "eventually", "sometimes"] as const
export type TenseName = (typeof tenseNames)[number]

const Expectation = Schema.Struct({
  name: may(
    Schema.NonEmptyString.annotate({ message: "write one sentence; it is the line in the report" }),
    "One sentence; it is the line in the report."
  ),
  at: may(Moment, "At this moment."),
  within: may(Time, "Within this long of `after`, and still at the end of that time."),
  after: may(Moment, "What `within` counts from."),
  that: may(Facts, "What must be so, with `at` and `within`."),
  always: may(Facts, "At every instant."),
  never: may(Facts, "At no instant."),
  eventually: may(Facts, "At the end of the run, when the faults are over."),
  sometimes: may(
    Facts,
    "At one instant at least: proof that the scenario gets there. In a campaign, in one run at least."
  ),
  from: may(Moment, "Judge `always`, `never` and `sometimes` from here on."),
  until: may(Moment, "Judge `always`, `never` and `sometimes` up to here."),
  judge: may(
    word(
      ["scripted", "varied", "everywhere"],
      "scripted: the run as written; varied: also when `vary` draws other values; everywhere: also under random faults."
    ),
    "Where it is judged. Default: at scripted, within varied, the others everywhere."
  )
}).annotate({
  identifier: "Expectation",
  noun: "word of an expectation",
  message: "write an expectation, such as { always: { leaders: at most 1 } }"
})

const anyLink = (description: string) => may(word(["any link"], "A link of the network."), description)
const nodeFaults = {
  crash: may(Schema.String, "Lose power."),
  "torn-crash": may(Schema.String, "Lose power, and what was being written is there in part."),
  "lost-disk": may(Schema.String, "Lose power, and the journal with it: the identity is still there."),
  "crash-at-write": may(Schema.String, "Lose power in the middle of one of the next records."),
  stop: may(Schema.String, "Shut down politely."),
  freeze: may(Schema.String, "Stand still."),
  "freeze-in-handshake": may(Schema.String, "Stand still in the middle of a login, if there is one in time."),
  suspend: may(Schema.String, "Sleep."),
  hold: may(Schema.String, "A person holds what it moves."),
  jam: may(Schema.String, "What it moves is stuck."),
  uncouple: may(Schema.String, "What it moves does not move, and says that it did."),
  "stop-engine": may(Schema.String, "A planner that works no more, though its node does."),
  "slow-cpu": may(Schema.String, "Become slow."),
  "disk-hangs": may(Schema.String, "A disk on which nothing gets done."),
  "disk-fails": may(Schema.String, "A disk that fails."),
  "disk-full": may(Schema.String, "A disk that is full."),
  "disk-slow": may(Schema.String, "A disk whose writes take long."),
  skew: may(Schema.String, "A calendar that jumps."),
  "clock-rate": may(Schema.String, "Clocks that run at another rate, by 30 % at most."),
  "keys-fail": may(Schema.String, "A key store that fails."),
  isolate: may(Schema.String, "Cut all links of a node, or of a site."),
  move: may(Schema.String, "Get another address."),
  lie: may(Schema.String, "Tell lies to everybody."),
  revoke: may(Schema.String, "Trust another node, drawn, no longer.")
} as const
const faults = {
  ...nodeFaults,
  cut: anyLink("Cut a link."),
  "cut-one-way": anyLink("Cut one direction of a link."),
  partition: may(word(["halves", "one-against-all", "random"], "How to split."), "Split the network."),
  slow: anyLink("Make a link slow."),
  detour: anyLink("Make one direction longer."),
  clog: anyLink("Hold what is sent in one direction, and let it out in one burst."),
  flap: anyLink("A link that comes and goes."),
  throttle: anyLink("A link of small capacity."),
  "burst-loss": anyLink("A link that loses in bursts."),
  reset: anyLink("Reset a connection."),
  "half-open": anyLink("A connection that one end, or something between, has forgotten."),
  "idle-cut": anyLink("Connections that are forgotten when they are silent."),
  duplicate: anyLink("Messages come twice."),
  reorder: anyLink("Messages come in another order."),
  corrupt: anyLink("Messages come damaged."),
  "late-close": anyLink("Connections that end late."),
  "lossy-close": anyLink("Connections that lose what is under way when they end.")
} as const
export const faultNames = Object.keys(faults) as ReadonlyArray<keyof typeof faults>
export type FaultName = (typeof faultNames)[number]
/** Others strike links that are drawn, or split the network in a way of their own. */
export const strikesNodes = (fault: FaultName): fault is keyof typeof nodeFaults => Object.hasOwn(nodeFaults, fault)

const Fault = Schema.Struct({
  ...faults,
  every: must(Times, "How often.", "a fault needs every:, such as every: 10s..40s"),
  for: must(Times, "How long.", "a fault needs for:, such as for: 1s..20s")
}).annotate({
  identifier: "Fault",
  noun: "fault",
  message: "write { crash: any planner, every: 10s..40s, for: 1s..20s }"
})

const Seeds = text(
  "Seeds",
  seedsPattern,
  "write a range of seeds, such as 1..500",
  "The seeds of a campaign, first..last.",
  ["1..500"]
)
const Varied = text(
  "Varied",
  variedPattern,
  "write a range with units, such as 5s..50s, 0%..20%, -10s..10s or exactly 0..9",
  "low..high: each seed draws its own value.",
  ["5s..50s", "0%..20%", "exactly 0..9"]
)

const Fuzz = Schema.Struct({
  seeds: may(Seeds, "The seeds of a campaign."),
  vary: may(
    Schema.Record(Schema.String, Varied).annotate({ message: "write what varies, such as { network.loss: 0%..20% }" }),
    "Dotted paths into this file, each with a range that every seed draws from: timeline.<id>.at, timeline.<id>.after of a crash-at-write (exactly 0..9), network.delay, network.loss, network.between-sites.loss and its like, nodes.<name or pattern>.clock-skew or .clock-rate."
  ),
  faults: may(
    list(Fault, "write a list, such as [{ cut: any link, every: 5s..20s, for: 1s..10s }]"),
    "Random faults on top of the timeline."
  ),
  calm: may(Time, "How long before the end the faults stop and everything is healed.")
}).annotate({ identifier: "Fuzz", noun: "word of fuzz", message: "write a mapping, such as { seeds: 1..500 }" })

const Timing = Schema.Struct({
  beat: may(Time, "How often each node probes its links and sends its heartbeat."),
  "probe-deadline": may(Time, "A probe is missed after this, until the round trip is known."),
  "probe-deadline-min": may(Time, "And once it is known, not before this."),
  "probe-deadline-max": may(Time, "And not after this."),
  repeat: may(
    list(Time, "write times that grow, such as [230ms, 460ms]"),
    "A probe that was not answered is pinged again so long after its first ping."
  ),
  "misses-to-bad": may(CountWords, "Misses in a row that make an edge bad: exactly N."),
  "misses-to-bad-few-observers": may(CountWords, "As many where there are few observers."),
  "few-observers": may(CountWords, "Fewer observers than this are few."),
  "misses-of-ten-to-bad": may(CountWords, "Misses among the last ten probes that make an edge bad as well."),
  "misses-to-terminate": may(CountWords, "Misses after which the connection is ended."),
  stall: may(Time, "An alarm that rings later than this says that the node itself was not attentive."),
  "stall-voids-lease": may(Time, "A stall beyond this voids a leader's lease."),
  "slow-beats": may(CountWords, "A link that is no evidence is probed on each so-manieth beat only."),
  doubt: may(Time, "Too few have a device as bad for so long: those that can probe it do, besides their beat."),
  "cover-after": may(Time, "A link that was there for so long is reported on where no observer sees that device."),
  spread: may(Time, "Rows go out to some peers each so often."),
  drain: may(Time, "After a stall nobody is accused for so long."),
  deaf: may(Time, "Without a carrier of its own a node accuses nobody for so long."),
  probation: may(
    list(Time, "write times that grow, such as [2s, 30s]"),
    "How long an edge to a device that is down must stay well before it is good, by how often it was down."
  ),
  "flap-forgiven": may(Time, "One flap is forgiven for each such span without another."),
  "own-word": may(Time, "An edge that has been good for so long brings back a device that most others have as bad."),
  lead: may(Time, "The leader's heartbeat."),
  lease: may(Time, "The leader's lease."),
  promise: may(Time, "How long a voter votes for nobody else."),
  rank: may(Time, "Candidates wait rank times this."),
  candidacy: may(Time, "A candidacy in vain is tried again after this, doubling."),
  "candidacy-max": may(Time, "And at most after this."),
  "higher-dials-after": may(Time, "Of two that find each other the higher id dials after this only."),
  redial: may(Time, "First redial after a failure, doubling."),
  "redial-max": may(Time, "And at most after this."),
  "redial-refused": may(Time, "Between attempts at a peer that refuses for a lasting reason."),
  "redial-reset": may(Time, "A link that has been up for so long starts its backoff anew."),
  handshake: may(Time, "From an open connection to a session."),
  nonce: may(Time, "A server's nonce is good for so long."),
  "displace-probe": may(Time, "A session that a newer incarnation challenges must answer within this.")
}).annotate({
  identifier: "Timing",
  noun: "constant of the kernel",
  message: "write a mapping, such as { lease: 1s, promise: 2s }"
})

export const Language = Schema.Struct({
  scenario: must(
    Schema.NonEmptyString.annotate({ message: "write the name of the scenario" }),
    "The name of the scenario.",
    "a scenario needs a name, such as scenario: Planner failover"
  ),
  about: may(Schema.String.annotate({ message: "write what the scenario shows" }), "What it shows, in plain words."),
  seed: must(
    Schema.Natural.annotate({ message: "write a whole number from 0 up, such as 42" }),
    "The seed of a plain run.",
    "a scenario needs a seed, such as seed: 42"
  ),
  lasts: must(Time, "How long the run lasts, in virtual time.", "a scenario needs a length, such as lasts: 60s"),
  profile: may(
    word(["lan", "wan", "battery"], "Which constants of the kernel apply."),
    "Which constants of the kernel apply. Default lan."
  ),
  ties: may(
    word(["fifo", "drawn"], "fifo: in the order in which it was made; drawn: in an order drawn from the seed."),
    "In which order comes what is due in the same millisecond. Default fifo."
  ),
  afterwards: may(
    word(
      ["nothing", "a part gets well"],
      "a part gets well: the faults stop in a part of the mesh, which then has to get well in the time that the protocol needs (L1, L3, L5, L6)."
    ),
    "What is asked when the run is over. Default nothing."
  ),
  timing: may(Timing, "Constants of the kernel in place of the profile's, all nodes alike."),
  electors: may(
    list(Schema.String, "write a list of nodes, such as [laptop, jetson-1]"),
    "Who may vote. Default: planners, standby-planners and the first field node."
  ),
  persons: may(
    list(Name, "write a list of people, such as [asha, ravi]"),
    "People who sign what they approve with keys of their own, which all nodes know. Default nobody: a decision is then signed by the device at which it is made."
  ),
  rules: may(Rules, "What every planner and standby-planner proposes by itself while it leads (B42). Default nothing."),
  farm: may(
    FarmWords,
    "Fields, a tank and the weather, for `sense` steps to measure; what nodes move waters them. Default nothing."
  ),
  nodes: must(
    Schema.Record(Name, Node)
      .annotate({ message: "write the nodes as a mapping, such as { laptop: { role: planner } }" })
      .check(Schema.isMaxProperties(NODES_MAX, { message: `a scenario has at most ${NODES_MAX} nodes` })),
    "The devices, by name.",
    "a scenario needs nodes, such as nodes: { laptop: { role: planner } }"
  ),
  sites: may(
    Schema.Record(Name, list(Schema.String, "write who is there, such as [jetson-1, jetson-2]")).annotate({
      message: "write the sites as a mapping, such as { barn: [jetson-1, jetson-2], office: [laptop] }"
    }),
    "Nodes that are in one place, by its name; `site barn` means all of them wherever nodes are named."
  ),
  network: may(Network, "What lies between the nodes."),
  timeline: must(
    list(Step, "write a list of steps, each such as - { at: 10s, crash: jetson-1 }").check(
      Schema.isMaxLength(STEPS_MAX, { message: `a timeline has at most ${STEPS_MAX} steps` })
    ),
    "What happens, in order of time.",
    "a scenario needs a timeline, such as timeline: [{ at: 0s, start: everyone }]"
  ),
  expect: must(
    list(Expectation, "write a list of expectations, each such as - { always: { leaders: at most 1 } }").check(
      Schema.isMaxLength(EXPECTATIONS_MAX, { message: `a scenario has at most ${EXPECTATIONS_MAX} expectations` })
    ),
    "What must be so.",
    "a scenario needs expect, such as expect: [{ always: { leaders: at most 1 } }]"
  ),
  fuzz: may(Fuzz, "What a campaign over many seeds changes; a plain run uses none of it.")
}).annotate({
  identifier: "Scenario",
  title: "ClawMesh scenario",
  noun: "heading",
  message: "a scenario is a mapping"
})
export type Language = typeof Language.Type
