/**
 * Two nodes dial each other at once (C17, L5, P3.5): every order in which the openings, frames, closes and answers of the key
 * stores can arrive is walked through, with states that were met before not walked again. Order within one direction of one
 * connection is kept, as TCP keeps it.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../kernel/Command.ts"
import type { NodeState } from "../../../kernel/Node.ts"
import type { Frame } from "../../../kernel/wire/Frame.ts"
import { configOf, Drive, type Given, type World } from "../drive.ts"

const world: World = { roles: { a: "field", b: "field" } }

type Item = { readonly _tag: "up" } | { readonly _tag: "frame"; readonly frame: Frame } | { readonly _tag: "close" }

interface Side {
  /** Number of the link at this end; 0: not open yet; -1: over. */
  readonly link: number
  readonly inbox: ReadonlyArray<Item>
}

interface Connection {
  readonly dialler: 0 | 1
  readonly attempt: number
  readonly sides: readonly [Side, Side]
}

interface End {
  readonly node: NodeState
  readonly links: number
  readonly keys: ReadonlyArray<Given>
}

interface State {
  readonly ends: readonly [End, End]
  readonly connections: ReadonlyArray<Connection>
}

const other = (side: 0 | 1): 0 | 1 => (side === 0 ? 1 : 0)
const drives = ["a", "b"].map((name) => new Drive(configOf(world, name))) as [Drive, Drive]

const withSide = (connection: Connection, at: 0 | 1, side: Side): Connection => ({
  ...connection,
  sides: at === 0 ? [side, connection.sides[1]] : [connection.sides[0], side]
})

/** Both run, and either may dial at any moment from now on. */
const start = (keysWait: boolean): State => {
  const ups = ["a", "b"].map((name) => Drive.up(world, name))
  const mono = Math.max(...ups.map(({ node }) => node.links.due))
  for (const drive of drives) {
    drive.mono = mono
    drive.keysWait = keysWait
  }
  const end = (drive: Drive): End => ({ node: drive.node, links: 0, keys: [] })
  return { ends: [end(ups[0]!), end(ups[1]!)], connections: [] }
}

/** One input at one end, and what its commands do to the connections. */
const give = (
  state: State,
  at: 0 | 1,
  input: Given
): { readonly state: State; readonly commands: ReadonlyArray<Command> } => {
  const drive = drives[at]
  const end = state.ends[at]
  drive.node = end.node
  drive.waiting.splice(0)
  const commands = drive.feed(input)
  const after: End = { ...end, node: drive.node, keys: [...end.keys, ...drive.waiting.splice(0)] }
  let { connections } = state
  const change = (link: number, to: (connection: Connection) => Connection): void => {
    connections = connections.map((connection) => (connection.sides[at].link === link ? to(connection) : connection))
  }
  const put = (connection: Connection, item: Item): Connection => {
    const far = connection.sides[other(at)]
    return far.link < 0 ? connection : withSide(connection, other(at), { ...far, inbox: [...far.inbox, item] })
  }
  const over: Side = { link: -1, inbox: [] }
  for (const command of commands) {
    if (command._tag === "Dial") {
      const up: Side = { link: 0, inbox: [{ _tag: "up" }] }
      connections = [...connections, { dialler: at, attempt: command.attempt, sides: [up, up] }]
    }
    if (command._tag === "Send") change(command.link, (of) => put(of, { _tag: "frame", frame: command.frame }))
    if (command._tag === "Hangup") change(command.link, (of) => put(withSide(of, at, over), { _tag: "close" }))
    if (command._tag === "CancelDial")
      connections = connections.map((of) =>
        of.dialler === at && of.attempt === command.attempt && of.sides[at].link === 0
          ? put(withSide(of, at, over), { _tag: "close" })
          : of
      )
  }
  const ends: State["ends"] = at === 0 ? [after, state.ends[1]] : [state.ends[0], after]
  return { state: { ends, connections }, commands }
}

/** Takes the first item out of the inbox of one end of a connection. */
const deliver = (state: State, index: number, at: 0 | 1): State => {
  const connection = state.connections[index]!
  const [item, ...inbox] = connection.sides[at].inbox
  const opens = item!._tag === "up"
  const link = opens ? state.ends[at].links + 1 : connection.sides[at].link
  const taken = withSide(connection, at, { link: item!._tag === "close" ? -1 : link, inbox })
  const connections = state.connections.map((of, i) => (i === index ? taken : of))
  const end: End = opens ? { ...state.ends[at], links: link } : state.ends[at]
  const ends: State["ends"] = at === 0 ? [end, state.ends[1]] : [state.ends[0], end]
  const input: Given =
    item!._tag === "frame"
      ? { _tag: "Received", link, frame: item!.frame }
      : item!._tag === "close"
        ? { _tag: "LinkDown", link, reason: "closed" }
        : {
            _tag: "LinkUp",
            link,
            attempt: connection.dialler === at ? connection.attempt : null,
            nonce: `nonce-${at}-${index}`,
            exporter: null
          }
  return give({ ends, connections }, at, input).state
}

const successors = (state: State): ReadonlyArray<State> => {
  const next: Array<State> = []
  for (const at of [0, 1] as const) {
    const end = state.ends[at]
    if (end.node.alarmAt <= drives[at].mono) next.push(give(state, at, { _tag: "Woke" }).state)
    end.keys.forEach((answer, index) => {
      const keys = end.keys.filter((_, i) => i !== index)
      const ends: State["ends"] = at === 0 ? [{ ...end, keys }, state.ends[1]] : [state.ends[0], { ...end, keys }]
      next.push(give({ ...state, ends }, at, answer).state)
    })
    state.connections.forEach((connection, index) => {
      if (connection.sides[at].inbox.length > 0) next.push(deliver(state, index, at))
    })
  }
  return next
}

/** Neither the configuration nor the refusal counters tell states apart. */
const print = (state: State): string =>
  JSON.stringify(state, (key, value: unknown) => (key === "config" || key === "refusals" ? undefined : value))

/** Every state in which nothing is on its way any more. */
const explore = (start: State): { readonly seen: number; readonly final: ReadonlyArray<State> } => {
  const seen = new Set([print(start)])
  const stack = [start]
  const final: Array<State> = []
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const next = successors(state)
    if (next.length === 0) final.push(state)
    for (const each of next) {
      const key = print(each)
      if (seen.has(key)) continue
      seen.add(key)
      stack.push(each)
    }
  }
  return { seen: seen.size, final }
}

const sessions = ({ node }: End) => node.links.links.filter((link) => link._tag === "Session")

const assertPaired = (state: State): void => {
  const [a, b] = state.ends
  assert.deepStrictEqual([sessions(a).length, sessions(b).length], [1, 1], print(state))
  const used = state.connections.filter(
    ({ sides }) => sides[0].link === sessions(a)[0]!.link && sides[1].link === sessions(b)[0]!.link
  )
  assert.strictEqual(used.length, 1, "both ends hold the same connection")
  for (const { node } of state.ends) {
    assert.strictEqual(node.links.links.length, 1, "no other connection is left")
    assert.strictEqual(node.links.contacts[0]!.attempt, null, "no dial is out")
  }
}

/** Alarms ring, pings are answered, frames arrive at once, for `ms`; every event that the nodes note. */
const live = (from: State, ms: number) => {
  const until = drives[0].mono + ms
  const noted: Array<string> = []
  let heartbeats = 0
  let state = from
  for (;;) {
    const at = state.ends[0].node.alarmAt <= state.ends[1].node.alarmAt ? 0 : 1
    const { alarmAt } = state.ends[at].node
    if (alarmAt > until) return { heartbeats, noted }
    for (const drive of drives) drive.mono = alarmAt
    let result = give(state, at, { _tag: "Woke" })
    state = result.state
    for (const command of result.commands) {
      if (command._tag === "Note") noted.push(command.event.event)
      if (command._tag === "Send" && command.frame.type === "event") heartbeats++
      if (command._tag !== "Ping") continue
      result = give(state, at, { _tag: "Ponged", link: command.link, probe: command.probe })
      state = result.state
    }
    for (;;) {
      const index = state.connections.findIndex(({ sides }) => sides.some(({ inbox }) => inbox.length > 0))
      if (index < 0) break
      state = deliver(state, index, state.connections[index]!.sides[0].inbox.length > 0 ? 0 : 1)
    }
  }
}

describe("two nodes dial each other at once", () => {
  it("P3.5, C17: in every order of arrival they end with one session, on the same connection", () => {
    const { final, seen } = explore(start(true))
    assert.isAbove(seen, 1_000)
    for (const state of final) assertPaired(state)
    const crossed = final.filter(({ connections }) => connections.length === 2)
    const kept = crossed.map(({ ends }) => sessions(ends[0])[0]!.dialledByUs)
    assert.include(kept, true, "some orders keep the dial of the lower id")
    assert.include(kept, false, "and some never let it get so far")
  })

  it("L5: and that session stays", () => {
    const { final } = explore(start(false))
    const { mono } = drives[0]
    for (const state of final) {
      drives.forEach((drive) => (drive.mono = mono))
      assertPaired(state)
      const { heartbeats, noted } = live(state, 20_000)
      assert.deepStrictEqual(noted, [])
      assert.isAtLeast(heartbeats, 2 * 18)
    }
  })
})
