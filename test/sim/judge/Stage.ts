/** A stage for tests of judging and telling: worlds as they are seen, scenarios without a file, a judge led by hand. */
import type { Level } from "../../../kernel/actuation/Actuator.ts"
import type { Status } from "../../../kernel/proposals/Proposal.ts"
import type { ActuatorView, Happening, NodeView, PeerWord, TrustWord, WorldView } from "../../../sim/engine/View.ts"
import { Judge, type Outcome } from "../../../sim/judge/Judge.ts"
import type { Expectation, Facts, Scenario, Step, When } from "../../../sim/scenario/Scenario.ts"

export interface Actor {
  readonly running?: boolean
  readonly leader?: string | null
  readonly term?: number
  readonly leads?: boolean
  readonly leaseEndsMs?: number
  readonly peers?: { readonly [name: string]: PeerWord }
  readonly sessions?: { readonly [name: string]: number }
  readonly trusts?: { readonly [name: string]: TrustWord }
  readonly heartbeatsMs?: { readonly [name: string]: number }
  readonly unreadBytes?: { readonly [name: string]: number }
  readonly frames?: { readonly [name: string]: boolean }
  readonly stands?: ReadonlyArray<string>
  readonly world?: string
  readonly proposals?: {
    readonly [name: string]: { readonly status: Status; readonly owner: string; readonly level: Level | null }
  }
  readonly routes?: { readonly [capability: string]: string }
}

export const world = (
  nowMs: number,
  actors: { readonly [name: string]: Actor },
  leadersPerTerm = 1,
  actuators: { readonly [name: string]: ActuatorView } = {},
  farm: { readonly [what: string]: number } = {},
  inferences: { readonly [request: string]: string } = {}
): WorldView => ({
  nowMs,
  leadersPerTerm,
  actuator: (name) => actuators[name] ?? { runs: 0, positions: ["closed"], lastRunBy: null },
  inference: (request) => inferences[request] ?? null,
  measured: (place, metric) => farm[`${metric} of ${place}`] ?? null,
  nodes: Object.entries(actors).map(([name, actor]): NodeView => ({
    name,
    role: "field",
    running: actor.running ?? true,
    leader: actor.leader ?? null,
    term: actor.term ?? 0,
    leads: actor.leads ?? false,
    leaseEndsMs: actor.leaseEndsMs ?? 0,
    peer: (other) => actor.peers?.[other] ?? "unknown",
    sessions: (other) => actor.sessions?.[other] ?? 0,
    trusts: (other) => actor.trusts?.[other] ?? "nothing",
    heartbeatsMs: (other) => actor.heartbeatsMs?.[other] ?? null,
    unreadBytes: (other) => actor.unreadBytes?.[other] ?? 0,
    frames: (frame) => actor.frames?.[frame] ?? null,
    stands: (frame) => actor.stands?.includes(frame) === true,
    route: (capability) => actor.routes?.[capability] ?? null,
    proposal: (proposal) => actor.proposals?.[proposal] ?? null,
    proposals: JSON.stringify(actor.proposals ?? {}),
    world: actor.world ?? ""
  }))
})

export const expectation = (when: When, facts: Facts, name = "it is so", line = 10): Expectation => ({
  place: { line, column: 5 },
  name,
  when,
  facts,
  judge: "everywhere"
})

export const scenario = (parts: {
  readonly nodes?: ReadonlyArray<string>
  readonly lastsMs?: number
  readonly timeline?: ReadonlyArray<Step>
  readonly expect?: ReadonlyArray<Expectation>
}): Scenario => ({
  file: "scenarios/tale.yaml",
  text: "",
  title: "A tale",
  seed: 42,
  lastsMs: parts.lastsMs ?? 60_000,
  profile: "lan",
  electors: [],
  nodes: (parts.nodes ?? ["a", "b", "c"]).map((name) => ({
    name,
    role: "field",
    capabilities: [],
    clockSkewMs: 0,
    clockRatePpm: 0
  })),
  network: { delayMs: { min: 2, max: 20 }, lossPpm: 0, links: "everyone" },
  timeline: parts.timeline ?? [],
  expect: parts.expect ?? []
})

export const step = (atMs: number, id: string | null, verb: Step["verb"], line = 1): Step => ({
  place: { line, column: 5 },
  atMs,
  id,
  note: null,
  verb,
  forMs: null
})

export const happening = (
  atMs: number,
  event: Happening["event"],
  rest: { readonly node?: string; readonly about?: string } & Happening["detail"] = {}
): Happening => {
  const { about = null, node = null, ...detail } = rest
  return { atMs, event, node, about, detail }
}

/** Leads a judge through a run: at each moment the facts are so or not. A fact here is that node `a` is up for node `b`. */
export const judged = (
  when: When,
  truths: ReadonlyArray<readonly [nowMs: number, so: boolean]>,
  options: { readonly lastsMs?: number; readonly endMs?: number; readonly checkpoints?: boolean } = {}
): Outcome => {
  const lastsMs = options.lastsMs ?? 60_000
  const endMs = options.endMs ?? lastsMs
  const facts: Facts = { peers: [{ observer: "b", subject: "a", state: "up" }] }
  const judge = new Judge(scenario({ lastsMs, expect: [expectation(when, facts)] }))
  let so = false
  const show = (nowMs: number) => world(nowMs, { a: {}, b: { peers: { a: so ? "up" : "down" } } })
  const checkpointsUntil = (ms: number) => {
    for (let due = judge.dueMs(); due < ms && due <= endMs; due = judge.dueMs()) judge.observe(show(due))
  }
  for (const [nowMs, next] of truths) {
    if (nowMs > endMs) break
    checkpointsUntil(nowMs)
    so = next
    judge.observe(show(nowMs))
  }
  checkpointsUntil(endMs + 1)
  const [outcome] = judge.finish(show(endMs))
  if (outcome === undefined) throw new Error("one expectation, one outcome")
  return outcome
}
