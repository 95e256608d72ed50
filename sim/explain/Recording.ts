/**
 * What happened in a run and what caused it: every input that a node took up, every step of the script, and for each the one thing
 * that it came from. Found by looking on (watcher, `onStep`, `onHappening`); the run is the run that it would be without.
 *
 * Causes that are known, not guessed: a frame is the very object that a step sent; an alarm is of the step that set it; an answer
 * names the ticket, attempt or probe of the step that asked; a start and an operator's order are of the script's step at that instant.
 * The end of a link, and a peer that goes silent, name the last thing that befell one of its two ends: that was so, and is told as
 * "after", not as "because".
 *
 * Does not know: who sent a frame that was altered on its way (the codec makes another one of it; the fault is named in its place), and
 * of two steps that sent the very same object the later one is named.
 */
import type { Command } from "../../kernel/Command.ts"
import type { Input } from "../../kernel/Input.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import type { Machine } from "../engine/Machine.ts"
import { isKernel } from "../engine/Present.ts"
import type { Happening } from "../engine/View.ts"
import type { World } from "../engine/World.ts"
import type { Observation, Oracle } from "../oracles/Oracle.ts"
import { type Belief, Beliefs } from "./Beliefs.ts"
import { type Change, changesOf, NO_CHANGES } from "./Changes.ts"

/** `message`: a frame that it sent; `end`: it hung up, dialled or fell; `after`: nothing nearer is known than that this was before. */
export type By = "message" | "alarm" | "answer" | "dial" | "script" | "end" | "after"

export interface Cause {
  readonly by: By
  /** Its place among the entries. */
  readonly entry: number
}

export interface Entry {
  readonly id: number
  /** True time. */
  readonly atMs: number
  /** Whose step it is; `null`: the world's. */
  readonly node: string | null
  /** Inputs that nodes had taken up by then, this one included. */
  readonly events: number
  /** `world`, or the tag of the input. */
  readonly kind: string
  /** What came in, or what happened to the world, in words. */
  readonly what: string
  readonly cause: Cause | null
  readonly changes: ReadonlyArray<Change>
  /** What the node did, in words; empty: nothing. */
  readonly did: string
  /** What the world told, where it is the world's. */
  readonly happening?: Happening
}

export interface Recording {
  readonly entries: ReadonlyArray<Entry>
  readonly happenings: ReadonlyArray<Happening>
  readonly beliefs: ReadonlyArray<Belief>
  /** In the order of the scenario, with whatever was put beside it. */
  readonly nodes: ReadonlyArray<string>
}

const frameWords = (frame: Frame): string =>
  frame.type === "event" ? frame.event : frame.type === "req" ? frame.method : "an answer"

/** What a command is in a sentence; empty: nothing to be told. */
const verbs: { readonly [tag in Exclude<Command["_tag"], "Send">]: string } = {
  Dial: "dials",
  CancelDial: "gives up a dial",
  Ping: "pings",
  Hangup: "hangs up",
  SetAlarm: "",
  Persist: "writes a record",
  Check: "has proofs checked",
  Sign: "signs",
  Deliver: "hands a message to its handler",
  Drive: "drives an actuator",
  Consult: "asks its language model",
  Infer: "asks a model",
  StopInference: "stops a model",
  Streamed: "hands its program a piece",
  Answered: "answers its program",
  SaveWorld: "keeps what it knows of the world",
  Note: "",
  Listen: "listens",
  Halt: "ends"
}

/** What a step did, each kind counted. */
const didWords = (commands: ReadonlyArray<Command>): string => {
  const counts = new Map<string, number>()
  const count = (words: string): void => void counts.set(words, (counts.get(words) ?? 0) + 1)
  for (const command of commands)
    if (command._tag === "Send") count(`sends ${frameWords(command.frame)}`)
    else count(verbs[command._tag])
  counts.delete("")
  return [...counts].map(([words, n]) => (n === 1 ? words : `${words} ×${n}`)).join(", ")
}

/** Frames that go out at once, and those that go out when the record before them is stored. */
const framesOf = (commands: ReadonlyArray<Command>): ReadonlyArray<Frame> =>
  commands.flatMap((command): ReadonlyArray<Frame> => {
    if (command._tag === "Send") return [command.frame]
    return command._tag === "Persist" ? framesOf(command.then) : []
  })

const orders: ReadonlyArray<Input["_tag"]> = ["Started", "Trust", "Distrust", "Leave", "Carrier", "Stalled"]

interface Draft extends Entry {
  changes: ReadonlyArray<Change>
}

export class Recorder {
  readonly #entries: Array<Draft> = []
  readonly #happenings: Array<Happening> = []
  readonly #beliefs = new Beliefs()
  readonly #sentBy = new WeakMap<Frame, number>()
  /** Text of frames of those who run no kernel: they pass the codec, and come out as others. */
  readonly #saidBy = new Map<string, number>()
  readonly #alarms = new Map<string, number>()
  /** By node, process, kind and number: who asked. */
  readonly #asked = new Map<string, number>()
  /** By the two names: who dialled, and who hung up, last. */
  readonly #dialled = new Map<string, number>()
  readonly #hungUp = new Map<string, number>()
  /** By node, process and link: who is at its other end. */
  readonly #ends = new Map<string, string>()
  readonly #struck: Array<{ readonly entry: number; readonly names: ReadonlyArray<string> | null }> = []
  #world: World | null = null
  #open: { readonly input: Input; readonly entry: Draft } | null = null

  /** To be given to the run as a watcher, after `onStep`, which is called before it. */
  readonly watcher: Oracle = {
    id: "explain",
    fork: () => ({ id: "explain", fork: () => this.watcher.fork(), stepped: () => null }),
    stepped: (seen) => {
      this.#stepped(seen)
      return null
    }
  }

  readonly onHappening = (happening: Happening): void => {
    this.#happenings.push(happening)
    if (happening.node !== null) return
    const { about, atMs, detail, event } = happening
    const id = this.#add({
      atMs,
      node: null,
      kind: "world",
      what: [event.slice("world.".length), about ?? "", detail.reason ?? ""].filter((word) => word !== "").join(" "),
      cause: null,
      did: "",
      happening
    }).id
    this.#struck.push({ entry: id, names: this.#namesIn(happening) })
  }

  readonly onStep = (machine: Machine, input: Input, commands: ReadonlyArray<Command>): void => {
    const { name, process, world } = machine
    this.#world = world
    const far = "link" in input ? this.#farEnd(machine, input.link) : null
    const entry = this.#add({
      atMs: world.nowMs,
      node: name,
      kind: input._tag,
      what: this.#inputWords(input, far, world),
      cause: this.#causeOf(machine, input, far),
      did: didWords(commands)
    })
    this.#open = { input, entry }
    for (const frame of framesOf(commands)) {
      this.#sentBy.set(frame, entry.id)
      if (!isKernel(machine)) this.#saidBy.set(JSON.stringify(frame), entry.id)
    }
    for (const command of commands) this.#heed(command, machine, entry.id, process)
    this.#look(world)
  }

  finish(): Recording {
    const world = this.#world
    if (world !== null) this.#look(world)
    return {
      entries: this.#entries,
      happenings: this.#happenings,
      beliefs: this.#beliefs.all,
      nodes: world?.machines.map(({ name }) => name) ?? []
    }
  }

  #look(world: World): void {
    this.#beliefs.look(world, world.nowMs, (name) => {
      const struck = this.struckLast([name])
      return struck === null ? null : this.#entries[struck]!.atMs
    })
  }

  #add(of: Omit<Entry, "id" | "events" | "changes">): Draft {
    const entry: Draft = {
      id: this.#entries.length,
      events: this.#world?.events ?? 0,
      changes: NO_CHANGES,
      ...of
    }
    this.#entries.push(entry)
    return entry
  }

  #stepped({ after, before, commands, input, machine, nowMs }: Observation): void {
    // What is done in the calm afterwards is no part of the run.
    if (this.#open?.input !== input) return
    const { entry } = this.#open
    entry.changes = changesOf(before, after, commands, (id) => machine.world.nameOf(id))
    this.#beliefs.stepped(machine, after, nowMs)
  }

  #farEnd(machine: Machine, link: number): string | null {
    const key = `${machine.name}/${machine.process}/${link}`
    const known = this.#ends.get(key)
    if (known !== undefined) return known
    const found = machine.farEnd(link)?.name
    if (found !== undefined) this.#ends.set(key, found)
    return found ?? null
  }

  /** `null`: it concerns everybody. */
  #namesIn({ about, detail }: Happening): ReadonlyArray<string> | null {
    if (about !== null) return [about]
    const words = new Set((detail.reason ?? "").split(/[^A-Za-z0-9_-]+/u))
    const names = this.#world?.machines.map(({ name }) => name).filter((name) => words.has(name)) ?? []
    return names.length === 0 ? null : names
  }

  /** The last thing that befell one of these. */
  struckLast(names: ReadonlyArray<string>): number | null {
    const found = this.#struck.findLast((one) => one.names === null || one.names.some((name) => names.includes(name)))
    return found?.entry ?? null
  }

  #after(names: ReadonlyArray<string>, by: By = "after"): Cause | null {
    const entry = this.struckLast(names)
    return entry === null ? null : { by, entry }
  }

  #causeOf(machine: Machine, input: Input, far: string | null): Cause | null {
    const { name, process } = machine
    const asked = (kind: string, n: number): number | undefined => this.#asked.get(`${name}/${process}/${kind}/${n}`)
    const known = (by: By, entry: number | undefined): Cause | null => (entry === undefined ? null : { by, entry })
    if (orders.includes(input._tag)) return this.#after([name], "script")
    switch (input._tag) {
      case "Received": {
        const sent =
          this.#sentBy.get(input.frame) ??
          (this.#saidBy.size === 0 ? undefined : this.#saidBy.get(JSON.stringify(input.frame)))
        return known("message", sent) ?? this.#after(far === null ? [name] : [name, far])
      }
      case "Woke":
        return known("alarm", this.#alarms.get(name))
      case "Stored":
      case "Checked":
      case "Signed":
        return known("answer", asked("ticket", input.ticket))
      case "Ponged":
        return known("answer", asked("probe", input.probe))
      case "DialFailed":
        return known("dial", asked("attempt", input.attempt))
      case "LinkUp":
        return input.attempt === null
          ? known("dial", this.#dialled.get(`${far} ${name}`))
          : known("dial", asked("attempt", input.attempt))
      case "LinkDown": {
        const hungUp = this.#hungUp.get(`${far} ${name}`) ?? -1
        const befell = this.struckLast(far === null ? [name] : [name, far]) ?? -1
        if (hungUp < 0 && befell < 0) return null
        return hungUp > befell ? { by: "end", entry: hungUp } : { by: "after", entry: befell }
      }
      // What nobody sent as it came: a lie, a stranger, a planted record. The script has something to do with it.
      default:
        return this.#after(far === null ? [name] : [name, far])
    }
  }

  #heed(command: Command, machine: Machine, entry: number, process: number): void {
    const { name, world } = machine
    const ask = (kind: string, n: number): void => void this.#asked.set(`${name}/${process}/${kind}/${n}`, entry)
    switch (command._tag) {
      case "SetAlarm":
        this.#alarms.set(name, entry)
        return
      case "Persist":
        ask("ticket", command.ticket)
        for (const next of command.then) this.#heed(next, machine, entry, process)
        return
      case "Check":
      case "Sign":
        return ask("ticket", command.ticket)
      case "Ping":
        return ask("probe", command.probe)
      case "Dial":
        this.#dialled.set(`${name} ${world.nameOf(command.to)}`, entry)
        return ask("attempt", command.attempt)
      case "Hangup":
        this.#hungUp.set(`${name} ${this.#farEnd(machine, command.link)}`, entry)
        return
      default:
    }
  }

  #inputWords(input: Input, far: string | null, world: World): string {
    const of = far === null ? "" : ` of ${far}`
    const link = far === null ? "a link" : `the link with ${far}`
    switch (input._tag) {
      case "Received":
        return `${frameWords(input.frame)}${of}`
      case "Woke":
        return "its alarm"
      case "Started":
        return "its start"
      case "Stored":
        return "its record is stored"
      case "Checked":
        return input.deviceId === null ? "a key is no key" : `proofs of ${world.nameOf(input.deviceId)} are checked`
      case "Signed":
        return input.signatures === null ? "its key refuses" : "its key has signed"
      case "LinkUp":
        return `${link} opens`
      case "LinkDown":
        return `${link} is ${input.reason}`
      case "DialFailed":
        return `a dial comes to nothing: ${input.reason}`
      case "Ponged":
        return `a pong${of}`
      case "Backlog":
        return `${input.bytes} bytes wait${far === null ? "" : ` for ${far}`}`
      case "Malformed":
      case "Ignored":
        return `a message${of} that ${input._tag === "Ignored" ? "it does not know" : `does not read: ${input.code}`}`
      case "Stalled":
        return `it stood still for ${input.ms} ms`
      case "Carrier":
        return `its carrier is ${input.up ? "up" : "gone"}`
      case "Sighted":
      case "Lost":
        return `${world.nameOf(input.deviceId)} is ${input._tag === "Sighted" ? "sighted" : "no longer advertised"}`
      case "Trust":
        return `its operator trusts ${world.nameOf(input.device.deviceId)}`
      case "Distrust":
        return `its operator no longer trusts ${world.nameOf(input.deviceId)}`
      case "Reconfigure":
        return `its operator names the electors: version ${input.manifest.version}`
      case "Sensed":
        return `it has something to say: ${input.kind}`
      case "Asked":
        return "a program has a message"
      case "Delivered":
        return `a handler ${input.ok ? "has taken" : "has not taken"} a message`
      case "Driven":
        return `an actuator ${input.ok ? "has done" : "has not done"} what it was told`
      case "Inferred":
        return "delta" in input.said ? "its model says something" : "its model is done"
      case "Prompt":
        return "a program asks a model"
      case "Unprompt":
        return "a program does without its model"
      case "Hold":
        return `a person ${input.on ? "holds" : "releases"} ${input.group ?? "all that it moves"}`
      case "Engine":
        return `its planner works ${input.runs ? "again" : "no more"}`
      case "Advised":
        return input.drafts === null ? "its language model fails" : "its language model drafts something"
      case "Propose":
        return `a planner would have ${input.actuator} ${input.state}`
      case "Decide":
        return `${input.by} ${input.approve ? "approves" : "rejects"} a proposal`
      case "Leave":
        return "its operator asks it to leave"
    }
  }
}
