/**
 * What recordings of nodes tell of an incident: who was there, who was gone and when, which links were, how the clocks stood. One
 * time for all: the calendar of the first recording's node, from the earliest start on, ms.
 *
 * A node knows of the others only what it saw. Whoever came back in a later life was off meanwhile; whoever came back in the same
 * life was out of reach; of whoever never came back nobody knows which.
 */
import type { Config } from "../../kernel/Config.ts"
import type { NodeState } from "../../kernel/Node.ts"
import type { MeshEvent } from "../../kernel/status/MeshEvent.ts"
import type { Recording } from "../../adapters/recorded/Open.ts"
import { type Fed, replay } from "../../adapters/recorded/Replay.ts"

export interface Span {
  readonly fromMs: number
  /** `null`: to the end of what is known. */
  readonly untilMs: number | null
}

export interface Device {
  readonly id: string
  /** As it calls itself, or as others do. */
  readonly name: string
  readonly role: string
  readonly capabilities: ReadonlyArray<string>
  readonly recorded: boolean
  /** Of its calendar, against that of the first; `null`: nobody knows. */
  readonly skewMs: number | null
  readonly startMs: number
  /** `crash`: no goodbye. */
  readonly off: ReadonlyArray<Span & { readonly how: "crash" | "stop"; readonly sure: boolean }>
  readonly frozen: ReadonlyArray<Span>
  readonly unplugged: ReadonlyArray<Span>
}

/** `by` had `about` for down, or somebody else for leader. */
export interface Seen {
  readonly atMs: number
  readonly by: string
  readonly about: string
  readonly what: "down" | "leader"
}

export interface Incident {
  readonly devices: ReadonlyArray<Device>
  readonly electors: ReadonlyArray<string>
  readonly profile: string
  readonly cuts: ReadonlyArray<Span & { readonly between: readonly [string, string] }>
  readonly seen: ReadonlyArray<Seen>
  readonly endMs: number
  /** Calendar of the first, at 0. */
  readonly originMs: number
  /** What is not done again, in words. */
  readonly limits: ReadonlyArray<string>
}

interface Told {
  readonly atMs: number
  readonly event: MeshEvent
}

interface LifeOf {
  readonly startMs: number
  readonly endMs: number
  readonly left: boolean
  readonly cutShort: boolean
}

/** Of one node, by its own calendar. */
interface Account {
  readonly id: string
  readonly name: string
  readonly config: Config
  state: NodeState | null
  readonly lives: Array<LifeOf>
  readonly told: Array<Told>
  readonly frozen: Array<Span>
  readonly unplugged: Array<{ fromMs: number; untilMs: number | null }>
  /** What others' calendars showed against this one, by device. */
  readonly skews: Map<string, number>
  readonly counts: Map<string, number>
}

/** Of a calendar that is set by the network, and of a login's way. */
const SKEW_MS_MIN = 100
/** A shorter one does nothing that the mesh would notice. */
const FREEZE_MS_MIN = 300
/** Of a process that is killed what was taken up in the last moments is not written. */
const LAST_WORDS_MS = 2_000
/** The simulated mesh may come to its verdict so much later than the real one did; who is back by then was never down. */
const VERDICT_MS = 2_500
/** Between the start of a process and its first link. */
const START_MS = 200
/** Of a peer that is gone others hear that long after. */
const NOTICED_MS_MAX = 20_000

const accountOf = (recording: Recording): Account => {
  const first = recording.lives[0]!.segments[0]!.header
  const account: Account = {
    id: recording.deviceId,
    name: recording.name,
    config: first.config,
    state: null,
    lives: [],
    told: [],
    frozen: [],
    unplugged: [],
    skews: new Map(),
    counts: new Map()
  }
  const count = (what: string): void => void account.counts.set(what, (account.counts.get(what) ?? 0) + 1)
  const look = ({ commands, line: { input } }: Fed): void => {
    const { mono: _, wall } = input.at
    for (const command of commands) if (command._tag === "Note") account.told.push({ atMs: wall, event: command.event })
    if (input._tag === "Stalled" && input.ms >= FREEZE_MS_MIN)
      account.frozen.push({ fromMs: wall - input.ms, untilMs: wall })
    if (input._tag === "Carrier") {
      const last = account.unplugged.at(-1)
      if (!input.up) account.unplugged.push({ fromMs: wall, untilMs: null })
      else if (last !== undefined) last.untilMs ??= wall
    }
    if (input._tag === "Received" && input.frame.type === "req" && input.frame.method === "mesh.connect") {
      const { deviceId, signedAtMs } = input.frame.params
      const apart = signedAtMs - wall
      // It was signed a little before it came.
      account.skews.set(deviceId, Math.max(account.skews.get(deviceId) ?? -Infinity, apart))
    }
    if (input._tag === "LinkDown" && input.reason === "timeout") count("links that went silent")
    if (input._tag === "Trust" || input._tag === "Distrust") count("changes of trust")
    if (input._tag === "Propose" || input._tag === "Decide") count("proposals and decisions")
    if (input._tag === "Sensed") count("readings")
    if (input._tag === "Hold") count("holds")
    if (input._tag === "Asked") count("messages of programs")
  }
  for (const life of recording.lives) {
    const { state } = replay(life, undefined, look)
    account.state = state
    account.lives.push({
      startMs: life.segments[0]!.header.at.wall,
      endMs: life.segments.at(-1)!.lines.at(-1)?.input.at.wall ?? life.segments.at(-1)!.header.at.wall,
      left: state?.phase === "left",
      cutShort: life.segments[0]!.header.state !== null
    })
  }
  return account
}

/** When somebody was gone, as one node saw it: from its first doubt to its return. */
const outages = (
  told: ReadonlyArray<Told>
): ReadonlyArray<Span & { about: string; downMs: number; how: "left" | "off" | "away" | "unknown" }> => {
  const doubt = new Map<string, number>()
  const lives = new Map<string, number>()
  const open = new Map<string, { fromMs: number; downMs: number; left: boolean; life: number }>()
  const all: Array<Span & { about: string; downMs: number; how: "left" | "off" | "away" | "unknown" }> = []
  for (const { atMs, event } of told) {
    const { about } = event
    if (about === undefined) continue
    const life = event.incarnation ?? lives.get(about) ?? 0
    switch (event.event) {
      case "peer.disconnect":
      case "peer.suspect":
        if (!doubt.has(about)) doubt.set(about, atMs)
        break
      case "peer.down":
      case "peer.left":
        if (!open.has(about))
          open.set(about, {
            fromMs: doubt.get(about) ?? atMs,
            downMs: atMs,
            left: event.event === "peer.left",
            life: lives.get(about) ?? life
          })
        break
      case "peer.connect":
      case "peer.up": {
        doubt.delete(about)
        const gone = open.get(about)
        open.delete(about)
        if (gone !== undefined)
          all.push({
            about,
            fromMs: gone.fromMs,
            downMs: gone.downMs,
            untilMs: atMs,
            how: gone.left ? "left" : life > gone.life ? "off" : "away"
          })
        lives.set(about, life)
        break
      }
      default:
    }
  }
  for (const [about, { downMs, fromMs, left }] of open)
    all.push({ about, fromMs, downMs, untilMs: null, how: left ? "left" : "unknown" })
  return all
}

const overlaps = (a: Span, b: Span, slackMs: number): boolean =>
  a.fromMs <= (b.untilMs ?? Infinity) + slackMs && b.fromMs <= (a.untilMs ?? Infinity) + slackMs

/** At least one recording. */
export const incidentOf = (recordings: ReadonlyArray<Recording>): Incident => {
  const accounts = recordings.map(accountOf)
  const [reference] = accounts
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const skewOf = (id: string): number | null => {
    if (id === reference!.id) return 0
    const direct = reference!.skews.get(id)
    const reverse = byId.get(id)?.skews.get(reference!.id)
    const found = direct ?? (reverse === undefined ? null : -reverse)
    return found === null ? null : Math.abs(found) < SKEW_MS_MIN ? 0 : Math.round(found / 10) * 10
  }
  const originMs = Math.min(...accounts.map(({ id, lives }) => lives[0]!.startMs - (skewOf(id) ?? 0)))
  const timeOf = (id: string) => {
    const skewMs = skewOf(id) ?? 0
    return (wallMs: number): number => Math.max(0, Math.round(wallMs - skewMs - originMs))
  }
  const endMs = Math.max(...accounts.map(({ id, lives }) => timeOf(id)(lives.at(-1)!.endMs)))
  const limits: Array<string> = []

  const known = new Map<string, { name: string; role: string }>()
  for (const { config, state } of accounts)
    for (const { deviceId, role } of [...config.trusted, ...(state?.config.trusted ?? [])]) {
      const name = state?.durable.trusted.find((one) => one.deviceId === deviceId)?.name ?? ""
      if (!known.has(deviceId) || known.get(deviceId)!.name === "") known.set(deviceId, { name, role })
    }
  const electors = (reference!.state ?? { config: reference!.config }).config.manifest.electors
  for (const id of electors) if (!known.has(id) && !byId.has(id)) known.set(id, { name: "", role: "node" })

  const seen: Array<Seen> = []
  const sightings = accounts.flatMap(({ id, told }) => {
    const time = timeOf(id)
    let leader: string | null = null
    for (const { atMs, event } of told) {
      if (event.event !== "leader.followed" && event.event !== "leader.elected") continue
      if (leader !== null && leader !== event.about)
        seen.push({ atMs: time(atMs), by: id, about: event.about!, what: "leader" })
      leader = event.about!
    }
    return outages(told).map((one) => ({
      ...one,
      by: id,
      fromMs: time(one.fromMs),
      downMs: time(one.downMs),
      untilMs: one.untilMs === null ? null : time(one.untilMs)
    }))
  })
  for (const { about, by, downMs, how } of sightings)
    if (how !== "left") seen.push({ atMs: downMs, by, about, what: "down" })

  let delayed = false
  /** When it comes back, so that those who had it for down meanwhile have time to. */
  const seenDown = (id: string, fromMs: number, backMs: number): number => {
    const verdicts = sightings.filter(
      ({ about, downMs, how }) => about === id && how !== "left" && downMs >= fromMs && downMs <= backMs
    )
    const untilMs = Math.max(backMs, ...verdicts.map(({ downMs }) => downMs + VERDICT_MS))
    delayed ||= untilMs > backMs
    return untilMs
  }

  const offOfRecorded = ({ id, lives }: Account): Device["off"] => {
    const time = timeOf(id)
    return lives.flatMap((life, n): Device["off"] => {
      const next = lives[n + 1]
      const how = life.left ? ("stop" as const) : ("crash" as const)
      const lastMs = time(life.endMs)
      // Its last words were not written: it lived until others lost it, if that was soon.
      const lost = sightings.filter(
        ({ about, fromMs }) =>
          about === id &&
          fromMs >= lastMs &&
          fromMs <= lastMs + LAST_WORDS_MS &&
          fromMs < (next === undefined ? Infinity : time(next.startMs))
      )
      const fromMs = life.left
        ? lastMs
        : Math.min(...lost.map((one) => one.fromMs), lost.length === 0 ? lastMs : Infinity)
      if (next !== undefined) {
        const backMs = time(next.startMs)
        const untilMs = Math.min(seenDown(id, fromMs, backMs), Math.max(backMs, time(next.endMs) - 1))
        return [{ fromMs, untilMs, how, sure: true }]
      }
      // It may go on: what others saw tells, or a goodbye.
      const gone = sightings.some(({ about, downMs, untilMs }) => about === id && untilMs === null && downMs >= fromMs)
      return life.left || gone ? [{ fromMs, untilMs: null, how, sure: true }] : []
    })
  }

  const devices: Array<Device> = accounts.map((account) => {
    const time = timeOf(account.id)
    return {
      id: account.id,
      name: account.name,
      role: account.config.role,
      capabilities: account.config.capabilities,
      recorded: true,
      skewMs: skewOf(account.id),
      startMs: time(account.lives[0]!.startMs),
      off: offOfRecorded(account),
      frozen: account.frozen.map((span) => ({ fromMs: time(span.fromMs), untilMs: time(span.untilMs!) })),
      unplugged: account.unplugged.map(({ fromMs, untilMs }) => ({
        fromMs: time(fromMs),
        untilMs: untilMs === null ? null : time(untilMs)
      }))
    }
  })
  for (const [id, { name, role }] of known) {
    if (byId.has(id)) continue
    const off: Array<Span & { how: "crash" | "stop"; sure: boolean }> = []
    const mine = sightings
      .filter(({ about, how }) => about === id && how !== "away")
      .toSorted((a, b) => a.fromMs - b.fromMs)
    for (const { fromMs, how, untilMs } of mine) {
      const backMs = untilMs === null ? null : Math.max(fromMs + 1, untilMs - START_MS)
      const span = { fromMs, untilMs: backMs === null ? null : seenDown(id, fromMs, Math.max(backMs, untilMs!)) }
      if (off.some((other) => overlaps(other, span, 0))) continue
      off.push({ ...span, how: how === "left" ? "stop" : "crash", sure: how !== "unknown" })
    }
    const firstUp = accounts.flatMap(({ id: by, told }) =>
      told.filter(({ event }) => event.event === "peer.up" && event.about === id).map(({ atMs }) => timeOf(by)(atMs))
    )
    const midLife = accounts.some(({ lives }) => lives[0]!.cutShort)
    if (firstUp.length === 0 && !midLife) {
      limits.push(`${name || id.slice(0, 8)} was never met, and is left out`)
      if (!electors.includes(id)) continue
    }
    devices.push({
      id,
      name,
      role,
      capabilities: [],
      recorded: false,
      skewMs: skewOf(id),
      startMs: midLife || firstUp.length === 0 ? 0 : Math.max(0, Math.min(...firstUp) - START_MS),
      off,
      frozen: [],
      unplugged: []
    })
  }

  const cuts: Array<Span & { between: readonly [string, string] }> = []
  for (const { about, by, fromMs, how, untilMs } of sightings) {
    if (how === "left" || how === "off") continue
    const other = devices.find(({ id }) => id === about)
    const span = { fromMs, untilMs }
    if (other === undefined || other.off.some((off) => overlaps(off, span, NOTICED_MS_MAX))) continue
    const between = [by, about].toSorted() as [string, string]
    if (cuts.some((cut) => cut.between.join() === between.join() && overlaps(cut, span, 0))) continue
    cuts.push({ ...span, between })
  }

  if (delayed)
    limits.push(
      `who came back right after it was had for down comes back up to ${VERDICT_MS} ms later, so that it is had for down`
    )
  for (const { counts, id, lives, name } of accounts) {
    if (lives[0]!.cutShort)
      limits.push(
        `the recording of ${name} begins in the middle of a life: it is started at ${timeOf(id)(lives[0]!.startMs)} ms`
      )
    for (const [what, n] of counts) limits.push(`${n} ${what} at ${name} are not done again`)
  }
  for (const { name, recorded, skewMs, id } of devices)
    if (skewMs === null && !recorded) limits.push(`how the calendar of ${name || id.slice(0, 8)} stood is not known`)
  return {
    devices,
    electors,
    profile: reference!.config.profile.name,
    cuts,
    seen: seen.toSorted((a, b) => a.atMs - b.atMs),
    endMs,
    originMs,
    limits
  }
}
