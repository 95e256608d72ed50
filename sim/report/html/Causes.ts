/** How a failure came about, as a part of the page: the events that led to it, and how likely it was on the way. */
import { moment } from "../../judge/Words.ts"
import type { Break } from "../../explain/Breaks.ts"
import { diagram } from "../../explain/Diagram.ts"
import type { Examined } from "../../explain/Examine.ts"
import type { Inevitability } from "../../explain/Inevitable.ts"
import type { Entry } from "../../explain/Recording.ts"
import { certainWords, entryWords, jumpWords, sliceOfBreak } from "../../explain/Screen.ts"
import type { Shown } from "../../explain/Slice.ts"
import { Markup, markup, NOTHING } from "./Html.ts"

/** A moment that can be gone to. */
const momentButton = (atMs: number): Markup =>
  markup`<button type="button" class="moment" data-ms="${atMs}" aria-label="${moment(atMs)} s: show what was believed then">${moment(atMs)}</button>`

const item = (examined: Examined, { kind }: Break, entry: Shown): Markup => {
  const { atMs, changes, node, sender, target, what } = entry
  const who = node === null ? NOTHING : markup`<b>${node}</b> `
  const sent = sender === null ? "" : `, sent ${moment(sender.atMs)}`
  const told = node !== null && (changes.length > 0 || sender !== null)
  const by = told ? markup` <span class="dim">when it took up ${what}${sent}</span>` : NOTHING
  const mark = kind === "invariant" ? "it broke by this" : "the last change of what was expected"
  return markup`<li${new Markup(target ? ' class="bad"' : "")}>${momentButton(atMs)} ${who}${entryWords(examined.scenario, entry)}${by}${
    target ? markup` <b>✗ ${mark}</b>` : NOTHING
  }</li>
`
}

export const causes = (examined: Examined, broken: Break): Markup => {
  const { recording, scenario } = examined
  const slice = sliceOfBreak(examined, broken)
  const told = (entry: Entry): string | null => (entry.happening === undefined ? null : entryWords(scenario, entry))
  const picture = diagram(slice, recording.nodes, broken, told).join("\n")
  const name = broken.kind === "invariant" ? `Invariant ${broken.id}` : broken.id
  return markup`<h3>${name}</h3>
<ol class="story">
${slice.shown.map((entry) => item(examined, broken, entry))}<li class="bad">${momentButton(broken.atMs)} <b>✗ broken here:</b> ${broken.words}</li>
</ol>
<details><summary>The same as a diagram in text</summary><pre tabindex="0" role="region" aria-label="${name}: the causes as a diagram in text">${picture}</pre></details>
`
}

const WIDTH = 600
const TOP = 10
const HEIGHT = 80
const BOTTOM = TOP + HEIGHT

/** Percent upwards, moments to the right; the numbers stand below in words. */
export const curve = ({ recording }: Examined, futures: Inevitability, { atMs }: Break): Markup => {
  const { curve: moments, jumps } = futures
  const wide = WIDTH / moments.length
  const bars = moments.map(({ failed, of }, i) => {
    const high = Math.round((failed / of) * HEIGHT)
    return markup`<rect x="${Math.round(i * wide) + 1}" y="${BOTTOM - high}" width="${Math.floor(wide) - 2}" height="${high}" class="bar"/>`
  })
  const [first] = moments
  const certain = certainWords(futures)
  const label = `Share of other futures that fail in the same way, from ${moments.length} moments of the run: ${certain}.`
  const lines = [100, 50, 0].map((percent) => {
    const y = BOTTOM - (HEIGHT * percent) / 100
    return markup`<line x1="0" x2="${WIDTH}" y1="${y}" y2="${y}" class="${percent === 0 ? "axis" : "grid"}"/><text x="${WIDTH + 6}" y="${y + 4}" class="small">${percent} %</text>`
  })
  return markup`<h2 id="futures-title">From when on it was inevitable</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="futures-title"><svg viewBox="0 0 660 112" width="660" height="112" role="img" aria-label="${label}">
${lines}${bars}<text x="0" y="106" class="small">${moment(first?.atMs ?? 0)}</text><text x="${WIDTH}" y="106" text-anchor="end" class="small">${moment(moments.at(-1)?.atMs ?? 0)}; it broke at ${moment(atMs)}</text></svg></div>
<p>${certain.charAt(0).toUpperCase()}${certain.slice(1)}. <span class="dim">Tried with ${first?.of ?? 0} other futures from each of ${moments.length} moments.</span></p>
<ul>
${jumps.map((jump) => markup`<li>${momentButton(jump.after.atMs)} ${jumpWords(recording, jump)}</li>\n`)}</ul>
`
}
