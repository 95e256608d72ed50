/**
 * A process that uses a state directory, to be killed. `child.ts DIRECTORY hold`: opens it, says `held <deviceId>`, and stays.
 * `child.ts DIRECTORY append N`: stores the votes of terms 1 to N after those that are there, and says each once it is stored.
 * Says `refused <reason>` or `failed <message>`.
 */
import * as Effect from "effect/Effect"
import * as StateDirectory from "../../../adapters/vault/StateDirectory.ts"

const [path, mode, count] = process.argv.slice(2)
const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

const main = Effect.gen(function* () {
  const { identity, vault } = yield* StateDirectory.open(path!, { compactAfterBytes: 2_000 })
  yield* say(`held ${identity.keys.deviceId}`)
  if (mode === "hold") return yield* Effect.never
  const { term } = yield* vault.load
  for (let i = 1; i <= Number(count); i++) {
    const counter = term.counter + i
    yield* vault.append({ _tag: "Vote", term: { manifest: 0, counter }, votedFor: identity.keys.deviceId })
    yield* say(String(counter))
  }
}).pipe(
  Effect.catchTags({
    StateRefused: (error) => say(`refused ${error.reason}`),
    StoreFailed: (error) => say(`failed ${error.message}`)
  }),
  Effect.scoped
)

// Effect.never alone does not keep a process alive.
const alive = setInterval(() => {}, 1_000)
Effect.runFork(main).addObserver(() => clearInterval(alive))
