/** What nodes cost while nothing happens: their start, their memory, and the processor time of ten that form one mesh. */
import { setTimeout as sleep } from "node:timers/promises"
import { median } from "../Measure.ts"
import { type Farm, processorS, residentMb } from "./Daemon.ts"
import { formMesh, isWhole } from "./Whole.ts"

const STARTS = 9
/** Of these, the last: their memory is read, and the worst counts. */
const READINGS = 5
/** What the start leaves behind has been collected or has not. */
const SETTLE_MS = 3_000
const NODES = 10
const CALM_MS = 5_000
const WATCH_MS = 30_000
const LONE = ["--role", "planner", "--port", "0"]

export interface StartFigures {
  readonly startMs: number
  /** The very first, which makes its identity, its mesh and its certificate. */
  readonly firstMs: number
  readonly residentMb: number
}

/** @param asService with the environment of the unit for systemd, which needs no second start of itself */
export const measureStart = async (farm: Farm, asService: boolean): Promise<StartFigures> => {
  const name = asService ? "service" : "shell"
  const first = await farm.start(name, LONE, asService)
  await farm.stop(first.child)
  const starts: Array<number> = []
  const resident: Array<number> = []
  for (let i = 0; i < STARTS; i++) {
    const { child, tookMs } = await farm.start(name, LONE, asService)
    starts.push(tookMs)
    if (i >= STARTS - READINGS) {
      await sleep(SETTLE_MS)
      resident.push(residentMb(child))
    }
    await farm.stop(child)
  }
  return { startMs: median(starts), firstMs: first.tookMs, residentMb: Math.max(...resident) }
}

export interface MeshFigures {
  /** Of the busiest node, the leader as a rule, in per cent of a core. */
  readonly processorPercentMax: number
  readonly processorPercent: number
  readonly residentMbMax: number
}

export const measureMesh = async (farm: Farm): Promise<MeshFigures> => {
  const names = Array.from({ length: NODES }, (_, index) => `idle-${index}`)
  const children = await formMesh(farm, names)
  await sleep(CALM_MS)
  const before = children.map(processorS)
  await sleep(WATCH_MS)
  const used = children.map((child, index) => (100_000 * (processorS(child) - before[index]!)) / WATCH_MS)
  if (!names.every((name) => isWhole(farm, name, NODES))) throw new Error("the mesh of ten did not stay whole")
  const resident = children.map(residentMb)
  await Promise.all(children.map((child) => farm.stop(child)))
  return {
    processorPercentMax: Math.max(...used),
    processorPercent: median(used),
    residentMbMax: Math.max(...resident)
  }
}
