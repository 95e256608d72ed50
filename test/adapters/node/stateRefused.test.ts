/** B11: a node that does not start on its state directory says where, what is wrong, and how to go on, whichever way it is asked. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { program } from "../../../adapters/node/Program.ts"
import * as Node from "../../../adapters/node/Run.ts"
import * as StateDirectory from "../../../adapters/vault/StateDirectory.ts"
import type { StateRefused } from "../../../adapters/vault/StateRefused.ts"
import * as Entry from "../../../kernel/journal/Entry.ts"
import { surroundingsOf } from "../config/Reading.ts"
import { incarnation } from "../../kernel/journal/sample.ts"
import { scratch } from "../vault/Scratch.ts"

/** `clawmesh-node COMMAND --state DIRECTORY`, with the real node behind `run`. */
const enter = (command: string, state: string) =>
  Effect.gen(function* () {
    let err = ""
    const exit = yield* program({
      ...surroundingsOf({}),
      args: [command, "--state", state],
      version: "0",
      out: () => {},
      err: (text) => void (err += text),
      load: async () => Node
    })
    return { exit, err }
  })

const lived = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { vault } = yield* StateDirectory.open(path)
      yield* vault.append(incarnation(1))
    })
  )

/** For each reason: what brings it about, in a directory that has lived; what is to be done about it. */
const reasons: {
  readonly [R in StateRefused["reason"]]: {
    readonly spoil: (path: string) => void
    readonly wayOut: string
    readonly exit: number
    /** `id` reads an identity that is there without opening the journal. */
    readonly commands: ReadonlyArray<string>
  }
} = {
  Busy: { spoil: () => {}, wayOut: "Stop that one first", exit: 1, commands: ["run"] },
  Unusable: {
    spoil: (path) => {
      rmSync(path, { recursive: true })
      writeFileSync(path, "a file")
    },
    wayOut: "name another directory with --state",
    exit: 78,
    commands: ["run"]
  },
  IdentityMissing: {
    spoil: (path) => rmSync(join(path, "identity.json")),
    wayOut: "Put identity.json back from a copy",
    exit: 78,
    commands: ["run", "id"]
  },
  IdentityDamaged: {
    spoil: (path) => writeFileSync(join(path, "identity.json"), "{}"),
    wayOut: "Put identity.json back from a copy",
    exit: 78,
    commands: ["run"]
  },
  JournalDamaged: {
    spoil: (path) => truncateSync(join(path, "journal"), 3),
    wayOut: "To go on without it, move journal.corrupt-1 out of the directory",
    exit: 78,
    commands: ["run"]
  },
  JournalMissing: {
    spoil: (path) => {
      rmSync(join(path, "journal"))
      writeFileSync(join(path, "journal.corrupt-1"), "what was")
    },
    wayOut: "To go on without it, move journal.corrupt-1 out of the directory",
    exit: 78,
    commands: ["run"]
  },
  OtherVersion: {
    spoil: (path) => writeFileSync(join(path, "identity.json"), '{"version":2}'),
    wayOut: "Start the version of clawmesh-node that wrote it, or a newer one",
    exit: 78,
    commands: ["run", "id"]
  }
}

describe("a state directory that is refused", () => {
  for (const [reason, { commands, exit, spoil, wayOut }] of Object.entries(reasons))
    for (const command of commands)
      it.live(`${reason}: ${command} says what is wrong in one line, and the way out in the next`, () =>
        Effect.gen(function* () {
          const path = join(yield* scratch, "state")
          yield* lived(path)
          spoil(path)
          if (reason === "Busy") yield* StateDirectory.open(path)
          const got = yield* enter(command, path)
          assert.strictEqual(got.exit, exit)
          const [first = "", second = "", ...rest] = got.err.split("\n")
          assert.deepStrictEqual(rest, [""], got.err)
          assert.isTrue(first.startsWith(`clawmesh-node: ${path}`), first)
          assert.isFalse(first.endsWith("."), first)
          assert.isTrue(second.startsWith("  "), second)
          assert.include(second, wayOut)
        })
      )

  it.live("a mesh.json that cannot be read is told with a way out as well", () =>
    Effect.gen(function* () {
      const path = join(yield* scratch, "state")
      yield* lived(path)
      mkdirSync(join(path, "mesh.json"))
      const { err, exit } = yield* enter("run", path)
      assert.strictEqual(exit, 78)
      assert.match(
        err,
        /^clawmesh-node: [^\n]+mesh\.json[^\n]+\n {2}Put that right, or name another directory[^\n]+\n$/u
      )
    })
  )
})

/** What may be wrong with each file: what makes it so, and whether the file is kept aside or left where it is. */
const wrongs = {
  corrupt: { bytes: () => Buffer.from("rubbish"), aside: true },
  empty: { bytes: () => Buffer.alloc(0), aside: true },
  "full of zeros": { bytes: () => Buffer.alloc(64), aside: true },
  "of another version": {
    bytes: (file: string) =>
      file === "journal" ? Entry.seal({ version: 2, base: 0, amnesia: false }, 1_000)! : Buffer.from('{"version":2}'),
    aside: false
  },
  /** A folder in its place: unlike a mode, that keeps root out as well. */
  unreadable: { bytes: () => null, aside: false }
} as const

const wayOuts: { readonly [wrong in keyof typeof wrongs]: RegExp } = {
  corrupt: /from a copy|To go on without it/u,
  empty: /from a copy|To go on without it/u,
  "full of zeros": /from a copy|To go on without it/u,
  "of another version": /It was left as it is\. Start the version of clawmesh-node that wrote it, or a newer one\./u,
  unreadable: /Put that right, or name another directory with --state\./u
}

describe("B11: a node that has lived stops, says where and how to go on, and makes nothing anew", () => {
  for (const file of ["identity.json", "journal", "mesh.json"])
    for (const [wrong, { aside, bytes }] of Object.entries(wrongs))
      it.live(`${file} ${wrong}`, () =>
        Effect.gen(function* () {
          const path = join(yield* scratch, "state")
          yield* lived(path)
          const at = join(path, file)
          rmSync(at, { force: true })
          const put = bytes(file)
          if (put === null) mkdirSync(at)
          else writeFileSync(at, put)
          // Whoever starts it again without doing anything gets no further.
          for (const time of ["the first", "the second"]) {
            const { err, exit } = yield* enter("run", path)
            assert.strictEqual(exit, 78, err)
            const [first = "", second = "", ...rest] = err.split("\n")
            assert.deepStrictEqual(rest, [""], `${time} time`)
            assert.include(first, at)
            assert.isTrue(second.startsWith("  "), second)
            assert.match(second, wayOuts[wrong as keyof typeof wrongs])
            const kept = `${at}.corrupt-1`
            assert.strictEqual(existsSync(kept), aside, `${time} time`)
            assert.strictEqual(existsSync(at), !aside, `${time} time`)
            if (put !== null) assert.deepStrictEqual(readFileSync(aside ? kept : at), Buffer.from(put))
            assert.notInclude(readdirSync(path), `${file}.corrupt-2`)
          }
        })
      )
})
