/** A mesh of shipped nodes on loopback: everybody trusts and dials everybody, and is up for everybody when it begins. */
import type { ChildProcess } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { type Farm, freePorts } from "./Daemon.ts"

/** Until everybody is up for everybody and the watching has found its rhythm. */
const MESH_MS_MAX = 60_000

const roleOf = (index: number): string => (index === 0 ? "planner" : index === 1 ? "standby-planner" : "field")

/** Starts them, each with what else is to be said to it; the processes in the order of the names. */
export const formMesh = async (
  farm: Farm,
  names: ReadonlyArray<string>,
  more: (name: string) => ReadonlyArray<string> = () => []
): Promise<ReadonlyArray<ChildProcess>> => {
  const ports = await freePorts(names.length)
  const ids = names.map((name) => farm.id(name))
  const children: Array<ChildProcess> = []
  for (const [index, name] of names.entries()) {
    const others = ids.flatMap((id, other) =>
      other === index ? [] : ["--peer", `${id}=wss://127.0.0.1:${ports[other]}`]
    )
    const electors = ids.slice(0, 3).flatMap((id) => ["--elector", id])
    const key = index === 0 ? [] : [`--mesh-key=${farm.meshKey(names[0]!)}`]
    const args = [
      "--role",
      roleOf(index),
      "--port",
      String(ports[index]),
      ...key,
      ...electors,
      ...others,
      ...more(name)
    ]
    children.push((await farm.start(name, args)).child)
  }
  for (const name of names)
    for (const [other, id] of ids.entries())
      if (names[other] !== name) farm.tool(name, "trust", "add", id, "--role", roleOf(other), "--name", names[other]!)
  const beganMs = performance.now()
  while (!names.every((name) => isWhole(farm, name, names.length))) {
    if (performance.now() - beganMs > MESH_MS_MAX)
      throw new Error(`${names.length} nodes do not form a mesh within a minute`)
    await sleep(500)
  }
  return children
}

/** Everybody is up for this node, and it knows who leads. */
export const isWhole = (farm: Farm, name: string, size: number): boolean => {
  const status = JSON.parse(farm.tool(name, "status", "--json")) as {
    readonly leader: unknown
    readonly peers: ReadonlyArray<{ readonly state: string }>
  }
  return status.leader !== null && status.peers.filter(({ state }) => state === "up").length === size - 1
}
