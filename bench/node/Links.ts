/** Between two nodes: from dialling to a session, and frames a second. One is the shipped process, the other ours (Dialler.ts). */
import * as Effect from "effect/Effect"
import { encode } from "../../kernel/wire/Codec.ts"
import type { Frame } from "../../kernel/wire/Frame.ts"
import { median } from "../Measure.ts"
import { freePorts, type Farm } from "./Daemon.ts"
import { meet, type FarEnd, type Talk } from "./Dialler.ts"
import { flood } from "./Flood.ts"

const MEETINGS = 100
const WARM_UP = 20
/** The far end's node, in the mesh, and the place of ours. */
const FAR = "far"
const NEAR = "near"

export interface LinkFigures {
  readonly dialMs: number
  readonly handshakeMs: number
  /** Heartbeats a second: encoded here, decoded there and taken through the kernel. */
  readonly framesPerSecond: number
}

/** The heartbeat that a node sends each second, with the length that it has on a young link. */
export const heartbeat: Frame = {
  type: "event",
  event: "mesh.heartbeat",
  payload: { epoch: [12, 3, 7, 41], seq: 1_024, rows: 2_718_281_828 }
}
export const HEARTBEAT_TEXT = encode(heartbeat)

/** Each as the next one of this link: its epoch, and the fingerprint that the far end agrees with. */
const sendHeartbeats = (talk: Talk, seq: number, count: number): void => {
  const session = talk.state().links.links.find(({ link }) => link === talk.link)
  if (session?._tag !== "Session") throw new Error("the session is gone")
  const { epoch } = session
  const rows = talk.state().membership.fingerprint
  for (let i = 0; i < count; i++)
    Effect.runSync(talk.send({ type: "event", event: "mesh.heartbeat", payload: { epoch, seq: seq + i, rows } }))
}

/** A request behind each lot of them says, by its answer, that they were taken up: any answer does, for requests have a budget (P13.6). */
const heartbeatsPerSecond = (talk: Talk): Promise<number> => {
  const waiting = new Map<string, () => void>()
  let ids = 0
  let seq = 1_000
  talk.onAnswer((id) => {
    waiting.get(id)?.()
    waiting.delete(id)
  })
  const mark = (): Promise<void> =>
    new Promise((done) => {
      const id = `b${(ids += 1)}`
      waiting.set(id, done)
      Effect.runSync(talk.send({ type: "req", id, method: "mesh.peers", params: {} }))
    })
  return flood((count) => {
    sendHeartbeats(talk, seq, count)
    seq += count
  }, mark)
}

export const measureLinks = async (farm: Farm): Promise<LinkFigures> => {
  const [port] = await freePorts(1)
  const deviceId = farm.id(FAR)
  const { child } = await farm.start(FAR, ["--role", "planner", "--port", String(port)])
  farm.tool(FAR, "trust", "add", farm.id(NEAR), "--role", "field", "--name", NEAR)
  const far: FarEnd = { deviceId, address: `wss://127.0.0.1:${port}`, meshKey: farm.meshKey(FAR) }
  const met = []
  for (let i = 0; i < WARM_UP + MEETINGS; i++) met.push(await Effect.runPromise(meet(farm.place(NEAR), far)))
  const counted = met.slice(WARM_UP)
  let framesPerSecond = Number.NaN
  await Effect.runPromise(
    meet(farm.place(NEAR), far, (talk) =>
      Effect.promise(async () => {
        framesPerSecond = await heartbeatsPerSecond(talk)
      })
    )
  )
  await farm.stop(child)
  return {
    dialMs: median(counted.map(({ dialMs }) => dialMs)),
    handshakeMs: median(counted.map(({ handshakeMs }) => handshakeMs)),
    framesPerSecond
  }
}
