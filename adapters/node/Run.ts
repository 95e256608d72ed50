/**
 * A node, composed: the state directory, the real ports, the kernel's shell, the operator's socket. Nothing is decided here.
 *
 * Interrupting it is the way to stop: the kernel takes leave first, what was said is flushed, and only then are the ports
 * closed (B1, B46).
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type { Config } from "../../kernel/Config.ts"
import {
  Discovery,
  Herald,
  Inbox,
  Keys as KeysPort,
  Advisor,
  Hardware,
  Inference,
  Messages,
  Timepiece,
  Transport,
  Vault
} from "../../kernel/Ports.ts"
import type { Happened } from "../../kernel/Input.ts"
import * as Node from "../../kernel/Node.ts"
import { compareText } from "../../kernel/Order.ts"
import { profiles } from "../../kernel/Profile.ts"
import type { Look } from "../planner/Advisor.ts"
import * as Shell from "../../kernel/Shell.ts"
import { preflight, stopsTheStart } from "../../kernel/status/Preflight.ts"
import type { Settings } from "../config/Settings.ts"
import { StartFailure } from "../config/StartFailure.ts"
import { check } from "../keys/Keys.ts"
import { socketIn } from "../operator/Place.ts"
import * as Inviting from "../operator/Inviting.ts"
import * as Operator from "../operator/Socket.ts"
import * as Pairing from "../pairing/Host.ts"
import type { Offers } from "../relay/Offers.ts"
import * as KeptCertificate from "../tls/Kept.ts"
import { Files } from "../vault/Files.ts"
import * as StateDirectory from "../vault/StateDirectory.ts"
import { unusable } from "../vault/Vault.ts"
import * as Ws from "../ws/Transport.ts"
import type { Options as RecorderOptions } from "../recording/Recorder.ts"
import { isProgram, isTopic } from "../config/Sensors.ts"
import type { Read } from "../hardware/Sensors.ts"
import * as AtRelays from "./AtRelays.ts"
import * as Calls from "./Calls.ts"
import type { Daemon, Told } from "./Daemon.ts"
import * as Audit from "../audit/Audit.ts"
import * as Views from "../operator/Views.ts"
import * as Logging from "./Logging.ts"
import * as Quiet from "./Quiet.ts"
import * as Mesh from "./Mesh.ts"
import { stateFailure } from "./StateFailure.ts"
import { reachable } from "./Reachable.ts"
import { Attention } from "./Attention.ts"
import * as Carrier from "./Carrier.ts"
import * as Clocks from "./Timepiece.ts"
import * as Watchdog from "./Watchdog.ts"
import { VERSION } from "./Version.ts"

/** Events that the operator can look back on; some hours of an ordinary mesh. */
const EVENTS_KEPT_MAX = 10_000
/** For the leave to be said and flushed; the program itself gives up after 15 s. */
const LEAVE_MS_MAX = 10_000

const failure = (message: string, hint: string, exit: 1 | 78): StartFailure => new StartFailure({ message, hint, exit })

/** What the kernel is told, from what was set and what the state directory knows. */
const configOf = (settings: Settings, identity: StateDirectory.StateDirectory["identity"], mesh: Mesh.Mesh): Config => {
  const { deviceId, publicKey } = identity.keys
  // Without electors named, a planner elects itself: the smallest mesh has one.
  const alone = settings.role === "planner" || settings.role === "standby-planner" ? [deviceId] : []
  return {
    seed: Number.parseInt(deviceId.slice(0, 8), 16),
    deviceId,
    publicKey,
    displayName: settings.name,
    role: settings.role,
    capabilities: settings.capabilities,
    ...(settings.actuators.length === 0
      ? {}
      : { actuators: settings.actuators.map(({ command: _, ...actuator }) => actuator) }),
    ...(settings.rules.length === 0 ? {} : { rules: settings.rules }),
    ...(settings.model === null ? {} : { model: settings.model.name }),
    ...(settings.persons.length === 0 ? {} : { persons: settings.persons }),
    meshId: mesh.meshId,
    meshKey: mesh.meshKey,
    profile: profiles[settings.profile],
    peers: settings.peers.map(({ deviceId: peer, fingerprint, label, url }) => ({
      deviceId: peer,
      address: url,
      fingerprint,
      label
    })),
    trusted: [],
    manifest: {
      version: settings.manifestVersion,
      electors: settings.electors.length > 0 ? [...settings.electors].sort(compareText) : alone
    }
  }
}

/** The events of a node: a bounded past, and whoever listens. */
const eventLog = () => {
  const kept: Array<Told> = []
  const listeners = new Set<(told: Told) => void>()
  return {
    tell: (told: Told): void => {
      kept.push(told)
      if (kept.length > EVENTS_KEPT_MAX) kept.shift()
      for (const listener of listeners) listener(told)
    },
    events: (): ReadonlyArray<Told> => kept.slice(),
    subscribe: (listener: (told: Told) => void) => {
      listeners.add(listener)
      return Effect.sync(() => {
        listeners.delete(listener)
      })
    }
  }
}

const openMesh = Effect.fnUntraced(function* (settings: Settings) {
  const files = yield* Files.open(settings.stateDirectory)
  return yield* Mesh.open(settings, files)
})

const discoveryOf = (settings: Settings, deviceId: string, isUp: () => boolean, told: (news: Happened) => Happened) =>
  settings.discovery
    ? // Loaded by those who use it.
      Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("../mdns/Discovery.ts")),
          (mdns) => mdns.layer({ self: deviceId, version: VERSION }, isUp, told)
        )
      )
    : Layer.succeed(Discovery, {
        advertise: () => Effect.void,
        running: Effect.succeed({ runs: false, why: "switched off (--no-discovery)" })
      })

const advisorOf = Effect.fnUntraced(function* ({ model }: Settings, look: () => Look) {
  if (model === null) return { consult: () => Effect.never }
  // Loaded by those who have one.
  const [provider, advisor] = yield* Effect.promise(() =>
    Promise.all([import("../planner/Provider.ts"), import("../planner/Advisor.ts")])
  )
  return advisor.make(yield* provider.make(model), look)
})

/** Loaded by those who record. It ends behind the kernel, whose last word belongs to it. */
const record = Effect.fnUntraced(function* (attention: Attention, options: Omit<RecorderOptions, "maker">) {
  const [{ FLUSH_MS, open }, { kernelDigest }] = yield* Effect.promise(() =>
    Promise.all([import("../recording/Recorder.ts"), import("../recorded/Kernel.ts")])
  )
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      const maker = { program: VERSION, kernel: kernelDigest(), node: process.version }
      const recorder = open({ ...options, maker })
      attention.each(FLUSH_MS, recorder.flush)
      process.on("exit", recorder.flushSync)
      return recorder
    }),
    ({ close, flushSync }) =>
      Effect.promise(async () => {
        await close()
        process.off("exit", flushSync)
      })
  )
})

/** Runs the node until it is interrupted. Fails where it cannot start, or can store no more. */
export const run = (settings: Settings): Effect.Effect<void, StartFailure> => Effect.scoped(composed(settings))

const composed = Effect.fnUntraced(function* (settings: Settings) {
  const directory = yield* Effect.mapError(StateDirectory.open(settings.stateDirectory), stateFailure)
  const mesh = yield* Effect.catchTag(openMesh(settings), "DiskFailed", (error) =>
    Effect.fail(stateFailure(unusable(error)))
  )
  const config = configOf(settings, directory.identity, mesh)
  const attention = new Attention(Clocks.make())
  const { now } = attention
  const log = eventLog()
  let state = Node.make(config)
  let turns = 0

  const nameOf = (deviceId: string): string | null =>
    deviceId === config.deviceId
      ? settings.name
      : (state.durable.trusted.find((device) => device.deviceId === deviceId)?.name ?? null) || null
  const printed = Logging.make({
    format: settings.logFormat,
    colour: settings.logFormat === "readable" && process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined,
    known: { name: nameOf },
    write: (line) => void process.stdout.write(line)
  })
  const quiet = Quiet.make()
  const audit = Audit.open(directory.path, (why) =>
    printed.note(now().wall, "warning", `the audit log is not written: ${why}`)
  )
  const tell = (told: Told): void => {
    log.tell(told)
    printed.event(told)
    audit.tell(Views.eventOf(state, told))
  }
  directory.disk.watch((why) =>
    printed.note(
      now().wall,
      why === null ? "info" : "warning",
      why === null
        ? "the disk takes what is to be stored again; nothing was lost"
        : `${why}. Until it does, this node stores nothing: it votes for nobody, hands over where another may lead, and begins to move nothing. It tries again by itself`
    )
  )
  for (const note of directory.notes) printed.note(now().wall, "warning", note)
  if (mesh.founded)
    printed.note(now().wall, "info", `made the key of a new mesh; other nodes join it with --mesh-key=${mesh.meshKey}`)

  const durable = yield* Effect.mapError(directory.vault.load, (error) => failure(error.message, "", 78))
  const diagnoses = preflight({
    identity: config.deviceId,
    port: settings.port,
    discovery: settings.discovery,
    relays: settings.relays.length > 0,
    peers: settings.peers,
    gen1: durable.trusted.filter(({ gen1 }) => gen1).map(({ deviceId }) => deviceId),
    capabilities: settings.capabilities,
    model: null
  })
  if (stopsTheStart(diagnoses)) {
    const first = diagnoses.find(({ severity }) => severity === "error")!
    return yield* failure(`${first.code}: ${first.message}`, first.hint, 78)
  }

  const host: Pairing.Host = yield* Pairing.make({
    deviceId: config.deviceId,
    shown: () => ({
      meshId: config.meshId,
      meshKey: config.meshKey,
      meshName: mesh.meshName,
      name: config.displayName
    }),
    mono: () => now().mono,
    admit: (guest, terms) => Inviting.admit(daemon, guest, terms),
    note: (text) => printed.note(now().wall, "info", text)
  })
  const recorder =
    settings.recordingBytes === 0
      ? null
      : yield* record(attention, {
          directory: directory.path,
          bytesMax: settings.recordingBytes,
          config,
          fail: (why) => printed.note(now().wall, "warning", `nothing is recorded from now on: ${why}`)
        })

  const credentials = yield* KeptCertificate.open(directory.path, Redacted.value(directory.identity.seed))
  const relays =
    settings.relays.length === 0
      ? null
      : yield* AtRelays.open(settings, credentials, (level, text) => printed.note(now().wall, level, text))
  const offers: Offers | null = relays?.offers ?? null
  const ports = yield* Layer.build(
    Layer.mergeAll(
      Ws.layer({
        host: settings.host,
        port: settings.port,
        credentials,
        pair: host.receive,
        ...(relays === null ? {} : { openTunnel: relays.openTunnel })
      }),
      discoveryOf(
        settings,
        config.deviceId,
        () => state.phase === "running" || state.phase === "recalling",
        (news) => (offers === null ? news : offers.heard(news))
      )
    ).pipe(Layer.provideMerge(Inbox.layer))
  ).pipe(Effect.catchTag("ListenFailed", (error) => Effect.fail(failure(error.message, "", 1))))
  const inbox = Context.get(ports, Inbox)
  const discovery = Context.get(ports, Discovery)
  const endpoint = Context.get(ports, Ws.Endpoint)
  const address = `${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`

  const calls = Calls.make((happened) => Effect.asVoid(Queue.offer(inbox, happened)))
  let found = yield* discovery.running
  const daemon: Daemon = {
    state: () => state,
    now,
    offer: (happened) => Effect.asVoid(Queue.offer(inbox, happened)),
    events: log.events,
    subscribe: log.subscribe,
    ask: calls.ask,
    propose: calls.propose,
    decide: calls.decide,
    infer: calls.infer,
    discovery: () => ({ enabled: settings.discovery, ...found }),
    disk: directory.disk.refusal,
    unrecorded: () => recorder?.stopped() ?? null,
    operatorKey: mesh.operatorKey,
    farm: settings.farm,
    address: () => address,
    reachedAt: () => reachable(endpoint.host, endpoint.port),
    meshName: mesh.meshName,
    host
  }
  yield* Operator.serve(daemon, socketIn(settings.stateDirectory)).pipe(
    Effect.mapError((error) => failure(error.message, "", 1))
  )

  // Loaded by those who tell it.
  const told =
    settings.metricsPort === null
      ? null
      : yield* (yield* Effect.promise(() => import("../metrics/Metrics.ts")))
          .serve(daemon, { turns: () => turns, waitingMs: directory.disk.waitingMs }, settings.metricsPort)
          .pipe(
            Effect.mapError((error) =>
              failure(error.message, "Choose another one with --metrics-port, or leave it out.", 1)
            )
          )

  // Loaded by those who move something.
  const hardware: Hardware["Service"] =
    settings.actuators.length === 0
      ? { drive: () => Effect.succeed(false) }
      : (yield* Effect.promise(() => import("../hardware/Drivers.ts"))).make(settings.actuators, directory.path, {
          note: (text) => printed.note(now().wall, "warning", text)
        })
  const advisor = yield* advisorOf(settings, () => ({
    node: state,
    mono: now().mono,
    nameOf: (deviceId) => nameOf(deviceId) ?? deviceId.slice(0, 12)
  }))
  const shell = Shell.run({
    config,
    bootId: directory.bootId,
    amnesia: directory.amnesia,
    stepped: (before, input, after, commands) => {
      turns++
      state = after
      if (after.phase === "running") relays?.know(after.durable.trusted)
      recorder?.take(before, input, commands)
    }
  }).pipe(
    Effect.provideService(Transport, Context.get(ports, Transport)),
    Effect.provideService(Inbox, inbox),
    Effect.provideService(Vault, directory.vault),
    Effect.provideService(Timepiece, Clocks.portOf(now)),
    Effect.provideService(KeysPort, {
      sign: (payloads) => Effect.sync(() => payloads.map((payload) => directory.identity.keys.sign(payload))),
      check: (publicKey, proofs) => Effect.sync(() => check(publicKey, proofs))
    }),
    Effect.provideService(Messages, calls.port),
    Effect.provideService(Hardware, hardware),
    Effect.provideService(Advisor, advisor),
    Effect.provideService(Inference, Inference.none),
    Effect.provideService(Herald, {
      tell: (event) =>
        Effect.sync(() => {
          const at = now()
          quiet.hear({ atMs: at.wall, event }, at.mono).forEach(tell)
        })
    }),
    Effect.mapError((error) => failure(error.message, "Look at the disk of the state directory.", 1))
  )
  relays?.start(inbox, endpoint.acceptTunnel)
  const running = yield* Effect.forkScoped(shell)
  yield* Effect.forkScoped(attention.watch(daemon.offer))
  const how: Read = {
    isUp: () => state.phase === "running",
    offer: daemon.offer,
    note: (text) => printed.note(now().wall, "warning", text)
  }
  const programs = settings.sensors.filter(isProgram)
  if (programs.length > 0)
    yield* Effect.forkScoped((yield* Effect.promise(() => import("../hardware/Sensors.ts"))).read(programs, how))
  const topics = settings.sensors.filter(isTopic)
  if (topics.length > 0)
    yield* Effect.forkScoped((yield* Effect.promise(() => import("../hardware/Topics.ts"))).hear(topics, how))
  if (settings.watchdog) yield* Effect.forkScoped(Watchdog.watch((ms, beat) => attention.each(ms, beat)))
  yield* Effect.forkScoped(Carrier.watch(daemon.offer, (ms, look) => attention.each(ms, look)))
  yield* Effect.addFinalizer(() =>
    Queue.offer(inbox, { _tag: "Leave", reason: "asked to stop" }).pipe(
      Effect.andThen(Fiber.await(running)),
      Effect.timeoutOption(LEAVE_MS_MAX)
    )
  )

  const advertise = Effect.suspend(() =>
    discovery.advertise({
      deviceId: config.deviceId,
      name: settings.name,
      meshId: config.meshId,
      role: config.role,
      incarnation: state.incarnation,
      gen: 1,
      port: endpoint.port
    })
  )
  // The record names this boot's incarnation, which is durable once the node runs.
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (state.phase !== "running") yield* Effect.sleep(20)
      yield* advertise
      while (true) {
        found = yield* discovery.running
        const at = now()
        quiet.due(at.wall, at.mono).forEach(tell)
        yield* Effect.sleep(5_000)
      }
    })
  )
  printed.start({
    atMs: now().wall,
    name: settings.name,
    deviceId: config.deviceId,
    role: config.role,
    meshName: mesh.meshName,
    meshId: config.meshId,
    address,
    stateDirectory: settings.stateDirectory,
    electors: config.manifest.electors,
    peers: settings.peers.map((peer) =>
      Logging.configuredPeer(
        peer,
        durable.trusted.some(({ deviceId, gen1 }) => deviceId === peer.deviceId && gen1)
      )
    ),
    discovery: daemon.discovery(),
    diagnoses
  })
  if (told !== null) printed.note(now().wall, "info", `tells /metrics and /healthz at http://${told}`)
  yield* Fiber.join(running)
})
