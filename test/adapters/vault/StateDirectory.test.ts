import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Keys from "../../../adapters/keys/Keys.ts"
import * as Identity from "../../../adapters/vault/Identity.ts"
import * as Lock from "../../../adapters/vault/Lock.ts"
import * as StateDirectory from "../../../adapters/vault/StateDirectory.ts"
import * as VaultOn from "../../../adapters/vault/Vault.ts"
import { Files } from "../../../adapters/vault/Files.ts"
import { incarnation, pin, trust } from "../../kernel/journal/sample.ts"
import { run, runLimited, scratch } from "./Scratch.ts"

const open = StateDirectory.open
/** Opens, looks, closes. */
const visit = (path: string) => Effect.scoped(open(path))
const refusal = (path: string) => Effect.scoped(Effect.flip(open(path)))
const stored = (path: string, counter: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { vault } = yield* open(path)
      yield* vault.append(incarnation(counter))
      yield* vault.append(trust("a"))
      yield* vault.append(pin("a"))
    })
  )
/** The uid that owns nothing. */
const NOBODY = 65_534
const modeOf = (path: string): number => statSync(path).mode & 0o777

describe("StateDirectory", () => {
  it.live("B11: the first start makes a directory and an identity for its owner only; the next one finds them", () =>
    Effect.gen(function* () {
      const path = join(yield* scratch, "deep", "state")
      const first = yield* visit(path)
      assert.deepStrictEqual([first.created, first.amnesia, first.notes], [true, false, []])
      assert.match(first.identity.keys.deviceId, /^[0-9a-f]{64}$/u)
      assert.strictEqual(modeOf(path), 0o700)
      for (const name of readdirSync(path)) assert.strictEqual(modeOf(join(path, name)), 0o600, name)
      const second = yield* visit(path)
      assert.deepStrictEqual([second.created, second.amnesia, second.notes], [false, false, []])
      assert.strictEqual(second.identity.keys.deviceId, first.identity.keys.deviceId)
      assert.deepStrictEqual(Redacted.value(second.identity.seed), Redacted.value(first.identity.seed))
      assert.notStrictEqual(second.bootId, first.bootId)
      assert.notInclude(
        JSON.stringify(second.identity),
        Buffer.from(Redacted.value(second.identity.seed)).toString("base64url")
      )
    })
  )

  it.live("a first start that was cut short at any of its steps is a first start again", () =>
    Effect.gen(function* () {
      const complete = yield* scratch
      yield* visit(complete)
      // In the order in which they appear; a draft may be cut short as well.
      const steps = ["lock", "holder", "journal.new", "journal", "identity.json.new"]
      for (let done = 0; done <= steps.length; done++) {
        const path = yield* scratch
        for (const step of steps.slice(0, done)) {
          const bytes = readFileSync(join(complete, step.replace(".new", "")))
          writeFileSync(join(path, step), step.endsWith(".new") ? bytes.subarray(0, 20) : bytes)
        }
        const again = yield* visit(path)
        assert.deepStrictEqual([again.created, again.amnesia, again.notes], [true, false, []], steps[done - 1])
        assert.strictEqual((yield* visit(path)).identity.keys.deviceId, again.identity.keys.deviceId)
      }
    })
  )

  it.live("B11: a journal without its identity is refused: never a new identity in silence", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      yield* stored(path, 1)
      unlinkSync(join(path, "identity.json"))
      const before = readFileSync(join(path, "journal"))
      for (let i = 0; i < 2; i++) {
        const refused = yield* refusal(path)
        assert.strictEqual(refused.reason, "IdentityMissing")
        assert.include(refused.message, join(path, "identity.json"))
        assert.include(refused.message, "from a copy")
      }
      assert.isFalse(existsSync(join(path, "identity.json")))
      assert.deepStrictEqual(readFileSync(join(path, "journal")), before)
    })
  )

  it.live("B11: a damaged journal without an identity is not touched", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      writeFileSync(join(path, "journal"), "rubbish")
      assert.strictEqual((yield* refusal(path)).reason, "IdentityMissing")
      assert.strictEqual(readFileSync(join(path, "journal"), "utf8"), "rubbish")
    })
  )

  it.live("B11: an identity with one bit changed is kept aside, and the node stops; so does the next start", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      const { identity } = yield* visit(path)
      const good = readFileSync(join(path, "identity.json"))
      const bad = Buffer.from(good)
      bad[bad.indexOf('"seed"') + 12]! ^= 1
      writeFileSync(join(path, "identity.json"), bad)
      const refused = yield* refusal(path)
      assert.strictEqual(refused.reason, "IdentityDamaged")
      assert.include(refused.message, "identity.json.corrupt-1")
      assert.deepStrictEqual(readFileSync(join(path, "identity.json.corrupt-1")), bad)
      const again = yield* refusal(path)
      assert.strictEqual(again.reason, "IdentityMissing")
      assert.include(again.message, "identity.json.corrupt-1")
      writeFileSync(join(path, "identity.json"), good)
      assert.strictEqual((yield* visit(path)).identity.keys.deviceId, identity.keys.deviceId)
    })
  )

  it("B11: no bit of an identity can change without the id changing, or the file being refused", () => {
    const { keys, seed } = Keys.generate()
    const good = Identity.encode({ keys, seed: Redacted.make(seed) })
    for (let at = 0; at < good.length; at++) {
      const bad = Uint8Array.from(good)
      bad[at]! ^= 1 << (at % 7)
      const decoded = Identity.decode(bad)
      // A space or a line break more or less changes nothing.
      if (decoded._tag === "Identity") assert.deepStrictEqual(Redacted.value(decoded.identity.seed), seed)
      else if (decoded._tag === "Damaged") assert.notInclude(decoded.why, Buffer.from(seed).toString("base64url"))
    }
    assert.strictEqual(Identity.decode(Buffer.from('{"version":2}'))._tag, "OtherVersion")
    assert.strictEqual(Identity.decode(new Uint8Array(0))._tag, "Damaged")
  })

  it.live("an identity of another version is left where it is", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      writeFileSync(join(path, "identity.json"), '{"version":2}')
      assert.strictEqual((yield* refusal(path)).reason, "OtherVersion")
      assert.strictEqual(readFileSync(join(path, "identity.json"), "utf8"), '{"version":2}')
    })
  )

  it.live("S9: an identity without a journal is amnesia, through restarts, until an incarnation is stored", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      yield* stored(path, 4)
      unlinkSync(join(path, "journal"))
      for (let i = 0; i < 2; i++) {
        const found = yield* visit(path)
        assert.deepStrictEqual([found.created, found.amnesia], [false, true])
      }
      yield* stored(path, 9)
      assert.isFalse((yield* visit(path)).amnesia)
    })
  )

  it.live("B11: a damaged journal stops every start until its remains are moved away; then it is amnesia", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      yield* stored(path, 4)
      const bytes = readFileSync(join(path, "journal"))
      bytes[90]! ^= 4
      writeFileSync(join(path, "journal"), bytes)
      assert.strictEqual((yield* refusal(path)).reason, "JournalDamaged")
      const again = yield* refusal(path)
      assert.strictEqual(again.reason, "JournalMissing")
      assert.include(again.message, "journal.corrupt-1")
      rmSync(join(path, "journal.corrupt-1"))
      assert.isTrue((yield* visit(path)).amnesia)
    })
  )

  it.live("others are kept out, and it is said that they could get in", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      yield* visit(path)
      chmodSync(path, 0o755)
      chmodSync(join(path, "identity.json"), 0o644)
      const { notes } = yield* visit(path)
      assert.lengthOf(notes, 2)
      assert.match(notes.join("\n"), /0700\n.*identity\.json, the secret of this device: .*0600/u)
      assert.deepStrictEqual([modeOf(path), modeOf(join(path, "identity.json"))], [0o700, 0o600])
    })
  )

  it.live("a path that cannot be a directory is refused in words", () =>
    Effect.gen(function* () {
      const path = join(yield* scratch, "file")
      writeFileSync(path, "")
      for (const bad of [path, join(path, "below")]) {
        const refused = yield* refusal(bad)
        assert.strictEqual(refused.reason, "Unusable")
        assert.match(refused.message, /directory/u)
        assert.include(refused.message, "--state")
      }
      const lock = join(yield* scratch)
      mkdirSync(join(lock, "lock"))
      assert.strictEqual((yield* refusal(lock)).reason, "Unusable")
    })
  )
})

describe("two daemons on one directory", { timeout: 60_000 }, () => {
  it.live("B11: the second is refused and told by whom, and harms nothing", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      const holder = yield* run(path, "hold")
      const held = yield* holder.line()
      assert.match(held, /^held [0-9a-f]{64}$/u)
      const refused = yield* refusal(path)
      assert.strictEqual(refused.reason, "Busy")
      assert.include(refused.message, `process ${holder.process.pid}`)
      const other = yield* run(path, "append", "1")
      assert.strictEqual(yield* other.line(), "refused Busy")
      // Stopped is not dead.
      yield* holder.signal("SIGSTOP")
      assert.strictEqual((yield* refusal(path)).reason, "Busy")
    })
  )

  it.live("B11: one process may not open it twice, and having tried does not let others in", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* open(path)
          assert.strictEqual((yield* refusal(path)).reason, "Busy")
          const other = yield* run(path, "hold")
          assert.strictEqual(yield* other.line(), "refused Busy")
        })
      )
      yield* visit(path)
    })
  )

  it.live("a lock that kill -9 left behind holds nobody up", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      const holder = yield* run(path, "hold")
      const held = yield* holder.line()
      yield* holder.signal("SIGKILL")
      yield* holder.ended
      assert.strictEqual(`held ${(yield* visit(path)).identity.keys.deviceId}`, held)
    })
  )

  it.live("of several that start at once on a lock that was left behind, exactly one gets it", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      const dead = yield* run(path, "hold")
      yield* dead.line()
      yield* dead.signal("SIGKILL")
      yield* dead.ended
      const rivals = yield* Effect.all([run(path, "hold"), run(path, "hold"), run(path, "hold"), run(path, "hold")])
      const said = yield* Effect.forEach(rivals, (rival) => rival.line(), { concurrency: "unbounded" })
      assert.strictEqual(said.filter((line) => line.startsWith("held ")).length, 1)
      assert.strictEqual(said.filter((line) => line === "refused Busy").length, 3)
    })
  )
})

describe("Lock", () => {
  it.live("B11: a lock file that may only be read is refused, not held by everybody", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      const lock = join(path, "lock")
      writeFileSync(lock, "", { mode: 0o400 })
      // To root nothing is write-protected.
      const root = process.geteuid!() === 0
      if (root) for (const name of [path, lock]) chownSync(name, NOBODY, NOBODY)
      if (root) process.seteuid!(NOBODY)
      const refused = yield* Effect.scoped(Effect.flip(Lock.acquire(path))).pipe(
        Effect.ensuring(Effect.sync(() => root && process.seteuid!(0)))
      )
      assert.strictEqual(refused._tag, "StateRefused")
      assert.include(refused.message, "readonly")
      chmodSync(lock, 0o600)
      yield* Effect.scoped(Lock.acquire(path))
    })
  )
})

describe("accidents", { timeout: 60_000 }, () => {
  it.live("S9: kill -9 in the middle of storing loses nothing that was acknowledged, time after time", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      let counter = 0
      for (let round = 0; round < 3; round++) {
        const writer = yield* run(path, "append", "100000")
        yield* writer.line(40 + 13 * round)
        yield* writer.signal("SIGKILL")
        yield* writer.ended
        const acknowledged = Number(writer.lines.at(-1))
        assert.isAbove(acknowledged, counter)
        const { amnesia, vault } = yield* visit(path)
        assert.isFalse(amnesia)
        const { term } = yield* vault.load
        assert.isAtLeast(term.counter, acknowledged)
        assert.isAtMost(term.counter, acknowledged + 1)
        counter = term.counter
      }
      assert.isTrue(existsSync(join(path, "snapshot-b")), "it compacted on the way")
    })
  )

  it.live("S9: a write that fails in its middle ends the storing; what was acknowledged before is there", () =>
    Effect.gen(function* () {
      const path = yield* scratch
      yield* visit(path)
      // The journal may not become longer than 1,024 bytes; it is shortened at 2,000.
      const writer = yield* runLimited(1, path, "append", "100")
      yield* writer.ended
      assert.match(writer.lines.at(-1)!, /^failed cannot store the vote of term \d+ in .*journal/u)
      const acknowledged = Number(writer.lines.at(-2))
      assert.isAbove(acknowledged, 2)
      const { notes, vault } = yield* visit(path)
      assert.strictEqual((yield* vault.load).term.counter, acknowledged)
      assert.match(notes.join(), /cut short/u)
    })
  )

  it.live("what is in the directory can be copied while nobody runs, and is the same device elsewhere", () =>
    Effect.gen(function* () {
      const from = yield* scratch
      yield* stored(from, 3)
      const to = yield* scratch
      for (const name of readdirSync(from)) writeFileSync(join(to, name), readFileSync(join(from, name)))
      const durable = yield* (yield* visit(to)).vault.load
      assert.strictEqual(durable.incarnation, 3)
      assert.lengthOf(durable.pins, 1)
      assert.strictEqual((yield* visit(to)).identity.keys.deviceId, (yield* visit(from)).identity.keys.deviceId)
    })
  )
})

describe("Files", () => {
  it.live("numbers what is kept aside, beyond nine as well", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      const files = yield* Files.open(directory)
      for (let i = 1; i <= 11; i++) {
        writeFileSync(join(directory, "journal"), String(i))
        assert.strictEqual(yield* files.keepAside("journal"), `journal.corrupt-${i}`)
      }
      assert.deepStrictEqual((yield* files.keptAside("journal")).at(-1), "journal.corrupt-11")
      assert.isNull((yield* VaultOn.imageOf(files)).journal)
      const refused = yield* Effect.flip(VaultOn.open(files, { birth: "lost" }))
      assert.strictEqual(refused._tag, "StateRefused")
    })
  )
})
