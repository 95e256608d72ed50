/**
 * Who may call what: the one table of callers and methods (PROTOCOL.md part 8, B14, B45).
 *
 * A caller is the public (a link before its handshake), a device in the role that the trust store gives it, or an operator (a
 * person at the node's own socket, or with an operator's key). No device is ever an operator, whatever its role.
 *
 * Not here: what a method's own room asks further, such as whose frames a sensor may send.
 */
import type { Role } from "./Frame.ts"

export type Caller = Role | "public" | "operator"

interface Row {
  readonly callers: ReadonlyArray<Caller>
  /** May pass it on for an operator whom the request names: the room that serves it checks that name. */
  readonly relays?: ReadonlyArray<Role>
  /** This node answers it today; the others are `UNKNOWN_METHOD`. */
  readonly served: boolean
}

const everyDevice: ReadonlyArray<Role> = ["viewer", "sensor", "actuator", "node", "field", "planner", "standby-planner"]
/** Those that carry for others: they forward, sync and serve capabilities. */
const carriers: ReadonlyArray<Role> = ["node", "field", "planner", "standby-planner"]

const handshake: ReadonlyArray<Caller> = ["public"]
const readers: ReadonlyArray<Caller> = [...everyDevice, "operator"]
const doers: ReadonlyArray<Caller> = [...carriers, "operator"]

const table = {
  "mesh.challenge": { callers: handshake, served: true },
  "mesh.connect": { callers: handshake, served: true },
  "mesh.peers": { callers: readers, served: true },
  "mesh.status": { callers: readers, served: true },
  "mesh.health": { callers: readers, served: false },
  "mesh.world.query": { callers: readers, served: true },
  "mesh.events": { callers: ["operator"], served: false },
  "mesh.trace": { callers: ["operator"], served: false },
  "mesh.message.forward": { callers: doers, served: true },
  "context.sync": { callers: carriers, served: true },
  "llm.infer": { callers: doers, served: true },
  "llm.cancel": { callers: doers, served: true },
  "chat.subscribe": { callers: readers, served: false },
  "chat.proposal.approve": { callers: ["operator"], relays: carriers, served: false },
  "chat.proposal.reject": { callers: ["operator"], relays: carriers, served: false },
  "operator.intent": { callers: ["operator"], served: false }
} as const satisfies { readonly [method: string]: Row }

export type MethodName = keyof typeof table

/** Every method of the protocol, served or not yet, in the order of the table. */
export const methods = Object.keys(table) as ReadonlyArray<MethodName>

const rowOf = (method: string): Row | undefined =>
  Object.hasOwn(table, method) ? table[method as MethodName] : undefined

/** Whether this node answers it to those who may call it. */
export const isServed = (method: string): boolean => rowOf(method)?.served === true

/** `false` also for a method that nobody knows; that one is answered `UNKNOWN_METHOD` rather than `NOT_AUTHORIZED`. */
export const mayCall = (caller: Caller, method: string): boolean => {
  const row = rowOf(method)
  return row !== undefined && (row.callers.includes(caller) || relays(row, caller))
}

/** It may call this only for an operator whom the request names. */
export const onlyForAnOperator = (caller: Caller, method: string): boolean => {
  const row = rowOf(method)
  return row !== undefined && relays(row, caller)
}

const relays = (row: Row, caller: Caller): boolean => row.relays?.some((role) => role === caller) === true
