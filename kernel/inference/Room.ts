/** The front of the room of inference: models of this device that others ask (Serving.ts), and others' that its programs ask (Asking.ts). */
import type { Input } from "../Input.ts"
import type { Known } from "../routing/Routes.ts"
import { NEVER_MS } from "../Time.ts"
import type { Turn } from "../Turn.ts"
import * as Asking from "./Asking.ts"
import * as Serving from "./Serving.ts"

export interface Inference {
  readonly serving: Serving.Serving
  readonly asking: Asking.Asking
  readonly due: number
}

export const make = (): Inference => ({ serving: Serving.make(), asking: Asking.make(), due: NEVER_MS })

const withBoth = (inference: Inference, serving: Serving.Serving, asking: Asking.Asking, turn: Turn): Inference => {
  const due = Math.min(Serving.dueOf(serving, turn), Asking.dueOf(asking))
  return serving === inference.serving && asking === inference.asking && due === inference.due
    ? inference
    : { serving, asking, due }
}

/** Behind every room that answers: the lane is looked at as it is then. */
export const onTurn = (inference: Inference, input: Input, known: Known, turn: Turn): Inference => {
  const asking = Asking.onTurn(inference.asking, input, known, turn)
  const serving = Serving.onTurn(inference.serving, input, known.links, turn)
  return withBoth(inference, serving, asking, turn)
}

/** Somebody is trusted no longer, or in another role. */
export const onTrust = (inference: Inference, turn: Turn): Inference =>
  withBoth(inference, Serving.onTrust(inference.serving, turn), Asking.onGone(inference.asking, turn), turn)

/** This node says goodbye; whoever asked it is told. */
export const leave = (inference: Inference, turn: Turn): Inference =>
  withBoth(inference, Serving.leave(inference.serving, true, turn), Asking.leave(inference.asking, turn), turn)

/** It begins another life, with nobody to tell. */
export const anew = (inference: Inference, turn: Turn): Inference =>
  withBoth(inference, Serving.leave(inference.serving, false, turn), Asking.leave(inference.asking, turn), turn)
