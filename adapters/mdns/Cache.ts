/**
 * What is known of the devices nearby: a pure cache of DNS-SD records (RFC 6762 10, RFC 6763) and what follows from it.
 *
 * `heard` takes a packet in, `ticked` lets time pass; both give the next cache and what is new to tell. Answers may come in any
 * order and in any number of packets: what is missing is asked for, what grows old is asked for again, what is not answered
 * runs out. A goodbye counts after a second, so that a device which contradicts it is never gone.
 *
 * Promises: total; the same record again is no news; memory and questions are bounded whatever is sent, and a flood from one
 * address pushes out only what came from there. Times are ms on one monotonic clock, given by the caller.
 *
 * Not modelled: who is right, when two claim one device. Both are reported in one sighting, the newer first.
 */
import type { Happened } from "../../kernel/Input.ts"
import { endpoint, ordered, rank } from "./Addresses.ts"
import {
  type AddressRec,
  askable,
  type Facts,
  labelOf,
  type Packet,
  recordsOf,
  SERVICE,
  type ServiceRec,
  shownName
} from "./Records.ts"

export type News = Extract<Happened, { readonly _tag: "Sighted" | "Lost" }>

export interface Question {
  readonly name: string
  readonly type: "PTR" | "SRV" | "TXT" | "A" | "AAAA"
}

export interface Settings {
  /** Our own device, which we never report. */
  readonly self: string
  /** How long a device that fell silent stays known at most, ms: a bound on the TTLs of SRV and address records. */
  readonly silentMaxMs: number
  /** At which part of its TTL a record is asked for again, 0.80 to 0.82: drawn once, so that not all nodes ask at once. */
  readonly refreshAt: number
}

/** As bonjour-service and most responders set it. */
export const SILENT_MAX_MS = 120_000
/** Of PTR and TXT records; the longest that responders set. */
const TTL_MAX_MS = 28_800_000
/** RFC 6762 10.1: a record with TTL 0 lives on for a second. */
const GOODBYE_MS = 1_000
/** RFC 6762 5.2: asked for again at 80, 85, 90 and 95 % of its TTL. */
const REFRESHES = 4
const REFRESH_STEP = 0.05
/** First follow-up question for what is missing: the rest of a split answer mostly comes by itself. */
const FOLLOW_UP_MS = 100
const FOLLOW_UP_GAP_MIN_MS = 1_000
const FOLLOW_UP_GAP_MAX_MS = 60_000
/** How long a service that cannot be completed is kept. */
const INCOMPLETE_MAX_MS = 120_000
/** News of one device that is already known, at most this often. */
const NEWS_GAP_MS = 1_000
/** A mesh is some tens of devices; the rest of the room is for a neighbour's and for ghosts. */
export const SERVICES_MAX = 256
const ADDRESSES_PER_HOST_MAX = 8
const ADDRESSES_TOLD_MAX = 8
/** As many as surely fit into one packet of 1,400 bytes; names are not compressed. */
export const KNOWN_ANSWERS_MAX = 8

interface Life {
  readonly at: number
  readonly ttlMs: number
  readonly expires: number
  /** Times that it was asked for again. */
  readonly asked: number
}

interface Srv extends Life {
  readonly target: string
  readonly port: number
  readonly source: string
}

interface Txt extends Life {
  readonly facts: Facts | null
}

interface Address extends Life {
  readonly address: string
  readonly type: "A" | "AAAA"
  readonly since: number
}

interface FollowUp {
  readonly next: number
  readonly gapMs: number
}

interface Service {
  /** As it was spelled. */
  readonly name: string
  /** Who first spoke of it. */
  readonly from: string
  readonly since: number
  readonly ptr: Life | null
  readonly srv: Srv | null
  readonly txt: Txt | null
  readonly followUp: FollowUp
  /** Since when something is missing. */
  readonly incompleteSince: number | null
}

interface Host {
  readonly addresses: ReadonlyArray<Address>
  readonly followUp: FollowUp
}

export interface Cache {
  readonly services: ReadonlyMap<string, Service>
  /** Of the targets of services, and of no others. */
  readonly hosts: ReadonlyMap<string, Host>
  readonly told: ReadonlyMap<string, { readonly text: string; readonly at: number }>
  /** Devices whose news wait for `NEWS_GAP_MS`. */
  readonly late: ReadonlySet<string>
}

export interface Step {
  readonly cache: Cache
  readonly news: ReadonlyArray<News>
}

export const empty: Cache = { services: new Map(), hosts: new Map(), told: new Map(), late: new Set() }

const lifeOf = (ttlMs: number, maxMs: number, now: number): Life => {
  const bounded = Math.min(ttlMs, maxMs)
  return { at: now, ttlMs: bounded, expires: now + bounded, asked: 0 }
}

const leaving = <L extends Life>(life: L | null, now: number): L | null =>
  life === null ? null : { ...life, expires: Math.min(life.expires, now + GOODBYE_MS), asked: REFRESHES }

const isComplete = ({ ptr, srv, txt }: Service): boolean => ptr !== null && srv !== null && txt !== null

/** A cache being changed, and the devices of which something may be new. */
class Draft {
  readonly services: Map<string, Service>
  readonly hosts: Map<string, Host>
  readonly devices = new Set<string>()

  constructor(cache: Cache) {
    this.services = new Map(cache.services)
    this.hosts = new Map(cache.hosts)
  }

  set(key: string, next: Service, now: number): void {
    this.#touch(this.services.get(key))
    const complete = isComplete(next)
    this.services.set(key, { ...next, incompleteSince: complete ? null : (next.incompleteSince ?? now) })
    this.#touch(next)
    if (next.srv === null) return
    const host = next.srv.target.toLowerCase()
    if (!this.hosts.has(host))
      this.hosts.set(host, { addresses: [], followUp: { next: now + FOLLOW_UP_MS, gapMs: FOLLOW_UP_GAP_MIN_MS } })
  }

  delete(key: string): void {
    this.#touch(this.services.get(key))
    this.services.delete(key)
  }

  setHost(key: string, host: Host): void {
    this.hosts.set(key, host)
    for (const service of this.services.values()) if (service.srv?.target.toLowerCase() === key) this.#touch(service)
  }

  /** Forgets hosts that no service runs on any more. */
  prune(): void {
    const targets = new Set([...this.services.values()].map(({ srv }) => srv?.target.toLowerCase()))
    for (const key of this.hosts.keys()) if (!targets.has(key)) this.hosts.delete(key)
  }

  #touch(service: Service | undefined): void {
    const deviceId = service?.txt?.facts?.deviceId
    if (deviceId !== undefined) this.devices.add(deviceId)
  }
}

/** Makes room for one more service from `source`; false: there is none. */
const makeRoom = (draft: Draft, source: string): boolean => {
  if (draft.services.size < SERVICES_MAX) return true
  const counts = new Map<string, number>()
  for (const { from } of draft.services.values()) counts.set(from, (counts.get(from) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const own = counts.get(source) ?? 0
  const candidates = [...draft.services].filter(([, { from }]) =>
    own === most ? from === source : counts.get(from) === most
  )
  const oldestIncomplete = candidates
    .filter(([, service]) => !isComplete(service))
    .sort(([, a], [, b]) => a.since - b.since)[0]
  // Of complete ones the newest goes: whoever has been here for long is no ghost of this flood.
  const newest = own === most ? undefined : candidates.sort(([, a], [, b]) => b.since - a.since)[0]
  const victim = oldestIncomplete ?? newest
  if (victim === undefined) return false
  draft.delete(victim[0])
  return true
}

const serviceFor = (draft: Draft, name: string, source: string, now: number): Service | null => {
  const known = draft.services.get(name.toLowerCase())
  if (known !== undefined) return known
  return makeRoom(draft, source)
    ? {
        name,
        from: source,
        since: now,
        ptr: null,
        srv: null,
        txt: null,
        followUp: { next: now + FOLLOW_UP_MS, gapMs: FOLLOW_UP_GAP_MIN_MS },
        incompleteSince: now
      }
    : null
}

/**
 * Where a service now is. A device on two networks speaks from two addresses by turns and claims both; that is no move. One
 * that speaks from elsewhere and no longer claims its old address has moved.
 */
const sourceNow = (service: Service, draft: Draft, target: string, claimed: ReadonlySet<string>, source: string) => {
  const before = service.srv?.source
  if (before === undefined || before === source) return source
  const host = draft.hosts.get(target.toLowerCase())
  const claims = claimed.size > 0 ? claimed : new Set(host?.addresses.map(({ address }) => address))
  return claims.has(before) && claims.has(source) ? before : source
}

const hearService = (
  draft: Draft,
  record: ServiceRec,
  claimed: ReadonlySet<string>,
  settings: Settings,
  source: string,
  now: number
): void => {
  const key = record.service.toLowerCase()
  if (record.ttlMs === 0) {
    const service = draft.services.get(key)
    if (service === undefined) return
    const slot = record.type === "PTR" ? "ptr" : record.type === "SRV" ? "srv" : "txt"
    return draft.set(key, { ...service, [slot]: leaving<Life>(service[slot], now) }, now)
  }
  const service = serviceFor(draft, record.service, source, now)
  if (service === null) return
  switch (record.type) {
    case "PTR":
      return draft.set(key, { ...service, ptr: lifeOf(record.ttlMs, TTL_MAX_MS, now) }, now)
    case "SRV": {
      const from = sourceNow(service, draft, record.target, claimed, source)
      const isNew =
        service.srv?.port !== record.port || service.srv.target !== record.target || service.srv.source !== from
      const { port, target } = record
      const srv = { ...lifeOf(record.ttlMs, settings.silentMaxMs, now), port, target, source: from }
      return draft.set(key, { ...service, srv, since: isNew ? now : service.since }, now)
    }
    case "TXT": {
      const isNew = JSON.stringify(service.txt?.facts) !== JSON.stringify(record.facts)
      const txt = { ...lifeOf(record.ttlMs, TTL_MAX_MS, now), facts: record.facts }
      return draft.set(key, { ...service, txt, since: isNew ? now : service.since }, now)
    }
  }
}

const hearAddresses = (
  draft: Draft,
  key: string,
  records: ReadonlyArray<AddressRec>,
  settings: Settings,
  now: number
): void => {
  const host = draft.hosts.get(key)
  if (host === undefined) return
  let addresses = [...host.addresses]
  for (const { address, flush, ttlMs, type } of records) {
    if (rank(address) === null) continue
    const known = addresses.find((each) => each.address === address)
    if (ttlMs === 0) {
      addresses = addresses.map((each) => (each === known ? leaving(each, now)! : each))
      continue
    }
    // RFC 6762 10.2: with the flush bit these are all there are; what is older than a second goes within one.
    if (flush)
      addresses = addresses.map((each) => (each.type === type && each.at < now - 1_000 ? leaving(each, now)! : each))
    const next = { ...lifeOf(ttlMs, settings.silentMaxMs, now), address, type, since: known?.since ?? now }
    addresses = [...addresses.filter((each) => each.address !== address), next]
  }
  const kept = addresses.sort((a, b) => b.at - a.at).slice(0, ADDRESSES_PER_HOST_MAX)
  draft.setHost(key, { ...host, addresses: kept })
}

const addressesOf = (draft: Draft, { srv }: Service): ReadonlyArray<string> =>
  srv === null
    ? []
    : ordered(draft.hosts.get(srv.target.toLowerCase())?.addresses ?? [], srv.source).map((address) =>
        endpoint(address, srv.port)
      )

/** What can be said of a device now: the newest record's word, the addresses of all, one of each in turn. */
const sightingOf = (draft: Draft, deviceId: string): News => {
  const services = [...draft.services.values()]
    .filter((service) => isComplete(service) && service.txt?.facts?.deviceId === deviceId)
    .sort((a, b) => b.since - a.since || (a.name < b.name ? -1 : 1))
  const lists = services.map((service) => addressesOf(draft, service))
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  const turns = Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list[index] ?? []))
  const addresses = [...new Set(turns.flat())].slice(0, ADDRESSES_TOLD_MAX)
  const newest = services[0]
  if (newest === undefined || addresses.length === 0) return { _tag: "Lost", deviceId }
  const { name, ...facts } = newest.txt!.facts!
  return { _tag: "Sighted", ...facts, name: name ?? shownName(labelOf(newest.name) ?? ""), addresses }
}

const settle = (before: Cache, draft: Draft, settings: Settings, now: number): Step => {
  draft.prune()
  const told = new Map(before.told)
  const late = new Set(before.late)
  const news: Array<News> = []
  for (const deviceId of draft.devices) {
    if (deviceId === settings.self) continue
    const known = told.get(deviceId)
    const item = sightingOf(draft, deviceId)
    const text = JSON.stringify(item)
    late.delete(deviceId)
    if (item._tag === "Lost") {
      if (told.delete(deviceId)) news.push(item)
    } else if (text !== known?.text) {
      if (known !== undefined && now < known.at + NEWS_GAP_MS) late.add(deviceId)
      else {
        told.set(deviceId, { text, at: now })
        news.push(item)
      }
    }
  }
  return { cache: { services: draft.services, hosts: draft.hosts, told, late }, news }
}

/** A response from `source` (an IPv4 address) came in. */
export const heard = (cache: Cache, settings: Settings, packet: Packet, source: string, now: number): Step => {
  const { addresses, services } = recordsOf(packet)
  if (addresses.length + services.length === 0) return { cache, news: [] }
  const draft = new Draft(cache)
  const byHost = Map.groupBy(addresses, ({ host }) => host.toLowerCase())
  const claimedFor = (record: ServiceRec): ReadonlyArray<string> =>
    record.type === "SRV"
      ? (byHost.get(record.target.toLowerCase()) ?? []).flatMap(({ address, ttlMs }) => (ttlMs > 0 ? [address] : []))
      : []
  // Hosts are kept for the sake of services, so these come first.
  for (const record of services) hearService(draft, record, new Set(claimedFor(record)), settings, source, now)
  for (const [key, ofHost] of byHost) hearAddresses(draft, key, ofHost, settings, now)
  return settle(cache, draft, settings, now)
}

const isOver = (life: Life | null, now: number): boolean => life !== null && life.expires <= now

const refreshTime = (life: Life, { refreshAt }: Settings): number =>
  life.asked < REFRESHES ? life.at + Math.round(life.ttlMs * (refreshAt + REFRESH_STEP * life.asked)) : Infinity

const followUpTime = ({ followUp }: Service | Host, isMissing: boolean): number =>
  isMissing ? followUp.next : Infinity

const nextFollowUp = ({ followUp }: Service | Host, now: number): FollowUp => ({
  next: now + followUp.gapMs,
  gapMs: Math.min(followUp.gapMs * 2, FOLLOW_UP_GAP_MAX_MS)
})

/** When `ticked` has something to do next, ms; `Infinity`: not before the next packet. */
export const wakeAt = (cache: Cache, settings: Settings): number => {
  let next = Infinity
  const at = (time: number) => (next = Math.min(next, time))
  const life = (each: Life | null) => each !== null && at(Math.min(each.expires, refreshTime(each, settings)))
  for (const service of cache.services.values()) {
    life(service.ptr)
    life(service.srv)
    life(service.txt)
    at(followUpTime(service, !isComplete(service)))
    if (service.incompleteSince !== null) at(service.incompleteSince + INCOMPLETE_MAX_MS)
  }
  for (const host of cache.hosts.values()) {
    for (const address of host.addresses) life(address)
    at(followUpTime(host, host.addresses.length === 0))
  }
  for (const deviceId of cache.late) at((cache.told.get(deviceId)?.at ?? 0) + NEWS_GAP_MS)
  return next
}

/** Time passed: what ran out is gone, and `questions` ask for what is missing or grows old. */
export const ticked = (
  cache: Cache,
  settings: Settings,
  now: number
): Step & { readonly questions: ReadonlyArray<Question> } => {
  if (wakeAt(cache, settings) > now) return { cache, news: [], questions: [] }
  const draft = new Draft(cache)
  const questions = new Map<string, Question>()
  const ask = (name: string, type: Question["type"]) => {
    if (askable(name)) questions.set(`${type} ${name.toLowerCase()}`, { name, type })
  }
  const refreshed = <L extends Life>(life: L, name: string, type: Question["type"]): L => {
    if (refreshTime(life, settings) > now) return life
    ask(name, type)
    return { ...life, asked: life.asked + 1 }
  }
  for (const [key, service] of cache.services) {
    const { incompleteSince, name, ptr, srv } = service
    const hopeless = incompleteSince !== null && incompleteSince + INCOMPLETE_MAX_MS <= now
    if (isOver(ptr, now) || isOver(srv, now) || hopeless) {
      draft.delete(key)
      continue
    }
    const txt = isOver(service.txt, now) ? null : service.txt
    let next: Service = {
      ...service,
      ptr: ptr && refreshed(ptr, SERVICE, "PTR"),
      srv: srv && refreshed(srv, name, "SRV"),
      txt: txt && refreshed(txt, name, "TXT")
    }
    if (followUpTime(next, !isComplete(next)) <= now) {
      if (ptr === null) ask(SERVICE, "PTR")
      if (srv === null) ask(name, "SRV")
      if (txt === null) ask(name, "TXT")
      next = { ...next, followUp: nextFollowUp(next, now) }
    }
    draft.set(key, next, now)
  }
  draft.prune()
  for (const [key, host] of draft.hosts) {
    const addresses = host.addresses
      .filter((address) => !isOver(address, now))
      .map((address) => refreshed(address, key, address.type))
    const isDue = followUpTime(host, addresses.length === 0) <= now
    if (isDue) {
      ask(key, "A")
      ask(key, "AAAA")
    }
    draft.setHost(key, { addresses, followUp: isDue ? nextFollowUp(host, now) : host.followUp })
  }
  for (const deviceId of cache.late) draft.devices.add(deviceId)
  return { ...settle(cache, draft, settings, now), questions: [...questions.values()] }
}

/**
 * What a question for all services says that we know already, so that nobody repeats it (RFC 6762 7.1): the services with most
 * of their TTL left, which must be more than half of it. Seconds.
 */
export const knownAnswers = (
  cache: Cache,
  now: number
): ReadonlyArray<{ readonly service: string; readonly ttlSeconds: number }> =>
  [...cache.services.values()]
    .flatMap((service) => {
      const { name, ptr } = service
      if (ptr === null || !isComplete(service) || !askable(name) || ptr.asked >= REFRESHES) return []
      const leftMs = ptr.expires - now
      return leftMs > ptr.ttlMs / 2 ? [{ service: name, ttlSeconds: Math.floor(leftMs / 1000), leftMs }] : []
    })
    .sort((a, b) => b.leftMs - a.leftMs)
    .slice(0, KNOWN_ANSWERS_MAX)
    .map(({ service, ttlSeconds }) => ({ service, ttlSeconds }))
