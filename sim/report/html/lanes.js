"use strict"
// The lanes of a run: bars of leases, lines of who follows whom, marks, and arrows of messages, between two moments.
// `whole`: of each node its beliefs in order; `led`: places of events that led to the failure; `cursorMs`: the chosen moment.
// For page.js, which comes behind it in the same script.
globalThis.lanesOf = ({ data, whole, led, cursorMs, byId, seconds, clamp }) => {
  const { breaks, endedMs, events, nodes } = data
  const SVG = "http://www.w3.org/2000/svg"
  const draw = (parent, name, attributes, text) => {
    const made = document.createElementNS(SVG, name)
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value))
    if (text !== undefined) made.textContent = text
    parent.append(made)
    return made
  }

  const LEFT = 130
  const WIDTH = 1200
  const TOP = 46
  const LANE = 44
  const ARROWS_MAX = 400
  const height = TOP + nodes.length * LANE + 14
  let fromMs = 0
  let toMs = endedMs
  let now = null

  const x = (ms) => LEFT + ((clamp(ms, fromMs, toMs) - fromMs) / Math.max(1, toMs - fromMs)) * (WIDTH - LEFT - 20)
  const y = (node) => TOP + node * LANE + LANE / 2
  const inside = (ms) => ms >= fromMs && ms <= toMs

  /** Steps of 1, 2 or 5, about ten of them. */
  const ticks = () => {
    const rough = (toMs - fromMs) / 10
    const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)))
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? power
    const list = []
    for (let ms = Math.ceil(fromMs / step) * step; ms <= toMs; ms += step) list.push(ms)
    return list
  }

  /** Stretches in which something was so, those that touch made one. */
  const stretches = (list, key, until) => {
    const made = []
    list.forEach((belief, i) => {
      const next = list[i + 1]?.atMs ?? endedMs
      const word = key(belief)
      if (word === null) return
      const end = Math.min(next, until(belief))
      if (end <= belief.atMs) return
      const last = made.at(-1)
      if (last && last.word === word && last.to >= belief.atMs) last.to = end
      else made.push({ word, from: belief.atMs, to: end })
    })
    return made.filter(({ from, to }) => to > fromMs && from < toMs)
  }
  const ever = () => Number.POSITIVE_INFINITY

  const drawLane = (svg, name, node) => {
    const list = whole.get(name)
    const row = y(node)
    const label = draw(svg, "text", { x: 8, y: row + 4 }, name.length > 17 ? `${name.slice(0, 16)}…` : name)
    draw(label, "title", {}, name)
    draw(svg, "line", { x1: LEFT, x2: WIDTH - 20, y1: row, y2: row, class: "off" })
    for (const { from, to } of stretches(list, (b) => (b.running === false ? null : "runs"), ever))
      draw(svg, "line", { x1: x(from), x2: x(to), y1: row, y2: row, class: "alive" })
    const follows = (b) => (b.running !== false && b.leader ? `follows ${b.leader}, term ${b.term}` : null)
    for (const { from, to, word } of stretches(list, follows, (b) => b.leaderUntilMs)) {
      const line = draw(svg, "line", { x1: x(from), x2: x(to), y1: row + 4, y2: row + 4, class: "follows" })
      draw(line, "title", {}, `${name} ${word}, ${seconds(from)} to ${seconds(to)}`)
    }
    const out = (b) => (b.running !== false && b.standing === "Leading" && b.leaseEndsMs ? `term ${b.term}` : null)
    for (const { from, to, word } of stretches(list, out, ever)) {
      const bar = draw(svg, "rect", {
        x: x(from),
        y: row - 10,
        width: Math.max(1, x(to) - x(from)),
        height: 20,
        fill: "url(#stripes)"
      })
      draw(bar, "title", {}, `${name} believes it leads, ${word}, ${seconds(from)} to ${seconds(to)}`)
    }
    for (const { from, to, word } of stretches(list, out, (b) => b.leaseEndsMs)) {
      const wide = Math.max(1, x(to) - x(from))
      const bar = draw(svg, "rect", { x: x(from), y: row - 10, width: wide, height: 20, rx: 3, class: "lease" })
      draw(bar, "title", {}, `${name} leads, ${word}, ${seconds(from)} to ${seconds(to)}`)
      if (wide > 110) draw(svg, "text", { x: x(from) + 6, y: row + 4, class: "in-bar" }, `leads · ${word}`)
    }
    list.forEach((belief, i) => {
      if (belief.running === undefined || !inside(belief.atMs) || belief.running === list[i - 1]?.running) return
      if (belief.running === false || belief.atMs > 0)
        draw(
          svg,
          "text",
          { x: x(belief.atMs), y: row - 13, "text-anchor": "middle", class: "mark" },
          belief.running ? "↻" : "✗"
        )
    })
  }

  const drawWorld = (svg) => {
    let lastX = -1000
    for (const [atMs, node, , words] of events) {
      if (node !== -1 || !inside(atMs)) continue
      const at = x(atMs)
      const line = draw(svg, "line", { x1: at, x2: at, y1: TOP - 6, y2: height - 10, class: "befallen" })
      draw(line, "title", {}, `${seconds(atMs)} ${words}`)
      if (at - lastX < 90) continue
      lastX = at
      const short = words.length > 26 ? `${words.slice(0, 25)}…` : words
      const anchor = at > WIDTH - 180 ? "end" : "start"
      const text = draw(
        svg,
        "text",
        { x: at + (anchor === "end" ? -3 : 3), y: 30, class: "befallen-text", "text-anchor": anchor },
        `! ${short}`
      )
      draw(text, "title", {}, words)
    }
  }

  const drawMessages = (svg) => {
    let drawn = 0
    let left = 0
    const lines = []
    events.forEach(([atMs, node, , words, from, sentMs], i) => {
      if (from === undefined || from < 0 || node < 0 || !inside(atMs) || !inside(sentMs)) return
      if (!led.has(i) && drawn >= ARROWS_MAX) return void left++
      drawn++
      lines.push([i, { x1: x(sentMs), y1: y(from), x2: x(atMs), y2: y(node) }, `${seconds(sentMs)} ${words}`])
    })
    // Of a run that is shown whole only those that led to the failure would be seen.
    const few = left === 0
    for (const [i, ends, words] of lines) {
      if (!few && !led.has(i)) continue
      const line = draw(svg, "line", {
        ...ends,
        class: led.has(i) ? "cause" : "message",
        ...(led.has(i) ? { "marker-end": "url(#head)" } : {})
      })
      draw(line, "title", {}, words)
    }
    byId("arrows").textContent = few
      ? `${drawn} messages are drawn as arrows.`
      : `${drawn + left} messages are in this window, too many to draw (${ARROWS_MAX}): only those that led to the failure are. Look closer.`
  }

  const describe = () => {
    const told = breaks.map(({ atMs, words }) => `Broken at ${seconds(atMs)}: ${words}.`)
    return `${nodes.length} lanes from ${seconds(fromMs)} to ${seconds(toMs)} seconds. ${told.join(" ")} The same facts are in the tables below.`
  }

  const drawLanes = () => {
    const svg = document.createElementNS(SVG, "svg")
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`)
    svg.setAttribute("width", String(WIDTH))
    svg.setAttribute("height", String(height))
    svg.setAttribute("role", "img")
    svg.setAttribute("aria-label", describe())
    const defs = draw(svg, "defs", {})
    const stripes = draw(defs, "pattern", {
      id: "stripes",
      width: 6,
      height: 6,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)"
    })
    draw(stripes, "rect", { width: 3, height: 6, class: "lease" })
    const marker = draw(defs, "marker", {
      id: "head",
      viewBox: "0 0 8 8",
      refX: 7,
      refY: 4,
      markerWidth: 5,
      markerHeight: 5,
      orient: "auto"
    })
    draw(marker, "path", { d: "M0 0L8 4L0 8z", class: "head" })
    for (const ms of ticks()) {
      draw(svg, "line", { x1: x(ms), x2: x(ms), y1: TOP - 6, y2: height - 10, class: "grid" })
      draw(svg, "text", { x: x(ms), y: 14, "text-anchor": "middle", class: "small" }, `${ms / 1000} s`)
    }
    nodes.forEach((name, node) => drawLane(svg, name, node))
    drawWorld(svg)
    drawMessages(svg)
    for (const { atMs, node, words } of breaks) {
      if (!inside(atMs)) continue
      const row = node < 0 ? height - 14 : y(node)
      draw(svg, "line", {
        x1: x(atMs),
        x2: x(atMs),
        y1: TOP - 6,
        y2: height - 10,
        stroke: "currentColor",
        class: "befallen"
      })
      const mark = draw(svg, "text", { x: x(atMs), y: row + 5, "text-anchor": "middle", class: "mark" }, "◆")
      draw(mark, "title", {}, `broken at ${seconds(atMs)}: ${words}`)
    }
    now = draw(svg, "line", { y1: TOP - 6, y2: height - 10, class: "now" })
    byId("lanes").replaceChildren(svg)
    byId("from").value = String(fromMs / 1000)
    byId("to").value = String(toMs / 1000)
    moveNow(cursorMs())
  }
  function moveNow(ms) {
    if (now === null) return
    now.setAttribute("x1", x(ms))
    now.setAttribute("x2", x(ms))
    now.setAttribute("visibility", inside(ms) ? "visible" : "hidden")
  }
  const look = (from, to) => {
    fromMs = clamp(Math.round(from), 0, Math.max(0, endedMs - 1))
    toMs = clamp(Math.round(to), fromMs + 1, Math.max(1, endedMs))
    drawLanes()
  }
  const scale = (by) => {
    const middle = inside(cursorMs()) ? cursorMs() : (fromMs + toMs) / 2
    look(middle - (middle - fromMs) * by, middle + (toMs - middle) * by)
  }
  byId("whole").addEventListener("click", () => look(0, endedMs))
  byId("near")?.addEventListener("click", () => look(breaks[0].atMs - 2000, breaks[0].atMs + 500))
  byId("in").addEventListener("click", () => scale(0.5))
  byId("out").addEventListener("click", () => scale(2))
  for (const id of ["from", "to"])
    byId(id).addEventListener("change", () => look(Number(byId("from").value) * 1000, Number(byId("to").value) * 1000))

  return { look, moveNow }
}
