/** Where two runs of the same seed part: the last moment at which they are the same, and what each does then. */
import type { Log } from "../trace/TraceFile.ts"

export const partingOf = (first: Log, second: Log): ReadonlyArray<string> => {
  const longest = Math.max(first.whole.length, second.whole.length)
  let at = 0
  while (at < longest && first.whole[at] === second.whole[at]) at++
  if (at === longest)
    return ["Run once more, both gave the same: what differed was left behind by earlier runs of a thread."]
  const told = ({ told: lines, whole }: Log): string => {
    const line = lines[at]
    const other = (lines === first.told ? second : first).told[at]
    if (line === undefined) return "nothing more"
    return line === other ? (whole[at] ?? line) : line
  }
  const last = first.told[at - 1]
  return [
    last === undefined ? "From the first event on:" : `The same until ${last}. Then:`,
    `  first   ${told(first)}`,
    `  second  ${told(second)}`
  ]
}
