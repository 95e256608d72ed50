/**
 * `clawmesh-node` as a process whose node is replaced: what it does is the first argument, the rest is the command line. For
 * tests of what only a process shows: signals, exit codes, streams.
 */
import * as Effect from "effect/Effect"
import { StartFailure } from "../../../adapters/config/StartFailure.ts"
import { launch } from "../../../adapters/node/Launch.ts"
import { program } from "../../../adapters/node/Program.ts"

const out = (text: string): void => void process.stdout.write(text)

const untilStopped = (leave: Effect.Effect<void>) =>
  Effect.onInterrupt(
    Effect.suspend(() => {
      out("running\n")
      return Effect.never
    }),
    () => leave
  )

const nodes: { readonly [name: string]: () => Effect.Effect<void, StartFailure> } = {
  obeys: () =>
    untilStopped(
      Effect.andThen(
        Effect.sleep(50),
        Effect.sync(() => out("left\n"))
      )
    ),
  clings: () => untilStopped(Effect.never),
  "port taken": () => Effect.fail(new StartFailure({ message: "port 1 is taken", hint: "choose another", exit: 1 })),
  misled: () => Effect.fail(new StartFailure({ message: "no way", hint: "", exit: 78 })),
  breaks: () => Effect.sync(() => (undefined as unknown as { readonly port: number }).port),
  "breaks beside": () => {
    setTimeout(() => {
      throw new TypeError("a socket\nwas gone")
    })
    return untilStopped(Effect.void)
  },
  "forgets a promise": () => {
    void Promise.reject(new Error("nobody waits"))
    return untilStopped(Effect.void)
  },
  "breaks while it leaves": () => untilStopped(Effect.die(new RangeError("while leaving")))
}

const [name, ...args] = process.argv.slice(2)
const run = nodes[name ?? ""]!
launch(
  "clawmesh-node",
  program({
    args,
    environment: {},
    cwd: "/",
    home: "/",
    hostName: "x",
    root: false,
    version: "0",
    read: () => ({ failed: "ENOENT" }),
    out,
    err: (text) => void process.stderr.write(text),
    load: async () => ({ run })
  }),
  600
)
