/** The sections `sensors` and `rules` of node.yaml: what reads, and each mistake at its place. */
import { assert, describe, it } from "@effect/vitest"
import { mistakes, settings } from "./Reading.ts"

const file = (section: string, role = "planner"): string => `name: laptop\nrole: ${role}\n${section}`

describe("sensors", () => {
  it("a program that is read each so often, with its bounds", () => {
    const { sensors } = settings({
      file: file(`sensors:
  - { metric: moisture, zone: field-1, unit: "%", every: 30s, at-least: 0, at-most: 100.5, exec: [cat, /tmp/moisture] }
  - { metric: flow, every: 1m, exec: [flow] }
`)
    })
    assert.deepStrictEqual(sensors, [
      {
        metric: "moisture",
        zone: "field-1",
        unit: "%",
        everyMs: 30_000,
        atLeast: 0,
        atMost: 100.5,
        command: ["cat", "/tmp/moisture"]
      },
      {
        metric: "flow",
        zone: null,
        unit: null,
        everyMs: 60_000,
        atLeast: Number.NEGATIVE_INFINITY,
        atMost: Number.POSITIVE_INFINITY,
        command: ["flow"]
      }
    ])
  })

  it("a topic of a broker, in place of a program", () => {
    const { sensors } = settings({
      file: file(`sensors:
  - { metric: moisture, zone: field-1, every: 1m, mqtt: { url: "mqtt://127.0.0.1:1883", topic: farm/1/soil, field: soil.moisture, user: board, password-file: /etc/clawmesh/broker } }
  - { metric: heat, every: 1m, mqtt: { url: mqtts://broker, topic: heat } }
`)
    })
    const rest = { unit: null, everyMs: 60_000, atLeast: Number.NEGATIVE_INFINITY, atMost: Number.POSITIVE_INFINITY }
    assert.deepStrictEqual(sensors, [
      {
        metric: "moisture",
        zone: "field-1",
        ...rest,
        broker: { url: "mqtt://127.0.0.1:1883", user: "board", passwordFile: "/etc/clawmesh/broker" },
        topic: "farm/1/soil",
        field: "soil.moisture"
      },
      {
        metric: "heat",
        zone: null,
        ...rest,
        broker: { url: "mqtts://broker", user: null, passwordFile: null },
        topic: "heat",
        field: null
      }
    ])
  })

  const topic = (words: string): string => `{ metric: moisture, every: 30s, mqtt: ${words} }`
  const wrong: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["{ metric: moisture, every: 30s }", "4:15", /write exec or mqtt, and not both/u],
    ["{ metric: moisture, every: 30s, exec: [a], mqtt: { url: mqtt://a, topic: b } }", "4:15", /and not both/u],
    [topic("a"), "4:43", /mqtt is a mapping/u],
    [topic("{ url: mqtt://a }"), "4:43", /topic is missing/u],
    [topic("{ url: http://a, topic: b }"), "4:50", /url is the broker, mqtt/u],
    [topic("{ url: mqtt://me:secret@a, topic: b }"), "4:50", /without name and password/u],
    [topic("{ url: mqtt://a, topic: farm/+/soil }"), "4:67", /one topic, without \+ and #/u],
    [topic("{ url: mqtt://a, topic: b, feild: c }"), "4:70", /did you mean field\?/u],
    [topic("{ url: mqtt://a, topic: b, field: a b }"), "4:77", /field is where the number is/u],
    [topic("{ url: mqtt://a, topic: b, password-file: secret }"), "4:85", /the whole path of a file/u],
    ["{ metric: Soil moisture, every: 30s, exec: [a] }", "4:15", /metric is what is read, one word/u],
    ["{ metric: moisture, every: 30, exec: [a] }", "4:32", /every is how often/u],
    ["{ metric: moisture, every: 30s, exec: cat }", "4:43", /exec is a list/u],
    ["{ metric: moisture, every: 30s, at-least: much, exec: [a] }", "4:47", /at-least is a number/u],
    ["{ metric: moisture, every: 30s, at-least: 9, at-most: 3, exec: [a] }", "4:59", /no reading is at least that/u],
    ["{ metric: moisture, evry: 30s, exec: [a] }", "4:25", /no such word; did you mean every\?/u]
  ]
  it.each(wrong)("%s", (one, place, message) => {
    const found = mistakes({ file: file(`sensors:\n  - ${one}\n`) }).find((mistake) => message.test(mistake.message))
    const { origin } = found!
    assert.strictEqual(origin._tag === "File" ? `${origin.line}:${origin.column}` : "nowhere", place)
  })

  it("one reading has one sensor", () => {
    const one = "  - { metric: moisture, zone: field-1, every: 30s, exec: [a] }\n"
    assert.match(mistakes({ file: file(`sensors:\n${one}${one}`) })[0]!.message, /stands here a second time/u)
  })
})

describe("rules with times of the day", () => {
  const rule = (more: string): string =>
    `rules:\n  - { name: a, metric: m, below: 3, propose: { actuator: p, state: open, for: 1m }, ${more} }\n`
  it("are in UTC, whatever offset they are written with", () => {
    const { rules } = settings({ file: file(rule('daily: ["06:00", "06:00Z", "06:00+05:30", "20:15-04:00", 18:30]')) })
    const minutes = rules[0]!.daily!.map((ms) => ms / 60_000)
    assert.deepStrictEqual(minutes, [360, 360, 30, 15, 1_110])
  })

  it.each([
    ["daily: 06:00", /daily is a list of times/u],
    ["daily: []", /daily is a list of times/u],
    ['daily: ["24:00"]', /daily is a list of times/u],
    ['daily: ["6:00"]', /daily is a list of times/u],
    ['daily: ["06:00+15:00"]', /daily is a list of times/u],
    ['daily: ["06:00"], cooldown: 5m', /ten minutes|10m at least/u]
  ])("%s", (more, message) => {
    const found = mistakes({ file: file(rule(more)) })
    assert.match(found[0]?.message ?? "", message)
  })
})

describe("rules", () => {
  it("a threshold, and what is proposed", () => {
    const { rules } = settings({
      file: file(`rules:
  - name: dry-1
    metric: moisture
    zone: field-1
    below: 20.5
    clear: 25
    propose: { actuator: pump-1, state: open, for: 20m }
    cooldown: 2h
    tier: T3_verified_action_evidence
    priority: 3
  - { name: hot, metric: heat, above: 35, propose: { actuator: vent, state: closed } }
`)
    })
    assert.deepStrictEqual(rules, [
      {
        name: "dry-1",
        metric: "moisture",
        zone: "field-1",
        when: { below: 20.5 },
        clear: 25,
        then: { actuator: "actuator:pump-1", state: "open", forMs: 1_200_000 },
        cooldownMs: 7_200_000,
        tier: "T3_verified_action_evidence",
        priority: 3
      },
      {
        name: "hot",
        metric: "heat",
        zone: null,
        when: { above: 35 },
        clear: 35,
        then: { actuator: "actuator:vent", state: "closed", forMs: 0 },
        cooldownMs: 600_000,
        tier: "T2_operational_observation",
        priority: 0
      }
    ])
  })

  const propose = "propose: { actuator: p, state: open }"
  const wrong: ReadonlyArray<readonly [string, RegExp]> = [
    [`{ name: a, metric: m, ${propose} }`, /one threshold/u],
    [`{ name: a, metric: m, below: 1, above: 2, ${propose} }`, /one threshold/u],
    [`{ name: a, metric: m, below: 20, clear: 10, ${propose} }`, /wrong side/u],
    [`{ name: a, metric: m, above: 20, clear: 30, ${propose} }`, /wrong side/u],
    ["{ name: a, metric: m, below: 20 }", /a rule proposes, or asks/u],
    [`{ name: a, metric: m, below: 20, ${propose}, ask: Well }`, /a rule proposes, or asks/u],
    ["{ name: a, metric: m, below: 20, ask: Well }", /what may be moved, and for how long/u],
    ["{ name: a, metric: m, below: 20, ask: Well, may: [], for: 5m }", /may is a list/u],
    ["{ name: a, metric: m, below: 20, ask: '', may: [p], for: 5m }", /ask is what the language model is asked/u],
    [`{ name: a, metric: m, below: 20, ${propose}, may: [p] }`, /that belongs to ask/u],
    [
      "{ name: a, metric: m, below: 20, propose: { actuator: p, stat: open } }",
      /did you mean state\?|state is missing/u
    ],
    [`{ name: a, metric: m, below: wet, ${propose} }`, /below is a number/u],
    [`{ name: a, metric: m, below: 20, priority: 10, ${propose} }`, /priority is a whole number/u]
  ]
  it.each(wrong)("%s", (one, message) => {
    const found = mistakes({ file: file(`rules:\n  - ${one}\n`) })
    assert.match(found.map((mistake) => mistake.message).join("\n"), message)
    for (const { origin } of found) assert.strictEqual(origin._tag, "File")
  })

  it("are for planners", () => {
    const found = mistakes({ file: file(`rules:\n  - { name: a, metric: m, below: 1, ${propose} }\n`, "field") })
    assert.match(found[0]!.message, /a field proposes nothing/u)
  })
})

describe("model", () => {
  const asks = `rules:
  - { name: odd, metric: m, below: 25, ask: "Is it to be watered?", may: [p, q], for: 20m }`

  it("where the language model is, and which rules ask it", () => {
    const { model, rules } = settings({
      file: file(
        `model: { url: "http://10.0.0.20:11434/v1/", name: "llama3.1:8b", token-file: /etc/clawmesh/token }\n${asks}`
      )
    })
    assert.deepStrictEqual(model, {
      url: "http://10.0.0.20:11434/v1",
      name: "llama3.1:8b",
      tokenFile: "/etc/clawmesh/token"
    })
    const may = ["actuator:p", "actuator:q"]
    assert.deepStrictEqual(rules[0]?.then, { ask: "Is it to be watered?", may, forMaxMs: 1_200_000 })
    assert.isNull(settings({}).model)
  })

  it.each([
    ["{ url: http://a }", /name is missing/u],
    ["{ name: m }", /url is missing/u],
    ["{ url: ftp://a, name: m }", /url is the server/u],
    ["{ url: 'http://me:secret@a/', name: m }", /url is the server/u],
    ["{ url: http://a, name: 'a model' }", /name is the model/u],
    ["{ url: http://a, name: m, token-file: token }", /token-file is the whole path/u],
    ["{ url: http://a, name: m, token: s }", /did you mean token-file|no such word/u],
    ["[http://a]", /model is a mapping/u]
  ])("%s", (written, message) => {
    assert.match(mistakes({ file: file(`model: ${written}`) })[0]?.message ?? "", message)
  })

  it("is needed by whoever asks, and of no use to who never leads", () => {
    assert.match(mistakes({ file: file(asks) })[0]?.message ?? "", /odd asks a language model: write model/u)
    const none = mistakes({ file: file("model: { url: http://a, name: m }", "field") })
    assert.match(none[0]?.message ?? "", /a field asks nobody/u)
  })
})
