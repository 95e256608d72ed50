/** What the tables of a run have in common: seconds and rates as text, bounds as they hold or not, sizes that are too much. */
import { rounded, table } from "../Measure.ts"

export interface Line {
  readonly what: string
  readonly is: string
  readonly bound: string
  readonly held: boolean
}

export const seconds = (ms: number | undefined): string =>
  ms === undefined || Number.isNaN(ms) ? "–" : (ms / 1_000).toFixed(2)

export class Report {
  private readonly lines: Array<Line> = []
  /** The smallest mesh of ours that could not be run: larger ones are not tried any more. */
  private tooLarge = Number.POSITIVE_INFINITY
  private readonly say: (text: string) => void
  private readonly beganMs = performance.now()

  constructor(say: (text: string) => void) {
    this.say = say
  }

  section(title: string, header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): void {
    const minutes = (performance.now() - this.beganMs) / 60_000
    this.say(`\n${title} (${rounded(minutes)} min since the start)\n\n${table(header, rows)}`)
  }

  note(text: string): void {
    this.say(text)
  }

  canRun(size: number): boolean {
    return size < this.tooLarge
  }

  couldNotRun(size: number): void {
    this.tooLarge = Math.min(this.tooLarge, size)
  }

  bound(what: string, is: string, bound: string, held: boolean): void {
    this.lines.push({ what, is, bound, held })
  }

  /** Of all sections; how many do not hold. */
  bounds(): number {
    const missed = this.lines.filter(({ held }) => !held).length
    this.section(
      `bounds: ${this.lines.length - missed} hold, ${missed} do not`,
      ["measure of ours", "is", "bound", ""],
      this.lines.map(({ bound, held, is, what }) => [what, is, bound, held ? "held" : "NOT held"])
    )
    return missed
  }
}
