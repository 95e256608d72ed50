/** `pnpm sim explain`: why a run failed, or how a node came to what it was in at some moment. */
import type { Break } from "../explain/Breaks.ts"
import type { Examined } from "../explain/Examine.ts"
import { type Inevitability, inevitability } from "../explain/Inevitable.ts"
import { entryOfJump, entryWords, explained, placeOf, sliceOfBreak } from "../explain/Screen.ts"
import { nearest } from "../scenario/Spelling.ts"
import { type Exit, exits } from "./Exit.ts"
import type { ExplainOrder } from "./Order.ts"
import { line } from "./Records.ts"
import { find } from "./Subject.ts"
import { kernelOf, type Records, type Surroundings } from "./Surroundings.ts"

/** The failure that is meant; a sentence, where there is none. */
const breakOf = ({ breaks }: Examined, { why }: ExplainOrder, words: string): Break | string => {
  const [first] = breaks
  const has = `this run has ${breaks.map(({ id }) => JSON.stringify(id)).join(", ")}`
  if (why === null)
    return (
      first ??
      `nothing failed in this run; to see how a node came to what it was in: pnpm sim explain ${words} --at 10s --node NAME`
    )
  const found =
    breaks.find(({ id }) => id === why) ?? breaks.find(({ id }) => id.toLowerCase().includes(why.toLowerCase()))
  return found ?? `--why ${why}: ${first === undefined ? "nothing failed in this run" : has}`
}

/** What a node was in at a moment, to be explained as if it were a failure. */
const stateOf = ({ recording: { entries, nodes }, result }: Examined, { atMs, node }: ExplainOrder): Break | string => {
  if (node !== null && !nodes.includes(node)) {
    const meant = nearest(node, nodes)
    return `--node ${node}: there is no such node; ${meant === null ? `there are ${nodes.join(", ")}` : `did you mean ${meant}?`}`
  }
  const until = atMs ?? result.endedMs
  const last = entries.findLast(
    (entry) => entry.atMs <= until && entry.changes.length > 0 && (node === null || entry.node === node)
  )
  if (last === undefined)
    return `nothing had happened ${node === null ? "" : `to ${node} `}by then; name a later moment`
  return {
    id: `${last.node} as it was at ${until / 1000} s`,
    kind: "state",
    atMs: until,
    words: last.changes.map(({ text }) => text).join(", "),
    nodes: [last.node!],
    aspects: last.changes.map(({ aspect }) => aspect)
  }
}

export const explain = async (order: ExplainOrder, around: Surroundings, records: Records): Promise<Exit> => {
  const found = await find(order.about, around, records)
  if ("exit" in found) return found.exit
  const { examined, file, words } = found
  const asked = order.atMs !== null || order.node !== null
  const broken = asked ? stateOf(examined, order) : breakOf(examined, order, words)
  if (typeof broken === "string") {
    records.error("WRONG_USE", exits.wrongUse, broken)
    return exits.wrongUse
  }
  const futures = order.about.futures && !asked ? await futuresOf(examined, broken, around) : null
  records.write(explainRecord(file, examined, broken, futures))
  if (order.json !== "stdout") around.out(explained(examined, broken, futures, file))
  return exits.passed
}

export const futuresOf = async (
  { result: { events }, subject }: Examined,
  broken: Break,
  around: Surroundings
): Promise<Inevitability | "too long"> => {
  const kernel = await kernelOf(around)
  const found = inevitability(subject, broken, {
    totalEvents: events,
    onProgress: (done, of) => around.progress?.(` other futures of the run: ${done} of ${of} moments`),
    ...(kernel === undefined ? {} : { kernel })
  })
  around.progress?.(null)
  return found ?? "too long"
}

const explainRecord = (
  file: string,
  examined: Examined,
  broken: Break,
  futures: Inevitability | "too long" | null
): string => {
  const { recording, result, scenario } = examined
  const { more, shown } = sliceOfBreak(examined, broken)
  const known = futures === "too long" ? null : futures
  return line({
    $type: "clawmesh.explanation/1",
    file,
    seed: result.seed,
    hash: result.hash,
    broken: {
      id: broken.id,
      kind: broken.kind,
      atMs: broken.atMs,
      words: broken.words,
      place: placeOf(scenario, broken)
    },
    slice: shown.map((entry) => ({
      atMs: entry.atMs,
      node: entry.node,
      words: entryWords(scenario, entry),
      input: entry.kind,
      sender: entry.sender?.node ?? null,
      sentMs: entry.sender?.atMs ?? null,
      target: entry.target
    })),
    left: more,
    curve: known?.curve ?? null,
    jumps:
      known?.jumps.map((jump) => {
        const entry = entryOfJump(recording, jump)
        return { ...jump, node: entry?.node ?? null, input: entry?.kind ?? null }
      }) ?? null,
    inevitableFrom: known?.from ?? null
  })
}
