/** Bugs with a name, of models and of who asks them (Named.ts). */
import type { Bug } from "./Mutant.ts"

export const inference: { readonly [name: string]: Bug } = {
  "answers-two-at-once": {
    rule: "P20.3, K10",
    what: "a model that is busy is asked by another one as well",
    file: "inference/Serving.ts",
    swaps: [['  if (serving.running !== null) return no("LLM_BUSY", "one inference at a time")\n', ""]]
  },
  "answers-the-dead": {
    rule: "P20.7, K10",
    what: "an inference goes on although whoever asked has no session any more",
    file: "inference/Serving.ts",
    swaps: [["  if (!isGone) return serving\n", "  if (!isGone || isGone) return serving\n"]]
  },
  "numbers-pieces-anew": {
    rule: "P20.2, K10",
    what: "the pieces of each turn are numbered from 0",
    file: "inference/Serving.ts",
    swaps: [["  let { seq, text, textBytes } = running\n", "  let { seq, text, textBytes } = { ...running, seq: 0 }\n"]]
  },
  "waits-for-ever-for-a-reader": {
    rule: "P20.5, K10",
    what: "however much waits for a reader, its model goes on",
    file: "inference/Serving.ts",
    swaps: [["  if (waiting(running, links) > WAITING_MAX_BYTES)\n", "  if (waiting(running, links) < 0)\n"]]
  },
  "ignores-a-cancel": {
    rule: "P20.6",
    what: "nothing that was asked for is found to be called off",
    file: "inference/Serving.ts",
    swaps: [["running.requestId !== requestId) {", 'running.requestId !== "") {']]
  },
  "thinks-for-ever": {
    rule: "P20.4",
    what: "an inference has no end",
    file: "inference/Serving.ts",
    swaps: [["  if (turn.at.mono >= running.until) return", "  if (turn.at.mono < 0) return"]]
  },
  "believes-a-model": {
    rule: "P20.10, S4, S5, K10",
    what: "what a model says is told to the mesh as seen",
    file: "inference/Asking.ts",
    swaps: [
      [
        '  turn.out.push({ _tag: "Streamed", call: ask.call, seq, delta })\n',
        '  turn.out.push({ _tag: "Streamed", call: ask.call, seq, delta })\n  turn.behind.push({ _tag: "Sensed", at: turn.at, frameId: `${requestId}-${seq}`, kind: "observation", data: { said: delta } })\n'
      ]
    ]
  }
}
