/**
 * A run as a story: what a person would tell of it, in the scenario's words, one sentence a line.
 *
 * Tells the steps of the timeline, who leads and how long nobody did, who is believed down, gone or back, and what was refused.
 * What several nodes say within a short time becomes one sentence. What everybody expects is left out (that nodes find each
 * other at the start is one line), and what repeats is counted after a few lines. Time and order are those of the run.
 *
 * Not a log: messages, suspicions and dials are not in it. Nothing is judged here.
 */
import { ACTUATOR } from "../../kernel/actuation/Actuator.ts"
import type { Happening, PeerWord } from "../engine/View.ts"
import type { Scenario, Step } from "../scenario/Scenario.ts"
import { enumerate, measuredSpan } from "../judge/Words.ts"

export interface Line {
  readonly atMs: number
  readonly text: string
  /** Stands at the right margin: the step's id, or how long there was no leader. */
  readonly aside: string | null
}

interface Told extends Line {
  /** Lines of one kind are counted instead of told when there are many; `null`: always told. */
  readonly kind: string | null
}

/** Nodes that say the same within this time of each other say it together. */
const TOGETHER_MS = 2_000
/** Lines of one kind that are told before the rest is counted. */
const SAME_KIND_MAX = 3

/** `they <plural>` or `it <singular>`, for what happens to nodes. */
const nodeVerbs: { readonly [event: string]: readonly [singular: string, plural: string] } = {
  "world.start": ["starts", "start"],
  "world.stop": ["stops", "stop"],
  "world.crash": ["crashes", "crash"],
  "world.restart": ["restarts", "restart"],
  "world.freeze": ["freezes", "freeze"],
  "world.thaw": ["thaws", "thaw"],
  "world.suspend": ["goes to sleep", "go to sleep"],
  "world.wake": ["wakes", "wake"],
  "world.move": ["gets another address", "get other addresses"],
  "world.slow-cpu": ["becomes slow", "become slow"]
}

/** What happens between nodes, before the names of those concerned. */
const networkPhrases: { readonly [event: string]: string } = {
  "world.cut": "the network is cut",
  "world.partition": "the network splits",
  "world.isolate": "all links are cut",
  "world.unplug": "a cable is out",
  "world.slow": "the network slows down",
  "world.detour": "paths get longer",
  "world.clog": "messages get stuck",
  "world.flap": "links come and go",
  "world.swizzle": "links are cut one after another",
  "world.throttle": "the network gets narrow",
  "world.burst-loss": "packets are lost in bursts",
  "world.reset": "connections are reset",
  "world.half-open": "connections are forgotten",
  "world.idle-cut": "silent connections are forgotten from now on",
  "world.duplicate": "messages come twice",
  "world.reorder": "messages come in another order",
  "world.corrupt": "messages come damaged",
  "world.lie": "lies are told",
  "world.late-close": "connections close late",
  "world.lossy-close": "connections that end lose what is under way",
  "world.lose-adverts": "multicast is lost",
  "world.skew": "a clock changes"
}

interface Utterance {
  readonly subject: string
  readonly words: string
  readonly kind: string
  readonly observers: Set<string>
  lastMs: number
  byEveryone: boolean
}

interface Leading {
  readonly name: string
  lostMs: number | null
}

class Teller {
  readonly #scenario: Scenario
  readonly #lines: Array<Told> = []
  readonly #running = new Set<string>()
  readonly #bootMs = new Map<string, number>()
  /** What each running node last said of each other, since its boot. */
  readonly #words = new Map<string, Map<string, PeerWord>>()
  readonly #utterances = new Map<string, Utterance>()
  readonly #unusedSteps: Set<Step>
  readonly #terms = new Set<string>()
  readonly #pastLeaders = new Set<string>()
  #leading: Leading | null = null
  /** The newest version of the list of electors that somebody has in force, of those that were signed. */
  #electors = 0
  /** When the first nodes started, and which: those are expected to find each other. */
  #firstMs: number | null = null
  readonly #first = new Set<string>()
  #introductionsLeft: Set<string> | null = null

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#unusedSteps = new Set(scenario.timeline)
  }

  tell(happenings: ReadonlyArray<Happening>): ReadonlyArray<Line> {
    for (let i = 0; i < happenings.length;) {
      const happening = happenings[i]!
      // Several nodes hit by one step come as several happenings.
      let together = i + 1
      if (nodeVerbs[happening.event] !== undefined) {
        while (happenings[together]?.event === happening.event && happenings[together]?.atMs === happening.atMs)
          together++
        this.#onNodes(happenings.slice(i, together))
      } else this.#on(happening)
      i = together
    }
    for (const utterance of this.#utterances.values()) this.#say(utterance)
    const inOrder = this.#lines.toSorted((a, b) => a.atMs - b.atMs)
    return shortened(inOrder)
  }

  #line(atMs: number, text: string, aside: string | null, kind: string | null): void {
    this.#lines.push({ atMs, text, aside, kind })
  }

  /** The step of the timeline that this is, if it has a name of its own. */
  #stepId(happening: Happening): string | null {
    const verb = happening.event.slice("world.".length)
    for (const step of this.#unusedSteps) {
      if (step.atMs !== happening.atMs || step.verb._tag !== verb) continue
      this.#unusedSteps.delete(step)
      return step.id
    }
    return null
  }

  #namesIn(happening: Happening): ReadonlyArray<string> {
    if (happening.about !== null) return [happening.about]
    const all = this.#scenario.nodes.map((node) => node.name)
    const words = happening.detail.reason
    if (words === undefined || words === "everyone") return all
    const written = new Set(words.split(/[^a-z0-9-]+/u))
    return all.filter((name) => written.has(name))
  }

  #onNodes(happenings: ReadonlyArray<Happening>): void {
    const first = happenings[0]!
    const names = [...new Set(happenings.flatMap((happening) => this.#namesIn(happening)))]
    for (const name of names) this.#fate(first, name)
    const aside = this.#stepId(first)
    const everybody = names.length > 1 && names.length === this.#scenario.nodes.length
    const [singular, plural] = nodeVerbs[first.event]!
    const incarnations = happenings.filter((happening) => happening.detail.incarnation !== undefined)
    const verb = everybody || names.length === 1 ? singular : plural
    const detail =
      first.event === "world.restart" && names.length === 1 && incarnations[0] !== undefined
        ? `, incarnation ${incarnations[0].detail.incarnation}`
        : ""
    const who = everybody ? "everyone" : names.length === 0 ? (first.detail.reason ?? "nobody") : enumerate(names)
    this.#line(first.atMs, `${who} ${verb}${detail}`, aside, null)
  }

  #fate({ atMs, event }: Happening, name: string): void {
    if (event === "world.start" || event === "world.restart") {
      this.#firstMs ??= atMs
      if (atMs === this.#firstMs) this.#first.add(name)
      this.#running.add(name)
      this.#bootMs.set(name, atMs)
      this.#words.delete(name)
    } else if (event === "world.crash" || event === "world.stop" || event === "world.failed") {
      this.#running.delete(name)
      this.#words.delete(name)
      if (this.#leading?.name === name) this.#leading.lostMs ??= atMs
    }
  }

  #on(happening: Happening): void {
    const { about, atMs, detail, event, node } = happening
    const phrase = networkPhrases[event]
    if (phrase !== undefined) {
      const targets = about ?? detail.reason
      this.#line(atMs, targets === undefined ? phrase : `${phrase}: ${targets}`, this.#stepId(happening), null)
      return
    }
    switch (event) {
      case "world.heal": {
        const what = about ?? detail.reason ?? "everything"
        const text = what === "everything" || what === "everyone" ? "the network heals" : `the network heals: ${what}`
        return this.#line(atMs, text, this.#stepId(happening), null)
      }
      case "world.undo":
        return this.#line(atMs, detail.reason ?? "as it was before", null, null)
      case "world.disk": {
        const whose = about === null ? "several disks" : `the disk of ${about}`
        return this.#line(atMs, `${whose}: ${detail.reason ?? "broken"}`, this.#stepId(happening), null)
      }
      case "world.failed":
      case "world.refused": {
        const what = event === "world.failed" ? "ends" : "does not start"
        if (event === "world.failed") this.#fate(happening, about ?? "")
        return this.#line(atMs, `${about ?? "somebody"} ${what}: ${detail.reason ?? "its disk"}`, null, null)
      }
      case "world.trust":
      case "world.revoke": {
        const who = detail.reason ?? "somebody"
        const what = event === "world.trust" ? "trusted from now on" : "trusted no longer"
        return this.#line(atMs, `${about ?? "somebody"} is ${what} by ${who}`, this.#stepId(happening), null)
      }
      case "world.keys-fail":
        return this.#line(atMs, `the keys of ${detail.reason ?? about} fail`, this.#stepId(happening), null)
      case "world.connect": {
        const who = about === null ? "a stranger logs in" : `somebody logs in as ${about}`
        return this.#line(atMs, `${who}: ${detail.reason ?? ""}`, this.#stepId(happening), null)
      }
      case "world.appoint":
      case "world.stop-engine":
      case "world.propose":
      case "world.approve":
      case "world.reject":
        return this.#line(atMs, detail.reason ?? "", this.#stepId(happening), null)
      case "proposal.adopted":
        return this.#line(atMs, `${node} looks after what ${about} proposed`, null, `adopted ${node} ${about}`)
      case "planner.triggered":
        return this.#line(
          atMs,
          `${node} would have ${detail.actuator?.slice(ACTUATOR.length)} moved, by ${detail.reason}`,
          null,
          null
        )
      case "planner.asked":
        return this.#line(atMs, `${node} asks its language model, by ${detail.reason}`, null, null)
      case "planner.failed":
        return this.#line(atMs, `the language model of ${node} fails: ${detail.reason}`, null, null)
      case "actuator.refused":
        return this.#line(
          atMs,
          `${node} refuses to move ${detail.actuator}: ${detail.code}, ${detail.reason}`,
          null,
          null
        )
      case "world.infer":
      case "world.call-off":
      case "world.send":
      case "world.message":
      case "world.answer":
      case "world.moved":
      case "world.hold":
      case "world.jam":
      case "world.uncouple":
        return this.#line(atMs, `${about ?? "somebody"}: ${detail.reason ?? ""}`, this.#stepId(happening), null)
      case "world.sense":
        return this.#line(atMs, `${about ?? "several"} ${detail.reason ?? "senses"}`, this.#stepId(happening), null)
      case "world.ask":
        return this.#line(
          atMs,
          `${about ?? "somebody"} asks ${detail.reason ?? "again and again"}`,
          this.#stepId(happening),
          null
        )
      case "world.advertise":
        return this.#line(
          atMs,
          `a record of ${about ?? "somebody"} is heard: ${detail.reason ?? "an advert"}`,
          this.#stepId(happening),
          null
        )
      case "world.replay": {
        const what = detail.reason === undefined ? "" : `: ${detail.reason}`
        return this.#line(
          atMs,
          `what ${about ?? "somebody"} once sent arrives again${what}`,
          this.#stepId(happening),
          null
        )
      }
      case "manifest.in-force":
        // Terms are counted anew.
        if (this.#electors >= (detail.count ?? 0)) return
        this.#electors = detail.count ?? 0
        this.#terms.clear()
        return this.#line(atMs, `version ${detail.count} of the electors is in force at ${node}`, null, null)
      case "manifest.refused":
        return this.#line(atMs, `${node} refuses version ${detail.count} of the electors: ${detail.reason}`, null, null)
      case "leader.elected":
        return this.#elected(atMs, about ?? node ?? "somebody", detail.term)
      case "leader.followed":
        return this.#followed(happening)
      case "leader.stepped-down":
      case "leader.lost": {
        const itself = node !== null && (about === null || about === node)
        if (itself && this.#leading?.name === node) this.#leading.lostMs ??= atMs
        if (!itself || event === "leader.lost") return
        const reason = detail.reason === undefined ? "" : `: ${detail.reason}`
        return this.#line(atMs, `${node} steps down${reason}`, null, `step-down ${node}`)
      }
      case "peer.up":
      case "peer.suspect":
      case "peer.left":
      case "peer.down":
      case "peer.down.confirmed":
        if (node !== null && about !== null) this.#peer(happening, node, about)
        return
      case "connection.refused":
      case "frame.refused": {
        const what = event === "connection.refused" ? "a connection" : "a frame"
        const code = [detail.code, detail.reason].filter((part) => part !== undefined).join(", ")
        const text = `${node ?? "somebody"} refuses ${what} of ${about ?? "a stranger"}${code === "" ? "" : `: ${code}`}`
        return this.#line(atMs, text, null, `${event} ${node} ${detail.code}`)
      }
    }
  }

  #elected(atMs: number, name: string, term: number | undefined): void {
    const key = `elected ${name} ${term}`
    if (this.#terms.has(key)) return
    this.#terms.add(key)
    const before = this.#leading
    const without = before?.lostMs == null ? 0 : atMs - before.lostMs
    const aside = without > 0 ? `${measuredSpan(without)} without a leader` : null
    this.#line(atMs, `${name} leads${term === undefined ? "" : `, term ${term}`}`, aside, `leads ${name}`)
    if (before !== null) this.#pastLeaders.add(before.name)
    this.#leading = { name, lostMs: null }
  }

  /** That everybody follows a new leader is expected; that a former leader does is worth a line. */
  #followed({ about, atMs, detail, node }: Happening): void {
    if (node === null || about === null || node === about || !this.#pastLeaders.has(node)) return
    const key = `followed ${node} ${about} ${detail.term}`
    if (this.#terms.has(key)) return
    this.#terms.add(key)
    this.#line(atMs, `${node} follows ${about}`, null, `follows ${node}`)
  }

  #peer({ atMs, event }: Happening, observer: string, subject: string): void {
    const words = this.#words.get(observer) ?? new Map<string, PeerWord>()
    this.#words.set(observer, words)
    const before = words.get(subject)
    const gone = before === "down" || before === "left"
    switch (event) {
      case "peer.suspect":
        words.set(subject, "suspect")
        return
      case "peer.left":
        words.set(subject, "left")
        if (before !== "left") this.#utter(atMs, observer, subject, "left")
        return
      case "peer.down":
      case "peer.down.confirmed":
        words.set(subject, "down")
        if (before !== "down") this.#utter(atMs, observer, subject, "down")
        return
      default:
        words.set(subject, "up")
        if (gone) this.#utter(atMs, observer, subject, "up again")
        else if (before === undefined) this.#met(atMs, observer, subject)
    }
  }

  /** First sight since the observer's boot: an introduction at the start, or somebody who came later. */
  #met(atMs: number, observer: string, subject: string): void {
    const observerBootMs = this.#bootMs.get(observer)
    const subjectBootMs = this.#bootMs.get(subject)
    if (observerBootMs === this.#firstMs && subjectBootMs === this.#firstMs) this.#introduced(atMs, observer, subject)
    else if ((subjectBootMs ?? 0) > (observerBootMs ?? 0)) this.#utter(atMs, observer, subject, "up")
  }

  #introduced(atMs: number, observer: string, subject: string): void {
    const first = [...this.#first]
    this.#introductionsLeft ??= new Set(
      first.flatMap((one) => first.flatMap((other) => (one === other ? [] : [`${one} ${other}`])))
    )
    if (!this.#introductionsLeft.delete(`${observer} ${subject}`) || this.#introductionsLeft.size > 0) return
    const everybody = first.length === this.#scenario.nodes.length
    const text = everybody ? "everyone is up for everyone" : `${enumerate(first)} are up for each other`
    this.#line(atMs, text, null, null)
  }

  #utter(atMs: number, observer: string, subject: string, words: string): void {
    const key = `${subject} ${words}`
    let utterance = this.#utterances.get(key)
    if (utterance !== undefined && atMs - utterance.lastMs > TOGETHER_MS) {
      this.#say(utterance)
      utterance = undefined
    }
    if (utterance === undefined) {
      utterance = { subject, words, kind: `peer ${key}`, observers: new Set(), lastMs: atMs, byEveryone: false }
      this.#utterances.set(key, utterance)
    }
    const { observers } = utterance
    observers.add(observer)
    utterance.lastMs = atMs
    const others = [...this.#running].filter((name) => name !== subject)
    utterance.byEveryone = others.length > 1 && others.every((name) => observers.has(name))
  }

  #say({ byEveryone, kind, lastMs, observers, subject, words }: Utterance): void {
    const order = this.#scenario.nodes.map((node) => node.name).filter((name) => observers.has(name))
    const who = byEveryone ? "everyone" : enumerate(order)
    const verb = byEveryone || order.length === 1 ? "has" : "have"
    this.#line(lastMs, `${who} ${verb} ${subject} as ${words}`, null, kind)
  }
}

const shortened = (lines: ReadonlyArray<Told>): ReadonlyArray<Line> => {
  const total = new Map<string, number>()
  for (const { kind } of lines) if (kind !== null) total.set(kind, (total.get(kind) ?? 0) + 1)
  const told = new Map<string, number>()
  return lines.flatMap((line): ReadonlyArray<Line> => {
    if (line.kind === null) return [line]
    const before = told.get(line.kind) ?? 0
    told.set(line.kind, before + 1)
    const left = (total.get(line.kind) ?? 0) - SAME_KIND_MAX
    if (before < SAME_KIND_MAX || left === 1) return [line]
    return before === SAME_KIND_MAX ? [{ atMs: line.atMs, text: `… ${left} more of this kind`, aside: null }] : []
  })
}

/** `happenings` in order of time. */
export const story = (scenario: Scenario, happenings: ReadonlyArray<Happening>): ReadonlyArray<Line> =>
  new Teller(scenario).tell(happenings)
