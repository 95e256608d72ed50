/**
 * Real processes on loopback: `clawmesh-node` as an operator would start it, each in a state directory of its own, on a port
 * that was free. Everything is ended by its pid when the test ends, whatever became of it.
 *
 * `const site = await Site.make({ a: "planner", b: "standby-planner", c: "field" })`, `await site.start("a", "b", "c")`, and
 * then `await site.until("b", "names a leader", (status) => status.leader !== null)`. Before a node is started, `reach` says
 * where it dials another one, and `knows` makes it a static peer of somebody whom the site does not run (`Insider.ts`).
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { type Event, EVENTS_MAX, type Status, type TrustRequest } from "../../adapters/operator/Api.ts"
import * as StateDirectory from "../../adapters/vault/StateDirectory.ts"
import type { Role } from "../../kernel/wire/Frame.ts"
import { freePort } from "../../bench/node/Ports.ts"

const root = resolve(import.meta.dirname, "../..")
const nodeProgram = join(root, "adapters/clawmesh-node.ts")
const handTool = join(root, "adapters/clawmesh.ts")
const POLL_MS = 50

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/** One node's place: its directory, port and identity, and the process that runs it, if one does. */
interface Place {
  readonly name: string
  readonly role: Role
  readonly directory: string
  readonly port: number
  readonly deviceId: string
  process: ChildProcess | null
  output: string
  /** Where it dials the others, if not at their own ports; `null`: it is given no address. */
  readonly reaches: Map<string, string | null>
  /** Entries of `--peer` beside those. */
  readonly peers: Array<string>
  /** Its node.yaml; `null`: it has none. */
  config: string | null
}

/** What `clawmesh status` and `clawmesh peers` say, as far as the tests look. */
export interface Seen {
  readonly leader: string | null
  readonly term: number
  readonly peers: { readonly [name: string]: string }
}

export class Site {
  readonly places: ReadonlyMap<string, Place>
  private readonly directory: string
  private readonly followers: Array<ChildProcess> = []
  /** As the founder of the mesh printed it: `--mesh-key=…`. */
  private meshKey: string | null = null

  private constructor(directory: string, places: ReadonlyMap<string, Place>) {
    this.directory = directory
    this.places = places
  }

  static async make(roles: { readonly [name: string]: Role }): Promise<Site> {
    const directory = mkdtempSync(join(tmpdir(), "clawmesh-site-"))
    const places = new Map<string, Place>()
    for (const [name, role] of Object.entries(roles)) {
      const home = join(directory, name)
      // As `clawmesh-node id` makes it, without a process for each.
      const { identity } = await Effect.runPromise(Effect.scoped(StateDirectory.open(home)))
      const { deviceId } = identity.keys
      places.set(name, {
        name,
        role,
        directory: home,
        port: await freePort(),
        deviceId,
        process: null,
        output: "",
        reaches: new Map(),
        peers: [],
        config: null
      })
    }
    return new Site(directory, places)
  }

  place(name: string): Place {
    const place = this.places.get(name)
    if (place === undefined) throw new Error(`no node is called ${name}`)
    return place
  }

  /** `from` dials `to` at this URL; `null`: it has no address of it, and waits to be dialled. */
  reach(from: string, to: string, url: string | null): void {
    this.place(from).reaches.set(to, url)
  }

  /** This node reads such a node.yaml, from its next start on. */
  configure(name: string, text: string): void {
    const file = join(this.directory, `${name}.yaml`)
    writeFileSync(file, text)
    this.place(name).config = file
  }

  /** A file of the test's own beside the state directories. */
  file(name: string): string {
    return join(this.directory, name)
  }

  /** One more static peer: `<deviceId>=<url>|<fingerprint>|<label>`. */
  knows(name: string, peer: string): void {
    this.place(name).peers.push(peer)
  }

  /** The arguments with which this node is started. */
  args(name: string): ReadonlyArray<string> {
    const place = this.place(name)
    const others = [...this.places.values()].filter((other) => other !== place)
    const electors = [...this.places.values()].filter(({ role }) => role !== "viewer")
    return [
      nodeProgram,
      "run",
      "--name",
      name,
      "--role",
      place.role,
      "--mesh-name",
      "test",
      "--host",
      "127.0.0.1",
      "--port",
      String(place.port),
      "--state",
      place.directory,
      "--no-discovery",
      ...(place.config === null ? [] : ["--config", place.config]),
      ...(this.meshKey === null ? [] : [this.meshKey]),
      ...electors.flatMap(({ deviceId }) => ["--elector", deviceId]),
      ...others.flatMap(({ deviceId, name: other, port }) => {
        const url = place.reaches.get(other)
        return url === null ? [] : ["--peer", `${deviceId}=${url ?? `wss://127.0.0.1:${port}`}`]
      }),
      ...place.peers.flatMap((peer) => ["--peer", peer])
    ]
  }

  /** Starts nodes that are not running, and waits until they run and answer their operator. */
  async start(...names: ReadonlyArray<string>): Promise<void> {
    for (const name of names) await this.begin(name, "running")
  }

  /** Starts one, and waits until it answers its operator in this phase. */
  async begin(name: string, phase: Status["node"]["phase"]): Promise<void> {
    const place = this.place(name)
    const child = spawn(process.execPath, this.args(name), { stdio: ["ignore", "pipe", "pipe"] })
    place.process = child
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        place.output += chunk.toString("utf8")
      })
    await this.eventually(`${name} is ${phase}`, async () => {
      if (hasEnded(child)) throw new Error(`${name} ended as it began:\n${place.output}`)
      const text = await this.get(name, "/status")
      return text !== null && (JSON.parse(text) as Status).node.phase === phase
    })
    // The first of them made the key of the mesh; the others join it, in the words that it prints.
    this.meshKey ??= /--mesh-key=[\w-]{43}(?=\s)/u.exec(place.output)?.[0] ?? null
  }

  /** What `clawmesh trust add` says to the running node. */
  async trust(name: string, device: Pick<TrustRequest, "id" | "role"> & Partial<TrustRequest>): Promise<void> {
    const answer = await this.ask(name, "POST", "/trust", JSON.stringify({ gen1: false, ...device }))
    if (answer?.includes("clawmesh.trust-change/1") !== true)
      throw new Error(`${name} did not take the trust: ${answer}`)
  }

  /** Every node trusts every other, in its role. */
  async trustEverybody(): Promise<void> {
    for (const { name } of this.places.values())
      for (const other of this.places.values()) if (other.name !== name) await this.trustIn(name, other.name)
  }

  /** One node of the site trusts another one, in its role. */
  trustIn(name: string, peer: string): Promise<void> {
    const { deviceId: id, role } = this.place(peer)
    return this.trust(name, { id, role, name: peer })
  }

  clawmesh(name: string, ...args: ReadonlyArray<string>): string {
    return this.asPerson(null, name, ...args)
  }

  /** On the account of this person, whose key is kept there; `null`: of somebody without one. */
  asPerson(person: string | null, name: string, ...args: ReadonlyArray<string>): string {
    const key = this.file(`${person ?? "nobody"}.json`)
    return execFileSync(process.execPath, [handTool, ...args, "--state", this.place(name).directory], {
      encoding: "utf8",
      env: { ...process.env, CLAWMESH_PERSON: key }
    })
  }

  /** Which mesh the nodes of this site belong to. One of them was started before. */
  mesh(): { readonly meshId: string; readonly meshKey: string } {
    const founder = [...this.places.values()].find(({ directory }) => existsSync(join(directory, "mesh.json")))!
    return JSON.parse(readFileSync(join(founder.directory, "mesh.json"), "utf8")) as ReturnType<Site["mesh"]>
  }

  async status(name: string): Promise<Status> {
    const text = await this.get(name, "/status")
    if (text === null) throw new Error(`${name} does not answer its operator\n${this.place(name).output}`)
    return JSON.parse(text) as Status
  }

  /** The last `EVENTS_MAX` that this node has told, oldest first; of one kind, if one is given: `peer`, `connection.refused`. */
  async events(name: string, kind?: string): Promise<ReadonlyArray<Event>> {
    const text = await this.get(name, `/events?limit=${EVENTS_MAX}${kind === undefined ? "" : `&type=${kind}`}`)
    if (text === null) throw new Error(`${name} does not answer its operator\n${this.place(name).output}`)
    return (JSON.parse(text) as { readonly events: ReadonlyArray<Event> }).events
  }

  /** Resident memory of its process, bytes. */
  residentBytes(name: string): number {
    const { pid } = this.place(name).process!
    return 1_024 * Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1])
  }

  /** `clawmesh …` that goes on; ended with the site. Gives what it has printed so far. */
  follow(name: string, ...args: ReadonlyArray<string>): () => string {
    const child = spawn(process.execPath, [handTool, ...args, "--state", this.place(name).directory])
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8")
    })
    this.followers.push(child)
    return () => output
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.place(name).process?.kill(signal)
  }

  /** Sends a signal and waits for the end of the process. */
  end(name: string, signal: NodeJS.Signals): Promise<Ended> {
    const place = this.place(name)
    const child = place.process
    if (child === null) throw new Error(`${name} does not run`)
    place.process = null
    return new Promise((done) => {
      const ended = (): void => done({ code: child.exitCode, signal: child.signalCode, output: place.output })
      if (hasEnded(child)) return ended()
      child.once("exit", ended)
      child.kill(signal)
    })
  }

  /** Reads from the operator's socket; `null`: nobody answers. */
  get(name: string, path: string): Promise<string | null> {
    return this.ask(name, "GET", path)
  }

  ask(name: string, method: "GET" | "POST", path: string, body = ""): Promise<string | null> {
    return new Promise((done) => {
      const asked = request(
        {
          socketPath: join(this.place(name).directory, "node.sock"),
          method,
          path,
          timeout: 5_000,
          // A connection that is kept may have been closed while this process waited for a command.
          agent: false,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
        },
        (answer) => {
          let text = ""
          answer.on("data", (chunk: Buffer) => {
            text += chunk.toString("utf8")
          })
          answer.on("end", () => done(text))
        }
      )
      asked.on("error", () => done(null))
      asked.on("timeout", () => asked.destroy())
      asked.end(body)
    })
  }

  async seen(name: string): Promise<Seen | null> {
    const text = await this.get(name, "/status")
    if (text === null) return null
    const status = JSON.parse(text) as {
      readonly term: number
      readonly leader: { readonly id: string } | null
      readonly peers: ReadonlyArray<{ readonly id: string; readonly state: string }>
    }
    const named = (deviceId: string | undefined): string | null =>
      [...this.places.values()].find((place) => place.deviceId === deviceId)?.name ?? null
    return {
      leader: named(status.leader?.id),
      term: status.term,
      peers: Object.fromEntries(status.peers.map(({ id, state }) => [named(id) ?? id, state]))
    }
  }

  /** Waits until it is so, and says what was instead if it is not within `limitMs`. The time that it took, ms. */
  async until(name: string, what: string, is: (seen: Seen) => boolean, limitMs = 15_000): Promise<number> {
    const started = performance.now()
    let last: Seen | null = null
    await this.eventually(
      `${name} ${what}`,
      async () => {
        last = await this.seen(name)
        return last !== null && is(last)
      },
      limitMs,
      () => JSON.stringify(last)
    )
    return performance.now() - started
  }

  async eventually(
    what: string,
    is: () => Promise<boolean>,
    limitMs = 15_000,
    instead = (): string => ""
  ): Promise<void> {
    const started = performance.now()
    while (!(await is())) {
      if (performance.now() - started > limitMs) {
        const outputs = [...this.places.values()].map(({ name, output }) => `--- ${name}\n${output.slice(-3_000)}`)
        throw new Error(`not within ${limitMs} ms: ${what}. Instead: ${instead()}\n${outputs.join("\n")}`)
      }
      await sleep(POLL_MS)
    }
  }

  /** Ends what still runs, and removes the directories. */
  async close(): Promise<void> {
    for (const follower of this.followers) follower.kill("SIGKILL")
    for (const place of this.places.values()) {
      if (place.process === null) continue
      this.signal(place.name, "SIGCONT")
      await this.end(place.name, "SIGKILL")
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}
