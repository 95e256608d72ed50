/**
 * What is still to happen: the simulator's event queue, a timing wheel.
 *
 * The wheel has one slot per millisecond of the next 8,192; what is further away waits in a heap and moves into the wheel when
 * its slot comes into reach. Idle time costs nothing: occupied slots are found through a bitmap, and an empty wheel jumps.
 *
 * Promises: events come out by time, and at equal times in the order in which they were pushed, however far ahead that was,
 * and also when they are pushed while that very millisecond is drained. `push`, `cancel` and `next` take constant time within
 * the wheel and logarithmic time beyond it, and allocate nothing once the arrays have grown (a handle above 2^31 is boxed by
 * the engine). A cancelled event leaves nothing behind.
 *
 * Does not model: fractions of a millisecond. Ties are a choice of whoever takes events with `nextBy` in place of `next`.
 *
 * Source: G. Varghese and T. Lauck, "Hashed and hierarchical timing wheels" (1987), scheme 4 with an overflow heap.
 */
import { NEVER_MS } from "../../kernel/Time.ts"

/** A power of two. Covers nearly all network delays and protocol timeouts, and its bitmap's summary is 8 words. */
const SLOTS = 8192
const SLOT_MASK = SLOTS - 1
const WORDS = SLOTS >>> 5
const SUMMARY_WORDS = WORDS >>> 5

const INITIAL_CAPACITY = 1024

const NONE = -1
/** In `previous`: the entry is on the freelist. */
const FREE = -2
/** In `previous`: the entry is in the heap, at `next[entry]`. */
const IN_HEAP = -3

/** A handle is generation * 2^22 + entry. */
const MAX_ENTRIES = 2 ** 22
/** An entry that was used so often is retired, so that no handle ever comes twice. */
const MAX_GENERATION = 2 ** 30

/** Index of the lowest set bit of a word that is not 0. */
const lowestBit = (word: number): number => 31 - Math.clz32(word & -word)

/** Names one event in the agenda that gave it, and in forks made after that; never given twice by one agenda. */
export type Handle = number

const grown = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
  to.set(from)
  return to
}

export class Agenda<A> {
  /** Time and payload of the event that `next` took last; `payload` is undefined before the first one. */
  atMs = 0
  payload: A | undefined = undefined
  /** Events that are still to happen. */
  size = 0

  /** By entry: time, times used, and links. In a slot a doubly linked list; in the heap `nextOf` is the place in it. */
  private time: Float64Array
  private generation: Int32Array
  private nextOf: Int32Array
  private previousOf: Int32Array
  private payloads: Array<A | undefined>
  private free = NONE
  /** Entries from this one on were never used. */
  private used = 0

  private head: Int32Array
  private tail: Int32Array
  private occupied: Int32Array
  private summary: Int32Array

  /** Entries at `atMs + SLOTS` or later, as a binary heap by (time, order of pushing). */
  private heap: Int32Array
  private heapSize = 0
  private order: Float64Array
  private pushes = 0

  /** Another agenda reads the same arrays: they are copied before anything changes in them. */
  private shared = false

  constructor(from?: Agenda<A>) {
    this.time = from?.time ?? new Float64Array(INITIAL_CAPACITY)
    this.generation = from?.generation ?? new Int32Array(INITIAL_CAPACITY)
    this.nextOf = from?.nextOf ?? new Int32Array(INITIAL_CAPACITY)
    this.previousOf = from?.previousOf ?? new Int32Array(INITIAL_CAPACITY)
    this.heap = from?.heap ?? new Int32Array(INITIAL_CAPACITY)
    this.order = from?.order ?? new Float64Array(INITIAL_CAPACITY)
    this.payloads = from?.payloads ?? []
    this.head = from?.head ?? new Int32Array(SLOTS).fill(NONE)
    this.tail = from?.tail ?? new Int32Array(SLOTS).fill(NONE)
    this.occupied = from?.occupied ?? new Int32Array(WORDS)
    this.summary = from?.summary ?? new Int32Array(SUMMARY_WORDS)
    if (from === undefined) return
    this.shared = true
    this.atMs = from.atMs
    this.payload = from.payload
    this.size = from.size
    this.free = from.free
    this.used = from.used
    this.heapSize = from.heapSize
    this.pushes = from.pushes
  }

  /**
   * `atMs` is an integer, not before the event taken last (throws: that is a bug of the simulator) and below `NEVER_MS`.
   */
  push(atMs: number, payload: A): Handle {
    if (!(atMs >= this.atMs && atMs < NEVER_MS && Math.floor(atMs) === atMs)) {
      throw new RangeError(`Agenda.push: ${atMs} ms is not an integer time from now (${this.atMs} ms) on`)
    }
    if (this.shared) this.copy()
    let entry = this.free
    if (entry !== NONE) this.free = this.nextOf[entry]!
    else {
      if (this.used === this.time.length) this.grow()
      entry = this.used++
      this.payloads.push(undefined)
    }
    this.time[entry] = atMs
    this.payloads[entry] = payload
    this.size++
    if (atMs - this.atMs < SLOTS) this.append(entry, atMs & SLOT_MASK)
    else {
      this.order[entry] = this.pushes++
      this.previousOf[entry] = IN_HEAP
      this.siftUp(this.heapSize++, entry)
    }
    return this.generation[entry]! * MAX_ENTRIES + entry
  }

  /** Whether the event was still to happen; it now will not. Also for handles that are spent or were cancelled before. */
  cancel(handle: Handle): boolean {
    const generation = Math.floor(handle / MAX_ENTRIES)
    const entry = handle - generation * MAX_ENTRIES
    if (!(entry < this.used) || this.generation[entry] !== generation) return false
    const place = this.previousOf[entry]!
    if (place === FREE) return false
    if (this.shared) this.copy()
    if (place === IN_HEAP) this.removeFromHeap(this.nextOf[entry]!)
    else this.unlink(entry, this.time[entry]! & SLOT_MASK)
    this.release(entry)
    return true
  }

  /** Takes the next event into `atMs` and `payload`; false, and nothing changes, when there is none. */
  next(): boolean {
    const slot = this.arrive()
    if (slot === NONE) return false
    // As `take`, of what has nothing before it.
    const entry = this.head[slot]!
    this.payload = this.payloads[entry]
    const after = this.nextOf[entry]!
    this.head[slot] = after
    if (after !== NONE) this.previousOf[after] = NONE
    else this.vacate(slot)
    this.release(entry)
    return true
  }

  /** As `next`, but takes of all that is due first the one that `choose` names by its place in the order of pushing. */
  nextBy(choose: (due: ReadonlyArray<A>) => number): boolean {
    const slot = this.arrive()
    if (slot === NONE) return false
    const due: Array<A> = []
    for (let entry = this.head[slot]!; entry !== NONE; entry = this.nextOf[entry]!) due.push(this.payloads[entry]!)
    let entry = this.head[slot]!
    for (let left = choose(due); left > 0; left--) entry = this.nextOf[entry]!
    this.take(entry, slot)
    return true
  }

  private take(entry: number, slot: number): void {
    this.payload = this.payloads[entry]
    this.unlink(entry, slot)
    this.release(entry)
  }

  /** Moves time on to the next event; its slot, or `NONE`. */
  private arrive(): number {
    if (this.shared && this.size > 0) this.copy()
    let slot = this.atMs & SLOT_MASK
    let entry = this.head[slot]!
    if (entry === NONE) {
      if (this.size === 0) return NONE
      if (this.size === this.heapSize) {
        this.atMs = this.time[this.heap[0]!]!
        this.migrate()
        slot = this.atMs & SLOT_MASK
      } else {
        slot = this.firstOccupied(slot)
        entry = this.head[slot]!
        this.atMs = this.time[entry]!
        // Before anything can be pushed: what waited in the heap for a millisecond comes before what is pushed to it now.
        if (this.heapSize > 0) this.migrate()
      }
    }
    return slot
  }

  /** Time of the next event; `NEVER_MS` when there is none. */
  peekMs(): number {
    if (this.size === 0) return NEVER_MS
    if (this.size === this.heapSize) return this.time[this.heap[0]!]!
    return this.time[this.head[this.firstOccupied(this.atMs & SLOT_MASK)]!]!
  }

  /**
   * An independent copy in the same state, with the same handles. Payloads are shared: they must be immutable. Takes constant
   * time; each of the two takes arrays of its own when it first changes.
   */
  fork(): Agenda<A> {
    this.shared = true
    return new Agenda(this)
  }

  private copy(): void {
    const { used } = this
    this.shared = false
    this.time = this.time.slice(0, used)
    this.generation = this.generation.slice(0, used)
    this.nextOf = this.nextOf.slice(0, used)
    this.previousOf = this.previousOf.slice(0, used)
    this.heap = this.heap.slice(0, used)
    this.order = this.order.slice(0, used)
    this.payloads = this.payloads.slice()
    this.head = this.head.slice()
    this.tail = this.tail.slice()
    this.occupied = this.occupied.slice()
    this.summary = this.summary.slice()
  }

  /** Whether it is so of any event that is still to happen. */
  some(test: (payload: A) => boolean): boolean {
    return this.payloads.some((payload) => payload !== undefined && test(payload))
  }

  private grow(): void {
    if (this.used >= MAX_ENTRIES) throw new RangeError(`Agenda.push: more than ${MAX_ENTRIES} events wait`)
    const capacity = Math.min(MAX_ENTRIES, Math.max(INITIAL_CAPACITY, this.used * 2))
    this.time = grown(this.time, new Float64Array(capacity))
    this.generation = grown(this.generation, new Int32Array(capacity))
    this.nextOf = grown(this.nextOf, new Int32Array(capacity))
    this.previousOf = grown(this.previousOf, new Int32Array(capacity))
    this.heap = grown(this.heap, new Int32Array(capacity))
    this.order = grown(this.order, new Float64Array(capacity))
  }

  private release(entry: number): void {
    this.size--
    this.payloads[entry] = undefined
    this.previousOf[entry] = FREE
    const generation = this.generation[entry]! + 1
    this.generation[entry] = generation
    if (generation === MAX_GENERATION) return
    this.nextOf[entry] = this.free
    this.free = entry
  }

  private append(entry: number, slot: number): void {
    const last = this.tail[slot]!
    this.nextOf[entry] = NONE
    this.previousOf[entry] = last
    this.tail[slot] = entry
    if (last !== NONE) {
      this.nextOf[last] = entry
      return
    }
    this.head[slot] = entry
    const word = slot >>> 5
    this.occupied[word] = this.occupied[word]! | (1 << (slot & 31))
    this.summary[word >>> 5] = this.summary[word >>> 5]! | (1 << (word & 31))
  }

  private unlink(entry: number, slot: number): void {
    const before = this.previousOf[entry]!
    const after = this.nextOf[entry]!
    if (before === NONE) this.head[slot] = after
    else this.nextOf[before] = after
    if (after === NONE) this.tail[slot] = before
    else this.previousOf[after] = before
    if (before === NONE && after === NONE) this.vacate(slot)
  }

  /** It has no entry left. */
  private vacate(slot: number): void {
    this.tail[slot] = NONE
    const word = slot >>> 5
    const rest = this.occupied[word]! & ~(1 << (slot & 31))
    this.occupied[word] = rest
    if (rest === 0) this.summary[word >>> 5] = this.summary[word >>> 5]! & ~(1 << (word & 31))
  }

  /** The first occupied slot from `from` on, around the wheel. There must be one. */
  private firstOccupied(from: number): number {
    const word = from >>> 5
    const here = this.occupied[word]! & (-1 << (from & 31))
    if (here !== 0) return (word << 5) | lowestBit(here)
    // From the next word on, and through to the words up to and including this one, whose low slots come last.
    const start = (word + 1) & (WORDS - 1)
    const group = start >>> 5
    const bits = this.summary[group]! & (-1 << (start & 31))
    if (bits !== 0) return this.firstOf((group << 5) | lowestBit(bits))
    for (let i = 1; i <= SUMMARY_WORDS; i++) {
      const other = (group + i) & (SUMMARY_WORDS - 1)
      const set = this.summary[other]!
      if (set !== 0) return this.firstOf((other << 5) | lowestBit(set))
    }
    throw new Error("Agenda: the wheel is empty though events are counted in it")
  }

  private firstOf(word: number): number {
    return (word << 5) | lowestBit(this.occupied[word]!)
  }

  /** Everything that came into the reach of the wheel, in the heap's order. */
  private migrate(): void {
    while (this.heapSize > 0) {
      const entry = this.heap[0]!
      const atMs = this.time[entry]!
      if (atMs - this.atMs >= SLOTS) return
      this.removeFromHeap(0)
      this.append(entry, atMs & SLOT_MASK)
    }
  }

  private comesBefore(one: number, other: number): boolean {
    const a = this.time[one]!
    const b = this.time[other]!
    return a < b || (a === b && this.order[one]! < this.order[other]!)
  }

  private siftUp(from: number, entry: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >>> 1
      const above = this.heap[parent]!
      if (this.comesBefore(above, entry)) break
      this.heap[place] = above
      this.nextOf[above] = place
      place = parent
    }
    this.heap[place] = entry
    this.nextOf[entry] = place
  }

  private siftDown(from: number, entry: number): void {
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.heapSize) break
      if (child + 1 < this.heapSize && this.comesBefore(this.heap[child + 1]!, this.heap[child]!)) child++
      const below = this.heap[child]!
      if (this.comesBefore(entry, below)) break
      this.heap[place] = below
      this.nextOf[below] = place
      place = child
    }
    this.heap[place] = entry
    this.nextOf[entry] = place
  }

  private removeFromHeap(place: number): void {
    const last = this.heap[--this.heapSize]!
    if (place === this.heapSize) return
    if (place > 0 && this.comesBefore(last, this.heap[(place - 1) >>> 1]!)) this.siftUp(place, last)
    else this.siftDown(place, last)
  }
}
