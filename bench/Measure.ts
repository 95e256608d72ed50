/**
 * What the benches share: timing a piece of work in a warm process, and a table to print it in.
 *
 * Does not model: other load on the machine. A median of few runs takes off single disturbances, not a busy neighbour.
 */
import { availableParallelism, cpus } from "node:os"

/** The median, or the upper one of the two in the middle. */
export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Of values in order: the least one that so large a share is not above. */
export const quantile = (ordered: ReadonlyArray<number>, share: number): number =>
  ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)] ?? Number.NaN

/** Milliseconds of each of `runs` runs of `work`. Warming up is the caller's: only it knows what has to be warm. */
export const timed = async (runs: number, work: () => unknown): Promise<ReadonlyArray<number>> => {
  const times: Array<number> = []
  for (let i = 0; i < runs; i++) {
    const startedMs = performance.now()
    await work()
    times.push(performance.now() - startedMs)
  }
  return times
}

/** Three significant digits, grouped: 16,400,000. */
export const rounded = (value: number): string =>
  new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value)

/** The first column to the left, the others to the right. */
export const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  ")
  return [line(header), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n")
}

/** On what it was measured. */
export const machine = (): string =>
  `Node ${process.versions.node} (V8 ${process.versions.v8}), ${cpus()[0]?.model ?? "unknown processor"}, ${availableParallelism()} cores`
