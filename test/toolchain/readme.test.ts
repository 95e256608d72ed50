/** What the README shows is compared with what its commands print, by shape: neither too strictly nor blindly. */
import { assert, describe, it } from "@effect/vitest"
import { commandsOf, difference, outputLines, shape } from "../../.ci/Shell.ts"

const page = `# A page

\`\`\`console
$ git clone somewhere
$ pnpm sim one.yaml

one   passed   12 ms

expectations: 3 passed, 0 failed
\`\`\`

\`\`\`console no-ci
$ pnpm node
\`\`\`

1. In a list:

   \`\`\`console exit=2
   $ pnpm sim two.yaml
   two.yaml:1:1  no
   \`\`\`

\`\`\`sh
# both
pnpm check
pnpm test
\`\`\`

\`\`\`json
$ pnpm none
\`\`\`
`

describe("the shell blocks of a page", () => {
  it("are read with their place, what they show, and their words", () => {
    const ran = { inCi: true, exitCode: 0, session: null }
    assert.deepStrictEqual(commandsOf(page), [
      { line: 4, text: "git clone somewhere", shown: [], ...ran },
      {
        line: 5,
        text: "pnpm sim one.yaml",
        shown: ["one   passed   12 ms", "", "expectations: 3 passed, 0 failed"],
        ...ran
      },
      { line: 13, text: "pnpm node", shown: [], inCi: false, exitCode: 0, session: null },
      { line: 19, text: "pnpm sim two.yaml", shown: ["two.yaml:1:1  no"], inCi: true, exitCode: 2, session: null },
      { line: 25, text: "pnpm check", shown: [], ...ran },
      { line: 26, text: "pnpm test", shown: [], ...ran }
    ])
  })

  it("that are one session have that in common", () => {
    const commands = commandsOf("\n```console session=40\n$ a=1\n$ echo $a\n1\n```\n\n```console\n$ pnpm test\n```\n")
    const session = { line: 2, limitMs: 40_000 }
    assert.deepStrictEqual(
      commands.map((command) => command.session),
      [session, session, null]
    )
    assert.strictEqual(commands[0]!.session, commands[1]!.session)
  })

  it("must end", () => {
    assert.throws(() => commandsOf("```console\n$ pnpm test\n"), /line 1: the block does not end/u)
  })
})

describe("the shape of a line", () => {
  it("is the same whatever the numbers, times, hashes and columns are", () => {
    assert.strictEqual(
      shape("hash  9f03ab12cd45ef67  1,204 events in 31 ms"),
      shape("hash 12345678901234ab 98 events in 1.2 s")
    )
    assert.strictEqual(shape("t=20.004s  laptop-main"), shape("t=3s laptop-main"))
  })

  it("is another for other words, none failed is not some failed, and all are not some", () => {
    assert.notStrictEqual(shape("3 passed, 0 failed"), shape("3 passed, 2 failed"))
    assert.strictEqual(shape("3 passed, 1 failed"), shape("1 passed, 2 failed"))
    assert.notStrictEqual(shape("2 of 2 up"), shape("1 of 2 up"))
    assert.strictEqual(shape("2 of 2 up"), shape("3 of 3 up"))
    assert.strictEqual(shape("1 of 2 up"), shape("2 of 3 up"))
    assert.notStrictEqual(shape("laptop leads"), shape("laptop follows"))
  })
})

describe("the difference between shown and printed", () => {
  it("is none for the same shape", () => {
    assert.isNull(difference(["a 1", "", "b 2"], ["a 7", "", "b 8"]))
  })

  it("is the first line that differs", () => {
    assert.deepStrictEqual(difference(["a", "b", "c"], ["a", "x", "c"]), { shown: "b", printed: "x" })
  })

  it("is a line too few or too many", () => {
    assert.deepStrictEqual(difference(["a", "b"], ["a"]), { shown: "b", printed: null })
    assert.deepStrictEqual(difference(["a"], ["a", "b"]), { shown: null, printed: "b" })
  })

  it("lets … stand for the rest of a line, but not for its beginning", () => {
    assert.isNull(difference(["took 3 …"], ["took 4 ms and more"]))
    assert.deepStrictEqual(difference(["took 3 …"], ["left 4 ms"]), { shown: "took 3 …", printed: "left 4 ms" })
  })

  it("lets … stand for any number of lines, but not for the lines around them", () => {
    const shown = ["a", "…", "b", "…", "c"]
    assert.isNull(difference(shown, ["a", "b", "c"]))
    assert.isNull(difference(shown, ["a", "b", "x", "b", "y", "z", "c"]))
    assert.deepStrictEqual(difference(shown, ["a", "x", "c"]), { shown: "b", printed: null })
    assert.deepStrictEqual(difference(["a", "…", "b"], ["a", "b", "x"]), { shown: null, printed: "x" })
  })

  it("does not count what npm and pnpm print around a command", () => {
    assert.deepStrictEqual(
      outputLines("npm warn nodedir\n$ node sim/main.ts\n\n\u001b[32mgreen\u001b[0m\n\nend\n\n[ELIFECYCLE] no\n"),
      ["green", "", "end"]
    )
  })
})
