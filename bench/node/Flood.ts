/**
 * How many messages a second get through: sent in lots, each with a mark behind it that comes back when all before it have been
 * taken up, and never more than a few lots on their way. The same for ours and for bare `ws`.
 */
import { median } from "../Measure.ts"

const LOT = 1_000
const LOTS_UNDER_WAY = 4
const LOTS = 60
const RUNS = 5
const WARM_UP_RUNS = 2

const once = async (send: (count: number) => void, mark: (n: number) => Promise<void>): Promise<number> => {
  const startedMs = performance.now()
  const marks: Array<Promise<void>> = []
  for (let lot = 0; lot < LOTS; lot++) {
    await marks[lot - LOTS_UNDER_WAY]
    send(LOT)
    marks.push(mark(lot))
  }
  await Promise.all(marks)
  return (1_000 * LOTS * LOT) / (performance.now() - startedMs)
}

/** Messages a second, the median of some runs in a warm process; `mark` settles when all that was sent before was taken up. */
export const flood = async (send: (count: number) => void, mark: (n: number) => Promise<void>): Promise<number> => {
  for (let i = 0; i < WARM_UP_RUNS; i++) await once(send, mark)
  const rates: Array<number> = []
  for (let i = 0; i < RUNS; i++) rates.push(await once(send, mark))
  return median(rates)
}
