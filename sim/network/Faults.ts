/**
 * Which rules lie on which paths now, and what each of them altered.
 *
 * Promises: rules are independent. Each is applied, undone and counted by its number; one that is undone leaves the others on
 * the same path as they are, also where it was healed in part before. A partition costs one comparison a packet, however many
 * nodes it parts. What a rule draws by itself is keyed by its kind and by the name that its author gives it, never by its
 * number: one rule more moves no draw of another.
 */
import { betweenAt, key, type Key } from "../../kernel/Draw.ts"
import { decode } from "../../kernel/wire/Codec.ts"
import type { Carrier } from "./Event.ts"
import type { Path, Paths } from "./Path.ts"
import type { Effects, FaultId, Rule } from "./Rule.ts"

/** A rule on one path. */
export interface Laid {
  readonly id: FaultId
  readonly rule: Rule
  /** What it draws for messages is keyed by this together with their connection. */
  readonly of: Key
  /** Of an `offset`, what was drawn for this path. */
  readonly offsetMs: number
}

interface Fault {
  readonly id: FaultId
  readonly rule: Rule
  readonly name: string
  readonly of: Key
  /** Those that it still has a right to: healing takes them away one by one. */
  paths: ReadonlyArray<Path>
}

interface Partition {
  readonly id: FaultId
  /** By the number of a node; absent or -1: in no group. */
  readonly groups: ReadonlyArray<number>
  /** Indexes of paths that were healed by hand. */
  readonly healed: ReadonlySet<number>
}

const NOTHING: ReadonlyArray<Laid> = []
/** A swizzle has two beats for each of its paths: the cut and the heal. */
const BEATS_A_PATH = 2

/** Whether it holds back everything at the sender, while it lies on a path. */
const cuts = ({ rule }: Laid): boolean => rule._tag === "cut" || rule._tag === "flap" || rule._tag === "swizzle"

const parts = ({ groups, healed }: Partition, { ends, index }: Path): boolean => {
  const from = groups[ends[0]] ?? -1
  const to = groups[ends[1]] ?? -1
  return from !== to && from >= 0 && to >= 0 && !healed.has(index)
}

export class Faults {
  /** Nothing lies on any path. */
  quiet = true
  /** Somebody has told a lie: what nodes know of those that they have no session with may be one, for good. */
  lied = false
  /** Ids of frames of context that nobody signed, and that the network changed on their way or made up. */
  readonly madeUp: Set<string>
  private readonly carrier: Carrier
  private seed: number
  private readonly paths: Paths
  /** By the index of the path, in the order of laying. */
  private readonly laid: Array<ReadonlyArray<Laid>>
  private lying = 0
  private partitions: ReadonlyArray<Partition> = []
  private readonly inForce = new Map<FaultId, Fault>()
  /** Of every rule that was ever applied, by its number less one. */
  private readonly rules: Array<Rule>
  private readonly effects: Array<Effects>

  constructor(carrier: Carrier, seed: number, paths: Paths, from?: Faults) {
    this.carrier = carrier
    this.seed = seed
    this.paths = paths
    this.laid = from?.laid.slice() ?? []
    this.rules = from?.rules.slice() ?? []
    this.effects = from?.effects.map((effects) => ({ ...effects })) ?? []
    this.madeUp = new Set(from?.madeUp)
    if (from === undefined) return
    this.quiet = from.quiet
    this.lied = from.lied
    this.lying = from.lying
    this.partitions = from.partitions
    for (const [id, fault] of from.inForce) this.inForce.set(id, { ...fault })
  }

  fork(carrier: Carrier): Faults {
    return new Faults(carrier, this.seed, this.paths, this)
  }

  /** Rules to come draw from another seed; those in force keep their own draws. */
  reseed(seed: number): void {
    this.seed = seed
  }

  /** A fault made this text: no node said it. */
  made(text: string): void {
    const decoded = decode(text)
    if (decoded._tag !== "Frame" || decoded.frame.type !== "event" || decoded.frame.event !== "context.frame") return
    const { frameId, kernel } = decoded.frame.payload
    if (kernel === undefined) this.madeUp.add(frameId)
  }

  // ---------------------------------------------------------------------------------------------- looking

  on(path: Path): ReadonlyArray<Laid> {
    return this.laid[path.index] ?? NOTHING
  }

  isCut(path: Path): boolean {
    return this.on(path).some(cuts) || this.partitions.some((partition) => parts(partition, path))
  }

  isClogged(path: Path): boolean {
    return this.on(path).some(({ rule }) => rule._tag === "clog")
  }

  /** Whether a packet that would go this way now is held at its sender; counted for each rule that does so. */
  holdsBack(path: Path, what: keyof Effects): boolean {
    let held = false
    for (const laid of this.on(path)) {
      if (!cuts(laid)) continue
      this.count(laid.id, what)
      held = true
    }
    for (const partition of this.partitions) {
      if (!parts(partition, path)) continue
      this.count(partition.id, what)
      held = true
    }
    return held
  }

  /** As `holdsBack`, for what is held within the network. */
  clogs(path: Path, what: keyof Effects): boolean {
    let held = false
    for (const { id, rule } of this.on(path)) {
      if (rule._tag !== "clog") continue
      this.count(id, what)
      held = true
    }
    return held
  }

  count(id: FaultId, what: keyof Effects): void {
    this.effects[id - 1]![what]++
  }

  rule(id: FaultId): Rule {
    return this.rules[id - 1]!
  }

  /** What a rule's own draws are keyed by, while it is in force. */
  keyOf(id: FaultId): Key {
    return this.inForce.get(id)?.of ?? { a: 0, b: 0 }
  }

  effectsOf(id: FaultId): Readonly<Effects> {
    return this.effects[id - 1]!
  }

  // ---------------------------------------------------------------------------------------------- applying

  /** `name` keys what the rule draws. */
  apply(rule: Rule, name: string): FaultId {
    const id = this.rules.push(rule)
    this.effects.push({ delayed: 0, dropped: 0, changed: 0, openings: 0, connections: 0 })
    const of = key(this.seed, `fault-${rule._tag}`, name)
    const paths = rule._tag === "partition" ? [] : rule.pairs.map(([from, to]) => this.paths.of(from, to))
    const fault: Fault = { id, rule, name, of, paths }
    this.inForce.set(id, fault)
    switch (rule._tag) {
      case "partition":
        this.part(id, rule.groups)
        break
      case "flap":
        for (const path of paths) this.lay(fault, path)
        this.beatIn(id, 1, betweenAt(of, 0, rule.cutMs.min, rule.cutMs.max))
        break
      case "swizzle":
        paths.forEach((path, place) => {
          // Both directions of a link at the same time.
          const link = path.from < path.to ? `${path.from}-${path.to}` : `${path.to}-${path.from}`
          const ofLink = key(this.seed, "fault-swizzle", `${name}/${link}`)
          this.beatIn(id, BEATS_A_PATH * place, betweenAt(ofLink, 0, 0, rule.cutOverMs))
          const healsMs = rule.healAfterMs + betweenAt(ofLink, 1, 0, rule.healOverMs)
          this.beatIn(id, BEATS_A_PATH * place + 1, healsMs)
        })
        break
      case "reset":
      case "half-open":
        break
      default:
        for (const path of paths) this.lay(fault, path)
    }
    return id
  }

  private beatIn(fault: FaultId, beat: number, ms: number): void {
    this.carrier.later(this.carrier.nowMs() + ms, { _tag: "beat", fault, beat })
  }

  private part(id: FaultId, groups: ReadonlyArray<ReadonlyArray<string>>): void {
    const groupOf: Array<number> = []
    groups.forEach((names, group) => {
      for (const name of names) {
        const node = this.paths.node(name)
        while (groupOf.length <= node) groupOf.push(-1)
        if (groupOf[node] === -1) groupOf[node] = group
      }
    })
    this.partitions = [...this.partitions, { id, groups: groupOf, healed: new Set() }]
    this.look()
  }

  private lay({ id, name, of, rule }: Fault, path: Path): void {
    while (this.laid.length <= path.index) this.laid.push(NOTHING)
    const offsetMs =
      rule._tag === "offset"
        ? betweenAt(key(this.seed, "fault-offset", `${name}/${path.from}>${path.to}`), 0, rule.ms.min, rule.ms.max)
        : 0
    this.laid[path.index] = [...this.laid[path.index]!, { id, rule, of, offsetMs }]
    this.lying++
    this.look()
  }

  /** A rule that changes by itself does so; the paths that it let go. */
  beat(id: FaultId, beat: number): ReadonlyArray<Path> {
    const fault = this.inForce.get(id)
    if (fault === undefined) return []
    const { of, paths, rule } = fault
    if (rule._tag === "flap") {
      const opens = beat % 2 === 1
      const range = opens ? rule.openMs : rule.cutMs
      // Not at once again, whatever the range says: a period of 0 would never let time pass.
      this.beatIn(id, beat + 1, Math.max(1, betweenAt(of, beat, range.min, range.max)))
      if (opens) return paths.filter((path) => this.lift(id, path))
      for (const path of paths) this.lay(fault, path)
      return []
    }
    if (rule._tag !== "swizzle") return []
    const [from, to] = rule.pairs[Math.floor(beat / BEATS_A_PATH)]!
    const path = this.paths.of(from, to)
    if (beat % BEATS_A_PATH === 1) {
      fault.paths = paths.filter((owned) => owned !== path)
      return this.lift(id, path) ? [path] : []
    }
    if (paths.includes(path)) this.lay(fault, path)
    return []
  }

  // ---------------------------------------------------------------------------------------------- taking back

  /** The paths that something may pass again; `null`: any may be among them. */
  undo(id: FaultId): ReadonlyArray<Path> | null {
    const fault = this.inForce.get(id)
    if (fault === undefined) return []
    this.inForce.delete(id)
    if (fault.rule._tag === "partition") {
      this.partitions = this.partitions.filter((partition) => partition.id !== id)
      this.look()
      return null
    }
    return fault.paths.filter((path) => this.lift(id, path))
  }

  undoAll(): void {
    for (const id of this.inForce.keys()) this.undo(id)
  }

  /** Takes off one path what lies on it, and what would again: of these kinds or of all, at most so many. */
  heal(path: Path, kinds: ReadonlyArray<Rule["_tag"]> | null, most = Number.POSITIVE_INFINITY): void {
    let left = most
    for (const fault of this.inForce.values()) {
      if (left === 0) return
      if (!fault.paths.includes(path) || kinds?.includes(fault.rule._tag) === false) continue
      fault.paths = fault.paths.filter((owned) => owned !== path)
      this.lift(fault.id, path)
      left--
    }
    if (kinds !== null) return
    this.partitions = this.partitions.map((partition) =>
      parts(partition, path) ? { ...partition, healed: new Set([...partition.healed, path.index]) } : partition
    )
  }

  private lift(id: FaultId, path: Path): boolean {
    const before = this.on(path)
    const after = before.filter((laid) => laid.id !== id)
    if (after.length === before.length) return false
    this.laid[path.index] = after
    this.lying -= before.length - after.length
    this.look()
    return true
  }

  private look(): void {
    this.quiet = this.lying === 0 && this.partitions.length === 0
  }
}
