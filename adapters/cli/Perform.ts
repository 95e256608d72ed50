/**
 * Carries out a command that needs the node: asks its socket, and writes the answer for people or for programs. Loaded only
 * when there is something to ask, because help and mistakes should not wait for it.
 */
import { dirname } from "node:path"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { kinds, type Kind } from "../../kernel/wire/ContextFrame.ts"
import { Role } from "../../kernel/wire/Frame.ts"
import { isPrintable, printable } from "../config/Printable.ts"
import { hint, nearest } from "../config/Spelling.ts"
import * as Api from "../operator/Api.ts"
import { failure, type Failure, isFailure } from "../operator/Failure.ts"
import * as Audit from "../audit/Audit.ts"
import { auditScreen } from "./AuditScreen.ts"
import { actuatorsScreen, commandScreen } from "./ActuatorScreen.ts"
import type { Order } from "./Arguments.ts"
import { ask, follow } from "./Client.ts"
import { decide, propose, showPerson, showProposal, showProposals } from "./Decisions.ts"
import { idIn, resolve } from "./Devices.ts"
import { changeElectors, showElectors } from "./Electors.ts"
import { showFarm } from "./FarmScreen.ts"
import { doctor } from "./DoctorCommand.ts"
import { COMMAND_MS_MAX, type Errand, refOf, told, wayOutOf, type Work } from "./Errand.ts"
import { eventLine, eventsScreen } from "./EventScreen.ts"
import { type Exit as ExitCode, exits } from "./Exit.ts"
import { peerScreen, peersScreen } from "./PeerScreen.ts"
import { ping } from "./Ping.ts"
import { statusScreen } from "./StatusScreen.ts"
import { shellWord } from "./Text.ts"
import { wait } from "./Wait.ts"
import { Electors } from "../operator/ElectorsApi.ts"
import { Invites } from "../operator/InviteApi.ts"
import { changeScreen, pendingScreen, stillElects, trustedScreen, trustScreen } from "./TrustScreen.ts"
import { traceScreen, worldScreen } from "./WorldScreen.ts"

/** What `events -f` shows of the past, where no time is given. */
const FOLLOW_FROM = 10

const showStatus = (errand: Errand): Work =>
  Effect.map(ask(errand.socket, { method: "GET", target: "/status" }, Api.Status), (status) =>
    told(errand, status, (document) => statusScreen(document, errand.look))
  )

/** For people from the status, which knows who leads and what needs a look. */
const showPeers = (errand: Errand, name: string | null): Work =>
  Effect.gen(function* () {
    const { look, manner, out, socket } = errand
    if (manner.json) {
      const all = yield* ask(socket, { method: "GET", target: "/peers" }, Api.Peers)
      const peers = name === null ? all.peers : [yield* one(name, all.peers)]
      return out(`${JSON.stringify({ ...all, peers })}\n`)
    }
    const status = yield* ask(socket, { method: "GET", target: "/status" }, Api.Status)
    if (name === null) return out(peersScreen(status, look))
    const { node } = status
    if (name === node.name && status.peers.every((peer) => peer.name !== name))
      return yield* Effect.fail(failure("NOT_FOUND", `${printable(name)} is this node itself`, "clawmesh status"))
    return out(peerScreen(status, yield* one(name, status.peers), look))
  })

const one = (name: string, peers: ReadonlyArray<Api.Peer>): Effect.Effect<Api.Peer, Failure> => {
  const found = resolve(name, peers, "clawmesh peers")
  return "$type" in found ? Effect.fail(found) : Effect.succeed(found)
}

const showEvents = (errand: Errand, order: Extract<Order, { readonly _tag: "events" }>): Work => {
  const unknown = order.kinds.find((kind) => !Api.isKind(kind))
  if (unknown !== undefined) {
    const meant = nearest(unknown, [...Api.eventKinds, ...Api.eventNames])
    const wayOut = meant === null ? `there are ${Api.eventKinds.join(" ")}` : `did you mean ${meant}?`
    return Effect.fail(failure("WRONG_USE", `no kind of event ${JSON.stringify(unknown)}; ${wayOut}`))
  }
  const { look, manner, nowMs, out, socket } = errand
  const parameters = new URLSearchParams()
  if (order.sinceMs !== null) parameters.set("since", String(Math.max(0, Math.floor(nowMs() - order.sinceMs))))
  if (order.kinds.length > 0) parameters.set("type", order.kinds.join(","))
  if (order.about !== null) parameters.set("about", order.about)
  if (!order.follow) {
    const target = `/events${parameters.size === 0 ? "" : `?${parameters}`}`
    return Effect.map(ask(socket, { method: "GET", target }, Api.Events), (events) =>
      told(errand, events, (document) => eventsScreen(document, nowMs(), look))
    )
  }
  if (order.sinceMs === null) parameters.set("limit", String(FOLLOW_FROM))
  parameters.set("follow", "")
  return follow(socket, `/events?${parameters}`, (line) =>
    out(manner.json ? `${JSON.stringify(line)}\n` : eventLine(line, nowMs(), look))
  )
}

const readTrust = (socket: string) => ask(socket, { method: "GET", target: "/trust" }, Api.Trust)

const showTrust = (errand: Errand): Work =>
  Effect.map(readTrust(errand.socket), (trust) => told(errand, trust, (document) => trustScreen(document, errand.look)))

const isRole = (word: string): word is Api.TrustRequest["role"] =>
  (Role.literals as ReadonlyArray<string>).includes(word)

/** A name in the place of an id is never taken for one: what a stranger calls itself proves nothing. */
const noId = (word: string, role: string, { strangers, trusted }: Api.Trust): Failure => {
  const near = strangers.filter(({ name }) => name === word)
  if (near.length > 0) {
    const lines = near.map(({ id }) => `  clawmesh trust add ${id} --role ${role} --name ${shellWord(printable(word))}`)
    const message = `${JSON.stringify(word)} is no id, but ${near.length === 1 ? "a device" : `${near.length} devices`} near calls itself so`
    return failure(
      "WRONG_USE",
      message,
      ["Compare the id with what clawmesh-node id prints on it, then:", ...lines].join("\n")
    )
  }
  const known = trusted.find(({ name }) => name === word)
  const wayOut =
    known === undefined
      ? "clawmesh-node id prints it on the device; clawmesh trust list shows who is near"
      : `A device of this name is trusted already; its id is ${known.id}`
  return failure("WRONG_USE", `${JSON.stringify(word)} is no id: an id has 64 hex digits`, wayOut)
}

/** What a stranger calls itself, where it is seen, it is a usable name, and nobody has it. */
const ownName = (id: string, { node, strangers, trusted }: Api.Trust): string | null => {
  const name = strangers.find((stranger) => stranger.id === id)?.name ?? ""
  const usable = name !== "" && name === name.trim() && isPrintable(name) && idIn(name) === null
  const taken = name === node.name || trusted.some((device) => device.name === name)
  return usable && !taken && name.length <= Api.NAME_UNITS_MAX ? name : null
}

const addTrust = (errand: Errand, order: Extract<Order, { readonly _tag: "trust add" }>): Work =>
  Effect.gen(function* () {
    const { look, socket } = errand
    const { gen1, key, may, name, role } = order
    if (!isRole(role)) {
      const message = `no role ${JSON.stringify(role)}${hint(role, Role.literals) || `; there are ${Role.literals.join(" ")}`}`
      return yield* Effect.fail(failure("WRONG_USE", message))
    }
    const trust = yield* readTrust(socket)
    const id = idIn(order.id)
    if (id === null) return yield* Effect.fail(noId(order.id, role, trust))
    const known = trust.trusted.find((device) => device.id === id)
    const selfNamed = name === null && known === undefined ? ownName(id, trust) : null
    const given = name ?? selfNamed
    const body: Api.TrustRequest = {
      id,
      role,
      gen1,
      ...(given === null ? {} : { name: given }),
      ...(key === null ? {} : { publicKey: key }),
      ...(may === null ? {} : { may: may.map(refOf) })
    }
    const done = yield* ask(socket, { method: "POST", target: "/trust", body }, Api.TrustChange)
    told(errand, done, (document) => changeScreen(document, selfNamed !== null, look))
  })

const trustedOf = (errand: Errand, word: string, command: string): Effect.Effect<Api.Trusted, Failure> =>
  Effect.flatMap(readTrust(errand.socket), ({ trusted }) => {
    const device = resolve(word, trusted, command)
    return "$type" in device ? Effect.fail(device) : Effect.succeed(device)
  })

const removeTrust = (errand: Errand, word: string): Work =>
  Effect.gen(function* () {
    const { look, socket } = errand
    const device = yield* trustedOf(errand, word, "clawmesh trust revoke")
    const { electors } = yield* ask(socket, { method: "GET", target: "/electors" }, Electors)
    const done = yield* ask(socket, { method: "DELETE", target: `/trust/${device.id}` }, Api.TrustChange)
    const elects = electors.some(({ id }) => id === device.id)
    told(
      errand,
      done,
      (document) => changeScreen(document, false, look) + (elects && !look.quiet ? stillElects(device) : "")
    )
  })

const showTrusted = (errand: Errand, word: string): Work =>
  Effect.gen(function* () {
    const device = yield* trustedOf(errand, word, "clawmesh trust show")
    const { peers } = yield* ask(errand.socket, { method: "GET", target: "/peers" }, Api.Peers)
    const document = {
      $type: "clawmesh.trusted/1" as const,
      device,
      peer: peers.find(({ id }) => id === device.id) ?? null
    }
    told(errand, document, () => trustedScreen(document, errand.look))
  })

const showPending = (errand: Errand): Work =>
  Effect.gen(function* () {
    const trust = yield* readTrust(errand.socket)
    const { invites } = yield* ask(errand.socket, { method: "GET", target: "/invites" }, Invites)
    const document = {
      $type: "clawmesh.pending/1" as const,
      invites: invites.filter(({ state }) => state === "open"),
      strangers: trust.strangers
    }
    told(errand, document, () => pendingScreen(document, errand.look))
  })

const renameTrusted = (errand: Errand, { as, name }: Extract<Order, { readonly _tag: "trust rename" }>): Work =>
  Effect.gen(function* () {
    const { gen1, id, role } = yield* trustedOf(errand, name, "clawmesh trust rename")
    const body: Api.TrustRequest = { id, role, gen1, name: as }
    const done = yield* ask(errand.socket, { method: "POST", target: "/trust", body }, Api.TrustChange)
    told(errand, done, (document) => changeScreen(document, false, errand.look))
  })

const showWorld = (errand: Errand, order: Extract<Order, { readonly _tag: "world" }>): Work =>
  Effect.gen(function* () {
    const { look, socket } = errand
    const [kind, ...others] = order.kinds
    if (others.length > 0) return yield* Effect.fail(failure("WRONG_USE", "write one kind of frames, or none for all"))
    if (kind !== undefined && !kinds.includes(kind as Kind)) {
      const wayOut = hint(kind, kinds) || `; there are ${kinds.join(" ")}`
      return yield* Effect.fail(failure("WRONG_USE", `no kind of frame ${JSON.stringify(kind)}${wayOut}`))
    }
    const parameters = new URLSearchParams()
    if (kind !== undefined) parameters.set("kind", kind)
    if (order.zone !== null) parameters.set("zone", order.zone)
    if (order.source !== null) {
      const status = yield* ask(socket, { method: "GET", target: "/status" }, Api.Status)
      const { id } = order.source === status.node.name ? status.node : yield* one(order.source, status.peers)
      parameters.set("source", id)
    }
    if (errand.manner.json) parameters.set("limit", String(Api.WORLD_MAX))
    const target = `/world${parameters.size === 0 ? "" : `?${parameters}`}`
    const world = yield* ask(socket, { method: "GET", target }, Api.World)
    told(errand, world, (document) => worldScreen(document, look))
  })

const showTrace = (errand: Errand, frame: string): Work =>
  Effect.map(
    ask(errand.socket, { method: "GET", target: `/trace?${new URLSearchParams({ frame })}` }, Api.Trace),
    (trace) => told(errand, trace, (document) => traceScreen(document, errand.look))
  )

const showActuators = (errand: Errand): Work =>
  Effect.map(ask(errand.socket, { method: "GET", target: "/actuators" }, Api.Actuators), (actuators) =>
    told(errand, actuators, (document) => actuatorsScreen(document, errand.look))
  )

const holdOrRelease = (errand: Errand, group: string | null, on: boolean): Work =>
  Effect.map(ask(errand.socket, { method: "POST", target: "/hold", body: { group, on } }, Api.Actuators), (actuators) =>
    told(errand, actuators, (document) => actuatorsScreen(document, errand.look))
  )

const holdOf = (errand: Errand, name: string): Work =>
  Effect.gen(function* () {
    const actuator = refOf(name)
    const held = yield* ask(
      errand.socket,
      { method: "POST", target: "/hold-of", body: { actuator } },
      Api.Command,
      COMMAND_MS_MAX
    )
    told(errand, held, (document) => commandScreen(document, errand.look))
    if (!held.ok)
      return yield* Effect.fail(
        failure("DELIVERY_FAILED", `${printable(actuator)} may not be on hold`, "Hold it where it is: clawmesh hold")
      )
  })

/** A device may take as long as it waits for its hardware, and so does this. */
const set = (errand: Errand, order: Extract<Order, { readonly _tag: "set" }>): Work =>
  Effect.gen(function* () {
    const { again, forMs, state } = order
    const actuator = refOf(order.actuator)
    const body: Api.CommandRequest = { actuator, state, forMs: forMs ?? 0, again }
    const done = yield* ask(errand.socket, { method: "POST", target: "/command", body }, Api.Command, COMMAND_MS_MAX)
    told(errand, done, (document) => commandScreen(document, errand.look))
    if (!done.ok)
      return yield* Effect.fail(failure("DELIVERY_FAILED", `${printable(actuator)} is not moved`, wayOutOf(done.code)))
  })

const engine = (errand: Errand, runs: boolean): Work =>
  Effect.map(ask(errand.socket, { method: "POST", target: "/engine", body: { runs } }, Api.Status), (status) =>
    told(errand, status, (document) => statusScreen(document, errand.look))
  )

/** Read where it lies: for that no node has to run. */
const showAudit = (errand: Errand, sinceMs: number | null): Work =>
  Effect.gen(function* () {
    const directory = dirname(errand.socket)
    const found = yield* Effect.try({
      try: () => Audit.read(directory),
      catch: (error) =>
        failure("NOT_ALLOWED", `the audit log cannot be read: ${String(error)}`, "as the user of the node")
    })
    const fromMs = sinceMs === null ? 0 : errand.nowMs() - sinceMs
    const records = found.records.filter(({ atMs }) => typeof atMs === "number" && atMs >= fromMs)
    const document = { $type: "clawmesh.audit/1" as const, ...found, records }
    told(errand, document, () => auditScreen(document, errand.nowMs(), errand.look))
    const broken = found.faults.filter(({ what }) => what === "broken")
    if (broken.length > 0)
      return yield* Effect.fail(
        failure(
          "REFUSED",
          `the record is not whole: ${broken.map(({ file, line }) => `${file}:${line}`).join(", ")} does not follow the line before it`,
          "Somebody has changed, dropped or added lines there"
        )
      )
  })

/** What few commands need is loaded by those. */
const lazily = (load: () => Promise<Work>): Work => Effect.flatten(Effect.promise(load))

const work = (errand: Errand): Work => {
  const { order } = errand
  switch (order._tag) {
    case "status":
      return showStatus(errand)
    case "peers":
      return showPeers(errand, order.name)
    case "events":
      return showEvents(errand, order)
    case "world":
      return showWorld(errand, order)
    case "trace":
      return showTrace(errand, order.frame)
    case "actuators":
      return showActuators(errand)
    case "hold":
    case "release":
      return holdOrRelease(errand, order.group, order._tag === "hold")
    case "hold of":
      return holdOf(errand, order.actuator)
    case "set":
      return set(errand, order)
    case "audit":
      return showAudit(errand, order.sinceMs)
    case "suspend":
    case "resume":
      return engine(errand, order._tag === "resume")
    case "propose":
      return propose(errand, order)
    case "proposals list":
      return showProposals(errand, order.all)
    case "proposals show":
      return showProposal(errand, order.id)
    case "proposals approve":
    case "proposals reject":
      return decide(errand, order)
    case "person":
      return showPerson(errand, null)
    case "person new":
      return showPerson(errand, order.name)
    case "farm":
      return showFarm(errand, order.zone)
    case "electors list":
      return showElectors(errand)
    case "electors change":
      return changeElectors(errand, order)
    case "ping":
      return ping(errand, order)
    case "wait":
      return wait(errand, order)
    case "doctor":
      return doctor(errand, order)
    case "init":
      return lazily(async () => (await import("./Init.ts")).init(errand, order))
    case "join":
      return lazily(async () => (await import("./Join.ts")).joinMesh(errand, order))
    case "invite":
      return lazily(async () => (await import("./Inviting.ts")).openDoor(errand, order))
    case "invite shut":
      return lazily(async () => (await import("./Inviting.ts")).shutDoor(errand))
    case "bundle":
      return lazily(async () => (await import("./Bundle.ts")).bundle(errand, order.file))
    case "replay":
      return lazily(async () => (await import("./Replay.ts")).replayRecording(errand, order.file))
    case "trust list":
      return showTrust(errand)
    case "trust pending":
      return showPending(errand)
    case "trust show":
      return showTrusted(errand, order.name)
    case "trust rename":
      return renameTrusted(errand, order)
    case "trust add":
      return addTrust(errand, order)
    case "trust remove":
      return removeTrust(errand, order.name)
  }
}

/** What went wrong, or the exit code of what was told. Rejects for defects only. */
export const perform = async (errand: Errand): Promise<Failure | ExitCode> => {
  const exit = await Effect.runPromiseExit(work(errand))
  if (Exit.isSuccess(exit)) return exit.value ?? exits.done
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isSome(error) && isFailure(error.value)) return error.value
  throw Cause.squash(exit.cause)
}
