/**
 * The simulation loop's last fence: while it runs, reaching for the host's time, randomness, locale or task queues throws.
 *
 * What the compiler and the linter cannot see (a dependency, a cast, a call through `any`) is caught here, in the run in
 * which it happens, with the name of what was called. Inside an Effect fiber it is a defect of that fiber.
 *
 * Promises: everything is put back when the body ends, also by throwing, and nested calls are safe. `instanceof Date` goes on
 * working.
 *
 * Does not catch: `await` on a promise of the engine (it does not go through `then`; that is why a body that returns a promise
 * is refused), functions that were taken from their objects before (`const { random } = Math`, and with it imports from
 * node:timers and node:crypto), and other threads.
 *
 * What stops working with it: `console` and all streams of Node (they need process.nextTick), so print after the loop, not in
 * it; and of Effect, in a world with its own scheduler, clock and random, only what writes a date, asks the machine's locale,
 * or hashes by identity: the default loggers (`new Date`), `DateTime`, the ids of spans when read, a `Ref` as a hash key.
 *
 * Precedent: the workflow sandbox of Temporal's TypeScript SDK replaces the same globals.
 */

/** One thing that the loop must not touch. */
interface Ban {
  readonly api: string
  /** Where it is defined: itself or a prototype, so that putting it back leaves no trace. */
  readonly owner: object
  readonly key: string
  readonly stub: unknown
}

const ownerOf = (object: object, key: string): object => {
  let owner: object | null = object
  while (owner !== null && !Object.hasOwn(owner, key)) owner = Object.getPrototypeOf(owner) as object | null
  if (owner === null) throw new Error(`Poison: this host has no ${key}`)
  return owner
}

const throwing = (api: string, instead: string) => (): never => {
  throw new Error(`\`${api}\` inside the simulation loop: ${instead}`)
}

const banned = (api: string, object: object, key: string, instead: string): Ban => ({
  api,
  owner: ownerOf(object, key),
  key,
  stub: throwing(api, instead)
})

const TIME = "time comes with the input (`at`), or from the world's clock"
const RANDOM = "draw with a key (kernel/Draw.ts)"
const TIMER = "set an alarm, or push an event on the agenda"
const TASK = "nothing may happen outside the agenda's order"
const LOCALE = "it depends on the machine; compare code units, print integers"

const bans: ReadonlyArray<Ban> = [
  {
    api: "Date",
    owner: globalThis,
    key: "Date",
    stub: new Proxy(Date, { apply: throwing("Date", TIME), construct: throwing("new Date", TIME) })
  },
  banned("Date.now", Date, "now", TIME),
  banned("Date.parse", Date, "parse", TIME),
  banned("performance.now", performance, "now", TIME),
  {
    ...banned("process.hrtime", process, "hrtime", TIME),
    stub: Object.assign(throwing("process.hrtime", TIME), { bigint: throwing("process.hrtime.bigint", TIME) })
  },
  banned("process.hrtime.bigint", process.hrtime, "bigint", TIME),
  banned("Math.random", Math, "random", RANDOM),
  banned("crypto.randomUUID", crypto, "randomUUID", RANDOM),
  banned("crypto.getRandomValues", crypto, "getRandomValues", RANDOM),
  banned("setTimeout", globalThis, "setTimeout", TIMER),
  banned("setInterval", globalThis, "setInterval", TIMER),
  banned("setImmediate", globalThis, "setImmediate", TASK),
  banned("queueMicrotask", globalThis, "queueMicrotask", TASK),
  banned("process.nextTick", process, "nextTick", TASK),
  banned("Promise.prototype.then", Promise.prototype, "then", TASK),
  { api: "Intl", owner: globalThis, key: "Intl", stub: new Proxy(Intl, { get: throwing("Intl", LOCALE) }) },
  banned("String.prototype.localeCompare", String.prototype, "localeCompare", LOCALE),
  banned("Number.prototype.toLocaleString", Number.prototype, "toLocaleString", LOCALE)
]

/** What throws while `withPoison` runs, in the words of the message. */
export const poisoned: ReadonlyArray<string> = bans.map((ban) => ban.api)

const set = (ban: Ban, value: unknown): void => {
  // Assignment, not definition: it keeps the property's attributes, and spares V8 a new shape of Math and its like.
  if (!Reflect.set(ban.owner, ban.key, value)) throw new Error(`Poison: ${ban.api} cannot be replaced on this host`)
}

/** Runs `body`, to its end and synchronously, with everything of `poisoned` throwing. Throws what it throws. */
export const withPoison = <A>(body: () => A): A => {
  const originals = bans.map((ban) => (ban.owner as Record<string, unknown>)[ban.key])
  let replaced = 0
  try {
    for (const ban of bans) {
      set(ban, ban.stub)
      replaced++
    }
    const result = body()
    if (result instanceof Promise) throw new TypeError("withPoison: the body must not be asynchronous")
    return result
  } finally {
    while (replaced > 0) {
      replaced--
      set(bans[replaced]!, originals[replaced])
    }
  }
}
