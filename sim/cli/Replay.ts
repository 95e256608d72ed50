/** `pnpm sim replay`: of a recorded run, or of a seed. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { isBundle } from "../../adapters/recorded/Bundle.ts"
import { segmentOf } from "../../adapters/recorded/Format.ts"
import { isRecording } from "../../adapters/recorded/Read.ts"
import type { Exit } from "./Exit.ts"
import type { ReplayOrder } from "./Order.ts"
import { replaySeed } from "./ReplaySeed.ts"
import { replayTrace } from "./ReplayTrace.ts"
import type { Records, Surroundings } from "./Surroundings.ts"

/** What a real node recorded is told by its first bytes; a folder, by what is in it. */
const isRecorded = (cwd: string, file: string): boolean => {
  const path = resolve(cwd, file)
  try {
    if (statSync(path).isDirectory())
      return readdirSync(path).some((name) => name === "recording" || segmentOf(name) !== null)
    if (!statSync(path).isFile()) return false
    const handle = openSync(path, "r")
    try {
      const bytes = Buffer.alloc(64)
      readSync(handle, bytes, 0, bytes.length, 0)
      return isBundle(bytes) || isRecording(bytes)
    } finally {
      closeSync(handle)
    }
  } catch {
    return false
  }
}

export const replay = async (order: ReplayOrder, around: Surroundings, records: Records): Promise<Exit> => {
  if (order.asOf !== null) return (await import("./AsOf.ts")).replayAsOf(order, order.asOf, around, records)
  if (order.isTrace && isRecorded(around.cwd, order.file))
    return (await import("./ReplayRecording.ts")).replayRecording(order, around, records)
  return order.isTrace ? replayTrace(order, around, records) : replaySeed(order, around, records)
}
