/**
 * Who observes whom (mesh protocol, membership 1): up to seven observers all observe everybody; more stand on pseudo-random
 * rings, and a device is observed by those next to it, on both sides, ring after ring, until it has six of them. So what a node
 * probes, sends and keeps does not grow with the mesh.
 *
 * Promises: a function of the ids and roles that a node trusts and of the mesh's key, so that nodes of one trust store agree
 * without a word; whoever makes itself an identity cannot choose beside whom it stands without trying keys for it, and the key
 * of the mesh makes that work useless for the next mesh. Viewers are observed, and observe nobody (B14).
 *
 * Does not know: who is alive, or reachable; nor that a device of generation 1 observes nobody, which in a mesh of more than
 * seven takes places on the rings (in smaller ones everybody counts who has something to say). What to do where the observers of
 * a device cannot see it is Verdict.ts's.
 *
 * Source of the rings: Suresh et al., "Stable and Consistent Membership at Scale with Rapid" (2018); here they have no
 * direction, which halves the links for the same number of observers.
 */
import { observes, type Config } from "../Config.ts"
import { at, key, type Key } from "../Draw.ts"
import type { DeviceId } from "../wire/Frame.ts"

/** Observers of a device, where there are more than `EVERYONE_MAX`. */
export const RING_OBSERVERS = 6
/** So many observers observe everybody. */
export const EVERYONE_MAX = 7
/** Rings that are walked for the sixth observer; then ids decide. Three are enough but for neighbours who meet twice. */
const RINGS_MAX = 64

/** Stands for ourselves among places. */
export const SELF = -1

export interface Rings {
  /** Places of devices in `config.trusted`, and so among the members. */
  readonly placeOf: ReadonlyMap<DeviceId, number>
  /** By place: the places of those who observe that device. */
  readonly observersOf: ReadonlyArray<ReadonlyArray<number>>
  /** By place: we observe it. */
  readonly observed: ReadonlyArray<boolean>
  /** By place: we observe it, or it observes us. */
  readonly near: ReadonlyArray<boolean>
  /** By place: probed at each beat. What we observe; a viewer watches its own observers, for itself. */
  readonly watched: ReadonlyArray<boolean>
  /** How many observers there are, with us if we are one. */
  readonly observers: number
}

interface Ring {
  /** Places of observers in the order of the ring. */
  readonly order: ReadonlyArray<number>
  /** By place, `SELF` at the end: where it stands, or would stand, in `order`. */
  readonly rankOf: (place: number) => number
}

const made = new WeakMap<Config, Rings>()

/** Of one configuration, computed once. */
export const ringsOf = (config: Config): Rings => {
  const known = made.get(config)
  if (known !== undefined) return known
  const rings = make(config)
  made.set(config, rings)
  return rings
}

const make = (config: Config): Rings => {
  const { deviceId, role, trusted } = config
  const observers: Array<number> = []
  for (let place = 0; place < trusted.length; place++) if (observes(trusted[place]!.role)) observers.push(place)
  if (observes(role)) observers.push(SELF)
  const idOf = (place: number): DeviceId => (place === SELF ? deviceId : trusted[place]!.deviceId)
  const others = (place: number): ReadonlyArray<number> => observers.filter((other) => other !== place)
  const walk = observers.length <= EVERYONE_MAX ? others : walker(config.meshKey, observers, trusted.length, idOf)
  const observersOf = trusted.map((_, place) => walk(place))
  const observed = observersOf.map((all) => all.includes(SELF))
  const near = observed.slice()
  for (const place of walk(SELF)) near[place] = true
  return {
    placeOf: new Map(trusted.map((device, place): [DeviceId, number] => [device.deviceId, place])),
    observersOf,
    observed,
    near,
    watched: observes(role) ? observed : near,
    observers: observers.length
  }
}

/** Finds the observers of a place: its neighbours among `observers`, ring after ring. */
const walker = (
  meshKey: string,
  observers: ReadonlyArray<number>,
  devices: number,
  idOf: (place: number) => DeviceId
): ((place: number) => ReadonlyArray<number>) => {
  const keys: Array<Key> = []
  for (let place = 0; place < devices; place++) keys.push(key(0, meshKey, idOf(place)))
  const own = key(0, meshKey, idOf(SELF))
  const keyOf = (place: number): Key => (place === SELF ? own : keys[place]!)
  const rings: Array<Ring> = []
  const ring = (n: number): Ring => (rings[n] ??= makeRing(n, observers, keyOf, idOf))
  return (place) => {
    const found: Array<number> = []
    const add = (other: number): void => {
      if (other !== place && found.length < RING_OBSERVERS && !found.includes(other)) found.push(other)
    }
    for (let n = 0; n < RINGS_MAX && found.length < RING_OBSERVERS; n++) {
      const { order, rankOf } = ring(n)
      const rank = rankOf(place)
      const stands = order[rank] === place
      add(order[(rank + order.length - 1) % order.length]!)
      add(order[(rank + (stands ? 1 : 0)) % order.length]!)
    }
    for (let i = 0; i < observers.length && found.length < RING_OBSERVERS; i++) add(observers[i]!)
    return found
  }
}

const makeRing = (
  n: number,
  observers: ReadonlyArray<number>,
  keyOf: (place: number) => Key,
  idOf: (place: number) => DeviceId
): Ring => {
  const standing = observers.map((place) => ({ place, position: at(keyOf(place), n) }))
  standing.sort((a, b) => a.position - b.position || (idOf(a.place) < idOf(b.place) ? -1 : 1))
  const order = standing.map(({ place }) => place)
  const ranks = new Map(order.map((place, rank): [number, number] => [place, rank]))
  const rankOf = (place: number): number => {
    const rank = ranks.get(place)
    if (rank !== undefined) return rank
    const position = at(keyOf(place), n)
    let low = 0
    let high = standing.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (standing[middle]!.position < position) low = middle + 1
      else high = middle
    }
    return low % standing.length
  }
  return { order, rankOf }
}
