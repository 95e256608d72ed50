/**
 * `/metrics` and `/healthz` for programs on this machine, off unless `metrics-port` is set: Effect's own metrics, in the text that Prometheus
 * reads, over Effect's own HTTP server, on 127.0.0.1 only.
 *
 * Promises: there are as many series as words in the tables of this file and of the kernel (states, codes, events), whatever peers there
 * are and whatever they say. Nothing is stored between two questions but the counts of events. `/healthz` says 200 only where the kernel
 * makes a turn when it is asked, runs, and keeps no record waiting for the disk.
 *
 * Does not say: who a peer is; `clawmesh status` does. Whether a disk would take a record that nobody wants to store: `clawmesh doctor` tries.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { memoryUsage, cpuUsage } from "node:process"
import * as Api from "../operator/Api.ts"
import { allCodes } from "../../kernel/wire/Codes.ts"
import type { Daemon } from "../node/Daemon.ts"
import * as Views from "../operator/Views.ts"
import { VERSION } from "../node/Version.ts"

const HOST = "127.0.0.1"
/** Headers of a scraper are a few hundred bytes. */
const HEADER_BYTES_MAX = 8_192
const REQUEST_MS_MAX = 5_000
const CONNECTIONS_MAX = 32
/** In which the kernel has to make a turn that it is asked for. It makes one within a millisecond. */
const TURN_MS_MAX = 2_000
const TURN_LOOK_MS = 5
/** A record that waits for longer: a card under load takes a second. */
export const STORE_MS_MAX = 5_000

/** What the node does not show by its state. */
export interface Pulse {
  /** Steps of the kernel since the start. */
  readonly turns: () => number
  /** For how long the oldest record has waited for the disk, ms; 0: none waits. */
  readonly waitingMs: () => number
}

export class MetricsFailed extends Schema.TaggedError<MetricsFailed>()("MetricsFailed", {
  port: Schema.Natural,
  code: Schema.String
}) {
  override get message() {
    const { code, port } = this
    return code === "EADDRINUSE"
      ? `port ${port} on ${HOST}, which is to tell the metrics, is taken`
      : `metrics cannot be told on port ${port} of ${HOST}: ${code}`
  }
}

type Labels = { readonly [label: string]: string }

/** A metric by its name, set to what is so now. */
const setter = (registry: Metric.MetricRegistry) => {
  const counted = new Map<string, number>()
  const withRegistry = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
    Effect.provideService(effect, Metric.MetricRegistry, registry)
  return {
    gauge: (name: string, description: string, value: number, attributes: Labels = {}): Effect.Effect<void> =>
      withRegistry(Metric.update(Metric.gauge(name, { description, attributes }), value)),
    /** Of something that only grows. */
    total: (name: string, description: string, value: number, attributes: Labels = {}): Effect.Effect<void> =>
      Effect.suspend(() => {
        const key = `${name} ${JSON.stringify(attributes)}`
        const before = counted.get(key) ?? 0
        counted.set(key, value)
        const counter = Metric.counter(name, { description, attributes, incremental: true })
        return withRegistry(Metric.update(counter, Math.max(0, value - before)))
      })
  }
}

const SECOND_MS = 1_000
const SECOND_US = 1_000_000
const states = Api.Peer.fields.state.literals
const warningCodes = Api.Warning.fields.code.literals

/** All that is told, set to what is so now. */
const gather = (
  { gauge, total }: ReturnType<typeof setter>,
  daemon: Daemon,
  { turns, waitingMs }: Pulse,
  events: ReadonlyMap<string, number>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const status = Views.status(daemon)
    const { world } = daemon.state()
    const { node, peers, stalls, warnings } = status
    yield* gauge("clawmesh_info", "The node, always 1.", 1, { role: node.role, version: VERSION })
    yield* gauge("clawmesh_uptime_seconds", "Since this start.", node.uptimeMs / SECOND_MS)
    yield* total("clawmesh_incarnation_total", "Starts of this device.", node.incarnation)
    yield* total("clawmesh_turns_total", "Turns of the kernel since this start.", turns())
    yield* total("clawmesh_stalls_total", "How often this node stood still since this start.", stalls?.count ?? 0)
    for (const state of states) {
      const count = peers.filter((peer) => peer.state === state).length
      yield* gauge("clawmesh_peers", "Trusted devices by their state.", count, { state })
    }
    yield* gauge("clawmesh_links", "Sessions with peers.", peers.filter(({ link }) => link !== null).length)
    yield* gauge("clawmesh_leads", "Whether this node leads.", status.leader?.kind === "local" ? 1 : 0)
    yield* gauge("clawmesh_leader_known", "Whether somebody leads, as this node knows.", status.leader === null ? 0 : 1)
    yield* gauge("clawmesh_term", "The highest term that is known.", status.term)
    yield* gauge("clawmesh_electors_up", "Electors that are up.", status.electors.up)
    yield* gauge("clawmesh_electors_needed", "Electors that are needed for a leader.", status.electors.needed)
    yield* gauge("clawmesh_proposals_waiting", "Proposals that wait for a person.", status.waiting)
    yield* gauge("clawmesh_world_frames", "Frames of the world that are kept.", world.frames)
    yield* gauge("clawmesh_world_bytes", "Bytes of these.", world.bytes)
    yield* gauge("clawmesh_discovery_runs", "Whether discovery runs.", status.discovery.runs ? 1 : 0)
    yield* gauge("clawmesh_disk_refuses", "Whether the disk takes nothing.", daemon.disk() === null ? 0 : 1)
    yield* gauge(
      "clawmesh_store_waiting_seconds",
      "For how long the oldest record waits for the disk.",
      waitingMs() / SECOND_MS
    )
    for (const code of warningCodes) {
      const count = warnings.filter((warning) => warning.code === code).length
      yield* gauge("clawmesh_warnings", "What needs a look, by code.", count, { code })
    }
    for (const code of allCodes)
      yield* total("clawmesh_refusals_total", "Refusals since this start, by code.", status.refusals[code] ?? 0, {
        code
      })
    for (const event of Api.eventNames)
      yield* total("clawmesh_events_total", "Events since this start.", events.get(event) ?? 0, { event })
    const { system, user } = cpuUsage()
    yield* total("process_cpu_seconds_total", "Time of processors.", (system + user) / SECOND_US)
    yield* gauge("process_resident_memory_bytes", "Memory of the process.", memoryUsage.rss())
  })

/** Whether the kernel takes up what it is asked to within its time. */
const makesTurns = (daemon: Daemon, { turns }: Pulse): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const before = turns()
    // An alarm that nobody has set: the kernel looks what is due, and is done.
    yield* daemon.offer({ _tag: "Woke" })
    while (turns() === before) yield* Effect.sleep(TURN_LOOK_MS)
    return true
  }).pipe(Effect.timeoutOrElse({ duration: TURN_MS_MAX, orElse: () => Effect.succeed(false) }))

/** `null`: it is well. */
const illness = (daemon: Daemon, pulse: Pulse): Effect.Effect<string | null> =>
  Effect.map(makesTurns(daemon, pulse), (alive) => {
    if (!alive) return `the kernel has made no turn for ${TURN_MS_MAX / SECOND_MS} s`
    const refusal = daemon.disk()
    if (refusal !== null) return refusal
    const waitingMs = pulse.waitingMs()
    if (waitingMs > STORE_MS_MAX) return `a record has waited for the disk for ${Math.floor(waitingMs / SECOND_MS)} s`
    const { phase } = daemon.state()
    return phase === "running" ? null : `the node is ${phase}`
  })

const NOT_FOUND = "There are /metrics and /healthz.\n"

/** A page in a browser of this machine may not read it by a name of its own for 127.0.0.1. */
const isOurs = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/u.test(headers["host"] ?? "")

const guarded = (answer: Effect.Effect<HttpServerResponse.HttpServerResponse>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    isOurs(request) ? answer : Effect.succeed(HttpServerResponse.text("Only by its address.\n", { status: 421 }))
  )

/** Serves until the scope closes; where it listens, `127.0.0.1:9464`. Fails where the port is taken. */
export const serve = Effect.fnUntraced(function* (daemon: Daemon, pulse: Pulse, port: number) {
  const registry: Metric.MetricRegistry = new Map()
  const set = setter(registry)
  const events = new Map<string, number>()
  const end = daemon.subscribe(({ event: { event } }) => void events.set(event, (events.get(event) ?? 0) + 1))
  yield* Effect.addFinalizer(() => end)

  const metrics = gather(set, daemon, pulse, events).pipe(
    Effect.andThen(Effect.provideService(PrometheusMetrics.format(), Metric.MetricRegistry, registry)),
    Effect.map((text) => HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" }))
  )
  const healthz = Effect.map(illness(daemon, pulse), (why) =>
    HttpServerResponse.text(`${why ?? "well"}\n`, { status: why === null ? 200 : 503 })
  )
  const routes = Layer.mergeAll(
    HttpRouter.add("GET", "/metrics", guarded(metrics)),
    HttpRouter.add("GET", "/healthz", guarded(healthz)),
    HttpRouter.add("*", "/*", Effect.succeed(HttpServerResponse.text(NOT_FOUND, { status: 404 })))
  )
  const server = NodeHttpServer.layer(
    () => {
      const made = createServer({
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: REQUEST_MS_MAX,
        requestTimeout: REQUEST_MS_MAX
      })
      made.maxConnections = CONNECTIONS_MAX
      return made
    },
    { host: HOST, port }
  )
  const app = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true })
  const services = yield* Effect.mapError(
    Layer.build(Layer.provideMerge(app, server)),
    ({ cause }) => new MetricsFailed({ port, code: (cause as NodeJS.ErrnoException).code ?? String(cause) })
  )
  const { address } = Context.get(services, HttpServer.HttpServer)
  return `${HOST}:${"port" in address ? address.port : port}`
})
