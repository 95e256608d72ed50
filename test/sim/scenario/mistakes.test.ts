import { assert, describe, it } from "@effect/vitest"
import { BYTES_MAX, readScenario } from "../../../sim/scenario/read.ts"
import { assertMistakes, expectWith, scenarioWith, timelineWith } from "./marked.ts"

/** `line:column message` of each mistake, for files that cannot be marked. */
const told = (source: string | Uint8Array): ReadonlyArray<string> => {
  const read = readScenario("test.yaml", source)
  return "mistakes" in read ? read.mistakes.map(({ message, place }) => `${place.line}:${place.column} ${message}`) : []
}

describe("a file that is not text", () => {
  it("NUL and other control characters are told where they stand", () => {
    assert.deepStrictEqual(told(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 1])), [
      "1:1 this is not a text file: a scenario is YAML in UTF-8"
    ])
    assert.deepStrictEqual(told("scenario: Test\nabout: a\u0000b\n"), [
      "2:9 this is not a text file: a scenario is YAML in UTF-8"
    ])
  })

  it("bytes that are not UTF-8 are told where they stand", () => {
    const latin1 = new Uint8Array([...new TextEncoder().encode("scenario: Test\nabout: é caf"), 0xe9, 0x20, 0x62])
    assert.deepStrictEqual(told(latin1), ["2:13 this is not a text file: a scenario is YAML in UTF-8"])
  })

  it("a file cut in the middle of a character", () => {
    assert.deepStrictEqual(told(new TextEncoder().encode("scenario: é").subarray(0, 11)), [
      "1:11 this is not a text file: a scenario is YAML in UTF-8"
    ])
  })

  it("a file past the bound is not parsed", () => {
    assert.deepStrictEqual(told(new Uint8Array(BYTES_MAX + 1)), ["1:1 the file is larger than 1 MiB; no scenario is"])
    assert.deepStrictEqual(told("#".repeat(BYTES_MAX + 1)), ["1:1 the file is larger than 1 MiB; no scenario is"])
  })

  it("a byte order mark is no mistake", () => {
    assert.deepStrictEqual(told(new TextEncoder().encode(`\ufeff${scenarioWith({})}`)), [])
    assert.deepStrictEqual(told(`\ufeff${scenarioWith({ lasts: " 60" })}`), [
      "3:8 write a time with a unit, such as 500ms, 6s, 2m or 1h"
    ])
  })
})

describe("a text that is not one YAML mapping", () => {
  it("nothing, blanks, comments", () => {
    for (const text of ["", "\n\n", "# nothing yet\n", "---\n"]) {
      const [mistake, ...more] = told(text)
      assert.match(mistake!, /^1:\d+ the file is empty/u)
      assert.deepStrictEqual(more, [])
    }
  })

  it("a list, a word, a number", () => {
    assertMistakes("«- at: 0s»\n", /^a scenario is a mapping/u)
    assertMistakes("«hello»\n", /^a scenario is a mapping/u)
    assertMistakes("«42»\n", /^a scenario is a mapping/u)
  })

  it("syntax: one mistake a line, and nothing about what the rest might mean", () => {
    assertMistakes('scenario: [a\n«s»eed: 1\nlasts: "x«»\n', /^not YAML: Flow sequence/u, /^not YAML: Missing closing/u)
  })

  it("a tab that indents", () => {
    assertMistakes("nodes:\n«\t»a: 1\n", "a tab cannot indent YAML: use spaces")
  })

  it("a second document, a %YAML line, a tag", () => {
    assertMistakes("scenario: a\n«---»\nscenario: b\n", "a second document begins here; a scenario file holds one")
    assertMistakes("«%YAML 1.1»\n---\nscenario: a\n", "the language is YAML 1.2 as it is: remove this line")
    assertMistakes(
      scenarioWith({ seed: " !!int «1»", about: " !secret «x»" }),
      "tags (!) are not part of the language",
      "tags (!) are not part of the language"
    )
  })

  it("a key that stands twice, at any depth", () => {
    assertMistakes(
      scenarioWith({ about: " a\n«seed»: 2" }),
      /^seed stands here a second time; the first is in line 2$/u
    )
    assertMistakes(
      timelineWith("  - { at: 0s, start: everyone, «at»: 5s }"),
      /^at stands here a second time; the first is in line 11$/u
    )
  })

  it("a node that is listed twice", () => {
    assertMistakes(
      scenarioWith({ nodes: "\n  jetson-1: { role: field }\n  «jetson-1»: { role: viewer }" }),
      "jetson-1 stands here a second time; the first is in line 5"
    )
  })

  it("a key that is no word", () => {
    assertMistakes(scenarioWith({ network: " { «[a]»: 1 }" }), "a key is one plain word")
    assertMistakes(scenarioWith({ network: " {«» : 1 }" }), "a key is missing before the colon")
  })
})

describe("anchors and aliases", () => {
  it("are YAML, and read", () => {
    assertMistakes(scenarioWith({ nodes: " { a: &field { role: field }, b: *field }", timeline: " []" }))
  })

  it("to nothing, and to themselves", () => {
    assertMistakes(scenarioWith({ electors: " [«*nobody»]" }), "nothing above is marked &nobody")
    assertMistakes(scenarioWith({ electors: " &all [laptop, «*all»]" }), "*all stands inside what it stands for")
  })

  it("that grow without bound (billion laughs) are told, in little time", () => {
    const lines = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(", ")}]`)
    const before = performance.now()
    const found = told(`a0: &a0 [x, x, x, x, x, x, x, x, x]\n${lines.join("\n")}\n`)
    assert.isBelow(performance.now() - before, 5_000)
    // Each is nine times the one before; the sixth line is the first that grows too large, at its fourth item.
    assert.deepStrictEqual(found, ["6:25 more than 200000 values, what aliases stand for included"])
  })

  it("nesting without bound is told", () => {
    for (const opening of ["[", "{", "- ", "? ", "[{"])
      assert.match(told(opening.repeat(20_000))[0]!, /nested too deeply$/u)
    const nested = scenarioWith({ about: ` ${"[".repeat(40)}${"]".repeat(40)}` })
    assert.deepStrictEqual(told(nested), ["14:8 write what the scenario shows", "14:39 nested too deeply"])
  })
})

describe("words that other YAML readers take for something else", () => {
  for (const word of ["on", "off", "yes", "no", "y", "n", "On", "NO"])
    it(`${word} as a value`, () => {
      assertMistakes(
        scenarioWith({ scenario: ` «${word}»` }),
        new RegExp(`^other YAML readers take a bare ${word} for (true|false): write "${word}" in quotes`, "u")
      )
    })

  it("as a key, where the rest of the mapping is still checked", () => {
    assertMistakes(
      scenarioWith({ nodes: "\n  «on»: { role: field }\n  laptop: { role: «planer» }\n  jetson-1: { role: field }" }),
      /^other YAML readers take a bare on for true/u,
      /did you mean planner/u
    )
  })

  it("as a step's verb, without also being told that the step has none", () => {
    assertMistakes(timelineWith("  - { at: 1s, «on»: laptop }"), /^other YAML readers/u)
  })

  it("in quotes they are words like any other", () => {
    assertMistakes(
      scenarioWith({ scenario: ' "on"', nodes: ' { "no": { role: field } }', timeline: ' [{ at: 0s, start: "no" }]' })
    )
  })

  it("a number with a leading 0", () => {
    assertMistakes(
      scenarioWith({ seed: " «010»" }),
      "some YAML readers take 010 for an octal number: write it without the leading 0"
    )
  })
})

describe("headings", () => {
  it("each that is missing is told", () => {
    assert.deepStrictEqual(
      told("about: nothing\n").map((mistake) => mistake.replace(/, such as.*/u, "")),
      [
        "1:1 a scenario needs a name",
        "1:1 a scenario needs a seed",
        "1:1 a scenario needs a length",
        "1:1 a scenario needs nodes",
        "1:1 a scenario needs a timeline",
        "1:1 a scenario needs expect"
      ]
    )
  })

  it("unknown ones, with what they may have meant", () => {
    assertMistakes(scenarioWith({ "«elektors»": " [laptop]" }), "no such heading; did you mean electors?")
    assertMistakes(scenarioWith({ "«wibble»": " 1" }), /^no such heading; there are scenario, about, seed/u)
    assertMistakes(scenarioWith({ "«__proto__»": " 1" }), /^no such heading/u)
  })

  it("values of the wrong type", () => {
    assertMistakes(scenarioWith({ seed: " «x»" }), /^write a whole number from 0 up/u)
    assertMistakes(scenarioWith({ seed: " «-1»" }), /^write a whole number from 0 up/u)
    assertMistakes(scenarioWith({ seed: " «1.5»" }), /^write a whole number from 0 up/u)
    assertMistakes(scenarioWith({ seed: " «.inf»" }), /^write a whole number from 0 up/u)
    assertMistakes(scenarioWith({ scenario: " «[a]»" }), "write the name of the scenario")
    assertMistakes(scenarioWith({ nodes: " «[laptop, backup]»" }), /^write the nodes as a mapping/u)
    assertMistakes(scenarioWith({ timeline: " «{ at: 0s }»" }), /^write a list of steps/u)
    assertMistakes(scenarioWith({ timeline: "\n  - «crash»" }), /^write a step/u)
    assertMistakes(scenarioWith({ expect: "\n  - «true»" }), /^write an expectation/u)
    assertMistakes(scenarioWith({ network: " «fast»" }), /^write a mapping/u)
    assertMistakes(scenarioWith({ profile: " «wlan»" }), "one of lan, wan, battery; did you mean lan?")
  })

  it("a heading with nothing under it is underlined itself", () => {
    assertMistakes(scenarioWith({ "«network»": "" }), /^write a mapping/u)
  })

  it("a time without its unit", () => {
    assertMistakes(scenarioWith({ lasts: " «60»" }), "write a time with a unit, such as 500ms, 6s, 2m or 1h")
    assertMistakes(scenarioWith({ lasts: ' «"60"»' }), "write a time with a unit, such as 500ms, 6s, 2m or 1h")
    assertMistakes(scenarioWith({ lasts: " «60 s»" }), "write a time with a unit, such as 500ms, 6s, 2m or 1h")
  })

  it("a time that cannot be", () => {
    assertMistakes(scenarioWith({ lasts: " «0s»", timeline: " []" }), "a run lasts longer than nothing")
    assertMistakes(
      scenarioWith({ lasts: " «1500.5ms»", timeline: " []" }),
      "finer than one millisecond, the smallest step there is"
    )
  })
})

describe("nodes", () => {
  it("none at all", () => {
    assertMistakes(scenarioWith({ nodes: " «{}»", timeline: " []" }), /^no nodes/u)
  })

  it("a name that is no name, and one that is a word of the language", () => {
    assertMistakes(
      scenarioWith({ nodes: " { laptop: { role: planner }, jetson-1: { role: field }, «Jetson_2»: { role: field } }" }),
      /^a name is small letters/u
    )
    assertMistakes(
      scenarioWith({ nodes: " { jetson-1: { role: field }, «everyone»: { role: field } }" }),
      '"everyone" is a word of the language; call the node something else'
    )
  })

  it("a role that does not exist (B13: an error, never a silent default)", () => {
    assertMistakes(
      scenarioWith({ nodes: " { laptop: { role: «planer» }, jetson-1: { role: field } }" }),
      "one of node, planner, field, sensor, actuator, viewer, standby-planner; did you mean planner?"
    )
    assertMistakes(
      scenarioWith({ nodes: " { laptop: «{}», jetson-1: { role: field } }" }),
      "a node needs a role, such as: { role: field }"
    )
  })

  it("clocks without a unit, and beyond reason", () => {
    const node = (words: string) => scenarioWith({ nodes: ` { jetson-1: { role: field, ${words} } }` })
    assertMistakes(node("clock-skew: «200»"), /^write how far the clock is off/u)
    assertMistakes(node("clock-rate: «300»"), /^write how much faster/u)
    assertMistakes(node("clock-rate: «-95%»"), /^a clock runs between/u)
    assertMistakes(node("«clock-drift»: 5%"), /^no such word of a node/u)
  })

  it("devices of generation 1: a generation that there is, no say in elections, nothing to be asked", () => {
    const nodes = "\n  laptop: { role: planner }\n  old: { role: field, generation: 1 }"
    assertMistakes(
      scenarioWith({ nodes: nodes.replace("generation: 1", "generation: «3»"), timeline: " [{ at: 0s, start: old }]" }),
      "write 1 or 2, or leave it out for a node of ours"
    )
    const started = { nodes, timeline: "\n  - { at: 0s, start: everyone }" }
    assertMistakes(
      scenarioWith({ ...started, electors: " [laptop, «old»]" }),
      "old is of generation 1, and knows of no elections"
    )
    assertMistakes(
      scenarioWith({ ...started, expect: "\n  - eventually: { peers: { «old»: { laptop: up } } }" }),
      "old is of generation 1: others can be asked about it, it says nothing itself"
    )
    assertMistakes(scenarioWith({ ...started, expect: "\n  - eventually: { peers: { laptop: { old: up } } }" }))
  })

  it("electors that are unknown, viewers, or there twice", () => {
    assertMistakes(
      scenarioWith({ electors: " [laptop, «kiosk», «jetson1», «laptop»]" }),
      "kiosk is a viewer, and a viewer never votes",
      'unknown node "jetson1"; did you mean jetson-1?',
      "laptop stands twice in this list"
    )
    assertMistakes(scenarioWith({ electors: " «[]»" }), /^the list is empty/u)
    assertMistakes(scenarioWith({ electors: " [«everyone»]" }), /cannot stand here/u)
  })
})

describe("the network", () => {
  it("shares outside 0 to 100 percent", () => {
    assertMistakes(scenarioWith({ network: " { loss: «101%» }" }), "a share lies between 0% and 100%")
    assertMistakes(scenarioWith({ network: " { loss: «-1%» }" }), "write a percentage from 0% to 100%, such as 5%")
    assertMistakes(scenarioWith({ network: " { loss: «5» }" }), "write a percentage from 0% to 100%, such as 5%")
  })

  it("a range that runs backwards", () => {
    assertMistakes(
      scenarioWith({ network: " { delay: «20ms..2ms» }" }),
      "the range runs backwards; did you mean 2ms..20ms?"
    )
  })

  it("words of a later version", () => {
    assertMistakes(scenarioWith({ network: " { «relays»: [r] }" }), /^"relays" is not there yet/u)
  })
})

describe("sites", () => {
  const sites = (text: string, more: { readonly [heading: string]: string } = {}) =>
    scenarioWith({ sites: ` ${text}`, ...more })

  it("unknown nodes, nodes in two places, nobody", () => {
    assertMistakes(sites("{ barn: [jetson-1, «jetson2»] }"), 'unknown node "jetson2"; did you mean jetson-2?')
    assertMistakes(
      sites("{ barn: [jetson-*], office: [laptop, «jetson-1»] }"),
      "jetson-1 is in barn already; a node is in one site"
    )
    assertMistakes(sites("{ barn: [jetson-1, «jetson-1»] }"), "jetson-1 stands twice in this list")
    assertMistakes(sites("{ barn: «[]» }"), "nobody is there; write who is, such as [jetson-1]")
    assertMistakes(sites("{ «Barn»: [jetson-1] }"), /^a name is small letters/u)
    assertMistakes(sites("{ barn: «jetson-1» }"), /^write who is there/u)
    assertMistakes(sites("«[laptop]»"), /^write the sites as a mapping/u)
  })

  it("as targets: unknown ones, and none at all", () => {
    const crash = (who: string) => ({ timeline: `\n  - { at: 1s, crash: ${who} }` })
    assertMistakes(sites("{ barn: [jetson-1] }", crash("«site brn»")), 'no site is called "brn"; did you mean barn?')
    assertMistakes(scenarioWith(crash("«site barn»")), 'no site is called "barn"; write the heading sites:')
    assertMistakes(scenarioWith(crash("«any site»")), "there are no sites here; write the heading sites:")
    assertMistakes(sites("{ barn: [jetson-1] }", crash("[jetson-1, site barn, any site]")))
    assertMistakes(sites("{ barn: [jetson-1] }", crash("«everyone but site brn»")), /^no site is called "brn"/u)
  })

  it("as observers, as those who are asked, as electors", () => {
    assertMistakes(
      sites("{ barn: [jetson-1], office: [laptop, backup] }", {
        electors: " [site office, jetson-1]",
        expect: `
  - { at: 5s, that: { peers: { site barn: { site office: up } } } }
  - { at: 5s, that: { leader: site office, seen-by: site barn } }`
      })
    )
  })

  it("within and between sites: without sites, with values that cannot be", () => {
    assertMistakes(scenarioWith({ network: " { «between-sites»: { loss: 1% } }" }), /^there are no sites/u)
    assertMistakes(
      sites("{ barn: [jetson-1] }", { network: " { within-sites: { delay: «20ms..2ms», loss: «101%», «los»: 1% } }" }),
      /^the range runs backwards/u,
      "a share lies between 0% and 100%",
      /^no such word of within-sites/u
    )
  })
})

describe("steps", () => {
  it("no verb, two verbs, a mistyped verb", () => {
    assertMistakes(timelineWith("  - «{ at: 1s }»"), /^a step needs a verb: one of start, restart/u)
    assertMistakes(
      timelineWith("  - { at: 1s, crash: laptop, «heal»: everything }"),
      "a step has one verb, this one has crash and heal; make them two steps"
    )
    assertMistakes(timelineWith("  - { at: 1s, «heel»: everything }"), "no such verb; did you mean heal?")
  })

  it("a proposal: of nothing, by nobody, for what nobody moves; a decision of nobody", () => {
    assertMistakes(timelineWith("  - { at: 1s, propose: «{ proposal: P1 }» }"), /^write \{ proposal: P1, by: leader/u)
    assertMistakes(
      timelineWith("  - { at: 1s, approve: { proposal: «p 1», by: asha, via: laptop } }"),
      /^a proposal is called by letters/u
    )
    assertMistakes(
      timelineWith("  - { at: 1s, propose: { proposal: P1, by: leader, run: «pump-9» } }"),
      /^no node can actuator:pump-9/u
    )
    assertMistakes(
      timelineWith("  - { at: 1s, propose: { proposal: P1, by: «jetson1», run: «pump-9» } }"),
      'unknown node "jetson1"; did you mean jetson-1?',
      /^no node can actuator:pump-9/u
    )
    for (const verb of ["approve", "reject"])
      assertMistakes(timelineWith(`  - { at: 1s, ${verb}: «{ proposal: P1, by: asha }» }`), /via: laptop/u)
  })

  it("no moment, an unknown one, one after the end", () => {
    assertMistakes(timelineWith("  - «{ crash: laptop }»"), /^a step needs a moment/u)
    assertMistakes(timelineWith("  - { at: «15», crash: laptop }"), /^write a time \(10s\), the id of a step/u)
    assertMistakes(
      timelineWith("  - { at: 1s, id: boom, crash: laptop }\n  - { at: «bom + 1s», restart: laptop }"),
      'no step is called "bom"; did you mean boom?'
    )
    assertMistakes(timelineWith("  - { at: «61s», crash: laptop }"), "61s is after the end (60s)")
  })

  it("time that runs backwards", () => {
    assertMistakes(
      timelineWith("  - { at: 20s, crash: laptop }\n  - { at: «15s», restart: laptop }"),
      "15s comes after a later step (20s)"
    )
    assertMistakes(
      timelineWith("  - { at: «b + 1s», crash: laptop }\n  - { at: 20s, id: b, restart: laptop }"),
      "b is no earlier step; the timeline runs forward"
    )
  })

  it("ids: no name, a reserved word, one twice", () => {
    assertMistakes(timelineWith("  - { at: 1s, id: «Boom 1», crash: laptop }"), /^a name is small letters/u)
    assertMistakes(timelineWith("  - { at: 1s, id: «end», crash: laptop }"), /^"end" is a word of the language/u)
    assertMistakes(
      timelineWith("  - { at: 1s, id: a, crash: laptop }\n  - { at: 2s, id: «a», restart: laptop }"),
      "another step is called a, in line 11"
    )
  })

  it("unknown nodes, wherever names stand", () => {
    const unknown = 'unknown node "laptp"; did you mean laptop?'
    for (const verb of [
      "crash: «laptp»",
      "start: [backup, «laptp»]",
      "cut: [backup, «laptp»]",
      "cut: { from: «laptp», to: backup }",
      "partition: [[backup], [«laptp»]]",
      "slow: { between: [backup, «laptp»], delay: 1s }",
      "heal: [«laptp»]",
      "replay: { from: «laptp», to: backup, message: last }"
    ])
      assertMistakes(timelineWith(`  - { at: 1s, ${verb} }`), unknown)
    assertMistakes(timelineWith("  - { at: 1s, crash: «robot-*» }"), `no node's name begins with "robot-"`)
    assertMistakes(timelineWith("  - { at: 1s, crash: «any sensor» }"), "no node here is a sensor")
    assertMistakes(timelineWith("  - { at: 1s, crash: «everybody» }"), /^unknown node "everybody"/u)
    assertMistakes(
      timelineWith("  - { at: 1s, heal: «everythin» }"),
      "write everything, or the nodes whose links are healed; did you mean everything?"
    )
  })

  it("names are not told to be unknown when the nodes themselves do not read", () => {
    assertMistakes(scenarioWith({ nodes: " «5»", electors: " [laptop]" }), /^write the nodes as a mapping/u)
  })

  it("freeze in the middle of something that there is not", () => {
    const step = (yaml: string) => timelineWith(`  - { at: 1s, ${yaml}, for: 5s }`)
    assertMistakes(step("freeze: { who: laptop, in: «handshaking» }"), /one of handshake/u)
    assertMistakes(step("freeze: «{ who: laptop }»"), /in the middle of what: \{ who: jetson-1, in: handshake \}$/u)
    assertMistakes(step("freeze: { who: «nobody», in: handshake }"), /nobody/u)
  })

  it("freeze without an end", () => {
    assertMistakes(timelineWith("  - { at: 1s, «freeze»: laptop }"), "freeze needs to end: add for:, such as for: 5s")
    assertMistakes(timelineWith("  - { at: 1s, freeze: laptop, for: «5» }"), /^write a time with a unit/u)
  })

  it("for: on a verb that cannot be undone, and for: of nothing", () => {
    for (const verb of [
      "start: laptop",
      "restart: laptop",
      "heal: everything",
      "replay: { from: laptop, to: backup, message: last }"
    ])
      assertMistakes(
        timelineWith(`  - { at: 1s, ${verb}, «for»: 5s }`),
        /cannot be undone; for: goes with stop, crash, crash-at-write, freeze, .*, lossy-close, .*$/u
      )
    assertMistakes(timelineWith("  - { at: 1s, crash: laptop, for: «0s» }"), /^this undoes the step at once/u)
  })

  it("whatever nothing else mends has to end", () => {
    for (const verb of ["suspend: laptop", "slow-cpu: { who: laptop, takes: 1s }", "disk: { who: laptop, is: full }"])
      assertMistakes(
        timelineWith(`  - { at: 1s, «${verb.replace(":", "»:")} }`),
        new RegExp(`^${verb.split(":")[0]} needs to end: add for:`, "u")
      )
  })

  it("clocks: no change, two at once, none that can be", () => {
    const skew = (words: string) => timelineWith(`  - { at: 1s, skew: ${words} }`)
    assertMistakes(skew("«{ who: laptop }»"), /^write one of by: 1h, to: 1970 and rate: 5%/u)
    assertMistakes(skew("«{ who: laptop, by: 1h, rate: 5% }»"), /^write one of by/u)
    assertMistakes(skew("{ who: laptop, by: «0s» }"), "a jump by nothing is none")
    assertMistakes(skew("{ who: laptop, by: «1» }"), /^write how far the clock is off/u)
    assertMistakes(skew("{ who: laptop, to: «1980» }"), "write 1970 or now")
    assertMistakes(skew("{ who: laptop, rate: «-95%» }"), /^a clock runs between/u)
    assertMistakes(skew("{ who: «laptpo», by: 1h }"), 'unknown node "laptpo"; did you mean laptop?')
    assertMistakes(skew("{ who: laptop, «form»: 1h }"), /^no such word of skew/u)
    assertMistakes(skew("«{ by: 1h }»"), /^write whose clocks/u)
    assertMistakes(
      scenarioWith({ nodes: " { laptop: { role: planner, boots-in: «1980» }, jetson-1: { role: field } }" }),
      "write 1970, or leave it out"
    )
  })

  it("disks, processors and crashes: incomplete, or of no such kind", () => {
    const step = (words: string) => timelineWith(`  - { at: 1s, ${words}, for: 5s }`)
    assertMistakes(step("disk: «{ who: laptop }»"), /^write what is wrong with it/u)
    assertMistakes(step("disk: «{ who: laptop, is: full, slow: 1s }»"), /^write what is wrong with it/u)
    assertMistakes(step("disk: { who: laptop, is: «fulll» }"), "one of hanging, failing, full; did you mean full?")
    assertMistakes(step("slow-cpu: { who: laptop, takes: «0s» }"), "an input takes longer than nothing")
    assertMistakes(step("slow-cpu: «{ who: laptop }»"), /^write how long each input takes/u)
    assertMistakes(step("crash: «5»"), /^write who crashes/u)
    assertMistakes(step("crash: { who: laptop, disk: «gone» }"), /^one of kept, torn, lost, wiped/u)
    assertMistakes(step("crash-at-write: { who: laptop, after: «at most 3» }"), /^write exactly how many/u)
  })

  it("rules on links: ends that are none, and values that cannot be", () => {
    const step = (words: string) => timelineWith(`  - { at: 1s, ${words} }`)
    assertMistakes(step("clog: «{}»"), /^write the links: between:/u)
    assertMistakes(step("clog: { «between»: everyone, from: laptop, to: backup }"), /not both$/u)
    assertMistakes(step("clog: «{ from: laptop }»"), /^one direction has two ends/u)
    assertMistakes(step("clog: { from: laptop, to: «laptop» }"), "a link has two different ends")
    assertMistakes(step("clog: { between: «laptop» }"), /^a link has two ends/u)
    assertMistakes(step("flap: «{ between: everyone, down: 1s }»"), /^flap needs down: and up:/u)
    assertMistakes(step("throttle: { between: everyone, down-to: «16» }"), /^write how much passes in a second/u)
    assertMistakes(step("throttle: { between: everyone, down-to: «0B/s» }"), /^nothing would ever pass/u)
    assertMistakes(step("reorder: { between: everyone, share: 5%, behind: «exactly 2» }"), /^write at most how many/u)
    assertMistakes(step("duplicate: { between: everyone, share: «200%» }"), "a share lies between 0% and 100%")
    assertMistakes(step("reset: { between: everyone }, «for»: 5s"), /^reset cannot be undone/u)
    assertMistakes(step("slow: { between: everyone, delay: { least: 5s, most: «1s» } }"), "most is less than least")
    assertMistakes(step("slow: { between: everyone, delay: «{ least: 5s }» }"), /^write most:.*or more:/u)
    assertMistakes(step("slow: { between: everyone, delay: { table: «[]» } }"), "write from 1 to 1000 delays")
  })

  it("words for some nodes, where they cannot stand", () => {
    assertMistakes(timelineWith("  - { at: 1s, crash: «everyone but laptpo» }"), /^unknown node "laptpo"/u)
    assertMistakes(timelineWith("  - { at: 1s, crash: «the others» }"), /^"the others" cannot stand here/u)
    assertMistakes(timelineWith("  - { at: 1s, partition: [[half], [the others]] }"))
    assertMistakes(timelineWith("  - { at: 1s, partition: [[everyone but leader], [leader]] }"))
    assertMistakes(
      scenarioWith({ nodes: " { «half»: { role: planner }, jetson-1: { role: field } }" }),
      /^"half" is a word of the language/u
    )
  })

  it("links with too few ends, groups that overlap, slow without a how", () => {
    assertMistakes(timelineWith("  - { at: 1s, cut: «[laptop]» }"), /^write the two ends/u)
    assertMistakes(timelineWith("  - { at: 1s, cut: [laptop, «laptop»] }"), "a link has two different ends")
    assertMistakes(timelineWith("  - { at: 1s, cut: «{ from: laptop }» }"), /^a one-way cut needs both/u)
    assertMistakes(
      timelineWith("  - { at: 1s, partition: «[[laptop, backup]]» }"),
      /^a partition has two groups or more/u
    )
    assertMistakes(
      timelineWith("  - { at: 1s, partition: [[laptop, backup], «[laptop]»] }"),
      "laptop stands in two groups"
    )
    assertMistakes(timelineWith("  - { at: 1s, slow: «{ between: [laptop, backup] }» }"), /^slow needs delay/u)
    assertMistakes(timelineWith("  - { at: 1s, slow: { between: «laptop», delay: 1s } }"), /^a link has two ends/u)
    assertMistakes(
      timelineWith("  - { at: 1s, slow: { between: everyone, loss: «200%» } }"),
      "a share lies between 0% and 100%"
    )
  })
})

describe("expectations", () => {
  const facts = "{ leaders: at most 1 }"

  it("no tense, two tenses, a mistyped one", () => {
    assertMistakes(
      expectWith("  - «{ name: nothing }»"),
      /^an expectation needs a tense: one of at, within, always, never, eventually, sometimes$/u
    )
    assertMistakes(
      expectWith(`  - { always: ${facts}, «never»: ${facts} }`),
      "an expectation has one tense, this one has always and never; make them two"
    )
    assertMistakes(expectWith(`  - { «alway»: ${facts} }`), "no such word of an expectation; did you mean always?")
  })

  it("steps are not told to be unknown when the timeline itself does not read", () => {
    assertMistakes(
      scenarioWith({ timeline: " «5»", expect: ` [{ within: 5s, after: power-cut, that: ${facts} }]` }),
      /^write a list of steps/u
    )
  })

  it("sometimes with what does not go with it, and over a window that runs backwards", () => {
    assertMistakes(
      expectWith(`  - { sometimes: ${facts}, «after»: power-cut }`),
      /^after: does not go with sometimes:$/u
    )
    assertMistakes(
      expectWith(`  - { sometimes: ${facts}, from: power-cut, until: «5s» }`),
      "from (10s) is after until (5s)"
    )
  })

  it("within without after, at without that, and what does not go together", () => {
    assertMistakes(expectWith(`  - { «within»: 5s, that: ${facts} }`), "within: needs after:, such as after: power-cut")
    assertMistakes(expectWith("  - { «at»: 5s }"), "at: needs that:, such as that: { leader: laptop }")
    assertMistakes(expectWith(`  - { at: 5s, that: ${facts}, «after»: 1s }`), "after: does not go with at:")
    assertMistakes(expectWith(`  - { always: ${facts}, «that»: ${facts} }`), "that: does not go with always:")
    assertMistakes(
      expectWith(`  - { eventually: ${facts}, «from»: 1s, «until»: 2s }`),
      "from: does not go with eventually:",
      "until: does not go with eventually:"
    )
  })

  it("moments: an unknown step, after the end, backwards", () => {
    assertMistakes(
      expectWith(`  - { within: 5s, after: «powercut», that: ${facts} }`),
      'no step is called "powercut"; did you mean power-cut?'
    )
    assertMistakes(expectWith(`  - { at: «end + 1s», that: ${facts} }`), "end + 1s is after the end (60s)")
    assertMistakes(
      expectWith(`  - { within: «55s», after: power-cut, that: ${facts} }`),
      "this waits until 65s, after the end (60s)"
    )
    assertMistakes(
      expectWith(`  - { always: ${facts}, from: power-cut + 5s, until: «power-cut» }`),
      "from (15s) is after until (10s)"
    )
    assertMistakes(expectWith(`  - { within: «5», after: power-cut, that: ${facts} }`), /^write a time with a unit/u)
  })

  it("facts: none, unknown, of the wrong form", () => {
    assertMistakes(expectWith("  - { always: «{}» }"), /^no facts/u)
    assertMistakes(expectWith("  - { always: { «leadr»: laptop } }"), "no such fact; did you mean leader?")
    assertMistakes(expectWith("  - { always: { proposals: «{}» } }"), /^no proposal here/u)
    assertMistakes(expectWith("  - { always: { proposals: { P1: «{}» } } }"), /^write what becomes of it/u)
    assertMistakes(
      expectWith("  - { always: { proposals: { P1: { status: «done» } } } }"),
      /^one of proposed, awaiting_approval/u
    )
    assertMistakes(
      expectWith("  - { always: { actuators: { «pump-9»: { runs: at most 1 } } } }"),
      /^no node can actuator:pump-9/u
    )
    assertMistakes(
      expectWith("  - { always: { leaders: «1» } }"),
      "write a count in words: exactly 1, at least 1 or at most 1"
    )
    assertMistakes(
      expectWith("  - { always: { term: «about 3» } }"),
      "write a count in words: exactly 1, at least 1 or at most 1"
    )
    assertMistakes(
      expectWith("  - { always: { agree-on: [leader, «peer», «propose»] } }"),
      "one of leader, term, peers, frames, proposals; did you mean peers?",
      /^one of leader, term/u
    )
    assertMistakes(expectWith("  - { always: { «seen-by»: [laptop] } }"), /needs leader: beside it$/u)
  })

  it("peers: unknown nodes, unknown states, a node and itself", () => {
    assertMistakes(
      expectWith("  - { always: { peers: { «laptp»: { jetson-1: up } } } }"),
      'unknown node "laptp"; did you mean laptop?'
    )
    assertMistakes(
      expectWith("  - { always: { peers: { laptop: { «jetson1»: up } } } }"),
      'unknown node "jetson1"; did you mean jetson-1?'
    )
    assertMistakes(
      expectWith("  - { always: { peers: { laptop: { jetson-1: «dwon» } } } }"),
      "one of up, suspect, down, left, unknown; did you mean down?"
    )
    assertMistakes(expectWith("  - { always: { peers: { laptop: { «laptop»: up } } } }"), "laptop is no peer of itself")
  })

  it("sessions: the same, and counts that are none", () => {
    assertMistakes(expectWith("  - { always: { sessions: «{}» } }"), /^nobody here; write who and whom/u)
    assertMistakes(
      expectWith("  - { always: { sessions: { anyone: { «jetson1»: at most 1 } } } }"),
      'unknown node "jetson1"; did you mean jetson-1?'
    )
    assertMistakes(
      expectWith("  - { always: { sessions: { laptop: { jetson-1: «1» } } } }"),
      /^write a count in words/u
    )
    assertMistakes(
      expectWith("  - { always: { sessions: { laptop: { jetson-1: «at most 99999999999» } } } }"),
      /^write a count in words/u
    )
    assertMistakes(
      expectWith("  - { always: { sessions: { laptop: { «laptop»: at most 1 } } } }"),
      "laptop is no peer of itself"
    )
  })

  it("leaders: unknown nodes, words that mean nobody in particular", () => {
    assertMistakes(
      expectWith("  - { always: { leader: [laptop, «bakcup»] } }"),
      'unknown node "bakcup"; did you mean backup?'
    )
    assertMistakes(expectWith("  - { always: { leader: «everyone» } }"), /^"everyone" cannot stand here/u)
  })

  it("events: unknown ones, later ones, unknown codes, no count", () => {
    const event = (words: string) => expectWith(`  - { at: end, that: { events: [{ ${words} }] } }`)
    assertMistakes(
      event("event: «peer.donw», seen: exactly 1"),
      'no event is called "peer.donw"; did you mean peer.down?'
    )
    assertMistakes(event("event: «world.crashs», seen: exactly 1"), /did you mean world\.crash\?$/u)
    assertMistakes(event("event: «quux», seen: exactly 1"), /^one of node\.started, .*, world\.failed$/u)
    assertMistakes(event("event: «[x]», seen: exactly 1"), /^write the name of an event/u)
    assertMistakes(event("event: «actuation.refused», seen: exactly 1"), /^"actuation.refused" is not there yet/u)
    assertMistakes(
      event("event: connection.refused, reason: «AUTH_FAILD», seen: exactly 1"),
      "no code is called AUTH_FAILD; did you mean AUTH_FAILED?"
    )
    assertMistakes(
      event("event: peer.down, about: «jetson1», seen: exactly 1"),
      'unknown node "jetson1"; did you mean jetson-1?'
    )
    assertMistakes(event("event: peer.down, seen: «2»"), /^write a count in words/u)
    assertMistakes(event("event: world.replay, seen: at least 1"))
  })
})

describe("fuzz", () => {
  const fuzz = (words: string) => scenarioWith({ fuzz: ` { ${words} }` })

  it("seeds, calm", () => {
    assertMistakes(fuzz("seeds: «500..1»"), "the range runs backwards; did you mean 1..500?")
    assertMistakes(fuzz("seeds: «500»"), "write a range of seeds, such as 1..500")
    assertMistakes(fuzz("calm: «60s»"), /^calm is the end of the run/u)
  })

  it("paths that lead nowhere, and values that do not fit them", () => {
    assertMistakes(
      fuzz("vary: { «timeline.powercut.at»: 1s..2s }"),
      'no step is called "powercut"; did you mean power-cut?'
    )
    assertMistakes(fuzz("vary: { «network.los»: 0%..2% }"), "nothing of this name can vary; did you mean network.loss?")
    assertMistakes(
      fuzz("vary: { «nodes.jetson1.clock-skew»: -1s..1s }"),
      'unknown node "jetson1"; did you mean jetson-1?'
    )
    assertMistakes(fuzz("vary: { network.loss: «0%..200%» }"), "a share lies between 0% and 100%")
    assertMistakes(fuzz("vary: { network.delay: «5%..10%» }"), /^write a time with a unit/u)
    assertMistakes(fuzz("vary: { timeline.power-cut.at: «5s..90s» }"), "90s is after the end (60s)")
    assertMistakes(
      fuzz("vary: { «network.between-sites.loss»: 0%..2% }"),
      "there is no between-sites: in this network; write it before it varies"
    )
    assertMistakes(fuzz("vary: { «network.between-sites.los»: 0%..2% }"), /^nothing of this name can vary/u)
  })

  it("faults: none, two, incomplete, of unknown nodes", () => {
    assertMistakes(fuzz("faults: [«{ every: 1s, for: 1s }»]"), /^a fault is one of crash/u)
    assertMistakes(fuzz("faults: [{ crash: laptop, «cut»: any link, every: 1s, for: 1s }]"), /^a fault is of one kind/u)
    assertMistakes(fuzz("faults: [«{ crash: any planner, every: 1s..2s }»]"), /^a fault needs for:/u)
    assertMistakes(
      fuzz("faults: [{ crash: «laptp», every: 1s, for: 1s }]"),
      'unknown node "laptp"; did you mean laptop?'
    )
    assertMistakes(fuzz("faults: [{ cut: «any lnk», every: 1s, for: 1s }]"), "one of any link; did you mean any link?")
  })
})
