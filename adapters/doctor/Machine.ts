/** What `clawmesh doctor` looks at of the machine, apart from files: so that a test can be another one. */
import { createServer } from "node:net"
import { networkInterfaces } from "node:os"
import * as Effect from "effect/Effect"
import { run } from "../hardware/Program.ts"

/** A program of the system answers at once, or counts as not there. */
const PROGRAM_MS_MAX = 3_000

export interface Machine {
  /** `24.21.0` */
  readonly nodeVersion: string
  /** `2.36`; `null`: another C library, or none that says so. */
  readonly glibc: string | null
  /** The calendar, ms since 1970. */
  readonly wallMs: () => number
  /** What a program of the system prints; `null`: it is not there, or has failed. */
  readonly output: (...command: ReadonlyArray<string>) => Effect.Effect<string | null>
  /** Of interfaces that lead beyond this machine. */
  readonly addresses: () => ReadonlyArray<{ readonly name: string; readonly address: string }>
  /** Listens there for a moment; the code of why not, `null`: it works. */
  readonly listen: (host: string, port: number) => Effect.Effect<string | null>
  /** Runs with the rights of root. */
  readonly isRoot: boolean
}

const glibc = (): string | null => {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report
  // Else it asks for the name of every address that it has.
  report.excludeNetwork = true
  const { header } = report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime ?? null
}

const listen = (host: string, port: number): Effect.Effect<string | null> =>
  Effect.callback<string | null>((resume) => {
    const server = createServer()
    server.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? error.message)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.succeed(null))))
    return Effect.sync(() => void server.close())
  })

export const machine = (isRoot: boolean, wallMs: () => number): Machine => ({
  nodeVersion: process.versions.node,
  glibc: glibc(),
  wallMs,
  isRoot,
  listen,
  output: (...command) =>
    Effect.map(run({ command, environment: { LC_ALL: "C" }, msMax: PROGRAM_MS_MAX, reads: true }), (outcome) =>
      "why" in outcome ? null : outcome.out
    ),
  addresses: () =>
    Object.entries(networkInterfaces()).flatMap(([name, found]) =>
      (found ?? []).flatMap(({ address, internal, scopeid = 0 }) =>
        internal || scopeid !== 0 ? [] : [{ name, address }]
      )
    )
})
