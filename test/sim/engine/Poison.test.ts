import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { Agenda } from "../../../sim/engine/Agenda.ts"
import { poisoned, withPoison } from "../../../sim/engine/Poison.ts"

/** One forbidden call for each name of `poisoned`, and the name that its message must give. */
const calls: Readonly<Record<string, () => unknown>> = {
  Date: () => (Date as unknown as () => string)(),
  "Date.now": () => Date.now(),
  "Date.parse": () => Date.parse("2020-01-01T00:00"),
  "performance.now": () => performance.now(),
  "process.hrtime": () => process.hrtime(),
  "process.hrtime.bigint": () => process.hrtime.bigint(),
  "Math.random": () => Math.random(),
  "crypto.randomUUID": () => crypto.randomUUID(),
  "crypto.getRandomValues": () => crypto.getRandomValues(new Uint8Array(4)),
  setTimeout: () => setTimeout(() => {}, 0),
  setInterval: () => setInterval(() => {}, 1),
  setImmediate: () => setImmediate(() => {}),
  queueMicrotask: () => queueMicrotask(() => {}),
  "process.nextTick": () => process.nextTick(() => {}),
  "Promise.prototype.then": () => Promise.resolve().then(() => {}),
  Intl: () => new Intl.NumberFormat("sv"),
  "String.prototype.localeCompare": () => "ä".localeCompare("z"),
  "Number.prototype.toLocaleString": () => (1234.5).toLocaleString()
}

const descriptors = () => [
  Object.getOwnPropertyDescriptor(globalThis, "Date"),
  Object.getOwnPropertyDescriptor(globalThis, "Intl"),
  Object.getOwnPropertyDescriptor(globalThis, "setTimeout"),
  Object.getOwnPropertyDescriptor(globalThis, "setInterval"),
  Object.getOwnPropertyDescriptor(globalThis, "setImmediate"),
  Object.getOwnPropertyDescriptor(globalThis, "queueMicrotask"),
  Object.getOwnPropertyDescriptors(Date),
  Object.getOwnPropertyDescriptors(Math),
  Object.getOwnPropertyDescriptors(performance),
  Object.getOwnPropertyDescriptors(Object.getPrototypeOf(performance)),
  Object.getOwnPropertyDescriptors(crypto),
  Object.getOwnPropertyDescriptors(Object.getPrototypeOf(crypto)),
  Object.getOwnPropertyDescriptor(process, "nextTick"),
  Object.getOwnPropertyDescriptor(process, "hrtime"),
  Object.getOwnPropertyDescriptor(process.hrtime, "bigint"),
  Object.getOwnPropertyDescriptors(Promise.prototype),
  Object.getOwnPropertyDescriptor(String.prototype, "localeCompare"),
  Object.getOwnPropertyDescriptor(Number.prototype, "toLocaleString")
]

/** The smallest world that Effect fibers can live in: one queue, one clock that jumps, one draw that counts. */
class World implements Scheduler.Scheduler, Scheduler.SchedulerDispatcher, Clock.Clock {
  readonly executionMode = "sync" as const
  private readonly tasks: Array<() => void> = []
  private readonly agenda = new Agenda<() => void>()
  private draws = 0
  shouldYield() {
    return false
  }
  makeDispatcher() {
    return this
  }
  scheduleTask(task: () => void) {
    this.tasks.push(task)
  }
  flush() {
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) task()
  }
  currentTimeMillisUnsafe() {
    return this.agenda.atMs
  }
  readonly currentTimeMillis = Effect.sync(() => this.agenda.atMs)
  currentTimeNanosUnsafe() {
    return BigInt(this.agenda.atMs) * 1_000_000n
  }
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  monotonicTimeNanosUnsafe() {
    return this.currentTimeNanosUnsafe()
  }
  readonly monotonicTimeNanos = this.currentTimeNanos
  sleep(duration: Duration.Duration) {
    return Effect.callback<void>((resume) => {
      const handle = this.agenda.push(this.agenda.atMs + Duration.toMillis(duration), () => resume(Effect.void))
      return Effect.sync(() => {
        this.agenda.cancel(handle)
      })
    })
  }
  nextIntUnsafe() {
    return this.draws++
  }
  nextDoubleUnsafe() {
    return (this.draws++ % 16) / 16
  }
  run<A, E>(program: Effect.Effect<A, E>): Exit.Exit<A, E> | undefined {
    const context = Context.make(Clock.Clock, this as Clock.Clock).pipe(
      Context.add(Random.Random, this),
      Context.add(Scheduler.Scheduler, this as Scheduler.Scheduler)
    )
    const fiber = Effect.runForkWith(context)(program)
    for (;;) {
      this.flush()
      const exit = fiber.pollUnsafe()
      if (exit !== undefined || !this.agenda.next()) return exit
      this.agenda.payload?.()
    }
  }
}

const Greeting = Context.Service<{ readonly of: (name: string) => Effect.Effect<string> }>("test/Greeting")

/** A bit of everything that a shell uses. */
const program = Effect.gen(function* () {
  const log: Array<string> = []
  const queue = yield* Queue.unbounded<number>()
  const done = yield* Deferred.make<string>()
  const hub = yield* PubSub.unbounded<string>()
  const count = yield* Ref.make(0)
  const gate = yield* Semaphore.make(1)
  const greeting = yield* Greeting
  const subscribed = yield* Effect.forkChild(
    Stream.fromPubSub(hub).pipe(
      Stream.take(2),
      Stream.runForEach((text) => Effect.sync(() => log.push(text)))
    )
  )
  const consumer = yield* Effect.forkChild(
    Effect.gen(function* () {
      for (;;) {
        const n = yield* Queue.take(queue)
        yield* gate.withPermits(1)(Ref.update(count, (sum) => sum + n))
        yield* PubSub.publish(hub, `took ${n} at ${yield* Clock.currentTimeMillis}`)
        if (n === 2) yield* Deferred.succeed(done, yield* greeting.of("mesh"))
      }
    })
  )
  yield* Effect.sleep("1 hour")
  yield* Queue.offer(queue, 1)
  yield* Effect.sleep(Duration.millis(5))
  yield* Queue.offer(queue, 2)
  log.push(yield* Deferred.await(done))
  yield* Fiber.join(subscribed)
  yield* Fiber.interrupt(consumer)
  const tries = yield* Ref.make(0)
  yield* Ref.updateAndGet(tries, (n) => n + 1).pipe(
    Effect.flatMap((n) => (n < 4 ? Effect.fail("again") : Effect.succeed(n))),
    Effect.retry(Schedule.exponential("100 millis"))
  )
  const timedOut = yield* Effect.never.pipe(Effect.timeoutOption("1 second"), Effect.withSpan("waiting"))
  const decoded = yield* Schema.decodeUnknownEffect(Schema.Struct({ n: Schema.Int }))({ n: 4 })
  const table = HashMap.make(["a", 1], ["b", 2])
  const all = yield* Effect.all([Effect.succeed(1), Effect.yieldNow.pipe(Effect.as(2))], { concurrency: "unbounded" })
  log.push(`${timedOut._tag} ${decoded.n} ${HashMap.size(table)} ${all.join()} ${yield* Random.nextInt}`)
  log.push(`${yield* Clock.currentTimeMillis}`)
  return { log, sum: yield* Ref.get(count) }
}).pipe(Effect.provide(Layer.succeed(Greeting, { of: (name) => Effect.succeed(`hello ${name}`) })), Effect.scoped)

describe("Poison", () => {
  it("has a test for each name", () => assert.sameMembers([...poisoned], Object.keys(calls)))

  for (const [api, call] of Object.entries(calls)) {
    it(`${api} throws inside, by its name, and works outside`, () => {
      assert.throws(() => withPoison(call), `\`${api}\` inside the simulation loop: `)
      const result = call()
      if (api === "setTimeout" || api === "setInterval") clearTimeout(result as NodeJS.Timeout)
    })
  }

  it("new Date throws too, and instanceof Date does not", () => {
    const date = new Date(0)
    assert.throws(() => withPoison(() => new Date()), /`new Date` inside the simulation loop/)
    assert.throws(() => withPoison(() => new Date(0)), /`new Date` inside the simulation loop/)
    assert.isTrue(withPoison(() => date instanceof Date))
  })

  it("puts everything back exactly, after a result and after a throw", () => {
    const before = descriptors()
    assert.strictEqual(
      withPoison(() => 42),
      42
    )
    assert.deepStrictEqual(descriptors(), before)
    assert.throws(
      () =>
        withPoison(() => {
          throw new RangeError("mine")
        }),
      RangeError
    )
    assert.deepStrictEqual(descriptors(), before)
  })

  it("nests: after the inner one ends, the outer one still poisons", () => {
    const before = descriptors()
    withPoison(() => {
      assert.throws(() => withPoison(() => Date.now()), /Date\.now/)
      assert.throws(() => Math.random(), /Math\.random/)
    })
    assert.deepStrictEqual(descriptors(), before)
  })

  it("refuses an asynchronous body, which would run on without it", () => {
    assert.throws(() => withPoison(async () => 1), /must not be asynchronous/)
  })

  it("Effect programs run inside, in a world with its own scheduler, clock and random", () => {
    const exit = withPoison(() => new World().run(program))
    assert.strictEqual(exit?._tag, "Success")
    if (exit?._tag !== "Success") return
    assert.deepStrictEqual(exit.value, {
      log: ["took 1 at 3600000", "took 2 at 3600005", "hello mesh", "None 4 2 1,2 0", "3601705"],
      sum: 3
    })
  })

  const leaving: ReadonlyArray<readonly [what: string, program: Effect.Effect<unknown>, api: string]> = [
    ["a promise", Effect.promise(() => Promise.resolve(1)), "Promise.prototype.then"],
    ["a default logger, which prints a date", Effect.log("hi"), "new Date"],
    ["the wall clock", Effect.sync(() => Date.now()), "Date.now"]
  ]
  for (const [what, leave, api] of leaving) {
    it(`an Effect program that leaves its world dies of it: ${what}`, () => {
      const exit = withPoison(() => new World().run(leave))
      assert.strictEqual(exit?._tag, "Failure")
      assert.include(String(exit), `\`${api}\` inside the simulation loop`)
    })
  }

  it("an Effect program outside of any world dies too: the live clock, and the scheduler of Effect", () => {
    const exitOf = (effect: Effect.Effect<unknown>) => withPoison(() => String(Effect.runFork(effect).pollUnsafe()))
    assert.include(exitOf(Effect.sleep(5)), "`setTimeout` inside the simulation loop")
    assert.include(exitOf(Effect.yieldNow), "`Promise.prototype.then` inside the simulation loop")
    assert.include(exitOf(Clock.currentTimeMillis), "`Date.now` inside the simulation loop")
  })
})
