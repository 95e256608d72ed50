/** What a node tells, as it stands in the story of its world: with names in place of device ids. */
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Happening } from "./View.ts"

export const noted = (
  atMs: number,
  node: string,
  { about, event, ...detail }: MeshEvent,
  nameOf: (deviceId: string) => string
): Happening => ({
  atMs,
  node,
  event,
  about: about === undefined ? null : nameOf(about),
  detail: detail.witnesses === undefined ? detail : { ...detail, witnesses: detail.witnesses.map((id) => nameOf(id)) }
})
