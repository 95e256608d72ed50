/** Mistakes with the words of discovery, each at its place. */
import { assert, describe, it } from "@effect/vitest"
import { readScenario } from "../../../sim/scenario/read.ts"
import { assertMistakes, scenarioWith } from "./marked.ts"

const step = (verb: string, network = " { discovery: mdns }"): string =>
  scenarioWith({ network, timeline: `\n  - { at: 1s, ${verb} }` })

describe("words of discovery", () => {
  it("nothing without discovery", () => {
    const none = " { discovery: none }"
    assertMistakes(step("«advertise»: { node: laptop }", none), /^advertise is nothing without discovery/u)
    assertMistakes(step("«lose-adverts»: { between: everyone }", none), /^lose-adverts is nothing without discovery/u)
    assertMistakes(
      scenarioWith({ nodes: " { laptop: { role: planner, «wrong-addresses»: exactly 3 } }", timeline: " []" }),
      /^wrong-addresses is nothing without discovery/u
    )
    assertMistakes(step("move: laptop", none))
  })

  it("how nodes find each other", () => {
    assertMistakes(scenarioWith({ network: " { discovery: «bonjour» }" }), /^one of none, mdns, mdns and addresses/u)
  })

  it("whose record, where, how often", () => {
    assertMistakes(step("advertise: «{ incarnation: old }»"), /^advertise needs node:/u)
    assertMistakes(step("advertise: { node: «laptp» }"), 'unknown node "laptp"; did you mean laptop?')
    assertMistakes(
      step("advertise: { node: laptop, address: «nowher» }"),
      'unknown node "nowher"; did you mean nowhere?'
    )
    assertMistakes(step("advertise: { node: laptop, address: «laptop» }"), /^there it is anyway/u)
    assertMistakes(step("advertise: { node: laptop, copies: «at least 2» }"), "write exactly how many, from 1 to 100")
    assertMistakes(step("advertise: { node: laptop, incarnation: «older» }"), /^one of current, old, next/u)
    assertMistakes(step("advertise: { node: laptop, heard-by: «bakcup» }"), /^unknown node "bakcup"/u)
    assertMistakes(step("advertise: { node: laptop }, «for»: 5s"), /^advertise cannot be undone/u)
    assertMistakes(
      scenarioWith({
        network: " { discovery: mdns }",
        nodes: " { laptop: { role: planner, wrong-addresses: «exactly 8» } }",
        timeline: " []"
      }),
      "write exactly how many, 7 at most"
    )
  })

  it("what reads, in full", () => {
    const read = readScenario(
      "test.yaml",
      step(
        "advertise: { node: laptop, incarnation: next, address: nowhere, mesh: another, copies: exactly 2, heard-by: [backup] }"
      )
    )
    if ("mistakes" in read) throw new Error(read.mistakes.map(({ message }) => message).join("\n"))
    assert.deepStrictEqual(read.scenario.timeline[0]!.verb, {
      _tag: "advertise",
      node: "laptop",
      incarnation: "next",
      address: null,
      anotherMesh: true,
      copies: 2,
      heardBy: ["backup"]
    })
    assert.strictEqual(read.scenario.network.discovery, "only")
  })
})
