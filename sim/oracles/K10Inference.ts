/**
 * K10: a model of a device answers whoever asked it and nobody else, one at a time (PROTOCOL.md part 20). A device runs one inference at
 * most, for a device that has a session with it; the pieces that go out on a link, and those that its programs hear, are numbered
 * without a gap, and none comes behind the end; no more waits for a reader than may; and nothing that a model said is in the world.
 *
 * Does not judge: what is said; that a provider heeds its stop.
 */
import { ABANDONED_MAX, WAITING_MAX_BYTES } from "../../kernel/inference/Serving.ts"
import type { NodeState } from "../../kernel/Node.ts"
import { utf8Bytes } from "../../kernel/wire/Utf8.ts"
import type { MakeOracle, Observation, Oracle } from "./Oracle.ts"

/** Of a call, or of a request on a link, by a name; `null`: it is over. */
type Seqs = Map<string, number | null>

export const inference: MakeOracle = () => remembering(new Map(), new Map())

const alone = ({ after, commands, machine }: Observation): string | null => {
  const { abandoned, running } = after.inference.serving
  const begun = commands.filter(({ _tag }) => _tag === "Infer").length
  const stopped = commands.filter(({ _tag }) => _tag === "StopInference").length
  // What this step begins and stops has not been done yet.
  if (begun > 0 && machine.inferring + begun - stopped > 1) return "runs two inferences at once"
  if (abandoned.length > ABANDONED_MAX) return `has ${abandoned.length} inferences that do not end`
  if (running === null || after.phase !== "running") return null
  const serves = after.links.links.some((link) => link._tag === "Session" && link.link === running.link)
  if (!serves) return "goes on with an inference whose requester is gone"
  // What one input brings is looked at in the same step.
  if (running.textBytes > WAITING_MAX_BYTES) return `has ${running.textBytes} bytes that a model said`
  return utf8Bytes(running.text) > running.textBytes ? "counts less of what a model said than there is" : null
}

/** What a model says, here or to a program here, is in no log and no entry, and waits for no signature. */
const apart = ({ after, before, commands, input }: Observation): string | null => {
  const isSaid =
    input._tag === "Inferred" ||
    (input._tag === "Received" && input.frame.type === "event" && input.frame.event === "llm.chunk")
  if (!isSaid) return null
  const of = ({ world: { drafts, origins } }: NodeState) => [drafts, origins] as const
  const isSame = of(after).every((one, at) => one === of(before)[at])
  const does = commands.find(({ _tag }) => ["Drive", "Deliver", "Sign", "Persist"].includes(_tag))
  if (!isSame) return "takes what a model says into the world"
  return does === undefined ? null : `does ${does._tag} at the word of a model`
}

const remembering = (said: Seqs, heard: Seqs): Oracle => ({
  id: "K10",
  fork: () => remembering(new Map(said), new Map(heard)),
  stepped: (seen) => {
    const { commands, input, machine } = seen
    const why = alone(seen) ?? apart(seen)
    if (why !== null) return `${machine.name} ${why}`
    for (const command of commands) {
      const whose = `${machine.name}/${machine.process}`
      if (command._tag === "Infer") said.delete(whose)
      if (command._tag === "Streamed") {
        const next = heard.get(`${whose}/${command.call}`) ?? 0
        if (command.seq !== next)
          return `${machine.name} hands on piece ${command.seq} of an answer after ${next} pieces`
        heard.set(`${whose}/${command.call}`, next + 1)
      }
    }
    if (input._tag === "Prompt") heard.set(`${machine.name}/${machine.process}/${input.call}`, 0)
    return null
  },
  sent: (sender, receiver, frame) => {
    if (frame.type === "req" && frame.method === "llm.infer")
      said.set(`${receiver.name} ${sender.name} ${frame.params.requestId}`, 0)
    if (frame.type === "res") {
      const over = `${sender.name} ${receiver.name} ${frame.id}`
      if (said.has(over)) said.set(over, null)
    }
    if (frame.type !== "event" || frame.event !== "llm.chunk") return null
    const { requestId, seq } = frame.payload
    const whose = `${sender.name} ${receiver.name} ${requestId}`
    const next = said.get(whose)
    if (next === undefined) return `${sender.name} tells ${receiver.name} what it did not ask`
    if (next === null) return `${sender.name} tells ${receiver.name} more behind the end`
    if (seq !== next) return `${sender.name} sends piece ${seq} after ${next} pieces`
    said.set(whose, next + 1)
    return null
  }
})
