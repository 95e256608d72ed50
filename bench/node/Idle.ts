/** What nodes cost while nothing happens: their start, their memory, and the processor time of ten that form one mesh. */
import { setTimeout as sleep } from "node:timers/promises"
import { median } from "../Measure.ts"
import { type Farm, freePorts, processorS, residentMb } from "./Daemon.ts"

const STARTS = 9
/** What the start leaves behind has been collected or has not. */
const SETTLE_MS = 3_000
const NODES = 10
/** Until everybody is up for everybody and the watching has found its rhythm. */
const MESH_MS_MAX = 60_000
const CALM_MS = 5_000
const WATCH_MS = 30_000
const LONE = ["--role", "planner", "--port", "0"]

export interface StartFigures {
  readonly startMs: number
  /** The very first, which makes its identity, its mesh and its certificate. */
  readonly firstMs: number
  readonly residentMb: number
}

/** @param asService with the environment of the unit for systemd: compiled code kept from start to start */
export const measureStart = async (farm: Farm, asService: boolean): Promise<StartFigures> => {
  const name = asService ? "service" : "shell"
  const first = await farm.start(name, LONE, asService)
  await farm.stop(first.child)
  const starts: Array<number> = []
  let resident = Number.NaN
  for (let i = 0; i < STARTS; i++) {
    const { child, tookMs } = await farm.start(name, LONE, asService)
    starts.push(tookMs)
    if (i === STARTS - 1) {
      await sleep(SETTLE_MS)
      resident = residentMb(child)
    }
    await farm.stop(child)
  }
  return { startMs: median(starts), firstMs: first.tookMs, residentMb: resident }
}

export interface MeshFigures {
  /** Of the busiest node, the leader as a rule, in per cent of a core. */
  readonly processorPercentMax: number
  readonly processorPercent: number
  readonly residentMbMax: number
}

export const measureMesh = async (farm: Farm): Promise<MeshFigures> => {
  const names = Array.from({ length: NODES }, (_, index) => `idle-${index}`)
  const ports = await freePorts(NODES)
  const ids = names.map((name) => farm.id(name))
  const role = (index: number): string => (index === 0 ? "planner" : index === 1 ? "standby-planner" : "field")
  const children = []
  for (const [index, name] of names.entries()) {
    const others = ids.flatMap((id, other) =>
      other === index ? [] : ["--peer", `${id}=wss://127.0.0.1:${ports[other]}`]
    )
    const electors = ids.slice(0, 3).flatMap((id) => ["--elector", id])
    const key = index === 0 ? [] : ["--mesh-key", farm.meshKey(names[0]!)]
    const args = ["--role", role(index), "--port", String(ports[index]), ...key, ...electors, ...others]
    children.push((await farm.start(name, args)).child)
  }
  for (const name of names)
    for (const [other, id] of ids.entries())
      if (names[other] !== name) farm.tool(name, "trust", "add", id, "--role", role(other), "--name", names[other]!)
  const beganMs = performance.now()
  while (!names.every((name) => isWhole(farm, name))) {
    if (performance.now() - beganMs > MESH_MS_MAX) throw new Error("ten nodes do not form a mesh within a minute")
    await sleep(500)
  }
  await sleep(CALM_MS)
  const before = children.map(processorS)
  await sleep(WATCH_MS)
  const used = children.map((child, index) => (100_000 * (processorS(child) - before[index]!)) / WATCH_MS)
  if (!names.every((name) => isWhole(farm, name))) throw new Error("the mesh of ten did not stay whole")
  const resident = children.map(residentMb)
  await Promise.all(children.map((child) => farm.stop(child)))
  return {
    processorPercentMax: Math.max(...used),
    processorPercent: median(used),
    residentMbMax: Math.max(...resident)
  }
}

/** Everybody is up for this node, and it knows who leads. */
const isWhole = (farm: Farm, name: string): boolean => {
  const status = JSON.parse(farm.tool(name, "status", "--json")) as {
    readonly leader: unknown
    readonly peers: ReadonlyArray<{ readonly state: string }>
  }
  return status.leader !== null && status.peers.filter(({ state }) => state === "up").length === NODES - 1
}
