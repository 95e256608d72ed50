/** The page of a run as text: everything escaped, nothing from outside, one script and one style sheet by their hashes. */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { examine } from "../../../sim/explain/Examine.ts"
import { inevitability } from "../../../sim/explain/Inevitable.ts"
import { scenarioFrom } from "../search/Field.ts"
import { EVENTS_MAX, dataOf } from "../../../sim/report/html/Data.ts"
import { embedded, escaped, markup } from "../../../sim/report/html/Html.ts"
import { page } from "../../../sim/report/html/Page.ts"

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&`

const examinedOf = (title: string, name: string) => {
  const text = JSON.stringify({
    scenario: title,
    seed: 1,
    lasts: "8s",
    nodes: { laptop: { role: "planner" }, jetson: { role: "field" } },
    timeline: [{ at: "0s", start: "everyone" }],
    expect: [
      { name, at: "6s", that: { leader: "jetson" } },
      { name: "it leads", at: "6s", that: { leader: "laptop" } }
    ]
  })
  return examine({ scenario: scenarioFrom(text, "scenarios/<b>.yaml"), seed: 1, fuzzed: null })
}

const pageOf = (title: string, name: string, commands: ReadonlyArray<readonly [string, string]> = []): string => {
  const examined = examinedOf(title, name)
  const futures = inevitability(examined.subject, examined.breaks[0]!, { totalEvents: 10_000_000 })
  return page({ file: "scenarios/<b>.yaml", words: `x ${HOSTILE}`, examined, futures, commands, kernel: null })
}

describe("text in a page", () => {
  it("is escaped wherever it is put, unless the template made it", () => {
    assert.strictEqual(markup`<p title="${`"'`}">${"<b>&"}</p>`.text, `<p title="&quot;&#39;">&lt;b&gt;&amp;</p>`)
    assert.strictEqual(markup`<ul>${[markup`<li>${"<"}</li>`]}${markup`<hr>`}</ul>`.text, "<ul><li>&lt;</li><hr></ul>")
  })

  it("shows what a browser would hide or turn round", () => {
    assert.strictEqual(escaped("a\u202eb\u0000c\u200bd"), "a\\u{202e}b\\u{0}c\\u{200b}d")
    assert.strictEqual(escaped("two\nlines\tü 木"), "two\nlines\tü 木")
  })

  it("ends no script when it is data of one, and comes back as it was", () => {
    const value = { words: `${HOSTILE}<!--\u2028` }
    assert.notMatch(embedded(value).text, /[<>&\u2028]/u)
    assert.deepStrictEqual(JSON.parse(embedded(value).text), value)
  })
})

describe("the page of a failing run", () => {
  it("runs nothing that a name says", () => {
    const text = pageOf(HOSTILE, `it ${HOSTILE}`, [[HOSTILE, `pnpm sim ${HOSTILE}`]])
    assert.strictEqual(text.match(/<script/gu)?.length, 2, "its data and its script")
    assert.notInclude(text, "<img")
    assert.notInclude(text, "<b>.yaml")
    assert.include(text, "&lt;/script&gt;&lt;script&gt;alert(1)")
  })

  it("says the sentence, the place of each expectation, and the command", () => {
    const text = pageOf("A small field", "jetson leads", [["again", "pnpm sim x.yaml --seed 1"]])
    assert.match(text, /<title>FAILED A small field · seed 1<\/title>/u)
    assert.match(text, /✗ jetson leads<\/b><br>At 6\.000 s: .*laptop/u)
    assert.match(text, /✗ broken<\/td><td>jetson leads.*\n?.*<code>scenarios\/&lt;b&gt;\.yaml:1:\d+<\/code>/u)
    assert.match(text, /✓ held<\/td><td>it leads/u)
    assert.include(text, "<code>pnpm sim x.yaml --seed 1</code>")
  })

  it("takes nothing from anywhere, and allows its own script and style alone", () => {
    const text = pageOf("A small field", "jetson leads")
    const outside = text.replaceAll("http://www.w3.org/2000/svg", "")
    assert.notMatch(outside, /https?:\/\/|\/\/[a-z]+\.[a-z]|@import|url\((?!#)/u)
    assert.notMatch(text, / style="| on[a-z]+="/u)
    const policy = /Content-Security-Policy" content="([^"]*)"/u.exec(text)?.[1]?.replaceAll("&#39;", "'") ?? ""
    const hash = (pattern: RegExp): string =>
      createHash("sha256")
        .update(pattern.exec(text)?.[1] ?? "")
        .digest("base64")
    assert.include(policy, "default-src 'none'")
    assert.include(policy, `script-src 'sha256-${hash(/<script>([^]*?)<\/script>/u)}'`)
    assert.include(policy, `style-src 'sha256-${hash(/<style>([^]*?)<\/style>/u)}'`)
  })

  it("says why nothing is decided, where that is so", () => {
    const { subject } = examinedOf("A small field", "jetson leads")
    const examined = examine({ ...subject, scenario: { ...subject.scenario, expect: [] } })
    const text = page({ file: "f.yaml", words: "f.yaml", examined, futures: null, commands: [], kernel: null })
    assert.match(text, /– Nothing broke, .*<br>! nothing was judged: the scenario expects nothing/u)
  })

  it("is the same page each time", () => {
    assert.strictEqual(pageOf("A small field", "jetson leads"), pageOf("A small field", "jetson leads"))
  })
})

describe("the data of a page", () => {
  it("has every event of a short run, each message with its sender", () => {
    const examined = examinedOf("A small field", "jetson leads")
    const data = dataOf(examined, [])
    assert.strictEqual(data.events.length, examined.recording.entries.length)
    const messages = data.events.filter(([, , kind]) => kind === "Received")
    assert.isAbove(messages.length, 10)
    for (const [atMs, node, , , from, sentMs] of messages) {
      assert.notStrictEqual(from, node)
      assert.isAtMost(sentMs!, atMs)
    }
  })

  it("of a long run keeps what changed something, and says how many there were", () => {
    const { recording, ...rest } = examinedOf("A small field", "jetson leads")
    const idle = recording.entries.find(({ changes, node }) => node !== null && changes.length === 0)!
    const many = Array.from({ length: EVENTS_MAX }, (_, i) => ({
      ...idle,
      id: recording.entries.length + i,
      cause: null
    }))
    const data = dataOf({ ...rest, recording: { ...recording, entries: [...recording.entries, ...many] } }, [])
    assert.strictEqual(data.events.length, EVENTS_MAX)
    assert.strictEqual(data.eventsInAll, recording.entries.length + many.length)
    assert.strictEqual(data.events[0]?.[3], "everyone starts")
  })
})
