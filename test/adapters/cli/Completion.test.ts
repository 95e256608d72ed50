/** What a shell completes: bash is asked itself, the others are given the same words. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import { completionFor } from "../../../adapters/cli/Arguments.ts"
import { help } from "../../../adapters/cli/Help.ts"
import { shells } from "../../../adapters/cli/Completion.ts"
import { clawmesh } from "./Terminal.ts"

/** What bash offers behind this line, whose last word is being typed. */
const offered = (line: string): ReadonlyArray<string> => {
  const words = line.split(" ")
  const script = `${completionFor("bash")}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_clawmesh; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync("bash", ["-c", script], { encoding: "utf8" })
    .split("\n")
    .filter((word) => word !== "")
}

describe("clawmesh completion bash", () => {
  it("completes commands, their second words, and flags of their own", () => {
    assert.deepStrictEqual(offered("clawmesh sta"), ["status"])
    assert.deepStrictEqual(offered("clawmesh proposals "), ["list", "show", "approve", "reject"])
    assert.deepStrictEqual(offered("clawmesh proposals approve P-4F2K --c"), ["--confirm"])
    assert.deepStrictEqual(offered("clawmesh doctor --s"), ["--state", "--strict"])
    assert.deepStrictEqual(offered("clawmesh --state /tmp wait "), ["ready", "leader", "peer"])
    assert.deepStrictEqual(offered("clawmesh trust add x --role vi"), ["viewer"])
    assert.deepStrictEqual(offered("clawmesh status --c"), [])
  })

  it("offers every command that the help names", () => {
    const named = new Set([...help.matchAll(/^ {2}clawmesh ([a-z]+)/gmu)].map(([, word]) => word!))
    assert.sameMembers([...offered("clawmesh ")], [...named])
  })
})

describe("clawmesh completion", () => {
  it("has the same words for every shell", () => {
    for (const shell of shells)
      for (const word of ["status", "proposals", "approve", "doctor", "strict", "standby-planner", "ready"])
        assert.include(completionFor(shell), word, shell)
  })

  it("of zsh is read by whoever knows the functions of bash", () => {
    const text = completionFor("zsh")
    assert.match(text, /^#compdef clawmesh\n/u)
    // zsh has no mapfile.
    assert.notInclude(text, "mapfile")
    assert.match(text, /COMPREPLY=\(\$\(compgen -W "\$words" -- "\$word"\)\)/u)
    execFileSync("bash", ["-n"], { input: text.replace(/^autoload.*$/mu, "") })
  })

  it.effect("is printed for a shell that there is, and misuse for another", () =>
    Effect.gen(function* () {
      const { exit, out } = yield* clawmesh("/nowhere", "completion fish")
      assert.strictEqual(exit, 0)
      assert.strictEqual(out, completionFor("fish"))
      const other = yield* clawmesh("/nowhere", "completion bahs")
      assert.strictEqual(other.exit, 2)
      assert.match(other.err, /did you mean bash/u)
    })
  )
})
