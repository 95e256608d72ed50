/** Where runs have been, and where never. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { allCodes } from "../../../kernel/wire/Codes.ts"
import { runScenario } from "../../../sim/run.ts"
import { neverReached, Reach, universe } from "../../../sim/search/Reach.ts"
import { scenarioFrom } from "./Field.ts"

const reachedBy = (steps: string): ReadonlyArray<string> => {
  const reach = new Reach()
  const scenario = scenarioFrom(`scenario: Reach
seed: 1
lasts: 40s
nodes:
  a: { role: planner }
  b: { role: standby-planner }
  c: { role: field }
timeline:
  - { at: 0s, start: everyone }
${steps}expect:
  - { always: { leaders: at most 1 } }
`)
  runScenario(scenario, { watchers: [reach], onHappening: (happening) => reach.happened(happening) })
  return reach.marks()
}

describe("reach", () => {
  const quiet = reachedBy("")

  it("a quiet run reaches the handshake, one election and peers that are up, and no recovery", () => {
    assert.includeMembers(quiet.slice(), [
      "course:Following→Sounding",
      "course:Sounding→Standing",
      "course:Standing→Leading",
      "event:leader.elected",
      "link:Session",
      "link:Offered",
      "peer:up",
      "phase:booting",
      "turn:unknown→up"
    ])
    assert.isEmpty(quiet.filter((mark) => mark.startsWith("recovery:") || mark === "peer:down" || mark === "peer:left"))
  })

  it("a crash adds what only a crash reaches, a goodbye what only a goodbye does", () => {
    const fresh = (steps: string) => reachedBy(steps).filter((mark) => !quiet.includes(mark))
    assert.includeMembers(fresh("  - { at: 10s, crash: a, for: 10s }\n"), [
      "peer:down",
      "recovery:crashed→running",
      "recovery:down→up",
      "recovery:led→led again"
    ])
    const left = fresh("  - { at: 10s, stop: c }\n")
    assert.includeMembers(left, ["event:node.leaving", "peer:left", "turn:up→left"])
    assert.notInclude(left, "peer:down")
    assert.includeMembers(fresh("  - { at: 10s, freeze: c, for: 5s }\n"), ["fault:freeze", "recovery:frozen→thawed"])
    assert.includeMembers(fresh("  - { at: 10s, suspend: c, for: 5s }\n"), ["fault:suspend", "recovery:asleep→awake"])
  })

  it("every mark is a place of the universe, and what is missing of it is told", () => {
    const never = neverReached(new Set(quiet))
    for (const mark of quiet) {
      const [kind = "", place = ""] = mark.split(":")
      assert.isTrue(universe[kind]?.places.includes(place), mark)
      assert.isFalse(never[kind]?.includes(place), mark)
    }
    assert.isTrue(never["peer"]?.includes("down"))
    assert.isTrue(never["code"]?.includes("AUTH_FAILED"))
    assert.includeMembers(never["fault"]?.slice() ?? [], ["crash", "cut", "disk", "corrupt"])
    assert.notInclude(quiet, "fault:start", "to be powered on is no fault")
    const all = Object.values(universe).reduce((n, { places }) => n + places.length, 0)
    assert.strictEqual(Object.values(never).flat().length, all - quiet.length)
  })

  it("what the kernel rules out, and what it cannot say here, is no hole", () => {
    const places = Object.entries(universe).flatMap(([kind, { places: all }]) => all.map((place) => `${kind}:${place}`))
    for (const none of ["turn:down→suspect", "course:Leading→Standing", "code:LLM_TIMEOUT", "code:PIN_MISMATCH"])
      assert.notInclude(places, none)
    // Whatever a code's word may be, it is given somewhere in the kernel, or known here as one that is not.
    const kernel = fileURLToPath(new URL("../../../kernel", import.meta.url))
    const source = globSync("**/*.ts", { cwd: kernel, exclude: (name) => name.endsWith("Codes.ts") })
      .map((file) => readFileSync(join(kernel, file), "utf8"))
      .join("\n")
    for (const code of universe["code"]!.places) assert.include(source, `"${code}"`)
    const unlisted = allCodes.filter((code) => !universe["code"]!.places.includes(code))
    const transports = ["INSECURE_TRANSPORT", "UNPINNED_TRANSPORT", "PIN_MISMATCH"]
    // What ends an inference, and what comes of one's own question, is no refusal.
    const ends = ["LLM_TIMEOUT", "LLM_BACKPRESSURE", "LLM_CANCELLED", "NOT_CONNECTED", "PEER_DISCONNECTED"]
    assert.deepStrictEqual(
      unlisted.filter((code) => source.includes(`"${code}"`)).toSorted(),
      [...transports, ...ends].toSorted()
    )
  })
})
