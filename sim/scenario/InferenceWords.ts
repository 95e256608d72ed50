/** Models, and what programs ask them, beyond their form; and the way back. */
import { capabilityOf } from "../../kernel/inference/Serving.ts"
import type { Flow } from "./Flow.ts"
import type { Language } from "./Language.ts"
import { oneNode, type Reading, valueOf } from "./Names.ts"
import type { Facts, InferenceFact, ModelSpec, NodeSpec, Verb } from "./Scenario.ts"
import type { Draft } from "./Shape.ts"
import type { StepDraft } from "./Timeline.ts"
import type { Path } from "./Tree.ts"
import { readCount, readSize, readTime, showSize, showTime } from "./Units.ts"

type ServesDraft = NonNullable<NonNullable<Draft<Language["nodes"]>>[string]>["serves"]

const PIECES = 10
const EACH_MS = 100
const BYTES = 16
const MODEL = /^[^\s/:*]+\/[^\s*]+$/u
const notAModel = "a model is a provider and a name, such as ollama/llama3"

export const readServes = (reading: Reading, draft: ServesDraft, path: Path): Pick<NodeSpec, "serves"> => {
  if (draft === undefined) return {}
  const { mistakes, tree } = reading
  const serves = Object.entries(draft).map(([model, said]): ModelSpec => {
    const at = [...path, model]
    if (!MODEL.test(model)) mistakes.add(tree.key(at), notAModel)
    const pieces = valueOf(reading, [...at, "pieces"], said?.pieces, readCount)
    if (pieces !== null && pieces.how !== "exactly")
      mistakes.add(tree.value([...at, "pieces"]), "write exactly how many, such as exactly 10")
    const eachMs = valueOf(reading, [...at, "each"], said?.each, readTime) ?? EACH_MS
    if (eachMs === 0) mistakes.add(tree.value([...at, "each"]), "it takes longer than nothing; write 1ms at least")
    const bytes = valueOf(reading, [...at, "size"], said?.size, readSize) ?? BYTES
    return {
      model,
      pieces: pieces?.n ?? PIECES,
      eachMs: Math.max(1, eachMs),
      bytes,
      ignoresAbort: said?.stop === "ignored"
    }
  })
  return { serves }
}

/** What a node that serves these has besides `can:`. */
export const capabilitiesOf = ({ serves = [] }: Pick<NodeSpec, "serves">): ReadonlyArray<string> =>
  serves.map(({ model }) => capabilityOf(model))

export const servesWords = ({ serves }: NodeSpec): Flow | undefined =>
  serves === undefined
    ? undefined
    : Object.fromEntries(
        serves.map(({ bytes, eachMs, ignoresAbort, model, pieces }) => [
          model,
          {
            pieces: `exactly ${pieces}`,
            each: showTime(eachMs),
            size: showSize(bytes),
            ...(ignoresAbort ? { stop: "ignored" } : {})
          }
        ])
      )

export const readInfer = (reading: Reading, infer: StepDraft["infer"], at: Path): Verb | null => {
  if (infer === undefined) return null
  const { mistakes, tree } = reading
  const from = oneNode(reading, infer.from, [...at, "from"])
  const to = oneNode(reading, infer.to, [...at, "to"])
  const { model = "", request = "" } = infer
  if (from !== "" && from === to)
    mistakes.add(tree.value([...at, "to"]), "a node has no session with itself; write another one")
  if (model !== "" && !MODEL.test(model)) mistakes.add(tree.value([...at, "model"]), notAModel)
  return { _tag: "infer", from, request, model, ...(to === "" ? {} : { to }) }
}

export const readCallOff = (draft: StepDraft["call-off"]): Verb | null =>
  draft === undefined ? null : { _tag: "call-off", request: draft.request ?? "" }

export const readInferences = (
  { mistakes, tree }: Reading,
  draft: { readonly [request: string]: string | undefined },
  path: Path
): ReadonlyArray<InferenceFact> => {
  if (tree.keys(path).length === 0) mistakes.add(tree.value(path), "no request here; write { q1: stop }")
  return Object.entries(draft).flatMap(([request, outcome]) => (outcome === undefined ? [] : [{ request, outcome }]))
}

export const inferencesWords = (inferences: Facts["inferences"]): Flow | undefined =>
  inferences === undefined
    ? undefined
    : Object.fromEntries(inferences.map(({ outcome, request }) => [request, outcome]))
