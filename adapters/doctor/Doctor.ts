/**
 * `clawmesh doctor`: looks at this machine, at the state directory and at the mesh, whether or not a node runs, and says of everything
 * that is not well what to do. Only looks, but for a file of its own that it writes and removes; with `fix` it changes modes and has the
 * service start with the machine, which can both be undone, and says each command.
 */
import * as Effect from "effect/Effect"
import { isStopped } from "../cli/Client.ts"
import type { Failure } from "../operator/Failure.ts"
import type { Status } from "../operator/Api.ts"
import * as Local from "./Local.ts"
import type { Machine } from "./Machine.ts"
import { type Category, type Check, type Doctor, unseen } from "./Report.ts"
import * as Surroundings from "./Surroundings.ts"

export interface Question {
  readonly state: string
  readonly configuration: Surroundings.Configuration
  readonly machine: Machine
  /** What the running node says, or why it says nothing. */
  readonly status: Status | Failure
  /** Warnings count, too. */
  readonly strict: boolean
  readonly fix: boolean
}

export const examine = (question: Question): Effect.Effect<Doctor> =>
  Effect.gen(function* () {
    const { configuration, fix, machine, state, strict } = question
    const status = question.status.$type === "clawmesh.status/1" ? question.status : null
    const failed = question.status.$type === "clawmesh.error/1" ? question.status : null
    const why =
      failed === null || isStopped(failed)
        ? null
        : { text: failed.message.replaceAll("\n", ": "), hint: failed.hint ?? "clawmesh status" }
    const directory = yield* Local.stateDirectory(state, fix)
    const inside = <A>(look: Effect.Effect<A>, otherwise: A): Effect.Effect<A> =>
      directory.there ? look : Effect.succeed(otherwise)
    const unit = yield* Surroundings.unit(machine, fix)
    const checks: { readonly [C in Category]: ReadonlyArray<Check> } = {
      machine: [
        Local.program(machine),
        yield* Local.clock(machine, status),
        ...directory.checks,
        ...(directory.there ? [yield* Local.diskWrites(state), yield* Local.diskSpace(state)] : [])
      ],
      identity: [
        ...(yield* inside(Local.identity(state), [])),
        yield* inside(Local.journal(state, machine, status), unseen("journal", "there is no journal yet"))
      ],
      network: [
        Surroundings.addresses(machine),
        yield* Surroundings.port(machine, configuration, status),
        Surroundings.discovery(configuration, status)
      ],
      mesh: [
        ...Surroundings.daemon(status, why),
        Surroundings.trust(status),
        Surroundings.electors(configuration, status),
        ...(yield* Surroundings.peers(configuration, status)),
        Surroundings.links(status)
      ],
      service: [...Surroundings.configuration(configuration), unit.check]
    }
    const all = Object.values(checks).flat()
    return {
      $type: "clawmesh.doctor/1",
      at: new Date(machine.wallMs()).toISOString(),
      state,
      running: status !== null,
      success: all.every(({ result }) => result !== "error" && (!strict || result !== "warning")),
      categories: (Object.keys(checks) as ReadonlyArray<Category>).map((name) => ({ name, checks: checks[name] })),
      fixed: [...directory.fixed, ...(unit.fixed === null ? [] : [unit.fixed])]
    }
  })
