/** Two traces at their first parting, as text: what they are, what came before, what each does then, and what differs of it. */
import { moment } from "../judge/Words.ts"
import type { Header, InputLine } from "../trace/Format.ts"
import type { Parts } from "../trace/Parts.ts"
import type { Trace } from "../trace/ReadTrace.ts"
import { pointsText } from "../search/Points.ts"
import { grouped } from "./CampaignText.ts"
import { changes } from "./Changes.ts"
import { differenceWords, givenWords, type NameOf, sign, stepWords, text } from "./ReplayText.ts"

export interface Compared {
  readonly first: Trace
  readonly second: Trace
  readonly parts: Parts | null
}

/** Steps before the parting that are told. */
const BEFORE = 5

const nameOfIn =
  ({ nodes }: Header): NameOf =>
  (deviceId) =>
    nodes.find(({ config }) => config.deviceId === deviceId)?.name ?? deviceId.slice(0, 8)

const runWords = ({ header: { drawn, file, kernel, seed, with: others }, points }: Trace): string =>
  [
    `${file}, seed ${seed}`,
    drawn === null ? "as written" : `drawn${drawn.swarm ? "" : " without the swarm"}`,
    ...(points.length === 0 ? [] : [`branch ${pointsText(points)}`]),
    ...(others === undefined ? [] : [`with ${others}`]),
    `kernel ${kernel ?? "not known"}`
  ].join(" · ")

const endWords = ({ end, lines }: Trace): string =>
  `${grouped(lines.length)} inputs, ${end === null ? "cut off" : `${end.verdict} at ${moment(end.atMs)}, trace ${end.hash}`}`

/** What is otherwise before anything has happened. */
const originWords = ({ header: first }: Trace, { header: second }: Trace): ReadonlyArray<string> => {
  const others = (
    [
      ["the scenario", first.scenarioHash, second.scenarioHash],
      ["the seed", first.seed, second.seed],
      ["what was drawn", JSON.stringify(first.drawn), JSON.stringify(second.drawn)],
      ["what is to happen", JSON.stringify(first.ran), JSON.stringify(second.ran)],
      ["who takes part", JSON.stringify(first.nodes), JSON.stringify(second.nodes)],
      ["the kernel", first.kernel, second.kernel]
    ] as const
  ).flatMap(([what, one, other]) => (one === other ? [] : [what]))
  return others.length === 0
    ? ["Scenario, seed and kernel are the same."]
    : [`Not the same to begin with: ${others.join(", ")}.`]
}

const answerWords = ({ answered }: Parts, nameOf: NameOf): ReadonlyArray<string> => {
  if (answered === null) return []
  const { as, fed } = answered
  const whose =
    as === "neither"
      ? "this kernel, which does as neither of them did, gives"
      : `this kernel does as in the ${as}, and gives`
  return [
    "  The input is the same, and the node does not do the same with it.",
    ...(fed === null
      ? ["  This kernel does not come to it: pnpm sim replay tells why."]
      : [
          `  To it ${whose}`,
          ...givenWords(fed.commands, nameOf, "    "),
          ...changes(fed.before, fed.after, fed.line.input.at.mono, nameOf).map((words) => `    ● ${words}`)
        ])
  ]
}

const partWords = ({ first, second, parts }: Compared): ReadonlyArray<string> => {
  if (parts === null) return []
  const [one, other] = [nameOfIn(first.header), nameOfIn(second.header)]
  const before = first.lines.slice(Math.max(0, parts.event - 1 - BEFORE), parts.event - 1)
  const told = (line: InputLine | null, nameOf: NameOf): string =>
    line === null ? "nothing more" : stepWords(line, nameOf)
  return [
    ...(before.length === 0
      ? ["From the first input on:"]
      : [
          `The same for ${grouped(parts.event - 1)} inputs, until ${moment(before.at(-1)!.atMs)}; the last of them:`,
          ...before.map((line) => `           ${stepWords(line, one)}`)
        ]),
    `Then, input ${grouped(parts.event)}:`,
    `  first    ${told(parts.first, one)}`,
    `  second   ${told(parts.second, other)}`,
    ...(parts.first === null || parts.second === null
      ? []
      : differenceWords(parts.first, parts.second, one, ["first", "second"])),
    ...answerWords(parts, one)
  ]
}

export const diffText = (compared: Compared): string => {
  const { first, parts, second } = compared
  const damage = [first, second].flatMap(({ damage }) => (damage === null ? [] : [`${sign.known} ${damage.words}`]))
  const whole = first.end !== null && second.end !== null
  return text([
    `first    ${first.file}   ${runWords(first)}`,
    `         ${endWords(first)}`,
    `second   ${second.file}   ${runWords(second)}`,
    `         ${endWords(second)}`,
    "",
    ...damage,
    ...originWords(first, second),
    ...partWords(compared),
    ...(parts !== null
      ? [`${sign.wrong} they part`]
      : [whole ? `${sign.right} the same run, to the end` : `${sign.right} the same run, as far as both go`])
  ])
}
