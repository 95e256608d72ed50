/**
 * The words after `clawmesh`, understood or refused with the way out.
 *
 * No abbreviations of commands, and no free text: a slip of the finger must never do something else. Reads words only; whether
 * a name, a role or a kind exists is asked where the answer is known. Built on node:util's parseArgs, because starting is most
 * of what a command takes.
 */
import { parseArgs } from "node:util"
import { hint, nearest } from "../config/Spelling.ts"

export interface Manner {
  readonly json: boolean
  readonly colour: boolean
  /** Only the answer: no hints, and not a word about a change that was made. */
  readonly quiet: boolean
  /** `null`: where this user's node keeps its state. */
  readonly state: string | null
}

export type Order =
  | { readonly _tag: "help" | "version" }
  | { readonly _tag: "status" | "trust list" | "electors list" | "suspend" | "resume" }
  | { readonly _tag: "peers"; readonly name: string | null }
  | {
      readonly _tag: "events"
      readonly follow: boolean
      /** How far back; `null`: as far as is kept. */
      readonly sinceMs: number | null
      readonly kinds: ReadonlyArray<string>
      readonly about: string | null
    }
  | {
      readonly _tag: "trust add"
      readonly id: string
      readonly role: string
      /** `null`: as it stands, or as the device calls itself. */
      readonly name: string | null
      readonly key: string | null
      readonly gen1: boolean
    }
  | { readonly _tag: "trust remove"; readonly name: string }
  | {
      readonly _tag: "electors change"
      readonly change: "add" | "remove" | "replace" | "readmit"
      readonly name: string
      /** In whose place; `null`: in nobody's. */
      readonly of: string | null
    }
  | {
      readonly _tag: "world"
      readonly zone: string | null
      readonly kinds: ReadonlyArray<string>
      /** Whose word, by name or id. */
      readonly source: string | null
    }
  | { readonly _tag: "trace"; readonly frame: string }
  | { readonly _tag: "farm"; readonly zone: string | null }
  | { readonly _tag: "actuators" }
  /** `null`: all groups. */
  | { readonly _tag: "hold" | "release"; readonly group: string | null }
  | { readonly _tag: "hold of"; readonly actuator: string }
  | {
      readonly _tag: "set"
      readonly actuator: string
      readonly state: string
      /** `null`: nothing is said, as for the safe state. */
      readonly forMs: number | null
      readonly again: boolean
    }
  | {
      readonly _tag: "propose"
      readonly actuator: string
      readonly state: string
      readonly forMs: number | null
      /** Frames; none: the word of whoever says so. */
      readonly because: ReadonlyArray<string>
      readonly again: boolean
      readonly by: string | null
    }
  /** How far back; `null`: as far as is kept. */
  | { readonly _tag: "audit"; readonly sinceMs: number | null }
  | { readonly _tag: "proposals list"; readonly all: boolean }
  | { readonly _tag: "proposals show"; readonly id: string }
  | {
      readonly _tag: "proposals approve" | "proposals reject"
      readonly id: string
      /** `null`: the user of this machine. */
      readonly by: string | null
      /** The state that the person saw; `null`: it is not said. */
      readonly shown: string | null
      /** The name of what is moved; `null`: the person does not type it. */
      readonly typed: string | null
    }
  /** The key of whoever uses this account. */
  | { readonly _tag: "person" }
  | { readonly _tag: "person new"; readonly name: string }
  /** Where it goes; `null`: into the working directory, by its name and time. */
  | { readonly _tag: "bundle"; readonly file: string | null }
  | { readonly _tag: "replay"; readonly file: string }
  | { readonly _tag: "ping"; readonly name: string; readonly count: number }

export type Reading =
  | { readonly order: Order; readonly manner: Manner }
  | { readonly misuse: string; readonly manner: Manner }

const options = {
  json: { type: "boolean" },
  "no-color": { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  state: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
  follow: { type: "boolean", short: "f" },
  since: { type: "string" },
  kind: { type: "string" },
  about: { type: "string" },
  role: { type: "string" },
  name: { type: "string" },
  key: { type: "string" },
  gen1: { type: "boolean" },
  zone: { type: "string" },
  source: { type: "string" },
  count: { type: "string" },
  for: { type: "string" },
  again: { type: "boolean" },
  of: { type: "string" },
  because: { type: "string" },
  by: { type: "string" },
  shown: { type: "string" },
  confirm: { type: "string" },
  all: { type: "boolean" }
} as const
type Flag = keyof typeof options
const isFlag = (name: string): name is Flag => Object.hasOwn(options, name)

const EVERYWHERE: ReadonlyArray<Flag> = ["json", "no-color", "quiet", "state", "help", "version"]

/** Each command with the flags of its own and how many words follow it, at least and at most. */
const commands: {
  readonly [name: string]: { readonly flags: ReadonlyArray<Flag>; readonly words: readonly [number, number] }
} = {
  status: { flags: [], words: [0, 0] },
  peers: { flags: [], words: [0, 1] },
  events: { flags: ["follow", "since", "kind", "about"], words: [0, 0] },
  world: { flags: ["zone", "kind", "source"], words: [0, 0] },
  trace: { flags: [], words: [1, 1] },
  ping: { flags: ["count"], words: [1, 1] },
  actuators: { flags: [], words: [0, 0] },
  set: { flags: ["for", "again"], words: [2, 2] },
  hold: { flags: ["of"], words: [0, 1] },
  release: { flags: [], words: [0, 1] },
  audit: { flags: ["since"], words: [0, 0] },
  suspend: { flags: [], words: [0, 0] },
  resume: { flags: [], words: [0, 0] },
  propose: { flags: ["for", "because", "again", "by"], words: [2, 2] },
  "proposals list": { flags: ["all"], words: [0, 0] },
  "proposals show": { flags: [], words: [1, 1] },
  "proposals approve": { flags: ["by", "shown", "confirm"], words: [1, 1] },
  "proposals reject": { flags: ["by"], words: [1, 1] },
  person: { flags: [], words: [0, 0] },
  "person new": { flags: [], words: [1, 1] },
  "trust list": { flags: [], words: [0, 0] },
  "trust add": { flags: ["role", "name", "key", "gen1"], words: [1, 1] },
  "trust remove": { flags: [], words: [1, 1] },
  farm: { flags: [], words: [0, 1] },
  "electors list": { flags: [], words: [0, 0] },
  "electors add": { flags: [], words: [1, 1] },
  "electors remove": { flags: [], words: [1, 1] },
  "electors replace": { flags: [], words: [2, 2] },
  "electors readmit": { flags: [], words: [1, 1] },
  bundle: { flags: [], words: [0, 1] },
  replay: { flags: [], words: [1, 1] },
  version: { flags: [], words: [0, 0] },
  help: { flags: [], words: [0, 2] }
}
const firstWords = [...new Set(Object.keys(commands).map((name) => name.split(" ")[0]!))]
const second: { readonly [first: string]: ReadonlyArray<string> } = {
  trust: ["list", "add", "remove"],
  person: ["new"],
  electors: ["list", "add", "remove", "replace", "readmit"],
  proposals: ["list", "show", "approve", "reject"]
}

export const roles = "node planner field sensor actuator viewer standby-planner"

const needs: { readonly [flag: string]: string } = {
  state: "--state needs a directory, such as --state /var/lib/clawmesh",
  since: "--since needs a time, such as --since 1h",
  kind: "--kind needs kinds, such as --kind peer,leader of events, or --kind observation of the world",
  zone: "--zone needs a zone, such as --zone zone-1",
  source: "--source needs a name or an id: clawmesh peers shows them",
  count: "--count needs a number, such as --count 3",
  for: "--for needs a time, such as --for 20m",
  because: "--because needs frames, such as --because 4f0c…,9d21…; clawmesh world --json shows ids",
  by: "--by needs the name of a person, such as --by asha",
  shown: "--shown needs a state, such as --shown closed",
  confirm: "--confirm needs the name of what is moved, such as --confirm gate-1",
  about: "--about needs a name, such as --about pump-1: of a device, of what moves, or of a proposal",
  of: "--of needs an actuator, such as --of pump-1",
  role: `--role needs a role: ${roles}`,
  name: "--name needs a name, such as --name barn-laptop",
  key: "--key needs the device's public key, as clawmesh-node id prints it; one that begins with a hyphen as --key=-…"
}

/** A time with a unit, in whole ms; else `null`. */
const readTime = (text: string): number | null => {
  const found = /^(\d{1,6}(?:\.\d{1,3})?)(s|m|h|d)$/u.exec(text)
  if (found === null) return null
  const ms = Math.round(Number(found[1]) * { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[found[2] as "s"])
  return ms > 0 ? ms : null
}

/** How far back; a sentence where it does not read. */
const sinceOf = (since: string | undefined): number | null | string =>
  since === undefined
    ? null
    : (readTime(since) ?? `--since ${since}: write a time with a unit, such as 90s, 20m, 1h or 2d`)

interface Given {
  readonly flags: Map<Flag, string>
  readonly words: ReadonlyArray<string>
  readonly problem: string | null
}

const collect = (words: ReadonlyArray<string>): Given => {
  // Not strict: parseArgs throws at the first mistake and offers no way out.
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true })
  const flags = new Map<Flag, string>()
  const positionals: Array<string> = []
  let problem: string | null = null
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value)
    if (token.kind !== "option") continue
    const { inlineValue, name, rawName, value } = token
    if (!isFlag(name)) {
      const known = Object.keys(options).map((flag) => `--${flag}`)
      problem ??= `no flag ${rawName}${hint(rawName, known) || "; clawmesh help shows all"}`
    } else if (options[name].type === "boolean") {
      if (value !== undefined) problem ??= `--${name} takes no value; leave out ${JSON.stringify(`=${value}`)}`
      flags.set(name, "")
    } else if (value === undefined || value === "" || (value.startsWith("-") && inlineValue !== true)) {
      problem ??= needs[name]!
    } else if (flags.has(name)) {
      problem ??= `--${name} is given twice`
    } else flags.set(name, value)
  }
  return { flags, words: positionals, problem }
}

/** The command that the words name and the words after it, or what is wrong with them. */
const commandOf = (
  words: ReadonlyArray<string>
): { readonly name: string; readonly rest: ReadonlyArray<string> } | string => {
  const [first, word] = words
  if (first === undefined) return "no command given; write clawmesh status, or clawmesh help for all"
  const nouns = Object.hasOwn(second, first) ? second[first] : undefined
  // Without a verb of its own to look is meant; trust was first, and has none.
  if ((first === "proposals" || first === "electors") && word === undefined) return { name: `${first} list`, rest: [] }
  if (first === "person" && word === undefined) return { name: first, rest: [] }
  if (nouns === undefined) {
    if (Object.hasOwn(commands, first)) return { name: first, rest: words.slice(1) }
    const meant = nearest(first, firstWords)
    return `no command ${JSON.stringify(first)}; ${meant === null ? "clawmesh help shows all" : `did you mean clawmesh ${meant}?`}`
  }
  if (word === undefined) return "trust needs one word more: clawmesh trust list, add or remove"
  if (nouns.includes(word)) return { name: `${first} ${word}`, rest: words.slice(2) }
  const meant = nearest(word, nouns)
  return `no command ${first} ${JSON.stringify(word)}; ${
    meant === null
      ? `there are ${nouns
          .slice(0, -1)
          .map((noun) => `${first} ${noun}`)
          .join(", ")} and ${first} ${nouns.at(-1)}`
      : `did you mean clawmesh ${first} ${meant}?`
  }`
}

const missing: { readonly [command: string]: string } = {
  "trust add": "trust add needs the device's id: clawmesh trust add ID --role ROLE; clawmesh-node id prints it there",
  propose:
    "propose needs an actuator and a state: clawmesh propose pump-1 open --for 20m; clawmesh peers shows who can what",
  "proposals show": "proposals show needs an id: clawmesh proposals shows them",
  "proposals approve": "proposals approve needs an id: clawmesh proposals shows them",
  "proposals reject": "proposals reject needs an id: clawmesh proposals shows them",
  "person new": "person new needs the name of the person: clawmesh person new asha",
  "electors add": "electors add needs a name or an id: clawmesh trust list shows them",
  "electors remove": "electors remove needs a name or an id: clawmesh electors shows them",
  "electors replace": "electors replace needs two: clawmesh electors replace OLD NEW",
  "electors readmit":
    "electors readmit needs the name or id of an elector that lost its journal: clawmesh electors shows them",
  trace: "trace needs a frame: clawmesh trace ID; clawmesh world --json shows ids",
  set: "set needs an actuator and a state: clawmesh set pump-1 open --for 20m; clawmesh actuators shows both",
  replay: "replay needs a bundle, a file of a recording, or a state directory: clawmesh replay incident.tar.gz",
  ping: "ping needs a name or an id: clawmesh ping NAME; clawmesh peers shows them",
  "trust remove": "trust remove needs a name or an id: clawmesh trust list shows them"
}

export const readArguments = (args: ReadonlyArray<string>): Reading => {
  const { flags, problem, words } = collect(args)
  const manner: Manner = {
    json: flags.has("json"),
    colour: !flags.has("no-color"),
    quiet: flags.has("quiet"),
    state: flags.get("state") ?? null
  }
  const misuse = (message: string): Reading => ({ misuse: message, manner })
  const ordered = (order: Order): Reading => ({ order, manner })

  if (problem !== null) return misuse(problem)
  if (flags.has("help")) return ordered({ _tag: "help" })
  if (flags.has("version")) return ordered({ _tag: "version" })
  const command = commandOf(words)
  if (typeof command === "string") return misuse(command)
  const { name, rest } = command
  const { flags: own, words: bounds } = commands[name]!
  for (const flag of flags.keys())
    if (!EVERYWHERE.includes(flag) && !own.includes(flag)) return misuse(`${name} has no flag --${flag}`)
  if (rest.length < bounds[0]) return misuse(missing[name]!)
  const excess = rest[bounds[1]]
  if (excess !== undefined) return misuse(`${name} does not take ${JSON.stringify(excess)}`)

  switch (name) {
    case "peers":
      return ordered({ _tag: "peers", name: rest[0] ?? null })
    case "bundle":
      return ordered({ _tag: "bundle", file: rest[0] ?? null })
    case "replay":
      return ordered({ _tag: "replay", file: rest[0]! })
    case "events": {
      const sinceMs = sinceOf(flags.get("since"))
      if (typeof sinceMs === "string") return misuse(sinceMs)
      const kinds = (flags.get("kind") ?? "").split(",").filter((kind) => kind !== "")
      const about = flags.get("about") ?? null
      return ordered({ _tag: "events", follow: flags.has("follow"), sinceMs, kinds, about })
    }
    case "audit": {
      const sinceMs = sinceOf(flags.get("since"))
      if (typeof sinceMs === "string") return misuse(sinceMs)
      return ordered({ _tag: name, sinceMs })
    }
    case "trust add": {
      const role = flags.get("role")
      if (role === undefined) return misuse(`trust add needs a role: --role ${roles.replaceAll(" ", "|")}`)
      const key = flags.get("key") ?? null
      return ordered({ _tag: name, id: rest[0]!, role, name: flags.get("name") ?? null, key, gen1: flags.has("gen1") })
    }
    case "world": {
      const kinds = (flags.get("kind") ?? "").split(",").filter((kind) => kind !== "")
      return ordered({ _tag: name, zone: flags.get("zone") ?? null, kinds, source: flags.get("source") ?? null })
    }
    case "farm":
      return ordered({ _tag: name, zone: rest[0] ?? null })
    case "trace":
      return ordered({ _tag: name, frame: rest[0]! })
    case "ping": {
      const said = flags.get("count") ?? "1"
      const count = /^[1-9]\d{0,3}$/u.test(said) ? Number(said) : 0
      if (count === 0) return misuse(`--count ${said}: write a number from 1 to 9999`)
      return ordered({ _tag: name, name: rest[0]!, count })
    }
    case "person new":
      return ordered({ _tag: name, name: rest[0]! })
    case "trust remove":
      return ordered({ _tag: name, name: rest[0]! })
    case "electors add":
    case "electors remove":
    case "electors readmit":
      return ordered({
        _tag: "electors change",
        change: name.slice("electors ".length) as "add" | "remove" | "readmit",
        name: rest[0]!,
        of: null
      })
    case "electors replace":
      return ordered({ _tag: "electors change", change: "replace", name: rest[1]!, of: rest[0]! })
    case "hold": {
      const actuator = flags.get("of")
      if (actuator === undefined) return ordered({ _tag: name, group: rest[0] ?? null })
      if (rest.length > 0) return misuse("a group of this node, or --of an actuator: not both")
      return ordered({ _tag: "hold of", actuator })
    }
    case "release":
      return ordered({ _tag: name, group: rest[0] ?? null })
    case "proposals list":
      return ordered({ _tag: name, all: flags.has("all") })
    case "proposals show":
      return ordered({ _tag: name, id: rest[0]! })
    case "proposals approve":
    case "proposals reject":
      return ordered({
        _tag: name,
        id: rest[0]!,
        by: flags.get("by") ?? null,
        shown: flags.get("shown") ?? null,
        typed: flags.get("confirm") ?? null
      })
    case "propose":
    case "set": {
      const span = flags.get("for")
      const forMs = span === undefined ? null : readTime(span)
      if (span !== undefined && forMs === null)
        return misuse(`--for ${span}: write a time with a unit, such as 30s, 20m or 1h`)
      const wanted = { actuator: rest[0]!, state: rest[1]!, forMs, again: flags.has("again") }
      if (name === "set") return ordered({ _tag: name, ...wanted })
      const because = (flags.get("because") ?? "").split(",").filter((frame) => frame !== "")
      return ordered({ _tag: name, ...wanted, because, by: flags.get("by") ?? null })
    }
    default:
      return ordered({ _tag: name } as Order)
  }
}

export const help = `Shows and changes what the clawmesh-node on this machine does.

  clawmesh status                     this node and the mesh, one screen
  clawmesh peers [NAME]               one line each, or everything about one
  clawmesh events [-f]                what happened; -f goes on telling
      --since 1h  --kind peer,leader
      --about NAME                    of a device, of something that moves, or of a proposal
  clawmesh world                      what the mesh knows, with its age and how far to trust it
      --zone Z  --kind observation  --source NAME
  clawmesh farm [ZONE]                the farm, zone by zone: what is measured, what moves, what waits
  clawmesh trace FRAME                what led to a frame, and what came of it
  clawmesh ping NAME [--count N]      find, dial, shake hands, echo: one line each
  clawmesh actuators                  what this node moves: state, hold, and who has the lease
  clawmesh set ACTUATOR STATE         have it moved, here or on another device, at a person's word
      --for 20m  --again
  clawmesh propose ACTUATOR STATE     propose that it is moved, here or on another device
      --for 20m  --because FRAME,FRAME  --again  --by PERSON
  clawmesh proposals [list]           what waits for a person; --all: and what became of the rest
  clawmesh proposals show ID          what it would do, and what it rests on
  clawmesh proposals approve ID       have it done: its owner carries it out, once
      --by PERSON  --shown STATE      as whom; only if the actuator still is as it was seen
      --confirm NAME                  at level L3: the name of what is moved; a terminal asks for it
  clawmesh proposals reject ID        say no
      --by PERSON
  clawmesh person                     your own key, as node.yaml has it; with one, your decisions are signed with it
  clawmesh person new NAME            make one
  clawmesh hold [GROUP]               make safe what this node moves, and keep it so
      --of ACTUATOR                   what whichever device moves; it is released there
  clawmesh release [GROUP]            let go of it again
  clawmesh audit                      what was moved, refused and decided here, and whether the record is whole
      --since 1h
  clawmesh suspend                    this planner hands over and does not lead, while its node runs
  clawmesh resume                     it may again
  clawmesh trust list                 whom this node trusts, and who else is near
  clawmesh trust add ID --role ROLE   trust a device; say the same on the device
      --name NAME  --key KEY  --gen1
  clawmesh trust remove NAME          trust it no longer: its connection ends now
  clawmesh electors [list]            who elects, and which list of them waits to be in force
  clawmesh electors add NAME          also remove NAME, replace OLD NEW, readmit NAME (which lost its journal):
                                      one change, signed where the operator key is kept, and all nodes follow
  clawmesh bundle [FILE]              pack what this node can show of an incident into one file, without secrets:
                                      its recording, configuration, status, events and versions
  clawmesh replay FILE                do again what a recording holds, and see whether the same comes of it:
                                      a bundle, one file of a recording, or a state directory
  clawmesh version
  clawmesh help

  NAME is a name or a whole id, never a part of one. ID is one such as P-4F2K, or the whole one.
  PERSON is the user of this machine, if left out.
  ROLE is one of ${roles}.

  --json          documents for programs, each with its $type
  --quiet, -q     only the answer
  --no-color      so does NO_COLOR
  --state DIR     the state directory of the node; else $CLAWMESH_STATE, or the user's own

Exit codes
  0   done                                       4   not allowed
  1   done; the answer is no                     5   no such thing, or the name fits several
  2   wrong use                                  6   the mesh says no, for the reason that is told
  3   the node does not answer                   7   timed out
                                                 70  a defect of clawmesh
`
