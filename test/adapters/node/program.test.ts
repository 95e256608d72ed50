/** The command line of `clawmesh-node`, in a world made of values: commands, help, what reaches the node. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { keys, writtenFlag } from "../../../adapters/config/NodeFile.ts"
import type { Settings } from "../../../adapters/config/Settings.ts"
import { StartFailure } from "../../../adapters/config/StartFailure.ts"
import { exits, help, program } from "../../../adapters/node/Program.ts"
import { FILE, type Machine, surroundingsOf } from "../config/Reading.ts"

interface Ended {
  readonly exit: number
  readonly out: string
  readonly err: string
  /** What the node was run with. */
  readonly ran: ReadonlyArray<Settings>
}

const enter = (
  args: ReadonlyArray<string>,
  machine: Machine = {},
  run: Effect.Effect<void, StartFailure> = Effect.void
): Effect.Effect<Ended> =>
  Effect.gen(function* () {
    let out = ""
    let err = ""
    const ran: Array<Settings> = []
    const exit = yield* program({
      ...surroundingsOf(machine),
      args,
      version: "1.2.3",
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      load: async () => ({
        run: (settings) => {
          ran.push(settings)
          return run
        }
      })
    })
    return { exit, out, err, ran }
  })

describe("commands", () => {
  it.effect("run hands the settings to the node and gives its end as an exit code", () =>
    Effect.gen(function* () {
      const got = yield* enter(["run", "--role", "planner"], { file: "port: 4000\n" })
      assert.deepStrictEqual([got.exit, got.out, got.err], [exits.stopped, "", ""])
      assert.deepStrictEqual(
        got.ran.map(({ port, role }) => [role, port]),
        [["planner", 4_000]]
      )
      const failing = new StartFailure({ message: "port 4000 is taken", hint: "choose another", exit: 1 })
      const failed = yield* enter(["run"], {}, Effect.fail(failing))
      assert.deepStrictEqual(
        [failed.exit, failed.err],
        [exits.failed, "clawmesh-node: port 4000 is taken\n  choose another\n"]
      )
    })
  )

  it.effect("nothing runs where anything is wrong", () =>
    Effect.gen(function* () {
      for (const args of [["run", "--prot", "1"], ["run", "now"], ["rnu"], [], ["run", "--role", "x"]]) {
        const got = yield* enter(args)
        assert.deepStrictEqual([got.exit, got.out, got.ran.length], [exits.wrongUse, "", 0], args.join(" "))
        assert.notStrictEqual(got.err, "")
      }
      const file = yield* enter(["run"], { file: "role: x\n" })
      assert.deepStrictEqual([file.exit, file.ran.length], [exits.configuration, 0])
    })
  )

  it.effect("a command with a slip, a word too many, the value of a flag that there is not", () =>
    Effect.gen(function* () {
      assert.include((yield* enter(["chekc"])).err, "no such command: chekc; did you mean check?\n")
      assert.include((yield* enter(["check", "now"])).err, "one word too many: now\n")
      assert.include((yield* enter(["constructor"])).err, "no such command: constructor\n")
      const slip = yield* enter(["run", "--prot", "80"])
      assert.include(slip.err, "did you mean --port?")
      assert.notInclude(slip.err, "word too many")
    })
  )

  it.effect("mistakes of the command line hide none of the environment and the file: all are told in one go", () =>
    Effect.gen(function* () {
      const machine: Machine = { environment: { CLAWMESH_PORT: "x" }, file: "log: jsn\n" }
      for (const args of [
        ["run", "--rloe", "planner"],
        ["run", "--role", "plannner"],
        ["check", "now"],
        ["chekc"],
        ["id", "--name"]
      ]) {
        const got = yield* enter(args, machine)
        assert.deepStrictEqual([got.exit, got.out, got.ran.length], [exits.wrongUse, "", 0], args.join(" "))
        assert.include(got.err, "CLAWMESH_PORT: a port is", args.join(" "))
        assert.include(got.err, `${FILE}:1:6: a log is`, args.join(" "))
        assert.match(got.err, /(?:^|\n)(?:clawmesh-node|--\w+): [^\n]+\n/u)
        assert.isTrue(got.err.endsWith("All commands and flags: clawmesh-node help\n"), args.join(" "))
      }
    })
  )

  it.effect("where the file is that is meant is not guessed: a wrong --config brings up no other file", () =>
    Effect.gen(function* () {
      const machine: Machine = {
        environment: { CLAWMESH_PORT: "x" },
        file: "log: jsn\n",
        files: { "/work/a": "log: a\n", "/work/b": "log: b\n" }
      }
      for (const flags of [["--config"], ["--config", "a", "--config", "b"], ["--confg", "a"], ["--no-config"]]) {
        const got = yield* enter(["run", ...flags], machine)
        assert.strictEqual(got.exit, exits.wrongUse, flags.join(" "))
        assert.include(got.err, "CLAWMESH_PORT: a port is", flags.join(" "))
        assert.notInclude(got.err, "a log is", flags.join(" "))
      }
    })
  )

  it.effect("who typed no command, or asked for none that has settings, is not told of a file", () =>
    Effect.gen(function* () {
      for (const args of [[], ["--prot", "1"], ["version", "now"], ["help", "--prot"]]) {
        const got = yield* enter(args, { file: "log: jsn\n" })
        assert.strictEqual(got.exit, exits.wrongUse, args.join(" "))
        assert.notInclude(got.err, "a log is", args.join(" "))
      }
    })
  )

  it.effect("help and version win over whatever else is written", () =>
    Effect.gen(function* () {
      for (const args of [["help"], ["--help"], ["-h"], ["run", "--help", "--prot"]]) {
        const got = yield* enter(args)
        assert.deepStrictEqual([got.exit, got.out, got.err], [0, help, ""], args.join(" "))
      }
      for (const args of [["version"], ["--version"], ["-V"]])
        assert.strictEqual((yield* enter(args)).out, "1.2.3\n", args.join(" "))
    })
  )

  it.effect("a file that may not be read and that nobody named is said, and does not stop the node", () =>
    Effect.gen(function* () {
      const got = yield* enter(["run"], { files: { "/etc/clawmesh/node.yaml": { failed: "EACCES" } } })
      assert.deepStrictEqual(
        [got.exit, got.err],
        [0, "clawmesh-node: /etc/clawmesh/node.yaml is not used: we may not read it\n"]
      )
    })
  )
})

describe("help", () => {
  it("names every command, every flag with its default, every exit code", () => {
    for (const command of ["run", "check", "id", "relay", "version", "help"])
      assert.match(help, new RegExp(`^  ${command} +\\S`, "mu"))
    for (const key of keys) assert.match(help, new RegExp(`^  ${writtenFlag(key)}( [A-Z]+)? .*\\[.+\\]$`, "mu"), key)
    for (const flag of ["--config FILE", "-h, --help", "-V, --version"]) assert.include(help, flag)
    for (const code of Object.values(exits)) assert.match(help, new RegExp(`^  ${code} +\\S`, "mu"))
  })

  it("every flag of the brief is there (issue 3)", () => {
    for (const flag of "name role mesh-name mesh-id mesh-key host port state peer no-discovery elector profile config log".split(
      " "
    ))
      assert.include(help, `  --${flag} `)
  })

  it("fits 120 columns", () => {
    assert.deepStrictEqual(
      help.split("\n").filter((line) => line.length > 120),
      []
    )
  })
})

describe("check", () => {
  it.effect("shows each setting with its value and its origin, and each item of a list on a line", () =>
    Effect.gen(function* () {
      const environment = { CLAWMESH_CAPABILITIES: "sensor:soil,sensor:rain" }
      const { exit, out } = yield* enter(["check", "--name", "asha"], { environment })
      assert.strictEqual(exit, 0)
      for (const key of keys) assert.match(out, new RegExp(`^${key} +\\S`, "mu"))
      assert.match(out, /^name +asha +--name$/mu)
      assert.match(out, /^capabilities +sensor:soil +CLAWMESH_CAPABILITIES\n +sensor:rain$/mu)
      assert.match(out, /^port +18789 +default$/mu)
    })
  )

  it.effect("B20 what the preflight warns of is told, and is no failure", () =>
    Effect.gen(function* () {
      const got = yield* enter(["check", "--no-discovery", "--port", "80"])
      assert.strictEqual(got.exit, 0)
      assert.match(got.out, /^warning: .*\(PRIVILEGED_PORT\)$/mu)
      assert.match(got.out, /^warning: .*\(ISOLATED_NODE\)$/mu)
    })
  )
})
