/**
 * The verbs of the timeline, as keys of a step. What each does to the world is in sim/faults; how its value is read beyond its
 * form, in NodeVerbs.ts and LinkVerbs.ts.
 */
import { levels } from "../../kernel/actuation/Actuator.ts"
import { sources } from "../../kernel/wire/ContextFrame.ts"
import * as Schema from "effect/Schema"
import { kinds } from "../../kernel/wire/ContextFrame.ts"
import { Role } from "../../kernel/wire/Frame.ts"
import { lieKinds } from "../network/Lies.ts"
import { lies, ways } from "./Scenario.ts"
import {
  Calendar,
  ClockRate,
  CountWords,
  list,
  may,
  must,
  Name,
  Percent,
  ProposalName,
  SignedTime,
  Size,
  Speed,
  Time,
  Times,
  Who,
  word
} from "./Values.ts"

const proposeNeeds = "write { proposal: P1, by: leader, run: pump-1, for: 10m, because: [dry-1] }"

const deciding = (verb: string, description: string) => {
  const needs = `write { proposal: P1, by: asha, via: laptop }`
  return may(
    Schema.Struct({
      proposal: must(ProposalName, "Which one, as a step calls it.", needs),
      by: must(Schema.NonEmptyString.annotate({ message: needs }), "The person.", needs),
      via: must(Who, "The node at which the person is.", needs),
      types: may(
        Schema.NonEmptyString.annotate({ message: "write what the person types, such as pump-1" }),
        "What the person types, where the name of what is moved is asked for (L3)."
      ),
      with: may(
        word(["own key", "no key", "another key", "a forged signature"], "With which key the person signs a yes."),
        "With which key one of persons: signs a yes; another key: one that nobody knows; a forged signature: as with the own one, by somebody who has not got it. Default own key."
      )
    }).annotate({ noun: `word of ${verb}`, message: needs }),
    description
  )
}

/** What lies on links: of all links among some nodes, or of one direction. */
const onLinks = <const F extends Schema.Struct.Fields>(verb: string, fields: F) =>
  Schema.Struct({
    between: may(Who, "The nodes whose links are meant, both ways."),
    from: may(Who, "With to: one direction only, of what these send."),
    to: may(Who, "With from: one direction only, of what these get."),
    ...fields
  }).annotate({ noun: `word of ${verb}`, message: `write a mapping, such as { between: [laptop, jetson-1] }` })

const freezeNeeds = "write who freezes in the middle of what: { who: jetson-1, in: handshake }"
export const onSites = (which: string) =>
  Schema.Struct({
    delay: may(Times, "One-way delay of each message there."),
    loss: may(Percent, "Share of packets lost there.")
  }).annotate({ noun: `word of ${which}`, message: "write a mapping, such as { delay: 80ms..300ms, loss: 1% }" })

const appointNeeds = "write { at: laptop, electors: [laptop, backup, jetson-2] }"
const trustNeeds = "trust needs by: and whom:, such as { by: laptop, whom: jetson-1 }"
const revokeNeeds = "revoke needs by: and whom:, such as { by: laptop, whom: jetson-1 }"
const swizzleNeeds = "swizzle needs over:, heal-after: and heal-over:, such as over: 5s, heal-after: 10s, heal-over: 5s"
const burstNeeds = "burst-loss needs begins: and ends:, such as begins: 1%, ends: 20%"

const Delay = Schema.Union([
  Times,
  Schema.Struct({
    usual: must(Times, "What most packets take.", "write { usual: 2ms..20ms, rarely: 1s..3s, share: 5% }"),
    rarely: must(Times, "What the others take.", "write { usual: 2ms..20ms, rarely: 1s..3s, share: 5% }"),
    share: must(Percent, "How many are others.", "write { usual: 2ms..20ms, rarely: 1s..3s, share: 5% }")
  }).annotate({ noun: "word of a delay" }),
  Schema.Struct({
    least: must(Time, "What half of the packets come near.", "write { least: 8ms, most: 10s }"),
    most: may(Time, "No packet takes longer; half of all take less than 1.6 times the least."),
    more: may(Time, "In place of most: on top of the least they take so much more in the mean, few of them far more.")
  }).annotate({ noun: "word of a delay" }),
  Schema.Struct({
    table: must(
      list(Time, "write delays that were measured, such as [3ms, 3ms, 4ms, 250ms]"),
      "Delays that were measured: each packet takes one of them.",
      "write { table: [3ms, 3ms, 4ms, 250ms] }"
    )
  }).annotate({ noun: "word of a delay" })
]).annotate({
  message:
    "write a time or a range such as 2ms..20ms, { usual: 2ms..20ms, rarely: 1s..3s, share: 5% }, { least: 8ms, most: 10s }, { least: 8ms, more: 20ms }, or { table: [3ms, 250ms] }"
})

const setsNeeds = "write an actuator of the node that it goes to, such as actuator:pump-1"
const sendNeeds = "write { from: laptop, to: jetson-1 }, or to: a capability, such as actuator:pump-1"
const inferNeeds = "write { request: q1, from: laptop, to: jetson-1, model: ollama/llama3 }"
const senseNeeds = "write { frame: dry-1, by: jetson-1, zone: zone-1, metric: moisture, value: 17 }"

/** The verbs, in the order in which they are listed to people. */
export const verbs = {
  start: may(Who, "Power on."),
  restart: may(Who, "Power on again: same key, same disk, next incarnation."),
  stop: may(Who, "Shut down politely: the node says goodbye first."),
  crash: may(
    Schema.Union([
      Who,
      Schema.Struct({
        who: must(Who, "Who loses its power.", "write who crashes: { who: jetson-1, disk: torn }"),
        disk: may(
          word(
            ["kept", "torn", "lost", "wiped"],
            "kept: what was synced; torn: what was being written is there in part; lost: the journal is gone; wiped: the key as well."
          ),
          "What is left on the disk. Default kept."
        )
      }).annotate({ noun: "word of crash" })
    ]).annotate({ message: "write who crashes, such as jetson-1, or { who: jetson-1, disk: torn }" }),
    "Lose power: no goodbye. With { who, disk }: and this much of the disk."
  ),
  "crash-at-write": may(
    Schema.Struct({
      who: must(Who, "Who loses its power.", "write who crashes: { who: jetson-1, after: exactly 3 }"),
      after: must(
        CountWords,
        "How many records it still stores; in the middle of the next the power goes.",
        "write how many records it still stores: after: exactly 3"
      )
    }).annotate({ noun: "word of crash-at-write", message: "write { who: jetson-1, after: exactly 3 }" }),
    "Lose power in the middle of a write."
  ),
  freeze: may(
    Schema.Union([
      Who,
      Schema.Struct({
        who: must(Who, "Who stands still.", freezeNeeds),
        in: must(
          word(
            ["handshake"],
            "when it is next in the middle of a login, as dialler or acceptor, before the step ends."
          ),
          "In the middle of what. Without it: at once.",
          freezeNeeds
        )
      }).annotate({ noun: "word of freeze" })
    ]).annotate({ message: "write who freezes, such as jetson-1, or { who: jetson-1, in: handshake }" }),
    "The process stands still and keeps its sockets. With { who, in: handshake }: in the middle of its next login, until the step ends. Needs `for:`."
  ),
  hold: may(Who, "A person holds all that a node moves, until the end of the step: it is made safe, and nothing else."),
  jam: may(Who, "What a node moves is stuck, until the end of the step: it stays as it is, and each drive fails."),
  uncouple: may(
    Who,
    "What a node moves does not move, until the end of the step, and each drive says that it did: a broken shaft, a closed tap before it."
  ),
  "stop-engine": may(
    Who,
    "A planner works no more until the end of the step, though its node does: it hands over, and does not stand."
  ),
  suspend: may(Who, "The machine sleeps: nothing runs, nothing reaches it, its clocks go on. Needs `for:`."),
  "slow-cpu": may(
    Schema.Struct({
      who: must(Who, "Whose processor.", "write whose processor: { who: jetson-1, takes: 50ms..200ms }"),
      takes: must(
        Times,
        "How long each input takes; those after it wait.",
        "write how long each input takes: { who: jetson-1, takes: 50ms..200ms }"
      )
    }).annotate({ noun: "word of slow-cpu", message: "write { who: jetson-1, takes: 50ms..200ms }" }),
    "A slow processor: inputs are taken up one after another, each late. Needs `for:`."
  ),
  disk: may(
    Schema.Struct({
      who: must(Who, "Whose disk.", "write whose disk: { who: jetson-1, is: full }"),
      is: may(
        word(["hanging", "failing", "full"], "hanging: nothing gets done until it ends."),
        "What is wrong with it."
      ),
      slow: may(Times, "How long each write takes.")
    }).annotate({
      noun: "word of disk",
      message: "write { who: jetson-1, is: full } or { who: jetson-1, slow: 2s..5s }"
    }),
    "A disk that is slow, hangs, fails or is full. Needs `for:`."
  ),
  skew: may(
    Schema.Struct({
      who: must(Who, "Whose clocks.", "write whose clocks: { who: jetson-1, by: 1h }"),
      by: may(SignedTime, "The calendar jumps so far."),
      to: may(Calendar, "The calendar is set: to 1970, or right (now)."),
      rate: may(ClockRate, "All clocks of the node run at this rate from now on.")
    }).annotate({ noun: "word of skew", message: "write { who: jetson-1, by: 1h }" }),
    "The calendar jumps, or all clocks run at another rate; the clock that timers run on never jumps."
  ),
  cut: may(
    Schema.Union([
      list(Schema.String, "write the two ends of the link, such as [laptop, jetson-1]"),
      Schema.Struct({
        from: must(
          Who,
          "The side that is not heard any more.",
          "a one-way cut needs both: { from: laptop, to: jetson-1 }"
        ),
        to: must(
          Who,
          "The side that does not hear any more.",
          "a one-way cut needs both: { from: laptop, to: jetson-1 }"
        )
      }).annotate({ noun: "word of cut" })
    ]).annotate({
      message: "write the two ends, [laptop, jetson-1], or one direction, { from: laptop, to: jetson-1 }"
    }),
    "Cut a link, both ways: [a, b]; or one way: { from: a, to: b }."
  ),
  partition: may(
    list(
      list(Schema.String, "write a group as a list of names, such as [laptop, jetson-1]"),
      "write the groups as lists: [[laptop, jetson-1], [jetson-2]]"
    ),
    "Split the network into groups that cannot hear each other."
  ),
  isolate: may(
    Who,
    "Cut all links of these nodes, among them and with everybody else, as when their access point or their switch dies."
  ),
  unplug: may(
    Who,
    "Their cables are out, or their radios off: as isolate, and each of them knows that it is its own. Needs `for:`."
  ),
  slow: may(
    onLinks("slow", {
      delay: may(Delay, "One-way delay while it lasts."),
      loss: may(Percent, "Share of packets lost while it lasts.")
    }),
    "Make links slow or lossy without cutting them."
  ),
  detour: may(
    onLinks("detour", {
      adds: must(Times, "How much more each packet takes.", "detour needs adds:, such as adds: 100ms..300ms")
    }),
    "Paths that are so much longer for every packet: drawn once for each direction, on top of the delay."
  ),
  clog: may(onLinks("clog", {}), "Messages stick in the network, and come out in one burst when it ends."),
  flap: may(
    onLinks("flap", {
      down: must(Times, "How long it is cut.", "flap needs down: and up:, such as down: 1s..2s, up: 3s"),
      up: must(Times, "How long it carries.", "flap needs down: and up:, such as down: 1s..2s, up: 3s")
    }),
    "Links that are cut and carry in turns, beginning with a cut."
  ),
  swizzle: may(
    onLinks("swizzle", {
      over: must(Time, "Each link is cut at a time of its own within this.", swizzleNeeds),
      "heal-after": must(Time, "From the beginning: when the first may heal.", swizzleNeeds),
      "heal-over": must(Time, "They heal within this, in another order.", swizzleNeeds)
    }),
    "Links are cut one after another, and heal in another order."
  ),
  throttle: may(
    onLinks("throttle", {
      "down-to": must(Speed, "What passes in a second.", "throttle needs down-to:, such as down-to: 16kB/s")
    }),
    "Links of small capacity, with a queue before them."
  ),
  "burst-loss": may(
    onLinks("burst-loss", {
      begins: must(Percent, "Packets with which a burst begins.", burstNeeds),
      ends: must(Percent, "Packets of a burst with which it ends.", burstNeeds),
      loss: may(Percent, "Packets lost in a burst. Default 100%.")
    }),
    "Packets are lost in bursts (Gilbert–Elliott), on top of the usual loss."
  ),
  reset: may(
    onLinks("reset", {
      told: may(word(["one", "both"], "With from: and to:: whether `to` is told as well. Default one."), "Who is told.")
    }),
    "Connections are reset: both ends are told; with from: and to:, only `from`."
  ),
  "half-open": may(
    onLinks("half-open", {
      "known-to": may(
        word(
          ["one", "nobody"],
          "one: the first of the two knows that it is gone; nobody: something between forgot it."
        ),
        "Who knows. Default one."
      ),
      answer: may(
        word(["reset", "silence"], "What whoever speaks into it gets."),
        "What whoever speaks into it gets. Default reset."
      )
    }),
    "Connections that one end, or something in between, has forgotten."
  ),
  "idle-cut": may(
    onLinks("idle-cut", {
      after: must(Time, "How long nothing has arrived on it.", "idle-cut needs after:, such as after: 60s"),
      answer: may(
        word(["reset", "silence"], "What whoever speaks into it gets."),
        "What whoever speaks into it gets. Default silence."
      )
    }),
    "Something in between (a NAT) forgets connections that are silent."
  ),
  duplicate: may(
    onLinks("duplicate", {
      share: must(Percent, "How many messages.", "duplicate needs share:, such as share: 10%"),
      late: may(Times, "How much later they come again. Default 0ms..1s."),
      over: may(
        word(["same connection", "any connection"], "any connection: also when the first is gone, as through a relay."),
        "Over which connection. Default same connection."
      )
    }),
    "Messages arrive twice."
  ),
  reorder: may(
    onLinks("reorder", {
      share: must(Percent, "How many messages.", "reorder needs share:, such as share: 10%"),
      behind: may(CountWords, "Behind how many later ones. Default at most 3.")
    }),
    "Messages arrive in another order."
  ),
  corrupt: may(
    onLinks("corrupt", { share: must(Percent, "How many messages.", "corrupt needs share:, such as share: 10%") }),
    "One character of a message is another one."
  ),
  lie: may(
    onLinks("lie", {
      share: must(Percent, "Behind how many of its messages.", "lie needs share:, such as share: 10%"),
      with: may(
        word(
          lieKinds,
          "malformed: no frame of the protocol; false words: of links, terms and itself; false rows: of others."
        ),
        "What it tells. Default anything."
      )
    }),
    "A trusted device tells lies, besides what its kernel says."
  ),
  "late-close": may(
    onLinks("late-close", { late: must(Times, "How much later.", "late-close needs late:, such as late: 1s..5s") }),
    "The end of a connection that is closed politely arrives late."
  ),
  "lossy-close": may(
    onLinks("lossy-close", { share: must(Percent, "How many ends.", "lossy-close needs share:, such as share: 50%") }),
    "When a connection ends abruptly, what is under way is lost with it."
  ),
  "lose-adverts": may(
    onLinks("lose-adverts", { share: may(Percent, "How many datagrams. Default 100%.") }),
    "Multicast is lost, goodbyes too, while connections notice nothing. Needs network.discovery."
  ),
  heal: may(
    Schema.Union([
      Who,
      Schema.Struct({
        what: must(Who, "What is healed: everything.", "write { what: everything, paths: { delay: 2ms..20ms } }"),
        paths: must(
          Schema.Struct({
            delay: may(Times, "One-way delay of each message. Default 2ms..20ms."),
            loss: may(Percent, "Share of packets lost. Default 0%."),
            "within-sites": may(onSites("within-sites"), "Between two nodes of one site, in place of the above."),
            "between-sites": may(onSites("between-sites"), "Between nodes of two sites, in place of the above.")
          }).annotate({ noun: "word of paths", message: "write a mapping, such as { delay: 2ms..20ms, loss: 0% }" }),
          "What paths are usually like from then on, in place of what network: says.",
          "write what paths are like from then on: { what: everything, paths: { delay: 2ms..20ms } }"
        )
      }).annotate({ noun: "word of heal" })
    ]).annotate({
      message:
        "write everything, the nodes whose links are healed, or { what: everything, paths: { delay: 2ms..20ms } }"
    }),
    "Undo what lies on the network: of `everything`, or of the links of these nodes. With { what, paths }: and paths are usually like that from then on."
  ),
  move: may(
    Who,
    "It gets another address: its connections are dead without a word, and addresses that others were told lead nowhere. A node with network.discovery says where it is now."
  ),
  advertise: may(
    Schema.Struct({
      node: must(Name, "Whose record.", "advertise needs node:, such as { node: jetson-2, incarnation: old }"),
      incarnation: may(
        word(["current", "old", "next"], "old: of the process before; of a node that is down, of its last one."),
        "Of which process it speaks. Default current."
      ),
      address: may(
        Schema.String.annotate({ message: "write the name of another node, or nowhere" }),
        "Where it says that the node is: at the address of another one, or nowhere. Default where it is."
      ),
      mesh: may(word(["its own", "another"], "Which mesh it names."), "Which mesh it names. Default its own."),
      copies: may(CountWords, "How often each hears it. Default exactly 1."),
      "heard-by": may(Who, "Who hears it. Default everyone.")
    }).annotate({ noun: "word of advertise", message: "write { node: jetson-2, incarnation: old }" }),
    "A record of discovery that the node did not announce, or not now. Needs network.discovery."
  ),
  trust: may(
    Schema.Struct({
      by: must(Who, "Whose operator says so.", trustNeeds),
      whom: must(Name, "The device.", trustNeeds),
      as: may(Role, "In which role. Default its own.")
    }).annotate({ noun: "word of trust", message: "write { by: laptop, whom: jetson-1 }" }),
    "An operator trusts a device from now on, as at its daemon's socket."
  ),
  revoke: may(
    Schema.Struct({
      by: must(Who, "Whose operator says so.", revokeNeeds),
      whom: must(Name, "The device.", revokeNeeds)
    }).annotate({ noun: "word of revoke", message: "write { by: laptop, whom: jetson-1 }" }),
    "An operator trusts a device no longer: its sessions end now."
  ),
  appoint: may(
    Schema.Struct({
      at: must(Who, "Nodes that are given it. They hand it on.", appointNeeds),
      electors: must(
        list(Schema.String, "write a list of nodes, such as [laptop, jetson-1]"),
        "Who elects from now on.",
        appointNeeds
      ),
      readmits: may(Who, "Electors that lost their journal, and may vote again as they live now.")
    }).annotate({ noun: "word of appoint", message: appointNeeds }),
    "The operator signs another list of electors, in place of the last one that is in force where it is given; else nothing happens."
  ),
  "keys-fail": may(
    Schema.Struct({
      who: must(Who, "Whose key store.", "write whose key store: { who: jetson-1, at: signing }"),
      at: must(
        word(["signing", "checking"], "signing: its key refuses; checking: every signature of others is found wrong."),
        "At what it fails.",
        "write at what: { who: jetson-1, at: signing }, or at: checking"
      )
    }).annotate({ noun: "word of keys-fail", message: "write { who: jetson-1, at: signing }" }),
    "A key store that fails: no new handshake of the node comes to anything; sessions go on."
  ),
  connect: may(
    Schema.Struct({
      to: must(Who, "Where it logs in.", "connect needs to:, such as { to: jetson-1, with: another key }"),
      as: may(Name, "The node that it says to be, whose key it has stolen. Default somebody whom nobody knows."),
      with: may(word(lies, "Its one lie."), "Its one lie. Default its own key: none."),
      through: may(
        Name,
        "Of a relayed login: the node whose key it has as well, as which it has `as` sign what it carries to `to`."
      ),
      over: may(word(ways, "How the connection is secured."), "How the connection is secured. Default as all are here.")
    }).annotate({ noun: "word of connect", message: "write { to: jetson-1, as: laptop, with: another key }" }),
    "Somebody from outside logs in. Who refuses it, and why, is the event connection.refused with its code as reason."
  ),
  ask: may(
    Schema.Struct({
      from: must(Name, "On whose device the program runs.", "ask needs from, to and each"),
      to: must(Name, "Whom it asks.", "ask needs from, to and each"),
      each: must(Time, "How often.", "ask needs each:, such as each: 10ms")
    }).annotate({ noun: "word of ask", message: "write { from: kiosk, to: laptop, each: 10ms }" }),
    "A program asks another device for its peers again and again, over their session. Needs `for:`."
  ),
  sense: may(
    Schema.Struct({
      frame: must(Name, "What it is called here, for `frames:` to ask about.", senseNeeds),
      by: must(Who, "Who says it.", senseNeeds),
      kind: may(word(kinds, "What kind of frame."), "What kind of frame. Default observation."),
      zone: may(Schema.String.annotate({ message: "write a zone, such as zone-1" }), "Where it was seen."),
      metric: may(Schema.String.annotate({ message: "write a metric, such as moisture" }), "What was seen."),
      value: may(Schema.Finite.annotate({ message: "write a number, such as 17" }), "How much of it."),
      shows: may(
        Name,
        "In place of a value: 1 while this actuator is open, and 0 else, such as pump-1. Of the zone of that name, where none is said."
      ),
      measures: may(
        Name,
        "In place of a value: what metric is there now, at a field of the farm, or at its tank. Of the zone of that field, where none is said. Each says its interval, too."
      ),
      note: may(
        Schema.NonEmptyString.annotate({ message: "write what stands there" }),
        "Words that somebody wrote beside it."
      ),
      size: may(Size, "How large its data is at least. Default as it is written here."),
      times: may(CountWords, "How often. Default exactly 1. Each is a frame of its own, of the same metric."),
      each: may(Time, "How long after the one before. Default 1s."),
      "follows-from": may(Name, "The frames, by their name here, that it follows from: the last of each node's.")
    }).annotate({ noun: "word of sense", message: senseNeeds }),
    "Something that a node says to the mesh: a context frame of its own."
  ),
  send: may(
    Schema.Struct({
      from: must(Name, "On whose device the program runs.", sendNeeds),
      to: must(
        Schema.NonEmptyString.annotate({ message: sendNeeds }),
        "A node, or a pattern of capabilities, such as actuator:pump-1.",
        sendNeeds
      ),
      channel: may(
        Schema.NonEmptyString.annotate({ message: "write a channel, such as notes" }),
        "Which handler it is for; nobody: one that there is not. Default notes."
      ),
      key: may(
        Schema.NonEmptyString.annotate({ message: "write any words, such as open-1" }),
        "Two with one key are one message, and one intent. Default its own."
      ),
      sets: may(
        Schema.NonEmptyString.annotate({ message: setsNeeds }),
        "In place of a message a command, for this actuator of that node, such as actuator:pump-1. The event world.moved, about that node, says what it does."
      ),
      holds: may(
        Schema.NonEmptyString.annotate({ message: "write an actuator of that node, such as actuator:pump-1" }),
        "In place of a message the word that this actuator of that node, and what is interlocked with it, is on hold."
      ),
      state: may(word(["open", "closed"], "What the actuator is set to."), "Default open."),
      lasting: may(Time, "After so long it closes by itself. Default 60s."),
      evidence: may(
        list(word(sources, "What the command rests on."), "write what it rests on, such as [sensor]"),
        "What it rests on. Default [sensor]."
      ),
      lease: may(
        word(["new", "last"], "Under which lease it is told."),
        "last: under the one that this program got last for it, as long ago as that may be. Default new: it asks for one first."
      )
    }).annotate({ noun: "word of send", message: sendNeeds }),
    "A program on a node has a message for somebody. What came of it is the event world.answer about that node; who took it, world.message."
  ),
  propose: may(
    Schema.Struct({
      proposal: must(ProposalName, "What it is called here, for `approve`, `reject` and `proposals:`.", proposeNeeds),
      by: must(Who, "The planner: who leads where it says leader.", proposeNeeds),
      run: must(Name, "What is to be moved, as its owner's actuator:pump-1 without the first word.", proposeNeeds),
      action: may(word(["open", "closed"], "What it is to be."), "Default open."),
      for: may(Time, "After so long it closes by itself. Default 60s."),
      because: may(
        list(Name, "write frames by their names here, such as [dry-1]"),
        "The frames that it rests on, by their names here. Default the newest two that the planner has."
      ),
      level: may(
        word(levels, "Who has to agree."),
        "Who has to agree, as its owner has it in its policy: that says it, and this line only for the reader."
      ),
      again: may(
        word(["meant"], "The same was done within ten minutes, and that is known."),
        "It is meant though the same was done within ten minutes."
      ),
      wish: may(
        word(["its own", "a person's"], "Whose wish it is. What a planner wishes by itself is for the leader alone."),
        "Whose wish it is. What a planner wishes by itself is for the leader alone. Default a person's."
      )
    }).annotate({ noun: "word of propose", message: proposeNeeds }),
    "A planner proposes that something is moved. What came of that is the event world.answer about that node."
  ),
  infer: may(
    Schema.Struct({
      request: must(Name, "What it is called here, for `call-off` and `inferences:`.", inferNeeds),
      from: must(Name, "On whose device the program runs.", inferNeeds),
      to: may(Name, "Whose model. Default whoever serves it, of those with whom that node has a session."),
      model: must(
        Schema.NonEmptyString.annotate({ message: inferNeeds }),
        "Provider and name, as under serves:.",
        inferNeeds
      )
    }).annotate({ noun: "word of infer", message: inferNeeds }),
    "A program asks a model of another node, over their session. What came of it is the event world.answer about that node."
  ),
  "call-off": may(
    Schema.Struct({
      request: must(Name, "What an earlier step calls it.", "write { request: q1 }")
    }).annotate({ noun: "word of call-off", message: "write { request: q1 }" }),
    "The program that asked a model does without, and says so."
  ),
  approve: deciding(
    "approve",
    "A person approves a proposal: its guardian carries it out. What came of it is the event world.answer about that node."
  ),
  reject: deciding("reject", "A person says no to a proposal."),
  replay: may(
    Schema.Struct({
      from: must(Name, "Who once sent it.", "replay needs from, to and message"),
      to: must(Name, "Who gets it again.", "replay needs from, to and message"),
      message: must(
        word(["first", "last", "all"], "Which of the messages."),
        "Which of the messages.",
        "replay needs message: first, last or all"
      )
    }).annotate({ noun: "word of replay", message: "write { from: jetson-2, to: laptop, message: last }" }),
    "Deliver a message of the past again."
  )
} as const
