/**
 * How rows of edges get to everybody (mesh protocol, membership 4). A row has one writer, its observer; what is newer replaces
 * what is older, and whom we have a session with is believed in its own name over everybody else.
 *
 * Up to eight nodes: what is new goes to everybody at once, and where a heartbeat's fingerprint differs all rows are sent. More
 * nodes: what is new goes to three neighbours on the rings at once and to three more each 100 ms until all of them have it, our
 * own row to every session; and where fingerprints differ the two find out which rows, in groups by the first digit of the
 * observer's id, so that a whole table never travels for one row.
 *
 * Promises: two that exchange heartbeats come to hold the same rows (but for those that somebody forged, PROTOCOL.md part 11);
 * a frame of rows is small, however many there are.
 */
import { spend } from "../Budget.ts"
import { observes } from "../Config.ts"
import { u32 } from "../Draw.ts"
import { compareText } from "../Order.ts"
import { NEVER_MS } from "../Time.ts"
import { note, send, type Turn } from "../Turn.ts"
import { ROW_EDGES_MAX } from "../wire/Limits.ts"
import { ROW_GROUPS, type DeviceId, type EdgeRow, type Event, type RowHead } from "../wire/Frame.ts"
import { replaced } from "../links/Link.ts"
import * as Goodbyes from "./Goodbyes.ts"
import type { Member } from "./Member.ts"
import * as Probe from "./Probe.ts"
import { ringsOf, type Rings } from "./Rings.ts"

/** A row that not everybody next to us has got from us. */
export interface News {
  readonly observer: DeviceId
  /** Who sent it to us; `null`: it is our own. */
  readonly from: DeviceId | null
  /** How often it has gone out. */
  readonly round: number
}

export interface Rows extends Goodbyes.Goodbyes {
  /** The rows of other observers, sorted by observer. */
  readonly rows: ReadonlyArray<EdgeRow>
  /** Our own row; its version grows with every change. */
  readonly mine: EdgeRow
  /** Fingerprint of all rows, and of all goodbyes. */
  readonly fingerprint: number
  /** One for each row that is still to be handed on. */
  readonly news: ReadonlyArray<News>
  /** Not before this is anything handed on. */
  readonly spreadAt: number
}

/** What the functions here read and change of the room. */
interface Holder extends Rows {
  readonly members: ReadonlyArray<Member>
}

/** Nodes, with ourselves, among which everything goes to everybody at once. */
const FEW_NODES = 8
const PEERS_A_ROUND = 3
/** Whoever has more neighbours than these rounds reach leaves the rest to the heartbeats. */
const ROUNDS_MAX = 4
/** Rows of one observer that are handed on at once; after these one each `spreadMs`, the latest, whatever came between. */
const ROWS_AT_ONCE = 16
/** Edges in one frame, about 16 KiB; a longer row travels alone. */
const EDGES_A_FRAME = 128

export const isFew = (turn: Turn): boolean => turn.config.trusted.length < FEW_NODES

const indexOfRow = (rows: ReadonlyArray<EdgeRow>, observer: DeviceId): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (rows[middle]!.observer < observer) low = middle + 1
    else high = middle
  }
  return low
}

const rowOf = (rows: ReadonlyArray<EdgeRow>, observer: DeviceId): EdgeRow | undefined => {
  const row = rows[indexOfRow(rows, observer)]
  return row?.observer === observer ? row : undefined
}

/** In which it wrote the row that we hold of it; 0: we hold none. */
export const incarnationOf = (rows: ReadonlyArray<EdgeRow>, observer: DeviceId): number =>
  rowOf(rows, observer)?.incarnation ?? 0

const isNewer = (a: RowHead, b: RowHead): boolean =>
  a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.version > b.version)

export const sameEdges = (a: EdgeRow["edges"], b: EdgeRow["edges"]): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!
    const y = b[i]!
    if (x.subject !== y.subject || x.incarnation !== y.incarnation || x.good !== y.good || x.left !== y.left)
      return false
  }
  return true
}

/** With its edges: somebody may have handed on false ones under the very version that the observer came to next. */
const isSame = (a: EdgeRow, b: EdgeRow): boolean =>
  a.incarnation === b.incarnation && a.version === b.version && sameEdges(a.edges, b.edges)

// ------------------------------------------------------------------------------------------------ fingerprints

const rowPrint = (row: EdgeRow | undefined): number =>
  row === undefined || row.version === 0 ? 0 : u32(row.incarnation, "edge-row", row.observer, row.version)

/** Order does not matter: two nodes that hold the same rows have the same fingerprint. */
export const fingerprintOf = ({ goodbyes, mine, rows }: Pick<Rows, "goodbyes" | "mine" | "rows">): number => {
  let sum = (Goodbyes.fingerprintOf(goodbyes) + rowPrint(mine)) >>> 0
  for (let i = 0; i < rows.length; i++) sum = (sum + rowPrint(rows[i]!)) >>> 0
  return sum
}

const groupOf = (observer: DeviceId): number => Number.parseInt(observer.charAt(0), ROW_GROUPS) % ROW_GROUPS

/** Every row that we hold, our own as well. */
const held = ({ mine, rows }: Rows): ReadonlyArray<EdgeRow> => (mine.version === 0 ? rows : [mine, ...rows])

const sumsOf = (all: Rows): ReadonlyArray<number> => {
  const sums = new Array<number>(ROW_GROUPS).fill(0)
  for (const row of held(all)) {
    const group = groupOf(row.observer)
    sums[group] = (sums[group]! + rowPrint(row)) >>> 0
  }
  return sums.map((sum, group) => (sum + Goodbyes.fingerprintOf(all.goodbyes, (id) => groupOf(id) === group)) >>> 0)
}

// ------------------------------------------------------------------------------------------------ sending

const sendRows = (turn: Turn, link: number, rows: ReadonlyArray<EdgeRow>): void => {
  let frame: Array<EdgeRow> = []
  let edges = 0
  for (const row of rows) {
    if (frame.length > 0 && edges + row.edges.length + 1 > EDGES_A_FRAME) {
      send(turn, link, "mesh.edges", { rows: frame })
      frame = []
      edges = 0
    }
    frame.push(row)
    edges += row.edges.length + 1
  }
  if (frame.length > 0) send(turn, link, "mesh.edges", { rows: frame })
}

/** Our own row is another: everybody that we have a session with hears it from ourselves. */
export const withMine = <H extends Holder>(holder: H, mine: EdgeRow, turn: Turn): H => {
  const fingerprint = (holder.fingerprint - rowPrint(holder.mine) + rowPrint(mine)) >>> 0
  const next = { ...holder, mine, fingerprint }
  if (!isFew(turn)) return withNews(next, [{ observer: mine.observer, from: null, round: 0 }], turn)
  for (const member of holder.members)
    if (member.link !== null && member.kernel) send(turn, member.link, "mesh.edges", { rows: [mine] })
  return next
}

const withNews = <H extends Holder>(holder: H, fresh: ReadonlyArray<News>, turn: Turn): H => {
  const old = holder.news.filter(({ observer }) => !fresh.some((news) => news.observer === observer))
  return spread({ ...holder, news: [...old, ...fresh] }, turn)
}

/** Those to whom rows of others are handed on: our neighbours on the rings, or everybody where we have few links. */
const neighbours = (members: ReadonlyArray<Member>, rings: Rings): ReadonlyArray<Member> => {
  const linked = members.filter(({ kernel, link }) => kernel && link !== null)
  if (linked.length <= FEW_NODES) return linked
  return linked.filter((member) => member.covers || rings.near[rings.placeOf.get(member.deviceId) ?? -1] === true)
}

/** Hands on what is due: each piece of news to three neighbours a round, a round each `spreadMs`. */
export const spread = <H extends Holder>(holder: H, turn: Turn): H => {
  const now = turn.at.mono
  if (holder.news.length === 0 || holder.spreadAt > now) return holder
  const to = neighbours(holder.members, ringsOf(turn.config))
  const frames = new Map<number, Array<EdgeRow>>()
  const put = (member: Member, row: EdgeRow): void => {
    const link = member.link!
    const frame = frames.get(link)
    if (frame === undefined) frames.set(link, [row])
    else frame.push(row)
  }
  const left: Array<News> = []
  for (const news of holder.news) {
    if (news.from === null) {
      for (const member of holder.members) if (member.kernel && member.link !== null) put(member, holder.mine)
      continue
    }
    const row = rowOf(holder.rows, news.observer)
    if (row === undefined) continue
    const first = rowPrint(row) % Math.max(1, to.length)
    const from = news.round * PEERS_A_ROUND
    for (let i = from; i < Math.min(to.length, from + PEERS_A_ROUND); i++) {
      const member = to[(first + i) % to.length]!
      if (member.deviceId !== news.from && member.deviceId !== news.observer) put(member, row)
    }
    const round = news.round + 1
    if (round * PEERS_A_ROUND < to.length && round < ROUNDS_MAX) left.push({ ...news, round })
  }
  for (const [link, rows] of frames) sendRows(turn, link, rows)
  return { ...holder, news: left, spreadAt: now + turn.config.profile.spreadMs }
}

/** When there is something to hand on. */
export const dueAt = ({ news, spreadAt }: Rows): number => (news.length === 0 ? NEVER_MS : spreadAt)

// ------------------------------------------------------------------------------------------------ receiving

/**
 * Others hold a newer row of whom we have a link with. We believe the device itself; but one that lost its journal may have
 * come back in an incarnation that it had before, and only this tells it (P3.20). The edges do not matter.
 */
const shown = (
  members: ReadonlyArray<Member>,
  place: number,
  { incarnation, version }: RowHead,
  turn: Turn
): ReadonlyArray<Member> => {
  const observer = members[place]!
  const { deviceId, kernel, link, shownAt } = observer
  const may = observes(turn.config.role) && link !== null && kernel
  if (!may || turn.at.mono - shownAt < turn.config.profile.beatMs) return members
  send(turn, link, "mesh.edges", { rows: [{ observer: deviceId, incarnation, version, edges: [] }] })
  return replaced(members, place, { ...observer, shownAt: turn.at.mono })
}

/** A row in our own name. Whoever keeps a journal never wrote a newer one than its last: then it is forged. */
const onMine = (mine: EdgeRow, row: RowHead, from: Member, turn: Turn): void => {
  if (turn.forgetful && isNewer(row, mine))
    turn.facts.push({ _tag: "Shown", peer: from.deviceId, incarnation: row.incarnation })
}

/** It is short enough to be kept, and names nobody twice: one observer's word counts once. */
const isRow = ({ edges }: EdgeRow): boolean =>
  edges.length <= ROW_EDGES_MAX && new Set(edges.map(({ subject }) => subject)).size === edges.length

/** Rows that are newer than what we hold are kept; an observer passes them on to everybody but the one they came from. */
export const onRows = <H extends Holder>(holder: H, incoming: ReadonlyArray<EdgeRow>, from: Member, turn: Turn): H => {
  const { placeOf } = ringsOf(turn.config)
  let { fingerprint, members } = holder
  let rows: Array<EdgeRow> | null = null
  const fresh: Array<EdgeRow> = []
  for (const row of incoming) {
    if (row.observer === turn.config.deviceId) onMine(holder.mine, row, from, turn)
    const place = placeOf.get(row.observer) ?? -1
    const observer = members[place]
    if (observer === undefined || !observer.observes || !isRow(row)) continue
    const all: ReadonlyArray<EdgeRow> = rows ?? holder.rows
    const at = indexOfRow(all, row.observer)
    const old = all[at]?.observer === row.observer ? all[at] : undefined
    // Whom we have a link to speaks for itself, and is believed over what others handed on in its name.
    const itself = row.observer === from.deviceId
    if (!itself && observer.link !== null) {
      if (old === undefined || isNewer(row, old)) members = shown(members, place, row, turn)
      continue
    }
    if (old !== undefined && (itself ? isSame(row, old) : !isNewer(row, old))) continue
    rows ??= holder.rows.slice()
    rows.splice(at, old === undefined ? 0 : 1, row)
    fingerprint = (fingerprint - rowPrint(old) + rowPrint(row)) >>> 0
    fresh.push(row)
    members = adoptIncarnations(members, row, placeOf, turn)
    tellReached(members, row, old, placeOf, turn)
  }
  if (rows === null) return members === holder.members ? holder : { ...holder, members }
  const next = { ...holder, members, rows, fingerprint }
  if (!observes(turn.config.role)) return next
  if (!isFew(turn))
    return withNews(
      next,
      fresh.map(({ observer }) => ({ observer, from: from.deviceId, round: 0 })),
      turn
    )
  const [counted, atOnce] = withinBudget(members, fresh, placeOf, turn)
  for (const member of members) {
    if (member.link === null || !member.kernel || member.deviceId === from.deviceId) continue
    const unknownToIt = atOnce.filter((row) => row.observer !== member.deviceId)
    if (unknownToIt.length > 0) sendRows(turn, member.link, unknownToIt)
  }
  const later = fresh.filter((row) => !atOnce.includes(row))
  return withNews(
    { ...next, members: counted },
    later.map(({ observer }) => ({ observer, from: from.deviceId, round: 0 })),
    turn
  )
}

/** Those that may be handed on at once; an observer that goes beyond it is told about once, until it has all of it again. */
const withinBudget = (
  members: ReadonlyArray<Member>,
  fresh: ReadonlyArray<EdgeRow>,
  placeOf: Rings["placeOf"],
  turn: Turn
): readonly [members: ReadonlyArray<Member>, atOnce: ReadonlyArray<EdgeRow>] => {
  const rate = { atOnce: ROWS_AT_ONCE, eachMs: turn.config.profile.spreadMs }
  let counted = members
  const atOnce = fresh.filter((row) => {
    const place = placeOf.get(row.observer)!
    const member = counted[place]!
    const { budget, tells, within } = spend(member.rows, rate, turn.at.mono)
    if (tells) {
      const reason = "its rows change too often"
      turn.facts.push({ _tag: "Refused", code: "RATE_LIMITED" })
      note(turn, { event: "frame.refused", code: "RATE_LIMITED", about: row.observer, reason })
    }
    counted = replaced(counted, place, { ...member, rows: budget })
    return within
  })
  return [counted, atOnce]
}

/**
 * An observer has met a newer incarnation of a device that we have no link to: our own edge to the older one says nothing
 * any more. With a link of our own, only the device itself tells us its incarnation.
 */
const adoptIncarnations = (
  members: ReadonlyArray<Member>,
  row: EdgeRow,
  placeOf: Rings["placeOf"],
  turn: Turn
): ReadonlyArray<Member> => {
  let next = members
  for (const edge of row.edges) {
    if (!edge.good) continue
    const place = placeOf.get(edge.subject) ?? -1
    const member = next[place]
    if (member === undefined || member.link !== null || edge.incarnation <= member.incarnation) continue
    const reborn = Probe.reborn(member, edge.incarnation)
    turn.facts.push({ _tag: "Told", peer: member.deviceId, incarnation: edge.incarnation })
    // A goodbye is final for the incarnation that said it, and for no other.
    next = replaced(next, place, member.state === "left" ? { ...reborn, state: "unknown" } : reborn)
  }
  return next
}

/** Whom we have as down, and the observer reaches, which it did not by its row before: the network may be whole again. */
const tellReached = (
  members: ReadonlyArray<Member>,
  { edges }: EdgeRow,
  old: EdgeRow | undefined,
  placeOf: Rings["placeOf"],
  { facts }: Turn
): void => {
  for (const { good, subject } of edges) {
    const member = members[placeOf.get(subject) ?? -1]
    if (!good || member === undefined || member.state !== "down" || member.link !== null) continue
    const did = old?.edges.some((edge) => edge.subject === subject && edge.good) === true
    if (!did) facts.push({ _tag: "Reached", peer: subject })
  }
}

// ------------------------------------------------------------------------------------------------ comparing

type Payload<E extends Event["event"]> = Extract<Event, { readonly event: E }>["payload"]

/** A heartbeat with another fingerprint than ours. */
export const onDifference = (all: Rows, link: number, turn: Turn): void => {
  if (!isFew(turn)) return send(turn, link, "mesh.rows.sums", { sums: sumsOf(all) })
  if (!observes(turn.config.role)) return
  sendRows(turn, link, held(all))
  Goodbyes.tell(all.goodbyes, link, turn)
}

/** The goodbyes of these groups, from whoever passes anything on (B14). */
const tellOf = ({ goodbyes }: Rows, groups: ReadonlyArray<number>, link: number, turn: Turn): void => {
  if (!observes(turn.config.role)) return
  const chosen = goodbyes.filter(({ deviceId }) => groups.includes(groupOf(deviceId)))
  Goodbyes.tell(chosen, link, turn)
}

/** We hold other rows than the sender in some groups: these are ours. */
export const onSums = (all: Rows, { sums }: Payload<"mesh.rows.sums">, link: number, turn: Turn): void => {
  const own = sumsOf(all)
  const groups = own.flatMap((sum, group) => (sum === sums[group] ? [] : [group]))
  if (groups.length === 0) return
  const have = held(all)
    .filter(({ observer }) => groups.includes(groupOf(observer)))
    .map(({ incarnation, observer, version }) => ({ observer, incarnation, version }))
  send(turn, link, "mesh.rows.have", { groups, have })
  tellOf(all, groups, link, turn)
}

/** What the sender lacks of these groups, and what we lack. A viewer only asks (B14). */
export const onHave = <H extends Holder>(
  all: H,
  { groups, have }: Payload<"mesh.rows.have">,
  from: Member,
  link: number,
  turn: Turn
): H => {
  const theirs = new Map(have.map((head): [DeviceId, RowHead] => [head.observer, head]))
  if (observes(turn.config.role)) {
    const lacking = held(all).filter((row) => {
      const head = theirs.get(row.observer)
      return groups.includes(groupOf(row.observer)) && (head === undefined || isNewer(row, head))
    })
    sendRows(turn, link, lacking)
  }
  tellOf(all, groups, link, turn)
  const { placeOf } = ringsOf(turn.config)
  let { members } = all
  const observers: Array<DeviceId> = []
  for (const head of have) {
    if (head.observer === turn.config.deviceId) onMine(all.mine, head, from, turn)
    const place = placeOf.get(head.observer) ?? -1
    const observer = members[place]
    if (observer === undefined) continue
    const own = rowOf(all.rows, head.observer)
    if (own !== undefined && !isNewer(head, own)) continue
    // Of whom we have a session with we would not believe it.
    if (observer.link === null || observer.deviceId === from.deviceId) observers.push(head.observer)
    else members = shown(members, place, head, turn)
  }
  if (observers.length > 0) send(turn, link, "mesh.rows.want", { observers: observers.sort(compareText) })
  return members === all.members ? all : { ...all, members }
}

export const onWant = (all: Rows, { observers }: Payload<"mesh.rows.want">, link: number, turn: Turn): void => {
  if (!observes(turn.config.role)) return
  const wanted = new Set(observers)
  sendRows(
    turn,
    link,
    held(all).filter(({ observer }) => wanted.has(observer))
  )
}
