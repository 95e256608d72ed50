/** `clawmesh-node relay`: a relay, or a grant for one. Words in, an exit code out, as Program.ts of the node does. */
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { isDeviceId } from "../../kernel/identity/MeshId.ts"
import { printable } from "../config/Printable.ts"
import { StartFailure } from "../config/StartFailure.ts"
import { deviceIdOf } from "../keys/Keys.ts"
import * as KeptCertificate from "../tls/Kept.ts"
import { operatorKeyIn } from "../node/Mesh.ts"
import { stateFailure } from "../node/StateFailure.ts"
import { Files } from "../vault/Files.ts"
import * as StateDirectory from "../vault/StateDirectory.ts"
import { unusable } from "../vault/Vault.ts"
import { grant } from "./Protocol.ts"
import { Relay } from "./Relay.ts"

interface Host {
  /** Behind `relay`. */
  readonly args: ReadonlyArray<string>
  /** Absolute. */
  readonly cwd: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** Beside that of a node. */
const PORT = 18_790
const DAYS = 365
const DAY_MS = 86_400_000
const TOKENS_MAX = 256

export const help = `clawmesh-node relay: a relay, through which nodes meet that cannot reach each other

usage: clawmesh-node relay --state DIRECTORY [FLAG …]
       clawmesh-node relay grant --state DIRECTORY --relay ID --device ID [--days N]

of a relay [default]
  --state DIRECTORY             where its identity is kept; made at the first start
  --host ADDRESS                listen on this address [0.0.0.0]
  --port PORT                   listen on this port; 0 takes any that is free [${PORT}]
  --relay-mesh KEY              let in what this mesh signed a grant for; may be repeated
  --relay-tokens FILE           let in who has one of these tokens, one a line

of a grant [default]
  --state DIRECTORY             of the node that made the key of the mesh
  --relay ID                    the relay
  --device ID                   the device that is let in
  --days N                      for how long [${DAYS}]

exit codes are those of clawmesh-node
`

const options = {
  help: { type: "boolean", short: "h" },
  state: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
  "relay-mesh": { type: "string", multiple: true },
  "relay-tokens": { type: "string" },
  relay: { type: "string" },
  device: { type: "string" },
  days: { type: "string" }
} as const

const failure = (message: string, hint: string, exit: 1 | 78 = 78): StartFailure =>
  new StartFailure({ message, hint, exit })

const numberOf = (text: string, max: number): number | null =>
  /^\d{1,6}$/u.test(text) && Number(text) <= max ? Number(text) : null

const read = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    return (error as Error).message
  }
}

/** Never fails: what goes wrong becomes an exit code. */
export const program = ({ args, cwd, err, out }: Host): Effect.Effect<0 | 1 | 2 | 78> =>
  Effect.suspend(() => {
    const words = read(args)
    const misused = (why: string): Effect.Effect<2> =>
      Effect.sync(() => {
        err(`clawmesh-node relay: ${printable(why)}\nAll flags: clawmesh-node relay --help\n`)
        return 2
      })
    if (typeof words === "string") return misused(words)
    const { positionals, values } = words
    if (values.help === true)
      return Effect.sync(() => {
        out(help)
        return 0
      })
    const [command, ...more] = positionals
    if (more.length > 0 || (command !== undefined && command !== "grant"))
      return misused(`one word too many: ${positionals.at(-1)}`)
    if (values.state === undefined || values.state === "") return misused("--state DIRECTORY is missing")
    const state = resolve(cwd, values.state)
    let work: Effect.Effect<void, StartFailure>
    if (command === "grant") {
      const { days = String(DAYS), device = "", relay = "" } = values
      const span = numberOf(days, 36_500)
      for (const [flag, id] of [
        ["--relay", relay],
        ["--device", device]
      ] as const)
        if (!isDeviceId(id)) return misused(`${flag} is a device id, 64 hexadecimal digits in small letters`)
      if (span === null) return misused("--days is a whole number from 0 to 36500")
      work = Effect.map(granted(state, relay, device, span), (text) => out(`${text}\n`))
    } else {
      const port = numberOf(values.port ?? String(PORT), 65_535)
      if (port === null) return misused("--port is a whole number from 0 (any that is free) to 65535")
      const meshKeys = values["relay-mesh"] ?? []
      const wrong = meshKeys.find((key) => deviceIdOf(key) === null)
      if (wrong !== undefined) return misused(`--relay-mesh ${wrong}: that is no public key of a mesh`)
      const tokens = values["relay-tokens"]
      if (tokens === undefined && meshKeys.length === 0)
        return misused("nobody could come in: give --relay-mesh KEY or --relay-tokens FILE")
      work = served(state, values.host ?? "0.0.0.0", port, meshKeys, tokens && resolve(cwd, tokens), out)
    }
    return Effect.match(work, {
      onSuccess: () => 0 as const,
      onFailure: ({ exit, hint, message }) => {
        err(`clawmesh-node relay: ${message}\n${hint === "" ? "" : `  ${hint}\n`}`)
        return exit
      }
    })
  })

const granted = (state: string, relay: string, device: string, days: number): Effect.Effect<string, StartFailure> =>
  Effect.scoped(Effect.flatMap(Files.open(state), operatorKeyIn)).pipe(
    Effect.catchTag("DiskFailed", (error) => Effect.fail(stateFailure(unusable(error)))),
    Effect.flatMap((key) =>
      key === null
        ? Effect.fail(
            failure(
              `${state} holds no secret key of a mesh`,
              "Grants are signed where the mesh was made: on the node that was started first, without --mesh-key."
            )
          )
        : Effect.succeed(grant(key, relay, device, Date.now() + days * DAY_MS))
    )
  )

const tokensIn = (path: string | undefined): Effect.Effect<ReadonlyArray<string>, StartFailure> =>
  path === undefined
    ? Effect.succeed([])
    : Effect.tryPromise({
        try: () => readFile(path, "utf8"),
        catch: (error) => failure(`${path} cannot be read: ${(error as Error).message}`, "See --relay-tokens.")
      }).pipe(
        Effect.map((text) => text.split("\n").map((line) => line.trim())),
        Effect.map((lines) => lines.filter((line) => line !== "" && !line.startsWith("#"))),
        Effect.filterOrFail(
          (tokens) => tokens.length > 0 && tokens.length <= TOKENS_MAX && tokens.every((token) => token.length >= 16),
          () => failure(`${path} does not read`, `It is to hold 1 to ${TOKENS_MAX} tokens, 16 characters or more each.`)
        )
      )

const served = (
  state: string,
  host: string,
  port: number,
  meshKeys: ReadonlyArray<string>,
  tokensFile: string | undefined,
  out: (text: string) => void
): Effect.Effect<void, StartFailure> =>
  Effect.scoped(
    Effect.gen(function* () {
      const tokens = yield* tokensIn(tokensFile)
      const { identity, path } = yield* Effect.mapError(StateDirectory.open(state), stateFailure)
      const credentials = yield* KeptCertificate.open(path, Redacted.value(identity.seed))
      const relayId = identity.keys.deviceId
      const note = (text: string): void => out(`${new Date().toISOString()} ${text}\n`)
      const relay = new Relay({ host, port, relayId, credentials, meshKeys, tokens, note })
      const taken = yield* Effect.tryPromise({
        try: () => relay.listen(),
        catch: (error) =>
          failure(
            `cannot listen on port ${port} of ${host} (${(error as NodeJS.ErrnoException).code})`,
            "Choose others with --host and --port.",
            1
          )
      })
      yield* Effect.addFinalizer(() => Effect.promise(() => relay.close()))
      note(`listens on ${host}:${taken}; nodes write --relay ${relayId}=wss://<where they reach it>:${taken}`)
      return yield* Effect.never
    })
  )
