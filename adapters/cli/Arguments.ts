/**
 * The words after `clawmesh`, understood or refused with the way out.
 *
 * No abbreviations of commands, and no free text: a slip of the finger must never do something else. Reads words only; whether
 * a name, a role or a kind exists is asked where the answer is known. Built on node:util's parseArgs, because starting is most
 * of what a command takes.
 */
import { parseArgs } from "node:util"
import { hint, nearest } from "../config/Spelling.ts"
import { completion, type Shell, shells } from "./Completion.ts"

/** What `wait` waits for. */
export const awaited = ["ready", "leader", "peer"] as const
/** As long as a start takes on a slow card, several times over. */
const WAIT_MS = 30_000

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
  | {
      readonly _tag: "status" | "trust list" | "trust pending" | "electors list" | "suspend" | "resume" | "invite shut"
    }
  | {
      readonly _tag: "init"
      /** Of the mesh that it founds; `null`: it founds none. */
      readonly mesh: string | null
      /** `null`: the host name. */
      readonly name: string | null
      readonly role: string
      /** One more identity on this machine. */
      readonly second: boolean
    }
  | {
      readonly _tag: "invite"
      readonly role: string
      readonly may: ReadonlyArray<string>
      /** `null`: as the device calls itself. */
      readonly name: string | null
      /** `null`: for as long as usual. */
      readonly forMs: number | null
      readonly file: string | null
      readonly qr: boolean
      readonly waits: boolean
    }
  | {
      readonly _tag: "join"
      /** Or a link, or a file that holds one. */
      readonly code: string
      readonly at: string | null
      readonly name: string | null
    }
  | { readonly _tag: "trust show"; readonly name: string }
  | { readonly _tag: "trust rename"; readonly name: string; readonly as: string }
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
      /** What it may move; `null`: as it stands. */
      readonly may: ReadonlyArray<string> | null
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
  | {
      readonly _tag: "wait"
      readonly what: (typeof awaited)[number]
      /** Of a peer; `null`: of none. */
      readonly name: string | null
      readonly timeoutMs: number
    }
  | { readonly _tag: "completion"; readonly shell: Shell }
  /** What the service has said. How far back; `null`: the last lines. */
  | { readonly _tag: "logs"; readonly follow: boolean; readonly sinceMs: number | null }
  | {
      readonly _tag: "doctor"
      readonly fix: boolean
      /** Warnings count, too. */
      readonly strict: boolean
      /** The configuration that is meant; `null`: the one that clawmesh-node would read. */
      readonly config: string | null
    }

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
  all: { type: "boolean" },
  fix: { type: "boolean" },
  strict: { type: "boolean" },
  config: { type: "string" },
  timeout: { type: "string" },
  mesh: { type: "string" },
  second: { type: "boolean" },
  may: { type: "string" },
  file: { type: "string" },
  qr: { type: "boolean" },
  "no-wait": { type: "boolean" },
  shut: { type: "boolean" },
  at: { type: "string" }
} as const
type Flag = keyof typeof options
const isFlag = (name: string): name is Flag => Object.hasOwn(options, name)

const EVERYWHERE: ReadonlyArray<Flag> = ["json", "no-color", "quiet", "state", "help", "version"]

/** Each command with the flags of its own and how many words follow it, at least and at most. */
const commands: {
  readonly [name: string]: { readonly flags: ReadonlyArray<Flag>; readonly words: readonly [number, number] }
} = {
  init: { flags: ["mesh", "name", "role", "second"], words: [0, 0] },
  invite: { flags: ["role", "may", "name", "for", "file", "qr", "no-wait", "shut"], words: [0, 0] },
  join: { flags: ["at", "name"], words: [1, 1] },
  status: { flags: [], words: [0, 0] },
  peers: { flags: [], words: [0, 1] },
  events: { flags: ["follow", "since", "kind", "about"], words: [0, 0] },
  world: { flags: ["zone", "kind", "source"], words: [0, 0] },
  trace: { flags: [], words: [1, 1] },
  ping: { flags: ["count"], words: [1, 1] },
  doctor: { flags: ["fix", "strict", "config"], words: [0, 0] },
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
  "trust add": { flags: ["role", "name", "key", "may", "gen1"], words: [1, 1] },
  "trust show": { flags: [], words: [1, 1] },
  "trust pending": { flags: [], words: [0, 0] },
  "trust revoke": { flags: [], words: [1, 1] },
  "trust rename": { flags: [], words: [2, 2] },
  "trust remove": { flags: [], words: [1, 1] },
  farm: { flags: [], words: [0, 1] },
  "electors list": { flags: [], words: [0, 0] },
  "electors add": { flags: [], words: [1, 1] },
  "electors remove": { flags: [], words: [1, 1] },
  "electors replace": { flags: [], words: [2, 2] },
  "electors readmit": { flags: [], words: [1, 1] },
  wait: { flags: ["timeout"], words: [1, 2] },
  logs: { flags: ["follow", "since"], words: [0, 0] },
  completion: { flags: [], words: [1, 1] },
  bundle: { flags: [], words: [0, 1] },
  replay: { flags: [], words: [1, 1] },
  version: { flags: [], words: [0, 0] },
  help: { flags: [], words: [0, 2] }
}
const firstWords = [...new Set(Object.keys(commands).map((name) => name.split(" ")[0]!))]
const second: { readonly [first: string]: ReadonlyArray<string> } = {
  trust: ["list", "show", "pending", "add", "rename", "revoke", "remove"],
  person: ["new"],
  electors: ["list", "add", "remove", "replace", "readmit"],
  proposals: ["list", "show", "approve", "reject"]
}

export const roles = "node planner field sensor actuator viewer standby-planner"

const needs: { readonly [flag: string]: string } = {
  state: "--state needs a directory, such as --state /var/lib/clawmesh",
  config: "--config needs a file, such as --config /etc/clawmesh/node.yaml",
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
  timeout: "--timeout needs a time, such as --timeout 30s",
  mesh: "--mesh needs a name, such as --mesh bhoomi",
  may: "--may needs what it may move, such as --may pump-3 or --may pump-3,gate-1",
  file: "--file needs a file, such as --file jetson-3.invite",
  at: "--at needs an address and a port, such as --at 192.168.1.41:18789",
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

/** `--may none` takes everything back. */
const mayOf = (flags: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  (flags.get("may") ?? "").split(",").filter((ref) => ref !== "" && ref !== "none")

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
  if (word === undefined) return "trust needs one word more: clawmesh trust list, show, pending, add, rename or revoke"
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
  wait: `wait needs what for: clawmesh wait ${awaited.join(", ")} NAME`,
  completion: `completion needs a shell: clawmesh completion ${shells.join(", ")}`,
  replay: "replay needs a bundle, a file of a recording, or a state directory: clawmesh replay incident.tar.gz",
  ping: "ping needs a name or an id: clawmesh ping NAME; clawmesh peers shows them",
  join: "join needs the code that clawmesh invite shows: clawmesh join K7QF-2M9X-TR4B-8WN3",
  "trust show": "trust show needs a name or an id: clawmesh trust list shows them",
  "trust rename": "trust rename needs two: clawmesh trust rename NAME NEW",
  "trust revoke": "trust revoke needs a name or an id: clawmesh trust list shows them",
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
      const may = flags.has("may") ? mayOf(flags) : null
      return ordered({
        _tag: name,
        id: rest[0]!,
        role,
        name: flags.get("name") ?? null,
        key,
        may,
        gen1: flags.has("gen1")
      })
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
    case "wait":
      return readWait(rest, flags.get("timeout"), misuse, ordered)
    case "completion": {
      const shell = shells.find((known) => known === rest[0])
      if (shell !== undefined) return ordered({ _tag: name, shell })
      return misuse(
        `no completion for ${JSON.stringify(rest[0])}${hint(rest[0]!, shells) || `; there are ${shells.join(", ")}`}`
      )
    }
    case "logs": {
      const sinceMs = sinceOf(flags.get("since"))
      if (typeof sinceMs === "string") return misuse(sinceMs)
      return ordered({ _tag: name, follow: flags.has("follow"), sinceMs })
    }
    case "doctor":
      return ordered({
        _tag: name,
        fix: flags.has("fix"),
        strict: flags.has("strict"),
        config: flags.get("config") ?? null
      })
    case "person new":
      return ordered({ _tag: name, name: rest[0]! })
    case "trust remove":
    case "trust revoke":
      return ordered({ _tag: "trust remove", name: rest[0]! })
    case "trust show":
      return ordered({ _tag: name, name: rest[0]! })
    case "trust rename":
      return ordered({ _tag: name, name: rest[0]!, as: rest[1]! })
    case "init":
      if (!flags.has("mesh") && (flags.has("name") || flags.has("role")))
        return misuse("--name and --role are for a mesh that it founds: say --mesh NAME as well, or join one")
      return ordered({
        _tag: name,
        mesh: flags.get("mesh") ?? null,
        name: flags.get("name") ?? null,
        role: flags.get("role") ?? "planner",
        second: flags.has("second")
      })
    case "join":
      return ordered({ _tag: name, code: rest[0]!, at: flags.get("at") ?? null, name: flags.get("name") ?? null })
    case "invite": {
      if (flags.has("shut"))
        return flags.size > 1 && [...flags.keys()].some((flag) => flag !== "shut" && !EVERYWHERE.includes(flag))
          ? misuse("invite --shut shuts the door, and takes no other flag")
          : ordered({ _tag: "invite shut" })
      const span = flags.get("for")
      const forMs = span === undefined ? null : readTime(span)
      if (span !== undefined && (forMs === null || forMs > 86_400_000))
        return misuse(`--for ${span}: write a time with a unit, a day at most, such as 5m or 24h`)
      return ordered({
        _tag: name,
        role: flags.get("role") ?? "viewer",
        may: mayOf(flags),
        name: flags.get("name") ?? null,
        forMs,
        file: flags.get("file") ?? null,
        qr: flags.has("qr"),
        waits: !flags.has("no-wait")
      })
    }
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

const readWait = (
  [word, name]: ReadonlyArray<string>,
  timeout: string | undefined,
  misuse: (message: string) => Reading,
  ordered: (order: Order) => Reading
): Reading => {
  const what = awaited.find((known) => known === word)
  if (what === undefined) {
    const meant = hint(word!, awaited)
    return misuse(
      `nothing called ${JSON.stringify(word)} is waited for${meant || `; there are ${awaited.join(", ")} NAME`}`
    )
  }
  if (what === "peer" && name === undefined) return misuse("wait peer needs a name or an id: clawmesh peers shows them")
  if (what !== "peer" && name !== undefined) return misuse(`wait ${what} does not take ${JSON.stringify(name)}`)
  const timeoutMs = timeout === undefined ? WAIT_MS : readTime(timeout)
  if (timeoutMs === null) return misuse(`--timeout ${timeout}: write a time with a unit, such as 30s or 2m`)
  return ordered({ _tag: "wait", what, name: name ?? null, timeoutMs })
}

/** What this shell is to read. */
export const completionFor = (shell: Shell): string =>
  completion(shell, {
    commands: Object.fromEntries(Object.entries(commands).map(([name, { flags }]) => [name, flags])),
    everywhere: EVERYWHERE,
    valued: Object.entries(options).flatMap(([flag, { type }]) => (type === "string" ? [flag] : [])),
    words: { wait: awaited, completion: shells },
    values: { state: null, config: null, role: roles.split(" ") }
  })
