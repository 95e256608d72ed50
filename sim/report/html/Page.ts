/**
 * A run as one HTML file, to be opened from a disk or a mail without a network: the sentence, the command that runs it again, lanes,
 * how it came about, what each node believed at any moment, the expectations with their places, and all events.
 *
 * What is written here needs no script: sentence, command, causes, expectations. The script (lanes.js and page.js) adds what moves: lanes, the
 * slider, filters. A policy in the head allows that one script and that one style sheet by their hashes, and nothing from anywhere.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { question } from "../../judge/Facts.ts"
import type { Outcome } from "../../judge/Judge.ts"
import { exactSpan, margin, measuredSpan, moment } from "../../judge/Words.ts"
import { type Break, targetsOf } from "../../explain/Breaks.ts"
import type { Examined } from "../../explain/Examine.ts"
import type { Inevitability } from "../../explain/Inevitable.ts"
import { placeOf, sliceOfBreak } from "../../explain/Screen.ts"
import { doubts } from "../Transcript.ts"
import { drawnWords } from "../DrawnWords.ts"
import { causes, curve } from "./Causes.ts"
import { dataOf } from "./Data.ts"
import { embedded, Markup, markup, NOTHING } from "./Html.ts"

export interface Reported {
  /** How the user named the scenario. */
  readonly file: string
  readonly examined: Examined
  /** `null`: not tried. */
  readonly futures: Inevitability | null
  /** The words after `pnpm sim explain` that name the run. */
  readonly words: string
  /** Commands, each with what it is for. */
  readonly commands: ReadonlyArray<readonly [what: string, command: string]>
  /** The commit of the kernel; `null`: not known. */
  readonly kernel: string | null
}

/** Failures whose causes are told; there are rarely more than two. */
const BREAKS_TOLD_MAX = 4

const beside = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8").trim()

const policy = (script: string, style: string): string => {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
  return `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`
}

const signs = {
  held: ["ok", "✓ held"],
  broken: ["bad", "✗ broken"],
  "not-reached": ["warn", "– not reached"],
  never: ["warn", "– never so"]
} as const

const measure = ({ atMs, limitMs, marginMs, witness }: Outcome): string => {
  if (witness !== undefined) return `${atMs === undefined ? "" : `at ${moment(atMs)}: `}${witness}`
  if (marginMs !== undefined && limitMs !== undefined) return margin(marginMs, limitMs)
  return atMs === undefined ? "" : `at ${moment(atMs)}`
}

const expectationRow = (outcome: Outcome, file: string): Markup => {
  const { facts, name, place } = outcome.expectation
  const [ink, sign] = signs[outcome.status]
  return markup`<tr><td class="${ink} word">${sign}</td><td>${name}<br><span class="dim">${question(facts).told}</span></td>
<td>${measure(outcome)}</td><td><code>${file}:${place.line}:${place.column}</code></td></tr>
`
}

/** Of each invariant the first. */
const violationRows = ({ result: { violations } }: Examined): ReadonlyArray<Markup> =>
  violations
    .filter(({ oracle }, i) => violations.findIndex((other) => other.oracle === oracle) === i)
    .map(
      ({ atMs, message, node, oracle }) =>
        markup`<tr><td class="bad word">✗ broken</td><td>invariant ${oracle}</td><td>at ${moment(atMs)}, ${node}: ${message}</td>
<td><code>docs/explanation/invariants.md</code></td></tr>
`
    )

const commandLine = ([what, command]: readonly [string, string]): Markup =>
  markup`<dt>${what}</dt><dd class="cmd"><code>${command}</code><button type="button" class="copy" aria-label="Copy the command: ${what}">Copy</button></dd>
`

const verdicts = {
  passed: ["good", "✓ Everything that was judged held."],
  failed: ["", "✗ It failed."],
  undecided: ["open", "– Nothing broke, and whether it would was not decided."]
} as const

const sentences = ({ breaks, drawn, result, scenario }: Examined, file: string): ReadonlyArray<Markup> => {
  const [kind, words] = verdicts[result.verdict]
  const doubted = doubts(file, scenario, result, drawn === null ? null : drawnWords(drawn))
  const why = doubted.map((doubt) => markup`<br>! ${doubt}`)
  if (breaks.length === 0) return [markup`<p class="verdict ${kind}"><b>${words}</b>${why}</p>\n`]
  return breaks.map((broken) => {
    const place = placeOf(scenario, broken)
    const where = place === null ? NOTHING : markup`<br><code>${file}:${place.line}:${place.column}</code>`
    const name = `${broken.kind === "invariant" ? "invariant " : ""}${broken.id}`
    return markup`<p class="verdict"><b>✗ ${name}</b><br>At ${moment(broken.atMs)} s: ${broken.words}${where}</p>\n`
  })
}

const factsOf = ({ result, scenario }: Examined, kernel: string | null): string => {
  const { endedMs, hash, seed } = result
  return [
    "clawmesh sim",
    `trace ${hash.slice(0, 8)}`,
    ...(kernel === null ? [] : [`kernel ${kernel}`]),
    `seed ${seed}`,
    `${endedMs < scenario.lastsMs ? `stopped at ${measuredSpan(endedMs)}` : exactSpan(endedMs)} of virtual time`,
    ...(scenario.with === undefined ? [] : [`with ${scenario.with}`])
  ].join(" · ")
}

const lanes = (failed: boolean): Markup => markup`<h2 id="lanes-title">The run, as lanes</h2>
<noscript><p class="warn">Lanes, beliefs and events are drawn by a script, and scripts are off here. What is above, and the causes below, are whole.</p></noscript>
<p class="tools"><label>from <input id="from" type="number" min="0" step="any" inputmode="decimal"> s</label> <label>to <input id="to" type="number" min="0" step="any" inputmode="decimal"> s</label>
<button type="button" id="whole">Whole run</button>${failed ? markup` <button type="button" id="near">Around the failure</button>` : NOTHING} <button type="button" id="in">Closer</button> <button type="button" id="out">Further</button></p>
<div class="scroll" id="lanes" tabindex="0" role="region" aria-labelledby="lanes-title"></div>
<p class="dim">Solid bar: holds a lease · striped bar: believes it leads, lease run out · line below: follows somebody · dotted: off · ✗ goes off · ↻ starts · ! befallen · ◆ broken. <span id="arrows"></span></p>
`

const beliefs = (startMs: number, endMs: number): Markup => markup`<h2 id="beliefs-title">What each node believed</h2>
<p class="tools"><label for="at">at <output id="at-words" for="at">${moment(startMs)} s</output></label>
<input id="at" type="range" min="0" max="${endMs}" value="${startMs}" step="1"> <button type="button" id="before">Event before</button> <button type="button" id="after">Event after</button></p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="beliefs-title"><table><thead><tr><th scope="col">node</th><th scope="col">state</th><th scope="col">leader</th><th scope="col">term</th><th scope="col">standing</th><th scope="col">lease</th><th scope="col">peers that are not up</th><th scope="col">why</th></tr></thead><tbody id="beliefs"></tbody></table></div>
<dl id="how-line" hidden><dt>how it came to that</dt><dd class="cmd"><code id="how"></code><button type="button" class="copy" aria-label="Copy the command: how it came to that">Copy</button></dd></dl>
`

const expectations = (examined: Examined, file: string): Markup => markup`<h2 id="expectations-title">Expectations</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="expectations-title"><table><thead><tr><th scope="col">came to</th><th scope="col">expectation</th><th scope="col">measure</th><th scope="col">place</th></tr></thead><tbody>
${violationRows(examined)}${examined.result.expectations.map((outcome) => expectationRow(outcome, file))}</tbody></table></div>
`

const events = markup`<h2 id="events-title">All events</h2>
<p class="tools"><label>node <select id="by-node"><option value="">all</option></select></label> <label>kind <select id="by-kind"><option value="">all</option></select></label>
<label>text <input id="by-text" type="search"></label> <label><input id="by-cause" type="checkbox"> only what led to the failure</label></p>
<p id="counted" class="dim" role="status"></p>
<div class="scroll tall" tabindex="0" role="region" aria-labelledby="events-title"><table><thead><tr><th scope="col">time</th><th scope="col">node</th><th scope="col">kind</th><th scope="col">what</th></tr></thead><tbody id="events"></tbody></table></div>
<p><button type="button" id="more" hidden>Show more</button></p>
`

const cameAbout = (examined: Examined, first: Break): Markup => {
  const { breaks, recording } = examined
  const rest = breaks.length - BREAKS_TOLD_MAX
  return markup`<h2 id="causes">How it came about</h2>
${targetsOf(recording, first).length === 0 ? markup`<p class="dim">No step of a node had a part in it.</p>` : NOTHING}${breaks
    .slice(0, BREAKS_TOLD_MAX)
    .map((broken) =>
      causes(examined, broken)
    )}${rest > 0 ? markup`<p class="dim">… and ${rest} more that broke; see the expectations.</p>` : NOTHING}`
}

export const page = ({ commands, examined, file, futures, kernel, words }: Reported): string => {
  const { breaks, drawn, result, scenario } = examined
  const [first] = breaks
  const script = `${beside("./lanes.js")}\n${beside("./page.js")}`
  const style = beside("./page.css")
  const slice = first === undefined ? [] : sliceOfBreak(examined, first).shown
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${result.verdict.toUpperCase()} ${scenario.title} · seed ${result.seed}</title>
<style>${new Markup(style)}</style></head><body><main>
<p class="dim mono">${factsOf(examined, kernel)}</p>
<h1>${scenario.title} — ${result.verdict}</h1>
${sentences(examined, file)}${drawn === null ? NOTHING : markup`<p class="dim">drawn: ${drawnWords(drawn)}</p>`}
<h2>Run it again</h2>
<dl>${commands.map(commandLine)}</dl><p id="said" class="dim" role="status"></p>
${lanes(first !== undefined)}${first === undefined ? NOTHING : cameAbout(examined, first)}${
    futures === null || first === undefined ? NOTHING : curve(examined, futures, first)
  }${beliefs(first?.atMs ?? result.endedMs, result.endedMs)}${expectations(examined, file)}${events}</main>
<script type="application/json" id="data">${embedded({ ...dataOf(examined, slice), explain: `pnpm sim explain ${words}` })}</script>
<script>${new Markup(script)}</script></body></html>
`.text
}
