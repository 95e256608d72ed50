/**
 * The farm of the demo as files: one farm.yaml for all, a node.yaml for each node, and the world in which it lies. A pump is a file
 * that says its state, a sensor is a file that holds a number; what the one does to the other is in `after`.
 */
import { join } from "node:path"
import type { Role } from "../../kernel/wire/Frame.ts"

export interface DemoNode {
  readonly name: string
  readonly role: Role
  readonly about: string
}

/** The first makes the mesh. */
export const nodes: ReadonlyArray<DemoNode> = [
  { name: "laptop-1", role: "planner", about: "plans" },
  { name: "laptop-2", role: "standby-planner", about: "plans when laptop-1 is gone" },
  { name: "board-1", role: "field", about: "owns pump-1, and feels how wet the soil of north is" },
  { name: "board-2", role: "field", about: "owns valve-1, and sees the level of the tank in the yard" },
  { name: "kiosk", role: "viewer", about: "looks on" }
]

/** Who votes: two laptops alone would have no leader as soon as one of them is gone. */
export const electors: ReadonlyArray<string> = ["laptop-1", "laptop-2", "board-1"]

export const FARM_FILE = "farm.yaml"
export const PUMP = "pump-1"
export const MOISTURE = "moisture"
export const LEVEL = "level"

export const farmYaml = `site: Demo farm
zones:
  - { name: north, about: potatoes }
  - { name: yard }
sensors:
  - { metric: ${MOISTURE}, zone: north, unit: "%", every: 1s, at-least: 18, at-most: 40 }
  - { metric: ${LEVEL}, zone: yard, unit: L, every: 1s, at-least: 200 }
actuators:
  - { name: ${PUMP}, zone: north, safe: closed, at-most: 5m, level: L2 }
  - { name: valve-1, zone: yard, safe: closed, at-most: 5m, level: L2 }
rules:
  - name: north-is-dry
    metric: ${MOISTURE}
    zone: north
    below: 20
    clear: 25
    propose: { actuator: ${PUMP}, state: open, for: 20s }
    cooldown: 1m
`

/** A word of YAML, whatever is in it: JSON is YAML. */
const quoted = (text: string): string => JSON.stringify(text)

const moves = (folder: string, name: string): string => `actuators:
  - { name: ${name}, safe: closed, at-most: 5m, level: L2, exec: [sh, -c, 'echo "$1" > "$2"', mock, "{state}", ${quoted(join(folder, name))}] }
`
const reads = (folder: string, metric: string, zone: string, unit: string): string => `sensors:
  - { metric: ${metric}, zone: ${zone}, unit: "${unit}", every: 1s, exec: [cat, ${quoted(join(folder, metric))}] }
`

const own: { readonly [name: string]: (folder: string) => string } = {
  "board-1": (folder) => moves(folder, PUMP) + reads(folder, MOISTURE, "north", "%"),
  "board-2": (folder) => moves(folder, "valve-1") + reads(folder, LEVEL, "yard", "L")
}

export interface Mesh {
  readonly electors: ReadonlyArray<string>
  /** `<deviceId>=<url>`, of those that run already. */
  readonly peers: ReadonlyArray<string>
  /** `null`: this node makes it. */
  readonly key: string | null
}

/** Its state directory lies beside the file and is called as the node. */
export const nodeYaml = (folder: string, { name, role }: DemoNode, { electors: ids, key, peers }: Mesh): string =>
  `name: ${name}
role: ${role}
mesh-name: demo
${key === null ? "" : `mesh-key: ${quoted(key)}\n`}host: 127.0.0.1
port: 0
discovery: false
state: ${name}
farm: ${FARM_FILE}
electors: [${ids.map(quoted).join(", ")}]
peers: [${peers.map(quoted).join(", ")}]
${own[name]?.(folder) ?? ""}`

/** What the sensors show: percent, and litres. */
export interface World {
  readonly moisture: number
  readonly level: number
}

export const atFirst: World = { moisture: 21, level: 800 }

/** Each second the sun takes, and the pump gives to the soil what it takes from the tank. */
const DRIES = 0.3
const WETS = 1.2
const PUMPS = 4
const SOIL: readonly [number, number] = [12, 40]

/** A second later. */
export const after = ({ level, moisture }: World, pumps: boolean): World => {
  const flows = pumps && level >= PUMPS
  const next = moisture + (flows ? WETS : -DRIES)
  return {
    moisture: Math.round(10 * Math.min(SOIL[1], Math.max(SOIL[0], next))) / 10,
    level: flows ? level - PUMPS : level
  }
}
