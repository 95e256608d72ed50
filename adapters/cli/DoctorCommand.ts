/** `clawmesh doctor`: finds what is to be looked at, and shows what `adapters/doctor/` says of it. */
import { hostname } from "node:os"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readBytes } from "../config/Bytes.ts"
import { readFlags } from "../config/Flags.ts"
import { findFile, needsYaml, readSettings, type Surroundings } from "../config/read.ts"
import type * as Look from "../doctor/Surroundings.ts"
import * as Api from "../operator/Api.ts"
import type { Failure } from "../operator/Failure.ts"
import { socketIn } from "../operator/Place.ts"
import type { Order } from "./Arguments.ts"
import { ask } from "./Client.ts"
import { doctorScreen } from "./DoctorScreen.ts"
import { type Errand, told } from "./Errand.ts"
import { type Exit, exits } from "./Exit.ts"

type DoctorOrder = Extract<Order, { readonly _tag: "doctor" }>

/** As `clawmesh-node check` would read it here. */
const configurationOf = ({ manner, user }: Errand, { config }: DoctorOrder): Effect.Effect<Look.Configuration> =>
  Effect.gen(function* () {
    const words = [
      ...(config === null ? [] : [`--config=${config}`]),
      ...(manner.state === null ? [] : [`--state=${manner.state}`])
    ]
    const line = readFlags(words)
    const { cwd, env, home, isRoot } = user
    const around: Surroundings = { environment: env, cwd, home, hostName: hostname(), root: isRoot, read: readBytes }
    const file = findFile(line, around)
    const yaml = needsYaml(line, around, file)
      ? (yield* Effect.promise(() => import("../config/Yaml.ts"))).readYaml
      : null
    return readSettings(line, around, file, yaml)
  })

export const doctor = (errand: Errand, order: DoctorOrder): Effect.Effect<Exit, Failure> =>
  Effect.gen(function* () {
    const { look, nowMs, socket, user } = errand
    const configuration = yield* configurationOf(errand, order)
    const state = "settings" in configuration ? configuration.settings.stateDirectory : dirname(socket)
    const asked = yield* Effect.result(ask(socketIn(state), { method: "GET", target: "/status" }, Api.Status))
    const status = Result.isSuccess(asked) ? asked.success : asked.failure
    const { examine } = yield* Effect.promise(() => import("../doctor/Doctor.ts"))
    const { machine } = yield* Effect.promise(() => import("../doctor/Machine.ts"))
    const { fix, strict } = order
    const report = yield* examine({ state, configuration, status, fix, strict, machine: machine(user.isRoot, nowMs) })
    told(errand, report, (document) => doctorScreen(document, look))
    return report.success ? exits.done : exits.no
  })
