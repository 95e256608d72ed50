/**
 * Five real processes on loopback, one of them killed, or stopped so that its sockets stay open: when all others know. Debian's
 * `serf` agents with their LAN defaults, and nodes of ours as they are shipped.
 *
 * A kill is easy for whoever holds a connection: the system closes it at once. Being stopped is silent for both.
 * Serf's times are those at which its line is read, ours those that its event bears.
 */
import { quantile } from "../Measure.ts"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { build, Farm, freePorts } from "../node/Daemon.ts"
import { formMesh } from "../node/Whole.ts"
import { seconds, type Report } from "./Report.ts"

const SIZE = 5
const ROUNDS = 3
const MEET_MS_MAX = 30_000
const SETTLE_MS = 3_000
const KNOWN_MS_MAX = 40_000
const BOUND_MS = 3_000

type Signal = "SIGKILL" | "SIGSTOP"

/** The members of one mesh, and who told when that which is down. */
interface Running {
  readonly children: ReadonlyArray<ChildProcess>
  /** By observer and subject: when it was first declared down since `forget`. */
  readonly downMs: Map<string, number>
  readonly end: () => Promise<void>
}

const names = Array.from({ length: SIZE }, (_, index) => `node-${index}`)

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, "exit")
  child.kill("SIGKILL")
  await exit
}

const serf = async (): Promise<Running> => {
  const ports = await freePorts(2 * SIZE)
  const downMs = new Map<string, number>()
  const said: Array<string> = []
  let joins = 0
  const children = names.map((name, index) => {
    const child = spawn(
      "serf",
      [
        "agent",
        `-node=${name}`,
        `-bind=127.0.0.1:${ports[index]}`,
        `-rpc-addr=127.0.0.1:${ports[SIZE + index]}`
      ].concat(index === 0 ? [] : [`-retry-join=127.0.0.1:${ports[0]}`, "-retry-interval=1s"]),
      { stdio: ["ignore", "pipe", "ignore"] }
    )
    createInterface(child.stdout).on("line", (line) => {
      said.push(`${name}: ${line.trim()}`)
      const [, what, whom] = /EventMember(Join|Failed): (\S+)/u.exec(line) ?? []
      if (what === "Join") joins++
      if (what === "Failed") downMs.set(`${name} ${whom}`, Date.now())
    })
    return child
  })
  const end = async () => {
    await Promise.all(children.map(ended))
  }
  const beganMs = performance.now()
  while (joins < SIZE * SIZE) {
    if (performance.now() - beganMs > MEET_MS_MAX) {
      await end()
      throw new Error(`${SIZE} serf agents do not meet within ${MEET_MS_MAX / 1_000} s:\n${said.slice(-20).join("\n")}`)
    }
    await sleep(100)
  }
  return { children, downMs, end }
}

const ours = async (): Promise<Running> => {
  const farm = new Farm()
  const downMs = new Map<string, number>()
  try {
    const children = await formMesh(farm, names)
    for (const observer of names)
      farm.follow(observer, ({ atMs, event, name }) => {
        if (event === "peer.down" && name !== null) downMs.set(`${observer} ${name}`, atMs)
      })
    return {
      children,
      downMs,
      end: async () => {
        await Promise.all(children.map(ended))
        farm.close()
      }
    }
  } catch (error) {
    farm.close()
    throw error
  }
}

interface Round {
  readonly firstMs: number
  readonly allMs: number
  /** Of the others, by anybody. */
  readonly falsely: number
}

/** A port that was free may have been taken since by one of many other processes. */
const startedOnce = async (start: () => Promise<Running>, tries = 3): Promise<Running> => {
  try {
    return await start()
  } catch (error) {
    if (tries === 1) throw error
    return startedOnce(start, tries - 1)
  }
}

const round = async (start: () => Promise<Running>, signal: Signal, victim: number): Promise<Round> => {
  const { children, downMs, end } = await startedOnce(start)
  try {
    await sleep(SETTLE_MS)
    downMs.clear()
    const struckMs = Date.now()
    children[victim]!.kill(signal)
    const survivors = names.filter((_, index) => index !== victim)
    const known = () => survivors.flatMap((name) => downMs.get(`${name} ${names[victim]}`) ?? [])
    while (known().length < survivors.length && Date.now() - struckMs < KNOWN_MS_MAX) await sleep(50)
    const ordered = known().toSorted((a, b) => a - b)
    const whole = ordered.length === survivors.length
    return {
      firstMs: (ordered[0] ?? Number.NaN) - struckMs,
      allMs: whole ? ordered.at(-1)! - struckMs : Number.NaN,
      falsely: downMs.size - ordered.length
    }
  } finally {
    await end()
  }
}

const hasSerf = (): boolean => spawnSync("serf", ["version"], { stdio: "ignore" }).error === undefined

export const realTable = async (report: Report): Promise<void> => {
  build()
  const meshes: ReadonlyArray<{ readonly name: string; readonly start: () => Promise<Running> }> = [
    ...(hasSerf() ? [{ name: "serf, LAN defaults", start: serf }] : []),
    { name: "ours, as shipped", start: ours }
  ]
  if (meshes.length === 1) report.note("serf is not there to compare with: apt-get install serf")
  const rows: Array<ReadonlyArray<string>> = []
  for (const signal of ["SIGKILL", "SIGSTOP"] as const)
    for (const { name, start } of meshes) {
      const rounds: Array<Round> = []
      // The last ones: neither planner nor the agent that all others joined.
      for (let n = 0; n < ROUNDS; n++) rounds.push(await round(start, signal, SIZE - 1 - n))
      const all = rounds.map(({ allMs }) => allMs)
      const falsely = rounds.reduce((sum, { falsely }) => sum + falsely, 0)
      const worst = all.some(Number.isNaN)
        ? Number.NaN
        : quantile(
            all.toSorted((a, b) => a - b),
            1
          )
      rows.push([
        signal,
        name,
        ...rounds.map(({ allMs, firstMs }) => `${seconds(firstMs)}–${seconds(allMs)}`),
        String(falsely)
      ])
      if (start !== ours) continue
      const what = `five real nodes, ${signal}: all know, worst of ${ROUNDS}, s`
      if (signal === "SIGKILL") report.bound(what, seconds(worst), `≤ ${BOUND_MS / 1_000}`, worst <= BOUND_MS)
      report.bound(`five real nodes, ${signal}: others declared down`, String(falsely), "0", falsely === 0)
    }
  report.section(
    `five real processes on loopback: seconds from the signal until the first and the last survivor know`,
    ["signal", "who", ...Array.from({ length: ROUNDS }, (_, n) => `round ${n + 1}`), "others declared down"],
    rows
  )
}
