/**
 * One direction between two machines, by name. A path itself never changes, so that forks of a world share it; what lies on it
 * is in Faults.ts. Paths are made when somebody first needs them: ten thousand nodes do not have a hundred million.
 */
export interface Path {
  /** Dense, in the order of making. Nothing that happens depends on it. */
  readonly index: number
  readonly from: string
  readonly to: string
  /** Dense numbers of the two ends. */
  readonly ends: readonly [number, number]
  /** Whether anything was ever meant to pass here. */
  readonly reachable: boolean
}

export class Paths {
  readonly reach: (from: string, to: string) => boolean
  private readonly byName = new Map<string, Path>()
  private readonly nodes = new Map<string, number>()

  constructor(reachable: (from: string, to: string) => boolean) {
    this.reach = reachable
  }

  of(from: string, to: string): Path {
    const name = `${from}>${to}`
    const found = this.byName.get(name)
    if (found !== undefined) return found
    const ends = [this.node(from), this.node(to)] as const
    const path: Path = { index: this.byName.size, from, to, ends, reachable: this.reach(from, to) }
    this.byName.set(name, path)
    return path
  }

  node(name: string): number {
    const found = this.nodes.get(name)
    if (found !== undefined) return found
    const made = this.nodes.size
    this.nodes.set(name, made)
    return made
  }
}
