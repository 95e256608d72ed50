/**
 * By what rule a planner believes that it may act, and what the valve takes. All of them send the same orders over the same mesh, at
 * the same times; only these two questions are answered differently.
 */
import { compareText } from "../../kernel/Order.ts"
import { leaseRuns } from "../../kernel/leadership/Leadership.ts"
import { leadRank, roleOf } from "../../kernel/Config.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { Order } from "./Valve.ts"

export interface Rule {
  readonly name: string
  /** By what it knows itself, now. */
  readonly mayAct: (state: NodeState, mono: number) => boolean
  /** Of the same authority all orders have the same; `null`: a new one each time that it may act again. */
  readonly tenureOf: ((state: NodeState) => number) | null
  /** What the valve refuses, which keeps what it knows over restarts; `ours`: the guardian of the kernel decides. */
  readonly refuses: "nothing" | "the same intent" | "the same intent and lower terms" | "ours"
}

/** Nobody who is up comes before it: what farms ran on until now. */
const isLowestVisible = ({ config, membership }: NodeState): boolean =>
  membership.members.every(({ deviceId, state }) => {
    const role = roleOf(config, deviceId)
    const rank = role === undefined ? null : leadRank(role)
    const ours = leadRank(config.role) ?? 9
    if (rank === null || (state !== "up" && state !== "suspect")) return true
    return rank > ours || (rank === ours && compareText(deviceId, config.deviceId) > 0)
  })

const hasLease = ({ leadership }: NodeState, mono: number): boolean => leaseRuns(leadership, mono)
const termOf = ({ leadership }: NodeState): number => leadership.term.counter

export const rules: ReadonlyArray<Rule> = [
  { name: "lowest visible id", mayAct: isLowestVisible, tenureOf: null, refuses: "nothing" },
  { name: "the same with dedup", mayAct: isLowestVisible, tenureOf: null, refuses: "the same intent" },
  { name: "majority lease", mayAct: hasLease, tenureOf: termOf, refuses: "nothing" },
  {
    name: "majority lease with fence and dedup",
    mayAct: hasLease,
    tenureOf: termOf,
    refuses: "the same intent and lower terms"
  },
  { name: "ours", mayAct: hasLease, tenureOf: null, refuses: "ours" }
]

/** A valve that a rule other than ours guards. Its memory is on a disk that never fails. */
export class Guarded {
  private readonly done = new Set<string>()
  private highest = 0
  private readonly rule: Rule

  constructor(rule: Rule) {
    this.rule = rule
  }

  takes({ intent, tenure }: Order): boolean {
    const { refuses } = this.rule
    if (refuses === "nothing") return true
    if (refuses === "the same intent and lower terms" && tenure < this.highest) return false
    this.highest = Math.max(this.highest, tenure)
    if (this.done.has(intent)) return false
    this.done.add(intent)
    return true
  }
}
