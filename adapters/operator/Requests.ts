/**
 * What a request to the operator's socket asks for, read from its method and address. Whatever does not read is a failure with
 * its reason; a parameter that we do not know is refused, because to leave a filter out would answer another question.
 */
import { isDeviceId } from "../../kernel/identity/MeshId.ts"
import * as Api from "./Api.ts"
import { failure, type Failure } from "./Failure.ts"
import type { Question, WorldQuestion } from "./Views.ts"
import { kinds, type Kind } from "../../kernel/wire/ContextFrame.ts"

export type Asked =
  | { readonly _tag: Read | "add" | "elect" | "invite" | "shut" | Post }
  | { readonly _tag: "remove"; readonly id: string }
  | { readonly _tag: "events"; readonly question: Question }
  | { readonly _tag: "world"; readonly question: WorldQuestion }
  | { readonly _tag: "trace"; readonly frameId: string }
  | { readonly _tag: "echo"; readonly id: string }
  /** The events from now on, after the last `question.limit` of those that are kept. */
  | { readonly _tag: "follow"; readonly question: Question }

/** Kinds in one question: more than there are names would be the same ones again. */
const KINDS_MAX = Api.eventNames.length

const refused = (message: string): Failure => failure("WRONG_USE", message)

/** Of a name, a zone, or the id of a frame. */
const WORD_UNITS_MAX = 128

const PARAMETERS = new Set(["limit", "type", "since", "follow", "about"])

const readEvents = (parameters: URLSearchParams): Asked | Failure => {
  for (const name of parameters.keys()) {
    if (!PARAMETERS.has(name)) return refused(`no parameter ${JSON.stringify(name.slice(0, 32))} of /events`)
    if (parameters.getAll(name).length > 1) return refused(`${name} is given twice`)
  }
  const follow = parameters.has("follow")
  const since = parameters.get("since")
  if (since !== null && !/^\d{1,15}$/u.test(since)) return refused("since is a number of ms since 1970")
  const limit = parameters.get("limit")
  if (limit !== null && (!/^\d{1,4}$/u.test(limit) || Number(limit) > Api.EVENTS_MAX))
    return refused(`limit is a number from 0 to ${Api.EVENTS_MAX}`)
  const kinds = (parameters.get("type") ?? "").split(",").filter((kind) => kind !== "")
  if (kinds.length > KINDS_MAX) return refused(`type names at most ${KINDS_MAX} kinds`)
  const unknown = kinds.find((kind) => !Api.isKind(kind))
  if (unknown !== undefined)
    return refused(`no kind ${JSON.stringify(unknown.slice(0, 32))}; there are ${Api.eventKinds.join(" ")}`)
  const about = parameters.get("about")
  if (about !== null && (about === "" || about.length > WORD_UNITS_MAX))
    return refused("about is the name of a device, of what moves, or of a proposal")
  const byDefault = since === null ? (follow ? 0 : Api.EVENTS_DEFAULT) : Api.EVENTS_MAX
  const question: Question = {
    sinceMs: since === null ? null : Number(since),
    kinds,
    about,
    limit: limit === null ? byDefault : Number(limit)
  }
  return { _tag: follow ? "follow" : "events", question }
}

const WORLD_PARAMETERS = new Set(["limit", "kind", "zone", "source"])

const readWorld = (parameters: URLSearchParams): Asked | Failure => {
  for (const name of parameters.keys()) {
    if (!WORLD_PARAMETERS.has(name)) return refused(`no parameter ${JSON.stringify(name.slice(0, 32))} of /world`)
    if (parameters.getAll(name).length > 1) return refused(`${name} is given twice`)
  }
  const limit = parameters.get("limit")
  if (limit !== null && (!/^[1-9]\d{0,4}$/u.test(limit) || Number(limit) > Api.WORLD_MAX))
    return refused(`limit is a number from 1 to ${Api.WORLD_MAX}`)
  const kind = parameters.get("kind")
  if (kind !== null && !kinds.includes(kind as Kind))
    return refused(`no kind ${JSON.stringify(kind.slice(0, 32))}; there are ${kinds.join(" ")}`)
  const source = parameters.get("source")
  if (source !== null && !isDeviceId(source)) return refused("source is a whole id: 64 hex digits")
  const zone = parameters.get("zone")
  if (zone !== null && zone.length > WORD_UNITS_MAX) return refused(`a zone has at most ${WORD_UNITS_MAX} characters`)
  const question = {
    limit: limit === null ? Api.WORLD_DEFAULT : Number(limit),
    kind: kind as Kind | null,
    source,
    zone
  }
  return { _tag: "world", question }
}

const readTrace = (parameters: URLSearchParams): Asked | Failure => {
  const frameId = parameters.get("frame") ?? ""
  return [...parameters.keys()].length === 1 && frameId !== "" && frameId.length <= WORD_UNITS_MAX
    ? { _tag: "trace", frameId }
    : refused("/trace takes one frame: /trace?frame=ID")
}

const POSTS = new Set(["hold", "hold-of", "command", "propose", "token", "decide", "engine"] as const)
type Post = typeof POSTS extends Set<infer P> ? P : never
const isPost = (word: string): word is Post => (POSTS as ReadonlySet<string>).has(word)
const READS = new Set([
  "status",
  "peers",
  "health",
  "trust",
  "actuators",
  "proposals",
  "electors",
  "farm",
  "invites"
] as const)
type Read = typeof READS extends Set<infer R> ? R : never
const isRead = (word: string): word is Read => (READS as ReadonlySet<string>).has(word)

/** @param target as it stands in the request line: `/events?type=peer` */
export const read = (method: string, target: string): Asked | Failure => {
  const url = URL.parse(target, "http://node.sock")
  if (url === null || !target.startsWith("/")) return refused("this is no address")
  const path = url.pathname.slice(1)
  if (path === "events") return method === "GET" ? readEvents(url.searchParams) : refused("events are only read")
  if (path === "world") return method === "GET" ? readWorld(url.searchParams) : refused("the world is only read")
  if (path === "trace") return method === "GET" ? readTrace(url.searchParams) : refused("traces are only read")
  if (url.search !== "") return refused(`/${path.slice(0, 32)} has no parameters`)
  if (method === "GET" && isRead(path)) return { _tag: path }
  if (path === "trust" && method === "POST") return { _tag: "add" }
  if (path === "electors" && method === "POST") return { _tag: "elect" }
  if (method === "POST" && isPost(path)) return { _tag: path }
  if (path === "invites" && method === "POST") return { _tag: "invite" }
  if (path === "invites" && method === "DELETE") return { _tag: "shut" }
  if (path.startsWith("trust/") && method === "DELETE") {
    const id = path.slice("trust/".length)
    return isDeviceId(id) ? { _tag: "remove", id } : refused("DELETE /trust/ID takes a whole id: 64 hex digits")
  }
  if (path.startsWith("echo/") && method === "POST") {
    const id = path.slice("echo/".length)
    return isDeviceId(id) ? { _tag: "echo", id } : refused("POST /echo/ID takes a whole id: 64 hex digits")
  }
  if (isRead(path)) return refused(`${method} /${path} is nothing that this node does`)
  return failure("NOT_FOUND", `nothing at /${path.slice(0, 64)}: this node is of another version`)
}
