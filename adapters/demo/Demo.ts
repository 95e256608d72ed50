/**
 * `pnpm demo`: a small farm on loopback, of real nodes in a folder of its own. It says how to look at it, plays the weather, tells
 * what waits for a person, and takes everything away again when it is interrupted.
 *
 * Does not show: discovery, which would leave the machine. Nobody is to rely on it: whoever uses this account is its operator.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ask } from "../cli/Client.ts"
import { shellWord } from "../cli/Text.ts"
import { StartFailure } from "../config/StartFailure.ts"
import * as Api from "../operator/Api.ts"
import { socketIn } from "../operator/Place.ts"
import { MESH } from "../config/Standing.ts"
import { stateFailure } from "../node/StateFailure.ts"
import * as StateDirectory from "../vault/StateDirectory.ts"
import {
  after,
  atFirst,
  electors,
  FARM_FILE,
  farmYaml,
  LEVEL,
  MOISTURE,
  nodes,
  nodeYaml,
  PUMP,
  type World
} from "./Farm.ts"
import { endDeadMen, type Running, start } from "./Processes.ts"

const LOOK_MS = 100
const SECOND_MS = 1_000
/** For one node to run, and for all of them to have a leader and each other; on a slow machine. */
const START_MS_MAX = 60_000

export interface Options {
  /** Made, and removed at the end; `null`: one of its own among the temporary files. */
  readonly folder: string | null
  readonly out: (text: string) => void
}

const failed = (message: string, hint = ""): StartFailure => new StartFailure({ message, hint, exit: 1 })

const folderOf = (wanted: string | null) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        if (wanted === null) return realpathSync(mkdtempSync(join(tmpdir(), "clawmesh-demo-")))
        mkdirSync(wanted, { mode: 0o700 })
        return realpathSync(wanted)
      },
      catch: (error) =>
        failed(
          `there is no room for the demo: ${error instanceof Error ? error.message : String(error)}`,
          "Name a folder that does not exist yet, where you may make one: pnpm demo --in FOLDER"
        )
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/** In its place as a whole: a sensor may read at any moment. */
const put = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

const show = (folder: string, { level, moisture }: World): void => {
  put(join(folder, MOISTURE), `${moisture}\n`)
  put(join(folder, LEVEL), `${level}\n`)
}

const pumpOf = (folder: string): string => {
  try {
    return readFileSync(join(folder, PUMP), "utf8").trim()
  } catch {
    return ""
  }
}

const statusAt = (folder: string, name: string) =>
  ask(socketIn(join(folder, name)), { method: "GET", target: "/status" }, Api.Status)

const MeshFile = Schema.fromJsonString(Schema.Struct({ meshKey: Schema.String }))

/** Asks until it is so; fails where the node ends, or the time is over. */
const until = <A>(what: string, running: Running, look: Effect.Effect<A | null>): Effect.Effect<A, StartFailure> =>
  Effect.gen(function* () {
    for (;;) {
      const found = yield* look
      if (found !== null) return found
      yield* running.alive
      yield* Effect.sleep(LOOK_MS)
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: START_MS_MAX,
      orElse: () => Effect.fail(failed(`not within ${START_MS_MAX / 1_000} s: ${what}`))
    })
  )

const statusIf = (folder: string, name: string, is: (status: Api.Status) => boolean) =>
  statusAt(folder, name).pipe(
    Effect.map((status) => (is(status) ? status : null)),
    Effect.orElseSucceed(() => null)
  )

const idOf = (folder: string, name: string) =>
  Effect.scoped(StateDirectory.open(join(folder, name))).pipe(
    Effect.map(({ identity }) => identity.keys.deviceId),
    Effect.mapError(stateFailure)
  )

interface Started {
  readonly id: string
  readonly address: string
  readonly running: Running
}

/** Trusts all others, by the word of its operator. */
const trustIn = (folder: string, name: string, ids: ReadonlyMap<string, string>): Effect.Effect<void, StartFailure> =>
  Effect.forEach(
    nodes.filter((other) => other.name !== name),
    (other) => {
      const body: Api.TrustRequest = { id: ids.get(other.name)!, role: other.role, gen1: false, name: other.name }
      return ask(socketIn(join(folder, name)), { method: "POST", target: "/trust", body }, Api.TrustChange)
    },
    { discard: true }
  ).pipe(Effect.mapError(({ message }) => failed(`${name} does not come to trust the others: ${message}`)))

/**
 * One after the other: each dials those that run already, at the ports that the system gave them, and is trusted there by then. Whoever
 * was refused once would wait before it tries again.
 */
const startAll = Effect.fnUntraced(function* (folder: string) {
  const ids = new Map<string, string>()
  for (const { name } of nodes) ids.set(name, yield* idOf(folder, name))
  const started = new Map<string, Started>()
  let key: string | null = null
  for (const node of nodes) {
    const { name } = node
    const yaml = nodeYaml(folder, node, {
      electors: electors.map((elector) => ids.get(elector)!),
      peers: [...started.values()].map(({ address, id }) => `${id}=wss://${address}`),
      key
    })
    writeFileSync(join(folder, `${name}.yaml`), yaml)
    const running = yield* start(folder, name)
    const isRunning = statusIf(folder, name, (status) => status.node.phase === "running")
    const { address, id } = (yield* until(`${name} runs`, running, isRunning)).node
    yield* trustIn(folder, name, ids)
    started.set(name, { id, address, running })
    key ??= yield* keyOf(join(folder, name))
  }
  return started
})

/** The key of the mesh that this node has made. */
const keyOf = (state: string): Effect.Effect<string, StartFailure> =>
  Effect.suspend(() => Schema.decodeUnknownEffect(MeshFile)(readFileSync(join(state, MESH), "utf8"))).pipe(
    Effect.map(({ meshKey }) => meshKey),
    Effect.mapError(({ message }) => failed(`the mesh has no key: ${message}`))
  )

const met = ({ leader, peers }: Api.Status): boolean => leader !== null && peers.every(({ state }) => state === "up")

const howTo = (folder: string, started: ReadonlyMap<string, Started>): string => {
  const rows = nodes.map(({ about, name, role }) => {
    const { address } = started.get(name)!
    return `  ${name.padEnd(10)}${role.padEnd(17)}${address.padEnd(17)}${about}`
  })
  return `A farm on this machine alone, in ${folder}

${rows.join("\n")}

The soil of north dries up, and ${PUMP} could water it. In another terminal, in this same folder of the sources:

  export CLAWMESH_STATE=${shellWord(join(folder, "laptop-1"))}
  pnpm clawmesh status
  pnpm clawmesh farm
  pnpm clawmesh proposals

Each node says what it does in ${join(folder, "NAME.log")}. Ctrl-C here ends all of it, and leaves nothing.

`
}

/** Proposals that wait for a person, by whichever laptop answers. */
const waiting = (folder: string): Effect.Effect<Api.Proposals["proposals"]> =>
  Effect.firstSuccessOf(
    ["laptop-1", "laptop-2"].map((name) =>
      ask(socketIn(join(folder, name)), { method: "GET", target: "/proposals" }, Api.Proposals)
    )
  ).pipe(
    Effect.map(({ proposals }) => proposals.filter(({ status }) => status === "awaiting_approval")),
    Effect.orElseSucceed(() => [])
  )

/** The weather, second by second, and what comes of it. */
const play = Effect.fnUntraced(function* (folder: string, out: (text: string) => void) {
  const told = new Set<string>()
  let world = atFirst
  let pump = "closed"
  for (;;) {
    const now = pumpOf(folder)
    if (now !== pump && now !== "") out(`${PUMP} is ${now}; moisture of north ${world.moisture} %\n`)
    pump = now
    world = after(world, now === "open")
    show(folder, world)
    for (const { forMs, short, state } of yield* waiting(folder)) {
      if (told.has(short)) continue
      told.add(short)
      out(
        `${short} waits for a person: ${PUMP} ${state} for ${forMs / SECOND_MS} s, at moisture ${world.moisture} %\n` +
          `  look at it    pnpm clawmesh proposals show ${short}\n` +
          `  say yes       pnpm clawmesh proposals approve ${short}\n` +
          `  say no        pnpm clawmesh proposals reject ${short}\n`
      )
    }
    yield* Effect.sleep(SECOND_MS)
  }
})

/** Goes on until it is interrupted, or cannot begin. */
export const demo = ({ folder: wanted, out }: Options): Effect.Effect<never, StartFailure> =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* folderOf(wanted)
      yield* Effect.addFinalizer(() => Effect.sync(() => endDeadMen(folder)))
      writeFileSync(join(folder, FARM_FILE), farmYaml)
      // So that whoever started it elsewhere can end it.
      writeFileSync(join(folder, "pid"), `${process.pid}\n`)
      show(folder, atFirst)
      out("Starting five nodes …\n")
      const started = yield* startAll(folder)
      yield* Effect.forEach(
        started,
        ([name, { running }]) => until(`${name} has met the others`, running, statusIf(folder, name, met)),
        { discard: true }
      )
      out(`\n${howTo(folder, started)}`)
      return yield* play(folder, out)
    })
  )
