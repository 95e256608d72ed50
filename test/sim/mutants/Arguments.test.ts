/** The words after `pnpm mutants`: what they mean, and what is said of those that mean nothing. */
import { assert, describe, it } from "@effect/vitest"
import { EVENTS_DEFAULT, MECHANICAL_DEFAULT, readArguments } from "../../../sim/mutants/Arguments.ts"
import { command } from "../../../sim/mutants/Command.ts"

const read = (words: string) => readArguments(words.split(" ").filter((word) => word !== ""))

describe("pnpm mutants", () => {
  it("both kinds, unless one is asked for", () => {
    const both = {
      named: null,
      mechanical: MECHANICAL_DEFAULT,
      only: [],
      events: EVENTS_DEFAULT,
      seed: null,
      json: null
    }
    assert.deepInclude(read(""), both)
    assert.deepInclude(read("--named"), { named: null, mechanical: 0 })
    assert.deepInclude(read("--some 5"), { named: 5, mechanical: 0 })
    assert.deepInclude(read("--mechanical 20"), { named: 0, mechanical: 20 })
    assert.deepInclude(read("--named --mechanical 20 --events 2_000_000 --jobs 3 --seed 7"), {
      named: null,
      mechanical: 20,
      events: 2_000_000,
      jobs: 3,
      seed: 7
    })
    assert.deepInclude(read("--only votes-twice,links/Login.ts:1:2:drop"), {
      only: ["votes-twice", "links/Login.ts:1:2:drop"]
    })
  })

  it("wrong use is a sentence with the way out, and exit code 2", async () => {
    const cases: ReadonlyArray<readonly [words: string, message: RegExp]> = [
      ["--jobs 0", /^--jobs 0: write how many at once, from 1 to 256, such as --jobs 2$/u],
      ["--events 10", /^--events 10: write how many inputs each mutant gets, from 1000 up/u],
      ["--events", /^--events needs how many inputs each of them gets/u],
      ["--mechanical many", /^--mechanical many: write how many, from 0 to/u],
      ["--some 0", /^--some 0: write how many, from 1 up/u],
      ["--seed x", /^--seed x: write a number from 0 to \d+$/u],
      ["--onyl x", /^no flag --onyl; did you mean --only\?$/u],
      ["--only=", /^--only= names no mutant/u],
      ["--only votes-twice --named", /^--only says which; leave out --named$/u],
      ["votes-twice", /^mutants takes no "votes-twice"; one mutant is picked by --only/u],
      ["--only votes-twise", /^there is no mutant votes-twise; did you mean votes-twice\?$/u],
      [
        "--only nothing-like-it-at-all",
        /^there is no mutant nothing-like-it-at-all; those with a name: forgets-the-term /u
      ],
      ["--named", /^the seed comes from the commit, and there is none; write one, such as --seed 1$/u]
    ]
    const project = new URL("../../../", import.meta.url).pathname
    for (const [words, message] of cases) {
      let told = ""
      const exit = await command(words.split(" "), {
        project,
        out: () => assert.fail("nothing is told there"),
        err: (text) => void (told += text),
        commit: () => (words.includes("only") ? "00000001" : null)
      })
      assert.strictEqual(exit, 2, words)
      assert.match(told.trimEnd(), message)
    }
  })
})
