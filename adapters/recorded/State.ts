/**
 * The state of a node as plain data, and back. Everything in it is plain but the world's tables (HashMap) and lists that share
 * their arrays (Tail); these become lists in an order that does not depend on how they grew.
 *
 * Promises: what comes back does the same with every input; encoding it again gives the same text.
 */
import * as HashMap from "effect/HashMap"
import { gunzipSync } from "node:zlib"
import type { NodeState } from "../../kernel/Node.ts"
import { compareText } from "../../kernel/Order.ts"
import type { Log } from "../../kernel/world/Log.ts"
import type { Origin } from "../../kernel/world/Origin.ts"
import * as Tail from "../../kernel/world/Tail.ts"

/** Of some hundred bytes each: a piece takes less than a ms. */
const ITEMS_AT_ONCE = 256

function* list(items: ReadonlyArray<unknown>): Generator<string, void> {
  yield "["
  for (let at = 0; at < items.length; at += ITEMS_AT_ONCE)
    yield `${at === 0 ? "" : ","}${JSON.stringify(items.slice(at, at + ITEMS_AT_ONCE)).slice(1, -1)}`
  yield "]"
}

function* each<A>(items: ReadonlyArray<A>, encode: (item: A) => Generator<string, void>): Generator<string, void> {
  yield "["
  for (const [at, item] of items.entries()) {
    if (at > 0) yield ","
    yield* encode(item)
  }
  yield "]"
}

const sorted = <A>(map: HashMap.HashMap<string, A>): ReadonlyArray<readonly [string, A]> =>
  [...HashMap.entries(map)].sort(([a], [b]) => compareText(a, b))

/** The beginning of an object that goes on with `name`. */
const open = (value: object, name: string): string => `${JSON.stringify(value).slice(0, -1)},"${name}":`

function* encodeLog({ tail, ...rest }: Log): Generator<string, void> {
  yield open(rest, "tail")
  yield* list(Tail.listOf(tail))
  yield "}"
}

function* encodeOrigin({ entries, logs, seen, seenIds, unsigned, ...rest }: Origin): Generator<string, void> {
  yield open(rest, "logs")
  yield* each(logs, encodeLog)
  yield `,"entries":`
  yield* list(sorted(entries))
  yield `,"seen":`
  yield* list(Tail.listOf(seen))
  yield `,"seenIds":`
  yield* list(sorted(seenIds).map(([id]) => id))
  yield `,"unsigned":`
  yield* list(Tail.listOf(unsigned))
  yield "}"
}

/** As JSON, in small pieces: a state never changes, so that whoever writes it may do something else in between. */
export function* encode({ world: { origins, ...known }, ...rest }: NodeState): Generator<string, void> {
  yield `${open(rest, "world")}${open(known, "origins")}`
  yield* each(origins, encodeOrigin)
  yield "}}"
}

export const text = (state: NodeState): string => [...encode(state)].join("")

type Listed<A, K extends keyof A> = { readonly [P in keyof A]: P extends K ? ReadonlyArray<never> : A[P] }
interface Encoded extends Omit<NodeState, "world"> {
  readonly world: Omit<NodeState["world"], "origins"> & {
    readonly origins: ReadonlyArray<
      Omit<Listed<Origin, "seen" | "seenIds" | "unsigned">, "entries" | "logs"> & {
        readonly entries: ReadonlyArray<readonly [string, never]>
        readonly logs: ReadonlyArray<Listed<Log, "tail">>
      }
    >
  }
}

/** Of what `encode` gave. Throws on anything else. */
export const decode = (encoded: string): NodeState => {
  const { world, ...rest } = JSON.parse(encoded) as Encoded
  const origins = world.origins.map((origin) => ({
    ...origin,
    logs: origin.logs.map((log) => ({ ...log, tail: Tail.of(log.tail) })),
    entries: HashMap.fromIterable(origin.entries),
    seen: Tail.of(origin.seen),
    seenIds: HashMap.fromIterable(origin.seenIds.map((id) => [id, true] as const)),
    unsigned: Tail.of(origin.unsigned)
  }))
  return { ...rest, world: { ...world, origins } }
}

/** How it stands in a recording: a large one is a tenth so large. `zipped`: what `encode` gave, by gzip. */
export const packed = (zipped: Uint8Array): string => Buffer.from(zipped).toString("base64")

export const unpacked = (state: string): string => gunzipSync(Buffer.from(state, "base64")).toString("utf8")
