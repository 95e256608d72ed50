/** Five real processes: nothing happens for two minutes, one stands still for twenty seconds, one is killed (issue "Who is alive"). */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Site, sleep } from "./harness.ts"

let site: Site | null = null
afterEach(async () => {
  await site?.close()
  site = null
})

const IDLE_MS = 120_000
const FROZEN_MS = 20_000
const NAMES = ["a", "b", "c", "d", "e"]

/** What it has told so far, each with its name of whom it is about. */
const told = async (five: Site, name: string): Promise<ReadonlyArray<string>> => {
  const names = new Map(NAMES.map((other) => [five.place(other).deviceId, other]))
  return (await five.events(name)).map(({ about, event }) => [event, names.get(about ?? "") ?? ""].join(" ").trim())
}

const allUp = (five: Site): Promise<unknown> =>
  Promise.all(
    NAMES.map((name) =>
      five.until(
        name,
        "has everybody up, and a leader",
        ({ leader, peers }) => leader !== null && NAMES.every((other) => other === name || peers[other] === "up")
      )
    )
  )

describe("five processes", () => {
  it("idle: not one event in two minutes (L6, C1); frozen for 20 s: accuses nobody, and is back by itself (B7, A07, C2); killed: known to all (A01, C8)", async () => {
    site = await Site.make({ a: "planner", b: "standby-planner", c: "field", d: "field", e: "sensor" })
    const five = site
    await five.start(...NAMES)
    await five.trustEverybody()
    await allUp(five)
    // Whoever was trusted last may still look round, and probations of the first seconds end.
    await sleep(5_000)
    const before = await Promise.all(NAMES.map((name) => told(five, name)))
    await sleep(IDLE_MS)
    const after = await Promise.all(NAMES.map((name) => told(five, name)))
    const news = after.flatMap((all, n) => all.slice(before[n]!.length).map((line) => `${NAMES[n]}: ${line}`))
    // On a busy machine a process is late, and says so; its lease may end with that, and nothing else.
    const late = news.some((line) => line.includes("node.stalled"))
    const judged = late ? news.filter((line) => line.includes(": peer.") || line.includes(": connection.")) : news
    assert.deepStrictEqual(judged, [], news.join())

    const since = (await told(five, "d")).length
    five.signal("d", "SIGSTOP")
    await sleep(FROZEN_MS)
    for (const name of ["a", "b", "c", "e"])
      await five.until(name, "has d as down", ({ peers }) => peers["d"] === "down")
    five.signal("d", "SIGCONT")
    await allUp(five)
    const accused = (await told(five, "d")).slice(since).filter((line) => /^peer\.(suspect|down)/u.test(line))
    assert.deepStrictEqual(accused, [], "who was frozen accuses nobody")

    await five.end("e", "SIGKILL")
    for (const name of ["a", "b", "c", "d"])
      await five.until(name, "has e as down", ({ peers }) => peers["e"] === "down")
    for (const name of ["a", "b", "c", "d"]) {
      const dead = (await told(five, name)).filter((line) => line.startsWith("peer.down"))
      assert.includeMembers([...dead], ["peer.down e"])
      assert.notIncludeMembers(
        [...dead],
        ["peer.down a", "peer.down b", "peer.down c"],
        "and of nobody else it is said"
      )
    }
  }, 360_000)
})
