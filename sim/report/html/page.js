// What moves on a page of a run: beliefs at a moment, events by filter, and the lanes of lanes.js. Text goes in as text, never as
// markup.
{
  const data = JSON.parse(document.getElementById("data").textContent)
  const { beliefs, causes, endedMs, events, nodes } = data
  const led = new Set(causes)
  const byId = (id) => document.getElementById(id)
  const seconds = (ms) => (ms / 1000).toFixed(3)
  const clamp = (n, low, high) => Math.min(high, Math.max(low, n))

  const cell = (row, text, className) => {
    const made = document.createElement("td")
    made.textContent = text
    if (className) made.className = className
    row.append(made)
  }

  // ------------------------------------------------------------------------------------------ beliefs

  /** Of each node, its beliefs in order, each whole: what is absent is as before, and a new boot begins with nothing. */
  const whole = new Map(nodes.map((name) => [name, []]))
  for (const belief of beliefs) {
    const those = whole.get(belief.node)
    if (those === undefined) continue
    const before = belief.running === undefined ? (those.at(-1) ?? {}) : {}
    those.push({
      ...before,
      ...belief,
      peers: belief.peers ? { ...before.peers, ...belief.peers } : (before.peers ?? {})
    })
  }
  /** The last of these at that moment or before. */
  const lastAt = (list, ms) => {
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (list[middle].atMs <= ms) low = middle + 1
      else high = middle
    }
    return list[low - 1]
  }
  const leaderOf = (belief, name, ms) => {
    if (belief.leaseEndsMs > ms) return `${name} (itself)`
    if (belief.leader && belief.leaderUntilMs > ms) return belief.leader
    return "nobody"
  }
  const leaseOf = (belief, ms) => {
    if (!belief.leaseEndsMs) return belief.standing === "Leading" ? "none yet" : "none"
    return belief.leaseEndsMs > ms
      ? `until ${seconds(belief.leaseEndsMs)}`
      : `run out at ${seconds(belief.leaseEndsMs)}`
  }

  const slider = byId("at")
  /** A button that writes the command that tells how this node came to that. */
  const whyCell = (name, ms) => {
    const made = document.createElement("td")
    const button = document.createElement("button")
    button.type = "button"
    button.className = "moment"
    button.textContent = "why"
    button.setAttribute("aria-label", `Why ${name} believes that`)
    button.addEventListener("click", (event) => {
      event.stopPropagation()
      byId("how-line").hidden = false
      byId("how").textContent = `${data.explain} --at ${Math.max(1, ms)}ms --node ${name}`
    })
    made.append(button)
    return made
  }
  const showBeliefs = () => {
    const ms = Number(slider.value)
    byId("at-words").textContent = `${seconds(ms)} s`
    slider.setAttribute("aria-valuetext", `${seconds(ms)} seconds`)
    const rows = nodes.map((name) => {
      const row = document.createElement("tr")
      const head = document.createElement("th")
      head.scope = "row"
      head.textContent = name
      row.append(head)
      const belief = lastAt(whole.get(name), ms)
      if (!belief || belief.running === false) {
        cell(row, belief ? "○ off" : "○ not started", "off")
        for (let i = 0; i < 6; i++) cell(row, "–", "off")
        return row
      }
      cell(row, `● runs${belief.incarnation ? `, incarnation ${belief.incarnation}` : ""}`)
      cell(row, leaderOf(belief, name, ms))
      cell(row, String(belief.term ?? 0))
      cell(row, (belief.standing ?? "–").toLowerCase())
      cell(row, leaseOf(belief, ms))
      const not = Object.entries(belief.peers).filter(([, word]) => word !== "up")
      cell(row, not.length === 0 ? "none" : not.map(([peer, word]) => `${peer} ${word}`).join(", "))
      row.append(whyCell(name, ms))
      return row
    })
    byId("beliefs").replaceChildren(...rows)
    moveNow(ms)
  }

  const { look, moveNow } = globalThis.lanesOf({
    data,
    whole,
    led,
    cursorMs: () => Number(slider.value),
    byId,
    seconds,
    clamp
  })

  // ------------------------------------------------------------------------------------------ moments

  slider.addEventListener("input", showBeliefs)
  const goTo = (ms) => {
    slider.value = String(ms)
    showBeliefs()
  }
  byId("before").addEventListener("click", () =>
    goTo(events.findLast(([atMs]) => atMs < Number(slider.value))?.[0] ?? 0)
  )
  byId("after").addEventListener("click", () =>
    goTo(events.find(([atMs]) => atMs > Number(slider.value))?.[0] ?? endedMs)
  )
  document.addEventListener("click", ({ target }) => {
    if (!(target instanceof HTMLElement)) return
    if (target.classList.contains("moment")) {
      goTo(Number(target.dataset.ms))
      byId("said").textContent = `Beliefs are shown as they were at ${seconds(Number(target.dataset.ms))} s.`
    }
    if (target.classList.contains("copy")) void copy(target)
  })
  const copy = async (button) => {
    const text = button.parentElement.querySelector("code").textContent
    try {
      await navigator.clipboard.writeText(text)
      byId("said").textContent = "Copied."
    } catch {
      // A file that was opened from a disk may not: it is marked, to be copied by hand.
      getSelection().selectAllChildren(button.parentElement.querySelector("code"))
      byId("said").textContent = "Marked; copy it with Ctrl+C."
    }
  }

  // ------------------------------------------------------------------------------------------ events

  const PAGE = 300
  let limit = PAGE
  const choose = (id, words) => {
    for (const word of words) {
      const option = document.createElement("option")
      option.value = word
      option.textContent = word
      byId(id).append(option)
    }
  }
  choose("by-node", ["the world", ...nodes])
  choose("by-kind", [...new Set(events.map(([, , kind]) => kind))].sort())
  const nameOf = (node) => (node === -1 ? "the world" : nodes[node])

  const showEvents = () => {
    const node = byId("by-node").value
    const kind = byId("by-kind").value
    const text = byId("by-text").value.toLowerCase()
    const only = byId("by-cause").checked
    const found = []
    events.forEach((event, i) => {
      const [, of, its, words] = event
      if ((node === "" || nameOf(of) === node) && (kind === "" || its === kind) && (!only || led.has(i)))
        if (text === "" || words.toLowerCase().includes(text)) found.push(i)
    })
    const rows = found.slice(0, limit).map((i) => {
      const [atMs, of, kind, words] = events[i]
      const row = document.createElement("tr")
      if (led.has(i)) row.className = "led"
      cell(row, seconds(atMs), "time")
      cell(row, nameOf(of), "name")
      cell(row, kind)
      cell(row, led.has(i) ? `${words} · led to the failure` : words)
      return row
    })
    byId("events").replaceChildren(...rows)
    byId("more").hidden = found.length <= limit
    const missing =
      data.eventsInAll > events.length
        ? `; the run had ${data.eventsInAll}, and this page keeps what changed something`
        : ""
    byId("counted").textContent = `${rows.length} shown of ${found.length} that fit, of ${events.length}${missing}`
  }
  for (const id of ["by-node", "by-kind", "by-text", "by-cause"])
    byId(id).addEventListener("input", () => {
      limit = PAGE
      showEvents()
    })
  byId("more").addEventListener("click", () => {
    limit += PAGE
    showEvents()
  })

  look(0, endedMs)
  showBeliefs()
  showEvents()
}
