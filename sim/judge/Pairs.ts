/**
 * Facts about one node as another one has it: `peers: { laptop: { jetson-1: down } }`, `sessions: { laptop: { jetson-1: exactly 1 } }`.
 * `everyone` is every running node but the one that is spoken of; `anyone` at least one of them.
 */
import type { NodeView, WorldView } from "../engine/View.ts"
import type { Facts, Pair } from "../scenario/Scenario.ts"
import { type Clause, fits, NOBODY_RUNS, sayings } from "./Clause.ts"
import { countWords, exactSpan } from "./Words.ts"

/** What is said of a pair, in words. */
interface Saying {
  readonly key: string
  readonly so: (node: NodeView) => boolean
  /** After the observer: `has b as down`. */
  readonly told: string
  /** What these nodes have instead. */
  readonly now: (nodes: ReadonlyArray<NodeView>) => string
}

const pairClause = ({ observer, subject }: Pair, { key, now, so, told }: Saying): Clause => {
  if (typeof observer === "string") {
    const find = (view: WorldView) => view.nodes.find((node) => node.name === observer)
    return {
      key,
      told: `${observer} ${told}`,
      holds: (view) => {
        const node = find(view)
        return node !== undefined && node.running && so(node)
      },
      now: (view) => {
        const node = find(view)
        return node?.running ? now([node]) : `${observer} is not running`
      }
    }
  }
  const others = (view: WorldView) => view.nodes.filter((node) => node.running && node.name !== subject)
  if (observer.word === "everyone") {
    return {
      key,
      told: `everyone ${told}`,
      holds: (view) => {
        let asked = 0
        for (const node of view.nodes) {
          if (!node.running || node.name === subject) continue
          if (!so(node)) return false
          asked++
        }
        return asked > 0
      },
      now: (view) => {
        const nodes = others(view)
        const otherwise = nodes.filter((node) => !so(node))
        if (nodes.length === 0) return NOBODY_RUNS
        return otherwise.length === 0 ? `everyone ${told}` : now(otherwise)
      }
    }
  }
  return {
    key,
    told: `anyone ${told}`,
    holds: (view) => view.nodes.some((node) => node.running && node.name !== subject && so(node)),
    now: (view) => {
      const nodes = others(view)
      const those = nodes.filter(so)
      if (nodes.length === 0) return NOBODY_RUNS
      return those.length === 0 ? `nobody: ${now(nodes)}` : now(those)
    }
  }
}

export const peerSayings = (nodes: ReadonlyArray<NodeView>, subject: string): string =>
  sayings(
    // "All" would leave open whether the subject itself is meant.
    Number.POSITIVE_INFINITY,
    nodes,
    (node) => node.peer(subject),
    (names, plural, what) => `${names} ${plural ? "have" : "has"} ${subject} as ${what}`
  )

export const peerClause = (fact: NonNullable<Facts["peers"]>[number]): Clause =>
  pairClause(fact, {
    key: "peers",
    so: (node) => node.peer(fact.subject) === fact.state,
    told: `has ${fact.subject} as ${fact.state}`,
    now: (nodes) => peerSayings(nodes, fact.subject)
  })

export const sessionClause = ({ count, ...pair }: NonNullable<Facts["sessions"]>[number]): Clause =>
  pairClause(pair, {
    key: "sessions",
    so: (node) => fits(count, node.sessions(pair.subject)),
    told: `has ${countWords(count)} ${count.n === 1 ? "session" : "sessions"} with ${pair.subject}`,
    now: (nodes) =>
      sayings(
        Number.POSITIVE_INFINITY,
        nodes,
        (node) => String(node.sessions(pair.subject)),
        (names, plural, what) => `${names} ${plural ? "have" : "has"} ${what} with ${pair.subject}`
      )
  })

export const trustClause = ({ as, ...pair }: NonNullable<Facts["trusts"]>[number]): Clause =>
  pairClause(pair, {
    key: "trusts",
    so: (node) => node.trusts(pair.subject) === as,
    told: as === "nothing" ? `does not trust ${pair.subject}` : `trusts ${pair.subject} as ${as}`,
    now: (nodes) =>
      sayings(
        Number.POSITIVE_INFINITY,
        nodes,
        (node) => node.trusts(pair.subject),
        (names, plural, what) =>
          what === "nothing"
            ? `${names} ${plural ? "do" : "does"} not trust ${pair.subject}`
            : `${names} ${plural ? "trust" : "trusts"} ${pair.subject} as ${what}`
      )
  })

/** Whoever got none has nothing to say of them. */
export const heartbeatClause = ({ ms, ...pair }: NonNullable<Facts["heartbeats"]>[number]): Clause =>
  pairClause(pair, {
    key: "heartbeats",
    so: (node) => {
      const most = node.heartbeatsMs(pair.subject)
      return most !== null && most <= ms
    },
    told: `gets the heartbeats of ${pair.subject} within ${exactSpan(ms)}`,
    now: (nodes) =>
      sayings(
        Number.POSITIVE_INFINITY,
        nodes,
        (node) => {
          const most = node.heartbeatsMs(pair.subject)
          return most === null ? "none" : `within ${exactSpan(most)}`
        },
        (names, plural, what) => `${names} ${plural ? "get" : "gets"} those of ${pair.subject} ${what}`
      )
  })

export const unreadClause = ({ bytes, ...pair }: NonNullable<Facts["unread"]>[number]): Clause =>
  pairClause(pair, {
    key: "unread",
    so: (node) => node.unreadBytes(pair.subject) <= bytes,
    told: `keeps at most ${bytes} bytes for ${pair.subject}`,
    now: (nodes) =>
      sayings(
        Number.POSITIVE_INFINITY,
        nodes,
        (node) => String(node.unreadBytes(pair.subject)),
        (names, plural, what) => `${names} ${plural ? "keep" : "keeps"} ${what} bytes for ${pair.subject}`
      )
  })
