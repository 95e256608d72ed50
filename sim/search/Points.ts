/** Where runs turn off into other futures, and how that is written. */
import { u32 } from "../../kernel/Draw.ts"

export interface Point {
  /** The run turns off behind the event with which so many inputs were taken up. */
  readonly after: number
  /** Which of the futures from there, from 1. */
  readonly future: number
}

export type Points = ReadonlyArray<Point>

/** `12345:3,20000:1`. */
export const pointsText = (points: Points): string => points.map(({ after, future }) => `${after}:${future}`).join(",")

/** `null`: these are no points. */
export const readPoints = (text: string): Points | null => {
  const points = text.split(",").map((part) => /^(\d{1,12}):(\d{1,4})$/u.exec(part))
  if (points.some((found) => found === null)) return null
  const read = points.map((found): Point => ({ after: Number(found![1]), future: Number(found![2]) }))
  const inOrder = read.every(({ after }, i) => i === 0 || after >= read[i - 1]!.after)
  return inOrder && read.every(({ future }) => future > 0) ? read : null
}

export const seedOf = (seed: number, points: Points): number =>
  points.length === 0 ? seed : u32(seed, "branch", pointsText(points), 0)
