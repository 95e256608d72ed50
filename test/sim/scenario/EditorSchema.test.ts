/** The schema for editors against the reader: the same words, the same verdicts on form, a text for everything. */
import { assert, describe, it } from "@effect/vitest"
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"
import { below } from "../../../kernel/Draw.ts"
import { editorSchema, editorSchemaText, type Piece } from "../../../sim/scenario/EditorSchema.ts"
import { Language, verbNames } from "../../../sim/scenario/Language.ts"
import { modeline } from "../../../sim/scenario/Modeline.ts"
import { stories, storyOf } from "../Stories.ts"

const folder = fileURLToPath(new URL("../../../scenarios/", import.meta.url))

const schema = editorSchema()
const validate = new Ajv2020({
  strict: true,
  strictTypes: false,
  keywords: ["errorMessage", "patternErrorMessage"]
}).compile(schema)
const accepted = (data: unknown): boolean => validate(data)
const whyNot = (data: unknown): ReadonlyArray<ErrorObject> => (accepted(data) ? [] : (validate.errors ?? []))

const decode = Schema.decodeUnknownResult(Language)
const decoded = (data: unknown): boolean => Result.isSuccess(decode(data, { onExcessProperty: "error" }))

describe("scenarios/scenario.schema.json", () => {
  it("is the schema of the language; pnpm sim schema renews it", () => {
    assert.strictEqual(readFileSync(`${folder}scenario.schema.json`, "utf8"), editorSchemaText())
  })

  it("is what every scenario names in its first line, and accepts every scenario", () => {
    assert.isNotEmpty(stories)
    for (const { file, text } of stories) {
      const up = "../".repeat(file.split("/").length - 1)
      assert.strictEqual(text.split("\n")[0], modeline(`${up}scenario.schema.json`), file)
      assert.deepStrictEqual(whyNot(parse(text)), [], file)
    }
  })

  it("has a text for every key, and no definition twice", () => {
    const silent: Array<string> = []
    const walk = (piece: Piece, path: string): void => {
      for (const [key, value] of Object.entries(piece.properties ?? {})) {
        if ((value.description ?? "") === "") silent.push(`${path}.${key}`)
        walk(value, `${path}.${key}`)
      }
      piece.anyOf?.forEach((one) => walk(one, path))
      if (piece.items !== undefined) walk(piece.items, path)
    }
    for (const [name, piece] of Object.entries(schema.$defs)) walk(piece, name)
    assert.deepStrictEqual(silent, [])
    assert.includeMembers(Object.keys(schema.$defs["Step"]?.properties ?? {}), [...verbNames])
    assert.deepStrictEqual(
      Object.keys(schema.$defs).filter((name) => /_\d+$/u.test(name)),
      []
    )
    // Beside a $ref in allOf, editors do not show a text while they complete.
    assert.notInclude(editorSchemaText(), '"allOf"')
  })
})

/** Replaces the value at a path; `undefined` takes it away. */
const changed = (data: unknown, [key, ...rest]: ReadonlyArray<string | number>, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(data)) {
    const inner = changed(data[key as number], rest, value)
    return data.flatMap((item: unknown, i) => (i !== key ? [item] : inner === undefined ? [] : [inner]))
  }
  const { [key]: old, ...others } = data as { readonly [key: string]: unknown }
  const inner = changed(old, rest, value)
  return inner === undefined ? others : { ...others, [key]: inner }
}

const pathsOf = (data: unknown, path: ReadonlyArray<string | number> = []): ReadonlyArray<typeof path> =>
  typeof data !== "object" || data === null
    ? [path]
    : [
        path,
        ...(Array.isArray(data) ? data.map((item, i) => [i, item] as const) : Object.entries(data)).flatMap(
          ([key, inner]) => pathsOf(inner, [...path, key])
        )
      ]

describe("both readers agree on the form of", () => {
  const base: unknown = parse(storyOf("failover.yaml").text)
  const mistakes: ReadonlyArray<readonly [path: ReadonlyArray<string | number>, value: unknown]> = [
    [["scenario"], undefined],
    [["scenario"], ""],
    [["seed"], "42"],
    [["seed"], -1],
    [["seed"], 1.5],
    [["lasts"], 60],
    [["lasts"], "60"],
    [["lasts"], "60 s"],
    [["profile"], "moon"],
    [["nodes"], []],
    [["nodes", "Laptop"], { role: "field" }],
    [["nodes", "extra"], {}],
    [["nodes", "extra"], { role: "planer" }],
    [["nodes", "extra"], { role: "field", "clock-skew": "2" }],
    [["network", "loss"], 5],
    [["network", "linsk"], "star"],
    [["timeline"], {}],
    [["timeline", 0, "at"], undefined],
    [["timeline", 0, "at"], "10 + s"],
    [["timeline", 1, "crash"], 7],
    [["timeline", 1, "heel"], "everything"],
    [["timeline", 1, "replay"], { from: "a", to: "b", message: "next" }],
    [["timeline", 1, "cut"], { from: "a" }],
    [["expect", 0, "judge"], "never"],
    [["expect", 0, "alwas"], {}],
    [["expect", 0, "that"], { leaders: 1 }],
    [["expect", 0, "that"], { leaders: "about 1" }],
    [["expect", 0, "that"], { peers: { a: { b: "gone" } } }],
    [["expect", 0, "that"], { events: [{ event: "peer.donw", seen: "at least 1" }] }],
    [["expect", 0, "that"], { events: [{ event: "peer.down" }] }],
    [["fuzz", "seeds"], "1-500"],
    [["fuzz", "vary"], { "network.loss": "5" }],
    [["fuzz", "faults"], [{ crash: "leader", every: "1s" }]],
    [["more"], 1]
  ]

  it("mistakes, which both refuse", () => {
    assert.isTrue(accepted(base) && decoded(base))
    for (const [path, value] of mistakes) {
      const data = changed(base, path, value)
      assert.deepStrictEqual(
        [accepted(data), decoded(data)],
        [false, false],
        `${path.join(".")}: ${JSON.stringify(value)}`
      )
    }
  })

  it("5,000 files with something taken away, put in, or put elsewhere", () => {
    const odd: ReadonlyArray<unknown> = [
      null,
      true,
      0,
      -3,
      2.5,
      "",
      "x",
      "6s",
      "2ms..20ms",
      "5%",
      "exactly 1",
      [],
      {},
      ["a"]
    ]
    const files = stories.map(({ text }) => parse(text) as unknown)
    const verdicts = { accepted: 0, refused: 0 }
    for (let n = 0; n < 5_000; n++) {
      const draw = (what: string, limit: number) => below(1, "mutation", what, n, limit)
      const data = files[draw("file", files.length)]
      const paths = pathsOf(data).slice(1)
      const path = paths[draw("path", paths.length)]!
      const elsewhere = paths[draw("elsewhere", paths.length)]!
      const there = elsewhere.reduce<unknown>((inner, key) => (inner as never)[key], data)
      const how = draw("how", 4)
      const mutated =
        how === 0
          ? changed(data, path, undefined)
          : how === 1
            ? changed(data, path, odd[draw("odd", odd.length)])
            : how === 2
              ? changed(data, path, there)
              : changed(data, [...path.slice(0, -1), String(elsewhere.at(-1))], there)
      const verdict = accepted(mutated)
      assert.strictEqual(decoded(mutated), verdict, `${how} ${path.join(".")}: ${JSON.stringify(whyNot(mutated))}`)
      verdicts[verdict ? "accepted" : "refused"]++
    }
    // Both kinds, or the test would show nothing.
    assert.isAbove(verdicts.accepted, 500)
    assert.isAbove(verdicts.refused, 500)
  })
})
