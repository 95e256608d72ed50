/** The page of a run in Debian's Chromium: what it shows, what can be done with it by keyboard, and that everybody can read it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import axe from "axe-core"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { examine } from "../../sim/explain/Examine.ts"
import { inevitability } from "../../sim/explain/Inevitable.ts"
import { page as pageOf } from "../../sim/report/html/Page.ts"
import { scenarioFrom } from "../sim/search/Field.ts"
import { need } from "./Lab.ts"

const HOSTILE = `</script><img src=x onerror="window.hacked=1"><b>bold`

const scenario = scenarioFrom(
  `scenario: ${JSON.stringify(`A field ${HOSTILE}`)}
seed: 42
lasts: 40s
electors: [main, backup, jetson]
nodes:
  main:   { role: planner }
  backup: { role: standby-planner }
  jetson: { role: field }
network: { delay: 2ms..20ms }
timeline:
  - { at: 0s, start: everyone }
  - { at: 20s, id: main-dies, crash: main }
expect:
  - { name: main leads on, at: 30s, that: { leader: main } }
  - { name: the other leads, at: 35s, that: { leader: backup } }
`,
  "field.yaml"
)

/** What axe-core hands back of what it found. */
interface Found {
  readonly violations: ReadonlyArray<{
    readonly id: string
    readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>
  }>
}

describe("the page of a failing run", () => {
  let folder = ""
  let url = ""
  let browser: Browser

  beforeAll(async () => {
    need({ chromium: "chromium" })
    folder = mkdtempSync(join(tmpdir(), "clawmesh-report-"))
    const recorded = examine({ scenario, seed: 42, fuzzed: null })
    // As if a frame had said it.
    const entries = recorded.recording.entries.map((entry) =>
      entry.kind === "Woke" ? { ...entry, what: `${entry.what} ${HOSTILE}` } : entry
    )
    const examined = { ...recorded, recording: { ...recorded.recording, entries } }
    const { breaks, result, subject } = examined
    const futures = inevitability(subject, breaks[0]!, { totalEvents: result.events })
    const file = join(folder, "failure.html")
    const commands = [["again", "pnpm sim field.yaml --seed 42"]] as const
    writeFileSync(
      file,
      pageOf({ file: "field.yaml", words: "field.yaml --seed 42", examined, futures, commands, kernel: "4c1e77a" })
    )
    url = pathToFileURL(file).href
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Opens it, and fails on anything that the page complains of or asks for. */
  const opened = async (options: BrowserContextOptions, look: (page: Page) => Promise<void>): Promise<void> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    const complaints: Array<string> = []
    const page = await context.newPage()
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("request", (request) => {
      if (request.url() !== url) complaints.push(`asks for ${request.url()}`)
    })
    await page.goto(url)
    await look(page)
    await context.close()
    assert.deepStrictEqual(complaints, [])
  }
  const text = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText()

  for (const colorScheme of ["light", "dark"] as const)
    it(`has nothing that axe-core finds fault with, ${colorScheme}`, () =>
      opened({ colorScheme, reducedMotion: "reduce" }, async (page) => {
        for (const details of await page.locator("details summary").all()) await details.click()
        await page.evaluate(axe.source)
        const found = (await page.evaluate("axe.run()")) as Found
        assert.deepStrictEqual(
          found.violations.map(({ id, nodes }) => [
            id,
            nodes.map(({ failureSummary, html }) => [html, failureSummary])
          ]),
          []
        )
      }))

  it("says what a stranger wrote, in its heading and among its events, and runs none of it", () =>
    opened({}, async (page) => {
      assert.include(await text(page, "h1"), HOSTILE)
      assert.include(await text(page, "#events"), HOSTILE)
      assert.isTrue(await page.evaluate("window.hacked === undefined"))
      assert.strictEqual(await page.locator("img").count(), 0)
    }))

  it("draws a lane for each node, with leases, what befell, and where it broke", () =>
    opened({}, async (page) => {
      const lanes = page.locator("#lanes svg")
      const words = await lanes.allInnerTexts()
      for (const word of ["main", "backup", "jetson", "leads · term 1", "! main crashes", "◆", "✗"])
        assert.include(words.join(" ") + (await lanes.textContent()), word)
      assert.match((await lanes.getAttribute("aria-label")) ?? "", /Broken at 30\.000: backup and jetson name backup/u)
      assert.isAbove(await lanes.locator("line.cause").count(), 0)
    }))

  it("shows what each node believed at a moment that is chosen by keyboard", () =>
    opened({}, async (page) => {
      const rows = async () =>
        (await page.locator("#beliefs tr").allInnerTexts()).map((row) => row.replaceAll("\t", " "))
      assert.match((await rows())[0]!, /^main ○ off/u)
      assert.match((await rows())[2]!, /^jetson ● runs, incarnation 1 backup 2 following none main down why$/u)
      await page.locator("#at").focus()
      await page.keyboard.press("Home")
      assert.strictEqual(await text(page, "#at-words"), "0.000 s")
      assert.match((await rows())[2]!, /^jetson (?:○ not started|● runs)/u)
      await page.locator("button.moment", { hasText: "20.000" }).first().focus()
      await page.keyboard.press("Enter")
      assert.strictEqual(await text(page, "#at-words"), "20.000 s")
      assert.match((await rows())[2]!, /^jetson ● runs, incarnation 1 main 1 following none none why$/u)
      assert.match((await rows())[0]!, /^main ○ off/u, "it went at that very moment")
      await page.getByRole("button", { name: "Why jetson believes that" }).click()
      assert.strictEqual(await text(page, "#how"), "pnpm sim explain field.yaml --seed 42 --at 20000ms --node jetson")
    }))

  it("finds events by node, kind and text, and those that led to the failure", () =>
    opened({}, async (page) => {
      const all = Number(/of (\d+)$/u.exec(await text(page, "#counted"))?.[1])
      assert.isAbove(all, 500)
      await page.locator("#by-node").selectOption("jetson")
      await page.locator("#by-kind").selectOption("Received")
      await page.locator("#by-text").fill("mesh.lead of backup")
      const few = await page.locator("#events tr").allInnerTexts()
      assert.isAbove(few.length, 0)
      for (const row of few) assert.match(row, /jetson\tReceived\tmesh\.lead of backup/u)
      await page.locator("#by-text").fill("")
      await page.locator("#by-node").selectOption("")
      await page.locator("#by-kind").selectOption("")
      await page.locator("#by-cause").check()
      const led = await page.locator("#events tr").allInnerTexts()
      assert.isAtMost(led.length, 15)
      assert.isTrue(led.some((row) => row.includes("main crashes")))
    }))

  it("shows more when asked, and messages once the window is small enough", () =>
    opened({}, async (page) => {
      const before = await page.locator("#events tr").count()
      await page.locator("#more").click()
      assert.isAbove(await page.locator("#events tr").count(), before)
      assert.match(await text(page, "#arrows"), /too many to draw/u)
      await page.locator("#near").click()
      assert.match(await text(page, "#arrows"), /^\d+ messages are drawn as arrows\.$/u)
      assert.isAbove(await page.locator("#lanes line.message").count(), 5)
    }))

  it("says all that matters where scripts are off, and on a narrow screen", () =>
    opened({ javaScriptEnabled: false, viewport: { width: 390, height: 800 } }, async (page) => {
      const body = await text(page, "body")
      for (const words of [
        "✗ main leads on",
        "backup and jetson name backup",
        "main crashes",
        "✓ held",
        "field.yaml:14:5",
        "scripts are off"
      ])
        assert.include(body, words)
      const wide = await page.locator("body").boundingBox()
      assert.isAtMost(wide?.width ?? 0, 390)
    }))
})
