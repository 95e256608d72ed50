/** B40: what is kept of the world on a real disk: whole or not at all, and never a reason not to start. */
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Files } from "../../../adapters/vault/Files.ts"
import { WORLD, worldFile } from "../../../adapters/vault/WorldFile.ts"
import { hold } from "../../../kernel/world/Holding.ts"
import type { WorldSnapshot } from "../../../kernel/world/Snapshot.ts"
import { make, snapshotOf } from "../../../kernel/world/World.ts"
import { configOf } from "../../kernel/drive.ts"
import { signed } from "../../kernel/world/frames.ts"
import { scratch } from "./Scratch.ts"

const config = configOf({ roles: { a: "field", b: "sensor" }, electors: "a" }, "a")
const snapshot = (count: number): WorldSnapshot => {
  let world = make()
  for (let seq = 1; seq <= count; seq++)
    world = hold(world, signed({ by: "b", seq, metric: `m${seq}` }, { sourceDeviceId: "b".repeat(64) }), 400, config, 0)
  return snapshotOf(world, 7)
}

const withFile = <A>(
  directory: string,
  use: (file: ReturnType<typeof worldFile>) => Effect.Effect<A>
): Effect.Effect<A> => Effect.scoped(Effect.flatMap(Files.open(directory), (files) => use(worldFile(files))))

describe("world.json", () => {
  it.live("nothing is there at first; what was kept last is read back", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      assert.isNull(yield* withFile(directory, (file) => file.loadWorld))
      for (const count of [3, 1]) yield* withFile(directory, (file) => file.saveWorld(snapshot(count)))
      assert.deepStrictEqual(yield* withFile(directory, (file) => file.loadWorld), snapshot(1))
      assert.strictEqual(statSync(join(directory, WORLD)).mode & 0o777, 0o600)
    })
  )

  it.live("one that does not read is kept aside, and the node starts without", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* withFile(directory, (file) => file.saveWorld(snapshot(2)))
      const good = readFileSync(join(directory, WORLD), "utf8")
      const bad = [
        good.replace("m1", "m9"),
        good.slice(0, 100),
        "",
        "null",
        '{"crc32c":0,"world":"{}"}',
        "\u0000".repeat(50)
      ]
      for (const [i, text] of bad.entries()) {
        writeFileSync(join(directory, WORLD), text)
        assert.isNull(yield* withFile(directory, (file) => file.loadWorld), text.slice(0, 20))
        assert.isFalse(existsSync(join(directory, WORLD)))
        assert.strictEqual(readFileSync(join(directory, `${WORLD}.corrupt-${i + 1}`), "utf8"), text)
      }
      assert.isNull(yield* withFile(directory, (file) => file.loadWorld))
    })
  )

  it.live("a disk that refuses it ends nothing, and the old one stays", () =>
    Effect.gen(function* () {
      const directory = yield* scratch
      yield* withFile(directory, (file) => file.saveWorld(snapshot(2)))
      // A directory in the place of the draft: also root cannot write that.
      mkdirSync(join(directory, `${WORLD}.new`))
      yield* withFile(directory, (file) => file.saveWorld(snapshot(1)))
      assert.deepStrictEqual(yield* withFile(directory, (file) => file.loadWorld), snapshot(2))
      rmSync(join(directory, `${WORLD}.new`), { recursive: true })
      chmodSync(directory, 0o700)
      assert.include(readdirSync(directory), WORLD)
    })
  )
})
