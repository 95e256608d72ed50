/**
 * What the experiments need of a mesh, whoever keeps its membership: ours in the simulator, or a baseline. Members are numbers
 * from 0 on; time is integer ms of true time from the start.
 */
import type { Range } from "../../sim/scenario/Scenario.ts"

/** What one member from now on thinks of another. */
export interface Word {
  readonly atMs: number
  readonly observer: number
  readonly subject: number
  readonly state: "up" | "suspect" | "down"
}

export interface Traffic {
  /** Datagrams, or messages on connections; probes and their answers among them. */
  readonly messages: number
  /** Without elections and whatever else a mesh of ours says besides. */
  readonly membership: number
  /** Of payload, all messages: without the headers of UDP, IP, TCP and TLS. */
  readonly bytes: number
}

export interface MeshOptions {
  readonly size: number
  readonly seed: number
  /** One way. */
  readonly delayMs: Range
  /** Of datagrams, and of the packets below connections. */
  readonly lossPpm: number
  readonly onWord: (word: Word) => void
  /** Sizes of messages are worked out only where somebody wants to know. */
  readonly countTraffic?: boolean
}

export interface Mesh {
  /** Runs on until this true time, included; false, and it is of no use any more, when `isOver` said so before. */
  readonly run: (untilMs: number, isOver?: () => boolean) => boolean
  /** The power goes: no goodbye, no FIN. */
  readonly crash: (member: number) => void
  /** Takes nothing up and sends nothing until it is open again; what came meanwhile is taken up then. */
  readonly block: (member: number) => void
  readonly open: (member: number) => void
  /** Share of the packets that this member sends, or that are sent to it, lost from now on. */
  readonly lose: (member: number, direction: "egress" | "ingress", ppm: number) => void
  /** All that was sent so far, where it is counted. */
  readonly sent: () => Traffic
}

/** One who takes part in an experiment. */
export interface Contender {
  readonly name: string
  readonly make: (options: MeshOptions) => Mesh
  /** From the start until everybody has met everybody. */
  readonly meetsMs: number
}

/**
 * Whether it got there with so much processor time. Nothing that is measured depends on it,
 * only whether it is measured.
 */
export const runWithin = (mesh: Mesh, untilMs: number, secondsMost: number): boolean => {
  const before = process.cpuUsage()
  return mesh.run(untilMs, () => {
    const { system, user } = process.cpuUsage(before)
    return user + system > secondsMost * 1_000_000
  })
}

export const undone = (size: number, secondsMost: number): Undone => ({
  undone: `N=${size}: did not meet within ${secondsMost} s of processor`
})

/** What an experiment says where the mesh is too much work. */
export type Undone = { readonly undone: string }

export const isUndone = <A extends object>(result: A | Undone): result is Undone => "undone" in result
